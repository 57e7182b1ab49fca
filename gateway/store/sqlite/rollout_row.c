/* Rows of rollouts, to structs. */
#include <errno.h>
#include <inttypes.h>

#include "gateway/store/sqlite/rollout_row.h"

/* The numbers are in the file. */
_Static_assert(ROLLOUT_STEP_WAITING == 0 && ROLLOUT_STEP_INSTALLED == 3 && ROLLOUT_STEP_CONFIRMED == 4 &&
                   ROLLOUT_STEP_FAILED == 5 && ROLLOUT_STEP_LEFT == 9 && ROLLOUT_STEP_REVERTING == 10 &&
                   ROLLOUT_STEP_COUNT == 13,
               "steps are stored by number");
_Static_assert(ROLLOUT_RUNNING == 0 && ROLLOUT_PAUSED == 1 && ROLLOUT_HALTED == 2 && ROLLOUT_COMPLETED == 3 &&
                   ROLLOUT_ROLLING_BACK == 4 && ROLLOUT_ROLLED_BACK == 5,
               "states are stored by number");
_Static_assert(GF_OUTCOME_USER_STOPPED == 2 && GF_SEVERITY_STOP == 3 && GF_SEVERITY_LATCH == 4,
               "the outcomes' queries count them by number");

static const double hour_ms = 3600.0 * 1000.0;

/* ---- the rollout ---- */

static int read_main(struct db *db, uint64_t id, struct rollout *r, struct gf_diag *diag)
{
	struct rollout_spec *s = &r->spec;
	struct query q;
	int rc;

	query_begin(&q, db,
	            "SELECT catalog, version, selection, soak_ms, deadline_ms, max_failures_ppm, window_from IS NOT NULL,"
	            " window_from, window_to, state, phase, wave, created_ms, state_since_ms, phase_since_ms, forgiven_ms,"
	            " reason, created_by FROM rollouts WHERE id = ?");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		r->id = id;
		col_text(&q, s->catalog, sizeof(s->catalog));
		s->version = col_u64(&q);
		col_text(&q, s->where, sizeof(s->where));
		s->soak_ms = col_i64(&q);
		s->deadline_ms = col_i64(&q);
		s->max_failures_ppm = (uint32_t)col_i64(&q);
		s->has_window = col_i64(&q);
		s->window_from_min = (uint16_t)col_i64(&q);
		s->window_to_min = (uint16_t)col_i64(&q);
		r->state = (enum rollout_state)col_i64(&q);
		r->phase = (enum rollout_phase)col_i64(&q);
		r->wave = (uint32_t)col_i64(&q);
		r->created_ms = col_i64(&q);
		r->state_since_ms = col_i64(&q);
		r->phase_since_ms = col_i64(&q);
		r->forgiven_ms = col_i64(&q);
		col_text(&q, r->reason, sizeof(r->reason));
		col_text(&q, r->created_by, sizeof(r->created_by));
	}
	return query_end(&q, rc, diag);
}

static int read_targets(struct db *db, struct rollout *r, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, db, "SELECT class, digest, size, rollback_floor FROM rollout_targets WHERE rollout = ?");
	query_u64(&q, r->id);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		int64_t class = col_i64(&q);
		struct rollout_target t = {.there = true};

		col_digest(&q, &t.digest);
		t.size = (uint32_t)col_i64(&q);
		t.rollback_floor = col_u64(&q);
		if (class > 0 && class < GF_CLASS_COUNT)
			r->spec.targets[class] = t;
	}
	return query_end(&q, rc, diag);
}

static int read_gates(struct db *db, struct rollout *r, struct gf_diag *diag)
{
	struct rollout_spec *s = &r->spec;
	struct query q;
	int rc;

	query_begin(&q, db, "SELECT kind, limit_value, relative FROM rollout_gates WHERE rollout = ? ORDER BY n");
	query_u64(&q, r->id);
	while ((rc = query_step(&q)) == QUERY_ROW && s->gates_count < ROLLOUT_GATES_MAX) {
		struct rollout_gate *g = &s->gates[s->gates_count++];

		g->kind = (enum rollout_gate_kind)col_i64(&q);
		g->limit = col_real(&q);
		g->relative = col_i64(&q);
	}
	return query_end(&q, rc, diag);
}

static int read_waves(struct db *db, struct rollout *r, struct gf_diag *diag)
{
	struct rollout_spec *s = &r->spec;
	struct query q;
	int rc;

	query_begin(&q, db, "SELECT value, percent, since_ms, done_ms FROM rollout_waves WHERE rollout = ? ORDER BY wave");
	query_u64(&q, r->id);
	while ((rc = query_step(&q)) == QUERY_ROW && s->waves_count < ROLLOUT_WAVES_MAX) {
		size_t i = s->waves_count++;

		s->waves[i].value = (uint32_t)col_i64(&q);
		s->waves[i].percent = col_i64(&q);
		r->wave_since_ms[i] = col_i64(&q);
		r->wave_done_ms[i] = col_i64(&q);
	}
	return query_end(&q, rc, diag);
}

int rollout_row(struct db *db, uint64_t id, struct rollout *ret_rollout, struct gf_diag *diag)
{
	struct rollout r = {.id = 0};
	int err = read_main(db, id, &r, diag);

	if (!err && r.id == 0) {
		gf_diag_set(diag, "there is no rollout %" PRIu64, id);
		return -ENOENT;
	}
	if (!err)
		err = read_targets(db, &r, diag);
	if (!err)
		err = read_gates(db, &r, diag);
	if (!err)
		err = read_waves(db, &r, diag);
	if (!err)
		*ret_rollout = r;
	return err;
}

/* ---- its machines ---- */

/* An answer counts when it is about what the step desires: to its revision, or a later one that was made for the limits' sake. */
static void take_answer(struct query *q, const struct rollout_spec *spec, struct rollout_device *d)
{
	struct rollout_facts *f = &d->facts;
	const struct gf_digest *desired = &spec->targets[d->class].digest;
	uint64_t revision = col_u64(q);
	struct gf_digest digest;

	if (d->step == ROLLOUT_STEP_REVERTING)
		desired = &d->previous;
	f->answer = (enum gf_desired_step)col_i64(q);
	f->refusal = (enum gf_refusal)col_i64(q);
	col_text(q, f->detail, sizeof(f->detail));
	col_digest(q, &digest);
	f->answered_ms = col_i64(q);
	if (d->revision > 0 && revision >= d->revision && !gf_digest_none(&digest) && gf_digest_equal(&digest, desired))
		return;
	f->answer = GF_DESIRED_STEP_UNSPECIFIED;
	f->refusal = GF_REFUSAL_UNSPECIFIED;
	f->detail[0] = '\0';
	f->answered_ms = 0;
}

void rollout_device_columns(struct query *q, const struct rollout_spec *spec, struct rollout_device *ret_device)
{
	struct rollout_device d = {.key = col_i64(q)};
	struct rollout_facts *f = &d.facts;
	int64_t class;

	col_text(q, d.id, sizeof(d.id));
	class = col_i64(q);
	d.class = class > 0 && class < GF_CLASS_COUNT ? (enum gf_class) class : GF_CLASS_UNSPECIFIED;
	d.wave = (uint32_t)col_i64(q);
	d.step = (enum rollout_step)col_i64(q);
	d.since_ms = col_i64(q);
	d.deadline_ms = col_i64(q);
	d.revision = col_u64(q);
	d.told_ms = col_i64(q);
	d.installed_ms = col_i64(q);
	col_digest(q, &d.previous);
	col_text(q, d.previous_catalog, sizeof(d.previous_catalog));
	d.previous_version = col_u64(q);
	d.refusal = (enum gf_refusal)col_i64(q);
	col_text(q, d.detail, sizeof(d.detail));
	f->there = true;
	f->online = col_i64(q);
	f->in_use = col_i64(q);
	col_text(q, f->catalog, sizeof(f->catalog));
	f->version = col_u64(q);
	col_digest(q, &f->digest);
	f->on_trial = col_i64(q);
	col_text(q, f->site, sizeof(f->site));
	take_answer(q, spec, &d);
	f->taken = col_i64(q);
	*ret_device = d;
}

/* ---- outcomes ---- */

/* Who had the new catalog from when to when, and who the old one: a machine that went back by itself has the old one again, one that had it
 * already, or left, counts on neither side. ?1 the rollout, ?2 when the first took it, ?3 what is forgiven. */
#define NEW_SINCE " >= max(r.installed_ms, ?3)"
#define NEW_UNTIL " < CASE WHEN r.step = 5 THEN r.since_ms ELSE 9223372036854775807 END"
#define NEW_WHERE " WHERE r.rollout = ?1 AND r.installed_ms > 0 AND ?2 > 0"
#define OLD_SINCE " >= max(?2, ?3)"
#define OLD_UNTIL " < CASE WHEN r.installed_ms > 0 THEN r.installed_ms ELSE 9223372036854775807 END"
#define OLD_WHERE " WHERE r.rollout = ?1 AND (r.installed_ms > 0 OR r.step NOT IN (4, 9)) AND ?2 > 0"

static void bind(struct query *q, const struct rollout *r, int64_t first_ms)
{
	query_u64(q, r->id);
	query_i64(q, first_ms);
	query_i64(q, r->forgiven_ms);
}

static int count_sessions(struct db *db, const char *sql, const struct rollout *r, int64_t first_ms,
                          struct rollout_outcome *o, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, db, sql);
	bind(&q, r, first_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		o->motor_hours = (double)col_i64(&q) / hour_ms;
		o->sessions = col_u64(&q);
		o->user_stops = col_u64(&q);
	}
	return query_end(&q, rc, diag);
}

static int count_number(struct db *db, const char *sql, const struct rollout *r, int64_t first_ms, uint64_t *ret_number,
                        struct gf_diag *diag)
{
	struct query q;
	int64_t number = 0;
	int err;

	query_begin(&q, db, sql);
	bind(&q, r, first_ms);
	err = query_value(&q, 0, &number, diag);
	if (!err)
		*ret_number = (uint64_t)number;
	return err;
}

int rollout_outcomes(struct db *db, struct rollout *r, struct gf_diag *diag)
{
	struct rollout_outcome new = {0}, old = {0};
	uint64_t first_ms = 0;
	int err = count_number(db,
	                       "SELECT min(installed_ms) FROM rollout_devices WHERE rollout = ?1 AND installed_ms > 0"
	                       " AND ?2 = 0 AND ?3 >= 0",
	                       r, 0, &first_ms, diag);

	if (!err)
		err = count_sessions(db,
		                     "SELECT sum(s.motor_ms), count(*), sum(s.outcome = 2) FROM rollout_devices r CROSS JOIN"
		                     " sessions s ON s.device = r.device AND s.outcome > 0 AND s.started_ms" NEW_SINCE
		                     " AND s.started_ms" NEW_UNTIL NEW_WHERE,
		                     r, (int64_t)first_ms, &new, diag);
	if (!err)
		err = count_sessions(db,
		                     "SELECT sum(s.motor_ms), count(*), sum(s.outcome = 2) FROM rollout_devices r CROSS JOIN"
		                     " sessions s ON s.device = r.device AND s.outcome > 0 AND s.started_ms" OLD_SINCE
		                     " AND s.started_ms" OLD_UNTIL OLD_WHERE,
		                     r, (int64_t)first_ms, &old, diag);
	if (!err)
		err = count_number(db,
		                   "SELECT count(*) FROM rollout_devices r CROSS JOIN faults f ON f.device = r.device"
		                   " AND f.severity IN (3, 4) AND f.raised_ms" NEW_SINCE " AND f.raised_ms" NEW_UNTIL NEW_WHERE,
		                   r, (int64_t)first_ms, &new.faults, diag);
	if (!err)
		err = count_number(db,
		                   "SELECT count(*) FROM rollout_devices r CROSS JOIN faults f ON f.device = r.device"
		                   " AND f.severity IN (3, 4) AND f.raised_ms" OLD_SINCE " AND f.raised_ms" OLD_UNTIL OLD_WHERE,
		                   r, (int64_t)first_ms, &old.faults, diag);
	if (!err)
		err = count_number(db, "SELECT count(*) FROM rollout_devices r" NEW_WHERE " AND ?3 >= 0", r, (int64_t)first_ms,
		                   &new.machines, diag);
	if (!err)
		err = count_number(db, "SELECT count(*) FROM rollout_devices r" OLD_WHERE " AND r.installed_ms = 0 AND ?3 >= 0",
		                   r, (int64_t)first_ms, &old.machines, diag);
	if (err)
		return err;
	r->updated = new;
	r->others = old;
	return 0;
}
