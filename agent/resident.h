/*
 * Keeps the agent's memory where the control thread needs it: in memory. A page of the program that was never used, or was thrown out
 * while memory was short, would be read from the disk by the very tick that needs it; and the disk may stall for seconds.
 */
#ifndef AGENT_RESIDENT_H
#define AGENT_RESIDENT_H

#include "proto/base/err.h"

/*
 * Reads in the program itself and locks all that the process has in memory now; what comes later isn't the control thread's and stays
 * as it is. Call it when that thread has begun. 0, or a negative errno: not allowed (LimitMEMLOCK).
 */
GF_MUST_CHECK int resident_lock(void);

#endif
