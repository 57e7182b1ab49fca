/*
 * A machine's health: facts in, reasons out. Pure: no log, no clock, no disk, no network; the same facts always give
 * the same reasons. Health is the worst of its reasons; one that is `ok` is worth knowing and no more. The sentences are
 * for a technician: what, since when, why, what to do.
 */
#ifndef GW_HEALTH_H
#define GW_HEALTH_H

#include "gateway/sites/calendar.h"
#include "gateway/wear/wear.h"
#include "proto/model.h"

#define HEALTH_SEVERITIES(X) X(OK, "ok") X(ATTENTION, "attention") X(CRITICAL, "critical")

#define HEALTH_CODES(X)                 \
	X(OFFLINE, "offline")               \
	X(FAULT_OPEN, "fault_open")         \
	X(OUT_OF_SERVICE, "out_of_service") \
	X(DAMAGE, "damage")                 \
	X(TAGGED, "tagged")                 \
	X(OVERUSE, "overuse")               \
	X(NOT_JUDGED, "not_judged")         \
	X(SERVICE_DUE, "service_due")       \
	X(IDLE, "unusually_idle")           \
	X(RESTING, "resting")               \
	X(AREA_CLOSED, "area_closed")       \
	X(LOCKED, "locked")                 \
	X(MOTOR_HOT, "motor_hot")           \
	X(SURFACE_HOT, "surface_hot")       \
	X(CLOCK_UNSYNCED, "clock_unsynced") \
	X(SPOOL_BACKLOG, "spool_backlog")   \
	X(CERT_EXPIRING, "cert_expiring")   \
	X(INTERRUPTED, "interrupted")

enum health_severity {
#define X(s, n) HEALTH_##s,
	HEALTH_SEVERITIES(X)
#undef X
};
enum health_code {
#define X(s, n) HEALTH_CODE_##s,
	HEALTH_CODES(X)
#undef X
	    HEALTH_CODE_COUNT,
};
/* Never NULL ("unknown" out of range). */
const char *health_severity_name(enum health_severity severity);
const char *health_code_name(enum health_code code);

enum {
	HEALTH_FAULTS_MAX = 8,
	HEALTH_CLOSED_MAX = 8,
	HEALTH_FLAGS_MAX = 4,
	/* Three of the codes come from faults, two from flags. */
	HEALTH_REASONS_MAX = HEALTH_CODE_COUNT - 5 + HEALTH_FAULTS_MAX + HEALTH_FLAGS_MAX,
	HEALTH_TEXT_MAX = 768, /* the longest sentence fits with the longest detail */
};

enum health_presence { HEALTH_ONLINE, HEALTH_NEVER_SEEN, HEALTH_GOODBYE, HEALTH_LOST, HEALTH_SILENT };

struct health_fault {
	enum gf_fault code;
	enum gf_severity severity;
	int64_t since_ms;
	float observed, limit; /* NaN = none */
	const char *detail;    /* the machine's own words; NULL or "" = none */
	/* Of its case; 0 and NULL when there is none. */
	uint64_t case_id;
	bool reported; /* by a person: `detail` is theirs, the code is none */
	uint32_t times;
	int64_t first_ms, acked_ms;
	const char *by, *acked_by;
};

/* An open flag about the machine. */
struct health_flag {
	uint64_t id;
	enum health_severity severity;
	int64_t since_ms, acked_ms; /* 0 = nobody has acknowledged it */
	const char *title, *text, *advice, *acked_by;
	bool of_wear;    /* it says what service_due says */
	bool of_judging; /* the rules see but a part of what is told of it, or nothing */
};

/* Out of service by a person's word. */
struct health_tag {
	int64_t since_ms; /* 0 = no tag */
	int64_t back_ms;  /* expected return; 0 = not said */
	const char *reason, *owner;
};

/* How it was used in the 28 days before its last session. */
struct health_pace {
	int64_t from_ms; /* the first of these days that it was known */
	int64_t last_ms; /* its last session's end; 0 = none */
	uint64_t sessions;
};

/* P8: closed after pain. */
struct health_closed {
	enum gf_area area;
	enum gf_side side;
	int64_t since_ms, until_ms;
	bool personal; /* to one person only */
};

/* Of the wire to the hardware, since the agent's start. */
struct health_bus {
	uint64_t timeouts, crc_errors, exceptions, reconnects;
};

/* All times are wall ms, 0 = unknown. Sensor values count only while online: an old reading says nothing of now. */
struct health_facts {
	const char *device; /* its id: what to do is told as commands that can be pasted */
	int64_t now_ms;
	enum health_presence presence;
	int64_t presence_since_ms, last_seen_ms;
	size_t faults_count; /* <= HEALTH_FAULTS_MAX */
	struct health_fault faults[HEALTH_FAULTS_MAX];
	struct gf_stat motor_temp_c, surface_temp_c; /* of the newest heartbeat; `last` is judged */
	int64_t heartbeat_ms;
	float motor_temp_stop_c, surface_temp_stop_c; /* 0 = unknown */
	bool clock_known, clock_synced;
	bool locked; /* by the operator: no session starts */
	int64_t clock_since_ms;
	uint32_t spool_records;
	int64_t last_record_ms; /* event time of the newest record the gateway has */
	int64_t cert_not_after_ms;
	uint32_t interrupted_24h;
	int64_t interrupted_since_ms;
	const struct wear *wear; /* NULL = unknown */
	struct wear_pace wear_pace;
	size_t flags_count, flags_more; /* <= HEALTH_FLAGS_MAX, worst first; and how many more are open */
	struct health_flag flags[HEALTH_FLAGS_MAX];
	struct health_tag tag;
	struct health_pace pace;
	bool in_session;
	const struct calendar *calendar;      /* of its site; NULL = open around the clock */
	int64_t rest_since_ms, rest_until_ms; /* over when it is past */
	uint32_t duty_max_ms;                 /* what it may run without rest; 0 = unknown */
	size_t closed_count;                  /* <= HEALTH_CLOSED_MAX */
	struct health_closed closed[HEALTH_CLOSED_MAX];
	struct health_bus bus;
	int64_t locked_since_ms;
	const char *lock_reason; /* the operator's words; NULL or "" = none */
};

struct health_reason {
	enum health_code code;
	enum health_severity severity;
	int64_t since_ms; /* 0 = unknown */
	bool seen_to;     /* somebody knows and sees to it: nobody else is needed */
	char text[HEALTH_TEXT_MAX];
	char action[HEALTH_TEXT_MAX];
};

/* One fault in its own words, also one that is over. */
struct health_fault_words {
	char what[HEALTH_TEXT_MAX];   /* "the motor is too hot (71 °C, limit 70 °C)" */
	char effect[GF_NAME_MAX];     /* on whoever wants to use the machine: "it is stopped" */
	char action[HEALTH_TEXT_MAX]; /* what a technician does while it is there */
};
void health_fault_say(const struct health_fault *fault, struct health_fault_words *ret_words);

/* Writes the reasons, worst first, and returns the worst severity (OK when there is none). */
enum health_severity health_judge(const struct health_facts *facts,
                                  struct health_reason ret_reasons[HEALTH_REASONS_MAX], size_t *ret_count);

#endif
