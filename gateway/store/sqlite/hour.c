/*
 * How much each hour: a session counts where it began, and its running and motor time in each hour of UTC that it ran in, as if they were even. One that
 * claims to have lasted longer than SPREAD_MAX_MS has all of it in that time, so that no session touches more than SPREAD_MAX_MS / GF_HOUR_MS + 1 rows.
 */
#include "gateway/store/sqlite/writer.h"
#include "proto/base/span.h"

enum { SPREAD_MAX_MS = 48 * GF_HOUR_MS };

struct share {
	int64_t hour_ms;
	int64_t sessions, began_running_ms, began_motor_ms, running_ms, motor_ms;
};

static int add(struct apply *a, enum gf_outcome outcome, const struct share *share)
{
	struct query q;

	query_begin(&q, a->db,
	            "INSERT INTO hours (hour_ms, device, outcome, sessions, began_running_ms, began_motor_ms, running_ms,"
	            " motor_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
	            " sessions = sessions + excluded.sessions,"
	            " began_running_ms = began_running_ms + excluded.began_running_ms,"
	            " began_motor_ms = began_motor_ms + excluded.began_motor_ms,"
	            " running_ms = running_ms + excluded.running_ms, motor_ms = motor_ms + excluded.motor_ms");
	query_i64(&q, share->hour_ms);
	query_i64(&q, a->dev->key);
	query_i64(&q, outcome);
	query_i64(&q, share->sessions);
	query_i64(&q, share->began_running_ms);
	query_i64(&q, share->began_motor_ms);
	query_i64(&q, share->running_ms);
	query_i64(&q, share->motor_ms);
	return query_run(&q, a->diag);
}

/* What `total` has been until `x` of `span`; the shares of a span add up to it. No product overflows: a span is short. */
static int64_t until(int64_t total, int64_t x, int64_t span)
{
	return total / span * x + total % span * x / span;
}

static int64_t between(int64_t total, int64_t from, int64_t to, int64_t span)
{
	return until(total, to, span) - until(total, from, span);
}

static int64_t span_of(const struct gf_session_ended *e)
{
	if (e->duration_ms == 0)
		return 1;
	return e->duration_ms < SPREAD_MAX_MS ? e->duration_ms : SPREAD_MAX_MS;
}

int hours_add(struct apply *a, const struct gf_session_ended *e, int64_t started_ms)
{
	const int64_t running_ms = e->duration_ms > e->paused_ms ? e->duration_ms - e->paused_ms : 0;
	const int64_t motor_ms = (int64_t)e->motor_ms, span = span_of(e);
	/* Rounded down, before 1970 too. */
	int64_t hour_ms = started_ms - (started_ms % GF_HOUR_MS + GF_HOUR_MS) % GF_HOUR_MS;
	struct share share = {.sessions = 1, .began_running_ms = running_ms, .began_motor_ms = motor_ms};
	int r = 0;

	for (int64_t from = 0; from < span && !r; hour_ms += GF_HOUR_MS) {
		int64_t to = hour_ms + GF_HOUR_MS - started_ms;

		to = to < span ? to : span;
		share.hour_ms = hour_ms;
		share.running_ms = between(running_ms, from, to, span);
		share.motor_ms = between(motor_ms, from, to, span);
		r = add(a, e->outcome, &share);
		share = (struct share){.sessions = 0};
		from = to;
	}
	return r;
}
