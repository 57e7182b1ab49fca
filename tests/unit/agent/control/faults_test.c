/* Every line of the fault table under the whole control core. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

static struct rig rig;

/* A session that runs at about 40 %. */
static void play(enum gf_class class, uint32_t tick_ms)
{
	rig_open(&rig, class, tick_ms);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 20000);
	assert_true(output_on(&rig.output));
}

static void assert_stopped_by(enum gf_fault code)
{
	const struct gf_fault_raised *raised = rig_fault(&rig, code, GF_SEVERITY_STOP);
	if (raised == NULL)
		fail_msg("%s was not raised", gf_fault_name(code));
	assert_false(output_on(&rig.output));
	assert_int_equal(raised->session_no, 5);
	assert_true(raised->detail[0] != '\0');
	rig_tick(&rig);
	assert_true(control_faulted(rig.control));
}

static void assert_ended_by_fault(void)
{
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_FAULT_STOPPED);
}

static void i4_estop_and_cover_turn_off_in_the_same_tick(void **state)
{
	(void)state;
	bool *const inputs[] = {&rig.input.estop, &rig.input.cover_open};
	static const enum gf_fault codes[] = {GF_FAULT_ESTOP, GF_FAULT_COVER_OPEN};
	for (size_t i = 0; i < 2; i++) {
		play(GF_CLASS_CHAIR, 20);
		*inputs[i] = true;
		rig_tick(&rig);
		assert_int_equal(rig.output.command, DRIVER_STOP);
		assert_stopped_by(codes[i]);
		assert_ended_by_fault();
		/* Nothing starts while it is there, and not at once when it has gone. */
		rig_start(&rig, RIG_PLAIN);
		assert_false(control_in_session(rig.control));
		*inputs[i] = false;
		rig_run(&rig, 500);
		assert_true(control_faulted(rig.control));
		rig_run(&rig, 600);
		assert_false(control_faulted(rig.control));
		assert_true(rig_cleared(&rig, codes[i]));
		rig_start(&rig, RIG_PLAIN);
		assert_true(control_in_session(rig.control));
		rig_close(&rig);
	}
}

static void i4_overcurrent_turns_off_after_300_ms(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 7000;
	rig_run(&rig, 280);
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 900;
	rig_run(&rig, 300);
	assert_true(output_on(&rig.output));
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 7000;
	rig_run(&rig, 300 + 20);
	assert_stopped_by(GF_FAULT_OVERCURRENT);
	assert_ended_by_fault();
	assert_true(rig_fault(&rig, GF_FAULT_OVERCURRENT, GF_SEVERITY_STOP)->observed >= 7000 - RIG_FLICKER_MA);
	assert_true(rig_fault(&rig, GF_FAULT_OVERCURRENT, GF_SEVERITY_STOP)->limit == 6000);
	assert_int_equal(rig_fault(&rig, GF_FAULT_OVERCURRENT, GF_SEVERITY_STOP)->fault_no, 9);
	rig_close(&rig);
}

static void a_short_silence_pauses_a_longer_one_stops(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	rig.readable = false;
	rig_tick(&rig);
	assert_int_equal(rig.output.command, DRIVER_PAUSE);
	rig_run(&rig, 260);
	rig.readable = true;
	rig_tick(&rig);
	assert_int_equal(rig.output.command, DRIVER_START);
	assert_true(rig.output.intensity_pct <= 30);
	assert_null(rig_fault(&rig, GF_FAULT_COMMS_LOST, GF_SEVERITY_STOP));
	rig.readable = false;
	rig_run(&rig, 340);
	assert_stopped_by(GF_FAULT_COMMS_LOST);
	/* The account waits for a reading, but not for ever. */
	rig_run(&rig, 1000);
	assert_ended_by_fault();
	assert_int_equal(rig_ended(&rig)->motor_ms, 20020 + 20);
	rig.readable = true;
	rig_run(&rig, 1100);
	assert_true(rig_cleared(&rig, GF_FAULT_COMMS_LOST));
	rig_close(&rig);
}

static void a_user_s_pause_outlasts_a_silence(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	rig_press(&rig, &rig.input.panel.pause);
	rig.readable = false;
	rig_run(&rig, 100);
	rig.readable = true;
	rig_run(&rig, 100);
	assert_int_equal(rig.output.command, DRIVER_PAUSE);
	rig_close(&rig);
}

static void a_warm_motor_derates_a_hot_one_stops_and_rearms_when_cool(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	const float before = rig.output.intensity_pct;
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 65);
	rig_run(&rig, 2000);
	assert_true(rig.output.intensity_pct > before * 0.45F && rig.output.intensity_pct < before * 0.55F);
	assert_non_null(rig_fault(&rig, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_DERATE));
	assert_false(control_faulted(rig.control));
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 71;
	rig_tick(&rig);
	assert_stopped_by(GF_FAULT_OVERTEMP_MOTOR);
	assert_ended_by_fault();
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 51);
	rig_run(&rig, 10000);
	assert_true(control_faulted(rig.control));
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 49);
	rig_run(&rig, 2000);
	assert_false(control_faulted(rig.control));
	rig_close(&rig);
}

/* What a reading becomes, on which class, and which fault that is after how long. */
struct fault_case {
	enum gf_fault code;
	enum gf_class class;
	enum gf_sensor sensor;
	float value, again;
	uint32_t after_ms, gone_ms;
};

static void each_sensor_s_fault_is_raised_and_cleared(void **state)
{
	(void)state;
	static const struct fault_case cases[] = {
	    {GF_FAULT_OVERTEMP_SURFACE, GF_CLASS_CHAIR, GF_SENSOR_SURFACE_TEMP_C, 43.5F, 30, 0, 1100},
	    {GF_FAULT_OVERTEMP_SURFACE, GF_CLASS_WATER_BED, GF_SENSOR_SURFACE_TEMP_C, 40.5F, 30, 0, 1100},
	    {GF_FAULT_SUPPLY, GF_CLASS_CHAIR, GF_SENSOR_SUPPLY_MV, 19000, 24000, 1000, 5100},
	    {GF_FAULT_OVERPRESSURE, GF_CLASS_COMPRESSION, GF_SENSOR_PRESSURE_MMHG, 101, 5, 0, 5100},
	    {GF_FAULT_OVERPRESSURE, GF_CLASS_COMPRESSION, GF_SENSOR_PRESSURE_MMHG, 60, 5, 2000, 5100},
	    {GF_FAULT_SENSOR_LOST, GF_CLASS_CHAIR, GF_SENSOR_MOTOR_TEMP_C, NAN, 30, 1000, 5100},
	    {GF_FAULT_SENSOR_LOST, GF_CLASS_CHAIR, GF_SENSOR_MOTOR_TEMP_C, 1e20F, 30, 1000, 5100},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fault_case *c = &cases[i];
		play(c->class, 20);
		rig.has_pressure = rig.has_pressure && c->sensor != GF_SENSOR_PRESSURE_MMHG;
		rig.input.sensors[c->sensor] = c->value;
		if (c->after_ms > 0) {
			rig_run(&rig, c->after_ms - 100);
			assert_null(rig_fault(&rig, c->code, GF_SEVERITY_STOP));
		}
		rig_run(&rig, 120);
		assert_stopped_by(c->code);
		assert_ended_by_fault();
		rig_run(&rig, 3000);
		rig.input.sensors[c->sensor] = c->again;
		rig_run(&rig, c->gone_ms);
		assert_true(rig_cleared(&rig, c->code));
		assert_false(control_faulted(rig.control));
		rig_close(&rig);
	}
}

static void a_stall_is_power_without_movement(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 4000;
	rig_run(&rig, 3000);
	assert_true(output_on(&rig.output));
	rig.input.sensors[GF_SENSOR_SPEED_RPM] = 0;
	rig_run(&rig, 1900);
	assert_true(output_on(&rig.output));
	rig_run(&rig, 200);
	assert_stopped_by(GF_FAULT_STALL);
	rig_close(&rig);
}

/* Pain, a limit or the next step lower what is asked for at once; the air takes some seconds to leave. */
static void pressure_that_is_on_its_way_down_is_no_overpressure(void **state)
{
	(void)state;
	static const bool leaves[] = {true, false};
	for (size_t i = 0; i < 2; i++) {
		play(GF_CLASS_COMPRESSION, 20);
		rig_run(&rig, 60000);
		assert_true(rig.output.pressure_mmhg > 42);
		rig.has_pressure = false;
		float *mmhg = &rig.input.sensors[GF_SENSOR_PRESSURE_MMHG];
		control_set_limits(rig.control, &(struct control_limits){.pressure_max_mmhg = 12});
		for (int t = 0; t < 10000 / 20; t++) {
			*mmhg += leaves[i] ? (rig.output.pressure_mmhg - *mmhg) * 0.02F / 4 : 0;
			rig_tick(&rig);
		}
		assert_true((rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP) == NULL) == leaves[i]);
		rig_close(&rig);
	}
}

/* D7 gives a machine's own limit the room that it gives what is asked for, up to 100 mmHg. */
static void a_lower_limit_of_the_machine_is_no_hair_trigger(void **state)
{
	(void)state;
	static const struct {
		float max, shown;
		bool stops;
	} cases[] = {{40, 41, false}, {40, 51, true}, {95, 99, false}, {95, 101, true}, {100, 99, false}, {100, 101, true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct control_config config = {.class = GF_CLASS_COMPRESSION, .catalog = rig_catalog(GF_CLASS_COMPRESSION)};
		control_envelope_defaults(config.class, &config.envelope);
		config.envelope.pressure_max_mmhg = cases[i].max;
		rig.tick_ms = 20;
		rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
		rig_start(&rig, RIG_PLAIN);
		rig_run(&rig, 70000);
		assert_true(rig.output.pressure_mmhg == (cases[i].max < 45 ? cases[i].max : 45));
		rig.has_pressure = false;
		rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = cases[i].shown;
		rig_run(&rig, 100);
		assert_true((rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP) != NULL) == cases[i].stops);
		rig_close(&rig);
	}
}

static void a_leak_is_pressure_that_does_not_build_up(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_COMPRESSION, 20);
	rig.has_pressure = false;
	rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = 5;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 50000);
	assert_null(rig_fault(&rig, GF_FAULT_LEAK, GF_SEVERITY_STOP));
	rig_run(&rig, 30000);
	assert_stopped_by(GF_FAULT_LEAK);
	rig_close(&rig);
}

static void pressure_that_stays_after_the_end_is_told(void **state)
{
	(void)state;
	play(GF_CLASS_COMPRESSION, 20);
	rig.has_pressure = false;
	rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = 38;
	rig_press(&rig, &rig.input.panel.stop);
	rig_run(&rig, 9500);
	assert_null(rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP));
	rig_run(&rig, 600);
	const struct gf_fault_raised *raised = rig_fault(&rig, GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP);
	assert_non_null(raised);
	assert_true(raised->observed == 38 && raised->limit == 20);
	rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = 5;
	rig_run(&rig, 1100);
	assert_true(rig_cleared(&rig, GF_FAULT_OVERPRESSURE));
	rig_close(&rig);
}

static void a_low_battery_is_only_said(void **state)
{
	(void)state;
	play(GF_CLASS_PERCUSSION, 20);
	rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 8;
	rig_run(&rig, 6000);
	assert_non_null(rig_fault(&rig, GF_FAULT_BATTERY_LOW, GF_SEVERITY_INFO));
	assert_true(output_on(&rig.output));
	rig_close(&rig);
}

static void a_full_disk_is_said_and_stops_nobody(void **state)
{
	(void)state;
	play(GF_CLASS_CHAIR, 20);
	control_set_storage(rig.control, true);
	rig_run(&rig, 2000);
	assert_non_null(rig_fault(&rig, GF_FAULT_STORAGE, GF_SEVERITY_INFO));
	assert_true(output_on(&rig.output));
	assert_false(control_faulted(rig.control));
	control_set_storage(rig.control, false);
	rig_run(&rig, 9000);
	assert_false(rig_cleared(&rig, GF_FAULT_STORAGE));
	rig_run(&rig, 2000);
	assert_true(rig_cleared(&rig, GF_FAULT_STORAGE));
	rig_close(&rig);
}

static void many_faults_at_once_are_all_told(void **state)
{
	(void)state;
	play(GF_CLASS_COMPRESSION, 1000);
	rig.has_pressure = false;
	rig.input.estop = rig.input.cover_open = true;
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 90;
	rig.input.sensors[GF_SENSOR_SURFACE_TEMP_C] = 90;
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 90000;
	rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = 300;
	rig.input.sensors[GF_SENSOR_SUPPLY_MV] = 1000;
	rig.input.sensors[GF_SENSOR_SPEED_RPM] = NAN;
	rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 1;
	rig_run(&rig, 10000);
	/* estop, cover, current, sensor, motor and surface each twice, supply, pressure, battery. */
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 11);
	for (size_t i = 0; i < 11; i++)
		assert_non_null(rig_event(&rig, CONTROL_EVENT_FAULT_RAISED, i));
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_ENDED), 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i4_estop_and_cover_turn_off_in_the_same_tick),
	    cmocka_unit_test(i4_overcurrent_turns_off_after_300_ms),
	    cmocka_unit_test(a_short_silence_pauses_a_longer_one_stops),
	    cmocka_unit_test(a_user_s_pause_outlasts_a_silence),
	    cmocka_unit_test(a_warm_motor_derates_a_hot_one_stops_and_rearms_when_cool),
	    cmocka_unit_test(each_sensor_s_fault_is_raised_and_cleared),
	    cmocka_unit_test(a_stall_is_power_without_movement),
	    cmocka_unit_test(pressure_that_is_on_its_way_down_is_no_overpressure),
	    cmocka_unit_test(a_lower_limit_of_the_machine_is_no_hair_trigger),
	    cmocka_unit_test(a_leak_is_pressure_that_does_not_build_up),
	    cmocka_unit_test(pressure_that_stays_after_the_end_is_told),
	    cmocka_unit_test(a_low_battery_is_only_said),
	    cmocka_unit_test(a_full_disk_is_said_and_stops_nobody),
	    cmocka_unit_test(many_faults_at_once_are_all_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
