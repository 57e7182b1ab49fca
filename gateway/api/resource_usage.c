/* /v1/usage: what was used how much, by a key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "proto/base/text.h"

enum { ROWS_MAX = 100 * 1000 };

struct table {
	struct store_usage *rows;
	size_t count, room;
	uint64_t running_ms; /* of all */
};

static int keep(void *ctx, const struct store_usage *usage)
{
	struct table *t = ctx;

	if (t->count == ROWS_MAX)
		return -EFBIG;
	if (t->count == t->room) {
		size_t room = t->room * 2 + 32;
		struct store_usage *rows = reallocarray(t->rows, room, sizeof(*rows));
		if (rows == NULL)
			return -ENOMEM;
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->count++] = *usage;
	t->running_ms += usage->running_ms;
	return 0;
}

static int by_running(const void *a, const void *b)
{
	const struct store_usage *x = a, *y = b;
	if (x->running_ms != y->running_ms)
		return x->running_ms < y->running_ms ? 1 : -1;
	return strcmp(x->key, y->key);
}

/* "9" before "10"; days are equally long. */
static int by_time(const void *a, const void *b)
{
	const struct store_usage *x = a, *y = b;
	size_t m = strlen(x->key), n = strlen(y->key);
	return m != n ? (m > n) - (m < n) : strcmp(x->key, y->key);
}

/* The motor's time isn't known by area. */
static json_t *usage_row(const struct store_usage *u, enum store_usage_key key, uint64_t running_ms)
{
	json_t *row = json_object();

	json_put(&row, "key", json_string(u->key));
	json_put(&row, "sessions", json_count(u->sessions));
	json_put(&row, "running_s", json_seconds(u->running_ms));
	json_put(&row, "motor_s", key != STORE_USAGE_AREA ? json_seconds(u->motor_ms) : json_null());
	json_put(&row, "completed", json_count(u->completed));
	json_put(&row, "stopped", json_count(u->stopped));
	json_put(&row, "interrupted", json_count(u->interrupted));
	json_put(&row, "mean_s", u->sessions > 0 ? json_seconds(u->running_ms / u->sessions) : json_null());
	json_put(&row, "share_pct",
	         json_measure(running_ms > 0 ? 100.0 * (double)u->running_ms / (double)running_ms : 0.0));
	return row;
}

static void fail_key(struct request *r, const char *by)
{
	const char *names[STORE_USAGE_COUNT];

	for (int i = 0; i < STORE_USAGE_COUNT; i++)
		names[i] = store_usage_key_name((enum store_usage_key)i);
	const char *near = by != NULL ? gf_nearest(by, names, STORE_USAGE_COUNT) : NULL;
	if (near != NULL)
		request_fail(r, 400, "bad_parameter", "by is '%s'; did you mean '%s'?", by, near);
	else
		request_fail(r, 400, "bad_parameter", "by is %s; it may be device, site, class, routine, area, hour or day",
		             by != NULL ? by : "missing");
}

void resource_usage(struct request *r)
{
	const char *by = request_param(r, "by");
	enum store_usage_key key;
	int64_t since_ms = 0, until_ms = 0;
	struct table t = {0};
	struct gf_diag diag = {{0}};

	if (by == NULL || store_usage_key_parse(by, &key) != 0) {
		fail_key(r, by);
		return;
	}
	if (!request_time(r, "since", &since_ms) || !request_time(r, "until", &until_ms))
		return;
	int result = store_read_usage(r->reader, key, since_ms, until_ms, r->utc_offset_ms, keep, &t, &diag);
	if (result != 0) {
		request_fail_store(r, result, &diag);
	} else {
		json_t *items = json_array();
		if (t.count > 0)
			qsort(t.rows, t.count, sizeof(*t.rows),
			      key == STORE_USAGE_HOUR || key == STORE_USAGE_DAY ? by_time : by_running);
		for (size_t i = 0; i < t.count; i++)
			json_push(&items, usage_row(&t.rows[i], key, t.running_ms));
		request_answer_list(r, items, NULL);
	}
	free(t.rows);
}
