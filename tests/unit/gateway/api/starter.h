/* Starts and orders rollouts for the test server as the runner does, without its steps: the fleet stands still. */
#ifndef TEST_API_STARTER_H
#define TEST_API_STARTER_H

#include "gateway/api/api.h"

/* As runner_start and runner_order, at `now_ms`, over the database at `path`. */
int starter_start(struct store *store, const char *path, const struct rollout_spec *spec,
                  const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, size_t *ret_machines,
                  struct gf_diag *diag);
int starter_order(struct store *store, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                  int64_t now_ms, struct gf_diag *diag);
/* One step of the plan, all of the rollout's machines being there. */
int starter_step(struct store *store, uint64_t id, int64_t now_ms, struct gf_diag *diag);

#endif
