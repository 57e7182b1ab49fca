/* The driver that agent.yaml chose. */
#ifndef AGENT_DRIVER_OPEN_H
#define AGENT_DRIVER_OPEN_H

#include "agent/config.h"

/*
 * Opens the hardware; every output is off afterwards. `routines` is how many the catalog has. 0, or a negative errno with a sentence
 * that says what, where and what to do.
 */
GF_MUST_CHECK int driver_open(const struct agent_config *config, size_t routines, struct gf_time now,
                              struct driver **ret_driver, struct gf_diag *diag);

#endif
