/*
 * Each session is looked at once, machine by machine, where they lie together; it is added up here, since SQLite would first sort all of them in
 * memory. So what is kept are the keys alone, however many sessions there are.
 */
#include "gateway/store/sqlite/read_usage_parts.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_OF_MACHINES " FROM devices d CROSS JOIN sessions s ON s.device = d.device"
#define IN_RANGE " WHERE s.outcome > 0 AND s.started_ms >= ?1 AND s.started_ms < ?2"

static void add_sessions(struct store_usage *u, enum gf_outcome outcome, uint64_t count)
{
	u->sessions += count;
	u->completed += outcome == GF_OUTCOME_COMPLETED ? count : 0;
	u->interrupted += outcome == GF_OUTCOME_INTERRUPTED ? count : 0;
	u->stopped += outcome > GF_OUTCOME_COMPLETED && outcome < GF_OUTCOME_INTERRUPTED ? count : 0;
}

static void add_ms(uint64_t *sum, uint64_t ms)
{
	*sum = ms < INT64_MAX - *sum ? *sum + ms : INT64_MAX;
}

void read_usage_add(struct store_usage *u, enum gf_outcome outcome, uint64_t sessions, uint64_t running_ms,
                    uint64_t motor_ms)
{
	add_sessions(u, outcome, sessions);
	add_ms(&u->running_ms, running_ms);
	add_ms(&u->motor_ms, motor_ms);
}

static void begin(struct query *q, struct store_reader *reader, const char *sql, int64_t since_ms, int64_t until_ms)
{
	query_begin(q, &reader->db, sql);
	query_i64(q, since_ms);
	query_i64(q, until_ms);
}

/* ---- areas ---- */

struct areas {
	struct store_usage usage[GF_AREA_COUNT];
	int64_t device, session_no; /* the session whose areas come */
	bool seen[GF_AREA_COUNT];   /* in it; both sides or two techniques count as one */
};

static void add_area(struct areas *a, struct query *q)
{
	int64_t device = col_i64(q), session_no = col_i64(q);
	enum gf_outcome outcome = (enum gf_outcome)col_i64(q);
	uint64_t area = col_u64(q), ms = col_u64(q);

	if (device != a->device || session_no != a->session_no)
		memset(a->seen, 0, sizeof(a->seen));
	a->device = device;
	a->session_no = session_no;
	area = area < GF_AREA_COUNT ? area : 0;
	if (!a->seen[area])
		add_sessions(&a->usage[area], outcome, 1);
	a->seen[area] = true;
	add_ms(&a->usage[area].running_ms, ms);
}

int read_usage_areas(struct store_reader *reader, int64_t since_ms, int64_t until_ms, store_usage_fn row, void *ctx,
                     struct gf_diag *diag)
{
	struct areas areas = {.device = 0};
	struct query q;
	int rc, r;

	begin(&q, reader,
	      "SELECT s.device, s.session_no, s.outcome, a.area, a.ms" SESSIONS_OF_MACHINES
	      " CROSS JOIN session_areas a ON a.device = s.device AND a.session_no = s.session_no" IN_RANGE,
	      since_ms, until_ms);
	while ((rc = query_step(&q)) == QUERY_ROW)
		add_area(&areas, &q);
	r = query_end(&q, rc, diag);
	for (size_t i = 0; i < GF_AREA_COUNT && !r; i++) {
		struct store_usage *u = &areas.usage[i];

		if (u->sessions == 0)
			continue;
		(void)gf_strcpy(u->key, sizeof(u->key), gf_area_name((enum gf_area)i));
		r = row(ctx, u);
	}
	return r;
}

/* ---- routines ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct store_usage *)a)->key, ((const struct store_usage *)b)->key);
}

static int add_routine(void **tree, struct query *q)
{
	struct store_usage key = {0}, **found, *u;

	col_text(q, key.key, sizeof(key.key));
	found = tfind(&key, tree, compare);
	if (found == NULL) {
		u = malloc(sizeof(*u));
		if (u == NULL)
			return -ENOMEM;
		*u = key;
		found = tsearch(u, tree, compare);
		if (found == NULL) {
			free(u);
			return -ENOMEM;
		}
	}
	u = *found;
	add_ms(&u->running_ms, col_u64(q));
	add_ms(&u->motor_ms, col_u64(q));
	add_sessions(u, (enum gf_outcome)col_i64(q), 1);
	return 0;
}

struct giving {
	store_usage_fn row;
	void *ctx;
	int result;
};

static void give(const void *node, VISIT visit, void *ctx)
{
	struct giving *g = ctx;

	if ((visit == postorder || visit == leaf) && g->result == 0)
		g->result = g->row(g->ctx, *(struct store_usage *const *)node);
}

int read_usage_routines(struct store_reader *reader, int64_t since_ms, int64_t until_ms, store_usage_fn row, void *ctx,
                        struct gf_diag *diag)
{
	struct giving g = {.row = row, .ctx = ctx};
	void *tree = NULL;
	struct query q;
	int rc = QUERY_DONE, r = 0;

	begin(&q, reader,
	      "SELECT s.routine, max(s.duration_ms - s.paused_ms, 0), s.motor_ms, s.outcome" SESSIONS_OF_MACHINES IN_RANGE,
	      since_ms, until_ms);
	while (r == 0 && (rc = query_step(&q)) == QUERY_ROW)
		r = add_routine(&tree, &q);
	g.result = query_stop(&q, rc, r, diag);
	twalk_r(tree, give, &g);
	tdestroy(tree, free);
	return g.result;
}

/* ---- outcomes ---- */

#define OUTCOME_SESSIONS "SELECT outcome, 1, max(duration_ms - paused_ms, 0), motor_ms FROM sessions WHERE outcome > 0"

static void add_outcome(struct store_usage usage[static GF_OUTCOME_COUNT], struct query *q)
{
	uint64_t outcome = col_u64(q), sessions = col_u64(q), running_ms = col_u64(q);

	read_usage_add(&usage[outcome < GF_OUTCOME_COUNT ? outcome : 0], (enum gf_outcome)outcome, sessions, running_ms,
	               col_u64(q));
}

int read_usage_outcomes(struct store_reader *reader, int64_t since_ms, int64_t until_ms, int64_t from_ms, int64_t to_ms,
                        store_usage_fn row, void *ctx, struct gf_diag *diag)
{
	struct store_usage usage[GF_OUTCOME_COUNT] = {{.sessions = 0}};
	struct query q;
	int rc, r;

	begin(&q, reader,
	      "SELECT outcome, sessions, began_running_ms, began_motor_ms FROM hours WHERE hour_ms >= ?3 AND hour_ms < ?4"
	      " UNION ALL " OUTCOME_SESSIONS " AND started_ms >= ?1 AND started_ms < ?3"
	      " UNION ALL " OUTCOME_SESSIONS " AND started_ms >= ?4 AND started_ms < ?2",
	      since_ms, until_ms);
	query_i64(&q, from_ms);
	query_i64(&q, to_ms);
	while ((rc = query_step(&q)) == QUERY_ROW)
		add_outcome(usage, &q);
	r = query_end(&q, rc, diag);
	for (size_t i = 0; i < GF_OUTCOME_COUNT && !r; i++) {
		if (usage[i].sessions == 0)
			continue;
		(void)gf_strcpy(usage[i].key, sizeof(usage[i].key), gf_outcome_name((enum gf_outcome)i));
		r = row(ctx, &usage[i]);
	}
	return r;
}
