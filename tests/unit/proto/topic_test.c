#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "proto/topic.h"

static void names_are_what_the_protocol_says(void **state)
{
	char buf[GF_TOPIC_MAX];

	(void)state;
	assert_string_equal(gf_topic_device(buf, "gun-1", GF_TOPIC_STATUS), "gymfleet/v1/devices/gun-1/status");
	assert_string_equal(gf_topic_device(buf, "gun-1", GF_TOPIC_ACK), "gymfleet/v1/devices/gun-1/ack");
	assert_string_equal(gf_topic_all_devices(buf, GF_TOPIC_REPORT, false), "gymfleet/v1/devices/+/report");
	assert_string_equal(gf_topic_all_devices(buf, GF_TOPIC_REPORT, true),
	                    "$share/gateways/gymfleet/v1/devices/+/report");
	assert_string_equal(gf_topic_event(buf, "fault", "gun-1"), "gymfleet/v1/events/fault/gun-1");
}

static void device_topics_come_apart_again(void **state)
{
	char longest[GF_ID_MAX];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < GF_TOPIC_LEAF_COUNT; i++) {
		char buf[GF_TOPIC_MAX], id[GF_ID_MAX];
		enum gf_topic_leaf leaf = GF_TOPIC_LEAF_COUNT;

		gf_topic_device(buf, longest, (enum gf_topic_leaf)i);
		assert_true(gf_topic_parse_device(buf, strlen(buf), id, &leaf));
		assert_string_equal(id, longest);
		assert_int_equal(leaf, i);
	}
}

static void i7_other_topics_are_nobodys(void **state)
{
	static const char *const strangers[] = {
	    "",
	    "gymfleet/v1/devices/",
	    "gymfleet/v1/devices//status",
	    "gymfleet/v1/devices/gun-1",
	    "gymfleet/v1/devices/gun-1/",
	    "gymfleet/v1/devices/gun-1/statu",
	    "gymfleet/v1/devices/gun-1/statuses",
	    "gymfleet/v1/devices/gun-1/status/",
	    "gymfleet/v1/devices/gun-1/x/status",
	    "gymfleet/v1/devices/Gun-1/status",
	    "gymfleet/v1/devices/-gun/status",
	    "gymfleet/v1/devices/+/status",
	    "gymfleet/v2/devices/gun-1/status",
	    "gymfleet/v1/gateway/status",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		char id[GF_ID_MAX] = "untouched";
		enum gf_topic_leaf leaf = GF_TOPIC_LEAF_COUNT;

		assert_false(gf_topic_parse_device(strangers[i], strlen(strangers[i]), id, &leaf));
		assert_string_equal(id, "untouched");
		assert_int_equal(leaf, GF_TOPIC_LEAF_COUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_what_the_protocol_says),
	    cmocka_unit_test(device_topics_come_apart_again),
	    cmocka_unit_test(i7_other_topics_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
