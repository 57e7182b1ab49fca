#include "agent/control/sensors.h"

#include <math.h>

#include "agent/control/clamp.h"

enum {
	JUMP_SETTLES_MS = 3000, /* a new level that lasts is where the sensor now is; its loss has been told by then */
	SILENT_AFTER_MS = 5000,
};
#define JUMP_C 15.0F
#define JUMP_C_PER_S 5.0F
#define AIR_LEAVES_MMHG_PER_S 5.0F
#define SILENT_SHARE 0.005F /* of current_max_ma */

/* Numbers are D: what no sensor of a massage machine shows, and how long one can stand still while the motor works. */
static const struct {
	float min, max;
	bool jumps;         /* a temperature: it can't change fast */
	uint32_t frozen_ms; /* 0: may stand still for ever */
} traits[GF_SENSOR_COUNT] = {
    [GF_SENSOR_MOTOR_TEMP_C] = {-20, 200, true, 300 * 1000},
    [GF_SENSOR_SURFACE_TEMP_C] = {-20, 120, true, 0},
    [GF_SENSOR_CURRENT_MA] = {-1000, 200000, false, 60 * 1000},
    [GF_SENSOR_SPEED_RPM] = {-20000, 20000, false, 0},
    [GF_SENSOR_PRESSURE_MMHG] = {-100, 1000, false, 60 * 1000},
    [GF_SENSOR_SUPPLY_MV] = {0, 100000, false, 0},
    [GF_SENSOR_BATTERY_PCT] = {0, 100, false, 0},
};

static uint32_t longer(uint32_t ms, uint32_t elapsed_ms)
{
	return ms < UINT32_MAX - elapsed_ms ? ms + elapsed_ms : UINT32_MAX;
}

/* Above this a temperature stops the machine whether it jumped or not. */
static float danger(const struct control_envelope *envelope, enum gf_sensor which)
{
	return which == GF_SENSOR_MOTOR_TEMP_C ? envelope->motor_temp_stop_c : envelope->surface_temp_stop_c;
}

static bool jumps(struct sensor_state *s, float value, float danger_c, uint32_t elapsed_ms)
{
	const float possible = JUMP_C + JUMP_C_PER_S * (float)elapsed_ms / 1000.0F;
	if (!s->seen || fabsf(value - s->last) <= possible || value > danger_c) {
		s->odd_ms = 0;
		return false;
	}
	s->odd_ms += elapsed_ms;
	return s->odd_ms < JUMP_SETTLES_MS;
}

static bool frozen(struct sensor_state *s, float value, uint32_t running_ms, uint32_t limit_ms)
{
	if (running_ms == 0) {
		s->moved = false;
		s->start = value;
	} else if (value < s->start || value > s->start) {
		s->moved = true;
	}
	return limit_ms > 0 && !s->moved && running_ms >= limit_ms;
}

static enum sensor_doubt judge(struct sensors *sensors, const struct control_envelope *envelope, enum gf_sensor which,
                               float value, uint32_t elapsed_ms)
{
	struct sensor_state *s = &sensors->states[which];
	if (isnan(value))
		return s->seen || (envelope->sensors & 1U << which) != 0 ? SENSOR_ABSENT : SENSOR_BELIEVED;
	if (!(value >= traits[which].min && value <= traits[which].max))
		return SENSOR_ABSURD;
	if (traits[which].jumps && jumps(s, value, danger(envelope, which), elapsed_ms))
		return SENSOR_JUMPED;
	s->seen = true;
	s->last = value;
	const bool asked = which != GF_SENSOR_PRESSURE_MMHG || sensors->pressing;
	if (frozen(s, value, asked ? sensors->running_ms : 0, traits[which].frozen_ms))
		return SENSOR_FROZEN;
	if (which == GF_SENSOR_CURRENT_MA && (envelope->sensors & 1U << which) != 0 &&
	    sensors->running_ms >= SILENT_AFTER_MS && value < envelope->current_max_ma * SILENT_SHARE)
		return SENSOR_SILENT;
	return SENSOR_BELIEVED;
}

void sensors_unseen(struct sensors *sensors, uint32_t elapsed_ms)
{
	sensors->unseen_ms = longer(sensors->unseen_ms, elapsed_ms);
}

void sensors_judge(struct sensors *sensors, const struct control_envelope *envelope, const struct driver_input *raw,
                   const struct driver_output *output, uint32_t elapsed_ms, struct driver_input *ret_believed)
{
	const uint32_t since_ms = longer(sensors->unseen_ms, elapsed_ms);
	const bool working = output_works(output);

	sensors->unseen_ms = 0;
	sensors->running_ms = working ? longer(sensors->running_ms, elapsed_ms) : 0;
	sensors->pressing = output->pressure_mmhg > 0;
	sensors->asked_mmhg -= AIR_LEAVES_MMHG_PER_S * (float)elapsed_ms / 1000.0F;
	if (sensors->asked_mmhg < output->pressure_mmhg)
		sensors->asked_mmhg = output->pressure_mmhg;
	*ret_believed = *raw;
	ret_believed->sensors[GF_SENSOR_UNSPECIFIED] = NAN;
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		struct sensor_state *s = &sensors->states[i];
		s->doubt = judge(sensors, envelope, (enum gf_sensor)i, raw->sensors[i], since_ms);
		if (s->doubt != SENSOR_BELIEVED)
			ret_believed->sensors[i] = NAN;
	}
}

enum gf_sensor sensors_lost(const struct sensors *sensors, enum sensor_doubt *ret_doubt)
{
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		if (sensors->states[i].doubt == SENSOR_BELIEVED)
			continue;
		*ret_doubt = sensors->states[i].doubt;
		return (enum gf_sensor)i;
	}
	return GF_SENSOR_UNSPECIFIED;
}

const char *sensor_doubt_text(enum sensor_doubt doubt)
{
	switch (doubt) {
	case SENSOR_ABSENT:
		return "gives no value";
	case SENSOR_ABSURD:
		return "shows what no such sensor can show: another unit, or a broken wire";
	case SENSOR_JUMPED:
		return "jumps faster than anything can warm or cool";
	case SENSOR_FROZEN:
		return "stands still while the motor works";
	case SENSOR_SILENT:
		return "shows nothing while the motor works";
	case SENSOR_BELIEVED:
		break;
	}
	return "is fine";
}
