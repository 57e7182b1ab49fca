/* Rollouts through the API: from the words of a person to what is stored, and back to JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"
#include "tests/unit/gateway/api/signed.h"
#include "tests/unit/gateway/api/starter.h"

static void publish(struct server *s, uint64_t version)
{
	struct signed_catalog c = signed_catalog(version, 0, seed_a, NULL);

	assert_int_equal(server_ask_bytes(s, "POST", "/v1/catalogs", c.data, c.len, NULL), 201);
	free(c.data);
}

/* gun-paris-01 is offline; three more are there. */
static void add_guns(struct server *s)
{
	static const char *const ids[] = {"gun-paris-02", "gun-paris-03", "gun-paris-04"};

	for (uint8_t i = 0; i < 3; i++) {
		struct gf_status status = birth(1, 1, (uint8_t)(10 + i));
		status.class = GF_CLASS_PERCUSSION;
		gf_strcpy(status.location.site, sizeof(status.location.site), "paris");
		send_status(s->store, ids[i], status, false, NOON);
	}
	publish(s, 8);
}

static void step(struct server *s, uint64_t id)
{
	struct gf_diag diag = {{0}};

	if (starter_step(s->store->store, id, NOON + HOUR, &diag) != 0)
		fail_msg("%s", diag.text);
}

#define START "{\"catalog\":\"percussion\",\"version\":8,\"where\":\"site=paris\",\"waves\":\"1,100%\"}"

static void a_rollout_is_started_for_the_machines_that_are_chosen(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_t *json = ask(s, "POST", "/v1/rollouts", START, 201);
	json_int_t id = whole(json, "id");
	char path[96];
	assert_int_equal(whole(json, "machines"), 4); /* no chair: no such catalog is for them */
	json_decref(json);
	snprintf(path, sizeof(path), "/v1/rollouts/%lld", (long long)id);
	step(s, (uint64_t)id);
	json = ask(s, "GET", path, NULL, 200);
	const json_t *spec = json_object_get(json, "spec"), *waves = json_object_get(json, "waves");
	assert_string_equal(text(json, "state"), "running");
	assert_string_equal(text(json, "phase"), "offering");
	assert_int_equal(whole(json, "wave"), 1);
	assert_int_equal(whole(json, "waves_count"), 2);
	assert_int_equal(whole(json, "not_chosen"), 3);
	assert_non_null(strstr(text(json, "created_by"), "uid "));
	assert_string_equal(text(json, "until"), "2026-11-21T13:00:00Z");
	assert_string_equal(text(spec, "where"), "site=paris");
	assert_string_equal(text(spec, "waves"), "1,100%");
	assert_int_equal(json_array_size(json_object_get(spec, "gates")), 2);
	assert_int_equal(whole(json_array_get(waves, 0), "machines"), 1);
	assert_int_equal(whole(json_object_get(json_array_get(waves, 0), "counts"), "offered"), 1);
	assert_int_equal(whole(json_array_get(waves, 1), "planned"), 3);
	assert_true(json_is_null(json_object_get(json_array_get(waves, 1), "began")));
	assert_string_equal(text(json_array_get(json_object_get(json, "targets"), 0), "class"), "percussion");
	assert_true(json_is_null(
	    json_object_get(json_object_get(json_object_get(json, "outcomes"), "updated"), "faults_per_100h")));
	json_decref(json);
}

/* It is 13:00; the machines are told from 22:00 on, and have their day from then. */
static void a_window_that_opens_late_moves_the_end(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_decref(ask(s, "POST", "/v1/rollouts",
	                "{\"catalog\":\"percussion\",\"version\":8,\"where\":\"site=paris\",\"waves\":\"1,100%\","
	                "\"window\":\"22:00-06:00\"}",
	                201));
	step(s, 1);
	json_t *json = ask(s, "GET", "/v1/rollouts/1", NULL, 200);
	assert_int_equal(whole(json_object_get(json_array_get(json_object_get(json, "waves"), 0), "counts"), "waiting"), 1);
	assert_string_equal(text(json, "until"), "2026-11-21T22:00:00Z");
	json_decref(json);
}

static void what_cannot_be_started_says_why(void **state)
{
	struct server *s = *state;

	refuses(s, "POST", "/v1/rollouts", START, 404, "percussion@8");
	add_guns(s);
	refuses(s, "POST", "/v1/rollouts", "{}", 400, "catalog: expected");
	refuses(s, "POST", "/v1/rollouts", "[]", 400, "a JSON object");
	refuses(s, "POST", "/v1/rollouts", "{\"catalog\":\"percussion\",\"version\":8,\"waves\":\"5x\"}", 400,
	        "waves: '5x', column 2");
	refuses(s, "POST", "/v1/rollouts", "{\"catalog\":\"percussion\",\"version\":8,\"waves\":\"10%\"}", 400, "100");
	refuses(s, "POST", "/v1/rollouts", "{\"catalog\":\"percussion\",\"version\":8,\"where\":\"sitte=x\"}", 400,
	        "did you mean 'site'?");
	refuses(s, "POST", "/v1/rollouts", "{\"catalog\":\"percussion\",\"version\":8,\"where\":\"site=rome\"}", 409, "");
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	publish(s, 9);
	refuses(s, "POST", "/v1/rollouts", "{\"catalog\":\"percussion\",\"version\":9}", 409, "gun-paris-0");
}

static void its_machines_are_listed_by_step_in_pages(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	step(s, 1);
	json_t *json = ask(s, "GET", "/v1/rollouts/percussion@8/devices?limit=3", NULL, 200),
	       *items = json_object_get(json, "items");
	char path[128];
	assert_int_equal(json_array_size(items), 3);
	snprintf(path, sizeof(path), "/v1/rollouts/1/devices?after=%s", text(json, "next"));
	json_decref(json);
	json = ask(s, "GET", path, NULL, 200);
	items = json_object_get(json, "items");
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(text(json_array_get(items, 0), "step"), "offered"); /* wave 1 comes after those not chosen */
	assert_int_equal(whole(json_array_get(items, 0), "wave"), 1);
	assert_string_equal(text(json_array_get(items, 0), "deadline"), "2026-11-21T13:00:00Z");
	json_decref(json);
	json = ask(s, "GET", "/v1/rollouts/1/devices?step=waiting,absent", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 3);
	json_decref(json);
	json = ask(s, "GET", "/v1/rollouts/1/devices?where=device%3Dgun-paris-01", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	json_decref(json);
	refuses(s, "GET", "/v1/rollouts/1/devices?step=faild", NULL, 400, "did you mean 'failed'?");
	refuses(s, "GET", "/v1/rollouts/1/devices?after=x", NULL, 400, "after is not a 'next'");
	refuses(s, "GET", "/v1/rollouts/7/devices", NULL, 404, "there is no rollout 7");
}

static void orders_are_carried_out_or_refused_with_the_reason(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	step(s, 1);
	json_t *json = ask(s, "POST", "/v1/rollouts/1/pause", NULL, 200);
	assert_string_equal(text(json, "state"), "paused");
	assert_string_equal(text(json, "until"), "2026-11-27T13:00:00Z");
	json_decref(json);
	json = ask(s, "POST", "/v1/rollouts/percussion@8/resume", NULL, 200);
	assert_string_equal(text(json, "state"), "running");
	json_decref(json);
	refuses(s, "POST", "/v1/rollouts/1/resume", NULL, 409, "");
	json = ask(s, "POST", "/v1/rollouts/1/halt", NULL, 200);
	assert_string_equal(text(json, "state"), "halted");
	assert_true(json_is_null(json_object_get(json, "phase")));
	json_decref(json);
	refuses(s, "POST", "/v1/rollouts/2/halt", NULL, 404, "there is no rollout 2");
	refuses(s, "POST", "/v1/rollouts/percussion@9/halt", NULL, 404, "there is no rollout of percussion@9");
	refuses(s, "POST", "/v1/rollouts/percussion@x/halt", NULL, 400, "expected a number (12)");
	refuses(s, "POST", "/v1/rollouts/1/stop", NULL, 404, "nothing at this path");
	refuses(s, "GET", "/v1/rollouts/1/halt", NULL, 405, "POST is");
}

static void the_list_and_the_status_tell_of_it(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_t *json = ask(s, "GET", "/v1/status", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "rollouts")), 0);
	json_decref(json);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	step(s, 1);
	json = ask(s, "GET", "/v1/status", NULL, 200);
	const json_t *row = json_array_get(json_object_get(json, "rollouts"), 0);
	assert_string_equal(text(row, "catalog"), "percussion");
	assert_int_equal(whole(row, "machines"), 4);
	assert_int_equal(whole(json_object_get(row, "counts"), "offered"), 1);
	json_decref(json);
	json_decref(ask(s, "POST", "/v1/rollouts/1/halt", NULL, 200));
	json = ask(s, "GET", "/v1/status", NULL, 200);
	assert_string_equal(text(json_array_get(json_object_get(json, "rollouts"), 0), "state"), "halted");
	json_decref(json);
	json = ask(s, "GET", "/v1/rollouts?where=state%3Dhalted%20and%20machines%3E3", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	json_decref(json);
	json = ask(s, "GET", "/v1/rollouts?where=state%3Drunning", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	json = ask(s, "GET", "/v1/status", NULL, 200); /* who started another has decided about the halted one */
	assert_int_equal(json_array_size(json_object_get(json, "rollouts")), 1);
	assert_int_equal(whole(json_array_get(json_object_get(json, "rollouts"), 0), "id"), 2);
	json_decref(json);
}

static void every_order_leaves_who_gave_it(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	json_t *json = ask(s, "GET", "/v1/audit/log?limit=1", NULL, 200),
	       *row = json_array_get(json_object_get(json, "items"), 0);
	assert_string_equal(text(row, "action"), "rollout start");
	assert_non_null(strstr(text(row, "subject"), "percussion@8"));
	assert_non_null(strstr(text(row, "from"), "api_rollouts_te"));
	json_decref(json);
}

static void one_that_stands_still_says_why(void **state)
{
	struct server *s = *state;

	add_guns(s);
	json_decref(ask(s, "POST", "/v1/rollouts", START, 201));
	s->facts.rollouts_held = true;
	json_t *json = ask(s, "GET", "/v1/rollouts/1", NULL, 200);
	assert_string_equal(text(json, "reason"),
	                    "stands still: the gateway was away, and machines first tell what happened meanwhile");
	json_decref(json);
	s->facts.broker_connected = false;
	json = ask(s, "GET", "/v1/rollouts/1", NULL, 200);
	assert_string_equal(text(json, "reason"), "stands still: the gateway hears no machine; see 'gymfleet doctor'");
	json_decref(json);
	json = ask(s, "POST", "/v1/rollouts/1/halt", NULL, 200);
	assert_non_null(strstr(text(json, "reason"), "halted by"));
	json_decref(json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_rollout_is_started_for_the_machines_that_are_chosen),
	    TEST(a_window_that_opens_late_moves_the_end),
	    TEST(what_cannot_be_started_says_why),
	    TEST(its_machines_are_listed_by_step_in_pages),
	    TEST(orders_are_carried_out_or_refused_with_the_reason),
	    TEST(the_list_and_the_status_tell_of_it),
	    TEST(every_order_leaves_who_gave_it),
	    TEST(one_that_stands_still_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
