/* Rules whose parts are right each by itself, and that can never fire, or never end, taken together. */
#include "gateway/rules/rule_check_impl.h"
#include "proto/base/clock.h"

/* ---- clearing ---- */

/* What machines measure never leaves the window for long, and what a part has behind it is there for good: they clear by their value alone. */
static int check_clear(const struct rule_check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const struct metric_kind *kind = metric_kind(c->metric);
	const double last = rule_upwards(c->comparison) ? kind->min : kind->max;

	if (!c->has_clear || !rule_beyond(c->comparison, last, c->clear) ||
	    (!metric_is_reading(c->metric) && c->metric != RULE_METRIC_PART_LIFE_PCT))
		return 0;
	return REFUSE_IN(k, i, "clear", "clear is %g, but %s is never %s than %g: a flag would never clear", c->clear,
	                 rule_metric_name(c->metric), rule_upwards(c->comparison) ? "less" : "more", last);
}

/* ---- how often it can rise ---- */

/* It grows until midnight takes all of it. */
static bool rises_once_a_day(const struct rule_condition *c)
{
	return c->window_ms == 0 && metric_kind(c->metric)->window != WINDOW_NONE && rule_upwards(c->comparison) &&
	       (c->aggregate == RULE_AGGREGATE_SUM || c->aggregate == RULE_AGGREGATE_MAX);
}

/* One fact in the window is enough for it to hold: it rises again only when all of them have left. */
static bool holds_by_one_fact(const struct rule *rule, const struct rule_condition *c)
{
	const bool counted =
	    c->metric == RULE_METRIC_SESSIONS || c->metric == RULE_METRIC_FAULTS || c->metric == RULE_METRIC_LIMIT_HITS;
	double threshold;

	if (c->aggregate == RULE_AGGREGATE_MAX || c->aggregate == RULE_AGGREGATE_MIN)
		return rule_upwards(c->comparison) == (c->aggregate == RULE_AGGREGATE_MAX);
	return counted && rule_upwards(c->comparison) && rule_threshold(rule, c, RULE_LEVEL_WARN, &threshold) &&
	       rule_beyond(c->comparison, 1, threshold);
}

static int check_times(const struct rule_check *k)
{
	const struct rule *rule = k->rule;
	const struct rule_condition *first = &rule->conditions[0];
	const unsigned days = (unsigned)(rule->within_ms / RULE_SHORTEST_DAY_MS) + 2;
	char window[GF_DURATION_MAX], within[GF_DURATION_MAX];
	bool daily = rule->times > days;

	if (rule->times == 0)
		return 0;
	for (size_t i = 0; i < rule->conditions_count; i++)
		daily = daily && rises_once_a_day(&rule->conditions[i]);
	if (daily)
		return REFUSE(
		    k, "times",
		    "with window: day it rises once a day, and within touches %u days at most, so it would never fire: take a"
		    " window such as 1h, or a longer within",
		    days);
	if (rule->conditions_count == 1 && first->window_ms > 0 && holds_by_one_fact(rule, first) &&
	    (rule->times - 1) * first->window_ms >= rule->within_ms)
		return REFUSE(
		    k, "times",
		    "once is enough, and then %s holds for %s, its window: it can't rise %u times within %s. Take a shorter"
		    " window or a longer within, or count by warn",
		    rule_metric_name(first->metric), gf_duration_format(first->window_ms, window), rule->times,
		    gf_duration_format(rule->within_ms, within));
	return 0;
}

/* ---- conditions that hold together ---- */

static bool takes_no_more(uint32_t few, uint32_t many)
{
	return many == 0 || (few != 0 && (few & ~many) == 0);
}

static bool names_no_more(const char (*few)[GF_NAME_MAX], const char (*many)[GF_NAME_MAX])
{
	for (size_t i = 0; i < RULE_LIST_MAX && few[i][0] != '\0'; i++)
		if (!rule_takes_name(many, few[i]))
			return false;
	return few[0][0] != '\0' || many[0][0] == '\0';
}

/* What passes the one filter passes the other, too. */
static bool passes_no_more(const struct rule_filter *few, const struct rule_filter *many)
{
	return takes_no_more(few->classes, many->classes) && takes_no_more(few->techniques, many->techniques) &&
	       takes_no_more(few->outcomes, many->outcomes) && takes_no_more(few->codes, many->codes) &&
	       takes_no_more(few->severities, many->severities) && takes_no_more(few->actions, many->actions) &&
	       few->depth_min >= many->depth_min && few->part == many->part && few->same_class == many->same_class &&
	       names_no_more(few->routines, many->routines) && names_no_more(few->limits, many->limits);
}

/* All facts that count for the one count for the other, too. */
static bool counts_no_more(const struct rule_condition *few, const struct rule_condition *many)
{
	const bool shorter =
	    few->window_ms == many->window_ms ||
	    (many->window_ms > 0 && (few->window_ms > 0 ? few->window_ms : RULE_LONGEST_DAY_MS) <= many->window_ms);

	return shorter && passes_no_more(&few->filter, &many->filter);
}

/* Whatever happens, the value of `low` isn't above that of `high`. Sums are of what is never negative. */
static bool is_never_above(const struct rule_condition *low, const struct rule_condition *high)
{
	const bool fewer = counts_no_more(low, high), more = counts_no_more(high, low);

	if (low->metric != high->metric)
		return false;
	if (low->aggregate == RULE_AGGREGATE_MIN)
		/* The least of all is no more than any that counts for the other; but a session has more of an area by more techniques. */
		return more && (low->metric != RULE_METRIC_AREA_S || passes_no_more(&low->filter, &high->filter));
	if (high->aggregate == RULE_AGGREGATE_SUM || high->aggregate == RULE_AGGREGATE_MAX)
		return fewer && (low->aggregate != RULE_AGGREGATE_SUM || high->aggregate == RULE_AGGREGATE_SUM);
	if (high->aggregate == RULE_AGGREGATE_MIN)
		return false;
	return fewer && more && low->aggregate == high->aggregate;
}

/* Neither takes what the other needs, at this level. */
static bool exclude_each_other(const struct rule *rule, size_t i, size_t j, enum rule_level level)
{
	const struct rule_condition *a = &rule->conditions[i], *b = &rule->conditions[j];
	const struct rule_condition *least = rule_upwards(a->comparison) ? a : b, *most = least == a ? b : a;
	double from, until;

	if (rule_upwards(a->comparison) == rule_upwards(b->comparison) || !is_never_above(least, most) ||
	    !rule_threshold(rule, least, level, &from) || !rule_threshold(rule, most, level, &until))
		return false;
	return from > until ||
	       (from >= until && (least->comparison == RULE_COMPARISON_ABOVE || most->comparison == RULE_COMPARISON_BELOW));
}

/* A machine is of one class. */
static int check_classes(const struct rule_check *k)
{
	uint32_t classes = UINT32_MAX;

	for (size_t i = 0; i < k->rule->conditions_count && k->rule->subject == RULE_SUBJECT_DEVICE; i++) {
		const uint32_t these = k->rule->conditions[i].filter.classes;

		classes &= these != 0 ? these : UINT32_MAX;
		if (classes == 0)
			return REFUSE_IN(
			    k, i, "classes",
			    "no machine is of these classes and of those before, so the rule would never fire; for either of"
			    " them take any");
	}
	return 0;
}

static int check_pair(const struct rule_check *k, size_t i, size_t j)
{
	const char *name = rule_metric_name(k->rule->conditions[j].metric);

	if (exclude_each_other(k->rule, i, j, RULE_LEVEL_WARN))
		return REFUSE_IN(k, j, "metric",
		                 "%s can't be so while all[%zu] holds, so the rule would never fire; for either of them"
		                 " take any",
		                 name, i);
	if (exclude_each_other(k->rule, i, j, RULE_LEVEL_ACT))
		return REFUSE_IN(k, j, "metric",
		                 "%s can't be so while all[%zu] has reached act, so the rule would never act; leave act out, or"
		                 " change one of them",
		                 name, i);
	return 0;
}

static int check_all(const struct rule_check *k)
{
	int r = check_classes(k);

	for (size_t j = 1; j < k->rule->conditions_count; j++)
		for (size_t i = 0; r == 0 && i < j; i++)
			r = check_pair(k, i, j);
	return r;
}

int rule_check_sense(const struct rule_check *k)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < k->rule->conditions_count; i++)
		r = check_clear(k, i);
	if (r == 0)
		r = check_times(k);
	return r != 0 || k->rule->any ? r : check_all(k);
}
