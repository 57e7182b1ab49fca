/* Parts renewed, machines serviced: with the odometer of that moment, from which the part counts anew. */
#include <errno.h>
#include <stdio.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/care_read.h"
#include "gateway/store/sqlite/writer.h"

/* ---- writing ---- */

static int tell(struct store *s, const char *device, enum fact_part part, int64_t id, const char *note,
                const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	const bool whole = part == FACT_PART_SERVICE;
	char detail[STORE_REASON_MAX + GF_NAME_MAX];
	int r;

	snprintf(detail, sizeof(detail), "%s%s%s", fact_part_name(part), note[0] ? ": " : "", note);
	r = store_deed_add(s, actor, "device service", device, detail, now_ms, diag);
	return r ? r
	         : event_add(s, now_ms, STORE_EVENT_SERVICE, device, (uint64_t)id, fact_part_name(part), diag,
	                     "%s by %s: its counters begin anew%s%s%s", whole ? "serviced" : fact_part_name(part),
	                     actor->who, note[0] ? " (" : "", note, note[0] ? ")" : "");
}

static int add(struct store *s, const char *device, enum fact_part part, const char *note,
               const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;
	int64_t key = 0, id;
	int r;

	if ((unsigned)part >= FACT_PART_COUNT)
		return -EINVAL;
	r = device_find(s, device, &key, diag);
	if (r)
		return r;
	query_begin(
	    &q, &s->db,
	    "INSERT INTO services (device, part, at_ms, person, note, odo_motor_ms, odo_sessions, odo_cycles)"
	    " SELECT device, ?2, ?3, ?4, ?5, odo_motor_ms, odo_sessions, odo_cycles FROM devices WHERE device = ?1");
	query_i64(&q, key);
	query_i64(&q, part);
	query_i64(&q, now_ms);
	query_text(&q, actor->who);
	query_text(&q, note);
	r = query_run(&q, diag);
	id = sqlite3_last_insert_rowid(s->db.handle);
	if (!r)
		r = judge_mark(s, FACT_SERVICE, key, now_ms, 0, 0, diag);
	return r ? r : tell(s, device, part, id, note, actor, now_ms, diag);
}

int store_service_add(struct store *s, const char *device, enum fact_part part, const char *note,
                      const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, add(s, device, part, note ? note : "", actor, now_ms, diag), diag);
}

/* ---- reading ---- */

#define SERVICE_COLUMNS "id, part, at_ms, person, note, odo_motor_ms, odo_sessions, odo_cycles"

static void read_service(struct query *q, struct store_service *v)
{
	v->id = col_u64(q);
	v->part = (enum fact_part)col_i64(q);
	v->at_ms = col_i64(q);
	col_text(q, v->by, sizeof(v->by));
	col_text(q, v->note, sizeof(v->note));
	v->odometer.motor_ms = col_u64(q);
	v->odometer.sessions = col_u64(q);
	v->odometer.cycles = col_u64(q);
}

static int read_wear(struct store_reader *reader, const char *device, struct store_wear *ret_wear, struct gf_diag *diag)
{
	struct store_wear wear = {.use = {0}};
	int64_t key = 0, first_seen_ms = 0, last_ms = 0;
	struct query q;
	int rc, r;

	query_begin(&q, &reader->db, "SELECT d.device, d.first_seen_ms," CARE_LAST_COLUMN " FROM devices d WHERE d.id = ?");
	query_text(&q, device);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		key = col_i64(&q);
		first_seen_ms = col_i64(&q);
		last_ms = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r && !key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	if (!r)
		r = care_parts(reader, key, wear.parts, diag);
	if (!r && last_ms > 0)
		r = care_use(reader, key, last_ms, first_seen_ms, &wear.use, diag);
	if (!r)
		*ret_wear = wear;
	return r;
}

int store_read_wear(struct store_reader *reader, const char *device, struct store_wear *ret_wear, struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_wear(reader, device, ret_wear, diag));
}

int store_read_services(struct store_reader *reader, const char *device, store_service_fn row, void *ctx,
                        struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT " SERVICE_COLUMNS " FROM services WHERE device = (SELECT device FROM devices WHERE id = ?)"
	            " ORDER BY at_ms DESC, id DESC");
	query_text(&q, device);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_service v = {0};

		read_service(&q, &v);
		stopped = row(ctx, &v);
	}
	return query_stop(&q, rc, stopped, diag);
}
