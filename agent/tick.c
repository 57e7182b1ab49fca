#include "agent/tick.h"

static void fill_heartbeat(struct tick *tick, struct gf_heartbeat *beat)
{
	const struct driver *driver = tick->driver;
	tick_stats_take(&tick->stats, beat);
	if (driver->ops->bus == NULL)
		return;
	struct driver_bus bus = {0};
	driver->ops->bus(driver, &bus);
	beat->bus_timeouts = bus.timeouts;
	beat->bus_crc_errors = bus.crc_errors;
	beat->bus_exceptions = bus.exceptions;
	beat->bus_reconnects = bus.reconnects;
}

size_t tick_run(struct tick *tick, int64_t mono_ms, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct driver *driver = tick->driver;
	struct driver_output output = {0};
	struct driver_input input;

	bool readable = driver->ops->read(driver, mono_ms, &input) == 0;
	/* Hardware that takes no output is as lost as one that gives no reading. */
	bool answers = readable && !tick->unwritable;
	size_t count = control_step(tick->control, mono_ms, answers ? &input : NULL, &output, events);
	tick->unwritable = driver->ops->write(driver, mono_ms, &output) != 0;
	if (tick->unwritable)
		driver->ops->safe(driver);
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == CONTROL_EVENT_TELEMETRY)
			fill_heartbeat(tick, &events[i].heartbeat);
	}
	return count;
}

size_t tick_end(struct tick *tick, int64_t mono_ms, enum gf_outcome outcome,
                struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct driver *driver = tick->driver;
	struct driver_output output = {0};
	size_t count = control_shutdown(tick->control, mono_ms, outcome, &output, events);
	(void)driver->ops->write(driver, mono_ms, &output);
	driver->ops->safe(driver);
	return count;
}
