/*
 * What comes from the gateway, on simulated machines with real links: a catalog over the air, kept over a kill -9; a lock; a stop. The
 * gateway is a bare client with the gateway's certificate.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/integration/client.h"
#include "tests/integration/fleet.h"

enum { SOON_MS = 30000, MACHINES = 2 };

static const char *const machines[MACHINES] = {"chair-lab-01", "chair-lab-02"};

struct test {
	struct it_world *w;
	struct it_client *gateway;
	struct it_proc *sim;
};

static void cli(struct it_world *w, const char *const *argv)
{
	struct it_output out = it_run_args(w, argv);
	if (out.status != 0)
		fail_msg("%s %s: %s", argv[1], argv[2], out.err);
	it_output_free(&out);
}
#define CLI(w, ...) cli((w), (const char *[]){it_program("gymfleet"), __VA_ARGS__, NULL})

static int setup(void **state)
{
	static struct test t;
	t = (struct test){.w = it_open("sim-update")};
	struct it_world *w = t.w;
	it_broker_start(w);
	it_catalog(w, "chair", 2);
	CLI(w, "catalog", "keygen", it_path(w, "key"));
	CLI(w, "catalog", "sign", "--key", it_path(w, "key"), it_path(w, "catalogs/chair.catalog"));
	CLI(w, "catalog", "build", "--class", "chair", "--name", "chair", "--version", "2", "-o", it_path(w, "new.catalog"),
	    it_path(w, "routines-chair"));
	CLI(w, "catalog", "sign", "--key", it_path(w, "key"), it_path(w, "new.catalog"));
	for (size_t i = 0; i < MACHINES; i++)
		it_device(w, machines[i]);
	t.gateway = it_client_open(
	    w, "gateway",
	    &(struct it_client_options){.filters = {"gymfleet/v1/devices/+/status", "gymfleet/v1/devices/+/reply"}});
	IT_UNTIL(SOON_MS, it_client_up(t.gateway));
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	const struct test *t = *state;
	it_client_close(t->gateway);
	it_close(t->w);
	return 0;
}

static void sim_start(struct test *t)
{
	struct it_world *w = t->w;
	const char *scenario = it_path(w, "scenario.yaml");
	char broker[32];
	snprintf(broker, sizeof(broker), "localhost:%u", it_device_port(w));
	it_write(scenario, "seed: 5\nsites:\n  - name: lab\n    machines:\n"
	                   "      - {class: chair, count: 2, prefix: chair, model: c1, busy: 1}\n");
	t->sim = it_spawn(w, "sim", it_program("gymfleet-sim"), "--scenario", scenario, "--state", it_path(w, "machines"),
	                  "--catalogs", it_path(w, "catalogs"), "--pki", it_path(w, "pki"), "--broker", broker,
	                  "--catalog-keys", it_path(w, "key.pub"), "--threshold", "1", "--trial", "2s");
}

/* What the machine said last; zeroes when it said nothing yet. */
static struct gf_status status_of(struct test *t, const char *id)
{
	char topic[GF_TOPIC_MAX];
	struct gf_status status = {0};
	const struct it_message *m = it_client_last(t->gateway, gf_topic_device(topic, id, GF_TOPIC_STATUS));
	if (m != NULL)
		assert_int_equal(gf_status_decode(m->payload, m->len, &status, NULL), 0);
	return status;
}

/* It is there, with this version, confirmed. */
static bool plays(struct test *t, const char *id, uint64_t version)
{
	const struct gf_status status = status_of(t, id);
	return status.presence == GF_PRESENCE_BIRTH && status.catalog_version == version && !status.catalog_on_trial;
}

static void publish(struct test *t, const char *topic, const void *data, size_t len, bool retain)
{
	assert_true(it_client_publish(t->gateway, topic, data, len, retain) >= 0);
}

static void desire(struct test *t, const char *id, const struct gf_desired *desired)
{
	unsigned char buf[GF_DESIRED_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len = 0;
	assert_int_equal(gf_desired_encode(desired, buf, sizeof(buf), &len), 0);
	publish(t, gf_topic_device(topic, id, GF_TOPIC_DESIRED), buf, len, true);
}

static void stop(struct test *t, const char *id, uint64_t command)
{
	const struct gf_command_order order = {.id = command, .kind = GF_COMMAND_STOP, .within_ms = 30000};
	unsigned char buf[GF_COMMAND_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len = 0;
	assert_int_equal(gf_command_encode(&order, buf, sizeof(buf), &len), 0);
	publish(t, gf_topic_device(topic, id, GF_TOPIC_COMMAND), buf, len, false);
}

static void a_catalog_reaches_every_simulated_machine_and_stays(void **state)
{
	struct test *t = *state;
	struct gf_desired desired = {.revision = 1, .has_catalog = true, .catalog = {.name = "chair", .version = 2}};
	char topic[GF_TOPIC_MAX], *data = NULL;
	size_t len = 0;
	assert_int_equal(gf_file_read(it_path(t->w, "new.catalog"), GF_CATALOG_MAX, &data, &len, NULL), 0);
	gf_digest_of(data, len, &desired.catalog.digest);
	desired.catalog.size = (uint32_t)len;
	assert_int_equal(gf_catalog_parts(len), 0);

	sim_start(t);
	for (size_t i = 0; i < MACHINES; i++)
		IT_UNTIL(SOON_MS, plays(t, machines[i], 1));
	publish(t, gf_topic_catalog(topic, &desired.catalog.digest, GF_TOPIC_CATALOG_WHOLE), data, len, true);
	for (size_t i = 0; i < MACHINES; i++)
		desire(t, machines[i], &desired);
	for (size_t i = 0; i < MACHINES; i++) {
		IT_UNTIL(SOON_MS, plays(t, machines[i], 2));
		const struct gf_status status = status_of(t, machines[i]);
		assert_true(gf_digest_equal(&status.catalog_digest, &desired.catalog.digest));
		assert_int_equal(status.connection, 1);
		assert_int_equal(status.desired_revision, 1);
	}

	/* It needs neither the network nor the file for it any more. */
	it_signal(t->sim, SIGKILL);
	publish(t, topic, "", 0, true);
	sim_start(t);
	for (size_t i = 0; i < MACHINES; i++)
		IT_UNTIL(SOON_MS, status_of(t, machines[i]).boot == 2 && plays(t, machines[i], 2));
	it_signal(t->sim, SIGTERM);
	it_end_well(t->sim, SOON_MS);
	free(data);
}

/* "short" runs while somebody is on it; afterwards nobody may. */
static void a_machine_is_locked_and_its_session_stopped(void **state)
{
	struct test *t = *state;
	const struct gf_desired locked = {.revision = 1, .locked = true, .lock_reason = "the cover is torn"};
	struct gf_reply reply;
	char topic[GF_TOPIC_MAX];
	sim_start(t);
	IT_UNTIL(SOON_MS, plays(t, machines[0], 1) && it_journal(t->w, machines[0]).sessions > 0);
	desire(t, machines[0], &locked);
	stop(t, machines[0], 7);
	gf_topic_device(topic, machines[0], GF_TOPIC_REPLY);
	IT_UNTIL(SOON_MS, it_client_heard(t->gateway, topic) == 1);
	const struct it_message *m = it_client_last(t->gateway, topic);
	assert_int_equal(gf_reply_decode(m->payload, m->len, &reply, NULL), 0);
	assert_int_equal(reply.id, 7);
	assert_int_equal(reply.outcome, GF_COMMAND_OUTCOME_DONE);

	/* The other one goes on; this one doesn't, after a restart without the broker either. */
	it_signal(t->sim, SIGKILL);
	it_broker_kill(t->w);
	const struct it_sums before = it_journal(t->w, machines[0]);
	const uint64_t other = it_journal(t->w, machines[1]).sessions;
	sim_start(t);
	IT_UNTIL(SOON_MS, it_journal(t->w, machines[1]).sessions >= other + 3);
	assert_int_equal(it_journal(t->w, machines[0]).sessions, before.sessions);
	assert_int_equal(it_journal(t->w, machines[0]).motor_ms, before.motor_ms);
	it_broker_start(t->w);
}

static void expect_refused(struct test *t, const char *threshold, const char *words)
{
	struct it_world *w = t->w;
	struct it_output out = it_run(w, it_program("gymfleet-sim"), "--scenario", it_path(w, "scenario.yaml"), "--state",
	                              it_path(w, "machines"), "--catalogs", it_path(w, "catalogs"), "--offline",
	                              "--catalog-keys", it_path(w, "key.pub"), "--threshold", threshold);
	assert_int_equal(out.status, 1);
	if (strstr(out.err, words) == NULL)
		fail_msg("'%s' expected in '%s'", words, out.err);
	it_output_free(&out);
}

/* With keys the catalogs of the start must be signed too, as on a machine. */
static void what_cannot_be_with_these_keys_is_said(void **state)
{
	struct test *t = *state;
	sim_start(t);
	IT_UNTIL(SOON_MS, plays(t, machines[0], 1));
	it_signal(t->sim, SIGKILL);
	expect_refused(t, "2", "of 1 keys it can take 1 to 1");
	expect_refused(t, "one", "--threshold 'one'");
	it_catalog(t->w, "chair", 2); /* built anew, and not signed */
	expect_refused(t, "1", "sign it with 'gymfleet catalog sign'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_catalog_reaches_every_simulated_machine_and_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_with_these_keys_is_said, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_machine_is_locked_and_its_session_stopped, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
