/* gateway.yaml's `webhooks`: who is told of what, and where. */
#ifndef GATEWAY_WEBHOOKS_YAML_H
#define GATEWAY_WEBHOOKS_YAML_H

#include "gateway/tell/tell.h"
#include "proto/base/yaml.h"

struct webhook_yaml {
	char *name, *url, *secret_file;
	char **kinds;
	unsigned kinds_count;
	bool notify_only;
	unsigned rate_per_min;
	char *give_up, *ca_file;
};
extern const cyaml_schema_value_t webhook_yaml_schema;

/*
 * Reads the secrets and checks all that can be checked without calling anybody. 0, or a negative errno with `diag` naming file, line, column and
 * remedy; `path` is the configuration file's. The caller frees by roster_free.
 */
GF_MUST_CHECK int webhooks_take(const struct gf_yaml *doc, const char *path, const struct webhook_yaml *yaml,
                                unsigned count, struct tell_webhook **ret_webhooks, struct gf_diag *diag);

#endif
