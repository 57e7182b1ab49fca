/*
 * The audit, done as sessions arrive: in the order of their numbers, the odometer before each session must be the
 * odometer after the one before it. A new session is judged against its two neighbours only, whatever the history's
 * length; what is found stands in `findings` under the two numbers it lies between, and goes away when a session fills
 * the place.
 */
#include "gateway/store/sqlite/writer.h"

struct link_end {
	uint64_t no; /* 0 = the machine's beginning */
	int64_t motor_ms, odo_ms, stream;
	uint64_t seq;
};

static int read_end(struct query *q, struct link_end *ret_end, struct gf_diag *diag)
{
	struct link_end e = {0};
	int rc = query_step(q);
	int r;

	if (rc == QUERY_ROW) {
		e.no = col_u64(q);
		e.motor_ms = col_i64(q);
		e.odo_ms = col_i64(q);
		e.stream = col_i64(q);
		e.seq = col_u64(q);
	}
	r = query_end(q, rc, diag);
	if (!r)
		*ret_end = e;
	return r;
}

#define END_COLUMNS "SELECT session_no, motor_ms, odo_motor_ms, stream, seq FROM sessions"

static int neighbours(struct apply *a, uint64_t no, struct link_end *prev, struct link_end *self, struct link_end *next)
{
	static const char *const texts[] = {
	    END_COLUMNS " WHERE device = ? AND session_no < ? AND outcome > 0 ORDER BY session_no DESC LIMIT 1",
	    END_COLUMNS " WHERE device = ? AND session_no = ?",
	    END_COLUMNS " WHERE device = ? AND session_no > ? AND outcome > 0 ORDER BY session_no LIMIT 1",
	};
	struct link_end *const ends[] = {prev, self, next};

	for (size_t i = 0; i < 3; i++) {
		struct query q;
		int r;

		query_begin(&q, a->db, texts[i]);
		query_i64(&q, a->dev->key);
		query_u64(&q, no);
		r = read_end(&q, ends[i], a->diag);
		if (r)
			return r;
	}
	return 0;
}

/* Did the machine say that it dropped at least `missing` sessions between the two? */
static int lost_covers(struct apply *a, const struct link_end *prev, const struct link_end *next, uint64_t missing,
                       bool *ret_covers)
{
	struct query q;
	int64_t dropped = 0;
	int r;

	/* total() goes on where sum() would fail for an overflow: the numbers are what a machine claims. */
	query_begin(
	    &q, a->db,
	    "SELECT total(sessions) FROM lost WHERE device = ? AND (stream, seq) > (?, ?) AND (stream, seq) < (?, ?)");
	query_i64(&q, a->dev->key);
	query_i64(&q, prev->stream);
	query_u64(&q, prev->seq);
	query_i64(&q, next->stream);
	query_u64(&q, next->seq);
	r = query_value(&q, 0, &dropped, a->diag);
	if (!r)
		*ret_covers = (uint64_t)dropped >= missing;
	return r;
}

static int put_finding(struct apply *a, const struct link_end *prev, const struct link_end *next,
                       enum store_audit_kind kind, int64_t motor_ms)
{
	struct query q;

	query_begin(&q, a->db,
	            "INSERT OR REPLACE INTO findings (device, prev_no, next_no, kind, motor_ms) VALUES (?, ?, ?, ?, ?)");
	query_i64(&q, a->dev->key);
	query_u64(&q, prev->no);
	query_u64(&q, next->no);
	query_i64(&q, kind);
	query_i64(&q, motor_ms);
	return query_run(&q, a->diag);
}

static int judge_link(struct apply *a, const struct link_end *prev, const struct link_end *next)
{
	uint64_t missing = next->no - prev->no - 1;
	int64_t motor_ms = next->odo_ms - next->motor_ms - prev->odo_ms;
	bool covered = false;
	int r = 0;

	/* What a machine ran before its first session ever is its maker's business. */
	if (!missing && (motor_ms == 0 || (!prev->no && motor_ms > 0)))
		return 0;
	if (motor_ms < 0)
		return put_finding(a, prev, next, next->odo_ms < prev->odo_ms ? STORE_AUDIT_RESET : STORE_AUDIT_OVERLAP,
		                   -motor_ms);
	if (missing)
		r = lost_covers(a, prev, next, missing, &covered);
	return r ? r : put_finding(a, prev, next, covered ? STORE_AUDIT_LOST : STORE_AUDIT_GAP, motor_ms);
}

int chain_check(struct apply *a, uint64_t no)
{
	struct link_end prev = {0}, self = {0}, next = {0};
	struct query q;
	int r = neighbours(a, no, &prev, &self, &next);

	if (!r && next.no) {
		query_begin(&q, a->db, "DELETE FROM findings WHERE device = ? AND prev_no = ? AND next_no = ?");
		query_i64(&q, a->dev->key);
		query_u64(&q, prev.no);
		query_u64(&q, next.no);
		r = query_run(&q, a->diag);
	}
	if (!r)
		r = judge_link(a, &prev, &self);
	if (!r && next.no)
		r = judge_link(a, &self, &next);
	return r;
}
