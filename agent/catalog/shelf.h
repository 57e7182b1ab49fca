/*
 * Where a machine keeps its catalogs: two slots and one state file in <state_dir>/catalog. Each is replaced as a whole (write .new, fsync,
 * rename, fsync the folder), and the state file alone says what is active: a slot that was being written when the power went is
 * not in it. FORMAT.md beside this file gives every byte and what each power cut leaves.
 */
#ifndef AGENT_CATALOG_SHELF_H
#define AGENT_CATALOG_SHELF_H

#include "proto/catalog_sign.h"

enum shelf_slot { SHELF_NONE, SHELF_FILE, SHELF_A, SHELF_B, SHELF_SLOTS }; /* FILE: the one installed by hand */

struct shelf_state {
	enum shelf_slot active, previous; /* previous: where to go back to */
	struct gf_digest digests[SHELF_SLOTS];
	uint64_t versions[SHELF_SLOTS];
	bool trial;
	uint32_t trial_starts, trial_faults;
	uint64_t trial_ms; /* up without a crash so far */
	uint64_t highest_version, rollback_floor;
	struct gf_digest highest;
	struct gf_digest rolled_back; /* not taken again */
	/* Judging this one began, so many times in a row without an end: a catalog that kills its reader is left alone. */
	struct gf_digest judging;
	uint32_t judging_starts;
	uint64_t revision;     /* the highest desired one seen */
	struct gf_keyset keys; /* named by a catalog; threshold 0: agent.yaml's are in force */
	int64_t not_before_wall_ms;
	/* What was answered last, so that a desired state that comes again isn't answered again. */
	uint64_t answered_revision;
	enum gf_desired_step answered_step;
};

struct shelf;

/* Makes the folder when missing. A state file that isn't one (cut, of a later version) is -EINVAL with diag: it is set aside as
 * state.bad, and the shelf begins empty at the next open. */
GF_MUST_CHECK int shelf_open(const char *dir, bool sync, struct shelf **ret_shelf, struct shelf_state *ret_state,
                             struct gf_diag *diag);
void shelf_close(struct shelf *shelf);

/* 0 or a negative errno (-ENOSPC, -EIO) with diag: then what was there before is there. */
GF_MUST_CHECK int shelf_save(struct shelf *shelf, const struct shelf_state *state, struct gf_diag *diag);
GF_MUST_CHECK int shelf_put(struct shelf *shelf, enum shelf_slot slot, const void *data, size_t len,
                            struct gf_diag *diag);
/* The bytes of a slot, if they have this digest: -EILSEQ when they are others. The caller frees *ret_data. */
GF_MUST_CHECK int shelf_get(struct shelf *shelf, enum shelf_slot slot, const struct gf_digest *digest,
                            unsigned char **ret_data, size_t *ret_len, struct gf_diag *diag);

#endif
