/*
 * What machines tell of themselves: which of their own limits is said to have done what (LimitHit), and how severe each fault can be. The agent
 * tells no more than this, its tests see to it; so whoever waits for something else waits for ever. Pure.
 */
#ifndef GF_TOLD_H
#define GF_TOLD_H

#include "proto/model.h"

enum { GF_PAIN_PRESSES_MAX = 2 }; /* of one session: the second one stops it (P8) */

/* Does the limit ("P3") ever do this ("skip_step")? */
bool gf_limit_does(const char *limit, const char *action);
/* Is it a limit that is told of at all? */
bool gf_limit_is_told(const char *limit);

/* Bits (1 << enum gf_severity). */
uint32_t gf_fault_severities(enum gf_fault code);

#endif
