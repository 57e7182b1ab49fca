/* The definitions of judge.h, each from the whole set of facts. */
#include <math.h>

#include "tests/unit/gateway/rules/model_impl.h"

static double per_unit(enum rule_metric metric)
{
	return metric == RULE_METRIC_RUNNING_MIN ? 60000
	       : metric == RULE_METRIC_AREA_S    ? 1000
	       : metric == RULE_METRIC_MOTOR_H   ? HOUR_MS
	                                         : 1;
}

double model_value_at(const struct model *m, const struct rule_condition *c, int64_t t)
{
	double values[FACTS_MAX], result;
	const struct fact *newest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->in->facts_count; i++)
		if (model_counts(m, c, &m->in->facts[i], t, &values[n])) {
			newest = &m->in->facts[i];
			n++;
		}
	if (n == 0)
		return NAN;
	result = c->aggregate == RULE_AGGREGATE_SUM || c->aggregate == RULE_AGGREGATE_MEAN ? 0 : values[0];
	for (size_t i = 0; i < n; i++) {
		if (c->aggregate == RULE_AGGREGATE_SUM || c->aggregate == RULE_AGGREGATE_MEAN)
			result += values[i];
		else if (c->aggregate == RULE_AGGREGATE_MAX)
			result = values[i] > result ? values[i] : result;
		else if (c->aggregate == RULE_AGGREGATE_MIN)
			result = values[i] < result ? values[i] : result;
		else
			result = values[i];
	}
	if (c->aggregate == RULE_AGGREGATE_MEAN)
		result /= (double)n;
	if (c->metric == RULE_METRIC_USE_PCT) {
		int32_t day = calendar_day(newest->calendar, newest->at_ms);
		double open = (double)calendar_open_ms(newest->calendar, calendar_day_start_ms(newest->calendar, day),
		                                       calendar_day_start_ms(newest->calendar, day + 1));

		return open <= 0 ? (double)NAN : result >= open ? 100 : 100 * result / open;
	}
	return result / per_unit(c->metric);
}

static bool beyond(const struct rule_condition *c, double value, double threshold)
{
	if (isnan(value))
		return false;
	return c->comparison == RULE_COMPARISON_AT_LEAST  ? value >= threshold
	       : c->comparison == RULE_COMPARISON_ABOVE   ? value > threshold
	       : c->comparison == RULE_COMPARISON_AT_MOST ? value <= threshold
	                                                  : value < threshold;
}

static bool somebody_acts(const struct rule *r)
{
	bool acts = false;

	for (size_t i = 0; i < r->conditions_count; i++)
		acts = acts || r->conditions[i].has_act;
	return acts;
}

bool model_condition_holds(const struct model *m, size_t i, int64_t t, enum rule_level level)
{
	const struct rule_condition *c = &m->rule->conditions[i];

	if (level == RULE_LEVEL_WARN)
		return beyond(c, model_value_at(m, c, t), c->has_warn ? c->warn : c->act);
	if (c->has_act)
		return beyond(c, model_value_at(m, c, t), c->act);
	return !m->rule->any && somebody_acts(m->rule) && beyond(c, model_value_at(m, c, t), c->warn);
}

bool model_holds(const struct model *m, int64_t t, enum rule_level level)
{
	size_t held = 0;

	for (size_t i = 0; i < m->rule->conditions_count; i++)
		held += model_condition_holds(m, i, t, level);
	return m->rule->any ? held > 0 : held == m->rule->conditions_count;
}

bool model_keeps(const struct model *m, int64_t t)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->rule->conditions_count; i++) {
		const struct rule_condition *c = &m->rule->conditions[i];

		kept += c->has_clear ? beyond(c, model_value_at(m, c, t), c->clear)
		                     : model_condition_holds(m, i, t, RULE_LEVEL_WARN);
	}
	return m->rule->any ? kept > 0 : kept == m->rule->conditions_count;
}

static bool throughout(const struct model *m, int64_t from, int64_t to, enum rule_level level)
{
	if (!model_holds(m, from, level))
		return false;
	for (size_t i = 0; i < m->changes_count; i++)
		if (m->changes[i] > from && m->changes[i] <= to && !model_holds(m, m->changes[i], level))
			return false;
	return true;
}

bool model_quiet(const struct model *m, int64_t from, int64_t to)
{
	if (model_keeps(m, from))
		return false;
	for (size_t i = 0; i < m->changes_count; i++)
		if (m->changes[i] > from && m->changes[i] <= to && model_keeps(m, m->changes[i]))
			return false;
	return true;
}

bool model_rises_at(const struct model *m, int64_t t, enum rule_level level)
{
	return model_holds(m, t, level) && !model_holds(m, t - 1, level);
}

static unsigned rises(const struct model *m, int64_t after, int64_t to, enum rule_level level)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->changes_count; i++)
		n += m->changes[i] > after && m->changes[i] <= to && model_rises_at(m, m->changes[i], level);
	return n;
}

/* Where the machine was then. */
static const struct calendar *calendar_at(const struct judge_input *in, int64_t t)
{
	for (size_t i = 0; i < in->before_count; i++)
		if (t < in->before[i].until_ms)
			return in->before[i].calendar;
	return in->calendar;
}

static bool held_then(const struct model *m, int32_t day, int64_t t, int64_t until, enum rule_level level)
{
	return t <= until && calendar_day(calendar_at(m->in, t), t) == day && model_holds(m, t, level);
}

/* It changes with facts alone; what is of the day begins with a day somewhere, or by a move. */
static bool held_on_day(const struct model *m, int32_t day, int64_t until, enum rule_level level)
{
	const struct judge_input *in = m->in;

	if (held_then(m, day, calendar_day_start_ms(in->calendar, day), until, level))
		return true;
	for (size_t i = 0; i < in->before_count; i++)
		if (held_then(m, day, calendar_day_start_ms(in->before[i].calendar, day), until, level) ||
		    held_then(m, day, in->before[i].until_ms, until, level))
			return true;
	for (size_t i = 0; i < m->changes_count; i++)
		if (held_then(m, day, m->changes[i], until, level))
			return true;
	return false;
}

static bool enough_days(const struct model *m, int64_t t, enum rule_level level)
{
	const struct calendar *here = calendar_at(m->in, t);
	int32_t today = calendar_day(here, t);
	unsigned found = 0;
	unsigned span = m->rule->days * 7 < 31 ? m->rule->days * 7 : 31;

	if (!calendar_has_hours(here, today))
		return false;
	for (int32_t day = today; day > today - (int32_t)span && found < m->rule->days; day--) {
		if (day != today && !calendar_has_hours(calendar_at(m->in, calendar_day_start_ms(here, day)), day))
			continue;
		if (!held_on_day(m, day, t, level))
			return false;
		found++;
	}
	return found == m->rule->days;
}

bool model_triggers(const struct model *m, int64_t t, enum rule_level level)
{
	const struct rule *r = m->rule;

	return model_holds(m, t, level) && (r->for_ms == 0 || throughout(m, t - r->for_ms, t, level)) &&
	       (r->times == 0 || rises(m, t - r->within_ms, t, level) >= r->times) &&
	       (r->days == 0 || enough_days(m, t, level));
}

bool model_out_of_date(const struct model *m, int64_t t)
{
	for (size_t i = 0; i < m->rule->conditions_count; i++) {
		const struct rule_condition *c = &m->rule->conditions[i];
		bool any = false, fresh = false, known;
		double value;

		for (size_t f = 0; f < m->in->facts_count; f++) {
			(void)model_worth(m, c, &m->in->facts[f], &known);
			any = any || (known && m->in->facts[f].at_ms <= t && m->in->facts[f].at_ms <= m->in->now_ms);
			fresh = fresh || model_counts(m, c, &m->in->facts[f], t, &value);
		}
		if (c->metric == RULE_METRIC_PART_LIFE_PCT && any && !fresh)
			return true;
	}
	return false;
}
