/* Usage by what only the sessions themselves know: their routine, and the areas they touched. */
#ifndef GW_STORE_READ_USAGE_PARTS_H
#define GW_STORE_READ_USAGE_PARTS_H

#include "gateway/store/sqlite/reader.h"

/* As store_read_usage. */
GF_MUST_CHECK int read_usage_routines(struct store_reader *reader, int64_t since_ms, int64_t until_ms,
                                      store_usage_fn row, void *ctx, struct gf_diag *diag);
GF_MUST_CHECK int read_usage_areas(struct store_reader *reader, int64_t since_ms, int64_t until_ms, store_usage_fn row,
                                   void *ctx, struct gf_diag *diag);

#endif
