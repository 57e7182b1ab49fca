/* The recorder after everything that ends it early: kills at any byte, a full disk, a disk that fails, a damaged spool. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/faults.h"
#include "tests/unit/agent/recorder_rig.h"

/* ---- after a crash ---- */

static void i1_an_interrupted_session_is_reported_once_with_the_meters_time(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	m->meter.motor_ms += 3000; /* since the checkpoint */
	machine_stop(m);
	m->mono_ms = 0; /* another boot of the machine */
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 3);
	struct gf_record ended = machine_record(m->spool, 2);
	assert_int_equal(ended.session_ended.outcome, GF_OUTCOME_INTERRUPTED);
	assert_int_equal(ended.session_ended.start.session_no, 1);
	assert_string_equal(ended.session_ended.start.routine, "calves");
	assert_int_equal(ended.session_ended.motor_ms, 8040);
	assert_int_equal(ended.session_ended.duration_ms, 8040);
	assert_int_equal(ended.boot, 1);
	assert_int_equal(ended.uptime_ms, 5040);
	assert_int_equal(m->resume.odometer.motor_ms, 8040);
	assert_int_equal(m->resume.odometer.sessions, 1);
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 3);
}

static void i1_without_a_meter_the_checkpoint_counts(void **state)
{
	struct machine *m = *state;
	m->meter.present = false;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(machine_record(m->spool, 2).session_ended.motor_ms, 5040);
	assert_int_equal(m->resume.odometer.motor_ms, 5040);
	assert_int_equal(m->resume.odometer.cycles, 1);
}

static void i1_motor_time_nobody_recorded_becomes_a_session(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	machine_stop(m);
	m->meter.motor_ms += 1500;
	m->meter.cycles += 30;
	assert_true(machine_start(m));
	struct gf_record ended = machine_record(m->spool, 1);
	assert_int_equal(ended.kind, GF_RECORD_SESSION_ENDED);
	assert_string_equal(ended.session_ended.start.routine, "");
	assert_int_equal(ended.session_ended.start.session_no, 1);
	assert_int_equal(ended.session_ended.outcome, GF_OUTCOME_INTERRUPTED);
	assert_int_equal(ended.session_ended.motor_ms, 1500);
	assert_int_equal(ended.session_ended.odometer.motor_ms, 1500);
	assert_int_equal(ended.session_ended.odometer.cycles, 30);
}

static void a_meter_that_was_exchanged_begins_a_new_scale(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_ends(m), 0);
	machine_stop(m);
	m->meter.motor_ms = m->meter.cycles = 0;
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 3);
	assert_int_equal(m->resume.odometer.motor_ms, 40);
	machine_stop(m);
	m->meter.motor_ms = 700;
	assert_true(machine_start(m));
	assert_int_equal(machine_record(m->spool, 3).session_ended.motor_ms, 700);
	assert_int_equal(m->resume.odometer.motor_ms, 740);
}

/* One wrong reading at the start must not stay in the odometer for good: everything after it would break the protocol's limits. */
static void i1_a_meter_that_leaps_is_another_meter(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	machine_stop(m);
	m->meter.motor_ms += UINT64_C(1) << 52;
	m->meter.cycles += UINT64_C(1) << 52;
	assert_true(machine_start(m));
	assert_int_equal(machine_record(m->spool, 2).session_ended.motor_ms, 5040);
	assert_int_equal(m->resume.odometer.motor_ms, 5040);
	assert_int_equal(m->resume.odometer.cycles, 1);
	machine_stop(m);
	m->meter.motor_ms += 700;
	assert_true(machine_start(m));
	assert_int_equal(machine_record(m->spool, 3).session_ended.motor_ms, 700);
	assert_int_equal(m->resume.odometer.motor_ms, 5740);
	machine_stop(m);
	m->meter.motor_ms += UINT64_C(1) << 52; /* at rest */
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 4);
}

static void a_restart_clears_open_faults(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_fails(m), 0);
	assert_int_equal(machine_fails(m), 0);
	assert_int_equal(machine_tell(m, (struct control_event){.kind = CONTROL_EVENT_FAULT_CLEARED,
	                                                        .fault_cleared = {.fault_no = 1,
	                                                                          .code = GF_FAULT_ESTOP,
	                                                                          .by = GF_CLEARED_BY_STAFF}}),
	                 0);
	m->mono_ms += 9000;
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 5);
	struct gf_record cleared = machine_record(m->spool, 4);
	assert_int_equal(cleared.fault_cleared.fault_no, 2);
	assert_int_equal(cleared.fault_cleared.by, GF_CLEARED_BY_RESTART);
	assert_int_equal(cleared.fault_cleared.lasted_ms, 9000);
	assert_int_equal(m->resume.next_fault_no, 3);
}

/* Everything that can be wrong at once: none of it stays open for ever. */
static void i9_a_restart_clears_as_many_faults_as_there_can_be(void **state)
{
	struct machine *m = *state;
	unsigned cleared = 0;
	assert_true(machine_start(m));
	for (unsigned i = 0; i < FAULT_RULES_MAX; i++)
		assert_int_equal(machine_fails(m), 0);
	machine_stop(m);
	assert_true(machine_start(m));
	for (uint64_t seq = 1; seq < spool_next_seq(m->spool); seq++)
		cleared += machine_record(m->spool, seq).kind == GF_RECORD_FAULT_CLEARED ? 1 : 0;
	assert_int_equal(cleared, FAULT_RULES_MAX);
}

/*
 * Two lives that end after `life` of what the disk is asked for, the second one half as long and begun by the recovery of the first;
 * then everything must add up. With `power` the disk loses what was not synced. Returns what the first life asked for.
 */
static int64_t die_twice(int64_t life, struct gf_prng *power)
{
	struct machine m;
	machine_init(&m);
	m.meter.cycles = 0;
	uint64_t begin_ms = m.meter.motor_ms;
	assert_true(machine_start(&m));
	m.t.spent = 0;
	m.t.life = life;
	machine_lives(&m);
	int64_t spent = m.t.spent;
	machine_stop(&m);
	if (power != NULL)
		trap_power_cut(&m.t, power);
	trap_revive(&m.t);
	m.t.life = life == INT64_MAX ? life : life / 2;
	if (machine_start(&m))
		machine_lives(&m);
	machine_stop(&m);
	if (power != NULL)
		trap_power_cut(&m.t, power);
	trap_revive(&m.t);
	assert_true(machine_start(&m));
	machine_check(&m, begin_ms);
	machine_deinit(&m);
	return spent;
}

static void i1_killed_at_any_byte_sessions_add_up_to_the_meter(void **state)
{
	(void)state;
	int64_t whole = die_twice(INT64_MAX, NULL);
	assert_true(whole > 1000);
	for (int64_t life = 0; life < whole; life += 3)
		die_twice(life, NULL);
}

static void i1_without_power_at_any_byte_sessions_add_up_to_the_meter(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 31);
	int64_t whole = die_twice(INT64_MAX, &prng);
	for (int64_t life = 1; life < whole; life += 3)
		die_twice(life, &prng);
}

/* ---- on a full disk, and on one that fails ---- */

static void what_a_full_disk_refused_is_written_later_in_order(void **state)
{
	struct machine *m = *state;
	size_t waiting = 0;
	assert_true(machine_start(m));
	m->t.space = 0;
	/* The reserve carries it a while; then even that is full. */
	assert_int_equal(machine_begins(m), 0);
	m->t.space = 0;
	for (int i = 0; i < 10; i++)
		assert_int_equal(machine_beats(m), 0);
	assert_int_equal(machine_goes_on(m), 0);
	assert_int_equal(machine_ends(m), 0);
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, 11);
	assert_int_equal(spool_next_seq(m->spool), 2);
	assert_int_equal(recorder_odometer(m->recorder).sessions, 1);

	/* Killed now, the session is interrupted and its time is the meter's; but the disk is emptied in time. */
	m->t.space = INT64_MAX;
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, 0);
	assert_int_equal(spool_next_seq(m->spool), 13);
	assert_int_equal(machine_record(m->spool, 12).session_ended.outcome, GF_OUTCOME_COMPLETED);
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 13);
}

static void i8_what_waits_is_bounded_and_heartbeats_give_way(void **state)
{
	struct machine *m = *state;
	size_t waiting = 0;
	assert_true(machine_start(m));
	m->t.space = 0;
	assert_int_equal(machine_begins(m), 0); /* takes the reserve */
	m->t.space = 0;
	for (int i = 0; i < 100; i++)
		assert_int_equal(machine_beats(m), 0);
	assert_int_equal(machine_ends(m), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(machine_fails(m), 0);
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, RECORDER_PENDING_MAX);
	assert_int_equal(recorder_dropped(m->recorder), 100 + 31 - RECORDER_PENDING_MAX);
	m->t.space = INT64_MAX;
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, 0);
	assert_int_equal(machine_beats(m), 0);
	assert_int_equal(machine_record(m->spool, spool_next_seq(m->spool) - 1).heartbeat.spool_dropped, 100 + 31 - 64);
	/* The count survives. */
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(recorder_dropped(m->recorder), 100 + 31 - RECORDER_PENDING_MAX);
	assert_int_equal(m->resume.next_fault_no, 31);
}

/* The sync fails, but the record may be there: after the reopening it is there once. The machine never stopped. */
static void i1_a_sync_that_fails_duplicates_nothing(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 8; nth++) {
		for (int write = 0; write < 2; write++) {
			struct machine m;
			size_t waiting = 0;
			machine_init(&m);
			uint64_t begin_ms = m.meter.motor_ms;
			assert_true(machine_start(&m));
			m.t.syncs = m.t.writes = 0;
			m.t.fail_sync = write ? 0 : nth;
			m.t.fail_write = write ? nth : 0;
			int failures = 0;
			for (int i = 0; i < 4; i++) {
				failures += machine_begins(&m) == SPOOL_E_FAILED ? 1 : 0;
				failures += machine_goes_on(&m) == SPOOL_E_FAILED ? 1 : 0;
				failures += machine_ends(&m) == SPOOL_E_FAILED ? 1 : 0;
				if (failures > 0)
					machine_reopen(&m);
				assert_int_equal(recorder_flush(m.recorder, &waiting), 0);
				assert_int_equal(waiting, 0);
				failures = 0;
			}
			machine_stop(&m);
			assert_true(machine_start(&m));
			machine_check(&m, begin_ms);
			machine_deinit(&m);
		}
	}
}

/* The disk fails for so long that the queue overflows; what was being written when it failed turns out to be there. */
static void i1_a_long_failure_loses_no_session_to_what_was_under_way(void **state)
{
	struct machine *m = *state;
	size_t waiting = 0, sessions = 0;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	m->t.syncs = 0;
	m->t.fail_sync = 1;
	assert_int_equal(machine_beats(m), SPOOL_E_FAILED);
	recorder_set_spool(m->recorder, NULL);
	assert_int_equal(machine_ends(m), 0);
	for (int i = 0; i < RECORDER_PENDING_MAX; i++)
		assert_int_equal(machine_beats(m), 0);
	machine_reopen(m);
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, 0);
	for (uint64_t seq = 1; seq < spool_next_seq(m->spool); seq++)
		sessions += machine_record(m->spool, seq).kind == GF_RECORD_SESSION_ENDED ? 1 : 0;
	assert_int_equal(sessions, 1);
	assert_int_equal(recorder_dropped(m->recorder), 2);
	assert_int_equal(spool_next_seq(m->spool), 1 + 1 + RECORDER_PENDING_MAX);
}

static void a_damaged_spool_costs_records_but_not_the_odometer(void **state)
{
	struct machine *m = *state;
	char path[160];
	assert_true(machine_start(m));
	machine_lives(m);
	assert_int_equal(m->last_error, 0);
	uint64_t motor_ms = m->resume.odometer.motor_ms;
	machine_stop(m);
	trap_nth(&m->t, ".seg", 0, path);
	trap_flip(path, 100, 0);
	assert_true(machine_start(m));
	assert_true(spool_stats(m->spool).recreated);
	assert_int_equal(m->resume.odometer.motor_ms, motor_ms);
	assert_int_equal(m->resume.odometer.sessions, 2);
	assert_int_equal(recorder_boot(m->recorder), 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(i1_an_interrupted_session_is_reported_once_with_the_meters_time),
	    TEST(i1_without_a_meter_the_checkpoint_counts),
	    TEST(i1_motor_time_nobody_recorded_becomes_a_session),
	    TEST(a_meter_that_was_exchanged_begins_a_new_scale),
	    TEST(i1_a_meter_that_leaps_is_another_meter),
	    TEST(a_restart_clears_open_faults),
	    TEST(i9_a_restart_clears_as_many_faults_as_there_can_be),
	    cmocka_unit_test(i1_killed_at_any_byte_sessions_add_up_to_the_meter),
	    cmocka_unit_test(i1_without_power_at_any_byte_sessions_add_up_to_the_meter),
	    TEST(what_a_full_disk_refused_is_written_later_in_order),
	    TEST(i8_what_waits_is_bounded_and_heartbeats_give_way),
	    cmocka_unit_test(i1_a_sync_that_fails_duplicates_nothing),
	    TEST(i1_a_long_failure_loses_no_session_to_what_was_under_way),
	    TEST(a_damaged_spool_costs_records_but_not_the_odometer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
