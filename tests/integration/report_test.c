/*
 * What a device may say in its reports, right and wrong, against a real gateway: everything good is stored exactly once (I1) and acked
 * only when it is (I2), everything bad is counted, kept and shown (I10), and after any of it a good report goes through.
 */
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "tests/integration/lab.h"

#define VICTIM_REPORT "gymfleet/v1/devices/victim/report"

enum { SOON_MS = 20000, NOT_AUTHORISED = 0x87, PACKET_TAKEN_MAX = 64 * 1024 };

static int setup(void **state)
{
	struct it_lab *t = it_lab_open(state, "report");

	it_machine_birth(t->m, NULL);
	return 0;
}

/* When a session began: after the birth, which tells the odometer before all of them. */
static int64_t began_ms(const struct it_machine *m, uint64_t no)
{
	return m->opened_ms + (int64_t)no * 1000;
}

/* Reports the sessions `from`..`to` under seqs of the same numbers. */
static void report_sessions(struct it_machine *m, uint64_t from, uint64_t to)
{
	struct gf_record records[GF_REPORT_RECORDS_MAX];

	for (uint64_t no = from; no <= to; no++)
		records[no - from] = it_session(m, no, no, began_ms(m, no));
	it_machine_report(m, records, (size_t)(to - from + 1));
}

static void expect_stored(struct it_lab *t, const char *id, uint64_t sessions)
{
	struct it_sums sums = it_sessions(t->w, id);

	assert_int_equal(sums.sessions, sessions);
	assert_int_equal(sums.motor_ms, sessions * IT_SESSION_MS);
	assert_true(it_audit_settled(t->w));
}

/* One more ack than before, and what it says. */
static struct gf_ack next_ack(struct it_machine *m, size_t before)
{
	IT_UNTIL(SOON_MS, it_machine_acks(m) > before);
	return it_machine_ack(m);
}

static void i1_duplicates_and_overlaps_are_stored_once(void **state)
{
	struct it_lab *t = *state;

	report_sessions(t->m, 1, 3);
	assert_int_equal(next_ack(t->m, 0).through_seq, 3);
	report_sessions(t->m, 1, 3);
	assert_int_equal(next_ack(t->m, 1).through_seq, 3);
	report_sessions(t->m, 2, 5);
	assert_int_equal(next_ack(t->m, 2).through_seq, 5);
	report_sessions(t->m, 4, 4);
	assert_int_equal(next_ack(t->m, 3).through_seq, 5);
	assert_int_equal(it_machine_ack(t->m).rejected, 0);
	expect_stored(t, IT_CHAIR, 5);
}

static void i1_a_hole_is_answered_with_the_old_ack(void **state)
{
	struct it_lab *t = *state;

	report_sessions(t->m, 3, 4);
	assert_int_equal(next_ack(t->m, 0).through_seq, 0);
	report_sessions(t->m, 1, 1);
	assert_int_equal(next_ack(t->m, 1).through_seq, 1);
	report_sessions(t->m, 3, 4);
	assert_int_equal(next_ack(t->m, 2).through_seq, 1);
	expect_stored(t, IT_CHAIR, 1);
	report_sessions(t->m, 2, 4); /* it went back */
	assert_int_equal(next_ack(t->m, 3).through_seq, 4);
	expect_stored(t, IT_CHAIR, 4);
}

static void i1_a_new_stream_begins_at_one(void **state)
{
	struct it_lab *t = *state;
	struct gf_stream_id old = t->m->stream;
	struct gf_record more[2];

	report_sessions(t->m, 1, 3);
	assert_int_equal(next_ack(t->m, 0).through_seq, 3);
	gf_rand_bytes(&t->m->stream, sizeof t->m->stream); /* its disk was exchanged; the odometer goes on */
	for (uint64_t i = 0; i < 2; i++)
		more[i] = it_session(t->m, i + 1, i + 4, began_ms(t->m, i + 4));
	it_machine_report(t->m, &more[1], 1);
	assert_int_equal(next_ack(t->m, 1).through_seq, 0);
	it_machine_report(t->m, more, 2);
	assert_int_equal(next_ack(t->m, 2).through_seq, 2);
	expect_stored(t, IT_CHAIR, 5);
	t->m->stream = old; /* an echo of the old one changes nothing */
	report_sessions(t->m, 1, 3);
	assert_int_equal(next_ack(t->m, 3).through_seq, 3);
	expect_stored(t, IT_CHAIR, 5);
}

/* ---- what can't be stored ---- */

static void lock(sqlite3 **ret_db, const char *path)
{
	assert_int_equal(sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(*ret_db, SOON_MS);
	assert_int_equal(sqlite3_exec(*ret_db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void i2_no_ack_before_the_commit(void **state)
{
	struct it_lab *t = *state;
	sqlite3 *db;

	report_sessions(t->m, 1, 1);
	assert_int_equal(next_ack(t->m, 0).through_seq, 1);
	lock(&db, it_path(t->w, "gateway/gymfleet.db"));
	report_sessions(t->m, 2, 3);
	/* The gateway has the report, tried, and says why it can't. */
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "ingest", "critical", "locked by another process"));
	report_sessions(t->m, 2, 3); /* the machine asks again meanwhile */
	assert_int_equal(it_machine_acks(t->m), 1);
	expect_stored(t, IT_CHAIR, 1); /* what is committed can still be read */

	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(next_ack(t->m, 1).through_seq, 3);
	expect_stored(t, IT_CHAIR, 3);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "ingest", "ok", ""));
}

/* ---- what is not a report ---- */

/* The gateway lives, and ends well: a sanitizer would say so in its exit code. */
static void expect_sound(struct it_lab *t)
{
	assert_true(it_alive(t->gateway));
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
}

static bool quarantined(struct it_lab *t, unsigned long long count, const char *device)
{
	char words[128];

	snprintf(words, sizeof words, "%llu messages or records weren't understood, the last from %s", count, device);
	return it_doctor_says(t->w, "quarantine", "attention", words);
}

static void i10_garbage_is_kept_counted_and_wedges_nothing(void **state)
{
	enum { PIECES = 60 };
	struct it_lab *t = *state;
	struct gf_record good = it_session(t->m, 1, 1, began_ms(t->m, 1));
	unsigned char report[GF_REPORT_MAX], garbage[512];
	size_t len = it_report_encode(t->m, &good, 1, report);
	struct gf_prng prng;

	gf_prng_seed(&prng, 7);
	for (unsigned i = 0; i < PIECES; i++) {
		size_t n = 1 + gf_prng_below(&prng, sizeof garbage);
		for (size_t k = 0; k < n; k++)
			garbage[k] = (unsigned char)gf_prng_next(&prng);
		garbage[0] = 0xff; /* never a field of a report */
		it_machine_say(t->m, i % 2 ? GF_TOPIC_REPORT : GF_TOPIC_STATUS, garbage, n);
	}
	for (size_t cut = 1; cut < 20; cut++) /* within the head: nobody can tell what to ack */
		it_machine_say(t->m, GF_TOPIC_REPORT, report, cut);
	IT_UNTIL(SOON_MS, quarantined(t, PIECES + 19, IT_CHAIR));
	assert_int_equal(it_machine_acks(t->m), 0);
	it_machine_say(t->m, GF_TOPIC_REPORT, report, len);
	assert_int_equal(next_ack(t->m, 0).through_seq, 1);
	expect_stored(t, IT_CHAIR, 1);
	expect_sound(t);
}

/* Good reports with bytes changed: whatever they mean now, the gateway lives and others' reports go through. */
static void i10_a_report_with_any_byte_changed_harms_nobody(void **state)
{
	struct it_lab *t = *state;
	struct it_machine *flipper = it_machine_open(t->w, "flipper");
	struct gf_record records[3];
	unsigned char report[GF_REPORT_MAX];
	struct gf_prng prng;

	gf_prng_seed(&prng, 11);
	for (unsigned i = 0; i < 300; i++) {
		gf_rand_bytes(&flipper->stream, 1);
		records[0] = it_session(flipper, 1, 1, flipper->booted_ms);
		records[1] = it_heartbeat(flipper, 2, flipper->booted_ms + 3600000, 30);
		records[2] = it_started(flipper, 3, 2, flipper->booted_ms + 7200000);
		size_t len = it_report_encode(flipper, records, 3, report);
		for (unsigned flips = 1 + i % 3; flips > 0; flips--)
			report[gf_prng_below(&prng, len)] ^= (unsigned char)(1U << gf_prng_below(&prng, 8));
		it_machine_say(flipper, GF_TOPIC_REPORT, report, len);
	}
	it_machine_close(flipper);
	report_sessions(t->m, 1, 2);
	assert_int_equal(next_ack(t->m, 0).through_seq, 2);
	assert_int_equal(it_sessions(t->w, IT_CHAIR).sessions, 2);
	expect_sound(t);
}

static void i8_a_report_over_the_limit_is_kept_in_part(void **state)
{
	struct it_lab *t = *state;
	unsigned char *big = calloc(1, PACKET_TAKEN_MAX + 4096);
	struct gf_record good = it_session(t->m, 1, 1, began_ms(t->m, 1));
	size_t len = it_report_encode(t->m, &good, 1, big);

	/* A field that a reader skips makes a good report too long: 7: bytes. */
	big[len] = 0x3a;
	big[len + 1] = 0xff;
	big[len + 2] = 0xff;
	big[len + 3] = 0x00;
	it_machine_say(t->m, GF_TOPIC_REPORT, big, GF_REPORT_MAX + 1);
	IT_UNTIL(SOON_MS, quarantined(t, 1, IT_CHAIR));
	assert_true(it_doctor_says(t->w, "quarantine", "attention", "too large"));
	/* Larger than the gateway takes at all: the broker doesn't even deliver it. */
	it_machine_say(t->m, GF_TOPIC_REPORT, big, PACKET_TAKEN_MAX + 4096);
	free(big);
	assert_int_equal(it_machine_acks(t->m), 0);
	report_sessions(t->m, 1, 1);
	assert_int_equal(next_ack(t->m, 0).through_seq, 1);
	expect_stored(t, IT_CHAIR, 1);
	assert_true(quarantined(t, 1, IT_CHAIR));
}

/* One record of the middle is bad; the ones around it are stored and the ack passes over it. */
static void expect_rejected(struct it_lab *t, uint64_t first_seq, const struct gf_record *bad, const char *words)
{
	size_t acks = it_machine_acks(t->m);
	uint64_t no = first_seq / 3 * 2 + 1;
	struct gf_record records[3] = {
	    it_session(t->m, first_seq, no, began_ms(t->m, no)),
	    *bad,
	    it_session(t->m, first_seq + 2, no + 1, began_ms(t->m, no + 1)),
	};

	records[1].seq = first_seq + 1;
	it_machine_report(t->m, records, 3);
	struct gf_ack ack = next_ack(t->m, acks);
	assert_int_equal(ack.through_seq, first_seq + 2);
	assert_int_equal(ack.rejected, 1);
	assert_int_equal(it_sessions(t->w, IT_CHAIR).sessions, no + 1);
	assert_true(it_doctor_says(t->w, "quarantine", "attention", words));
	/* Told again it is only a repetition. */
	it_machine_report(t->m, records, 3);
	ack = next_ack(t->m, acks + 1);
	assert_int_equal(ack.through_seq, first_seq + 2);
	assert_int_equal(ack.rejected, 0);
}

static void i10_a_bad_record_is_rejected_alone(void **state)
{
	struct it_lab *t = *state;
	int64_t at_ms = t->m->booted_ms + 60000;
	struct gf_record nan = it_heartbeat(t->m, 0, at_ms, 30), utf8 = it_started(t->m, 0, 90, at_ms),
	                 outcome = it_session(t->m, 0, 91, at_ms), number = it_session(t->m, 0, 92, at_ms);

	nan.heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max = NAN;
	gf_strcpy(utf8.session_started.routine, GF_NAME_MAX, "\xc3\x28");
	outcome.session_ended.outcome = (enum gf_outcome)200;
	number.session_ended.odometer.motor_ms = UINT64_C(1) << 45; /* a thousand years */
	expect_rejected(t, 1, &nan, "motor_temp_c");
	expect_rejected(t, 4, &utf8, "routine");
	expect_rejected(t, 7, &outcome, "outcome");
	expect_rejected(t, 10, &number, "");
	assert_true(quarantined(t, 4, IT_CHAIR));
	expect_stored(t, IT_CHAIR, 8);
	expect_sound(t);
}

/* Of a later version: counted and acked, nothing to quarantine. */
/* One record is refused only when the whole batch is written, of another machine nothing can be stored at all. */
static void i10_what_the_database_refuses_wedges_nothing(void **state)
{
	static const char refusals[] = "CREATE TRIGGER hot BEFORE INSERT ON rollups WHEN NEW.motor_temp_c_max > 60"
	                               " BEGIN SELECT raise(ABORT, 'too hot for this table'); END;"
	                               "CREATE TRIGGER bad BEFORE UPDATE ON devices WHEN NEW.id = 'bad-1' BEGIN SELECT "
	                               "raise(ABORT, 'not that one'); END;";
	struct it_lab *t = *state;
	struct it_machine *bad = it_machine_open(t->w, "bad-1");
	struct gf_record hot = it_heartbeat(t->m, 0, t->m->booted_ms + 60000, 61);
	sqlite3 *db;

	lock(&db, it_path(t->w, "gateway/gymfleet.db"));
	assert_int_equal(sqlite3_exec(db, refusals, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	expect_rejected(t, 1, &hot, "too hot for this table");
	report_sessions(bad, 1, 2);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "quarantine", "attention", "not that one"));
	assert_true(quarantined(t, 2, "bad-1"));
	assert_true(it_doctor_says(t->w, "ingest", "ok", ""));
	expect_rejected(t, 4, &hot, "too hot for this table");
	assert_int_equal(it_machine_acks(bad), 0);
	it_machine_close(bad);
	expect_sound(t);
}

static void a_record_of_an_unknown_kind_is_passed_over(void **state)
{
	struct it_lab *t = *state;
	struct gf_record records[2] = {it_session(t->m, 1, 1, began_ms(t->m, 1)),
	                               it_session(t->m, 3, 2, began_ms(t->m, 2))};
	unsigned char report[GF_REPORT_MAX], record[GF_RECORD_MAX];
	struct gf_report_writer writer = {0};
	static const unsigned char later[] = {
	    0x08, 2,    0x10, 1,   0x18, 5, /* seq 2, boot 1, uptime 5 */
	    0xba, 0x06, 1,    'x',          /* field 103: bytes */
	};
	size_t len;

	assert_int_equal(gf_report_begin(&writer, report, sizeof report, &t->m->stream, 1), 0);
	assert_int_equal(gf_record_encode(&records[0], record, sizeof record, &len), 0);
	assert_int_equal(gf_report_add(&writer, record, len), 0);
	assert_int_equal(gf_report_add(&writer, later, sizeof later), 0);
	assert_int_equal(gf_record_encode(&records[1], record, sizeof record, &len), 0);
	assert_int_equal(gf_report_add(&writer, record, len), 0);
	it_machine_say(t->m, GF_TOPIC_REPORT, report, writer.len);
	struct gf_ack ack = next_ack(t->m, 0);
	assert_int_equal(ack.through_seq, 3);
	assert_int_equal(ack.rejected, 0);
	expect_stored(t, IT_CHAIR, 2);
	assert_true(it_doctor_says(t->w, "quarantine", "ok", "every message was understood"));
}

/* ---- whose report ---- */

static void i7_a_report_in_anothers_name_is_refused_and_changes_nothing(void **state)
{
	struct it_lab *t = *state;
	struct gf_record forged = it_session(t->m, 1, 1, began_ms(t->m, 1));
	unsigned char report[GF_REPORT_MAX];
	size_t len = it_report_encode(t->m, &forged, 1, report);
	struct it_machine *victim = it_machine_open(t->w, "victim");

	it_machine_birth(victim, NULL);
	report_sessions(victim, 1, 2);
	assert_int_equal(next_ack(victim, 0).through_seq, 2);
	assert_int_equal(it_client_publish(t->m->client, VICTIM_REPORT, report, len, false), NOT_AUTHORISED);
	assert_int_equal(it_client_publish(t->m->client, "gymfleet/v1/devices/nobody/report", report, len, false),
	                 NOT_AUTHORISED);
	/* A marker on the same connection: what was refused didn't go before it. */
	it_machine_say(t->m, GF_TOPIC_REPORT, report, len);
	assert_int_equal(next_ack(t->m, 0).through_seq, 1);
	expect_stored(t, IT_CHAIR, 1);
	assert_int_equal(it_sessions(t->w, "victim").sessions, 2);
	json_t *devices = it_ask(t->w, "devices");
	assert_int_equal(json_array_size(it_items(devices)), 2);
	json_decref(devices);
	it_machine_close(victim);
}

/* The same stream id from two machines (a cloned disk): each has its own place in it. */
static void i7_a_stream_belongs_to_its_device(void **state)
{
	struct it_lab *t = *state;
	struct it_machine *twin = it_machine_open(t->w, "twin");

	twin->stream = t->m->stream;
	report_sessions(t->m, 1, 3);
	assert_int_equal(next_ack(t->m, 0).through_seq, 3);
	report_sessions(twin, 1, 1);
	assert_int_equal(next_ack(twin, 0).through_seq, 1);
	assert_int_equal(it_machine_acks(t->m), 1);
	assert_int_equal(it_sessions(t->w, IT_CHAIR).sessions, 3);
	assert_int_equal(it_sessions(t->w, "twin").sessions, 1);
	it_machine_close(twin);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, it_lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i1_duplicates_and_overlaps_are_stored_once),
	    TEST(i1_a_hole_is_answered_with_the_old_ack),
	    TEST(i1_a_new_stream_begins_at_one),
	    TEST(i2_no_ack_before_the_commit),
	    TEST(i10_garbage_is_kept_counted_and_wedges_nothing),
	    TEST(i10_a_report_with_any_byte_changed_harms_nobody),
	    TEST(i8_a_report_over_the_limit_is_kept_in_part),
	    TEST(i10_a_bad_record_is_rejected_alone),
	    TEST(i10_what_the_database_refuses_wedges_nothing),
	    TEST(a_record_of_an_unknown_kind_is_passed_over),
	    TEST(i7_a_report_in_anothers_name_is_refused_and_changes_nothing),
	    TEST(i7_a_stream_belongs_to_its_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
