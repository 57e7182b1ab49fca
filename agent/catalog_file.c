#include "agent/catalog_file.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/base/file.h"

int catalog_file_load(const struct agent_config *config, struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	const char *file = config->catalog_file, *class = gf_class_name(config->class);
	struct gf_catalog catalog = {0};
	struct gf_diag found = {{0}};
	char *data = NULL;
	size_t len = 0;
	int r = gf_file_read(file, GF_CATALOG_MAX, &data, &len, &found);

	if (r == 0 && gf_catalog_decode(data, len, &catalog, &found) != 0) {
		gf_diag_prefix(&found, "%s", file);
		r = -EINVAL;
	}
	free(data);
	if (r != 0) {
		gf_diag_set(diag, "%.500s; build it with 'gymfleet catalog build --class %s'", found.text, class);
		return r;
	}
	if (catalog.class != config->class) {
		gf_diag_set(
		    diag,
		    "%s: the catalog is for class %s, this machine is a %s; build one with 'gymfleet catalog build --class %s'",
		    file, gf_class_name(catalog.class), class, class);
		gf_catalog_deinit(&catalog);
		return -EINVAL;
	}
	*ret_catalog = catalog;
	return 0;
}
