/* The expressions of --where as what chooses a rollout's machines. */
#ifndef GATEWAY_API_SELECT_H
#define GATEWAY_API_SELECT_H

#include "gateway/api/api.h"
#include "gateway/rollout/runner.h"

/* What a machine's health depends on beside itself, as for the API. Without it as ctx every site is always open, and no service plan counts. */
struct select_view {
	const struct sites *sites; /* NULL: everywhere open around the clock */
	const struct api_ops *ops; /* for the service plans */
};

/*
 * For runner_config.select, with a struct select_view as select_ctx. A machine is looked at by the fields that the expression names, and by no others: ten thousand machines cost as
 * many small values, not as many rows. A compiled selector belongs to one thread.
 */
extern const struct runner_select_ops select_ops;

#endif
