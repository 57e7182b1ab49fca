/* Each site's calendar: its zone, its hours, and what it has of the fallback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/sites/sites.h"

#define HOUR INT64_C(3600000)
static const int64_t july = INT64_C(1782864000000); /* Wednesday 2026-07-01T00:00Z */

static struct sites *some(void)
{
	struct zones *zones = NULL;
	struct sites *s = NULL;
	struct calendar day = {.week = {{0}}}, night = {.week = {{0}}};

	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	assert_int_equal(zones_add(zones, "lisbon", "Europe/Lisbon", NULL), 0);
	assert_int_equal(calendar_open(&day, "mon-fri", "06:00-22:00", NULL), 0);
	assert_int_equal(calendar_open(&night, "mon-sun", "20:00-04:00", NULL), 0);
	assert_int_equal(sites_new(zones, &day, &s), 0);
	assert_int_equal(sites_add(s, "lisbon", &day), 0);
	assert_int_equal(sites_add(s, "bar", &night), 0);
	return s;
}

static void a_site_has_its_own_zone_and_hours(void **state)
{
	struct sites *s = some();

	(void)state;
	assert_true(calendar_next_change_ms(sites_calendar(s, "lisbon"), july) == july + 5 * HOUR);
	assert_true(calendar_next_change_ms(sites_calendar(s, "bar"), july) == july + 2 * HOUR);
	assert_true(calendar_is_open(sites_calendar(s, "bar"), july));
	assert_int_equal(zones_offset_s(sites_zones(s), "lisbon", july), 3600);
	sites_free(s);
	sites_free(NULL);
}

static void one_that_is_not_named_has_the_fallbacks(void **state)
{
	struct sites *s = some();

	(void)state;
	assert_true(calendar_next_change_ms(sites_calendar(s, "munich"), july) == july + 4 * HOUR);
	assert_ptr_equal(sites_calendar(s, "munich"), sites_calendar(s, ""));
	sites_free(s);
}

static void a_calendar_stays_where_it_is(void **state)
{
	struct sites *s = some();
	const struct calendar *lisbon = sites_calendar(s, "lisbon");
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", i * 7919 % 1000);
		assert_int_equal(sites_add(s, name, &calendar_always), 0);
	}
	assert_ptr_equal(sites_calendar(s, "lisbon"), lisbon);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_true(calendar_next_change_ms(sites_calendar(s, name), july) == INT64_MAX);
	}
	assert_true(calendar_next_change_ms(sites_calendar(s, "s1000"), july) == july + 4 * HOUR);
	sites_free(s);
}

static void a_digest_changes_with_hours_and_zones_alone(void **state)
{
	struct sites *s = some(), *same = some();
	struct calendar hours = {.week = {{0}}};
	struct zones *zones = NULL;
	uint64_t before = sites_digest(s);

	(void)state;
	assert_true(sites_digest(same) == before);
	sites_free(same);
	assert_int_equal(calendar_open(&hours, "mon-fri", "06:00-22:01", NULL), 0);
	assert_int_equal(sites_add(s, "lisbon", &hours), 0);
	assert_true(sites_digest(s) != before);
	sites_free(s);
	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &hours, &s), 0);
	before = sites_digest(s);
	sites_free(s);
	assert_int_equal(zones_new("Europe/Paris", &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &hours, &s), 0);
	assert_true(sites_digest(s) != before);
	sites_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_site_has_its_own_zone_and_hours),
	    cmocka_unit_test(one_that_is_not_named_has_the_fallbacks),
	    cmocka_unit_test(a_calendar_stays_where_it_is),
	    cmocka_unit_test(a_digest_changes_with_hours_and_zones_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
