/*
 * `gymfleet-agent --check`: is everything there that this machine needs, before an agent is let loose on it? Looks at files, the
 * catalog, the hardware and what the system grants; starts no session, moves nothing, leaves a running agent alone, and writes nothing but
 * what opening the hardware does.
 */
#ifndef AGENT_CHECK_H
#define AGENT_CHECK_H

#include <stdio.h>

#include "agent/config.h"

/* Prints a line for each finding as it comes. Returns an exit code: 0, or 1 when something is broken. */
int agent_check(const struct agent_config *config, FILE *out);

#endif
