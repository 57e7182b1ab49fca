#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/gymfleet.pb-c.h"
#include "tests/unit/proto/samples.h"

static const unsigned char garbage[] = {0xff, 0xff, 0xff};

struct built {
	unsigned char buf[GF_REPORT_MAX];
	struct gf_report_writer writer;
};

static void begin(struct built *b, uint64_t first_seq)
{
	assert_int_equal(gf_report_begin(&b->writer, b->buf, sizeof(b->buf), &sample_stream, first_seq), 0);
}

static void add_bytes(struct built *b, const void *data, size_t len)
{
	assert_int_equal(gf_report_add(&b->writer, data, len), 0);
}

static void add(struct built *b, enum gf_record_kind kind, uint64_t seq)
{
	struct gf_record record = sample_record(kind);
	unsigned char buf[GF_RECORD_MAX];
	size_t len;

	record.seq = seq;
	if (kind == GF_RECORD_LOST)
		record.lost.through_seq = seq + 99;
	assert_int_equal(gf_record_encode(&record, buf, sizeof(buf), &len), 0);
	add_bytes(b, buf, len);
}

static void assert_result(const struct built *b, int expected, const char *because)
{
	struct gf_report *report = NULL;
	struct gf_diag diag = {0};

	assert_int_equal(gf_report_decode(b->buf, b->writer.len, &report, &diag), expected);
	if (expected != 0 && !strstr(diag.text, because))
		fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
	if (expected != 0)
		assert_null(report);
	free(report);
}

static void every_kind_in_one_report_returns(void **state)
{
	struct built b;
	struct gf_report *report;
	uint64_t seq = 1;

	(void)state;
	begin(&b, 1);
	for (int kind = 0; kind < GF_RECORD_COUNT; kind++)
		add(&b, (enum gf_record_kind)kind, seq++);
	assert_int_equal(gf_report_decode(b.buf, b.writer.len, &report, NULL), 0);
	assert_int_equal(report->records_count, GF_RECORD_COUNT);
	for (int kind = 0; kind < GF_RECORD_COUNT; kind++) {
		assert_int_equal(report->records[kind].kind, kind);
		assert_int_equal(report->records[kind].seq, kind + 1);
	}
	free(report);
}

/* What another program writes with a protobuf library is read, whatever the order of its fields. */
static void protobufs_own_bytes_are_read(void **state)
{
	Gymfleet__V1__Report wire = GYMFLEET__V1__REPORT__INIT;
	Gymfleet__V1__Record first = GYMFLEET__V1__RECORD__INIT, second = GYMFLEET__V1__RECORD__INIT;
	Gymfleet__V1__Record *records[] = {&first, &second};
	struct gf_stream_id stream = sample_stream;
	struct gf_report *report;
	struct built b, turned;

	(void)state;
	first.seq = 300;
	second.seq = 301;
	wire.stream_id = (ProtobufCBinaryData){.len = sizeof(stream.bytes), .data = stream.bytes};
	wire.first_seq = 300;
	wire.n_records = 2;
	wire.records = records;
	b.writer.len = gymfleet__v1__report__pack(&wire, b.buf);
	assert_result(&b, 0, NULL);

	/* The head's 21 bytes after the records, and an unknown field of each type at the end. */
	static const unsigned char unknown[] = {0x78, 1, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 1, 'x', 0x7d, 1, 2, 3, 4};
	size_t head = 21, body = b.writer.len - head;
	memcpy(turned.buf, b.buf + head, body);
	memcpy(turned.buf + body, b.buf, head);
	memcpy(turned.buf + body + head, unknown, sizeof(unknown));
	assert_int_equal(gf_report_decode(turned.buf, body + head + sizeof(unknown), &report, NULL), 0);
	assert_int_equal(report->first_seq, 300);
	assert_int_equal(report->records[1].seq, 301);
	free(report);
}

static void our_bytes_are_read_by_protobuf(void **state)
{
	struct built b;

	(void)state;
	begin(&b, UINT64_C(1) << 40);
	add(&b, GF_RECORD_SESSION_ENDED, UINT64_C(1) << 40);
	add(&b, GF_RECORD_HEARTBEAT, (UINT64_C(1) << 40) + 1);
	Gymfleet__V1__Report *wire = gymfleet__v1__report__unpack(NULL, b.writer.len, b.buf);
	assert_non_null(wire);
	assert_int_equal(wire->first_seq, UINT64_C(1) << 40);
	assert_int_equal(wire->stream_id.len, GF_STREAM_ID_LEN);
	assert_int_equal(wire->n_records, 2);
	assert_int_equal(wire->records[1]->body_case, GYMFLEET__V1__RECORD__BODY_HEARTBEAT);
	assert_int_equal(gymfleet__v1__report__get_packed_size(wire), b.writer.len);
	gymfleet__v1__report__free_unpacked(wire, NULL);
}

static void a_full_report_is_left_as_it_was(void **state)
{
	struct built b;
	unsigned char blob[GF_RECORD_MAX] = {0};
	struct gf_report_writer untouched = {.len = 4711};

	(void)state;
	begin(&b, 1);
	for (int i = 0; i < 3; i++)
		add_bytes(&b, blob, sizeof(blob));
	size_t len = b.writer.len, left = sizeof(b.buf) - len;
	assert_int_equal(gf_report_add(&b.writer, blob, left - 2), -ENOSPC);
	assert_int_equal(gf_report_add(&b.writer, blob, SIZE_MAX), -ENOSPC);
	assert_int_equal(b.writer.len, len);
	assert_int_equal(b.writer.records, 3);
	assert_int_equal(gf_report_add(&b.writer, blob, left - 3), 0);
	assert_int_equal(b.writer.len, sizeof(b.buf));

	begin(&b, 1);
	for (int i = 0; i < GF_REPORT_RECORDS_MAX; i++)
		add_bytes(&b, blob, 1);
	assert_int_equal(gf_report_add(&b.writer, blob, 1), -ENOSPC);

	assert_int_equal(gf_report_begin(&untouched, b.buf, 19, &sample_stream, 1), -ENOSPC);
	assert_int_equal(untouched.len, 4711);
}

static void seqs_must_follow_each_other(void **state)
{
	struct built b;

	(void)state;
	begin(&b, 5);
	add(&b, GF_RECORD_HEARTBEAT, 6);
	assert_result(&b, GF_CODEC_E_INVALID, "record 0: seq is 6, must be 5");

	begin(&b, 5);
	add(&b, GF_RECORD_HEARTBEAT, 5);
	add(&b, GF_RECORD_HEARTBEAT, 5);
	assert_result(&b, GF_CODEC_E_INVALID, "record 1: seq is 5, must be 6");

	begin(&b, 5);
	add(&b, GF_RECORD_LOST, 5);
	add(&b, GF_RECORD_HEARTBEAT, 105);
	assert_result(&b, 0, NULL);

	begin(&b, 5);
	add(&b, GF_RECORD_LOST, 5);
	add(&b, GF_RECORD_HEARTBEAT, 6);
	assert_result(&b, GF_CODEC_E_INVALID, "record 1: seq is 6, must be 105");

	begin(&b, 0);
	add(&b, GF_RECORD_HEARTBEAT, 1);
	assert_result(&b, GF_CODEC_E_INVALID, "first_seq");

	begin(&b, 5);
	assert_result(&b, GF_CODEC_E_INVALID, "records is 0, must be 1..64");
}

static void i1_a_bad_record_does_not_hide_the_good_ones(void **state)
{
	struct built b;
	struct gf_report *report;
	struct gf_diag diag = {0};
	bool bad[GF_REPORT_RECORDS_MAX];

	(void)state;
	begin(&b, 10);
	add(&b, GF_RECORD_SESSION_STARTED, 10);
	add_bytes(&b, garbage, sizeof(garbage));
	add(&b, GF_RECORD_SESSION_ENDED, 12);
	assert_result(&b, GF_CODEC_E_INVALID, "record 1: the bytes are not a Record");
	assert_int_equal(gf_report_decode_each(b.buf, b.writer.len, &report, bad, &diag), 0);
	assert_string_equal(diag.text, "record 1: the bytes are not a Record");
	assert_int_equal(report->records_count, 3);
	assert_false(bad[0] || bad[2]);
	assert_true(bad[1]);
	assert_int_equal(report->records[1].seq, 11);
	assert_int_equal(report->records[1].kind, GF_RECORD_UNSPECIFIED);
	assert_int_equal(report->records[2].session_ended.start.session_no, 12);
	free(report);
}

/* A bad record may have been a Lost of any length; were the jump after it refused, it would wedge its device. */
static void i1_after_a_bad_record_seq_may_jump_forward_only(void **state)
{
	struct built b;
	struct gf_report *report = NULL;
	bool bad[GF_REPORT_RECORDS_MAX];

	(void)state;
	begin(&b, 10);
	add_bytes(&b, garbage, sizeof(garbage));
	add(&b, GF_RECORD_HEARTBEAT, 500);
	add(&b, GF_RECORD_HEARTBEAT, 501);
	assert_int_equal(gf_report_decode_each(b.buf, b.writer.len, &report, bad, NULL), 0);
	assert_true(bad[0]);
	assert_int_equal(report->records[0].seq, 10);
	assert_int_equal(report->records[1].seq, 500);
	free(report);

	begin(&b, 10);
	add_bytes(&b, garbage, sizeof(garbage));
	add(&b, GF_RECORD_HEARTBEAT, 10);
	assert_int_equal(gf_report_decode_each(b.buf, b.writer.len, &report, bad, NULL), 0);
	assert_true(bad[0] && bad[1]);
	assert_int_equal(report->records[1].seq, 11);
	assert_int_equal(report->records[1].kind, GF_RECORD_UNSPECIFIED);
	free(report);
}

static void i1_a_record_in_a_wrong_place_is_a_bad_one(void **state)
{
	struct built b;
	struct gf_report *report;
	struct gf_diag diag = {0};
	bool bad[GF_REPORT_RECORDS_MAX];

	(void)state;
	begin(&b, 10);
	add(&b, GF_RECORD_HEARTBEAT, 10);
	add(&b, GF_RECORD_HEARTBEAT, 10);
	add(&b, GF_RECORD_SESSION_ENDED, 12);
	assert_int_equal(gf_report_decode_each(b.buf, b.writer.len, &report, bad, &diag), 0);
	assert_string_equal(diag.text, "record 1: seq is 10, must be 11");
	assert_true(!bad[0] && bad[1] && !bad[2]);
	assert_int_equal(report->records[1].seq, 11);
	assert_int_equal(report->records[2].seq, 12);
	free(report);
}

static void i10_a_cut_or_flipped_report_is_survived(void **state)
{
	struct built b;
	bool bad[GF_REPORT_RECORDS_MAX];

	(void)state;
	begin(&b, 100);
	add(&b, GF_RECORD_HEARTBEAT, 100);
	add(&b, GF_RECORD_LOST, 101);
	for (size_t cut = 0; cut < b.writer.len; cut++) {
		struct gf_report *report = NULL;
		int result = gf_report_decode_each(b.buf, cut, &report, bad, NULL);

		assert_true(result >= 0);
		assert_true((result == 0) == (report != NULL));
		free(report);
	}
	for (size_t bit = 0; bit < 8 * b.writer.len; bit++) {
		struct gf_report *report = NULL;

		b.buf[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_true(gf_report_decode_each(b.buf, b.writer.len, &report, bad, NULL) >= 0);
		free(report);
		b.buf[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_result(&b, 0, NULL);
}

static void i10_envelopes_that_are_none(void **state)
{
	static const struct {
		const char *hex;
		int expected;
		const char *because;
	} cases[] = {
	    {"", GF_CODEC_E_INVALID, "stream_id has 0 bytes"},
	    {"0a", GF_CODEC_E_MALFORMED, "not a Report"},                     /* a tag alone */
	    {"0a05", GF_CODEC_E_MALFORMED, "not a Report"},                   /* bytes beyond the end */
	    {"0affffffffffffffffff01", GF_CODEC_E_MALFORMED, "not a Report"}, /* a length of 2^64 - 1 */
	    {"10ffffffffffffffffff02", GF_CODEC_E_MALFORMED, "not a Report"}, /* a number over 64 bits */
	    {"1080808080808080808080", GF_CODEC_E_MALFORMED, "not a Report"}, /* a number without an end */
	    {"0801", GF_CODEC_E_MALFORMED, "not a Report"},                   /* stream_id as a number */
	    {"1a", GF_CODEC_E_MALFORMED, "not a Report"},
	    {"1801", GF_CODEC_E_MALFORMED, "not a Report"}, /* records as a number */
	    {"0201", GF_CODEC_E_MALFORMED, "not a Report"}, /* field 0 */
	    {"2324", GF_CODEC_E_MALFORMED, "not a Report"}, /* a group */
	    {"2701", GF_CODEC_E_MALFORMED, "not a Report"}, /* wire type 7 */
	    {"0a0401020304", GF_CODEC_E_INVALID, "stream_id has 4 bytes, must be 16"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct built b;

		b.writer.len = strlen(cases[i].hex) / 2;
		assert_int_equal(gf_unhex(cases[i].hex, b.buf, b.writer.len), 0);
		assert_result(&b, cases[i].expected, cases[i].because);
	}
}

static void i8_reports_are_bounded(void **state)
{
	static unsigned char buf[64 * 1024];
	struct gf_report *report = NULL;
	struct gf_diag diag = {0};
	bool bad[GF_REPORT_RECORDS_MAX];

	(void)state;
	assert_int_equal(gf_report_decode(buf, GF_REPORT_MAX + 1, &report, &diag), GF_CODEC_E_TOO_LARGE);
	for (size_t i = 0; i < sizeof(buf); i += 2)
		buf[i] = 0x1a; /* an empty record */
	assert_int_equal(gf_report_decode_each(buf, sizeof(buf), &report, bad, &diag), GF_CODEC_E_TOO_LARGE);
	assert_int_equal(gf_report_decode_each(buf, GF_REPORT_MAX, &report, bad, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "records is 65, must be 1..64");
	assert_null(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_in_one_report_returns),
	    cmocka_unit_test(protobufs_own_bytes_are_read),
	    cmocka_unit_test(our_bytes_are_read_by_protobuf),
	    cmocka_unit_test(a_full_report_is_left_as_it_was),
	    cmocka_unit_test(seqs_must_follow_each_other),
	    cmocka_unit_test(i1_a_bad_record_does_not_hide_the_good_ones),
	    cmocka_unit_test(i1_after_a_bad_record_seq_may_jump_forward_only),
	    cmocka_unit_test(i1_a_record_in_a_wrong_place_is_a_bad_one),
	    cmocka_unit_test(i10_a_cut_or_flipped_report_is_survived),
	    cmocka_unit_test(i10_envelopes_that_are_none),
	    cmocka_unit_test(i8_reports_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
