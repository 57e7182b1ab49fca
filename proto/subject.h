/*
 * Subject tokens: what is told of a person instead of their badge's number. A badge is turned into a token with a key that all machines
 * of one gym have and the gateway doesn't (HMAC-SHA256), and every GF_SUBJECT_DAYS days into another one: usage can be counted by
 * person for so long, and nobody without the key finds the badge, or the person's next token.
 *
 *     turn    the first 8 bytes of HMAC(key, "turn" | badge), modulo 31 days: the moment differs from person to person, so
 *             that a change of many tokens at once doesn't tell which new one belongs to which old one
 *     period  (wall clock + turn) / 31 days
 *     token   the first 8 bytes of HMAC(key, "token" | badge | period)
 *
 * Numbers are u64, big-endian; the key is HMAC(the file's bytes, "gymfleet subject key"). Whoever asks for their data shows the badge:
 * `gymfleet subject token` prints which tokens it has.
 *
 * Sealing is for what a machine must remember of people itself, and compare with the badge at the panel after a restart: a permutation
 * of the numbers that only the key undoes, another one for each of `boot` and `at_ms`. Calls no log and no clock.
 */
#ifndef GF_SUBJECT_H
#define GF_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { GF_SUBJECT_KEY_LEN = 32, GF_SUBJECT_FILE_MIN = 32, GF_SUBJECT_FILE_MAX = 4096, GF_SUBJECT_DAYS = 31 };
#define GF_SUBJECT_PERIOD_MS (UINT64_C(24) * 3600 * 1000 * GF_SUBJECT_DAYS)

struct gf_subject_key {
	uint8_t bytes[GF_SUBJECT_KEY_LEN];
};

/* The file's bytes are the key, whatever they are; nobody else may read it. 0, -EINVAL or another negative errno with diag. */
GF_MUST_CHECK int gf_subject_key_read(const char *path, struct gf_subject_key *ret_key, struct gf_diag *diag);
/* From `len` bytes that are there already. 0 or -ENOMEM. */
GF_MUST_CHECK int gf_subject_key_of(const void *data, size_t len, struct gf_subject_key *ret_key);
void gf_subject_key_wipe(struct gf_subject_key *key);

/* The token of a badge at this time; never 0, but for badge 0 (nobody) and when OpenSSL has no memory: then none is told. */
uint64_t gf_subject_token(const struct gf_subject_key *key, uint64_t badge, uint64_t wall_ms);
/* Since when this token has been the badge's; it is until GF_SUBJECT_PERIOD_MS later. Negative before the first full period since 1970. */
int64_t gf_subject_since_ms(const struct gf_subject_key *key, uint64_t badge, uint64_t wall_ms);

/* To tell which key sealed. */
uint32_t gf_subject_key_id(const struct gf_subject_key *key);
/* 0 stays 0, anything else becomes something else that isn't 0. 0 or -ENOMEM. */
GF_MUST_CHECK int gf_subject_seal(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, uint64_t *value);
/* What gf_subject_seal was given. 0 or -ENOMEM. */
GF_MUST_CHECK int gf_subject_unseal(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, uint64_t *value);

#endif
