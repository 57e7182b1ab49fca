#include "proto/link_box.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 3 };

static int setup(void **state)
{
	static struct link_box box;

	*state = &box;
	return link_box_init(&box, MESSAGES_MAX);
}

static int teardown(void **state)
{
	link_box_deinit(*state);
	return 0;
}

static bool put(struct link_box *box, const char *topic)
{
	return link_box_message(box, 1, topic, strlen(topic), "payload", 7, false);
}

/* The next event must be of this kind; its text is compared unless NULL. */
static void expect(struct link_box *box, enum gf_link_event_kind kind, const char *text)
{
	struct link_item item;

	assert_true(link_box_next(box, &item));
	assert_int_equal(item.kind, kind);
	if (text)
		assert_string_equal(item.text, text);
	free(item.text);
	free(item.payload);
}

static void expect_nothing(struct link_box *box)
{
	struct link_item item;

	assert_false(link_box_next(box, &item));
}

static void gives_out_in_order_and_forever(void **state)
{
	struct link_box *box = *state;

	for (unsigned i = 0; i < 1000; i++) {
		assert_true(put(box, "a"));
		link_box_published(box, 1, 5, i, 0);
		assert_true(put(box, "b"));
		expect(box, GF_LINK_EVENT_MESSAGE, "a");
		expect(box, GF_LINK_EVENT_PUBLISHED, NULL);
		expect(box, GF_LINK_EVENT_MESSAGE, "b");
		expect_nothing(box);
	}
}

static void copies_the_message(void **state)
{
	struct link_box *box = *state;
	char topic[] = "topic/and more", payload[] = "payload";
	struct link_item item;

	assert_true(link_box_message(box, 7, topic, 5, payload, 7, true));
	assert_true(link_box_message(box, 7, topic, 5, NULL, 0, false));
	memset(topic, 'x', sizeof topic);
	memset(payload, 'x', sizeof payload);
	assert_true(link_box_next(box, &item));
	assert_string_equal(item.text, "topic");
	assert_string_equal((char *)item.payload, "payload");
	assert_int_equal(item.len, 7);
	assert_int_equal(item.connection, 7);
	assert_true(item.retained);
	free(item.text);
	free(item.payload);
	expect(box, GF_LINK_EVENT_MESSAGE, "topic");
}

static void i8_a_flood_of_messages_leaves_room_for_the_rest(void **state)
{
	struct link_box *box = *state;

	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(put(box, "flood"), i < MESSAGES_MAX);
	for (unsigned i = 0; i < LINK_BOX_PUBLISHED_MAX; i++)
		link_box_published(box, 1, 0, i, 0);
	while (link_box_accepts_lifecycle(box)) {
		link_box_reserve_up(box, 1);
		link_box_up(box);
		link_box_down(box, 1, "why");
	}
	assert_true(box->count <= box->capacity);
	for (unsigned i = 0; i < MESSAGES_MAX; i++)
		expect(box, GF_LINK_EVENT_MESSAGE, "flood");
	assert_true(put(box, "again"));
	for (unsigned i = 0; i < LINK_BOX_PUBLISHED_MAX; i++)
		expect(box, GF_LINK_EVENT_PUBLISHED, NULL);
	expect(box, GF_LINK_EVENT_UP, NULL);
	expect(box, GF_LINK_EVENT_DOWN, "why");
	assert_true(link_box_accepts_lifecycle(box));
}

static void says_up_before_what_came_while_subscribing(void **state)
{
	struct link_box *box = *state;

	link_box_published(box, 1, 0, 1, -1);
	link_box_reserve_up(box, 2);
	assert_true(put(box, "retained"));
	expect(box, GF_LINK_EVENT_PUBLISHED, NULL);
	expect_nothing(box);
	link_box_up(box);
	expect(box, GF_LINK_EVENT_UP, NULL);
	expect(box, GF_LINK_EVENT_MESSAGE, "retained");
	expect_nothing(box);
}

static void forgets_what_came_on_a_connection_that_never_was_up(void **state)
{
	struct link_box *box = *state;

	assert_true(put(box, "before"));
	link_box_reserve_up(box, 2);
	assert_true(put(box, "half"));
	link_box_down(box, 2, "refused");
	expect(box, GF_LINK_EVENT_MESSAGE, "before");
	expect(box, GF_LINK_EVENT_DOWN, "refused");
	expect_nothing(box);
	for (unsigned i = 0; i < MESSAGES_MAX; i++)
		assert_true(put(box, "the place is free again"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(gives_out_in_order_and_forever),
	    TEST(copies_the_message),
	    TEST(i8_a_flood_of_messages_leaves_room_for_the_rest),
	    TEST(says_up_before_what_came_while_subscribing),
	    TEST(forgets_what_came_on_a_connection_that_never_was_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
