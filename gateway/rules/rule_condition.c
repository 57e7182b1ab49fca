/* What can be wrong with a condition: its metric, its window, thresholds that nothing reaches. */
#include <errno.h>
#include <math.h>

#include "gateway/rules/rule_check_impl.h"
#include "proto/catalog.h"
#include "proto/told.h"

/* People may be on several machines at once, and sessions that end in the window begin before it. */
enum { BEFORE_WINDOW_H = 24 };
enum { SILENCE_LEAST_MIN = 2 };

static struct rule_words subjects_of(unsigned bits)
{
	struct rule_words words = {""};

	for (int s = 0; s < RULE_SUBJECT_COUNT; s++)
		if (bits >> s & 1)
			rule_words_add(&words, rule_subject_name((enum rule_subject)s));
	return words;
}

static struct rule_words aggregates_of(unsigned bits)
{
	struct rule_words words = {""};

	for (int a = 0; a < RULE_AGGREGATE_COUNT; a++)
		if (bits >> a & 1)
			rule_words_add(&words, rule_aggregate_name((enum rule_aggregate)a));
	return words;
}

static int check_metric(const struct rule_check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const struct metric_kind *kind;
	const char *name;

	if ((unsigned)c->metric >= RULE_METRIC_COUNT || (unsigned)c->aggregate >= RULE_AGGREGATE_COUNT ||
	    (unsigned)c->comparison >= RULE_COMPARISON_COUNT)
		return REFUSE_IN(k, i, "metric", "no such metric, aggregate or comparison");
	kind = metric_kind(c->metric);
	name = rule_metric_name(c->metric);
	if ((kind->subjects >> k->rule->subject & 1) == 0)
		return REFUSE_IN(k, i, "metric", "%s isn't known of a %s, so the rule would never fire; it is of: %s", name,
		                 rule_subject_name(k->rule->subject), subjects_of(kind->subjects).text);
	if ((kind->aggregates >> c->aggregate & 1) == 0)
		return REFUSE_IN(k, i, "aggregate", "the %s of %s says nothing; possible: %s",
		                 rule_aggregate_name(c->aggregate), name, aggregates_of(kind->aggregates).text);
	if (c->metric == RULE_METRIC_GAP_H && rule_upwards(c->comparison))
		return REFUSE_IN(k, i, "is",
		                 "a gap is judged when the next session ends it, by `is: below` or `at_most`; for a"
		                 " machine that isn't heard take silent_min");
	if (c->metric == RULE_METRIC_SILENT_MIN && c->comparison != RULE_COMPARISON_AT_LEAST)
		return REFUSE_IN(k, i, "is", "silence only grows: `is: at_least`, or leave it out");
	return 0;
}

static int check_window(const struct rule_check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const enum window_kind kind = metric_kind(c->metric)->window;
	const char *name = rule_metric_name(c->metric);

	if (kind == WINDOW_NONE)
		return c->window_ms == 0 ? 0 : REFUSE_IN(k, i, "window", "%s is what it is now: leave the window out", name);
	if (c->window_ms < 0)
		return REFUSE_IN(k, i, "window", "the window is missing: give window: day%s",
		                 kind == WINDOW_DAY ? "" : ", or a duration such as 24h or 7d");
	if (kind == WINDOW_DAY && c->window_ms != 0)
		return REFUSE_IN(k, i, "window", "%s is a share of the day's opening hours: window: day", name);
	if (c->window_ms > 0 && c->window_ms < RULE_MINUTE_MS)
		return REFUSE_IN(k, i, "window", "the window is shorter than a minute, the time between two heartbeats");
	if (c->window_ms > RULE_WINDOW_MAX_D * RULE_DAY_MS)
		return REFUSE_IN(k, i, "window", "the window is longer than %d days; older tokens are forgotten",
		                 RULE_WINDOW_MAX_D);
	return 0;
}

/* ---- what it can be ---- */

/* The longest that a machine of these classes plays without a pause. */
static double longest_session_h(uint32_t classes)
{
	uint32_t longest_s = 0;

	for (int class = 1; class < GF_CLASS_COUNT; class ++)
		if (rule_takes(classes, class) && gf_class_max_s((enum gf_class) class) > longest_s)
			longest_s = gf_class_max_s((enum gf_class) class);
	return longest_s / 3600.0;
}

/* P1: techniques of the same limit share it. */
static double most_area_s(uint32_t techniques)
{
	uint32_t sum_s = 0;

	for (int t = 1; t < GF_TECHNIQUE_COUNT; t++) {
		const uint32_t limit_s = gf_technique_area_max_s((enum gf_technique)t);
		bool counted = false;

		for (int before = 1; before < t && rule_takes(techniques, t); before++)
			counted = counted ||
			          (rule_takes(techniques, before) && gf_technique_area_max_s((enum gf_technique)before) == limit_s);
		if (rule_takes(techniques, t) && !counted)
			sum_s += limit_s;
	}
	return sum_s;
}

/* What one session can come to. Motor time that an agent has found by the meter alone is told as one, however long it was. */
static double highest_of_session(const struct rule_condition *c)
{
	const struct metric_kind *kind = metric_kind(c->metric);

	if (c->metric == RULE_METRIC_AREA_S)
		return most_area_s(c->filter.techniques);
	if (c->metric == RULE_METRIC_PAIN_PRESSES)
		return GF_PAIN_PRESSES_MAX;
	return c->metric == RULE_METRIC_RUNNING_MIN ? kind->hour * longest_session_h(c->filter.classes) : kind->max;
}

/* Above what no value can be. */
static double highest(const struct rule *rule, const struct rule_condition *c)
{
	const struct metric_kind *kind = metric_kind(c->metric);
	const double window_h = (double)(c->window_ms > 0 ? c->window_ms : RULE_LONGEST_DAY_MS) / RULE_HOUR_MS;
	const bool one_by_one = rule->subject == RULE_SUBJECT_DEVICE && c->metric == RULE_METRIC_RUNNING_MIN;
	const double before_h = one_by_one ? longest_session_h(c->filter.classes) : BEFORE_WINDOW_H;

	if (c->aggregate != RULE_AGGREGATE_SUM)
		return highest_of_session(c);
	return kind->hour > 0 && rule->subject != RULE_SUBJECT_SITE ? kind->hour * (window_h + before_h) : kind->max;
}

/* What can't be because this threshold isn't reached. */
static const char *never(const struct rule_check *k, size_t i, const char *key)
{
	if (k->rule->any && k->rule->conditions_count > 1)
		return "it would never count";
	return strcmp(key, "act") == 0 && k->rule->conditions[i].has_warn ? "the rule would never act"
	                                                                  : "the rule would never fire";
}

static int check_reach(const struct rule_check *k, size_t i, const char *key, double threshold)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const double lowest = metric_kind(c->metric)->min, top = highest(k->rule, c), always = lowest < 0 ? lowest : 0;
	const bool exact = metric_kind(c->metric)->hour == 0; /* times may have a control step on top */
	const char *name = rule_metric_name(c->metric);
	const char *unit = rule_metric_unit(c->metric), *blank = unit[0] != '\0' ? " " : "";

	if (!isfinite(threshold))
		return REFUSE_IN(k, i, key, "%s is no number", key);
	if (rule_upwards(c->comparison) &&
	    (c->comparison == RULE_COMPARISON_ABOVE && exact ? threshold >= top : threshold > top))
		return REFUSE_IN(k, i, key, "%s is %g%s%s, but %s never gets beyond %g: %s", key, threshold, blank, unit, name,
		                 top, never(k, i, key));
	if (!rule_upwards(c->comparison) &&
	    (c->comparison == RULE_COMPARISON_BELOW ? threshold <= lowest : threshold < lowest))
		return REFUSE_IN(k, i, key, "%s is %g%s%s, but %s is never less than %g: %s%s", key, threshold, blank, unit,
		                 name, lowest, never(k, i, key), lowest == 1 ? ", not even where there are none" : "");
	if (rule_upwards(c->comparison) &&
	    (c->comparison == RULE_COMPARISON_ABOVE ? threshold < always : threshold <= always))
		return REFUSE_IN(k, i, key, "%s is %g%s%s: that holds whenever there is anything; give a number above %g", key,
		                 threshold, blank, unit, always);
	if (!rule_upwards(c->comparison) && (c->comparison == RULE_COMPARISON_BELOW ? threshold > top : threshold >= top))
		return REFUSE_IN(k, i, key, "%s is %g%s%s, but %s never gets beyond %g: that holds whenever there is anything",
		                 key, threshold, blank, unit, name, top);
	return 0;
}

static int check_thresholds(const struct rule_check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const char *beyond = rule_upwards(c->comparison) ? "above" : "below";
	double lower;
	int r = 0;

	if (!c->has_warn && !c->has_act)
		return REFUSE_IN(k, i, "metric", "no threshold: give warn, act, or both");
	lower = c->has_warn ? c->warn : c->act;
	if (c->has_warn)
		r = check_reach(k, i, "warn", c->warn);
	if (r == 0 && c->has_act)
		r = check_reach(k, i, "act", c->act);
	if (r != 0)
		return r;
	if (c->metric == RULE_METRIC_SILENT_MIN && lower < SILENCE_LEAST_MIN)
		return REFUSE_IN(
		    k, i, c->has_warn ? "warn" : "act",
		    "%s is %g min, but a machine reports once a minute: it would be flagged between two reports; give "
		    "%d or more",
		    c->has_warn ? "warn" : "act", lower, SILENCE_LEAST_MIN);
	if (c->has_warn && c->has_act && (rule_upwards(c->comparison) ? c->act <= c->warn : c->act >= c->warn))
		return REFUSE_IN(k, i, "act", "act (%g) must be %s warn (%g): with `is: %s` it would come first", c->act,
		                 beyond, c->warn, rule_comparison_name(c->comparison));
	if (!c->has_clear)
		return 0;
	if (c->metric == RULE_METRIC_SILENT_MIN)
		return REFUSE_IN(k, i, "clear", "silence is over when the machine is heard: leave clear out");
	if (!isfinite(c->clear) || (rule_upwards(c->comparison) ? c->clear > lower : c->clear < lower))
		return REFUSE_IN(k, i, "clear", "clear (%g) must not be %s %s (%g): the flag would be clear when it opens",
		                 c->clear, beyond, c->has_warn ? "warn" : "act", lower);
	if (c->metric == RULE_METRIC_GAP_H && c->clear > metric_kind(c->metric)->max)
		return REFUSE_IN(k, i, "clear", "clear (%g h) is longer than %g h", c->clear, metric_kind(c->metric)->max);
	return 0;
}

int rule_check_condition(const struct rule_check *k, size_t i)
{
	int r = check_metric(k, i);

	if (r == 0)
		r = check_window(k, i);
	return r != 0 ? r : check_thresholds(k, i);
}
