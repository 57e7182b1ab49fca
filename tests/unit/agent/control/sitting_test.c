/* What one person gets: P1, P3, P6, P8, who counts as the same person, and what a restart doesn't change. */
#include "agent/control/sitting.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/guard.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 100, HOUR_MS = 3600 * 1000 };

static struct rig rig;

static struct driver_output on(enum gf_area area, enum gf_side side, enum gf_technique technique)
{
	return (struct driver_output){
	    .command = DRIVER_START, .area = area, .side = side, .technique = technique, .intensity_pct = 30};
}

static void give(struct sitting *s, enum gf_area area, enum gf_side side, enum gf_technique technique, uint32_t ms)
{
	const struct driver_output output = on(area, side, technique);
	sitting_elapsed(s, &output, true, NULL, ms);
}

/* --- P1 ---------------------------------------------------------------------------------------------------------- */

static void parts_of_a_muscle_count_together_and_sides_apart(void **state)
{
	(void)state;
	struct sitting s = {0};
	sitting_begin(&s, 0);
	give(&s, GF_AREA_BICEPS_FEMORIS, GF_SIDE_LEFT, GF_TECHNIQUE_KNEAD, 60000);
	give(&s, GF_AREA_SEMITENDINOSUS, GF_SIDE_BOTH, GF_TECHNIQUE_ROLL, 30000);
	assert_true(sitting_use(&s, GF_AREA_HAMSTRINGS, GF_SIDE_LEFT, GF_TECHNIQUE_FRICTION).used_s == 90);
	assert_true(sitting_use(&s, GF_AREA_HAMSTRINGS, GF_SIDE_RIGHT, GF_TECHNIQUE_FRICTION).used_s == 30);
	assert_true(sitting_use(&s, GF_AREA_HAMSTRINGS, GF_SIDE_BOTH, GF_TECHNIQUE_FRICTION).used_s == 90);
	assert_true(sitting_use(&s, GF_AREA_HAMSTRINGS, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION).used_s == 0);
	assert_true(sitting_use(&s, GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_KNEAD).used_s == 0);
}

static void each_kind_of_technique_has_the_limits_of_p1(void **state)
{
	(void)state;
	static const struct {
		enum gf_technique technique;
		float warn_s, stop_s;
	} cases[] = {
	    {GF_TECHNIQUE_PERCUSSION, 120, 180}, {GF_TECHNIQUE_DRUM, 120, 180},     {GF_TECHNIQUE_ROLL, 150, 240},
	    {GF_TECHNIQUE_KNEAD, 150, 240},      {GF_TECHNIQUE_FRICTION, 150, 240}, {GF_TECHNIQUE_WATER, 900, 1800},
	    {GF_TECHNIQUE_COMPRESS, 900, 1800},  {GF_TECHNIQUE_STROKE, 900, 1800},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sitting s = {0};
		const struct gf_step step = {
		    .area = GF_AREA_CALVES, .side = GF_SIDE_LEFT, .technique = cases[i].technique, .to_pct = 30};
		const struct guard guard = {0};
		struct gf_limit_hit hit;
		sitting_begin(&s, 0);
		give(&s, GF_AREA_CALVES, GF_SIDE_LEFT, cases[i].technique, (uint32_t)cases[i].warn_s * 1000 - 1);
		assert_false(guard_warns(&s, &step, &hit));
		give(&s, GF_AREA_CALVES, GF_SIDE_LEFT, cases[i].technique, 1);
		assert_true(guard_warns(&s, &step, &hit));
		assert_false(guard_warns(&s, &step, &hit));
		give(&s, GF_AREA_CALVES, GF_SIDE_LEFT, cases[i].technique,
		     (uint32_t)(cases[i].stop_s - cases[i].warn_s) * 1000 - 1);
		assert_false(guard_skips(&guard, &s, &step, &hit));
		give(&s, GF_AREA_CALVES, GF_SIDE_LEFT, cases[i].technique, 1);
		assert_true(guard_skips(&guard, &s, &step, &hit));
		assert_string_equal(hit.rule, "P1");
		assert_true(hit.observed == cases[i].stop_s && hit.limit == cases[i].stop_s);
	}
}

/* 75 s on each side by percussion: the third session of one sitting meets 180 s. */
static void play_again(uint64_t token)
{
	rig.input.panel.subject_token = token;
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	rig_run(&rig, (RIG_PLAIN_S + 2) * 1000);
}

static void open_seat(void)
{
	rig_open(&rig, GF_CLASS_PERCUSSION, TICK_MS);
	rig.input.has_occupied = rig.input.occupied = true;
}

static void starting_again_is_no_way_around_p1(void **state)
{
	(void)state;
	open_seat();
	play_again(0);
	play_again(0);
	assert_non_null(rig_hit(&rig, "P1", "warn"));
	assert_null(rig_hit(&rig, "P1", "skip_step"));
	play_again(0);
	const struct gf_limit_hit *skipped = rig_hit(&rig, "P1", "skip_step");
	assert_non_null(skipped);
	assert_int_equal(skipped->area, GF_AREA_CALVES);
	rig_start(&rig, RIG_PLAIN);
	assert_false(control_in_session(rig.control));
	assert_non_null(rig_hit(&rig, "P1", "refuse"));
	rig_close(&rig);
}

static void another_person_begins_anew(void **state)
{
	(void)state;
	open_seat();
	play_again(0);
	play_again(0);
	rig.input.occupied = false;
	rig_run(&rig, SITTING_VACATED_MS + 2 * TICK_MS);
	rig.input.occupied = true;
	play_again(0);
	assert_null(rig_hit(&rig, "P1", "skip_step"));
	rig_close(&rig);
}

static void ten_minutes_make_another_sitting_where_nobody_can_tell(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		open_seat();
		rig.input.has_occupied = false;
		play_again(0);
		play_again(0);
		rig_run(&rig, SITTING_IDLE_MAX_MS + (late ? 10000 : -10000));
		play_again(0);
		assert_true((rig_hit(&rig, "P1", "skip_step") == NULL) == (late == 1));
		rig_close(&rig);
	}
}

static void a_token_tells_who_it_is(void **state)
{
	(void)state;
	open_seat();
	play_again(77);
	play_again(77);
	rig.input.occupied = false;
	rig_run(&rig, SITTING_VACATED_MS + 2 * TICK_MS);
	rig.input.occupied = true;
	play_again(77);
	assert_non_null(rig_hit(&rig, "P1", "skip_step"));
	rig_forget(&rig);
	play_again(78);
	assert_null(rig_hit(&rig, "P1", "skip_step"));
	rig_close(&rig);
}

static void restart(uint32_t off_ms)
{
	const struct control_resume resume = {
	    .next_fault_no = 50, .memory = rig.events[rig.count - 1].memory, .off_ms = off_ms};
	const struct control_config config = rig.config;
	rig_close(&rig);
	rig_open_with(&rig, &config, &resume);
	rig.input.has_occupied = rig.input.occupied = true;
}

static void a_restart_is_no_way_around_p1(void **state)
{
	(void)state;
	open_seat();
	play_again(0);
	play_again(0);
	restart(0);
	play_again(0);
	assert_non_null(rig_hit(&rig, "P1", "skip_step"));
	restart(SITTING_IDLE_MAX_MS);
	play_again(0);
	assert_null(rig_hit(&rig, "P1", "skip_step"));
	rig_close(&rig);
}

/* --- P3, P6 ------------------------------------------------------------------------------------------------------ */

static void a_hold_ends_after_30_s_of_rolling_and_15_s_of_impact(void **state)
{
	(void)state;
	static const struct {
		enum gf_technique technique;
		uint32_t limit_ms;
	} cases[] = {{GF_TECHNIQUE_ROLL, 30000},
	             {GF_TECHNIQUE_PRESS, 30000},
	             {GF_TECHNIQUE_PERCUSSION, 15000},
	             {GF_TECHNIQUE_DRUM, 15000}};
	for (size_t i = 0; i < 4; i++) {
		struct gf_step step = {.area = GF_AREA_CALVES,
		                       .side = GF_SIDE_LEFT,
		                       .technique = cases[i].technique,
		                       .duration_ms = 100000,
		                       .from_pct = 20,
		                       .to_pct = 20,
		                       .hold_ms = UINT32_MAX};
		const struct gf_routine routine = {.id = "hold", .steps_count = 1, .steps = &step};
		const struct driver_output output = on(step.area, step.side, step.technique);
		const struct sitting s = {0};
		struct player player = {0};
		struct guard guard;
		struct gf_limit_hit hit;
		player_start(&player, &routine);
		guard_begin(&guard, false);
		guard_elapsed(&guard, &player, &output, cases[i].limit_ms - 1);
		assert_false(guard_skips(&guard, &s, &step, &hit));
		guard_elapsed(&guard, &player, &output, 1);
		assert_true(guard_skips(&guard, &s, &step, &hit));
		assert_string_equal(hit.rule, "P3");
		guard_elapsed(&guard, &player, &(struct driver_output){0}, 1);
		assert_false(guard_skips(&guard, &s, &step, &hit));
	}
}

/* The catalog's check lets no such routine pass; the guard doesn't rely on it. */
static void a_session_that_stands_still_goes_on_with_the_next_step(void **state)
{
	(void)state;
	struct gf_step steps[] = {{.area = GF_AREA_CALVES,
	                           .side = GF_SIDE_LEFT,
	                           .technique = GF_TECHNIQUE_ROLL,
	                           .duration_ms = 100000,
	                           .from_pct = 20,
	                           .to_pct = 20,
	                           .hold_ms = 90000},
	                          {.area = GF_AREA_QUADS,
	                           .side = GF_SIDE_LEFT,
	                           .technique = GF_TECHNIQUE_ROLL,
	                           .duration_ms = 10000,
	                           .from_pct = 20,
	                           .to_pct = 20}};
	struct gf_routine routine = {.id = "still", .classes = UINT32_MAX, .steps_count = 2, .steps = steps};
	const struct gf_catalog catalog = {.name = "still", .version = 1, .routines_count = 1, .routines = &routine};
	struct control_config config = {.class = GF_CLASS_ROLLER, .catalog = &catalog};
	control_envelope_defaults(config.class, &config.envelope);
	rig.tick_ms = TICK_MS;
	rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
	rig_start(&rig, 1);
	rig_run(&rig, 39000);
	assert_int_equal(rig.output.area, GF_AREA_CALVES);
	rig_run(&rig, 2000);
	assert_int_equal(rig.output.area, GF_AREA_QUADS);
	const struct gf_limit_hit *hit = rig_hit(&rig, "P3", "skip_step");
	assert_non_null(hit);
	assert_true(hit->limit == 30 && hit->area == GF_AREA_CALVES);
	rig_run(&rig, 12000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	rig_close(&rig);
}

/* What the catalog's check lets pass: 30 s at the end of a step. It is the whole of P3, and nothing of the next step. */
static void a_hold_of_30_s_costs_the_next_step_nothing(void **state)
{
	(void)state;
	struct gf_step steps[3];
	for (int i = 0; i < 3; i++)
		steps[i] = (struct gf_step){.area = i < 2 ? GF_AREA_CALVES : GF_AREA_QUADS,
		                            .side = GF_SIDE_LEFT,
		                            .technique = GF_TECHNIQUE_ROLL,
		                            .duration_ms = 40000,
		                            .from_pct = 20,
		                            .to_pct = 20,
		                            .hold_ms = 30000};
	/* The last one stands still from its beginning; it is another spot. */
	steps[2].hold_ms = steps[2].duration_ms = 20000;
	struct gf_routine routine = {.id = "hold", .classes = UINT32_MAX, .steps_count = 3, .steps = steps};
	const struct gf_catalog catalog = {.name = "hold", .version = 1, .routines_count = 1, .routines = &routine};
	struct control_config config = {.class = GF_CLASS_ROLLER, .catalog = &catalog};
	static const uint32_t ticks[] = {20, 100, 1000, 2000};
	control_envelope_defaults(config.class, &config.envelope);
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		rig.tick_ms = ticks[i];
		rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
		rig_start(&rig, 1);
		rig_run(&rig, 110000);
		assert_null(rig_hit(&rig, "P3", "skip_step"));
		assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
		assert_int_equal(rig_ended(&rig)->motor_ms, 100000);
		rig_close(&rig);
	}
}

static void an_area_s_first_half_minute_stays_at_60(void **state)
{
	(void)state;
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.ramp_max_pct_s = 10; /* else the ramp alone keeps it */
	rig.tick_ms = TICK_MS;
	rig_open_with(&rig, &config, &(struct control_resume){.next_fault_no = 1});
	rig.input.panel.staff_key = true;
	rig_start(&rig, RIG_STEEP);
	rig_run(&rig, 25000);
	assert_true(rig.output.intensity_pct > 59 && rig.output.intensity_pct <= GUARD_FRESH_CAP_PCT);
	rig_run(&rig, 10000);
	assert_true(rig.output.intensity_pct > 69);
	assert_true(rig_hit(&rig, "P6", "clamp") != NULL && rig_hit(&rig, "P7", "clamp") == NULL);
	rig_close(&rig);
}

/* --- P8 ---------------------------------------------------------------------------------------------------------- */

static void hurt_twice(uint64_t token)
{
	rig.input.panel.subject_token = token;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 5000);
	rig_press(&rig, &rig.input.panel.pain);
	rig_run(&rig, 2000);
	rig_press(&rig, &rig.input.panel.pain);
	rig_run(&rig, 2000);
	assert_false(control_in_session(rig.control));
	const struct gf_limit_hit *hit = rig_hit(&rig, "P8", "stop");
	assert_non_null(hit);
	assert_int_equal(hit->lasts_ms, SITTING_CLOSED_MS);
	assert_int_equal(hit->side, GF_SIDE_LEFT);
}

/* True when the left calf is left out and the right one isn't. */
static bool left_is_closed(uint64_t token)
{
	bool left = false, right = false;
	rig_forget(&rig);
	rig.input.panel.subject_token = token;
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	for (int i = 0; i < (RIG_PLAIN_S + 2) * 1000 / TICK_MS; i++) {
		left = left || (output_on(&rig.output) && rig.output.side == GF_SIDE_LEFT);
		right = right || (output_on(&rig.output) && rig.output.side == GF_SIDE_RIGHT);
		rig_tick(&rig);
	}
	assert_true(right);
	assert_true((rig_hit(&rig, "P8", "skip_step") != NULL) == !left);
	return !left;
}

static void pain_caps_for_240_s(void **state)
{
	(void)state;
	struct guard guard;
	struct sitting s = {0};
	struct gf_step step = {
	    .area = GF_AREA_CALVES, .side = GF_SIDE_LEFT, .technique = GF_TECHNIQUE_KNEAD, .duration_ms = 1000};
	const struct gf_routine routine = {.id = "x", .steps_count = 1, .steps = &step};
	struct player player = {0};
	struct gf_limit_hit hit;
	const struct driver_output off = {0};
	player_start(&player, &routine);
	guard_begin(&guard, true);
	sitting_begin(&s, 0);
	assert_false(guard_pain(&guard, &s, 45, &step, &hit));
	assert_int_equal(hit.lasts_ms, SITTING_PAIN_MS);
	sitting_elapsed(&s, &off, true, NULL, SITTING_PAIN_MS - 1);
	assert_true(guard_intensity(&guard, &s, &player, 45, 1) == GUARD_PAIN_CAP_PCT);
	sitting_elapsed(&s, &off, true, NULL, 1);
	assert_true(guard_intensity(&guard, &s, &player, 45, 1) == 45);
	assert_true(guard_pain(&guard, &s, 45, &step, &hit));
}

static void pain_without_a_token_closes_the_area_for_everybody_for_a_day(void **state)
{
	(void)state;
	open_seat();
	hurt_twice(0);
	assert_true(left_is_closed(0));
	rig.input.occupied = false;
	rig_run(&rig, 3000);
	rig.input.occupied = true;
	assert_true(left_is_closed(0));
	assert_true(left_is_closed(5));
	rig.tick_ms = 2000;
	for (int h = 0; h < 25; h++) {
		rig_forget(&rig);
		rig_run(&rig, HOUR_MS);
	}
	rig.tick_ms = TICK_MS;
	assert_false(left_is_closed(0));
	rig_close(&rig);
}

static void pain_with_a_token_closes_the_area_for_that_person(void **state)
{
	(void)state;
	open_seat();
	hurt_twice(5);
	rig.input.occupied = false;
	rig_run(&rig, 3000);
	rig.input.occupied = true;
	assert_false(left_is_closed(0));
	assert_false(left_is_closed(6));
	assert_true(left_is_closed(5));
	rig_close(&rig);
}

static void a_closed_area_outlasts_a_restart_and_opens_by_staff(void **state)
{
	(void)state;
	open_seat();
	hurt_twice(0);
	restart(2 * HOUR_MS);
	assert_true(left_is_closed(0));
	rig.input.panel.staff_key = true;
	rig_run(&rig, 4000);
	rig.input.panel.staff_key = false;
	rig_run(&rig, 200);
	const struct gf_limit_hit *opened = rig_hit(&rig, "P8", "open");
	assert_non_null(opened);
	assert_true(opened->area == GF_AREA_CALVES && opened->side == GF_SIDE_LEFT);
	assert_false(left_is_closed(0));
	restart(0);
	assert_false(left_is_closed(0));
	rig_close(&rig);
}

static void pain_in_an_earlier_session_of_the_sitting_counts(void **state)
{
	(void)state;
	open_seat();
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 20000);
	rig_press(&rig, &rig.input.panel.pain);
	rig_press(&rig, &rig.input.panel.stop);
	rig_run(&rig, 2000);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 20000);
	assert_true(rig.output.intensity_pct <= GUARD_PAIN_CAP_PCT);
	rig_press(&rig, &rig.input.panel.pain);
	rig_run(&rig, 2000);
	assert_non_null(rig_hit(&rig, "P8", "stop"));
	/* The record of a session tells its own presses. */
	assert_int_equal(rig_ended(&rig)->pain_presses, 1);
	rig_close(&rig);
}

static void more_closed_areas_than_there_is_room_for_keep_the_newest(void **state)
{
	(void)state;
	struct sitting s = {0};
	sitting_begin(&s, 0);
	const enum gf_area areas[] = {GF_AREA_GLUTES,     GF_AREA_HAMSTRINGS, GF_AREA_QUADS, GF_AREA_CALVES,
	                              GF_AREA_FEET,       GF_AREA_NECK,       GF_AREA_ARMS,  GF_AREA_LOWER_BACK,
	                              GF_AREA_UPPER_BACK, GF_AREA_SHOULDERS};
	for (size_t i = 0; i < 10; i++) {
		sitting_close(&s, areas[i], GF_SIDE_BOTH);
		sitting_elapsed(&s, &(struct driver_output){0}, true, NULL, 1000);
	}
	for (size_t i = 0; i < 10; i++)
		assert_true((sitting_closed_ms(&s, areas[i], GF_SIDE_LEFT) > 0) == (i >= 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_of_a_muscle_count_together_and_sides_apart),
	    cmocka_unit_test(each_kind_of_technique_has_the_limits_of_p1),
	    cmocka_unit_test(starting_again_is_no_way_around_p1),
	    cmocka_unit_test(another_person_begins_anew),
	    cmocka_unit_test(ten_minutes_make_another_sitting_where_nobody_can_tell),
	    cmocka_unit_test(a_token_tells_who_it_is),
	    cmocka_unit_test(a_restart_is_no_way_around_p1),
	    cmocka_unit_test(a_hold_ends_after_30_s_of_rolling_and_15_s_of_impact),
	    cmocka_unit_test(a_session_that_stands_still_goes_on_with_the_next_step),
	    cmocka_unit_test(a_hold_of_30_s_costs_the_next_step_nothing),
	    cmocka_unit_test(an_area_s_first_half_minute_stays_at_60),
	    cmocka_unit_test(pain_caps_for_240_s),
	    cmocka_unit_test(pain_without_a_token_closes_the_area_for_everybody_for_a_day),
	    cmocka_unit_test(pain_with_a_token_closes_the_area_for_that_person),
	    cmocka_unit_test(a_closed_area_outlasts_a_restart_and_opens_by_staff),
	    cmocka_unit_test(pain_in_an_earlier_session_of_the_sitting_counts),
	    cmocka_unit_test(more_closed_areas_than_there_is_room_for_keep_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
