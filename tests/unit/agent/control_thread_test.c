/*
 * The control thread on its own clock, over hardware that a test holds in its hands. Nothing here measures time: a test waits
 * until the hardware has been written to so often, or until it was written what it should.
 */
#include "agent/control_thread.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/agent/control/rig.h"

enum { DEADLINE_S = 20, MANY_TICKS = 150 };

/* Shared with the thread; `lock` guards all of it. */
struct hardware {
	struct driver driver;
	pthread_mutex_t lock;
	pthread_cond_t ticked;
	struct driver_input input;
	bool unreadable, unwritable;
	struct driver_output output; /* the last one written */
	uint64_t writes, starts, safes, wakes;
	struct control *control;
	struct control_thread *thread;
};

static struct hardware *hardware_of(struct driver *driver)
{
	return (struct hardware *)(void *)driver;
}

static int fake_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct hardware *h = hardware_of(driver);
	(void)mono_ms;
	pthread_mutex_lock(&h->lock);
	int r = h->unreadable ? -EIO : 0;
	if (r == 0)
		*ret_input = h->input;
	pthread_mutex_unlock(&h->lock);
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

static int setup(void **state)
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

static int teardown(void **state)
{
	struct hardware *h = *state;
	control_thread_free(h->thread);
	control_free(h->control);
	pthread_cond_destroy(&h->ticked);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return 0;
}

/* `every_ms` between heartbeats and between checkpoints; 0: the defaults. */
static void start(struct hardware *h, uint32_t every_ms)
{
	const struct control_resume resume = {0};
	struct timespec now;
	struct control_config config = {
	    .class = GF_CLASS_ROLLER,
	    .heartbeat_ms = every_ms,
	    .checkpoint_ms = every_ms,
	    .catalog = rig_catalog(GF_CLASS_ROLLER),
	};
	clock_gettime(CLOCK_BOOTTIME, &now);
	control_envelope_defaults(config.class, &config.envelope);
	int64_t mono_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	assert_int_equal(control_new(&config, &resume, mono_ms, &h->control), 0);
	const struct control_thread_config thread = {
	    .control = h->control, .driver = &h->driver, .wake = count_wake, .wake_ctx = h};
	assert_int_equal(control_thread_start(&thread, &h->thread), 0);
}

/* ---- waiting ---- */

static bool runs(const struct hardware *h)
{
	return h->output.command == DRIVER_START && h->output.intensity_pct > 0;
}

static bool stands(const struct hardware *h)
{
	return !runs(h);
}

static bool was_made_safe(const struct hardware *h)
{
	return h->safes > 0;
}

/* Returns false when it didn't come true before the deadline; looked at after each tick. */
static bool waited_for(struct hardware *h, bool (*condition)(const struct hardware *h))
{
	struct timespec deadline;
	int r = 0;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_S;
	pthread_mutex_lock(&h->lock);
	while (!condition(h) && r == 0)
		r = pthread_cond_timedwait(&h->ticked, &h->lock, &deadline);
	bool came = condition(h);
	pthread_mutex_unlock(&h->lock);
	return came;
}

static bool waited_for_ticks(struct hardware *h, uint64_t more)
{
	struct timespec deadline;
	int r = 0;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_S;
	pthread_mutex_lock(&h->lock);
	uint64_t until = h->writes + more;
	while (h->writes < until && r == 0)
		r = pthread_cond_timedwait(&h->ticked, &h->lock, &deadline);
	pthread_mutex_unlock(&h->lock);
	return r == 0;
}

static void set(struct hardware *h, bool *what, bool value)
{
	pthread_mutex_lock(&h->lock);
	*what = value;
	pthread_mutex_unlock(&h->lock);
}

static void ask_for(struct hardware *h, uint16_t routine)
{
	pthread_mutex_lock(&h->lock);
	h->input.panel.routine = routine;
	pthread_mutex_unlock(&h->lock);
}

static void begin_session(struct hardware *h)
{
	/* A button that is down from the first reading on is no wish. */
	assert_true(waited_for_ticks(h, 2));
	ask_for(h, RIG_PLAIN);
	assert_true(waited_for(h, runs));
	ask_for(h, 0);
}

/* How many events of each kind are in the mailbox; takes them out. *ret_last: the last one of `kind`. */
static size_t drain(struct hardware *h, enum control_event_kind kind, struct control_event *ret_last)
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

/* ---- ticking ---- */

static void it_ticks_and_says_what_happened(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	start(h, 100);
	begin_session(h);
	assert_true(waited_for_ticks(h, 20));
	assert_true(control_thread_ticks(h->thread) >= 20);
	assert_int_equal(control_thread_lost(h->thread), 0);
	bool started = false, beat = false, progress = false;
	while (control_thread_next(h->thread, &event)) {
		started = started || event.kind == CONTROL_EVENT_SESSION_STARTED;
		beat = beat || event.kind == CONTROL_EVENT_TELEMETRY;
		progress = progress || event.kind == CONTROL_EVENT_SESSION_PROGRESS;
	}
	assert_true(started && beat && progress);
	pthread_mutex_lock(&h->lock);
	assert_true(h->wakes > 0);
	pthread_mutex_unlock(&h->lock);
}

/* Nobody takes anything out for as long as it likes: the ticks go on, and what is lost is counted. */
static void i4_a_main_loop_that_stands_still_delays_no_tick(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	start(h, 20);
	begin_session(h);
	assert_true(waited_for_ticks(h, MANY_TICKS));
	assert_true(control_thread_lost(h->thread) > 0);
	set(h, &h->input.estop, true);
	assert_true(waited_for_ticks(h, 3));
	pthread_mutex_lock(&h->lock);
	assert_true(stands(h));
	pthread_mutex_unlock(&h->lock);
	/* Checkpoints and heartbeats have left room for what matters. */
	assert_true(waited_for_ticks(h, 60));
	bool started = false, raised = false, ended = false;
	size_t count = 0;
	while (control_thread_next(h->thread, &event)) {
		started = started || event.kind == CONTROL_EVENT_SESSION_STARTED;
		raised = raised || (event.kind == CONTROL_EVENT_FAULT_RAISED && event.fault_raised.code == GF_FAULT_ESTOP);
		ended = ended || event.kind == CONTROL_EVENT_SESSION_ENDED;
		count++;
	}
	assert_true(count <= CONTROL_MAILBOX);
	assert_true(started && raised && ended);
}

static void when_the_mailbox_fills_checkpoints_give_way_before_heartbeats(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	size_t progress = 0, beats = 0, place = 0, last_progress = 0, last_beat = 0;
	start(h, 20);
	begin_session(h);
	assert_true(waited_for_ticks(h, MANY_TICKS));
	while (control_thread_next(h->thread, &event)) {
		place++;
		if (event.kind == CONTROL_EVENT_SESSION_PROGRESS) {
			progress++;
			last_progress = place;
		} else if (event.kind == CONTROL_EVENT_TELEMETRY) {
			beats++;
			last_beat = place;
		}
	}
	assert_true(progress > 0 && beats > progress);
	assert_true(last_beat > last_progress);
	assert_true(place < CONTROL_MAILBOX);
	/* And with room again all kinds come again. */
	assert_true(waited_for_ticks(h, 10));
	assert_true(drain(h, CONTROL_EVENT_SESSION_PROGRESS, &event) > 0);
}

/* ---- hardware that doesn't answer ---- */

static void i4_an_unreadable_hardware_is_turned_off(void **state)
{
	struct hardware *h = *state;
	start(h, 0);
	begin_session(h);
	set(h, &h->unreadable, true);
	assert_true(waited_for(h, stands));
	set(h, &h->unreadable, false);
	assert_true(waited_for(h, runs));
}

static void i4_a_write_that_fails_makes_it_safe(void **state)
{
	struct hardware *h = *state;
	start(h, 0);
	begin_session(h);
	set(h, &h->unwritable, true);
	assert_true(waited_for(h, was_made_safe));
}

/* A session that plays to nobody is no session: it ends with a fault that says why. */
static void hardware_that_takes_no_output_is_a_fault(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	bool raised = false, ended = false;
	start(h, 0);
	begin_session(h);
	set(h, &h->unwritable, true);
	for (int i = 0; i < MANY_TICKS && !(raised && ended); i++) {
		assert_true(waited_for_ticks(h, 1));
		while (control_thread_next(h->thread, &event)) {
			raised |= event.kind == CONTROL_EVENT_FAULT_RAISED && event.fault_raised.code == GF_FAULT_COMMS_LOST;
			ended |=
			    event.kind == CONTROL_EVENT_SESSION_ENDED && event.session_ended.outcome == GF_OUTCOME_FAULT_STOPPED;
		}
	}
	assert_true(raised && ended);
}

/* ---- ending ---- */

static void i5_joining_ends_the_session_and_leaves_the_output_off(void **state)
{
	struct hardware *h = *state;
	struct control_event ended;
	start(h, 0);
	begin_session(h);
	control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED);
	/* The thread is gone: no lock is needed any more. */
	assert_true(stands(h));
	assert_true(h->safes > 0);
	assert_int_equal(drain(h, CONTROL_EVENT_SESSION_ENDED, &ended), 1);
	assert_int_equal(ended.session_ended.outcome, GF_OUTCOME_STAFF_STOPPED);
	uint64_t writes = h->writes;
	control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED);
	assert_int_equal(h->writes, writes);
	assert_int_equal(control_thread_ticks(h->thread) + 1, writes);
}

static void i5_freeing_without_a_join_leaves_the_output_off_too(void **state)
{
	struct hardware *h = *state;
	start(h, 0);
	begin_session(h);
	control_thread_free(h->thread);
	h->thread = NULL;
	assert_true(stands(h));
	assert_true(h->safes > 0);
	control_thread_free(NULL);
}

static void joining_a_machine_at_rest_makes_up_no_session(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	start(h, 0);
	assert_true(waited_for_ticks(h, 2));
	control_thread_join(h->thread, GF_OUTCOME_SAFETY_STOPPED);
	assert_int_equal(drain(h, CONTROL_EVENT_SESSION_ENDED, &event), 0);
	assert_int_equal(h->starts, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(it_ticks_and_says_what_happened),
	    TEST(i4_a_main_loop_that_stands_still_delays_no_tick),
	    TEST(when_the_mailbox_fills_checkpoints_give_way_before_heartbeats),
	    TEST(i4_an_unreadable_hardware_is_turned_off),
	    TEST(i4_a_write_that_fails_makes_it_safe),
	    TEST(hardware_that_takes_no_output_is_a_fault),
	    TEST(i5_joining_ends_the_session_and_leaves_the_output_off),
	    TEST(i5_freeing_without_a_join_leaves_the_output_off_too),
	    TEST(joining_a_machine_at_rest_makes_up_no_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
