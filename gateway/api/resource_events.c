/*
 * /v1/events: after=ID gives what came since, at once or, with wait_s, when the first comes; tail=N gives the newest N so far.
 * "next" is always there: the id to go on from.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "gateway/tell/feed.h"
#include "proto/base/text.h"

enum { STOP = 1 };

struct walk {
	uint64_t limit;
	bool tail;        /* the newest of them, not the oldest */
	int64_t since_ms; /* 0 = all */
	json_t *items;
	uint64_t last; /* looked at */
};

static int keep(void *ctx, const struct store_event *e)
{
	struct walk *w = ctx;

	if (!w->tail && json_array_size(w->items) == w->limit)
		return STOP;
	w->last = e->id;
	if (e->at_ms < w->since_ms)
		return 0;
	json_push(&w->items, feed_event(e));
	if (w->items != NULL && json_array_size(w->items) > w->limit)
		(void)json_array_remove(w->items, 0);
	return w->items != NULL ? 0 : -ENOMEM;
}

static bool take_kind(struct request *r, uint32_t *ret_kinds)
{
	char all[REQUEST_NAMES_MAX];
	const char *names[STORE_EVENT_COUNT], *kind = request_param(r, "kind");
	enum store_event_kind value;

	if (kind == NULL)
		return true;
	if (store_event_kind_parse(kind, &value) == 0) {
		*ret_kinds = UINT32_C(1) << value;
		return true;
	}
	for (int i = 0; i < STORE_EVENT_COUNT; i++)
		names[i] = store_event_kind_name((enum store_event_kind)i);
	request_names(names, STORE_EVENT_COUNT, all);
	const char *near = gf_nearest(kind, names, STORE_EVENT_COUNT);
	if (near != NULL)
		request_fail(r, 400, "bad_parameter", "kind is '%s'; did you mean '%s'?", kind, near);
	else
		request_fail(r, 400, "bad_parameter", "kind is '%s'; it may be %s", kind, all);
	return false;
}

void resource_events(struct request *r)
{
	struct store_event_query query = {0};
	struct walk w = {.limit = REQUEST_LIMIT_DEFAULT};
	uint64_t wait_s = 0, newest = store_last_event(api_store(r->api));
	char next[24];
	struct gf_diag diag = {{0}};

	w.tail = request_param(r, "tail") != NULL;
	if (!request_number(r, "limit", 1, REQUEST_LIMIT_MAX, &w.limit) ||
	    !request_number(r, "tail", 1, REQUEST_LIMIT_MAX, &w.limit) ||
	    !request_number(r, "after", 0, INT64_MAX, &query.after) ||
	    !request_number(r, "wait_s", 0, API_WAIT_MAX_S, &wait_s) || !request_time(r, "since", &w.since_ms) ||
	    !take_kind(r, &query.kinds) || !request_device(r, &query.device))
		return;
	if (w.tail && (query.after != 0 || wait_s != 0)) {
		request_fail(r, 400, "bad_parameter", "tail can't be combined with after or wait_s");
		return;
	}
	w.items = json_array();
	int result = store_read_events(r->reader, &query, keep, &w, &diag);
	if (result != 0 && result != STOP) {
		json_decref(w.items);
		request_fail_store(r, result, &diag);
		return;
	}
	/* Without STOP all up to `newest` was looked at, also what the filter left out. */
	if (result == 0)
		w.last = newest > w.last ? newest : w.last;
	w.last = query.after > w.last ? query.after : w.last;
	if (wait_s > 0 && json_array_size(w.items) == 0 && !r->last_call) {
		json_decref(w.items);
		request_wait(r, w.last, (unsigned)wait_s);
		return;
	}
	(void)snprintf(next, sizeof(next), "%" PRIu64, w.last);
	request_answer_list(r, w.items, next);
}
