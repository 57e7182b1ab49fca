/* What goes over the link: the window of publishes, the mailbox, and both when memory or the other side runs short. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/alloc_fail.h"
#include "tests/unit/proto/link_rig.h"

/* A link with the largest window, up. */
static int setup(void **state)
{
	struct rig *rig = rig_open_window("localhost", 0, GF_LINK_WINDOW_MAX);

	*state = rig;
	rig_come_up(rig, 1);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* Publishes until the window is full; returns how many fitted. */
static unsigned fill(struct rig *rig)
{
	unsigned n = 0;
	int r;

	for (;;) {
		unsigned left = gf_link_window(rig->link);
		r = rig_publish(rig, n);
		if (r != 0)
			break;
		assert_int_equal(gf_link_window(rig->link), left - 1);
		n++;
	}
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(gf_link_window(rig->link), 0);
	return n;
}

/* Comes up again with the broker's Receive Maximum. */
static void again(struct rig *rig, unsigned receive_max)
{
	rig_lose(rig, 0);
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, receive_max);
	assert_int_equal(rig->state, GF_LINK_UP);
	rig->log[0] = 0;
}

/* --- the window --- */

static void i8_has_no_more_in_flight_than_its_window(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(fill(rig), GF_LINK_WINDOW_MAX);
	for (unsigned i = 0; i < 100; i++) {
		rig_answer(rig, i, 0);
		assert_int_equal(gf_link_window(rig->link), 1);
		assert_int_equal(rig_publish(rig, 100 + i), 0);
		assert_int_equal(rig_publish(rig, 999), -EAGAIN);
	}
}

static void keeps_to_a_window_that_was_configured(void **state)
{
	struct rig *rig = rig_open_window("localhost", 0, 1);

	(void)state;
	rig_come_up(rig, 1);
	assert_int_equal(fill(rig), 1);
	rig_close(rig);
}

static void keeps_to_the_brokers_receive_maximum(void **state)
{
	struct rig *rig = *state;

	again(rig, 3);
	assert_int_equal(gf_link_window(rig->link), 3);
	assert_int_equal(fill(rig), 3);
	again(rig, GF_LINK_WINDOW_MAX + 1); /* larger than ours says nothing */
	assert_int_equal(fill(rig), GF_LINK_WINDOW_MAX);
	again(rig, 1);
	assert_int_equal(fill(rig), 1);
	again(rig, 0); /* none was named, and the last connection's doesn't count */
	assert_int_equal(fill(rig), GF_LINK_WINDOW_MAX);
}

static void takes_qos_0_without_a_place_in_the_window(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	assert_int_equal(gf_link_publish(rig->link, "ack", "x", 1, 0, false, 0, 5), 0);
	assert_int_equal(rig->sent_count, GF_LINK_WINDOW_MAX);
	rig_step(rig);
	rig_expect(rig, "");
}

static void gives_the_place_back_when_a_publish_is_not_accepted(void **state)
{
	static const int errors[] = {-EIO, -ENOMEM, -EAGAIN, -ENOTCONN};
	struct rig *rig = *state;

	for (unsigned i = 0; i < 100; i++) {
		rig->send_error = errors[i % 4];
		assert_int_equal(rig_publish(rig, i), errors[i % 4]);
	}
	rig->send_error = 0;
	assert_int_equal(gf_link_window(rig->link), GF_LINK_WINDOW_MAX);
	rig_lose(rig, 0);
	rig_expect(rig, "waiting DOWN:1"); /* nothing is answered that wasn't accepted */
}

static void refuses_what_is_larger_than_a_packet(void **state)
{
	static const char big[RIG_PACKET + 1];
	struct rig *rig = *state;

	assert_int_equal(gf_link_publish(rig->link, "report", big, RIG_PACKET, 1, false, 0, 1), 0);
	assert_int_equal(gf_link_publish(rig->link, "report", big, RIG_PACKET + 1, 1, false, 0, 1), -EMSGSIZE);
	assert_int_equal(gf_link_publish(rig->link, "report", big, RIG_PACKET + 1, 0, false, 0, 1), -EMSGSIZE);
	assert_int_equal(rig->sent_count, 1);
}

static void holds_the_place_until_the_answer_is_read(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	rig->sleeps = true;
	rig_answer(rig, 0, 0);
	assert_int_equal(rig_publish(rig, 50), -EAGAIN);
	rig->sleeps = false;
	rig_step(rig);
	rig_expect(rig, "PUB:0=0");
	assert_int_equal(rig_publish(rig, 50), 0);
}

static void passes_each_answer_on_once(void **state)
{
	static const int codes[] = {0, 16, 0x87, 0x97, -1};
	struct rig *rig = *state;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(rig_publish(rig, i), 0);
	for (unsigned i = 0; i < 5; i++) {
		link_on_answer(rig->sent[i], codes[i]);
		rig_answer(rig, i, 0x80); /* a second one changes nothing, before it was read */
		rig_answer(rig, i, 0x80); /* and after */
	}
	rig_expect(rig, "PUB:0=0 PUB:1=16 PUB:2=135 PUB:3=151 PUB:4=-1");
	assert_int_equal(gf_link_stats(rig->link).published, 2);
	rig_lose(rig, 0);
	rig_expect(rig, "waiting DOWN:1");
}

static void answers_what_was_in_flight_at_a_loss_once(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(rig_publish(rig, i), 0);
	link_on_answer(rig->sent[2], 0);
	rig_lose(rig, 0);
	for (unsigned i = 0; i < 4; i++)
		rig_answer(rig, i, 0);
	rig_expect(rig, "waiting PUB:2=0 PUB:0=-1 PUB:1=-1 PUB:3=-1 DOWN:1");
	assert_int_equal(gf_link_stats(rig->link).published, 1);
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	assert_int_equal(gf_link_window(rig->link), GF_LINK_WINDOW_MAX); /* the next connection has its whole window */
}

/* Answers that nobody reads take no more room than two connections' windows, however often the link comes and goes. */
static void i8_bounds_the_answers_that_nobody_reads(void **state)
{
	struct rig *rig = *state;
	unsigned sent = 0, expected = 0;

	rig->sleeps = true;
	for (unsigned i = 0; i < 2; i++) {
		sent += fill(rig);
		again(rig, 0);
	}
	assert_int_equal(sent, LINK_BOX_PUBLISHED_MAX);
	assert_int_equal(rig_publish(rig, 1), -EAGAIN);
	rig->sleeps = false;
	rig->log[0] = 0;
	rig_step(rig);
	for (const char *at = rig->log; (at = strstr(at, "PUB:")) != NULL; at++)
		expected++;
	assert_int_equal(expected, sent);
	assert_int_equal(fill(rig), GF_LINK_WINDOW_MAX);
}

/* --- the mailbox --- */

static void i8_a_full_mailbox_drops_messages_and_nothing_else(void **state)
{
	struct rig *rig = *state;
	struct gf_link_stats stats;

	rig->sleeps = true;
	again(rig, 0);
	assert_int_equal(rig_publish(rig, 1), 0);
	assert_int_equal(rig_publish(rig, 2), 0);
	for (unsigned i = 0; i < 100; i++)
		rig_message(rig, "flood");
	rig_answer(rig, 1, 0);
	rig_lose(rig, 0);
	rig->log[0] = 0;
	rig->sleeps = false;
	rig_step(rig);
	rig_expect(rig, "DOWN:1 UP:2 MSG:flood MSG:flood MSG:flood MSG:flood PUB:2=0 PUB:1=-1 DOWN:2");
	stats = gf_link_stats(rig->link);
	assert_int_equal(stats.received, RIG_MAILBOX);
	assert_int_equal(stats.dropped, 100 - RIG_MAILBOX);
	assert_int_equal(stats.connects, 2);
}

static void takes_messages_again_when_there_is_room(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < 5; i++)
		rig_message(rig, "a");
	rig_step(rig);
	rig_message(rig, "b");
	rig_step(rig);
	rig_expect(rig, "MSG:a MSG:a MSG:a MSG:a MSG:b");
	assert_int_equal(gf_link_stats(rig->link).dropped, 1);
}

static void asks_again_for_what_is_retained_only_while_up(void **state)
{
	struct rig *rig = *state;

	gf_link_renew(rig->link);
	rig_expect(rig, "renew");
	rig_lose(rig, 0);
	gf_link_renew(rig->link);
	rig_expect(rig, "waiting DOWN:1");
}

static void counts_what_is_too_large(void **state)
{
	static const char big[RIG_PACKET + 1];
	struct rig *rig = *state;

	link_on_message(rig->link, "full", 4, big, RIG_PACKET, false);
	link_on_message(rig->link, "over", 4, big, RIG_PACKET + 1, false);
	link_on_message(rig->link, "empty", 5, NULL, 0, false);
	rig_step(rig);
	rig_expect(rig, "MSG:full MSG:empty");
	assert_int_equal(gf_link_stats(rig->link).too_large, 1);
	assert_int_equal(gf_link_stats(rig->link).received, 2);
}

static void says_up_before_what_came_while_subscribing(void **state)
{
	struct rig *rig = rig_open("localhost", 2);

	(void)state;
	gf_link_start(rig->link);
	rig_step(rig);
	rig_accept(rig, 0);
	rig_message(rig, "half");
	rig_grant(rig);
	rig_expect(rig, "connect(1) connecting subscribe");
	rig_refuse(rig, 0x87);
	rig_expect(rig, "drop waiting DOWN:1"); /* of a connection that never was up nothing is told */
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_message(rig, "whole");
	rig_step(rig);
	rig_expect(rig, "connect(2) connecting subscribe");
	rig_grant(rig);
	rig_expect(rig, "up UP:2 MSG:whole");
	rig_close(rig);
}

static void wakes_the_owner_for_whatever_happens(void **state)
{
	struct rig *rig = *state;
	unsigned before = rig->wakes;

	rig_message(rig, "a");
	assert_int_equal(rig->wakes, before + 1);
	assert_int_equal(rig_publish(rig, 1), 0);
	link_on_answer(rig->sent[0], 0);
	assert_int_equal(rig->wakes, before + 2);
	link_on_answer(rig->sent[0], 0); /* but not for what changes nothing */
	assert_int_equal(rig->wakes, before + 2);
	link_on_lost(rig->link, 0);
	assert_int_equal(rig->wakes, before + 3);
	link_on_lost(rig->link, 0);
	assert_int_equal(rig->wakes, before + 3);
	rig_step(rig);
	assert_int_equal(rig->wakes, before + 4); /* DOWN is in the mailbox */
}

/* --- memory --- */

static void says_down_even_without_memory_for_the_reason(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_publish(rig, 1), 0);
	alloc_fail_after(0);
	rig_lose(rig, 0x8b);
	alloc_fail_after(-1);
	rig_expect(rig, "waiting PUB:1=-1 DOWN:1");
	rig_expect_reason(rig, "memory is short");
}

static void counts_a_message_for_which_memory_is_short_as_dropped(void **state)
{
	struct rig *rig = *state;

	alloc_fail_after(0);
	rig_message(rig, "a");
	alloc_fail_after(-1);
	rig_message(rig, "b");
	rig_step(rig);
	rig_expect(rig, "MSG:b");
	assert_int_equal(gf_link_stats(rig->link).dropped, 1);
}

static void is_made_whole_or_not_at_all(void **state)
{
	const struct rig *rig = *state;
	struct gf_link *link = NULL;
	int r = -ENOMEM;

	for (int n = 0; r < 0; n++) {
		assert_true(n < 20);
		alloc_fail_after(n);
		r = gf_link_new(&rig->link->config, &rig->link->ops, &link, NULL);
		alloc_fail_after(-1);
		assert_int_equal(r, r < 0 ? -ENOMEM : 0);
		assert_true((link != NULL) == (r == 0));
	}
	alloc_fail_after(0);
	assert_int_equal(gf_link_subscribe(link, "filter", 1), -ENOMEM);
	alloc_fail_after(-1);
	for (unsigned i = 0; i < GF_LINK_SUBS_MAX; i++)
		assert_int_equal(gf_link_subscribe(link, "filter", 1), 0);
	assert_int_equal(gf_link_subscribe(link, "filter", 1), -ENOSPC);
	gf_link_free(link);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i8_has_no_more_in_flight_than_its_window),
	    cmocka_unit_test(keeps_to_a_window_that_was_configured),
	    TEST(keeps_to_the_brokers_receive_maximum),
	    TEST(takes_qos_0_without_a_place_in_the_window),
	    TEST(gives_the_place_back_when_a_publish_is_not_accepted),
	    TEST(refuses_what_is_larger_than_a_packet),
	    TEST(holds_the_place_until_the_answer_is_read),
	    TEST(passes_each_answer_on_once),
	    TEST(answers_what_was_in_flight_at_a_loss_once),
	    TEST(i8_bounds_the_answers_that_nobody_reads),
	    TEST(i8_a_full_mailbox_drops_messages_and_nothing_else),
	    TEST(takes_messages_again_when_there_is_room),
	    TEST(asks_again_for_what_is_retained_only_while_up),
	    TEST(counts_what_is_too_large),
	    cmocka_unit_test(says_up_before_what_came_while_subscribing),
	    TEST(wakes_the_owner_for_whatever_happens),
	    TEST(says_down_even_without_memory_for_the_reason),
	    TEST(counts_a_message_for_which_memory_is_short_as_dropped),
	    TEST(is_made_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
