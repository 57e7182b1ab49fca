/* When the next attempt comes: exponential backoff with full jitter, by differences of the owner's clock alone. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/link_rig.h"

enum { STABLE_MS = 10000 };

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

/* Lets the attempt that is due fail with the jitter at `random`; returns how long the next one waits. */
static int64_t wait_after_failure(struct rig *rig, uint64_t random)
{
	rig->random = random;
	if (rig->state != GF_LINK_CONNECTING)
		rig_advance(rig, rig->state == GF_LINK_WAITING ? rig->due - rig->now : 0);
	rig_refuse(rig, 0x88);
	return rig->state == GF_LINK_WAITING ? rig->due - rig->now : 0;
}

static const int64_t ceilings[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
enum { CEILINGS = sizeof ceilings / sizeof ceilings[0] };

static void waits_longer_with_each_failure_up_to_the_ceiling(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < CEILINGS; i++)
		assert_true(wait_after_failure(rig, (uint64_t)ceilings[i]) == ceilings[i]);
}

static void spreads_the_attempts_over_the_whole_wait(void **state)
{
	struct rig *rig = *state;

	/* A jitter of the ceiling + 1 wraps to 0; the next attempt is then due at once. */
	for (unsigned i = 0; i < CEILINGS; i++)
		assert_true(wait_after_failure(rig, (uint64_t)ceilings[i] + 1) == 0);
	assert_true(wait_after_failure(rig, 12345) == 12345);
}

static void waits_as_long_as_it_said(void **state)
{
	struct rig *rig = *state;

	wait_after_failure(rig, 250);
	rig_expect(rig, "connect(1) connecting waiting DOWN:0");
	rig_advance(rig, 249);
	rig_expect(rig, "");
	assert_true(rig->due == rig->now + 1);
	rig_advance(rig, 1);
	rig_expect(rig, "connect(1) connecting");
}

/* Fails three times, then is up for `ms`; returns the longest wait after its loss. */
static int64_t wait_after_connection_of(struct rig *rig, int64_t ms)
{
	for (unsigned i = 0; i < 3; i++)
		wait_after_failure(rig, 1);
	rig_come_up(rig, 1);
	rig->now += ms;
	rig->random = 2000;
	rig_lose(rig, 0);
	return rig->due - rig->now;
}

static void goes_on_waiting_longer_after_a_short_connection(void **state)
{
	assert_true(wait_after_connection_of(*state, STABLE_MS - 1) == 2000);
	assert_true(wait_after_failure(*state, 4000) == 4000);
}

static void starts_over_after_a_connection_that_lasted(void **state)
{
	assert_true(wait_after_connection_of(*state, STABLE_MS) == 2000 % 251);
	assert_true(wait_after_failure(*state, 500) == 500);
}

static void cares_only_for_differences_of_time(void **state)
{
	static const int64_t bases[] = {0, 1, INT64_C(1) << 40, INT64_C(1) << 60};

	(void)state;
	for (unsigned i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		struct rig *rig = rig_open("192.0.2.1", 1);
		rig->now = bases[i];
		gf_link_start(rig->link);
		rig_step(rig);
		assert_true(wait_after_connection_of(rig, STABLE_MS) == 2000 % 251);
		rig_close(rig);
	}
}

static void i8_makes_no_attempt_while_the_owner_leaves_events_unread(void **state)
{
	struct rig *rig = *state;

	rig->sleeps = true;
	for (unsigned i = 0; i < 1000; i++) {
		rig_advance(rig, rig->due > rig->now && rig->due < INT64_MAX ? rig->due - rig->now : 1);
		if (rig->state == GF_LINK_CONNECTING)
			rig_refuse(rig, 0x88);
		rig->log[0] = 0;
	}
	assert_int_equal(gf_link_stats(rig->link).attempts, LINK_BOX_LIFECYCLE_MAX - 1);
	assert_true(rig->due == rig->now + GF_LINK_BACKOFF_MIN_MS); /* it doesn't spin */
	rig->sleeps = false;
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "DOWN:0 DOWN:0 DOWN:0 DOWN:0 DOWN:0 DOWN:0 DOWN:0");
	rig_advance(rig, rig->due - rig->now);
	rig_expect(rig, "connect(1) connecting");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(waits_longer_with_each_failure_up_to_the_ceiling),
	    TEST(spreads_the_attempts_over_the_whole_wait),
	    TEST(waits_as_long_as_it_said),
	    TEST(goes_on_waiting_longer_after_a_short_connection),
	    TEST(starts_over_after_a_connection_that_lasted),
	    cmocka_unit_test(cares_only_for_differences_of_time),
	    TEST(i8_makes_no_attempt_while_the_owner_leaves_events_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
