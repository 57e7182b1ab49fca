/*
 * The gateway's two connections: one for what comes in (status, reports, replies), one for what goes out (acks, its own status, and
 * by the downlink what is wanted of the machines), so that the one never waits for the other's TCP acknowledgements. What comes in goes to ingest in batches as large as have
 * arrived: the longer a commit takes, the more messages share the next one.
 *
 * Statuses are subscribed by every gateway (retained births tell a gateway that starts what it missed); reports and replies are
 * shared between gateways. Sessions are clean: what was in flight to a gateway that died is sent again by the agents.
 */
#ifndef GATEWAY_BROKER_H
#define GATEWAY_BROKER_H

#include "gateway/downlink.h"
#include "gateway/ingest/ingest.h"
#include "gateway/tell/tell.h"
#include "proto/base/clock.h"
#include "proto/link.h"

struct broker;

struct broker_state {
	bool connected;   /* both ways */
	int64_t since_ms; /* wall time of the last change */
	char reason[200]; /* why not, when not */
	struct gf_link_stats in, out;
	size_t pending;       /* messages waiting for a commit */
	uint64_t acks_unsent; /* no connection or no room: the agents ask again */
	struct downlink_state downlink;
};

/* `wake` is called from any thread and must only signal. `store` outlives the broker; `database` is its file. 0, or a negative errno
 * with diag. */
GF_MUST_CHECK int broker_new(const struct gf_link_config *link, struct store *store, const char *database,
                             uint64_t epoch, void (*wake)(void *ctx), void *wake_ctx, struct broker **ret_broker,
                             struct gf_diag *diag);
void broker_start(struct broker *broker);

/* Events go out by the connection for what goes out, behind all that machines wait for. `tell` outlives the last step. Before broker_start. */
void broker_tell(struct broker *broker, struct tell *tell);
/* The tell's way to the link: struct tell_config's publish and window, with the broker as ctx. */
GF_MUST_CHECK int broker_publish_event(void *broker, const char *topic, const void *payload, size_t len,
                                       uint64_t cookie);
unsigned broker_event_window(void *broker);

/* Takes what arrived, commits, sends acks, moves the links. Returns when to be called again at the latest (mono ms). */
int64_t broker_step(struct broker *broker, struct gf_time now);

/* Graceful: says that this gateway is down, disconnects. Then step until broker_stopped. */
void broker_stop(struct broker *broker, struct gf_time now);
bool broker_stopped(const struct broker *broker);
void broker_free(struct broker *broker);

void broker_state_get(const struct broker *broker, struct broker_state *ret_state);
void broker_ingest_state_get(const struct broker *broker, struct ingest_state *ret_state);

/* Since when everything that machines say is heard, wall ms; 0 while it isn't. */
int64_t broker_listening_since_ms(const struct broker *broker);

#endif
