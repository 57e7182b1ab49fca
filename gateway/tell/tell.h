/*
 * Tells what happened to those outside: as JSON on gymfleet/v1/events/{kind}/{id}, and to webhooks. The store's events are the outbox: each
 * receiver has a cursor in the database that moves past an event only when the receiver has it, so that whatever is killed, everything arrives at
 * least once, each with its id.
 *
 *     store (events, cursors) ──> feed (JSON of each event) ──> flood (pure: what may go now, what is summed up) ──> MQTT, QoS 1
 *                                                                                                    └──> webhook: libcurl, signed, retried
 *
 * A flood: beyond the receiver's rate events are summed up in one message that says how many of which kind, from which id to which; the API has
 * them all (/v1/events?after=). Nothing is dropped silently: also what a receiver missed because it was away for too long is told as a sum.
 */
#ifndef GW_TELL_TELL_H
#define GW_TELL_TELL_H

#include "gateway/store/store.h"
#include "proto/base/clock.h"

enum { TELL_WEBHOOKS_MAX = 16, TELL_SECRET_MAX = 128 };

struct tell_webhook {
	char *name;    /* [a-z0-9-]+ */
	char *url;     /* https, or http to this machine */
	char *ca_file; /* NULL = the system's */
	unsigned char secret[TELL_SECRET_MAX];
	size_t secret_len;
	uint32_t kinds;        /* bits (1 << enum store_event_kind) */
	bool notify_only;      /* of flags, only those whose rule says notify */
	unsigned rate_per_min; /* beyond it: summed up */
	int64_t give_up_ms;    /* an event that it doesn't take for so long is passed over, and that is told */
};

struct tell_config {
	struct store *store;
	const char *database;
	const struct tell_webhook *webhooks;
	size_t webhooks_count;
	unsigned mqtt_rate_per_s;
	/* MQTT, as downlink.h's ops: 0, -EAGAIN when the window is full. */
	int (*publish)(void *ctx, const char *topic, const void *payload, size_t len, uint64_t cookie);
	unsigned (*window)(void *ctx);
	void *ctx;
};

struct tell;
GF_MUST_CHECK int tell_new(const struct tell_config *config, struct tell **ret_tell, struct gf_diag *diag);
void tell_free(struct tell *tell); /* NULL is fine; ends its thread */

/* The main loop's. The broker is there, or isn't. */
void tell_up(struct tell *tell, bool up);
void tell_published(struct tell *tell, uint64_t cookie, int code);
/* Publishes what may go. Returns when to be called again at the latest (mono ms). */
int64_t tell_step(struct tell *tell, struct gf_time now);

/* For doctor and /v1/webhooks. Any thread. */
struct tell_state {
	char name[GF_NAME_MAX]; /* "mqtt" or the webhook's */
	uint64_t cursor;        /* the newest event it has */
	uint64_t told, summed, passed_over, failures;
	int64_t failing_since_ms; /* wall; 0 = it takes what it gets */
	int64_t next_ms;          /* wall; the next try while failing */
	char error[200];
};
size_t tell_states(const struct tell *tell, struct tell_state *ret_states, size_t max);

#endif
