/* Reading devices: the row, its newest heartbeat, its open faults. */
#include <errno.h>

#include "gateway/store/sqlite/care_read.h"
#include "gateway/store/sqlite/desired.h"
#include "gateway/store/sqlite/reader.h"
#include "proto/base/span.h"

/* ?1 id, ?2 a day ago, ?3 today's start */
#define DEVICE_SELECT                                                                                                 \
	"SELECT d.device, d.id, d.name_set, coalesce(d.site_set, d.site), coalesce(d.zone_set, d.zone),"                  \
	" coalesce(d.bay_set, d.bay), d.name_set IS NOT NULL, d.site_set IS NOT NULL, d.zone_set IS NOT NULL,"            \
	" d.bay_set IS NOT NULL, d.born, d.class, d.model, d.serial, d.agent_version, d.driver, d.catalog,"               \
	" d.catalog_version, d.rated_motor_h, d.motor_temp_stop_c, d.surface_temp_stop_c, d.cert_not_after_ms, d.online," \
	" d.offline_reason, d.presence_since_ms, d.first_seen_ms, d.last_seen_ms, d.boot, d.connection, d.clock_synced,"  \
	" d.clock_since_ms, st.id, st.acked_seq, d.last_record_ms, d.odo_motor_ms, d.odo_sessions, d.odo_cycles,"         \
	" d.motor_before_ms, d.running_session, d.sessions, d.session_motor_ms, d.rest_since_ms, d.rest_until_ms, "       \
	"d.catalog_digest,"                                                                                               \
	" d.catalog_on_trial, w.revision, " DESIRED_COLUMNS ", w.applied_revision, " ANSWER_COLUMNS ", w.answered_ms,"    \
	" (SELECT count(*) FROM sessions s WHERE s.device = d.device AND s.started_ms >= ?3),"                            \
	" (SELECT count(*) FROM sessions s WHERE s.device = d.device AND s.started_ms >= ?2 AND s.outcome = 6),"          \
	" (SELECT min(s.started_ms) FROM sessions s WHERE s.device = d.device AND s.started_ms >= ?2 AND s.outcome = 6)," \
	" (SELECT count(*) FROM faults f WHERE f.device = d.device AND f.cleared_ms IS NULL)," CARE_COLUMNS ","           \
	" h.at_ms, " BEAT_COLUMNS " FROM devices d"                                                                       \
	" LEFT JOIN streams st ON st.device = d.device AND st.stream = d.stream"                                          \
	" LEFT JOIN desired w ON w.device = d.device"                                                                     \
	" LEFT JOIN heartbeats h ON h.device = d.device AND h.at_ms = d.heartbeat_ms AND h.stream = d.heartbeat_stream"   \
	" AND h.seq = d.heartbeat_seq"

_Static_assert(GF_OUTCOME_INTERRUPTED == 6, "DEVICE_SELECT counts outcome 6");

static void read_identity(struct query *q, struct store_device *d)
{
	col_text(q, d->id, sizeof(d->id));
	col_text(q, d->name, sizeof(d->name));
	col_text(q, d->location.site, sizeof(d->location.site));
	col_text(q, d->location.zone, sizeof(d->location.zone));
	col_text(q, d->location.bay, sizeof(d->location.bay));
	d->name_set = col_i64(q);
	d->site_set = col_i64(q);
	d->zone_set = col_i64(q);
	d->bay_set = col_i64(q);
	d->born = col_i64(q);
	d->class = (enum gf_class)col_i64(q);
	col_text(q, d->model, sizeof(d->model));
	col_text(q, d->serial, sizeof(d->serial));
	col_text(q, d->agent_version, sizeof(d->agent_version));
	col_text(q, d->driver, sizeof(d->driver));
	col_text(q, d->catalog, sizeof(d->catalog));
	d->catalog_version = col_u64(q);
	d->rated_motor_h = col_float(q);
	d->motor_temp_stop_c = col_float(q);
	d->surface_temp_stop_c = col_float(q);
	d->cert_not_after_ms = col_i64(q);
}

static void read_desired(struct query *q, struct store_device *d)
{
	col_digest(q, &d->catalog_digest);
	d->catalog_on_trial = col_i64(q);
	d->desired.revision = col_u64(q);
	desired_columns(q, &d->desired);
	d->applied_revision = col_u64(q);
	answer_columns(q, &d->answer);
	d->answered_ms = col_i64(q);
}

static void read_state(struct query *q, struct store_device *d, struct care_has *ret_has)
{
	d->online = col_i64(q);
	d->offline_reason = (enum store_offline)col_i64(q);
	d->presence_since_ms = col_i64(q);
	d->first_seen_ms = col_i64(q);
	d->last_seen_ms = col_i64(q);
	d->boot = col_u64(q);
	d->connection = col_u64(q);
	d->clock_synced = col_i64(q);
	d->clock_since_ms = col_i64(q);
	d->has_stream = col_blob(q, d->stream.bytes, sizeof(d->stream.bytes));
	d->acked_seq = col_u64(q);
	d->last_record_ms = col_i64(q);
	d->odometer.motor_ms = col_u64(q);
	d->odometer.sessions = col_u64(q);
	d->odometer.cycles = col_u64(q);
	d->motor_before_ms = col_u64(q);
	d->running_session = col_u64(q);
	d->sessions = col_u64(q);
	d->session_motor_ms = col_u64(q);
	d->rest_since_ms = col_i64(q);
	d->rest_until_ms = col_i64(q);
	read_desired(q, d);
	d->sessions_today = col_u64(q);
	d->interrupted_24h = (uint32_t)col_i64(q);
	d->interrupted_since_ms = col_i64(q);
	d->open_faults = (uint32_t)col_i64(q);
	care_columns(q, ret_has);
}

static int read_open_faults(struct store_reader *reader, int64_t key, struct store_device *d, struct gf_diag *diag)
{
	struct query q;
	size_t n = 0;
	int rc;

	if (!d->open_faults)
		return 0;
	query_begin(&q, &reader->db,
	            "SELECT " FAULT_COLUMNS " FROM faults f JOIN devices d USING (device)"
	            " WHERE f.device = ? AND f.cleared_ms IS NULL ORDER BY f.severity DESC, f.raised_ms LIMIT ?");
	query_i64(&q, key);
	query_i64(&q, STORE_OPEN_FAULTS_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && n < STORE_OPEN_FAULTS_MAX)
		read_fault(&q, &d->open[n++]);
	return query_end(&q, rc, diag);
}

_Static_assert(GF_CLEARED_BY_STAFF == 2, "read_closed looks for faults that staff cleared");

/* Staff opens all areas at once; a machine that told only of the faults they cleared did so with the same key. Whose they are is known from the session that was stopped. */
static int read_closed(struct store_reader *reader, int64_t key, int64_t now_ms, struct store_device *d,
                       struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT l.area, l.side, min(l.at_ms), max(l.at_ms + l.lasts_ms),"
	            " min(CASE l.action WHEN 'stop' THEN coalesce(s.subject_token, 0) <> 0 END)"
	            " FROM limit_hits l LEFT JOIN sessions s ON s.device = l.device AND s.session_no = l.session_no"
	            " WHERE l.device = ?1 AND l.lasts_ms > 0 AND l.at_ms + l.lasts_ms > ?2 AND l.rule = 'P8'"
	            " AND l.action <> 'clamp' AND l.area > 0 AND l.at_ms > coalesce((SELECT max(f.cleared_ms) FROM faults f"
	            " WHERE f.device = ?1 AND f.cleared_by = 2), 0)"
	            " AND l.at_ms > coalesce((SELECT max(o.at_ms) FROM limit_hits o"
	            " WHERE o.device = ?1 AND o.rule = 'P8' AND o.action = 'open'), 0) GROUP BY l.area, l.side ORDER BY 4 "
	            "DESC LIMIT ?3");
	query_i64(&q, key);
	query_i64(&q, now_ms);
	query_i64(&q, STORE_CLOSED_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && d->closed_count < STORE_CLOSED_MAX) {
		struct store_closed *c = &d->closed[d->closed_count++];

		c->area = (enum gf_area)col_i64(&q);
		c->side = (enum gf_side)col_i64(&q);
		c->since_ms = col_i64(&q);
		c->until_ms = col_i64(&q);
		c->personal = col_i64(&q);
	}
	return query_end(&q, rc, diag);
}

static int read_all(struct store_reader *reader, const struct store_device_query *query, store_device_fn row, void *ctx,
                    struct gf_diag *diag)
{
	struct query q;
	int rc, stopped = 0;

	query_begin(&q, &reader->db,
	            query->device ? DEVICE_SELECT " WHERE d.id = ?1" : DEVICE_SELECT " WHERE ?1 IS NULL ORDER BY d.id");
	query_text(&q, query->device);
	query_i64(&q, query->now_ms - GF_DAY_MS);
	query_i64(&q, query->today_ms);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_device d = {0};
		struct care_has has;
		int64_t key = col_i64(&q);

		read_identity(&q, &d);
		read_state(&q, &d, &has);
		d.has_heartbeat = !col_null(&q);
		d.heartbeat_ms = col_i64(&q);
		read_heartbeat(&q, &d.heartbeat);
		stopped = read_open_faults(reader, key, &d, diag);
		if (!stopped)
			stopped = read_closed(reader, key, query->now_ms, &d, diag);
		if (!stopped)
			stopped = care_read(reader, key, &has, &d, diag);
		if (!stopped)
			stopped = row(ctx, &d);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_devices(struct store_reader *reader, const struct store_device_query *query, store_device_fn row,
                       void *ctx, struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_all(reader, query, row, ctx, diag));
}

struct one {
	struct store_device *dst;
	bool found;
};

static int take_one(void *ctx, const struct store_device *device)
{
	struct one *one = ctx;

	*one->dst = *device;
	one->found = true;
	return 0;
}

int store_read_device(struct store_reader *reader, const struct store_device_query *query,
                      struct store_device *ret_device, struct gf_diag *diag)
{
	struct store_device device;
	struct one one = {.dst = &device};
	int r = store_read_devices(reader, query, take_one, &one, diag);

	if (r)
		return r;
	if (!one.found) {
		gf_diag_set(diag, "there is no device '%s'", query->device);
		return -ENOENT;
	}
	*ret_device = device;
	return 0;
}
