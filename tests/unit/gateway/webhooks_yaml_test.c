/* gateway.yaml's webhooks: what is taken, and what is said of mistakes. */
#include "gateway/webhooks_yaml.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/tell/post.h"
#include "tests/unit/gateway/config_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BEFORE "log_level: info"
#define HOOKS(list) "webhooks:\n" list "\n" BEFORE
#define GOOD "  - {name: chat, url: \"https://example.org/x\", secret_file: hook.secret"
#define SECRET "0123456789abcdef"

static void write_secret(const struct shipped *s, const char *text, mode_t mode)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/hook.secret", s->dir);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	(void)fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	static struct shipped s;

	*state = &s;
	if (shipped_init(&s, "gateway.yaml", "gateway") != 0)
		return -1;
	write_secret(&s, SECRET "\n", 0600);
	return 0;
}

static int teardown(void **state)
{
	struct shipped *s = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/hook.secret", s->dir);
	(void)unlink(path);
	return shipped_deinit(s);
}

static void a_webhook_has_defaults(void **state)
{
	struct shipped *s = *state;

	shipped_change(s, BEFORE, HOOKS(GOOD "}"));
	struct gateway_config *c = config_loaded(s);
	assert_int_equal(c->webhooks_count, 1);
	const struct tell_webhook *w = &c->webhooks[0];
	assert_string_equal(w->name, "chat");
	assert_string_equal(w->url, "https://example.org/x");
	assert_int_equal(w->secret_len, strlen(SECRET));
	assert_memory_equal(w->secret, SECRET, strlen(SECRET));
	assert_int_equal(w->kinds, 1U << STORE_EVENT_FLAG | 1U << STORE_EVENT_FAULT | 1U << STORE_EVENT_INCIDENT);
	assert_false(w->notify_only);
	assert_int_equal(w->rate_per_min, 60);
	assert_int_equal(w->give_up_ms, 24 * 3600 * 1000);
	assert_null(w->ca_file);
	gateway_config_free(c);
}

static void all_of_it_is_read(void **state)
{
	struct shipped *s = *state;
	char ca[160];

	shipped_change(s, BEFORE,
	               HOOKS(GOOD ", kinds: [presence, webhook], notify_only: true, rate_per_min: 6000, give_up: 30m, "
	                          "ca_file: pki/ca.pem}\n"
	                          "  - {name: here, url: \"http://localhost:8080\", secret_file: hook.secret}"));
	struct gateway_config *c = config_loaded(s);
	assert_int_equal(c->webhooks_count, 2);
	assert_int_equal(c->webhooks[0].kinds, 1U << STORE_EVENT_PRESENCE | 1U << STORE_EVENT_WEBHOOK);
	assert_true(c->webhooks[0].notify_only);
	assert_int_equal(c->webhooks[0].rate_per_min, 6000);
	assert_int_equal(c->webhooks[0].give_up_ms, 30 * 60 * 1000);
	(void)snprintf(ca, sizeof(ca), "%s/pki/ca.pem", s->dir);
	assert_string_equal(c->webhooks[0].ca_file, ca);
	assert_string_equal(c->webhooks[1].name, "here");
	gateway_config_free(c);
}

static void mistakes_name_the_line_and_what_to_do(void **state)
{
	static const struct {
		const char *to, *said;
	} mistakes[] = {
	    {HOOKS("  - {name: ^Chat, url: \"https://example.org/x\", secret_file: hook.secret}"),
	     "'Chat' is no name for a webhook: use a-z, 0-9 and '-', beginning with a letter or digit"},
	    {HOOKS("  - {name: ^mqtt, url: \"https://example.org/x\", secret_file: hook.secret}"),
	     "'mqtt' is the broker's own name among the receivers: choose another one"},
	    {HOOKS(GOOD "}\n  - {name: ^chat, url: \"https://example.org/y\", secret_file: hook.secret}"),
	     "the webhook 'chat' is there twice: each has its own place in the events"},
	    {HOOKS("  - {name: chat, url: ^\"http://example.org/x\", secret_file: hook.secret}"),
	     "http is for this machine alone, 'example.org' is another one: use https"},
	    {HOOKS("  - {name: chat, url: ^\"http://127.0.0.1.example.org/\", secret_file: hook.secret}"),
	     "http is for this machine alone, '127.0.0.1.example.org' is another one: use https"},
	    {HOOKS("  - {name: chat, url: ^\"ftp://localhost/\", secret_file: hook.secret}"),
	     "'ftp' is no scheme for webhooks; expected https"},
	    {HOOKS("  - {name: chat, url: ^\"https://me:pass@example.org/\", secret_file: hook.secret}"),
	     "leave user and password out of the URL: the signature says who we are"},
	    {HOOKS("  - {name: chat, url: ^example.org, secret_file: hook.secret}"),
	     "'example.org' is no URL; expected one such as https://example.org/gymfleet"},
	    {HOOKS(GOOD ", kinds: [flag, ^fualt]}"), "'fualt' is no kind of event; did you mean 'fault'?"},
	    {HOOKS(GOOD ", rate_per_min: ^0}"), "webhooks[0].rate_per_min is 0; expected 1 to 6000"},
	    {HOOKS(GOOD ", give_up: ^5s}"), "webhooks[0].give_up is '5s'; expected a duration of 1m to 30d, such as 24h"},
	    {HOOKS("  - ^{name: chat, url: \"https://example.org/x\"}"), "missing key 'secret_file' in 'webhooks'"},
	};
	struct shipped *s = *state;

	for (size_t i = 0; i < COUNT(mistakes); i++) {
		shipped_change(s, BEFORE, mistakes[i].to);
		config_refused(s, -EINVAL, mistakes[i].said);
	}
}

static void a_secret_is_private_and_long_enough(void **state)
{
	struct shipped *s = *state;

	shipped_change(s, BEFORE, HOOKS("  - {name: chat, url: \"https://example.org/x\", secret_file: ^hook.secret}"));
	write_secret(s, "short\n", 0600);
	config_refused(
	    s, -EINVAL,
	    "the secret in %D/hook.secret has 5 characters; expected 16 to 128: make one with 'openssl rand -hex "
	    "32 > %D/hook.secret' and give it to the receiver too");
	write_secret(s, SECRET, 0644);
	struct gateway_config *config = NULL;
	assert_int_equal(gateway_config_load(s->path, &config, &s->diag), -EACCES);
	assert_non_null(strstr(s->diag.text, "chmod"));
	shipped_change(s, BEFORE, HOOKS("  - {name: chat, url: \"https://example.org/x\", secret_file: ^nowhere}"));
	assert_int_equal(gateway_config_load(s->path, &config, &s->diag), -ENOENT);
	assert_non_null(strstr(s->diag.text, "/nowhere"));
}

static void loopback_is_only_what_is(void **state)
{
	static const char *const good[] = {"http://localhost/", "http://127.0.0.1:1/x", "http://127.9.8.7/",
	                                   "http://[::1]:80/",  "https://10.0.0.1/",    "HTTPS://example.org"};
	static const char *const bad[] = {"http://0.0.0.0/",
	                                  "http://10.0.0.1/",
	                                  "http://[::2]/",
	                                  "http://localhost.example.org/",
	                                  "http://128.0.0.1/",
	                                  "file:///etc/passwd",
	                                  "",
	                                  "https://",
	                                  "http://localhost@example.org/"};
	struct gf_diag diag;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(post_check_url(good[i], &diag), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(post_check_url(bad[i], &diag), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_webhook_has_defaults),
	    TEST(all_of_it_is_read),
	    TEST(mistakes_name_the_line_and_what_to_do),
	    TEST(a_secret_is_private_and_long_enough),
	    TEST(loopback_is_only_what_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
