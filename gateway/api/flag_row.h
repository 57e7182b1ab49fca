/* A flag as the API shows it. */
#ifndef GATEWAY_API_FLAG_ROW_H
#define GATEWAY_API_FLAG_ROW_H

#include "gateway/api/fleet.h"
#include "gateway/api/request.h"
#include "gateway/store/judging.h"

extern const struct where_field flag_fields[];
extern const size_t flag_fields_count;

/* `fleet` by key, for the machines of the sessions behind it. NULL without memory. */
json_t *flag_row(const struct store_flag *flag, const struct fleet *fleet);

/* {"at", "by", "note"} of who had acknowledged a flag or fault already; null for nobody. */
json_t *acked_before(const struct store_acked *acked);

#endif
