/*
 * Which of a fleet's machines is switched on next: the first of them at once, each further one when one that was switched on before has come
 * online, or has had PACE_COMING_MS for it. All connections of a simulated fleet go through one process, where a thousand handshakes at once
 * would each take as long as all of them. Pure.
 */
#ifndef AGENT_SIM_PACE_H
#define AGENT_SIM_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACE_COMING_MAX = 40, PACE_COMING_MS = 10000 };

/* A zeroed one with `count` filled in is ready. */
struct pace {
	size_t count, started; /* machines: all, and those switched on, which are the first ones */
	struct pace_coming {
		size_t machine;
		int64_t since_ms;
	} coming[PACE_COMING_MAX]; /* switched on, but not online yet */
	size_t coming_count;
};

/* True: *ret_machine is to be switched on now. `online` tells whether one has come; once it has, it isn't asked about any more. */
bool pace_next(struct pace *pace, int64_t mono_ms, bool (*online)(const void *ctx, size_t machine), const void *ctx,
               size_t *ret_machine);

#endif
