/*
 * A disk that stops in the middle: the process is killed, or the power goes and with it what was not synced; or it runs full. Real files;
 * write, fsync, rename and unlink of the program under test pass through here (--wrap). A program has one.
 */
#ifndef TESTS_CATALOG_DISK_H
#define TESTS_CATALOG_DISK_H

#include "proto/base/rand.h"

enum disk_trouble {
	DISK_FINE,
	DISK_KILLED, /* from an operation on nothing happens any more; what happened before stays */
	DISK_POWER,  /* the same, and what was not synced by then is there, isn't, or is garbage */
	DISK_FULL,   /* the operation fails with ENOSPC, and a few more */
};

/* Counts from 0 again; the operation with this number meets with the trouble. A negative one: none does. */
void disk_trouble(enum disk_trouble trouble, int at, int many);
/* The trouble came. */
int disk_met(void);
/* The machine is off: what a power cut leaves is settled, and the disk is fine again. */
void disk_revive(struct gf_prng *prng);

#endif
