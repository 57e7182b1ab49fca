/*
 * What the simulated machine's sensors show: first-order warming of motor and surface, current that follows intensity, load and
 * wear, a supply that sags, pressure that follows its target. Injected faults bend it. Time comes as what has elapsed.
 */
#ifndef AGENT_SIM_PHYSICS_H
#define AGENT_SIM_PHYSICS_H

#include "agent/driver/driver.h"
#include "proto/base/rand.h"

struct physics {
	enum gf_class class;
	float ambient_c;
	double wear_h; /* motor hours, growing */
	double motor_c, surface_c, pressure_mmhg;
	struct gf_prng noise;
};

/* Bit (1 << enum gf_fault) for each fault whose condition is there. */
void physics_init(struct physics *physics, enum gf_class class, float ambient_c, float wear_h, uint64_t seed);
void physics_step(struct physics *physics, const struct driver_output *output, uint32_t faults, uint32_t elapsed_ms);
void physics_sensors(struct physics *physics, const struct driver_output *output, uint32_t faults,
                     float ret_sensors[static GF_SENSOR_COUNT]);

/* The motor's speed without noise; 0 when off. */
float physics_rpm(const struct physics *physics, const struct driver_output *output);

/* Faults this class can be made to have; the same bits. */
uint32_t physics_faults(enum gf_class class);

#endif
