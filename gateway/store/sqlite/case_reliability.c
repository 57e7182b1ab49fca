/*
 * How reliable machines are over a time: how often they failed (cases of severity stop and latch), what they ran, and how long they were down: while such
 * a fault was open, or a tag hung there. Times that overlap count once.
 *
 * The hours are gone through once, in the order they lie in, for all machines together: machine by machine each would be looked up on its own. What is
 * kept are the machines. Faults are few, and have an index by machine.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "proto/base/span.h"

_Static_assert(GF_SEVERITY_STOP == 3 && GF_SEVERITY_LATCH == 4, "the index faults_down names them by number");

struct range {
	int64_t since_ms, until_ms;
};

struct machine {
	int64_t device;
	unsigned class;
	double part_ms; /* of the motor, in hours that are only partly in the range: as much of each as if it were even */
	struct store_reliability own;
};

struct machines {
	struct machine *all; /* by `device`, until they are given out */
	size_t count, room;
};

/* ---- failures ---- */

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

/* ---- motor time ---- */

static int by_device(const void *a, const void *b)
{
	const struct machine *x = a, *y = b;
	return (x->device > y->device) - (x->device < y->device);
}

static void add_hour(struct machine *m, const struct range *range, int64_t hour_ms, uint64_t motor_ms)
{
	int64_t from = hour_ms > range->since_ms ? hour_ms : range->since_ms,
	        to = hour_ms + GF_HOUR_MS < range->until_ms ? hour_ms + GF_HOUR_MS : range->until_ms;

	if (to - from < GF_HOUR_MS)
		m->part_ms += (double)motor_ms * (double)(to - from) / GF_HOUR_MS;
	else
		m->own.motor_ms = motor_ms < INT64_MAX - m->own.motor_ms ? m->own.motor_ms + motor_ms : INT64_MAX;
}

static int read_motor(struct store_reader *reader, const struct range *range, struct machines *machines,
                      struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT device, hour_ms, motor_ms FROM hours WHERE hour_ms > ?1 - 3600000 AND hour_ms < ?2");
	query_i64(&q, range->since_ms);
	query_i64(&q, range->until_ms);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		struct machine wanted = {.device = col_i64(&q)}, *m;
		int64_t hour_ms = col_i64(&q);

		m = bsearch(&wanted, machines->all, machines->count, sizeof(wanted), by_device);
		if (m)
			add_hour(m, range, hour_ms, col_u64(&q));
	}
	return query_end(&q, rc, diag);
}

/* ---- downtime ---- */

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

/* ---- all of it ---- */

static int add_machine(struct machines *machines, struct query *q)
{
	struct machine *m;

	if (machines->count == machines->room) {
		size_t room = machines->room * 2 + 64;
		m = reallocarray(machines->all, room, sizeof(*m));
		if (!m)
			return -ENOMEM;
		machines->all = m;
		machines->room = room;
	}
	m = &machines->all[machines->count++];
	*m = (struct machine){.device = col_i64(q), .own.machines = 1};
	col_text(q, m->own.key, sizeof(m->own.key));
	m->class = (unsigned)col_i64(q);
	return 0;
}

static int read_machines(struct store_reader *reader, struct machines *machines, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, r = 0;

	query_begin(&q, &reader->db, "SELECT device, id, class FROM devices ORDER BY device");
	while (!r && (rc = query_step(&q)) == QUERY_ROW)
		r = add_machine(machines, &q);
	return query_stop(&q, rc, r, diag);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct machine *)a)->own.key, ((const struct machine *)b)->own.key);
}

static int give_machines(struct machines *machines, store_reliability_fn row, void *ctx)
{
	int r = 0;

	if (machines->count > 0)
		qsort(machines->all, machines->count, sizeof(*machines->all), by_key);
	for (size_t i = 0; i < machines->count && !r; i++)
		r = row(ctx, &machines->all[i].own);
	return r;
}

static int give_classes(const struct machines *machines, store_reliability_fn row, void *ctx)
{
	struct store_reliability classes[GF_CLASS_COUNT] = {{.machines = 0}};
	int r = 0;

	for (size_t i = 0; i < machines->count; i++) {
		const struct machine *m = &machines->all[i];
		struct store_reliability *sum = &classes[m->class < GF_CLASS_COUNT ? m->class : 0];

		sum->machines++;
		sum->cases += m->own.cases;
		sum->occurrences += m->own.occurrences;
		sum->motor_ms += m->own.motor_ms;
		sum->down_ms += m->own.down_ms;
	}
	for (size_t i = 0; i < GF_CLASS_COUNT && !r; i++) {
		gf_strcpy(classes[i].key, sizeof(classes[i].key), gf_class_name((enum gf_class)i));
		if (classes[i].machines)
			r = row(ctx, &classes[i]);
	}
	return r;
}

static int read_reliability(struct store_reader *reader, const struct range *range, struct machines *machines,
                            struct gf_diag *diag)
{
	int r = read_machines(reader, machines, diag);

	if (r || !machines->all)
		return r;
	r = read_motor(reader, range, machines, diag);
	for (size_t i = 0; i < machines->count && !r; i++) {
		struct machine *m = &machines->all[i];

		m->own.motor_ms += (uint64_t)m->part_ms;
		r = read_counts(reader, m->device, range, &m->own, diag);
		if (!r)
			r = read_down(reader, m->device, range, &m->own.down_ms, diag);
	}
	return r;
}

int store_read_reliability(struct store_reader *reader, bool by_class, int64_t since_ms, int64_t until_ms,
                           store_reliability_fn row, void *ctx, struct gf_diag *diag)
{
	const struct range range = {since_ms, until_ms};
	struct machines machines = {.count = 0};
	int r = read_begin(reader, diag);

	if (!r)
		r = read_end(reader, read_reliability(reader, &range, &machines, diag));
	if (!r)
		r = by_class ? give_classes(&machines, row, ctx) : give_machines(&machines, row, ctx);
	free(machines.all);
	return r;
}
