/* What the parts of rule_check share: the whole rule (rule_check.c), a condition (rule_condition.c), its filter (rule_filter.c), and what
 * parts that are right come to together (rule_sense.c). Pure. */
#ifndef GW_RULES_RULE_CHECK_IMPL_H
#define GW_RULES_RULE_CHECK_IMPL_H

#include "gateway/rules/metric_kind.h"

#define RULE_MINUTE_MS (INT64_C(60) * 1000)
#define RULE_HOUR_MS (60 * RULE_MINUTE_MS)
#define RULE_DAY_MS (24 * RULE_HOUR_MS)
#define RULE_SHORTEST_DAY_MS (23 * RULE_HOUR_MS)
#define RULE_LONGEST_DAY_MS (25 * RULE_HOUR_MS)

struct rule_check {
	const struct rule *rule;
	char *key; /* GF_NAME_MAX */
	struct gf_diag *diag;
};

enum { RULE_WHOLE = -1 };
/* -EINVAL. The key is a condition's, or of the rule itself (RULE_WHOLE). */
int rule_refused(const struct rule_check *k, int condition, const char *key);
#define REFUSE(k, key, ...) (gf_diag_set((k)->diag, __VA_ARGS__), rule_refused(k, RULE_WHOLE, key))
#define REFUSE_IN(k, condition, key, ...) (gf_diag_set((k)->diag, __VA_ARGS__), rule_refused(k, (int)(condition), key))

/* Words for a sentence: "device, person". */
struct rule_words {
	char text[160];
};
void rule_words_add(struct rule_words *words, const char *word);

/* 0, -EINVAL with key and diag. The later ones take for granted what the earlier ones have found right. */
GF_MUST_CHECK int rule_check_condition(const struct rule_check *k, size_t condition);
GF_MUST_CHECK int rule_check_filter(const struct rule_check *k, size_t condition);
GF_MUST_CHECK int rule_check_sense(const struct rule_check *k);

#endif
