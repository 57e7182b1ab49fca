#include "proto/base/clock.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/rand.h"

#define DAY_MS (24LL * 3600 * 1000)

static int64_t parsed(const char *text)
{
	int64_t ms = -77;
	if (gf_time_parse(text, &ms) != 0)
		fail_msg("'%s' is refused", text);
	return ms;
}

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && leap(year) ? 1 : 0);
}

/* --- clocks --- */

static struct gf_time manual_now(void *ctx)
{
	return *(struct gf_time *)ctx;
}

static void a_manual_clock_is_its_owners(void **state)
{
	struct gf_time time = {.mono_ms = 5, .wall_ms = 7, .synced = true};
	const struct gf_clock clock = {.now = manual_now, .ctx = &time};

	(void)state;
	assert_int_equal(gf_clock_now(&clock).mono_ms, 5);
	assert_true(gf_clock_now(&clock).synced);
	time.mono_ms += 20;
	assert_int_equal(gf_clock_now(&clock).mono_ms, 25);
	assert_int_equal(gf_clock_now(&clock).wall_ms, 7);
}

static int64_t boottime_ms(void)
{
	struct timespec now;
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It must go on while the machine is suspended. */
static void the_machines_monotonic_clock_is_the_kernels_since_boot(void **state)
{
	const int64_t before = boottime_ms(), now = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).mono_ms;

	(void)state;
	assert_true(now >= before);
	assert_true(now <= boottime_ms());
}

static void the_machines_monotonic_clock_never_goes_back(void **state)
{
	static const enum gf_clock_trust trusts[] = {GF_CLOCK_TRUST_NTP, GF_CLOCK_TRUST_SYSTEM};

	(void)state;
	for (size_t t = 0; t < sizeof(trusts) / sizeof(trusts[0]); t++) {
		const struct gf_clock *clock = gf_clock_system(trusts[t]);
		int64_t before = gf_clock_now(clock).mono_ms, start = before;
		/* Until 20 ms have passed: it moves, too. */
		while (before - start < 20) {
			int64_t now = gf_clock_now(clock).mono_ms;
			assert_true(now >= before);
			before = now;
		}
	}
}

static void the_hosts_clock_is_trusted_when_the_year_is_believable(void **state)
{
	const struct gf_time now = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));

	(void)state;
	assert_int_equal(now.synced, now.wall_ms >= parsed("2025-01-01T00:00:00Z"));
}

static void ntp_never_trusts_more_than_the_host(void **state)
{
	(void)state;
	if (gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_NTP)).synced)
		assert_true(gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).synced);
}

/* --- RFC 3339 --- */

static void every_day_from_1970_to_9999_comes_back(void **state)
{
	char want[GF_RFC3339_MAX + 40], got[GF_RFC3339_MAX];
	int64_t day_ms = 0;

	(void)state;
	for (int year = 1970; year <= 9999; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; day <= days_in(year, month); day++, day_ms += DAY_MS) {
				if (year > 2100 && day != 1 && day != days_in(year, month))
					continue;
				snprintf(want, sizeof(want), "%04d-%02d-%02dT23:59:58Z", year, month, day);
				int64_t ms = day_ms + DAY_MS - 2000;
				assert_string_equal(gf_time_format(ms, got), want);
				assert_true(parsed(want) == ms);
			}
		}
	}
}

static void known_times_are_what_everybody_says(void **state)
{
	(void)state;
	assert_true(parsed("1970-01-01T00:00:00Z") == 0);
	assert_true(parsed("2001-09-09T01:46:40Z") == 1000000000000);
	assert_true(parsed("2038-01-19T03:14:08Z") == 2147483648000);
	assert_true(parsed("2000-02-29T12:00:00Z") == 951825600000);
	assert_true(parsed("9999-12-31T23:59:59.999Z") == 253402300799999);
}

static void offsets_fractions_and_spellings_are_read(void **state)
{
	const int64_t noon = parsed("2026-11-20T12:00:00Z");

	(void)state;
	assert_true(parsed("2026-11-20T13:00:00+01:00") == noon);
	assert_true(parsed("2026-11-20T06:30:00-05:30") == noon);
	assert_true(parsed("2026-11-21T01:45:00+13:45") == noon);
	assert_true(parsed("2026-11-20t12:00:00z") == noon);
	assert_true(parsed("2026-11-20 12:00:00Z") == noon);
	assert_true(parsed("2026-11-20T12:00:00-00:00") == noon);
	assert_true(parsed("2026-11-20T12:00:00.5Z") == noon + 500);
	assert_true(parsed("2026-11-20T12:00:00.050Z") == noon + 50);
	assert_true(parsed("2026-11-20T12:00:00.123456789Z") == noon + 123);
	/* A leap second runs over into the next minute. */
	assert_true(parsed("2016-12-31T23:59:60Z") == parsed("2017-01-01T00:00:00Z"));
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "now",
	    "2026",
	    "2026-11-20",
	    "2026-11-20T12:00Z",
	    "2026-11-20T12:00:00",
	    "2026-11-20T12:00:00 Z",
	    "2026-11-20T12:00:00ZZ",
	    "2026-11-20T12:00:00Z ",
	    " 2026-11-20T12:00:00Z",
	    "2026-11-20T12:00:00+1:00",
	    "2026-11-20T12:00:00+01",
	    "2026-11-20T12:00:00+0100",
	    "2026-11-20T12:00:00+24:00",
	    "2026-11-20T12:00:00+01:60",
	    "2026-11-20T12:00:00.Z",
	    "2026-11-20T12:00:00.0123456789Z",
	    "2026-11-20T12:00:00,5Z",
	    "2026-11-20T24:00:00Z",
	    "2026-11-20T12:60:00Z",
	    "2026-11-20T12:00:61Z",
	    "2026-00-20T12:00:00Z",
	    "2026-13-20T12:00:00Z",
	    "2026-11-00T12:00:00Z",
	    "2026-11-31T12:00:00Z",
	    "2026-02-29T12:00:00Z",
	    "2026-02-30T12:00:60Z",
	    "2100-02-29T12:00:00Z",
	    "1969-12-31T23:59:59Z",
	    "10000-01-01T00:00:00Z",
	    "26-11-20T12:00:00Z",
	    "2026-1-20T12:00:00Z",
	    "2026/11/20T12:00:00Z",
	    "+026-11-20T12:00:00Z",
	    "2026-11-20T1\xc2\xb2:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ms = -77;
		if (gf_time_parse(bad[i], &ms) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
		assert_true(ms == -77);
	}
}

static void any_cut_or_changed_text_is_refused_or_comes_back(void **state)
{
	static const char good[] = "2024-02-29T23:59:58Z";
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 3339);
	for (int i = 0; i < 200000; i++) {
		char text[sizeof(good)], again[GF_RFC3339_MAX];
		int64_t ms;
		memcpy(text, good, sizeof(text));
		text[gf_prng_below(&prng, sizeof(good) - 1)] = (char)gf_prng_below(&prng, 128);
		if (gf_time_parse(text, &ms) != 0)
			continue;
		gf_time_format(ms, again);
		/* One changed character that is still a time: the same text, but for other spellings of 'T' and 'Z'. */
		if (strchr("Tt ", text[10]) != NULL && strchr("Zz", text[19]) != NULL) {
			text[10] = 'T';
			text[19] = 'Z';
		}
		assert_string_equal(again, text);
	}
}

static void what_is_unknown_has_no_text(void **state)
{
	char buf[GF_RFC3339_MAX];

	(void)state;
	assert_string_equal(gf_time_format(0, buf), "");
	assert_string_equal(gf_time_format(-1, buf), "");
	assert_string_equal(gf_time_format(INT64_MIN, buf), "");
	assert_string_equal(gf_time_format(INT64_MAX, buf), "");
	assert_string_equal(gf_time_format(253402300800000, buf), "");
	assert_string_equal(gf_time_format(1, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(gf_time_format(253402300799999, buf), "9999-12-31T23:59:59Z");
}

/* --- durations --- */

static void durations_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
	    {"500ms", 500},     {"90s", 90000},      {"30m", 1800000}, {"24h", DAY_MS},
	    {"7d", 7 * DAY_MS}, {"2w", 14 * DAY_MS}, {"0s", 0},        {"007d", 7 * DAY_MS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t ms = -77;
		assert_int_equal(gf_duration_parse(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = {"", "d", "30", "-3d", "+3d", " 3d", "3 d", "3d ", "3D", "3days", "1.5h", "3d4h"};
	int64_t ms = -77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (gf_duration_parse(bad[i], &ms) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
	}
	assert_int_equal(gf_duration_parse("99999999999999999999w", &ms), -ERANGE);
	assert_int_equal(gf_duration_parse("20000000000w", &ms), -ERANGE);
	assert_true(ms == -77);
	assert_int_equal(gf_duration_parse("15000000000w", &ms), 0);
	assert_true(ms == 15000000000 * 7 * DAY_MS);
}

static void durations_are_said_as_people_read_them(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} said[] = {
	    {INT64_MIN, "0 ms"}, {-1, "0 ms"},      {0, "0 ms"},        {999, "999 ms"},
	    {48000, "48 s"},     {180000, "3 min"}, {9000000, "2.5 h"}, {12 * 3600000, "12 h"},
	    {4 * DAY_MS, "4 d"}, {89000, "89 s"},   {90000, "2 min"},   {INT64_MAX, "106751991167 d"},
	};
	char buf[GF_DURATION_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_string_equal(gf_duration_format(said[i].ms, buf), said[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_manual_clock_is_its_owners),
	    cmocka_unit_test(the_machines_monotonic_clock_is_the_kernels_since_boot),
	    cmocka_unit_test(the_machines_monotonic_clock_never_goes_back),
	    cmocka_unit_test(the_hosts_clock_is_trusted_when_the_year_is_believable),
	    cmocka_unit_test(ntp_never_trusts_more_than_the_host),
	    cmocka_unit_test(every_day_from_1970_to_9999_comes_back),
	    cmocka_unit_test(known_times_are_what_everybody_says),
	    cmocka_unit_test(offsets_fractions_and_spellings_are_read),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(any_cut_or_changed_text_is_refused_or_comes_back),
	    cmocka_unit_test(what_is_unknown_has_no_text),
	    cmocka_unit_test(durations_have_a_unit),
	    cmocka_unit_test(what_is_no_duration_is_refused),
	    cmocka_unit_test(durations_are_said_as_people_read_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
