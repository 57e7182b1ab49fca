/* What the tests of health share: a machine that is well, and the reasons that it is given. */
#ifndef TEST_HEALTH_FACTS_H
#define TEST_HEALTH_FACTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/health/health.h"

/* 2026-11-20T12:00:00Z */
#define NOON INT64_C(1795176000000)
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct health_facts well(void);
/* Judges facts that have exactly one reason. */
struct health_reason only(const struct health_facts *facts);
size_t count_reasons(const struct health_facts *facts);

#endif
