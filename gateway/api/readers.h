/* Read-only connections to the store, borrowed for the time of a request: as many are kept as there are threads. Thread-safe. */
#ifndef GATEWAY_API_READERS_H
#define GATEWAY_API_READERS_H

#include <pthread.h>

#include "gateway/api/api.h"

struct readers {
	pthread_mutex_t lock;
	char *database;
	struct store_reader *idle[API_THREADS];
	size_t count;
};

/* 0 or -ENOMEM; readers_deinit may be called either way. */
GF_MUST_CHECK int readers_init(struct readers *readers, const char *database);
/* All have been returned. */
void readers_deinit(struct readers *readers);

/* As store_reader_open. */
GF_MUST_CHECK int readers_borrow(struct readers *readers, struct store_reader **ret_reader, struct gf_diag *diag);
/* One that failed isn't used again. */
void readers_return(struct readers *readers, struct store_reader *reader, bool failed);

#endif
