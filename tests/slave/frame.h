/*
 * Modbus as the controller's side sees it: requests out of a stream of bytes, answers into one. RTU (unit, PDU, CRC) and TCP (MBAP
 * header, PDU). Written from the specification, not with the driver's library, so that the two check each other.
 */
#ifndef TESTS_SLAVE_FRAME_H
#define TESTS_SLAVE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_PDU_MAX = 253,
	FRAME_MAX = 260,
	FRAME_REGISTERS_MAX = 125,

	FRAME_READ_HOLDING = 3,
	FRAME_READ_INPUTS = 4,
	FRAME_WRITE_ONE = 6,
	FRAME_WRITE_MANY = 16,
	FRAME_ERROR = 0x80, /* added to the function */

	FRAME_E_FUNCTION = 1,
	FRAME_E_ADDRESS = 2,
	FRAME_E_VALUE = 3,
};

struct frame {
	uint16_t transaction; /* TCP */
	uint8_t unit;
	size_t pdu_len;
	uint8_t pdu[FRAME_PDU_MAX]; /* function first */
};

/* The number of bytes that the first request takes; 0: not all of it is here; -1: no request, forget these bytes. */
int frame_take(bool rtu, const uint8_t *data, size_t len, struct frame *ret_request);
/* The number of bytes of the answer. */
size_t frame_put(bool rtu, const struct frame *answer, uint8_t ret_data[static FRAME_MAX]);

uint16_t frame_u16(const uint8_t *at);
void frame_put_u16(uint8_t *at, uint16_t value);

#endif
