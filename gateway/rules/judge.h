/*
 * Judges one subject by one rule: facts in, episodes out. Pure, and without memory: what was flagged before `from_ms` comes in as `open`, all
 * else follows from the facts. So late data is judged like any other, by its own time: the caller goes back to before it, and whatever is found
 * anew from there replaces what was found before. The same facts in any order, in any portions, give the same episodes.
 *
 *     facts in order ──> metric (metric.h) ──> value and level at each moment where it may change ──> automaton ──> episodes
 *
 * Moments where something may change: a fact, a fact leaving the window, midnight of a day's window, the end of a `for`, of `clear_after`,
 * of `expires`. Between them nothing is looked at.
 */
#ifndef GW_RULES_JUDGE_H
#define GW_RULES_JUDGE_H

#include "gateway/rules/rule.h"
#include "proto/muscle.h"

enum { EPISODE_BEHIND_MAX = 16 };

enum episode_end { EPISODE_OPEN, EPISODE_CLEARED, EPISODE_EXPIRED };

struct fact_ref {
	enum fact_kind kind;
	int64_t device;
	uint64_t no;
};

struct episode {
	int64_t opened_ms;
	int64_t acted_ms; /* reached `act`; 0 = never */
	int64_t last_ms;  /* the last moment at which it held */
	int64_t ended_ms; /* 0 = open */
	enum episode_end end;
	enum rule_level level; /* the highest */
	double observed;       /* the worst value, of the condition that `limit` belongs to */
	double limit;          /* the threshold of `level` */
	size_t condition;
	uint32_t times; /* how often it rose in it, 1 ... */
	/* The newest facts behind it: in the window when it opened, and what made it worse. In order. */
	size_t behind_count;
	struct fact_ref behind[EPISODE_BEHIND_MAX];
};

struct judge_input {
	const struct rule *rule;
	const struct calendar *calendar; /* the subject's own; a person's facts bring theirs */
	/* In order (fact_compare), from rule_lookback_ms before from_ms on; for part_life_pct also the newest session before that. Facts
	 * that the rule doesn't need do no harm. */
	const struct fact *facts;
	size_t facts_count;
	enum gf_muscle muscle;      /* of a person_area */
	enum gf_side side;          /* the same: LEFT or RIGHT */
	int64_t from_ms;            /* what is before it is settled */
	const struct episode *open; /* what was open at from_ms; NULL = nothing */
	int64_t now_ms;             /* facts after it wait: their machine's clock is ahead */
	int64_t heard_ms;           /* of silent_min: when the machine was heard last, by the gateway's clock; 0 = never */
};

struct judgement {
	struct episode *episodes; /* in order; the first goes on from `open` when there was one */
	size_t count;
	int64_t
	    due_ms; /* when to judge again though nothing happens; INT64_MAX = never. Of an open episode always finite (I9) */
};

/* 0, -ENOMEM. The result is ended by judgement_deinit. */
GF_MUST_CHECK int rules_judge(const struct judge_input *input, struct judgement *ret_judgement);
void judgement_deinit(struct judgement *judgement);

/*
 * "480 s of percussion on quads left on one day; from 300 s on it is too much": what, how much, the limit, for the rule's subject; never a
 * token. `text` has room for RULE_TEXT_MAX.
 */
void rules_say(const struct rule *rule, const struct episode *episode, enum gf_muscle muscle, enum gf_side side,
               char text[static RULE_TEXT_MAX]);

#endif
