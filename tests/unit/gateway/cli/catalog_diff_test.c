/* What changes between two catalogs: every difference is there, once, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/catalog_diff.h"

enum { STEPS = 4 };

struct side {
	struct gf_step steps[2][STEPS + 2];
	struct gf_routine routines[2];
	struct gf_catalog catalog;
};

/* Two routines, "one" and "two", of four different steps each. */
static void fill(struct side *s)
{
	*s = (struct side){.catalog = {.name = "base", .class = GF_CLASS_CHAIR, .version = 7, .routines_count = 2}};
	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < STEPS; i++)
			s->steps[r][i] = (struct gf_step){.area = (enum gf_area)(GF_AREA_GLUTES + i / 2),
			                                  .side = i % 2 == 0 ? GF_SIDE_LEFT : GF_SIDE_RIGHT,
			                                  .technique = GF_TECHNIQUE_PRESS,
			                                  .duration_ms = 60000,
			                                  .from_pct = 20,
			                                  .to_pct = 30};
		s->routines[r] = (struct gf_routine){
		    .title = "A title", .classes = 1U << GF_CLASS_CHAIR, .steps = s->steps[r], .steps_count = STEPS};
		strcpy(s->routines[r].id, r == 0 ? "one" : "two");
	}
	s->catalog.routines = s->routines;
}

struct rig {
	struct side a, b;
	json_t *rows;
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fill(&r->a);
	fill(&r->b);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	json_decref(r->rows);
	free(r);
	return 0;
}

/* Each row as "change what routine steps field before after", joined by newlines. */
static char *told(struct rig *r)
{
	char *text = NULL;
	size_t size, i;
	FILE *to = open_memstream(&text, &size);
	json_t *row;

	json_decref(r->rows);
	r->rows = catalog_diff(&r->a.catalog, &r->b.catalog);
	assert_non_null(r->rows);
	json_array_foreach(r->rows, i, row)
	{
		static const char *const keys[] = {"change", "what", "routine", "steps", "field", "before", "after"};
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			char *value =
			    json_dumps(json_object_get(row, keys[k]), JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
			fprintf(to, "%s%s", k > 0 ? " " : "", value);
			free(value);
		}
		fputc('\n', to);
	}
	fclose(to);
	return text;
}

static void assert_told(struct rig *r, const char *expected)
{
	char *text = told(r);

	assert_string_equal(text, expected);
	free(text);
}

static void the_same_catalog_has_no_changes(void **state)
{
	assert_told(*state, "");
}

static void what_the_catalog_says_of_itself_is_compared(void **state)
{
	struct rig *r = *state;

	r->b.catalog.version = 8;
	r->b.catalog.expires_ms = 1700000000000;
	r->b.catalog.rollback_floor = 7;
	strcpy(r->b.catalog.min_agent, "1.2");
	assert_told(r, "\"changed\" \"catalog\" null null \"version\" 7 8\n"
	               "\"changed\" \"catalog\" null null \"expires\" null \"2023-11-14T22:13:20Z\"\n"
	               "\"changed\" \"catalog\" null null \"min_agent\" null \"1.2\"\n"
	               "\"changed\" \"catalog\" null null \"rollback_floor\" null 7\n");
}

static void the_next_keys_are_compared(void **state)
{
	struct rig *r = *state;

	r->b.catalog.next_keys = (struct gf_keyset){.threshold = 1, .count = 1};
	char *text = told(r);
	assert_non_null(strstr(text, "\"next_keys\" null \"1 of 66687aadf862bd77\""));
	free(text);
}

static void routines_come_and_go(void **state)
{
	struct rig *r = *state;

	strcpy(r->b.routines[0].id, "new");
	assert_told(r, "\"added\" \"routine\" \"new\" null null null \"4 min, 4 steps\"\n"
	               "\"removed\" \"routine\" \"one\" null null \"4 min, 4 steps\" null\n");
}

static void a_routine_says_what_is_new_of_it(void **state)
{
	struct rig *r = *state;

	strcpy(r->b.routines[1].title, "Another");
	r->b.routines[1].classes |= 1U << GF_CLASS_ROLLER;
	r->b.routines[1].staff_unlock = true;
	r->b.routines[1].cap_pct = 40.5F;
	r->b.routines[1].after_hard_effort_ms = 5400000;
	assert_told(r, "\"changed\" \"routine\" \"two\" null \"title\" \"A title\" \"Another\"\n"
	               "\"changed\" \"routine\" \"two\" null \"classes\" \"chair\" \"roller chair\"\n"
	               "\"changed\" \"routine\" \"two\" null \"staff_unlock\" false true\n"
	               "\"changed\" \"routine\" \"two\" null \"cap_pct\" 0.0 40.5\n"
	               "\"changed\" \"routine\" \"two\" null \"after_hard_effort_h\" 0.0 1.5\n");
}

static void every_number_of_a_step_is_compared(void **state)
{
	struct rig *r = *state;
	struct gf_step *s = &r->b.steps[0][1];

	s->duration_ms = 45500;
	s->from_pct = 20.1F;
	s->to_pct = 35;
	s->ramp_ms = 1500;
	s->from_hz = 1;
	s->to_hz = 2;
	s->pressure_from_mmhg = 3;
	s->pressure_to_mmhg = 4;
	s->speed_mm_s = 5;
	s->hold_ms = 6000;
	assert_told(r, "\"changed\" \"routine\" \"one\" null \"length_s\" 240.0 225.5\n"
	               "\"changed\" \"step\" \"one\" [2] \"duration_s\" 60.0 45.5\n"
	               "\"changed\" \"step\" \"one\" [2] \"from_pct\" 20.0 20.1\n"
	               "\"changed\" \"step\" \"one\" [2] \"to_pct\" 30.0 35.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"ramp_s\" 0.0 1.5\n"
	               "\"changed\" \"step\" \"one\" [2] \"from_hz\" 0.0 1.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"to_hz\" 0.0 2.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"from_mmhg\" 0.0 3.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"to_mmhg\" 0.0 4.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"speed_mm_s\" 0.0 5.0\n"
	               "\"changed\" \"step\" \"one\" [2] \"hold_s\" 0.0 6.0\n");
}

static void a_step_that_came_in_between_moves_no_other(void **state)
{
	struct rig *r = *state;

	memmove(&r->b.steps[0][2], &r->b.steps[0][1], (STEPS - 1) * sizeof(struct gf_step));
	r->b.steps[0][1] = (struct gf_step){.area = GF_AREA_FEET,
	                                    .side = GF_SIDE_BOTH,
	                                    .technique = GF_TECHNIQUE_STROKE,
	                                    .duration_ms = 30000,
	                                    .from_pct = 10,
	                                    .to_pct = 10};
	r->b.routines[0].steps_count++;
	assert_told(r, "\"changed\" \"routine\" \"one\" null \"length_s\" 240.0 270.0\n"
	               "\"added\" \"step\" \"one\" [2] null null \"30 s, 10 %\"\n");
	struct side swap = r->a;
	r->a = r->b;
	r->b = swap;
	r->a.catalog.routines = r->a.routines;
	r->b.catalog.routines = r->b.routines;
	for (int i = 0; i < 2; i++) {
		r->a.routines[i].steps = r->a.steps[i];
		r->b.routines[i].steps = r->b.steps[i];
	}
	assert_told(r, "\"changed\" \"routine\" \"one\" null \"length_s\" 270.0 240.0\n"
	               "\"removed\" \"step\" \"one\" [2] null \"30 s, 10 %\" null\n");
}

/* Where another area is worked on, one step goes and another comes. */
static void another_area_is_another_step(void **state)
{
	struct rig *r = *state;

	r->b.steps[0][3].area = GF_AREA_NECK;
	assert_told(r, "\"removed\" \"step\" \"one\" [4] null \"60 s, 20 to 30 %\" null\n"
	               "\"added\" \"step\" \"one\" [4] null null \"60 s, 20 to 30 %\"\n");
}

static void steps_that_change_alike_share_a_row(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < STEPS; i++) {
		r->a.steps[0][i] = r->a.steps[0][0];
		r->b.steps[0][i] = r->a.steps[0][0];
		r->b.steps[0][i].to_pct = i == 2 ? 36 : 35;
	}
	assert_told(r, "\"changed\" \"step\" \"one\" [1,2,4] \"to_pct\" 30.0 35.0\n"
	               "\"changed\" \"step\" \"one\" [3] \"to_pct\" 30.0 36.0\n");
}

static void rows_of_two_routines_are_not_mixed(void **state)
{
	struct rig *r = *state;

	r->b.steps[0][0].to_pct = r->b.steps[1][0].to_pct = 35;
	assert_told(r, "\"changed\" \"step\" \"one\" [1] \"to_pct\" 30.0 35.0\n"
	               "\"changed\" \"step\" \"two\" [1] \"to_pct\" 30.0 35.0\n");
}

static void i8_the_longest_routines_can_be_compared(void **state)
{
	static struct gf_step a[GF_ROUTINE_STEPS_MAX], b[GF_ROUTINE_STEPS_MAX];
	struct rig *r = *state;

	for (size_t i = 0; i < GF_ROUTINE_STEPS_MAX; i++) {
		a[i] = b[i] = r->a.steps[0][i % STEPS];
		b[i].to_pct = 31;
	}
	r->a.routines[0].steps = a;
	r->b.routines[0].steps = b;
	r->a.routines[0].steps_count = r->b.routines[0].steps_count = GF_ROUTINE_STEPS_MAX;
	free(told(r));
	assert_int_equal(json_array_size(r->rows), STEPS);
	assert_int_equal(json_array_size(json_object_get(json_array_get(r->rows, 0), "steps")),
	                 GF_ROUTINE_STEPS_MAX / STEPS);
}

static void fields_have_words(void **state)
{
	const char *label, *unit;

	(void)state;
	catalog_diff_words("duration_s", &label, &unit);
	assert_string_equal(label, "duration");
	assert_string_equal(unit, "s");
	catalog_diff_words("rollback_floor", &label, &unit);
	assert_string_equal(label, "goes back to");
	catalog_diff_words("title", &label, &unit);
	assert_string_equal(label, "title");
	assert_string_equal(unit, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_same_catalog_has_no_changes),
	    TEST(what_the_catalog_says_of_itself_is_compared),
	    TEST(the_next_keys_are_compared),
	    TEST(routines_come_and_go),
	    TEST(a_routine_says_what_is_new_of_it),
	    TEST(every_number_of_a_step_is_compared),
	    TEST(a_step_that_came_in_between_moves_no_other),
	    TEST(another_area_is_another_step),
	    TEST(steps_that_change_alike_share_a_row),
	    TEST(rows_of_two_routines_are_not_mixed),
	    TEST(i8_the_longest_routines_can_be_compared),
	    cmocka_unit_test(fields_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
