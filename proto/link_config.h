/*
 * The section `broker:` that agent.yaml and gateway.yaml share, and the limits around it.
 */
#ifndef GF_LINK_CONFIG_H
#define GF_LINK_CONFIG_H

#include "proto/base/yaml.h"
#include "proto/link.h"

/* As written in the file. */
struct gf_link_yaml {
	char *host;
	uint16_t port;
	char *ca_file, *cert_file, *key_file;
	unsigned keepalive_s;
};

/* For CYAML_FIELD_MAPPING("broker", ..., gf_link_yaml_fields). */
extern const cyaml_schema_field_t gf_link_yaml_fields[];

/*
 * Checks the section of the document loaded from `path` (relative files are relative to its folder) and fills the
 * configuration but for mailbox_max, window_max and packet_max; the client id becomes the certificate's common name.
 * The three files are read and checked as gf_link_new does. 0, -EINVAL, -ENOENT, -EACCES, -ENOMEM with `diag`. What it filled is freed by gf_link_config_deinit, also after a failure.
 */
GF_MUST_CHECK int gf_link_config_take(const struct gf_yaml *doc, const char *path, const struct gf_link_yaml *yaml,
                                      struct gf_link_config *config, struct gf_diag *diag);
void gf_link_config_deinit(struct gf_link_config *config);

/* `path`, or `path` beside the file `beside` when it is relative. The caller frees it; NULL when memory is out. */
char *gf_path_beside(const char *beside, const char *path);

/* -EINVAL with a sentence that names `at`, its value and the range, unless low <= value <= high. */
GF_MUST_CHECK int gf_yaml_range(const struct gf_yaml *doc, const char *at, double value, double low, double high,
                                struct gf_diag *diag);

#endif
