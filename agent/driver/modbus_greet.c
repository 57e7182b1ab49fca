#include "agent/driver/modbus_greet.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "proto/base/now.h"

enum { POLL_MS = 20, NS_PER_MS = 1000000 };

struct greet {
	struct mb_bus *bus;
	const atomic_bool *stopping;
	struct gf_diag *diag;
};

static bool given_up(const struct greet *g)
{
	return g->stopping != NULL && atomic_load_explicit(g->stopping, memory_order_acquire);
}

/* A request that failed. */
static int failed(const struct greet *g, int r, const char *what)
{
	gf_diag_set(g->diag, "the controller at %s: %s when %s; see that it is on, the cable, the unit number and %s",
	            mb_bus_name(g->bus), mb_bus_trouble(r), what,
	            mb_bus_serial(g->bus) ? "the speed and parity" : "the port");
	return r < 0 ? r : -EPROTO;
}

/* A command with nothing to go with it. The heartbeat between them stays as it is. */
static int say(const struct greet *g, uint16_t command)
{
	static const struct driver_output off = {.command = DRIVER_STOP};
	static const struct mb_machine nowhere;
	uint16_t registers[MB_OUTPUTS];

	mb_output_put(&nowhere, &off, registers);
	int r = mb_bus_write(g->bus, MB_MASK, MB_OUTPUTS - MB_MASK, &registers[MB_MASK]);
	return r != 0 ? r : mb_bus_write(g->bus, MB_COMMAND, 1, &command);
}

/* --- who it is --------------------------------------------------------------------------------------------------- */

static int check_identity(const struct greet *g, const struct mb_expected *expected, const struct mb_identity *identity)
{
	const char *name = mb_bus_name(g->bus);

	if (identity->version != MB_MAP_VERSION) {
		gf_diag_set(g->diag, "the controller at %s has register map version %u, this agent knows %d; update %s", name,
		            identity->version, MB_MAP_VERSION,
		            identity->version > MB_MAP_VERSION ? "gymfleet-agent" : "the controller's firmware");
		return -EINVAL;
	}
	if (identity->class != (uint16_t)expected->class) {
		const bool known = identity->class > GF_CLASS_UNSPECIFIED && identity->class < GF_CLASS_COUNT;
		gf_diag_set(
		    g->diag,
		    "the controller at %s says it is a %s (class %u), agent.yaml says class %s; mend `class` or connect the "
		    "right controller",
		    name, known ? gf_class_name((enum gf_class)identity->class) : "machine of an unknown class",
		    identity->class, gf_class_name(expected->class));
		return -EINVAL;
	}
	if (expected->serial[0] != '\0' && strcmp(expected->serial, identity->serial) != 0) {
		gf_diag_set(
		    g->diag,
		    "the controller at %s has the serial number '%s', agent.yaml says '%s'; mend modbus.serial or connect "
		    "the right controller",
		    name, identity->serial, expected->serial);
		return -EINVAL;
	}
	return 0;
}

static int ask_identity(const struct greet *g, const struct mb_expected *expected, struct mb_identity *ret_identity)
{
	uint16_t registers[MB_IDENTITY_COUNT];
	int r = mb_bus_read_inputs(g->bus, MB_IDENTITY, MB_IDENTITY_COUNT, registers);
	if (r == MB_E_NO_SUCH_REGISTER) {
		gf_diag_set(g->diag,
		            "the controller at %s has no identity registers (0x%X): it isn't a massage controller that keeps "
		            "gymfleet's register map; see its manual for a firmware that does",
		            mb_bus_name(g->bus), MB_IDENTITY);
		return -EINVAL;
	}
	if (r != 0)
		return failed(g, r, "asked who it is");
	mb_identity_take(registers, ret_identity);
	return check_identity(g, expected, ret_identity);
}

/* I5. Nothing of ours can stop the motor once this process is gone. */
static int ask_dead_man(const struct greet *g, struct mb_greeting *greeting)
{
	uint16_t ms = 0;
	int r = mb_bus_read_inputs(g->bus, MB_DEAD_MAN, 1, &ms);
	if (r == MB_E_NO_SUCH_REGISTER) {
		greeting->dead_man_ms = MB_DEAD_MAN_ASSUMED_MS;
		return 0;
	}
	if (r != 0)
		return failed(g, r, "asked for its heartbeat timeout");
	if (ms == 0 || ms > DRIVER_DEAD_MAN_MS) {
		gf_diag_set(g->diag,
		            "the controller at %s %s after the last heartbeat (register 0x%X: %u ms), at most %d ms are safe; "
		            "set its heartbeat timeout to 800 ms",
		            mb_bus_name(g->bus), ms == 0 ? "never stops" : "stops too long", MB_DEAD_MAN, ms,
		            DRIVER_DEAD_MAN_MS);
		return -EINVAL;
	}
	greeting->dead_man_ms = ms;
	greeting->dead_man_said = true;
	return 0;
}

/* --- the self-test ----------------------------------------------------------------------------------------------- */

/* Ready, or with a reason not to be that the control core will deal with. */
static bool settled(uint16_t status)
{
	return (status & (MB_STATUS_READY | MB_STATUS_ESTOP | MB_STATUS_COVER | MB_STATUS_FAULT)) != 0;
}

static int wait_ready(const struct greet *g, uint16_t ret_inputs[static MB_INPUTS_COUNT])
{
	static const struct timespec pause = {.tv_nsec = (long)POLL_MS * NS_PER_MS};
	const int64_t end_ms = gf_now_ms(CLOCK_MONOTONIC) + MB_READY_MS;
	do {
		int r = mb_bus_read_inputs(g->bus, MB_INPUTS, MB_INPUTS_COUNT, ret_inputs);
		if (r != 0)
			return failed(g, r, "testing itself");
		if (settled(ret_inputs[MB_STATUS - MB_INPUTS]))
			return 0;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	} while (gf_now_ms(CLOCK_MONOTONIC) < end_ms && !given_up(g));
	if (given_up(g))
		return -ECANCELED;
	gf_diag_set(
	    g->diag,
	    "the controller at %s isn't ready %d s after its self-test began and gives no reason (status 0x%X); switch the "
	    "machine off and on, else have it looked at",
	    mb_bus_name(g->bus), MB_READY_MS / 1000, ret_inputs[MB_STATUS - MB_INPUTS]);
	return -EIO;
}

static int self_test(const struct greet *g, uint16_t ret_inputs[static MB_INPUTS_COUNT])
{
	int r = say(g, MB_SELF_TEST);
	if (r != 0)
		return failed(g, r, "told to test itself");
	r = wait_ready(g, ret_inputs);
	if (r != 0)
		return r;
	if ((r = say(g, MB_STOP)) != 0 || (r = mb_bus_read_inputs(g->bus, MB_INPUTS, MB_INPUTS_COUNT, ret_inputs)) != 0)
		return failed(g, r, "told to stop");
	if ((ret_inputs[MB_STATUS - MB_INPUTS] & MB_STATUS_RUNNING) != 0) {
		gf_diag_set(
		    g->diag,
		    "the controller at %s says that it runs although it was told to stop; pull the machine's plug and have it "
		    "looked at",
		    mb_bus_name(g->bus));
		return -EIO;
	}
	return 0;
}

int mb_greet(struct mb_bus *bus, const struct mb_expected *expected, const atomic_bool *stopping, uint16_t *heartbeat,
             struct mb_greeting *ret_greeting, struct gf_diag *diag)
{
	const struct greet g = {.bus = bus, .stopping = stopping, .diag = diag};
	struct mb_greeting greeting = {.dead_man_said = false};

	uint16_t command = MB_STOP;
	int r = mb_bus_step(bus, &command, heartbeat);
	if (r != 0)
		return failed(&g, r, "told to stop");
	if ((r = ask_identity(&g, expected, &greeting.identity)) != 0 || (r = ask_dead_man(&g, &greeting)) != 0 ||
	    (r = self_test(&g, greeting.inputs)) != 0)
		return r;
	*ret_greeting = greeting;
	return 0;
}
