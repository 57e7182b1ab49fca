/*
 * Which readings can be believed. A value that no such sensor can have, a temperature that jumps, a number that doesn't move while the
 * motor works, a current of nothing: none of these is a value; what is not a value counts as a sensor that is lost. Pure; time
 * comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_SENSORS_H
#define AGENT_CONTROL_SENSORS_H

#include "agent/control/envelope.h"
#include "agent/driver/driver.h"

enum sensor_doubt {
	SENSOR_BELIEVED,
	SENSOR_ABSENT, /* gives no value, though it must or once did */
	SENSOR_ABSURD, /* outside what such a sensor can show: another unit, a broken wire */
	SENSOR_JUMPED, /* faster than the thing itself can change */
	SENSOR_FROZEN, /* has not moved at all since the motor started */
	SENSOR_SILENT, /* shows nothing while the motor works: another unit, not connected */
};

struct sensor_state {
	bool seen;       /* has given a value since the start */
	float last;      /* the last one that was believed, or that a jump went to */
	uint32_t odd_ms; /* for how long it has been away from `last` */
	bool moved;      /* since the motor started */
	float start;     /* what it showed then */
	enum sensor_doubt doubt;
};

struct sensors {
	struct sensor_state states[GF_SENSOR_COUNT];
	bool pressing;       /* pressure is asked for */
	float asked_mmhg;    /* the most that may still be there of what was asked for: air leaves slowly */
	uint32_t unseen_ms;  /* since the last reading */
	uint32_t running_ms; /* the motor has worked for so long without a break */
};

/*
 * The reading without what can't be believed (NaN there). `output` is what the hardware has been doing for `elapsed_ms`. A
 * temperature that jumps above its stop limit is believed: it might burn.
 */
void sensors_judge(struct sensors *sensors, const struct control_envelope *envelope, const struct driver_input *raw,
                   const struct driver_output *output, uint32_t elapsed_ms, struct driver_input *ret_believed);

/* Time without a reading, in which anything may have warmed or cooled. */
void sensors_unseen(struct sensors *sensors, uint32_t elapsed_ms);

/* The first sensor that is lost, and why; GF_SENSOR_UNSPECIFIED: none. */
enum gf_sensor sensors_lost(const struct sensors *sensors, enum sensor_doubt *ret_doubt);

/* What a technician is told, as the end of a sentence that begins with the sensor. */
const char *sensor_doubt_text(enum sensor_doubt doubt);

#endif
