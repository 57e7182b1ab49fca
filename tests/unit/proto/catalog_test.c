#include "proto/catalog.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The whole matrix, written out a second time: a change of the rules has to be made here too, on purpose. */
enum { T = GF_TECHNIQUE_COUNT - 1 };
static const struct {
	enum gf_area area;
	int pct[T]; /* stroke, press, drum, percussion, roll, knead, friction, stretch, compress, water */
} matrix[] = {
    {GF_AREA_GLUTES, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_HAMSTRINGS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_BICEPS_FEMORIS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_SEMITENDINOSUS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_SEMIMEMBRANOSUS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_QUADS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_VASTUS_LATERALIS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_VASTUS_MEDIALIS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_PATELLA, {15, 15, 0, 0, 0, 0, 0, 0, 15, 15}},
    {GF_AREA_CALVES, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_GASTROCNEMIUS_LATERAL, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_ACHILLES, {30, 30, 0, 0, 0, 0, 0, 30, 30, 30}},
    {GF_AREA_IT_BAND, {80, 80, 0, 0, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_FEET, {80, 80, 0, 0, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_ARCH, {80, 80, 0, 0, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_TOES, {30, 30, 0, 0, 0, 0, 0, 30, 30, 30}},
    {GF_AREA_LOWER_BACK, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_UPPER_BACK, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_SHOULDERS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_NECK, {80, 80, 0, 0, 0, 80, 80, 80, 80, 80}},
    {GF_AREA_ARMS, {80, 80, 80, 80, 80, 80, 80, 80, 80, 80}},
    {GF_AREA_LEGS, {80, 80, 80, 0, 0, 80, 0, 80, 80, 80}},
};

static void the_matrix_is_as_agreed(void **state)
{
	(void)state;
	assert_int_equal(sizeof(matrix) / sizeof(matrix[0]), GF_AREA_COUNT - 1);
	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		assert_int_equal(matrix[i].area, i + 1);
		for (int t = 0; t < T; t++) {
			float cap = gf_technique_cap_pct(matrix[i].area, (enum gf_technique)(t + 1));
			if (cap != (float)matrix[i].pct[t])
				fail_msg("%s on %s: %g", gf_technique_name((enum gf_technique)(t + 1)), gf_area_name(matrix[i].area),
				         (double)cap);
		}
	}
}

static void unknown_area_or_technique_has_no_cap(void **state)
{
	(void)state;
	assert_true(gf_technique_cap_pct(GF_AREA_UNSPECIFIED, GF_TECHNIQUE_ROLL) == 0);
	assert_true(gf_technique_cap_pct(GF_AREA_COUNT, GF_TECHNIQUE_ROLL) == 0);
	assert_true(gf_technique_cap_pct(GF_AREA_CALVES, GF_TECHNIQUE_UNSPECIFIED) == 0);
	assert_true(gf_technique_cap_pct(GF_AREA_CALVES, GF_TECHNIQUE_COUNT) == 0);
	assert_true(gf_technique_cap_pct((enum gf_area)250, (enum gf_technique)250) == 0);
}

/* A right step of 60 s; the tests spoil it. */
static struct gf_step rolling(void)
{
	return (struct gf_step){.area = GF_AREA_CALVES,
	                        .side = GF_SIDE_LEFT,
	                        .technique = GF_TECHNIQUE_ROLL,
	                        .duration_ms = 60000,
	                        .from_pct = 25,
	                        .to_pct = 40,
	                        .ramp_ms = 15000};
}

static struct gf_step percussion(void)
{
	struct gf_step s = rolling();
	s.technique = GF_TECHNIQUE_PERCUSSION;
	s.from_hz = 17;
	s.to_hz = 53;
	return s;
}

static struct gf_step compress(void)
{
	struct gf_step s = rolling();
	s.technique = GF_TECHNIQUE_COMPRESS;
	s.pressure_from_mmhg = 30;
	s.pressure_to_mmhg = 100;
	return s;
}

static struct gf_routine routine_of(struct gf_step *steps, size_t count)
{
	return (struct gf_routine){
	    .id = "test_1", .title = "Test", .classes = 1U << GF_CLASS_ROLLER, .steps_count = count, .steps = steps};
}

static void assert_right(struct gf_step *steps, size_t count)
{
	struct gf_routine r = routine_of(steps, count);
	struct gf_diag diag = {{0}};
	if (gf_routine_check(&r, NULL, &diag) != 0)
		fail_msg("%s", diag.text);
}

static void assert_wrong(struct gf_step *steps, size_t count, size_t step, const char *text)
{
	struct gf_routine r = routine_of(steps, count);
	struct gf_diag diag = {{0}};
	size_t at = 12345;
	assert_int_equal(gf_routine_check(&r, &at, &diag), -EINVAL);
	assert_string_equal(diag.text, text);
	assert_int_equal(at, step);
}

#define WRONG(step, text) assert_wrong(&(step), 1, 0, "routine 'test_1', step 1, " text)

static void right_steps_pass(void **state)
{
	struct gf_step steps[] = {rolling(), percussion(), compress()};
	(void)state;
	assert_right(steps, 3);
	steps[0].hold_ms = 30000;
	steps[0].speed_mm_s = 25;
	assert_right(steps, 1);
}

static void names_must_be_known(void **state)
{
	struct gf_step s = rolling();
	(void)state;
	s.area = GF_AREA_COUNT;
	WRONG(s, "area: area 23 is not known");
	s = rolling();
	s.side = GF_SIDE_UNSPECIFIED;
	WRONG(s, "sides: side 0 is not known");
	s = rolling();
	s.technique = GF_TECHNIQUE_COUNT;
	WRONG(s, "technique: technique 11 is not known");
}

static void tendon_joint_and_bone_are_spared(void **state)
{
	struct gf_step s = percussion();
	(void)state;
	s.area = GF_AREA_ACHILLES;
	WRONG(s,
	      "technique: percussion is never allowed on achilles; allowed there: stroke, press, stretch, compress, water");
	s = rolling();
	s.area = GF_AREA_PATELLA;
	WRONG(s, "technique: roll is never allowed on patella; allowed there: stroke, press, compress, water");
	s.technique = GF_TECHNIQUE_STROKE;
	s.from_pct = 15;
	s.to_pct = 16;
	WRONG(s, "to_pct: 16 % of stroke on patella; allowed: 0 to 15 %");
	s.to_pct = 15;
	assert_right(&s, 1);
}

static void intensity_has_its_caps(void **state)
{
	struct gf_step s = rolling();
	struct gf_routine r = routine_of(&s, 1);
	struct gf_diag diag = {{0}};
	(void)state;
	s.to_pct = 81;
	s.ramp_ms = 60000;
	WRONG(s, "to_pct: 81 % of roll on calves; allowed: 0 to 80 %");
	s.to_pct = NAN;
	WRONG(s, "to_pct: nan % of roll on calves; allowed: 0 to 80 %");
	s = rolling();
	s.from_pct = -1;
	WRONG(s, "from_pct: -1 % of roll on calves; allowed: 0 to 80 %");
	s = rolling();
	r.cap_pct = 30;
	assert_int_equal(gf_routine_check(&r, NULL, &diag), -EINVAL);
	assert_string_equal(diag.text, "routine 'test_1', step 1, to_pct: 40 % of roll on calves; allowed: 0 to 30 % "
	                               "(the routine's cap_pct)");
}

static void starts_low_and_rises_slowly(void **state)
{
	struct gf_step s = rolling();
	(void)state;
	s.from_pct = 31;
	WRONG(s, "from_pct: starts at 31 %; allowed: at most 30 %, then a ramp");
	s = rolling();
	s.ramp_ms = 14000;
	WRONG(s, "ramp_s: from 25 to 40 % in 14 s; allowed: at most 1 %/s, so 15 s or longer");
	s.ramp_ms = 0;
	WRONG(s, "ramp_s: from 25 to 40 % needs a ramp_s of at least 15 s (at most 1 %/s)");
	s.ramp_ms = 61000;
	WRONG(s, "ramp_s: the ramp takes 61 s, the step only 60 s");
	s = rolling(); /* Down may be fast. */
	s.from_pct = 30;
	s.to_pct = 10;
	s.ramp_ms = 1000;
	assert_right(&s, 1);
}

static void going_on_may_start_higher(void **state)
{
	struct gf_step steps[] = {rolling(), rolling()};
	(void)state;
	steps[1].from_pct = steps[1].to_pct = 40;
	steps[1].ramp_ms = 0;
	assert_right(steps, 2);
	steps[1].from_pct = steps[1].to_pct = 41;
	assert_wrong(steps, 2, 1, "routine 'test_1', step 2, from_pct: starts at 41 %; allowed: at most 30 %, then a ramp");
	steps[1].from_pct = steps[1].to_pct = 40;
	steps[1].side = GF_SIDE_RIGHT;
	assert_wrong(steps, 2, 1, "routine 'test_1', step 2, from_pct: starts at 40 %; allowed: at most 30 %, then a ramp");
}

static void a_pause_has_nothing(void **state)
{
	struct gf_step s = {
	    .area = GF_AREA_CALVES, .side = GF_SIDE_LEFT, .technique = GF_TECHNIQUE_PERCUSSION, .duration_ms = 15000};
	(void)state;
	assert_right(&s, 1);
	s.from_hz = 20;
	WRONG(s, "from_hz: a pause has no frequency");
	s.from_hz = 0;
	s.pressure_to_mmhg = 20;
	WRONG(s, "to_mmhg: a pause has no pressure; only compress has");
	s.pressure_to_mmhg = 0;
	s.speed_mm_s = 20;
	WRONG(s, "speed_mm_s: a pause has no speed; only roll has");
}

static void frequency_belongs_to_the_technique(void **state)
{
	struct gf_step s = percussion();
	(void)state;
	s.from_hz = 16;
	WRONG(s, "from_hz: percussion at 16 Hz; allowed: 17 to 53 Hz");
	s.from_hz = 20;
	s.to_hz = 53.5F;
	WRONG(s, "to_hz: percussion at 53.5 Hz; allowed: 17 to 53 Hz");
	s.to_hz = 0;
	WRONG(s, "to_hz: percussion at 0 Hz; allowed: 17 to 53 Hz");
	s.to_hz = NAN;
	WRONG(s, "to_hz: percussion at nan Hz; allowed: 17 to 53 Hz");
	s = rolling();
	s.from_hz = 1;
	WRONG(s, "from_hz: roll has no frequency");
	s.technique = GF_TECHNIQUE_KNEAD;
	s.to_hz = 3.5F;
	WRONG(s, "to_hz: knead at 3.5 Hz; allowed: 0.5 to 3 Hz");
	s.technique = GF_TECHNIQUE_DRUM;
	s.to_hz = 11;
	WRONG(s, "to_hz: drum at 11 Hz; allowed: 1 to 10 Hz");
}

static void only_roll_and_press_hold(void **state)
{
	struct gf_step s = percussion();
	(void)state;
	s.hold_ms = 5000;
	WRONG(s, "hold_s: percussion never holds still; only roll and press may");
	s = rolling();
	s.hold_ms = 31000;
	WRONG(s, "hold_s: a hold of 31 s in a step of 60 s; allowed: up to 30 s, and shorter than the step");
	s.duration_ms = s.hold_ms = 20000;
	WRONG(s, "hold_s: a hold of 20 s in a step of 20 s; allowed: up to 30 s, and shorter than the step");
	s.technique = GF_TECHNIQUE_PRESS;
	s.hold_ms = 10000;
	assert_right(&s, 1);
}

static void pressure_and_speed_have_their_ranges(void **state)
{
	struct gf_step s = compress();
	(void)state;
	s.pressure_to_mmhg = 101;
	WRONG(s, "to_mmhg: 101 mmHg; allowed: 0 to 100 mmHg");
	s = rolling();
	s.pressure_from_mmhg = 20;
	WRONG(s, "from_mmhg: roll has no pressure; only compress has");
	s = rolling();
	s.speed_mm_s = 26;
	WRONG(s, "speed_mm_s: 26 mm/s; allowed: 1 to 25 mm/s");
	s = percussion();
	s.speed_mm_s = 20;
	WRONG(s, "speed_mm_s: percussion has no speed; only roll has");
}

static void an_area_bears_only_so_much(void **state)
{
	struct gf_step steps[] = {percussion(), percussion(), percussion(), percussion()};
	struct gf_step s = percussion();
	(void)state;
	s.duration_ms = 181000;
	WRONG(s, "seconds: 181 s of percussion; allowed: 1 to 180 s");
	s.duration_ms = 999;
	WRONG(s, "seconds: 0.999 s of percussion; allowed: 1 to 180 s");
	assert_right(steps, 3);
	assert_wrong(steps, 4, 3,
	             "routine 'test_1', step 4, seconds: calves gets 240 s of percussion and the like on one side; "
	             "allowed: 180 s a session");
	steps[3].side = GF_SIDE_RIGHT;
	assert_right(steps, 4);
	steps[3].side = GF_SIDE_BOTH; /* is on the left too */
	assert_wrong(steps, 4, 3,
	             "routine 'test_1', step 4, seconds: calves gets 240 s of percussion and the like on one side; "
	             "allowed: 180 s a session");
	steps[3].side = GF_SIDE_LEFT; /* drumming is an impact too */
	steps[3].technique = GF_TECHNIQUE_DRUM;
	steps[3].from_hz = steps[3].to_hz = 5;
	assert_wrong(steps, 4, 3,
	             "routine 'test_1', step 4, seconds: calves gets 240 s of drum and the like on one side; "
	             "allowed: 180 s a session");
}

static void a_class_runs_only_so_long(void **state)
{
	struct gf_step s = compress();
	struct gf_routine r = routine_of(&s, 1);
	struct gf_diag diag = {{0}};
	size_t at = 0;
	(void)state;
	s.duration_ms = 901000;
	assert_int_equal(gf_routine_check(&r, NULL, &diag), 0);
	r.classes |= 1U << GF_CLASS_PERCUSSION;
	assert_int_equal(gf_routine_check(&r, &at, &diag), -EINVAL);
	assert_string_equal(diag.text, "routine 'test_1': the routine takes 901 s; class percussion runs 900 s at most");
	assert_true(at == SIZE_MAX);
}

static void assert_head_wrong(const struct gf_routine *r, const char *text)
{
	struct gf_diag diag = {{0}};
	size_t at = 0;
	assert_int_equal(gf_routine_check(r, &at, &diag), -EINVAL);
	assert_string_equal(diag.text, text);
	assert_true(at == SIZE_MAX);
}

static void the_head_is_checked(void **state)
{
	struct gf_step s = rolling();
	struct gf_routine r = routine_of(&s, 1);
	(void)state;
	strcpy(r.id, "Bad id");
	assert_head_wrong(&r,
	                  "routine 'Bad id': the id 'Bad id' must be lower-case letters, digits and '_', and begin with "
	                  "a letter");
	r = routine_of(&s, 1);
	strcpy(r.title, "\xff");
	assert_head_wrong(&r, "routine 'test_1': the title must be text (UTF-8) of 1 to 159 bytes");
	r = routine_of(&s, 1);
	r.classes = 0;
	assert_head_wrong(&r, "routine 'test_1': at least one device class is needed, and only known ones");
	r.classes = 1U << GF_CLASS_COUNT | 1U << GF_CLASS_CHAIR;
	assert_head_wrong(&r, "routine 'test_1': at least one device class is needed, and only known ones");
	r = routine_of(&s, 1);
	r.cap_pct = 81;
	assert_head_wrong(&r, "routine 'test_1': cap_pct is 81; allowed: 1 to 80");
	r = routine_of(&s, 1);
	r.after_hard_effort_ms = UINT32_MAX;
	assert_head_wrong(&r, "routine 'test_1': after_hard_effort_h is above 72");
	r = routine_of(&s, 0);
	assert_head_wrong(&r,
	                  "routine 'test_1': the routine has 0 steps, sides and repetitions counted; allowed: 1 to 256");
}

static void finds_measures_and_frees(void **state)
{
	struct gf_catalog catalog = {.routines_count = 2, .routines = calloc(2, sizeof(struct gf_routine))};
	struct gf_routine *second = &catalog.routines[1];
	(void)state;
	assert_non_null(catalog.routines);
	second->steps = calloc(2, sizeof(struct gf_step));
	assert_non_null(second->steps);
	second->steps_count = 2;
	second->steps[0].duration_ms = 700;
	second->steps[1].duration_ms = 300;
	strcpy(catalog.routines[0].id, "a");
	strcpy(second->id, "b");
	assert_ptr_equal(gf_catalog_find(&catalog, "b"), second);
	assert_null(gf_catalog_find(&catalog, "c"));
	assert_int_equal(gf_routine_duration_ms(second), 1000);
	gf_catalog_deinit(&catalog);
	assert_null(catalog.routines);
	gf_catalog_deinit(&catalog);
	gf_catalog_deinit(NULL);
	gf_routine_deinit(NULL);
	struct gf_catalog half_built = {.routines_count = 3};
	gf_catalog_deinit(&half_built);
	assert_int_equal(half_built.routines_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_matrix_is_as_agreed),
	    cmocka_unit_test(unknown_area_or_technique_has_no_cap),
	    cmocka_unit_test(right_steps_pass),
	    cmocka_unit_test(names_must_be_known),
	    cmocka_unit_test(tendon_joint_and_bone_are_spared),
	    cmocka_unit_test(intensity_has_its_caps),
	    cmocka_unit_test(starts_low_and_rises_slowly),
	    cmocka_unit_test(going_on_may_start_higher),
	    cmocka_unit_test(a_pause_has_nothing),
	    cmocka_unit_test(frequency_belongs_to_the_technique),
	    cmocka_unit_test(only_roll_and_press_hold),
	    cmocka_unit_test(pressure_and_speed_have_their_ranges),
	    cmocka_unit_test(an_area_bears_only_so_much),
	    cmocka_unit_test(a_class_runs_only_so_long),
	    cmocka_unit_test(the_head_is_checked),
	    cmocka_unit_test(finds_measures_and_frees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
