#include "gateway/rules/rule.h"

#include "gateway/rules/metric_kind.h"
#include "proto/base/fnv.h"
#include "proto/base/span.h"

#define DAY_MAX_MS (26 * GF_HOUR_MS) /* the longest local day, and an hour for a site that moves */

#define NAMES(lower, UPPER, LIST, ENTRY)                                                  \
	static const char *const lower##_names[] = {LIST(ENTRY)};                             \
	const char *rule_##lower##_name(enum rule_##lower value)                              \
	{                                                                                     \
		return (unsigned)value < RULE_##UPPER##_COUNT ? lower##_names[value] : "unknown"; \
	}
#define NAME(s, n) n,
#define METRIC_NAME(s, n, u) n,
NAMES(subject, SUBJECT, RULE_SUBJECTS, NAME)
NAMES(metric, METRIC, RULE_METRICS, METRIC_NAME)
NAMES(aggregate, AGGREGATE, RULE_AGGREGATES, NAME)
NAMES(comparison, COMPARISON, RULE_COMPARISONS, NAME)
NAMES(level, LEVEL, RULE_LEVELS, NAME)
NAMES(hours, HOURS, RULE_HOURS, NAME)
NAMES(severity, SEVERITY, RULE_SEVERITIES, NAME)
NAMES(action, ACTION, RULE_ACTIONS, NAME)

const char *rule_metric_unit(enum rule_metric metric)
{
#define METRIC_UNIT(s, n, u) u,
	static const char *const units[] = {RULE_METRICS(METRIC_UNIT)};

	return (unsigned)metric < RULE_METRIC_COUNT ? units[metric] : "";
}

/* ---- thresholds ---- */

bool rule_is_silence(const struct rule *rule)
{
	return rule->conditions_count == 1 && rule->conditions[0].metric == RULE_METRIC_SILENT_MIN;
}

static bool may_act(const struct rule *rule)
{
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule->conditions[i].has_act)
			return true;
	return false;
}

bool rule_threshold(const struct rule *rule, const struct rule_condition *condition, enum rule_level level,
                    double *ret_threshold)
{
	if (level == RULE_LEVEL_ACT && condition->has_act) {
		*ret_threshold = condition->act;
		return true;
	}
	if (level == RULE_LEVEL_ACT && (rule->any || !may_act(rule)))
		return false;
	*ret_threshold = condition->has_warn ? condition->warn : condition->act;
	return true;
}

bool rule_upwards(enum rule_comparison comparison)
{
	return comparison == RULE_COMPARISON_AT_LEAST || comparison == RULE_COMPARISON_ABOVE;
}

bool rule_beyond(enum rule_comparison comparison, double value, double threshold)
{
	switch (comparison) {
	case RULE_COMPARISON_AT_LEAST:
		return value >= threshold;
	case RULE_COMPARISON_ABOVE:
		return value > threshold;
	case RULE_COMPARISON_AT_MOST:
		return value <= threshold;
	case RULE_COMPARISON_BELOW:
		return value < threshold;
	case RULE_COMPARISON_COUNT:
		break;
	}
	return false;
}

double rule_highest_threshold(const struct rule_condition *c)
{
	double highest = c->has_warn ? c->warn : c->act;

	if (c->has_act && c->act > highest)
		highest = c->act;
	return c->has_clear && c->clear > highest ? c->clear : highest;
}

/* ---- filters ---- */

bool rule_takes(uint32_t bits, int value)
{
	return bits == 0 || (bits & UINT32_C(1) << value) != 0;
}

bool rule_takes_name(const char (*list)[GF_NAME_MAX], const char *name)
{
	for (size_t i = 0; i < RULE_LIST_MAX && list[i][0] != '\0'; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return list[0][0] == '\0';
}

/* ---- how far back ---- */

unsigned rule_days_span(const struct rule *rule)
{
	unsigned weeks = rule->days * 7;

	return weeks < RULE_WINDOW_MAX_D ? weeks : RULE_WINDOW_MAX_D;
}

int64_t rule_days_since_ms(const struct rule *rule, const struct calendar *calendar, int64_t from_ms)
{
	unsigned back = 0, open = 0;
	int32_t day;

	/* Midnights of several places lie up to a day apart. */
	if (calendar == NULL)
		return from_ms - (rule_days_span(rule) + 2) * DAY_MAX_MS;
	day = calendar_day(calendar, from_ms);
	for (; back < rule_days_span(rule) && open <= rule->days; back++)
		open += calendar_has_hours(calendar, day - (int32_t)back);
	return calendar_day_start_ms(calendar, day - (int32_t)back);
}

/* A gap reaches back to a session before the window; what is longer than every threshold isn't asked for, and a session longer than a day
 * counts as if it had begun a day before its end (worth.c). */
static int64_t gap_reach_ms(const struct rule_condition *c)
{
	const double longest_h = metric_kind(c->metric)->max;
	double hours = rule_highest_threshold(c);

	if (c->metric != RULE_METRIC_GAP_H)
		return 0;
	/* Asked of rules that nobody has checked yet, too. */
	hours = hours > 0 ? hours : 0;
	return (int64_t)((hours < longest_h ? hours : longest_h) * GF_HOUR_MS) + 24 * GF_HOUR_MS + 1;
}

int64_t rule_window_ms(const struct rule_condition *c)
{
	if (!rule_metric_has_window(c->metric))
		return 0;
	return (c->window_ms > 0 ? c->window_ms : DAY_MAX_MS) + gap_reach_ms(c);
}

static int64_t longest_window_ms(const struct rule *rule)
{
	int64_t window_ms = 0;

	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule_window_ms(&rule->conditions[i]) > window_ms)
			window_ms = rule_window_ms(&rule->conditions[i]);
	return window_ms;
}

/* Without the days, which only a calendar can tell. */
static int64_t history_ms(const struct rule *rule, bool open)
{
	int64_t span_ms = open ? rule->clear_after_ms : 0;

	if (rule->for_ms > span_ms)
		span_ms = rule->for_ms;
	return rule->times > 0 && rule->within_ms > span_ms ? rule->within_ms : span_ms;
}

int64_t rule_lookback_ms(const struct rule *rule)
{
	const int64_t days_ms = rule->days > 0 ? (rule_days_span(rule) + 1) * DAY_MAX_MS : 0;
	const int64_t span_ms = history_ms(rule, true);

	if (rule_is_silence(rule))
		return 0;
	return longest_window_ms(rule) + (days_ms > span_ms ? days_ms : span_ms);
}

int64_t rule_begin_ms(const struct rule *rule, const struct calendar *calendar, bool open, int64_t from_ms)
{
	/* What was before is known, so that what rises at from_ms is seen to rise. */
	int64_t begin_ms = from_ms - history_ms(rule, open) - 1;

	if (rule->days > 0) {
		int64_t days_ms = rule_days_since_ms(rule, calendar, from_ms);

		begin_ms = days_ms < begin_ms ? days_ms : begin_ms;
	}
	return begin_ms;
}

int64_t rule_since_ms(const struct rule *rule, const struct calendar *calendar, int64_t from_ms)
{
	if (rule_is_silence(rule))
		return from_ms;
	return rule_begin_ms(rule, calendar, true, from_ms) - longest_window_ms(rule);
}

bool rule_by_calendar(const struct rule *rule)
{
	if (rule->hours != RULE_HOURS_ANY || rule->days > 0)
		return true;
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule->conditions[i].window_ms == 0 && rule_metric_has_window(rule->conditions[i].metric))
			return true;
	return false;
}

unsigned rule_needs(const struct rule *rule)
{
	unsigned needs = 0;

	for (size_t i = 0; i < rule->conditions_count; i++)
		needs |= metric_kind(rule->conditions[i].metric)->needs;
	return needs;
}

/* ---- a rule's digest ---- */

static void take_filter(struct gf_fnv *d, const struct rule_filter *f)
{
	gf_fnv_int(d, f->classes);
	gf_fnv_int(d, f->techniques);
	gf_fnv_int(d, f->outcomes);
	gf_fnv_int(d, f->codes);
	gf_fnv_int(d, f->severities);
	gf_fnv_int(d, f->actions);
	gf_fnv_int(d, f->depth_min);
	for (int i = 0; i < RULE_LIST_MAX; i++)
		gf_fnv_text(d, f->routines[i]);
	for (int i = 0; i < RULE_LIST_MAX; i++)
		gf_fnv_text(d, f->limits[i]);
	gf_fnv_int(d, f->part);
	gf_fnv_int(d, f->same_class);
}

static void take_condition(struct gf_fnv *d, const struct rule_condition *c)
{
	gf_fnv_int(d, c->metric);
	gf_fnv_int(d, c->aggregate);
	take_filter(d, &c->filter);
	gf_fnv_int(d, c->window_ms);
	gf_fnv_int(d, c->comparison);
	gf_fnv_int(d, c->has_warn | c->has_act << 1 | c->has_clear << 2);
	gf_fnv_real(d, c->has_warn ? c->warn : 0);
	gf_fnv_real(d, c->has_act ? c->act : 0);
	gf_fnv_real(d, c->has_clear ? c->clear : 0);
}

uint64_t rule_digest(const struct rule *rule)
{
	struct gf_fnv d = {GF_FNV_EMPTY};

	gf_fnv_text(&d, rule->id);
	gf_fnv_text(&d, rule->title);
	gf_fnv_text(&d, rule->advice);
	gf_fnv_int(&d, rule->subject);
	gf_fnv_int(&d, rule->any);
	gf_fnv_int(&d, (int64_t)rule->conditions_count);
	for (size_t i = 0; i < rule->conditions_count; i++)
		take_condition(&d, &rule->conditions[i]);
	gf_fnv_int(&d, rule->hours);
	gf_fnv_int(&d, rule->for_ms);
	gf_fnv_int(&d, rule->days);
	gf_fnv_int(&d, rule->times);
	gf_fnv_int(&d, rule->within_ms);
	gf_fnv_int(&d, rule->clear_after_ms);
	gf_fnv_int(&d, rule->expires_ms);
	for (int level = 0; level < RULE_LEVEL_COUNT; level++)
		gf_fnv_int(&d, rule->severity[level]);
	gf_fnv_int(&d, rule->notify);
	gf_fnv_int(&d, rule->lock);
	gf_fnv_int(&d, rule->cap);
	gf_fnv_real(&d, (double)rule->cap_intensity_pct);
	return d.value;
}

/* ---- the whole file ---- */

const struct rule *rules_find(const struct rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->items[i].id, id) == 0)
			return &rules->items[i];
	return NULL;
}
