/*
 * What the parts of the runner share: judge_runner.c takes whom to judge, judge_subject.c judges one, judge_facts.c loads what it is judged by,
 * judge_flag.c writes what is found, judge_part.c says of whom there is more than can be judged.
 */
#ifndef GW_JUDGE_JUDGE_IMPL_H
#define GW_JUDGE_JUDGE_IMPL_H

#include "gateway/judge/judge_runner.h"
#include "gateway/steady.h"
#include "proto/base/log.h"

enum {
	JUDGE_SITE_TIMES = 4, /* a site has many machines */
	JUDGE_AREAS_MAX = 2 * GF_MUSCLE_COUNT,
	JUDGE_USES_TIMES = 10,       /* so many areas to a session, on the average */
	JUDGE_ROOM_KEPT = 16 * 1024, /* facts and areas of each whose memory waits for the next subject */
	JUDGE_PART_MS = 3600 * 1000, /* who isn't judged in full is looked at again then */
};

/* The facts of one subject, in order; their memory is used again for the next. */
struct judge_facts {
	struct fact *items;
	size_t count, room;
	/* Of each kind all are there from this moment on; INT64_MIN: all that were asked for. */
	int64_t begin_ms[FACT_KINDS];
	/* While loading one kind: where it begins, and how many were still to come. */
	size_t first, ahead;
	struct gf_area_use *areas;
	size_t areas_count, areas_room;
	/* Of sessions and services, as items: for what a part has behind it. */
	struct judge_odometer {
		struct gf_odometer odometer;
		double rated_motor_h;
		uint64_t motor_before_ms;
		char model[GF_NAME_MAX];
		size_t areas_at; /* in `areas`, which moves while it grows */
	} * more;
	/* Where the machine was before, by calendar. */
	struct judge_stay *stays;
	size_t stays_count, stays_room;
};

struct judge_runner {
	struct judge_runner_config config;
	struct judge_facts facts;
	int64_t due_ms;      /* wall: when the next subject's time comes */
	int64_t clock_ms;    /* wall: at the last batch; 0 = there was none */
	uint64_t seen_marks; /* of the store, at the last look */
	int64_t retry_ms;    /* mono: after a failure not before */
	bool one_by_one;     /* the last batch failed: find the subject that does it */
	struct steady steady;
	/* wall: since when the gateway hears its machines without a break, by a clock that wasn't set meanwhile; 0 = it doesn't */
	int64_t heard_from_ms;
	struct gf_log_limit log;
	struct judge_state state;
};

/* One subject being judged. */
struct judging {
	struct judge_runner *runner;
	const struct store_unsettled *subject;
	int64_t now_ms;
	int64_t due_ms; /* the first of what its rules want */
	uint64_t work;  /* that is left, for all rules */
	uint64_t opened, cleared;
	struct gf_diag *diag;
};

/* The rules that see but a part of what there is. */
struct judge_part {
	size_t rules, last; /* how many; the last of them */
	char names[RULE_TEXT_MAX / 2];
	int64_t begin_ms; /* one of them sees nothing before this moment, others more */
};

/* A flag of one of the rules, as it is stored. */
struct known {
	size_t rule;
	enum gf_muscle muscle;
	enum gf_side side;
	struct flag_known flag;
	struct episode episode;
};

struct known_list {
	struct known *items; /* by rule; of a rule by area, then in order */
	size_t count, room;
	/* While reading. */
	size_t rule;
};

struct work {
	struct judging *j;
	const struct rules *rules;
	struct known_list known;
	int64_t *from_ms; /* by rule: from when it is judged; of its areas the first */
	uint64_t share;   /* of the work, for the present rule */
	struct judge_part part;
};

/* One rule of one subject or area. */
struct turn {
	struct work *w;
	size_t rule;
	enum gf_muscle muscle;
	enum gf_side side;
	struct flag_known *known;
	size_t *places; /* of the same flags in work->known */
	size_t known_count;
	int64_t from_ms; /* it is judged from then on */
	int64_t seen_ms; /* and sees nothing before this; 0 = all */
};

/* ---- judge_facts.c ---- */

void judge_facts_deinit(struct judge_facts *facts);
/* Done with: gives back what few subjects need. */
void judge_facts_done(struct judge_facts *facts);
/* Those that the subject's rules need, of each kind from a moment on, or the newest of them (begin_ms): with calendar and what is left of parts. What is
 * ahead of the clock waits. -ENOMEM. */
GF_MUST_CHECK int judge_facts_load(struct judging *j, const int64_t since_ms[static FACT_KINDS]);
/* Where the subject, if it is a machine, was before it came to its site, as far as days matter for what holds from from_ms on. -ENOMEM. */
GF_MUST_CHECK int judge_stays_load(struct judging *j, int64_t from_ms);
/* Of the subject's days, as judge_stays_load has found; NULL: it was at sites that have different ones. */
const struct calendar *judge_calendar(const struct judging *j);
/* Is the rule judged with such a subject? Rules about areas are with their person. */
bool judge_about(const struct rule *rule, enum rule_subject subject);
/* What the rules about a subject need: store_judge_needs. */
unsigned judge_needs(const struct rules *rules, enum rule_subject subject);

/* ---- judge_flag.c ---- */

struct store_subject judge_subject_of(const struct work *w, const struct rule *rule);
/* The i-th of the turn's flags, as it is stored. */
const struct known *judge_stored_at(const struct turn *t, size_t i);
/* Whether a part of what the flag was made of may be gone: of many facts it keeps only the newest. */
GF_MUST_CHECK int judge_is_forgotten(const struct work *w, const struct known *k, bool *ret_forgotten);
/* What the rule says, against the turn's flags. */
GF_MUST_CHECK int judge_write(const struct turn *t, const struct judgement *judgement);
void judge_look_again(struct judging *j, int64_t due_ms);

/* ---- judge_part.c ---- */

/* The moment from which on the rule has all facts; INT64_MIN: always. */
int64_t judge_begin_ms(const struct work *w, const struct rule *rule);
/* The turn's rule sees nothing before begin_ms. What is stored of the time before, or was made of facts of both times, stays as it is. */
void judge_from(struct turn *t, int64_t begin_ms);
/* Flags a subject of which a part alone was judged, or ends that flag. */
GF_MUST_CHECK int judge_part_flag(struct work *w);
/* The same for one that can't be judged at all. */
GF_MUST_CHECK int judge_flag_failed(struct judging *j, const char *why);

/* ---- judge_subject.c ---- */

/* Was it open just before the moment? */
bool judge_open_at(const struct known *k, int64_t moment_ms);
/* Judges it by all its rules and settles it, inside a batch. */
GF_MUST_CHECK int judge_subject(struct judging *j);

#endif
