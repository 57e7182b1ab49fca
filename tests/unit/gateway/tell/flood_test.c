/* The token bucket, backoff, and what answers mean. */
#include "gateway/tell/flood.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000 };

static enum flood_say judge(struct flood *f, bool several, int64_t mono_ms)
{
	int64_t due_ms = 0;

	return flood_judge(f, several, mono_ms, &due_ms);
}

static void a_burst_goes_one_by_one_and_what_is_beyond_it_as_one_sum(void **state)
{
	struct flood f;

	(void)state;
	flood_init(&f, 60, MINUTE_MS, 60, 0);
	for (int i = 0; i < 59; i++) {
		assert_int_equal(judge(&f, true, 0), FLOOD_ONE);
		flood_take(&f);
	}
	assert_int_equal(judge(&f, true, 0), FLOOD_SUM);
	flood_take(&f);
	assert_int_equal(judge(&f, true, 0), FLOOD_WAIT);
}

/* The last one is no sum when there is nothing to sum up. */
static void a_single_event_is_never_summed_up(void **state)
{
	struct flood f;

	(void)state;
	flood_init(&f, 60, MINUTE_MS, 1, 0);
	assert_int_equal(judge(&f, false, 0), FLOOD_ONE);
}

static void the_bucket_says_when_the_next_token_comes(void **state)
{
	struct flood f;
	int64_t due_ms = 0;

	(void)state;
	flood_init(&f, 60, MINUTE_MS, 1, 1000);
	flood_take(&f);
	assert_int_equal(flood_judge(&f, true, 1250, &due_ms), FLOOD_WAIT);
	assert_true(due_ms == 2000);
	assert_int_equal(flood_judge(&f, true, 1999, &due_ms), FLOOD_WAIT);
	assert_true(due_ms == 2000);
	assert_int_equal(judge(&f, true, 2000), FLOOD_SUM);
}

/* Ten an instant for an hour: as many messages as the rate allows, and nobody waits longer than a token takes. */
static void a_flood_costs_no_more_than_the_rate(void **state)
{
	struct flood f;
	unsigned messages = 0;
	int64_t last_ms = 0, longest_ms = 0;

	(void)state;
	flood_init(&f, 30, MINUTE_MS, 30, 0);
	for (int64_t now_ms = 0; now_ms < 60LL * MINUTE_MS; now_ms += 100) {
		if (judge(&f, true, now_ms) == FLOOD_WAIT)
			continue;
		flood_take(&f);
		messages++;
		longest_ms = now_ms - last_ms > longest_ms ? now_ms - last_ms : longest_ms;
		last_ms = now_ms;
	}
	assert_in_range(messages, 60 * 30, 60 * 30 + 30);
	assert_true(longest_ms <= 2000);
}

static void it_never_holds_more_than_the_burst_and_survives_a_clock_that_stands(void **state)
{
	struct flood f;
	int taken = 0;

	(void)state;
	flood_init(&f, 10, 1000, 5, 0);
	assert_int_equal(judge(&f, true, INT64_MAX / 2), FLOOD_ONE);
	while (judge(&f, true, INT64_MAX / 2) != FLOOD_WAIT) {
		flood_take(&f);
		taken++;
	}
	assert_int_equal(taken, 5);
	assert_int_equal(judge(&f, true, 0), FLOOD_WAIT);
	flood_init(&f, 0, 1000, 0, 0);
	assert_int_equal(judge(&f, true, 0), FLOOD_SUM);
}

static void backoff_doubles_up_to_its_limit_and_has_full_jitter(void **state)
{
	(void)state;
	for (unsigned failures = 1; failures < 100; failures++) {
		int64_t most_ms = failures < 10 ? INT64_C(1000) << (failures - 1) : FLOOD_BACKOFF_MAX_MS;
		int64_t longest_ms = 0, shortest_ms = INT64_MAX;
		most_ms = most_ms < FLOOD_BACKOFF_MAX_MS ? most_ms : FLOOD_BACKOFF_MAX_MS;
		for (uint64_t i = 0; i < 1000; i++) {
			int64_t ms = flood_backoff_ms(failures, i * UINT64_C(0x9e3779b97f4a7c15));
			longest_ms = ms > longest_ms ? ms : longest_ms;
			shortest_ms = ms < shortest_ms ? ms : shortest_ms;
		}
		assert_true(longest_ms <= most_ms && longest_ms > most_ms * 9 / 10);
		assert_true(shortest_ms >= 0 && shortest_ms < most_ms / 10);
	}
	assert_true(flood_backoff_ms(0, UINT64_MAX) <= FLOOD_BACKOFF_MIN_MS);
	assert_true(flood_backoff_ms(UINT32_MAX, UINT64_MAX) <= FLOOD_BACKOFF_MAX_MS);
}

static void only_what_the_receiver_refuses_for_good_is_passed_over(void **state)
{
	static const long taken[] = {200, 201, 202, 204, 299}, refused[] = {400, 401, 403, 404, 410, 413, 422, 451, 499},
	                  again[] = {0, 100, 199, 301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599, 600, -1};

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_int_equal(flood_http(taken[i]), FLOOD_TAKEN);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(flood_http(refused[i]), FLOOD_REFUSES);
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_int_equal(flood_http(again[i]), FLOOD_AGAIN);
	assert_int_equal(flood_mqtt(0), FLOOD_TAKEN);
	assert_int_equal(flood_mqtt(16), FLOOD_TAKEN);
	assert_int_equal(flood_mqtt(0x95), FLOOD_REFUSES);
	assert_int_equal(flood_mqtt(0x87), FLOOD_AGAIN);
	assert_int_equal(flood_mqtt(0x97), FLOOD_AGAIN);
	assert_int_equal(flood_mqtt(-1), FLOOD_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_burst_goes_one_by_one_and_what_is_beyond_it_as_one_sum),
	    cmocka_unit_test(a_single_event_is_never_summed_up),
	    cmocka_unit_test(the_bucket_says_when_the_next_token_comes),
	    cmocka_unit_test(a_flood_costs_no_more_than_the_rate),
	    cmocka_unit_test(it_never_holds_more_than_the_burst_and_survives_a_clock_that_stands),
	    cmocka_unit_test(backoff_doubles_up_to_its_limit_and_has_full_jitter),
	    cmocka_unit_test(only_what_the_receiver_refuses_for_good_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
