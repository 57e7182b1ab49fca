/*
 * The main job, end to end with all three programs and a real broker: what is played on a machine is in the store, exactly once (I1),
 * whoever is killed on the way, and everybody finds back to the others alone.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/integration/client.h"
#include "tests/integration/fleet.h"

#define CHAIR "chair-lab-01"

enum { SOON_MS = 30000, SHORT_S = 3, LONG_S = 40, CHECKPOINT_MS = 5000, KILLS = 3 };

struct test {
	struct it_world *w;
	struct it_proc *gateway, *agent;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof *t);

	*state = t;
	t->w = it_open("job");
	it_broker_start(t->w);
	t->gateway = it_gateway_start(t->w);
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	it_close(t->w);
	free(t);
	return 0;
}

/* Returns when the gateway has heard of it. */
static void start_agent(struct test *t, double busy)
{
	const struct it_agent agent = {.id = CHAIR, .class = "chair", .busy = busy, .seed = 20260418};

	t->agent = it_agent_start(t->w, &agent);
	IT_UNTIL(SOON_MS, it_online(t->w) == 1);
}

static uint64_t meter_starts(struct test *t)
{
	return it_journal(t->w, CHAIR).sessions;
}

/* Nobody comes any more; what is in the spool goes up, and the store must equal the machine's own meter. */
static void settle(struct test *t)
{
	if (it_alive(t->agent)) {
		it_signal(t->agent, SIGTERM);
		it_end_well(t->agent, SOON_MS);
	}
	start_agent(t, 0);
	IT_UNTIL(SOON_MS, it_audit_settled(t->w) && it_sessions(t->w, CHAIR).running == 0);
	struct it_sums stored = it_sessions(t->w, CHAIR), meter = it_journal(t->w, CHAIR);
	assert_int_equal(stored.sessions, meter.sessions);
	assert_int_equal(stored.motor_ms, meter.motor_ms);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void expect_text(const json_t *object, const char *key, const char *text)
{
	if (strcmp(text_of(object, key), text) != 0)
		fail_msg("%s is '%s', not '%s'", key, text_of(object, key), text);
}

static bool device_is(struct test *t, const char *key, const char *text)
{
	json_t *device = it_ask(t->w, "device", "show", CHAIR);
	bool is = strcmp(text_of(device, key), text) == 0;

	json_decref(device);
	return is;
}

/* ---- what is seen of a session ---- */

static void expect_session(struct test *t)
{
	json_t *answer = it_ask(t->w, "sessions", CHAIR);
	const json_t *session = it_find(it_items(answer), "outcome", "completed");
	const json_t *areas = json_object_get(session, "areas"), *use = json_array_get(areas, 0);

	assert_non_null(session);
	expect_text(session, "device", CHAIR);
	expect_text(session, "class", "chair");
	expect_text(session, "site", "lab");
	expect_text(session, "routine", "short");
	expect_text(session, "catalog", "chair");
	expect_text(session, "time_source", "device");
	assert_int_equal(json_integer_value(json_object_get(session, "catalog_version")), 1);
	assert_int_equal(json_integer_value(json_object_get(session, "planned_s")), SHORT_S);
	assert_in_range((uint64_t)(json_number_value(json_object_get(session, "motor_s")) * 1000), SHORT_S * 900,
	                SHORT_S * 1100);
	assert_int_equal(json_array_size(areas), 1);
	expect_text(use, "area", "calves");
	expect_text(use, "side", "left");
	expect_text(use, "technique", "press");
	json_decref(answer);
}

static void expect_usage(struct test *t, uint64_t sessions)
{
	json_t *answer = it_ask(t->w, "usage", "--by", "routine");
	const json_t *row = it_find(it_items(answer), "key", "short");

	assert_int_equal(json_array_size(it_items(answer)), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "sessions")), sessions);
	json_decref(answer);
}

static void expect_device(struct test *t, uint64_t sessions)
{
	json_t *device = it_ask(t->w, "device", "show", CHAIR);

	expect_text(device, "id", CHAIR);
	expect_text(device, "class", "chair");
	expect_text(device, "model", "test");
	expect_text(device, "site", "lab");
	expect_text(device, "driver", "sim");
	expect_text(device, "catalog", "chair");
	expect_text(device, "presence", "online");
	assert_int_equal(json_integer_value(json_object_get(device, "sessions")), sessions);
	assert_true(json_object_size(json_object_get(device, "sensors")) > 0);
	json_decref(device);
}

static void i1_what_was_played_is_shown_everywhere(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", SHORT_S);
	start_agent(t, 1);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).sessions >= 1);
	settle(t);
	uint64_t sessions = it_sessions(t->w, CHAIR).sessions;
	expect_session(t);
	expect_usage(t, sessions);
	IT_UNTIL(SOON_MS, device_is(t, "presence", "online"));
	expect_device(t, sessions);
	it_signal(t->gateway, SIGTERM);
	it_end_well(t->gateway, SOON_MS);
}

/* ---- the others are killed ---- */

static void i1_i2_a_killed_gateway_loses_nothing_and_doubles_nothing(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", 1);
	start_agent(t, 1);
	for (uint64_t kills = 1; kills <= KILLS; kills++) {
		IT_UNTIL(SOON_MS, meter_starts(t) >= kills);
		it_signal(t->gateway, SIGKILL);
		if (kills == KILLS) /* something is played while nobody listens */
			IT_UNTIL(SOON_MS, meter_starts(t) > kills);
		t->gateway = it_gateway_start(t->w);
	}
	settle(t);
	assert_true(it_sessions(t->w, CHAIR).sessions > KILLS);
	assert_int_equal(it_sessions(t->w, CHAIR).interrupted, 0);
}

/* A newcomer is told at once, by what is retained, that the gateway is up and who is there. */
static void expect_retained(struct test *t)
{
	char status[GF_TOPIC_MAX];
	struct it_client *newcomer =
	    it_client_open(t->w, "gateway",
	                   &(struct it_client_options){
	                       .client_id = "newcomer",
	                       .filters = {GF_TOPIC_GATEWAY_STATUS, gf_topic_device(status, CHAIR, GF_TOPIC_STATUS)}});
	struct gf_gateway_status gateway = {0};
	struct gf_status birth = {0};

	IT_UNTIL(SOON_MS, it_client_heard(newcomer, GF_TOPIC_GATEWAY_STATUS) > 0 && it_client_heard(newcomer, status) > 0);
	const struct it_message *m = it_client_last(newcomer, GF_TOPIC_GATEWAY_STATUS);
	assert_true(m->retained);
	assert_int_equal(gf_gateway_status_decode(m->payload, m->len, &gateway, NULL), 0);
	assert_true(gateway.up);
	assert_int_equal(gateway.epoch, 1);
	m = it_client_last(newcomer, status);
	assert_true(m->retained);
	assert_int_equal(gf_status_decode(m->payload, m->len, &birth, NULL), 0);
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	it_client_close(newcomer);
}

static bool device_connection_is(struct test *t, int64_t connection)
{
	json_t *device = it_ask(t->w, "device", "show", CHAIR);
	bool is = json_integer_value(json_object_get(device, "connection")) == connection;

	json_decref(device);
	return is;
}

static void i1_a_broker_that_lost_its_disk_is_whole_again_by_itself(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", 1);
	start_agent(t, 1);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).sessions >= 1);
	it_broker_kill(t->w);
	it_broker_wipe(t->w);
	IT_UNTIL(SOON_MS, it_doctor_says(t->w, "broker", "critical", "not connected"));
	it_broker_start(t->w);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w) && device_connection_is(t, 2));
	expect_retained(t);
	assert_true(device_is(t, "presence", "online"));
	assert_true(it_doctor_says(t->w, "broker", "ok", "connected since"));
	settle(t);
	assert_int_equal(it_sessions(t->w, CHAIR).interrupted, 0);
}

/* ---- the agent ends ---- */

static void wait_motor(struct test *t, uint64_t motor_ms)
{
	start_agent(t, 1);
	IT_UNTIL(SOON_MS, it_journal(t->w, CHAIR).motor_ms >= motor_ms);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).running == 1);
}

/* settle has compared the motor's time with the machine's own meter. */
static void expect_only_session(struct test *t, const char *outcome)
{
	json_t *answer = it_ask(t->w, "sessions", CHAIR);

	assert_int_equal(json_array_size(it_items(answer)), 1);
	expect_text(json_array_get(it_items(answer), 0), "outcome", outcome);
	json_decref(answer);
}

static void i1_a_killed_agents_session_is_stored_once_as_interrupted(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", LONG_S);
	wait_motor(t, CHECKPOINT_MS + 1000);
	it_signal(t->agent, SIGKILL);
	settle(t);
	expect_only_session(t, "interrupted");
	assert_true(it_sessions(t->w, CHAIR).motor_ms > CHECKPOINT_MS);
}

static void i1_killed_before_its_first_checkpoint_too(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", LONG_S);
	wait_motor(t, 200);
	it_signal(t->agent, SIGKILL);
	settle(t);
	expect_only_session(t, "interrupted");
}

/* Switched off for the night: nobody waits for the morning to hear of the last session. */
static void i1_sigterm_ends_the_session_and_tells_of_it(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", LONG_S);
	wait_motor(t, 1000);
	it_signal(t->agent, SIGTERM);
	it_end_well(t->agent, SOON_MS);
	IT_UNTIL(SOON_MS, it_sessions(t->w, CHAIR).running == 0);
	expect_only_session(t, "safety_stopped");
	assert_int_equal(it_sessions(t->w, CHAIR).motor_ms, it_journal(t->w, CHAIR).motor_ms);
	IT_UNTIL(SOON_MS, device_is(t, "presence", "offline"));
	assert_true(device_is(t, "offline_reason", "goodbye"));
	IT_UNTIL(SOON_MS, it_audit_settled(t->w));
	settle(t);
	expect_only_session(t, "safety_stopped");
}

static void goodbye_and_will_are_told_apart(void **state)
{
	struct test *t = *state;

	it_catalog(t->w, "chair", SHORT_S);
	start_agent(t, 0);
	it_signal(t->agent, SIGTERM);
	it_end_well(t->agent, SOON_MS);
	IT_UNTIL(SOON_MS, device_is(t, "presence", "offline"));
	assert_true(device_is(t, "offline_reason", "goodbye"));

	start_agent(t, 0);
	it_signal(t->agent, SIGKILL);
	IT_UNTIL(SOON_MS, device_is(t, "presence", "offline"));
	assert_true(device_is(t, "offline_reason", "lost"));

	start_agent(t, 0);
	assert_true(device_is(t, "offline_reason", ""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i1_what_was_played_is_shown_everywhere),
	    TEST(i1_i2_a_killed_gateway_loses_nothing_and_doubles_nothing),
	    TEST(i1_a_broker_that_lost_its_disk_is_whole_again_by_itself),
	    TEST(i1_a_killed_agents_session_is_stored_once_as_interrupted),
	    TEST(i1_killed_before_its_first_checkpoint_too),
	    TEST(i1_sigterm_ends_the_session_and_tells_of_it),
	    TEST(goodbye_and_will_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
