/* What the parts of the runner share: judge_runner.c takes whom to judge, judge_subject.c judges one, judge_facts.c loads what it is judged by. */
#ifndef GW_JUDGE_JUDGE_IMPL_H
#define GW_JUDGE_JUDGE_IMPL_H

#include "gateway/judge/judge_runner.h"
#include "proto/base/log.h"

enum {
	/* Of one subject; a machine that tells more isn't judged by them. A site has many machines. */
	JUDGE_FACTS_MAX = 200 * 1000,
	JUDGE_SITE_FACTS_MAX = 1000 * 1000,
	JUDGE_USES_MAX = 10 * JUDGE_FACTS_MAX, /* areas of its sessions */
	JUDGE_SITE_USES_MAX = 8 * JUDGE_SITE_FACTS_MAX,
	JUDGE_WORK_MAX =
	    200 * 1000 * 1000,       /* times that one fact is looked at, for all rules of a subject: about a second */
	JUDGE_ROOM_KEPT = 16 * 1024, /* facts and areas of each whose memory waits for the next subject */
	JUDGE_AREAS_MAX = GF_MUSCLE_COUNT * GF_SIDE_COUNT,
};

/* The facts of one subject, in order; their memory is used again for the next. */
struct judge_facts {
	struct fact *items;
	size_t count, room;
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
};

struct judge_runner {
	struct judge_runner_config config;
	struct judge_facts facts;
	int64_t due_ms;        /* wall: when the next subject's time comes */
	int64_t clock_ms;      /* wall: at the last batch; 0 = there was none */
	uint64_t seen_marks;   /* of the store, at the last look */
	int64_t retry_ms;      /* mono: after a failure not before */
	bool one_by_one;       /* the last batch failed: find the subject that does it */
	int64_t heard_from_ms; /* wall: since when the gateway hears its machines without a break; 0 = it doesn't */
	struct gf_log_limit log;
	struct judge_state state;
};

/* One subject being judged. */
struct judging {
	struct judge_runner *runner;
	const struct store_unsettled *subject;
	int64_t now_ms;
	int64_t due_ms; /* the first of what its rules want */
	uint64_t work;  /* that is left */
	uint64_t opened, cleared;
	struct gf_diag *diag;
};

/* ---- judge_facts.c ---- */

void judge_facts_deinit(struct judge_facts *facts);
/* Done with: gives back what few subjects need. */
void judge_facts_done(struct judge_facts *facts);
/* Those that the subject's rules need, of each kind from a moment on, complete: with calendar and what is left of parts. -ENOMEM, -E2BIG. */
GF_MUST_CHECK int judge_facts_load(struct judging *j, const int64_t since_ms[static FACT_KINDS]);
/* What the rules about a subject need: store_judge_needs. */
unsigned judge_needs(const struct rules *rules, enum rule_subject subject);

/* ---- judge_subject.c ---- */

/* Judges it by all its rules and settles it, inside a batch. */
GF_MUST_CHECK int judge_subject(struct judging *j);

#endif
