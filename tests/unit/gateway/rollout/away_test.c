/* Machines that are in use, offline, late or elsewhere while a rollout comes by. */
#include <string.h>

#include "tests/unit/gateway/rollout/sim.h"

static int setup(void **state)
{
	*state = sim_new(100);
	return 0;
}

static int teardown(void **state)
{
	sim_free(*state);
	return 0;
}

static void a_machine_in_use_takes_it_when_its_session_ends(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->in_use = true;
	sim_run(s, 5 * HOUR, MINUTE);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	assert_non_null(strstr(sim_device_of(s, m)->detail, "in use"));
	m->in_use = false;
	sim_run(s, 15 * MINUTE, MINUTE);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
}

static void a_machine_in_use_until_the_deadline_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	sim_machine_of_wave(s, 1)->in_use = true;
	sim_run(s, DAY, MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_non_null(strstr(sim_device_of(s, sim_machine_of_wave(s, 1))->detail, "still in use"));
}

static void who_goes_offline_after_it_was_told_has_its_deadline(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->online = false;
	sim_run(s, DAY - HOUR, 10 * MINUTE);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	m->online = true;
	sim_run(s, 30 * MINUTE, MINUTE);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	assert_int_equal(m->offers, 1);
}

static void who_is_offline_in_the_last_wave_catches_up(void **state)
{
	struct sim *s = *state;

	s->machines[7].online = s->machines[8].online = false;
	sim_run(s, 3 * HOUR, MINUTE);
	assert_int_equal(sim_device(s, 7)->step, ROLLOUT_STEP_ABSENT);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	s->machines[7].online = true;
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(sim_device(s, 7)->step, ROLLOUT_STEP_CONFIRMED);
	sim_run_to_end(s, 2 * DAY);
	assert_int_equal(sim_device(s, 8)->step, ROLLOUT_STEP_MISSED);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	/* It comes back after all. */
	s->machines[8].online = true;
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(sim_device(s, 8)->step, ROLLOUT_STEP_CONFIRMED);
	assert_int_equal(s->machines[8].offers, 1);
}

static void a_latecomer_waits_for_the_next_wave_or_joins_the_last(void **state)
{
	struct sim *s = *state;

	sim_run(s, 15 * MINUTE, MINUTE);
	sim_join(s);
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_device(s, 100)->wave, 0);
	while (s->r.wave < 3)
		sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_in_wave(s, 1) + sim_in_wave(s, 2), 11); /* 10 % of 101 */
	sim_run(s, 15 * MINUTE, MINUTE);
	sim_join(s);
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_device(s, 101)->wave, 3);
	assert_int_equal(s->machines[101].offers, 1);
	sim_run_to_end(s, DAY);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 102);
	sim_join(s);
	sim_join(s)->verdict = SIM_SILENT;
	sim_run(s, 2 * DAY, 10 * MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_device(s, 102)->step, ROLLOUT_STEP_CONFIRMED);
	assert_int_equal(sim_device(s, 103)->step, ROLLOUT_STEP_EXPIRED);
}

static void who_has_it_needs_no_offer_and_who_has_a_newer_one_is_left(void **state)
{
	struct sim *s = *state;

	s->machines[1].plays = NEW;
	s->machines[2].plays = NEWER;
	s->r.devices[3].class = GF_CLASS_PERCUSSION;
	sim_step(s);
	assert_int_equal(sim_device(s, 1)->step, ROLLOUT_STEP_CONFIRMED);
	assert_string_equal(sim_device(s, 1)->detail, "had it already");
	assert_int_equal(sim_device(s, 2)->step, ROLLOUT_STEP_LEFT);
	assert_non_null(strstr(sim_device(s, 2)->detail, "percussion@9"));
	assert_int_equal(sim_device(s, 3)->step, ROLLOUT_STEP_LEFT);
	sim_run_to_end(s, 6 * HOUR);
	assert_int_equal(sim_told(s), 97);
}

static void nobody_to_tell_is_complete_at_once(void **state)
{
	struct sim *s = sim_new(3);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		s->machines[i].plays = NEW;
	sim_step(s);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	sim_free(s);
}

static void who_leaves_the_selection_is_left_unless_it_took_it(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_run(s, 5 * MINUTE, MINUTE);
	m = sim_machine_of_wave(s, 1);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
	for (size_t i = 0; i < 100; i++)
		s->machines[i].selected = &s->machines[i] == m ? false : i >= 50;
	sim_run(s, 10 * MINUTE, MINUTE);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	assert_true(sim_count(s, ROLLOUT_STEP_LEFT) >= 49);
	/* Selected again before they were told: they take part. */
	for (size_t i = 0; i < 100; i++)
		s->machines[i].selected = true;
	sim_run_to_end(s, 6 * HOUR);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 100);
}

static void who_comes_back_has_no_place_in_a_wave_any_more(void **state)
{
	struct sim *s = *state;
	struct machine *first;

	s->r.spec.has_window = true;
	s->r.spec.window_from_min = 13 * 60;
	s->r.spec.window_to_min = 14 * 60;
	sim_step(s);
	first = sim_machine_of_wave(s, 1);
	first->selected = false;
	sim_step(s);
	first->selected = true;
	sim_step(s);
	assert_int_equal(sim_device_of(s, first)->wave, 0);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_LEFT), 0);
	s->now_ms = NOON + HOUR;
	sim_step(s);
	assert_int_equal(sim_told(s), 1);
	assert_int_equal(first->offers, 0);
}

static void who_is_on_trial_with_it_by_another_way_is_told_nevertheless(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves_count = 1;
	s->r.spec.waves[0] = (struct rollout_wave_size){100, true};
	s->machines[4].plays = NEW;
	s->machines[4].on_trial = true;
	s->machines[4].trial_since_ms = NOON;
	sim_step(s);
	assert_int_equal(sim_device(s, 4)->step, ROLLOUT_STEP_INSTALLED);
	assert_int_equal(s->machines[4].offers, 1);
	/* What it has on trial is nothing to go back to. */
	assert_int_equal(sim_device(s, 4)->previous_version, 0);
	sim_run(s, 15 * MINUTE, MINUTE);
	assert_int_equal(sim_device(s, 4)->step, ROLLOUT_STEP_CONFIRMED);
}

/* Selected by the version it had: taking the new one ends that. It says so before anybody knows what it plays. */
static void who_leaves_the_selection_by_taking_it_has_taken_it(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->selected = false;
	m->told.answer = GF_DESIRED_STEP_ACTIVE;
	m->answer_revision = m->revision;
	m->answer_about = NEW;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
}

static void a_later_rollout_takes_its_machines_over(void **state)
{
	struct sim *s = *state;

	s->machines[9].online = false;
	sim_run_to_end(s, 3 * DAY);
	assert_int_equal(sim_device(s, 9)->step, ROLLOUT_STEP_MISSED);
	s->machines[9].taken = true;
	s->machines[9].online = true;
	sim_step(s);
	assert_int_equal(sim_device(s, 9)->step, ROLLOUT_STEP_LEFT);
	assert_int_equal(s->machines[9].offers, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_in_use_takes_it_when_its_session_ends),
	    TEST(a_machine_in_use_until_the_deadline_expires),
	    TEST(who_goes_offline_after_it_was_told_has_its_deadline),
	    TEST(who_is_offline_in_the_last_wave_catches_up),
	    TEST(a_latecomer_waits_for_the_next_wave_or_joins_the_last),
	    TEST(who_has_it_needs_no_offer_and_who_has_a_newer_one_is_left),
	    TEST(nobody_to_tell_is_complete_at_once),
	    TEST(who_leaves_the_selection_is_left_unless_it_took_it),
	    TEST(who_comes_back_has_no_place_in_a_wave_any_more),
	    TEST(who_is_on_trial_with_it_by_another_way_is_told_nevertheless),
	    TEST(who_leaves_the_selection_by_taking_it_has_taken_it),
	    TEST(a_later_rollout_takes_its_machines_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
