/*
 * Any bytes as what a machine gets over the air: taken apart, verified, read. Refused with a sentence; what passes for signed holds the
 * very bytes that were signed, as no input can be a signature that nobody made; and what isn't signed right is still read without harm.
 */
#include <string.h>

#include "proto/base/text.h"
#include "tests/fuzz/codec_fuzz.h"
#include "tests/unit/proto/catalog_samples.h"

static void load(const char *hex, void *bytes, size_t len)
{
	must(gf_unhex(hex, bytes, len) == 0);
}

/* The two keys that signed the seed corpus: both must have. */
static void keys_of_the_seeds(struct gf_keyset *keys)
{
	*keys = (struct gf_keyset){.threshold = 2, .count = 2};
	for (int i = 0; i < 2; i++)
		load(rfc_8032[i].key, keys->keys[i], GF_KEY_LEN);
}

static void must_be_the_signed_bytes(const struct gf_sealed *sealed)
{
	unsigned char manifest[sizeof(SAMPLE_MANIFEST) / 2];

	load(SAMPLE_MANIFEST, manifest, sizeof(manifest));
	must(sealed->manifest_len == sizeof(manifest) && memcmp(sealed->manifest, manifest, sizeof(manifest)) == 0);
}

static void read_manifest(const struct gf_sealed *sealed)
{
	struct gf_catalog catalog;
	struct gf_diag diag = {{0}};
	const int result = gf_manifest_decode(sealed->manifest, sealed->manifest_len, &catalog, &diag);

	if (result == GF_CATALOG_E_VERSION) {
		must(diag.text[0] != '\0');
	} else if (result != 0) {
		must_refuse_well(result, &diag);
	} else {
		must(catalog.version >= 1 && catalog.version <= GF_CATALOG_VERSION_MAX);
		must(catalog.rollback_floor <= catalog.version);
		must(catalog.next_keys.threshold == 0 || gf_keyset_check(&catalog.next_keys, NULL) == 0);
		gf_catalog_deinit(&catalog);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_sealed sealed, again;
	struct gf_keyset keys;
	struct gf_diag diag = {{0}};
	unsigned char *out;
	size_t len;
	const int result = gf_unseal(data, size, &sealed, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return 0;
	}
	keys_of_the_seeds(&keys);
	const int verdict = gf_verify(&keys, &sealed, &diag);
	must(verdict == 0 || (verdict > 0 && verdict < GF_REFUSAL_COUNT && diag.text[0] != '\0'));
	if (verdict == 0)
		must_be_the_signed_bytes(&sealed);
	read_manifest(&sealed);

	must(gf_seal(&sealed, &out, &len) == 0);
	must(gf_unseal(out, len, &again, &diag) == 0);
	must(again.manifest_len == sealed.manifest_len && again.signatures_count == sealed.signatures_count);
	must(gf_verify(&keys, &again, NULL) == verdict);
	free(out);
	gf_sealed_deinit(&again);
	gf_sealed_deinit(&sealed);
	return 0;
}
