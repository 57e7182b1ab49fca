/*
 * What the plan decided, written in one batch with the desired states that follow from it: after a kill -9 either both are there or
 * neither, so nobody is told twice and nobody is forgotten.
 */
#include <errno.h>
#include <inttypes.h>

#include "gateway/store/sqlite/rollout_row.h"
#include "gateway/store/sqlite/writer.h"

enum { ANSWER_MARGIN_MS = 60 * 1000 };

struct saving {
	struct store *s;
	struct rollout *r;
	int64_t now_ms;
	struct gf_diag *diag;
};

/* ---- desired states ---- */

/* The machine's own end of its time comes a little before the rollout's, so that it is heard with its reason. */
static uint32_t within_ms(const struct saving *a, const struct rollout_device *d)
{
	int64_t left = d->deadline_ms > a->now_ms ? d->deadline_ms - a->now_ms : 1;
	int64_t margin = left / 10 < ANSWER_MARGIN_MS ? left / 10 : ANSWER_MARGIN_MS;

	left -= margin;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

/* A catalog that the gateway never had is on the machine that had it before: there the size says nothing. */
static int size_of(const struct saving *a, const struct gf_digest *digest, uint32_t *ret_size)
{
	struct query q;
	int64_t size = 0;
	int err;

	query_begin(&q, &a->s->db, "SELECT size FROM catalogs WHERE digest = ?");
	query_digest(&q, digest);
	err = query_value(&q, 1, &size, a->diag);
	if (!err)
		*ret_size = (uint32_t)size;
	return err;
}

static int desire(const struct saving *a, struct rollout_device *d, const struct gf_desired_catalog *catalog)
{
	return store_desired_catalog(a->s, d->key, catalog, a->now_ms, &d->revision, a->diag);
}

static int offer(const struct saving *a, struct rollout_device *d)
{
	const struct rollout_spec *spec = &a->r->spec;
	const struct rollout_target *t = &spec->targets[d->class];
	struct gf_desired_catalog catalog = {
	    .version = spec->version, .digest = t->digest, .size = t->size, .within_ms = within_ms(a, d)};

	gf_strcpy(catalog.name, sizeof(catalog.name), spec->catalog);
	return desire(a, d, &catalog);
}

static int revert(const struct saving *a, struct rollout_device *d)
{
	struct gf_desired_catalog catalog = {
	    .version = d->previous_version, .digest = d->previous, .within_ms = within_ms(a, d)};
	int err = size_of(a, &d->previous, &catalog.size);

	gf_strcpy(catalog.name, sizeof(catalog.name), d->previous_catalog);
	return err ? err : desire(a, d, &catalog);
}

/* Only what still is this rollout's: a later one may have told the machine something else. The revision that told it stays known, for a
 * late answer. */
static int withdraw(const struct saving *a, const struct rollout_device *d)
{
	const struct gf_digest *own = d->step == ROLLOUT_STEP_STUCK ? &d->previous : &a->r->spec.targets[d->class].digest;
	struct gf_digest desired = {{0}};
	struct query q;
	uint64_t revision;
	int rc, err;

	query_begin(&q, &a->s->db, "SELECT digest FROM desired WHERE device = ?");
	query_i64(&q, d->key);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		col_digest(&q, &desired);
	err = query_end(&q, rc, a->diag);
	if (err || memcmp(&desired, own, sizeof(desired)) != 0)
		return err;
	return store_desired_catalog(a->s, d->key, NULL, a->now_ms, &revision, a->diag);
}

static int carry_out(const struct saving *a, const struct plan_wish *wish)
{
	struct rollout_device *d = &a->r->devices[wish->device];

	switch (wish->kind) {
	case PLAN_OFFER:
		return offer(a, d);
	case PLAN_REVERT:
		return revert(a, d);
	case PLAN_WITHDRAW:
		break;
	}
	return withdraw(a, d);
}

/* ---- machines ---- */

/* Steps of which many happen at once, and which say nothing that the next one doesn't, are no events. */
static bool worth_telling(const struct rollout_device *d)
{
	switch (d->step) {
	case ROLLOUT_STEP_WAITING:
	case ROLLOUT_STEP_ABSENT:
	case ROLLOUT_STEP_INSTALLED:
		return false;
	case ROLLOUT_STEP_WITHDRAWN:
		return d->told_ms > 0;
	case ROLLOUT_STEP_OFFERED:
	case ROLLOUT_STEP_CONFIRMED:
	case ROLLOUT_STEP_FAILED:
	case ROLLOUT_STEP_EXPIRED:
	case ROLLOUT_STEP_MISSED:
	case ROLLOUT_STEP_LEFT:
	case ROLLOUT_STEP_REVERTING:
	case ROLLOUT_STEP_REVERTED:
	case ROLLOUT_STEP_STUCK:
	case ROLLOUT_STEP_COUNT:
		break;
	}
	return true;
}

static int tell_device(const struct saving *a, const struct rollout_device *d)
{
	const char *step = rollout_step_name(d->step);

	if (!worth_telling(d))
		return 0;
	return event_add(a->s, a->now_ms, STORE_EVENT_ROLLOUT, d->id, a->r->id, step, a->diag,
	                 "rollout %" PRIu64 ", %s@%" PRIu64 ": %s%s%s", a->r->id, a->r->spec.catalog, a->r->spec.version,
	                 step, d->detail[0] ? ": " : "", d->detail);
}

static int save_device(const struct saving *a, const struct rollout_device *d)
{
	struct query q;
	int64_t before = -1;
	int err;

	query_begin(&q, &a->s->db, "SELECT step FROM rollout_devices WHERE rollout = ? AND device = ?");
	query_u64(&q, a->r->id);
	query_i64(&q, d->key);
	err = query_value(&q, -1, &before, a->diag);
	if (err)
		return err;
	query_begin(&q, &a->s->db,
	            "UPDATE rollout_devices SET (wave, step, since_ms, deadline_ms, revision, told_ms, installed_ms,"
	            " previous, previous_catalog, previous_version, refusal, detail) = (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
	            " ?11, ?12, ?13, ?14) WHERE rollout = ?1 AND device = ?2");
	query_u64(&q, a->r->id);
	query_i64(&q, d->key);
	query_i64(&q, d->wave);
	query_i64(&q, d->step);
	query_i64(&q, d->since_ms);
	query_i64(&q, d->deadline_ms);
	query_u64(&q, d->revision);
	query_i64(&q, d->told_ms);
	query_i64(&q, d->installed_ms);
	query_digest(&q, &d->previous);
	query_text(&q, d->previous_catalog);
	query_u64(&q, d->previous_version);
	query_i64(&q, d->refusal);
	query_text(&q, d->detail);
	err = query_run(&q, a->diag);
	if (err || before == (int64_t)d->step)
		return err;
	return tell_device(a, d);
}

/* ---- the rollout ---- */

static int save_waves(const struct saving *a)
{
	int err = 0;

	for (size_t i = 0; i < a->r->spec.waves_count && !err; i++) {
		struct query q;

		query_begin(&q, &a->s->db,
		            "UPDATE rollout_waves SET since_ms = ?3, done_ms = ?4 WHERE rollout = ?1 AND wave = ?2");
		query_u64(&q, a->r->id);
		query_u64(&q, i + 1);
		query_i64(&q, a->r->wave_since_ms[i]);
		query_i64(&q, a->r->wave_done_ms[i]);
		err = query_run(&q, a->diag);
	}
	return err;
}

static int tell_rollout(const struct saving *a, const struct rollout *before)
{
	const struct rollout *r = a->r;
	const char *code;

	if (r->state != before->state)
		code = rollout_state_name(r->state);
	else if (r->wave != before->wave)
		code = "wave";
	else if (r->phase != before->phase)
		code = rollout_phase_name(r->phase);
	else
		return 0;
	return event_add(a->s, a->now_ms, STORE_EVENT_ROLLOUT, NULL, r->id, code, a->diag,
	                 "rollout %" PRIu64 ", %s@%" PRIu64 ": %s%s%s", r->id, r->spec.catalog, r->spec.version,
	                 rollout_state_name(r->state), r->reason[0] ? ": " : "", r->reason);
}

static int save_rollout(const struct saving *a)
{
	const struct rollout *r = a->r;
	struct rollout before;
	struct query q;
	int err = rollout_row(&a->s->db, r->id, &before, a->diag);

	if (err)
		return err;
	query_begin(&q, &a->s->db,
	            "UPDATE rollouts SET (state, phase, wave, state_since_ms, phase_since_ms, forgiven_ms, reason) ="
	            " (?2, ?3, ?4, ?5, ?6, ?7, ?8) WHERE id = ?1");
	query_u64(&q, r->id);
	query_i64(&q, r->state);
	query_i64(&q, r->phase);
	query_i64(&q, r->wave);
	query_i64(&q, r->state_since_ms);
	query_i64(&q, r->phase_since_ms);
	query_i64(&q, r->forgiven_ms);
	query_text(&q, r->reason);
	err = query_run(&q, a->diag);
	if (!err)
		err = save_waves(a);
	return err ? err : tell_rollout(a, &before);
}

int store_rollout_save(struct store *s, struct rollout *rollout, const struct plan_changes *changes, int64_t now_ms,
                       struct gf_diag *diag)
{
	const struct saving a = {s, rollout, now_ms, diag};
	int err = 0;

	for (size_t i = 0; i < changes->wishes_count && !err; i++)
		err = carry_out(&a, &changes->wishes[i]);
	for (size_t i = 0; i < changes->devices_count && !err; i++)
		err = save_device(&a, &rollout->devices[changes->devices[i]]);
	if (!err && changes->rollout)
		err = save_rollout(&a);
	return err;
}

static int shift(struct store *s, const char *sql, int64_t by_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, sql);
	query_i64(&q, by_ms);
	return query_run(&q, diag);
}

int store_rollouts_shift(struct store *s, int64_t by_ms, struct gf_diag *diag)
{
	int err = store_begin(s, diag);

	if (err)
		return err;
	err = shift(s,
	            "UPDATE rollouts SET phase_since_ms = phase_since_ms + ?1, state_since_ms = state_since_ms + ?1,"
	            " forgiven_ms = iif(forgiven_ms > 0, forgiven_ms + ?1, 0) WHERE state IN (0, 1, 4)",
	            by_ms, diag);
	if (!err)
		err = shift(s,
		            "UPDATE rollout_waves SET since_ms = since_ms + ?1 WHERE since_ms > 0 AND done_ms = 0"
		            " AND rollout IN (SELECT id FROM rollouts WHERE state IN (0, 1, 4))",
		            by_ms, diag);
	if (!err)
		err = shift(s,
		            "UPDATE rollout_devices SET since_ms = since_ms + ?1,"
		            " deadline_ms = iif(deadline_ms > 0, deadline_ms + ?1, 0) WHERE step IN (0, 1, 2, 3, 10)"
		            " OR rollout IN (SELECT id FROM rollouts WHERE state IN (0, 1, 4))",
		            by_ms, diag);
	return store_finish(s, err, diag);
}
