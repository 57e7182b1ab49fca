/*
 * A small disk: a tmpfs over a folder, in a mount namespace that only the programs started on it see. It outlives them, and is filled and
 * freed from outside.
 */
#ifndef TESTS_INTEGRATION_DISK_H
#define TESTS_INTEGRATION_DISK_H

#include "tests/integration/harness.h"

/* Makes `dir` and a disk of so many KiB over it, kept by a process of its own. */
struct it_proc *it_disk(struct it_world *w, const char *dir, unsigned kib);

/* Starts a daemon (`program --config config`) that sees the disk. Its log is <folder>/NAME.log. */
struct it_proc *it_spawn_on_disk(struct it_world *w, const char *name, const struct it_proc *disk, const char *program,
                                 const char *config);

/* Not a byte is left, until it_disk_free. */
void it_disk_fill(const struct it_proc *disk, const char *dir);
void it_disk_free(const struct it_proc *disk, const char *dir);

#endif
