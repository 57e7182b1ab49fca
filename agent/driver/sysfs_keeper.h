/*
 * The sysfs driver's own thread, for all that may take longer than a tick: it reads the sensors every KEEPER_PERIOD_MS into a slot
 * that the control thread takes without a lock, and looks after the watcher.
 */
#ifndef AGENT_DRIVER_SYSFS_KEEPER_H
#define AGENT_DRIVER_SYSFS_KEEPER_H

#include "agent/driver/sysfs_sensors.h"
#include "agent/driver/watch.h"

enum { KEEPER_PERIOD_MS = 50 };

struct keeper_reading {
	float values[GF_SENSOR_COUNT];
	int64_t begun_ms; /* mono: a value is at least so new */
};

struct keeper;

/* Reads once before it returns. Both outlive the keeper. 0, -ENOMEM, or pthread_create's error negated. */
GF_MUST_CHECK int keeper_start(const struct sensors *sensors, struct watch *watch, struct keeper **ret_keeper);
/*
 * Ends the thread and frees it; NULL is fine. False when the thread hangs on its bus: then keeper, sensors and watch must be left as they
 * are, for it may come back to them.
 */
GF_MUST_CHECK bool keeper_stop(struct keeper *keeper);

/* The newest reading; valid until the next call. One thread's, the control thread's. */
const struct keeper_reading *keeper_newest(struct keeper *keeper);

#endif
