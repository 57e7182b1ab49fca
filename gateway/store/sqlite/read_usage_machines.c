/*
 * Hours lie in the order of time, so they are read in that order and put here under the machine, or where it was just then: to seek each of a machine's
 * hours, or to sort all of them by machine, takes many times as long. What is kept are the machines and their places, however many hours there are.
 *
 * A site has the hours that lie wholly within a machine's time there, and of hours in which a machine moved, as of those that are only partly in the
 * range, the sessions that began there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/sqlite/read_usage_parts.h"

#define SESSION_COLUMNS "device, started_ms, 0, outcome, 1, max(duration_ms - paused_ms, 0), motor_ms"
#define SESSIONS_IN(from, until) \
	"SELECT " SESSION_COLUMNS " FROM sessions WHERE outcome > 0 AND started_ms >= " from " AND started_ms < " until
/* Device, moment, how long it goes on, what there is of it. */
#define USAGE                                                                                                       \
	"SELECT device, hour_ms, 3599999, outcome, sessions, began_running_ms, began_motor_ms FROM hours"               \
	" WHERE hour_ms >= ?3 AND hour_ms < ?4 AND sessions > 0 UNION ALL " SESSIONS_IN("?1", "?3") " UNION "           \
	                                                                                            "ALL " SESSIONS_IN( \
	                                                                                                "?4", "?2")
#define MOVED                                                                                        \
	" UNION ALL SELECT s." SESSION_COLUMNS " FROM (SELECT DISTINCT device AS moved,"                 \
	" from_ms - from_ms % 3600000 AS hour_ms FROM places WHERE from_ms >= ?3 AND from_ms < ?4"       \
	" AND from_ms % 3600000 <> 0) CROSS JOIN sessions s ON device = moved AND started_ms >= hour_ms" \
	" AND started_ms < hour_ms + 3600000 WHERE outcome > 0"
#define EVER " -9223372036854775808, 9223372036854775807,"

/* By each key: where machines are counted, in the order of the key; and what they did. */
static const struct {
	const char *stays, *usage;
} texts[STORE_USAGE_COUNT] = {
    [STORE_USAGE_DEVICE] = {"SELECT device," EVER " id FROM devices ORDER BY id", USAGE},
    [STORE_USAGE_CLASS] = {"SELECT device," EVER " class FROM devices ORDER BY class", USAGE},
    [STORE_USAGE_SITE] = {"SELECT device, from_ms, until_ms, site FROM places ORDER BY site", USAGE MOVED},
};

/* A machine is counted there from from_ms on, before until_ms. */
struct stay {
	int64_t device, from_ms, until_ms;
	size_t usage;
};

struct machines {
	struct stay *stays; /* by device, then by time */
	size_t stays_count, stays_room;
	struct store_usage *usage;
	size_t usage_count, usage_room;
};

/* ---- where they are counted ---- */

static void *grown(void *items, size_t *room, size_t size)
{
	const size_t more = *room ? *room * 2 : 64;

	items = reallocarray(items, more, size);
	if (items != NULL)
		*room = more;
	return items;
}

static int add_usage(struct machines *m, const char *key)
{
	if (m->usage_count == m->usage_room) {
		struct store_usage *usage = grown(m->usage, &m->usage_room, sizeof(*usage));

		if (usage == NULL)
			return -ENOMEM;
		m->usage = usage;
	}
	m->usage[m->usage_count] = (struct store_usage){.sessions = 0};
	gf_strcpy(m->usage[m->usage_count].key, sizeof(m->usage->key), key);
	m->usage_count++;
	return 0;
}

static int add_stay(struct machines *m, enum store_usage_key by, struct query *q)
{
	const int64_t device = col_i64(q), from_ms = col_i64(q), until_ms = col_i64(q);
	char key[sizeof(m->usage->key)];

	if (by == STORE_USAGE_CLASS)
		gf_strcpy(key, sizeof(key), gf_class_name((enum gf_class)col_i64(q)));
	else
		col_text(q, key, sizeof(key));
	if (m->stays_count == m->stays_room) {
		struct stay *stays = grown(m->stays, &m->stays_room, sizeof(*stays));

		if (stays == NULL)
			return -ENOMEM;
		m->stays = stays;
	}
	if ((m->usage_count == 0 || strcmp(m->usage[m->usage_count - 1].key, key) != 0) && add_usage(m, key) != 0)
		return -ENOMEM;
	m->stays[m->stays_count++] = (struct stay){device, from_ms, until_ms, m->usage_count - 1};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct stay *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static int read_stays(struct store_reader *reader, enum store_usage_key by, struct machines *m, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0, r;

	query_begin(&q, &reader->db, texts[by].stays);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW)
		stopped = add_stay(m, by, &q);
	r = query_stop(&q, rc, stopped, diag);
	if (!r && m->stays_count > 0)
		qsort(m->stays, m->stays_count, sizeof(*m->stays), compare);
	return r;
}

/* ---- what they did ---- */

/* The stay that the moment falls into; NULL: there is none. */
static const struct stay *stay_at(const struct machines *m, int64_t device, int64_t at_ms)
{
	const struct stay wanted = {.device = device, .from_ms = at_ms};
	size_t low = 0, high = m->stays_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&m->stays[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && m->stays[low - 1].device == device ? &m->stays[low - 1] : NULL;
}

/* An hour in which the machine left is counted by its sessions. */
static void add(struct machines *m, struct query *q)
{
	const int64_t device = col_i64(q), at_ms = col_i64(q), lasts_ms = col_i64(q);
	const enum gf_outcome outcome = (enum gf_outcome)col_i64(q);
	const uint64_t sessions = col_u64(q), running_ms = col_u64(q), motor_ms = col_u64(q);
	const struct stay *stay = stay_at(m, device, at_ms);

	if (stay != NULL && at_ms < stay->until_ms - lasts_ms)
		read_usage_add(&m->usage[stay->usage], outcome, sessions, running_ms, motor_ms);
}

static int read_all(struct store_reader *reader, enum store_usage_key by, const int64_t range_ms[static 4],
                    struct machines *m, struct gf_diag *diag)
{
	struct query q;
	int rc, r = read_stays(reader, by, m, diag);

	if (r)
		return r;
	query_begin(&q, &reader->db, texts[by].usage);
	for (size_t i = 0; i < 4; i++)
		query_i64(&q, range_ms[i]);
	while ((rc = query_step(&q)) == QUERY_ROW)
		add(m, &q);
	return query_end(&q, rc, diag);
}

int read_usage_machines(struct store_reader *reader, enum store_usage_key by, int64_t since_ms, int64_t until_ms,
                        int64_t from_ms, int64_t to_ms, store_usage_fn row, void *ctx, struct gf_diag *diag)
{
	struct machines m = {.stays_count = 0};
	int r = read_begin(reader, diag);

	if (!r)
		r = read_end(reader, read_all(reader, by, (int64_t[]){since_ms, until_ms, from_ms, to_ms}, &m, diag));
	for (size_t i = 0; i < m.usage_count && !r; i++)
		if (m.usage[i].sessions > 0)
			r = row(ctx, &m.usage[i]);
	free(m.stays);
	free(m.usage);
	return r;
}
