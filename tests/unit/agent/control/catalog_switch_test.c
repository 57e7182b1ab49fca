/* Another catalog for a machine that plays. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20 };

/* Version 99, with the first routine of the rig's catalog alone; its title tells them apart. */
static struct gf_catalog other_catalog(enum gf_class class)
{
	struct gf_catalog other = *rig_catalog(class);
	other.version = 99;
	other.routines_count = 1;
	return other;
}

static const struct control_event *switched(const struct rig *rig)
{
	return rig_event(rig, CONTROL_EVENT_CATALOG, 0);
}

static uint64_t started_version(const struct rig *rig, size_t n)
{
	const struct control_event *event = rig_event(rig, CONTROL_EVENT_SESSION_STARTED, n);
	assert_non_null(event);
	return event->session_started.catalog_version;
}

static void a_machine_at_rest_takes_a_new_catalog_with_the_next_tick(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog other = other_catalog(GF_CLASS_CHAIR);
	rig_run(&rig, 1000);
	assert_null(switched(&rig));
	control_set_catalog(rig.control, &other);
	rig_tick(&rig);
	assert_non_null(switched(&rig));
	assert_ptr_equal(switched(&rig)->catalog, &other);
	assert_int_equal(switched(&rig)->mono_ms, rig.now_ms);
	rig_start(&rig, RIG_PLAIN);
	assert_int_equal(started_version(&rig, 0), 99);
	rig_run(&rig, 5000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_CATALOG), 1);
	rig_close(&rig);
}

static void a_session_is_played_to_its_end_with_the_catalog_it_began_with(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog other = other_catalog(GF_CLASS_CHAIR);
	const uint64_t version = rig_catalog(GF_CLASS_CHAIR)->version;
	rig_start(&rig, RIG_PLAIN);
	control_set_catalog(rig.control, &other);
	rig_run(&rig, (RIG_PLAIN_S - 5) * 1000);
	assert_null(switched(&rig));
	rig_run(&rig, 10000);
	assert_non_null(switched(&rig));
	assert_int_equal(started_version(&rig, 0), version);
	assert_int_equal(rig_ended(&rig)->start.catalog_version, version);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	assert_true(switched(&rig)->mono_ms >= rig_event(&rig, CONTROL_EVENT_SESSION_ENDED, 0)->mono_ms);
	rig_close(&rig);
}

/* Somebody holds the start button through the end of a session: what begins is of the new catalog. */
static void no_session_begins_with_the_old_one_once_nobody_is_on_it(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog other = other_catalog(GF_CLASS_CHAIR);
	rig_start(&rig, RIG_SHORT);
	control_set_catalog(rig.control, &other);
	while (rig_count(&rig, CONTROL_EVENT_SESSION_STARTED) < 2 && rig.now_ms < 600000) {
		rig.input.panel.routine = RIG_PLAIN;
		rig_tick(&rig);
		rig_tick(&rig);
		rig.input.panel.routine = 0;
		rig_tick(&rig);
	}
	assert_int_equal(started_version(&rig, 0), rig_catalog(GF_CLASS_CHAIR)->version);
	assert_int_equal(started_version(&rig, 1), 99);
	rig_close(&rig);
}

static void a_routine_that_the_new_catalog_has_not_is_not_started(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog other = other_catalog(GF_CLASS_CHAIR);
	control_set_catalog(rig.control, &other);
	rig_tick(&rig);
	rig_start(&rig, RIG_SHORT);
	rig_run(&rig, 1000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 0);
	assert_int_equal(rig.output.command, DRIVER_IDLE);
	rig_start(&rig, RIG_PLAIN);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 1);
	rig_close(&rig);
}

static void of_two_that_wait_the_second_is_taken(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog first = other_catalog(GF_CLASS_CHAIR), second = first;
	rig_start(&rig, RIG_PLAIN);
	control_set_catalog(rig.control, &first);
	control_set_catalog(rig.control, &second);
	memset(&first, 0xff, sizeof(first));
	control_stop(rig.control, GF_OUTCOME_STAFF_STOPPED);
	rig_run(&rig, 2000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_CATALOG), 1);
	assert_ptr_equal(switched(&rig)->catalog, &second);
	rig_close(&rig);
}

static void a_machine_that_had_none_plays_from_then_on(void **state)
{
	static struct rig rig;
	static const struct control_resume resume = {.next_fault_no = 1};
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct control_config config = rig.config;
	config.catalog = NULL;
	rig_close(&rig);
	rig_open_with(&rig, &config, &resume);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 1000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 0);
	control_set_catalog(rig.control, rig_catalog(GF_CLASS_CHAIR));
	rig_start(&rig, RIG_PLAIN);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 1);
	rig_close(&rig);
}

/* Nobody can press anything, but nothing plays either. */
static void it_is_taken_while_the_hardware_cannot_be_read(void **state)
{
	static struct rig rig;
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	struct gf_catalog other = other_catalog(GF_CLASS_CHAIR);
	rig.readable = false;
	control_set_catalog(rig.control, &other);
	rig_tick(&rig);
	assert_non_null(switched(&rig));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_machine_at_rest_takes_a_new_catalog_with_the_next_tick),
	    cmocka_unit_test(a_session_is_played_to_its_end_with_the_catalog_it_began_with),
	    cmocka_unit_test(no_session_begins_with_the_old_one_once_nobody_is_on_it),
	    cmocka_unit_test(a_routine_that_the_new_catalog_has_not_is_not_started),
	    cmocka_unit_test(of_two_that_wait_the_second_is_taken),
	    cmocka_unit_test(a_machine_that_had_none_plays_from_then_on),
	    cmocka_unit_test(it_is_taken_while_the_hardware_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
