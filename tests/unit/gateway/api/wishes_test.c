/* What changes something: catalogs that come in, locks, limits, commands, and the trail that all of it leaves. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"
#include "tests/unit/gateway/api/signed.h"

#define CHAIR "/v1/devices/chair-berlin-01"

static json_t *publish(struct server *s, struct signed_catalog b, int status)
{
	json_t *json = NULL;
	int got = server_ask_bytes(s, "POST", "/v1/catalogs", b.data, b.len, &json);

	if (got != status)
		fail_msg("HTTP %d: %s", got, json_string_value(json_object_get(json_object_get(json, "error"), "message")));
	free(b.data);
	return json;
}

static void refused(json_t *json, const char *code, const char *expected)
{
	const json_t *error = json_object_get(json, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	assert_string_equal(json_string_value(json_object_get(error, "code")), code);
	if (message == NULL || strstr(message, expected) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, expected);
	json_decref(json);
}

static void a_catalog_comes_in_once(void **state)
{
	json_t *json = publish(*state, signed_catalog(8, 0, seed_a, seed_b), 201);

	assert_string_equal(text(json, "name"), "percussion");
	assert_string_equal(text(json, "class"), "percussion");
	assert_int_equal(whole(json, "version"), 8);
	assert_int_equal(whole(json, "rollback_to"), 1);
	assert_int_equal(strlen(text(json, "digest")), 64);
	assert_int_equal(json_array_size(json_object_get(json, "signatures")), 2);
	assert_int_equal(json_string_length(json_array_get(json_object_get(json, "signatures"), 0)), 16);
	assert_true(json_is_false(json_object_get(json, "replaced")));
	json_decref(json);
	json = publish(*state, signed_catalog(8, 0, seed_a, seed_b), 200);
	assert_true(json_is_true(json_object_get(json, "replaced")));
	json_decref(json);
	refused(publish(*state, signed_catalog(8, 0, seed_a, NULL), 409), "taken", "percussion@8");
}

static void catalogs_are_listed_in_pages(void **state)
{
	json_decref(publish(*state, signed_catalog(8, 0, seed_a, NULL), 201));
	json_decref(publish(*state, signed_catalog(9, NOON + DAY, seed_a, NULL), 201));
	json_t *json = ask(*state, "GET", "/v1/catalogs?limit=1", NULL, 200),
	       *row = json_array_get(json_object_get(json, "items"), 0);

	assert_int_equal(whole(row, "version"), 9);
	assert_string_equal(text(row, "expires"), "2026-11-21T12:00:00Z");
	assert_string_equal(text(row, "published"), "2026-11-20T13:00:00Z");
	assert_non_null(strstr(text(row, "published_by"), "uid "));
	assert_int_equal(whole(row, "wanted_by"), 0);
	assert_int_equal(whole(row, "on_machines"), 0);
	assert_string_equal(text(json, "next"), "1");
	json_decref(json);
	json = ask(*state, "GET", "/v1/catalogs?limit=1&after=1", NULL, 200);
	assert_int_equal(whole(json_array_get(json_object_get(json, "items"), 0), "version"), 8);
	assert_true(json_is_null(json_object_get(json, "next")));
	json_decref(json);
	json = ask(*state, "GET", "/v1/catalogs?where=version%3D8%20and%20expires%3Dnull", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	json_decref(json);
}

static void i6_what_no_machine_would_take_is_refused(void **state)
{
	struct signed_catalog b = signed_catalog(8, 0, seed_a, NULL);

	refused(publish(*state, signed_catalog(8, 0, NULL, NULL), 403), "no_signatures", "gymfleet catalog sign");
	refused(publish(*state, signed_catalog(8, NOON, seed_a, NULL), 409), "expired", "2026-11-20T12:00:00Z");
	b.len--;
	refused(publish(*state, b, 422), "bad_catalog", "no catalog that a machine would take");
	refused(publish(*state, (struct signed_catalog){0}, 422), "bad_catalog", "the body is empty");
	json_t *json = ask(*state, "GET", "/v1/catalogs", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
}

static void a_body_may_be_as_large_as_a_catalog_where_one_belongs(void **state)
{
	struct signed_catalog b = {.data = calloc(1, GF_CATALOG_MAX + 1), .len = GF_CATALOG_MAX};
	json_t *json = NULL;

	assert_int_equal(server_ask_bytes(*state, "POST", "/v1/catalogs", b.data, b.len, NULL), 422);
	assert_int_equal(server_ask_bytes(*state, "POST", CHAIR "/lock", b.data, b.len, &json), 413);
	json_decref(json);
	b.len++;
	refused(publish(*state, b, 413), "too_large", "at most 262144 bytes");
}

/* The gateway's own keys: one of them must have signed. */
static void i6_the_gateways_own_keys_judge_first(void **state)
{
	struct server *s = *state;
	struct gf_keyset keys = {.threshold = 1, .count = 1};

	assert_int_equal(gf_key_public(seed_a, keys.keys[0]), 0);
	api_free(s->api);
	s->config.catalog_keys = &keys;
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	json_t *json = publish(*state, signed_catalog(8, 0, seed_b, NULL), 403);
	assert_string_equal(text(json_object_get(json, "error"), "code"), "unknown_key");
	json_decref(json);
	json_decref(publish(*state, signed_catalog(8, 0, seed_a, NULL), 201));
}

static void a_lock_stays_until_it_is_taken_away(void **state)
{
	json_t *json = ask(*state, "POST", CHAIR "/lock", "{\"reason\":\"torn cover\"}", 200);

	assert_true(json_is_true(json_object_get(json, "locked")));
	assert_string_equal(text(json, "lock_reason"), "torn cover");
	json_decref(json);
	json = ask(*state, "GET", CHAIR "/health", NULL, 200);
	char *all = json_dumps(json, 0);
	assert_non_null(strstr(all, "no session starts: torn cover"));
	free(all);
	json_decref(json);
	json = ask(*state, "GET", "/v1/devices?where=locked", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	json_decref(json);
	/* Again, without a reason: it has one. null takes it away. */
	json = ask(*state, "POST", CHAIR "/lock", NULL, 200);
	assert_string_equal(text(json, "lock_reason"), "torn cover");
	json_decref(json);
	json = ask(*state, "POST", CHAIR "/lock", "{\"reason\":null}", 200);
	assert_true(json_is_true(json_object_get(json, "locked")));
	assert_true(json_is_null(json_object_get(json, "lock_reason")));
	json_decref(json);
	/* Who gives a reason would take it for kept. */
	refused(ask(*state, "POST", CHAIR "/unlock", "{\"reason\":\"mended\"}", 400), "bad_value", "reason");
	json = ask(*state, "POST", CHAIR "/unlock", NULL, 200);
	assert_true(json_is_false(json_object_get(json, "locked")));
	assert_true(json_is_null(json_object_get(json, "lock_reason")));
	json_decref(json);
	json_decref(ask(*state, "POST", CHAIR "/lock", NULL, 200));
	refused(ask(*state, "POST", "/v1/devices/nobody/lock", NULL, 404), "not_found", "there is no machine 'nobody'");
	refused(ask(*state, "POST", CHAIR "/lock", "{\"reason\":3}", 400), "bad_value", "a text of one line");
	refused(ask(*state, "POST", CHAIR "/lock", "{\"reason\":\"a\\nb\"}", 400), "bad_value", "a text of one line");
	refused(ask(*state, "POST", CHAIR "/lock", "{\"why\":\"x\"}", 400), "bad_value", "reason");
}

static const json_t *limits_of(const json_t *device)
{
	return json_object_get(json_object_get(device, "desired"), "limits");
}

static void limits_are_set_one_by_one(void **state)
{
	json_t *json = ask(*state, "POST", CHAIR "/limits", "{\"intensity_max_pct\":40,\"session_max_s\":600}", 200);

	assert_int_equal((int)json_number_value(json_object_get(limits_of(json), "intensity_max_pct")), 40);
	json_decref(json);
	json = ask(*state, "POST", CHAIR "/limits", "{\"intensity_max_pct\":null,\"heat_max_c\":41.5}", 200);
	assert_true(json_is_null(json_object_get(limits_of(json), "intensity_max_pct")));
	assert_int_equal((int)json_number_value(json_object_get(limits_of(json), "session_max_s")), 600);
	assert_int_equal(whole(json_object_get(json, "desired"), "revision"), 2);
	json_decref(json);
	refused(ask(*state, "POST", CHAIR "/limits", "{}", 400), "bad_body", "at least one limit");
	refused(ask(*state, "POST", CHAIR "/limits", "{\"intensity_max\":1}", 400), "bad_value",
	        "did you mean 'intensity_max_pct'?");
	refused(ask(*state, "POST", CHAIR "/limits", "{\"intensity_max_pct\":0}", 400), "bad_value", "from 0.001 to 100");
	/* Near enough to 0 to be stored as none at all. */
	refused(ask(*state, "POST", CHAIR "/limits", "{\"session_max_s\":0.0001}", 400), "bad_value",
	        "from 0.001 to 86400");
	refused(ask(*state, "POST", CHAIR "/limits", "{\"heat_max_c\":1e-46}", 400), "bad_value", "from 0.001 to 100");
	refused(ask(*state, "POST", CHAIR "/limits", "{\"intensity_max_pct\":101}", 400), "bad_value", "from 0.001 to 100");
	refused(ask(*state, "POST", "/v1/devices/nobody/limits", "{\"heat_max_c\":40}", 404), "not_found", "no machine");
}

enum { TURNS = 300, VALUES = 90 };

static void *set_heat(void *ctx)
{
	int *worst = calloc(1, sizeof(*worst));

	for (int i = 1; i <= TURNS && worst != NULL; i++) {
		char body[64];
		json_t *json = NULL;
		snprintf(body, sizeof(body), "{\"heat_max_c\":%d}", 1 + i % VALUES);
		int got = server_ask(ctx, "POST", CHAIR "/limits", body, &json);
		*worst = got > *worst ? got : *worst;
		if ((int)json_number_value(json_object_get(limits_of(json), "heat_max_c")) != 1 + i % VALUES)
			*worst = 999;
		json_decref(json);
	}
	return worst;
}

/* Each sees its own limit in each answer: nobody else's request took it away. */
static void two_who_set_limits_at_once_lose_none(void **state)
{
	pthread_t thread;
	void *worst = NULL;

	assert_int_equal(pthread_create(&thread, NULL, set_heat, *state), 0);
	for (int i = 1; i <= TURNS; i++) {
		char body[64];
		snprintf(body, sizeof(body), "{\"intensity_max_pct\":%d}", 1 + i % VALUES);
		json_t *json = ask(*state, "POST", CHAIR "/limits", body, 200);
		assert_int_equal((int)json_number_value(json_object_get(limits_of(json), "intensity_max_pct")), 1 + i % VALUES);
		json_decref(json);
	}
	assert_int_equal(pthread_join(thread, &worst), 0);
	assert_non_null(worst);
	assert_int_equal(*(int *)worst, 200);
	free(worst);
	json_t *json = ask(*state, "GET", CHAIR, NULL, 200);
	assert_int_equal((int)json_number_value(json_object_get(limits_of(json), "heat_max_c")), 1 + TURNS % VALUES);
	assert_int_equal((int)json_number_value(json_object_get(limits_of(json), "intensity_max_pct")), 1 + TURNS % VALUES);
	json_decref(json);
}

/* I9: it has a deadline from the start, and what can't be heard isn't begun. */
static void i9_a_stop_is_a_command_with_an_end(void **state)
{
	struct server *s = *state;
	char path[64];
	json_t *json = ask(s, "POST", CHAIR "/stop", NULL, 202);
	struct gf_reply reply = {
	    .id = (uint64_t)whole(json, "id"), .outcome = GF_COMMAND_OUTCOME_DONE, .detail = "stopped"};
	struct gf_diag diag = {{0}};

	assert_string_equal(text(json, "state"), "sent");
	assert_string_equal(text(json, "deadline"), "2026-11-20T13:00:10Z");
	snprintf(path, sizeof(path), "/v1/commands/%lld", (long long)whole(json, "id"));
	json_decref(json);
	json = ask(s, "GET", path, NULL, 200);
	assert_string_equal(text(json, "state"), "sent");
	assert_string_equal(text(json, "device"), "chair-berlin-01");
	json_decref(json);
	assert_int_equal(store_begin(s->store->store, &diag), 0);
	assert_int_equal(store_command_reply(s->store->store, "chair-berlin-01", &reply, NOON + HOUR + 1, &diag), 0);
	assert_int_equal(store_commit(s->store->store, &diag), 0);
	json = ask(s, "GET", path, NULL, 200);
	assert_string_equal(text(json, "state"), "done");
	assert_string_equal(text(json, "detail"), "stopped");
	json_decref(json);
	refused(ask(s, "POST", "/v1/devices/gun-paris-01/stop", NULL, 409), "not_allowed", "offline");
	refused(ask(s, "POST", "/v1/devices/nobody/stop", NULL, 404), "not_found", "there is no machine");
	refused(ask(s, "GET", "/v1/commands/7", NULL, 404), "not_found", "there is no command 7");
	refused(ask(s, "GET", "/v1/commands/a@7", NULL, 400), "bad_id", "a number");
	refused(ask(s, "GET", "/v1/commands/x", NULL, 400), "bad_id", "expected a number");
}

static void every_change_leaves_who_did_it(void **state)
{
	json_decref(ask(*state, "POST", CHAIR "/lock", "{\"reason\":\"torn cover\"}", 200));
	json_decref(ask(*state, "PATCH", CHAIR, "{\"name\":\"Window\"}", 200));
	json_decref(ask(*state, "POST", CHAIR "/stop", NULL, 202));
	json_t *json = ask(*state, "GET", "/v1/audit/log?limit=2", NULL, 200),
	       *row = json_array_get(json_object_get(json, "items"), 0);
	char path[64];

	assert_string_equal(text(row, "action"), "device stop");
	assert_string_equal(text(row, "subject"), "chair-berlin-01");
	assert_non_null(strstr(text(row, "who"), "uid "));
	assert_non_null(strstr(text(row, "from"), ", api_wishes_test"));
	assert_string_equal(text(json_array_get(json_object_get(json, "items"), 1), "detail"), "name='Window'");
	snprintf(path, sizeof(path), "/v1/audit/log?after=%s", text(json, "next"));
	json_decref(json);
	json = ask(*state, "GET", path, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	assert_string_equal(text(json_array_get(json_object_get(json, "items"), 0), "detail"), "torn cover");
	json_decref(json);
	json = ask(*state, "GET", "/v1/audit/log?where=action~'device*'%20and%20subject='x'", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_catalog_comes_in_once),
	    TEST(catalogs_are_listed_in_pages),
	    TEST(i6_what_no_machine_would_take_is_refused),
	    TEST(a_body_may_be_as_large_as_a_catalog_where_one_belongs),
	    TEST(i6_the_gateways_own_keys_judge_first),
	    TEST(a_lock_stays_until_it_is_taken_away),
	    TEST(limits_are_set_one_by_one),
	    TEST(two_who_set_limits_at_once_lose_none),
	    TEST(i9_a_stop_is_a_command_with_an_end),
	    TEST(every_change_leaves_who_did_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
