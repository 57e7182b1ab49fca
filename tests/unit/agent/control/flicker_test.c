/* Hardware that comes and goes: no motor that pulses, no flood of records, no strike that isn't counted or counts twice. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20, MINUTE_MS = 60 * 1000, HOUR_MS = 3600 * 1000 };

static struct rig rig;

static void play(enum gf_class class)
{
	rig_open(&rig, class, TICK_MS);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 3000);
	assert_true(output_on(&rig.output));
}

/* --- what flickers ----------------------------------------------------------------------------------------------- */

static void what_is_there_more_than_away_is_there(void **state)
{
	(void)state;
	/* Ticks on and off, and whether that is over-current in the end. */
	static const struct {
		int on, off;
		bool stops;
	} cases[] = {{2, 1, true}, {3, 1, true}, {20, 13, true}, {1, 1, false}, {13, 14, false}, {1, 2, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(GF_CLASS_CHAIR);
		for (int t = 0; t < 5000 / TICK_MS; t++) {
			const bool on = t % (cases[i].on + cases[i].off) < cases[i].on;
			rig.input.sensors[GF_SENSOR_CURRENT_MA] = on ? 9000 : 900;
			rig_tick(&rig);
		}
		const bool stopped = rig_fault(&rig, GF_FAULT_OVERCURRENT, GF_SEVERITY_STOP) != NULL;
		if (stopped != cases[i].stops)
			fail_msg("%d ticks on, %d off", cases[i].on, cases[i].off);
		rig_close(&rig);
	}
}

/* Lost for `lost_ms` and back for `back_ms`, for an hour; how often the motor began. */
static unsigned starts_while_flapping(int64_t lost_ms, int64_t back_ms)
{
	unsigned starts = 0;
	for (const int64_t end_ms = rig.now_ms + HOUR_MS; rig.now_ms < end_ms;) {
		const bool was_on = output_on(&rig.output);
		const int64_t phase_ms = (rig.now_ms - end_ms + HOUR_MS) % (lost_ms + back_ms);
		rig.readable = phase_ms >= lost_ms;
		rig_tick(&rig);
		assert_true(rig.readable || !output_on(&rig.output));
		starts += !was_on && output_on(&rig.output) ? 1 : 0;
	}
	return starts;
}

static void i4_a_bus_that_flaps_is_lost_and_pulses_no_motor(void **state)
{
	(void)state;
	static const int64_t cases[][2] = {{200, 200}, {20, 20}, {100, 500}, {20, 900}, {320, 1020}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(GF_CLASS_CHAIR);
		const unsigned starts = starts_while_flapping(cases[i][0], cases[i][1]);
		assert_non_null(rig_fault(&rig, GF_FAULT_COMMS_LOST, GF_SEVERITY_STOP));
		assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_ENDED), 1);
		assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_FAULT_STOPPED);
		assert_true(starts <= 15);
		rig_close(&rig);
	}
}

static void i4_a_sensor_that_flaps_hides_no_overcurrent(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	for (int t = 0; t < 2200 / TICK_MS; t++) {
		rig.input.sensors[GF_SENSOR_CURRENT_MA] = t % 2 == 0 ? 9000 : NAN;
		rig_tick(&rig);
	}
	assert_non_null(rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP));
	assert_false(output_on(&rig.output));
	rig_close(&rig);
}

static void a_silence_now_and_then_is_no_fault(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	for (int i = 0; i < 30; i++) {
		rig.readable = false;
		rig_run(&rig, 100);
		rig.readable = true;
		rig_run(&rig, 1500);
	}
	assert_null(rig_fault(&rig, GF_FAULT_COMMS_LOST, GF_SEVERITY_STOP));
	assert_true(output_on(&rig.output));
	rig_close(&rig);
}

/* Switched off hot, and on again the next morning. */
static void what_cooled_while_nobody_looked_has_not_jumped(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 58);
	rig.readable = false;
	rig_run(&rig, 2 * MINUTE_MS);
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 20;
	rig.readable = true;
	rig_run(&rig, 5000);
	assert_null(rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP));
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 58);
	rig.now_ms += HOUR_MS;
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 20;
	rig_run(&rig, 5000);
	assert_null(rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP));
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 58;
	rig_run(&rig, 5000);
	assert_non_null(rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP));
	rig_close(&rig);
}

/* --- how much it says -------------------------------------------------------------------------------------------- */

static size_t fault_records(void)
{
	return rig_count(&rig, CONTROL_EVENT_FAULT_RAISED) + rig_count(&rig, CONTROL_EVENT_FAULT_CLEARED);
}

static void i8_a_fault_that_comes_back_all_day_is_told_now_and_then(void **state)
{
	(void)state;
	bool *const contacts[] = {&rig.input.estop, &rig.input.cover_open, &rig.readable};
	for (size_t i = 0; i < 3; i++) {
		rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
		for (const int64_t end_ms = rig.now_ms + HOUR_MS; rig.now_ms < end_ms;) {
			*contacts[i] = !*contacts[i];
			rig_run(&rig, 1100);
		}
		assert_true(fault_records() >= 2 && fault_records() <= 150);
		/* What has been quiet for long is told at once again, and is over as soon as ever. */
		rig.input.estop = rig.input.cover_open = false;
		rig.readable = true;
		rig_run(&rig, 20 * MINUTE_MS);
		assert_false(control_faulted(rig.control));
		rig_forget(&rig);
		rig.input.estop = true;
		rig_run(&rig, 100);
		rig.input.estop = false;
		rig_run(&rig, 1100);
		assert_int_equal(fault_records(), 2);
		assert_false(control_faulted(rig.control));
		rig_close(&rig);
	}
}

/* --- strikes ----------------------------------------------------------------------------------------------------- */

static bool latched(enum gf_fault code)
{
	return rig_fault(&rig, code, GF_SEVERITY_LATCH) != NULL;
}

static void what_the_controller_says_is_a_strike_too(void **state)
{
	(void)state;
	static const struct {
		enum gf_fault said, latches;
	} cases[] = {
	    {GF_FAULT_OVERCURRENT, GF_FAULT_STALL},
	    {GF_FAULT_STALL, GF_FAULT_STALL},
	    {GF_FAULT_OVERTEMP_MOTOR, GF_FAULT_OVERTEMP_MOTOR},
	    {GF_FAULT_OVERTEMP_SURFACE, GF_FAULT_OVERTEMP_MOTOR},
	    {GF_FAULT_OVERPRESSURE, GF_FAULT_OVERPRESSURE},
	    {GF_FAULT_ENDSTOP_TIMEOUT, GF_FAULT_ENDSTOP_TIMEOUT},
	    {GF_FAULT_ESTOP, GF_FAULT_UNSPECIFIED},
	    {GF_FAULT_WATCHDOG, GF_FAULT_UNSPECIFIED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
		for (int n = 0; n < 3; n++) {
			assert_false(control_faulted(rig.control));
			rig.input.fault = cases[i].said;
			rig_run(&rig, 500);
			rig.input.fault = GF_FAULT_UNSPECIFIED;
			rig_run(&rig, 2 * MINUTE_MS);
		}
		assert_true(control_faulted(rig.control) == (cases[i].latches != GF_FAULT_UNSPECIFIED));
		if (cases[i].latches != GF_FAULT_UNSPECIFIED)
			assert_true(latched(cases[i].latches));
		rig_close(&rig);
	}
}

static void i4_another_code_of_the_controller_is_another_fault(void **state)
{
	(void)state;
	static const enum gf_fault codes[] = {GF_FAULT_ESTOP, GF_FAULT_OVERCURRENT, GF_FAULT_STALL};
	play(GF_CLASS_CHAIR);
	for (size_t i = 0; i < 3; i++) {
		rig.input.fault = codes[i];
		for (int t = 0; t < 20000 / TICK_MS; t++) {
			rig.input.panel.routine = t % 3 == 0 ? 0 : RIG_SHORT;
			rig_tick(&rig);
			assert_false(output_on(&rig.output));
		}
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rig_event(&rig, CONTROL_EVENT_FAULT_RAISED, i)->fault_raised.code, codes[i]);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 3);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 1);
	rig_close(&rig);
}

/* The controller and two of our own rules see one jam. */
static void one_incident_is_one_strike(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	for (int n = 0; n < 2; n++) {
		rig_start(&rig, RIG_PLAIN);
		rig_run(&rig, 3000);
		assert_true(output_on(&rig.output));
		rig.input.sensors[GF_SENSOR_CURRENT_MA] = 9000;
		rig.input.sensors[GF_SENSOR_SPEED_RPM] = 0;
		rig_run(&rig, 200);
		rig.input.fault = GF_FAULT_OVERCURRENT;
		rig_run(&rig, 3000);
		rig.input.fault = GF_FAULT_UNSPECIFIED;
		rig.input.sensors[GF_SENSOR_CURRENT_MA] = 800;
		rig.input.sensors[GF_SENSOR_SPEED_RPM] = 1500;
		rig_run(&rig, 2 * MINUTE_MS);
		assert_false(latched(GF_FAULT_STALL));
	}
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 4);
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

/* Near its stop limit a motor gets so little that it may stand still: that is no jam. */
static void a_motor_that_is_given_nothing_has_not_stalled(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 69.5F);
	rig.input.sensors[GF_SENSOR_SPEED_RPM] = 0;
	rig_run(&rig, 5000);
	assert_true(rig.output.intensity_pct < 5);
	assert_null(rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_STOP));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_there_more_than_away_is_there),
	    cmocka_unit_test(i4_a_bus_that_flaps_is_lost_and_pulses_no_motor),
	    cmocka_unit_test(i4_a_sensor_that_flaps_hides_no_overcurrent),
	    cmocka_unit_test(a_silence_now_and_then_is_no_fault),
	    cmocka_unit_test(what_cooled_while_nobody_looked_has_not_jumped),
	    cmocka_unit_test(i8_a_fault_that_comes_back_all_day_is_told_now_and_then),
	    cmocka_unit_test(what_the_controller_says_is_a_strike_too),
	    cmocka_unit_test(i4_another_code_of_the_controller_is_another_fault),
	    cmocka_unit_test(one_incident_is_one_strike),
	    cmocka_unit_test(a_motor_that_is_given_nothing_has_not_stalled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
