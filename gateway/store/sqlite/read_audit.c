/*
 * The audit's report: what chain.c found as sessions arrived, and the end of each chain against the newest odometer. A
 * machine whose odometer is ahead because a session runs or records are still to come is behind, which is no problem.
 */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/reader.h"

struct audit {
	const char *device;
	store_finding_fn row;
	void *ctx;
	struct store_audit totals;
};

static int emit(struct audit *a, const struct store_finding *finding)
{
	a->totals.problems += finding->kind != STORE_AUDIT_BEHIND;
	return a->row ? a->row(a->ctx, finding) : 0;
}

static void describe(struct store_finding *f, uint64_t prev, uint64_t next)
{
	double motor_s = (double)f->motor_ms / 1000.0;
	uint64_t missing = next > prev ? next - prev - 1 : 0;

	f->from_session = missing ? prev + 1 : prev;
	f->to_session = missing ? next - 1 : next;
	switch (f->kind) {
	case STORE_AUDIT_GAP:
		if (missing)
			snprintf(f->text, sizeof(f->text),
			         "sessions %" PRIu64 "..%" PRIu64 " are missing, with %.1f s of motor time", f->from_session,
			         f->to_session, motor_s);
		else
			snprintf(f->text, sizeof(f->text),
			         "between sessions %" PRIu64 " and %" PRIu64 " the motor ran %.1f s that no session accounts for",
			         prev, next, motor_s);
		break;
	case STORE_AUDIT_LOST:
		snprintf(f->text, sizeof(f->text),
		         "sessions %" PRIu64 "..%" PRIu64
		         " (%.1f s of motor time) were dropped by a full spool; the machine said so",
		         f->from_session, f->to_session, motor_s);
		break;
	case STORE_AUDIT_OVERLAP:
		snprintf(f->text, sizeof(f->text), "sessions %" PRIu64 " and %" PRIu64 " both account for %.1f s of motor time",
		         prev, next, motor_s);
		break;
	case STORE_AUDIT_RESET:
		snprintf(f->text, sizeof(f->text),
		         "the odometer went back by %.1f s after session %" PRIu64 ": was the controller replaced or wiped?",
		         motor_s, prev);
		break;
	case STORE_AUDIT_DUPLICATE:
		snprintf(f->text, sizeof(f->text),
		         "session %" PRIu64 " was told twice with different content; the first is kept", prev);
		break;
	case STORE_AUDIT_BEHIND:
		snprintf(f->text, sizeof(f->text),
		         "the odometer is %.1f s ahead of the stored sessions: one is running, or still to come", motor_s);
		break;
	}
}

static int read_findings(struct store_reader *reader, struct audit *a, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT d.id, f.kind, f.prev_no, f.next_no, f.motor_ms FROM findings f JOIN devices d USING (device)"
	            " WHERE ?1 IS NULL OR d.id = ?1 ORDER BY d.id, f.prev_no");
	query_text(&q, a->device);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_finding f = {0};
		uint64_t prev, next;

		col_text(&q, f.device, sizeof(f.device));
		f.kind = (enum store_audit_kind)col_i64(&q);
		prev = col_u64(&q);
		next = col_u64(&q);
		f.motor_ms = col_i64(&q);
		describe(&f, prev, next);
		stopped = emit(a, &f);
	}
	return query_stop(&q, rc, stopped, diag);
}

struct chain_end {
	uint64_t chain_no, chain_sessions, odo_sessions, odo_seq, acked_seq, running, lost_sessions;
	int64_t chain_ms, odo_ms;
};

/* The newest odometer against the last session. Zero when there is nothing to say. */
static bool judge_end(const struct chain_end *e, struct store_finding *f)
{
	uint64_t missing = e->odo_sessions > e->chain_sessions ? e->odo_sessions - e->chain_sessions : 0;
	bool to_come = e->odo_seq > e->acked_seq || e->running;

	f->motor_ms = e->odo_ms - e->chain_ms;
	if (f->motor_ms == 0 && !missing)
		return false;
	if (f->motor_ms < 0 && !to_come) {
		f->kind = STORE_AUDIT_RESET;
		f->motor_ms = -f->motor_ms;
		describe(f, e->chain_no, e->chain_no);
	} else if (missing && !to_come) {
		/* Everything the machine told before this reading is stored, and these sessions weren't in it. */
		f->kind = e->lost_sessions >= missing ? STORE_AUDIT_LOST : STORE_AUDIT_GAP;
		describe(f, e->chain_no, e->chain_no + missing + 1);
	} else {
		f->kind = STORE_AUDIT_BEHIND;
		f->motor_ms = f->motor_ms > 0 ? f->motor_ms : 0;
		describe(f, e->chain_no, e->chain_no);
	}
	return true;
}

static void read_chain(struct query *q, struct audit *a, struct chain_end *e)
{
	a->totals.devices++;
	a->totals.sessions += col_u64(q);
	a->totals.motor_ms += col_u64(q);
	e->chain_no = col_u64(q);
	e->chain_ms = col_i64(q);
	e->chain_sessions = col_u64(q);
	e->odo_ms = col_i64(q);
	e->odo_sessions = col_u64(q);
	e->odo_seq = col_u64(q);
	e->acked_seq = col_u64(q);
	e->running = col_u64(q);
	e->lost_sessions = col_u64(q);
}

static int read_ends(struct store_reader *reader, struct audit *a, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT d.id, d.sessions, d.session_motor_ms, d.chain_no, d.chain_motor_ms, d.chain_sessions,"
	            " d.odo_motor_ms, d.odo_sessions, d.odo_seq, coalesce(st.acked_seq, 0), d.running_session,"
	            " coalesce((SELECT total(l.sessions) FROM lost l WHERE l.device = d.device AND (l.stream, l.seq) >"
	            " (SELECT coalesce(max(s.stream), 0), coalesce(max(s.seq), 0) FROM sessions s WHERE s.device = d.device"
	            " AND s.session_no = d.chain_no)), 0)"
	            " FROM devices d LEFT JOIN streams st ON st.device = d.device AND st.stream = d.state_stream"
	            " WHERE ?1 IS NULL OR d.id = ?1 ORDER BY d.id");
	query_text(&q, a->device);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_finding f = {0};
		struct chain_end end = {0};

		col_text(&q, f.device, sizeof(f.device));
		read_chain(&q, a, &end);
		if (judge_end(&end, &f))
			stopped = emit(a, &f);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_audit(struct store_reader *reader, const char *device, store_finding_fn row, void *ctx,
                     struct store_audit *ret_audit, struct gf_diag *diag)
{
	struct audit a = {.device = device, .row = row, .ctx = ctx};
	int r = read_begin(reader, diag);

	if (r)
		return r;
	r = read_findings(reader, &a, diag);
	if (!r)
		r = read_ends(reader, &a, diag);
	r = read_end(reader, r);
	if (!r)
		*ret_audit = a.totals;
	return r;
}
