/* Desired states and commands to the broker. */
#include "gateway/downlink_impl.h"

#include <errno.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/topic.h"

/* ---- desired states ---- */

void desired_begin(struct downlink *d)
{
	d->after_key = 0;
	d->last_page = false;
	d->page_count = d->page_at = 0;
}

static int take_row(void *ctx, const struct store_desired *desired)
{
	struct downlink *d = ctx;
	d->page[d->page_count++] = *desired;
	return 0;
}

static int read_page(struct downlink *d, struct gf_diag *diag)
{
	d->page_count = d->page_at = 0;
	int r = store_read_desired(d->reader, false, d->after_key, PAGE_MAX, take_row, d, diag);
	if (r != 0)
		return r;
	d->last_page = d->page_count < PAGE_MAX;
	if (d->page_count > 0)
		d->after_key = d->page[d->page_count - 1].key;
	return 0;
}

/* False: no more can leave now. A row that can't be sent is passed over; the next pass tries it again. */
static bool send_row(struct downlink *d, const struct store_desired *row)
{
	struct slot slot = {.kind = SLOT_DESIRED, .desired = {row->key, row->desired.revision}};
	unsigned char buf[GF_DESIRED_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;
	struct gf_diag diag = {{0}};
	if (gf_desired_encode(&row->desired, buf, sizeof(buf), &len) != 0) {
		gf_diag_set(&diag, "it is too large");
		downlink_fail(d, row->device, &diag);
		return true;
	}
	return downlink_send(d, &slot, gf_topic_device(topic, row->device, GF_TOPIC_DESIRED), buf, len, true, 0) != -EAGAIN;
}

/* Tells the store what the broker has. */
static int save_marks(struct downlink *d, struct gf_diag *diag)
{
	size_t count = d->marks_count;
	d->marks_count = 0;
	return count > 0 ? store_desired_published(d->store, d->marks, count, diag) : 0;
}

enum carry desired_carry(struct downlink *d)
{
	struct gf_diag diag = {{0}};
	int r = 0;
	if (d->marks_count > MARKS_MAX - DOWNLINK_WINDOW_MAX)
		r = save_marks(d, &diag);
	if (r == 0 && d->page_at < d->page_count) {
		if (!send_row(d, &d->page[d->page_at]))
			return CARRY_WAITS;
		d->page_at++;
		return CARRY_MOVED;
	}
	if (r == 0 && !d->last_page) {
		r = read_page(d, &diag);
		if (r == 0)
			return CARRY_MOVED;
	}
	if (r == 0 && downlink_in_flight(d, SLOT_DESIRED))
		return CARRY_WAITS;
	if (r == 0)
		r = save_marks(d, &diag);
	if (r == 0)
		return CARRY_DONE;
	downlink_abort(d, "the desired states", &diag);
	return CARRY_WAITS;
}

/* Room for a whole window is kept: those of a pass that was given up come in the next. */
void desired_acked(struct downlink *d, const struct store_published *published)
{
	d->state.desired++;
	if (d->marks_count < MARKS_MAX)
		d->marks[d->marks_count++] = *published;
}

/* ---- commands ---- */

static int take_command(void *ctx, const struct store_command *command)
{
	struct downlink *d = ctx;
	d->commands[d->commands_count++] = *command;
	return 0;
}

static bool on_its_way(const struct downlink *d, uint64_t id)
{
	for (size_t i = 0; i < DOWNLINK_WINDOW_MAX; i++)
		if (d->slots[i].kind == SLOT_COMMAND && d->slots[i].command == id)
			return true;
	return false;
}

static int send_command(struct downlink *d, const struct store_command *c)
{
	const struct gf_command_order order = {
	    .id = c->id,
	    .kind = c->kind,
	    .issued_ms = (uint64_t)c->issued_ms,
	    .within_ms = (uint32_t)(c->deadline_ms - c->issued_ms),
	};
	struct slot slot = {.kind = SLOT_COMMAND, .command = c->id};
	int64_t left_ms = c->deadline_ms - d->now.wall_ms;
	unsigned char buf[GF_COMMAND_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;
	/* Too late: it only waits to be called expired. After the clock was set back the time left is a guess. */
	if (left_ms <= 0 || on_its_way(d, c->id))
		return 0;
	if (left_ms > (int64_t)order.within_ms)
		left_ms = order.within_ms;
	int r = gf_command_encode(&order, buf, sizeof(buf), &len);
	if (r != 0)
		return r;
	return downlink_send(d, &slot, gf_topic_device(topic, c->device, GF_TOPIC_COMMAND), buf, len, false,
	                     (uint32_t)((left_ms + 999) / 1000));
}

static void commands_later(struct downlink *d)
{
	d->commands_due = true;
	d->commands_retry_at_ms = d->now.mono_ms + DOWNLINK_RETRY_MIN_MS;
}

void commands_carry(struct downlink *d)
{
	struct gf_diag diag = {{0}};
	if (!d->commands_due || d->now.mono_ms < d->commands_retry_at_ms)
		return;
	d->commands_due = false;
	d->commands_count = 0;
	if (store_read_commands_unsent(d->reader, 0, COMMANDS_MAX, take_command, d, &diag) != 0) {
		downlink_fail(d, "a command", &diag);
		commands_later(d);
		return;
	}
	for (size_t i = 0; i < d->commands_count; i++) {
		int r = send_command(d, &d->commands[i]);
		if (r == 0)
			continue;
		/* A full window opens with an answer, and each answer steps. */
		d->commands_due = true;
		if (r != -EAGAIN)
			commands_later(d);
		return;
	}
	/* Those that wait for their answer fill the list: the rest comes after. */
	d->commands_due = d->commands_count == COMMANDS_MAX;
}

void command_acked(struct downlink *d, uint64_t id, bool good)
{
	struct gf_diag diag = {{0}};
	if (!good) {
		commands_later(d);
		return;
	}
	d->state.commands++;
	if (store_command_published(d->store, id, &diag) != 0) {
		downlink_fail(d, "a command", &diag);
		commands_later(d);
	}
}
