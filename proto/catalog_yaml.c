/*
 * From a routine's YAML to flat steps, in three passes: cyaml reads the keys, compile_step resolves names and unrolls sides and
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
#include "proto/catalog_yaml_impl.h"

enum {
	YAML_STEPS_MAX = 64,
	AT_MAX = 64, /* "steps[63].after_hard_effort_h" and the like */
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

/* --- saying what is wrong ---------------------------------------------------------------------------------------- */

int compile_fail(const struct compiler *c, size_t step, const char *at, const char *fmt, ...)
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

int compile_name(const struct compiler *c, const struct vocabulary *words, size_t step, const char *at,
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
		return compile_fail(c, step, at, "unknown %s '%s'; did you mean '%s'?", words->what, name, nearest);
	return compile_fail(c, step, at, "unknown %s '%s'; known: %s", words->what, name, all);
}
_Static_assert(GF_AREA_COUNT <= 32 && GF_TECHNIQUE_COUNT <= 32, "the list has room for every vocabulary");

/* --- the routine ------------------------------------------------------------------------------------------------- */

static const char *class_name(int v)
{
	return gf_class_name((enum gf_class)v);
}
static const struct vocabulary classes = {"class", GF_CLASS_COUNT, class_name};

static int take_classes(struct compiler *c)
{
	for (unsigned i = 0; i < c->yaml->classes_count; i++) {
		char at[AT_MAX];
		int class = 0;
		snprintf(at, sizeof(at), "classes[%u]", i);
		int r = compile_name(c, &classes, SIZE_MAX, at, c->yaml->classes[i], &class);
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
	return compile_fail(c, SIZE_MAX, "depth", "unknown depth '%s'; known: superficial, moderate, deep", c->yaml->depth);
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
		return compile_fail(c, SIZE_MAX, "order", "unknown order '%s'; known: strict", y->order);
	if (!(y->after_hard_effort_h >= 0 && y->after_hard_effort_h <= GF_ROUTINE_AFTER_EFFORT_MAX_H))
		return compile_fail(c, SIZE_MAX, "after_hard_effort_h", "after_hard_effort_h is %g; allowed: 0 to %d",
		                    (double)y->after_hard_effort_h, GF_ROUTINE_AFTER_EFFORT_MAX_H);
	if (y->cap_pct != NULL && *y->cap_pct == 0)
		return compile_fail(c, SIZE_MAX, "cap_pct", "cap_pct is 0; allowed: 1 to 80, or leave it out");
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
			return compile_fail(c, c->origin[i], "area", "%s comes again after another area, but the order is strict",
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
		return compile_fail(c, SIZE_MAX, fault.key, "%s", why.text);
	const size_t step = c->origin[fault.step];
	return compile_fail(c, step, written_key(&c->yaml->steps[step], fault.key), "%s", why.text);
}

static int check_depth(const struct compiler *c)
{
	for (size_t i = 0; c->depth != NULL && i < c->out.steps_count; i++) {
		const struct gf_step *s = &c->out.steps[i];
		const float most = fmaxf(s->from_pct, s->to_pct);
		if (most > c->depth->max_pct)
			return compile_fail(c, c->origin[i], written_key(&c->yaml->steps[c->origin[i]], "to_pct"),
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
	return compile_fail(c, SIZE_MAX, "total_s", "total_s is %u, but the steps add up to %g s", c->yaml->total_s,
	                    ms / 1000.0);
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
