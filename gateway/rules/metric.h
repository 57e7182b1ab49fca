/*
 * One condition of a rule over time: which facts count for it, what each is worth and until when, and what they come to at a moment. Pure.
 */
#ifndef GW_RULES_METRIC_H
#define GW_RULES_METRIC_H

#include "gateway/rules/judge.h"

/* A fact as the condition sees it: worth `value` (NaN: it says that the value is unknown) from at_ms on, before end_ms. */
struct metric_entry {
	int64_t at_ms, end_ms;
	double value;
	const struct fact *fact;
};

struct metric {
	const struct rule_condition *condition;
	const struct metric_entry *entries; /* in the order of facts */
	size_t count;
	/* At the moment of the last move: those in [head, next) count unless they have ended; [entered, next) came just then. */
	size_t head, entered, next;
	int64_t ends_ms; /* when the next of them ends; INT64_MAX = none */
	double value;    /* NaN = none */
	double sum;      /* of [head, next) where it is kept from move to move */
	size_t extreme;  /* which of [head, next) is the min or max of them */
	bool ordered;    /* they end in the order they come: all but those of days at sites far apart */
	uint64_t visits; /* entries that were looked at one by one */
	/* The day whose opening time use_pct was last divided by. */
	const struct calendar *day_calendar;
	int32_t day;
	double day_open_ms;
};

/* A moment is given by these: a rule and whom it looks at. */
struct metric_entries_input {
	const struct judge_input *judge;
	const struct rule_condition *condition;
	int64_t since_ms; /* the first moment that will be asked for: what has ended by then may be left out */
};

/* Writes the entries of all facts until now_ms, at most facts_count. Returns how many. */
size_t metric_entries(const struct metric_entries_input *input, struct metric_entry *ret_entries);
void metric_begin(struct metric *metric, const struct rule_condition *condition, const struct metric_entry *entries,
                  size_t count);
/* Goes on to a later moment. */
void metric_move(struct metric *metric, int64_t moment_ms);
/* When it may change next: INT64_MAX = never. */
int64_t metric_next_ms(const struct metric *metric);
/* Something was known, and all of it is out of date by now. */
bool metric_is_stale(const struct metric *metric, int64_t moment_ms);
/* Do values only fall while no fact comes. */
bool metric_only_falls(const struct rule_condition *condition);

#endif
