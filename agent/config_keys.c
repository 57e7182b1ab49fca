#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/config_section.h"
#include "proto/catalog_key.h"
#include "proto/link_config.h"

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4096),
};

const cyaml_schema_field_t config_keys_fields[] = {
    CYAML_FIELD_UINT("threshold", CYAML_FLAG_DEFAULT, struct config_keys_yaml, threshold),
    CYAML_FIELD_SEQUENCE("files", CYAML_FLAG_POINTER, struct config_keys_yaml, files, &file_schema, 1, GF_KEYS_MAX),
    CYAML_FIELD_END,
};

static int take_file(const struct config_check *c, const struct config_keys_yaml *from, unsigned i,
                     struct gf_keyset *keys)
{
	struct gf_diag found = {{0}};
	char at[40], *path = gf_path_beside(c->path, from->files[i]);
	if (path == NULL)
		return -ENOMEM;
	snprintf(at, sizeof(at), "catalog_keys.files[%u]", i);
	int r = gf_key_read_public(path, keys->keys[i], &found);
	free(path);
	if (r == 0 || r == -ENOMEM)
		return r;
	return gf_yaml_fail(c->doc, at, c->diag, "%.400s", found.text);
}

int config_keys_take(const struct config_check *c, const struct config_keys_yaml *from, struct agent_config *config)
{
	struct gf_keyset keys = {0};
	struct gf_diag found = {{0}};
	int r;

	if (from == NULL)
		return 0;
	r = config_in_range(c, "catalog_keys.threshold", from->threshold, 1, from->files_count);
	for (unsigned i = 0; i < from->files_count && r == 0; i++)
		r = take_file(c, from, i, &keys);
	if (r != 0)
		return r;
	keys.threshold = from->threshold;
	keys.count = from->files_count;
	if (gf_keyset_check(&keys, &found) != 0)
		return gf_yaml_fail(c->doc, "catalog_keys.files", c->diag, "%.400s", found.text);
	config->catalog_keys = keys;
	return 0;
}
