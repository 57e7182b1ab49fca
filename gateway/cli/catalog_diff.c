/*
 * The steps of a routine are flat: sides and repetitions are unrolled. To compare them they are laid side by side so that as many as
 * possible are the same, and after that as many as possible of the same area, side and technique; the rest was added or removed.
 */
#include "gateway/cli/catalog_diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/catalog_file.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { ALIGN_SAME = 4, ALIGN_ALIKE = 1 };

struct step_field {
	const char *name, *label, *unit;
	size_t offset;
	bool ms; /* a uint32_t in ms, shown in s; else a float */
};

#define AT(member) offsetof(struct gf_step, member)
static const struct step_field fields[] = {
    {"duration_s", "duration", "s", AT(duration_ms), true},
    {"from_pct", "intensity from", "%", AT(from_pct), false},
    {"to_pct", "intensity to", "%", AT(to_pct), false},
    {"ramp_s", "ramp", "s", AT(ramp_ms), true},
    {"from_hz", "frequency from", "Hz", AT(from_hz), false},
    {"to_hz", "frequency to", "Hz", AT(to_hz), false},
    {"from_mmhg", "pressure from", "mmHg", AT(pressure_from_mmhg), false},
    {"to_mmhg", "pressure to", "mmHg", AT(pressure_to_mmhg), false},
    {"speed_mm_s", "speed", "mm/s", AT(speed_mm_s), false},
    {"hold_s", "hold at the end", "s", AT(hold_ms), true},
};

static const struct {
	const char *field, *label, *unit;
} other_words[] = {
    {"min_agent", "minimum agent", ""},
    {"rollback_floor", "goes back to", ""},
    {"next_keys", "next keys", ""},
    {"staff_unlock", "asks for staff", ""},
    {"cap_pct", "cap", "%"},
    {"length_s", "length", "s"},
    {"after_hard_effort_h", "after a hard effort", "h"},
};

void catalog_diff_words(const char *field, const char **ret_label, const char **ret_unit)
{
	*ret_label = field;
	*ret_unit = "";
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (strcmp(fields[i].name, field) == 0) {
			*ret_label = fields[i].label;
			*ret_unit = fields[i].unit;
		}
	}
	for (size_t i = 0; i < COUNT(other_words); i++) {
		if (strcmp(other_words[i].field, field) == 0) {
			*ret_label = other_words[i].label;
			*ret_unit = other_words[i].unit;
		}
	}
}

/* To a thousandth: a float has no more that anybody wrote. */
static double value_of(const struct gf_step *step, const struct step_field *field)
{
	const char *at = (const char *)step + field->offset;
	uint32_t ms;
	float number;

	if (field->ms) {
		memcpy(&ms, at, sizeof(ms));
		return ms / 1000.0;
	}
	memcpy(&number, at, sizeof(number));
	return round((double)number * 1000) / 1000;
}

static bool alike(const struct gf_step *a, const struct gf_step *b)
{
	return a->area == b->area && a->side == b->side && a->technique == b->technique;
}

static bool same(const struct gf_step *a, const struct gf_step *b)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (value_of(a, &fields[i]) != value_of(b, &fields[i]))
			return false;
	return alike(a, b);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

struct diff {
	json_t *rows;
	const char *routine; /* NULL = the catalog itself */
	size_t first;        /* the first row of this routine */
};

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

/* Takes `before` and `after` over; `step` NULL = not of a step. */
static void add(struct diff *d, const char *change, const struct gf_step *step, const char *field, json_t *before,
                json_t *after)
{
	const char *what = step != NULL ? "step" : d->routine != NULL ? "routine" : "catalog";

	(void)json_array_append_new(
	    d->rows, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "change", change, "what", what,
	                       "routine", text_or_null(d->routine), "steps", step != NULL ? json_array() : json_null(),
	                       "area", text_or_null(step != NULL ? gf_area_name(step->area) : NULL), "side",
	                       text_or_null(step != NULL ? gf_side_name(step->side) : NULL), "technique",
	                       text_or_null(step != NULL ? gf_technique_name(step->technique) : NULL), "field",
	                       text_or_null(field), "before", before, "after", after));
}

/* Equal but for the steps they are of. */
static bool same_row(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"change", "what", "area", "side", "technique", "field", "before", "after"};

	for (size_t i = 0; i < COUNT(keys); i++)
		if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
			return false;
	return true;
}

/* A step's row, or its number in the row of the steps before that changed in the same way. */
static void add_step(struct diff *d, const char *change, const struct gf_step *step, size_t number, const char *field,
                     json_t *before, json_t *after)
{
	add(d, change, step, field, before, after);
	const size_t last = json_array_size(d->rows) - 1;
	json_t *row = json_array_get(d->rows, last);
	for (size_t i = d->first; i < last; i++) {
		if (same_row(json_array_get(d->rows, i), row)) {
			row = json_array_get(d->rows, i);
			(void)json_array_remove(d->rows, last);
			break;
		}
	}
	(void)json_array_append_new(json_object_get(row, "steps"), json_integer((json_int_t)number));
}

static void compare(struct diff *d, const char *field, json_t *before, json_t *after)
{
	if (!json_equal(before, after)) {
		add(d, "changed", NULL, field, before, after);
		return;
	}
	json_decref(before);
	json_decref(after);
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

/* "45 s, 25 to 35 %, 24 to 32 Hz" */
static json_t *describe_step(const struct gf_step *s)
{
	static const struct {
		size_t from, to; /* into fields[] */
		const char *unit;
	} ranges[] = {{1, 2, "%"}, {4, 5, "Hz"}, {6, 7, "mmHg"}};
	char text[160];
	size_t n = (size_t)snprintf(text, sizeof(text), "%g s", value_of(s, &fields[0]));

	for (size_t i = 0; i < COUNT(ranges) && n < sizeof(text); i++) {
		const double from = value_of(s, &fields[ranges[i].from]), to = value_of(s, &fields[ranges[i].to]);
		if (from != to)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ", %g to %g %s", from, to, ranges[i].unit);
		else if (to != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ", %g %s", to, ranges[i].unit);
	}
	return json_string(text);
}

static void compare_step(struct diff *d, const struct gf_step *a, const struct gf_step *b, size_t number)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		const double before = value_of(a, &fields[i]), after = value_of(b, &fields[i]);
		if (before != after)
			add_step(d, "changed", a, number, fields[i].name, json_real(before), json_real(after));
	}
}

/* best[i * (n + 1) + j]: the most that the steps from i of `a` and from j of `b` on have in common. */
static unsigned *align(const struct gf_routine *a, const struct gf_routine *b)
{
	const size_t m = a->steps_count, n = b->steps_count, row = n + 1;
	unsigned *best = calloc((m + 1) * row, sizeof(*best));

	if (best == NULL)
		return NULL;
	for (size_t i = m; i-- > 0;) {
		for (size_t j = n; j-- > 0;) {
			const struct gf_step *s = &a->steps[i], *t = &b->steps[j];
			const unsigned pair = same(s, t) ? ALIGN_SAME : alike(s, t) ? ALIGN_ALIKE : 0;
			const unsigned down = best[(i + 1) * row + j], right = best[i * row + j + 1];
			unsigned most = down > right ? down : right;
			if (pair > 0 && best[(i + 1) * row + j + 1] + pair > most)
				most = best[(i + 1) * row + j + 1] + pair;
			best[i * row + j] = most;
		}
	}
	return best;
}

static void compare_steps(struct diff *d, const struct gf_routine *a, const struct gf_routine *b)
{
	const size_t row = b->steps_count + 1;
	unsigned *best = align(a, b);
	size_t i = 0, j = 0;

	while (best != NULL && (i < a->steps_count || j < b->steps_count)) {
		const bool both = i < a->steps_count && j < b->steps_count;
		const unsigned here = best[i * row + j];
		if (both && alike(&a->steps[i], &b->steps[j]) &&
		    here == best[(i + 1) * row + j + 1] +
		                (same(&a->steps[i], &b->steps[j]) ? (unsigned)ALIGN_SAME : (unsigned)ALIGN_ALIKE)) {
			compare_step(d, &a->steps[i], &b->steps[j], i + 1);
			i++;
			j++;
		} else if (i < a->steps_count && (j == b->steps_count || here == best[(i + 1) * row + j])) {
			add_step(d, "removed", &a->steps[i], i + 1, NULL, describe_step(&a->steps[i]), json_null());
			i++;
		} else {
			add_step(d, "added", &b->steps[j], j + 1, NULL, json_null(), describe_step(&b->steps[j]));
			j++;
		}
	}
	free(best);
}

/* --- routines and the catalog itself ------------------------------------------------------------------------------- */

static json_t *describe_routine(const struct gf_routine *r)
{
	char duration[GF_DURATION_MAX];

	return json_sprintf("%s, %zu steps", gf_duration_format(gf_routine_duration_ms(r), duration), r->steps_count);
}

static void compare_routine(struct diff *d, const struct gf_routine *a, const struct gf_routine *b)
{
	compare(d, "title", json_string(a->title), json_string(b->title));
	compare(d, "classes", catalog_classes(a->classes), catalog_classes(b->classes));
	compare(d, "staff_unlock", json_boolean(a->staff_unlock), json_boolean(b->staff_unlock));
	compare(d, "cap_pct", json_real(a->cap_pct), json_real(b->cap_pct));
	compare(d, "after_hard_effort_h", json_real(a->after_hard_effort_ms / 3600e3),
	        json_real(b->after_hard_effort_ms / 3600e3));
	compare(d, "length_s", json_real(gf_routine_duration_ms(a) / 1000.0),
	        json_real(gf_routine_duration_ms(b) / 1000.0));
	compare_steps(d, a, b);
}

static json_t *number_or_null(uint64_t number)
{
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

/* "2 of 0123456789abcdef, ..." */
static json_t *describe_keys(const struct gf_keyset *keys)
{
	char text[GF_KEYS_MAX * (KEY_ID_TEXT_MAX + 2) + 16], id[KEY_ID_TEXT_MAX];
	size_t n = (size_t)snprintf(text, sizeof(text), "%u of", keys->threshold);

	if (keys->threshold == 0)
		return json_null();
	for (size_t i = 0; i < keys->count; i++) {
		struct gf_key_id key_id;
		gf_key_id_of(keys->keys[i], &key_id);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s", i > 0 ? "," : "", catalog_key_id(&key_id, id));
	}
	return json_string(text);
}

static void compare_heads(struct diff *d, const struct gf_catalog *a, const struct gf_catalog *b)
{
	compare(d, "name", json_string(a->name), json_string(b->name));
	compare(d, "class", json_string(gf_class_name(a->class)), json_string(gf_class_name(b->class)));
	compare(d, "version", number_or_null(a->version), number_or_null(b->version));
	compare(d, "expires", catalog_time(a->expires_ms), catalog_time(b->expires_ms));
	compare(d, "min_agent", catalog_text(a->min_agent), catalog_text(b->min_agent));
	compare(d, "rollback_floor", number_or_null(a->rollback_floor), number_or_null(b->rollback_floor));
	compare(d, "next_keys", describe_keys(&a->next_keys), describe_keys(&b->next_keys));
}

static void begin(struct diff *d, const char *routine)
{
	d->routine = routine;
	d->first = json_array_size(d->rows);
}

json_t *catalog_diff(const struct gf_catalog *before, const struct gf_catalog *after)
{
	struct diff d = {.rows = json_array()};

	if (d.rows == NULL)
		return NULL;
	compare_heads(&d, before, after);
	for (size_t i = 0; i < after->routines_count; i++) {
		const struct gf_routine *now = &after->routines[i], *was = gf_catalog_find(before, now->id);
		begin(&d, now->id);
		if (was == NULL)
			add(&d, "added", NULL, NULL, json_null(), describe_routine(now));
		else
			compare_routine(&d, was, now);
	}
	for (size_t i = 0; i < before->routines_count; i++) {
		const struct gf_routine *was = &before->routines[i];
		begin(&d, was->id);
		if (gf_catalog_find(after, was->id) == NULL)
			add(&d, "removed", NULL, NULL, describe_routine(was), json_null());
	}
	return d.rows;
}
