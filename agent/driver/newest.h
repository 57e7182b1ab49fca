/*
 * The newest value of one thread for another: one writer, one reader, no lock, no waiting; what wasn't read in time is overwritten.
 * Three places: one is the writer's, one the reader's, the third lies between them and changes hands whole.
 */
#ifndef AGENT_DRIVER_NEWEST_H
#define AGENT_DRIVER_NEWEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"

struct newest {
	unsigned char *places; /* 3 x size */
	size_t size;
	atomic_uint between;       /* a place's number, and whether it is newer than what the reader has */
	unsigned writers, readers; /* their places' numbers */
};

/* Every place begins as a copy of *value. 0 or -ENOMEM. */
GF_MUST_CHECK int newest_init(struct newest *n, size_t size, const void *value);
void newest_deinit(struct newest *n);

/* The writer's thread. */
void newest_put(struct newest *n, const void *value);
/* The reader's thread: the newest value, valid until its next call. */
const void *newest_get(struct newest *n);

#endif
