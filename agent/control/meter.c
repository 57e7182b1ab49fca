#include "agent/control/meter.h"

#include "agent/control/clamp.h"

/* No motor runs, and none turns, so much between two readings; and the numbers stay far from overflowing. */
enum {
	LEAP_MAX = 3600 * 1000,
	SLIP_MAX = 2000, /* so little back is the same meter, read in an odd moment */
};
#define READING_MAX ((UINT64_C(1) << 53) - 1)

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

/* Is this the same meter, a moment later? */
static bool goes_on(int64_t reading, int64_t now)
{
	return now >= reading && now - reading <= LEAP_MAX;
}

static bool slipped(int64_t reading, int64_t now)
{
	return now < reading && reading - now <= SLIP_MAX && now > 0;
}

/* One counter's new reading. A meter that went back or leapt was exchanged: what is open stays open on the new one's scale. */
static void take_reading(bool first, int64_t now, int64_t *reading, int64_t *own, int64_t *given)
{
	if (!first && slipped(*reading, now))
		return;
	if (first)
		*given = now;
	else if (!goes_on(*reading, now))
		*given = now - (*reading + *own - *given);
	*reading = now;
	*own = 0;
}

void meter_reading(struct meter *meter, const struct driver_input *input)
{
	if (!input->has_meter || input->meter_motor_ms > READING_MAX || input->meter_cycles > READING_MAX)
		return;
	if (meter->seen && goes_on(meter->reading.motor_ms, (int64_t)input->meter_motor_ms))
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
