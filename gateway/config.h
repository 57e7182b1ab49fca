/* gateway.yaml: where the store, the broker and the API's socket are, whose catalogs are taken, what time it is at each site and when it is open; where
 * the rules are. */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "gateway/sites/sites.h"
#include "gateway/tell/tell.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/catalog_sign.h"
#include "proto/link.h"

struct gateway_config {
	char *state_dir, *database;
	char *socket, *socket_group; /* group NULL: only root and the gateway's own user */
	enum gf_log_level log_level;
	struct gf_link_config link;
	int64_t keep_raw_ms, keep_5min_ms, keep_hour_ms; /* days are kept for ever */
	struct sites *sites;                             /* never NULL */
	struct tell_webhook *webhooks;
	size_t webhooks_count;
	char *rules;                   /* rules.yaml */
	bool rules_optional;           /* it isn't named: without it there are no rules */
	struct gf_keyset catalog_keys; /* threshold 0 = every signed catalog is taken, the machines judge */
};

/* As agent_config_load: 0, or a negative errno with `diag` naming file, line, column and remedy. */
GF_MUST_CHECK int gateway_config_load(const char *path, struct gateway_config **ret_config, struct gf_diag *diag);
void gateway_config_free(struct gateway_config *config);

#endif
