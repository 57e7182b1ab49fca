#include "proto/base/crc32c.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"

static void the_check_value_is_the_published_one(void **state)
{
	(void)state;
	assert_int_equal(gf_crc32c(0, "123456789", 9), 0xE3069283);
}

/* RFC 3720, appendix B.4; the bytes there stand in the order of the wire. */
static void the_vectors_of_rfc_3720_hold(void **state)
{
	static const unsigned char read_command[48] = {
	    0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	    0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
	    0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	unsigned char bytes[32];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(gf_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(gf_crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(gf_crc32c(0, bytes, 32), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	assert_int_equal(gf_crc32c(0, bytes, 32), 0x113fdb5c);
	assert_int_equal(gf_crc32c(0, read_command, sizeof(read_command)), 0xd9963a56);
}

static void nothing_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(gf_crc32c(0, NULL, 0), 0);
	assert_int_equal(gf_crc32c(0xE3069283, "", 0), 0xE3069283);
}

static void it_may_be_taken_in_parts(void **state)
{
	unsigned char bytes[257];
	struct gf_prng prng;

	(void)state;
	gf_prng_seed(&prng, 32);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)gf_prng_next(&prng);
	const uint32_t whole = gf_crc32c(0, bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++)
		assert_int_equal(gf_crc32c(gf_crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
}

/* Every burst of up to 32 bits is found by any CRC of this length; here each one of 1 to 8 bits at each place. */
static void every_short_burst_is_found(void **state)
{
	unsigned char bytes[64];

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	const uint32_t whole = gf_crc32c(0, bytes, sizeof(bytes));
	for (size_t at = 0; at < sizeof(bytes); at++) {
		for (unsigned burst = 1; burst < 256; burst++) {
			bytes[at] ^= (unsigned char)burst;
			assert_int_not_equal(gf_crc32c(0, bytes, sizeof(bytes)), whole);
			bytes[at] ^= (unsigned char)burst;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_check_value_is_the_published_one),
	    cmocka_unit_test(the_vectors_of_rfc_3720_hold),
	    cmocka_unit_test(nothing_changes_nothing),
	    cmocka_unit_test(it_may_be_taken_in_parts),
	    cmocka_unit_test(every_short_burst_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
