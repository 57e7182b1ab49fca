/* What happens to a catalog that has just been switched to: confirmed, or back. */
#include "tests/unit/agent/catalog/rig.h"

#include <stdio.h>
#include <string.h>

static void assert_back(const struct rig *rig, uint64_t version)
{
	assert_int_equal(rig_active(rig), version);
	assert_false(update_on_trial(rig->update));
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	assert_int_equal(rig->changed[rig->changed_count - 1].cause, GF_CATALOG_CAUSE_ROLLED_BACK);
	assert_int_equal(rig->changed[rig->changed_count - 1].version, version);
}

/* ---- crashes ---- */

static void three_crashes_roll_back_by_themselves(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	for (int i = 0; i < UPDATE_TRIAL_CRASHES - 1; i++) {
		assert_int_equal(rig_crash(rig), 0);
		assert_int_equal(rig_active(rig), 6);
	}
	assert_int_equal(rig_crash(rig), 0);
	assert_back(rig, 5);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_CRASHED);
	assert_non_null(strstr(rig_last(rig)->detail, "3 times"));
	/* For good. */
	rig_desire(rig, 2, &lab->six, 0);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_ROLLED_BACK);
	assert_int_equal(rig->fetches, 1);
	rig_install(rig, 3, &lab->seven);
}

/* It may be the reading itself that ends the agent. */
static void the_start_after_the_third_crash_does_not_read_it(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	char path[128];
	rig_install(rig, 1, &lab->six);
	for (int i = 0; i < UPDATE_TRIAL_CRASHES - 1; i++)
		assert_int_equal(rig_crash(rig), 0);
	snprintf(path, sizeof(path), "%s/catalog/a.catalog", rig->dir);
	assert_int_equal(remove(path), 0);
	assert_int_equal(rig_crash(rig), 0);
	assert_back(rig, 5);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_CRASHED);
}

static void graceful_restarts_are_no_crashes(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	for (int i = 0; i < 10; i++) {
		rig_pass(rig, RIG_SECOND);
		rig_restart(rig);
		assert_int_equal(rig_active(rig), 6);
	}
	assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(rig_crash(rig), 0);
	rig_restart(rig);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 6);
}

static void a_crash_after_the_trial_is_none_of_its_business(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_confirm(rig);
	for (int i = 0; i < 10; i++)
		assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(rig_active(rig), 6);
}

/* ---- time ---- */

static void a_restart_does_not_begin_the_trial_anew(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	int64_t up = 0;
	while (update_on_trial(rig->update) && up < 2 * UPDATE_TRIAL_MS) {
		rig_pass(rig, 7 * RIG_SECOND);
		up += 7 * RIG_SECOND;
		rig_restart(rig);
	}
	assert_true(up <= UPDATE_TRIAL_MS + 7 * RIG_SECOND);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
}

static void a_crash_costs_at_most_half_a_minute_of_it(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_pass(rig, 5 * RIG_MINUTE);
	assert_int_equal(rig_crash(rig), 0);
	rig_pass(rig, 5 * RIG_MINUTE + UPDATE_TRIAL_SAVE_MS + RIG_SECOND);
	assert_false(update_on_trial(rig->update));
}

static void the_time_of_a_trial_can_be_chosen(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig->config.trial_ms = 5000;
	rig_restart(rig);
	rig_install(rig, 1, &lab->six);
	assert_int_equal(rig->due_ms, rig->now.mono_ms + 5000);
	rig_pass(rig, 4999);
	assert_true(update_on_trial(rig->update));
	rig_pass(rig, 1);
	assert_false(update_on_trial(rig->update));
}

/* ---- faults ---- */

static void sessions_that_end_in_faults_roll_back(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(rig_active(rig), 6);
	rig_session(rig, GF_OUTCOME_COMPLETED);
	rig_session(rig, GF_OUTCOME_USER_STOPPED);
	assert_int_equal(rig_active(rig), 6);
	/* Counted over a restart. */
	rig_restart(rig);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_back(rig, 5);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_FAULTS);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 5);
	rig_desire(rig, 2, &lab->six, 0);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_ROLLED_BACK);
}

static void faults_after_the_trial_leave_it(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_confirm(rig);
	for (int i = 0; i < 5; i++)
		rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(rig_active(rig), 6);
}

/* The state goes first: a crash in the middle of it goes on with what is on the disk. */
static void going_back_waits_for_nobody_to_be_on_it(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig->stuck = true;
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(update_phase(rig->update), UPDATE_SWITCHING);
	rig_sit(rig);
	rig->stuck = false;
	rig_pass(rig, 5 * RIG_MINUTE);
	assert_int_equal(rig_active(rig), 6);
	rig_rise(rig, GF_OUTCOME_COMPLETED);
	assert_back(rig, 5);
}

static void what_can_not_go_back_stays(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	assert_int_equal(remove(rig->file), 0);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(rig_active(rig), 6);
	rig_pass(rig, UPDATE_TRIAL_MS);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
}

/* ---- another one while it is on trial ---- */

static void another_one_waits_for_the_trials_end(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_pass(rig, RIG_MINUTE);
	rig_desire(rig, 2, &lab->seven, 0);
	assert_int_equal(rig->fetches, 1);
	rig_pass(rig, UPDATE_TRIAL_MS - RIG_MINUTE);
	assert_int_equal(rig->fetches, 2);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_FETCHING, GF_REFUSAL_UNSPECIFIED);
	rig_deliver(rig, &lab->seven);
	assert_int_equal(rig_active(rig), 7);
	/* And back to the one that was confirmed. */
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_back(rig, 6);
}

static void or_for_the_way_back(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_desire(rig, 2, &lab->seven, 0);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(rig_active(rig), 5);
	rig_deliver(rig, &lab->seven);
	assert_int_equal(rig_active(rig), 7);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
}

static void the_one_before_is_gone_back_to_at_once_where_the_floor_allows(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	struct made six;
	made_init(&six, &(struct recipe){.version = 6, .floor = 5});
	rig_install(rig, 1, &six);
	rig_desire(rig, 2, &lab->five, 0);
	assert_int_equal(rig_active(rig), 5);
	assert_false(update_on_trial(rig->update));
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
	/* It was not its fault: it may come again. */
	rig_desire(rig, 3, &six, 0);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->fetches, 1);
	made_deinit(&six);
}

/* What is on the shelf from earlier is not what the trial goes back to. */
static void but_for_no_other_one_on_the_shelf(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	struct made eight;
	made_init(&eight, &(struct recipe){.version = 8, .floor = 5});
	rig_install(rig, 1, &lab->six);
	rig_pass(rig, UPDATE_TRIAL_MS);
	rig_install(rig, 2, &eight);
	rig_desire(rig, 3, &lab->five, 0);
	assert_int_equal(rig_active(rig), 8);
	rig_pass(rig, UPDATE_TRIAL_MS);
	assert_int_equal(rig_active(rig), 5);
	assert_true(update_on_trial(rig->update));
	made_deinit(&eight);
}

static void i6_and_where_it_does_not_the_trial_goes_on(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 1, &lab->six);
	rig_desire(rig, 2, &lab->five, 0);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_OLDER_VERSION);
	assert_int_equal(rig_active(rig), 6);
	assert_true(update_on_trial(rig->update));
}

/* ---- the control core ---- */

static void a_full_mailbox_is_tried_again(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig->full = true;
	rig_desire(rig, 1, &lab->six, 0);
	rig_deliver(rig, &lab->six);
	assert_int_equal(update_phase(rig->update), UPDATE_SWITCHING);
	rig_pass(rig, 5 * RIG_SECOND);
	rig->full = false;
	rig_pass(rig, 2 * RIG_SECOND);
	assert_int_equal(rig_active(rig), 6);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
}

static void a_control_core_that_does_not_take_it_keeps_the_old_one(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig->stuck = true;
	rig_desire(rig, 1, &lab->six, 0);
	rig_deliver(rig, &lab->six);
	rig_pass(rig, UPDATE_SWITCH_MS + RIG_SECOND);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE);
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	/* What is asked of it now is the old one; until it says so nothing else is begun. */
	rig_desire(rig, 2, &lab->seven, 0);
	rig_pass(rig, RIG_MINUTE);
	assert_int_equal(rig->fetches, 1);
	rig->stuck = false;
	rig_pass(rig, 2 * RIG_SECOND);
	assert_int_equal(rig_active(rig), 5);
	rig_deliver(rig, &lab->seven);
	assert_int_equal(rig_active(rig), 7);
}

/* What is desired by then was never tried. */
static void an_order_that_came_in_the_switch_is_not_refused_for_it(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig->stuck = true;
	rig_desire(rig, 1, &lab->six, 0);
	rig_deliver(rig, &lab->six);
	rig_desire(rig, 2, &lab->seven, 0);
	rig_pass(rig, UPDATE_SWITCH_MS + RIG_SECOND);
	assert_int_equal(rig_count(rig, 2, GF_DESIRED_STEP_REFUSED), 0);
	rig->stuck = false;
	rig_pass(rig, 2 * RIG_SECOND);
	assert_int_equal(rig_active(rig), 5);
	rig_deliver(rig, &lab->seven);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
}

/* It took the new one just when nobody believed in it any more, and is on its way back. */
static void one_that_takes_it_late_is_called_back(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig->stuck = true;
	rig_desire(rig, 1, &lab->six, 0);
	rig_deliver(rig, &lab->six);
	const struct gf_catalog *six = rig->given;
	rig_pass(rig, UPDATE_SWITCH_MS + RIG_SECOND);
	assert_ptr_not_equal(rig->given, six);
	rig->playing = six;
	update_switched(rig->update, six, rig->now);
	rig_run(rig);
	assert_int_equal(rig_active(rig), 6);
	rig->stuck = false;
	rig_run(rig);
	assert_int_equal(rig_active(rig), 5);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 5);
	assert_int_equal(rig->changed_count, 1);
}

#define TRIAL_TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TRIAL_TEST(three_crashes_roll_back_by_themselves),
	    TRIAL_TEST(the_start_after_the_third_crash_does_not_read_it),
	    TRIAL_TEST(graceful_restarts_are_no_crashes),
	    TRIAL_TEST(a_crash_after_the_trial_is_none_of_its_business),
	    TRIAL_TEST(a_restart_does_not_begin_the_trial_anew),
	    TRIAL_TEST(a_crash_costs_at_most_half_a_minute_of_it),
	    TRIAL_TEST(the_time_of_a_trial_can_be_chosen),
	    TRIAL_TEST(sessions_that_end_in_faults_roll_back),
	    TRIAL_TEST(faults_after_the_trial_leave_it),
	    TRIAL_TEST(going_back_waits_for_nobody_to_be_on_it),
	    TRIAL_TEST(what_can_not_go_back_stays),
	    TRIAL_TEST(another_one_waits_for_the_trials_end),
	    TRIAL_TEST(or_for_the_way_back),
	    TRIAL_TEST(the_one_before_is_gone_back_to_at_once_where_the_floor_allows),
	    TRIAL_TEST(but_for_no_other_one_on_the_shelf),
	    TRIAL_TEST(i6_and_where_it_does_not_the_trial_goes_on),
	    TRIAL_TEST(a_full_mailbox_is_tried_again),
	    TRIAL_TEST(a_control_core_that_does_not_take_it_keeps_the_old_one),
	    TRIAL_TEST(an_order_that_came_in_the_switch_is_not_refused_for_it),
	    TRIAL_TEST(one_that_takes_it_late_is_called_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
