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

#include "gateway/store/telling.h"
#include "proto/base/clock.h"

#define TELL_MQTT "mqtt" /* the receiver's name */
#define TELL_COOKIE (UINT64_C(1) << 63)

enum {
	TELL_WEBHOOKS_MAX = 16,
	TELL_SECRET_MIN = 16,
	TELL_SECRET_MAX = 128,
	TELL_MQTT_RATE = 100,
	TELL_WINDOW = 8,      /* events in flight at the broker, at most */
	TELL_WINDOW_KEPT = 8, /* room in the link's window that is left to what machines wait for */
	TELL_LOOK_MS = 1000,  /* how often it looks for new events when nobody wakes it */
};

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
	struct store *store; /* outlives it */
	const char *database;
	const struct gf_clock *clock;        /* outlives it; read by its thread too */
	const struct tell_webhook *webhooks; /* copied; the names differ, and none is TELL_MQTT */
	size_t webhooks_count;
	unsigned mqtt_rate_per_s; /* beyond it, for more than a few seconds: summed up; 0 = TELL_MQTT_RATE */
	/* MQTT with QoS 1, as downlink.h's ops: 0, -EAGAIN when the window is full. Cookies have TELL_COOKIE set. */
	int (*publish)(void *ctx, const char *topic, const void *payload, size_t len, uint64_t cookie);
	unsigned (*window)(void *ctx);
	void *ctx;
};

struct tell;
GF_MUST_CHECK int tell_new(const struct tell_config *config, struct tell **ret_tell, struct gf_diag *diag);
void tell_free(struct tell *tell); /* NULL is fine; ends its thread */

/* ---- any thread ---- */

/*
 * Copies these; from the next step on they are told instead of those before: who has the same name goes on at its place, a new one begins with what
 * happens next, one that is gone is forgotten, and what was under way comes again. Who has other settings than before is told as after a restart; for
 * who has the same, time, tries and rate go on too. 0 or -ENOMEM.
 */
GF_MUST_CHECK int tell_change(struct tell *tell, const struct tell_webhook *webhooks, size_t count);
/* From the next step on: the receiver gets now what it would get at its next try. False: there is none of this name. */
GF_MUST_CHECK bool tell_retry(struct tell *tell, const char *receiver);

/* ---- the main loop's ---- */

void tell_up(struct tell *tell, bool up); /* the broker is there, or isn't */
/* The broker's answer: 0 or 16 (nobody listens) is success, negative: lost with the connection. Cookies that aren't its own are ignored. */
void tell_published(struct tell *tell, uint64_t cookie, int code);
/* Publishes what may go. Returns when to be called again at the latest (mono ms). */
int64_t tell_step(struct tell *tell, struct gf_time now);

/* ---- for doctor and /v1/webhooks: any thread ---- */

struct tell_state {
	struct store_told told;   /* its name, the newest event it has, and how much it was told */
	uint64_t failures;        /* since the gateway's start */
	int64_t failing_since_ms; /* wall; 0 = it takes what it gets */
	int64_t next_ms;          /* wall; the next try while failing */
	char error[200];          /* of the last failure, while failing */
};
/* MQTT first, then the webhooks. How many. */
size_t tell_states(struct tell *tell, struct tell_state *ret_states, size_t max);

#endif
