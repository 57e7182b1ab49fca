/* Parts renewed, machines serviced: with the odometer of that moment, from which the part counts anew; and the pace at which machines are used. */
#include <errno.h>
#include <stdio.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"

enum { HOUR_MS = 3600 * 1000 };
static const int64_t pace_max_ms = 28LL * 24 * HOUR_MS;

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
	query_begin(&q, &s->db, "SELECT device FROM devices WHERE id = ?");
	query_text(&q, device);
	r = query_value(&q, 0, &key, diag);
	if (!r && !key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
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

static int read_newest(struct store_reader *reader, int64_t key, struct store_wear *wear, struct gf_diag *diag)
{
	int r = 0;

	for (size_t part = 0; part < FACT_PART_COUNT && !r; part++) {
		struct query q;
		int rc;

		wear->newest[part].part = (enum fact_part)part;
		query_begin(&q, &reader->db,
		            "SELECT " SERVICE_COLUMNS " FROM services WHERE device = ? AND part = ?"
		            " ORDER BY at_ms DESC, id DESC LIMIT 1");
		query_i64(&q, key);
		query_i64(&q, (int64_t)part);
		rc = query_step(&q);
		if (rc == QUERY_ROW)
			read_service(&q, &wear->newest[part]);
		r = query_end(&q, rc, diag);
	}
	return r;
}

/* Whole hours, so that none counts that began before. */
static int read_pace(struct store_reader *reader, int64_t key, int64_t now_ms, struct store_wear *wear,
                     struct gf_diag *diag)
{
	int64_t since_ms = now_ms - pace_max_ms, first_ms = 0;
	struct query q;
	int rc, r;

	since_ms += (HOUR_MS - since_ms % HOUR_MS) % HOUR_MS;
	query_begin(&q, &reader->db, "SELECT min(hour_ms) FROM hours WHERE device = ?");
	query_i64(&q, key);
	r = query_value(&q, INT64_MAX, &first_ms, diag);
	if (r || first_ms >= now_ms)
		return r;
	since_ms = first_ms > since_ms ? first_ms : since_ms;
	query_begin(&q, &reader->db,
	            "SELECT coalesce(sum(sessions), 0), total(motor_ms) FROM hours WHERE device = ? AND hour_ms >= ?"
	            " AND hour_ms < ?");
	query_i64(&q, key);
	query_i64(&q, since_ms);
	query_i64(&q, now_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		wear->pace_sessions = col_u64(&q);
		wear->pace_motor_ms = col_u64(&q);
		wear->pace_ms = now_ms - since_ms;
	}
	return query_end(&q, rc, diag);
}

static int read_wear(struct store_reader *reader, const char *device, int64_t now_ms, struct store_wear *ret_wear,
                     struct gf_diag *diag)
{
	struct store_wear wear = {.pace_ms = 0};
	int64_t key = 0;
	int r = read_device_key(reader, device, &key, diag);

	if (!r && !key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	if (!r)
		r = read_newest(reader, key, &wear, diag);
	if (!r)
		r = read_pace(reader, key, now_ms, &wear, diag);
	if (!r)
		*ret_wear = wear;
	return r;
}

int store_read_wear(struct store_reader *reader, const char *device, int64_t now_ms, struct store_wear *ret_wear,
                    struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_wear(reader, device, now_ms, ret_wear, diag));
}

int store_read_services(struct store_reader *reader, const char *device, store_service_fn row, void *ctx,
                        struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0, r;

	query_begin(&q, &reader->db,
	            "SELECT " SERVICE_COLUMNS " FROM services WHERE device = (SELECT device FROM devices WHERE id = ?)"
	            " ORDER BY at_ms DESC, id DESC");
	query_text(&q, device);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_service v = {0};

		read_service(&q, &v);
		stopped = row(ctx, &v);
	}
	r = query_end(&q, rc, stopped ? NULL : diag);
	return stopped ? stopped : r;
}
