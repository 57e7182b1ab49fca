/* Sites that vanish, as the store keeps them: one row and one event for each, members, and an end. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/cases.h"
#include "gateway/store/incidents.h"
#include "tests/unit/gateway/store/fixture.h"

enum { MACHINES = 8 };

static const char *name(int i)
{
	static char id[GF_ID_MAX];

	snprintf(id, sizeof(id), "chair-%d", i);
	return id;
}

static struct gf_status born_at(const char *site, uint64_t connection)
{
	struct gf_status s = birth(1, connection, 1);

	gf_strcpy(s.location.site, sizeof(s.location.site), site);
	return s;
}

static void all_come(struct fixture *f, int from, int until, uint64_t connection, int64_t at_ms)
{
	for (int i = from; i < until; i++)
		send_status(f, name(i), born_at("berlin", connection), false, at_ms);
}

static void go(struct fixture *f, int from, int until, uint64_t connection, int64_t at_ms)
{
	for (int i = from; i < until; i++)
		send_status(f, name(i), gone(GF_PRESENCE_LOST, 1, connection), false, at_ms);
}

static void look(struct fixture *f, int64_t now_ms, unsigned opened, unsigned closed)
{
	unsigned o = 9, c = 9;

	assert_int_equal(store_incidents(f->store, NULL, now_ms, &o, &c, NULL), 0);
	assert_int_equal(o, opened);
	assert_int_equal(c, closed);
}

struct found {
	size_t count;
	struct store_incident newest;
	size_t devices;
	char first[GF_ID_MAX];
};

static int take(void *ctx, const struct store_incident *incident)
{
	struct found *found = ctx;

	if (found->count++ == 0)
		found->newest = *incident;
	return 0;
}

static int take_device(void *ctx, const char *device)
{
	struct found *found = ctx;

	if (found->devices++ == 0)
		gf_strcpy(found->first, sizeof(found->first), device);
	return 0;
}

static struct found find(struct fixture *f, bool open_only)
{
	struct store_incident_query query = {.open_only = open_only};
	struct found found = {0};

	assert_int_equal(store_read_incidents(f->reader, &query, take, &found, NULL), 0);
	if (found.count)
		assert_int_equal(store_read_incident_devices(f->reader, found.newest.id, take_device, &found, NULL), 0);
	return found;
}

static struct store_event event;
static size_t events;

static int take_event(void *ctx, const struct store_event *e)
{
	(void)ctx;
	event = *e;
	events++;
	return 0;
}

static void read_events(struct fixture *f)
{
	struct store_event_query query = {.kinds = 1U << STORE_EVENT_INCIDENT};

	events = 0;
	assert_int_equal(store_read_events(f->reader, &query, take_event, NULL, NULL), 0);
}

static void a_site_that_vanishes_is_one_incident_with_names(void **state)
{
	struct fixture *f = *state;
	struct found found;

	all_come(f, 0, MACHINES, 1, NOON);
	send_status(f, "gun-1", born_at("bonn", 1), false, NOON);
	look(f, NOON, 0, 0);
	go(f, 0, 7, 1, NOON + MINUTE);
	look(f, NOON + 2 * MINUTE, 1, 0);
	look(f, NOON + 3 * MINUTE, 0, 0);
	found = find(f, true);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.newest.site, "berlin");
	assert_int_equal(found.newest.opened_ms, NOON + MINUTE);
	assert_int_equal(found.newest.machines, 7);
	assert_int_equal(found.newest.of, 8);
	assert_int_equal(found.newest.missing, 7);
	assert_int_equal(found.devices, 7);
	assert_string_equal(found.first, "chair-0");
	read_events(f);
	assert_int_equal(events, 1);
	assert_string_equal(event.code, "opened");
	assert_int_equal(event.ref, found.newest.id);
	assert_string_equal(event.text, "7 of 8 machines of berlin vanished together: chair-0, chair-1, chair-2, chair-3, "
	                                "chair-4 and 2 more");
}

static void who_follows_joins_and_most_back_ends_it(void **state)
{
	struct fixture *f = *state;
	struct found found;

	all_come(f, 0, MACHINES, 1, NOON);
	go(f, 0, 4, 1, NOON + MINUTE);
	look(f, NOON + MINUTE, 1, 0);
	go(f, 4, 6, 1, NOON + 4 * MINUTE);
	look(f, NOON + 5 * MINUTE, 0, 0);
	assert_int_equal(find(f, true).newest.machines, 6);
	all_come(f, 0, 3, 2, NOON + HOUR);
	look(f, NOON + HOUR, 0, 0);
	assert_int_equal(find(f, true).newest.missing, 3);
	all_come(f, 3, 4, 2, NOON + HOUR);
	look(f, NOON + HOUR + MINUTE, 0, 1);
	look(f, NOON + HOUR + 2 * MINUTE, 0, 0);
	assert_int_equal(find(f, true).count, 0);
	found = find(f, false);
	assert_int_equal(found.newest.closed_ms, NOON + HOUR + MINUTE);
	assert_int_equal(found.newest.missing, 0);
	read_events(f);
	assert_int_equal(events, 2);
	assert_string_equal(event.code, "closed");
	assert_non_null(strstr(event.text, "4 of the 6 machines of berlin"));
}

static void a_machine_knows_whether_it_is_in_one(void **state)
{
	struct fixture *f = *state;
	bool in = true;

	all_come(f, 0, 4, 1, NOON);
	go(f, 0, 3, 1, NOON + MINUTE);
	look(f, NOON + MINUTE, 1, 0);
	all_come(f, 2, 3, 2, NOON + 2 * MINUTE);
	assert_int_equal(store_begin(f->store, NULL), 0);
	/* Keys are given in order. */
	assert_int_equal(store_in_incident(f->store, 1, &in, NULL), 0);
	assert_true(in);
	assert_int_equal(store_in_incident(f->store, 3, &in, NULL), 0);
	assert_false(in); /* it is back */
	assert_int_equal(store_in_incident(f->store, 4, &in, NULL), 0);
	assert_false(in);
	store_rollback(f->store);
}

static void i9_it_ends_after_thirty_days_and_stays_so(void **state)
{
	struct fixture *f = *state;
	int64_t late = NOON + MINUTE + 720 * HOUR;

	all_come(f, 0, 4, 1, NOON);
	go(f, 0, 4, 1, NOON + MINUTE);
	look(f, NOON + MINUTE, 1, 0);
	look(f, late - 1, 0, 0);
	look(f, late, 0, 1);
	look(f, late + MINUTE, 0, 0);
}

static void who_is_out_of_service_is_not_missed(void **state)
{
	static const struct store_actor anna = {.who = "anna"};
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "away for repair"};

	all_come(f, 0, 6, 1, NOON);
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_tag_set(f->store, name(i), &tag, &anna, NOON, NULL, NULL), 0);
	go(f, 0, 4, 1, NOON + MINUTE);
	look(f, NOON + 2 * MINUTE, 0, 0); /* two are missed */
	go(f, 4, 6, 1, NOON + 3 * MINUTE);
	look(f, NOON + 4 * MINUTE, 1, 0);
	assert_int_equal(find(f, true).newest.machines, 4);
	for (int i = 2; i < 5; i++)
		assert_int_equal(store_tag_set(f->store, name(i), &tag, &anna, NOON + HOUR, NULL, NULL), 0);
	look(f, NOON + HOUR, 0, 1); /* all but one are accounted for */
}

/* A cable that comes and goes for years. */
static void i8_old_ones_are_forgotten(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = NULL;

	all_come(f, 0, 3, 1, NOON);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
	                              "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
	                              " INSERT INTO incidents (site, opened_ms, closed_ms, machines, site_machines)"
	                              " SELECT iif(i = 7, 'bonn', 'berlin'), i, i * (i <> 7), 3, 3 FROM n;"
	                              "INSERT INTO incident_devices SELECT id, 1 FROM incidents",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(db);
	go(f, 0, 3, 1, NOON + MINUTE);
	look(f, NOON + MINUTE, 1, 1); /* the open one of bonn has lasted too long */
	assert_int_equal(find(f, false).newest.id, 1101);
	assert_int_equal(find(f, false).count, STORE_INCIDENTS_KEPT + 1);
}

static void it_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;

	all_come(f, 0, 4, 1, NOON);
	go(f, 0, 4, 1, NOON + MINUTE);
	look(f, NOON + MINUTE, 1, 0);
	fixture_reopen(f);
	look(f, NOON + 2 * MINUTE, 0, 0);
	assert_int_equal(find(f, true).count, 1);
}

static unsigned falls_silent(struct fixture *f, int64_t listening_since_ms, int64_t now_ms)
{
	unsigned gone = 0;

	assert_int_equal(store_presence(f->store, listening_since_ms, now_ms, &gone, NULL), 0);
	return gone;
}

/* Nobody knows when it was; but all are given the time to be heard first, then it is one, and told once. */
static void a_site_that_vanishes_while_the_gateway_is_down_is_one(void **state)
{
	struct fixture *f = *state;
	const int64_t back_ms = NOON + 2 * HOUR;

	all_come(f, 0, 4, 1, NOON);
	fixture_reopen(f);
	assert_int_equal(falls_silent(f, back_ms, back_ms + MINUTE), 0);
	look(f, back_ms + MINUTE, 0, 0);
	assert_int_equal(falls_silent(f, back_ms, back_ms + 4 * MINUTE), 4);
	look(f, back_ms + 4 * MINUTE, 1, 0);
	look(f, back_ms + 5 * MINUTE, 0, 0);
	read_events(f);
	assert_int_equal(events, 1);
	assert_in_range(find(f, true).newest.opened_ms, NOON, back_ms + 4 * MINUTE);
}

/* Back before anybody missed it: nothing has happened. One that was missed before ends once. */
static void a_site_that_comes_back_while_the_gateway_is_down_is_there(void **state)
{
	struct fixture *f = *state;
	const int64_t back_ms = NOON + 2 * HOUR;

	all_come(f, 0, 4, 1, NOON);
	fixture_reopen(f);
	all_come(f, 0, 4, 2, back_ms + MINUTE);
	assert_int_equal(falls_silent(f, back_ms, back_ms + 4 * MINUTE), 0);
	look(f, back_ms + 4 * MINUTE, 0, 0);
	go(f, 0, 4, 2, back_ms + HOUR);
	look(f, back_ms + HOUR, 1, 0);
	fixture_reopen(f);
	all_come(f, 0, 4, 3, back_ms + 3 * HOUR);
	look(f, back_ms + 3 * HOUR, 0, 1);
	look(f, back_ms + 4 * HOUR, 0, 0);
	read_events(f);
	assert_int_equal(events, 2);
	assert_int_equal(find(f, false).newest.opened_ms, back_ms + HOUR);
	assert_int_equal(find(f, false).newest.closed_ms, back_ms + 3 * HOUR);
}

static void goodbyes_and_machines_without_a_site_are_none(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		send_status(f, name(i), born_at("berlin", 1), false, NOON);
		send_status(f, name(i), gone(GF_PRESENCE_GOODBYE, 1, 1), false, NOON + MINUTE);
		send_status(f, name(10 + i), born_at("", 1), false, NOON);
		send_status(f, name(10 + i), gone(GF_PRESENCE_LOST, 1, 1), false, NOON + MINUTE);
	}
	look(f, NOON + MINUTE, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_site_that_vanishes_is_one_incident_with_names),
	    TEST(who_follows_joins_and_most_back_ends_it),
	    TEST(a_machine_knows_whether_it_is_in_one),
	    TEST(i9_it_ends_after_thirty_days_and_stays_so),
	    TEST(who_is_out_of_service_is_not_missed),
	    TEST(i8_old_ones_are_forgotten),
	    TEST(it_is_there_after_a_restart),
	    TEST(a_site_that_vanishes_while_the_gateway_is_down_is_one),
	    TEST(a_site_that_comes_back_while_the_gateway_is_down_is_there),
	    TEST(goodbyes_and_machines_without_a_site_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
