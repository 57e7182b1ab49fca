/* The shipped kinds of rules by hand, to the millisecond: opens when it must and not before, once, and clears when it must. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/rules/judge.h"

#define MIN_MS INT64_C(60000)
#define HOUR_MS (60 * MIN_MS)
#define DAY_MS (24 * HOUR_MS)

enum { FACTS_MAX = 32 };

/* Monday 2026-03-23; on Sunday the 29th Berlin's clocks go from 02:00 to 03:00. */
static const int64_t monday_ms = INT64_C(1774220400000); /* 2026-03-23T00:00+01:00 */
static const int64_t spring_ms = INT64_C(1774746000000); /* 2026-03-29T01:00Z */

static int32_t berlin_s(const void *ctx, int64_t wall_ms)
{
	(void)ctx;
	return wall_ms < spring_ms ? 3600 : 7200;
}

struct desk {
	struct calendar calendar;
	struct rule rule;
	struct fact facts[FACTS_MAX];
	struct gf_area_use areas[FACTS_MAX];
	size_t count;
	struct judge_input input;
	struct judgement judgement;
};

static struct desk *desk;

static int set_up(void **state)
{
	struct gf_diag diag;

	(void)state;
	desk = calloc(1, sizeof(*desk));
	if (desk == NULL)
		return -1;
	if (calendar_open(&desk->calendar, "mon-fri", "06:00-22:00", &diag) != 0)
		return -1;
	desk->calendar.offset_s = berlin_s;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	judgement_deinit(&desk->judgement);
	free(desk);
	return 0;
}

static struct rule_condition *begin_rule(enum rule_subject subject, enum rule_metric metric, int64_t window_ms)
{
	desk->rule = (struct rule){.id = "R", .subject = subject, .conditions_count = 1, .expires_ms = 62 * DAY_MS};
	desk->rule.conditions[0] =
	    (struct rule_condition){.metric = metric, .aggregate = rule_metric_aggregate(metric), .window_ms = window_ms};
	return &desk->rule.conditions[0];
}

static void warn_act(struct rule_condition *c, enum rule_comparison comparison, double warn, double act)
{
	c->comparison = comparison;
	c->has_warn = !isnan(warn);
	c->has_act = !isnan(act);
	c->warn = warn;
	c->act = act;
}

static struct fact *add(enum fact_kind kind, int64_t at_ms)
{
	struct fact *f = &desk->facts[desk->count];

	assert_true(desk->count == 0 || desk->facts[desk->count - 1].at_ms <= at_ms);
	*f = (struct fact){.kind = kind, .at_ms = at_ms, .device = 1, .no = desk->count, .calendar = &desk->calendar};
	f->class = GF_CLASS_PERCUSSION;
	desk->count++;
	return f;
}

static struct fact *add_session(int64_t at_ms, uint32_t minutes)
{
	struct fact *f = add(FACT_SESSION, at_ms);

	f->session.started_ms = at_ms - minutes * MIN_MS;
	f->session.running_ms = minutes * (uint32_t)MIN_MS;
	f->session.motor_ms = f->session.running_ms;
	return f;
}

static void add_area(int64_t at_ms, enum gf_area area, enum gf_side side, uint32_t seconds)
{
	struct fact *f = add_session(at_ms, 10);
	struct gf_area_use *use = &desk->areas[desk->count - 1];

	*use = (struct gf_area_use){area, side, GF_TECHNIQUE_PERCUSSION, seconds * 1000, 50, 50};
	f->session.areas = use;
	f->session.areas_count = 1;
}

/* Judges all that was added, as it is at now_ms. */
static const struct episode *judge(int64_t now_ms, size_t expected)
{
	char key[GF_NAME_MAX];
	struct gf_diag diag = {{0}};

	if (rule_check(&desk->rule, key, &diag) != 0)
		fail_msg("%s: %s", key, diag.text);
	desk->input.rule = &desk->rule;
	desk->input.calendar = &desk->calendar;
	desk->input.facts = desk->facts;
	desk->input.facts_count = desk->count;
	desk->input.now_ms = now_ms;
	judgement_deinit(&desk->judgement);
	assert_int_equal(rules_judge(&desk->input, &desk->judgement), 0);
	assert_int_equal(desk->judgement.count, expected);
	return expected > 0 ? &desk->judgement.episodes[expected - 1] : NULL;
}

#define assert_ms(got, want) assert_true((got) == (want))

/* ---- windows ---- */

static void a_day_ends_at_the_sites_midnight(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_AREA, RULE_METRIC_AREA_S, 0);
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_AT_LEAST, 300, 480);
	desk->input.muscle = GF_MUSCLE_QUADS;
	desk->input.side = GF_SIDE_LEFT;
	add_area(monday_ms - 1, GF_AREA_QUADS, GF_SIDE_LEFT, 299);
	add_area(monday_ms + 9 * HOUR_MS, GF_AREA_VASTUS_LATERALIS, GF_SIDE_LEFT, 200);
	add_area(monday_ms + 10 * HOUR_MS, GF_AREA_QUADS, GF_SIDE_RIGHT, 400);
	add_area(monday_ms + 11 * HOUR_MS, GF_AREA_CALVES, GF_SIDE_LEFT, 400);
	judge(monday_ms + 12 * HOUR_MS, 0);
	add_area(monday_ms + 13 * HOUR_MS, GF_AREA_LEGS, GF_SIDE_BOTH, 100);
	judge(monday_ms + 13 * HOUR_MS - 1, 0);
	assert_ms(desk->judgement.due_ms, monday_ms + 13 * HOUR_MS); /* it waits: that machine's clock is ahead */
	e = judge(monday_ms + 13 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 13 * HOUR_MS);
	assert_true(e->observed == 300 && e->limit == 300 && e->level == RULE_LEVEL_WARN);
	assert_int_equal(e->behind_count, 2); /* of Monday, of this area */
	assert_true(e->behind[0].no == 1 && e->behind[1].no == 4);
	assert_ms(desk->judgement.due_ms, monday_ms + DAY_MS);
	add_area(monday_ms + 20 * HOUR_MS, GF_AREA_QUADS, GF_SIDE_UNSPECIFIED, 180);
	e = judge(monday_ms + DAY_MS - 1, 1);
	assert_ms(e->acted_ms, monday_ms + 20 * HOUR_MS);
	assert_true(e->observed == 480 && e->limit == 480 && e->level == RULE_LEVEL_ACT && e->end == EPISODE_OPEN);
	e = judge(monday_ms + DAY_MS, 1);
	assert_ms(e->ended_ms, monday_ms + DAY_MS);
	assert_ms(desk->judgement.due_ms, INT64_MAX);
}

static void the_day_that_loses_an_hour_has_23(void **state)
{
	const int64_t sunday_ms = monday_ms + 6 * DAY_MS;
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, 0), RULE_COMPARISON_ABOVE, 2, 3);
	add_session(sunday_ms, 0);
	add_session(sunday_ms + 1 * HOUR_MS, 10);
	add_session(sunday_ms + 23 * HOUR_MS - 1, 10);
	add_session(sunday_ms + 23 * HOUR_MS, 10); /* Monday */
	add_session(sunday_ms + 23 * HOUR_MS + 1, 10);
	e = judge(sunday_ms + 3 * DAY_MS, 1);
	assert_ms(e->opened_ms, sunday_ms + 23 * HOUR_MS - 1);
	assert_ms(e->ended_ms, sunday_ms + 23 * HOUR_MS);
	assert_true(e->observed == 3 && e->level == RULE_LEVEL_WARN); /* two aren't above two, three aren't above three */
}

static void a_span_keeps_a_fact_exactly_so_long(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, 7 * DAY_MS);
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_ABOVE, 1, NAN);
	c->filter.depth_min = FACT_DEPTH_DEEP;
	add_session(monday_ms, 10)->session.depth = FACT_DEPTH_DEEP;
	add_session(monday_ms + DAY_MS, 10)->session.depth = FACT_DEPTH_MODERATE;
	add_session(monday_ms + 7 * DAY_MS, 10)->session.depth = FACT_DEPTH_BEYOND;
	judge(monday_ms + 8 * DAY_MS, 0); /* the first is gone just then */
	add_session(monday_ms + 14 * DAY_MS - 1, 10)->session.depth = FACT_DEPTH_DEEP;
	e = judge(monday_ms + 30 * DAY_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 14 * DAY_MS - 1);
	assert_ms(e->ended_ms, monday_ms + 14 * DAY_MS);
}

/* ---- each kind ---- */

static void a_gap_is_from_end_to_start_on_such_a_machine(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_PERSON, RULE_METRIC_GAP_H, 0);
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_BELOW, 3, NAN);
	c->filter.same_class = true;
	add_session(monday_ms + 8 * HOUR_MS, 10);
	add_session(monday_ms + 9 * HOUR_MS, 10)->class = GF_CLASS_CHAIR;
	add_session(monday_ms + 11 * HOUR_MS + 10 * MIN_MS, 10); /* exactly three hours */
	judge(monday_ms + 12 * HOUR_MS, 0);
	add_session(monday_ms + 14 * HOUR_MS, 20);
	e = judge(monday_ms + 15 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 14 * HOUR_MS);
	assert_true(e->observed == 2.5);
}

static void five_open_days_in_a_row_skip_the_weekend(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_USE_PCT, 0);
	const int64_t evening_ms = 20 * HOUR_MS;
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_ABOVE, 70, NAN);
	desk->rule.days = 5;
	/* 16 open hours a day; 70 % are 672 minutes. Wednesday, Thursday, Friday, Monday, Tuesday. */
	add_session(monday_ms + 1 * DAY_MS + evening_ms, 672); /* not above */
	for (int day = 2; day <= 4; day++)
		add_session(monday_ms + day * DAY_MS + evening_ms, 673);
	add_session(monday_ms + 5 * DAY_MS + evening_ms, 60); /* Saturday: closed */
	add_session(monday_ms + 7 * DAY_MS + evening_ms - HOUR_MS, 673);
	add_session(monday_ms + 8 * DAY_MS + 12 * HOUR_MS - HOUR_MS, 400);
	judge(monday_ms + 8 * DAY_MS + evening_ms - HOUR_MS - 1, 0);
	add_session(monday_ms + 8 * DAY_MS + evening_ms - HOUR_MS, 273);
	e = judge(monday_ms + 8 * DAY_MS + 21 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 8 * DAY_MS + evening_ms - HOUR_MS);
	assert_true(e->observed > 70.1 && e->observed < 70.2);
}

static void a_site_that_opens_once_a_week_has_open_days_in_a_row_too(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS, 0);
	struct gf_diag diag;
	const struct episode *e;

	(void)state;
	desk->calendar = (struct calendar){.offset_s = NULL};
	assert_int_equal(calendar_open(&desk->calendar, "mon", "06:00-22:00", &diag), 0);
	warn_act(c, RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.days = 4;
	for (int64_t week = 0; week < 4; week++)
		add_session(monday_ms + 7 * week * DAY_MS + 12 * HOUR_MS, 10);
	e = judge(monday_ms + 30 * DAY_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 21 * DAY_MS + 12 * HOUR_MS);
	/* The same when only the last day is new: so far back do the facts reach. */
	assert_true(rule_lookback_ms(&desk->rule) >= 21 * DAY_MS + 12 * HOUR_MS);
	desk->input.from_ms = monday_ms + 21 * DAY_MS + 12 * HOUR_MS;
	e = judge(monday_ms + 30 * DAY_MS, 1);
	assert_ms(e->opened_ms, desk->input.from_ms);
}

static void a_worn_part_clears_when_it_is_renewed_and_expires_when_nobody_uses_it(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_PART_LIFE_PCT, 0), RULE_COMPARISON_AT_LEAST, 80, 100);
	desk->rule.expires_ms = 31 * DAY_MS;
	add_session(monday_ms, 10)->session.life_pct[FACT_PART_MOTOR] = 79.9F;
	add_session(monday_ms + DAY_MS, 10)->session.life_pct[FACT_PART_MOTOR] = 80;
	add(FACT_SERVICE, monday_ms + 2 * DAY_MS)->service.part = FACT_PART_HEAD;
	e = judge(monday_ms + 3 * DAY_MS, 1);
	assert_ms(e->opened_ms, monday_ms + DAY_MS);
	assert_ms(desk->judgement.due_ms, monday_ms + 32 * DAY_MS);
	e = judge(monday_ms + 40 * DAY_MS, 1);
	assert_ms(e->ended_ms, monday_ms + 32 * DAY_MS);
	assert_int_equal(e->end, EPISODE_EXPIRED);
	add_session(monday_ms + 50 * DAY_MS, 10)->session.life_pct[FACT_PART_MOTOR] = 101;
	add(FACT_SERVICE, monday_ms + 51 * DAY_MS)->service.part = FACT_PART_MOTOR;
	e = judge(monday_ms + 52 * DAY_MS, 2);
	assert_ms(e->acted_ms, monday_ms + 50 * DAY_MS);
	assert_ms(e->ended_ms, monday_ms + 51 * DAY_MS);
	assert_int_equal(e->end, EPISODE_CLEARED);
	/* A month of older sessions isn't asked for: the newest says it all. */
	assert_ms(rule_lookback_ms(&desk->rule), 0);
}

static void vibration_in_the_hands_adds_up(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_STAFF, RULE_METRIC_VIBRATION_POINTS, 0), RULE_COMPARISON_AT_LEAST, 100, 400);
	add_session(monday_ms + 8 * HOUR_MS, 60)->session.vibration_ms2 = 5; /* 2 * 25 * 1 = 50 */
	add_session(monday_ms + 9 * HOUR_MS, 60);                            /* the model's is unknown */
	add_session(monday_ms + 10 * HOUR_MS, 60)->session.vibration_ms2 = 5;
	e = judge(monday_ms + 12 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 10 * HOUR_MS);
	assert_true(e->observed == 100);
	assert_int_equal(e->behind_count, 2);
}

static void heat_counts_when_it_lasts(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_MOTOR_TEMP_C, 2 * MIN_MS);
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_AT_LEAST, 60, NAN);
	desk->rule.for_ms = 10 * MIN_MS;
	for (int minute = 0; minute < 15; minute++)
		add(FACT_HEARTBEAT, monday_ms + minute * MIN_MS)->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C] =
		    (struct gf_stat){.present = true, .max = minute == 1 ? 59 : 60};
	e = judge(monday_ms + 10 * MIN_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 10 * MIN_MS);
	/* Two cool minutes one after the other are a break. */
	desk->facts[2].heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max = 59;
	judge(monday_ms + 13 * MIN_MS - 1, 0);
	e = judge(monday_ms + 13 * MIN_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 13 * MIN_MS);
	assert_ms(e->last_ms, e->opened_ms);
}

static void hours_choose_what_counts(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS, 0), RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.hours = RULE_HOURS_CLOSED;
	add_session(monday_ms + 22 * HOUR_MS - 1, 10);
	add_session(monday_ms + 22 * HOUR_MS, 10);
	e = judge(monday_ms + 23 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 22 * HOUR_MS);
}

/* ---- often, together, hysteresis ---- */

static void the_third_time_within_a_day_opens(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS, MIN_MS), RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.times = 3;
	desk->rule.within_ms = DAY_MS;
	add(FACT_FAULT, monday_ms);
	add(FACT_FAULT, monday_ms + MIN_MS / 2); /* the same rise */
	add(FACT_FAULT, monday_ms + HOUR_MS);
	add(FACT_FAULT, monday_ms + DAY_MS); /* the first is a day ago */
	judge(monday_ms + DAY_MS, 0);
	add(FACT_FAULT, monday_ms + DAY_MS + HOUR_MS - 1);
	e = judge(monday_ms + 2 * DAY_MS, 1);
	assert_ms(e->opened_ms, monday_ms + DAY_MS + HOUR_MS - 1);
}

static void all_need_all_and_any_needs_one(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS, DAY_MS), RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.conditions_count = 2;
	desk->rule.conditions[1] = desk->rule.conditions[0];
	desk->rule.conditions[1].metric = RULE_METRIC_SESSIONS;
	warn_act(&desk->rule.conditions[1], RULE_COMPARISON_AT_LEAST, 2, 3);
	add_session(monday_ms, 10);
	add_session(monday_ms + HOUR_MS, 10);
	add(FACT_FAULT, monday_ms + 2 * HOUR_MS);
	add_session(monday_ms + 3 * HOUR_MS, 10);
	e = judge(monday_ms + 4 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 2 * HOUR_MS);
	assert_ms(e->acted_ms, monday_ms + 3 * HOUR_MS);
	assert_int_equal(e->condition, 1); /* the one that has act */
	assert_true(e->observed == 3 && e->limit == 3);
	assert_int_equal(e->behind_count, 3); /* those when it opened */
	desk->rule.any = true;
	e = judge(monday_ms + 4 * HOUR_MS, 1);
	assert_ms(e->opened_ms, monday_ms + HOUR_MS);
	assert_int_equal(e->condition, 1);
}

static void between_clear_and_warn_it_stays_and_a_new_rise_is_a_repeat(void **state)
{
	struct rule_condition *c = begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS, 2 * HOUR_MS);
	struct episode before;
	const struct episode *e;

	(void)state;
	warn_act(c, RULE_COMPARISON_AT_LEAST, 2, NAN);
	c->has_clear = true;
	c->clear = 1;
	add_session(monday_ms, 10);
	add_session(monday_ms + HOUR_MS, 10);
	e = judge(monday_ms + 2 * HOUR_MS + 30 * MIN_MS, 1);
	assert_true(e->end == EPISODE_OPEN && e->times == 1);
	before = *e;
	add_session(monday_ms + 2 * HOUR_MS + 30 * MIN_MS, 10);
	e = judge(monday_ms + 10 * HOUR_MS, 1);
	assert_int_equal(e->times, 2);
	assert_ms(e->ended_ms, monday_ms + 4 * HOUR_MS + 30 * MIN_MS);
	/* The same when only the newest is judged. */
	desk->input.from_ms = episode_from_ms(&before, monday_ms + 2 * HOUR_MS + 30 * MIN_MS);
	assert_ms(desk->input.from_ms, monday_ms + 2 * HOUR_MS + 30 * MIN_MS);
	desk->input.open = &before;
	e = judge(monday_ms + 10 * HOUR_MS, 1);
	assert_int_equal(e->times, 2);
	assert_ms(e->ended_ms, monday_ms + 4 * HOUR_MS + 30 * MIN_MS);
	assert_ms(e->opened_ms, monday_ms + HOUR_MS);
}

static void clear_after_waits_for_quiet(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS, HOUR_MS), RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.clear_after_ms = DAY_MS;
	add(FACT_FAULT, monday_ms);
	add(FACT_FAULT, monday_ms + DAY_MS + HOUR_MS); /* just in time: quiet for a day, but not any more */
	e = judge(monday_ms + 2 * DAY_MS, 1);
	assert_int_equal(e->times, 2);
	assert_ms(desk->judgement.due_ms, monday_ms + 2 * DAY_MS + 2 * HOUR_MS);
	e = judge(monday_ms + 2 * DAY_MS + 2 * HOUR_MS, 1);
	assert_ms(e->ended_ms, monday_ms + 2 * DAY_MS + 2 * HOUR_MS);
	assert_int_equal(e->end, EPISODE_CLEARED);
}

/* As many as a big site has in a month: what comes of it is looked for piece by piece. */
static void a_crowd_is_looked_at_piece_by_piece(void **state)
{
	enum { CROWD = 30000 };
	static struct fact facts[CROWD];
	struct rule_condition *c = begin_rule(RULE_SUBJECT_SITE, RULE_METRIC_SESSIONS, 31 * DAY_MS);
	struct judgement j;

	(void)state;
	warn_act(c, RULE_COMPARISON_BELOW, 5, NAN);
	for (size_t i = 0; i < CROWD; i++)
		facts[i] = (struct fact){
		    .kind = FACT_SESSION, .at_ms = monday_ms + (int64_t)i * MIN_MS, .no = i, .calendar = &desk->calendar};
	desk->input = (struct judge_input){.rule = &desk->rule, .calendar = &desk->calendar, .facts = facts};
	desk->input.facts_count = CROWD;
	desk->input.now_ms = monday_ms + CROWD * MIN_MS;
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_int_equal(j.count, 1); /* it was below in the beginning */
	assert_ms(j.episodes[0].ended_ms, monday_ms + 4 * MIN_MS);
	assert_true(j.due_ms > desk->input.now_ms && j.due_ms < monday_ms + 31 * DAY_MS + 300 * MIN_MS);
	judgement_deinit(&j);
	desk->input.now_ms = monday_ms + 31 * DAY_MS + (CROWD - 6) * MIN_MS;
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_ms(j.due_ms, desk->input.now_ms + MIN_MS); /* only four are left then */
	judgement_deinit(&j);
}

/* A day's sum goes on from moment to moment; its greatest is looked for, as long as there is work left. */
static void i8_a_crowd_on_one_day_is_not_looked_at_again_and_again(void **state)
{
	enum { CROWD = 30000 };
	static struct fact facts[CROWD];
	struct rule_condition *c = begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_RUNNING_MIN, 0);
	uint64_t work = CROWD;
	struct judgement j;

	(void)state;
	warn_act(c, RULE_COMPARISON_AT_LEAST, 100, NAN);
	for (size_t i = 0; i < CROWD; i++) {
		facts[i] = (struct fact){
		    .kind = FACT_SESSION, .at_ms = monday_ms + (int64_t)i * 1000, .no = i, .calendar = &desk->calendar};
		facts[i].session.running_ms = 1000;
	}
	desk->input = (struct judge_input){.rule = &desk->rule, .calendar = &desk->calendar, .facts = facts, .work = &work};
	desk->input.facts_count = CROWD;
	desk->input.now_ms = monday_ms + DAY_MS;
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_int_equal(j.count, 1);
	assert_ms(j.episodes[0].opened_ms, monday_ms + 100 * MIN_MS - 1000);
	assert_ms(j.episodes[0].ended_ms, monday_ms + DAY_MS);
	judgement_deinit(&j);
	assert_int_equal(work, CROWD);
	c->aggregate = RULE_AGGREGATE_LAST;
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_int_equal(j.count, 0);
	judgement_deinit(&j);
	assert_int_equal(work, CROWD);
	c->aggregate = RULE_AGGREGATE_MAX;
	assert_int_equal(rules_judge(&desk->input, &j), -E2BIG);
	work = UINT64_MAX;
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_int_equal(j.count, 0);
	assert_true(work < UINT64_MAX - CROWD);
	judgement_deinit(&j);
}

static void only_the_newest_facts_are_told(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS, DAY_MS), RULE_COMPARISON_AT_LEAST, 20, NAN);
	for (int i = 0; i < 22; i++)
		add(FACT_FAULT, monday_ms + i);
	e = judge(monday_ms + HOUR_MS, 1);
	assert_int_equal(e->behind_count, EPISODE_BEHIND_MAX);
	assert_true(e->behind[0].no == 6 && e->behind[EPISODE_BEHIND_MAX - 1].no == 21);
	assert_true(e->observed == 22);
}

/* ---- silence ---- */

static void silence_counts_in_opening_time(void **state)
{
	const int64_t heard_ms = monday_ms + 22 * HOUR_MS - 5 * MIN_MS; /* five minutes before it closes */
	const int64_t opens_ms = monday_ms + DAY_MS + 6 * HOUR_MS + 10 * MIN_MS;
	struct episode open;
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SILENT_MIN, 0), RULE_COMPARISON_AT_LEAST, 15, 60);
	desk->rule.hours = RULE_HOURS_OPEN;
	desk->input.heard_ms = heard_ms;
	judge(opens_ms - 1, 0);
	assert_ms(desk->judgement.due_ms, opens_ms);
	e = judge(opens_ms, 1);
	assert_ms(e->opened_ms, opens_ms);
	assert_ms(desk->judgement.due_ms, opens_ms + 45 * MIN_MS);
	open = *e;
	desk->input.open = &open;
	desk->input.from_ms = opens_ms + 1;
	e = judge(opens_ms + HOUR_MS, 1);
	assert_ms(e->acted_ms, opens_ms + 45 * MIN_MS);
	assert_true(desk->judgement.due_ms == heard_ms + 62 * DAY_MS); /* I9 */
	desk->input.heard_ms = opens_ms + 2 * HOUR_MS;
	e = judge(opens_ms + 2 * HOUR_MS, 1);
	assert_ms(e->ended_ms, opens_ms + 2 * HOUR_MS);
	assert_int_equal(e->end, EPISODE_CLEARED);
	/* And silent again. */
	e = judge(opens_ms + 3 * HOUR_MS, 2);
	assert_ms(e->opened_ms, opens_ms + 2 * HOUR_MS + 15 * MIN_MS);
}

static void silence_expires_once(void **state)
{
	struct episode open;
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SILENT_MIN, 0), RULE_COMPARISON_AT_LEAST, 15, NAN);
	desk->rule.expires_ms = DAY_MS;
	desk->input.heard_ms = monday_ms;
	e = judge(monday_ms + HOUR_MS, 1);
	open = *e;
	desk->input.open = &open;
	desk->input.from_ms = monday_ms + HOUR_MS;
	e = judge(monday_ms + 2 * DAY_MS, 1);
	assert_ms(e->ended_ms, monday_ms + DAY_MS);
	assert_int_equal(e->end, EPISODE_EXPIRED);
	desk->input.open = NULL;
	desk->input.from_ms = monday_ms + 2 * DAY_MS;
	judge(monday_ms + 3 * DAY_MS, 0);
	assert_ms(desk->judgement.due_ms, INT64_MAX);
	desk->input.heard_ms = 0;
	judge(monday_ms + 3 * DAY_MS, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_day_ends_at_the_sites_midnight),
	    TEST(the_day_that_loses_an_hour_has_23),
	    TEST(a_span_keeps_a_fact_exactly_so_long),
	    TEST(a_gap_is_from_end_to_start_on_such_a_machine),
	    TEST(five_open_days_in_a_row_skip_the_weekend),
	    TEST(a_site_that_opens_once_a_week_has_open_days_in_a_row_too),
	    TEST(a_worn_part_clears_when_it_is_renewed_and_expires_when_nobody_uses_it),
	    TEST(vibration_in_the_hands_adds_up),
	    TEST(heat_counts_when_it_lasts),
	    TEST(hours_choose_what_counts),
	    TEST(the_third_time_within_a_day_opens),
	    TEST(all_need_all_and_any_needs_one),
	    TEST(between_clear_and_warn_it_stays_and_a_new_rise_is_a_repeat),
	    TEST(clear_after_waits_for_quiet),
	    TEST(a_crowd_is_looked_at_piece_by_piece),
	    TEST(i8_a_crowd_on_one_day_is_not_looked_at_again_and_again),
	    TEST(only_the_newest_facts_are_told),
	    TEST(silence_counts_in_opening_time),
	    TEST(silence_expires_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
