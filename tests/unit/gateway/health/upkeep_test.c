/* What people and rules say of a machine: flags, wear, tags, damage, repeated faults. */
#include <math.h>

#include "tests/unit/gateway/health/facts.h"

/* ---- flags ---- */

static struct health_flag busy(void)
{
	return (struct health_flag){.id = 12,
	                            .severity = HEALTH_ATTENTION,
	                            .since_ms = NOON - 2 * DAY,
	                            .title = "in use too much",
	                            .text = "82 % of the opening hours, limit 70 %",
	                            .advice = "send people to the others"};
}

static void an_open_flag_says_what_since_when_why_and_what_to_do(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.flags_count = 1;
	f.flags[0] = busy();
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_OVERUSE);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_int_equal(r.since_ms, NOON - 2 * DAY);
	assert_string_equal(r.text,
	                    "in use too much since 2026-11-18T12:00:00Z (2 d): 82 % of the opening hours, limit 70 %");
	assert_string_equal(r.action, "send people to the others; gymfleet overuse ack 12 --note TEXT says that you know");
	f.flags[0].acked_ms = NOON;
	f.flags[0].acked_by = "anna";
	r = only(&f);
	assert_string_equal(
	    r.text, "in use too much since 2026-11-18T12:00:00Z (2 d): 82 % of the opening hours, limit 70 %; anna knows");
	assert_string_equal(r.action, "send people to the others");
	f.flags[0].severity = HEALTH_CRITICAL;
	assert_int_equal(only(&f).severity, HEALTH_CRITICAL);
	f.flags_more = 3;
	assert_string_equal(only(&f).action, "send people to the others; 3 more are open: gymfleet overuse");
}

static void one_that_is_not_judged_in_full_has_a_code_of_its_own(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.flags_count = 1;
	f.flags[0] = busy();
	f.flags[0].of_judging = true;
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_NOT_JUDGED);
	assert_string_equal(health_code_name(r.code), "not_judged");
	assert_int_equal(r.severity, HEALTH_ATTENTION);
}

static void the_longest_flag_fits_whole(void **state)
{
	char long_text[256], title[128];
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	memset(title, 't', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	f.flags_count = 1;
	f.flags[0] = busy();
	f.flags[0].title = title;
	f.flags[0].text = f.flags[0].advice = long_text;
	f.flags[0].id = UINT64_MAX;
	f.flags[0].acked_ms = 0;
	r = only(&f);
	assert_non_null(strstr(r.text, long_text));
	assert_non_null(strstr(r.action, "18446744073709551615 --note TEXT says that you know"));
}

/* ---- wear ---- */

static struct wear motor(double used_h)
{
	struct wear w;

	wear_judge(NULL, 2000, used_h, (struct wear_counter[FACT_PART_COUNT]){[FACT_PART_MOTOR] = {used_h, 0, 0}},
	           &(struct wear_pace){4.1, 60}, NOON, &w);
	return w;
}

static void service_is_due_from_80_pct_on_and_says_when(void **state)
{
	struct health_facts f = well();
	struct wear w = motor(1599);
	struct health_reason r;

	(void)state;
	f.wear = &w;
	f.wear_pace = (struct wear_pace){4.1, 60};
	assert_int_equal(count_reasons(&f), 0);
	w = motor(1840);
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_SERVICE_DUE);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_string_equal(r.text, "motor due: 1840 of 2000 h are used (92 %); at 4.1 h a day due about 2026-12-29");
	assert_string_equal(r.action, "order the motor or its brushes, plan the service; when it is done: gymfleet device "
	                              "service chair-berlin-01 motor");
	w = motor(2000);
	r = only(&f);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_string_equal(r.text, "motor due: 2000 of 2000 h are used (100 %)");
}

static void the_worst_part_is_told_and_a_used_up_motor_before_all(void **state)
{
	struct health_facts f = well();
	struct wear_plan plan = {.parts = {[FACT_PART_COVER] = {0, 4000}, [FACT_PART_SERVICE] = {250, 0}}};
	struct wear_counter counters[FACT_PART_COUNT] = {[FACT_PART_COVER] = {.sessions = 3800},
	                                                 [FACT_PART_SERVICE] = {.motor_h = 225},
	                                                 [FACT_PART_MOTOR] = {.motor_h = 1}};
	struct wear w;
	struct health_reason r;

	(void)state;
	f.wear_pace = (struct wear_pace){4, 50};
	f.wear = &w;
	wear_judge(&plan, 2000, 1, counters, &f.wear_pace, NOON, &w);
	r = only(&f);
	assert_string_equal(r.text,
	                    "cover due: 3800 of 4000 sessions are used (95 %); at 50 sessions a day due about 2026-11-24");
	counters[FACT_PART_COVER].sessions = 5000;
	wear_judge(&plan, 2000, 1, counters, &f.wear_pace, NOON, &w);
	r = only(&f);
	assert_int_equal(r.severity, HEALTH_ATTENTION); /* nobody is hurt by an old cover */
	assert_non_null(
	    strstr(r.action, "change the cover; when it is done: gymfleet device service chair-berlin-01 cover"));
	counters[FACT_PART_MOTOR].motor_h = 2001;
	wear_judge(&plan, 2000, 1, counters, &f.wear_pace, NOON, &w);
	r = only(&f);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_non_null(strstr(r.text, "motor due: 2001 of 2000 h"));
}

static void the_flag_about_wear_isnt_told_twice(void **state)
{
	struct health_facts f = well();
	struct wear w = motor(1840);

	(void)state;
	f.flags_count = 1;
	f.flags[0] = busy();
	f.flags[0].of_wear = true;
	assert_int_equal(only(&f).code, HEALTH_CODE_OVERUSE);
	f.wear = &w;
	assert_int_equal(only(&f).code, HEALTH_CODE_SERVICE_DUE);
}

/* ---- out of service ---- */

static void a_tag_says_why_who_and_when_it_is_back(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.tag = (struct health_tag){NOON - DAY, NOON + 3 * DAY, "the seat is torn", "ben"};
	f.locked = true; /* by the tag */
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_TAGGED);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_string_equal(r.text,
	                    "out of service since 2026-11-19T12:00:00Z (24 h): the seat is torn; ben sees to it; back "
	                    "about 2026-11-23T12:00:00Z (in 3 d)");
	assert_string_equal(r.action, "when it is repaired: gymfleet device untag chair-berlin-01");
	f.tag.back_ms = NOON - 2 * HOUR;
	r = only(&f);
	assert_string_equal(r.text,
	                    "out of service since 2026-11-19T12:00:00Z (24 h): the seat is torn; ben sees to it; it "
	                    "should be back since 2026-11-20T10:00:00Z (2.0 h late)");
	assert_string_equal(r.action, "ask ben for it; when it is repaired: gymfleet device untag chair-berlin-01");
	f.tag = (struct health_tag){NOON - DAY, 0, "", NULL};
	assert_string_equal(only(&f).text, "out of service since 2026-11-19T12:00:00Z (24 h): no reason given");
}

static void a_tagged_machine_may_be_away(void **state)
{
	struct health_facts f = well();
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)state;
	f.tag = (struct health_tag){NOON - DAY, 0, "the seat is torn", "ben"};
	f.presence = HEALTH_LOST;
	f.presence_since_ms = NOON - HOUR;
	assert_int_equal(health_judge(&f, reasons, &count), HEALTH_ATTENTION);
	assert_int_equal(count, 2);
	assert_int_equal(reasons[1].code, HEALTH_CODE_OFFLINE);
	assert_int_equal(reasons[1].severity, HEALTH_OK);
}

/* ---- cases ---- */

static void reported_damage_is_told_in_the_reporters_words(void **state)
{
	struct health_facts f = well();
	struct health_reason r, reasons[HEALTH_REASONS_MAX];
	size_t count = 0;

	(void)state;
	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.reported = true,
	                                    .case_id = 7,
	                                    .severity = GF_SEVERITY_INFO,
	                                    .since_ms = NOON - HOUR,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .detail = "a tear in the left armrest",
	                                    .by = "anna",
	                                    .times = 1};
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_DAMAGE);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_string_equal(r.text,
	                    "damage since 2026-11-20T11:00:00Z (60 min), reported by anna: a tear in the left armrest");
	assert_non_null(strstr(r.action, "gymfleet faults clear 7 --note TEXT"));
	assert_non_null(strstr(r.action, "device tag chair-berlin-01 --reason TEXT"));
	f.tag = (struct health_tag){NOON, 0, "torn", NULL};
	(void)health_judge(&f, reasons, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		assert_null(strstr(reasons[i].action, "device tag"));
	f.tag.since_ms = 0;
	f.faults[0].since_ms = NOON - 40;
	assert_non_null(strstr(only(&f).text, "damage since 2026-11-20T11:59:59Z (just now), reported by anna"));
	f.faults[0].severity = GF_SEVERITY_STOP;
	assert_int_equal(only(&f).severity, HEALTH_CRITICAL);
	f.faults[0].acked_ms = NOON;
	f.faults[0].acked_by = "ben";
	assert_non_null(strstr(only(&f).text, "armrest; ben knows"));
}

static const char *times_of(uint32_t times)
{
	static struct health_reason r;
	struct health_facts f = well();

	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.code = GF_FAULT_ESTOP,
	                                    .severity = GF_SEVERITY_STOP,
	                                    .since_ms = NOON,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .times = times,
	                                    .first_ms = NOON - 2 * DAY};
	r = only(&f);
	return strstr(r.text, "it is stopped") + strlen("it is stopped");
}

static void a_fault_that_comes_again_is_counted(void **state)
{
	(void)state;
	assert_string_equal(times_of(0), "");
	assert_string_equal(times_of(1), "");
	assert_string_equal(times_of(2), "; 2nd time since 2026-11-18T12:00:00Z (2 d)");
	assert_string_equal(times_of(3), "; 3rd time since 2026-11-18T12:00:00Z (2 d)");
	assert_string_equal(times_of(5), "; 5th time since 2026-11-18T12:00:00Z (2 d)");
	assert_string_equal(times_of(11), "; 11th time since 2026-11-18T12:00:00Z (2 d)");
	assert_string_equal(times_of(21), "; 21st time since 2026-11-18T12:00:00Z (2 d)");
	assert_string_equal(times_of(112), "; 112th time since 2026-11-18T12:00:00Z (2 d)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_open_flag_says_what_since_when_why_and_what_to_do),
	    cmocka_unit_test(one_that_is_not_judged_in_full_has_a_code_of_its_own),
	    cmocka_unit_test(the_longest_flag_fits_whole),
	    cmocka_unit_test(service_is_due_from_80_pct_on_and_says_when),
	    cmocka_unit_test(the_worst_part_is_told_and_a_used_up_motor_before_all),
	    cmocka_unit_test(the_flag_about_wear_isnt_told_twice),
	    cmocka_unit_test(a_tag_says_why_who_and_when_it_is_back),
	    cmocka_unit_test(a_tagged_machine_may_be_away),
	    cmocka_unit_test(reported_damage_is_told_in_the_reporters_words),
	    cmocka_unit_test(a_fault_that_comes_again_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
