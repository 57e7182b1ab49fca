/* The catalog commands that need no gateway, from the words to the exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "tests/unit/gateway/cli/catalog_rig.h"
#include "tests/unit/gateway/cli/words.h"

static json_t *catalog_json(const char *words, int code)
{
	char all[1024];
	snprintf(all, sizeof(all), "catalog|%s", words);
	struct result r = run("sock", all);
	json_t *json = json_loads(r.out, JSON_DECODE_ANY, NULL);

	if (r.code != code || json == NULL)
		fail_msg("%s: exit %d\n%s\n%s", words, r.code, r.out, r.err);
	forget(&r);
	return json;
}

static void assert_text(const json_t *object, const char *key, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(object, key)), text);
}

static void write_text(const char *path, const char *text)
{
	assert_int_equal(gf_file_replace(path, text, strlen(text), 0600, NULL), 0);
}

static void keys_are_made_and_never_again(void **state)
{
	struct stat st;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "files: [a.pub]", "");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	catalog_words("keygen|a", CLI_REFUSED, "", "a is there already, and a key is never overwritten");
	catalog_words("keygen|none/a", CLI_REFUSED, "", "none/a: can't write: No such file");
	catalog_words("keygen|c.pub", CLI_USAGE, "", "'c.pub' would be the private key");
	assert_int_equal(access("c.pub", F_OK), -1);
	catalog_words("keygen", CLI_USAGE, "", "'catalog keygen' needs FILE");
	json_t *made = catalog_json("keygen|b|-o|json", CLI_OK);
	assert_int_equal(strlen(json_string_value(json_object_get(made, "key_id"))), 16);
	assert_text(made, "public", "b.pub");
	json_decref(made);
}

static void a_catalog_says_what_it_was_built_with(void **state)
{
	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	catalog_words("keygen|b", CLI_OK, "", "");
	build_catalog("--version|8|--expires|90d|--min-agent|0.2.1|--rollback-to|6|--next-keys|a.pub,b.pub|--threshold|2");
	json_t *found = catalog_json("inspect|c|-o|json", CLI_OK);
	assert_text(found, "name", "base");
	assert_text(found, "class", "percussion");
	assert_int_equal(json_integer_value(json_object_get(found, "version")), 8);
	assert_text(found, "min_agent", "0.2.1");
	assert_int_equal(json_integer_value(json_object_get(found, "rollback_floor")), 6);
	assert_int_equal(json_array_size(json_object_get(json_object_get(found, "next_keys"), "key_ids")), 2);
	assert_true(json_is_string(json_object_get(found, "expires")));
	assert_true(json_is_null(json_object_get(found, "verdict")));
	assert_int_equal(json_array_size(json_object_get(found, "signatures")), 0);
	assert_true(json_array_size(json_object_get(found, "routines")) > 2);
	json_decref(found);
	catalog_words("inspect|c", CLI_OK, "nobody; sign it with", "");
	catalog_words("inspect|c|-o|csv", CLI_OK, "percussion_warmup,", "");
}

static void wrong_terms_are_usage(void **state)
{
	static const struct {
		const char *words, *err;
	} cases[] = {
	    {"--version|1000000000", "--version is '1000000000'; expected a number from 1 to 999999999"},
	    {"--version|18446744073709551615", "expected a number from 1 to 999999999"},
	    {"--version|99999999999999999999999", "expected a number from 1 to 999999999"},
	    {"--version|-1", "--version is '-1'"},
	    {"--version|8x", "--version is '8x'"},
	    {"--version|8|--expires|soon", "--expires is 'soon'; expected a span"},
	    {"--version|8|--expires|0d", "--expires is '0d'"},
	    {"--version|8|--expires|9000w", "of at most 20 years"},
	    {"--version|8|--rollback-to|9", "--rollback-to is '9'; expected a number from 1 to 8"},
	    {"--version|8|--rollback-to|0", "--rollback-to is '0'"},
	    {"--version|8|--min-agent|new", "--min-agent is 'new'; expected numbers with dots"},
	    {"--version|8|--threshold|1", "--threshold is for --next-keys, which is missing"},
	    {"--version|8|--next-keys|,", "--next-keys names no file"},
	    {"--version|8|--next-keys|a.pub|--threshold|2", "--threshold is '2'; expected a number from 1 to 1"},
	    {"--version|8|--next-keys|a.pub,a.pub", "--threshold N is missing"},
	};

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[512];
		snprintf(words, sizeof(words), "build|--class|chair|--name|b|-o|c|" ROUTINES "|%s", cases[i].words);
		catalog_words(words, CLI_USAGE, "", cases[i].err);
	}
	assert_int_equal(access("c", F_OK), -1);
}

static void what_a_machine_would_refuse_is_not_built(void **state)
{
	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	catalog_words("build|--class|chair|--name|b|-o|c|--version|8|--min-agent|1..2|" ROUTINES, CLI_REFUSED, "",
	              "no machine would take it: min_agent is '1..2'");
	catalog_words("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|a.pub,a.pub|--threshold|2|" ROUTINES,
	              CLI_REFUSED, "", "--next-keys: keys 1 and 2 are the same");
	catalog_words("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|a|" ROUTINES, CLI_REFUSED, "",
	              "a: this is a private key");
	catalog_words("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|none.pub|" ROUTINES, CLI_REFUSED, "",
	              "none.pub");
	assert_int_equal(access("c", F_OK), -1);
}

static void signatures_are_added_and_replaced(void **state)
{
	struct stat st;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	catalog_words("keygen|b", CLI_OK, "", "");
	build_catalog("--version|8");
	assert_int_equal(chmod("c", 0640), 0);
	assert_int_equal(symlink("c", "link"), 0);
	catalog_words("sign|link|--key|a", CLI_OK, "1 signature, digest ", "");
	catalog_words("sign|c|--key|a", CLI_OK, "1 signature, digest ", "");
	json_t *was = catalog_json("inspect|c|-o|json", CLI_OK), *row = catalog_json("sign|c|--key|b|-o|json", CLI_OK);
	assert_int_equal(json_integer_value(json_object_get(row, "signatures")), 2);
	json_t *now = catalog_json("inspect|c|-o|json", CLI_OK);
	assert_text(now, "digest", json_string_value(json_object_get(row, "digest")));
	assert_string_not_equal(json_string_value(json_object_get(was, "digest")),
	                        json_string_value(json_object_get(now, "digest")));
	json_decref(was);
	json_decref(row);
	json_decref(now);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(access("c.new", F_OK), -1);
}

static void what_is_no_catalog_is_not_signed(void **state)
{
	char *data = NULL, *after = NULL;
	size_t len = 0, after_len = 0;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	write_text("text", "this is a text, and no catalog\n");
	catalog_words("sign|text|--key|a", CLI_REFUSED, "",
	              "text: this is no catalog that a machine would take: the bytes are not");
	catalog_words("sign|a.pub|--key|a", CLI_REFUSED, "", "a.pub: this is no catalog");
	catalog_words("sign|none|--key|a", CLI_REFUSED, "", "none");
	catalog_words("sign|.|--key|a", CLI_REFUSED, "", ".");
	catalog_words("sign|text", CLI_USAGE, "", "--key FILE is missing");
	assert_int_equal(gf_file_read("text", 1024, &after, &after_len, NULL), 0);
	assert_string_equal(after, "this is a text, and no catalog\n");
	free(after);

	/* One that was cut on its way. */
	build_catalog("--version|8");
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	assert_int_equal(truncate("c", (off_t)len - 1), 0);
	catalog_words("sign|c|--key|a", CLI_REFUSED, "", "c: this is no catalog");
	free(data);
	data = calloc(1, GF_CATALOG_MAX + 1);
	assert_int_equal(gf_file_replace("large", data, GF_CATALOG_MAX + 1, 0600, NULL), 0);
	catalog_words("inspect|large", CLI_REFUSED, "", "large: larger than any catalog may be (256 KiB)");
	free(data);
}

static void i6_only_a_signing_key_of_ones_own_signs(void **state)
{
	char *was = NULL, *now = NULL;
	size_t was_len = 0, now_len = 0;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	build_catalog("--version|8");
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &was, &was_len, NULL), 0);
	/* P-256, as 'gymfleet pki' and openssl make them for TLS. */
	write_text("tls.key", "-----BEGIN PRIVATE KEY-----\n"
	                      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n"
	                      "-----END PRIVATE KEY-----\n");
	catalog_words("sign|c|--key|tls.key", CLI_REFUSED, "", "tls.key: ");
	catalog_words("sign|c|--key|a.pub", CLI_REFUSED, "", "a.pub: this is a public key");
	assert_int_equal(chmod("a", 0644), 0);
	catalog_words("sign|c|--key|a", CLI_REFUSED, "", "chmod 600 a");
	catalog_words("sign|c|--key|none", CLI_REFUSED, "", "none");
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &now, &now_len, NULL), 0);
	assert_int_equal(was_len, now_len);
	assert_memory_equal(was, now, was_len);
	free(was);
	free(now);
}

static int64_t wall_ms(void)
{
	return gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms;
}

static void assert_verdict(const char *words, const char *refusal, const char *states)
{
	json_t *found = catalog_json(words, refusal != NULL ? CLI_REFUSED : CLI_OK), *row;
	const json_t *verdict = json_object_get(found, "verdict");
	char said[64] = "";
	size_t i;

	json_array_foreach(json_object_get(found, "signatures"), i, row)
	{
		strcat(said, i > 0 ? " " : "");
		strcat(said, json_string_value(json_object_get(row, "state")));
	}
	assert_string_equal(said, states);
	assert_int_equal(json_is_true(json_object_get(verdict, "taken")), refusal == NULL);
	if (refusal != NULL)
		assert_text(verdict, "refusal", refusal);
	json_decref(found);
}

static void i6_inspect_says_what_a_machine_would_say(void **state)
{
	char *data = NULL;
	size_t len = 0;

	(void)state;
	for (const char *key = "abx"; *key != '\0'; key++) {
		char words[16];
		snprintf(words, sizeof(words), "keygen|%c", *key);
		catalog_words(words, CLI_OK, "", "");
	}
	build_catalog("--version|8");
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "few_signatures", "");
	catalog_words("sign|c|--key|x", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|1", "unknown_key", "unknown");
	catalog_words("sign|c|--key|a", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|1", NULL, "unknown good");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|2", "few_signatures", "unknown good");
	catalog_words("inspect|c|--keys|a.pub", CLI_OK, "a machine of its class with these keys takes it", "");
	catalog_words("inspect|c|--keys|b.pub", CLI_REFUSED, "unknown_key: signed by ", "");
	catalog_words("inspect|c|--keys|a.pub,b.pub", CLI_USAGE, "", "--threshold N is missing: how many of these 2 keys");
	catalog_words("inspect|c|--threshold|1", CLI_USAGE, "", "--threshold is for --keys");
	catalog_words("inspect|c|--keys|a", CLI_REFUSED, "", "a: this is a private key");

	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	data[len - 1] ^= 1;
	assert_int_equal(gf_file_replace("c", data, len, 0600, NULL), 0);
	free(data);
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "bad_signature", "unknown bad");

	build_catalog("--version|9|--expires|1ms");
	const int64_t expired_ms = wall_ms() + 1;
	while (wall_ms() < expired_ms)
		;
	catalog_words("sign|c|--key|a", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "expired", "good");
}

static void two_catalogs_are_compared(void **state)
{
	(void)state;
	write_text("r.yaml", "id: r\ntitle: R\nclasses: [chair]\ntotal_s: 60\nsteps:\n"
	                     "  - {area: calves, technique: press, seconds: 60, pct: 20}\n");
	catalog_words("build|--class|chair|--name|base|-o|one|--version|1|.", CLI_OK, "", "");
	write_text("r.yaml", "id: r\ntitle: R\nclasses: [chair]\ntotal_s: 90\nsteps:\n"
	                     "  - {area: calves, technique: press, seconds: 60, pct: 25}\n"
	                     "  - {area: feet, technique: press, seconds: 30, pct: 10}\n");
	catalog_words("build|--class|chair|--name|base|-o|two|--version|2|.", CLI_OK, "", "");
	catalog_words("diff|one|two", CLI_OK, "base version 1 (one) -> base version 2 (two)\n", "");
	catalog_words("diff|one|two", CLI_OK,
	              "~ r\n    length 60 s -> 90 s\n"
	              "    step 1, calves both press: intensity from 20 % -> 25 %, intensity to 20 % -> 25 %\n"
	              "    step 2, feet both press: added 30 s, 10 %\n0 routines are the same\n",
	              "");
	catalog_words("diff|one|one", CLI_OK, "1 routine is the same", "");
	catalog_words("diff|one|two|-o|csv", CLI_OK, "r,changed,step,1,calves,both,press,from_pct,20.0,25.0\r\n", "");
	json_t *diff = catalog_json("diff|one|two|-o|json", CLI_OK);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(diff, "after"), "version")), 2);
	assert_int_equal(json_array_size(json_object_get(diff, "changes")), 5);
	json_decref(diff);
	catalog_words("diff|one|none", CLI_REFUSED, "", "none");
	catalog_words("diff|one", CLI_USAGE, "", "'catalog diff' needs BEFORE AFTER");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CATALOG_TEST(keys_are_made_and_never_again),
	    CATALOG_TEST(a_catalog_says_what_it_was_built_with),
	    CATALOG_TEST(wrong_terms_are_usage),
	    CATALOG_TEST(what_a_machine_would_refuse_is_not_built),
	    CATALOG_TEST(signatures_are_added_and_replaced),
	    CATALOG_TEST(what_is_no_catalog_is_not_signed),
	    CATALOG_TEST(i6_only_a_signing_key_of_ones_own_signs),
	    CATALOG_TEST(i6_inspect_says_what_a_machine_would_say),
	    CATALOG_TEST(two_catalogs_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
