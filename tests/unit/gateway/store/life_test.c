/* Machines that lose their memory, or get an older one: their sessions are other sessions, and their counters go on. */
#include <string.h>

#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

/* Sessions first..last as a machine tells them that counts from 1, an hour apart from `from_ms` on. */
static void tell(struct fixture *f, uint8_t stream, uint64_t first_seq, uint64_t first, uint64_t last, int64_t from_ms)
{
	for (uint64_t no = first; no <= last; no++) {
		struct gf_record r = session(first_seq + no - first, no, from_ms + (int64_t)no * HOUR);
		send_report(f, ID, stream, &r, 1, NOON);
	}
}

static void assert_clean(struct fixture *f, uint64_t sessions)
{
	struct store_finding findings[8];
	size_t count;
	struct store_audit audit = get_audit(f, findings, 8, &count);

	if (count > 0)
		fail_msg("%s", findings[0].text);
	assert_int_equal(audit.sessions, sessions);
	assert_int_equal(audit.motor_ms, sessions * MINUTE);
	assert_int_equal(count_sessions(f, ID), sessions);
	assert_int_equal(get_device(f, ID, NOON).odometer.sessions, sessions);
	assert_int_equal(get_device(f, ID, NOON).odometer.motor_ms, sessions * MINUTE);
}

static int newest(void *ctx, const struct store_session *s)
{
	*(struct store_session *)ctx = *s;
	return 1;
}

static struct store_session newest_session(struct fixture *f)
{
	struct store_session s = {0};
	assert_int_equal(store_read_sessions(f->reader, &(struct store_session_query){.device = ID}, newest, &s, NULL), 1);
	return s;
}

static void i1_a_wiped_machine_loses_no_session(void **state)
{
	struct fixture *f = *state;
	struct gf_status wiped = birth(1, 1, 2);

	send_status(f, ID, birth(1, 1, 1), false, NOON - 4 * DAY);
	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	wiped.odometer = (struct gf_odometer){0};
	send_status(f, ID, wiped, false, NOON - 2 * DAY);
	assert_clean(f, 3); /* what is known stands */
	tell(f, 2, 1, 1, 3, NOON - 2 * DAY);
	assert_clean(f, 6);
	assert_int_equal(newest_session(f).session_no, 6);
	/* And once more. */
	fixture_reopen(f);
	tell(f, 3, 1, 1, 2, NOON - DAY);
	assert_clean(f, 8);
}

static void i1_an_older_image_tells_nothing_twice_and_loses_nothing(void **state)
{
	struct fixture *f = *state;

	struct gf_status old = birth(2, 1, 1);

	tell(f, 1, 1, 1, 5, NOON - 4 * DAY);
	/* The image stood after session 3, two of them not acked then; after them come two of its own. */
	old.odometer = (struct gf_odometer){.motor_ms = 3 * MINUTE, .sessions = 3};
	send_status(f, ID, old, false, NOON - 2 * DAY);
	assert_clean(f, 5);
	tell(f, 2, 1, 2, 3, NOON - 4 * DAY);
	assert_clean(f, 5);
	tell(f, 2, 3, 4, 5, NOON - 2 * DAY);
	assert_clean(f, 7);
}

/* A card that forgot the last seconds: what ended on it is running again, and is told as interrupted. */
static void i1_a_session_an_image_holds_as_running_is_the_one_that_ended(void **state)
{
	struct fixture *f = *state;
	struct gf_record again = session(1, 3, NOON - 4 * DAY + 3 * HOUR), next = session(2, 4, NOON - DAY);

	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	again.session_ended.outcome = GF_OUTCOME_INTERRUPTED;
	again.session_ended.duration_ms -= 30000;
	again.session_ended.motor_ms -= 20000;
	again.session_ended.odometer.motor_ms -= 20000;
	next.session_ended.odometer.motor_ms -= 20000;
	send_report(f, ID, 2, &again, 1, NOON);
	assert_clean(f, 3);
	send_report(f, ID, 2, &next, 1, NOON);
	assert_clean(f, 4);
}

static void i1_an_old_disk_that_is_put_back_goes_on(void **state)
{
	struct fixture *f = *state;

	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	tell(f, 2, 1, 1, 2, NOON - 3 * DAY);
	assert_clean(f, 5);
	send_status(f, ID, birth(2, 1, 1), false, NOON - 2 * DAY);
	tell(f, 1, 4, 4, 5, NOON - 2 * DAY);
	assert_clean(f, 7);
	send_status(f, ID, birth(3, 1, 2), false, NOON - DAY);
	tell(f, 2, 3, 3, 3, NOON - DAY);
	assert_clean(f, 8);
	assert_int_equal(newest_session(f).session_no, 8);
}

static void i1_a_session_of_a_new_life_does_not_pass_for_a_lost_one(void **state)
{
	struct fixture *f = *state;
	struct store_finding finding;
	size_t count;

	tell(f, 1, 1, 2, 3, NOON - 4 * DAY);
	tell(f, 2, 1, 1, 1, NOON - 2 * DAY);
	assert_int_equal(newest_session(f).session_no, 4);
	get_audit(f, &finding, 1, &count);
	assert_int_equal(count, 1);
	assert_int_equal(finding.kind, STORE_AUDIT_GAP);
	assert_int_equal(finding.to_session, 1);
	/* That one itself does, when an image has it. */
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	tell(f, 3, 1, 1, 1, NOON - 4 * DAY);
	assert_clean(f, 4);
}

/* The hardware's meter went on where the memory went back: its time is that of the sessions that are known. */
static void what_a_meter_counts_again_is_only_noted(void **state)
{
	struct fixture *f = *state;
	struct gf_record recount = session(1, 4, NOON - 2 * DAY);
	struct store_finding findings[4];
	size_t count;

	tell(f, 1, 1, 1, 5, NOON - 4 * DAY);
	recount.session_ended.start.routine[0] = '\0';
	recount.session_ended.outcome = GF_OUTCOME_INTERRUPTED;
	recount.session_ended.motor_ms = 2 * MINUTE;
	recount.session_ended.odometer.motor_ms = 5 * MINUTE;
	send_report(f, ID, 2, &recount, 1, NOON);
	assert_int_equal(count_sessions(f, ID), 5);
	get_audit(f, findings, 4, &count);
	assert_int_equal(count, 1);
	assert_int_equal(findings[0].kind, STORE_AUDIT_DUPLICATE);
	tell(f, 2, 2, 5, 6, NOON - DAY);
	assert_int_equal(get_audit(f, findings, 4, &count).motor_ms, 7 * MINUTE);
	assert_int_equal(count, 1);
}

static void what_was_unseen_of_the_life_before_is_a_gap(void **state)
{
	struct fixture *f = *state;
	struct gf_record beat = heartbeat(4, NOON - 3 * DAY, 40);
	struct store_finding findings[4];
	size_t count;

	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	beat.heartbeat.odometer = (struct gf_odometer){.motor_ms = 5 * MINUTE, .sessions = 5};
	send_report(f, ID, 1, &beat, 1, NOON);
	tell(f, 2, 1, 1, 2, NOON - 2 * DAY);
	get_audit(f, findings, 4, &count);
	assert_int_equal(count, 1);
	assert_int_equal(findings[0].kind, STORE_AUDIT_GAP);
	assert_int_equal(findings[0].from_session, 4);
	assert_int_equal(findings[0].to_session, 5);
	assert_int_equal(findings[0].motor_ms, 2 * MINUTE);
	assert_int_equal(newest_session(f).session_no, 7);
}

static void all_that_names_a_session_counts_on(void **state)
{
	struct fixture *f = *state;
	struct gf_record more[] = {started(2, 2, NOON - DAY), fault(3, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON - DAY),
	                           heartbeat(4, NOON - DAY, 40)};

	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	tell(f, 2, 1, 1, 1, NOON - 2 * DAY);
	more[1].fault_raised.session_no = 2;
	more[2].heartbeat.odometer = (struct gf_odometer){.motor_ms = MINUTE, .sessions = 1};
	send_report(f, ID, 2, more, 3, NOON);
	struct store_device device = get_device(f, ID, NOON);
	assert_int_equal(device.running_session, 5);
	assert_int_equal(device.odometer.sessions, 4);
	assert_int_equal(device.open[0].session_no, 5);
	assert_true(newest_session(f).running);
}

static void without_a_clock_the_odometer_tells_sessions_apart(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = session(1, 1, 0), b = session(1, 1, 0), c = session(2, 1, 0);

	a.clock_synced = a.session_ended.started_clock_synced = false;
	b.clock_synced = b.session_ended.started_clock_synced = false;
	c.clock_synced = c.session_ended.started_clock_synced = false;
	c.session_ended.motor_ms += 1000;
	c.session_ended.odometer.motor_ms += 1000;
	send_report(f, ID, 1, &a, 1, NOON - HOUR);
	send_report(f, ID, 2, &b, 1, NOON);
	assert_int_equal(count_sessions(f, ID), 1);
	send_report(f, ID, 2, &c, 1, NOON);
	assert_int_equal(count_sessions(f, ID), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i1_a_wiped_machine_loses_no_session),
	    TEST(i1_an_older_image_tells_nothing_twice_and_loses_nothing),
	    TEST(i1_a_session_an_image_holds_as_running_is_the_one_that_ended),
	    TEST(i1_an_old_disk_that_is_put_back_goes_on),
	    TEST(i1_a_session_of_a_new_life_does_not_pass_for_a_lost_one),
	    TEST(what_a_meter_counts_again_is_only_noted),
	    TEST(what_was_unseen_of_the_life_before_is_a_gap),
	    TEST(all_that_names_a_session_counts_on),
	    TEST(without_a_clock_the_odometer_tells_sessions_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
