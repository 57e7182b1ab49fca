#include "agent/catalog/update_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { STEPS_MAX = 8 }; /* phases that may follow each other at once, and some */

/* ---- time ---- */

/*
 * A clock that was once far ahead, and synchronised to that, would have everything expired for good. One that is synchronised to an earlier
 * time is believed in the end, though not at once.
 */
static void believe_clock(struct update *u)
{
	int64_t *sure_ms = &u->state.not_before_wall_ms;
	if (u->wall_ms == 0 || u->wall_ms + UPDATE_CLOCK_SLACK_MS >= *sure_ms) {
		u->behind_ms = INT64_MAX;
	} else if (u->behind_ms == INT64_MAX) {
		u->behind_ms = u->now_ms;
	} else if (u->now_ms - u->behind_ms >= UPDATE_CLOCK_BACK_MS) {
		u->behind_ms = INT64_MAX;
		*sure_ms = u->wall_ms;
		u->dirty = true;
		u->save_due_ms = u->now_ms;
	}
}

static void account(struct update *u, struct gf_time now)
{
	const int64_t passed = now.mono_ms > u->now_ms ? now.mono_ms - u->now_ms : 0;
	if (now.mono_ms > u->now_ms)
		u->now_ms = now.mono_ms;
	u->wall_ms = now.synced ? now.wall_ms : 0;
	believe_clock(u);
	if (u->state.trial && u->phase != UPDATE_SWITCHING)
		u->state.trial_ms += (uint64_t)passed;
	if (u->phase == UPDATE_FETCHING && u->link_up)
		u->online_ms += passed;
}

/* ---- what arrives ---- */

/* A catalog without a digest is none. */
static struct gf_digest digest_in(const struct gf_desired *desired)
{
	return desired->has_catalog ? desired->catalog.digest : (struct gf_digest){{0}};
}

/*
 * Whoever had the gateway for a moment could name the last revision there is, and no later one would ever count again. So the upper half of
 * them is only reached in small steps, which take years (agent/downlink.h says how many may come). A machine that has
 * forgotten what it saw takes more at once, or one that others have been led there wouldn't be heard on it any more.
 */
static bool plausible(uint64_t revision, uint64_t seen)
{
	const uint64_t half = UINT64_C(1) << 52;
	if (revision <= half || (seen == 0 && revision <= half + half / 2))
		return true;
	return revision <= seen || revision - seen <= UPDATE_REVISION_STEP;
}

bool update_desired(struct update *u, const struct gf_desired *desired, struct gf_time now)
{
	const struct gf_digest digest = digest_in(desired);
	struct shelf_state *s = &u->state;
	account(u, now);
	if (desired->revision < s->revision || !plausible(desired->revision, s->revision) ||
	    (desired->revision == s->revision && !gf_digest_equal(&s->desired.digest, &digest))) {
		u->stats.stale_desired++;
		return false;
	}
	if (desired->revision == s->revision)
		return true;
	s->revision = desired->revision;
	s->desired = (struct shelf_desired){0};
	u->deadline_ms = INT64_MAX;
	u->online_ms = u->progress_ms = 0;
	if (!gf_digest_none(&digest)) {
		const struct gf_desired_catalog *catalog = &desired->catalog;
		s->desired.digest = digest;
		s->desired.version = catalog->version;
		s->desired.size = catalog->size;
		gf_strcpy(s->desired.name, sizeof(s->desired.name), catalog->name);
		u->deadline_ms = u->now_ms + (catalog->within_ms > 0 ? catalog->within_ms : (uint32_t)GF_DESIRED_WITHIN_MS);
	}
	u->dirty = true;
	u->save_due_ms = u->now_ms;
	update_save_soon(u);
	return true;
}

void update_part(struct update *u, const struct gf_digest *digest, int part, const void *data, size_t len,
                 struct gf_time now)
{
	account(u, now);
	if (u->phase != UPDATE_FETCHING || !gf_digest_equal(digest, &u->fetch.digest)) {
		u->stats.stray_parts++;
		return;
	}
	/* What is complete waits for the next step. */
	if (u->fetched != FETCH_MORE)
		return;
	const size_t missing = u->fetch.missing;
	const enum fetch_result result = fetch_part(&u->fetch, part, data, len);
	if (result == FETCH_BAD || result == FETCH_NOT_IT)
		u->stats.bad_parts++;
	if (result != FETCH_BAD)
		u->fetched = result;
	if (u->fetch.missing < missing)
		u->progress_ms = u->online_ms;
}

void update_link(struct update *u, bool up, struct gf_time now)
{
	account(u, now);
	u->link_up = up;
	u->asked = false;
}

void update_session_started(struct update *u)
{
	u->in_session = true;
}

void update_session_ended(struct update *u, enum gf_outcome outcome, struct gf_time now)
{
	account(u, now);
	u->in_session = false;
	if (u->state.trial && u->phase != UPDATE_SWITCHING && outcome == GF_OUTCOME_FAULT_STOPPED) {
		u->state.trial_faults++;
		u->dirty = true;
		u->save_due_ms = u->now_ms;
	}
}

void update_switched(struct update *u, const struct gf_catalog *catalog, struct gf_time now)
{
	account(u, now);
	if (catalog == u->next.catalog && catalog != u->playing.catalog) {
		const struct held other = u->playing;
		u->playing = u->next;
		u->next = other;
	}
	if (catalog == u->handed)
		u->taken = true;
}

/* ---- phases ---- */

static void end_fetch(struct update *u)
{
	if (u->asked)
		u->ops.fetch_end(u->ops.ctx, &u->fetch.digest);
	u->asked = false;
	fetch_deinit(&u->fetch);
}

static void refuse(struct update *u, enum gf_refusal refusal, const char *text)
{
	update_answer(u, GF_DESIRED_STEP_REFUSED, refusal, text);
	u->phase = update_rest(u);
}

static bool too_late(const struct update *u)
{
	return u->now_ms >= u->deadline_ms;
}

static void fetch_begin(struct update *u)
{
	char text[GF_TEXT_MAX];
	const uint32_t size = u->state.desired.size;
	if (size == 0 || size > GF_CATALOG_MAX) {
		snprintf(text, sizeof(text), "announced with %" PRIu32 " bytes, a catalog has 1 to %d", size, GF_CATALOG_MAX);
		refuse(u, GF_REFUSAL_TOO_LARGE, text);
		return;
	}
	if (fetch_init(&u->fetch, &u->state.desired.digest, size) != 0) {
		refuse(u, GF_REFUSAL_STORAGE, "out of memory");
		return;
	}
	u->phase = UPDATE_FETCHING;
	u->fetched = FETCH_MORE;
	u->asked = u->fetched_again = false;
	u->online_ms = u->progress_ms = 0;
	update_answer(u, GF_DESIRED_STEP_FETCHING, GF_REFUSAL_UNSPECIFIED, "");
}

/* NULL: not one of those that were rolled back. */
static const struct shelf_rolled_back *rolled_back(const struct shelf_state *s)
{
	for (size_t i = 0; i < SHELF_ROLLED_BACK_MAX; i++) {
		if (gf_digest_equal(&s->rolled_back[i].digest, &s->desired.digest))
			return &s->rolled_back[i];
	}
	return NULL;
}

/* It was active for this revision, or would have been, and is no longer. */
static bool gone_step(struct update *u)
{
	const struct shelf_state *s = &u->state;
	const struct shelf_rolled_back *back = rolled_back(s);
	const bool begun = s->answered_revision == s->revision;
	if (back != NULL && !begun) {
		refuse(u, GF_REFUSAL_ROLLED_BACK,
		       "it was rolled back on this machine before; build it anew with a higher version");
		return true;
	}
	if (back == NULL && (!begun || s->answered_step != GF_DESIRED_STEP_ACTIVE))
		return false;
	enum gf_refusal why = u->gone;
	if (why == GF_REFUSAL_UNSPECIFIED)
		why = back != NULL ? back->refusal : GF_REFUSAL_STORAGE;
	update_answer(u, GF_DESIRED_STEP_ROLLED_BACK, why,
	              u->gone_text.text[0] != '\0' ? u->gone_text.text : "it was given up before the agent started last");
	return true;
}

/* What is desired, when nothing is under way. */
static void consider(struct update *u)
{
	struct shelf_state *s = &u->state;
	struct gf_diag diag = {{0}};
	if (s->revision == 0 || update_answered(u))
		return;
	if (gf_digest_none(&s->desired.digest)) {
		update_answer(u, GF_DESIRED_STEP_APPLIED, GF_REFUSAL_UNSPECIFIED, "");
		return;
	}
	if (gf_digest_equal(&s->desired.digest, update_home_digest(u))) {
		update_answer(u, s->trial ? GF_DESIRED_STEP_ACTIVE : GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED, "");
		return;
	}
	if (gone_step(u))
		return;
	if (u->config.judge.keys.threshold == 0) {
		refuse(u, GF_REFUSAL_NO_KEYS, "this machine has no catalog_keys in its agent.yaml to verify it with");
		return;
	}
	const enum shelf_slot slot = update_find(u, &s->desired.digest);
	int r = -ENOENT;
	if (!u->recalling && slot != SHELF_NONE && (!s->trial || slot == s->previous)) {
		r = update_take_slot(u, slot, &diag);
		if (r == 0)
			u->phase = UPDATE_WAITING;
		else if (r > 0)
			refuse(u, (enum gf_refusal)r, diag.text);
	}
	if (r != -ENOENT)
		return;
	if (slot != SHELF_NONE && slot != s->previous && !u->recalling && !s->trial)
		s->digests[slot] = (struct gf_digest){{0}}; /* it isn't what it was */
	if (!s->trial && !u->recalling)
		fetch_begin(u);
	else if (too_late(u))
		refuse(u, GF_REFUSAL_IN_USE, "another catalog was still on trial when its time was over");
}

static void take_fetched(struct update *u)
{
	struct gf_diag diag = {{0}};
	const int r = update_take(u, SHELF_NONE, u->fetch.data, u->fetch.size, &diag);
	end_fetch(u);
	if (r == 0)
		u->phase = UPDATE_WAITING;
	else
		refuse(u, (enum gf_refusal)r, diag.text);
}

/* What a broker retains may be old: once it is asked for anew. */
static void fetch_was_not_it(struct update *u)
{
	if (u->fetched_again) {
		end_fetch(u);
		refuse(u, GF_REFUSAL_DIGEST, "what came is not what was announced: its SHA-256 is another one, twice");
		return;
	}
	const struct gf_digest digest = u->fetch.digest;
	if (u->asked)
		u->ops.fetch_end(u->ops.ctx, &digest);
	u->asked = false;
	u->fetched_again = true;
	u->fetched = FETCH_MORE;
	fetch_again(&u->fetch);
}

static void fetching(struct update *u)
{
	const struct shelf_desired *desired = &u->state.desired;
	char text[GF_TEXT_MAX];
	if (!gf_digest_equal(&u->fetch.digest, &desired->digest) || u->fetch.size != desired->size) {
		end_fetch(u);
		u->phase = update_rest(u);
		return;
	}
	update_answer(u, GF_DESIRED_STEP_FETCHING, GF_REFUSAL_UNSPECIFIED, "");
	if (u->fetched == FETCH_DONE) {
		take_fetched(u);
		return;
	}
	if (u->fetched == FETCH_NOT_IT)
		fetch_was_not_it(u);
	if (u->phase != UPDATE_FETCHING)
		return;
	if (u->online_ms >= UPDATE_FETCH_MS || (too_late(u) && u->online_ms >= UPDATE_ONLINE_MS)) {
		snprintf(text, sizeof(text), "%zu of %zu parts came in %" PRId64 " s of connection",
		         u->fetch.parts - u->fetch.missing, u->fetch.parts, u->online_ms / 1000);
		end_fetch(u);
		refuse(u, GF_REFUSAL_NOT_DELIVERED, text);
		return;
	}
	/* What a link had no room for never comes again by itself. */
	if (u->link_up && (!u->asked || u->online_ms - u->progress_ms >= UPDATE_AGAIN_MS)) {
		u->asked = u->ops.fetch(u->ops.ctx, &u->fetch.digest) == 0;
		u->progress_ms = u->online_ms;
	}
}

static void waiting(struct update *u)
{
	struct gf_diag diag = {{0}};
	if (!gf_digest_equal(&u->state.digests[u->next.slot], &u->state.desired.digest)) {
		update_release(u, &u->next);
		u->phase = update_rest(u);
		return;
	}
	int r = 0;
	if (!u->in_session) {
		r = update_switch(u, &diag);
		if (r == 0)
			return;
	} else if (too_late(u)) {
		r = GF_REFUSAL_IN_USE;
		gf_diag_set(&diag, "the machine was in use all the time there was");
	}
	if (r != 0) {
		update_release(u, &u->next);
		refuse(u, (enum gf_refusal)r, diag.text);
		return;
	}
	update_answer(u, GF_DESIRED_STEP_WAITING, GF_REFUSAL_UNSPECIFIED, "");
}

static void phase_step(struct update *u)
{
	update_trial_step(u);
	update_switch_step(u);
	switch (u->phase) {
	case UPDATE_IDLE:
	case UPDATE_TRIAL:
		consider(u);
		break;
	case UPDATE_FETCHING:
		fetching(u);
		break;
	case UPDATE_WAITING:
		waiting(u);
		break;
	case UPDATE_SWITCHING:
		break;
	}
}

/* ---- when next ---- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t fetch_due(const struct update *u)
{
	if (!u->link_up)
		return INT64_MAX;
	if (!u->asked)
		return u->now_ms + UPDATE_ASK_MS;
	return sooner(u->now_ms + sooner(UPDATE_FETCH_MS - u->online_ms, UPDATE_AGAIN_MS - (u->online_ms - u->progress_ms)),
	              later(u->deadline_ms, u->now_ms + UPDATE_ONLINE_MS - u->online_ms));
}

static int64_t phase_due(const struct update *u)
{
	if (u->recalling || (u->phase == UPDATE_SWITCHING && (u->handed == NULL || u->in_session)))
		return u->now_ms + UPDATE_ASK_MS;
	switch (u->phase) {
	case UPDATE_FETCHING:
		return fetch_due(u);
	case UPDATE_SWITCHING:
		return u->switch_due_ms;
	default:
		return update_answered(u) ? INT64_MAX : u->deadline_ms;
	}
}

static int64_t next_due(const struct update *u)
{
	const struct shelf_state *s = &u->state;
	int64_t due = phase_due(u);
	if (u->dirty)
		due = sooner(due, u->save_due_ms);
	if (!gf_digest_none(&s->desired.digest) && !update_answered(u))
		due = sooner(due, u->keep_due_ms);
	if (s->trial) {
		const uint64_t limit = update_trial_limit(u);
		const int64_t left = s->trial_ms < limit ? (int64_t)(limit - s->trial_ms) : UPDATE_ASK_MS;
		due = sooner(due, sooner(u->now_ms + left, u->trial_save_due_ms));
	}
	return due == INT64_MAX ? due : later(due, u->now_ms + 1);
}

int64_t update_step(struct update *u, struct gf_time now)
{
	account(u, now);
	for (int i = 0; i < STEPS_MAX; i++) {
		const enum update_phase before = u->phase;
		phase_step(u);
		if (u->phase != UPDATE_SWITCHING)
			update_tell(u);
		if (u->phase == before)
			break;
	}
	update_save_soon(u);
	return next_due(u);
}

void update_stop(struct update *u)
{
	if (u->counted && u->state.trial_starts > 0)
		u->state.trial_starts--;
	if ((u->counted || u->dirty) && update_save(u, NULL) != 0)
		u->dirty = true; /* then it counts as a crash */
	u->counted = false;
}

/* ---- questions ---- */

const char *update_notice(const struct update *u)
{
	return u->notice.text;
}

enum update_phase update_phase(const struct update *u)
{
	return u->phase;
}

const struct gf_catalog *update_active(const struct update *u)
{
	return u->playing.catalog;
}

struct gf_digest update_active_digest(const struct update *u)
{
	return u->state.digests[u->playing.slot];
}

bool update_on_trial(const struct update *u)
{
	return u->state.trial;
}

uint64_t update_revision(const struct update *u)
{
	return u->state.revision;
}

struct update_stats update_stats(const struct update *u)
{
	return u->stats;
}
