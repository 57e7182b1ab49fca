/*
 * Time. Everything in the project that needs it gets it as an argument or through a struct gf_clock, so that a
 * test or the simulator can own it. Monotonic times are milliseconds since an arbitrary start and include
 * suspend (CLOCK_BOOTTIME); wall times are milliseconds since 1970-01-01T00:00:00Z.
 */
#ifndef GF_BASE_CLOCK_H
#define GF_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

/* One reading of all clocks. */
struct gf_time {
	int64_t mono_ms;
	int64_t wall_ms;
	bool synced; /* the wall clock can be trusted */
};

struct gf_clock {
	struct gf_time (*now)(void *ctx);
	void *ctx;
};

/* How a daemon judges its own wall clock. */
enum gf_clock_trust {
	GF_CLOCK_TRUST_NTP,    /* synced when the kernel says so (adjtimex: no STA_UNSYNC) and the year is after 2024 */
	GF_CLOCK_TRUST_SYSTEM, /* synced when the year is after 2024: for boxes whose host keeps the time */
};

/* The machine's clocks; the result is static. */
const struct gf_clock *gf_clock_system(enum gf_clock_trust trust);

static inline struct gf_time gf_clock_now(const struct gf_clock *clock)
{
	return clock->now(clock->ctx);
}

enum { GF_RFC3339_MAX = 32 };

/* "2026-11-20T17:42:03Z" (UTC, whole seconds); an empty string for 0 or a year outside 1970..9999. */
const char *gf_time_format(int64_t wall_ms, char buf[static GF_RFC3339_MAX]);

/* RFC 3339 with 'Z' or an offset, fraction allowed. Returns 0, or -EINVAL. */
GF_MUST_CHECK int gf_time_parse(const char *text, int64_t *ret_wall_ms);

/* "90s", "30m", "24h", "7d", "2w", "500ms" to milliseconds; no sign, no bare number. Returns 0, -EINVAL, -ERANGE. */
GF_MUST_CHECK int gf_duration_parse(const char *text, int64_t *ret_ms);

/* The short form people read: "48 s", "3 min", "2.5 h", "4 d". */
enum { GF_DURATION_MAX = 24 };
const char *gf_duration_format(int64_t ms, char buf[static GF_DURATION_MAX]);

#endif
