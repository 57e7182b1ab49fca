#include "agent/driver/newest.h"

#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORDS = 32, ROUNDS = 200000 };

struct value {
	uint32_t words[WORDS]; /* all the same */
};

static struct value of(uint32_t number)
{
	struct value value;
	for (int i = 0; i < WORDS; i++)
		value.words[i] = number;
	return value;
}

static uint32_t got(struct newest *n)
{
	return ((const struct value *)newest_get(n))->words[0];
}

static void the_newest_is_read_however_often(void **state)
{
	const struct value first = of(7);
	struct newest n;
	(void)state;
	assert_int_equal(newest_init(&n, sizeof(first), &first), 0);
	assert_int_equal(got(&n), 7);
	for (uint32_t i = 0; i < 20; i++) {
		const struct value value = of(i);
		newest_put(&n, &value);
		if (i % 3 == 0) {
			assert_int_equal(got(&n), i);
			assert_int_equal(got(&n), i);
		}
	}
	assert_int_equal(got(&n), 19);
	newest_deinit(&n);
	newest_deinit(&n);
}

static void *write_many(void *ctx)
{
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		const struct value value = of(i);
		newest_put(ctx, &value);
	}
	return NULL;
}

static void a_value_is_never_half_of_another(void **state)
{
	const struct value first = of(0);
	struct newest n;
	pthread_t writer;
	uint32_t last = 0;
	(void)state;
	assert_int_equal(newest_init(&n, sizeof(first), &first), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_many, &n), 0);
	while (last < ROUNDS) {
		const struct value *value = newest_get(&n);
		assert_true(value->words[0] >= last);
		last = value->words[0];
		for (int i = 1; i < WORDS; i++)
			assert_int_equal(value->words[i], last);
	}
	pthread_join(writer, NULL);
	newest_deinit(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_newest_is_read_however_often),
	    cmocka_unit_test(a_value_is_never_half_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
