/* Whatever is refused, lost, wiped or killed on the way: in the end the broker has what is wanted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "proto/base/log.h"
#include "proto/base/rand.h"
#include "tests/unit/gateway/downlink_rig.h"

/* ---- losses ---- */

static void a_broker_that_lost_its_disk_is_whole_after_the_next_connect(void **state)
{
	struct down *r = *state;

	down_catalog(r, 7, 2 * GF_CATALOG_PART_MAX);
	down_machines(r, 50, 7);
	down_settle(r);
	downlink_down(r->downlink);
	down_wipe(&r->fake);
	assert_true(downlink_step(r->downlink, r->now) == INT64_MAX);
	downlink_up(r->downlink);
	down_settle(r);
	assert_int_equal(r->fake.kept_count, 52);
	assert_int_equal(rig_desired(r->f, "chair-49").published, 1);
}

static void a_gateway_killed_between_commit_and_publish_publishes_after_its_start(void **state)
{
	struct down *r = *state;

	down_machines(r, 3, 7);
	downlink_free(r->downlink);
	fixture_reopen(r->f);
	down_start(r);
	down_settle(r);
	assert_int_equal(r->fake.kept_count, 3);
}

static void what_was_in_flight_at_a_loss_goes_out_again(void **state)
{
	struct down *r = *state;
	uint64_t cookie;

	down_machines(r, 3, 7);
	downlink_step(r->downlink, r->now);
	assert_int_equal(r->fake.flight_count, 3);
	cookie = r->fake.flight[0];
	down_wipe(&r->fake);
	downlink_down(r->downlink);
	downlink_published(r->downlink, cookie, -1); /* the link's own answer comes late */
	assert_int_equal(rig_desired(r->f, "chair-0").published, 0);
	r->fake.flight_count = 0;
	downlink_up(r->downlink);
	down_settle(r);
	assert_int_equal(r->fake.kept_count, 3);
	/* An answer to the connection before proves nothing. */
	assert_int_equal(down_state(r).desired, 3);
	downlink_published(r->downlink, cookie, 0);
	assert_int_equal(down_state(r).desired, 3);
}

static void a_refused_one_is_tried_again_and_holds_nobody_up(void **state)
{
	struct down *r = *state;
	size_t after_first;

	r->fake.refuse = "chair-1/";
	down_machines(r, 3, 7);
	down_settle(r);
	assert_int_equal(down_at_broker(r, "chair-2"), 1);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 0);
	assert_true(down_state(r).failures > 0);
	assert_non_null(strstr(down_state(r).last_error.text, "0x97"));
	assert_int_equal(down_state(r).failing_since_ms, NOON);
	after_first = r->fake.published;
	down_settle(r);
	assert_int_equal(r->fake.published, after_first); /* not before its time */
	for (int i = 0; i < 600; i++) {
		down_pass(r, 1000);
		down_settle(r);
	}
	assert_in_range(r->fake.published - after_first, 10, 16); /* the pause doubles, up to a minute */
	/* What is new doesn't wait for that. */
	rig_desire(r->f, "chair-0", 9, 9);
	down_settle(r);
	assert_int_equal(down_at_broker(r, "chair-0"), 2);
	r->fake.refuse = NULL;
	down_pass(r, DOWNLINK_RETRY_MAX_MS);
	down_settle(r);
	assert_int_equal(down_at_broker(r, "chair-1"), 1);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 1);
	assert_false(down_state(r).busy);
	assert_int_equal(down_state(r).failing_since_ms, 0);
}

static void a_refused_catalog_holds_no_state_up(void **state)
{
	struct down *r = *state;

	r->fake.refuse = "catalogs/";
	down_catalog(r, 7, 10);
	down_machines(r, 1, 7);
	down_settle(r);
	assert_int_equal(down_at_broker(r, "chair-0"), 1);
	assert_null(down_find(&r->fake, down_part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
	r->fake.refuse = NULL;
	down_pass(r, DOWNLINK_RETRY_MIN_MS);
	down_settle(r);
	assert_non_null(down_find(&r->fake, down_part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
}

static void a_link_that_fails_does_not_make_it_spin(void **state)
{
	struct down *r = *state;

	down_machines(r, 2, 7);
	r->fake.fail = -EIO;
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	assert_int_equal(down_state(r).failures, 2);
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	assert_int_equal(down_state(r).failures, 2);
	r->fake.fail = -ENOTCONN;
	down_pass(r, DOWNLINK_RETRY_MAX_MS);
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	r->fake.fail = 0;
	down_settle(r);
	assert_int_equal(r->fake.kept_count, 2);
}

static void a_newer_state_is_not_taken_for_published_by_the_ack_of_an_older(void **state)
{
	struct down *r = *state;

	down_machines(r, 1, 7);
	downlink_step(r->downlink, r->now);
	rig_desire(r->f, "chair-0", 9, 9); /* while the first is in flight */
	down_answer(r);
	down_settle(r);
	assert_int_equal(down_at_broker(r, "chair-0"), 2);
	assert_int_equal(rig_desired(r->f, "chair-0").published, 2);
}

/* ---- the store fails ---- */

static void a_store_that_refuses_delays_it_and_no_more(void **state)
{
	struct down *r = *state;
	sqlite3 *other;

	down_machines(r, 2, 7);
	assert_int_equal(sqlite3_open(r->f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	down_settle(r);
	assert_true(down_state(r).failures > 0);
	sqlite3_close(other);
	for (int i = 0; i < 3; i++) {
		down_pass(r, DOWNLINK_RETRY_MAX_MS);
		down_settle(r);
	}
	assert_int_equal(r->fake.kept_count, 2);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 1);
}

/* ---- anything, in any order: in the end the broker has what is wanted, and nothing else ---- */

static void disturb(struct down *r, struct gf_prng *rand)
{
	char id[GF_ID_MAX];
	uint8_t digest = (uint8_t)(7 + gf_prng_below(rand, 3));

	snprintf(id, sizeof(id), "chair-%u", (unsigned)gf_prng_below(rand, 10));
	switch (gf_prng_below(rand, 9)) {
	case 0:
		rig_desire(r->f, id, digest, digest);
		break;
	case 1:
		rig_desire(r->f, id, 0, 0);
		break;
	case 2:
		downlink_down(r->downlink);
		r->fake.flight_count = 0;
		if (gf_prng_below(rand, 2))
			down_wipe(&r->fake);
		downlink_up(r->downlink);
		break;
	case 3:
		downlink_free(r->downlink);
		fixture_reopen(r->f);
		down_start(r);
		break;
	case 4:
		r->fake.refuse = gf_prng_below(rand, 2) ? "chair-3" : gf_prng_below(rand, 2) ? "/1" : NULL;
		break;
	case 5:
		r->fake.window = 1 + gf_prng_below(rand, 20);
		if (r->fake.window < r->fake.flight_count)
			r->fake.window = r->fake.flight_count;
		break;
	case 6:
		down_answer(r);
		break;
	default:
		down_pass(r, (int64_t)gf_prng_below(rand, 3000));
		downlink_step(r->downlink, r->now);
		break;
	}
}

static void check_whole(struct down *r)
{
	size_t wanted = 0;

	for (unsigned i = 0; i < 10; i++) {
		char id[GF_ID_MAX];
		struct store_desired d;

		snprintf(id, sizeof(id), "chair-%u", i);
		d = rig_desired(r->f, id);
		assert_int_equal(down_at_broker(r, id), d.desired.revision);
		assert_int_equal(d.published, d.desired.revision);
		wanted += d.desired.revision > 0;
	}
	for (uint8_t digest = 7; digest < 10; digest++)
		for (int part = 0; part < 2 && down_at_store(r, digest).wanted; part++, wanted++)
			assert_non_null(down_find(&r->fake, down_part_topic(digest, part)));
	assert_int_equal(r->fake.kept_count, wanted);
}

static void whatever_happens_the_broker_has_what_is_wanted_in_the_end(void **state)
{
	struct down *r = *state;

	for (uint8_t digest = 7; digest < 10; digest++)
		down_catalog(r, digest, 2 * GF_CATALOG_PART_MAX);
	down_machines(r, 10, 0);
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct gf_prng rand;

		gf_prng_seed(&rand, seed);
		for (int i = 0; i < 60; i++)
			disturb(r, &rand);
		r->fake.refuse = NULL;
		for (int i = 0; i < 4; i++) {
			down_pass(r, DOWNLINK_RETRY_MAX_MS);
			down_settle(r);
		}
		r->fake.published = 0;
		check_whole(r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, down_setup, down_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_broker_that_lost_its_disk_is_whole_after_the_next_connect),
	    TEST(a_gateway_killed_between_commit_and_publish_publishes_after_its_start),
	    TEST(what_was_in_flight_at_a_loss_goes_out_again),
	    TEST(a_refused_one_is_tried_again_and_holds_nobody_up),
	    TEST(a_refused_catalog_holds_no_state_up),
	    TEST(a_link_that_fails_does_not_make_it_spin),
	    TEST(a_newer_state_is_not_taken_for_published_by_the_ack_of_an_older),
	    TEST(a_store_that_refuses_delays_it_and_no_more),
	    TEST(whatever_happens_the_broker_has_what_is_wanted_in_the_end),
	};

	gf_log_set_level(GF_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
