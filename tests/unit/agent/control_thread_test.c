/* The control thread on its own clock. */
#include "agent/control_thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/agent/control/rig.h"
#include "tests/unit/agent/hardware.h"

enum { MANY_TICKS = 150 };

/* ---- ticking ---- */

static void it_ticks_and_says_what_happened(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	hardware_start(h, 100);
	hardware_begin_session(h);
	assert_true(hardware_waited_for_ticks(h, 20));
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
	hardware_start(h, 20);
	hardware_begin_session(h);
	assert_true(hardware_waited_for_ticks(h, MANY_TICKS));
	assert_true(control_thread_lost(h->thread) > 0);
	hardware_set(h, &h->input.estop, true);
	assert_true(hardware_waited_for_ticks(h, 3));
	pthread_mutex_lock(&h->lock);
	assert_true(hardware_stands(h));
	pthread_mutex_unlock(&h->lock);
	/* Checkpoints and heartbeats have left room for what matters. */
	assert_true(hardware_waited_for_ticks(h, 60));
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
	hardware_start(h, 20);
	hardware_begin_session(h);
	assert_true(hardware_waited_for_ticks(h, MANY_TICKS));
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
	assert_true(hardware_waited_for_ticks(h, 10));
	assert_true(hardware_drain(h, CONTROL_EVENT_SESSION_PROGRESS, &event) > 0);
}

/* ---- hardware that doesn't answer ---- */

static void i4_an_unreadable_hardware_is_turned_off(void **state)
{
	struct hardware *h = *state;
	hardware_start(h, 0);
	hardware_begin_session(h);
	hardware_set(h, &h->unreadable, true);
	assert_true(hardware_waited_for(h, hardware_stands));
	hardware_set(h, &h->unreadable, false);
	assert_true(hardware_waited_for(h, hardware_runs));
}

static void i4_a_write_that_fails_makes_it_safe(void **state)
{
	struct hardware *h = *state;
	hardware_start(h, 0);
	hardware_begin_session(h);
	hardware_set(h, &h->unwritable, true);
	assert_true(hardware_waited_for(h, hardware_is_safe));
}

/* A session that plays to nobody is no session: it ends with a fault that says why. */
static void hardware_that_takes_no_output_is_a_fault(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	bool raised = false, ended = false;
	hardware_start(h, 0);
	hardware_begin_session(h);
	hardware_set(h, &h->unwritable, true);
	for (int i = 0; i < MANY_TICKS && !(raised && ended); i++) {
		assert_true(hardware_waited_for_ticks(h, 1));
		while (control_thread_next(h->thread, &event)) {
			raised |= event.kind == CONTROL_EVENT_FAULT_RAISED && event.fault_raised.code == GF_FAULT_COMMS_LOST;
			ended |=
			    event.kind == CONTROL_EVENT_SESSION_ENDED && event.session_ended.outcome == GF_OUTCOME_FAULT_STOPPED;
		}
	}
	assert_true(raised && ended);
}

/* ---- a late tick ---- */

static void a_late_tick_is_told_its_time_and_counted(void **state)
{
	struct hardware *h = *state;
	struct control_event beat;
	const uint32_t late_ms = 5 * CONTROL_TICK_MS;
	uint32_t overruns = 0, worst_us = 0;
	hardware_start(h, 200);
	assert_true(hardware_waited_for_ticks(h, 2));
	pthread_mutex_lock(&h->lock);
	h->longest_ms = 0;
	h->late_ms = late_ms;
	pthread_mutex_unlock(&h->lock);
	assert_true(hardware_waited_for_ticks(h, 3));
	pthread_mutex_lock(&h->lock);
	assert_true(h->longest_ms >= late_ms);
	pthread_mutex_unlock(&h->lock);
	for (int i = 0; i < MANY_TICKS && overruns == 0; i++) {
		assert_true(hardware_waited_for_ticks(h, 1));
		if (hardware_drain(h, CONTROL_EVENT_TELEMETRY, &beat) > 0 && beat.heartbeat.tick_overruns > 0) {
			overruns = beat.heartbeat.tick_overruns;
			worst_us = beat.heartbeat.tick_worst_us;
		}
	}
	assert_true(overruns > 0);
	assert_true(worst_us >= (late_ms - CONTROL_TICK_MS) * 1000);
}

/* ---- commands ---- */

static bool tell_storage(struct hardware *h, bool full)
{
	return control_thread_tell(h->thread,
	                           &(struct control_command){.kind = CONTROL_COMMAND_STORAGE, .storage_full = full});
}

/* A full disk is a fault once it has been so for a second. */
static bool storage_fault_comes(struct hardware *h)
{
	struct control_event event;
	for (int i = 0; i < MANY_TICKS; i++) {
		assert_true(hardware_waited_for_ticks(h, 1));
		if (hardware_drain(h, CONTROL_EVENT_FAULT_RAISED, &event) > 0)
			return event.fault_raised.code == GF_FAULT_STORAGE;
	}
	return false;
}

static void a_command_is_carried_out(void **state)
{
	struct hardware *h = *state;
	hardware_start(h, 0);
	assert_true(tell_storage(h, true));
	assert_true(storage_fault_comes(h));
}

static void a_running_session_is_stopped_by_a_command(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	const struct control_command stop = {.kind = CONTROL_COMMAND_STOP, .outcome = GF_OUTCOME_STAFF_STOPPED};
	hardware_start(h, 0);
	hardware_begin_session(h);
	assert_true(control_thread_tell(h->thread, &stop));
	assert_true(hardware_waited_for(h, hardware_stands));
	assert_true(hardware_waited_for_ticks(h, 2));
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_SESSION_ENDED, &event), 1);
	assert_int_equal(event.session_ended.outcome, GF_OUTCOME_STAFF_STOPPED);
}

static void limits_are_set_by_a_command(void **state)
{
	struct hardware *h = *state;
	struct control_command limits = {.kind = CONTROL_COMMAND_LIMITS, .limits = {.locked = true}};
	hardware_start(h, 0);
	assert_true(hardware_waited_for_ticks(h, 2));
	assert_true(control_thread_tell(h->thread, &limits));
	assert_true(hardware_waited_for_ticks(h, 2));
	hardware_ask_for(h, RIG_PLAIN);
	assert_true(hardware_waited_for_ticks(h, 10));
	pthread_mutex_lock(&h->lock);
	assert_int_equal(h->starts, 0);
	pthread_mutex_unlock(&h->lock);
	hardware_ask_for(h, 0);
	limits.limits.locked = false;
	assert_true(control_thread_tell(h->thread, &limits));
	hardware_begin_session(h);
}

/* A control thread that takes none: no more of them than there is room for; the last that found room counts once it goes on. */
static void commands_without_room_are_refused(void **state)
{
	struct hardware *h = *state;
	hardware_start(h, 0);
	hardware_hold(h);
	for (int i = 0; i < CONTROL_COMMANDS; i++)
		assert_true(tell_storage(h, i % 2 == 0));
	assert_false(tell_storage(h, true));
	assert_false(tell_storage(h, true));
	hardware_let_go(h);
	assert_false(storage_fault_comes(h));
	assert_true(tell_storage(h, true));
	assert_true(storage_fault_comes(h));
}

/* ---- another catalog ---- */

static bool tell_catalog(struct hardware *h, const struct gf_catalog *catalog)
{
	return control_thread_tell(h->thread,
	                           &(struct control_command){.kind = CONTROL_COMMAND_CATALOG, .catalog = catalog});
}

static void a_catalog_is_taken_once_the_session_has_ended(void **state)
{
	struct hardware *h = *state;
	struct gf_catalog other = *rig_catalog(GF_CLASS_CHAIR);
	struct control_event event;
	const struct control_command stop = {.kind = CONTROL_COMMAND_STOP, .outcome = GF_OUTCOME_STAFF_STOPPED};
	hardware_start(h, 0);
	hardware_begin_session(h);
	assert_true(tell_catalog(h, &other));
	assert_true(hardware_waited_for_ticks(h, 5));
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_CATALOG, &event), 0);
	hardware_ask_for(h, 0);
	assert_true(control_thread_tell(h->thread, &stop));
	assert_true(hardware_waited_for_ticks(h, 4));
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_CATALOG, &event), 1);
	assert_ptr_equal(event.catalog, &other);
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED), 0);
}

/* The main loop waits for this event to free the old catalog: whatever else finds no room, this comes. */
static void that_a_catalog_was_taken_is_told_however_full_the_mailbox_is(void **state)
{
	struct hardware *h = *state;
	struct gf_catalog others[CONTROL_MAILBOX + 8];
	struct control_event event;
	size_t heard = 0;
	const struct gf_catalog *last = NULL;
	hardware_start(h, 0);
	/* A catalog a tick, and nobody takes anything out. */
	for (int i = 0; i < CONTROL_MAILBOX + 8; i++) {
		others[i] = *rig_catalog(GF_CLASS_CHAIR);
		assert_true(tell_catalog(h, &others[i]));
		assert_true(hardware_waited_for_ticks(h, 2));
	}
	for (int i = 0; i < 3; i++) {
		while (control_thread_next(h->thread, &event)) {
			heard += event.kind == CONTROL_EVENT_CATALOG ? 1 : 0;
			last = event.kind == CONTROL_EVENT_CATALOG ? event.catalog : last;
		}
		assert_true(hardware_waited_for_ticks(h, 2));
	}
	assert_true(heard < CONTROL_MAILBOX + 8);
	assert_ptr_equal(last, &others[CONTROL_MAILBOX + 7]);
	assert_int_equal(control_thread_lost(h->thread), 0);
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED), 0);
}

/* ---- ending ---- */

static void i5_joining_ends_the_session_and_leaves_the_output_off(void **state)
{
	struct hardware *h = *state;
	struct control_event ended;
	hardware_start(h, 0);
	hardware_begin_session(h);
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED), 0);
	/* The thread is gone: no lock is needed any more. */
	assert_true(hardware_stands(h));
	assert_true(h->safes > 0);
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_SESSION_ENDED, &ended), 1);
	assert_int_equal(ended.session_ended.outcome, GF_OUTCOME_STAFF_STOPPED);
	uint64_t writes = h->writes;
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_STAFF_STOPPED), 0);
	assert_int_equal(h->writes, writes);
	assert_int_equal(control_thread_ticks(h->thread) + 1, writes);
}

static void i5_freeing_without_a_join_leaves_the_output_off_too(void **state)
{
	struct hardware *h = *state;
	hardware_start(h, 0);
	hardware_begin_session(h);
	control_thread_free(h->thread);
	h->thread = NULL;
	assert_true(hardware_stands(h));
	assert_true(h->safes > 0);
	control_thread_free(NULL);
}

static void joining_a_machine_at_rest_makes_up_no_session(void **state)
{
	struct hardware *h = *state;
	struct control_event event;
	hardware_start(h, 0);
	assert_true(hardware_waited_for_ticks(h, 2));
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_SAFETY_STOPPED), 0);
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_SESSION_ENDED, &event), 0);
	assert_int_equal(h->starts, 0);
}

/* A driver that doesn't come back must not keep the agent from ending; and who has it still in its hands loses nothing. */
static void i5_a_thread_that_hangs_is_left_alone_after_a_while(void **state)
{
	struct hardware *h = *state;
	struct control_event ended;
	hardware_start(h, 0);
	hardware_begin_session(h);
	hardware_hold(h);
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_SAFETY_STOPPED), CONTROL_THREAD_E_HANGS);
	assert_string_equal(control_thread_doing(h->thread), "in the driver's read");
	control_thread_free(h->thread);
	hardware_let_go(h);
	/* It ends as soon as it can, as it was told. */
	assert_int_equal(control_thread_join(h->thread, GF_OUTCOME_COMPLETED), 0);
	assert_true(h->safes > 0);
	assert_int_equal(hardware_drain(h, CONTROL_EVENT_SESSION_ENDED, &ended), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_setup, hardware_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(it_ticks_and_says_what_happened),
	    TEST(i4_a_main_loop_that_stands_still_delays_no_tick),
	    TEST(when_the_mailbox_fills_checkpoints_give_way_before_heartbeats),
	    TEST(i4_an_unreadable_hardware_is_turned_off),
	    TEST(i4_a_write_that_fails_makes_it_safe),
	    TEST(hardware_that_takes_no_output_is_a_fault),
	    TEST(a_late_tick_is_told_its_time_and_counted),
	    TEST(a_command_is_carried_out),
	    TEST(a_running_session_is_stopped_by_a_command),
	    TEST(limits_are_set_by_a_command),
	    TEST(commands_without_room_are_refused),
	    TEST(a_catalog_is_taken_once_the_session_has_ended),
	    TEST(that_a_catalog_was_taken_is_told_however_full_the_mailbox_is),
	    TEST(i5_joining_ends_the_session_and_leaves_the_output_off),
	    TEST(i5_freeing_without_a_join_leaves_the_output_off_too),
	    TEST(joining_a_machine_at_rest_makes_up_no_session),
	    TEST(i5_a_thread_that_hangs_is_left_alone_after_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
