/* What people ask for: a new rollout, or an order to one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gateway/rollout/runner_impl.h"

static void hurry(struct runner *r)
{
	r->due_ms = INT64_MIN;
	if (r->config.wake != NULL)
		r->config.wake(r->config.wake_ctx);
}

static int find_targets(struct store_reader *reader, struct rollout_spec *spec, int64_t now_ms, struct gf_diag *diag)
{
	size_t found = 0;

	for (unsigned class = GF_CLASS_UNSPECIFIED + 1; class < GF_CLASS_COUNT; class ++) {
		char at[GF_RFC3339_MAX];
		struct store_catalog c;
		int err = store_read_catalog(reader, spec->catalog, spec->version, (enum gf_class) class, &c, diag);

		spec->targets[class] = (struct rollout_target){.there = false};
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		if (c.expires_ms > 0 && c.expires_ms <= now_ms) {
			gf_diag_set(diag, "%s@%" PRIu64 " for %s expired at %s: no machine would take it, sign a newer version",
			            spec->catalog, spec->version, gf_class_name(c.class), gf_time_format(c.expires_ms, at));
			return -EINVAL;
		}
		spec->targets[class] = (struct rollout_target){true, c.digest, c.size, c.rollback_floor};
		found++;
	}
	if (found > 0)
		return 0;
	gf_diag_set(diag,
	            "there is no catalog %s@%" PRIu64 ": see 'gymfleet catalog list', or 'gymfleet catalog publish FILE'",
	            spec->catalog, spec->version);
	return -ENOENT;
}

static int add(struct runner *r, const struct rollout_spec *spec, const struct look *look,
               const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	int err = store_begin(r->config.store, diag);

	if (err)
		return err;
	err = store_rollout_add(r->config.store, spec, (const char(*)[GF_ID_MAX])look->ids, look->count, actor, now_ms,
	                        ret_id, diag);
	if (err) {
		store_rollback(r->config.store);
		return err;
	}
	return store_commit(r->config.store, diag);
}

static int start(struct runner *r, struct store_reader *reader, const struct rollout_spec *asked,
                 const struct store_actor *actor, struct gf_time now, uint64_t *ret_id, size_t *ret_machines,
                 struct gf_diag *diag)
{
	struct rollout_spec spec = *asked;
	struct look look, *kept;
	uint64_t id = 0;
	int err = plan_check(&spec, diag);

	if (!err)
		err = find_targets(reader, &spec, now.wall_ms, diag);
	if (!err)
		err = runner_select(r, reader, &spec, now, &look, diag);
	if (err)
		return err;
	err = add(r, &spec, &look, actor, now.wall_ms, &id, diag);
	if (err) {
		free(look.ids);
		return err;
	}
	*ret_id = id;
	*ret_machines = look.count;
	pthread_mutex_lock(&r->lock);
	/* Without it the step looks again. */
	(void)runner_keep_look(r, id, look, &kept);
	hurry(r);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int check_clock(struct gf_time now, struct gf_diag *diag)
{
	if (now.synced)
		return 0;
	gf_diag_set(diag, "the gateway's clock is not set: a rollout needs it for windows and deadlines; check NTP");
	return -EINVAL;
}

int runner_start(struct runner *r, const struct rollout_spec *spec, const struct store_actor *actor, struct gf_time now,
                 uint64_t *ret_id, size_t *ret_machines, struct gf_diag *diag)
{
	struct store_reader *reader = NULL;
	int err = check_clock(now, diag);

	if (!err) {
		pthread_mutex_lock(&r->lock);
		err = runner_follow_clock(r, now, diag);
		pthread_mutex_unlock(&r->lock);
	}
	if (!err)
		err = store_reader_open(r->config.database, &reader, diag);
	if (err)
		return err;
	err = start(r, reader, spec, actor, now, ret_id, ret_machines, diag);
	store_reader_close(reader);
	return err;
}

int runner_order(struct runner *r, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                 struct gf_time now, struct gf_diag *diag)
{
	struct look *look;
	int err = check_clock(now, diag);

	if (err)
		return err;
	pthread_mutex_lock(&r->lock);
	look = runner_find_look(r, id);
	err = runner_follow_clock(r, now, diag);
	if (!err && look == NULL)
		err = runner_look_again(r, id, now, &look, diag);
	if (!err)
		err = runner_step_one(r, look, id, actor, order, now.wall_ms, diag);
	if (!err)
		hurry(r);
	pthread_mutex_unlock(&r->lock);
	return err;
}
