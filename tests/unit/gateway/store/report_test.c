/* A machine's stream becomes history exactly once (I1). */
#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"
#include "tests/unit/gateway/store/fixture.h"

static void applies_in_order_and_acks(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {heartbeat(1, NOON, 40), started(2, 1, NOON), session(3, 1, NOON + 2 * MINUTE)};
	struct gf_ack ack = send_report(f, "chair-1", 1, rs, 3, NOON + 3 * MINUTE);
	struct store_device d = get_device(f, "chair-1", NOON + 3 * MINUTE);

	assert_int_equal(ack.through_seq, 3);
	assert_int_equal(ack.rejected, 0);
	assert_int_equal(d.acked_seq, 3);
	assert_int_equal(d.sessions, 1);
	assert_int_equal(d.running_session, 0);
	assert_true(d.online);
	assert_false(d.born);
	assert_true(d.has_heartbeat);
	assert_int_equal(d.odometer.motor_ms, MINUTE);
	assert_int_equal(count_sessions(f, NULL), 1);
}

static void i1_duplicates_and_overlaps_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON + HOUR), session(3, 3, NOON + 2 * HOUR)};

	assert_int_equal(send_report(f, "chair-1", 1, rs, 2, NOON).through_seq, 2);
	assert_int_equal(send_report(f, "chair-1", 1, rs, 2, NOON).through_seq, 2);
	assert_int_equal(send_report(f, "chair-1", 1, rs, 3, NOON).through_seq, 3);
	assert_int_equal(send_report(f, "chair-1", 1, rs, 1, NOON).through_seq, 3);
	assert_int_equal(count_sessions(f, "chair-1"), 3);
	assert_int_equal(get_device(f, "chair-1", NOON).sessions, 3);
}

static void i1_a_hole_applies_nothing_and_yields_the_old_ack(void **state)
{
	struct fixture *f = *state;
	struct gf_record first = session(1, 1, NOON), third = session(3, 3, NOON);

	assert_int_equal(send_report(f, "chair-1", 1, &third, 1, NOON).through_seq, 0);
	assert_int_equal(send_report(f, "chair-1", 1, &first, 1, NOON).through_seq, 1);
	assert_int_equal(send_report(f, "chair-1", 1, &third, 1, NOON).through_seq, 1);
	assert_int_equal(count_sessions(f, "chair-1"), 1);
}

static void a_new_stream_starts_at_one_and_the_old_is_remembered(void **state)
{
	struct fixture *f = *state;
	struct gf_record a[] = {session(1, 1, NOON), session(2, 2, NOON)};
	struct gf_record b = session(1, 3, NOON), c = session(2, 4, NOON);

	assert_int_equal(send_report(f, "chair-1", 1, a, 2, NOON).through_seq, 2);
	assert_int_equal(send_report(f, "chair-1", 2, &c, 1, NOON).through_seq, 0);
	assert_int_equal(send_report(f, "chair-1", 2, &b, 1, NOON).through_seq, 1);
	assert_int_equal(send_report(f, "chair-1", 1, a, 2, NOON).through_seq, 2);
	assert_int_equal(count_sessions(f, "chair-1"), 3);
	assert_int_equal(get_device(f, "chair-1", NOON).acked_seq, 1);
}

static void machines_do_not_share_streams(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = session(1, 1, NOON);

	send_report(f, "chair-1", 1, &a, 1, NOON);
	assert_int_equal(send_report(f, "chair-2", 1, &a, 1, NOON).through_seq, 1);
	assert_int_equal(count_sessions(f, NULL), 2);
}

static void unknown_kinds_are_acked_and_skipped(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {record(1, GF_RECORD_UNSPECIFIED, NOON), session(2, 1, NOON),
	                         record(3, GF_RECORD_DESIRED_APPLIED, NOON)};
	struct gf_ack ack = send_report(f, "chair-1", 1, rs, 3, NOON);

	assert_int_equal(ack.through_seq, 3);
	assert_int_equal(ack.rejected, 0);
	assert_int_equal(count_sessions(f, "chair-1"), 1);
}

static void bad_records_are_acked_as_rejected_once(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), {0}, session(3, 2, NOON)};
	const bool bad[] = {false, true, false};
	struct gf_report report = {stream_id(1), 1, 3, rs};
	struct gf_ack ack;

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_apply_report(f->store, "chair-1", &report, bad, NOON, &ack, NULL), 0);
	assert_int_equal(ack.through_seq, 3);
	assert_int_equal(ack.rejected, 1);
	assert_int_equal(store_apply_report(f->store, "chair-1", &report, bad, NOON, &ack, NULL), 0);
	assert_int_equal(ack.through_seq, 3);
	assert_int_equal(ack.rejected, 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
}

static void impossible_numbers_are_rejected_alone(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, UINT64_MAX, NOON), session(3, 2, NOON),
	                         session(4, 3, NOON), session(5, 0, NOON)};
	struct gf_ack ack;

	rs[3].session_ended.odometer.motor_ms = UINT64_MAX;
	ack = send_report(f, "chair-1", 1, rs, 5, NOON);
	assert_int_equal(ack.through_seq, 5);
	assert_int_equal(ack.rejected, 3);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
}

static void a_lost_record_moves_the_ack_over_its_range(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {record(1, GF_RECORD_LOST, NOON), session(11, 1, NOON)};
	struct store_stats stats;

	rs[0].lost.through_seq = 10;
	rs[0].lost.counts[GF_RECORD_HEARTBEAT] = 10;
	assert_int_equal(send_report(f, "chair-1", 1, rs, 2, NOON).through_seq, 11);
	assert_int_equal(count_sessions(f, "chair-1"), 1);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.records_lost, 10);
}

static void a_lost_record_is_cut_to_what_is_really_missing(void **state)
{
	struct fixture *f = *state;
	struct gf_record stored[] = {heartbeat(1, NOON, 40), heartbeat(2, NOON + MINUTE, 40), heartbeat(3, NOON, 40)};
	struct gf_record lost = record(2, GF_RECORD_LOST, NOON);
	struct store_stats stats;

	lost.lost.through_seq = 6;
	lost.lost.counts[GF_RECORD_HEARTBEAT] = 5;
	assert_int_equal(send_report(f, "chair-1", 1, stored, 3, NOON).through_seq, 3);
	assert_int_equal(send_report(f, "chair-1", 1, &lost, 1, NOON).through_seq, 6);
	assert_int_equal(send_report(f, "chair-1", 1, &lost, 1, NOON).through_seq, 6);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.records_lost, 3);
}

static void what_a_batch_rolled_back_was_never_there(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = session(1, 1, NOON);
	struct gf_report report = {stream_id(1), 1, 1, &a};
	struct gf_ack ack;
	uint64_t event = store_last_event(f->store);

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_apply_report(f->store, "chair-1", &report, NULL, NOON, &ack, NULL), 0);
	store_rollback(f->store);
	assert_int_equal(store_last_event(f->store), event);
	assert_int_equal(count_sessions(f, NULL), 0);
	assert_int_equal(send_report(f, "chair-1", 1, &a, 1, NOON).through_seq, 1);
	assert_true(store_last_event(f->store) > event);
}

/* ---- any order of repetitions gives the same history ---- */

enum { STREAM_LEN = 120, WINDOW = 12 };

static void make_stream(struct gf_record *rs)
{
	uint64_t no = 0, faults = 0;

	for (uint64_t seq = 1; seq <= STREAM_LEN; seq++) {
		int64_t at = NOON + (int64_t)seq * MINUTE;

		if (seq % 7 == 3)
			rs[seq - 1] = started(seq, no + 1, at);
		else if (seq % 7 == 5)
			rs[seq - 1] = session(seq, ++no, at);
		else if (seq % 31 == 0)
			rs[seq - 1] = fault(seq, ++faults, GF_FAULT_STALL, GF_SEVERITY_STOP, at);
		else
			rs[seq - 1] = heartbeat(seq, at, 40.0f + (float)(seq % 9));
	}
}

static char *clean_history(struct gf_record *rs)
{
	void *state;
	char *text;

	fixture_setup(&state);
	assert_int_equal(send_report(state, "chair-1", 1, rs, STREAM_LEN / 2, NOON + DAY).through_seq, STREAM_LEN / 2);
	assert_int_equal(
	    send_report(state, "chair-1", 1, rs + STREAM_LEN / 2, STREAM_LEN - STREAM_LEN / 2, NOON + DAY).through_seq,
	    STREAM_LEN);
	text = fingerprint(state);
	fixture_teardown(&state);
	return text;
}

/* Sends from anywhere around the ack: what is old, what overlaps, what leaves a hole; sometimes the batch is rolled
 * back or the store is opened anew. The ack never goes back and never beyond what was sent without a hole. */
static void send_at_random(struct fixture *f, struct gf_record *rs, struct gf_prng *p)
{
	uint64_t acked = 0;

	while (acked < STREAM_LEN) {
		uint64_t low = acked > WINDOW ? acked - WINDOW : 0;
		uint64_t from = low + gf_prng_below(p, acked + 4 - low);
		uint64_t count = 1 + gf_prng_below(p, WINDOW);
		uint64_t expect = acked;
		struct gf_report report;
		struct gf_ack ack;

		if (from >= STREAM_LEN)
			from = STREAM_LEN - 1;
		if (from + count > STREAM_LEN)
			count = STREAM_LEN - from;
		report = (struct gf_report){stream_id(1), from + 1, count, rs + from};
		if (from <= acked && from + count > acked)
			expect = from + count;
		assert_int_equal(store_begin(f->store, NULL), 0);
		assert_int_equal(store_apply_report(f->store, "chair-1", &report, NULL, NOON + DAY, &ack, NULL), 0);
		assert_int_equal(ack.through_seq, expect);
		if (gf_prng_below(p, 5) == 0) {
			store_rollback(f->store);
			continue;
		}
		assert_int_equal(store_commit(f->store, NULL), 0);
		acked = expect;
		if (gf_prng_below(p, 40) == 0)
			fixture_reopen(f);
	}
}

static void i1_any_order_of_repetitions_gives_the_same_history(void **state)
{
	struct gf_record *rs = calloc(STREAM_LEN, sizeof(*rs));
	char *clean;

	(void)state;
	make_stream(rs);
	clean = clean_history(rs);
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct gf_prng p;
		void *f;
		char *text;

		gf_prng_seed(&p, seed);
		fixture_setup(&f);
		send_at_random(f, rs, &p);
		text = fingerprint(f);
		assert_string_equal(text, clean);
		free(text);
		fixture_teardown(&f);
	}
	free(clean);
	free(rs);
}

/* The most that the codec lets through, by far more streams than a 64-bit sum of it can take. */
static void i10_endless_losses_hold_up_neither_the_store_nor_the_audit(void **state)
{
	struct fixture *f = *state;
	const uint64_t most = (UINT64_C(1) << 53) - 1;
	struct gf_record rs[] = {record(1, GF_RECORD_LOST, NOON), session(1, 9, NOON)};
	struct gf_report report = {stream_id(0), 1, 1, rs};
	struct store_audit audit;
	struct store_stats stats;
	struct gf_ack ack;

	rs[0].lost.through_seq = most;
	rs[0].lost.counts[GF_RECORD_SESSION_ENDED] = most;
	send_report(f, "chair-1", 255, &rs[1], 1, NOON);
	for (int batch = 0; batch < 16; batch++) {
		assert_int_equal(store_begin(f->store, NULL), 0);
		for (int i = 0; i < 128; i++) {
			report.stream.bytes[1] = (uint8_t)(batch + 1);
			report.stream.bytes[2] = (uint8_t)i;
			assert_int_equal(store_apply_report(f->store, "chair-1", &report, NULL, NOON, &ack, NULL), 0);
			assert_int_equal(ack.through_seq, most);
		}
		assert_int_equal(store_commit(f->store, NULL), 0);
	}
	rs[1].session_ended.start.session_no = 12;
	assert_int_equal(send_report(f, "chair-1", 254, &rs[1], 1, NOON).through_seq, 1);
	assert_int_equal(store_read_audit(f->reader, NULL, NULL, NULL, &audit, NULL), 0);
	assert_int_equal(audit.sessions, 2);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_true(stats.records_lost > most);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(applies_in_order_and_acks),
	    TEST(i1_duplicates_and_overlaps_change_nothing),
	    TEST(i1_a_hole_applies_nothing_and_yields_the_old_ack),
	    TEST(a_new_stream_starts_at_one_and_the_old_is_remembered),
	    TEST(machines_do_not_share_streams),
	    TEST(unknown_kinds_are_acked_and_skipped),
	    TEST(bad_records_are_acked_as_rejected_once),
	    TEST(impossible_numbers_are_rejected_alone),
	    TEST(a_lost_record_moves_the_ack_over_its_range),
	    TEST(a_lost_record_is_cut_to_what_is_really_missing),
	    TEST(i10_endless_losses_hold_up_neither_the_store_nor_the_audit),
	    TEST(what_a_batch_rolled_back_was_never_there),
	    cmocka_unit_test(i1_any_order_of_repetitions_gives_the_same_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
