/*
 * The dead man of the sysfs driver: a process that ticks as the agent does is killed, stopped, hung, and its watcher too, while
 * the test watches the files that stand for the motor. All times are real ones of CLOCK_MONOTONIC.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/now.h"

#include "tests/unit/agent/driver/fake_sysfs.h"

enum {
	TICK_MS = 20,
	SOON_MS = 15000,
	STAYS_MS = 300, /* so long "stays off" is watched */
};

/* What the ticking process tells and is told. */
struct shared {
	atomic_uint ticks, failures; /* failures: readings */
	atomic_int watcher;
	atomic_bool hang, end, hung;
};

struct rig {
	struct fake_sysfs fake;
	struct shared *shared;
	pid_t agent;
};
static struct rig rig;

#define UNTIL(ms, expression)                                             \
	do {                                                                  \
		const int64_t until_end_ms = gf_now_ms(CLOCK_MONOTONIC) + (ms);   \
		while (!(expression)) {                                           \
			if (gf_now_ms(CLOCK_MONOTONIC) >= until_end_ms)               \
				fail_msg("not within %d ms: %s", (int)(ms), #expression); \
			fake_time_passes(2);                                          \
		}                                                                 \
	} while (0)

/* --- the process that is killed ---------------------------------------------------------------------------------- */

static void tick(struct driver *driver)
{
	struct driver_input input;
	struct driver_output output = {.command = DRIVER_START, .intensity_pct = 50, .frequency_hz = 10};
	if (driver->ops->read(driver, gf_now_ms(CLOCK_BOOTTIME), &input) != 0) {
		atomic_fetch_add(&rig.shared->failures, 1);
		output = (struct driver_output){0};
	}
	if (driver->ops->write(driver, gf_now_ms(CLOCK_BOOTTIME), &output) != 0)
		driver->ops->safe(driver);
	atomic_store(&rig.shared->watcher, sysfs_driver_watcher(driver));
	atomic_fetch_add(&rig.shared->ticks, 1);
}

static void agent(void)
{
	struct driver *driver = NULL;
	struct gf_diag diag = {{0}};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sysfs_driver_new(&rig.fake.config, &driver, &diag) != 0)
		_exit(3);
	while (!atomic_load(&rig.shared->end)) {
		while (atomic_load(&rig.shared->hang)) {
			atomic_store(&rig.shared->hung, true);
			fake_time_passes(2);
		}
		tick(driver);
		fake_time_passes(TICK_MS);
	}
	driver->ops->free(driver);
	_exit(0);
}

static void start_agent(void)
{
	rig.agent = fork();
	assert_true(rig.agent >= 0);
	if (rig.agent == 0) {
		setpgid(0, 0);
		agent();
	}
	UNTIL(SOON_MS, fake_on(&rig.fake));
	UNTIL(SOON_MS, atomic_load(&rig.shared->watcher) != 0);
}

/* --- what is asserted -------------------------------------------------------------------------------------------- */

static void assert_off_within(int64_t since_ms, int ms)
{
	while (fake_on(&rig.fake)) {
		if (gf_now_ms(CLOCK_MONOTONIC) - since_ms >= ms)
			fail_msg("still on after %d ms", ms);
		fake_time_passes(2);
	}
}

static void assert_stays_off(void)
{
	for (const int64_t end_ms = gf_now_ms(CLOCK_MONOTONIC) + STAYS_MS; gf_now_ms(CLOCK_MONOTONIC) < end_ms;
	     fake_time_passes(2))
		assert_false(fake_on(&rig.fake));
}

/* It ends by itself; init's part is this process's (subreaper). */
static void assert_ends(pid_t pid)
{
	int status = 0;
	UNTIL(SOON_MS, waitpid(pid, &status, WNOHANG) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_sysfs_make(&rig.fake);
	rig.shared = mmap(NULL, sizeof(*rig.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return rig.shared != MAP_FAILED ? prctl(PR_SET_CHILD_SUBREAPER, 1) : -1;
}

static int teardown(void **state)
{
	(void)state;
	if (rig.agent > 0) {
		kill(rig.agent, SIGKILL);
		waitpid(rig.agent, NULL, 0);
	}
	if (atomic_load(&rig.shared->watcher) != 0)
		kill(atomic_load(&rig.shared->watcher), SIGCONT);
	while (waitpid(-1, NULL, 0) > 0) /* the watchers, which end by themselves now */
		continue;
	rig.agent = 0;
	munmap(rig.shared, sizeof(*rig.shared));
	fake_sysfs_remove(&rig.fake);
	return 0;
}

static void kill_agent(void)
{
	assert_int_equal(kill(rig.agent, SIGKILL), 0);
	assert_int_equal(waitpid(rig.agent, NULL, 0), rig.agent);
	rig.agent = 0;
}

/* --- the agent --------------------------------------------------------------------------------------------------- */

static void i5_a_killed_agent_leaves_all_off(void **state)
{
	(void)state;
	start_agent();
	const pid_t watcher = atomic_load(&rig.shared->watcher);
	const int64_t killed_ms = gf_now_ms(CLOCK_MONOTONIC);
	kill_agent();
	assert_off_within(killed_ms, DRIVER_DEAD_MAN_MS);
	assert_int_equal(fake_number(&rig.fake, FAKE_FREQUENCY), 0);
	assert_stays_off();
	assert_ends(watcher);
}

static void i5_a_stopped_agent_is_turned_off_and_goes_on_from_off(void **state)
{
	(void)state;
	start_agent();
	const int64_t stopped_ms = gf_now_ms(CLOCK_MONOTONIC);
	assert_int_equal(kill(rig.agent, SIGSTOP), 0);
	assert_off_within(stopped_ms, DRIVER_DEAD_MAN_MS);
	assert_stays_off();
	const unsigned failures = atomic_load(&rig.shared->failures);
	assert_int_equal(kill(rig.agent, SIGCONT), 0);
	UNTIL(SOON_MS, atomic_load(&rig.shared->failures) > failures);
	UNTIL(SOON_MS, fake_on(&rig.fake));
}

/* The rest of the process lives: its pipe stays open. */
static void i5_a_hung_control_thread_is_turned_off(void **state)
{
	(void)state;
	start_agent();
	const unsigned failures = atomic_load(&rig.shared->failures);
	atomic_store(&rig.shared->hang, true);
	UNTIL(SOON_MS, atomic_load(&rig.shared->hung));
	assert_off_within(gf_now_ms(CLOCK_MONOTONIC), DRIVER_DEAD_MAN_MS);
	assert_stays_off();
	atomic_store(&rig.shared->hang, false);
	UNTIL(SOON_MS, atomic_load(&rig.shared->failures) > failures);
	UNTIL(SOON_MS, fake_on(&rig.fake));
}

static void i5_killed_while_stopped_is_off_too(void **state)
{
	(void)state;
	start_agent();
	const int64_t stopped_ms = gf_now_ms(CLOCK_MONOTONIC);
	assert_int_equal(kill(rig.agent, SIGSTOP), 0);
	kill_agent();
	assert_off_within(stopped_ms, DRIVER_DEAD_MAN_MS);
	assert_stays_off();
}

static void a_proper_end_ends_the_watcher(void **state)
{
	(void)state;
	start_agent();
	const pid_t watcher = atomic_load(&rig.shared->watcher);
	atomic_store(&rig.shared->end, true);
	assert_ends(rig.agent); /* its free() has waited for the watcher */
	rig.agent = 0;
	assert_int_equal(kill(watcher, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_false(fake_on(&rig.fake));
}

/* --- the watcher ------------------------------------------------------------------------------------------------- */

static bool replaced(pid_t before)
{
	const pid_t now = atomic_load(&rig.shared->watcher);
	return now != 0 && now != before;
}

static void assert_replaced(pid_t before)
{
	UNTIL(SOON_MS, atomic_load(&rig.shared->failures) > 0); /* meanwhile nothing was on */
	UNTIL(SOON_MS, replaced(before));
	UNTIL(SOON_MS, fake_on(&rig.fake));
	const int64_t killed_ms = gf_now_ms(CLOCK_MONOTONIC);
	kill_agent();
	assert_off_within(killed_ms, DRIVER_DEAD_MAN_MS);
}

static void i5_a_killed_watcher_turns_off_until_there_is_a_new_one(void **state)
{
	(void)state;
	start_agent();
	const pid_t watcher = atomic_load(&rig.shared->watcher);
	assert_int_equal(kill(watcher, SIGKILL), 0);
	assert_replaced(watcher);
}

static void i5_a_silent_watcher_is_replaced(void **state)
{
	(void)state;
	start_agent();
	const pid_t watcher = atomic_load(&rig.shared->watcher);
	const int64_t stopped_ms = gf_now_ms(CLOCK_MONOTONIC);
	assert_int_equal(kill(watcher, SIGSTOP), 0);
	/* By the agent, which lives, but has no priority here: on a busy machine its ticks come late. */
	assert_off_within(stopped_ms, 5 * DRIVER_DEAD_MAN_MS);
	assert_replaced(watcher);
}

static void i5_the_watcher_outlives_what_ends_the_agent(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGABRT, SIGPIPE};
	(void)state;
	start_agent();
	const pid_t watcher = atomic_load(&rig.shared->watcher);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		assert_int_equal(kill(watcher, signals[i]), 0);
	assert_int_not_equal(getpgid(watcher), getpgid(rig.agent));
	const int64_t killed_ms = gf_now_ms(CLOCK_MONOTONIC);
	assert_int_equal(kill(-rig.agent, SIGKILL), 0); /* the whole group */
	assert_off_within(killed_ms, DRIVER_DEAD_MAN_MS);
	waitpid(rig.agent, NULL, 0);
	rig.agent = 0;
	assert_ends(watcher);
}

/* A lock or a socket that lived on in the watcher would keep the agent's next start from them. */
static void the_watcher_keeps_no_file_of_the_agent(void **state)
{
	char dir[64], name[PATH_MAX], target[PATH_MAX];
	(void)state;
	const int lock = open(fake_path(&rig.fake, "lock"), O_RDWR | O_CREAT, 0600); /* not O_CLOEXEC, on purpose */
	assert_true(lock >= 0);
	start_agent();
	close(lock);
	snprintf(dir, sizeof(dir), "/proc/%d/fd", atomic_load(&rig.shared->watcher));
	DIR *fds = opendir(dir);
	assert_non_null(fds);
	unsigned outputs = 0;
	for (const struct dirent *entry; (entry = readdir(fds)) != NULL;) {
		snprintf(name, sizeof(name), "%s/%s", dir, entry->d_name);
		const ssize_t len = readlink(name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		outputs += strstr(target, "/pwm0/") != NULL || strstr(target, "/pwm1/") != NULL;
		assert_true(strstr(target, "/pwm") != NULL || strstr(target, "pipe:") != NULL ||
		            strstr(target, "memfd:") != NULL || strcmp(target, "/dev/null") == 0);
	}
	closedir(fds);
	assert_int_equal(outputs, 4);
}

static int run_watcher(const char *argument)
{
	int status = 0;
	const pid_t pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		execl(GF_BINARY_DIR "/bin/gymfleet-watcher", "gymfleet-watcher", argument, argument, argument, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void by_hand_it_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(run_watcher(NULL), 2);
	assert_int_equal(run_watcher("1000"), 2);
	assert_int_equal(run_watcher("1"), 2);
	assert_int_equal(run_watcher("-1"), 2);
	assert_int_equal(run_watcher("99999999999999999999"), 2);
	assert_int_equal(run_watcher("x"), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i5_a_killed_agent_leaves_all_off),       TEST(i5_a_stopped_agent_is_turned_off_and_goes_on_from_off),
	    TEST(i5_a_hung_control_thread_is_turned_off), TEST(i5_killed_while_stopped_is_off_too),
	    TEST(a_proper_end_ends_the_watcher),          TEST(i5_a_killed_watcher_turns_off_until_there_is_a_new_one),
	    TEST(i5_a_silent_watcher_is_replaced),        TEST(i5_the_watcher_outlives_what_ends_the_agent),
	    TEST(the_watcher_keeps_no_file_of_the_agent), TEST(by_hand_it_does_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
