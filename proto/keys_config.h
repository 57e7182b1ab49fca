/* The section `catalog_keys:` that agent.yaml and gateway.yaml share: whose signatures under catalogs count, and how many of them. */
#ifndef GF_KEYS_CONFIG_H
#define GF_KEYS_CONFIG_H

#include "proto/base/yaml.h"
#include "proto/catalog.h"

/* As written in the file. */
struct gf_keys_yaml {
	unsigned threshold;
	char **files;
	unsigned files_count;
};

/* For CYAML_FIELD_MAPPING_PTR("catalog_keys", ..., gf_keys_yaml_fields). */
extern const cyaml_schema_field_t gf_keys_yaml_fields[];

/*
 * Reads the public keys that the section of the document loaded from `path` names (relative files are relative to its folder). `yaml` NULL, where
 * there is no section, leaves *ret_keys as it is. 0, -EINVAL or -ENOMEM with diag.
 */
GF_MUST_CHECK int gf_keys_config_take(const struct gf_yaml *doc, const char *path, const struct gf_keys_yaml *yaml,
                                      struct gf_keyset *ret_keys, struct gf_diag *diag);

#endif
