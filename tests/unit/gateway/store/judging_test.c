/* Whom to judge and by what: marked in the transaction that it belongs to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/judging_rig.h"

/* ---- whom to judge ---- */

static const struct store_unsettled *find(const struct store_unsettled *rows, size_t count, enum rule_subject kind)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].subject.kind == kind)
			return &rows[i];
	return NULL;
}

static void nobody_is_marked_whom_no_rule_looks_at(void **state)
{
	struct fixture *f = *state;
	unsigned needs[RULE_SUBJECT_COUNT] = {[RULE_SUBJECT_STAFF] = 1U << FACT_SESSION};
	struct gf_record r = session_of(1, NOON, 7, 8);
	struct store_unsettled rows[8];

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	store_judge_needs(f->store, needs);
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(waiting(f, NOON, rows, 8), 1);
	assert_int_equal(rows[0].subject.kind, RULE_SUBJECT_STAFF);
	assert_int_equal(rows[0].subject.key, 8);
}

static void a_machine_that_moves_marks_both_sites(void **state)
{
	struct fixture *f = *state;
	const struct store_device_change move = {.site = "elsewhere"}, rename = {.name = "Window chair"};
	struct store_unsettled rows[8];

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	settle_all(f, NOON, INT64_MAX);
	assert_int_equal(store_device_set(f->store, ID, &rename, &anna, NOON + 1, NULL), 0);
	assert_int_equal(waiting(f, NOON + 2 * MINUTE, rows, 8), 0);
	assert_int_equal(store_device_set(f->store, ID, &move, &anna, NOON + 1, NULL), 0);
	assert_int_equal(waiting(f, NOON + 2 * MINUTE, rows, 8), 3);
	assert_non_null(find(rows, 3, RULE_SUBJECT_DEVICE));
	assert_string_equal(find(rows, 3, RULE_SUBJECT_DEVICE)->site, "elsewhere");
	assert_non_null(find(rows, 3, RULE_SUBJECT_SITE));
}

/* Also somebody for whom nothing was pending. */
static void who_rests_waits_with_what_comes(void **state)
{
	struct fixture *f = *state;
	const struct store_subject person = {RULE_SUBJECT_PERSON, 7}, staff = {RULE_SUBJECT_STAFF, 8};
	struct gf_record rs[] = {session_of(1, NOON, 7, 8), session_of(2, NOON + 5, 7, 8)};
	struct store_unsettled rows[8];
	size_t count;

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, &rs[0], 1, NOON);
	settle_all(f, NOON, INT64_MAX);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_rest(f->store, &person, NOON + MINUTE, NULL), 0);
	assert_int_equal(store_judge_rest(f->store, &staff, NOON + 2 * MINUTE, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	send_report(f, ID, 1, &rs[1], 1, NOON + 5);
	count = waiting(f, NOON + MINUTE - 1, rows, 8);
	assert_null(find(rows, count, RULE_SUBJECT_PERSON));
	assert_non_null(find(rows, count, RULE_SUBJECT_DEVICE));
	count = waiting(f, NOON + MINUTE, rows, 8);
	assert_non_null(find(rows, count, RULE_SUBJECT_PERSON));
	assert_int_equal(find(rows, count, RULE_SUBJECT_PERSON)->settled_ms, NOON + 5);
	assert_null(find(rows, count, RULE_SUBJECT_STAFF));
	/* New rules wait for nobody. */
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_again(f->store, RULE_SUBJECT_STAFF, NOON, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	count = waiting(f, NOON + 6, rows, 8);
	assert_non_null(find(rows, count, RULE_SUBJECT_STAFF));
}

static void a_session_marks_all_whom_it_is_about_from_its_end_on(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session_of(1, NOON, 7, 8), session_of(2, NOON + HOUR, 7, 0)};
	struct store_unsettled rows[8];
	uint64_t marks = store_unsettled_marks(f->store);
	size_t count;

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	settle_all(f, NOON - DAY, INT64_MAX);
	send_report(f, ID, 1, rs, 2, NOON + HOUR);
	assert_true(store_unsettled_marks(f->store) > marks);
	count = waiting(f, NOON + HOUR, rows, 8);
	assert_int_equal(count, 4);
	assert_int_equal(find(rows, count, RULE_SUBJECT_PERSON)->settled_ms, NOON);
	assert_int_equal(find(rows, count, RULE_SUBJECT_STAFF)->settled_ms, NOON);
	assert_string_equal(find(rows, count, RULE_SUBJECT_SITE)->site, "berlin");
	assert_string_equal(find(rows, count, RULE_SUBJECT_DEVICE)->device, ID);
	assert_int_equal(find(rows, count, RULE_SUBJECT_DEVICE)->class, GF_CLASS_CHAIR);
	assert_float_equal(find(rows, count, RULE_SUBJECT_DEVICE)->rated_motor_h, 2000, 0.1);
	/* Told again it changes nothing. */
	settle_all(f, NOON + HOUR, INT64_MAX);
	send_report(f, ID, 1, rs, 2, NOON + HOUR);
	assert_int_equal(waiting(f, NOON + HOUR, rows, 8), 0);
}

static void what_is_late_goes_back_and_what_is_due_comes(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON + HOUR),
	                         fault(2, 2, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON - DAY)};
	struct store_unsettled rows[8];
	int64_t due_ms;

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	settle_all(f, NOON, NOON + 5 * HOUR);
	assert_int_equal(waiting(f, NOON + 5 * HOUR - 1, rows, 8), 0);
	assert_int_equal(waiting(f, NOON + 5 * HOUR, rows, 8), 1);
	send_report(f, ID, 1, rs, 1, NOON + HOUR);
	assert_int_equal(find(rows, waiting(f, NOON + HOUR, rows, 8), RULE_SUBJECT_DEVICE)->settled_ms, NOON);
	send_report(f, ID, 1, rs + 1, 1, NOON + HOUR);
	assert_int_equal(find(rows, waiting(f, NOON + HOUR, rows, 8), RULE_SUBJECT_DEVICE)->settled_ms, NOON - DAY);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_due_ms(f->store, &due_ms, NULL), 0);
	assert_int_equal(due_ms, 0);
	store_rollback(f->store);
}

/* Killed after judging and before the commit: all is there again. */
static void what_was_judged_and_not_committed_is_judged_again(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, NOON, 7, 0);
	struct store_unsettled rows[8], u;

	look_at_all(f);
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_next(f->store, NOON, &u, NULL), 0);
	assert_int_equal(store_judge_done(f->store, &u.subject, NOON, INT64_MAX, NULL), 0);
	store_rollback(f->store);
	fixture_reopen(f);
	assert_true(waiting(f, NOON, rows, 8) >= 2);
}

/* I8: of people nothing is left in the queue when nothing is pending. */
static void i8_a_machine_that_makes_people_up_fills_no_queue(void **state)
{
	struct fixture *f = *state;
	uint64_t backlog = 0;
	int64_t due_ms = 0;

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	for (uint64_t i = 1; i <= 200; i++) {
		struct gf_record r = session_of(i, NOON + (int64_t)i, i * 1000, i * 7777);

		send_report(f, ID, 1, &r, 1, NOON + HOUR);
	}
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_backlog(f->store, NOON + HOUR, &backlog, NULL), 0);
	assert_int_equal(backlog, 402);
	store_rollback(f->store);
	settle_all(f, NOON + HOUR, INT64_MAX);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_due_ms(f->store, &due_ms, NULL), 0);
	assert_int_equal(due_ms, INT64_MAX);
	store_rollback(f->store);
}

static void rules_that_changed_judge_all_again_who_matter(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session_of(1, NOON - 2 * DAY, 7, 0), session_of(2, NOON, 9, 3)};
	struct store_unsettled rows[8];
	size_t count;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, rs, 2, NOON);
	assert_int_equal(store_begin(f->store, NULL), 0);
	for (enum rule_subject kind = 0; kind < RULE_SUBJECT_COUNT; kind++)
		assert_int_equal(store_judge_again(f->store, kind, NOON - DAY, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	count = waiting(f, NOON, rows, 8);
	assert_int_equal(count, 4);
	assert_int_equal(find(rows, count, RULE_SUBJECT_PERSON)->subject.key, 9);
	assert_int_equal(find(rows, count, RULE_SUBJECT_STAFF)->subject.key, 3);
}

/* ---- facts ---- */

static int take_fact(void *ctx, const struct store_fact *fact)
{
	FILE *out = ctx;

	fprintf(out, "%d/%llu@%lld ", (int)fact->fact.kind, (unsigned long long)(fact->fact.no & 0xffffffff),
	        (long long)((fact->fact.at_ms - NOON) / MINUTE));
	return 0;
}

static void facts(struct fixture *f, struct store_subject subject, unsigned needs, int64_t since_ms,
                  const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_judge_facts(f->store, &subject, needs, since_ms, NOON + 4 * HOUR, take_fact, out, NULL), 0);
	store_rollback(f->store);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void facts_come_by_subject_time_and_kind(void **state)
{
	struct fixture *f = *state;
	struct gf_record mine[] = {session_of(1, NOON, 7, 0),
	                           session_of(2, NOON + HOUR, 8, 5),
	                           fault(3, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON + HOUR),
	                           record(4, GF_RECORD_LIMIT_HIT, NOON + 2 * HOUR),
	                           heartbeat(5, NOON + 3 * HOUR, 40),
	                           started(6, 3, NOON + 3 * HOUR)};
	struct gf_record other = session_of(1, NOON + 2 * HOUR, 7, 5);
	struct store_subject device = {RULE_SUBJECT_DEVICE, 1}, site = {RULE_SUBJECT_SITE, 1};

	gf_strcpy(mine[3].limit_hit.rule, GF_NAME_MAX, "P3");
	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, "chair-2", birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, mine, 6, NOON + 3 * HOUR);
	send_report(f, "chair-2", 1, &other, 1, NOON + 3 * HOUR);
	facts(f, device, UINT32_MAX, NOON, "0/2@60 0/1@0 1/5@180 2/1@60 3/4@120 ");
	/* The newest session before since_ms comes too. */
	facts(f, device, 1U << FACT_SESSION, NOON + HOUR, "0/2@60 0/1@0 ");
	facts(f, device, 1U << FACT_FAULT, NOON + HOUR + 1, "");
	facts(f, (struct store_subject){RULE_SUBJECT_PERSON, 7}, UINT32_MAX, NOON, "0/1@120 0/1@0 ");
	facts(f, (struct store_subject){RULE_SUBJECT_STAFF, 5}, UINT32_MAX, NOON, "0/1@120 0/2@60 ");
	facts(f, (struct store_subject){RULE_SUBJECT_PERSON, 0}, UINT32_MAX, 0, "");
	facts(f, site, 1U << FACT_SESSION | 1U << FACT_FAULT, NOON, "0/1@120 0/2@60 0/1@0 2/1@60 ");
}

/* ---- the disk, and the version before ---- */

static void a_full_disk_leaves_all_to_be_judged(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, NOON, 7, 0);
	struct store_unsettled rows[8], u;
	size_t count;
	int err = 0;

	look_at_all(f);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, &r, 1, NOON);
	count = waiting(f, NOON, rows, 8);
	fixture_room(1 << 20);
	for (int i = 0; i < 10000 && !err; i++) {
		struct store_flag x = flag_of(RULE_SUBJECT_PERSON, 7);
		uint64_t id;

		x.device[0] = '\0';
		err = store_begin(f->store, NULL);
		assert_int_equal(store_judge_next(f->store, NOON, &u, NULL), 0);
		for (int n = 0; n < 20 && !err; n++)
			err = store_flag_save(f->store, &x, false, 0, false, NOON, &id, NULL);
		if (err)
			store_rollback(f->store);
		else
			err = store_commit(f->store, NULL);
	}
	fixture_room(0);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(waiting(f, NOON, rows, 8), count);
	settle_all(f, NOON, INT64_MAX);
	assert_int_equal(waiting(f, NOON, rows, 8), 0);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

static void the_version_before_is_brought_up_with_its_data(void **state)
{
	struct fixture *f = *state;
	const bool unlock = false;
	struct db old;

	fixture_close(f);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(db_open(&old, f->path, DB_WRITER, 1, NULL), 0);
	assert_int_equal(schema_migrate(&old, 7, NULL), 0);
	assert_int_equal(
	    db_exec(
	        &old,
	        "INSERT INTO devices (id, first_seen_ms, last_seen_ms, born, site) VALUES ('chair-1', 1, 2, 1, 'berlin');"
	        "INSERT INTO desired (device, revision, issued_ms, intensity_max_pct, locked, lock_reason)"
	        " VALUES (1, 5, 1, 40, 1, 'repainted');"
	        "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	        " subject_token, outcome, started_ms, time_source, ended_ms, duration_ms) VALUES"
	        " (1, 1, 1, 1, 'r', 'c', 1, 60, 7, 1, 1795175940000, 0, 1795176000000, 60000);"
	        "INSERT INTO session_areas (device, session_no, n, area, side, technique, ms, mean_pct, max_pct)"
	        " VALUES (1, 1, 0, 6, 1, 4, 60000, 30, 70)",
	        NULL),
	    0);
	db_close(&old);
	fixture_reopen(f);
	facts(f, (struct store_subject){RULE_SUBJECT_PERSON, 7}, UINT32_MAX, NOON, "0/1@0 ");
	facts(f, (struct store_subject){RULE_SUBJECT_DEVICE, 1}, 1U << FACT_SESSION, NOON, "0/1@0 ");
	assert_true(desired(f).locked);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(hold_set(f->store, 1, "tag", false, "", 30, NOON, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_true(desired(f).locked);
	assert_float_equal(desired(f).limits.intensity_max_pct, 30, 0.01);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &unlock, NULL, &anna, NOON, NULL), 0);
	assert_false(desired(f).locked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nobody_is_marked_whom_no_rule_looks_at),
	    TEST(a_machine_that_moves_marks_both_sites),
	    TEST(who_rests_waits_with_what_comes),
	    TEST(a_session_marks_all_whom_it_is_about_from_its_end_on),
	    TEST(what_is_late_goes_back_and_what_is_due_comes),
	    TEST(what_was_judged_and_not_committed_is_judged_again),
	    TEST(i8_a_machine_that_makes_people_up_fills_no_queue),
	    TEST(rules_that_changed_judge_all_again_who_matter),
	    TEST(facts_come_by_subject_time_and_kind),
	    TEST(a_full_disk_leaves_all_to_be_judged),
	    TEST(the_version_before_is_brought_up_with_its_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
