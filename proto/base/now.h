/*
 * The kernel's clocks, for what lives in real time by its nature: threads at hardware, and tests of them. All others are given the
 * time (clock.h).
 *
 *     CLOCK_BOOTTIME   as gf_time.mono_ms: goes on while the machine is suspended
 *     CLOCK_MONOTONIC  stands still then
 */
#ifndef GF_BASE_NOW_H
#define GF_BASE_NOW_H

#include <stdint.h>
#include <time.h>

static inline int64_t gf_now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t gf_now_ms(clockid_t clock)
{
	return gf_now_ns(clock) / 1000000;
}

#endif
