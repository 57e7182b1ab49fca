/* What machines tell of their limits and faults. That they tell nothing else is seen where they are tested (may_tell). */
#include "proto/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIT(name) (1U << GF_SEVERITY_##name)

static void a_limit_does_what_it_is_for_and_no_more(void **state)
{
	(void)state;
	assert_true(gf_limit_does("D1", "refuse") && gf_limit_does("P1", "warn") && gf_limit_does("P8", "open"));
	assert_true(!gf_limit_does("D1", "clamp") && !gf_limit_does("P3", "warn") && !gf_limit_does("P7", "stop"));
	assert_true(!gf_limit_does("P8", "") && !gf_limit_does("", "warn"));
}

static void other_rules_of_machines_are_told_as_faults_or_not_at_all(void **state)
{
	static const char *const told[] = {"D1", "P1", "P3", "P6", "P7", "P8"};
	static const char *const others[] = {"D2", "D3", "D4", "D5", "D6", "D7", "P2", "P4", "P5", "P9", "p1", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		assert_true(gf_limit_is_told(told[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(gf_limit_is_told(others[i]));
}

static void every_fault_may_stop_and_some_are_milder_or_latched(void **state)
{
	(void)state;
	for (int code = 1; code < GF_FAULT_COUNT; code++)
		assert_true((gf_fault_severities((enum gf_fault)code) & BIT(STOP)) != 0);
	assert_int_equal(gf_fault_severities(GF_FAULT_OVERTEMP_MOTOR), BIT(DERATE) | BIT(STOP) | BIT(LATCH));
	assert_int_equal(gf_fault_severities(GF_FAULT_LEAK), BIT(STOP));
	assert_int_equal(gf_fault_severities(GF_FAULT_STORAGE), BIT(INFO) | BIT(STOP));
	assert_int_equal(gf_fault_severities(GF_FAULT_UNSPECIFIED), 0);
	assert_int_equal(gf_fault_severities(GF_FAULT_COUNT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_limit_does_what_it_is_for_and_no_more),
	    cmocka_unit_test(other_rules_of_machines_are_told_as_faults_or_not_at_all),
	    cmocka_unit_test(every_fault_may_stop_and_some_are_milder_or_latched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
