/* Events to a broker of plain memory: order, the window, refusals, lost connections, floods, and a store whose log was pruned. */
#include "gateway/tell/tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/topic.h"
#include "tests/unit/gateway/store/fixture.h"

enum { SENT_MAX = 4096 };

struct sent {
	uint64_t cookie;
	bool answered;
	char topic[GF_TOPIC_MAX];
	char body[512];
};

struct rig {
	struct fixture *f;
	struct tell *tell;
	struct gf_time now;
	unsigned window;
	struct sent sent[SENT_MAX];
	size_t sent_count;
};

static int publish(void *ctx, const char *topic, const void *payload, size_t len, uint64_t cookie)
{
	struct rig *r = ctx;
	struct sent *s = &r->sent[r->sent_count];

	if (r->window == 0)
		return -EAGAIN;
	assert_true((cookie & TELL_COOKIE) != 0);
	assert_true(r->sent_count < SENT_MAX && len < sizeof(s->body));
	*s = (struct sent){.cookie = cookie};
	(void)gf_strcpy(s->topic, sizeof(s->topic), topic);
	memcpy(s->body, payload, len);
	r->sent_count++;
	r->window--;
	return 0;
}

static unsigned window(void *ctx)
{
	return ((struct rig *)ctx)->window;
}

static void begin(struct rig *r)
{
	struct gf_diag diag = {{0}};
	const struct tell_config config = {.store = r->f->store,
	                                   .database = r->f->path,
	                                   .clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM),
	                                   .publish = publish,
	                                   .window = window,
	                                   .ctx = r};

	if (tell_new(&config, &r->tell, &diag) != 0)
		fail_msg("%s", diag.text);
	r->now = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
	tell_up(r->tell, true);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	r->window = 20;
	begin(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	void *f = r->f;

	tell_free(r->tell);
	assert_int_equal(fixture_teardown(&f), 0);
	free(r);
	return 0;
}

static void happens(struct rig *r, unsigned events)
{
	for (unsigned i = 0; i < events; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
}

static void pass(struct rig *r, int64_t ms)
{
	r->now.mono_ms += ms;
	r->now.wall_ms += ms;
	(void)tell_step(r->tell, r->now);
}

/* The broker answers the oldest that it hasn't answered; false when there is none. */
static bool answer(struct rig *r, int code)
{
	for (size_t i = 0; i < r->sent_count; i++) {
		if (r->sent[i].answered)
			continue;
		r->sent[i].answered = true;
		r->window++;
		tell_published(r->tell, r->sent[i].cookie, code);
		return true;
	}
	return false;
}

static void settle(struct rig *r)
{
	do
		pass(r, 0);
	while (answer(r, 0));
}

static uint64_t id_of(const struct sent *s)
{
	unsigned long long id = 0;

	assert_int_equal(sscanf(s->body, "{\"id\":%llu", &id), 1);
	return id;
}

static struct tell_state state_of(struct rig *r)
{
	struct tell_state state;

	assert_int_equal(tell_states(r->tell, &state, 1), 1);
	return state;
}

static void events_go_in_order_and_count_when_the_broker_has_them(void **state)
{
	struct rig *r = *state;

	happens(r, 100);
	pass(r, 0);
	assert_int_equal(state_of(r).told.cursor, 0);
	settle(r);
	assert_int_equal(r->sent_count, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(id_of(&r->sent[i]), i + 1);
	assert_string_equal(r->sent[0].topic, "gymfleet/v1/events/webhook/gateway");
	assert_int_equal(state_of(r).told.cursor, 100);
	assert_int_equal(state_of(r).told.told, 100);
}

/* What machines wait for has the larger part of the window. */
static void room_is_left_in_the_window(void **state)
{
	struct rig *r = *state;

	happens(r, 100);
	pass(r, 0);
	assert_int_equal(r->sent_count, TELL_WINDOW);
	r->window = TELL_WINDOW_KEPT;
	tell_up(r->tell, true);
	pass(r, 0);
	assert_int_equal(r->sent_count, TELL_WINDOW);
	r->window = TELL_WINDOW_KEPT + 3;
	pass(r, 0);
	assert_int_equal(r->sent_count, TELL_WINDOW + 3);
}

static void answers_out_of_order_move_the_cursor_no_further_than_all_before(void **state)
{
	struct rig *r = *state;

	happens(r, 3);
	pass(r, 0);
	tell_published(r->tell, r->sent[1].cookie, 0);
	tell_published(r->tell, r->sent[2].cookie, 16);
	assert_int_equal(state_of(r).told.cursor, 0);
	tell_published(r->tell, r->sent[0].cookie, 0);
	assert_int_equal(state_of(r).told.cursor, 3);
	/* Neither a cookie of the downlink's nor one that was answered changes anything. */
	tell_published(r->tell, 1, 0x87);
	tell_published(r->tell, r->sent[0].cookie, 0x87);
	assert_true(state_of(r).failing_since_ms == 0);
}

static void what_was_in_flight_when_the_connection_broke_comes_again(void **state)
{
	struct rig *r = *state;

	happens(r, 5);
	pass(r, 0);
	assert_true(answer(r, 0));
	assert_true(answer(r, -1));
	tell_up(r->tell, false);
	pass(r, 5000);
	assert_int_equal(r->sent_count, 5);
	for (size_t i = 0; i < 5; i++)
		r->sent[i].answered = true;
	r->window = 20;
	tell_up(r->tell, true);
	settle(r);
	assert_int_equal(r->sent_count, 9);
	assert_int_equal(id_of(&r->sent[5]), 2);
	assert_int_equal(state_of(r).told.cursor, 5);
}

static void a_broker_that_forbids_is_asked_again_with_growing_pauses(void **state)
{
	struct rig *r = *state;

	happens(r, 2);
	for (int i = 0; i < 6; i++) {
		size_t before = r->sent_count;
		pass(r, 5 * MINUTE);
		assert_true(r->sent_count > before);
		assert_int_equal(id_of(&r->sent[before]), 1);
		while (answer(r, 0x87))
			;
	}
	assert_non_null(strstr(state_of(r).error, "deploy/broker-conf"));
	assert_true(state_of(r).failing_since_ms > 0);
	assert_int_equal(state_of(r).told.cursor, 0);
	pass(r, 5 * MINUTE);
	settle(r);
	assert_true(state_of(r).failing_since_ms == 0);
	assert_int_equal(state_of(r).told.cursor, 2);
}

static void what_the_broker_will_never_take_is_passed_over(void **state)
{
	struct rig *r = *state;

	happens(r, 3);
	for (int i = 0; i < 10 && state_of(r).told.passed_over == 0; i++) {
		pass(r, 5 * MINUTE);
		if (answer(r, 0x95))
			while (answer(r, -1))
				;
	}
	assert_int_equal(state_of(r).told.passed_over, 1);
	assert_int_equal(state_of(r).told.cursor, 1);
	pass(r, 5 * MINUTE);
	settle(r);
	assert_int_equal(state_of(r).told.cursor, 3);
	assert_int_equal(state_of(r).told.told, 2);
}

static void a_flood_is_summed_up_and_nothing_is_left_out(void **state)
{
	struct rig *r = *state;
	uint64_t newest = 0;

	happens(r, 1500);
	for (int i = 0; i < 20; i++)
		settle(r);
	pass(r, 100);
	settle(r);
	assert_true(r->sent_count <= 1000 + 11);
	for (size_t i = 0; i < r->sent_count; i++) {
		assert_true(id_of(&r->sent[i]) > newest);
		newest = id_of(&r->sent[i]);
	}
	assert_int_equal(newest, 1500);
	assert_non_null(
	    strstr(r->sent[999].body, "\"kind\":\"summary\",\"from\":1000,\"to\":1500,\"counts\":{\"webhook\":501}"));
	assert_string_equal(r->sent[999].topic, "gymfleet/v1/events/summary/gateway");
	assert_int_equal(state_of(r).told.told + state_of(r).told.summed, 1500);
}

static void after_a_restart_it_goes_on_at_the_cursor(void **state)
{
	struct rig *r = *state;

	happens(r, 10);
	settle(r);
	tell_free(r->tell);
	happens(r, 2);
	begin(r);
	settle(r);
	assert_int_equal(r->sent_count, 12);
	assert_int_equal(id_of(&r->sent[10]), 11);
}

/* Years back, years forth: what is told, and how much at once, goes by the clock that doesn't jump. */
static void a_wall_clock_that_jumps_neither_stops_telling_nor_floods(void **state)
{
	static const int64_t jumps_ms[] = {-3 * 365 * DAY, 2 * 365 * DAY, -HOUR, 40 * DAY};
	struct rig *r = *state;

	happens(r, 3000); /* as many as empty the bucket, thrice */
	settle(r);
	size_t sent = r->sent_count;
	assert_true(sent <= 1000);
	for (size_t i = 0; i < sizeof(jumps_ms) / sizeof(jumps_ms[0]); i++) {
		r->now.wall_ms += jumps_ms[i];
		happens(r, 1000);
		settle(r);
		/* No time has passed: a jump forth fills no bucket. */
		assert_int_equal(r->sent_count, sent);
		pass(r, 10);
		settle(r);
		assert_int_equal(r->sent_count, ++sent);
		assert_non_null(strstr(r->sent[sent - 1].body, "\"kind\":\"summary\""));
		assert_int_equal(state_of(r).told.cursor, 3000 + 1000 * (i + 1));
	}
	/* Nor does one delay the next try after a failure. */
	pass(r, MINUTE);
	happens(r, 1);
	pass(r, 0);
	while (answer(r, 0x87))
		;
	r->now.wall_ms -= 365 * DAY;
	pass(r, 5 * MINUTE);
	settle(r);
	assert_int_equal(state_of(r).told.cursor, store_last_event(r->f->store));
	assert_int_equal(state_of(r).told.told + state_of(r).told.summed, store_last_event(r->f->store));
}

/* Three days of events, and nobody to tell them to: then all is told in order, at the broker's rate, the rest as sums. */
static void i8_a_broker_that_is_gone_for_days_is_told_all_in_order_and_no_faster(void **state)
{
	struct rig *r = *state;
	uint64_t newest = 0;

	happens(r, 1);
	settle(r);
	tell_up(r->tell, false);
	for (int hour = 0; hour < 72; hour++) {
		happens(r, 50);
		pass(r, HOUR);
	}
	assert_int_equal(r->sent_count, 1);
	assert_int_equal(state_of(r).told.cursor, 1);
	r->now.wall_ms -= 100 * DAY; /* somebody set the clock meanwhile */
	tell_up(r->tell, true);
	settle(r);
	assert_true(r->sent_count <= 1 + 1000);
	pass(r, 1000);
	settle(r);
	assert_true(r->sent_count <= 1 + 1000 + 100);
	for (size_t i = 0; i < r->sent_count; i++) {
		assert_true(id_of(&r->sent[i]) > newest);
		newest = id_of(&r->sent[i]);
	}
	assert_int_equal(newest, 1 + 72 * 50);
	assert_int_equal(state_of(r).told.cursor, newest);
	assert_int_equal(state_of(r).told.told + state_of(r).told.summed, newest);
	assert_int_equal(state_of(r).told.missed + state_of(r).told.passed_over, 0);
}

static void a_broker_that_waits_is_tried_at_once_when_somebody_says_so(void **state)
{
	struct rig *r = *state;

	happens(r, 1);
	/* By chance a pause may be over at once: then it is in flight already. */
	for (int i = 0; i < 8; i++) {
		pass(r, 0);
		while (answer(r, 0x87))
			;
		assert_true(tell_retry(r->tell, TELL_MQTT));
	}
	assert_true(r->sent_count >= 8);
	settle(r);
	assert_int_equal(state_of(r).told.cursor, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(events_go_in_order_and_count_when_the_broker_has_them),
	    TEST(room_is_left_in_the_window),
	    TEST(answers_out_of_order_move_the_cursor_no_further_than_all_before),
	    TEST(what_was_in_flight_when_the_connection_broke_comes_again),
	    TEST(a_broker_that_forbids_is_asked_again_with_growing_pauses),
	    TEST(what_the_broker_will_never_take_is_passed_over),
	    TEST(a_flood_is_summed_up_and_nothing_is_left_out),
	    TEST(after_a_restart_it_goes_on_at_the_cursor),
	    TEST(a_wall_clock_that_jumps_neither_stops_telling_nor_floods),
	    TEST(i8_a_broker_that_is_gone_for_days_is_told_all_in_order_and_no_faster),
	    TEST(a_broker_that_waits_is_tried_at_once_when_somebody_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
