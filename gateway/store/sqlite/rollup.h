/*
 * The rollups of one batch, added up in memory: neighbouring heartbeats fall into the same buckets of 5 minutes, an hour and a day,
 * and each bucket is written once, just before the commit. Holds a bounded number of buckets; the store asks for room before
 * each report. Whoever rolls the batch back forgets them.
 */
#ifndef GW_STORE_ROLLUP_H
#define GW_STORE_ROLLUP_H

#include "gateway/store/sqlite/db.h"

enum {
	ROLLUP_SPANS = 3,
	ROLLUP_ROOM = ROLLUP_SPANS * GF_REPORT_RECORDS_MAX, /* what one report may need */
	ROLLUP_BUCKETS_MAX = 512,
	ROLLUP_INDEX = 2 * ROLLUP_BUCKETS_MAX, /* a power of two */
};
_Static_assert(ROLLUP_ROOM < ROLLUP_BUCKETS_MAX, "a report finds room");

struct rollup_sensor {
	double min, max, sum; /* NaN, NaN, 0 without a value; sum is weighted by time */
	int64_t ms;           /* the time that has a value */
};

struct rollup_bucket {
	int64_t device, start_ms;
	unsigned span_s;
	int64_t covered_ms, motor_ms;
	struct rollup_sensor sensors[GF_SENSOR_COUNT];
};

struct rollups {
	size_t count;
	uint16_t index[ROLLUP_INDEX]; /* place in buckets + 1; 0: free */
	struct rollup_bucket buckets[ROLLUP_BUCKETS_MAX];
};

/* A heartbeat of `device` that happened at at_ms. There must be room (rollups_reserve). */
void rollups_add(struct rollups *rollups, int64_t device, int64_t at_ms, const struct gf_heartbeat *heartbeat);

/* Writes the buckets when fewer than ROLLUP_ROOM are free. Errors as query_run. */
GF_MUST_CHECK int rollups_reserve(struct rollups *rollups, struct db *db, struct gf_diag *diag);

/* Writes and forgets all buckets. Errors as query_run; they are forgotten only on success. */
GF_MUST_CHECK int rollups_write(struct rollups *rollups, struct db *db, struct gf_diag *diag);

void rollups_forget(struct rollups *rollups);

#endif
