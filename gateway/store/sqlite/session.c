/*
 * Sessions: a start makes a running row, an end completes it. (device, session_no) is the key: the same session told
 * again changes nothing. The same number with another content is another session: of a new life when it comes over a later stream
 * (life.c); within a stream it is kept as a finding for the audit, never overwritten.
 */
#include <inttypes.h>

#include "gateway/store/sqlite/writer.h"

static int insert_running(struct apply *a, const struct gf_session_started *st)
{
	struct query q;

	query_begin(&q, a->db,
	            "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	            " subject_token, outcome, started_ms, time_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)"
	            " ON CONFLICT DO NOTHING");
	query_i64(&q, a->dev->key);
	query_u64(&q, st->session_no);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_text(&q, st->routine);
	query_text(&q, st->catalog);
	query_u64(&q, st->catalog_version);
	query_i64(&q, st->planned_s);
	query_i64(&q, (int64_t)st->subject_token);
	query_i64(&q, a->at_ms);
	query_i64(&q, a->source);
	return query_run(&q, a->diag);
}

/* A machine plays one session at a time and tells its end before the next start: the end of an earlier one was lost,
 * and the audit will say so; nothing stays running for ever. */
static int drop_never_ended(struct apply *a, uint64_t before_no)
{
	struct query q;

	query_begin(&q, a->db,
	            "DELETE FROM sessions WHERE device = ? AND session_no < ? AND session_no >= ? AND outcome = 0");
	query_i64(&q, a->dev->key);
	query_u64(&q, before_no);
	query_u64(&q, a->dev->running_session);
	return query_run(&q, a->diag);
}

int session_started_apply(struct apply *a)
{
	const struct gf_session_started *st = &a->rec->session_started;
	struct device *d = a->dev;
	int r = 0;

	if (d->running_session && d->running_session < st->session_no)
		r = drop_never_ended(a, st->session_no);
	if (!r)
		r = insert_running(a, st);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	d->running_session = st->session_no;
	return event_add(a->store, a->at_ms, STORE_EVENT_SESSION, d->id, st->session_no, "running", a->diag,
	                 "session %" PRIu64 " started: %s", st->session_no, st->routine);
}

/* ---- the end ---- */

static int delete_running(struct apply *a, uint64_t no)
{
	struct query q;

	query_begin(&q, a->db, "DELETE FROM sessions WHERE device = ? AND session_no = ? AND outcome = 0");
	query_i64(&q, a->dev->key);
	query_u64(&q, no);
	return query_run(&q, a->diag);
}

static int insert_ended(struct apply *a, const struct gf_session_ended *e, int64_t started_ms,
                        enum store_time_source source, bool *ret_stored)
{
	struct query q;
	int r;

	query_begin(
	    &q, a->db,
	    "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	    " subject_token, outcome, started_ms, time_source, ended_ms, duration_ms, paused_ms, motor_ms,"
	    " pain_presses, peak_motor_temp_c, peak_surface_temp_c, peak_current_ma, peak_pressure_mmhg,"
	    " odo_motor_ms, odo_sessions, odo_cycles)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
	query_i64(&q, a->dev->key);
	query_u64(&q, e->start.session_no);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_text(&q, e->start.routine);
	query_text(&q, e->start.catalog);
	query_u64(&q, e->start.catalog_version);
	query_i64(&q, e->start.planned_s);
	query_i64(&q, (int64_t)e->start.subject_token);
	query_i64(&q, e->outcome);
	query_i64(&q, started_ms);
	query_i64(&q, source);
	query_i64(&q, started_ms + e->duration_ms);
	query_i64(&q, e->duration_ms);
	query_i64(&q, e->paused_ms);
	query_u64(&q, e->motor_ms);
	query_i64(&q, e->pain_presses);
	query_real(&q, (double)e->peak_motor_temp_c);
	query_real(&q, (double)e->peak_surface_temp_c);
	query_real(&q, (double)e->peak_current_ma);
	query_real(&q, (double)e->peak_pressure_mmhg);
	query_u64(&q, e->odometer.motor_ms);
	query_u64(&q, e->odometer.sessions);
	query_u64(&q, e->odometer.cycles);
	r = query_run(&q, a->diag);
	if (!r)
		*ret_stored = sqlite3_changes(a->db->handle) > 0;
	return r;
}

static int insert_area(struct apply *a, const struct gf_session_ended *e, size_t n)
{
	const struct gf_area_use *u = &e->areas[n];
	struct query q;

	query_begin(&q, a->db,
	            "INSERT INTO session_areas (device, session_no, n, area, side, technique, ms, mean_pct, max_pct)"
	            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&q, a->dev->key);
	query_u64(&q, e->start.session_no);
	query_u64(&q, n);
	query_i64(&q, u->area);
	query_i64(&q, u->side);
	query_i64(&q, u->technique);
	query_i64(&q, u->ms);
	query_real(&q, (double)u->mean_intensity_pct);
	query_real(&q, (double)u->max_intensity_pct);
	return query_run(&q, a->diag);
}

/* The number is taken. By this very session, told over another stream? Who has a clock says when it was; else the odometer tells. */
static int told_before(struct apply *a, int64_t started_ms, enum store_time_source source, int64_t *ret_same)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	struct query q;

	query_begin(&q, a->db,
	            "SELECT count(*) FROM sessions WHERE device = ?1 AND routine = ?2 AND outcome = ?3"
	            " AND duration_ms = ?4 AND paused_ms = ?5 AND motor_ms = ?6 AND peak_motor_temp_c IS ?7"
	            " AND peak_surface_temp_c IS ?8 AND peak_current_ma IS ?9 AND (started_ms = ?10 OR (session_no = ?11"
	            " AND odo_motor_ms = ?12 AND odo_sessions = ?13 AND (time_source <> ?14 OR ?15 <> ?14)))");
	query_i64(&q, a->dev->key);
	query_text(&q, e->start.routine);
	query_i64(&q, e->outcome);
	query_i64(&q, e->duration_ms);
	query_i64(&q, e->paused_ms);
	query_u64(&q, e->motor_ms);
	query_real(&q, (double)e->peak_motor_temp_c);
	query_real(&q, (double)e->peak_surface_temp_c);
	query_real(&q, (double)e->peak_current_ma);
	query_i64(&q, started_ms);
	query_u64(&q, e->start.session_no);
	query_u64(&q, e->odometer.motor_ms);
	query_u64(&q, e->odometer.sessions);
	query_i64(&q, STORE_TIME_DEVICE);
	query_i64(&q, source);
	return query_value(&q, 0, ret_same, a->diag);
}

static int note_duplicate(struct apply *a)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	struct query q;
	int r;

	query_begin(
	    &q, a->db,
	    "INSERT OR REPLACE INTO findings (device, prev_no, next_no, kind, motor_ms) VALUES (?1, ?2, ?2, ?3, ?4)");
	query_i64(&q, a->dev->key);
	query_u64(&q, e->start.session_no);
	query_i64(&q, STORE_AUDIT_DUPLICATE);
	query_u64(&q, e->motor_ms);
	r = query_run(&q, a->diag);
	if (r)
		return r;
	return event_add(a->store, a->at_ms, STORE_EVENT_SESSION, a->dev->id, e->start.session_no, "duplicate", a->diag,
	                 "session %" PRIu64 " was told again with another content; the first is kept", e->start.session_no);
}

static int stream_of(struct apply *a, uint64_t no, int64_t *ret_stream)
{
	struct query q;

	query_begin(&q, a->db, "SELECT stream FROM sessions WHERE device = ? AND session_no = ?");
	query_i64(&q, a->dev->key);
	query_u64(&q, no);
	return query_value(&q, 0, ret_stream, a->diag);
}

/* *ret_again: it belongs to a new life and has another number now. */
static int judge_taken(struct apply *a, int64_t started_ms, enum store_time_source source, bool *ret_again)
{
	int64_t same = 0, stream = 0;
	int r = told_before(a, started_ms, source, &same);

	*ret_again = false;
	if (r || same)
		return r;
	r = stream_of(a, a->rec->session_ended.start.session_no, &stream);
	if (r)
		return r;
	/* Motor time that a machine's meter has and its memory hasn't: that of sessions which are known here. */
	bool recounted = a->rec->session_ended.start.routine[0] == '\0';
	if (stream >= a->stream || recounted)
		return note_duplicate(a);
	*ret_again = true;
	return life_begin(a);
}

static void update_present(struct apply *a, const struct gf_session_ended *e)
{
	struct device *d = a->dev;
	struct position at = {a->stream, a->rec->boot, a->rec->uptime_ms};

	if (d->running_session && d->running_session <= e->start.session_no)
		d->running_session = 0;
	/* A session of a lower number that comes late tells an older odometer. */
	if (device_advance(d, &at) && e->start.session_no >= d->chain_no) {
		d->odometer = e->odometer;
		d->odo_seq = a->rec->seq;
	}
}

static int store_new(struct apply *a, const struct gf_session_ended *e)
{
	struct device *d = a->dev;
	int r = 0;

	for (size_t n = 0; n < e->areas_count && !r; n++)
		r = insert_area(a, e, n);
	if (!r)
		r = chain_check(a, e->start.session_no);
	if (r)
		return r;
	d->sessions++;
	d->session_motor_ms += e->motor_ms;
	if (e->start.session_no > d->chain_no) {
		d->chain_no = e->start.session_no;
		d->chain_motor_ms = e->odometer.motor_ms;
		d->chain_sessions = e->odometer.sessions;
	}
	return event_add(a->store, a->at_ms, STORE_EVENT_SESSION, d->id, e->start.session_no, gf_outcome_name(e->outcome),
	                 a->diag, "session %" PRIu64 " %s: %s, %u s", e->start.session_no, gf_outcome_name(e->outcome),
	                 e->start.routine[0] ? e->start.routine : "routine unknown", e->duration_ms / 1000);
}

static int place_start(struct apply *a, int64_t *ret_started_ms, enum store_time_source *ret_source)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	int r = device_place(a, e->started_boot, e->started_uptime_ms, e->started_wall_ms, e->started_clock_synced,
	                     ret_started_ms, ret_source);

	/* Placed by nothing but the time it was received: that is its end. */
	if (!r && *ret_source == STORE_TIME_RECEIVED)
		*ret_started_ms -= e->duration_ms;
	return r;
}

int session_ended_apply(struct apply *a)
{
	enum store_time_source source = STORE_TIME_RECEIVED;
	int64_t started_ms = 0;
	bool stored = false, again = true;
	int r = place_start(a, &started_ms, &source);

	/* The second time at most: the number after the highest is free. */
	for (int tries = 0; tries < 2 && again && !r; tries++) {
		again = false;
		r = delete_running(a, a->rec->session_ended.start.session_no);
		if (!r)
			r = insert_ended(a, &a->rec->session_ended, started_ms, source, &stored);
		if (!r && !stored)
			r = judge_taken(a, started_ms, source, &again);
	}
	if (!r && stored)
		r = store_new(a, &a->rec->session_ended);
	if (!r)
		update_present(a, &a->rec->session_ended);
	return r;
}
