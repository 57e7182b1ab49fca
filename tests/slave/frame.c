#include "tests/slave/frame.h"

#include <string.h>

enum { MBAP = 7, CRC = 2, PDU_MIN = 5 };

uint16_t frame_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void frame_put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t crc16(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xFFFF;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

/* Of a request on a serial line, where nothing but its function says how long it is. 0: can't be told yet; -1: never. */
static int rtu_pdu_len(const uint8_t *pdu, size_t len)
{
	switch (pdu[0]) {
	case FRAME_READ_HOLDING:
	case FRAME_READ_INPUTS:
	case FRAME_WRITE_ONE:
		return PDU_MIN;
	case FRAME_WRITE_MANY:
		return len > PDU_MIN ? PDU_MIN + 1 + pdu[PDU_MIN] : 0;
	default:
		return -1;
	}
}

static int take_rtu(const uint8_t *data, size_t len, struct frame *ret_request)
{
	if (len < 2)
		return 0;
	const int pdu_len = rtu_pdu_len(data + 1, len - 1);
	if (pdu_len <= 0)
		return pdu_len;
	const size_t whole = 1 + (size_t)pdu_len + CRC;
	if (pdu_len > FRAME_PDU_MAX)
		return -1;
	if (len < whole)
		return 0;
	const uint16_t crc = (uint16_t)(data[whole - 1] << 8 | data[whole - 2]);
	if (crc != crc16(data, whole - CRC))
		return -1;
	*ret_request = (struct frame){.unit = data[0], .pdu_len = (size_t)pdu_len};
	memcpy(ret_request->pdu, data + 1, (size_t)pdu_len);
	return (int)whole;
}

static int take_tcp(const uint8_t *data, size_t len, struct frame *ret_request)
{
	if (len < MBAP)
		return 0;
	const size_t rest = frame_u16(data + 4);
	if (frame_u16(data + 2) != 0 || rest < 2 || rest - 1 > FRAME_PDU_MAX)
		return -1;
	if (len < MBAP - 1 + rest)
		return 0;
	*ret_request = (struct frame){.transaction = frame_u16(data), .unit = data[6], .pdu_len = rest - 1};
	memcpy(ret_request->pdu, data + MBAP, rest - 1);
	return (int)(MBAP - 1 + rest);
}

int frame_take(bool rtu, const uint8_t *data, size_t len, struct frame *ret_request)
{
	return rtu ? take_rtu(data, len, ret_request) : take_tcp(data, len, ret_request);
}

size_t frame_put(bool rtu, const struct frame *answer, uint8_t ret_data[static FRAME_MAX])
{
	if (!rtu) {
		frame_put_u16(ret_data, answer->transaction);
		frame_put_u16(ret_data + 2, 0);
		frame_put_u16(ret_data + 4, (uint16_t)(answer->pdu_len + 1));
		ret_data[6] = answer->unit;
		memcpy(ret_data + MBAP, answer->pdu, answer->pdu_len);
		return MBAP + answer->pdu_len;
	}
	ret_data[0] = answer->unit;
	memcpy(ret_data + 1, answer->pdu, answer->pdu_len);
	const uint16_t crc = crc16(ret_data, 1 + answer->pdu_len);
	ret_data[1 + answer->pdu_len] = (uint8_t)crc;
	ret_data[2 + answer->pdu_len] = (uint8_t)(crc >> 8);
	return 1 + answer->pdu_len + CRC;
}
