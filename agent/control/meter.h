/*
 * Motor time and cycles, shared out to sessions so that nothing is lost or counted twice. Pure.
 *
 * Hardware with an hour meter of its own is believed: a session gets the meter's difference, and what the meter counted between
 * two sessions goes to the next one, so that at rest the sum of sessions equals the meter. From the newest reading on the
 * ticks' own time stands in for it until the next reading corrects it. Without a meter the ticks alone count. A reading that leaps is
 * wrong or another meter's: no session gets what it leapt by. One that slips back a little is passed over.
 */
#ifndef AGENT_CONTROL_METER_H
#define AGENT_CONTROL_METER_H

#include "agent/driver/driver.h"

struct meter_count {
	int64_t motor_ms, cycles;
};

struct meter {
	bool seen;                  /* the hardware has shown a meter */
	struct meter_count reading; /* the newest; 0 without a meter */
	struct meter_count own;     /* counted by ticks since that reading */
	struct meter_count given;   /* through here sessions have it; on the scale of reading + own */
	int64_t total_ms;           /* motor time since the start, for the difference over an interval */
	double part_cycle;
};

/* This output was on the hardware for the last `elapsed_ms`. */
void meter_elapsed(struct meter *meter, const struct driver_output *output, uint32_t elapsed_ms);

/* A good reading at this moment. */
void meter_reading(struct meter *meter, const struct driver_input *input);

/* What no session has got yet; never negative. */
struct meter_count meter_open(const struct meter *meter);

/* A session ends and gets meter_open(). */
struct meter_count meter_take(struct meter *meter);

#endif
