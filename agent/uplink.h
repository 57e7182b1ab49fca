/*
 * Brings the spool's records to the gateway: a bounded window of reports in flight, the application ack as the only truth,
 * and going back to ack + 1 when it doesn't come. A state machine: time and what the link says are arguments.
 *
 *     up: send from acked + 1 ──window full──> wait for Ack ──advance──> send on
 *                  ^                             │ no ack in ACK_TIMEOUT, a refusal, or the link came up anew
 *                  └──────── go back ────────────┘
 */
#ifndef AGENT_UPLINK_H
#define AGENT_UPLINK_H

#include "agent/spool/spool.h"
#include "proto/codec.h"

enum { UPLINK_WINDOW = 8, UPLINK_ACK_TIMEOUT_MS = 10000, UPLINK_ACK_TIMEOUT_MAX_MS = 120000 };

struct uplink_ops {
	/* Publishes one report with QoS 1. 0, -EAGAIN, -ENOTCONN, another negative errno. */
	int (*publish)(void *ctx, const void *data, size_t len, uint64_t cookie);
	void *ctx;
};

struct uplink_stats {
	uint64_t reports, resent, acks, stale_acks, timeouts, refused, rejected_records;
};

struct uplink;

GF_MUST_CHECK int uplink_new(struct spool *spool, const struct uplink_ops *ops, struct uplink **ret_uplink);
void uplink_free(struct uplink *uplink);

void uplink_link_up(struct uplink *uplink, int64_t mono_ms);
void uplink_link_down(struct uplink *uplink);
/* How a publish ended: code >= 0x80 is a refusal, -1 lost with the connection. */
void uplink_published(struct uplink *uplink, uint64_t cookie, int code, int64_t mono_ms);
/* The bytes of an Ack message. 0; a GF_CODEC_E_... when they are none (counted, nothing changed); another stream's ack is ignored. SPOOL_E_... */
GF_MUST_CHECK int uplink_ack(struct uplink *uplink, const void *data, size_t len, int64_t mono_ms,
                             struct gf_diag *diag);

/* The end is near: what is held back, since nobody listened or the broker refused it, may be sent now. */
void uplink_hurry(struct uplink *uplink, int64_t mono_ms);
/* Sends what can be sent; call after an append, an ack, an event. Returns when to call again at the latest (mono ms), INT64_MAX: only when something happens. */
int64_t uplink_step(struct uplink *uplink, int64_t mono_ms);
/* The gateway acked a seq of this stream that was never written: the spool went back, see spool_restart. */
bool uplink_overtaken(const struct uplink *uplink);
struct uplink_stats uplink_stats(const struct uplink *uplink);

#endif
