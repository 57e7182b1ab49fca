/* Webhooks that are added, taken away, changed and tried at once while the gateway runs; and clocks that jump. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/flood.h"
#include "tests/unit/gateway/tell/hook_rig.h"

static void tells_now(struct rig *r, size_t count)
{
	assert_int_equal(tell_change(r->tell, r->webhooks, count), 0);
	(void)tell_step(r->tell, now());
}

static size_t receivers(struct rig *r)
{
	struct tell_state states[3];

	return tell_states(r->tell, states, 3);
}

static void an_added_one_begins_with_what_happens_next_and_the_others_go_on(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	receiver_start(&r->receivers[1]);
	begin(r, 1);
	happens(r, 3);
	receiver_wait(&r->receivers[0], 3);
	r->webhooks[1].url = r->receivers[1].url;
	tells_now(r, 2);
	happens(r, 2);
	receiver_wait(&r->receivers[1], 5);
	receiver_wait(&r->receivers[0], 5);
	has_all(r, 0, 5);
	assert_int_equal(r->receivers[1].taken[0].id, 4);
	assert_int_equal(receivers(r), 3);
}

/* Its cursor ends with it: nothing waits for one that never comes back. */
static void i9_a_removed_one_is_told_no_more_and_begins_anew_when_it_is_back(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	receiver_start(&r->receivers[1]);
	begin(r, 2);
	happens(r, 2);
	receiver_wait(&r->receivers[1], 2);
	tells_now(r, 1);
	assert_int_equal(receivers(r), 2);
	happens(r, 3);
	receiver_wait(&r->receivers[0], 5);
	assert_int_equal(r->receivers[1].newest, 2);
	tells_now(r, 2);
	happens(r, 1);
	receiver_wait(&r->receivers[1], 6);
	assert_int_equal(r->receivers[1].taken[2].id, 6);
	receiver_wait(&r->receivers[0], 6);
	has_all(r, 0, 6);
}

/* A new address, a new secret: what is under way goes there, nothing is left out. */
static void a_changed_one_gets_all_that_it_has_not(void **state)
{
	struct rig *r = *state;

	r->receivers[0].fails = UINT32_MAX;
	r->receivers[0].fail_status = 503;
	receiver_start(&r->receivers[0]);
	r->receivers[1].secret = "a secret of another kind";
	receiver_start(&r->receivers[1]);
	begin(r, 1);
	happens(r, 4);
	until_failing(r, 1);
	r->webhooks[0].url = r->receivers[1].url;
	r->webhooks[0].secret_len = strlen(r->receivers[1].secret);
	memcpy(r->webhooks[0].secret, r->receivers[1].secret, r->webhooks[0].secret_len);
	tells_now(r, 1);
	receiver_wait(&r->receivers[1], 4);
	has_all(r, 1, 4);
	until_told(r, 1, 4);
	assert_int_equal(state_of(r, 1).told.cursor, 4);
}

static void a_store_that_refuses_changes_nothing_until_it_takes_it(void **state)
{
	struct rig *r = *state;
	struct gf_time later = now();

	receiver_start(&r->receivers[0]);
	receiver_start(&r->receivers[1]);
	begin(r, 1);
	sql(r, "CREATE TRIGGER full BEFORE INSERT ON told BEGIN SELECT RAISE(ABORT, 'full'); END");
	r->webhooks[1].url = r->receivers[1].url;
	tells_now(r, 2);
	assert_int_equal(receivers(r), 2);
	happens(r, 1);
	receiver_wait(&r->receivers[0], 1);
	sql(r, "DROP TRIGGER full");
	later.mono_ms += MINUTE;
	(void)tell_step(r->tell, later);
	assert_int_equal(receivers(r), 3);
	happens(r, 1);
	receiver_wait(&r->receivers[1], 2);
}

/* ---- a clock of the test's own ---- */

struct hand {
	_Atomic int64_t mono_ms, wall_ms;
};

static struct gf_time read_hand(void *ctx)
{
	struct hand *h = ctx;

	return (struct gf_time){.mono_ms = h->mono_ms, .wall_ms = h->wall_ms, .synced = true};
}

/* Not on a test's stack: the thread reads it until the teardown, also when the test has failed. */
static struct hand hand;
static const struct gf_clock hand_clock = {.now = read_hand, .ctx = &hand};

static void own_clock(struct rig *r)
{
	hand.mono_ms = HOUR;
	hand.wall_ms = NOON;
	r->clock = &hand_clock;
}

static bool has_failed(const struct tell_state *state, uint64_t number)
{
	return state->failures >= number;
}

/* Time stands still: without the word it would never be tried again. */
static void one_that_waits_is_tried_at_once_when_somebody_says_so(void **state)
{
	struct rig *r = *state;

	own_clock(r);
	r->receivers[0].fails = 3;
	r->receivers[0].fail_status = 500;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 1);
	for (uint64_t failures = 1; failures <= 3; failures++) {
		until(r, 1, has_failed, failures);
		assert_true(tell_retry(r->tell, "first"));
		(void)tell_step(r->tell, read_hand(&hand));
	}
	until_told(r, 1, 1);
	assert_int_equal(r->receivers[0].asked, 4);
	assert_false(tell_retry(r->tell, "nobody"));
	assert_true(tell_retry(r->tell, TELL_MQTT));
	tell_free(r->tell);
	r->tell = NULL;
}

/* A name that never is one, by RFC 6761. */
static void one_whose_host_has_no_address_says_so_and_is_tried_until_it_has_one(void **state)
{
	struct rig *r = *state;
	char url[] = "https://receiver.invalid/hook";

	own_clock(r);
	assert_int_equal(setenv("RES_OPTIONS", "timeout:1 attempts:1", 1),
	                 0); /* where nobody answers, that is soon known */
	receiver_start(&r->receivers[0]);
	r->webhooks[0].url = url;
	begin(r, 1);
	happens(r, 1);
	for (uint64_t failures = 1; failures <= 2; failures++) {
		until(r, 1, has_failed, failures); /* nothing wakes it: it looks each second */
		const struct tell_state is = state_of(r, 1);
		assert_non_null(strstr(is.error, "its host name cannot be resolved"));
		assert_int_equal(is.failing_since_ms, NOON);
		assert_in_range(is.next_ms, NOON, hand.wall_ms + FLOOD_BACKOFF_MAX_MS);
		assert_int_equal(is.told.told + is.told.passed_over, 0);
		hand.wall_ms += FLOOD_BACKOFF_MAX_MS; /* the one that makes it due comes last */
		hand.mono_ms += FLOOD_BACKOFF_MAX_MS;
	}
	r->webhooks[0].url = r->receivers[0].url;
	tells_now(r, 1);
	until_told(r, 1, 1);
	assert_int_equal(r->receivers[0].taken[0].id, 1);
	assert_int_equal(state_of(r, 1).failing_since_ms, 0);
}

/* ---- the file is read again, and says the same ---- */

/* Two go in a row, one each half minute: the third waits for it with all that comes, however often the file is read. */
static void one_that_stays_is_told_no_more_than_its_rate(void **state)
{
	struct rig *r = *state;

	own_clock(r);
	r->webhooks[0].rate_per_min = 2;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	for (uint64_t told = 1; told <= 2; told++) {
		happens(r, 1);
		until_told(r, 1, told);
	}
	for (int i = 0; i < 3; i++) {
		happens(r, 1);
		tells_now(r, 1);
	}
	hand.mono_ms += MINUTE / 2;
	assert_true(tell_retry(r->tell, "first")); /* which wakes it */
	(void)tell_step(r->tell, read_hand(&hand));
	until(r, 1, is_done_with, 5);
	assert_int_equal(r->receivers[0].asked, 3);
	assert_int_equal(r->receivers[0].taken[2].count, 3);
}

/* The file is read again between any two tries; each finds the pause of at most five minutes over. */
static void fails_at_each_reading(struct rig *r, uint64_t failures, int64_t pause_ms)
{
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 1);
	for (uint64_t number = 1; number < failures; number++) {
		until(r, 1, has_failed, number);
		assert_int_equal(state_of(r, 1).told.passed_over, 0);
		hand.mono_ms += pause_ms;
		tells_now(r, 1);
	}
	until(r, 1, is_done_with, 1);
	assert_int_equal(state_of(r, 1).told.passed_over, 1);
	assert_int_equal(state_of(r, 1).failures, failures);
}

static void i9_one_that_stays_and_fails_is_given_its_time_once(void **state)
{
	struct rig *r = *state;

	own_clock(r);
	r->receivers[0].fails = UINT32_MAX;
	r->receivers[0].fail_status = 503;
	fails_at_each_reading(r, 7, r->webhooks[0].give_up_ms / 6);
}

static void i9_one_that_stays_and_refuses_is_asked_three_times(void **state)
{
	struct rig *r = *state;

	own_clock(r);
	r->receivers[0].refuses = 1;
	fails_at_each_reading(r, FLOOD_REFUSALS_MAX, FLOOD_BACKOFF_MAX_MS);
}

/* It waits in the second place, then in the first; time stands still: the word is all that lets it be tried. */
static void the_word_to_try_one_at_once_is_not_lost(void **state)
{
	struct rig *r = *state;

	own_clock(r);
	receiver_start(&r->receivers[0]);
	r->receivers[1].fails = 1;
	r->receivers[1].fail_status = 503;
	receiver_start(&r->receivers[1]);
	begin(r, 2);
	happens(r, 1);
	until(r, 2, has_failed, 1);
	until_told(r, 1, 1);
	assert_true(tell_retry(r->tell, "second"));
	r->webhooks[0] = r->webhooks[1];
	tells_now(r, 1);
	until_told(r, 1, 1);
	assert_int_equal(r->receivers[1].asked, 2);
}

/* ---- clocks that jump ---- */

/* Back by years, forth by years: it is tried again when the pause of at most five minutes is over, and no more often. */
static void a_wall_clock_that_jumps_neither_stops_the_tries_nor_hurries_them(void **state)
{
	static const int64_t jumps_ms[] = {-3 * 365 * DAY, 2 * 365 * DAY, -HOUR, 40 * DAY};
	struct rig *r = *state;
	const size_t rounds = sizeof(jumps_ms) / sizeof(jumps_ms[0]);

	own_clock(r);
	r->webhooks[0].give_up_ms = 30 * DAY;
	r->receivers[0].fails = 1 + (unsigned)rounds;
	r->receivers[0].fail_status = 500;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 1);
	until(r, 1, has_failed, 1);
	for (size_t i = 0; i < rounds; i++) {
		hand.wall_ms += jumps_ms[i];
		happens(r, 1); /* which wakes it */
		hand.mono_ms += FLOOD_BACKOFF_MAX_MS;
		hand.wall_ms += FLOOD_BACKOFF_MAX_MS;
		happens(r, 1);
		until(r, 1, has_failed, i + 2);
	}
	hand.mono_ms += FLOOD_BACKOFF_MAX_MS;
	happens(r, 1);
	until_told(r, 1, 2 + 2 * rounds);
	assert_int_equal(r->receivers[0].asked, 1 + rounds + 2 + 2 * rounds);
	assert_int_equal(state_of(r, 1).failures, 1 + rounds);
	assert_int_equal(state_of(r, 1).told.passed_over, 0);
	tell_free(r->tell);
	r->tell = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hook_setup, hook_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_added_one_begins_with_what_happens_next_and_the_others_go_on),
	    TEST(i9_a_removed_one_is_told_no_more_and_begins_anew_when_it_is_back),
	    TEST(a_changed_one_gets_all_that_it_has_not),
	    TEST(a_store_that_refuses_changes_nothing_until_it_takes_it),
	    TEST(one_that_waits_is_tried_at_once_when_somebody_says_so),
	    TEST(one_whose_host_has_no_address_says_so_and_is_tried_until_it_has_one),
	    TEST(one_that_stays_is_told_no_more_than_its_rate),
	    TEST(i9_one_that_stays_and_fails_is_given_its_time_once),
	    TEST(i9_one_that_stays_and_refuses_is_asked_three_times),
	    TEST(the_word_to_try_one_at_once_is_not_lost),
	    TEST(a_wall_clock_that_jumps_neither_stops_the_tries_nor_hurries_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
