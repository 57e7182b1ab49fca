#include "gateway/rules/worth.h"

#include "proto/base/span.h"

#include <math.h>

double worth_unit(enum rule_metric metric)
{
	switch (metric) {
	case RULE_METRIC_RUNNING_MIN:
		return 60000;
	case RULE_METRIC_AREA_S:
		return 1000;
	case RULE_METRIC_MOTOR_H:
	case RULE_METRIC_GAP_H:
		return GF_HOUR_MS;
	default:
		return 1;
	}
}

/* ---- filters ---- */

static bool session_counts(const struct rule_condition *c, const struct fact *fact)
{
	const struct rule_filter *f = &c->filter;

	if (fact->kind != FACT_SESSION || !rule_takes(f->classes, fact->class) ||
	    !rule_takes(f->outcomes, fact->session.outcome))
		return false;
	/* An area has a depth of its own. */
	if (c->metric != RULE_METRIC_AREA_S && fact->session.depth < f->depth_min)
		return false;
	return rule_takes_name(f->routines, fact->session.routine);
}

/* What isn't known as a word counts only where all count. */
static bool takes_action(uint32_t actions, const char *action)
{
	for (int a = 0; a < RULE_ACTION_COUNT; a++)
		if (strcmp(rule_action_name((enum rule_action)a), action) == 0)
			return rule_takes(actions, a);
	return actions == 0;
}

/* ---- values ---- */

static bool side_counts(enum gf_side asked, enum gf_side side)
{
	return side == asked || side == GF_SIDE_BOTH || side == GF_SIDE_UNSPECIFIED;
}

static bool area_ms(const struct worth *w, const struct fact *fact, double *ret_value)
{
	const struct rule_filter *f = &w->condition->filter;
	double ms = 0;

	for (size_t i = 0; i < fact->session.areas_count; i++) {
		const struct gf_area_use *use = &fact->session.areas[i];

		if (use->area != GF_AREA_UNSPECIFIED && gf_muscle_covers(gf_muscle_of(use->area), w->muscle) &&
		    side_counts(w->side, use->side) && rule_takes(f->techniques, use->technique) &&
		    fact_depth_of(use->max_intensity_pct) >= f->depth_min)
			ms += use->ms;
	}
	*ret_value = ms;
	return ms > 0;
}

/* The gap to the session before, and remembers this one. What is longer than every threshold is none: it would need older and older sessions. */
static bool gap_ms(struct worth *w, const struct fact *fact, double *ret_value)
{
	const struct rule_condition *c = w->condition;
	const int key = c->filter.same_class ? (int)fact->class : 0;
	const int64_t earliest_ms = fact->at_ms - 24 * GF_HOUR_MS;
	const bool follows = w->ended[key];
	const int64_t before_ms = w->ended_ms[key];
	int64_t start_ms = fact->session.started_ms < fact->at_ms ? fact->session.started_ms : fact->at_ms;

	w->ended[key] = true;
	w->ended_ms[key] = fact->at_ms;
	if (!follows)
		return false;
	if (start_ms < earliest_ms)
		start_ms = earliest_ms;
	*ret_value = start_ms > before_ms ? (double)(start_ms - before_ms) : 0;
	return *ret_value <= rule_highest_threshold(c) * GF_HOUR_MS;
}

static bool life_pct(const struct worth *w, const struct fact *fact, double *ret_value)
{
	const struct rule_filter *f = &w->condition->filter;

	if (fact->kind == FACT_SERVICE && fact->service.part == f->part) {
		*ret_value = 0;
		return true;
	}
	if (fact->kind != FACT_SESSION)
		return false;
	*ret_value = rule_takes(f->classes, fact->class) ? (double)fact->session.life_pct[f->part] : (double)NAN;
	return true;
}

static bool points(const struct fact *fact, double *ret_value)
{
	double a = (double)fact->session.vibration_ms2;

	/* 2002/44/EC: 2 a^2 h, of the time the motor ran in somebody's hands. */
	*ret_value = 2 * a * a * ((double)fact->session.motor_ms / (double)GF_HOUR_MS);
	return a > 0;
}

static bool reading(const struct rule_condition *c, const struct fact *fact, enum gf_sensor sensor, double *ret_value)
{
	const struct gf_stat *stat = &fact->heartbeat.sensors[sensor];
	float value;

	if (fact->kind != FACT_HEARTBEAT || !rule_takes(c->filter.classes, fact->class) || !stat->present)
		return false;
	value = stat->last;
	if (c->aggregate == RULE_AGGREGATE_MAX)
		value = stat->max;
	else if (c->aggregate == RULE_AGGREGATE_MIN)
		value = stat->min;
	else if (c->aggregate == RULE_AGGREGATE_MEAN)
		value = stat->mean;
	*ret_value = (double)value;
	return isfinite(value);
}

static bool session_value(struct worth *w, const struct fact *fact, double *ret_value)
{
	switch (w->condition->metric) {
	case RULE_METRIC_RUNNING_MIN:
	case RULE_METRIC_USE_PCT:
		*ret_value = fact->session.running_ms;
		return true;
	case RULE_METRIC_MOTOR_H:
		*ret_value = (double)fact->session.motor_ms;
		return true;
	case RULE_METRIC_AREA_S:
		return area_ms(w, fact, ret_value);
	case RULE_METRIC_GAP_H:
		return gap_ms(w, fact, ret_value);
	case RULE_METRIC_PAIN_PRESSES:
		*ret_value = fact->session.pain_presses;
		return true;
	case RULE_METRIC_VIBRATION_POINTS:
		return points(fact, ret_value);
	default:
		*ret_value = 1;
		return true;
	}
}

bool worth_of(struct worth *w, const struct fact *fact, double *ret_value)
{
	const struct rule_condition *c = w->condition;
	const struct rule_filter *f = &c->filter;

	switch (c->metric) {
	case RULE_METRIC_SESSIONS:
	case RULE_METRIC_RUNNING_MIN:
	case RULE_METRIC_MOTOR_H:
	case RULE_METRIC_USE_PCT:
	case RULE_METRIC_AREA_S:
	case RULE_METRIC_GAP_H:
	case RULE_METRIC_PAIN_PRESSES:
	case RULE_METRIC_VIBRATION_POINTS:
		return session_counts(c, fact) && session_value(w, fact, ret_value);
	case RULE_METRIC_PART_LIFE_PCT:
		return life_pct(w, fact, ret_value);
	case RULE_METRIC_FAULTS:
		*ret_value = 1;
		return fact->kind == FACT_FAULT && rule_takes(f->classes, fact->class) &&
		       rule_takes(f->codes, fact->fault.code) && rule_takes(f->severities, fact->fault.severity);
	case RULE_METRIC_LIMIT_HITS:
		*ret_value = 1;
		return fact->kind == FACT_LIMIT && rule_takes(f->classes, fact->class) &&
		       rule_takes_name(f->limits, fact->limit.rule) && takes_action(f->actions, fact->limit.action);
	case RULE_METRIC_MOTOR_TEMP_C:
		return reading(c, fact, GF_SENSOR_MOTOR_TEMP_C, ret_value);
	case RULE_METRIC_SURFACE_TEMP_C:
		return reading(c, fact, GF_SENSOR_SURFACE_TEMP_C, ret_value);
	case RULE_METRIC_CURRENT_MA:
		return reading(c, fact, GF_SENSOR_CURRENT_MA, ret_value);
	case RULE_METRIC_PRESSURE_MMHG:
		return reading(c, fact, GF_SENSOR_PRESSURE_MMHG, ret_value);
	case RULE_METRIC_BATTERY_PCT:
		return reading(c, fact, GF_SENSOR_BATTERY_PCT, ret_value);
	case RULE_METRIC_SILENT_MIN:
	case RULE_METRIC_COUNT:
		break;
	}
	return false;
}
