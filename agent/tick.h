/*
 * One tick of a machine, the same in the control thread and in a simulated machine: read the hardware, step the control core, write
 * its output, be safe where that fails. No clock and no I/O but the driver's: time is an argument.
 *
 * Heartbeats get what is known here: how late the ticks were, and the driver's bus counters.
 */
#ifndef AGENT_TICK_H
#define AGENT_TICK_H

#include <stdatomic.h>

#include "agent/control/control.h"
#include "agent/tick_stats.h"

/* Where a tick is: a driver's call that doesn't return is found here. */
enum tick_phase { TICK_WAITS, TICK_READS, TICK_STEPS, TICK_WRITES, TICK_MAKES_SAFE };

/* Zeroed but for the first two, which belong to the caller. */
struct tick {
	struct control *control;
	struct driver *driver;
	struct tick_stats stats;
	bool unwritable;  /* the last output may not have reached the hardware */
	atomic_int phase; /* for any thread to look at */
};

/* Runs the tick at `mono_ms`, as late as it is. Returns the number of events. */
size_t tick_run(struct tick *tick, int64_t mono_ms, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX]);

/* Instead of a tick, at the end: output off, hardware safe, a running session ended as `outcome`. Returns the number of events. */
size_t tick_end(struct tick *tick, int64_t mono_ms, enum gf_outcome outcome,
                struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX]);

#endif
