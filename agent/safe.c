#include "agent/safe.h"

#include <errno.h>
#include <unistd.h>

#include "agent/driver_open.h"
#include "agent/own.h"

int agent_make_safe(const struct agent_config *config, struct gf_diag *diag)
{
	const struct gf_time now = gf_clock_now(gf_clock_system(config->clock));
	struct driver *driver = NULL;
	int lock_fd = -1;

	/* A controller stops by its own clock; asking one that is gone would only delay the next start. */
	if (config->driver != AGENT_DRIVER_SYSFS)
		return 0;
	int r = own_machine(config->state_dir, &lock_fd, diag);
	if (r != 0)
		return r;
	r = driver_open(config, 0, now, &driver, diag); /* turns it off first of all */
	if (r == 0)
		driver->ops->free(driver);
	close(lock_fd);
	return r;
}
