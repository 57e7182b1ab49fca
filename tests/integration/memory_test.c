/*
 * Machines whose memory is lost, or goes back, under a real agent: the disk was wiped, or an older image of it put in. Their hour
 * meter, which is hardware, goes on; the store must agree with it (I1).
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"

#define CHAIR "chair-lab-01"

enum { SOON_MS = 30000, PLAYED = 2 };

struct test {
	struct it_world *w;
	struct it_proc *agent;
};

static int setup(void **state)
{
	static struct test t;

	t = (struct test){.w = it_open("memory")};
	*state = &t;
	it_broker_start(t.w);
	it_gateway_start(t.w);
	it_catalog(t.w, "chair", 1);
	return 0;
}

static int teardown(void **state)
{
	it_close(((struct test *)*state)->w);
	return 0;
}

/* How often it has connected, by the log of all its starts. */
static unsigned connections(struct test *t)
{
	char *log = t->agent != NULL ? it_read(it_log(t->agent)) : NULL;
	unsigned count = 0;

	for (const char *at = log; at != NULL && (at = strstr(at, ": connected")) != NULL; at++)
		count++;
	free(log);
	return count;
}

/* Returns when it is connected: from then on it ends well when it is told to. */
static void start(struct test *t, double busy)
{
	unsigned before = connections(t);

	t->agent = it_agent_start(t->w, &(struct it_agent){.id = CHAIR, .class = "chair", .busy = busy, .seed = 5});
	IT_UNTIL(SOON_MS, connections(t) > before);
}

static void stop(struct test *t)
{
	it_signal(t->agent, SIGTERM);
	it_end_well(t->agent, SOON_MS);
}

/* So many more sessions; then it is switched off. */
static void play(struct test *t, uint64_t sessions)
{
	start(t, 1);
	IT_UNTIL(SOON_MS, it_online(t->w) == 1);
	uint64_t before = it_journal(t->w, CHAIR).sessions;
	IT_UNTIL(SOON_MS, it_journal(t->w, CHAIR).sessions >= before + sessions);
	stop(t);
}

/* Nobody comes; all that is in the spool goes up. */
static struct it_sums settle(struct test *t)
{
	struct it_sums meter = it_journal(t->w, CHAIR);

	start(t, 0);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).sessions >= meter.sessions);
	stop(t);
	return it_sessions(t->w, CHAIR);
}

/* The shell's `command`, with $0 the spool's folder. */
static void disk(struct test *t, const char *command)
{
	struct it_output output = it_run(t->w, "/bin/sh", "-c", command, it_path(t->w, "machines/" CHAIR "/spool"));

	assert_int_equal(output.status, 0);
	it_output_free(&output);
}

static void assert_meter_agrees(struct test *t, struct it_sums stored)
{
	struct it_sums meter = it_journal(t->w, CHAIR);

	assert_int_equal(stored.sessions, meter.sessions);
	assert_int_equal(stored.motor_ms, meter.motor_ms);
}

static void i1_a_wiped_machine_loses_no_session(void **state)
{
	struct test *t = *state;

	play(t, PLAYED);
	settle(t);
	disk(t, "rm -r $0");
	play(t, PLAYED);
	assert_meter_agrees(t, settle(t));
	assert_true(it_audit_settled(t->w));
}

/* What the machine forgot the gateway knows; what the meter counts of it once more is noted, and no session. */
static void i1_an_older_image_loses_no_session(void **state)
{
	struct test *t = *state;

	play(t, PLAYED);
	settle(t);
	disk(t, "cp -r $0 $0.image");
	play(t, PLAYED);
	settle(t);
	disk(t, "rm -r $0 && mv $0.image $0");
	play(t, PLAYED);
	assert_meter_agrees(t, settle(t));
	assert_false(it_audit_settled(t->w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i1_a_wiped_machine_loses_no_session, setup, teardown),
	    cmocka_unit_test_setup_teardown(i1_an_older_image_loses_no_session, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
