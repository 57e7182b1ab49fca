#include "gateway/api/route.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "proto/base/text.h"

enum { NAME_MAX_SHOWN = 32, NAMES_MAX = 12, NAMES_BYTES = 128 };

static const struct route routes[] = {
    {"GET", "/v1/status", resource_status, "utc_offset_min", false},
    {"GET", "/v1/devices", resource_devices, "where limit after utc_offset_min", false},
    {"GET", "/v1/devices/{id}", resource_device, "utc_offset_min", false},
    {"PATCH", "/v1/devices/{id}", resource_device_patch, "utc_offset_min", true},
    {"GET", "/v1/health", resource_health, "where limit after utc_offset_min", false},
    {"GET", "/v1/devices/{id}/health", resource_device_health, "", false},
    {"GET", "/v1/sessions", resource_sessions, "device since until where limit after", false},
    {"GET", "/v1/usage", resource_usage, "by since until utc_offset_min", false},
    {"GET", "/v1/faults", resource_faults, "device open since until where limit after", false},
    {"GET", "/v1/audit", resource_audit, "device", false},
    {"GET", "/v1/events", resource_events, "after tail wait_s kind device since limit", false},
    {"GET", "/v1/doctor", resource_doctor, "", false},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Does the path match; the segment at {id} is copied, "" when it is no id. */
static bool matches(const char *pattern, const char *path, char ret_id[static GF_ID_MAX])
{
	const char *hole = strstr(pattern, "{id}");
	size_t before = hole != NULL ? (size_t)(hole - pattern) : 0;

	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	size_t len = strcspn(path + before, "/");
	if (len == 0 || strcmp(hole + strlen("{id}"), path + before + len) != 0)
		return false;
	bool valid = gf_id_valid(path + before, len);
	memcpy(ret_id, path + before, valid ? len : 0);
	ret_id[valid ? len : 0] = '\0';
	return true;
}

const struct route *route_find(struct request *r, const char *method, const char *path, char ret_allow[static 64])
{
	char *allow = ret_allow;

	*allow = '\0';
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (!matches(routes[i].pattern, path, r->id))
			continue;
		if (strcmp(routes[i].method, method) != 0) {
			allow = stpcpy(stpcpy(allow, *ret_allow != '\0' ? ", " : ""), routes[i].method);
			continue;
		}
		if (strstr(routes[i].pattern, "{id}") != NULL && r->id[0] == '\0') {
			request_fail(r, 400, "bad_id", "a machine's id has small letters, digits and '-', at most 63");
			return NULL;
		}
		return &routes[i];
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
		request_fail(r, 400, "bad_parameter", "a parameter that is not UTF-8");
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
