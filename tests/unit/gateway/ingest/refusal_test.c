/*
 * A message that decodes well and that the database refuses all the same: it would refuse it for ever, and must not hold up
 * the others (I10), nor be acked for what isn't stored (I2).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/unit/gateway/ingest/feed.h"

/* Changes the database behind the store's back: constraints that refuse what the test wants refused. */
static void alter(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Nothing of these machines can be stored. */
#define REFUSE_BAD                                                           \
	"CREATE TRIGGER refuse BEFORE UPDATE ON devices WHEN NEW.id GLOB 'bad*'" \
	" BEGIN SELECT raise(ABORT, 'no such machine here'); END;"

static void push_sessions(struct ingest *in, const char *prefix, int machines)
{
	struct gf_record r = session(1, 1, NOON);

	for (int i = 0; i < machines; i++) {
		char device[GF_ID_MAX];

		snprintf(device, sizeof(device), "%s-%d", prefix, i);
		push_report(in, device, &r, 1);
	}
}

static void i10_a_message_the_database_refuses_stops_nobody(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_status st = birth(1, 1, 1);
	unsigned char buf[GF_STATUS_MAX];
	size_t len;
	struct ingest_state counted;
	struct store_stats stats;

	alter(f, REFUSE_BAD);
	assert_int_equal(gf_status_encode(&st, buf, sizeof(buf), &len), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-0/status", buf, len), 0);
	push_sessions(in, "chair", 5);
	push_sessions(in, "bad", 1);
	assert_int_equal(push(in, "gymfleet/v1/devices/bad-0/status", buf, len), 0);
	push_sessions(in, "gun", 6);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(acks.count, 11);
	assert_int_equal(count_sessions(f, NULL), 11);
	assert_true(get_device(f, "chair-0", NOON).born);
	ingest_state_get(in, &counted);
	assert_int_equal(counted.undecodable, 2);
	assert_int_equal(counted.failed_commits, 0);
	assert_int_equal(counted.unkept, 0);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 2);
	assert_int_equal(stats.quarantine_kept, 2);
	assert_string_equal(stats.quarantine_last_device, "bad-0");
	assert_non_null(strstr(stats.quarantine_last_reason, "no such machine here"));
	/* It wasn't acked, so the machine still has it. */
	alter(f, "DROP TRIGGER refuse");
	push_sessions(in, "bad", 1);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 12);
	assert_int_equal(count_sessions(f, "bad-0"), 1);
	ingest_free(in);
}

static int64_t count_rows(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t count;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	count = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return count;
}

/* The rollups are written after the records, for many reports at once: the refusal meets another report, or the commit. */
static void i10_a_record_refused_at_the_commit_is_rejected_alone(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record poisoned[] = {session(1, 1, NOON - HOUR), heartbeat(2, NOON - HOUR, 40),
	                               heartbeat(3, NOON - DAY, 40), session(4, 2, NOON), heartbeat(5, NOON, 40)};
	struct gf_record many[GF_REPORT_RECORDS_MAX];
	struct ingest_state st;
	struct store_stats stats;

	alter(f, "CREATE TRIGGER refuse BEFORE INSERT ON rollups WHEN NEW.span_s = 300 AND NEW.start_ms = 1795089600000"
	         " BEGIN SELECT raise(ABORT, 'not that day'); END");
	push_report(in, "chair-1", poisoned, 5);
	for (size_t i = 0; i < GF_REPORT_RECORDS_MAX; i++)
		many[i] = heartbeat(i + 1, NOON + (int64_t)i * MINUTE * 10, 40);
	for (int i = 0; i < 4; i++)
		push_report(in, (const char *[]){"gun-1", "gun-2", "gun-3", "gun-4"}[i], many, 60);
	assert_int_equal(ingest_commit(in, NOON + DAY, NULL), 0);
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(acks.count, 5);
	ingest_state_get(in, &st);
	assert_int_equal(st.rejected, 1);
	assert_int_equal(st.undecodable, 0);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
	assert_int_equal(get_device(f, "chair-1", NOON).acked_seq, 5);
	assert_int_equal(get_device(f, "gun-4", NOON).acked_seq, 60);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM heartbeats"), 2 + 4 * 60);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 1);
	assert_string_equal(stats.quarantine_last_device, "chair-1");
	assert_non_null(strstr(stats.quarantine_last_reason, "not that day"));
	/* Sent again, as after a lost ack: nothing happens twice. */
	push_report(in, "chair-1", poisoned, 5);
	assert_int_equal(ingest_commit(in, NOON + DAY, NULL), 0);
	assert_int_equal(acks.last.through_seq, 5);
	assert_int_equal(acks.last.rejected, 0);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
	ingest_free(in);
}

/* Every insertion into the table makes the COMMIT itself fail. */
#define REFUSE_COMMIT(table)                                                               \
	"CREATE TABLE owed (device INTEGER REFERENCES devices DEFERRABLE INITIALLY DEFERRED);" \
	"CREATE TRIGGER owe AFTER INSERT ON " table " BEGIN INSERT INTO owed VALUES (-1); END"

static struct gf_record lost(uint64_t seq, uint64_t through_seq)
{
	struct gf_record r = record(seq, GF_RECORD_LOST, NOON);

	r.lost.through_seq = through_seq;
	r.lost.counts[GF_RECORD_HEARTBEAT] = through_seq - seq + 1;
	return r;
}

static void i10_a_refused_run_of_records_is_passed_over_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {session(1, 1, NOON), lost(2, 10), session(11, 2, NOON)};

	alter(f, REFUSE_COMMIT("lost"));
	push_report(in, "chair-1", rs, 2);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	assert_int_equal(acks.last.through_seq, 10);
	assert_int_equal(acks.last.rejected, 1);
	push_report(in, "chair-1", rs + 2, 1);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.last.through_seq, 11);
	assert_int_equal(acks.last.rejected, 0);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM lost"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), 1);
	ingest_free(in);
}

/* Where the unreadable one stands is told by the refused one before it. */
static void i10_an_unreadable_record_after_a_refused_run_is_rejected_too(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {lost(1, 10), session(12, 1, NOON)};
	struct gf_stream_id id = stream_id(1);
	unsigned char buf[GF_REPORT_MAX], bytes[GF_RECORD_MAX];
	struct gf_report_writer w;
	size_t len;

	alter(f, REFUSE_COMMIT("lost"));
	assert_int_equal(gf_report_begin(&w, buf, sizeof(buf), &id, 1), 0);
	assert_int_equal(gf_record_encode(&rs[0], bytes, sizeof(bytes), &len), 0);
	assert_int_equal(gf_report_add(&w, bytes, len), 0);
	assert_int_equal(gf_report_add(&w, "\xff\xff", 2), 0);
	assert_int_equal(gf_record_encode(&rs[1], bytes, sizeof(bytes), &len), 0);
	assert_int_equal(gf_report_add(&w, bytes, len), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/report", buf, w.len), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	assert_int_equal(acks.last.through_seq, 12);
	assert_int_equal(acks.last.rejected, 2);
	assert_int_equal(count_sessions(f, "chair-1"), 1);
	ingest_free(in);
}

/* Refused alone, or with impossible numbers: both are rejected, and the report's bytes are kept once. */
static void i10_a_report_with_several_bad_records_is_kept_once(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {session(1, 1ULL << 50, NOON),
	                         session(2, 1, NOON),
	                         fault(3, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         fault(4, 2, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         session(5, 2, NOON),
	                         fault(6, 3, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON)};

	alter(f, REFUSE_COMMIT("faults"));
	push_report(in, "chair-1", rs, 6);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	assert_int_equal(acks.last.through_seq, 6);
	assert_int_equal(acks.last.rejected, 4);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), 1);
	ingest_free(in);
}

static void i2_a_failure_among_refusals_keeps_what_is_not_committed(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	size_t before;

	alter(f, REFUSE_BAD);
	push_sessions(in, "chair", 4);
	push_sessions(in, "bad", 1);
	push_sessions(in, "gun", 3);
	assert_int_equal(sqlite3_open(f->path, &acks.lock), SQLITE_OK);
	assert_int_equal(ingest_commit(in, NOON, NULL), -EBUSY);
	before = acks.count;
	assert_in_range(before, 1, 6);
	assert_int_equal(count_sessions(f, NULL), before);
	assert_int_equal(ingest_pending(in), 8 - before);
	assert_int_equal(ingest_commit(in, NOON, NULL), -EBUSY);
	assert_int_equal(acks.count, before);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), 0);
	sqlite3_close(acks.lock);
	acks.lock = NULL;
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(acks.count, 7);
	assert_int_equal(count_sessions(f, NULL), 7);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), 1);
	ingest_free(in);
}

static void i2_what_quarantine_refuses_is_not_acked(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record r = session(1, 1ULL << 50, NOON);
	struct ingest_state st;

	alter(f, "CREATE TRIGGER refuse BEFORE INSERT ON quarantine BEGIN SELECT raise(ABORT, 'full up'); END");
	push_sessions(in, "chair", 2);
	push_report(in, "bad-1", &r, 1);
	assert_int_equal(push(in, "gymfleet/v1/devices/bad-2/status", "nonsense", 8), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/bad-3/report", "nonsense", 8), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(acks.count, 2);
	assert_string_equal(acks.device, "chair-1");
	ingest_state_get(in, &st);
	assert_int_equal(st.unkept, 3);
	assert_int_equal(st.undecodable, 0);
	assert_int_equal(st.rejected, 0);
	assert_non_null(strstr(st.last_unkept.text, "full up"));
	ingest_free(in);
}

/* A machine without an ack sends again and again; what others sent stays in quarantine. */
static void i8_what_is_sent_again_without_an_ack_is_kept_once(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct store_stats stats;

	alter(f, REFUSE_BAD);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/status", "nonsense", 8), 0);
	push_sessions(in, "bad", 1);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/report", "nonsense", 8), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	for (int i = 0; i < 3; i++) {
		struct gf_record r = session(1, 1, NOON);
		unsigned char buf[GF_REPORT_MAX];
		size_t len = encode_report(buf, 1, &r, 1);

		assert_int_equal(
		    ingest_message(in, "gymfleet/v1/devices/bad-0/report", 32, buf, len, false, NOON + MINUTE * (i + 1)), 0);
		assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	}
	assert_int_equal(acks.count, 0);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 6);
	assert_int_equal(stats.quarantine_kept, 3);
	assert_string_equal(stats.quarantine_last_device, "bad-0");
	assert_int_equal(stats.quarantine_last_ms, NOON + 3 * MINUTE);
	ingest_free(in);
}

static void i10_a_batch_of_nothing_but_refusals_ends(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	size_t calls = 0;

	alter(f, REFUSE_BAD);
	push_sessions(in, "bad", INGEST_BATCH_MAX - 1);
	push_sessions(in, "chair", 1);
	while (ingest_pending(in) > 0) {
		size_t before = ingest_pending(in);

		assert_int_equal(ingest_commit(in, NOON, NULL), 0);
		assert_true(ingest_pending(in) < before);
		calls++;
	}
	assert_true(calls > 1);
	assert_int_equal(acks.count, 1);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), INGEST_BATCH_MAX - 1);
	ingest_free(in);
}

/* ---- a failure at any moment ---- */

/* Of the next calls of the store, this one fails as on a full disk; 0: none. */
static unsigned fail_at;

int __real_store_begin(struct store *store, struct gf_diag *diag);
int __real_store_commit(struct store *store, struct gf_diag *diag);
int __wrap_store_begin(struct store *store, struct gf_diag *diag);
int __wrap_store_commit(struct store *store, struct gf_diag *diag);

static bool fails(void)
{
	return fail_at > 0 && --fail_at == 0;
}

int __wrap_store_begin(struct store *store, struct gf_diag *diag)
{
	return fails() ? -ENOSPC : __real_store_begin(store, diag);
}

int __wrap_store_commit(struct store *store, struct gf_diag *diag)
{
	if (!fails())
		return __real_store_commit(store, diag);
	store_rollback(store);
	return -ENOSPC;
}

/* Some machines that are fine, one of which nothing can be stored, one with records that are refused; the nth call fails.
 * Returns what the store says in the end; *ret_failed: there was an nth call. */
static char *run_with_failure(unsigned nth, bool *ret_failed)
{
	struct gf_record rs[] = {session(1, 1, NOON), fault(2, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         session(3, 2, NOON), fault(4, 2, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         session(5, 1ULL << 50, NOON)};
	struct acks acks = {0};
	struct ingest *in;
	struct fixture *f;
	void *state;
	char *said;
	int r;

	assert_int_equal(fixture_setup(&state), 0);
	f = state;
	alter(f, REFUSE_BAD);
	alter(f, REFUSE_COMMIT("faults"));
	in = make_ingest(f, &acks);
	push_sessions(in, "chair", 1);
	push_sessions(in, "bad", 1);
	push_report(in, "gun-1", rs, 5);
	push_sessions(in, "gun", 1);
	fail_at = nth;
	r = ingest_commit(in, NOON, NULL);
	*ret_failed = r != 0;
	if (r) {
		assert_int_equal(r, -ENOSPC);
		assert_true(ingest_pending(in) > 0);
		assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	}
	fail_at = 0;
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(acks.count, 3);
	assert_int_equal(get_device(f, "gun-1", NOON).acked_seq, 5);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM quarantine"), 2);
	said = fingerprint(f);
	ingest_free(in);
	assert_int_equal(fixture_teardown(&state), 0);
	return said;
}

static void i2_a_full_disk_at_any_moment_changes_nothing_in_the_end(void **state)
{
	bool failed;
	char *right = run_with_failure(0, &failed);
	unsigned nth = 1;

	(void)state;
	assert_false(failed);
	do {
		char *said = run_with_failure(nth++, &failed);

		assert_string_equal(said, right);
		free(said);
	} while (failed);
	assert_true(nth > 20);
	free(right);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i10_a_message_the_database_refuses_stops_nobody),
	    TEST(i10_a_record_refused_at_the_commit_is_rejected_alone),
	    TEST(i10_a_refused_run_of_records_is_passed_over_to_its_end),
	    TEST(i10_an_unreadable_record_after_a_refused_run_is_rejected_too),
	    TEST(i10_a_report_with_several_bad_records_is_kept_once),
	    TEST(i2_a_failure_among_refusals_keeps_what_is_not_committed),
	    TEST(i2_what_quarantine_refuses_is_not_acked),
	    TEST(i8_what_is_sent_again_without_an_ack_is_kept_once),
	    TEST(i10_a_batch_of_nothing_but_refusals_ends),
	    cmocka_unit_test(i2_a_full_disk_at_any_moment_changes_nothing_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
