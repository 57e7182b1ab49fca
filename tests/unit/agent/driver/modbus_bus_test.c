/* Question and answer on the bus itself: what came too late, and is still on its way, is nobody's answer. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/driver/modbus_bus.h"
#include "agent/driver/modbus_map.h"
#include "tests/unit/agent/driver/modbus_rig.h"

static struct modbus_rig rig;
static struct mb_bus *bus;
static uint16_t heartbeat, command;

static int setup(bool rtu)
{
	modbus_rig_start(&rig, rtu);
	command = MB_STOP;
	assert_int_equal(mb_bus_new(&rig.config.bus, &bus, &rig.diag), 0);
	assert_int_equal(mb_bus_connect(bus), 0);
	for (int i = 0; i < 50; i++) {
		if (mb_bus_step(bus, &command, &heartbeat) == 0)
			return 0;
	}
	return -1;
}

static int setup_tcp(void **state)
{
	(void)state;
	return setup(false);
}

static int setup_rtu(void **state)
{
	(void)state;
	return setup(true);
}

static int teardown(void **state)
{
	(void)state;
	mb_bus_free(bus);
	modbus_rig_stop(&rig);
	return 0;
}

static int supply(uint16_t *ret_mv)
{
	return mb_bus_read_inputs(bus, MB_SUPPLY, 1, ret_mv);
}

/* However slow the machine is that the test runs on. */
static void get_in_step(void)
{
	int r = -1;
	for (int i = 0; i < 50 && r != 0; i++)
		r = mb_bus_step(bus, &command, &heartbeat);
	assert_int_equal(r, 0);
}

static void assert_supply(uint16_t want_mv)
{
	uint16_t mv = 0;
	int r;
	while ((r = supply(&mv)) == -ETIMEDOUT)
		get_in_step();
	assert_int_equal(r, 0);
	assert_int_equal(mv, want_mv);
}

/* The wire is good again, and shows what the controller shows now. */
static void assert_only_what_is_new(void)
{
	slave_tell(&rig.slave, "late 0");
	slave_tell(&rig.slave, "sensor supply_mv 22222");
	get_in_step();
	for (int i = 0; i < 20; i++)
		assert_supply(22222);
}

static void late_answers_to_a_question_are_forgotten(void **state)
{
	uint16_t mv = 0;
	(void)state;
	slave_tell(&rig.slave, "sensor supply_mv 11111");
	slave_tell(&rig.slave, "late 250");
	assert_int_equal(supply(&mv), -ETIMEDOUT);
	assert_int_equal(supply(&mv), -ETIMEDOUT);
	assert_only_what_is_new();
}

/* A late answer to an order looks as the one to the order that brings us in step; what comes behind it is as late. */
static void late_answers_to_orders_are_forgotten(void **state)
{
	const uint16_t stop[] = {MB_STOP, 7};
	uint16_t mv = 0;
	(void)state;
	slave_tell(&rig.slave, "sensor supply_mv 11111");
	slave_tell(&rig.slave, "late 250");
	assert_int_equal(mb_bus_write(bus, MB_COMMAND, 2, stop), -ETIMEDOUT);
	slave_tell(&rig.slave, "late 130");
	assert_int_equal(supply(&mv), -ETIMEDOUT);
	assert_only_what_is_new();
}

static void a_refusal_is_an_answer(void **state)
{
	struct driver_bus counts;
	uint16_t mv = 4711;
	(void)state;
	assert_int_equal(mb_bus_read_inputs(bus, 0x180, 1, &mv), MB_E_NO_SUCH_REGISTER);
	slave_tell(&rig.slave, "exception 6 1");
	assert_int_equal(supply(&mv), MB_E_REFUSED);
	/* A number that no exception has. */
	slave_tell(&rig.slave, "exception 200 1");
	assert_int_equal(supply(&mv), -EBADMSG);
	assert_int_equal(mv, 4711);
	mb_bus_counts(bus, &counts);
	assert_int_equal(counts.exceptions, 2);
}

/* With a START, and with so many broken answers to begin with. On a busy test machine an answer may be late: then once more. */
static void step_in_time(int broken)
{
	int r = -ETIMEDOUT;
	for (int i = 0; i < 50 && r == -ETIMEDOUT; i++) {
		get_in_step();
		slave_tell(&rig.slave, "broken %d", broken);
		command = MB_START;
		r = mb_bus_step(bus, &command, &heartbeat);
		slave_tell(&rig.slave, "broken 0");
	}
	assert_int_equal(r, 0);
}

static void a_stop_goes_along_from_the_second_try_on(void **state)
{
	(void)state;
	step_in_time(0);
	assert_int_equal(command, MB_START);
	step_in_time(1);
	assert_int_equal(command, MB_STOP);
	assert_int_equal(slave_reg(&rig.slave, MB_COMMAND), MB_STOP);
	assert_int_equal(slave_reg(&rig.slave, MB_HEARTBEAT), heartbeat);
}

static void nothing_is_asked_without_a_connection(void **state)
{
	uint16_t mv = 0;
	(void)state;
	mb_bus_close(bus);
	assert_false(mb_bus_connected(bus));
	assert_int_equal(supply(&mv), -ENOTCONN);
	assert_int_equal(mb_bus_step(bus, &command, &heartbeat), -ENOTCONN);
	assert_int_equal(mb_bus_connect(bus), 0);
	get_in_step();
	mb_bus_free(NULL);
}

#define BOTH(name)                                              \
	cmocka_unit_test_setup_teardown(name, setup_tcp, teardown), \
	    cmocka_unit_test_setup_teardown(name, setup_rtu, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(late_answers_to_a_question_are_forgotten),
	    BOTH(late_answers_to_orders_are_forgotten),
	    BOTH(a_refusal_is_an_answer),
	    BOTH(a_stop_goes_along_from_the_second_try_on),
	    BOTH(nothing_is_asked_without_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
