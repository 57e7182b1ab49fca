#include "gateway/tell/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/feed.h"

enum { STOP = 1 };

static bool is_wanted(const struct outbox *o, const struct store_event *e)
{
	/* What is said of a receiver is no news to itself. */
	if (e->kind == STORE_EVENT_WEBHOOK && strcmp(e->code, o->receiver) == 0)
		return false;
	return !o->notify_only || e->kind != STORE_EVENT_FLAG || e->notify;
}

void outbox_rewind(struct outbox *o, uint64_t at)
{
	o->at = at;
	o->page_count = o->page_at = 0;
	o->page_more = false;
	o->page_end = at;
}

void outbox_behind(struct outbox *o)
{
	/* What was read before the long wait may have been deleted since: then it was missed, which only a new look finds. */
	outbox_rewind(o, o->at);
	o->behind = true;
}

void outbox_message_deinit(struct outbox_message *message)
{
	free(message->body);
	*message = (struct outbox_message){.body = NULL};
}

/* Takes the JSON over. */
static int write_body(struct outbox_message *m, json_t *json)
{
	m->body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (m->body == NULL)
		return -ENOMEM;
	m->len = strlen(m->body);
	return 0;
}

/* ---- the next page ---- */

static int keep(void *ctx, const struct store_event *e)
{
	struct outbox *o = ctx;

	if (!is_wanted(o, e))
		return 0;
	if (o->page_count == OUTBOX_PAGE) {
		o->page_more = true;
		return STOP;
	}
	o->page[o->page_count++] = *e;
	return 0;
}

static int read_page(struct outbox *o, struct gf_diag *diag)
{
	const struct store_event_query query = {.after = o->at, .kinds = o->kinds};
	uint64_t newest = store_last_event(o->store);

	outbox_rewind(o, o->at);
	if (newest <= o->at)
		return 0;
	int r = store_read_events(o->reader, &query, keep, o, diag);
	if (r != 0 && r != STOP) {
		outbox_rewind(o, o->at);
		return r;
	}
	if (o->page_count > 0)
		o->page_end = o->page[o->page_count - 1].id;
	if (r == 0 && newest > o->page_end)
		o->page_end = newest;
	return 0;
}

/* Looked at after the page was read: what was pruned meanwhile is missed too. */
static int count_missed(struct outbox *o, uint64_t *ret_missed, struct gf_diag *diag)
{
	uint64_t oldest = 0;
	int r = store_read_event_oldest(o->reader, &oldest, diag);

	if (r == 0)
		*ret_missed = oldest > o->at + 1 ? oldest - 1 - o->at : 0;
	return r;
}

/* ---- messages ---- */

static int make_missed(struct outbox *o, uint64_t missed, int64_t now_ms, struct outbox_message *ret_message)
{
	const struct feed_sum sum = {.from = o->at + 1, .to = o->at + missed, .missed = missed, .now_ms = now_ms};
	struct outbox_message m = {.from = sum.from, .to = sum.to, .missed = missed};

	if (write_body(&m, feed_sum(&sum)) != 0)
		return -ENOMEM;
	(void)feed_sum_topic(m.topic);
	outbox_rewind(o, m.to);
	*ret_message = m;
	return 0;
}

static int make_one(struct outbox *o, struct outbox_message *ret_message)
{
	const struct store_event *e = &o->page[o->page_at];
	struct outbox_message m = {.from = e->id, .to = e->id, .told = 1};

	if (write_body(&m, feed_event(e)) != 0)
		return -ENOMEM;
	(void)feed_topic(m.topic, e);
	o->page_at++;
	o->at = e->id;
	*ret_message = m;
	return 0;
}

struct summing {
	const struct outbox *outbox;
	struct feed_sum sum;
	unsigned events;
};

static int add_to_sum(void *ctx, const struct store_event *e)
{
	struct summing *s = ctx;

	if (!is_wanted(s->outbox, e) || (unsigned)e->kind >= STORE_EVENT_COUNT)
		return 0;
	if (s->events == OUTBOX_SUM_MAX)
		return STOP;
	if (s->events++ == 0)
		s->sum.from = e->id;
	s->sum.to = e->id;
	s->sum.count[e->kind]++;
	return 0;
}

static int make_sum(struct outbox *o, int64_t now_ms, struct outbox_message *ret_message, struct gf_diag *diag)
{
	const struct store_event_query query = {.after = o->at, .kinds = o->kinds};
	struct summing s = {.outbox = o, .sum = {.now_ms = now_ms}};
	uint64_t missed = 0;
	int r = store_read_events(o->reader, &query, add_to_sum, &s, diag);

	if (r != 0 && r != STOP)
		return r;
	r = count_missed(o, &missed, diag);
	if (r != 0)
		return r;
	/* Some were deleted since the page was read; the next look says so. */
	if (missed > 0 || s.events == 0) {
		outbox_rewind(o, o->at);
		return OUTBOX_E_NONE;
	}
	struct outbox_message m = {.from = s.sum.from, .to = s.sum.to, .summed = s.events};
	if (write_body(&m, feed_sum(&s.sum)) != 0)
		return -ENOMEM;
	(void)feed_sum_topic(m.topic);
	outbox_rewind(o, m.to);
	*ret_message = m;
	return 0;
}

int outbox_next(struct outbox *o, struct gf_time now, struct outbox_message *ret_message, int64_t *ret_due_ms,
                struct gf_diag *diag)
{
	uint64_t missed = 0;
	int r = 0;

	if (o->page_at == o->page_count) {
		if (o->page_end > o->at)
			o->at = o->page_end;
		r = read_page(o, diag);
		if (r == 0 && store_last_event(o->store) > o->at)
			r = count_missed(o, &missed, diag);
		if (r != 0)
			return r;
	}
	bool waits = o->page_at < o->page_count;
	if (missed == 0 && !waits) {
		o->at = o->page_end > o->at ? o->page_end : o->at;
		return OUTBOX_E_NONE;
	}
	bool several = missed == 0 && (o->page_count - o->page_at > 1 || o->page_more);
	enum flood_say say = flood_judge(&o->flood, several, now.mono_ms, ret_due_ms);
	if (say == FLOOD_WAIT) {
		/* Looked at again with all that has come by then. */
		outbox_rewind(o, o->at);
		return OUTBOX_E_LATER;
	}
	if (missed > 0)
		r = make_missed(o, missed, now.wall_ms, ret_message);
	else if (say == FLOOD_SUM || (o->behind && several))
		r = make_sum(o, now.wall_ms, ret_message, diag);
	else
		r = make_one(o, ret_message);
	if (r == 0) {
		o->behind = o->behind && missed > 0;
		flood_take(&o->flood);
	}
	return r;
}
