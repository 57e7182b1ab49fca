/*
 * A disk that does what disks do: stops at any byte (the process is killed, or the power goes and with it what was not synced), runs
 * full, fails to sync. Real files in a folder of its own; only the failures are played.
 */
#ifndef TESTS_SPOOL_TRAP_H
#define TESTS_SPOOL_TRAP_H

#include "agent/spool/spool.h"
#include "proto/base/rand.h"

enum { TRAP_FILES_MAX = 64, TRAP_FDS_MAX = 64 };

struct trap_file {
	char path[160];
	off_t synced; /* what a power cut leaves for sure */
	bool spoilt;  /* a sync failed: what it should have written is only in memory, and no later sync writes it */
};

struct trap {
	struct spool_io io;
	char dir[64];
	/* The process dies after this much: a byte written costs 1, every other change 1. */
	int64_t life;
	int64_t spent;
	bool dead;
	int64_t space;            /* bytes left on the disk; INT64_MAX: no limit */
	int64_t allocated;        /* by the reserve */
	int64_t fail_sync, syncs; /* the sync with this number fails; 0: none */
	int64_t fail_write, writes;
	struct trap_file files[TRAP_FILES_MAX];
	size_t files_count;
	int fd_file[TRAP_FDS_MAX * 4];
};

/* A new empty folder under /tmp. */
void trap_init(struct trap *t);
void trap_deinit(struct trap *t);

/* A copy of the folder's files with a fresh disk under them, for a second look. */
void trap_revive(struct trap *t);

/* The power goes: of what was not synced some is there, some isn't, some is zeros. */
void trap_power_cut(struct trap *t, struct gf_prng *prng);

/* Bytes of all files in the folder. */
uint64_t trap_usage(const struct trap *t);

/* How many files have names that end like this. */
size_t trap_count(const struct trap *t, const char *suffix);

/* The path of the nth file, by name, that ends like this. */
void trap_nth(const struct trap *t, const char *suffix, size_t n, char path[static 160]);

void trap_flip(const char *path, off_t at, unsigned bit);
off_t trap_size(const char *path);

#endif
