/*
 * Judges one subject by one rule: facts in, episodes out. Pure, and without memory: what was flagged before `from_ms` comes in as `open`, all
 * else follows from the facts. So late data is judged like any other, by its own time: the caller goes back to before it, and whatever is found
 * anew from there replaces what was found before. The same facts in any order, in any portions, give the same episodes.
 *
 *     facts in order ──> metric (metric.h) ──> value and level at each moment where it may change ──> automaton ──> episodes
 *
 * Moments where something may change: a fact, a fact leaving the window, midnight of a day's window, the end of a `for`, of `clear_after`,
 * of `expires`. Between them nothing is looked at. At a moment all its facts count, whatever their order; those that leave are gone.
 *
 *     window      of W ms: a fact counts from its at_ms on, before at_ms + W. `day`: before the midnight that follows at its site
 *     value       none without facts. use_pct: of the opening time of the whole day, so that it only grows; at most 100
 *                 part_life_pct: of the newest session, 0 from its renewal on; it goes out of date after `expires`
 *                 gap_h: from the end of the session before (of the same class) to the start of this one; 0 when they overlap
 *     held        the value is beyond `warn`; with several conditions all of them, or any. The same by `act`
 *     opens       held now, and: throughout the last `for`, ends counted; or `days`: also at some moment of each of the open days before it in
 *                 the row, today's included, days on which the site stays closed skipped; or `times`: it rose so often within the last `within`
 *     acts        the same by `act`; from then on the episode is of that level, whatever comes
 *     rises       not held, then held; counts as a repeat (`times`) while an episode is open
 *     clears      not held by the clear threshold throughout the last `clear_after`, ends counted
 *     expires     not held, and what part_life_pct knows is out of date
 *
 * Where older facts are missing (seen_ms), what the others show by themselves counts, such as a sum that is too high; what only all of them could show,
 * such as one that is too low, counts when the window holds none that is missing. What was open stays so while a missing fact may still keep it.
 *
 * Silence (silent_min) is no history: all follows from heard_ms. A gateway that didn't hear anything itself gives the time from which it did.
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
	/* The newest fact at which it held, rise or act, or opened_ms: nothing of it but its end was made after this. */
	int64_t last_ms;
	int64_t ended_ms; /* 0 = open */
	enum episode_end end;
	enum rule_level level; /* the highest */
	double observed;       /* the worst value at those moments, of the condition that `limit` belongs to */
	double limit;          /* the threshold of `level` */
	size_t condition;
	uint32_t times; /* how often it rose in it, 1 ... */
	/* The newest facts behind it: in the window when it opened, and what made it worse. In order. */
	size_t behind_count;
	struct fact_ref behind[EPISODE_BEHIND_MAX];
};

/* Where a machine was until a moment. */
struct judge_stay {
	int64_t until_ms;
	const struct calendar *calendar;
};

struct judge_input {
	const struct rule *rule;
	/* The subject's own: open days and minutes; a person's facts bring theirs (NULL is fine then). */
	const struct calendar *calendar;
	/* Of a machine that moved, before it came to where `calendar` is; in order of until_ms. */
	const struct judge_stay *before;
	size_t before_count;
	/* In order (fact_compare), from rule_since_ms on; for part_life_pct also the newest session before that. Facts
	 * that the rule doesn't need do no harm. */
	const struct fact *facts;
	size_t facts_count;
	enum gf_muscle muscle;      /* of a person_area */
	enum gf_side side;          /* the same: LEFT or RIGHT */
	int64_t from_ms;            /* what is before it is settled; see episode_from_ms */
	const struct episode *open; /* what was open just before from_ms, though it may have ended since; NULL = nothing */
	int64_t seen_ms;            /* facts before it are missing; 0 = none are */
	bool judged;                /* they have been judged before: `open` says all that is known of them */
	int64_t now_ms;             /* facts after it wait: their machine's clock is ahead */
	uint64_t *work;             /* how much may still be looked at, counted down; NULL = anything */
	int64_t heard_ms;           /* of silent_min: when the machine was heard last, by the gateway's clock; 0 = never */
};

struct judgement {
	struct episode *episodes; /* in order; the first goes on from `open` when there was one */
	size_t count;
	/* When to judge again though nothing happens; INT64_MAX = never. Of an open episode always finite (I9). */
	int64_t due_ms;
};

/*
 * From when to judge, when facts from from_ms on are new and `flagged` (or NULL) is the episode, as it is known, that was open just before
 * from_ms. What is late changes an episode that has already gone beyond it: then from that one's beginning, with open = NULL.
 */
int64_t episode_from_ms(const struct episode *flagged, int64_t from_ms);

/* 0, -ENOMEM, -E2BIG (there is not work enough). The result is ended by judgement_deinit. */
GF_MUST_CHECK int rules_judge(const struct judge_input *input, struct judgement *ret_judgement);
void judgement_deinit(struct judgement *judgement);

/*
 * "480 s of percussion on quads left on one day; from 300 s on it is too much": what, how much, the limit, for the rule's subject; never a
 * token. `text` has room for RULE_TEXT_MAX.
 */
void rules_say(const struct rule *rule, const struct episode *episode, enum gf_muscle muscle, enum gf_side side,
               char text[static RULE_TEXT_MAX]);
/* The rule's advice about this machine; of other subjects `device` is "". */
void rules_advise(const struct rule *rule, const char *device, char advice[static RULE_TEXT_MAX]);

#endif
