#include "gateway/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tell/roster.h"
#include "gateway/webhooks_yaml.h"
#include "proto/base/log_yaml.h"
#include "proto/base/span.h"
#include "proto/keys_config.h"
#include "proto/link_config.h"

enum { UNIX_PATH_MAX = 107, SITES_MAX = 4096, OPEN_MAX = 7 * CALENDAR_SPANS_MAX };

struct api_yaml {
	char *socket, *group;
};

struct retention_yaml {
	char *heartbeats, *five_minutes, *hours;
};

struct open_yaml {
	char *days, *hours;
};

struct site_yaml {
	char *site, *time_zone;
	struct open_yaml *open;
	unsigned open_count;
};

struct gateway_yaml {
	char *state_dir;
	int log_level;
	struct gf_link_yaml broker;
	struct api_yaml api;
	struct retention_yaml retention;
	char *rules;
	char *time_zone;
	struct open_yaml *open;
	unsigned open_count;
	struct site_yaml *sites;
	unsigned sites_count;
	struct webhook_yaml *webhooks;
	unsigned webhooks_count;
	struct gf_keys_yaml *catalog_keys;
};

static const cyaml_schema_field_t api_fields[] = {
    CYAML_FIELD_STRING_PTR("socket", CYAML_FLAG_POINTER, struct api_yaml, socket, 1, UNIX_PATH_MAX),
    CYAML_FIELD_STRING_PTR("group", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct api_yaml, group, 1, 64),
    CYAML_FIELD_END,
};

#define RETENTION(key) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct retention_yaml, key, 1, 32)
static const cyaml_schema_field_t retention_fields[] = {
    RETENTION(heartbeats),
    RETENTION(five_minutes),
    RETENTION(hours),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t open_fields[] = {
    CYAML_FIELD_STRING_PTR("days", CYAML_FLAG_POINTER, struct open_yaml, days, 1, 16),
    CYAML_FIELD_STRING_PTR("hours", CYAML_FLAG_POINTER, struct open_yaml, hours, 1, 16),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t open_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct open_yaml, open_fields),
};

static const cyaml_schema_field_t site_fields[] = {
    CYAML_FIELD_STRING_PTR("site", CYAML_FLAG_POINTER, struct site_yaml, site, 1, GF_NAME_MAX - 1),
    CYAML_FIELD_STRING_PTR("time_zone", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct site_yaml, time_zone, 1, 64),
    CYAML_FIELD_SEQUENCE("open", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct site_yaml, open, &open_schema, 1,
                         OPEN_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t site_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct site_yaml, site_fields),
};

static const cyaml_schema_field_t gateway_fields[] = {
    CYAML_FIELD_STRING_PTR("state_dir", CYAML_FLAG_POINTER, struct gateway_yaml, state_dir, 1, 4096),
    CYAML_FIELD_ENUM("log_level", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct gateway_yaml, log_level,
                     gf_log_yaml_levels, CYAML_ARRAY_LEN(gf_log_yaml_levels)),
    CYAML_FIELD_MAPPING("broker", CYAML_FLAG_DEFAULT, struct gateway_yaml, broker, gf_link_yaml_fields),
    CYAML_FIELD_MAPPING("api", CYAML_FLAG_DEFAULT, struct gateway_yaml, api, api_fields),
    CYAML_FIELD_MAPPING("retention", CYAML_FLAG_OPTIONAL, struct gateway_yaml, retention, retention_fields),
    CYAML_FIELD_STRING_PTR("rules", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, rules, 1, 4096),
    CYAML_FIELD_STRING_PTR("time_zone", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, time_zone, 1,
                           64),
    CYAML_FIELD_SEQUENCE("open", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, open, &open_schema, 1,
                         OPEN_MAX),
    CYAML_FIELD_SEQUENCE("sites", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, sites, &site_schema, 0,
                         SITES_MAX),
    CYAML_FIELD_SEQUENCE("webhooks", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, webhooks,
                         &webhook_yaml_schema, 0, TELL_WEBHOOKS_MAX),
    CYAML_FIELD_MAPPING_PTR("catalog_keys", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct gateway_yaml, catalog_keys,
                            gf_keys_yaml_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t gateway_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct gateway_yaml, gateway_fields),
};

static int take_duration(const struct gf_yaml *doc, const char *at, const char *text, int64_t fallback_ms,
                         int64_t *ret_ms, struct gf_diag *diag)
{
	*ret_ms = fallback_ms;
	if (text == NULL)
		return 0;
	if (gf_duration_parse(text, ret_ms) != 0 || *ret_ms < GF_DAY_MS)
		return gf_yaml_fail(doc, at, diag, "%s is '%s'; expected a duration of at least a day, such as 30d", at, text);
	return 0;
}

static int zone_failed(const struct gf_yaml *doc, const char *at, int r, const struct gf_diag *found,
                       struct gf_diag *diag)
{
	return r == -ENOMEM ? r : gf_yaml_fail(doc, at, diag, "%.400s", found->text);
}

static int take_open(const struct gf_yaml *doc, const char *at, const struct open_yaml *open, unsigned count,
                     struct calendar *ret_hours, struct gf_diag *diag)
{
	struct calendar hours = {.week = {{0}}};
	struct gf_diag found = {{0}};

	for (unsigned i = 0; i < count; i++) {
		if (calendar_open(&hours, open[i].days, open[i].hours, &found) != 0) {
			char place[64];
			snprintf(place, sizeof(place), "%s[%u]", at, i);
			return gf_yaml_fail(doc, place, diag, "%.400s", found.text);
		}
	}
	*ret_hours = hours;
	return 0;
}

static int take_zones(const struct gf_yaml *doc, const struct gateway_yaml *yaml, struct zones **ret_zones,
                      struct gf_diag *diag)
{
	struct gf_diag found = {{0}};
	struct zones *zones = NULL;
	int r = zones_new(yaml->time_zone, &zones, &found);
	if (r != 0)
		return zone_failed(doc, "time_zone", r, &found, diag);
	for (unsigned i = 0; i < yaml->sites_count; i++) {
		const struct site_yaml *site = &yaml->sites[i];
		char at[40];
		snprintf(at, sizeof(at), "sites[%u].site", i);
		for (unsigned before = 0; before < i; before++)
			if (strcmp(yaml->sites[before].site, site->site) == 0) {
				zones_free(zones);
				return gf_yaml_fail(doc, at, diag, "the site '%s' is there twice", site->site);
			}
		if (site->time_zone == NULL)
			continue;
		snprintf(at, sizeof(at), "sites[%u].time_zone", i);
		r = zones_add(zones, site->site, site->time_zone, &found);
		if (r != 0) {
			zones_free(zones);
			return zone_failed(doc, at, r, &found, diag);
		}
	}
	*ret_zones = zones;
	return 0;
}

static int take_sites(const struct gf_yaml *doc, const struct gateway_yaml *yaml, struct gateway_config *config,
                      struct gf_diag *diag)
{
	struct calendar fallback = calendar_always, hours;
	struct zones *zones = NULL;
	int r = yaml->open != NULL ? take_open(doc, "open", yaml->open, yaml->open_count, &fallback, diag) : 0;

	if (r == 0)
		r = take_zones(doc, yaml, &zones, diag);
	if (r == 0)
		r = sites_new(zones, &fallback, &config->sites);
	for (unsigned i = 0; i < yaml->sites_count && r == 0; i++) {
		const struct site_yaml *site = &yaml->sites[i];
		char at[40];
		snprintf(at, sizeof(at), "sites[%u].open", i);
		hours = fallback;
		if (site->open != NULL)
			r = take_open(doc, at, site->open, site->open_count, &hours, diag);
		if (r == 0)
			r = sites_add(config->sites, site->site, &hours);
	}
	return r;
}

static int take(const struct gf_yaml *doc, const char *path, const struct gateway_yaml *yaml,
                struct gateway_config *config, struct gf_diag *diag)
{
	const struct retention_yaml *retention = &yaml->retention;
	int r;

	config->log_level = gf_log_yaml_level(yaml->log_level);
	config->state_dir = gf_path_beside(path, yaml->state_dir);
	config->socket = gf_path_beside(path, yaml->api.socket);
	config->rules = gf_path_beside(path, yaml->rules != NULL ? yaml->rules : "rules.yaml");
	config->rules_optional = yaml->rules == NULL;
	config->socket_group = yaml->api.group != NULL ? strdup(yaml->api.group) : NULL;
	if (config->state_dir == NULL || config->socket == NULL || config->rules == NULL ||
	    (yaml->api.group != NULL && config->socket_group == NULL) ||
	    asprintf(&config->database, "%s/gymfleet.db", config->state_dir) < 0)
		return -ENOMEM;
	if (strlen(config->socket) > UNIX_PATH_MAX)
		return gf_yaml_fail(doc, "api.socket", diag,
		                    "the socket's path '%s' is longer than %d bytes; choose a shorter one", config->socket,
		                    UNIX_PATH_MAX);
	if ((r = take_duration(doc, "retention.heartbeats", retention->heartbeats, 30 * GF_DAY_MS, &config->keep_raw_ms,
	                       diag)) != 0 ||
	    (r = take_duration(doc, "retention.five_minutes", retention->five_minutes, 180 * GF_DAY_MS,
	                       &config->keep_5min_ms, diag)) != 0 ||
	    (r = take_duration(doc, "retention.hours", retention->hours, 1095 * GF_DAY_MS, &config->keep_hour_ms, diag)) !=
	        0 ||
	    (r = take_sites(doc, yaml, config, diag)) != 0 ||
	    (r = webhooks_take(doc, path, yaml->webhooks, yaml->webhooks_count, &config->webhooks, diag)) != 0 ||
	    (r = gf_keys_config_take(doc, path, yaml->catalog_keys, &config->catalog_keys, diag)) != 0)
		return r;
	config->webhooks_count = yaml->webhooks_count;
	config->link.mailbox_max = 4096;
	config->link.window_max = GF_LINK_WINDOW_MAX;
	config->link.packet_max = (size_t)64 * 1024;
	return gf_link_config_take(doc, path, &yaml->broker, &config->link, diag);
}

int gateway_config_load(const char *path, struct gateway_config **ret_config, struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *yaml = NULL;
	int r = gf_yaml_load(path, &gateway_schema, &doc, &yaml, diag);
	if (r != 0)
		return r;
	struct gateway_config *config = calloc(1, sizeof(*config));
	r = config != NULL ? take(doc, path, yaml, config, diag) : -ENOMEM;
	if (r == -ENOMEM)
		gf_diag_set(diag, "%s: out of memory", path);
	gf_yaml_free(doc);
	if (r != 0) {
		gateway_config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

void gateway_config_free(struct gateway_config *config)
{
	if (config == NULL)
		return;
	free(config->state_dir);
	free(config->database);
	free(config->socket);
	free(config->socket_group);
	free(config->rules);
	gf_link_config_deinit(&config->link);
	sites_free(config->sites);
	roster_free(config->webhooks, config->webhooks_count);
	free(config);
}
