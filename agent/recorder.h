/*
 * Turns what the control core says into records in the spool, and keeps the state that must survive: odometers, boot count,
 * the running session's checkpoint, open faults, the control core's memory. Runs on the main loop; the disk is touched only here and in the spool.
 *
 * Opening it is also the recovery: a session that was running when the power or the process went is written as
 * `interrupted` from its checkpoint, once; motor time that the hardware's meter counted since is credited to it.
 * Open faults end with a restart, but for what the memory says is latched.
 *
 * With a key (proto/subject.h) what the control core calls tokens are badges: nothing on the disk or of what is sent has one. Records carry
 * the token of the session's begin, none while the clock isn't synchronised; the memory's are sealed. Without a key
 * tokens pass as they are: of a reader that makes them itself.
 */
#ifndef AGENT_RECORDER_H
#define AGENT_RECORDER_H

#include "agent/control/control.h"
#include "agent/spool/spool.h"
#include "proto/base/clock.h"
#include "proto/subject.h"

enum { RECORDER_PENDING_MAX = 64 };

struct recorder;

/* What the hardware's own meter said at start, if it has one. */
struct recorder_meter {
	bool present;
	uint64_t motor_ms, cycles;
};

/*
 * Recovers and counts one boot. `resume` is for control_new. The spool stays the caller's and outlives the recorder; `subjects` (NULL: tokens
 * pass as they are) is copied.
 * 0, or a negative errno / SPOOL_E_... with diag.
 */
GF_MUST_CHECK int recorder_open(struct spool *spool, const struct recorder_meter *meter,
                                const struct gf_subject_key *subjects, struct gf_time now,
                                struct recorder **ret_recorder, struct control_resume *ret_resume,
                                struct gf_diag *diag);
void recorder_free(struct recorder *recorder);

/* What the main loop knows and a heartbeat carries. */
struct recorder_link_facts {
	uint32_t connects;
};

/*
 * Writes one event. When the disk refuses, the event waits in memory (RECORDER_PENDING_MAX; heartbeats give way first and are
 * counted as lost) and is written with the next one that works: 0 also then. SPOOL_E_FAILED: reopen the spool.
 */
GF_MUST_CHECK int recorder_event(struct recorder *recorder, const struct control_event *event, struct gf_time now,
                                 const struct recorder_link_facts *facts);
/* The active catalog has changed. As recorder_event. */
GF_MUST_CHECK int recorder_catalog(struct recorder *recorder, const struct gf_catalog_changed *changed,
                                   struct gf_time now);
/* The catalog that is active by the records so far; *ret_name is the recorder's, "" and 0 when there was none. */
uint64_t recorder_catalog_version(const struct recorder *recorder, const char **ret_name);
/* How far the machine is with what is desired of it. As recorder_event. */
GF_MUST_CHECK int recorder_desired(struct recorder *recorder, const struct gf_desired_applied *applied,
                                   struct gf_time now);
/* Tries the waiting ones again; call every second or so. Returns like recorder_event; how many still wait is in *ret_waiting. */
GF_MUST_CHECK int recorder_flush(struct recorder *recorder, size_t *ret_waiting);

/* After SPOOL_E_FAILED: NULL while the spool is closed (everything waits), then the one that was opened again. */
void recorder_set_spool(struct recorder *recorder, struct spool *spool);

uint64_t recorder_boot(const struct recorder *recorder);
int64_t recorder_uptime_ms(const struct recorder *recorder, int64_t mono_ms);
struct gf_odometer recorder_odometer(const struct recorder *recorder);
/* What the hardware's own meter showed when the odometer became what it is; 0 = it has none, or none that can be. */
uint64_t recorder_hour_meter_ms(const struct recorder *recorder);
/* Records that found no room, neither on the disk nor in the queue: they never had a seq. */
uint64_t recorder_dropped(const struct recorder *recorder);

#endif
