/* One machine around the recorder: its disk, its own hour meter, its time, and what its control core would say. */
#ifndef TESTS_AGENT_RECORDER_RIG_H
#define TESTS_AGENT_RECORDER_RIG_H

#include "agent/recorder.h"
#include "tests/unit/agent/spool/model.h"

enum { RIG_SPOOL_BYTES = 16 << 20, RIG_STEP_MS = 5000 };

#define RIG_DAY_ONE_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, when mono was 0 */

struct machine {
	struct trap t;
	struct spool *spool;
	struct recorder *recorder;
	struct control_resume resume;
	struct recorder_meter meter;
	const struct gf_subject_key *subjects; /* NULL: tokens pass as they are */
	struct control_memory memory; /* what its control core remembers: goes with every event, comes back at the start */
	int64_t mono_ms;
	bool synced;
	uint64_t session_motor_ms, sessions; /* of the running session; that ran at all */
	int64_t started_ms;
	int last_error;
};

/* For tests whose state is a struct machine. */
int machine_setup(void **state);
int machine_teardown(void **state);

void machine_init(struct machine *m);
void machine_deinit(struct machine *m);
struct gf_time machine_now(const struct machine *m);

/* Opens spool and recorder; false when the disk doesn't let it. Stopping is what a kill does: nothing more is written. */
bool machine_start(struct machine *m);
void machine_stop(struct machine *m);
/* After SPOOL_E_FAILED: on a disk that works again. */
void machine_reopen(struct machine *m);

/* Each returns what recorder_event did. */
int machine_tell(struct machine *m, struct control_event event);
int machine_begins(struct machine *m);
int machine_goes_on(struct machine *m);
int machine_ends(struct machine *m);
int machine_beats(struct machine *m);
int machine_fails(struct machine *m);
int machine_latches(struct machine *m); /* a fault that only staff clears */
int machine_rests(struct machine *m);   /* D1; the hit's observed is the memory's duty, which grows by it */

/* Sessions, faults, rests and heartbeats until something ends it. */
void machine_lives(struct machine *m);

struct gf_record machine_record(struct spool *spool, uint64_t seq);

/*
 * Asserts: every session once, in order, the chain of odometers whole, and their sum what the hardware counted. Of all that is on
 * the disk, latched faults are open and remembered, all others are cleared, and what the last rest was for is remembered.
 */
void machine_check(struct machine *m, uint64_t meter_start_ms);

#endif
