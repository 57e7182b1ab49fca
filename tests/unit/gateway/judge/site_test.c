/* What a site did is read a span at a time: all of it is seen, however it lies, and what is more than can be judged isn't read. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/sqlite/writer.h"

static struct store_flag flags[JUDGE_FLAGS_MAX];

static struct judge_rig *rig(size_t facts_max)
{
	struct judge_rig *g = judge_rig_new(NOON);

	g->facts_max = facts_max;
	judge_reborn(g);
	return g;
}

/* Sessions of machine 0, at the moments of a SELECT; then the site is judged by a rule that is new. */
static void play(struct judge_rig *g, const char *moments)
{
	struct store *s = g->f->store;
	struct gf_diag diag = {""};
	char sql[2048];

	assert_int_equal(store_begin(s, &diag), 0);
	snprintf(
	    sql, sizeof(sql),
	    "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	    " subject_token, outcome, started_ms, time_source, ended_ms, duration_ms) SELECT (SELECT device FROM devices"
	    " WHERE id = '%s'), 1000 + row_number() OVER (ORDER BY at), 1, 0, 'r', 'c', 1, 60, 0, 1, at - 60000, 0, at,"
	    " 60000 FROM (%s)",
	    g->machines[0].id, moments);
	if (db_exec(&s->db, sql, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(store_commit(s, &diag), 0);
	judge_put_in_force(
	    g, "rules: [{id: used, title: t, subject: site, metric: sessions, window: 31d, warn: 1, advice: a}]");
}

static double seen(struct judge_rig *g)
{
	assert_int_equal(judge_flags(g, "used", flags), 1);
	return flags[0].episode.observed;
}

/* Spans grow by 16, from ten minutes on: about each end of one, and now. */
static void sessions_about_the_ends_of_spans_are_seen_once(void **state)
{
	struct judge_rig *g = rig(0);
	char moments[1024];

	(void)state;
	snprintf(moments, sizeof(moments),
	         "WITH k(n, back) AS (VALUES (0, 0), (1, 600000), (2, 600000 * 17), (3, 600000 * 273)),"
	         " e(ms) AS (VALUES (-3), (-2), (-1), (0), (1)) SELECT %" PRId64
	         " - back + ms AS at FROM k, e WHERE back > 0"
	         " OR ms <= 0",
	         g->now.wall_ms);
	play(g, moments);
	assert_true(seen(g) == 3 * 5 + 4);
	judge_rig_free(g);
}

/* Dense here, nothing for days there; more in one span than are asked for at a time. */
static void sessions_are_seen_however_dense_they_lie(void **state)
{
	struct judge_rig *g = rig(0);
	char moments[1024];

	(void)state;
	snprintf(moments, sizeof(moments),
	         "WITH b(back, every, count) AS (VALUES (%" PRId64 ", 7, 3000), (%" PRId64 ", 1, 9000), (%" PRId64
	         ", 60001, 900), (%" PRId64 ", 13, 5000)),"
	         " n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 8999) SELECT %" PRId64
	         " - back + i * every AS at FROM b CROSS JOIN n WHERE i < count",
	         HOUR, 2 * DAY, 9 * DAY, 20 * DAY, g->now.wall_ms);
	play(g, moments);
	assert_true(seen(g) == 3000 + 9000 + 900 + 5000);
	judge_rig_free(g);
}

/* What SQLite did for the facts of the site. */
static int steps_for(int64_t sessions)
{
	struct judge_rig *g = rig(20);
	sqlite3_stmt *stmt = NULL;
	char moments[512];
	int steps = 0;

	snprintf(moments, sizeof(moments),
	         "WITH n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < %" PRId64 ") SELECT %" PRId64
	         " - i * %" PRId64 " AS at FROM n",
	         sessions - 1, g->now.wall_ms, 29 * DAY / sessions);
	while ((stmt = sqlite3_next_stmt(g->f->store->db.handle, stmt)))
		(void)sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
	play(g, moments);
	while ((stmt = sqlite3_next_stmt(g->f->store->db.handle, stmt)))
		if (strstr(sqlite3_sql(stmt), "sites t CROSS JOIN places p"))
			steps += sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 1);
	assert_true(seen(g) == 20 * 4);
	judge_rig_free(g);
	return steps;
}

static void i8_what_it_costs_does_not_grow_with_what_is_not_judged(void **state)
{
	int few = steps_for(2000), many = steps_for(20000);

	(void)state;
	assert_true(few > 0);
	assert_true(many < 2 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sessions_about_the_ends_of_spans_are_seen_once),
	    cmocka_unit_test(sessions_are_seen_however_dense_they_lie),
	    cmocka_unit_test(i8_what_it_costs_does_not_grow_with_what_is_not_judged),
	};

	return cmocka_run_group_tests_name("judge sites", tests, NULL, NULL);
}
