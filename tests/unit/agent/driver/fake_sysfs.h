/*
 * A machine in a folder under /tmp that looks like /sys: two PWM channels, a thermometer, a current and voltage sensor, a fan, and
 * contacts as files of the old GPIO tree. The kernel isn't there: files keep what is written over the beginning of what they had, so
 * only their first line counts.
 */
#ifndef TESTS_DRIVER_FAKE_SYSFS_H
#define TESTS_DRIVER_FAKE_SYSFS_H

#include "agent/driver/sysfs.h"

struct fake_sysfs {
	char dir[64];
	struct sysfs_config config; /* what is in the folder: emergency stop and cover normally closed, six buttons */
};

enum { FAKE_PERIOD_NS = 50000 };

#define FAKE_DUTY "class/pwm/pwmchip0/pwm0/duty_cycle"
#define FAKE_ENABLE "class/pwm/pwmchip0/pwm0/enable"
#define FAKE_FREQUENCY "class/pwm/pwmchip0/pwm1/duty_cycle"
#define FAKE_MOTOR_TEMP "class/hwmon/hwmon0/temp1_input"
#define FAKE_CURRENT "class/hwmon/hwmon1/curr1_input"
#define FAKE_SUPPLY "class/hwmon/hwmon1/in1_input"
#define FAKE_SPEED "class/hwmon/hwmon2/fan1_input"
#define FAKE_ESTOP "class/gpio/gpio1/value"
#define FAKE_COVER "class/gpio/gpio2/value"
#define FAKE_OCCUPIED "class/gpio/gpio3/value"
#define FAKE_BUTTON \
	"class/gpio/gpio1%d/value" /* 0 start of routine 1, 1 stop, 2 pause, 3 pain, 4 up, 5 down, 6 staff key */
enum { FAKE_BUTTONS = 7 };

/* All is well and off; nothing is pressed. */
void fake_sysfs_make(struct fake_sysfs *fake);
void fake_sysfs_remove(struct fake_sysfs *fake);

/* "<folder>/<name>"; until the next call. */
const char *fake_path(const struct fake_sysfs *fake, const char *name);
/* Replaces what the file says, in place: whoever has it open sees it too. */
void fake_write(const struct fake_sysfs *fake, const char *name, const char *text);
/* The number in its first line; -1 when there is none. */
long fake_number(const struct fake_sysfs *fake, const char *name);

/* Real time, of which the watcher knows no other: between two looks at the files, or because it is time that must pass. */
void fake_time_passes(int ms);

/* Would the motor turn? */
bool fake_on(const struct fake_sysfs *fake);

#endif
