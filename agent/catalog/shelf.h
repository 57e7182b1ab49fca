/*
 * Where a machine keeps its catalogs: two slots and one state file in <state_dir>/catalog. Each is replaced as a whole (write .new, fsync,
 * rename, fsync the folder), and the state file alone says what is active: a slot that was being written when the power went is
 * not in it. FORMAT.md beside this file gives every byte and what each power cut leaves.
 */
#ifndef AGENT_CATALOG_SHELF_H
#define AGENT_CATALOG_SHELF_H

#include "agent/catalog/shelf_state.h"

struct shelf;

/* Makes the folder when missing. A state file that isn't one (cut, of a later version) is -EINVAL with diag: it is set aside as
 * state.bad, and the shelf begins empty at the next open. `sync` false: nothing is fsynced. */
GF_MUST_CHECK int shelf_open(const char *dir, bool sync, struct shelf **ret_shelf, struct shelf_state *ret_state,
                             struct gf_diag *diag);
void shelf_close(struct shelf *shelf);

/* 0 or a negative errno (-ENOSPC, -EIO) with diag: then what was there before is there, or, when only the folder's fsync failed, the new;
 * save again. */
GF_MUST_CHECK int shelf_save(struct shelf *shelf, const struct shelf_state *state, struct gf_diag *diag);
/* `slot` is SHELF_A or SHELF_B. On failure as shelf_save; the digest in the state tells whether a slot is still what it was. */
GF_MUST_CHECK int shelf_put(struct shelf *shelf, enum shelf_slot slot, const void *data, size_t len,
                            struct gf_diag *diag);
/* Whatever is in a slot: for when the state is lost. The caller frees *ret_data. */
GF_MUST_CHECK int shelf_read(struct shelf *shelf, enum shelf_slot slot, unsigned char **ret_data, size_t *ret_len,
                             struct gf_diag *diag);
/* The bytes of a slot, if they have this digest: -EILSEQ when they are others. The caller frees *ret_data. */
GF_MUST_CHECK int shelf_get(struct shelf *shelf, enum shelf_slot slot, const struct gf_digest *digest,
                            unsigned char **ret_data, size_t *ret_len, struct gf_diag *diag);

#endif
