/* Which areas are one patch of tissue, and what a whole leg covers. */
#include "proto/muscle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_area_has_its_group(void **state)
{
	(void)state;
	unsigned used[GF_MUSCLE_COUNT] = {0};
	for (int area = GF_AREA_UNSPECIFIED + 1; area < GF_AREA_COUNT; area++) {
		const enum gf_muscle group = gf_muscle_of((enum gf_area)area);
		assert_true((int)group >= 0 && group < GF_MUSCLE_COUNT);
		/* An area that the table left out would be counted with the first group. */
		assert_true(group != GF_MUSCLE_GLUTES || area == GF_AREA_GLUTES);
		used[group]++;
	}
	for (int i = 0; i < GF_MUSCLE_COUNT; i++)
		assert_true(used[i] > 0);
}

static void parts_are_counted_with_the_whole(void **state)
{
	(void)state;
	static const enum gf_area parts[][5] = {
	    {GF_AREA_HAMSTRINGS, GF_AREA_BICEPS_FEMORIS, GF_AREA_SEMITENDINOSUS, GF_AREA_SEMIMEMBRANOSUS},
	    {GF_AREA_QUADS, GF_AREA_VASTUS_LATERALIS, GF_AREA_VASTUS_MEDIALIS},
	    {GF_AREA_CALVES, GF_AREA_GASTROCNEMIUS_LATERAL},
	    {GF_AREA_FEET, GF_AREA_ARCH, GF_AREA_TOES},
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t k = 1; parts[i][k] != GF_AREA_UNSPECIFIED; k++)
			assert_int_equal(gf_muscle_of(parts[i][k]), gf_muscle_of(parts[i][0]));
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(gf_muscle_of(parts[i][0]), gf_muscle_of(parts[k][0]));
	}
	/* A knee cap and a tendon are no muscle: what they get is not the thigh's or the calf's. */
	assert_int_not_equal(gf_muscle_of(GF_AREA_PATELLA), gf_muscle_of(GF_AREA_QUADS));
	assert_int_not_equal(gf_muscle_of(GF_AREA_ACHILLES), gf_muscle_of(GF_AREA_CALVES));
}

static void a_group_is_named_like_its_area(void **state)
{
	(void)state;
	for (int i = 0; i < GF_MUSCLE_COUNT; i++) {
		const char *name = gf_muscle_name((enum gf_muscle)i);
		int area = GF_AREA_UNSPECIFIED + 1;
		while (area < GF_AREA_COUNT && strcmp(gf_area_name((enum gf_area)area), name) != 0)
			area++;
		assert_true(area < GF_AREA_COUNT);
		assert_int_equal(gf_muscle_of((enum gf_area)area), i);
	}
	assert_string_equal(gf_muscle_name(GF_MUSCLE_COUNT), "unknown");
	assert_string_equal(gf_muscle_name((enum gf_muscle) - 1), "unknown");
}

static void a_whole_leg_covers_its_parts_and_nothing_else(void **state)
{
	(void)state;
	static const bool of_leg[GF_MUSCLE_COUNT] = {
	    [GF_MUSCLE_HAMSTRINGS] = true, [GF_MUSCLE_QUADS] = true,    [GF_MUSCLE_PATELLA] = true,
	    [GF_MUSCLE_CALVES] = true,     [GF_MUSCLE_ACHILLES] = true, [GF_MUSCLE_IT_BAND] = true,
	    [GF_MUSCLE_LEGS] = true,
	};
	for (int whole = 0; whole < GF_MUSCLE_COUNT; whole++) {
		for (int part = 0; part < GF_MUSCLE_COUNT; part++) {
			const bool covers = whole == part || (whole == GF_MUSCLE_LEGS && of_leg[part]);
			assert_int_equal(gf_muscle_covers((enum gf_muscle)whole, (enum gf_muscle)part), covers);
		}
	}
}

/* Places of the machine's memory on the disk: moved, an old memory would tell of other muscles. */
static void the_order_is_the_one_on_the_disk(void **state)
{
	(void)state;
	static const char *const order[] = {"glutes",    "hamstrings", "quads", "patella",    "calves",
	                                    "achilles",  "it_band",    "feet",  "lower_back", "upper_back",
	                                    "shoulders", "neck",       "arms",  "legs"};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_string_equal(gf_muscle_name((enum gf_muscle)i), order[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_area_has_its_group),
	    cmocka_unit_test(parts_are_counted_with_the_whole),
	    cmocka_unit_test(a_group_is_named_like_its_area),
	    cmocka_unit_test(a_whole_leg_covers_its_parts_and_nothing_else),
	    cmocka_unit_test(the_order_is_the_one_on_the_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
