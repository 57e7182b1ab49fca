/*
 * One controller at the end of a wire: requests and answers, each within a bounded time. The only file that knows libmodbus. One
 * thread at a time; the counters may be read by any.
 *
 * An answer that comes after its time must not be taken for the answer to the next question. On TCP the transaction number tells them
 * apart; on a serial line nothing does. So after any failure the bus is out of step, and is brought in step again before an answer is
 * believed: a new number is written and read back until it is the one just written; the controller answers in order, so that
 * everything older has come by then.
 */
#ifndef AGENT_DRIVER_MODBUS_BUS_H
#define AGENT_DRIVER_MODBUS_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/driver/driver.h"
#include "proto/base/err.h"

enum { MB_HOST_MAX = 256, MB_DEVICE_MAX = 256 };

struct mb_bus_config {
	char host[MB_HOST_MAX]; /* TCP; empty: RTU */
	uint16_t port;
	char device[MB_DEVICE_MAX]; /* RTU */
	uint32_t baud;
	char parity; /* 'N', 'E', 'O' */
	uint8_t unit;
};

struct mb_bus;

/* Looks up the host's address; doesn't connect yet. 0, -ENOMEM, -EHOSTUNREACH (no such name), -EINVAL; diag always set. */
GF_MUST_CHECK int mb_bus_new(const struct mb_bus_config *config, struct mb_bus **ret_bus, struct gf_diag *diag);
void mb_bus_free(struct mb_bus *bus);

/* "host:port" or the device. */
const char *mb_bus_name(const struct mb_bus *bus);
bool mb_bus_serial(const struct mb_bus *bus);

/* Closes what was open and connects anew. 0 or a negative errno. */
GF_MUST_CHECK int mb_bus_connect(struct mb_bus *bus);
void mb_bus_close(struct mb_bus *bus);

/*
 * 0; MB_E_REFUSED: the controller answered with an exception; or a negative errno: no answer (-ETIMEDOUT), a broken one (-EBADMSG),
 * no connection (-ENOTCONN, -ECONNRESET and others). After a negative one mb_bus_step is due; the caller may also connect anew.
 */
enum { MB_E_REFUSED = 1, MB_E_NO_SUCH_REGISTER = 2 };
GF_MUST_CHECK int mb_bus_read_inputs(struct mb_bus *bus, uint16_t from, uint16_t count, uint16_t *ret_registers);
GF_MUST_CHECK int mb_bus_write(struct mb_bus *bus, uint16_t from, uint16_t count, const uint16_t *registers);

/*
 * Brings question and answer in step again. Each try writes the next *heartbeat, and *command with it: a sign of life never goes out
 * without saying whether to run. From the second try on it takes long enough for that to be a stop. 0 or a negative errno.
 */
GF_MUST_CHECK int mb_bus_step(struct mb_bus *bus, uint16_t *command, uint16_t *heartbeat);
bool mb_bus_connected(const struct mb_bus *bus);

void mb_bus_counts(const struct mb_bus *bus, struct driver_bus *ret_counts);
void mb_bus_count_reconnect(struct mb_bus *bus);

/* Errno of this file to a sentence's end: "no answer". */
const char *mb_bus_trouble(int error);

#endif
