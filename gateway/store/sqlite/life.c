/*
 * A machine counts its sessions and hours for its whole life. One that lost its memory (a wiped disk, a new controller, an old
 * image) counts anew, from nothing or from where the image stood, in a new stream. Here its counters go on: to what is told in
 * that stream and the later ones a base is added, so that its next session follows the last one that is known.
 *
 * The new life is noticed by its first session that has the number of another one, told over an earlier stream. Until then births and
 * heartbeats of it show an odometer that went back: what is known stands.
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

	if (odometer->sessions < a->dev->chain_sessions) {
		query_begin(&q, a->db, "SELECT stream FROM sessions WHERE device = ? AND session_no = ?");
		query_i64(&q, a->dev->key);
		query_u64(&q, a->dev->chain_no);
		r = query_value(&q, 0, &stream, a->diag);
	}
	if (!r)
		*ret_unknown = stream > 0 && stream < a->stream;
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

/* By how much the second is ahead. */
static uint64_t ahead(uint64_t of, uint64_t that)
{
	return that > of ? that - of : 0;
}

int life_begin(struct apply *a)
{
	const struct device *d = a->dev;
	const struct gf_session_ended *e = &a->rec->session_ended;
	/* What the odometer had counted beyond the last session is still missing: the audit finds the gap. */
	uint64_t unseen = ahead(d->chain_sessions, d->odometer.sessions);
	uint64_t motor_ms = d->chain_motor_ms + ahead(d->chain_motor_ms, d->odometer.motor_ms);
	int r;

	a->base.no += (int64_t)(d->chain_no + unseen + 1) - (int64_t)e->start.session_no;
	a->base.sessions += (int64_t)(d->chain_sessions + unseen + 1) - (int64_t)e->odometer.sessions;
	a->base.motor_ms += (int64_t)(motor_ms + e->motor_ms) - (int64_t)e->odometer.motor_ms;
	a->base.cycles += (int64_t)ahead(e->odometer.cycles, d->odometer.cycles);
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
