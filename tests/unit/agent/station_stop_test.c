/* How a station ends: what is in the spool gets a short time to be acked, then the goodbye, then nothing more. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/uplink.h"
#include "proto/codec.h"
#include "tests/unit/agent/station_rig.h"

enum { NOBODY_LISTENS = 16, REFUSED = 0x87, A_WHILE_MS = 60000 };

/* Connected, and everything so far is acked; what is published from now on counts. */
static void go_online(struct world *w)
{
	fake_link_up();
	rig_step(w);
	rig_gateway(w);
	assert_int_equal(rig_spool(w).records, 0);
	assert_int_equal(fake_link->count, 0);
}

static void stop(struct world *w)
{
	station_stop(w->station, w->now);
}

static void expect_no_goodbye(struct world *w)
{
	assert_null(fake_link_nth("/status", 0));
	assert_int_equal(fake_link->state, GF_LINK_UP);
	assert_false(station_stopped(w->station));
}

/* It was the last that was said; the link closes with the next step, which is due. */
static void expect_goodbye(struct world *w)
{
	const struct fake_published *p = fake_link_nth("/status", 0);
	struct gf_status status = rig_status(p);
	assert_true(p == &fake_link->published[fake_link->count - 1]);
	assert_true(p->retained);
	assert_int_equal(status.presence, GF_PRESENCE_GOODBYE);
	assert_int_equal(status.boot, 1);
	assert_int_equal(status.connection, 1);
	assert_int_equal(fake_link->state, GF_LINK_CLOSING);
	assert_false(station_stopped(w->station));
	rig_step(w);
	assert_true(station_stopped(w->station));
}

/* Nothing was said at all, and the link is closed. */
static void expect_silent_end(struct world *w)
{
	rig_step(w);
	assert_true(station_stopped(w->station));
	assert_int_equal(fake_link->count, 0);
}

/* ---- with acks ---- */

static void who_has_told_everything_says_goodbye_at_once(void **state)
{
	struct world *w = *state;
	go_online(w);
	stop(w);
	stop(w);
	expect_goodbye(w);
	assert_int_equal(fake_link->count, 1);
}

static void i1_the_last_session_is_told_before_the_goodbye(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	stop(w);
	stop(w);
	assert_non_null(fake_link_nth("/report", 0));
	rig_pass(w, STATION_DRAIN_MS - 1);
	expect_no_goodbye(w);
	assert_int_equal(rig_gateway(w), 1);
	assert_int_equal(rig_spool(w).records, 0);
	expect_goodbye(w);
}

static void a_backlog_goes_out_window_by_window(void **state)
{
	struct world *w = *state;
	const uint64_t records = UPLINK_WINDOW * GF_REPORT_RECORDS_MAX + 1;
	for (uint64_t i = 0; i < records; i++)
		rig_beat(w);
	rig_session(w);
	fake_link_up();
	rig_step(w);
	stop(w);
	assert_non_null(fake_link_nth("/report", UPLINK_WINDOW - 1));
	assert_null(fake_link_nth("/report", UPLINK_WINDOW));
	assert_int_equal(rig_gateway(w), 0);
	expect_no_goodbye(w);
	assert_int_equal(rig_gateway(w), 1);
	expect_goodbye(w);
}

/* A full disk: the session was in memory only. */
static void i1_what_waited_for_room_is_told_if_there_is_room_now(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_disk_error = ENOSPC;
	rig_session(w);
	rig_disk_error = 0;
	stop(w);
	expect_no_goodbye(w);
	assert_int_equal(rig_gateway(w), 1);
	expect_goodbye(w);
}

/* Nobody listened before; who has come meanwhile hears it. */
static void what_was_held_back_is_tried_once_more(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	rig_step(w);
	fake_link_published(fake_link_nth("/report", 0)->cookie, NOBODY_LISTENS);
	rig_step(w);
	fake_link->count = 0;
	rig_pass(w, UPLINK_ACK_TIMEOUT_MS / 2);
	assert_int_equal(fake_link->count, 0);
	stop(w);
	assert_int_equal(rig_gateway(w), 1);
	expect_goodbye(w);
}

/* The disk is an older one, and it is found just now. */
static void i1_a_spool_that_went_back_is_told_in_its_new_stream(void **state)
{
	struct world *w = *state;
	unsigned char buf[GF_ACK_MAX];
	struct gf_ack ack = {.through_seq = 500};
	struct gf_report *report;
	size_t len;

	go_online(w);
	rig_session(w);
	stop(w);
	const struct fake_published *p = fake_link_nth("/report", 0);
	assert_non_null(p);
	assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
	ack.stream = report->stream;
	free(report);
	fake_link->count = 0;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	fake_link_message(BRANCH "ack", buf, len);
	rig_step(w);
	assert_int_equal(rig_status(fake_link_nth("/status", 0)).presence, GF_PRESENCE_BIRTH);
	w->committed = 0;
	assert_int_equal(rig_gateway(w), 1);
	expect_goodbye(w);
}

/* ---- without ---- */

static void i1_without_an_ack_it_says_goodbye_in_time_and_tells_later(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	stop(w);
	rig_pass(w, STATION_DRAIN_MS - 1);
	assert_true(rig_step(w) <= w->now.mono_ms + 1);
	expect_no_goodbye(w);
	w->now.mono_ms++;
	assert_true(rig_step(w) <= w->now.mono_ms);
	expect_goodbye(w);
	assert_int_equal(rig_spool(w).records, 2);
	rig_restart(w);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
}

/* Many machines on one loop may be late with it: what is there is sent, though nobody waits for the ack. */
static void i1_a_link_with_room_late_still_takes_it_before_the_goodbye(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	fake_link->publish_error = -EAGAIN;
	stop(w);
	assert_int_equal(fake_link->count, 0);
	fake_link->publish_error = 0;
	rig_pass(w, A_WHILE_MS);
	assert_non_null(fake_link_nth("/report", 0));
	expect_goodbye(w);
}

static void i1_a_link_lost_while_draining_is_not_waited_for(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	stop(w);
	assert_non_null(fake_link_nth("/report", 0));
	fake_link->count = 0;
	fake_link_down("cut");
	assert_true(rig_step(w) <= w->now.mono_ms);
	expect_silent_end(w);
	rig_restart(w);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
}

static void offline_it_ends_at_once(void **state)
{
	struct world *w = *state;
	rig_session(w);
	stop(w);
	expect_silent_end(w);
}

static void a_spool_that_fails_while_draining_is_not_waited_for(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	stop(w);
	expect_no_goodbye(w);
	rig_disk_error = EIO;
	assert_int_equal(rig_gateway(w), 1); /* the ack can't be written down */
	expect_goodbye(w);
}

static void a_spool_that_failed_before_is_not_waited_for(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_disk_error = EIO;
	rig_session(w);
	stop(w);
	expect_goodbye(w);
}

/* The flush before the end is the first to find it. */
static void a_spool_that_fails_at_the_stop_is_not_waited_for(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_disk_error = ENOSPC;
	rig_session(w);
	rig_disk_error = EIO;
	stop(w);
	expect_goodbye(w);
}

/* ---- after the goodbye ---- */

/* The link closes when what is in flight is out: until then it would take more. */
static void nothing_new_is_sent_after_the_goodbye(void **state)
{
	struct world *w = *state;
	go_online(w);
	rig_session(w);
	stop(w);
	rig_pass(w, STATION_DRAIN_MS);
	size_t said = fake_link->count;
	assert_int_equal(rig_status(fake_link_nth("/status", 0)).presence, GF_PRESENCE_GOODBYE);
	fake_link->state = GF_LINK_UP;

	rig_session(w);
	rig_step(w);
	fake_link_published(fake_link_nth("/report", 0)->cookie, REFUSED);
	fake_link_published(fake_link_nth("/status", 0)->cookie, REFUSED);
	rig_pass(w, A_WHILE_MS);
	/* Nor when the disk comes back, or the link. */
	rig_disk_error = EIO;
	rig_session(w);
	rig_disk_error = 0;
	rig_pass(w, A_WHILE_MS);
	fake_link_up();
	rig_pass(w, A_WHILE_MS);
	stop(w);
	rig_pass(w, A_WHILE_MS);
	assert_int_equal(fake_link->count, said);
	assert_int_equal(rig_spool(w).records, 6);
}

static void a_birth_that_is_due_does_not_hurry_the_end(void **state)
{
	struct world *w = *state;
	fake_link_up();
	fake_link->publish_error = -EAGAIN;
	rig_step(w);
	stop(w);
	w->now.mono_ms += A_WHILE_MS;
	rig_step(w);
	assert_true(rig_step(w) > w->now.mono_ms);
	assert_true(station_stopped(w->station));
}

/* What was logged while `stop` ran. */
static void stop_and_read_log(struct world *w, char *ret_log, size_t size)
{
	FILE *file = tmpfile();
	int before = dup(STDERR_FILENO);
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	stop(w);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	rewind(file);
	ret_log[fread(ret_log, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void i10_what_could_not_be_used_is_counted_at_the_end(void **state)
{
	struct world *w = *state;
	char log[1000];
	go_online(w);
	for (int i = 0; i < 30; i++)
		fake_link_message(BRANCH "command", "\xff", 1);
	fake_link_message(BRANCH "desired", "\xff", 1);
	rig_step(w);
	stop_and_read_log(w, log, sizeof(log));
	if (strstr(log, "1 desired states, 30 commands and 0 parts of catalogs could not be used") == NULL)
		fail_msg("%s", log);
}

static void the_end_of_one_that_used_all_is_silent(void **state)
{
	struct world *w = *state;
	char log[1000];
	go_online(w);
	stop_and_read_log(w, log, sizeof(log));
	assert_string_equal(log, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(who_has_told_everything_says_goodbye_at_once),
	    TEST(i1_the_last_session_is_told_before_the_goodbye),
	    TEST(a_backlog_goes_out_window_by_window),
	    TEST(i1_what_waited_for_room_is_told_if_there_is_room_now),
	    TEST(what_was_held_back_is_tried_once_more),
	    TEST(i1_a_spool_that_went_back_is_told_in_its_new_stream),
	    TEST(i1_without_an_ack_it_says_goodbye_in_time_and_tells_later),
	    TEST(i1_a_link_with_room_late_still_takes_it_before_the_goodbye),
	    TEST(i1_a_link_lost_while_draining_is_not_waited_for),
	    TEST(offline_it_ends_at_once),
	    TEST(a_spool_that_fails_while_draining_is_not_waited_for),
	    TEST(a_spool_that_failed_before_is_not_waited_for),
	    TEST(a_spool_that_fails_at_the_stop_is_not_waited_for),
	    TEST(nothing_new_is_sent_after_the_goodbye),
	    TEST(a_birth_that_is_due_does_not_hurry_the_end),
	    TEST(i10_what_could_not_be_used_is_counted_at_the_end),
	    TEST(the_end_of_one_that_used_all_is_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
