/*
 * Since when the wall clock has gone at its pace. What was stamped before a jump (a box without a clock of its own learns the time
 * only minutes after its start) can't be held against what is stamped after it. Pure: the time is an argument.
 */
#ifndef GATEWAY_STEADY_H
#define GATEWAY_STEADY_H

#include <stdint.h>

#include "proto/base/clock.h"

struct steady {
	int64_t offset_ms; /* of the wall clock from the monotonic one, when it was looked at last */
	int64_t since_ms;  /* wall; 0 = never looked at */
};

/* Call it every few seconds. The wall time of the first call, or of the call that found the last jump. */
int64_t steady_since_ms(struct steady *steady, struct gf_time now);

#endif
