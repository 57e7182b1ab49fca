#include "gateway/downlink_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int downlink_new(struct store *store, const char *database, const struct downlink_ops *ops,
                 struct downlink **ret_downlink, struct gf_diag *diag)
{
	struct downlink *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	int r = store_reader_open(database, &d->reader, diag);
	if (r != 0) {
		free(d);
		return r;
	}
	d->store = store;
	d->ops = *ops;
	d->retry_ms = DOWNLINK_RETRY_MIN_MS;
	d->log = (struct gf_log_limit){.interval_ms = 60000, .burst = 3};
	*ret_downlink = d;
	return 0;
}

void downlink_free(struct downlink *d)
{
	if (d == NULL)
		return;
	transfer_end(d);
	store_reader_close(d->reader);
	free(d->entries);
	free(d);
}

/* ---- what is in flight ---- */

int downlink_send(struct downlink *d, const struct slot *slot, const char *topic, const void *payload, size_t len,
                  bool retain, uint32_t expiry_s)
{
	struct gf_diag diag = {{0}};
	struct slot *free_slot = NULL;
	for (size_t i = 0; i < DOWNLINK_WINDOW_MAX && free_slot == NULL; i++)
		if (d->slots[i].kind == SLOT_FREE)
			free_slot = &d->slots[i];
	if (free_slot == NULL || d->ops.window(d->ops.ctx) == 0)
		return -EAGAIN;
	int r = d->ops.publish(d->ops.ctx, topic, payload, len, retain, expiry_s, d->cookie + 1);
	/* Without a connection the link says so itself, soon. */
	if (r == -EAGAIN || r == -ENOTCONN)
		return -EAGAIN;
	if (r != 0) {
		gf_diag_set(&diag, "%s", strerror(-r));
		downlink_fail(d, topic, &diag);
		return r;
	}
	*free_slot = *slot;
	free_slot->cookie = ++d->cookie;
	return 0;
}

bool downlink_in_flight(const struct downlink *d, enum slot_kind kind)
{
	for (size_t i = 0; i < DOWNLINK_WINDOW_MAX; i++)
		if (d->slots[i].kind == kind)
			return true;
	return false;
}

void downlink_fail(struct downlink *d, const char *what, const struct gf_diag *diag)
{
	d->failed = true;
	d->state.failures++;
	d->state.last_error = *diag;
	gf_log_limited(&d->log, d->now.mono_ms, GF_LOG_WARNING, "downlink", "%s is not at the broker, tried again: %s",
	               what, diag->text);
}

static struct slot take_slot(struct downlink *d, uint64_t cookie)
{
	for (size_t i = 0; i < DOWNLINK_WINDOW_MAX; i++) {
		struct slot slot = d->slots[i];
		if (slot.kind == SLOT_FREE || slot.cookie != cookie)
			continue;
		d->slots[i].kind = SLOT_FREE;
		return slot;
	}
	return (struct slot){.kind = SLOT_FREE};
}

static const char *const slot_names[] = {
    [SLOT_FREE] = "",
    [SLOT_PART] = "a catalog",
    [SLOT_DESIRED] = "a desired state",
    [SLOT_COMMAND] = "a command",
};

void downlink_published(struct downlink *d, uint64_t cookie, int code)
{
	struct slot slot = take_slot(d, cookie);
	bool good = code == 0 || code == 16;
	if (slot.kind != SLOT_FREE && !good) {
		struct gf_diag diag = {{0}};
		gf_diag_set(&diag, code < 0 ? "the connection was lost" : "the broker refused it (reason 0x%02x)",
		            (unsigned)code);
		downlink_fail(d, slot_names[slot.kind], &diag);
	}
	switch (slot.kind) {
	case SLOT_FREE:
		break;
	case SLOT_PART:
		transfer_acked(d, slot.serial, good);
		break;
	case SLOT_DESIRED:
		if (good)
			desired_acked(d, &slot.desired);
		break;
	case SLOT_COMMAND:
		command_acked(d, slot.command, good);
		break;
	}
}

/* ---- connections ---- */

static void forget_connection(struct downlink *d)
{
	memset(d->slots, 0, sizeof(d->slots));
	transfer_end(d);
	catalogs_forget(d);
	d->phase = PHASE_IDLE;
	d->marks_count = 0;
	d->commands_count = 0;
}

void downlink_up(struct downlink *d)
{
	forget_connection(d);
	d->up = true;
	d->anew = true;
	d->due = true;
	d->commands_due = true;
	d->retry_at_ms = d->commands_retry_at_ms = 0;
	d->retry_ms = DOWNLINK_RETRY_MIN_MS;
}

void downlink_down(struct downlink *d)
{
	forget_connection(d);
	d->up = false;
	d->state.failing_since_ms = 0;
}

/* ---- a pass ---- */

static void retry_later(struct downlink *d)
{
	if (d->state.failing_since_ms == 0)
		d->state.failing_since_ms = d->now.wall_ms;
	d->due = true;
	d->retry_at_ms = d->now.mono_ms + d->retry_ms;
	d->retry_ms = d->retry_ms < DOWNLINK_RETRY_MAX_MS / 2 ? d->retry_ms * 2 : DOWNLINK_RETRY_MAX_MS;
}

void downlink_abort(struct downlink *d, const char *what, const struct gf_diag *diag)
{
	downlink_fail(d, what, diag);
	transfer_end(d);
	d->phase = PHASE_IDLE;
	retry_later(d);
}

static void end_pass(struct downlink *d)
{
	d->phase = PHASE_IDLE;
	if (d->failed) {
		retry_later(d);
		return;
	}
	d->retry_ms = DOWNLINK_RETRY_MIN_MS;
	d->state.failing_since_ms = 0;
}

/* What a new connection begins with. */
static bool begin_anew(struct downlink *d)
{
	struct gf_diag diag = {{0}};
	if (store_desired_unpublished(d->store, &diag) != 0) {
		downlink_abort(d, "everything", &diag);
		return false;
	}
	d->anew = false;
	return true;
}

static bool begin_pass(struct downlink *d)
{
	struct gf_diag diag = {{0}};
	if (!d->due || d->now.mono_ms < d->retry_at_ms)
		return false;
	if (d->anew && !begin_anew(d))
		return false;
	d->due = false;
	d->failed = false;
	if (catalogs_load(d, &diag) != 0) {
		downlink_abort(d, "everything", &diag);
		return false;
	}
	d->phase = PHASE_CATALOGS;
	return true;
}

static void next_phase(struct downlink *d)
{
	struct gf_diag diag = {{0}};
	switch (d->phase) {
	case PHASE_IDLE:
		break;
	case PHASE_CATALOGS:
		desired_begin(d);
		d->phase = PHASE_DESIRED;
		break;
	case PHASE_DESIRED:
		/* Meanwhile one may be wanted again. */
		if (catalogs_load(d, &diag) != 0)
			downlink_abort(d, "everything", &diag);
		else
			d->phase = PHASE_WITHDRAW;
		break;
	case PHASE_WITHDRAW:
		end_pass(d);
		break;
	}
}

/* False: nothing moves for now. */
static bool advance(struct downlink *d)
{
	enum carry carry = CARRY_WAITS;
	switch (d->phase) {
	case PHASE_IDLE:
		return begin_pass(d);
	case PHASE_CATALOGS:
		carry = catalogs_carry(d, false);
		break;
	case PHASE_DESIRED:
		carry = desired_carry(d);
		break;
	case PHASE_WITHDRAW:
		carry = catalogs_carry(d, true);
		break;
	}
	if (carry == CARRY_DONE)
		next_phase(d);
	return carry != CARRY_WAITS;
}

int64_t downlink_step(struct downlink *d, struct gf_time now)
{
	d->now = now;
	if (!d->up)
		return INT64_MAX;
	uint64_t wishes = store_wishes(d->store);
	if (wishes != d->wishes) {
		/* One that the broker refuses again and again doesn't hold up what is new. */
		d->due = d->commands_due = true;
		d->retry_at_ms = 0;
	}
	d->wishes = wishes;
	commands_carry(d);
	while (advance(d))
		;
	return now.mono_ms + DOWNLINK_LOOK_MS;
}

void downlink_state_get(const struct downlink *d, struct downlink_state *ret_state)
{
	*ret_state = d->state;
	ret_state->busy = d->due || d->phase != PHASE_IDLE || d->commands_due;
}
