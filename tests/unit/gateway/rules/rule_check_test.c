/* Rules that can never fire, or mean nothing, are refused with the key and what to do. */
#include "gateway/rules/rule.h"

#include <errno.h>
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

/* A rule that is fine. */
static struct rule fine(enum rule_subject subject, enum rule_metric metric)
{
	struct rule r = {.id = "R-1.a_b", .subject = subject, .conditions_count = 1, .expires_ms = 62 * DAY_MS};

	r.conditions[0] = (struct rule_condition){.metric = metric,
	                                          .aggregate = rule_metric_aggregate(metric),
	                                          .comparison = metric == RULE_METRIC_GAP_H ? RULE_COMPARISON_BELOW
	                                                                                    : RULE_COMPARISON_AT_LEAST,
	                                          .has_warn = true,
	                                          .warn = 20};
	return r;
}

static void expect_fine(const struct rule *rule)
{
	char key[GF_NAME_MAX];
	struct gf_diag diag = {{0}};

	if (rule_check(rule, key, &diag) != 0)
		fail_msg("%s: %s", key, diag.text);
}

static void expect_refused(const struct rule *rule, const char *want_key, const char *sentence)
{
	char key[GF_NAME_MAX] = "";
	struct gf_diag diag = {{0}};

	assert_int_equal(rule_check(rule, key, &diag), -EINVAL);
	assert_string_equal(key, want_key);
	assert_string_equal(diag.text, sentence);
}

static void every_metric_has_a_subject_that_knows_it(void **state)
{
	(void)state;
	for (int metric = 0; metric < RULE_METRIC_COUNT; metric++) {
		size_t known = 0;

		for (int subject = 0; subject < RULE_SUBJECT_COUNT; subject++) {
			struct rule r = fine((enum rule_subject)subject, (enum rule_metric)metric);
			char key[GF_NAME_MAX];

			known += rule_check(&r, key, NULL) == 0;
		}
		assert_true(known > 0);
	}
}

static void a_metric_that_the_subject_hasnt(void **state)
{
	struct rule r = fine(RULE_SUBJECT_SITE, RULE_METRIC_USE_PCT);

	(void)state;
	expect_refused(&r, "metric", "use_pct isn't known of a site, so the rule would never fire; it is of: device");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_GAP_H);
	r.conditions[0].aggregate = RULE_AGGREGATE_MEAN;
	expect_refused(&r, "aggregate", "the mean of gap_h says nothing; possible: min");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_GAP_H);
	r.conditions[0].comparison = RULE_COMPARISON_ABOVE;
	expect_refused(
	    &r, "is",
	    "a gap is judged when the next session ends it, by `is: below` or `at_most`; for a machine that isn't "
	    "heard take silent_min");
}

static void windows(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);

	(void)state;
	r.conditions[0].window_ms = -1;
	expect_refused(&r, "window", "the window is missing: give window: day, or a duration such as 24h or 7d");
	r.conditions[0].window_ms = 32 * DAY_MS;
	expect_refused(&r, "window", "the window is longer than 31 days; older tokens are forgotten");
	r.conditions[0].window_ms = 59999;
	expect_refused(&r, "window", "the window is shorter than a minute, the time between two heartbeats");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_USE_PCT);
	r.conditions[0].window_ms = DAY_MS;
	expect_refused(&r, "window", "use_pct is a share of the day's opening hours: window: day");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_PART_LIFE_PCT);
	r.conditions[0].window_ms = DAY_MS;
	expect_refused(&r, "window", "part_life_pct is what it is now: leave the window out");
}

static void thresholds_that_nothing_reaches(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_USE_PCT);

	(void)state;
	r.conditions[0].warn = 100;
	expect_fine(&r);
	r.conditions[0].warn = 101;
	expect_refused(&r, "warn", "warn is 101 %, but use_pct never gets beyond 100: the rule would never fire");
	r.conditions[0].warn = 100;
	r.conditions[0].comparison = RULE_COMPARISON_ABOVE;
	expect_refused(&r, "warn", "warn is 100 %, but use_pct never gets beyond 100: the rule would never fire");
	r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_GAP_H);
	r.conditions[0].warn = 0;
	expect_refused(&r, "warn", "warn is 0 h, but gap_h is never less than 0: the rule would never fire");
	r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_RUNNING_MIN);
	r.conditions[0].warn = 49 * 60;
	expect_fine(&r);
	r.conditions[0].warn = 49 * 60 + 1;
	expect_refused(&r, "warn", "warn is 2941 min, but running_min never gets beyond 2940: the rule would never fire");
	r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS);
	r.conditions[0].comparison = RULE_COMPARISON_BELOW;
	r.conditions[0].warn = 1;
	expect_refused(
	    &r, "warn",
	    "warn is 1, but sessions is never less than 1: the rule would never fire, not even where there are none");
	r.conditions[0].comparison = RULE_COMPARISON_AT_LEAST;
	r.conditions[0].warn = 0;
	expect_refused(&r, "warn", "warn is 0: that holds whenever there is anything; give a number above 0");
	r.conditions[0].warn = NAN;
	expect_refused(&r, "warn", "warn is no number");
	r.conditions[0].has_warn = false;
	expect_refused(&r, "metric", "no threshold: give warn, act, or both");
}

static void act_and_clear_on_the_wrong_side(void **state)
{
	struct rule r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS);
	struct rule_condition *c = &r.conditions[0];

	(void)state;
	c->has_act = true;
	c->act = 20;
	expect_refused(&r, "act", "act (20) must be above warn (20): with `is: at_least` it would come first");
	c->comparison = RULE_COMPARISON_BELOW;
	expect_refused(&r, "act", "act (20) must be below warn (20): with `is: below` it would come first");
	c->act = 19;
	expect_fine(&r);
	c->has_clear = true;
	c->clear = 19;
	expect_refused(&r, "clear", "clear (19) must not be below warn (20): the flag would be clear when it opens");
	c->clear = 20;
	expect_fine(&r);
	c->comparison = RULE_COMPARISON_ABOVE;
	c->has_warn = false;
	expect_refused(&r, "clear", "clear (20) must not be above act (19): the flag would be clear when it opens");
}

static void filters_that_nothing_passes(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS);

	(void)state;
	r.conditions[0].filter.techniques = 1U << GF_TECHNIQUE_ROLL;
	expect_refused(&r, "techniques",
	               "faults has no techniques to choose by, so nothing would count; leave it out, or choose by: "
	               "classes, codes, severities");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);
	r.conditions[0].filter.codes = 1U << GF_FAULT_STALL;
	expect_refused(&r, "codes",
	               "sessions has no codes to choose by, so nothing would count; leave it out, or choose by: classes, "
	               "outcomes, depth, routines");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_LIMIT_HITS);
	gf_strcpy(r.conditions[0].filter.limits[0], GF_NAME_MAX, "P1");
	gf_strcpy(r.conditions[0].filter.limits[1], GF_NAME_MAX, "D4");
	expect_refused(&r, "limits", "machines tell of D4 by a fault: take the metric faults and its codes");
	gf_strcpy(r.conditions[0].filter.limits[1], GF_NAME_MAX, "P33");
	expect_refused(&r, "limits", "machines know no limit 'P33', so nothing would count; known: D1, P1, P3, P6, P7, P8");
}

static void durations_that_never_end(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);

	(void)state;
	r.for_ms = 24 * HOUR_MS;
	expect_refused(&r, "for", "for is as long as what the window of sessions keeps (24 h), so it would never fire");
	r.for_ms = 23 * HOUR_MS;
	expect_fine(&r);
	/* In an hour that rolls on new sessions come before the old ones leave. */
	r.conditions[0].window_ms = HOUR_MS;
	r.for_ms = 3 * HOUR_MS;
	expect_fine(&r);
	r.for_ms = HOUR_MS - 1;
	expect_fine(&r);
	r.days = 2;
	expect_refused(&r, "for", "only one of for, days and times: make two rules");
	r.for_ms = 0;
	expect_refused(&r, "days", "days in a row need window: day, else one day would be counted on the next one too");
	r.days = 1;
	expect_refused(&r, "days", "days is 1; allowed: 2 to 14 in a row");
	r.days = 0;
	r.times = 3;
	expect_refused(&r, "times", "times needs within, such as within: 24h");
	r.times = 0;
	r.within_ms = DAY_MS;
	expect_refused(&r, "within", "within belongs to times, such as times: 3");
	r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS);
	r.days = 3;
	expect_refused(&r, "days", "days are open days of a site: of rules about a device or a site alone");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_MOTOR_TEMP_C);
	r.conditions[0].window_ms = 2 * MIN_MS;
	r.for_ms = HOUR_MS; /* heartbeats follow each other */
	expect_fine(&r);
	r.clear_after_ms = 72 * HOUR_MS;
	expect_refused(&r, "metric",
	               "motor_temp_c comes every minute: window and for, within, days or clear_after together may look "
	               "back 50 h, not 3 d");
	r.clear_after_ms = 0;
	r.expires_ms = HOUR_MS;
	expect_refused(&r, "expires", "expires must be longer than 60 min, what the rule itself looks back or waits");
}

static void actions_of_others_than_machines(void **state)
{
	struct rule r = fine(RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS);

	(void)state;
	r.lock = RULE_LEVEL_WARN;
	expect_refused(&r, "lock", "lock is of a machine; this rule is about a person: say in advice what staff does");
	r.lock = RULE_LEVEL_NONE;
	r.severity[RULE_LEVEL_ACT] = RULE_SEVERITY_CRITICAL;
	expect_refused(&r, "act_is", "the health is a machine's; this rule is about a person: leave act_is out");
	r.severity[RULE_LEVEL_ACT] = RULE_SEVERITY_OK;
	gf_strcpy(r.advice, sizeof(r.advice), "ask {device}");
	expect_refused(&r, "advice", "{device} is a machine's id; this rule is about a person");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);
	r.lock = RULE_LEVEL_ACT;
	expect_refused(&r, "lock", "lock: act never happens: no condition has act");
	r.lock = RULE_LEVEL_WARN;
	r.cap = RULE_LEVEL_WARN;
	expect_refused(&r, "cap", "cap and cap_intensity_pct belong together");
	r.cap_intensity_pct = 100;
	expect_refused(&r, "cap_intensity_pct", "cap_intensity_pct is 100; allowed: above 0, below 100");
	r.cap_intensity_pct = 40;
	expect_fine(&r);
}

static void what_always_holds(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_MOTOR_TEMP_C);

	(void)state;
	r.conditions[0].window_ms = HOUR_MS;
	r.conditions[0].warn = -60;
	expect_refused(&r, "warn", "warn is -60 \302\260C: that holds whenever there is anything; give a number above -60");
	r.conditions[0].warn = -59;
	expect_fine(&r);
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_BATTERY_PCT);
	r.conditions[0].window_ms = HOUR_MS;
	r.conditions[0].comparison = RULE_COMPARISON_AT_MOST;
	r.conditions[0].warn = 100;
	expect_refused(&r, "warn",
	               "warn is 100 %, but battery_pct never gets beyond 100: that holds whenever there is anything");
	r.conditions[0].comparison = RULE_COMPARISON_BELOW;
	expect_fine(&r);
}

static void what_never_clears(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_PART_LIFE_PCT);

	(void)state;
	r.conditions[0].has_clear = true;
	r.conditions[0].clear = 0;
	expect_refused(&r, "clear", "clear is 0, but part_life_pct is never less than 0: a flag would never clear");
	r.conditions[0].clear = 1;
	expect_fine(&r);
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_BATTERY_PCT);
	r.conditions[0].window_ms = HOUR_MS;
	r.conditions[0].comparison = RULE_COMPARISON_BELOW;
	r.conditions[0].has_clear = true;
	r.conditions[0].clear = 101;
	expect_refused(&r, "clear", "clear is 101, but battery_pct is never more than 100: a flag would never clear");
	r.conditions[0].clear = 100;
	expect_fine(&r);
}

static void what_excludes_itself(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);

	(void)state;
	r.conditions[0].window_ms = HOUR_MS;
	r.conditions[1] = r.conditions[0];
	r.conditions_count = 2;
	r.conditions[1].comparison = RULE_COMPARISON_AT_MOST;
	expect_fine(&r);
	r.conditions[1].comparison = RULE_COMPARISON_BELOW;
	expect_refused(
	    &r, "all[1].metric",
	    "sessions can't be so while all[0] holds, so the rule would never fire; for either of them take any");
	r.any = true;
	expect_fine(&r);
	r.any = false;
	/* There are no fewer in two hours than in one of them. */
	r.conditions[1].window_ms = 2 * HOUR_MS;
	expect_refused(
	    &r, "all[1].metric",
	    "sessions can't be so while all[0] holds, so the rule would never fire; for either of them take any");
	r.conditions[1].window_ms = HOUR_MS / 2;
	expect_fine(&r);
	/* Of a day, which takes nothing away before midnight. */
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);
	r.conditions[0].window_ms = 0;
	r.times = 4;
	r.within_ms = DAY_MS;
	expect_refused(
	    &r, "times",
	    "with window: day it rises once a day, and within touches 3 days at most, so it would never fire: take"
	    " a window such as 1h, or a longer within");
	r.times = 3;
	expect_fine(&r);
	r.times = 4;
	r.conditions[0].window_ms = HOUR_MS;
	expect_fine(&r);
}

static void silence_stands_alone(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SILENT_MIN);

	(void)state;
	r.hours = RULE_HOURS_CLOSED;
	expect_refused(&r, "hours", "silence of a closed site is nothing: hours: open, or leave it out");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SILENT_MIN);
	r.conditions[0].warn = 2;
	expect_fine(&r);
	r.conditions[0].warn = 1.9;
	expect_refused(
	    &r, "warn",
	    "warn is 1.9 min, but a machine reports once a minute: it would be flagged between two reports; give 2 "
	    "or more");
	r.conditions[0].warn = 20;
	r.hours = RULE_HOURS_OPEN;
	expect_fine(&r);
	r.clear_after_ms = HOUR_MS;
	expect_refused(&r, "metric", "silent_min says itself how long: leave for, days, times and clear_after out");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_FAULTS);
	r.conditions_count = 2;
	r.conditions[1] = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SILENT_MIN).conditions[0];
	expect_refused(&r, "all[1].metric", "silent_min stands alone: it is no fact, but the lack of them");
	r.any = true;
	expect_refused(&r, "any[1].metric", "silent_min stands alone: it is no fact, but the lack of them");
}

static void ids(void **state)
{
	struct rule r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);

	(void)state;
	gf_strcpy(r.id, sizeof(r.id), "a/b");
	expect_refused(&r, "id", "'a/b' is no id: letters, digits, '-', '_' and '.', the first a letter or a digit");
	gf_strcpy(r.id, sizeof(r.id), ".a");
	expect_refused(&r, "id", "'.a' is no id: letters, digits, '-', '_' and '.', the first a letter or a digit");
	r.id[0] = '\0';
	expect_refused(&r, "id", "the id is empty");
	r = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS);
	r.conditions_count = 0;
	expect_refused(&r, "metric", "what is measured is missing: give metric, or conditions in all or any");
}

static void a_digest_is_of_all_but_the_line(void **state)
{
	struct rule a = fine(RULE_SUBJECT_DEVICE, RULE_METRIC_SESSIONS), b = a;

	(void)state;
	b.line = b.hours_line = b.days_line = b.conditions[0].line = 7;
	b.conditions[1].warn = 3; /* not one of them */
	b.conditions[0].act = 5;  /* neither */
	assert_true(rule_digest(&a) == rule_digest(&b));
	b.conditions[0].has_act = true;
	assert_true(rule_digest(&a) != rule_digest(&b));
	b = a;
	gf_strcpy(b.conditions[0].filter.routines[0], GF_NAME_MAX, "x");
	assert_true(rule_digest(&a) != rule_digest(&b));
	b = a;
	b.clear_after_ms = 1;
	assert_true(rule_digest(&a) != rule_digest(&b));
	gf_strcpy(b.advice, sizeof(b.advice), "other");
	b.clear_after_ms = 0;
	assert_true(rule_digest(&a) != rule_digest(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_metric_has_a_subject_that_knows_it),
	    cmocka_unit_test(a_metric_that_the_subject_hasnt),
	    cmocka_unit_test(windows),
	    cmocka_unit_test(thresholds_that_nothing_reaches),
	    cmocka_unit_test(act_and_clear_on_the_wrong_side),
	    cmocka_unit_test(filters_that_nothing_passes),
	    cmocka_unit_test(durations_that_never_end),
	    cmocka_unit_test(actions_of_others_than_machines),
	    cmocka_unit_test(what_always_holds),
	    cmocka_unit_test(what_never_clears),
	    cmocka_unit_test(what_excludes_itself),
	    cmocka_unit_test(silence_stands_alone),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(a_digest_is_of_all_but_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
