#include "gateway/cli/local.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int in_berlin(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	return 0;
}

static void assert_reads(const char *text, const char *expected)
{
	char *local = local_text(text);
	assert_non_null(local);
	assert_string_equal(local, expected);
	free(local);
}

static void a_time_in_a_sentence_is_told_by_the_clock_here(void **state)
{
	(void)state;
	assert_reads("too hot since 2026-11-21T21:58:10Z (3.6 h)", "too hot since 2026-11-21 22:58 (3.6 h)");
	assert_reads("from 2026-07-01T22:30:00Z to 2026-07-02T00:30:00Z", "from 2026-07-02 00:30 to 2026-07-02 02:30");
	assert_reads("2026-11-21T21:58:10Z", "2026-11-21 22:58");
	/* The hour that there is twice, and the one that there isn't. */
	assert_reads("2026-10-25T00:30:00Z 2026-10-25T01:30:00Z", "2026-10-25 02:30 2026-10-25 02:30");
	assert_reads("2026-03-29T00:59:59Z 2026-03-29T01:00:00Z", "2026-03-29 01:59 2026-03-29 03:00");
	assert_reads("9999-12-31T23:59:59Z.", "10000-01-01 00:59.");
}

static void whatever_is_no_time_stays(void **state)
{
	static const char *const texts[] = {
	    "",
	    "2026",
	    "2026-11-21",
	    "2026-11-21T21:58:10",
	    "2026-11-21 21:58:10Z",
	    "2026-13-41T21:58:10Z",
	    "2026-11-21T21:58:10+01:00",
	    "until 2026-11-21T21:58:1",
	    "ü 2026-11-2\xC3\xBCT21:58:10Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_reads(texts[i], texts[i]);
	assert_reads("22026-11-21T21:58:10Z", "22026-11-21 22:58");
}

static void an_answer_keeps_what_is_a_time_alone(void **state)
{
	static const char before[] =
	    "{\"items\":[{\"since\":\"2026-11-21T21:58:10Z\",\"n\":1,\"none\":null,\"reasons\":[\"hot "
	    "since 2026-11-21T21:58:10Z\"]},\"at 2026-11-21T21:58:10Z\"]}";
	static const char after[] =
	    "{\"items\":[{\"since\":\"2026-11-21T21:58:10Z\",\"n\":1,\"none\":null,\"reasons\":[\"hot "
	    "since 2026-11-21 22:58\"]},\"at 2026-11-21 22:58\"]}";
	json_t *answer = json_loads(before, 0, NULL);

	(void)state;
	assert_int_equal(local_answer(answer), 0);
	char *text = json_dumps(answer, JSON_COMPACT);
	assert_string_equal(text, after);
	free(text);
	json_decref(answer);
	assert_int_equal(local_answer(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_time_in_a_sentence_is_told_by_the_clock_here),
	    cmocka_unit_test(whatever_is_no_time_stays),
	    cmocka_unit_test(an_answer_keeps_what_is_a_time_alone),
	};

	return cmocka_run_group_tests(tests, in_berlin, NULL);
}
