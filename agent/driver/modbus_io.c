#include "agent/driver/modbus_io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/rt_thread.h"
#include "proto/base/now.h"

enum {
	CYCLE_MS = 20,
	BEAT_MS = 100,  /* the output is told so often, changed or not */
	ALL_MS = 150,   /* on a serial line: everything is read so often, */
	PANEL_MS = 100, /* and the panel */
	REFUSED_MS = 1000,
	ASTRAY_MS = 2000, /* a controller that was told to stop has done so by then */
	FAILURES_MAX = 3, /* then the connection is made anew */
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 1000,
	PRIORITY = 10, /* the control thread's: readings must not be late either */
	STACK_BYTES = 256 * 1024,

	FAST_COUNT = MB_GAUGE + 1 - MB_INPUTS,
	PANEL_COUNT = MB_PANEL + 1 - MB_ROUTINE,
};

int64_t mb_now_ms(void)
{
	return gf_now_ms(CLOCK_BOOTTIME);
}

void mb_io_wake(struct mb_io *io)
{
	const uint64_t one = 1;
	/* A counter that is full wakes as well. */
	ssize_t n = write(io->wake_fd, &one, sizeof(one));
	(void)n;
}

static void pause_until(struct mb_io *io, int64_t due_ms)
{
	struct pollfd wake = {.fd = io->wake_fd, .events = POLLIN};
	uint64_t times;
	const int64_t left_ms = due_ms - mb_now_ms();
	if (left_ms > 0 && poll(&wake, 1, (int)left_ms) > 0) {
		ssize_t n = read(io->wake_fd, &times, sizeof(times));
		(void)n;
	}
}

/* --- what is to be told ------------------------------------------------------------------------------------------ */

/* From here on nothing runs until the control core has seen a reading fail. */
static void block(struct mb_io *io, const struct mb_order *order)
{
	io->blocked = true;
	io->blocked_failed = order->failed;
	atomic_store_explicit(&io->must_fail, true, memory_order_release);
}

static bool may_run(struct mb_io *io, const struct mb_order *order, int64_t now)
{
	if (order->at_ms == 0)
		return false;
	if (now - order->at_ms > MB_HUNG_MS) {
		if (!io->blocked)
			block(io, order);
		return false;
	}
	if (io->blocked && order->failed == io->blocked_failed)
		return false;
	io->blocked = false;
	return (io->inputs[0] & (MB_STATUS_ESTOP | MB_STATUS_COVER)) == 0;
}

/* The registers as they should stand now; *ret_alive: the heart may beat. */
static void wanted(struct mb_io *io, uint16_t ret_registers[static MB_OUTPUTS], bool *ret_alive)
{
	static const struct driver_output off = {.command = DRIVER_STOP};
	const struct mb_order *order = newest_get(&io->orders);
	const int64_t now = mb_now_ms();
	const bool told = order->output.command != DRIVER_START || may_run(io, order, now);

	mb_output_put(&io->machine, told ? &order->output : &off, ret_registers);
	ret_registers[MB_HEARTBEAT] = io->heartbeat;
	*ret_alive = order->at_ms != 0 && now - order->at_ms <= MB_ALIVE_MS;
}

/*
 * An output that the controller refuses is for the control core to see, long enough for it to end the session: a machine that can't do
 * what it is told isn't paused and started ten times a second.
 */
static int told(struct mb_io *io, int r)
{
	const int64_t now = mb_now_ms();
	if (r > 0) {
		io->refused_ms = now;
		atomic_store_explicit(&io->refused, -EREMOTEIO, memory_order_relaxed);
	} else if (now - io->refused_ms > REFUSED_MS) {
		atomic_store_explicit(&io->refused, 0, memory_order_relaxed);
	}
	return r;
}

/* The command alone is over the wire soonest. */
static int tell_off(struct mb_io *io, const uint16_t registers[static MB_OUTPUTS])
{
	if (io->told[MB_COMMAND] != MB_START || registers[MB_COMMAND] == MB_START)
		return 0;
	int r = mb_bus_write(io->bus, MB_COMMAND, 1, &registers[MB_COMMAND]);
	if (r == 0)
		io->told[MB_COMMAND] = registers[MB_COMMAND];
	return told(io, r);
}

static int tell(struct mb_io *io)
{
	uint16_t registers[MB_OUTPUTS];
	bool alive;

	wanted(io, registers, &alive);
	int r = tell_off(io, registers);
	if (r < 0)
		return r;
	const int64_t now = mb_now_ms();
	if (now - io->told_ms < BEAT_MS && !mb_output_urgent(io->told, registers))
		return 0;
	if (alive)
		registers[MB_HEARTBEAT] = ++io->heartbeat;
	r = told(io, mb_bus_write(io->bus, MB_COMMAND, MB_OUTPUTS, registers));
	if (r == 0)
		memcpy(io->told, registers, sizeof(io->told));
	io->told_ms = now;
	return r < 0 ? r : 0;
}

static int tell_clear(struct mb_io *io)
{
	static const uint16_t key = MB_CLEAR_KEY;
	const struct mb_order *order = newest_get(&io->orders);
	if (order->clears == io->clears)
		return 0;
	io->clears = order->clears;
	int r = mb_bus_write(io->bus, MB_CLEAR, 1, &key);
	return r < 0 ? r : 0;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static int ask_block(struct mb_io *io, uint16_t from, uint16_t count)
{
	int r = mb_bus_read_inputs(io->bus, from, count, &io->inputs[from - MB_INPUTS]);
	return r > 0 ? -EREMOTEIO : r;
}

/* A long answer takes its time on a serial line: there what is urgent is asked for alone, and the rest every now and then. */
static int ask(struct mb_io *io)
{
	const int64_t now = mb_now_ms();
	if (mb_bus_serial(io->bus) && now - io->all_read_ms < ALL_MS)
		return ask_block(io, MB_INPUTS, FAST_COUNT);
	int r = ask_block(io, MB_INPUTS, MB_INPUTS_COUNT);
	if (r == 0)
		io->all_read_ms = io->panel_read_ms = now;
	return r;
}

/* In turn with the output: what is urgent waits for one of the two only. */
static int ask_panel(struct mb_io *io, bool has_told)
{
	const int64_t now = mb_now_ms();
	if (!mb_bus_serial(io->bus) || (has_told && now - io->panel_read_ms < PANEL_MS))
		return 0;
	int r = ask_block(io, MB_ROUTINE, PANEL_COUNT);
	if (r == 0)
		io->panel_read_ms = now;
	return r;
}

static void hand_over(struct mb_io *io, int64_t at_ms)
{
	struct mb_reading reading = {.at_ms = at_ms};
	mb_input_take(&io->machine, io->inputs, io->told[MB_CARRIAGE_TO], &reading.input);
	newest_put(&io->readings, &reading);
}

/*
 * It runs although it was told to stop. Telling it so once more helps nobody: a new greeting refuses it, no session starts, and between
 * the greetings its dead man has time to bite.
 */
static bool is_astray(struct mb_io *io, int64_t now)
{
	const uint16_t command = io->told[MB_COMMAND];
	if (command == MB_START || command == MB_PAUSE || (io->inputs[0] & MB_STATUS_RUNNING) == 0)
		io->obeyed_ms = now;
	return now - io->obeyed_ms > ASTRAY_MS;
}

/* --- the thread -------------------------------------------------------------------------------------------------- */

static int cycle(struct mb_io *io)
{
	uint16_t registers[MB_OUTPUTS];
	bool alive;
	int r;

	wanted(io, registers, &alive);
	if ((r = tell_off(io, registers)) < 0)
		return r;
	const int64_t asked_ms = mb_now_ms();
	if ((r = ask(io)) != 0)
		return r;
	if (is_astray(io, asked_ms))
		return -EPROTO;
	hand_over(io, asked_ms);
	const int64_t told_ms = io->told_ms;
	if ((r = tell(io)) != 0 || (r = ask_panel(io, io->told_ms != told_ms)) != 0)
		return r;
	return tell_clear(io);
}

/* The connection is gone or can't be trusted, and what was read over it is no reading any more, however new it is. */
static void lose(struct mb_io *io)
{
	static const struct mb_reading none;

	mb_bus_close(io->bus);
	newest_put(&io->readings, &none);
	block(io, newest_get(&io->orders));
	io->failures = 0;
}

static void after_failure(struct mb_io *io, int r)
{
	uint16_t registers[MB_OUTPUTS];
	bool alive;

	const bool answers = r == -ETIMEDOUT || r == -EBADMSG || r == -EREMOTEIO;
	if (!answers || ++io->failures >= FAILURES_MAX) {
		lose(io);
		return;
	}
	wanted(io, registers, &alive);
	/* A heart that may not beat beats for a stop only. */
	uint16_t command = alive ? registers[MB_COMMAND] : MB_STOP;
	r = mb_bus_step(io->bus, &command, &io->heartbeat);
	/* Where it isn't known what was heard, the worst is taken. */
	io->told[MB_COMMAND] = r == 0 ? command : MB_START;
	if (r != 0 && (++io->failures >= FAILURES_MAX || (r != -ETIMEDOUT && r != -EBADMSG)))
		lose(io);
}

/* Off, as the greeting left it. */
static void begin(struct mb_io *io, const struct mb_greeting *greeting)
{
	static const struct driver_output off = {.command = DRIVER_STOP};
	const struct mb_order *order = newest_get(&io->orders);

	memcpy(io->inputs, greeting->inputs, sizeof(io->inputs));
	mb_output_put(&io->machine, &off, io->told);
	io->machine.lease = !greeting->dead_man_said;
	io->clears = order->clears;
	io->told_ms = io->all_read_ms = io->panel_read_ms = io->obeyed_ms = mb_now_ms();
	io->failures = 0;
}

static void reconnect(struct mb_io *io)
{
	struct mb_greeting greeting;

	pause_until(io, mb_now_ms() + io->backoff_ms);
	io->backoff_ms = io->backoff_ms * 2 < BACKOFF_MAX_MS ? io->backoff_ms * 2 : BACKOFF_MAX_MS;
	if (mb_bus_connect(io->bus) != 0)
		return;
	if (mb_greet(io->bus, &io->expected, &io->stopping, &io->heartbeat, &greeting, NULL) != 0) {
		mb_bus_close(io->bus);
		return;
	}
	mb_bus_count_reconnect(io->bus);
	begin(io, &greeting);
	/* Whoever was told that all is well before the cut hears of it now at the latest. */
	block(io, newest_get(&io->orders));
	io->backoff_ms = BACKOFF_MIN_MS;
}

static void *run(void *ctx)
{
	struct mb_io *io = ctx;
	int64_t due_ms = mb_now_ms();

	while (!atomic_load_explicit(&io->stopping, memory_order_acquire)) {
		if (!mb_bus_connected(io->bus)) {
			reconnect(io);
			due_ms = mb_now_ms();
			continue;
		}
		const int r = cycle(io);
		if (r != 0)
			after_failure(io, r);
		else
			io->failures = 0;
		due_ms += CYCLE_MS;
		if (due_ms < mb_now_ms())
			due_ms = mb_now_ms();
		pause_until(io, due_ms);
	}
	return NULL;
}

int mb_io_start(struct mb_io *io, const struct mb_greeting *greeting)
{
	static const struct mb_order none;
	struct mb_reading first = {.at_ms = mb_now_ms()};
	int r;

	mb_input_take(&io->machine, greeting->inputs, MB_NONE, &first.input);
	if ((r = newest_init(&io->readings, sizeof(first), &first)) != 0 ||
	    (r = newest_init(&io->orders, sizeof(none), &none)) != 0)
		return r;
	io->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->wake_fd < 0)
		return -errno;
	io->backoff_ms = BACKOFF_MIN_MS;
	begin(io, greeting);
	r = rt_thread_create(PRIORITY, STACK_BYTES, run, io, &io->thread);
	if (r != 0)
		return r;
	pthread_setname_np(io->thread, "modbus");
	io->started = true;
	return 0;
}

void mb_io_stop(struct mb_io *io)
{
	static const uint16_t stop = MB_STOP;
	if (io->started) {
		atomic_store_explicit(&io->stopping, true, memory_order_release);
		mb_io_wake(io);
		pthread_join(io->thread, NULL);
		io->started = false;
	}
	/* Twice: the first may meet an answer that is late. After that it is for the controller's own dead man. */
	for (int i = 0; i < 2 && io->bus != NULL && mb_bus_connected(io->bus); i++) {
		if (mb_bus_write(io->bus, MB_COMMAND, 1, &stop) == 0)
			break;
	}
	mb_bus_free(io->bus);
	io->bus = NULL;
	if (io->wake_fd >= 0)
		close(io->wake_fd);
	newest_deinit(&io->readings);
	newest_deinit(&io->orders);
}
