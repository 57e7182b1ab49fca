#include "agent/tick_stats.h"

#include <string.h>

/* Four buckets an octave: the first two bits below the leading one choose the quarter. Values 0..3 have a bucket of their own. */
static size_t bucket_of(uint32_t us)
{
	if (us < 4)
		return us;
	unsigned octave = 31U - (unsigned)__builtin_clz(us);
	size_t bucket = (size_t)(octave - 1) * 4 + ((us >> (octave - 2)) & 3U);
	return bucket < TICK_STATS_BUCKETS ? bucket : TICK_STATS_BUCKETS - 1;
}

static uint32_t bucket_end(size_t bucket)
{
	if (bucket < 4)
		return (uint32_t)bucket;
	unsigned octave = (unsigned)(bucket / 4) + 1;
	uint64_t end = (((uint64_t)(bucket % 4) + 5) << (octave - 2)) - 1;
	return end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
}

void tick_stats_add(struct tick_stats *stats, int64_t late_us, bool overrun)
{
	uint32_t us = late_us < 0 ? 0 : late_us > UINT32_MAX ? UINT32_MAX : (uint32_t)late_us;
	stats->buckets[bucket_of(us)]++;
	stats->count++;
	stats->overruns += overrun ? 1 : 0;
	if (us > stats->worst_us)
		stats->worst_us = us;
}

void tick_stats_take(struct tick_stats *stats, struct gf_heartbeat *heartbeat)
{
	uint32_t above_allowed = stats->count / 100, above = 0, p99 = 0;
	for (size_t i = TICK_STATS_BUCKETS; i-- > 0;) {
		above += stats->buckets[i];
		if (above > above_allowed) {
			p99 = bucket_end(i);
			break;
		}
	}
	heartbeat->tick_p99_us = p99 < stats->worst_us ? p99 : stats->worst_us;
	heartbeat->tick_worst_us = stats->worst_us;
	heartbeat->tick_overruns = stats->overruns;
	memset(stats, 0, sizeof(*stats));
}
