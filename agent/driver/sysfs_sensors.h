/*
 * Sensors under class/hwmon. Configured as "CHIP/INPUT": CHIP is hwmonN or, since N changes from boot to boot, the chip's name; INPUT
 * is tempN, currN, fanN or inN and must fit what is measured. Reading may take as long as the chip's bus does.
 */
#ifndef AGENT_DRIVER_SYSFS_SENSORS_H
#define AGENT_DRIVER_SYSFS_SENSORS_H

#include "proto/model.h"

enum { SENSOR_INPUT_MAX = 64 };

struct sensors_config {
	char inputs[GF_SENSOR_COUNT][SENSOR_INPUT_MAX]; /* empty: this machine has none */
};

struct sensors {
	char *paths[GF_SENSOR_COUNT]; /* NULL: none */
};

/* Why `input` can't give `sensor`, or NULL: for configuration. */
const char *sensors_wrong(enum gf_sensor sensor, const char *input);

/* Finds the files. 0, or a negative errno with `diag`. Freed by sensors_deinit, also after a failure. */
GF_MUST_CHECK int sensors_find(const struct sensors_config *config, const char *root, struct sensors *sensors,
                               struct gf_diag *diag);
void sensors_deinit(struct sensors *sensors);

/* In the units of the sensors' names; NaN for one that isn't there, can't be read, or says what can't be. */
void sensors_read(const struct sensors *sensors, float ret_values[static GF_SENSOR_COUNT]);

#endif
