/* What each metric is: of whom it is known, what may be said of it, what it can be. Pure. */
#ifndef GW_RULES_METRIC_KIND_H
#define GW_RULES_METRIC_KIND_H

#include "gateway/rules/rule.h"

enum { EXPIRES_MAX_D = 366 };

enum window_kind { WINDOW_ANY, WINDOW_DAY, WINDOW_NONE };
enum filter_kind {
	BY_CLASS = 1,
	BY_SESSION = 2, /* outcomes, depth, routines */
	BY_TECHNIQUE = 4,
	BY_FAULT = 8, /* codes, severities */
	BY_LIMIT = 16,
	BY_PART = 32,
	BY_SAME_CLASS = 64,
};

struct metric_kind {
	unsigned needs; /* kinds of facts: bits (1 << enum fact_kind) */
	unsigned subjects, aggregates, filters;
	enum window_kind window;
	double min, max; /* what there can be: a count of nothing is no value */
	double hour;     /* so much is one hour of it; 0 = it isn't time */
};

const struct metric_kind *metric_kind(enum rule_metric metric);
/* Measured again and again, by heartbeats. */
bool metric_is_reading(enum rule_metric metric);

#endif
