#include "proto/link_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"

enum { KEEPALIVE_DEFAULT_S = 15 };

const cyaml_schema_field_t gf_link_yaml_fields[] = {
    CYAML_FIELD_STRING_PTR("host", CYAML_FLAG_POINTER, struct gf_link_yaml, host, 1, 253),
    CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct gf_link_yaml, port),
    CYAML_FIELD_STRING_PTR("ca_file", CYAML_FLAG_POINTER, struct gf_link_yaml, ca_file, 1, 4096),
    CYAML_FIELD_STRING_PTR("cert_file", CYAML_FLAG_POINTER, struct gf_link_yaml, cert_file, 1, 4096),
    CYAML_FIELD_STRING_PTR("key_file", CYAML_FLAG_POINTER, struct gf_link_yaml, key_file, 1, 4096),
    CYAML_FIELD_UINT("keepalive_s", CYAML_FLAG_OPTIONAL, struct gf_link_yaml, keepalive_s),
    CYAML_FIELD_END,
};

char *gf_path_beside(const char *beside, const char *path)
{
	const char *slash = strrchr(beside, '/');
	char *out = NULL;
	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	return asprintf(&out, "%.*s/%s", (int)(slash - beside), beside, path) < 0 ? NULL : out;
}

int gf_yaml_range(const struct gf_yaml *doc, const char *at, double value, double low, double high,
                  struct gf_diag *diag)
{
	if (value >= low && value <= high)
		return 0;
	return gf_yaml_fail(doc, at, diag, "%s is %g; expected %g to %g", at, value, low, high);
}

int gf_link_config_take(const struct gf_yaml *doc, const char *path, const struct gf_link_yaml *yaml,
                        struct gf_link_config *config, struct gf_diag *diag)
{
	char name[GF_ID_MAX];
	int r = gf_yaml_range(doc, "broker.port", yaml->port, 1, 65535, diag);
	if (r == 0 && yaml->keepalive_s != 0)
		r = gf_yaml_range(doc, "broker.keepalive_s", yaml->keepalive_s, 5, 60, diag);
	if (r != 0)
		return r;

	config->host = strdup(yaml->host);
	config->port = yaml->port;
	config->ca_file = gf_path_beside(path, yaml->ca_file);
	config->cert_file = gf_path_beside(path, yaml->cert_file);
	config->key_file = gf_path_beside(path, yaml->key_file);
	config->keepalive_s = yaml->keepalive_s != 0 ? yaml->keepalive_s : KEEPALIVE_DEFAULT_S;
	if (config->host == NULL || config->ca_file == NULL || config->cert_file == NULL || config->key_file == NULL) {
		gf_diag_set(diag, "%s: out of memory", path);
		return -ENOMEM;
	}

	r = gf_link_cert_name(config->cert_file, name, sizeof(name), diag);
	if (r != 0)
		return r;
	if (!gf_id_valid(name, strlen(name)))
		return gf_yaml_fail(doc, "broker.cert_file", diag,
		                    "the certificate's common name '%s' is no id; expected [a-z0-9][a-z0-9-]{0,62}", name);
	config->client_id = strdup(name);
	return config->client_id != NULL ? 0 : -ENOMEM;
}

void gf_link_config_deinit(struct gf_link_config *config)
{
	free(config->host);
	free(config->client_id);
	free(config->ca_file);
	free(config->cert_file);
	free(config->key_file);
	memset(config, 0, sizeof(*config));
}
