/* Reading cases. */
#include "gateway/store/cases.h"
#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/reader.h"

/* Where the machine is while it is open, so that somebody goes there; then, where it was. */
#define CASE_SITE PLACE_SITE("c.device", "iif(c.open > 0, 9223372036854775807, c.last_ms)")
/* ?1 device or number, ?2 open only, ?3 since, ?4 ?5 the cursor (last, id) */
#define CASE_SELECT(hint)                                                                                    \
	"SELECT c.id, d.id, " CASE_SITE ", d.class, c.reported, c.code, c.severity, c.open, c.times,"            \
	" c.first_ms, c.last_ms, c.cleared_ms, c.cleared_by, c.lasted_ms, c.fault_no, c.session_no, c.observed," \
	" c.limit_value, c.detail, c.person, c.acked_ms, c.acked_by, c.ack_note"                                 \
	" FROM cases c" hint " CROSS JOIN devices d ON d.device = c.device WHERE (?2 = 0 OR c.open > 0)"         \
	" AND (c.open > 0 OR c.last_ms >= ?3 OR c.cleared_ms >= ?3) AND (c.last_ms, c.id) < (?4, ?5)"
#define CASE_ORDER " ORDER BY c.last_ms DESC, c.id DESC"

static enum store_case_state state_of(bool open, bool acked)
{
	if (!open)
		return STORE_CASE_CLEARED;
	return acked ? STORE_CASE_ACKNOWLEDGED : STORE_CASE_ACTIVE;
}

static void read_case(struct query *q, struct store_case *c)
{
	bool open;

	c->id = col_u64(q);
	col_text(q, c->device, sizeof(c->device));
	col_text(q, c->site, sizeof(c->site));
	c->class = (enum gf_class)col_i64(q);
	c->reported = col_i64(q);
	c->code = (enum gf_fault)col_i64(q);
	c->severity = (enum gf_severity)col_i64(q);
	open = col_i64(q) > 0;
	c->times = (uint32_t)col_i64(q);
	c->first_ms = col_i64(q);
	c->last_ms = col_i64(q);
	c->cleared_ms = col_i64(q);
	c->cleared_by = (enum gf_cleared_by)col_i64(q);
	c->lasted_ms = col_u64(q);
	c->fault_no = col_u64(q);
	c->session_no = col_u64(q);
	c->observed = (float)col_real(q);
	c->limit = (float)col_real(q);
	col_text(q, c->detail, sizeof(c->detail));
	col_text(q, c->by, sizeof(c->by));
	c->acked_ms = col_i64(q);
	col_text(q, c->acked_by, sizeof(c->acked_by));
	col_text(q, c->ack_note, sizeof(c->ack_note));
	c->state = state_of(open, c->acked_ms != 0);
	if (open) {
		c->cleared_ms = 0;
		c->cleared_by = GF_CLEARED_BY_UNSPECIFIED;
	}
}

static const char *text_for(const struct store_case_query *query)
{
	if (query->id)
		return CASE_SELECT("") " AND c.id = coalesce((SELECT id FROM case_aliases WHERE old = ?1), ?1)";
	if (query->device)
		return CASE_SELECT("") " AND c.device = ?1" CASE_ORDER;
	/* Of all that ever were few are open. */
	return query->open_only ? CASE_SELECT(" INDEXED BY cases_open") " AND ?1 = 0 AND c.open > 0" CASE_ORDER
	                        : CASE_SELECT("") " AND ?1 = 0" CASE_ORDER;
}

static int read_cases(struct store_reader *reader, const struct store_case_query *query, store_case_fn row, void *ctx,
                      struct gf_diag *diag)
{
	int64_t key = 0;
	struct query q;
	int rc = QUERY_DONE, stopped = 0;
	int r = read_device_key(reader, query->device, &key, diag);

	if (r || (query->device && !key))
		return r;
	query_begin(&q, &reader->db, text_for(query));
	query_i64(&q, query->id ? (int64_t)query->id : key);
	query_i64(&q, query->open_only);
	query_i64(&q, query->since_ms);
	query_i64(&q, query->after_id ? query->after_last_ms : INT64_MAX);
	query_u64(&q, query->after_id ? query->after_id : INT64_MAX);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_case c = {0};

		read_case(&q, &c);
		stopped = row(ctx, &c);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_cases(struct store_reader *reader, const struct store_case_query *query, store_case_fn row, void *ctx,
                     struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_cases(reader, query, row, ctx, diag));
}
