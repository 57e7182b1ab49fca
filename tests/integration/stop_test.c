/*
 * I4 on whole agents: emergency stop, open cover and over-current at a controller behind Modbus, at random moments of a session, while the
 * agents' disk stalls for two seconds at a time and the broker is gone. Judged by the controller's own log: from the moment the register
 * changes to the write that tells it to stop, in readings: the agent reads once a tick. Where it took more, a test machine was late; how
 * late it was is measured beside it, and no more than that is allowed for. How long it took is printed.
 */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/control.h"
#include "agent/driver/driver.h"
#include "proto/base/file.h"
#include "proto/base/rand.h"
#include "tests/integration/fleet.h"
#include "tests/integration/stall.h"
#include "tests/slave/slave.h"

#define CLASS "roller"

enum {
	MACHINES = 20,
	MOMENTS = 5, /* of each */
	TICKS_MAX = 2,
	SHOWS = 1, /* the reading that shows it */
	OVERCURRENT_MS = 300,
	OVERCURRENT_READINGS = OVERCURRENT_MS / CONTROL_TICK_MS,
	LASTS_MS = 600,
	BEFORE_MS_MAX = 500,
	STALL_MS = 2000,
	PRESS_MS = 400,
	ASK_MS = 60,
	ROUTINE_S = 100,
	SOON_MS = 60000,
	ALL_MS = 150000,
};

/* Three of one kind within a day would put the machine out of service. */
static const enum gf_fault hazards[MOMENTS] = {GF_FAULT_ESTOP, GF_FAULT_OVERCURRENT, GF_FAULT_COVER_OPEN,
                                               GF_FAULT_OVERCURRENT, GF_FAULT_COVER_OPEN};

enum state { STARTS, RUNS, IS_STRUCK, IS_OVER, IS_DONE };

struct machine {
	char name[32];
	struct slave slave;
	struct it_proc *agent;
	enum state state;
	unsigned moments;
	int64_t look_ms, press_ms, strike_ms, over_ms;
	struct slave_note injected;
};

static struct test {
	struct it_world *w;
	struct it_stall *disk;
	struct gf_prng prng;
	struct machine machines[MACHINES];
	double took_ms[MACHINES * MOMENTS];
	unsigned readings[MACHINES * MOMENTS];
	size_t moments;
	int64_t now_ms, late_ms; /* late_ms: the longest time between two looks */
} test;

/* ---- machines ---- */

static void make(struct it_world *w, struct machine *m, unsigned number)
{
	static const char *const options[] = {"--class", CLASS, "--busy", "0", NULL};
	struct gf_diag diag = {{0}};
	const char *config;

	snprintf(m->name, sizeof(m->name), "roller-%u", number);
	slave_start(&m->slave, false, options);
	it_device(w, m->name);
	assert_int_equal(gf_dir_make(it_path(w, "machines/%s", m->name), &diag), 0);
	config = it_path(w, "machines/%s/agent.yaml", m->name);
	it_write(config,
	         "class: " CLASS "\nmodel: test\nlocation: {site: lab}\nstate_dir: .\ncatalog: ../../catalogs/" CLASS
	         ".catalog\nclock: system\nrated_motor_h: 2000\nheartbeat_s: 1\n"
	         "broker: {host: localhost, port: %u, ca_file: ../../pki/ca.pem, cert_file: ../../pki/devices/%s.pem, "
	         "key_file: ../../pki/devices/%s.key}\n"
	         "driver: modbus\nmodbus: {host: 127.0.0.1, port: %u, unit: 1, occupancy: false}\n",
	         it_device_port(w), m->name, m->name, m->slave.port);
	m->agent = it_spawn_stalled(w, m->name, test.disk, it_program("gymfleet-agent"), config);
}

static int setup(void **state)
{
	const char *seed = getenv("GF_SEED");

	(void)state;
	test.w = it_open("stop");
	gf_prng_seed(&test.prng, seed != NULL ? strtoull(seed, NULL, 10) : 20261009);
	it_catalog(test.w, CLASS, ROUTINE_S);
	test.disk = it_stall_open(test.w, it_path(test.w, "machines"));
	it_broker_start(test.w);
	for (unsigned i = 0; i < MACHINES; i++)
		make(test.w, &test.machines[i], i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	it_close(test.w);
	it_stall_close(test.disk);
	for (unsigned i = 0; i < MACHINES; i++)
		slave_stop(&test.machines[i].slave);
	return 0;
}

/* ---- the controller's log ---- */

static bool is_inject(const char *text)
{
	return strncmp(text, "inject ", 7) == 0;
}

/* Any command but START, alone or with all the others. */
static bool is_stop(const char *text)
{
	unsigned command, rest;
	if (sscanf(text, "write 0x00 = %u", &command) == 1 || sscanf(text, "write 0x%x.. command %u", &rest, &command) == 2)
		return command != DRIVER_START;
	return false;
}

/* ---- moments ---- */

/* Somebody presses the button until it runs. */
static void ask(struct machine *m, int64_t now_ms)
{
	if (now_ms - m->press_ms < 2 * PRESS_MS)
		return;
	m->press_ms = now_ms;
	slave_tell(&m->slave, "routine 1 %d", PRESS_MS);
}

static void judge(struct machine *m, const struct slave_note *stopped)
{
	const bool lasts = hazards[m->moments] == GF_FAULT_OVERCURRENT;
	const double took_ms = stopped->ms - m->injected.ms - (lasts ? OVERCURRENT_MS : 0);
	const double allowed_ms = (double)((SHOWS + TICKS_MAX) * CONTROL_TICK_MS + test.late_ms);
	unsigned readings = (unsigned)(stopped->readings - m->injected.readings);

	if (lasts)
		readings = readings > OVERCURRENT_READINGS ? readings - OVERCURRENT_READINGS : 0;
	if (readings > SHOWS + TICKS_MAX && took_ms > allowed_ms)
		fail_msg("%s: told to stop %u readings and %.1f ms after %s had to; the log is %s", m->name, readings, took_ms,
		         gf_fault_name(hazards[m->moments]), it_log(m->agent));
	test.readings[test.moments] = readings;
	test.took_ms[test.moments++] = took_ms;
}

static void look(struct machine *m, int64_t now_ms)
{
	struct slave_note stopped;

	switch (m->state) {
	case STARTS:
		ask(m, now_ms);
		if (!slave_on(&m->slave))
			break;
		m->strike_ms = now_ms + (int64_t)gf_prng_below(&test.prng, BEFORE_MS_MAX);
		m->state = RUNS;
		break;
	case RUNS:
		if (now_ms < m->strike_ms)
			break;
		if (!slave_on(&m->slave)) {
			m->state = STARTS;
			break;
		}
		slave_tell(&m->slave, "inject %s %d", gf_fault_name(hazards[m->moments]), LASTS_MS);
		assert_true(slave_next_note(&m->slave, is_inject, &m->injected));
		m->state = IS_STRUCK;
		break;
	case IS_STRUCK:
		if (!slave_next_note(&m->slave, is_stop, &stopped))
			break;
		judge(m, &stopped);
		m->over_ms = now_ms + LASTS_MS;
		m->state = IS_OVER;
		break;
	case IS_OVER:
		if (now_ms >= m->over_ms)
			m->state = ++m->moments < MOMENTS ? STARTS : IS_DONE;
		break;
	case IS_DONE:
		break;
	}
}

static bool all_done(void)
{
	for (unsigned i = 0; i < MACHINES; i++) {
		if (test.machines[i].state != IS_DONE)
			return false;
	}
	return true;
}

static bool all_run(void)
{
	for (unsigned i = 0; i < MACHINES; i++) {
		struct machine *m = &test.machines[i];
		if (!it_alive(m->agent))
			it_end_well(m->agent, 0); /* it has not: shows why */
		if (!it_log_has(m->agent, ": connected"))
			return false;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void tell(void)
{
	unsigned counts[SHOWS + TICKS_MAX + 1] = {0};

	qsort(test.took_ms, test.moments, sizeof(test.took_ms[0]), by_value);
	for (size_t i = 0; i < test.moments; i++)
		counts[test.readings[i] < SHOWS + TICKS_MAX ? test.readings[i] : SHOWS + TICKS_MAX]++;
	print_message(
	    "%zu hazards, %llu calls held up by the disk; told to stop by reading 0, 1, 2, 3: %u, %u, %u, %u times\n",
	    test.moments, (unsigned long long)it_stall_count(test.disk), counts[0], counts[1], counts[2], counts[3]);
	print_message("after %.1f ms (median), %.1f ms (99 of 100), %.1f ms (worst); the test itself was %lld ms late\n",
	              test.took_ms[test.moments / 2], test.took_ms[test.moments * 99 / 100], test.took_ms[test.moments - 1],
	              (long long)test.late_ms);
}

static void i4_a_hazard_stops_the_machine_within_two_ticks(void **state)
{
	(void)state;
	IT_UNTIL(SOON_MS, all_run());
	it_stall_set(test.disk, STALL_MS);
	it_broker_kill(test.w);
	const int64_t end_ms = it_now_ms() + ALL_MS;
	test.now_ms = it_now_ms();
	while (!all_done()) {
		const int64_t now_ms = it_now_ms();
		test.late_ms = now_ms - test.now_ms > test.late_ms ? now_ms - test.now_ms : test.late_ms;
		test.now_ms = now_ms;
		if (now_ms > end_ms)
			fail_msg("not through within %d s", ALL_MS / 1000);
		for (unsigned i = 0; i < MACHINES; i++) {
			struct machine *m = &test.machines[i];
			if (now_ms - m->look_ms >= ASK_MS || (m->state == RUNS && now_ms >= m->strike_ms)) {
				m->look_ms = now_ms;
				look(m, now_ms);
			}
		}
		it_pause();
	}
	tell();
	/* Late now and then; not as a rule. */
	assert_true(test.took_ms[test.moments / 2] <= (SHOWS + TICKS_MAX) * CONTROL_TICK_MS);
	assert_true(it_stall_count(test.disk) > MACHINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i4_a_hazard_stops_the_machine_within_two_ticks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
