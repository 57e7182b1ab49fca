/*
 * Happy path: gf_link_step finds the attempt due, has the name resolved, asks the owner for the will and lets link_paho.c connect. Paho's thread
 * reports the CONNACK (link_on_connected: a place for UP is reserved in the mailbox) and wakes the owner; the next step makes the
 * subscriptions, one call each; when the last is granted the reserved place becomes UP. Publishes of QoS 1 take a slot,
 * which comes back with its PUBLISHED event.
 *
 * Failure modes. An attempt that fails or passes its deadline is followed by a probe (link_probe.h) that finds the reason; then DOWN,
 * and WAITING. A connection that is lost reports every publish still in flight with code -1, then DOWN. When Paho
 * doesn't answer in time its handle is destroyed: no callback of that handle comes after that.
 */
#include "proto/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"
#include "proto/base/text.h"
#include "proto/link_cert.h"
#include "proto/link_impl.h"
#include "proto/link_reason.h"

enum {
	EXPLAIN_MS = 8000,     /* for the probe */
	CLOSE_GRACE_MS = 250,  /* what Paho takes to tell us of a graceful end */
	STABLE_MS = 10000,     /* a connection this old makes the backoff start over */
	BACKOFF_DOUBLINGS = 7, /* 250 ms * 2^7 is beyond the maximum */
};

static struct link_signals take_signals(struct gf_link *link)
{
	struct link_signals s;

	pthread_mutex_lock(&link->lock);
	s = link->signals;
	link->signals = (struct link_signals){0};
	pthread_mutex_unlock(&link->lock);
	return s;
}

/* Lets go of Paho's handle; what it signalled is forgotten. */
static void drop(struct gf_link *link)
{
	link_paho_drop(link);
	pthread_mutex_lock(&link->lock);
	link->open = false;
	link->signals = (struct link_signals){0};
	pthread_mutex_unlock(&link->lock);
}

static int64_t backoff_ms(struct gf_link *link)
{
	unsigned doublings = link->failures < BACKOFF_DOUBLINGS ? link->failures : BACKOFF_DOUBLINGS;
	uint64_t ceiling = (uint64_t)GF_LINK_BACKOFF_MIN_MS << doublings, random;

	if (ceiling > GF_LINK_BACKOFF_MAX_MS)
		ceiling = GF_LINK_BACKOFF_MAX_MS;
	gf_rand_bytes(&random, sizeof random);
	return (int64_t)(random % (ceiling + 1));
}

/* Ends an attempt or a connection: what was in flight, then DOWN; the next attempt is due after the backoff. */
static void go_down(struct gf_link *link, enum gf_link_state next)
{
	pthread_mutex_lock(&link->lock);
	for (unsigned i = 0; i < GF_LINK_WINDOW_MAX; i++)
		if (link_bank(link)[i].state == LINK_SLOT_IN_FLIGHT)
			link_answer_slot(link, &link_bank(link)[i], -1);
	link_box_down(&link->box, link->connection, link->reason);
	pthread_mutex_unlock(&link->lock);
	link_probe_free(link->probe);
	link->probe = NULL;
	link->window = 0;
	link_watch_down(link);
	link->due_ms = link->now_ms + backoff_ms(link);
	link->failures++;
	link->state = next;
	link->ops.wake(link->ops.ctx);
}

static void GF_PRINTF(2, 3) say(struct gf_link *link, const char *fmt, ...)
{
	va_list args;
	int used = snprintf(link->reason, sizeof link->reason, "%.60s:%u: ", link->config.host, link->config.port);

	va_start(args, fmt);
	vsnprintf(link->reason + used, sizeof link->reason - (size_t)used, fmt, args);
	va_end(args);
}

static void cannot_start(struct gf_link *link)
{
	say(link, "the attempt could not be started; memory may be short");
	drop(link);
	go_down(link, GF_LINK_WAITING);
}

static void call_connect(struct gf_link *link)
{
	struct gf_link_will will = {0};
	bool leaves_will = link->ops.will && link->ops.will(link->ops.ctx, link->connection + 1, &will);

	if (link_paho_connect(link, leaves_will ? &will : NULL) == 0) {
		link->phase = LINK_PHASE_CONNECT;
		link->due_ms = link->now_ms + LINK_ATTEMPT_MS;
		return;
	}
	cannot_start(link);
}

/* Addresses and the machine's own name need no name server. */
static bool needs_name_server(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return strcmp(host, "localhost") != 0 && inet_pton(AF_INET, host, address) != 1 &&
	       inet_pton(AF_INET6, host, address) != 1;
}

static void begin_attempt(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->stats.attempts++;
	link->signals = (struct link_signals){0};
	pthread_mutex_unlock(&link->lock);
	link->state = GF_LINK_CONNECTING;
	link->due_ms = link->now_ms + LINK_RESOLVE_MS;
	link->phase = LINK_PHASE_RESOLVE;
	if (!needs_name_server(link->config.host))
		call_connect(link);
	else if (link_probe_start(&link->config, LINK_PROBE_NAME, link->ops.wake, link->ops.ctx, &link->probe) < 0)
		cannot_start(link); /* not without: Paho would look the name up with its lock held */
}

static void step_resolve(struct gf_link *link)
{
	char failure[sizeof link->reason] = "the name server does not answer; check the network and the DNS";
	bool done = link_probe_done(link->probe, failure, sizeof failure);

	if (!done && link->now_ms < link->due_ms)
		return;
	link_probe_free(link->probe);
	link->probe = NULL;
	if (!failure[0]) {
		call_connect(link);
		return;
	}
	say(link, "%s", failure);
	go_down(link, GF_LINK_WAITING);
}

/* The attempt has ended, or was dropped, without a reason: looks for it. */
static void begin_explaining(struct gf_link *link, const char *fallback)
{
	say(link, "%s", fallback);
	if (link_probe_start(&link->config, LINK_PROBE_ALL, link->ops.wake, link->ops.ctx, &link->probe) < 0) {
		go_down(link, GF_LINK_WAITING);
		return;
	}
	link->phase = LINK_PHASE_EXPLAIN;
	link->due_ms = link->now_ms + EXPLAIN_MS;
}

static void become_up(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link_box_up(&link->box);
	pthread_mutex_unlock(&link->lock);
	link->state = GF_LINK_UP;
	link->up_ms = link->now_ms;
	link->due_ms = INT64_MAX;
	link_watch_up(link);
	link->ops.wake(link->ops.ctx);
}

/* Gives an attempt up that got as far as the CONNACK. */
static void give_up(struct gf_link *link)
{
	drop(link);
	go_down(link, GF_LINK_WAITING);
}

static void fail_subscribing(struct gf_link *link, const struct link_signals *s)
{
	say(link, "%s", s->refusal ? link_reason_mqtt(s->refusal) : "the connection was lost while subscribing");
	give_up(link);
}

static void begin_subscribing(struct gf_link *link, const struct link_signals *s)
{
	link->window = link->config.window_max;
	if (s->receive_max && s->receive_max < link->window)
		link->window = s->receive_max;
	link->phase = LINK_PHASE_SUBSCRIBE;
	link->granted = 0;
	if (link->subs_count == 0) {
		become_up(link);
	} else if (link_paho_subscribe(link) < 0) {
		struct link_signals why = take_signals(link);
		fail_subscribing(link, &why);
	}
}

static void step_connect(struct gf_link *link, const struct link_signals *s)
{
	if ((s->failed || s->lost) && s->refusal) {
		say(link, "%s", link_reason_mqtt(s->refusal));
		go_down(link, GF_LINK_WAITING);
	} else if (s->failed || s->lost) {
		begin_explaining(link, "the broker closed the connection; look into its log");
	} else if (s->connected) {
		begin_subscribing(link, s);
	} else if (link->now_ms >= link->due_ms) {
		drop(link);
		begin_explaining(link, "no answer from the broker; is the port its TLS listener?");
	}
}

static void step_subscribe(struct gf_link *link, const struct link_signals *s)
{
	link->granted += s->granted;
	if (s->failed || s->lost) {
		fail_subscribing(link, s);
	} else if (link->granted >= link->subs_count) {
		become_up(link);
	} else if (link->now_ms >= link->due_ms) {
		say(link, "the broker did not answer the subscriptions");
		give_up(link);
	}
}

static void step_explain(struct gf_link *link)
{
	char found[sizeof link->reason] = "";
	bool done = link_probe_done(link->probe, found, sizeof found);

	if (!done && link->now_ms < link->due_ms)
		return;
	if (found[0])
		say(link, "%s", found);
	go_down(link, GF_LINK_WAITING);
}

static void abandon_attempt(struct gf_link *link)
{
	drop(link);
	say(link, "closed as asked");
	go_down(link, GF_LINK_IDLE);
}

static void step_connecting(struct gf_link *link)
{
	struct link_signals s;

	if (!link->desired) {
		abandon_attempt(link);
		return;
	}
	s = take_signals(link);
	switch (link->phase) {
	case LINK_PHASE_RESOLVE:
		step_resolve(link);
		break;
	case LINK_PHASE_CONNECT:
		step_connect(link, &s);
		break;
	case LINK_PHASE_SUBSCRIBE:
		step_subscribe(link, &s);
		break;
	case LINK_PHASE_EXPLAIN:
		step_explain(link);
		break;
	}
}

static void step_idle(struct gf_link *link)
{
	if (!link->desired)
		return;
	link->state = GF_LINK_WAITING;
	link->due_ms = link->now_ms;
	link->failures = 0;
}

static void step_waiting(struct gf_link *link)
{
	bool owner_reads;

	if (!link->desired) {
		drop(link);
		link->state = GF_LINK_IDLE;
		return;
	}
	if (link->now_ms < link->due_ms)
		return;
	pthread_mutex_lock(&link->lock);
	owner_reads = link_box_accepts_lifecycle(&link->box);
	pthread_mutex_unlock(&link->lock);
	if (owner_reads)
		begin_attempt(link);
	else
		link->due_ms = link->now_ms + GF_LINK_BACKOFF_MIN_MS;
}

static void begin_closing(struct gf_link *link)
{
	say(link, "closed as asked");
	link->state = GF_LINK_CLOSING;
	link->due_ms = link->now_ms + LINK_CLOSE_MS + CLOSE_GRACE_MS;
	if (link_paho_disconnect(link) < 0)
		link->due_ms = link->now_ms;
}

/* Not every broker tells the one that it cuts for another with the same id. */
static const char *silent_loss(const struct gf_link *link)
{
	return link->failures == 0
	           ? "the broker or the network went away; trying again"
	           : "cut once more soon after it came up: a bad network, or does a second process use this "
	             "certificate? trying again";
}

static void step_up(struct gf_link *link)
{
	struct link_signals s;

	if (!link->desired) {
		begin_closing(link);
		return;
	}
	s = take_signals(link);
	link_watch_signals(link, &s);
	if (!s.lost)
		return;
	if (link->now_ms - link->up_ms >= STABLE_MS)
		link->failures = 0;
	say(link, "connection lost: %s", s.refusal ? link_reason_mqtt(s.refusal) : silent_loss(link));
	go_down(link, GF_LINK_WAITING);
}

static void step_closing(struct gf_link *link)
{
	struct link_signals s = take_signals(link);

	if (!s.closed && !s.lost && link->now_ms < link->due_ms)
		return;
	drop(link);
	go_down(link, GF_LINK_IDLE);
}

int64_t gf_link_step(struct gf_link *link, int64_t mono_ms)
{
	static void (*const STEP[])(struct gf_link *) = {
	    [GF_LINK_IDLE] = step_idle, [GF_LINK_WAITING] = step_waiting, [GF_LINK_CONNECTING] = step_connecting,
	    [GF_LINK_UP] = step_up,     [GF_LINK_CLOSING] = step_closing,
	};
	enum gf_link_state before;

	link->now_ms = mono_ms;
	do {
		before = link->state;
		STEP[before](link);
	} while (link->state != before);
	return link->state == GF_LINK_IDLE ? INT64_MAX : link->due_ms;
}

void gf_link_renew(struct gf_link *link)
{
	if (link->state == GF_LINK_UP)
		link_paho_renew(link);
}

void gf_link_start(struct gf_link *link)
{
	link->desired = true;
}

void gf_link_stop(struct gf_link *link)
{
	link->desired = false;
}

enum gf_link_state gf_link_state(const struct gf_link *link)
{
	return link->state;
}

bool gf_link_next(struct gf_link *link, struct gf_link_event *ret_event)
{
	struct link_item item;
	bool found;

	pthread_mutex_lock(&link->lock);
	found = link_box_next(&link->box, &item);
	if (found && item.kind == GF_LINK_EVENT_PUBLISHED)
		link->slots[item.connection & 1][item.slot].state = LINK_SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
	if (!found)
		return link_watch_next(link, ret_event);
	*ret_event = (struct gf_link_event){
	    .kind = item.kind,
	    .connection = item.connection,
	    .cookie = item.cookie,
	    .code = item.code,
	    .retained = item.retained,
	    .payload = item.payload,
	    .len = item.len,
	};
	if (item.kind == GF_LINK_EVENT_DOWN) {
		gf_strcpy(ret_event->reason, sizeof ret_event->reason, item.text ? item.text : "memory is short");
		free(item.text);
	} else {
		ret_event->topic = item.text;
	}
	return true;
}

void gf_link_event_deinit(struct gf_link_event *event)
{
	free(event->topic);
	free(event->payload);
	event->topic = NULL;
	event->payload = NULL;
}

/* With the lock held. */
static unsigned free_slots(struct gf_link *link)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < GF_LINK_WINDOW_MAX; i++)
		taken += link_bank(link)[i].state != LINK_SLOT_FREE;
	return taken < link->window ? link->window - taken : 0;
}

unsigned gf_link_window(const struct gf_link *link)
{
	struct gf_link *l = (struct gf_link *)link; /* the lock changes, the link doesn't */
	unsigned n;

	if (link->state != GF_LINK_UP)
		return 0;
	pthread_mutex_lock(&l->lock);
	n = free_slots(l);
	pthread_mutex_unlock(&l->lock);
	return n;
}

static struct link_slot *take_slot(struct gf_link *link, uint64_t cookie)
{
	struct link_slot *slot = NULL;

	pthread_mutex_lock(&link->lock);
	if (free_slots(link) > 0) {
		slot = link_bank(link);
		while (slot->state != LINK_SLOT_FREE)
			slot++;
		slot->state = LINK_SLOT_IN_FLIGHT;
		slot->cookie = cookie;
	}
	pthread_mutex_unlock(&link->lock);
	return slot;
}

static void give_back(struct gf_link *link, struct link_slot *slot)
{
	pthread_mutex_lock(&link->lock);
	slot->state = LINK_SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
}

int gf_link_publish(struct gf_link *link, const char *topic, const void *payload, size_t len, int qos, bool retain,
                    uint32_t expiry_s, uint64_t cookie)
{
	struct link_slot *slot = NULL;
	int r;

	if (link->state != GF_LINK_UP)
		return -ENOTCONN;
	if (len > link->config.packet_max)
		return -EMSGSIZE;
	if (qos > 0) {
		slot = take_slot(link, cookie);
		if (!slot)
			return -EAGAIN;
	}
	r = link_paho_send(link, topic, payload, len, retain, expiry_s, slot);
	if (r < 0 && slot)
		give_back(link, slot);
	return r;
}

struct gf_link_stats gf_link_stats(const struct gf_link *link)
{
	struct gf_link *l = (struct gf_link *)link;
	struct gf_link_stats stats;

	pthread_mutex_lock(&l->lock);
	stats = l->stats;
	pthread_mutex_unlock(&l->lock);
	return stats;
}

int gf_link_subscribe(struct gf_link *link, const char *filter, int qos)
{
	char *copy;

	if (link->subs_count == GF_LINK_SUBS_MAX)
		return -ENOSPC;
	copy = strdup(filter);
	if (!copy)
		return -ENOMEM;
	link->subs[link->subs_count++] = (struct link_subscription){.filter = copy, .qos = qos};
	return 0;
}

static bool copy_config(struct gf_link *link, const struct gf_link_config *config)
{
	link->config = *config;
	link->config.host = strdup(config->host);
	link->config.client_id = strdup(config->client_id);
	link->config.ca_file = strdup(config->ca_file);
	link->config.cert_file = strdup(config->cert_file);
	link->config.key_file = strdup(config->key_file);
	return link->config.host && link->config.client_id && link->config.ca_file && link->config.cert_file &&
	       link->config.key_file;
}

static int check_config(const struct gf_link_config *config, struct gf_diag *diag)
{
	if (!config->host || !*config->host || strlen(config->host) > 253 || config->port == 0) {
		gf_diag_set(diag, "the broker's host or port is missing: set both");
		return -EINVAL;
	}
	if (!config->client_id || !*config->client_id) {
		gf_diag_set(diag, "the client id is missing: it is the certificate's common name");
		return -EINVAL;
	}
	if (config->window_max < 1 || config->window_max > GF_LINK_WINDOW_MAX || config->mailbox_max < 1 ||
	    config->keepalive_s < 1 || config->packet_max < 1) {
		gf_diag_set(diag, "the link's limits are wrong: window 1..%d, mailbox, keep-alive and packet above 0",
		            GF_LINK_WINDOW_MAX);
		return -EINVAL;
	}
	return link_cert_check(config, diag, NULL);
}

int gf_link_new(const struct gf_link_config *config, const struct gf_link_ops *ops, struct gf_link **ret_link,
                struct gf_diag *diag)
{
	struct gf_link *link;
	int r = check_config(config, diag);

	if (r < 0)
		return r;
	link = calloc(1, sizeof *link);
	if (!link)
		return -ENOMEM;
	pthread_mutex_init(&link->lock, NULL);
	link->ops = *ops;
	for (unsigned i = 0; i < 2 * GF_LINK_WINDOW_MAX; i++)
		link->slots[i / GF_LINK_WINDOW_MAX][i % GF_LINK_WINDOW_MAX].link = link;
	if (!copy_config(link, config) || link_box_init(&link->box, config->mailbox_max) < 0) {
		gf_link_free(link);
		return -ENOMEM;
	}
	*ret_link = link;
	return 0;
}

void gf_link_free(struct gf_link *link)
{
	if (!link)
		return;
	drop(link);
	link_probe_free(link->probe);
	link_box_deinit(&link->box);
	link_watch_deinit(link);
	for (unsigned i = 0; i < link->subs_count; i++)
		free(link->subs[i].filter);
	free(link->config.host);
	free(link->config.client_id);
	free(link->config.ca_file);
	free(link->config.cert_file);
	free(link->config.key_file);
	pthread_mutex_destroy(&link->lock);
	free(link);
}
