/*
 * `gymfleet-agent --safe`: leaves the hardware off when no agent runs. For ExecStopPost of the unit: should agent and watcher have
 * been killed together, nobody else is left to do it.
 */
#ifndef AGENT_SAFE_H
#define AGENT_SAFE_H

#include "agent/config.h"

/* 0, also for hardware that stops by itself; -EBUSY when an agent drives it; or another negative errno, with a sentence. */
GF_MUST_CHECK int agent_make_safe(const struct agent_config *config, struct gf_diag *diag);

#endif
