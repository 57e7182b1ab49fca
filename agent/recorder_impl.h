/*
 * What the parts of the recorder share: recorder.c, which writes what happens, recorder_open.c, which finds out what happened
 * before, and recorder_badges.c, which keeps badges off the disk. Private to agent/recorder*.c.
 */
#ifndef AGENT_RECORDER_IMPL_H
#define AGENT_RECORDER_IMPL_H

#include "agent/recorder.h"
#include "agent/recorder_state.h"

struct recorder {
	struct spool *spool; /* NULL while it is being reopened */
	struct recorder_state written, current;
	bool state_due; /* `written` differs from what the spool has */
	bool has_subjects;
	struct gf_subject_key subjects;
	int64_t opened_mono_ms;
	uint64_t checkpoint_uptime_ms;
	/* Where the spool stood before the last append: tells after a failure whether it took place. */
	struct gf_stream_id stream;
	uint64_t next_seq;
	size_t attempted; /* so many at the head of the queue may be on the disk */
	size_t waiting;
	struct recorder_entry *queue[RECORDER_PENDING_MAX]; /* oldest first */
};

/* The tokens of a session that began at this time, instead of badges. */
void recorder_hide(const struct recorder *r, uint64_t wall_ms, bool synced, struct gf_session_started *start);
/* Before it is encoded. 0 or -ENOMEM. */
GF_MUST_CHECK int recorder_seal(const struct recorder *r, struct recorder_state *state);
/* After it was decoded; what another key sealed becomes anybody's. 0 or -ENOMEM. */
GF_MUST_CHECK int recorder_unseal(const struct recorder *r, struct recorder_state *state);

/* When it happened, by all clocks. */
void recorder_stamp(const struct recorder *r, struct gf_time now, int64_t mono_ms, struct gf_record *record);
/* Into the queue; what gives way to it is counted. 0 or -ENOMEM. */
GF_MUST_CHECK int recorder_enqueue(struct recorder *r, const struct recorder_entry *entry);
/* Everything that waits, until something but a full disk refuses: what that does refuse is written later. */
GF_MUST_CHECK int recorder_write(struct recorder *r);

#endif
