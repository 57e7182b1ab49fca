/* What the gateway tells a machine: taken once, kept, answered. */
#include "agent/downlink.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "proto/codec.h"

enum { REPLIES_MAX = 64, WITHIN_MS = 30000 };

struct world {
	char dir[64], path[96];
	struct downlink *downlink;
	struct gf_time now;
	/* the owner */
	uint64_t highest; /* desired revision */
	bool no_room, running;
	int reply_error;
	unsigned limits_set, stops;
	struct control_limits limits;
	unsigned replies_count;
	struct gf_reply replies[REPLIES_MAX];
};

static bool take_desired(void *ctx, const struct gf_desired *desired, struct gf_time now)
{
	struct world *w = ctx;
	(void)now;
	if (desired->revision < w->highest)
		return false;
	w->highest = desired->revision;
	return true;
}

static int take_limits(void *ctx, const struct control_limits *limits)
{
	struct world *w = ctx;
	if (w->no_room)
		return -EAGAIN;
	w->limits = *limits;
	w->limits_set++;
	return 0;
}

static int take_stop(void *ctx, bool *ret_running)
{
	struct world *w = ctx;
	if (w->no_room)
		return -EAGAIN;
	*ret_running = w->running;
	w->running = false;
	w->stops++;
	return 0;
}

static int take_reply(void *ctx, const void *data, size_t len, uint64_t id)
{
	struct world *w = ctx;
	if (w->reply_error != 0)
		return w->reply_error;
	assert_true(w->replies_count < REPLIES_MAX);
	assert_int_equal(gf_reply_decode(data, len, &w->replies[w->replies_count], NULL), 0);
	assert_int_equal(w->replies[w->replies_count++].id, id);
	return 0;
}

static void start(struct world *w)
{
	const struct downlink_ops ops = {
	    .desired = take_desired, .limits = take_limits, .stop = take_stop, .reply = take_reply, .ctx = w};
	downlink_free(w->downlink);
	w->downlink = NULL;
	assert_int_equal(downlink_new("chair-1", w->path, &ops, &w->downlink), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	snprintf(w->dir, sizeof(w->dir), "/tmp/gf-downlink-XXXXXX");
	if (mkdtemp(w->dir) == NULL)
		return -1;
	snprintf(w->path, sizeof(w->path), "%s/limits", w->dir);
	w->now = (struct gf_time){.mono_ms = 5000, .wall_ms = 1767225600000, .synced = true};
	start(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	downlink_free(w->downlink);
	unlink(w->path);
	rmdir(w->dir);
	free(w);
	return 0;
}

static int64_t step(struct world *w)
{
	return downlink_step(w->downlink, w->now);
}

static void pass(struct world *w, int64_t ms)
{
	w->now.mono_ms += ms;
	w->now.wall_ms += ms;
	step(w);
}

static void desire(struct world *w, const struct gf_desired *desired)
{
	unsigned char buf[GF_DESIRED_MAX];
	size_t len = 0;
	assert_int_equal(gf_desired_encode(desired, buf, sizeof(buf), &len), 0);
	downlink_desired(w->downlink, buf, len, w->now);
	step(w);
}

static void lock(struct world *w, uint64_t revision, bool locked)
{
	const struct gf_desired desired = {
	    .revision = revision, .locked = locked, .lock_reason = "cleaning", .limits = {.intensity_max_pct = 50}};
	desire(w, &desired);
}

static void command_at(struct world *w, uint64_t id, int64_t issued_ms, uint32_t within_ms)
{
	const struct gf_command_order command = {
	    .id = id, .kind = GF_COMMAND_STOP, .issued_ms = (uint64_t)issued_ms, .within_ms = within_ms};
	unsigned char buf[GF_COMMAND_MAX];
	size_t len = 0;
	assert_int_equal(gf_command_encode(&command, buf, sizeof(buf), &len), 0);
	downlink_command(w->downlink, buf, len, w->now);
	step(w);
}

static void command(struct world *w, uint64_t id)
{
	command_at(w, id, w->now.wall_ms, WITHIN_MS);
}

static void expect_reply(const struct world *w, unsigned i, uint64_t id, enum gf_command_outcome outcome)
{
	assert_true(w->replies_count > i);
	assert_int_equal(w->replies[i].id, id);
	assert_int_equal(w->replies[i].outcome, outcome);
	assert_true(w->replies[i].detail[0] != '\0');
}

/* ---- desired ---- */

static void limits_and_lock_take_effect(void **state)
{
	struct world *w = *state;
	assert_false(downlink_limits(w->downlink)->locked);
	lock(w, 3, true);
	assert_int_equal(w->limits_set, 1);
	assert_true(w->limits.locked && w->limits.intensity_max_pct > 49);
	assert_true(downlink_limits(w->downlink)->locked);
	assert_int_equal(downlink_revision(w->downlink), 3);
	lock(w, 4, false);
	assert_false(w->limits.locked);
	assert_int_equal(w->limits_set, 2);
	lock(w, 5, false); /* nothing new in it */
	assert_int_equal(w->limits_set, 2);
	assert_true(step(w) == INT64_MAX);
}

static void a_lock_survives_a_restart_without_network(void **state)
{
	struct world *w = *state;
	lock(w, 3, true);
	start(w);
	assert_true(downlink_limits(w->downlink)->locked);
	assert_true(downlink_limits(w->downlink)->intensity_max_pct > 49);
	assert_int_equal(downlink_revision(w->downlink), 3);
	lock(w, 4, false);
	start(w);
	assert_false(downlink_limits(w->downlink)->locked);
}

static void an_older_desired_state_changes_nothing(void **state)
{
	struct world *w = *state;
	lock(w, 7, true);
	lock(w, 6, false);
	assert_true(w->limits.locked);
	assert_int_equal(downlink_stats(w->downlink).stale_desired, 1);
	/* Nor does it after the owner has forgotten what it had seen. */
	w->highest = 0;
	start(w);
	lock(w, 6, false);
	assert_true(downlink_limits(w->downlink)->locked);
	/* And what the owner knows as old is old. */
	w->highest = 100;
	lock(w, 99, false);
	assert_true(downlink_limits(w->downlink)->locked);
	lock(w, 100, false);
	assert_false(downlink_limits(w->downlink)->locked);
}

static void without_room_limits_are_handed_over_later(void **state)
{
	struct world *w = *state;
	w->no_room = true;
	lock(w, 3, true);
	assert_int_equal(w->limits_set, 0);
	assert_true(step(w) <= w->now.mono_ms + DOWNLINK_RETRY_MS);
	w->no_room = false;
	pass(w, DOWNLINK_RETRY_MS);
	assert_int_equal(w->limits_set, 1);
	assert_true(w->limits.locked);
}

static void a_disk_that_refuses_gets_them_later(void **state)
{
	struct world *w = *state;
	struct limits kept;
	assert_int_equal(rmdir(w->dir), 0);
	lock(w, 3, true);
	assert_true(w->limits.locked);
	assert_true(step(w) <= w->now.mono_ms + DOWNLINK_SAVE_MS);
	assert_int_equal(mkdir(w->dir, 0700), 0);
	pass(w, DOWNLINK_SAVE_MS);
	assert_int_equal(limits_load(w->path, &kept, NULL), 0);
	assert_true(kept.limits.locked);
	assert_true(step(w) == INT64_MAX);
}

static void a_file_that_cannot_be_read_keeps_the_machine_locked_until_it_is_told(void **state)
{
	struct world *w = *state;
	FILE *file = fopen(w->path, "we");
	assert_non_null(file);
	fputs("GFLIMIT", file);
	fclose(file);
	start(w);
	assert_true(downlink_limits(w->downlink)->locked);
	lock(w, 1, false);
	assert_false(w->limits.locked);
	start(w);
	assert_false(downlink_limits(w->downlink)->locked);
}

/* ---- commands ---- */

static void a_stop_is_carried_out_and_answered(void **state)
{
	struct world *w = *state;
	w->running = true;
	command(w, 41);
	assert_int_equal(w->stops, 1);
	expect_reply(w, 0, 41, GF_COMMAND_OUTCOME_DONE);
	assert_string_equal(w->replies[0].detail, "the session is stopped");
	command(w, 42);
	expect_reply(w, 1, 42, GF_COMMAND_OUTCOME_DONE);
	assert_string_equal(w->replies[1].detail, "no session was running");
	assert_true(step(w) == INT64_MAX);
}

static void a_command_that_comes_twice_is_done_once_and_answered_twice(void **state)
{
	struct world *w = *state;
	command(w, 41);
	command(w, 41); /* the answer is still on its way */
	assert_int_equal(w->replies_count, 1);
	downlink_replied(w->downlink, 41, 0);
	command(w, 41);
	assert_int_equal(w->stops, 1);
	assert_int_equal(w->replies_count, 2);
	expect_reply(w, 1, 41, GF_COMMAND_OUTCOME_DONE);
}

static void i9_a_command_that_comes_too_late_is_answered_expired(void **state)
{
	struct world *w = *state;
	command_at(w, 1, w->now.wall_ms - WITHIN_MS, WITHIN_MS);
	expect_reply(w, 0, 1, GF_COMMAND_OUTCOME_EXPIRED);
	command_at(w, 2, w->now.wall_ms - WITHIN_MS + 1, WITHIN_MS);
	expect_reply(w, 1, 2, GF_COMMAND_OUTCOME_DONE);
	command_at(w, 3, w->now.wall_ms, 0);
	expect_reply(w, 2, 3, GF_COMMAND_OUTCOME_EXPIRED);
	assert_int_equal(w->stops, 1);
}

/* At 1970, or with a gateway whose clock is ahead, it counts from now. */
static void without_a_clock_the_time_counts_from_the_receipt(void **state)
{
	struct world *w = *state;
	w->now.synced = false;
	w->now.wall_ms = 60000;
	command_at(w, 1, 1767225600000, WITHIN_MS);
	expect_reply(w, 0, 1, GF_COMMAND_OUTCOME_DONE);
	w->now.synced = true;
	w->now.wall_ms = 1767225600000;
	command_at(w, 2, 1767225600000 + 3600000, WITHIN_MS);
	expect_reply(w, 1, 2, GF_COMMAND_OUTCOME_DONE);
	w->no_room = true;
	command_at(w, 3, 1767225600000 + 3600000, WITHIN_MS);
	pass(w, WITHIN_MS);
	expect_reply(w, 2, 3, GF_COMMAND_OUTCOME_EXPIRED);
}

static void i9_a_stop_without_room_waits_no_longer_than_it_is_good_for(void **state)
{
	struct world *w = *state;
	w->no_room = true;
	command(w, 5);
	assert_true(step(w) <= w->now.mono_ms + DOWNLINK_RETRY_MS);
	pass(w, WITHIN_MS - 1);
	assert_int_equal(w->replies_count, 0);
	pass(w, 1);
	expect_reply(w, 0, 5, GF_COMMAND_OUTCOME_EXPIRED);
	w->no_room = false;
	pass(w, 1000);
	assert_int_equal(w->stops, 0);
}

static void a_reply_waits_for_the_connection(void **state)
{
	struct world *w = *state;
	w->reply_error = -ENOTCONN;
	command(w, 6);
	assert_int_equal(w->stops, 1);
	pass(w, 60000);
	assert_int_equal(w->replies_count, 0);
	w->reply_error = 0;
	pass(w, 100);
	expect_reply(w, 0, 6, GF_COMMAND_OUTCOME_DONE);
	downlink_replied(w->downlink, 6, -1); /* lost with the connection */
	pass(w, 100);
	expect_reply(w, 1, 6, GF_COMMAND_OUTCOME_DONE);
	downlink_replied(w->downlink, 6, 0x87); /* refused for good */
	downlink_replied(w->downlink, 6, -1);
	downlink_replied(w->downlink, 999, -1); /* nobody's */
	pass(w, 60000);
	assert_int_equal(w->replies_count, 2);
	assert_int_equal(w->stops, 1);
}

static void i8_more_commands_than_are_remembered_push_the_oldest_out(void **state)
{
	struct world *w = *state;
	for (uint64_t id = 1; id <= 3 * DOWNLINK_ORDERS; id++) {
		command(w, id);
		downlink_replied(w->downlink, id, 0);
	}
	assert_int_equal(w->stops, 3 * DOWNLINK_ORDERS);
	w->replies_count = 0;
	command(w, 2 * DOWNLINK_ORDERS + 1); /* still known */
	assert_int_equal(w->stops, 3 * DOWNLINK_ORDERS);
	expect_reply(w, 0, 2 * DOWNLINK_ORDERS + 1, GF_COMMAND_OUTCOME_DONE);
}

static void what_is_still_to_be_done_gives_no_way(void **state)
{
	struct world *w = *state;
	w->no_room = true;
	for (uint64_t id = 1; id <= DOWNLINK_ORDERS; id++)
		command(w, id);
	assert_int_equal(w->replies_count, 0);
	command(w, 100);
	expect_reply(w, 0, 100, GF_COMMAND_OUTCOME_REFUSED);
	w->no_room = false;
	step(w);
	assert_int_equal(w->stops, DOWNLINK_ORDERS);
	assert_int_equal(w->replies_count, 1 + DOWNLINK_ORDERS);
}

/* ---- whatever comes ---- */

static void an_empty_message_is_the_end_of_a_retained_one(void **state)
{
	struct world *w = *state;
	lock(w, 3, true);
	downlink_desired(w->downlink, "", 0, w->now);
	downlink_command(w->downlink, "", 0, w->now);
	step(w);
	assert_true(w->limits.locked);
	assert_int_equal(downlink_stats(w->downlink).bad_desired, 0);
	assert_int_equal(downlink_stats(w->downlink).bad_commands, 0);
}

static void i10_bad_bytes_are_counted_and_change_nothing(void **state)
{
	struct world *w = *state;
	static const struct gf_desired good = {.revision = 9,
	                                       .locked = true,
	                                       .lock_reason = "why",
	                                       .has_catalog = true,
	                                       .catalog = {.name = "a", .version = 3, .digest.bytes = {1}, .size = 100}};
	unsigned char buf[4 * GF_DESIRED_MAX];
	struct gf_prng prng;
	size_t len = 0;
	uint64_t sent = 0;
	gf_prng_seed(&prng, 4711);
	assert_int_equal(gf_desired_encode(&good, buf, sizeof(buf), &len), 0);
	for (size_t cut = 1; cut < len; cut++) { /* what can be read of a cut one may be a state of its own */
		downlink_desired(w->downlink, buf, cut, w->now);
		downlink_command(w->downlink, buf, cut, w->now);
	}
	downlink_free(w->downlink);
	w->downlink = NULL;
	unlink(w->path);
	w->highest = 0;
	start(w);
	w->limits_set = w->stops = 0;
	for (int i = 0; i < 20000; i++) {
		len = 1 + gf_prng_below(&prng, i % 100 == 0 ? sizeof(buf) : 40);
		for (size_t at = 0; at < len; at++)
			buf[at] = (unsigned char)gf_prng_below(&prng, 256);
		buf[0] = 0xff; /* no field begins like this */
		downlink_desired(w->downlink, buf, len, w->now);
		downlink_command(w->downlink, buf, len, w->now);
		sent++;
	}
	step(w);
	assert_int_equal(downlink_stats(w->downlink).bad_desired, sent);
	assert_int_equal(downlink_stats(w->downlink).bad_commands, sent);
	assert_int_equal(w->limits_set, 0);
	assert_int_equal(w->stops, 0);
	assert_int_equal(w->highest, 0);
}

/* Each that is taken is written down, and a disk has only so many writes. */
static void i8_a_flood_of_desired_states_wears_no_disk_out(void **state)
{
	struct world *w = *state;
	uint64_t revision = 0;
	for (int second = 0; second < 60; second++) {
		for (int i = 0; i < 100; i++)
			lock(w, ++revision, i % 2 == 0);
		pass(w, 1000);
	}
	assert_in_range(w->limits_set, DOWNLINK_BURST, DOWNLINK_BURST + 60000 / DOWNLINK_EVERY_MS);
	/* What came last counts, soon and for good; and what comes again costs nothing. */
	lock(w, ++revision, true);
	pass(w, DOWNLINK_EVERY_MS);
	assert_int_equal(w->highest, revision);
	assert_true(w->limits.locked);
	const unsigned set = w->limits_set;
	for (int i = 0; i < 2 * DOWNLINK_BURST; i++)
		lock(w, revision, true);
	assert_int_equal(w->limits_set, set);
	pass(w, DOWNLINK_EVERY_MS);
	lock(w, ++revision, false);
	assert_false(w->limits.locked);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(limits_and_lock_take_effect),
	    TEST(a_lock_survives_a_restart_without_network),
	    TEST(an_older_desired_state_changes_nothing),
	    TEST(without_room_limits_are_handed_over_later),
	    TEST(a_disk_that_refuses_gets_them_later),
	    TEST(a_file_that_cannot_be_read_keeps_the_machine_locked_until_it_is_told),
	    TEST(a_stop_is_carried_out_and_answered),
	    TEST(a_command_that_comes_twice_is_done_once_and_answered_twice),
	    TEST(i9_a_command_that_comes_too_late_is_answered_expired),
	    TEST(without_a_clock_the_time_counts_from_the_receipt),
	    TEST(i9_a_stop_without_room_waits_no_longer_than_it_is_good_for),
	    TEST(a_reply_waits_for_the_connection),
	    TEST(i8_more_commands_than_are_remembered_push_the_oldest_out),
	    TEST(what_is_still_to_be_done_gives_no_way),
	    TEST(i8_a_flood_of_desired_states_wears_no_disk_out),
	    TEST(an_empty_message_is_the_end_of_a_retained_one),
	    TEST(i10_bad_bytes_are_counted_and_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
