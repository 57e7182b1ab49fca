/*
 * The rules a session is under, beyond the hardware's own limits: pain (P8), a start that is too strong or a ramp that is too
 * steep (P6), what the user may add, how long it may be paused or run. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_GUARD_H
#define AGENT_CONTROL_GUARD_H

#include "agent/control/control.h"
#include "agent/control/player.h"

enum {
	GUARD_PAIN_CAP_PCT = 30,         /* P8 */
	GUARD_PAIN_MS = 240 * 1000,      /* P8 */
	GUARD_OFFSET_STEP_PCT = 5,       /* one press of intensity up or down */
	GUARD_OFFSET_MAX_PCT = 20,       /* either way */
	GUARD_INTENSITY_MIN_PCT = 5,     /* "down" never means off */
	GUARD_PAUSE_MAX_MS = 300 * 1000, /* nobody came back */
};

struct guard {
	uint32_t pain_presses;
	uint32_t pain_left_ms;
	float offset_pct;
	bool steep_told; /* P6 is recorded once a session */
	const struct gf_step *step;
};

/* A session begins. */
void guard_begin(struct guard *guard);

void guard_elapsed(struct guard *guard, uint32_t elapsed_ms);

/*
 * The pain button. True: the session must stop. `intensity_pct` is what was on; *ret_hit says what P8 did.
 */
bool guard_pain(struct guard *guard, float intensity_pct, const struct gf_step *step, struct gf_limit_hit *ret_hit);

/* Intensity up (+1) or down (-1). */
void guard_offset(struct guard *guard, int presses);

/* The player is at `step`: true when it is new and asks for more than P6 allows, the first time in this session. */
bool guard_steep(struct guard *guard, const struct control_envelope *envelope, const struct gf_step *step,
                 struct gf_limit_hit *ret_hit);

/* What the program's intensity becomes by offset, the routine's cap, pain and derating (`power` 0..1). */
float guard_intensity(const struct guard *guard, const struct gf_routine *routine, float program_pct, float power);

/* True when the session has lasted too long: its outcome, and for a running one what was hit (rule empty: nothing). */
bool guard_overdue(const struct control_envelope *envelope, const struct player *player, enum gf_outcome *ret_outcome,
                   struct gf_limit_hit *ret_hit);

#endif
