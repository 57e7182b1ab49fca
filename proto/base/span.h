/* The spans that people speak of, in milliseconds. A local day may be an hour shorter or longer: gateway/sites/calendar.h. */
#ifndef GF_BASE_SPAN_H
#define GF_BASE_SPAN_H

#include <stdint.h>

#define GF_MINUTE_MS (INT64_C(60) * 1000)
#define GF_HOUR_MS (60 * GF_MINUTE_MS)
#define GF_DAY_MS (24 * GF_HOUR_MS)

#endif
