/*
 * A machine without a controller of its own: a motor on a PWM channel, sensors under hwmon, contacts on GPIO lines, all of it the
 * kernel's drivers in /sys.
 *
 *     tick   GPIO lines ─────────────────────────────────┐
 *     keeper hwmon ─> slot (at most DRIVER_STALE_MS old) ┴> read()      write() ─> duty, enable     on open descriptors
 *                                                                           └────> beat ─> gymfleet-watcher ─> 0 (dead man)
 *
 * Intensity becomes duty, linearly between duty_min_pct and duty_max_pct; the carrier is fixed. Where a second channel sets the
 * massage frequency, it becomes that one's duty.
 *
 * Fail-safe: an emergency stop or cover that can't be read counts as pressed or open. Their contacts are normally closed unless
 * configured otherwise, so that a broken wire looks like a press. What a sensor's file can't tell is NaN (the control core's
 * sensor_lost); a slot that is too old, a watcher that fired or is gone makes the reading fail.
 */
#ifndef AGENT_DRIVER_SYSFS_H
#define AGENT_DRIVER_SYSFS_H

#include "agent/driver/driver.h"
#include "agent/driver/gpio.h"
#include "agent/driver/sysfs_pwm.h"
#include "agent/driver/sysfs_sensors.h"

enum {
	SYSFS_ROOT_MAX = 256,
	SYSFS_BUTTONS_MAX = 16,
};

enum sysfs_button {
	SYSFS_BUTTON_START = 1,
	SYSFS_BUTTON_STOP,
	SYSFS_BUTTON_PAUSE,
	SYSFS_BUTTON_PAIN,
	SYSFS_BUTTON_INTENSITY_UP,
	SYSFS_BUTTON_INTENSITY_DOWN,
	SYSFS_BUTTON_STAFF_KEY,
};

struct sysfs_button_config {
	enum sysfs_button does;
	uint16_t routine; /* for START: the routine's number in the catalog, from 1 */
	struct gpio_config line;
};

struct sysfs_config {
	char root[SYSFS_ROOT_MAX];    /* the kernel's tree, /sys */
	char watcher[SYSFS_ROOT_MAX]; /* the program; empty: gymfleet-watcher beside this one */
	struct pwm_config pwm;
	float duty_min_pct, duty_max_pct; /* of the carrier, at the least intensity and at 100 % */
	struct pwm_config frequency;
	float hz_at_full; /* the frequency at a duty of 100 % */
	struct sensors_config sensors;
	struct gpio_config estop, cover, occupied; /* estop must be there */
	size_t buttons_count;
	struct sysfs_button_config buttons[SYSFS_BUTTONS_MAX];
};

/*
 * Turns the outputs off, takes the lines, starts keeper and watcher. 0, or a negative errno with `diag`; the outputs are off then
 * too, as far as they could be reached.
 */
GF_MUST_CHECK int sysfs_driver_new(const struct sysfs_config *config, struct driver **ret_driver, struct gf_diag *diag);

/* The watcher's process; 0 when there is none now. For tests. */
int sysfs_driver_watcher(const struct driver *driver);

#endif
