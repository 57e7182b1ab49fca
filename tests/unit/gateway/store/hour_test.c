/* Hours of use: what they have of sessions, that usage from them is what the sessions say, and what else is read by time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

enum { ROWS_MAX = 4096 };
struct hours {
	size_t count;
	struct store_hour rows[ROWS_MAX];
};

static int take_hour(void *ctx, const struct store_hour *hour)
{
	struct hours *list = ctx;

	assert_true(list->count < ROWS_MAX);
	list->rows[list->count++] = *hour;
	return 0;
}

/* Freed by the caller. */
static struct hours *get_hours(struct fixture *f, const char *device, int64_t since_ms, int64_t until_ms)
{
	struct hours *list = calloc(1, sizeof(*list));

	assert_non_null(list);
	assert_int_equal(store_read_hours(f->reader, device, since_ms, until_ms, take_hour, list, NULL), 0);
	return list;
}

static struct gf_record session_at(uint64_t seq, int64_t started_ms, uint32_t duration_ms, uint64_t motor_ms)
{
	struct gf_record r = session(seq, seq, started_ms + duration_ms);
	struct gf_session_ended *e = &r.session_ended;

	e->started_wall_ms = (uint64_t)started_ms;
	e->duration_ms = duration_ms;
	e->paused_ms = duration_ms / 10;
	e->motor_ms = motor_ms;
	return r;
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* ---- what they have ---- */

static void i1_a_session_is_in_the_hours_it_ran_in_and_once(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_at(1, NOON + 45 * MINUTE, 30 * MINUTE, 20 * MINUTE);
	struct hours *h;

	send_report(f, ID, 1, &r, 1, NOON + DAY);
	send_report(f, ID, 1, &r, 1, NOON + DAY);
	/* The same over another stream, as an old disk tells it. */
	send_report(f, ID, 2, &r, 1, NOON + DAY);
	h = get_hours(f, ID, 0, 0);
	assert_int_equal(h->count, 2);
	assert_int_equal(h->rows[0].hour_ms, NOON);
	assert_int_equal(h->rows[0].sessions, 1);
	assert_int_equal(h->rows[0].outcomes[GF_OUTCOME_COMPLETED], 1);
	assert_int_equal(h->rows[0].running_ms, 27 * MINUTE / 2);
	assert_int_equal(h->rows[0].motor_ms, 10 * MINUTE);
	assert_int_equal(h->rows[1].hour_ms, NOON + HOUR);
	assert_int_equal(h->rows[1].sessions, 0);
	assert_int_equal(h->rows[1].outcomes[GF_OUTCOME_COMPLETED], 0);
	assert_int_equal(h->rows[1].running_ms, 27 * MINUTE / 2);
	assert_int_equal(h->rows[1].motor_ms, 10 * MINUTE);
	free(h);
}

static void i8_a_session_of_weeks_touches_a_few_rows(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_at(1, NOON + MINUTE, UINT32_MAX - 1, UINT64_C(1) << 41);
	uint64_t running_ms = 0, motor_ms = 0;
	struct hours *h;

	send_report(f, ID, 1, &r, 1, NOON + 100 * DAY);
	h = get_hours(f, ID, 0, 0);
	assert_int_equal(h->count, 49);
	for (size_t i = 0; i < h->count; i++) {
		running_ms += h->rows[i].running_ms;
		motor_ms += h->rows[i].motor_ms;
	}
	assert_int_equal(running_ms, UINT32_MAX - 1 - (UINT32_MAX - 1) / 10);
	assert_int_equal(motor_ms, UINT64_C(1) << 41);
	free(h);
}

static void i1_a_rejected_session_is_in_no_hour(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_at(1, NOON, 30 * MINUTE, MINUTE);
	struct hours *h;

	assert_int_equal(sqlite3_exec(f->store->db.handle,
	                              "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.events WHEN NEW.kind = 1"
	                              " BEGIN SELECT RAISE(ABORT, 'refused'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(send_report(f, ID, 1, &r, 1, NOON + DAY).rejected, 1);
	h = get_hours(f, NULL, 0, 0);
	assert_int_equal(h->count, 0);
	free(h);
}

static void they_are_read_by_machine_then_time(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session_at(1, NOON + 2 * HOUR, MINUTE, 0), session_at(2, NOON, MINUTE, 0)};
	struct hours *h;

	rs[1].session_ended.outcome = GF_OUTCOME_INTERRUPTED;
	rs[1].session_ended.odometer.motor_ms = 3 * MINUTE;
	send_report(f, "chair-2", 1, rs, 2, NOON + DAY);
	send_report(f, ID, 1, rs, 2, NOON + DAY);
	h = get_hours(f, NULL, NOON, NOON + 3 * HOUR);
	assert_int_equal(h->count, 4);
	assert_string_equal(h->rows[0].device, ID);
	assert_int_equal(h->rows[0].hour_ms, NOON);
	assert_int_equal(h->rows[0].outcomes[GF_OUTCOME_INTERRUPTED], 1);
	assert_int_equal(h->rows[1].hour_ms, NOON + 2 * HOUR);
	assert_string_equal(h->rows[2].device, "chair-2");
	free(h);
	h = get_hours(f, NULL, NOON, NOON + 2 * HOUR);
	assert_int_equal(h->count, 2);
	free(h);
}

/* All of a big fleet's hours are never in memory at once. */
static void i8_they_are_read_without_sorting(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session_at(1, NOON + 2 * HOUR, MINUTE, 0), session_at(2, NOON, MINUTE, 0)};
	const char *const devices[] = {NULL, ID};
	sqlite3_stmt *stmt = NULL;
	int seen = 0;

	send_report(f, ID, 1, rs, 2, NOON + DAY);
	for (size_t i = 0; i < 2; i++)
		free(get_hours(f, devices[i], 0, 0));
	while ((stmt = sqlite3_next_stmt(f->reader->db.handle, stmt)))
		if (strstr(sqlite3_sql(stmt), "hours h")) {
			assert_int_equal(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 0), 0);
			seen++;
		}
	assert_int_equal(seen, 2);
}

/* ---- against the sessions ---- */

/* Three machines, half a month, sessions from seconds to hours, in any order. */
static void play(struct fixture *f)
{
	unsigned seed = 5;

	for (int machine = 1; machine <= 3; machine++)
		for (uint64_t seq = 1; seq <= 150; seq++) {
			int64_t at = NOON + (int64_t)(next_random(&seed) % (15 * 24 * 3600)) * 1000;
			struct gf_record r = session_at(seq, at, next_random(&seed) % (uint32_t)(3 * HOUR), next_random(&seed));
			char id[32];

			snprintf(id, sizeof(id), "chair-%d", machine);
			r.session_ended.outcome = (enum gf_outcome)(1 + next_random(&seed) % 6);
			r.session_ended.odometer.motor_ms = UINT64_C(1) << 40;
			send_report(f, id, 1, &r, 1, NOON + 30 * DAY);
		}
}

struct model {
	enum store_usage_key by;
	int64_t since_ms, until_ms, offset_ms;
	uint64_t sessions, running_ms, motor_ms;
	const char *key;
};

static bool of_key(const struct model *m, const struct store_session *s)
{
	int64_t local = s->started_ms + m->offset_ms;

	switch (m->by) {
	case STORE_USAGE_DEVICE:
		return strcmp(s->device, m->key) == 0;
	case STORE_USAGE_SITE:
		return strcmp(s->site, m->key) == 0;
	case STORE_USAGE_OUTCOME:
		return strcmp(gf_outcome_name(s->outcome), m->key) == 0;
	case STORE_USAGE_HOUR:
		return local / HOUR % 24 == strtol(m->key, NULL, 10);
	case STORE_USAGE_DAY: {
		struct tm tm;
		time_t t = local / 1000;
		char day[16];

		strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
		return strcmp(day, m->key) == 0;
	}
	case STORE_USAGE_WEEK: {
		struct tm tm;
		time_t t = local / 1000;
		char week[16];

		strftime(week, sizeof(week), "%G-W%V", gmtime_r(&t, &tm));
		return strcmp(week, m->key) == 0;
	}
	default:
		return true;
	}
}

static int add_session(void *ctx, const struct store_session *s)
{
	struct model *m = ctx;

	if (!of_key(m, s))
		return 0;
	m->sessions++;
	m->running_ms += s->duration_ms > s->paused_ms ? s->duration_ms - s->paused_ms : 0;
	m->motor_ms += s->motor_ms;
	return 0;
}

struct check {
	struct fixture *f;
	struct model model;
	uint64_t total;
};

static int check_usage(void *ctx, const struct store_usage *u)
{
	struct check *c = ctx;
	struct model m = c->model;
	struct store_session_query query = {.since_ms = m.since_ms, .until_ms = m.until_ms};
	struct store_reader *reader;

	m.key = u->key;
	assert_int_equal(store_reader_open(c->f->path, &reader, NULL), 0);
	assert_int_equal(store_read_sessions(reader, &query, add_session, &m, NULL), 0);
	store_reader_close(reader);
	assert_int_equal(u->sessions, m.sessions);
	assert_int_equal(u->running_ms, m.running_ms);
	assert_int_equal(u->motor_ms, m.motor_ms);
	assert_int_equal(u->completed + u->stopped + u->interrupted, m.sessions);
	c->total += u->sessions;
	return 0;
}

static int count_session(void *ctx, const struct store_session *s)
{
	(void)s;
	++*(uint64_t *)ctx;
	return 0;
}

static void check_range(struct fixture *f, enum store_usage_key by, int64_t since_ms, int64_t until_ms,
                        int64_t offset_ms)
{
	struct check c = {f, {.by = by, .since_ms = since_ms, .until_ms = until_ms, .offset_ms = offset_ms}, 0};
	struct store_session_query query = {.since_ms = since_ms, .until_ms = until_ms};
	uint64_t all = 0;

	assert_int_equal(store_read_usage(f->reader, by, since_ms, until_ms, offset_ms, check_usage, &c, NULL), 0);
	assert_int_equal(store_read_sessions(f->reader, &query, count_session, &all, NULL), 0);
	assert_int_equal(c.total, all);
}

static void i1_usage_is_what_the_sessions_say_at_any_edge(void **state)
{
	static const enum store_usage_key keys[] = {STORE_USAGE_DEVICE, STORE_USAGE_SITE, STORE_USAGE_CLASS,
	                                            STORE_USAGE_HOUR,   STORE_USAGE_DAY,  STORE_USAGE_WEEK,
	                                            STORE_USAGE_OUTCOME};
	static const int64_t edges[][2] = {
	    {0, 0},
	    {NOON, NOON + 7 * DAY},
	    {NOON + 17 * MINUTE, NOON + 7 * DAY + 41 * MINUTE},
	    {NOON + DAY + 5 * MINUTE, NOON + DAY + 55 * MINUTE},
	    {NOON + DAY + 5 * MINUTE, NOON + DAY + 65 * MINUTE},
	};
	static const int64_t offsets[] = {0, 2 * HOUR, -8 * HOUR, 5 * HOUR + 30 * MINUTE};
	struct fixture *f = *state;

	play(f);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		for (size_t e = 0; e < sizeof(edges) / sizeof(edges[0]); e++)
			for (size_t o = 0; o < sizeof(offsets) / sizeof(offsets[0]); o++)
				check_range(f, keys[k], edges[e][0], edges[e][1], offsets[o]);
}

/* Now here, now there, from whole hours and from others on, for minutes or for days. */
static void i1_usage_of_a_site_is_what_the_sessions_say_wherever_machines_were(void **state)
{
	static const char *const sites[] = {"berlin", "hamburg", "", "rome"};
	struct fixture *f = *state;
	unsigned seed = 7;
	int64_t at = NOON;

	play(f);
	for (int i = 0; i < 300; i++) {
		struct store_device_change change = {.site = sites[next_random(&seed) % 4]};
		char id[32];

		at += i % 3 ? 0 : (int64_t)(1 + next_random(&seed) % 10) * 15 * MINUTE;
		change.site_since_ms = at;
		snprintf(id, sizeof(id), "chair-%d", 1 + i % 3);
		assert_int_equal(store_device_set(f->store, id, &change, &(struct store_actor){"anna", "unix socket"},
		                                  at + 5 * MINUTE, NULL),
		                 0);
	}
	check_range(f, STORE_USAGE_SITE, 0, 0, 0);
	for (int i = 0; i < 30; i++) {
		int64_t since_ms = NOON + (int64_t)(next_random(&seed) % (15 * 24 * 60)) * MINUTE;

		check_range(f, i % 6 ? STORE_USAGE_SITE : STORE_USAGE_DEVICE, since_ms,
		            since_ms + (int64_t)(1 + next_random(&seed) % (i % 2 ? 5000 : 150)) * MINUTE, 0);
	}
}

/* In the order in which they lie: what seeks each machine's hours takes many times as long. */
static void usage_of_machines_reads_the_hours_once_and_in_order(void **state)
{
	struct fixture *f = *state;
	const enum store_usage_key keys[] = {STORE_USAGE_DEVICE, STORE_USAGE_SITE, STORE_USAGE_CLASS};
	sqlite3_stmt *stmt = NULL;
	int seen = 0, in_order = 0;

	play(f);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		check_range(f, keys[i], 0, 0, 0);
	while ((stmt = sqlite3_next_stmt(f->reader->db.handle, stmt))) {
		sqlite3_stmt *plan = NULL;
		char sql[4096];

		if (!strstr(sqlite3_sql(stmt), "FROM hours"))
			continue;
		seen++;
		assert_int_equal(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 0), 0);
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(stmt));
		assert_int_equal(sqlite3_prepare_v2(f->store->db.handle, sql, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW)
			in_order += strstr((const char *)sqlite3_column_text(plan, 3),
			                   "SEARCH hours USING PRIMARY KEY (hour_ms>? AND hour_ms<?)") != NULL;
		sqlite3_finalize(plan);
	}
	assert_true(seen > 0);
	assert_int_equal(in_order, seen);
}

/* Hours are written by a walk in C, and of what was stored before by a walk in SQL. */
static void i1_what_was_stored_before_becomes_the_same_hours(void **state)
{
	struct fixture *f = *state;
	struct hours *before, *after;
	struct gf_record r = session_at(1, NOON + MINUTE, UINT32_MAX - 1, UINT64_C(1) << 41);
	const char *insert = strstr(schema_v9, "INSERT INTO hours");

	play(f);
	send_report(f, "chair-9", 1, &r, 1, NOON + 100 * DAY);
	r = session_at(2, NOON, 0, 5);
	send_report(f, "chair-9", 1, &r, 1, NOON + 100 * DAY);
	before = get_hours(f, NULL, 0, 0);
	assert_true(before->count > 500);
	assert_non_null(insert);
	assert_int_equal(db_exec(&f->store->db, "DELETE FROM hours", NULL), 0);
	assert_int_equal(db_exec(&f->store->db, insert, NULL), 0);
	after = get_hours(f, NULL, 0, 0);
	assert_int_equal(before->count, after->count);
	for (size_t i = 0; i < before->count; i++)
		assert_memory_equal(&before->rows[i], &after->rows[i], sizeof(before->rows[i]));
	free(before);
	free(after);
}

/* ---- heartbeats ---- */

struct beats {
	size_t count, page;
	struct store_beat rows[ROWS_MAX];
};

static int take_beat(void *ctx, const struct store_beat *beat)
{
	struct beats *list = ctx;

	assert_true(list->count < ROWS_MAX);
	list->rows[list->count++] = *beat;
	return list->count % list->page == 0;
}

static size_t read_all(struct fixture *f, const char *device, size_t page, struct beats *list)
{
	struct store_beat_query query = {.device = device, .since_ms = NOON};
	int r = 1;

	list->count = 0;
	list->page = page;
	while (r == 1) {
		r = store_read_beats(f->reader, &query, take_beat, list, NULL);
		if (r == 1) {
			query.after_ms = list->rows[list->count - 1].at_ms;
			query.after_device = list->rows[list->count - 1].device;
			query.after_seq = list->rows[list->count - 1].seq;
		}
	}
	assert_int_equal(r, 0);
	return list->count;
}

static void heartbeats_come_in_pages_of_any_size_each_once(void **state)
{
	struct fixture *f = *state;
	struct beats *list = calloc(1, sizeof(*list));

	assert_non_null(list);
	for (int machine = 1; machine <= 3; machine++)
		for (uint64_t seq = 1; seq <= 40; seq++) {
			/* Several in one millisecond, of two streams, and one from before. */
			struct gf_record r = heartbeat(seq, NOON + (int64_t)(seq / 4) * MINUTE - (seq == 1), 40);
			char id[32];

			snprintf(id, sizeof(id), "chair-%d", machine);
			send_report(f, id, 1, &r, 1, NOON + DAY);
			if (machine == 2)
				send_report(f, id, 2, &r, 1, NOON + DAY);
		}
	for (size_t page = 1; page <= 200; page += 13) {
		assert_int_equal(read_all(f, NULL, page, list), 4 * 39);
		for (size_t i = 1; i < list->count; i++)
			assert_true(list->rows[i - 1].at_ms <= list->rows[i].at_ms);
		assert_int_equal(read_all(f, "chair-2", page, list), 2 * 39);
		assert_int_equal(read_all(f, "chair-3", page, list), 39);
	}
	assert_true(list->rows[0].heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].present);
	assert_int_equal(list->rows[0].heartbeat.interval_ms, 60000);
	assert_int_equal(read_all(f, "nobody", 10, list), 0);
	free(list);
}

/* How many steps of the machine that runs SQL a page of ten takes, from a place in the middle. */
static int steps_of_a_page(struct fixture *f, int64_t after_ms)
{
	struct store_beat_query query = {.after_ms = after_ms, .after_device = ID, .after_seq = 1};
	struct beats *list = calloc(1, sizeof(*list));
	sqlite3_stmt *stmt = NULL;
	int steps = 0;

	assert_non_null(list);
	list->page = 10;
	assert_int_equal(store_read_beats(f->reader, &query, take_beat, list, NULL), 1);
	while ((stmt = sqlite3_next_stmt(f->reader->db.handle, stmt)))
		if (strstr(sqlite3_sql(stmt), "FROM heartbeats"))
			steps += sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
	free(list);
	return steps;
}

static void i8_a_page_costs_the_same_wherever_it_begins(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[200];
	int first, last;

	for (uint64_t n = 0; n < 10; n++) {
		for (uint64_t i = 0; i < 200; i++)
			rs[i] = heartbeat(n * 200 + i + 1, NOON + (int64_t)(n * 200 + i) * MINUTE, 40);
		send_report(f, ID, 1, rs, 200, NOON + 3 * DAY);
	}
	first = steps_of_a_page(f, NOON + 10 * MINUTE);
	last = steps_of_a_page(f, NOON + 1900 * MINUTE);
	assert_true(first > 0);
	assert_int_equal(first, last);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(i1_a_session_is_in_the_hours_it_ran_in_and_once),
	    TEST(i8_a_session_of_weeks_touches_a_few_rows),
	    TEST(i1_a_rejected_session_is_in_no_hour),
	    TEST(they_are_read_by_machine_then_time),
	    TEST(i8_they_are_read_without_sorting),
	    TEST(i1_usage_is_what_the_sessions_say_at_any_edge),
	    TEST(i1_usage_of_a_site_is_what_the_sessions_say_wherever_machines_were),
	    TEST(usage_of_machines_reads_the_hours_once_and_in_order),
	    TEST(i1_what_was_stored_before_becomes_the_same_hours),
	    TEST(heartbeats_come_in_pages_of_any_size_each_once),
	    TEST(i8_a_page_costs_the_same_wherever_it_begins),
	};

	return cmocka_run_group_tests_name("store hours", tests, NULL, NULL);
}
