/* Reading incidents, and who is part of each. */
#include "gateway/store/incidents.h"
#include "gateway/store/sqlite/reader.h"

static int read_all(struct store_reader *reader, const struct store_incident_query *query, store_incident_fn row,
                    void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT i.id, i.site, i.opened_ms, i.closed_ms, i.machines, i.site_machines,"
	            " CASE i.closed_ms WHEN 0 THEN (SELECT count(*) FROM incident_devices m JOIN devices d USING (device)"
	            " WHERE m.incident = i.id AND d.online = 0) ELSE 0 END FROM incidents i"
	            " WHERE (?1 = 0 OR i.id = ?1) AND (?2 = 0 OR i.closed_ms = 0)"
	            " AND (i.closed_ms = 0 OR i.closed_ms >= ?3) AND (?4 = 0 OR i.id < ?4) ORDER BY i.id DESC");
	query_u64(&q, query->id);
	query_i64(&q, query->open_only);
	query_i64(&q, query->since_ms);
	query_u64(&q, query->after_id);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_incident i = {.id = col_u64(&q)};

		col_text(&q, i.site, sizeof(i.site));
		i.opened_ms = col_i64(&q);
		i.closed_ms = col_i64(&q);
		i.machines = (uint32_t)col_i64(&q);
		i.of = (uint32_t)col_i64(&q);
		i.missing = (uint32_t)col_i64(&q);
		stopped = row(ctx, &i);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_incidents(struct store_reader *reader, const struct store_incident_query *query, store_incident_fn row,
                         void *ctx, struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_all(reader, query, row, ctx, diag));
}

int store_read_incident_devices(struct store_reader *reader, uint64_t id, store_incident_device_fn row, void *ctx,
                                struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT d.id FROM incident_devices m JOIN devices d USING (device) WHERE m.incident = ? ORDER BY d.id");
	query_u64(&q, id);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		char device[GF_ID_MAX];

		col_text(&q, device, sizeof(device));
		stopped = row(ctx, device);
	}
	return query_stop(&q, rc, stopped, diag);
}
