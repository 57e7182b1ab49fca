/* A station at work: who is there, what is recorded and told, a disk in trouble. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/uplink.h"
#include "proto/codec.h"
#include "tests/unit/agent/station_rig.h"

/* ---- birth, will ---- */

static void a_connection_begins_with_a_retained_birth(void **state)
{
	struct world *w = *state;
	struct gf_link_will will = {0};
	assert_string_equal(fake_link->subscribed, BRANCH "ack=0 " BRANCH "desired=1 " BRANCH "command=1 ");
	assert_string_equal(fake_link->config.client_id, "gun-berlin-01");
	assert_true(fake_link->config.window_max <= GF_LINK_WINDOW_MAX && fake_link->config.window_max > UPLINK_WINDOW);
	assert_true(fake_link->ops.will(fake_link->ops.ctx, 1, &will));
	assert_string_equal(will.topic, BRANCH "status");
	assert_true(will.retained);
	struct gf_status lost;
	assert_int_equal(gf_status_decode(will.payload, will.len, &lost, NULL), 0);
	assert_int_equal(lost.presence, GF_PRESENCE_LOST);
	assert_int_equal(lost.boot, 1);
	assert_int_equal(lost.connection, 1);

	assert_false(station_online(w->station));
	fake_link_up();
	rig_step(w);
	assert_true(station_online(w->station));
	const struct fake_published *p = fake_link_nth("/status", 0);
	struct gf_status birth = rig_status(p);
	assert_true(p->retained);
	assert_int_equal(p->qos, 1);
	assert_string_equal(p->topic, BRANCH "status");
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_int_equal(birth.boot, 1);
	assert_int_equal(birth.connection, 1);
	assert_int_equal(birth.class, GF_CLASS_PERCUSSION);
	assert_string_equal(birth.catalog, "gun");
	assert_int_equal(birth.next_seq, 2); /* the catalog's record */
	assert_int_equal(birth.cert_not_after_ms, 1234);
	assert_true(birth.motor_temp_stop_c > 69);
	assert_true(birth.vibration_ms2 == 7.5F);
	assert_int_equal(birth.hour_meter_ms, RIG_METER_MS);
	assert_int_equal(birth.motor_before_ms, 1800 * 1000);

	fake_link_down("cut");
	rig_step(w);
	assert_false(station_online(w->station));
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_status(fake_link_nth("/status", 1)).connection, 2);
	rig_restart(w);
	fake_link_up();
	rig_step(w);
	birth = rig_status(fake_link_nth("/status", 0));
	assert_int_equal(birth.boot, 2);
	assert_int_equal(birth.connection, 1);
}

static void a_birth_that_does_not_get_out_is_tried_again(void **state)
{
	struct world *w = *state;
	fake_link_up();
	fake_link->publish_error = -EAGAIN;
	rig_step(w);
	fake_link->publish_error = 0;
	rig_pass(w, 4000);
	assert_null(fake_link_nth("/status", 0));
	rig_pass(w, 1000);
	const struct fake_published *p = fake_link_nth("/status", 0);
	assert_non_null(p);
	fake_link_published(p->cookie, 0x87);
	rig_step(w);
	rig_pass(w, 5000);
	assert_non_null(fake_link_nth("/status", 1));
	rig_pass(w, 60000);
	assert_null(fake_link_nth("/status", 2));
}

/* ---- records ---- */

static void i1_what_happened_offline_arrives_when_the_link_is_there(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 5; i++) {
		rig_session(w);
		rig_beat(w);
	}
	assert_int_equal(w->wakes, 0);
	assert_int_equal(rig_spool(w).records, 16);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 5);
	assert_int_equal(rig_spool(w).records, 0);
	/* And while it is there: the owner is woken, but not for a checkpoint. */
	w->wakes = 0;
	rig_session(w);
	assert_true(w->wakes >= 2);
	w->wakes = 0;
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_PROGRESS});
	assert_int_equal(w->wakes, 0);
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
	assert_int_equal(w->committed, 18);
}

static void i1_an_ack_that_never_came_costs_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	rig_session(w);
	rig_step(w);
	/* The gateway has it, the connection goes, the agent is killed. */
	fake_link_down("cut");
	rig_restart(w);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
	assert_int_equal(rig_spool(w).records, 0);
	rig_restart(w);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_status(fake_link_nth("/status", 0)).acked_seq, w->committed);
	assert_int_equal(rig_gateway(w), 0);
}

static void messages_that_are_no_acks_change_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	rig_session(w);
	rig_step(w);
	fake_link_message(BRANCH "ack", "\xff\xff", 2);
	fake_link_message(BRANCH "ack", "", 0);
	fake_link_message("gymfleet/v1/devices/gun-berlin-02/ack", "\xff\xff", 2);
	rig_step(w);
	assert_int_equal(rig_spool(w).records, 3);
	assert_int_equal(rig_gateway(w), 1);
}

/* The disk is an older one: the gateway has records that this spool will write only now. */
static void i1_a_spool_that_went_back_tells_in_a_new_stream(void **state)
{
	struct world *w = *state;
	unsigned char buf[GF_ACK_MAX];
	struct gf_ack ack = {.through_seq = 500};
	size_t len;

	fake_link_up();
	rig_step(w);
	ack.stream = rig_status(fake_link_nth("/status", 0)).stream;
	rig_session(w);
	rig_session(w);
	rig_step(w);
	fake_link->count = 0;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	fake_link_message(BRANCH "ack", buf, len);
	rig_step(w);
	struct gf_status birth = rig_status(fake_link_nth("/status", 0));
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_memory_not_equal(&birth.stream, &ack.stream, sizeof(ack.stream));
	assert_int_equal(birth.acked_seq, 0);
	w->committed = 0;
	assert_int_equal(rig_gateway(w), 2);
	rig_session(w);
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
}

static void heartbeats_carry_the_connections(void **state)
{
	struct world *w = *state;
	struct gf_report *report;
	fake_link_up();
	rig_beat(w);
	rig_step(w);
	const struct fake_published *p = fake_link_nth("/report", 0);
	assert_non_null(p);
	assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
	assert_int_equal(report->records[1].heartbeat.link_connects, 1);
	free(report);
}

/* It was acked to the broker all the same: a lock among it would be heard of with the next connection only. */
static void i8_what_found_no_room_is_asked_for_again(void **state)
{
	struct world *w = *state;
	int64_t due_ms = INT64_MAX;
	fake_link_up();
	rig_pass(w, 1000);
	assert_int_equal(fake_link->renewals, 0);
	fake_link->dropped = 3;
	rig_pass(w, 1000);
	assert_int_equal(fake_link->renewals, 1);
	/* A flood from outside doesn't become one of ours. */
	for (int i = 0; i < 4; i++) {
		fake_link->dropped++;
		w->now.mono_ms += 500;
		due_ms = rig_step(w);
	}
	assert_int_equal(fake_link->renewals, 1);
	while (fake_link->renewals == 1 && due_ms != INT64_MAX) {
		w->now.mono_ms = due_ms;
		due_ms = rig_step(w);
	}
	assert_int_equal(fake_link->renewals, 2);
	rig_pass(w, 10000);
	assert_int_equal(fake_link->renewals, 2);
	/* Nobody could be asked. */
	fake_link_down("cut");
	rig_step(w);
	fake_link->dropped++;
	rig_pass(w, 10000);
	assert_int_equal(fake_link->renewals, 2);
}

/* ---- a disk in trouble ---- */

static void i1_a_disk_that_fails_delays_sessions_and_loses_none(void **state)
{
	struct world *w = *state;
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 0);
	rig_disk_error = EIO;
	rig_session(w);
	rig_session(w);
	rig_step(w);
	assert_null(fake_link_nth("/report", 0));
	/* Tried again, later and later. */
	for (int64_t wait_ms = 1000; wait_ms < 60000; wait_ms *= 2)
		rig_pass(w, wait_ms);
	rig_disk_error = 0;
	rig_pass(w, 60000);
	rig_step(w);
	assert_int_equal(rig_gateway(w), 2);
	rig_session(w);
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
	rig_restart(w);
	assert_int_equal(w->resume.odometer.sessions, 3);
	assert_int_equal(w->resume.odometer.motor_ms, 3000);
}

/* The file that failed to sync is closed at once; nothing that was acked comes again, nothing that was taken is lost. */
static void i1_a_failing_sync_is_not_tried_again_and_costs_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	rig_session(w);
	rig_step(w);
	assert_int_equal(rig_gateway(w), 1);
	uint64_t acked = w->committed;
	rig_sync_error = EIO;
	rig_session(w);
	assert_int_equal(rig_failed_syncs, 1);
	rig_beat(w);
	rig_session(w);
	rig_pass(w, 900);
	assert_int_equal(rig_syncs_after_failure, 0);
	rig_sync_error = 0;
	rig_pass(w, 100);
	rig_step(w);
	struct gf_status birth = rig_status(fake_link_nth("/status", 0));
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_int_equal(birth.acked_seq, acked);
	assert_int_equal(rig_gateway(w), 2);
	rig_step(w);
	assert_int_equal(rig_spool(w).records, 0);
	rig_restart(w);
	assert_int_equal(w->resume.odometer.sessions, 3);
}

static void i8_a_full_disk_keeps_sessions_and_counts_what_it_refuses(void **state)
{
	struct world *w = *state;
	rig_disk_error = ENOSPC;
	rig_session(w);
	for (int i = 0; i < 200; i++)
		rig_beat(w);
	rig_session(w);
	rig_pass(w, 1000);
	assert_int_equal(rig_spool(w).dropped, 204 - RECORDER_PENDING_MAX);
	rig_disk_error = 0;
	rig_pass(w, 1000);
	fake_link_up();
	rig_step(w);
	assert_int_equal(rig_gateway(w), 2);
	assert_int_equal(w->committed, 1 + RECORDER_PENDING_MAX);
}

static void a_station_that_does_not_open_says_why(void **state)
{
	struct world *w = *state, second = *w;
	struct gf_diag diag = {{0}};
	second.station = NULL;
	assert_int_equal(rig_open(&second, false, &diag), -EBUSY);
	assert_non_null(strstr(diag.text, "another process"));
	assert_null(second.station);
}

static void without_a_link_it_only_records(void **state)
{
	struct world *w = *state;
	struct gf_diag diag = {{0}};
	station_free(w->station);
	w->station = NULL;
	assert_int_equal(rig_open(w, false, &diag), 0);
	assert_null(fake_link);
	station_start(w->station);
	rig_session(w);
	assert_true(rig_step(w) <= w->now.mono_ms + 1000);
	assert_int_equal(rig_spool(w).records, 3);
	assert_false(station_online(w->station));
	station_stop(w->station, w->now);
	assert_true(station_stopped(w->station));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_connection_begins_with_a_retained_birth),
	    TEST(a_birth_that_does_not_get_out_is_tried_again),
	    TEST(i1_what_happened_offline_arrives_when_the_link_is_there),
	    TEST(i1_an_ack_that_never_came_costs_nothing),
	    TEST(messages_that_are_no_acks_change_nothing),
	    TEST(i1_a_spool_that_went_back_tells_in_a_new_stream),
	    TEST(heartbeats_carry_the_connections),
	    TEST(i8_what_found_no_room_is_asked_for_again),
	    TEST(i1_a_disk_that_fails_delays_sessions_and_loses_none),
	    TEST(i1_a_failing_sync_is_not_tried_again_and_costs_nothing),
	    TEST(i8_a_full_disk_keeps_sessions_and_counts_what_it_refuses),
	    TEST(a_station_that_does_not_open_says_why),
	    TEST(without_a_link_it_only_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
