/* Rows that the writer looks up as the readers do, each by its own connection. */
#ifndef GW_STORE_ROW_H
#define GW_STORE_ROW_H

#include "gateway/store/sqlite/db.h"

/* One number for a record of a machine: its seq, with the number of its stream above. */
enum { ROW_STREAM_SHIFT = 44 };

/* What a session did where; how many areas. */
GF_MUST_CHECK int row_areas(struct db *db, int64_t device, uint64_t session_no,
                            struct gf_area_use ret_areas[static GF_SESSION_AREAS_MAX], size_t *ret_count,
                            struct gf_diag *diag);
/* The tag that hangs on a machine; since_ms 0 = none does. */
GF_MUST_CHECK int row_tag(struct db *db, int64_t device, struct store_tag *ret_tag, struct gf_diag *diag);

#endif
