/*
 * The control thread: every 20 ms it reads the hardware, steps the pure core and writes the output (tick.h). It owns the driver. It
 * doesn't allocate after its start, takes no lock, touches no disk and no network. Two bounded lock-free mailboxes tie it to the main
 * loop:
 *
 *     events    to the main loop. When that is stuck and they fill up, checkpoints give way first, then telemetry; room is kept for
 *               sessions and faults. That a catalog was taken is never lost: it waits in the thread for room.
 *     commands  from the main loop, carried out at the next tick. One that finds no room is refused: the main loop tells it again.
 */
#ifndef AGENT_CONTROL_THREAD_H
#define AGENT_CONTROL_THREAD_H

#include "agent/control/control.h"
#include "proto/base/spsc.h"

enum {
	CONTROL_MAILBOX = 128,
	CONTROL_COMMANDS = 16,
	CONTROL_JOIN_MS = 1000,
};

enum control_thread_error {
	CONTROL_THREAD_E_HANGS = 1, /* it hasn't ended within CONTROL_JOIN_MS: it still has all that it was given */
};

enum control_command_kind {
	CONTROL_COMMAND_STORAGE, /* control_set_storage */
	CONTROL_COMMAND_LIMITS,  /* control_set_limits */
	CONTROL_COMMAND_STOP,    /* control_stop */
	CONTROL_COMMAND_CATALOG, /* control_set_catalog */
};

struct control_command {
	enum control_command_kind kind;
	union {
		bool storage_full;
		struct control_limits limits;
		enum gf_outcome outcome;
		const struct gf_catalog *catalog;
	};
};

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

/* Main loop's side: false when there is no room for it; tell it again later. */
GF_MUST_CHECK bool control_thread_tell(struct control_thread *thread, const struct control_command *command);

/* Counts ticks; a watchdog may only be fed while it grows. */
uint64_t control_thread_ticks(const struct control_thread *thread);
/* Events that found no room. */
uint64_t control_thread_lost(const struct control_thread *thread);
/* What it does right now: "in the driver's read". */
const char *control_thread_doing(const struct control_thread *thread);

/*
 * Output off, a running session ended as `outcome`, hardware safe; waits for the thread, whose last events are then in the mailbox. 0, or
 * CONTROL_THREAD_E_HANGS: the hardware's dead man makes it safe, and nothing that the thread was given may be freed. May be
 * called again.
 */
GF_MUST_CHECK int control_thread_join(struct control_thread *thread, enum gf_outcome outcome);
/* Joins first. A thread that hangs is left as it is, with all that it holds. NULL is fine. */
void control_thread_free(struct control_thread *thread);

#endif
