/*
 * What this machine may do at most: its class's defaults, changed by agent.yaml, and only ever tightened by what comes over the
 * network. Pure.
 */
#ifndef AGENT_CONTROL_ENVELOPE_H
#define AGENT_CONTROL_ENVELOPE_H

#include "proto/model.h"

/* From agent.yaml, never from the network. */
struct control_envelope {
	float intensity_max_pct;
	float start_max_pct; /* where a spot begins */
	float ramp_max_pct_s;
	float frequency_max_hz;
	float pressure_max_mmhg;
	float heat_max_c; /* what a heater may warm to; 0 = no heat: a machine with a heater says so */
	float motor_temp_derate_c, motor_temp_stop_c, motor_temp_rearm_c;
	float surface_temp_derate_c, surface_temp_stop_c;
	float current_max_ma; /* above it for 300 ms: over-current */
	float supply_min_mv;  /* 0 = not watched */
	uint32_t session_max_ms;
	uint32_t duty_warn_ms, duty_max_ms, rest_ms; /* D1: run without rest, then rest; duty_max_ms 0 = no such limit */
	uint32_t sensors;                            /* bit (1 << enum gf_sensor) for each that this machine must have */
};

/* What the gateway wants beyond that. A number that is 0, negative or not a number limits nothing. */
struct control_limits {
	bool locked; /* no session starts; one that runs is played to its end */
	float intensity_max_pct, frequency_max_hz, pressure_max_mmhg, heat_max_c;
	uint32_t session_max_ms;
};

/* The class's defaults. */
void control_envelope_defaults(enum gf_class class, struct control_envelope *ret_envelope);

/* The envelope with the limits that are below it; never wider than `envelope` in anything. */
struct control_envelope control_envelope_tighten(const struct control_envelope *envelope,
                                                 const struct control_limits *limits);

#endif
