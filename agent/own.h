/*
 * Whose the hardware is: a lock in the state folder, held by the one agent that drives this machine for as long as it runs. Whoever opens
 * the hardware turns it off; so nobody opens it without the lock.
 */
#ifndef AGENT_OWN_H
#define AGENT_OWN_H

#include "proto/base/err.h"

/* Makes the folder where it is missing. The lock ends when *ret_fd is closed. 0, -EBUSY when somebody has it, or another negative errno. */
GF_MUST_CHECK int own_machine(const char *state_dir, int *ret_fd, struct gf_diag *diag);

/*
 * The same without making or changing anything, for a look at the machine. *ret_fd is -1 where there is no lock yet: no agent has
 * ever run there.
 */
GF_MUST_CHECK int own_for_a_look(const char *state_dir, int *ret_fd);

#endif
