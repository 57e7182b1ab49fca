/*
 * A disk that stalls for two seconds at a time, and no broker: the machine plays on as if nothing was (I4), tells everything afterwards
 * (I1), and ends when it is told to.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/stall.h"

#define CHAIR "chair-lab-01"

enum { SOON_MS = 30000, STALL_MS = 2000, STALLS = 4, PLAYED = 2 };

struct test {
	struct it_world *w;
	struct it_stall *disk;
	struct it_proc *agent;
};

static int setup(void **state)
{
	static struct test t;

	t = (struct test){.w = it_open("stall")};
	t.disk = it_stall_open(t.w, it_path(t.w, "machines/" CHAIR));
	*state = &t;
	it_broker_start(t.w);
	it_gateway_start(t.w);
	it_catalog(t.w, "chair", 1);
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	it_stall_close(t->disk);
	it_close(t->w);
	return 0;
}

static void start(struct test *t, double busy)
{
	const struct it_agent chair = {.id = CHAIR, .class = "chair", .busy = busy, .seed = 9};

	t->agent = it_spawn_stalled(t->w, "agent", t->disk, it_program("gymfleet-agent"), it_agent_config(t->w, &chair));
	IT_UNTIL(SOON_MS, it_online(t->w) == 1);
}

/* More sessions begin, while the disk takes seconds for each call. */
static void play_while_stalled(struct test *t)
{
	const uint64_t stalls = it_stall_count(t->disk), sessions = it_journal(t->w, CHAIR).sessions;

	it_stall_set(t->disk, STALL_MS);
	IT_UNTIL(SOON_MS, it_stall_count(t->disk) >= stalls + STALLS);
	IT_UNTIL(SOON_MS, it_journal(t->w, CHAIR).sessions >= sessions + PLAYED);
}

static void i4_a_machine_plays_on_over_a_stalled_disk_and_no_broker(void **state)
{
	struct test *t = *state;

	start(t, 1);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).sessions > 0);
	it_broker_kill(t->w);
	play_while_stalled(t);
	it_stall_set(t->disk, 0);
	it_broker_start(t->w);
	IT_UNTIL(SOON_MS, it_online(t->w) == 1);
	it_signal(t->agent, SIGTERM);
	it_end_well(t->agent, SOON_MS);
	/* Nobody comes: what was held up arrives, each session once. */
	const struct it_sums meter = it_journal(t->w, CHAIR);
	start(t, 0);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).sessions == meter.sessions && it_audit_settled(t->w));
	assert_int_equal(it_sessions(t->w, CHAIR).motor_ms, meter.motor_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i4_a_machine_plays_on_over_a_stalled_disk_and_no_broker, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
