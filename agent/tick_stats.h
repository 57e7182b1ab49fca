/* How late the control tick wakes: a histogram without allocation, taken and emptied with each heartbeat. Pure. */
#ifndef AGENT_TICK_STATS_H
#define AGENT_TICK_STATS_H

#include "proto/model.h"

enum { TICK_STATS_BUCKETS = 128 };

struct tick_stats {
	uint32_t buckets[TICK_STATS_BUCKETS]; /* quarter powers of two of a microsecond */
	uint32_t count, worst_us, overruns;
};

/* One tick that woke `late_us` after its time (negative counts as 0). */
void tick_stats_add(struct tick_stats *stats, int64_t late_us, bool overrun);

/* Writes p99 (rounded up to its bucket's end, never above the worst), worst and overruns into the heartbeat and begins anew. */
void tick_stats_take(struct tick_stats *stats, struct gf_heartbeat *heartbeat);

#endif
