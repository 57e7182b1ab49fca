/* Faults become cases: by their times alone, whatever the order in which they arrive; and what people say of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/case_rig.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};

static struct store_case only_case(struct fixture *f)
{
	struct cases list = get_cases(f, &(struct store_case_query){0});

	assert_int_equal(list.count, 1);
	return list.rows[0];
}

/* ---- grouping ---- */

static void i1_what_comes_again_within_half_an_hour_is_one_case(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_DERATE, NOON),
	    cleared(2, 1, GF_FAULT_STALL, NOON + MINUTE, MINUTE),
	    fault(3, 2, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON + 31 * MINUTE),
	    cleared(4, 2, GF_FAULT_STALL, NOON + 33 * MINUTE, 2 * MINUTE),
	    fault(5, 3, GF_FAULT_STALL, GF_SEVERITY_DERATE, NOON + 63 * MINUTE + 1),
	};
	struct store_case_query all = {0};
	struct cases list;

	gf_strcpy(rs[2].fault_raised.detail, sizeof(rs[2].fault_raised.detail), "blocked");
	for (size_t i = 0; i < 5; i++)
		send_report(f, ID, 1, &rs[i], 1, NOON + 2 * HOUR);
	/* Told again: nothing changes. */
	send_report(f, ID, 1, rs, 5, NOON + 2 * HOUR);
	list = get_cases(f, &all);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].id, 2);
	assert_int_equal(list.rows[0].state, STORE_CASE_ACTIVE);
	assert_int_equal(list.rows[0].cleared_ms, 0);
	assert_int_equal(list.rows[1].id, 1);
	assert_int_equal(list.rows[1].times, 2);
	assert_int_equal(list.rows[1].state, STORE_CASE_CLEARED);
	assert_int_equal(list.rows[1].severity, GF_SEVERITY_STOP);
	assert_int_equal(list.rows[1].first_ms, NOON);
	assert_int_equal(list.rows[1].last_ms, NOON + 31 * MINUTE);
	assert_int_equal(list.rows[1].cleared_ms, NOON + 33 * MINUTE);
	assert_int_equal(list.rows[1].cleared_by, GF_CLEARED_BY_RECOVERED);
	assert_int_equal(list.rows[1].lasted_ms, 3 * MINUTE);
	assert_int_equal(list.rows[1].fault_no, 2);
	assert_string_equal(list.rows[1].detail, "blocked");
	/* Events speak of cases, by the number that people use. */
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 raised: stall (derate)"), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 raised again, 2 times by now: stall (stop): blocked"),
	                 1);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 cleared: stall (by recovered)"), 2);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 2 raised: stall (derate)"), 1);
}

static void another_code_or_machine_is_another_case(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         fault(2, 2, GF_FAULT_LEAK, GF_SEVERITY_STOP, NOON)};

	send_report(f, ID, 1, rs, 2, NOON);
	send_report(f, "chair-2", 1, rs, 1, NOON);
	assert_int_equal(get_cases(f, &(struct store_case_query){0}).count, 3);
	assert_int_equal(get_cases(f, &(struct store_case_query){.device = ID}).count, 2);
	assert_int_equal(get_cases(f, &(struct store_case_query){.device = "nobody"}).count, 0);
}

static void a_late_fault_joins_two_cases_and_the_older_number_stays(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_DERATE, NOON + 50 * MINUTE),
	    cleared(2, 1, GF_FAULT_STALL, NOON + 51 * MINUTE, MINUTE),
	    fault(3, 2, GF_FAULT_STALL, GF_SEVERITY_DERATE, NOON),
	    cleared(4, 2, GF_FAULT_STALL, NOON + MINUTE, MINUTE),
	    fault(5, 3, GF_FAULT_STALL, GF_SEVERITY_DERATE, NOON + 25 * MINUTE),
	};
	struct store_case c;

	send_report(f, ID, 1, rs, 4, NOON + HOUR);
	assert_int_equal(get_cases(f, &(struct store_case_query){0}).count, 2);
	assert_int_equal(store_case_ack(f->store, 2, "seen", &anna, NOON + HOUR, NULL, NULL), 0);
	send_report(f, ID, 1, &rs[4], 1, NOON + HOUR);
	c = only_case(f);
	assert_int_equal(c.id, 1);
	assert_int_equal(c.times, 3);
	assert_int_equal(c.first_ms, NOON);
	assert_int_equal(c.last_ms, NOON + 50 * MINUTE);
	/* Somebody knows of it, by a number that still leads there. */
	assert_int_equal(c.state, STORE_CASE_ACKNOWLEDGED);
	assert_string_equal(c.acked_by, "anna (uid 1000)");
	assert_int_equal(get_cases(f, &(struct store_case_query){.id = 2}).rows[0].id, 1);
	assert_int_equal(store_case_ack(f->store, 2, "again", &anna, NOON + HOUR, NULL, NULL), 0);
	assert_string_equal(only_case(f).ack_note, "again");
}

static void a_clearing_that_comes_late_joins_what_began_before_it(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    fault(1, 1, GF_FAULT_SENSOR_LOST, GF_SEVERITY_DERATE, NOON),
	    fault(2, 2, GF_FAULT_SENSOR_LOST, GF_SEVERITY_DERATE, NOON + HOUR),
	    cleared(3, 1, GF_FAULT_SENSOR_LOST, NOON + 2 * HOUR, 2 * HOUR),
	};
	struct store_case c;

	send_report(f, ID, 1, rs, 2, NOON + 3 * HOUR);
	assert_int_equal(get_cases(f, &(struct store_case_query){.open_only = true}).count, 2);
	send_report(f, ID, 1, &rs[2], 1, NOON + 3 * HOUR);
	c = only_case(f);
	assert_int_equal(c.state, STORE_CASE_ACTIVE);
	assert_int_equal(c.cleared_ms, 0);
	assert_int_equal(c.times, 2);
}

static void i1_a_rejected_fault_leaves_no_case(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON);

	/* After the case was written, the event is refused: the record goes, and all of it. */
	assert_int_equal(sqlite3_exec(f->store->db.handle,
	                              "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.events WHEN NEW.kind = 2"
	                              " BEGIN SELECT RAISE(ABORT, 'refused'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(send_report(f, ID, 1, &r, 1, NOON).rejected, 1);
	assert_int_equal(get_cases(f, &(struct store_case_query){0}).count, 0);
}

/* ---- against a slow model ---- */

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* Faults in any order of their times, some cleared late, some never; at each step the store agrees with the model. */
static void i1_cases_are_those_of_the_model_whatever_the_order(void **state)
{
	struct fixture *f = *state;
	uint64_t seq = 1, no = 1;
	unsigned seed = 7;

	for (int round = 0; round < 400; round++) {
		enum gf_fault code = next_random(&seed) % 2 ? GF_FAULT_STALL : GF_FAULT_LEAK;
		int64_t at = NOON + (int64_t)(next_random(&seed) % 2000) * MINUTE;
		int64_t lasts = (int64_t)(next_random(&seed) % 90) * MINUTE;
		struct gf_record rs[] = {
		    fault(seq, no, code, (enum gf_severity)(1 + next_random(&seed) % 4), at),
		    cleared(seq + 1, no, code, at + lasts, (uint64_t)lasts),
		};
		/* A third has lost its beginning, a third its end. */
		unsigned how = next_random(&seed) % 3;

		if (how == 0)
			rs[1].seq = seq;
		send_report(f, ID, 1, how == 0 ? &rs[1] : rs, how == 2 ? 2 : 1, NOON + 100 * HOUR);
		seq += how == 2 ? 2 : 1;
		no++;
		if (round % 20 == 19)
			assert_cases_as_modelled(f, ID);
	}
}

/* The same faults in one order and in another: the same cases, but for their numbers. */
static void i1_cases_do_not_depend_on_the_order_of_arrival(void **state)
{
	enum { COUNT = 60 };
	struct fixture *f = *state;
	unsigned seed = 11;
	struct {
		int64_t at, lasts;
	} faults[COUNT];
	struct cases a, b;

	for (size_t i = 0; i < COUNT; i++) {
		faults[i].at = NOON + (int64_t)(next_random(&seed) % 3000) * MINUTE;
		faults[i].lasts = (int64_t)(next_random(&seed) % 60) * MINUTE;
	}
	for (int pass = 0; pass < 2; pass++)
		for (uint64_t i = 0; i < COUNT; i++) {
			size_t n = pass ? (i * 37 + 11) % COUNT : i;
			struct gf_record rs[] = {
			    fault(2 * i + 1, i + 1, GF_FAULT_STALL, GF_SEVERITY_STOP, faults[n].at),
			    cleared(2 * i + 2, i + 1, GF_FAULT_STALL, faults[n].at + faults[n].lasts, (uint64_t)faults[n].lasts),
			};

			send_report(f, pass ? "chair-2" : ID, 1, rs, 2, NOON + 100 * HOUR);
		}
	a = get_cases(f, &(struct store_case_query){.device = ID});
	b = get_cases(f, &(struct store_case_query){.device = "chair-2"});
	assert_true(a.count > 3);
	assert_int_equal(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		assert_int_equal(a.rows[i].first_ms, b.rows[i].first_ms);
		assert_int_equal(a.rows[i].last_ms, b.rows[i].last_ms);
		assert_int_equal(a.rows[i].times, b.rows[i].times);
		assert_int_equal(a.rows[i].cleared_ms, b.rows[i].cleared_ms);
		assert_int_equal(a.rows[i].lasted_ms, b.rows[i].lasted_ms);
	}
}

/* ---- paging ---- */

static void pages_go_on_where_the_last_one_ended(void **state)
{
	struct fixture *f = *state;
	struct store_case_query query = {0};
	struct gf_record rs[6];
	struct cases list;

	for (uint64_t i = 0; i < 6; i++)
		rs[i] = fault(i + 1, i + 1, (enum gf_fault)(i + 1), GF_SEVERITY_STOP, NOON + (int64_t)(i / 2) * MINUTE);
	send_report(f, ID, 1, rs, 6, NOON);
	list = get_cases(f, &query);
	assert_int_equal(list.count, 6);
	for (size_t i = 0; i < 6; i++) {
		struct cases rest;

		query.after_last_ms = list.rows[i].last_ms;
		query.after_id = list.rows[i].id;
		rest = get_cases(f, &query);
		assert_int_equal(rest.count, 5 - i);
		assert_true(rest.count == 0 || rest.rows[0].id == list.rows[i + 1].id);
	}
}

static void since_shows_what_is_open_or_ended_after_it(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	    cleared(2, 1, GF_FAULT_STALL, NOON + HOUR, HOUR),
	    fault(3, 2, GF_FAULT_LEAK, GF_SEVERITY_STOP, NOON),
	};

	send_report(f, ID, 1, rs, 3, NOON + HOUR);
	assert_int_equal(get_cases(f, &(struct store_case_query){.since_ms = NOON + HOUR}).count, 2);
	assert_int_equal(get_cases(f, &(struct store_case_query){.since_ms = NOON + HOUR + 1}).count, 1);
	assert_int_equal(get_cases(f, &(struct store_case_query){.open_only = true}).count, 1);
}

/* ---- before there were cases ---- */

/* Takes the database back to version 8 as far as cases and hours go, and migrates it again. */
static void migrate_again(struct fixture *f)
{
	static const char back[] =
	    "DROP TABLE cases; DROP TABLE case_aliases; DROP TABLE tags; DROP TABLE services; DROP TABLE erased;"
	    "DROP TABLE erased_salt; DROP TABLE hours; DROP INDEX heartbeats_time; DROP INDEX faults_code;"
	    "DROP INDEX faults_down; DROP INDEX sessions_token_age; DROP INDEX sessions_running; DROP INDEX "
	    "flags_person_age; ALTER TABLE faults DROP COLUMN forced; ALTER TABLE devices DROP COLUMN motor_before_ms;";
	struct gf_diag diag = {""};

	assert_int_equal(db_exec(&f->store->db, back, &diag), 0);
	assert_int_equal(db_exec(&f->store->db, schema_v9, &diag), 0);
	fixture_reopen(f);
}

static void i1_what_was_stored_before_becomes_the_same_cases(void **state)
{
	struct fixture *f = *state;
	struct cases before, after;
	unsigned seed = 3;

	for (uint64_t i = 0; i < 80; i++) {
		enum gf_fault code = (enum gf_fault)(1 + next_random(&seed) % 2);
		int64_t at = NOON + (int64_t)(next_random(&seed) % 2000) * MINUTE;
		int64_t lasts = (int64_t)(next_random(&seed) % 90) * MINUTE;
		struct gf_record rs[] = {
		    fault(2 * i + 1, i + 1, code, (enum gf_severity)(1 + next_random(&seed) % 4), at),
		    cleared(2 * i + 2, i + 1, code, at + lasts, (uint64_t)lasts),
		};
		bool open = next_random(&seed) % 4 == 0;

		rs[1].fault_cleared.by = (enum gf_cleared_by)(1 + next_random(&seed) % 3);
		if (open)
			rs[1] = heartbeat(2 * i + 2, at, 40);
		send_report(f, ID, 1, rs, 2, NOON + 100 * HOUR);
	}
	before = get_cases(f, &(struct store_case_query){0});
	migrate_again(f);
	after = get_cases(f, &(struct store_case_query){0});
	assert_int_equal(before.count, after.count);
	for (size_t i = 0; i < before.count; i++) {
		before.rows[i].id = after.rows[i].id = 0;
		assert_memory_equal(&before.rows[i].severity, &after.rows[i].severity,
		                    sizeof(before.rows[i]) - offsetof(struct store_case, severity));
	}
	assert_cases_as_modelled(f, ID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(i1_what_comes_again_within_half_an_hour_is_one_case),
	    TEST(another_code_or_machine_is_another_case),
	    TEST(a_late_fault_joins_two_cases_and_the_older_number_stays),
	    TEST(a_clearing_that_comes_late_joins_what_began_before_it),
	    TEST(i1_a_rejected_fault_leaves_no_case),
	    TEST(i1_cases_are_those_of_the_model_whatever_the_order),
	    TEST(i1_cases_do_not_depend_on_the_order_of_arrival),
	    TEST(pages_go_on_where_the_last_one_ended),
	    TEST(since_shows_what_is_open_or_ended_after_it),
	    TEST(i1_what_was_stored_before_becomes_the_same_cases),
	};

	return cmocka_run_group_tests_name("store cases", tests, NULL, NULL);
}
