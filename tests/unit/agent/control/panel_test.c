/* Buttons that bounce, stick, or are only noise. */
#include "agent/control/panel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20 };

static struct rig rig;

static void a_button_held_at_the_start_is_no_press(void **state)
{
	(void)state;
	struct panel panel = {0};
	struct driver_panel now = {.stop = true, .routine = 2};
	for (int i = 0; i < 3; i++) {
		const struct panel_presses pressed = panel_step(&panel, &now, TICK_MS);
		assert_true(!pressed.stop && pressed.routine == 0);
	}
	now = (struct driver_panel){0};
	(void)panel_step(&panel, &now, PANEL_RELEASE_MS);
	now.stop = now.intensity_down = true;
	const struct panel_presses pressed = panel_step(&panel, &now, TICK_MS);
	assert_true(pressed.stop && pressed.intensity == -1);
	assert_false(panel_step(&panel, &now, TICK_MS).stop);
}

static void a_bouncing_button_is_pressed_once(void **state)
{
	(void)state;
	struct panel panel = {0};
	struct driver_panel now = {0};
	int presses = panel_step(&panel, &now, TICK_MS).pain;
	for (int i = 0; i < 20; i++) {
		now.pain = i % 2 == 0;
		presses += panel_step(&panel, &now, TICK_MS).pain;
	}
	assert_int_equal(presses, 1);
	now.pain = false;
	for (int i = 0; i < 6; i++)
		presses += panel_step(&panel, &now, TICK_MS).pain;
	now.pain = true;
	presses += panel_step(&panel, &now, TICK_MS).pain;
	assert_int_equal(presses, 2);
}

static void a_bouncing_pain_button_is_no_second_press(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 5000);
	for (int i = 0; i < 9; i++) {
		rig.input.panel.pain = i % 2 == 0;
		rig_tick(&rig);
	}
	rig.input.panel.pain = false;
	rig_run(&rig, 1000);
	assert_true(output_on(&rig.output));
	assert_null(rig_hit(&rig, "P8", "stop"));
	rig_close(&rig);
}

static void a_request_in_one_reading_starts_nothing(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	for (int i = 0; i < 10; i++) {
		rig.input.panel.routine = i % 2 == 0 ? RIG_PLAIN : RIG_STAFF;
		rig_tick(&rig);
	}
	assert_false(control_in_session(rig.control));
	rig.input.panel.routine = RIG_PLAIN;
	rig_tick(&rig);
	rig_tick(&rig);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

static void a_request_that_stays_starts_one_session(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.panel.routine = RIG_SHORT;
	rig_run(&rig, 20000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 1);
	rig_close(&rig);
}

static void a_stuck_button_stops_the_machine_and_is_named(void **state)
{
	(void)state;
	bool *const buttons[] = {&rig.input.panel.pause, &rig.input.panel.pain, &rig.input.panel.intensity_up};
	static const char *const names[] = {"'pause'", "'pain'", "'up'"};
	for (size_t i = 0; i < 3; i++) {
		rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
		*buttons[i] = false;
		rig_start(&rig, RIG_PLAIN);
		rig_run(&rig, 2000);
		*buttons[i] = true;
		rig_run(&rig, PANEL_STUCK_MS - 1000);
		assert_false(control_faulted(rig.control));
		rig_run(&rig, 1100);
		const struct gf_fault_raised *raised = rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP);
		assert_non_null(raised);
		assert_non_null(strstr(raised->detail, names[i]));
		assert_false(output_on(&rig.output));
		*buttons[i] = false;
		rig_run(&rig, 2000);
		assert_false(control_faulted(rig.control));
		rig_close(&rig);
	}
}

static void a_staff_key_left_in_starts_nothing_of_the_staff_s(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.panel.staff_key = true;
	rig_run(&rig, PANEL_STAFF_HERE_MS - 1000);
	rig_start(&rig, RIG_STAFF);
	assert_true(control_in_session(rig.control));
	rig_press(&rig, &rig.input.panel.stop);
	rig_run(&rig, 2000);
	rig_start(&rig, RIG_STAFF);
	assert_false(control_in_session(rig.control));
	rig.input.panel.staff_key = false;
	rig_run(&rig, 200);
	rig.input.panel.staff_key = true;
	rig_tick(&rig);
	rig_start(&rig, RIG_STAFF);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

static void the_staff_key_may_stay_in(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.panel.staff_key = true;
	rig_run(&rig, 2 * PANEL_STUCK_MS);
	assert_false(control_faulted(rig.control));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_button_held_at_the_start_is_no_press),
	    cmocka_unit_test(a_bouncing_button_is_pressed_once),
	    cmocka_unit_test(a_bouncing_pain_button_is_no_second_press),
	    cmocka_unit_test(a_request_in_one_reading_starts_nothing),
	    cmocka_unit_test(a_request_that_stays_starts_one_session),
	    cmocka_unit_test(a_stuck_button_stops_the_machine_and_is_named),
	    cmocka_unit_test(a_staff_key_left_in_starts_nothing_of_the_staff_s),
	    cmocka_unit_test(the_staff_key_may_stay_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
