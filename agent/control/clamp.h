/*
 * The envelope clamp: the last step before the hardware, whatever the player, a catalog or a button says (I3). Pure.
 *
 * Off means all zero. A spot (area, side, technique) that begins, and whatever comes after off, may begin with start_max_pct at
 * once; from there the intensity rises by at most ramp_max_pct_s. It may fall at once.
 */
#ifndef AGENT_CONTROL_CLAMP_H
#define AGENT_CONTROL_CLAMP_H

#include "agent/control/control.h"

struct clamp {
	struct driver_output last;
};

/* Limits `output` in place. `elapsed_ms` since the last call. */
void clamp_apply(struct clamp *clamp, const struct control_envelope *envelope, uint32_t elapsed_ms,
                 struct driver_output *output);

/* The motor runs: the definition that session times, hour meters and heartbeats share. */
static inline bool output_on(const struct driver_output *output)
{
	return output->command == DRIVER_START && output->intensity_pct > 0;
}

/* It gets enough to turn and to warm by it. */
#define OUTPUT_WORKS_PCT 5.0F
static inline bool output_works(const struct driver_output *output)
{
	return output_on(output) && output->intensity_pct >= OUTPUT_WORKS_PCT;
}

static inline bool output_same_spot(const struct driver_output *a, const struct driver_output *b)
{
	return a->area == b->area && a->side == b->side && a->technique == b->technique;
}

#endif
