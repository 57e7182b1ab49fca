/* A machine in virtual time for the control core's tests: inputs that a test sets, a meter that follows the output, every event kept. */
#ifndef TESTS_CONTROL_RIG_H
#define TESTS_CONTROL_RIG_H

#include "agent/control/control.h"

enum { RIG_EVENTS_MAX = 4096 };
#define RIG_FLICKER_MA 2.0F
#define RIG_REACH 10.0F /* a tick */

struct rig {
	struct control *control;
	struct control_config config;
	struct driver_input input;
	struct driver_output output;
	bool readable, flicker;
	bool steady;       /* the current stands still */
	bool has_pressure; /* the sensor follows the output; a test that sets it says false */
	uint32_t tick_ms;
	int64_t now_ms;
	size_t count;
	struct control_event events[RIG_EVENTS_MAX];
};

/* A routine each class can play (30 s + 15 s off + 45 s on two sides), one for staff only, one that breaks P6, and a short one. */
enum { RIG_PLAIN = 1, RIG_STAFF, RIG_STEEP, RIG_SHORT, RIG_ROUTINES = 4, RIG_PLAIN_S = 165, RIG_PLAIN_MOTOR_S = 150 };
const struct gf_catalog *rig_catalog(enum gf_class class);

void rig_open(struct rig *rig, enum gf_class class, uint32_t tick_ms);
void rig_open_with(struct rig *rig, const struct control_config *config, const struct control_resume *resume);
void rig_close(struct rig *rig);

/* One tick, then ticks until `ms` have passed. */
void rig_tick(struct rig *rig);
void rig_run(struct rig *rig, int64_t ms);

/* The sensor comes to show `value`, no faster than such a sensor can. */
void rig_reach(struct rig *rig, enum gf_sensor sensor, float value);

/* Presses for one tick and lets go for long enough; a start is held for two. */
void rig_press(struct rig *rig, bool *button);
void rig_start(struct rig *rig, uint16_t routine);

/* The n-th (from 0) event of a kind, or NULL. */
const struct control_event *rig_event(const struct rig *rig, enum control_event_kind kind, size_t n);
size_t rig_count(const struct rig *rig, enum control_event_kind kind);
/* The newest session's end; fails the test when there is none. */
const struct gf_session_ended *rig_ended(const struct rig *rig);
/* The n-th fault raised with this code, or NULL. */
const struct gf_fault_raised *rig_fault(const struct rig *rig, enum gf_fault code, enum gf_severity severity);
/* The first hit of a rule that did `action`, or NULL. */
const struct gf_limit_hit *rig_hit(const struct rig *rig, const char *rule, const char *action);
/* Lets go of the events so far, for tests that run long. */
void rig_forget(struct rig *rig);
bool rig_cleared(const struct rig *rig, enum gf_fault code);

#endif
