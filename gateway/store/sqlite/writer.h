/*
 * What the parts of the writer share. Everything here runs with the store's lock held and inside a transaction.
 *
 * A device's row is loaded into a struct device, changed in memory by the records of one message, and saved once. What
 * a machine says of its state carries a position (stream, boot, uptime); only a newer position changes what is shown as
 * the present, so that a backlog fills the history without touching it.
 */
#ifndef GW_STORE_WRITER_H
#define GW_STORE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/store/judging.h"
#include "gateway/store/sqlite/rollup.h"

/* Counters kept in the meta table. */
#define META_COUNTERS(X) \
	X(EPOCH, "epoch")    \
	X(QUARANTINED, "quarantined") X(LOST, "records_lost") X(BEATS, "heartbeats") X(STRAY, "stray_answers")
enum meta_counter {
#define X(s, n) META_##s,
	META_COUNTERS(X)
#undef X
	    META_COUNT,
};
extern const char *const meta_names[META_COUNT];

struct store {
	char *path;
	struct db db;                 /* closed while `suspect` and the file can't be opened */
	struct store_options options; /* without its path */
	pthread_mutex_t lock;
	bool in_batch;
	bool suspect;                      /* the disk failed: open the file anew before the next batch */
	uint64_t batch_event;              /* newest event of this batch, 0 = none */
	uint64_t batch_counts[META_COUNT]; /* added to the counters at commit */
	atomic_uint_fast64_t last_event;
	bool batch_wish; /* what the broker should have changes with this batch */
	atomic_uint_fast64_t wishes;
	unsigned needs[RULE_SUBJECT_COUNT]; /* store_judge_needs */
	bool batch_unsettled;               /* somebody is to be judged because of this batch */
	atomic_uint_fast64_t unsettled;
	struct rollups rollups;  /* of this batch, not yet written */
	int64_t maintain_device; /* where retention goes on */
	bool forgot;             /* tokens, since the log was emptied; or before the store was opened */
	int64_t log_emptied_ms;  /* store_maintain, by its clock */
	int64_t stray_event_ms;  /* when an answer that was kept out was told last */
};

/* Where in a machine's life something was said. */
struct position {
	int64_t stream; /* the device's streams counted from 1 */
	uint64_t boot, uptime_ms;
};

struct device {
	int64_t key;
	char id[GF_ID_MAX];
	int64_t first_seen_ms, last_seen_ms;
	bool born, online;
	enum store_offline offline_reason;
	int64_t presence_since_ms;
	uint64_t boot, connection;
	int64_t stream;      /* the newest one, 0 = none */
	int64_t last_stream; /* the one it spoke of last: an older one when it got an old disk back */
	struct position state;
	bool clock_synced;
	int64_t clock_since_ms, last_record_ms;
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	struct gf_digest catalog_digest; /* zeros = unknown */
	bool catalog_on_trial;
	struct gf_odometer odometer;
	uint64_t odo_seq; /* with the stream stored up to here, all sessions before the odometer's reading are stored */
	uint64_t running_session;
	uint64_t chain_no, chain_motor_ms, chain_sessions; /* the highest ended session and the odometer after it */
	uint64_t sessions, session_motor_ms;
	int64_t heartbeat_ms, heartbeat_stream;
	uint64_t heartbeat_seq;
	int64_t rest_stream, rest_since_ms, rest_until_ms; /* D1, as the stream told it last; 0 = it doesn't rest */
};

/* What is added to a stream's session numbers and odometers (life.c). */
struct life_base {
	int64_t no, sessions, motor_ms, cycles;
};

struct stream {
	int64_t number;
	uint64_t acked_seq;
	struct life_base base;
	struct gf_odometer seen; /* the newest one known when the stream was first heard of */
};

/* One message of one device being applied. */
struct apply {
	struct store *store;
	struct db *db;
	struct device *dev;
	int64_t stream; /* the report's */
	struct life_base base;
	struct gf_odometer seen;
	int64_t recv_ms;
	struct gf_diag *diag;
	/* The record in hand, as told and as it counts here, and when it happened. */
	const struct gf_record *told, *rec;
	struct gf_record counted;
	struct gf_record without; /* as told, but for the token of somebody who was erased */
	int64_t at_ms;
	enum store_time_source source;
	/* The boot whose start was looked up last. */
	uint64_t epoch_boot;
	int64_t epoch_ms; /* 0 = unknown */
};

/* ---- device.c ---- */

/* The key of the device that people name. -ENOENT with the sentence. */
GF_MUST_CHECK int device_find(struct store *s, const char *id, int64_t *ret_key, struct gf_diag *diag);
/* Loads by id; makes the row (and its event) when there is none. */
GF_MUST_CHECK int device_load(struct store *s, const char *id, int64_t recv_ms, struct device *ret_dev,
                              struct gf_diag *diag);
GF_MUST_CHECK int device_save(struct store *s, const struct device *dev, struct gf_diag *diag);

/* The device's stream of that id; makes it the newest one, acked up to `acked_seq`, when unknown. It counts on as the
 * stream that the device spoke of last. */
GF_MUST_CHECK int device_stream(struct apply *a, const struct gf_stream_id *id, uint64_t acked_seq, bool *ret_made,
                                struct stream *ret_stream);
/* An older stream goes on: the machine got its old disk back. Makes it the newest one, acked as far as it was. */
GF_MUST_CHECK int device_stream_return(struct apply *a, const struct gf_stream_id *id, struct stream *stream);
GF_MUST_CHECK int device_stream_ack(struct apply *a, int64_t stream, uint64_t acked_seq);

/* True, and the position taken over, unless the device's state is from a newer position. */
bool device_advance(struct device *dev, const struct position *at);

/* Keeps the earliest start of a boot that its births give away. */
GF_MUST_CHECK int device_boot_seen(struct apply *a, uint64_t boot, int64_t epoch_ms);
/* When something happened: by the device's clock if it is synchronised, else by boot and uptime, else when received. */
GF_MUST_CHECK int device_place(struct apply *a, uint64_t boot, uint64_t uptime_ms, uint64_t wall_ms, bool synced,
                               int64_t *ret_at_ms, enum store_time_source *ret_source);

/* ---- presence, status.c ---- */

/* A report arrived. */
GF_MUST_CHECK int presence_heard(struct apply *a);

/* ---- records: each applies a->rec ---- */

GF_MUST_CHECK int heartbeat_apply(struct apply *a);       /* heartbeat.c */
GF_MUST_CHECK int session_started_apply(struct apply *a); /* session.c */
GF_MUST_CHECK int session_ended_apply(struct apply *a);
/* The machine says that nothing runs: a session that began in an earlier stream is over, its end was lost. */
GF_MUST_CHECK int session_idle(struct apply *a);
/* The session in hand is new: its use of the machine, by the hour (hour.c). */
GF_MUST_CHECK int hours_add(struct apply *a, const struct gf_session_ended *e, int64_t started_ms);
GF_MUST_CHECK int fault_raised_apply(struct apply *a); /* fault.c */
GF_MUST_CHECK int fault_cleared_apply(struct apply *a);
GF_MUST_CHECK int limit_hit_apply(struct apply *a);       /* limit.c */
GF_MUST_CHECK int catalog_changed_apply(struct apply *a); /* answer.c */
GF_MUST_CHECK int desired_applied_apply(struct apply *a);
/* At the record in hand the machine had to rest for so long; 0 = it may run. */
void limit_rests(struct apply *a, uint32_t left_ms);
/* chain.c: session `no` was stored: judge its links to its neighbours. */
GF_MUST_CHECK int chain_check(struct apply *a, uint64_t no);

/* ---- wish_desired.c ---- */

/* The machine says that it has seen this revision: what is desired of it is given again above it, if it was given below. */
GF_MUST_CHECK int desired_outgrow(struct apply *a, uint64_t seen);

/*
 * What holds a machine: a flag ("flag 12") or a tag ("tag"); `source` names it. No lock and cap_pct 0: it holds nothing any more. What goes
 * to the machine is the tighter of all holds and of what the operator wants. `reason` is shown at the machine and in health.
 */
GF_MUST_CHECK int hold_set(struct store *s, int64_t device, const char *source, bool lock, const char *reason,
                           float cap_pct, int64_t now_ms, struct gf_diag *diag);
/* The same of a lock whose setter tells of it: no event of its own. *ret_reason: why the machine is locked now; "" = it isn't. */
GF_MUST_CHECK int hold_set_quietly(struct store *s, int64_t device, const char *source, bool lock, const char *reason,
                                   int64_t now_ms, char ret_reason[static GF_TEXT_MAX], struct gf_diag *diag);

/* ---- deed.c ---- */

/* The newest of this action on this subject whose detail begins so; for who comes too late, at the cost of looking for it. at_ms 0 = there is none. */
GF_MUST_CHECK int deed_last(struct store *s, const char *action, const char *subject, const char *detail,
                            struct store_deed *ret_deed, struct gf_diag *diag);

/* ---- judging_mark.c: facts changed, from at_ms on ---- */

/* A fact of this kind came, changed or went: of the machine, of its site, and of those whose tokens it has (0 = nobody). */
GF_MUST_CHECK int judge_mark(struct store *s, enum fact_kind kind, int64_t device, int64_t at_ms, uint64_t subject,
                             uint64_t staff, struct gf_diag *diag);
/* Where the machine was from at_ms on changes: called before and after, for all sites. With it the people who have used it since: their days are its
 * sites'. */
GF_MUST_CHECK int judge_mark_moved(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag);
/* The machine was heard of again after a silence, or is another one than before. */
GF_MUST_CHECK int judge_mark_device(struct store *s, int64_t device, int64_t at_ms, struct gf_diag *diag);

/* ---- life.c ---- */

/* Takes a record in hand: a->rec is it, counted on from the lives before. */
void life_take(struct apply *a, const struct gf_record *told);
/* The same for an odometer that isn't in a record. */
struct gf_odometer life_odometer(const struct life_base *base, const struct gf_odometer *told);
/* True when an odometer belongs to a life that isn't known yet: lower than the last session's, in a later stream or a birth. */
GF_MUST_CHECK int life_unknown(struct apply *a, const struct gf_odometer *odometer, bool *ret_unknown);

enum life_verdict {
	LIFE_GOES_ON, /* a session not known yet */
	LIFE_KNOWN,   /* told before; it has the number of the one known in hand now */
	LIFE_CLASH,   /* its number is taken by another one, and nothing explains that */
	LIFE_ANOTHER, /* the first known one of a new life: life_begin */
};
/* What the ended session in hand is. */
GF_MUST_CHECK int life_judge(struct apply *a, int64_t started_ms, enum store_time_source source,
                             enum life_verdict *ret_verdict);
/* The session in hand is the first known one of a new life: counts on from here, and takes it in hand anew. */
GF_MUST_CHECK int life_begin(struct apply *a);

/* ---- people.c, people_age.c, people_words.c ---- */

/* The record without the token of somebody who was erased. `told` itself, or a copy in the apply. */
GF_MUST_CHECK int people_told(struct apply *a, const struct gf_record *told, const struct gf_record **ret_told);
/* Bytes to be kept without such tokens: a copy, freed by the caller; NULL = they may stay as they are. */
GF_MUST_CHECK int people_scrub(struct store *s, const void *data, size_t len, unsigned char **ret_copy,
                               struct gf_diag *diag);
/* Forgets the tokens that are older than STORE_TOKEN_DAYS, in at most about `budget` rows less *used, which grows. */
GF_MUST_CHECK int people_age(struct store *s, int64_t now_ms, unsigned budget, unsigned *used, struct gf_diag *diag);
/* Takes the token out of what people wrote. */
GF_MUST_CHECK int people_words(struct store *s, uint64_t token, struct gf_diag *diag);

/* ---- event.c ---- */

/* An event about a device, which may be NULL for the gateway itself; `code` may be NULL. */
GF_MUST_CHECK int event_add(struct store *s, int64_t at_ms, enum store_event_kind kind, const char *device,
                            uint64_t ref, const char *code, struct gf_diag *diag, const char *fmt, ...) GF_PRINTF(8, 9);

/* ---- store.c ---- */

/* The database alone and without a transaction, for what can't be in one (checkpoints, VACUUM); with a lock that isn't kept in between, the disk may
 * have failed meanwhile: then the file is opened anew first, and where that fails nothing is locked. */
GF_MUST_CHECK int store_lock(struct store *s, struct gf_diag *diag);
void store_unlock(struct store *s);
/* store_begin and store_commit around one change: `r` decides. */
GF_MUST_CHECK int store_finish(struct store *s, int r, struct gf_diag *diag);

#endif
