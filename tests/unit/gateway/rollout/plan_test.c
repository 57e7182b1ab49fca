/* A rollout's way, by virtual time: waves, failures, gates, machines that are away, in use, late, or elsewhere. */
#include <errno.h>
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

static struct machine *machine_of_wave(struct sim *s, uint32_t wave)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->r.devices[i].wave == wave)
			return &s->machines[i];
	fail();
	return NULL;
}

static struct rollout_device *device_of(struct sim *s, const struct machine *m)
{
	return &s->r.devices[m - s->machines];
}

/* ---- waves ---- */

static void three_waves_bring_it_to_everybody(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	assert_int_equal(sim_told(s), 1);
	sim_run_to_end(s, 3 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 100);
	assert_int_equal(sim_in_wave(s, 1), 1);
	assert_int_equal(sim_in_wave(s, 2), 9);
	assert_int_equal(sim_in_wave(s, 3), 90);
	assert_true(s->r.wave_since_ms[1] - s->r.wave_since_ms[0] >= 41 * MINUTE);
	assert_true(s->r.wave_done_ms[2] > s->r.wave_since_ms[2]);
	assert_int_equal(s->due_ms, INT64_MAX);
}

static void a_wave_waits_for_its_soak(void **state)
{
	struct sim *s = *state;

	sim_run(s, 12 * MINUTE, MINUTE);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_SOAKING);
	assert_int_equal(s->due_ms, s->r.phase_since_ms + 30 * MINUTE);
	sim_run(s, 29 * MINUTE, MINUTE);
	assert_int_equal(sim_told(s), 1);
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_told(s), 10);
}

static void one_machine_is_a_fleet_too(void **state)
{
	struct sim *s = sim_new(1);

	(void)state;
	sim_run_to_end(s, 2 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 1);
	assert_int_equal(s->r.devices[0].wave, 1);
	sim_free(s);
}

static void one_wave_takes_everybody_at_once(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves_count = 1;
	s->r.spec.waves[0] = (struct rollout_wave_size){100, true};
	s->machines[5].online = false;
	sim_step(s);
	assert_int_equal(sim_told(s), 99);
	assert_int_equal(sim_device(s, 5)->step, ROLLOUT_STEP_ABSENT);
}

static void equal_wave_sizes_are_passed_over(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves_count = 4;
	s->r.spec.waves[0] = s->r.spec.waves[1] = (struct rollout_wave_size){5, true};
	s->r.spec.waves[2] = s->r.spec.waves[3] = (struct rollout_wave_size){100, true};
	sim_run_to_end(s, 3 * HOUR);
	assert_int_equal(sim_in_wave(s, 1), 5);
	assert_int_equal(sim_in_wave(s, 2), 0);
	assert_int_equal(sim_in_wave(s, 3), 95);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 100);
}

static void canaries_are_online_and_spread(void **state)
{
	struct sim *s = *state, *other = sim_new(100);
	size_t differ = 0;

	for (size_t i = 0; i < 100; i += 2)
		s->machines[i].online = false;
	s->r.spec.waves[0].value = other->r.spec.waves[0].value = 10;
	other->r.id = 2;
	sim_step(s);
	sim_step(other);
	assert_int_equal(sim_told(s), 10);
	for (size_t i = 0; i < 100; i++) {
		if (s->r.devices[i].wave == 1)
			assert_true(s->machines[i].online);
		differ += s->r.devices[i].wave != other->r.devices[i].wave;
	}
	assert_true(differ > 5);
	sim_free(other);
}

static void a_wave_that_finds_nobody_online_halts_at_its_deadline(void **state)
{
	struct sim *s = *state;

	for (size_t i = 0; i < 100; i++)
		s->machines[i].online = false;
	sim_run(s, DAY - MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	assert_non_null(strstr(s->r.reason, "waits for a machine that is online"));
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_non_null(strstr(s->r.reason, "no machine was online"));
	assert_int_equal(sim_told(s), 0);
	/* Resumed, it has its time anew. */
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	s->machines[3].online = true;
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_told(s), 1);
}

static void another_canary_takes_the_place_of_one_that_left(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	machine_of_wave(s, 1)->selected = false;
	sim_step(s);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_LEFT), 1);
	assert_int_equal(sim_told(s), 2);
	assert_int_equal(s->r.wave, 1);
}

/* ---- failures ---- */

static void a_canary_wave_in_which_a_fifth_fails_halts_and_touches_nobody_else(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves[0].value = 10;
	s->r.spec.max_failures_ppm = 100000;
	sim_step(s);
	for (size_t i = 0, n = 0; i < 100 && n < 2; i++)
		if (s->r.devices[i].wave == 1) {
			s->machines[i].verdict = n++ ? SIM_REFUSES : SIM_ROLLS_BACK;
		}
	sim_run(s, 6 * HOUR, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_told(s), 10);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_FAILED), 2);
	assert_non_null(strstr(s->r.reason, "wave 1: 2 of 10 machines failed (20 %), more than 10 %"));
	assert_int_equal(sim_count(s, ROLLOUT_STEP_WITHDRAWN), 90);
	assert_int_equal(s->due_ms, INT64_MAX);
}

static void as_many_failures_as_allowed_go_on(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves[0].value = 10;
	s->r.spec.max_failures_ppm = 100000;
	sim_step(s);
	machine_of_wave(s, 1)->verdict = SIM_REFUSES;
	sim_run_to_end(s, 6 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_FAILED), 1);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 99);
}

static void a_refusal_comes_with_its_code_and_sentence(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	machine_of_wave(s, 1)->verdict = SIM_REFUSES;
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(device_of(s, machine_of_wave(s, 1))->refusal, GF_REFUSAL_ENVELOPE);
	assert_string_equal(device_of(s, machine_of_wave(s, 1))->detail, "envelope");
}

static void a_machine_that_never_answers_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	machine_of_wave(s, 1)->verdict = SIM_SILENT;
	sim_run(s, DAY - MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(machine_of_wave(s, 1)->withdrawals, 1);
}

static void a_trial_that_never_ends_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	machine_of_wave(s, 1)->verdict = SIM_NEVER_CONFIRMS;
	sim_run(s, DAY, 10 * MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_INSTALLED), 1);
	sim_run(s, HOUR, 10 * MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_non_null(strstr(device_of(s, machine_of_wave(s, 1))->detail, "not confirmed"));
}

static void who_takes_it_after_its_deadline_stays_expired_and_says_so(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	sim_run(s, DAY + HOUR, MINUTE);
	m->plays = NEW;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_EXPIRED);
	assert_string_equal(device_of(s, m)->detail, "took it after its deadline");
}

/* ---- answers that are not expected ---- */

static void a_second_answer_changes_nothing(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_run(s, 20 * MINUTE, MINUTE);
	m = machine_of_wave(s, 1);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	m->told.answer = GF_DESIRED_STEP_ACTIVE;
	sim_step(s);
	m->told.answer = GF_DESIRED_STEP_REFUSED;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
}

static void an_answer_for_another_rollout_changes_nothing(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->told.answer = GF_DESIRED_STEP_CONFIRMED;
	m->answer_revision = m->revision;
	m->answer_about = NEWER;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	m->answer_revision = m->revision - 1;
	m->answer_about = NEW;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
}

static void a_lost_answer_is_made_up_for_by_what_it_plays(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->plays = NEW;
	m->on_trial = true;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
	m->on_trial = false;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
}

/* ---- in use, offline, late, elsewhere ---- */

static void a_machine_in_use_takes_it_when_its_session_ends(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = machine_of_wave(s, 1);
	m->in_use = true;
	sim_run(s, 5 * HOUR, MINUTE);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	assert_non_null(strstr(device_of(s, m)->detail, "in use"));
	m->in_use = false;
	sim_run(s, 15 * MINUTE, MINUTE);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
}

static void a_machine_in_use_until_the_deadline_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	machine_of_wave(s, 1)->in_use = true;
	sim_run(s, DAY, MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_non_null(strstr(device_of(s, machine_of_wave(s, 1))->detail, "still in use"));
}

static void who_goes_offline_after_it_was_told_has_its_deadline(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = machine_of_wave(s, 1);
	m->online = false;
	sim_run(s, DAY - HOUR, 10 * MINUTE);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	m->online = true;
	sim_run(s, 30 * MINUTE, MINUTE);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
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
	m = machine_of_wave(s, 1);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
	for (size_t i = 0; i < 100; i++)
		s->machines[i].selected = &s->machines[i] == m ? false : i >= 50;
	sim_run(s, 10 * MINUTE, MINUTE);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
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
	first = machine_of_wave(s, 1);
	first->selected = false;
	sim_step(s);
	first->selected = true;
	sim_step(s);
	assert_int_equal(device_of(s, first)->wave, 0);
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
	m = machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->selected = false;
	m->told.answer = GF_DESIRED_STEP_ACTIVE;
	m->answer_revision = m->revision;
	m->answer_about = NEW;
	sim_step(s);
	assert_int_equal(device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
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
	    TEST(three_waves_bring_it_to_everybody),
	    TEST(a_wave_waits_for_its_soak),
	    TEST(one_machine_is_a_fleet_too),
	    TEST(one_wave_takes_everybody_at_once),
	    TEST(equal_wave_sizes_are_passed_over),
	    TEST(canaries_are_online_and_spread),
	    TEST(a_wave_that_finds_nobody_online_halts_at_its_deadline),
	    TEST(another_canary_takes_the_place_of_one_that_left),
	    TEST(a_canary_wave_in_which_a_fifth_fails_halts_and_touches_nobody_else),
	    TEST(as_many_failures_as_allowed_go_on),
	    TEST(a_refusal_comes_with_its_code_and_sentence),
	    TEST(a_machine_that_never_answers_expires),
	    TEST(a_trial_that_never_ends_expires),
	    TEST(who_takes_it_after_its_deadline_stays_expired_and_says_so),
	    TEST(a_second_answer_changes_nothing),
	    TEST(an_answer_for_another_rollout_changes_nothing),
	    TEST(a_lost_answer_is_made_up_for_by_what_it_plays),
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
