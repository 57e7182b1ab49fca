/* What a restart must not forget: its bytes, its age, and that no crash parts it from the record that tells of it. */
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

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 3600 * 1000 };

/* ---- bytes ---- */

/* All that a machine can remember. */
static struct recorder_state full_state(void)
{
	struct recorder_state state = {.boot = 3, .next_fault_no = 9, .memory_wall_ms = 1767225600123};
	struct control_memory *memory = &state.memory;
	memory->duty_ms = 1800000;
	memory->resting = memory->motor_hot = memory->surface_hot = true;
	for (unsigned i = 0; i < MEMORY_STRIKES_COUNT; i++)
		for (unsigned k = 0; k < MEMORY_STRIKES; k++)
			memory->strike_left_ms[i][k] = 1000 * i + k + 1;
	memory->latched_count = MEMORY_LATCHED_MAX;
	for (unsigned i = 0; i < MEMORY_LATCHED_MAX; i++)
		memory->latched[i] = (struct memory_latched){GF_FAULT_STALL, UINT64_C(1) << 40 | i};
	for (unsigned i = 0; i < MEMORY_CLOSED_MAX; i++)
		memory->closed[i] = (struct memory_closed){GF_AREA_CALVES, GF_SIDE_LEFT, UINT64_MAX - i, DAY_MS - i};
	memory->sitting = (struct memory_sitting){
	    .token = 0x1122334455667788, .idle_ms = 599999, .open = true, .pain_presses = 2, .pain_left_ms = 240000};
	for (unsigned i = 0; i < MEMORY_GROUPS; i++)
		for (unsigned side = 0; side < 2; side++)
			for (unsigned kind = 0; kind < MEMORY_KINDS; kind++)
				memory->sitting.area_s[i][side][kind] = (uint16_t)(UINT16_MAX - 100 * i - 10 * side - kind);
	memory->staff_token = 0x99aabbccddeeff01;
	memory->staff_idle_ms = 899999;
	state.sealed = true;
	state.sealed_by = 0xfedcba98;
	return state;
}

static void expect_same(const struct control_memory *a, const struct control_memory *b)
{
	assert_int_equal(a->duty_ms, b->duty_ms);
	assert_int_equal(a->resting, b->resting);
	assert_int_equal(a->motor_hot, b->motor_hot);
	assert_int_equal(a->surface_hot, b->surface_hot);
	assert_memory_equal(a->strike_left_ms, b->strike_left_ms, sizeof(a->strike_left_ms));
	assert_int_equal(a->latched_count, b->latched_count);
	for (unsigned i = 0; i < a->latched_count; i++) {
		assert_int_equal(a->latched[i].code, b->latched[i].code);
		assert_int_equal(a->latched[i].fault_no, b->latched[i].fault_no);
	}
	for (unsigned i = 0; i < MEMORY_CLOSED_MAX; i++) {
		assert_int_equal(a->closed[i].area, b->closed[i].area);
		assert_int_equal(a->closed[i].side, b->closed[i].side);
		assert_int_equal(a->closed[i].token, b->closed[i].token);
		assert_int_equal(a->closed[i].left_ms, b->closed[i].left_ms);
	}
	assert_int_equal(a->sitting.token, b->sitting.token);
	assert_int_equal(a->sitting.idle_ms, b->sitting.idle_ms);
	assert_int_equal(a->sitting.open, b->sitting.open);
	assert_int_equal(a->sitting.pain_presses, b->sitting.pain_presses);
	assert_int_equal(a->sitting.pain_left_ms, b->sitting.pain_left_ms);
	assert_memory_equal(a->sitting.area_s, b->sitting.area_s, sizeof(a->sitting.area_s));
	assert_int_equal(a->staff_token, b->staff_token);
	assert_int_equal(a->staff_idle_ms, b->staff_idle_ms);
}

static struct recorder_state there_and_back(const struct recorder_state *state, size_t *ret_len)
{
	unsigned char buf[RECORDER_STATE_MAX];
	struct recorder_state back;
	assert_int_equal(recorder_state_encode(state, buf, sizeof(buf), ret_len), 0);
	unsigned char *exact = malloc(*ret_len);
	memcpy(exact, buf, *ret_len);
	assert_int_equal(recorder_state_decode(exact, *ret_len, &back), 0);
	free(exact);
	return back;
}

static void all_of_a_memory_survives_its_encoding(void **state)
{
	(void)state;
	struct recorder_state full = full_state();
	size_t len;
	struct recorder_state back = there_and_back(&full, &len);
	expect_same(&back.memory, &full.memory);
	assert_int_equal(back.memory_wall_ms, full.memory_wall_ms);
	assert_true(back.sealed && back.sealed_by == full.sealed_by);
	unsigned char buf[RECORDER_STATE_MAX];
	assert_int_equal(recorder_state_encode(&full, buf, sizeof(buf), &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		unsigned char *exact = malloc(cut + 1);
		memcpy(exact, buf, cut);
		assert_int_equal(recorder_state_decode(exact, cut, &back), -EINVAL);
		free(exact);
	}
}

/* The longest name, all faults, all memory and a session with every area: the spool takes it. */
static void the_largest_state_fits(void **state)
{
	(void)state;
	struct recorder_state full = full_state();
	struct gf_session_ended *ended = &full.checkpoint.session_ended;
	size_t len;
	memset(full.catalog, 'c', GF_NAME_MAX - 1);
	full.faults_count = RECORDER_FAULTS_MAX;
	for (unsigned i = 0; i < RECORDER_FAULTS_MAX; i++)
		full.faults[i] = (struct recorder_fault){UINT64_MAX, GF_FAULT_STORAGE, UINT64_MAX};
	full.in_session = true;
	full.checkpoint.kind = GF_RECORD_SESSION_ENDED;
	full.checkpoint.boot = full.checkpoint.uptime_ms = full.checkpoint.wall_ms = INT64_C(1) << 36;
	memset(ended->start.routine, 'r', GF_NAME_MAX - 1);
	memset(ended->start.catalog, 'c', GF_NAME_MAX - 1);
	ended->start.session_no = ended->start.subject_token = ended->start.staff_token = ended->motor_ms = INT64_C(1)
	                                                                                                    << 36;
	ended->odometer = (struct gf_odometer){INT64_C(1) << 36, INT64_C(1) << 36, INT64_C(1) << 36};
	ended->outcome = GF_OUTCOME_INTERRUPTED;
	ended->areas_count = GF_SESSION_AREAS_MAX;
	for (size_t i = 0; i < GF_SESSION_AREAS_MAX; i++)
		ended->areas[i] =
		    (struct gf_area_use){GF_AREA_LEGS, GF_SIDE_BOTH, GF_TECHNIQUE_WATER, UINT32_MAX, 33.3F, 66.6F};
	struct recorder_state back = there_and_back(&full, &len);
	expect_same(&back.memory, &full.memory);
	assert_int_equal(back.checkpoint.session_ended.areas_count, GF_SESSION_AREAS_MAX);
}

static void what_is_not_in_use_takes_no_room(void **state)
{
	(void)state;
	struct recorder_state bare = {.boot = 1, .memory_wall_ms = 5}, some = bare;
	size_t bare_len, len;
	there_and_back(&bare, &bare_len);
	assert_int_equal(bare_len, 76);
	some.memory.strike_left_ms[2][1] = 7;
	struct recorder_state back = there_and_back(&some, &len);
	expect_same(&back.memory, &some.memory);
	assert_int_equal(len, bare_len + 8 + 1 + 4 + (1 + 5) + 1 + 1 + 21);
	some = bare;
	some.memory.sitting.area_s[MEMORY_GROUPS - 1][1][MEMORY_KINDS - 1] = 90;
	back = there_and_back(&some, &len);
	expect_same(&back.memory, &some.memory);
}

static void version_1_is_read_and_remembers_nothing(void **state)
{
	(void)state;
	const struct recorder_state in = {.boot = 7, .odometer = {1, 2, 3}, .next_fault_no = 4, .catalog = "gun"};
	unsigned char buf[RECORDER_STATE_MAX];
	struct recorder_state out;
	size_t len;
	assert_int_equal(recorder_state_encode(&in, buf, sizeof(buf), &len), 0);
	assert_int_equal(buf[0], 3);
	buf[0] = 1; /* without a memory the bytes are the same */
	assert_int_equal(recorder_state_decode(buf, len, &out), 0);
	assert_int_equal(out.boot, 7);
	assert_int_equal(out.odometer.cycles, 3);
	assert_string_equal(out.catalog, "gun");
	expect_same(&out.memory, &(struct control_memory){0});
	buf[0] = 4;
	assert_int_equal(recorder_state_decode(buf, len, &out), -EINVAL);
}

/* Without somebody who holds the machine, and unsealed, the bytes are the same. */
static void version_2_is_read_and_nobody_holds_it(void **state)
{
	(void)state;
	struct recorder_state full = full_state(), out;
	unsigned char buf[RECORDER_STATE_MAX];
	size_t len;
	full.memory.staff_token = 0;
	full.memory.staff_idle_ms = 0;
	full.sealed = false;
	assert_int_equal(recorder_state_encode(&full, buf, sizeof(buf), &len), 0);
	buf[0] = 2;
	assert_int_equal(recorder_state_decode(buf, len, &out), 0);
	expect_same(&out.memory, &full.memory);
}

/* One who turned the key and waits is remembered by heartbeats alone. */
static void who_holds_it_is_worth_remembering(void **state)
{
	(void)state;
	const struct recorder_state idle = {.boot = 1};
	struct recorder_entry beat = {.record.kind = GF_RECORD_HEARTBEAT, .remembers = true};
	assert_false(recorder_state_changes(&idle, &beat));
	beat.memory.staff_token = 7;
	assert_true(recorder_state_changes(&idle, &beat));
}

static void a_memory_no_machine_has_is_refused(void **state)
{
	(void)state;
	struct recorder_state bad[3] = {full_state(), full_state(), full_state()}, out;
	unsigned char buf[RECORDER_STATE_MAX];
	size_t len;
	bad[0].memory.closed[1].area = GF_AREA_COUNT;
	bad[1].memory.closed[1].side = GF_SIDE_UNSPECIFIED;
	bad[2].memory.latched[1].code = GF_FAULT_COUNT;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(recorder_state_encode(&bad[i], buf, sizeof(buf), &len), 0);
		assert_int_equal(recorder_state_decode(buf, len, &out), -EINVAL);
	}
}

/* ---- over a restart ---- */

static void a_rest_comes_back_with_its_age(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(m->resume.off_ms, 0);
	assert_int_equal(machine_rests(m), 0);
	machine_stop(m);
	m->mono_ms += 10 * MINUTE_MS;
	assert_true(machine_start(m));
	assert_true(m->resume.memory.resting);
	assert_int_equal(m->resume.off_ms, 10 * MINUTE_MS);
	/* The start itself is no news: it doesn't make the memory younger. */
	machine_stop(m);
	m->mono_ms += MINUTE_MS;
	assert_true(machine_start(m));
	assert_int_equal(m->resume.off_ms, 11 * MINUTE_MS);
	machine_stop(m);
	m->mono_ms += INT64_C(5) * DAY_MS;
	assert_true(machine_start(m));
	assert_int_equal(m->resume.off_ms, 2 * DAY_MS);
}

static void without_a_clock_nothing_has_passed(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_rests(m), 0);
	machine_stop(m);
	m->mono_ms += 10 * MINUTE_MS;
	m->synced = false; /* now */
	assert_true(machine_start(m));
	assert_true(m->resume.memory.resting);
	assert_int_equal(m->resume.off_ms, 0);
	assert_int_equal(machine_rests(m), 0);
	machine_stop(m);
	m->mono_ms += 10 * MINUTE_MS;
	m->synced = true; /* but not then */
	assert_true(machine_start(m));
	assert_int_equal(m->resume.off_ms, 0);
	assert_int_equal(machine_rests(m), 0);
	machine_stop(m);
	m->mono_ms -= MINUTE_MS; /* set back */
	assert_true(machine_start(m));
	assert_int_equal(m->resume.off_ms, 0);
}

static bool state_remembers(struct machine *m, uint32_t duty_ms)
{
	struct recorder_state now;
	size_t len;
	const void *bytes = spool_state(m->spool, &len);
	assert_int_equal(recorder_state_decode(bytes, len, &now), 0);
	return now.memory.duty_ms == duty_ms;
}

/* Every minute is the price of a machine without a clock; one with nothing to forget doesn't pay it. */
static void heartbeats_keep_the_memory_while_there_is_one(void **state)
{
	struct machine *m = *state;
	const void *before, *after;
	size_t len;
	assert_true(machine_start(m));
	before = spool_state(m->spool, &len);
	assert_int_equal(machine_beats(m), 0);
	after = spool_state(m->spool, &len);
	assert_ptr_equal(before, after);
	m->memory.duty_ms = 5000;
	assert_int_equal(machine_beats(m), 0);
	assert_true(state_remembers(m, 5000));
	m->memory.duty_ms = 0;
	assert_int_equal(machine_beats(m), 0);
	assert_true(state_remembers(m, 0));
}

static void checkpoints_and_catalogs_keep_the_memory(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_begins(m), 0);
	m->memory.duty_ms = 5000;
	assert_int_equal(machine_goes_on(m), 0);
	assert_true(state_remembers(m, 5000));
	assert_int_equal(
	    recorder_catalog(m->recorder, &(struct gf_catalog_changed){.catalog = "chair", .version = 3}, machine_now(m)),
	    0);
	assert_true(state_remembers(m, 5000));
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(m->resume.memory.duty_ms, 5000);
	assert_true(state_remembers(m, 5000)); /* written again with the interrupted session */
}

static void what_is_latched_stays_open_until_staff_clears_it(void **state)
{
	struct machine *m = *state;
	assert_true(machine_start(m));
	assert_int_equal(machine_fails(m), 0);
	assert_int_equal(machine_latches(m), 0);
	assert_int_equal(machine_fails(m), 0);
	for (int restart = 0; restart < 2; restart++) {
		machine_stop(m);
		assert_true(machine_start(m));
		assert_int_equal(spool_next_seq(m->spool), 6); /* 1 and 3 were cleared, once */
		assert_int_equal(m->resume.memory.latched_count, 1);
		assert_int_equal(m->resume.memory.latched[0].fault_no, 2);
	}
	assert_int_equal(machine_record(m->spool, 4).fault_cleared.fault_no, 1);
	assert_int_equal(machine_record(m->spool, 5).fault_cleared.fault_no, 3);
	m->memory.latched_count = 0;
	const struct gf_fault_cleared cleared = {.fault_no = 2, .code = GF_FAULT_STALL, .by = GF_CLEARED_BY_STAFF};
	assert_int_equal(
	    machine_tell(m, (struct control_event){.kind = CONTROL_EVENT_FAULT_CLEARED, .fault_cleared = cleared}), 0);
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(spool_next_seq(m->spool), 7);
	assert_int_equal(m->resume.memory.latched_count, 0);
}

/* ---- what the disk refuses ---- */

/* What it kept back is for sessions and faults: heartbeats neither take it nor use it up, whatever they would have to say. */
static void heartbeats_leave_a_full_disks_reserve_alone(void **state)
{
	struct machine *m = *state;
	size_t waiting;
	assert_true(machine_start(m));
	m->t.space = 0;
	assert_int_equal(machine_begins(m), 0); /* takes the reserve */
	int64_t reserve = m->t.space;
	assert_true(reserve > 64 * 1024);
	for (unsigned i = 0; i < 2 * RECORDER_PENDING_MAX; i++) {
		m->memory.duty_ms += MINUTE_MS;
		assert_int_equal(machine_beats(m), 0);
	}
	assert_int_equal(m->t.space, reserve);
	assert_int_equal(spool_next_seq(m->spool), 2);
	m->t.space = INT64_MAX;
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(waiting, 0);
	assert_true(state_remembers(m, m->memory.duty_ms));
	machine_stop(m);
	assert_true(machine_start(m));
	assert_int_equal(recorder_dropped(m->recorder), RECORDER_PENDING_MAX);
	assert_int_equal(m->resume.memory.duty_ms, 2 * RECORDER_PENDING_MAX * MINUTE_MS);
}

/* The records wait, and so does what they lead to; nothing of it is on the disk before they are. */
static void what_waits_takes_its_memory_along(void **state)
{
	struct machine *m = *state;
	size_t waiting;
	assert_true(machine_start(m));
	m->t.space = 0;
	assert_int_equal(machine_begins(m), 0);
	m->t.space = 0;
	assert_int_equal(machine_rests(m), 0);
	assert_int_equal(machine_latches(m), 0);
	assert_true(state_remembers(m, 0));
	m->t.space = INT64_MAX;
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_true(state_remembers(m, 1));
	machine_stop(m);
	assert_true(machine_start(m));
	assert_true(m->resume.memory.resting);
	assert_int_equal(m->resume.memory.latched_count, 1);
}

/* The frame may have reached the disk though its sync failed: then its memory has too. */
static void a_sync_that_fails_forgets_nothing(void **state)
{
	struct machine *m = *state;
	size_t waiting;
	assert_true(machine_start(m));
	m->t.syncs = 0;
	m->t.fail_sync = 1;
	assert_int_equal(machine_rests(m), SPOOL_E_FAILED);
	machine_reopen(m);
	assert_int_equal(recorder_flush(m->recorder, &waiting), 0);
	assert_int_equal(spool_next_seq(m->spool), 2);
	assert_true(state_remembers(m, 1));
	machine_stop(m);
	assert_true(machine_start(m));
	assert_true(m->resume.memory.resting);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_of_a_memory_survives_its_encoding),
	    cmocka_unit_test(the_largest_state_fits),
	    cmocka_unit_test(what_is_not_in_use_takes_no_room),
	    cmocka_unit_test(version_1_is_read_and_remembers_nothing),
	    cmocka_unit_test(version_2_is_read_and_nobody_holds_it),
	    cmocka_unit_test(who_holds_it_is_worth_remembering),
	    cmocka_unit_test(a_memory_no_machine_has_is_refused),
	    TEST(a_rest_comes_back_with_its_age),
	    TEST(without_a_clock_nothing_has_passed),
	    TEST(heartbeats_keep_the_memory_while_there_is_one),
	    TEST(checkpoints_and_catalogs_keep_the_memory),
	    TEST(what_is_latched_stays_open_until_staff_clears_it),
	    TEST(heartbeats_leave_a_full_disks_reserve_alone),
	    TEST(what_waits_takes_its_memory_along),
	    TEST(a_sync_that_fails_forgets_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
