/*
 * What can be wrong with the machine: a table of conditions, each with the time it must hold before it counts and the time it must
 * be gone (past a hysteresis) before it is cleared. Pure; time comes as what has elapsed.
 *
 * Severity derate lowers the output, stop turns it off and keeps sessions from starting until the fault is cleared. Stops of one kind
 * (the drive, heat, pressure, travel) are strikes; the third within 24 h latches (D3): only staff may clear that, at the machine.
 * One incident is one strike, however many rules see it, and whether we or the hardware's own controller found it.
 *
 * A fault that comes back within FAULT_SOON_MS must be gone for longer each time: 2 s, 4 s, up to a minute. What flickers all day is no
 * flood of records.
 */
#ifndef AGENT_CONTROL_FAULTS_H
#define AGENT_CONTROL_FAULTS_H

#include "agent/control/control.h"
#include "agent/control/sensors.h"

enum {
	FAULT_RULES_MAX = 28,
	FAULT_LATE_MS = 100, /* a tick that comes so late is a fault */
	FAULT_SOON_MS = 10 * 60 * 1000,
};

/* idle -> rising -> active -> idle; a rise that doesn't last goes back to idle. Zeroed: idle, and never was otherwise. */
struct fault_state {
	bool active;
	bool told;        /* the raise has been handed out */
	uint32_t held_ms; /* the condition has been there for; while active: has been gone for */
	bool counting;    /* held_ms is running */
	uint32_t away_ms; /* while it rises: it is forgotten when it stays away for so long */
	uint8_t returns;  /* how often it has come back soon */
	uint32_t soon_ms; /* while idle: coming back within this is soon */
	bool staffed;     /* staff clears it */
	enum gf_fault code;
	const char *cause; /* what the detail names: a sensor, a button; a constant or NULL */
	enum sensor_doubt doubt;
	uint64_t fault_no;
	int64_t since_ms; /* mono */
	float observed, limit;
};

struct faults {
	struct fault_state states[FAULT_RULES_MAX];
	uint32_t strike_left_ms[MEMORY_STRIKES_COUNT][MEMORY_STRIKES];
	uint64_t next_no;
};

/* What the rules look at. */
struct fault_view {
	const struct control_envelope *envelope;
	const struct driver_input *input;   /* NULL: no reading */
	const struct driver_output *output; /* what the hardware has been doing */
	bool storage_full;                  /* see control_set_storage */
	const struct sensors *sensors;      /* as of this reading */
	const char *stuck;                  /* a button, or NULL */
	uint32_t late_ms;                   /* the tick's lateness */
};

/* `memory`: latched faults are still there, strikes still count, what was hot must cool down. */
void faults_init(struct faults *faults, uint64_t next_no, const struct control_memory *memory, int64_t mono_ms);
void faults_remember(const struct faults *faults, struct control_memory *memory);

/* Time in which nobody looked: the machine was off. */
void faults_away(struct faults *faults, uint32_t elapsed_ms);

/* The clock goes on from elsewhere. */
void faults_clock_moved(struct faults *faults, int64_t by_ms);

/* Staff turned the key: what is latched and no longer there is cleared, and its strikes are forgotten. True when anything was. */
bool faults_staff(struct faults *faults);

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
