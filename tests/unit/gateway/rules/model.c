#include "tests/unit/gateway/rules/model.h"

#include <math.h>
#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)
enum { FACTS_MAX = 64, MOMENTS_MAX = FACTS_MAX * 120 };

struct model {
	const struct judge_input *in;
	const struct rule *rule;
	/* Moments at which a value may change, and all at which something may happen. */
	size_t changes_count, moments_count;
	int64_t changes[MOMENTS_MAX], moments[MOMENTS_MAX];
};

/* ---- what a fact is worth to a condition, and until when ---- */

static bool in_bits(uint32_t bits, unsigned value)
{
	return bits == 0 || ((bits >> value) & 1) == 1;
}

static bool in_names(const char (*names)[GF_NAME_MAX], const char *name)
{
	bool none = true;

	for (int i = 0; i < RULE_LIST_MAX; i++) {
		none = none && names[i][0] == '\0';
		if (names[i][0] != '\0' && strcmp(names[i], name) == 0)
			return true;
	}
	return none;
}

static bool in_actions(uint32_t actions, const char *action)
{
	for (int a = 0; a < RULE_ACTION_COUNT; a++)
		if (strcmp(action, rule_action_name((enum rule_action)a)) == 0 && (actions & 1U << a) != 0)
			return true;
	return actions == 0;
}

static bool session_passes(const struct rule_condition *c, const struct fact *f)
{
	return f->kind == FACT_SESSION && in_bits(c->filter.classes, f->class) &&
	       in_bits(c->filter.outcomes, f->session.outcome) && in_names(c->filter.routines, f->session.routine) &&
	       (c->metric == RULE_METRIC_AREA_S || f->session.depth >= c->filter.depth_min);
}

static double gap_h(const struct model *m, const struct rule_condition *c, const struct fact *f)
{
	const struct fact *before = NULL;
	int64_t start = f->session.started_ms;
	double gap, worth_asking = 0;

	for (size_t i = 0; i < m->in->facts_count; i++) {
		const struct fact *g = &m->in->facts[i];

		if (g != f && session_passes(c, g) && fact_compare(g, f) < 0 &&
		    (!c->filter.same_class || g->class == f->class) && (before == NULL || fact_compare(g, before) > 0))
			before = g;
	}
	if (before == NULL)
		return NAN;
	if (start < f->at_ms - 24 * HOUR_MS)
		start = f->at_ms - 24 * HOUR_MS;
	gap = start <= before->at_ms ? 0 : (double)(start - before->at_ms) / HOUR_MS;
	worth_asking = fmax(worth_asking, c->has_warn ? c->warn : 0);
	worth_asking = fmax(worth_asking, c->has_act ? c->act : 0);
	worth_asking = fmax(worth_asking, c->has_clear ? c->clear : 0);
	return gap <= worth_asking ? gap : NAN;
}

static double area_ms(const struct model *m, const struct rule_condition *c, const struct fact *f)
{
	double sum = 0;

	for (size_t i = 0; i < f->session.areas_count; i++) {
		const struct gf_area_use *u = &f->session.areas[i];
		bool side = u->side == m->in->side || u->side == GF_SIDE_BOTH || u->side == GF_SIDE_UNSPECIFIED;

		if (side && gf_muscle_covers(gf_muscle_of(u->area), m->in->muscle) &&
		    in_bits(c->filter.techniques, u->technique) && fact_depth_of(u->max_intensity_pct) >= c->filter.depth_min)
			sum += u->ms;
	}
	return sum;
}

static double reading(const struct rule_condition *c, const struct fact *f, enum gf_sensor sensor)
{
	const struct gf_stat *s = &f->heartbeat.sensors[sensor];

	if (f->kind != FACT_HEARTBEAT || !in_bits(c->filter.classes, f->class) || !s->present)
		return NAN;
	return (double)(c->aggregate == RULE_AGGREGATE_MAX    ? s->max
	                : c->aggregate == RULE_AGGREGATE_MIN  ? s->min
	                : c->aggregate == RULE_AGGREGATE_MEAN ? s->mean
	                                                      : s->last);
}

/* In base units: ms, counts, points. *ret_counts: it is one of the condition's facts, though it may say nothing (NaN). */
static double worth(const struct model *m, const struct rule_condition *c, const struct fact *f, bool *ret_counts)
{
	double value = NAN;

	*ret_counts = false;
	if (m->rule->hours != RULE_HOURS_ANY &&
	    (m->rule->hours == RULE_HOURS_OPEN) != calendar_is_open(f->calendar, f->at_ms))
		return NAN;
	if (c->metric == RULE_METRIC_PART_LIFE_PCT) {
		bool renewed = f->kind == FACT_SERVICE && f->service.part == c->filter.part;

		*ret_counts = f->kind == FACT_SESSION || renewed;
		return renewed ? 0
		       : f->kind == FACT_SESSION && in_bits(c->filter.classes, f->class)
		           ? (double)f->session.life_pct[c->filter.part]
		           : (double)NAN;
	}
	if (c->metric == RULE_METRIC_FAULTS) {
		if (f->kind == FACT_FAULT && in_bits(c->filter.classes, f->class) && in_bits(c->filter.codes, f->fault.code) &&
		    in_bits(c->filter.severities, f->fault.severity))
			value = 1;
	} else if (c->metric == RULE_METRIC_LIMIT_HITS) {
		if (f->kind == FACT_LIMIT && in_bits(c->filter.classes, f->class) &&
		    in_names(c->filter.limits, f->limit.rule) && in_actions(c->filter.actions, f->limit.action))
			value = 1;
	} else if (c->metric == RULE_METRIC_MOTOR_TEMP_C)
		value = reading(c, f, GF_SENSOR_MOTOR_TEMP_C);
	else if (c->metric == RULE_METRIC_BATTERY_PCT)
		value = reading(c, f, GF_SENSOR_BATTERY_PCT);
	else if (!session_passes(c, f))
		value = NAN;
	else if (c->metric == RULE_METRIC_SESSIONS)
		value = 1;
	else if (c->metric == RULE_METRIC_RUNNING_MIN || c->metric == RULE_METRIC_USE_PCT)
		value = f->session.running_ms;
	else if (c->metric == RULE_METRIC_MOTOR_H)
		value = (double)f->session.motor_ms;
	else if (c->metric == RULE_METRIC_AREA_S)
		value = area_ms(m, c, f) > 0 ? area_ms(m, c, f) : (double)NAN;
	else if (c->metric == RULE_METRIC_GAP_H)
		value = gap_h(m, c, f);
	else if (c->metric == RULE_METRIC_PAIN_PRESSES)
		value = f->session.pain_presses;
	else if (c->metric == RULE_METRIC_VIBRATION_POINTS && f->session.vibration_ms2 > 0) {
		double a = (double)f->session.vibration_ms2;

		value = 2 * a * a * ((double)f->session.motor_ms / HOUR_MS);
	}
	*ret_counts = !isnan(value);
	return value;
}

static int64_t ends(const struct model *m, const struct rule_condition *c, const struct fact *f)
{
	if (c->metric == RULE_METRIC_PART_LIFE_PCT)
		return f->at_ms + m->rule->expires_ms;
	if (c->window_ms > 0)
		return f->at_ms + c->window_ms;
	return calendar_day_start_ms(f->calendar, calendar_day(f->calendar, f->at_ms) + 1);
}

/* Does it count at a moment. */
static bool counts(const struct model *m, const struct rule_condition *c, const struct fact *f, int64_t t,
                   double *ret_value)
{
	bool known;

	*ret_value = worth(m, c, f, &known);
	return known && f->at_ms <= m->in->now_ms && f->at_ms <= t && t < ends(m, c, f);
}

/* ---- the definitions ---- */

static double per_unit(enum rule_metric metric)
{
	return metric == RULE_METRIC_RUNNING_MIN ? 60000
	       : metric == RULE_METRIC_AREA_S    ? 1000
	       : metric == RULE_METRIC_MOTOR_H   ? HOUR_MS
	                                         : 1;
}

static double value_at(const struct model *m, const struct rule_condition *c, int64_t t)
{
	double values[FACTS_MAX], result;
	const struct fact *newest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->in->facts_count; i++)
		if (counts(m, c, &m->in->facts[i], t, &values[n])) {
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

static bool condition_holds(const struct model *m, size_t i, int64_t t, enum rule_level level)
{
	const struct rule_condition *c = &m->rule->conditions[i];

	if (level == RULE_LEVEL_WARN)
		return beyond(c, value_at(m, c, t), c->has_warn ? c->warn : c->act);
	if (c->has_act)
		return beyond(c, value_at(m, c, t), c->act);
	return !m->rule->any && somebody_acts(m->rule) && beyond(c, value_at(m, c, t), c->warn);
}

static bool holds(const struct model *m, int64_t t, enum rule_level level)
{
	size_t held = 0;

	for (size_t i = 0; i < m->rule->conditions_count; i++)
		held += condition_holds(m, i, t, level);
	return m->rule->any ? held > 0 : held == m->rule->conditions_count;
}

static bool keeps(const struct model *m, int64_t t)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->rule->conditions_count; i++) {
		const struct rule_condition *c = &m->rule->conditions[i];

		kept += c->has_clear ? beyond(c, value_at(m, c, t), c->clear) : condition_holds(m, i, t, RULE_LEVEL_WARN);
	}
	return m->rule->any ? kept > 0 : kept == m->rule->conditions_count;
}

static bool throughout(const struct model *m, int64_t from, int64_t to, enum rule_level level)
{
	if (!holds(m, from, level))
		return false;
	for (size_t i = 0; i < m->changes_count; i++)
		if (m->changes[i] > from && m->changes[i] <= to && !holds(m, m->changes[i], level))
			return false;
	return true;
}

static bool quiet(const struct model *m, int64_t from, int64_t to)
{
	if (keeps(m, from))
		return false;
	for (size_t i = 0; i < m->changes_count; i++)
		if (m->changes[i] > from && m->changes[i] <= to && keeps(m, m->changes[i]))
			return false;
	return true;
}

static bool rises_at(const struct model *m, int64_t t, enum rule_level level)
{
	return holds(m, t, level) && !holds(m, t - 1, level);
}

static unsigned rises(const struct model *m, int64_t after, int64_t to, enum rule_level level)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->changes_count; i++)
		n += m->changes[i] > after && m->changes[i] <= to && rises_at(m, m->changes[i], level);
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
	return t <= until && calendar_day(calendar_at(m->in, t), t) == day && holds(m, t, level);
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

static bool triggers(const struct model *m, int64_t t, enum rule_level level)
{
	const struct rule *r = m->rule;

	return holds(m, t, level) && (r->for_ms == 0 || throughout(m, t - r->for_ms, t, level)) &&
	       (r->times == 0 || rises(m, t - r->within_ms, t, level) >= r->times) &&
	       (r->days == 0 || enough_days(m, t, level));
}

static bool out_of_date(const struct model *m, int64_t t)
{
	for (size_t i = 0; i < m->rule->conditions_count; i++) {
		const struct rule_condition *c = &m->rule->conditions[i];
		bool any = false, fresh = false, known;
		double value;

		for (size_t f = 0; f < m->in->facts_count; f++) {
			(void)worth(m, c, &m->in->facts[f], &known);
			any = any || (known && m->in->facts[f].at_ms <= t && m->in->facts[f].at_ms <= m->in->now_ms);
			fresh = fresh || counts(m, c, &m->in->facts[f], t, &value);
		}
		if (c->metric == RULE_METRIC_PART_LIFE_PCT && any && !fresh)
			return true;
	}
	return false;
}

/* ---- moments ---- */

static int by_time(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

static size_t sort_unique(int64_t *moments, size_t count)
{
	size_t kept = 0;

	qsort(moments, count, sizeof(*moments), by_time);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || moments[kept - 1] != moments[i])
			moments[kept++] = moments[i];
	return kept;
}

static void find_moments(struct model *m)
{
	const struct judge_input *in = m->in;
	size_t n = 0;

	for (size_t i = 0; i < in->facts_count; i++)
		for (size_t k = 0; k < m->rule->conditions_count; k++) {
			const struct rule_condition *c = &m->rule->conditions[k];
			bool known;

			(void)worth(m, c, &in->facts[i], &known);
			if (!known || in->facts[i].at_ms > in->now_ms)
				continue;
			m->changes[n++] = in->facts[i].at_ms;
			m->changes[n++] = ends(m, c, &in->facts[i]);
		}
	m->changes_count = sort_unique(m->changes, n);
	n = 0;
	for (size_t i = 0; i < m->changes_count; i++) {
		int32_t day = calendar_day(in->calendar, m->changes[i]);

		/* Days elsewhere begin within a day of ours. */
		m->moments[n++] = m->changes[i];
		m->moments[n++] = m->changes[i] + m->rule->for_ms;
		m->moments[n++] = m->changes[i] + m->rule->clear_after_ms;
		if (m->rule->days > 0)
			for (int32_t d = 1; d <= 4; d++) {
				m->moments[n++] = calendar_day_start_ms(in->calendar, day + d);
				for (size_t k = 0; k < in->before_count; k++)
					m->moments[n++] = calendar_day_start_ms(in->before[k].calendar, day + d - 1);
			}
	}
	for (size_t i = 0; i < in->before_count; i++) {
		m->moments[n++] = in->before[i].until_ms;
		for (int32_t d = 1; d <= 4; d++)
			for (size_t k = 0; k <= in->before_count; k++) {
				const struct calendar *c = k < in->before_count ? in->before[k].calendar : in->calendar;

				m->moments[n++] = calendar_day_start_ms(c, calendar_day(c, in->before[i].until_ms) + d);
			}
	}
	m->moments_count = sort_unique(m->moments, n);
}

/* ---- an episode ---- */

static size_t telling(const struct model *m, int64_t t, enum rule_level level)
{
	for (size_t i = 0; i < m->rule->conditions_count; i++)
		if (condition_holds(m, i, t, level) && (level == RULE_LEVEL_WARN || m->rule->conditions[i].has_act))
			return i;
	abort();
}

static double threshold(const struct rule_condition *c, enum rule_level level)
{
	return level == RULE_LEVEL_ACT || !c->has_warn ? c->act : c->warn;
}

static bool has_behind(const struct episode *e, const struct fact *f)
{
	for (size_t i = 0; i < e->behind_count; i++)
		if (e->behind[i].kind == f->kind && e->behind[i].device == f->device && e->behind[i].no == f->no)
			return true;
	return false;
}

static void add_behind(struct episode *e, const struct fact *f)
{
	if (has_behind(e, f))
		return;
	if (e->behind_count == EPISODE_BEHIND_MAX) {
		for (size_t i = 1; i < EPISODE_BEHIND_MAX; i++)
			e->behind[i - 1] = e->behind[i];
		e->behind_count--;
	}
	e->behind[e->behind_count++] = (struct fact_ref){f->kind, f->device, f->no};
}

/* Of a condition on the last value that one alone. */
static bool in_window(const struct model *m, size_t fact, int64_t t)
{
	for (size_t i = 0; i < m->rule->conditions_count; i++) {
		const struct rule_condition *c = &m->rule->conditions[i];
		bool later = false;
		double value;

		if (!counts(m, c, &m->in->facts[fact], t, &value))
			continue;
		for (size_t f = fact + 1; f < m->in->facts_count; f++)
			later = later || counts(m, c, &m->in->facts[f], t, &value);
		if (c->aggregate != RULE_AGGREGATE_LAST || !later)
			return true;
	}
	return false;
}

static void touch(const struct model *m, struct episode *e, int64_t t)
{
	const struct rule_condition *c = &m->rule->conditions[e->condition];
	double value = value_at(m, c, t), ignored;
	bool up = c->comparison == RULE_COMPARISON_AT_LEAST || c->comparison == RULE_COMPARISON_ABOVE;

	e->last_ms = t;
	if (isnan(value) || (up ? value <= e->observed : value >= e->observed))
		return;
	e->observed = value;
	for (size_t f = 0; f < m->in->facts_count; f++)
		if (m->in->facts[f].at_ms == t && counts(m, c, &m->in->facts[f], t, &ignored))
			add_behind(e, &m->in->facts[f]);
}

static bool fact_at(const struct model *m, int64_t t)
{
	bool known;

	for (size_t f = 0; f < m->in->facts_count; f++)
		for (size_t i = 0; i < m->rule->conditions_count; i++) {
			(void)worth(m, &m->rule->conditions[i], &m->in->facts[f], &known);
			if (known && m->in->facts[f].at_ms == t)
				return true;
		}
	return false;
}

static struct episode begin_episode(const struct model *m, int64_t t)
{
	size_t condition = telling(m, t, RULE_LEVEL_WARN);
	const struct rule_condition *c = &m->rule->conditions[condition];
	struct episode e = {.opened_ms = t,
	                    .last_ms = t,
	                    .level = RULE_LEVEL_WARN,
	                    .observed = value_at(m, c, t),
	                    .limit = threshold(c, RULE_LEVEL_WARN),
	                    .condition = condition,
	                    .times = 1};

	for (size_t f = 0; f < m->in->facts_count; f++)
		if (in_window(m, f, t))
			add_behind(&e, &m->in->facts[f]);
	return e;
}

static void act(const struct model *m, struct episode *e, int64_t t)
{
	size_t condition = telling(m, t, RULE_LEVEL_ACT);

	if (condition != e->condition)
		e->observed = value_at(m, &m->rule->conditions[condition], t);
	e->condition = condition;
	e->level = RULE_LEVEL_ACT;
	e->acted_ms = t;
	e->limit = threshold(&m->rule->conditions[condition], RULE_LEVEL_ACT);
	touch(m, e, t);
}

size_t model_judge(const struct judge_input *in, struct episode ret_episodes[static MODEL_EPISODES_MAX])
{
	static struct model m;
	size_t count = 0;
	bool open = false;

	m = (struct model){.in = in, .rule = in->rule};
	find_moments(&m);
	for (size_t i = 0; i < m.moments_count && m.moments[i] <= in->now_ms; i++) {
		int64_t t = m.moments[i];
		struct episode *e = count > 0 ? &ret_episodes[count - 1] : NULL;

		if (open && holds(&m, t, RULE_LEVEL_WARN) && (fact_at(&m, t) || rises_at(&m, t, RULE_LEVEL_WARN))) {
			touch(&m, e, t);
			e->times += rises_at(&m, t, RULE_LEVEL_WARN);
		}
		if (open && !keeps(&m, t) && (out_of_date(&m, t) || quiet(&m, t - in->rule->clear_after_ms, t))) {
			e->end = out_of_date(&m, t) ? EPISODE_EXPIRED : EPISODE_CLEARED;
			e->ended_ms = t;
			open = false;
			continue;
		}
		if (!open && triggers(&m, t, RULE_LEVEL_WARN)) {
			if (count == MODEL_EPISODES_MAX)
				abort();
			ret_episodes[count] = begin_episode(&m, t);
			e = &ret_episodes[count++];
			open = true;
		}
		if (open && e->level == RULE_LEVEL_WARN && triggers(&m, t, RULE_LEVEL_ACT))
			act(&m, e, t);
	}
	return count;
}
