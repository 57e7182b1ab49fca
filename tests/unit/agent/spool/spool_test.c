/* The spool on a healthy disk, on a full one, and over its own limit. What crashes and damage do is in crash_test.c. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/unit/agent/spool/model.h"

enum { ROOMY = 16 << 20 };

static struct spool *must_open(struct trap *t, uint64_t bytes_max)
{
	struct spool *spool = model_open(t, bytes_max);
	assert_non_null(spool);
	return spool;
}

static void a_new_spool_is_empty(void **state)
{
	struct spool *spool = must_open(*state, ROOMY);
	const struct gf_stream_id none = {0}, stream = spool_stream(spool);
	size_t len = 1;
	spool_state(spool, &len);
	assert_int_equal(len, 0);
	assert_int_equal(spool_next_seq(spool), 1);
	assert_int_equal(spool_acked(spool), 0);
	assert_int_equal(spool_stats(spool).records, 0);
	assert_memory_not_equal(&stream, &none, sizeof(none));
	spool_close(spool);
}

static void what_was_appended_is_there_after_opening_again(void **state)
{
	struct model m = {0};
	struct spool *spool = must_open(*state, ROOMY);
	const struct gf_stream_id stream = spool_stream(spool);
	model_run(&m, spool, 200);
	assert_int_equal(m.last_error, 0);
	model_check(&m, spool);
	spool_close(spool);

	spool = must_open(*state, ROOMY);
	const struct gf_stream_id again = spool_stream(spool);
	assert_memory_equal(&stream, &again, sizeof(stream));
	assert_int_equal(spool_next_seq(spool), m.written + 1);
	assert_int_equal(spool_acked(spool), m.acked);
	assert_int_equal(spool_stats(spool).torn_bytes, 0);
	assert_false(spool_stats(spool).recreated);
	model_check(&m, spool);
	spool_close(spool);
}

static void records_are_read_in_any_order(void **state)
{
	struct model m = {0};
	struct gf_prng prng;
	struct spool *spool = must_open(*state, ROOMY);
	gf_prng_seed(&prng, 1);
	while (trap_count(*state, ".seg") < 4)
		assert_int_equal(model_append(&m, spool, SPOOL_BATCH_MAX), 0);
	for (int i = 0; i < 500; i++) {
		uint64_t seq = gf_prng_below(&prng, m.written) + 1;
		assert_int_equal(model_read(spool, seq).fault_raised.fault_no, seq);
	}
	spool_close(spool);
}

static void acks_outside_what_is_open_change_nothing(void **state)
{
	struct model m = {0};
	struct spool *spool = must_open(*state, ROOMY);
	for (int i = 0; i < 10; i++)
		assert_int_equal(model_append(&m, spool, 1), 0);
	assert_int_equal(spool_ack(spool, 11), 0);
	assert_int_equal(spool_ack(spool, UINT64_MAX), 0);
	assert_int_equal(spool_acked(spool), 0);
	assert_int_equal(model_ack(&m, spool, 6), 0);
	assert_int_equal(spool_ack(spool, 3), 0);
	assert_int_equal(spool_acked(spool), 6);
	assert_int_equal(spool_stats(spool).records, 4);
	const void *data;
	size_t len;
	uint64_t through;
	assert_int_equal(spool_read(spool, 6, &data, &len, &through), -ENOENT);
	assert_int_equal(model_read(spool, 7).seq, 7);
	spool_close(spool);
}

static void acked_segments_are_removed(void **state)
{
	struct model m = {0};
	struct spool *spool = must_open(*state, ROOMY);
	while (trap_count(*state, ".seg") < 5)
		assert_int_equal(model_append(&m, spool, SPOOL_BATCH_MAX), 0);
	assert_int_equal(model_ack(&m, spool, m.written), 0);
	assert_int_equal(trap_count(*state, ".seg"), 1);
	assert_true(trap_usage(*state) <= SPOOL_SEGMENT_BYTES);
	assert_int_equal(model_append(&m, spool, 1), 0);
	model_check(&m, spool);
	spool_close(spool);
	spool = must_open(*state, ROOMY);
	assert_int_equal(spool_acked(spool), m.acked);
	model_check(&m, spool);
	spool_close(spool);
}

static void states_alone_move_through_segments(void **state)
{
	unsigned char big[4096] = {0};
	struct spool *spool = must_open(*state, ROOMY);
	size_t len;
	for (uint32_t i = 1; i <= 300; i++) {
		memcpy(big, &i, sizeof(i));
		assert_int_equal(spool_append(spool, NULL, 0, big, sizeof(big)), 0);
	}
	assert_int_equal(trap_count(*state, ".seg"), 1);
	spool_close(spool);
	spool = must_open(*state, ROOMY);
	assert_memory_equal(spool_state(spool, &len), big, sizeof(big));
	assert_int_equal(len, sizeof(big));
	assert_int_equal(spool_next_seq(spool), 1);
	spool_close(spool);
}

static void what_is_too_large_is_refused_and_changes_nothing(void **state)
{
	static const unsigned char big[SPOOL_STATE_MAX + 1];
	struct gf_record record = model_fault(1);
	struct spool *spool = must_open(*state, ROOMY);
	assert_int_equal(spool_append(spool, &record, 1, big, sizeof(big)), -EINVAL);
	assert_int_equal(spool_append(spool, &record, SPOOL_BATCH_MAX + 1, NULL, 0), -EINVAL);
	assert_int_equal(spool_next_seq(spool), 1);
	assert_int_equal(spool_append(spool, &record, 1, big, SPOOL_STATE_MAX), 0);
	spool_close(spool);
}

static void only_one_process_has_it(void **state)
{
	struct trap *t = *state;
	struct spool *spool = must_open(t, ROOMY), *second = NULL;
	struct gf_diag diag = {{0}};
	const struct spool_config config = {.dir = t->dir, .bytes_max = ROOMY, .sync = true};
	assert_int_equal(spool_open(&config, &second, &diag), -EBUSY);
	assert_true(strlen(diag.text) > 0);
	spool_close(spool);
}

/* ---- the disk is full ---- */

static void a_full_disk_refuses_heartbeats_and_still_takes_faults(void **state)
{
	struct trap *t = *state;
	struct model m = {0};
	struct spool *spool = must_open(t, ROOMY);
	assert_int_equal(model_append(&m, spool, 1), 0);
	t->space = 10;
	assert_int_equal(model_append(&m, spool, 0), -ENOSPC);
	assert_int_equal(model_append(&m, spool, 1), 0);
	assert_true(spool_stats(spool).disk_full);
	assert_true(t->space > 100000);
	/* What the reserve has left is not for heartbeats. */
	assert_int_equal(model_append(&m, spool, 0), -ENOSPC);
	assert_int_equal(model_append(&m, spool, 2), 0);
	model_check(&m, spool);

	/* Room again: the reserve is made anew first. */
	t->space = 1 << 20;
	assert_int_equal(model_append(&m, spool, 0), 0);
	assert_false(spool_stats(spool).disk_full);
	assert_true(t->space < (1 << 20) - SPOOL_RESERVE_BYTES);
	model_check(&m, spool);
	spool_close(spool);
	spool = must_open(t, ROOMY);
	assert_int_equal(spool_stats(spool).torn_bytes, 0);
	model_check(&m, spool);
	spool_close(spool);
}

/* Without room for a copy of the last segment it is used as it is, without its torn tail. */
static void a_full_disk_can_be_opened(void **state)
{
	struct trap *t = *state;
	struct model m = {0};
	char path[160];
	struct spool *spool = must_open(t, ROOMY);
	model_run(&m, spool, 20);
	spool_close(spool);
	trap_nth(t, ".seg", 0, path);
	const off_t whole = trap_size(path);
	FILE *file = fopen(path, "ab");
	assert_non_null(file);
	fputs("torn", file);
	fclose(file);

	t->space = 100;
	spool = must_open(t, ROOMY);
	assert_int_equal(spool_stats(spool).torn_bytes, 4);
	assert_int_equal(trap_size(path), whole);
	assert_int_equal(trap_count(t, ".new"), 0);
	model_check(&m, spool);
	/* The reserve of the life before is still there. */
	assert_int_equal(model_append(&m, spool, 3), 0);
	assert_int_equal(model_append(&m, spool, 0), -ENOSPC);
	model_check(&m, spool);
	spool_close(spool);
}

/* Full after every possible byte: what was refused isn't there, what was taken is, and nothing is thought damaged. */
static void a_disk_that_fills_at_any_byte_loses_nothing(void **state)
{
	(void)state;
	for (int64_t space = 0; space < 9000; space += 7) {
		struct trap t;
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = must_open(&t, ROOMY);
		t.space = space;
		model_run(&m, spool, 40);
		assert_true(m.last_error == 0 || m.last_error == -ENOSPC);
		model_check(&m, spool);
		spool_close(spool);
		trap_revive(&t);
		spool = must_open(&t, ROOMY);
		assert_false(spool_stats(spool).recreated);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

static void a_disk_that_fills_while_segments_change_loses_nothing(void **state)
{
	(void)state;
	for (int64_t space = 100000; space < 700000; space += 9973) {
		struct trap t;
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = must_open(&t, SPOOL_BYTES_MIN);
		t.space = space;
		for (int i = 0; i < 800 && m.last_error != SPOOL_E_FAILED; i++)
			m.last_error = model_append(&m, spool, i % 2 == 0 ? SPOOL_BATCH_MAX : 0);
		assert_true(m.last_error == 0 || m.last_error == -ENOSPC);
		model_check(&m, spool);
		spool_close(spool);
		trap_revive(&t);
		spool = must_open(&t, SPOOL_BYTES_MIN);
		assert_false(spool_stats(spool).recreated);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

/* ---- the spool is full ---- */

struct count {
	uint64_t faults, beats, lost_faults, lost_beats, losts;
	uint64_t first_beat, last_lost_beat; /* seqs; the last one is a Lost record's through_seq */
};

static struct count count_all(struct spool *spool)
{
	struct count c = {0};
	for (uint64_t seq = spool_acked(spool) + 1; seq < spool_next_seq(spool);) {
		struct gf_record r = model_read(spool, seq);
		assert_int_equal(r.seq, seq);
		c.faults += r.kind == GF_RECORD_FAULT_RAISED ? 1 : 0;
		c.beats += r.kind == GF_RECORD_HEARTBEAT ? 1 : 0;
		if (r.kind == GF_RECORD_HEARTBEAT && c.first_beat == 0)
			c.first_beat = seq;
		if (r.kind == GF_RECORD_LOST) {
			c.losts++;
			c.lost_faults += r.lost.counts[GF_RECORD_FAULT_RAISED];
			c.lost_beats += r.lost.counts[GF_RECORD_HEARTBEAT];
			if (r.lost.counts[GF_RECORD_HEARTBEAT] > 0)
				c.last_lost_beat = r.lost.through_seq;
			uint64_t sum = r.lost.counts[GF_RECORD_FAULT_RAISED] + r.lost.counts[GF_RECORD_HEARTBEAT];
			assert_int_equal(sum, r.lost.through_seq - r.seq + 1);
		}
		seq = gf_record_through(&r) + 1;
	}
	return c;
}

static void i8_weeks_offline_keep_faults_and_drop_heartbeats_first(void **state)
{
	enum { WEEKS = 6, MINUTES = WEEKS * 7 * 24 * 60, EVERY = 60 };
	struct trap *t = *state;
	struct model m = {0};
	struct spool *spool = must_open(t, SPOOL_BYTES_MIN);
	uint64_t faults = 0, beats = 0;
	for (int i = 0; i < MINUTES; i++) {
		bool fault = i % EVERY == 0;
		assert_int_equal(model_append(&m, spool, fault ? 1 : 0), 0);
		faults += fault ? 1 : 0;
		beats += fault ? 0 : 1;
		if (i % 500 == 0)
			assert_true(trap_usage(t) + SPOOL_RESERVE_BYTES <= SPOOL_BYTES_MIN);
	}
	struct count c = count_all(spool);
	assert_int_equal(c.faults, faults);
	assert_int_equal(c.lost_faults, 0);
	assert_true(c.lost_beats > 0);
	assert_int_equal(c.beats + c.lost_beats, beats);
	assert_int_equal(spool_stats(spool).dropped, c.lost_beats);
	/* The oldest went. */
	assert_true(c.first_beat > c.last_lost_beat);
	assert_int_equal(model_read(spool, m.written).kind, GF_RECORD_HEARTBEAT);
	spool_close(spool);

	spool = must_open(t, SPOOL_BYTES_MIN);
	assert_int_equal(spool_stats(spool).dropped, c.lost_beats);
	assert_int_equal(count_all(spool).faults, faults);
	model_check(&m, spool);
	spool_close(spool);
}

static struct gf_record session(uint64_t number)
{
	return (struct gf_record){
	    .boot = 1,
	    .kind = GF_RECORD_SESSION_ENDED,
	    .session_ended = {.start = {.session_no = number, .routine = "calves"},
	                      .started_boot = 1,
	                      .outcome = GF_OUTCOME_COMPLETED,
	                      .peak_motor_temp_c = NAN,
	                      .peak_surface_temp_c = NAN,
	                      .peak_current_ma = NAN,
	                      .peak_pressure_mmhg = NAN,
	                      .odometer = {.sessions = number}},
	};
}

/* The limit comes to mean sessions too, and still no heartbeat of a sealed segment outlives one of them. */
static void i8_a_session_goes_only_when_no_heartbeat_is_left_to_go(void **state)
{
	struct trap *t = *state;
	struct spool *spool = must_open(t, SPOOL_BYTES_MIN);
	uint64_t sessions = 0, beats = 0, lost_sessions = 0, lost_beats = 0, kept = 0, old_beats = 0;
	for (int i = 0; i < 12000; i++) {
		struct gf_record records[2] = {model_beat(1), session(sessions + 1)};
		assert_int_equal(spool_append(spool, records, 2, NULL, 0), 0);
		sessions++;
		beats++;
	}
	for (uint64_t seq = 1; seq < spool_next_seq(spool);) {
		struct gf_record r = model_read(spool, seq);
		kept += r.kind == GF_RECORD_SESSION_ENDED ? 1 : 0;
		beats -= r.kind == GF_RECORD_HEARTBEAT ? 1 : 0;
		/* What is left of heartbeats is not older than the last segment. */
		old_beats += r.kind == GF_RECORD_HEARTBEAT && kept < 2000 ? 1 : 0;
		if (r.kind == GF_RECORD_LOST) {
			lost_sessions += r.lost.counts[GF_RECORD_SESSION_ENDED];
			lost_beats += r.lost.counts[GF_RECORD_HEARTBEAT];
		}
		seq = gf_record_through(&r) + 1;
	}
	assert_true(lost_sessions > 0);
	assert_int_equal(kept + lost_sessions, sessions);
	assert_int_equal(lost_beats, beats);
	assert_int_equal(old_beats, 0);
	assert_int_equal(spool_stats(spool).dropped, lost_sessions + lost_beats);
	spool_close(spool);
}

static void i8_without_heartbeats_the_oldest_of_the_rest_go(void **state)
{
	struct trap *t = *state;
	struct model m = {0};
	struct spool *spool = must_open(t, SPOOL_BYTES_MIN);
	for (int i = 0; i < 4000; i++)
		assert_int_equal(model_append(&m, spool, SPOOL_BATCH_MAX), 0);
	assert_true(trap_usage(t) + SPOOL_RESERVE_BYTES <= SPOOL_BYTES_MIN);
	/* What was written anew is not larger than it was. */
	for (size_t i = 0; i < trap_count(t, ".seg"); i++) {
		char path[160];
		trap_nth(t, ".seg", i, path);
		assert_true(trap_size(path) <= SPOOL_SEGMENT_BYTES);
	}
	struct count c = count_all(spool);
	assert_true(c.lost_faults > 0);
	assert_int_equal(c.faults + c.lost_faults, m.written);
	assert_int_equal(spool_stats(spool).dropped, c.lost_faults);
	assert_true(c.losts <= 2);
	assert_int_equal(model_read(spool, 1).kind, GF_RECORD_LOST);
	model_check(&m, spool);
	spool_close(spool);
	spool = must_open(t, SPOOL_BYTES_MIN);
	model_check(&m, spool);
	spool_close(spool);
}

static void what_is_on_its_way_is_not_dropped(void **state)
{
	struct model m = {0};
	struct spool *spool = must_open(*state, SPOOL_BYTES_MIN);
	for (int i = 0; i < 100; i++)
		assert_int_equal(model_append(&m, spool, 0), 0);
	spool_pin(spool, 70);
	for (int i = 0; i < 30000; i++)
		assert_int_equal(model_append(&m, spool, 0), 0);
	for (uint64_t seq = 1; seq <= 70; seq++)
		assert_int_equal(model_read(spool, seq).kind, GF_RECORD_HEARTBEAT);
	assert_int_equal(model_read(spool, 71).kind, GF_RECORD_LOST);
	model_check(&m, spool);
	spool_close(spool);
}

static void a_lost_record_is_acked_in_parts(void **state)
{
	struct model m = {0};
	struct spool *spool = must_open(*state, SPOOL_BYTES_MIN);
	for (int i = 0; i < 30000; i++)
		assert_int_equal(model_append(&m, spool, 0), 0);
	struct gf_record lost = model_read(spool, 1);
	assert_int_equal(lost.kind, GF_RECORD_LOST);
	assert_true(lost.lost.through_seq > 10);
	assert_int_equal(lost.lost.first_wall_ms, 1001);
	assert_int_equal(lost.lost.last_wall_ms, 1000 + lost.lost.through_seq);
	/* The gateway had the first five before they were dropped here. */
	assert_int_equal(spool_ack(spool, 5), 0);
	assert_int_equal(model_read(spool, 6).seq, 1);
	assert_int_equal(spool_ack(spool, lost.lost.through_seq), 0);
	assert_int_equal(model_read(spool, lost.lost.through_seq + 1).seq, lost.lost.through_seq + 1);
	spool_close(spool);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, model_setup, model_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_spool_is_empty),
	    TEST(what_was_appended_is_there_after_opening_again),
	    TEST(records_are_read_in_any_order),
	    TEST(acks_outside_what_is_open_change_nothing),
	    TEST(acked_segments_are_removed),
	    TEST(states_alone_move_through_segments),
	    TEST(what_is_too_large_is_refused_and_changes_nothing),
	    TEST(only_one_process_has_it),
	    TEST(a_full_disk_refuses_heartbeats_and_still_takes_faults),
	    TEST(a_full_disk_can_be_opened),
	    TEST(a_disk_that_fills_at_any_byte_loses_nothing),
	    TEST(a_disk_that_fills_while_segments_change_loses_nothing),
	    TEST(i8_weeks_offline_keep_faults_and_drop_heartbeats_first),
	    TEST(i8_a_session_goes_only_when_no_heartbeat_is_left_to_go),
	    TEST(i8_without_heartbeats_the_oldest_of_the_rest_go),
	    TEST(what_is_on_its_way_is_not_dropped),
	    TEST(a_lost_record_is_acked_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
