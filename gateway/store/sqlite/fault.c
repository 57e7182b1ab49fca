/* Faults: raised, then cleared; an open one is a row without cleared_ms. */
#include <inttypes.h>

#include "gateway/store/sqlite/writer.h"

/* A machine whose memory was wiped counts its faults from 1 again: what the earlier life left open under numbers that
 * are counted anew ended with it. */
static int close_earlier_life(struct apply *a, uint64_t fault_no)
{
	struct query q;

	query_begin(&q, a->db,
	            "UPDATE faults SET cleared_ms = ?3, cleared_by = ?4, lasted_ms = max(?3 - raised_ms, 0)"
	            " WHERE device = ?1 AND cleared_ms IS NULL AND stream < ?2 AND fault_no >= ?5");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_i64(&q, a->at_ms);
	query_i64(&q, GF_CLEARED_BY_RESTART);
	query_u64(&q, fault_no);
	return query_run(&q, a->diag);
}

int fault_raised_apply(struct apply *a)
{
	const struct gf_fault_raised *f = &a->rec->fault_raised;
	struct query q;
	int r = close_earlier_life(a, f->fault_no);

	if (r)
		return r;
	query_begin(&q, a->db,
	            "INSERT INTO faults (device, stream, fault_no, code, severity, raised_ms, time_source, observed,"
	            " limit_value, session_no, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, f->fault_no);
	query_i64(&q, f->code);
	query_i64(&q, f->severity);
	query_i64(&q, a->at_ms);
	query_i64(&q, a->source);
	query_real(&q, (double)f->observed);
	query_real(&q, (double)f->limit);
	query_u64(&q, f->session_no);
	query_text(&q, f->detail);
	r = query_run(&q, a->diag);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	return event_add(a->store, a->at_ms, STORE_EVENT_FAULT, a->dev->id, f->fault_no, gf_fault_name(f->code), a->diag,
	                 "fault %" PRIu64 " raised: %s (%s)%s%s", f->fault_no, gf_fault_name(f->code),
	                 gf_severity_name(f->severity), f->detail[0] ? ": " : "", f->detail);
}

/* The raising was lost: the whole fault is known from its end. */
static int insert_cleared(struct apply *a, const struct gf_fault_cleared *f)
{
	struct query q;

	query_begin(&q, a->db,
	            "INSERT INTO faults (device, stream, fault_no, code, severity, raised_ms, time_source, cleared_ms,"
	            " cleared_by, lasted_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?7 - ?9, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, f->fault_no);
	query_i64(&q, f->code);
	query_i64(&q, GF_SEVERITY_INFO);
	query_i64(&q, a->source);
	query_i64(&q, a->at_ms);
	query_i64(&q, f->by);
	query_u64(&q, f->lasted_ms);
	return query_run(&q, a->diag);
}

int fault_cleared_apply(struct apply *a)
{
	const struct gf_fault_cleared *f = &a->rec->fault_cleared;
	struct query q;
	int r;

	/* Of this stream, or raised in an earlier one by a machine that only lost its spool. */
	query_begin(&q, a->db,
	            "UPDATE faults SET cleared_ms = ?4, cleared_by = ?5, lasted_ms = ?6 WHERE device = ?1 AND fault_no = ?2"
	            " AND code = ?3 AND cleared_ms IS NULL");
	query_i64(&q, a->dev->key);
	query_u64(&q, f->fault_no);
	query_i64(&q, f->code);
	query_i64(&q, a->at_ms);
	query_i64(&q, f->by);
	query_u64(&q, f->lasted_ms);
	r = query_run(&q, a->diag);
	if (!r && sqlite3_changes(a->db->handle) == 0)
		r = insert_cleared(a, f);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	return event_add(a->store, a->at_ms, STORE_EVENT_FAULT, a->dev->id, f->fault_no, gf_fault_name(f->code), a->diag,
	                 "fault %" PRIu64 " cleared: %s (by %s)", f->fault_no, gf_fault_name(f->code),
	                 gf_cleared_by_name(f->by));
}
