/*
 * A disk that is full, under the gateway and under an agent. The gateway acks nothing it can't store, says so, and goes on by itself; the
 * agent's machine works on, its sessions go into the spool's reserve, and only heartbeats give way (I1, I2, I8).
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/disk.h"
#include "tests/integration/fleet.h"
#include "tests/integration/machine.h"

#define CHAIR "chair-lab-01"

enum { SOON_MS = 30000, GATEWAY_KIB = 8 * 1024, SPOOL_KIB = 512, SESSIONS_MAX = 2000, PLAYED = 3 };

static int setup(void **state)
{
	struct it_world *w = it_open("full");

	*state = w;
	it_broker_start(w);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* ---- the gateway ---- */

static struct it_proc *start_gateway(struct it_world *w, const struct it_proc *disk)
{
	return it_spawn_on_disk(w, "gateway", disk, it_program("gymfleet-gateway"), it_gateway_config(w));
}

/* A machine that the gateway has stored: a birth is acked by nobody, and one that comes to a full disk waits until there is room. */
static struct it_machine *open_machine(struct it_world *w)
{
	struct it_machine *m = it_machine_open(w, "chair-1");

	it_machine_birth(m, NULL);
	IT_UNTIL(SOON_MS, it_online(w) == 1);
	return m;
}

static void report(struct it_machine *m, uint64_t no)
{
	struct gf_record record = it_session(m, no, no, m->opened_ms + (int64_t)no * 100);

	it_machine_report(m, &record, 1);
}

/* Session by session until one isn't acked; returns its number. */
static uint64_t report_until_full(struct it_world *w, struct it_machine *m)
{
	for (uint64_t no = 1; no < SESSIONS_MAX; no++) {
		bool full = false;

		report(m, no);
		for (int64_t end = it_now_ms() + SOON_MS; it_machine_acked(m) != no && !full && it_now_ms() < end; it_pause())
			full = it_doctor_says(w, "ingest", "critical", "no space left for the database");
		if (full)
			return no;
		assert_int_equal(it_machine_acked(m), no);
	}
	fail_msg("%d sessions went onto a full disk", SESSIONS_MAX);
	return 0;
}

/* So many at once that the gateway opens the database anew for some of them. */
static void expect_answers_to_many(struct it_world *w)
{
	struct it_output output =
	    it_run(w, "sh", "-c", "seq 24 | xargs -P 12 -I{} \"$0\" --socket \"$1\" sessions chair-1 --limit {}",
	           it_program("gymfleet"), it_path(w, "gateway.sock"));

	if (output.status != 0)
		print_error("%s\n", output.err);
	assert_int_equal(output.status, 0);
	it_output_free(&output);
}

/* Reading goes on, whatever is to be sorted or summed up. */
static void expect_answers(struct it_world *w)
{
	static const char *const questions[][6] = {
	    {"status"},  {"devices"}, {"device", "show", "chair-1"}, {"faults"}, {"events"}, {"usage"},
	    {"overuse"}, {"audit"},
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		json_t *answer = it_ask_args(w, questions[i]);

		if (answer == NULL)
			fail_msg("no answer to 'gymfleet %s'", questions[i][0]);
		json_decref(answer);
	}
}

static void i1_i2_a_full_gateway_acks_nothing_and_goes_on_by_itself(void **state)
{
	struct it_world *w = *state;
	const char *dir = it_path(w, "gateway");
	struct it_proc *disk = it_disk(w, dir, GATEWAY_KIB);
	struct it_machine *m;
	uint64_t refused;

	start_gateway(w, disk);
	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	m = open_machine(w);
	it_disk_fill(disk, dir);
	refused = report_until_full(w, m);
	assert_int_equal(it_machine_acks(m), refused - 1);
	assert_int_equal(it_sessions(w, "chair-1").sessions, refused - 1);
	expect_answers(w);
	expect_answers_to_many(w);
	assert_true(it_doctor_says(w, "disk", "critical", "free in"));
	report(m, refused); /* asked again */
	IT_UNTIL(SOON_MS, it_doctor_says(w, "ingest", "critical", "no space left for the database"));
	assert_int_equal(it_machine_acks(m), refused - 1);

	it_disk_free(disk, dir);
	IT_UNTIL(SOON_MS, it_machine_acked(m) == refused);
	report(m, refused + 1);
	IT_UNTIL(SOON_MS, it_machine_acked(m) == refused + 1);
	assert_int_equal(it_sessions(w, "chair-1").sessions, refused + 1);
	IT_UNTIL(SOON_MS, it_doctor_says(w, "ingest", "ok", ""));
	assert_true(it_audit_settled(w));
	assert_true(it_doctor_says(w, "database", "ok", "sound"));
	it_machine_close(m);
}

static void expect_no_room(struct it_proc *gateway)
{
	assert_int_equal(it_wait(gateway, SOON_MS), 1);
	assert_true(it_log_has(gateway, "no space left for the database"));
	assert_true(it_log_has(gateway, "free some"));
}

static void i1_a_gateway_killed_on_a_full_disk_starts_when_there_is_room(void **state)
{
	struct it_world *w = *state;
	const char *dir = it_path(w, "gateway");
	struct it_proc *disk = it_disk(w, dir, GATEWAY_KIB), *gateway = start_gateway(w, disk);
	struct it_machine *m;
	uint64_t refused;

	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	m = open_machine(w);
	it_disk_fill(disk, dir);
	refused = report_until_full(w, m);
	it_signal(gateway, SIGKILL);
	/* What is left of the log may be room enough to start. */
	gateway = start_gateway(w, disk);
	IT_UNTIL(SOON_MS, !it_alive(gateway) || it_gateway_listens(w));
	if (it_alive(gateway))
		it_signal(gateway, SIGKILL);
	else
		expect_no_room(gateway);
	it_disk_free(disk, dir);
	start_gateway(w, disk);
	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	assert_int_equal(it_sessions(w, "chair-1").sessions, refused - 1); /* all that was acked, nothing else */
	report(m, refused);
	IT_UNTIL(SOON_MS, it_machine_acked(m) == refused);
	assert_true(it_audit_settled(w));
	it_machine_close(m);
}

static void a_gateway_that_never_had_room_says_so(void **state)
{
	struct it_world *w = *state;

	expect_no_room(start_gateway(w, it_disk(w, it_path(w, "gateway"), 16)));
}

/* ---- the agent ---- */

struct machine {
	struct it_world *w;
	const char *spool;
	struct it_proc *disk, *agent;
};

static void start_agent(struct machine *m, double busy)
{
	const struct it_agent config = {.id = CHAIR, .class = "chair", .busy = busy, .seed = 7};

	m->agent = it_spawn_on_disk(m->w, "agent", m->disk, it_program("gymfleet-agent"), it_agent_config(m->w, &config));
}

/* It has been seen, and a session too. */
static struct machine start_machine(struct it_world *w)
{
	struct machine m = {.w = w, .spool = it_path(w, "machines/" CHAIR "/spool")};

	it_catalog(w, "chair", 1);
	m.disk = it_disk(w, m.spool, SPOOL_KIB);
	start_agent(&m, 1);
	IT_UNTIL(SOON_MS, it_online(w) == 1 && it_sessions(w, CHAIR).sessions > 0);
	return m;
}

static void play(const struct machine *m, uint64_t sessions)
{
	uint64_t before = it_journal(m->w, CHAIR).sessions;

	IT_UNTIL(2 * SOON_MS, it_journal(m->w, CHAIR).sessions >= before + sessions);
}

/* Nobody comes any more: what is stored must equal the machine's own meter. Returns how many were interrupted. */
static uint64_t settle(struct machine *m)
{
	it_signal(m->agent, SIGTERM);
	it_end_well(m->agent, SOON_MS);
	start_agent(m, 0);
	struct it_sums meter = it_journal(m->w, CHAIR);
	IT_UNTIL(SOON_MS, it_sessions(m->w, CHAIR).sessions == meter.sessions && it_audit_settled(m->w));
	assert_int_equal(it_sessions(m->w, CHAIR).motor_ms, meter.motor_ms);
	return it_sessions(m->w, CHAIR).interrupted;
}

/* The fleet knows, and what it knows is open. */
static bool storage_fault_open(struct it_world *w)
{
	json_t *faults = it_ask(w, "faults", CHAIR, "--open");
	bool open = it_find(faults, "code", "storage") != NULL;

	json_decref(faults);
	return open;
}

static void i1_a_full_agent_plays_on_and_loses_only_heartbeats(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway = it_gateway_start(w);
	struct machine m = start_machine(w);

	/* Nobody takes anything, and there is no room: all that happens now can only stay on the machine. */
	it_signal(gateway, SIGKILL);
	it_disk_fill(m.disk, m.spool);
	play(&m, PLAYED);
	IT_UNTIL(SOON_MS, it_log_has(m.agent, "no space left for"));
	it_gateway_start(w);
	IT_UNTIL(SOON_MS, storage_fault_open(w));
	play(&m, 1);
	it_disk_free(m.disk, m.spool);
	IT_UNTIL(SOON_MS, it_log_has(m.agent, "there is space for"));
	IT_UNTIL(SOON_MS, !storage_fault_open(w));
	assert_int_equal(settle(&m), 0);
	assert_false(it_log_has(m.agent, "can't record")); /* a full disk is no failure */
}

static void i1_an_agent_killed_on_a_full_disk_starts_and_plays_on(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway = it_gateway_start(w);
	struct machine m = start_machine(w);

	it_signal(gateway, SIGKILL);
	it_disk_fill(m.disk, m.spool);
	play(&m, 2); /* the second has just begun */
	it_signal(m.agent, SIGKILL);
	start_agent(&m, 1);
	play(&m, 1);
	assert_true(it_alive(m.agent));
	it_gateway_start(w);
	it_disk_free(m.disk, m.spool);
	assert_int_equal(settle(&m), 1);
}

static void an_agent_that_never_had_room_says_so(void **state)
{
	struct it_world *w = *state;
	const struct it_agent chair = {.id = CHAIR, .class = "chair", .seed = 7};
	const char *dir = it_path(w, "machines/" CHAIR), *config = it_agent_config(w, &chair);
	char *yaml = it_read(config), copy[512];
	struct it_proc *disk = it_disk(w, dir, SPOOL_KIB), *agent;

	it_catalog(w, "chair", 1);
	/* The disk has its configuration and nothing else. */
	snprintf(copy, sizeof(copy), "/proc/%d/root%s", it_pid(disk), config);
	it_write(copy, "%s", yaml);
	free(yaml);
	it_disk_fill(disk, dir);
	agent = it_spawn_on_disk(w, "agent", disk, it_program("gymfleet-agent"), config);
	assert_int_equal(it_wait(agent, SOON_MS), 1);
	assert_true(it_log_has(agent, "No space left on device"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i1_i2_a_full_gateway_acks_nothing_and_goes_on_by_itself),
	    TEST(i1_a_gateway_killed_on_a_full_disk_starts_when_there_is_room),
	    TEST(a_gateway_that_never_had_room_says_so),
	    TEST(i1_a_full_agent_plays_on_and_loses_only_heartbeats),
	    TEST(i1_an_agent_killed_on_a_full_disk_starts_and_plays_on),
	    TEST(an_agent_that_never_had_room_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
