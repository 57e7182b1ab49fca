/*
 * The state machine of the link (link.h draws it): where it stands, and what takes it on.
 *
 * Happy path: gf_link_step finds the attempt due, has the name resolved, asks the owner for the will and lets link_paho.c connect. Paho's thread
 * reports the CONNACK (link_on_connected: a place for UP is reserved in the mailbox) and wakes the owner; the next step makes the
 * subscriptions, one call each; when the last is granted the reserved place becomes UP. Publishes of QoS 1 take a slot,
 * which comes back with its PUBLISHED event.
 *
 * Failure modes. An attempt that fails or passes its deadline is followed by a probe (link_probe.h) that finds the reason; then DOWN,
 * and WAITING. A connection that is lost reports every publish still in flight with code -1, then DOWN. When Paho
 * doesn't answer in time its handle is destroyed: no callback of that handle comes after that.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/rand.h"
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

/*
 * Thousands that begin together, after a power cut say, can ask more handshakes of a broker than it has done by the deadline. They would all
 * be given up half done, and begun again, for ever: so the next attempt has longer.
 */
static int64_t attempt_ms(const struct gf_link *link)
{
	int64_t ms = LINK_ATTEMPT_MS;

	for (unsigned i = 0; i < link->late && ms < LINK_ATTEMPT_MAX_MS; i++)
		ms *= 2;
	return ms < LINK_ATTEMPT_MAX_MS ? ms : LINK_ATTEMPT_MAX_MS;
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
		link->due_ms = link->now_ms + attempt_ms(link);
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

/* A probe is one more handshake: of a broker that has too many already, only the first time. */
static void be_late(struct gf_link *link)
{
	drop(link);
	if (link->late++ == 0) {
		begin_explaining(link, "no answer from the broker; is the port its TLS listener?");
		return;
	}
	say(link, "still no answer from the broker; is it on, and has it more to do than it can?");
	go_down(link, GF_LINK_WAITING);
}

static void become_up(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link_box_up(&link->box);
	pthread_mutex_unlock(&link->lock);
	link->state = GF_LINK_UP;
	link->late = 0;
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
	if (s->failed || s->lost)
		link->late = 0;
	if ((s->failed || s->lost) && s->refusal) {
		say(link, "%s", link_reason_mqtt(s->refusal));
		go_down(link, GF_LINK_WAITING);
	} else if (s->failed || s->lost) {
		begin_explaining(link, "the broker closed the connection; look into its log");
	} else if (s->connected) {
		begin_subscribing(link, s);
	} else if (link->now_ms >= link->due_ms) {
		be_late(link);
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
		link->late++;
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
	link->late = 0;
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
	link->disconnects = false;
	link->due_ms = link->now_ms + LINK_CLOSE_MS;
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

/* Paho would wait for these itself, but looks for them only every three seconds. */
static bool awaits_answers(struct gf_link *link)
{
	bool awaits = false;

	pthread_mutex_lock(&link->lock);
	for (unsigned i = 0; i < GF_LINK_WINDOW_MAX; i++)
		awaits = awaits || link_bank(link)[i].state == LINK_SLOT_IN_FLIGHT;
	pthread_mutex_unlock(&link->lock);
	return awaits;
}

static void disconnect(struct gf_link *link)
{
	link->disconnects = true;
	/* From now on, when the owner was held up: dropped at once, the broker would hear of no end, and tell the will. */
	link->due_ms = (link->due_ms > link->now_ms ? link->due_ms : link->now_ms) + CLOSE_GRACE_MS;
	if (link_paho_disconnect(link) < 0)
		link->due_ms = link->now_ms;
}

static void step_closing(struct gf_link *link)
{
	struct link_signals s = take_signals(link);

	if (!s.closed && !s.lost && !link->disconnects && (link->now_ms >= link->due_ms || !awaits_answers(link)))
		disconnect(link);
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
