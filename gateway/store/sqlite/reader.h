/* What the parts of the reader share. Each read is one transaction, so that all its statements see the same state. */
#ifndef GW_STORE_READER_H
#define GW_STORE_READER_H

#include "gateway/store/sqlite/db.h"

struct store_reader {
	struct db db;
};

GF_MUST_CHECK int read_begin(struct store_reader *r, struct gf_diag *diag);
/* Ends it whatever happened; passes `result` on. */
GF_MUST_CHECK int read_end(struct store_reader *r, int result);

/* The key of a device, which may be NULL; 0 = there is none, and nothing of it. */
GF_MUST_CHECK int read_device_key(struct store_reader *reader, const char *id, int64_t *ret_key, struct gf_diag *diag);

/* Reads the columns of FAULT_COLUMNS, from f and d, in their order. */
#define FAULT_COLUMNS                                                                                            \
	"d.id, f.fault_no, f.code, f.severity, f.raised_ms, f.cleared_ms, f.time_source, f.cleared_by, f.lasted_ms," \
	" f.observed, f.limit_value, f.session_no, f.detail"
void read_fault(struct query *q, struct store_fault *ret_fault);

#endif
