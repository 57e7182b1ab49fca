/* The recorder on a healthy disk: what it writes, and the bytes of its state. What ends it early is in recorder_crash_test.c. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/recorder_state.h"
#include "proto/codec.h"
#include "tests/unit/agent/recorder_rig.h"

/* ---- on a healthy disk ---- */

static void a_session_is_recorded_with_its_odometer(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(recorder_boot(m->recorder), 1);
	assert_int_equal(m->resume.next_fault_no, 1);
	m->mono_ms += 1000;
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	assert_int_equal(machine_ends(m), 0);
	assert_int_equal(spool_next_seq(m->spool), 3);

	struct gf_record started = machine_record(m->spool, 1), ended = machine_record(m->spool, 2);
	assert_int_equal(started.kind, GF_RECORD_SESSION_STARTED);
	assert_int_equal(started.session_started.session_no, 1);
	assert_int_equal(ended.kind, GF_RECORD_SESSION_ENDED);
	assert_int_equal(ended.boot, 1);
	assert_int_equal(ended.uptime_ms, 6040);
	assert_int_equal(ended.wall_ms, RIG_DAY_ONE_MS + 6040);
	assert_true(ended.clock_synced);
	assert_int_equal(ended.session_ended.started_boot, 1);
	assert_int_equal(ended.session_ended.started_uptime_ms, 1000);
	assert_int_equal(ended.session_ended.started_wall_ms, RIG_DAY_ONE_MS + 1000);
	assert_int_equal(ended.session_ended.motor_ms, 5040);
	assert_int_equal(ended.session_ended.odometer.motor_ms, 5040);
	assert_int_equal(ended.session_ended.odometer.sessions, 1);
	assert_int_equal(recorder_odometer(m->recorder).motor_ms, 5040);

	/* Started in order again: nothing was open, nothing is made up. */
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(recorder_boot(m->recorder), 2);
	assert_int_equal(m->resume.odometer.motor_ms, 5040);
	assert_int_equal(m->resume.odometer.sessions, 1);
	assert_int_equal(spool_next_seq(m->spool), 3);
}

static void the_hour_meter_is_told_as_of_the_odometer(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 77000);
	m->mono_ms += 1000;
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 77000); /* the odometer doesn't have the session yet */
	assert_int_equal(machine_ends(m), 0);
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 77000 + 5040);

	/* Another one that is behind the odometer; one that can't be. */
	machine_stop(m);
	m->meter.motor_ms = 40;
	assert_true(machine_start(m));
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 40);
	machine_stop(m);
	m->meter.motor_ms = UINT64_MAX / 2;
	assert_true(machine_start(m));
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 0);
}

static void a_machine_without_an_hour_meter_tells_of_none(void **state)
{
	struct machine *m = *state;
	m->meter = (struct recorder_meter){.present = false};
	assert_true(machine_start(m));
	assert_int_equal(recorder_hour_meter_ms(m->recorder), 0);
}

static void heartbeats_carry_spool_and_link(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_beats(m), 0);
	assert_int_equal(machine_beats(m), 0);
	struct gf_record beat = machine_record(m->spool, 2);
	assert_int_equal(beat.heartbeat.interval_ms, 60000);
	assert_int_equal(beat.heartbeat.spool_records, 1);
	assert_true(beat.heartbeat.spool_bytes > 0);
	assert_int_equal(beat.heartbeat.link_connects, 3);
	assert_int_equal(beat.heartbeat.tick_p99_us, 90);
}

static void a_catalog_is_recorded_and_remembered(void **state)
{
	struct machine *m = *state;
	const struct gf_catalog_changed changed = {.catalog = "chair",
	                                           .version = 3,
	                                           .previous_version = 2,
	                                           .cause = GF_CATALOG_CAUSE_OVER_THE_AIR,
	                                           .digest.bytes = {1, 2, 3}};
	const char *name = NULL;
	assert_true(machine_start(m));
	assert_int_equal(recorder_catalog_version(m->recorder, &name), 0);
	assert_string_equal(name, "");
	assert_int_equal(recorder_catalog(m->recorder, &changed, machine_now(m)), 0);
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(recorder_catalog_version(m->recorder, &name), 3);
	assert_string_equal(name, "chair");
	assert_int_equal(spool_next_seq(m->spool), 2);
	const struct gf_record record = machine_record(m->spool, 1);
	assert_int_equal(record.kind, GF_RECORD_CATALOG_CHANGED);
	assert_int_equal(record.catalog_changed.previous_version, 2);
	assert_int_equal(record.catalog_changed.cause, GF_CATALOG_CAUSE_OVER_THE_AIR);
	assert_memory_equal(&record.catalog_changed.digest, &changed.digest, sizeof(changed.digest));
}

static void how_far_it_is_with_what_is_desired_is_recorded(void **state)
{
	struct machine *m = *state;
	const struct gf_desired_applied applied = {.revision = 7,
	                                           .step = GF_DESIRED_STEP_REFUSED,
	                                           .refusal = GF_REFUSAL_EXPIRED,
	                                           .detail = "it has expired",
	                                           .catalog = "chair",
	                                           .version = 9,
	                                           .digest.bytes = {9}};
	assert_true(machine_start(m));
	assert_int_equal(recorder_desired(m->recorder, &applied, machine_now(m)), 0);
	const struct gf_record record = machine_record(m->spool, 1);
	assert_int_equal(record.kind, GF_RECORD_DESIRED_APPLIED);
	assert_int_equal(record.desired_applied.revision, 7);
	assert_int_equal(record.desired_applied.refusal, GF_REFUSAL_EXPIRED);
	assert_string_equal(record.desired_applied.detail, "it has expired");
}

/* ---- the state's bytes ---- */

static void the_state_survives_its_encoding(void **state)
{
	(void)state;
	struct recorder_state in = {
	    .boot = 7,
	    .odometer = {1000, 2, 3},
	    .next_fault_no = 9,
	    .dropped = 4,
	    .catalog = "gun",
	    .catalog_version = 12,
	    .has_meter = true,
	    .meter_motor_ms = UINT64_MAX - 5,
	    .faults_count = 1,
	    .faults = {{8, GF_FAULT_STALL, 99}},
	};
	const struct recorder_entry started = {
	    .record = {
	        .boot = 7, .uptime_ms = 50, .kind = GF_RECORD_SESSION_STARTED, .session_started = {.session_no = 3}}};
	recorder_state_apply(&in, &started);
	unsigned char buf[RECORDER_STATE_MAX];
	size_t len;
	struct recorder_state out;
	assert_int_equal(recorder_state_encode(&in, buf, sizeof(buf), &len), 0);
	assert_int_equal(recorder_state_decode(buf, len, &out), 0);
	assert_int_equal(out.boot, 7);
	assert_int_equal(out.odometer.cycles, 3);
	assert_int_equal(out.next_fault_no, 9);
	assert_int_equal(out.dropped, 4);
	assert_string_equal(out.catalog, "gun");
	assert_int_equal(out.catalog_version, 12);
	assert_true(out.has_meter && out.in_session);
	assert_true(out.meter_motor_ms == UINT64_MAX - 5);
	assert_int_equal(out.faults_count, 1);
	assert_int_equal(out.faults[0].raised_wall_ms, 99);
	assert_int_equal(out.checkpoint.session_ended.start.session_no, 3);
	assert_int_equal(out.checkpoint.session_ended.odometer.sessions, 3);
	for (size_t cut = 0; cut < len; cut++) {
		struct recorder_state untouched = {.boot = 1};
		unsigned char *exact = malloc(cut + 1);
		memcpy(exact, buf, cut);
		if (recorder_state_decode(exact, cut, &untouched) != 0)
			assert_int_equal(untouched.boot, 1);
		free(exact);
		assert_int_equal(recorder_state_encode(&in, buf, cut, &(size_t){0}), -ENOSPC);
		assert_int_equal(recorder_state_encode(&in, buf, sizeof(buf), &len), 0);
	}
}

static void a_state_of_another_version_is_refused_with_a_remedy(void **state)
{
	struct machine *m = *state;
	struct gf_diag diag = {{0}};
	const unsigned char other = 99;
	m->spool = model_open(&m->t, RIG_SPOOL_BYTES);
	assert_int_equal(spool_append(m->spool, NULL, 0, &other, 1), 0);
	assert_int_equal(recorder_open(m->spool, &m->meter, m->subjects, machine_now(m), &m->recorder, &m->resume, &diag),
	                 -EINVAL);
	assert_non_null(strstr(diag.text, "install"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_hour_meter_is_told_as_of_the_odometer),   TEST(a_machine_without_an_hour_meter_tells_of_none),
	    TEST(a_session_is_recorded_with_its_odometer),     TEST(heartbeats_carry_spool_and_link),
	    TEST(a_catalog_is_recorded_and_remembered),        TEST(how_far_it_is_with_what_is_desired_is_recorded),
	    cmocka_unit_test(the_state_survives_its_encoding), TEST(a_state_of_another_version_is_refused_with_a_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
