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
	struct hooks *before; /* stopped, with its webhooks; NULL = none */
};

struct hooks;
/*
 * Starts the thread. Whom `before` told with the same settings is told on: its message, the time it is given, its backoff and its rate are taken from
 * there, so that who has the file read again and again changes nothing. 0 or a negative errno with diag.
 */
GF_MUST_CHECK int hooks_new(const struct hooks_config *config, struct hooks **ret_hooks, struct gf_diag *diag);
/* Ends the thread; only hooks_new, as `before`, and hooks_free are for it then. NULL is fine. */
void hooks_stop(struct hooks *hooks);
/* Ends it: posts that are under way are given up, and come again after the next start. NULL is fine. */
void hooks_free(struct hooks *hooks);
/* There are new events, or somebody wants a try; any thread. NULL is fine. */
void hooks_wake(struct hooks *hooks);

#endif
