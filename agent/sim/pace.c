#include "agent/sim/pace.h"

bool pace_next(struct pace *pace, int64_t mono_ms, bool (*online)(const void *ctx, size_t machine), const void *ctx,
               size_t *ret_machine)
{
	size_t kept = 0;
	for (size_t i = 0; i < pace->coming_count; i++) {
		const struct pace_coming *coming = &pace->coming[i];
		if (mono_ms - coming->since_ms < PACE_COMING_MS && !online(ctx, coming->machine))
			pace->coming[kept++] = *coming;
	}
	pace->coming_count = kept;
	if (pace->started == pace->count || kept == PACE_COMING_MAX)
		return false;
	pace->coming[pace->coming_count++] = (struct pace_coming){.machine = pace->started, .since_ms = mono_ms};
	*ret_machine = pace->started++;
	return true;
}
