/*
 * The gateway's truth: what every machine is, did and said, stored exactly once.
 *
 * One process has one `struct store`, the writer: all changes go through it, and it alone checkpoints. Its functions
 * may be called from any thread; store_begin takes its lock and store_commit or store_rollback gives it back, so a
 * batch excludes all other writers. Every reading thread opens a `struct store_reader` of its own: a read-only
 * connection that sees what is committed.
 *
 * The way of a report: ingest decodes a batch of messages, store_begin, store_apply_report for each, store_commit, and
 * only when that returned 0 sends the acks it was given (I2). Records are applied by (device, stream, seq), so a
 * repeated or overlapping report changes nothing (I1).
 *
 * Times are wall milliseconds (0 = unknown); "at" is when it happened, "recv" when the gateway heard of it.
 *
 * Errors of all functions: -ENOSPC disk full, -EBUSY the database is locked by another process, -EIO, -ENOMEM, -ENOENT
 * (no such device), STORE_E_...; `diag` (may be NULL) then holds cause and next step. After a failure inside a batch
 * only store_rollback is allowed. store_commit ends the batch either way: when it fails nothing of it remains.
 */
#ifndef GW_STORE_H
#define GW_STORE_H

#include "gateway/store/care.h"
#include "proto/model.h"

enum {
	STORE_E_CORRUPT = 1, /* the file isn't a sound database: restore it */
	STORE_E_NEWER,       /* written by a newer gymfleet: upgrade the gateway */
};

enum {
	STORE_OPEN_FAULTS_MAX = 8,     /* kept in struct store_device; more are only counted */
	STORE_CLOSED_MAX = 8,          /* areas in struct store_device; of more those that open last */
	STORE_SILENCE_MS = 180 * 1000, /* three heartbeats unheard: offline */
	STORE_QUARANTINE_KEPT = 1000,  /* the newest; all are counted */
	STORE_EVENTS_KEPT = 100 * 1000,
	STORE_REASON_MAX = 256,
};

struct store;
struct store_reader;

struct store_options {
	const char *path;
	int64_t keep_raw_ms;     /* heartbeats as they came; 0 = 14 days */
	int64_t keep_5min_ms;    /* their 5-minute rollups; 0 = 90 days */
	int64_t keep_hour_ms;    /* hourly; 0 = 2 years. Daily rollups, sessions and faults stay. */
	int64_t busy_timeout_ms; /* how long to wait for a lock; 0 = 5 s */
};

/* Opens or makes the database and brings its schema up to date. */
GF_MUST_CHECK int store_open(const struct store_options *options, struct store **ret_store, struct gf_diag *diag);
/* Checkpoints and closes; NULL is fine. */
void store_close(struct store *store);

/* ---- a batch ---- */

GF_MUST_CHECK int store_begin(struct store *store, struct gf_diag *diag);
GF_MUST_CHECK int store_commit(struct store *store, struct gf_diag *diag);
void store_rollback(struct store *store);

/*
 * A birth, goodbye or will. What belongs to a connection older than the one known (by boot and connection counter)
 * changes nothing. A retained birth of the known connection brings no machine back online. An unknown id makes a new
 * device.
 */
GF_MUST_CHECK int store_apply_status(struct store *store, const char *device, const struct gf_status *status,
                                     bool retained, int64_t recv_ms, struct gf_diag *diag);

/*
 * A report; `bad` marks records that couldn't be decoded (NULL = none): they are acked as rejected. *ret_ack speaks of
 * what will be true after store_commit: never send it before. A hole applies nothing and yields the old ack.
 * ret_ack->rejected counts the records rejected now, not those of a report that is only repeated: when it isn't 0 the
 * caller quarantines the report's bytes.
 */
GF_MUST_CHECK int store_apply_report(struct store *store, const char *device, const struct gf_report *report,
                                     const bool *bad, int64_t recv_ms, struct gf_ack *ret_ack, struct gf_diag *diag);

/* Keeps bytes that weren't understood (at most GF_REPORT_MAX of them) with the reason, and tells it as an event. What is
 * the same as one of the machine's newest is kept once, and counted each time. */
GF_MUST_CHECK int store_quarantine(struct store *store, const char *device, const char *leaf, const char *reason,
                                   const void *data, size_t len, int64_t recv_ms, struct gf_diag *diag);

/* ---- single changes: each is a transaction of its own, not to be called inside a batch ---- */

/* What the operator says of a machine, over what it says of itself. NULL leaves a value as it is, "" removes the
 * override. It is at the site since then: what it did before stays at the site where it was, also when that is told later. */
struct store_device_change {
	const char *name, *site, *zone, *bay;
	int64_t site_since_ms; /* 0 = from now on; not in the time to come */
};
struct store_actor; /* wishes.h */
GF_MUST_CHECK int store_device_set(struct store *store, const char *device, const struct store_device_change *change,
                                   const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag);

/*
 * Marks machines offline from which nothing was heard for STORE_SILENCE_MS. `listening_since_ms`: when the gateway's
 * connection to the broker began; silence from before it proves nothing. Call it only while connected.
 */
GF_MUST_CHECK int store_presence(struct store *store, int64_t listening_since_ms, int64_t now_ms, unsigned *ret_gone,
                                 struct gf_diag *diag);

/* Deletes at most about `budget` rows that are past their time, checkpoints. *ret_more: call again soon. */
GF_MUST_CHECK int store_maintain(struct store *store, int64_t now_ms, unsigned budget, bool *ret_more,
                                 struct gf_diag *diag);

/* Counts the gateway's starts: 1, 2, 3 ... */
GF_MUST_CHECK int store_next_epoch(struct store *store, uint64_t *ret_epoch, struct gf_diag *diag);

/* The newest committed event's id, without touching the database: for those who wait for the next. */
uint64_t store_last_event(const struct store *store);

/* ---- reading ---- */

GF_MUST_CHECK int store_reader_open(const char *path, struct store_reader **ret_reader, struct gf_diag *diag);
void store_reader_close(struct store_reader *reader);

/*
 * Iterations call `row` for each; what it points to is valid during the call. A callback that returns other than 0 ends
 * the iteration, which then returns that value.
 */

#define STORE_TIME_SOURCES(X) X(DEVICE, "device") X(ESTIMATED, "estimated") X(RECEIVED, "received")
#define STORE_OFFLINES(X) X(NEVER, "never_seen") X(GOODBYE, "goodbye") X(LOST, "lost") X(SILENT, "silent")
#define STORE_EVENT_KINDS(X)    \
	X(PRESENCE, "presence")     \
	X(SESSION, "session")       \
	X(FAULT, "fault")           \
	X(LOST, "lost")             \
	X(QUARANTINE, "quarantine") \
	X(CATALOG, "catalog")       \
	X(DEVICE, "device")         \
	X(LIMIT, "limit")           \
	X(ROLLOUT, "rollout")       \
	X(COMMAND, "command") X(FLAG, "flag") X(INCIDENT, "incident") X(SERVICE, "service") X(WEBHOOK, "webhook")
#define STORE_AUDIT_KINDS(X) \
	X(GAP, "gap")            \
	X(OVERLAP, "overlap") X(DUPLICATE, "duplicate") X(RESET, "reset") X(LOST, "lost") X(BEHIND, "behind")
#define STORE_USAGE_KEYS(X) \
	X(DEVICE, "device")     \
	X(SITE, "site")         \
	X(CLASS, "class")       \
	X(ROUTINE, "routine") X(AREA, "area") X(HOUR, "hour") X(DAY, "day") X(WEEK, "week") X(OUTCOME, "outcome")

enum store_time_source {
#define X(s, n) STORE_TIME_##s,
	STORE_TIME_SOURCES(X)
#undef X
};
enum store_offline {
#define X(s, n) STORE_OFFLINE_##s,
	STORE_OFFLINES(X)
#undef X
};
enum store_event_kind {
#define X(s, n) STORE_EVENT_##s,
	STORE_EVENT_KINDS(X)
#undef X
	    STORE_EVENT_COUNT,
};
enum store_audit_kind {
#define X(s, n) STORE_AUDIT_##s,
	STORE_AUDIT_KINDS(X)
#undef X
};
enum store_usage_key {
#define X(s, n) STORE_USAGE_##s,
	STORE_USAGE_KEYS(X)
#undef X
	    STORE_USAGE_COUNT,
};
/* The names above; never NULL ("unknown" out of range). */
const char *store_time_source_name(enum store_time_source source);
const char *store_offline_name(enum store_offline reason);
const char *store_event_kind_name(enum store_event_kind kind);
const char *store_audit_kind_name(enum store_audit_kind kind);
const char *store_usage_key_name(enum store_usage_key key);
/* Return 0 or -EINVAL. */
GF_MUST_CHECK int store_event_kind_parse(const char *name, enum store_event_kind *ret_kind);
GF_MUST_CHECK int store_usage_key_parse(const char *name, enum store_usage_key *ret_key);

struct store_fault {
	char device[GF_ID_MAX];
	uint64_t fault_no;
	enum gf_fault code;
	enum gf_severity severity;
	int64_t raised_ms, cleared_ms; /* cleared 0 = still open */
	enum store_time_source time_source;
	enum gf_cleared_by cleared_by;
	uint64_t lasted_ms;    /* 0 while open */
	float observed, limit; /* NaN = none */
	uint64_t session_no;   /* 0 = outside a session */
	char detail[GF_TEXT_MAX];
};

/* P8: where it hurt twice. */
struct store_closed {
	enum gf_area area;
	enum gf_side side;
	int64_t since_ms, until_ms;
	bool personal; /* to the person whose session it was; else to everybody */
};

/* A device as it is now: what it said newest (by stream, boot and uptime), under what the operator set. Its fields are
 * grouped by meaning, not by size. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct store_device {
	char id[GF_ID_MAX];
	char name[GF_NAME_MAX]; /* the operator's; may be empty */
	struct gf_location location;
	bool name_set, site_set, zone_set, bay_set; /* by the operator */
	bool born;                                  /* a birth was received; else only reports, and class etc. are empty */
	enum gf_class class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX], agent_version[GF_NAME_MAX], driver[GF_NAME_MAX];
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	struct gf_digest catalog_digest;                             /* zeros = unknown */
	bool catalog_on_trial;                                       /* not confirmed yet */
	float rated_motor_h, motor_temp_stop_c, surface_temp_stop_c; /* 0 = unknown */
	int64_t cert_not_after_ms;
	struct gf_desired desired;        /* revision 0 = nothing was ever desired of it */
	struct gf_desired_applied answer; /* its newest word on what is desired; revision 0 = none */
	int64_t answered_ms;
	uint64_t applied_revision; /* the highest that it answered: limits and lock up to it are in force */

	bool online;
	enum store_offline offline_reason;   /* when offline */
	int64_t presence_since_ms;           /* when it came online or went offline */
	int64_t first_seen_ms, last_seen_ms; /* by receive time */
	uint64_t boot, connection;
	bool clock_synced;
	int64_t clock_since_ms; /* when clock_synced last changed */

	bool has_stream;
	struct gf_stream_id stream;
	uint64_t acked_seq;
	int64_t last_record_ms; /* event time of the newest record stored */

	struct gf_odometer odometer; /* newest known */
	uint64_t motor_before_ms;    /* what its motor ran before the odometer counted */
	bool has_heartbeat;
	int64_t heartbeat_ms;
	struct gf_heartbeat heartbeat; /* the newest */

	uint64_t running_session; /* its number, 0 = none */
	uint64_t sessions;        /* ended and stored */
	uint64_t session_motor_ms;
	uint64_t sessions_today;      /* started since the query's today_ms */
	uint32_t interrupted_24h;     /* sessions interrupted in the 24 h before the query's now_ms */
	int64_t interrupted_since_ms; /* the first of those; 0 = none */
	/* D1: by event time, over or not; 0 = the newest word is that it doesn't rest. */
	int64_t rest_since_ms, rest_until_ms;
	uint32_t closed_count;
	struct store_closed closed[STORE_CLOSED_MAX]; /* at the query's now_ms, the last to open first */
	uint32_t open_faults;
	struct store_fault open[STORE_OPEN_FAULTS_MAX]; /* the first open_faults of them, worst first */
	struct store_care care;
};

struct store_device_query {
	const char *device; /* NULL = all, by id */
	int64_t now_ms, today_ms;
};
typedef int (*store_device_fn)(void *ctx, const struct store_device *device);
GF_MUST_CHECK int store_read_devices(struct store_reader *reader, const struct store_device_query *query,
                                     store_device_fn row, void *ctx, struct gf_diag *diag);
/* One device; -ENOENT when there is none. */
GF_MUST_CHECK int store_read_device(struct store_reader *reader, const struct store_device_query *query,
                                    struct store_device *ret_device, struct gf_diag *diag);

/* What the machines of a class tell of. */
struct store_sensing {
	uint64_t machines;
	uint64_t vibrating;                  /* that say how they vibrate in the hand */
	uint64_t beating;                    /* of which there is a heartbeat */
	uint64_t measuring[GF_SENSOR_COUNT]; /* the newest of which has that */
};
/* By class. */
GF_MUST_CHECK int store_read_sensing(struct store_reader *reader, struct store_sensing ret_told[static GF_CLASS_COUNT],
                                     struct gf_diag *diag);

/* What a machine is, without what happened to it; `key` names it in facts. */
struct store_machine {
	int64_t key;
	char id[GF_ID_MAX], site[GF_NAME_MAX], model[GF_NAME_MAX];
	enum gf_class class;
	double rated_motor_h;     /* 0 = unknown */
	uint64_t motor_before_ms; /* what its motor ran before the odometer counted */
	int64_t first_seen_ms;    /* or its first use, where it brought a past along */
	struct gf_odometer odometer;
};
typedef int (*store_machine_fn)(void *ctx, const struct store_machine *machine);
/* All, by id. */
GF_MUST_CHECK int store_read_machines(struct store_reader *reader, store_machine_fn row, void *ctx,
                                      struct gf_diag *diag);

/* A machine at a site, from when it was first seen (or used) or came there until it went. */
struct store_stay {
	char id[GF_ID_MAX], site[GF_NAME_MAX];
	enum gf_class class;
	int64_t from_ms, until_ms; /* INT64_MAX = it is there */
};
typedef int (*store_stay_fn)(void *ctx, const struct store_stay *stay);
/* All, by id, then time. */
GF_MUST_CHECK int store_read_stays(struct store_reader *reader, store_stay_fn row, void *ctx, struct gf_diag *diag);

struct store_session {
	char device[GF_ID_MAX];
	enum gf_class class;
	char site[GF_NAME_MAX]; /* where it began */
	uint64_t session_no;
	char routine[GF_NAME_MAX], catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	uint32_t planned_s;
	uint64_t subject_token;
	bool running;            /* then what follows but for the start is 0 */
	enum gf_outcome outcome; /* UNSPECIFIED while running */
	int64_t started_ms, ended_ms;
	enum store_time_source time_source; /* of the start */
	uint32_t duration_ms, paused_ms;
	uint64_t motor_ms;
	uint32_t pain_presses;
	float peak_motor_temp_c, peak_surface_temp_c, peak_current_ma, peak_pressure_mmhg; /* NaN = not measured */
	struct gf_odometer odometer;                                                       /* after it */
	size_t areas_count;
	struct gf_area_use areas[GF_SESSION_AREAS_MAX];
};

/* Sessions by start, newest first; to page on, give the last row's start, device and number. */
struct store_session_query {
	const char *device; /* NULL = all */
	int64_t since_ms;
	int64_t until_ms;         /* exclusive; 0 = no end */
	int64_t after_started_ms; /* the cursor; after_device NULL = from the newest */
	const char *after_device;
	uint64_t after_session_no;
};
typedef int (*store_session_fn)(void *ctx, const struct store_session *session);
GF_MUST_CHECK int store_read_sessions(struct store_reader *reader, const struct store_session_query *query,
                                      store_session_fn row, void *ctx, struct gf_diag *diag);

/* Ended sessions by a key; hour = "0".."23", day = "YYYY-MM-DD", week = "YYYY-Www" (ISO 8601), all of a clock that is utc_offset_ms ahead
 * of UTC, by the session's start; a site has what began there. By area, running_ms is the time on the area and motor_ms is 0. */
struct store_usage {
	char key[GF_ID_MAX];
	uint64_t sessions, running_ms, motor_ms;
	uint64_t completed, stopped, interrupted; /* stopped = by user, staff, fault or safety */
};
typedef int (*store_usage_fn)(void *ctx, const struct store_usage *usage);
GF_MUST_CHECK int store_read_usage(struct store_reader *reader, enum store_usage_key by, int64_t since_ms,
                                   int64_t until_ms, int64_t utc_offset_ms, store_usage_fn row, void *ctx,
                                   struct gf_diag *diag);

/* Faults, newest first; the cursor is the last row's raised_ms, device and fault_no. */
struct store_fault_query {
	const char *device; /* NULL = all */
	bool open_only;
	int64_t since_ms;
	int64_t after_raised_ms;
	const char *after_device; /* NULL = from the newest */
	uint64_t after_fault_no;
};
typedef int (*store_fault_fn)(void *ctx, const struct store_fault *fault);
GF_MUST_CHECK int store_read_faults(struct store_reader *reader, const struct store_fault_query *query,
                                    store_fault_fn row, void *ctx, struct gf_diag *diag);

/* The sessions of each machine against its odometer. BEHIND is information, all others are problems. */
struct store_finding {
	char device[GF_ID_MAX];
	enum store_audit_kind kind;
	uint64_t from_session, to_session;
	int64_t motor_ms; /* that no session, or more than one, accounts for */
	char text[GF_TEXT_MAX * 2];
};
struct store_audit {
	uint64_t devices, sessions, motor_ms;
	uint64_t problems;
};
typedef int (*store_finding_fn)(void *ctx, const struct store_finding *finding);
/* `row` may be NULL when only the totals matter; `device` NULL = all. */
GF_MUST_CHECK int store_read_audit(struct store_reader *reader, const char *device, store_finding_fn row, void *ctx,
                                   struct store_audit *ret_audit, struct gf_diag *diag);

/* Events in the order of their ids. `ref` is the session's, fault's (its case's), catalog's or rollout's number (0 = none), `code` its outcome,
 * fault code, limit's rule, catalog, presence, the rollout's state or a machine's step in it, the webhook's name (may be empty). */
struct store_event {
	uint64_t id;
	int64_t at_ms;
	enum store_event_kind kind;
	char device[GF_ID_MAX];
	char text[GF_TEXT_MAX * 2];
	uint64_t ref;
	char code[GF_NAME_MAX];
	bool notify; /* of a flag whose rule says that people are to be told */
};
struct store_event_query {
	uint64_t after;
	const char *device; /* NULL = all */
	uint32_t kinds;     /* bits (1 << enum store_event_kind); 0 = all */
};
typedef int (*store_event_fn)(void *ctx, const struct store_event *event);
GF_MUST_CHECK int store_read_events(struct store_reader *reader, const struct store_event_query *query,
                                    store_event_fn row, void *ctx, struct gf_diag *diag);

/* A device's sensors over time, from the rollups: `span_s` is 300, 3600 or 86400. Means are weighted by duration. */
struct store_bucket {
	int64_t start_ms;
	uint64_t covered_ms; /* the heartbeats' intervals */
	uint64_t motor_ms;
	struct gf_stat sensors[GF_SENSOR_COUNT]; /* `last` is not kept: 0 */
};
typedef int (*store_bucket_fn)(void *ctx, const struct store_bucket *bucket);
GF_MUST_CHECK int store_read_series(struct store_reader *reader, const char *device, unsigned span_s, int64_t since_ms,
                                    int64_t until_ms, store_bucket_fn row, void *ctx, struct gf_diag *diag);

/* What doctor wants to know of the database. */
struct store_stats {
	uint64_t db_bytes, wal_bytes, free_bytes; /* free = inside the file, reused before it grows */
	unsigned schema_version;
	uint64_t epoch;
	uint64_t devices, sessions, heartbeats_applied, events_last;
	uint64_t quarantined, quarantine_kept; /* ever; still there */
	int64_t quarantine_last_ms;
	char quarantine_last_device[GF_ID_MAX], quarantine_last_reason[STORE_REASON_MAX];
	uint64_t records_lost;  /* that machines had to drop, ever */
	uint64_t stray_answers; /* to desired states that were never given, ever */
};
GF_MUST_CHECK int store_read_stats(struct store_reader *reader, struct store_stats *ret_stats, struct gf_diag *diag);

/* Reads the whole file (seconds for gigabytes). 0 when it is sound; STORE_E_CORRUPT with the first problem in
 * `diag`. */
GF_MUST_CHECK int store_read_integrity(struct store_reader *reader, struct gf_diag *diag);

#endif
