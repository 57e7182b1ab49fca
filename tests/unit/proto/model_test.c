#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "proto/model.h"

/* For one enumeration: each name leads to its value and back, and strangers are refused. */
#define CHECK_ENUM(lower, UPPER)                                                                    \
	do {                                                                                            \
		enum gf_##lower value = GF_##UPPER##_UNSPECIFIED;                                           \
		for (int i = 1; i < GF_##UPPER##_COUNT; i++) {                                              \
			assert_int_equal(gf_##lower##_parse(gf_##lower##_name((enum gf_##lower)i), &value), 0); \
			assert_int_equal(value, i);                                                             \
		}                                                                                           \
		assert_int_equal(gf_##lower##_parse("unspecified", &value), -EINVAL);                       \
		assert_int_equal(gf_##lower##_parse("", &value), -EINVAL);                                  \
		assert_int_equal(gf_##lower##_parse("GLUTES", &value), -EINVAL);                            \
		assert_int_equal(value, GF_##UPPER##_COUNT - 1);                                            \
		assert_string_equal(gf_##lower##_name(GF_##UPPER##_UNSPECIFIED), "unspecified");            \
		assert_string_equal(gf_##lower##_name(GF_##UPPER##_COUNT), "unknown");                      \
		assert_string_equal(gf_##lower##_name((enum gf_##lower)(-1)), "unknown");                   \
	} while (0)

static void names_lead_to_values_and_back(void **state)
{
	(void)state;
	CHECK_ENUM(class, CLASS);
	CHECK_ENUM(area, AREA);
	CHECK_ENUM(side, SIDE);
	CHECK_ENUM(technique, TECHNIQUE);
	CHECK_ENUM(outcome, OUTCOME);
	CHECK_ENUM(fault, FAULT);
	CHECK_ENUM(severity, SEVERITY);
	CHECK_ENUM(sensor, SENSOR);
	CHECK_ENUM(record_kind, RECORD);
	CHECK_ENUM(presence, PRESENCE);
	CHECK_ENUM(cleared_by, CLEARED_BY);
}

static void a_lost_record_stands_for_its_range(void **state)
{
	struct gf_record lost = {.seq = 5, .kind = GF_RECORD_LOST, .lost = {.through_seq = 9}};
	struct gf_record heartbeat = {.seq = 5, .kind = GF_RECORD_HEARTBEAT};

	(void)state;
	assert_int_equal(gf_record_through(&lost), 9);
	assert_int_equal(gf_record_through(&heartbeat), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_lead_to_values_and_back),
	    cmocka_unit_test(a_lost_record_stands_for_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
