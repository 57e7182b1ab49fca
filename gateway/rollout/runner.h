/*
 * Lets rollouts run: loads what is open, asks the plan, commits its changes, and wakes who publishes. Knows the store, the sites' time zones, and
 * how machines are selected; no network. Everything it decided is in the store before anybody hears of it, so it may be killed at any point.
 *
 * Threads: runner_step belongs to the main loop; runner_start and runner_order may be called from any thread.
 */
#ifndef GW_ROLLOUT_RUNNER_H
#define GW_ROLLOUT_RUNNER_H

#include "gateway/sites/zone.h"
#include "gateway/store/rollouts.h"

enum {
	RUNNER_STEP_MS = 1000,    /* how often facts are looked at while something runs */
	RUNNER_SELECT_MS = 30000, /* how often latecomers are looked for */
	RUNNER_DEAF_MS = 60000,   /* who could hear nobody for so long has missed something */
	/* Then machines have so long to come back (their longest pause is 30 s) and to tell it. */
	RUNNER_CATCH_UP_MS = 90000,
};

/* Compiles an expression of the API's --where; lives where where.h and the device rows are (gateway/api/select.c). */
struct runner_select_ops {
	/* 0 and a selector, or -EINVAL with diag naming the column. */
	int (*compile)(const void *ctx, const char *where, int64_t now_ms, void **ret_selector, struct gf_diag *diag);
	bool (*match)(void *selector, const struct store_device *device, int64_t now_ms);
	void (*free)(void *selector);
};

struct runner_config {
	struct store *store;
	const char *database; /* for a reader of its own */
	const struct zones *zones;
	const struct runner_select_ops *select;
	const void *select_ctx;  /* outlives the runner */
	void (*wake)(void *ctx); /* any thread: there is something to publish */
	void *wake_ctx;
};

struct runner;
GF_MUST_CHECK int runner_new(const struct runner_config *config, struct runner **ret_runner, struct gf_diag *diag);
void runner_free(struct runner *runner);

/* Tells since when the gateway hears machines (wall; 0 = it doesn't): while it doesn't, and while they catch up after it didn't for long, nothing moves
 * but by an order. Returns whether nothing moves. Without this call it is taken to hear. The main loop's, before runner_step. */
bool runner_hears(struct runner *runner, int64_t since_ms, struct gf_time now);

/* Steps every open rollout that is due. Returns when to be called again at the latest (mono ms). A store that refuses is logged and tried
 * again; nothing is lost. Nothing moves while the clock isn't set. */
int64_t runner_step(struct runner *runner, struct gf_time now);

/* Starts a rollout: the spec's targets are filled with every published catalog of that name and version, one a class. -EINVAL, -ENOENT,
 * STORE_E_NOT_ALLOWED with diag. *ret_machines: how many it begins with. */
GF_MUST_CHECK int runner_start(struct runner *runner, const struct rollout_spec *spec, const struct store_actor *actor,
                               struct gf_time now, uint64_t *ret_id, size_t *ret_machines, struct gf_diag *diag);
/* As plan_order, stored, with its audit entry. -ENOENT; -EINVAL, also when another rollout under way has one of its machines by now. */
GF_MUST_CHECK int runner_order(struct runner *runner, uint64_t id, enum rollout_order order,
                               const struct store_actor *actor, struct gf_time now, struct gf_diag *diag);

#endif
