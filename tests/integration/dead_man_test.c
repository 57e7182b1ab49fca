/*
 * I5: the agent is killed, stopped, or hangs (only its control thread stands still) at random moments of a session; the hardware is off
 * within a second, for every driver. Many machines at once, each struck again and again; each kind of hardware is judged by what it
 * tells itself: the simulated one by its hour meter, bare PWM by the files that are its outputs.
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

#include "agent/driver/driver.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/file.h"
#include "proto/base/rand.h"
#include "tests/integration/fleet.h"
#include "tests/unit/agent/driver/fake_sysfs.h"

#define CLASS "roller"

enum {
	MACHINES_MAX = 64,
	ROUTINE_S = 100,
	BEFORE_MS_MAX = 400, /* of motor time, when it happens */
	HOLD_MS = 1100,      /* long enough to tell a dead man from none */
	HOLD_MS_MAX = 1900,
	STAYS_OFF_MS = 100,
	PRESS_MS = 150,
	TICK_SLACK_MS = 2 * 20,
	ALL_MS = 110000,
	SOON_MS = 30000,
};

enum way { KILLED, STOPPED, HUNG, WAYS };
enum state { STARTS, RUNS, IS_STRUCK, IS_RELEASED, IS_DONE };

struct machine {
	const struct kind *kind;
	char name[32];
	const char *config;
	struct it_proc *agent;
	enum state state;
	enum way way;
	unsigned moments;
	int64_t strike_ms, struck_ms, hold_ms, off_ms, released_ms, press_ms;
	int64_t took_ms, worst_ms; /* until off */
	uint64_t motor_ms, struck_motor_ms;
	int tid;
	bool pressed;
	struct fake_sysfs *sysfs;
};

/* What differs between kinds of hardware. `held` and `released` return true when they have seen enough; they fail the test. */
struct kind {
	const char *name;
	unsigned machines, moments; /* so many of each */
	void (*make)(struct it_world *w, struct machine *m);
	void (*ask)(struct it_world *w, struct machine *m); /* for a session, again and again */
	bool (*runs)(struct it_world *w, struct machine *m);
	bool (*held)(struct it_world *w, struct machine *m);
	bool (*released)(struct it_world *w, struct machine *m);
};

static struct test {
	struct it_world *w;
	struct gf_prng prng;
	struct machine machines[MACHINES_MAX];
	size_t count;
	int64_t now_ms, late_ms; /* late_ms: the longest time between two looks */
} test;

/* ---- what all have in common ---- */

static void write_config(struct it_world *w, struct machine *m, const char *driver)
{
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_dir_make(it_path(w, "machines/%s", m->name), &diag), 0);
	m->config = it_path(w, "machines/%s/agent.yaml", m->name);
	it_write(m->config,
	         "class: " CLASS "\nmodel: test\nlocation: {site: lab}\nstate_dir: .\ncatalog: ../../catalogs/" CLASS
	         ".catalog\nclock: system\nrated_motor_h: 2000\n"
	         "broker: {host: localhost, port: %u, ca_file: ../../pki/ca.pem, cert_file: ../../pki/devices/lab.pem, "
	         "key_file: ../../pki/devices/lab.key}\n%s",
	         it_device_port(w), driver);
}

static void launch(struct it_world *w, struct machine *m)
{
	m->agent = it_spawn(w, m->name, it_program("gymfleet-agent"), "--config", m->config);
	m->state = STARTS;
}

static void took(struct machine *m, int64_t ms)
{
	m->took_ms = ms;
	m->worst_ms = ms > m->worst_ms ? ms : m->worst_ms;
}

static const char *way_name(enum way way)
{
	static const char *const names[WAYS] = {"killed", "stopped", "hung"};
	return names[way];
}

static void too_long(const struct machine *m, int64_t ms)
{
	fail_msg("%s: its agent was %s, and the outputs were on for %lld ms; the log is %s", m->name, way_name(m->way),
	         (long long)ms, it_log(m->agent));
}

/* ---- sim: its hour meter ---- */

static void sim_make(struct it_world *w, struct machine *m)
{
	char driver[160];
	snprintf(driver, sizeof(driver), "driver: sim\nsim: {seed: %d, busy: 1, opens: \"00:00\", closes: \"00:00\"}\n",
	         (int)(m - test.machines) + 1);
	write_config(w, m, driver);
}

static uint64_t sim_motor_ms(struct it_world *w, const struct machine *m)
{
	const char *path = it_path(w, "machines/%s/hour-meter.journal", m->name);
	struct sim_journal journal;
	return sim_journal_read(path, &journal) == 0 ? journal.motor_ms : 0;
}

static bool sim_runs(struct it_world *w, struct machine *m)
{
	const uint64_t before_ms = m->motor_ms;
	m->motor_ms = sim_motor_ms(w, m);
	m->struck_motor_ms = m->motor_ms;
	return before_ms != 0 && m->motor_ms > before_ms;
}

static bool sim_held(struct it_world *w, struct machine *m)
{
	(void)w;
	return test.now_ms - m->struck_ms >= m->hold_ms;
}

/* The simulated time passes when somebody asks for it: the first tick after a stop counts what ran meanwhile. */
static bool sim_released(struct it_world *w, struct machine *m)
{
	const int64_t ran_ms = (int64_t)(sim_motor_ms(w, m) - m->struck_motor_ms), since_ms = it_now_ms() - m->released_ms;
	const int64_t again_ms = m->way == KILLED ? 0 : since_ms; /* it may run again */

	if (ran_ms > DRIVER_DEAD_MAN_MS + TICK_SLACK_MS + test.late_ms + again_ms)
		too_long(m, ran_ms);
	if (ran_ms == 0 && m->way != KILLED && since_ms < HOLD_MS)
		return false;
	took(m, ran_ms - again_ms > 0 ? ran_ms - again_ms : 0);
	return true;
}

static void nobody(struct it_world *w, struct machine *m)
{
	(void)w;
	(void)m;
}

/* ---- sysfs: the files that are its outputs ---- */

static void sysfs_make(struct it_world *w, struct machine *m)
{
	char driver[1024];
	m->sysfs = calloc(1, sizeof(*m->sysfs));
	assert_non_null(m->sysfs);
	fake_sysfs_make(m->sysfs);
	fake_write(m->sysfs, FAKE_OCCUPIED, "1\n");
	snprintf(driver, sizeof(driver),
	         "driver: sysfs\nsysfs:\n  root: %s\n  pwm: {period_ns: 50000, duty_min_pct: 20, duty_max_pct: 100}\n"
	         "  sensors: {motor_temp_c: lm75/temp1, surface_temp_c: lm75/temp2, current_ma: ina219/curr1, "
	         "supply_mv: ina219/in1}\n"
	         "  estop: {file: " FAKE_ESTOP "}\n  cover: {file: " FAKE_COVER "}\n  occupied: {file: " FAKE_OCCUPIED "}\n"
	         "  buttons:\n    - {does: start, routine: 1, file: " FAKE_BUTTON "}\n",
	         m->sysfs->dir, 0);
	write_config(w, m, driver);
}

/* Somebody presses start until it runs. */
static void sysfs_ask(struct it_world *w, struct machine *m)
{
	char name[64];
	(void)w;
	if (test.now_ms - m->press_ms < PRESS_MS)
		return;
	m->press_ms = test.now_ms;
	m->pressed = !m->pressed;
	snprintf(name, sizeof(name), FAKE_BUTTON, 0);
	fake_write(m->sysfs, name, m->pressed ? "1\n" : "0\n");
}

static bool sysfs_runs(struct it_world *w, struct machine *m)
{
	(void)w;
	return fake_on(m->sysfs);
}

static bool sysfs_held(struct it_world *w, struct machine *m)
{
	const bool on = fake_on(m->sysfs);
	const int64_t since_ms = it_now_ms() - m->struck_ms;

	(void)w;
	if (on && m->off_ms != 0)
		fail_msg("%s: its agent was %s, and the outputs came on again", m->name, way_name(m->way));
	if (on && since_ms > DRIVER_DEAD_MAN_MS + test.late_ms)
		too_long(m, since_ms);
	if (!on && m->off_ms == 0) {
		m->off_ms = test.now_ms;
		took(m, since_ms);
	}
	return m->off_ms != 0 && test.now_ms - m->off_ms >= STAYS_OFF_MS;
}

static bool sysfs_released(struct it_world *w, struct machine *m)
{
	(void)w;
	(void)m;
	return true;
}

static const struct kind kinds[] = {
    {"sim", 17, 6, sim_make, nobody, sim_runs, sim_held, sim_released},
    {"sysfs", 9, 12, sysfs_make, sysfs_ask, sysfs_runs, sysfs_held, sysfs_released},
};

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
static void hold_control(struct machine *m)
{
	int status;

	m->tid = control_tid(it_pid(m->agent));
	if (m->tid == 0 || ptrace(PTRACE_SEIZE, m->tid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, m->tid, NULL, NULL) != 0 || waitpid(m->tid, &status, __WALL) != m->tid)
		fail_msg("%s: its control thread can't be held: %s", m->name, strerror(errno));
}

/* The agent alone: what it has started beside it is there for just this. */
static void strike(struct machine *m)
{
	m->way = (enum way)gf_prng_below(&test.prng, WAYS);
	m->hold_ms = HOLD_MS + (int64_t)gf_prng_below(&test.prng, HOLD_MS_MAX - HOLD_MS);
	m->off_ms = 0;
	m->struck_ms = it_now_ms();
	m->state = IS_STRUCK;
	if (m->way == HUNG)
		hold_control(m);
	else
		kill(it_pid(m->agent), m->way == KILLED ? SIGKILL : SIGSTOP);
}

static void release(struct it_world *w, struct machine *m)
{
	m->released_ms = it_now_ms();
	switch (m->way) {
	case KILLED:
		it_signal(m->agent, SIGKILL); /* with what it left behind */
		launch(w, m);
		break;
	case STOPPED:
		kill(it_pid(m->agent), SIGCONT);
		break;
	case HUNG:
		ptrace(PTRACE_DETACH, m->tid, NULL, NULL);
		break;
	case WAYS:
		break;
	}
	m->state = IS_RELEASED;
}

/* One look at one machine. */
static void look(struct it_world *w, struct machine *m)
{
	switch (m->state) {
	case STARTS:
		if (!it_alive(m->agent))
			fail_msg("%s: its agent ended; the log is %s", m->name, it_log(m->agent));
		m->kind->ask(w, m);
		if (!m->kind->runs(w, m))
			break;
		m->strike_ms = test.now_ms + (int64_t)gf_prng_below(&test.prng, BEFORE_MS_MAX);
		m->state = RUNS;
		break;
	case RUNS:
		if (!m->kind->runs(w, m) && m->kind->runs == sysfs_runs)
			m->state = STARTS;
		else if (test.now_ms >= m->strike_ms)
			strike(m);
		break;
	case IS_STRUCK:
		if (m->kind->held(w, m))
			release(w, m);
		break;
	case IS_RELEASED:
		if (!m->kind->released(w, m))
			break;
		m->motor_ms = 0;
		m->state = ++m->moments < m->kind->moments ? STARTS : IS_DONE;
		break;
	case IS_DONE:
		break;
	}
}

static bool all_done(void)
{
	for (size_t i = 0; i < test.count; i++) {
		if (test.machines[i].state != IS_DONE)
			return false;
	}
	return true;
}

static void tell(const struct kind *kind)
{
	unsigned moments = 0;
	int64_t worst_ms = 0;
	for (size_t i = 0; i < test.count; i++) {
		const struct machine *m = &test.machines[i];
		if (m->kind != kind)
			continue;
		moments += m->moments;
		worst_ms = m->worst_ms > worst_ms ? m->worst_ms : worst_ms;
	}
	print_message("%s: %u moments, on for at most %lld ms after one; looked at each %lld ms or sooner\n", kind->name,
	              moments, (long long)worst_ms, (long long)test.late_ms);
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
	it_catalog(test.w, CLASS, ROUTINE_S);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned i = 0; i < kinds[k].machines; i++) {
			struct machine *m = &test.machines[test.count++];
			m->kind = &kinds[k];
			snprintf(m->name, sizeof(m->name), "%s-%u", kinds[k].name, i);
			m->kind->make(test.w, m);
		}
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	it_close(test.w);
	for (size_t i = 0; i < test.count; i++) {
		if (test.machines[i].sysfs != NULL)
			fake_sysfs_remove(test.machines[i].sysfs);
		free(test.machines[i].sysfs);
	}
	return 0;
}

static void i5_a_dead_agent_leaves_the_hardware_off_within_a_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < test.count; i++)
		launch(test.w, &test.machines[i]);
	const int64_t end_ms = it_now_ms() + ALL_MS;
	test.now_ms = it_now_ms();
	while (!all_done()) {
		const int64_t now_ms = it_now_ms();
		test.late_ms = now_ms - test.now_ms > test.late_ms ? now_ms - test.now_ms : test.late_ms;
		test.now_ms = now_ms;
		if (now_ms > end_ms)
			fail_msg("not through within %d s", ALL_MS / 1000);
		for (size_t i = 0; i < test.count; i++)
			look(test.w, &test.machines[i]);
		it_pause();
	}
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		tell(&kinds[k]);
}

/* A thread that doesn't come back keeps nobody from ending the agent: it says so, and leaves the rest to the dead man. */
static void i5_an_agent_whose_control_thread_hangs_ends_when_told_to(void **state)
{
	struct machine *m = &test.machines[0];
	int status = 0;

	(void)state;
	launch(test.w, m);
	IT_UNTIL(SOON_MS, m->kind->runs(test.w, m));
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
