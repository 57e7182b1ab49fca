#include "tests/unit/gateway/api/starter.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/api/select.h"

enum { DEVICES_MAX = 64 };

struct chosen {
	const struct rollout_spec *spec;
	void *selector;
	int64_t now_ms;
	char ids[DEVICES_MAX][GF_ID_MAX];
	size_t count;
};

static int choose(void *ctx, const struct store_device *device)
{
	struct chosen *c = ctx;

	if (c->count < DEVICES_MAX && c->spec->targets[device->class].there &&
	    select_ops.match(c->selector, device, c->now_ms))
		gf_strcpy(c->ids[c->count++], GF_ID_MAX, device->id);
	return 0;
}

static int fill_targets(struct store_reader *reader, struct rollout_spec *spec, struct gf_diag *diag)
{
	bool any = false;

	for (int k = 1; k < GF_CLASS_COUNT; k++) {
		struct store_catalog c;
		if (store_read_catalog(reader, spec->catalog, spec->version, (enum gf_class)k, &c, diag) != 0)
			continue;
		spec->targets[k] = (struct rollout_target){
		    .there = true, .digest = c.digest, .size = c.size, .rollback_floor = c.rollback_floor};
		any = true;
	}
	return any ? 0 : -ENOENT;
}

static int select_machines(struct store_reader *reader, struct chosen *c, struct gf_diag *diag)
{
	const struct store_device_query query = {.now_ms = c->now_ms};
	int r = select_ops.compile(NULL, c->spec->where, c->now_ms, &c->selector, diag);

	if (r == 0)
		r = store_read_devices(reader, &query, choose, c, diag);
	select_ops.free(c->selector);
	return r;
}

int starter_start(struct store *store, const char *path, const struct rollout_spec *asked,
                  const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, size_t *ret_machines,
                  struct gf_diag *diag)
{
	struct rollout_spec spec = *asked;
	struct chosen *c = calloc(1, sizeof(*c));
	struct store_reader *reader = NULL;
	int r = store_reader_open(path, &reader, diag);

	*c = (struct chosen){.spec = &spec, .now_ms = now_ms};
	if (r == 0)
		r = plan_check(&spec, diag);
	if (r == 0)
		r = fill_targets(reader, &spec, diag);
	if (r == 0)
		r = select_machines(reader, c, diag);
	store_reader_close(reader);
	if (r == 0 && (r = store_begin(store, diag)) == 0) {
		r = store_rollout_add(store, &spec, (const char(*)[GF_ID_MAX])c->ids, c->count, actor, now_ms, ret_id, diag);
		if (r == 0)
			r = store_commit(store, diag);
		else
			store_rollback(store);
	}
	*ret_machines = c->count;
	free(c);
	return r;
}

/* Loads it, moves it, saves it: `order` ROLLOUT_ORDER_COUNT = a step. */
static int move(struct store *store, uint64_t id, enum rollout_order order, const char *who, int64_t now_ms,
                struct gf_diag *diag)
{
	struct rollout rollout = {0};
	size_t indices[DEVICES_MAX];
	struct plan_wish wishes[DEVICES_MAX];
	struct plan_changes changes = {.devices = indices, .wishes = wishes};
	int r = store_begin(store, diag);

	if (r != 0)
		return r;
	r = store_rollout_load(store, id, &rollout, diag);
	for (size_t i = 0; i < rollout.devices_count; i++)
		rollout.devices[i].facts.there = true;
	if (r == 0 && order == ROLLOUT_ORDER_COUNT)
		(void)plan_step(&rollout, now_ms, &changes);
	else if (r == 0)
		r = plan_order(&rollout, order, who, now_ms, &changes, diag);
	if (r == 0)
		r = store_rollout_save(store, &rollout, &changes, now_ms, diag);
	rollout_deinit(&rollout);
	if (r == 0)
		return store_commit(store, diag);
	store_rollback(store);
	return r;
}

int starter_order(struct store *store, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                  int64_t now_ms, struct gf_diag *diag)
{
	return move(store, id, order, actor->who, now_ms, diag);
}

int starter_step(struct store *store, uint64_t id, int64_t now_ms, struct gf_diag *diag)
{
	return move(store, id, ROLLOUT_ORDER_COUNT, "", now_ms, diag);
}
