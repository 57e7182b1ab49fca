/*
 * What a machine says of catalogs: which one became active, and how far it is with what is desired of it.
 *
 * The newest answer is that of the highest revision, within it of the newest stream (a machine that lost its memory goes through
 * all of it again), within that of the furthest step. So one that is repeated, or comes late, changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"

enum { STRAY_EVENT_MS = 60 * 1000 };

static const struct gf_digest no_digest;

static bool same(const struct gf_digest *a, const struct gf_digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- the active catalog ---- */

static const char *const cause_sentences[GF_CATALOG_CAUSE_COUNT] = {
    [GF_CATALOG_CAUSE_UNSPECIFIED] = "",
    [GF_CATALOG_CAUSE_OVER_THE_AIR] = ", over the air",
    [GF_CATALOG_CAUSE_ROLLED_BACK] = ", rolled back",
    [GF_CATALOG_CAUSE_BY_HAND] = ", installed by hand",
    [GF_CATALOG_CAUSE_RECOVERED] = ": the one before could not be read",
};

int catalog_changed_apply(struct apply *a)
{
	const struct gf_catalog_changed *c = &a->rec->catalog_changed;
	struct position at = {a->stream, a->rec->boot, a->rec->uptime_ms};
	struct query q;
	int r;

	query_begin(
	    &q, a->db,
	    "INSERT OR REPLACE INTO catalog_changes (device, stream, seq, at_ms, catalog, version, previous_version,"
	    " cause, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_i64(&q, a->at_ms);
	query_text(&q, c->catalog);
	query_u64(&q, c->version);
	query_u64(&q, c->previous_version);
	query_i64(&q, c->cause);
	query_digest(&q, &c->digest);
	r = query_run(&q, a->diag);
	if (r)
		return r;
	if (device_advance(a->dev, &at)) {
		gf_strcpy(a->dev->catalog, sizeof(a->dev->catalog), c->catalog);
		a->dev->catalog_version = c->version;
		a->dev->catalog_digest = c->digest;
		a->dev->catalog_on_trial = c->cause == GF_CATALOG_CAUSE_OVER_THE_AIR;
	}
	return event_add(a->store, a->at_ms, STORE_EVENT_CATALOG, a->dev->id, c->version, c->catalog, a->diag,
	                 "catalog %s is at version %" PRIu64 " (was %" PRIu64 ")%s", c->catalog, c->version,
	                 c->previous_version, cause_sentences[c->cause]);
}

/* ---- answers ---- */

/* How an answer stands to what is known of the machine. */
struct known {
	bool given; /* such a revision was desired of it */
	uint64_t revision, newest_given;
	int64_t stream;
	enum gf_desired_step step;
	enum gf_refusal refusal;
	struct gf_digest digest;
};

static int load_known(struct apply *a, uint64_t revision, struct known *ret_known)
{
	struct known k = {.given = false};
	struct query q;
	int rc, r;

	query_begin(&q, a->db,
	            "SELECT revision, answer_revision, answer_stream, answer_step, answer_refusal, answer_digest FROM "
	            "desired WHERE device = ?");
	query_i64(&q, a->dev->key);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		k.newest_given = col_u64(&q);
		k.revision = col_u64(&q);
		k.stream = col_i64(&q);
		k.step = (enum gf_desired_step)col_i64(&q);
		k.refusal = (enum gf_refusal)col_i64(&q);
		col_digest(&q, &k.digest);
	}
	r = query_end(&q, rc, a->diag);
	k.given = revision > 0 && revision <= k.newest_given;
	if (!r)
		*ret_known = k;
	return r;
}

static bool is_newer(const struct known *k, uint64_t revision, int64_t stream, enum gf_desired_step step)
{
	if (revision != k->revision)
		return revision > k->revision;
	if (stream != k->stream)
		return stream > k->stream;
	return step > k->step;
}

/* What was never given can't be answered: another database's, or a lie. One that repeats it must not push out everybody's events. */
static int keep_out(struct apply *a, const struct gf_desired_applied *d, uint64_t newest_given)
{
	struct store *s = a->store;

	s->batch_counts[META_STRAY]++;
	if (s->stray_event_ms && a->recv_ms >= s->stray_event_ms && a->recv_ms - s->stray_event_ms < STRAY_EVENT_MS)
		return 0;
	s->stray_event_ms = a->recv_ms;
	return event_add(s, a->at_ms, STORE_EVENT_CATALOG, a->dev->id, d->revision, "stray", a->diag,
	                 "it answers revision %" PRIu64
	                 " of what is desired of it, which was never given (the newest is %" PRIu64 "): not believed",
	                 d->revision, newest_given);
}

static int save_applied(struct apply *a, uint64_t revision)
{
	struct query q;

	query_begin(&q, a->db, "UPDATE desired SET applied_revision = max(applied_revision, ?2) WHERE device = ?1");
	query_i64(&q, a->dev->key);
	query_u64(&q, revision);
	return query_run(&q, a->diag);
}

static int save_answer(struct apply *a, const struct gf_desired_applied *d)
{
	struct query q;

	query_begin(&q, a->db,
	            "UPDATE desired SET answer_revision = ?2, answer_stream = ?3, answer_step = ?4, answer_refusal = ?5,"
	            " answer_detail = ?6, answer_catalog = ?7, answer_version = ?8, answer_digest = ?9, answered_ms = ?10"
	            " WHERE device = ?1");
	query_i64(&q, a->dev->key);
	query_u64(&q, d->revision);
	query_i64(&q, a->stream);
	query_i64(&q, d->step);
	query_i64(&q, d->refusal);
	query_text(&q, d->detail);
	query_text(&q, d->catalog);
	query_u64(&q, d->version);
	query_digest(&q, &d->digest);
	query_i64(&q, a->at_ms);
	return query_run(&q, a->diag);
}

/* The trial of what is active ends, or goes on. */
static void note_trial(struct apply *a, const struct gf_desired_applied *d)
{
	struct position at = {a->stream, a->rec->boot, a->rec->uptime_ms};

	if ((d->step != GF_DESIRED_STEP_ACTIVE && d->step != GF_DESIRED_STEP_CONFIRMED) ||
	    !same(&d->digest, &a->dev->catalog_digest) || !device_advance(a->dev, &at))
		return;
	a->dev->catalog_on_trial = d->step == GF_DESIRED_STEP_ACTIVE;
}

static int tell(struct apply *a, const struct gf_desired_applied *d)
{
	const char *before = "", *after = "", *detail = "";

	switch (d->step) {
	case GF_DESIRED_STEP_ACTIVE:
		after = " is on trial";
		break;
	case GF_DESIRED_STEP_CONFIRMED:
		after = " passed its trial and stays";
		break;
	case GF_DESIRED_STEP_REFUSED:
		before = "refused ";
		detail = d->detail;
		break;
	case GF_DESIRED_STEP_ROLLED_BACK:
		before = "went back from ";
		detail = d->detail;
		break;
	default:
		/* On the way there; rollouts and the machine's own page show it. */
		return 0;
	}
	return event_add(a->store, a->at_ms, STORE_EVENT_CATALOG, a->dev->id, d->version,
	                 d->refusal ? gf_refusal_name(d->refusal) : gf_desired_step_name(d->step), a->diag,
	                 "%s%s@%" PRIu64 "%s%s%s", before, d->catalog, d->version, after, detail[0] ? ": " : "", detail);
}

int desired_applied_apply(struct apply *a)
{
	const struct gf_desired_applied *d = &a->rec->desired_applied;
	struct gf_desired_applied answer = *d;
	struct known known;
	int r = load_known(a, d->revision, &known);

	if (r)
		return r;
	if (!known.given)
		return keep_out(a, d, known.newest_given);
	r = save_applied(a, d->revision);
	if (r || same(&d->digest, &no_digest))
		return r;
	if (answer.step == GF_DESIRED_STEP_UNSPECIFIED)
		answer.step = GF_DESIRED_STEP_APPLIED;
	if (!is_newer(&known, answer.revision, a->stream, answer.step))
		return 0;
	r = save_answer(a, &answer);
	if (r)
		return r;
	note_trial(a, &answer);
	/* A new revision for the limits' sake says the same of the catalog again. */
	if (known.step == answer.step && known.refusal == answer.refusal && same(&known.digest, &answer.digest))
		return 0;
	return tell(a, &answer);
}
