#include "agent/control/telemetry.h"

#include <math.h>

static void add(struct telemetry_sensor *s, float value, uint32_t elapsed_ms)
{
	s->min = s->seen && s->min < value ? s->min : value;
	s->max = s->seen && s->max > value ? s->max : value;
	s->last = value;
	s->sum_ms += (double)value * elapsed_ms;
	s->ms += elapsed_ms;
	s->seen = true;
}

void telemetry_add(struct telemetry *telemetry, const struct driver_input *input, uint32_t elapsed_ms)
{
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		if (isfinite(input->sensors[i]))
			add(&telemetry->sensors[i], input->sensors[i], elapsed_ms);
	}
}

/* Rounding must not put the mean outside what was measured. */
static float mean_of(const struct telemetry_sensor *s)
{
	if (s->ms == 0)
		return s->last;
	const float mean = (float)(s->sum_ms / (double)s->ms);
	return mean < s->min ? s->min : mean > s->max ? s->max : mean;
}

void telemetry_take(struct telemetry *telemetry, struct gf_stat ret_sensors[static GF_SENSOR_COUNT])
{
	for (int i = 0; i < GF_SENSOR_COUNT; i++) {
		const struct telemetry_sensor *s = &telemetry->sensors[i];
		ret_sensors[i] = (struct gf_stat){0};
		if (s->seen)
			ret_sensors[i] = (struct gf_stat){true, s->min, mean_of(s), s->max, s->last};
	}
	*telemetry = (struct telemetry){0};
}
