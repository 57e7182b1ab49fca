/* A spool that went back begins a new stream with what isn't acked: nothing lost, nothing twice, whatever cuts it short. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/unit/agent/spool/model.h"

enum { ROOMY = 16 << 20, RECORDS = 40, ACKED = 15 };

/* RECORDS faults, ACKED of them acked, and a state. */
static struct spool *fill(struct trap *t)
{
	struct model m = {0};
	struct spool *spool = model_open(t, ROOMY);
	assert_non_null(spool);
	while (m.written < RECORDS)
		assert_int_equal(model_append(&m, spool, 1), 0);
	assert_int_equal(model_ack(&m, spool, ACKED), 0);
	return spool;
}

/* The faults that were not acked, in their order, from seq 1 on. */
static void check(struct spool *spool)
{
	assert_int_equal(spool_acked(spool), 0);
	assert_int_equal(spool_next_seq(spool), RECORDS - ACKED + 1);
	for (uint64_t seq = 1; seq < spool_next_seq(spool); seq++) {
		struct gf_record record = model_read(spool, seq);
		assert_int_equal(record.seq, seq);
		assert_int_equal(record.fault_raised.fault_no, ACKED + seq);
	}
}

static bool same(struct gf_stream_id a, struct gf_stream_id b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void i1_what_is_not_acked_goes_into_a_new_stream(void **state)
{
	struct trap *t = *state;
	struct spool *spool = fill(t);
	struct gf_stream_id before = spool_stream(spool);
	size_t len = 0;

	assert_int_equal(spool_restart(spool), 0);
	assert_false(same(before, spool_stream(spool)));
	check(spool);
	assert_int_equal(trap_count(t, ".corrupt"), 1);
	before = spool_stream(spool);
	spool_close(spool);

	spool = model_open(t, ROOMY);
	assert_true(same(before, spool_stream(spool)));
	check(spool);
	spool_state(spool, &len);
	assert_true(len > 0);
	/* It goes on as any other. */
	struct gf_record more = model_fault(1);
	assert_int_equal(spool_append(spool, &more, 1, NULL, 0), 0);
	assert_int_equal(spool_ack(spool, more.seq), 0);
	assert_int_equal(spool_stats(spool).records, 0);
	spool_close(spool);
}

static void a_lost_record_stands_for_as_many(void **state)
{
	struct trap *t = *state;
	struct model m = {0};
	struct spool *spool = model_open(t, SPOOL_BYTES_MIN);
	for (int i = 0; i < 30000; i++)
		assert_int_equal(model_append(&m, spool, 0), 0);
	struct gf_record before = model_read(spool, 1);
	assert_int_equal(before.kind, GF_RECORD_LOST);

	assert_int_equal(spool_restart(spool), 0);
	struct gf_record after = model_read(spool, 1);
	assert_int_equal(after.kind, GF_RECORD_LOST);
	assert_int_equal(after.lost.through_seq, before.lost.through_seq);
	assert_int_equal(after.lost.counts[GF_RECORD_HEARTBEAT], before.lost.counts[GF_RECORD_HEARTBEAT]);
	assert_int_equal(spool_next_seq(spool), m.written + 1);
	spool_close(spool);
}

static void an_empty_one_only_changes_its_stream(void **state)
{
	struct trap *t = *state;
	struct spool *spool = fill(t);
	assert_int_equal(spool_ack(spool, RECORDS), 0);
	struct gf_stream_id before = spool_stream(spool);
	assert_int_equal(spool_restart(spool), 0);
	assert_false(same(before, spool_stream(spool)));
	assert_int_equal(spool_next_seq(spool), 1);
	spool_close(spool);
}

/* On a full disk heartbeats are refused: what comes behind them is not lost with them. */
static void i1_on_a_full_disk_only_heartbeats_stay_behind(void **state)
{
	struct trap *t = *state;
	struct model m = {0};
	struct spool *spool = model_open(t, ROOMY);
	for (size_t i = 0; i < 2 * SPOOL_BATCH_MAX; i++)
		assert_int_equal(model_append(&m, spool, 0), 0);
	assert_int_equal(model_append(&m, spool, SPOOL_BATCH_MAX), 0);
	t->space = 0;
	assert_int_equal(spool_restart(spool), 0);
	assert_int_equal(spool_next_seq(spool), SPOOL_BATCH_MAX + 1);
	for (uint64_t seq = 1; seq < spool_next_seq(spool); seq++)
		assert_int_equal(model_read(spool, seq).fault_raised.fault_no, m.written - SPOOL_BATCH_MAX + seq);
	assert_int_equal(spool_stats(spool).dropped, 2 * SPOOL_BATCH_MAX);
	spool_close(spool);
}

/* A backlog of weeks goes over while the machine's watchdog waits: not with a sync for each record. */
static void it_syncs_seldom(void **state)
{
	struct trap *t = *state;
	struct spool *spool = fill(t);
	t->syncs = 0;
	assert_int_equal(spool_restart(spool), 0);
	assert_in_range(t->syncs, 1, 10);
	check(spool);
	spool_close(spool);
}

/*
 * Killed at any byte: the old stream as it was, which will be found overtaken again; or a stream that begins anew with the old
 * files set aside; never both, never damage that stays.
 */
static void i1_killed_at_any_byte_it_opens_again(void **state)
{
	struct trap *t = *state;
	struct spool *spool = fill(t);
	struct gf_stream_id before = spool_stream(spool);
	int64_t start = t->spent;
	assert_int_equal(spool_restart(spool), 0);
	int64_t whole = t->spent - start;
	spool_close(spool);

	for (int64_t life = 0; life < whole; life++) {
		struct trap cut;
		trap_init(&cut);
		spool = fill(&cut);
		before = spool_stream(spool);
		cut.life = cut.spent + life;
		assert_int_not_equal(spool_restart(spool), 0);
		spool_close(spool);
		trap_revive(&cut);
		spool = model_open(&cut, ROOMY);
		assert_non_null(spool);
		bool old = same(before, spool_stream(spool));
		assert_int_equal(spool_acked(spool), old ? ACKED : 0);
		assert_true(old || trap_count(&cut, ".corrupt") > 0);
		for (uint64_t seq = spool_acked(spool) + 1; seq < spool_next_seq(spool); seq++)
			assert_int_equal(model_read(spool, seq).fault_raised.fault_no, old ? seq : ACKED + seq);
		spool_close(spool);
		trap_deinit(&cut);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, model_setup, model_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(i1_what_is_not_acked_goes_into_a_new_stream),
	    TEST(a_lost_record_stands_for_as_many),
	    TEST(an_empty_one_only_changes_its_stream),
	    TEST(i1_on_a_full_disk_only_heartbeats_stay_behind),
	    TEST(it_syncs_seldom),
	    TEST(i1_killed_at_any_byte_it_opens_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
