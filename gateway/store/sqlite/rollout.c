/* Making a rollout, and adding machines to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/rollout_row.h"
#include "gateway/store/sqlite/writer.h"

/* ---- who has a machine ---- */

/* One that is under way and has not let go of it; with ?2 of a rollout, also any later one. */
#define TAKEN_BY                                                                                                 \
	"SELECT o.rollout FROM rollout_devices o CROSS JOIN rollouts l ON l.id = o.rollout WHERE"                    \
	" o.device = ?1 AND o.rollout <> ?2 AND o.step <> 9 AND (l.state IN (0, 1, 4) OR (?2 > 0 AND l.id > ?2 AND " \
	"l.state = 3))"                                                                                              \
	" ORDER BY l.id DESC LIMIT 1"

struct candidate {
	int64_t key;
	enum gf_class class;
	uint64_t taken_by; /* 0 = nobody */
};

static int find(struct store *s, const char *device, uint64_t rollout, struct candidate *ret, struct gf_diag *diag)
{
	struct candidate c = {.key = 0};
	struct query q;
	int64_t taken_by = 0;
	int rc, r;

	query_begin(&q, &s->db, "SELECT device, class FROM devices WHERE id = ?");
	query_text(&q, device);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		int64_t class;

		c.key = col_i64(&q);
		class = col_i64(&q);
		c.class = class > 0 && class < GF_CLASS_COUNT ? (enum gf_class) class : GF_CLASS_UNSPECIFIED;
	}
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!c.key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	query_begin(&q, &s->db, TAKEN_BY);
	query_i64(&q, c.key);
	query_u64(&q, rollout);
	r = query_value(&q, 0, &taken_by, diag);
	if (r)
		return r;
	c.taken_by = (uint64_t)taken_by;
	*ret = c;
	return 0;
}

static int refuse_taken(struct store *s, const char *device, uint64_t by, struct gf_diag *diag)
{
	struct rollout other;
	int r = rollout_row(&s->db, by, &other, diag);

	if (r)
		return r;
	gf_diag_set(diag,
	            "'%s' is in rollout %" PRIu64 " of %s@%" PRIu64 ", which is %s: wait for its end, or 'gymfleet rollout"
	            " halt %" PRIu64 "'",
	            device, by, other.spec.catalog, other.spec.version, rollout_state_name(other.state), by);
	return STORE_E_NOT_ALLOWED;
}

static int insert_device(struct store *s, uint64_t rollout, int64_t key, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "INSERT INTO rollout_devices (rollout, device, since_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
	query_u64(&q, rollout);
	query_i64(&q, key);
	query_i64(&q, now_ms);
	return query_run(&q, diag);
}

/* ---- making one ---- */

static int insert_main(struct store *s, const struct rollout_spec *spec, const char *who, int64_t now_ms,
                       uint64_t *ret_id, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(
	    &q, &s->db,
	    "INSERT INTO rollouts (catalog, version, selection, soak_ms, deadline_ms, max_failures_ppm, window_from,"
	    " window_to, created_ms, state_since_ms, phase_since_ms, reason, created_by) VALUES (?1, ?2, ?3, ?4, ?5,"
	    " ?6, iif(?7, ?8, NULL), iif(?7, ?9, NULL), ?10, ?10, ?10, 'started by ' || ?11, ?11)");
	query_text(&q, spec->catalog);
	query_u64(&q, spec->version);
	query_text(&q, spec->where);
	query_i64(&q, spec->soak_ms);
	query_i64(&q, spec->deadline_ms);
	query_i64(&q, spec->max_failures_ppm);
	query_i64(&q, spec->has_window);
	query_i64(&q, spec->window_from_min);
	query_i64(&q, spec->window_to_min);
	query_i64(&q, now_ms);
	query_text(&q, who);
	r = query_run(&q, diag);
	if (!r)
		*ret_id = (uint64_t)sqlite3_last_insert_rowid(s->db.handle);
	return r;
}

static int insert_targets(struct store *s, uint64_t id, const struct rollout_spec *spec, struct gf_diag *diag)
{
	int r = 0;

	for (int64_t class = 0; class < GF_CLASS_COUNT && !r; class ++) {
		const struct rollout_target *t = &spec->targets[class];
		struct query q;

		if (!t->there)
			continue;
		query_begin(
		    &q, &s->db,
		    "INSERT INTO rollout_targets (rollout, class, digest, size, rollback_floor) VALUES (?, ?, ?, ?, ?)");
		query_u64(&q, id);
		query_i64(&q, class);
		query_digest(&q, &t->digest);
		query_i64(&q, t->size);
		query_u64(&q, t->rollback_floor);
		r = query_run(&q, diag);
	}
	return r;
}

static int insert_waves(struct store *s, uint64_t id, const struct rollout_spec *spec, int64_t now_ms,
                        struct gf_diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < spec->waves_count && !r; i++) {
		struct query q;

		query_begin(&q, &s->db,
		            "INSERT INTO rollout_waves (rollout, wave, value, percent, since_ms) VALUES (?, ?, ?, ?, ?)");
		query_u64(&q, id);
		query_u64(&q, i + 1);
		query_i64(&q, spec->waves[i].value);
		query_i64(&q, spec->waves[i].percent);
		query_i64(&q, i == 0 ? now_ms : 0);
		r = query_run(&q, diag);
	}
	for (size_t i = 0; i < spec->gates_count && !r; i++) {
		struct query q;

		query_begin(&q, &s->db,
		            "INSERT INTO rollout_gates (rollout, n, kind, limit_value, relative) VALUES (?, ?, ?, ?, ?)");
		query_u64(&q, id);
		query_u64(&q, i);
		query_i64(&q, spec->gates[i].kind);
		query_real(&q, spec->gates[i].limit);
		query_i64(&q, spec->gates[i].relative);
		r = query_run(&q, diag);
	}
	return r;
}

static int insert_devices(struct store *s, uint64_t id, const struct rollout_spec *spec,
                          const char (*devices)[GF_ID_MAX], size_t count, int64_t now_ms, size_t *ret_added,
                          struct gf_diag *diag)
{
	size_t added = 0;

	for (size_t i = 0; i < count; i++) {
		struct candidate c;
		int r = find(s, devices[i], 0, &c, diag);

		if (r)
			return r;
		if (!spec->targets[c.class].there)
			continue;
		if (c.taken_by && c.taken_by != id)
			return refuse_taken(s, devices[i], c.taken_by, diag);
		r = insert_device(s, id, c.key, now_ms, diag);
		if (r)
			return r;
		added++;
	}
	*ret_added = added;
	return 0;
}

static int tell(struct store *s, uint64_t id, const struct rollout_spec *spec, size_t machines,
                const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	char subject[GF_NAME_MAX * 2], line[ROLLOUT_WHERE_MAX + STORE_REASON_MAX], detail[STORE_REASON_MAX];
	int r;

	snprintf(subject, sizeof(subject), "%s@%" PRIu64, spec->catalog, spec->version);
	snprintf(line, sizeof(line), "rollout %" PRIu64 ": %zu machines, %zu waves%s%s", id, machines, spec->waves_count,
	         spec->where[0] ? ", where " : "", spec->where);
	gf_strcpy_utf8(detail, sizeof(detail), line);
	r = store_deed_add(s, actor, "rollout start", subject, detail, now_ms, diag);
	return r ? r
	         : event_add(s, now_ms, STORE_EVENT_ROLLOUT, NULL, id, rollout_state_name(ROLLOUT_RUNNING), diag,
	                     "rollout %" PRIu64 ", %s: started by %s for %zu machines in %zu waves", id, subject,
	                     actor->who, machines, spec->waves_count);
}

int store_rollout_add(struct store *s, const struct rollout_spec *spec, const char (*devices)[GF_ID_MAX], size_t count,
                      const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	uint64_t id = 0;
	size_t added = 0;
	int r = insert_main(s, spec, actor->who, now_ms, &id, diag);

	if (!r)
		r = insert_targets(s, id, spec, diag);
	if (!r)
		r = insert_waves(s, id, spec, now_ms, diag);
	if (!r)
		r = insert_devices(s, id, spec, devices, count, now_ms, &added, diag);
	if (r)
		return r;
	if (added == 0 || added > ROLLOUT_DEVICES_MAX) {
		gf_diag_set(diag, "%zu machines are selected of the classes that %s@%" PRIu64 " is for%s", added, spec->catalog,
		            spec->version, added ? ": at most 100000 are possible" : ": see 'gymfleet devices --where ...'");
		return STORE_E_NOT_ALLOWED;
	}
	r = tell(s, id, spec, added, actor, now_ms, diag);
	if (!r)
		*ret_id = id;
	return r;
}

int store_rollout_join(struct store *s, uint64_t id, const char (*devices)[GF_ID_MAX], size_t count, int64_t now_ms,
                       struct gf_diag *diag)
{
	struct rollout r;
	int err = rollout_row(&s->db, id, &r, diag);

	for (size_t i = 0; i < count && !err; i++) {
		struct candidate c;

		err = find(s, devices[i], id, &c, diag);
		if (!err && !c.taken_by && r.spec.targets[c.class].there)
			err = insert_device(s, id, c.key, now_ms, diag);
	}
	return err;
}

int store_rollout_alone(struct store *s, uint64_t id, struct gf_diag *diag)
{
	char device[GF_ID_MAX] = "";
	uint64_t by = 0;
	struct query q;
	int rc, r;

	query_begin(
	    &q, &s->db,
	    "SELECT d.id, o.rollout FROM rollouts l CROSS JOIN rollout_devices o ON o.rollout = l.id CROSS JOIN"
	    " rollout_devices r ON r.rollout = ?1 AND r.device = o.device CROSS JOIN devices d ON d.device = o.device"
	    " WHERE l.state IN (0, 1, 4) AND l.id <> ?1 AND o.step <> 9 AND r.step <> 9 LIMIT 1");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		col_text(&q, device, sizeof(device));
		by = col_u64(&q);
	}
	r = query_end(&q, rc, diag);
	return r || !by ? r : refuse_taken(s, device, by, diag);
}
