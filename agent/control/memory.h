/*
 * What a restart must not forget of a machine's rest, heat, strikes, latched faults, closed areas, the sitting it is in and who holds it: a power cycle is no
 * way around them. Plain numbers, without pointers: each event carries it as of the event, agent/recorder_state.c writes it beside
 * the record. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_MEMORY_H
#define AGENT_CONTROL_MEMORY_H

#include "proto/model.h"

enum {
	MEMORY_STRIKES = 3,     /* D3: so many within MEMORY_STRIKES_MS latch */
	MEMORY_CLOSED_MAX = 8,  /* of more areas the ones that open first are forgotten */
	MEMORY_LATCHED_MAX = 8, /* there are no more rules that latch */
	MEMORY_GROUPS = 14,     /* muscle groups, see sitting.h */
	MEMORY_KINDS = 3,       /* of techniques, see sitting.h */
	MEMORY_STRIKES_MS = 24 * 3600 * 1000,
};

/* What strikes are counted by. */
enum memory_strikes {
	MEMORY_STRIKES_DRIVE,
	MEMORY_STRIKES_HEAT,
	MEMORY_STRIKES_PRESSURE,
	MEMORY_STRIKES_TRAVEL,
	MEMORY_STRIKES_COUNT
};

struct memory_latched {
	enum gf_fault code;
	uint64_t fault_no;
};

/* P8: an area that hurt. */
struct memory_closed {
	enum gf_area area;
	enum gf_side side;
	uint64_t token;   /* whose; 0 = nobody can tell, so everybody's */
	uint32_t left_ms; /* 0 = this place is free */
};

/* What one person got, as far as the machine can tell persons apart. */
struct memory_sitting {
	uint64_t token;
	uint32_t idle_ms; /* since its last session ended */
	bool open;
	uint32_t pain_presses, pain_left_ms;             /* P8 */
	uint16_t area_s[MEMORY_GROUPS][2][MEMORY_KINDS]; /* left, right; rounded up */
};

/* All zero: a machine that has never run. */
struct control_memory {
	uint32_t duty_ms; /* D1 */
	bool resting;
	bool motor_hot, surface_hot; /* D2: stopped by it, and not cool enough yet */
	/* Until it no longer counts; 0 = this place is free. */
	uint32_t strike_left_ms[MEMORY_STRIKES_COUNT][MEMORY_STRIKES];
	uint32_t latched_count;
	struct memory_latched latched[MEMORY_LATCHED_MAX];
	struct memory_closed closed[MEMORY_CLOSED_MAX];
	struct memory_sitting sitting;
	uint64_t staff_token; /* see holder.h; 0 = nobody */
	uint32_t staff_idle_ms;
};

/* True when the numbers can be a machine's: enumerations in range, counts within their arrays. */
bool memory_valid(const struct control_memory *memory);

#endif
