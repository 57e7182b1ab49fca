/*
 * The control thread's side: newest reading in, newest order out, no waiting. Opening and checking are the main thread's.
 *
 * Failure modes: a reading that is too old, or that the I/O thread wants to fail, is none; a control thread that was away for long
 * (stopped and continued) finds its next orders held until a reading has failed.
 */
#include "agent/driver/modbus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/driver/modbus_io.h"

enum { OPEN_TRIES = 3, CHECK_WAIT_MS = 1000, CHECK_POLL_MS = 10 };

struct modbus {
	struct driver driver;
	struct mb_io io;
	struct mb_greeting greeting;
	/* The control thread's own. */
	struct mb_order order;
	bool held; /* its orders are held until `failed` is another than this: */
	unsigned held_failed;
};

static const struct driver_output off = {.command = DRIVER_STOP};

static struct modbus *modbus_of(struct driver *driver)
{
	return (struct modbus *)(void *)driver;
}

/* --- ticks ------------------------------------------------------------------------------------------------------- */

static int modbus_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct modbus *m = modbus_of(driver);
	const struct mb_reading *reading = newest_get(&m->io.readings);
	(void)mono_ms; /* the age of a reading goes by the clock that stamped it */

	const bool must_fail = atomic_exchange_explicit(&m->io.must_fail, false, memory_order_acq_rel);
	if (must_fail || mb_now_ms() - reading->at_ms > DRIVER_STALE_MS) {
		m->order.failed++;
		return -ETIMEDOUT;
	}
	*ret_input = reading->input;
	return 0;
}

/* This thread was away, and the controller has stopped meanwhile, or should have. */
static void hold_after_gap(struct modbus *m, int64_t now)
{
	if (m->order.at_ms != 0 && now - m->order.at_ms > MB_HUNG_MS) {
		m->held = true;
		m->held_failed = m->order.failed;
		atomic_store_explicit(&m->io.must_fail, true, memory_order_release);
	}
	m->held = m->held && m->order.failed == m->held_failed;
}

static int modbus_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	struct modbus *m = modbus_of(driver);
	const int64_t now = mb_now_ms();
	const bool was_on = m->order.output.command == DRIVER_START;
	(void)mono_ms;

	hold_after_gap(m, now);
	m->order.at_ms = now;
	m->order.clears += output->clear_fault ? 1 : 0;
	m->order.output = m->held ? off : *output;
	newest_put(&m->io.orders, &m->order);
	if (was_on && m->order.output.command != DRIVER_START)
		mb_io_wake(&m->io);
	return atomic_load_explicit(&m->io.refused, memory_order_relaxed);
}

static void modbus_safe(struct driver *driver)
{
	struct modbus *m = modbus_of(driver);
	m->order.output = off;
	newest_put(&m->io.orders, &m->order);
	mb_io_wake(&m->io);
}

static void modbus_bus(const struct driver *driver, struct driver_bus *ret_bus)
{
	mb_bus_counts(((const struct modbus *)(const void *)driver)->io.bus, ret_bus);
}

static void modbus_free(struct driver *driver)
{
	if (driver == NULL)
		return;
	mb_io_stop(&modbus_of(driver)->io);
	free(modbus_of(driver));
}

/* --- --check ----------------------------------------------------------------------------------------------------- */

static void check_sensors(const struct driver_input *input, struct driver_findings *findings)
{
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const char *name = gf_sensor_name((enum gf_sensor)i);
		if (isnan(input->sensors[i]))
			driver_found(findings, DRIVER_FINE, name, "none"); /* whether it must be there is the envelope's to say */
		else
			driver_found(findings, DRIVER_FINE, name, "%.1f", (double)input->sensors[i]);
	}
}

static void check_state(const struct driver_input *input, struct driver_findings *findings)
{
	const struct driver_panel *panel = &input->panel;

	if (input->estop)
		driver_found(findings, DRIVER_DOUBTFUL, "e-stop", "pressed: release it, else no session starts");
	else
		driver_found(findings, DRIVER_FINE, "e-stop", "released");
	if (input->cover_open)
		driver_found(findings, DRIVER_DOUBTFUL, "cover", "open: close it, else no session starts");
	else
		driver_found(findings, DRIVER_FINE, "cover", "closed");
	if (input->fault != GF_FAULT_UNSPECIFIED)
		driver_found(findings, DRIVER_BROKEN, "fault",
		             "the controller says %s: mend it, then clear it with the staff key", gf_fault_name(input->fault));
	if (input->derated)
		driver_found(findings, DRIVER_DOUBTFUL, "derated", "the controller gives less than it is told to");
	if (panel->stop || panel->pause || panel->pain || panel->intensity_up || panel->intensity_down ||
	    panel->routine != 0)
		driver_found(findings, DRIVER_DOUBTFUL, "panel", "a button is down: if nobody presses it, it is stuck");
	else
		driver_found(findings, DRIVER_FINE, "panel", "no button is down%s",
		             panel->staff_key ? ", the staff key is in" : "");
	if (input->has_occupied)
		driver_found(findings, DRIVER_FINE, "occupancy", "%s",
		             input->occupied ? "somebody is on it" : "nobody is on it");
	if (input->axes[DRIVER_AXIS_CARRIAGE].present)
		driver_found(findings, input->axes[DRIVER_AXIS_CARRIAGE].there ? DRIVER_FINE : DRIVER_DOUBTFUL, "carriage",
		             "%s", input->axes[DRIVER_AXIS_CARRIAGE].there ? "homed" : "not homed");
	if (input->has_meter)
		driver_found(findings, DRIVER_FINE, "hour meter", "%.1f h, %llu cycles", (double)input->meter_motor_ms / 3.6e6,
		             (unsigned long long)input->meter_cycles);
	else
		driver_found(findings, DRIVER_DOUBTFUL, "hour meter", "none: motor hours are counted by the agent alone");
}

static void check_controller(const struct modbus *m, struct driver_findings *findings)
{
	const struct mb_identity *identity = &m->greeting.identity;
	struct driver_bus counts;

	mb_bus_counts(m->io.bus, &counts);
	driver_found(findings, counts.timeouts + counts.crc_errors + counts.reconnects > 0 ? DRIVER_DOUBTFUL : DRIVER_FINE,
	             "bus", "%.60s: %u answers missing, %u broken, %u refused", mb_bus_name(m->io.bus), counts.timeouts,
	             counts.crc_errors, counts.exceptions);
	driver_found(findings, DRIVER_FINE, "controller", "map version %u, class %s, serial number '%s'", identity->version,
	             gf_class_name((enum gf_class)identity->class), identity->serial);
	if (m->greeting.dead_man_said)
		driver_found(findings, DRIVER_FINE, "dead man", "the controller stops by itself %u ms after the last heartbeat",
		             m->greeting.dead_man_ms);
	else
		driver_found(
		    findings, DRIVER_DOUBTFUL, "dead man",
		    "the controller doesn't say when it stops by itself (register 0x%X), taken to be %u ms: it is given one "
		    "second at a time",
		    MB_DEAD_MAN, m->greeting.dead_man_ms);
}

static void modbus_check(struct driver *driver, struct driver_findings *findings)
{
	static const struct timespec pause = {.tv_nsec = CHECK_POLL_MS * 1000000L};
	struct modbus *m = modbus_of(driver);
	struct driver_input input;

	for (int ms = 0; modbus_read(driver, 0, &input) != 0; ms += CHECK_POLL_MS) {
		if (ms >= CHECK_WAIT_MS) {
			driver_found(findings, DRIVER_BROKEN, "bus", "%.60s: the controller has fallen silent; see to the cable",
			             mb_bus_name(m->io.bus));
			return;
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	check_controller(m, findings);
	check_state(&input, findings);
	check_sensors(&input, findings);
}

static const struct driver_ops modbus_ops = {
    .name = "modbus",
    .read = modbus_read,
    .write = modbus_write,
    .safe = modbus_safe,
    .bus = modbus_bus,
    .check = modbus_check,
    .free = modbus_free,
};

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int not_reached(const struct mb_bus *bus, int error, struct gf_diag *diag)
{
	const char *name = mb_bus_name(bus);

	if (!mb_bus_serial(bus))
		gf_diag_set(diag, "the controller at %s can't be reached: %s; see that it is on, the cable and the address",
		            name, mb_bus_trouble(error));
	else if (error == -EACCES || error == -EPERM)
		gf_diag_set(diag, "the serial line %s may not be opened by this user: %s; see 'Agents' in deploy/README.md",
		            name, strerror(-error));
	else if (error == -ENOTTY || error == -EISDIR)
		gf_diag_set(diag, "%s is no serial line; mend modbus.device", name);
	else
		gf_diag_set(diag,
		            "the serial line %s can't be opened: %s; see that its adapter is plugged in and modbus.device",
		            name, mb_bus_trouble(error));
	return error;
}

static int greet_once(struct modbus *m, struct gf_diag *diag)
{
	int r = mb_bus_connect(m->io.bus);
	if (r == 0)
		return mb_greet(m->io.bus, &m->io.expected, NULL, &m->io.heartbeat, &m->greeting, diag);
	return not_reached(m->io.bus, r, diag);
}

/* A line that somebody else has just used, or a controller that is still waking up, may cost an answer or two. */
static int open_bus(struct modbus *m, const struct modbus_config *config, struct gf_diag *diag)
{
	int r = mb_bus_new(&config->bus, &m->io.bus, diag);
	if (r != 0)
		return r;
	/* Not the number that an agent before us ended with. */
	m->io.heartbeat = (uint16_t)mb_now_ms();
	for (int i = 0; i < OPEN_TRIES; i++) {
		r = greet_once(m, diag);
		if (r != -ETIMEDOUT && r != -EBADMSG && r != -ECONNRESET)
			break;
	}
	return r;
}

int modbus_driver_new(const struct modbus_config *config, struct driver **ret_driver, struct gf_diag *diag)
{
	struct modbus *m = calloc(1, sizeof(*m));
	if (m == NULL) {
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	}
	m->driver.ops = &modbus_ops;
	m->io.wake_fd = -1;
	m->io.machine = config->machine;
	m->io.expected.class = config->class;
	gf_strcpy(m->io.expected.serial, sizeof(m->io.expected.serial), config->serial);
	int r = open_bus(m, config, diag);
	if (r == 0) {
		r = mb_io_start(&m->io, &m->greeting);
		if (r != 0)
			gf_diag_set(diag, "the thread for %s doesn't start: %s", mb_bus_name(m->io.bus), strerror(-r));
	}
	if (r != 0) {
		modbus_free(&m->driver);
		return r;
	}
	*ret_driver = &m->driver;
	return 0;
}
