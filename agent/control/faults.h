/*
 * What can be wrong with the machine: a table of conditions, each with the time it must hold before it counts and the time it must
 * be gone (past a hysteresis) before it is cleared. Pure; time comes as what has elapsed.
 *
 * Severity derate lowers the output, stop turns it off and keeps sessions from starting until the fault is cleared.
 */
#ifndef AGENT_CONTROL_FAULTS_H
#define AGENT_CONTROL_FAULTS_H

#include "agent/control/control.h"

enum { FAULT_RULES_MAX = 20 };

/* idle -> rising -> active -> idle; a rise that doesn't last goes back to idle. */
struct fault_state {
	bool active;
	bool told;        /* the raise has been handed out */
	uint32_t held_ms; /* the condition has been there for; while active: has been gone for */
	bool counting;    /* held_ms is running */
	uint64_t fault_no;
	int64_t since_ms; /* mono */
	float observed, limit;
};

struct faults {
	struct fault_state states[FAULT_RULES_MAX];
	bool sensor_seen[GF_SENSOR_COUNT];
	uint64_t next_no;
};

/* What the rules look at. */
struct fault_view {
	const struct control_envelope *envelope;
	const struct driver_input *input;   /* NULL: no reading */
	const struct driver_output *output; /* what the hardware has been doing */
	bool storage_full;                  /* see control_set_storage */
};

void faults_init(struct faults *faults, uint64_t next_no);

/* Judges one tick. */
void faults_step(struct faults *faults, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms);

/* The output must be off now: an active fault of severity stop or above, or a danger that needs no time to count (I4). */
bool faults_off_now(const struct faults *faults, const struct fault_view *view);

/* A fault of severity stop or above is active. */
bool faults_stopping(const struct faults *faults);
bool faults_derating(const struct faults *faults);

/* How much output the temperatures leave: 1 below the derate limit, linearly to 0 at the stop limit. */
float faults_power(const struct fault_view *view);

/*
 * The next raise or clear that nobody has been told yet, as an event (kind, mono_ms and the union; session_no is `session_no`).
 * False: none. Raises come before their clears.
 */
bool faults_tell(struct faults *faults, int64_t mono_ms, uint64_t session_no, struct control_event *ret_event);

#endif
