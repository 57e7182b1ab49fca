/*
 * What a rule's levels, moment after moment, come to: when it opens, acts, clears and expires. Remembers no more of the past than the rule's
 * own `for`, `days`, `within` and `clear_after` reach, so that it may begin anywhere that far back. Pure.
 */
#ifndef GW_RULES_AUTOMATON_H
#define GW_RULES_AUTOMATON_H

#include "gateway/rules/judge.h"

/* What the conditions say at a moment. */
struct automaton_view {
	bool held[RULE_LEVEL_COUNT]; /* [WARN], [ACT] */
	bool keeps;                  /* not clear */
	bool stale;                  /* what is known is out of date */
};

struct automaton_level {
	bool held;
	int64_t since_ms;
	/* The newest rises. */
	unsigned rises_count, rises_next;
	int64_t rises[RULE_TIMES_MAX];
	/* The days on which it held: bit n is `day` - n. Who moves west may have a day again. */
	uint64_t days;
	int32_t day;
};

struct automaton {
	const struct rule *rule;
	const struct judge_input *in;
	struct automaton_level levels[RULE_LEVEL_COUNT];
	bool keeps, stale;
	int64_t quiet_ms; /* since when it doesn't keep */
};

enum automaton_word { AUTOMATON_NOTHING, AUTOMATON_OPENS, AUTOMATON_ACTS, AUTOMATON_CLEARS, AUTOMATON_EXPIRES };

/* Of all the time that is judged; NULL: of a machine that moved. */
const struct calendar *automaton_calendar(const struct judge_input *in);
/* It must see all from rule_begin_ms on. `in` must live as long. */
void automaton_begin(struct automaton *automaton, const struct judge_input *in);
/* Shows it a moment, later than the one before. Returns whether the level WARN rose. */
bool automaton_see(struct automaton *automaton, const struct automaton_view *view, int64_t moment_ms, bool first);
/* What to do at the moment that it saw last. */
enum automaton_word automaton_asks(const struct automaton *automaton, const struct episode *open, int64_t moment_ms);
/* When, though no value changes, it may want something else; INT64_MAX = never. */
int64_t automaton_next_ms(const struct automaton *automaton, bool open, int64_t moment_ms);

#endif
