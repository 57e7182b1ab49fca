/* Reading usage by a key, and a device's sensors over time. */
#include <errno.h>

#include "gateway/store/sqlite/read_usage_parts.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/schema.h"
#include "proto/base/date.h"
#include "proto/base/span.h"

_Static_assert(GF_OUTCOME_COMPLETED == 1 && GF_OUTCOME_INTERRUPTED == 6 && GF_OUTCOME_COUNT == 7,
               "the usage texts count outcomes by number");

/* total() goes on where sum() would fail for an overflow: the numbers are what machines claim. */
#define USAGE_TOTALS ", sum(p.n), sum(p.running), total(p.motor), sum(p.c), sum(p.s), sum(p.i) FROM "

/*
 * The hours from ?4 to ?5, which are whole, and the sessions of what is left before and after them: added up by one of their columns, so that little is
 * left to be put under the key. Hours lie in the order of time.
 */
#define USAGE_SESSIONS                                                                                        \
	"SELECT outcome, started_ms AS at, 1 AS n, max(duration_ms - paused_ms, 0) AS running, motor_ms AS motor" \
	" FROM sessions WHERE outcome > 0"
#define USAGE_ADDED(column)                                                                            \
	"SELECT " column                                                                                   \
	", sum(n) AS n, sum(running) AS running, total(motor) AS motor, sum(iif(outcome = 1, n, 0)) AS c," \
	" sum(iif(outcome BETWEEN 2 AND 5, n, 0)) AS s, sum(iif(outcome = 6, n, 0)) AS i FROM ("
#define USAGE_PARTS(column)                                                                                            \
	"(" USAGE_ADDED(column) "SELECT h.outcome AS outcome, h.hour_ms AS at, h.sessions AS n,"                           \
	                        " h.began_running_ms AS running, h.began_motor_ms AS motor FROM hours h"                   \
	                        " WHERE h.hour_ms >= ?4 AND h.hour_ms < ?5 AND h.sessions > "                              \
	                        "0) GROUP BY " column " UNION ALL " USAGE_ADDED(column) USAGE_SESSIONS                     \
	    " AND started_ms >= ?1 AND started_ms < ?4) GROUP BY " column " UNION ALL " USAGE_ADDED(column) USAGE_SESSIONS \
	    " AND started_ms >= ?5 AND started_ms < ?2) GROUP BY " column ")"
#define USAGE_BY(column, expression) "SELECT " expression USAGE_TOTALS USAGE_PARTS(column) " AS p GROUP BY 1 ORDER BY 1"

/* One text a key: the key's column, sessions, running and motor ms, completed, stopped, interrupted. The rest: read_usage_parts.h. */
static const char *const usage_texts[STORE_USAGE_COUNT] = {
    [STORE_USAGE_HOUR] = USAGE_BY("at", "(p.at + ?3) / 3600000 % 24"),
    [STORE_USAGE_DAY] = USAGE_BY("at", "date((p.at + ?3) / 1000, 'unixepoch')"),
    /* The week's Monday, as a day; the first of them was in 1969. */
    [STORE_USAGE_WEEK] = USAGE_BY("at", "((p.at + ?3) / 86400000 + 3) / 7 * 7 - 3"),
};

static bool by_local_time(enum store_usage_key by)
{
	return by == STORE_USAGE_HOUR || by == STORE_USAGE_DAY || by == STORE_USAGE_WEEK;
}

/* The whole hours in the range; none where the clock isn't whole hours ahead of UTC. */
static void whole_hours(enum store_usage_key by, int64_t since_ms, int64_t until_ms, int64_t utc_offset_ms,
                        int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	int64_t from = since_ms + (GF_HOUR_MS - since_ms % GF_HOUR_MS) % GF_HOUR_MS, to = until_ms - until_ms % GF_HOUR_MS;
	bool exact = !by_local_time(by) || utc_offset_ms % GF_HOUR_MS == 0;

	*ret_from_ms = exact && from < to ? from : since_ms;
	*ret_to_ms = exact && from < to ? to : since_ms;
}

static void read_key(struct query *q, enum store_usage_key by, char *ret_key, size_t size)
{
	char week[GF_DATE_MAX];

	if (by == STORE_USAGE_WEEK)
		gf_strcpy(ret_key, size, gf_week_format((int32_t)col_i64(q), week));
	else
		col_text(q, ret_key, size);
}

int store_read_usage(struct store_reader *reader, enum store_usage_key by, int64_t since_ms, int64_t until_ms,
                     int64_t utc_offset_ms, store_usage_fn row, void *ctx, struct gf_diag *diag)
{
	int64_t from_ms, to_ms;
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	if ((unsigned)by >= STORE_USAGE_COUNT)
		return -EINVAL;
	since_ms = since_ms > 0 ? since_ms : 0;
	until_ms = until_ms ? until_ms : INT64_MAX;
	if (by == STORE_USAGE_ROUTINE)
		return read_usage_routines(reader, since_ms, until_ms, row, ctx, diag);
	if (by == STORE_USAGE_AREA)
		return read_usage_areas(reader, since_ms, until_ms, row, ctx, diag);
	whole_hours(by, since_ms, until_ms, utc_offset_ms, &from_ms, &to_ms);
	if (by == STORE_USAGE_OUTCOME)
		return read_usage_outcomes(reader, since_ms, until_ms, from_ms, to_ms, row, ctx, diag);
	if (!by_local_time(by))
		return read_usage_machines(reader, by, since_ms, until_ms, from_ms, to_ms, row, ctx, diag);
	query_begin(&q, &reader->db, usage_texts[by]);
	query_i64(&q, since_ms);
	query_i64(&q, until_ms);
	query_i64(&q, utc_offset_ms);
	query_i64(&q, from_ms);
	query_i64(&q, to_ms);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_usage u = {0};

		read_key(&q, by, u.key, sizeof(u.key));
		u.sessions = col_u64(&q);
		u.running_ms = col_u64(&q);
		u.motor_ms = col_u64(&q);
		u.completed = col_u64(&q);
		u.stopped = col_u64(&q);
		u.interrupted = col_u64(&q);
		stopped = row(ctx, &u);
	}
	return query_stop(&q, rc, stopped, diag);
}

#define ROLLUP_NAMES(s) ", r." #s "_min, r." #s "_max, r." #s "_sum / r." #s "_ms"
#define ROLLUP_COLUMNS SCHEMA_SENSORS(ROLLUP_NAMES)

static void read_bucket(struct query *q, struct store_bucket *b)
{
	b->start_ms = col_i64(q);
	b->covered_ms = col_u64(q);
	b->motor_ms = col_u64(q);
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		b->sensors[i].present = !col_null(q);
		b->sensors[i].min = (float)col_real(q);
		b->sensors[i].max = (float)col_real(q);
		b->sensors[i].mean = (float)col_real(q);
	}
}

int store_read_series(struct store_reader *reader, const char *device, unsigned span_s, int64_t since_ms,
                      int64_t until_ms, store_bucket_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT r.start_ms, r.covered_ms, r.motor_ms" ROLLUP_COLUMNS
	            " FROM rollups r WHERE r.device = (SELECT device FROM devices WHERE id = ?) AND r.span_s = ?"
	            " AND r.start_ms >= ? AND r.start_ms < ? ORDER BY r.start_ms");
	query_text(&q, device);
	query_i64(&q, span_s);
	query_i64(&q, since_ms);
	query_i64(&q, until_ms ? until_ms : INT64_MAX);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_bucket b = {0};

		read_bucket(&q, &b);
		stopped = row(ctx, &b);
	}
	return query_stop(&q, rc, stopped, diag);
}
