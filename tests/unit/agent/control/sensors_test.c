/* Sensors that lie, one way after the other: each leads to a machine at rest and a fault that names the sensor and why. */
#include "agent/control/sensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

static struct rig rig;

static void play(enum gf_class class)
{
	rig_open(&rig, class, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 5000);
	assert_true(output_on(&rig.output));
}

static void assert_lost(enum gf_sensor sensor, enum sensor_doubt why)
{
	const struct gf_fault_raised *raised = rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP);
	assert_non_null(raised);
	assert_non_null(strstr(raised->detail, gf_sensor_name(sensor)));
	assert_non_null(strstr(raised->detail, sensor_doubt_text(why)));
	assert_false(output_on(&rig.output));
	assert_true(control_faulted(rig.control));
}

static void values_that_are_none_stop_the_machine(void **state)
{
	(void)state;
	static const struct {
		float value;
		enum sensor_doubt why;
	} cases[] = {
	    {NAN, SENSOR_ABSENT},      {-3276.8F, SENSOR_ABSURD}, {-32768, SENSOR_ABSURD},
	    {INFINITY, SENSOR_ABSURD}, {1e30F, SENSOR_ABSURD},    {295.15F, SENSOR_ABSURD}, /* kelvin */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(GF_CLASS_CHAIR);
		rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = cases[i].value;
		rig_run(&rig, 900);
		assert_null(rig_fault(&rig, GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP));
		rig_run(&rig, 200);
		assert_lost(GF_SENSOR_MOTOR_TEMP_C, cases[i].why);
		rig_close(&rig);
	}
}

static void a_sensor_that_must_be_there_is_missed_from_the_first_reading_on(void **state)
{
	(void)state;
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.sensors |= 1U << GF_SENSOR_BATTERY_PCT;
	rig.tick_ms = 20;
	rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
	rig_run(&rig, 1100);
	assert_lost(GF_SENSOR_BATTERY_PCT, SENSOR_ABSENT);
	rig_start(&rig, RIG_PLAIN);
	assert_false(control_in_session(rig.control));
	rig_close(&rig);
}

static void a_sensor_that_flickers_is_lost_too(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	for (int i = 0; i < 150 && output_on(&rig.output); i++) {
		rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = i % 4 != 0 ? NAN : 30;
		rig_tick(&rig);
	}
	assert_lost(GF_SENSOR_MOTOR_TEMP_C, SENSOR_ABSENT);
	rig_close(&rig);
}

static void a_temperature_that_jumps_is_not_believed(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 58);
	rig_run(&rig, 1000);
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 20;
	rig_run(&rig, 1100);
	assert_lost(GF_SENSOR_MOTOR_TEMP_C, SENSOR_JUMPED);
	/* Where it stays, it is; after that the machine recovers. */
	rig_run(&rig, 10000);
	assert_false(control_faulted(rig.control));
	rig_close(&rig);
}

static void i4_a_temperature_that_jumps_into_danger_is_believed_at_once(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 90;
	rig_tick(&rig);
	assert_false(output_on(&rig.output));
	assert_non_null(rig_fault(&rig, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_STOP));
	rig_close(&rig);
}

static void a_current_that_stands_still_while_the_motor_works_is_lost(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig.steady = true;
	rig_start(&rig, RIG_STEEP);
	rig_run(&rig, 58000);
	assert_true(output_on(&rig.output));
	rig_run(&rig, 4000);
	assert_lost(GF_SENSOR_CURRENT_MA, SENSOR_FROZEN);
	rig_close(&rig);
}

static void a_motor_that_never_warms_has_no_sensor(void **state)
{
	(void)state;
	struct sensors sensors = {0};
	struct control_envelope envelope;
	struct driver_input raw = {0}, believed;
	const struct driver_output works = {.command = DRIVER_START, .intensity_pct = 40};
	enum sensor_doubt doubt;

	control_envelope_defaults(GF_CLASS_CHAIR, &envelope);
	for (int s = 0; s < GF_SENSOR_COUNT; s++)
		raw.sensors[s] = NAN;
	raw.sensors[GF_SENSOR_SUPPLY_MV] = 24000;
	raw.sensors[GF_SENSOR_MOTOR_TEMP_C] = 22;
	sensors_judge(&sensors, &envelope, &raw, &(struct driver_output){0}, 1000, &believed);
	for (int s = 0; s < 298; s++) {
		raw.sensors[GF_SENSOR_CURRENT_MA] = 500.0F + (float)(s % 7);
		sensors_judge(&sensors, &envelope, &raw, &works, 1000, &believed);
		assert_int_equal(sensors_lost(&sensors, &doubt), GF_SENSOR_UNSPECIFIED);
	}
	sensors_judge(&sensors, &envelope, &raw, &works, 3000, &believed);
	assert_int_equal(sensors_lost(&sensors, &doubt), GF_SENSOR_MOTOR_TEMP_C);
	assert_int_equal(doubt, SENSOR_FROZEN);
	assert_true(isnan(believed.sensors[GF_SENSOR_MOTOR_TEMP_C]));
}

static void a_current_of_nothing_under_power_is_another_unit(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = RIG_FLICKER_MA + 0.8F; /* amperes */
	rig_run(&rig, 1200);
	assert_lost(GF_SENSOR_CURRENT_MA, SENSOR_SILENT);
	rig_close(&rig);
}

static void a_pressure_at_rest_may_stand_still(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 100);
	rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = 3;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, (RIG_PLAIN_S + 2) * 1000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	rig_close(&rig);
}

static void a_clock_that_goes_back_moves_nothing(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR);
	const float before = rig.output.intensity_pct;
	rig.now_ms -= 3600 * 1000;
	rig_tick(&rig);
	assert_true(rig.output.intensity_pct <= before + 0.03F);
	rig_run(&rig, 1000);
	assert_true(output_on(&rig.output));
	rig.now_ms += 3 * 3600 * 1000;
	rig_tick(&rig);
	assert_false(output_on(&rig.output));
	rig_run(&rig, 100);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_SAFETY_STOPPED);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_that_are_none_stop_the_machine),
	    cmocka_unit_test(a_sensor_that_must_be_there_is_missed_from_the_first_reading_on),
	    cmocka_unit_test(a_sensor_that_flickers_is_lost_too),
	    cmocka_unit_test(a_temperature_that_jumps_is_not_believed),
	    cmocka_unit_test(i4_a_temperature_that_jumps_into_danger_is_believed_at_once),
	    cmocka_unit_test(a_current_that_stands_still_while_the_motor_works_is_lost),
	    cmocka_unit_test(a_motor_that_never_warms_has_no_sensor),
	    cmocka_unit_test(a_current_of_nothing_under_power_is_another_unit),
	    cmocka_unit_test(a_pressure_at_rest_may_stand_still),
	    cmocka_unit_test(a_clock_that_goes_back_moves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
