/* Odd moments: people who try what they may not, hardware that flickers, and numbers that run for months. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/guard.h"
#include "agent/control/panel.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20, MINUTE_MS = 60 * 1000, HOUR_MS = 3600 * 1000 };

static struct rig rig;

/* --- odd moments ------------------------------------------------------------------------------------------------- */

static void a_stop_in_the_tick_of_a_start_stops_nothing(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.panel.routine = RIG_SHORT;
	rig_tick(&rig);
	control_stop(rig.control, GF_OUTCOME_STAFF_STOPPED);
	rig_tick(&rig);
	rig_run(&rig, 8000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	assert_in_range(rig_ended(&rig)->duration_ms, 5000, 5000 + 2 * TICK_MS);
	rig_close(&rig);
}

static void i4_nothing_starts_in_the_tick_of_an_emergency_stop(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.panel.routine = RIG_SHORT;
	rig_tick(&rig);
	rig.input.estop = true;
	rig_tick(&rig);
	assert_false(control_in_session(rig.control));
	assert_int_equal(rig.output.command, DRIVER_IDLE);
	rig_close(&rig);
}

static void a_reading_lost_as_a_session_ends_loses_nothing_of_it(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig_start(&rig, RIG_SHORT);
	while (rig.output.command == DRIVER_START)
		rig_tick(&rig);
	rig.readable = false;
	rig_run(&rig, 5000);
	rig.readable = true;
	rig_run(&rig, 5000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_ENDED), 1);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_ended(&rig)->duration_ms, 5000);
	assert_int_equal(rig_ended(&rig)->motor_ms, 5000);
	rig_close(&rig);
}

/* --- the staff key ----------------------------------------------------------------------------------------------- */

/* Three over-currents. */
static void latch(void)
{
	for (int i = 0; i < 3; i++) {
		rig.input.sensors[GF_SENSOR_CURRENT_MA] = 9000;
		rig_run(&rig, 1000);
		rig.input.sensors[GF_SENSOR_CURRENT_MA] = 800;
		rig_run(&rig, 2 * MINUTE_MS);
	}
	assert_non_null(rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH));
}

static void a_key_that_was_left_in_clears_nothing_after_a_restart(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	latch();
	rig.input.panel.staff_key = true;
	rig_tick(&rig);
	const struct control_resume resume = {.next_fault_no = 50, .memory = rig.events[rig.count - 1].memory};
	const struct control_config config = rig.config;
	control_free(rig.control);
	assert_int_equal(control_new(&config, &resume, rig.now_ms, &rig.control), 0);
	rig_run(&rig, 2 * PANEL_STAFF_HOLD_MS);
	assert_true(control_faulted(rig.control));
	rig.input.panel.staff_key = false;
	rig_run(&rig, 1000);
	rig.input.panel.staff_key = true;
	rig_run(&rig, PANEL_STAFF_HOLD_MS + 100);
	assert_false(control_faulted(rig.control));
	rig_close(&rig);
}

static void a_key_that_stays_in_for_months_clears_once(void **state)
{
	(void)state;
	struct panel panel = {0};
	struct driver_panel now = {0};
	int cleared = 0;
	(void)panel_step(&panel, &now, TICK_MS);
	now.staff_key = now.pain = true;
	for (int64_t s = 0; s < 120LL * 24 * 3600; s += 2)
		cleared += panel_step(&panel, &now, 2000).staff_clear ? 1 : 0;
	assert_int_equal(cleared, 1);
	assert_string_equal(panel_stuck(&panel), "pain");
	/* The counters never go round. */
	panel.contacts[PANEL_STAFF].held_ms = panel.contacts[PANEL_PAIN].held_ms = UINT32_MAX - 1000;
	for (int i = 0; i < 5; i++) {
		assert_false(panel_step(&panel, &now, 2000).staff_clear);
		assert_string_equal(panel_stuck(&panel), "pain");
	}
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static void less_pressure_by_a_limit_is_no_overpressure(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_COMPRESSION, TICK_MS);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 25000);
	const float before = rig.input.sensors[GF_SENSOR_PRESSURE_MMHG];
	assert_true(before > 30);
	const struct control_limits limits = {.pressure_max_mmhg = 10};
	control_set_limits(rig.control, &limits);
	/* Air takes a moment to leave. */
	rig.has_pressure = false;
	for (float mmhg = before; mmhg > 10; mmhg -= 0.5F) {
		rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = mmhg;
		rig_tick(&rig);
		assert_true(rig.output.pressure_mmhg <= 10);
	}
	assert_null(rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP));
	assert_true(output_on(&rig.output));
	rig_close(&rig);
}

static void i3_limits_that_change_with_each_tick_make_no_jump(void **state)
{
	(void)state;
	static const struct control_limits tight = {.intensity_max_pct = 12}, none = {0};
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig_start(&rig, RIG_PLAIN);
	struct driver_output before = rig.output;
	for (int i = 0; i < 120 * 1000 / TICK_MS; i++) {
		control_set_limits(rig.control, i / 3 % 2 == 0 ? &tight : &none);
		rig_tick(&rig);
		const bool goes_on = output_on(&before) && output_same_spot(&before, &rig.output);
		const float most = goes_on ? before.intensity_pct + TICK_MS / 1000.0F : 30;
		assert_true(rig.output.intensity_pct <= most + 0.001F);
		before = rig.output;
	}
	assert_null(rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stop_in_the_tick_of_a_start_stops_nothing),
	    cmocka_unit_test(i4_nothing_starts_in_the_tick_of_an_emergency_stop),
	    cmocka_unit_test(a_reading_lost_as_a_session_ends_loses_nothing_of_it),
	    cmocka_unit_test(a_key_that_was_left_in_clears_nothing_after_a_restart),
	    cmocka_unit_test(a_key_that_stays_in_for_months_clears_once),
	    cmocka_unit_test(less_pressure_by_a_limit_is_no_overpressure),
	    cmocka_unit_test(i3_limits_that_change_with_each_tick_make_no_jump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
