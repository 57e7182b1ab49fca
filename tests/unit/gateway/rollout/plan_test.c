/* A rollout's way, by virtual time: waves, failures, and answers that nobody waits for. */
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
	sim_machine_of_wave(s, 1)->selected = false;
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
	sim_machine_of_wave(s, 1)->verdict = SIM_REFUSES;
	sim_run_to_end(s, 6 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_FAILED), 1);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 99);
}

static void a_refusal_comes_with_its_code_and_sentence(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	sim_machine_of_wave(s, 1)->verdict = SIM_REFUSES;
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_device_of(s, sim_machine_of_wave(s, 1))->refusal, GF_REFUSAL_ENVELOPE);
	assert_string_equal(sim_device_of(s, sim_machine_of_wave(s, 1))->detail, "envelope");
}

static void a_machine_that_never_answers_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	sim_machine_of_wave(s, 1)->verdict = SIM_SILENT;
	sim_run(s, DAY - MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_machine_of_wave(s, 1)->withdrawals, 1);
}

static void a_trial_that_never_ends_expires(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	sim_machine_of_wave(s, 1)->verdict = SIM_NEVER_CONFIRMS;
	sim_run(s, DAY, 10 * MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_INSTALLED), 1);
	sim_run(s, HOUR, 10 * MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_EXPIRED), 1);
	assert_non_null(strstr(sim_device_of(s, sim_machine_of_wave(s, 1))->detail, "not confirmed"));
}

static void who_takes_it_after_its_deadline_stays_expired_and_says_so(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	sim_run(s, DAY + HOUR, MINUTE);
	m->plays = NEW;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_EXPIRED);
	assert_string_equal(sim_device_of(s, m)->detail, "took it after its deadline");
}

/* ---- answers that are not expected ---- */

static void a_second_answer_changes_nothing(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_run(s, 20 * MINUTE, MINUTE);
	m = sim_machine_of_wave(s, 1);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	m->told.answer = GF_DESIRED_STEP_ACTIVE;
	sim_step(s);
	m->told.answer = GF_DESIRED_STEP_REFUSED;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
}

static void an_answer_for_another_rollout_changes_nothing(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->told.answer = GF_DESIRED_STEP_CONFIRMED;
	m->answer_revision = m->revision;
	m->answer_about = NEWER;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
	m->answer_revision = m->revision - 1;
	m->answer_about = NEW;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_OFFERED);
}

static void a_lost_answer_is_made_up_for_by_what_it_plays(void **state)
{
	struct sim *s = *state;
	struct machine *m;

	sim_step(s);
	m = sim_machine_of_wave(s, 1);
	m->verdict = SIM_SILENT;
	m->plays = NEW;
	m->on_trial = true;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_INSTALLED);
	m->on_trial = false;
	sim_step(s);
	assert_int_equal(sim_device_of(s, m)->step, ROLLOUT_STEP_CONFIRMED);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
