/*
 * Sessions: a start makes a running row, an end completes it. (device, session_no) is the key: the same session told
 * again changes nothing. The same number with another content is another session: of a new life when it comes over a later stream
 * (life.c); within a stream it is kept as a finding for the audit, never overwritten.
 */
#include <inttypes.h>

#include "gateway/store/sqlite/writer.h"
#include "proto/base/span.h"

static int insert_running(struct apply *a, const struct gf_session_started *st)
{
	struct query q;

	query_begin(&q, a->db,
	            "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	            " subject_token, staff_token, outcome, started_ms, time_source)"
	            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)"
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
	query_i64(&q, (int64_t)st->staff_token);
	query_i64(&q, a->at_ms);
	query_i64(&q, a->source);
	return query_run(&q, a->diag);
}

static int delete_running(struct apply *a, uint64_t no)
{
	struct query q;

	query_begin(&q, a->db, "DELETE FROM sessions WHERE device = ? AND session_no = ? AND outcome = 0");
	query_i64(&q, a->dev->key);
	query_u64(&q, no);
	return query_run(&q, a->diag);
}

/* A machine plays one session at a time and tells its end before the next start: the end of an earlier one was lost, and the
 * audit will say so; nothing stays running for ever. */
static int stop_running(struct apply *a)
{
	uint64_t no = a->dev->running_session;

	a->dev->running_session = 0;
	return no ? delete_running(a, no) : 0;
}

int session_idle(struct apply *a)
{
	struct query q;
	int r;

	query_begin(&q, a->db, "DELETE FROM sessions WHERE device = ? AND session_no = ? AND outcome = 0 AND stream < ?");
	query_i64(&q, a->dev->key);
	query_u64(&q, a->dev->running_session);
	query_i64(&q, a->stream);
	r = query_run(&q, a->diag);
	if (!r && sqlite3_changes(a->db->handle) > 0)
		a->dev->running_session = 0;
	return r;
}

int session_started_apply(struct apply *a)
{
	const struct gf_session_started *st = &a->rec->session_started;
	struct device *d = a->dev;
	int r = 0;

	if (d->running_session != st->session_no)
		r = stop_running(a);
	if (!r)
		r = insert_running(a, st);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	d->running_session = st->session_no;
	return event_add(a->store, a->at_ms, STORE_EVENT_SESSION, d->id, st->session_no, "running", a->diag,
	                 "session %" PRIu64 " started: %s", st->session_no, st->routine);
}

/* ---- the end ---- */

/* It is over when it is told of, by a clock that may be ahead as far as device_place takes it: what ends later would be judged only then. */
static int64_t ended_at(const struct apply *a, int64_t started_ms, uint32_t duration_ms)
{
	const int64_t ended_ms = started_ms + duration_ms, latest_ms = a->recv_ms + GF_HOUR_MS;

	return ended_ms < latest_ms ? ended_ms : latest_ms;
}

static int insert_ended(struct apply *a, const struct gf_session_ended *e, int64_t started_ms,
                        enum store_time_source source, bool *ret_stored)
{
	struct query q;
	int r;

	query_begin(
	    &q, a->db,
	    "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	    " subject_token, staff_token, outcome, started_ms, time_source, ended_ms, duration_ms, paused_ms, motor_ms,"
	    " pain_presses, peak_motor_temp_c, peak_surface_temp_c, peak_current_ma, peak_pressure_mmhg,"
	    " odo_motor_ms, odo_sessions, odo_cycles)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
	query_i64(&q, a->dev->key);
	query_u64(&q, e->start.session_no);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_text(&q, e->start.routine);
	query_text(&q, e->start.catalog);
	query_u64(&q, e->start.catalog_version);
	query_i64(&q, e->start.planned_s);
	query_i64(&q, (int64_t)e->start.subject_token);
	query_i64(&q, (int64_t)e->start.staff_token);
	query_i64(&q, e->outcome);
	query_i64(&q, started_ms);
	query_i64(&q, source);
	query_i64(&q, ended_at(a, started_ms, e->duration_ms));
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

static void update_present(struct apply *a, const struct gf_session_ended *e, bool stored)
{
	struct device *d = a->dev;
	struct position at = {a->stream, a->rec->boot, a->rec->uptime_ms};

	/* A session that was told before, or one of a lower number that comes late, tells an older odometer. */
	bool newer = device_advance(d, &at) || e->odometer.sessions > d->odometer.sessions;
	if (newer && stored && e->start.session_no >= d->chain_no) {
		d->odometer = e->odometer;
		d->odo_seq = a->rec->seq;
	}
}

static int store_new(struct apply *a, const struct gf_session_ended *e, int64_t started_ms)
{
	struct device *d = a->dev;
	int r = judge_mark(a->store, FACT_SESSION, d->key, ended_at(a, started_ms, e->duration_ms), e->start.subject_token,
	                   e->start.staff_token, a->diag);

	for (size_t n = 0; n < e->areas_count && !r; n++)
		r = insert_area(a, e, n);
	if (!r)
		r = chain_check(a, e->start.session_no);
	if (!r)
		r = hours_add(a, e, started_ms);
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

static int store_ended(struct apply *a, int64_t started_ms, enum store_time_source source)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	bool stored = false;
	int r = delete_running(a, e->start.session_no);

	if (!r)
		r = insert_ended(a, e, started_ms, source, &stored);
	if (!r && stored)
		r = store_new(a, e, started_ms);
	if (!r)
		update_present(a, e, stored);
	return r;
}

int session_ended_apply(struct apply *a)
{
	enum store_time_source source = STORE_TIME_RECEIVED;
	enum life_verdict verdict = LIFE_GOES_ON;
	int64_t started_ms = 0;
	int r = place_start(a, &started_ms, &source);

	if (!r)
		r = stop_running(a);
	if (!r)
		r = life_judge(a, started_ms, source, &verdict);
	if (!r && verdict == LIFE_ANOTHER)
		r = life_begin(a);
	if (!r && verdict == LIFE_CLASH)
		r = note_duplicate(a);
	return r ? r : store_ended(a, started_ms, source);
}
