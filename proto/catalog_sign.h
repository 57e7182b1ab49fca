/*
 * Signed catalogs: Ed25519 over "gymfleet catalog v1", a NUL and the exact bytes of the manifest. Pure: no disk, no clock; OpenSSL is
 * used for its arithmetic alone. Keys stay offline: whoever forwards a catalog can't make one.
 *
 *     manifest bytes ──gf_sign──> signatures ──gf_seal──> the signed catalog ──gf_digest_of──> its name on the wire
 *     signed catalog ──gf_unseal──> manifest bytes, signatures ──gf_verify (k of n)──> gf_manifest_decode
 *
 * Verify before parse: gf_unseal reads the outermost message only; nothing looks into the manifest before gf_verify has said yes.
 */
#ifndef GF_CATALOG_SIGN_H
#define GF_CATALOG_SIGN_H

#include "proto/catalog.h"

enum { GF_KEY_ID_LEN = 8, GF_SIGNATURE_LEN = 64, GF_SIGNATURES_MAX = 16, GF_SEED_LEN = 32 };

/* The first 8 bytes of the SHA-256 of the public key: which key a signature claims to be of. */
struct gf_key_id {
	uint8_t bytes[GF_KEY_ID_LEN];
};

struct gf_signature {
	struct gf_key_id key_id;
	uint8_t bytes[GF_SIGNATURE_LEN];
};

/* A signed catalog taken apart; ended by gf_sealed_deinit. */
struct gf_sealed {
	unsigned char *manifest; /* owned */
	size_t manifest_len;
	size_t signatures_count;
	struct gf_signature signatures[GF_SIGNATURES_MAX];
};

/* The outermost message alone. 0, GF_CODEC_E_MALFORMED, GF_CODEC_E_TOO_LARGE, GF_CODEC_E_INVALID (a signature of another length, or too
 * many) with diag, -ENOMEM. */
GF_MUST_CHECK int gf_unseal(const void *data, size_t len, struct gf_sealed *ret_sealed, struct gf_diag *diag);
/* Puts it together; *ret_data is freed by the caller. 0, -EMSGSIZE over GF_CATALOG_MAX, -ENOMEM. */
GF_MUST_CHECK int gf_seal(const struct gf_sealed *sealed, unsigned char **ret_data, size_t *ret_len);
void gf_sealed_deinit(struct gf_sealed *sealed);

/* Adds a signature, or replaces the one of the same key. `seed` is the private key. 0, -ENOSPC, -EIO, -ENOMEM. */
GF_MUST_CHECK int gf_sign(struct gf_sealed *sealed, const uint8_t seed[static GF_SEED_LEN]);

/*
 * Do enough of the keys vouch for the manifest? Signatures of unknown keys and second ones of the same key don't count. 0, or with
 * diag: GF_REFUSAL_FEW_SIGNATURES, GF_REFUSAL_UNKNOWN_KEY (no signature is of a known key), GF_REFUSAL_BAD_SIGNATURE (one that
 * claims to be of a known key isn't, and the good ones aren't enough), GF_REFUSAL_NO_KEYS; or -ENOMEM, which is no verdict.
 */
GF_MUST_CHECK int gf_verify(const struct gf_keyset *keys, const struct gf_sealed *sealed, struct gf_diag *diag);
/* The same question for one signature and one key: false too for an unsound key. */
bool gf_signature_good(const struct gf_sealed *sealed, const struct gf_signature *signature,
                       const uint8_t key[static GF_KEY_LEN]);

void gf_key_id_of(const uint8_t key[static GF_KEY_LEN], struct gf_key_id *ret_id);
/* The public key of a private one. 0 or -EIO. */
GF_MUST_CHECK int gf_key_public(const uint8_t seed[static GF_SEED_LEN], uint8_t ret_key[static GF_KEY_LEN]);
/* False for keys of small order and what is no point at all: a signature by them would prove nothing. */
bool gf_key_sound(const uint8_t key[static GF_KEY_LEN]);
/* Threshold within 1..count, every key sound and there once: 0, or -EINVAL with diag. */
GF_MUST_CHECK int gf_keyset_check(const struct gf_keyset *keys, struct gf_diag *diag);

/* All zeros, which no bytes have, when there is no memory. */
void gf_digest_of(const void *data, size_t len, struct gf_digest *ret_digest);
/* "3b1f9c0a…": the first 8 hex digits, for people; `buf` has room for 9. */
const char *gf_digest_short(const struct gf_digest *digest, char buf[static 9]);

#endif
