/* Each phase, its way out by time alone, and what the gateway hears of it (I9). Nobody is on the machine but where it says so. */
#include "tests/unit/agent/catalog/rig.h"

#include <string.h>

enum { WITHIN = 30 * RIG_MINUTE };

static void assert_ended(struct rig *rig, enum gf_desired_step step, enum gf_refusal refusal)
{
	rig_assert_answer(rig, 1, step, refusal);
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	assert_int_equal(rig->due_ms, INT64_MAX);
}

/* ---- a row for each phase ---- */

static void to_idle(struct lab *lab)
{
	rig_desire_none(&lab->rig, 1);
}

static void to_fetching(struct lab *lab)
{
	rig_desire(&lab->rig, 1, &lab->six, WITHIN);
}

static void to_waiting(struct lab *lab)
{
	rig_sit(&lab->rig);
	to_fetching(lab);
	rig_deliver(&lab->rig, &lab->six);
}

static void to_switching(struct lab *lab)
{
	lab->rig.stuck = true;
	to_fetching(lab);
	rig_deliver(&lab->rig, &lab->six);
}

static void to_trial(struct lab *lab)
{
	to_fetching(lab);
	rig_deliver(&lab->rig, &lab->six);
}

static const struct {
	enum update_phase phase;
	void (*go)(struct lab *lab);
	int64_t within_ms; /* it is over then */
	enum gf_desired_step step;
	enum gf_refusal refusal;
} rows[] = {
    [UPDATE_IDLE] = {UPDATE_IDLE, to_idle, 0, GF_DESIRED_STEP_APPLIED, GF_REFUSAL_UNSPECIFIED},
    [UPDATE_FETCHING] = {UPDATE_FETCHING, to_fetching, UPDATE_FETCH_MS, GF_DESIRED_STEP_REFUSED,
                         GF_REFUSAL_NOT_DELIVERED},
    [UPDATE_WAITING] = {UPDATE_WAITING, to_waiting, WITHIN, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE},
    [UPDATE_SWITCHING] = {UPDATE_SWITCHING, to_switching, UPDATE_SWITCH_MS, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE},
    [UPDATE_TRIAL] = {UPDATE_TRIAL, to_trial, UPDATE_TRIAL_MS, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED},
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == UPDATE_TRIAL + 1, "each phase has a row");

static void i9_every_phase_ends_by_time_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *fresh = NULL;
		assert_int_equal(lab_setup(&fresh), 0);
		struct lab *lab = fresh;
		struct rig *rig = &lab->rig;
		rows[i].go(lab);
		assert_int_equal(update_phase(rig->update), rows[i].phase);
		if (rows[i].within_ms > 1) {
			rig_pass(rig, rows[i].within_ms - 1);
			assert_int_equal(update_phase(rig->update), rows[i].phase);
			rig_pass(rig, 1);
		}
		rig->stuck = false;
		rig_pass(rig, 2 * RIG_SECOND); /* the control core has what it should */
		assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
		rig_assert_answer(rig, 1, rows[i].step, rows[i].refusal);
		lab_teardown(&fresh);
	}
}

/* And the same with a restart every now and then: time that is over stays so. */
static void i9_restarts_begin_nothing_anew(void **state)
{
	(void)state;
	for (size_t i = UPDATE_WAITING; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *fresh = NULL;
		assert_int_equal(lab_setup(&fresh), 0);
		struct lab *lab = fresh;
		struct rig *rig = &lab->rig;
		rows[i].go(lab);
		const bool in_use = rig->in_session;
		rig->stuck = false;
		int64_t up = 0;
		for (; !rig->applied_count || rig_last(rig)->step < GF_DESIRED_STEP_CONFIRMED; up += 20 * RIG_SECOND) {
			assert_true(up < WITHIN + RIG_MINUTE);
			update_stop(rig->update);
			rig_close(rig);
			assert_int_equal(rig_open(rig), 0);
			if (in_use)
				rig_sit(rig);
			rig_pass(rig, 20 * RIG_SECOND);
		}
		lab_teardown(&fresh);
	}
}

/* An agent that ends again and again without a word does not begin anew for ever. */
static void i9_crashes_cost_of_the_time_too(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	int crashes = 0;
	to_waiting(lab);
	for (; rig_last(rig)->step < GF_DESIRED_STEP_CONFIRMED; crashes++) {
		assert_true(crashes <= WITHIN / UPDATE_KEEP_MS);
		rig_close(rig);
		assert_int_equal(rig_open_in_use(rig), 0);
		rig_pass(rig, RIG_SECOND);
	}
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE);
	assert_int_equal(rig_active(rig), 5);
}

/* ---- the network ---- */

static void i9_fetching_ends_when_the_time_is_over(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_desire(rig, 1, &lab->six, 3 * RIG_MINUTE);
	rig_pass(rig, 3 * RIG_MINUTE - 1);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	rig_pass(rig, 1);
	assert_ended(rig, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_NOT_DELIVERED);
}

static void an_offline_machine_catches_up(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_desire(rig, 1, &lab->six, 3 * RIG_MINUTE);
	rig_pass(rig, 30 * RIG_SECOND);
	rig_link(rig, false);
	rig_pass(rig, 48 * (int64_t)RIG_HOUR);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	rig_link(rig, true);
	rig_pass(rig, 29 * RIG_SECOND);
	rig_deliver(rig, &lab->six);
	assert_int_equal(rig_active(rig), 6);
}

static void i9_but_not_for_ever(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_desire(rig, 1, &lab->six, 3 * RIG_MINUTE);
	rig_link(rig, false);
	rig_pass(rig, 48 * (int64_t)RIG_HOUR);
	rig_link(rig, true);
	rig_pass(rig, UPDATE_ONLINE_MS - 1);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	rig_pass(rig, 1);
	assert_ended(rig, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_NOT_DELIVERED);
}

/* A network that is there for a second at a time is a network that is there for a minute some day. */
static void i9_a_flapping_link_is_counted(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_desire(rig, 1, &lab->six, 3 * RIG_MINUTE);
	for (int i = 0; i < 200 && update_phase(rig->update) == UPDATE_FETCHING; i++) {
		rig_link(rig, false);
		rig_pass(rig, RIG_MINUTE);
		rig_link(rig, true);
		rig_pass(rig, RIG_SECOND);
	}
	assert_ended(rig, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_NOT_DELIVERED);
}

/* ---- people ---- */

static void i9_waiting_has_a_day_where_nothing_is_said(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_sit(rig);
	rig_desire(rig, 1, &lab->six, 0);
	rig_deliver(rig, &lab->six);
	rig_pass(rig, GF_DESIRED_WITHIN_MS - 1);
	assert_int_equal(update_phase(rig->update), UPDATE_WAITING);
	rig_pass(rig, 1);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE);
	assert_string_equal(rig_last(rig)->detail, "the machine was in use all the time there was");
}

/* Somebody sat down between two breaths: the control core takes it when they rise. */
static void a_session_that_begins_in_a_switch_is_waited_for(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	to_switching(lab);
	rig_sit(rig);
	rig_pass(rig, 20 * RIG_MINUTE);
	assert_int_equal(update_phase(rig->update), UPDATE_SWITCHING);
	rig->stuck = false;
	rig_rise(rig, GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_active(rig), 6);
}

/* ---- behind a trial ---- */

static void i9_an_order_behind_a_trial_has_its_own_end(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_desire(rig, 2, &lab->seven, 5 * RIG_MINUTE);
	rig_pass(rig, 5 * RIG_MINUTE);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE);
	assert_string_equal(rig_last(rig)->detail, "another catalog was still on trial when its time was over");
	rig_pass(rig, UPDATE_TRIAL_MS);
	assert_int_equal(rig->fetches, 1);
}

/* A control core that never says anything again: nothing that was ordered stays open. */
static void i9_nothing_stays_open_behind_a_dead_control_core(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig->stuck = true;
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_pass(rig, UPDATE_SWITCH_MS + RIG_SECOND);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_FAULTS);
	rig_desire(rig, 2, &lab->seven, 5 * RIG_MINUTE);
	rig_pass(rig, 5 * RIG_MINUTE);
	assert_int_equal(rig_last(rig)->revision, 2);
	assert_int_equal(rig_last(rig)->step, GF_DESIRED_STEP_REFUSED);
	/* The next start plays what the disk says. */
	assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(rig_active(rig), 5);
}

#define ENDS_TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i9_every_phase_ends_by_time_alone),
	    cmocka_unit_test(i9_restarts_begin_nothing_anew),
	    ENDS_TEST(i9_crashes_cost_of_the_time_too),
	    ENDS_TEST(i9_fetching_ends_when_the_time_is_over),
	    ENDS_TEST(an_offline_machine_catches_up),
	    ENDS_TEST(i9_but_not_for_ever),
	    ENDS_TEST(i9_a_flapping_link_is_counted),
	    ENDS_TEST(i9_waiting_has_a_day_where_nothing_is_said),
	    ENDS_TEST(a_session_that_begins_in_a_switch_is_waited_for),
	    ENDS_TEST(i9_an_order_behind_a_trial_has_its_own_end),
	    ENDS_TEST(i9_nothing_stays_open_behind_a_dead_control_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
