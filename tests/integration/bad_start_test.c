/*
 * Starts that go wrong, of both daemons: each is said in one sentence with its cause and what to do next; what can come right by itself is
 * tried again, and `gymfleet doctor` tells why not yet.
 */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "tests/integration/fleet.h"

#define CHAIR "chair-lab-01"
#define DATABASE "gateway/gymfleet.db"
#define LONG_AGO "20240101000000Z"

enum { SOON_MS = 20000, CONFIG = 2, FAILED = 1 };

static int setup(void **state)
{
	struct it_world *w = it_open("start");

	*state = w;
	it_catalog(w, "chair", 2);
	it_device(w, CHAIR);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* The two daemons, with the same mistakes to make. */
struct daemon {
	const char *program, *config, *cert, *key;
};
static const struct daemon gateway = {"gymfleet-gateway", "bad-gateway.yaml", "pki/gateway.pem", "pki/gateway.key"};
static const struct daemon agent = {"gymfleet-agent", "bad-agent.yaml", "pki/devices/" CHAIR ".pem",
                                    "pki/devices/" CHAIR ".key"};

struct broker {
	const char *host, *ca, *cert, *key; /* NULL: the right one */
};

static const char *or_right(const char *text, const char *right)
{
	return text ? text : right;
}

/* Writes the daemon's configuration with these mistakes. */
static void configure(struct it_world *w, const struct daemon *d, const struct broker *b)
{
	bool is_gateway = d == &gateway;

	it_write(it_path(w, "%s", d->config),
	         "%sbroker:\n  host: %s\n  port: %u\n  ca_file: %s\n  cert_file: %s\n  key_file: %s\n%s",
	         is_gateway ? "state_dir: gateway\n"
	                    : "class: chair\nmodel: test\nlocation: {site: lab}\nstate_dir: machine\n"
	                      "catalog: catalogs/chair.catalog\nclock: system\nheartbeat_s: 1\n",
	         or_right(b->host, "localhost"), is_gateway ? it_gateway_port(w) : it_device_port(w),
	         or_right(b->ca, "pki/ca.pem"), or_right(b->cert, d->cert), or_right(b->key, d->key),
	         is_gateway ? "api:\n  socket: gateway.sock\n" : "driver: sim\nsim: {seed: 1}\n");
}

static struct it_proc *spawn(struct it_world *w, const struct daemon *d)
{
	static unsigned number;
	char name[32];

	snprintf(name, sizeof name, "daemon-%u", number++); /* a log of its own */
	return it_spawn(w, name, it_program(d->program), "--config", it_path(w, "%s", d->config));
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* It ends with this code, having said one thing: the cause and the remedy. */
static void expect_end(struct it_world *w, const struct daemon *d, int status, const char *cause, const char *remedy)
{
	struct it_proc *p = spawn(w, d);
	int is = it_wait(p, SOON_MS);
	char *log = it_read(it_log(p));

	assert_non_null(log);
	if (is != status || lines(log) != 1 || !strstr(log, cause) || !strstr(log, remedy))
		fail_msg("%s ends with %d instead of %d; '%s' and '%s' expected, in one line:\n%s", d->program, is, status,
		         cause, remedy, log);
	free(log);
}

/* It goes on trying; returns it. */
static struct it_proc *expect_trying(struct it_world *w, const struct daemon *d, const char *cause)
{
	struct it_proc *p = spawn(w, d);

	IT_UNTIL(SOON_MS, it_log_has(p, cause) || !it_alive(p));
	assert_true(it_log_has(p, cause));
	assert_true(it_alive(p));
	if (d == &gateway)
		IT_UNTIL(SOON_MS, it_doctor_says(w, "broker", "critical", cause));
	return p;
}

static void stop(struct it_proc *p)
{
	it_signal(p, SIGTERM);
	it_end_well(p, SOON_MS);
	assert_false(it_log_has(p, "closed as asked")); /* a proper end is no trouble */
}

/* ---- configuration ---- */

static void expect_both_end(struct it_world *w, const struct broker *b, int status, const char *cause,
                            const char *remedy)
{
	const struct daemon *const both[] = {&gateway, &agent};

	for (size_t i = 0; i < 2; i++) {
		configure(w, both[i], b);
		expect_end(w, both[i], status, cause, remedy);
	}
}

static void files_that_are_wrong_are_named(void **state)
{
	struct it_world *w = *state;

	expect_both_end(w, &(struct broker){.cert = "pki/none.pem"}, CONFIG, "none.pem", "deploy/pki");
	expect_both_end(w, &(struct broker){.key = "pki/none.key"}, CONFIG, "none.key", "deploy/pki");
	expect_both_end(w, &(struct broker){.ca = "pki/none.pem"}, CONFIG, "none.pem", "deploy/pki");
	expect_both_end(w, &(struct broker){.key = "pki/broker.key"}, CONFIG, "does not belong to",
	                "use the two that were made together");
	it_write(it_path(w, "pki/garbage.pem"), "garbage\n");
	expect_both_end(w, &(struct broker){.cert = "pki/garbage.pem"}, CONFIG, "not a certificate", "deploy/pki");
	assert_int_equal(chmod(it_path(w, "%s", gateway.key), 0640), 0);
	assert_int_equal(chmod(it_path(w, "%s", agent.key), 0640), 0);
	expect_both_end(w, &(struct broker){0}, CONFIG, "a private key that others may read", "chmod 600");
}

static void a_yaml_mistake_is_named_by_line_and_column(void **state)
{
	struct it_world *w = *state;
	struct broker right = {0};

	expect_both_end(w, &(struct broker){.host = "localhost\n  prot: 1"}, CONFIG, ".yaml:", "prot");
	configure(w, &gateway, &right);
	it_write(it_path(w, "%s", gateway.config), "state_dir: gateway\nbroker: {host: h, port: many}\n");
	expect_end(w, &gateway, CONFIG, "bad-gateway.yaml:2:", "port");
	it_write(it_path(w, "%s", agent.config), "class: chiar\n");
	expect_end(w, &agent, CONFIG, "bad-agent.yaml:1:8", "chair");
	it_write(it_path(w, "%s", agent.config), "class: [\n");
	expect_end(w, &agent, CONFIG, "bad-agent.yaml:", "");
	unlink(it_path(w, "%s", agent.config));
	expect_end(w, &agent, CONFIG, "bad-agent.yaml", "No such file");
}

static void a_catalog_that_is_wrong_is_named(void **state)
{
	struct it_world *w = *state;

	configure(w, &agent, &(struct broker){0});
	it_catalog(w, "roller", 2);
	assert_int_equal(rename(it_path(w, "catalogs/roller.catalog"), it_path(w, "catalogs/chair.catalog")), 0);
	expect_end(w, &agent, FAILED, "it is for class roller", "gymfleet catalog build --class chair");
	it_write(it_path(w, "catalogs/chair.catalog"), "garbage");
	expect_end(w, &agent, FAILED, "chair.catalog: ", "build one with 'gymfleet catalog build --class chair'");
	unlink(it_path(w, "catalogs/chair.catalog"));
	expect_end(w, &agent, FAILED, "chair.catalog: ", "build one with 'gymfleet catalog build --class chair'");
}

/* ---- the broker ---- */

static void an_unreachable_broker_is_tried_until_it_is_there(void **state)
{
	struct it_world *w = *state;
	struct it_proc *g, *a;

	configure(w, &gateway, &(struct broker){0});
	configure(w, &agent, &(struct broker){0});
	g = expect_trying(w, &gateway, "connection refused");
	a = expect_trying(w, &agent, "connection refused");
	it_broker_start(w);
	IT_UNTIL(SOON_MS, it_doctor_says(w, "broker", "ok", "connected") && it_online(w) == 1);
	stop(a);
	stop(g);
}

static void expect_both_trying(struct it_world *w, const struct broker *b, const char *cause)
{
	configure(w, &gateway, b);
	configure(w, &agent, b);
	struct it_proc *g = expect_trying(w, &gateway, cause), *a = expect_trying(w, &agent, cause);
	stop(a);
	stop(g);
}

static void a_broker_that_is_not_ours_is_refused_with_the_reason(void **state)
{
	struct it_world *w = *state;
	struct it_output made = it_run(w, it_source("deploy/pki"), "init", it_path(w, "other"));

	assert_int_equal(made.status, 0);
	it_output_free(&made);
	it_broker_start(w);
	expect_both_trying(w, &(struct broker){.ca = "other/ca.pem"}, "not from our CA");
	expect_both_trying(w, &(struct broker){.host = "broker.invalid"}, "cannot be resolved");
	it_broker_stop(w);
	assert_int_equal(it_pki(w, "broker", "elsewhere.example"), 0);
	it_broker_start(w);
	expect_both_trying(w, &(struct broker){0}, "not for the host 'localhost'");
}

static void an_expired_certificate_is_named_and_mended_by_a_new_one(void **state)
{
	struct it_world *w = *state;
	struct it_proc *g, *a;

	assert_int_equal(it_pki(w, "gateway", "--not-after", LONG_AGO), 0);
	assert_int_equal(it_pki(w, "device", CHAIR, "--not-after", LONG_AGO), 0);
	it_broker_start(w);
	configure(w, &gateway, &(struct broker){0});
	configure(w, &agent, &(struct broker){0});
	g = expect_trying(w, &gateway, "our certificate has expired");
	a = expect_trying(w, &agent, "our certificate has expired");
	IT_UNTIL(SOON_MS, it_doctor_says(w, "certificate", "critical", "expired at 2024-01-01T00:00:00Z"));
	assert_int_equal(it_pki(w, "gateway", "--renew"), 0);
	assert_int_equal(it_pki(w, "device", CHAIR, "--renew"), 0);
	IT_UNTIL(2 * SOON_MS, it_doctor_says(w, "broker", "ok", "connected") && it_online(w) == 1);
	stop(a);
	stop(g);
}

/* ---- the database ---- */

static void a_damaged_database_is_refused(void **state)
{
	struct it_world *w = *state;
	struct gf_diag diag = {""};
	char garbage[8192];

	memset(garbage, 'x', sizeof garbage - 1);
	garbage[sizeof garbage - 1] = '\0';
	assert_int_equal(gf_dir_make(it_path(w, "gateway"), &diag), 0);
	it_write(it_path(w, DATABASE), "%s", garbage);
	configure(w, &gateway, &(struct broker){0});
	expect_end(w, &gateway, FAILED, "gymfleet.db' is damaged", "restore");
	char *after = it_read(it_path(w, DATABASE));
	assert_string_equal(after, garbage); /* nothing was "repaired" */
	free(after);
}

static void sql(struct it_world *w, const char *statement, sqlite3 **ret_db)
{
	assert_int_equal(sqlite3_open_v2(it_path(w, DATABASE), ret_db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(*ret_db, statement, NULL, NULL, NULL), SQLITE_OK);
}

static void a_locked_or_newer_database_is_refused(void **state)
{
	struct it_world *w = *state;
	sqlite3 *db;

	stop(it_gateway_start(w)); /* makes it */
	configure(w, &gateway, &(struct broker){0});
	sql(w, "BEGIN IMMEDIATE", &db);
	expect_end(w, &gateway, FAILED, "is locked by another process", "stop the other");
	sqlite3_close(db);
	sql(w, "PRAGMA user_version = 1000", &db);
	sqlite3_close(db);
	expect_end(w, &gateway, FAILED, "a newer version wrote it", "upgrade this gateway");
}

/* ---- two of them ---- */

static void a_second_gateway_ends_and_leaves_the_first_alone(void **state)
{
	struct it_world *w = *state;
	struct it_proc *first = it_gateway_start(w);

	configure(w, &gateway, &(struct broker){0});
	expect_end(w, &gateway, FAILED, "gateway.lock: another process holds it",
	           "Stop that one first"); /* the same store */
	char *config = it_read(it_path(w, "%s", gateway.config));
	it_write(it_path(w, "%s", gateway.config), "state_dir: elsewhere\n%s", strchr(config, '\n') + 1);
	free(config);
	expect_end(w, &gateway, FAILED, "gateway.sock is in use", "stop that one"); /* the same socket */
	json_t *devices = it_ask(w, "devices");
	assert_non_null(devices);
	json_decref(devices);
	stop(first);
}

static void a_killed_gateways_socket_is_taken_over(void **state)
{
	struct it_world *w = *state;

	it_signal(it_gateway_start(w), SIGKILL);
	assert_int_equal(access(it_path(w, "gateway.sock"), F_OK), 0);
	struct it_output output = it_run(w, it_program("gymfleet"), "--socket", it_path(w, "gateway.sock"), "status");
	assert_int_equal(output.status, 3);
	it_output_free(&output);
	stop(it_gateway_start(w));
	assert_int_equal(access(it_path(w, "gateway.sock"), F_OK), -1); /* a proper end leaves nothing */

	it_write(it_path(w, "gateway.sock"), "somebody's file\n");
	configure(w, &gateway, &(struct broker){0});
	expect_end(w, &gateway, FAILED, "gateway.sock exists and is no socket", "remove it");
}

static void a_second_agent_on_the_same_spool_ends(void **state)
{
	struct it_world *w = *state;
	struct it_proc *first;

	configure(w, &agent, &(struct broker){0});
	first = expect_trying(w, &agent, "connection refused");
	expect_end(w, &agent, FAILED, "lock: another process holds it", "Stop that one first");
	assert_true(it_alive(first));
	stop(first);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(files_that_are_wrong_are_named),
	    TEST(a_yaml_mistake_is_named_by_line_and_column),
	    TEST(a_catalog_that_is_wrong_is_named),
	    TEST(an_unreachable_broker_is_tried_until_it_is_there),
	    TEST(a_broker_that_is_not_ours_is_refused_with_the_reason),
	    TEST(an_expired_certificate_is_named_and_mended_by_a_new_one),
	    TEST(a_damaged_database_is_refused),
	    TEST(a_locked_or_newer_database_is_refused),
	    TEST(a_second_gateway_ends_and_leaves_the_first_alone),
	    TEST(a_killed_gateways_socket_is_taken_over),
	    TEST(a_second_agent_on_the_same_spool_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
