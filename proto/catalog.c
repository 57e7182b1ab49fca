/*
 * The rules a routine must keep, each one a line of a table or a short function.
 *
 * Origins, as the comments cite them: S2 "Massage After Running: Pro-Level Guidance"; S3 a running coach's article on massage
 * and foam rolling; L published literature or a maker's document; D our own choice.
 *
 * gf_routine_check_at looks at the routine itself, then at each step alone, then at the step's place after the one before it,
 * and last at what all steps add up to; the first mistake ends it.
 */
#include "proto/catalog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	START_MAX_PCT = 30,      /* S2: start with low power, then raise */
	PRESSURE_MAX_MMHG = 100, /* L: 0 to 100 is the typical range of compression */
	SPEED_MAX_MM_S = 25,     /* S3: about one inch a second */
	HOLD_MAX_MS = 30 * 1000, /* S3: pause on a tender spot for 20 to 30 s */
	MS_PER_H = 60 * 60 * 1000,
};
#define RAMP_MAX_PCT_S 1.0F /* S2 */
#define ROUNDING 0.01F      /* of ramps that were cut into pieces */

/* What an area is made of decides what may be done to it. */
enum tissue { TISSUE_NONE, MUSCLE, LIMB, BAND, SOLE, NECK, TENDON, BONE, KNEE_CAP, TISSUE_COUNT };

static const enum tissue tissues[GF_AREA_COUNT] = {
    [GF_AREA_GLUTES] = MUSCLE,
    [GF_AREA_HAMSTRINGS] = MUSCLE,
    [GF_AREA_BICEPS_FEMORIS] = MUSCLE,
    [GF_AREA_SEMITENDINOSUS] = MUSCLE,
    [GF_AREA_SEMIMEMBRANOSUS] = MUSCLE,
    [GF_AREA_QUADS] = MUSCLE,
    [GF_AREA_VASTUS_LATERALIS] = MUSCLE,
    [GF_AREA_VASTUS_MEDIALIS] = MUSCLE,
    [GF_AREA_PATELLA] = KNEE_CAP,
    [GF_AREA_CALVES] = MUSCLE,
    [GF_AREA_GASTROCNEMIUS_LATERAL] = MUSCLE,
    [GF_AREA_ACHILLES] = TENDON,
    [GF_AREA_IT_BAND] = BAND,
    [GF_AREA_FEET] = SOLE,
    [GF_AREA_ARCH] = SOLE,
    [GF_AREA_TOES] = BONE,
    [GF_AREA_LOWER_BACK] = MUSCLE,
    [GF_AREA_UPPER_BACK] = MUSCLE,
    [GF_AREA_SHOULDERS] = MUSCLE,
    [GF_AREA_NECK] = NECK,
    [GF_AREA_ARMS] = MUSCLE,
    [GF_AREA_LEGS] = LIMB,
};

#define EVERY_TECHNIQUE(pct)                                                                          \
	[GF_TECHNIQUE_STROKE] = (pct), [GF_TECHNIQUE_PRESS] = (pct), [GF_TECHNIQUE_DRUM] = (pct),         \
	[GF_TECHNIQUE_PERCUSSION] = (pct), [GF_TECHNIQUE_ROLL] = (pct), [GF_TECHNIQUE_KNEAD] = (pct),     \
	[GF_TECHNIQUE_FRICTION] = (pct), [GF_TECHNIQUE_STRETCH] = (pct), [GF_TECHNIQUE_COMPRESS] = (pct), \
	[GF_TECHNIQUE_WATER] = (pct)
#define GENTLE_ONLY(pct)                                                                          \
	[GF_TECHNIQUE_STROKE] = (pct), [GF_TECHNIQUE_PRESS] = (pct), [GF_TECHNIQUE_COMPRESS] = (pct), \
	[GF_TECHNIQUE_WATER] = (pct)

/* The cap in percent; 0 is never. A row names what is allowed: what it leaves out is forbidden. */
static const uint8_t caps_pct[TISSUE_COUNT][GF_TECHNIQUE_COUNT] = {
    /* S2: large muscles. */
    [MUSCLE] = {EVERY_TECHNIQUE(GF_INTENSITY_MAX_PCT)},
    /* The whole leg has the knee in it: nothing that digs into one spot. */
    [LIMB] = {GENTLE_ONLY(GF_INTENSITY_MAX_PCT), [GF_TECHNIQUE_DRUM] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_KNEAD] = GF_INTENSITY_MAX_PCT, [GF_TECHNIQUE_STRETCH] = GF_INTENSITY_MAX_PCT},
    /* S3 rolls the band from hip to knee; it is no muscle, so no impact (S2). */
    [BAND] = {GENTLE_ONLY(GF_INTENSITY_MAX_PCT), [GF_TECHNIQUE_ROLL] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_KNEAD] = GF_INTENSITY_MAX_PCT, [GF_TECHNIQUE_FRICTION] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_STRETCH] = GF_INTENSITY_MAX_PCT},
    /* S1 rolls the sole; bones lie close below it, so no impact (S3). */
    [SOLE] = {GENTLE_ONLY(GF_INTENSITY_MAX_PCT), [GF_TECHNIQUE_ROLL] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_KNEAD] = GF_INTENSITY_MAX_PCT, [GF_TECHNIQUE_FRICTION] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_STRETCH] = GF_INTENSITY_MAX_PCT},
    /* D: vertebrae and vessels; no impact. */
    [NECK] = {GENTLE_ONLY(GF_INTENSITY_MAX_PCT), [GF_TECHNIQUE_KNEAD] = GF_INTENSITY_MAX_PCT,
              [GF_TECHNIQUE_FRICTION] = GF_INTENSITY_MAX_PCT, [GF_TECHNIQUE_STRETCH] = GF_INTENSITY_MAX_PCT},
    /* S2, S3: never tendons, joints, bones; D: pressing and stroking gently is what S1 and S0 do there. */
    [TENDON] = {GENTLE_ONLY(30), [GF_TECHNIQUE_STRETCH] = 30},
    [BONE] = {GENTLE_ONLY(30), [GF_TECHNIQUE_STRETCH] = 30},
    [KNEE_CAP] = {GENTLE_ONLY(15)},
};

/* What a technique may have, and how many seconds of it an area bears in one session (P1; S2, S3). */
struct technique_rule {
	float low_hz, high_hz; /* 0: it has no frequency */
	uint32_t area_max_s;
	bool holds, travels, presses;
};

static const struct technique_rule rules[] = {
    [GF_TECHNIQUE_STROKE] = {.area_max_s = 1800},
    [GF_TECHNIQUE_PRESS] = {.area_max_s = 240, .holds = true},
    [GF_TECHNIQUE_DRUM] = {1, 10, .area_max_s = 180},        /* D */
    [GF_TECHNIQUE_PERCUSSION] = {17, 53, .area_max_s = 180}, /* L: Cheatham 2021, IJSPT */
    [GF_TECHNIQUE_ROLL] = {.area_max_s = 240, .holds = true, .travels = true},
    [GF_TECHNIQUE_KNEAD] = {0.5F, 3, .area_max_s = 240},    /* D */
    [GF_TECHNIQUE_FRICTION] = {0.5F, 3, .area_max_s = 240}, /* D */
    [GF_TECHNIQUE_STRETCH] = {.area_max_s = 240},
    [GF_TECHNIQUE_COMPRESS] = {.area_max_s = 1800, .presses = true},
    [GF_TECHNIQUE_WATER] = {0.5F, 5, .area_max_s = 1800}, /* D */
};
_Static_assert(sizeof(rules) / sizeof(rules[0]) == GF_TECHNIQUE_COUNT, "each technique has its rule");

/* The longest a machine of the class runs at a stretch. */
static const uint32_t class_max_s[] = {
    [GF_CLASS_PERCUSSION] = 15 * 60,            /* L: 15 min a use, by a maker's FAQ */
    [GF_CLASS_ROLLER] = GF_ROUTINE_SECONDS_MAX, /* moved by hand: no limit but the routine's own */
    [GF_CLASS_COMPRESSION] = 30 * 60,           /* L: 30 min in the trials */
    [GF_CLASS_CHAIR] = 30 * 60,                 /* L: 20 min typical, 30 at most */
    [GF_CLASS_WATER_BED] = 15 * 60,             /* L */
};
_Static_assert(sizeof(class_max_s) / sizeof(class_max_s[0]) == GF_CLASS_COUNT, "each class has its limit");

struct check {
	const struct gf_routine *routine;
	struct gf_routine_fault *fault;
	struct gf_diag *diag;
	size_t index; /* of `step`; SIZE_MAX while the routine itself is looked at */
	const struct gf_step *step;
};

static int wrong(const struct check *c, const char *key, const char *fmt, ...) GF_PRINTF(3, 4);
static int wrong(const struct check *c, const char *key, const char *fmt, ...)
{
	char sentence[GF_DIAG_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	gf_diag_set(c->diag, "%s", sentence);
	*c->fault = (struct gf_routine_fault){.step = c->index, .key = key};
	return -EINVAL;
}

/* False for NaN too. */
static bool within(float value, float low, float high)
{
	return value >= low && value <= high;
}

/* --- the routine itself ------------------------------------------------------------------------------------------ */

static int check_head(const struct check *c)
{
	const struct gf_routine *r = c->routine;
	const uint32_t known = ((1U << GF_CLASS_COUNT) - 1) & ~1U;

	if (!gf_routine_id_valid(r->id))
		return wrong(c, "id", "the id '%s' must be lower-case letters, digits and '_', and begin with a letter", r->id);
	if (r->title[0] == '\0' || !gf_utf8_valid(r->title, strlen(r->title)))
		return wrong(c, "title", "the title must be text (UTF-8) of 1 to %d bytes", GF_TEXT_MAX - 1);
	if (r->classes == 0 || (r->classes & ~known) != 0)
		return wrong(c, "classes", "at least one device class is needed, and only known ones");
	if (r->cap_pct != 0 && !within(r->cap_pct, 1, GF_INTENSITY_MAX_PCT))
		return wrong(c, "cap_pct", "cap_pct is %g; allowed: 1 to %d", (double)r->cap_pct, GF_INTENSITY_MAX_PCT);
	if (r->after_hard_effort_ms > GF_ROUTINE_AFTER_EFFORT_MAX_H * MS_PER_H)
		return wrong(c, "after_hard_effort_h", "after_hard_effort_h is above %d", GF_ROUTINE_AFTER_EFFORT_MAX_H);
	if (r->steps_count < 1 || r->steps_count > GF_ROUTINE_STEPS_MAX)
		return wrong(c, "steps", "the routine has %zu steps, sides and repetitions counted; allowed: 1 to %d",
		             r->steps_count, GF_ROUTINE_STEPS_MAX);
	return 0;
}

/* --- each step alone --------------------------------------------------------------------------------------------- */

/* No output at all: a pause between two repetitions. */
static bool is_pause(const struct gf_step *s)
{
	return s->from_pct == 0 && s->to_pct == 0;
}

static int check_names(const struct check *c)
{
	const struct gf_step *s = c->step;

	if (s->area <= GF_AREA_UNSPECIFIED || s->area >= GF_AREA_COUNT)
		return wrong(c, "area", "area %d is not known", (int)s->area);
	if (s->side <= GF_SIDE_UNSPECIFIED || s->side >= GF_SIDE_COUNT)
		return wrong(c, "sides", "side %d is not known", (int)s->side);
	if (s->technique <= GF_TECHNIQUE_UNSPECIFIED || s->technique >= GF_TECHNIQUE_COUNT)
		return wrong(c, "technique", "technique %d is not known", (int)s->technique);
	return 0;
}

/* "stroke, press, compress and the like": the techniques the area bears. */
static void allowed_there(enum gf_area area, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int t = 1; t < GF_TECHNIQUE_COUNT; t++) {
		if (gf_technique_cap_pct(area, (enum gf_technique)t) == 0)
			continue;
		int n = snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", gf_technique_name((enum gf_technique)t));
		if (n < 0 || (size_t)n >= size - len)
			return;
		len += (size_t)n;
	}
}

static int check_area(const struct check *c)
{
	char techniques[128];

	if (gf_technique_cap_pct(c->step->area, c->step->technique) > 0)
		return 0;
	allowed_there(c->step->area, techniques, sizeof(techniques));
	return wrong(c, "technique", "%s is never allowed on %s; allowed there: %s", gf_technique_name(c->step->technique),
	             gf_area_name(c->step->area), techniques);
}

static int check_times(const struct check *c)
{
	const struct gf_step *s = c->step;
	const struct technique_rule *rule = &rules[s->technique];

	if (s->duration_ms < 1000 || s->duration_ms > rule->area_max_s * 1000)
		return wrong(c, "seconds", "%g s of %s; allowed: 1 to %u s", s->duration_ms / 1000.0,
		             gf_technique_name(s->technique), rule->area_max_s);
	if (s->ramp_ms > s->duration_ms)
		return wrong(c, "ramp_s", "the ramp takes %g s, the step only %g s", s->ramp_ms / 1000.0,
		             s->duration_ms / 1000.0);
	if (s->hold_ms == 0)
		return 0;
	if (!rule->holds)
		return wrong(c, "hold_s", "%s never holds still; only roll and press may", gf_technique_name(s->technique));
	if (s->hold_ms > HOLD_MAX_MS || s->hold_ms >= s->duration_ms)
		return wrong(c, "hold_s", "a hold of %g s in a step of %g s; allowed: up to %d s, and shorter than the step",
		             s->hold_ms / 1000.0, s->duration_ms / 1000.0, HOLD_MAX_MS / 1000);
	return 0;
}

static int check_intensity(const struct check *c)
{
	const struct gf_step *s = c->step;
	const float area_cap = gf_technique_cap_pct(s->area, s->technique);
	const float cap = c->routine->cap_pct > 0 && c->routine->cap_pct < area_cap ? c->routine->cap_pct : area_cap;
	const struct {
		const char *key;
		float pct;
	} ends[] = {{"from_pct", s->from_pct}, {"to_pct", s->to_pct}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (within(ends[i].pct, 0, cap))
			continue;
		return wrong(c, ends[i].key, "%g %% of %s on %s; allowed: 0 to %g %%%s", (double)ends[i].pct,
		             gf_technique_name(s->technique), gf_area_name(s->area), (double)cap,
		             cap < area_cap ? " (the routine's cap_pct)" : "");
	}
	return 0;
}

static int check_ramp(const struct check *c)
{
	const struct gf_step *s = c->step;
	const float rise = s->to_pct - s->from_pct;

	if (rise == 0)
		return 0;
	if (s->ramp_ms == 0)
		return wrong(c, "ramp_s", "from %g to %g %% needs a ramp_s of at least %g s (at most %g %%/s)",
		             (double)s->from_pct, (double)s->to_pct, (double)(rise > 0 ? rise / RAMP_MAX_PCT_S : 1),
		             (double)RAMP_MAX_PCT_S);
	if (rise * 1000 > (RAMP_MAX_PCT_S + ROUNDING) * (float)s->ramp_ms)
		return wrong(c, "ramp_s", "from %g to %g %% in %g s; allowed: at most %g %%/s, so %g s or longer",
		             (double)s->from_pct, (double)s->to_pct, s->ramp_ms / 1000.0, (double)RAMP_MAX_PCT_S,
		             (double)(rise / RAMP_MAX_PCT_S));
	return 0;
}

static int check_frequency(const struct check *c)
{
	const struct gf_step *s = c->step;
	const struct technique_rule *rule = &rules[s->technique];
	const char *name = gf_technique_name(s->technique);
	const struct {
		const char *key;
		float hz;
	} ends[] = {{"from_hz", s->from_hz}, {"to_hz", s->to_hz}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (is_pause(s) || rule->high_hz == 0) {
			if (ends[i].hz != 0)
				return wrong(c, ends[i].key, "%s has no frequency", is_pause(s) ? "a pause" : name);
		} else if (!within(ends[i].hz, rule->low_hz, rule->high_hz)) {
			return wrong(c, ends[i].key, "%s at %g Hz; allowed: %g to %g Hz", name, (double)ends[i].hz,
			             (double)rule->low_hz, (double)rule->high_hz);
		}
	}
	return 0;
}

static int check_pressure(const struct check *c)
{
	const struct gf_step *s = c->step;
	const struct {
		const char *key;
		float mmhg;
	} ends[] = {{"from_mmhg", s->pressure_from_mmhg}, {"to_mmhg", s->pressure_to_mmhg}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].mmhg == 0)
			continue;
		if (is_pause(s) || !rules[s->technique].presses)
			return wrong(c, ends[i].key, "%s has no pressure; only compress has",
			             is_pause(s) ? "a pause" : gf_technique_name(s->technique));
		if (!within(ends[i].mmhg, 0, PRESSURE_MAX_MMHG))
			return wrong(c, ends[i].key, "%g mmHg; allowed: 0 to %d mmHg", (double)ends[i].mmhg, PRESSURE_MAX_MMHG);
	}
	return 0;
}

static int check_speed(const struct check *c)
{
	const struct gf_step *s = c->step;

	if (s->speed_mm_s == 0)
		return 0;
	if (is_pause(s) || !rules[s->technique].travels)
		return wrong(c, "speed_mm_s", "%s has no speed; only roll has",
		             is_pause(s) ? "a pause" : gf_technique_name(s->technique));
	if (!within(s->speed_mm_s, 1, SPEED_MAX_MM_S))
		return wrong(c, "speed_mm_s", "%g mm/s; allowed: 1 to %d mm/s", (double)s->speed_mm_s, SPEED_MAX_MM_S);
	return 0;
}

/* --- a step after the one before --------------------------------------------------------------------------------- */

/* Above START_MAX_PCT only where the step goes on from what the same spot has just had. */
static int check_start(const struct check *c)
{
	const struct gf_step *s = c->step;
	const struct gf_step *before = c->index > 0 ? s - 1 : NULL;

	if (s->from_pct <= START_MAX_PCT)
		return 0;
	if (before != NULL && before->area == s->area && before->side == s->side && before->technique == s->technique &&
	    s->from_pct <= before->to_pct + ROUNDING)
		return 0;
	return wrong(c, "from_pct", "starts at %g %%; allowed: at most %d %%, then a ramp", (double)s->from_pct,
	             START_MAX_PCT);
}

static int (*const step_checks[])(const struct check *) = {
    check_names, check_area,      check_times,    check_intensity, check_ramp,
    check_start, check_frequency, check_pressure, check_speed,
};

/* --- what the steps add up to ------------------------------------------------------------------------------------ */

static bool same_spot(const struct gf_step *a, const struct gf_step *b)
{
	return a->area == b->area && (a->side == b->side || a->side == GF_SIDE_BOTH || b->side == GF_SIDE_BOTH);
}

/* The time that techniques of one limit have had on this step's spot, up to and with this step. */
static int check_area_total(const struct check *c)
{
	const uint32_t max_s = rules[c->step->technique].area_max_s;
	uint64_t sum_ms = 0;

	for (size_t i = 0; i <= c->index; i++) {
		const struct gf_step *s = &c->routine->steps[i];
		if (!is_pause(s) && same_spot(s, c->step) && rules[s->technique].area_max_s == max_s)
			sum_ms += s->duration_ms;
	}
	if (sum_ms <= (uint64_t)max_s * 1000)
		return 0;
	return wrong(c, "seconds", "%s gets %g s of %s and the like on one side; allowed: %u s a session",
	             gf_area_name(c->step->area), (double)sum_ms / 1000, gf_technique_name(c->step->technique), max_s);
}

static int check_total(const struct check *c)
{
	uint64_t total_ms = 0;

	for (size_t i = 0; i < c->routine->steps_count; i++)
		total_ms += c->routine->steps[i].duration_ms;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		if ((c->routine->classes & (1U << class)) != 0 && total_ms > (uint64_t)class_max_s[class] * 1000)
			return wrong(c, "total_s", "the routine takes %g s; class %s runs %u s at most", (double)total_ms / 1000,
			             gf_class_name((enum gf_class) class), class_max_s[class]);
	}
	return 0;
}

/* --- what the header promises ------------------------------------------------------------------------------------ */

bool gf_routine_id_valid(const char *id)
{
	return id[0] >= 'a' && id[0] <= 'z' && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(id);
}

uint32_t gf_class_max_s(enum gf_class class)
{
	return class > GF_CLASS_UNSPECIFIED && class < GF_CLASS_COUNT ? class_max_s[class] : 0;
}

uint32_t gf_technique_area_max_s(enum gf_technique technique)
{
	return technique > GF_TECHNIQUE_UNSPECIFIED && technique < GF_TECHNIQUE_COUNT ? rules[technique].area_max_s : 0;
}

float gf_technique_cap_pct(enum gf_area area, enum gf_technique technique)
{
	if (area <= GF_AREA_UNSPECIFIED || area >= GF_AREA_COUNT)
		return 0;
	if (technique <= GF_TECHNIQUE_UNSPECIFIED || technique >= GF_TECHNIQUE_COUNT)
		return 0;
	return caps_pct[tissues[area]][technique];
}

int gf_routine_check_at(const struct gf_routine *routine, struct gf_routine_fault *ret_fault, struct gf_diag *diag)
{
	struct check c = {.routine = routine, .fault = ret_fault, .diag = diag, .index = SIZE_MAX};
	int r = check_head(&c);

	for (size_t i = 0; r == 0 && i < routine->steps_count; i++) {
		c.index = i;
		c.step = &routine->steps[i];
		for (size_t k = 0; r == 0 && k < sizeof(step_checks) / sizeof(step_checks[0]); k++)
			r = step_checks[k](&c);
		if (r == 0)
			r = check_area_total(&c);
	}
	if (r != 0)
		return r;
	c.index = SIZE_MAX;
	return check_total(&c);
}

int gf_routine_check(const struct gf_routine *routine, size_t *ret_step, struct gf_diag *diag)
{
	struct gf_routine_fault fault = {.step = SIZE_MAX};
	int r = gf_routine_check_at(routine, &fault, diag);

	if (r == 0)
		return 0;
	if (fault.step == SIZE_MAX)
		gf_diag_prefix(diag, "routine '%s'", routine->id);
	else
		gf_diag_prefix(diag, "routine '%s', step %zu, %s", routine->id, fault.step + 1, fault.key);
	if (ret_step != NULL)
		*ret_step = fault.step;
	return r;
}

uint32_t gf_routine_duration_ms(const struct gf_routine *routine)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < routine->steps_count; i++)
		sum += routine->steps[i].duration_ms;
	return sum;
}

const struct gf_routine *gf_catalog_find(const struct gf_catalog *catalog, const char *id)
{
	for (size_t i = 0; i < catalog->routines_count; i++) {
		if (strcmp(catalog->routines[i].id, id) == 0)
			return &catalog->routines[i];
	}
	return NULL;
}

void gf_routine_deinit(struct gf_routine *routine)
{
	if (routine == NULL)
		return;
	free(routine->steps);
	memset(routine, 0, sizeof(*routine));
}

void gf_catalog_deinit(struct gf_catalog *catalog)
{
	if (catalog == NULL)
		return;
	for (size_t i = 0; catalog->routines != NULL && i < catalog->routines_count; i++)
		gf_routine_deinit(&catalog->routines[i]);
	free(catalog->routines);
	memset(catalog, 0, sizeof(*catalog));
}
