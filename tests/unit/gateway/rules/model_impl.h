/* What the parts of the model share: what a fact is worth (model_worth.c), the definitions of judge.h (model_holds.c), the moments at which something
 * may happen (model_moments.c), and the episodes (model.c). */
#ifndef TESTS_RULES_MODEL_IMPL_H
#define TESTS_RULES_MODEL_IMPL_H

#include "tests/unit/gateway/rules/model.h"

#define HOUR_MS INT64_C(3600000)
enum { FACTS_MAX = 64, MOMENTS_MAX = FACTS_MAX * 120 };

struct model {
	const struct judge_input *in;
	const struct rule *rule;
	/* Moments at which a value may change, and all at which something may happen. */
	size_t changes_count, moments_count;
	int64_t changes[MOMENTS_MAX], moments[MOMENTS_MAX];
};

/* ---- model_worth.c ---- */

/* In base units: ms, counts, points. *ret_counts: it is one of the condition's facts, though it may say nothing (NaN). */
double model_worth(const struct model *m, const struct rule_condition *c, const struct fact *f, bool *ret_counts);
/* Until when it counts. */
int64_t model_ends(const struct model *m, const struct rule_condition *c, const struct fact *f);
/* Does it count at a moment. */
bool model_counts(const struct model *m, const struct rule_condition *c, const struct fact *f, int64_t t,
                  double *ret_value);

/* ---- model_holds.c ---- */

double model_value_at(const struct model *m, const struct rule_condition *c, int64_t t);
bool model_condition_holds(const struct model *m, size_t i, int64_t t, enum rule_level level);
bool model_holds(const struct model *m, int64_t t, enum rule_level level);
bool model_keeps(const struct model *m, int64_t t);
bool model_quiet(const struct model *m, int64_t from, int64_t to);
bool model_rises_at(const struct model *m, int64_t t, enum rule_level level);
bool model_triggers(const struct model *m, int64_t t, enum rule_level level);
bool model_out_of_date(const struct model *m, int64_t t);

/* ---- model_moments.c ---- */

void model_find_moments(struct model *m);

#endif
