/* How late ticks are told: bounds, not exact values; exact only where the header promises it. */
#include "agent/tick_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct gf_heartbeat take(struct tick_stats *stats)
{
	struct gf_heartbeat beat = {0};
	tick_stats_take(stats, &beat);
	return beat;
}

static void nothing_is_zero(void **state)
{
	(void)state;
	struct tick_stats stats = {0};
	struct gf_heartbeat beat = {.tick_p99_us = 1, .tick_worst_us = 1, .tick_overruns = 1};
	tick_stats_take(&stats, &beat);
	assert_int_equal(beat.tick_p99_us, 0);
	assert_int_equal(beat.tick_worst_us, 0);
	assert_int_equal(beat.tick_overruns, 0);
}

static void taking_begins_anew(void **state)
{
	(void)state;
	struct tick_stats stats = {0};
	tick_stats_add(&stats, 500, true);
	assert_int_equal(take(&stats).tick_overruns, 1);
	struct gf_heartbeat beat = take(&stats);
	assert_int_equal(beat.tick_p99_us, 0);
	assert_int_equal(beat.tick_worst_us, 0);
	assert_int_equal(beat.tick_overruns, 0);
}

static void one_tick_is_its_own_p99_and_worst(void **state)
{
	(void)state;
	struct tick_stats stats = {0};
	for (int64_t us = 0; us < 100000; us += us < 300 ? 1 : 97) {
		tick_stats_add(&stats, us, false);
		struct gf_heartbeat beat = take(&stats);
		assert_int_equal(beat.tick_p99_us, us);
		assert_int_equal(beat.tick_worst_us, us);
	}
}

/* p99 is rounded up, by at most a quarter. */
static void p99_is_near_and_never_below(void **state)
{
	(void)state;
	for (int64_t late = 4; late < 2000000; late = late * 5 / 4 + 1) {
		struct tick_stats stats = {0};
		for (int i = 0; i < 3000; i++)
			tick_stats_add(&stats, late, false);
		tick_stats_add(&stats, 5000000, false);
		struct gf_heartbeat beat = take(&stats);
		assert_true(beat.tick_p99_us >= late);
		assert_true(beat.tick_p99_us < late + late / 4 + 1);
		assert_int_equal(beat.tick_worst_us, 5000000);
	}
}

static void one_of_a_hundred_is_left_out_and_two_are_not(void **state)
{
	(void)state;
	struct tick_stats stats = {0};
	for (int i = 0; i < 99; i++)
		tick_stats_add(&stats, 100, false);
	tick_stats_add(&stats, 90000, true);
	assert_true(take(&stats).tick_p99_us < 128);
	for (int i = 0; i < 98; i++)
		tick_stats_add(&stats, 100, false);
	tick_stats_add(&stats, 90000, true);
	tick_stats_add(&stats, 90000, true);
	struct gf_heartbeat beat = take(&stats);
	assert_int_equal(beat.tick_p99_us, 90000);
	assert_int_equal(beat.tick_overruns, 2);
}

static void the_extremes_stay_in_range(void **state)
{
	(void)state;
	struct tick_stats stats = {0};
	tick_stats_add(&stats, INT64_MIN, false);
	struct gf_heartbeat beat = take(&stats);
	assert_int_equal(beat.tick_worst_us, 0);
	tick_stats_add(&stats, INT64_MAX, true);
	tick_stats_add(&stats, UINT32_MAX, true);
	beat = take(&stats);
	assert_true(beat.tick_worst_us == UINT32_MAX);
	assert_true(beat.tick_p99_us == UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_zero),
	    cmocka_unit_test(taking_begins_anew),
	    cmocka_unit_test(one_tick_is_its_own_p99_and_worst),
	    cmocka_unit_test(p99_is_near_and_never_below),
	    cmocka_unit_test(one_of_a_hundred_is_left_out_and_two_are_not),
	    cmocka_unit_test(the_extremes_stay_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
