/* What people say of faults: seen, cleared, found. What a machine has in hand itself is for staff at the machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/case_rig.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static struct store_case get_case(struct fixture *f, uint64_t id)
{
	struct cases list = get_cases(f, &(struct store_case_query){.id = id});

	assert_int_equal(list.count, 1);
	return list.rows[0];
}

static void raise_one(struct fixture *f, enum gf_severity severity)
{
	struct gf_record r = fault(1, 1, GF_FAULT_OVERTEMP_MOTOR, severity, NOON);

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, &r, 1, NOON);
}

/* ---- seen ---- */

static void a_named_person_acknowledges_and_the_newest_word_counts(void **state)
{
	struct fixture *f = *state;
	struct store_actor ben = {"ben (uid 1001)", "tcp"};
	struct store_deed deed;
	struct gf_diag diag = {""};

	raise_one(f, GF_SEVERITY_LATCH);
	assert_int_equal(get_case(f, 1).state, STORE_CASE_ACTIVE);
	assert_int_equal(store_case_ack(f->store, 1, "fan ordered", &rig_anna, NOON + MINUTE, NULL, &diag), 0);
	assert_int_equal(get_case(f, 1).state, STORE_CASE_ACKNOWLEDGED);
	assert_string_equal(get_case(f, 1).ack_note, "fan ordered");
	assert_int_equal(get_case(f, 1).acked_ms, NOON + MINUTE);
	assert_int_equal(store_case_ack(f->store, 1, "fan came", &ben, NOON + HOUR, NULL, &diag), 0);
	assert_string_equal(get_case(f, 1).acked_by, ben.who);
	assert_int_equal(rig_deeds(f, "fault ack", &deed), 2);
	assert_string_equal(deed.subject, ID);
	assert_string_equal(deed.detail, "fault 1 (overtemp_motor): fan came");
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 (overtemp_motor) acknowledged by "), 2);
	assert_int_equal(store_case_ack(f->store, 9, "", &ben, NOON, NULL, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "there is no fault 9"));
}

static void who_comes_second_is_told_who_was_first(void **state)
{
	static const struct store_actor ben = {"ben (uid 1001)", "tcp"};
	struct fixture *f = *state;
	struct store_acked acked = {.before_ms = 77};
	struct gf_diag diag = {""};
	uint64_t id = 0;

	raise_one(f, GF_SEVERITY_LATCH);
	assert_int_equal(store_case_report(f->store, ID, "torn", &rig_anna, NOON, &id, NULL), 0);
	assert_int_equal(store_case_ack(f->store, 99, "x", &ben, NOON, &acked, NULL), -ENOENT);
	assert_int_equal(acked.before_ms, 77);
	assert_int_equal(store_case_ack(f->store, id, "glue ordered", &rig_anna, NOON + MINUTE, &acked, NULL), 0);
	assert_int_equal(acked.before_ms, 0);
	assert_int_equal(store_case_ack(f->store, id, "I'll sew it", &ben, NOON + HOUR, &acked, NULL), 0);
	assert_int_equal(acked.before_ms, NOON + MINUTE);
	assert_string_equal(acked.before_by, rig_anna.who);
	assert_string_equal(acked.before_note, "glue ordered");
	assert_int_equal(store_case_clear(f->store, id, "sewn", &ben, NOON + 2 * HOUR, NULL), 0);
	assert_int_equal(store_case_clear(f->store, id, "glued", &rig_anna, NOON + 2 * HOUR + 1, &diag),
	                 STORE_E_NOT_ALLOWED);
	assert_string_equal(diag.text, "fault 2 (damage) of 'chair-1' was cleared at 2026-11-20T14:00:00Z already, by "
	                               "ben (uid 1001): sewn");
	assert_int_equal(rig_deeds(f, "fault clear", NULL), 1);
}

static void what_comes_again_is_still_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {cleared(2, 1, GF_FAULT_OVERTEMP_MOTOR, NOON + MINUTE, MINUTE),
	                         fault(3, 2, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_STOP, NOON + 10 * MINUTE)};

	raise_one(f, GF_SEVERITY_STOP);
	assert_int_equal(store_case_ack(f->store, 1, "", &rig_anna, NOON, NULL, NULL), 0);
	send_report(f, ID, 1, rs, 1, NOON + HOUR);
	assert_int_equal(get_case(f, 1).state, STORE_CASE_CLEARED);
	send_report(f, ID, 1, rs, 2, NOON + HOUR);
	assert_int_equal(get_case(f, 1).state, STORE_CASE_ACKNOWLEDGED);
}

/* ---- cleared ---- */

static void i9_what_the_machine_has_in_hand_is_for_staff_there(void **state)
{
	struct fixture *f = *state;
	struct gf_record clear = cleared(2, 1, GF_FAULT_OVERTEMP_MOTOR, NOON + HOUR, HOUR);
	struct gf_diag diag = {""};

	raise_one(f, GF_SEVERITY_LATCH);
	assert_int_equal(store_case_clear(f->store, 1, "", &rig_anna, NOON + MINUTE, &diag), STORE_E_NOT_ALLOWED);
	assert_string_equal(diag.text,
	                    "fault 1 (overtemp_motor) of 'chair-1' is latched: only staff at the machine may clear "
	                    "it: hold the staff key 3 s once its cause is gone");
	assert_int_equal(get_case(f, 1).state, STORE_CASE_ACTIVE);
	assert_int_equal(rig_deeds(f, "fault clear", NULL), 0);
	send_report(f, ID, 1, &clear, 1, NOON + HOUR);
	assert_int_equal(store_case_clear(f->store, 1, "", &rig_anna, NOON + 2 * HOUR, &diag), STORE_E_NOT_ALLOWED);
	assert_string_equal(diag.text, "fault 1 (overtemp_motor) of 'chair-1' was cleared at 2026-11-20T13:00:00Z already");
	assert_int_equal(store_case_clear(f->store, 2, "", &rig_anna, NOON, &diag), -ENOENT);
}

static void what_is_only_active_clears_by_itself(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};

	raise_one(f, GF_SEVERITY_STOP);
	assert_int_equal(store_case_clear(f->store, 1, "", &rig_anna, NOON + MINUTE, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "clears by itself once its cause is gone"));
}

static void assert_cleared_by_hand(struct fixture *f, int64_t at_ms)
{
	struct gf_diag diag = {""};
	struct store_case c;

	assert_int_equal(store_case_clear(f->store, 1, "scrapped", &rig_anna, at_ms, &diag), 0);
	c = get_case(f, 1);
	assert_int_equal(c.state, STORE_CASE_CLEARED);
	assert_int_equal(c.cleared_ms, at_ms);
	assert_int_equal(c.cleared_by, GF_CLEARED_BY_STAFF);
	assert_int_equal(c.lasted_ms, at_ms - NOON);
	assert_string_equal(c.by, rig_anna.who);
	assert_int_equal(get_device(f, ID, at_ms).open_faults, 0);
	assert_int_equal(rig_deeds(f, "fault clear", NULL), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 (overtemp_motor) cleared by "), 1);
	assert_cases_as_modelled(f, ID);
}

static void i9_a_case_of_a_machine_that_is_gone_can_be_cleared(void **state)
{
	struct fixture *f = *state;

	raise_one(f, GF_SEVERITY_LATCH);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + HOUR);
	assert_int_equal(store_case_clear(f->store, 1, "", &rig_anna, NOON + 23 * HOUR, NULL), STORE_E_NOT_ALLOWED);
	assert_cleared_by_hand(f, NOON + 25 * HOUR);
}

static void i9_a_case_of_an_earlier_life_can_be_cleared(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = heartbeat(1, NOON + HOUR, 40);

	raise_one(f, GF_SEVERITY_LATCH);
	/* It was wiped: a new spool, and no fault of its own. */
	send_status(f, ID, birth(1, 2, 2), false, NOON + HOUR);
	send_report(f, ID, 2, &r, 1, NOON + HOUR);
	assert_cleared_by_hand(f, NOON + 2 * HOUR);
}

static void i9_a_case_whose_clearing_was_dropped_can_be_cleared(void **state)
{
	struct fixture *f = *state;
	struct gf_record lost = record(2, GF_RECORD_LOST, NOON + HOUR);

	lost.lost.through_seq = 3;
	lost.lost.counts[GF_RECORD_FAULT_CLEARED] = 1;
	lost.lost.first_wall_ms = lost.lost.last_wall_ms = (uint64_t)NOON;
	raise_one(f, GF_SEVERITY_STOP);
	send_report(f, ID, 1, &lost, 1, NOON + HOUR);
	assert_cleared_by_hand(f, NOON + 2 * HOUR);
}

static void a_machine_that_comes_back_knows_better_when_it_was_cleared(void **state)
{
	struct fixture *f = *state;
	struct gf_record clear = cleared(2, 1, GF_FAULT_OVERTEMP_MOTOR, NOON + 2 * HOUR, 2 * HOUR);

	raise_one(f, GF_SEVERITY_LATCH);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + HOUR);
	assert_cleared_by_hand(f, NOON + 3 * DAY);
	send_report(f, ID, 1, &clear, 1, NOON + 4 * DAY);
	assert_int_equal(get_cases(f, &(struct store_case_query){0}).count, 1);
	assert_int_equal(get_case(f, 1).state, STORE_CASE_CLEARED);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 cleared: overtemp_motor"), 1);
}

/* ---- found ---- */

static void damage_is_a_case_until_a_person_clears_it(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	struct store_case c;
	uint64_t id = 0, again = 0;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	assert_int_equal(store_case_report(f->store, ID, "cover torn", &rig_anna, NOON, &id, &diag), 0);
	assert_int_equal(store_case_report(f->store, ID, "leg scratched", &rig_anna, NOON + 1, &again, &diag), 0);
	assert_true(again != id);
	c = get_case(f, id);
	assert_true(c.reported);
	assert_int_equal(c.code, GF_FAULT_UNSPECIFIED);
	assert_int_equal(c.severity, GF_SEVERITY_DERATE);
	assert_int_equal(c.state, STORE_CASE_ACTIVE);
	assert_int_equal(c.times, 1);
	assert_string_equal(c.detail, "cover torn");
	assert_string_equal(c.by, rig_anna.who);
	assert_int_equal(rig_events(f, STORE_EVENT_FAULT, "fault 1 (damage) reported by "), 1);
	assert_int_equal(rig_deeds(f, "fault report", NULL), 2);
	assert_int_equal(store_case_clear(f->store, id, "sewn", &rig_anna, NOON + HOUR, &diag), 0);
	c = get_case(f, id);
	assert_int_equal(c.state, STORE_CASE_CLEARED);
	assert_int_equal(c.cleared_ms, NOON + HOUR);
	assert_int_equal(c.lasted_ms, HOUR);
	assert_int_equal(get_case(f, again).state, STORE_CASE_ACTIVE);
	assert_int_equal(store_case_report(f->store, "nobody", "", &rig_anna, NOON, &id, &diag), -ENOENT);
	assert_string_equal(diag.text, "there is no device 'nobody'");
}

/* ---- failures ---- */

static void a_full_disk_leaves_report_and_deed_together(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	char text[200];
	uint64_t id = 0, reported = 0;
	int r;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_room(1 << 20);
	do {
		r = store_case_report(f->store, ID, text, &rig_anna, NOON, &id, &diag);
		reported += r == 0;
	} while (r == 0 && reported < 100000);
	fixture_room(0);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(diag.text, "no space left"));
	assert_int_equal(id, reported);
	assert_int_equal(number_of(f, "SELECT count(*) FROM cases"), reported);
	assert_int_equal(rig_deeds(f, "fault report", NULL), reported);
	assert_int_equal(store_case_report(f->store, ID, text, &rig_anna, NOON, &id, &diag), 0);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

/* In a child: sessions and faults by turns, each told by its seq. */
static void commit_for_ever(struct fixture *f, uint64_t from, int pipe_fd)
{
	struct store_options options = {.path = f->path, .busy_timeout_ms = 1};

	if (store_open(&options, &f->store, NULL))
		_exit(1);
	for (uint64_t seq = from;; seq++) {
		struct gf_record rs[] = {
		    session(seq, seq, NOON + (int64_t)seq * MINUTE),
		    fault(seq, seq, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON + (int64_t)seq * 7 * MINUTE),
		    cleared(seq, seq - 1, GF_FAULT_STALL, NOON + (int64_t)seq * 7 * MINUTE, 3 * MINUTE),
		};
		struct gf_report report = {stream_id(1), seq, 1, &rs[seq % 3]};
		struct gf_ack ack;

		if (store_begin(f->store, NULL) ||
		    store_apply_report(f->store, ID, &report, NULL, NOON + 50 * DAY, &ack, NULL) ||
		    store_commit(f->store, NULL) || write(pipe_fd, &seq, sizeof(seq)) != sizeof(seq))
			_exit(1);
	}
}

static void i1_cases_and_hours_are_whole_after_a_kill_at_any_moment(void **state)
{
	struct fixture *f = *state;
	uint64_t acked = 0;

	for (int round = 0; round < 5; round++) {
		acked = fixture_kill(f, commit_for_ever, acked + 1, 6 + round);
		assert_true(get_device(f, ID, NOON).acked_seq >= acked);
		acked = get_device(f, ID, NOON).acked_seq;
		assert_cases_as_modelled(f, ID);
		assert_int_equal(number_of(f, "SELECT sum(sessions) FROM hours"), count_sessions(f, ID));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_named_person_acknowledges_and_the_newest_word_counts),
	    TEST(who_comes_second_is_told_who_was_first),
	    TEST(what_comes_again_is_still_acknowledged),
	    TEST(i9_what_the_machine_has_in_hand_is_for_staff_there),
	    TEST(what_is_only_active_clears_by_itself),
	    TEST(i9_a_case_of_a_machine_that_is_gone_can_be_cleared),
	    TEST(i9_a_case_of_an_earlier_life_can_be_cleared),
	    TEST(i9_a_case_whose_clearing_was_dropped_can_be_cleared),
	    TEST(a_machine_that_comes_back_knows_better_when_it_was_cleared),
	    TEST(damage_is_a_case_until_a_person_clears_it),
	    TEST(a_full_disk_leaves_report_and_deed_together),
	    TEST(i1_cases_and_hours_are_whole_after_a_kill_at_any_moment),
	};

	return cmocka_run_group_tests_name("store deeds on cases", tests, NULL, NULL);
}
