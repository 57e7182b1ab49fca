/* The link's states in virtual time: each attempt, and how it ends. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/link_rig.h"

enum { EXPLAIN_MS = 8000, STABLE_MS = 10000 };

/* A link to an address, with two subscriptions, asked to start. */
static int setup(void **state)
{
	struct rig *rig = rig_open("192.0.2.1", 2);

	*state = rig;
	gf_link_start(rig->link);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* --- attempts --- */

static void does_nothing_before_it_is_started(void **state)
{
	struct rig *rig = *state;

	gf_link_stop(rig->link);
	rig_step(rig);
	rig_advance(rig, 100000);
	rig_expect(rig, "");
	assert_true(rig->due == INT64_MAX);
}

static void is_up_only_after_every_subscription_was_granted(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_expect(rig, "connect(1) connecting");
	assert_true(rig->due == rig->now + LINK_ATTEMPT_MS);
	rig_accept(rig, 0);
	rig_expect(rig, "subscribe");
	rig_grant(rig);
	rig_expect(rig, "");
	assert_int_equal(rig_publish(rig, 1), -ENOTCONN);
	rig_grant(rig);
	rig_expect(rig, "up UP:1");
	assert_true(rig->due == INT64_MAX);
	assert_int_equal(gf_link_stats(rig->link).attempts, 1);
	assert_int_equal(gf_link_stats(rig->link).connects, 1);
}

static void takes_all_grants_of_one_step(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_accept(rig, 0);
	link_on_granted(rig->link);
	rig_grant(rig);
	rig_expect(rig, "connect(1) connecting subscribe up UP:1");
}

static void is_up_at_once_without_subscriptions(void **state)
{
	struct rig *rig = rig_open("localhost", 0);

	(void)state;
	gf_link_start(rig->link);
	rig_step(rig);
	rig_accept(rig, 0);
	rig_expect(rig, "connect(1) connecting up UP:1");
	rig_close(rig);
}

static void says_what_the_broker_refused_for(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_refuse(rig, 0x85);
	rig_expect(rig, "connect(1) connecting waiting DOWN:0");
	rig_expect_reason(rig, "192.0.2.1:8883: the broker refused the client id");
}

static void asks_the_probe_when_an_attempt_fails_without_a_reason(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_refuse(rig, 0);
	rig_expect(rig, "connect(1) connecting probe(all)");
	rig_advance(rig, EXPLAIN_MS - 1);
	rig_expect(rig, "");
	rig_probe_finds(rig, "nobody listens there");
	rig_expect(rig, "waiting DOWN:0");
	rig_expect_reason(rig, "192.0.2.1:8883: nobody listens there");
}

static void falls_back_when_the_probe_finds_nothing(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_refuse(rig, 0);
	rig_probe_finds(rig, "");
	rig_expect(rig, "connect(1) connecting probe(all) waiting DOWN:0");
	rig_expect_reason(rig, "the broker closed the connection");
}

static void does_not_wait_for_ever_for_the_probe(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_refuse(rig, 0);
	assert_true(rig->due == rig->now + EXPLAIN_MS);
	rig_advance(rig, EXPLAIN_MS);
	rig_expect(rig, "connect(1) connecting probe(all) waiting DOWN:0");
	rig_expect_reason(rig, "the broker closed the connection");
}

static void can_do_without_the_probe(void **state)
{
	struct rig *rig = *state;

	rig->probe_error = -ENOMEM;
	rig_step(rig);
	rig_refuse(rig, 0);
	rig_expect(rig, "connect(1) connecting probe(all) waiting DOWN:0");
	rig_expect_reason(rig, "the broker closed the connection");
}

static void gives_up_when_the_broker_does_not_answer(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_advance(rig, LINK_ATTEMPT_MS - 1);
	rig_expect(rig, "connect(1) connecting");
	rig_advance(rig, 1);
	rig_expect(rig, "drop probe(all)");
	rig_probe_finds(rig, "");
	rig_expect(rig, "waiting DOWN:0");
	rig_expect_reason(rig, "no answer from the broker");
}

/* Else thousands that ask more of a broker at once than it can do in time would all begin again, and again, for ever. */
static void gives_the_next_attempt_longer_when_the_broker_had_no_time_for_this_one(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_advance(rig, LINK_ATTEMPT_MS);
	rig_probe_finds(rig, "");
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "connect(1) connecting drop probe(all) waiting DOWN:0 connect(1) connecting");
	rig_advance(rig, 2 * LINK_ATTEMPT_MS - 1);
	rig_expect(rig, "");
	rig_advance(rig, 1);
	/* Not one more handshake to hear the same. */
	rig_expect(rig, "drop waiting DOWN:0");
	rig_expect_reason(rig, "still no answer from the broker");
	for (int i = 0; i < 3; i++) {
		rig_advance(rig, rig->due - rig->now);
		assert_true(rig->due == rig->now + LINK_ATTEMPT_MAX_MS);
		rig_advance(rig, LINK_ATTEMPT_MAX_MS);
		rig_expect(rig, "connect(1) connecting drop waiting DOWN:0");
	}
}

static void is_patient_too_when_only_the_subscriptions_were_late(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_accept(rig, 0);
	rig_advance(rig, LINK_ATTEMPT_MS);
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "connect(1) connecting subscribe drop waiting DOWN:1 connect(2) connecting");
	assert_true(rig->due == rig->now + 2 * LINK_ATTEMPT_MS);
}

static void is_as_quick_as_ever_once_the_broker_answers(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_advance(rig, LINK_ATTEMPT_MS);
	rig_probe_finds(rig, "");
	rig_come_up(rig, 1);
	rig_lose(rig, 0);
	rig_advance(rig, rig->due - rig->now);
	assert_true(rig->due == rig->now + LINK_ATTEMPT_MS);
	rig_advance(rig, LINK_ATTEMPT_MS);
	rig_probe_finds(rig, "");
	rig_advance(rig, rig->due - rig->now);
	assert_true(rig->due == rig->now + 2 * LINK_ATTEMPT_MS);
	rig_refuse(rig, 0x88);
	rig_advance(rig, rig->due - rig->now);
	assert_true(rig->due == rig->now + LINK_ATTEMPT_MS);
}

/* The broker accepts and cuts the connection before we look. */
static void says_why_a_connection_was_cut_at_once(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig->paho = RIG_CONNECTED;
	link_on_connected(rig->link, 0);
	rig_lose(rig, 0x8e);
	rig_expect(rig, "connect(1) connecting waiting DOWN:1");
	rig_expect_reason(rig, "another client took over");
}

static void looks_for_the_reason_of_a_connection_cut_at_once(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig->paho = RIG_CONNECTED;
	link_on_connected(rig->link, 0);
	rig_lose(rig, 0);
	rig_probe_finds(rig, "");
	rig_expect(rig, "connect(1) connecting probe(all) waiting DOWN:1");
}

static void is_down_when_a_subscription_is_refused(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_accept(rig, 0);
	link_on_granted(rig->link);
	rig_refuse(rig, 0x8f);
	rig_expect(rig, "connect(1) connecting subscribe drop waiting DOWN:1");
	rig_expect_reason(rig, "the broker does not allow the topic filter");
}

static void is_down_when_a_subscription_is_never_answered(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_advance(rig, LINK_ATTEMPT_MS - 5);
	rig_accept(rig, 0);
	rig_grant(rig);
	assert_true(rig->due == rig->now + 5); /* the deadline is the attempt's, not the subscription's */
	rig_advance(rig, 5);
	rig_expect(rig, "connect(1) connecting subscribe drop waiting DOWN:1");
	rig_expect_reason(rig, "did not answer the subscriptions");
}

static void is_down_when_it_is_lost_while_subscribing(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_accept(rig, 0);
	rig_lose(rig, 0);
	rig_expect(rig, "connect(1) connecting subscribe drop waiting DOWN:1");
	rig_expect_reason(rig, "lost while subscribing");

	rig->subscribe_error = -ENOTCONN;
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	rig_expect(rig, "connect(2) connecting subscribe drop waiting DOWN:2");
	rig_expect_reason(rig, "lost while subscribing");
}

static void keeps_the_reason_of_a_cut_that_came_between_two_subscriptions(void **state)
{
	struct rig *rig = *state;

	rig->subscribe_refusal = 0x87;
	rig_step(rig);
	rig_accept(rig, 0);
	rig_expect(rig, "connect(1) connecting subscribe drop waiting DOWN:1");
	rig_expect_reason(rig, "not authorised");
}

static void says_what_a_connection_was_lost_for(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	rig_lose(rig, 0x8b);
	rig_expect(rig, "waiting DOWN:1");
	rig_expect_reason(rig, "connection lost: the broker is shutting down");
	rig_come_up(rig, 2);
	rig_lose(rig, 0);
	rig_expect_reason(rig, "does a second process use this certificate?");
	rig_come_up(rig, 3);
	rig->now += STABLE_MS;
	rig_lose(rig, 0);
	rig_expect_reason(rig, "connection lost: the broker or the network went away");
}

static void survives_an_attempt_for_which_memory_is_short(void **state)
{
	struct rig *rig = *state;

	rig->connect_error = -ENOMEM;
	rig->random = 100;
	rig_step(rig);
	rig_expect(rig, "connect(1) waiting DOWN:0");
	rig_expect_reason(rig, "memory may be short");
	assert_true(rig->due == rig->now + 100);
	rig->connect_error = 0;
	rig_advance(rig, 100);
	rig_expect(rig, "connect(1) connecting");
}

static void asks_for_the_will_before_each_attempt(void **state)
{
	struct rig *rig = *state;

	rig_step(rig);
	rig_refuse(rig, 0x88);
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "connect(1) connecting waiting DOWN:0 connect(1) connecting");
	rig_accept(rig, 0);
	rig_refuse(rig, 0x87); /* a connection that never was up has had its number */
	rig_expect(rig, "subscribe drop waiting DOWN:1");
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	link_on_granted(rig->link);
	rig_grant(rig);
	rig_expect(rig, "connect(2) connecting subscribe up UP:2");
	rig->no_will = true;
	rig_lose(rig, 0);
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "waiting DOWN:2 connect(-) connecting");
}

/* --- names --- */

static struct rig *open_by_name(void)
{
	struct rig *rig = rig_open("broker.example", 0);

	gf_link_start(rig->link);
	rig_step(rig);
	return rig;
}

static void looks_a_name_up_before_paho_sees_it(void **state)
{
	struct rig *rig = open_by_name();

	(void)state;
	rig_expect(rig, "probe(name) connecting");
	rig_probe_finds(rig, "");
	rig_expect(rig, "connect(1)");
	rig_accept(rig, 0);
	rig_expect(rig, "up UP:1");
	rig_close(rig);
}

static void is_down_when_the_name_is_unknown(void **state)
{
	struct rig *rig = open_by_name();

	(void)state;
	rig_probe_finds(rig, "the name cannot be resolved");
	rig_expect(rig, "probe(name) connecting waiting DOWN:0");
	rig_expect_reason(rig, "broker.example:8883: the name cannot be resolved");
	rig_close(rig);
}

static void is_down_when_the_name_server_is_silent(void **state)
{
	struct rig *rig = open_by_name();

	(void)state;
	rig_advance(rig, LINK_ATTEMPT_MS - 1);
	rig_expect(rig, "probe(name) connecting");
	rig_advance(rig, 1);
	rig_expect(rig, "waiting DOWN:0");
	rig_expect_reason(rig, "the name server does not answer");
	rig_close(rig);
}

/* A slow name server, or an owner that was busy, takes nothing off the broker's time. */
static void gives_the_broker_its_time_after_a_slow_name_server(void **state)
{
	struct rig *rig = open_by_name();

	(void)state;
	rig->now += LINK_ATTEMPT_MS + 5;
	rig_probe_finds(rig, "");
	rig_expect(rig, "probe(name) connecting connect(1)");
	assert_true(rig->due == rig->now + LINK_ATTEMPT_MS);
	rig_advance(rig, LINK_ATTEMPT_MS - 1);
	rig_accept(rig, 0);
	rig_expect(rig, "up UP:1");
	rig_close(rig);
}

/* Paho would look it up itself, with the lock held that each caller in the process needs. */
static void never_leaves_the_name_to_paho(void **state)
{
	struct rig *rig = rig_open("broker.example", 0);

	(void)state;
	rig->probe_error = -EAGAIN;
	gf_link_start(rig->link);
	rig_step(rig);
	rig_expect(rig, "probe(name) waiting DOWN:0");
	rig_expect_reason(rig, "memory may be short");
	rig_close(rig);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(does_nothing_before_it_is_started),
	    TEST(is_up_only_after_every_subscription_was_granted),
	    TEST(takes_all_grants_of_one_step),
	    cmocka_unit_test(is_up_at_once_without_subscriptions),
	    TEST(says_what_the_broker_refused_for),
	    TEST(asks_the_probe_when_an_attempt_fails_without_a_reason),
	    TEST(falls_back_when_the_probe_finds_nothing),
	    TEST(does_not_wait_for_ever_for_the_probe),
	    TEST(can_do_without_the_probe),
	    TEST(gives_up_when_the_broker_does_not_answer),
	    TEST(gives_the_next_attempt_longer_when_the_broker_had_no_time_for_this_one),
	    TEST(is_patient_too_when_only_the_subscriptions_were_late),
	    TEST(is_as_quick_as_ever_once_the_broker_answers),
	    TEST(says_why_a_connection_was_cut_at_once),
	    TEST(looks_for_the_reason_of_a_connection_cut_at_once),
	    TEST(is_down_when_a_subscription_is_refused),
	    TEST(is_down_when_a_subscription_is_never_answered),
	    TEST(is_down_when_it_is_lost_while_subscribing),
	    TEST(keeps_the_reason_of_a_cut_that_came_between_two_subscriptions),
	    TEST(says_what_a_connection_was_lost_for),
	    TEST(survives_an_attempt_for_which_memory_is_short),
	    TEST(asks_for_the_will_before_each_attempt),
	    cmocka_unit_test(looks_a_name_up_before_paho_sees_it),
	    cmocka_unit_test(is_down_when_the_name_is_unknown),
	    cmocka_unit_test(is_down_when_the_name_server_is_silent),
	    cmocka_unit_test(gives_the_broker_its_time_after_a_slow_name_server),
	    cmocka_unit_test(never_leaves_the_name_to_paho),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
