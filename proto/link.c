/*
 * Happy path: gf_link_step finds the attempt due, asks the owner for the will and calls MQTTAsync_connect. Paho's thread
 * reports the CONNACK (on_connected: a place for UP is reserved in the mailbox) and wakes the owner; the next step makes the
 * subscriptions, one call each; when the last is granted the reserved place becomes UP. Publishes of QoS 1 take a slot,
 * which comes back with its PUBLISHED event.
 *
 * Failure modes. An attempt that fails or passes its deadline is followed by a probe (link_probe.h) that finds the reason; then DOWN,
 * and WAITING. A connection that is lost reports every publish still in flight with code -1, then DOWN. When Paho
 * doesn't answer in time its handle is destroyed: no callback of that handle comes after that.
 *
 * Locks: Paho calls us under its own process-wide mutex, and we take link->lock inside. So nothing here calls Paho with
 * link->lock held, and no callback does more than copy.
 */
#include "proto/link.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"
#include "proto/base/text.h"
#include "proto/link_box.h"
#include "proto/link_cert.h"
#include "proto/link_probe.h"
#include "proto/link_reason.h"

enum {
	ATTEMPT_MS = 10000,      /* from CONNECT to the last SUBACK */
	EXPLAIN_MS = 8000,       /* for the probe */
	CLOSE_MS = 1000,         /* for a graceful end */
	CLOSE_GRACE_MS = 250,    /* what Paho takes to tell us of it */
	STABLE_MS = 10000,       /* a connection this old makes the backoff start over */
	BACKOFF_DOUBLINGS = 7,   /* 250 ms * 2^7 is beyond the maximum */
	QOS0_WAITING_MAX = 1024, /* messages that Paho holds when the socket is slow */
	PACKET_OVERHEAD = 512,   /* topic and properties around a payload */
	REASON_MAX = 200,
};

enum phase {
	PHASE_CONNECT,
	PHASE_SUBSCRIBE,
	PHASE_EXPLAIN,
};

struct subscription {
	char *filter;
	int qos;
};

/* A publish of QoS 1 from MQTTAsync_send to gf_link_next. Its address is Paho's context for it. */
struct slot {
	struct gf_link *link;
	uint64_t cookie;
	enum { SLOT_FREE, SLOT_IN_FLIGHT, SLOT_ANSWERED } state;
};

/* What Paho's threads saw since the last step. */
struct signals {
	bool connected, failed, lost, closed;
	unsigned granted; /* subscriptions */
	int refusal;      /* MQTT 5 reason code, 0: none */
	unsigned receive_max;
};

struct gf_link {
	struct gf_link_config config;
	struct gf_link_ops ops;
	char uri[300];
	struct subscription subs[GF_LINK_SUBS_MAX];
	unsigned subs_count;

	bool desired;
	enum gf_link_state state;
	enum phase phase;
	MQTTAsync handle;
	struct link_probe *probe;
	int64_t now_ms, due_ms, up_ms;
	unsigned failures; /* since the last stable connection */
	unsigned window;
	uint64_t connection; /* the current one's number, or the last one's */
	char reason[REASON_MAX];

	pthread_mutex_t lock; /* guards what follows */
	struct signals signals;
	struct link_box box;
	/* Paho may answer a publish of a lost connection late: it then hits the bank that is not in use. */
	struct slot slots[2][GF_LINK_WINDOW_MAX];
	struct gf_link_stats stats;
};

static struct slot *bank(struct gf_link *link)
{
	return link->slots[link->connection & 1];
}

/* --- Paho's threads: copy, signal, wake --- */

static void raise_signal(struct gf_link *link, const struct signals *s)
{
	pthread_mutex_lock(&link->lock);
	link->signals.connected |= s->connected;
	link->signals.failed |= s->failed;
	link->signals.lost |= s->lost;
	link->signals.closed |= s->closed;
	link->signals.granted += s->granted;
	if (s->refusal)
		link->signals.refusal = s->refusal;
	if (s->receive_max)
		link->signals.receive_max = s->receive_max;
	pthread_mutex_unlock(&link->lock);
	link->ops.wake(link->ops.ctx);
}

static void on_connected(void *context, MQTTAsync_successData5 *response)
{
	struct gf_link *link = context;
	struct signals s = {.connected = true};

	if (response && MQTTProperties_hasProperty(&response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)) {
		int max = MQTTProperties_getNumericValue(&response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
		s.receive_max = max > 0 ? (unsigned)max : 0;
	}
	pthread_mutex_lock(&link->lock);
	link->connection++;
	link->stats.connects++;
	link_box_reserve_up(&link->box, link->connection);
	pthread_mutex_unlock(&link->lock);
	raise_signal(link, &s);
}

static int refusal_of(const MQTTAsync_failureData5 *response)
{
	return response && response->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)response->reasonCode : 0;
}

static void on_connect_failed(void *context, MQTTAsync_failureData5 *response)
{
	raise_signal(context, &(struct signals){.failed = true, .refusal = refusal_of(response)});
}

static void on_lost(void *context, char *cause)
{
	(void)cause; /* never set by this version */
	raise_signal(context, &(struct signals){.lost = true});
}

/* The broker's DISCONNECT. */
static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes code)
{
	(void)properties;
	raise_signal(context,
	             &(struct signals){.lost = true, .refusal = code >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)code : 0});
}

static void on_subscribed(void *context, MQTTAsync_successData5 *response)
{
	bool refused = response->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR;

	raise_signal(context, refused ? &(struct signals){.failed = true, .refusal = (int)response->reasonCode}
	                              : &(struct signals){.granted = 1});
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData5 *response)
{
	raise_signal(context, &(struct signals){.failed = true, .refusal = refusal_of(response)});
}

static void on_closed(void *context, MQTTAsync_successData5 *response)
{
	(void)response;
	raise_signal(context, &(struct signals){.closed = true});
}

static void on_close_failed(void *context, MQTTAsync_failureData5 *response)
{
	(void)response;
	raise_signal(context, &(struct signals){.closed = true});
}

/* With the lock held. */
static void answer_slot(struct gf_link *link, struct slot *slot, int code)
{
	slot->state = SLOT_ANSWERED;
	link_box_published(&link->box, link->connection, (unsigned)(slot - bank(link)), slot->cookie, code);
}

static void on_answer(struct slot *slot, int code)
{
	struct gf_link *link = slot->link;
	bool current;

	pthread_mutex_lock(&link->lock);
	current = slot->state == SLOT_IN_FLIGHT && slot >= bank(link) && slot < bank(link) + GF_LINK_WINDOW_MAX;
	if (current) {
		answer_slot(link, slot, code);
		link->stats.published += code >= 0 && code < MQTTREASONCODE_UNSPECIFIED_ERROR;
	}
	pthread_mutex_unlock(&link->lock);
	if (current)
		link->ops.wake(link->ops.ctx);
}

static void on_published(void *context, MQTTAsync_successData5 *response)
{
	on_answer(context, response ? (int)response->reasonCode : 0);
}

static void on_publish_failed(void *context, MQTTAsync_failureData5 *response)
{
	int refusal = refusal_of(response);

	on_answer(context, refusal ? refusal : -1);
}

/* Always takes the message: refusing it would make Paho deliver it again and again, in the way of all others. */
static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
	struct gf_link *link = context;
	size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;

	pthread_mutex_lock(&link->lock);
	if (len > link->config.packet_max)
		link->stats.too_large++;
	else if (link_box_message(&link->box, link->connection, topic, topic_len > 0 ? (size_t)topic_len : strlen(topic),
	                          message->payload, len, message->retained))
		link->stats.received++;
	else
		link->stats.dropped++;
	pthread_mutex_unlock(&link->lock);
	link->ops.wake(link->ops.ctx);
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

/* --- the owner's thread --- */

static struct signals take_signals(struct gf_link *link)
{
	struct signals s;

	pthread_mutex_lock(&link->lock);
	s = link->signals;
	link->signals = (struct signals){0};
	pthread_mutex_unlock(&link->lock);
	return s;
}

static void drop_handle(struct gf_link *link)
{
	if (link->handle)
		MQTTAsync_destroy(&link->handle);
	link->handle = NULL;
	take_signals(link);
}

static int make_handle(struct gf_link *link)
{
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;

	if (link->handle)
		return 0;
	options.sendWhileDisconnected = 0;
	options.maxBufferedMessages = QOS0_WAITING_MAX;
	if (MQTTAsync_createWithOptions(&link->handle, link->uri, link->config.client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL,
	                                &options) != MQTTASYNC_SUCCESS) {
		link->handle = NULL;
		return -ENOMEM;
	}
	if (MQTTAsync_setCallbacks(link->handle, link, on_lost, on_message, NULL) == MQTTASYNC_SUCCESS &&
	    MQTTAsync_setDisconnected(link->handle, link, on_disconnected) == MQTTASYNC_SUCCESS)
		return 0;
	drop_handle(link);
	return -EIO;
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
		if (bank(link)[i].state == SLOT_IN_FLIGHT)
			answer_slot(link, &bank(link)[i], -1);
	link_box_down(&link->box, link->connection, link->reason);
	pthread_mutex_unlock(&link->lock);
	link_probe_free(link->probe);
	link->probe = NULL;
	link->window = 0;
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

static bool call_connect(struct gf_link *link, MQTTAsync_willOptions *will)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTProperty session_expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
	MQTTProperty packet_max = {.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE};
	bool ok;

	session_expiry.value.integer4 = 0;
	packet_max.value.integer4 = (unsigned)(link->config.packet_max + PACKET_OVERHEAD);
	if (MQTTProperties_add(&properties, &session_expiry) != 0 || MQTTProperties_add(&properties, &packet_max) != 0) {
		MQTTProperties_free(&properties);
		return false;
	}
	tls.trustStore = link->config.ca_file;
	tls.keyStore = link->config.cert_file;
	tls.privateKey = link->config.key_file;
	tls.enableServerCertAuth = 1;
	tls.verify = 1;
	tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
	tls.disableDefaultTrustStore = 1;
	options.keepAliveInterval = (int)link->config.keepalive_s;
	options.cleanstart = 1;
	options.maxInflight = GF_LINK_WINDOW_MAX + 1; /* ours is the window; Paho's crawls when it is reached */
	options.connectTimeout = ATTEMPT_MS / 1000;
	options.ssl = &tls;
	options.will = will;
	options.connectProperties = &properties;
	options.context = link;
	options.onSuccess5 = on_connected;
	options.onFailure5 = on_connect_failed;
	ok = MQTTAsync_connect(link->handle, &options) == MQTTASYNC_SUCCESS;
	MQTTProperties_free(&properties);
	return ok;
}

static bool call_connect_with_will(struct gf_link *link)
{
	MQTTAsync_willOptions options = MQTTAsync_willOptions_initializer;
	struct gf_link_will will = {0};

	if (!link->ops.will || !link->ops.will(link->ops.ctx, link->connection + 1, &will))
		return call_connect(link, NULL);
	options.topicName = will.topic;
	options.payload.data = will.payload;
	options.payload.len = (int)will.len;
	options.qos = 1;
	options.retained = will.retained;
	return call_connect(link, &options);
}

static void begin_attempt(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->stats.attempts++;
	link->signals = (struct signals){0};
	pthread_mutex_unlock(&link->lock);
	if (make_handle(link) == 0 && call_connect_with_will(link)) {
		link->state = GF_LINK_CONNECTING;
		link->phase = PHASE_CONNECT;
		link->due_ms = link->now_ms + ATTEMPT_MS;
		return;
	}
	say(link, "the attempt could not be started; memory may be short");
	drop_handle(link);
	go_down(link, GF_LINK_WAITING);
}

/* Drops what is left of the attempt and looks for the reason. */
static void begin_explaining(struct gf_link *link, const char *fallback)
{
	say(link, "%s", fallback);
	if (link_probe_start(&link->config, link->ops.wake, link->ops.ctx, &link->probe) < 0) {
		go_down(link, GF_LINK_WAITING);
		return;
	}
	link->phase = PHASE_EXPLAIN;
	link->due_ms = link->now_ms + EXPLAIN_MS;
}

static bool call_subscribe(struct gf_link *link)
{
	for (unsigned i = 0; i < link->subs_count; i++) {
		MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
		options.context = link;
		options.onSuccess5 = on_subscribed;
		options.onFailure5 = on_subscribe_failed;
		if (MQTTAsync_subscribe(link->handle, link->subs[i].filter, link->subs[i].qos, &options) != MQTTASYNC_SUCCESS)
			return false;
	}
	return true;
}

static void become_up(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link_box_up(&link->box);
	pthread_mutex_unlock(&link->lock);
	link->state = GF_LINK_UP;
	link->up_ms = link->now_ms;
	link->due_ms = INT64_MAX;
	link->ops.wake(link->ops.ctx);
}

/* Gives an attempt up that got as far as the CONNACK. */
static void give_up(struct gf_link *link)
{
	drop_handle(link);
	go_down(link, GF_LINK_WAITING);
}

static unsigned granted_so_far(struct gf_link *link, const struct signals *s)
{
	pthread_mutex_lock(&link->lock);
	link->signals.granted += s->granted; /* they are counted over several steps */
	unsigned granted = link->signals.granted;
	pthread_mutex_unlock(&link->lock);
	return granted;
}

static void begin_subscribing(struct gf_link *link, const struct signals *s)
{
	link->window = link->config.window_max;
	if (s->receive_max && s->receive_max < link->window)
		link->window = s->receive_max;
	link->phase = PHASE_SUBSCRIBE;
	if (link->subs_count == 0) {
		become_up(link);
	} else if (!call_subscribe(link)) {
		say(link, "the connection was lost while subscribing");
		give_up(link);
	}
}

static void step_connect(struct gf_link *link, const struct signals *s)
{
	if (s->failed && s->refusal) {
		say(link, "%s", link_reason_mqtt(s->refusal));
		go_down(link, GF_LINK_WAITING);
	} else if (s->failed || s->lost) {
		begin_explaining(link, "the broker closed the connection; look into its log");
	} else if (s->connected) {
		begin_subscribing(link, s);
	} else if (link->now_ms >= link->due_ms) {
		drop_handle(link);
		begin_explaining(link, "no answer from the broker; is the port its TLS listener?");
	}
}

static void step_subscribe(struct gf_link *link, const struct signals *s)
{
	if (s->failed || s->lost) {
		say(link, "%s", s->refusal ? link_reason_mqtt(s->refusal) : "the connection was lost while subscribing");
		give_up(link);
	} else if (granted_so_far(link, s) >= link->subs_count) {
		become_up(link);
	} else if (link->now_ms >= link->due_ms) {
		say(link, "the broker did not answer the subscriptions");
		give_up(link);
	}
}

static void step_explain(struct gf_link *link)
{
	char found[REASON_MAX] = "";
	bool done = link_probe_done(link->probe, found, sizeof found);

	if (!done && link->now_ms < link->due_ms)
		return;
	if (found[0])
		say(link, "%s", found);
	go_down(link, GF_LINK_WAITING);
}

static void abandon_attempt(struct gf_link *link)
{
	drop_handle(link);
	say(link, "closed as asked");
	go_down(link, GF_LINK_IDLE);
}

static void step_connecting(struct gf_link *link)
{
	struct signals s;

	if (!link->desired) {
		abandon_attempt(link);
		return;
	}
	s = take_signals(link);
	switch (link->phase) {
	case PHASE_CONNECT:
		step_connect(link, &s);
		break;
	case PHASE_SUBSCRIBE:
		step_subscribe(link, &s);
		break;
	case PHASE_EXPLAIN:
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
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

	options.timeout = CLOSE_MS; /* for what is in flight */
	options.context = link;
	options.onSuccess5 = on_closed;
	options.onFailure5 = on_close_failed;
	say(link, "closed as asked");
	link->state = GF_LINK_CLOSING;
	link->due_ms = link->now_ms + CLOSE_MS + CLOSE_GRACE_MS;
	if (MQTTAsync_disconnect(link->handle, &options) != MQTTASYNC_SUCCESS)
		link->due_ms = link->now_ms;
}

static void step_up(struct gf_link *link)
{
	struct signals s;

	if (!link->desired) {
		begin_closing(link);
		return;
	}
	s = take_signals(link);
	if (!s.lost)
		return;
	if (link->now_ms - link->up_ms >= STABLE_MS)
		link->failures = 0;
	say(link, "connection lost: %s",
	    s.refusal ? link_reason_mqtt(s.refusal) : "the broker or the network went away; trying again");
	go_down(link, GF_LINK_WAITING);
}

static void step_closing(struct gf_link *link)
{
	struct signals s = take_signals(link);

	if (!s.closed && !s.lost && link->now_ms < link->due_ms)
		return;
	drop_handle(link);
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
		link->slots[item.connection & 1][item.slot].state = SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
	if (!found)
		return false;
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
		taken += bank(link)[i].state != SLOT_FREE;
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

static struct slot *take_slot(struct gf_link *link, uint64_t cookie)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&link->lock);
	if (free_slots(link) > 0) {
		slot = bank(link);
		while (slot->state != SLOT_FREE)
			slot++;
		slot->state = SLOT_IN_FLIGHT;
		slot->cookie = cookie;
	}
	pthread_mutex_unlock(&link->lock);
	return slot;
}

static void give_back(struct gf_link *link, struct slot *slot)
{
	pthread_mutex_lock(&link->lock);
	slot->state = SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
}

static int send_error(int paho)
{
	switch (paho) {
	case MQTTASYNC_SUCCESS:
		return 0;
	case MQTTASYNC_DISCONNECTED:
		return -ENOTCONN;
	case MQTTASYNC_MAX_BUFFERED_MESSAGES:
	case MQTTASYNC_NO_MORE_MSGIDS:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

static int call_send(struct gf_link *link, const char *topic, MQTTAsync_message *message, uint32_t expiry_s,
                     struct slot *slot)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL};
	int r;

	if (slot) {
		options.context = slot;
		options.onSuccess5 = on_published;
		options.onFailure5 = on_publish_failed;
	}
	expiry.value.integer4 = expiry_s;
	if (expiry_s > 0 && MQTTProperties_add(&message->properties, &expiry) != 0)
		return -ENOMEM;
	r = MQTTAsync_sendMessage(link->handle, topic, message, &options);
	MQTTProperties_free(&message->properties);
	return send_error(r);
}

int gf_link_publish(struct gf_link *link, const char *topic, const void *payload, size_t len, int qos, bool retain,
                    uint32_t expiry_s, uint64_t cookie)
{
	MQTTAsync_message message = MQTTAsync_message_initializer;
	struct slot *slot = NULL;
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
	message.payload = (void *)payload; /* Paho copies it */
	message.payloadlen = (int)len;
	message.qos = qos > 0;
	message.retained = retain;
	r = call_send(link, topic, &message, expiry_s, slot);
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
	link->subs[link->subs_count++] = (struct subscription){.filter = copy, .qos = qos};
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
	return link_cert_check(config, diag);
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
	snprintf(link->uri, sizeof link->uri, strchr(config->host, ':') ? "ssl://[%s]:%u" : "ssl://%s:%u", config->host,
	         config->port);
	*ret_link = link;
	return 0;
}

void gf_link_free(struct gf_link *link)
{
	if (!link)
		return;
	drop_handle(link);
	link_probe_free(link->probe);
	link_box_deinit(&link->box);
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
