/* A device's row, its streams, and the placing of its records in time. */
#include <errno.h>

#include "gateway/store/sqlite/writer.h"
#include "proto/base/span.h"

enum { STREAMS_KEPT = 64, BOOTS_KEPT = 1000 };
static const int64_t plausible_since_ms = 1577836800000; /* 2020-01-01: no machine's clock is right before */

#define DEVICE_COLUMNS                                                                                              \
	"first_seen_ms, last_seen_ms, born, online, offline_reason, presence_since_ms, boot, connection, stream,"       \
	" state_stream, state_boot, state_uptime_ms, clock_synced, clock_since_ms, last_record_ms, catalog,"            \
	" catalog_version, odo_motor_ms, odo_sessions, odo_cycles, odo_seq, running_session, chain_no, chain_motor_ms," \
	" chain_sessions, sessions, session_motor_ms, heartbeat_ms, heartbeat_stream, heartbeat_seq, last_stream,"      \
	" rest_stream, rest_since_ms, rest_until_ms, catalog_digest, catalog_on_trial"

static void read_row(struct query *q, struct device *d)
{
	d->key = col_i64(q);
	d->first_seen_ms = col_i64(q);
	d->last_seen_ms = col_i64(q);
	d->born = col_i64(q);
	d->online = col_i64(q);
	d->offline_reason = (enum store_offline)col_i64(q);
	d->presence_since_ms = col_i64(q);
	d->boot = col_u64(q);
	d->connection = col_u64(q);
	d->stream = col_i64(q);
	d->state.stream = col_i64(q);
	d->state.boot = col_u64(q);
	d->state.uptime_ms = col_u64(q);
	d->clock_synced = col_i64(q);
	d->clock_since_ms = col_i64(q);
	d->last_record_ms = col_i64(q);
	col_text(q, d->catalog, sizeof(d->catalog));
	d->catalog_version = col_u64(q);
	d->odometer.motor_ms = col_u64(q);
	d->odometer.sessions = col_u64(q);
	d->odometer.cycles = col_u64(q);
	d->odo_seq = col_u64(q);
	d->running_session = col_u64(q);
	d->chain_no = col_u64(q);
	d->chain_motor_ms = col_u64(q);
	d->chain_sessions = col_u64(q);
	d->sessions = col_u64(q);
	d->session_motor_ms = col_u64(q);
	d->heartbeat_ms = col_i64(q);
	d->heartbeat_stream = col_i64(q);
	d->heartbeat_seq = col_u64(q);
	d->last_stream = col_i64(q);
	d->rest_stream = col_i64(q);
	d->rest_since_ms = col_i64(q);
	d->rest_until_ms = col_i64(q);
	col_digest(q, &d->catalog_digest);
	d->catalog_on_trial = col_i64(q);
}

static int make_row(struct store *s, struct device *d, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db, "INSERT INTO devices (id, first_seen_ms, last_seen_ms) VALUES (?1, ?2, ?2)");
	query_text(&q, d->id);
	query_i64(&q, d->first_seen_ms);
	r = query_run(&q, diag);
	if (r)
		return r;
	d->key = sqlite3_last_insert_rowid(s->db.handle);
	r = judge_mark_device(s, d->key, d->first_seen_ms, diag);
	if (r)
		return r;
	return event_add(s, d->first_seen_ms, STORE_EVENT_DEVICE, d->id, 0, "new", diag, "heard of for the first time");
}

int device_find(struct store *s, const char *id, int64_t *ret_key, struct gf_diag *diag)
{
	struct query q;
	int64_t key = 0;
	int r;

	query_begin(&q, &s->db, "SELECT device FROM devices WHERE id = ?");
	query_text(&q, id);
	r = query_value(&q, 0, &key, diag);
	if (!r && !key) {
		gf_diag_set(diag, "there is no device '%s'", id);
		return -ENOENT;
	}
	if (!r)
		*ret_key = key;
	return r;
}

int device_load(struct store *s, const char *id, int64_t recv_ms, struct device *ret_dev, struct gf_diag *diag)
{
	struct device d = {.first_seen_ms = recv_ms, .last_seen_ms = recv_ms};
	struct query q;
	int rc, r;

	gf_strcpy(d.id, sizeof(d.id), id);
	query_begin(&q, &s->db, "SELECT device, " DEVICE_COLUMNS " FROM devices WHERE id = ?");
	query_text(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_row(&q, &d);
	r = query_end(&q, rc, diag);
	if (!r && !d.key)
		r = make_row(s, &d, diag);
	if (!r)
		*ret_dev = d;
	return r;
}

int device_save(struct store *s, const struct device *d, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE devices SET (" DEVICE_COLUMNS ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	            " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE device = ?");
	query_i64(&q, d->first_seen_ms);
	query_i64(&q, d->last_seen_ms);
	query_i64(&q, d->born);
	query_i64(&q, d->online);
	query_i64(&q, d->offline_reason);
	query_i64(&q, d->presence_since_ms);
	query_u64(&q, d->boot);
	query_u64(&q, d->connection);
	query_i64(&q, d->stream);
	query_i64(&q, d->state.stream);
	query_u64(&q, d->state.boot);
	query_u64(&q, d->state.uptime_ms);
	query_i64(&q, d->clock_synced);
	query_i64(&q, d->clock_since_ms);
	query_i64(&q, d->last_record_ms);
	query_text(&q, d->catalog);
	query_u64(&q, d->catalog_version);
	query_u64(&q, d->odometer.motor_ms);
	query_u64(&q, d->odometer.sessions);
	query_u64(&q, d->odometer.cycles);
	query_u64(&q, d->odo_seq);
	query_u64(&q, d->running_session);
	query_u64(&q, d->chain_no);
	query_u64(&q, d->chain_motor_ms);
	query_u64(&q, d->chain_sessions);
	query_u64(&q, d->sessions);
	query_u64(&q, d->session_motor_ms);
	query_i64(&q, d->heartbeat_ms);
	query_i64(&q, d->heartbeat_stream);
	query_u64(&q, d->heartbeat_seq);
	query_i64(&q, d->last_stream);
	query_i64(&q, d->rest_stream);
	query_i64(&q, d->rest_since_ms);
	query_i64(&q, d->rest_until_ms);
	query_digest(&q, &d->catalog_digest);
	query_i64(&q, d->catalog_on_trial);
	query_i64(&q, d->key);
	return query_run(&q, diag);
}

/* ---- streams ---- */

/* Those up to `through`, with what is kept of their boots. */
static int drop_streams(struct apply *a, int64_t through)
{
	static const char *const texts[] = {
	    "DELETE FROM streams WHERE device = ? AND stream <= ?",
	    "DELETE FROM boots WHERE device = ? AND stream <= ?",
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !r; i++) {
		struct query q;

		query_begin(&q, a->db, texts[i]);
		query_i64(&q, a->dev->key);
		query_i64(&q, through);
		r = query_run(&q, a->diag);
	}
	return r;
}

/*
 * The newest one, counted on as the one the device spoke of last. That is the one before it, but for a machine that got an old
 * disk back: it speaks of the stream it finds there, hears that the gateway is further, and makes a new one.
 */
static int stream_make(struct apply *a, const struct gf_stream_id *id, uint64_t acked_seq, int64_t *ret_number)
{
	struct query q;
	int64_t number = 0;
	int r;

	query_begin(&q, a->db,
	            "INSERT INTO streams (device, stream, id, acked_seq, first_ms, base_no, base_sessions, base_motor_ms,"
	            " base_cycles, seen_motor_ms, seen_sessions, seen_cycles) SELECT ?1, 1 + coalesce(max(n.stream), 0), "
	            "?2, ?3, ?4, coalesce(l.base_no, 0),"
	            " coalesce(l.base_sessions, 0), coalesce(l.base_motor_ms, 0), coalesce(l.base_cycles, 0), ?6, ?7, ?8"
	            " FROM streams n LEFT JOIN streams l ON l.device = ?1 AND l.stream = ?5 WHERE n.device = ?1"
	            " RETURNING stream");
	query_i64(&q, a->dev->key);
	query_blob(&q, id->bytes, sizeof(id->bytes));
	query_u64(&q, acked_seq);
	query_i64(&q, a->recv_ms);
	query_i64(&q, a->dev->last_stream);
	query_u64(&q, a->dev->odometer.motor_ms);
	query_u64(&q, a->dev->odometer.sessions);
	query_u64(&q, a->dev->odometer.cycles);
	r = query_value(&q, 0, &number, a->diag);
	if (r)
		return r;
	/* The history is for machines that come back with an older disk; a machine can't fill the table. */
	r = drop_streams(a, number - STREAMS_KEPT);
	if (!r)
		*ret_number = number;
	return r;
}

static int stream_find(struct apply *a, const struct gf_stream_id *id, struct stream *ret_stream)
{
	struct stream found = {0};
	struct query q;
	int rc, r;

	query_begin(&q, a->db,
	            "SELECT stream, acked_seq, base_no, base_sessions, base_motor_ms, base_cycles, seen_motor_ms,"
	            " seen_sessions, seen_cycles FROM streams"
	            " WHERE device = ? AND id = ?");
	query_i64(&q, a->dev->key);
	query_blob(&q, id->bytes, sizeof(id->bytes));
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		found.number = col_i64(&q);
		found.acked_seq = col_u64(&q);
		found.base.no = col_i64(&q);
		found.base.sessions = col_i64(&q);
		found.base.motor_ms = col_i64(&q);
		found.base.cycles = col_i64(&q);
		found.seen.motor_ms = col_u64(&q);
		found.seen.sessions = col_u64(&q);
		found.seen.cycles = col_u64(&q);
	}
	r = query_end(&q, rc, a->diag);
	if (!r)
		*ret_stream = found;
	return r;
}

int device_stream(struct apply *a, const struct gf_stream_id *id, uint64_t acked_seq, bool *ret_made,
                  struct stream *ret_stream)
{
	struct stream found = {0};
	int64_t number;
	bool made = false;
	int r = stream_find(a, id, &found);

	if (!r && !found.number) {
		made = true;
		r = stream_make(a, id, acked_seq, &number);
		if (!r)
			r = stream_find(a, id, &found);
	}
	if (r)
		return r;
	if (found.number > a->dev->stream)
		a->dev->stream = found.number;
	*ret_made = made;
	*ret_stream = found;
	return 0;
}

/* Its old row keeps how it was counted, under an id that no machine has. */
int device_stream_return(struct apply *a, const struct gf_stream_id *id, struct stream *stream)
{
	int64_t number = 0;
	struct query q;
	int r;

	query_begin(&q, a->db,
	            "UPDATE streams SET id = CAST(hex(id) || '.' || stream AS BLOB) WHERE device = ? AND stream = ?");
	query_i64(&q, a->dev->key);
	query_i64(&q, stream->number);
	r = query_run(&q, a->diag);
	a->dev->last_stream = stream->number;
	if (!r)
		r = stream_make(a, id, stream->acked_seq, &number);
	if (r)
		return r;
	query_begin(&q, a->db,
	            "INSERT INTO boots (device, stream, boot, epoch_ms) SELECT device, ?3, boot, epoch_ms FROM boots"
	            " WHERE device = ?1 AND stream = ?2");
	query_i64(&q, a->dev->key);
	query_i64(&q, stream->number);
	query_i64(&q, number);
	r = query_run(&q, a->diag);
	if (r)
		return r;
	a->dev->stream = number;
	return stream_find(a, id, stream);
}

int device_stream_ack(struct apply *a, int64_t stream, uint64_t acked_seq)
{
	struct query q;

	query_begin(&q, a->db, "UPDATE streams SET acked_seq = ? WHERE device = ? AND stream = ?");
	query_u64(&q, acked_seq);
	query_i64(&q, a->dev->key);
	query_i64(&q, stream);
	return query_run(&q, a->diag);
}

/* ---- positions and times ---- */

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

bool device_advance(struct device *dev, const struct position *at)
{
	int c = compare((uint64_t)at->stream, (uint64_t)dev->state.stream);

	if (!c)
		c = compare(at->boot, dev->state.boot);
	if (!c)
		c = compare(at->uptime_ms, dev->state.uptime_ms);
	if (c < 0)
		return false;
	dev->state = *at;
	return true;
}

int device_boot_seen(struct apply *a, uint64_t boot, int64_t epoch_ms)
{
	struct query q;
	int r;

	query_begin(&q, a->db,
	            "INSERT INTO boots (device, stream, boot, epoch_ms) VALUES (?, ?, ?, ?)"
	            " ON CONFLICT (device, stream, boot) DO UPDATE SET epoch_ms = min(epoch_ms, excluded.epoch_ms)");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, boot);
	query_i64(&q, epoch_ms);
	r = query_run(&q, a->diag);
	if (r || boot <= BOOTS_KEPT)
		return r;
	query_begin(&q, a->db, "DELETE FROM boots WHERE device = ? AND stream = ? AND boot <= ?");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, boot - BOOTS_KEPT);
	return query_run(&q, a->diag);
}

static int boot_epoch(struct apply *a, uint64_t boot, int64_t *ret_epoch_ms)
{
	struct query q;
	int r = 0;

	if (boot != a->epoch_boot) {
		query_begin(&q, a->db, "SELECT epoch_ms FROM boots WHERE device = ? AND stream = ? AND boot = ?");
		query_i64(&q, a->dev->key);
		query_i64(&q, a->stream);
		query_u64(&q, boot);
		r = query_value(&q, 0, &a->epoch_ms, a->diag);
		a->epoch_boot = boot;
	}
	*ret_epoch_ms = a->epoch_ms;
	return r;
}

int device_place(struct apply *a, uint64_t boot, uint64_t uptime_ms, uint64_t wall_ms, bool synced, int64_t *ret_at_ms,
                 enum store_time_source *ret_source)
{
	int64_t epoch = 0;
	int r;

	if (synced && wall_ms >= (uint64_t)plausible_since_ms && wall_ms <= (uint64_t)(a->recv_ms + GF_HOUR_MS)) {
		*ret_at_ms = (int64_t)wall_ms;
		*ret_source = STORE_TIME_DEVICE;
		return 0;
	}
	r = boot_epoch(a, boot, &epoch);
	if (r)
		return r;
	*ret_source = epoch ? STORE_TIME_ESTIMATED : STORE_TIME_RECEIVED;
	/* Nothing happens after it was heard of. */
	if (epoch && uptime_ms < (uint64_t)INT64_MAX / 2 && epoch + (int64_t)uptime_ms < a->recv_ms)
		*ret_at_ms = epoch + (int64_t)uptime_ms;
	else
		*ret_at_ms = a->recv_ms;
	return 0;
}
