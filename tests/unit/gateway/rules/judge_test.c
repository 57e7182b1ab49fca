/* How rules open, repeat and clear, whatever they measure; crowds of facts; silence. By hand, to the millisecond. */
#include <errno.h>

#include "tests/unit/gateway/rules/desk.h"

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

static void nearly_a_day_may_pass_within_a_day(void **state)
{
	const struct episode *e;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS, 0), RULE_COMPARISON_AT_LEAST, 1, NAN);
	desk->rule.for_ms = 23 * HOUR_MS;
	add_session(monday_ms + MIN_MS, 1);
	e = judge(monday_ms + DAY_MS, 1);
	assert_ms(e->opened_ms, monday_ms + 23 * HOUR_MS + MIN_MS);
	assert_ms(e->ended_ms, monday_ms + DAY_MS);
}

/* Percussion is a part of what a session does to an area. */
static void an_area_may_have_much_of_all_and_little_of_one(void **state)
{
	struct gf_area_use two[] = {{GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION, 50 * 1000, 50, 50},
	                            {GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_STROKE, 100 * 1000, 30, 30}};
	struct fact *f;

	(void)state;
	warn_act(begin_rule(RULE_SUBJECT_AREA, RULE_METRIC_AREA_S, DAY_MS), RULE_COMPARISON_BELOW, 100, NAN);
	desk->rule.conditions[0].aggregate = RULE_AGGREGATE_MAX;
	desk->rule.conditions[1] = desk->rule.conditions[0];
	desk->rule.conditions[0].filter.techniques = 1U << GF_TECHNIQUE_PERCUSSION;
	desk->rule.conditions[1].aggregate = RULE_AGGREGATE_MIN;
	warn_act(&desk->rule.conditions[1], RULE_COMPARISON_AT_LEAST, 120, NAN);
	desk->rule.conditions_count = 2;
	desk->input.muscle = GF_MUSCLE_QUADS;
	desk->input.side = GF_SIDE_LEFT;
	f = add_session(monday_ms, 10);
	f->session.areas = two;
	f->session.areas_count = 2;
	assert_ms(judge(monday_ms + HOUR_MS, 1)->opened_ms, monday_ms);
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

/* A day's sum and its greatest go on from moment to moment; its mean is looked for, as long as there is work left. */
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
	assert_int_equal(rules_judge(&desk->input, &j), 0);
	assert_int_equal(j.count, 0);
	judgement_deinit(&j);
	assert_int_equal(work, CROWD - 1); /* the first was looked at */
	work = CROWD;
	c->aggregate = RULE_AGGREGATE_MEAN;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_third_time_within_a_day_opens),
	    TEST(nearly_a_day_may_pass_within_a_day),
	    TEST(an_area_may_have_much_of_all_and_little_of_one),
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
