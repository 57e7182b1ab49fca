/* What the sysfs driver is made of. Private to sysfs*.c. */
#ifndef AGENT_DRIVER_SYSFS_IMPL_H
#define AGENT_DRIVER_SYSFS_IMPL_H

#include "agent/driver/sysfs.h"
#include "agent/driver/sysfs_keeper.h"

struct sysfs {
	struct driver driver;
	struct sysfs_config config;
	struct pwm pwm, frequency;
	struct gpio *estop, *cover, *occupied, *buttons[SYSFS_BUTTONS_MAX];
	struct sensors sensors;
	struct watch *watch;
	struct keeper *keeper;
	uint32_t ticks;        /* since all was written afresh */
	int64_t fired_left_ms; /* the watcher fired: told as a fault until then, mono */
};

static inline struct sysfs *sysfs_of(struct driver *driver)
{
	return (struct sysfs *)(void *)driver;
}

/* driver_ops.check */
void sysfs_check(struct driver *driver, struct driver_findings *findings);

#endif
