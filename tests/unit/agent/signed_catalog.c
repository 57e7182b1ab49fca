#include "tests/unit/agent/signed_catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"

enum { STEPS = 6 };

/* Whatever goes wrong here is the test's own mistake. */
static void must(int r)
{
	if (r != 0)
		abort();
}

void signed_catalog_seed(uint8_t ret_seed[static GF_SEED_LEN])
{
	memset(ret_seed, 0x5a, GF_SEED_LEN);
}

void signed_catalog_keys(struct gf_keyset *ret_keys)
{
	uint8_t seed[GF_SEED_LEN];
	signed_catalog_seed(seed);
	*ret_keys = (struct gf_keyset){.threshold = 1, .count = 1};
	must(gf_key_public(seed, ret_keys->keys[0]));
}

void signed_catalog_make(enum gf_class class, uint64_t version, size_t routines, struct signed_catalog *ret_made)
{
	struct gf_step steps[STEPS];
	struct gf_routine list[GF_CATALOG_ROUTINES_MAX] = {0};
	const struct gf_catalog catalog = {
	    .name = "gun", .class = class, .version = version, .routines_count = routines, .routines = list};
	struct gf_sealed sealed = {0};
	uint8_t seed[GF_SEED_LEN];

	for (int i = 0; i < STEPS; i++)
		steps[i] = (struct gf_step){.area = GF_AREA_CALVES,
		                            .side = i % 2 == 0 ? GF_SIDE_LEFT : GF_SIDE_RIGHT,
		                            .technique = GF_TECHNIQUE_STROKE,
		                            .duration_ms = 10000,
		                            .from_pct = 20,
		                            .to_pct = 20};
	for (size_t i = 0; i < routines; i++) {
		list[i] = (struct gf_routine){.classes = 1U << class, .steps_count = STEPS, .steps = steps};
		snprintf(list[i].id, sizeof(list[i].id), "routine_%zu", i);
		snprintf(list[i].title, sizeof(list[i].title), "Routine %zu %0120d", i, 0);
	}
	signed_catalog_seed(seed);
	must(gf_manifest_encode(&catalog, &sealed.manifest, &sealed.manifest_len));
	must(gf_sign(&sealed, seed));
	*ret_made = (struct signed_catalog){.desired = {.name = "gun", .version = version}};
	must(gf_seal(&sealed, &ret_made->data, &ret_made->len));
	gf_digest_of(ret_made->data, ret_made->len, &ret_made->desired.digest);
	ret_made->desired.size = (uint32_t)ret_made->len;
	gf_sealed_deinit(&sealed);
}

void signed_catalog_deinit(struct signed_catalog *made)
{
	free(made->data);
	*made = (struct signed_catalog){0};
}
