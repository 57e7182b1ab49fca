#include "proto/keys_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/catalog_key.h"
#include "proto/link_config.h"

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4096),
};

const cyaml_schema_field_t gf_keys_yaml_fields[] = {
    CYAML_FIELD_UINT("threshold", CYAML_FLAG_DEFAULT, struct gf_keys_yaml, threshold),
    CYAML_FIELD_SEQUENCE("files", CYAML_FLAG_POINTER, struct gf_keys_yaml, files, &file_schema, 1, GF_KEYS_MAX),
    CYAML_FIELD_END,
};

static int take_file(const struct gf_yaml *doc, const char *path, const struct gf_keys_yaml *from, unsigned i,
                     struct gf_keyset *keys, struct gf_diag *diag)
{
	struct gf_diag found = {{0}};
	char at[40], *file = gf_path_beside(path, from->files[i]);

	if (file == NULL)
		return -ENOMEM;
	(void)snprintf(at, sizeof(at), "catalog_keys.files[%u]", i);
	int r = gf_key_read_public(file, keys->keys[i], &found);
	free(file);
	if (r == 0 || r == -ENOMEM)
		return r;
	return gf_yaml_fail(doc, at, diag, "%.400s", found.text);
}

int gf_keys_config_take(const struct gf_yaml *doc, const char *path, const struct gf_keys_yaml *yaml,
                        struct gf_keyset *ret_keys, struct gf_diag *diag)
{
	struct gf_keyset keys = {0};
	struct gf_diag found = {{0}};
	int r;

	if (yaml == NULL)
		return 0;
	r = gf_yaml_range(doc, "catalog_keys.threshold", yaml->threshold, 1, yaml->files_count, diag);
	for (unsigned i = 0; i < yaml->files_count && r == 0; i++)
		r = take_file(doc, path, yaml, i, &keys, diag);
	if (r != 0)
		return r;
	keys.threshold = yaml->threshold;
	keys.count = yaml->files_count;
	if (gf_keyset_check(&keys, &found) != 0)
		return gf_yaml_fail(doc, "catalog_keys.files", diag, "%.400s", found.text);
	*ret_keys = keys;
	return 0;
}
