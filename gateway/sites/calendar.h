/*
 * Which day it is at a site, and when the site is open, over daylight saving. Pure: the offset from UTC comes through a function, so
 * that a test may own it.
 *
 * A day is the local date, as days since 1970-01-01; it lasts 23 to 25 hours. Opening hours are minutes of the local day as a clock on the
 * wall shows them: what the clock skips in spring isn't there, what it shows twice in autumn is open twice.
 *
 * A clock may change once in any seven days, by up to half a day. Of changes nearer to each other some aren't seen, and what is counted across them is
 * off by as much; no zone has such.
 */
#ifndef GW_SITES_CALENDAR_H
#define GW_SITES_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { CALENDAR_SPANS_MAX = 4, CALENDAR_DAY_MIN = 24 * 60 };

/* from < to <= CALENDAR_DAY_MIN; what goes over midnight is two spans on two days. */
struct calendar_span {
	uint16_t from_min, to_min;
};

struct calendar_hours {
	uint8_t count;
	struct calendar_span spans[CALENDAR_SPANS_MAX]; /* in order, apart from each other */
};

struct calendar {
	struct calendar_hours week[7];                         /* Monday first */
	int32_t (*offset_s)(const void *ctx, int64_t wall_ms); /* seconds ahead of UTC; NULL = UTC */
	const void *ctx;
};

/* UTC, open around the clock: where nothing is known. */
extern const struct calendar calendar_always;

/*
 * Opens the site on `days` ("mon", "sat-sun", "mon-sun") at `hours` ("06:00-22:00"; "22:00-02:00" goes on into the next day;
 * "00:00-24:00"). Starts from a week that is closed. -EINVAL with a sentence: not readable, twice, too many spans.
 */
GF_MUST_CHECK int calendar_open(struct calendar *calendar, const char *days, const char *hours, struct gf_diag *diag);

int32_t calendar_day(const struct calendar *calendar, int64_t wall_ms);
/* The first moment of a day. */
int64_t calendar_day_start_ms(const struct calendar *calendar, int32_t day);
unsigned calendar_weekday(int32_t day);                                   /* 0 = Monday */
unsigned calendar_hour(const struct calendar *calendar, int64_t wall_ms); /* 0..23 */

bool calendar_is_open(const struct calendar *calendar, int64_t wall_ms);
/* How much of [from_ms, until_ms) the site is open; 0 when until_ms <= from_ms. Costs by days, at most a few thousand of them. */
int64_t calendar_open_ms(const struct calendar *calendar, int64_t from_ms, int64_t until_ms);
/* The first moment at which `open_ms` of open time have passed since from_ms; INT64_MAX for a site that never opens. */
int64_t calendar_after_open_ms(const struct calendar *calendar, int64_t from_ms, int64_t open_ms);
/* The next moment after wall_ms at which it opens or closes; INT64_MAX when it never does. */
int64_t calendar_next_change_ms(const struct calendar *calendar, int64_t wall_ms);
/* Does the site open at all on this day. */
bool calendar_has_hours(const struct calendar *calendar, int32_t day);

#endif
