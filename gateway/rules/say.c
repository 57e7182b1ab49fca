#include <math.h>
#include <string.h>

#include "gateway/rules/judge.h"
#include "proto/base/clock.h"

static const char *const nouns[RULE_METRIC_COUNT] = {
    [RULE_METRIC_SESSIONS] = "sessions",
    [RULE_METRIC_RUNNING_MIN] = "of running",
    [RULE_METRIC_MOTOR_H] = "of the motor",
    [RULE_METRIC_USE_PCT] = "of the opening hours in use",
    [RULE_METRIC_AREA_S] = "of massage",
    [RULE_METRIC_GAP_H] = "since the session before",
    [RULE_METRIC_PAIN_PRESSES] = "presses of the pain button",
    [RULE_METRIC_VIBRATION_POINTS] = "of vibration in the hands",
    [RULE_METRIC_PART_LIFE_PCT] = "of the rated life used up",
    [RULE_METRIC_FAULTS] = "faults",
    [RULE_METRIC_LIMIT_HITS] = "times a limit of the machine acted",
    [RULE_METRIC_MOTOR_TEMP_C] = "at the motor",
    [RULE_METRIC_SURFACE_TEMP_C] = "at the surface",
    [RULE_METRIC_CURRENT_MA] = "of motor current",
    [RULE_METRIC_PRESSURE_MMHG] = "of pressure",
    [RULE_METRIC_BATTERY_PCT] = "of battery",
    [RULE_METRIC_SILENT_MIN] = "not heard",
};

/* Of one; the others are the same. */
static const char *const one[RULE_METRIC_COUNT] = {
    [RULE_METRIC_SESSIONS] = "session",
    [RULE_METRIC_PAIN_PRESSES] = "press of the pain button",
    [RULE_METRIC_FAULTS] = "fault",
    [RULE_METRIC_LIMIT_HITS] = "time a limit of the machine acted",
};

struct words {
	char text[RULE_TEXT_MAX];
	size_t len;
};

static void append(struct words *w, const char *text)
{
	gf_strcpy(w->text + w->len, sizeof(w->text) - w->len, text);
	w->len += strlen(w->text + w->len);
}
#define SAY(w, ...)                        \
	do {                                   \
		struct gf_diag piece_;             \
		gf_diag_set(&piece_, __VA_ARGS__); \
		append(w, piece_.text);            \
	} while (0)

/* ---- the parts ---- */

static void say_number(struct words *w, const struct rule_condition *c, double value)
{
	const char *unit = rule_metric_unit(c->metric);

	/* "0 h" says nothing. */
	if (strcmp(unit, "h") == 0 && value < 1) {
		unit = "min";
		value = round(value * 60);
	}
	if (fabs(value - round(value)) < 0.05)
		SAY(w, "%.0f", round(value));
	else
		SAY(w, "%.1f", value);
	if (unit[0] != '\0')
		SAY(w, " %s", unit);
}

static const char *technique(int value)
{
	return gf_technique_name((enum gf_technique)value);
}
static const char *code(int value)
{
	return gf_fault_name((enum gf_fault)value);
}

/* "a, b or c": what a rule counts, of which not all need have been there. */
static const char *before(size_t index, bool last)
{
	return index == 0 ? "" : last ? " or " : ", ";
}

static void say_bits(struct words *w, uint32_t bits, const char *(*name)(int value))
{
	size_t said = 0;

	for (int value = 1; value < 32; value++)
		if (bits >> value & 1)
			SAY(w, "%s%s", before(said++, bits >> value == 1), name(value));
}

static void say_names(struct words *w, const char (*list)[GF_NAME_MAX])
{
	for (size_t i = 0; i < RULE_LIST_MAX && list[i][0] != '\0'; i++)
		SAY(w, "%s%s", before(i, i + 1 == RULE_LIST_MAX || list[i + 1][0] == '\0'), list[i]);
}

static void say_what(struct words *w, const struct rule_condition *c, double observed)
{
	const struct rule_filter *f = &c->filter;

	if (c->metric == RULE_METRIC_AREA_S && f->techniques != 0) {
		SAY(w, " of ");
		say_bits(w, f->techniques, technique);
	} else
		SAY(w, " %s", observed == 1 && one[c->metric] != NULL ? one[c->metric] : nouns[c->metric]);
	if (c->metric == RULE_METRIC_PART_LIFE_PCT)
		SAY(w, " (%s)", fact_part_name(f->part));
	if (f->codes != 0) {
		SAY(w, " (");
		say_bits(w, f->codes, code);
		SAY(w, ")");
	}
	if (f->limits[0][0] != '\0') {
		SAY(w, " (");
		say_names(w, f->limits);
		SAY(w, ")");
	}
	if (f->depth_min > FACT_DEPTH_SUPERFICIAL)
		SAY(w, " %s%s", fact_depth_name(f->depth_min), f->depth_min < FACT_DEPTH_BEYOND ? " or deeper" : "");
	if (f->routines[0][0] != '\0') {
		SAY(w, " of ");
		say_names(w, f->routines);
	}
	if (f->same_class)
		SAY(w, " on such a machine");
}

static void say_when(struct words *w, const struct rule *rule, const struct rule_condition *c)
{
	char duration[GF_DURATION_MAX];

	if (rule_window_ms(c) > 0 && c->metric != RULE_METRIC_GAP_H) {
		if (c->window_ms > 0)
			SAY(w, " within %s", gf_duration_format(c->window_ms, duration));
		else
			append(w, rule->days > 0 ? " of a day" : " on one day");
	}
	if (rule->for_ms > 0)
		SAY(w, ", for %s", gf_duration_format(rule->for_ms, duration));
	if (rule->days > 0)
		SAY(w, ", %u open days in a row", rule->days);
	if (rule->times > 0)
		SAY(w, ", %u times within %s", rule->times, gf_duration_format(rule->within_ms, duration));
}

static void say_limit(struct words *w, const struct rule_condition *c, double limit)
{
	static const struct {
		const char *before, *after;
	} limits[RULE_COMPARISON_COUNT] = {
	    [RULE_COMPARISON_AT_LEAST] = {"; from ", " on it is too much"},
	    [RULE_COMPARISON_ABOVE] = {"; more than ", " is too much"},
	    [RULE_COMPARISON_AT_MOST] = {"; ", " or less is too little"},
	    [RULE_COMPARISON_BELOW] = {"; less than ", " is too little"},
	};

	SAY(w, "%s", limits[c->comparison].before);
	say_number(w, c, limit);
	SAY(w, "%s", limits[c->comparison].after);
}

void rules_say(const struct rule *rule, const struct episode *episode, enum gf_muscle muscle, enum gf_side side,
               char text[static RULE_TEXT_MAX])
{
	const struct rule_condition *c = &rule->conditions[episode->condition];
	struct words w = {.len = 0};

	if (rule_is_silence(rule)) {
		SAY(&w, "not heard for ");
		say_number(&w, c, episode->limit);
		SAY(&w, "%s", rule->hours == RULE_HOURS_OPEN ? " of opening time" : "");
	} else {
		say_number(&w, c, episode->observed);
		say_what(&w, c, episode->observed);
		if (rule->subject == RULE_SUBJECT_AREA)
			SAY(&w, " on %s %s", gf_muscle_name(muscle), gf_side_name(side));
		say_when(&w, rule, c);
		say_limit(&w, c, episode->limit);
	}
	gf_strcpy_utf8(text, RULE_TEXT_MAX, w.text);
}

void rules_advise(const struct rule *rule, const char *device, char advice[static RULE_TEXT_MAX])
{
	static const char place[] = RULE_ADVICE_DEVICE;
	const char *rest = rule->advice, *at;
	struct words w = {.len = 0};

	while ((at = strstr(rest, place)) != NULL) {
		SAY(&w, "%.*s%s", (int)(at - rest), rest, device);
		rest = at + sizeof(place) - 1;
	}
	append(&w, rest);
	gf_strcpy_utf8(advice, RULE_TEXT_MAX, w.text);
}
