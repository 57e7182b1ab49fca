/*
 * How reliable machines are over a time: how often they failed (cases of severity stop and latch), what they ran, and how long they were down: while such
 * a fault was open, or a tag hung there. Times that overlap count once.
 */
#include <errno.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"

enum { HOUR_MS = 3600 * 1000 };
_Static_assert(GF_SEVERITY_STOP == 3 && GF_SEVERITY_LATCH == 4, "the index faults_down names them by number");

struct range {
	int64_t since_ms, until_ms;
};

/* ?1 device, ?2 since, ?3 until */
static int count(struct store_reader *reader, const char *sql, int64_t key, const struct range *range,
                 int64_t *ret_value, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &reader->db, sql);
	query_i64(&q, key);
	query_i64(&q, range->since_ms);
	query_i64(&q, range->until_ms);
	return query_value(&q, 0, ret_value, diag);
}

static int read_counts(struct store_reader *reader, int64_t key, const struct range *range,
                       struct store_reliability *sum, struct gf_diag *diag)
{
	int64_t cases = 0, faults = 0, reports = 0;
	int r = count(reader,
	              "SELECT count(*) FROM cases WHERE device = ?1 AND severity >= 3 AND last_ms >= ?2 AND first_ms >= ?2"
	              " AND first_ms < ?3",
	              key, range, &cases, diag);

	if (!r)
		r = count(reader,
		          "SELECT count(*) FROM faults WHERE device = ?1 AND severity >= 3 AND raised_ms >= ?2"
		          " AND raised_ms < ?3",
		          key, range, &faults, diag);
	if (!r)
		r = count(reader,
		          "SELECT count(*) FROM cases WHERE device = ?1 AND severity >= 3 AND reported = 1 AND last_ms >= ?2"
		          " AND last_ms < ?3",
		          key, range, &reports, diag);
	if (r)
		return r;
	sum->cases += (uint64_t)cases;
	sum->occurrences += (uint64_t)(faults + reports);
	return 0;
}

/* Of an hour that is only partly in the range as much as if it were even. */
static int read_motor(struct store_reader *reader, int64_t key, const struct range *range, uint64_t *motor_ms,
                      struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT hour_ms, sum(motor_ms) FROM hours WHERE device = ?1 AND hour_ms > ?2 - 3600000 AND hour_ms < ?3"
	            " GROUP BY hour_ms");
	query_i64(&q, key);
	query_i64(&q, range->since_ms);
	query_i64(&q, range->until_ms);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		int64_t from = col_i64(&q), to = from + HOUR_MS;
		double ms = (double)col_i64(&q);

		from = from > range->since_ms ? from : range->since_ms;
		to = to < range->until_ms ? to : range->until_ms;
		*motor_ms += (uint64_t)(ms * (double)(to - from) / HOUR_MS);
	}
	return query_end(&q, rc, diag);
}

/* In order of their beginning, so that a running end is enough. */
static int read_down(struct store_reader *reader, int64_t key, const struct range *range, uint64_t *down_ms,
                     struct gf_diag *diag)
{
	int64_t end = range->since_ms;
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT raised_ms AS a, coalesce(cleared_ms, ?3) AS b FROM faults WHERE device = ?1 AND severity >= 3"
	            " AND raised_ms < ?3 AND coalesce(cleared_ms, ?3) > ?2"
	            " UNION ALL SELECT since_ms, iif(until_ms = 0, ?3, until_ms) FROM tags WHERE device = ?1"
	            " AND since_ms < ?3 AND (until_ms = 0 OR until_ms > ?2) ORDER BY a");
	query_i64(&q, key);
	query_i64(&q, range->since_ms);
	query_i64(&q, range->until_ms);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		int64_t a = col_i64(&q), b = col_i64(&q);

		a = a > end ? a : end;
		b = b < range->until_ms ? b : range->until_ms;
		if (b > a) {
			*down_ms += (uint64_t)(b - a);
			end = b;
		}
	}
	return query_end(&q, rc, diag);
}

static int read_machine(struct store_reader *reader, int64_t key, const struct range *range,
                        struct store_reliability *sum, struct gf_diag *diag)
{
	int r = read_counts(reader, key, range, sum, diag);

	if (!r)
		r = read_motor(reader, key, range, &sum->motor_ms, diag);
	if (!r)
		r = read_down(reader, key, range, &sum->down_ms, diag);
	sum->machines++;
	return r;
}

/* Each machine, its sums into its own row or its class's. */
static int read_all(struct store_reader *reader, const struct range *range,
                    struct store_reliability classes[static GF_CLASS_COUNT], store_reliability_fn row, void *ctx,
                    struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, r = 0, end;

	query_begin(&q, &reader->db, "SELECT device, id, class FROM devices ORDER BY id");
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_reliability own = {.machines = 0};
		int64_t key = col_i64(&q);
		unsigned class;

		col_text(&q, own.key, sizeof(own.key));
		class = (unsigned)col_i64(&q);
		r = read_machine(reader, key, range, row ? &own : &classes[class < GF_CLASS_COUNT ? class : 0], diag);
		if (!r && row)
			r = row(ctx, &own);
	}
	end = query_end(&q, rc, r ? NULL : diag);
	return r ? r : end;
}

static int read_reliability(struct store_reader *reader, bool by_class, const struct range *range,
                            store_reliability_fn row, void *ctx, struct gf_diag *diag)
{
	struct store_reliability classes[GF_CLASS_COUNT] = {{.machines = 0}};
	int r = read_all(reader, range, classes, by_class ? NULL : row, ctx, diag);

	for (size_t i = 0; by_class && i < GF_CLASS_COUNT && !r; i++) {
		gf_strcpy(classes[i].key, sizeof(classes[i].key), gf_class_name((enum gf_class)i));
		if (classes[i].machines)
			r = row(ctx, &classes[i]);
	}
	return r;
}

int store_read_reliability(struct store_reader *reader, bool by_class, int64_t since_ms, int64_t until_ms,
                           store_reliability_fn row, void *ctx, struct gf_diag *diag)
{
	const struct range range = {since_ms, until_ms};
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_reliability(reader, by_class, &range, row, ctx, diag));
}
