/* Reading usage by a key, and a device's sensors over time. */
#include <errno.h>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/schema.h"
#include "proto/base/date.h"

_Static_assert(GF_OUTCOME_COMPLETED == 1 && GF_OUTCOME_INTERRUPTED == 6 && GF_OUTCOME_COUNT == 7,
               "the usage texts count outcomes by number");

#define USAGE_OUTCOMES ", sum(s.outcome = 1), sum(s.outcome BETWEEN 2 AND 5), sum(s.outcome = 6)"
/* total() goes on where sum() would fail for an overflow: the numbers are what machines claim. */
#define USAGE_SUMS ", count(*), sum(max(s.duration_ms - s.paused_ms, 0)), total(s.motor_ms)" USAGE_OUTCOMES
#define USAGE_RANGE " WHERE s.outcome > 0 AND s.started_ms >= ?1 AND s.started_ms < ?2"
#define USAGE_BY(expression)                                                                     \
	"SELECT " expression USAGE_SUMS " FROM sessions s JOIN devices d USING (device)" USAGE_RANGE \
	" GROUP BY 1 ORDER BY 1"

/* One text a key: the key's column, sessions, running and motor ms, completed, stopped, interrupted. A session that
 * touched an area more than once (both sides, two techniques) counts once for it. */
static const char *const usage_texts[STORE_USAGE_COUNT] = {
    [STORE_USAGE_DEVICE] = USAGE_BY("d.id"),
    [STORE_USAGE_SITE] = USAGE_BY("coalesce(d.site_set, d.site)"),
    [STORE_USAGE_CLASS] = USAGE_BY("d.class"),
    [STORE_USAGE_ROUTINE] = USAGE_BY("s.routine"),
    [STORE_USAGE_AREA] = "SELECT s.area, count(*), sum(s.ms), 0" USAGE_OUTCOMES
                         " FROM (SELECT s.outcome, a.area, sum(a.ms) AS ms FROM sessions s"
                         " JOIN session_areas a USING (device, session_no)" USAGE_RANGE
                         " GROUP BY s.device, s.session_no, a.area) AS s GROUP BY 1 ORDER BY 1",
    [STORE_USAGE_HOUR] = USAGE_BY("(s.started_ms + ?3) / 3600000 % 24"),
    [STORE_USAGE_DAY] = USAGE_BY("date((s.started_ms + ?3) / 1000, 'unixepoch')"),
    /* The week's Monday, as a day; the first of them was in 1969. */
    [STORE_USAGE_WEEK] = USAGE_BY("((s.started_ms + ?3) / 86400000 + 3) / 7 * 7 - 3"),
    [STORE_USAGE_OUTCOME] = USAGE_BY("s.outcome"),
};

static void read_key(struct query *q, enum store_usage_key by, char *ret_key, size_t size)
{
	char week[GF_DATE_MAX];

	switch (by) {
	case STORE_USAGE_CLASS:
		gf_strcpy(ret_key, size, gf_class_name((enum gf_class)col_i64(q)));
		return;
	case STORE_USAGE_AREA:
		gf_strcpy(ret_key, size, gf_area_name((enum gf_area)col_i64(q)));
		return;
	case STORE_USAGE_WEEK:
		gf_strcpy(ret_key, size, gf_week_format((int32_t)col_i64(q), week));
		return;
	case STORE_USAGE_OUTCOME:
		gf_strcpy(ret_key, size, gf_outcome_name((enum gf_outcome)col_i64(q)));
		return;
	default:
		col_text(q, ret_key, size);
	}
}

int store_read_usage(struct store_reader *reader, enum store_usage_key by, int64_t since_ms, int64_t until_ms,
                     int64_t utc_offset_ms, store_usage_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, r, stopped = 0;

	if ((unsigned)by >= STORE_USAGE_COUNT)
		return -EINVAL;
	query_begin(&q, &reader->db, usage_texts[by]);
	query_i64(&q, since_ms);
	query_i64(&q, until_ms ? until_ms : INT64_MAX);
	if (by == STORE_USAGE_HOUR || by == STORE_USAGE_DAY || by == STORE_USAGE_WEEK)
		query_i64(&q, utc_offset_ms);
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
	r = query_end(&q, rc, stopped ? NULL : diag);
	return stopped ? stopped : r;
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
	int rc = QUERY_DONE, r, stopped = 0;

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
	r = query_end(&q, rc, stopped ? NULL : diag);
	return stopped ? stopped : r;
}
