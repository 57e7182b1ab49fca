#include "agent/driver_open.h"

#include <errno.h>

static int open_sim(const struct agent_config *config, size_t routines, struct gf_time now, struct driver **ret_driver,
                    struct gf_diag *diag)
{
	struct sim_config sim = config->sim;
	sim.routines = (uint16_t)routines;
	sim.mono_to_wall_ms = now.wall_ms - now.mono_ms;
	return sim_driver_new(&sim, ret_driver, diag);
}

int driver_open(const struct agent_config *config, size_t routines, struct gf_time now, struct driver **ret_driver,
                struct gf_diag *diag)
{
	switch (config->driver) {
	case AGENT_DRIVER_SIM:
		return open_sim(config, routines, now, ret_driver, diag);
	case AGENT_DRIVER_MODBUS:
		return modbus_driver_new(&config->modbus, ret_driver, diag);
	case AGENT_DRIVER_SYSFS:
		return sysfs_driver_new(&config->sysfs, ret_driver, diag);
	}
	return -EINVAL;
}
