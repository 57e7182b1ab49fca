/* What a person may order at every moment, and how it ends. */
#include <errno.h>
#include <string.h>

#include "tests/unit/gateway/rollout/sim.h"

static int setup(void **state)
{
	*state = sim_new(50);
	return 0;
}

static int teardown(void **state)
{
	sim_free(*state);
	return 0;
}

static void a_pause_offers_nobody_and_lets_the_told_go_on(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_PAUSE), 0);
	sim_run(s, 5 * HOUR, MINUTE);
	assert_int_equal(sim_told(s), 1);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 1);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_OFFERING);
	assert_string_equal(s->r.reason, "paused by anna");
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	sim_run_to_end(s, 3 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
}

static void a_pause_stops_the_clock_of_the_soak(void **state)
{
	struct sim *s = *state;

	sim_run(s, 21 * MINUTE, MINUTE);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_SOAKING);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_PAUSE), 0);
	sim_run(s, 3 * HOUR, MINUTE);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_SOAKING);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	sim_run(s, 19 * MINUTE, MINUTE);
	assert_int_equal(s->r.wave, 1);
	sim_run(s, 2 * MINUTE, MINUTE);
	assert_int_equal(s->r.wave, 2);
}

static void a_pause_stops_the_clock_of_a_wave_that_waits_for_somebody(void **state)
{
	struct sim *s = *state;

	for (size_t i = 0; i < s->count; i++)
		s->machines[i].online = false;
	sim_run(s, 20 * HOUR, HOUR);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_PAUSE), 0);
	sim_run(s, 10 * HOUR, HOUR);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	sim_run(s, 3 * HOUR, HOUR);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	sim_run(s, HOUR, HOUR);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
}

static void what_a_later_rollout_has_is_not_rolled_back(void **state)
{
	struct sim *s = *state;

	sim_run_to_end(s, 5 * HOUR);
	for (size_t i = 0; i < s->count; i++)
		s->machines[i].taken = i > 0;
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), 0);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_REVERTING), 1);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_LEFT), 49);
}

static void a_rollback_of_what_a_later_rollout_has_altogether_is_refused(void **state)
{
	struct sim *s = *state;

	sim_run_to_end(s, 5 * HOUR);
	for (size_t i = 0; i < s->count; i++)
		s->machines[i].taken = true;
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), -EINVAL);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
}

static void i9_a_pause_ends_after_a_week(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_PAUSE), 0);
	sim_run(s, 7 * DAY, HOUR);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_non_null(strstr(s->r.reason, "paused for a week"));
}

static void failures_halt_a_paused_one_too(void **state)
{
	struct sim *s = *state;

	sim_step(s);
	for (size_t i = 0; i < s->count; i++)
		s->machines[i].verdict = SIM_REFUSES;
	s->r.state = ROLLOUT_PAUSED;
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
}

static void a_halt_takes_back_what_was_not_taken(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves[0].value = 4;
	sim_run(s, 5 * MINUTE, MINUTE);
	sim_device(s, 0);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_INSTALLED), 4);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_HALT), 0);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_WITHDRAWN), 46);
	/* What is on trial goes on by itself. */
	sim_run(s, 20 * MINUTE, MINUTE);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 4);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_HALT), -EINVAL);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_PAUSE), -EINVAL);
}

static void a_resumed_one_tells_the_withdrawn_again_and_forgives_the_failed(void **state)
{
	struct sim *s = *state;
	size_t refused = 0;

	s->r.spec.waves[0].value = 4;
	sim_step(s);
	for (size_t i = 0; i < s->count && refused == 0; i++)
		if (s->r.devices[i].wave == 1) {
			s->machines[i].verdict = SIM_REFUSES;
			refused = i + 1;
		}
	sim_run(s, MINUTE, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
	sim_run_to_end(s, 5 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 49);
	assert_int_equal(sim_device(s, refused - 1)->step, ROLLOUT_STEP_FAILED);
	assert_int_equal(s->machines[refused - 1].offers, 1);
}

static void a_new_failure_after_a_resume_halts_again(void **state)
{
	struct sim *s = *state;

	for (size_t i = 0; i < s->count; i++)
		s->machines[i].verdict = SIM_REFUSES;
	sim_run_to_end(s, HOUR);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_FAILED), 1);
	s->now_ms += MINUTE;
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	s->now_ms += MINUTE;
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_FAILED), 2);
}

static void a_rollback_brings_back_who_took_it_and_only_them(void **state)
{
	struct sim *s = *state;

	s->machines[3].plays = NEW; /* by hand */
	sim_run(s, 90 * MINUTE, MINUTE);
	assert_int_equal(s->r.wave, 3);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), 0);
	sim_run_to_end(s, HOUR);
	assert_int_equal(s->r.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_REVERTED), 49);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(s->machines[i].plays, i == 3 ? NEW : OLD);
	assert_int_equal(s->machines[3].reverts, 0);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), -EINVAL);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), -EINVAL);
}

static void who_is_just_taking_it_is_brought_back_too(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves[0] = (struct rollout_wave_size){100, true};
	s->r.spec.waves_count = 1;
	s->machines[1].in_use = true;
	sim_step(s);
	/* It took it, and went offline before anybody knew. */
	s->machines[1].online = false;
	sim_run(s, 5 * MINUTE, MINUTE);
	assert_int_equal(sim_device(s, 1)->step, ROLLOUT_STEP_OFFERED);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), 0);
	s->machines[1].plays = NEW;
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(sim_device(s, 1)->step, ROLLOUT_STEP_REVERTING);
	s->machines[1].in_use = false;
	s->machines[1].online = true;
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->machines[1].plays, OLD);
	assert_int_equal(s->r.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_REVERTED), 50);
}

static void a_floor_that_allows_no_way_back_is_said(void **state)
{
	struct sim *s = *state;

	s->r.spec.targets[GF_CLASS_CHAIR].rollback_floor = 0;
	sim_run(s, 20 * MINUTE, MINUTE);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), -EINVAL);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
}

static void who_may_not_go_back_is_stuck_with_a_sentence(void **state)
{
	struct sim *s = *state;

	s->r.spec.waves[0] = (struct rollout_wave_size){100, true};
	s->r.spec.waves_count = 1;
	s->machines[1].plays = OLD - 1;
	sim_run_to_end(s, 2 * HOUR);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), 0);
	assert_int_equal(sim_device(s, 1)->step, ROLLOUT_STEP_STUCK);
	assert_string_equal(sim_device(s, 1)->detail,
	                    "percussion@8 allows no way back to percussion@6: sign the old routines as a newer version");
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_ROLLED_BACK);
}

static void i9_a_rollback_ends_with_machines_that_never_answer(void **state)
{
	struct sim *s = *state;

	sim_run_to_end(s, 3 * HOUR);
	for (size_t i = 0; i < s->count; i += 2)
		s->machines[i].verdict = SIM_SILENT;
	s->machines[1].online = false;
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_ROLLBACK), 0);
	sim_run(s, DAY, 10 * MINUTE);
	assert_int_equal(s->r.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(sim_count(s, ROLLOUT_STEP_STUCK), 26);
	assert_non_null(strstr(sim_device(s, 1)->detail, "offline"));
}

/* Pause, resume, halt and roll back at every minute of a rollout: each ends as it must, and nobody is lost. */
static void every_order_at_every_moment_ends(void **state)
{
	(void)state;
	for (int64_t at_ms = 0; at_ms < 2 * HOUR; at_ms += 7 * MINUTE)
		for (int order = 0; order < ROLLOUT_ORDER_COUNT; order++) {
			struct sim *s = sim_new(20);
			int r;

			sim_run(s, at_ms, MINUTE);
			r = sim_order(s, (enum rollout_order)order);
			if (r == 0 && order == ROLLOUT_ORDER_PAUSE)
				assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
			if (r == 0 && order == ROLLOUT_ORDER_HALT) {
				sim_run(s, HOUR, MINUTE);
				assert_int_equal(s->r.state, ROLLOUT_HALTED);
				assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
			}
			sim_run(s, MINUTE, MINUTE);
			sim_run_to_end(s, 5 * HOUR);
			if (order == ROLLOUT_ORDER_ROLLBACK) {
				assert_int_equal(s->r.state, ROLLOUT_ROLLED_BACK);
				for (size_t i = 0; i < s->count; i++)
					assert_int_equal(s->machines[i].plays, OLD);
			} else {
				assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
				assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 20);
			}
			sim_free(s);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pause_offers_nobody_and_lets_the_told_go_on),
	    TEST(a_pause_stops_the_clock_of_the_soak),
	    TEST(a_pause_stops_the_clock_of_a_wave_that_waits_for_somebody),
	    TEST(what_a_later_rollout_has_is_not_rolled_back),
	    TEST(a_rollback_of_what_a_later_rollout_has_altogether_is_refused),
	    TEST(i9_a_pause_ends_after_a_week),
	    TEST(failures_halt_a_paused_one_too),
	    TEST(a_halt_takes_back_what_was_not_taken),
	    TEST(a_resumed_one_tells_the_withdrawn_again_and_forgives_the_failed),
	    TEST(a_new_failure_after_a_resume_halts_again),
	    TEST(a_rollback_brings_back_who_took_it_and_only_them),
	    TEST(who_is_just_taking_it_is_brought_back_too),
	    TEST(a_floor_that_allows_no_way_back_is_said),
	    TEST(who_may_not_go_back_is_stuck_with_a_sentence),
	    TEST(i9_a_rollback_ends_with_machines_that_never_answer),
	    TEST(every_order_at_every_moment_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
