/*
 * What is desired of each machine: one row, whose revision grows with every change above all that the machine has seen, so that it
 * never takes an older one for newer. What is written is checked by the codec's own rules first: a machine would refuse the
 * whole of it for one value out of range.
 *
 * What the operator wants is kept apart (own_*) from what flags and tags hold a machine by (holds); what goes out is the tighter of all.
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
	/* The operator's part of it. */
	float own_intensity_max_pct;
	bool own_locked;
	char own_lock_reason[GF_TEXT_MAX];
};

#define WISH_SELECT                                                                          \
	"SELECT d.device, d.id, d.desired_revision, w.revision, " DESIRED_COLUMNS                \
	", coalesce(w.own_intensity_max_pct, 0), w.own_locked, w.own_lock_reason FROM devices d" \
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
		w.own_intensity_max_pct = (float)col_real(&q);
		w.own_locked = col_i64(&q);
		col_text(&q, w.own_lock_reason, sizeof(w.own_lock_reason));
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

/* ---- the tighter of all ---- */

static float tighter(float a, float b)
{
	return a > 0 && (b <= 0 || a < b) ? a : b;
}

/* The operator's word stands first; after it the first hold's. */
static void take_reason(struct gf_desired *d, const char *reason)
{
	char both[2 * GF_TEXT_MAX + 2];

	snprintf(both, sizeof(both), "%s%s%s", d->lock_reason, d->lock_reason[0] && reason[0] ? "; " : "", reason);
	gf_strcpy_utf8(d->lock_reason, sizeof(d->lock_reason), both);
}

static int take_holds(struct store *s, struct wish *w, struct gf_diag *diag)
{
	struct gf_desired *d = &w->desired;
	bool held = false;
	struct query q;
	int rc;

	d->limits.intensity_max_pct = w->own_intensity_max_pct;
	d->locked = w->own_locked;
	gf_strcpy(d->lock_reason, sizeof(d->lock_reason), w->own_locked ? w->own_lock_reason : "");
	query_begin(&q, &s->db, "SELECT locks, reason, cap_pct FROM holds WHERE device = ? ORDER BY source DESC");
	query_i64(&q, w->key);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		char reason[GF_TEXT_MAX];
		bool locks = col_i64(&q);

		col_text(&q, reason, sizeof(reason));
		d->limits.intensity_max_pct = tighter((float)col_real(&q), d->limits.intensity_max_pct);
		d->locked = d->locked || locks;
		if (locks && !held)
			take_reason(d, reason);
		held = held || locks;
	}
	return query_end(&q, rc, diag);
}

/* ---- writing ---- */

/* Makes it the next revision. */
static int save(struct store *s, struct wish *w, int64_t now_ms, struct gf_diag *diag)
{
	const struct gf_desired *d = &w->desired;
	struct query q;
	int r = take_holds(s, w, diag);

	if (r)
		return r;
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
	    " intensity_max_pct, frequency_max_hz, pressure_max_mmhg, heat_max_c, session_max_ms, locked, lock_reason,"
	    " own_intensity_max_pct, own_locked, own_lock_reason)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET"
	    " (revision, issued_ms, catalog, version, digest, size, within_ms, intensity_max_pct, frequency_max_hz,"
	    " pressure_max_mmhg, heat_max_c, session_max_ms, locked, lock_reason, own_intensity_max_pct, own_locked,"
	    " own_lock_reason) = (excluded.revision,"
	    " excluded.issued_ms, excluded.catalog, excluded.version, excluded.digest, excluded.size,"
	    " excluded.within_ms, excluded.intensity_max_pct, excluded.frequency_max_hz, excluded.pressure_max_mmhg,"
	    " excluded.heat_max_c, excluded.session_max_ms, excluded.locked, excluded.lock_reason,"
	    " excluded.own_intensity_max_pct, excluded.own_locked, excluded.own_lock_reason)");
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
	query_real(&q, (double)w->own_intensity_max_pct);
	query_i64(&q, w->own_locked);
	query_text(&q, w->own_lock_reason);
	s->batch_wish = true;
	return query_run(&q, diag);
}

/* ---- holds ---- */

static bool goes_out_the_same(const struct gf_desired *a, const struct gf_desired *b)
{
	return a->limits.intensity_max_pct == b->limits.intensity_max_pct && a->locked == b->locked &&
	       strcmp(a->lock_reason, b->lock_reason) == 0;
}

static int tell_hold(struct store *s, const struct wish *w, const struct gf_desired *before, int64_t now_ms,
                     struct gf_diag *diag)
{
	const struct gf_desired *d = &w->desired;
	int r = 0;

	if (d->locked != before->locked)
		r = event_add(s, now_ms, STORE_EVENT_DEVICE, w->id, 0, d->locked ? "locked" : "unlocked", diag, "%s%s",
		              d->locked ? "locked: " : "unlocked: nothing holds it any more", d->locked ? d->lock_reason : "");
	if (!r && d->limits.intensity_max_pct != before->limits.intensity_max_pct)
		r = event_add(s, now_ms, STORE_EVENT_DEVICE, w->id, 0, "limits", diag,
		              d->limits.intensity_max_pct > 0 ? "intensity held at most %g %%"
		                                              : "intensity is held by nothing any more",
		              (double)d->limits.intensity_max_pct);
	return r;
}

/* What goes out by what holds it now; *ret_wish has it. */
static int refresh(struct store *s, int64_t device, bool tells, int64_t now_ms, struct wish *ret_wish,
                   struct gf_diag *diag)
{
	struct gf_desired before;
	struct wish w;
	int r = load(s, NULL, device, &w, diag);

	if (r)
		return r;
	before = w.desired;
	r = take_holds(s, &w, diag);
	if (!r && !goes_out_the_same(&before, &w.desired)) {
		r = save(s, &w, now_ms, diag);
		if (!r && tells)
			r = tell_hold(s, &w, &before, now_ms, diag);
	}
	if (!r)
		*ret_wish = w;
	return r;
}

static int save_hold(struct store *s, int64_t device, const char *source, bool lock, const char *reason, float cap_pct,
                     struct gf_diag *diag)
{
	char line[GF_TEXT_MAX];
	struct query q;

	gf_strcpy_utf8(line, sizeof(line), reason);
	query_begin(&q, &s->db,
	            lock || cap_pct > 0
	                ? "INSERT OR REPLACE INTO holds (device, source, locks, reason, cap_pct) VALUES (?, ?, ?, ?, ?)"
	                : "DELETE FROM holds WHERE device = ? AND source = ?");
	query_i64(&q, device);
	query_text(&q, source);
	if (lock || cap_pct > 0) {
		query_i64(&q, lock);
		query_text(&q, line);
		query_real(&q, (double)cap_pct);
	}
	return query_run(&q, diag);
}

int hold_set(struct store *s, int64_t device, const char *source, bool lock, const char *reason, float cap_pct,
             int64_t now_ms, struct gf_diag *diag)
{
	struct wish w;
	int r = save_hold(s, device, source, lock, reason, cap_pct, diag);

	return r ? r : refresh(s, device, true, now_ms, &w, diag);
}

int hold_set_quietly(struct store *s, int64_t device, const char *source, bool lock, const char *reason, int64_t now_ms,
                     char ret_reason[static GF_TEXT_MAX], struct gf_diag *diag)
{
	struct wish w;
	int r = save_hold(s, device, source, lock, reason, 0, diag);

	if (!r)
		r = refresh(s, device, false, now_ms, &w, diag);
	if (!r)
		gf_strcpy(ret_reason, GF_TEXT_MAX, w.desired.locked ? w.desired.lock_reason : "");
	return r;
}

/* The operator unlocks: what rules lock the machine for is lifted for these flags, caps stay. One that locks nothing yet
 * may still come to it. A tag hangs on until it is taken off. */
static int holds_release_locks(struct store *s, int64_t device, struct gf_diag *diag)
{
	static const char *const texts[] = {
	    "UPDATE flags SET released = released | 1 WHERE device = ? AND ended_ms = 0 AND EXISTS (SELECT 1 FROM holds h"
	    " WHERE h.device = flags.device AND h.source = 'flag ' || flags.id AND h.locks <> 0)",
	    "UPDATE holds SET locks = 0 WHERE device = ? AND source LIKE 'flag %'",
	    "DELETE FROM holds WHERE device = ? AND locks = 0 AND cap_pct = 0",
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !r; i++) {
		struct query q;

		query_begin(&q, &s->db, texts[i]);
		query_i64(&q, device);
		r = query_run(&q, diag);
	}
	return r;
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
	w->own_intensity_max_pct = limits->intensity_max_pct;
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

	if (!locked || !w->own_locked || reason)
		gf_strcpy(w->own_lock_reason, sizeof(w->own_lock_reason), locked && reason ? reason : "");
	w->own_locked = locked;
	reason = w->own_lock_reason;
	r = locked ? 0 : holds_release_locks(s, w->key, diag);
	if (r)
		return r;
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
