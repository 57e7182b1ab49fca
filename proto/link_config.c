#include "proto/link_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "proto/link_cert.h"

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

enum { NUMBER_MAX = 40 };

/* Whole numbers in full: %g would make 1e+06 of a million. */
static const char *number(double value, char buf[static NUMBER_MAX])
{
	bool whole = fabs(value) < 1e15 && nearbyint(value) == value;
	snprintf(buf, NUMBER_MAX, whole ? "%.0f" : "%g", value);
	return buf;
}

int gf_yaml_range(const struct gf_yaml *doc, const char *at, double value, double low, double high,
                  struct gf_diag *diag)
{
	char is[NUMBER_MAX], least[NUMBER_MAX], most[NUMBER_MAX];
	if (value >= low && value <= high)
		return 0;
	return gf_yaml_fail(doc, at, diag, "%s is %s; expected %s to %s", at, number(value, is), number(low, least),
	                    number(high, most));
}

/* A name, or an address of IPv4 or IPv6; what else people write here is a URL, or the port too. */
static int check_host(const struct gf_yaml *doc, const char *host, struct gf_diag *diag)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	unsigned char address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET6, host, address) == 1 || host[strspn(host, letters)] == '\0')
		return 0;
	return gf_yaml_fail(doc, "broker.host", diag,
	                    "broker.host is '%.60s'; expected a name or an address alone: no scheme, no port (that is "
	                    "broker.port), no spaces",
	                    host);
}

/* The certificate, its key and the CA's certificate; the sentence gets the place where the wrong one is named. */
static int check_files(const struct gf_yaml *doc, const struct gf_link_config *config, struct gf_diag *diag)
{
	struct gf_diag found = {{0}};
	const char *field = "";
	char at[32];
	int r = link_cert_check(config, &found, &field);
	if (r == 0)
		return 0;
	snprintf(at, sizeof(at), "broker.%s", field);
	gf_yaml_fail(doc, at, diag, "%s", found.text);
	return r;
}

static int take_name(const struct gf_yaml *doc, const char *path, struct gf_link_config *config, struct gf_diag *diag)
{
	char name[GF_ID_MAX];
	struct gf_diag found = {{0}};
	int r = gf_link_cert_name(config->cert_file, name, sizeof(name), &found);
	if (r != 0) {
		gf_yaml_fail(doc, "broker.cert_file", diag, "%s", found.text);
		return r;
	}
	if (!gf_id_valid(name, strlen(name)))
		return gf_yaml_fail(doc, "broker.cert_file", diag,
		                    "the common name '%s' of certificate %s is no id; expected [a-z0-9][a-z0-9-]{0,62}: make "
		                    "one for a valid id with deploy/pki",
		                    name, config->cert_file);
	config->client_id = strdup(name);
	if (config->client_id != NULL)
		return 0;
	gf_diag_set(diag, "%s: out of memory", path);
	return -ENOMEM;
}

int gf_link_config_take(const struct gf_yaml *doc, const char *path, const struct gf_link_yaml *yaml,
                        struct gf_link_config *config, struct gf_diag *diag)
{
	bool keepalive = gf_yaml_has(doc, "broker.keepalive_s");
	int r = check_host(doc, yaml->host, diag);
	if (r == 0)
		r = gf_yaml_range(doc, "broker.port", yaml->port, 1, 65535, diag);
	if (r == 0 && keepalive)
		r = gf_yaml_range(doc, "broker.keepalive_s", yaml->keepalive_s, 5, 60, diag);
	if (r != 0)
		return r;

	config->host = strdup(yaml->host);
	config->port = yaml->port;
	config->ca_file = gf_path_beside(path, yaml->ca_file);
	config->cert_file = gf_path_beside(path, yaml->cert_file);
	config->key_file = gf_path_beside(path, yaml->key_file);
	config->keepalive_s = keepalive ? yaml->keepalive_s : KEEPALIVE_DEFAULT_S;
	if (config->host == NULL || config->ca_file == NULL || config->cert_file == NULL || config->key_file == NULL) {
		gf_diag_set(diag, "%s: out of memory", path);
		return -ENOMEM;
	}
	r = check_files(doc, config, diag);
	return r == 0 ? take_name(doc, path, config, diag) : r;
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
