/*
 * A machine whose controller speaks Modbus (modbus_map.h), over a serial line or TCP.
 *
 *     control thread   read <── newest reading ──┐                       ┌── RTU / TCP ──> controller
 *                      write ── newest output ──>│ I/O thread: modbus_io ┤ modbus_bus
 *                                                └── modbus_regs         └── heartbeat, while `write` is called
 *
 * libmodbus waits for answers, so the bus has a thread of its own. The controller is asked all the time, told what changed, and told to
 * stop before anything else. Who keeps the outputs off when something dies: the controller, by its heartbeat register, when this
 * process does; the I/O thread when the control thread does.
 */
#ifndef AGENT_DRIVER_MODBUS_H
#define AGENT_DRIVER_MODBUS_H

#include "agent/driver/driver.h"
#include "agent/driver/modbus_bus.h"
#include "agent/driver/modbus_regs.h"

struct modbus_config {
	enum gf_class class;
	struct mb_bus_config bus;
	struct mb_machine machine;      /* lease is left to modbus_driver_new */
	char serial[MB_SERIAL_LEN + 1]; /* the controller must say so; empty: any */
};

/*
 * Connects, asks the controller who it is, lets it test itself, takes a first reading. Nothing is kept of `config`. Takes a few seconds at
 * most. 0, -EINVAL (not the controller it should be), or another negative errno, with a sentence.
 */
GF_MUST_CHECK int modbus_driver_new(const struct modbus_config *config, struct driver **ret_driver,
                                    struct gf_diag *diag);

#endif
