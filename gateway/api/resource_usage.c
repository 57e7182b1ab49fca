/* /v1/usage: what was used how much, by a key, and how much of the opening hours that was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/opening.h"
#include "gateway/api/resources.h"
#include "proto/base/date.h"
#include "proto/base/span.h"
#include "proto/base/text.h"

enum { ROWS_MAX = 100 * 1000 };

struct table {
	struct store_usage *rows;
	size_t count, room;
	uint64_t running_ms; /* of all */
	enum store_usage_key key;
	int64_t since_ms, until_ms; /* until now at the latest */
	struct stays stays;         /* as opening.h wants them; by id where the key is the device */
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

/* "9" before "10"; days are equally long, and so are weeks. */
static int by_time(const void *a, const void *b)
{
	const struct store_usage *x = a, *y = b;
	size_t m = strlen(x->key), n = strlen(y->key);
	return m != n ? (m > n) - (m < n) : strcmp(x->key, y->key);
}

static bool is_time(enum store_usage_key key)
{
	return key == STORE_USAGE_HOUR || key == STORE_USAGE_DAY || key == STORE_USAGE_WEEK;
}

/* ---- opening hours ---- */

/* Those that have some. */
static bool has_opening(enum store_usage_key key)
{
	return key == STORE_USAGE_DEVICE || key == STORE_USAGE_SITE || key == STORE_USAGE_CLASS || key == STORE_USAGE_DAY ||
	       key == STORE_USAGE_WEEK;
}

static int by_class(const void *a, const void *b)
{
	const struct store_stay *x = a, *y = b;
	int order = (x->class > y->class) - (x->class < y->class);

	if (order == 0)
		order = strcmp(x->site, y->site);
	return order != 0 ? order : (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static int read_stays(struct request *r, struct table *t, struct gf_diag *diag)
{
	int result = has_opening(t->key) ? stays_read(r->reader, &t->stays, diag) : 0;

	if (result != 0 || t->stays.count == 0)
		return result;
	if (t->key == STORE_USAGE_CLASS)
		qsort(t->stays.items, t->stays.count, sizeof(*t->stays.items), by_class);
	else if (t->key != STORE_USAGE_DEVICE)
		opening_sort(&t->stays);
	return 0;
}

static int key_order(const struct store_stay *s, enum store_usage_key key, const char *value)
{
	return strcmp(key == STORE_USAGE_DEVICE ? s->id
	              : key == STORE_USAGE_SITE ? s->site
	                                        : gf_class_name(s->class),
	              value);
}

/* The first stay of a machine, which may be one of very many. */
static size_t first_of(const struct stays *s, const char *id)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(s->items[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The stays of a row, which stand side by side. */
static const struct store_stay *stays_of(const struct table *t, const char *value, size_t *ret_count)
{
	const struct stays *s = &t->stays;
	size_t first = t->key == STORE_USAGE_DEVICE ? first_of(s, value) : 0, count = 0;

	while (t->key != STORE_USAGE_DEVICE && first < s->count && key_order(&s->items[first], t->key, value) != 0)
		first++;
	while (first + count < s->count && key_order(&s->items[first + count], t->key, value) == 0)
		count++;
	*ret_count = count;
	return s->items + first;
}

static int64_t open_ms(const struct request *r, const struct table *t, const char *value)
{
	const struct sites *sites = api_sites(r->api);
	int64_t from_ms = t->since_ms, until_ms = t->until_ms;
	int32_t day = 0;
	size_t count = 0;

	if (t->key != STORE_USAGE_DAY && t->key != STORE_USAGE_WEEK) {
		const struct store_stay *stays = stays_of(t, value, &count);
		return opening_ms(sites, stays, count, from_ms, until_ms);
	}
	if (gf_date_parse(value, &day) != 0)
		return 0;
	int64_t start_ms = day * GF_DAY_MS - r->utc_offset_ms,
	        end_ms = start_ms + (t->key == STORE_USAGE_WEEK ? 7 : 1) * GF_DAY_MS;
	return opening_ms(sites, t->stays.items, t->stays.count, start_ms > from_ms ? start_ms : from_ms,
	                  end_ms < until_ms ? end_ms : until_ms);
}

/* ---- the answer ---- */

static void put_opening(json_t **row, const struct request *r, const struct table *t, const struct store_usage *u)
{
	int64_t ms = has_opening(t->key) ? open_ms(r, t, u->key) : 0;

	json_put(row, "opening_s", has_opening(t->key) ? json_seconds((uint64_t)ms) : json_null());
	json_put(row, "use_pct", ms > 0 ? json_measure(100.0 * (double)u->running_ms / (double)ms) : json_null());
}

/* The motor's time isn't known by area. */
static json_t *usage_row(const struct request *r, const struct table *t, const struct store_usage *u)
{
	json_t *row = json_object();

	json_put(&row, "key", json_string(u->key));
	json_put(&row, "sessions", json_count(u->sessions));
	json_put(&row, "running_s", json_seconds(u->running_ms));
	json_put(&row, "motor_s", t->key != STORE_USAGE_AREA ? json_seconds(u->motor_ms) : json_null());
	json_put(&row, "completed", json_count(u->completed));
	json_put(&row, "stopped", json_count(u->stopped));
	json_put(&row, "interrupted", json_count(u->interrupted));
	json_put(&row, "mean_s", u->sessions > 0 ? json_seconds(u->running_ms / u->sessions) : json_null());
	json_put(&row, "share_pct",
	         json_measure(t->running_ms > 0 ? 100.0 * (double)u->running_ms / (double)t->running_ms : 0.0));
	put_opening(&row, r, t, u);
	return row;
}

static void fail_key(struct request *r, const char *by)
{
	const char *names[STORE_USAGE_COUNT];
	char all[REQUEST_NAMES_MAX];

	for (int i = 0; i < STORE_USAGE_COUNT; i++)
		names[i] = store_usage_key_name((enum store_usage_key)i);
	request_names(names, STORE_USAGE_COUNT, all);
	const char *near = by != NULL ? gf_nearest(by, names, STORE_USAGE_COUNT) : NULL;
	if (near != NULL)
		request_fail(r, 400, "bad_parameter", "by is '%s'; did you mean '%s'?", by, near);
	else
		request_fail(r, 400, "bad_parameter", "by is %s; it may be %s", by != NULL ? by : "missing", all);
}

static void answer(struct request *r, struct table *t)
{
	json_t *items = json_array();

	if (t->count > 0)
		qsort(t->rows, t->count, sizeof(*t->rows), is_time(t->key) ? by_time : by_running);
	for (size_t i = 0; i < t->count; i++)
		json_push(&items, usage_row(r, t, &t->rows[i]));
	request_answer_list(r, items, NULL);
}

void resource_usage(struct request *r)
{
	const char *by = request_param(r, "by");
	struct table t = {0};
	int64_t until_ms = 0;
	struct gf_diag diag = {{0}};

	if (by == NULL || store_usage_key_parse(by, &t.key) != 0) {
		fail_key(r, by);
		return;
	}
	if (!request_time(r, "since", &t.since_ms) || !request_time(r, "until", &until_ms))
		return;
	/* Nobody could use a machine in the time to come. */
	t.until_ms = until_ms != 0 && until_ms < r->now_ms ? until_ms : r->now_ms;
	int result = store_read_usage(r->reader, t.key, t.since_ms, until_ms, r->utc_offset_ms, keep, &t, &diag);
	if (result == 0)
		result = read_stays(r, &t, &diag);
	if (result == 0)
		answer(r, &t);
	else
		request_fail_store(r, result, &diag);
	stays_deinit(&t.stays);
	free(t.rows);
}
