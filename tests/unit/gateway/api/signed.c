#include "tests/unit/gateway/api/signed.h"

#include "tests/unit/gateway/store/fixture.h"

const uint8_t seed_a[GF_SEED_LEN] = {1}, seed_b[GF_SEED_LEN] = {2};

struct signed_catalog signed_catalog(uint64_t version, int64_t expires_ms, const uint8_t *first, const uint8_t *second)
{
	struct gf_step step = {.area = GF_AREA_QUADS,
	                       .side = GF_SIDE_LEFT,
	                       .technique = GF_TECHNIQUE_PERCUSSION,
	                       .duration_ms = 60000,
	                       .from_pct = 30,
	                       .to_pct = 30,
	                       .from_hz = 30,
	                       .to_hz = 30};
	struct gf_routine routine = {
	    .id = "short", .title = "Short", .classes = 1U << GF_CLASS_PERCUSSION, .steps_count = 1, .steps = &step};
	struct gf_catalog c = {.name = "percussion",
	                       .class = GF_CLASS_PERCUSSION,
	                       .version = version,
	                       .created_ms = (uint64_t)(NOON - DAY),
	                       .expires_ms = (uint64_t)expires_ms,
	                       .rollback_floor = 1,
	                       .routines_count = 1,
	                       .routines = &routine};
	struct gf_sealed sealed = {0};
	struct signed_catalog b = {0};

	assert_int_equal(gf_manifest_encode(&c, &sealed.manifest, &sealed.manifest_len), 0);
	if (first != NULL)
		assert_int_equal(gf_sign(&sealed, first), 0);
	if (second != NULL)
		assert_int_equal(gf_sign(&sealed, second), 0);
	assert_int_equal(gf_seal(&sealed, &b.data, &b.len), 0);
	gf_sealed_deinit(&sealed);
	return b;
}
