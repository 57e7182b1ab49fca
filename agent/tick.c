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

static void enter(struct tick *tick, enum tick_phase phase)
{
	atomic_store_explicit(&tick->phase, (int)phase, memory_order_relaxed);
}

static void write_output(struct tick *tick, int64_t mono_ms, const struct driver_output *output)
{
	enter(tick, TICK_WRITES);
	tick->unwritable = tick->driver->ops->write(tick->driver, mono_ms, output) != 0;
}

static void make_safe(struct tick *tick)
{
	enter(tick, TICK_MAKES_SAFE);
	tick->driver->ops->safe(tick->driver);
}

size_t tick_run(struct tick *tick, int64_t mono_ms, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct driver_output output = {0};
	struct driver_input input;

	enter(tick, TICK_READS);
	bool readable = tick->driver->ops->read(tick->driver, mono_ms, &input) == 0;
	enter(tick, TICK_STEPS);
	/* Hardware that takes no output is as lost as one that gives no reading. */
	bool answers = readable && !tick->unwritable;
	size_t count = control_step(tick->control, mono_ms, answers ? &input : NULL, &output, events);
	write_output(tick, mono_ms, &output);
	if (tick->unwritable)
		make_safe(tick);
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == CONTROL_EVENT_TELEMETRY)
			fill_heartbeat(tick, &events[i].heartbeat);
	}
	enter(tick, TICK_WAITS);
	return count;
}

size_t tick_end(struct tick *tick, int64_t mono_ms, enum gf_outcome outcome,
                struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct driver_output output = {0};
	size_t count = control_shutdown(tick->control, mono_ms, outcome, &output, events);
	write_output(tick, mono_ms, &output);
	make_safe(tick);
	enter(tick, TICK_WAITS);
	return count;
}
