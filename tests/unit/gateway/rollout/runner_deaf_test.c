/* The runner of a gateway that could hear nobody for a while: its broker was away, or it was off itself. */
#include <string.h>

#include "tests/unit/gateway/rollout/runner_rig.h"

static int64_t hears_since_ms;

/* As the main loop: tells, then steps; machines act only while the broker is there. */
static void live(struct rig *g, int64_t span_ms)
{
	for (int64_t until_ms = g->now.wall_ms + span_ms; g->now.wall_ms < until_ms; pass(g, 10000)) {
		runner_hears(g->runner, hears_since_ms, g->now);
		runner_step(g->runner, g->now);
		if (hears_since_ms > 0)
			machines_act(g);
	}
}

/* Each was used for an hour; those with the new catalog broke down. */
static void say_day(struct rig *g, struct machine *m)
{
	enum gf_severity severity = m->plays == NEW ? GF_SEVERITY_STOP : GF_SEVERITY_INFO;
	struct gf_record rs[] = {session(m->seq, 1, g->now.wall_ms - 30 * MINUTE),
	                         fault(m->seq + 1, 1, GF_FAULT_STALL, severity, g->now.wall_ms - 30 * MINUTE)};

	rs[0].session_ended.motor_ms = HOUR;
	send_report(g->f, m->id, 1, rs, 2, g->now.wall_ms);
	m->seq += 2;
}

/* In the soak of a first wave of five. */
static uint64_t soaking(struct rig *g)
{
	struct rollout_spec s = spec();
	uint64_t id;

	s.waves[0].value = 5;
	s.waves[1].value = 50;
	s.gates_count = 1;
	s.gates[0] = (struct rollout_gate){ROLLOUT_GATE_FAULTS, 1.5, true};
	s.soak_ms = 50 * MINUTE;
	hears_since_ms = g->now.wall_ms;
	id = start(g, &s);
	live(g, 5 * MINUTE);
	assert_int_equal(get(g, id).rollout.phase, ROLLOUT_PHASE_SOAKING);
	return id;
}

/* They come back within half a minute, and tell what happened. */
static void back_with_faults(struct rig *g)
{
	hears_since_ms = g->now.wall_ms;
	live(g, 30000);
	for (size_t i = 0; i < MACHINES; i++)
		say_day(g, &g->machines[i]);
	live(g, 5 * MINUTE);
}

static void a_soak_that_nobody_heard_is_judged_by_what_comes_after(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);
	struct store_rollout r;

	hears_since_ms = 0;
	live(g, 2 * HOUR);
	assert_int_equal(get(g, id).rollout.wave, 1);
	back_with_faults(g);
	r = get(g, id);
	assert_int_equal(r.rollout.state, ROLLOUT_HALTED);
	assert_int_equal(r.waves[2].machines + r.waves[3].machines, 0);
}

static void a_gateway_that_was_off_judges_nothing_before_it_heard_the_machines(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);
	struct store_rollout r;

	pass(g, 2 * HOUR);
	reborn(g);
	back_with_faults(g);
	r = get(g, id);
	assert_int_equal(r.rollout.state, ROLLOUT_HALTED);
	assert_int_equal(r.waves[2].machines + r.waves[3].machines, 0);
}

/* Who answered in time, and could not be heard, is not late. */
static void answers_that_waited_for_the_gateway_are_in_time(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	uint64_t id;

	s.waves_count = 1;
	s.waves[0] = (struct rollout_wave_size){100, true};
	hears_since_ms = g->now.wall_ms;
	id = start(g, &s);
	runner_hears(g->runner, hears_since_ms, g->now);
	runner_step(g->runner, g->now);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], MACHINES);
	pass(g, 24 * HOUR);
	reborn(g);
	hears_since_ms = g->now.wall_ms;
	live(g, 20 * MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_COMPLETED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
}

static void a_short_break_holds_up_nothing(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);

	hears_since_ms = 0;
	live(g, 20000);
	hears_since_ms = g->now.wall_ms;
	live(g, 46 * MINUTE);
	assert_int_equal(get(g, id).rollout.wave, 2);
}

/* Machines that have nothing to say are heard once a minute. */
static void a_restart_of_some_seconds_holds_up_nothing(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);

	say_hello(g, &g->machines[0], "berlin");
	pass(g, 55000);
	reborn(g);
	pass(g, 20000);
	hears_since_ms = g->now.wall_ms;
	assert_false(runner_hears(g->runner, hears_since_ms, g->now));
	live(g, 46 * MINUTE);
	assert_int_equal(get(g, id).rollout.wave, 2);
}

/* A rollout whose canary is told, and answers nothing. */
static uint64_t silent(struct rig *g)
{
	struct rollout_spec s = spec();

	for (size_t i = 0; i < MACHINES; i++)
		g->machines[i].silent = true;
	hears_since_ms = g->now.wall_ms;
	uint64_t id = start(g, &s);
	live(g, MINUTE);
	return id;
}

/* Nobody waits for the broker to stop a rollout; time alone ends nothing meanwhile (I9: it does once it hears again). */
static void i9_orders_are_taken_and_deadlines_wait_while_nobody_is_heard(void **state)
{
	struct rig *g = *state;
	uint64_t id = silent(g);

	hears_since_ms = 0;
	live(g, 3 * HOUR);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, NULL), 0);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_PAUSED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
	hears_since_ms = g->now.wall_ms;
	live(g, 3 * MINUTE);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_EXPIRED], 1);
}

/* ---- a clock that is set ---- */

static void set_clock(struct rig *g, int64_t by_ms)
{
	g->now.wall_ms += by_ms;
}

static void a_clock_that_is_set_cuts_no_soak_short(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);

	set_clock(g, 24 * HOUR);
	live(g, 20 * MINUTE);
	assert_int_equal(get(g, id).rollout.phase, ROLLOUT_PHASE_SOAKING);
	assert_int_equal(get(g, id).rollout.wave, 1);
	set_clock(g, -48 * HOUR);
	live(g, 27 * MINUTE);
	assert_int_equal(get(g, id).rollout.wave, 2);
}

/* I9: nor does it call machines late, or keep one in progress for a day more; also when the next thing that happens is an order. */
static void i9_a_clock_that_is_set_moves_no_deadline(void **state)
{
	struct rig *g = *state;
	uint64_t id = silent(g);

	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
	set_clock(g, 24 * HOUR);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, NULL), 0);
	live(g, 118 * MINUTE);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
	set_clock(g, -24 * HOUR);
	live(g, 3 * MINUTE);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_EXPIRED], 1);
}

/* What is forgiven is what failed before, by any clock. */
static void a_clock_that_is_set_back_forgives_nothing(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	uint64_t id;

	for (size_t i = 0; i < MACHINES; i++)
		g->machines[i].refuses = true;
	hears_since_ms = g->now.wall_ms;
	id = start(g, &s);
	live(g, 5 * MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_HALTED);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_RESUME, &anna, g->now, NULL), 0);
	set_clock(g, -48 * HOUR);
	live(g, 5 * MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_HALTED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_FAILED], 2);
}

/* A week that the clock made up is none. */
static void a_pause_lasts_a_week_of_real_time(void **state)
{
	struct rig *g = *state;
	uint64_t id = soaking(g);

	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, NULL), 0);
	set_clock(g, INT64_C(8) * 24 * HOUR);
	live(g, MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_PAUSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_soak_that_nobody_heard_is_judged_by_what_comes_after),
	    TEST(a_gateway_that_was_off_judges_nothing_before_it_heard_the_machines),
	    TEST(answers_that_waited_for_the_gateway_are_in_time),
	    TEST(a_short_break_holds_up_nothing),
	    TEST(a_restart_of_some_seconds_holds_up_nothing),
	    TEST(i9_orders_are_taken_and_deadlines_wait_while_nobody_is_heard),
	    TEST(a_clock_that_is_set_cuts_no_soak_short),
	    TEST(i9_a_clock_that_is_set_moves_no_deadline),
	    TEST(a_clock_that_is_set_back_forgives_nothing),
	    TEST(a_pause_lasts_a_week_of_real_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
