/*
 * The webhooks, on a thread of their own: each is told in order, one message at a time, and none waits for another. The thread also saves how far
 * every receiver is, so that the main loop never waits for that.
 *
 *     READY ──message──> POSTING ──2xx──> READY
 *                           └──else──> WAITING ──backoff──> POSTING
 *                                         └── refused three times, or for too long: passed over ──> READY
 *
 * A receiver that passes over is told of once, as an event to all others, until it takes one again.
 */
#ifndef GW_TELL_HOOK_H
#define GW_TELL_HOOK_H

#include "gateway/tell/board.h"

struct hooks_config {
	struct store *store;
	const char *database;
	const struct gf_clock *clock; /* read on the thread too */
	const struct tell_webhook *webhooks;
	size_t count;
	struct board *board;
};

struct hooks;
/* Starts the thread. 0 or a negative errno with diag. */
GF_MUST_CHECK int hooks_new(const struct hooks_config *config, struct hooks **ret_hooks, struct gf_diag *diag);
/* Ends it: posts that are under way are given up, and come again after the next start. NULL is fine. */
void hooks_free(struct hooks *hooks);
/* There are new events, or somebody wants a try; any thread. NULL is fine. */
void hooks_wake(struct hooks *hooks);

#endif
