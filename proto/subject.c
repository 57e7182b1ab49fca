#include "proto/subject.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"

enum { MAC_LEN = 32, NUMBERS_MAX = 4, NAME_MAX_LEN = 32, ROUNDS = 4 };

static uint64_t big_endian(const uint8_t bytes[static 8])
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* HMAC(key, name | numbers), its first 8 bytes. 0 or -ENOMEM. */
static int mac(const struct gf_subject_key *key, const char *name, const uint64_t *numbers, size_t count,
               uint64_t *ret_value)
{
	uint8_t message[NAME_MAX_LEN + 8 * NUMBERS_MAX], out[MAC_LEN];
	size_t len = 0;

	for (; *name != '\0'; name++)
		message[len++] = (uint8_t)*name;
	for (size_t i = 0; i < count; i++) {
		for (int shift = 56; shift >= 0; shift -= 8)
			message[len++] = (uint8_t)(numbers[i] >> shift);
	}
	if (HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), message, len, out, NULL) == NULL)
		return -ENOMEM;
	*ret_value = big_endian(out);
	return 0;
}

/* --- the key ----------------------------------------------------------------------------------------------------- */

int gf_subject_key_of(const void *data, size_t len, struct gf_subject_key *ret_key)
{
	static const char name[] = "gymfleet subject key";
	uint8_t out[MAC_LEN];

	_Static_assert((int)MAC_LEN == (int)GF_SUBJECT_KEY_LEN, "the whole of it is the key");
	if (HMAC(EVP_sha256(), data, (int)len, (const unsigned char *)name, sizeof(name) - 1, out, NULL) == NULL)
		return -ENOMEM;
	memcpy(ret_key->bytes, out, sizeof(out));
	OPENSSL_cleanse(out, sizeof(out));
	return 0;
}

int gf_subject_key_read(const char *path, struct gf_subject_key *ret_key, struct gf_diag *diag)
{
	char *data = NULL;
	size_t len = 0;
	int r = gf_file_read(path, GF_SUBJECT_FILE_MAX, &data, &len, diag);

	if (r != 0)
		return r;
	r = gf_file_check_private(path, diag);
	if (r == 0 && len < GF_SUBJECT_FILE_MIN) {
		gf_diag_set(diag,
		            "%s: a key of %zu bytes; expected at least %d that nobody can guess: head -c 32 /dev/urandom > %s",
		            path, len, GF_SUBJECT_FILE_MIN, path);
		r = -EINVAL;
	}
	if (r == 0 && (r = gf_subject_key_of(data, len, ret_key)) != 0)
		gf_diag_set(diag, "out of memory");
	OPENSSL_cleanse(data, len);
	free(data);
	return r;
}

void gf_subject_key_wipe(struct gf_subject_key *key)
{
	OPENSSL_cleanse(key->bytes, sizeof(key->bytes));
}

uint32_t gf_subject_key_id(const struct gf_subject_key *key)
{
	uint64_t id = 0;
	return mac(key, "id", NULL, 0, &id) == 0 ? (uint32_t)id : 0;
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

/* The clock as this badge's periods are counted by. */
static int turned_ms(const struct gf_subject_key *key, uint64_t badge, uint64_t wall_ms, uint64_t *ret_ms)
{
	uint64_t turn = 0;
	const int r = mac(key, "turn", &badge, 1, &turn);
	if (r != 0)
		return r;
	/* Far from where it goes round: a wall clock is at most what a record takes. */
	*ret_ms = wall_ms % (UINT64_MAX / 2) + turn % GF_SUBJECT_PERIOD_MS;
	return 0;
}

uint64_t gf_subject_token(const struct gf_subject_key *key, uint64_t badge, uint64_t wall_ms)
{
	uint64_t ms = 0, token = 0;
	if (badge == 0 || turned_ms(key, badge, wall_ms, &ms) != 0)
		return 0;
	const uint64_t numbers[] = {badge, ms / GF_SUBJECT_PERIOD_MS};
	if (mac(key, "token", numbers, 2, &token) != 0)
		return 0;
	return token != 0 ? token : 1;
}

int64_t gf_subject_since_ms(const struct gf_subject_key *key, uint64_t badge, uint64_t wall_ms)
{
	uint64_t ms = 0;
	if (turned_ms(key, badge, wall_ms, &ms) != 0)
		return (int64_t)wall_ms;
	return (int64_t)wall_ms - (int64_t)(ms % GF_SUBJECT_PERIOD_MS);
}

/* --- sealing ----------------------------------------------------------------------------------------------------- */

/* A Feistel network over the halves: a permutation, whatever its rounds are; `undo` runs it backwards. */
static int permute(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, bool undo, uint64_t *value)
{
	uint32_t left = (uint32_t)(*value >> 32), right = (uint32_t)*value;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const uint32_t half = undo ? left : right, other = undo ? right : left;
		const uint64_t numbers[] = {boot, at_ms, undo ? ROUNDS - 1 - i : i, half};
		uint64_t mixed = 0;
		const int r = mac(key, "seal", numbers, 4, &mixed);
		if (r != 0)
			return r;
		left = undo ? other ^ (uint32_t)mixed : half;
		right = undo ? half : other ^ (uint32_t)mixed;
	}
	*value = (uint64_t)left << 32 | right;
	return 0;
}

/* What would become 0, which means nobody, becomes what 0 would have become: still a permutation. */
static int permute_without_0(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, bool undo,
                             uint64_t *value)
{
	uint64_t out = *value;
	if (out == 0)
		return 0;
	int r = permute(key, boot, at_ms, undo, &out);
	if (r == 0 && out == 0)
		r = permute(key, boot, at_ms, undo, &out);
	if (r == 0)
		*value = out;
	return r;
}

int gf_subject_seal(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, uint64_t *value)
{
	return permute_without_0(key, boot, at_ms, false, value);
}

int gf_subject_unseal(const struct gf_subject_key *key, uint64_t boot, uint64_t at_ms, uint64_t *value)
{
	return permute_without_0(key, boot, at_ms, true, value);
}
