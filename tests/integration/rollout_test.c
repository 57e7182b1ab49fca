/*
 * What stops a rollout, and what it makes of machines that fail, fault, keep silent, repeat themselves or lie: the real gateway, broker and command
 * over chairs made by hand.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/gym.h"

enum { SOON_MS = 30000, CHAIRS = 40, CANARIES = 10 };

static int setup(void **state)
{
	struct gym *g = gym_open(state, "rollout", "");

	gym_catalog(g, 2, 1);
	return 0;
}

static size_t told(const struct gym *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++)
		n += g->chairs[i].offers > 0;
	return n;
}

static void expect_retained(struct gym *g, size_t states, size_t catalogs)
{
	size_t found, wanted;

	gym_retained(g, &found, &wanted);
	assert_int_equal(found, states);
	assert_int_equal(wanted, catalogs);
}

static void a_canary_wave_of_which_a_fifth_fails_halts_and_no_later_machine_was_told(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, CHAIRS, "lab");
	g->refusals = 2;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "10,100%", "--soak", "1s", "--max-failures", "10%");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "halted"));
	gym_reason_has(g, 1, "2 of 10 machines failed (20 %), more than 10 %");
	/* Those that had it in hand say how it went. */
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g) && gym_at(g, 1, "installed") == 0);

	for (size_t i = 0; i < g->count; i++) {
		struct gym_chair *c = &g->chairs[i];
		json_t *row;

		if (c->manner != GYM_REFUSES)
			continue;
		row = gym_row(g, 1, "failed", c->id);
		assert_non_null(row);
		assert_string_equal(json_string_value(json_object_get(row, "code")), "envelope");
		assert_string_equal(json_string_value(json_object_get(row, "detail")),
		                    "short: 20 % is more than the 10 % of this machine");
		json_decref(row);
		gym_expect(gym_run(g, "rollout", "show", "1"), 0, c->id);
	}
	assert_int_equal(g->refusals, 0);
	assert_int_equal(told(g), CANARIES);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM desired"), CANARIES);
	assert_int_equal(
	    gym_count(g, "SELECT count(*) FROM rollout_devices WHERE wave <> 1 AND (told_ms > 0 OR step <> 8)"), 0);
	/* What was refused is no longer wanted; what was taken is. */
	expect_retained(g, CANARIES, (size_t)gym_at(g, 1, "confirmed"));
}

/* ---- outcomes ---- */

static void start_canaries_with_a_gate(struct gym *g)
{
	gym_chairs(g, CHAIRS, "lab");
	gym_do(g, "rollout", "start", "gym@2", "--waves", "10,100%", "--soak", "10s", "--gate", "faults_per_100h<=1.5x");
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "confirmed") == CANARIES);
}

/* Each chair runs once from now on; the last `those_without` of those that weren't told fault once, and each that was told so often. */
static void run_everywhere(struct gym *g, unsigned faults_of_the_told, size_t others_that_fault)
{
	int64_t began_ms = it_wall_ms(), until_ms = it_now_ms() + GYM_SESSION_MS;

	IT_UNTIL(SOON_MS, it_now_ms() >= until_ms);
	/* First those on the old catalog, so that nothing is compared with half of them. */
	for (size_t i = 0; i < g->count; i++)
		if (g->chairs[i].offers == 0) {
			gym_use(&g->chairs[i], began_ms, others_that_fault > 0);
			others_that_fault -= others_that_fault > 0;
		}
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
	for (size_t i = 0; i < g->count; i++)
		if (g->chairs[i].offers > 0)
			gym_use(&g->chairs[i], began_ms, faults_of_the_told);
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
}

static void a_canary_wave_in_which_faults_triple_halts_and_no_later_machine_was_told(void **state)
{
	struct gym *g = *state;

	start_canaries_with_a_gate(g);
	/* 30 in 20 s against 30 in 60 s. */
	run_everywhere(g, 3, CHAIRS - CANARIES);
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "halted"));
	gym_reason_has(g, 1, "30 faults in 0.00556 h");
	gym_reason_has(g, 1, "against 30 in 0.0167 h");
	gym_reason_has(g, 1, "above 1.5x");
	assert_int_equal(told(g), CANARIES);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM desired"), CANARIES);
	expect_retained(g, CANARIES, CANARIES);
}

static void the_same_faults_everywhere_do_not_halt(void **state)
{
	struct gym *g = *state;

	start_canaries_with_a_gate(g);
	run_everywhere(g, 1, CHAIRS - CANARIES);
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "confirmed") == CHAIRS);
	assert_int_equal(told(g), CHAIRS);
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "completed"));
}

/* ---- silence, repetition, lies ---- */

static void i9_machines_that_never_answer_expire_and_the_rollout_ends(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, 3, "lab");
	for (size_t i = 0; i < g->count; i++)
		g->chairs[i].manner = GYM_KEEPS_SILENT;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "100%", "--soak", "1s", "--deadline", "3s", "--max-failures",
	       "100%");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "completed"));
	assert_int_equal(gym_at(g, 1, "expired"), 3);
	assert_true(gym_row_says(g, 1, "expired", "chair-01", "told, and no answer within 3"));
	gym_expect(gym_run(g, "rollout", "show", "1"), 0, "told, and no answer within 3");
	expect_retained(g, 3, 0);
}

static void i9_with_a_limit_they_halt_it(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, 3, "lab");
	for (size_t i = 0; i < g->count; i++)
		g->chairs[i].manner = GYM_KEEPS_SILENT;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "1,100%", "--soak", "1s", "--deadline", "3s");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "halted"));
	gym_reason_has(g, 1, "told, and no answer within 3");
	assert_int_equal(told(g), 1);
}

static struct gym_chair *first_told(struct gym *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->chairs[i].offers > 0)
			return &g->chairs[i];
	return NULL;
}

static void what_answers_to_nothing_that_was_asked_moves_nothing(void **state)
{
	struct gym *g = *state;
	struct gym_chair *c;
	struct gf_desired other;

	gym_chairs(g, 3, "lab");
	for (size_t i = 0; i < g->count; i++)
		g->chairs[i].manner = GYM_KEEPS_SILENT;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "1,100%", "--soak", "1s");
	GYM_UNTIL(g, SOON_MS, (c = first_told(g)) != NULL);
	/* For a revision that was never given. */
	other = c->desired;
	other.revision += 7;
	gym_say(c, it_answer(c->m, 0, &other, GF_DESIRED_STEP_CONFIRMED));
	/* For another rollout's catalog. */
	other = c->desired;
	memset(&other.catalog.digest, 9, sizeof other.catalog.digest);
	gym_say(c, it_answer(c->m, 0, &other, GF_DESIRED_STEP_CONFIRMED));
	/* By a machine that was not told. */
	for (size_t i = 0; i < g->count; i++)
		if (&g->chairs[i] != c)
			gym_say(&g->chairs[i], it_answer(g->chairs[i].m, 0, &c->desired, GF_DESIRED_STEP_CONFIRMED));
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
	/* The runner has looked at all of it: it does so each second, and answers an order only after the same look. */
	gym_do(g, "rollout", "pause", "1");
	gym_do(g, "rollout", "resume", "1");
	assert_int_equal(gym_at(g, 1, "offered"), 1);
	assert_int_equal(gym_at(g, 1, "waiting"), 2);
	assert_int_equal(told(g), 1);
}

static void an_answer_that_is_given_twice_counts_once(void **state)
{
	struct gym *g = *state;
	struct gym_chair *c;

	gym_chairs(g, 3, "lab");
	gym_do(g, "rollout", "start", "gym@2", "--waves", "1,100%", "--soak", "30m");
	GYM_UNTIL(g, SOON_MS, (c = first_told(g)) != NULL && gym_at(g, 1, "confirmed") == 1);
	gym_say(c, it_answer(c->m, 0, &c->desired, GF_DESIRED_STEP_ACTIVE));
	gym_say(c, it_answer(c->m, 0, &c->desired, GF_DESIRED_STEP_CONFIRMED));
	gym_say(c, it_answer(c->m, 0, &c->desired, GF_DESIRED_STEP_WAITING));
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
	gym_do(g, "rollout", "pause", "1");
	gym_do(g, "rollout", "resume", "1");
	assert_int_equal(gym_at(g, 1, "confirmed"), 1);
	assert_int_equal(gym_at(g, 1, "waiting"), 2);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM events WHERE text LIKE '%passed its trial%'"), 1);
}

static struct gym_chair *first_expired(struct gym *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (gym_row_says(g, 1, "expired", g->chairs[i].id, ""))
			return &g->chairs[i];
	return NULL;
}

static void an_answer_after_the_deadline_is_told_and_counts_no_more(void **state)
{
	struct gym *g = *state;
	struct gym_chair *c;

	gym_chairs(g, 3, "lab");
	for (size_t i = 0; i < g->count; i++)
		g->chairs[i].manner = GYM_KEEPS_SILENT;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "1,100%", "--soak", "1s", "--deadline", "2s");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "halted"));
	c = first_expired(g);
	assert_non_null(c);
	/* It had heard of the withdrawal by now, on a busy machine of nothing else; this was on its way before. */
	c->desired.revision = (uint64_t)gym_count(g, "SELECT max(revision) FROM rollout_devices");
	c->desired.has_catalog = true;
	c->desired.catalog = (struct gf_desired_catalog){.name = "gym", .version = 2, .digest = g->digests[2]};
	gym_say(c, it_changed(c->m, 0, &c->desired.catalog, 1));
	gym_say(c, it_answer(c->m, 0, &c->desired, GF_DESIRED_STEP_CONFIRMED));
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
	/* What is over is looked at again when somebody orders something. */
	gym_do(g, "rollout", "resume", "1");
	gym_do(g, "rollout", "halt", "1");
	assert_true(gym_row_says(g, 1, "expired", c->id, "took it after its deadline"));
	assert_int_equal(gym_at(g, 1, "confirmed"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, gym_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_canary_wave_of_which_a_fifth_fails_halts_and_no_later_machine_was_told),
	    TEST(a_canary_wave_in_which_faults_triple_halts_and_no_later_machine_was_told),
	    TEST(the_same_faults_everywhere_do_not_halt),
	    TEST(i9_machines_that_never_answer_expire_and_the_rollout_ends),
	    TEST(i9_with_a_limit_they_halt_it),
	    TEST(what_answers_to_nothing_that_was_asked_moves_nothing),
	    TEST(an_answer_that_is_given_twice_counts_once),
	    TEST(an_answer_after_the_deadline_is_told_and_counts_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
