/* `gymfleet subject token`: what a machine told instead of this badge, then and now. */
#include "tests/unit/gateway/cli/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/subject.h"

static char dir[] = "/tmp/subject_token.XXXXXX", path[64];
static const char bytes[] = "0123456789abcdef0123456789abcdef";

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	return gf_file_replace(path, bytes, sizeof(bytes) - 1, 0600, NULL);
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

/* `subject token <words> --key FILE`; no gateway is there. */
static void token(const char *words, int code, const char *out, const char *err)
{
	char all[256];
	(void)snprintf(all, sizeof(all), "subject|token|%s|--key|%s", words, path);
	expect("nowhere", all, code, out, err);
}

static void the_tokens_of_now_and_before_are_told(void **state)
{
	(void)state;
	struct gf_subject_key key;
	char line[128], since[GF_RFC3339_MAX], until[GF_RFC3339_MAX];
	int64_t at_ms = 0;
	assert_int_equal(gf_subject_key_of(bytes, sizeof(bytes) - 1, &key), 0);
	assert_int_equal(gf_time_parse("2026-11-20T12:00:00Z", &at_ms), 0);
	for (int i = 0; i < 2; i++) {
		const int64_t since_ms = gf_subject_since_ms(&key, 4711, (uint64_t)at_ms);
		gf_time_format(since_ms, since);
		gf_time_format(since_ms + (int64_t)GF_SUBJECT_PERIOD_MS, until);
		(void)snprintf(line, sizeof(line), "%016llx,%s,%s",
		               (unsigned long long)gf_subject_token(&key, 4711, (uint64_t)at_ms), since, until);
		token("4711|--at|2026-11-20T12:00:00Z|-o|csv", CLI_OK, line, "");
		token("0x1267|--at|2026-11-20T12:00:00Z|-o|csv", CLI_OK, line, "");
		at_ms = since_ms - 1;
	}
	/* Now: the badge's present token. */
	const struct gf_time now = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
	(void)snprintf(line, sizeof(line), "%016llx",
	               (unsigned long long)gf_subject_token(&key, UINT64_MAX, (uint64_t)now.wall_ms));
	token("18446744073709551615", CLI_OK, line, "");
	(void)snprintf(line, sizeof(line), "%016llx",
	               (unsigned long long)gf_subject_token(&key, 7, (uint64_t)now.wall_ms - 2 * GF_SUBJECT_PERIOD_MS));
	token("7|--at|62d", CLI_OK, line, "");
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const char *const badges[] = {"0", "anna", "-1", "0x", "0xgg", "18446744073709551616", "12 "};
	for (size_t i = 0; i < sizeof(badges) / sizeof(badges[0]); i++) {
		char words[64];
		(void)snprintf(words, sizeof(words), "--|%s", badges[i]);
		char all[256];
		(void)snprintf(all, sizeof(all), "subject|token|--key|%s|%s", path, words);
		expect("nowhere", all, CLI_USAGE, "", "is no badge; expected its number, or 0x and hexadecimal digits");
	}
	token("7|--at|yesterday", CLI_USAGE, "", "--at is 'yesterday'; expected how long ago (7d, 24h, 90m), a day");
	expect("nowhere", "subject|token|7", CLI_USAGE, "", "--key names the file of agent.yaml's subject_tokens");
	expect("nowhere", "subject|token|7|--key|/nonexistent", CLI_REFUSED, "", "/nonexistent: can't open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tokens_of_now_and_before_are_told),
	    cmocka_unit_test(mistakes_are_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
