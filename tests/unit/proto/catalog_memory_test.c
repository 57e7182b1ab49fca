/* Memory that runs out at each of our own allocations: said as what it is, never taken for a verdict, and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "tests/unit/proto/alloc_fail.h"
#include "tests/unit/proto/catalog_samples.h"

enum { TRIES_MAX = 100 };

static unsigned char bytes[sizeof(SAMPLE_SEALED) / 2];

static int load(void **state)
{
	(void)state;
	return gf_unhex(SAMPLE_SEALED, bytes, sizeof(bytes));
}

/* Runs `step` with each allocation failing in its turn, until it succeeds; it must have failed at least once. */
static void starve(int (*step)(void))
{
	int result = -ENOMEM, failed;

	for (failed = 0; failed < TRIES_MAX && result == -ENOMEM; failed++) {
		alloc_fail_after(failed);
		result = step();
		alloc_fail_after(-1);
	}
	assert_int_equal(result, 0);
	assert_true(failed > 1);
}

static int unseal(void)
{
	struct gf_sealed sealed;
	const int r = gf_unseal(bytes, sizeof(bytes), &sealed, NULL);

	if (r == 0)
		gf_sealed_deinit(&sealed);
	return r;
}

static int decode(void)
{
	struct gf_catalog catalog;
	const int r = gf_catalog_decode(bytes, sizeof(bytes), &catalog, NULL);

	if (r == 0)
		gf_catalog_deinit(&catalog);
	return r;
}

static int encode(void)
{
	static struct gf_step step = {.area = GF_AREA_CALVES};
	static struct gf_routine routine = {.id = "r", .steps = &step, .steps_count = 1};
	const struct gf_catalog catalog = {.name = "base", .version = 1, .routines = &routine, .routines_count = 1};
	unsigned char *data;
	size_t len;
	const int r = gf_catalog_encode(&catalog, &data, &len);

	if (r == 0)
		free(data);
	return r;
}

static struct gf_sealed sealed;

static int sign(void)
{
	uint8_t seed[GF_SEED_LEN] = {1};
	const size_t before = sealed.signatures_count;
	const int r = gf_sign(&sealed, seed);

	assert_int_equal(sealed.signatures_count, before + (r == 0));
	return r;
}

static int verify(void)
{
	struct gf_keyset keys = {.threshold = 2, .count = 2};

	for (int i = 0; i < 2; i++)
		assert_int_equal(gf_unhex(rfc_8032[i].key, keys.keys[i], GF_KEY_LEN), 0);
	return gf_verify(&keys, &sealed, NULL);
}

static int seal(void)
{
	unsigned char *data;
	size_t len;
	const int r = gf_seal(&sealed, &data, &len);

	if (r == 0)
		free(data);
	return r;
}

static void i8_taking_apart_survives_a_lack_of_memory(void **state)
{
	(void)state;
	starve(unseal);
	starve(decode);
	starve(encode);
}

static void i6_a_lack_of_memory_is_no_verdict(void **state)
{
	(void)state;
	assert_int_equal(gf_unseal(bytes, sizeof(bytes), &sealed, NULL), 0);
	starve(verify);
	starve(sign);
	starve(verify);
	starve(seal);
	gf_sealed_deinit(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i8_taking_apart_survives_a_lack_of_memory),
	    cmocka_unit_test(i6_a_lack_of_memory_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
