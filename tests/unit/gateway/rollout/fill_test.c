/* A wave that finds fewer machines online than it is to have: it waits for more, and not for ever. */
#include <string.h>

#include "tests/unit/gateway/rollout/sim.h"

enum { MACHINES = 100, CANARIES = 10 };

/* The first wave is to have ten, and one is online. */
static int setup(void **state)
{
	struct sim *s = sim_new(MACHINES);

	*state = s;
	s->r.spec.waves_count = 2;
	s->r.spec.waves[0] = (struct rollout_wave_size){10, true};
	s->r.spec.waves[1] = (struct rollout_wave_size){100, true};
	for (size_t i = 1; i < MACHINES; i++)
		s->machines[i].online = false;
	return 0;
}

static int teardown(void **state)
{
	sim_free(*state);
	return 0;
}

static void come_online(struct sim *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		s->machines[i].online = true;
}

static void one_canary_doesnt_stand_for_ten(void **state)
{
	struct sim *s = *state;

	sim_run(s, 6 * HOUR, MINUTE);
	assert_int_equal(s->r.wave, 1);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_OFFERING);
	assert_int_equal(sim_told(s), 1);
	assert_non_null(strstr(s->r.reason, "waits for 9 more machines"));
	come_online(s, 1, 4);
	sim_step(s);
	assert_int_equal(sim_told(s), 4);
	come_online(s, 4, 60);
	sim_step(s);
	assert_int_equal(sim_in_wave(s, 1), CANARIES);
	assert_int_equal(sim_told(s), CANARIES);
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->r.wave, 2);
}

static void i9_a_wave_goes_on_with_those_it_has_at_its_deadline(void **state)
{
	struct sim *s = *state;

	come_online(s, 1, 3);
	sim_run(s, DAY - MINUTE, MINUTE);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_OFFERING);
	assert_int_equal(sim_in_wave(s, 1), 3);
	sim_run(s, 2 * MINUTE, MINUTE);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_SOAKING);
	sim_run(s, HOUR, MINUTE);
	assert_int_equal(s->r.wave, 2);
	assert_int_equal(s->r.state, ROLLOUT_RUNNING);
}

static void nobody_is_waited_for_when_nobody_is_left(void **state)
{
	struct sim *s = sim_new(3);

	(void)state;
	s->r.spec.waves_count = 2;
	s->r.spec.waves[0] = (struct rollout_wave_size){3, false};
	s->r.spec.waves[1] = (struct rollout_wave_size){100, true};
	sim_run_to_end(s, 3 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	assert_int_equal(sim_in_wave(s, 1), 3);
	sim_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_canary_doesnt_stand_for_ten, setup, teardown),
	    cmocka_unit_test_setup_teardown(i9_a_wave_goes_on_with_those_it_has_at_its_deadline, setup, teardown),
	    cmocka_unit_test(nobody_is_waited_for_when_nobody_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
