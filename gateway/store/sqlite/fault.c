/* Faults: raised, then cleared; an open one is a row without cleared_ms. Each change is told to its case. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/case.h"

#define CLEARED_RETURNED " RETURNING code, raised_ms, cleared_ms, cleared_by, lasted_ms"

/* Runs an update of faults that returns code, raised_ms, cleared_ms, cleared_by and lasted_ms of those that it cleared. *ret_case: of the
 * last of them; 0 = there was none. */
static int tell_cleared(struct apply *a, struct query *q, int64_t *ret_case)
{
	int64_t id = 0;
	int rc = QUERY_DONE, r = 0;

	while (!r && (rc = query_step(q)) == QUERY_ROW) {
		struct case_cleared c = {.device = a->dev->key};

		c.code = col_i64(q);
		c.raised_ms = col_i64(q);
		c.cleared_ms = col_i64(q);
		c.by = col_i64(q);
		c.lasted_ms = col_i64(q);
		r = case_clear(a->store, &c, &id, a->diag);
	}
	r = query_stop(q, rc, r, a->diag);
	if (!r)
		*ret_case = id;
	return r;
}

/* A machine whose memory was wiped counts its faults from 1 again: what the earlier life left open under numbers that
 * are counted anew ended with it. */
static int close_earlier_life(struct apply *a, uint64_t fault_no)
{
	struct query q;
	int64_t closed;

	query_begin(&q, a->db,
	            "UPDATE faults SET cleared_ms = ?3, cleared_by = ?4, lasted_ms = max(?3 - raised_ms, 0)"
	            " WHERE device = ?1 AND cleared_ms IS NULL AND stream < ?2 AND fault_no >= ?5" CLEARED_RETURNED);
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_i64(&q, a->at_ms);
	query_i64(&q, GF_CLEARED_BY_RESTART);
	query_u64(&q, fault_no);
	return tell_cleared(a, &q, &closed);
}

/* "fault 12 raised again, 3 times by now: stall (stop): blocked" */
static int tell_raised(struct apply *a, const struct gf_fault_raised *f, const struct case_row *c)
{
	char again[64] = "";

	if (c->times > 1)
		(void)snprintf(again, sizeof(again), " again, %" PRId64 " times by now", c->times);
	return event_add(a->store, a->at_ms, STORE_EVENT_FAULT, a->dev->id, (uint64_t)c->id, gf_fault_name(f->code),
	                 a->diag, "fault %" PRId64 " raised%s: %s (%s)%s%s", c->id, again, gf_fault_name(f->code),
	                 gf_severity_name(f->severity), f->detail[0] ? ": " : "", f->detail);
}

/* Its case, and the event. */
static int add_raised(struct apply *a, const struct gf_fault_raised *f)
{
	struct case_row c = {
	    .device = a->dev->key,
	    .code = f->code,
	    .severity = f->severity,
	    .times = 1,
	    .open = 1,
	    .first_ms = a->at_ms,
	    .last_ms = a->at_ms,
	    .stream = a->stream,
	    .fault_no = f->fault_no,
	    .session_no = f->session_no,
	    .observed = (double)f->observed,
	    .limit = (double)f->limit,
	};

	int r;

	gf_strcpy_utf8(c.detail, sizeof(c.detail), f->detail);
	r = case_add(a->store, &c, a->diag);
	return r ? r : tell_raised(a, f, &c);
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
	r = add_raised(a, f);
	return r ? r : judge_mark(a->store, FACT_FAULT, a->dev->key, a->at_ms, 0, 0, a->diag);
}

/* The raising was lost: the whole fault is known from its end. */
static int insert_cleared(struct apply *a, const struct gf_fault_cleared *f, int64_t *ret_case)
{
	struct case_row c = {
	    .device = a->dev->key,
	    .code = f->code,
	    .severity = GF_SEVERITY_INFO,
	    .times = 1,
	    .first_ms = a->at_ms - (int64_t)f->lasted_ms,
	    .last_ms = a->at_ms - (int64_t)f->lasted_ms,
	    .cleared_ms = a->at_ms,
	    .cleared_by = f->by,
	    .lasted_ms = (int64_t)f->lasted_ms,
	    .stream = a->stream,
	    .fault_no = f->fault_no,
	    .observed = (double)NAN,
	    .limit = (double)NAN,
	};
	struct query q;
	int r;

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
	r = query_run(&q, a->diag);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	r = judge_mark(a->store, FACT_FAULT, a->dev->key, c.first_ms, 0, 0, a->diag);
	if (!r)
		r = case_add(a->store, &c, a->diag);
	if (!r)
		*ret_case = c.id;
	return r;
}

static void give_clearing(struct query *q, struct apply *a, const struct gf_fault_cleared *f)
{
	query_i64(q, a->dev->key);
	query_u64(q, f->fault_no);
	query_i64(q, f->code);
	query_i64(q, a->at_ms);
	query_i64(q, f->by);
	query_u64(q, f->lasted_ms);
}

/* Of this stream, or raised in an earlier one by a machine that only lost its spool. */
static int clear_open(struct apply *a, const struct gf_fault_cleared *f, int64_t *ret_case)
{
	struct query q;

	query_begin(&q, a->db,
	            "UPDATE faults SET cleared_ms = ?4, cleared_by = ?5, lasted_ms = ?6 WHERE device = ?1 AND fault_no = ?2"
	            " AND code = ?3 AND cleared_ms IS NULL" CLEARED_RETURNED);
	give_clearing(&q, a, f);
	return tell_cleared(a, &q, ret_case);
}

/* Cleared by a person who took the machine for gone: it knows better when that was. Its case is as people know it. */
static int clear_forced(struct apply *a, const struct gf_fault_cleared *f, int64_t *ret_case)
{
	struct query q;
	int64_t raised_ms;
	int r;

	query_begin(&q, a->db,
	            "UPDATE faults SET cleared_ms = ?4, cleared_by = ?5, lasted_ms = ?6, forced = 0 WHERE device = ?1"
	            " AND fault_no = ?2 AND code = ?3 AND forced = 1 RETURNING raised_ms");
	give_clearing(&q, a, f);
	r = query_value(&q, INT64_MIN, &raised_ms, a->diag);
	if (r || raised_ms == INT64_MIN)
		return r;
	return case_find(a->store, a->dev->key, f->code, raised_ms, ret_case, a->diag);
}

int fault_cleared_apply(struct apply *a)
{
	const struct gf_fault_cleared *f = &a->rec->fault_cleared;
	int64_t id = 0;
	int r = clear_open(a, f, &id);

	if (!r && !id)
		r = clear_forced(a, f, &id);
	if (!r && !id)
		r = insert_cleared(a, f, &id);
	if (r || !id)
		return r;
	return event_add(a->store, a->at_ms, STORE_EVENT_FAULT, a->dev->id, (uint64_t)id, gf_fault_name(f->code), a->diag,
	                 "fault %" PRId64 " cleared: %s (by %s)", id, gf_fault_name(f->code), gf_cleared_by_name(f->by));
}
