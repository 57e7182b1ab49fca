/* The fleet's screen: sites that vanished once, not machine by machine; use against opening hours; what somebody sees to left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/incidents.h"
#include "tests/unit/gateway/api/server.h"

enum { GONE = 4 };

static const struct store_actor anna = {.who = "anna"};

/* Four chairs at lyon, all lost at NOON; it is an hour later. */
static void lose_lyon(struct server *s)
{
	unsigned opened = 0, closed = 0;

	for (int i = 0; i < GONE; i++) {
		struct gf_status born = birth(1, 1, 1);
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-lyon-%d", i);
		gf_strcpy(born.location.site, sizeof(born.location.site), "lyon");
		send_status(s->store, id, born, false, NOON - HOUR);
		send_status(s->store, id, gone(GF_PRESENCE_LOST, 1, 1), false, NOON);
	}
	assert_int_equal(store_incidents(s->store->store, NULL, NOON + MINUTE, &opened, &closed, NULL), 0);
	assert_int_equal(opened, 1);
}

/* How many needs are of lyon; the last of them. */
static size_t needs_of_lyon(const json_t *status, const json_t **ret_need)
{
	size_t i, count = 0;
	const json_t *need;

	json_array_foreach(json_object_get(status, "needs_you"), i, need)
	{
		if (strcmp(text(need, "site"), "lyon") != 0)
			continue;
		*ret_need = need;
		count++;
	}
	return count;
}

static void a_site_that_vanished_is_one_need(void **state)
{
	struct server *s = *state;
	const json_t *need = NULL;

	lose_lyon(s);
	json_t *json = get(s, "/v1/status");
	assert_int_equal(needs_of_lyon(json, &need), 1);
	assert_true(json_is_null(json_object_get(need, "device")));
	assert_string_equal(text(need, "severity"), "critical");
	assert_string_equal(text(need, "code"), "offline");
	assert_string_equal(text(need, "text"),
	                    "4 of 4 machines of this site are offline since 2026-11-20T12:00:00Z (60 min): they "
	                    "vanished together");
	json_decref(json);
	/* Each machine's own page says it all the same. */
	json = get(s, "/v1/devices/chair-lyon-1");
	assert_string_equal(text(json, "health"), "critical");
	json_decref(json);
	send_status(s->store, "chair-lyon-3", birth(1, 2, 1), false, NOON + HOUR);
	json = get(s, "/v1/status");
	assert_int_equal(needs_of_lyon(json, &need), 1);
	assert_non_null(strstr(text(need, "text"), "vanished together, 1 are back"));
	json_decref(json);
}

static void incidents_are_listed_newest_first_with_their_machines(void **state)
{
	struct server *s = *state;
	unsigned opened = 0, closed = 0;

	json_t *json = get(s, "/v1/incidents");
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
	lose_lyon(s);
	json = get(s, "/v1/incidents?open=1");
	const json_t *row = json_array_get(json_object_get(json, "items"), 0);
	assert_int_equal(whole(row, "id"), 1);
	assert_string_equal(text(row, "site"), "lyon");
	assert_string_equal(text(row, "kind"), "vanished");
	assert_int_equal(whole(row, "machines"), GONE);
	assert_int_equal(whole(row, "of"), GONE);
	assert_string_equal(text(row, "opened"), "2026-11-20T12:00:00Z");
	assert_true(json_is_null(json_object_get(row, "closed")));
	assert_int_equal(json_array_size(json_object_get(row, "devices")), GONE);
	assert_string_equal(json_string_value(json_array_get(json_object_get(row, "devices"), 0)), "chair-lyon-0");
	json_decref(json);
	for (int i = 0; i < GONE; i++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-lyon-%d", i);
		send_status(s->store, id, birth(1, 2, 1), false, NOON + 30 * MINUTE);
	}
	assert_int_equal(store_incidents(s->store->store, NULL, NOON + 31 * MINUTE, &opened, &closed, NULL), 0);
	assert_int_equal(closed, 1);
	json = get(s, "/v1/incidents?open=1");
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
	json = get(s, "/v1/incidents");
	row = json_array_get(json_object_get(json, "items"), 0);
	assert_string_equal(text(row, "closed"), "2026-11-20T12:31:00Z");
	assert_string_equal(text(row, "text"),
	                    "4 of 4 machines of this site vanished together at 2026-11-20T12:00:00Z and were "
	                    "away for up to 31 min");
	json_decref(json);
	json = get(s, "/v1/incidents?after=1");
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
	refuses(s, "GET", "/v1/incidents?after=x", NULL, 400, "after");
}

static void who_sees_to_it_is_enough(void **state)
{
	struct server *s = *state;
	struct store_tag tag = {.reason = "the seat is torn", .owner = "ben", .back_ms = NOON + 2 * HOUR};
	const json_t *need = NULL;

	struct gf_status born = birth(1, 1, 1);
	gf_strcpy(born.location.site, sizeof(born.location.site), "lyon");
	send_status(s->store, "chair-lyon-1", born, false, NOON);
	assert_int_equal(store_tag_set(s->store->store, "chair-lyon-1", &tag, &anna, NOON, NULL, NULL), 0);
	json_t *json = get(s, "/v1/status");
	assert_int_equal(needs_of_lyon(json, &need), 0);
	json_decref(json);
	tag.back_ms = NOON + HOUR / 2;
	assert_int_equal(store_tag_set(s->store->store, "chair-lyon-1", &tag, &anna, NOON, NULL, NULL), 0);
	json = get(s, "/v1/status");
	assert_int_equal(needs_of_lyon(json, &need), 1);
	assert_string_equal(text(need, "code"), "tagged");
	json_decref(json);
}

/* Both machines are there since before midnight, UTC; it is 13:00. */
static void use_is_set_against_the_hours_that_were_open(void **state)
{
	struct server *s = *state;
	struct calendar day = {.week = {{0}}};
	struct zones *zones = NULL;
	struct sites *sites = NULL;

	json_t *json = get(s, "/v1/status");
	double all = json_number_value(json_object_get(json_object_get(json, "today"), "opening_s"));
	json_decref(json);
	assert_true(all > 0);
	assert_int_equal(calendar_open(&day, "mon-sun", "12:00-20:00", NULL), 0);
	assert_int_equal(zones_new(NULL, &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &day, &sites), 0);
	api_free(s->api);
	s->config.sites = sites;
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	json = get(s, "/v1/status");
	const json_t *today = json_object_get(json, "today");
	double opening = json_number_value(json_object_get(today, "opening_s"));
	double running = json_number_value(json_object_get(today, "running_s"));
	double use = json_number_value(json_object_get(today, "use_pct"));
	assert_true(opening == 2 * 3600.0);
	assert_true(running > 0);
	assert_true(use > running / opening * 100 - 0.1 && use < running / opening * 100 + 0.1);
	json_decref(json);
	api_free(s->api);
	s->config.sites = NULL;
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	sites_free(sites);
}

/* A session that began half an hour before the caller's midnight, on a machine that was heard of only after it. */
static void what_ran_before_midnight_is_of_yesterday(void **state)
{
	struct server *s = *state;
	struct gf_record night = session(1, 1, NOON + 30 * MINUTE);

	json_t *json = get(s, "/v1/status?utc_offset_min=720");
	const json_t *today = json_object_get(json, "today");
	double running = json_number_value(json_object_get(today, "running_s"));
	double opening = json_number_value(json_object_get(today, "opening_s"));
	json_decref(json);
	night.session_ended.started_wall_ms = NOON - 30 * MINUTE;
	night.session_ended.duration_ms = HOUR;
	night.session_ended.paused_ms = 0;
	send_status(s->store, "chair-night-1", birth(1, 1, 1), false, NOON + 40 * MINUTE);
	(void)send_report(s->store, "chair-night-1", 1, &night, 1, NOON + 40 * MINUTE);
	json = get(s, "/v1/status?utc_offset_min=720");
	today = json_object_get(json, "today");
	assert_true(json_number_value(json_object_get(today, "running_s")) == running + 1800.0);
	assert_true(json_number_value(json_array_get(json_object_get(today, "by_hour"), 23)) == 0);
	/* It was there all of today, whenever its report came. */
	assert_true(json_number_value(json_object_get(today, "opening_s")) == opening + 3600.0);
	json_decref(json);
	/* Half an hour further ahead, midnight is half past eleven; what ran in an hour is known as if even. */
	json = get(s, "/v1/status?utc_offset_min=750");
	assert_true(json_number_value(json_object_get(json_object_get(json, "today"), "running_s")) >= running + 2700.0);
	json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_site_that_vanished_is_one_need),
	    TEST(incidents_are_listed_newest_first_with_their_machines),
	    TEST(who_sees_to_it_is_enough),
	    TEST(use_is_set_against_the_hours_that_were_open),
	    TEST(what_ran_before_midnight_is_of_yesterday),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
