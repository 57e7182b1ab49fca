/* Limits from outside, and what a real machine adds: travel, heat, a controller's own faults, late ticks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

static struct rig rig;

static void play(void)
{
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 20000);
	assert_true(rig.output.intensity_pct > 39);
}

static void i3_limits_never_widen_the_envelope(void **state)
{
	(void)state;
	struct control_envelope e;
	control_envelope_defaults(GF_CLASS_CHAIR, &e);
	e.heat_max_c = 38;
	const float wide[] = {0, -1, NAN, INFINITY, 1e30F, 200};
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		const struct control_limits limits = {.intensity_max_pct = wide[i],
		                                      .frequency_max_hz = wide[i],
		                                      .pressure_max_mmhg = wide[i],
		                                      .heat_max_c = wide[i],
		                                      .session_max_ms = UINT32_MAX};
		const struct control_envelope tight = control_envelope_tighten(&e, &limits);
		assert_memory_equal(&tight, &e, sizeof(e));
	}
	const struct control_limits limits = {.intensity_max_pct = 50,
	                                      .frequency_max_hz = 5,
	                                      .pressure_max_mmhg = 60,
	                                      .heat_max_c = 35,
	                                      .session_max_ms = 60000};
	const struct control_envelope tight = control_envelope_tighten(&e, &limits);
	assert_true(tight.intensity_max_pct == 50 && tight.frequency_max_hz == 5 && tight.pressure_max_mmhg == 60);
	assert_true(tight.heat_max_c == 35 && tight.session_max_ms == 60000);
	e.session_max_ms = 0;
	assert_int_equal(control_envelope_tighten(&e, &limits).session_max_ms, 60000);
}

static void a_limit_holds_from_the_next_tick_on(void **state)
{
	(void)state;
	play();
	control_set_limits(rig.control, &(struct control_limits){.intensity_max_pct = 20});
	rig_tick(&rig);
	assert_true(rig.output.intensity_pct <= 20);
	control_set_limits(rig.control, &(struct control_limits){0});
	rig_run(&rig, 1000);
	assert_true(rig.output.intensity_pct > 20 && rig.output.intensity_pct < 22);
	rig_close(&rig);
}

static void a_locked_machine_plays_to_the_end_and_starts_nothing(void **state)
{
	(void)state;
	play();
	control_set_limits(rig.control, &(struct control_limits){.locked = true});
	rig_run(&rig, RIG_PLAIN_S * 1000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	rig_start(&rig, RIG_PLAIN);
	assert_false(control_in_session(rig.control));
	control_set_limits(rig.control, &(struct control_limits){0});
	rig_tick(&rig);
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

static void a_stop_from_outside_ends_the_session_with_the_next_step(void **state)
{
	(void)state;
	play();
	control_stop(rig.control, GF_OUTCOME_STAFF_STOPPED);
	rig_tick(&rig);
	assert_int_equal(rig.output.command, DRIVER_STOP);
	rig_tick(&rig);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_STAFF_STOPPED);
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

static void an_end_stop_that_is_not_seen_stops_the_machine(void **state)
{
	(void)state;
	static const uint32_t after_ms[DRIVER_AXIS_COUNT] = {[DRIVER_AXIS_CARRIAGE] = 42000, [DRIVER_AXIS_RECLINE] = 30000};
	for (int axis = 0; axis < DRIVER_AXIS_COUNT; axis++) {
		play();
		rig.input.axes[axis] = (struct driver_axis){.present = true, .there = false};
		rig_run(&rig, after_ms[axis] - 100);
		assert_true(output_on(&rig.output));
		rig_run(&rig, 200);
		assert_false(output_on(&rig.output));
		assert_non_null(rig_fault(&rig, GF_FAULT_ENDSTOP_TIMEOUT, GF_SEVERITY_STOP));
		rig.input.axes[axis].there = true;
		rig_run(&rig, 2000);
		assert_true(rig_cleared(&rig, GF_FAULT_ENDSTOP_TIMEOUT));
		rig.input.axes[axis] = (struct driver_axis){0};
		rig_close(&rig);
	}
}

static void i4_a_fault_of_the_controller_turns_off_at_once(void **state)
{
	(void)state;
	play();
	rig.input.fault = GF_FAULT_LEAK;
	rig_tick(&rig);
	assert_false(output_on(&rig.output));
	assert_non_null(rig_fault(&rig, GF_FAULT_LEAK, GF_SEVERITY_STOP));
	rig.input.fault = GF_FAULT_UNSPECIFIED;
	rig_run(&rig, 2000);
	assert_true(rig_cleared(&rig, GF_FAULT_LEAK));
	rig_close(&rig);
}

static void a_tick_that_comes_late_is_a_fault_that_stops_nobody(void **state)
{
	(void)state;
	play();
	struct control_config config = rig.config;
	rig_close(&rig);
	config.tick_ms = 20;
	rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 1000);
	rig.now_ms += 90;
	rig_tick(&rig);
	assert_null(rig_fault(&rig, GF_FAULT_WATCHDOG, GF_SEVERITY_INFO));
	rig.now_ms += 250;
	rig_tick(&rig);
	const struct gf_fault_raised *late = rig_fault(&rig, GF_FAULT_WATCHDOG, GF_SEVERITY_INFO);
	assert_non_null(late);
	assert_true(late->observed == 250);
	assert_true(output_on(&rig.output));
	rig_run(&rig, 61000);
	assert_true(rig_cleared(&rig, GF_FAULT_WATCHDOG));
	rig_close(&rig);
}

static void i3_heat_is_on_only_while_it_runs_and_nothing_is_warm(void **state)
{
	(void)state;
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR), .heat_c = 60};
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.heat_max_c = 38;
	rig.tick_ms = 20;
	rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
	assert_true(rig.output.heat_c == 0);
	rig_start(&rig, RIG_PLAIN);
	rig_tick(&rig);
	assert_true(rig.output.heat_c == 38);
	rig_reach(&rig, GF_SENSOR_SURFACE_TEMP_C, 42);
	assert_true(rig.output.heat_c == 0);
	rig_reach(&rig, GF_SENSOR_SURFACE_TEMP_C, 30);
	rig_press(&rig, &rig.input.panel.pause);
	assert_true(rig.output.heat_c == 0);
	rig_close(&rig);
}

static void less_intensity_is_less_pressure(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_COMPRESSION, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 20000);
	assert_true(rig.output.pressure_mmhg > 39);
	const float before = rig.output.pressure_mmhg / rig.output.intensity_pct;
	rig_press(&rig, &rig.input.panel.pain);
	assert_true(rig.output.intensity_pct <= 30 && rig.output.pressure_mmhg <= 30 * before + 0.01F);
	assert_true(rig.output.pressure_mmhg > 25);
	rig_close(&rig);
}

static void down_never_means_off(void **state)
{
	(void)state;
	play();
	control_set_limits(rig.control, &(struct control_limits){.intensity_max_pct = 15});
	for (int i = 0; i < 30; i++)
		rig_press(&rig, &rig.input.panel.intensity_down);
	assert_true(output_on(&rig.output));
	rig_close(&rig);
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_SHORT);
	for (int i = 0; i < 10; i++)
		rig_press(&rig, &rig.input.panel.intensity_down);
	assert_true(rig.output.intensity_pct == 5);
	rig_close(&rig);
}

static void the_rest_of_the_step_is_told(void **state)
{
	(void)state;
	play();
	assert_true(rig.output.step_left_ms <= 10000 && rig.output.step_left_ms > 9000);
	assert_true(rig.output.ramp_pct_s == 1);
	rig_press(&rig, &rig.input.panel.stop);
	assert_int_equal(rig.output.step_left_ms, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i3_limits_never_widen_the_envelope),
	    cmocka_unit_test(a_limit_holds_from_the_next_tick_on),
	    cmocka_unit_test(a_locked_machine_plays_to_the_end_and_starts_nothing),
	    cmocka_unit_test(a_stop_from_outside_ends_the_session_with_the_next_step),
	    cmocka_unit_test(an_end_stop_that_is_not_seen_stops_the_machine),
	    cmocka_unit_test(i4_a_fault_of_the_controller_turns_off_at_once),
	    cmocka_unit_test(a_tick_that_comes_late_is_a_fault_that_stops_nobody),
	    cmocka_unit_test(i3_heat_is_on_only_while_it_runs_and_nothing_is_warm),
	    cmocka_unit_test(less_intensity_is_less_pressure),
	    cmocka_unit_test(down_never_means_off),
	    cmocka_unit_test(the_rest_of_the_step_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
