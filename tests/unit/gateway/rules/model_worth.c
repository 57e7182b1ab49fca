/* What a fact is worth to a condition, and until when. */
#include <math.h>

#include "tests/unit/gateway/rules/model_impl.h"

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

double model_worth(const struct model *m, const struct rule_condition *c, const struct fact *f, bool *ret_counts)
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

int64_t model_ends(const struct model *m, const struct rule_condition *c, const struct fact *f)
{
	if (c->metric == RULE_METRIC_PART_LIFE_PCT)
		return f->at_ms + m->rule->expires_ms;
	if (c->window_ms > 0)
		return f->at_ms + c->window_ms;
	return calendar_day_start_ms(f->calendar, calendar_day(f->calendar, f->at_ms) + 1);
}

bool model_counts(const struct model *m, const struct rule_condition *c, const struct fact *f, int64_t t,
                  double *ret_value)
{
	bool known;

	*ret_value = model_worth(m, c, f, &known);
	return known && f->at_ms <= m->in->now_ms && f->at_ms <= t && t < model_ends(m, c, f);
}
