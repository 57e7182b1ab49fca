/*
 * The rules a session is under, beyond the hardware's own limits: pain (P8), a start that is too strong, a ramp that is too steep or
 * too much for an area's first half minute (P6), too long on one spot (P1, P3), more than anybody declared to be fit for (P7), what the
 * user may add, how long it may be paused or run. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_GUARD_H
#define AGENT_CONTROL_GUARD_H

#include "agent/control/control.h"
#include "agent/control/player.h"
#include "agent/control/sitting.h"

enum {
	GUARD_PAIN_CAP_PCT = 30,          /* P8 */
	GUARD_FRESH_CAP_PCT = 60,         /* P6: in an area's first 30 s */
	GUARD_UNDECLARED_CAP_PCT = 60,    /* P7: nobody said what effort came before; staff may let more pass */
	GUARD_HOLD_MAX_MS = 30 * 1000,    /* P3 */
	GUARD_HOLD_IMPACT_MS = 15 * 1000, /* P3: percussion, drumming */
	GUARD_OFFSET_STEP_PCT = 5,        /* one press of intensity up or down */
	GUARD_OFFSET_MAX_PCT = 20,        /* either way */
	GUARD_INTENSITY_MIN_PCT = 5,      /* "down" never means off */
	GUARD_PAUSE_MAX_MS = 300 * 1000,  /* nobody came back */
	GUARD_PAUSES_MAX_MS = 900 * 1000, /* of one session together: a machine isn't held for ever */
};

struct guard {
	float offset_pct;
	bool staffed;                                 /* started with the staff key: P7 is theirs to judge */
	bool steep_told, fresh_told, undeclared_told; /* P6, P6 and P7 are recorded once a session */
	uint32_t pain_presses;                        /* of this session; the sitting counts for P8 */
	uint32_t still_ms;                            /* on one spot without moving */
	const struct gf_step *step;
};

/* A session begins. */
void guard_begin(struct guard *guard, bool staffed);

/* `output` was on the hardware for `elapsed_ms`. */
void guard_elapsed(struct guard *guard, const struct player *player, const struct driver_output *output,
                   uint32_t elapsed_ms);

/* The player has moved on since: a hold ends with its step, unless the next one stands still on the same spot. */
void guard_moved(struct guard *guard, const struct player *player, const struct driver_output *output);

/*
 * The pain button. True: the session must stop, and the area is closed. `intensity_pct` is what was on; *ret_hit says what P8 did.
 */
bool guard_pain(struct guard *guard, struct sitting *sitting, float intensity_pct, const struct gf_step *step,
                struct gf_limit_hit *ret_hit);

/* Intensity up (+1) or down (-1). */
void guard_offset(struct guard *guard, int presses);

/* The player is at `step`: true when it is new and asks for more than P6 allows, the first time in this session. */
bool guard_steep(struct guard *guard, const struct control_envelope *envelope, const struct gf_step *step,
                 struct gf_limit_hit *ret_hit);

/* The rest of the step must be left out: P8 closed the area, P1 or P3 say that it is enough. */
bool guard_skips(const struct guard *guard, const struct sitting *sitting, const struct gf_step *step,
                 struct gf_limit_hit *ret_hit);

/*
 * Nothing of the routine is left for whoever comes with this token: *ret_hit says why its first step may not be played. `sitting` is as
 * it would be with them.
 */
bool guard_refuses(const struct sitting *sitting, const struct gf_routine *routine, struct gf_limit_hit *ret_hit);

/* P1's warning, once for each area, side and kind of technique. */
bool guard_warns(struct sitting *sitting, const struct gf_step *step, struct gf_limit_hit *ret_hit);

/* What is asked for: the program's intensity with the user's buttons, within the routine's cap. */
float guard_asked(const struct guard *guard, const struct player *player, float program_pct);

/* What that becomes by derating (`power` 0..1), P6, P7 and P8. */
float guard_intensity(const struct guard *guard, const struct sitting *sitting, const struct player *player,
                      float asked_pct, float power);

/* More is asked for than P6 (an area's first half minute) or P7 lets pass; each the first time in this session. */
bool guard_capped(struct guard *guard, const struct sitting *sitting, const struct gf_step *step, float asked_pct,
                  struct gf_limit_hit *ret_hit);

/* True when the session has lasted too long: its outcome, and for a running one what was hit (rule empty: nothing). */
bool guard_overdue(const struct control_envelope *envelope, const struct player *player, enum gf_outcome *ret_outcome,
                   struct gf_limit_hit *ret_hit);

/* A hit of `rule`; area and side from `step`, if there is one. */
struct gf_limit_hit guard_hit(const char *rule, const char *action, const struct gf_step *step, float observed,
                              float limit);

#endif
