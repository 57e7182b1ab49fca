/*
 * What is desired of each machine: one row, whose revision grows with every change above all that the machine has seen, so that it
 * never takes an older one for newer. What is written is checked by the codec's own rules first: a machine would refuse the
 * whole of it for one value out of range.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/desired.h"
#include "gateway/store/sqlite/writer.h"
#include "proto/codec.h"

/* The highest that a message may carry. */
static const uint64_t revision_max = (1ULL << 53) - 1;

struct wish {
	int64_t key;
	char id[GF_ID_MAX];
	uint64_t seen; /* by the machine, as its birth said */
	struct gf_desired desired;
};

#define WISH_SELECT                                                                             \
	"SELECT d.device, d.id, d.desired_revision, w.revision, " DESIRED_COLUMNS " FROM devices d" \
	" LEFT JOIN desired w USING (device)"

/* By id, or by key when id is NULL. -ENOENT. */
static int load(struct store *s, const char *id, int64_t key, struct wish *ret_wish, struct gf_diag *diag)
{
	struct wish w = {.key = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, id ? WISH_SELECT " WHERE d.id = ?" : WISH_SELECT " WHERE d.device = ?");
	if (id)
		query_text(&q, id);
	else
		query_i64(&q, key);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		w.key = col_i64(&q);
		col_text(&q, w.id, sizeof(w.id));
		w.seen = col_u64(&q);
		w.desired.revision = col_u64(&q);
		desired_columns(&q, &w.desired);
	}
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!w.key) {
		gf_diag_set(diag, "there is no device '%s'", id ? id : "");
		return -ENOENT;
	}
	*ret_wish = w;
	return 0;
}

static int check(const struct gf_desired *desired, struct gf_diag *diag)
{
	unsigned char buf[GF_DESIRED_MAX];
	struct gf_desired again;
	size_t len;
	int r = gf_desired_encode(desired, buf, sizeof(buf), &len);

	if (!r)
		r = gf_desired_decode(buf, len, &again, diag);
	return r > 0 ? -EINVAL : r;
}

/* Makes it the next revision. */
static int save(struct store *s, struct wish *w, int64_t now_ms, struct gf_diag *diag)
{
	const struct gf_desired *d = &w->desired;
	struct query q;
	int r;

	w->desired.revision = (w->seen > d->revision ? w->seen : d->revision) + 1;
	if (d->revision > revision_max)
		w->desired.revision = revision_max;
	w->desired.issued_ms = now_ms > 0 ? (uint64_t)now_ms : 0;
	r = check(d, diag);
	if (r)
		return r;
	query_begin(
	    &q, &s->db,
	    "INSERT INTO desired (device, revision, issued_ms, catalog, version, digest, size, within_ms,"
	    " intensity_max_pct, frequency_max_hz, pressure_max_mmhg, heat_max_c, session_max_ms, locked, lock_reason)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET"
	    " (revision, issued_ms, catalog, version, digest, size, within_ms, intensity_max_pct, frequency_max_hz,"
	    " pressure_max_mmhg, heat_max_c, session_max_ms, locked, lock_reason) = (excluded.revision,"
	    " excluded.issued_ms, excluded.catalog, excluded.version, excluded.digest, excluded.size,"
	    " excluded.within_ms, excluded.intensity_max_pct, excluded.frequency_max_hz, excluded.pressure_max_mmhg,"
	    " excluded.heat_max_c, excluded.session_max_ms, excluded.locked, excluded.lock_reason)");
	query_i64(&q, w->key);
	query_u64(&q, d->revision);
	query_u64(&q, d->issued_ms);
	query_text(&q, d->catalog.name);
	query_u64(&q, d->catalog.version);
	query_digest(&q, &d->catalog.digest);
	query_i64(&q, d->catalog.size);
	query_i64(&q, d->catalog.within_ms);
	query_real(&q, (double)d->limits.intensity_max_pct);
	query_real(&q, (double)d->limits.frequency_max_hz);
	query_real(&q, (double)d->limits.pressure_max_mmhg);
	query_real(&q, (double)d->limits.heat_max_c);
	query_i64(&q, d->limits.session_max_ms);
	query_i64(&q, d->locked);
	query_text(&q, d->lock_reason);
	s->batch_wish = true;
	return query_run(&q, diag);
}

/* ---- limits and lock ---- */

/* "intensity at most 40 %, sessions at most 600 s"; "none" */
static void limits_text(const struct gf_desired_limits *l, char buf[static STORE_REASON_MAX])
{
	const struct {
		const char *name, *unit;
		double value;
	} parts[] = {
	    {"intensity", "%", (double)l->intensity_max_pct},    {"frequency", "Hz", (double)l->frequency_max_hz},
	    {"pressure", "mmHg", (double)l->pressure_max_mmhg},  {"heat", "°C", (double)l->heat_max_c},
	    {"sessions", "s", (double)l->session_max_ms / 1000},
	};
	size_t len = 0;

	gf_strcpy(buf, STORE_REASON_MAX, "none");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].value > 0 && len < STORE_REASON_MAX)
			len += (size_t)snprintf(buf + len, STORE_REASON_MAX - len, "%s%s at most %g %s", len ? ", " : "",
			                        parts[i].name, parts[i].value, parts[i].unit);
}

static int set_limits(struct store *s, struct wish *w, const struct gf_desired_limits *limits,
                      const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	char text[STORE_REASON_MAX];
	int r;

	w->desired.limits = *limits;
	limits_text(limits, text);
	r = store_deed_add(s, actor, "device limits", w->id, text, now_ms, diag);
	return r ? r
	         : event_add(s, now_ms, STORE_EVENT_DEVICE, w->id, 0, "limits", diag, "limits set by %s: %s", actor->who,
	                     text);
}

static int set_lock(struct store *s, struct wish *w, bool locked, const char *reason, const struct store_actor *actor,
                    int64_t now_ms, struct gf_diag *diag)
{
	int r;

	w->desired.locked = locked;
	gf_strcpy(w->desired.lock_reason, sizeof(w->desired.lock_reason), locked && reason ? reason : "");
	reason = w->desired.lock_reason;
	r = store_deed_add(s, actor, locked ? "device lock" : "device unlock", w->id, reason, now_ms, diag);
	return r ? r
	         : event_add(s, now_ms, STORE_EVENT_DEVICE, w->id, 0, locked ? "locked" : "unlocked", diag, "%s by %s%s%s",
	                     locked ? "locked" : "unlocked", actor->who, reason[0] ? ": " : "", reason);
}

static int set(struct store *s, const char *device, const struct gf_desired_limits *limits, const bool *locked,
               const char *reason, const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	struct wish w;
	int r = load(s, device, 0, &w, diag);

	if (!r && limits)
		r = set_limits(s, &w, limits, actor, now_ms, diag);
	if (!r && locked)
		r = set_lock(s, &w, *locked, reason, actor, now_ms, diag);
	return r ? r : save(s, &w, now_ms, diag);
}

int store_desired_set(struct store *s, const char *device, const struct gf_desired_limits *limits, const bool *locked,
                      const char *lock_reason, const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, set(s, device, limits, locked, lock_reason, actor, now_ms, diag), diag);
}

/* ---- catalog ---- */

int store_desired_catalog(struct store *s, int64_t device_key, const struct gf_desired_catalog *catalog, int64_t now_ms,
                          uint64_t *ret_revision, struct gf_diag *diag)
{
	struct wish w;
	int r = load(s, NULL, device_key, &w, diag);

	if (r)
		return r;
	w.desired.has_catalog = catalog != NULL;
	w.desired.catalog = catalog ? *catalog : (struct gf_desired_catalog){.version = 0};
	r = save(s, &w, now_ms, diag);
	if (!r)
		*ret_revision = w.desired.revision;
	return r;
}

int desired_outgrow(struct apply *a, uint64_t seen)
{
	struct query q;
	int r;

	query_begin(&q, a->db,
	            "UPDATE desired SET revision = min(?2 + 1, ?3), issued_ms = ?4 WHERE device = ?1 AND revision < ?2");
	query_i64(&q, a->dev->key);
	query_u64(&q, seen);
	query_u64(&q, revision_max);
	query_i64(&q, a->recv_ms);
	r = query_run(&q, a->diag);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	a->store->batch_wish = true;
	return event_add(a->store, a->recv_ms, STORE_EVENT_DEVICE, a->dev->id, seen, "outgrown", a->diag,
	                 "it has seen revision %" PRIu64 " of what is desired of it, which this database never gave: was an"
	                 " older one restored? What is desired goes out again above it",
	                 seen);
}

/* ---- what the broker has ---- */

int store_desired_unpublished(struct store *s, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, db_exec(&s->db, "UPDATE desired SET published = 0 WHERE published > 0", diag), diag);
}

static int mark(struct store *s, const struct store_published *published, size_t count, struct gf_diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct query q;

		query_begin(&q, &s->db, "UPDATE desired SET published = ?2 WHERE device = ?1 AND published < ?2");
		query_i64(&q, published[i].key);
		query_u64(&q, published[i].revision);
		r = query_run(&q, diag);
	}
	return r;
}

int store_desired_published(struct store *s, const struct store_published *published, size_t count,
                            struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, mark(s, published, count, diag), diag);
}
