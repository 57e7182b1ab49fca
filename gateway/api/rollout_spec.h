/*
 * What a person asks a rollout to be, read from the API's JSON: waves "1,10%,100%", a window "22:00-06:00", gates
 * "faults_per_100h<=1.5x". Pure: no store, no clock. What these texts mean together is judged by gateway/rollout/plan.h.
 */
#ifndef GATEWAY_API_ROLLOUT_SPEC_H
#define GATEWAY_API_ROLLOUT_SPEC_H

#include <jansson.h>

#include "gateway/rollout/rollout.h"

/* What holds where nothing is said; also in the help of `gymfleet rollout start` and in README.md. */
#define ROLLOUT_WAVES_DEFAULT "1,10%,100%"
enum {
	ROLLOUT_SOAK_DEFAULT_MS = 30 * 60 * 1000,
	ROLLOUT_DEADLINE_DEFAULT_MS = 24 * 3600 * 1000,
	ROLLOUT_FAILURES_DEFAULT_PPM = 20 * 1000, /* 2 % */
	ROLLOUT_SPEC_TEXT_MAX = 160,              /* of each text below that is written back */
};

/*
 * Each reads one text into its part of the spec, which is untouched on failure. 0, or -EINVAL with diag: the field, the place and what
 * was expected.
 */
GF_MUST_CHECK int rollout_spec_waves(const char *text, struct rollout_spec *spec, struct gf_diag *diag);
GF_MUST_CHECK int rollout_spec_window(const char *text, struct rollout_spec *spec, struct gf_diag *diag);
/* Adds one gate; a second of the same kind is refused. */
GF_MUST_CHECK int rollout_spec_gate(const char *text, struct rollout_spec *spec, struct gf_diag *diag);

/*
 * The whole: {catalog, version, where, waves, soak_s, max_failures_pct, deadline_s, window, gates}; only the first two must be there. An empty
 * array of gates means none. 0, or -EINVAL with diag naming the field.
 */
GF_MUST_CHECK int rollout_spec_read(const json_t *body, struct rollout_spec *ret_spec, struct gf_diag *diag);

/* The same texts back, as a person would write them. */
void rollout_spec_waves_text(const struct rollout_spec *spec, char buf[static ROLLOUT_SPEC_TEXT_MAX]);
void rollout_spec_window_text(const struct rollout_spec *spec, char buf[static ROLLOUT_SPEC_TEXT_MAX]);
void rollout_spec_gate_text(const struct rollout_gate *gate, char buf[static ROLLOUT_SPEC_TEXT_MAX]);

#endif
