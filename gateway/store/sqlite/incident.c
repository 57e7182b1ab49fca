/*
 * Incidents: who is missed where, what gateway/health makes of it, and that it is written down. Sites of which nobody is missed cost nothing: the
 * index devices_gone has the others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/health/incident.h"
#include "gateway/store/incidents.h"
#include "gateway/store/sqlite/writer.h"

enum { SITES_AT_ONCE = 64, NAMED = 5 };

_Static_assert(STORE_OFFLINE_LOST == 2 && STORE_OFFLINE_SILENT == 3, "devices_gone and the statements below");
#define GONE "d.online = 0 AND d.offline_reason IN (2, 3)"

/* An open incident, or a site that may have one. */
struct place {
	uint64_t incident; /* 0 = none yet */
	char site[GF_NAME_MAX];
	int64_t opened_ms;
};

struct crowd {
	struct incident_machine *machines;
	int64_t *keys;
	size_t count, room;
};

static void crowd_deinit(struct crowd *c)
{
	free(c->machines);
	free(c->keys);
}

static int crowd_add(struct crowd *c, int64_t key, struct incident_machine machine)
{
	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct incident_machine *machines = reallocarray(c->machines, room, sizeof(*machines));
		int64_t *keys = machines ? reallocarray(c->keys, room, sizeof(*keys)) : NULL;

		if (machines)
			c->machines = machines;
		if (!keys)
			return -ENOMEM;
		c->keys = keys;
		c->room = room;
	}
	c->machines[c->count] = machine;
	c->keys[c->count++] = key;
	return 0;
}

/* The machines of the site, and members that are elsewhere by now. Nobody misses one that is out of service. */
static int crowd_load(struct store *s, const struct place *place, struct crowd *c, struct gf_diag *diag)
{
	struct query q;
	int rc, r = 0;

	query_begin(&q, &s->db,
	            "SELECT d.device, CASE WHEN " GONE " AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.device = d.device"
	            " AND t.until_ms = 0) THEN d.presence_since_ms ELSE 0 END,"
	            " EXISTS (SELECT 1 FROM incident_devices m WHERE m.incident = ?2 AND m.device = d.device)"
	            " FROM devices d WHERE d.device IN (SELECT device FROM devices WHERE coalesce(site_set, site) = ?1"
	            " UNION SELECT device FROM incident_devices WHERE incident = ?2)");
	query_text(&q, place->site);
	query_u64(&q, place->incident);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		int64_t key = col_i64(&q), gone_ms = col_i64(&q);

		r = crowd_add(c, key, (struct incident_machine){gone_ms, col_i64(&q) != 0});
	}
	return query_stop(&q, rc, r, diag);
}

static int save_members(struct store *s, uint64_t incident, const struct crowd *c, struct gf_diag *diag)
{
	struct query q;
	int r = 0;

	for (size_t i = 0; i < c->count && !r; i++) {
		if (!c->machines[i].member)
			continue;
		query_begin(&q, &s->db, "INSERT OR IGNORE INTO incident_devices (incident, device) VALUES (?, ?)");
		query_u64(&q, incident);
		query_i64(&q, c->keys[i]);
		r = query_run(&q, diag);
	}
	if (r)
		return r;
	query_begin(&q, &s->db,
	            "UPDATE incidents SET machines = (SELECT count(*) FROM incident_devices WHERE incident = ?1)"
	            " WHERE id = ?1");
	query_u64(&q, incident);
	return query_run(&q, diag);
}

/* "chair-1, chair-2, gun-1 and 4 more" */
static int names(struct store *s, uint64_t incident, size_t members, char text[static GF_DIAG_MAX],
                 struct gf_diag *diag)
{
	struct query q;
	char id[GF_ID_MAX];
	size_t named = 0, len = 0;
	int rc;

	query_begin(&q, &s->db,
	            "SELECT d.id FROM incident_devices m JOIN devices d USING (device) WHERE m.incident = ?"
	            " ORDER BY d.id LIMIT ?");
	query_u64(&q, incident);
	query_i64(&q, NAMED);
	text[0] = '\0';
	while ((rc = query_step(&q)) == QUERY_ROW) {
		col_text(&q, id, sizeof(id));
		len += (size_t)snprintf(text + len, GF_DIAG_MAX - len, "%s%s", named++ ? ", " : "", id);
	}
	if (members > named)
		(void)snprintf(text + len, GF_DIAG_MAX - len, " and %zu more", members - named);
	return query_end(&q, rc, diag);
}

static size_t count_members(const struct crowd *c, bool back)
{
	size_t members = 0;

	for (size_t i = 0; i < c->count; i++)
		members += c->machines[i].member && (!back || c->machines[i].gone_ms == 0);
	return members;
}

static int forget_old(struct store *s, uint64_t newest, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "DELETE FROM incidents WHERE id <= ? AND closed_ms <> 0");
	query_i64(&q, (int64_t)newest - STORE_INCIDENTS_KEPT);
	return query_run(&q, diag);
}

static int open_one(struct store *s, const struct place *place, const struct crowd *c, int64_t since_ms, int64_t now_ms,
                    struct gf_diag *diag)
{
	size_t members = count_members(c, false);
	char who[GF_DIAG_MAX];
	struct query q;
	uint64_t id;
	int r;

	query_begin(&q, &s->db, "INSERT INTO incidents (site, opened_ms, machines, site_machines) VALUES (?, ?, ?, ?)");
	query_text(&q, place->site);
	query_i64(&q, since_ms);
	query_u64(&q, members);
	query_u64(&q, c->count);
	r = query_run(&q, diag);
	id = (uint64_t)sqlite3_last_insert_rowid(s->db.handle);
	if (!r)
		r = save_members(s, id, c, diag);
	if (!r)
		r = forget_old(s, id, diag);
	if (!r)
		r = names(s, id, members, who, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_INCIDENT, NULL, id, "opened", diag,
		              "%zu of %zu machines of %s vanished together: %s", members, c->count, place->site, who);
	return r;
}

static int close_one(struct store *s, const struct place *place, const struct crowd *c, int64_t now_ms,
                     struct gf_diag *diag)
{
	char who[GF_DIAG_MAX];
	struct query q;
	int r;

	query_begin(&q, &s->db, "UPDATE incidents SET closed_ms = ? WHERE id = ?");
	query_i64(&q, now_ms);
	query_u64(&q, place->incident);
	r = query_run(&q, diag);
	if (!r)
		r = names(s, place->incident, count_members(c, false), who, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_INCIDENT, NULL, place->incident, "closed", diag,
		              "%zu of the %zu machines of %s that vanished together are back, or nobody misses them: %s",
		              count_members(c, true), count_members(c, false), place->site, who);
	return r;
}

struct look {
	struct store *store;
	const struct sites *sites;
	int64_t now_ms;
	unsigned opened, closed;
};

static int look_at(struct look *l, const struct place *place, struct gf_diag *diag)
{
	const struct calendar *calendar = l->sites ? sites_calendar(l->sites, place->site) : &calendar_always;
	struct crowd c = {0};
	int64_t since_ms = 0;
	int r = crowd_load(l->store, place, &c, diag);

	if (r) {
		crowd_deinit(&c);
		return r;
	}
	if (!place->incident && incident_opens(c.machines, c.count, calendar, l->now_ms, &since_ms)) {
		r = open_one(l->store, place, &c, since_ms, l->now_ms, diag);
		l->opened += !r;
	} else if (place->incident) {
		if (incident_joins(c.machines, c.count, calendar, l->now_ms) > 0)
			r = save_members(l->store, place->incident, &c, diag);
		if (!r && incident_ends(c.machines, c.count, place->opened_ms, l->now_ms)) {
			r = close_one(l->store, place, &c, l->now_ms, diag);
			l->closed += !r;
		}
	}
	crowd_deinit(&c);
	return r;
}

/* Those with an open incident, and those of which enough are missed; `after` in order of names. */
static int next_places(struct store *s, const char *after, struct place places[static SITES_AT_ONCE], size_t *ret_count,
                       struct gf_diag *diag)
{
	struct query q;
	size_t n = 0;
	int rc;

	query_begin(&q, &s->db,
	            "SELECT coalesce(i.id, 0), p.site, coalesce(i.opened_ms, 0) FROM"
	            " (SELECT site FROM incidents WHERE closed_ms = 0 UNION"
	            " SELECT coalesce(d.site_set, d.site) FROM devices d INDEXED BY devices_gone WHERE " GONE
	            " GROUP BY 1 HAVING count(*) >= ?2) p LEFT JOIN incidents i ON i.site = p.site AND i.closed_ms = 0"
	            " WHERE p.site > ?1 ORDER BY p.site LIMIT ?3");
	query_text(&q, after);
	query_i64(&q, INCIDENT_MACHINES_MIN);
	query_i64(&q, SITES_AT_ONCE);
	while ((rc = query_step(&q)) == QUERY_ROW && n < SITES_AT_ONCE) {
		places[n].incident = col_u64(&q);
		col_text(&q, places[n].site, sizeof(places[n].site));
		places[n++].opened_ms = col_i64(&q);
	}
	*ret_count = n;
	return query_end(&q, rc, diag);
}

int store_incidents(struct store *store, const struct sites *sites, int64_t now_ms, unsigned *ret_opened,
                    unsigned *ret_closed, struct gf_diag *diag)
{
	struct look look = {.store = store, .sites = sites, .now_ms = now_ms};
	struct place places[SITES_AT_ONCE];
	char after[GF_NAME_MAX] = ""; /* machines without a site have none to vanish with */
	size_t count = 0;
	int r = store_begin(store, diag);

	if (r)
		return r;
	do {
		r = next_places(store, after, places, &count, diag);
		for (size_t i = 0; i < count && !r; i++)
			r = look_at(&look, &places[i], diag);
		if (count > 0)
			(void)gf_strcpy(after, sizeof(after), places[count - 1].site);
	} while (!r && count == SITES_AT_ONCE);
	r = store_finish(store, r, diag);
	if (r)
		return r;
	*ret_opened = look.opened;
	*ret_closed = look.closed;
	return 0;
}

int store_in_incident(struct store *store, int64_t device, bool *ret_is, struct gf_diag *diag)
{
	struct query q;
	int64_t is = 0;
	int r;

	query_begin(&q, &store->db,
	            "SELECT EXISTS (SELECT 1 FROM incidents i JOIN incident_devices m ON m.incident = i.id AND m.device = ?"
	            " JOIN devices d USING (device) WHERE i.closed_ms = 0 AND " GONE ")");
	query_i64(&q, device);
	r = query_value(&q, 0, &is, diag);
	if (!r)
		*ret_is = is != 0;
	return r;
}
