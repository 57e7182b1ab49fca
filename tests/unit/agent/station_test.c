/* A station on its own clock, over a link and a disk that do what the test says. */
#include "agent/station.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/uplink.h"
#include "proto/codec.h"
#include "tests/unit/agent/fake_link.h"
#include "tests/unit/agent/spool/trap.h"

#define BRANCH "gymfleet/v1/devices/gun-berlin-01/"

/* ---- the disk: the system's, until it fails (the linker puts these in the way) ---- */

static int disk_error; /* what writing says; 0: it works */
static int sync_error;
static uint64_t failed_syncs, syncs_after_failure;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __real_posix_fallocate(int fd, off_t from, off_t len);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_posix_fallocate(int fd, off_t from, off_t len);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	errno = disk_error;
	return disk_error != 0 ? -1 : __real_pwrite(fd, data, len, at);
}

int __wrap_fdatasync(int fd)
{
	syncs_after_failure += failed_syncs > 0 ? 1 : 0;
	failed_syncs += sync_error != 0 ? 1 : 0;
	errno = sync_error;
	return sync_error != 0 ? -1 : __real_fdatasync(fd);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t len)
{
	return disk_error != 0 ? disk_error : __real_posix_fallocate(fd, from, len);
}

/* ---- the station ---- */

struct world {
	struct trap t; /* only its folder */
	struct station *station;
	struct control_resume resume;
	struct gf_time now;
	uint64_t wakes, sessions, committed; /* committed: what the gateway has */
};

static void count_wake(void *ctx)
{
	((struct world *)ctx)->wakes++;
}

static int open_station(struct world *w, bool online, struct gf_diag *diag)
{
	static char host[] = "broker", cert_file[] = "device.pem";
	const struct gf_link_config link = {.host = host, .port = 8883, .cert_file = cert_file, .keepalive_s = 15};
	const struct recorder_meter meter = {0};
	struct station_config config = {
	    .id = "gun-berlin-01",
	    .class = GF_CLASS_PERCUSSION,
	    .model = "g1",
	    .driver = "sim",
	    .rated_motor_h = 2000,
	    .envelope = {.motor_temp_stop_c = 70},
	    .catalog = "gun",
	    .catalog_version = 4,
	    .spool_dir = w->t.dir,
	    .spool_bytes_max = 4 << 20,
	    .spool_sync = true,
	    .link = online ? &link : NULL,
	    .wake = count_wake,
	    .wake_ctx = w,
	};
	return station_new(&config, &meter, w->now, &w->station, &w->resume, diag);
}

static void restart(struct world *w)
{
	struct gf_diag diag = {{0}};
	station_free(w->station);
	w->station = NULL;
	if (open_station(w, true, &diag) != 0)
		fail_msg("%s", diag.text);
	station_start(w->station);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	trap_init(&w->t);
	w->now = (struct gf_time){.mono_ms = 5000, .wall_ms = 1767225600000, .synced = true};
	disk_error = sync_error = 0;
	failed_syncs = syncs_after_failure = 0;
	*state = w;
	restart(w);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	disk_error = sync_error = 0;
	station_free(w->station);
	trap_deinit(&w->t);
	free(w);
	return 0;
}

static int64_t step(struct world *w)
{
	return station_step(w->station, w->now);
}

static void pass(struct world *w, int64_t ms)
{
	w->now.mono_ms += ms;
	w->now.wall_ms += ms;
	step(w);
}

static void tell(struct world *w, struct control_event event)
{
	const struct recorder_link_facts ticks = {0};
	event.mono_ms = event.started_mono_ms = w->now.mono_ms;
	station_event(w->station, &event, w->now, &ticks);
}

static void beat(struct world *w)
{
	tell(w, (struct control_event){.kind = CONTROL_EVENT_TELEMETRY, .heartbeat = {.interval_ms = 60000}});
}

static void session(struct world *w)
{
	struct control_event ended = {.kind = CONTROL_EVENT_SESSION_ENDED};
	tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_STARTED,
	                               .session_started = {.session_no = ++w->sessions}});
	ended.session_ended = (struct gf_session_ended){
	    .start.session_no = w->sessions,
	    .motor_ms = 1000,
	    .outcome = GF_OUTCOME_COMPLETED,
	    .peak_motor_temp_c = NAN,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	};
	tell(w, ended);
}

static struct gf_status status_of(const struct fake_published *p)
{
	struct gf_status status = {0};
	assert_non_null(p);
	assert_int_equal(gf_status_decode(p->data, p->len, &status, NULL), 0);
	return status;
}

/* The gateway takes what was published, counts sessions that are new to it, and acks. Returns how many. */
static uint64_t gateway(struct world *w)
{
	uint64_t sessions = 0;
	const struct fake_published *p;
	struct gf_report *report;
	struct gf_ack ack = {.through_seq = 0};
	unsigned char buf[GF_ACK_MAX];
	size_t len, done = 0;
	for (; (p = fake_link_nth("/report", done)) != NULL; done++) {
		assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
		ack.stream = report->stream;
		for (size_t i = 0; i < report->records_count; i++) {
			const struct gf_record *r = &report->records[i];
			if (r->seq != w->committed + 1)
				continue;
			w->committed = gf_record_through(r);
			sessions += r->kind == GF_RECORD_SESSION_ENDED ? 1 : 0;
		}
		free(report);
	}
	fake_link->count = 0;
	if (done == 0)
		return 0;
	ack.through_seq = w->committed;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	fake_link_message(BRANCH "ack", buf, len);
	step(w);
	return sessions;
}

/* ---- birth, will, goodbye ---- */

static void a_connection_begins_with_a_retained_birth(void **state)
{
	struct world *w = *state;
	struct gf_link_will will = {0};
	assert_string_equal(fake_link->subscribed, BRANCH "ack");
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
	step(w);
	assert_true(station_online(w->station));
	const struct fake_published *p = fake_link_nth("/status", 0);
	struct gf_status birth = status_of(p);
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

	fake_link_down("cut");
	step(w);
	assert_false(station_online(w->station));
	fake_link_up();
	step(w);
	assert_int_equal(status_of(fake_link_nth("/status", 1)).connection, 2);
	restart(w);
	fake_link_up();
	step(w);
	birth = status_of(fake_link_nth("/status", 0));
	assert_int_equal(birth.boot, 2);
	assert_int_equal(birth.connection, 1);
}

static void a_birth_that_does_not_get_out_is_tried_again(void **state)
{
	struct world *w = *state;
	fake_link_up();
	fake_link->publish_error = -EAGAIN;
	step(w);
	fake_link->publish_error = 0;
	pass(w, 4000);
	assert_null(fake_link_nth("/status", 0));
	pass(w, 1000);
	const struct fake_published *p = fake_link_nth("/status", 0);
	assert_non_null(p);
	fake_link_published(p->cookie, 0x87);
	step(w);
	pass(w, 5000);
	assert_non_null(fake_link_nth("/status", 1));
	pass(w, 60000);
	assert_null(fake_link_nth("/status", 2));
}

static void a_birth_that_is_due_does_not_hurry_the_end(void **state)
{
	struct world *w = *state;
	fake_link_up();
	fake_link->publish_error = -EAGAIN;
	step(w);
	station_stop(w->station, w->now);
	w->now.mono_ms += 60000;
	station_step(w->station, w->now);
	assert_true(station_step(w->station, w->now) > w->now.mono_ms);
}

static void a_graceful_end_says_goodbye_and_nothing_more(void **state)
{
	struct world *w = *state;
	fake_link_up();
	step(w);
	fake_link->count = 0;
	session(w);
	station_stop(w->station, w->now);
	station_stop(w->station, w->now);
	struct gf_status status = status_of(fake_link_nth("/status", 0));
	assert_int_equal(status.presence, GF_PRESENCE_GOODBYE);
	assert_int_equal(status.boot, 1);
	assert_int_equal(status.connection, 1);
	assert_false(station_stopped(w->station));
	step(w);
	assert_true(station_stopped(w->station));
	assert_int_equal(fake_link->count, 1);
	assert_null(fake_link_nth("/report", 0));
}

/* ---- records ---- */

static void i1_what_happened_offline_arrives_when_the_link_is_there(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 5; i++) {
		session(w);
		beat(w);
	}
	assert_int_equal(w->wakes, 0);
	assert_int_equal(station_spool(w->station).records, 16);
	fake_link_up();
	step(w);
	assert_int_equal(gateway(w), 5);
	assert_int_equal(station_spool(w->station).records, 0);
	/* And while it is there: the owner is woken, but not for a checkpoint. */
	w->wakes = 0;
	session(w);
	assert_true(w->wakes >= 2);
	w->wakes = 0;
	tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_PROGRESS});
	assert_int_equal(w->wakes, 0);
	step(w);
	assert_int_equal(gateway(w), 1);
	assert_int_equal(w->committed, 18);
}

static void i1_an_ack_that_never_came_costs_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	session(w);
	step(w);
	/* The gateway has it, the connection goes, the agent is killed. */
	fake_link_down("cut");
	restart(w);
	fake_link_up();
	step(w);
	assert_int_equal(gateway(w), 1);
	assert_int_equal(station_spool(w->station).records, 0);
	restart(w);
	fake_link_up();
	step(w);
	assert_int_equal(status_of(fake_link_nth("/status", 0)).acked_seq, w->committed);
	assert_int_equal(gateway(w), 0);
}

static void messages_that_are_no_acks_change_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	session(w);
	step(w);
	fake_link_message(BRANCH "ack", "\xff\xff", 2);
	fake_link_message(BRANCH "ack", "", 0);
	fake_link_message("gymfleet/v1/devices/gun-berlin-02/ack", "\xff\xff", 2);
	step(w);
	assert_int_equal(station_spool(w->station).records, 3);
	assert_int_equal(gateway(w), 1);
}

/* The disk is an older one: the gateway has records that this spool will write only now. */
static void i1_a_spool_that_went_back_tells_in_a_new_stream(void **state)
{
	struct world *w = *state;
	unsigned char buf[GF_ACK_MAX];
	struct gf_ack ack = {.through_seq = 500};
	size_t len;

	fake_link_up();
	step(w);
	ack.stream = status_of(fake_link_nth("/status", 0)).stream;
	session(w);
	session(w);
	step(w);
	fake_link->count = 0;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	fake_link_message(BRANCH "ack", buf, len);
	step(w);
	struct gf_status birth = status_of(fake_link_nth("/status", 0));
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_memory_not_equal(&birth.stream, &ack.stream, sizeof(ack.stream));
	assert_int_equal(birth.acked_seq, 0);
	w->committed = 0;
	assert_int_equal(gateway(w), 2);
	session(w);
	step(w);
	assert_int_equal(gateway(w), 1);
}

static void heartbeats_carry_the_connections(void **state)
{
	struct world *w = *state;
	struct gf_report *report;
	fake_link_up();
	beat(w);
	step(w);
	const struct fake_published *p = fake_link_nth("/report", 0);
	assert_non_null(p);
	assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
	assert_int_equal(report->records[1].heartbeat.link_connects, 1);
	free(report);
}

/* ---- a disk in trouble ---- */

static void i1_a_disk_that_fails_delays_sessions_and_loses_none(void **state)
{
	struct world *w = *state;
	fake_link_up();
	step(w);
	assert_int_equal(gateway(w), 0);
	disk_error = EIO;
	session(w);
	session(w);
	step(w);
	assert_null(fake_link_nth("/report", 0));
	/* Tried again, later and later. */
	for (int64_t wait_ms = 1000; wait_ms < 60000; wait_ms *= 2)
		pass(w, wait_ms);
	disk_error = 0;
	pass(w, 60000);
	step(w);
	assert_int_equal(gateway(w), 2);
	session(w);
	step(w);
	assert_int_equal(gateway(w), 1);
	restart(w);
	assert_int_equal(w->resume.odometer.sessions, 3);
	assert_int_equal(w->resume.odometer.motor_ms, 3000);
}

/* The file that failed to sync is closed at once; nothing that was acked comes again, nothing that was taken is lost. */
static void i1_a_failing_sync_is_not_tried_again_and_costs_nothing(void **state)
{
	struct world *w = *state;
	fake_link_up();
	session(w);
	step(w);
	assert_int_equal(gateway(w), 1);
	uint64_t acked = w->committed;
	sync_error = EIO;
	session(w);
	assert_int_equal(failed_syncs, 1);
	beat(w);
	session(w);
	pass(w, 900);
	assert_int_equal(syncs_after_failure, 0);
	sync_error = 0;
	pass(w, 100);
	step(w);
	struct gf_status birth = status_of(fake_link_nth("/status", 0));
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_int_equal(birth.acked_seq, acked);
	assert_int_equal(gateway(w), 2);
	step(w);
	assert_int_equal(station_spool(w->station).records, 0);
	restart(w);
	assert_int_equal(w->resume.odometer.sessions, 3);
}

static void i8_a_full_disk_keeps_sessions_and_counts_what_it_refuses(void **state)
{
	struct world *w = *state;
	disk_error = ENOSPC;
	session(w);
	for (int i = 0; i < 200; i++)
		beat(w);
	session(w);
	pass(w, 1000);
	assert_int_equal(station_spool(w->station).dropped, 204 - RECORDER_PENDING_MAX);
	disk_error = 0;
	pass(w, 1000);
	fake_link_up();
	step(w);
	assert_int_equal(gateway(w), 2);
	assert_int_equal(w->committed, 1 + RECORDER_PENDING_MAX);
}

static void a_station_that_does_not_open_says_why(void **state)
{
	struct world *w = *state, second = *w;
	struct gf_diag diag = {{0}};
	second.station = NULL;
	assert_int_equal(open_station(&second, false, &diag), -EBUSY);
	assert_non_null(strstr(diag.text, "another process"));
	assert_null(second.station);
}

static void without_a_link_it_only_records(void **state)
{
	struct world *w = *state;
	struct gf_diag diag = {{0}};
	station_free(w->station);
	w->station = NULL;
	assert_int_equal(open_station(w, false, &diag), 0);
	assert_null(fake_link);
	station_start(w->station);
	session(w);
	assert_true(step(w) <= w->now.mono_ms + 1000);
	assert_int_equal(station_spool(w->station).records, 3);
	assert_false(station_online(w->station));
	station_stop(w->station, w->now);
	assert_true(station_stopped(w->station));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_connection_begins_with_a_retained_birth),
	    TEST(a_birth_that_does_not_get_out_is_tried_again),
	    TEST(a_birth_that_is_due_does_not_hurry_the_end),
	    TEST(a_graceful_end_says_goodbye_and_nothing_more),
	    TEST(i1_what_happened_offline_arrives_when_the_link_is_there),
	    TEST(i1_an_ack_that_never_came_costs_nothing),
	    TEST(messages_that_are_no_acks_change_nothing),
	    TEST(i1_a_spool_that_went_back_tells_in_a_new_stream),
	    TEST(heartbeats_carry_the_connections),
	    TEST(i1_a_disk_that_fails_delays_sessions_and_loses_none),
	    TEST(i1_a_failing_sync_is_not_tried_again_and_costs_nothing),
	    TEST(i8_a_full_disk_keeps_sessions_and_counts_what_it_refuses),
	    TEST(a_station_that_does_not_open_says_why),
	    TEST(without_a_link_it_only_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
