#include "gateway/store/sqlite/care_read.h"
#include "gateway/store/sqlite/row.h"

static const int64_t used_ms = INT64_C(86400000) * STORE_CARE_DAYS;

void care_columns(struct query *q, struct care_has *ret_has)
{
	ret_has->flags = col_i64(q);
	ret_has->cases = col_i64(q);
	ret_has->tag = col_i64(q);
	ret_has->services = col_i64(q);
	ret_has->last_ms = col_i64(q);
}

static int read_flags(struct store_reader *reader, int64_t key, struct store_care *care, struct gf_diag *diag)
{
	struct query q;
	size_t n = 0;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT count(*) OVER (), id, severity, opened_ms, acked_ms, title, text, advice, acked_by, metric"
	            " FROM flags INDEXED BY flags_open WHERE device = ? AND ended_ms = 0"
	            " ORDER BY severity DESC, acked_ms <> 0, opened_ms LIMIT ?");
	query_i64(&q, key);
	query_i64(&q, STORE_CARE_FLAGS_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && n < STORE_CARE_FLAGS_MAX) {
		struct store_care_flag *f = &care->flags[n++];

		care->flags_open = (uint32_t)col_i64(&q);
		f->id = col_u64(&q);
		f->severity = (enum rule_severity)col_i64(&q);
		f->opened_ms = col_i64(&q);
		f->acked_ms = col_i64(&q);
		col_text(&q, f->title, sizeof(f->title));
		col_text(&q, f->text, sizeof(f->text));
		col_text(&q, f->advice, sizeof(f->advice));
		col_text(&q, f->acked_by, sizeof(f->acked_by));
		col_text(&q, f->metric, sizeof(f->metric));
	}
	return query_end(&q, rc, diag);
}

static int read_cases(struct store_reader *reader, int64_t key, struct store_care *care, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT id, reported, code, severity, times, first_ms, acked_ms, detail, person, acked_by"
	            " FROM cases INDEXED BY cases_open WHERE device = ? AND open > 0"
	            " ORDER BY reported DESC, severity DESC, first_ms LIMIT ?");
	query_i64(&q, key);
	query_i64(&q, STORE_CARE_CASES_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && care->cases_count < STORE_CARE_CASES_MAX) {
		struct store_care_case *c = &care->cases[care->cases_count++];

		c->id = col_u64(&q);
		c->reported = col_i64(&q);
		c->code = (enum gf_fault)col_i64(&q);
		c->severity = (enum gf_severity)col_i64(&q);
		c->times = (uint32_t)col_i64(&q);
		c->first_ms = col_i64(&q);
		c->acked_ms = col_i64(&q);
		col_text(&q, c->detail, sizeof(c->detail));
		col_text(&q, c->by, sizeof(c->by));
		col_text(&q, c->acked_by, sizeof(c->acked_by));
	}
	return query_end(&q, rc, diag);
}

/* Beside max() the row's other columns are those of that row. */
int care_parts(struct store_reader *reader, int64_t key, struct store_care_part ret_parts[FACT_PART_COUNT],
               struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT part, max(at_ms), odo_motor_ms, odo_sessions, odo_cycles FROM services WHERE device = ?"
	            " GROUP BY part");
	query_i64(&q, key);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		uint64_t part = col_u64(&q);
		struct store_care_part *p = &ret_parts[part < FACT_PART_COUNT ? part : 0];

		if (part >= FACT_PART_COUNT)
			continue;
		p->at_ms = col_i64(&q);
		p->odometer.motor_ms = col_u64(&q);
		p->odometer.sessions = col_u64(&q);
		p->odometer.cycles = col_u64(&q);
	}
	return query_end(&q, rc, diag);
}

/* By the odometer, after the last session and after the first of these days: whatever was between them isn't looked at. Where the odometer went
 * back in between (another machine under the same name) nothing is known. */
int care_use(struct store_reader *reader, int64_t key, int64_t last_ms, int64_t first_seen_ms,
             struct store_use *ret_use, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT * FROM (SELECT ended_ms, odo_sessions - 1, odo_motor_ms - motor_ms"
	            " FROM sessions INDEXED BY sessions_device_end WHERE device = ?1 AND outcome <> 0 AND ended_ms >= ?2"
	            " ORDER BY ended_ms LIMIT 1),"
	            " (SELECT odo_sessions, odo_motor_ms FROM sessions INDEXED BY sessions_device_end"
	            " WHERE device = ?1 AND outcome <> 0 AND ended_ms = ?3 LIMIT 1)");
	query_i64(&q, key);
	query_i64(&q, last_ms - used_ms);
	query_i64(&q, last_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		int64_t first_ms = col_i64(&q), sessions = -col_i64(&q), motor_ms = -col_i64(&q);
		int64_t known_ms = first_seen_ms < first_ms ? first_seen_ms : first_ms;

		sessions += col_i64(&q);
		motor_ms += col_i64(&q);
		ret_use->last_ms = last_ms;
		ret_use->from_ms = known_ms > last_ms - used_ms ? known_ms : last_ms - used_ms;
		ret_use->sessions = sessions > 0 && motor_ms >= 0 ? (uint64_t)sessions : 0;
		ret_use->motor_ms = sessions > 0 && motor_ms >= 0 ? (uint64_t)motor_ms : 0;
	}
	return query_end(&q, rc, diag);
}

static int read_incident(struct store_reader *reader, int64_t key, uint64_t *ret_incident, struct gf_diag *diag)
{
	struct query q;
	int64_t id = 0;
	int r;

	query_begin(&q, &reader->db,
	            "SELECT max(i.id) FROM incidents i JOIN incident_devices m ON m.incident = i.id AND m.device = ?"
	            " WHERE i.closed_ms = 0");
	query_i64(&q, key);
	r = query_value(&q, 0, &id, diag);
	*ret_incident = (uint64_t)id;
	return r;
}

int care_read(struct store_reader *reader, int64_t key, const struct care_has *has, struct store_device *device,
              struct gf_diag *diag)
{
	struct store_care *care = &device->care;
	int r = has->flags ? read_flags(reader, key, care, diag) : 0;

	if (!r && has->cases)
		r = read_cases(reader, key, care, diag);
	if (!r && has->tag)
		r = row_tag(&reader->db, key, &care->tag, diag);
	if (!r && has->services)
		r = care_parts(reader, key, care->parts, diag);
	if (!r && has->last_ms > 0)
		r = care_use(reader, key, has->last_ms, device->first_seen_ms, &care->use, diag);
	if (!r && !device->online)
		r = read_incident(reader, key, &care->incident, diag);
	return r;
}
