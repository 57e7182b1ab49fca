/* Which stored flag an episode is; facts' order and words; the sentence. */
#include "gateway/rules/flag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MATCHES_MAX = 16 };

static struct flag_match matches[MATCHES_MAX];

static void expect(size_t i, enum flag_change change, uint64_t id, const struct episode *episode)
{
	assert_int_equal(matches[i].change, change);
	assert_int_equal(matches[i].id, id);
	assert_ptr_equal(matches[i].episode, episode);
}

/* ---- flags ---- */

static void a_flag_goes_on_though_its_beginning_moves(void **state)
{
	const struct flag_known known[] = {{7, 100, 200}, {8, 300, 0}};
	const struct episode episodes[] = {{.opened_ms = 50, .ended_ms = 120}, {.opened_ms = 350}};

	(void)state;
	assert_int_equal(flags_match(known, 2, episodes, 2, matches), 2);
	expect(0, FLAG_KEPT, 7, &episodes[0]);
	expect(1, FLAG_KEPT, 8, &episodes[1]);
}

static void what_nobody_knows_is_new_and_what_is_no_more_is_withdrawn(void **state)
{
	const struct flag_known known[] = {{7, 100, 200}, {8, 300, 310}, {9, 900, 0}};
	const struct episode episodes[] = {
	    {.opened_ms = 10, .ended_ms = 99}, {.opened_ms = 250, .ended_ms = 299}, {.opened_ms = 400, .ended_ms = 500}};

	(void)state;
	assert_int_equal(flags_match(known, 3, episodes, 3, matches), 6);
	expect(0, FLAG_NEW, 0, &episodes[0]);
	expect(1, FLAG_WITHDRAWN, 7, NULL);
	expect(2, FLAG_NEW, 0, &episodes[1]);
	expect(3, FLAG_WITHDRAWN, 8, NULL);
	expect(4, FLAG_NEW, 0, &episodes[2]);
	expect(5, FLAG_WITHDRAWN, 9, NULL);
	assert_int_equal(flags_match(known, 3, NULL, 0, matches), 3);
	assert_int_equal(flags_match(NULL, 0, episodes, 3, matches), 3);
}

static void two_that_become_one_keep_the_older_number_and_one_that_becomes_two_the_first(void **state)
{
	const struct flag_known two[] = {{7, 100, 200}, {8, 300, 400}}, one = {7, 100, 0};
	const struct episode joined = {.opened_ms = 100, .ended_ms = 400};
	const struct episode parts[] = {{.opened_ms = 100, .ended_ms = 200}, {.opened_ms = 300}};

	(void)state;
	assert_int_equal(flags_match(two, 2, &joined, 1, matches), 2);
	expect(0, FLAG_KEPT, 7, &joined);
	expect(1, FLAG_WITHDRAWN, 8, NULL);
	assert_int_equal(flags_match(&one, 1, parts, 2, matches), 2);
	expect(0, FLAG_KEPT, 7, &parts[0]);
	expect(1, FLAG_NEW, 0, &parts[1]);
}

/* ---- facts ---- */

static void facts_are_ordered_by_time_kind_machine_and_number(void **state)
{
	struct fact a = {.kind = FACT_HEARTBEAT, .at_ms = 5, .device = 3, .no = UINT64_MAX}, b = a;

	(void)state;
	assert_int_equal(fact_compare(&a, &b), 0);
	b.no = 1;
	assert_true(fact_compare(&a, &b) > 0 && fact_compare(&b, &a) < 0);
	b.device = 4;
	assert_true(fact_compare(&a, &b) < 0);
	b.kind = FACT_SESSION;
	assert_true(fact_compare(&a, &b) > 0);
	b.at_ms = 6;
	assert_true(fact_compare(&a, &b) < 0);
}

static void depth_is_by_the_highest_intensity(void **state)
{
	(void)state;
	assert_int_equal(fact_depth_of(0), FACT_DEPTH_NONE);
	assert_int_equal(fact_depth_of(0.1F), FACT_DEPTH_SUPERFICIAL);
	assert_int_equal(fact_depth_of(40), FACT_DEPTH_SUPERFICIAL);
	assert_int_equal(fact_depth_of(40.1F), FACT_DEPTH_MODERATE);
	assert_int_equal(fact_depth_of(60), FACT_DEPTH_MODERATE);
	assert_int_equal(fact_depth_of(80), FACT_DEPTH_DEEP);
	assert_int_equal(fact_depth_of(80.1F), FACT_DEPTH_BEYOND);
}

static void parts_have_names(void **state)
{
	enum fact_part part = FACT_PART_COVER;

	(void)state;
	assert_int_equal(fact_part_parse("head", &part), 0);
	assert_int_equal(part, FACT_PART_HEAD);
	assert_int_equal(fact_part_parse("heads", &part), -EINVAL);
	assert_int_equal(part, FACT_PART_HEAD);
	assert_string_equal(fact_part_name(FACT_PART_COUNT), "unknown");
	assert_string_equal(fact_depth_name(FACT_DEPTH_DEEP), "deep");
}

/* ---- the sentence ---- */

static void expect_said(const struct rule *rule, double observed, double limit, const char *sentence)
{
	const struct episode e = {.observed = observed, .limit = limit};
	char text[RULE_TEXT_MAX];

	rules_say(rule, &e, GF_MUSCLE_QUADS, GF_SIDE_LEFT, text);
	assert_string_equal(text, sentence);
}

static void the_sentence_says_what_how_much_and_the_limit(void **state)
{
	struct rule r = {.subject = RULE_SUBJECT_AREA, .conditions_count = 1};
	struct rule_condition *c = &r.conditions[0];

	(void)state;
	c->metric = RULE_METRIC_AREA_S;
	c->filter.techniques = 1U << GF_TECHNIQUE_PERCUSSION | 1U << GF_TECHNIQUE_DRUM;
	expect_said(&r, 512.25, 480,
	            "512.2 s of drum or percussion on quads left on one day; from 480 s on it is too much");
	r = (struct rule){.subject = RULE_SUBJECT_PERSON, .conditions_count = 1};
	c->metric = RULE_METRIC_SESSIONS;
	c->comparison = RULE_COMPARISON_ABOVE;
	c->window_ms = INT64_C(7) * 24 * 3600 * 1000;
	c->filter.depth_min = FACT_DEPTH_DEEP;
	expect_said(&r, 2, 1, "2 sessions deep or deeper within 7 d; more than 1 is too much");
	r = (struct rule){.subject = RULE_SUBJECT_PERSON, .conditions_count = 1};
	c->metric = RULE_METRIC_GAP_H;
	c->comparison = RULE_COMPARISON_BELOW;
	c->filter.same_class = true;
	expect_said(&r, 0.034, 3, "2 min since the session before on such a machine; less than 3 h is too little");
	expect_said(&r, 1.25, 3, "1.2 h since the session before on such a machine; less than 3 h is too little");
	r = (struct rule){.subject = RULE_SUBJECT_DEVICE, .conditions_count = 1};
	c->metric = RULE_METRIC_FAULTS;
	c->window_ms = INT64_C(24) * 3600 * 1000;
	expect_said(&r, 1, 1, "1 fault within 24 h; from 1 on it is too much");
	expect_said(&r, 2, 1, "2 faults within 24 h; from 1 on it is too much");
	c->filter.codes = 1U << GF_FAULT_OVERTEMP_MOTOR;
	expect_said(&r, 2, 1, "2 faults (overtemp_motor) within 24 h; from 1 on it is too much");
	c->filter.codes |= 1U << GF_FAULT_OVERTEMP_SURFACE;
	expect_said(&r, 2, 1, "2 faults (overtemp_motor or overtemp_surface) within 24 h; from 1 on it is too much");
	c->filter.codes |= 1U << GF_FAULT_STALL;
	expect_said(&r, 2, 1, "2 faults (overtemp_motor, overtemp_surface or stall) within 24 h; from 1 on it is too much");
	r = (struct rule){.subject = RULE_SUBJECT_PERSON, .conditions_count = 1};
	c->metric = RULE_METRIC_SESSIONS;
	for (size_t i = 0; i < RULE_LIST_MAX; i++)
		(void)snprintf(c->filter.routines[i], GF_NAME_MAX, "%c", (char)('a' + i));
	memset(c->filter.routines[3], 0, GF_NAME_MAX);
	expect_said(&r, 2, 2, "2 sessions of a, b or c on one day; from 2 on it is too much");
	r = (struct rule){.subject = RULE_SUBJECT_DEVICE, .conditions_count = 1, .days = 5};
	c->metric = RULE_METRIC_USE_PCT;
	c->comparison = RULE_COMPARISON_ABOVE;
	expect_said(&r, 82, 70,
	            "82 % of the opening hours in use of a day, 5 open days in a row; more than 70 % is too much");
	r = (struct rule){.subject = RULE_SUBJECT_DEVICE, .conditions_count = 1, .hours = RULE_HOURS_OPEN};
	c->metric = RULE_METRIC_SILENT_MIN;
	expect_said(&r, 15, 15, "not heard for 15 min of opening time");
	r = (struct rule){.subject = RULE_SUBJECT_DEVICE, .conditions_count = 1};
	c->metric = RULE_METRIC_PART_LIFE_PCT;
	expect_said(&r, 100.04, 100, "100 % of the rated life used up (motor); from 100 % on it is too much");
}

static void a_long_sentence_is_cut(void **state)
{
	struct rule r = {.subject = RULE_SUBJECT_PERSON, .conditions_count = 1};
	const struct episode e = {.observed = 1, .limit = 1};
	char text[RULE_TEXT_MAX];

	(void)state;
	r.conditions[0].metric = RULE_METRIC_SESSIONS;
	for (int i = 0; i < RULE_LIST_MAX; i++)
		memset(r.conditions[0].filter.routines[i], 'x', GF_NAME_MAX - 1);
	rules_say(&r, &e, GF_MUSCLE_QUADS, GF_SIDE_LEFT, text);
	assert_int_equal(strlen(text), RULE_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flag_goes_on_though_its_beginning_moves),
	    cmocka_unit_test(what_nobody_knows_is_new_and_what_is_no_more_is_withdrawn),
	    cmocka_unit_test(two_that_become_one_keep_the_older_number_and_one_that_becomes_two_the_first),
	    cmocka_unit_test(facts_are_ordered_by_time_kind_machine_and_number),
	    cmocka_unit_test(depth_is_by_the_highest_intensity),
	    cmocka_unit_test(parts_have_names),
	    cmocka_unit_test(the_sentence_says_what_how_much_and_the_limit),
	    cmocka_unit_test(a_long_sentence_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
