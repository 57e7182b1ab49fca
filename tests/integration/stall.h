/*
 * A disk that stalls: the programs started on it are held up for a while by each call that reaches for a file under a folder (open, read,
 * write, sync, rename), by a preloaded library, stall_disk.c. What only the kernel could hold up, mapped files and looking, goes on.
 */
#ifndef TESTS_INTEGRATION_STALL_H
#define TESTS_INTEGRATION_STALL_H

#include "tests/integration/harness.h"

struct it_stall;

/* A disk under `dir`, which doesn't stall yet. */
struct it_stall *it_stall_open(struct it_world *w, const char *dir);
void it_stall_close(struct it_stall *s); /* the programs keep theirs; NULL is fine */

/* Starts a daemon (`program --config config`) on it. Its log is <folder>/NAME.log. */
struct it_proc *it_spawn_stalled(struct it_world *w, const char *name, const struct it_stall *s, const char *program,
                                 const char *config);

/* From now on each such call takes `ms` longer; 0: no more. A call that is held up already sits its time out. */
void it_stall_set(struct it_stall *s, int64_t ms);
/* How many calls have been held up. */
uint64_t it_stall_count(const struct it_stall *s);

#endif
