/* The shipped kinds of rules by hand, to the millisecond: opens when it must and not before, once, and clears when it must. */
#include "tests/unit/gateway/rules/desk.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
