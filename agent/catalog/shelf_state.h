/*
 * What a machine must not forget about its catalogs, and its bytes (FORMAT.md). Pure.
 */
#ifndef AGENT_CATALOG_SHELF_STATE_H
#define AGENT_CATALOG_SHELF_STATE_H

#include "proto/catalog_sign.h"

enum shelf_slot { SHELF_NONE, SHELF_FILE, SHELF_A, SHELF_B, SHELF_SLOTS }; /* FILE: the one installed by hand */

/* Reading this one began, so many times in a row without an end: a catalog that kills its reader is left alone. */
struct shelf_mark {
	struct gf_digest digest;
	uint32_t starts;
};

/* Not taken again, and why. */
enum { SHELF_ROLLED_BACK_MAX = 4 };
struct shelf_rolled_back {
	struct gf_digest digest;
	enum gf_refusal refusal;
};

/* The catalog that was desired last; all zeros: none. */
struct shelf_desired {
	struct gf_digest digest;
	char name[GF_NAME_MAX];
	uint64_t version;
	uint32_t size;
	uint32_t left_ms; /* of the time there is to activate it */
};

struct shelf_state {
	enum shelf_slot active, previous; /* previous: where to go back to */
	struct gf_digest digests[SHELF_SLOTS];
	uint64_t versions[SHELF_SLOTS];
	bool trial; /* only with a previous one */
	uint32_t trial_starts, trial_faults;
	uint64_t trial_ms;           /* up without a crash so far */
	enum gf_catalog_cause cause; /* why the active one is */
	/* What the gateway was last told to be active. */
	struct gf_digest told;
	uint64_t told_version;
	uint64_t highest_version, rollback_floor;
	struct gf_digest highest;
	struct shelf_rolled_back rolled_back[SHELF_ROLLED_BACK_MAX]; /* the newest first; all zeros: no more of them */
	struct shelf_mark judging, judging_file;                     /* over the air, and by hand */
	uint64_t revision;                                           /* the highest desired one seen, and its catalog */
	struct shelf_desired desired;
	/* Named by a catalog; threshold 0: agent.yaml's are in force. `keys_from` is the SHA-256 of those that vouched for the change: when
	 * somebody changes agent.yaml's, these count again. */
	struct gf_keyset keys;
	struct gf_digest keys_from;
	int64_t not_before_wall_ms;
	/* What was answered last, so that a desired state that comes again isn't answered again. */
	uint64_t answered_revision;
	enum gf_desired_step answered_step;
};

/* An upper bound for what shelf_state_encode writes. */
enum { SHELF_STATE_MAX = 1024 };

/* Returns the length. */
size_t shelf_state_encode(const struct shelf_state *state, unsigned char buf[static SHELF_STATE_MAX]);
/* 0, or -EINVAL with diag for bytes that no shelf_state_encode of this version wrote. */
GF_MUST_CHECK int shelf_state_decode(const void *data, size_t len, struct shelf_state *ret_state, struct gf_diag *diag);

/* Of the keys in agent.yaml, in whatever order they stand there. */
struct gf_digest shelf_keys_digest(const struct gf_keyset *keys);
/* Whose signatures count: `ours`, agent.yaml's, or those that a catalog has named since. */
const struct gf_keyset *shelf_keys(const struct shelf_state *state, const struct gf_keyset *ours);

#endif
