/* Which signatures count. What a machine takes stands or falls with this file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "proto/codec.h"
#include "tests/unit/proto/catalog_samples.h"

enum { A, B, C, KEYS, STRANGER = KEYS, SIGNERS };

struct rig {
	uint8_t seeds[SIGNERS][GF_SEED_LEN], keys[SIGNERS][GF_KEY_LEN];
	struct gf_keyset set; /* of A, B, C */
	struct gf_sealed sealed;
};

static size_t bytes_of(const char *hex, unsigned char *ret_bytes)
{
	const size_t len = strlen(hex) / 2;

	assert_int_equal(gf_unhex(hex, ret_bytes, len), 0);
	return len;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	for (int i = 0; i < KEYS; i++)
		(void)bytes_of(rfc_8032[i].seed, r->seeds[i]);
	memset(r->seeds[STRANGER], 0x5a, GF_SEED_LEN);
	for (int i = 0; i < SIGNERS; i++)
		assert_int_equal(gf_key_public(r->seeds[i], r->keys[i]), 0);
	r->set = (struct gf_keyset){.threshold = 2, .count = KEYS};
	memcpy(r->set.keys, r->keys, sizeof(r->keys[0]) * KEYS);
	r->sealed.manifest = malloc(strlen(SAMPLE_MANIFEST) / 2);
	assert_non_null(r->sealed.manifest);
	r->sealed.manifest_len = bytes_of(SAMPLE_MANIFEST, r->sealed.manifest);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	gf_sealed_deinit(&r->sealed);
	free(r);
	return 0;
}

static void assert_verdict(const struct gf_keyset *set, const struct gf_sealed *sealed, int verdict,
                           const char *because)
{
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_verify(set, sealed, &diag), verdict);
	if (strstr(diag.text, because) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
}

static void the_keys_of_rfc_8032_have_their_public_halves(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < KEYS; i++) {
		uint8_t expected[GF_KEY_LEN];
		(void)bytes_of(rfc_8032[i].key, expected);
		assert_memory_equal(r->keys[i], expected, GF_KEY_LEN);
		assert_true(gf_key_sound(r->keys[i]));
	}
}

static void signatures_are_those_that_openssl_makes_over_the_prefix_and_the_manifest(void **state)
{
	struct rig *r = *state;
	unsigned char expected[GF_SIGNATURE_LEN], id[GF_KEY_ID_LEN];

	assert_int_equal(gf_sign(&r->sealed, r->seeds[A]), 0);
	assert_int_equal(gf_sign(&r->sealed, r->seeds[B]), 0);
	assert_int_equal(r->sealed.signatures_count, 2);
	(void)bytes_of(SAMPLE_SIGNATURE_1, expected);
	(void)bytes_of(SAMPLE_KEY_ID_1, id);
	assert_memory_equal(r->sealed.signatures[0].bytes, expected, sizeof(expected));
	assert_memory_equal(r->sealed.signatures[0].key_id.bytes, id, sizeof(id));
	(void)bytes_of(SAMPLE_SIGNATURE_2, expected);
	(void)bytes_of(SAMPLE_KEY_ID_2, id);
	assert_memory_equal(r->sealed.signatures[1].bytes, expected, sizeof(expected));
	assert_memory_equal(r->sealed.signatures[1].key_id.bytes, id, sizeof(id));
	assert_verdict(&r->set, &r->sealed, 0, "");
}

/* The RFC's own signatures are good ones of these very bytes, but they are over nothing else: no prefix says what they are for. */
static void i6_a_signature_over_the_bare_manifest_is_not_good(void **state)
{
	struct rig *r = *state;

	for (int i = 1; i < KEYS; i++) {
		unsigned char message[2];
		struct gf_sealed sealed = {.manifest = message, .signatures_count = 1};
		struct gf_keyset one = {.threshold = 1, .count = 1};
		sealed.manifest_len = bytes_of(rfc_8032[i].message, message);
		(void)bytes_of(rfc_8032[i].signature, sealed.signatures[0].bytes);
		gf_key_id_of(r->keys[i], &sealed.signatures[0].key_id);
		memcpy(one.keys[0], r->keys[i], GF_KEY_LEN);
		assert_false(gf_signature_good(&sealed, &sealed.signatures[0], r->keys[i]));
		assert_verdict(&one, &sealed, GF_REFUSAL_BAD_SIGNATURE, "is not; 0 good of 1 needed");
	}
}

/* As if the prefix ended elsewhere: its last bytes taken for the manifest's first. */
static void i6_the_prefix_cannot_be_moved_into_the_manifest(void **state)
{
	struct rig *r = *state;
	struct gf_sealed moved = {.manifest_len = r->sealed.manifest_len + 1};

	assert_int_equal(gf_sign(&r->sealed, r->seeds[A]), 0);
	r->set.threshold = 1;
	moved.manifest = malloc(moved.manifest_len);
	assert_non_null(moved.manifest);
	moved.manifest[0] = 0;
	memcpy(moved.manifest + 1, r->sealed.manifest, r->sealed.manifest_len);
	moved.signatures[moved.signatures_count++] = r->sealed.signatures[0];
	assert_verdict(&r->set, &moved, GF_REFUSAL_BAD_SIGNATURE, "");
	memmove(moved.manifest, moved.manifest + 2, moved.manifest_len - 2);
	moved.manifest_len -= 2;
	assert_verdict(&r->set, &moved, GF_REFUSAL_BAD_SIGNATURE, "");
	gf_sealed_deinit(&moved);
}

static void sign_by(struct rig *r, const char *signers)
{
	r->sealed.signatures_count = 0;
	for (const char *s = signers; *s != '\0'; s++) {
		const int who = *s == 'x' ? STRANGER : (*s | 0x20) - 'a';
		struct gf_sealed one = {.manifest = r->sealed.manifest, .manifest_len = r->sealed.manifest_len};
		assert_int_equal(gf_sign(&one, r->seeds[who]), 0);
		if (*s >= 'A' && *s <= 'Z')
			one.signatures[0].bytes[7] ^= 1;
		r->sealed.signatures[r->sealed.signatures_count++] = one.signatures[0];
	}
}

/* Small letters are good signatures of A, B, C, capitals bad ones, x one of a key that nobody knows. */
static void i6_it_takes_as_many_different_keys_as_the_threshold_says(void **state)
{
	static const struct {
		const char *signers;
		int verdict;
	} cases[] = {
	    {"ab", 0},
	    {"ca", 0},
	    {"abc", 0},
	    {"xaxb", 0},
	    {"xxxxxxxxxxxxxxab", 0},
	    {"", GF_REFUSAL_FEW_SIGNATURES},
	    {"a", GF_REFUSAL_FEW_SIGNATURES},
	    {"aa", GF_REFUSAL_FEW_SIGNATURES},
	    {"aaaaaaaaaaaaaaaa", GF_REFUSAL_FEW_SIGNATURES},
	    {"ax", GF_REFUSAL_FEW_SIGNATURES},
	    {"axxxx", GF_REFUSAL_FEW_SIGNATURES},
	    {"x", GF_REFUSAL_UNKNOWN_KEY},
	    {"xx", GF_REFUSAL_UNKNOWN_KEY},
	    {"A", GF_REFUSAL_BAD_SIGNATURE},
	    {"aB", GF_REFUSAL_BAD_SIGNATURE},
	    {"AB", GF_REFUSAL_BAD_SIGNATURE},
	    {"ABC", GF_REFUSAL_BAD_SIGNATURE},
	    {"xA", GF_REFUSAL_BAD_SIGNATURE},
	    /* A bad one takes nothing from the good ones. */
	    {"Abc", 0},
	    {"Aab", 0},
	    {"aA", GF_REFUSAL_FEW_SIGNATURES},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sign_by(r, cases[i].signers);
		const int verdict = gf_verify(&r->set, &r->sealed, NULL);
		if (verdict != cases[i].verdict)
			fail_msg("signed by '%s': %d, not %d", cases[i].signers, verdict, cases[i].verdict);
	}
}

static void refusals_say_what_is_missing(void **state)
{
	struct rig *r = *state;

	sign_by(r, "a");
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_FEW_SIGNATURES, "signed by 1 of the known keys, 2 are needed");
	sign_by(r, "aB");
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE,
	               "claims to be of key " SAMPLE_KEY_ID_2 " is not; 1 good of 2 needed");
	sign_by(r, "xxxxxxxxxxxxxxxx");
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_UNKNOWN_KEY, "of which none is known here");
}

static void i6_without_keys_or_threshold_nothing_is_good(void **state)
{
	struct rig *r = *state;

	sign_by(r, "abc");
	r->set.threshold = 0;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_NO_KEYS, "no keys");
	r->set.threshold = 1;
	r->set.count = 0;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_NO_KEYS, "no keys");
	r->set.count = GF_KEYS_MAX + 1;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_NO_KEYS, "no keys");
	r->set.count = KEYS;
	r->set.threshold = KEYS + 1;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_FEW_SIGNATURES, "signed by 3 of the known keys, 4 are needed");
	r->set.threshold = UINT32_MAX;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_FEW_SIGNATURES, "");
}

static void i6_a_key_that_is_listed_twice_counts_once(void **state)
{
	struct rig *r = *state;

	memcpy(r->set.keys[B], r->keys[A], GF_KEY_LEN);
	sign_by(r, "aa");
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_FEW_SIGNATURES, "signed by 1");
	sign_by(r, "ac");
	assert_verdict(&r->set, &r->sealed, 0, "");
}

/* A signature is good only as one of the key it names, though the arithmetic would be the same. */
static void i6_a_signature_under_another_name_is_not_good(void **state)
{
	struct rig *r = *state;

	sign_by(r, "ab");
	r->sealed.signatures[1].key_id = r->sealed.signatures[0].key_id;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_FEW_SIGNATURES, "signed by 1");
	sign_by(r, "xa");
	r->sealed.signatures[0].key_id = r->sealed.signatures[1].key_id;
	r->sealed.signatures_count = 1;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
	gf_key_id_of(r->keys[B], &r->sealed.signatures[1].key_id);
	assert_false(gf_signature_good(&r->sealed, &r->sealed.signatures[1], r->keys[A]));
}

static void i6_a_signature_does_not_fit_another_catalog(void **state)
{
	struct rig *r = *state;

	sign_by(r, "ab");
	r->sealed.manifest_len--;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
	r->sealed.manifest_len = 0;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
}

/* Does it pass for signed by the first two keys, whatever became of its bytes? */
static bool passes(const struct rig *r, const unsigned char *data, size_t len)
{
	struct gf_sealed sealed;

	if (gf_unseal(data, len, &sealed, NULL) != 0)
		return false;
	const bool good = gf_verify(&r->set, &sealed, NULL) == 0;
	gf_sealed_deinit(&sealed);
	return good;
}

/* Of the whole file: framing, manifest, key ids, signatures. Both keys are needed, so that none of it is spare. */
static void i6_no_byte_of_a_signed_catalog_can_be_changed(void **state)
{
	struct rig *r = *state;
	unsigned char data[sizeof(SAMPLE_SEALED) / 2];
	const size_t len = bytes_of(SAMPLE_SEALED, data);

	assert_true(passes(r, data, len));
	for (size_t i = 0; i < len; i++) {
		const unsigned char was = data[i];
		for (unsigned bit = 0; bit < 8; bit++) {
			data[i] = (unsigned char)(was ^ 1U << bit);
			if (passes(r, data, len))
				fail_msg("passes with bit %u of byte %zu flipped", bit, i);
		}
		data[i] = (unsigned char)~was;
		if (passes(r, data, len))
			fail_msg("passes with byte %zu inverted", i);
		data[i] = was;
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_false(passes(r, data, cut));
}

static void i6_no_bit_of_a_signature_or_a_key_id_can_be_flipped(void **state)
{
	struct rig *r = *state;

	r->set.threshold = 1;
	sign_by(r, "a");
	unsigned char *bytes = r->sealed.signatures[0].bytes, *id = r->sealed.signatures[0].key_id.bytes;
	for (unsigned bit = 0; bit < 8 * GF_SIGNATURE_LEN; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, SAMPLE_KEY_ID_1);
		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * GF_KEY_ID_LEN; bit++) {
		id[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_verdict(&r->set, &r->sealed, GF_REFUSAL_UNKNOWN_KEY, "");
		id[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	for (size_t i = 0; i < r->sealed.manifest_len; i++) {
		r->sealed.manifest[i] ^= 0x80;
		assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
		r->sealed.manifest[i] ^= 0x80;
	}
	assert_verdict(&r->set, &r->sealed, 0, "");
}

/* S and S + L are the same to sloppy arithmetic: then anybody could make a second good signature out of one. */
static void i6_a_signature_has_no_second_form(void **state)
{
	static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	struct rig *r = *state;
	unsigned char l[32];
	unsigned carry = 0;

	r->set.threshold = 1;
	sign_by(r, "a");
	(void)bytes_of(order, l);
	for (int i = 0; i < 32; i++) {
		carry += (unsigned)r->sealed.signatures[0].bytes[32 + i] + l[i];
		r->sealed.signatures[0].bytes[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
}

/* The neutral point and S = 0: OpenSSL itself finds that one signature good for every message there is. */
static void i6_the_signature_that_fits_every_message_is_refused(void **state)
{
	struct rig *r = *state;
	struct gf_keyset one = {.threshold = 1, .count = 1, .keys = {{1}}};
	struct gf_signature all = {.bytes = {1}};
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, one.keys[0], GF_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, all.bytes, sizeof(all.bytes), r->sealed.manifest, r->sealed.manifest_len),
	                 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);

	gf_key_id_of(one.keys[0], &all.key_id);
	r->sealed.signatures[r->sealed.signatures_count++] = all;
	assert_false(gf_signature_good(&r->sealed, &all, one.keys[0]));
	assert_verdict(&one, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, "");
}

static void i6_a_tls_key_that_is_not_pinned_is_a_stranger(void **state)
{
	struct rig *r = *state;
	EVP_PKEY *tls = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t seed[GF_SEED_LEN];
	size_t len = sizeof(seed);

	assert_int_equal(EVP_PKEY_get_raw_private_key(tls, seed, &len), 1);
	EVP_PKEY_free(tls);
	assert_int_equal(gf_sign(&r->sealed, seed), 0);
	r->set.threshold = 1;
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_UNKNOWN_KEY, "of which none is known here");
	gf_key_id_of(r->keys[A], &r->sealed.signatures[0].key_id);
	assert_verdict(&r->set, &r->sealed, GF_REFUSAL_BAD_SIGNATURE, SAMPLE_KEY_ID_1);
}

static void signing_again_replaces_the_signature(void **state)
{
	struct rig *r = *state;

	sign_by(r, "AbAxA");
	assert_int_equal(gf_sign(&r->sealed, r->seeds[A]), 0);
	assert_int_equal(r->sealed.signatures_count, 3);
	assert_true(gf_signature_good(&r->sealed, &r->sealed.signatures[0], r->keys[A]));
	assert_true(gf_signature_good(&r->sealed, &r->sealed.signatures[1], r->keys[B]));
	assert_true(gf_signature_good(&r->sealed, &r->sealed.signatures[2], r->keys[STRANGER]));
	assert_verdict(&r->set, &r->sealed, 0, "");
}

static void there_is_room_for_so_many_signatures(void **state)
{
	struct rig *r = *state;
	uint8_t seed[GF_SEED_LEN] = {0};

	for (uint8_t i = 0; i < GF_SIGNATURES_MAX; i++) {
		seed[0] = i;
		assert_int_equal(gf_sign(&r->sealed, seed), 0);
	}
	seed[0] = GF_SIGNATURES_MAX;
	assert_int_equal(gf_sign(&r->sealed, seed), -ENOSPC);
	assert_int_equal(r->sealed.signatures_count, GF_SIGNATURES_MAX);
	seed[0] = 3;
	assert_int_equal(gf_sign(&r->sealed, seed), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_keys_of_rfc_8032_have_their_public_halves),
	    TEST(signatures_are_those_that_openssl_makes_over_the_prefix_and_the_manifest),
	    TEST(i6_a_signature_over_the_bare_manifest_is_not_good),
	    TEST(i6_the_prefix_cannot_be_moved_into_the_manifest),
	    TEST(i6_it_takes_as_many_different_keys_as_the_threshold_says),
	    TEST(refusals_say_what_is_missing),
	    TEST(i6_without_keys_or_threshold_nothing_is_good),
	    TEST(i6_a_key_that_is_listed_twice_counts_once),
	    TEST(i6_a_signature_under_another_name_is_not_good),
	    TEST(i6_a_signature_does_not_fit_another_catalog),
	    TEST(i6_no_byte_of_a_signed_catalog_can_be_changed),
	    TEST(i6_no_bit_of_a_signature_or_a_key_id_can_be_flipped),
	    TEST(i6_a_signature_has_no_second_form),
	    TEST(i6_the_signature_that_fits_every_message_is_refused),
	    TEST(i6_a_tls_key_that_is_not_pinned_is_a_stranger),
	    TEST(signing_again_replaces_the_signature),
	    TEST(there_is_room_for_so_many_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
