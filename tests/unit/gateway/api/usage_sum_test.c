/*
 * What is used adds up: over sites to the fleet wherever machines were and whenever they moved, in days of 23 and 25 hours, and in weeks that two
 * years share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

enum { WEEKDAYS = 7, HOURS = 24, SUN = 6, PATH = 192 };

#define ID "chair-berlin-01"
#define OLD "chair-old-01"
#define RUNS_S 90.0 /* each session of the fixture */

/* 2027-01-05T12:00:00Z. */
#define NEXT_YEAR (NOON + 46 * DAY)

static const char *const places[] = {"berlin", "paris", "kolkata", "newyork"};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

struct rig {
	struct server *server;
	struct sites *sites;
};

static struct gf_time next_year(void *ctx)
{
	(void)ctx;
	return (struct gf_time){.mono_ms = 1, .wall_ms = NEXT_YEAR, .synced = true};
}

/* Berlin, and all that isn't named, is never closed; New York is at night, Kolkata by half hours. */
static struct sites *make_sites(void)
{
	struct calendar by_day = {0}, by_half = {0};
	struct zones *zones = NULL;
	struct sites *sites = NULL;

	assert_int_equal(calendar_open(&by_day, "mon-sun", "09:00-21:00", NULL), 0);
	assert_int_equal(calendar_open(&by_half, "mon-sat", "06:30-22:30", NULL), 0);
	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	assert_int_equal(zones_add(zones, "kolkata", "Asia/Kolkata", NULL), 0);
	assert_int_equal(zones_add(zones, "newyork", "America/New_York", NULL), 0);
	assert_int_equal(sites_new(zones, &calendar_always, &sites), 0);
	assert_int_equal(sites_add(sites, "kolkata", &by_half), 0);
	assert_int_equal(sites_add(sites, "newyork", &by_day), 0);
	return sites;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	void *server = NULL;

	assert_non_null(rig);
	assert_int_equal(server_setup(&server), 0);
	rig->server = server;
	rig->sites = make_sites();
	api_free(rig->server->api);
	rig->server->config.sites = rig->sites;
	assert_int_equal(api_new(&rig->server->config, &rig->server->ops, &rig->server->api, NULL), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	void *server = rig->server;
	int result = server_teardown(&server);

	sites_free(rig->sites);
	free(rig);
	return result;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void near(const char *what, double value, double expected)
{
	if (value < expected - 0.01 || value > expected + 0.01)
		fail_msg("%s: %g is not %g", what, value, expected);
}

/* ---- sums over sites ---- */

/* A list's numbers, added up. */
struct sum {
	double sessions, running_s, opening_s;
};

static struct sum sum_of(struct server *s, const char *path)
{
	json_t *json = ask(s, "GET", path, NULL, 200);
	struct sum sum = {0};
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(json, "items"), i, row)
	{
		sum.sessions += number(row, "sessions");
		sum.running_s += number(row, "running_s");
		sum.opening_s += number(row, "opening_s");
	}
	json_decref(json);
	return sum;
}

static void same(const char *what, const struct sum *sum, const struct sum *expected)
{
	near(what, sum->sessions, expected->sessions);
	near(what, sum->running_s, expected->running_s);
	near(what, sum->opening_s, expected->opening_s);
}

struct heat {
	double running_s[WEEKDAYS][HOURS], opening_s[WEEKDAYS][HOURS];
};

/* Adds a heat map to `heat`, and all of it to `sum`. */
static void add_heat(struct server *s, const char *path, struct heat *heat, struct sum *sum)
{
	json_t *json = ask(s, "GET", path, NULL, 200);

	for (size_t day = 0; day < WEEKDAYS; day++) {
		const json_t *row = json_array_get(json_object_get(json, "weekdays"), day);
		for (size_t hour = 0; hour < HOURS; hour++) {
			double running_s = json_number_value(json_array_get(json_object_get(row, "running_s"), hour)),
			       opening_s = json_number_value(json_array_get(json_object_get(row, "opening_s"), hour));
			heat->running_s[day][hour] += running_s;
			heat->opening_s[day][hour] += opening_s;
			sum->running_s += running_s;
			sum->opening_s += opening_s;
		}
	}
	json_decref(json);
}

static void heat_adds_up(struct server *s, const char *since)
{
	static struct heat fleet, sites;
	struct sum all = {0}, parts = {0};
	char path[PATH];

	memset(&fleet, 0, sizeof(fleet));
	memset(&sites, 0, sizeof(sites));
	(void)snprintf(path, sizeof(path), "/v1/usage/heat?until=2100-01-01T00:00:00Z%s", since);
	add_heat(s, path, &fleet, &all);
	for (size_t i = 0; i < PLACES; i++) {
		(void)snprintf(path, sizeof(path), "/v1/usage/heat?site=%s%s", places[i], since);
		add_heat(s, path, &sites, &parts);
	}
	assert_true(all.running_s > 0 && all.opening_s > 0);
	same("heat", &parts, &all);
	for (size_t day = 0; day < WEEKDAYS; day++) {
		for (size_t hour = 0; hour < HOURS; hour++) {
			near("a cell's use", sites.running_s[day][hour], fleet.running_s[day][hour]);
			near("a cell's opening", sites.opening_s[day][hour], fleet.opening_s[day][hour]);
		}
	}
}

static void trend_adds_up(struct server *s, const char *since)
{
	struct sum parts = {0}, all;
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/usage/trend?until=2100-01-01T00:00:00Z%s", since);
	all = sum_of(s, path);
	for (size_t i = 0; i < PLACES; i++) {
		(void)snprintf(path, sizeof(path), "/v1/usage/trend?site=%s%s", places[i], since);
		struct sum part = sum_of(s, path);
		parts.sessions += part.sessions;
		parts.running_s += part.running_s;
		parts.opening_s += part.opening_s;
	}
	assert_true(all.sessions > 0);
	same("trend", &parts, &all);
}

/* `since` is "&since=..." or "". */
static void all_adds_up(struct server *s, const char *since)
{
	static const char *const keys[] = {"site", "class", "day", "week"};
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/usage?by=device%s", since);
	const struct sum machines = sum_of(s, path);
	assert_true(machines.sessions > 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(path, sizeof(path), "/v1/usage?by=%s%s", keys[i], since);
		struct sum sum = sum_of(s, path);
		/* What ran nothing has no row: only where all that counts ran something are the opening hours the same. */
		if (*since != '\0' || strcmp(keys[i], "day") == 0)
			sum.opening_s = machines.opening_s;
		same(keys[i], &sum, &machines);
	}
	heat_adds_up(s, since);
	trend_adds_up(s, since);
}

static void moves(struct server *s, const char *site, int64_t at_ms)
{
	struct store_device_change change = {.site = site, .site_since_ms = at_ms};
	const struct store_actor anna = {.who = "anna"};

	assert_int_equal(store_device_set(s->store->store, ID, &change, &anna, NOON + HOUR, NULL), 0);
}

/* Sessions before, between and after its moves, of which some begin in one hour, or at one site, and end in the next. */
static void sites_add_up_to_the_fleet_wherever_a_machine_was(void **state)
{
	const struct rig *rig = *state;
	struct server *s = rig->server;
	static const int64_t ended_ms[] = {-2 * DAY + 20 * MINUTE,
	                                   -2 * DAY + 41 * MINUTE,
	                                   -HOUR + 9 * MINUTE,
	                                   -HOUR + 21 * MINUTE,
	                                   -HOUR + 41 * MINUTE,
	                                   MINUTE,
	                                   10 * MINUTE,
	                                   31 * MINUTE,
	                                   45 * MINUTE};
	enum { COUNT = sizeof(ended_ms) / sizeof(ended_ms[0]) };
	struct gf_record rs[COUNT];

	for (size_t i = 0; i < COUNT; i++)
		rs[i] = session(7 + i, 5 + i, NOON + ended_ms[i]);
	(void)send_report(s->store, ID, 1, rs, COUNT, NOON + 55 * MINUTE);
	moves(s, "kolkata", NOON - 2 * DAY + 40 * MINUTE);
	/* Three times within an hour, and back; and in the hour that runs. */
	moves(s, "newyork", NOON - HOUR + 10 * MINUTE);
	moves(s, "berlin", NOON - HOUR + 20 * MINUTE);
	moves(s, "kolkata", NOON - HOUR + 40 * MINUTE + MINUTE / 2);
	moves(s, "paris", NOON + 30 * MINUTE);
	all_adds_up(s, "");
	/* Whole hours, for the heat map and the trend have no others. */
	all_adds_up(s, "&since=2026-11-18T12:00:00Z");
	all_adds_up(s, "&since=2026-11-20T11:00:00Z");
	all_adds_up(s, "&since=2026-11-20T12:00:00Z");
	/* All three ways to see it say the same. */
	const struct sum usage = sum_of(s, "/v1/usage?by=site"), trend = sum_of(s, "/v1/usage/trend");
	same("usage and trend", &usage, &trend);
	near("sessions", usage.sessions, 4 + COUNT);
	near("running", usage.running_s, RUNS_S * (4 + COUNT));
}

/* ---- days of 23 and 25 hours, weeks of two years ---- */

/* One that told late what it had done: around both changes of Berlin's clock, and around the end of the year. */
static void is_told_late(struct rig *rig)
{
	static const char *const ended[] = {"2026-03-10T12:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z",
	                                    "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-12-31T12:00:00Z",
	                                    "2027-01-03T22:30:00Z", "2027-01-03T23:30:00Z"};
	enum { COUNT = sizeof(ended) / sizeof(ended[0]) };
	struct server *s = rig->server;
	struct gf_record rs[COUNT];
	int64_t at_ms = 0;

	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(gf_time_parse(ended[i], &at_ms), 0);
		rs[i] = session(1 + i, 1 + i, at_ms);
	}
	api_free(s->api); /* its threads look at the clock */
	s->clock.now = next_year;
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	send_status(s->store, OLD, birth(1, 1, 9), false, NEXT_YEAR - HOUR);
	(void)send_report(s->store, OLD, 9, rs, COUNT, NEXT_YEAR - HOUR);
}

static double opening_h(struct server *s, const char *span)
{
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/usage/heat?device=" OLD "&%s", span);
	struct heat heat = {0};
	struct sum sum = {0};
	add_heat(s, path, &heat, &sum);
	(void)snprintf(path, sizeof(path), "/v1/usage?by=device&%s", span);
	json_t *json = ask(s, "GET", path, NULL, 200);
	const json_t *row;
	size_t i;
	double usage_s = 0;
	json_array_foreach(json_object_get(json, "items"), i, row)
	{
		if (strcmp(text(row, "key"), OLD) == 0)
			usage_s = number(row, "opening_s");
	}
	json_decref(json);
	near("heat and usage", sum.opening_s, usage_s);
	return usage_s / 3600;
}

static struct heat heat_of(struct server *s, const char *span)
{
	char path[PATH];
	struct heat heat = {0};
	struct sum sum = {0};

	(void)snprintf(path, sizeof(path), "/v1/usage/heat?device=" OLD "&%s", span);
	add_heat(s, path, &heat, &sum);
	near("two sessions", sum.running_s, 2 * RUNS_S);
	return heat;
}

#define SPRING "since=2026-03-28T23:00:00Z&until=2026-03-29T22:00:00Z"
#define AUTUMN "since=2026-10-24T22:00:00Z&until=2026-10-25T23:00:00Z"

static void a_day_of_23_hours_has_no_hour_at_two(void **state)
{
	struct rig *rig = *state;

	is_told_late(rig);
	near("hours", opening_h(rig->server, SPRING), 23);
	const struct heat heat = heat_of(rig->server, SPRING);
	near("at one", heat.running_s[SUN][1], RUNS_S);
	near("at two", heat.running_s[SUN][2] + heat.opening_s[SUN][2], 0);
	near("at three", heat.running_s[SUN][3], RUNS_S);
	near("open at three", heat.opening_s[SUN][3], 3600);
	near("open at the end", heat.opening_s[SUN][23], 3600);
}

static void a_day_of_25_hours_has_two_at_two(void **state)
{
	struct rig *rig = *state;

	is_told_late(rig);
	near("hours", opening_h(rig->server, AUTUMN), 25);
	const struct heat heat = heat_of(rig->server, AUTUMN);
	near("at two", heat.running_s[SUN][2], 2 * RUNS_S);
	near("open at one", heat.opening_s[SUN][1], 3600);
	near("open at two", heat.opening_s[SUN][2], 2 * 3600);
	near("open at three", heat.opening_s[SUN][3], 3600);
	/* Both are told, each at its own time. */
	json_t *json = ask(rig->server, "GET", "/v1/sessions?device=" OLD "&" AUTUMN, NULL, 200);
	const json_t *items = json_object_get(json, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(text(json_array_get(items, 0), "ended"), "2026-10-25T01:30:00Z");
	assert_string_equal(text(json_array_get(items, 1), "ended"), "2026-10-25T00:30:00Z");
	json_decref(json);
}

static void week_is(const json_t *json, const char *key, const char *week, const char *start, double sessions,
                    double opening)
{
	const json_t *row, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(json, "items"), i, row)
	{
		if (strcmp(text(row, key), week) == 0)
			found = row;
	}
	if (found == NULL)
		fail_msg("there is no %s", week);
	near(week, number(found, "sessions"), sessions);
	near(week, number(found, "running_s"), sessions * RUNS_S);
	if (start != NULL)
		assert_string_equal(text(found, "start"), start);
	if (opening >= 0)
		near(week, number(found, "opening_s"), opening * 3600);
}

static void weeks_are_whole_over_changes_of_clock_and_year(void **state)
{
	struct rig *rig = *state;

	is_told_late(rig);
	json_t *json = ask(rig->server, "GET", "/v1/usage/trend?device=" OLD "&since=2026-03-01T00:00:00Z", NULL, 200);
	week_is(json, "week", "2026-W13", "2026-03-23", 2, -1);
	week_is(json, "week", "2026-W14", "2026-03-30", 0, 168);
	week_is(json, "week", "2026-W43", "2026-10-19", 2, 169);
	week_is(json, "week", "2026-W44", "2026-10-26", 0, 168);
	/* The last one ran on Berlin's Monday. */
	week_is(json, "week", "2026-W53", "2026-12-28", 2, 168);
	week_is(json, "week", "2027-W01", "2027-01-04", 1, 24 + 13);
	json_decref(json);
	/* As who asks counts. */
	json = ask(rig->server, "GET", "/v1/usage?by=week&since=2026-12-28T00:00:00Z", NULL, 200);
	week_is(json, "key", "2026-W53", NULL, 3, -1);
	json_decref(json);
	json = ask(rig->server, "GET", "/v1/usage?by=week&since=2026-12-28T00:00:00Z&utc_offset_min=60", NULL, 200);
	week_is(json, "key", "2026-W53", NULL, 2, -1);
	week_is(json, "key", "2027-W01", NULL, 1, -1);
	json_decref(json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sites_add_up_to_the_fleet_wherever_a_machine_was),
	    TEST(a_day_of_23_hours_has_no_hour_at_two),
	    TEST(a_day_of_25_hours_has_two_at_two),
	    TEST(weeks_are_whole_over_changes_of_clock_and_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
