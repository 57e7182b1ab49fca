/*
 * A sysfs driver over a tree of files, for the tests of it. Time is real. Writes of this process can be made to fail by the name of
 * the file; link with --wrap=pwrite.
 */
#ifndef TESTS_DRIVER_SYSFS_RIG_H
#define TESTS_DRIVER_SYSFS_RIG_H

#include "tests/unit/agent/driver/fake_sysfs.h"

enum { SYSFS_RIG_SOON_MS = 10000 };

struct sysfs_rig {
	struct fake_sysfs fake;
	struct driver *driver;     /* NULL: not open */
	struct driver_input input; /* of the last good reading */
	const char *refused;       /* writes to files whose path ends like this fail */
	int refused_error;         /* by this; 0: they are taken, without an effect */
	bool strict;               /* PWM files refuse what the kernel refuses */
};
extern struct sysfs_rig rig;

int sysfs_rig_setup(void **state);
int sysfs_rig_teardown(void **state);
void sysfs_rig_open(void);

bool sysfs_rig_read(void);
int sysfs_rig_write(enum driver_command command, float intensity_pct, float frequency_hz);
void sysfs_rig_button(int button, const char *text);

int64_t sysfs_rig_now_ms(void);
void sysfs_rig_fail_wait(const char *expression);

#define UNTIL(expression)                                                    \
	do {                                                                     \
		const int64_t until_end_ms = sysfs_rig_now_ms() + SYSFS_RIG_SOON_MS; \
		while (!(expression)) {                                              \
			if (sysfs_rig_now_ms() >= until_end_ms)                          \
				sysfs_rig_fail_wait(#expression);                            \
			fake_time_passes(2);                                             \
		}                                                                    \
	} while (0)

/* There is a good reading, and it says what is expected of it. */
#define UNTIL_READ(expression) UNTIL(sysfs_rig_read() && (expression))

#endif
