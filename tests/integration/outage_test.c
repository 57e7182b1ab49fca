/*
 * The broker is gone while flags are open and faults happen: the webhook hears of all at once, the gateway says that it is cut off, and the subscriber hears
 * of all in order when the broker is back, also of one that lost its disk.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/listener.h"
#include "tests/integration/machine.h"

enum { SOON_MS = 30000 };
#define CHAIR "chair-1"

struct outage {
	struct it_world *w;
	struct it_listener listener;
	struct it_machine *m;
	struct it_proc *gateway;
	uint64_t seq;
};

static int setup(void **state)
{
	struct outage *o = calloc(1, sizeof(*o));
	const char *config;

	assert_non_null(o);
	*state = o;
	o->w = it_open("outage");
	it_broker_start(o->w);
	it_write(it_path(o->w, "rules.yaml"),
	         "rules:\n  - {id: often, title: used at all, subject: device, metric: sessions, "
	         "window: day, warn: 1, lock: warn, advice: This is a test.}\n");
	config = it_gateway_config(o->w);
	it_listener_start(&o->listener, o->w, config, "[presence, session, fault, flag, device]");
	o->gateway = it_spawn(o->w, "gateway", it_program("gymfleet-gateway"), "--config", config);
	IT_UNTIL(SOON_MS, it_gateway_listens(o->w) || !it_alive(o->gateway));
	o->m = it_machine_open(o->w, CHAIR);
	return 0;
}

static int teardown(void **state)
{
	struct outage *o = *state;

	it_machine_close(o->m);
	it_listener_stop(&o->listener);
	it_close(o->w);
	free(o);
	return 0;
}

/* The newest event, by the API. */
static uint64_t newest_event(struct outage *o)
{
	json_t *answer = it_ask(o->w, "events", "--limit", "1");
	uint64_t id = (uint64_t)json_integer_value(json_object_get(json_array_get(it_items(answer), 0), "id"));

	json_decref(answer);
	return id;
}

static bool subscriber_has(struct outage *o, uint64_t id)
{
	size_t count = it_listener_hears(&o->listener);

	return count > 0 && o->listener.told[count - 1].id >= id;
}

/* Both have all that has happened. */
static void expect_all_told(struct outage *o)
{
	uint64_t newest = newest_event(o);

	assert_int_equal(it_listener_hooked(&o->listener, newest), newest);
	IT_UNTIL(SOON_MS, subscriber_has(o, newest));
	assert_int_equal(o->listener.told[0].id, 1);
	assert_int_equal(o->listener.count, newest);
}

static void say(struct outage *o, struct gf_record record)
{
	it_machine_report(o->m, &record, 1);
	IT_UNTIL(SOON_MS, (it_client_turn(o->m->client), it_machine_acked(o->m) == record.seq));
}

/* The machine raises a fault that it tells when it can. */
static struct gf_record fault(struct outage *o, uint64_t no)
{
	struct gf_record record = it_heartbeat(o->m, ++o->seq, it_wall_ms(), 40);

	record.kind = GF_RECORD_FAULT_RAISED;
	record.fault_raised = (struct gf_fault_raised){.fault_no = no,
	                                               .code = GF_FAULT_STALL,
	                                               .severity = GF_SEVERITY_STOP,
	                                               .observed = 2,
	                                               .limit = 1,
	                                               .detail = "stuck"};
	return record;
}

static bool did(struct outage *o, const char *const *argv)
{
	json_t *answer = it_ask_args(o->w, argv);
	bool done = answer != NULL;

	json_decref(answer);
	return done;
}
#define DO(o, ...) assert_true(did((o), (const char *[]){__VA_ARGS__, NULL}))

/* What people do meanwhile: five events. */
static void work_on(struct outage *o)
{
	DO(o, "overuse", "ack", "1", "--note", "seen");
	DO(o, "overuse", "ack", "1", "--release", "--note", "it may run");
	DO(o, "faults", "report", CHAIR, "--text", "torn");
	DO(o, "device", "tag", CHAIR, "--reason", "torn");
	DO(o, "device", "untag", CHAIR);
}

/* The gateway waits so that the subscriber is there first: who isn't subscribed misses what the broker is told. */
static void broker_back(struct outage *o)
{
	it_signal(o->gateway, SIGSTOP);
	it_broker_start(o->w);
	IT_UNTIL(SOON_MS, (it_client_turn(o->m->client), it_client_up(o->listener.subscriber)));
	it_signal(o->gateway, SIGCONT);
	IT_UNTIL(SOON_MS, it_gateway_listens(o->w));
	IT_UNTIL(SOON_MS, it_client_up(o->m->client));
}

static void expect_gateway_status(struct outage *o)
{
	struct it_client *newcomer = it_client_open(
	    o->w, "gateway", &(struct it_client_options){.client_id = "newcomer", .filters = {GF_TOPIC_GATEWAY_STATUS}});
	struct gf_gateway_status status = {0};

	IT_UNTIL(SOON_MS, it_client_heard(newcomer, GF_TOPIC_GATEWAY_STATUS) > 0);
	const struct it_message *m = it_client_last(newcomer, GF_TOPIC_GATEWAY_STATUS);
	assert_int_equal(gf_gateway_status_decode(m->payload, m->len, &status, NULL), 0);
	assert_true(status.up);
	it_client_close(newcomer);
}

static void all_is_told_in_order_when_the_broker_is_back(void **state)
{
	struct outage *o = *state;
	uint64_t before, newest;

	it_machine_birth(o->m, NULL);
	say(o, it_session(o->m, ++o->seq, 1, it_wall_ms() - IT_SESSION_MS));
	IT_UNTIL(SOON_MS, (it_listener_hears(&o->listener), it_listener_last(&o->listener, "flag") != NULL));
	expect_all_told(o);
	for (int wiped = 0; wiped < 2; wiped++) {
		before = newest_event(o);
		it_broker_kill(o->w);
		IT_UNTIL(SOON_MS, it_doctor_says(o->w, "broker", "critical", "not connected"));
		struct gf_record raised = fault(o, (uint64_t)wiped + 1);
		work_on(o);
		newest = newest_event(o);
		assert_true(newest >= before + 5);
		/* The webhook doesn't wait for the broker. */
		assert_int_equal(it_listener_hooked(&o->listener, newest), newest);
		assert_false(subscriber_has(o, before + 1));
		if (wiped)
			it_broker_wipe(o->w);
		broker_back(o);
		IT_UNTIL(SOON_MS, it_doctor_says(o->w, "broker", "ok", "connected since"));
		expect_gateway_status(o);
		o->m->connection++;
		it_machine_birth(o->m, NULL);
		say(o, raised);
		expect_all_told(o);
		assert_string_equal(it_listener_last(&o->listener, "fault")->code, "stall");
	}
	it_signal(o->gateway, SIGTERM);
	it_end_well(o->gateway, SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(all_is_told_in_order_when_the_broker_is_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
