/*
 * Faults as people see them: cases. What a machine raises again within STORE_CASE_AGAIN_MS of the last clearing is the same case, with a count; what
 * no sensor sees is reported by staff and is a case too. Part of the store's interface: the rules of store.h hold.
 *
 * Which faults are a case depends on their times alone. What arrives late may join two: the older number stays, and the other one leads to it.
 *
 *     active ──ack──> acknowledged ──cleared──> cleared        a latched one is cleared by staff at the machine alone
 */
#ifndef GW_STORE_CASES_H
#define GW_STORE_CASES_H

#include "gateway/store/judging.h"

enum { STORE_CASE_AGAIN_MS = 30 * 60 * 1000 };

#define STORE_CASE_STATES(X) X(ACTIVE, "active") X(ACKNOWLEDGED, "acknowledged") X(CLEARED, "cleared")
enum store_case_state {
#define X(s, n) STORE_CASE_##s,
	STORE_CASE_STATES(X)
#undef X
	    STORE_CASE_STATE_COUNT,
};
const char *store_case_state_name(enum store_case_state state);

struct store_case {
	uint64_t id; /* of the whole store */
	char device[GF_ID_MAX], site[GF_NAME_MAX];
	enum gf_class class;
	bool reported; /* by a person; then code is UNSPECIFIED ("damage") */
	enum gf_fault code;
	enum gf_severity severity; /* the worst so far; of damage: derate, with a tag that is about it stop */
	enum store_case_state state;
	uint32_t times;            /* raised so often */
	int64_t first_ms, last_ms; /* raised */
	int64_t cleared_ms;        /* 0 = not */
	enum gf_cleared_by cleared_by;
	uint64_t lasted_ms;  /* the sum of its occurrences so far */
	uint64_t fault_no;   /* of the newest occurrence */
	uint64_t session_no; /* the same; 0 = none */
	float observed, limit;
	char detail[STORE_NOTE_MAX]; /* the machine's words, or the reporter's */
	char by[GF_NAME_MAX];        /* who reported it; of others who cleared it, when that wasn't the machine */
	int64_t acked_ms;
	char acked_by[GF_NAME_MAX], ack_note[STORE_NOTE_MAX];
};

/* ---- people's word: each a transaction of its own, with event and audit entry ---- */

/* As store_flag_ack. */
GF_MUST_CHECK int store_case_ack(struct store *store, uint64_t id, const char *note, const struct store_actor *actor,
                                 int64_t now_ms, struct store_acked *ret_acked, struct gf_diag *diag);
/*
 * Clears a reported case, or one that its machine can't clear any more: raised before its memory was lost, the clearing was dropped from a full spool,
 * or the machine is gone for a day. Should it tell a clearing later all the same, its time counts.
 * STORE_E_NOT_ALLOWED: it is latched or active at the machine, with the sentence who may clear it and how; or it is cleared already, with who did. -ENOENT.
 */
GF_MUST_CHECK int store_case_clear(struct store *store, uint64_t id, const char *note, const struct store_actor *actor,
                                   int64_t now_ms, struct gf_diag *diag);
/* Damage that no sensor sees. -ENOENT. */
GF_MUST_CHECK int store_case_report(struct store *store, const char *device, const char *text,
                                    const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id,
                                    struct gf_diag *diag);

/* ---- out of service (struct store_tag: care.h) ---- */

/* `tag` NULL takes it off. What hangs there already gets the new words and hangs on since it did. since_ms and by aren't looked at. ret_before, which
 * may be NULL: what hung there until now; since_ms 0 = nothing. -ENOENT; STORE_E_NOT_ALLOWED: there is none to take off, with who took it off, or the
 * case is another machine's. One event: that the machine is locked or free by it is part of it. */
GF_MUST_CHECK int store_tag_set(struct store *store, const char *device, const struct store_tag *tag,
                                const struct store_actor *actor, int64_t now_ms, struct store_tag *ret_before,
                                struct gf_diag *diag);

/* A part was renewed, or the machine serviced: its counters begin anew. -ENOENT. */
GF_MUST_CHECK int store_service_add(struct store *store, const char *device, enum fact_part part, const char *note,
                                    const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag);

/* ---- reading ---- */

struct store_case_query {
	uint64_t id; /* 0 = all */
	const char *device;
	bool open_only;
	int64_t since_ms;      /* raised last, or cleared, after it */
	int64_t after_last_ms; /* the cursor: the last row's last_ms; after_id 0 = from the newest */
	uint64_t after_id;
};
typedef int (*store_case_fn)(void *ctx, const struct store_case *row);
/* Raised last first. */
GF_MUST_CHECK int store_read_cases(struct store_reader *reader, const struct store_case_query *query, store_case_fn row,
                                   void *ctx, struct gf_diag *diag);

/* How reliable: by device or class, over a time. */
struct store_reliability {
	char key[GF_ID_MAX];
	uint64_t machines, cases, occurrences; /* of severity stop and latch */
	uint64_t motor_ms;                     /* run in that time */
	uint64_t down_ms;                      /* a stop or latch was open, or it was tagged; overlaps count once */
};
typedef int (*store_reliability_fn)(void *ctx, const struct store_reliability *row);
GF_MUST_CHECK int store_read_reliability(struct store_reader *reader, bool by_class, int64_t since_ms, int64_t until_ms,
                                         store_reliability_fn row, void *ctx, struct gf_diag *diag);

struct store_service {
	uint64_t id;
	enum fact_part part;
	int64_t at_ms;
	char by[GF_NAME_MAX], note[STORE_NOTE_MAX];
	struct gf_odometer odometer; /* at that time */
};
struct store_wear {
	struct store_care_part parts[FACT_PART_COUNT];
	struct store_use use;
};
/* What wear.h needs of one device: the same as in its struct store_care. */
GF_MUST_CHECK int store_read_wear(struct store_reader *reader, const char *device, struct store_wear *ret_wear,
                                  struct gf_diag *diag);
typedef int (*store_service_fn)(void *ctx, const struct store_service *row);
/* Newest first. */
GF_MUST_CHECK int store_read_services(struct store_reader *reader, const char *device, store_service_fn row, void *ctx,
                                      struct gf_diag *diag);

/* ---- how much each hour ---- */

/* A machine's use in one hour of UTC; a session counts where it began, its running time and motor time where they were (as if even); all
 * of it at the site where the machine was as the hour began. */
struct store_hour {
	char device[GF_ID_MAX], site[GF_NAME_MAX];
	enum gf_class class;
	int64_t hour_ms; /* its start */
	uint64_t sessions, running_ms, motor_ms;
	uint64_t outcomes[GF_OUTCOME_COUNT]; /* of those that began in it */
};
typedef int (*store_hour_fn)(void *ctx, const struct store_hour *row);
/* By device, then hour; `device` NULL = all. */
GF_MUST_CHECK int store_read_hours(struct store_reader *reader, const char *device, int64_t since_ms, int64_t until_ms,
                                   store_hour_fn row, void *ctx, struct gf_diag *diag);

/* Heartbeats as they came, oldest first, for export; the cursor is the last row's at_ms, device and seq. */
struct store_beat {
	char device[GF_ID_MAX];
	int64_t at_ms;
	uint64_t seq; /* with its stream's number above bit 44, for the cursor */
	enum store_time_source time_source;
	struct gf_heartbeat heartbeat;
};
struct store_beat_query {
	const char *device;         /* NULL = all */
	int64_t since_ms, until_ms; /* until 0 = no end */
	int64_t after_ms;
	const char *after_device; /* NULL = from the start */
	uint64_t after_seq;
};
typedef int (*store_beat_fn)(void *ctx, const struct store_beat *row);
GF_MUST_CHECK int store_read_beats(struct store_reader *reader, const struct store_beat_query *query, store_beat_fn row,
                                   void *ctx, struct gf_diag *diag);

/* ---- people ---- */

enum { STORE_TOKEN_DAYS = RULE_WINDOW_MAX_D }; /* no rule looks further back */
struct store_erased {
	uint64_t sessions, flags, events, quarantined;
};
/*
 * Forgets a token: 0 in sessions, its flags gone, and what else has it, also what people wrote; then the database is cleaned of what was there (secure_delete, the
 * write-ahead log emptied), so that neither file nor a backup made after has it. Where an earlier version left a copy, the file is written anew: that
 * takes its time, and as much room again. A report that comes later doesn't bring the token back: for STORE_TOKEN_DAYS what has it is stored without. The
 * audit log says that somebody was erased, not who. 0 rows is fine. -EBUSY: a reader kept the log from being emptied for the whole time; everything is
 * gone from the tables, call again. -EINVAL: 0 is nobody.
 */
GF_MUST_CHECK int store_subject_erase(struct store *store, uint64_t token, const struct store_actor *actor,
                                      int64_t now_ms, struct store_erased *ret_erased, struct gf_diag *diag);

#endif
