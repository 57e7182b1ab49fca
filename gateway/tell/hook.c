#include "gateway/tell/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/post.h"
#include "gateway/tell/roster.h"
#include "gateway/tell/sign.h"
#include "proto/base/log.h"
#include "proto/base/rand.h"

enum { SAVE_MS = 1000, STORE_RETRY_MS = 1000, LOG_MS = 10 * 60 * 1000 };

enum hook_state { HOOK_READY, HOOK_POSTING, HOOK_WAITING };

struct hook {
	const struct tell_webhook *webhook;
	size_t receiver;
	struct outbox outbox;
	enum hook_state state;
	struct outbox_message message; /* POSTING, WAITING */
	unsigned failures, refusals;   /* of this message */
	int64_t first_try_ms, next_ms; /* mono; next: of the message, or of the look for one */
	bool passing;                  /* it has passed over since it took one last */
	struct gf_log_limit log;
};

struct hooks {
	struct hooks_config config;
	struct store_reader *reader;
	struct post *post;
	pthread_t thread;
	atomic_bool stop;
	int64_t save_at_ms;
	struct gf_log_limit store_log;
	struct hook hooks[TELL_WEBHOOKS_MAX];
};

static uint64_t any_number(void)
{
	uint64_t number;

	gf_rand_bytes(&number, sizeof(number));
	return number;
}

/* ---- one webhook ---- */

static void done_with(struct hook *h)
{
	outbox_message_deinit(&h->message);
	h->state = HOOK_READY;
	h->failures = h->refusals = 0;
	h->next_ms = 0;
}

static void note(struct hooks *all, const struct hook *h, int64_t wall_ms, const char *text)
{
	struct gf_diag diag = {{0}};

	if (store_tell_note(all->config.store, h->webhook->name, text, wall_ms, &diag) != 0)
		gf_log(GF_LOG_ERROR, "tell", "not kept as an event: %s (%s)", text, diag.text);
}

static void took(struct hooks *all, struct hook *h, struct gf_time now)
{
	char text[GF_TEXT_MAX * 2];
	bool failed = board_took(all->config.board, h->receiver, &h->message);

	if (failed)
		gf_log(GF_LOG_NOTICE, "tell", "webhook %s takes events again", h->webhook->name);
	if (h->passing) {
		(void)snprintf(text, sizeof(text), "webhook %s takes events again", h->webhook->name);
		note(all, h, now.wall_ms, text);
	}
	h->passing = false;
	done_with(h);
}

static void pass_over(struct hooks *all, struct hook *h, struct gf_time now, const char *reason)
{
	const struct outbox_message *m = &h->message;
	char range[64], text[GF_TEXT_MAX * 2];

	if (m->from == m->to)
		(void)snprintf(range, sizeof(range), "event %" PRIu64, m->to);
	else
		(void)snprintf(range, sizeof(range), "events %" PRIu64 " to %" PRIu64, m->from, m->to);
	(void)snprintf(text, sizeof(text), "webhook %s passes over %s: %s", h->webhook->name, range, reason);
	board_passed(all->config.board, h->receiver, m, now.wall_ms);
	gf_log_limited(&h->log, now.mono_ms, GF_LOG_ERROR, "tell", "%s", text);
	/* Once, however many follow: else two that fail would tell of each other for ever. */
	if (!h->passing)
		note(all, h, now.wall_ms, text);
	h->passing = true;
	done_with(h);
}

static void again(struct hooks *all, struct hook *h, struct gf_time now, const struct post_answer *answer)
{
	int64_t wait_ms = flood_backoff_ms(++h->failures, any_number()), end_ms = h->first_try_ms + h->webhook->give_up_ms;

	if (answer->retry_ms > wait_ms)
		wait_ms = answer->retry_ms < FLOOD_BACKOFF_MAX_MS ? answer->retry_ms : FLOOD_BACKOFF_MAX_MS;
	h->next_ms = now.mono_ms + wait_ms;
	/* The last try is at its end. */
	if (h->next_ms > end_ms)
		h->next_ms = end_ms;
	h->state = HOOK_WAITING;
	if (board_failed(all->config.board, h->receiver, answer->reason, now.wall_ms,
	                 now.wall_ms + h->next_ms - now.mono_ms))
		gf_log_limited(&h->log, now.mono_ms, GF_LOG_WARNING, "tell", "webhook %s did not take event %" PRIu64 ": %s",
		               h->webhook->name, h->message.to, answer->reason);
}

static void answered(struct hooks *all, struct hook *h, struct gf_time now, const struct post_answer *answer)
{
	enum flood_fate fate = flood_http(answer->status);

	if (fate == FLOOD_TAKEN) {
		took(all, h, now);
		return;
	}
	h->refusals += fate == FLOOD_REFUSES;
	again(all, h, now, answer);
	bool too_long = now.mono_ms - h->first_try_ms >= h->webhook->give_up_ms;
	if (too_long || h->refusals >= FLOOD_REFUSALS_MAX)
		pass_over(all, h, now, answer->reason);
	/* What waited so long is history: it comes as a sum. */
	if (too_long)
		outbox_behind(&h->outbox);
}

static void post_message(struct hooks *all, struct hook *h, struct gf_time now)
{
	const struct tell_webhook *w = h->webhook;
	char signature[SIGN_MAX];
	const struct post_request request = {.url = w->url,
	                                     .ca_file = w->ca_file,
	                                     .body = h->message.body,
	                                     .len = h->message.len,
	                                     .signature = signature,
	                                     .event = h->message.to};
	int r = sign_header(w->secret, w->secret_len, now.wall_ms / 1000, h->message.body, h->message.len, signature);

	if (r == 0)
		r = post_start(all->post, (size_t)(h - all->hooks), &request);
	h->state = HOOK_POSTING;
	if (r != 0)
		again(all, h, now, &(struct post_answer){.reason = "out of memory"});
}

/* False: nothing to say now, look again at *ret_due_ms. */
static bool take_message(struct hooks *all, struct hook *h, struct gf_time now, int64_t *ret_due_ms)
{
	struct gf_diag diag = {{0}};
	int64_t due_ms = now.mono_ms + TELL_LOOK_MS;
	int r = outbox_next(&h->outbox, now, &h->message, &due_ms, &diag);

	switch (r) {
	case 0:
		h->first_try_ms = now.mono_ms;
		return true;
	case OUTBOX_E_NONE:
		board_skip(all->config.board, h->receiver, h->outbox.at);
		break;
	case OUTBOX_E_LATER:
		h->next_ms = due_ms;
		break;
	default:
		due_ms = now.mono_ms + STORE_RETRY_MS;
		gf_log_limited(&all->store_log, now.mono_ms, GF_LOG_ERROR, "tell", "events can't be read: %s", diag.text);
		break;
	}
	*ret_due_ms = due_ms < now.mono_ms + TELL_LOOK_MS ? due_ms : now.mono_ms + TELL_LOOK_MS;
	return false;
}

/* Returns when to be called again at the latest. */
static int64_t hook_step(struct hooks *all, struct hook *h, struct gf_time now)
{
	int64_t due_ms = INT64_MAX;

	if (board_urged(all->config.board, h->receiver) && h->state == HOOK_WAITING)
		h->next_ms = now.mono_ms;
	if (h->state == HOOK_POSTING)
		return INT64_MAX;
	if (now.mono_ms < h->next_ms)
		return h->next_ms;
	if (h->state == HOOK_READY && !take_message(all, h, now, &due_ms))
		return due_ms;
	post_message(all, h, now);
	return h->state == HOOK_WAITING ? h->next_ms : INT64_MAX;
}

/* ---- the thread ---- */

static void save(struct hooks *all, struct gf_time now)
{
	struct store_told rows[BOARD_MAX];
	struct gf_diag diag = {{0}};
	size_t count = 0;

	all->save_at_ms = now.mono_ms + SAVE_MS;
	if (!board_unsaved(all->config.board, rows, &count))
		return;
	if (store_tell_save(all->config.store, rows, count, &diag) == 0)
		return;
	board_not_saved(all->config.board);
	gf_log_limited(&all->store_log, now.mono_ms, GF_LOG_ERROR, "tell",
	               "how far the receivers of events are can't be saved, after a restart they get some again: %s",
	               diag.text);
}

static void *run(void *ctx)
{
	struct hooks *all = ctx;
	const struct gf_clock *clock = all->config.clock;
	struct post_answer answer;

	while (!atomic_load(&all->stop)) {
		struct gf_time now = gf_clock_now(clock);
		int64_t due_ms = now.mono_ms + TELL_LOOK_MS;

		for (size_t i = 0; i < all->config.count; i++) {
			int64_t hook_ms = hook_step(all, &all->hooks[i], now);
			due_ms = hook_ms < due_ms ? hook_ms : due_ms;
		}
		if (now.mono_ms >= all->save_at_ms)
			save(all, now);
		post_wait(all->post, (int)(due_ms > now.mono_ms ? due_ms - now.mono_ms : 0));
		while (post_next(all->post, &answer))
			answered(all, &all->hooks[answer.slot], gf_clock_now(clock), &answer);
	}
	save(all, gf_clock_now(clock));
	return NULL;
}

/* Of these, the one that is told as `w` wants it; NULL = none. */
static struct hook *same_in(struct hooks *before, const struct tell_webhook *w)
{
	for (size_t i = 0; before != NULL && i < before->config.count; i++)
		if (roster_same(before->hooks[i].webhook, w))
			return &before->hooks[i];
	return NULL;
}

/* What it was about to be told, since when, and how much it may be told yet. A post that was given up is none of its failures. */
static void go_on(struct hook *h, struct hook *before)
{
	*h = *before;
	before->message = (struct outbox_message){.body = NULL};
	if (h->state == HOOK_POSTING) {
		h->state = HOOK_WAITING;
		h->next_ms = 0;
	}
}

static void begin_anew(struct hooks *all, struct hook *h, const struct tell_webhook *w, size_t receiver)
{
	h->log = (struct gf_log_limit){.interval_ms = LOG_MS, .burst = 3};
	h->outbox = (struct outbox){.kinds = w->kinds, .notify_only = w->notify_only};
	flood_init(&h->outbox.flood, w->rate_per_min, 60000, w->rate_per_min, gf_clock_now(all->config.clock).mono_ms);
	outbox_rewind(&h->outbox, all->config.board->states[receiver].told.cursor);
}

static void init_hook(struct hooks *all, size_t i)
{
	const struct tell_webhook *w = &all->config.webhooks[i];
	struct hook *h = &all->hooks[i], *before = same_in(all->config.before, w);

	if (before != NULL)
		go_on(h, before);
	else
		begin_anew(all, h, w, i + 1);
	h->webhook = w;
	h->receiver = i + 1;
	h->outbox.store = all->config.store;
	h->outbox.reader = all->reader;
	h->outbox.receiver = w->name;
}

/* Signals are the main loop's; a peer that closes while it is written to must not end the program. */
static int start_thread(struct hooks *all)
{
	sigset_t every, before;

	(void)sigfillset(&every);
	int r = -pthread_sigmask(SIG_SETMASK, &every, &before);
	if (r != 0)
		return r;
	r = -pthread_create(&all->thread, NULL, run, all);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* Its thread has ended, or never ran. */
static void dispose(struct hooks *all)
{
	post_free(all->post);
	for (size_t i = 0; i < all->config.count; i++)
		outbox_message_deinit(&all->hooks[i].message);
	store_reader_close(all->reader);
	free(all);
}

int hooks_new(const struct hooks_config *config, struct hooks **ret_hooks, struct gf_diag *diag)
{
	struct hooks *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return -ENOMEM;
	all->config = *config;
	all->store_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 1};
	int r = store_reader_open(config->database, &all->reader, diag);
	if (r == 0)
		r = post_new(&all->post);
	for (size_t i = 0; i < config->count && r == 0; i++)
		init_hook(all, i);
	if (r == 0)
		r = start_thread(all);
	all->config.before = NULL;
	if (r != 0) {
		dispose(all);
		return r;
	}
	*ret_hooks = all;
	return 0;
}

void hooks_stop(struct hooks *hooks)
{
	struct hooks *all = hooks;

	if (all == NULL || all->post == NULL)
		return;
	atomic_store(&all->stop, true);
	post_wake(all->post);
	pthread_join(all->thread, NULL);
	post_free(all->post);
	all->post = NULL;
}

void hooks_free(struct hooks *hooks)
{
	if (hooks == NULL)
		return;
	hooks_stop(hooks);
	dispose(hooks);
}

void hooks_wake(struct hooks *hooks)
{
	if (hooks != NULL)
		post_wake(hooks->post);
}
