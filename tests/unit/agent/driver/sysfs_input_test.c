/* What the sysfs driver reads, and every way in which a file can be wrong. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
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

/* --- readings ---------------------------------------------------------------------------------------------------- */

static void what_the_files_say_is_read(void **state)
{
	(void)state;
	sysfs_rig_open();
	UNTIL_READ(true);
	assert_float_equal(rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C], 31.5, 0.001);
	assert_float_equal(rig.input.sensors[GF_SENSOR_SURFACE_TEMP_C], 29, 0.001);
	assert_float_equal(rig.input.sensors[GF_SENSOR_CURRENT_MA], 120, 0.001);
	assert_float_equal(rig.input.sensors[GF_SENSOR_SUPPLY_MV], 24010, 0.001);
	assert_float_equal(rig.input.sensors[GF_SENSOR_SPEED_RPM], 0, 0.001);
	assert_true(isnan(rig.input.sensors[GF_SENSOR_PRESSURE_MMHG]));
	assert_true(isnan(rig.input.sensors[GF_SENSOR_BATTERY_PCT]));
	assert_false(rig.input.estop || rig.input.cover_open || rig.input.occupied);
	assert_true(rig.input.has_occupied);
	assert_false(rig.input.has_meter);
	assert_int_equal(rig.input.fault, GF_FAULT_UNSPECIFIED);
	assert_int_equal(rig.input.panel.routine, 0);
	fake_write(&rig.fake, FAKE_MOTOR_TEMP, "-4125\n");
	UNTIL_READ(fabsf(rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] + 4.125F) < 0.001F);
}

static void what_no_sensor_can_say_is_no_value(void **state)
{
	static const struct {
		const char *file, *text;
		enum gf_sensor sensor;
	} bad[] = {
	    {FAKE_MOTOR_TEMP, "", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "warm\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "31500 mC\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "-60000\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "300000\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "99999999999999999999\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_MOTOR_TEMP, "-99999999999999999999\n", GF_SENSOR_MOTOR_TEMP_C},
	    {FAKE_CURRENT, "2000000\n", GF_SENSOR_CURRENT_MA},
	    {FAKE_SPEED, "-1\n", GF_SENSOR_SPEED_RPM},
	    {FAKE_SUPPLY, "0x10\n", GF_SENSOR_SUPPLY_MV},
	};
	(void)state;
	sysfs_rig_open();
	for (size_t i = 0; i < COUNT(bad); i++) {
		fake_write(&rig.fake, bad[i].file, "1000\n");
		UNTIL_READ(isfinite(rig.input.sensors[bad[i].sensor]));
		fake_write(&rig.fake, bad[i].file, bad[i].text);
		UNTIL_READ(isnan(rig.input.sensors[bad[i].sensor]));
	}
}

static void a_chip_that_went_and_came_back_answers_again(void **state)
{
	(void)state;
	sysfs_rig_open();
	UNTIL_READ(isfinite(rig.input.sensors[GF_SENSOR_CURRENT_MA]));
	assert_int_equal(unlink(fake_path(&rig.fake, FAKE_CURRENT)), 0);
	UNTIL_READ(isnan(rig.input.sensors[GF_SENSOR_CURRENT_MA]));
	assert_true(isfinite(rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C]));
	fake_write(&rig.fake, FAKE_CURRENT, "77\n");
	UNTIL_READ(rig.input.sensors[GF_SENSOR_CURRENT_MA] == 77);
}

/* Wired the other way round, a shunt says the same with the other sign. */
static void i4_a_negative_current_is_a_current(void **state)
{
	(void)state;
	sysfs_rig_open();
	fake_write(&rig.fake, FAKE_CURRENT, "-9000\n");
	UNTIL_READ(rig.input.sensors[GF_SENSOR_CURRENT_MA] == 9000);
}

/* A sensor whose bus hangs: a pipe that nobody writes to keeps whoever opens it. */
static void i4_a_hung_sensor_fails_the_reading(void **state)
{
	(void)state;
	sysfs_rig_open();
	UNTIL_READ(true);
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_true(fake_on(&rig.fake));
	assert_int_equal(unlink(fake_path(&rig.fake, FAKE_CURRENT)), 0);
	assert_int_equal(mkfifo(fake_path(&rig.fake, FAKE_CURRENT), 0600), 0);
	UNTIL(!sysfs_rig_read());
	assert_false(fake_on(&rig.fake));
	const int64_t end_ms = sysfs_rig_now_ms() + DRIVER_STALE_MS;
	do {
		assert_false(sysfs_rig_read()); /* no old value passes for a new one, however often one asks */
		fake_time_passes(5);
	} while (sysfs_rig_now_ms() < end_ms);

	fake_write(&rig.fake, "current", "55\n");
	const int fifo = open(fake_path(&rig.fake, FAKE_CURRENT), O_WRONLY | O_CLOEXEC); /* lets go who hangs in it */
	assert_true(fifo >= 0);
	char from[256];
	snprintf(from, sizeof(from), "%s", fake_path(&rig.fake, "current"));
	assert_int_equal(rename(from, fake_path(&rig.fake, FAKE_CURRENT)), 0);
	close(fifo);
	UNTIL_READ(rig.input.sensors[GF_SENSOR_CURRENT_MA] == 55);
}

/* The thread hangs to the end of this program: it must not keep the agent from its own. */
static void a_hung_sensor_does_not_hold_up_the_end(void **state)
{
	(void)state;
	sysfs_rig_open();
	assert_int_equal(sysfs_rig_write(DRIVER_START, 50, 10), 0);
	assert_int_equal(unlink(fake_path(&rig.fake, FAKE_CURRENT)), 0);
	assert_int_equal(mkfifo(fake_path(&rig.fake, FAKE_CURRENT), 0600), 0);
	UNTIL(!sysfs_rig_read());
	const int64_t begun_ms = sysfs_rig_now_ms();
	rig.driver->ops->free(rig.driver);
	rig.driver = NULL;
	assert_true(sysfs_rig_now_ms() - begun_ms < 5000);
	assert_false(fake_on(&rig.fake));
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static const char *const unreadable[] = {"", "\n", "x\n", "10\n", "2\n", "-1\n", "0 \n", " 1\n", "yes\n"};

static void i4_a_stop_or_cover_that_cannot_be_read_is_pressed(void **state)
{
	(void)state;
	sysfs_rig_open();
	for (size_t i = 0; i < COUNT(unreadable); i++) {
		fake_write(&rig.fake, FAKE_ESTOP, "1\n");
		fake_write(&rig.fake, FAKE_COVER, "1\n");
		UNTIL_READ(!rig.input.estop && !rig.input.cover_open);
		fake_write(&rig.fake, FAKE_ESTOP, unreadable[i]);
		UNTIL_READ(true);
		assert_true(rig.input.estop);
		assert_false(rig.input.cover_open);
		fake_write(&rig.fake, FAKE_COVER, unreadable[i]);
		UNTIL_READ(true);
		assert_true(rig.input.cover_open);
	}
}

/* Asked in the tick itself: no thread, no slot in between. */
static void i4_a_press_is_seen_by_the_next_reading(void **state)
{
	(void)state;
	sysfs_rig_open();
	for (int i = 0; i < 20; i++) {
		fake_write(&rig.fake, FAKE_ESTOP, i % 2 == 0 ? "0\n" : "1\n");
		fake_write(&rig.fake, FAKE_COVER, i % 3 == 0 ? "0\n" : "1\n");
		UNTIL_READ(true);
		assert_int_equal(rig.input.estop, i % 2 == 0);
		assert_int_equal(rig.input.cover_open, i % 3 == 0);
	}
}

static void contacts_are_what_they_are_said_to_be(void **state)
{
	(void)state;
	rig.fake.config.estop.active_low = true; /* 0: the circuit is closed */
	rig.fake.config.cover.normally_closed = false;
	rig.fake.config.occupied.present = false;
	fake_write(&rig.fake, FAKE_ESTOP, "0\n");
	fake_write(&rig.fake, FAKE_COVER, "0\n");
	sysfs_rig_open();
	UNTIL_READ(true);
	assert_false(rig.input.estop || rig.input.cover_open || rig.input.has_occupied || rig.input.occupied);
	fake_write(&rig.fake, FAKE_ESTOP, "1\n");
	fake_write(&rig.fake, FAKE_COVER, "1\n");
	UNTIL_READ(true);
	assert_true(rig.input.estop && rig.input.cover_open);
}

static unsigned pressed(void)
{
	const struct driver_panel *p = &rig.input.panel;
	return (p->routine != 0) | (unsigned)p->stop << 1 | (unsigned)p->pause << 2 | (unsigned)p->pain << 3 |
	       (unsigned)p->intensity_up << 4 | (unsigned)p->intensity_down << 5 | (unsigned)p->staff_key << 6;
}

static void buttons_do_what_they_are_for(void **state)
{
	(void)state;
	rig.fake.config.buttons[0].routine = 7;
	sysfs_rig_open();
	for (int i = 0; i < FAKE_BUTTONS; i++) {
		sysfs_rig_button(i, "1\n");
		UNTIL_READ(true);
		assert_int_equal(pressed(), 1U << i);
		assert_int_equal(rig.input.panel.routine, i == 0 ? 7 : 0);
		sysfs_rig_button(i, "0\n");
	}
	fake_write(&rig.fake, FAKE_OCCUPIED, "1\n");
	UNTIL_READ(true);
	assert_int_equal(pressed(), 0);
	assert_true(rig.input.occupied);
}

/* What stops or eases is taken from a line that says nothing; what starts or strengthens isn't. */
static void i4_a_dead_button_only_stops(void **state)
{
	(void)state;
	sysfs_rig_open();
	for (int i = 0; i < FAKE_BUTTONS; i++)
		sysfs_rig_button(i, "?\n");
	UNTIL_READ(true);
	assert_int_equal(pressed(), 1U << 1 | 1U << 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sysfs_rig_setup, sysfs_rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_the_files_say_is_read),
	    TEST(what_no_sensor_can_say_is_no_value),
	    TEST(a_chip_that_went_and_came_back_answers_again),
	    TEST(i4_a_negative_current_is_a_current),
	    TEST(i4_a_hung_sensor_fails_the_reading),
	    TEST(a_hung_sensor_does_not_hold_up_the_end),
	    TEST(i4_a_stop_or_cover_that_cannot_be_read_is_pressed),
	    TEST(i4_a_press_is_seen_by_the_next_reading),
	    TEST(contacts_are_what_they_are_said_to_be),
	    TEST(buttons_do_what_they_are_for),
	    TEST(i4_a_dead_button_only_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
