/* I10: whatever is asked of the resources of judging, care and counting, the answer says what is wrong with it, and nothing has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CHAIR "/v1/devices/chair-berlin-01"

/* All that is changed by a POST, with the keys that it takes. */
static const struct {
	const char *path, *key;
} posts[] = {
    {"/v1/flags/1/ack", "note"},    {"/v1/faults/1/ack", "note"},
    {"/v1/faults/1/clear", "note"}, {CHAIR "/report", "text"},
    {CHAIR "/tag", "reason"},       {CHAIR "/untag", "x"},
    {CHAIR "/service", "part"},     {"/v1/subjects/8ab12cd34ef56789/erase", "x"},
};

static const char *const lists[] = {"/v1/flags",      "/v1/faults", "/v1/faults/occurrences",
                                    "/v1/heartbeats", "/v1/wear",   "/v1/rules"};
static const char *const times[] = {"/v1/flags",      "/v1/faults",      "/v1/heartbeats",
                                    "/v1/usage/heat", "/v1/usage/trend", "/v1/reliability"};

/* Refused with a sentence; `expected` 0: whichever of them says that it was the asker's fault. */
static void refused(struct server *s, const char *method, const char *path, const void *body, size_t len, int expected)
{
	json_t *json = NULL;
	int status = server_ask_bytes(s, method, path, body, len, &json);
	const json_t *error = json_object_get(json, "error");

	if (status / 100 != 4 || (expected != 0 && status != expected) || strlen(text(error, "message")) < 10 ||
	    strlen(text(error, "code")) < 3)
		fail_msg("%s %s with %zu bytes: HTTP %d", method, path, len, status);
	json_decref(json);
}

static char *everything(struct server *s)
{
	static const char *const paths[] = {"/v1/flags?withdrawn=1", "/v1/faults", CHAIR, CHAIR "/wear", "/v1/audit/log"};
	char *all = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&all, &size);

	for (size_t i = 0; i < COUNT(paths); i++) {
		json_t *json = ask(s, "GET", paths[i], NULL, 200);
		assert_int_equal(json_dumpf(json, out, JSON_SORT_KEYS), 0);
		json_decref(json);
	}
	fclose(out);
	return all;
}

static void i10_bodies_that_are_none_change_nothing(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bodies[] = {
	    {"[]", 2},
	    {"null", 4},
	    {"7", 1},
	    {"\"note\"", 6},
	    {"{", 1},
	    {"{\"note\":", 8},
	    {"\xff\xfe\x00", 3},
	    {"\0\0\0\0", 4},
	    {"{}{}", 4},
	    {"{\"note\":\"\xc3\"}", 12},
	    {"{\"\":\"x\"}", 8},
	    {"{'note':'x'}", 12},
	    {"\xef\xbb\xbf{}", 5},
	};
	char *before = everything(*state);

	for (size_t p = 0; p < COUNT(posts); p++)
		for (size_t b = 0; b < COUNT(bodies); b++)
			refused(*state, "POST", posts[p].path, bodies[b].bytes, bodies[b].len, 400);
	char *after = everything(*state);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void i10_values_of_the_wrong_kind_change_nothing(void **state)
{
	static const char *const values[] = {"7",
	                                     "1e400",
	                                     "-1",
	                                     "true",
	                                     "[]",
	                                     "{}",
	                                     "null",
	                                     "\"\"",
	                                     "\"  \"",
	                                     "\"a\\u0000b\"",
	                                     "\"a\\u001b[2Jb\"",
	                                     "\"a\\u0085b\"",
	                                     "\"a\\nb\"",
	                                     "\"\\ud800\"",
	                                     "9999999999999999999999999999"};
	char body[128], *before = everything(*state);

	for (size_t p = 0; p < COUNT(posts); p++) {
		for (size_t v = 0; v < COUNT(values); v++) {
			int len = snprintf(body, sizeof(body), "{\"%s\":%s}", posts[p].key, values[v]);
			refused(*state, "POST", posts[p].path, body, (size_t)len, 400);
		}
		int len = snprintf(body, sizeof(body), "{\"%s\":\"x\",\"%s\":\"y\"}", posts[p].key, posts[p].key);
		refused(*state, "POST", posts[p].path, body, (size_t)len, 400);
		len = snprintf(body, sizeof(body), "{\"%s\":\"roller\",\"surprise\":1}", posts[p].key);
		refused(*state, "POST", posts[p].path, body, (size_t)len, 400);
	}
	char *after = everything(*state);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A text as long as may be is kept whole, one byte more is refused, and a body beyond the limit isn't even read. */
static void i8_texts_and_bodies_have_limits(void **state)
{
	char body[STORE_NOTE_MAX + 64], note[STORE_NOTE_MAX + 1];

	memset(note, 'n', STORE_NOTE_MAX);
	note[STORE_NOTE_MAX] = '\0';
	snprintf(body, sizeof(body), "{\"note\":\"%s\"}", note);
	refuses(*state, "POST", "/v1/faults/1/ack", body, 400, "at most 255 bytes");
	note[STORE_NOTE_MAX - 1] = '\0';
	snprintf(body, sizeof(body), "{\"note\":\"%s\"}", note);
	json_t *row = ask(*state, "POST", "/v1/faults/1/ack", body, 200);
	assert_string_equal(text(row, "ack_note"), note);
	assert_non_null(strstr(text(row, "text"), note));
	json_decref(row);
	char *large = malloc(API_BODY_MAX + 1);
	memset(large, ' ', API_BODY_MAX + 1);
	for (size_t p = 0; p < COUNT(posts); p++) {
		json_t *json = NULL;
		assert_int_equal(server_ask_bytes(*state, "POST", posts[p].path, large, API_BODY_MAX + 1, &json), 413);
		json_decref(json);
	}
	free(large);
}

static void i10_parameters_that_make_no_sense_are_refused(void **state)
{
	static const char *const wrong[] = {
	    "limit=0",        "limit=-1",  "limit=99999999999999999999", "limit=1x",  "limit=10001",
	    "where=",         "where=(((", "where=nosuchfield%3D1",      "where=%ff", "surprise=1",
	    "limit=1&limit=2"};
	static const char *const cursors[] = {"x",
	                                      ":",
	                                      "1:",
	                                      "1:2:",
	                                      "99999999999999999999:1",
	                                      "1:99999999999999999999",
	                                      "1:-1",
	                                      "1:1x",
	                                      "-:1:x",
	                                      "%00",
	                                      "1%3A2%3ABAD",
	                                      "%ff%fe",
	                                      "1:0"};
	static const char *const moments[] = {"x",   "7", "-7d", "7x", "99999999999999999999d", "2026-13-01T00:00:00Z",
	                                      "%ff", ""};
	char path[160];

	for (size_t i = 0; i < COUNT(lists); i++) {
		for (size_t w = 0; w < COUNT(wrong); w++) {
			snprintf(path, sizeof(path), "%s?%s", lists[i], wrong[w]);
			refused(*state, "GET", path, "", 0, 400);
		}
		/* Rules go on after a name, whatever it is. */
		for (size_t c = 0; c < COUNT(cursors) && strcmp(lists[i], "/v1/rules") != 0; c++) {
			snprintf(path, sizeof(path), "%s?after=%s", lists[i], cursors[c]);
			refused(*state, "GET", path, "", 0, 400);
		}
	}
	for (size_t i = 0; i < COUNT(times); i++) {
		for (size_t m = 0; m < COUNT(moments); m++) {
			snprintf(path, sizeof(path), "%s?since=%s", times[i], moments[m]);
			refused(*state, "GET", path, "", 0, 400);
			snprintf(path, sizeof(path), "%s?until=%s", times[i], moments[m]);
			refused(*state, "GET", path, "", 0, 400);
		}
	}
}

static void i10_paths_that_name_nothing_are_refused(void **state)
{
	static const char *const numbers[] = {"0",   "4711", "-1", "1x", "9223372036854775808", "99999999999999999999",
	                                      "a@1", "%ff"};
	static const char *const ids[] = {"nobody", "BAD", "..", "%2e%2e", "%ff", "-a"};
	static const struct {
		const char *method, *path;
	} by_number[] = {{"GET", "/v1/flags/%s"},
	                 {"POST", "/v1/flags/%s/ack"},
	                 {"GET", "/v1/faults/%s"},
	                 {"POST", "/v1/faults/%s/ack"},
	                 {"POST", "/v1/faults/%s/clear"}},
	  by_id[] = {{"GET", "/v1/devices/%s/wear"},
	             {"POST", "/v1/devices/%s/report"},
	             {"POST", "/v1/devices/%s/tag"},
	             {"POST", "/v1/devices/%s/untag"},
	             {"POST", "/v1/devices/%s/service"}};
	static const char body[] = "{\"note\":\"x\"}";
	char path[128], name[64];

	for (size_t i = 0; i < COUNT(by_number); i++) {
		for (size_t n = 0; n < COUNT(numbers); n++) {
			const char *hole = strchr(by_number[i].path, '%');
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(hole - by_number[i].path), by_number[i].path, numbers[n],
			         hole + 2);
			refused(*state, by_number[i].method, path, body, by_number[i].method[0] == 'P' ? strlen(body) : 0, 0);
		}
	}
	for (size_t i = 0; i < COUNT(by_id); i++) {
		for (size_t n = 0; n < COUNT(ids); n++) {
			const char *hole = strchr(by_id[i].path, '%');
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(hole - by_id[i].path), by_id[i].path, ids[n], hole + 2);
			refused(*state, by_id[i].method, path, "{}", by_id[i].method[0] == 'P' ? 2 : 0, 0);
		}
	}
	memset(name, 'a', sizeof(name));
	snprintf(path, sizeof(path), "/v1/flags?device=%.64s", name);
	refused(*state, "GET", path, "", 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i10_bodies_that_are_none_change_nothing), TEST(i10_values_of_the_wrong_kind_change_nothing),
	    TEST(i8_texts_and_bodies_have_limits),         TEST(i10_parameters_that_make_no_sense_are_refused),
	    TEST(i10_paths_that_name_nothing_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
