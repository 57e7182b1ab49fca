/* Flags: what was overused by whom, and that a named person has seen it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

#define TOKEN UINT64_C(0x8ab12cd34ef56789)
#define TOKEN_TEXT "8ab12cd34ef56789"

static int take_key(void *ctx, const struct store_machine *machine)
{
	if (strcmp(machine->id, "chair-berlin-01") == 0)
		*(int64_t *)ctx = machine->key;
	return 0;
}

static int64_t chair_key(const struct server *s)
{
	int64_t key = 0;

	assert_int_equal(store_read_machines(s->store->reader, take_key, &key, NULL), 0);
	assert_int_not_equal(key, 0);
	return key;
}

static struct store_flag flag_of(struct server *s, enum rule_subject kind, int64_t opened_ms)
{
	int64_t chair = chair_key(s);
	struct store_flag f = {
	    .rule = "P2",
	    .subject = {.kind = kind, .key = kind == RULE_SUBJECT_DEVICE ? chair : (int64_t)TOKEN},
	    .episode = {.opened_ms = opened_ms,
	                .last_ms = opened_ms + MINUTE,
	                .level = RULE_LEVEL_WARN,
	                .observed = 480,
	                .limit = 300,
	                .times = 2,
	                .behind_count = 2,
	                .behind = {{FACT_SESSION, chair, 2}, {FACT_FAULT, chair, 1}}},
	    .severity = RULE_SEVERITY_ATTENTION,
	    .title = "too much on one spot",
	    .text = "480 s of percussion on one day; from 300 s on it is too much",
	    .advice = "let it rest until tomorrow",
	    .metric = "area_s",
	    .found_ms = opened_ms + MINUTE,
	    .due_ms = opened_ms + DAY,
	};

	if (kind == RULE_SUBJECT_DEVICE)
		gf_strcpy(f.device, sizeof(f.device), "chair-berlin-01");
	if (kind == RULE_SUBJECT_AREA) {
		f.muscle = GF_MUSCLE_QUADS;
		f.side = GF_SIDE_LEFT;
	}
	return f;
}

static uint64_t save(struct server *s, const struct store_flag *f, bool lock)
{
	struct gf_diag diag = {""};
	uint64_t id = 0;

	assert_int_equal(store_begin(s->store->store, &diag), 0);
	if (store_flag_save(s->store->store, f, lock, 0, true, NOON, &id, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(store_commit(s->store->store, &diag), 0);
	return id;
}

static json_t *first_of(const json_t *list)
{
	return json_array_get(json_object_get(list, "items"), 0);
}

static void a_flag_says_what_of_whom_since_when_and_why(void **state)
{
	struct server *s = *state;
	struct store_flag f = flag_of(s, RULE_SUBJECT_AREA, NOON);
	uint64_t id = save(s, &f, false);
	char path[64];

	snprintf(path, sizeof(path), "/v1/flags/%" PRIu64, id);
	json_t *row = ask(s, "GET", path, NULL, 200), *sessions = json_object_get(row, "sessions");
	assert_int_equal(whole(row, "id"), id);
	assert_string_equal(text(row, "rule"), "P2");
	assert_string_equal(text(row, "subject"), "person " TOKEN_TEXT ", quads left");
	assert_string_equal(text(row, "subject_kind"), "person_area");
	assert_string_equal(text(row, "token"), TOKEN_TEXT);
	assert_string_equal(text(row, "muscle"), "quads");
	assert_string_equal(text(row, "side"), "left");
	assert_true(json_is_null(json_object_get(row, "device")));
	assert_string_equal(text(row, "level"), "warn");
	assert_string_equal(text(row, "state"), "open");
	assert_string_equal(text(row, "opened"), "2026-11-20T12:00:00Z");
	assert_true(json_is_null(json_object_get(row, "ended")));
	assert_true(json_is_null(json_object_get(row, "window_s")));
	assert_int_equal((int)json_number_value(json_object_get(row, "observed")), 480);
	assert_string_equal(text(row, "unit"), "s");
	assert_int_equal(whole(row, "times"), 2);
	assert_string_equal(text(row, "severity"), "attention");
	assert_true(json_is_false(json_object_get(row, "holds")));
	/* What is behind it, by its kind. */
	assert_int_equal(json_array_size(json_object_get(row, "faults")), 1);
	assert_int_equal(whole(json_array_get(json_object_get(row, "faults"), 0), "fault_no"), 1);
	assert_int_equal(json_array_size(sessions), 1);
	assert_string_equal(text(json_array_get(sessions, 0), "device"), "chair-berlin-01");
	assert_int_equal(whole(json_array_get(sessions, 0), "session_no"), 2);
	json_decref(row);
}

static void each_subject_has_words_of_its_own(void **state)
{
	static const struct {
		enum rule_subject kind;
		const char *expected;
	} subjects[] = {{RULE_SUBJECT_DEVICE, "chair-berlin-01"},
	                {RULE_SUBJECT_PERSON, "person " TOKEN_TEXT},
	                {RULE_SUBJECT_STAFF, "staff " TOKEN_TEXT}};

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		struct store_flag f = flag_of(*state, subjects[i].kind, NOON + (int64_t)i * HOUR);
		(void)save(*state, &f, false);
		json_t *list = ask(*state, "GET", "/v1/flags?limit=1", NULL, 200);
		assert_string_equal(text(first_of(list), "subject"), subjects[i].expected);
		json_decref(list);
	}
	json_t *list = ask(*state, "GET", "/v1/flags?device=chair-berlin-01", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	json_decref(list);
	list = ask(*state, "GET", "/v1/flags?where=token%3D" TOKEN_TEXT "%20and%20subject_kind%3Dstaff", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	json_decref(list);
	list = ask(*state, "GET", "/v1/flags?since=2026-11-20T13:30:00Z", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	json_decref(list);
}

static void who_is_not_judged_in_full_is_told(void **state)
{
	struct server *s = *state;
	struct store_flag f = flag_of(s, RULE_SUBJECT_DEVICE, NOON);
	json_t *json, *check, *found = NULL;
	size_t i;
	char *all;

	gf_strcpy(f.rule, sizeof(f.rule), STORE_RULE_JUDGING);
	gf_strcpy(f.metric, sizeof(f.metric), STORE_METRIC_JUDGING);
	f.episode.observed = f.episode.limit = NAN;
	save(s, &f, false);
	f = flag_of(s, RULE_SUBJECT_DEVICE, NOON);
	save(s, &f, false);
	json = ask(s, "GET", "/v1/doctor", NULL, 200);
	json_array_foreach(json_object_get(json, "checks"), i, check)
	{
		if (strcmp(text(check, "name"), "judged") == 0)
			found = check;
	}
	assert_non_null(found);
	assert_string_equal(text(found, "text"), "not judged in full: 1 of machines, people and sites");
	json_decref(json);
	json = ask(s, "GET", "/v1/devices/chair-berlin-01", NULL, 200);
	all = json_dumps(json, 0);
	assert_non_null(strstr(all, "\"code\": \"not_judged\""));
	assert_non_null(strstr(all, "\"code\": \"overuse\""));
	free(all);
	json_decref(json);
	json = ask(s, "GET", "/v1/flags?where=rule%3Dgateway:judging", NULL, 200);
	assert_string_equal(text(first_of(json), "metric"), "judging");
	assert_true(json_is_null(json_object_get(first_of(json), "observed")));
	json_decref(json);
}

static void a_named_person_has_seen_it(void **state)
{
	struct server *s = *state;
	struct store_flag f = flag_of(s, RULE_SUBJECT_DEVICE, NOON);
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/flags/%" PRIu64 "/ack", save(s, &f, true));
	json_t *row = ask(s, "POST", path, "{\"note\":\"told the trainer\"}", 200);
	assert_string_equal(text(row, "ack_note"), "told the trainer");
	assert_non_null(strstr(text(row, "acked_by"), "uid "));
	assert_string_equal(text(row, "acked"), "2026-11-20T13:00:00Z");
	assert_string_equal(text(row, "state"), "open");
	assert_true(json_is_true(json_object_get(row, "holds")));
	assert_true(json_is_null(json_object_get(row, "acked_before")));
	assert_true(json_is_false(json_object_get(row, "lifted")));
	json_decref(row);
	row = ask(s, "POST", path, "{\"note\":\"it may run\",\"release\":true}", 200);
	assert_true(json_is_false(json_object_get(row, "holds")));
	assert_string_equal(text(row, "ack_note"), "it may run");
	assert_true(json_is_true(json_object_get(row, "lifted")));
	assert_true(json_is_null(json_object_get(row, "still_locked")));
	assert_string_equal(text(json_object_get(row, "acked_before"), "note"), "told the trainer");
	assert_string_equal(text(json_object_get(row, "acked_before"), "at"), "2026-11-20T13:00:00Z");
	json_decref(row);
	row = ask(s, "POST", path, "{\"note\":\"again\",\"release\":true}", 200);
	assert_true(json_is_false(json_object_get(row, "lifted")));
	json_decref(row);
	/* The trail has both. */
	json_t *log = ask(s, "GET", "/v1/audit/log", NULL, 200);
	char *all = json_dumps(log, 0);
	assert_non_null(strstr(all, "told the trainer"));
	assert_non_null(strstr(all, "it may run"));
	free(all);
	json_decref(log);
	refuses(s, "POST", path, NULL, 400, "note is missing");
	refuses(s, "POST", path, "{\"note\":\" \"}", 400, "say something");
	refuses(s, "POST", path, "{\"note\":7}", 400, "note must be a text");
	refuses(s, "POST", path, "{\"notes\":\"x\"}", 400, "did you mean 'note'?");
	refuses(s, "POST", path, "{\"note\":\"x\",\"release\":1}", 400, "release must be true or false");
	refuses(s, "POST", "/v1/flags/4711/ack", "{\"note\":\"x\"}", 404, "there is no flag 4711");
	refuses(s, "GET", "/v1/flags/0", NULL, 404, "there is no flag 0");
	refuses(s, "GET", "/v1/flags/a@1", NULL, 400, "a flag has a number");
	refuses(s, "GET", "/v1/flags/9999999999999999999", NULL, 400, "a flag has a number");
}

static void a_person_is_forgotten_and_named_by_nothing(void **state)
{
	struct server *s = *state;
	struct store_flag f = flag_of(s, RULE_SUBJECT_PERSON, NOON);

	(void)save(s, &f, false);
	json_t *erased = ask(s, "POST", "/v1/subjects/" TOKEN_TEXT "/erase", NULL, 200);
	assert_int_equal(whole(erased, "flags"), 1);
	assert_int_equal(whole(erased, "sessions"), 0);
	assert_true(json_is_integer(json_object_get(erased, "events")));
	assert_true(json_is_integer(json_object_get(erased, "quarantined")));
	json_decref(erased);
	erased = ask(s, "POST", "/v1/subjects/8AB12CD34EF56789/erase", "{}", 200);
	assert_int_equal(whole(erased, "flags"), 0);
	json_decref(erased);
	static const char *const paths[] = {"/v1/flags?withdrawn=1", "/v1/audit/log", "/v1/events"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		json_t *json = ask(s, "GET", paths[i], NULL, 200);
		char *all = json_dumps(json, 0);
		assert_null(strstr(all, TOKEN_TEXT));
		free(all);
		json_decref(json);
	}
	static const char *const wrong[] = {"0", "8ab12cd34ef5678", "8ab12cd34ef567899", "8ab12cd34ef5678g", "%20", "a@1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char path[80];
		snprintf(path, sizeof(path), "/v1/subjects/%s/erase", wrong[i]);
		refuses(s, "POST", path, NULL, 400, "a token has 16 hex digits");
	}
	refuses(s, "POST", "/v1/subjects/0000000000000000/erase", NULL, 400, "nobody's");
	refuses(s, "POST", "/v1/subjects/" TOKEN_TEXT "/erase", "{\"why\":\"x\"}", 400, "nothing is to be said here");
	refuses(s, "GET", "/v1/subjects/" TOKEN_TEXT "/erase", NULL, 405, "POST is");
}

/* ---- paging ---- */

enum { MANY = 20000, SAME = 7 };

static void add_many(struct server *s, unsigned from, unsigned count)
{
	struct gf_diag diag = {""};
	struct store_flag f = flag_of(s, RULE_SUBJECT_DEVICE, NOON);
	uint64_t id;

	assert_int_equal(store_begin(s->store->store, &diag), 0);
	for (unsigned i = from; i < from + count; i++) {
		/* Some open at one moment, and each has ended before the next opens. */
		f.episode.opened_ms = NOON - 20 * DAY + (int64_t)(i / SAME) * MINUTE;
		f.episode.last_ms = f.episode.opened_ms;
		f.episode.ended_ms = f.episode.opened_ms + 1000;
		f.episode.end = EPISODE_CLEARED;
		f.end = STORE_FLAG_CLEARED;
		(void)snprintf(f.rule, sizeof(f.rule), "R%u", i % SAME);
		if (store_flag_save(s->store->store, &f, false, 0, false, NOON, &id, &diag) != 0)
			fail_msg("%s", diag.text);
	}
	assert_int_equal(store_commit(s->store->store, &diag), 0);
}

static void a_long_list_has_no_holes_and_no_doubles_while_it_grows(void **state)
{
	char path[256] = "/v1/flags?limit=999";
	bool *seen = calloc(2 * MANY + 1, sizeof(*seen));
	unsigned count = 0, pages = 0;
	json_int_t last_id = INT64_MAX;

	add_many(*state, 0, MANY);
	for (bool more = true; more; pages++) {
		json_t *list = ask(*state, "GET", path, NULL, 200), *row;
		size_t i;
		json_array_foreach(json_object_get(list, "items"), i, row)
		{
			json_int_t id = whole(row, "id");
			assert_in_range(id, 1, 2 * MANY);
			assert_false(seen[id]);
			assert_true(id < last_id);
			last_id = id;
			seen[id] = true;
			count++;
		}
		more = json_is_string(json_object_get(list, "next"));
		snprintf(path, sizeof(path), "/v1/flags?limit=999&after=%s", more ? text(list, "next") : "");
		json_decref(list);
		/* What comes now is newer than all that is still to be read. */
		add_many(*state, MANY + pages * 10, 10);
	}
	assert_int_equal(count, MANY);
	assert_int_equal(pages, MANY / 999 + 1);
	free(seen);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_flag_says_what_of_whom_since_when_and_why), TEST(each_subject_has_words_of_its_own),
	    TEST(who_is_not_judged_in_full_is_told),           TEST(a_named_person_has_seen_it),
	    TEST(a_person_is_forgotten_and_named_by_nothing),  TEST(a_long_list_has_no_holes_and_no_doubles_while_it_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
