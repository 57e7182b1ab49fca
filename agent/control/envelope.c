#include "agent/control/envelope.h"

#include "proto/base/span.h"

#define SENSOR(name) (1U << GF_SENSOR_##name)
#define SENSORS_COMMON (SENSOR(MOTOR_TEMP_C) | SENSOR(CURRENT_MA) | SENSOR(SUPPLY_MV))

/* 80 %: above it is locked. Start and ramp: P6. Temperatures: D2. */
#define ENVELOPE_COMMON                                                                                        \
	.intensity_max_pct = 80, .start_max_pct = 30, .ramp_max_pct_s = 1, .motor_temp_derate_c = 60,              \
	.motor_temp_stop_c = 70, .motor_temp_rearm_c = 50, .surface_temp_derate_c = 41, .surface_temp_stop_c = 43, \
	.supply_min_mv = 20000
/* D1. Where the rule names no class, the chair's numbers. */
#define DUTY(warn_min, max_min, rest_min) \
	.duty_warn_ms = (warn_min)*GF_MINUTE_MS, .duty_max_ms = (max_min)*GF_MINUTE_MS, .rest_ms = (rest_min)*GF_MINUTE_MS

static const struct control_envelope defaults[] = {
    [GF_CLASS_UNSPECIFIED] = {ENVELOPE_COMMON},
    /* Frequency: Cheatham 2021; 15 min a use: a maker's FAQ. */
    [GF_CLASS_PERCUSSION] = {ENVELOPE_COMMON, DUTY(10, 15, 15), .frequency_max_hz = 53, .current_max_ma = 4000,
                             .session_max_ms = 15 * GF_MINUTE_MS, .sensors = SENSORS_COMMON},
    [GF_CLASS_ROLLER] = {ENVELOPE_COMMON, DUTY(20, 30, 15), .frequency_max_hz = 53, .current_max_ma = 3500,
                         .session_max_ms = 30 * GF_MINUTE_MS, .sensors = SENSORS_COMMON},
    /* Pressure: 0 to 100 mmHg is typical, 30 min in the trials. */
    [GF_CLASS_COMPRESSION] = {ENVELOPE_COMMON, DUTY(20, 30, 15), .frequency_max_hz = 10, .pressure_max_mmhg = 100,
                              .current_max_ma = 2500, .session_max_ms = 30 * GF_MINUTE_MS,
                              .sensors = SENSORS_COMMON | SENSOR(PRESSURE_MMHG)},
    [GF_CLASS_CHAIR] = {ENVELOPE_COMMON, DUTY(20, 30, 15), .frequency_max_hz = 10, .pressure_max_mmhg = 100,
                        .current_max_ma = 6000, .session_max_ms = 30 * GF_MINUTE_MS, .sensors = SENSORS_COMMON},
    /* A session is 15 min. */
    [GF_CLASS_WATER_BED] = {ENVELOPE_COMMON, DUTY(15, 20, 15), .frequency_max_hz = 5, .current_max_ma = 5000,
                            .session_max_ms = 15 * GF_MINUTE_MS, .sensors = SENSORS_COMMON | SENSOR(SURFACE_TEMP_C)},
};
_Static_assert(sizeof(defaults) / sizeof(defaults[0]) == GF_CLASS_COUNT, "each class has its envelope");

void control_envelope_defaults(enum gf_class class, struct control_envelope *ret_envelope)
{
	*ret_envelope = defaults[class > 0 && class < GF_CLASS_COUNT ? class : GF_CLASS_UNSPECIFIED];
	if (class == GF_CLASS_WATER_BED) { /* D2: water is at most 40 C */
		ret_envelope->surface_temp_derate_c = 38;
		ret_envelope->surface_temp_stop_c = 40;
	}
}

static float tighter(float envelope, float limit)
{
	return limit > 0 && limit < envelope ? limit : envelope;
}

struct control_envelope control_envelope_tighten(const struct control_envelope *envelope,
                                                 const struct control_limits *limits)
{
	struct control_envelope tight = *envelope;
	tight.intensity_max_pct = tighter(envelope->intensity_max_pct, limits->intensity_max_pct);
	tight.frequency_max_hz = tighter(envelope->frequency_max_hz, limits->frequency_max_hz);
	tight.pressure_max_mmhg = tighter(envelope->pressure_max_mmhg, limits->pressure_max_mmhg);
	tight.heat_max_c = tighter(envelope->heat_max_c, limits->heat_max_c);
	/* An envelope without an end gets one by any limit. */
	if (limits->session_max_ms > 0 &&
	    (envelope->session_max_ms == 0 || limits->session_max_ms < envelope->session_max_ms))
		tight.session_max_ms = limits->session_max_ms;
	return tight;
}
