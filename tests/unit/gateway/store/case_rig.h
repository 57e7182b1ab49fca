/* What the tests of cases share: reading them, and a slow model of them. */
#ifndef TEST_CASE_RIG_H
#define TEST_CASE_RIG_H

#include "gateway/store/cases.h"
#include "tests/unit/gateway/store/fixture.h"

enum { CASES_MAX = 512 };
struct cases {
	size_t count;
	struct store_case rows[CASES_MAX];
};

struct cases get_cases(struct fixture *f, const struct store_case_query *query);
struct gf_record cleared(uint64_t seq, uint64_t no, enum gf_fault code, int64_t at_ms, uint64_t lasted_ms);

/* The machine's cases are what a plain walk over its stored faults makes of them. */
void assert_cases_as_modelled(struct fixture *f, const char *device);

#endif
