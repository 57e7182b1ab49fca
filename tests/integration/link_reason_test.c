/* The link against a real broker: each thing that keeps it from coming up is said in words. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/integration/client.h"

#define LONG_AGO "20240101000000Z"

enum { SOON_MS = 15000 };

static int setup(void **state)
{
	*state = it_open("link_reason");
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* Opens chair-1 and waits for a reason that has `words` in it; it must never come up. */
static void expect_reason(struct it_world *w, const struct it_client_options *options, const char *words)
{
	struct it_client *c = it_client_open(w, "chair-1", options);

	IT_UNTIL(SOON_MS, *it_client_reason(c) || it_client_up(c));
	assert_false(it_client_up(c));
	if (!strstr(it_client_reason(c), words))
		fail_msg("'%s' expected in '%s'", words, it_client_reason(c));
	it_client_close(c);
}

static void says_that_nobody_listens(void **state)
{
	expect_reason(*state, NULL, "connection refused");
}

static void says_that_the_name_is_unknown(void **state)
{
	expect_reason(*state, &(struct it_client_options){.host = "broker.invalid"}, "cannot be resolved");
}

static void says_that_the_ca_is_wrong(void **state)
{
	struct it_world *w = *state;
	struct it_output made = it_run(w, it_source("deploy/pki"), "init", it_path(w, "other"));

	assert_int_equal(made.status, 0);
	it_output_free(&made);
	it_broker_start(w);
	expect_reason(w, &(struct it_client_options){.ca_file = it_path(w, "other/ca.pem")}, "not from our CA");
}

static void says_that_the_host_is_another(void **state)
{
	struct it_world *w = *state;

	assert_int_equal(it_pki(w, "broker", "elsewhere.example"), 0);
	it_broker_start(w);
	expect_reason(w, NULL, "not for the host 'localhost'");
}

static void says_that_the_brokers_certificate_has_expired(void **state)
{
	struct it_world *w = *state;

	assert_int_equal(it_pki(w, "broker", "localhost", "--not-after", LONG_AGO), 0);
	it_broker_start(w);
	expect_reason(w, NULL, "the broker's certificate has expired");
}

static void says_that_our_certificate_has_expired(void **state)
{
	struct it_world *w = *state;

	assert_int_equal(it_pki(w, "device", "chair-1", "--not-after", LONG_AGO), 0);
	it_broker_start(w);
	expect_reason(w, NULL, "our certificate has expired");
}

/* The lists end after 30 days, and then nobody is let in. */
static void says_that_the_revocation_list_has_ended(void **state)
{
	struct it_world *w = *state;
	struct it_output made;

	it_device(w, "chair-1");
	made = it_run(w, it_source("deploy/pki"), "crl", it_path(w, "pki"), "--not-after", LONG_AGO);
	assert_int_equal(made.status, 0);
	it_output_free(&made);
	it_broker_start(w);
	expect_reason(w, NULL, "the broker's revocation list has ended");
}

static void says_that_our_certificate_is_revoked(void **state)
{
	struct it_world *w = *state;

	it_broker_start(w);
	it_device(w, "chair-1");
	assert_int_equal(it_pki(w, "revoke", "chair-1"), 0);
	it_broker_reload(w);
	expect_reason(w, NULL, "our certificate is revoked");
}

static void says_that_the_other_side_has_no_tls(void **state)
{
	struct it_world *w = *state;
	uint16_t port = it_free_port();
	struct it_proc *plain;

	it_write(it_path(w, "plain.conf"), "listener %u 127.0.0.1\nallow_anonymous true\nlog_type all\n", port);
	plain = it_spawn(w, "plain", "mosquitto", "-v", "-c", it_path(w, "plain.conf"));
	IT_UNTIL(SOON_MS, it_log_has(plain, "running"));
	expect_reason(w, &(struct it_client_options){.port = port}, "is the port the broker's TLS listener?");
	assert_false(it_log_has(plain, "chair-1")); /* nothing of ours went over in the clear */
}

static struct gf_link_config config_of(struct it_world *w, const char *cert, const char *key)
{
	return (struct gf_link_config){
	    .host = (char *)"localhost",
	    .port = it_device_port(w),
	    .client_id = (char *)"chair-1",
	    .ca_file = (char *)it_path(w, "pki/ca.pem"),
	    .cert_file = (char *)it_path(w, "pki/devices/%s.pem", cert),
	    .key_file = (char *)it_path(w, "pki/devices/%s.key", key),
	    .keepalive_s = 15,
	    .mailbox_max = 16,
	    .window_max = 4,
	    .packet_max = 1024,
	};
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static void expect_refused(struct it_world *w, const char *cert, const char *key, int error, const char *words)
{
	struct gf_link_config config = config_of(w, cert, key);
	struct gf_link_ops ops = {.wake = ignore};
	struct gf_link *link = NULL;
	struct gf_diag diag = {""};

	assert_int_equal(gf_link_new(&config, &ops, &link, &diag), error);
	assert_null(link);
	if (!strstr(diag.text, words))
		fail_msg("'%s' expected in '%s'", words, diag.text);
}

static void refuses_files_that_are_wrong(void **state)
{
	struct it_world *w = *state;

	it_device(w, "chair-1");
	it_device(w, "chair-2");
	expect_refused(w, "nobody", "chair-1", -ENOENT, "nobody.pem");
	expect_refused(w, "chair-1", "nobody", -ENOENT, "nobody.key");
	expect_refused(w, "chair-1", "chair-2", -EINVAL, "does not belong to");
	it_write(it_path(w, "pki/devices/garbage.pem"), "garbage\n");
	expect_refused(w, "garbage", "chair-1", -EINVAL, "not a certificate");
	assert_int_equal(chmod(it_path(w, "pki/devices/chair-1.key"), 0640), 0);
	expect_refused(w, "chair-1", "chair-1", -EACCES, "chmod");
}

static void reads_name_and_end_of_a_certificate(void **state)
{
	struct it_world *w = *state;
	char name[64] = "";

	assert_int_equal(it_pki(w, "device", "chair-1", "--not-after", LONG_AGO), 0);
	assert_int_equal(gf_link_cert_name(it_path(w, "pki/devices/chair-1.pem"), name, sizeof name, NULL), 0);
	assert_string_equal(name, "chair-1");
	assert_int_equal(gf_link_cert_name(it_path(w, "pki/devices/chair-1.pem"), name, 3, NULL), -EINVAL);
	assert_int_equal(gf_link_cert_name(it_path(w, "no.pem"), name, sizeof name, NULL), -ENOENT);
	assert_true(gf_link_cert_not_after_ms(it_path(w, "pki/devices/chair-1.pem")) == 1704067200000ULL);
	assert_true(gf_link_cert_not_after_ms(it_path(w, "no.pem")) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(says_that_nobody_listens),
	    TEST(says_that_the_name_is_unknown),
	    TEST(says_that_the_ca_is_wrong),
	    TEST(says_that_the_host_is_another),
	    TEST(says_that_the_brokers_certificate_has_expired),
	    TEST(says_that_our_certificate_has_expired),
	    TEST(says_that_the_revocation_list_has_ended),
	    TEST(says_that_our_certificate_is_revoked),
	    TEST(says_that_the_other_side_has_no_tls),
	    TEST(refuses_files_that_are_wrong),
	    TEST(reads_name_and_end_of_a_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
