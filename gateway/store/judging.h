/*
 * What the rules need of the store and give to it: whom to judge, the facts, the flags. Part of the store's interface: the rules of
 * store.h hold.
 *
 * Whom to judge: whatever changes facts marks their subjects (in the same transaction) as unsettled from the facts' time on, so that a
 * gateway that is killed goes on where it was. A subject is a device, or a token as a person or as staff. Rules about a site are judged with its
 * devices; rules about areas with their person.
 *
 * All functions that take a struct store are called inside a batch; what they read is what the batch sees.
 */
#ifndef GW_STORE_JUDGING_H
#define GW_STORE_JUDGING_H

#include "gateway/rules/flag.h"
#include "gateway/store/wishes.h"

/* DEVICE: key is the device's; PERSON, STAFF: the token's bits; SITE: the site's number. */
struct store_subject {
	enum rule_subject kind; /* never AREA */
	int64_t key;
};

/* ---- whom to judge ---- */

/* Beside the kinds of facts (bits 1 << enum fact_kind): the areas of a session, with its depth; and that a machine is heard at all. */
enum { STORE_NEEDS_AREAS = 1 << FACT_KINDS, STORE_NEEDS_HEARD = 1 << (FACT_KINDS + 1) };
/* What the rules about each subject need: only whom facts of these kinds are about is marked. Nothing before the first call. */
void store_judge_needs(struct store *store, const unsigned needs[static RULE_SUBJECT_COUNT]);
/* Counts the commits since the store was opened that left somebody to be judged, without touching the database. Any thread. */
uint64_t store_unsettled_marks(const struct store *store);

struct store_unsettled {
	struct store_subject subject;
	int64_t settled_ms; /* all before it is settled */
	/* Of a device: */
	char device[GF_ID_MAX], site[GF_NAME_MAX]; /* the site of a site, too */
	enum gf_class class;
	double rated_motor_h;
	int64_t last_seen_ms;
};
/* The next subject whose time has come, those with something new first; -ENOENT when there is none. */
GF_MUST_CHECK int store_judge_next(struct store *store, int64_t now_ms, struct store_unsettled *ret_subject,
                                   struct gf_diag *diag);
/* It is settled until settled_ms; judge it again at due_ms (INT64_MAX: when something comes). */
GF_MUST_CHECK int store_judge_done(struct store *store, const struct store_subject *subject, int64_t settled_ms,
                                   int64_t due_ms, struct gf_diag *diag);
/* It can't be judged now: again at due_ms, whatever comes of it until then, unless rules change. */
GF_MUST_CHECK int store_judge_later(struct store *store, const struct store_subject *subject, int64_t due_ms,
                                    struct gf_diag *diag);
/* It is judged, and took so much that what comes anew waits until then, unless rules change. */
GF_MUST_CHECK int store_judge_rest(struct store *store, const struct store_subject *subject, int64_t until_ms,
                                   struct gf_diag *diag);
/* The clock stands at now_ms: who was judged later than that, when it was ahead, is judged again. By less than a day all that was settled stays so: its
 * time comes again. */
GF_MUST_CHECK int store_judge_clock(struct store *store, int64_t now_ms, struct gf_diag *diag);
/* How many wait now; a thousand at most are counted. */
GF_MUST_CHECK int store_judge_backlog(struct store *store, int64_t now_ms, uint64_t *ret_backlog, struct gf_diag *diag);
/* When the next subject's time comes; INT64_MAX = nothing waits. */
GF_MUST_CHECK int store_judge_due_ms(struct store *store, int64_t *ret_due_ms, struct gf_diag *diag);
/* Rules changed: every subject of this kind is judged anew from since_ms on (those with a fact after it, or an open flag). */
GF_MUST_CHECK int store_judge_again(struct store *store, enum rule_subject kind, int64_t since_ms,
                                    struct gf_diag *diag);

/* ---- facts ---- */

struct store_fact {
	struct fact fact;       /* calendar and life_pct are the caller's to fill */
	char site[GF_NAME_MAX]; /* where the machine was at at_ms */
	char model[GF_NAME_MAX];
	double rated_motor_h;
	uint64_t motor_before_ms;    /* what its motor ran before the odometer counted */
	struct gf_odometer odometer; /* after a session, at a service */
};
typedef int (*store_fact_fn)(void *ctx, const struct store_fact *fact);
/*
 * The facts of a subject with since_ms <= at_ms < until_ms of the kinds in `needs` (bits 1 << enum fact_kind; STORE_NEEDS_AREAS: sessions with their areas
 * and depth), one kind after the other, of each the newest first. Of a device with its sessions then also the newest one before since_ms, and of its services
 * all, whenever they were. Its cost is that of these rows alone; `row` ends it by what isn't 0, which is returned.
 */
GF_MUST_CHECK int store_judge_facts(struct store *store, const struct store_subject *subject, unsigned needs,
                                    int64_t since_ms, int64_t until_ms, store_fact_fn row, void *ctx,
                                    struct gf_diag *diag);

/* Where a machine was before it came to where it is: those that it left after since_ms, in order. */
typedef int (*store_left_fn)(void *ctx, const char *site, int64_t until_ms);
GF_MUST_CHECK int store_judge_left(struct store *store, int64_t device, int64_t since_ms, store_left_fn row, void *ctx,
                                   struct gf_diag *diag);

/* ---- flags ---- */

/* The gateway's own rule, which no file can have: it flags whom it doesn't judge in full. */
#define STORE_RULE_JUDGING "gateway:judging"
#define STORE_METRIC_JUDGING "judging"

enum { STORE_FLAGS_KEPT = 100 * 1000 /* the newest; of machines and sites the open ones stay */ };
#define STORE_FLAG_ENDS(X) \
	X(OPEN, "open") X(CLEARED, "cleared") X(EXPIRED, "expired") X(WITHDRAWN, "withdrawn") X(RULE_GONE, "rule_gone")
enum store_flag_end {
#define X(s, n) STORE_FLAG_##s,
	STORE_FLAG_ENDS(X)
#undef X
	    STORE_FLAG_END_COUNT,
};
const char *store_flag_end_name(enum store_flag_end end);

struct store_flag {
	uint64_t id;
	char rule[GF_NAME_MAX];
	struct store_subject subject; /* of an area, here alone: kind AREA with the person's key */
	enum gf_muscle muscle;        /* of AREA */
	enum gf_side side;
	char device[GF_ID_MAX]; /* of DEVICE; else "" */
	char site[GF_NAME_MAX]; /* of SITE; of DEVICE where it is while it is open, then where it was as it opened */
	struct episode episode; /* behind has at most EPISODE_BEHIND_MAX */
	enum store_flag_end end;
	enum rule_severity severity; /* of the machine's health while open */
	char title[GF_NAME_MAX * 2], text[RULE_TEXT_MAX], advice[RULE_TEXT_MAX];
	char metric[GF_NAME_MAX];
	int64_t window_ms; /* 0 = the local day */
	int64_t found_ms;  /* when the gateway flagged it */
	int64_t late_ms;   /* found so long after it opened; 0 = at once (within STORE_LATE_MS) */
	int64_t due_ms;    /* when it is judged again at the latest */
	int64_t acked_ms;  /* 0 = nobody has */
	char acked_by[GF_NAME_MAX], ack_note[STORE_NOTE_MAX];
	bool holds; /* it locks or caps the machine now */
};
enum { STORE_LATE_MS = 15 * 60 * 1000 };

/* The flags of one rule and subject (kind AREA: of all areas of the person) that are open, or ended at since_ms or later, in order of their beginning; neither
 * withdrawn ones nor those of a rule that was gone. */
typedef int (*store_known_fn)(void *ctx, const struct flag_known *known, const struct episode *episode,
                              enum gf_muscle muscle, enum gf_side side);
GF_MUST_CHECK int store_flags_known(struct store *store, const char *rule, const struct store_subject *subject,
                                    int64_t since_ms, store_known_fn row, void *ctx, struct gf_diag *diag);
/* Are all sessions behind a flag about a person still known as that person's? Tokens are forgotten after a while. */
GF_MUST_CHECK int store_flag_whole(struct store *store, uint64_t id, bool *ret_whole, struct gf_diag *diag);
/*
 * Writes a flag as it is now, found or changed at now_ms, with its event (kind "flag", code: opened, act, cleared, expired, withdrawn, rule_gone, acked;
 * none when nothing of it changed that matters to people), and what holds its machine: `lock` and `cap_pct` (0 = none) while it is open. flag->id 0
 * makes a new one (*ret_id). What somebody released (ack --release, unlock) is not held again by the same flag.
 */
GF_MUST_CHECK int store_flag_save(struct store *store, const struct store_flag *flag, bool lock, float cap_pct,
                                  bool notify, int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag);
/* Inside a batch: what is known by now shows that there was nothing. -ENOENT. */
GF_MUST_CHECK int store_flag_withdraw(struct store *store, uint64_t id, int64_t now_ms, struct gf_diag *diag);
/* A rule as flags are of it: under the same id another subject or metric makes another rule. */
struct store_rule_kept {
	char id[GF_NAME_MAX];
	enum rule_subject subject;
	size_t conditions_count;
	char metrics[RULE_CONDITIONS_MAX][GF_NAME_MAX];
};
/* Ends the open flags of rules that aren't among these any more, but for the gateway's own. */
GF_MUST_CHECK int store_flags_keep_rules(struct store *store, const struct store_rule_kept *rules, size_t count,
                                         int64_t now_ms, struct gf_diag *diag);
/* Was any rule in force when the store was judged last? Outside a batch. */
GF_MUST_CHECK int store_rules_known(struct store *store, bool *ret_known, struct gf_diag *diag);
/* Which were: digest by id; for the runner to see what changed. */
GF_MUST_CHECK int store_rule_digest(struct store *store, const char *rule, uint64_t *ret_digest, struct gf_diag *diag);
GF_MUST_CHECK int store_rule_digest_set(struct store *store, const char *rule, uint64_t digest, struct gf_diag *diag);

/* ---- people's word: each a transaction of its own ---- */

/* What became of an acknowledgement, for who gave it. */
struct store_acked {
	int64_t before_ms; /* somebody had acknowledged it already, then; 0 = nobody had */
	char before_by[GF_NAME_MAX], before_note[STORE_NOTE_MAX];
	bool lifted; /* by `release`: it held the machine until now */
};
/*
 * A named person has seen it; `release` lifts what it holds. -ENOENT; again by another person: the newest word counts, the audit log has both.
 * ret_acked may be NULL.
 */
GF_MUST_CHECK int store_flag_ack(struct store *store, uint64_t id, const char *note, bool release,
                                 const struct store_actor *actor, int64_t now_ms, struct store_acked *ret_acked,
                                 struct gf_diag *diag);

/* ---- reading ---- */

struct store_flag_query {
	uint64_t id;        /* 0 = all */
	const char *device; /* NULL = all; flags about this device */
	const char *rule;   /* the same; flags of this rule */
	bool open_only, with_withdrawn;
	int64_t since_ms;        /* opened or ended after it */
	int64_t after_opened_ms; /* the cursor: the last row's; after_id 0 = from the newest */
	uint64_t after_id;
};
typedef int (*store_flag_fn)(void *ctx, const struct store_flag *flag);
/* Newest opening first. */
GF_MUST_CHECK int store_read_flags(struct store_reader *reader, const struct store_flag_query *query, store_flag_fn row,
                                   void *ctx, struct gf_diag *diag);

#endif
