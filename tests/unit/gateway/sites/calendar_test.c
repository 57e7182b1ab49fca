/* Opening hours and days, over the changes of the clocks of 2026. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/sites/calendar.h"
#include "gateway/sites/zone.h"

#define MIN INT64_C(60000)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)

static struct zones *zones;

/* UTC; a test's times are 2026-01-01T00:00Z and so many days and hours. */
static int64_t at(int day_of_year, int hour, int min)
{
	return INT64_C(1767225600000) + (day_of_year - 1) * DAY + hour * HOUR + min * MIN;
}

static struct calendar in(const char *zone)
{
	struct calendar c = {.offset_s = zone_offset_s};
	struct gf_diag diag;

	zones_free(zones);
	zones = NULL;
	assert_int_equal(zones_new(zone, &zones, &diag), 0);
	c.ctx = zones_zone(zones, "");
	return c;
}

static void opens(struct calendar *c, const char *days, const char *hours)
{
	struct gf_diag diag = {""};

	if (calendar_open(c, days, hours, &diag) != 0)
		fail_msg("%s", diag.text);
}

static void days_and_hours_are_read(void **state)
{
	struct calendar c = {.week = {{0}}};

	(void)state;
	opens(&c, "mon-fri", "06:00-12:00");
	opens(&c, "mon", "14:00-22:00");
	opens(&c, "sat-sun", "00:00-24:00");
	assert_int_equal(c.week[0].count, 2);
	assert_int_equal(c.week[0].spans[1].from_min, 14 * 60);
	assert_int_equal(c.week[4].count, 1);
	assert_int_equal(c.week[4].spans[0].to_min, 12 * 60);
	assert_int_equal(c.week[6].spans[0].to_min, CALENDAR_DAY_MIN);
	opens(&c, "tue", "12:00-14:00"); /* touches: one span */
	assert_int_equal(c.week[1].count, 1);
	assert_int_equal(c.week[1].spans[0].to_min, 14 * 60);
	opens(&c, "mon", "12:00-14:00"); /* between two: one span */
	assert_int_equal(c.week[0].count, 1);
	assert_int_equal(c.week[0].spans[0].from_min, 6 * 60);
	assert_int_equal(c.week[0].spans[0].to_min, 22 * 60);
}

static void what_goes_over_midnight_is_two_spans(void **state)
{
	struct calendar c = {.week = {{0}}};

	(void)state;
	opens(&c, "fri-sun", "22:00-02:00");
	assert_int_equal(c.week[4].count, 1); /* friday night */
	assert_int_equal(c.week[5].count, 2);
	assert_int_equal(c.week[5].spans[0].to_min, 120);
	assert_int_equal(c.week[5].spans[1].from_min, 22 * 60);
	assert_int_equal(c.week[0].count, 1); /* until monday, 02:00 */
	assert_int_equal(c.week[0].spans[0].to_min, 120);
	/* Friday 2026-01-02, 22:00 to 02:00 is one time, not two. */
	assert_true(calendar_next_change_ms(&c, at(2, 23, 0)) == at(3, 2, 0));
	assert_true(calendar_next_change_ms(&c, at(3, 3, 0)) == at(3, 22, 0));
	assert_true(calendar_after_open_ms(&c, at(2, 12, 0), 4 * HOUR) == at(3, 2, 0));
	assert_true(calendar_after_open_ms(&c, at(2, 12, 0), 4 * HOUR + 1) == at(3, 22, 0) + 1);
	memset(&c, 0, sizeof(c));
	opens(&c, "sat-mon", "18:00-00:00"); /* a row may go over the week's end, hours until midnight */
	assert_int_equal(c.week[6].spans[0].to_min, CALENDAR_DAY_MIN);
	assert_int_equal(c.week[0].count, 1);
	assert_int_equal(c.week[1].count, 0);
}

static void what_cannot_be_read_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
	    {"", "06:00-22:00"},
	    {"monday", "06:00-22:00"},
	    {"mon-", "06:00-22:00"},
	    {"mon-fri-", "06:00-22:00"},
	    {"Mon", "06:00-22:00"},
	    {"mon,tue", "06:00-22:00"},
	    {"mon", ""},
	    {"mon", "06:00"},
	    {"mon", "6:00-22:00"},
	    {"mon", "06:00-22:60"},
	    {"mon", "06:00-24:01"},
	    {"mon", "24:00-06:00"},
	    {"mon", "06:00-06:00"},
	    {"mon", "00:00-00:00"},
	    {"mon", "06:00 22:00"},
	    {"mon", "06:00-22:00 "},
	    {"mon-fri", "08:00-10:00"},
	    {"sun", "23:00-07:00"},
	    {"tue-mon", "05:00-06:01"},
	};
	struct calendar c = {.week = {{0}}}, before;
	struct gf_diag diag;

	(void)state;
	opens(&c, "mon", "06:00-22:00");
	memcpy(&before, &c, sizeof(c));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag.text[0] = '\0';
		assert_int_equal(calendar_open(&c, bad[i][0], bad[i][1], &diag), -EINVAL);
		assert_true(diag.text[0] != '\0');
		assert_memory_equal(&c, &before, sizeof(c));
	}
	for (int i = 0; i < CALENDAR_SPANS_MAX; i++) {
		static const char *const hours[] = {"01:00-02:00", "03:00-04:00", "05:00-06:00", "07:00-08:00"};
		opens(&c, "wed", hours[i]);
	}
	assert_int_equal(calendar_open(&c, "wed", "09:00-10:00", &diag), -EINVAL);
	assert_string_equal(diag.text, "wed has more than 4 spans");
}

static void closed_for_ever_and_open_for_ever_have_no_change(void **state)
{
	struct calendar never = {.week = {{0}}};

	(void)state;
	assert_false(calendar_is_open(&never, at(1, 12, 0)));
	assert_true(calendar_open_ms(&never, at(1, 0, 0), at(300, 0, 0)) == 0);
	assert_true(calendar_after_open_ms(&never, at(1, 0, 0), 1) == INT64_MAX);
	assert_true(calendar_after_open_ms(&never, at(1, 0, 0), 0) == at(1, 0, 0));
	assert_true(calendar_next_change_ms(&never, at(1, 0, 0)) == INT64_MAX);
	assert_false(calendar_has_hours(&never, 20000));
	assert_true(calendar_is_open(&calendar_always, -1));
	assert_true(calendar_open_ms(&calendar_always, at(1, 0, 0), at(3, 0, 1)) == 2 * DAY + MIN);
	assert_true(calendar_open_ms(&calendar_always, at(3, 0, 0), at(1, 0, 0)) == 0);
	assert_true(calendar_after_open_ms(&calendar_always, at(1, 0, 0), 5) == at(1, 0, 0) + 5);
	assert_true(calendar_after_open_ms(&calendar_always, INT64_MAX - 1, 5) == INT64_MAX);
	assert_true(calendar_next_change_ms(&calendar_always, at(1, 0, 0)) == INT64_MAX);
	assert_true(calendar_has_hours(&calendar_always, -1));
}

static void weekdays_and_hours_are_local(void **state)
{
	struct calendar c = in("Asia/Kolkata");

	(void)state;
	assert_int_equal(calendar_weekday(0), 3);
	assert_int_equal(calendar_weekday(-1), 2);
	assert_int_equal(calendar_weekday(-4), 6);
	assert_int_equal(calendar_day(&c, 0), 0);
	assert_int_equal(calendar_day(&c, -6 * HOUR), -1);
	/* 2026-01-01T18:29Z is 23:59 in Delhi. */
	assert_int_equal(calendar_day(&c, at(1, 18, 29)), calendar_day(&c, at(1, 0, 0)));
	assert_int_equal(calendar_day(&c, at(1, 18, 30)), calendar_day(&c, at(1, 0, 0)) + 1);
	assert_int_equal(calendar_hour(&c, at(1, 18, 29)), 23);
	assert_int_equal(calendar_hour(&c, at(1, 18, 30)), 0);
	assert_true(calendar_day_start_ms(&c, calendar_day(&c, at(2, 0, 0))) == at(1, 18, 30));
}

/* Berlin: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00, both at 01:00Z. */
static void a_day_in_berlin_has_23_or_25_hours(void **state)
{
	struct calendar c = in("Europe/Berlin");
	int32_t spring, autumn;

	(void)state;
	spring = calendar_day(&c, at(88, 12, 0));
	autumn = calendar_day(&c, at(298, 12, 0));
	assert_true(calendar_day_start_ms(&c, spring) == at(87, 23, 0));
	assert_true(calendar_day_start_ms(&c, spring + 1) - calendar_day_start_ms(&c, spring) == 23 * HOUR);
	assert_true(calendar_day_start_ms(&c, autumn + 1) - calendar_day_start_ms(&c, autumn) == 25 * HOUR);
	opens(&c, "mon-sun", "01:30-04:30");
	assert_true(calendar_open_ms(&c, at(87, 23, 0), at(88, 22, 0)) == 2 * HOUR);
	assert_true(calendar_open_ms(&c, at(297, 22, 0), at(298, 23, 0)) == 4 * HOUR);
	assert_true(calendar_next_change_ms(&c, at(88, 1, 0)) == at(88, 2, 30));
	assert_true(calendar_after_open_ms(&c, at(88, 0, 30), 2 * HOUR) == at(88, 2, 30));
	assert_true(calendar_after_open_ms(&c, at(297, 23, 30), 4 * HOUR) == at(298, 3, 30));
}

static void hours_that_the_clock_skips_are_not_there(void **state)
{
	struct calendar c = in("Europe/Berlin");

	(void)state;
	opens(&c, "sun", "02:10-02:50");
	/* 29 March has no such hour; the next Sunday has. 25 October has it twice. */
	assert_true(calendar_open_ms(&c, at(87, 0, 0), at(90, 0, 0)) == 0);
	assert_true(calendar_next_change_ms(&c, at(82, 0, 0)) == at(95, 0, 10));
	assert_true(calendar_open_ms(&c, at(297, 0, 0), at(300, 0, 0)) == 80 * MIN);
	assert_true(calendar_next_change_ms(&c, at(298, 0, 20)) == at(298, 0, 50));
	assert_true(calendar_next_change_ms(&c, at(298, 0, 50)) == at(298, 1, 10));
	memset(c.week, 0, sizeof(c.week));
	opens(&c, "sun", "02:10-03:20"); /* it opens with the jump */
	assert_true(calendar_next_change_ms(&c, at(88, 0, 0)) == at(88, 1, 0));
	memset(c.week, 0, sizeof(c.week));
	opens(&c, "sun", "01:10-02:20"); /* it closes with the jump */
	assert_true(calendar_next_change_ms(&c, at(88, 0, 30)) == at(88, 1, 0));
}

/* Santiago: 2026-09-06 00:00 -> 01:00 at 04:00Z, 2026-04-04 24:00 -> 23:00 at 2026-04-05 03:00Z. */
static void a_day_may_begin_at_one(void **state)
{
	struct calendar c = in("America/Santiago");
	int32_t spring = calendar_day(&c, at(249, 12, 0)), autumn = calendar_day(&c, at(94, 12, 0));

	(void)state;
	assert_true(calendar_day_start_ms(&c, spring) == at(249, 4, 0));
	assert_int_equal(calendar_hour(&c, at(249, 4, 0)), 1);
	assert_true(calendar_day_start_ms(&c, spring + 1) == at(250, 3, 0));
	assert_true(calendar_day_start_ms(&c, autumn + 1) - calendar_day_start_ms(&c, autumn) == 25 * HOUR);
	opens(&c, "mon-sun", "22:30-00:30");
	/* The half hour after midnight is skipped; the one before it comes twice. */
	assert_true(calendar_open_ms(&c, at(248, 16, 0), at(249, 16, 0)) == 90 * MIN);
	assert_true(calendar_next_change_ms(&c, at(249, 3, 0)) == at(249, 4, 0));
	assert_true(calendar_open_ms(&c, at(94, 16, 0), at(95, 16, 0)) == 3 * HOUR);
}

static void beirut_skips_midnight_too(void **state)
{
	struct calendar c = in("Asia/Beirut");
	int32_t day = calendar_day(&c, at(88, 12, 0)); /* 2026-03-29 */

	(void)state;
	assert_true(calendar_day_start_ms(&c, day) == at(87, 22, 0));
	assert_int_equal(calendar_hour(&c, at(87, 22, 0)), 1);
	assert_int_equal(calendar_day(&c, at(87, 22, 0) - 1), day - 1);
	assert_true(calendar_day_start_ms(&c, day + 1) - calendar_day_start_ms(&c, day) == 23 * HOUR);
}

/* Lord Howe: half an hour, 2026-04-05 02:00 -> 01:30 and 2026-10-04 02:00 -> 02:30. */
static void a_clock_may_change_by_half_an_hour(void **state)
{
	struct calendar c = in("Australia/Lord_Howe");
	int32_t autumn = calendar_day(&c, at(95, 0, 0)), spring = calendar_day(&c, at(277, 0, 0));

	(void)state;
	assert_true(calendar_day_start_ms(&c, autumn + 1) - calendar_day_start_ms(&c, autumn) == 24 * HOUR + 30 * MIN);
	assert_true(calendar_day_start_ms(&c, spring + 1) - calendar_day_start_ms(&c, spring) == 23 * HOUR + 30 * MIN);
	opens(&c, "sun", "01:00-03:00");
	assert_true(calendar_open_ms(&c, at(94, 0, 0), at(96, 0, 0)) == 150 * MIN);
	assert_true(calendar_open_ms(&c, at(276, 0, 0), at(278, 0, 0)) == 90 * MIN);
}

static void a_day_that_never_was_begins_with_the_next(void **state)
{
	struct calendar c = in("Pacific/Apia");
	int32_t last = calendar_day(&c, INT64_C(1325239200000) - 1); /* 2011-12-29; the 30th was left out */

	(void)state;
	assert_int_equal(calendar_day(&c, INT64_C(1325239200000)), last + 2);
	assert_true(calendar_day_start_ms(&c, last + 1) == INT64_C(1325239200000));
	assert_true(calendar_day_start_ms(&c, last + 2) == INT64_C(1325239200000));
}

static int done(void **state)
{
	(void)state;
	zones_free(zones);
	zones = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_and_hours_are_read),
	    cmocka_unit_test(what_goes_over_midnight_is_two_spans),
	    cmocka_unit_test(what_cannot_be_read_changes_nothing),
	    cmocka_unit_test(closed_for_ever_and_open_for_ever_have_no_change),
	    cmocka_unit_test(weekdays_and_hours_are_local),
	    cmocka_unit_test(a_day_in_berlin_has_23_or_25_hours),
	    cmocka_unit_test(hours_that_the_clock_skips_are_not_there),
	    cmocka_unit_test(a_day_may_begin_at_one),
	    cmocka_unit_test(beirut_skips_midnight_too),
	    cmocka_unit_test(a_clock_may_change_by_half_an_hour),
	    cmocka_unit_test(a_day_that_never_was_begins_with_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
