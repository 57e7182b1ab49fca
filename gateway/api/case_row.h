/* A fault as people see it, with what it means and what to do. */
#ifndef GATEWAY_API_CASE_ROW_H
#define GATEWAY_API_CASE_ROW_H

#include "gateway/api/request.h"
#include "gateway/store/cases.h"

extern const struct where_field case_fields[];
extern const size_t case_fields_count;

/* NULL without memory. */
json_t *case_row(const struct store_case *c, int64_t now_ms);

#endif
