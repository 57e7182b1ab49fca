/*
 * OpenSSL's arithmetic around the rules of signatures. What to remember of it: Ed25519 takes no digest and signs in one call; a
 * verification has succeeded only when it returned 1, as other failures than a bad signature are negative.
 */
#include "proto/catalog_sign.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"

/* So that a signature over a catalog is one over nothing else, and the other way round. With its NUL. */
static const char domain[] = "gymfleet catalog v1";

enum { SHORT_LEN = 4, KEY_HEX_MAX = 2 * GF_KEY_ID_LEN + 1 };

/* --- digests ------------------------------------------------------------------------------------------------------- */

void gf_digest_of(const void *data, size_t len, struct gf_digest *ret_digest)
{
	struct gf_digest digest = {{0}};

	if (EVP_Digest(data, len, digest.bytes, NULL, EVP_sha256(), NULL) != 1)
		digest = (struct gf_digest){{0}};
	*ret_digest = digest;
}

const char *gf_digest_short(const struct gf_digest *digest, char buf[static 9])
{
	gf_hex(digest->bytes, SHORT_LEN, buf);
	return buf;
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

void gf_key_id_of(const uint8_t key[static GF_KEY_LEN], struct gf_key_id *ret_id)
{
	struct gf_digest digest;

	gf_digest_of(key, GF_KEY_LEN, &digest);
	memcpy(ret_id->bytes, digest.bytes, GF_KEY_ID_LEN);
}

int gf_key_public(const uint8_t seed[static GF_SEED_LEN], uint8_t ret_key[static GF_KEY_LEN])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, GF_SEED_LEN);
	uint8_t key[GF_KEY_LEN];
	size_t len = sizeof(key);
	bool done = pair != NULL && EVP_PKEY_get_raw_public_key(pair, key, &len) == 1 && len == sizeof(key);

	EVP_PKEY_free(pair);
	if (!done)
		return -EIO;
	memcpy(ret_key, key, sizeof(key));
	return 0;
}

/* The y of the points whose order divides 8: with such a key a signature can be made that is good for many messages. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
};

/* 2^255 - 19, and the curve's d. */
static const char prime_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
static const char curve_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";

static bool is_small_order(const uint8_t y[static GF_KEY_LEN])
{
	char hex[2 * GF_KEY_LEN + 1];

	gf_hex(y, GF_KEY_LEN, hex);
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
		if (strcmp(hex, small_order[i]) == 0)
			return true;
	return false;
}

/* Is y below the prime, and is there an x? By x^2 = (y^2 - 1) / (d y^2 + 1): then numerator times denominator is a square too. */
static bool is_point(const uint8_t bytes[static GF_KEY_LEN])
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *y = BN_lebin2bn(bytes, GF_KEY_LEN, NULL), *top = BN_new(), *bottom = BN_new(), *p = NULL, *d = NULL;
	bool point = ctx != NULL && y != NULL && top != NULL && bottom != NULL && BN_hex2bn(&p, prime_hex) != 0 &&
	             BN_hex2bn(&d, curve_hex) != 0 && BN_cmp(y, p) < 0;

	point = point && BN_mod_sqr(y, y, p, ctx) == 1 && BN_mod_mul(bottom, y, d, p, ctx) == 1 &&
	        BN_mod_add(bottom, bottom, BN_value_one(), p, ctx) == 1 &&
	        BN_mod_sub(top, y, BN_value_one(), p, ctx) == 1 && BN_mod_mul(top, top, bottom, p, ctx) == 1 &&
	        BN_kronecker(top, p, ctx) == 1;
	BN_free(y);
	BN_free(top);
	BN_free(bottom);
	BN_free(p);
	BN_free(d);
	BN_CTX_free(ctx);
	return point;
}

bool gf_key_sound(const uint8_t key[static GF_KEY_LEN])
{
	uint8_t y[GF_KEY_LEN];

	memcpy(y, key, sizeof(y));
	y[GF_KEY_LEN - 1] &= 0x7f; /* the sign of x */
	return !is_small_order(y) && is_point(y);
}

int gf_keyset_check(const struct gf_keyset *keys, struct gf_diag *diag)
{
	if (keys->count < 1 || keys->count > GF_KEYS_MAX) {
		gf_diag_set(diag, "there are %zu keys, must be 1..%d", keys->count, GF_KEYS_MAX);
		return -EINVAL;
	}
	if (keys->threshold < 1 || keys->threshold > keys->count) {
		gf_diag_set(diag, "the threshold is %u, must be 1..%zu, the number of keys", keys->threshold, keys->count);
		return -EINVAL;
	}
	for (size_t i = 0; i < keys->count; i++) {
		if (!gf_key_sound(keys->keys[i])) {
			gf_diag_set(diag, "key %zu is no Ed25519 public key that proves anything", i + 1);
			return -EINVAL;
		}
		for (size_t k = 0; k < i; k++) {
			if (memcmp(keys->keys[i], keys->keys[k], GF_KEY_LEN) == 0) {
				gf_diag_set(diag, "keys %zu and %zu are the same", k + 1, i + 1);
				return -EINVAL;
			}
		}
	}
	return 0;
}

/* --- signatures ---------------------------------------------------------------------------------------------------- */

/* What a signature is over; the caller frees it. NULL without memory. */
static unsigned char *to_sign(const struct gf_sealed *sealed, size_t *ret_len)
{
	unsigned char *bytes = malloc(sizeof(domain) + sealed->manifest_len);

	if (bytes == NULL)
		return NULL;
	memcpy(bytes, domain, sizeof(domain));
	if (sealed->manifest_len > 0)
		memcpy(bytes + sizeof(domain), sealed->manifest, sealed->manifest_len);
	*ret_len = sizeof(domain) + sealed->manifest_len;
	return bytes;
}

static int make_signature(const uint8_t seed[static GF_SEED_LEN], const unsigned char *bytes, size_t len,
                          struct gf_signature *signature)
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, GF_SEED_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = sizeof(signature->bytes);
	bool done = pair != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair) == 1 &&
	            EVP_DigestSign(ctx, signature->bytes, &size, bytes, len) == 1 && size == sizeof(signature->bytes);

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pair);
	return done ? 0 : -EIO;
}

static bool same_id(const struct gf_key_id *a, const struct gf_key_id *b)
{
	return memcmp(a->bytes, b->bytes, GF_KEY_ID_LEN) == 0;
}

/* In the place of the first one of the same key; further ones of it go. */
static int put_signature(struct gf_sealed *sealed, const struct gf_signature *signature)
{
	size_t kept = 0;
	bool placed = false;

	for (size_t i = 0; i < sealed->signatures_count; i++) {
		if (!same_id(&sealed->signatures[i].key_id, &signature->key_id))
			sealed->signatures[kept++] = sealed->signatures[i];
		else if (!placed)
			sealed->signatures[kept++] = *signature;
		placed = placed || same_id(&sealed->signatures[i].key_id, &signature->key_id);
	}
	sealed->signatures_count = kept;
	if (placed)
		return 0;
	if (kept == GF_SIGNATURES_MAX)
		return -ENOSPC;
	sealed->signatures[sealed->signatures_count++] = *signature;
	return 0;
}

int gf_sign(struct gf_sealed *sealed, const uint8_t seed[static GF_SEED_LEN])
{
	struct gf_signature signature = {0};
	uint8_t key[GF_KEY_LEN];
	size_t len = 0;
	unsigned char *bytes = to_sign(sealed, &len);

	if (bytes == NULL)
		return -ENOMEM;
	int r = gf_key_public(seed, key);
	if (r == 0)
		r = make_signature(seed, bytes, len, &signature);
	free(bytes);
	if (r != 0)
		return r;
	gf_key_id_of(key, &signature.key_id);
	return put_signature(sealed, &signature);
}

/* Over what is signed of a catalog. */
static bool is_good(const unsigned char *bytes, size_t len, const struct gf_signature *signature,
                    const uint8_t key[static GF_KEY_LEN])
{
	struct gf_key_id id;

	gf_key_id_of(key, &id);
	if (!same_id(&id, &signature->key_id) || !gf_key_sound(key))
		return false;
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, GF_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = public != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
	            EVP_DigestVerify(ctx, signature->bytes, sizeof(signature->bytes), bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return good;
}

bool gf_signature_good(const struct gf_sealed *sealed, const struct gf_signature *signature,
                       const uint8_t key[static GF_KEY_LEN])
{
	size_t len = 0;
	unsigned char *bytes = to_sign(sealed, &len);
	bool good = bytes != NULL && is_good(bytes, len, signature, key);

	free(bytes);
	return good;
}

/* What the signatures come to, key by key. */
struct tally {
	size_t good, bad;      /* keys that vouch; keys of which there are signatures, none of them good */
	struct gf_key_id last; /* a bad one, to be named */
};

static bool there_before(const struct gf_keyset *keys, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (memcmp(keys->keys[i], keys->keys[index], GF_KEY_LEN) == 0)
			return true;
	return false;
}

static void count_key(const struct gf_sealed *sealed, const unsigned char *bytes, size_t len,
                      const uint8_t key[static GF_KEY_LEN], struct tally *tally)
{
	bool claimed = false, good = false;
	struct gf_key_id id;

	gf_key_id_of(key, &id);
	for (size_t i = 0; i < sealed->signatures_count && !good; i++) {
		if (same_id(&sealed->signatures[i].key_id, &id)) {
			claimed = true;
			good = is_good(bytes, len, &sealed->signatures[i], key);
		}
	}
	tally->good += good;
	if (claimed && !good) {
		tally->bad++;
		tally->last = id;
	}
}

static int count_keys(const struct gf_keyset *keys, const struct gf_sealed *sealed, struct tally *tally)
{
	size_t len = 0;
	unsigned char *bytes = to_sign(sealed, &len);

	if (bytes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < keys->count; i++)
		if (!there_before(keys, i))
			count_key(sealed, bytes, len, keys->keys[i], tally);
	free(bytes);
	return 0;
}

/* "0123456789abcdef, ..." of the signatures, as many as fit into a sentence. */
static void name_signers(const struct gf_sealed *sealed, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sealed->signatures_count && n + KEY_HEX_MAX + 2 < size; i++) {
		char hex[KEY_HEX_MAX];
		gf_hex(sealed->signatures[i].key_id.bytes, GF_KEY_ID_LEN, hex);
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i > 0 ? ", " : "", hex);
	}
}

int gf_verify(const struct gf_keyset *keys, const struct gf_sealed *sealed, struct gf_diag *diag)
{
	struct tally tally = {0};
	char text[GF_SIGNATURES_MAX * (KEY_HEX_MAX + 1)];

	if (keys->threshold < 1 || keys->count < 1 || keys->count > GF_KEYS_MAX) {
		gf_diag_set(diag, "there are no keys to verify a catalog with");
		return GF_REFUSAL_NO_KEYS;
	}
	const int r = count_keys(keys, sealed, &tally);
	if (r != 0 || tally.good >= keys->threshold)
		return r;
	if (tally.bad > 0) {
		gf_hex(tally.last.bytes, GF_KEY_ID_LEN, text);
		gf_diag_set(diag, "the signature that claims to be of key %s is not; %zu good of %u needed", text, tally.good,
		            keys->threshold);
		return GF_REFUSAL_BAD_SIGNATURE;
	}
	if (tally.good == 0 && sealed->signatures_count > 0) {
		name_signers(sealed, text, sizeof(text));
		gf_diag_set(diag, "signed by %s, of which none is known here", text);
		return GF_REFUSAL_UNKNOWN_KEY;
	}
	gf_diag_set(diag, "signed by %zu of the known keys, %u are needed", tally.good, keys->threshold);
	return GF_REFUSAL_FEW_SIGNATURES;
}
