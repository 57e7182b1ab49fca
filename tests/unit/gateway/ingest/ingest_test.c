/* From bytes to acks: nothing is acked before its commit (I2), nothing that arrives stops the others (I10). */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/wishes.h"
#include "proto/base/rand.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/unit/gateway/ingest/feed.h"

static const char report_topic[] = "gymfleet/v1/devices/chair-1/report";

static void i2_acks_leave_only_after_the_commit(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {session(1, 1, NOON - HOUR), session(2, 2, NOON)};
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, rs, 2);

	assert_int_equal(push(in, report_topic, buf, len), 0);
	assert_int_equal(ingest_pending(in), 1);
	assert_int_equal(acks.count, 0);
	assert_int_equal(count_sessions(f, NULL), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	assert_string_equal(acks.device, "chair-1");
	assert_int_equal(acks.last.through_seq, 2);
	assert_int_equal(count_sessions(f, "chair-1"), 2);
	assert_int_equal(ingest_pending(in), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	ingest_free(in);
}

static void i2_a_failing_commit_acks_nothing_and_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record r = session(1, 1, NOON);
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, &r, 1);
	struct gf_diag diag = {""};
	struct ingest_state st;
	sqlite3 *other;

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(push(in, report_topic, buf, len), 0);
	assert_int_equal(ingest_commit(in, NOON, &diag), -EBUSY);
	assert_int_equal(ingest_commit(in, NOON + 1, &diag), -EBUSY);
	assert_non_null(strstr(diag.text, "locked by another process"));
	assert_int_equal(acks.count, 0);
	ingest_state_get(in, &st);
	assert_int_equal(st.failures_in_a_row, 2);
	assert_int_equal(st.failing_since_ms, NOON);
	assert_string_equal(st.last_error.text, diag.text);
	sqlite3_close(other);
	assert_int_equal(ingest_commit(in, NOON + 2, &diag), 0);
	assert_int_equal(acks.count, 1);
	ingest_state_get(in, &st);
	assert_int_equal(st.failures_in_a_row, 0);
	assert_int_equal(st.failed_commits, 2);
	assert_int_equal(count_sessions(f, NULL), 1);
	ingest_free(in);
}

static void i8_a_full_batch_refuses(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record r = session(1, 1, NOON);
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, &r, 1);

	for (size_t i = 0; i < INGEST_BATCH_MAX; i++)
		assert_int_equal(push(in, report_topic, buf, len), 0);
	assert_int_equal(push(in, report_topic, buf, len), INGEST_E_FULL);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, INGEST_BATCH_MAX);
	assert_int_equal(count_sessions(f, NULL), 1);
	ingest_free(in);
}

static void i10_garbage_is_quarantined_and_stops_nobody(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record r = session(1, 1, NOON);
	unsigned char good[GF_REPORT_MAX], big[GF_REPORT_MAX + 1] = {0};
	size_t len = encode_report(good, 1, &r, 1);
	struct ingest_state st;
	struct store_stats stats;

	assert_int_equal(push(in, "gymfleet/v1/devices/bad-1/report", "\xff\xff\xff", 3), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/bad-1/status", "nonsense", 8), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/bad-1/report", big, sizeof(big)), 0);
	assert_int_equal(push(in, report_topic, good, len), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 1);
	ingest_state_get(in, &st);
	assert_int_equal(st.undecodable, 3);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 3);
	assert_string_equal(stats.quarantine_last_device, "bad-1");
	assert_string_equal(stats.quarantine_last_reason, "too large");
	assert_int_equal(stats.devices, 1);
	ingest_free(in);
}

static void i10_any_mutation_of_a_report_is_survived(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {heartbeat(1, NOON, 40), session(2, 1, NOON),
	                         fault(3, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON)};
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, rs, 3);
	struct gf_prng p;

	gf_prng_seed(&p, 7);
	for (int i = 0; i < 2000; i++) {
		unsigned char copy[GF_REPORT_MAX];

		memcpy(copy, buf, len);
		for (uint64_t n = 1 + gf_prng_below(&p, 4); n > 0; n--)
			copy[gf_prng_below(&p, len)] = (unsigned char)gf_prng_next(&p);
		assert_int_equal(push(in, report_topic, copy, len - gf_prng_below(&p, 3)), 0);
		if (ingest_pending(in) == INGEST_BATCH_MAX)
			assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	}
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
	ingest_free(in);
}

static uint64_t open_command(struct fixture *f)
{
	const struct store_actor anna = {"anna", "a test"};
	uint64_t id = 0;

	send_status(f, "chair-1", birth(1, 1, 1), false, NOON);
	assert_int_equal(store_command_add(f->store, "chair-1", GF_COMMAND_STOP, 10000, &anna, NOON, &id, NULL), 0);
	return id;
}

static enum store_command_state command_state(struct fixture *f, uint64_t id)
{
	struct store_command c;

	assert_int_equal(store_read_command(f->reader, id, &c, NULL), 0);
	return c.state;
}

static void a_reply_ends_its_command_and_is_not_acked(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	uint64_t id = open_command(f);
	struct gf_reply reply = {.id = id, .outcome = GF_COMMAND_OUTCOME_DONE, .detail = "stopped"};
	unsigned char buf[GF_REPLY_MAX];
	struct ingest_state st;
	size_t len;

	assert_int_equal(gf_reply_encode(&reply, buf, sizeof(buf), &len), 0);
	/* Another machine's word on it counts for nothing. */
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-2/reply", buf, len), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(command_state(f, id), STORE_COMMAND_SENT);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/reply", buf, len), 0);
	assert_int_equal(command_state(f, id), STORE_COMMAND_SENT);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(command_state(f, id), STORE_COMMAND_DONE);
	ingest_state_get(in, &st);
	assert_int_equal(st.replies, 2);
	assert_int_equal(acks.count, 0);
	ingest_free(in);
}

static void i10_a_reply_that_is_none_is_quarantined(void **state)
{
	static const unsigned char big[GF_REPLY_MAX + 1] = {0};
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	uint64_t id = open_command(f);
	struct store_stats stats;

	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/reply", "\xff\xff\xff", 3), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/reply", big, sizeof(big)), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(command_state(f, id), STORE_COMMAND_SENT);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 2);
	assert_string_equal(stats.quarantine_last_reason, "too large");
	ingest_free(in);
}

static void rejected_records_are_kept_and_acked(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 1ULL << 50, NOON), session(3, 2, NOON)};
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, rs, 3);
	struct store_stats stats;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(push(in, report_topic, buf, len), 0);
		assert_int_equal(ingest_commit(in, NOON, NULL), 0);
		assert_int_equal(acks.last.through_seq, 3);
		assert_int_equal(acks.last.rejected, i == 0 ? 1 : 0);
	}
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, 1);
	assert_int_equal(count_sessions(f, NULL), 2);
	ingest_free(in);
}

static void other_topics_are_ignored(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct ingest_state st;

	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/ack", "x", 1), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/BAD_ID/report", "x", 1), 0);
	assert_int_equal(push(in, "gymfleet/v1/gateway/status", "x", 1), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/status", "", 0), 0);
	assert_int_equal(ingest_pending(in), 0);
	ingest_state_get(in, &st);
	assert_int_equal(st.ignored, 4);
	ingest_free(in);
}

static void a_birth_makes_the_machine_known(void **state)
{
	struct fixture *f = *state;
	struct acks acks = {0};
	struct ingest *in = make_ingest(f, &acks);
	struct gf_status st = birth(1, 1, 1);
	unsigned char buf[GF_STATUS_MAX];
	size_t len;
	struct store_device d;

	assert_int_equal(gf_status_encode(&st, buf, sizeof(buf), &len), 0);
	assert_int_equal(push(in, "gymfleet/v1/devices/chair-1/status", buf, len), 0);
	assert_int_equal(ingest_commit(in, NOON, NULL), 0);
	assert_int_equal(acks.count, 0);
	d = get_device(f, "chair-1", NOON);
	assert_true(d.online && d.born);
	assert_int_equal(d.class, GF_CLASS_CHAIR);
	assert_string_equal(d.location.site, "berlin");
	ingest_free(in);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i2_acks_leave_only_after_the_commit),
	    TEST(i2_a_failing_commit_acks_nothing_and_is_tried_again),
	    TEST(i8_a_full_batch_refuses),
	    TEST(i10_garbage_is_quarantined_and_stops_nobody),
	    TEST(i10_any_mutation_of_a_report_is_survived),
	    TEST(a_reply_ends_its_command_and_is_not_acked),
	    TEST(i10_a_reply_that_is_none_is_quarantined),
	    TEST(rejected_records_are_kept_and_acked),
	    TEST(other_topics_are_ignored),
	    TEST(a_birth_makes_the_machine_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
