#include "proto/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

static void dates_are_written_and_read(void **state)
{
	char buf[GF_DATE_MAX];
	int32_t day = -1;

	(void)state;
	assert_string_equal(gf_date_format(0, buf), "1970-01-01");
	assert_string_equal(gf_date_format(20777, buf), "2026-11-20");
	assert_string_equal(gf_date_format(2932896, buf), "9999-12-31");
	assert_string_equal(gf_date_format(2932897, buf), "");
	assert_string_equal(gf_date_format(-1, buf), "");
	assert_int_equal(gf_date_parse("2024-02-29", &day), 0);
	assert_int_equal(day, 19782);
	static const char *const wrong[] = {"",           "2026",        "2026-02-29", "2026-11-20T", "20261120",
	                                    "2026-13-01", "x026-01-01X", "2026-W",     "2026-W4x",    "2026-W00",
	                                    "2026-W54",   "2025-W53",    "x026-W01",   "2026-w01"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(gf_date_parse(wrong[i], &day), -EINVAL);
	assert_int_equal(day, 19782);
}

static void weeks_are_those_of_iso_8601(void **state)
{
	/* A year's first week has its first Thursday; 2026 has 53 of them. */
	static const struct {
		const char *date, *week;
	} known[] = {{"2026-01-01", "2026-W01"}, {"2025-12-29", "2026-W01"}, {"2025-12-28", "2025-W52"},
	             {"2026-11-20", "2026-W47"}, {"2027-01-03", "2026-W53"}, {"2027-01-04", "2027-W01"},
	             {"2024-12-30", "2025-W01"}, {"2021-01-01", "2020-W53"}};
	char buf[GF_DATE_MAX];
	int32_t day = 0, monday;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(gf_date_parse(known[i].date, &day), 0);
		assert_string_equal(gf_week_format(day, buf), known[i].week);
	}
	for (day = 4; day < 60 * 366; day++) {
		assert_int_equal(gf_date_parse(gf_week_format(day, buf), &monday), 0);
		assert_int_equal(monday, day - (day + 3) % 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_written_and_read),
	    cmocka_unit_test(weeks_are_those_of_iso_8601),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
