/*
 * One machine's way through a rollout.
 *
 *     WAITING ──window open──> OFFERED ──> INSTALLED ──> CONFIRMED        told once; the answer, or what it says it plays, moves it
 *        └─offline─> ABSENT ──┘   └───────────┴─> FAILED, EXPIRED        ──a person──> REVERTING ──> REVERTED, STUCK
 *                      └─> MISSED ──back online──> OFFERED
 */
#include <inttypes.h>

#include "gateway/rollout/plan_impl.h"
#include "proto/base/clock.h"

/* ---- what is known ---- */

static const struct rollout_target *target_of(const struct rollout *r, const struct rollout_device *d)
{
	return &r->spec.targets[(unsigned)d->class < GF_CLASS_COUNT ? d->class : GF_CLASS_UNSPECIFIED];
}

/* It is of an age that doesn't say what it plays. */
static bool tells_nothing(const struct rollout_device *d)
{
	return gf_digest_none(&d->facts.digest);
}

/* It plays the rollout's catalog, as far as it said. */
static bool has_it(const struct rollout *r, const struct rollout_device *d)
{
	const struct rollout_target *t = target_of(r, d);

	return t->there && gf_digest_equal(&d->facts.digest, &t->digest);
}

static bool has_previous(const struct rollout_device *d)
{
	return !gf_digest_none(&d->previous) && d->previous_catalog[0] != '\0' && d->previous_version > 0;
}

static bool answered(const struct rollout_device *d, enum gf_desired_step step)
{
	return d->revision > 0 && d->facts.answer == step;
}

static bool told(const struct rollout_device *d)
{
	return d->told_ms > 0;
}

/* ---- moving ---- */

static void wish(struct rollout_device *d, enum plan_wish_kind kind)
{
	d->changed = d->wished = true;
	d->wish = kind;
	/* What it said to an earlier one is no answer to this. */
	if (kind != PLAN_WITHDRAW)
		d->facts.answer = GF_DESIRED_STEP_UNSPECIFIED;
}

static void move(const struct plan *p, struct rollout_device *d, enum rollout_step step, int64_t within_ms)
{
	d->step = step;
	d->since_ms = p->now_ms;
	d->deadline_ms = within_ms > 0 ? p->now_ms + within_ms : 0;
	d->changed = true;
	d->detail[0] = '\0';
}

static void say(struct rollout_device *d, const char *text)
{
	char line[GF_TEXT_MAX];

	gf_strcpy_utf8(line, sizeof(line), text);
	for (size_t i = 0; line[i] == d->detail[i]; i++)
		if (line[i] == '\0')
			return;
	gf_strcpy(d->detail, sizeof(d->detail), line);
	d->changed = true;
}

#define SAY(d, ...)                      \
	do {                                 \
		struct gf_diag say_;             \
		gf_diag_set(&say_, __VA_ARGS__); \
		say((d), say_.text);             \
	} while (0)

static void end(const struct plan *p, struct rollout_device *d, enum rollout_step step, const char *why)
{
	move(p, d, step, 0);
	say(d, why);
}

/* The machine's own word on why it did not take, or did not keep it. It keeps what it has: nothing more is desired of it. */
static void end_without(const struct plan *p, struct rollout_device *d, enum rollout_step step)
{
	end(p, d, step, d->facts.detail[0] != '\0' ? d->facts.detail : gf_refusal_name(d->facts.refusal));
	d->refusal = d->facts.refusal;
	wish(d, PLAN_WITHDRAW);
}

static void installed(const struct plan *p, struct rollout_device *d)
{
	if (d->installed_ms == 0)
		d->installed_ms = p->now_ms;
}

static void confirm(const struct plan *p, struct rollout_device *d, const char *why)
{
	end(p, d, ROLLOUT_STEP_CONFIRMED, why);
	if (told(d))
		installed(p, d);
}

/* ---- before it is told ---- */

/* Ends it where there is no reason to tell it; true when it did. */
static bool needs_nothing(const struct plan *p, struct rollout_device *d)
{
	const struct rollout *r = p->r;
	const struct rollout_facts *f = &d->facts;

	if (has_it(r, d) && !f->on_trial) {
		confirm(p, d, told(d) ? "took it before it heard of the halt" : "had it already");
		return true;
	}
	if (!f->there)
		end(p, d, ROLLOUT_STEP_LEFT, "no longer selected");
	else if (f->taken)
		end(p, d, ROLLOUT_STEP_LEFT, "a later rollout has it");
	else if (!target_of(r, d)->there)
		end(p, d, ROLLOUT_STEP_LEFT, "there is no such catalog for its class");
	else if (f->version > r->spec.version) {
		move(p, d, ROLLOUT_STEP_LEFT, 0);
		SAY(d, "has %s@%" PRIu64 ", which is newer", f->catalog, f->version);
	} else
		return false;
	return true;
}

static void offer(struct plan *p, struct rollout_device *d)
{
	if (!has_it(p->r, d)) {
		d->previous = d->facts.digest;
		gf_strcpy(d->previous_catalog, sizeof(d->previous_catalog), d->facts.catalog);
		d->previous_version = d->facts.version;
	}
	move(p, d, ROLLOUT_STEP_OFFERED, p->r->spec.deadline_ms);
	d->told_ms = p->now_ms;
	wish(d, PLAN_OFFER);
}

/* Its window is closed: until when, as a bound of its step too. */
static void await_window(struct plan *p, struct rollout_device *d)
{
	int64_t opens_ms = plan_window_opens_ms(&p->r->spec, p->now_ms, d->facts.utc_offset_s);

	plan_due(p, opens_ms);
	if (d->step != ROLLOUT_STEP_WAITING)
		return;
	if (d->deadline_ms != opens_ms) {
		d->deadline_ms = opens_ms;
		d->changed = true;
	}
	say(d, "waits for its window");
}

/* Its wave has begun: tell it as soon as its window is open and it is there to hear. */
static void turn(struct plan *p, struct rollout_device *d)
{
	const struct rollout_spec *spec = &p->r->spec;
	bool open = plan_window_open(spec, p->now_ms, d->facts.utc_offset_s);

	if (open && d->facts.online)
		offer(p, d);
	else if (d->step == ROLLOUT_STEP_WAITING && open) {
		move(p, d, ROLLOUT_STEP_ABSENT, spec->deadline_ms);
		say(d, "offline: is told when it comes back");
	} else if (!open && (d->step == ROLLOUT_STEP_WAITING || d->facts.online))
		await_window(p, d);
}

/* ---- its answer ---- */

static void expire(const struct plan *p, struct rollout_device *d)
{
	static const char *const offered[GF_DESIRED_STEP_COUNT] = {
	    [GF_DESIRED_STEP_APPLIED] = "it had heard of it, and said nothing of taking it",
	    [GF_DESIRED_STEP_FETCHING] = "it was still fetching it",
	    [GF_DESIRED_STEP_WAITING] = "it was still in use",
	};
	const char *how = (unsigned)d->facts.answer < GF_DESIRED_STEP_COUNT ? offered[d->facts.answer] : NULL;
	char span[GF_DURATION_MAX];
	bool on_trial = d->step == ROLLOUT_STEP_INSTALLED;

	gf_duration_format(p->now_ms - d->since_ms, span);
	if (on_trial && !d->facts.there) {
		end(p, d, ROLLOUT_STEP_LEFT, "no longer selected");
		return;
	}
	move(p, d, ROLLOUT_STEP_EXPIRED, 0);
	if (on_trial)
		SAY(d, "took it, and has not confirmed it within %s", span);
	else
		SAY(d, "told, and no answer within %s%s%s", span, how != NULL ? ": " : "", how != NULL ? how : "");
	wish(d, PLAN_WITHDRAW);
}

static void wait_for_answer(struct plan *p, struct rollout_device *d)
{
	const struct rollout_facts *f = &d->facts;
	bool plays = has_it(p->r, d), takes = plays || answered(d, GF_DESIRED_STEP_ACTIVE);

	if (answered(d, GF_DESIRED_STEP_CONFIRMED) || (plays && !f->on_trial))
		confirm(p, d, "");
	else if (answered(d, GF_DESIRED_STEP_REFUSED) || answered(d, GF_DESIRED_STEP_ROLLED_BACK))
		end_without(p, d, ROLLOUT_STEP_FAILED);
	else if (f->taken || (!f->there && d->step == ROLLOUT_STEP_OFFERED && !takes)) {
		bool take_back = d->step == ROLLOUT_STEP_OFFERED;

		end(p, d, ROLLOUT_STEP_LEFT, f->taken ? "a later rollout has it" : "no longer selected");
		if (take_back)
			wish(d, PLAN_WITHDRAW);
	} else if (d->step == ROLLOUT_STEP_OFFERED && takes) {
		move(p, d, ROLLOUT_STEP_INSTALLED, p->r->spec.deadline_ms);
		installed(p, d);
		say(d, "on trial");
	} else if (p->now_ms >= d->deadline_ms)
		expire(p, d);
	else if (d->step == ROLLOUT_STEP_OFFERED && answered(d, GF_DESIRED_STEP_FETCHING))
		say(d, "fetches it");
	else if (d->step == ROLLOUT_STEP_OFFERED && answered(d, GF_DESIRED_STEP_WAITING))
		say(d, "in use: takes it when its session ends");
}

/* Until it is told. */
static void before(struct plan *p, struct rollout_device *d)
{
	const struct rollout *r = p->r;
	bool offering = r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_COMPLETED;

	/* Came to a rollout that is over. */
	if (!offering && r->state != ROLLOUT_PAUSED) {
		plan_device_withdraw(p, d);
		return;
	}
	if (needs_nothing(p, d))
		return;
	/* Whoever is left, or comes late, belongs to the last wave. */
	if (d->wave == 0 && offering && r->wave == r->spec.waves_count) {
		d->wave = r->wave;
		d->changed = true;
	}
	if (d->wave > 0 && offering)
		turn(p, d);
	/* It may have it on trial already, by another way. */
	if (d->step == ROLLOUT_STEP_OFFERED)
		wait_for_answer(p, d);
	if (d->step == ROLLOUT_STEP_ABSENT && p->now_ms >= d->deadline_ms)
		end(p, d, ROLLOUT_STEP_MISSED,
		    d->facts.online ? "its window did not open while it was online" : "offline until its deadline");
}

static void wait_for_return(const struct plan *p, struct rollout_device *d)
{
	const struct rollout_facts *f = &d->facts;
	/* Before it took the new one it played the old one too, and what it plays may be old news: only its word on this revision counts until the
	 * deadline. */
	bool plays = gf_digest_equal(&f->digest, &d->previous) && !f->on_trial, late = p->now_ms >= d->deadline_ms;

	if (answered(d, GF_DESIRED_STEP_CONFIRMED) || (plays && (late || answered(d, GF_DESIRED_STEP_APPLIED))))
		end(p, d, ROLLOUT_STEP_REVERTED, "");
	else if (answered(d, GF_DESIRED_STEP_REFUSED) || answered(d, GF_DESIRED_STEP_ROLLED_BACK))
		end_without(p, d, ROLLOUT_STEP_STUCK);
	else if (f->taken)
		end(p, d, ROLLOUT_STEP_LEFT, "a later rollout has it");
	else if (late)
		end(p, d, ROLLOUT_STEP_STUCK,
		    f->online ? "did not go back by its deadline"
		              : "offline until its deadline: goes back should it come back after all");
}

/* It took the catalog after all, though the rollout no longer counted on it. */
static void after_all(struct plan *p, struct rollout_device *d)
{
	bool plays = has_it(p->r, d), confirmed = answered(d, GF_DESIRED_STEP_CONFIRMED) || (plays && !d->facts.on_trial);

	if (!told(d) || !(plays || confirmed || answered(d, GF_DESIRED_STEP_ACTIVE)))
		return;
	if (p->r->state == ROLLOUT_ROLLING_BACK) {
		if (plays)
			plan_device_back(p, d);
	} else if (d->step == ROLLOUT_STEP_EXPIRED) {
		if (confirmed && d->installed_ms == 0) {
			installed(p, d);
			d->changed = true;
		}
		if (confirmed)
			say(d, "took it after its deadline");
	} else if (confirmed)
		confirm(p, d, "took it before it heard of the halt");
	else {
		move(p, d, ROLLOUT_STEP_INSTALLED, p->r->spec.deadline_ms);
		installed(p, d);
		say(d, "took it before it heard of the halt; on trial");
	}
}

/* It was not told and left; as long as nothing else speaks against it, it takes part again. */
static void return_to(struct plan *p, struct rollout_device *d)
{
	const struct rollout *r = p->r;
	const struct rollout_facts *f = &d->facts;

	if (told(d) || r->state == ROLLOUT_HALTED || r->state >= ROLLOUT_ROLLING_BACK)
		return;
	if (!f->there || f->taken || !target_of(r, d)->there || f->version > r->spec.version)
		return;
	end(p, d, ROLLOUT_STEP_WAITING, "");
	d->wave = 0;
}

void plan_device(struct plan *p, struct rollout_device *d)
{
	/* Those that come back to waiting get their turn in the same step. */
	if (d->step == ROLLOUT_STEP_LEFT)
		return_to(p, d);
	switch (d->step) {
	case ROLLOUT_STEP_WAITING:
	case ROLLOUT_STEP_ABSENT:
		before(p, d);
		break;
	case ROLLOUT_STEP_MISSED:
		if (p->r->state == ROLLOUT_RUNNING || p->r->state == ROLLOUT_COMPLETED)
			before(p, d);
		break;
	case ROLLOUT_STEP_OFFERED:
	case ROLLOUT_STEP_INSTALLED:
		wait_for_answer(p, d);
		break;
	case ROLLOUT_STEP_REVERTING:
		wait_for_return(p, d);
		break;
	case ROLLOUT_STEP_EXPIRED:
	case ROLLOUT_STEP_WITHDRAWN:
		after_all(p, d);
		break;
	case ROLLOUT_STEP_CONFIRMED:
	case ROLLOUT_STEP_FAILED:
	case ROLLOUT_STEP_LEFT:
	case ROLLOUT_STEP_REVERTED:
	case ROLLOUT_STEP_STUCK:
	case ROLLOUT_STEP_COUNT:
		break;
	}
	if (!rollout_step_ends(d->step) && d->step != ROLLOUT_STEP_WAITING)
		plan_due(p, d->deadline_ms);
}

/* ---- orders ---- */

void plan_device_withdraw(struct plan *p, struct rollout_device *d)
{
	if (d->step == ROLLOUT_STEP_OFFERED) {
		end(p, d, ROLLOUT_STEP_WITHDRAWN, "the offer was taken back before it took it");
		wish(d, PLAN_WITHDRAW);
	} else if (d->step == ROLLOUT_STEP_WAITING || d->step == ROLLOUT_STEP_ABSENT)
		end(p, d, ROLLOUT_STEP_WITHDRAWN, "was not told");
}

void plan_device_again(struct plan *p, struct rollout_device *d)
{
	if (d->step == ROLLOUT_STEP_WITHDRAWN)
		end(p, d, ROLLOUT_STEP_WAITING, "");
}

bool plan_device_took(const struct rollout *r, const struct rollout_device *d)
{
	if (!told(d))
		return false;
	switch (d->step) {
	case ROLLOUT_STEP_INSTALLED:
		return true;
	case ROLLOUT_STEP_CONFIRMED:
		/* Something else since, be it by hand and of the same version: not this rollout's to take back. An agent that doesn't tell is
		 * believed its confirmation. */
		return has_it(r, d) || (tells_nothing(d) && d->facts.version == r->spec.version);
	case ROLLOUT_STEP_WITHDRAWN:
	case ROLLOUT_STEP_EXPIRED:
	case ROLLOUT_STEP_OFFERED:
		return has_it(r, d);
	case ROLLOUT_STEP_WAITING:
	case ROLLOUT_STEP_ABSENT:
	case ROLLOUT_STEP_FAILED:
	case ROLLOUT_STEP_MISSED:
	case ROLLOUT_STEP_LEFT:
	case ROLLOUT_STEP_REVERTING:
	case ROLLOUT_STEP_REVERTED:
	case ROLLOUT_STEP_STUCK:
	case ROLLOUT_STEP_COUNT:
		break;
	}
	return false;
}

bool plan_device_may_go_back(const struct rollout *r, const struct rollout_device *d)
{
	uint64_t floor = target_of(r, d)->rollback_floor;

	return has_previous(d) && floor > 0 && d->previous_version >= floor;
}

/* Told, and nobody knows whether it takes it just now: telling it what it had is right either way. */
static bool may_take_it(const struct rollout_device *d)
{
	return d->step == ROLLOUT_STEP_OFFERED ||
	       ((d->step == ROLLOUT_STEP_EXPIRED || d->step == ROLLOUT_STEP_WITHDRAWN) && told(d) && !d->facts.online);
}

void plan_device_back(struct plan *p, struct rollout_device *d)
{
	const struct rollout_spec *spec = &p->r->spec;
	bool took = plan_device_took(p->r, d), may = !took && may_take_it(d);

	if (d->facts.taken) {
		if (took || may)
			end(p, d, ROLLOUT_STEP_LEFT, "a later rollout has it");
		else
			plan_device_withdraw(p, d);
	} else if ((took || may) && plan_device_may_go_back(p->r, d)) {
		if (took)
			installed(p, d);
		move(p, d, ROLLOUT_STEP_REVERTING, spec->deadline_ms);
		SAY(d, "told to go back to %s@%" PRIu64, d->previous_catalog, d->previous_version);
		wish(d, PLAN_REVERT);
	} else if (took && has_previous(d)) {
		move(p, d, ROLLOUT_STEP_STUCK, 0);
		SAY(d, "%s@%" PRIu64 " allows no way back to %s@%" PRIu64 ": sign the old routines as a newer version",
		    spec->catalog, spec->version, d->previous_catalog, d->previous_version);
	} else if (took)
		end(p, d, ROLLOUT_STEP_STUCK, "what it had before is not known: bring it another catalog");
	else
		plan_device_withdraw(p, d);
}
