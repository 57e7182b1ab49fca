/* Signed catalogs for tests of the API. */
#ifndef TEST_API_SIGNED_H
#define TEST_API_SIGNED_H

#include "proto/catalog_sign.h"

struct signed_catalog {
	unsigned char *data; /* freed by the caller */
	size_t len;
};

extern const uint8_t seed_a[GF_SEED_LEN], seed_b[GF_SEED_LEN];

/* "percussion" for percussion machines, of one routine, made a day before NOON, from which a machine may go back to version 1; signed by
 * the seeds that are given. `expires_ms` 0 = never. */
struct signed_catalog signed_catalog(uint64_t version, int64_t expires_ms, const uint8_t *first, const uint8_t *second);

#endif
