/*
 * A scenario: the fleet that gymfleet-sim plays. Sites with opening hours, on each so many machines of a class, how busy they
 * are and how often something fails; all from one seed. See config/scenario.yaml.
 */
#ifndef AGENT_SCENARIO_H
#define AGENT_SCENARIO_H

#include "agent/sim/sim_driver.h"

enum { SCENARIO_MACHINES_MAX = 10000 };

struct scenario_machine {
	char id[GF_ID_MAX]; /* "<prefix>-<site>-<number>" */
	char model[GF_NAME_MAX], serial[GF_NAME_MAX];
	struct gf_location location;
	float rated_motor_h, vibration_ms2;
	struct sim_config sim; /* without routines, journal_path and mono_to_wall_ms */
};

struct scenario {
	size_t count;
	struct scenario_machine *machines;
};

/* 0, or -EINVAL/-ENOMEM with file, line and column. */
GF_MUST_CHECK int scenario_load(const char *path, struct scenario *ret_scenario, struct gf_diag *diag);
void scenario_deinit(struct scenario *scenario);

#endif
