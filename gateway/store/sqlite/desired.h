/* The row of what is desired of a machine, as its writer and its readers share it. */
#ifndef GW_STORE_DESIRED_H
#define GW_STORE_DESIRED_H

#include "gateway/store/sqlite/db.h"
#include "gateway/store/wishes.h"

/* What desired_columns and answer_columns read, from w, in their order. NULLs of a machine of which nothing was ever desired are zeros. */
#define DESIRED_COLUMNS                                                                                     \
	"w.issued_ms, w.catalog, w.version, w.digest, w.size, w.within_ms,"                                     \
	" coalesce(w.intensity_max_pct, 0), coalesce(w.frequency_max_hz, 0), coalesce(w.pressure_max_mmhg, 0)," \
	" coalesce(w.heat_max_c, 0), w.session_max_ms, w.locked, w.lock_reason"
#define ANSWER_COLUMNS                                                                                         \
	"w.answer_revision, w.answer_step, w.answer_refusal, w.answer_detail, w.answer_catalog, w.answer_version," \
	" w.answer_digest"
void desired_columns(struct query *q, struct gf_desired *ret_desired);
void answer_columns(struct query *q, struct gf_desired_applied *ret_answer);

#endif
