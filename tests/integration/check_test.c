/*
 * `gymfleet-agent --check` and `--safe` as a technician and the unit run them: over a simulated machine, over a tree of files in place of
 * /sys, over a controller behind Modbus, and beside an agent that works.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/limits.h"
#include "proto/base/file.h"
#include "tests/integration/fleet.h"
#include "tests/slave/slave.h"
#include "tests/unit/agent/driver/fake_sysfs.h"

#define ID "roller-lab-01"
#define CLASS "roller"

enum { SOON_MS = 20000, FINE = 0, BROKEN = 1, CONFIG = 2, ROUTINE_S = 60 };

struct test {
	struct it_world *w;
	struct fake_sysfs fake;
	char config[256];
	struct it_output output;
};

static int setup(void **state)
{
	static struct test t;
	struct gf_diag diag = {{0}};
	t = (struct test){.w = it_open("check")};
	fake_sysfs_make(&t.fake);
	it_catalog(t.w, CLASS, ROUTINE_S);
	it_device(t.w, ID);
	assert_int_equal(gf_dir_make(it_path(t.w, "machine"), &diag), 0);
	snprintf(t.config, sizeof(t.config), "%s", it_path(t.w, "agent.yaml"));
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	it_output_free(&t->output);
	it_close(t->w);
	fake_sysfs_remove(&t->fake);
	return 0;
}

#define SIM "driver: sim\nsim: {seed: 1}\n"

/* `more` are lines of agent.yaml. */
static void configure(struct test *t, const char *driver, const char *more)
{
	it_write(t->config,
	         "class: " CLASS "\nmodel: test\nlocation: {site: lab}\nstate_dir: machine\n"
	         "catalog: catalogs/" CLASS ".catalog\nclock: system\nspool_mib: 1\n"
	         "broker: {host: localhost, port: %u, ca_file: pki/ca.pem, cert_file: pki/devices/" ID
	         ".pem, key_file: pki/devices/" ID ".key}\n%s%s",
	         it_device_port(t->w), driver, more);
}

static const char *sysfs(const struct test *t)
{
	static char yaml[2048];
	snprintf(yaml, sizeof(yaml),
	         "driver: sysfs\nsysfs:\n  root: %s\n  pwm: {period_ns: 50000}\n"
	         "  sensors: {motor_temp_c: lm75/temp1, current_ma: ina219/curr1, supply_mv: ina219/in1}\n"
	         "  estop: {file: " FAKE_ESTOP "}\n  cover: {file: " FAKE_COVER "}\n"
	         "  buttons:\n    - {does: start, routine: 1, file: class/gpio/gpio10/value}\n",
	         t->fake.dir);
	return yaml;
}

static void run(struct test *t, const char *word)
{
	it_output_free(&t->output);
	t->output = it_run(t->w, it_program("gymfleet-agent"), word, "--config", t->config);
}

static void assert_says(const struct test *t, const char *verdict, const char *what, const char *words)
{
	char line[128];
	snprintf(line, sizeof(line), "  %-8s  %-16s  ", verdict, what);
	for (const char *at = t->output.out; (at = strstr(at, line)) != NULL; at++) {
		const char *said = strstr(at, words), *end = strchr(at, '\n');
		if (said != NULL && said < end)
			return;
	}
	fail_msg("'%s%s' isn't in:\n%s%s", line, words, t->output.out, t->output.err);
}

static void check(struct test *t, int status)
{
	run(t, "--check");
	if (t->output.status != status)
		fail_msg("ended with %d instead of %d:\n%s%s", t->output.status, status, t->output.out, t->output.err);
	assert_null(strchr(t->output.out, '\033')); /* it isn't a terminal */
}

/* --- what is well ------------------------------------------------------------------------------------------------ */

static void a_simulated_machine_is_fine(void **state)
{
	struct test *t = *state;
	configure(t, SIM, "");
	check(t, FINE);
	assert_says(t, "ok", "machine", ID ": a " CLASS ", model test, at lab; driver sim");
	assert_says(t, "ok", "envelope", "at most 80 %, begins at 30 %");
	assert_says(t, "ok", "times", "a session lasts at most 30 min; after 30 min of work it rests for 15 min");
	assert_says(t, "ok", "catalog", CLASS "@1, 1 routines, of which this machine plays 1");
	assert_says(t, "ok", "certificate", "valid until 20");
	assert_says(t, "ok", "state folder", "machine");
	assert_says(t, "ok", "spool", "will be made");
	assert_says(t, "ok", "simulated", "nothing can be wrong with it");
	assert_says(t, "ok", "clock", "synchronised");
	assert_non_null(strstr(t->output.out, ", 0 broken\n"));
	assert_int_equal(access(it_path(t->w, "machine/spool"), F_OK), -1);
	assert_int_equal(access(it_path(t->w, "machine/lock"), F_OK), -1);
}

static void what_the_hand_gets_and_whose_tokens_are_said(void **state)
{
	struct test *t = *state;
	it_write(it_path(t->w, "subjects.key"), "0123456789abcdef0123456789abcdef");
	assert_int_equal(chmod(it_path(t->w, "subjects.key"), 0600), 0);
	configure(t, SIM, "motor_hours_before: 1650\nvibration_ms2: 5\nsubject_tokens: {key_file: subjects.key}\n");
	check(t, FINE);
	assert_says(t, "ok", "motor hours", "1650 h before this agent");
	assert_says(t, "ok", "vibration", "5 m/s² in the hand: 100 points of staff's daily exposure after 2.0 h");
	assert_says(t, "ok", "tokens", "made from badges with key ");
}

static void a_state_folder_that_is_not_there_stays_so(void **state)
{
	struct test *t = *state;
	configure(t, SIM, "");
	assert_int_equal(rmdir(it_path(t->w, "machine")), 0);
	check(t, FINE);
	assert_says(t, "ok", "state folder", "will be made");
	assert_int_equal(access(it_path(t->w, "machine"), F_OK), -1);
}

static void bare_hardware_is_looked_at_and_left_off(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "");
	check(t, FINE);
	assert_says(t, "ok", "pwm", "off");
	assert_says(t, "ok", "e-stop", "released");
	assert_says(t, "ok", "motor_temp_c", "31.5");
	assert_says(t, "ok", "watcher", "beats");
	assert_false(fake_on(&t->fake));
}

static void a_controller_is_asked(void **state)
{
	struct test *t = *state;
	struct slave slave;
	char driver[128];
	slave_start(&slave, false, (const char *const[]){"--class", CLASS, NULL});
	snprintf(driver, sizeof(driver), "driver: modbus\nmodbus: {host: 127.0.0.1, port: %u}\n", slave.port);
	configure(t, driver, "");
	check(t, FINE);
	assert_says(t, "ok", "controller", "class " CLASS);
	assert_says(t, "ok", "e-stop", "released");
	assert_false(slave_on(&slave));
	slave_stop(&slave);
	check(t, BROKEN);
	assert_says(t, "broken", "hardware", "127.0.0.1");
}

/* --- what is wrong ----------------------------------------------------------------------------------------------- */

static void what_is_broken_is_said(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "");
	fake_write(&t->fake, FAKE_CURRENT, "Infinity\n");
	fake_write(&t->fake, FAKE_ESTOP, "0\n");
	check(t, BROKEN);
	assert_says(t, "broken", "current_ma", "gives no value that can be");
	assert_says(t, "doubtful", "e-stop", "its wire or its contact is broken");

	fake_write(&t->fake, FAKE_CURRENT, "100\n");
	check(t, FINE); /* somebody may well have pressed it */
	assert_int_equal(unlink(fake_path(&t->fake, FAKE_CURRENT)), 0);
	check(t, BROKEN);
	assert_says(t, "broken", "hardware", "curr1_input");
}

static void a_sensor_that_the_envelope_demands_must_be_there(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "envelope: {sensors: [motor_temp_c, surface_temp_c]}\n");
	check(t, BROKEN);
	assert_says(t, "broken", "surface_temp_c", "the envelope demands it");
	configure(t, sysfs(t), "envelope: {sensors: [motor_temp_c]}\n");
	check(t, FINE);
}

static void a_missing_watcher_is_broken(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "  watcher: nowhere\n");
	check(t, BROKEN);
	assert_says(t, "broken", "hardware", "the watcher");
}

static void what_a_routine_will_not_get_is_said(void **state)
{
	struct test *t = *state;
	configure(t, SIM, "envelope: {intensity_max_pct: 10, start_max_pct: 10, session_max_min: 1}\n");
	it_catalog(t->w, CLASS, 2 * ROUTINE_S);
	check(t, FINE);
	assert_says(t, "doubtful", "routine", "short asks for an intensity of 20 %; this machine gives at most 10");
	assert_says(t, "doubtful", "routine", "short lasts 2 min; a session is stopped after 60 s");
	assert_int_equal(unlink(it_path(t->w, "catalogs/" CLASS ".catalog")), 0);
	check(t, BROKEN);
	assert_says(t, "broken", "catalog", "build it with 'gymfleet catalog build");
}

static void cli(struct test *t, const char *word, const char *a, const char *b, const char *c, const char *d)
{
	struct it_output out = it_run(t->w, it_program("gymfleet"), "catalog", word, a, b, c, d);
	if (out.status != 0)
		fail_msg("catalog %s: %s", word, out.err);
	it_output_free(&out);
}

static void whose_signatures_count_is_said(void **state)
{
	struct test *t = *state;
	const char *file = it_path(t->w, "catalogs/" CLASS ".catalog");
	configure(t, SIM, "");
	check(t, FINE);
	assert_says(t, "ok", "catalog keys", "none: no catalog is taken over the air");
	cli(t, "keygen", it_path(t->w, "anna"), NULL, NULL, NULL);
	configure(t, SIM, "catalog_keys: {threshold: 1, files: [anna.pub]}\n");
	check(t, BROKEN);
	assert_says(t, "ok", "catalog keys", "1 of 1 must have signed a catalog: ");
	assert_says(t, "broken", "catalog",
	            "signed by 0 of the known keys, 1 are needed; sign it with 'gymfleet catalog sign'");
	cli(t, "sign", "--key", it_path(t->w, "anna"), file, NULL);
	check(t, FINE);
	assert_says(t, "ok", "catalog file", "signed by enough of the keys");
	assert_says(t, "ok", "catalog", CLASS "@1, 1 routines");
	configure(t, SIM, "catalog_keys: {threshold: 2, files: [anna.pub]}\n");
	run(t, "--check");
	assert_int_equal(t->output.status, CONFIG);
	assert_non_null(strstr(t->output.err, "agent.yaml:"));
}

static void a_machine_that_is_locked_says_so(void **state)
{
	struct test *t = *state;
	const struct limits limits = {.revision = 1, .limits = {.locked = true}, .lock_reason = "the cover is torn"};
	const char *path = it_path(t->w, "machine/limits");
	configure(t, SIM, "");
	assert_int_equal(limits_save(path, &limits, NULL), 0);
	check(t, FINE);
	assert_says(t, "doubtful", "lock", "locked by the gateway, no session starts: the cover is torn");
	it_write(path, "rubbish");
	check(t, BROKEN);
	assert_says(t, "broken", "lock", "so the machine is locked; move the file away");
}

/* Nobody can turn a key that isn't there. */
static void a_routine_that_nobody_can_unlock_is_said(void **state)
{
	struct test *t = *state;
	it_write(it_path(t->w, "routines-" CLASS "/deep.yaml"),
	         "id: deep\ntitle: A deep one\nclasses: [" CLASS
	         "]\nstaff_unlock: true\ntotal_s: 5\nsides: [left]\nsteps:\n"
	         "  - {area: calves, technique: press, seconds: 5, pct: 20}\n");
	it_catalog(t->w, CLASS, ROUTINE_S);
	configure(t, SIM, "");
	check(t, FINE);
	assert_says(t, "ok", "catalog", "2 routines, of which this machine plays 2");
	configure(t, sysfs(t), "");
	check(t, FINE);
	assert_says(t, "doubtful", "routine", "deep is refused: it needs the staff key");
	assert_says(t, "ok", "catalog", "2 routines, of which this machine plays 1");
	configure(t, sysfs(t), "    - {does: staff_key, file: class/gpio/gpio16/value}\n");
	check(t, FINE);
	assert_says(t, "ok", "catalog", "2 routines, of which this machine plays 2");
}

static void a_certificate_at_its_end_is_said(void **state)
{
	struct test *t = *state;
	configure(t, SIM, "");
	assert_int_equal(it_pki(t->w, "device", ID, "--not-after", "20240101000000Z"), 0);
	check(t, BROKEN);
	assert_says(t, "broken", "certificate", "expired at 2024-01-01T00:00:00Z");
}

static void a_mistake_in_the_file_ends_with_2(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "  estopp: {}\n");
	check(t, CONFIG);
	assert_string_equal(t->output.out, "");
	assert_non_null(strstr(t->output.err, "agent.yaml:"));
	assert_non_null(strstr(t->output.err, "did you mean 'estop'?"));
}

/* --- beside an agent --------------------------------------------------------------------------------------------- */

static struct it_proc *start_session(struct test *t)
{
	struct it_proc *agent = it_spawn(t->w, "agent", it_program("gymfleet-agent"), "--config", t->config);
	IT_UNTIL(SOON_MS, it_log_has(agent, "with catalog") || !it_alive(agent));
	/* Pressed again until it is taken: the first look at a panel only learns what is down already. */
	for (int64_t end_ms = it_now_ms() + SOON_MS, last_ms = 0; !fake_on(&t->fake); it_pause()) {
		if (it_now_ms() >= end_ms || !it_alive(agent))
			fail_msg("no session; see %s", it_log(agent));
		if (it_now_ms() - last_ms < 200)
			continue;
		last_ms = it_now_ms();
		fake_write(&t->fake, "class/gpio/gpio10/value", last_ms / 200 % 2 == 0 ? "0\n" : "1\n");
	}
	return agent;
}

static void an_agent_at_work_is_left_alone(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "");
	struct it_proc *agent = start_session(t);
	check(t, FINE);
	assert_says(t, "doubtful", "hardware", "an agent runs this machine");
	assert_true(fake_on(&t->fake));
	run(t, "--safe");
	assert_int_equal(t->output.status, BROKEN);
	assert_non_null(strstr(t->output.err, "another process holds it"));
	assert_true(fake_on(&t->fake));
	assert_true(it_alive(agent));

	it_signal(agent, SIGTERM);
	it_end_well(agent, SOON_MS);
	assert_false(fake_on(&t->fake));
	check(t, FINE);
	assert_says(t, "ok", "pwm", "off");
	assert_says(t, "ok", "spool", "machine/spool");
}

/* Agent and watcher killed together, as systemd kills a whole group: the unit's last word. */
static void i5_what_was_left_on_is_turned_off(void **state)
{
	struct test *t = *state;
	configure(t, sysfs(t), "");
	fake_write(&t->fake, "class/pwm/pwmchip0/pwm0/period", "50000\n");
	fake_write(&t->fake, FAKE_DUTY, "20000\n");
	fake_write(&t->fake, FAKE_ENABLE, "1\n");
	fake_write(&t->fake, FAKE_MOTOR_TEMP, ""); /* whatever else is wrong */
	assert_int_equal(unlink(fake_path(&t->fake, FAKE_ESTOP)), 0);
	run(t, "--safe");
	assert_int_equal(t->output.status, BROKEN);
	assert_false(fake_on(&t->fake));

	fake_write(&t->fake, FAKE_ESTOP, "1\n");
	fake_write(&t->fake, FAKE_ENABLE, "1\n");
	run(t, "--safe");
	assert_int_equal(t->output.status, FINE);
	assert_string_equal(t->output.err, "");
	assert_false(fake_on(&t->fake));
	configure(t, SIM, "");
	run(t, "--safe"); /* stops by itself */
	assert_int_equal(t->output.status, FINE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_simulated_machine_is_fine),
	    TEST(what_the_hand_gets_and_whose_tokens_are_said),
	    TEST(a_state_folder_that_is_not_there_stays_so),
	    TEST(bare_hardware_is_looked_at_and_left_off),
	    TEST(a_controller_is_asked),
	    TEST(what_is_broken_is_said),
	    TEST(a_sensor_that_the_envelope_demands_must_be_there),
	    TEST(a_missing_watcher_is_broken),
	    TEST(what_a_routine_will_not_get_is_said),
	    TEST(whose_signatures_count_is_said),
	    TEST(a_machine_that_is_locked_says_so),
	    TEST(a_routine_that_nobody_can_unlock_is_said),
	    TEST(a_certificate_at_its_end_is_said),
	    TEST(a_mistake_in_the_file_ends_with_2),
	    TEST(an_agent_at_work_is_left_alone),
	    TEST(i5_what_was_left_on_is_turned_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
