#include "tests/integration/dead_man.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/driver/driver.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/file.h"

enum {
	STAYS_OFF_MS = 100,
	PRESS_MS = 150,
	COUNTED_MS = 1000, /* by then the simulated time has passed */
	TICK_SLACK_MS = 2 * 20,
};

/* ---- what all have in common ---- */

static void write_config(struct dead_machine *m, const char *driver)
{
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_dir_make(it_path(m->w, "machines/%s", m->name), &diag), 0);
	m->config = it_path(m->w, "machines/%s/agent.yaml", m->name);
	it_write(m->config,
	         "class: " DEAD_CLASS
	         "\nmodel: test\nlocation: {site: lab}\nstate_dir: .\ncatalog: ../../catalogs/" DEAD_CLASS
	         ".catalog\nclock: system\nrated_motor_h: 2000\n"
	         "broker: {host: localhost, port: %u, ca_file: ../../pki/ca.pem, cert_file: ../../pki/devices/lab.pem, "
	         "key_file: ../../pki/devices/lab.key}\n%s",
	         it_device_port(m->w), driver);
}

static void took(struct dead_machine *m, int64_t ms)
{
	m->worst_ms = ms > m->worst_ms ? ms : m->worst_ms;
}

static void too_long(const struct dead_machine *m, int64_t ms)
{
	fail_msg("%s: its agent was %s, and the outputs were on for %lld ms; the log is %s", m->name, dead_way_name(m->way),
	         (long long)ms, it_log(m->agent));
}

static void came_on_again(const struct dead_machine *m)
{
	fail_msg("%s: its agent was %s, and the outputs came on again; the log is %s", m->name, dead_way_name(m->way),
	         it_log(m->agent));
}

static void nothing(struct dead_machine *m)
{
	(void)m;
}

/* ---- sim: its hour meter ---- */

static void sim_make(struct dead_machine *m)
{
	char driver[160];
	snprintf(driver, sizeof(driver), "driver: sim\nsim: {seed: %d, busy: 1, opens: \"00:00\", closes: \"00:00\"}\n",
	         (int)m->number + 1);
	write_config(m, driver);
}

static uint64_t sim_motor_ms(const struct dead_machine *m)
{
	const char *path = it_path(m->w, "machines/%s/hour-meter.journal", m->name);
	struct sim_journal journal;
	return sim_journal_read(path, &journal) == 0 ? journal.motor_ms : 0;
}

static bool sim_runs(struct dead_machine *m)
{
	const uint64_t before_ms = m->motor_ms;
	m->motor_ms = sim_motor_ms(m);
	m->struck_motor_ms = m->motor_ms;
	return before_ms != 0 && m->motor_ms > before_ms;
}

static bool sim_held(struct dead_machine *m)
{
	return m->now_ms - m->struck_ms >= m->hold_ms;
}

/* The simulated time passes when somebody asks for it: the first tick after a stop counts what ran meanwhile. */
static bool sim_released(struct dead_machine *m)
{
	const int64_t ran_ms = (int64_t)(sim_motor_ms(m) - m->struck_motor_ms), since_ms = it_now_ms() - m->released_ms;
	const int64_t again_ms = m->way == DEAD_KILLED ? 0 : since_ms; /* it may run again */

	if (ran_ms > DRIVER_DEAD_MAN_MS + TICK_SLACK_MS + m->late_ms + again_ms)
		too_long(m, ran_ms);
	if (ran_ms == 0 && m->way != DEAD_KILLED && since_ms < COUNTED_MS)
		return false;
	took(m, ran_ms - again_ms > 0 ? ran_ms - again_ms : 0);
	return true;
}

/* ---- sysfs: the files that are its outputs ---- */

static void sysfs_make(struct dead_machine *m)
{
	char driver[1024];
	fake_sysfs_make(&m->sysfs);
	fake_write(&m->sysfs, FAKE_OCCUPIED, "1\n");
	snprintf(driver, sizeof(driver),
	         "driver: sysfs\nsysfs:\n  root: %s\n  pwm: {period_ns: 50000, duty_min_pct: 20, duty_max_pct: 100}\n"
	         "  sensors: {motor_temp_c: lm75/temp1, surface_temp_c: lm75/temp2, current_ma: ina219/curr1, "
	         "supply_mv: ina219/in1}\n"
	         "  estop: {file: " FAKE_ESTOP "}\n  cover: {file: " FAKE_COVER "}\n  occupied: {file: " FAKE_OCCUPIED "}\n"
	         "  buttons:\n    - {does: start, routine: 1, file: " FAKE_BUTTON "}\n",
	         m->sysfs.dir, 0);
	write_config(m, driver);
}

static void sysfs_unmake(struct dead_machine *m)
{
	fake_sysfs_remove(&m->sysfs);
}

/* Somebody presses start until it runs. */
static void sysfs_ask(struct dead_machine *m)
{
	char name[64];
	if (m->now_ms - m->press_ms < PRESS_MS)
		return;
	m->press_ms = m->now_ms;
	m->pressed = !m->pressed;
	snprintf(name, sizeof(name), FAKE_BUTTON, 0);
	fake_write(&m->sysfs, name, m->pressed ? "1\n" : "0\n");
}

static bool sysfs_runs(struct dead_machine *m)
{
	return fake_on(&m->sysfs);
}

static bool sysfs_held(struct dead_machine *m)
{
	const bool on = fake_on(&m->sysfs);
	const int64_t since_ms = it_now_ms() - m->struck_ms;

	if (on && m->off_ms != 0)
		came_on_again(m);
	if (on && since_ms > DRIVER_DEAD_MAN_MS + m->late_ms)
		too_long(m, since_ms);
	if (!on && m->off_ms == 0) {
		m->off_ms = m->now_ms;
		took(m, since_ms);
	}
	return m->off_ms != 0 && m->now_ms - m->off_ms >= STAYS_OFF_MS;
}

/* ---- modbus: the controller's log ---- */

static void modbus_make(struct dead_machine *m)
{
	static const char *const options[] = {"--class", DEAD_CLASS, "--busy", "0", NULL};
	char driver[128];

	slave_start(&m->slave, false, options);
	snprintf(driver, sizeof(driver), "driver: modbus\nmodbus: {host: 127.0.0.1, port: %u, unit: 1, occupancy: false}\n",
	         m->slave.port);
	write_config(m, driver);
}

static void modbus_unmake(struct dead_machine *m)
{
	slave_stop(&m->slave);
}

static void modbus_ask(struct dead_machine *m)
{
	if (m->now_ms - m->press_ms < 2 * PRESS_MS)
		return;
	m->press_ms = m->now_ms;
	slave_tell(&m->slave, "routine 1 %d", PRESS_MS);
}

static bool modbus_runs(struct dead_machine *m)
{
	return slave_on(&m->slave);
}

static bool is_off(const char *text)
{
	return strcmp(text, "off\n") == 0;
}

/* When it went off is the controller's own word. */
static bool modbus_held(struct dead_machine *m)
{
	const bool on = slave_on(&m->slave);
	const int64_t since_ms = it_now_ms() - m->struck_ms;
	struct slave_note off;

	if (on && m->off_ms != 0)
		came_on_again(m);
	if (on && since_ms > DRIVER_DEAD_MAN_MS + m->late_ms)
		too_long(m, since_ms);
	while (m->off_ms == 0 && slave_next_note(&m->slave, is_off, &off)) {
		if (off.ms < (double)m->struck_ms)
			continue;
		m->off_ms = m->now_ms;
		took(m, (int64_t)off.ms - m->struck_ms);
		if (off.ms - (double)m->struck_ms > DRIVER_DEAD_MAN_MS + (double)m->late_ms)
			too_long(m, (int64_t)off.ms - m->struck_ms);
	}
	/* It may just have gone off by itself. */
	if (!on && since_ms > 2 * DRIVER_DEAD_MAN_MS)
		return true;
	return m->off_ms != 0 && m->now_ms - m->off_ms >= STAYS_OFF_MS;
}

static bool seen_enough(struct dead_machine *m)
{
	(void)m;
	return true;
}

const struct dead_kind dead_kinds[DEAD_KINDS] = {
    {"sim", 25, 4, true, sim_make, nothing, nothing, sim_runs, sim_held, sim_released},
    {"sysfs", 12, 9, false, sysfs_make, sysfs_unmake, sysfs_ask, sysfs_runs, sysfs_held, seen_enough},
    {"modbus", 12, 9, false, modbus_make, modbus_unmake, modbus_ask, modbus_runs, modbus_held, seen_enough},
};
