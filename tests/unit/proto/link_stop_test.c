/* The link is stopped in each of its states, started again, and hears late what an old connection had to say. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/link_rig.h"

enum {
	ANSWERS_MS = 1000,
	CLOSE_MS = ANSWERS_MS + 250
}; /* for what is in flight, and a quarter for Paho to say that it is over */

static int setup(void **state)
{
	struct rig *rig = rig_open("broker.example", 1);

	*state = rig;
	rig->probe_done = true; /* names are known at once */
	gf_link_start(rig->link);
	rig_step(rig);
	rig_expect(rig, "probe(name) connecting");
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* To CONNECT. */
static void resolve(struct rig *rig)
{
	rig_probe_finds(rig, "");
	rig_expect(rig, "connect(1)");
}

static void come_up(struct rig *rig)
{
	resolve(rig);
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "subscribe up UP:1");
}

static void stop(struct rig *rig)
{
	gf_link_stop(rig->link);
	rig_step(rig);
}

/* Nothing is left to do. */
static void expect_rest(struct rig *rig)
{
	assert_true(rig->due == INT64_MAX);
	assert_false(rig->probing);
	assert_int_equal(rig->paho, RIG_NO_HANDLE);
	rig_advance(rig, 1000000);
	rig_expect(rig, "");
}

static void stops_while_it_waits(void **state)
{
	struct rig *rig = *state;

	resolve(rig);
	rig_refuse(rig, 0x88);
	rig_expect(rig, "waiting DOWN:0");
	stop(rig);
	rig_expect(rig, "drop idle"); /* the attempt has had its DOWN */
	expect_rest(rig);
}

static void stops_while_it_resolves(void **state)
{
	struct rig *rig = *state;

	stop(rig);
	rig_expect(rig, "idle DOWN:0");
	rig_expect_reason(rig, "closed as asked");
	expect_rest(rig);
}

static void stops_while_it_connects(void **state)
{
	struct rig *rig = *state;

	resolve(rig);
	stop(rig);
	rig_expect(rig, "drop idle DOWN:0");
	expect_rest(rig);
}

static void stops_while_it_subscribes(void **state)
{
	struct rig *rig = *state;

	resolve(rig);
	rig_accept(rig, 0);
	stop(rig);
	rig_expect(rig, "subscribe drop idle DOWN:1");
	expect_rest(rig);
}

static void stops_while_it_looks_for_a_reason(void **state)
{
	struct rig *rig = *state;

	resolve(rig);
	rig_refuse(rig, 0);
	rig_expect(rig, "probe(all)");
	stop(rig);
	rig_expect(rig, "drop idle DOWN:0");
	rig_expect_reason(rig, "closed as asked");
	expect_rest(rig);
}

static void closes_gracefully_when_up(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	assert_int_equal(rig_publish(rig, 1), 0);
	assert_int_equal(rig_publish(rig, 2), 0);
	stop(rig);
	rig_expect(rig, "closing");
	assert_true(rig->due == rig->now + ANSWERS_MS);
	assert_int_equal(rig_publish(rig, 3), -ENOTCONN);
	assert_int_equal(gf_link_window(rig->link), 0);
	rig_answer(rig, 0, 0);
	rig_message(rig, "last");
	rig_step(rig);
	rig_expect(rig, "PUB:1=0 MSG:last");
	rig_advance(rig, ANSWERS_MS - 1);
	rig_expect(rig, "");
	rig_advance(rig, 1);
	rig_expect(rig, "disconnect");
	assert_true(rig->due == rig->now + CLOSE_MS - ANSWERS_MS);
	rig_close_done(rig);
	rig_expect(rig, "drop idle PUB:2=-1 DOWN:1");
	rig_expect_reason(rig, "broker.example:8883: closed as asked");
	expect_rest(rig);
}

/* Not by a timer. */
static void closes_with_the_last_answer(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	assert_int_equal(rig_publish(rig, 1), 0);
	assert_int_equal(rig_publish(rig, 2), 0);
	stop(rig);
	rig_answer(rig, 1, 0);
	rig_expect(rig, "closing PUB:2=0");
	rig_answer(rig, 0, 0);
	rig_expect(rig, "disconnect PUB:1=0");
	rig_close_done(rig);
	rig_expect(rig, "drop idle DOWN:1");
	expect_rest(rig);
}

static void does_not_wait_for_ever_for_a_graceful_end(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	stop(rig);
	rig_advance(rig, CLOSE_MS - 1);
	rig_expect(rig, "disconnect closing");
	rig_advance(rig, 1);
	rig_expect(rig, "drop idle DOWN:1");
	expect_rest(rig);
}

/* The owner was held up: what it says last still gets out. */
static void leaves_time_for_a_graceful_end_that_begins_late(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	assert_int_equal(rig_publish(rig, 1), 0);
	stop(rig);
	rig_expect(rig, "closing");
	rig_advance(rig, 10 * CLOSE_MS);
	rig_expect(rig, "disconnect");
	rig_advance(rig, CLOSE_MS - ANSWERS_MS);
	rig_expect(rig, "drop idle PUB:1=-1 DOWN:1");
	expect_rest(rig);
}

static void is_closed_too_when_it_is_lost_meanwhile(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	stop(rig);
	rig_lose(rig, 0x8b);
	rig_expect(rig, "disconnect closing drop idle DOWN:1");
	expect_rest(rig);
}

static void closes_at_once_what_cannot_be_closed_gracefully(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	rig->disconnect_error = -ENOTCONN;
	assert_int_equal(rig_publish(rig, 1), 0);
	stop(rig);
	rig_expect(rig, "closing");
	rig_advance(rig, ANSWERS_MS);
	rig_expect(rig, "disconnect drop idle PUB:1=-1 DOWN:1");
	expect_rest(rig);
}

static void is_closed_once_when_stopped_twice(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	stop(rig);
	stop(rig);
	rig_close_done(rig);
	stop(rig);
	rig_expect(rig, "disconnect closing drop idle DOWN:1");
}

static void stays_up_when_the_wish_to_stop_is_taken_back(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	gf_link_stop(rig->link);
	gf_link_start(rig->link);
	rig_step(rig);
	rig_expect(rig, "");
	assert_int_equal(rig_publish(rig, 1), 0);
}

static void starts_again_at_once_and_without_old_failures(void **state)
{
	struct rig *rig = *state;

	rig->random = 30000;
	for (unsigned i = 0; i < 10; i++) {
		rig_probe_finds(rig, "");
		rig_refuse(rig, 0x88);
		if (rig->state == GF_LINK_WAITING)
			rig_advance(rig, rig->due - rig->now);
	}
	stop(rig);
	rig->log[0] = 0;
	gf_link_start(rig->link);
	rig_step(rig);
	rig_expect(rig, "probe(name) connecting");
	resolve(rig);
	rig->random = 251 + 7;
	rig_refuse(rig, 0x88);
	assert_true(rig->due == rig->now + 7);
}

static void starts_again_after_a_close_that_was_under_way(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	stop(rig);
	gf_link_start(rig->link);
	rig_step(rig);
	rig_expect(rig, "disconnect closing"); /* it ends what it began */
	rig_close_done(rig);
	rig_expect(rig, "drop probe(name) connecting DOWN:1");
	rig_probe_finds(rig, "");
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "connect(2) subscribe up UP:2");
}

static void is_freed_while_it_closes(void **state)
{
	struct rig *rig = *state; /* which checks when it is closed that nothing is left */

	come_up(rig);
	assert_int_equal(rig_publish(rig, 1), 0);
	stop(rig);
	assert_int_equal(rig->state, GF_LINK_CLOSING);
	gf_link_free(NULL);
}

/* --- what comes late --- */

/* Paho tells twice of a connection that the broker cuts; the second time may fall into the next attempt. */
static void hears_of_a_loss_once(void **state)
{
	struct rig *rig = *state;

	come_up(rig);
	link_on_lost(rig->link, 0x8b);
	rig_lose(rig, 0);
	rig_expect(rig, "waiting DOWN:1");
	rig_expect_reason(rig, "shutting down"); /* the second telling knows no reason and takes none away */
	link_on_lost(rig->link, 0);
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "probe(name) connecting");
	link_on_lost(rig->link, 0);
	rig_probe_finds(rig, "");
	link_on_lost(rig->link, 0);
	rig_step(rig);
	rig_expect(rig, "connect(2)");
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "subscribe up UP:2");
	rig_lose(rig, 0);
	rig_expect(rig, "waiting DOWN:2");
}

static void forgets_what_was_signalled_before_an_attempt(void **state)
{
	struct rig *rig = rig_open("192.0.2.1", 1); /* an address: there is no lookup in which signals get lost */

	(void)state;
	rig_come_up(rig, 1);
	rig_lose(rig, 0);
	link_on_failed(rig->link, 0x87);
	link_on_closed(rig->link);
	link_on_granted(rig->link);
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	rig_expect(rig, "waiting DOWN:1 connect(2) connecting subscribe");
	rig_grant(rig);
	rig_expect(rig, "up UP:2");
	rig_close(rig);
}

static void late_answers_change_nothing(void **state)
{
	struct rig *rig = *state;
	struct link_slot *old[2];

	come_up(rig);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rig_publish(rig, i), 0);
		old[i] = rig->sent[i];
	}
	rig_lose(rig, 0);
	rig_expect(rig, "waiting PUB:0=-1 PUB:1=-1 DOWN:1");
	link_on_answer(old[0], 0);
	rig_advance(rig, rig->due - rig->now);
	rig_probe_finds(rig, "");
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "probe(name) connecting connect(2) subscribe up UP:2");
	assert_int_equal(rig_publish(rig, 7), 0);
	link_on_answer(old[0], 0);
	link_on_answer(old[1], -1);
	rig_step(rig);
	rig_expect(rig, "");
	assert_int_equal(gf_link_window(rig->link), 4);
	rig_answer(rig, 0, 16);
	rig_expect(rig, "PUB:7=16");
	assert_int_equal(gf_link_stats(rig->link).published, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(stops_while_it_waits),
	    TEST(stops_while_it_resolves),
	    TEST(stops_while_it_connects),
	    TEST(stops_while_it_subscribes),
	    TEST(stops_while_it_looks_for_a_reason),
	    TEST(closes_gracefully_when_up),
	    TEST(closes_with_the_last_answer),
	    TEST(does_not_wait_for_ever_for_a_graceful_end),
	    TEST(leaves_time_for_a_graceful_end_that_begins_late),
	    TEST(is_closed_too_when_it_is_lost_meanwhile),
	    TEST(closes_at_once_what_cannot_be_closed_gracefully),
	    TEST(is_closed_once_when_stopped_twice),
	    TEST(stays_up_when_the_wish_to_stop_is_taken_back),
	    TEST(starts_again_at_once_and_without_old_failures),
	    TEST(starts_again_after_a_close_that_was_under_way),
	    TEST(is_freed_while_it_closes),
	    TEST(hears_of_a_loss_once),
	    cmocka_unit_test(forgets_what_was_signalled_before_an_attempt),
	    TEST(late_answers_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
