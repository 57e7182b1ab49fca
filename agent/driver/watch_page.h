/*
 * What gymfleet-agent and its watcher share: one page of memory (a memfd), and how long either waits for the other's beat.
 *
 *     agent                                     watcher
 *     write(): beat + 1 ─────────────────────>  the same for WATCH_TIMEOUT_MS: fired + 1, then zero to every output,
 *     read(): fired != acked: acked = fired,    again and again until acked == fired
 *             and this reading has failed
 *     watcher_beat the same for that long:  <── watcher_beat + 1 each WATCH_POLL_MS
 *             off, and a new watcher
 *
 * `beat` is 0 until the agent's first write: until then nothing is on, and nobody has to beat.
 */
#ifndef AGENT_DRIVER_WATCH_PAGE_H
#define AGENT_DRIVER_WATCH_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	WATCH_TIMEOUT_MS = 500,
	WATCH_POLL_MS = 50, /* with WATCH_TIMEOUT_MS well below DRIVER_DEAD_MAN_MS */
	WATCH_OUTPUTS_MAX = 4,
	WATCH_PAGE_BYTES = 4096,
};

struct watch_page {
	_Atomic uint32_t beat, watcher_beat, fired, acked;
};

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "two processes share the page: a lock would be of no use");

#endif
