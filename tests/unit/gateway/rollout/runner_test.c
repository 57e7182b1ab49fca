/* The runner over the real store: starting, the way, latecomers, orders. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/rollout/runner_rig.h"

/* ---- the way ---- */

static void a_rollout_reaches_everybody_once(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct store_rollout r;

	run(g, MINUTE);
	assert_int_equal(get(g, id).waves[1].machines, 1);
	run_to_end(g, id, 2 * HOUR);
	r = get(g, id);
	assert_int_equal(r.rollout.state, ROLLOUT_COMPLETED);
	assert_int_equal(r.machines, MACHINES);
	assert_int_equal(r.steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	assert_int_equal(r.waves[1].machines, 1);
	assert_int_equal(r.waves[2].machines, 4);
	assert_int_equal(r.waves[3].machines, 15);
	assert_true(r.waves[2].began_ms > r.waves[1].began_ms);
	assert_true(r.waves[3].done_ms >= r.waves[3].began_ms);
	for (size_t i = 0; i < MACHINES; i++) {
		assert_int_equal(g->machines[i].told, 1);
		assert_int_equal(g->machines[i].plays, NEW);
	}
	assert_true(g->wakes >= 3);
}

static void a_refusal_reaches_its_sentence(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct store_desired desired;
	struct rollout_device d;

	for (size_t i = 0; i < MACHINES; i++)
		g->machines[i].refuses = true;
	run(g, 5 * MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_HALTED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_FAILED], 1);
	for (size_t i = 0; i < MACHINES; i++) {
		d = device_of(g, id, &g->machines[i]);
		if (d.step == ROLLOUT_STEP_FAILED) {
			assert_string_equal(d.detail, "step 3 needs 40 Hz, this machine has 30");
			assert_int_equal(d.refusal, GF_REFUSAL_ENVELOPE);
			/* It is not asked for what it refused any longer. */
			assert_int_equal(store_read_desired_of(g->f->reader, d.id, &desired, NULL), 0);
			assert_false(desired.desired.has_catalog);
			assert_int_equal(g->machines[i].told, 1);
		}
	}
}

static void limits_set_meanwhile_lose_no_answer(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct gf_desired_limits limits = {.intensity_max_pct = 50};
	uint64_t id;

	s.waves_count = 1;
	s.waves[0] = (struct rollout_wave_size){100, true};
	id = start(g, &s);
	runner_step(g->runner, g->now);
	for (size_t i = 0; i < MACHINES; i += 2)
		assert_int_equal(
		    store_desired_set(g->f->store, g->machines[i].id, &limits, NULL, NULL, &anna, g->now.wall_ms, NULL), 0);
	run_to_end(g, id, HOUR);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
}

static void latecomers_join_and_others_do_not(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct store_rollout r;
	uint64_t id;

	gf_strcpy(s.where, sizeof(s.where), "site=berlin");
	id = start(g, &s);
	run(g, 5 * MINUTE);
	add_machine(g);
	say_hello(g, &g->machines[3], "munich"); /* the same connection: only a restart tells another place */
	g->machines[MACHINES + 1] = (struct machine){.id = "chair-munich", .plays = OLD, .seq = 1};
	g->count++;
	say_hello(g, &g->machines[MACHINES + 1], "munich");
	run_to_end(g, id, 3 * HOUR);
	r = get(g, id);
	assert_int_equal(r.machines, MACHINES + 1);
	assert_int_equal(g->machines[MACHINES].plays, NEW);
	assert_int_equal(g->machines[MACHINES + 1].told, 0);
	/* It is over, and still serves who comes. */
	g->machines[MACHINES + 1].told = 0;
	say_hello(g, &g->machines[MACHINES + 1], "munich");
	assert_int_equal(store_device_set(g->f->store, "chair-munich", &(struct store_device_change){.site = "berlin"},
	                                  &anna, NOON, NULL),
	                 0);
	run(g, 3 * MINUTE);
	assert_int_equal(g->machines[MACHINES + 1].told, 1);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES + 2 - (r.steps[ROLLOUT_STEP_LEFT]));
}

static void orders_are_carried_out_and_told(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	uint64_t id = start(g, &s);

	run(g, MINUTE);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, &diag), 0);
	run(g, HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_PAUSED);
	assert_string_equal(get(g, id).rollout.reason, "paused by anna (uid 1000)");
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "is paused"));
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), 0);
	run_to_end(g, id, 2 * HOUR);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, &diag), 0);
	run_to_end(g, id, HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_REVERTED], MACHINES);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].plays, OLD);
	assert_int_equal(runner_order(g->runner, 99, ROLLOUT_ORDER_HALT, &anna, g->now, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "no rollout 99"));
}

static int count_deed(void *ctx, const struct store_deed *deed)
{
	*(unsigned *)ctx += strncmp(deed->action, "rollout ", 8) == 0 && strcmp(deed->subject, "gym@8") == 0;
	return 0;
}

static int count_event(void *ctx, const struct store_event *event)
{
	(void)event;
	++*(unsigned *)ctx;
	return 0;
}

static void who_did_what_is_kept(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	const struct store_event_query query = {.kinds = 1u << STORE_EVENT_ROLLOUT};
	unsigned deeds = 0, events = 0;
	uint64_t id = start(g, &s);

	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	assert_int_equal(store_read_deeds(g->f->reader, 0, 0, count_deed, &deeds, NULL), 0);
	assert_int_equal(deeds, 2);
	assert_int_equal(store_read_events(g->f->reader, &query, count_event, &events, NULL), 0);
	assert_int_equal(events, 2);
}

/* ---- starting ---- */

static void what_can_not_be_started_is_said(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t id = 0;

	s.version = 77;
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "no catalog gym@77"));
	s = spec();
	gf_strcpy(s.where, sizeof(s.where), "colour=red");
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "column 1"));
	gf_strcpy(s.where, sizeof(s.where), "site=nowhere");
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "0 machines are selected"));
	s = spec();
	s.waves_count = 0;
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -EINVAL);
	assert_int_equal(id, 0);
}

static void two_that_touch_one_machine_are_refused(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t first = start(g, &s), second = 0;

	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &second, &machines, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "'chair-00' is in rollout 1 of gym@8, which is running"));
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_HALT, &anna, g->now, &diag), 0);
	second = start(g, &s);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "is in rollout 2 of gym@8"));
	run_to_end(g, second, 2 * HOUR);
	assert_int_equal(get(g, second).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	/* The first one, resumed, finds its machines gone. */
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), 0);
	run(g, MINUTE);
	assert_int_equal(get(g, first).rollout.state, ROLLOUT_COMPLETED);
	for (size_t i = 0; i < MACHINES; i++)
		assert_true(g->machines[i].told <= 2);
}

static void a_later_one_that_was_halted_takes_nobody(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t first = start(g, &s), second;

	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	second = start(g, &s);
	assert_int_equal(runner_order(g->runner, second, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	pass(g, MINUTE);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, NULL), 0);
	run_to_end(g, first, 2 * HOUR);
	assert_int_equal(get(g, first).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
}

static struct rollout_spec newer(struct rig *g)
{
	struct rollout_spec s = spec();

	publish(g, NEW + 1, OLD);
	s.version = NEW + 1;
	s.max_failures_ppm = 1000000;
	return s;
}

static void who_did_not_take_a_later_one_goes_back_with_the_earlier(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec(), later = newer(g);
	uint64_t first = start(g, &s), second;

	run_to_end(g, first, 2 * HOUR);
	g->machines[2].refuses = g->machines[3].silent = g->machines[4].offline = true;
	second = start(g, &later);
	run_to_end(g, second, 8 * HOUR);
	assert_int_equal(get(g, second).rollout.state, ROLLOUT_COMPLETED);
	assert_int_equal(device_of(g, second, &g->machines[2]).step, ROLLOUT_STEP_FAILED);
	g->machines[2].refuses = g->machines[3].silent = false;
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, NULL), 0);
	run_to_end(g, first, 3 * HOUR);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].plays, i == 2 || i == 3 ? OLD : g->machines[i].offline ? NEW : NEW + 1);
}

static void two_are_rolled_back_one_after_the_other(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec(), later = newer(g);
	uint64_t first = start(g, &s), second;
	struct gf_diag diag = {""};

	run_to_end(g, first, 2 * HOUR);
	second = start(g, &later);
	run_to_end(g, second, 2 * HOUR);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "a later rollout has all 20 machines that took gym@8"));
	assert_int_equal(runner_order(g->runner, second, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, NULL), 0);
	run_to_end(g, second, 3 * HOUR);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].plays, NEW);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, &diag), 0);
	run_to_end(g, first, 3 * HOUR);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].plays, OLD);
}

static void what_was_put_on_by_hand_since_is_not_rolled_back(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_status by_hand = birth(2, 1, 1);
	uint64_t id = start(g, &s);

	run_to_end(g, id, 2 * HOUR);
	gf_strcpy(by_hand.catalog, sizeof(by_hand.catalog), "other");
	by_hand.catalog_version = NEW;
	by_hand.catalog_digest = digest(99);
	send_status(g->f, g->machines[1].id, by_hand, false, g->now.wall_ms);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, NULL), 0);
	run_to_end(g, id, 3 * HOUR);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_REVERTED], MACHINES - 1);
	assert_int_equal(device_of(g, id, &g->machines[1]).step, ROLLOUT_STEP_CONFIRMED);
}

static void nothing_moves_by_a_clock_that_is_not_set(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_time unset = {.mono_ms = 2000, .wall_ms = 1000};
	struct gf_diag diag = {""};
	uint64_t id = start(g, &s);
	size_t machines;

	assert_int_equal(runner_step(g->runner, unset), unset.mono_ms + RUNNER_STEP_MS);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_WAITING], MACHINES);
	assert_int_equal(runner_start(g->runner, &s, &anna, unset, &id, &machines, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "clock is not set"));
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_HALT, &anna, unset, &diag), -EINVAL);
}

/* Completed ones serve who comes late: each looks at every machine, and the main loop has more to do. */
static void i8_many_that_are_over_take_turns(void **state)
{
	struct rig *g = *state;
	enum { OVER = 10 };
	uint64_t id;

	for (size_t i = 0; i < OVER; i++) {
		struct rollout_spec s = spec();
		char site[16];

		snprintf(site, sizeof(site), "s%zu", i);
		say_hello(g, &g->machines[i], site);
		snprintf(s.where, sizeof(s.where), "site=%s", site);
		id = start(g, &s);
		run_to_end(g, id, 2 * HOUR);
	}
	say_hello(g, &g->machines[OVER], "new");
	struct rollout_spec last = spec();
	gf_strcpy(last.where, sizeof(last.where), "site=new");
	id = start(g, &last);
	reborn(g);
	rig_looks = 0;
	runner_step(g->runner, g->now);
	assert_in_range(rig_looks, 1, 4);
	/* The one that is under way came first, and all the others get their turn. */
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
	say_hello(g, &g->machines[OVER + 1], "s9");
	for (int i = 0; i < 5; i++) {
		pass(g, RUNNER_STEP_MS);
		runner_step(g->runner, g->now);
	}
	assert_true(rig_looks > OVER);
	assert_int_equal(get(g, OVER).machines, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_rollout_reaches_everybody_once),
	    TEST(a_refusal_reaches_its_sentence),
	    TEST(limits_set_meanwhile_lose_no_answer),
	    TEST(latecomers_join_and_others_do_not),
	    TEST(orders_are_carried_out_and_told),
	    TEST(who_did_what_is_kept),
	    TEST(what_can_not_be_started_is_said),
	    TEST(two_that_touch_one_machine_are_refused),
	    TEST(a_later_one_that_was_halted_takes_nobody),
	    TEST(who_did_not_take_a_later_one_goes_back_with_the_earlier),
	    TEST(two_are_rolled_back_one_after_the_other),
	    TEST(nothing_moves_by_a_clock_that_is_not_set),
	    TEST(what_was_put_on_by_hand_since_is_not_rolled_back),
	    TEST(i8_many_that_are_over_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
