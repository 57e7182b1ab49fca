/* The shipped gateway.yaml as a test has changed it: loaded, or refused. */
#ifndef TEST_GATEWAY_CONFIG_RIG_H
#define TEST_GATEWAY_CONFIG_RIG_H

#include "gateway/config.h"
#include "tests/unit/proto/shipped.h"

/* The caller frees it. Fails the test when it doesn't load. */
struct gateway_config *config_loaded(struct shipped *shipped);
/* It is refused with this error, in one sentence that says so. */
void config_refused(struct shipped *shipped, int error, const char *sentence);

#endif
