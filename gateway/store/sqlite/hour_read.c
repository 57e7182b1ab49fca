/* Reading what each hour has. */
#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"

/* Machine by machine and place by place, each along its index: in the order that is wanted, however many there are. */
#define HOUR_SELECT                                                                                           \
	"SELECT d.id, p.site, d.class, h.hour_ms, h.outcome, h.sessions, h.running_ms, h.motor_ms FROM devices d" \
	" CROSS JOIN places p ON p.device = d.device CROSS JOIN hours h ON h.device = p.device"                   \
	" WHERE h.hour_ms >= max(?2, p.from_ms) AND h.hour_ms < min(?3, p.until_ms)"
#define HOUR_ORDER " ORDER BY d.id, p.from_ms, h.hour_ms, h.outcome"

struct rows {
	store_hour_fn row;
	void *ctx;
	struct store_hour hour; /* being added up; without a device there is none */
};

static int give(struct rows *rows)
{
	return rows->hour.device[0] ? rows->row(rows->ctx, &rows->hour) : 0;
}

/* One row for each outcome becomes one hour. */
static int take(struct rows *rows, struct query *q)
{
	struct store_hour hour = {.sessions = 0};
	uint64_t sessions;
	unsigned outcome;
	int r = 0;

	col_text(q, hour.device, sizeof(hour.device));
	col_text(q, hour.site, sizeof(hour.site));
	hour.class = (enum gf_class)col_i64(q);
	hour.hour_ms = col_i64(q);
	if (hour.hour_ms != rows->hour.hour_ms || strcmp(hour.device, rows->hour.device) != 0) {
		r = give(rows);
		rows->hour = hour;
	}
	outcome = (unsigned)col_i64(q);
	sessions = col_u64(q);
	rows->hour.sessions += sessions;
	rows->hour.running_ms += col_u64(q);
	rows->hour.motor_ms += col_u64(q);
	if (outcome < GF_OUTCOME_COUNT)
		rows->hour.outcomes[outcome] += sessions;
	return r;
}

int store_read_hours(struct store_reader *reader, const char *device, int64_t since_ms, int64_t until_ms,
                     store_hour_fn row, void *ctx, struct gf_diag *diag)
{
	struct rows rows = {.row = row, .ctx = ctx};
	struct query q;
	int rc = QUERY_DONE, stopped = 0, r;

	query_begin(&q, &reader->db,
	            device ? HOUR_SELECT " AND d.id = ?1" HOUR_ORDER : HOUR_SELECT " AND ?1 IS NULL" HOUR_ORDER);
	query_text(&q, device);
	query_i64(&q, since_ms);
	query_i64(&q, until_ms ? until_ms : INT64_MAX);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW)
		stopped = take(&rows, &q);
	r = query_stop(&q, rc, stopped, diag);
	return r ? r : give(&rows);
}
