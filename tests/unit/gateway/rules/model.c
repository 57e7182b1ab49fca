/* The episodes: moment after moment, remembering the open one alone. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/gateway/rules/model_impl.h"

static size_t telling(const struct model *m, int64_t t, enum rule_level level)
{
	for (size_t i = 0; i < m->rule->conditions_count; i++)
		if (model_condition_holds(m, i, t, level) && (level == RULE_LEVEL_WARN || m->rule->conditions[i].has_act))
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

		if (!model_counts(m, c, &m->in->facts[fact], t, &value))
			continue;
		for (size_t f = fact + 1; f < m->in->facts_count; f++)
			later = later || model_counts(m, c, &m->in->facts[f], t, &value);
		if (c->aggregate != RULE_AGGREGATE_LAST || !later)
			return true;
	}
	return false;
}

static void touch(const struct model *m, struct episode *e, int64_t t)
{
	const struct rule_condition *c = &m->rule->conditions[e->condition];
	double value = model_value_at(m, c, t), ignored;
	bool up = c->comparison == RULE_COMPARISON_AT_LEAST || c->comparison == RULE_COMPARISON_ABOVE;

	e->last_ms = t;
	if (isnan(value) || (up ? value <= e->observed : value >= e->observed))
		return;
	e->observed = value;
	for (size_t f = 0; f < m->in->facts_count; f++)
		if (m->in->facts[f].at_ms == t && model_counts(m, c, &m->in->facts[f], t, &ignored))
			add_behind(e, &m->in->facts[f]);
}

static bool fact_at(const struct model *m, int64_t t)
{
	bool known;

	for (size_t f = 0; f < m->in->facts_count; f++)
		for (size_t i = 0; i < m->rule->conditions_count; i++) {
			(void)model_worth(m, &m->rule->conditions[i], &m->in->facts[f], &known);
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
	                    .observed = model_value_at(m, c, t),
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
		e->observed = model_value_at(m, &m->rule->conditions[condition], t);
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
	model_find_moments(&m);
	for (size_t i = 0; i < m.moments_count && m.moments[i] <= in->now_ms; i++) {
		int64_t t = m.moments[i];
		struct episode *e = count > 0 ? &ret_episodes[count - 1] : NULL;

		if (open && model_holds(&m, t, RULE_LEVEL_WARN) && (fact_at(&m, t) || model_rises_at(&m, t, RULE_LEVEL_WARN))) {
			touch(&m, e, t);
			e->times += model_rises_at(&m, t, RULE_LEVEL_WARN);
		}
		if (open && !model_keeps(&m, t) &&
		    (model_out_of_date(&m, t) || model_quiet(&m, t - in->rule->clear_after_ms, t))) {
			e->end = model_out_of_date(&m, t) ? EPISODE_EXPIRED : EPISODE_CLEARED;
			e->ended_ms = t;
			open = false;
			continue;
		}
		if (!open && model_triggers(&m, t, RULE_LEVEL_WARN)) {
			if (count == MODEL_EPISODES_MAX)
				abort();
			ret_episodes[count] = begin_episode(&m, t);
			e = &ret_episodes[count++];
			open = true;
		}
		if (open && e->level == RULE_LEVEL_WARN && model_triggers(&m, t, RULE_LEVEL_ACT))
			act(&m, e, t);
	}
	return count;
}
