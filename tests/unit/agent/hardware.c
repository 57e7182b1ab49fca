#include "tests/unit/agent/hardware.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/now.h"
#include "tests/unit/agent/control/rig.h"

/* ---- the driver ---- */

static struct hardware *hardware_of(struct driver *driver)
{
	return (struct hardware *)(void *)driver;
}

static void lasts(int64_t ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&time, NULL);
}

static int fake_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct hardware *h = hardware_of(driver);
	pthread_mutex_lock(&h->lock);
	while (h->held) {
		h->is_held = true;
		pthread_cond_broadcast(&h->ticked);
		pthread_cond_wait(&h->ticked, &h->lock);
	}
	h->is_held = false;
	if (h->reads++ > 0 && mono_ms - h->read_ms > h->longest_ms)
		h->longest_ms = mono_ms - h->read_ms;
	h->read_ms = mono_ms;
	int64_t late_ms = h->late_ms;
	h->late_ms = 0;
	int r = h->unreadable ? -EIO : 0;
	if (r == 0)
		*ret_input = h->input;
	pthread_mutex_unlock(&h->lock);
	if (late_ms > 0)
		lasts(late_ms);
	return r;
}

static int fake_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	struct hardware *h = hardware_of(driver);
	(void)mono_ms;
	pthread_mutex_lock(&h->lock);
	h->output = *output;
	h->writes++;
	h->starts += output->command == DRIVER_START ? 1 : 0;
	int r = h->unwritable ? -EIO : 0;
	pthread_cond_broadcast(&h->ticked);
	pthread_mutex_unlock(&h->lock);
	return r;
}

static void fake_safe(struct driver *driver)
{
	struct hardware *h = hardware_of(driver);
	pthread_mutex_lock(&h->lock);
	h->output = (struct driver_output){.command = DRIVER_STOP};
	h->safes++;
	pthread_mutex_unlock(&h->lock);
}

static const struct driver_ops fake_ops = {.name = "fake", .read = fake_read, .write = fake_write, .safe = fake_safe};

static void count_wake(void *ctx)
{
	struct hardware *h = ctx;
	pthread_mutex_lock(&h->lock);
	h->wakes++;
	pthread_mutex_unlock(&h->lock);
}

/* ---- setting up ---- */

int hardware_setup(void **state)
{
	struct hardware *h = calloc(1, sizeof(*h));
	h->driver.ops = &fake_ops;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->ticked, NULL);
	for (int s = 1; s < GF_SENSOR_COUNT; s++)
		h->input.sensors[s] = (float)__builtin_nan("");
	*state = h;
	return 0;
}

int hardware_teardown(void **state)
{
	struct hardware *h = *state;
	hardware_let_go(h);
	control_thread_free(h->thread);
	control_free(h->control);
	pthread_cond_destroy(&h->ticked);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return 0;
}

void hardware_start(struct hardware *h, uint32_t every_ms)
{
	const struct control_resume resume = {0};
	struct control_config config = {
	    .class = GF_CLASS_ROLLER,
	    .heartbeat_ms = every_ms,
	    .checkpoint_ms = every_ms,
	    .catalog = rig_catalog(GF_CLASS_ROLLER),
	};
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.sensors = 0; /* this hardware shows none */
	assert_int_equal(control_new(&config, &resume, gf_now_ms(CLOCK_BOOTTIME), &h->control), 0);
	const struct control_thread_config thread = {
	    .control = h->control, .driver = &h->driver, .wake = count_wake, .wake_ctx = h};
	assert_int_equal(control_thread_start(&thread, &h->thread), 0);
}

void hardware_begin_session(struct hardware *h)
{
	/* A button that is down from the first reading on is no wish. */
	assert_true(hardware_waited_for_ticks(h, 2));
	hardware_ask_for(h, RIG_PLAIN);
	assert_true(hardware_waited_for(h, hardware_runs));
	hardware_ask_for(h, 0);
}

/* ---- waiting ---- */

bool hardware_runs(const struct hardware *h)
{
	return h->output.command == DRIVER_START && h->output.intensity_pct > 0;
}

bool hardware_stands(const struct hardware *h)
{
	return !hardware_runs(h);
}

bool hardware_is_safe(const struct hardware *h)
{
	return h->safes > 0;
}

static struct timespec deadline(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HARDWARE_DEADLINE_S;
	return end;
}

bool hardware_waited_for(struct hardware *h, bool (*condition)(const struct hardware *h))
{
	const struct timespec end = deadline();
	int r = 0;
	pthread_mutex_lock(&h->lock);
	while (!condition(h) && r == 0)
		r = pthread_cond_timedwait(&h->ticked, &h->lock, &end);
	bool came = condition(h);
	pthread_mutex_unlock(&h->lock);
	return came;
}

bool hardware_waited_for_ticks(struct hardware *h, uint64_t more)
{
	const struct timespec end = deadline();
	int r = 0;
	pthread_mutex_lock(&h->lock);
	uint64_t until = h->writes + more;
	while (h->writes < until && r == 0)
		r = pthread_cond_timedwait(&h->ticked, &h->lock, &end);
	pthread_mutex_unlock(&h->lock);
	return r == 0;
}

/* ---- what a test does ---- */

void hardware_set(struct hardware *h, bool *what, bool value)
{
	pthread_mutex_lock(&h->lock);
	*what = value;
	pthread_mutex_unlock(&h->lock);
}

void hardware_ask_for(struct hardware *h, uint16_t routine)
{
	pthread_mutex_lock(&h->lock);
	h->input.panel.routine = routine;
	pthread_mutex_unlock(&h->lock);
}

static bool is_held(const struct hardware *h)
{
	return h->is_held;
}

void hardware_hold(struct hardware *h)
{
	hardware_set(h, &h->held, true);
	assert_true(hardware_waited_for(h, is_held));
}

void hardware_let_go(struct hardware *h)
{
	pthread_mutex_lock(&h->lock);
	h->held = false;
	pthread_cond_broadcast(&h->ticked);
	pthread_mutex_unlock(&h->lock);
}

size_t hardware_drain(struct hardware *h, enum control_event_kind kind, struct control_event *ret_last)
{
	struct control_event event;
	size_t count = 0;
	while (control_thread_next(h->thread, &event)) {
		if (event.kind != kind)
			continue;
		*ret_last = event;
		count++;
	}
	return count;
}
