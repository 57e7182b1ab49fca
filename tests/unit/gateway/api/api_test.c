#include "gateway/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/device_row.h"
#include "tests/unit/gateway/api/server.h"

static void status_is_the_fleet_in_one_answer(void **state)
{
	json_t *json = get(*state, "/v1/status"), *today = json_object_get(json, "today"),
	       *needs = json_object_get(json, "needs_you");

	assert_int_equal(whole(json_object_get(json, "fleet"), "machines"), 2);
	assert_int_equal(whole(json_object_get(json, "fleet"), "online"), 1);
	assert_int_equal(whole(json_object_get(json, "fleet"), "sites"), 2);
	assert_int_equal(whole(json_object_get(json, "gateway"), "up_s"), 3 * 3600);
	assert_string_equal(text(json_object_get(json, "gateway"), "broker"), "connected");
	assert_true(json_is_true(json_object_get(json_object_get(json, "audit"), "clean")));
	assert_int_equal(whole(today, "sessions"), 3); /* the running one too */
	assert_int_equal(json_array_size(json_object_get(today, "by_hour")), 24);
	assert_true(json_array_size(needs) >= 1);
	assert_string_equal(text(json_array_get(needs, 0), "severity"), "critical");
	json_decref(json);
}

static json_int_t sessions_today(struct server *s, const char *path)
{
	json_t *json = get(s, path);
	json_int_t sessions = whole(json_object_get(json, "today"), "sessions");

	json_decref(json);
	return sessions;
}

/* It is one o'clock in the afternoon in London. */
static void today_begins_at_the_callers_midnight(void **state)
{
	json_t *device = get(*state, "/v1/devices/chair-berlin-01?utc_offset_min=660");

	assert_int_equal(sessions_today(*state, "/v1/status?utc_offset_min=0"), 3);
	assert_int_equal(sessions_today(*state, "/v1/status?utc_offset_min=-720"), 1);
	assert_int_equal(sessions_today(*state, "/v1/status?utc_offset_min=660"), 0);
	assert_int_equal(whole(device, "sessions_today"), 0);
	json_decref(device);
	static const char *const wrong[] = {"", "x", "1h", "-", "--60", "%2060", "841", "-721", "99999999999999999999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char path[80];
		snprintf(path, sizeof(path), "/v1/status?utc_offset_min=%s", wrong[i]);
		refuses(*state, "GET", path, NULL, 400, "it may be -720 to 840");
	}
}

static void devices_print_exactly_the_fields_that_where_knows(void **state)
{
	json_t *json = get(*state, "/v1/devices"), *chair = json_array_get(json_object_get(json, "items"), 0);

	assert_int_equal(json_object_size(chair), device_fields_count);
	for (size_t i = 0; i < device_fields_count; i++)
		if (json_object_get(chair, device_fields[i].name) == NULL)
			fail_msg("'%s' is known to where but not printed", device_fields[i].name);
	assert_string_equal(text(chair, "id"), "chair-berlin-01");
	assert_string_equal(text(chair, "presence"), "online");
	assert_string_equal(text(chair, "health"), "critical");
	assert_string_equal(text(chair, "site"), "berlin");
	assert_true(json_is_true(json_object_get(chair, "in_session")));
	assert_int_equal(whole(chair, "sessions"), 3);
	assert_int_equal(whole(chair, "sessions_today"), 3);
	assert_true(json_real_value(json_object_get(chair, "motor_temp_c")) > 41.1);
	json_decref(json);
}

static void every_kind_of_row_has_each_field_of_its_where(void **state)
{
	static const char *const paths[] = {
	    "/v1/"
	    "sessions?where=device%3Dx%20and%20class%3Dchair%20and%20site%3Dx%20and%20session_no%3D1%20and%20routine%3Dx"
	    "%20and%20outcome%3Drunning%20and%20started%3E-7d%20and%20time_source%3Ddevice%20and%20duration_s%3E10m",
	    "/v1/"
	    "faults?where=device%3Dx%20and%20code%3Dstall%20and%20severity%3Dlatch%20and%20last%3E-7d%20and%20cleared%"
	    "3Dnull",
	    "/v1/"
	    "faults/"
	    "occurrences?where=device%3Dx%20and%20code%3Dstall%20and%20severity%3Dlatch%20and%20raised%3E-7d%20and%"
	    "20cleared%"
	    "3Dnull",
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(rows(*state, paths[i]), 0);
}

static void where_chooses_rows(void **state)
{
	assert_int_equal(rows(*state, "/v1/devices"), 2);
	assert_int_equal(rows(*state, "/v1/devices?where=site%3Dberlin%20and%20(class%3Dchair%20or%20health!%3Dok)"), 1);
	assert_int_equal(rows(*state, "/v1/devices?where=presence%3Doffline"), 1);
	assert_int_equal(rows(*state, "/v1/devices?where=id~*-01"), 2);
	assert_int_equal(rows(*state, "/v1/health?where=health%3Dcritical"), 1);
	assert_int_equal(rows(*state, "/v1/sessions?where=outcome%3Drunning"), 1);
	assert_int_equal(rows(*state, "/v1/sessions?where=class%3Dpercussion"), 1);
	assert_int_equal(rows(*state, "/v1/faults?where=severity%3Dlatch"), 1);
	refuses(*state, "GET", "/v1/devices?where=sitte%3D1", NULL, 400, "did you mean 'site'?");
}

static void one_device_has_its_details(void **state)
{
	json_t *json = get(*state, "/v1/devices/chair-berlin-01"),
	       *motor = json_object_get(json_object_get(json, "sensors"), "motor_temp_c");

	assert_true(json_array_size(json_object_get(json, "reasons_list")) >= 1);
	assert_int_equal(whole(json_object_get(json, "odometer"), "sessions"), 3);
	assert_true(json_number_value(json_object_get(motor, "max")) > 42);
	assert_int_equal(whole(json, "acked_seq"), 6);
	json_decref(json);
	json = get(*state, "/v1/devices/chair-berlin-01/health");
	assert_string_equal(text(json, "health"), "critical");
	json_decref(json);
	refuses(*state, "GET", "/v1/devices/nobody", NULL, 404, "there is no machine 'nobody'");
	refuses(*state, "GET", "/v1/devices/Bad_Id", NULL, 400, "small letters");
}

static void an_operator_names_a_machine_and_takes_it_back(void **state)
{
	json_t *json = NULL;

	assert_int_equal(server_ask(*state, "PATCH", "/v1/devices/chair-berlin-01",
	                            "{\"name\":\"Window chair\",\"site\":\"kreuzberg\"}", &json),
	                 200);
	assert_string_equal(text(json, "name"), "Window chair");
	assert_string_equal(text(json, "site"), "kreuzberg");
	assert_string_equal(text(json_object_get(json, "labels"), "site"), "kreuzberg");
	json_decref(json);
	assert_int_equal(server_ask(*state, "PATCH", "/v1/devices/chair-berlin-01", "{\"site\":null}", &json), 200);
	assert_string_equal(text(json, "site"), "berlin");
	assert_string_equal(text(json, "name"), "Window chair");
	json_decref(json);
	refuses(*state, "PATCH", "/v1/devices/nobody", "{\"name\":\"x\"}", 404, "there is no machine");
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", "{\"sitte\":\"x\"}", 400, "did you mean 'site'?");
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", "{\"name\":3}", 400, "must be a text");
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", "[]", 400, "expected a JSON object");
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", "{\"name\":", 400, "the body is no JSON: line 1, column 8");
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", NULL, 400, "expected a JSON object");
}

static void sessions_are_paged_newest_first(void **state)
{
	char path[256];
	json_t *json = get(*state, "/v1/sessions?limit=2"), *items = json_object_get(json, "items");

	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(text(json_array_get(items, 0), "outcome"), "running");
	assert_true(json_is_null(json_object_get(json_array_get(items, 0), "ended")));
	assert_string_equal(text(json_array_get(items, 1), "outcome"), "completed");
	assert_int_equal(json_array_size(json_object_get(json_array_get(items, 1), "areas")), 2);
	snprintf(path, sizeof(path), "/v1/sessions?limit=2&after=%s", text(json, "next"));
	json_decref(json);
	json = get(*state, path);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 2);
	snprintf(path, sizeof(path), "/v1/sessions?limit=2&after=%s", text(json, "next"));
	json_decref(json);
	json = get(*state, path);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	assert_true(json_is_null(json_object_get(json, "next")));
	json_decref(json);
	assert_int_equal(rows(*state, "/v1/sessions?device=gun-paris-01"), 1);
	assert_int_equal(rows(*state, "/v1/sessions?since=3h"), 3);
	assert_int_equal(rows(*state, "/v1/sessions?until=2026-11-20T00:00:00Z"), 2);
}

static void usage_adds_up_by_every_key(void **state)
{
	static const char *const keys[] = {"device", "site", "class", "routine", "hour", "day"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char path[64];
		double share = 0;
		json_int_t sessions = 0;
		size_t n;
		json_t *row;

		snprintf(path, sizeof(path), "/v1/usage?by=%s", keys[i]);
		json_t *json = get(*state, path);
		json_array_foreach(json_object_get(json, "items"), n, row)
		{
			share += json_number_value(json_object_get(row, "share_pct"));
			sessions += whole(row, "sessions");
		}
		assert_int_equal(sessions, 4);
		assert_true(share > 99.9 && share < 100.1);
		json_decref(json);
	}
	assert_int_equal(rows(*state, "/v1/usage?by=area"), 1);
	refuses(*state, "GET", "/v1/usage?by=sitte", NULL, 400, "did you mean 'site'?");
	refuses(*state, "GET", "/v1/usage", NULL, 400, "by is missing; it may be device, site");
}

static void faults_and_audit_are_told(void **state)
{
	json_t *json = get(*state, "/v1/faults?open=1"), *row = json_array_get(json_object_get(json, "items"), 0);

	assert_string_equal(text(row, "code"), "overtemp_motor");
	assert_true(json_is_null(json_object_get(row, "cleared")));
	assert_true(json_number_value(json_object_get(row, "lasted_s")) > 2999);
	json_decref(json);
	json = get(*state, "/v1/audit");
	assert_true(json_is_true(json_object_get(json, "clean")));
	assert_int_equal(whole(json, "sessions"), 4);
	json_decref(json);
	refuses(*state, "GET", "/v1/audit?device=nobody", NULL, 404, "there is no machine");
}

static void webhooks_are_told_and_doctor_names_those_that_fail(void **state)
{
	struct server *s = *state;
	json_t *json = get(s, "/v1/webhooks"), *row;

	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	json_decref(json);
	s->tellings_count = 3;
	s->tellings[0] = (struct tell_state){.told = {.receiver = "mqtt", .cursor = store_last_event(s->store->store)}};
	s->tellings[1] = (struct tell_state){.told = {.receiver = "chat", .cursor = 2, .told = 5, .passed_over = 1},
	                                     .failing_since_ms = NOON,
	                                     .next_ms = NOON + HOUR,
	                                     .error = "it answered HTTP 500"};
	s->tellings[2] = (struct tell_state){.told = {.receiver = "pager", .passed_ms = NOON}};
	json = get(s, "/v1/webhooks");
	row = json_array_get(json_object_get(json, "items"), 0);
	assert_true(json_is_true(json_object_get(row, "ok")));
	assert_int_equal(whole(row, "behind"), 0);
	assert_true(json_is_null(json_object_get(row, "error")));
	row = json_array_get(json_object_get(json, "items"), 1);
	assert_string_equal(text(row, "name"), "chat");
	assert_true(json_is_false(json_object_get(row, "ok")));
	assert_int_equal(whole(row, "behind"), store_last_event(s->store->store) - 2);
	assert_string_equal(text(row, "failing_since"), "2026-11-20T12:00:00Z");
	assert_string_equal(text(row, "error"), "it answered HTTP 500");
	json_decref(json);
	json = get(s, "/v1/doctor");
	char *all = json_dumps(json, 0);
	assert_non_null(strstr(all, "webhook chat takes no events since 2026-11-20T12:00:00Z: it answered HTTP 500"));
	assert_non_null(strstr(all, "webhook pager passed over events, the last at 2026-11-20T12:00:00Z"));
	free(all);
	json_decref(json);
}

static void webhooks_are_read_again_and_one_that_waits_is_tried_now(void **state)
{
	struct server *s = *state;

	s->tellings_count = 2;
	s->tellings[0] = (struct tell_state){.told = {.receiver = "mqtt"}};
	s->tellings[1] =
	    (struct tell_state){.told = {.receiver = "chat"}, .failing_since_ms = NOON, .next_ms = NOON + HOUR};
	json_t *answer = ask(s, "POST", "/v1/webhooks/reload", NULL, 200);
	assert_int_equal(whole(answer, "webhooks"), 1);
	json_decref(answer);
	answer = ask(s, "POST", "/v1/webhooks/chat/retry", NULL, 200);
	assert_string_equal(text(answer, "name"), "chat");
	json_decref(answer);
	assert_int_equal(s->tellings[1].next_ms, 0);
	s->rules_mistake = "/etc/gymfleet/gateway.yaml:7:3: unknown key 'ulr'; did you mean 'url'?";
	refuses(s, "POST", "/v1/webhooks/reload", NULL, 422, "gateway.yaml:7:3: unknown key 'ulr'");
	refuses(s, "POST", "/v1/webhooks/pager/retry", NULL, 404, "nobody called 'pager' is told");
	refuses(s, "POST", "/v1/webhooks/caht/retry", NULL, 404,
	        "nobody called 'caht' is told; did you mean 'chat'? gymfleet webhooks lists who is");
	refuses(s, "POST", "/v1/webhooks/Pager/retry", NULL, 400, "an id has small letters");
	refuses(s, "GET", "/v1/webhooks/chat/retry", NULL, 405, "POST is");
}

static void doctor_says_what_is_wrong_and_what_to_do(void **state)
{
	static const struct {
		const char *name, *words;
	} wrong[] = {
	    {"broker", "connection refused"},
	    {"unkept", "2 messages were refused"},
	    {"downlink", "isn't at the broker since 2026-11-20T12:00:00Z: the broker refused it"},
	};
	struct server *s = *state;
	json_t *json, *check;
	size_t i, found = 0;

	s->facts.broker_connected = false;
	strcpy(s->facts.broker_reason, "connection refused");
	s->facts.ingest_unkept = 2;
	s->facts.downlink_failing_since_ms = NOON;
	strcpy(s->facts.downlink_error, "the broker refused it");
	json = get(s, "/v1/doctor");
	json_array_foreach(json_object_get(json, "checks"), i, check)
	{
		const char *words = NULL;
		for (size_t w = 0; w < sizeof(wrong) / sizeof(wrong[0]); w++)
			if (strcmp(text(check, "name"), wrong[w].name) == 0)
				words = wrong[w].words;
		found += words != NULL;
		if (words != NULL)
			assert_non_null(strstr(text(check, "text"), words));
		else if (strcmp(text(check, "name"), "disk") != 0 && !json_is_true(json_object_get(check, "ok")))
			fail_msg("%s: %s", text(check, "name"), text(check, "text"));
		assert_int_equal(json_is_null(json_object_get(check, "action")), json_is_true(json_object_get(check, "ok")));
	}
	assert_int_equal(found, sizeof(wrong) / sizeof(wrong[0]));
	assert_true(i >= 10);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	    TEST(status_is_the_fleet_in_one_answer),
	    TEST(devices_print_exactly_the_fields_that_where_knows),
	    TEST(every_kind_of_row_has_each_field_of_its_where),
	    TEST(where_chooses_rows),
	    TEST(one_device_has_its_details),
	    TEST(an_operator_names_a_machine_and_takes_it_back),
	    TEST(sessions_are_paged_newest_first),
	    TEST(today_begins_at_the_callers_midnight),
	    TEST(usage_adds_up_by_every_key),
	    TEST(faults_and_audit_are_told),
	    TEST(webhooks_are_told_and_doctor_names_those_that_fail),
	    TEST(webhooks_are_read_again_and_one_that_waits_is_tried_now),
	    TEST(doctor_says_what_is_wrong_and_what_to_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
