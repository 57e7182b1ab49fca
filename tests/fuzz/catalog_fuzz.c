/* Any bytes as a catalog: refused with a sentence, or every routine in it keeps the rules and the catalog survives another trip. */
#include "proto/catalog.h"
#include "tests/fuzz/codec_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_catalog catalog, back;
	struct gf_diag diag = {0};
	unsigned char *encoded;
	size_t len;
	int result = gf_catalog_decode(data, size, &catalog, &diag);

	if (result == GF_CATALOG_E_VERSION) {
		must(diag.text[0] != '\0');
		return 0;
	}
	if (result != 0) {
		must_refuse_well(result, &diag);
		return 0;
	}
	for (size_t i = 0; i < catalog.routines_count; i++)
		must(gf_routine_check(&catalog.routines[i], NULL, NULL) == 0);
	must(gf_catalog_encode(&catalog, &encoded, &len) == 0);
	must(gf_catalog_decode(encoded, len, &back, &diag) == 0);
	must(back.routines_count == catalog.routines_count);
	must(back.version == catalog.version && back.expires_ms == catalog.expires_ms);
	must(back.rollback_floor == catalog.rollback_floor && strcmp(back.min_agent, catalog.min_agent) == 0);
	must(memcmp(&back.next_keys, &catalog.next_keys, sizeof(back.next_keys)) == 0);
	free(encoded);
	gf_catalog_deinit(&back);
	gf_catalog_deinit(&catalog);
	return 0;
}
