#include "gateway/api/rollout_spec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "proto/catalog.h"

enum { SHOWN_MAX = 40, SPAN_MAX_S = 365 * 24 * 3600 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GATE_LIMIT_MAX 1e6

static const struct rollout_gate default_gates[] = {
    {ROLLOUT_GATE_FAULTS, 1.5, true},
    {ROLLOUT_GATE_USER_STOPS, 2, true},
};

static const char *const gate_names[] = {
#define X(s, n) n,
    ROLLOUT_GATE_KINDS(X)
#undef X
};

/* A text's part for people: cut where it is long. */
#define SHOWN(text) SHOWN_MAX, text

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip(const char *s)
{
	return s + strspn(s, " ");
}

/* Digits alone, at most `digits_max` of them: NULL when there are none, or more. */
static const char *read_whole(const char *s, size_t digits_max, uint32_t *ret)
{
	uint32_t value = 0;
	size_t n = 0;

	for (; n <= digits_max && is_digit(s[n]); n++)
		value = value * 10 + (uint32_t)(s[n] - '0');
	if (n == 0 || n > digits_max)
		return NULL;
	*ret = value;
	return s + n;
}

static int fail_at(struct gf_diag *diag, const char *field, const char *text, const char *at, const char *expected)
{
	gf_diag_set(diag, "%s: '%.*s', column %zu: expected %s", field, SHOWN(text), (size_t)(at - text) + 1, expected);
	return -EINVAL;
}

/* ---- waves ---- */

int rollout_spec_waves(const char *text, struct rollout_spec *spec, struct gf_diag *diag)
{
	struct rollout_wave_size waves[ROLLOUT_WAVES_MAX];
	size_t count = 0;
	const char *s = skip(text);

	for (;;) {
		struct rollout_wave_size wave = {0};
		const char *end = read_whole(s, 6, &wave.value);
		if (end == NULL || wave.value == 0)
			return fail_at(diag, "waves", text, s, "a number of machines (5) or a percentage of them (10%)");
		wave.percent = *end == '%';
		if (wave.percent && wave.value > 100)
			return fail_at(diag, "waves", text, s, "at most 100%");
		if (count == ROLLOUT_WAVES_MAX) {
			gf_diag_set(diag, "waves: there may be at most %d", ROLLOUT_WAVES_MAX);
			return -EINVAL;
		}
		waves[count++] = wave;
		s = skip(end + wave.percent);
		if (*s == '\0')
			break;
		if (*s != ',')
			return fail_at(diag, "waves", text, s, "a comma between two waves, such as 1,10%,100%");
		s = skip(s + 1);
	}
	memcpy(spec->waves, waves, count * sizeof(waves[0]));
	spec->waves_count = count;
	return 0;
}

void rollout_spec_waves_text(const struct rollout_spec *spec, char buf[static ROLLOUT_SPEC_TEXT_MAX])
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < spec->waves_count && i < ROLLOUT_WAVES_MAX && used < ROLLOUT_SPEC_TEXT_MAX; i++)
		used += (size_t)snprintf(buf + used, ROLLOUT_SPEC_TEXT_MAX - used, "%s%u%s", i > 0 ? "," : "",
		                         spec->waves[i].value, spec->waves[i].percent ? "%" : "");
}

/* ---- window ---- */

static const char *read_time(const char *s, uint16_t *ret_minutes)
{
	uint32_t hours, minutes;
	const char *end = read_whole(s, 2, &hours);

	if (end == NULL || *end != ':' || !is_digit(end[1]) || !is_digit(end[2]))
		return NULL;
	end = read_whole(end + 1, 2, &minutes);
	if (end == NULL || hours > 23 || minutes > 59)
		return NULL;
	*ret_minutes = (uint16_t)(hours * 60 + minutes);
	return end;
}

int rollout_spec_window(const char *text, struct rollout_spec *spec, struct gf_diag *diag)
{
	uint16_t from, to;
	const char *s = skip(text), *end = read_time(s, &from);

	if (end == NULL)
		return fail_at(diag, "window", text, s, "a time of day from 00:00 to 23:59, such as 22:00-06:00");
	s = skip(end);
	if (*s != '-')
		return fail_at(diag, "window", text, s, "'-' between two times of day, such as 22:00-06:00");
	s = skip(s + 1);
	end = read_time(s, &to);
	if (end == NULL)
		return fail_at(diag, "window", text, s, "a time of day from 00:00 to 23:59, such as 22:00-06:00");
	s = skip(end);
	if (*s != '\0')
		return fail_at(diag, "window", text, s, "nothing more after the second time of day");
	if (from == to) {
		gf_diag_set(diag, "window: '%.*s' begins when it ends; leave it out to update at any time", SHOWN(text));
		return -EINVAL;
	}
	spec->has_window = true;
	spec->window_from_min = from;
	spec->window_to_min = to;
	return 0;
}

void rollout_spec_window_text(const struct rollout_spec *spec, char buf[static ROLLOUT_SPEC_TEXT_MAX])
{
	buf[0] = '\0';
	if (spec->has_window)
		(void)snprintf(buf, ROLLOUT_SPEC_TEXT_MAX, "%02u:%02u-%02u:%02u", spec->window_from_min / 60U,
		               spec->window_from_min % 60U, spec->window_to_min / 60U, spec->window_to_min % 60U);
}

/* ---- gates ---- */

/* The gate's name; its length is that of the word at `text`. */
static int read_gate_kind(const char *text, const char *s, enum rollout_gate_kind *ret_kind, struct gf_diag *diag)
{
	char word[SHOWN_MAX + 1];
	size_t len = strcspn(s, " <>=");

	(void)snprintf(word, sizeof(word), "%.*s", (int)(len < SHOWN_MAX ? len : SHOWN_MAX), s);
	for (size_t i = 0; i < COUNT(gate_names); i++)
		if (strlen(gate_names[i]) == len && strcmp(gate_names[i], word) == 0) {
			*ret_kind = (enum rollout_gate_kind)i;
			return 0;
		}
	const char *near = gf_nearest(word, gate_names, COUNT(gate_names));
	if (near == NULL)
		return fail_at(diag, "gates", text, s, "faults_per_100h or user_stops_per_100, such as faults_per_100h<=1.5x");
	gf_diag_set(diag, "gates: unknown gate '%s'; did you mean '%s'?", word, near);
	return -EINVAL;
}

/* "1.5", without sign, exponent or anything else that a person wouldn't write: at most four decimals. */
static const char *read_limit(const char *s, double *ret)
{
	size_t whole = strspn(s, "0123456789"), fraction = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
	size_t len = whole + (s[whole] == '.' ? fraction + 1 : 0);
	char digits[24];

	if (whole == 0 || len >= sizeof(digits) || (s[whole] == '.' && (fraction == 0 || fraction > 4)))
		return NULL;
	memcpy(digits, s, len);
	digits[len] = '\0';
	double value = strtod(digits, NULL);
	if (!(value <= GATE_LIMIT_MAX))
		return NULL;
	*ret = value;
	return s + len;
}

int rollout_spec_gate(const char *text, struct rollout_spec *spec, struct gf_diag *diag)
{
	struct rollout_gate gate = {0};
	const char *s = skip(text);
	int r = read_gate_kind(text, s, &gate.kind, diag);

	if (r != 0)
		return r;
	s = skip(s + strlen(gate_names[gate.kind]));
	if (strncmp(s, "<=", 2) != 0)
		return fail_at(diag, "gates", text, s, "'<=', such as faults_per_100h<=1.5x");
	s = skip(s + 2);
	const char *end = read_limit(s, &gate.limit);
	if (end == NULL)
		return fail_at(diag, "gates", text, s, "a number up to 1000000, such as 1.5x (times) or 3");
	gate.relative = *end == 'x';
	s = skip(end + gate.relative);
	if (*s != '\0')
		return fail_at(diag, "gates", text, s, "nothing more after the number but an 'x', which stands for times");
	for (size_t i = 0; i < spec->gates_count; i++)
		if (spec->gates[i].kind == gate.kind) {
			gf_diag_set(diag, "gates: %s is there twice; one limit is enough", gate_names[gate.kind]);
			return -EINVAL;
		}
	if (spec->gates_count == ROLLOUT_GATES_MAX) {
		gf_diag_set(diag, "gates: there may be at most %d", ROLLOUT_GATES_MAX);
		return -EINVAL;
	}
	spec->gates[spec->gates_count++] = gate;
	return 0;
}

void rollout_spec_gate_text(const struct rollout_gate *gate, char buf[static ROLLOUT_SPEC_TEXT_MAX])
{
	const char *name = (size_t)gate->kind < COUNT(gate_names) ? gate_names[gate->kind] : "unknown";

	(void)snprintf(buf, ROLLOUT_SPEC_TEXT_MAX, "%s<=%.12g%s", name, gate->limit, gate->relative ? "x" : "");
}

/* ---- the whole ---- */

static int bad(struct gf_diag *diag, const char *field, const char *expected)
{
	gf_diag_set(diag, "%s: expected %s", field, expected);
	return -EINVAL;
}

static int read_catalog(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	const char *name = json_string_value(value);

	if (name == NULL || *name == '\0' || json_string_length(value) >= sizeof(spec->catalog))
		return bad(diag, "catalog", "the name of a published catalog, such as \"percussion\"");
	memcpy(spec->catalog, name, json_string_length(value) + 1);
	return 0;
}

static int read_version(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	json_int_t version = json_integer_value(value);

	if (!json_is_integer(value) || version < 1 || version > GF_CATALOG_VERSION_MAX)
		return bad(diag, "version", "a whole number from 1 on, the version of a published catalog");
	spec->version = (uint64_t)version;
	return 0;
}

static int read_where(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) || json_string_length(value) >= sizeof(spec->where))
		return bad(diag, "where", "an expression of at most 2047 bytes, such as \"site=berlin\", or null for all");
	memcpy(spec->where, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

static int read_waves(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	if (!json_is_string(value))
		return bad(diag, "waves", "a text such as \"1,10%,100%\"");
	return rollout_spec_waves(json_string_value(value), spec, diag);
}

static int read_span(const json_t *value, const char *field, int64_t *ret_ms, struct gf_diag *diag)
{
	double seconds = json_number_value(value);

	if (!json_is_number(value) || !(seconds >= 0 && seconds <= SPAN_MAX_S))
		return bad(diag, field, "a number of seconds, at most a year");
	*ret_ms = llround(seconds * 1000);
	return 0;
}

static int read_soak(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	return read_span(value, "soak_s", &spec->soak_ms, diag);
}

static int read_deadline(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	return read_span(value, "deadline_s", &spec->deadline_ms, diag);
}

static int read_failures(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	double percent = json_number_value(value);

	if (!json_is_number(value) || !(percent >= 0 && percent <= 100))
		return bad(diag, "max_failures_pct", "a number from 0 to 100");
	spec->max_failures_ppm = (uint32_t)lround(percent * 10000);
	return 0;
}

static int read_window(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return bad(diag, "window", "a text such as \"22:00-06:00\", or null for any time");
	return rollout_spec_window(json_string_value(value), spec, diag);
}

static int read_gates(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	const json_t *gate;
	size_t i;

	if (!json_is_array(value))
		return bad(diag, "gates", "an array of texts such as [\"faults_per_100h<=1.5x\"]");
	spec->gates_count = 0;
	json_array_foreach(value, i, gate)
	{
		if (!json_is_string(gate))
			return bad(diag, "gates", "an array of texts such as [\"faults_per_100h<=1.5x\"]");
		int r = rollout_spec_gate(json_string_value(gate), spec, diag);
		if (r != 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*read)(const json_t *value, struct rollout_spec *spec, struct gf_diag *diag);
} fields[] = {
    {"catalog", read_catalog},     {"version", read_version}, {"where", read_where},
    {"waves", read_waves},         {"soak_s", read_soak},     {"max_failures_pct", read_failures},
    {"deadline_s", read_deadline}, {"window", read_window},   {"gates", read_gates},
};

static int unknown_field(const char *key, struct gf_diag *diag)
{
	const char *names[COUNT(fields)], *near;

	for (size_t i = 0; i < COUNT(fields); i++)
		names[i] = fields[i].name;
	near = gf_nearest(key, names, COUNT(fields));
	gf_diag_set(diag, "unknown key '%.*s'%s%s%s", SHOWN(key), near != NULL ? "; did you mean '" : "",
	            near != NULL ? near : "", near != NULL ? "'?" : "");
	return -EINVAL;
}

static int read_field(const char *key, const json_t *value, struct rollout_spec *spec, struct gf_diag *diag)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (strcmp(fields[i].name, key) == 0)
			return fields[i].read(value, spec, diag);
	return unknown_field(key, diag);
}

int rollout_spec_read(const json_t *body, struct rollout_spec *ret_spec, struct gf_diag *diag)
{
	const char *key;
	json_t *value;
	struct rollout_spec *spec = calloc(1, sizeof(*spec));
	int r = 0;

	if (spec == NULL)
		return -ENOMEM;
	spec->soak_ms = ROLLOUT_SOAK_DEFAULT_MS;
	spec->deadline_ms = ROLLOUT_DEADLINE_DEFAULT_MS;
	spec->max_failures_ppm = ROLLOUT_FAILURES_DEFAULT_PPM;
	spec->gates_count = COUNT(default_gates);
	memcpy(spec->gates, default_gates, sizeof(default_gates));
	r = rollout_spec_waves(ROLLOUT_WAVES_DEFAULT, spec, diag);
	json_object_foreach((json_t *)body, key, value)
	{
		if (r == 0)
			r = read_field(key, value, spec, diag);
	}
	if (r == 0 && spec->catalog[0] == '\0')
		r = bad(diag, "catalog", "the name of a published catalog, such as \"percussion\"");
	if (r == 0 && spec->version == 0)
		r = bad(diag, "version", "a whole number from 1 on, the version of a published catalog");
	if (r == 0)
		*ret_spec = *spec;
	free(spec);
	return r;
}
