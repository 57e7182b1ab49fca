/* What the sysfs driver writes, how it opens its hardware, and what it finds there. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/agent/driver/sysfs_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- outputs ----------------------------------------------------------------------------------------------------- */

static void intensity_becomes_duty(void **state)
{
	static const struct {
		float pct, hz;
		long duty, frequency;
	} rows[] = {
	    {50, 25, 30000, 25000}, {100, 50, 50000, 50000}, {1, 0, 10400, 0},           {250, 1000, 50000, 50000},
	    {50, -3, 30000, 0},     {50, NAN, 30000, 0},     {INFINITY, 5, 50000, 5000}, {0.001F, 25, 10000, 25000},
	};
	(void)state;
	sysfs_rig_open();
	assert_int_equal(fake_number(&rig.fake, "class/pwm/pwmchip0/pwm0/period"), FAKE_PERIOD_NS);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(sysfs_rig_write(DRIVER_START, rows[i].pct, rows[i].hz), 0);
		assert_in_range(fake_number(&rig.fake, FAKE_DUTY), rows[i].duty - 1, rows[i].duty + 1);
		assert_in_range(fake_number(&rig.fake, FAKE_FREQUENCY) + 1, rows[i].frequency, rows[i].frequency + 2);
		assert_int_equal(fake_number(&rig.fake, FAKE_ENABLE), 1);
	}
}

static void what_is_no_start_is_off(void **state)
{
	static const struct {
		enum driver_command command;
		float pct;
	} rows[] = {
	    {DRIVER_IDLE, 50},
	    {DRIVER_PAUSE, 50},
	    {DRIVER_STOP, 50},
	    {DRIVER_START, 0},
	    {DRIVER_START, -1},
	    {DRIVER_START, NAN},
	    {(enum driver_command)99, 50},
	};
	(void)state;
	sysfs_rig_open();
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
		assert_true(fake_on(&rig.fake));
		assert_int_equal(sysfs_rig_write(rows[i].command, rows[i].pct, 10), 0);
		assert_false(fake_on(&rig.fake));
		assert_int_equal(fake_number(&rig.fake, FAKE_FREQUENCY), 0);
	}
}

/* Of both channels' files each in turn. */
static void i5_a_failed_write_leaves_the_rest_off(void **state)
{
	static const char *const names[] = {"pwm0/duty_cycle", "pwm0/enable", "pwm1/duty_cycle", "pwm1/enable"};
	(void)state;
	sysfs_rig_open();
	for (size_t i = 0; i < COUNT(names); i++) {
		UNTIL_READ(true);
		assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
		rig.refused = names[i];
		rig.refused_error = EIO;
		while (sysfs_rig_write(DRIVER_START, 60, 20) == 0) /* only what has changed is written each time */
			continue;
		for (size_t j = 0; j < COUNT(names); j++) {
			char path[64];
			snprintf(path, sizeof(path), "class/pwm/pwmchip0/%s", names[j]);
			if (j != i)
				assert_int_equal(fake_number(&rig.fake, path), 0);
		}
		assert_false(sysfs_rig_read()); /* as good as on, as long as it takes no zero */
		assert_int_not_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
		rig.refused = NULL;
		UNTIL_READ(true);
		assert_false(fake_on(&rig.fake));
	}
}

static void what_somebody_else_wrote_is_written_over(void **state)
{
	(void)state;
	sysfs_rig_open();
	fake_write(&rig.fake, FAKE_DUTY, "50000\n");
	fake_write(&rig.fake, FAKE_ENABLE, "1\n");
	UNTIL(sysfs_rig_write(DRIVER_IDLE, 0, 0) == 0 && !fake_on(&rig.fake));
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	fake_write(&rig.fake, FAKE_ENABLE, "0\n");
	UNTIL(sysfs_rig_write(DRIVER_START, 50, 10) == 0 && fake_number(&rig.fake, FAKE_ENABLE) == 1);
}

/* The core hears of it as a fault, after the reading that failed. */
static void i5_that_the_watcher_fired_is_told(void **state)
{
	(void)state;
	sysfs_rig_open();
	UNTIL_READ(true);
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	UNTIL(!fake_on(&rig.fake)); /* nobody writes */
	assert_int_not_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_false(fake_on(&rig.fake));
	assert_false(sysfs_rig_read());
	UNTIL_READ(true);
	assert_int_equal(rig.input.fault, GF_FAULT_WATCHDOG);
	UNTIL(sysfs_rig_write(DRIVER_IDLE, 0, 0) == 0 && sysfs_rig_read() && rig.input.fault == GF_FAULT_UNSPECIFIED);
}

/* However soon there is a new one. */
static void i5_that_the_watcher_was_lost_is_told(void **state)
{
	(void)state;
	sysfs_rig_open();
	UNTIL_READ(true);
	const int lost = sysfs_driver_watcher(rig.driver);
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_int_equal(kill(lost, SIGKILL), 0);
	UNTIL(sysfs_driver_watcher(rig.driver) != lost && sysfs_driver_watcher(rig.driver) != 0);
	assert_int_not_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_false(fake_on(&rig.fake));
	assert_false(sysfs_rig_read());
	UNTIL_READ(true);
	assert_int_equal(rig.input.fault, GF_FAULT_WATCHDOG);
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_true(fake_on(&rig.fake));
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static void a_channel_that_is_on_is_off_once_opened(void **state)
{
	(void)state;
	fake_write(&rig.fake, "class/pwm/pwmchip0/pwm0/period", "40000\n");
	fake_write(&rig.fake, FAKE_DUTY, "20000\n");
	fake_write(&rig.fake, FAKE_ENABLE, "1\n");
	sysfs_rig_open();
	assert_false(fake_on(&rig.fake));
	assert_int_equal(fake_number(&rig.fake, "class/pwm/pwmchip0/pwm0/period"), FAKE_PERIOD_NS);
}

/* Which takes no period below the duty, and nothing at all before there is a period. */
static void files_are_written_in_an_order_that_the_kernel_takes(void **state)
{
	static const long periods[] = {0, 40000, 50000, 60000000};
	char text[32];
	(void)state;
	for (size_t i = 0; i < COUNT(periods); i++) {
		rig.strict = false;
		snprintf(text, sizeof(text), "%ld\n", periods[i]);
		fake_write(&rig.fake, "class/pwm/pwmchip0/pwm0/period", text);
		fake_write(&rig.fake, FAKE_DUTY, text);
		fake_write(&rig.fake, FAKE_ENABLE, periods[i] != 0 ? "1\n" : "0\n");
		rig.strict = true;
		sysfs_rig_open();
		assert_false(fake_on(&rig.fake));
		assert_int_equal(sysfs_rig_write(DRIVER_START, 100, 50), 0);
		assert_int_equal(fake_number(&rig.fake, FAKE_DUTY), FAKE_PERIOD_NS);
		assert_int_equal(sysfs_rig_write(DRIVER_STOP, 0, 0), 0);
		rig.driver->ops->free(rig.driver);
		rig.driver = NULL;
	}
}

/* The kernel's part: makes the channel once its number is written. */
static void *kernel(void *ctx)
{
	(void)ctx;
	while (fake_number(&rig.fake, "class/pwm/pwmchip0/export") != 1)
		fake_time_passes(1);
	char name[64];
	static const char *const files[] = {"period", "duty_cycle", "enable"};
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(name, sizeof(name), "class/pwm/pwmchip0/pwm1/%s", files[i]);
		fake_write(&rig.fake, name, "0\n");
		fake_time_passes(20);
	}
	return NULL;
}

static void a_channel_is_exported(void **state)
{
	static const char *const files[] = {"pwm1/period", "pwm1/duty_cycle", "pwm1/enable"};
	char name[64];
	pthread_t thread;
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(name, sizeof(name), "class/pwm/pwmchip0/%s", files[i]);
		assert_int_equal(unlink(fake_path(&rig.fake, name)), 0);
	}
	assert_int_equal(rmdir(fake_path(&rig.fake, "class/pwm/pwmchip0/pwm1")), 0);
	assert_int_equal(pthread_create(&thread, NULL, kernel, NULL), 0);
	sysfs_rig_open();
	pthread_join(thread, NULL);
	assert_int_equal(fake_number(&rig.fake, "class/pwm/pwmchip0/pwm1/period"), FAKE_PERIOD_NS);
}

static void assert_refused(int error, const char *said)
{
	struct gf_diag diag = {{0}};
	fake_write(&rig.fake, FAKE_DUTY, "20000\n");
	fake_write(&rig.fake, FAKE_ENABLE, "1\n");
	assert_int_equal(sysfs_driver_new(&rig.fake.config, &rig.driver, &diag), error);
	assert_null(rig.driver);
	if (strstr(diag.text, said) == NULL)
		fail_msg("'%s' isn't in '%s'", said, diag.text);
}

static void what_is_missing_is_named_and_all_is_off(void **state)
{
	struct sysfs_config *c = &rig.fake.config;
	const struct sysfs_config whole = *c;
	(void)state;

	gf_strcpy(c->estop.file, sizeof(c->estop.file), "class/gpio/gpio99/value");
	assert_refused(-ENOENT, "estop: ");
	assert_false(fake_on(&rig.fake));
	*c = whole;
	gf_strcpy(c->sensors.inputs[GF_SENSOR_CURRENT_MA], SENSOR_INPUT_MAX, "ina226/curr1");
	assert_refused(-ENOENT, "current_ma: ");
	assert_false(fake_on(&rig.fake));
	gf_strcpy(c->sensors.inputs[GF_SENSOR_CURRENT_MA], SENSOR_INPUT_MAX, "ina219/curr9");
	assert_refused(-ENOENT, "curr9_input");
	*c = whole;
	fake_write(&rig.fake, "class/hwmon/hwmon7/name", "lm75\n");
	assert_refused(-EEXIST, "2 chips called 'lm75'");
	assert_int_equal(unlink(fake_path(&rig.fake, "class/hwmon/hwmon7/name")), 0);
	gf_strcpy(c->watcher, sizeof(c->watcher), "/nowhere/gymfleet-watcher");
	assert_refused(-ENOENT, "/nowhere/gymfleet-watcher doesn't start");
	assert_false(fake_on(&rig.fake));
	gf_strcpy(c->watcher, sizeof(c->watcher), "/bin/true");
	assert_refused(-ECHILD, "/bin/true doesn't start: it ended at once");
	assert_false(fake_on(&rig.fake));
	*c = whole;
	c->pwm.chip = 3;
	assert_refused(-ENOENT, "pwmchip3 isn't there");
	*c = whole;
	c->pwm.channel = 5;
	rig.refused = "pwmchip0/export";
	rig.refused_error = ENODEV;
	assert_refused(-ENODEV, "pwmchip0 has no channel 5: ");
	rig.refused_error = EBUSY;
	assert_refused(-ENOENT, "pwm5/duty_cycle doesn't appear: has a driver of the kernel");
}

static void a_channel_that_stays_on_is_not_driven(void **state)
{
	(void)state;
	rig.refused = "pwm0/enable";
	rig.refused_error = 0; /* taken, without an effect */
	assert_refused(-EIO, "stays on although it was turned off");
	rig.refused_error = EIO;
	assert_refused(-EIO, "can't be turned off");
	rig.fake.config.estop.present = false;
	assert_refused(-EINVAL, "an emergency stop");
}

/* --- --check ----------------------------------------------------------------------------------------------------- */

static const struct driver_finding *finding(const struct driver_findings *findings, const char *what)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (strcmp(findings->items[i].what, what) == 0)
			return &findings->items[i];
	}
	fail_msg("nothing is said of %s", what);
	return NULL;
}

static void assert_found(const char *what, enum driver_verdict verdict, const char *said)
{
	static struct driver_findings findings;
	findings = (struct driver_findings){0};
	rig.driver->ops->check(rig.driver, &findings);
	const struct driver_finding *f = finding(&findings, what);
	if (f->verdict != verdict || strstr(f->text, said) == NULL)
		fail_msg("%s: %d '%s', expected %d '%s'", what, (int)f->verdict, f->text, (int)verdict, said);
}

static void what_is_well_is_said(void **state)
{
	static struct driver_findings findings;
	(void)state;
	sysfs_rig_open();
	findings = (struct driver_findings){0};
	rig.driver->ops->check(rig.driver, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		if (findings.items[i].verdict != DRIVER_FINE && strcmp(findings.items[i].what, "lines") != 0 &&
		    strcmp(findings.items[i].what, "sensors") != 0) /* slow, on a busy machine */
			fail_msg("%s: %s", findings.items[i].what, findings.items[i].text);
	}
	assert_found("pwm", DRIVER_FINE, "pwmchip0/pwm0, 20 kHz, off");
	assert_found("e-stop", DRIVER_FINE, "released (class/gpio/gpio1/value)");
	assert_found("motor_temp_c", DRIVER_FINE, "31.5 °C (lm75/temp1)");
	assert_found("watcher", DRIVER_FINE, "beats");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	rig.fake.config.cover.normally_closed = false;
	fake_write(&rig.fake, FAKE_COVER, "0\n");
	sysfs_rig_open();
	fake_write(&rig.fake, FAKE_ESTOP, "0\n");
	assert_found("e-stop", DRIVER_DOUBTFUL, "its wire or its contact is broken");
	fake_write(&rig.fake, FAKE_ESTOP, "?\n");
	assert_found("e-stop", DRIVER_BROKEN, "it counts as pressed");
	assert_found("cover", DRIVER_DOUBTFUL, "a broken wire goes unnoticed");
	sysfs_rig_button(1, "\n");
	assert_found("button stop", DRIVER_BROKEN, "can't be read");
	fake_write(&rig.fake, FAKE_SPEED, "-7\n");
	assert_found("speed_rpm", DRIVER_BROKEN, "fan1_input gives no value");
	fake_write(&rig.fake, FAKE_ENABLE, "1\n");
	assert_found("pwm", DRIVER_BROKEN, "something else drives it");
	fake_write(&rig.fake, FAKE_FREQUENCY, "much\n");
	assert_found("frequency", DRIVER_BROKEN, "can't be read");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sysfs_rig_setup, sysfs_rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(intensity_becomes_duty),
	    TEST(what_is_no_start_is_off),
	    TEST(i5_a_failed_write_leaves_the_rest_off),
	    TEST(what_somebody_else_wrote_is_written_over),
	    TEST(i5_that_the_watcher_fired_is_told),
	    TEST(i5_that_the_watcher_was_lost_is_told),
	    TEST(a_channel_that_is_on_is_off_once_opened),
	    TEST(files_are_written_in_an_order_that_the_kernel_takes),
	    TEST(a_channel_is_exported),
	    TEST(what_is_missing_is_named_and_all_is_off),
	    TEST(a_channel_that_stays_on_is_not_driven),
	    TEST(what_is_well_is_said),
	    TEST(what_is_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
