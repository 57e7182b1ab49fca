/* Rules whose parts are right each by itself, and that can never fire, or never end, taken together. */
#include "gateway/rules/rule_sense.h"

#include <errno.h>
#include <math.h>

#include "gateway/rules/metric_kind.h"

#define SHORTEST_DAY_MS (INT64_C(23) * 3600 * 1000)

static bool upwards(const struct rule_condition *c)
{
	return c->comparison == RULE_COMPARISON_AT_LEAST || c->comparison == RULE_COMPARISON_ABOVE;
}

static int wrong(struct rule_sense *ret_wrong, size_t condition, const char *key)
{
	*ret_wrong = (struct rule_sense){condition, key};
	return -EINVAL;
}

/* What machines measure never leaves the window for long, and what a part has behind it is there for good: they clear by their value alone. */
static int check_clear(const struct rule *rule, size_t i, struct rule_sense *ret_wrong, struct gf_diag *diag)
{
	const struct rule_condition *c = &rule->conditions[i];
	const struct metric_kind *kind = metric_kind(c->metric);
	const double last = upwards(c) ? kind->min : kind->max;

	if (!c->has_clear || !rule_beyond(c->comparison, last, c->clear) ||
	    (!metric_is_reading(c->metric) && c->metric != RULE_METRIC_PART_LIFE_PCT))
		return 0;
	gf_diag_set(diag, "clear is %g, but %s is never %s than %g: a flag would never clear", c->clear,
	            rule_metric_name(c->metric), upwards(c) ? "less" : "more", last);
	return wrong(ret_wrong, i, "clear");
}

/* A value that only grows until midnight rises once a day. */
static int check_times(const struct rule *rule, struct rule_sense *ret_wrong, struct gf_diag *diag)
{
	const unsigned days = (unsigned)(rule->within_ms / SHORTEST_DAY_MS) + 2;

	if (rule->times <= days)
		return 0;
	for (size_t i = 0; i < rule->conditions_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];

		if (c->window_ms != 0 || metric_kind(c->metric)->window == WINDOW_NONE || !upwards(c) ||
		    (c->aggregate != RULE_AGGREGATE_SUM && c->aggregate != RULE_AGGREGATE_MAX))
			return 0;
	}
	gf_diag_set(
	    diag,
	    "with window: day it rises once a day, and within touches %u days at most, so it would never fire: take a"
	    " window such as 1h, or a longer within",
	    days);
	return wrong(ret_wrong, OF_WHOLE_RULE, "times");
}

/* Lists are compared as they lie: what is missed by that is accepted. */
static bool same_filter(const struct rule_filter *a, const struct rule_filter *b)
{
	return a->classes == b->classes && a->techniques == b->techniques && a->outcomes == b->outcomes &&
	       a->codes == b->codes && a->severities == b->severities && a->actions == b->actions &&
	       a->depth_min == b->depth_min && a->part == b->part && a->same_class == b->same_class &&
	       memcmp(a->routines, b->routines, sizeof(a->routines)) == 0 &&
	       memcmp(a->limits, b->limits, sizeof(a->limits)) == 0;
}

/* Neither takes what the other needs. */
static bool exclude_each_other(const struct rule *rule, const struct rule_condition *a, const struct rule_condition *b)
{
	const struct rule_condition *least = upwards(a) ? a : b, *most = upwards(a) ? b : a;
	double from, until;

	if (a->metric != b->metric || a->aggregate != b->aggregate || a->window_ms != b->window_ms ||
	    upwards(a) == upwards(b) || !same_filter(&a->filter, &b->filter))
		return false;
	if (!rule_threshold(rule, least, RULE_LEVEL_WARN, &from) || !rule_threshold(rule, most, RULE_LEVEL_WARN, &until))
		return false;
	return from > until ||
	       (from >= until && (least->comparison == RULE_COMPARISON_ABOVE || most->comparison == RULE_COMPARISON_BELOW));
}

static int check_all(const struct rule *rule, struct rule_sense *ret_wrong, struct gf_diag *diag)
{
	for (size_t j = 1; j < rule->conditions_count && !rule->any; j++)
		for (size_t i = 0; i < j; i++)
			if (exclude_each_other(rule, &rule->conditions[i], &rule->conditions[j])) {
				gf_diag_set(diag,
				            "%s can't be so while all[%zu] holds, so the rule would never fire; for either of them"
				            " take any",
				            rule_metric_name(rule->conditions[j].metric), i);
				return wrong(ret_wrong, j, "metric");
			}
	return 0;
}

int rule_sense_check(const struct rule *rule, struct rule_sense *ret_wrong, struct gf_diag *diag)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->conditions_count; i++)
		r = check_clear(rule, i, ret_wrong, diag);
	if (r == 0 && rule->times > 0)
		r = check_times(rule, ret_wrong, diag);
	return r != 0 ? r : check_all(rule, ret_wrong, diag);
}
