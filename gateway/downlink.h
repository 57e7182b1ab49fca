/*
 * Brings what is wanted of the machines to the broker, which keeps it for them: signed catalogs and desired states as retained
 * messages, commands with the time that is left of them. What is to be there is in the store; what is there is a cache of it.
 *
 *     connected, or the store changed ──> catalogs that are wanted ──> desired states ──> withdraw catalogs that nobody wants any more
 *                                                       (a command goes before all of them)
 *
 * After each connect everything goes out anew, so that a broker that lost its disk is whole again. A revision counts as published when the
 * broker has acked it and the store knows that: a gateway that dies in between publishes it again, which changes nothing for the
 * machine. Before the first part of a catalog leaves, the store knows that the broker may have something of it, so that nothing is
 * forgotten there.
 *
 * Failure modes: what the broker refuses or loses is tried again with a pause that doubles (RETRY_MIN..RETRY_MAX), without holding up
 * the rest; so is everything when the store can't be read or written.
 *
 * Belongs to one thread. Knows the network by `ops` alone.
 */
#ifndef GATEWAY_DOWNLINK_H
#define GATEWAY_DOWNLINK_H

#include "gateway/store/wishes.h"
#include "proto/base/clock.h"

enum {
	DOWNLINK_RETRY_MIN_MS = 1000,
	DOWNLINK_RETRY_MAX_MS = 60 * 1000,
	DOWNLINK_LOOK_MS = 1000, /* how often it asks whether the store has changed, when nobody wakes it */
	DOWNLINK_WINDOW_MAX = 32,
};

struct downlink_ops {
	/* With QoS 1; downlink_published answers each that was taken. 0, or a negative errno: -EAGAIN when the window is full. */
	int (*publish)(void *ctx, const char *topic, const void *payload, size_t len, bool retain, uint32_t expiry_s,
	               uint64_t cookie);
	unsigned (*window)(void *ctx); /* how many it takes now */
	void *ctx;
};

struct downlink;

/* `store` outlives it; `database` is the store's file, for a reader of its own. */
GF_MUST_CHECK int downlink_new(struct store *store, const char *database, const struct downlink_ops *ops,
                               struct downlink **ret_downlink, struct gf_diag *diag);
void downlink_free(struct downlink *downlink); /* NULL is fine */

void downlink_up(struct downlink *downlink);
void downlink_down(struct downlink *downlink); /* also: publish nothing more */
/* The broker's answer: 0 or 16 (nobody listens) is success. Cookies that aren't its own are ignored. */
void downlink_published(struct downlink *downlink, uint64_t cookie, int code);

/* Publishes what the window allows. Returns when to be called again at the latest (mono ms); INT64_MAX while down. */
int64_t downlink_step(struct downlink *downlink, struct gf_time now);

struct downlink_state {
	uint64_t catalogs, desired, commands, withdrawn; /* that the broker took */
	uint64_t failures;                               /* refused, lost, or not to be read or marked in the store; ever */
	bool busy;                                       /* something is still to be brought there */
	int64_t failing_since_ms;                        /* wall; 0 = the last pass brought all there, or it is down */
	struct gf_diag last_error;
};
void downlink_state_get(const struct downlink *downlink, struct downlink_state *ret_state);

#endif
