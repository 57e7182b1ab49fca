/* Events and sums as JSON, and their topics. */
#include "gateway/tell/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOON INT64_C(1795176000000)

static void assert_json(json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void assert_topic(const struct store_event *e, const char *expected)
{
	char topic[GF_TOPIC_MAX];

	assert_string_equal(feed_topic(topic, e), expected);
}

static void an_event_of_a_machine(void **state)
{
	const struct store_event e = {.id = 17,
	                              .at_ms = NOON,
	                              .kind = STORE_EVENT_FAULT,
	                              .device = "chair-1",
	                              .text = "motor over 70 °C \"hot\"",
	                              .ref = 3,
	                              .code = "overtemp_motor"};

	(void)state;
	assert_json(feed_event(&e),
	            "{\"id\":17,\"time\":\"2026-11-20T12:00:00Z\",\"kind\":\"fault\",\"device\":\"chair-1\","
	            "\"text\":\"motor over 70 °C \\\"hot\\\"\",\"data\":{\"ref\":3,\"code\":"
	            "\"overtemp_motor\"}}");
	assert_topic(&e, "gymfleet/v1/events/fault/chair-1");
}

static void an_event_without_a_machine(void **state)
{
	struct store_event e = {.id = 18, .kind = STORE_EVENT_FLAG, .text = "too much", .ref = 4, .notify = true};

	(void)state;
	assert_json(feed_event(&e), "{\"id\":18,\"time\":null,\"kind\":\"flag\",\"device\":null,\"text\":\"too much\","
	                            "\"data\":{\"ref\":4,\"notify\":true}}");
	assert_topic(&e, "gymfleet/v1/events/flag/4");
	e.ref = 0;
	assert_topic(&e, "gymfleet/v1/events/flag/gateway");
}

/* It can't be in the store; if it were, all after it must still be told. */
static void a_text_that_is_no_utf8_is_told_as_such(void **state)
{
	const struct store_event e = {.id = 1, .kind = STORE_EVENT_DEVICE, .text = "\xff\xfe"};

	(void)state;
	assert_json(feed_event(&e), "{\"id\":1,\"time\":null,\"kind\":\"device\",\"device\":null,\"text\":\"(unreadable)\","
	                            "\"data\":{}}");
}

static void a_sum_counts_each_kind_and_says_where_they_are(void **state)
{
	struct feed_sum sum = {.from = 10, .to = 40, .now_ms = NOON};
	char topic[GF_TOPIC_MAX];

	(void)state;
	sum.count[STORE_EVENT_SESSION] = 20;
	sum.count[STORE_EVENT_FAULT] = 1;
	assert_int_equal(feed_sum_events(&sum), 21);
	assert_json(
	    feed_sum(&sum),
	    "{\"id\":40,\"time\":\"2026-11-20T12:00:00Z\",\"kind\":\"summary\",\"from\":10,\"to\":40,\"counts\":{"
	    "\"session\":20,\"fault\":1},\"missed\":0,\"text\":\"21 events in one message: 20 session, 1 fault; each "
	    "is in /v1/events?after=9\"}");
	assert_string_equal(feed_sum_topic(topic), "gymfleet/v1/events/summary/gateway");
}

static void what_was_missed_is_said(void **state)
{
	const struct feed_sum sum = {.from = 10, .to = 40, .missed = 31, .now_ms = NOON};

	(void)state;
	assert_json(feed_sum(&sum),
	            "{\"id\":40,\"time\":\"2026-11-20T12:00:00Z\",\"kind\":\"summary\",\"from\":10,\"to\":40,\"counts\":{},"
	            "\"missed\":31,\"text\":\"31 events were missed: they were deleted before they could be told, the log "
	            "keeps the newest 100000\"}");
}

/* However large the numbers of every kind. */
static void the_largest_sum_is_whole(void **state)
{
	struct feed_sum sum = {.from = UINT64_MAX / 4, .to = UINT64_MAX / 2, .now_ms = NOON};
	json_t *json;

	(void)state;
	for (int i = 0; i < STORE_EVENT_COUNT; i++)
		sum.count[i] = UINT64_MAX / 4 / STORE_EVENT_COUNT;
	json = feed_sum(&sum);
	assert_non_null(json);
	const char *text = json_string_value(json_object_get(json, "text"));
	assert_non_null(strstr(text, "; each is in /v1/events?after=4611686018427387902"));
	assert_int_equal(json_object_size(json_object_get(json, "counts")), STORE_EVENT_COUNT);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_of_a_machine),
	    cmocka_unit_test(an_event_without_a_machine),
	    cmocka_unit_test(a_text_that_is_no_utf8_is_told_as_such),
	    cmocka_unit_test(a_sum_counts_each_kind_and_says_where_they_are),
	    cmocka_unit_test(what_was_missed_is_said),
	    cmocka_unit_test(the_largest_sum_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
