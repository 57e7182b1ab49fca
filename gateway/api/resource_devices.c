/* /v1/devices, /v1/health: all machines or one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/device_row.h"
#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "gateway/api/unknown.h"
#include "proto/base/text.h"

/* A walk over the machines, by id. */
struct walk {
	struct page page;
	struct device_view view;
	const char *after;
	bool health_only;
};

static int keep(void *ctx, const struct store_device *device)
{
	struct walk *w = ctx;
	struct device_health health;

	if (w->after != NULL && strcmp(device->id, w->after) <= 0)
		return 0;
	if (page_full(&w->page))
		return PAGE_STOP;
	device_judge(device, &w->view, &health);
	size_t before = json_array_size(w->page.items);
	int result = page_add(&w->page, device_row(device, &health));
	if (result != 0)
		return result;
	/* The filter knows every field of the row, whatever of it is shown. */
	if (w->health_only && json_array_size(w->page.items) > before &&
	    json_array_set_new(w->page.items, before, device_health_row(device, &health)) != 0)
		return -ENOMEM;
	(void)gf_strcpy(w->page.cursor, sizeof(w->page.cursor), device->id);
	return 0;
}

static void list(struct request *r, bool health_only)
{
	struct store_device_query query = {.now_ms = r->now_ms, .today_ms = r->today_ms};
	struct walk w = {.after = request_param(r, "after"), .health_only = health_only};
	struct gf_diag diag = {{0}};

	if (!page_begin(r, device_fields, device_fields_count, &w.page))
		return;
	int result = device_view_of(r, &w.view);
	if (result == 0)
		result = store_read_devices(r->reader, &query, keep, &w, &diag);
	page_end(&w.page, result, &diag);
	device_view_deinit(&w.view);
}

void resource_devices(struct request *r)
{
	list(r, false);
}

void resource_health(struct request *r)
{
	list(r, true);
}

typedef json_t *(*show_fn)(const struct store_device *device, const struct device_health *health);

/* `before`, unless it is NULL: what hung on it before this request. */
static void one(struct request *r, show_fn show, const struct store_tag *before)
{
	struct store_device_query query = {.device = r->id, .now_ms = r->now_ms, .today_ms = r->today_ms};
	struct store_device *device = calloc(1, sizeof(*device));
	struct device_view view = {0};
	struct device_health health;
	struct gf_diag diag = {{0}};

	int result = device != NULL ? device_view_of(r, &view) : -ENOMEM;
	if (result == 0)
		result = store_read_device(r->reader, &query, device, &diag);
	if (result == 0) {
		device_judge(device, &view, &health);
		json_t *row = show(device, &health);
		if (before != NULL)
			json_put(&row, "tag_before", device_tag(before));
		request_answer(r, row);
	} else if (result == -ENOENT) {
		unknown_machine(r, r->id);
	} else {
		request_fail_store(r, result, &diag);
	}
	device_view_deinit(&view);
	free(device);
}

void resource_device(struct request *r)
{
	one(r, device_detail, NULL);
}

void resource_device_tagged(struct request *r, const struct store_tag *before)
{
	one(r, device_detail, before);
}

void resource_device_health(struct request *r)
{
	one(r, device_health_row, NULL);
}

/* One value of the body into the change: a text sets it, null takes it back. */
static bool take(struct request *r, const char *key, const json_t *value, struct store_device_change *change)
{
	static const char *const keys[] = {"name", "site", "zone", "bay"};
	const char **const places[] = {&change->name, &change->site, &change->zone, &change->bay};
	const size_t count = sizeof(keys) / sizeof(keys[0]);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i], key) != 0)
			continue;
		if (json_is_null(value)) {
			*places[i] = "";
		} else if (json_is_string(value) && json_string_length(value) < GF_NAME_MAX) {
			*places[i] = json_string_value(value);
		} else {
			request_fail(r, 400, "bad_value", "%s must be a text of at most %d bytes, or null", key, GF_NAME_MAX - 1);
			return false;
		}
		return true;
	}
	const char *near = gf_nearest(key, keys, count);
	request_fail(r, 400, "bad_value", "unknown key '%.64s'%s%s%s; it may be name, site, zone or bay", key,
	             near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
	return false;
}

/* Since when it is at the site: only with one, and not in the time to come. */
static void take_since(struct request *r, struct store_device_change *change)
{
	if (r->status != 0 || request_param(r, "since") == NULL || !request_time(r, "since", &change->site_since_ms))
		return;
	if (change->site == NULL)
		request_fail(r, 400, "bad_parameter", "since is since when a machine is at its site: give the site, too");
	else if (change->site_since_ms > r->now_ms || change->site_since_ms <= 0)
		request_fail(r, 400, "bad_parameter", "since is not a time up to now");
}

void resource_device_patch(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct store_device_change change = {0};
	struct gf_diag diag = {{0}};
	const char *key;
	json_t *value, *body = request_body(r);

	if (body != NULL && json_object_size(body) == 0)
		request_fail(r, 400, "bad_body", "expected a JSON object with name, site, zone or bay");
	json_object_foreach(body, key, value)
	{
		if (r->status != 0 || !take(r, key, value, &change))
			break;
	}
	take_since(r, &change);
	if (r->status == 0) {
		int result = ops->device_set(ops->ctx, r->id, &change, &r->actor, &diag);
		if (result == 0)
			resource_device(r);
		else if (result == -ENOENT)
			unknown_machine(r, r->id);
		else
			request_fail_store(r, result, &diag);
	}
	json_decref(body);
}
