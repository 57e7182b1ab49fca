/*
 * What the parts of the link share: link.c, the owner's side; link_step.c, its state machine; link_signal.c, what the
 * connection reports to it; link_watch.c, the subscription that comes and goes; and link_paho.c, which alone knows Paho and
 * runs in part on its threads. Private to proto/link*.c.
 *
 * Locks: Paho calls us under its own process-wide mutex, and we take link->lock inside. So nobody calls Paho with link->lock
 * held, and no callback does more than copy and signal.
 */
#ifndef GF_LINK_IMPL_H
#define GF_LINK_IMPL_H

#include <pthread.h>

#include "proto/link_box.h"
#include "proto/link_probe.h"

enum {
	LINK_RESOLVE_MS = 10000, /* for the name */
	LINK_ATTEMPT_MS = 10000, /* from CONNECT to the last SUBACK; doubled after each attempt that came to no answer */
	LINK_ATTEMPT_MAX_MS = 40000,
	LINK_CLOSE_MS = 1000, /* for a graceful end: the answers to what is in flight */
};

struct link_subscription {
	char *filter;
	int qos;
};

/* A publish of QoS 1 from gf_link_publish to gf_link_next. Its address is Paho's context for it. */
struct link_slot {
	struct gf_link *link;
	uint64_t cookie;
	enum { LINK_SLOT_FREE, LINK_SLOT_IN_FLIGHT, LINK_SLOT_ANSWERED } state;
};

/* A subscription that comes and goes; the owner's. */
struct link_watch {
	char *filter; /* NULL: none */
	int qos;
	bool asked, answered; /* of the broker, on this connection */
	bool told;            /* GF_LINK_EVENT_WATCHED is due, with `code` */
	int code;
};

/* One SUBSCRIBE for it. Its address is Paho's context; so many are never under way on the connections that Paho still answers for. */
enum { LINK_ASKS_MAX = 8 };
struct link_ask {
	struct gf_link *link;
	uint64_t no;
};

/* What Paho's threads saw since the last step. */
struct link_signals {
	bool connected, failed, lost, closed, watched;
	int watch_code;
	unsigned granted; /* subscriptions, since the last step */
	int refusal;      /* MQTT 5 reason code, 0: none */
	unsigned receive_max;
};

struct gf_link {
	struct gf_link_config config;
	struct gf_link_ops ops;
	struct link_subscription subs[GF_LINK_SUBS_MAX];
	unsigned subs_count;

	bool desired;
	enum gf_link_state state;
	enum { LINK_PHASE_RESOLVE, LINK_PHASE_CONNECT, LINK_PHASE_SUBSCRIBE, LINK_PHASE_EXPLAIN } phase; /* of CONNECTING */
	bool disconnects; /* of CLOSING: all is answered, or never will be */
	void *paho;       /* the handle; NULL: none */
	struct link_probe *probe;
	int64_t now_ms, due_ms, up_ms;
	unsigned failures; /* since the last stable connection */
	unsigned late;     /* attempts in a row that the broker did not answer in time */
	unsigned granted;  /* subscriptions of this connection */
	unsigned window;
	struct link_watch watch;
	char reason[sizeof((struct gf_link_event *)0)->reason];

	pthread_mutex_t lock; /* guards what follows */
	uint64_t connection;  /* the current one's number, or the last one's; changes at the CONNACK */
	bool open;            /* from the CONNACK to the loss */
	struct link_signals signals;
	struct link_box box;
	/* Paho may answer a publish of a lost connection late: it then hits the bank that is not in use. */
	struct link_slot slots[2][GF_LINK_WINDOW_MAX];
	struct link_ask asks[LINK_ASKS_MAX];
	uint64_t ask_no; /* the newest; 0: no answer is awaited on this connection */
	uint64_t asks_count;
	struct gf_link_stats stats;
};

/* With the lock held, or while no attempt is under way. */
static inline struct link_slot *link_bank(struct gf_link *link)
{
	return link->slots[link->connection & 1];
}

/* With the lock held. */
static inline void link_answer_slot(struct gf_link *link, struct link_slot *slot, int code)
{
	slot->state = LINK_SLOT_ANSWERED;
	link_box_published(&link->box, link->connection, (unsigned)(slot - link_bank(link)), slot->cookie, code);
}

/* --- link_signal.c: called from Paho's threads; `refusal` is an MQTT 5 reason code >= 0x80 or 0 --- */

void link_on_connected(struct gf_link *link, unsigned receive_max); /* 0: the broker named none */
void link_on_granted(struct gf_link *link);
void link_on_failed(struct gf_link *link, int refusal); /* the attempt, or a subscription */
void link_on_lost(struct gf_link *link, int refusal);   /* heard once a connection */
void link_on_closed(struct gf_link *link);
/* A late answer, of a connection that has ended, changes nothing. */
void link_on_answer(struct link_slot *slot, int code);
void link_on_message(struct gf_link *link, const char *topic, size_t topic_len, const void *payload, size_t len,
                     bool retained);

/* `code` as in GF_LINK_EVENT_WATCHED. One that isn't the newest changes nothing. */
void link_on_watched(struct link_ask *ask, int code);

/* --- link_watch.c --- */

void link_watch_up(struct gf_link *link);
void link_watch_down(struct gf_link *link);
void link_watch_signals(struct gf_link *link, const struct link_signals *s);
bool link_watch_next(struct gf_link *link, struct gf_link_event *ret_event);
void link_watch_deinit(struct gf_link *link);

/* --- link_paho.c --- */

/* Starts an attempt; it ends with the signal connected or failed. `will` NULL: none; read only until this returns. */
GF_MUST_CHECK int link_paho_connect(struct gf_link *link, const struct gf_link_will *will);
/* Each filter ends with a signal: granted, or failed. */
GF_MUST_CHECK int link_paho_subscribe(struct gf_link *link);
/* The same once more, while UP; no signal. */
void link_paho_renew(struct gf_link *link);
/* Ends with link_on_watched. */
GF_MUST_CHECK int link_paho_watch(struct gf_link *link, const char *filter, int qos, struct link_ask *ask);
void link_paho_unwatch(struct gf_link *link, const char *filter);
/* Ends gracefully what no answer is awaited of any more; then comes the signal closed. */
GF_MUST_CHECK int link_paho_disconnect(struct gf_link *link);
/* Lets go of the handle, if there is one. No callback comes after that. */
void link_paho_drop(struct gf_link *link);
/* `slot` NULL: QoS 0. 0, -ENOTCONN, -EAGAIN, -EIO, -ENOMEM. */
GF_MUST_CHECK int link_paho_send(struct gf_link *link, const char *topic, const void *payload, size_t len, bool retain,
                                 uint32_t expiry_s, struct link_slot *slot);

#endif
