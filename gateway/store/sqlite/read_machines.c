/* Reading machines, and where they were, without all that happened to them. */
#include "gateway/store/sqlite/reader.h"

#define FIRST_SEEN \
	"min(d.first_seen_ms, coalesce((SELECT min(hour_ms) FROM hours WHERE hours.device = d.device), d.first_seen_ms))"

int store_read_machines(struct store_reader *reader, store_machine_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(
	    &q, &reader->db,
	    "SELECT device, id, coalesce(site_set, site), class, model, coalesce(rated_motor_h, 0), motor_before_ms,"
	    " " FIRST_SEEN ", odo_motor_ms, odo_sessions, odo_cycles FROM devices d ORDER BY id");
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

#define COUNT_SENSOR(s) ", count(h." #s "_last)"
int store_read_sensing(struct store_reader *reader, struct store_sensing ret_told[static GF_CLASS_COUNT],
                       struct gf_diag *diag)
{
	struct store_sensing told[GF_CLASS_COUNT] = {{0}};
	struct query q;
	int rc, r;

	query_begin(
	    &q, &reader->db,
	    "SELECT d.class, count(*), count(CASE WHEN d.vibration_ms2 > 0 THEN 1 END), count(h.at_ms)" SCHEMA_SENSORS(
	        COUNT_SENSOR) " FROM devices d"
	                      " LEFT JOIN heartbeats h ON h.device = d.device AND h.at_ms = d.heartbeat_ms"
	                      " AND h.stream = d.heartbeat_stream AND h.seq = d.heartbeat_seq GROUP BY d.class");
	while ((rc = query_step(&q)) == QUERY_ROW) {
		const int64_t class = col_i64(&q);
		struct store_sensing of = {.machines = col_u64(&q)};

		of.vibrating = col_u64(&q);
		of.beating = col_u64(&q);
		for (int s = 1; s < GF_SENSOR_COUNT; s++)
			of.measuring[s] = col_u64(&q);
		if (class >= 0 && class < GF_CLASS_COUNT)
			told[class] = of;
	}
	r = query_end(&q, rc, diag);
	if (r == 0)
		memcpy(ret_told, told, sizeof(told));
	return r;
}

int store_read_stays(struct store_reader *reader, store_stay_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT d.id, p.site, d.class, max(p.from_ms, d.first_ms), p.until_ms FROM"
	            " (SELECT d.device, d.id, d.class, " FIRST_SEEN " AS first_ms FROM devices d) d"
	            " CROSS JOIN places p ON p.device = d.device WHERE p.until_ms > d.first_ms ORDER BY d.id, p.from_ms");
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_stay s = {.class = GF_CLASS_UNSPECIFIED};

		col_text(&q, s.id, sizeof(s.id));
		col_text(&q, s.site, sizeof(s.site));
		s.class = (enum gf_class)col_i64(&q);
		s.from_ms = col_i64(&q);
		s.until_ms = col_i64(&q);
		stopped = row(ctx, &s);
	}
	return query_stop(&q, rc, stopped, diag);
}
