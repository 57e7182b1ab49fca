/*
 * What the gateway tells this machine: desired state and commands. Any bytes may come: what can't be read is counted, logged, and changes
 * nothing.
 *
 *     Desired ──> newer than all before? (ops.desired, the catalog's part) ──> limits and lock: in force, on the disk
 *     Command ──> known already? answered again  ──> in time? carried out once ──> Reply, until the broker has it
 *
 * Limits and lock hold over a restart (agent/limits.h). A command is remembered with its answer (DOWNLINK_ORDERS of them, not over a
 * restart): one that comes twice is done once. Each ends: done, refused or expired, and is then answered.
 */
#ifndef AGENT_DOWNLINK_H
#define AGENT_DOWNLINK_H

#include "agent/limits.h"
#include "proto/base/clock.h"

enum {
	DOWNLINK_ORDERS = 16,
	DOWNLINK_RETRY_MS = 100,
	DOWNLINK_SAVE_MS = 5000,
	/* Each desired state is a few writes to the disk, which a flood of them would wear out. So many come at once, then one in so long;
	 * of those in between the newest counts. */
	DOWNLINK_BURST = 500,
	DOWNLINK_EVERY_MS = 5000,
};

struct downlink_ops {
	/* The desired state as a whole; false: older than what was seen, nothing of it counts. */
	bool (*desired)(void *ctx, const struct gf_desired *desired, struct gf_time now);
	/* To the control core: 0, or -EAGAIN: no room, tried again. */
	int (*limits)(void *ctx, const struct control_limits *limits);
	/* Ends a running session as staff_stopped; *ret_running: there is one. 0 or -EAGAIN. */
	int (*stop)(void *ctx, bool *ret_running);
	/* Publishes a Reply, QoS 1; downlink_replied says what became of it. 0, -EAGAIN or -ENOTCONN: tried again. */
	int (*reply)(void *ctx, const void *data, size_t len, uint64_t id);
	void *ctx;
};

struct downlink_stats {
	uint64_t bad_desired, stale_desired, bad_commands;
};

struct downlink;

/* `id` names the machine in the log, `path` is the limits' file. A file that can't be read locks the machine, and says so. 0 or -ENOMEM. */
GF_MUST_CHECK int downlink_new(const char *id, const char *path, const struct downlink_ops *ops,
                               struct downlink **ret_downlink);
void downlink_free(struct downlink *downlink);

/* In force: for the control core before its first tick. */
const struct control_limits *downlink_limits(const struct downlink *downlink);
/* The revision that limits and lock came with. */
uint64_t downlink_revision(const struct downlink *downlink);

/* A message on the machine's desired or command topic. An empty one is a retained message's end, and ignored. */
void downlink_desired(struct downlink *downlink, const void *data, size_t len, struct gf_time now);
void downlink_command(struct downlink *downlink, const void *data, size_t len, struct gf_time now);
/* The reply to command `id` got out (`code` below 0x80), was refused, or was lost with the connection (-1). */
void downlink_replied(struct downlink *downlink, uint64_t id, int code);

/* Does what is due. Returns when to be called again at the latest (mono ms). */
int64_t downlink_step(struct downlink *downlink, struct gf_time now);

struct downlink_stats downlink_stats(const struct downlink *downlink);

#endif
