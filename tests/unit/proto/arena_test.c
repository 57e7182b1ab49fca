#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "proto/arena.h"

static void blocks_are_aligned_apart_and_know_their_size(void **state)
{
	static const size_t sizes[] = {1, 0, 16, 17, 5000, 9000, 3};
	unsigned char *blocks[sizeof(sizes) / sizeof(sizes[0])];
	struct gf_arena arena;

	(void)state;
	gf_arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		blocks[i] = gf_arena_alloc(&arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(gf_arena_size(blocks[i]), sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(blocks[i][k], i);
	}
	gf_arena_deinit(&arena);
}

static void i8_the_budget_is_the_end(void **state)
{
	struct gf_arena arena;
	unsigned blocks = 0;

	(void)state;
	gf_arena_init(&arena, 10000);
	while (gf_arena_alloc(&arena, 1))
		blocks++;
	assert_true(arena.over_budget);
	assert_false(arena.out_of_memory);
	assert_true(blocks < 10000 / 16);
	assert_true(arena.used <= arena.budget);
	gf_arena_reset(&arena);
	assert_false(arena.over_budget);
	assert_non_null(gf_arena_alloc(&arena, 1));
	gf_arena_deinit(&arena);
}

static void an_absurd_size_does_not_wrap_around(void **state)
{
	struct gf_arena arena;

	(void)state;
	gf_arena_init(&arena, SIZE_MAX);
	for (size_t less = 0; less < 32; less++)
		assert_null(gf_arena_alloc(&arena, SIZE_MAX - less));
	assert_true(arena.over_budget);
	gf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_are_aligned_apart_and_know_their_size),
	    cmocka_unit_test(i8_the_budget_is_the_end),
	    cmocka_unit_test(an_absurd_size_does_not_wrap_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
