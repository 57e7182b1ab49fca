/*
 * Happy path: a message is decoded and takes effect at once, as far as there is room in the control core's mailbox; downlink_step does the
 * rest.
 *
 * Failure modes:
 * - bytes that aren't a message: counted and logged;
 * - a flood of desired states: the newest waits for its turn;
 * - no room for the control core: limits and stops wait for the next step, a stop for as long as it is good for;
 * - a disk that refuses: limits and lock are in force all the same, and written when it takes them; until then a power cut would
 *   bring back what was before;
 * - no connection: replies wait; more commands than are remembered push the oldest answers out, never what is still to be done.
 */
#include "agent/downlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/text.h"
#include "proto/codec.h"

static const char module[] = "downlink";

struct order {
	enum {
		ORDER_FREE,       /* -> TO_DO, REPLY_DUE */
		ORDER_TO_DO,      /* -> REPLY_DUE */
		ORDER_REPLY_DUE,  /* -> REPLY_SENT, ANSWERED */
		ORDER_REPLY_SENT, /* -> ANSWERED; REPLY_DUE (lost with the connection) */
		ORDER_ANSWERED,   /* -> REPLY_DUE (it came again), or another one takes its place */
	} state;
	uint64_t age; /* a higher one came later */
	int64_t until_ms;
	struct gf_reply reply;
};

struct downlink {
	struct downlink_ops ops;
	char id[GF_ID_MAX];
	char *path;
	struct limits limits;
	bool limits_due, save_due;
	int64_t save_at_ms;
	struct gf_desired waiting; /* with `waits`: the newest that wasn't taken yet */
	bool waits;
	uint64_t taken; /* the last one's revision */
	unsigned room;  /* so many may be taken at once */
	int64_t room_ms;
	struct order orders[DOWNLINK_ORDERS];
	uint64_t ages;
	struct downlink_stats stats;
	struct gf_log_limit bad_log, save_log, done_log;
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- limits and lock ---- */

static void say_lock(const struct downlink *d)
{
	if (d->limits.limits.locked)
		gf_log(GF_LOG_NOTICE, module, "%s: locked by the gateway: no session starts%s%s", d->id,
		       d->limits.lock_reason[0] != '\0' ? ": " : "", d->limits.lock_reason);
	else
		gf_log(GF_LOG_NOTICE, module, "%s: unlocked by the gateway", d->id);
}

static void set_limits(struct downlink *d, const struct limits *limits, struct gf_time now)
{
	const bool was_locked = d->limits.limits.locked;
	if (limits_same(&d->limits, limits) && d->limits.revision > 0)
		return;
	d->limits = *limits;
	d->limits_due = d->save_due = true;
	d->save_at_ms = now.mono_ms;
	if (was_locked != limits->limits.locked)
		say_lock(d);
}

static void save(struct downlink *d, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	if (!d->save_due || now.mono_ms < d->save_at_ms)
		return;
	d->save_due = limits_save(d->path, &d->limits, &diag) != 0;
	d->save_at_ms = now.mono_ms + DOWNLINK_SAVE_MS;
	if (d->save_due)
		gf_log_limited(&d->save_log, now.mono_ms, GF_LOG_ERROR, module,
		               "%s: limits and lock are in force, but a restart would forget them: %s", d->id, diag.text);
}

static void say_stale(struct downlink *d, uint64_t revision, struct gf_time now)
{
	d->stats.stale_desired++;
	gf_log_limited(&d->bad_log, now.mono_ms, GF_LOG_INFO, module,
	               "%s: desired state %llu is older than what was seen already, or far above it, and ignored", d->id,
	               (unsigned long long)revision);
}

/* What is no news costs nothing. */
static bool has_room(struct downlink *d, const struct limits *limits, struct gf_time now)
{
	if (d->waiting.revision == d->taken && limits_same(&d->limits, limits))
		return true;
	const int64_t earned = (now.mono_ms - d->room_ms) / DOWNLINK_EVERY_MS;
	if (earned > 0) {
		d->room = earned < DOWNLINK_BURST - (int64_t)d->room ? d->room + (unsigned)earned : DOWNLINK_BURST;
		d->room_ms += earned * DOWNLINK_EVERY_MS;
	}
	if (d->room > 0) {
		d->room--;
		return true;
	}
	gf_log_limited(&d->bad_log, now.mono_ms, GF_LOG_WARNING, module,
	               "%s: too many desired states come from the gateway; the newest is taken every %d s", d->id,
	               DOWNLINK_EVERY_MS / 1000);
	return false;
}

static void take_waiting(struct downlink *d, struct gf_time now)
{
	const struct limits limits = limits_of(&d->waiting);
	const bool stale = d->waiting.revision < d->taken || d->waiting.revision < d->limits.revision;
	if (!stale && !has_room(d, &limits, now))
		return;
	d->waits = false;
	if (stale || !d->ops.desired(d->ops.ctx, &d->waiting, now)) {
		say_stale(d, d->waiting.revision, now);
		return;
	}
	d->taken = d->waiting.revision;
	set_limits(d, &limits, now);
}

void downlink_desired(struct downlink *downlink, const void *data, size_t len, struct gf_time now)
{
	struct downlink *d = downlink;
	struct gf_desired desired;
	struct gf_diag diag = {{0}};

	if (len == 0)
		return;
	if (gf_desired_decode(data, len, &desired, &diag) != 0) {
		d->stats.bad_desired++;
		gf_log_limited(&d->bad_log, now.mono_ms, GF_LOG_WARNING, module, "%s: a desired state that can't be read: %s",
		               d->id, diag.text);
		return;
	}
	if (d->waits && desired.revision < d->waiting.revision) {
		say_stale(d, desired.revision, now);
		return;
	}
	d->waiting = desired;
	d->waits = true;
	take_waiting(d, now);
}

/* ---- commands ---- */

/* The one with this id, or NULL. */
static struct order *find(struct downlink *d, uint64_t id)
{
	for (size_t i = 0; i < DOWNLINK_ORDERS; i++) {
		if (d->orders[i].state != ORDER_FREE && d->orders[i].reply.id == id)
			return &d->orders[i];
	}
	return NULL;
}

/* A free place, or that of the oldest which is done with; failing that, of the oldest whose answer is still on its way. */
static struct order *make_place(struct downlink *d)
{
	static const int worth[] = {
	    [ORDER_FREE] = 0, [ORDER_ANSWERED] = 1, [ORDER_REPLY_SENT] = 2, [ORDER_REPLY_DUE] = 2, [ORDER_TO_DO] = 3,
	};
	struct order *best = &d->orders[0];
	for (size_t i = 1; i < DOWNLINK_ORDERS; i++) {
		struct order *o = &d->orders[i];
		const int less = worth[best->state] - worth[o->state];
		if (less > 0 || (less == 0 && o->age < best->age))
			best = o;
	}
	return best->state != ORDER_TO_DO ? best : NULL;
}

static void answer(struct downlink *d, struct order *order, enum gf_command_outcome outcome, const char *detail,
                   struct gf_time now)
{
	order->state = ORDER_REPLY_DUE;
	order->reply.outcome = outcome;
	gf_strcpy(order->reply.detail, sizeof(order->reply.detail), detail);
	gf_log_limited(&d->done_log, now.mono_ms, GF_LOG_NOTICE, module, "%s: command %llu of the gateway: %s, %s", d->id,
	               (unsigned long long)order->reply.id, gf_command_outcome_name(outcome), detail);
}

static void send_reply(struct downlink *d, struct order *order)
{
	unsigned char buf[GF_REPLY_MAX];
	size_t len = 0;
	int r = gf_reply_encode(&order->reply, buf, sizeof(buf), &len);
	if (r == 0)
		r = d->ops.reply(d->ops.ctx, buf, len, order->reply.id);
	if (r == 0)
		order->state = ORDER_REPLY_SENT;
	else if (r != -EAGAIN && r != -ENOTCONN)
		order->state = ORDER_ANSWERED; /* what can't be sent now can't be sent later */
}

/* How long it is still good for. Without a clock nobody knows when it was given: from now on. */
static int64_t left_ms(const struct gf_command_order *command, struct gf_time now)
{
	const int64_t within_ms = command->within_ms, issued_ms = (int64_t)command->issued_ms;
	if (!now.synced || issued_ms == 0 || issued_ms > now.wall_ms)
		return within_ms;
	return issued_ms + within_ms - now.wall_ms;
}

void downlink_command(struct downlink *downlink, const void *data, size_t len, struct gf_time now)
{
	struct downlink *d = downlink;
	struct gf_command_order command;
	struct gf_diag diag = {{0}};

	if (len == 0)
		return;
	if (gf_command_decode(data, len, &command, &diag) != 0) {
		d->stats.bad_commands++;
		gf_log_limited(&d->bad_log, now.mono_ms, GF_LOG_WARNING, module, "%s: a command that can't be read: %s", d->id,
		               diag.text);
		return;
	}
	struct order *order = find(d, command.id);
	if (order != NULL) {
		if (order->state == ORDER_ANSWERED)
			order->state = ORDER_REPLY_DUE;
		return;
	}
	order = make_place(d);
	if (order == NULL) {
		struct order refused = {.reply.id = command.id};
		answer(d, &refused, GF_COMMAND_OUTCOME_REFUSED, "too many commands are waiting already", now);
		send_reply(d, &refused);
		return;
	}
	const int64_t left = left_ms(&command, now);
	*order =
	    (struct order){.state = ORDER_TO_DO, .age = ++d->ages, .until_ms = now.mono_ms + left, .reply.id = command.id};
	if (left <= 0)
		answer(d, order, GF_COMMAND_OUTCOME_EXPIRED, "it came too late to be carried out", now);
}

static void carry_out(struct downlink *d, struct order *order, struct gf_time now)
{
	bool running = false;
	if (now.mono_ms >= order->until_ms)
		answer(d, order, GF_COMMAND_OUTCOME_EXPIRED, "the machine did not get to it in time", now);
	else if (d->ops.stop(d->ops.ctx, &running) == 0)
		answer(d, order, GF_COMMAND_OUTCOME_DONE, running ? "the session is stopped" : "no session was running", now);
}

void downlink_replied(struct downlink *downlink, uint64_t id, int code)
{
	struct order *order = find(downlink, id);
	if (order == NULL || order->state != ORDER_REPLY_SENT)
		return;
	order->state = code == -1 ? ORDER_REPLY_DUE : ORDER_ANSWERED;
	if (code >= 0x80)
		gf_log(GF_LOG_WARNING, module, "%s: the broker refused a reply (code 0x%02x); check its access list",
		       downlink->id, (unsigned)code);
}

int64_t downlink_step(struct downlink *downlink, struct gf_time now)
{
	struct downlink *d = downlink;
	int64_t due_ms = INT64_MAX;

	if (d->waits)
		take_waiting(d, now);
	if (d->waits)
		due_ms = d->room_ms + DOWNLINK_EVERY_MS;
	if (d->limits_due)
		d->limits_due = d->ops.limits(d->ops.ctx, &d->limits.limits) != 0;
	if (d->limits_due)
		due_ms = earlier(due_ms, now.mono_ms + DOWNLINK_RETRY_MS);
	save(d, now);
	if (d->save_due)
		due_ms = earlier(due_ms, d->save_at_ms);
	for (size_t i = 0; i < DOWNLINK_ORDERS; i++) {
		struct order *order = &d->orders[i];
		if (order->state == ORDER_TO_DO)
			carry_out(d, order, now);
		if (order->state == ORDER_REPLY_DUE)
			send_reply(d, order);
		if (order->state == ORDER_TO_DO || order->state == ORDER_REPLY_DUE)
			due_ms = earlier(due_ms, now.mono_ms + DOWNLINK_RETRY_MS);
	}
	return due_ms;
}

/* ---- life ---- */

int downlink_new(const char *id, const char *path, const struct downlink_ops *ops, struct downlink **ret_downlink)
{
	struct gf_diag diag = {{0}};
	struct downlink *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->ops = *ops;
	d->room = DOWNLINK_BURST;
	d->bad_log = d->save_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 2};
	d->done_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 20};
	gf_strcpy(d->id, sizeof(d->id), id);
	d->path = strdup(path);
	if (d->path == NULL) {
		downlink_free(d);
		return -ENOMEM;
	}
	if (limits_load(d->path, &d->limits, &diag) != 0)
		gf_log(
		    GF_LOG_ERROR, module,
		    "%s: %s; nobody can tell whether the machine was locked, so it is, until the gateway says what is desired; "
		    "or move the file away",
		    d->id, diag.text);
	else if (d->limits.limits.locked)
		say_lock(d);
	*ret_downlink = d;
	return 0;
}

void downlink_free(struct downlink *downlink)
{
	if (downlink == NULL)
		return;
	free(downlink->path);
	free(downlink);
}

const struct control_limits *downlink_limits(const struct downlink *downlink)
{
	return &downlink->limits.limits;
}

uint64_t downlink_revision(const struct downlink *downlink)
{
	return downlink->limits.revision;
}

struct downlink_stats downlink_stats(const struct downlink *downlink)
{
	return downlink->stats;
}
