/* Heartbeats as they came, by time: a page costs the same wherever it begins, for the index is in the order of the rows. */
#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/row.h"

/* ?1 device, ?2 from, ?3 until, ?4 the cursor's device, ?5 its stream, ?6 its seq */
#define BEAT_SELECT                                                                                       \
	"SELECT d.id, h.at_ms, h.stream, h.seq, h.time_source, " BEAT_COLUMNS                                 \
	" FROM heartbeats h CROSS JOIN devices d ON d.device = h.device WHERE h.at_ms >= ?2 AND h.at_ms < ?3" \
	" AND (h.at_ms, h.device, h.seq, h.stream) > (?2, ?4, ?6, ?5)"

void read_heartbeat(struct query *q, struct gf_heartbeat *h)
{
	h->interval_ms = (uint32_t)col_i64(q);
	h->motor_ms = (uint32_t)col_i64(q);
	h->in_session = col_i64(q);
	h->derated = col_i64(q);
	h->odometer.motor_ms = col_u64(q);
	h->odometer.sessions = col_u64(q);
	h->odometer.cycles = col_u64(q);
	h->spool_records = (uint32_t)col_i64(q);
	h->spool_bytes = col_u64(q);
	h->spool_dropped = col_u64(q);
	h->link_connects = (uint32_t)col_i64(q);
	h->tick_p99_us = (uint32_t)col_i64(q);
	h->tick_worst_us = (uint32_t)col_i64(q);
	h->tick_overruns = (uint32_t)col_i64(q);
	h->duty_ms = (uint32_t)col_i64(q);
	h->duty_max_ms = (uint32_t)col_i64(q);
	h->rest_left_ms = (uint32_t)col_i64(q);
	h->bus_timeouts = (uint32_t)col_i64(q);
	h->bus_crc_errors = (uint32_t)col_i64(q);
	h->bus_exceptions = (uint32_t)col_i64(q);
	h->bus_reconnects = (uint32_t)col_i64(q);
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		struct gf_stat *s = &h->sensors[i];

		s->present = !col_null(q);
		s->min = col_float(q);
		s->mean = col_float(q);
		s->max = col_float(q);
		s->last = col_float(q);
	}
}

static void read_beat(struct query *q, struct store_beat *b)
{
	uint64_t stream;

	col_text(q, b->device, sizeof(b->device));
	b->at_ms = col_i64(q);
	stream = col_u64(q);
	b->seq = col_u64(q) | stream << ROW_STREAM_SHIFT;
	b->time_source = (enum store_time_source)col_i64(q);
	read_heartbeat(q, &b->heartbeat);
}

static int read_beats(struct store_reader *reader, const struct store_beat_query *query, store_beat_fn row, void *ctx,
                      struct gf_diag *diag)
{
	const uint64_t low = (UINT64_C(1) << ROW_STREAM_SHIFT) - 1;
	int64_t key = 0, after_key = 0;
	struct query q;
	int rc = QUERY_DONE, stopped = 0;
	int r = read_device_keys(reader, query->device, query->after_device, &key, &after_key, diag);

	if (r || (query->device && !key))
		return r;
	query_begin(&q, &reader->db,
	            query->device ? BEAT_SELECT " AND h.device = ?1 ORDER BY h.at_ms, h.seq, h.stream"
	                          : BEAT_SELECT " AND ?1 = 0 ORDER BY h.at_ms, h.device, h.seq, h.stream");
	query_i64(&q, key);
	query_i64(&q, query->after_device && query->after_ms > query->since_ms ? query->after_ms : query->since_ms);
	query_i64(&q, query->until_ms ? query->until_ms : INT64_MAX);
	query_i64(&q, query->after_device && query->after_ms >= query->since_ms ? after_key : 0);
	query_u64(&q, query->after_device ? query->after_seq >> ROW_STREAM_SHIFT : 0);
	query_u64(&q, query->after_device ? query->after_seq & low : 0);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_beat b = {.at_ms = 0};

		read_beat(&q, &b);
		stopped = row(ctx, &b);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_beats(struct store_reader *reader, const struct store_beat_query *query, store_beat_fn row, void *ctx,
                     struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_beats(reader, query, row, ctx, diag));
}
