/* The gateway's wall clock may jump; nobody is offline for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/steady.h"

#define START INT64_C(1795176000000)

static struct gf_time at(int64_t mono_ms, int64_t wall_ms)
{
	return (struct gf_time){.mono_ms = mono_ms, .wall_ms = wall_ms};
}

static void counts_from_the_first_look(void **state)
{
	struct steady s = {0};

	(void)state;
	assert_int_equal(steady_since_ms(&s, at(1000, START)), START);
	assert_int_equal(steady_since_ms(&s, at(11000, START + 10000)), START);
	/* Held up for an hour, by load or by sleep, is no jump. */
	assert_int_equal(steady_since_ms(&s, at(3611000, START + 3610000)), START);
}

static void a_clock_that_is_pulled_gently_is_steady(void **state)
{
	struct steady s = {0};
	int64_t wall_ms = START;

	(void)state;
	assert_int_equal(steady_since_ms(&s, at(0, wall_ms)), START);
	for (int64_t i = 1; i <= 10000; i++, wall_ms += 10005)
		assert_int_equal(steady_since_ms(&s, at(i * 10000, wall_ms + 10005)), START);
}

static void a_jump_forward_or_back_begins_anew(void **state)
{
	struct steady s = {0};
	const int64_t later = START + 3 * INT64_C(3600000);

	(void)state;
	assert_int_equal(steady_since_ms(&s, at(0, START)), START);
	assert_int_equal(steady_since_ms(&s, at(10000, later)), later);
	assert_int_equal(steady_since_ms(&s, at(20000, later + 10000)), later);
	assert_int_equal(steady_since_ms(&s, at(30000, START + 30000)), START + 30000);
	assert_int_equal(steady_since_ms(&s, at(40000, START + 40000)), START + 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_from_the_first_look),
	    cmocka_unit_test(a_clock_that_is_pulled_gently_is_steady),
	    cmocka_unit_test(a_jump_forward_or_back_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
