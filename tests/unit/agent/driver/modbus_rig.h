/* A modbus driver and the controller at the other end of its wire. */
#ifndef TESTS_DRIVER_MODBUS_RIG_H
#define TESTS_DRIVER_MODBUS_RIG_H

#include "agent/driver/modbus.h"
#include "tests/slave/slave.h"
#include "tests/unit/agent/driver/contract.h"

struct modbus_rig {
	struct slave slave;
	struct modbus_config config;
	struct driver *driver; /* NULL: not open */
	struct gf_diag diag;
};

/* Starts the controller, a chair with serial number GF-0001 (on a serial line of 19200 baud), and makes the configuration for it. */
void modbus_rig_start(struct modbus_rig *rig, bool rtu);
/* Opens the driver; fails the test when it can't. */
void modbus_rig_open(struct modbus_rig *rig);
void modbus_rig_stop(struct modbus_rig *rig);

/* A cmocka test between start and stop of `rig`, over either kind of wire. */
#define MODBUS_RIG_TCP(name, rig) \
	cmocka_unit_test_prestate_setup_teardown(name, modbus_rig_setup_tcp, modbus_rig_teardown, (rig))
#define MODBUS_RIG_RTU(name, rig) \
	cmocka_unit_test_prestate_setup_teardown(name, modbus_rig_setup_rtu, modbus_rig_teardown, (rig))
int modbus_rig_setup_tcp(void **state);
int modbus_rig_setup_rtu(void **state);
int modbus_rig_teardown(void **state);

/* Opening is refused with exactly this sentence, in which %N is the controller's name. */
void modbus_rig_refused(struct modbus_rig *rig, int error, const char *sentence);

/* A tick: reads, and writes `output` (NULL: a pause) whatever came; the reading's result. */
int modbus_rig_tick(struct modbus_rig *rig, const struct driver_output *output, struct driver_input *ret_input);
/* Ticks until the controller has the outputs on, or off. */
void modbus_rig_until_on(struct modbus_rig *rig);

void modbus_rig_pass(int ms);
struct driver_bus modbus_rig_bus(const struct modbus_rig *rig);

/* Ticks with `output` until the expression is true; fails the test after the time. `input` holds the newest reading. */
#define MODBUS_RIG_UNTIL(rig, output, timeout_ms, expression)                     \
	do {                                                                          \
		const int64_t rig_end_ms = mb_now_ms() + (timeout_ms);                    \
		for (;;) {                                                                \
			(void)modbus_rig_tick((rig), (output), &input);                       \
			if (expression)                                                       \
				break;                                                            \
			if (mb_now_ms() >= rig_end_ms)                                        \
				fail_msg("not within %d ms: %s", (int)(timeout_ms), #expression); \
			modbus_rig_pass(20);                                                  \
		}                                                                         \
	} while (0)

#endif
