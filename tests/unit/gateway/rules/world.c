#include "tests/unit/gateway/rules/world.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIN_MS INT64_C(60000)
#define HOUR_MS (60 * MIN_MS)
#define DAY_MS (24 * HOUR_MS)

static unsigned below(struct world *w, unsigned bound)
{
	return (unsigned)gf_prng_below(&w->prng, bound);
}

static bool one_in(struct world *w, unsigned n)
{
	return below(w, n) == 0;
}

/* ---- calendars ---- */

static int32_t offset_s(const void *ctx, int64_t wall_ms)
{
	const struct world_zone *z = ctx;

	return wall_ms >= z->spring_ms && wall_ms < z->autumn_ms ? z->summer_s : z->base_s;
}

static void make_calendar(struct world *w, size_t i)
{
	struct world_zone *z = &w->zones[i];
	struct calendar *c = &w->calendars[i];

	z->base_s = ((int32_t)below(w, 24) - 11) * 3600;
	z->summer_s = z->base_s + 3600;
	z->spring_ms = w->start_ms + (int64_t)below(w, 12 * 24) * HOUR_MS;
	z->autumn_ms =
	    z->spring_ms + (int64_t)(7 * 24 + below(w, 12 * 24)) * HOUR_MS; /* as far apart as clocks change anywhere */
	*c = (struct calendar){.offset_s = one_in(w, 4) ? NULL : offset_s, .ctx = z};
	for (size_t d = 0; d < 7; d++) {
		unsigned from = below(w, 20) * 60, to = from + 60 + below(w, 12) * 60;

		if (one_in(w, 4))
			continue;
		c->week[d].count = 1;
		c->week[d].spans[0] =
		    (struct calendar_span){(uint16_t)from, (uint16_t)(to < CALENDAR_DAY_MIN ? to : CALENDAR_DAY_MIN)};
	}
}

/* ---- a rule ---- */

static const struct {
	enum rule_metric metric;
	enum rule_subject subject;
	double step; /* thresholds are small multiples of it */
} menu[] = {
    {RULE_METRIC_SESSIONS, RULE_SUBJECT_PERSON, 1},       {RULE_METRIC_SESSIONS, RULE_SUBJECT_DEVICE, 1},
    {RULE_METRIC_RUNNING_MIN, RULE_SUBJECT_DEVICE, 15},   {RULE_METRIC_MOTOR_H, RULE_SUBJECT_SITE, 0.25},
    {RULE_METRIC_USE_PCT, RULE_SUBJECT_DEVICE, 12.5},     {RULE_METRIC_AREA_S, RULE_SUBJECT_AREA, 60},
    {RULE_METRIC_GAP_H, RULE_SUBJECT_PERSON, 1},          {RULE_METRIC_GAP_H, RULE_SUBJECT_STAFF, 2},
    {RULE_METRIC_PAIN_PRESSES, RULE_SUBJECT_STAFF, 1},    {RULE_METRIC_VIBRATION_POINTS, RULE_SUBJECT_STAFF, 25},
    {RULE_METRIC_PART_LIFE_PCT, RULE_SUBJECT_DEVICE, 20}, {RULE_METRIC_FAULTS, RULE_SUBJECT_DEVICE, 1},
    {RULE_METRIC_FAULTS, RULE_SUBJECT_SITE, 1},           {RULE_METRIC_LIMIT_HITS, RULE_SUBJECT_DEVICE, 1},
    {RULE_METRIC_MOTOR_TEMP_C, RULE_SUBJECT_DEVICE, 10},  {RULE_METRIC_BATTERY_PCT, RULE_SUBJECT_DEVICE, 10},
};
enum { MENU = sizeof(menu) / sizeof(menu[0]) };

static void make_filter(struct world *w, enum rule_metric metric, struct rule_filter *f)
{
	if (metric == RULE_METRIC_PART_LIFE_PCT) {
		f->part = one_in(w, 2) ? FACT_PART_HEAD : FACT_PART_MOTOR;
		return;
	}
	if (one_in(w, 5))
		f->classes = 1U << (1 + below(w, 2));
	if (metric == RULE_METRIC_FAULTS && one_in(w, 2))
		f->codes = 1U << (1 + below(w, 2));
	else if (metric == RULE_METRIC_LIMIT_HITS && one_in(w, 2))
		snprintf(f->limits[0], sizeof(f->limits[0]), "P3");
	else if (metric == RULE_METRIC_LIMIT_HITS && one_in(w, 2))
		f->actions = 1U << RULE_ACTION_STOP | 1U << RULE_ACTION_OPEN;
	else if (metric == RULE_METRIC_AREA_S && one_in(w, 2))
		f->techniques = 1U << (1 + below(w, 2));
	else if (metric == RULE_METRIC_GAP_H && one_in(w, 2))
		f->same_class = true;
	else if (metric <= RULE_METRIC_VIBRATION_POINTS && one_in(w, 4))
		f->depth_min = FACT_DEPTH_MODERATE;
	else if (metric <= RULE_METRIC_VIBRATION_POINTS && one_in(w, 6))
		snprintf(f->routines[0], sizeof(f->routines[0]), "a");
	else if (metric <= RULE_METRIC_VIBRATION_POINTS && one_in(w, 6))
		f->outcomes = 1U << GF_OUTCOME_COMPLETED;
}

static void make_condition(struct world *w, size_t pick, struct rule_condition *c)
{
	static const int64_t windows[] = {0, 0, HOUR_MS, 2 * HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS};
	double step = menu[pick].step, low = step * (1 + below(w, 4)), high = low + step * below(w, 3);
	bool up;

	*c = (struct rule_condition){.metric = menu[pick].metric, .aggregate = rule_metric_aggregate(menu[pick].metric)};
	if (c->metric != RULE_METRIC_PART_LIFE_PCT && one_in(w, 3))
		c->aggregate = (enum rule_aggregate)below(w, RULE_AGGREGATE_COUNT);
	if (rule_metric_has_window(c->metric))
		c->window_ms = windows[below(w, sizeof(windows) / sizeof(windows[0]))];
	c->comparison = (enum rule_comparison)below(w, RULE_COMPARISON_COUNT);
	up = c->comparison == RULE_COMPARISON_AT_LEAST || c->comparison == RULE_COMPARISON_ABOVE;
	c->has_warn = !one_in(w, 5);
	c->has_act = !c->has_warn || one_in(w, 2);
	c->warn = up ? low : high;
	c->act = up ? high : low;
	c->has_clear = one_in(w, 3);
	c->clear = up ? low - step * (one_in(w, 2) ? 0.5 : 1) : high + step;
	make_filter(w, c->metric, &c->filter);
}

static void make_rule(struct world *w)
{
	static const int64_t spans[] = {30 * MIN_MS, HOUR_MS, 2 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 2 * DAY_MS};
	enum { SPANS = sizeof(spans) / sizeof(spans[0]) };
	const size_t pick = below(w, MENU);
	struct rule *r = &w->rule;

	*r = (struct rule){.id = "R", .subject = menu[pick].subject, .conditions_count = one_in(w, 3) ? 2 : 1};
	make_condition(w, pick, &r->conditions[0]);
	if (r->conditions_count == 2) {
		size_t other = below(w, MENU);

		while (menu[other].subject != r->subject)
			other = below(w, MENU);
		make_condition(w, other, &r->conditions[1]);
		r->any = one_in(w, 2);
	}
	if (one_in(w, 4))
		r->hours = one_in(w, 2) ? RULE_HOURS_OPEN : RULE_HOURS_CLOSED;
	switch (below(w, 5)) {
	case 0:
		r->for_ms = spans[below(w, SPANS)];
		break;
	case 1:
		r->days = 2 + below(w, 2);
		break;
	case 2:
		r->times = 2 + below(w, 2);
		r->within_ms = spans[below(w, SPANS)];
		break;
	default:
		break;
	}
	if (one_in(w, 2))
		r->clear_after_ms = spans[below(w, SPANS)];
	r->expires_ms = rule_lookback_ms(r) + (int64_t)(1 + below(w, 30)) * HOUR_MS;
	if (r->conditions[0].metric == RULE_METRIC_PART_LIFE_PCT && one_in(w, 2))
		r->expires_ms = r->clear_after_ms + r->for_ms + HOUR_MS;
}

/* ---- facts ---- */

static void make_session(struct world *w, struct fact *f, struct gf_area_use *areas)
{
	f->session.started_ms = f->at_ms - (int64_t)below(w, one_in(w, 8) ? 60 : 5) * 30 * MIN_MS;
	snprintf(f->session.routine, sizeof(f->session.routine), one_in(w, 2) ? "a" : "b");
	f->session.outcome = one_in(w, 3) ? GF_OUTCOME_USER_STOPPED : GF_OUTCOME_COMPLETED;
	f->session.depth = (enum fact_depth)below(w, FACT_DEPTH_COUNT);
	f->session.running_ms = below(w, 5) * (uint32_t)(15 * MIN_MS);
	f->session.motor_ms = (uint64_t)below(w, 5) * 15 * (uint64_t)MIN_MS;
	f->session.pain_presses = below(w, 3);
	f->session.vibration_ms2 = (float)below(w, 3) * 5;
	for (int part = 0; part < FACT_PART_COUNT; part++)
		f->session.life_pct[part] = one_in(w, 12) ? NAN : (float)below(w, 8) * 20;
	f->session.areas = areas;
	f->session.areas_count = below(w, WORLD_AREAS_MAX + 1);
	for (size_t i = 0; i < f->session.areas_count; i++)
		areas[i] = (struct gf_area_use){
		    .area = one_in(w, 3)   ? GF_AREA_LEGS
		            : one_in(w, 2) ? GF_AREA_VASTUS_LATERALIS
		                           : GF_AREA_GLUTES,
		    .side = (enum gf_side)below(w, GF_SIDE_COUNT),
		    .technique = (enum gf_technique)(1 + below(w, 3)),
		    .ms = below(w, 4) * 60000,
		    .max_intensity_pct = (float)below(w, 10) * 10,
		};
}

static void make_fact(struct world *w, size_t i, struct fact *f)
{
	static const enum fact_kind kinds[] = {FACT_SESSION,   FACT_SESSION, FACT_SESSION, FACT_HEARTBEAT,
	                                       FACT_HEARTBEAT, FACT_FAULT,   FACT_LIMIT,   FACT_SERVICE};
	unsigned days = 1 + below(w, 20);

	*f = (struct fact){
	    .kind = kinds[below(w, sizeof(kinds) / sizeof(kinds[0]))],
	    .at_ms =
	        w->start_ms + (int64_t)below(w, days * 48) * 30 * MIN_MS + (one_in(w, 8) ? (int64_t)below(w, 3) - 1 : 0),
	    .device = 1 + below(w, 2),
	    .no = i,
	    .calendar = &w->calendars[one_in(w, 3) ? below(w, WORLD_CALENDARS) : 0],
	    .class = (enum gf_class)(1 + below(w, 2)),
	};
	if (f->kind == FACT_SESSION)
		make_session(w, f, w->areas[i]);
	else if (f->kind == FACT_HEARTBEAT) {
		float base = (float)below(w, 10) * 10;

		f->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C] =
		    (struct gf_stat){.present = !one_in(w, 8), .min = base - 10, .mean = base, .max = base + 10, .last = base};
		f->heartbeat.sensors[GF_SENSOR_BATTERY_PCT] = f->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C];
	} else if (f->kind == FACT_FAULT) {
		f->fault.code = (enum gf_fault)(1 + below(w, 3));
		f->fault.severity = (enum gf_severity)(1 + below(w, 4));
	} else if (f->kind == FACT_LIMIT) {
		snprintf(f->limit.rule, sizeof(f->limit.rule), one_in(w, 2) ? "P3" : "P1");
		snprintf(f->limit.action, sizeof(f->limit.action), "%s",
		         one_in(w, 4) ? "sing" : rule_action_name((enum rule_action)below(w, RULE_ACTION_COUNT)));
	} else
		f->service.part = one_in(w, 2) ? FACT_PART_MOTOR : FACT_PART_HEAD;
}

static int in_order(const void *a, const void *b)
{
	return fact_compare(a, b);
}

/* Some facts of little use to the rule stay in between: they must do no harm. */
static void make_facts(struct world *w)
{
	const unsigned needs = rule_needs(&w->rule);

	w->facts_count = 1 + below(w, WORLD_FACTS_MAX);
	for (size_t i = 0; i < w->facts_count; i++)
		do
			make_fact(w, i, &w->facts[i]);
		while ((needs & 1U << w->facts[i].kind) == 0 && !one_in(w, 10));
	qsort(w->facts, w->facts_count, sizeof(w->facts[0]), in_order);
}

/* Every other machine never moved. */
static void make_stays(struct world *w)
{
	int64_t until_ms = w->start_ms;

	if (one_in(w, 2))
		return;
	w->stays_count = 1 + below(w, WORLD_STAYS_MAX);
	for (size_t i = 0; i < w->stays_count; i++) {
		until_ms += (int64_t)(1 + below(w, 7 * 48)) * 30 * MIN_MS;
		w->stays[i] = (struct judge_stay){until_ms, &w->calendars[below(w, WORLD_CALENDARS)]};
	}
}

void world_make(struct world *w, uint64_t seed)
{
	char key[GF_NAME_MAX];

	*w = (struct world){.start_ms = INT64_C(1772323200000)}; /* 2026-03-01 */
	gf_prng_seed(&w->prng, seed);
	for (size_t i = 0; i < WORLD_CALENDARS; i++)
		make_calendar(w, i);
	do
		make_rule(w);
	while (rule_check(&w->rule, key, NULL) != 0);
	w->muscle = one_in(w, 2) ? GF_MUSCLE_QUADS : GF_MUSCLE_GLUTES;
	w->side = one_in(w, 2) ? GF_SIDE_LEFT : GF_SIDE_RIGHT;
	make_facts(w);
	make_stays(w);
	w->now_ms = w->start_ms + (int64_t)below(w, 26 * 48) * 30 * MIN_MS;
}

struct judge_input world_input(const struct world *w)
{
	return (struct judge_input){
	    .rule = &w->rule,
	    .calendar = &w->calendars[0],
	    .before = w->stays,
	    .before_count = w->stays_count,
	    .facts = w->facts,
	    .facts_count = w->facts_count,
	    .muscle = w->muscle,
	    .side = w->side,
	    .now_ms = w->now_ms,
	};
}

/* ---- comparing ---- */

static bool same(const struct episode *a, const struct episode *b)
{
	bool equal = a->opened_ms == b->opened_ms && a->acted_ms == b->acted_ms && a->last_ms == b->last_ms &&
	             a->ended_ms == b->ended_ms && a->end == b->end && a->level == b->level && a->observed == b->observed &&
	             a->limit == b->limit && a->condition == b->condition && a->times == b->times &&
	             a->behind_count == b->behind_count;

	for (size_t i = 0; equal && i < a->behind_count; i++)
		equal = a->behind[i].kind == b->behind[i].kind && a->behind[i].device == b->behind[i].device &&
		        a->behind[i].no == b->behind[i].no;
	return equal;
}

static void print_episode(const struct world *w, const char *who, const struct episode *e)
{
#define H(ms) ((ms) == 0 ? 0.0 : (double)((ms)-w->start_ms) / (double)HOUR_MS)
	print_message("  %s: opened %.7f h acted %.7f last %.7f ended %.7f end %d %s observed %g limit %g condition %zu "
	              "times %u behind",
	              who, H(e->opened_ms), H(e->acted_ms), H(e->last_ms), H(e->ended_ms), (int)e->end,
	              rule_level_name(e->level), e->observed, e->limit, e->condition, e->times);
	for (size_t i = 0; i < e->behind_count; i++)
		print_message(" %d/%" PRIu64, (int)e->behind[i].kind, e->behind[i].no);
	print_message("\n");
}

static void print_world(const struct world *w)
{
	const struct rule *r = &w->rule;

	print_message(
	    "  rule: %s, %s, for %.2f h, days %u, times %u within %.2f h, clear after %.2f h, expires %.2f h, hours %s\n",
	    rule_subject_name(r->subject), r->any ? "any" : "all", H(r->for_ms + w->start_ms), r->days, r->times,
	    H(r->within_ms + w->start_ms), H(r->clear_after_ms + w->start_ms), H(r->expires_ms + w->start_ms),
	    rule_hours_name(r->hours));
	for (size_t i = 0; i < r->conditions_count; i++) {
		const struct rule_condition *c = &r->conditions[i];

		print_message("    %s of %s window %.2f h %s warn %s%g act %s%g clear %s%g\n",
		              rule_aggregate_name(c->aggregate), rule_metric_name(c->metric), H(c->window_ms + w->start_ms),
		              rule_comparison_name(c->comparison), c->has_warn ? "" : "-", c->warn, c->has_act ? "" : "-",
		              c->act, c->has_clear ? "" : "-", c->clear);
	}
	for (size_t i = 0; i < WORLD_CALENDARS; i++)
		print_message("  calendar %zu: %+d h, %+d h from %.1f h to %.1f h\n", i, w->zones[i].base_s / 3600,
		              (w->calendars[i].offset_s != NULL ? w->zones[i].summer_s : w->zones[i].base_s) / 3600,
		              H(w->zones[i].spring_ms), H(w->zones[i].autumn_ms));
	print_message("  now %.7f h\n", H(w->now_ms));
	for (size_t i = 0; i < w->facts_count; i++)
		print_message("    fact %d/%" PRIu64 " at %.7f h by calendar %d\n", (int)w->facts[i].kind, w->facts[i].no,
		              H(w->facts[i].at_ms), (int)(w->facts[i].calendar - w->calendars));
}

void world_expect(const struct world *w, uint64_t seed, const char *what, const struct episode *got, size_t got_count,
                  const struct episode *want, size_t want_count)
{
	bool equal = got_count == want_count;

	for (size_t i = 0; equal && i < got_count; i++)
		equal = same(&got[i], &want[i]);
	if (equal)
		return;
	print_message("seed %" PRIu64 " (GF_SEED): %s\n", seed, what);
	print_world(w);
	for (size_t i = 0; i < want_count; i++)
		print_episode(w, "want", &want[i]);
	for (size_t i = 0; i < got_count; i++)
		print_episode(w, "got ", &got[i]);
	fail_msg("seed %" PRIu64 ": %s", seed, what);
}
