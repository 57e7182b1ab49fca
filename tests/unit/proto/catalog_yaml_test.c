#include "proto/catalog_yaml.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUTINES GF_SOURCE_DIR "/config/routines"
#define HEAD "id: test\ntitle: Test\nclasses: [roller]\n"

static void assert_refused(const char *text, const char *sentence)
{
	struct gf_routine routine = {.steps_count = 77};
	struct gf_diag diag = {{0}};
	assert_int_equal(gf_catalog_yaml_text("r.yaml", text, strlen(text), &routine, &diag), -EINVAL);
	assert_string_equal(diag.text, sentence);
	assert_int_equal(routine.steps_count, 77);
}

/* One step in line 6, column 5 (its '{'). */
#define STEP(step) HEAD "total_s: 60\nsteps:\n  - {" step "}\n"

static struct gf_routine compiled(const char *text)
{
	struct gf_routine routine = {.steps_count = 0};
	struct gf_diag diag = {{0}};
	if (gf_catalog_yaml_text("r.yaml", text, strlen(text), &routine, &diag) != 0)
		fail_msg("%s", diag.text);
	return routine;
}

static bool near(float a, float b)
{
	return fabsf(a - b) < 0.001F;
}

/* --- what is compiled --- */

static void every_step_is_done_on_each_side_before_the_next(void **state)
{
	struct gf_routine r =
	    compiled(HEAD "total_s: 100\nsides: [left, right]\nsteps:\n"
	                  "  - {area: calves, technique: roll, seconds: 20, pct: 25}\n"
	                  "  - {area: quads, technique: roll, seconds: 20, pct: 30}\n"
	                  "  - {area: lower_back, technique: roll, sides: [both], seconds: 20, pct: 30}\n");
	const struct {
		enum gf_area area;
		enum gf_side side;
	} want[] = {
	    {GF_AREA_CALVES, GF_SIDE_LEFT}, {GF_AREA_CALVES, GF_SIDE_RIGHT},    {GF_AREA_QUADS, GF_SIDE_LEFT},
	    {GF_AREA_QUADS, GF_SIDE_RIGHT}, {GF_AREA_LOWER_BACK, GF_SIDE_BOTH},
	};
	(void)state;
	assert_int_equal(r.steps_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(r.steps[i].area, want[i].area);
		assert_int_equal(r.steps[i].side, want[i].side);
		assert_int_equal(r.steps[i].duration_ms, 20000);
	}
	gf_routine_deinit(&r);
}

static void a_ramp_goes_on_over_the_repetitions(void **state)
{
	struct gf_routine r =
	    compiled(HEAD "total_s: 45\nsteps:\n  - {area: calves, technique: drum, repeat: 3, seconds: 15, "
	                  "from_pct: 20, to_pct: 40, ramp_s: 20, from_hz: 4, to_hz: 8}\n");
	const struct {
		float from_pct, to_pct, from_hz, to_hz;
		uint32_t ramp_ms;
	} want[] = {{20, 35, 4, 7, 15000}, {35, 40, 7, 8, 5000}, {40, 40, 8, 8, 0}};
	(void)state;
	assert_int_equal(r.steps_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(near(r.steps[i].from_pct, want[i].from_pct) && near(r.steps[i].to_pct, want[i].to_pct));
		assert_true(near(r.steps[i].from_hz, want[i].from_hz) && near(r.steps[i].to_hz, want[i].to_hz));
		assert_int_equal(r.steps[i].ramp_ms, want[i].ramp_ms);
	}
	gf_routine_deinit(&r);
}

static void a_pause_is_a_step_without_intensity(void **state)
{
	struct gf_routine r =
	    compiled(HEAD "total_s: 90\nsteps:\n  - {area: legs, technique: compress, repeat: 2, seconds: 30, "
	                  "off_s: 15, from_mmhg: 20, to_mmhg: 40, ramp_s: 30}\n");
	(void)state;
	assert_int_equal(r.steps_count, 4);
	for (size_t i = 0; i < 4; i += 2) {
		const struct gf_step *on = &r.steps[i], *off = &r.steps[i + 1];
		assert_true(near(on->from_pct, 20) && near(on->to_pct, 40));
		assert_true(near(on->pressure_from_mmhg, 20) && near(on->pressure_to_mmhg, 40));
		assert_int_equal(on->ramp_ms, 30000);
		assert_true(off->from_pct == 0 && off->to_pct == 0 && off->pressure_to_mmhg == 0);
		assert_int_equal(off->duration_ms, 15000);
	}
	gf_routine_deinit(&r);
}

static void the_head_is_taken_over(void **state)
{
	struct gf_routine r =
	    compiled("id: test\ntitle: A \xc3\xa9tude\nclasses: [chair, water_bed]\nstaff_unlock: true\n"
	             "cap_pct: 30\nafter_hard_effort_h: 1.5\ntotal_s: 20\nsteps:\n"
	             "  - {area: calves, technique: roll, seconds: 20, pct: 25, speed_mm_s: 20, hold_s: 5}\n");
	(void)state;
	assert_string_equal(r.id, "test");
	assert_string_equal(r.title, "A \xc3\xa9tude");
	assert_int_equal(r.classes, 1U << GF_CLASS_CHAIR | 1U << GF_CLASS_WATER_BED);
	assert_true(r.staff_unlock);
	assert_true(near(r.cap_pct, 30));
	assert_int_equal(r.after_hard_effort_ms, 5400 * 1000);
	assert_int_equal(r.steps[0].hold_ms, 5000);
	assert_true(near(r.steps[0].speed_mm_s, 20));
	assert_int_equal(r.steps[0].side, GF_SIDE_BOTH);
	gf_routine_deinit(&r);
}

/* --- what is refused, and where --- */

static void keys_are_checked(void **state)
{
	(void)state;
	assert_refused(STEP("area: calves, technique: roll, secods: 60, pct: 25"),
	               "r.yaml:6:37: unknown key 'secods' in 'steps'; did you mean 'seconds'?");
	assert_refused(STEP("area: calves, technique: roll, pct: 25"), "r.yaml:6:5: missing key 'seconds' in 'steps'");
	assert_refused(STEP("area: calves, technique: roll, seconds: long, pct: 25"),
	               "r.yaml:6:46: 'seconds' is 'long'; expected a number");
	assert_refused("", "r.yaml:1:1: the file is empty");
}

static void names_are_checked(void **state)
{
	(void)state;
	assert_refused(STEP("area: calfs, technique: roll, seconds: 60, pct: 25"),
	               "r.yaml:6:12: routine 'test', step 1: unknown area 'calfs'; did you mean 'calves'?");
	assert_refused(STEP("area: calves, technique: tickling, seconds: 60, pct: 25"),
	               "r.yaml:6:31: routine 'test', step 1: unknown technique 'tickling'; known: stroke, press, drum, "
	               "percussion, roll, knead, friction, stretch, compress, water");
	assert_refused(STEP("area: calves, technique: roll, sides: [up], seconds: 60, pct: 25"),
	               "r.yaml:6:44: routine 'test', step 1: unknown side 'up'; known: left, right, both");
	assert_refused(STEP("area: calves, technique: roll, sides: [left, both], seconds: 30, pct: 25"),
	               "r.yaml:6:44: routine 'test', step 1: two sides must be left and right; at the same time is [both]");
	assert_refused("id: test\ntitle: Test\nclasses: [chair, rollers]\ntotal_s: 1\nsteps:\n"
	               "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:3:18: routine 'test': unknown class 'rollers'; did you mean 'roller'?");
	assert_refused(HEAD "depth: bottomless\ntotal_s: 1\nsteps:\n"
	                    "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:4:8: routine 'test': unknown depth 'bottomless'; known: superficial, moderate, deep");
	assert_refused(HEAD "order: loose\ntotal_s: 1\nsteps:\n  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:4:8: routine 'test': unknown order 'loose'; known: strict");
	assert_refused("id: Test\ntitle: Test\nclasses: [chair]\ntotal_s: 1\nsteps:\n"
	               "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:1:5: routine 'Test': the id 'Test' must be lower-case letters, digits and '_', and begin "
	               "with a letter");
}

static void ranges_are_written_one_way(void **state)
{
	(void)state;
	assert_refused(STEP("area: calves, technique: roll, seconds: 60"),
	               "r.yaml:6:5: routine 'test', step 1: the intensity is missing: pct, or from_pct and to_pct");
	assert_refused(STEP("area: calves, technique: roll, seconds: 60, pct: 25, to_pct: 30"),
	               "r.yaml:6:55: routine 'test', step 1: either pct, or from_pct and to_pct, not both");
	assert_refused(STEP("area: calves, technique: roll, seconds: 60, from_pct: 25"),
	               "r.yaml:6:5: routine 'test', step 1: from_pct and to_pct belong together; a constant is pct");
}

static void the_rules_point_at_their_line(void **state)
{
	(void)state;
	assert_refused(STEP("area: achilles, technique: percussion, seconds: 60, pct: 25, hz: 20"),
	               "r.yaml:6:33: routine 'test', step 1: percussion is never allowed on achilles; allowed there: "
	               "stroke, press, stretch, compress, water");
	assert_refused(STEP("area: patella, technique: stroke, seconds: 60, pct: 20"),
	               "r.yaml:6:58: routine 'test', step 1: 20 % of stroke on patella; allowed: 0 to 15 %");
	assert_refused(STEP("area: calves, technique: percussion, seconds: 60, pct: 25, hz: 60"),
	               "r.yaml:6:69: routine 'test', step 1: percussion at 60 Hz; allowed: 17 to 53 Hz");
	assert_refused(STEP("area: calves, technique: percussion, seconds: 60, pct: 25"),
	               "r.yaml:6:5: routine 'test', step 1: percussion at 0 Hz; allowed: 17 to 53 Hz");
	assert_refused(STEP("area: calves, technique: roll, seconds: 60, pct: 40"),
	               "r.yaml:6:55: routine 'test', step 1: starts at 40 %; allowed: at most 30 %, then a ramp");
	assert_refused(STEP("area: calves, technique: roll, seconds: 60, from_pct: 25, to_pct: 40, ramp_s: 10"),
	               "r.yaml:6:84: routine 'test', step 1: from 25 to 40 % in 10 s; allowed: at most 1 %/s, so 15 s or "
	               "longer");
	assert_refused(STEP("area: calves, technique: knead, seconds: 60, pct: 25, hz: 1, hold_s: 5"),
	               "r.yaml:6:75: routine 'test', step 1: knead never holds still; only roll and press may");
	assert_refused(STEP("area: legs, technique: compress, seconds: 60, mmhg: 40"),
	               "r.yaml:6:58: routine 'test', step 1: starts at 40 %; allowed: at most 30 %, then a ramp");
	assert_refused(STEP("area: legs, technique: compress, seconds: 60, pct: 20, from_mmhg: 20, to_mmhg: 120"),
	               "r.yaml:6:85: routine 'test', step 1: 120 mmHg; allowed: 0 to 100 mmHg");
	assert_refused(STEP("area: calves, technique: roll, seconds: 60, pct: 25, speed_mm_s: 40"),
	               "r.yaml:6:71: routine 'test', step 1: 40 mm/s; allowed: 1 to 25 mm/s");
}

static void times_and_repetitions_are_checked(void **state)
{
	(void)state;
	assert_refused(STEP("area: calves, technique: roll, seconds: 4000, pct: 25"),
	               "r.yaml:6:46: routine 'test', step 1: seconds is 4000; allowed: 0 to 3600 s");
	assert_refused(STEP("area: calves, technique: roll, seconds: 241, pct: 25"),
	               "r.yaml:6:46: routine 'test', step 1: 241 s of roll; allowed: 1 to 240 s");
	assert_refused(STEP("area: calves, technique: roll, repeat: 61, seconds: 1, pct: 25"),
	               "r.yaml:6:45: routine 'test', step 1: repeat is 61; allowed: 1 to 60");
	assert_refused(STEP("area: calves, technique: roll, repeat: 2, seconds: 30, from_pct: 20, to_pct: 30, ramp_s: 61"),
	               "r.yaml:6:95: routine 'test', step 1: the ramp takes 61 s, but the step only 60 s");
	assert_refused(HEAD "total_s: 500\nsides: [left, right]\nsteps:\n"
	                    "  - {area: calves, technique: stroke, repeat: 60, seconds: 1, off_s: 1, pct: 20}\n"
	                    "  - {area: quads, technique: stroke, repeat: 60, seconds: 1, off_s: 1, pct: 20}\n",
	               "r.yaml:7:3: routine 'test': more than 256 steps, sides and repetitions counted");
}

static void the_head_is_checked_against_the_steps(void **state)
{
	(void)state;
	assert_refused(STEP("area: calves, technique: roll, seconds: 61, pct: 25"),
	               "r.yaml:4:10: routine 'test': total_s is 60, but the steps add up to 61 s");
	assert_refused(HEAD "cap_pct: 20\ntotal_s: 1\nsteps:\n  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:7:54: routine 'test', step 1: 25 % of roll on calves; allowed: 0 to 20 % (the routine's "
	               "cap_pct)");
	assert_refused(HEAD "cap_pct: 0\ntotal_s: 1\nsteps:\n  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:4:10: routine 'test': cap_pct is 0; allowed: 1 to 80, or leave it out");
	assert_refused(HEAD "after_hard_effort_h: 100\ntotal_s: 1\nsteps:\n"
	                    "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	               "r.yaml:4:22: routine 'test': after_hard_effort_h is 100; allowed: 0 to 72");
	assert_refused(HEAD "depth: superficial\ntotal_s: 60\nsteps:\n"
	                    "  - {area: calves, technique: roll, seconds: 60, from_pct: 25, to_pct: 45, ramp_s: 20}\n",
	               "r.yaml:7:72: routine 'test', step 1: 45 % is deeper than superficial; allowed: 0 to 40 %");
	assert_refused(
	    HEAD "order: strict\ntotal_s: 3\nsteps:\n"
	         "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n"
	         "  - {area: quads, technique: roll, seconds: 1, pct: 25}\n"
	         "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n",
	    "r.yaml:9:12: routine 'test', step 3: calves comes again after another area, but the order is strict");
}

static void a_missing_file_is_a_sentence(void **state)
{
	struct gf_routine routine;
	struct gf_diag diag = {{0}};
	(void)state;
	assert_int_equal(gf_catalog_yaml_routine("/nonexistent/r.yaml", &routine, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "/nonexistent/r.yaml"));
}

/* --- what is shipped --- */

static const struct {
	const char *id;
	uint32_t total_s;
	size_t steps;
	uint32_t classes;
} shipped[] = {
#define P (1U << GF_CLASS_PERCUSSION)
#define R (1U << GF_CLASS_ROLLER)
#define X (1U << GF_CLASS_COMPRESSION)
#define C (1U << GF_CLASS_CHAIR)
#define W (1U << GF_CLASS_WATER_BED)
    {"post_run_cooldown", 790, 18, P | R}, {"percussion_warmup", 160, 8, P},
    {"percussion_recovery", 720, 8, P},    {"foam_roll_recovery", 780, 10, R},
    {"marathon_gentle_roll", 600, 10, R},  {"discharge_next_day", 1500, 11, X | C},
    {"daily_maintenance", 420, 10, R | P}, {"cramp_relief_soft", 225, 8, C | X},
    {"drumming_legs", 360, 24, C},         {"pressing_toes_up", 320, 24, C},
    {"stroking_ten", 240, 20, C | W},      {"rest_day_light", 360, 8, R},
    {"water_full_body", 780, 5, W},        {"compression_boots", 1200, 1, X},
#undef P
#undef R
#undef X
#undef C
#undef W
};
enum { SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

static void shipped_routines_compile_with_their_totals(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHIPPED; i++) {
		char path[512];
		struct gf_routine r;
		struct gf_diag diag = {{0}};
		snprintf(path, sizeof(path), ROUTINES "/%s.yaml", shipped[i].id);
		if (gf_catalog_yaml_routine(path, &r, &diag) != 0)
			fail_msg("%s", diag.text);
		assert_string_equal(r.id, shipped[i].id);
		if (gf_routine_duration_ms(&r) != shipped[i].total_s * 1000 || r.steps_count != shipped[i].steps)
			fail_msg("%s: %u ms in %zu steps", r.id, gf_routine_duration_ms(&r), r.steps_count);
		assert_int_equal(r.classes, shipped[i].classes);
		gf_routine_deinit(&r);
	}
}

static void each_class_gets_its_shipped_routines_by_file_name(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		struct gf_catalog catalog;
		struct gf_diag diag = {{0}};
		size_t want = 0;
		if (gf_catalog_yaml_folder(ROUTINES, (enum gf_class) class, "standard", 3, &catalog, &diag) != 0)
			fail_msg("%s", diag.text);
		for (size_t i = 0; i < SHIPPED; i++) {
			if ((shipped[i].classes & (1U << class)) == 0)
				continue;
			want++;
			assert_non_null(gf_catalog_find(&catalog, shipped[i].id));
		}
		assert_int_equal(catalog.routines_count, want);
		for (size_t i = 1; i < want; i++)
			assert_true(strcmp(catalog.routines[i - 1].id, catalog.routines[i].id) < 0);
		assert_string_equal(catalog.name, "standard");
		assert_int_equal(catalog.version, 3);
		assert_int_equal(catalog.class, class);
		gf_catalog_deinit(&catalog);
	}
}

static void the_cooldown_keeps_its_strict_order(void **state)
{
	static const enum gf_area order[] = {
	    GF_AREA_GLUTES,          GF_AREA_BICEPS_FEMORIS,        GF_AREA_SEMITENDINOSUS,
	    GF_AREA_SEMIMEMBRANOSUS, GF_AREA_VASTUS_LATERALIS,      GF_AREA_VASTUS_MEDIALIS,
	    GF_AREA_PATELLA,         GF_AREA_GASTROCNEMIUS_LATERAL, GF_AREA_ARCH,
	};
	struct gf_routine r;
	struct gf_diag diag = {{0}};
	(void)state;
	assert_int_equal(gf_catalog_yaml_routine(ROUTINES "/post_run_cooldown.yaml", &r, &diag), 0);
	assert_int_equal(r.steps_count, 18);
	for (size_t i = 0; i < r.steps_count; i++) {
		assert_int_equal(r.steps[i].area, order[i / 2]);
		assert_int_equal(r.steps[i].side, i % 2 == 0 ? GF_SIDE_LEFT : GF_SIDE_RIGHT);
	}
	gf_routine_deinit(&r);
}

static void the_discharge_needs_staff_and_a_day(void **state)
{
	struct gf_routine r;
	struct gf_diag diag = {{0}};
	(void)state;
	assert_int_equal(gf_catalog_yaml_routine(ROUTINES "/discharge_next_day.yaml", &r, &diag), 0);
	assert_true(r.staff_unlock);
	assert_int_equal(r.after_hard_effort_ms, 24 * 3600 * 1000);
	gf_routine_deinit(&r);
}

/* --- a folder --- */

static int make_folder(void **state)
{
	char *dir = strdup("/tmp/gf-routines-XXXXXX");
	*state = dir;
	return dir == NULL || mkdtemp(dir) == NULL;
}

static int remove_folder(void **state)
{
	static const char *const files[] = {"a.yaml", "b.yaml", "c.txt", ".d.yaml"};
	char path[256];
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, files[i]);
		(void)unlink(path);
	}
	int r = rmdir(*state);
	free(*state);
	return r;
}

static void put(const char *dir, const char *file, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void assert_folder_refused(const char *dir, enum gf_class class, int error, const char *fmt, ...)
    GF_PRINTF(4, 5);
static void assert_folder_refused(const char *dir, enum gf_class class, int error, const char *fmt, ...)
{
	struct gf_catalog catalog = {.version = 77};
	struct gf_diag diag = {{0}};
	char want[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	assert_int_equal(gf_catalog_yaml_folder(dir, class, "test", 1, &catalog, &diag), error);
	assert_string_equal(diag.text, want);
	assert_int_equal(catalog.version, 77);
}

#define GOOD HEAD "total_s: 1\nsteps:\n  - {area: calves, technique: roll, seconds: 1, pct: 25}\n"

static void an_empty_folder_is_refused(void **state)
{
	const char *dir = *state;
	assert_folder_refused(dir, GF_CLASS_ROLLER, -EINVAL, "%s: no routine for class roller in its *.yaml files", dir);
	put(dir, "a.yaml", GOOD);
	assert_folder_refused(dir, GF_CLASS_CHAIR, -EINVAL, "%s: no routine for class chair in its *.yaml files", dir);
}

static void an_id_that_comes_twice_is_refused(void **state)
{
	const char *dir = *state;
	put(dir, "a.yaml", GOOD);
	put(dir, "b.yaml", GOOD);
	assert_folder_refused(dir, GF_CLASS_ROLLER, -EINVAL,
	                      "%s/b.yaml: the id 'test' is already that of a.yaml; each routine needs its own", dir);
}

static void one_bad_file_refuses_the_folder(void **state)
{
	const char *dir = *state;
	put(dir, "a.yaml", GOOD);
	put(dir, "b.yaml",
	    "id: other\ntitle: Other\nclasses: [chair]\ntotal_s: 2\nsteps:\n"
	    "  - {area: calves, technique: roll, seconds: 1, pct: 25}\n");
	assert_folder_refused(dir, GF_CLASS_ROLLER, -EINVAL,
	                      "%s/b.yaml:4:10: routine 'other': total_s is 2, but the steps add up to 1 s", dir);
}

static void other_files_are_left_alone(void **state)
{
	const char *dir = *state;
	struct gf_catalog catalog;
	struct gf_diag diag = {{0}};
	put(dir, "a.yaml", GOOD);
	put(dir, "c.txt", "not a routine");
	put(dir, ".d.yaml", "an editor's leftovers");
	assert_int_equal(gf_catalog_yaml_folder(dir, GF_CLASS_ROLLER, "test", 1, &catalog, &diag), 0);
	assert_int_equal(catalog.routines_count, 1);
	gf_catalog_deinit(&catalog);
}

static void a_folder_needs_to_exist_and_a_catalog_a_name(void **state)
{
	struct gf_catalog catalog;
	struct gf_diag diag = {{0}};
	(void)state;
	assert_folder_refused("/nonexistent", GF_CLASS_CHAIR, -ENOENT,
	                      "the folder /nonexistent can't be read: No such file or directory");
	assert_int_equal(gf_catalog_yaml_folder(ROUTINES, GF_CLASS_CHAIR, "", 1, &catalog, &diag), -EINVAL);
	assert_int_equal(gf_catalog_yaml_folder(ROUTINES, GF_CLASS_CHAIR, "x", 0, &catalog, &diag), -EINVAL);
	assert_string_equal(diag.text, "a catalog needs a name of 1 to 47 bytes and a version from 1");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_step_is_done_on_each_side_before_the_next),
	    cmocka_unit_test(a_ramp_goes_on_over_the_repetitions),
	    cmocka_unit_test(a_pause_is_a_step_without_intensity),
	    cmocka_unit_test(the_head_is_taken_over),
	    cmocka_unit_test(keys_are_checked),
	    cmocka_unit_test(names_are_checked),
	    cmocka_unit_test(ranges_are_written_one_way),
	    cmocka_unit_test(the_rules_point_at_their_line),
	    cmocka_unit_test(times_and_repetitions_are_checked),
	    cmocka_unit_test(the_head_is_checked_against_the_steps),
	    cmocka_unit_test(a_missing_file_is_a_sentence),
	    cmocka_unit_test(shipped_routines_compile_with_their_totals),
	    cmocka_unit_test(each_class_gets_its_shipped_routines_by_file_name),
	    cmocka_unit_test(the_cooldown_keeps_its_strict_order),
	    cmocka_unit_test(the_discharge_needs_staff_and_a_day),
	    WITH_FOLDER(an_empty_folder_is_refused),
	    WITH_FOLDER(an_id_that_comes_twice_is_refused),
	    WITH_FOLDER(one_bad_file_refuses_the_folder),
	    WITH_FOLDER(other_files_are_left_alone),
	    cmocka_unit_test(a_folder_needs_to_exist_and_a_catalog_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
