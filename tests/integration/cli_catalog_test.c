/*
 * A changed routine on its way from YAML to the gateway, by the real programs, with keys that openssl reads and certificates that
 * openssl made: what a fleet engineer does at a desk, step by step, and the slips on the way.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"

enum { REFUSED = 1 };

static int setup(void **state)
{
	*state = it_open("cli-catalog");
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* Runs gymfleet with these words and its status and one of its outputs being so. */
#define expect(w, status, says, ...) \
	expect_args((w), (status), (says), (const char *[]){it_program("gymfleet"), __VA_ARGS__, NULL})
static void expect_args(struct it_world *w, int status, const char *says, const char *const *argv)
{
	struct it_output output = it_run_args(w, argv);

	if (output.status != status || strstr(status == 0 ? output.out : output.err, says) == NULL)
		fail_msg("%s %s: %d, out '%s', err '%s', expected %d '%s'", argv[1], argv[2], output.status, output.out,
		         output.err, status, says);
	it_output_free(&output);
}

static const char *build(struct it_world *w, const char *version, unsigned pct)
{
	const char *file = it_path(w, "percussion-%s.catalog", version);

	(void)mkdir(it_path(w, "routines"), 0750);
	it_write(it_path(w, "routines/calves.yaml"),
	         "id: calves\ntitle: Calves\nclasses: [percussion]\ntotal_s: 60\nsides: [left]\nsteps:\n"
	         "  - {area: calves, technique: percussion, seconds: 60, pct: %u, hz: 25}\n",
	         pct);
	expect(w, 0, "1 routines", "catalog", "build", "--class", "percussion", "--name", "percussion", "--version",
	       version, "--expires", "90d", "-o", file, it_path(w, "routines"));
	return file;
}

static void a_routine_goes_from_yaml_to_the_gateway(void **state)
{
	struct it_world *w = *state;
	const char *a = it_path(w, "a.key"), *b = it_path(w, "b.key"), *c = it_path(w, "c.key");
	const char *socket = it_path(w, "gateway.sock");
	const char *seven = build(w, "7", 25), *eight = build(w, "8", 30);

	expect(w, 0, "catalog_keys:", "catalog", "keygen", a);
	expect(w, 0, "catalog_keys:", "catalog", "keygen", b);
	expect(w, 0, "catalog_keys:", "catalog", "keygen", c);
	char list[1024];
	snprintf(list, sizeof(list), "%s.pub,%s.pub,%s.pub", a, b, c);
	expect(w, 0, "intensity from 25 % -> 30 %, intensity to 25 % -> 30 %", "catalog", "diff", seven, eight);

	expect(w, 0, "1 signature", "catalog", "sign", eight, "--key", a);
	struct it_output few =
	    it_run(w, it_program("gymfleet"), "catalog", "inspect", eight, "--keys", list, "--threshold", "2");
	assert_int_equal(few.status, REFUSED);
	assert_non_null(strstr(few.out, "few_signatures"));
	it_output_free(&few);
	expect(w, 0, "2 signatures", "catalog", "sign", eight, "--key", c);
	expect(w, 0, "takes it", "catalog", "inspect", eight, "--keys", list, "--threshold", "2");

	it_broker_start(w);
	struct it_proc *gateway = it_gateway_start(w);
	expect(w, REFUSED, "is not signed", "--socket", socket, "catalog", "publish", seven);
	expect(w, 0, "is published", "--socket", socket, "catalog", "publish", eight);

	/* What the gateway has said yes to outlives it. */
	it_signal(gateway, SIGKILL);
	it_gateway_start(w);
	json_t *answer = it_ask(w, "catalog", "list");
	assert_int_equal(json_array_size(it_items(answer)), 1);
	const json_t *row = json_array_get(it_items(answer), 0);
	struct it_output inspected = it_run(w, it_program("gymfleet"), "catalog", "inspect", eight, "-o", "json");
	json_t *local = json_loads(inspected.out, 0, NULL);
	assert_true(json_equal(json_object_get(row, "digest"), json_object_get(local, "digest")));
	assert_int_equal(json_integer_value(json_object_get(row, "version")), 8);
	assert_int_equal(json_integer_value(json_object_get(row, "on_machines")), 0);
	json_decref(local);
	json_decref(answer);
	it_output_free(&inspected);
	expect(w, 0, "was published already", "--socket", socket, "catalog", "publish", eight);
}

/* The machine's own key and certificate, as deploy/pki makes them: near at hand, and of no use here. */
static void i6_a_tls_key_of_the_fleet_signs_nothing(void **state)
{
	struct it_world *w = *state;
	const char *file = build(w, "7", 30), *pem = it_path(w, "pki/devices/chair-1.pem");

	it_device(w, "chair-1");
	expect(w, REFUSED, "as TLS uses; make a signing key with 'gymfleet catalog keygen'", "catalog", "sign", file,
	       "--key", it_path(w, "pki/devices/chair-1.key"));
	assert_int_equal(chmod(pem, 0600), 0);
	expect(w, REFUSED, "this is a certificate", "catalog", "sign", file, "--key", pem);
	expect(w, REFUSED, "this is a certificate", "catalog", "inspect", file, "--keys", pem);
}

/* Others make and read the same keys. */
static void keys_are_those_of_openssl(void **state)
{
	struct it_world *w = *state;
	const char *file = build(w, "7", 30), *ours = it_path(w, "ours"), *theirs = it_path(w, "theirs");
	const char *public = it_path(w, "theirs.pub");

	expect(w, 0, "catalog_keys:", "catalog", "keygen", ours);
	struct it_output read = it_run(w, "openssl", "pkey", "-in", ours, "-noout", "-text");
	assert_int_equal(read.status, 0);
	assert_non_null(strstr(read.out, "ED25519 Private-Key"));
	it_output_free(&read);
	struct it_output made = it_run(w, "openssl", "genpkey", "-algorithm", "ED25519", "-out", theirs);
	assert_int_equal(made.status, 0);
	it_output_free(&made);
	made = it_run(w, "openssl", "pkey", "-in", theirs, "-pubout", "-out", public);
	assert_int_equal(made.status, 0);
	it_output_free(&made);
	assert_int_equal(chmod(theirs, 0600), 0);
	expect(w, 0, "1 signature", "catalog", "sign", file, "--key", theirs);
	expect(w, 0, "takes it", "catalog", "inspect", file, "--keys", public);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_routine_goes_from_yaml_to_the_gateway),
	    TEST(i6_a_tls_key_of_the_fleet_signs_nothing),
	    TEST(keys_are_those_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
