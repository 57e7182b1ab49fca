/* Webhooks against HTTPS servers that show certificates of all sorts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"
#include "tests/unit/gateway/tell/hook_rig.h"

static void make_certificates(struct rig *r)
{
	char command[512], path[128];
	size_t len;

	(void)snprintf(r->pki, sizeof(r->pki), "%s/pki", r->f->dir);
	(void)snprintf(command, sizeof(command),
	               "'%s/deploy/pki' init '%s' && '%s/deploy/pki' broker '%s' localhost >/dev/null", GF_SOURCE_DIR,
	               r->pki, GF_SOURCE_DIR, r->pki);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command */
	(void)snprintf(path, sizeof(path), "%s/broker.pem", r->pki);
	assert_int_equal(gf_file_read(path, 65536, &r->cert, &len, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/broker.key", r->pki);
	assert_int_equal(gf_file_read(path, 65536, &r->key, &len, NULL), 0);
	r->receivers[0].cert = r->cert;
	r->receivers[0].key = r->key;
}

static void https_with_a_ca_of_ones_own(void **state)
{
	struct rig *r = *state;
	char ca[128];

	make_certificates(r);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", r->pki);
	r->webhooks[0].ca_file = ca;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 5);
	receiver_wait(&r->receivers[0], 5);
	has_all(r, 0, 5);
	tell_free(r->tell);
	r->tell = NULL;
}

static void a_certificate_that_is_not_trusted_gets_nothing_and_that_is_said(void **state)
{
	struct rig *r = *state;

	make_certificates(r);
	receiver_start(&r->receivers[0]);
	begin(r, 1); /* the system's CAs don't know it */
	happens(r, 1);
	until_failing(r, 1);
	assert_non_null(strstr(state_of(r, 1).error, "its certificate is not trusted"));
	assert_int_equal(r->receivers[0].asked, 0);
}

static void a_certificate_for_another_name_gets_nothing(void **state)
{
	struct rig *r = *state;
	char ca[128], url[64];

	make_certificates(r);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", r->pki);
	r->webhooks[0].ca_file = ca;
	receiver_start(&r->receivers[0]);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", r->receivers[0].port);
	r->webhooks[0].url = url;
	begin(r, 1);
	happens(r, 1);
	until_failing(r, 1);
	assert_non_null(strstr(state_of(r, 1).error, "its certificate is not trusted"));
	assert_int_equal(r->receivers[0].asked, 0);
	tell_free(r->tell);
	r->tell = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hook_setup, hook_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(https_with_a_ca_of_ones_own),
	    TEST(a_certificate_that_is_not_trusted_gets_nothing_and_that_is_said),
	    TEST(a_certificate_for_another_name_gets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
