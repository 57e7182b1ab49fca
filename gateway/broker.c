#include "gateway/broker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/codec.h"
#include "proto/topic.h"

enum { COMMIT_RETRY_MS = 1000, TAKE_MAX = 4 * INGEST_BATCH_MAX };

struct broker {
	struct gf_link *in, *out;
	struct ingest *ingest;
	struct downlink *downlink;
	struct tell *tell; /* NULL: events are told to nobody */
	void (*wake)(void *ctx);
	void *wake_ctx;
	uint64_t epoch;
	struct gf_time now; /* of the step under way */
	bool in_up, out_up, stopping;
	int64_t changed_ms, listening_since_ms, retry_at_ms;
	uint64_t acks_unsent;
	uint64_t unkept; /* of ingest, when it was logged last */
	char reason[200];
	struct gf_log_limit commit_log, unkept_log, down_log;
};

static void wake_owner(void *ctx)
{
	const struct broker *b = ctx;
	b->wake(b->wake_ctx);
}

static void encode_status(const struct broker *b, bool up, uint64_t wall_ms, unsigned char *buf, size_t size,
                          size_t *len)
{
	struct gf_gateway_status status = {.up = up, .epoch = b->epoch, .wall_ms = wall_ms};
	gf_strcpy(status.version, sizeof(status.version), GF_VERSION);
	*len = 0;
	if (gf_gateway_status_encode(&status, buf, size, len) != 0)
		*len = 0;
}

static bool make_will(void *ctx, uint64_t connection, struct gf_link_will *ret_will)
{
	(void)connection;
	ret_will->topic = GF_TOPIC_GATEWAY_STATUS;
	ret_will->retained = true;
	encode_status(ctx, false, 0, ret_will->payload, sizeof(ret_will->payload), &ret_will->len);
	return ret_will->len > 0;
}

static void publish_status(struct broker *b, bool up)
{
	unsigned char buf[128];
	size_t len;
	encode_status(b, up, (uint64_t)b->now.wall_ms, buf, sizeof(buf), &len);
	if (len == 0 || gf_link_publish(b->out, GF_TOPIC_GATEWAY_STATUS, buf, len, 1, true, 0, 0) != 0)
		gf_log(GF_LOG_WARNING, "broker", "the gateway's own status was not sent");
}

static void publish_ack(void *ctx, const char *device, const void *ack, size_t len)
{
	struct broker *b = ctx;
	char topic[GF_TOPIC_MAX];
	if (gf_link_publish(b->out, gf_topic_device(topic, device, GF_TOPIC_ACK), ack, len, 0, false, 0, 0) != 0)
		b->acks_unsent++;
}

/* ---- the downlink's way to the link ---- */

static int publish_wish(void *ctx, const char *topic, const void *payload, size_t len, bool retain, uint32_t expiry_s,
                        uint64_t cookie)
{
	struct broker *b = ctx;
	return gf_link_publish(b->out, topic, payload, len, 1, retain, expiry_s, cookie);
}

static unsigned wish_window(void *ctx)
{
	struct broker *b = ctx;
	return gf_link_window(b->out);
}

/* ---- events ---- */

void broker_tell(struct broker *broker, struct tell *tell)
{
	broker->tell = tell;
}

int broker_publish_event(void *broker, const char *topic, const void *payload, size_t len, uint64_t cookie)
{
	const struct broker *b = broker;
	return gf_link_publish(b->out, topic, payload, len, 1, false, 0, cookie);
}

unsigned broker_event_window(void *broker)
{
	const struct broker *b = broker;
	return gf_link_window(b->out);
}

static void tell_of(struct broker *b, bool up)
{
	if (b->tell != NULL)
		tell_up(b->tell, up);
}

/* ---- what comes in ---- */

static void log_unkept(struct broker *b)
{
	struct ingest_state state;
	ingest_state_get(b->ingest, &state);
	if (state.unkept == b->unkept)
		return;
	b->unkept = state.unkept;
	gf_log_limited(&b->unkept_log, b->now.mono_ms, GF_LOG_ERROR, "ingest",
	               "a message was dropped, not acknowledged: %s", state.last_unkept.text);
}

/* Commits the batch. When the store refuses, nothing is acked and the batch waits; what comes meanwhile comes again. */
static int commit(struct broker *b)
{
	struct gf_diag diag = {{0}};
	int r = ingest_commit(b->ingest, b->now.wall_ms, &diag);
	if (r != 0) {
		b->retry_at_ms = b->now.mono_ms + COMMIT_RETRY_MS;
		gf_log_limited(&b->commit_log, b->now.mono_ms, GF_LOG_ERROR, "ingest", "nothing is acknowledged: %s",
		               diag.text);
	}
	log_unkept(b);
	return r;
}

/* False: enough for this step. A commit that left messages was a long one, and the watchdog wants to hear of the loop. */
static bool take_message(struct broker *b, const struct gf_link_event *event)
{
	bool left = false;
	int r = INGEST_E_FULL;
	for (int attempt = 0; attempt < 2 && r == INGEST_E_FULL; attempt++) {
		if (attempt > 0 && commit(b) != 0)
			return true;
		left = attempt > 0 && ingest_pending(b->ingest) > 0;
		r = ingest_message(b->ingest, event->topic, strlen(event->topic), event->payload, event->len, event->retained,
		                   b->now.wall_ms);
	}
	return !left;
}

static void note_change(struct broker *b, bool *up, bool is_up, const char *reason)
{
	if (*up != is_up)
		b->changed_ms = b->now.wall_ms;
	*up = is_up;
	gf_strcpy(b->reason, sizeof(b->reason), reason);
}

static void link_up(struct broker *b, const struct gf_link *link)
{
	if (link == b->in) {
		b->listening_since_ms = b->now.wall_ms;
		return;
	}
	publish_status(b, true);
	if (b->stopping)
		return;
	downlink_up(b->downlink);
	tell_of(b, true);
}

static void link_down(struct broker *b, const struct gf_link *link)
{
	if (link == b->in) {
		b->listening_since_ms = 0;
		return;
	}
	downlink_down(b->downlink);
	tell_of(b, false);
}

/* Drains one link's mailbox, at most TAKE_MAX events; true when more may wait. */
static bool take_events(struct broker *b, struct gf_link *link, bool *up, const char *direction)
{
	struct gf_link_event event;
	bool enough = false;
	for (size_t taken = 0; taken < TAKE_MAX && !enough; taken++) {
		if (!gf_link_next(link, &event))
			return false;
		switch (event.kind) {
		case GF_LINK_EVENT_UP:
			note_change(b, up, true, "");
			gf_log(GF_LOG_NOTICE, "broker", "connected (%s)", direction);
			link_up(b, link);
			break;
		case GF_LINK_EVENT_DOWN:
			note_change(b, up, false, event.reason);
			link_down(b, link);
			if (!b->stopping)
				gf_log_limited(&b->down_log, b->now.mono_ms, GF_LOG_WARNING, "broker", "not connected (%s): %s",
				               direction, event.reason);
			break;
		case GF_LINK_EVENT_MESSAGE:
			enough = !take_message(b, &event);
			break;
		case GF_LINK_EVENT_PUBLISHED:
			/* Each knows its own cookies. */
			downlink_published(b->downlink, event.cookie, event.code);
			if (b->tell != NULL)
				tell_published(b->tell, event.cookie, event.code);
			break;
		case GF_LINK_EVENT_WATCHED:
			break;
		}
		gf_link_event_deinit(&event);
	}
	return true;
}

static int make_link(struct broker *b, const struct gf_link_config *config, const char *direction,
                     const struct gf_link_ops *ops, struct gf_link **ret_link, struct gf_diag *diag)
{
	struct gf_link_config own = *config;
	char *client_id = NULL;
	/* The epoch keeps a gateway that restarts from being thrown out by its own half-open predecessor, and the other way round. */
	if (asprintf(&client_id, "%s-%s-%llu", config->client_id, direction, (unsigned long long)b->epoch) < 0)
		return -ENOMEM;
	own.client_id = client_id;
	int r = gf_link_new(&own, ops, ret_link, diag);
	free(client_id);
	return r;
}

static int subscribe(struct broker *b)
{
	char filter[GF_TOPIC_MAX];
	int r = gf_link_subscribe(b->in, gf_topic_all_devices(filter, GF_TOPIC_STATUS, false), 1);
	if (r == 0)
		r = gf_link_subscribe(b->in, gf_topic_all_devices(filter, GF_TOPIC_REPORT, true), 1);
	if (r == 0)
		r = gf_link_subscribe(b->in, gf_topic_all_devices(filter, GF_TOPIC_REPLY, true), 1);
	return r;
}

int broker_new(const struct gf_link_config *link, struct store *store, const char *database, uint64_t epoch,
               void (*wake)(void *ctx), void *wake_ctx, struct broker **ret_broker, struct gf_diag *diag)
{
	struct broker *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	b->epoch = epoch;
	b->wake = wake;
	b->wake_ctx = wake_ctx;
	b->commit_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 3};
	b->unkept_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 3};
	b->down_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 4};
	gf_strcpy(b->reason, sizeof(b->reason), "not connected yet");

	const struct gf_link_ops in_ops = {.wake = wake_owner, .ctx = b};
	const struct gf_link_ops out_ops = {.wake = wake_owner, .will = make_will, .ctx = b};
	const struct downlink_ops down_ops = {.publish = publish_wish, .window = wish_window, .ctx = b};
	int r = ingest_new(store, publish_ack, b, &b->ingest);
	if (r == 0)
		r = downlink_new(store, database, &down_ops, &b->downlink, diag);
	if (r == 0)
		r = make_link(b, link, "in", &in_ops, &b->in, diag);
	if (r == 0)
		r = make_link(b, link, "out", &out_ops, &b->out, diag);
	if (r == 0)
		r = subscribe(b);
	if (r != 0) {
		broker_free(b);
		return r;
	}
	*ret_broker = b;
	return 0;
}

void broker_start(struct broker *broker)
{
	gf_link_start(broker->out);
	gf_link_start(broker->in);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t broker_step(struct broker *broker, struct gf_time now)
{
	broker->now = now;
	int64_t due_ms = earlier(gf_link_step(broker->out, now.mono_ms), gf_link_step(broker->in, now.mono_ms));
	bool more = take_events(broker, broker->out, &broker->out_up, "out");
	due_ms = earlier(due_ms, downlink_step(broker->downlink, now));
	if (broker->tell != NULL)
		due_ms = earlier(due_ms, tell_step(broker->tell, now));
	/* While the store refuses, what arrives is left in the mailbox, which has a limit of its own. */
	if (now.mono_ms < broker->retry_at_ms)
		return earlier(due_ms, broker->retry_at_ms);
	more = take_events(broker, broker->in, &broker->in_up, "in") || more;
	if (commit(broker) != 0)
		return earlier(due_ms, broker->retry_at_ms);
	return more || ingest_pending(broker->ingest) > 0 ? now.mono_ms : due_ms;
}

void broker_stop(struct broker *broker, struct gf_time now)
{
	broker->now = now;
	broker->stopping = true;
	downlink_down(broker->downlink);
	tell_of(broker, false);
	if (gf_link_state(broker->out) == GF_LINK_UP)
		publish_status(broker, false);
	gf_link_stop(broker->in);
	gf_link_stop(broker->out);
}

bool broker_stopped(const struct broker *broker)
{
	return gf_link_state(broker->in) == GF_LINK_IDLE && gf_link_state(broker->out) == GF_LINK_IDLE;
}

void broker_free(struct broker *broker)
{
	if (broker == NULL)
		return;
	gf_link_free(broker->in);
	gf_link_free(broker->out);
	ingest_free(broker->ingest);
	downlink_free(broker->downlink);
	free(broker);
}

void broker_state_get(const struct broker *broker, struct broker_state *ret_state)
{
	*ret_state = (struct broker_state){
	    .connected = broker->in_up && broker->out_up,
	    .since_ms = broker->changed_ms,
	    .in = gf_link_stats(broker->in),
	    .out = gf_link_stats(broker->out),
	    .pending = ingest_pending(broker->ingest),
	    .acks_unsent = broker->acks_unsent,
	};
	gf_strcpy(ret_state->reason, sizeof(ret_state->reason), broker->reason);
	downlink_state_get(broker->downlink, &ret_state->downlink);
}

void broker_ingest_state_get(const struct broker *broker, struct ingest_state *ret_state)
{
	ingest_state_get(broker->ingest, ret_state);
}

int64_t broker_listening_since_ms(const struct broker *broker)
{
	return broker->in_up ? broker->listening_since_ms : 0;
}
