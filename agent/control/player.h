/*
 * Plays a routine: where in it the session is, and what its program wants of the hardware now. Knows nothing of faults,
 * limits or sensors. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_PLAYER_H
#define AGENT_CONTROL_PLAYER_H

#include "agent/driver/driver.h"
#include "proto/catalog.h"

enum player_state {
	PLAYER_IDLE,    /* -> RUNNING */
	PLAYER_RUNNING, /* -> PAUSED, ENDED */
	PLAYER_PAUSED,  /* -> RUNNING, ENDED */
	PLAYER_ENDED,   /* output off, the outcome is known; -> IDLE */
};

/* Why it is paused; it runs when no reason is left. */
enum player_pause { PLAYER_PAUSE_USER = 1, PLAYER_PAUSE_COMMS = 2 };

struct player {
	enum player_state state;
	const struct gf_routine *routine;
	size_t step;
	uint32_t step_ms;              /* into the step */
	uint32_t played_ms, paused_ms; /* of the session */
	uint32_t pause_ms;             /* of the present pause */
	unsigned pauses;               /* enum player_pause bits */
	enum gf_outcome outcome;       /* when ENDED */
};

/* IDLE -> RUNNING at the routine's first step. */
void player_start(struct player *player, const struct gf_routine *routine);

/* Time passes: RUNNING moves on and ENDS as completed at the routine's end; PAUSED counts. */
void player_elapsed(struct player *player, uint32_t elapsed_ms);

void player_pause(struct player *player, enum player_pause why);
void player_resume(struct player *player, enum player_pause why);

/* RUNNING or PAUSED -> ENDED; an outcome that is known already stays. */
void player_stop(struct player *player, enum gf_outcome outcome);

/* Leaves the rest of the step out. RUNNING or PAUSED: goes to the next step; after the last one ENDED, as `outcome`. */
void player_skip(struct player *player, enum gf_outcome outcome);

/* ENDED -> IDLE: the session has been reported. */
void player_reset(struct player *player);

/* What the program wants now; the command for the hardware in every state. */
void player_output(const struct player *player, struct driver_output *ret_output);

/* The step being played; NULL outside RUNNING and PAUSED. */
const struct gf_step *player_step(const struct player *player);

/* It is in the part of its step that holds still; `hold_ms` longer than the step means that all of it is held. */
bool player_holds(const struct player *player);

static inline bool player_active(const struct player *player)
{
	return player->state == PLAYER_RUNNING || player->state == PLAYER_PAUSED;
}

#endif
