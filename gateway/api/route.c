#include "gateway/api/route.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "proto/base/text.h"

enum { NAME_MAX_SHOWN = 32, NAMES_MAX = 12, NAMES_BYTES = 128 };

static const struct route routes[] = {
    {"GET", "/v1/status", resource_status, "utc_offset_min", 0},
    {"GET", "/v1/devices", resource_devices, "where limit after utc_offset_min", 0},
    {"GET", "/v1/devices/{id}", resource_device, "utc_offset_min", 0},
    {"PATCH", "/v1/devices/{id}", resource_device_patch, "since utc_offset_min", 0},
    {"GET", "/v1/health", resource_health, "where limit after utc_offset_min", 0},
    {"GET", "/v1/devices/{id}/health", resource_device_health, "", 0},
    {"GET", "/v1/sessions", resource_sessions, "device since until where limit after", 0},
    {"GET", "/v1/usage", resource_usage, "by since until utc_offset_min", 0},
    {"GET", "/v1/faults", resource_faults, "device open since until where limit after", 0},
    {"GET", "/v1/faults/occurrences", resource_fault_occurrences, "device open since until where limit after", 0},
    {"GET", "/v1/faults/{n}", resource_fault, "", 0},
    {"POST", "/v1/faults/{n}/ack", resource_fault_ack, "", 0},
    {"POST", "/v1/faults/{n}/clear", resource_fault_clear, "", 0},
    {"GET", "/v1/reliability", resource_reliability, "by since until", 0},
    {"POST", "/v1/devices/{id}/report", resource_device_report, "", 0},
    {"POST", "/v1/devices/{id}/tag", resource_device_tag, "utc_offset_min", 0},
    {"POST", "/v1/devices/{id}/untag", resource_device_untag, "utc_offset_min", 0},
    {"POST", "/v1/devices/{id}/service", resource_device_service, "", 0},
    {"GET", "/v1/devices/{id}/wear", resource_device_wear, "", 0},
    {"GET", "/v1/devices/{id}/series", resource_device_series, "since until", 0},
    {"GET", "/v1/wear", resource_wear, "where limit after", 0},
    {"GET", "/v1/usage/heat", resource_usage_heat, "since until device site", 0},
    {"GET", "/v1/usage/trend", resource_usage_trend, "since until device site", 0},
    {"GET", "/v1/heartbeats", resource_heartbeats, "device since until where limit after", 0},
    {"GET", "/v1/flags", resource_flags, "device open withdrawn since where limit after", 0},
    {"GET", "/v1/flags/{n}", resource_one_flag, "", 0},
    {"POST", "/v1/flags/{n}/ack", resource_flag_ack, "", 0},
    {"GET", "/v1/rules", resource_rules, "where limit after", 0},
    {"POST", "/v1/rules/reload", resource_rules_reload, "", 0},
    {"POST", "/v1/rules/check", resource_rules_check, "name", API_RULES_MAX},
    {"POST", "/v1/subjects/{token}/erase", resource_subject_erase, "", 0},
    {"GET", "/v1/incidents", resource_incidents, "open since limit after", 0},
    {"GET", "/v1/audit", resource_audit, "device", 0},
    {"GET", "/v1/events", resource_events, "after tail wait_s kind device since limit", 0},
    {"GET", "/v1/webhooks", resource_webhooks, "", 0},
    {"POST", "/v1/webhooks/reload", resource_webhooks_reload, "", 0},
    {"POST", "/v1/webhooks/{id}/retry", resource_webhook_retry, "", 0},
    {"GET", "/v1/doctor", resource_doctor, "", 0},
    {"POST", "/v1/devices/{id}/lock", resource_device_lock, "utc_offset_min", 0},
    {"POST", "/v1/devices/{id}/unlock", resource_device_unlock, "utc_offset_min", 0},
    {"POST", "/v1/devices/{id}/limits", resource_device_limits, "utc_offset_min", 0},
    {"POST", "/v1/devices/{id}/stop", resource_device_stop, "", 0},
    {"GET", "/v1/commands/{n}", resource_command, "", 0},
    {"GET", "/v1/catalogs", resource_catalogs, "where limit after", 0},
    {"POST", "/v1/catalogs", resource_catalog_publish, "", GF_CATALOG_MAX},
    {"GET", "/v1/rollouts", resource_rollouts, "where limit after", 0},
    {"POST", "/v1/rollouts", resource_rollout_start, "", 0},
    {"GET", "/v1/rollouts/{n}", resource_rollout, "", 0},
    {"GET", "/v1/rollouts/{n}/devices", resource_rollout_devices, "step where limit after", 0},
    {"POST", "/v1/rollouts/{n}/pause", resource_rollout_pause, "", 0},
    {"POST", "/v1/rollouts/{n}/resume", resource_rollout_resume, "", 0},
    {"POST", "/v1/rollouts/{n}/halt", resource_rollout_halt, "", 0},
    {"POST", "/v1/rollouts/{n}/rollback", resource_rollout_rollback, "", 0},
    {"GET", "/v1/audit/log", resource_audit_log, "since where limit after", 0},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A number, or a catalog's name, '@' and its version: "42", "percussion@8". */
static bool ref_valid(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	const char *digits = at != NULL ? at + 1 : text, *end = text + len;

	if (len >= REQUEST_REF_MAX || at == text || (at != NULL && at - text >= GF_NAME_MAX) || digits == end ||
	    end - digits > 19)
		return false;
	while (digits < end && *digits >= '0' && *digits <= '9')
		digits++;
	return digits == end && gf_utf8_valid(text, len);
}

static bool token_valid(const char *text, size_t len)
{
	uint64_t token;
	char hex[2 * sizeof(token) + 1];

	if (len != 2 * sizeof(token))
		return false;
	memcpy(hex, text, len);
	hex[len] = '\0';
	return gf_unhex(hex, &token, sizeof(token)) == 0;
}

/* Does the path match; the segment at the hole is copied, "" when it isn't what may stand there. */
static bool matches(const char *pattern, const char *path, struct request *r)
{
	const char *hole = strchr(pattern, '{');
	size_t before = hole != NULL ? (size_t)(hole - pattern) : 0;

	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	const char *segment = path + before;
	size_t len = strcspn(segment, "/");
	if (len == 0 || strcmp(strchr(hole, '}') + 1, segment + len) != 0)
		return false;
	bool is_id = strncmp(hole, "{id}", 4) == 0, is_token = strncmp(hole, "{token}", 7) == 0;
	bool valid = is_id ? gf_id_valid(segment, len) : is_token ? token_valid(segment, len) : ref_valid(segment, len);
	size_t kept = valid ? len : 0;
	char *to = is_id ? r->id : r->ref;
	memcpy(to, segment, kept);
	to[kept] = '\0';
	return true;
}

/* Says what may stand in the path where something else does. */
static bool hole_filled(struct request *r, const struct route *route)
{
	if (strstr(route->pattern, "{id}") != NULL && r->id[0] == '\0')
		request_fail(r, 400, "bad_id", "an id has small letters, digits and '-', at most 63");
	else if (strstr(route->pattern, "{n}") != NULL && r->ref[0] == '\0')
		request_fail(r, 400, "bad_id", "expected a number (12), or a catalog and its version (percussion@8)");
	else if (strstr(route->pattern, "{token}") != NULL && r->ref[0] == '\0')
		request_fail(r, 400, "bad_id", "a token has 16 hex digits, as the flags show it");
	return r->status == 0;
}

const struct route *route_find(struct request *r, const char *method, const char *path, char ret_allow[static 64])
{
	char *allow = ret_allow;

	*allow = '\0';
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (!matches(routes[i].pattern, path, r))
			continue;
		if (strcmp(routes[i].method, method) != 0) {
			allow = stpcpy(stpcpy(allow, *ret_allow != '\0' ? ", " : ""), routes[i].method);
			continue;
		}
		return hole_filled(r, &routes[i]) ? &routes[i] : NULL;
	}
	if (*ret_allow != '\0')
		request_fail(r, 405, "bad_method", "%.16s is not possible here; %s is", method, ret_allow);
	else
		request_fail(r, 404, "not_found", "there is nothing at this path; the API begins with /v1/status");
	return NULL;
}

/* The names a route takes, cut apart in `bytes`. */
static size_t split(const char *params, char bytes[static NAMES_BYTES], const char *ret_names[static NAMES_MAX])
{
	size_t count = 0;
	char *rest = NULL;

	(void)gf_strcpy(bytes, NAMES_BYTES, params);
	for (char *name = strtok_r(bytes, " ", &rest); name != NULL && count < NAMES_MAX; name = strtok_r(NULL, " ", &rest))
		ret_names[count++] = name;
	return count;
}

static bool known(struct request *r, const struct route *route, const char *name)
{
	char bytes[NAMES_BYTES];
	const char *names[NAMES_MAX];
	size_t count = split(route->params, bytes, names);

	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	const char *near = gf_nearest(name, names, count);
	if (near != NULL)
		request_fail(r, 400, "unknown_parameter", "unknown parameter '%.*s'; did you mean '%s'?", NAME_MAX_SHOWN, name,
		             near);
	else
		request_fail(r, 400, "unknown_parameter", "unknown parameter '%.*s'; %s%s", NAME_MAX_SHOWN, name,
		             count > 0 ? "possible are: " : "none is possible here", route->params);
	return false;
}

void route_param(struct request *r, const struct route *route, const char *name, const char *value, size_t len)
{
	if (!gf_utf8_valid(name, strlen(name)) || !gf_utf8_valid(value, len)) {
		request_fail(r, 400, "bad_parameter", "%s is not UTF-8", name);
		return;
	}
	if (!known(r, route, name))
		return;
	if (request_param(r, name) != NULL) {
		request_fail(r, 400, "bad_parameter", "%s is given twice", name);
		return;
	}
	struct request_param param = {.name = strdup(name), .value = strdup(value)};
	if (param.name == NULL || param.value == NULL || r->params_count == REQUEST_PARAMS_MAX) {
		free(param.name);
		free(param.value);
		request_answer(r, NULL);
		return;
	}
	r->params[r->params_count++] = param;
}
