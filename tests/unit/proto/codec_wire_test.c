/* The decoder's memory: what it may take, and what happens when it runs out at any point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "proto/codec_wire.h"
#include "tests/unit/proto/samples.h"

enum { FLOOD = 64 * 1024 };

/* `count` times field `number` with an empty sub-message inside. */
static size_t flood(unsigned char *buf, size_t size, unsigned number)
{
	size_t len = 0;

	while (len + 2 <= size) {
		buf[len++] = (unsigned char)(number << 3 | 2);
		buf[len++] = 0;
	}
	return len;
}

static void i8_a_flood_of_empty_messages_ends_at_the_budget(void **state)
{
	static unsigned char buf[FLOOD];
	size_t len = flood(buf, sizeof(buf), 3);
	struct gf_arena arena;
	struct gf_diag diag = {0};
	void *message = NULL;

	(void)state;
	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	assert_int_equal(gf_wire_unpack(&arena, &gymfleet__v1__report__descriptor, buf, len, sizeof(buf), &message, &diag),
	                 GF_CODEC_E_TOO_LARGE);
	assert_string_equal(diag.text, "Report takes more than 524288 bytes of memory to decode");
	assert_null(message);
	assert_true(arena.used <= GF_CODEC_ARENA_BUDGET);
	gf_arena_deinit(&arena);
}

/* The largest flood that a record's cap lets through is refused or decoded, within the budget. */
static void i8_a_record_full_of_empty_messages_is_refused(void **state)
{
	unsigned char buf[GF_RECORD_MAX] = {0x08, 0x01, 0x5a, 0xfb, 0x1f}; /* seq 1; a heartbeat of 4091 bytes */
	size_t len = 5 + flood(buf + 5, sizeof(buf) - 6, 2);
	struct gf_record record;

	(void)state;
	buf[3] = (unsigned char)((len - 5) | 0x80);
	buf[4] = (unsigned char)((len - 5) >> 7);
	assert_int_equal(gf_record_decode(buf, len, &record, NULL), GF_CODEC_E_INVALID);
}

/* Every allocation of a decode is refused once: it must end as too large, never in a crash. */
static void i10_running_out_of_memory_anywhere_is_survived(void **state)
{
	struct gf_record record = sample_record(GF_RECORD_SESSION_ENDED), out;
	unsigned char buf[GF_RECORD_MAX];
	size_t len, budget = 0;
	int result;

	(void)state;
	assert_int_equal(gf_record_encode(&record, buf, sizeof(buf), &len), 0);
	do {
		struct gf_arena arena;

		gf_arena_init(&arena, budget += 16);
		result = gf_record_decode_in(&arena, buf, len, &out, NULL);
		assert_true(result == 0 || result == GF_CODEC_E_TOO_LARGE);
		gf_arena_deinit(&arena);
	} while (result != 0);
	assert_true(budget > 500 && budget < 8192);
	assert_int_equal(out.session_ended.areas_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i8_a_flood_of_empty_messages_ends_at_the_budget),
	    cmocka_unit_test(i8_a_record_full_of_empty_messages_is_refused),
	    cmocka_unit_test(i10_running_out_of_memory_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
