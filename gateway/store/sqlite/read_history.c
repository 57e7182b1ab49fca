/* Reading sessions, faults and events. */
#include <errno.h>

#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/row.h"

/* ---- sessions ---- */

/* ?1 device, ?2 since, ?3 until, ?4 ?5 ?6 the cursor (started, device, number) */
#define SESSION_SITE PLACE_SITE("s.device", "s.started_ms")
#define SESSION_SELECT                                                                                               \
	"SELECT s.device, d.id, d.class, " SESSION_SITE ", s.session_no, s.routine, s.catalog, s.catalog_version,"       \
	" s.planned_s, s.subject_token, s.outcome, s.started_ms, s.time_source, s.ended_ms, s.duration_ms, s.paused_ms," \
	" s.motor_ms, s.pain_presses, s.peak_motor_temp_c, s.peak_surface_temp_c, s.peak_current_ma,"                    \
	" s.peak_pressure_mmhg, s.odo_motor_ms, s.odo_sessions, s.odo_cycles FROM sessions s CROSS JOIN devices d"       \
	" USING (device) WHERE s.started_ms >= ?2 AND s.started_ms < ?3"                                                 \
	" AND (s.started_ms, s.device, s.session_no) < (?4, ?5, ?6)"

static void read_session(struct query *q, struct store_session *s)
{
	col_text(q, s->device, sizeof(s->device));
	s->class = (enum gf_class)col_i64(q);
	col_text(q, s->site, sizeof(s->site));
	s->session_no = col_u64(q);
	col_text(q, s->routine, sizeof(s->routine));
	col_text(q, s->catalog, sizeof(s->catalog));
	s->catalog_version = col_u64(q);
	s->planned_s = (uint32_t)col_i64(q);
	s->subject_token = (uint64_t)col_i64(q);
	s->outcome = (enum gf_outcome)col_i64(q);
	s->running = s->outcome == GF_OUTCOME_UNSPECIFIED;
	s->started_ms = col_i64(q);
	s->time_source = (enum store_time_source)col_i64(q);
	s->ended_ms = col_i64(q);
	s->duration_ms = (uint32_t)col_i64(q);
	s->paused_ms = (uint32_t)col_i64(q);
	s->motor_ms = col_u64(q);
	s->pain_presses = (uint32_t)col_i64(q);
	s->peak_motor_temp_c = (float)col_real(q);
	s->peak_surface_temp_c = (float)col_real(q);
	s->peak_current_ma = (float)col_real(q);
	s->peak_pressure_mmhg = (float)col_real(q);
	s->odometer.motor_ms = col_u64(q);
	s->odometer.sessions = col_u64(q);
	s->odometer.cycles = col_u64(q);
}

int read_device_key(struct store_reader *reader, const char *id, int64_t *ret_key, struct gf_diag *diag)
{
	struct query q;

	*ret_key = 0;
	if (!id)
		return 0;
	query_begin(&q, &reader->db, "SELECT device FROM devices WHERE id = ?");
	query_text(&q, id);
	return query_value(&q, 0, ret_key, diag);
}

int read_device_keys(struct store_reader *reader, const char *id, const char *after, int64_t *ret_key,
                     int64_t *ret_after, struct gf_diag *diag)
{
	int r = read_device_key(reader, id, ret_key, diag);

	return r ? r : read_device_key(reader, after, ret_after, diag);
}

/* Exclusive end of the starts. The index is walked from it, so a page must not begin at the newest session of all. */
static int64_t start_before(const struct store_session_query *query)
{
	int64_t until_ms = query->until_ms ? query->until_ms : INT64_MAX;

	if (query->after_device && query->after_started_ms < until_ms)
		until_ms = query->after_started_ms + 1;
	return until_ms;
}

static int read_sessions(struct store_reader *reader, const struct store_session_query *query, store_session_fn row,
                         void *ctx, struct gf_diag *diag)
{
	int64_t key = 0, after_key = 0;
	struct query q;
	int rc = QUERY_DONE, stopped = 0;
	int r = read_device_keys(reader, query->device, query->after_device, &key, &after_key, diag);

	if (r)
		return r;
	query_begin(&q, &reader->db,
	            query->device ? SESSION_SELECT " AND s.device = ?1 ORDER BY s.started_ms DESC, s.session_no DESC"
	                          : SESSION_SELECT
	                " AND ?1 = 0 ORDER BY s.started_ms DESC, s.device DESC, s.session_no DESC");
	query_i64(&q, key);
	query_i64(&q, query->since_ms);
	query_i64(&q, start_before(query));
	query_i64(&q, query->after_device ? query->after_started_ms : INT64_MAX);
	query_i64(&q, after_key);
	query_u64(&q, query->after_session_no);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_session s = {0};
		int64_t owner = col_i64(&q);

		read_session(&q, &s);
		stopped = row_areas(&reader->db, owner, s.session_no, s.areas, &s.areas_count, diag);
		if (!stopped)
			stopped = row(ctx, &s);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_sessions(struct store_reader *reader, const struct store_session_query *query, store_session_fn row,
                        void *ctx, struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_sessions(reader, query, row, ctx, diag));
}

/* ---- faults ---- */

void read_fault(struct query *q, struct store_fault *ret_fault)
{
	struct store_fault *f = ret_fault;

	col_text(q, f->device, sizeof(f->device));
	f->fault_no = col_u64(q);
	f->code = (enum gf_fault)col_i64(q);
	f->severity = (enum gf_severity)col_i64(q);
	f->raised_ms = col_i64(q);
	f->cleared_ms = col_i64(q);
	f->time_source = (enum store_time_source)col_i64(q);
	f->cleared_by = (enum gf_cleared_by)col_i64(q);
	f->lasted_ms = col_u64(q);
	f->observed = (float)col_real(q);
	f->limit = (float)col_real(q);
	f->session_no = col_u64(q);
	col_text(q, f->detail, sizeof(f->detail));
}

/* A fault is in the range when it was raised in it or is still open. ?1 device, ?2 since, ?3 open only, ?4 ?5 ?6 cursor
 */
#define FAULT_SELECT                                                                          \
	"SELECT " FAULT_COLUMNS " FROM faults f CROSS JOIN devices d USING (device)"              \
	" WHERE (f.raised_ms >= ?2 OR f.cleared_ms IS NULL) AND (?3 = 0 OR f.cleared_ms IS NULL)" \
	" AND (f.raised_ms, f.device, f.fault_no) < (?4, ?5, ?6)"

static int read_faults(struct store_reader *reader, const struct store_fault_query *query, store_fault_fn row,
                       void *ctx, struct gf_diag *diag)
{
	int64_t key = 0, after_key = 0;
	struct query q;
	int rc = QUERY_DONE, stopped = 0;
	int r = read_device_keys(reader, query->device, query->after_device, &key, &after_key, diag);

	if (r)
		return r;
	query_begin(&q, &reader->db,
	            query->device ? FAULT_SELECT " AND f.device = ?1 ORDER BY f.raised_ms DESC, f.fault_no DESC"
	                          : FAULT_SELECT " AND ?1 = 0 ORDER BY f.raised_ms DESC, f.device DESC, f.fault_no DESC");
	query_i64(&q, key);
	query_i64(&q, query->since_ms);
	query_i64(&q, query->open_only);
	query_i64(&q, query->after_device ? query->after_raised_ms : INT64_MAX);
	query_i64(&q, after_key);
	query_u64(&q, query->after_fault_no);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_fault f = {0};

		read_fault(&q, &f);
		stopped = row(ctx, &f);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_faults(struct store_reader *reader, const struct store_fault_query *query, store_fault_fn row, void *ctx,
                      struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_faults(reader, query, row, ctx, diag));
}

/* ---- events ---- */

static int read_events(struct store_reader *reader, const struct store_event_query *query, store_event_fn row,
                       void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT id, at_ms, kind, device, text, ref, code, notify FROM events WHERE id > ?1"
	            " AND (?2 IS NULL OR device = ?2) AND (?3 = 0 OR (?3 >> kind) & 1) ORDER BY id");
	query_u64(&q, query->after);
	query_text(&q, query->device);
	query_i64(&q, query->kinds);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_event e = {.id = col_u64(&q), 0};

		e.at_ms = col_i64(&q);
		e.kind = (enum store_event_kind)col_i64(&q);
		col_text(&q, e.device, sizeof(e.device));
		col_text(&q, e.text, sizeof(e.text));
		e.ref = col_u64(&q);
		col_text(&q, e.code, sizeof(e.code));
		e.notify = col_i64(&q) != 0;
		stopped = row(ctx, &e);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_events(struct store_reader *reader, const struct store_event_query *query, store_event_fn row, void *ctx,
                      struct gf_diag *diag)
{
	return read_events(reader, query, row, ctx, diag);
}
