/* The catalog commands from the words to the exit code: offline but for publish and list, which talk to a stand-in of the gateway. */
#include "tests/unit/gateway/cli/words.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/catalog_sign.h"

#define ROUTINES GF_SOURCE_DIR "/config/routines"

struct rig {
	char dir[64], back[4096];
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	snprintf(r->dir, sizeof(r->dir), "/tmp/gymfleet_cli_XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_non_null(getcwd(r->back, sizeof(r->back)));
	assert_int_equal(chdir(r->dir), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	DIR *dir = opendir(".");

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			(void)unlink(e->d_name);
	closedir(dir);
	assert_int_equal(chdir(r->back), 0);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

/* `gymfleet catalog <words>`, with the socket that a stand-in of the gateway has. */
static void catalog(const char *words, int code, const char *out, const char *err)
{
	char all[1024];

	snprintf(all, sizeof(all), "catalog|%s", words);
	expect("sock", all, code, out, err);
}

static json_t *run_json(const char *words, int code)
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

static void build(const char *more)
{
	char words[512];

	snprintf(words, sizeof(words), "build|--class|percussion|--name|base|-o|c|" ROUTINES "|%s", more);
	catalog(words, CLI_OK, "c: base version ", "");
}

static void keys_are_made_and_never_again(void **state)
{
	struct stat st;

	(void)state;
	catalog("keygen|a", CLI_OK, "files: [a.pub]", "");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	catalog("keygen|a", CLI_REFUSED, "", "a is there already, and a key is never overwritten");
	catalog("keygen|none/a", CLI_REFUSED, "", "none/a: can't write: No such file");
	catalog("keygen|c.pub", CLI_USAGE, "", "'c.pub' would be the private key");
	assert_int_equal(access("c.pub", F_OK), -1);
	catalog("keygen", CLI_USAGE, "", "'catalog keygen' needs FILE");
	json_t *made = run_json("keygen|b|-o|json", CLI_OK);
	assert_int_equal(strlen(json_string_value(json_object_get(made, "key_id"))), 16);
	assert_text(made, "public", "b.pub");
	json_decref(made);
}

static void a_catalog_says_what_it_was_built_with(void **state)
{
	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	catalog("keygen|b", CLI_OK, "", "");
	build("--version|8|--expires|90d|--min-agent|0.2.1|--rollback-to|6|--next-keys|a.pub,b.pub|--threshold|2");
	json_t *found = run_json("inspect|c|-o|json", CLI_OK);
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
	catalog("inspect|c", CLI_OK, "nobody; sign it with", "");
	catalog("inspect|c|-o|csv", CLI_OK, "percussion_warmup,", "");
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
	catalog("keygen|a", CLI_OK, "", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[512];
		snprintf(words, sizeof(words), "build|--class|chair|--name|b|-o|c|" ROUTINES "|%s", cases[i].words);
		catalog(words, CLI_USAGE, "", cases[i].err);
	}
	assert_int_equal(access("c", F_OK), -1);
}

static void what_a_machine_would_refuse_is_not_built(void **state)
{
	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	catalog("build|--class|chair|--name|b|-o|c|--version|8|--min-agent|1..2|" ROUTINES, CLI_REFUSED, "",
	        "no machine would take it: min_agent is '1..2'");
	catalog("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|a.pub,a.pub|--threshold|2|" ROUTINES,
	        CLI_REFUSED, "", "--next-keys: keys 1 and 2 are the same");
	catalog("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|a|" ROUTINES, CLI_REFUSED, "",
	        "a: this is a private key");
	catalog("build|--class|chair|--name|b|-o|c|--version|8|--next-keys|none.pub|" ROUTINES, CLI_REFUSED, "",
	        "none.pub");
	assert_int_equal(access("c", F_OK), -1);
}

static void signatures_are_added_and_replaced(void **state)
{
	struct stat st;

	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	catalog("keygen|b", CLI_OK, "", "");
	build("--version|8");
	assert_int_equal(chmod("c", 0640), 0);
	assert_int_equal(symlink("c", "link"), 0);
	catalog("sign|link|--key|a", CLI_OK, "1 signature, digest ", "");
	catalog("sign|c|--key|a", CLI_OK, "1 signature, digest ", "");
	json_t *was = run_json("inspect|c|-o|json", CLI_OK), *row = run_json("sign|c|--key|b|-o|json", CLI_OK);
	assert_int_equal(json_integer_value(json_object_get(row, "signatures")), 2);
	json_t *now = run_json("inspect|c|-o|json", CLI_OK);
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
	catalog("keygen|a", CLI_OK, "", "");
	write_text("text", "this is a text, and no catalog\n");
	catalog("sign|text|--key|a", CLI_REFUSED, "",
	        "text: this is no catalog that a machine would take: the bytes are not");
	catalog("sign|a.pub|--key|a", CLI_REFUSED, "", "a.pub: this is no catalog");
	catalog("sign|none|--key|a", CLI_REFUSED, "", "none");
	catalog("sign|.|--key|a", CLI_REFUSED, "", ".");
	catalog("sign|text", CLI_USAGE, "", "--key FILE is missing");
	assert_int_equal(gf_file_read("text", 1024, &after, &after_len, NULL), 0);
	assert_string_equal(after, "this is a text, and no catalog\n");
	free(after);

	/* One that was cut on its way. */
	build("--version|8");
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	assert_int_equal(truncate("c", (off_t)len - 1), 0);
	catalog("sign|c|--key|a", CLI_REFUSED, "", "c: this is no catalog");
	free(data);
	data = calloc(1, GF_CATALOG_MAX + 1);
	assert_int_equal(gf_file_replace("large", data, GF_CATALOG_MAX + 1, 0600, NULL), 0);
	catalog("inspect|large", CLI_REFUSED, "", "large: larger than any catalog may be (256 KiB)");
	free(data);
}

static void i6_only_a_signing_key_of_ones_own_signs(void **state)
{
	char *was = NULL, *now = NULL;
	size_t was_len = 0, now_len = 0;

	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	build("--version|8");
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &was, &was_len, NULL), 0);
	/* P-256, as 'gymfleet pki' and openssl make them for TLS. */
	write_text("tls.key", "-----BEGIN PRIVATE KEY-----\n"
	                      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n"
	                      "-----END PRIVATE KEY-----\n");
	catalog("sign|c|--key|tls.key", CLI_REFUSED, "", "tls.key: ");
	catalog("sign|c|--key|a.pub", CLI_REFUSED, "", "a.pub: this is a public key");
	assert_int_equal(chmod("a", 0644), 0);
	catalog("sign|c|--key|a", CLI_REFUSED, "", "chmod 600 a");
	catalog("sign|c|--key|none", CLI_REFUSED, "", "none");
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
	json_t *found = run_json(words, refusal != NULL ? CLI_REFUSED : CLI_OK), *row;
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
		catalog(words, CLI_OK, "", "");
	}
	build("--version|8");
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "few_signatures", "");
	catalog("sign|c|--key|x", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|1", "unknown_key", "unknown");
	catalog("sign|c|--key|a", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|1", NULL, "unknown good");
	assert_verdict("inspect|c|-o|json|--keys|a.pub,b.pub|--threshold|2", "few_signatures", "unknown good");
	catalog("inspect|c|--keys|a.pub", CLI_OK, "a machine of its class with these keys takes it", "");
	catalog("inspect|c|--keys|b.pub", CLI_REFUSED, "unknown_key: signed by ", "");
	catalog("inspect|c|--keys|a.pub,b.pub", CLI_USAGE, "", "--threshold N is missing: how many of these 2 keys");
	catalog("inspect|c|--threshold|1", CLI_USAGE, "", "--threshold is for --keys");
	catalog("inspect|c|--keys|a", CLI_REFUSED, "", "a: this is a private key");

	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	data[len - 1] ^= 1;
	assert_int_equal(gf_file_replace("c", data, len, 0600, NULL), 0);
	free(data);
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "bad_signature", "unknown bad");

	build("--version|9|--expires|1ms");
	const int64_t expired_ms = wall_ms() + 1;
	while (wall_ms() < expired_ms)
		;
	catalog("sign|c|--key|a", CLI_OK, "", "");
	assert_verdict("inspect|c|-o|json|--keys|a.pub", "expired", "good");
}

static void two_catalogs_are_compared(void **state)
{
	(void)state;
	write_text("r.yaml", "id: r\ntitle: R\nclasses: [chair]\ntotal_s: 60\nsteps:\n"
	                     "  - {area: calves, technique: press, seconds: 60, pct: 20}\n");
	catalog("build|--class|chair|--name|base|-o|one|--version|1|.", CLI_OK, "", "");
	write_text("r.yaml", "id: r\ntitle: R\nclasses: [chair]\ntotal_s: 90\nsteps:\n"
	                     "  - {area: calves, technique: press, seconds: 60, pct: 25}\n"
	                     "  - {area: feet, technique: press, seconds: 30, pct: 10}\n");
	catalog("build|--class|chair|--name|base|-o|two|--version|2|.", CLI_OK, "", "");
	catalog("diff|one|two", CLI_OK, "base version 1 (one) -> base version 2 (two)\n", "");
	catalog("diff|one|two", CLI_OK,
	        "~ r\n    length 60 s -> 90 s\n"
	        "    step 1, calves both press: intensity from 20 % -> 25 %, intensity to 20 % -> 25 %\n"
	        "    step 2, feet both press: added 30 s, 10 %\n0 routines are the same\n",
	        "");
	catalog("diff|one|one", CLI_OK, "1 routine is the same", "");
	catalog("diff|one|two|-o|csv", CLI_OK, "r,changed,step,1,calves,both,press,from_pct,20.0,25.0\r\n", "");
	json_t *diff = run_json("diff|one|two|-o|json", CLI_OK);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(diff, "after"), "version")), 2);
	assert_int_equal(json_array_size(json_object_get(diff, "changes")), 5);
	json_decref(diff);
	catalog("diff|one|none", CLI_REFUSED, "", "none");
	catalog("diff|one", CLI_USAGE, "", "'catalog diff' needs BEFORE AFTER");
}

/* --- the gateway's stand-in ---------------------------------------------------------------------------------------- */

struct gateway {
	int listener;
	pthread_t thread;
	const char *answer; /* "201 Created" or so, a newline, and the body */
	char *request;      /* what came, all of it */
	size_t request_len;
};

/* Head and body of one request are there. */
static bool is_whole(const char *request, size_t len)
{
	const char *end = memmem(request, len, "\r\n\r\n", 4), *length = strcasestr(request, "content-length: ");

	if (end == NULL)
		return false;
	const size_t body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
	return len >= (size_t)(end - request) + 4 + body;
}

static void *serve(void *ctx)
{
	struct gateway *g = ctx;
	const int fd = accept(g->listener, NULL, NULL);
	const char *body = strchr(g->answer, '\n') + 1;
	ssize_t n = 1;

	g->request = calloc(1, GF_CATALOG_MAX + 8192);
	while (g->request != NULL && n > 0 && !is_whole(g->request, g->request_len)) {
		n = read(fd, g->request + g->request_len, GF_CATALOG_MAX + 8191 - g->request_len);
		g->request_len += n > 0 ? (size_t)n : 0;
	}
	dprintf(fd, "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", (int)(body - 1 - g->answer),
	        g->answer, strlen(body), body);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
	return NULL;
}

static void gateway_start(struct gateway *g, const char *answer)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};

	*g = (struct gateway){.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
	(void)unlink("sock");
	assert_int_equal(bind(g->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(g->listener, 1), 0);
	assert_int_equal(pthread_create(&g->thread, NULL, serve, g), 0);
}

static void gateway_end(struct gateway *g)
{
	assert_int_equal(pthread_join(g->thread, NULL), 0);
	(void)close(g->listener);
	free(g->request);
}

static void a_catalog_is_published_byte_by_byte(void **state)
{
	struct gateway g;
	char *data = NULL;
	size_t len = 0;

	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	build("--version|8");
	catalog("sign|c|--key|a", CLI_OK, "", "");
	gateway_start(&g, "201 Created\n{\"digest\":\"x\",\"signatures\":[\"0123456789abcdef\"],\"replaced\":false}");
	catalog("publish|c", CLI_OK, "base version 8 for percussion is published, digest ", "");
	assert_int_equal(pthread_join(g.thread, NULL), 0);
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	assert_int_equal(strncmp(g.request, "POST /v1/catalogs HTTP/1.1\r\n", 28), 0);
	assert_non_null(strstr(g.request, "Content-Type: application/octet-stream\r\n"));
	assert_null(strcasestr(g.request, "expect:"));
	assert_true(g.request_len > len);
	assert_memory_equal(g.request + g.request_len - len, data, len);
	(void)close(g.listener);
	free(g.request);
	free(data);

	gateway_start(&g, "201 Created\n{\"digest\":\"x\",\"signatures\":[],\"replaced\":true}");
	catalog("publish|c|-o|json", CLI_OK, "\"replaced\": true", "");
	gateway_end(&g);
}

static void a_refusal_is_told_in_the_gateways_words(void **state)
{
	struct gateway g;

	(void)state;
	catalog("keygen|a", CLI_OK, "", "");
	build("--version|8");
	catalog("publish|c", CLI_REFUSED, "", "c is not signed, and no machine would take it; sign it first");
	catalog("sign|c|--key|a", CLI_OK, "", "");
	catalog("publish|c", CLI_UNREACHABLE, "", "there is no socket at sock");
	catalog("publish|a.pub", CLI_REFUSED, "", "a.pub: this is no catalog");
	gateway_start(&g, "409 Conflict\n{\"error\":{\"code\":\"conflict\",\"message\":\"base@8 is another one\"}}");
	catalog("publish|c", CLI_REFUSED, "", "base@8 is another one");
	gateway_end(&g);
}

static void catalogs_are_listed(void **state)
{
	struct gateway g;

	(void)state;
	gateway_start(&g,
	              "200 OK\n{\"items\":[{\"digest\":\"3c2ffd136a0f30589b703037c9dc0e37\",\"name\":\"base\",\"class\":"
	              "\"percussion\",\"version\":8,\"size\":1684,\"signatures\":[\"0123456789abcdef\"],\"created\":null,"
	              "\"expires\":null,\"published\":\"2026-11-21T20:00:00Z\",\"published_by\":\"anna\",\"wanted_by\":12,"
	              "\"on_machines\":7}],\"next\":null}");
	catalog("list", CLI_OK, "base", "");
	gateway_end(&g);
	gateway_start(&g, "200 OK\n{\"items\":[],\"next\":null}");
	catalog("list", CLI_OK, "no catalog has been published", "");
	gateway_end(&g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(keys_are_made_and_never_again),
	    TEST(a_catalog_says_what_it_was_built_with),
	    TEST(wrong_terms_are_usage),
	    TEST(what_a_machine_would_refuse_is_not_built),
	    TEST(signatures_are_added_and_replaced),
	    TEST(what_is_no_catalog_is_not_signed),
	    TEST(i6_only_a_signing_key_of_ones_own_signs),
	    TEST(i6_inspect_says_what_a_machine_would_say),
	    TEST(two_catalogs_are_compared),
	    TEST(a_catalog_is_published_byte_by_byte),
	    TEST(a_refusal_is_told_in_the_gateways_words),
	    TEST(catalogs_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
