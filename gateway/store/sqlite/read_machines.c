/* Reading machines without all that happened to them. */
#include "gateway/store/sqlite/reader.h"

int store_read_machines(struct store_reader *reader, store_machine_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(
	    &q, &reader->db,
	    "SELECT device, id, coalesce(site_set, site), class, model, coalesce(rated_motor_h, 0), motor_before_ms,"
	    " min(first_seen_ms, coalesce((SELECT min(hour_ms) FROM hours WHERE hours.device = devices.device),"
	    " first_seen_ms)), odo_motor_ms, odo_sessions, odo_cycles FROM devices ORDER BY id");
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_machine m = {.key = col_i64(&q)};

		col_text(&q, m.id, sizeof(m.id));
		col_text(&q, m.site, sizeof(m.site));
		m.class = (enum gf_class)col_i64(&q);
		col_text(&q, m.model, sizeof(m.model));
		m.rated_motor_h = col_real(&q);
		m.motor_before_ms = col_u64(&q);
		m.first_seen_ms = col_i64(&q);
		m.odometer.motor_ms = col_u64(&q);
		m.odometer.sessions = col_u64(&q);
		m.odometer.cycles = col_u64(&q);
		stopped = row(ctx, &m);
	}
	return query_stop(&q, rc, stopped, diag);
}
