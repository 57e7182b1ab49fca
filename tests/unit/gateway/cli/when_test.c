/* The times that options take: each knows the same forms, by the clock of the terminal. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/cli/cli.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int64_t at(const char *text)
{
	int64_t ms;

	assert_int_equal(gf_time_parse(text, &ms), 0);
	return ms;
}

/* Noon of a winter's day in Berlin. */
static struct cli berlin(char **said)
{
	static size_t size;

	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	return (struct cli){.now_ms = at("2026-11-22T11:00:00Z"), .err = open_memstream(said, &size)};
}

static void end(const struct cli *cli, char **said)
{
	fclose(cli->err);
	free(*said);
}

static void every_form_means_a_moment(void **state)
{
	static const struct {
		const char *text, *past, *ahead;
	} cases[] = {
	    {"7d", "2026-11-15T11:00:00Z", "2026-11-29T11:00:00Z"},
	    {"90m", "2026-11-22T09:30:00Z", "2026-11-22T12:30:00Z"},
	    {"2026-11-20", "2026-11-19T23:00:00Z", "2026-11-19T23:00:00Z"},
	    {"2026-07-01", "2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z"},
	    {"2026-11-20 17:42", "2026-11-20T16:42:00Z", "2026-11-20T16:42:00Z"},
	    {"2026-11-20T17:42", "2026-11-20T16:42:00Z", "2026-11-20T16:42:00Z"},
	    {"2026-11-20 17:42:03", "2026-11-20T16:42:03Z", "2026-11-20T16:42:03Z"},
	    {"2026-11-20T17:42:03", "2026-11-20T16:42:03Z", "2026-11-20T16:42:03Z"},
	    {"2026-11-20T17:42:03Z", "2026-11-20T17:42:03Z", "2026-11-20T17:42:03Z"},
	    {"2026-11-20T17:42:03-03:00", "2026-11-20T20:42:03Z", "2026-11-20T20:42:03Z"},
	};
	char *said = NULL;
	struct cli cli = berlin(&said);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int ahead = 0; ahead < 2; ahead++) {
			int64_t ms = 0;
			cli.values[CLI_OPT_BACK] = cases[i].text;
			assert_int_equal(cli_when(&cli, CLI_OPT_BACK, ahead, &ms), CLI_OK);
			if (ms != at(ahead ? cases[i].ahead : cases[i].past))
				fail_msg("%s is %lld", cases[i].text, (long long)ms);
		}
	int64_t ms = 0;
	cli.values[CLI_OPT_AT] = "-7d";
	assert_int_equal(cli_when(&cli, CLI_OPT_AT, false, &ms), CLI_OK);
	assert_true(ms == at("2026-11-15T11:00:00Z"));
	cli.values[CLI_OPT_BACK] = "+3d";
	assert_int_equal(cli_when(&cli, CLI_OPT_BACK, true, &ms), CLI_OK);
	assert_true(ms == at("2026-11-25T11:00:00Z"));
	/* Adding it to now doesn't leave the range of a time. */
	cli.values[CLI_OPT_BACK] = "10000000d";
	assert_int_equal(cli_when(&cli, CLI_OPT_BACK, true, &ms), CLI_OK);
	assert_true(ms > at("2900-01-01T00:00:00Z"));
	end(&cli, &said);
}

static void what_is_no_time_is_told_the_forms(void **state)
{
	static const char *const wrong[] = {
	    "",           "soon",     "7",          "-7d-",  "2026-11-31",       "2026-02-30",
	    "2026-13-01", "2026-1-5", "20.11.2026", "17:42", "2026-11-20 25:00", "2026-11-20 17:42 "};
	char *said = NULL;
	struct cli cli = berlin(&said);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		int64_t ms = 42;
		cli.values[CLI_OPT_SINCE] = wrong[i];
		if (cli_when(&cli, CLI_OPT_SINCE, false, &ms) != CLI_USAGE || ms != 42)
			fail_msg("'%s' is %lld", wrong[i], (long long)ms);
	}
	fflush(cli.err);
	assert_non_null(strstr(said,
	                       "--since is 'soon'; expected how long ago (7d, 24h, 90m), a day (2026-11-20) or a time "
	                       "(2026-11-20T17:42:00Z)"));
	cli.values[CLI_OPT_BACK] = "soon";
	int64_t ms;
	assert_int_equal(cli_when(&cli, CLI_OPT_BACK, true, &ms), CLI_USAGE);
	fflush(cli.err);
	assert_non_null(strstr(said, "--back is 'soon'; expected a span from now (3d, 24h), a day"));
	end(&cli, &said);
}

/* The gateway knows no zone but its own; a span it counts from its own clock. */
static void a_range_goes_to_the_gateway_in_its_own_forms(void **state)
{
	static const struct {
		const char *since, *until, *since_sent, *until_sent;
	} cases[] = {
	    {"7d", "1d", "7d", "1d"},
	    {"-7d", NULL, "7d", NULL},
	    {"2026-11-20", "2026-11-21 17:42", "2026-11-19T23:00:00Z", "2026-11-21T16:42:00Z"},
	    {"2026-11-20T17:42:00+01:00", "1h", "2026-11-20T17:42:00+01:00", "1h"},
	    {"1950-01-01", NULL, "1970-01-01T00:00:01Z", NULL},
	    {NULL, NULL, NULL, NULL},
	};
	char *said = NULL;
	struct cli cli = berlin(&said);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cli.values[CLI_OPT_SINCE] = cases[i].since;
		cli.values[CLI_OPT_UNTIL] = cases[i].until;
		assert_int_equal(cli_take_range(&cli), CLI_OK);
		const char *sent[] = {cli.values[CLI_OPT_SINCE], cli.values[CLI_OPT_UNTIL]};
		const char *wanted[] = {cases[i].since_sent, cases[i].until_sent};
		for (int k = 0; k < 2; k++) {
			if (wanted[k] == NULL)
				assert_null(sent[k]);
			else
				assert_string_equal(sent[k], wanted[k]);
		}
	}
	cli.values[CLI_OPT_SINCE] = "1d";
	cli.values[CLI_OPT_UNTIL] = "7d";
	assert_int_equal(cli_take_range(&cli), CLI_USAGE);
	fflush(cli.err);
	assert_non_null(strstr(said, "--since is not before --until"));
	end(&cli, &said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_means_a_moment),
	    cmocka_unit_test(what_is_no_time_is_told_the_forms),
	    cmocka_unit_test(a_range_goes_to_the_gateway_in_its_own_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
