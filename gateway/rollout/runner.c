/*
 * One rollout's step is one batch: load it with its facts, ask the plan, save what it says, commit. Whatever fails before the commit leaves nothing behind
 * and is done again at the next step with the facts of then.
 *
 * Nothing moves while the gateway hears nobody, nor for a while after it was deaf: what machines said meanwhile waits in their spools. A soak that nobody
 * heard would pass unseen, and who answered long ago would be late.
 */
#include "gateway/rollout/runner_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"

enum {
	HEARTBEAT_MS = 60000, /* a gateway may have heard so long more than what it heard last */
	JUMP_MS = 5000,       /* more than a clock that is pulled gently moves between two steps */
	TURNS_MAX = 4,        /* looks, and steps of rollouts that are over, in one step of all: years leave hundreds */
};

/* When anybody was heard last: the gateway before this one could, then. */
static int take_heard(void *ctx, const struct store_device *device)
{
	int64_t *heard_ms = ctx;

	if (device->last_seen_ms > *heard_ms)
		*heard_ms = device->last_seen_ms;
	return 0;
}

int runner_new(const struct runner_config *config, struct runner **ret_runner, struct gf_diag *diag)
{
	struct runner *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	r->config = *config;
	err = store_reader_open(config->database, &r->reader, diag);
	if (!err)
		err = store_read_devices(r->reader, &(struct store_device_query){.now_ms = 0}, take_heard, &r->heard_ms, diag);
	if (err) {
		store_reader_close(r->reader);
		free(r);
		return err;
	}
	if (r->heard_ms > 0)
		r->heard_ms += HEARTBEAT_MS;
	pthread_mutex_init(&r->lock, NULL);
	*ret_runner = r;
	return 0;
}

void runner_free(struct runner *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->looks_count; i++)
		free(r->looks[i].ids);
	free(r->looks);
	store_reader_close(r->reader);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* ---- a step ---- */

/* `matched`, by the look's order: who is in the rollout already. May be NULL. */
static void fill_facts(const struct runner *r, const struct look *look, struct rollout *rollout, int64_t now_ms,
                       bool *matched)
{
	for (size_t i = 0; i < rollout->devices_count; i++) {
		struct rollout_facts *f = &rollout->devices[i].facts;
		char(*found)[GF_ID_MAX] =
		    look->count ? bsearch(rollout->devices[i].id, look->ids, look->count, sizeof(*look->ids), compare_ids)
		                : NULL;

		f->there = found != NULL || look->everybody;
		if (found != NULL && matched != NULL)
			matched[found - look->ids] = true;
		f->utc_offset_s = r->config.zones ? zones_offset_s(r->config.zones, f->site, now_ms) : 0;
	}
}

/* Who is selected and not in it joins; *ret_joined: load it again. */
static int join(const struct runner *r, const struct look *look, const bool *matched, uint64_t id, int64_t now_ms,
                bool *ret_joined, struct gf_diag *diag)
{
	char(*ids)[GF_ID_MAX] = calloc(look->count ? look->count : 1, sizeof(*ids));
	size_t count = 0;
	int err = 0;

	if (ids == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < look->count; i++)
		if (!matched[i])
			gf_strcpy(ids[count++], GF_ID_MAX, look->ids[i]);
	if (count > 0)
		err = store_rollout_join(r->config.store, id, (const char(*)[GF_ID_MAX])ids, count, now_ms, diag);
	free(ids);
	if (!err)
		*ret_joined = count > 0;
	return err;
}

static bool takes_joiners(const struct rollout *rollout)
{
	return rollout->state == ROLLOUT_RUNNING || rollout->state == ROLLOUT_PAUSED || rollout->state == ROLLOUT_COMPLETED;
}

/* Inside the batch: the rollout as it is now, with all that is known. */
static int load(const struct runner *r, const struct look *look, uint64_t id, int64_t now_ms,
                struct rollout *ret_rollout, struct gf_diag *diag)
{
	bool *matched = calloc(look->count ? look->count : 1, sizeof(*matched)), joined = false;
	struct rollout rollout;
	int err = matched ? store_rollout_load(r->config.store, id, &rollout, diag) : -ENOMEM;

	if (err) {
		free(matched);
		return err;
	}
	fill_facts(r, look, &rollout, now_ms, matched);
	if (look->fresh && takes_joiners(&rollout))
		err = join(r, look, matched, id, now_ms, &joined, diag);
	free(matched);
	if (!err && joined) {
		rollout_deinit(&rollout);
		err = store_rollout_load(r->config.store, id, &rollout, diag);
		if (err)
			return err;
		fill_facts(r, look, &rollout, now_ms, NULL);
	}
	if (err)
		rollout_deinit(&rollout);
	else
		*ret_rollout = rollout;
	return err;
}

struct changes {
	struct plan_changes plan;
	bool any, wishes;
};

static int changes_init(struct changes *c, const struct rollout *rollout)
{
	size_t room = rollout->devices_count ? rollout->devices_count : 1;

	*c = (struct changes){.any = false};
	c->plan.devices = calloc(room, sizeof(*c->plan.devices));
	c->plan.wishes = calloc(room, sizeof(*c->plan.wishes));
	return c->plan.devices && c->plan.wishes ? 0 : -ENOMEM;
}

static void changes_deinit(struct changes *c)
{
	free(c->plan.devices);
	free(c->plan.wishes);
}

static int save(const struct runner *r, struct rollout *rollout, struct changes *c, int64_t now_ms,
                struct gf_diag *diag)
{
	if (!c->plan.rollout && c->plan.devices_count == 0)
		return 0;
	c->any = true;
	c->wishes = c->wishes || c->plan.wishes_count > 0;
	return store_rollout_save(r->config.store, rollout, &c->plan, now_ms, diag);
}

static bool is_busy(const struct rollout *rollout)
{
	if (!rollout_state_ends(rollout->state))
		return true;
	for (size_t i = 0; i < rollout->devices_count; i++)
		if (!rollout_step_ends(rollout->devices[i].step))
			return true;
	return false;
}

/* An order, if there is one, and a step. */
static int move(struct runner *r, struct look *look, struct rollout *rollout, const struct store_actor *actor,
                enum rollout_order order, int64_t now_ms, struct changes *c, struct gf_diag *diag)
{
	char action[GF_NAME_MAX], subject[GF_NAME_MAX * 2], detail[GF_NAME_MAX];
	bool again = actor != NULL && (order == ROLLOUT_ORDER_RESUME || order == ROLLOUT_ORDER_ROLLBACK);
	int err = again ? store_rollout_alone(r->config.store, rollout->id, diag) : 0;

	if (err == STORE_E_NOT_ALLOWED)
		err = -EINVAL;
	if (!err && actor != NULL) {
		err = plan_order(rollout, order, actor->who, now_ms, &c->plan, diag);
		if (!err)
			err = save(r, rollout, c, now_ms, diag);
		snprintf(action, sizeof(action), "rollout %s", rollout_order_name(order));
		snprintf(subject, sizeof(subject), "%s@%" PRIu64, rollout->spec.catalog, rollout->spec.version);
		snprintf(detail, sizeof(detail), "rollout %" PRIu64, rollout->id);
		if (!err)
			err = store_deed_add(r->config.store, actor, action, subject, detail, now_ms, diag);
		c->any = true;
	}
	if (err)
		return err;
	if (r->held) {
		look->busy = true;
		return 0;
	}
	plan_step(rollout, now_ms, &c->plan);
	err = save(r, rollout, c, now_ms, diag);
	look->busy = is_busy(rollout);
	return err;
}

static int in_batch(struct runner *r, struct look *look, uint64_t id, const struct store_actor *actor,
                    enum rollout_order order, int64_t now_ms, struct changes *ret_changes, struct gf_diag *diag)
{
	struct rollout rollout;
	struct changes c;
	int err = load(r, look, id, now_ms, &rollout, diag);

	if (err)
		return err;
	err = changes_init(&c, &rollout);
	if (!err)
		err = move(r, look, &rollout, actor, order, now_ms, &c, diag);
	changes_deinit(&c);
	c.any = c.any || look->fresh;
	rollout_deinit(&rollout);
	if (!err)
		*ret_changes = c;
	return err;
}

int runner_step_one(struct runner *r, struct look *look, uint64_t id, const struct store_actor *actor,
                    enum rollout_order order, int64_t now_ms, struct gf_diag *diag)
{
	struct changes c = {.any = false};
	int err = store_begin(r->config.store, diag);

	if (err)
		return err;
	err = in_batch(r, look, id, actor, order, now_ms, &c, diag);
	if (err || !c.any) {
		store_rollback(r->config.store);
		return err;
	}
	err = store_commit(r->config.store, diag);
	if (err)
		return err;
	look->fresh = false;
	if (c.wishes && r->config.wake != NULL)
		r->config.wake(r->config.wake_ctx);
	return 0;
}

static int open_ids(struct runner *r, uint64_t **ret_ids, size_t *ret_count, struct gf_diag *diag)
{
	int err = store_begin(r->config.store, diag);

	if (err)
		return err;
	err = store_rollouts_open(r->config.store, ret_ids, ret_count, diag);
	store_rollback(r->config.store);
	return err;
}

/* What one step of all has left to give. */
struct round {
	unsigned turns;
	int64_t rest_ms; /* of those that have time, so long that each gets its turn */
	bool busy;       /* it is to be called again within a second */
};

static int step_if_due(struct runner *r, uint64_t id, struct gf_time now, struct round *round, struct gf_diag *diag)
{
	struct look *look = runner_find_look(r, id);
	bool busy = look != NULL && look->busy, stale = look == NULL || now.mono_ms >= look->again_ms;
	int err = 0;

	/* A completed one that only serves who comes back has time. */
	if (look != NULL && !busy && now.mono_ms < look->stepped_ms + round->rest_ms)
		return 0;
	round->busy = round->busy || busy || round->turns == 0;
	if (round->turns == 0 && !busy)
		return 0;
	if (round->turns > 0 && (stale || !busy))
		round->turns--;
	else
		stale = false;
	if (stale)
		err = runner_look_again(r, id, now, &look, diag);
	if (err)
		return err;
	err = runner_step_one(r, look, id, NULL, ROLLOUT_ORDER_COUNT, now.wall_ms, diag);
	look->stepped_ms = now.mono_ms;
	round->busy = round->busy || look->busy;
	return err;
}

static int step_all(struct runner *r, struct gf_time now, bool *ret_busy, struct gf_diag *diag)
{
	uint64_t *ids = NULL;
	struct round round = {.turns = TURNS_MAX};
	size_t count = 0;
	int err = open_ids(r, &ids, &count, diag), first = 0;

	if (err)
		return err;
	runner_drop_looks(r, ids, count);
	round.rest_ms = RUNNER_SELECT_MS + INT64_C(2) * RUNNER_STEP_MS * (int64_t)count / TURNS_MAX;
	/* One that fails holds up no other. */
	for (size_t i = 0; i < count; i++) {
		struct gf_diag why = {""};

		err = step_if_due(r, ids[i], now, &round, &why);
		if (err && !first) {
			first = err;
			gf_diag_set(diag, "rollout %" PRIu64 ": %s", ids[i], why.text);
		}
	}
	*ret_busy = round.busy;
	free(ids);
	return first;
}

bool runner_hears(struct runner *r, int64_t since_ms, struct gf_time now)
{
	bool held;

	pthread_mutex_lock(&r->lock);
	if (since_ms > 0) {
		if (since_ms != r->hearing_since_ms && r->heard_ms > 0 && since_ms - r->heard_ms > RUNNER_DEAF_MS) {
			r->held_until_ms = now.mono_ms + RUNNER_CATCH_UP_MS;
			gf_log(GF_LOG_NOTICE, "rollout",
			       "nobody was heard for %" PRId64 " s: rollouts go on in %d s, when that is told",
			       (since_ms - r->heard_ms) / 1000, RUNNER_CATCH_UP_MS / 1000);
		}
		r->hearing_since_ms = since_ms;
		r->heard_ms = now.wall_ms;
	}
	held = r->held = since_ms == 0 || now.mono_ms < r->held_until_ms;
	pthread_mutex_unlock(&r->lock);
	return held;
}

/* A clock that was set makes no soak shorter and no deadline come; what was told the machines is a span. */
int runner_follow_clock(struct runner *r, struct gf_time now, struct gf_diag *diag)
{
	int64_t offset_ms = now.wall_ms - now.mono_ms, by_ms = offset_ms - r->offset_ms;
	int err = 0;

	if (!now.synced)
		return 0;
	if (r->offset_ms != 0 && llabs(by_ms) > JUMP_MS) {
		err = store_rollouts_shift(r->config.store, by_ms, diag);
		if (err)
			return err;
		gf_log(GF_LOG_WARNING, "rollout",
		       "the clock was set by %" PRId64 " s: rollouts under way have as long to go as before", by_ms / 1000);
		r->heard_ms += r->heard_ms > 0 ? by_ms : 0;
	}
	r->offset_ms = offset_ms;
	return 0;
}

int64_t runner_step(struct runner *r, struct gf_time now)
{
	struct gf_diag diag = {""};
	int64_t due_ms;
	bool busy = false, held;
	int err;

	pthread_mutex_lock(&r->lock);
	if (now.mono_ms < r->due_ms) {
		due_ms = r->due_ms;
		pthread_mutex_unlock(&r->lock);
		return due_ms;
	}
	/* What a clock that isn't set yet would call a deadline is none. */
	held = !now.synced || r->held;
	err = runner_follow_clock(r, now, &diag);
	if (!err && !held)
		err = step_all(r, now, &busy, &diag);
	busy = busy || held;
	if (err && !r->failing)
		gf_log(GF_LOG_ERROR, "rollout", "no step, tried again: %s",
		       diag.text[0] ? diag.text : strerror(err < 0 ? -err : EIO));
	r->failing = err != 0;
	r->due_ms = now.mono_ms + (busy || err ? RUNNER_STEP_MS : RUNNER_SELECT_MS);
	due_ms = r->due_ms;
	pthread_mutex_unlock(&r->lock);
	return due_ms;
}
