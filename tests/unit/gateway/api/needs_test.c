/* What needs somebody: in order, nobody twice, and thirty machines with the same as one. */
#include "gateway/api/needs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795176000000)

static struct needs needs;

static struct health_reason reason(enum health_code code, enum health_severity severity, int64_t ago_ms)
{
	struct health_reason r = {.code = code, .severity = severity, .since_ms = NOW - ago_ms};

	snprintf(r.text, sizeof(r.text), "it is so");
	return r;
}

static void add(const char *device, const char *site, enum health_code code, enum health_severity severity,
                int64_t ago_ms)
{
	struct health_reason r = reason(code, severity, ago_ms);

	needs_add(&needs, device, site, &r);
}

static int setup(void **state)
{
	(void)state;
	memset(&needs, 0, sizeof(needs));
	return 0;
}

static void critical_first_then_the_oldest(void **state)
{
	(void)state;
	add("a", "berlin", HEALTH_CODE_SERVICE_DUE, HEALTH_ATTENTION, 5000);
	add("b", "berlin", HEALTH_CODE_FAULT_OPEN, HEALTH_CRITICAL, 1);
	add("c", "berlin", HEALTH_CODE_LOCKED, HEALTH_OK, 9);
	add("d", "berlin", HEALTH_CODE_FAULT_OPEN, HEALTH_CRITICAL, 7);
	assert_int_equal(needs.count, 3);
	assert_string_equal(needs.items[0].device, "d");
	assert_string_equal(needs.items[1].device, "b");
	assert_string_equal(needs.items[2].device, "a");
	assert_int_equal(needs.items[2].machines, 1);
}

static void what_somebody_sees_to_needs_nobody_else(void **state)
{
	struct health_reason r = reason(HEALTH_CODE_OVERUSE, HEALTH_CRITICAL, 1);

	(void)state;
	r.seen_to = true;
	needs_add(&needs, "a", "berlin", &r);
	assert_int_equal(needs.count, 0);
}

static void i8_only_so_many_are_kept_and_the_worst_stay(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < NEEDS_KEPT + 50; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		add(id, "berlin", HEALTH_CODE_FAULT_OPEN, HEALTH_ATTENTION, 1000 - i);
	}
	assert_int_equal(needs.count, NEEDS_KEPT);
	assert_string_equal(needs.items[0].device, "m0");
	add("late", "berlin", HEALTH_CODE_FAULT_OPEN, HEALTH_CRITICAL, 0);
	assert_int_equal(needs.count, NEEDS_KEPT);
	assert_string_equal(needs.items[0].device, "late");
	assert_string_equal(needs.items[NEEDS_KEPT - 1].device, "m998");
}

static void many_of_a_site_with_the_same_are_one(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		add((const char *[]){"a", "b", "c", "d", "e"}[i], "berlin", HEALTH_CODE_SERVICE_DUE, HEALTH_ATTENTION, 50 - i);
	add("other", "bonn", HEALTH_CODE_SERVICE_DUE, HEALTH_ATTENTION, 48);
	add("a", "berlin", HEALTH_CODE_RESTING, HEALTH_ATTENTION, 47);
	needs_fold(&needs);
	assert_int_equal(needs.count, 3);
	assert_string_equal(needs.items[0].device, "");
	assert_string_equal(needs.items[0].site, "berlin");
	assert_int_equal(needs.items[0].machines, 5);
	assert_string_equal(needs.items[0].reason.text, "5 machines: a, b, c and 2 more; a: it is so");
	assert_string_equal(needs.items[1].device, "other");
	assert_int_equal(needs.items[2].reason.code, HEALTH_CODE_RESTING);
	needs_fold(&needs);
	assert_int_equal(needs.count, 3);
}

static void few_or_critical_ones_stay_each_their_own(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		add((const char *[]){"a", "b", "c", "d", "e"}[i], "berlin", HEALTH_CODE_FAULT_OPEN, HEALTH_CRITICAL, i);
	for (int i = 0; i < NEEDS_FOLD - 1; i++)
		add((const char *[]){"a", "b", "c"}[i], "berlin", HEALTH_CODE_OVERUSE, HEALTH_ATTENTION, i);
	needs_fold(&needs);
	assert_int_equal(needs.count, 5 + NEEDS_FOLD - 1);
}

static void the_longest_sentence_is_cut_not_torn(void **state)
{
	struct health_reason r = reason(HEALTH_CODE_OVERUSE, HEALTH_ATTENTION, 1);
	char id[GF_ID_MAX];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(r.text); i += 2)
		memcpy(r.text + i, "é", 3);
	for (int i = 0; i < 6; i++) {
		memset(id, 'a' + i, sizeof(id) - 1);
		id[sizeof(id) - 1] = '\0';
		needs_add(&needs, id, "berlin", &r);
	}
	needs_fold(&needs);
	assert_int_equal(needs.count, 1);
	assert_true(gf_utf8_valid(needs.items[0].reason.text, strlen(needs.items[0].reason.text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(critical_first_then_the_oldest, setup),
	    cmocka_unit_test_setup(what_somebody_sees_to_needs_nobody_else, setup),
	    cmocka_unit_test_setup(i8_only_so_many_are_kept_and_the_worst_stay, setup),
	    cmocka_unit_test_setup(many_of_a_site_with_the_same_are_one, setup),
	    cmocka_unit_test_setup(few_or_critical_ones_stay_each_their_own, setup),
	    cmocka_unit_test_setup(the_longest_sentence_is_cut_not_torn, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
