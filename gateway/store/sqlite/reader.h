/* What the parts of the reader share. Each read is one transaction, so that all its statements see the same state. */
#ifndef GW_STORE_READER_H
#define GW_STORE_READER_H

#include "gateway/store/sqlite/db.h"
#include "gateway/store/sqlite/schema.h"

struct store_reader {
	struct db db;
};

GF_MUST_CHECK int read_begin(struct store_reader *r, struct gf_diag *diag);
/* Ends it whatever happened; passes `result` on. */
GF_MUST_CHECK int read_end(struct store_reader *r, int result);

/* The key of a device, which may be NULL; 0 = there is none, and nothing of it. */
GF_MUST_CHECK int read_device_key(struct store_reader *reader, const char *id, int64_t *ret_key, struct gf_diag *diag);

/* Those of the device that is asked for and of the one that a page goes on behind. */
GF_MUST_CHECK int read_device_keys(struct store_reader *reader, const char *id, const char *after, int64_t *ret_key,
                                   int64_t *ret_after, struct gf_diag *diag);

/* Reads the columns of FAULT_COLUMNS, from f and d, in their order. */
#define FAULT_COLUMNS                                                                                            \
	"d.id, f.fault_no, f.code, f.severity, f.raised_ms, f.cleared_ms, f.time_source, f.cleared_by, f.lasted_ms," \
	" f.observed, f.limit_value, f.session_no, f.detail"
void read_fault(struct query *q, struct store_fault *ret_fault);

/* The same of a heartbeat, from h. */
#define BEAT_SENSOR_COLUMNS(s) ", h." #s "_min, h." #s "_mean, h." #s "_max, h." #s "_last"
#define BEAT_COLUMNS                                                                                                  \
	"h.interval_ms, h.motor_ms, h.in_session, h.derated, h.odo_motor_ms, h.odo_sessions, h.odo_cycles,"               \
	" h.spool_records, h.spool_bytes, h.spool_dropped, h.link_connects, h.tick_p99_us, h.tick_worst_us,"              \
	" h.tick_overruns, h.duty_ms, h.duty_max_ms, h.rest_left_ms, h.bus_timeouts, h.bus_crc_errors, h.bus_exceptions," \
	" h.bus_reconnects" SCHEMA_SENSORS(BEAT_SENSOR_COLUMNS)
void read_heartbeat(struct query *q, struct gf_heartbeat *h);

#endif
