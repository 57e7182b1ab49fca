/*
 * I5: the agent is killed, stopped, or hangs (only its control thread stands still) at random moments of a session; the hardware is off
 * within a second, for every driver. Many machines at once, each struck again and again; each kind of hardware is judged by what it
 * tells itself: the simulated one by its hour meter, bare PWM by the files that are its outputs, a controller by its log.
 *
 * Real time, because a dead man knows no other. How late the test itself looked is measured and allowed for.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "tests/integration/dead_man.h"
#include "tests/integration/fleet.h"

enum {
	MACHINES_MAX = 64,
	ROUTINE_S = 100,
	BEFORE_MS_MAX = 400, /* of motor time, when it happens */
	HOLD_MS = 1100,      /* long enough to tell a dead man from none */
	HOLD_MS_MAX = 1900,
	ALL_MS = 110000,
	SOON_MS = 30000,
};

static struct test {
	struct it_world *w;
	struct gf_prng prng;
	struct dead_machine machines[MACHINES_MAX];
	size_t count;
} test;

const char *dead_way_name(enum dead_way way)
{
	static const char *const names[DEAD_WAYS] = {"killed", "stopped", "hung"};
	return names[way];
}

static void launch(struct dead_machine *m)
{
	m->agent = it_spawn(m->w, m->name, it_program("gymfleet-agent"), "--config", m->config);
	m->state = DEAD_STARTS;
}

/* ---- striking ---- */

static int control_tid(int pid)
{
	char path[64], text[32] = "";
	int tid = 0;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	while (dir != NULL && tid == 0 && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, entry->d_name);
		FILE *comm = fopen(path, "re");
		if (comm == NULL)
			continue;
		if (fgets(text, sizeof(text), comm) != NULL && strcmp(text, "control\n") == 0)
			tid = atoi(entry->d_name);
		fclose(comm);
	}
	if (dir != NULL)
		closedir(dir);
	return tid;
}

/* Only that thread stands still, wherever it is. */
static void hold_control(struct dead_machine *m)
{
	int status;

	m->tid = control_tid(it_pid(m->agent));
	if (m->tid == 0 || ptrace(PTRACE_SEIZE, m->tid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, m->tid, NULL, NULL) != 0 || waitpid(m->tid, &status, __WALL) != m->tid)
		fail_msg("%s: its control thread can't be held: %s", m->name, strerror(errno));
}

/* Every third time another agent: one that is stopped again and again takes longer and longer until it trusts its machine. */
static enum dead_way draw_way(const struct dead_machine *m)
{
	if ((m->moments + m->number) % DEAD_WAYS == 0)
		return DEAD_KILLED;
	return gf_prng_below(&test.prng, 2) == 0 ? DEAD_STOPPED : DEAD_HUNG;
}

/* The agent alone: what it has started beside it is there for just this. */
static void strike(struct dead_machine *m)
{
	m->way = draw_way(m);
	m->hold_ms = HOLD_MS + (int64_t)gf_prng_below(&test.prng, HOLD_MS_MAX - HOLD_MS);
	m->off_ms = 0;
	m->late_ms = 0;
	m->struck_ms = it_now_ms();
	m->state = DEAD_IS_STRUCK;
	if (m->way == DEAD_HUNG)
		hold_control(m);
	else
		kill(it_pid(m->agent), m->way == DEAD_KILLED ? SIGKILL : SIGSTOP);
}

static void release(struct dead_machine *m)
{
	m->released_ms = it_now_ms();
	switch (m->way) {
	case DEAD_KILLED:
		it_signal(m->agent, SIGKILL); /* with what it left behind */
		launch(m);
		break;
	case DEAD_STOPPED:
		kill(it_pid(m->agent), SIGCONT);
		break;
	case DEAD_HUNG:
		ptrace(PTRACE_DETACH, m->tid, NULL, NULL);
		break;
	case DEAD_WAYS:
		break;
	}
	m->state = DEAD_IS_RELEASED;
}

/* One look at one machine. */
static void look(struct dead_machine *m)
{
	const int64_t now_ms = it_now_ms();

	m->late_ms = now_ms - m->now_ms > m->late_ms ? now_ms - m->now_ms : m->late_ms;
	m->now_ms = now_ms;
	switch (m->state) {
	case DEAD_STARTS:
		if (!it_alive(m->agent))
			it_end_well(m->agent, 0); /* it has not: shows why */
		m->kind->ask(m);
		if (!m->kind->runs(m))
			break;
		m->strike_ms = m->now_ms + (int64_t)gf_prng_below(&test.prng, BEFORE_MS_MAX);
		m->state = DEAD_RUNS;
		break;
	case DEAD_RUNS:
		if (!m->kind->runs(m) && !m->kind->flickers)
			m->state = DEAD_STARTS;
		else if (m->now_ms >= m->strike_ms)
			strike(m);
		break;
	case DEAD_IS_STRUCK:
		if (m->kind->held(m))
			release(m);
		break;
	case DEAD_IS_RELEASED:
		if (!m->kind->released(m))
			break;
		m->motor_ms = 0;
		m->state = ++m->moments < m->kind->moments ? DEAD_STARTS : DEAD_IS_DONE;
		break;
	case DEAD_IS_DONE:
		break;
	}
}

static bool all_done(void)
{
	for (size_t i = 0; i < test.count; i++) {
		if (test.machines[i].state != DEAD_IS_DONE)
			return false;
	}
	return true;
}

static void tell(const struct dead_kind *kind)
{
	unsigned moments = 0;
	int64_t worst_ms = 0;
	for (size_t i = 0; i < test.count; i++) {
		const struct dead_machine *m = &test.machines[i];
		if (m->kind != kind)
			continue;
		moments += m->moments;
		worst_ms = m->worst_ms > worst_ms ? m->worst_ms : worst_ms;
	}
	print_message("%s: %u moments, on for at most %lld ms after one\n", kind->name, moments, (long long)worst_ms);
}

/* ---- the test ---- */

static int setup(void **state)
{
	const char *seed = getenv("GF_SEED");

	(void)state;
	memset(&test, 0, sizeof(test));
	test.w = it_open("dead");
	gf_prng_seed(&test.prng, seed != NULL ? strtoull(seed, NULL, 10) : 20260903);
	it_device(test.w, "lab");
	it_catalog(test.w, DEAD_CLASS, ROUTINE_S);
	for (size_t k = 0; k < DEAD_KINDS; k++) {
		for (unsigned i = 0; i < dead_kinds[k].machines; i++) {
			struct dead_machine *m = &test.machines[test.count];
			*m = (struct dead_machine){.kind = &dead_kinds[k], .w = test.w, .number = (unsigned)test.count++};
			snprintf(m->name, sizeof(m->name), "%s-%u", m->kind->name, i);
			m->kind->make(m);
		}
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	it_close(test.w);
	for (size_t i = 0; i < test.count; i++)
		test.machines[i].kind->unmake(&test.machines[i]);
	return 0;
}

static void i5_a_dead_agent_leaves_the_hardware_off_within_a_second(void **state)
{
	(void)state;
	const int64_t end_ms = it_now_ms() + ALL_MS;
	for (size_t i = 0; i < test.count; i++) {
		launch(&test.machines[i]);
		test.machines[i].now_ms = it_now_ms();
	}
	while (!all_done()) {
		if (it_now_ms() > end_ms)
			fail_msg("not through within %d s", ALL_MS / 1000);
		for (size_t i = 0; i < test.count; i++)
			look(&test.machines[i]);
		it_pause();
	}
	for (size_t k = 0; k < DEAD_KINDS; k++)
		tell(&dead_kinds[k]);
}

/* A thread that doesn't come back keeps nobody from ending the agent: it says so, and leaves the rest to the dead man. */
static void i5_an_agent_whose_control_thread_hangs_ends_when_told_to(void **state)
{
	struct dead_machine *m = &test.machines[0];
	int status = 0;

	(void)state;
	launch(m);
	IT_UNTIL(SOON_MS, m->kind->runs(m));
	hold_control(m);
	it_signal(m->agent, SIGTERM);
	IT_UNTIL(SOON_MS, waitpid(m->tid, &status, __WALL | WNOHANG) == m->tid);
	assert_int_equal(it_wait(m->agent, SOON_MS), EXIT_FAILURE);
	assert_true(it_log_has(m->agent, "the control thread hangs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i5_a_dead_agent_leaves_the_hardware_off_within_a_second, setup, teardown),
	    cmocka_unit_test_setup_teardown(i5_an_agent_whose_control_thread_hangs_ends_when_told_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
