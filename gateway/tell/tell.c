#include "gateway/tell/tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/board.h"
#include "gateway/tell/hook.h"
#include "gateway/tell/roster.h"
#include "proto/base/log.h"
#include "proto/base/rand.h"

enum { MQTT_BURST_S = 10, STORE_RETRY_MS = 1000 };

/* One message at the broker; they are answered in any order, and count in theirs. */
struct flight {
	uint64_t cookie;
	struct outbox_message message;
	bool taken;
};

struct roster {
	struct tell_webhook *webhooks; /* NULL = none */
	size_t count;
};

struct tell {
	struct tell_config config;
	struct board board;
	struct hooks *hooks; /* NULL = they couldn't be started; tried again */
	struct roster told;  /* by the hooks */
	pthread_mutex_t lock;
	struct roster wanted; /* under the lock: who is to be told instead */
	int64_t change_at_ms;
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

static int begin_rows(struct tell *t, const struct roster *roster, struct store_told rows[static BOARD_MAX],
                      struct gf_diag *diag)
{
	rows[0] = (struct store_told){.receiver = TELL_MQTT};
	for (size_t i = 0; i < roster->count; i++) {
		rows[i + 1] = (struct store_told){.cursor = 0};
		(void)gf_strcpy(rows[i + 1].receiver, sizeof(rows[i + 1].receiver), roster->webhooks[i].name);
	}
	return store_tell_begin(t->config.store, rows, roster->count + 1, diag);
}

static int start_hooks(struct tell *t, const struct roster *roster, struct hooks *before, struct gf_diag *diag)
{
	const struct hooks_config hooks = {.store = t->config.store,
	                                   .database = t->config.database,
	                                   .clock = t->config.clock,
	                                   .webhooks = roster->webhooks,
	                                   .count = roster->count,
	                                   .board = &t->board,
	                                   .before = before};

	return hooks_new(&hooks, &t->hooks, diag);
}

static int make(struct tell *t, struct gf_diag *diag)
{
	struct store_told rows[BOARD_MAX];
	int r = begin_rows(t, &t->told, rows, diag);

	if (r == 0)
		r = store_reader_open(t->config.database, &t->reader, diag);
	if (r != 0)
		return r;
	board_init(&t->board, rows, t->told.count + 1);
	r = start_hooks(t, &t->told, NULL, diag);
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
	t->now = gf_clock_now(config->clock);
	t->told.count = config->webhooks_count;
	int r = roster_copy(config->webhooks, config->webhooks_count, &t->told.webhooks);
	if (r == 0)
		r = make(t, diag);
	if (r != 0) {
		store_reader_close(t->reader);
		roster_free(t->told.webhooks, t->told.count);
		free(t);
		return r;
	}
	pthread_mutex_init(&t->lock, NULL);
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
	pthread_mutex_destroy(&t->lock);
	roster_free(t->told.webhooks, t->told.count);
	roster_free(t->wanted.webhooks, t->wanted.count);
	free(t);
}

size_t tell_states(struct tell *t, struct tell_state *ret_states, size_t max)
{
	return board_read(&t->board, ret_states, max);
}

/* ---- other webhooks ---- */

int tell_change(struct tell *t, const struct tell_webhook *webhooks, size_t count)
{
	struct roster wanted = {.count = count}, before;
	int r = roster_copy(webhooks, count, &wanted.webhooks);

	if (r != 0)
		return r;
	pthread_mutex_lock(&t->lock);
	before = t->wanted;
	t->wanted = wanted;
	pthread_mutex_unlock(&t->lock);
	roster_free(before.webhooks, before.count);
	return 0;
}

/* Their places first: when the store refuses, all is as it was. */
static int change_to(struct tell *t, const struct roster *roster, struct gf_diag *diag)
{
	struct store_told rows[BOARD_MAX];
	int r = begin_rows(t, roster, rows, diag);

	if (r != 0)
		return r;
	struct hooks *before = t->hooks;
	hooks_stop(before);
	t->hooks = NULL;
	board_change(&t->board, rows, roster->count + 1);
	r = start_hooks(t, roster, before, diag);
	hooks_free(before);
	return r;
}

static struct roster take_wanted(struct tell *t)
{
	pthread_mutex_lock(&t->lock);
	struct roster next = t->wanted;
	t->wanted = (struct roster){.webhooks = NULL};
	pthread_mutex_unlock(&t->lock);
	return next;
}

/* But for when somebody wants others by now. */
static void put_back(struct tell *t, struct roster roster)
{
	pthread_mutex_lock(&t->lock);
	bool newer = t->wanted.webhooks != NULL;
	if (!newer)
		t->wanted = roster;
	pthread_mutex_unlock(&t->lock);
	if (newer)
		roster_free(roster.webhooks, roster.count);
}

static void change(struct tell *t)
{
	struct gf_diag diag = {{0}};

	if (t->now.mono_ms < t->change_at_ms)
		return;
	struct roster next = take_wanted(t);
	if (next.webhooks == NULL)
		return;
	if (change_to(t, &next, &diag) != 0) {
		t->change_at_ms = t->now.mono_ms + STORE_RETRY_MS;
		gf_log_limited(&t->log, t->now.mono_ms, GF_LOG_ERROR, "tell", "the new webhooks aren't in force yet: %s",
		               diag.text);
		put_back(t, next);
		return;
	}
	roster_free(t->told.webhooks, t->told.count);
	t->told = next;
	gf_log(GF_LOG_NOTICE, "tell", "%zu webhooks are in force", next.count);
}

bool tell_retry(struct tell *t, const char *receiver)
{
	return board_urge(&t->board, receiver);
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
	change(t);
	if (board_urged(&t->board, 0))
		t->retry_at_ms = 0;
	if (newest != t->woken || board_urges(&t->board))
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
