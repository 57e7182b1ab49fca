/*
 * Rollouts as they are stored. Part of the store's interface: the rules of store.h hold. A rollout and its machines are loaded whole, moved by
 * gateway/rollout/plan.h, and saved with the desired states that follow from it in one transaction: after a kill -9 the store says
 * exactly who was told.
 */
#ifndef GW_STORE_ROLLOUTS_H
#define GW_STORE_ROLLOUTS_H

#include "gateway/rollout/plan.h"
#include "gateway/store/wishes.h"

/* ---- inside a batch (store_begin … store_commit), so that nobody changes it in between ---- */

/*
 * Makes a rollout of these machines, with its event and audit entry. STORE_E_NOT_ALLOWED with the reason: another rollout under way has
 * one of them (it names both), or none is selected.
 */
GF_MUST_CHECK int store_rollout_add(struct store *store, const struct rollout_spec *spec,
                                    const char (*devices)[GF_ID_MAX], size_t count, const struct store_actor *actor,
                                    int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag);
/* The rollout with its machines and their facts; ended by rollout_deinit. `there` and utc_offset_s are the caller's to fill. -ENOENT. */
GF_MUST_CHECK int store_rollout_load(struct store *store, uint64_t id, struct rollout *ret_rollout,
                                     struct gf_diag *diag);
/* Machines that are selected now and not in it: added as WAITING, unless another rollout under way has them. */
GF_MUST_CHECK int store_rollout_join(struct store *store, uint64_t id, const char (*devices)[GF_ID_MAX], size_t count,
                                     int64_t now_ms, struct gf_diag *diag);
/* STORE_E_NOT_ALLOWED with the reason: another rollout under way has one of its machines. */
GF_MUST_CHECK int store_rollout_alone(struct store *store, uint64_t id, struct gf_diag *diag);
/* Writes what plan_step or plan_order changed, with the desired states of its wishes (their revisions go into rollout->devices), and
 * tells it as events. */
GF_MUST_CHECK int store_rollout_save(struct store *store, struct rollout *rollout, const struct plan_changes *changes,
                                     int64_t now_ms, struct gf_diag *diag);
/* Those under way first, else oldest first: those that aren't at an end or of which a machine isn't, and completed ones that still serve
 * latecomers: until a later one with the same selection has completed. The caller frees it. */
GF_MUST_CHECK int store_rollouts_open(struct store *store, uint64_t **ret_ids, size_t *ret_count, struct gf_diag *diag);

/* The wall clock was set by so much: what is under way has as long to go as before. */
GF_MUST_CHECK int store_rollouts_shift(struct store *store, int64_t by_ms, struct gf_diag *diag);

/* ---- reading, for the API ---- */

struct store_rollout_wave {
	uint64_t machines, steps[ROLLOUT_STEP_COUNT];
	int64_t began_ms, done_ms;
	uint64_t in_use; /* OFFERED ones that wait for their session's end */
	/* When the last of its machines' steps ends that hasn't yet; one that waits for its window is told then; 0 = none. */
	int64_t until_ms;
};
/* A rollout without its machines, and what became of them. */
struct store_rollout {
	struct rollout rollout; /* devices NULL */
	uint64_t machines, steps[ROLLOUT_STEP_COUNT];
	struct store_rollout_wave waves[ROLLOUT_WAVES_MAX + 1]; /* [0]: not chosen yet */
};
typedef int (*store_rollout_fn)(void *ctx, const struct store_rollout *rollout);
/* Newest first. */
GF_MUST_CHECK int store_read_rollouts(struct store_reader *reader, uint64_t before, store_rollout_fn row, void *ctx,
                                      struct gf_diag *diag);
GF_MUST_CHECK int store_read_rollout(struct store_reader *reader, uint64_t id, struct store_rollout *ret_rollout,
                                     struct gf_diag *diag);
typedef int (*store_rollout_device_fn)(void *ctx, const struct rollout_device *device);
/* Its machines by wave and id, after (wave, id); `steps`: bits (1 << enum rollout_step), 0 = all. */
GF_MUST_CHECK int store_read_rollout_devices(struct store_reader *reader, uint64_t id, uint32_t after_wave,
                                             const char *after_id, uint32_t steps, store_rollout_device_fn row,
                                             void *ctx, struct gf_diag *diag);

#endif
