/*
 * Heartbeats: kept raw for a while, and added to the rollups of 5 minutes, an hour and a day (rollup.h), each by the time it
 * happened, so that one that comes days late falls in its own buckets. Means are weighted by the heartbeat's interval.
 */
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"

#define RAW_NAMES(s) ", " #s "_min, " #s "_mean, " #s "_max, " #s "_last"
#define RAW_PARAMS(s) ", ?, ?, ?, ?"

#define RAW_COLUMNS SCHEMA_SENSORS(RAW_NAMES)
#define SENSOR_PARAMS SCHEMA_SENSORS(RAW_PARAMS)

static int insert_raw(struct apply *a)
{
	const struct gf_heartbeat *h = &a->rec->heartbeat;
	struct query q;

	query_begin(&q, a->db,
	            "INSERT OR REPLACE INTO heartbeats (device, at_ms, stream, seq, time_source, boot, uptime_ms,"
	            " interval_ms, motor_ms, in_session, derated, odo_motor_ms, odo_sessions, odo_cycles, spool_records,"
	            " spool_bytes, spool_dropped, link_connects, tick_p99_us, tick_worst_us, tick_overruns, duty_ms,"
	            " duty_max_ms, rest_left_ms, bus_timeouts, bus_crc_errors, bus_exceptions, bus_reconnects" RAW_COLUMNS
	            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	            " ?" SENSOR_PARAMS ")");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->at_ms);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_i64(&q, a->source);
	query_u64(&q, a->rec->boot);
	query_u64(&q, a->rec->uptime_ms);
	query_i64(&q, h->interval_ms);
	query_i64(&q, h->motor_ms);
	query_i64(&q, h->in_session);
	query_i64(&q, h->derated);
	query_u64(&q, h->odometer.motor_ms);
	query_u64(&q, h->odometer.sessions);
	query_u64(&q, h->odometer.cycles);
	query_i64(&q, h->spool_records);
	query_u64(&q, h->spool_bytes);
	query_u64(&q, h->spool_dropped);
	query_i64(&q, h->link_connects);
	query_i64(&q, h->tick_p99_us);
	query_i64(&q, h->tick_worst_us);
	query_i64(&q, h->tick_overruns);
	query_i64(&q, h->duty_ms);
	query_i64(&q, h->duty_max_ms);
	query_i64(&q, h->rest_left_ms);
	query_i64(&q, h->bus_timeouts);
	query_i64(&q, h->bus_crc_errors);
	query_i64(&q, h->bus_exceptions);
	query_i64(&q, h->bus_reconnects);
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		const struct gf_stat *s = &h->sensors[i];

		query_real(&q, s->present ? (double)s->min : (double)NAN);
		query_real(&q, s->present ? (double)s->mean : (double)NAN);
		query_real(&q, s->present ? (double)s->max : (double)NAN);
		query_real(&q, s->present ? (double)s->last : (double)NAN);
	}
	return query_run(&q, a->diag);
}

/* The machine's present, unless something newer is known. */
static int update_present(struct apply *a)
{
	struct device *d = a->dev;
	struct position at = {a->stream, a->rec->boot, a->rec->uptime_ms};
	bool unknown;
	int r = life_unknown(a, &a->rec->heartbeat.odometer, &unknown);

	if (r)
		return r;

	if (device_advance(d, &at)) {
		if (d->clock_synced != a->rec->clock_synced || !d->clock_since_ms)
			d->clock_since_ms = a->at_ms;
		d->clock_synced = a->rec->clock_synced;
		if (!unknown) {
			d->odometer = a->rec->heartbeat.odometer;
			d->odo_seq = a->rec->seq;
		}
		if (d->running_session && !a->rec->heartbeat.in_session)
			r = session_idle(a);
	}
	limit_rests(a, a->rec->heartbeat.rest_left_ms);
	/* Within a stream heartbeats come in their order; the newest stored is shown, with its time. */
	if (a->stream > d->heartbeat_stream || (a->stream == d->heartbeat_stream && a->rec->seq > d->heartbeat_seq)) {
		d->heartbeat_ms = a->at_ms;
		d->heartbeat_stream = a->stream;
		d->heartbeat_seq = a->rec->seq;
	}
	return r;
}

int heartbeat_apply(struct apply *a)
{
	int r = insert_raw(a);

	if (r)
		return r;
	r = update_present(a);
	if (r)
		return r;
	r = judge_mark(a->store, FACT_HEARTBEAT, a->dev->key, a->at_ms, 0, 0, a->diag);
	if (r)
		return r;
	rollups_add(&a->store->rollups, a->dev->key, a->at_ms, &a->rec->heartbeat);
	a->store->batch_counts[META_BEATS]++;
	return 0;
}
