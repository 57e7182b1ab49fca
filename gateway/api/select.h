/* The expressions of --where as what chooses a rollout's machines. */
#ifndef GATEWAY_API_SELECT_H
#define GATEWAY_API_SELECT_H

#include "gateway/rollout/runner.h"

/*
 * For runner_config.select. A machine is looked at by the fields that the expression names, and by no others: ten thousand machines cost as
 * many small values, not as many rows. A compiled selector belongs to one thread.
 */
extern const struct runner_select_ops select_ops;

#endif
