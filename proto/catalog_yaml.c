/*
 * From a routine's YAML to flat steps, in three passes: cyaml reads the keys, `compile` resolves names and unrolls sides and
 * repetitions, gf_routine_check_at judges the outcome. Each compiled step remembers the YAML step it came from, so that a
 * mistake that is found in the last pass still points at its line.
 */
#include "proto/catalog_yaml.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/yaml.h"

enum {
	YAML_STEPS_MAX = 64,
	REPEAT_MAX = 60,
	FULL_SCALE_MMHG = 100,
	AT_MAX = 64, /* "steps[63].after_hard_effort_h" and the like */
};

/* A number as it is written: constant, or from and to. NULL where left out. */
struct range_yaml {
	float *constant, *from, *to;
};

struct step_yaml {
	char area[GF_NAME_MAX], technique[GF_NAME_MAX];
	char **sides;
	unsigned sides_count, repeat;
	float seconds, ramp_s, off_s, speed_mm_s, hold_s;
	struct range_yaml pct, hz, mmhg;
};

struct routine_yaml {
	char id[GF_NAME_MAX], title[GF_TEXT_MAX], depth[GF_NAME_MAX], order[GF_NAME_MAX];
	char **classes, **sides;
	unsigned classes_count, sides_count, total_s;
	bool staff_unlock;
	float *cap_pct;
	float after_hard_effort_h;
	struct step_yaml *steps;
	unsigned steps_count;
};

#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL

static const cyaml_schema_value_t name_schema = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, GF_NAME_MAX)};

/* The three keys of a range: "pct", "from_pct", "to_pct". */
#define RANGE_FIELDS(key)                                                          \
	CYAML_FIELD_FLOAT_PTR(#key, OPTIONAL, struct step_yaml, key.constant),         \
	    CYAML_FIELD_FLOAT_PTR("from_" #key, OPTIONAL, struct step_yaml, key.from), \
	    CYAML_FIELD_FLOAT_PTR("to_" #key, OPTIONAL, struct step_yaml, key.to)

static const cyaml_schema_field_t step_fields[] = {
    CYAML_FIELD_STRING("area", REQUIRED, struct step_yaml, area, 1),
    CYAML_FIELD_STRING("technique", REQUIRED, struct step_yaml, technique, 1),
    CYAML_FIELD_SEQUENCE("sides", OPTIONAL | CYAML_FLAG_POINTER, struct step_yaml, sides, &name_schema, 1, 2),
    CYAML_FIELD_UINT("repeat", OPTIONAL, struct step_yaml, repeat),
    CYAML_FIELD_FLOAT("seconds", REQUIRED, struct step_yaml, seconds),
    CYAML_FIELD_FLOAT("off_s", OPTIONAL, struct step_yaml, off_s),
    RANGE_FIELDS(pct),
    CYAML_FIELD_FLOAT("ramp_s", OPTIONAL, struct step_yaml, ramp_s),
    RANGE_FIELDS(hz),
    RANGE_FIELDS(mmhg),
    CYAML_FIELD_FLOAT("speed_mm_s", OPTIONAL, struct step_yaml, speed_mm_s),
    CYAML_FIELD_FLOAT("hold_s", OPTIONAL, struct step_yaml, hold_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t step_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct step_yaml, step_fields),
};

static const cyaml_schema_field_t routine_fields[] = {
    CYAML_FIELD_STRING("id", REQUIRED, struct routine_yaml, id, 1),
    CYAML_FIELD_STRING("title", REQUIRED, struct routine_yaml, title, 1),
    CYAML_FIELD_SEQUENCE("classes", CYAML_FLAG_POINTER, struct routine_yaml, classes, &name_schema, 1,
                         GF_CLASS_COUNT - 1),
    CYAML_FIELD_STRING("depth", OPTIONAL, struct routine_yaml, depth, 1),
    CYAML_FIELD_STRING("order", OPTIONAL, struct routine_yaml, order, 1),
    CYAML_FIELD_BOOL("staff_unlock", OPTIONAL, struct routine_yaml, staff_unlock),
    CYAML_FIELD_FLOAT_PTR("cap_pct", OPTIONAL, struct routine_yaml, cap_pct),
    CYAML_FIELD_FLOAT("after_hard_effort_h", OPTIONAL, struct routine_yaml, after_hard_effort_h),
    CYAML_FIELD_UINT("total_s", REQUIRED, struct routine_yaml, total_s),
    CYAML_FIELD_SEQUENCE("sides", OPTIONAL | CYAML_FLAG_POINTER, struct routine_yaml, sides, &name_schema, 1, 2),
    CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct routine_yaml, steps, &step_schema, 1, YAML_STEPS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t routine_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct routine_yaml, routine_fields),
};

static const struct depth {
	const char *name;
	float max_pct;
} depths[] = {{"superficial", 40}, {"moderate", 60}, {"deep", 80}};

struct compiler {
	const struct gf_yaml *doc;
	const struct routine_yaml *yaml;
	struct gf_diag *diag;
	const struct depth *depth; /* NULL = not declared */
	struct gf_routine out;
	size_t origin[GF_ROUTINE_STEPS_MAX]; /* of each compiled step: its index in yaml->steps */
};

/* --- saying what is wrong ---------------------------------------------------------------------------------------- */

/* A mistake at key `at` of the routine (`step` = SIZE_MAX) or of one of its steps. */
static int fail(const struct compiler *c, size_t step, const char *at, const char *fmt, ...) GF_PRINTF(4, 5);
static int fail(const struct compiler *c, size_t step, const char *at, const char *fmt, ...)
{
	char sentence[GF_DIAG_MAX / 2], path[AT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	if (step == SIZE_MAX)
		return gf_yaml_fail(c->doc, at, c->diag, "routine '%s': %s", c->yaml->id, sentence);
	snprintf(path, sizeof(path), "steps[%zu].%s", step, at);
	return gf_yaml_fail(c->doc, path, c->diag, "routine '%s', step %zu: %s", c->yaml->id, step + 1, sentence);
}

/* One enumeration of the model, as far as a reader of names needs it. */
struct vocabulary {
	const char *what;
	int count;
	const char *(*name)(int value);
};

static const char *class_name(int v)
{
	return gf_class_name((enum gf_class)v);
}
static const char *side_name(int v)
{
	return gf_side_name((enum gf_side)v);
}
static const char *area_name(int v)
{
	return gf_area_name((enum gf_area)v);
}
static const char *technique_name(int v)
{
	return gf_technique_name((enum gf_technique)v);
}

static const struct vocabulary classes = {"class", GF_CLASS_COUNT, class_name};
static const struct vocabulary sides = {"side", GF_SIDE_COUNT, side_name};
static const struct vocabulary areas = {"area", GF_AREA_COUNT, area_name};
static const struct vocabulary techniques = {"technique", GF_TECHNIQUE_COUNT, technique_name};

/* Looks a name up; an unknown one is answered with the nearest known name, or with all of them. */
static int look_up(const struct compiler *c, const struct vocabulary *words, size_t step, const char *at,
                   const char *name, int *ret_value)
{
	const char *known[32];
	char all[384] = "";
	size_t len = 0;

	for (int v = 1; v < words->count; v++) {
		known[v - 1] = words->name(v);
		if (strcmp(known[v - 1], name) == 0) {
			*ret_value = v;
			return 0;
		}
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", v > 1 ? ", " : "", known[v - 1]);
	}
	const char *nearest = gf_nearest(name, known, (size_t)words->count - 1);
	if (nearest != NULL)
		return fail(c, step, at, "unknown %s '%s'; did you mean '%s'?", words->what, name, nearest);
	return fail(c, step, at, "unknown %s '%s'; known: %s", words->what, name, all);
}
_Static_assert(GF_AREA_COUNT <= 32 && GF_TECHNIQUE_COUNT <= 32, "look_up's list has room for every vocabulary");

/* Seconds, as written, to ms; `max_s` keeps what is converted far from overflow, the real limits come later. */
static int to_ms(const struct compiler *c, size_t step, const char *at, float seconds, uint32_t *ret_ms)
{
	if (!(seconds >= 0 && seconds <= GF_ROUTINE_SECONDS_MAX))
		return fail(c, step, at, "%s is %g; allowed: 0 to %d s", at, (double)seconds, GF_ROUTINE_SECONDS_MAX);
	*ret_ms = (uint32_t)lroundf(seconds * 1000);
	return 0;
}

/* --- a step's numbers -------------------------------------------------------------------------------------------- */

struct range {
	float from, to;
};

/* A step, names and units resolved, not yet unrolled. */
struct plan {
	struct gf_step base; /* area, technique, speed, hold */
	uint32_t each_ms, off_ms, ramp_ms;
	unsigned repeat;
	struct range pct, hz, mmhg;
};

static int take_range(const struct compiler *c, size_t step, const char *unit, const struct range_yaml *yaml,
                      struct range *ret_range)
{
	if (yaml->constant != NULL && (yaml->from != NULL || yaml->to != NULL))
		return fail(c, step, unit, "either %s, or from_%s and to_%s, not both", unit, unit, unit);
	if ((yaml->from == NULL) != (yaml->to == NULL))
		return fail(c, step, unit, "from_%s and to_%s belong together; a constant is %s", unit, unit, unit);
	if (yaml->constant != NULL)
		*ret_range = (struct range){*yaml->constant, *yaml->constant};
	else if (yaml->from != NULL)
		*ret_range = (struct range){*yaml->from, *yaml->to};
	else
		*ret_range = (struct range){0, 0};
	return 0;
}

static bool is_given(const struct range_yaml *yaml)
{
	return yaml->constant != NULL || yaml->from != NULL;
}

static int plan_ranges(const struct compiler *c, size_t step, struct plan *plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	int r = take_range(c, step, "pct", &y->pct, &plan->pct);

	if (r == 0)
		r = take_range(c, step, "hz", &y->hz, &plan->hz);
	if (r == 0)
		r = take_range(c, step, "mmhg", &y->mmhg, &plan->mmhg);
	if (r != 0)
		return r;
	if (is_given(&y->pct))
		return 0;
	if (!is_given(&y->mmhg))
		return fail(c, step, "pct", "the intensity is missing: pct, or from_pct and to_pct");
	plan->pct = (struct range){plan->mmhg.from * 100 / FULL_SCALE_MMHG, plan->mmhg.to * 100 / FULL_SCALE_MMHG};
	return 0;
}

static int plan_times(const struct compiler *c, size_t step, struct plan *plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	const struct {
		const char *at;
		float seconds;
		uint32_t *ms;
	} times[] = {
	    {"seconds", y->seconds, &plan->each_ms},
	    {"ramp_s", y->ramp_s, &plan->ramp_ms},
	    {"off_s", y->off_s, &plan->off_ms},
	    {"hold_s", y->hold_s, &plan->base.hold_ms},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int r = to_ms(c, step, times[i].at, times[i].seconds, times[i].ms);
		if (r != 0)
			return r;
	}
	plan->repeat = y->repeat == 0 ? 1 : y->repeat;
	if (plan->repeat > REPEAT_MAX)
		return fail(c, step, "repeat", "repeat is %u; allowed: 1 to %d", plan->repeat, REPEAT_MAX);
	const uint64_t room_ms = plan->off_ms > 0 ? plan->each_ms : (uint64_t)plan->each_ms * plan->repeat;
	if (plan->ramp_ms > room_ms)
		return fail(c, step, "ramp_s", "the ramp takes %g s, but the step only %g s", (double)y->ramp_s,
		            (double)room_ms / 1000);
	return 0;
}

static int plan_step(const struct compiler *c, size_t step, struct plan *ret_plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	struct plan plan = {.base.speed_mm_s = y->speed_mm_s};
	int area = 0, technique = 0;
	int r = look_up(c, &areas, step, "area", y->area, &area);

	if (r == 0)
		r = look_up(c, &techniques, step, "technique", y->technique, &technique);
	if (r == 0)
		r = plan_times(c, step, &plan);
	if (r == 0)
		r = plan_ranges(c, step, &plan);
	if (r != 0)
		return r;
	plan.base.area = (enum gf_area)area;
	plan.base.technique = (enum gf_technique)technique;
	*ret_plan = plan;
	return 0;
}

/* --- unrolling --------------------------------------------------------------------------------------------------- */

static float ramp_at(struct range range, uint32_t ramp_ms, uint32_t at_ms)
{
	if (at_ms >= ramp_ms)
		return at_ms == 0 ? range.from : range.to;
	return range.from + (range.to - range.from) * (float)at_ms / (float)ramp_ms;
}

/* What one repetition that begins `at_ms` into the ramp is. */
static struct gf_step cut(const struct plan *plan, enum gf_side side, uint32_t at_ms)
{
	const uint32_t end_ms = at_ms + plan->each_ms;
	struct gf_step s = plan->base;

	s.side = side;
	s.duration_ms = plan->each_ms;
	s.from_pct = ramp_at(plan->pct, plan->ramp_ms, at_ms);
	s.to_pct = ramp_at(plan->pct, plan->ramp_ms, end_ms);
	s.from_hz = ramp_at(plan->hz, plan->ramp_ms, at_ms);
	s.to_hz = ramp_at(plan->hz, plan->ramp_ms, end_ms);
	s.pressure_from_mmhg = ramp_at(plan->mmhg, plan->ramp_ms, at_ms);
	s.pressure_to_mmhg = ramp_at(plan->mmhg, plan->ramp_ms, end_ms);
	if (plan->ramp_ms > at_ms)
		s.ramp_ms = plan->ramp_ms < end_ms ? plan->ramp_ms - at_ms : plan->each_ms;
	return s;
}

static int emit(struct compiler *c, size_t origin, const struct gf_step *step)
{
	if (c->out.steps_count == GF_ROUTINE_STEPS_MAX)
		return fail(c, SIZE_MAX, "steps", "more than %d steps, sides and repetitions counted", GF_ROUTINE_STEPS_MAX);
	c->origin[c->out.steps_count] = origin;
	c->out.steps[c->out.steps_count++] = *step;
	return 0;
}

static int unroll(struct compiler *c, size_t origin, const struct plan *plan, enum gf_side side)
{
	const struct gf_step off = {
	    .area = plan->base.area, .side = side, .technique = plan->base.technique, .duration_ms = plan->off_ms};

	for (unsigned i = 0; i < plan->repeat; i++) {
		const struct gf_step on = cut(plan, side, plan->off_ms > 0 ? 0 : i * plan->each_ms);
		int r = emit(c, origin, &on);
		if (r == 0 && plan->off_ms > 0)
			r = emit(c, origin, &off);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The sides a step is done on: its own, else the routine's, else both at once. Two are left and right, in either order. */
struct side_list {
	size_t step; /* whose key it is; SIZE_MAX = the routine's */
	size_t count;
	enum gf_side list[2];
};

static int take_sides(const struct compiler *c, size_t step, struct side_list *ret_sides)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	const bool own = y->sides_count > 0;
	char *const *names = own ? y->sides : c->yaml->sides;
	struct side_list out = {.step = own ? step : SIZE_MAX, .count = own ? y->sides_count : c->yaml->sides_count};

	for (size_t i = 0; i < out.count; i++) {
		int side = 0;
		int r = look_up(c, &sides, out.step, "sides", names[i], &side);
		if (r != 0)
			return r;
		out.list[i] = (enum gf_side)side;
	}
	if (out.count == 2 && (out.list[0] == out.list[1] || out.list[0] == GF_SIDE_BOTH || out.list[1] == GF_SIDE_BOTH))
		return fail(c, out.step, "sides", "two sides must be left and right; at the same time is [both]");
	if (out.count == 0)
		out = (struct side_list){.step = SIZE_MAX, .count = 1, .list = {GF_SIDE_BOTH}};
	*ret_sides = out;
	return 0;
}

static int compile_step(struct compiler *c, size_t step)
{
	struct side_list on = {0};
	struct plan plan = {0};
	int r = plan_step(c, step, &plan);

	if (r == 0)
		r = take_sides(c, step, &on);
	for (size_t i = 0; r == 0 && i < on.count; i++)
		r = unroll(c, step, &plan, on.list[i]);
	return r;
}

/* --- the routine ------------------------------------------------------------------------------------------------- */

static int take_classes(struct compiler *c)
{
	for (unsigned i = 0; i < c->yaml->classes_count; i++) {
		char at[AT_MAX];
		int class = 0;
		snprintf(at, sizeof(at), "classes[%u]", i);
		int r = look_up(c, &classes, SIZE_MAX, at, c->yaml->classes[i], &class);
		if (r != 0)
			return r;
		c->out.classes |= 1U << class;
	}
	return 0;
}

static int take_depth(struct compiler *c)
{
	if (c->yaml->depth[0] == '\0')
		return 0;
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		if (strcmp(depths[i].name, c->yaml->depth) == 0) {
			c->depth = &depths[i];
			return 0;
		}
	}
	return fail(c, SIZE_MAX, "depth", "unknown depth '%s'; known: superficial, moderate, deep", c->yaml->depth);
}

static int take_head(struct compiler *c)
{
	const struct routine_yaml *y = c->yaml;
	int r = take_classes(c);

	if (r == 0)
		r = take_depth(c);
	if (r != 0)
		return r;
	if (y->order[0] != '\0' && strcmp(y->order, "strict") != 0)
		return fail(c, SIZE_MAX, "order", "unknown order '%s'; known: strict", y->order);
	if (!(y->after_hard_effort_h >= 0 && y->after_hard_effort_h <= GF_ROUTINE_AFTER_EFFORT_MAX_H))
		return fail(c, SIZE_MAX, "after_hard_effort_h", "after_hard_effort_h is %g; allowed: 0 to %d",
		            (double)y->after_hard_effort_h, GF_ROUTINE_AFTER_EFFORT_MAX_H);
	if (y->cap_pct != NULL && *y->cap_pct == 0)
		return fail(c, SIZE_MAX, "cap_pct", "cap_pct is 0; allowed: 1 to 80, or leave it out");
	c->out.cap_pct = y->cap_pct != NULL ? *y->cap_pct : 0;
	c->out.staff_unlock = y->staff_unlock;
	c->out.after_hard_effort_ms = (uint32_t)lroundf(y->after_hard_effort_h * 3600) * 1000;
	(void)gf_strcpy(c->out.id, sizeof(c->out.id), y->id);
	(void)gf_strcpy(c->out.title, sizeof(c->out.title), y->title);
	return 0;
}

/* In a strict order an area is done with, on every side, before the next one begins. */
static int check_order(const struct compiler *c)
{
	bool left[GF_AREA_COUNT] = {false};

	if (c->yaml->order[0] == '\0')
		return 0;
	for (size_t i = 1; i < c->out.steps_count; i++) {
		const enum gf_area before = c->out.steps[i - 1].area, area = c->out.steps[i].area;
		if (before != area)
			left[before] = true;
		if (left[area])
			return fail(c, c->origin[i], "area", "%s comes again after another area, but the order is strict",
			            gf_area_name(area));
	}
	return 0;
}

/* The key a fault stands at: a constant is written without "from_" and "to_", and mmhg alone stands for pct. */
static const char *written_key(const struct step_yaml *y, const char *key)
{
	const bool pct = strcmp(key, "from_pct") == 0 || strcmp(key, "to_pct") == 0;
	const bool hz = strcmp(key, "from_hz") == 0 || strcmp(key, "to_hz") == 0;
	const bool mmhg = strcmp(key, "from_mmhg") == 0 || strcmp(key, "to_mmhg") == 0;

	if (pct && y->pct.constant != NULL)
		return "pct";
	if (pct && y->pct.from == NULL)
		return "mmhg";
	if (hz && y->hz.constant != NULL)
		return "hz";
	if (mmhg && y->mmhg.constant != NULL)
		return "mmhg";
	return key;
}

static int check_rules(const struct compiler *c)
{
	struct gf_routine_fault fault;
	struct gf_diag why = {{0}};
	int r = gf_routine_check_at(&c->out, &fault, &why);

	if (r == 0)
		return 0;
	if (fault.step == SIZE_MAX)
		return fail(c, SIZE_MAX, fault.key, "%s", why.text);
	const size_t step = c->origin[fault.step];
	return fail(c, step, written_key(&c->yaml->steps[step], fault.key), "%s", why.text);
}

static int check_depth(const struct compiler *c)
{
	for (size_t i = 0; c->depth != NULL && i < c->out.steps_count; i++) {
		const struct gf_step *s = &c->out.steps[i];
		const float most = fmaxf(s->from_pct, s->to_pct);
		if (most > c->depth->max_pct)
			return fail(c, c->origin[i], written_key(&c->yaml->steps[c->origin[i]], "to_pct"),
			            "%g %% is deeper than %s; allowed: 0 to %g %%", (double)most, c->depth->name,
			            (double)c->depth->max_pct);
	}
	return 0;
}

static int check_total(const struct compiler *c)
{
	const uint32_t ms = gf_routine_duration_ms(&c->out);

	if ((uint64_t)c->yaml->total_s * 1000 == ms)
		return 0;
	return fail(c, SIZE_MAX, "total_s", "total_s is %u, but the steps add up to %g s", c->yaml->total_s, ms / 1000.0);
}

static int compile(struct compiler *c)
{
	int r = take_head(c);

	c->out.steps = calloc(GF_ROUTINE_STEPS_MAX, sizeof(*c->out.steps));
	if (c->out.steps == NULL) {
		gf_diag_set(c->diag, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < c->yaml->steps_count; i++)
		r = compile_step(c, i);
	if (r == 0)
		r = check_order(c);
	if (r == 0)
		r = check_rules(c);
	if (r == 0)
		r = check_depth(c);
	if (r == 0)
		r = check_total(c);
	return r;
}

/* Takes `doc` over. */
static int routine_of(struct gf_yaml *doc, const void *data, struct gf_routine *ret_routine, struct gf_diag *diag)
{
	struct compiler c = {.doc = doc, .yaml = data, .diag = diag};
	int r = compile(&c);

	gf_yaml_free(doc);
	if (r != 0) {
		gf_routine_deinit(&c.out);
		return r;
	}
	/* The table was made for the longest routine; the rest goes back. An empty one has been refused. */
	struct gf_step *fitting =
	    c.out.steps_count > 0 ? reallocarray(c.out.steps, c.out.steps_count, sizeof(*fitting)) : NULL;
	if (fitting != NULL)
		c.out.steps = fitting;
	*ret_routine = c.out;
	return 0;
}

int gf_catalog_yaml_routine(const char *path, struct gf_routine *ret_routine, struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	int r = gf_yaml_load(path, &routine_schema, &doc, &data, diag);

	return r == 0 ? routine_of(doc, data, ret_routine, diag) : r;
}

int gf_catalog_yaml_text(const char *name, const char *text, size_t len, struct gf_routine *ret_routine,
                         struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	int r = gf_yaml_load_text(name, text, len, &routine_schema, &doc, &data, diag);

	return r == 0 ? routine_of(doc, data, ret_routine, diag) : r;
}
