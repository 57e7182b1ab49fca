#include "gateway/api/where.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"

#define NOW_MS 1795196523000LL /* 2026-11-20T17:42:03Z */
#define HOUR_MS 3600000.0

static const char *const healths[] = {"ok", "attention", "critical", NULL};

enum { SITE, HEALTH, HOURS, DURATION, IN_SESSION, LAST_SEEN, REASON, FIELDS };
static const struct where_field fields[FIELDS] = {
    [SITE] = {"site", WHERE_TEXT, NULL},
    [HEALTH] = {"health", WHERE_TEXT, healths},
    [HOURS] = {"motor_hours", WHERE_NUMBER, NULL},
    [DURATION] = {"duration_s", WHERE_NUMBER, NULL},
    [IN_SESSION] = {"in_session", WHERE_BOOL, NULL},
    [LAST_SEEN] = {"last_seen", WHERE_TIME, NULL},
    [REASON] = {"offline_reason", WHERE_TEXT, NULL},
};

/* A chair in Berlin: needs attention, 1600 motor hours, last session 600 s, in a session, seen an hour ago. */
static const struct where_value berlin[FIELDS] = {
    [SITE] = {.type = WHERE_TEXT, .text = "berlin"},
    [HEALTH] = {.type = WHERE_TEXT, .text = "attention"},
    [HOURS] = {.type = WHERE_NUMBER, .number = 1600},
    [DURATION] = {.type = WHERE_NUMBER, .number = 600},
    [IN_SESSION] = {.type = WHERE_BOOL, .boolean = true},
    [LAST_SEEN] = {.type = WHERE_TIME, .number = NOW_MS - HOUR_MS},
    [REASON] = {.type = WHERE_NULL},
};

static struct where_value lookup(const void *row, const struct where_field *field)
{
	return ((const struct where_value *)row)[field - fields];
}

static bool chosen(const char *text)
{
	struct where *where = NULL;
	struct gf_diag diag = {{0}};
	int r = where_compile(text, fields, FIELDS, NOW_MS, &where, &diag);
	if (r != 0)
		fail_msg("%s: %s", text, diag.text);
	bool result = where_match(where, lookup, berlin);
	where_free(where);
	return result;
}

static void refused(const char *text, const char *expected)
{
	struct where *where = NULL;
	struct gf_diag diag = {{0}};

	assert_int_equal(where_compile(text, fields, FIELDS, NOW_MS, &where, &diag), -EINVAL);
	assert_null(where);
	if (strstr(diag.text, expected) == NULL)
		fail_msg("%s: said \"%s\", expected \"%s\"", text, diag.text, expected);
}

static void operators_compare_by_type(void **state)
{
	(void)state;
	assert_true(chosen("site=berlin"));
	assert_false(chosen("site != berlin"));
	assert_true(chosen("site ~ 'ber*'"));
	assert_true(chosen("site~b?rlin"));
	assert_false(chosen("site ~ ber"));
	assert_true(chosen("site < c"));
	assert_true(chosen("motor_hours > 1500"));
	assert_true(chosen("motor_hours>=1.6e3 and motor_hours<=1600"));
	assert_false(chosen("motor_hours < 1600"));
	assert_true(chosen("in_session"));
	assert_true(chosen("in_session=true and in_session != false"));
	assert_true(chosen("in_session=Yes and in_session != no"));
	assert_false(chosen("not in_session"));
}

static void and_binds_tighter_than_or(void **state)
{
	(void)state;
	assert_true(chosen("site=berlin or site=paris and health=ok"));
	assert_false(chosen("(site=berlin or site=paris) and health=ok"));
	assert_true(chosen("site=berlin and (health!=ok or motor_hours>9000)"));
	assert_false(chosen("not (site=berlin)"));
	assert_true(chosen("not not site=berlin"));
	assert_true(chosen("not site=paris AND NOT health=ok"));
	assert_false(chosen("site=paris or health=ok or health=critical"));
}

static void times_and_durations_have_units(void **state)
{
	(void)state;
	assert_true(chosen("last_seen > -2h"));
	assert_true(chosen("last_seen < -30m"));
	assert_true(chosen("last_seen < +1d"));
	assert_true(chosen("last_seen > 2026-11-20T16:00:00Z"));
	assert_true(chosen("last_seen = '2026-11-20T16:42:03Z'"));
	assert_true(chosen("duration_s = 10m"));
	assert_true(chosen("motor_hours > 2d"));
}

static void a_field_without_value_equals_only_null(void **state)
{
	(void)state;
	assert_true(chosen("offline_reason = null"));
	assert_false(chosen("offline_reason != null"));
	assert_true(chosen("offline_reason != lost"));
	assert_false(chosen("offline_reason = lost"));
	assert_false(chosen("offline_reason < z or offline_reason > a or offline_reason ~ '*'"));
	assert_true(chosen("site != null"));
}

static void mistakes_name_the_column_and_the_remedy(void **state)
{
	(void)state;
	refused("site=berlin and motor_hour>3", "column 17: unknown field 'motor_hour'; did you mean 'motor_hours'?");
	refused("zzz=1", "the fields are what -o json prints");
	refused("health=attentive", "did you mean 'attention'?");
	refused("health=green", "'health' is never 'green'");
	refused("health=green", "'health' is never 'green'; it may be 'ok', 'attention' or 'critical'");
	refused("motor_hours=many", "'motor_hours' is a number (or write a duration, such as 30m); 'many' is not");
	refused("motor_hours=nan", "is a number");
	refused("motor_hours=0x10", "is a number");
	refused("motor_hours=1e999", "is a number");
	refused("last_seen > 2h", "write -2h for that long ago or +2h");
	refused("last_seen > yesterday", "expected -7d, +30d or 2026");
	refused("last_seen > 2026-11-20", "write the day's beginning as 2026-11-20T00:00:00Z or 2026-11-20T00:00:00+01:00");
	refused("last_seen > 2026-02-30", "expected -7d, +30d or 2026");
	refused("in_session = 1", "true or false");
	refused("in_session < true", "compare it by = or !=");
	refused("motor_hours ~ 1", "'~' compares texts");
	refused("offline_reason < null", "null can only be compared by = and !=");
	refused("site == berlin", "equality is written with one '='");
	refused("site=berlin && health=ok", "write and, or, not");
	refused("site && health", "column 6: '&' is no operator");
	refused("site=", "column 6: expected a value for 'site'");
	refused("site", "expected = != < <= > >= or ~ after 'site'");
	refused("(site=berlin", "column 1: the ( here is never closed");
	refused("site=berlin)", "column 12: a ) without its (");
	refused("site=berlin site=paris", "column 13: expected and or or");
	refused("site='berlin", "column 6: the text that begins here has no closing '");
	refused("", "column 1: expected a field's name");
	refused("and", "expected a field's name");
	refused("site='\xC3\xA9' and x=1", "column 14: unknown field 'x'");
	refused("site=\xff", "not UTF-8");
}

static void size_and_nesting_are_bounded(void **state)
{
	char text[WHERE_LENGTH_MAX + 2];
	size_t n = 0;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[WHERE_LENGTH_MAX + 1] = '\0';
	refused(text, "longer than 2048 bytes");
	memset(text, '(', 300);
	text[300] = '\0';
	refused(text, "nested more than 16 deep");
	for (n = 0; n < 40; n++)
		memcpy(text + n * 4, "not ", 4);
	text[n * 4] = '\0';
	refused(text, "nested more than 16 deep");
	text[300] = '\0';
	for (n = 0; n <= WHERE_TERMS_MAX; n++)
		memcpy(text + n * 14, "in_session or ", 14);
	text[n * 14 - 4] = '\0';
	refused(text, "more than 128 comparisons");
}

static void the_deepest_expression_is_evaluated_rightly(void **state)
{
	char text[WHERE_LENGTH_MAX] = "";

	(void)state;
	for (int i = 0; i < WHERE_DEPTH_MAX; i++)
		strcat(text, "site=x or in_session and (");
	strcat(text, "site=berlin");
	for (int i = 0; i < WHERE_DEPTH_MAX; i++)
		strcat(text, ")");
	assert_true(chosen(text));
	assert_true(where_match(NULL, lookup, berlin));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(operators_compare_by_type),
	    cmocka_unit_test(and_binds_tighter_than_or),
	    cmocka_unit_test(times_and_durations_have_units),
	    cmocka_unit_test(a_field_without_value_equals_only_null),
	    cmocka_unit_test(mistakes_name_the_column_and_the_remedy),
	    cmocka_unit_test(size_and_nesting_are_bounded),
	    cmocka_unit_test(the_deepest_expression_is_evaluated_rightly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
