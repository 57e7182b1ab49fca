/*
 * What the control thread asks of anybody while it ticks: of libc no memory, no lock and no file, by wrapping what would; of the
 * kernel nothing but sleep until the next tick, by a filter on its system calls. Over the simulated machine and over a controller behind
 * Modbus, through sessions, faults and lost readings.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control_thread.h"
#include "agent/driver/modbus.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/now.h"
#include "tests/slave/slave.h"
#include "tests/unit/agent/control/rig.h"

enum { DEADLINE_S = 60, TICKS = 400, FEW_TICKS = 5 };

/* On the control thread, from its first reading to its end. */
static _Thread_local bool ticking;

/* What it asked for: the first such function, the first such system call; and how often the test's own driver did, on purpose. */
static _Atomic(const char *) asked;
static atomic_long called;

static void note(const char *what)
{
	const char *none = NULL;
	if (ticking)
		atomic_compare_exchange_strong(&asked, &none, what);
}

/* ---- libc ---- */

#define WRAP(type, name, params, args) \
	type __real_##name params;         \
	type __wrap_##name params;         \
	type __wrap_##name params          \
	{                                  \
		note(#name);                   \
		return __real_##name args;     \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
WRAP(char *, strdup, (const char *text), (text))
WRAP(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
WRAP(int, pthread_cond_wait, (pthread_cond_t * cond, pthread_mutex_t *mutex), (cond, mutex))
WRAP(int, sem_wait, (sem_t * sem), (sem))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	note("free");
	__real_free(memory);
}

/* ---- the kernel ---- */

static void on_refused_call(int signum, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	long none = 0;
	(void)signum;
	atomic_compare_exchange_strong(&called, &none, (long)info->si_syscall);
#if defined(__x86_64__)
	u->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
	u->uc_mcontext.regs[0] = (unsigned long long)-ENOSYS;
#endif
}

#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/*
 * For the calling thread alone. A thread's end is allowed, and reading the clock, which some machines need the kernel for; and
 * `allowed`.
 */
static int refuse_calls(uint32_t allowed)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(clock_nanosleep),
	    ALLOW(clock_gettime),
	    ALLOW(futex), /* tells who waits for its end */
	    ALLOW(rt_sigreturn),
	    ALLOW(rt_sigprocmask),
	    ALLOW(sigaltstack),
	    ALLOW(madvise),
	    ALLOW(munmap),
	    ALLOW(exit),
	    ALLOW(exit_group),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
#ifdef __SANITIZE_ADDRESS__
	    ALLOW(mmap), /* the sanitizer's own; ours would be seen as malloc */
#endif
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}

/* ---- a machine that is watched while it works ---- */

static struct watched {
	struct driver driver;
	struct driver *machine;
	uint32_t allowed;                                   /* the system call that the machine's driver may make */
	void (*inject)(enum gf_fault code, int64_t for_ms); /* in a tick; NULL: it's done from outside */
	void (*meddle)(void);                               /* at the last tick but one */
	atomic_uint_fast64_t reads;
	uint64_t ticks;
	int filter_error;
	bool ran, stood_after;
	atomic_bool done;
} watched;

/* What happens to the machine, by tick: everything that makes the core do something else. */
static const struct {
	uint64_t at;
	enum gf_fault code;
	int64_t for_ms;
} mishaps[] = {
    {80, GF_FAULT_COMMS_LOST, 100},   {160, GF_FAULT_ESTOP, 200},      {240, GF_FAULT_COVER_OPEN, 200},
    {320, GF_FAULT_OVERCURRENT, 600}, {360, GF_FAULT_COMMS_LOST, 100},
};
enum { MISHAPS = sizeof(mishaps) / sizeof(mishaps[0]) };

static int watched_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	(void)driver;
	if (watched.reads == 0) {
		watched.filter_error = refuse_calls(watched.allowed);
		ticking = true;
	}
	watched.reads++;
	for (size_t i = 0; i < MISHAPS; i++) {
		if (mishaps[i].at == watched.reads && watched.inject != NULL)
			watched.inject(mishaps[i].code, mishaps[i].for_ms);
	}
	if (watched.reads == watched.ticks - 1 && watched.meddle != NULL)
		watched.meddle();
	if (watched.reads == watched.ticks)
		atomic_store(&watched.done, true);
	return watched.machine->ops->read(watched.machine, mono_ms, ret_input);
}

static int watched_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	(void)driver;
	bool on = output->command == DRIVER_START && output->intensity_pct > 0;
	watched.ran |= on;
	watched.stood_after |= watched.ran && !on;
	return watched.machine->ops->write(watched.machine, mono_ms, output);
}

static void watched_safe(struct driver *driver)
{
	(void)driver;
	watched.machine->ops->safe(watched.machine);
}

static const struct driver_ops watched_ops = {
    .name = "watched", .read = watched_read, .write = watched_write, .safe = watched_safe};

static void woken(void *ctx)
{
	(void)ctx;
}

/* Events are taken out as they come, as by a main loop. */
/* What the gateway may want of the machine meanwhile: another catalog each time the one before was taken, other limits, a stop. */
static void command(struct control_thread *thread, const struct gf_catalog *catalog, unsigned round)
{
	const struct control_command commands[] = {
	    {.kind = CONTROL_COMMAND_CATALOG, .catalog = catalog},
	    {.kind = CONTROL_COMMAND_LIMITS, .limits = {.intensity_max_pct = (float)(40 + round % 20)}},
	    {.kind = CONTROL_COMMAND_STOP, .outcome = GF_OUTCOME_STAFF_STOPPED},
	};
	if (catalog != NULL)
		(void)!control_thread_tell(thread, &commands[0]);
	if (round % 5 == 0)
		(void)!control_thread_tell(thread, &commands[1]);
	if (round % 200 == 199)
		(void)!control_thread_tell(thread, &commands[2]);
}

static size_t let_it_work(struct control_thread *thread, const struct gf_catalog *catalog, void (*from_outside)(void))
{
	static struct gf_catalog catalogs[2];
	const int64_t deadline_ms = gf_now_ms(CLOCK_MONOTONIC) + DEADLINE_S * 1000LL;
	struct control_event event;
	size_t events = 0;
	unsigned rounds = 0, taken = 0;
	bool waits = false;
	catalogs[0] = catalogs[1] = *catalog;
	while (!atomic_load(&watched.done)) {
		if (gf_now_ms(CLOCK_MONOTONIC) > deadline_ms)
			fail_msg("the control thread doesn't get through %llu ticks", (unsigned long long)watched.ticks);
		while (control_thread_next(thread, &event)) {
			events++;
			if (event.kind == CONTROL_EVENT_CATALOG) {
				assert_ptr_equal(event.catalog, &catalogs[taken++ % 2]);
				waits = false;
			}
		}
		command(thread, waits ? NULL : &catalogs[taken % 2], rounds++);
		waits = true;
		if (from_outside != NULL)
			from_outside();
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	assert_true(watched.ticks <= FEW_TICKS || taken > 0);
	return events;
}

/* Lets `watched` work through its ticks, and frees its machine. */
static void watch(enum gf_class class, void (*from_outside)(void))
{
	const struct control_resume resume = {0};
	const struct sigaction action = {.sa_sigaction = on_refused_call, .sa_flags = SA_SIGINFO};
	struct control_config config = {
	    .class = class, .heartbeat_ms = 200, .checkpoint_ms = 200, .catalog = rig_catalog(class)};
	struct control_thread *thread = NULL;
	struct control *control = NULL;

	sigaction(SIGSYS, &action, NULL);
	atomic_store(&asked, NULL);
	atomic_store(&called, 0);
	watched.driver.ops = &watched_ops;
	control_envelope_defaults(class, &config.envelope);
	assert_int_equal(control_new(&config, &resume, gf_now_ms(CLOCK_BOOTTIME), &control), 0);
	const struct control_thread_config start = {.control = control, .driver = &watched.driver, .wake = woken};
	assert_int_equal(control_thread_start(&start, &thread), 0);
	const size_t events = let_it_work(thread, config.catalog, from_outside);
	assert_int_equal(control_thread_join(thread, GF_OUTCOME_SAFETY_STOPPED), 0);
	control_thread_free(thread);
	control_free(control);
	watched.machine->ops->free(watched.machine);
	assert_int_equal(watched.filter_error, 0);
	assert_true(events > 0);
}

static void expect_nothing_asked(void)
{
	assert_true(watched.ran && watched.stood_after);
	if (atomic_load(&asked) != NULL)
		fail_msg("the control thread calls %s", atomic_load(&asked));
	if (atomic_load(&called) != 0)
		fail_msg("the control thread makes system call %ld", atomic_load(&called));
}

/* ---- the simulated machine ---- */

static void sim_inject(enum gf_fault code, int64_t for_ms)
{
	sim_driver_inject(watched.machine, code, for_ms);
}

static void watch_sim(uint64_t ticks, void (*meddle)(void))
{
	char journal[] = "/tmp/gf-tick-XXXXXX";
	struct gf_diag diag = {{0}};
	const struct sim_config sim = {
	    .class = GF_CLASS_CHAIR,
	    .seed = 3,
	    .ambient_c = 20,
	    .busy = 1,
	    .routines = RIG_ROUTINES,
	    .journal_path = journal,
	};

	close(mkstemp(journal));
	watched = (struct watched){.allowed = __NR_exit, .inject = sim_inject, .meddle = meddle, .ticks = ticks};
	assert_int_equal(sim_driver_new(&sim, &watched.machine, &diag), 0);
	watch(GF_CLASS_CHAIR, NULL);
	unlink(journal);
}

static void i4_a_tick_asks_nobody_for_anything(void **state)
{
	(void)state;
	watch_sim(TICKS, NULL);
	expect_nothing_asked();
}

/* ---- a controller behind Modbus ---- */

static struct slave slave;
static size_t told; /* mishaps */

static void tell_slave(void)
{
	for (; told < MISHAPS && mishaps[told].at <= watched.reads; told++) {
		if (mishaps[told].code == GF_FAULT_COMMS_LOST)
			slave_tell(&slave, "mute 4");
		else
			slave_tell(&slave, "inject %s %d", gf_fault_name(mishaps[told].code), (int)mishaps[told].for_ms);
	}
	/* Somebody who starts it again and again. */
	if (watched.reads % 50 == 10)
		slave_tell(&slave, "routine %d 200", RIG_PLAIN);
}

/* All it asks for is that the driver's own thread wakes, and it doesn't wait for that. */
static void i4_a_tick_over_a_bus_only_wakes_the_bus(void **state)
{
	static const char *const options[] = {"--class", "roller", "--busy", "0", NULL};
	struct modbus_config config = {.class = GF_CLASS_ROLLER, .bus = {.host = "127.0.0.1", .unit = 1}};
	struct gf_diag diag = {{0}};

	(void)state;
	told = 0;
	slave_start(&slave, false, options);
	config.bus.port = slave.port;
	watched = (struct watched){.allowed = __NR_write, .ticks = TICKS};
	if (modbus_driver_new(&config, &watched.machine, &diag) != 0)
		fail_msg("%s", diag.text);
	watch(GF_CLASS_ROLLER, tell_slave);
	slave_stop(&slave);
	expect_nothing_asked();
}

/* ---- and would we see it? ---- */

static void want_memory(void)
{
	void *volatile memory = malloc(10);
	free(memory);
}

static void sync_a_file(void)
{
	fsync(STDOUT_FILENO);
}

static void a_tick_that_wanted_memory_would_be_seen(void **state)
{
	(void)state;
	watch_sim(FEW_TICKS, want_memory);
	assert_string_equal(atomic_load(&asked), "malloc");
}

static void a_tick_that_touched_a_file_would_be_seen(void **state)
{
	(void)state;
	watch_sim(FEW_TICKS, sync_a_file);
	assert_int_equal(atomic_load(&called), __NR_fsync);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i4_a_tick_asks_nobody_for_anything),
	    cmocka_unit_test(i4_a_tick_over_a_bus_only_wakes_the_bus),
	    cmocka_unit_test(a_tick_that_wanted_memory_would_be_seen),
	    cmocka_unit_test(a_tick_that_touched_a_file_would_be_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
