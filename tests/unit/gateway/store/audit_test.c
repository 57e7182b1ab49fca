/* The audit: every kind of finding, and that none is invented. */
#include <string.h>

#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

/* The only finding; fails when there are others. */
static struct store_finding only(struct fixture *f, uint64_t problems)
{
	struct store_finding got[4] = {0};
	size_t count = 0;
	struct store_audit audit = get_audit(f, got, 4, &count);

	assert_int_equal(count, 1);
	assert_int_equal(audit.problems, problems);
	assert_true(strlen(got[0].text) > 0);
	assert_string_equal(got[0].device, ID);
	return got[0];
}

static void assert_clean(struct fixture *f, uint64_t sessions)
{
	struct store_finding got[4];
	size_t count;
	struct store_audit audit = get_audit(f, got, 4, &count);

	assert_int_equal(count, 0);
	assert_int_equal(audit.problems, 0);
	assert_int_equal(audit.sessions, sessions);
	assert_int_equal(audit.motor_ms, sessions * MINUTE);
}

static void an_unbroken_chain_is_clean(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), heartbeat(2, NOON, 40), session(3, 2, NOON), session(4, 3, NOON)};

	rs[1].heartbeat.odometer = rs[0].session_ended.odometer;
	send_report(f, ID, 1, rs, 4, NOON);
	assert_clean(f, 3);
}

static void missing_numbers_are_a_gap(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 4, NOON)};
	struct store_finding x;

	send_report(f, ID, 1, rs, 2, NOON);
	x = only(f, 1);
	assert_int_equal(x.kind, STORE_AUDIT_GAP);
	assert_int_equal(x.from_session, 2);
	assert_int_equal(x.to_session, 3);
	assert_int_equal(x.motor_ms, 2 * MINUTE);
	assert_string_equal(x.text, "sessions 2..3 are missing, with 120.0 s of motor time");
}

static void a_gap_closes_when_the_sessions_come(void **state)
{
	struct fixture *f = *state;
	struct gf_record a[] = {session(1, 1, NOON), session(2, 4, NOON)};
	struct gf_record b[] = {session(1, 3, NOON), session(2, 2, NOON)};

	send_report(f, ID, 1, a, 2, NOON);
	send_report(f, ID, 2, b, 1, NOON);
	assert_int_equal(only(f, 1).to_session, 2);
	send_report(f, ID, 2, b, 2, NOON);
	assert_clean(f, 4);
}

static void motor_time_that_no_session_has_is_a_gap(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON)};
	struct store_finding x;

	rs[1].session_ended.odometer.motor_ms += 7000;
	send_report(f, ID, 1, rs, 2, NOON);
	x = only(f, 1);
	assert_int_equal(x.kind, STORE_AUDIT_GAP);
	assert_int_equal(x.from_session, 1);
	assert_int_equal(x.to_session, 2);
	assert_int_equal(x.motor_ms, 7000);
}

static void motor_time_that_two_sessions_have_is_an_overlap(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON)};

	rs[1].session_ended.motor_ms += 3000;
	send_report(f, ID, 1, rs, 2, NOON);
	assert_int_equal(only(f, 1).kind, STORE_AUDIT_OVERLAP);
	assert_int_equal(only(f, 1).motor_ms, 3000);
}

static void i1_the_same_number_with_another_content_is_kept_as_a_finding(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = session(1, 1, NOON), b = session(1, 1, NOON), c = session(2, 1, NOON);
	struct store_finding x;

	c.session_ended.outcome = GF_OUTCOME_INTERRUPTED;
	send_report(f, ID, 1, &a, 1, NOON);
	send_report(f, ID, 1, &c, 1, NOON);
	send_report(f, ID, 2, &b, 1, NOON);
	x = only(f, 1);
	assert_int_equal(x.kind, STORE_AUDIT_DUPLICATE);
	assert_int_equal(x.from_session, 1);
	assert_int_equal(count_sessions(f, ID), 1);
}

static void an_odometer_that_went_back_is_a_reset(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON), session(3, 3, NOON)};

	rs[2].session_ended.odometer.motor_ms = MINUTE;
	send_report(f, ID, 1, rs, 3, NOON);
	assert_int_equal(only(f, 1).kind, STORE_AUDIT_RESET);
}

static void a_gap_that_a_lost_record_explains_is_lost(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), record(2, GF_RECORD_LOST, NOON), session(10, 4, NOON)};
	struct store_finding x;

	rs[1].lost.through_seq = 9;
	rs[1].lost.counts[GF_RECORD_SESSION_ENDED] = 2;
	send_report(f, ID, 1, rs, 3, NOON);
	x = only(f, 1);
	assert_int_equal(x.kind, STORE_AUDIT_LOST);
	assert_int_equal(x.from_session, 2);
	assert_int_equal(x.to_session, 3);
}

static void lost_heartbeats_explain_no_missing_session(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), record(2, GF_RECORD_LOST, NOON), session(10, 4, NOON)};

	rs[1].lost.through_seq = 9;
	rs[1].lost.counts[GF_RECORD_HEARTBEAT] = 8;
	send_report(f, ID, 1, rs, 3, NOON);
	assert_int_equal(only(f, 1).kind, STORE_AUDIT_GAP);
}

static void a_first_session_that_is_not_number_one_is_a_gap(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 3, NOON);

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(only(f, 1).kind, STORE_AUDIT_GAP);
	assert_int_equal(only(f, 1).from_session, 1);
	assert_int_equal(only(f, 1).to_session, 2);
}

static void an_odometer_ahead_while_more_is_to_come_is_only_behind(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(2, 1, 1);
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON)};

	st.next_seq = 3;
	st.odometer = rs[1].session_ended.odometer;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(only(f, 0).kind, STORE_AUDIT_BEHIND);
	send_report(f, ID, 1, rs, 1, NOON);
	assert_int_equal(only(f, 0).kind, STORE_AUDIT_BEHIND);
	send_report(f, ID, 1, rs, 2, NOON);
	assert_clean(f, 2);
}

static void a_running_session_is_only_behind(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), started(2, 2, NOON), heartbeat(3, NOON, 40)};

	rs[2].heartbeat.in_session = true;
	rs[2].heartbeat.odometer = (struct gf_odometer){.motor_ms = MINUTE + 30000, .sessions = 1};
	send_report(f, ID, 1, rs, 3, NOON);
	assert_int_equal(only(f, 0).kind, STORE_AUDIT_BEHIND);
}

static void sessions_the_odometer_counts_but_nobody_told_are_a_gap(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), heartbeat(2, NOON, 40)};
	struct store_finding x;

	rs[1].heartbeat.odometer = (struct gf_odometer){.motor_ms = 3 * MINUTE, .sessions = 3};
	send_report(f, ID, 1, rs, 2, NOON);
	x = only(f, 1);
	assert_int_equal(x.kind, STORE_AUDIT_GAP);
	assert_int_equal(x.from_session, 2);
	assert_int_equal(x.to_session, 3);
}

static void one_machine_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = session(1, 1, NOON), b = session(1, 5, NOON);
	struct store_audit audit;

	send_report(f, ID, 1, &a, 1, NOON);
	send_report(f, "chair-2", 1, &b, 1, NOON);
	assert_int_equal(store_read_audit(f->reader, ID, NULL, NULL, &audit, NULL), 0);
	assert_int_equal(audit.devices, 1);
	assert_int_equal(audit.problems, 0);
	assert_int_equal(store_read_audit(f->reader, "chair-2", NULL, NULL, &audit, NULL), 0);
	assert_int_equal(audit.problems, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_unbroken_chain_is_clean),
	    TEST(missing_numbers_are_a_gap),
	    TEST(a_gap_closes_when_the_sessions_come),
	    TEST(motor_time_that_no_session_has_is_a_gap),
	    TEST(motor_time_that_two_sessions_have_is_an_overlap),
	    TEST(i1_the_same_number_with_another_content_is_kept_as_a_finding),
	    TEST(an_odometer_that_went_back_is_a_reset),
	    TEST(a_gap_that_a_lost_record_explains_is_lost),
	    TEST(lost_heartbeats_explain_no_missing_session),
	    TEST(a_first_session_that_is_not_number_one_is_a_gap),
	    TEST(an_odometer_ahead_while_more_is_to_come_is_only_behind),
	    TEST(a_running_session_is_only_behind),
	    TEST(sessions_the_odometer_counts_but_nobody_told_are_a_gap),
	    TEST(one_machine_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
