#include "tests/unit/agent/driver/modbus_rig.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "agent/driver/modbus_io.h"

enum { OPEN_TRIES = 10 };

void modbus_rig_start(struct modbus_rig *rig, bool rtu)
{
	static const char *const slow[] = {"--baud", "19200", NULL};
	*rig = (struct modbus_rig){.config = {.class = GF_CLASS_CHAIR,
	                                      .bus = {.unit = 1, .baud = 19200, .parity = 'E'},
	                                      .machine = {.occupancy = true}}};
	slave_start(&rig->slave, rtu, rtu ? slow : NULL);
	if (rtu)
		gf_strcpy(rig->config.bus.device, sizeof(rig->config.bus.device), rig->slave.link);
	else
		gf_strcpy(rig->config.bus.host, sizeof(rig->config.bus.host), "127.0.0.1");
	rig->config.bus.port = rig->slave.port;
}

/* As the service manager does it: on a busy test machine answers may be late for so long that opening fails. */
static int open_patiently(struct modbus_rig *rig, int expected)
{
	int r = 0;
	for (int i = 0; i < OPEN_TRIES; i++) {
		r = modbus_driver_new(&rig->config, &rig->driver, &rig->diag);
		if (r == expected || (r != -ETIMEDOUT && r != -EBADMSG))
			break;
	}
	return r;
}

void modbus_rig_open(struct modbus_rig *rig)
{
	if (open_patiently(rig, 0) != 0)
		fail_msg("%s", rig->diag.text);
}

void modbus_rig_stop(struct modbus_rig *rig)
{
	if (rig->driver != NULL)
		rig->driver->ops->free(rig->driver);
	slave_stop(&rig->slave);
}

int modbus_rig_setup_tcp(void **state)
{
	modbus_rig_start(*state, false);
	return 0;
}

int modbus_rig_setup_rtu(void **state)
{
	modbus_rig_start(*state, true);
	return 0;
}

int modbus_rig_teardown(void **state)
{
	modbus_rig_stop(*state);
	return 0;
}

void modbus_rig_refused(struct modbus_rig *rig, int error, const char *sentence)
{
	char want[GF_DIAG_MAX], name[128];
	const char *mark = strstr(sentence, "%N");

	snprintf(name, sizeof(name), "127.0.0.1:%u", rig->slave.port);
	if (mark != NULL)
		snprintf(want, sizeof(want), "%.*s%s%s", (int)(mark - sentence), sentence,
		         rig->slave.rtu ? rig->slave.link : name, mark + 2);
	else
		gf_strcpy(want, sizeof(want), sentence);
	assert_int_equal(open_patiently(rig, error), error);
	assert_null(rig->driver);
	assert_string_equal(rig->diag.text, want);
	assert_false(slave_on(&rig->slave));
}

int modbus_rig_tick(struct modbus_rig *rig, const struct driver_output *output, struct driver_input *ret_input)
{
	static const struct driver_output pause = {.command = DRIVER_PAUSE};
	const int r = rig->driver->ops->read(rig->driver, mb_now_ms(), ret_input);
	const int w = rig->driver->ops->write(rig->driver, mb_now_ms(), r == 0 && output != NULL ? output : &pause);
	return r != 0 ? r : w;
}

void modbus_rig_until_on(struct modbus_rig *rig)
{
	struct driver_input input;
	MODBUS_RIG_UNTIL(rig, &contract_work, 20000, slave_on(&rig->slave));
}

void modbus_rig_pass(int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

struct driver_bus modbus_rig_bus(const struct modbus_rig *rig)
{
	struct driver_bus bus;
	rig->driver->ops->bus(rig->driver, &bus);
	return bus;
}
