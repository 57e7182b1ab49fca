/*
 * kill -9 of everything, in any order, while sessions run: afterwards every session is in the store exactly once (I1), the audit is
 * clean, and the sums equal the machines' own hour meters.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "tests/integration/fleet.h"

enum { ROUNDS = 10, AGENTS = 5, SESSIONS_BETWEEN = 6, PATIENCE_MS = 60000 };

static const struct {
	const char *id, *class;
} machines[AGENTS] = {
    {"gun-lab-01", "percussion"}, {"roller-lab-01", "roller"}, {"boots-lab-01", "compression"},
    {"chair-lab-01", "chair"},    {"bed-lab-01", "water_bed"},
};

struct fleet {
	struct it_world *w;
	struct it_proc *gateway, *agents[AGENTS];
	struct gf_prng prng;
	uint64_t seed;
};

static int setup(void **state)
{
	struct fleet *f = calloc(1, sizeof(*f));
	const char *seed = getenv("GF_SEED");
	f->seed = seed != NULL ? strtoull(seed, NULL, 10) : 20260417;
	gf_prng_seed(&f->prng, f->seed);
	f->w = it_open("kill");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fleet *f = *state;
	it_close(f->w);
	free(f);
	return 0;
}

static void start_agent(struct fleet *f, size_t i, double busy)
{
	const struct it_agent agent = {.id = machines[i].id, .class = machines[i].class, .busy = busy, .seed = f->seed + i};
	f->agents[i] = it_agent_start(f->w, &agent);
}

static uint64_t starts(struct fleet *f)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < AGENTS; i++)
		sum += it_journal(f->w, machines[i].id).sessions;
	return sum;
}

static void kill_gateway(struct fleet *f)
{
	it_signal(f->gateway, SIGKILL);
	f->gateway = it_gateway_start(f->w);
}

static void kill_broker(struct fleet *f)
{
	it_broker_kill(f->w);
	it_broker_wipe(f->w);
	it_broker_start(f->w);
}

static void kill_agents(struct fleet *f)
{
	for (size_t i = 0; i < AGENTS; i++)
		it_signal(f->agents[i], SIGKILL);
	for (size_t i = 0; i < AGENTS; i++)
		start_agent(f, i, 1.0);
}

/* One round: all three, in an order of its own, each after a few more sessions have begun. */
static void round_of_kills(struct fleet *f)
{
	void (*kills[])(struct fleet *) = {kill_gateway, kill_broker, kill_agents};
	for (size_t left = 3; left > 0; left--) {
		size_t pick = gf_prng_below(&f->prng, left);
		uint64_t target = starts(f) + gf_prng_below(&f->prng, SESSIONS_BETWEEN);
		IT_UNTIL(PATIENCE_MS, starts(f) >= target);
		kills[pick](f);
		kills[pick] = kills[left - 1];
	}
}

/* The store has all that the machine's hour meter counted; how it got there is for the assertions after. */
static bool caught_up(struct fleet *f, size_t i)
{
	struct it_sums stored = it_sessions(f->w, machines[i].id), meter = it_journal(f->w, machines[i].id);
	return stored.running == 0 && stored.sessions >= meter.sessions && stored.motor_ms >= meter.motor_ms;
}

/* Nobody comes any more: what is left in the spools goes up, and everything must add up. */
static void settle(struct fleet *f)
{
	for (size_t i = 0; i < AGENTS; i++) {
		it_signal(f->agents[i], SIGTERM);
		it_end_well(f->agents[i], 15000);
		start_agent(f, i, 0);
	}
	for (size_t i = 0; i < AGENTS; i++)
		IT_UNTIL(PATIENCE_MS, caught_up(f, i));
	IT_UNTIL(PATIENCE_MS, it_online(f->w) == AGENTS);
	IT_UNTIL(PATIENCE_MS, it_audit_settled(f->w));
}

static void i1_sums_equal_the_hour_meters_after_kills(void **state)
{
	struct fleet *f = *state;
	uint64_t sessions = 0, interrupted = 0;

	print_message("seed %llu (GF_SEED)\n", (unsigned long long)f->seed);
	for (size_t i = 0; i < AGENTS; i++)
		it_catalog(f->w, machines[i].class, 2);
	it_broker_start(f->w);
	f->gateway = it_gateway_start(f->w);
	for (size_t i = 0; i < AGENTS; i++)
		start_agent(f, i, 1.0);
	IT_UNTIL(PATIENCE_MS, it_online(f->w) == AGENTS);
	for (int round = 0; round < ROUNDS; round++)
		round_of_kills(f);
	settle(f);

	for (size_t i = 0; i < AGENTS; i++) {
		struct it_sums stored = it_sessions(f->w, machines[i].id), meter = it_journal(f->w, machines[i].id);
		assert_int_equal(stored.running, 0);
		assert_int_equal(stored.sessions, meter.sessions);
		assert_int_equal(stored.motor_ms, meter.motor_ms);
		sessions += stored.sessions;
		interrupted += stored.interrupted;
	}
	print_message("%llu sessions, %llu of them interrupted\n", (unsigned long long)sessions,
	              (unsigned long long)interrupted);
	assert_true(interrupted > 0);
	assert_true(sessions > interrupted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i1_sums_equal_the_hour_meters_after_kills, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
