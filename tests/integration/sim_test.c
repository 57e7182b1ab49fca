/*
 * gymfleet-sim against a real broker and gateway: the past it made up and what its machines do now all reach the store, each session
 * once, also over a kill -9; a signal ends it in order.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"

enum { SOON_MS = 30000, MACHINES = 4, LIVE_SESSIONS = 12, HISTORY_SESSIONS = 100 };

static const char *const machines[MACHINES] = {"chair-lab-01", "chair-lab-02", "roller-lab-01", "roller-lab-02"};

static int setup(void **state)
{
	struct it_world *w = it_open("sim");
	*state = w;
	it_broker_start(w);
	it_gateway_start(w);
	it_catalog(w, "chair", 2);
	it_catalog(w, "roller", 2);
	for (size_t i = 0; i < MACHINES; i++)
		it_device(w, machines[i]);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

static struct it_proc *sim_start(struct it_world *w, unsigned busy)
{
	const char *scenario = it_path(w, "scenario.yaml");
	char broker[32];
	snprintf(broker, sizeof(broker), "localhost:%u", it_device_port(w));
	it_write(scenario,
	         "seed: 5\n"
	         "sites:\n"
	         "  - name: lab\n"
	         "    machines:\n"
	         "      - {class: chair, count: 2, prefix: chair, model: c1, busy: %u}\n"
	         "      - {class: roller, count: 2, prefix: roller, model: r1, busy: %u}\n",
	         busy, busy);
	return it_spawn(w, "sim", it_program("gymfleet-sim"), "--scenario", scenario, "--state", it_path(w, "machines"),
	                "--catalogs", it_path(w, "catalogs"), "--pki", it_path(w, "pki"), "--history", "20m", "--broker",
	                broker);
}

static uint64_t metered(struct it_world *w)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < MACHINES; i++)
		sum += it_journal(w, machines[i]).sessions;
	return sum;
}

static bool all_stored(struct it_world *w)
{
	for (size_t i = 0; i < MACHINES; i++) {
		struct it_sums stored = it_sessions(w, machines[i]), meter = it_journal(w, machines[i]);
		if (stored.running > 0 || stored.sessions < meter.sessions || stored.motor_ms < meter.motor_ms)
			return false;
	}
	return true;
}

static void i1_a_simulated_fleet_tells_its_past_and_its_present(void **state)
{
	struct it_world *w = *state;
	struct it_proc *sim = sim_start(w, 1);
	IT_UNTIL(SOON_MS, it_online(w) == MACHINES);
	uint64_t past = metered(w);
	assert_true(past > HISTORY_SESSIONS);
	IT_UNTIL(SOON_MS, metered(w) >= past + LIVE_SESSIONS);
	it_signal(sim, SIGKILL);

	/* The past isn't made up a second time. */
	sim = sim_start(w, 1);
	past = metered(w);
	IT_UNTIL(SOON_MS, metered(w) >= past + LIVE_SESSIONS);
	assert_true(metered(w) < past + HISTORY_SESSIONS);
	IT_UNTIL(SOON_MS, it_online(w) == MACHINES);
	it_signal(sim, SIGTERM);
	it_end_well(sim, SOON_MS);
	IT_UNTIL(SOON_MS, it_online(w) == 0);

	/* Nobody comes any more; what was left to say is said. */
	sim = sim_start(w, 0);
	IT_UNTIL(SOON_MS, all_stored(w));
	IT_UNTIL(SOON_MS, it_audit_settled(w));
	for (size_t i = 0; i < MACHINES; i++) {
		struct it_sums stored = it_sessions(w, machines[i]), meter = it_journal(w, machines[i]);
		assert_int_equal(stored.sessions, meter.sessions);
		assert_int_equal(stored.motor_ms, meter.motor_ms);
	}
	it_signal(sim, SIGINT);
	it_end_well(sim, SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i1_a_simulated_fleet_tells_its_past_and_its_present, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
