/* Which keys may be trusted at all, and what a digest is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "proto/base/text.h"
#include "tests/unit/proto/catalog_samples.h"

static size_t bytes_of(const char *hex, unsigned char *ret_bytes)
{
	const size_t len = strlen(hex) / 2;

	assert_int_equal(gf_unhex(hex, ret_bytes, len), 0);
	return len;
}

/* Points whose order divides 8, in every way to write them, and what is no point or isn't below the prime. */
static void i6_keys_that_prove_nothing_are_unsound(void **state)
{
	static const char *const unsound[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000080",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000080",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    /* 0 and 1 again, with the prime added */
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    /* a point with the prime added: y = 3 */
	    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    /* no x goes with y = 2, 7, 8 */
	    "0200000000000000000000000000000000000000000000000000000000000000",
	    "0700000000000000000000000000000000000000000000000000000000000080",
	    "0800000000000000000000000000000000000000000000000000000000000000",
	};
	uint8_t key[GF_KEY_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
		(void)bytes_of(unsound[i], key);
		if (gf_key_sound(key))
			fail_msg("%s passes for sound", unsound[i]);
	}
	(void)bytes_of("0300000000000000000000000000000000000000000000000000000000000000", key);
	assert_true(gf_key_sound(key));
	(void)bytes_of("0400000000000000000000000000000000000000000000000000000000000080", key);
	assert_true(gf_key_sound(key));
}

static void a_set_of_keys_has_rules(void **state)
{
	struct gf_keyset good = {.threshold = 2, .count = 3}, set;
	struct gf_diag diag = {{0}};

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)bytes_of(rfc_8032[i].key, good.keys[i]);
	set = good;
	assert_int_equal(gf_keyset_check(&set, &diag), 0);
	set.threshold = 0;
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "the threshold is 0, must be 1..3"));
	set.threshold = 4;
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	set = good;
	set.count = 0;
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "there are 0 keys"));
	set.count = GF_KEYS_MAX + 1;
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	set = good;
	memcpy(set.keys[2], set.keys[0], GF_KEY_LEN);
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "keys 1 and 3 are the same"));
	set = good;
	memset(set.keys[1], 0, GF_KEY_LEN);
	assert_int_equal(gf_keyset_check(&set, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "key 2 is no Ed25519 public key"));
}

/* FIPS 180-4's example, and the digest that sha256sum gives the sample. */
static void digests_are_sha_256(void **state)
{
	unsigned char data[sizeof(SAMPLE_SEALED) / 2];
	const size_t len = bytes_of(SAMPLE_SEALED, data);
	struct gf_digest digest, none = {{0}};
	char hex[2 * GF_DIGEST_LEN + 1], brief[9];

	(void)state;
	gf_digest_of("abc", 3, &digest);
	gf_hex(digest.bytes, GF_DIGEST_LEN, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	gf_digest_of(NULL, 0, &digest);
	assert_string_equal(gf_digest_short(&digest, brief), "e3b0c442");
	gf_digest_of(data, len, &digest);
	gf_hex(digest.bytes, GF_DIGEST_LEN, hex);
	assert_string_equal(hex, SAMPLE_DIGEST);
	assert_true(gf_digest_none(&none));
	assert_false(gf_digest_none(&digest));
	assert_true(gf_digest_equal(&digest, &digest));
	none.bytes[GF_DIGEST_LEN - 1] = 1;
	assert_false(gf_digest_none(&none));
	assert_false(gf_digest_equal(&digest, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i6_keys_that_prove_nothing_are_unsound),
	    cmocka_unit_test(a_set_of_keys_has_rules),
	    cmocka_unit_test(digests_are_sha_256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
