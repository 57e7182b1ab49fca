/*
 * The control thread: every 20 ms it reads the hardware, steps the pure core and writes the output. It owns the driver. It
 * doesn't allocate after its start, takes no lock, touches no disk and no network; what happened goes into a bounded lock-free
 * mailbox for the main loop. When the main loop is stuck and the mailbox fills, checkpoints give way first, then telemetry;
 * room is kept for sessions and faults.
 */
#ifndef AGENT_CONTROL_THREAD_H
#define AGENT_CONTROL_THREAD_H

#include "agent/control/control.h"
#include "proto/base/spsc.h"

enum { CONTROL_MAILBOX = 128 };

struct control_thread_config {
	struct control *control; /* both become the thread's until control_thread_join */
	struct driver *driver;
	void (*wake)(void *ctx); /* called from the thread after it put events into the mailbox */
	void *wake_ctx;
};

struct control_thread;

/* 0, -ENOMEM, or pthread_create's error negated. */
GF_MUST_CHECK int control_thread_start(const struct control_thread_config *config, struct control_thread **ret_thread);

/* Main loop's side: the oldest event; false when there is none. */
bool control_thread_next(struct control_thread *thread, struct control_event *ret_event);

/* For control_set_storage, at the next tick. */
void control_thread_set_storage(struct control_thread *thread, bool full);

/* Counts ticks; a watchdog may only be fed while it grows. */
uint64_t control_thread_ticks(const struct control_thread *thread);
/* Events that found no room. */
uint64_t control_thread_lost(const struct control_thread *thread);

/* Output off, a running session ended as `outcome`, hardware safe; waits for the thread. Its last events are in the mailbox. */
void control_thread_join(struct control_thread *thread, enum gf_outcome outcome);
void control_thread_free(struct control_thread *thread);

#endif
