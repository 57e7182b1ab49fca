/*
 * The pure control core of one machine: player + guard + faults, stepped once a tick. No clock, no disk, no network, no
 * allocation, no log: time and inputs are arguments; what happened comes out as events, in order.
 *
 *     driver_input ──> sensors ──> faults ──> panel ──> player ──> guard ──> envelope clamp ──> driver_output
 *                                     └──────────┴── session ──────┴── events ───────────────> recorder
 *
 * One file each: sensors (what can be believed), faults with fault_rules (what is wrong), panel (what was pressed), player (where in
 * the routine), guard (pain, too steep, too long), sitting (what one person has had), holder (who of the staff holds the machine), duty
 * (run and rest), clamp with envelope (what the machine may do), session with tally and meter (the account of a session), telemetry
 * (the sensors over an interval), memory (what a restart must not forget).
 *
 * Safety order: a reading that failed, an emergency stop or an open cover make the output of the same tick off; over-current does in
 * the tick in which it has lasted for 300 ms. The clamp is the last thing before the output, whatever the player says.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "agent/control/envelope.h"
#include "agent/control/memory.h"
#include "agent/driver/driver.h"
#include "proto/catalog.h"

enum {
	CONTROL_TICK_MS = 20,
	CONTROL_CHECKPOINT_MS = 5000,
	CONTROL_HEARTBEAT_MS = 60000,
	CONTROL_EVENTS_PER_STEP_MAX = 24,
};

struct control_config {
	enum gf_class class;
	bool hand_held; /* whose token is there when the staff key is turned holds it to somebody: holder.h */
	struct control_envelope envelope;
	float heat_c;                         /* what the heater warms to while a session runs; 0 = no heat */
	uint32_t tick_ms;                     /* the period of real ticks, to notice late ones; 0 = time is virtual */
	uint32_t heartbeat_ms, checkpoint_ms; /* 0 = the defaults above */
	const struct gf_catalog *catalog; /* owned by the caller, in use until CONTROL_EVENT_CATALOG; NULL: no sessions */
};

/* Where the counters stand when the agent starts. */
struct control_resume {
	struct gf_odometer odometer;
	uint64_t next_fault_no;
	struct control_memory memory;
	uint32_t
	    off_ms; /* how long ago `memory` was, as far as the clock can be trusted; 0 = unknown: nothing has passed */
};

enum control_event_kind {
	CONTROL_EVENT_SESSION_STARTED,
	CONTROL_EVENT_SESSION_PROGRESS, /* `session_ended` as if it were interrupted right now: the checkpoint */
	CONTROL_EVENT_SESSION_ENDED,
	CONTROL_EVENT_FAULT_RAISED,
	CONTROL_EVENT_FAULT_CLEARED,
	CONTROL_EVENT_LIMIT_HIT,
	/* `heartbeat`: sensors, motor_ms, flags of the interval, odometer as of the last ended session; the rest is the recorder's */
	CONTROL_EVENT_TELEMETRY,
	CONTROL_EVENT_CATALOG, /* `catalog` is what sessions are of from here on; the one before isn't looked at any more */
};

/*
 * Boot, wall times and started_* are the recorder's to fill; mono_ms and started_mono_ms say when. `memory` is what must be
 * remembered from here on.
 */
struct control_event {
	enum control_event_kind kind;
	struct control_memory memory;
	int64_t mono_ms;
	int64_t started_mono_ms;
	union {
		struct gf_session_started session_started;
		struct gf_session_ended session_ended;
		struct gf_fault_raised fault_raised;
		struct gf_fault_cleared fault_cleared;
		struct gf_limit_hit limit_hit;
		struct gf_heartbeat heartbeat;
		const struct gf_catalog *catalog;
	};
};

/* A massage gun is held by whoever treats somebody; so is what has a vibration in the hand by its maker's data sheet. */
static inline bool control_hand_held(enum gf_class class, float vibration_ms2)
{
	return class == GF_CLASS_PERCUSSION || vibration_ms2 > 0;
}

struct control;

GF_MUST_CHECK int control_new(const struct control_config *config, const struct control_resume *resume, int64_t mono_ms,
                              struct control **ret_control);
void control_free(struct control *control);

/*
 * One tick. `input` is NULL when the driver's reading failed. Writes the output for this tick and at most
 * CONTROL_EVENTS_PER_STEP_MAX events; returns how many. The step may be any length (the simulator's history uses 1 s): all
 * counting is by the difference of mono_ms, capped at 2 s; a longer gap stops a running session (safety_stopped).
 *
 * A session ends with its output going off; CONTROL_EVENT_SESSION_ENDED comes with the next good reading (or a second later),
 * so that a hardware meter has counted all of it. Its mono_ms says when the output went off.
 */
size_t control_step(struct control *control, int64_t mono_ms, const struct driver_input *input,
                    struct driver_output *ret_output, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX]);

/* From here on, until they are set again. Nothing in them widens the envelope. */
void control_set_limits(struct control *control, const struct control_limits *limits);

/*
 * From the next step in which no session runs; CONTROL_EVENT_CATALOG says when. A session under way is played to its end with the
 * catalog it began with, and none begins with that any more. Until the event both are in use; of two in a row only the second is
 * taken, and the first isn't looked at any more. A request for a routine that the new one hasn't is ignored.
 */
void control_set_catalog(struct control *control, const struct gf_catalog *catalog);

/* Ends a running session with the next step; does nothing when none runs. */
void control_stop(struct control *control, enum gf_outcome outcome);

/* The disk that keeps this machine's records is full, or is so no longer: a fault for the technician, of no consequence to sessions. */
void control_set_storage(struct control *control, bool full);

/* Ends a running session now (the agent goes down gracefully): output off, the session's end as an event. Returns the number of events. */
size_t control_shutdown(struct control *control, int64_t mono_ms, enum gf_outcome outcome,
                        struct driver_output *ret_output,
                        struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX]);

/* A session runs, is paused, or has ended but isn't reported yet. */
bool control_in_session(const struct control *control);

/* Has something failed that keeps the machine from starting a session? */
bool control_faulted(const struct control *control);

#endif
