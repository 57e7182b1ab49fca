#include "proto/base/pack.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_goes_in_comes_out(void **state)
{
	static const unsigned char want[] = {0xfe, 0x34, 0x12, 'a', 'b', 8, 7, 6, 5, 4, 3, 2, 1};
	unsigned char buf[sizeof(want)];
	struct gf_pack pack = {.at = buf, .end = buf + sizeof(buf)};
	(void)state;
	gf_pack_int(&pack, 0xfffe, 1); /* only so many bytes of it */
	gf_pack_int(&pack, 0x1234, 2);
	gf_pack_bytes(&pack, "ab", 2);
	gf_pack_int(&pack, UINT64_C(0x0102030405060708), 8);
	assert_false(pack.full);
	assert_ptr_equal(pack.at, pack.end);
	assert_memory_equal(buf, want, sizeof(want));

	struct gf_unpack unpack = {.at = buf, .end = buf + sizeof(buf)};
	assert_int_equal(gf_unpack_int(&unpack, 1), 0xfe);
	assert_int_equal(gf_unpack_int(&unpack, 2), 0x1234);
	assert_memory_equal(gf_unpack_bytes(&unpack, 2), "ab", 2);
	assert_true(gf_unpack_int(&unpack, 8) == UINT64_C(0x0102030405060708));
	assert_false(unpack.bad);
	assert_ptr_equal(unpack.at, unpack.end);
}

static void what_finds_no_room_is_remembered(void **state)
{
	unsigned char buf[4] = {0, 0, 0, 9};
	struct gf_pack pack = {.at = buf, .end = buf + 3};
	(void)state;
	gf_pack_int(&pack, 0x0201, 2);
	gf_pack_int(&pack, 0x0403, 2);
	assert_true(pack.full);
	gf_pack_int(&pack, 5, 1); /* though there is room for it */
	assert_true(pack.full);
	assert_ptr_equal(pack.at, buf + 2);
	assert_int_equal(buf[2], 0);
	assert_int_equal(buf[3], 9);
}

static void what_is_missing_is_remembered(void **state)
{
	static const unsigned char bytes[] = {1, 2, 3};
	struct gf_unpack unpack = {.at = bytes, .end = bytes + sizeof(bytes)};
	(void)state;
	assert_int_equal(gf_unpack_int(&unpack, 2), 0x0201);
	assert_int_equal(gf_unpack_int(&unpack, 2), 0);
	assert_true(unpack.bad);
	assert_null(gf_unpack_bytes(&unpack, 1)); /* though it is there */
	assert_int_equal(gf_unpack_int(&unpack, 1), 0);
	assert_ptr_equal(unpack.at, bytes + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	    cmocka_unit_test(what_finds_no_room_is_remembered),
	    cmocka_unit_test(what_is_missing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
