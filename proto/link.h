/*
 * One MQTT 5 connection over mutual TLS, behind a small interface; link_paho.c is the only user of Paho.
 *
 * Two variables tell the truth: what is desired (gf_link_start, gf_link_stop) and the current state. gf_link_step, called by
 * the owner's loop with the monotonic time, moves the one towards the other: connects, and after a loss connects again
 * with exponential backoff and full jitter (BACKOFF_MIN..BACKOFF_MAX). An attempt has 10 s for the broker's answers; while the broker
 * is late each next one has twice the time, up to 40 s: of a crowd that begins together all come up in the end. Paho's threads
 * never run the owner's code: they copy what happened into a bounded mailbox and call `wake`; the owner takes events out with
 * gf_link_next.
 *
 *     IDLE ──start──> WAITING ──due──> CONNECTING ──ok──> UP ──loss──> WAITING
 *       ^                ^                 │               │
 *       │                └──refused, late──┘               stop
 *       ├── stop, from WAITING and CONNECTING              │
 *       └── closed, lost, late ── CLOSING <────────────────┘
 *
 * Threads: all functions are called from one thread, the owner's. `wake` is called from any thread and must only signal.
 * Limits: mailbox_max events, packet_max bytes a message, window_max (<= 20) publishes of QoS 1 in flight. A message that
 * finds the mailbox full is dropped and counted (gf_link_stats): the protocols above it resend.
 */
#ifndef GF_LINK_H
#define GF_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { GF_LINK_WINDOW_MAX = 20, GF_LINK_BACKOFF_MIN_MS = 250, GF_LINK_BACKOFF_MAX_MS = 30000, GF_LINK_SUBS_MAX = 8 };

enum gf_link_state {
	GF_LINK_IDLE,       /* -> WAITING */
	GF_LINK_WAITING,    /* for the next attempt -> CONNECTING, IDLE */
	GF_LINK_CONNECTING, /* -> UP, WAITING, IDLE */
	GF_LINK_UP,         /* -> WAITING, CLOSING */
	GF_LINK_CLOSING,    /* -> IDLE, started again or not */
};

struct gf_link_config {
	char *host; /* also the name the broker's certificate must carry */
	uint16_t port;
	char *client_id;
	char *ca_file, *cert_file, *key_file;
	unsigned keepalive_s; /* 10..20 */
	unsigned mailbox_max; /* events */
	unsigned window_max;  /* 1..20 */
	size_t packet_max;    /* bytes of a payload in either direction */
};

enum gf_link_event_kind {
	GF_LINK_EVENT_UP,   /* connected and every subscription granted */
	GF_LINK_EVENT_DOWN, /* lost, refused, or failed to connect: `reason` says why; comes once an attempt */
	GF_LINK_EVENT_MESSAGE,
	GF_LINK_EVENT_PUBLISHED, /* `cookie`, and `code`: 0 or 16 (nobody listens) is success, >= 0x80 refused, -1 lost with the connection */
	GF_LINK_EVENT_WATCHED, /* what became of gf_link_watch on this connection, `code`: below 0x80 granted, >= 0x80 refused, -1 not sent */
};

struct gf_link_event {
	enum gf_link_event_kind kind;
	uint64_t connection; /* counts successful connections of this link since it was made, from 1 */
	uint64_t cookie;
	int code;
	bool retained;
	char *topic; /* NUL-terminated */
	unsigned char *payload;
	size_t len;
	char reason[200]; /* a sentence for a person */
};

struct gf_link_stats {
	uint64_t connects, attempts, published, received, dropped, too_large;
};

/* What the broker says for us when we vanish. Called before every attempt, with the number the connection will have. */
struct gf_link_will {
	const char *topic;
	unsigned char payload[128];
	size_t len;
	bool retained;
};

struct gf_link_ops {
	void (*wake)(void *ctx);                                                     /* from any thread */
	bool (*will)(void *ctx, uint64_t connection, struct gf_link_will *ret_will); /* NULL, or false: no will */
	void *ctx;
};

struct gf_link;

/*
 * Copies the configuration. Checks the files first: missing, unreadable, a key that group or world may read, a
 * certificate that isn't one; `diag` then names file and remedy. Returns 0, -ENOENT, -EACCES, -EINVAL, -ENOMEM.
 */
GF_MUST_CHECK int gf_link_new(const struct gf_link_config *config, const struct gf_link_ops *ops,
                              struct gf_link **ret_link, struct gf_diag *diag);
/* Blocks until Paho has let go (at most about a second). NULL is fine. */
void gf_link_free(struct gf_link *link);

/* Adds a subscription, made at every connect before GF_LINK_EVENT_UP. Before gf_link_start only. -ENOSPC over GF_LINK_SUBS_MAX. */
GF_MUST_CHECK int gf_link_subscribe(struct gf_link *link, const char *filter, int qos);

/*
 * One further subscription that comes and goes: made at once when UP, and anew at every connect until gf_link_unwatch; another filter
 * takes its place. Each time GF_LINK_EVENT_WATCHED says what the broker answered, once the events before it are taken; a loss is
 * told by DOWN. The same filter again has the broker send once more what it retains, but for one whose answer is still awaited.
 * Messages that are under way when it ends still come. 0 or -ENOMEM, and nothing has changed.
 */
GF_MUST_CHECK int gf_link_watch(struct gf_link *link, const char *filter, int qos);
void gf_link_unwatch(struct gf_link *link);

/* Makes the subscriptions of gf_link_subscribe once more, when UP: the broker sends again what it retains. For when messages found no room
 * (gf_link_stats.dropped), which were acked all the same. */
void gf_link_renew(struct gf_link *link);

/* The first attempt is due at once; failures from before a stop don't count. */
void gf_link_start(struct gf_link *link);
/* A graceful end: the DISCONNECT goes out after what is in flight, or after one second. */
void gf_link_stop(struct gf_link *link);
enum gf_link_state gf_link_state(const struct gf_link *link);

/* Moves the state machine. Returns when it wants to be called again at the latest, on the same clock; INT64_MAX: never. */
int64_t gf_link_step(struct gf_link *link, int64_t mono_ms);

/* Takes the oldest event; false when there is none. The owner frees its memory with gf_link_event_deinit. */
bool gf_link_next(struct gf_link *link, struct gf_link_event *ret_event);
void gf_link_event_deinit(struct gf_link_event *event);

/*
 * Publishes. QoS 1 is answered by one GF_LINK_EVENT_PUBLISHED with the cookie; QoS 0 by none. expiry_s 0 = none.
 * Returns 0, -ENOTCONN when not UP, -EAGAIN when the window is full, -EMSGSIZE over packet_max, -ENOMEM, or -EIO.
 */
GF_MUST_CHECK int gf_link_publish(struct gf_link *link, const char *topic, const void *payload, size_t len, int qos,
                                  bool retain, uint32_t expiry_s, uint64_t cookie);

/* How many QoS 1 publishes still fit in the window now (0 when not UP). */
unsigned gf_link_window(const struct gf_link *link);
struct gf_link_stats gf_link_stats(const struct gf_link *link);

/* The end of the certificate's validity, wall ms; 0 when it can't be read. */
uint64_t gf_link_cert_not_after_ms(const char *cert_file);

/* The common name of a certificate. Returns 0 or -EINVAL/-ENOENT. */
GF_MUST_CHECK int gf_link_cert_name(const char *cert_file, char *ret_name, size_t size, struct gf_diag *diag);

#endif
