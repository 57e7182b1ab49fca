/*
 * A machine counts its sessions and hours for its whole life. One that lost its memory (a wiped disk, a new controller, an old
 * image) counts anew, from nothing or from where the image stood, in a new stream. Here its counters go on: to what is told in
 * that stream and the later ones a base is added, so that its next session follows the last one that is known.
 *
 * The new life is noticed by its first session that has the number of another one, told over an earlier stream, or the number of a
 * lost one but a later time than the sessions behind it. Until then births and heartbeats of it show an odometer that went back: what
 * is known stands.
 *
 * A machine with an old image first speaks of the stream that the image knows, so its new stream counts on as that one did, and
 * what it tells again has the numbers it had. One that began with another base is put right by the first session it tells again.
 *
 * What can't be told apart without a clock: a session of a new life that has the content, the number and the odometer of a known one
 * is taken for it; one that the old image holds as still running, and that is known as ended, is taken for another one; one that
 * has the number of a lost session and fits in its place is taken for it. With or without one: a machine whose disk goes back
 * and that, before it hears of it, writes as many records as were stored since, has these dropped as known (PROTOCOL.md 4); an image of
 * a stream that was never heard of counts on as the last one, as if the sessions between were lost.
 */
#include <inttypes.h>

#include "gateway/store/sqlite/writer.h"

static uint64_t plus(uint64_t told, int64_t base)
{
	int64_t sum = (int64_t)told + base;
	return sum > 0 ? (uint64_t)sum : 0;
}

/* 0 stands for no session. */
static uint64_t number(uint64_t told, const struct life_base *base)
{
	return told != 0 ? plus(told, base->no) : 0;
}

struct gf_odometer life_odometer(const struct life_base *base, const struct gf_odometer *told)
{
	return (struct gf_odometer){
	    .motor_ms = plus(told->motor_ms, base->motor_ms),
	    .sessions = plus(told->sessions, base->sessions),
	    .cycles = plus(told->cycles, base->cycles),
	};
}

static void count_on(struct gf_record *r, const struct life_base *base)
{
	switch (r->kind) {
	case GF_RECORD_HEARTBEAT:
		r->heartbeat.odometer = life_odometer(base, &r->heartbeat.odometer);
		break;
	case GF_RECORD_SESSION_STARTED:
		r->session_started.session_no = number(r->session_started.session_no, base);
		break;
	case GF_RECORD_SESSION_ENDED:
		r->session_ended.start.session_no = number(r->session_ended.start.session_no, base);
		r->session_ended.odometer = life_odometer(base, &r->session_ended.odometer);
		break;
	case GF_RECORD_FAULT_RAISED:
		r->fault_raised.session_no = number(r->fault_raised.session_no, base);
		break;
	case GF_RECORD_LIMIT_HIT:
		r->limit_hit.session_no = number(r->limit_hit.session_no, base);
		break;
	default:
		break;
	}
}

void life_take(struct apply *a, const struct gf_record *told)
{
	const struct life_base *b = &a->base;

	a->told = a->rec = told;
	if (b->no == 0 && b->sessions == 0 && b->motor_ms == 0 && b->cycles == 0)
		return;
	a->counted = *told;
	count_on(&a->counted, b);
	a->rec = &a->counted;
}

int life_unknown(struct apply *a, const struct gf_odometer *odometer, bool *ret_unknown)
{
	struct query q;
	int64_t stream = 0;
	int r = 0;

	if (odometer->sessions < a->dev->chain_sessions || odometer->motor_ms < a->dev->chain_motor_ms) {
		query_begin(&q, a->db, "SELECT stream FROM sessions WHERE device = ? AND session_no = ?");
		query_i64(&q, a->dev->key);
		query_u64(&q, a->dev->chain_no);
		r = query_value(&q, 0, &stream, a->diag);
	}
	/* A birth of that very stream: an old image speaks. In a record it is an odometer that went back: the audit finds it. */
	if (!r)
		*ret_unknown = stream > 0 && (stream < a->stream || !a->rec);
	return r;
}

static int keep_base(struct apply *a)
{
	struct query q;

	query_begin(&q, a->db,
	            "UPDATE streams SET base_no = ?, base_sessions = ?, base_motor_ms = ?, base_cycles = ?"
	            " WHERE device = ? AND stream = ?");
	query_i64(&q, a->base.no);
	query_i64(&q, a->base.sessions);
	query_i64(&q, a->base.motor_ms);
	query_i64(&q, a->base.cycles);
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	return query_run(&q, a->diag);
}

/* ---- what a session is ---- */

struct known {
	uint64_t no; /* 0 = none */
	int64_t stream, started_ms, motor_ms;
	enum store_time_source source;
	struct gf_odometer odometer;
};

#define KNOWN_COLUMNS \
	"s.session_no, s.stream, s.started_ms, s.motor_ms, s.time_source, s.odo_motor_ms, s.odo_sessions, s.odo_cycles"

static int read_known(struct apply *a, struct query *q, struct known *ret_known)
{
	struct known k = {0};
	int rc = query_step(q);
	int r;

	if (rc == QUERY_ROW) {
		k.no = col_u64(q);
		k.stream = col_i64(q);
		k.started_ms = col_i64(q);
		k.motor_ms = col_i64(q);
		k.source = (enum store_time_source)col_i64(q);
		k.odometer = (struct gf_odometer){.motor_ms = col_u64(q)};
		k.odometer.sessions = col_u64(q);
		k.odometer.cycles = col_u64(q);
	}
	r = query_end(q, rc, a->diag);
	if (!r)
		*ret_known = k;
	return r;
}

/* The content, ?3 to ?9: what doesn't depend on the machine's counters. */
#define SAME_CONTENT                                                                                    \
	"s.routine = ?3 AND s.outcome = ?4 AND s.duration_ms = ?5 AND s.paused_ms = ?6 AND s.motor_ms = ?7" \
	" AND s.peak_motor_temp_c IS ?8 AND s.peak_surface_temp_c IS ?9 AND s.peak_current_ma IS ?10"

static void give_content(struct query *q, const struct gf_session_ended *e)
{
	query_text(q, e->start.routine);
	query_i64(q, e->outcome);
	query_i64(q, e->duration_ms);
	query_i64(q, e->paused_ms);
	query_u64(q, e->motor_ms);
	query_real(q, (double)e->peak_motor_temp_c);
	query_real(q, (double)e->peak_surface_temp_c);
	query_real(q, (double)e->peak_current_ma);
}

/* By its start, with the number that some life gives it. An old image may hold it as running, and tell it as interrupted then. */
static int find_by_clock(struct apply *a, int64_t started_ms, struct known *ret_known)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	struct query q;

	query_begin(&q, a->db,
	            "SELECT " KNOWN_COLUMNS " FROM sessions s INDEXED BY sessions_device_time WHERE s.device = ?1"
	            " AND s.started_ms = ?2 AND s.time_source = ?11 AND (" SAME_CONTENT " OR (?4 = ?12 AND s.stream < ?13"
	            " AND s.routine = ?3 AND s.outcome > 0 AND s.duration_ms >= ?5 AND s.motor_ms >= ?7))"
	            " AND EXISTS (SELECT 1 FROM streams l WHERE l.device = ?1 AND l.base_no = s.session_no - ?14)");
	query_i64(&q, a->dev->key);
	query_i64(&q, started_ms);
	give_content(&q, e);
	query_i64(&q, STORE_TIME_DEVICE);
	query_i64(&q, GF_OUTCOME_INTERRUPTED);
	query_i64(&q, a->stream);
	query_u64(&q, a->told->session_ended.start.session_no);
	return read_known(a, &q, ret_known);
}

/* By its number and odometer, as any life counts them. */
static int find_by_count(struct apply *a, enum store_time_source source, struct known *ret_known)
{
	const struct gf_session_ended *e = &a->told->session_ended;
	struct query q;

	query_begin(&q, a->db,
	            "SELECT " KNOWN_COLUMNS " FROM streams l CROSS JOIN sessions s ON s.device = l.device"
	            " AND s.session_no = ?2 + l.base_no WHERE l.device = ?1 AND s.odo_motor_ms = ?11 + l.base_motor_ms"
	            " AND s.odo_sessions = ?12 + l.base_sessions AND (s.time_source <> ?13 OR ?14 <> ?13)"
	            " AND " SAME_CONTENT " LIMIT 1");
	query_i64(&q, a->dev->key);
	query_u64(&q, e->start.session_no);
	give_content(&q, e);
	query_u64(&q, e->odometer.motor_ms);
	query_u64(&q, e->odometer.sessions);
	query_i64(&q, STORE_TIME_DEVICE);
	query_i64(&q, source);
	return read_known(a, &q, ret_known);
}

/* The first one that ended with that number or, unless it must be that, a higher one. */
static int find_from(struct apply *a, uint64_t no, bool exactly, struct known *ret_known)
{
	struct query q;

	query_begin(&q, a->db,
	            "SELECT " KNOWN_COLUMNS " FROM sessions s WHERE s.device = ? AND s.session_no BETWEEN ? AND ?"
	            " AND s.outcome > 0 ORDER BY s.session_no LIMIT 1");
	query_i64(&q, a->dev->key);
	query_u64(&q, no);
	query_i64(&q, exactly ? (int64_t)no : INT64_MAX);
	return read_known(a, &q, ret_known);
}

/* Told before: this stream counts as the one did over which it was. */
static int align(struct apply *a, const struct known *known)
{
	const struct gf_session_ended *e = &a->told->session_ended;
	struct life_base base = {
	    .no = (int64_t)known->no - (int64_t)e->start.session_no,
	    .sessions = (int64_t)known->odometer.sessions - (int64_t)e->odometer.sessions,
	    .motor_ms = (int64_t)known->odometer.motor_ms - (int64_t)e->odometer.motor_ms,
	    .cycles = (int64_t)known->odometer.cycles - (int64_t)e->odometer.cycles,
	};

	if (known->stream >= a->stream || (base.no == a->base.no && base.sessions == a->base.sessions &&
	                                   base.motor_ms == a->base.motor_ms && base.cycles == a->base.cycles))
		return 0;
	a->base = base;
	life_take(a, a->told);
	return keep_base(a);
}

/* Its number is free and lower than another one's, of an earlier stream: a lost session, or one of a new life? */
static bool comes_after(const struct gf_session_ended *e, int64_t started_ms, enum store_time_source source,
                        const struct known *next)
{
	if (source == STORE_TIME_DEVICE && next->source == STORE_TIME_DEVICE)
		return started_ms > next->started_ms;
	return e->odometer.motor_ms + (uint64_t)next->motor_ms > next->odometer.motor_ms;
}

int life_judge(struct apply *a, int64_t started_ms, enum store_time_source source, enum life_verdict *ret_verdict)
{
	const struct gf_session_ended *e = &a->rec->session_ended;
	struct known same = {0}, next = {0};
	int r = find_from(a, e->start.session_no, true, &next);
	bool taken = next.no != 0;

	*ret_verdict = LIFE_GOES_ON;
	if (!r && (taken || a->stream > 1) && source == STORE_TIME_DEVICE)
		r = find_by_clock(a, started_ms, &same);
	if (!r && (taken || a->stream > 1) && !same.no)
		r = find_by_count(a, source, &same);
	if (!r && same.no) {
		*ret_verdict = LIFE_KNOWN;
		return align(a, &same);
	}
	if (!r && !taken && e->start.session_no < a->dev->chain_no)
		r = find_from(a, e->start.session_no, false, &next);
	if (r || !next.no)
		return r;
	/* Motor time that a machine's meter has and its memory hasn't: that of sessions which are known here. */
	bool recounted = e->start.routine[0] == '\0';
	if (taken && (next.stream >= a->stream || recounted))
		*ret_verdict = LIFE_CLASH;
	else if (taken || (next.stream < a->stream && comes_after(e, started_ms, source, &next)))
		*ret_verdict = LIFE_ANOTHER;
	return 0;
}

/* ---- a new life ---- */

/* By how much the second is ahead. */
static uint64_t ahead(uint64_t of, uint64_t that)
{
	return that > of ? that - of : 0;
}

int life_begin(struct apply *a)
{
	const struct device *d = a->dev;
	const struct gf_session_ended *e = &a->rec->session_ended;
	/* What the odometer had counted beyond the last session is still missing: the audit finds the gap. That of this stream, which a
	 * birth may have told before, is the new life's own. */
	uint64_t unseen = ahead(d->chain_sessions, a->seen.sessions);
	uint64_t motor_ms = d->chain_motor_ms + ahead(d->chain_motor_ms, a->seen.motor_ms);
	int r;

	a->base.no += (int64_t)(d->chain_no + unseen + 1) - (int64_t)e->start.session_no;
	a->base.sessions += (int64_t)(d->chain_sessions + unseen + 1) - (int64_t)e->odometer.sessions;
	a->base.motor_ms += (int64_t)(motor_ms + e->motor_ms) - (int64_t)e->odometer.motor_ms;
	a->base.cycles += (int64_t)ahead(e->odometer.cycles, a->seen.cycles);
	r = keep_base(a);
	if (r)
		return r;
	life_take(a, a->told);
	return event_add(a->store, a->at_ms, STORE_EVENT_DEVICE, d->id, a->rec->session_ended.start.session_no, "new_life",
	                 a->diag,
	                 "counts its sessions anew, its memory was lost or an older one put in: its session %" PRIu64
	                 " is %" PRIu64 " here",
	                 a->told->session_ended.start.session_no, a->rec->session_ended.start.session_no);
}
