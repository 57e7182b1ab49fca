/*
 * Every state shows its way out, and random walks: machines do what they like, people order what they like, the gateway dies between any two saves.
 * What must hold is checked after each step (sim.c).
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"
#include "tests/unit/gateway/rollout/sim.h"

/* ---- i9 ---- */

/* Steps at each moment that the plan named, until it names none. */
static void let_time_pass(struct sim *s)
{
	unsigned steps = 0;
	int64_t began_ms = s->now_ms;

	sim_step(s);
	while (s->due_ms != INT64_MAX) {
		assert_true(++steps < 400);
		s->now_ms = s->due_ms;
		sim_step(s);
	}
	assert_true(s->now_ms - began_ms < 20 * DAY);
	assert_true(rollout_state_ends(s->r.state));
	for (size_t i = 0; i < s->r.devices_count; i++)
		assert_true(rollout_step_ends(s->r.devices[i].step));
}

static bool may_be(enum rollout_state state, enum rollout_step step, uint32_t wave)
{
	bool untold = step == ROLLOUT_STEP_WAITING || step == ROLLOUT_STEP_ABSENT;

	if (step == ROLLOUT_STEP_REVERTING || step == ROLLOUT_STEP_REVERTED || step == ROLLOUT_STEP_STUCK)
		return state == ROLLOUT_ROLLING_BACK && wave > 0;
	if (wave == 0 && step != ROLLOUT_STEP_WAITING && step != ROLLOUT_STEP_CONFIRMED && step != ROLLOUT_STEP_LEFT)
		return false;
	if (state == ROLLOUT_HALTED || state >= ROLLOUT_ROLLING_BACK)
		return !untold && step != ROLLOUT_STEP_OFFERED && (state == ROLLOUT_HALTED || step != ROLLOUT_STEP_INSTALLED);
	return true;
}

static void put(struct sim *s, size_t i, enum rollout_step step, uint32_t wave)
{
	struct rollout_device *d = &s->r.devices[i];
	bool told = step == ROLLOUT_STEP_OFFERED || step == ROLLOUT_STEP_INSTALLED || step >= ROLLOUT_STEP_REVERTING ||
	            step == ROLLOUT_STEP_EXPIRED || step == ROLLOUT_STEP_FAILED;

	d->step = step;
	d->wave = wave;
	d->since_ms = s->now_ms;
	d->previous = sim_digest(OLD);
	d->previous_version = OLD;
	gf_strcpy(d->previous_catalog, sizeof(d->previous_catalog), "percussion");
	gf_strcpy(d->detail, sizeof(d->detail), "put");
	if (!rollout_step_ends(step) && step != ROLLOUT_STEP_WAITING)
		d->deadline_ms = s->now_ms + s->r.spec.deadline_ms;
	if (told) {
		d->told_ms = s->now_ms;
		d->revision = s->machines[i].revision = ++s->revision;
		s->machines[i].offers = 1;
	}
}

struct corner {
	bool online, closed, there;
};

static void walk(enum rollout_state state, enum rollout_phase phase, uint32_t wave, enum rollout_step step,
                 uint32_t of_wave, struct corner corner)
{
	struct sim *s = sim_new(5);

	s->r.state = state;
	s->r.phase = phase;
	s->r.wave = wave;
	s->r.wave_since_ms[wave - 1] = s->now_ms;
	/* Closed for as long as it may be. */
	s->r.spec.has_window = corner.closed;
	s->r.spec.window_from_min = 11 * 60 + 59;
	s->r.spec.window_to_min = 12 * 60;
	for (size_t i = 0; i < s->count; i++) {
		put(s, i, step, of_wave);
		s->machines[i].online = corner.online;
		s->machines[i].selected = corner.there;
		s->machines[i].verdict = SIM_SILENT;
	}
	let_time_pass(s);
	sim_free(s);
}

static void i9_every_state_shows_its_way_out(void **state)
{
	unsigned walks = 0;

	(void)state;
	for (unsigned st = 0; st < ROLLOUT_STATE_COUNT; st++)
		for (unsigned phase = 0; phase < ROLLOUT_PHASE_COUNT; phase++)
			for (uint32_t wave = 1; wave <= 3; wave++)
				for (unsigned step = 0; step < ROLLOUT_STEP_COUNT; step++)
					for (unsigned corner = 0; corner < 16; corner++) {
						uint32_t of = corner & 8 ? 0 : wave;

						if (!may_be((enum rollout_state)st, (enum rollout_step)step, of))
							continue;
						if (st == ROLLOUT_COMPLETED && wave < 3)
							continue;
						walk((enum rollout_state)st, (enum rollout_phase)phase, wave, (enum rollout_step)step, of,
						     (struct corner){corner & 1, corner & 2, corner & 4});
						walks++;
					}
	assert_true(walks > 1000);
}

/* ---- random walks ---- */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	/* splitmix64 */
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static void happen(struct sim *s, uint64_t *seed)
{
	struct machine *m = &s->machines[draw(seed, s->count)];

	switch (draw(seed, 14)) {
	case 0:
	case 1:
		m->online = !m->online;
		break;
	case 2:
		m->in_use = !m->in_use;
		break;
	case 3:
		m->verdict = (enum sim_verdict)draw(seed, 12);
		if (m->verdict > SIM_NEVER_CONFIRMS)
			m->verdict = SIM_TAKES;
		break;
	case 4:
		m->selected = draw(seed, 8) > 0;
		break;
	case 5:
		m->plays = draw(seed, 20) == 0 ? NEWER : m->plays;
		break;
	case 6:
		if (s->count < 40)
			sim_join(s);
		break;
	case 7:
		/* Said again, or out of order. */
		if (draw(seed, 10) == 0)
			m->told.answer = (enum gf_desired_step)draw(seed, GF_DESIRED_STEP_COUNT);
		break;
	case 8:
		m->utc_offset_s = (int32_t)draw(seed, 25) * 3600 - 12 * 3600;
		break;
	case 9:
		if (draw(seed, 10) == 0)
			(void)sim_order(s, (enum rollout_order)draw(seed, ROLLOUT_ORDER_COUNT));
		break;
	case 10:
		s->r.updated.faults += draw(seed, 2);
		s->r.updated.motor_hours += 1;
		s->r.others.faults += draw(seed, 2);
		s->r.others.motor_hours += 1;
		break;
	case 11:
		/* The gateway dies before it has stored what it decided. */
		sim_step_lost(s);
		break;
	default:
		s->now_ms += (int64_t)draw(seed, 3 * HOUR);
	}
}

static struct sim *random_sim(uint64_t *seed)
{
	struct sim *s = sim_new(1 + draw(seed, 30));

	s->r.id = draw(seed, 1000);
	s->r.spec.max_failures_ppm = (uint32_t)draw(seed, 5) * 100000;
	s->r.spec.waves[0].value = 1 + (uint32_t)draw(seed, 5);
	s->r.spec.soak_ms = (int64_t)draw(seed, 3) * HOUR;
	s->r.spec.deadline_ms = (1 + (int64_t)draw(seed, 24)) * HOUR;
	s->r.spec.has_window = draw(seed, 2);
	s->r.spec.window_from_min = 22 * 60;
	s->r.spec.window_to_min = 6 * 60;
	s->r.spec.gates_count = draw(seed, 2);
	s->r.spec.gates[0] = (struct rollout_gate){ROLLOUT_GATE_FAULTS, 1.5, true};
	return s;
}

static void i9_random_walks_keep_what_must_hold_and_end(void **state)
{
	unsigned ends[ROLLOUT_STATE_COUNT] = {0};

	(void)state;
	for (uint64_t n = 1; n <= 400; n++) {
		uint64_t seed = n * 7919;
		struct sim *s = random_sim(&seed);

		for (unsigned i = 0; i < 120; i++) {
			happen(s, &seed);
			sim_step(s);
		}
		/* Then nothing happens any more but time. */
		for (size_t i = 0; i < s->count; i++)
			s->machines[i].verdict = SIM_SILENT;
		let_time_pass(s);
		ends[s->r.state]++;
		sim_free(s);
	}
	/* The walks went everywhere. */
	assert_true(ends[ROLLOUT_HALTED] > 20);
	assert_true(ends[ROLLOUT_COMPLETED] > 20);
	assert_true(ends[ROLLOUT_ROLLED_BACK] > 20);
}

static void a_death_between_any_two_saves_repeats_and_skips_nobody(void **state)
{
	(void)state;
	for (unsigned every = 2; every < 12; every++) {
		struct sim *s = sim_new(60);

		for (unsigned i = 0; !rollout_state_ends(s->r.state); i++) {
			assert_true(i < 2000);
			if (i % every == 0)
				sim_step_lost(s);
			else
				sim_step(s);
			s->now_ms += MINUTE;
		}
		assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
		assert_int_equal(sim_count(s, ROLLOUT_STEP_CONFIRMED), 60);
		for (size_t i = 0; i < s->count; i++)
			assert_int_equal(s->machines[i].offers, 1);
		sim_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i9_every_state_shows_its_way_out),
	    cmocka_unit_test(i9_random_walks_keep_what_must_hold_and_end),
	    cmocka_unit_test(a_death_between_any_two_saves_repeats_and_skips_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
