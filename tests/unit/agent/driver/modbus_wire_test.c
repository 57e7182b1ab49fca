/* The modbus driver on a bad wire: answers that come late, broken or never, connections that drop, another controller after the cut. */
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/driver/modbus_io.h"
#include "proto/base/rand.h"
#include "tests/unit/agent/driver/modbus_rig.h"

/* BACK: a new connection has a self-test in it, and the machine may have other things to do. */
enum { SOON_MS = 5000, BACK_MS = 20000 };

static struct modbus_rig rig;
static struct driver_input input;

static bool readable(void)
{
	return modbus_rig_tick(&rig, NULL, &input) == 0;
}

/* --- late -------------------------------------------------------------------------------------------------------- */

/*
 * The sensor counts up; a reading may be as old as a reading may be, and no older. Taken for the next one's, late answers would
 * be older and older.
 */
static void i10_a_late_answer_is_never_the_next_ones(void **state)
{
	struct gf_prng prng;
	int readings = 0;
	float shown = 20, before = 20;
	(void)state;
	modbus_rig_open(&rig);
	gf_prng_seed(&prng, 1);
	slave_tell(&rig.slave, "sensor motor_temp_c %g", (double)shown);
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, fabsf(input.sensors[GF_SENSOR_MOTOR_TEMP_C] - shown) < 0.01F);
	for (int round = 0; round < 12; round++) {
		/* Around the time that the driver waits for an answer: some come in time, some too late, some much too late. */
		slave_tell(&rig.slave, "late %d", (int)gf_prng_below(&prng, 4) == 0 ? 0 : 60 + (int)gf_prng_below(&prng, 160));
		before = shown;
		shown += 1;
		slave_tell(&rig.slave, "sensor motor_temp_c %g", (double)shown);
		const int64_t changed_ms = mb_now_ms();
		while (mb_now_ms() - changed_ms < 400) {
			const int64_t now = mb_now_ms();
			if (readable()) {
				const float is = input.sensors[GF_SENSOR_MOTOR_TEMP_C];
				readings++;
				assert_true(fabsf(is - shown) < 0.01F || fabsf(is - before) < 0.01F);
				if (now - changed_ms > DRIVER_STALE_MS + 50)
					assert_true(fabsf(is - shown) < 0.01F);
			}
			modbus_rig_pass(10);
		}
	}
	slave_tell(&rig.slave, "late 0");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable() && fabsf(input.sensors[GF_SENSOR_MOTOR_TEMP_C] - shown) < 0.01F);
	assert_true(readings > 0);
	assert_true(modbus_rig_bus(&rig).timeouts > 0);
}

/* Each answer comes while the next one is waited for. */
static void i10_a_controller_that_is_always_late_is_lost(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "late 130");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, !readable());
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, !slave_on(&rig.slave));
	const int64_t end_ms = mb_now_ms() + 1500;
	while (mb_now_ms() < end_ms) {
		assert_int_not_equal(rig.driver->ops->read(rig.driver, 0, &input), 0);
		modbus_rig_pass(10);
	}
	slave_tell(&rig.slave, "late 0");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
}

/* --- broken ------------------------------------------------------------------------------------------------------ */

static void a_broken_answer_costs_a_moment(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "broken 1");
	if (rig.slave.rtu)
		MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, modbus_rig_bus(&rig).crc_errors == 1);
	modbus_rig_until_on(&rig);
	MODBUS_RIG_UNTIL(&rig, &contract_work, BACK_MS, readable());
	assert_int_equal(modbus_rig_bus(&rig).crc_errors, rig.slave.rtu ? 1 : 0);
}

static void only_broken_answers_are_none(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "broken 1000000");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, !readable());
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, !slave_on(&rig.slave));
	slave_tell(&rig.slave, "broken 0");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
}

static void a_missing_answer_costs_a_moment(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "mute 1");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, modbus_rig_bus(&rig).timeouts >= 1);
	MODBUS_RIG_UNTIL(&rig, &contract_work, BACK_MS, readable());
}

static void exceptions_are_counted_and_survived(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "exception 4 1");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, modbus_rig_bus(&rig).exceptions >= 1);
	MODBUS_RIG_UNTIL(&rig, &contract_work, BACK_MS, readable());
	slave_tell(&rig.slave, "exception 6 1000000");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, !readable());
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, !slave_on(&rig.slave));
	slave_tell(&rig.slave, "exception 6 0");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
}

/* --- cut --------------------------------------------------------------------------------------------------------- */

/* Is there a START in the log after the last line with `mark` and before the core has seen a failed reading? */
static bool started_after(const char *mark)
{
	char line[256];
	bool started = false;
	FILE *log = fopen(rig.slave.log, "re");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL) {
		if (strstr(line, mark) != NULL)
			started = false;
		else if (strstr(line, "command 1 ") != NULL || strstr(line, " on\n") != NULL)
			started = true;
	}
	fclose(log);
	return started;
}

static void after_a_drop_it_is_off_until_a_reading_has_failed(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "drop");
	/* A core that hears of nothing: it only writes. */
	const int64_t end_ms = mb_now_ms() + BACK_MS;
	while (modbus_rig_bus(&rig).reconnects == 0) {
		assert_true(mb_now_ms() < end_ms);
		(void)rig.driver->ops->write(rig.driver, 0, &contract_work);
		modbus_rig_pass(10);
	}
	for (int i = 0; i < 30; i++) {
		(void)rig.driver->ops->write(rig.driver, 0, &contract_work);
		modbus_rig_pass(10);
		assert_false(slave_on(&rig.slave));
	}
	assert_false(started_after("drop"));
	/* However quick the connection was: one reading fails, and then it may run. */
	assert_int_not_equal(rig.driver->ops->read(rig.driver, 0, &input), 0);
	modbus_rig_until_on(&rig);
}

static bool is_knock(const char *text)
{
	return strcmp(text, "knocked in vain\n") == 0;
}

/*
 * The controller goes away, and the driver knows it: it has given up the old connection and asked for a new one. A reading that failed
 * shows less: that may be a thread which came late, and the answer to its last question still lies in the socket.
 */
static void lose_controller(void)
{
	struct slave_note knock;
	slave_tell(&rig.slave, "away on");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, slave_next_note(&rig.slave, is_knock, &knock));
}

/* However young: the tick that is told of a cut isn't followed by some that know of none. */
static void no_reading_from_before_a_cut_is_given_after_it(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, readable());
	lose_controller();
	const int64_t end_ms = mb_now_ms() + DRIVER_STALE_MS + 50;
	do {
		assert_false(readable());
		modbus_rig_pass(1);
	} while (mb_now_ms() < end_ms);
	slave_tell(&rig.slave, "away off");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
}

static void a_controller_that_comes_back_is_found(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	slave_tell(&rig.slave, "away on");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, !readable());
	modbus_rig_pass(1500);
	assert_false(readable());
	slave_tell(&rig.slave, "away off");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
	assert_true(modbus_rig_bus(&rig).reconnects >= 1);
}

static void another_controller_after_the_cut_is_not_taken(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	lose_controller();
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, !readable());
	slave_tell(&rig.slave, "version 2");
	slave_tell(&rig.slave, "away off");
	for (int i = 0; i < 100; i++) {
		assert_int_not_equal(modbus_rig_tick(&rig, &contract_work, &input), 0);
		assert_false(slave_on(&rig.slave));
		modbus_rig_pass(20);
	}
	assert_int_equal(modbus_rig_bus(&rig).reconnects, 0);
	slave_tell(&rig.slave, "version 1");
	MODBUS_RIG_UNTIL(&rig, NULL, BACK_MS, readable());
}

static void a_pulled_cable_ends_no_end(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "deaf on");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, !readable());
	modbus_rig_pass(300);
	const int64_t begun_ms = mb_now_ms();
	rig.driver->ops->free(rig.driver);
	rig.driver = NULL;
	assert_true(mb_now_ms() - begun_ms < 2000);
}

#define TCP(name) MODBUS_RIG_TCP(name, &rig)
#define BOTH(name) MODBUS_RIG_TCP(name, &rig), MODBUS_RIG_RTU(name, &rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(i10_a_late_answer_is_never_the_next_ones),
	    BOTH(i10_a_controller_that_is_always_late_is_lost),
	    BOTH(a_broken_answer_costs_a_moment),
	    BOTH(only_broken_answers_are_none),
	    BOTH(a_missing_answer_costs_a_moment),
	    BOTH(exceptions_are_counted_and_survived),
	    TCP(after_a_drop_it_is_off_until_a_reading_has_failed),
	    TCP(no_reading_from_before_a_cut_is_given_after_it),
	    TCP(a_controller_that_comes_back_is_found),
	    TCP(another_controller_after_the_cut_is_not_taken),
	    BOTH(a_pulled_cable_ends_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
