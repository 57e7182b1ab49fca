/* The sensors over an interval: min, max, last, and the mean weighted by time. Pure, no allocation. */
#ifndef AGENT_CONTROL_TELEMETRY_H
#define AGENT_CONTROL_TELEMETRY_H

#include "agent/driver/driver.h"

struct telemetry_sensor {
	bool seen;
	float min, max, last;
	double sum_ms; /* value x time */
	uint64_t ms;
};

struct telemetry {
	struct telemetry_sensor sensors[GF_SENSOR_COUNT];
};

/* A reading that stands for the last `elapsed_ms`. Values that are no numbers are left out. */
void telemetry_add(struct telemetry *telemetry, const struct driver_input *input, uint32_t elapsed_ms);

/* Writes the interval's statistics and begins the next interval. */
void telemetry_take(struct telemetry *telemetry, struct gf_stat ret_sensors[static GF_SENSOR_COUNT]);

#endif
