/*
 * Usage that is added up here, row by row, and not by SQLite: by the sessions' routine and areas, which hours don't know, by outcome,
 * and by what is known of the machine.
 */
#ifndef GW_STORE_READ_USAGE_PARTS_H
#define GW_STORE_READ_USAGE_PARTS_H

#include "gateway/store/sqlite/reader.h"

/* As store_read_usage. */
GF_MUST_CHECK int read_usage_routines(struct store_reader *reader, int64_t since_ms, int64_t until_ms,
                                      store_usage_fn row, void *ctx, struct gf_diag *diag);
GF_MUST_CHECK int read_usage_areas(struct store_reader *reader, int64_t since_ms, int64_t until_ms, store_usage_fn row,
                                   void *ctx, struct gf_diag *diag);
/* The hours from `from_ms` to `to_ms`, which are whole, and the sessions of what is left before and after them. */
GF_MUST_CHECK int read_usage_outcomes(struct store_reader *reader, int64_t since_ms, int64_t until_ms, int64_t from_ms,
                                      int64_t to_ms, store_usage_fn row, void *ctx, struct gf_diag *diag);
/* The same, by device, site or class. */
GF_MUST_CHECK int read_usage_machines(struct store_reader *reader, enum store_usage_key by, int64_t since_ms,
                                      int64_t until_ms, int64_t from_ms, int64_t to_ms, store_usage_fn row, void *ctx,
                                      struct gf_diag *diag);

/* The numbers are what machines claim: sums of time stop at the most that there is. */
void read_usage_add(struct store_usage *usage, enum gf_outcome outcome, uint64_t sessions, uint64_t running_ms,
                    uint64_t motor_ms);

#endif
