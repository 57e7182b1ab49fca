/*
 * Whom to judge: whatever changes facts marks here whom they are about, in its own transaction, so that nobody is forgotten over a kill. Only
 * those are marked whom some rule looks at by such facts.
 */
#include <errno.h>

#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/writer.h"

enum {
	SITE_REST_MS = 60 * 1000,    /* between two judgements of a site */
	AHEAD_MS = 24 * 3600 * 1000, /* nobody rests so long */
};

void store_judge_needs(struct store *s, const unsigned needs[static RULE_SUBJECT_COUNT])
{
	memcpy(s->needs, needs, sizeof(s->needs));
}

uint64_t store_unsettled_marks(const struct store *s)
{
	return atomic_load(&s->unsettled);
}

#define MARK_INSERT "INSERT INTO judge (kind, key, settled_ms, judged_ms, due_ms) "
/* ?4 INT64_MAX, ?5 how long it is left alone between two judgements. */
#define MARK_CONFLICT                                                                                         \
	" ON CONFLICT (kind, key) DO UPDATE SET settled_ms = min(settled_ms, excluded.settled_ms),"               \
	" due_ms = min(due_ms, CASE WHEN judged_ms < 0 THEN -judged_ms WHEN ?5 = 0 OR judged_ms = ?4 THEN 0 ELSE" \
	" judged_ms + ?5 END)"

/* All from at_ms on is open again. A site has many machines: it waits for what else comes. Who rests waits until then. */
static int mark(struct store *s, enum rule_subject kind, int64_t key, int64_t at_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, MARK_INSERT "VALUES (?1, ?2, ?3, ?4, 0)" MARK_CONFLICT);
	query_i64(&q, kind);
	query_i64(&q, key);
	query_i64(&q, at_ms);
	query_i64(&q, INT64_MAX);
	query_i64(&q, kind == RULE_SUBJECT_SITE ? SITE_REST_MS : 0);
	s->batch_unsettled = true;
	return query_run(&q, diag);
}

static int site_key(struct store *s, const char *site, int64_t *ret_key, struct gf_diag *diag)
{
	struct query q;
	int64_t key = 0;
	int r;

	query_begin(&q, &s->db, "SELECT site FROM sites WHERE name = ?");
	query_text(&q, site);
	r = query_value(&q, 0, &key, diag);
	if (!r && !key) {
		query_begin(&q, &s->db, "INSERT INTO sites (name) VALUES (?)");
		query_text(&q, site);
		r = query_run(&q, diag);
		key = sqlite3_last_insert_rowid(s->db.handle);
	}
	if (!r)
		*ret_key = key;
	return r;
}

static int site_of(struct store *s, int64_t device, int64_t at_ms, char site[static GF_NAME_MAX], struct gf_diag *diag)
{
	struct query q;
	int rc;

	site[0] = '\0';
	query_begin(&q, &s->db, "SELECT " PLACE_SITE("?1", "?2"));
	query_i64(&q, device);
	query_i64(&q, at_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		col_text(&q, site, GF_NAME_MAX);
	return query_end(&q, rc, diag);
}

static int mark_site(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag)
{
	char site[GF_NAME_MAX];
	int64_t key = 0;
	int r = site_of(s, device, at_ms, site, diag);

	if (r || !site[0])
		return r;
	r = site_key(s, site, &key, diag);
	return r ? r : mark(s, RULE_SUBJECT_SITE, key, at_ms, diag);
}

int judge_mark(struct store *s, enum fact_kind kind, int64_t device, int64_t at_ms, uint64_t subject, uint64_t staff,
               struct gf_diag *diag)
{
	const unsigned *needs = s->needs, bit = 1U << kind;
	int r = 0;

	if (needs[RULE_SUBJECT_DEVICE] & bit)
		r = mark(s, RULE_SUBJECT_DEVICE, device, at_ms, diag);
	if (!r && (needs[RULE_SUBJECT_SITE] & bit))
		r = mark_site(s, device, at_ms, diag);
	if (!r && subject && ((needs[RULE_SUBJECT_PERSON] | needs[RULE_SUBJECT_AREA]) & bit))
		r = mark(s, RULE_SUBJECT_PERSON, (int64_t)subject, at_ms, diag);
	if (!r && staff && (needs[RULE_SUBJECT_STAFF] & bit))
		r = mark(s, RULE_SUBJECT_STAFF, (int64_t)staff, at_ms, diag);
	return r;
}

int judge_mark_device(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag)
{
	return s->needs[RULE_SUBJECT_DEVICE] ? mark(s, RULE_SUBJECT_DEVICE, device, at_ms, diag) : 0;
}

/* ---- moves ---- */

/* The sites at which the machine was since then. */
static int mark_sites(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "INSERT OR IGNORE INTO sites (name) SELECT site FROM places WHERE device = ?1 AND until_ms > ?2"
	            " AND site <> ''");
	query_i64(&q, device);
	query_i64(&q, at_ms);
	r = query_run(&q, diag);
	if (r)
		return r;
	query_begin(&q, &s->db,
	            MARK_INSERT "SELECT ?1, t.site, ?3, ?4, 0 FROM places p JOIN sites t ON t.name = p.site"
	                        " WHERE p.device = ?2 AND p.until_ms > ?3 GROUP BY t.site" MARK_CONFLICT);
	query_i64(&q, RULE_SUBJECT_SITE);
	query_i64(&q, device);
	query_i64(&q, at_ms);
	query_i64(&q, INT64_MAX);
	query_i64(&q, SITE_REST_MS);
	s->batch_unsettled = true;
	return query_run(&q, diag);
}

static int mark_people(struct store *s, enum rule_subject kind, int64_t device, int64_t at_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            kind == RULE_SUBJECT_STAFF
	                ? MARK_INSERT "SELECT ?1, staff_token, min(ended_ms), ?4, 0 FROM sessions WHERE device = ?2"
	                              " AND ended_ms >= ?3 AND outcome <> 0 AND staff_token <> 0"
	                              " GROUP BY staff_token" MARK_CONFLICT
	                : MARK_INSERT "SELECT ?1, subject_token, min(ended_ms), ?4, 0 FROM sessions WHERE device = ?2"
	                              " AND ended_ms >= ?3 AND outcome <> 0 AND subject_token <> 0"
	                              " GROUP BY subject_token" MARK_CONFLICT);
	query_i64(&q, kind);
	query_i64(&q, device);
	query_i64(&q, at_ms);
	query_i64(&q, INT64_MAX);
	query_i64(&q, 0);
	s->batch_unsettled = true;
	return query_run(&q, diag);
}

int judge_mark_moved(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag)
{
	const unsigned *needs = s->needs, session = 1U << FACT_SESSION;
	int r = judge_mark_device(s, device, at_ms, diag);

	if (!r && needs[RULE_SUBJECT_SITE])
		r = mark_sites(s, device, at_ms, diag);
	if (!r && ((needs[RULE_SUBJECT_PERSON] | needs[RULE_SUBJECT_AREA]) & session))
		r = mark_people(s, RULE_SUBJECT_PERSON, device, at_ms, diag);
	if (!r && (needs[RULE_SUBJECT_STAFF] & session))
		r = mark_people(s, RULE_SUBJECT_STAFF, device, at_ms, diag);
	return r;
}

/* ---- the queue ---- */

static void read_unsettled(struct query *q, struct store_unsettled *u)
{
	u->subject.kind = (enum rule_subject)col_i64(q);
	u->subject.key = col_i64(q);
	u->settled_ms = col_i64(q);
}

static int read_device(struct store *s, struct store_unsettled *u, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db,
	            "SELECT id, coalesce(site_set, site), class, coalesce(rated_motor_h, 0), last_seen_ms"
	            " FROM devices WHERE device = ?");
	query_i64(&q, u->subject.key);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		col_text(&q, u->device, sizeof(u->device));
		col_text(&q, u->site, sizeof(u->site));
		u->class = (enum gf_class)col_i64(&q);
		u->rated_motor_h = col_real(&q);
		u->last_seen_ms = col_i64(&q);
	}
	return query_end(&q, rc, diag);
}

static int read_site(struct store *s, struct store_unsettled *u, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db, "SELECT name FROM sites WHERE site = ?");
	query_i64(&q, u->subject.key);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		col_text(&q, u->site, sizeof(u->site));
	return query_end(&q, rc, diag);
}

int store_judge_next(struct store *s, int64_t now_ms, struct store_unsettled *ret_subject, struct gf_diag *diag)
{
	struct store_unsettled u = {.settled_ms = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, "SELECT kind, key, settled_ms FROM judge WHERE due_ms <= ? ORDER BY due_ms LIMIT 1");
	query_i64(&q, now_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_unsettled(&q, &u);
	r = query_end(&q, rc, diag);
	if (!r && rc != QUERY_ROW)
		return -ENOENT;
	if (!r && u.subject.kind == RULE_SUBJECT_DEVICE)
		r = read_device(s, &u, diag);
	else if (!r && u.subject.kind == RULE_SUBJECT_SITE)
		r = read_site(s, &u, diag);
	if (!r)
		*ret_subject = u;
	return r;
}

/* People for whom nothing is pending are forgotten here; of machines and sites there are only so many. */
int store_judge_done(struct store *s, const struct store_subject *subject, int64_t settled_ms, int64_t due_ms,
                     struct gf_diag *diag)
{
	bool person = subject->kind == RULE_SUBJECT_PERSON || subject->kind == RULE_SUBJECT_STAFF;
	struct query q;

	if (person && due_ms == INT64_MAX) {
		query_begin(&q, &s->db, "DELETE FROM judge WHERE kind = ? AND key = ?");
		query_i64(&q, subject->kind);
		query_i64(&q, subject->key);
		return query_run(&q, diag);
	}
	query_begin(&q, &s->db,
	            "UPDATE judge SET settled_ms = max(settled_ms, ?3), judged_ms = ?3, due_ms = ?4 WHERE kind = ?1"
	            " AND key = ?2");
	query_i64(&q, subject->kind);
	query_i64(&q, subject->key);
	query_i64(&q, settled_ms);
	query_i64(&q, due_ms > 0 ? due_ms : 1);
	return query_run(&q, diag);
}

int store_judge_later(struct store *s, const struct store_subject *subject, int64_t due_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "UPDATE judge SET judged_ms = -?3, due_ms = ?3 WHERE kind = ?1 AND key = ?2");
	query_i64(&q, subject->kind);
	query_i64(&q, subject->key);
	query_i64(&q, due_ms);
	return query_run(&q, diag);
}

int store_judge_rest(struct store *s, const struct store_subject *subject, int64_t until_ms, struct gf_diag *diag)
{
	struct query q;

	/* Somebody for whom nothing is pending was forgotten; retention does it now. */
	query_begin(&q, &s->db,
	            MARK_INSERT "VALUES (?1, ?2, ?3, -?3, ?4)"
	                        " ON CONFLICT (kind, key) DO UPDATE SET judged_ms = excluded.judged_ms,"
	                        " due_ms = max(due_ms, ?3)");
	query_i64(&q, subject->kind);
	query_i64(&q, subject->key);
	query_i64(&q, until_ms);
	query_i64(&q, INT64_MAX);
	return query_run(&q, diag);
}

int store_judge_clock(struct store *s, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE judge SET settled_ms = iif(abs(judged_ms) > ?1 + ?3, min(settled_ms, ?1), settled_ms),"
	            " judged_ms = ?2, due_ms = 0"
	            " WHERE judged_ms <> ?2 AND (judged_ms > ?1 OR judged_ms < -?1 - ?3)");
	query_i64(&q, now_ms);
	query_i64(&q, INT64_MAX);
	query_i64(&q, AHEAD_MS);
	return query_run(&q, diag);
}

int store_judge_due_ms(struct store *s, int64_t *ret_due_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "SELECT due_ms FROM judge ORDER BY due_ms LIMIT 1");
	return query_value(&q, INT64_MAX, ret_due_ms, diag);
}

int store_judge_backlog(struct store *s, int64_t now_ms, uint64_t *ret_backlog, struct gf_diag *diag)
{
	struct query q;
	int64_t count = 0;
	int r;

	query_begin(&q, &s->db, "SELECT count(*) FROM (SELECT 1 FROM judge WHERE due_ms <= ? LIMIT 1000)");
	query_i64(&q, now_ms);
	r = query_value(&q, 0, &count, diag);
	if (!r)
		*ret_backlog = (uint64_t)count;
	return r;
}

/* ---- rules changed ---- */

#define AGAIN_CONFLICT \
	" ON CONFLICT (kind, key) DO UPDATE SET settled_ms = min(settled_ms, excluded.settled_ms), due_ms = 0"

int store_judge_again(struct store *s, enum rule_subject kind, int64_t since_ms, struct gf_diag *diag)
{
	/* ?1 the kind, ?2 since, ?3 INT64_MAX. People's flags are by their token, areas' too. */
	static const char *const texts[RULE_SUBJECT_COUNT] = {
	    [RULE_SUBJECT_DEVICE] = MARK_INSERT "SELECT ?1, device, ?2, ?3, 0 FROM devices WHERE true" AGAIN_CONFLICT,
	    [RULE_SUBJECT_PERSON] = MARK_INSERT
	    "SELECT ?1, subject_token, ?2, ?3, 0 FROM sessions WHERE subject_token <> 0 AND outcome <> 0"
	    " AND ended_ms >= ?2 UNION SELECT ?1, key, ?2, ?3, 0 FROM flags WHERE kind IN (?1, ?4) AND end_kind < 3"
	    " AND ended_ms = 0" AGAIN_CONFLICT,
	    [RULE_SUBJECT_STAFF] = MARK_INSERT
	    "SELECT ?1, staff_token, ?2, ?3, 0 FROM sessions WHERE staff_token <> 0 AND outcome <> 0"
	    " AND ended_ms >= ?2 UNION SELECT ?1, key, ?2, ?3, 0 FROM flags WHERE kind IN (?1, ?4) AND end_kind < 3"
	    " AND ended_ms = 0" AGAIN_CONFLICT,
	    [RULE_SUBJECT_SITE] = MARK_INSERT "SELECT ?1, site, ?2, ?3, 0 FROM sites WHERE true" AGAIN_CONFLICT,
	};
	struct query q;
	int r = 0;

	if (kind == RULE_SUBJECT_AREA)
		kind = RULE_SUBJECT_PERSON;
	if (kind == RULE_SUBJECT_SITE)
		r = db_exec(&s->db, "INSERT OR IGNORE INTO sites (name) SELECT DISTINCT site FROM places WHERE site <> ''",
		            diag);
	if (r)
		return r;
	query_begin(&q, &s->db, texts[kind]);
	query_i64(&q, kind);
	query_i64(&q, since_ms);
	query_i64(&q, INT64_MAX);
	if (kind == RULE_SUBJECT_PERSON || kind == RULE_SUBJECT_STAFF)
		query_i64(&q, kind == RULE_SUBJECT_PERSON ? RULE_SUBJECT_AREA : kind);
	s->batch_unsettled = true;
	return query_run(&q, diag);
}
