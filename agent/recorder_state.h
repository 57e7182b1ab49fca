/*
 * What the agent must not forget, and how each record changes it. Pure: a record applied to a state gives the next state, so
 * that the state that is written beside a record is always the one that goes with it, however long the record had to wait.
 *
 * The encoded form (little-endian, versioned) is the opaque state of the spool's frames; agent/spool/FORMAT.md describes it.
 */
#ifndef AGENT_RECORDER_STATE_H
#define AGENT_RECORDER_STATE_H

#include "agent/control/memory.h"

enum {
	RECORDER_STATE_MAX = 8 * 1024,
	RECORDER_FAULTS_MAX = 32, /* open at a time: more than there are rules; of still more the newest are remembered */
};

struct recorder_fault {
	uint64_t fault_no;
	enum gf_fault code;
	uint64_t raised_wall_ms; /* 0 = the clock was not synchronised */
};

struct recorder_state {
	uint64_t boot;
	struct gf_odometer odometer;
	uint64_t next_fault_no;
	uint64_t dropped; /* records that never got a seq because the disk refused them */
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	/* The hardware's meter when the odometer stood at 0; differences to it wrap, as the meter may have started below. */
	bool has_meter;
	uint64_t meter_motor_ms, meter_cycles;
	size_t faults_count;
	struct recorder_fault faults[RECORDER_FAULTS_MAX];
	/* A session runs: what to report of it if nothing more is heard (SessionEnded, interrupted). */
	bool in_session;
	struct gf_record checkpoint;
	/* What the control core must remember, and when that was; 0 = the clock was not synchronised. */
	struct control_memory memory;
	uint64_t memory_wall_ms;
	/* The memory's tokens are sealed, by boot and memory_wall_ms, with the key of this id (recorder_badges.c). */
	bool sealed;
	uint32_t sealed_by;
};

/* A record, and what the control core must remember from then on. */
struct recorder_entry {
	struct gf_record record;
	bool remembers; /* false: `memory` says nothing, it stays what it was */
	struct control_memory memory;
};

/* What the entry changes: session open or ended, odometers, open faults, catalog, memory. */
void recorder_state_apply(struct recorder_state *state, const struct recorder_entry *entry);
/* `entry` is a SessionEnded as it would be if the power went now: the session goes on. */
void recorder_state_checkpoint(struct recorder_state *state, const struct recorder_entry *entry);

/* True when the state that recorder_state_apply leads to is worth writing. */
bool recorder_state_changes(const struct recorder_state *state, const struct recorder_entry *entry);

/* 0, -ENOSPC. */
GF_MUST_CHECK int recorder_state_encode(const struct recorder_state *state, void *buf, size_t size, size_t *ret_len);
/* 0, or -EINVAL for bytes that no recorder_state_encode of a known version wrote. */
GF_MUST_CHECK int recorder_state_decode(const void *data, size_t len, struct recorder_state *ret_state);

#endif
