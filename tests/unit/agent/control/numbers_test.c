/* The numbers of the overuse rules D1, D2, D3, D7, P6 and P8 at their edges, and that they don't depend on how long a step is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/guard.h"
#include "tests/unit/agent/control/rig.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static struct rig rig;

static void each_class_has_the_numbers_of_d1_d2_and_d7(void **state)
{
	(void)state;
	static const struct {
		enum gf_class class;
		uint32_t warn_min, max_min, rest_min, session_min;
		float surface_derate_c, surface_stop_c, mmhg;
	} cases[] = {
	    {GF_CLASS_PERCUSSION, 10, 15, 15, 15, 41, 43, 0},    {GF_CLASS_ROLLER, 20, 30, 15, 30, 41, 43, 0},
	    {GF_CLASS_COMPRESSION, 20, 30, 15, 30, 41, 43, 100}, {GF_CLASS_CHAIR, 20, 30, 15, 30, 41, 43, 100},
	    {GF_CLASS_WATER_BED, 15, 20, 15, 15, 38, 40, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct control_envelope e;
		control_envelope_defaults(cases[i].class, &e);
		assert_int_equal(e.duty_warn_ms, cases[i].warn_min * MINUTE_MS);
		assert_int_equal(e.duty_max_ms, cases[i].max_min * MINUTE_MS);
		assert_int_equal(e.rest_ms, cases[i].rest_min * MINUTE_MS);
		assert_int_equal(e.session_max_ms, cases[i].session_min * MINUTE_MS);
		assert_true(e.motor_temp_derate_c == 60 && e.motor_temp_stop_c == 70 && e.motor_temp_rearm_c == 50);
		assert_true(e.surface_temp_derate_c == cases[i].surface_derate_c);
		assert_true(e.surface_temp_stop_c == cases[i].surface_stop_c);
		assert_true(e.pressure_max_mmhg == cases[i].mmhg);
		assert_true(e.intensity_max_pct == 80 && e.start_max_pct == 30 && e.ramp_max_pct_s == 1);
	}
}

static void p8_is_30_percent_for_240_s_and_24_h(void **state)
{
	(void)state;
	assert_int_equal(GUARD_PAIN_CAP_PCT, 30);
	assert_int_equal(SITTING_PAIN_MS, 240 * 1000);
	assert_int_equal(SITTING_CLOSED_MS, 24 * HOUR_MS);
	assert_int_equal(GUARD_FRESH_CAP_PCT, 60);
	assert_int_equal(SITTING_FRESH_MS, 30 * 1000);
}

/* A sensor that shows `value` from now on: how long until the output is off; 0 when it never is within a minute. */
static int64_t off_after_ms(enum gf_class class, uint32_t tick_ms, enum gf_sensor sensor, float value)
{
	rig_open(&rig, class, tick_ms);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 24000);
	assert_true(output_on(&rig.output));
	rig.has_pressure = rig.has_pressure && sensor != GF_SENSOR_PRESSURE_MMHG;
	rig.steady = sensor == GF_SENSOR_CURRENT_MA;
	rig.input.sensors[sensor] = value;
	int64_t off_ms = 0;
	const int64_t from_ms = rig.now_ms + tick_ms;
	while (off_ms == 0 && rig.now_ms < from_ms + 5500) {
		rig_tick(&rig);
		off_ms = output_on(&rig.output) ? 0 : rig.now_ms - from_ms + 1;
	}
	rig_close(&rig);
	return off_ms;
}

static void i4_d3_and_d7_act_at_their_times_and_not_before_their_limits(void **state)
{
	(void)state;
	static const struct {
		enum gf_class class;
		enum gf_sensor sensor;
		float below, above;
		int64_t after_ms;
	} cases[] = {
	    {GF_CLASS_CHAIR, GF_SENSOR_CURRENT_MA, 6000, 6001, 300},
	    {GF_CLASS_CHAIR, GF_SENSOR_SPEED_RPM, 1, 0, 2000},
	    {GF_CLASS_COMPRESSION, GF_SENSOR_PRESSURE_MMHG, 49, 51, 2000}, /* of 40 that are asked for */
	    {GF_CLASS_COMPRESSION, GF_SENSOR_PRESSURE_MMHG, 49, 101, 0},
	};
	static const uint32_t ticks[] = {1, 20, 100};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t t = 0; t < sizeof(ticks) / sizeof(ticks[0]); t++) {
			assert_int_equal(off_after_ms(cases[i].class, ticks[t], cases[i].sensor, cases[i].below), 0);
			const int64_t off_ms = off_after_ms(cases[i].class, ticks[t], cases[i].sensor, cases[i].above) - 1;
			assert_in_range(off_ms, cases[i].after_ms, cases[i].after_ms + ticks[t]);
		}
	}
}

static void d7_a_leak_is_less_than_80_percent_for_30_s(void **state)
{
	(void)state;
	struct gf_step step = {.area = GF_AREA_CALVES,
	                       .side = GF_SIDE_BOTH,
	                       .technique = GF_TECHNIQUE_COMPRESS,
	                       .duration_ms = 120 * 1000,
	                       .from_pct = 30,
	                       .to_pct = 30,
	                       .pressure_from_mmhg = 40,
	                       .pressure_to_mmhg = 40};
	struct gf_routine routine = {.id = "press", .classes = UINT32_MAX, .steps_count = 1, .steps = &step};
	const struct gf_catalog catalog = {.name = "press", .version = 1, .routines_count = 1, .routines = &routine};
	struct control_config config = {.class = GF_CLASS_COMPRESSION, .catalog = &catalog};
	control_envelope_defaults(config.class, &config.envelope);
	static const float shown[] = {31.5F, 32.5F};
	for (size_t i = 0; i < 2; i++) {
		rig.tick_ms = 100;
		rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
		rig_start(&rig, 1);
		rig_run(&rig, 5000);
		assert_true(rig.output.pressure_mmhg == 40);
		rig.has_pressure = false;
		for (int t = 0; t < 299; t++) {
			rig.input.sensors[GF_SENSOR_PRESSURE_MMHG] = shown[i] + (float)(t % 2) * 0.1F;
			rig_tick(&rig);
		}
		assert_true(output_on(&rig.output));
		rig_run(&rig, 300);
		assert_true(output_on(&rig.output) == (i == 1));
		assert_true((rig_fault(&rig, GF_FAULT_LEAK, GF_SEVERITY_STOP) == NULL) == (i == 1));
		rig_close(&rig);
	}
}

static void strikes_count_for_24_h(void **state)
{
	(void)state;
	static const int64_t between_ms[] = {12 * HOUR_MS - 20 * MINUTE_MS, 12 * HOUR_MS + 5 * MINUTE_MS};
	for (size_t i = 0; i < 2; i++) {
		rig_open(&rig, GF_CLASS_CHAIR, 1000);
		for (int n = 0; n < 3; n++) {
			rig.input.sensors[GF_SENSOR_CURRENT_MA] = 9000;
			rig_run(&rig, 5000);
			rig.input.sensors[GF_SENSOR_CURRENT_MA] = 800;
			for (const int64_t until_ms = rig.now_ms + between_ms[i]; n < 2 && rig.now_ms < until_ms; rig_forget(&rig))
				rig_run(&rig, HOUR_MS / 4);
		}
		assert_true((rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH) != NULL) == (i == 0));
		rig_close(&rig);
	}
}

static void the_length_of_a_step_changes_no_account(void **state)
{
	(void)state;
	static const uint32_t ticks[] = {1, 7, 20, 100, 1000, 2000};
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		rig_open(&rig, GF_CLASS_PERCUSSION, ticks[i]);
		rig.input.has_meter = false;
		for (int n = 0; n < 3; n++) {
			rig_start(&rig, RIG_PLAIN);
			rig_run(&rig, (RIG_PLAIN_S + 10) * 1000);
		}
		const struct gf_session_ended *first = &rig_event(&rig, CONTROL_EVENT_SESSION_ENDED, 0)->session_ended;
		assert_in_range(first->duration_ms, RIG_PLAIN_S * 1000, RIG_PLAIN_S * 1000 + ticks[i]);
		assert_in_range(first->motor_ms, RIG_PLAIN_MOTOR_S * 1000 - 5 * ticks[i],
		                RIG_PLAIN_MOTOR_S * 1000 + 5 * ticks[i]);
		const struct gf_limit_hit *warned = rig_hit(&rig, "P1", "warn"), *skipped = rig_hit(&rig, "P1", "skip_step");
		assert_true(warned->observed >= 120 && warned->observed <= 120 + (float)ticks[i] / 1000);
		assert_true(skipped->observed >= 180 && skipped->observed <= 180 + (float)ticks[i] / 1000);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_class_has_the_numbers_of_d1_d2_and_d7),
	    cmocka_unit_test(p8_is_30_percent_for_240_s_and_24_h),
	    cmocka_unit_test(i4_d3_and_d7_act_at_their_times_and_not_before_their_limits),
	    cmocka_unit_test(d7_a_leak_is_less_than_80_percent_for_30_s),
	    cmocka_unit_test(strikes_count_for_24_h),
	    cmocka_unit_test(the_length_of_a_step_changes_no_account),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
