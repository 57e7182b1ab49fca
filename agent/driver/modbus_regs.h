/*
 * Registers to driver_input and driver_output to registers (modbus_map.h). Pure; any bytes are fine: what no sensor can say is NaN or
 * left to the core's judgement, what no register can carry is cut.
 */
#ifndef AGENT_DRIVER_MODBUS_REGS_H
#define AGENT_DRIVER_MODBUS_REGS_H

#include "agent/driver/driver.h"
#include "agent/driver/modbus_map.h"

/* What of the machine the registers don't say. */
struct mb_machine {
	bool occupancy;                      /* it can tell whether somebody is on it */
	uint32_t carriage_areas;             /* bit (1 << enum gf_area): the carriage has a place for it; 0 = no targets */
	uint16_t carriage_mm[GF_AREA_COUNT]; /* the place */
	bool lease;                          /* never gives the controller more than a second at a time */
};

struct mb_identity {
	uint16_t version, class;
	char serial[MB_SERIAL_LEN + 1]; /* what can't be printed is '?' */
};

void mb_identity_take(const uint16_t registers[static MB_IDENTITY_COUNT], struct mb_identity *ret_identity);

/* `target_mm`: where the carriage was last told to go; MB_NONE = nowhere. */
void mb_input_take(const struct mb_machine *machine, const uint16_t registers[static MB_INPUTS_COUNT],
                   uint16_t target_mm, struct driver_input *ret_input);

/* All but the heartbeat, which is 0. Anything but a running output is all zero below its command. */
void mb_output_put(const struct mb_machine *machine, const struct driver_output *output,
                   uint16_t ret_registers[static MB_OUTPUTS]);

/* Does `now` take something away from what `before` gave, or point it elsewhere? Such a change goes out at once. */
bool mb_output_urgent(const uint16_t before[static MB_OUTPUTS], const uint16_t now[static MB_OUTPUTS]);

#endif
