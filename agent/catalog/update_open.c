/*
 * The agent's start: which catalog is active, and is it there? What was on trial too often without a graceful end is not even read.
 *
 *     the state names an active one ── a newer file was installed by hand? ── on trial: count, or go back ── load ──┬─> play it
 *              │                                                                                   unreadable: the one before, the file
 *              └── it names none: the first start, or the state was lost: the best of what lies there
 */
#include "agent/catalog/update_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was installed by hand ---- */

/* The file's digest without reading it as a catalog. */
static int file_digest(struct update *u, struct gf_digest *ret_digest)
{
	unsigned char *data = NULL;
	size_t len = 0;
	if (u->config.catalog != NULL) {
		*ret_digest = *u->config.catalog_digest;
		return 0;
	}
	const int r = update_read_file(u, &data, &len, ret_digest, NULL);
	if (r == 0)
		free(data);
	return r;
}

static void take_by_hand(struct update *u, struct held *file)
{
	struct shelf_state *s = &u->state;
	const enum shelf_slot proven = s->trial ? s->previous : s->active;
	update_state_back(u, SHELF_FILE, GF_CATALOG_CAUSE_BY_HAND);
	s->previous = proven == SHELF_FILE ? SHELF_NONE : proven;
	update_raise_highest(u, file->catalog, update_home_digest(u));
	update_take_keys(u, file->catalog);
	u->gone = GF_REFUSAL_OLDER_VERSION;
	gf_diag_set(&u->gone_text, "a newer one was installed by hand");
	u->playing = *file;
	*file = (struct held){0};
}

/* Takes it when it is newer than whatever was here. *ret_gone: it was the active one, and is another one now. */
static void look_at_file(struct update *u, bool *ret_gone)
{
	struct shelf_state *s = &u->state;
	struct gf_digest digest;
	struct held file = {0};
	const int r = file_digest(u, &digest);
	u->starved |= r == -ENOMEM;
	if (r != 0)
		return;
	if (gf_digest_equal(&digest, &s->digests[SHELF_FILE]) && s->versions[SHELF_FILE] <= s->highest_version)
		return;
	*ret_gone = s->active == SHELF_FILE && !gf_digest_equal(&digest, &s->digests[SHELF_FILE]);
	if (update_load_file(u, &file, &u->notice) != 0)
		return;
	if (file.catalog->version > s->highest_version)
		take_by_hand(u, &file);
	else
		gf_diag_set(&u->notice,
		            "%.400s: version %" PRIu64 " is not above %" PRIu64
		            ", the highest that was here, and is not taken in its place; give it a higher version",
		            u->config.catalog_file != NULL ? u->config.catalog_file : "the catalog", file.catalog->version,
		            s->highest_version);
	update_release(u, &file);
}

/* ---- a trial ---- */

/* To what was before. False when that isn't there any more. */
static bool back(struct update *u, enum gf_refusal why, const char *text)
{
	const struct gf_digest *home = update_home_digest(u);
	if (update_load(u, u->state.previous, &u->playing, NULL) != 0 &&
	    (u->state.active == SHELF_FILE || update_load_file(u, &u->playing, NULL) != 0))
		return false;
	if (gf_digest_equal(&u->state.digests[u->playing.slot], home)) {
		update_release(u, &u->playing);
		return false;
	}
	if (why == GF_REFUSAL_CRASHED)
		update_never_again(u, why);
	u->gone = why;
	gf_diag_set(&u->gone_text, "%s", text);
	update_state_back(u, u->playing.slot, GF_CATALOG_CAUSE_ROLLED_BACK);
	return true;
}

/* Counts this start, or ends the trial without another look at what was on it. */
static void trial_start(struct update *u)
{
	struct shelf_state *s = &u->state;
	char text[GF_TEXT_MAX];
	if (!s->trial)
		return;
	if (s->trial_starts >= UPDATE_TRIAL_CRASHES) {
		snprintf(text, sizeof(text), "the agent ended %u times without a goodbye while it was on trial",
		         s->trial_starts);
		if (back(u, GF_REFUSAL_CRASHED, text))
			return;
	}
	if (s->trial_starts < UINT32_MAX)
		s->trial_starts++;
	u->counted = update_save(u, NULL) == 0;
	/* A trial whose crashes can't be counted might never end. */
	if (!u->counted && back(u, GF_REFUSAL_STORAGE, "the disk did not take the count of the trial's starts"))
		return;
}

/* ---- the state names an active one ---- */

static int fall_back(struct update *u, struct gf_diag *diag)
{
	u->gone = GF_REFUSAL_STORAGE;
	gf_diag_set(&u->gone_text, "its bytes could not be read any more");
	if (update_load(u, u->state.previous, &u->playing, NULL) != 0) {
		const int r = update_load_file(u, &u->playing, diag);
		if (r != 0)
			return r;
	}
	update_state_back(u, u->playing.slot, GF_CATALOG_CAUSE_RECOVERED);
	return 0;
}

/* Who pins keys thinks that only what they signed is played. To end what plays already would stop the machine, so it is said. */
static void doubt_file(struct update *u)
{
	const struct catalog_judge *judge = &u->config.judge;
	struct gf_diag found = {{0}};
	struct gf_catalog catalog;
	struct gf_digest digest;
	unsigned char *data = NULL;
	size_t len = 0;
	if (u->state.active != SHELF_FILE || judge->keys.threshold == 0 || u->config.catalog != NULL ||
	    update_read_file(u, &data, &len, &digest, NULL) != 0)
		return;
	if (catalog_judge_file(judge, update_keys(u), data, len, &catalog, &found) == 0 ||
	    catalog_judge_file(judge, &judge->keys, data, len, &catalog, NULL) == 0)
		gf_catalog_deinit(&catalog);
	else
		gf_diag_set(&u->notice, "%.300s: plays on as before, but not by the catalog_keys in agent.yaml: %s; sign it",
		            u->config.catalog_file, found.text);
	free(data);
}

static int resume(struct update *u, struct gf_diag *diag)
{
	bool gone = false;
	look_at_file(u, &gone);
	if (u->playing.catalog != NULL)
		return 0;
	if (!gone) {
		trial_start(u);
		if (u->playing.catalog != NULL || update_load(u, u->state.active, &u->playing, &u->notice) == 0) {
			doubt_file(u);
			return 0;
		}
	}
	return fall_back(u, diag);
}

/* ---- it names none ---- */

/* Keys that it names count again: what came after it may be signed by them. The newest that names any has the last word. */
static void recover_keys(struct update *u, const struct gf_catalog *catalog, uint64_t *keys_version)
{
	if (catalog->next_keys.threshold == 0 || catalog->version <= *keys_version)
		return;
	*keys_version = catalog->version;
	update_take_keys(u, catalog);
}

/* Judges what lies in a slot, as if it came now. */
static bool survey(struct update *u, enum shelf_slot slot, uint64_t *keys_version)
{
	const struct catalog_facts facts = {.keys = update_keys(u)};
	struct shelf_state *s = &u->state;
	struct gf_catalog catalog;
	struct gf_digest digest;
	unsigned char *data = NULL;
	size_t len = 0;
	int saved = 0;
	int r = shelf_read(u->shelf, slot, &data, &len, NULL);
	u->starved |= r == -ENOMEM;
	if (r != 0)
		return false;
	gf_digest_of(data, len, &digest);
	r = -EIO;
	if (update_mark(u, &s->judging, &digest, &saved, NULL)) {
		if (saved == 0)
			r = catalog_judge(&u->config.judge, &facts, &digest, data, len, &catalog, NULL);
		update_unmark(u, &s->judging);
	}
	u->starved |= r == -ENOMEM;
	free(data);
	if (r != 0)
		return false;
	s->digests[slot] = digest;
	s->versions[slot] = catalog.version;
	update_raise_highest(u, &catalog, &digest);
	recover_keys(u, &catalog, keys_version);
	gf_catalog_deinit(&catalog);
	return true;
}

/* Which of the places hold a good one; one slot may name the keys that the other is signed by. */
static void survey_all(struct update *u, const struct held *file, bool there[static SHELF_SLOTS])
{
	uint64_t keys_version = 0;
	there[SHELF_FILE] = file->catalog != NULL;
	if (there[SHELF_FILE]) {
		update_raise_highest(u, file->catalog, &u->state.digests[SHELF_FILE]);
		recover_keys(u, file->catalog, &keys_version);
	}
	there[SHELF_A] = survey(u, SHELF_A, &keys_version);
	there[SHELF_B] = survey(u, SHELF_B, &keys_version);
	if (!there[SHELF_A] && there[SHELF_B])
		there[SHELF_A] = survey(u, SHELF_A, &keys_version);
}

static bool better(const struct update *u, enum shelf_slot slot, enum shelf_slot than)
{
	return than == SHELF_NONE || u->state.versions[slot] > u->state.versions[than];
}

/* The best of what is there, on trial when there is something to go back to: nobody knows whether it had proved itself. */
static int recover(struct update *u, struct gf_diag *diag)
{
	struct shelf_state *s = &u->state;
	enum shelf_slot best = SHELF_NONE, second = SHELF_NONE;
	struct held file = {0};
	s->keys = (struct gf_keyset){0}; /* of a start that came no further */
	const int r = update_load_file(u, &file, diag);
	bool there[SHELF_SLOTS] = {false};
	survey_all(u, &file, there);
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		if (!there[slot])
			continue;
		if (better(u, (enum shelf_slot)slot, best)) {
			second = best;
			best = (enum shelf_slot)slot;
		} else if (better(u, (enum shelf_slot)slot, second)) {
			second = (enum shelf_slot)slot;
		}
	}
	if (best == SHELF_NONE)
		return r;
	update_state_back(u, best,
	                  there[SHELF_A] || there[SHELF_B] ? GF_CATALOG_CAUSE_RECOVERED : GF_CATALOG_CAUSE_BY_HAND);
	if (best == SHELF_FILE) {
		u->playing = file;
		return 0;
	}
	update_release(u, &file);
	s->previous = second;
	s->trial = second != SHELF_NONE;
	trial_start(u);
	return u->playing.catalog != NULL ? 0 : update_load(u, best, &u->playing, diag);
}

/* ---- opening ---- */

static int open_shelf(struct update *u, struct gf_diag *diag)
{
	char dir[PATH_MAX];
	if (snprintf(dir, sizeof(dir), "%s/catalog", u->config.state_dir) >= (int)sizeof(dir)) {
		gf_diag_set(diag, "%s: the path is too long", u->config.state_dir);
		return -ENAMETOOLONG;
	}
	const int r = shelf_open(dir, u->config.sync, &u->shelf, &u->state, &u->notice);
	if (r == -EINVAL)
		return shelf_open(dir, u->config.sync, &u->shelf, &u->state, diag);
	if (r != 0)
		gf_diag_set(diag, "%s", u->notice.text);
	return r;
}

/* What was desired when the agent ended goes on; a start costs some of the time for it, so that even the end of restarts comes. */
static void resume_desired(struct update *u)
{
	const uint32_t left = u->state.desired.left_ms;
	if (gf_digest_none(&u->state.desired.digest))
		return;
	u->deadline_ms = u->now_ms + (left > UPDATE_KEEP_MS ? left - UPDATE_KEEP_MS : 0);
	if (!update_answered(u))
		u->dirty = true;
}

static int open_active(struct update *u, struct gf_diag *diag)
{
	struct gf_diag found = {{0}};
	int r = open_shelf(u, diag);
	if (r != 0)
		return r;
	u->saved_wall_ms = u->state.not_before_wall_ms;
	resume_desired(u);
	r = u->state.active != SHELF_NONE ? resume(u, &found) : recover(u, &found);
	/* Nothing of what was found instead is kept: the next start finds it all. */
	if (u->starved) {
		gf_diag_set(diag, "out of memory while reading the catalogs");
		return -ENOMEM;
	}
	if (r != 0) {
		gf_diag_set(diag, "%.500s; build one with 'gymfleet catalog build --class %s'", found.text,
		            gf_class_name(u->config.judge.class));
		return r;
	}
	u->phase = update_rest(u);
	if (u->dirty && update_save(u, NULL) != 0)
		return 0; /* tried again later: a full disk keeps no machine from playing */
	return 0;
}

int update_open(const struct update_config *config, const struct update_ops *ops, struct gf_time now,
                struct update **ret_update, const struct gf_catalog **ret_active, struct gf_diag *diag)
{
	struct update *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->config = *config;
	u->ops = *ops;
	u->now_ms = now.mono_ms;
	u->wall_ms = now.synced ? now.wall_ms : 0;
	u->deadline_ms = u->behind_ms = INT64_MAX;
	if (config->catalog_file != NULL)
		u->config.catalog_file = strdup(config->catalog_file);
	const int r = config->catalog_file == NULL || u->config.catalog_file != NULL ? open_active(u, diag) : -ENOMEM;
	if (r != 0) {
		update_free(u);
		return r;
	}
	*ret_update = u;
	*ret_active = u->playing.catalog;
	return 0;
}

void update_free(struct update *u)
{
	if (u == NULL)
		return;
	update_release(u, &u->playing);
	update_release(u, &u->next);
	fetch_deinit(&u->fetch);
	shelf_close(u->shelf);
	free((char *)u->config.catalog_file);
	free(u);
}
