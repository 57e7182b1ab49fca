#include "proto/base/rand.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 200000 };

static void the_kernels_bytes_fill_exactly_what_was_asked(void **state)
{
	unsigned char seen[66] = {0};

	(void)state;
	/* A byte that stays 0 over 64 draws is never written: 1 in 2^512 by chance. */
	for (int i = 0; i < 64; i++) {
		unsigned char bytes[66] = {0};
		gf_rand_bytes(bytes + 1, 64);
		for (size_t k = 0; k < sizeof(bytes); k++)
			seen[k] |= bytes[k];
	}
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[65], 0);
	for (size_t k = 1; k < 65; k++)
		assert_int_not_equal(seen[k], 0);
	gf_rand_bytes(seen, 0);
}

static void two_identities_differ(void **state)
{
	unsigned char a[16], b[16];

	(void)state;
	gf_rand_bytes(a, sizeof(a));
	gf_rand_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

/* The first values of the authors' own program from the state {1, 2, 3, 4}. */
static void the_generator_is_the_published_one(void **state)
{
	static const uint64_t want[] = {
	    11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600,
	};
	struct gf_prng prng = {.s = {1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_true(gf_prng_next(&prng) == want[i]);
}

/* splitmix64 from 0: 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, ... */
static void the_seed_is_spread_as_published(void **state)
{
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 0);
	assert_true(prng.s[0] == 0xe220a8397b1dcdafULL);
	assert_true(prng.s[1] == 0x6e789e6aa1b965f4ULL);
	assert_true(prng.s[2] == 0x06c45d188009454fULL);
	assert_true(prng.s[3] == 0xf88bb8a8724c81ecULL);
}

static void the_same_seed_tells_the_same_story(void **state)
{
	struct gf_prng a, b, other;

	(void)state;
	gf_prng_seed(&a, 2026);
	gf_prng_seed(&b, 2026);
	gf_prng_seed(&other, 2027);
	int differ = 0;
	for (int i = 0; i < 100; i++) {
		uint64_t value = gf_prng_next(&a);
		assert_true(value == gf_prng_next(&b));
		differ += value != gf_prng_next(&other) ? 1 : 0;
	}
	assert_int_equal(differ, 100);
}

static void below_stays_below_and_is_even(void **state)
{
	unsigned counts[6] = {0};
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 6);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t value = gf_prng_below(&prng, 6);
		assert_true(value < 6);
		counts[value]++;
	}
	/* Expected 33,333, standard deviation 167: six of them are far outside chance. */
	for (size_t i = 0; i < 6; i++)
		assert_in_range(counts[i], 32333, 34333);
}

static void below_an_odd_bound_is_unbiased_at_the_top(void **state)
{
	/* Of 3/4 of the range a plain remainder would draw the lowest third twice as often. */
	const uint64_t bound = 3ULL << 62;
	unsigned low = 0;
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 75);
	for (int i = 0; i < DRAWS; i++)
		low += gf_prng_below(&prng, bound) < (1ULL << 62) ? 1 : 0;
	assert_in_range(low, 65000, 68300);
}

static void below_has_edges(void **state)
{
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 1);
	assert_true(gf_prng_below(&prng, 0) == 0);
	assert_true(gf_prng_below(&prng, 1) == 0);
	for (int i = 0; i < 100; i++)
		assert_true(gf_prng_below(&prng, UINT64_MAX) < UINT64_MAX);
}

static void a_unit_is_from_0_to_under_1(void **state)
{
	struct gf_prng prng;
	double sum = 0;

	(void)state;
	gf_prng_seed(&prng, 3);
	for (int i = 0; i < DRAWS; i++) {
		double value = gf_prng_unit(&prng);
		assert_true(value >= 0.0 && value < 1.0);
		sum += value;
	}
	assert_true(fabs(sum / DRAWS - 0.5) < 0.005);
}

static void a_normal_has_its_mean_and_deviation(void **state)
{
	struct gf_prng prng;
	double sum = 0, squares = 0;

	(void)state;
	gf_prng_seed(&prng, 4);
	for (int i = 0; i < DRAWS; i++) {
		double value = gf_prng_normal(&prng, 40, 3);
		assert_true(isfinite(value));
		sum += value;
		squares += (value - 40) * (value - 40);
	}
	assert_true(fabs(sum / DRAWS - 40) < 0.05);
	assert_true(fabs(sqrt(squares / DRAWS) - 3) < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_kernels_bytes_fill_exactly_what_was_asked),
	    cmocka_unit_test(two_identities_differ),
	    cmocka_unit_test(the_generator_is_the_published_one),
	    cmocka_unit_test(the_seed_is_spread_as_published),
	    cmocka_unit_test(the_same_seed_tells_the_same_story),
	    cmocka_unit_test(below_stays_below_and_is_even),
	    cmocka_unit_test(below_an_odd_bound_is_unbiased_at_the_top),
	    cmocka_unit_test(below_has_edges),
	    cmocka_unit_test(a_unit_is_from_0_to_under_1),
	    cmocka_unit_test(a_normal_has_its_mean_and_deviation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
