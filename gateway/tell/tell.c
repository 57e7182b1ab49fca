#include "gateway/tell/tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/board.h"
#include "gateway/tell/hook.h"
#include "proto/base/log.h"
#include "proto/base/rand.h"

enum { MQTT_BURST_S = 10, STORE_RETRY_MS = 1000 };

/* One message at the broker; they are answered in any order, and count in theirs. */
struct flight {
	uint64_t cookie;
	struct outbox_message message;
	bool taken;
};

struct tell {
	struct tell_config config;
	struct board board;
	struct hooks *hooks;
	struct store_reader *reader;
	struct outbox outbox; /* MQTT's */
	bool up;
	uint64_t cookie, woken;             /* the newest event that the thread was woken for */
	struct flight flights[TELL_WINDOW]; /* oldest first */
	size_t flights_count;
	struct outbox_message ready;   /* found no room; body NULL = none */
	unsigned failures, refusals;   /* in a row */
	int64_t retry_at_ms, later_ms; /* mono; later: it has had enough until then */
	struct gf_time now;            /* of the last step */
	struct gf_log_limit log;
};

static int make(struct tell *t, struct gf_diag *diag)
{
	const struct tell_config *c = &t->config;
	struct store_told rows[BOARD_MAX] = {{.receiver = TELL_MQTT}};

	for (size_t i = 0; i < c->webhooks_count; i++)
		(void)gf_strcpy(rows[i + 1].receiver, sizeof(rows[i + 1].receiver), c->webhooks[i].name);
	int r = store_tell_begin(c->store, rows, c->webhooks_count + 1, diag);
	if (r == 0)
		r = store_reader_open(c->database, &t->reader, diag);
	if (r != 0)
		return r;
	board_init(&t->board, rows, c->webhooks_count + 1);
	const struct hooks_config hooks = {.store = c->store,
	                                   .database = c->database,
	                                   .webhooks = c->webhooks,
	                                   .count = c->webhooks_count,
	                                   .board = &t->board};
	r = hooks_new(&hooks, &t->hooks, diag);
	if (r != 0)
		board_deinit(&t->board);
	return r;
}

int tell_new(const struct tell_config *config, struct tell **ret_tell, struct gf_diag *diag)
{
	struct tell *t = calloc(1, sizeof(*t));
	unsigned rate = config->mqtt_rate_per_s > 0 ? config->mqtt_rate_per_s : TELL_MQTT_RATE;

	if (t == NULL)
		return -ENOMEM;
	t->config = *config;
	t->log = (struct gf_log_limit){.interval_ms = 60000, .burst = 3};
	t->now = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
	int r = make(t, diag);
	if (r != 0) {
		store_reader_close(t->reader);
		free(t);
		return r;
	}
	t->outbox = (struct outbox){.store = config->store, .reader = t->reader, .receiver = TELL_MQTT};
	flood_init(&t->outbox.flood, rate, 1000, rate * MQTT_BURST_S, t->now.mono_ms);
	outbox_rewind(&t->outbox, t->board.states[0].told.cursor);
	*ret_tell = t;
	return 0;
}

/* What is in flight is nobody's any more; all after the cursor is told again. */
static void rewind_mqtt(struct tell *t)
{
	struct tell_state state;

	for (size_t i = 0; i < t->flights_count; i++)
		outbox_message_deinit(&t->flights[i].message);
	t->flights_count = 0;
	outbox_message_deinit(&t->ready);
	(void)board_read(&t->board, &state, 1);
	outbox_rewind(&t->outbox, state.told.cursor);
}

void tell_free(struct tell *t)
{
	if (t == NULL)
		return;
	rewind_mqtt(t);
	hooks_free(t->hooks);
	store_reader_close(t->reader);
	board_deinit(&t->board);
	free(t);
}

size_t tell_states(struct tell *t, struct tell_state *ret_states, size_t max)
{
	return board_read(&t->board, ret_states, max);
}

/* ---- MQTT ---- */

void tell_up(struct tell *t, bool up)
{
	rewind_mqtt(t);
	t->up = up;
	t->retry_at_ms = t->later_ms = 0;
}

/* Moves the cursor over all from the oldest on that were taken. */
static void land(struct tell *t)
{
	size_t done = 0;

	while (done < t->flights_count && t->flights[done].taken) {
		if (board_took(&t->board, 0, &t->flights[done].message))
			gf_log(GF_LOG_NOTICE, "tell", "the broker takes events again");
		outbox_message_deinit(&t->flights[done].message);
		done++;
	}
	t->flights_count -= done;
	memmove(t->flights, t->flights + done, t->flights_count * sizeof(t->flights[0]));
	if (done > 0)
		t->failures = t->refusals = 0;
}

static void fail(struct tell *t, const char *reason)
{
	uint64_t random;

	gf_rand_bytes(&random, sizeof(random));
	t->retry_at_ms = t->now.mono_ms + flood_backoff_ms(++t->failures, random);
	(void)board_failed(&t->board, 0, reason, t->now.wall_ms, t->now.wall_ms + t->retry_at_ms - t->now.mono_ms);
	gf_log_limited(&t->log, t->now.mono_ms, GF_LOG_WARNING, "tell", "an event is not at the broker, tried again: %s",
	               reason);
	rewind_mqtt(t);
}

static void refused(struct tell *t, const struct flight *flight, int code)
{
	struct gf_diag diag = {{0}};

	gf_diag_set(&diag, "the broker refused it (reason 0x%02x)%s", (unsigned)code,
	            code == 0x87 ? "; is its configuration the one of deploy/broker-conf?" : "");
	/* While failing they go one by one: it is the oldest. */
	t->refusals += flood_mqtt(code) == FLOOD_REFUSES && flight == t->flights;
	if (t->refusals >= FLOOD_REFUSALS_MAX) {
		t->refusals = 0;
		board_passed(&t->board, 0, &flight->message, t->now.wall_ms);
		gf_log_limited(&t->log, t->now.mono_ms, GF_LOG_ERROR, "tell", "an event is passed over: %s", diag.text);
	}
	fail(t, diag.text);
}

void tell_published(struct tell *t, uint64_t cookie, int code)
{
	struct flight *flight = NULL;

	for (size_t i = 0; i < t->flights_count && flight == NULL; i++)
		if (t->flights[i].cookie == cookie)
			flight = &t->flights[i];
	if (flight == NULL)
		return;
	if (flood_mqtt(code) == FLOOD_TAKEN) {
		flight->taken = true;
		land(t);
	} else if (code >= 0) {
		refused(t, flight, code);
	} else {
		rewind_mqtt(t); /* lost with the connection, which is told soon */
	}
}

/* False: nothing more may go now; *ret_due_ms says when. */
static bool ready_one(struct tell *t, int64_t *ret_due_ms)
{
	struct gf_diag diag = {{0}};
	int r;

	if (t->ready.body != NULL)
		return true;
	r = outbox_next(&t->outbox, t->now, &t->ready, ret_due_ms, &diag);
	if (r == 0)
		return true;
	if (r == OUTBOX_E_NONE && t->flights_count == 0)
		board_skip(&t->board, 0, t->outbox.at);
	if (r == OUTBOX_E_LATER)
		t->later_ms = *ret_due_ms;
	if (r != OUTBOX_E_NONE && r != OUTBOX_E_LATER) {
		t->retry_at_ms = *ret_due_ms = t->now.mono_ms + STORE_RETRY_MS;
		gf_log_limited(&t->log, t->now.mono_ms, GF_LOG_ERROR, "tell", "events can't be read: %s", diag.text);
	}
	return false;
}

static bool has_room(const struct tell *t)
{
	size_t most = t->failures > 0 ? 1 : TELL_WINDOW;

	return t->flights_count < most && t->config.window(t->config.ctx) > TELL_WINDOW_KEPT;
}

static void publish_all(struct tell *t, int64_t *ret_due_ms)
{
	while (has_room(t) && ready_one(t, ret_due_ms)) {
		uint64_t cookie = TELL_COOKIE | (t->cookie + 1);
		int r = t->config.publish(t->config.ctx, t->ready.topic, t->ready.body, t->ready.len, cookie);
		if (r == -EAGAIN || r == -ENOTCONN)
			return;
		if (r != 0) {
			fail(t, strerror(-r));
			return;
		}
		t->cookie++;
		t->flights[t->flights_count++] = (struct flight){.cookie = cookie, .message = t->ready};
		t->ready = (struct outbox_message){.body = NULL};
	}
}

int64_t tell_step(struct tell *t, struct gf_time now)
{
	int64_t due_ms = now.mono_ms + TELL_LOOK_MS;
	uint64_t newest = store_last_event(t->config.store);

	t->now = now;
	if (newest != t->woken)
		hooks_wake(t->hooks);
	t->woken = newest;
	if (!t->up)
		return INT64_MAX;
	if (now.mono_ms >= t->retry_at_ms && now.mono_ms >= t->later_ms)
		publish_all(t, &due_ms);
	/* publish_all may have failed: then the next try is its due time. */
	if (t->retry_at_ms > now.mono_ms || t->later_ms > now.mono_ms)
		due_ms = t->retry_at_ms > t->later_ms ? t->retry_at_ms : t->later_ms;
	return due_ms < now.mono_ms + TELL_LOOK_MS ? due_ms : now.mono_ms + TELL_LOOK_MS;
}
