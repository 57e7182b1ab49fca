/* The manifest's own fields, and the envelope of signatures around it: bytes, round trips, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "proto/codec.h"
#include "tests/unit/proto/catalog_samples.h"

struct sample {
	struct gf_step step;
	struct gf_routine routine;
	struct gf_catalog catalog;
};

static size_t bytes_of(const char *hex, unsigned char *ret_bytes)
{
	const size_t len = strlen(hex) / 2;

	assert_int_equal(gf_unhex(hex, ret_bytes, len), 0);
	return len;
}

/* What SAMPLE_MANIFEST says. */
static void sample(struct sample *s)
{
	*s = (struct sample){
	    .step = {.area = GF_AREA_CALVES,
	             .side = GF_SIDE_LEFT,
	             .technique = GF_TECHNIQUE_PERCUSSION,
	             .duration_ms = 60000,
	             .from_pct = 25,
	             .to_pct = 40,
	             .ramp_ms = 15000,
	             .from_hz = 24,
	             .to_hz = 30},
	    .routine = {.id = "short",
	                .title = "A short one",
	                .classes = 1U << GF_CLASS_PERCUSSION,
	                .steps_count = 1,
	                .steps = &s->step},
	    .catalog = {.name = "percussion",
	                .class = GF_CLASS_PERCUSSION,
	                .version = 8,
	                .created_ms = 1700000001234,
	                .expires_ms = 1707776001234,
	                .min_agent = "0.2.1",
	                .rollback_floor = 6,
	                .next_keys = {.threshold = 2, .count = 2},
	                .routines_count = 1,
	                .routines = &s->routine},
	};
	for (int i = 0; i < 2; i++)
		(void)bytes_of(rfc_8032[i].key, s->catalog.next_keys.keys[i]);
}

static void assert_hex(const unsigned char *data, size_t len, const char *expected)
{
	char *hex = malloc(2 * len + 1);

	assert_non_null(hex);
	gf_hex(data, len, hex);
	assert_string_equal(hex, expected);
	free(hex);
}

static void a_manifest_has_its_bytes_and_returns(void **state)
{
	struct sample s;
	struct gf_catalog back;
	struct gf_diag diag = {{0}};
	unsigned char *data;
	size_t len;

	(void)state;
	sample(&s);
	assert_int_equal(gf_manifest_encode(&s.catalog, &data, &len), 0);
	assert_hex(data, len, SAMPLE_MANIFEST);
	if (gf_manifest_decode(data, len, &back, &diag) != 0)
		fail_msg("%s", diag.text);
	free(data);
	assert_int_equal(back.created_ms, 1700000001234);
	assert_int_equal(back.expires_ms, 1707776001234);
	assert_string_equal(back.min_agent, "0.2.1");
	assert_int_equal(back.rollback_floor, 6);
	assert_memory_equal(&back.next_keys, &s.catalog.next_keys, sizeof(back.next_keys));
	assert_int_equal(gf_manifest_encode(&back, &data, &len), 0);
	assert_hex(data, len, SAMPLE_MANIFEST);
	free(data);
	gf_catalog_deinit(&back);
}

static void a_sealed_catalog_has_its_bytes_and_returns(void **state)
{
	unsigned char bytes[sizeof(SAMPLE_SEALED) / 2], *data;
	size_t len = bytes_of(SAMPLE_SEALED, bytes);
	struct gf_sealed sealed;
	struct gf_catalog catalog;

	(void)state;
	assert_int_equal(gf_unseal(bytes, len, &sealed, NULL), 0);
	assert_hex(sealed.manifest, sealed.manifest_len, SAMPLE_MANIFEST);
	assert_int_equal(sealed.signatures_count, 2);
	assert_hex(sealed.signatures[0].key_id.bytes, GF_KEY_ID_LEN, SAMPLE_KEY_ID_1);
	assert_hex(sealed.signatures[1].bytes, GF_SIGNATURE_LEN, SAMPLE_SIGNATURE_2);
	assert_int_equal(gf_seal(&sealed, &data, &len), 0);
	assert_hex(data, len, SAMPLE_SEALED);
	gf_sealed_deinit(&sealed);
	assert_int_equal(gf_catalog_decode(data, len, &catalog, NULL), 0);
	assert_int_equal(catalog.version, 8);
	gf_catalog_deinit(&catalog);
	free(data);
}

static void an_unsigned_catalog_is_its_manifest_alone(void **state)
{
	struct sample s;
	struct gf_sealed sealed;
	unsigned char *data;
	size_t len;

	(void)state;
	sample(&s);
	assert_int_equal(gf_catalog_encode(&s.catalog, &data, &len), 0);
	assert_hex(data, len, "0aab01" SAMPLE_MANIFEST);
	assert_int_equal(gf_unseal(data, len, &sealed, NULL), 0);
	assert_int_equal(sealed.signatures_count, 0);
	gf_sealed_deinit(&sealed);
	gf_sealed_deinit(&sealed);
	gf_sealed_deinit(NULL);
	free(data);
}

static void assert_refused(const struct gf_catalog *catalog, int code, const char *because)
{
	struct gf_catalog out = {.version = 4711};
	struct gf_diag diag = {{0}};
	unsigned char *data;
	size_t len;

	assert_int_equal(gf_manifest_encode(catalog, &data, &len), 0);
	const int result = gf_manifest_decode(data, len, &out, &diag);
	if (result != code || strstr(diag.text, because) == NULL)
		fail_msg("%d \"%s\", not %d \"%s\"", result, diag.text, code, because);
	assert_int_equal(out.version, 4711);
	free(data);
}

static void i6_a_version_leaves_room_above_itself(void **state)
{
	static const uint64_t outside[] = {0,
	                                   GF_CATALOG_VERSION_MAX + 1,
	                                   (UINT64_C(1) << 53) - 1,
	                                   UINT64_C(1) << 53,
	                                   (UINT64_C(1) << 53) + 1,
	                                   INT64_MAX,
	                                   UINT64_MAX - 1,
	                                   UINT64_MAX};
	struct sample s;
	struct gf_catalog back;
	unsigned char *data;
	size_t len;

	(void)state;
	sample(&s);
	s.catalog.rollback_floor = 0;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		s.catalog.version = outside[i];
		assert_refused(&s.catalog, GF_CATALOG_E_VERSION, "must be 1..999999999");
	}
	assert_refused(&s.catalog, GF_CATALOG_E_VERSION, "version is 18446744073709551615");
	for (uint64_t good = 1; good <= GF_CATALOG_VERSION_MAX; good += GF_CATALOG_VERSION_MAX - 1) {
		s.catalog.version = good;
		assert_int_equal(gf_manifest_encode(&s.catalog, &data, &len), 0);
		assert_int_equal(gf_manifest_decode(data, len, &back, NULL), 0);
		assert_int_equal(back.version, good);
		gf_catalog_deinit(&back);
		free(data);
	}
}

static void i10_what_a_manifest_may_not_say_is_refused(void **state)
{
	static const char *const agents[] = {"1.", ".1", "1..2", "v1", "1.2-rc1", "latest", " 1"};
	struct sample s;

	(void)state;
	sample(&s);
	s.catalog.name[0] = '\0';
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "it has no name");
	sample(&s);
	s.catalog.rollback_floor = 9;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "rollback_floor is 9, above the version 8");
	s.catalog.rollback_floor = UINT64_MAX;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "rollback_floor is");
	sample(&s);
	s.catalog.expires_ms = s.catalog.created_ms;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "it expires before it was made");
	s.catalog.expires_ms = UINT64_MAX;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "expires_ms is");
	sample(&s);
	s.catalog.created_ms = UINT64_MAX;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "created_ms is");
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		sample(&s);
		(void)gf_strcpy(s.catalog.min_agent, sizeof(s.catalog.min_agent), agents[i]);
		assert_refused(&s.catalog, GF_CODEC_E_INVALID, "must be numbers with dots");
	}
}

static void i6_next_keys_must_be_keys_that_can_prove_something(void **state)
{
	struct sample s;

	(void)state;
	sample(&s);
	s.catalog.next_keys.threshold = 3;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "next_keys: the threshold is 3, must be 1..2");
	sample(&s);
	memcpy(s.catalog.next_keys.keys[1], s.catalog.next_keys.keys[0], GF_KEY_LEN);
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "next_keys: keys 1 and 2 are the same");
	sample(&s);
	memset(s.catalog.next_keys.keys[1], 0, GF_KEY_LEN);
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "next_keys: key 2 is no Ed25519");
	sample(&s);
	s.catalog.next_keys.count = 0;
	assert_refused(&s.catalog, GF_CODEC_E_INVALID, "next_keys: keys is 0, must be 1..8");
}

/* A manifest with another KeySet appended: protobuf joins the lists of the two. */
static void assert_keys_refused(const char *keyset_hex, const char *because)
{
	unsigned char data[1024];
	struct gf_catalog out;
	struct gf_diag diag = {{0}};
	size_t len = bytes_of(SAMPLE_MANIFEST, data);

	data[len++] = 0x4a;
	len += bytes_of(keyset_hex, data + len);
	const int result = gf_manifest_decode(data, len, &out, &diag);
	if (result != GF_CODEC_E_INVALID || strstr(diag.text, because) == NULL)
		fail_msg("%d \"%s\", not \"%s\"", result, diag.text, because);
}

static void i10_a_list_of_keys_is_bounded(void **state)
{
	(void)state;
	assert_keys_refused("050801120142", "next_keys: a key's length is 1, must be 32..32");
	assert_keys_refused("12120012001200120012001200120012001200", "next_keys: keys is 11, must be 1..8");
}

static void assert_not_unsealed(const unsigned char *data, size_t len, int code, const char *because)
{
	struct gf_sealed out = {.signatures_count = 77};
	struct gf_diag diag = {{0}};
	const int result = gf_unseal(data, len, &out, &diag);

	if (result != code || strstr(diag.text, because) == NULL)
		fail_msg("%d \"%s\", not %d \"%s\"", result, diag.text, code, because);
	assert_int_equal(out.signatures_count, 77);
}

static void assert_hex_not_unsealed(const char *hex, const char *because)
{
	unsigned char data[256];
	const size_t len = bytes_of(hex, data);

	assert_not_unsealed(data, len, GF_CODEC_E_INVALID, because);
}

static void i10_an_envelope_of_the_wrong_shape_is_refused(void **state)
{
	unsigned char many[4 + 17 * 78], *at = many;

	(void)state;
	assert_not_unsealed((const unsigned char *)"", 0, GF_CODEC_E_INVALID, "there is no manifest");
	assert_not_unsealed((const unsigned char *)"garbage", 7, GF_CODEC_E_MALFORMED, "not a Catalog");
	assert_hex_not_unsealed("0a00", "there is no manifest");
	assert_hex_not_unsealed("0a0142120a0a0821fe31dfa154a261", "signature 1: signature has 0 bytes, must be 64");
	assert_hex_not_unsealed("0a014212090a0721fe31dfa154a2", "signature 1: key_id has 7 bytes, must be 8");
	assert_hex_not_unsealed("0a01421200", "signature 1: key_id has 0 bytes");
	at += bytes_of("0a0142", at);
	for (int i = 0; i < GF_SIGNATURES_MAX + 1; i++)
		at += bytes_of("124c0a08" SAMPLE_KEY_ID_1 "1240" SAMPLE_SIGNATURE_1, at);
	assert_not_unsealed(many, (size_t)(at - many), GF_CODEC_E_INVALID, "signatures is 17, must be 0..16");
	struct gf_sealed sealed;
	assert_int_equal(gf_unseal(many, (size_t)(at - many) - 78, &sealed, NULL), 0);
	assert_int_equal(sealed.signatures_count, GF_SIGNATURES_MAX);
	gf_sealed_deinit(&sealed);
}

static void i8_an_envelope_takes_bounded_memory(void **state)
{
	unsigned char *data = calloc(1, GF_CATALOG_MAX + 1);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i + 1 < GF_CATALOG_MAX; i += 2)
		data[i] = 0x12;
	assert_not_unsealed(data, GF_CATALOG_MAX, GF_CODEC_E_TOO_LARGE, "of memory to decode");
	assert_not_unsealed(data, GF_CATALOG_MAX + 1, GF_CODEC_E_TOO_LARGE, "more than 262144");
	free(data);
}

static void i8_what_is_over_the_cap_is_not_sealed(void **state)
{
	struct gf_sealed sealed = {.manifest = calloc(1, GF_CATALOG_MAX), .manifest_len = GF_CATALOG_MAX - 4};
	unsigned char *data = NULL;
	size_t len;

	(void)state;
	assert_non_null(sealed.manifest);
	assert_int_equal(gf_seal(&sealed, &data, &len), 0);
	assert_int_equal(len, GF_CATALOG_MAX);
	free(data);
	data = NULL;
	sealed.manifest_len++;
	assert_int_equal(gf_seal(&sealed, &data, &len), -EMSGSIZE);
	assert_null(data);
	gf_sealed_deinit(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_manifest_has_its_bytes_and_returns),
	    cmocka_unit_test(a_sealed_catalog_has_its_bytes_and_returns),
	    cmocka_unit_test(an_unsigned_catalog_is_its_manifest_alone),
	    cmocka_unit_test(i6_a_version_leaves_room_above_itself),
	    cmocka_unit_test(i10_what_a_manifest_may_not_say_is_refused),
	    cmocka_unit_test(i6_next_keys_must_be_keys_that_can_prove_something),
	    cmocka_unit_test(i10_a_list_of_keys_is_bounded),
	    cmocka_unit_test(i10_an_envelope_of_the_wrong_shape_is_refused),
	    cmocka_unit_test(i8_an_envelope_takes_bounded_memory),
	    cmocka_unit_test(i8_what_is_over_the_cap_is_not_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
