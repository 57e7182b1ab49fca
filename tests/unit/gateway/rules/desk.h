/* The rules by hand: one rule, a few facts, and what is judged of them, in Berlin around the spring's change of clocks. */
#ifndef TEST_RULES_DESK_H
#define TEST_RULES_DESK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/rules/judge.h"

#define MIN_MS INT64_C(60000)
#define HOUR_MS (60 * MIN_MS)
#define DAY_MS (24 * HOUR_MS)

enum { FACTS_MAX = 32 };

/* Monday 2026-03-23; on Sunday the 29th Berlin's clocks go from 02:00 to 03:00. */
static const int64_t monday_ms = INT64_C(1774220400000); /* 2026-03-23T00:00+01:00 */
static const int64_t spring_ms = INT64_C(1774746000000); /* 2026-03-29T01:00Z */

struct desk {
	struct calendar calendar; /* open from Monday to Friday, 06:00 to 22:00 */
	struct rule rule;
	struct fact facts[FACTS_MAX];
	struct gf_area_use areas[FACTS_MAX];
	size_t count;
	struct judge_input input;
	struct judgement judgement;
};
extern struct desk *desk;

int desk_setup(void **state);
int desk_teardown(void **state);

/* The desk's rule, with one condition. */
struct rule_condition *begin_rule(enum rule_subject subject, enum rule_metric metric, int64_t window_ms);
void warn_act(struct rule_condition *c, enum rule_comparison comparison, double warn, double act);
/* In order of time. */
struct fact *add(enum fact_kind kind, int64_t at_ms);
struct fact *add_session(int64_t at_ms, uint32_t minutes);
void add_area(int64_t at_ms, enum gf_area area, enum gf_side side, uint32_t seconds);
/* Judges all that was added, as it is at now_ms: the last of so many episodes. */
const struct episode *judge(int64_t now_ms, size_t expected);

#define assert_ms(got, want) assert_true((got) == (want))

#endif
