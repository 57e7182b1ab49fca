/*
 * Reports. A spool sends the records it stored without decoding them, and one malformed record must not hide the good ones
 * beside it; protobuf-c can do neither. So the outermost layer of a Report, three fields, is written and read here by hand;
 * each record inside goes through protobuf-c.
 */
#include "proto/codec_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The protobuf encoding: a tag is (field number << 3 | wire type), numbers are varints of at most 10 bytes. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { FIELD_STREAM_ID = 1, FIELD_FIRST_SEQ = 2, FIELD_RECORDS = 3, VARINT_MAX = 10 };

#define TAG(field, type) ((unsigned char)((field) << 3 | (type)))

static size_t put_varint(unsigned char *to, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (unsigned char)(value | 0x80);
	to[n++] = (unsigned char)value;
	return n;
}

int gf_report_begin(struct gf_report_writer *w, void *buf, size_t size, const struct gf_stream_id *stream,
                    uint64_t first_seq)
{
	unsigned char head[2 + GF_STREAM_ID_LEN + 1 + VARINT_MAX] = {TAG(FIELD_STREAM_ID, WIRE_BYTES), GF_STREAM_ID_LEN};
	size_t len = 2;

	memcpy(head + len, stream->bytes, GF_STREAM_ID_LEN);
	len += GF_STREAM_ID_LEN;
	head[len++] = TAG(FIELD_FIRST_SEQ, WIRE_VARINT);
	len += put_varint(head + len, first_seq);
	if (size > GF_REPORT_MAX)
		size = GF_REPORT_MAX;
	if (len > size)
		return -ENOSPC;
	memcpy(buf, head, len);
	*w = (struct gf_report_writer){.buf = buf, .size = size, .len = len};
	return 0;
}

int gf_report_add(struct gf_report_writer *w, const void *record, size_t len)
{
	unsigned char head[1 + VARINT_MAX] = {TAG(FIELD_RECORDS, WIRE_BYTES)};
	size_t head_len = 1 + put_varint(head + 1, len);
	size_t left = w->size - w->len;

	if (w->records == GF_REPORT_RECORDS_MAX || len > left || head_len > left - len)
		return -ENOSPC;
	memcpy(w->buf + w->len, head, head_len);
	memcpy(w->buf + w->len + head_len, record, len);
	w->len += head_len + len;
	w->records++;
	return 0;
}

struct reader {
	const unsigned char *at, *end;
};

/* One field of a message: a number, or bytes. */
struct wire_field {
	uint64_t number;
	unsigned type;
	uint64_t value;
	const unsigned char *bytes;
	size_t len;
};

static bool read_varint(struct reader *r, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;

		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool read_bytes(struct reader *r, uint64_t len, struct wire_field *field)
{
	if (len > (size_t)(r->end - r->at))
		return false;
	field->bytes = r->at;
	field->len = (size_t)len;
	r->at += len;
	return true;
}

static bool read_field(struct reader *r, struct wire_field *ret_field)
{
	struct wire_field field = {0};
	uint64_t tag, len = 0;
	bool ok;

	if (!read_varint(r, &tag))
		return false;
	field.number = tag >> 3;
	field.type = tag & 7;
	switch (field.type) {
	case WIRE_VARINT:
		ok = read_varint(r, &field.value);
		break;
	case WIRE_FIXED64:
		ok = read_bytes(r, sizeof(uint64_t), &field);
		break;
	case WIRE_BYTES:
		ok = read_varint(r, &len) && read_bytes(r, len, &field);
		break;
	case WIRE_FIXED32:
		ok = read_bytes(r, sizeof(uint32_t), &field);
		break;
	default: /* groups, which proto3 doesn't have */
		ok = false;
	}
	if (!ok || field.number == 0)
		return false;
	*ret_field = field;
	return true;
}

/* A report's outermost layer, its records still encoded. */
struct envelope {
	struct wire_field stream, first_seq;
	size_t count;
	struct wire_field records[GF_REPORT_RECORDS_MAX];
};

static int malformed(struct gf_diag *diag)
{
	gf_diag_set(diag, "the bytes are not a Report");
	return GF_CODEC_E_MALFORMED;
}

/* The last of a field given twice counts, as everywhere in protobuf. */
static int open_envelope(const void *data, size_t len, struct envelope *e, struct gf_diag *diag)
{
	struct reader reader = {.at = data, .end = (const unsigned char *)data + len};

	while (reader.at < reader.end) {
		struct wire_field field;

		if (!read_field(&reader, &field))
			return malformed(diag);
		if (field.number > FIELD_RECORDS)
			continue;
		if (field.type != (field.number == FIELD_FIRST_SEQ ? WIRE_VARINT : WIRE_BYTES))
			return malformed(diag);
		if (field.number == FIELD_STREAM_ID)
			e->stream = field;
		else if (field.number == FIELD_FIRST_SEQ)
			e->first_seq = field;
		else if (e->count == GF_REPORT_RECORDS_MAX)
			return gf_number_check("records", GF_REPORT_RECORDS_MAX + 1.0, 1, GF_REPORT_RECORDS_MAX, diag);
		else
			e->records[e->count++] = field;
	}
	return 0;
}

static int check_envelope(const struct envelope *e, struct gf_diag *diag)
{
	if (e->stream.len != GF_STREAM_ID_LEN) {
		gf_diag_set(diag, "stream_id has %zu bytes, must be %d", e->stream.len, GF_STREAM_ID_LEN);
		return GF_CODEC_E_INVALID;
	}
	int r = gf_number_check("first_seq", (double)e->first_seq.value, 1, GF_COUNT_MAX - GF_REPORT_RECORDS_MAX, diag);
	if (r == 0)
		r = gf_number_check("records", (double)e->count, 1, GF_REPORT_RECORDS_MAX, diag);
	return r;
}

/* Where a record must stand: right after what its predecessor stands for. */
struct place {
	uint64_t next;
	bool may_jump; /* the predecessor is bad and may have been a Lost record of any length */
};

static int check_place(const struct gf_record *record, const struct place *place, struct gf_diag *diag)
{
	if (record->seq == place->next || (place->may_jump && record->seq > place->next))
		return 0;
	gf_diag_set(diag, "seq is %ju, must be %ju", (uintmax_t)record->seq, (uintmax_t)place->next);
	return GF_CODEC_E_INVALID;
}

/*
 * Decodes the records into `report`. With `bad`, a record that can't be read or stands in a wrong place is marked there and
 * takes the place where it was found; without it, it fails the report.
 */
static int read_records(const struct envelope *e, struct gf_report *report, bool *bad, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct place place = {.next = report->first_seq};
	int r = 0;

	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	for (size_t i = 0; r == 0 && i < e->count; i++) {
		struct gf_record *record = &report->records[i];
		int failed = gf_record_decode_in(&arena, e->records[i].bytes, e->records[i].len, record, diag);

		if (failed == 0)
			failed = check_place(record, &place, diag);
		if (failed > 0) {
			gf_diag_prefix(diag, "record %zu", i);
			*record = (struct gf_record){.seq = place.next};
		}
		if (bad)
			bad[i] = failed > 0;
		if (failed < 0)
			r = failed;
		else if (failed > 0 && !bad)
			r = GF_CODEC_E_INVALID;
		place = (struct place){.next = gf_record_through(record) + 1, .may_jump = failed > 0};
	}
	gf_arena_deinit(&arena);
	return r;
}

static int decode(const void *data, size_t len, struct gf_report **ret_report, bool *bad, struct gf_diag *diag)
{
	struct envelope e = {0};

	if (len > GF_REPORT_MAX) {
		gf_diag_set(diag, "Report has %zu bytes, more than %d", len, GF_REPORT_MAX);
		return GF_CODEC_E_TOO_LARGE;
	}
	int r = open_envelope(data, len, &e, diag);
	if (r == 0)
		r = check_envelope(&e, diag);
	if (r != 0)
		return r;

	struct {
		struct gf_report report;
		struct gf_record records[];
	} *block = malloc(sizeof(*block) + e.count * sizeof(block->records[0]));
	if (!block)
		return -ENOMEM;
	block->report = (struct gf_report){
	    .first_seq = e.first_seq.value,
	    .records_count = e.count,
	    .records = block->records,
	};
	memcpy(block->report.stream.bytes, e.stream.bytes, GF_STREAM_ID_LEN);
	r = read_records(&e, &block->report, bad, diag);
	if (r != 0) {
		free(block);
		return r;
	}
	*ret_report = &block->report;
	return 0;
}

int gf_report_decode(const void *data, size_t len, struct gf_report **ret_report, struct gf_diag *diag)
{
	return decode(data, len, ret_report, NULL, diag);
}

int gf_report_decode_each(const void *data, size_t len, struct gf_report **ret_report, bool *bad, struct gf_diag *diag)
{
	bool marks[GF_REPORT_RECORDS_MAX] = {false};
	int r = decode(data, len, ret_report, marks, diag);

	if (r == 0)
		memcpy(bad, marks, (*ret_report)->records_count * sizeof(bad[0]));
	return r;
}
