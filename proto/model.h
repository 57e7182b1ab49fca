/*
 * The words both ends share, as plain C: what a device says of itself and what it reports. The wire form is
 * proto/gymfleet.proto; proto/codec turns one into the other; nothing else knows protobuf.
 *
 * Each enumeration is one X-macro list: X(SYMBOL, "name"). The number of an entry is its number on the wire (the
 * position in the list, from 1; 0 is "unspecified" everywhere) and is never reused.
 *
 * Strings are NUL-terminated and bounded by the named limits. Units are in the names.
 */
#ifndef GF_MODEL_H
#define GF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/base/err.h"
#include "proto/base/text.h"

#define GF_CLASSES(X)             \
	X(PERCUSSION, "percussion")   \
	X(ROLLER, "roller")           \
	X(COMPRESSION, "compression") \
	X(CHAIR, "chair")             \
	X(WATER_BED, "water_bed")

#define GF_AREAS(X)                                   \
	X(GLUTES, "glutes")                               \
	X(HAMSTRINGS, "hamstrings")                       \
	X(BICEPS_FEMORIS, "biceps_femoris")               \
	X(SEMITENDINOSUS, "semitendinosus")               \
	X(SEMIMEMBRANOSUS, "semimembranosus")             \
	X(QUADS, "quads")                                 \
	X(VASTUS_LATERALIS, "vastus_lateralis")           \
	X(VASTUS_MEDIALIS, "vastus_medialis")             \
	X(PATELLA, "patella")                             \
	X(CALVES, "calves")                               \
	X(GASTROCNEMIUS_LATERAL, "gastrocnemius_lateral") \
	X(ACHILLES, "achilles")                           \
	X(IT_BAND, "it_band")                             \
	X(FEET, "feet")                                   \
	X(ARCH, "arch")                                   \
	X(TOES, "toes")                                   \
	X(LOWER_BACK, "lower_back")                       \
	X(UPPER_BACK, "upper_back")                       \
	X(SHOULDERS, "shoulders")                         \
	X(NECK, "neck")                                   \
	X(ARMS, "arms")                                   \
	X(LEGS, "legs")

#define GF_SIDES(X)   \
	X(LEFT, "left")   \
	X(RIGHT, "right") \
	X(BOTH, "both")

#define GF_TECHNIQUES(X)        \
	X(STROKE, "stroke")         \
	X(PRESS, "press")           \
	X(DRUM, "drum")             \
	X(PERCUSSION, "percussion") \
	X(ROLL, "roll")             \
	X(KNEAD, "knead")           \
	X(FRICTION, "friction")     \
	X(STRETCH, "stretch")       \
	X(COMPRESS, "compress")     \
	X(WATER, "water")

#define GF_OUTCOMES(X)                  \
	X(COMPLETED, "completed")           \
	X(USER_STOPPED, "user_stopped")     \
	X(STAFF_STOPPED, "staff_stopped")   \
	X(FAULT_STOPPED, "fault_stopped")   \
	X(SAFETY_STOPPED, "safety_stopped") \
	X(INTERRUPTED, "interrupted")

#define GF_FAULTS(X)                        \
	X(OVERTEMP_MOTOR, "overtemp_motor")     \
	X(OVERTEMP_SURFACE, "overtemp_surface") \
	X(OVERCURRENT, "overcurrent")           \
	X(STALL, "stall")                       \
	X(ESTOP, "estop")                       \
	X(COVER_OPEN, "cover_open")             \
	X(OVERPRESSURE, "overpressure")         \
	X(LEAK, "leak")                         \
	X(SENSOR_LOST, "sensor_lost")           \
	X(COMMS_LOST, "comms_lost")             \
	X(ENDSTOP_TIMEOUT, "endstop_timeout")   \
	X(SUPPLY, "supply")                     \
	X(WATCHDOG, "watchdog")                 \
	X(BATTERY_LOW, "battery_low")           \
	X(STORAGE, "storage")

#define GF_SEVERITIES(X) \
	X(INFO, "info")      \
	X(DERATE, "derate")  \
	X(STOP, "stop")      \
	X(LATCH, "latch")

#define GF_SENSORS(X)                   \
	X(MOTOR_TEMP_C, "motor_temp_c")     \
	X(SURFACE_TEMP_C, "surface_temp_c") \
	X(CURRENT_MA, "current_ma")         \
	X(SPEED_RPM, "speed_rpm")           \
	X(PRESSURE_MMHG, "pressure_mmhg")   \
	X(SUPPLY_MV, "supply_mv")           \
	X(BATTERY_PCT, "battery_pct")

#define GF_RECORD_KINDS(X)                \
	X(HEARTBEAT, "heartbeat")             \
	X(SESSION_STARTED, "session_started") \
	X(SESSION_ENDED, "session_ended")     \
	X(FAULT_RAISED, "fault_raised")       \
	X(FAULT_CLEARED, "fault_cleared")     \
	X(LIMIT_HIT, "limit_hit")             \
	X(CATALOG_CHANGED, "catalog_changed") \
	X(DESIRED_APPLIED, "desired_applied") \
	X(LOST, "lost")

#define GF_PRESENCES(X)   \
	X(BIRTH, "birth")     \
	X(GOODBYE, "goodbye") \
	X(LOST, "lost")

#define GF_CLEARED_BYS(X)     \
	X(RECOVERED, "recovered") \
	X(STAFF, "staff")         \
	X(RESTART, "restart")

/* Why a machine's active catalog changed. */
#define GF_CATALOG_CAUSES(X)        \
	X(OVER_THE_AIR, "over_the_air") \
	X(ROLLED_BACK, "rolled_back")   \
	X(BY_HAND, "by_hand")           \
	X(RECOVERED, "recovered")

/* How far a machine is with what is desired of it; the order of one revision's steps. */
#define GF_DESIRED_STEPS(X)   \
	X(APPLIED, "applied")     \
	X(FETCHING, "fetching")   \
	X(WAITING, "waiting")     \
	X(ACTIVE, "active")       \
	X(CONFIRMED, "confirmed") \
	X(REFUSED, "refused")     \
	X(ROLLED_BACK, "rolled_back")

/* Why a machine doesn't take, or doesn't keep, a catalog; gymfleet.proto says what each means. */
#define GF_REFUSALS(X)                  \
	X(NO_KEYS, "no_keys")               \
	X(NOT_DELIVERED, "not_delivered")   \
	X(DIGEST, "digest")                 \
	X(TOO_LARGE, "too_large")           \
	X(MALFORMED, "malformed")           \
	X(UNKNOWN_KEY, "unknown_key")       \
	X(BAD_SIGNATURE, "bad_signature")   \
	X(FEW_SIGNATURES, "few_signatures") \
	X(INVALID, "invalid")               \
	X(VERSION_RANGE, "version_range")   \
	X(WRONG_CLASS, "wrong_class")       \
	X(OLDER_VERSION, "older_version")   \
	X(VERSION_REUSED, "version_reused") \
	X(EXPIRED, "expired")               \
	X(AGENT_TOO_OLD, "agent_too_old")   \
	X(ENVELOPE, "envelope")             \
	X(STORAGE, "storage")               \
	X(IN_USE, "in_use")                 \
	X(CRASHED, "crashed")               \
	X(FAULTS, "faults")                 \
	X(ROLLED_BACK, "rolled_back")

#define GF_COMMANDS(X) X(STOP, "stop")

#define GF_COMMAND_OUTCOMES(X) \
	X(DONE, "done")            \
	X(REFUSED, "refused")      \
	X(EXPIRED, "expired")

/* For a list NAMES with prefix P: enum gf_<lower> { P_UNSPECIFIED, P_A, ..., P_COUNT } and the two name functions:
 * gf_<lower>_name() never returns NULL ("unspecified", or "unknown" out of range);
 * gf_<lower>_parse() returns 0 or -EINVAL and doesn't accept "unspecified". */
#define GF_ENUM_ENTRY_CLASS(s, n) GF_CLASS_##s,
#define GF_ENUM_ENTRY_AREA(s, n) GF_AREA_##s,
#define GF_ENUM_ENTRY_SIDE(s, n) GF_SIDE_##s,
#define GF_ENUM_ENTRY_TECHNIQUE(s, n) GF_TECHNIQUE_##s,
#define GF_ENUM_ENTRY_OUTCOME(s, n) GF_OUTCOME_##s,
#define GF_ENUM_ENTRY_FAULT(s, n) GF_FAULT_##s,
#define GF_ENUM_ENTRY_SEVERITY(s, n) GF_SEVERITY_##s,
#define GF_ENUM_ENTRY_SENSOR(s, n) GF_SENSOR_##s,
#define GF_ENUM_ENTRY_RECORD(s, n) GF_RECORD_##s,
#define GF_ENUM_ENTRY_PRESENCE(s, n) GF_PRESENCE_##s,
#define GF_ENUM_ENTRY_CLEARED_BY(s, n) GF_CLEARED_BY_##s,
#define GF_ENUM_ENTRY_CATALOG_CAUSE(s, n) GF_CATALOG_CAUSE_##s,
#define GF_ENUM_ENTRY_DESIRED_STEP(s, n) GF_DESIRED_STEP_##s,
#define GF_ENUM_ENTRY_REFUSAL(s, n) GF_REFUSAL_##s,
#define GF_ENUM_ENTRY_COMMAND(s, n) GF_COMMAND_##s,
#define GF_ENUM_ENTRY_COMMAND_OUTCOME(s, n) GF_COMMAND_OUTCOME_##s,
#define GF_DECLARE_ENUM(lower, UPPER, LIST)                                                    \
	enum gf_##lower{GF_##UPPER##_UNSPECIFIED, LIST(GF_ENUM_ENTRY_##UPPER) GF_##UPPER##_COUNT}; \
	const char *gf_##lower##_name(enum gf_##lower value);                                      \
	GF_MUST_CHECK int gf_##lower##_parse(const char *name, enum gf_##lower *ret_value)

GF_DECLARE_ENUM(class, CLASS, GF_CLASSES);
GF_DECLARE_ENUM(area, AREA, GF_AREAS);
GF_DECLARE_ENUM(side, SIDE, GF_SIDES);
GF_DECLARE_ENUM(technique, TECHNIQUE, GF_TECHNIQUES);
GF_DECLARE_ENUM(outcome, OUTCOME, GF_OUTCOMES);
GF_DECLARE_ENUM(fault, FAULT, GF_FAULTS);
GF_DECLARE_ENUM(severity, SEVERITY, GF_SEVERITIES);
GF_DECLARE_ENUM(sensor, SENSOR, GF_SENSORS);
GF_DECLARE_ENUM(record_kind, RECORD, GF_RECORD_KINDS);
GF_DECLARE_ENUM(presence, PRESENCE, GF_PRESENCES);
GF_DECLARE_ENUM(cleared_by, CLEARED_BY, GF_CLEARED_BYS);
GF_DECLARE_ENUM(catalog_cause, CATALOG_CAUSE, GF_CATALOG_CAUSES);
GF_DECLARE_ENUM(desired_step, DESIRED_STEP, GF_DESIRED_STEPS);
GF_DECLARE_ENUM(refusal, REFUSAL, GF_REFUSALS);
GF_DECLARE_ENUM(command, COMMAND, GF_COMMANDS);
GF_DECLARE_ENUM(command_outcome, COMMAND_OUTCOME, GF_COMMAND_OUTCOMES);

enum {
	GF_NAME_MAX = 48,  /* routine ids, catalog names, sites, zones, bays, models, versions; with the NUL */
	GF_TEXT_MAX = 160, /* a sentence in a record; with the NUL */
	GF_SESSION_AREAS_MAX = 48,
	GF_STREAM_ID_LEN = 16,
	GF_REPORT_MAX = 16 * 1024, /* bytes on the wire */
	GF_REPORT_RECORDS_MAX = 64,
	GF_STATUS_MAX = 2 * 1024,
	GF_ACK_MAX = 256,
	GF_RECORD_MAX = 4 * 1024, /* one encoded record */
	GF_DESIRED_MAX = 1024,
	GF_COMMAND_MAX = 256,
	GF_REPLY_MAX = 512,
	GF_DIGEST_LEN = 32,
	GF_DESIRED_WITHIN_MS = 24 * 3600 * 1000, /* where a DesiredCatalog names no time */
};

/* SHA-256 of a signed catalog: its name on the wire and on disk. All zero = none. */
struct gf_digest {
	uint8_t bytes[GF_DIGEST_LEN];
};
static inline bool gf_digest_equal(const struct gf_digest *a, const struct gf_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
static inline bool gf_digest_none(const struct gf_digest *digest)
{
	return gf_digest_equal(digest, &(struct gf_digest){{0}});
}

/* Lifetime counters of the machine; they only grow and survive everything. */
struct gf_odometer {
	uint64_t motor_ms;
	uint64_t sessions; /* ended sessions */
	uint64_t cycles;
};

struct gf_stat {
	bool present;
	float min, mean, max, last;
};

struct gf_heartbeat {
	uint32_t interval_ms;
	struct gf_stat sensors[GF_SENSOR_COUNT]; /* [0] unused */
	uint32_t motor_ms;                       /* of the interval */
	bool in_session;
	bool derated;
	struct gf_odometer odometer;
	uint32_t spool_records;              /* waiting for the gateway's ack */
	uint64_t spool_bytes;                /* on disk */
	uint64_t spool_dropped;              /* records dropped since the stream began */
	uint32_t link_connects;              /* since boot */
	uint32_t tick_p99_us, tick_worst_us; /* lateness of the control tick in the interval */
	uint32_t tick_overruns;
	uint32_t duty_ms,
	    duty_max_ms;       /* run without enough rest in between, and where the machine must rest; 0 = no such limit */
	uint32_t rest_left_ms; /* no session starts before it has passed */
	/* Of the wire to the hardware, since boot. */
	uint32_t bus_timeouts, bus_crc_errors, bus_exceptions, bus_reconnects;
};

/* A session's number on its machine: 1, 2, 3 ... without holes, for the machine's whole life. */
struct gf_session_started {
	uint64_t session_no;
	char routine[GF_NAME_MAX];
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	uint32_t planned_s;
	uint64_t subject_token; /* 0 = none */
	uint64_t staff_token;   /* who held the machine to somebody; 0 = nobody */
};

struct gf_area_use {
	enum gf_area area;
	enum gf_side side;
	enum gf_technique technique;
	uint32_t ms;
	float mean_intensity_pct, max_intensity_pct;
};

struct gf_session_ended {
	struct gf_session_started start; /* routine empty when the power went before the start was on disk */
	uint64_t started_boot, started_uptime_ms, started_wall_ms;
	bool started_clock_synced;
	uint32_t duration_ms; /* start to end; what is known of it when interrupted */
	uint32_t paused_ms;
	uint64_t motor_ms;
	enum gf_outcome outcome;
	size_t areas_count;
	struct gf_area_use areas[GF_SESSION_AREAS_MAX];
	float peak_motor_temp_c, peak_surface_temp_c, peak_current_ma, peak_pressure_mmhg; /* NaN = not measured */
	uint32_t pain_presses;
	struct gf_odometer odometer; /* after this session: odometer.motor_ms - motor_ms is what it was before */
};

struct gf_fault_raised {
	uint64_t fault_no; /* 1, 2, 3 ... on its machine */
	enum gf_fault code;
	enum gf_severity severity;
	float observed, limit; /* NaN = no number belongs to it */
	uint64_t session_no;   /* 0 = outside a session */
	char detail[GF_TEXT_MAX];
};

struct gf_fault_cleared {
	uint64_t fault_no;
	enum gf_fault code;
	enum gf_cleared_by by;
	uint64_t lasted_ms;
};

/* A device-side overuse rule acted. */
struct gf_limit_hit {
	char rule[GF_NAME_MAX]; /* "P3" */
	enum gf_area area;      /* UNSPECIFIED where the rule knows none */
	enum gf_side side;
	float observed, limit;
	uint64_t session_no;
	char action[GF_NAME_MAX]; /* "warn", "clamp", "skip_step", "stop", "refuse", "open" */
	uint32_t lasts_ms;        /* how long what it did goes on: a rest, a closed area; 0 = no such time */
};

struct gf_catalog_changed {
	char catalog[GF_NAME_MAX];
	uint64_t version, previous_version; /* 0 = none */
	enum gf_catalog_cause cause;        /* UNSPECIFIED by older agents */
	struct gf_digest digest;
};

struct gf_desired_applied {
	uint64_t revision;
	enum gf_desired_step step; /* UNSPECIFIED by older agents: APPLIED */
	enum gf_refusal refusal;   /* with REFUSED and ROLLED_BACK */
	char detail[GF_TEXT_MAX];  /* the sentence that goes with it */
	char catalog[GF_NAME_MAX]; /* "" and zeros where none is desired */
	uint64_t version;
	struct gf_digest digest;
};

/* Takes the place of the records seq..through_seq, which the device had to drop. */
struct gf_lost {
	uint64_t through_seq;
	uint64_t counts[GF_RECORD_COUNT]; /* by kind; their sum is at most through_seq - seq + 1 */
	uint64_t first_wall_ms, last_wall_ms;
};

struct gf_record {
	uint64_t seq;
	uint64_t boot; /* counts the agent's starts */
	uint64_t uptime_ms;
	uint64_t wall_ms; /* 0 = the device has no idea */
	bool clock_synced;
	enum gf_record_kind kind; /* UNSPECIFIED for a kind this build doesn't know: skipped, still acked */
	union {
		struct gf_heartbeat heartbeat;
		struct gf_session_started session_started;
		struct gf_session_ended session_ended;
		struct gf_fault_raised fault_raised;
		struct gf_fault_cleared fault_cleared;
		struct gf_limit_hit limit_hit;
		struct gf_catalog_changed catalog_changed;
		struct gf_desired_applied desired_applied;
		struct gf_lost lost;
	};
};

/* The last seq a record stands for: its own, or a Lost record's through_seq. */
static inline uint64_t gf_record_through(const struct gf_record *r)
{
	return r->kind == GF_RECORD_LOST ? r->lost.through_seq : r->seq;
}

struct gf_stream_id {
	uint8_t bytes[GF_STREAM_ID_LEN];
};

struct gf_report {
	struct gf_stream_id stream;
	uint64_t first_seq;
	size_t records_count;
	struct gf_record *records;
};

struct gf_ack {
	struct gf_stream_id stream;
	uint64_t through_seq;
	uint32_t rejected; /* records of the report that were quarantined */
};

struct gf_location {
	char site[GF_NAME_MAX], zone[GF_NAME_MAX], bay[GF_NAME_MAX];
};

struct gf_status {
	enum gf_presence presence;
	uint64_t boot, connection;
	/* Below: in a birth only. */
	uint64_t uptime_ms, wall_ms;
	bool clock_synced;
	enum gf_class class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX], agent_version[GF_NAME_MAX], driver[GF_NAME_MAX];
	struct gf_location location;
	struct gf_odometer odometer;
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	struct gf_stream_id stream;
	uint64_t next_seq, acked_seq;
	uint64_t cert_not_after_ms; /* wall time; 0 = unknown */
	float rated_motor_h;        /* 0 = unknown */
	float motor_temp_stop_c;    /* the envelope's limits, for "near its limit"; 0 = none */
	float surface_temp_stop_c;
	uint64_t desired_revision;       /* the highest it has seen; 0 = none */
	struct gf_digest catalog_digest; /* zeros = unknown */
	bool catalog_on_trial;           /* not confirmed yet */
	float vibration_ms2;             /* of the model, for those who hold it (ISO 5349-1); 0 = unknown */
	uint64_t hour_meter_ms;          /* what the hardware's own meter shows with this odometer; 0 = it has none */
	uint64_t motor_before_ms;        /* the motor ran so long before anything counted, as people say; 0 = nobody does */
};

/* Which catalog is desired; its bytes are under gf_topic_catalog. */
struct gf_desired_catalog {
	char name[GF_NAME_MAX];
	uint64_t version;
	struct gf_digest digest;
	uint32_t size;      /* of the signed catalog, bytes */
	uint32_t within_ms; /* from when the machine hears of it to its activation; 0 = GF_DESIRED_WITHIN_MS */
};

/* Only ever tighter than the machine's envelope; 0 = no such limit. */
struct gf_desired_limits {
	float intensity_max_pct, frequency_max_hz, pressure_max_mmhg, heat_max_c;
	uint32_t session_max_ms;
};

/* All that is desired of a machine; a machine ignores a revision below the highest it has seen. */
struct gf_desired {
	uint64_t revision;
	uint64_t issued_ms;
	bool has_catalog; /* false: it keeps what it has */
	struct gf_desired_catalog catalog;
	struct gf_desired_limits limits;
	bool locked; /* no session starts */
	char lock_reason[GF_TEXT_MAX];
};

struct gf_command_order {
	uint64_t id;
	enum gf_command kind;
	uint64_t issued_ms;
	uint32_t within_ms; /* after that it is not carried out any more */
};

struct gf_reply {
	uint64_t id;
	enum gf_command_outcome outcome;
	char detail[GF_TEXT_MAX];
};

struct gf_gateway_status {
	bool up;
	uint64_t epoch; /* counts the gateway's starts, over all of them */
	uint64_t wall_ms;
	char version[GF_NAME_MAX];
};

#endif
