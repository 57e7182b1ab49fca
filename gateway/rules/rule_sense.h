/* A part of rule_check: what makes no sense taken together, of a rule whose parts are checked. Pure. */
#ifndef GW_RULES_RULE_SENSE_H
#define GW_RULES_RULE_SENSE_H

#include "gateway/rules/rule.h"

#define OF_WHOLE_RULE SIZE_MAX

/* Which key is wrong: of a condition, or OF_WHOLE_RULE. */
struct rule_sense {
	size_t condition;
	const char *key;
};
/* 0, -EINVAL with diag. */
GF_MUST_CHECK int rule_sense_check(const struct rule *rule, struct rule_sense *ret_wrong, struct gf_diag *diag);

#endif
