/*
 * The rules of rest and strikes on real programs: a controller behind Modbus, an agent, the gateway, and what the operator reads. Two
 * machines at once: one runs until it must rest (D1), one stalls until it is out of service (D3). Neither gets around it by a kill -9.
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
#include "tests/slave/slave.h"

#define CLASS "roller"

enum {
	SOON_MS = 30000,
	DUTY_MS = 120000, /* of wall time until a minute's budget is used up */
	ROUTINE_S = 120,
	PRESS_MS = 500,
	STALL_MS = 4000,
	CLEARED_MS = 12000, /* a stall must be gone for 10 s */
	BEATS = 20,
};

struct machine {
	const char *id;
	struct slave slave;
	const char *config;
	struct it_proc *agent;
	int64_t pressed_ms;
	unsigned lives;
};

struct test {
	struct it_world *w;
	struct machine resting, stalling;
};

/* With a log of its own: what it says is not what the one before it said. */
static void launch(struct test *t, struct machine *m)
{
	char name[32];
	snprintf(name, sizeof(name), "%s-%u", m->id, ++m->lives);
	m->agent = it_spawn(t->w, name, it_program("gymfleet-agent"), "--config", m->config);
}

static void make_machine(struct test *t, struct machine *m, const char *id, const char *envelope)
{
	m->id = id;
	slave_start(&m->slave, false, (const char *const[]){"--class", CLASS, NULL});
	const struct it_agent agent = {.id = id, .class = CLASS};
	m->config = it_agent_config(t->w, &agent);
	char *yaml = it_read(m->config), *driver = strstr(yaml, "driver: sim");
	assert_non_null(driver);
	*driver = '\0';
	it_write(m->config, "%sdriver: modbus\nmodbus: {host: 127.0.0.1, port: %u}\n%s", yaml, m->slave.port, envelope);
	free(yaml);
	launch(t, m);
}

static bool selected(struct test *t, const char *id, const char *where)
{
	json_t *devices = it_ask(t->w, "devices", "--where", where);
	const bool found = devices != NULL && it_find(it_items(devices), "id", id) != NULL;
	json_decref(devices);
	return found;
}

static bool sees(struct test *t, const char *id, const char *words)
{
	struct it_output output =
	    it_run(t->w, it_program("gymfleet"), "--socket", it_path(t->w, "gateway.sock"), "health", id);
	const bool seen = strstr(output.out, words) != NULL;
	it_output_free(&output);
	return seen;
}

static int setup(void **state)
{
	static struct test test;
	struct test *t = &test;

	*state = t;
	t->w = it_open("safety");
	it_broker_start(t->w);
	it_gateway_start(t->w);
	it_catalog(t->w, CLASS, ROUTINE_S);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	make_machine(t, &t->resting, "roller-1", "envelope: {duty_max_min: 1, rest_min: 30}\n");
	make_machine(t, &t->stalling, "roller-2", "");
	IT_UNTIL(SOON_MS, it_online(t->w) == 2);
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	slave_stop(&t->resting.slave);
	slave_stop(&t->stalling.slave);
	it_close(t->w);
	return 0;
}

static void ask_for_a_session(struct machine *m)
{
	(void)slave_tell(&m->slave, "routine 1 %d", PRESS_MS);
}

/* Pressed, let go and pressed again, as people do. */
static bool runs_when_asked(struct machine *m)
{
	const int64_t now_ms = it_now_ms();
	const bool on = slave_on(&m->slave);
	if (!on && now_ms - m->pressed_ms > 3 * PRESS_MS) {
		m->pressed_ms = now_ms;
		(void)slave_tell(&m->slave, "routine 1 %d", PRESS_MS);
	}
	return on;
}

/* Asked for a session, the agent has told the controller so often that it is alive, and nothing ran. */
static void refuses(struct machine *m)
{
	const int first = slave_reg(&m->slave, 0x01);
	(void)slave_tell(&m->slave, "routine 1 %d", PRESS_MS);
	int64_t end_ms = it_now_ms() + SOON_MS;
	while (((slave_reg(&m->slave, 0x01) - first) & 0xFFFF) < BEATS) {
		assert_false(slave_on(&m->slave));
		assert_true(it_now_ms() < end_ms);
		it_pause();
	}
}

static void kill_and_start_again(struct test *t, struct machine *m)
{
	it_signal(m->agent, SIGKILL);
	launch(t, m);
	IT_UNTIL(SOON_MS, it_log_has(m->agent, "connected"));
}

static void stall_once(struct test *t, struct machine *m, unsigned times)
{
	char where[64];
	IT_UNTIL(SOON_MS, runs_when_asked(m));
	(void)slave_tell(&m->slave, "inject stall %d", STALL_MS);
	IT_UNTIL(SOON_MS, !slave_on(&m->slave));
	snprintf(where, sizeof(where), "sessions=%u", times);
	IT_UNTIL(SOON_MS, selected(t, m->id, where));
}

static void d3_three_stalls_take_the_machine_out_of_service_until_staff_clears_it(void **state)
{
	struct test *t = *state;
	struct machine *m = &t->stalling;

	ask_for_a_session(&t->resting); /* it needs a minute; meanwhile: */
	for (unsigned i = 1; i <= 3; i++) {
		stall_once(t, m, i);
		if (i < 3)
			IT_UNTIL(CLEARED_MS + SOON_MS, selected(t, m->id, "open_faults=0"));
	}
	IT_UNTIL(SOON_MS, selected(t, m->id, "out_of_service=yes and health=critical"));
	assert_true(sees(t, m->id, "out of service"));
	assert_true(sees(t, m->id, "staff key"));
	assert_true(it_log_has(m->agent, "stall (latch): three over-currents or stalls in 24 h"));
	refuses(m);

	kill_and_start_again(t, m);
	refuses(m);
	assert_true(selected(t, m->id, "out_of_service=yes and health=critical"));

	(void)slave_tell(&m->slave, "press staff 4000");
	IT_UNTIL(SOON_MS, selected(t, m->id, "out_of_service=no and open_faults=0"));
	IT_UNTIL(SOON_MS, runs_when_asked(m));
	IT_UNTIL(SOON_MS, selected(t, m->id, "health=ok"));
}

static void d1_a_restart_in_a_rest_continues_it(void **state)
{
	struct test *t = *state;
	struct machine *m = &t->resting;

	IT_UNTIL(SOON_MS, slave_on(&m->slave) || selected(t, m->id, "resting=yes") || runs_when_asked(m));
	IT_UNTIL(DUTY_MS, selected(t, m->id, "resting=yes and health=attention"));
	assert_false(slave_on(&m->slave));
	assert_true(sees(t, m->id, "without enough rest"));
	refuses(m);

	kill_and_start_again(t, m);
	refuses(m);
	assert_true(selected(t, m->id, "resting=yes and rest_until > +20m"));
	kill_and_start_again(t, m);
	refuses(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(d3_three_stalls_take_the_machine_out_of_service_until_staff_clears_it),
	    cmocka_unit_test(d1_a_restart_in_a_rest_continues_it),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
