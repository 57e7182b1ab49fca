/* Reading what people and rules say of a machine (care.h). Private to this backend. */
#ifndef GW_STORE_CARE_READ_H
#define GW_STORE_CARE_READ_H

#include "gateway/store/sqlite/reader.h"

#define CARE_LAST_COLUMN                                                               \
	" coalesce((SELECT max(s.ended_ms) FROM sessions s INDEXED BY sessions_device_end" \
	" WHERE s.device = d.device AND s.outcome <> 0), 0)"
/* Most machines have none of it: so that nobody looks for it one by one. From d. */
#define CARE_COLUMNS                                                               \
	"EXISTS (SELECT 1 FROM flags l WHERE l.device = d.device AND l.ended_ms = 0)," \
	" EXISTS (SELECT 1 FROM cases c WHERE c.device = d.device AND c.open > 0),"    \
	" EXISTS (SELECT 1 FROM tags t WHERE t.device = d.device AND t.until_ms = 0)," \
	" EXISTS (SELECT 1 FROM services v WHERE v.device = d.device)," CARE_LAST_COLUMN
struct care_has {
	bool flags, cases, tag, services;
	int64_t last_ms; /* the last session's end; 0 = none */
};
void care_columns(struct query *q, struct care_has *ret_has);

GF_MUST_CHECK int care_read(struct store_reader *reader, int64_t key, const struct care_has *has,
                            struct store_device *device, struct gf_diag *diag);
/* The newest service of each part. */
GF_MUST_CHECK int care_parts(struct store_reader *reader, int64_t key,
                             struct store_care_part ret_parts[FACT_PART_COUNT], struct gf_diag *diag);
/* `last_ms` as of CARE_LAST_COLUMN, of devices d. */
GF_MUST_CHECK int care_use(struct store_reader *reader, int64_t key, int64_t last_ms, int64_t first_seen_ms,
                           struct store_use *ret_use, struct gf_diag *diag);

#endif
