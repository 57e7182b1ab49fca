/*
 * What happened reaches everybody who is told, whatever is killed: real gateway, broker, webhook and subscriber.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/integration/client.h"
#include "tests/integration/fleet.h"
#include "tests/unit/gateway/tell/receiver.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SOON_MS = 30000, EVENTS = 500, KILLS = 5, IDS_MAX = 8192, EVENTS_MS = 200 * 1000 };
#define SECRET "0123456789abcdef0123456789abcdef"

struct tell {
	struct it_world *w;
	struct receiver receiver;
	struct it_client *machine, *subscriber;
	struct it_proc *gateway;
	const char *config;
	uint64_t connection;
	size_t heard; /* of the subscriber's messages, looked at */
	bool told[IDS_MAX];
	uint64_t told_first, told_newest;
};

static void write_config(struct tell *t, const char *url)
{
	t->config = it_gateway_config(t->w);
	char *text = it_read(t->config);
	it_write(it_path(t->w, "hook.secret"), "%s\n", SECRET);
	assert_int_equal(chmod(it_path(t->w, "hook.secret"), 0600), 0);
	it_write(t->config,
	         "%swebhooks:\n  - name: test\n    url: %s\n    secret_file: hook.secret\n    kinds: [presence, device]\n"
	         "    rate_per_min: 6000\n",
	         text, url);
	free(text);
}

static int setup(void **state)
{
	struct tell *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = it_open("tell");
	*state = t;
	t->receiver.secret = SECRET;
	receiver_start(&t->receiver);
	it_broker_start(t->w);
	write_config(t, t->receiver.url);
	assert_int_equal(it_pki(t->w, "integrator", "tickets"), 0);
	t->subscriber =
	    it_client_open(t->w, "integrators/tickets",
	                   &(struct it_client_options){.filters = {"gymfleet/v1/events/#"}, .mailbox_max = IDS_MAX});
	t->machine = it_client_open(t->w, "chair-1", NULL);
	return 0;
}

static int teardown(void **state)
{
	struct tell *t = *state;

	it_client_close(t->machine);
	it_client_close(t->subscriber);
	it_close(t->w);
	receiver_stop(&t->receiver);
	free(t);
	return 0;
}

static void start_gateway(struct tell *t)
{
	json_t *answer = NULL;

	t->gateway = it_spawn(t->w, "gateway", it_program("gymfleet-gateway"), "--config", t->config);
	IT_UNTIL(SOON_MS, (answer = it_ask(t->w, "devices")) != NULL || !it_alive(t->gateway));
	assert_non_null(answer);
	json_decref(answer);
}

/* A birth and a goodbye: two events, when the gateway hears of them. */
static void come_and_go(struct tell *t)
{
	struct gf_status status = {.presence = GF_PRESENCE_BIRTH,
	                           .class = GF_CLASS_CHAIR,
	                           .boot = 1,
	                           .next_seq = 1,
	                           .connection = ++t->connection};
	unsigned char buf[1024];
	char topic[GF_TOPIC_MAX];
	size_t len;

	(void)gf_topic_device(topic, "chair-1", GF_TOPIC_STATUS);
	assert_int_equal(gf_status_encode(&status, buf, sizeof(buf), &len), 0);
	(void)it_client_publish(t->machine, topic, buf, len, false);
	status.presence = GF_PRESENCE_GOODBYE;
	assert_int_equal(gf_status_encode(&status, buf, sizeof(buf), &len), 0);
	(void)it_client_publish(t->machine, topic, buf, len, false);
}

/* Takes in what the subscriber heard since. */
static void listen_on(struct tell *t)
{
	const struct it_message *m;

	it_client_turn(t->subscriber);
	while ((m = it_client_message(t->subscriber, t->heard)) != NULL) {
		json_t *json = json_loadb((const char *)m->payload, m->len, 0, NULL);
		uint64_t id = (uint64_t)json_integer_value(json_object_get(json, "id"));
		const char *kind = json_string_value(json_object_get(json, "kind"));
		char topic[GF_TOPIC_MAX];

		assert_non_null(kind);
		assert_string_not_equal(kind, "summary"); /* the test is within the rates */
		const char *device = json_string_value(json_object_get(json, "device"));
		(void)snprintf(topic, sizeof(topic), "gymfleet/v1/events/%s/%s", kind, device != NULL ? device : "gateway");
		assert_string_equal(m->topic, topic);
		assert_true(id > 0 && id < IDS_MAX);
		/* In order; what may come again is what came before. */
		assert_true(t->told_newest == 0 || id <= t->told_newest + 1);
		t->told[id] = true;
		t->told_first = t->told_first == 0 ? id : t->told_first;
		t->told_newest = id > t->told_newest ? id : t->told_newest;
		json_decref(json);
		t->heard++;
	}
}

static bool heard_up_to(struct tell *t, uint64_t id)
{
	listen_on(t);
	return t->told_newest >= id;
}

/* The newest event, by the API. */
static uint64_t newest_event(struct tell *t)
{
	json_t *answer = it_ask(t->w, "events", "--limit", "1");
	uint64_t id = (uint64_t)json_integer_value(json_object_get(json_array_get(it_items(answer), 0), "id"));

	json_decref(answer);
	return id;
}

static void hooked_all(struct receiver *receiver, uint64_t newest)
{
	uint64_t seen = 0;

	receiver_wait(receiver, newest);
	for (size_t i = 0; i < receiver->taken_count; i++) {
		const struct taken *taken = &receiver->taken[i];
		assert_true(taken->sound);
		assert_string_not_equal(taken->kind, "summary");
		assert_true(taken->id <= seen + 1);
		seen = taken->id > seen ? taken->id : seen;
	}
	assert_int_equal(seen, newest);
}

/* The gateway is killed five times at moments that nobody chose, and both have each event at least once. */
static void every_event_reaches_webhook_and_subscriber_whatever_is_killed(void **state)
{
	struct tell *t = *state;
	unsigned kills = 0, rounds = 0, next_kill;
	uint64_t newest = 0;
	struct gf_prng prng;

	gf_prng_seed(&prng, 5);
	IT_UNTIL(SOON_MS, it_client_up(t->subscriber) && it_client_up(t->machine));
	start_gateway(t);
	next_kill = 20 + (unsigned)gf_prng_below(&prng, 40);
	int64_t end_ms = it_now_ms() + EVENTS_MS;
	while (newest < EVENTS || kills < KILLS) {
		assert_true(it_now_ms() < end_ms);
		come_and_go(t);
		listen_on(t);
		if (++rounds >= next_kill && kills < KILLS) {
			it_signal(t->gateway, SIGKILL);
			come_and_go(t); /* nobody hears of it */
			start_gateway(t);
			next_kill = rounds + 20 + (unsigned)gf_prng_below(&prng, 40);
			kills++;
		}
		if (rounds % 20 == 0)
			newest = newest_event(t);
	}
	/* All that was published has been taken in, or never will be. */
	come_and_go(t);
	newest = newest_event(t);
	hooked_all(&t->receiver, newest);
	IT_UNTIL(SOON_MS, heard_up_to(t, newest));
	assert_int_equal(t->told_first, 1);
	for (uint64_t id = 1; id <= newest; id++)
		assert_true(t->told[id]);
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
}

/* A receiver that is away holds nobody up; doctor says so; it gets all when it is back. */
static void a_receiver_that_is_away_is_named_by_doctor_and_gets_all_later(void **state)
{
	struct tell *t = *state;

	receiver_stop(&t->receiver);
	IT_UNTIL(SOON_MS, it_client_up(t->subscriber) && it_client_up(t->machine));
	start_gateway(t);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	come_and_go(t);
	IT_UNTIL(SOON_MS, heard_up_to(t, 3));
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "webhooks", "attention", "webhook test takes no events since"));
	receiver_start(&t->receiver);
	hooked_all(&t->receiver, 3);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "webhooks", "ok", "1 webhook takes what it gets"));
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
}

static void the_shipped_receiver_takes_what_is_signed_and_gets_again_what_it_failed(void **state)
{
	struct tell *t = *state;
	const char *port = it_path(t->w, "%u", it_free_port());
	char url[64];

	/* it_path gives a path: its last part is the number. */
	port = strrchr(port, '/') + 1;
	struct it_proc *receiver = it_spawn(t->w, "receiver", it_source("deploy/receiver"), "--port", port, "--secret",
	                                    it_path(t->w, "hook.secret"), "--fail", "2");
	IT_UNTIL(SOON_MS, it_log_has(receiver, "listening on"));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%s/", port);
	write_config(t, url);
	IT_UNTIL(SOON_MS, it_client_up(t->subscriber) && it_client_up(t->machine));
	start_gateway(t);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	come_and_go(t);
	IT_UNTIL(SOON_MS, it_log_has(receiver, "failed on purpose: event 1"));
	IT_UNTIL(SOON_MS, it_log_has(receiver, "offline: it said goodbye"));
	assert_true(it_log_has(receiver, "device chair-1 heard of for the first time"));
	assert_false(it_log_has(receiver, "refused"));
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
	it_signal(receiver, SIGKILL);
}

/* One that fails at its old address gets all at its new one; a mistake is named and changes nothing; who did it is in the audit. */
static void webhooks_change_while_the_gateway_runs(void **state)
{
	struct tell *t = *state;
	const char *socket = it_path(t->w, "gateway.sock"), *gymfleet;
	struct receiver *other = calloc(1, sizeof(*other));
	struct it_output said;

	assert_non_null(other);
	other->secret = SECRET;
	receiver_start(other);
	receiver_stop(&t->receiver);
	IT_UNTIL(SOON_MS, it_client_up(t->subscriber) && it_client_up(t->machine));
	start_gateway(t);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	come_and_go(t);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "webhooks", "attention", "webhook test takes no events since"));
	write_config(t, "ftp://example.org/");
	gymfleet = it_program("gymfleet");
	said = it_run(t->w, gymfleet, "--socket", socket, "webhooks", "reload");
	assert_int_equal(said.status, 1);
	assert_non_null(strstr(said.err, "gateway.yaml:12:"));
	assert_non_null(strstr(said.err, "'ftp' is no scheme"));
	it_output_free(&said);
	it_signal(t->gateway, SIGHUP);
	IT_UNTIL(SOON_MS, it_log_has(t->gateway, "the webhooks stay as they were: "));
	write_config(t, other->url);
	it_signal(t->gateway, SIGHUP);
	hooked_all(other, 3);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "webhooks", "ok", "1 webhook takes what it gets"));
	said = it_run(t->w, gymfleet, "--socket", socket, "webhooks", "reload");
	assert_int_equal(said.status, 0);
	assert_non_null(strstr(said.out, "1"));
	it_output_free(&said);
	said = it_run(t->w, gymfleet, "--socket", socket, "webhooks", "retry", "test");
	assert_int_equal(said.status, 0);
	it_output_free(&said);
	said = it_run(t->w, gymfleet, "--socket", socket, "audit", "log", "-o", "csv");
	assert_non_null(strstr(said.out, "webhooks reload"));
	assert_non_null(strstr(said.out, "webhooks retry"));
	it_output_free(&said);
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
	receiver_stop(other);
	free(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_event_reaches_webhook_and_subscriber_whatever_is_killed),
	    TEST(a_receiver_that_is_away_is_named_by_doctor_and_gets_all_later),
	    TEST(webhooks_change_while_the_gateway_runs),
	    TEST(the_shipped_receiver_takes_what_is_signed_and_gets_again_what_it_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
