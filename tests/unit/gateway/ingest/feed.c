#include "tests/unit/gateway/ingest/feed.h"

#include <string.h>

#include "proto/codec.h"
#include "proto/topic.h"

static void take_ack(void *ctx, const char *device, const void *data, size_t len)
{
	struct acks *acks = ctx;

	acks->count++;
	gf_strcpy(acks->device, sizeof(acks->device), device);
	assert_int_equal(gf_ack_decode(data, len, &acks->last, NULL), 0);
	assert_true(get_device(acks->fixture, device, NOON).acked_seq >= acks->last.through_seq);
	if (acks->lock && acks->count == 1)
		assert_int_equal(sqlite3_exec(acks->lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

struct ingest *make_ingest(struct fixture *f, struct acks *acks)
{
	struct ingest *in;

	acks->fixture = f;
	assert_int_equal(ingest_new(f->store, take_ack, acks, &in), 0);
	return in;
}

size_t encode_report(unsigned char *buf, uint8_t stream, const struct gf_record *records, size_t count)
{
	struct gf_stream_id id = stream_id(stream);
	struct gf_report_writer w;

	assert_int_equal(gf_report_begin(&w, buf, GF_REPORT_MAX, &id, records[0].seq), 0);
	for (size_t i = 0; i < count; i++) {
		unsigned char record[GF_RECORD_MAX];
		size_t len;

		assert_int_equal(gf_record_encode(&records[i], record, sizeof(record), &len), 0);
		assert_int_equal(gf_report_add(&w, record, len), 0);
	}
	return w.len;
}

int push(struct ingest *in, const char *topic, const void *data, size_t len)
{
	return ingest_message(in, topic, strlen(topic), data, len, false, NOON);
}

void push_report(struct ingest *in, const char *device, const struct gf_record *records, size_t count)
{
	char topic[GF_TOPIC_MAX];
	unsigned char buf[GF_REPORT_MAX];
	size_t len = encode_report(buf, 1, records, count);

	assert_int_equal(push(in, gf_topic_device(topic, device, GF_TOPIC_REPORT), buf, len), 0);
}
