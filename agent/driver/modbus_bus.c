#include "agent/driver/modbus_bus.h"

#include <errno.h>
#include <modbus/modbus.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/driver/modbus_map.h"

enum {
	ANSWER_MS = 100,
	BITS_PER_BYTE = 11, /* on the wire: start, 8, parity or a second stop bit, stop */
	STEP_TRIES = 4,
	NAME_MAX_LEN = MB_HOST_MAX + 16,
};

struct mb_bus {
	modbus_t *wire;
	char name[NAME_MAX_LEN];
	bool serial, connected;
	long gap_ns; /* of silence before a request */
	atomic_uint timeouts, crc_errors, exceptions, reconnects;
};

/* --- making ------------------------------------------------------------------------------------------------------ */

/* The address in numbers, so that connecting again never waits for a name server. */
static int resolve(const char *host, uint16_t port, char address[static NI_MAXHOST], char service[static NI_MAXSERV],
                   struct gf_diag *diag)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char number[8];

	snprintf(number, sizeof(number), "%u", port);
	int r = getaddrinfo(host, number, &hints, &found);
	if (r == 0) {
		r = getnameinfo(found->ai_addr, found->ai_addrlen, address, NI_MAXHOST, service, NI_MAXSERV,
		                NI_NUMERICHOST | NI_NUMERICSERV);
		freeaddrinfo(found);
	}
	if (r == 0)
		return 0;
	gf_diag_set(diag, "the controller's address '%s' can't be found (%s); mend modbus.host or write its number", host,
	            gai_strerror(r));
	return r == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
}

static int make_tcp(struct mb_bus *bus, const struct mb_bus_config *config, struct gf_diag *diag)
{
	char address[NI_MAXHOST], service[NI_MAXSERV];
	int r = resolve(config->host, config->port, address, service, diag);
	if (r != 0)
		return r;
	snprintf(bus->name, sizeof(bus->name), "%s:%u", config->host, config->port);
	bus->wire = modbus_new_tcp_pi(address, service);
	return 0;
}

static void make_rtu(struct mb_bus *bus, const struct mb_bus_config *config)
{
	/* Without parity a second stop bit keeps the length of a byte (the standard wants it so). */
	bus->wire = modbus_new_rtu(config->device, (int)config->baud, config->parity, 8, config->parity == 'N' ? 2 : 1);
	bus->serial = true;
	gf_strcpy(bus->name, sizeof(bus->name), config->device);
	/* 3.5 bytes, at high speeds 1.75 ms. */
	bus->gap_ns = config->baud > 19200 ? 1750000L : 1000000000L / (long)config->baud * BITS_PER_BYTE * 7 / 2;
}

int mb_bus_new(const struct mb_bus_config *config, struct mb_bus **ret_bus, struct gf_diag *diag)
{
	struct mb_bus *bus = calloc(1, sizeof(*bus));
	int r = 0;
	if (bus == NULL) {
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	}
	if (config->host[0] != '\0')
		r = make_tcp(bus, config, diag);
	else
		make_rtu(bus, config);
	if (r == 0 && (bus->wire == NULL || modbus_set_slave(bus->wire, config->unit) != 0)) {
		r = errno == ENOMEM ? -ENOMEM : -EINVAL;
		gf_diag_set(diag, "modbus: %s, unit %u can't be set up: %s", bus->name, config->unit, modbus_strerror(errno));
	}
	if (r != 0) {
		mb_bus_free(bus);
		return r;
	}
	/* A whole answer, from the first byte to the last. */
	modbus_set_response_timeout(bus->wire, 0, ANSWER_MS * 1000U);
	modbus_set_byte_timeout(bus->wire, 0, 0);
	*ret_bus = bus;
	return 0;
}

void mb_bus_free(struct mb_bus *bus)
{
	if (bus == NULL)
		return;
	if (bus->wire != NULL) {
		mb_bus_close(bus);
		modbus_free(bus->wire);
	}
	free(bus);
}

const char *mb_bus_name(const struct mb_bus *bus)
{
	return bus->name;
}

bool mb_bus_serial(const struct mb_bus *bus)
{
	return bus->serial;
}

void mb_bus_close(struct mb_bus *bus)
{
	if (bus->connected)
		modbus_close(bus->wire);
	bus->connected = false;
}

int mb_bus_connect(struct mb_bus *bus)
{
	mb_bus_close(bus);
	errno = 0;
	/* libmodbus leaves EINPROGRESS where nobody has answered in time. */
	if (modbus_connect(bus->wire) != 0)
		return errno == EINPROGRESS ? -ETIMEDOUT : errno > 0 && errno < MODBUS_ENOBASE ? -errno : -EIO;
	bus->connected = true;
	return 0;
}

/* --- talking ----------------------------------------------------------------------------------------------------- */

static void one_more(atomic_uint *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* What libmodbus left in errno. */
static int judge(struct mb_bus *bus, int error)
{
	if (error >= EMBXILFUN && error <= EMBXGTAR) {
		one_more(&bus->exceptions);
		return error == EMBXILADD ? MB_E_NO_SUCH_REGISTER : MB_E_REFUSED;
	}
	if (error == ETIMEDOUT) {
		one_more(&bus->timeouts);
		return -ETIMEDOUT;
	}
	if (error == EMBBADCRC)
		one_more(&bus->crc_errors);
	if (error >= MODBUS_ENOBASE)
		return -EBADMSG;
	return error > 0 ? -error : -EIO;
}

static int before(struct mb_bus *bus)
{
	if (!bus->connected)
		return -ENOTCONN;
	if (bus->gap_ns > 0) {
		const struct timespec gap = {.tv_nsec = bus->gap_ns};
		clock_nanosleep(CLOCK_MONOTONIC, 0, &gap, NULL);
	}
	errno = 0;
	return 0;
}

int mb_bus_read_inputs(struct mb_bus *bus, uint16_t from, uint16_t count, uint16_t *ret_registers)
{
	uint16_t registers[MODBUS_MAX_READ_REGISTERS];
	int r = before(bus);
	if (r != 0)
		return r;
	if (modbus_read_input_registers(bus->wire, from, count, registers) != count)
		return judge(bus, errno);
	memcpy(ret_registers, registers, count * sizeof(registers[0]));
	return 0;
}

int mb_bus_write(struct mb_bus *bus, uint16_t from, uint16_t count, const uint16_t *registers)
{
	int r = before(bus);
	if (r != 0)
		return r;
	const int done = count == 1 ? modbus_write_register(bus->wire, from, registers[0])
	                            : modbus_write_registers(bus->wire, from, count, registers);
	return done == count ? 0 : judge(bus, errno);
}

/* --- in step ----------------------------------------------------------------------------------------------------- */

static int read_back(struct mb_bus *bus, uint16_t *ret_heartbeat)
{
	int r = before(bus);
	if (r != 0)
		return r;
	return modbus_read_registers(bus->wire, MB_HEARTBEAT, 1, ret_heartbeat) == 1 ? 0 : judge(bus, errno);
}

/* Lets what is under way arrive, longer each time, and forgets it: one answer behind, we would stay so with every further request. */
static void drain(struct mb_bus *bus, int try)
{
	const struct timespec wait = {.tv_nsec = (long)try * ANSWER_MS / 2 * 1000000};
	if (try > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	modbus_flush(bus->wire);
}

int mb_bus_step(struct mb_bus *bus, uint16_t *command, uint16_t *heartbeat)
{
	int r = -ENOTCONN;
	for (int i = 0; bus->connected && i < STEP_TRIES; i++) {
		uint16_t back = 0;
		(*heartbeat)++;
		*command = i == 0 ? *command : MB_STOP;
		const uint16_t told[] = {*command, *heartbeat};
		drain(bus, i);
		r = mb_bus_write(bus, MB_COMMAND, 2, told);
		if (r == 0)
			r = read_back(bus, &back);
		if (r == 0 && back == *heartbeat)
			return 0;
		/* Late or broken: once more. Without any answer it has taken long enough. */
		if (r < 0 && r != -EBADMSG)
			return r;
	}
	return r < 0 ? r : -EBADMSG;
}

bool mb_bus_connected(const struct mb_bus *bus)
{
	return bus->connected;
}

void mb_bus_count_reconnect(struct mb_bus *bus)
{
	one_more(&bus->reconnects);
}

void mb_bus_counts(const struct mb_bus *bus, struct driver_bus *ret_counts)
{
	*ret_counts = (struct driver_bus){
	    .timeouts = atomic_load_explicit(&bus->timeouts, memory_order_relaxed),
	    .crc_errors = atomic_load_explicit(&bus->crc_errors, memory_order_relaxed),
	    .exceptions = atomic_load_explicit(&bus->exceptions, memory_order_relaxed),
	    .reconnects = atomic_load_explicit(&bus->reconnects, memory_order_relaxed),
	};
}

const char *mb_bus_trouble(int error)
{
	switch (error) {
	case MB_E_REFUSED:
	case MB_E_NO_SUCH_REGISTER:
		return "it refused the request";
	case -ETIMEDOUT:
		return "no answer";
	case -EBADMSG:
		return "a broken answer";
	default:
		return strerror(error < 0 ? -error : EIO);
	}
}
