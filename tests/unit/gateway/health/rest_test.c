/* What a machine keeps from running by its own rules: said while it lasts, and that nobody has to do anything. */
#include "tests/unit/gateway/health/facts.h"

static void a_rest_is_told_until_it_is_over(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.rest_since_ms = NOON - 10 * MINUTE;
	f.rest_until_ms = NOON + 5 * MINUTE;
	f.duty_max_ms = 30 * MINUTE;
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_RESTING);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_int_equal(r.since_ms, NOON - 10 * MINUTE);
	assert_string_equal(r.text, "resting since 2026-11-20T11:50:00Z (10 min): it ran 30 min without enough rest");
	assert_string_equal(r.action, "nothing to do: it may run again at 2026-11-20T12:05:00Z (in 5 min)");
	f.duty_max_ms = 0;
	assert_non_null(strstr(only(&f).text, "it ran too long without enough rest"));
	f.now_ms = f.rest_until_ms;
	assert_int_equal(count_reasons(&f), 0);
	f.rest_until_ms = 0;
	assert_int_equal(count_reasons(&f), 0);
}

static void a_lock_is_told_with_the_operators_words(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.locked = true;
	f.locked_since_ms = NOON - 10 * MINUTE;
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_LOCKED);
	assert_int_equal(r.severity, HEALTH_OK);
	assert_string_equal(r.text, "locked since 2026-11-20T11:50:00Z (10 min), no session starts");
	f.lock_reason = "torn cover";
	assert_string_equal(only(&f).text, "locked since 2026-11-20T11:50:00Z (10 min), no session starts: torn cover");
}

static void an_offline_machine_rests_too(void **state)
{
	struct health_facts f = well();
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)state;
	f.presence = HEALTH_LOST;
	f.rest_until_ms = NOON + MINUTE;
	assert_int_equal(health_judge(&f, reasons, &count), HEALTH_CRITICAL);
	assert_int_equal(count, 2);
	assert_int_equal(reasons[0].code, HEALTH_CODE_OFFLINE);
	assert_int_equal(reasons[1].code, HEALTH_CODE_RESTING);
}

static void closed_areas_are_worth_knowing_and_no_more(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.closed_count = 2;
	f.closed[0] = (struct health_closed){GF_AREA_CALVES, GF_SIDE_LEFT, NOON - HOUR, NOON + 23 * HOUR, false};
	f.closed[1] = (struct health_closed){GF_AREA_NECK, GF_SIDE_UNSPECIFIED, NOON - 2 * HOUR, NOON + 22 * HOUR, true};
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_AREA_CLOSED);
	assert_int_equal(r.severity, HEALTH_OK);
	assert_int_equal(r.since_ms, NOON - 2 * HOUR);
	assert_string_equal(r.text, "closed after pain: calves left until 2026-11-21T11:00:00Z, neck (for one person) until"
	                            " 2026-11-21T10:00:00Z");
	assert_non_null(strstr(r.action, "nothing to do"));
	assert_non_null(strstr(r.action, "staff key"));
}

static void of_many_closed_areas_the_last_to_open_are_named(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.closed_count = HEALTH_CLOSED_MAX;
	for (size_t i = 0; i < HEALTH_CLOSED_MAX; i++)
		f.closed[i] =
		    (struct health_closed){GF_AREA_GASTROCNEMIUS_LATERAL, GF_SIDE_RIGHT, NOON, NOON + DAY - (int64_t)i, true};
	const struct health_reason r = only(&f);
	assert_non_null(strstr(r.text, "Z, and 5 more"));
	assert_true(strlen(r.text) < HEALTH_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rest_is_told_until_it_is_over),
	    cmocka_unit_test(a_lock_is_told_with_the_operators_words),
	    cmocka_unit_test(an_offline_machine_rests_too),
	    cmocka_unit_test(closed_areas_are_worth_knowing_and_no_more),
	    cmocka_unit_test(of_many_closed_areas_the_last_to_open_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
