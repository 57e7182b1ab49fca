/* The runner: what it does when the rules change, when the store refuses, and to the machines that a rule holds. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/sqlite/writer.h"

static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};
static struct store_flag flags[JUDGE_FLAGS_MAX];

static const char stalls[] = "rules:\n"
                             "  - id: stalls\n"
                             "    title: stalls too often\n"
                             "    subject: device\n"
                             "    metric: faults\n"
                             "    codes: [stall]\n"
                             "    window: 24h\n"
                             "    warn: 1\n"
                             "    act: %d\n"
                             "    cap: warn\n"
                             "    cap_intensity_pct: 40\n"
                             "    lock: act\n"
                             "    advice: Look at it.\n";
static const char other[] = "rules:\n"
                            "  - id: covers\n"
                            "    title: open covers\n"
                            "    subject: site\n"
                            "    metric: faults\n"
                            "    codes: [cover_open]\n"
                            "    window: 24h\n"
                            "    warn: 2\n"
                            "    advice: Look at them.\n";

static void stalls_from(struct judge_rig *g, int act)
{
	char text[sizeof(stalls) + 16];

	snprintf(text, sizeof(text), stalls, act);
	judge_put_in_force(g, text);
}

static struct gf_desired desired(struct judge_rig *g)
{
	return get_device(g->f, "machine-0", g->now.wall_ms).desired;
}

/* ---- what a rule holds ---- */

static void a_rule_caps_then_locks_and_lets_go(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	stalls_from(g, 2);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_float_equal(desired(g).limits.intensity_max_pct, 40, 0.01);
	assert_false(desired(g).locked);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_true(desired(g).locked);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_true(flags[0].holds);
	assert_non_null(strstr(desired(g).lock_reason, "(stalls): "));
	/* A restart changes nothing of it. */
	judge_reborn(g);
	judge_run(g, NOON + 3 * HOUR);
	assert_true(desired(g).locked);
	judge_run(g, NOON + 26 * HOUR);
	assert_false(desired(g).locked);
	assert_float_equal(desired(g).limits.intensity_max_pct, 0, 0.01);
	judge_rig_free(g);
}

static void what_was_over_when_it_was_told_locks_nothing(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	stalls_from(g, 2);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_run(g, NOON + 2 * DAY);
	judge_tell(g, 0);
	judge_run(g, NOON + 2 * DAY);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_CLEARED);
	assert_int_equal(flags[0].episode.level, RULE_LEVEL_ACT);
	assert_int_equal(desired(g).revision, 0);
	judge_rig_free(g);
}

static void what_somebody_released_stays_so(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	stalls_from(g, 2);
	judge_fault(g, 0, NOON, GF_FAULT_STALL);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_true(desired(g).locked);
	judge_flags(g, "stalls", flags);
	assert_int_equal(store_flag_ack(g->f->store, flags[0].id, "looked at", true, &anna, g->now.wall_ms, NULL, NULL), 0);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_OPEN);
	assert_false(desired(g).locked);
	judge_rig_free(g);
}

/* ---- rules that change ---- */

static void new_rules_judge_what_is_there(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	stalls_from(g, 3);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_RULE_GONE);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, NOON + HOUR);
	assert_int_equal(flags[0].episode.level, RULE_LEVEL_WARN);
	/* The same rule, stricter: the same flag. */
	stalls_from(g, 2);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_int_equal(flags[0].episode.acted_ms, NOON + 2 * HOUR);
	assert_true(desired(g).locked);
	/* And gone. */
	judge_put_in_force(g, other);
	assert_false(desired(g).locked);
	judge_run(g, NOON + 3 * DAY);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_RULE_GONE);
	judge_rig_free(g);
}

static void the_same_rules_again_judge_nobody(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_state before, after;

	(void)state;
	judge_runner_state(g->runner, &before);
	assert_int_equal(judge_runner_rules(g->runner, &g->config, g->now, NULL), 0);
	judge_run(g, g->now.wall_ms);
	judge_runner_state(g->runner, &after);
	assert_int_equal(after.judged, before.judged);
	judge_rig_free(g);
}

/* ---- sites ---- */

static void a_site_is_judged_with_its_machines_once_a_minute(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_state before, after;

	(void)state;
	judge_put_in_force(g, other);
	judge_run(g, NOON + 5 * MINUTE);
	judge_runner_state(g->runner, &before);
	for (int64_t i = 1; i <= 20; i++) {
		judge_fault(g, (size_t)i % 2, NOON + 5 * MINUTE + i * 2000, GF_FAULT_COVER_OPEN);
		judge_now(g, (size_t)i % 2, NOON + 5 * MINUTE + i * 2000);
	}
	judge_runner_state(g->runner, &after);
	assert_in_range(after.judged - before.judged, 1, 2);
	judge_run(g, NOON + 10 * MINUTE);
	assert_int_equal(judge_flags(g, "covers", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, NOON + 5 * MINUTE + 4000);
	assert_string_equal(flags[0].site, "berlin");
	assert_string_equal(flags[0].device, "");
	judge_rig_free(g);
}

/* ---- a store that refuses ---- */

static void a_store_that_refuses_is_tried_again(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_state after;
	sqlite3 *lock;

	(void)state;
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_run(g, NOON + HOUR);
	judge_tell(g, 0);
	sqlite3_busy_timeout(g->f->store->db.handle, 1);
	assert_int_equal(sqlite3_open(g->f->path, &lock), SQLITE_OK);
	assert_int_equal(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_true(judge_runner_step(g->runner, true, g->now) > g->now.mono_ms);
	judge_runner_state(g->runner, &after);
	assert_int_equal(after.failing_since_ms, g->now.wall_ms);
	assert_non_null(strstr(after.last_error.text, "locked"));
	sqlite3_close(lock);
	g->now.mono_ms += 2000;
	g->now.wall_ms += 2000;
	(void)judge_runner_step(g->runner, true, g->now);
	judge_runner_state(g->runner, &after);
	assert_int_equal(after.failing_since_ms, 0);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	judge_rig_free(g);
}

static int refuse(void *ctx)
{
	(void)ctx;
	return 1;
}

/* The rules that are in force go on being asked by what they look at. */
static void rules_that_cannot_be_written_leave_those_before_in_force(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judgement_config none;

	(void)state;
	stalls_from(g, 2);
	assert_int_equal(rules_yaml_load_text("rules.yaml", "rules: []", 9, &none, NULL), 0);
	sqlite3_commit_hook(g->f->store->db.handle, refuse, NULL);
	assert_int_not_equal(judge_runner_rules(g->runner, &none, g->now, NULL), 0);
	sqlite3_commit_hook(g->f->store->db.handle, NULL, NULL);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_int_equal(judge_flags(g, "stalls", flags), 1);
	/* Once they are, nobody is marked for what they don't look at. */
	assert_int_equal(judge_runner_rules(g->runner, &none, g->now, NULL), 0);
	judge_run(g, NOON + 2 * HOUR);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_tell(g, 0);
	assert_int_equal(number_of(g->f, "SELECT count(*) FROM judge WHERE due_ms = 0"), 0);
	judge_put_in_force(g, other);
	judgement_config_deinit(&none);
	judge_rig_free(g);
}

/* One whose flags the database doesn't take: the others are judged all the same. */
static void one_that_cannot_be_judged_holds_up_no_other(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	assert_int_equal(db_exec(&g->f->store->db,
	                         "CREATE TRIGGER poison BEFORE INSERT ON flags WHEN NEW.device = 1 AND NEW.rule = 'D3'"
	                         " BEGIN SELECT RAISE(ABORT, 'poison'); END",
	                         NULL),
	                 0);
	for (size_t m = 0; m < 2; m++)
		judge_fault(g, m, NOON + HOUR, GF_FAULT_STALL);
	g->now.mono_ms += HOUR;
	g->now.wall_ms += HOUR;
	judge_tell(g, 0);
	judge_tell(g, 1);
	for (int i = 0; i < 10; i++) {
		(void)judge_runner_step(g->runner, true, g->now);
		g->now.mono_ms += 2000;
		g->now.wall_ms += 2000;
	}
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_string_equal(flags[0].device, "machine-1");
	/* And that one is named. */
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 1);
	assert_string_equal(flags[0].device, "machine-0");
	assert_non_null(strstr(flags[0].text, "not judged at all, tried again every hour: "));
	assert_non_null(strstr(flags[0].text, "poison"));
	/* It is tried again. */
	assert_int_equal(db_exec(&g->f->store->db, "DROP TRIGGER poison", NULL), 0);
	judge_run(g, g->now.wall_ms + 2 * HOUR);
	assert_int_equal(judge_flags(g, "D3", flags), 2);
	judge_run(g, g->now.wall_ms + HOUR);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_CLEARED);
	judge_rig_free(g);
}

/* It tells something new all the time, and so do the others. */
static void one_that_cannot_be_judged_waits_whatever_it_tells(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	assert_int_equal(db_exec(&g->f->store->db,
	                         "CREATE TRIGGER poison BEFORE INSERT ON flags WHEN NEW.device = 4 AND NEW.rule = 'D3'"
	                         " BEGIN SELECT RAISE(ABORT, 'poison'); END",
	                         NULL),
	                 0);
	for (int i = 0; i < 20; i++) {
		for (size_t m = 0; m < JUDGE_MACHINES; m++) {
			judge_fault(g, m, g->now.wall_ms, m == 0 && i == 19 ? GF_FAULT_STALL : GF_FAULT_COVER_OPEN);
			if (m == 3)
				judge_fault(g, m, g->now.wall_ms, GF_FAULT_STALL);
			judge_tell(g, m);
		}
		for (int n = 0; n < 5; n++)
			(void)judge_runner_step(g->runner, true, g->now);
		g->now.mono_ms += 100;
		g->now.wall_ms += 100;
	}
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_string_equal(flags[0].device, "machine-0");
	assert_int_equal(db_exec(&g->f->store->db, "DROP TRIGGER poison", NULL), 0);
	judge_run(g, g->now.wall_ms + 2 * HOUR);
	assert_int_equal(judge_flags(g, "D3", flags), 2);
	judge_rig_free(g);
}

/* More sessions of one person than a house of machines could give: judged by the newest, like everybody else, and it is said. */
static void i8_who_is_told_of_too_much_is_judged_by_the_newest(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session liar = {.token = 77}, honest = {.token = 78};
	size_t count, person = 0;

	(void)state;
	judge_session(g, 2, NOON + HOUR, &liar);
	judge_now(g, 2, NOON + HOUR);
	assert_int_equal(
	    db_exec(
	        &g->f->store->db,
	        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 200000) INSERT INTO sessions"
	        " (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s, subject_token, outcome,"
	        " started_ms, time_source, ended_ms, duration_ms) SELECT device, session_no + 1000 + i, stream, seq + 1000"
	        " + i, routine, catalog, catalog_version, planned_s, subject_token, outcome, started_ms - i, time_source,"
	        " ended_ms - i, duration_ms FROM sessions, n WHERE subject_token = 77",
	        NULL),
	    0);
	for (int i = 0; i < 5; i++) {
		const int64_t at_ms = NOON + (2 + i) * HOUR;

		judge_session(g, 2, at_ms, &liar);
		judge_session(g, 3, at_ms, &honest);
		judge_run(g, at_ms + 1000);
		judge_tell(g, 2);
		judge_tell(g, 3);
		judge_run(g, at_ms + 2000);
	}
	assert_int_equal(judge_flags(g, "P4", flags), 2);
	assert_true(flags[0].subject.key == 78 || flags[1].subject.key == 78);
	assert_true(flags[0].subject.key == 77 || flags[1].subject.key == 77);
	count = judge_flags(g, STORE_RULE_JUDGING, flags);
	for (size_t i = 0; i < count; i++)
		person += flags[i].subject.kind == RULE_SUBJECT_PERSON && flags[i].subject.key == 77;
	assert_int_equal(person, 1);
	judge_rig_free(g);
}

/* The gateway's clock was years ahead for an hour. */
static void i9_a_clock_that_was_ahead_leaves_nothing_open(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	g->now.wall_ms += 5 * 365 * DAY;
	judge_births(g);
	for (int i = 0; i < 5; i++)
		(void)judge_runner_step(g->runner, true, g->now);
	g->now.wall_ms -= 5 * 365 * DAY;
	for (int i = 0; i < 5; i++)
		(void)judge_runner_step(g->runner, true, g->now);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].episode.ended_ms, 0);
	judge_run(g, NOON + 2 * DAY);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].episode.ended_ms, NOON + HOUR + DAY);
	judge_rig_free(g);
}

/* A clock that isn't set judges nobody: it would settle the past. */
static void a_clock_that_is_not_set_judges_nobody(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_run(g, NOON + HOUR);
	judge_tell(g, 0);
	g->now.synced = false;
	assert_true(judge_runner_step(g->runner, true, g->now) > g->now.mono_ms);
	assert_int_equal(judge_flags(g, "D3", flags), 0);
	g->now.synced = true;
	judge_run(g, g->now.wall_ms);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	judge_rig_free(g);
}

/* ---- I8, I9 ---- */

/* It says whatever it likes, of a thousand people; what is left is what the rules find of it, each with an end. */
static void i9_whatever_a_machine_says_each_open_flag_is_due(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	size_t open = 0, count;

	(void)state;
	for (uint64_t i = 1; i <= 120; i++) {
		const struct judge_session s = {.token = i % 30 + 1,
		                                .staff = i % 7,
		                                .lasts_ms = (int64_t)(i % 9) * HOUR + 1,
		                                .motor_ms = (int64_t)i * HOUR,
		                                .areas_count = 1,
		                                .areas = {{GF_AREA_LEGS, GF_SIDE_BOTH, GF_TECHNIQUE_DRUM, 3600000, 100, 100}}};

		judge_session(g, 2, NOON + (int64_t)(i * 7919 % 240) * MINUTE, &s);
		judge_fault(g, 2, NOON - (int64_t)i * HOUR, (enum gf_fault)(1 + i % (GF_FAULT_COUNT - 1)));
		judge_limit(g, 2, NOON + (int64_t)(i % 50) * MINUTE, "P8", "stop");
	}
	judge_run(g, NOON + HOUR);
	judge_tell(g, 2);
	judge_run(g, NOON + 4 * HOUR);
	count = judge_flags(g, NULL, flags);
	for (size_t i = 0; i < count; i++) {
		open += flags[i].episode.ended_ms == 0;
		if (flags[i].episode.ended_ms == 0)
			assert_in_range(flags[i].due_ms, g->now.wall_ms + 1, g->now.wall_ms + 32 * DAY);
	}
	assert_true(open > 10);
	/* And all of them end, when nothing is heard any more. */
	judge_run(g, NOON + 80 * DAY);
	count = judge_flags(g, NULL, flags);
	for (size_t i = 0; i < count; i++)
		if (flags[i].episode.ended_ms == 0)
			fail_msg("%s is still open: %s", flags[i].rule, flags[i].text);
	judge_rig_free(g);
}

/* It is over when it is told of, however long the machine says that it was. */
static void a_session_that_claims_weeks_counts_when_it_is_told(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session s = {.token = 77, .lasts_ms = 40 * DAY};

	(void)state;
	judge_put_in_force(
	    g, "rules: [{id: used, title: t, subject: person, metric: running_min, window: 24h, warn: 60, advice: a}]");
	judge_session(g, 0, NOON + 40 * DAY, &s);
	judge_run(g, NOON + HOUR);
	judge_tell(g, 0);
	judge_run(g, NOON + 2 * HOUR);
	assert_int_equal(judge_flags(g, "used", flags), 1);
	assert_in_range(flags[0].episode.opened_ms, NOON + HOUR, NOON + 2 * HOUR);
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_caps_then_locks_and_lets_go),
	    cmocka_unit_test(what_was_over_when_it_was_told_locks_nothing),
	    cmocka_unit_test(what_somebody_released_stays_so),
	    cmocka_unit_test(new_rules_judge_what_is_there),
	    cmocka_unit_test(the_same_rules_again_judge_nobody),
	    cmocka_unit_test(a_site_is_judged_with_its_machines_once_a_minute),
	    cmocka_unit_test(a_store_that_refuses_is_tried_again),
	    cmocka_unit_test(rules_that_cannot_be_written_leave_those_before_in_force),
	    cmocka_unit_test(one_that_cannot_be_judged_holds_up_no_other),
	    cmocka_unit_test(one_that_cannot_be_judged_waits_whatever_it_tells),
	    cmocka_unit_test(i8_who_is_told_of_too_much_is_judged_by_the_newest),
	    cmocka_unit_test(i9_a_clock_that_was_ahead_leaves_nothing_open),
	    cmocka_unit_test(a_clock_that_is_not_set_judges_nobody),
	    cmocka_unit_test(i9_whatever_a_machine_says_each_open_flag_is_due),
	    cmocka_unit_test(a_session_that_claims_weeks_counts_when_it_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
