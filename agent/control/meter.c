#include "agent/control/meter.h"

#include "agent/control/clamp.h"

static int64_t positive(int64_t value)
{
	return value > 0 ? value : 0;
}

void meter_elapsed(struct meter *meter, const struct driver_output *output, uint32_t elapsed_ms)
{
	if (!output_on(output))
		return;
	meter->own.motor_ms += elapsed_ms;
	meter->total_ms += elapsed_ms;
	meter->part_cycle += (double)output->frequency_hz * elapsed_ms / 1000.0;
	const int64_t whole = (int64_t)meter->part_cycle;
	meter->own.cycles += whole;
	meter->part_cycle -= (double)whole;
}

/* One counter's new reading. A meter that went back was exchanged: what is open stays open on the new one's scale. */
static void take_reading(bool first, int64_t now, int64_t *reading, int64_t *own, int64_t *given)
{
	if (first)
		*given = now;
	else if (now < *reading)
		*given = now - (*reading + *own - *given);
	*reading = now;
	*own = 0;
}

void meter_reading(struct meter *meter, const struct driver_input *input)
{
	if (!input->has_meter)
		return;
	if (meter->seen && (int64_t)input->meter_motor_ms >= meter->reading.motor_ms)
		meter->total_ms += (int64_t)input->meter_motor_ms - meter->reading.motor_ms - meter->own.motor_ms;
	take_reading(!meter->seen, (int64_t)input->meter_motor_ms, &meter->reading.motor_ms, &meter->own.motor_ms,
	             &meter->given.motor_ms);
	take_reading(!meter->seen, (int64_t)input->meter_cycles, &meter->reading.cycles, &meter->own.cycles,
	             &meter->given.cycles);
	meter->seen = true;
}

struct meter_count meter_open(const struct meter *meter)
{
	return (struct meter_count){
	    .motor_ms = positive(meter->reading.motor_ms + meter->own.motor_ms - meter->given.motor_ms),
	    .cycles = positive(meter->reading.cycles + meter->own.cycles - meter->given.cycles),
	};
}

struct meter_count meter_take(struct meter *meter)
{
	const struct meter_count open = meter_open(meter);
	meter->given.motor_ms += open.motor_ms;
	meter->given.cycles += open.cycles;
	return open;
}
