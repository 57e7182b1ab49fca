/* A small signed catalog, for tests that bring one to a machine. One key signs them all. */
#ifndef TESTS_AGENT_SIGNED_CATALOG_H
#define TESTS_AGENT_SIGNED_CATALOG_H

#include "proto/catalog_sign.h"

struct signed_catalog {
	struct gf_desired_catalog desired; /* name, version, digest, size */
	unsigned char *data;               /* owned */
	size_t len;
};

/* "gun"@`version` for `class`, with so many gentle routines; 64 of them take several parts. */
void signed_catalog_make(enum gf_class class, uint64_t version, size_t routines, struct signed_catalog *ret_made);
void signed_catalog_deinit(struct signed_catalog *made);

/* The key's two halves. */
void signed_catalog_seed(uint8_t ret_seed[static GF_SEED_LEN]);
void signed_catalog_keys(struct gf_keyset *ret_keys);

#endif
