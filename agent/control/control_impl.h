/* What the files of the control core share: the machine's state, and the events of one step. */
#ifndef AGENT_CONTROL_IMPL_H
#define AGENT_CONTROL_IMPL_H

#include "agent/control/clamp.h"
#include "agent/control/control.h"
#include "agent/control/duty.h"
#include "agent/control/faults.h"
#include "agent/control/guard.h"
#include "agent/control/holder.h"
#include "agent/control/panel.h"
#include "agent/control/sensors.h"
#include "agent/control/session.h"
#include "agent/control/sitting.h"
#include "agent/control/telemetry.h"

struct control {
	struct control_config config;
	struct control_limits limits;
	struct control_envelope envelope;      /* the config's, tightened by the limits */
	const struct gf_catalog *next_catalog; /* NULL: none waits */
	struct player player;
	struct guard guard;
	struct sitting sitting;
	struct holder holder;
	struct duty duty;
	struct clamp clamp;
	struct sensors sensors;
	struct faults faults;
	struct panel panel;
	struct meter meter;
	struct session session;
	struct telemetry telemetry;
	struct gf_odometer odometer; /* as of the last ended session */
	struct driver_output output; /* on the hardware since last_ms */
	int64_t last_ms;
	bool stepped, storage_full;
	bool refusal_told; /* since the last session; refusal_ms: when */
	int64_t refusal_ms;
	enum gf_outcome stop_as; /* see control_stop */
	bool clear_fault;        /* staff cleared: the hardware's own controller is told with the next output that is off */
	int64_t telemetry_due_ms, telemetry_last_ms, telemetry_motor_ms;
};

/* The events of one step. */
struct sink {
	struct control_event *events;
	size_t count;
};

struct control_event *control_emit(struct sink *sink, enum control_event_kind kind, int64_t mono_ms);
void control_emit_limit(const struct control *c, int64_t mono_ms, const struct gf_limit_hit *hit, struct sink *sink);
void control_emit_catalog(const struct control *c, int64_t mono_ms, struct sink *sink);
/* D1's `action`: "warn", "stop", "refuse". */
void control_emit_duty(const struct control *c, int64_t mono_ms, const char *action, struct sink *sink);
void control_emit_progress(struct control *c, int64_t mono_ms, struct sink *sink);
void control_emit_telemetry(struct control *c, int64_t mono_ms, struct sink *sink);
void control_emit_faults(struct control *c, int64_t mono_ms, struct sink *sink);

/* ENDED -> IDLE, with the session's end as an event. */
void control_close_session(struct control *c, struct sink *sink);

/* The buttons of a good reading; `view->input` is not NULL. */
void control_take_presses(struct control *c, const struct fault_view *view, const struct panel_presses *pressed,
                          int64_t mono_ms, struct sink *sink);

/* Puts what must be remembered into each event. */
void control_stamp_memory(const struct control *c, struct sink *sink);
/* As a machine that was off for `off_ms` finds it. */
void control_recall(struct control *c, const struct control_memory *memory, uint32_t off_ms, uint64_t next_fault_no,
                    int64_t mono_ms);

#endif
