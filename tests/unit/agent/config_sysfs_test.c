/* The section `sysfs:` of agent.yaml: what is shipped as a comment loads when the comment signs are gone, and mistakes are named. */
#include "agent/config.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/agent/config_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	const int r = config_rig_setup(state);
	if (r == 0)
		config_rig_uncomment(*state, "sysfs");
	return r;
}

static void the_shipped_section_loads(void **state)
{
	struct shipped *s = *state;
	struct agent_config *c = config_rig_load(s);
	const struct sysfs_config *sysfs = &c->sysfs;

	assert_int_equal(c->driver, AGENT_DRIVER_SYSFS);
	assert_string_equal(sysfs->root, "/sys");
	assert_string_equal(sysfs->watcher, "");
	assert_true(sysfs->pwm.present && sysfs->frequency.present);
	assert_int_equal(sysfs->pwm.period_ns, 50000);
	assert_int_equal(sysfs->frequency.channel, 1);
	assert_float_equal(sysfs->duty_min_pct, 18, 0.001F);
	assert_float_equal(sysfs->duty_max_pct, 95, 0.001F);
	assert_float_equal(sysfs->hz_at_full, 53, 0.001F);
	assert_string_equal(sysfs->sensors.inputs[GF_SENSOR_MOTOR_TEMP_C], "lm75/temp1");
	assert_string_equal(sysfs->sensors.inputs[GF_SENSOR_CURRENT_MA], "ina219/curr1");
	assert_string_equal(sysfs->sensors.inputs[GF_SENSOR_PRESSURE_MMHG], "");
	assert_string_equal(sysfs->estop.chip, "gpiochip0");
	assert_int_equal(sysfs->estop.line, 17);
	assert_true(sysfs->estop.present && sysfs->estop.active_low && sysfs->estop.normally_closed);
	assert_int_equal(sysfs->estop.pull, GPIO_PULL_UP);
	assert_int_equal(sysfs->buttons_count, 3);
	assert_int_equal(sysfs->buttons[0].does, SYSFS_BUTTON_START);
	assert_int_equal(sysfs->buttons[0].routine, 1);
	assert_int_equal(sysfs->buttons[2].does, SYSFS_BUTTON_PAIN);
	agent_config_free(c);
}

/* What keeps people safe is left out most easily. */
static void i4_contacts_are_fail_safe_unless_said_otherwise(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "    contact: normally_closed", "#");
	struct agent_config *c = config_rig_load(s);
	assert_true(c->sysfs.estop.normally_closed);
	assert_true(c->sysfs.cover.normally_closed);
	assert_int_equal(c->sysfs.cover.pull, GPIO_PULL_SAFE);
	assert_false(c->sysfs.occupied.normally_closed);
	assert_false(c->sysfs.buttons[1].line.normally_closed);
	agent_config_free(c);
}

static void paths_are_relative_to_the_file(void **state)
{
	struct shipped *s = *state;
	char path[128];
	shipped_change(s, "sysfs:\n  pwm:", "sysfs:\n  root: tree\n  watcher: bin/watcher\n  pwm:");
	struct agent_config *c = config_rig_load(s);
	snprintf(path, sizeof(path), "%s/tree", s->dir);
	assert_string_equal(c->sysfs.root, path);
	snprintf(path, sizeof(path), "%s/bin/watcher", s->dir);
	assert_string_equal(c->sysfs.watcher, path);
	agent_config_free(c);
}

static void what_is_left_out_has_its_default(void **state)
{
	struct shipped *s = *state;
	char *section = strstr(s->text, "\nsysfs:\n");
	assert_non_null(section);
	strcpy(section, "\nsysfs:\n  pwm: {period_ns: 40000}\n  estop: {file: class/gpio/gpio1/value}\n");
	shipped_change(s, "40000", "40000");
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->sysfs.pwm.chip, 0);
	assert_float_equal(c->sysfs.duty_min_pct, 0, 0.001F);
	assert_float_equal(c->sysfs.duty_max_pct, 100, 0.001F);
	assert_false(c->sysfs.frequency.present);
	assert_false(c->sysfs.cover.present);
	assert_false(c->sysfs.estop.active_low);
	assert_string_equal(c->sysfs.estop.file, "class/gpio/gpio1/value");
	agent_config_free(c);
}

static void outputs_out_of_range_are_named(void **state)
{
	static const struct config_mistake far[] = {
	    {"period_ns: 50000 ", "period_ns: ^0 ", "sysfs.pwm.period_ns is 0; expected 1000 to 1000000000"},
	    {"channel: 0", "channel: ^70000", "sysfs.pwm.channel is 70000; expected 0 to 65535"},
	    {"duty_min_pct: 18", "duty_min_pct: ^95", "duty_min_pct (95) must be below duty_max_pct (95)"},
	    {"duty_max_pct: 95", "duty_max_pct: ^101", "sysfs.pwm.duty_max_pct is 101; expected 0 to 100"},
	    {"hz_at_full: 53", "hz_at_full: ^0", "sysfs.frequency.hz_at_full is 0; expected 1 to 1000"},
	    {"  frequency:                    # only where a second channel sets the massage's frequency\n    channel: 1",
	     "  frequency:\n    ^channel: 0",
	     "the frequency needs a channel of its own; channel 0 of chip 0 is the motor's"},
	    {"  pwm:\n    chip: 0                     # /sys/class/pwm/pwmchip0\n    channel: 0\n    period_ns: 50000 ",
	     "  pwm:\n    ^channel: 0\n    period: 50000 ", "unknown key 'period' in 'pwm'; did you mean 'period_ns'?"},
	};
	struct shipped *s = *state;
	config_rig_refuses_all(s, far, COUNT(far) - 1);
	shipped_change(s, far[COUNT(far) - 1].from, far[COUNT(far) - 1].to);
	shipped_place(s, "^period: 50000");
	config_rig_refuses(s, -EINVAL, far[COUNT(far) - 1].said);
}

static void sensors_must_fit_what_they_measure(void **state)
{
	static const struct config_mistake odd[] = {
	    {"motor_temp_c: lm75/temp1", "motor_temp_c: ^lm75",
	     "sysfs.sensors.motor_temp_c is 'lm75'; expected CHIP/INPUT such as lm75/temp1"},
	    {"motor_temp_c: lm75/temp1", "motor_temp_c: ^ina219/curr1",
	     "sysfs.sensors.motor_temp_c is 'ina219/curr1'; expected a temperature, CHIP/tempN"},
	    {"current_ma: ina219/curr1", "current_ma: ^ina219/in1",
	     "sysfs.sensors.current_ma is 'ina219/in1'; expected a current, CHIP/currN"},
	    {"current_ma: ina219/curr1", "current_ma: ^ina219/curr",
	     "sysfs.sensors.current_ma is 'ina219/curr'; expected a current, CHIP/currN"},
	    {"current_ma: ina219/curr1", "current_ma: ^../../etc/curr1",
	     "sysfs.sensors.current_ma is '../../etc/curr1'; expected CHIP/INPUT such as lm75/temp1"},
	    {"supply_mv: ina219/in1", "supply_mv: ^ina219/temp1",
	     "sysfs.sensors.supply_mv is 'ina219/temp1'; expected a voltage, CHIP/inN"},
	    {"speed_rpm: pwmfan/fan1", "speed_rpm: ^pwmfan/in1",
	     "sysfs.sensors.speed_rpm is 'pwmfan/in1'; expected a speed, CHIP/fanN"},
	    {"speed_rpm: pwmfan/fan1", "battery_pct: ^pwmfan/in1",
	     "sysfs.sensors.battery_pct is 'pwmfan/in1'; can't be had from hwmon"},
	};
	config_rig_refuses_all(*state, odd, COUNT(odd));
}

static void i4_lines_that_hide_a_broken_wire_are_refused(void **state)
{
	static const struct config_mistake odd[] = {
	    {"estop:                        # an emergency stop there must be; a line that can't be read counts as "
	     "pressed\n"
	     "    chip: gpiochip0\n    line: 17",
	     "estop:\n    ^chip: gpiochip0", "sysfs.estop needs either 'chip' and 'line', or 'file'"},
	    {"cover: {chip: gpiochip0, line: 27", "cover: ^{file: x, line: 27, chip: gpiochip0",
	     "sysfs.cover needs either 'chip' and 'line', or 'file'"},
	    {"cover: {chip: gpiochip0, line: 27", "cover: ^{file: x, pull: up",
	     "sysfs.cover: a file has no pull; use 'chip' and 'line', or leave it out"},
	    {"cover: {chip: gpiochip0, line: 27", "cover: ^{chip: gpiochip0, line: 27, pull: down",
	     "sysfs.cover: with pull: down a broken wire looks like a closed contact; expected up or none"},
	    {"occupied: {chip: gpiochip0, line: 22", "occupied: ^{chip: gpiochip0, line: 27",
	     "gpiochip0 line 27 is in use twice"},
	    {"- {does: stop, chip: gpiochip0, line: 6", "- ^{does: stop, chip: gpiochip0, line: 17",
	     "gpiochip0 line 17 is in use twice"},
	};
	config_rig_refuses_all(*state, odd, COUNT(odd));
}

static void buttons_are_checked(void **state)
{
	static const struct config_mistake odd[] = {
	    {"does: start, routine: 1", "does: start, routine: ^0", "sysfs.buttons[0].routine is 0; expected 1 to 64"},
	    {"does: stop", "does: stop, routine: ^2", "only a button that does 'start' has a routine"},
	    {"does: pain", "does: ^pian",
	     "'does' is 'pian'; did you mean 'pain'? Expected one of: start, stop, pause, pain, intensity_up, "
	     "intensity_down, staff_key"},
	};
	config_rig_refuses_all(*state, odd, COUNT(odd));
}

static void what_it_has_not_is_refused(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "  session_max_min: 30", "  heat_max_c: 40\nheat_c: ^38");
	config_rig_refuses(s, -EINVAL, "driver: sysfs has no heater; leave heat_c out");

	config_rig_drop(s, "sysfs");
	shipped_change(s, "driver: sysfs", "driver: ^sysfs");
	config_rig_refuses(s, -EINVAL, "driver: sysfs needs a section 'sysfs:' with at least 'pwm' and 'estop'");
}

static void memory_that_runs_out_is_said(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "sysfs:\n  pwm:", "sysfs:\n  root: tree\n  watcher: bin/watcher\n  pwm:");
	config_rig_starve(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, config_rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_shipped_section_loads),
	    TEST(i4_contacts_are_fail_safe_unless_said_otherwise),
	    TEST(paths_are_relative_to_the_file),
	    TEST(what_is_left_out_has_its_default),
	    TEST(outputs_out_of_range_are_named),
	    TEST(sensors_must_fit_what_they_measure),
	    TEST(i4_lines_that_hide_a_broken_wire_are_refused),
	    TEST(buttons_are_checked),
	    TEST(what_it_has_not_is_refused),
	    TEST(memory_that_runs_out_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
