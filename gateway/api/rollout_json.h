/* A rollout, its waves and its machines as the API shows them. */
#ifndef GATEWAY_API_ROLLOUT_JSON_H
#define GATEWAY_API_ROLLOUT_JSON_H

#include "gateway/api/request.h"
#include "gateway/store/rollouts.h"

/* What --where knows of a rollout in a list, and of a machine in a rollout. */
extern const struct where_field rollout_fields[], rollout_device_fields[];
extern const size_t rollout_fields_count, rollout_device_fields_count;

/* A row of a list; NULL without memory. */
json_t *rollout_json_row(const struct store_rollout *rollout);
/* The row, and all that is said of one alone: what it was asked to be, its waves, what the machines did since. */
json_t *rollout_json_detail(const struct store_rollout *rollout);
json_t *rollout_json_device(const struct rollout_device *device);

#endif
