/* Odd moments: people who try what they may not, hardware that flickers, and numbers that run for months. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/duty.h"
#include "agent/control/guard.h"
#include "agent/control/panel.h"
#include "agent/control/sitting.h"
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

/* Another agent goes on with the same machine. */
static void restart_in_place(void)
{
	const struct control_resume resume = {.next_fault_no = 50, .memory = rig.events[rig.count - 1].memory};
	control_free(rig.control);
	assert_int_equal(control_new(&rig.config, &resume, rig.now_ms, &rig.control), 0);
	rig_forget(&rig);
}

static void a_restart_is_no_way_around_cooling_down(void **state)
{
	(void)state;
	static const struct {
		enum gf_sensor sensor;
		enum gf_fault code;
		float hot, warm, cool;
	} cases[] = {
	    {GF_SENSOR_MOTOR_TEMP_C, GF_FAULT_OVERTEMP_MOTOR, 71, 51, 49},
	    {GF_SENSOR_SURFACE_TEMP_C, GF_FAULT_OVERTEMP_SURFACE, 44, 40.5F, 39.5F},
	};
	for (size_t i = 0; i < 2; i++) {
		rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
		rig_reach(&rig, cases[i].sensor, cases[i].hot);
		rig_run(&rig, 1000);
		rig_reach(&rig, cases[i].sensor, cases[i].warm);
		for (int n = 0; n < 4; n++) {
			restart_in_place();
			rig_run(&rig, 5000);
			assert_int_equal(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 1);
			rig_start(&rig, RIG_SHORT);
			assert_false(control_in_session(rig.control));
		}
		rig_reach(&rig, cases[i].sensor, cases[i].cool);
		rig_run(&rig, 3000);
		assert_true(rig_cleared(&rig, cases[i].code));
		/* It was one incident, however often it was told. */
		assert_null(rig_fault(&rig, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_LATCH));
		restart_in_place();
		rig_run(&rig, 100);
		rig_start(&rig, RIG_SHORT);
		assert_true(control_in_session(rig.control));
		rig_close(&rig);
	}
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

/* 50 % and 20 more by the button: what P7 takes from that is told like what it takes from a program. */
static void what_a_button_asks_for_is_capped_and_told_too(void **state)
{
	(void)state;
	struct gf_step step = {.area = GF_AREA_CALVES,
	                       .side = GF_SIDE_BOTH,
	                       .technique = GF_TECHNIQUE_KNEAD,
	                       .duration_ms = 120000,
	                       .from_pct = 30,
	                       .to_pct = 50,
	                       .ramp_ms = 30000,
	                       .from_hz = 1,
	                       .to_hz = 1};
	struct gf_routine routine = {.id = "strong", .classes = UINT32_MAX, .steps_count = 1, .steps = &step};
	const struct gf_catalog catalog = {.name = "test", .routines_count = 1, .routines = &routine};
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = &catalog};
	control_envelope_defaults(config.class, &config.envelope);
	for (int staff = 0; staff < 2; staff++) {
		rig.tick_ms = TICK_MS;
		rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
		rig.input.panel.staff_key = staff == 1;
		rig_start(&rig, 1);
		for (int i = 0; i < 4; i++)
			rig_press(&rig, &rig.input.panel.intensity_up);
		rig_run(&rig, 50000);
		assert_true(staff == 1 ? rig.output.intensity_pct > 69 : rig.output.intensity_pct == 60);
		assert_true((rig_hit(&rig, "P7", "clamp") == NULL) == (staff == 1));
		assert_non_null(rig_hit(&rig, "P6", "clamp"));
		rig_close(&rig);
		rig.input.panel.staff_key = false;
	}
}

/* --- rest -------------------------------------------------------------------------------------------------------- */

static void a_warning_at_its_edge_is_told_once(void **state)
{
	(void)state;
	struct control_envelope e;
	struct duty duty = {0};
	unsigned warnings = 0;
	control_envelope_defaults(GF_CLASS_PERCUSSION, &e);
	duty.used_ms = e.duty_warn_ms - 500;
	for (int i = 0; i < 3600; i++)
		warnings += duty_elapsed(&duty, &e, i % 2 == 0, 1000) == DUTY_WARNS ? 1 : 0;
	assert_int_equal(warnings, 1);
	/* After a real rest it is news again. */
	(void)duty_elapsed(&duty, &e, false, 5 * MINUTE_MS);
	for (int i = 0; i < 600; i++)
		warnings += duty_elapsed(&duty, &e, true, 1000) == DUTY_WARNS ? 1 : 0;
	assert_int_equal(warnings, 2);
}

static void a_memory_of_more_than_can_be_is_cut_to_what_can(void **state)
{
	(void)state;
	struct control_resume resume = {.next_fault_no = 1};
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	struct control_memory *m = &resume.memory;
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.duty_max_ms = 1000;
	*m = (struct control_memory){.duty_ms = UINT32_MAX, .resting = true};
	memset(m->strike_left_ms, 0xff, sizeof(m->strike_left_ms));
	m->closed[0] = (struct memory_closed){.area = GF_AREA_NECK, .side = GF_SIDE_LEFT, .left_ms = UINT32_MAX};
	memset(&m->sitting.area_s, 0xff, sizeof(m->sitting.area_s));
	m->sitting.open = true;
	m->sitting.idle_ms = m->sitting.pain_presses = m->sitting.pain_left_ms = UINT32_MAX;
	for (uint32_t off_ms = 0; off_ms < 2; off_ms++) {
		resume.off_ms = off_ms == 0 ? 0 : UINT32_MAX;
		rig.tick_ms = TICK_MS;
		rig_open_with(&rig, &config, &resume);
		const struct gf_heartbeat *beat = &rig_event(&rig, CONTROL_EVENT_TELEMETRY, 0)->heartbeat;
		const struct control_memory *now = &rig_event(&rig, CONTROL_EVENT_TELEMETRY, 0)->memory;
		assert_true(beat->duty_ms <= 1000 && beat->rest_left_ms <= config.envelope.rest_ms);
		assert_true(now->closed[0].left_ms <= SITTING_CLOSED_MS && now->strike_left_ms[0][0] <= MEMORY_STRIKES_MS);
		assert_true(now->sitting.pain_left_ms <= SITTING_PAIN_MS);
		assert_false(now->sitting.open);
		rig_close(&rig);
	}
}

/* --- who sits there ---------------------------------------------------------------------------------------------- */

static void shifting_in_the_seat_makes_nobody_a_stranger(void **state)
{
	(void)state;
	struct sitting s = {0};
	const struct driver_output off = {0};
	struct driver_input input = {.has_occupied = true, .occupied = true};
	sitting_begin(&s, 0);
	s.pain_presses = 1;
	for (int i = 0; i < 100; i++) {
		input.occupied = i % 10 != 0;
		sitting_elapsed(&s, &off, false, &input, 100);
	}
	sitting_begin(&s, 0);
	assert_int_equal(s.pain_presses, 1);
	input.occupied = false;
	for (int i = 0; i <= SITTING_VACATED_MS / 100; i++)
		sitting_elapsed(&s, &off, false, &input, 100);
	sitting_begin(&s, 0);
	assert_int_equal(s.pain_presses, 0);
}

/* The leg is no way around its calf, nor the calf around the leg. */
static void the_leg_and_its_parts_are_one_patch(void **state)
{
	(void)state;
	struct sitting s = {0};
	struct driver_output output = {.command = DRIVER_START,
	                               .area = GF_AREA_LEGS,
	                               .side = GF_SIDE_BOTH,
	                               .technique = GF_TECHNIQUE_DRUM,
	                               .intensity_pct = 30};
	sitting_begin(&s, 0);
	sitting_elapsed(&s, &output, true, NULL, 100 * 1000);
	output.area = GF_AREA_GASTROCNEMIUS_LATERAL;
	output.side = GF_SIDE_LEFT;
	sitting_elapsed(&s, &output, true, NULL, 70 * 1000);
	assert_true(sitting_use(&s, GF_AREA_CALVES, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION).used_s == 170);
	assert_true(sitting_use(&s, GF_AREA_LEGS, GF_SIDE_BOTH, GF_TECHNIQUE_DRUM).used_s == 170);
	assert_true(sitting_use(&s, GF_AREA_LEGS, GF_SIDE_RIGHT, GF_TECHNIQUE_DRUM).used_s == 100);
	assert_true(sitting_use(&s, GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_DRUM).used_s == 100);
	assert_true(sitting_use(&s, GF_AREA_GLUTES, GF_SIDE_LEFT, GF_TECHNIQUE_DRUM).used_s == 0);
	sitting_close(&s, GF_AREA_CALVES, GF_SIDE_LEFT);
	assert_true(sitting_closed_ms(&s, GF_AREA_LEGS, GF_SIDE_BOTH) > 0);
	assert_int_equal(sitting_closed_ms(&s, GF_AREA_LEGS, GF_SIDE_RIGHT), 0);
	assert_int_equal(sitting_closed_ms(&s, GF_AREA_QUADS, GF_SIDE_LEFT), 0);
	sitting_close(&s, GF_AREA_LEGS, GF_SIDE_RIGHT);
	assert_true(sitting_closed_ms(&s, GF_AREA_QUADS, GF_SIDE_RIGHT) > 0);
	assert_int_equal(sitting_closed_ms(&s, GF_AREA_LOWER_BACK, GF_SIDE_RIGHT), 0);
}

static void an_area_closed_again_takes_one_place(void **state)
{
	(void)state;
	struct sitting s = {0};
	sitting_begin(&s, 7);
	sitting_close(&s, GF_AREA_NECK, GF_SIDE_BOTH);
	for (int i = 0; i < 2 * MEMORY_CLOSED_MAX; i++)
		sitting_close(&s, GF_AREA_CALVES, GF_SIDE_LEFT);
	assert_int_equal(sitting_closed_ms(&s, GF_AREA_NECK, GF_SIDE_LEFT), SITTING_CLOSED_MS);
	assert_int_equal(sitting_closed_ms(&s, GF_AREA_CALVES, GF_SIDE_LEFT), SITTING_CLOSED_MS);
}

/* --- time -------------------------------------------------------------------------------------------------------- */

static void a_clock_that_goes_back_stops_no_account(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 5;
	rig_run(&rig, 10000);
	assert_non_null(rig_fault(&rig, GF_FAULT_BATTERY_LOW, GF_SEVERITY_INFO));
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 10000);
	const size_t before = rig_count(&rig, CONTROL_EVENT_SESSION_PROGRESS);
	rig.now_ms -= 80000;
	rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 50;
	rig_run(&rig, (RIG_PLAIN_S - 5) * 1000);
	assert_true(rig_count(&rig, CONTROL_EVENT_SESSION_PROGRESS) > before + 25);
	assert_in_range(rig_count(&rig, CONTROL_EVENT_TELEMETRY), 3, 5);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	assert_in_range(rig_ended(&rig)->duration_ms, RIG_PLAIN_S * 1000 - 100, RIG_PLAIN_S * 1000 + 100);
	for (size_t i = 0; i < rig_count(&rig, CONTROL_EVENT_FAULT_CLEARED); i++)
		assert_true(rig_event(&rig, CONTROL_EVENT_FAULT_CLEARED, i)->fault_cleared.lasted_ms < HOUR_MS);
	assert_true(rig_cleared(&rig, GF_FAULT_BATTERY_LOW));
	rig_close(&rig);
}

static void a_clock_out_of_its_mind_overflows_nothing(void **state)
{
	(void)state;
	static const int64_t times[] = {INT64_MAX, 0,         INT64_MIN,  1000,      INT64_MAX - 1, -1,
	                                1020,      INT64_MIN, UINT32_MAX, INT64_MAX, 5000000000000, 5000000000020};
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	for (size_t i = 0; i < 10 * sizeof(times) / sizeof(times[0]); i++) {
		rig.now_ms = times[i % (sizeof(times) / sizeof(times[0]))];
		rig.input.panel.routine = i % 3 == 0 ? 0 : RIG_SHORT;
		rig.input.estop = i % 7 == 0;
		for (int n = 0; n < 3; n++)
			rig.count += control_step(rig.control, rig.now_ms, i % 5 != 0 ? &rig.input : NULL, &rig.output,
			                          &rig.events[rig.count]);
	}
	/* It works on. */
	rig.input.estop = false;
	rig.input.panel.routine = 0;
	rig.now_ms = 1000;
	rig_run(&rig, 2 * MINUTE_MS);
	rig_start(&rig, RIG_SHORT);
	rig_run(&rig, 6000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_ended(&rig)->duration_ms, 5000);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stop_in_the_tick_of_a_start_stops_nothing),
	    cmocka_unit_test(i4_nothing_starts_in_the_tick_of_an_emergency_stop),
	    cmocka_unit_test(a_reading_lost_as_a_session_ends_loses_nothing_of_it),
	    cmocka_unit_test(a_key_that_was_left_in_clears_nothing_after_a_restart),
	    cmocka_unit_test(a_restart_is_no_way_around_cooling_down),
	    cmocka_unit_test(a_key_that_stays_in_for_months_clears_once),
	    cmocka_unit_test(less_pressure_by_a_limit_is_no_overpressure),
	    cmocka_unit_test(i3_limits_that_change_with_each_tick_make_no_jump),
	    cmocka_unit_test(what_a_button_asks_for_is_capped_and_told_too),
	    cmocka_unit_test(a_warning_at_its_edge_is_told_once),
	    cmocka_unit_test(a_memory_of_more_than_can_be_is_cut_to_what_can),
	    cmocka_unit_test(shifting_in_the_seat_makes_nobody_a_stranger),
	    cmocka_unit_test(the_leg_and_its_parts_are_one_patch),
	    cmocka_unit_test(an_area_closed_again_takes_one_place),
	    cmocka_unit_test(a_clock_that_goes_back_stops_no_account),
	    cmocka_unit_test(a_clock_out_of_its_mind_overflows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
