#include "agent/catalog/fetch.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"

enum { PART = GF_CATALOG_PART_MAX, SIZE = 2 * PART + 100 };

static unsigned char bytes[GF_CATALOG_MAX];

static void begin(struct fetch *fetch, size_t size)
{
	struct gf_prng prng;
	struct gf_digest digest;
	gf_prng_seed(&prng, size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)gf_prng_next(&prng);
	gf_digest_of(bytes, size, &digest);
	assert_int_equal(fetch_init(fetch, &digest, size), 0);
}

static enum fetch_result send(struct fetch *fetch, size_t part)
{
	const size_t at = part * PART, left = fetch->size - at;
	return fetch_part(fetch, (int)part, bytes + at, left < PART ? left : PART);
}

static void a_small_one_comes_as_a_whole(void **state)
{
	struct fetch fetch;
	(void)state;
	begin(&fetch, PART);
	assert_int_equal(fetch_part(&fetch, 0, bytes, PART), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, GF_TOPIC_CATALOG_WHOLE, bytes, PART - 1), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, GF_TOPIC_CATALOG_WHOLE, bytes, PART + 1), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, GF_TOPIC_CATALOG_WHOLE, bytes, PART), FETCH_DONE);
	assert_memory_equal(fetch.data, bytes, PART);
	fetch_deinit(&fetch);
}

static void a_large_one_comes_in_parts_in_any_order(void **state)
{
	static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct fetch fetch;
	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		begin(&fetch, SIZE);
		assert_int_equal(send(&fetch, orders[i][0]), FETCH_MORE);
		assert_int_equal(send(&fetch, orders[i][1]), FETCH_MORE);
		assert_int_equal(send(&fetch, orders[i][0]), FETCH_MORE);
		assert_int_equal(send(&fetch, orders[i][2]), FETCH_DONE);
		assert_memory_equal(fetch.data, bytes, SIZE);
		fetch_deinit(&fetch);
	}
}

static void the_largest_has_room(void **state)
{
	struct fetch fetch;
	enum fetch_result result = FETCH_MORE;
	(void)state;
	begin(&fetch, GF_CATALOG_MAX);
	assert_int_equal(fetch.parts, FETCH_PARTS_MAX);
	for (size_t i = 0; i < fetch.parts; i++) {
		assert_int_equal(result, FETCH_MORE);
		result = send(&fetch, i);
	}
	assert_int_equal(result, FETCH_DONE);
	fetch_deinit(&fetch);
}

static void i8_nothing_of_another_shape_is_taken(void **state)
{
	static const int parts[] = {-1, -2, 3, 4, 999, INT32_MAX, INT32_MIN};
	struct fetch fetch;
	(void)state;
	begin(&fetch, SIZE);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_int_equal(fetch_part(&fetch, parts[i], bytes, PART), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, 0, bytes, PART - 1), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, 0, bytes, PART + 1), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, 2, bytes, PART), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, 2, bytes, 99), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, 2, bytes, 101), FETCH_BAD);
	assert_int_equal(fetch.missing, 3);
	fetch_deinit(&fetch);
}

static void a_withdrawal_is_no_part(void **state)
{
	struct fetch fetch;
	(void)state;
	begin(&fetch, SIZE);
	assert_int_equal(send(&fetch, 0), FETCH_MORE);
	assert_int_equal(fetch_part(&fetch, 0, NULL, 0), FETCH_MORE);
	assert_int_equal(fetch_part(&fetch, 77, NULL, 0), FETCH_MORE);
	assert_int_equal(send(&fetch, 1), FETCH_MORE);
	assert_int_equal(send(&fetch, 2), FETCH_DONE);
	fetch_deinit(&fetch);
}

static void other_bytes_are_not_it_and_it_begins_again(void **state)
{
	struct fetch fetch;
	(void)state;
	begin(&fetch, SIZE);
	bytes[PART] ^= 1;
	assert_int_equal(send(&fetch, 0), FETCH_MORE);
	assert_int_equal(send(&fetch, 1), FETCH_MORE);
	assert_int_equal(send(&fetch, 2), FETCH_NOT_IT);
	assert_int_equal(send(&fetch, 2), FETCH_BAD);
	bytes[PART] ^= 1;
	fetch_again(&fetch);
	assert_int_equal(send(&fetch, 2), FETCH_MORE);
	assert_int_equal(send(&fetch, 1), FETCH_MORE);
	assert_int_equal(send(&fetch, 0), FETCH_DONE);
	fetch_deinit(&fetch);
}

static void no_size_is_too_much_or_none(void **state)
{
	struct fetch fetch = {.size = 77};
	(void)state;
	assert_int_equal(fetch_init(&fetch, &(struct gf_digest){{1}}, 0), -EMSGSIZE);
	assert_int_equal(fetch_init(&fetch, &(struct gf_digest){{1}}, GF_CATALOG_MAX + 1), -EMSGSIZE);
	assert_int_equal(fetch.size, 77);
}

static void nothing_is_taken_where_nothing_is_fetched(void **state)
{
	struct fetch fetch = {0};
	(void)state;
	assert_int_equal(fetch_part(&fetch, 0, bytes, PART), FETCH_BAD);
	assert_int_equal(fetch_part(&fetch, -1, bytes, 1), FETCH_BAD);
	fetch_deinit(&fetch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_small_one_comes_as_a_whole), cmocka_unit_test(a_large_one_comes_in_parts_in_any_order),
	    cmocka_unit_test(the_largest_has_room),         cmocka_unit_test(i8_nothing_of_another_shape_is_taken),
	    cmocka_unit_test(a_withdrawal_is_no_part),      cmocka_unit_test(other_bytes_are_not_it_and_it_begins_again),
	    cmocka_unit_test(no_size_is_too_much_or_none),  cmocka_unit_test(nothing_is_taken_where_nothing_is_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
