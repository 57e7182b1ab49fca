/* What was used how much, against opening hours; when; and heartbeats, for whoever counts by themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

/*
 * The sites: berlin is an hour ahead of UTC in November and open 06:00-22:00, paris is closed on Sundays and else open 08:00-12:00 and
 * 13:00-17:00. Both machines were first seen on 2026-11-17 (a Tuesday) at 12:00Z; it is 2026-11-20T13:00:00Z, a Friday.
 */
struct rig {
	struct server *server;
	struct sites *sites;
};

static struct calendar open_on(const char *days, const char *const *hours, size_t count)
{
	struct calendar c = {0};
	struct gf_diag diag = {""};

	for (size_t i = 0; i < count; i++)
		if (calendar_open(&c, days, hours[i], &diag) != 0)
			fail_msg("%s", diag.text);
	return c;
}

static struct sites *make_sites(void)
{
	const struct calendar berlin = open_on("mon-sun", (const char *const[]){"06:00-22:00"}, 1),
	                      paris = open_on("mon-sat", (const char *const[]){"08:00-12:00", "13:00-17:00"}, 2);
	struct zones *zones = NULL;
	struct sites *sites = NULL;
	struct gf_diag diag = {""};

	assert_int_equal(zones_new("Europe/Berlin", &zones, &diag), 0);
	assert_int_equal(zones_add(zones, "kolkata", "Asia/Kolkata", &diag), 0);
	assert_int_equal(sites_new(zones, &calendar_always, &sites), 0);
	assert_int_equal(sites_add(sites, "berlin", &berlin), 0);
	assert_int_equal(sites_add(sites, "paris", &paris), 0);
	assert_int_equal(sites_add(sites, "kolkata", &calendar_always), 0);
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

static struct server *server_of(void **state)
{
	return ((struct rig *)*state)->server;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void near(double value, double expected)
{
	if (value < expected - 0.002 || value > expected + 0.002)
		fail_msg("%g is not %g", value, expected);
}

/* The row of a list with this key; `json` is what it belongs to. */
static const json_t *row_of(const json_t *json, const char *key, const char *value)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(json, "items"), i, row)
	{
		if (strcmp(text(row, key), value) == 0)
			return row;
	}
	fail_msg("there is no row with %s '%s'", key, value);
	return NULL;
}

static void opening(struct server *s, const char *path, const char *key, double opening_h, double running_s)
{
	json_t *json = ask(s, "GET", path, NULL, 200);
	const json_t *row = row_of(json, "key", key);

	near(number(row, "opening_s"), opening_h * 3600);
	near(number(row, "running_s"), running_s);
	near(number(row, "use_pct"), 100 * running_s / (opening_h * 3600));
	json_decref(json);
}

static void use_is_set_against_the_time_a_machine_could_be_used(void **state)
{
	struct server *s = server_of(state);
	/* Berlin from Tuesday 13:00 local on: 9 h, 16 h, 16 h, and on Friday 06:00 to 14:00. Paris: 4 h, 8 h, 8 h, 4 h + 1 h. */
	const double berlin_h = 9 + 16 + 16 + 8, paris_h = 4 + 8 + 8 + 5;

	opening(s, "/v1/usage?by=device", "chair-berlin-01", berlin_h, 3 * 90);
	opening(s, "/v1/usage?by=site", "paris", paris_h, 90);
	opening(s, "/v1/usage?by=class", "percussion", paris_h, 90);
	opening(s, "/v1/usage?by=device&since=2026-11-20T11:00:00Z", "chair-berlin-01", 2, 90);
}

static void nobody_can_use_a_machine_before_it_is_there_or_in_the_time_to_come(void **state)
{
	struct server *s = server_of(state);

	/* From today's UTC midnight on: berlin from 06:00 local, paris from 08:00 local, both until now. */
	opening(s, "/v1/usage?by=day&until=2027-01-01T00:00:00Z", "2026-11-20", 8 + 5, 2 * 90);
	opening(s, "/v1/usage?by=week", "2026-W47", 9 + 16 + 16 + 8 + 4 + 8 + 8 + 5, 4 * 90);
	/* Of a caller in UTC+2 the day began earlier; nothing is open then. */
	opening(s, "/v1/usage?by=day&utc_offset_min=120", "2026-11-20", 8 + 5, 2 * 90);
	/* What has no opening hours says so. */
	json_t *json = ask(s, "GET", "/v1/usage?by=outcome", NULL, 200);
	const json_t *row = row_of(json, "key", "completed");
	assert_true(json_is_null(json_object_get(row, "opening_s")));
	assert_true(json_is_null(json_object_get(row, "use_pct")));
	json_decref(json);
	refuses(s, "GET", "/v1/usage?by=weeks", NULL, 400, "did you mean 'week'?");
}

static const json_t *cells(const json_t *heat, size_t day, const char *key)
{
	return json_object_get(json_array_get(json_object_get(heat, "weekdays"), day), key);
}

static double cell(const json_t *heat, size_t day, const char *key, size_t hour)
{
	return json_number_value(json_array_get(cells(heat, day, key), hour));
}

enum { TUE = 1, THU = 3, FRI = 4, SUN = 6 };

static void the_heat_map_has_the_local_hours_of_each_site(void **state)
{
	struct server *s = server_of(state);
	json_t *heat = ask(s, "GET", "/v1/usage/heat", NULL, 200);

	assert_int_equal(whole(heat, "machines"), 2);
	assert_int_equal(json_array_size(json_object_get(heat, "weekdays")), 7);
	assert_int_equal(json_array_size(cells(heat, SUN, "use_pct")), 24);
	assert_string_equal(text(json_array_get(json_object_get(heat, "weekdays"), TUE), "weekday"), "tue");
	/* The chair's sessions of Friday ended at 11:00Z and 12:00Z: they ran in the local hours that begin at 11 and 12. */
	near(cell(heat, FRI, "running_s", 11), 90);
	near(cell(heat, FRI, "running_s", 12), 90);
	near(cell(heat, FRI, "running_s", 10), 0);
	/* At 07 berlin alone is open, at 12 too; at 13 both. */
	near(cell(heat, FRI, "opening_s", 7), 3600);
	near(cell(heat, FRI, "opening_s", 12), 3600);
	near(cell(heat, FRI, "opening_s", 13), 2 * 3600);
	near(cell(heat, FRI, "use_pct", 12), 100 * 90.0 / 3600);
	/* From now on nothing has happened, and on Tuesday at 12 nothing was there yet. */
	near(cell(heat, FRI, "opening_s", 14), 0);
	near(cell(heat, TUE, "opening_s", 12), 0);
	near(cell(heat, TUE, "opening_s", 13), 2 * 3600);
	assert_true(json_is_null(json_array_get(cells(heat, SUN, "use_pct"), 12)));
	json_decref(heat);
	heat = ask(s, "GET", "/v1/usage/heat?site=paris", NULL, 200);
	assert_int_equal(whole(heat, "machines"), 1);
	near(cell(heat, FRI, "running_s", 12), 0);
	near(cell(heat, FRI, "opening_s", 7), 0);
	json_decref(heat);
	heat = ask(s, "GET", "/v1/usage/heat?device=chair-berlin-01&since=2026-11-20T12:30:00Z", NULL, 200);
	assert_string_equal(text(heat, "since"), "2026-11-20T12:00:00Z");
	near(cell(heat, FRI, "opening_s", 13), 3600);
	near(cell(heat, FRI, "opening_s", 12), 0);
	json_decref(heat);
	refuses(s, "GET", "/v1/usage/heat?site=rome", NULL, 404, "no machine at a site 'rome'");
	refuses(s, "GET", "/v1/usage/heat?device=nobody", NULL, 404, "no machine 'nobody'");
	refuses(s, "GET", "/v1/usage/heat?since=500d", NULL, 400, "at most 400 days");
}

/* Half an hour of UTC's hour belongs to the local hour before. */
static void clocks_may_be_half_an_hour_off(void **state)
{
	struct server *s = server_of(state);
	const struct store_device_change change = {.site = "kolkata", .site_since_ms = NOON - 9 * DAY};
	const struct store_actor actor = {.who = "anna"};

	assert_int_equal(store_device_set(s->store->store, "chair-berlin-01", &change, &actor, NOON, NULL), 0);
	json_t *heat = ask(s, "GET", "/v1/usage/heat?device=chair-berlin-01&since=2026-11-20T11:00:00Z", NULL, 200);
	/* 11:00Z is 16:30 there. */
	near(cell(heat, FRI, "opening_s", 16), 1800);
	near(cell(heat, FRI, "opening_s", 17), 3600);
	near(cell(heat, FRI, "opening_s", 18), 1800);
	near(cell(heat, FRI, "running_s", 16) + cell(heat, FRI, "running_s", 17), 90);
	near(cell(heat, FRI, "running_s", 16), 45);
	json_decref(heat);
}

static void the_trend_has_every_week(void **state)
{
	struct server *s = server_of(state);
	json_t *json = ask(s, "GET", "/v1/usage/trend", NULL, 200), *items = json_object_get(json, "items"),
	       *week = json_array_get(items, json_array_size(items) - 1);

	assert_string_equal(text(week, "week"), "2026-W47");
	assert_string_equal(text(week, "start"), "2026-11-16");
	assert_int_equal(whole(week, "sessions"), 4);
	near(number(week, "running_s"), 4 * 90);
	near(number(week, "opening_s"), 3600 * (9 + 16 + 16 + 8 + 4 + 8 + 8 + 5));
	/* The weeks before the first machine are there, without a share of nothing. */
	assert_int_equal(json_array_size(items), 11);
	week = json_array_get(items, 0);
	assert_string_equal(text(week, "week"), "2026-W37");
	assert_int_equal(whole(week, "sessions"), 0);
	assert_true(json_is_null(json_object_get(week, "use_pct")));
	json_decref(json);
	json = ask(s, "GET", "/v1/usage/trend?device=gun-paris-01&since=2026-11-17T00:00:00Z", NULL, 200);
	items = json_object_get(json, "items");
	assert_int_equal(json_array_size(items), 1);
	assert_int_equal(whole(json_array_get(items, 0), "sessions"), 1);
	json_decref(json);
	refuses(s, "GET", "/v1/usage/trend?since=1980-01-01T00:00:00Z", NULL, 400, "at most ten years");
	refuses(s, "GET", "/v1/usage/trend?site=rome", NULL, 404, "no machine at a site 'rome'");
	refuses(s, "GET", "/v1/usage/trend?by=day", NULL, 400, "unknown parameter 'by'");
}

/* From Thursday 01:00 in Berlin on it was in Paris: what it did before stays in Berlin, and so do the hours in which it could have been used there. */
static void a_machine_that_moved_leaves_its_use_where_it_was(void **state)
{
	static const char to_paris[] = "{\"site\":\"paris\"}";
	struct server *s = server_of(state);
	const double berlin_h = 9 + 16, paris_h = 8 + 5, gun_h = 4 + 8 + 8 + 5;
	json_t *json;

	json_decref(ask(s, "PATCH", "/v1/devices/chair-berlin-01?since=2026-11-19T00:00:00Z", to_paris, 200));
	opening(s, "/v1/usage?by=site", "berlin", berlin_h, 90);
	opening(s, "/v1/usage?by=site", "paris", paris_h + gun_h, 3 * 90);
	opening(s, "/v1/usage?by=device", "chair-berlin-01", berlin_h + paris_h, 3 * 90);
	opening(s, "/v1/usage?by=class", "chair", berlin_h + paris_h, 3 * 90);
	json = ask(s, "GET", "/v1/usage/trend?site=berlin&since=2026-11-17T00:00:00Z", NULL, 200);
	assert_int_equal(whole(json_array_get(json_object_get(json, "items"), 0), "sessions"), 1);
	near(number(json_array_get(json_object_get(json, "items"), 0), "opening_s"), 3600 * berlin_h);
	json_decref(json);
	json = ask(s, "GET", "/v1/usage/heat?site=berlin", NULL, 200);
	assert_int_equal(whole(json, "machines"), 1);
	near(cell(json, THU, "opening_s", 12), 0);
	json_decref(json);
	json = ask(s, "GET", "/v1/usage/heat?site=paris", NULL, 200);
	assert_int_equal(whole(json, "machines"), 2);
	near(cell(json, FRI, "opening_s", 8), 2 * 3600);
	json_decref(json);
	/* Nobody is there any more. */
	json = ask(s, "GET", "/v1/usage/heat?site=berlin&since=2026-11-20T00:00:00Z", NULL, 200);
	assert_int_equal(whole(json, "machines"), 0);
	json_decref(json);
	json = ask(s, "GET", "/v1/sessions?where=site=berlin", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	json_decref(json);
	refuses(s, "PATCH", "/v1/devices/chair-berlin-01?since=1h", "{\"bay\":\"7\"}", 400, "give the site, too");
	refuses(s, "PATCH", "/v1/devices/chair-berlin-01?since=2026-11-21T00:00:00Z", to_paris, 400,
	        "not a time up to now");
}

/* ---- heartbeats ---- */

static void a_heartbeat_is_one_flat_row(void **state)
{
	struct server *s = server_of(state);
	json_t *json = ask(s, "GET", "/v1/heartbeats", NULL, 200), *row = json_array_get(json_object_get(json, "items"), 0),
	       *value;
	const char *key;

	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	assert_string_equal(text(row, "device"), "chair-berlin-01");
	assert_string_equal(text(row, "time"), "2026-11-20T12:55:00Z");
	assert_string_equal(text(row, "time_source"), "device");
	near(number(row, "interval_s"), 60);
	assert_true(number(row, "motor_temp_c_last") > 41.1);
	assert_true(json_is_null(json_object_get(row, "battery_pct_min")));
	assert_int_equal(whole(row, "sessions"), 3);
	near(number(row, "odometer_motor_h"), 3.0 / 60);
	json_object_foreach(row, key, value)
	{
		assert_false(json_is_object(value) || json_is_array(value));
	}
	json_decref(json);
	json = ask(s, "GET", "/v1/heartbeats?where=motor_temp_c_max%3E90", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
}

/* ---- sensors over time ---- */

static void steps_are(struct server *s, const char *range, int span_s, size_t count)
{
	char path[128];

	snprintf(path, sizeof(path), "/v1/devices/chair-berlin-01/series?%s", range);
	json_t *json = ask(s, "GET", path, NULL, 200);
	assert_int_equal(whole(json, "span_s"), span_s);
	assert_int_equal(json_array_size(json_object_get(json, "items")), count);
	json_decref(json);
}

static void sensors_over_time_come_in_steps_that_fit_the_range(void **state)
{
	struct server *s = server_of(state);
	struct gf_record records[] = {heartbeat(7, NOON - 30 * DAY, 30.0F), heartbeat(8, NOON - 2 * DAY, 50.0F),
	                              heartbeat(9, NOON - 2 * DAY + 60000, 60.0F)};
	json_t *json, *step;

	(void)send_report(s->store, "chair-berlin-01", 1, records, 3, NOON + HOUR);
	steps_are(s, "", 300, 1);
	steps_are(s, "since=26h", 300, 1);
	steps_are(s, "since=27h", 3600, 1);
	steps_are(s, "since=15d", 3600, 2);
	steps_are(s, "since=40d", 86400, 3);
	steps_are(s, "since=40d&until=20d", 86400, 1);
	json = ask(s, "GET", "/v1/devices/chair-berlin-01/series?since=15d&until=1d", NULL, 200);
	assert_string_equal(text(json, "since"), "2026-11-05T13:00:00Z");
	step = json_array_get(json_object_get(json, "items"), 0);
	assert_string_equal(text(step, "start"), "2026-11-18T12:00:00Z");
	near(number(step, "covered_s"), 120);
	near(number(step, "motor_temp_c_min"), 49);
	near(number(step, "motor_temp_c_mean"), 55);
	near(number(step, "motor_temp_c_max"), 61);
	assert_true(json_is_null(json_object_get(step, "battery_pct_max")));
	json_decref(json);
	refuses(s, "GET", "/v1/devices/nobody/series", NULL, 404, "there is no machine 'nobody'");
	refuses(s, "GET", "/v1/devices/chair-berlin-01/series?since=soon", NULL, 400, "since");
	steps_are(s, "since=1h&until=2h", 300, 0);
	steps_are(s, "since=1970-01-01T00:00:00Z", 86400, 3);
}

enum { MANY = 20000, AT_ONCE = 60 };

/* Two machines, so that the cursor has to tell them apart at one moment. */
static void beat(struct server *s, unsigned from, unsigned count)
{
	static const char *const ids[] = {"chair-berlin-01", "gun-paris-01"};

	for (unsigned d = 0; d < 2; d++) {
		for (unsigned i = 0; i < count; i += AT_ONCE) {
			struct gf_record records[AT_ONCE];
			unsigned n = count - i < AT_ONCE ? count - i : AT_ONCE;
			for (unsigned k = 0; k < n; k++)
				records[k] =
				    heartbeat((d == 0 ? 7 : 2) + from + i + k, NOON - 3 * DAY + (int64_t)(from + i + k) * 10000, 40.0F);
			(void)send_report(s->store, ids[d], (uint8_t)(d + 1), records, n, NOON + HOUR);
		}
	}
}

static void a_long_export_has_no_holes_and_no_doubles_while_it_grows(void **state)
{
	struct server *s = server_of(state);
	char path[256] = "/v1/heartbeats?limit=1111&until=2026-11-20T12:00:00Z", last[2][32] = {"", ""};
	unsigned count[2] = {0, 0}, pages = 0;
	const unsigned half = MANY / 2;

	beat(s, 0, half);
	for (bool more = true; more; pages++) {
		json_t *list = ask(s, "GET", path, NULL, 200), *row;
		size_t i;
		json_array_foreach(json_object_get(list, "items"), i, row)
		{
			size_t d = strcmp(text(row, "device"), "chair-berlin-01") != 0;
			/* Each a moment later than the one before it: none twice; and their number says that none is left out. */
			assert_true(strcmp(text(row, "time"), last[d]) > 0);
			(void)gf_strcpy(last[d], sizeof(last[d]), text(row, "time"));
			count[d]++;
		}
		more = json_is_string(json_object_get(list, "next"));
		snprintf(path, sizeof(path), "/v1/heartbeats?limit=1111&until=2026-11-20T12:00:00Z&after=%s",
		         more ? text(list, "next") : "");
		json_decref(list);
		if (pages < 5)
			beat(s, half + pages * 100, 100);
	}
	assert_int_equal(count[0], half + 500);
	assert_int_equal(count[1], half + 500);
	assert_int_equal(pages, (2 * (half + 500) + 1110) / 1111);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(use_is_set_against_the_time_a_machine_could_be_used),
	    TEST(nobody_can_use_a_machine_before_it_is_there_or_in_the_time_to_come),
	    TEST(the_heat_map_has_the_local_hours_of_each_site),
	    TEST(clocks_may_be_half_an_hour_off),
	    TEST(the_trend_has_every_week),
	    TEST(a_machine_that_moved_leaves_its_use_where_it_was),
	    TEST(a_heartbeat_is_one_flat_row),
	    TEST(sensors_over_time_come_in_steps_that_fit_the_range),
	    TEST(a_long_export_has_no_holes_and_no_doubles_while_it_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
