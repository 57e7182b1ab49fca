/* The section `modbus:` of agent.yaml: what is shipped as a comment loads when the comment signs are gone, and mistakes are named. */
#include "agent/config.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/config_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	const int r = config_rig_setup(state);
	if (r == 0)
		config_rig_uncomment(*state, "modbus");
	return r;
}

static void the_shipped_section_loads(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "port: 502", "port: 1502");
	struct agent_config *c = config_rig_load(s);
	const struct modbus_config *modbus = &c->modbus;

	assert_int_equal(c->driver, AGENT_DRIVER_MODBUS);
	assert_int_equal(modbus->class, GF_CLASS_CHAIR);
	assert_string_equal(modbus->bus.host, "192.0.2.40");
	assert_string_equal(modbus->bus.device, "");
	assert_int_equal(modbus->bus.port, 1502);
	assert_int_equal(modbus->bus.unit, 1);
	assert_string_equal(modbus->serial, "GF-0001");
	assert_true(modbus->machine.occupancy);
	assert_int_equal(modbus->machine.carriage_areas,
	                 1U << GF_AREA_CALVES | 1U << GF_AREA_GLUTES | 1U << GF_AREA_LOWER_BACK | 1U << GF_AREA_SHOULDERS);
	assert_int_equal(modbus->machine.carriage_mm[GF_AREA_CALVES], 1450);
	agent_config_free(c);
}

static void a_serial_line_has_the_maps_defaults(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "host: 192.0.2.40              # Modbus TCP\n  port: 502", "device: /dev/ttyUSB0");
	struct agent_config *c = config_rig_load(s);

	assert_string_equal(c->modbus.bus.device, "/dev/ttyUSB0");
	assert_string_equal(c->modbus.bus.host, "");
	assert_int_equal(c->modbus.bus.baud, 19200);
	assert_int_equal(c->modbus.bus.parity, 'E');
	agent_config_free(c);
	shipped_change(s, "host: 192.0.2.40              # Modbus TCP\n  port: 502",
	               "device: /dev/ttyUSB0\n  baud: 115200\n  parity: none");
	c = config_rig_load(s);
	assert_int_equal(c->modbus.bus.baud, 115200);
	assert_int_equal(c->modbus.bus.parity, 'N');
	agent_config_free(c);
}

static void a_machine_may_not_know_who_sits_on_it(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, "occupancy: true ", "occupancy: false ");
	struct agent_config *c = config_rig_load(s);
	assert_false(c->modbus.machine.occupancy);
	agent_config_free(c);
}

static void mistakes_are_named(void **state)
{
	static const struct config_mistake mistakes[] = {
	    {"modbus:\n  host: 192.0.2.40              # Modbus TCP\n  port: 502", "modbus:\n  ^baud: 19200",
	     "modbus needs either 'host' (Modbus TCP) or 'device' (a serial line)"},
	    {"modbus:\n  host: 192.0.2.40 ", "modbus:\n  ^device: /dev/ttyS0\n  host: 192.0.2.40 ",
	     "modbus needs either 'host' (Modbus TCP) or 'device' (a serial line)"},
	    {"host: 192.0.2.40              # Modbus TCP\n  port: 502", "device: /dev/ttyS0\n  port: ^502",
	     "a serial line has no port; leave it out or write a host"},
	    {"port: 502", "baud: ^9600", "a network has no speed; leave it out or write a device"},
	    {"port: 502", "parity: ^even", "a network has no parity; leave it out or write a device"},
	    {"host: 192.0.2.40              # Modbus TCP\n  port: 502", "device: /dev/ttyS0\n  baud: ^4800",
	     "'baud' is '4800'; did you mean '9600'? Expected one of: 9600, 19200, 38400, 57600, 115200"},
	    {"host: 192.0.2.40 ", "host: ^192.0.2.40:502 ", "the port of '192.0.2.40:502' goes into modbus.port"},
	    {"host: 192.0.2.40              # Modbus TCP\n  port: 502", "device: ^ttyUSB0",
	     "modbus.device is 'ttyUSB0'; expected a path such as /dev/ttyS0"},
	    {"port: 502", "port: ^0", "modbus.port is 0; expected 1 to 65535"},
	    {"unit: 1 ", "unit: ^248 ", "modbus.unit is 248; expected 1 to 247"},
	    {"calves: 1450", "calves: ^3001", "modbus.carriage_mm.calves is 3001; expected 0 to 3000"},
	};
	config_rig_refuses_all(*state, mistakes, COUNT(mistakes));
}

static void the_section_must_be_there(void **state)
{
	struct shipped *s = *state;
	config_rig_drop(s, "modbus");
	shipped_change(s, "driver: modbus", "driver: ^modbus");
	config_rig_refuses(s, -EINVAL, "driver: modbus needs a section 'modbus:' with 'host' or 'device'");
}

static void memory_that_runs_out_is_said(void **state)
{
	config_rig_starve(*state);
}

#define SHIPPED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, config_rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHIPPED_TEST(the_shipped_section_loads),
	    SHIPPED_TEST(a_serial_line_has_the_maps_defaults),
	    SHIPPED_TEST(a_machine_may_not_know_who_sits_on_it),
	    SHIPPED_TEST(mistakes_are_named),
	    SHIPPED_TEST(the_section_must_be_there),
	    SHIPPED_TEST(memory_that_runs_out_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
