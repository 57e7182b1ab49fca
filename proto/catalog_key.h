/*
 * Signing keys as files: PEM, as OpenSSL writes Ed25519 keys. A private key is mode 0600; its public half stands beside it as NAME.pub.
 */
#ifndef GF_CATALOG_KEY_H
#define GF_CATALOG_KEY_H

#include "proto/catalog_sign.h"

/* Makes a new pair: `path` (0600) and `path`.pub; never overwrites. 0, -EEXIST, or another negative errno, with diag. */
GF_MUST_CHECK int gf_key_make(const char *path, uint8_t ret_key[static GF_KEY_LEN], struct gf_diag *diag);
/* Reads a private key: refuses files that others may read and keys that aren't Ed25519 (a TLS key, say), with the reason. The caller wipes
 * the seed (explicit_bzero). 0 or a negative errno with diag. */
GF_MUST_CHECK int gf_key_read_private(const char *path, uint8_t ret_seed[static GF_SEED_LEN], struct gf_diag *diag);
/* Reads a public key. 0 or a negative errno with diag. */
GF_MUST_CHECK int gf_key_read_public(const char *path, uint8_t ret_key[static GF_KEY_LEN], struct gf_diag *diag);

#endif
