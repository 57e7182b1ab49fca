/* Sites' clocks, over the changes of 2026. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/sites/zone.h"

#define HOUR INT64_C(3600000)
static const int64_t march_29 = INT64_C(1774742400000), october_25 = INT64_C(1792886400000);

static struct zones *berlin_and_others(void)
{
	struct zones *z = NULL;

	assert_int_equal(zones_new("Europe/Berlin", &z, NULL), 0);
	assert_int_equal(zones_add(z, "lisbon", "Europe/Lisbon", NULL), 0);
	assert_int_equal(zones_add(z, "adelaide", "Australia/Adelaide", NULL), 0);
	assert_int_equal(zones_add(z, "delhi", "Asia/Kolkata", NULL), 0);
	return z;
}

static void the_clock_changes_at_its_second(void **state)
{
	struct zones *z = berlin_and_others();

	(void)state;
	assert_int_equal(zones_offset_s(z, "", march_29 + HOUR - 1), 3600);
	assert_int_equal(zones_offset_s(z, "", march_29 + HOUR), 7200);
	assert_int_equal(zones_offset_s(z, "munich", october_25 + HOUR - 1), 7200);
	assert_int_equal(zones_offset_s(z, "munich", october_25 + HOUR), 3600);
	assert_int_equal(zones_offset_s(z, "lisbon", march_29 + HOUR - 1), 0);
	assert_int_equal(zones_offset_s(z, "lisbon", march_29 + HOUR), 3600);
	assert_int_equal(zones_offset_s(z, "adelaide", march_29), 10 * 3600 + 1800);
	assert_int_equal(zones_offset_s(z, "delhi", march_29), 5 * 3600 + 1800);
	assert_int_equal(zones_offset_s(z, "berlin", -1), 3600);
	zones_free(z);
}

static void without_a_zone_it_is_utc(void **state)
{
	struct zones *z = NULL;

	(void)state;
	assert_int_equal(zones_new(NULL, &z, NULL), 0);
	assert_int_equal(zones_offset_s(z, "berlin", october_25), 0);
	zones_free(z);
	zones_free(NULL);
}

static void unknown_names_and_doubles_are_refused(void **state)
{
	struct zones *z = NULL;
	struct gf_diag diag = {""};

	(void)state;
	assert_int_equal(zones_new("Europe/Berln", &z, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "'Europe/Berln'"));
	assert_int_equal(zones_new("", &z, &diag), -EINVAL);
	assert_null(z);
	z = berlin_and_others();
	assert_int_equal(zones_add(z, "paris", "Mars/Olympus", &diag), -EINVAL);
	assert_int_equal(zones_add(z, "delhi", "Asia/Kolkata", &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "already"));
	assert_int_equal(zones_add(z, "", "Asia/Kolkata", &diag), -EINVAL);
	assert_int_equal(zones_offset_s(z, "paris", march_29), 3600);
	zones_free(z);
}

static void *ask(void *zones)
{
	int64_t sum = 0;

	for (int i = 0; i < 20000; i++)
		sum += zones_offset_s(zones, i % 2 ? "lisbon" : "", march_29 + i * HOUR);
	return (void *)(intptr_t)sum;
}

static void many_threads_may_ask(void **state)
{
	struct zones *z = berlin_and_others();
	pthread_t threads[4];
	void *sums[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, z), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &sums[i]);
		assert_ptr_equal(sums[i], sums[0]);
	}
	zones_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_clock_changes_at_its_second),
	    cmocka_unit_test(without_a_zone_it_is_utc),
	    cmocka_unit_test(unknown_names_and_doubles_are_refused),
	    cmocka_unit_test(many_threads_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
