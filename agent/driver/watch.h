/*
 * The agent's side of the dead man for outputs that don't stop by themselves: starts gymfleet-watcher, a program of its own that writes 0
 * to the outputs when this process has died (its end of a pipe closes) or no longer beats (watch_page.h), and looks after it.
 *
 * Threads: watch_beat, watch_fired, watch_take and watch_alive belong to the control thread and make no system call; watch_mend to
 * the driver's own thread; start and stop to whoever starts and stops both.
 */
#ifndef AGENT_DRIVER_WATCH_H
#define AGENT_DRIVER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/driver/watch_page.h"
#include "proto/base/err.h"

struct watch;

/*
 * Starts `program` over the `count` (1..WATCH_OUTPUTS_MAX) files in `fds`, to each of which a "0" turns something off, and waits
 * for its first beat. The files stay open until watch_stop. 0, or a negative errno with `diag`.
 */
GF_MUST_CHECK int watch_start(const char *program, const int *fds, size_t count, struct watch **ret_watch,
                              struct gf_diag *diag);
/* The watcher writes its zeros and ends; waits for that. NULL is fine. */
void watch_stop(struct watch *watch);

/* Outputs may be turned on after this, for as long as it is called again within WATCH_TIMEOUT_MS. */
void watch_beat(struct watch *watch);
/* The watcher has turned the outputs off, or was lost, and nobody has taken notice yet. */
bool watch_fired(const struct watch *watch);
/* Takes notice: true once for each time it fired. */
bool watch_take(struct watch *watch);
/* There is a watcher, and it beats. */
bool watch_alive(struct watch *watch, int64_t mono_ms);

/* Looks whether the watcher still runs and beats; ends one that doesn't and starts a new one, with a pause that grows. */
void watch_mend(struct watch *watch);

/* For findings and tests; 0 when there is none now. */
pid_t watch_pid(const struct watch *watch);

#endif
