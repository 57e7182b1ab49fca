/* Days as numbers since 1970-01-01, and as people write them. A week begins on Monday (ISO 8601). */
#ifndef GF_BASE_DATE_H
#define GF_BASE_DATE_H

#include <stdint.h>

#include "proto/base/err.h"

enum { GF_DATE_MAX = 16 };

/* "2026-11-20"; an empty text for a year outside 1970..9999. */
const char *gf_date_format(int32_t day, char buf[static GF_DATE_MAX]);
/* The week of a day: "2026-W47". */
const char *gf_week_format(int32_t day, char buf[static GF_DATE_MAX]);
/* A date, or the Monday of a week, as above. -EINVAL. */
GF_MUST_CHECK int gf_date_parse(const char *text, int32_t *ret_day);

#endif
