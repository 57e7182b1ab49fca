/* The link against a real broker: it comes up, comes back, and keeps to its limits. link_reason_test.c has what keeps it from coming up. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/integration/client.h"

#define REPORT "gymfleet/v1/devices/chair-1/report"
#define STATUS "gymfleet/v1/devices/chair-1/status"
#define ACK "gymfleet/v1/devices/chair-1/ack"
#define DESIRED "gymfleet/v1/devices/chair-1/desired"

enum { SOON_MS = 15000 };

static int setup(void **state)
{
	*state = it_open("link");
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

static void comes_up_and_publishes(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway, *chair;

	it_broker_start(w);
	gateway = it_client_open(w, "gateway", &(struct it_client_options){.filters = {"gymfleet/v1/devices/+/report"}});
	IT_UNTIL(SOON_MS, it_client_up(gateway));
	chair = it_client_open(w, "chair-1", NULL);
	assert_int_equal(it_client_publish(chair, REPORT, "hello", 5, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(gateway, REPORT) == 1);
	assert_int_equal(it_client_last(gateway, REPORT)->len, 5);
	assert_memory_equal(it_client_last(gateway, REPORT)->payload, "hello", 5);
	assert_int_equal(it_client_publish(chair, REPORT, "", 0, false), 0); /* empty is a message too */
	IT_UNTIL(SOON_MS, it_client_heard(gateway, REPORT) == 2);
	it_client_close(chair);
	it_client_close(gateway);
}

/* Any name but "localhost" is looked up before Paho sees it. */
static void comes_up_by_a_name_that_is_looked_up(void **state)
{
	struct it_world *w = *state;
	struct it_client *chair;

	it_broker_start(w);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.host = "LOCALHOST"});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	it_client_close(chair);
}

static void comes_back_after_the_broker_was_killed(void **state)
{
	struct it_world *w = *state;
	struct it_client *chair;

	it_broker_start(w);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.filters = {ACK}});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	for (unsigned i = 2; i <= 3; i++) {
		it_broker_kill(w);
		IT_UNTIL(SOON_MS, !it_client_up(chair));
		it_broker_wipe(w);
		it_broker_start(w);
		IT_UNTIL(SOON_MS, it_client_up(chair));
		assert_int_equal(gf_link_stats(it_client_link(chair)).connects, i);
	}
	assert_true(it_client_publish(chair, REPORT, "x", 1, false) >= 0);
	it_client_close(chair);
}

/* Takes the link's events until DOWN; counts how the publishes ended, each cookie of 0..31 at most once. */
static unsigned count_lost_until_down(struct gf_link *link)
{
	struct gf_link_event event;
	uint32_t seen = 0;
	unsigned lost = 0;
	bool down = false;

	for (int64_t end = it_now_ms() + SOON_MS; !down && it_now_ms() < end; it_pause()) {
		gf_link_step(link, it_now_ms());
		while (gf_link_next(link, &event)) {
			if (event.kind == GF_LINK_EVENT_PUBLISHED) {
				assert_false(seen & 1U << event.cookie);
				seen |= 1U << event.cookie;
				lost += event.code == -1;
			}
			down |= event.kind == GF_LINK_EVENT_DOWN;
			gf_link_event_deinit(&event);
		}
	}
	assert_true(down);
	return lost;
}

static void reports_each_publish_that_was_in_flight(void **state)
{
	struct it_world *w = *state;
	struct it_client *chair;
	struct gf_link *link;

	it_broker_start(w);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.window_max = 5});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	link = it_client_link(chair);
	it_signal(it_broker(w), SIGSTOP);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(gf_link_window(link), 5 - i);
		assert_int_equal(gf_link_publish(link, REPORT, "x", 1, 1, false, 60, i), 0);
	}
	assert_int_equal(gf_link_window(link), 0);
	assert_int_equal(gf_link_publish(link, REPORT, "x", 1, 1, false, 60, 9), -EAGAIN);
	it_broker_kill(w);
	assert_int_equal(count_lost_until_down(link), 5);
	assert_int_equal(gf_link_publish(link, REPORT, "x", 1, 1, false, 60, 9), -ENOTCONN);
	it_client_close(chair);
}

static void keeps_to_its_window(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway, *chair;
	unsigned sent = 0;

	it_broker_start(w);
	gateway = it_client_open(
	    w, "gateway", &(struct it_client_options){.filters = {"gymfleet/v1/devices/+/report"}, .mailbox_max = 2000});
	IT_UNTIL(SOON_MS, it_client_up(gateway));
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.window_max = 3});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	for (int64_t end = it_now_ms() + SOON_MS; sent < 1000 && it_now_ms() < end;) {
		int r = gf_link_publish(it_client_link(chair), REPORT, "x", 1, 1, false, 0, sent);
		assert_true(r == 0 || r == -EAGAIN);
		sent += r == 0;
		if (r == -EAGAIN)
			it_client_turn(chair);
	}
	IT_UNTIL(SOON_MS, it_client_heard(gateway, REPORT) == 1000);
	IT_UNTIL(SOON_MS, (it_client_turn(chair), gf_link_window(it_client_link(chair)) == 3));
	it_client_close(chair);
	it_client_close(gateway);
}

static void refuses_what_is_too_large(void **state)
{
	struct it_world *w = *state;
	char *big = calloc(1, 2 << 20);
	struct it_client *gateway, *chair;

	it_broker_start(w);
	gateway = it_client_open(w, "gateway", &(struct it_client_options){.packet_max = 4 << 20});
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.filters = {ACK}, .packet_max = 1000});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	assert_int_equal(gf_link_publish(it_client_link(chair), REPORT, big, 1001, 1, false, 0, 1), -EMSGSIZE);
	assert_true(it_client_publish(chair, REPORT, big, 1000, false) >= 0);

	/* Larger than the machine takes: it doesn't arrive, and what follows does. */
	it_client_publish(gateway, ACK, big, 2000, false);
	it_client_publish(gateway, ACK, "small", 5, false);
	IT_UNTIL(SOON_MS, it_client_heard(chair, ACK) == 1);
	assert_int_equal(it_client_last(chair, ACK)->len, 5);

	/* Larger than the broker takes: refused, not repeated for ever. */
	assert_true(it_client_publish(gateway, ACK, big, 2 << 20, false) != 0);
	IT_UNTIL(SOON_MS, it_client_up(gateway));
	it_client_close(chair);
	it_client_close(gateway);
	free(big);
}

static void bounds_its_mailbox_and_counts_what_it_drops(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway, *chair;
	struct gf_link_stats stats;

	it_broker_start(w);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.filters = {ACK}, .mailbox_max = 4});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	gateway = it_client_open(w, "gateway", NULL);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(it_client_publish(gateway, ACK, &(char){(char)i}, 1, false), 0); /* nobody takes them out */
	IT_UNTIL(SOON_MS, gf_link_stats(it_client_link(chair)).dropped == 46);
	assert_true(it_client_publish(chair, REPORT, "x", 1, false) >= 0); /* its answer has a place of its own */
	assert_int_equal(it_client_heard(chair, ACK), 4);
	it_client_publish(gateway, ACK, "again", 5, false);
	IT_UNTIL(SOON_MS, it_client_heard(chair, ACK) == 5);
	stats = gf_link_stats(it_client_link(chair));
	assert_int_equal(stats.received, 5);
	assert_int_equal(stats.connects, 1);
	it_client_close(chair);
	it_client_close(gateway);
}

static void says_up_before_the_first_message(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway, *chair;
	struct gf_link_event event;

	it_broker_start(w);
	gateway = it_client_open(w, "gateway", NULL);
	assert_true(it_client_publish(gateway, DESIRED, "wanted", 6, true) >= 0);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.filters = {DESIRED, ACK}});
	IT_UNTIL(SOON_MS, (gf_link_step(it_client_link(chair), it_now_ms()), gf_link_next(it_client_link(chair), &event)));
	assert_int_equal(event.kind, GF_LINK_EVENT_UP);
	assert_int_equal(event.connection, 1);
	gf_link_event_deinit(&event);
	IT_UNTIL(SOON_MS, it_client_heard(chair, DESIRED) == 1);
	assert_true(it_client_last(chair, DESIRED)->retained);
	it_client_close(chair);
	it_client_close(gateway);
}

/* Only what is watched comes, what is retained at once; anew after a loss; nothing after the end. */
static void watches_a_topic_for_as_long_as_it_wants(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway, *chair;
	size_t heard;
	int code = -1;

	it_broker_start(w);
	gateway = it_client_open(w, "gateway", NULL);
	assert_true(it_client_publish(gateway, DESIRED, "one", 3, true) >= 0);
	chair = it_client_open(w, "chair-1", &(struct it_client_options){.filters = {ACK}});
	IT_UNTIL(SOON_MS, it_client_up(chair));
	assert_int_equal(gf_link_watch(it_client_link(chair), DESIRED, 1), 0);
	IT_UNTIL(SOON_MS, it_client_watches(chair, &code) == 1 && it_client_heard(chair, DESIRED) == 1);
	assert_int_equal(code, 1);                                             /* the QoS that was asked for */
	assert_int_equal(gf_link_watch(it_client_link(chair), DESIRED, 1), 0); /* once more what is retained */
	IT_UNTIL(SOON_MS, it_client_watches(chair, &code) == 2 && it_client_heard(chair, DESIRED) == 2);

	it_broker_kill(w);
	IT_UNTIL(SOON_MS, !it_client_up(chair));
	it_broker_start(w);
	IT_UNTIL(SOON_MS, it_client_up(chair));
	IT_UNTIL(SOON_MS, it_client_watches(chair, &code) == 3);
	assert_true(it_client_publish(gateway, DESIRED, "two", 3, false) >= 0);
	IT_UNTIL(SOON_MS, it_client_heard(chair, DESIRED) >= 3);

	gf_link_unwatch(it_client_link(chair));
	assert_true(it_client_publish(chair, REPORT, "x", 1, false) >= 0); /* by now the broker has heard of it */
	heard = it_client_heard(chair, DESIRED);
	assert_true(it_client_publish(gateway, DESIRED, "three", 5, false) >= 0);
	assert_true(it_client_publish(gateway, ACK, "after it", 8, false) >= 0);
	IT_UNTIL(SOON_MS, it_client_heard(chair, ACK) == 1);
	assert_int_equal(it_client_heard(chair, DESIRED), heard);
	it_client_close(chair);
	it_client_close(gateway);
}

static bool will_with_number(void *ctx, uint64_t connection, struct gf_link_will *ret_will)
{
	(void)ctx;
	*ret_will = (struct gf_link_will){.topic = STATUS, .retained = true};
	ret_will->len = (size_t)snprintf((char *)ret_will->payload, sizeof ret_will->payload, "lost %d", (int)connection);
	return true;
}

static void leaves_a_will_only_when_it_vanishes(void **state)
{
	struct it_world *w = *state;
	struct it_client_options with_will = {.will = will_with_number};
	struct it_client *gateway, *chair, *successor;

	it_broker_start(w);
	gateway = it_client_open(w, "gateway", &(struct it_client_options){.filters = {"gymfleet/v1/devices/+/+"}});
	IT_UNTIL(SOON_MS, it_client_up(gateway));
	chair = it_client_open(w, "chair-1", &with_will);
	assert_int_equal(it_client_publish(chair, REPORT, "one", 3, false), 0);
	it_client_close(chair); /* a goodbye */
	chair = it_client_open(w, "chair-1", &with_will);
	assert_int_equal(it_client_publish(chair, REPORT, "two", 3, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(gateway, REPORT) == 2);
	assert_int_equal(it_client_heard(gateway, STATUS), 0);
	successor = it_client_open(w, "chair-1", NULL); /* the broker cuts the first one off */
	IT_UNTIL(SOON_MS, (it_client_turn(successor), it_client_heard(gateway, STATUS) == 1));
	assert_string_equal((char *)it_client_last(gateway, STATUS)->payload, "lost 1");
	it_client_close(chair);
	it_client_close(successor);
	it_client_close(gateway);
}

static void can_be_stopped_and_started_again(void **state)
{
	struct it_world *w = *state;
	struct it_client *chair;

	it_broker_start(w);
	chair = it_client_open(w, "chair-1", NULL);
	for (unsigned i = 1; i <= 3; i++) {
		IT_UNTIL(SOON_MS, it_client_up(chair));
		gf_link_stop(it_client_link(chair));
		IT_UNTIL(SOON_MS, (it_client_turn(chair), gf_link_state(it_client_link(chair)) == GF_LINK_IDLE));
		assert_false(it_client_up(chair));
		gf_link_start(it_client_link(chair));
	}
	IT_UNTIL(SOON_MS, it_client_up(chair));
	assert_int_equal(gf_link_stats(it_client_link(chair)).connects, 4);
	it_client_close(chair);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(comes_up_and_publishes),
	    TEST(comes_up_by_a_name_that_is_looked_up),
	    TEST(comes_back_after_the_broker_was_killed),
	    TEST(reports_each_publish_that_was_in_flight),
	    TEST(keeps_to_its_window),
	    TEST(refuses_what_is_too_large),
	    TEST(bounds_its_mailbox_and_counts_what_it_drops),
	    TEST(says_up_before_the_first_message),
	    TEST(watches_a_topic_for_as_long_as_it_wants),
	    TEST(leaves_a_will_only_when_it_vanishes),
	    TEST(can_be_stopped_and_started_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
