/* What one fact is worth to a condition of a rule, if it counts at all. Pure. */
#ifndef GW_RULES_WORTH_H
#define GW_RULES_WORTH_H

#include "gateway/rules/judge.h"

struct worth {
	const struct rule_condition *condition;
	enum gf_muscle muscle; /* of a person_area */
	enum gf_side side;
	/* Of gap_h: when the newest session that counts ended, on any machine [0] and on those of each class. */
	bool ended[GF_CLASS_COUNT];
	int64_t ended_ms[GF_CLASS_COUNT];
};

/* Asked for each fact in order. False when it doesn't count; the value is in units that add up exactly: see worth_unit. */
bool worth_of(struct worth *worth, const struct fact *fact, double *ret_value);
/* How many of them are one of the metric's unit. */
double worth_unit(enum rule_metric metric);

#endif
