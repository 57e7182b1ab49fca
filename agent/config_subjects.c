#include <errno.h>
#include <stdlib.h>

#include "agent/config_section.h"
#include "proto/link_config.h"

const cyaml_schema_field_t config_subjects_fields[] = {
    CYAML_FIELD_STRING_PTR("key_file", CYAML_FLAG_POINTER, struct config_subjects_yaml, key_file, 1, 4096),
    CYAML_FIELD_END,
};

int config_subjects_take(const struct config_check *c, const struct config_subjects_yaml *from,
                         struct agent_config *config)
{
	struct gf_diag found = {{0}};

	if (from == NULL)
		return 0;
	char *file = gf_path_beside(c->path, from->key_file);
	if (file == NULL)
		return -ENOMEM;
	const int r = gf_subject_key_read(file, &config->subjects, &found);
	free(file);
	if (r == -ENOMEM)
		return r;
	if (r != 0) {
		(void)gf_yaml_fail(c->doc, "subject_tokens.key_file", c->diag, "%.400s", found.text);
		return r;
	}
	config->has_subjects = true;
	return 0;
}
