/* The first words on a new connection: in step, stop, who are you, test yourself, stop. */
#ifndef AGENT_DRIVER_MODBUS_GREET_H
#define AGENT_DRIVER_MODBUS_GREET_H

#include <stdatomic.h>

#include "agent/driver/modbus_bus.h"
#include "agent/driver/modbus_regs.h"

enum { MB_READY_MS = 3000 }; /* for the self-test */

struct mb_expected {
	enum gf_class class;
	char serial[MB_SERIAL_LEN + 1]; /* empty: any */
};

struct mb_greeting {
	struct mb_identity identity;
	uint32_t dead_man_ms;
	bool dead_man_said; /* false: assumed, the controller hasn't the register */
	uint16_t inputs[MB_INPUTS_COUNT];
};

/*
 * On a connected bus. Afterwards the outputs are off, and the controller is ready, or tells by an emergency stop, an open cover or a
 * fault why it isn't. Gives up early (-ECANCELED) when *stopping becomes true; it may be NULL. 0, -EINVAL (not the controller it
 * should be, or one that nothing can stop in time), or another negative errno; diag set but for -ECANCELED.
 */
GF_MUST_CHECK int mb_greet(struct mb_bus *bus, const struct mb_expected *expected, const atomic_bool *stopping,
                           uint16_t *heartbeat, struct mb_greeting *ret_greeting, struct gf_diag *diag);

#endif
