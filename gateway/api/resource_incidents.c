/* /v1/incidents: sites whose machines vanished together, newest first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/api/incident_row.h"
#include "gateway/api/page.h"
#include "gateway/api/resources.h"

static const struct where_field no_fields[] = {{"id", WHERE_NUMBER, NULL}};

struct walk {
	struct page page;
	struct store_incident *rows; /* read before their machines: a reader reads one thing at a time */
	size_t count, room;
};

static int keep(void *ctx, const struct store_incident *incident)
{
	struct walk *w = ctx;

	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct store_incident *rows = reallocarray(w->rows, room, sizeof(*rows));

		if (rows == NULL)
			return -ENOMEM;
		w->rows = rows;
		w->room = room;
	}
	w->rows[w->count++] = *incident;
	return w->count > REQUEST_LIMIT_MAX ? PAGE_STOP : 0;
}

static int add_name(void *ctx, const char *device)
{
	json_t **list = ctx;

	json_push(list, json_string(device));
	return *list != NULL ? 0 : -ENOMEM;
}

static int add_row(struct walk *w, const struct store_incident *i, struct gf_diag *diag)
{
	struct request *r = w->page.request;
	json_t *row = json_object(), *devices = json_array();
	struct health_reason reason = {0};
	int result = store_read_incident_devices(r->reader, i->id, add_name, &devices, diag);

	if (result != 0) {
		json_decref(row);
		json_decref(devices);
		return result;
	}
	incident_say(i, r->now_ms, &reason);
	json_put(&row, "id", json_count(i->id));
	json_put(&row, "site", json_string(i->site));
	json_put(&row, "kind", json_string("vanished"));
	json_put(&row, "machines", json_count(i->machines));
	json_put(&row, "of", json_count(i->of));
	json_put(&row, "opened", json_time(i->opened_ms));
	json_put(&row, "closed", json_time(i->closed_ms));
	json_put(&row, "text", json_string(reason.text));
	json_put(&row, "action", json_text(reason.action));
	json_put(&row, "devices", devices);
	return page_add(&w->page, row);
}

void resource_incidents(struct request *r)
{
	struct store_incident_query query = {0};
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (!request_flag(r, "open", &query.open_only) || !request_time(r, "since", &query.since_ms) ||
	    !request_number(r, "after", 1, INT64_MAX, &query.after_id) || !page_begin(r, no_fields, 1, &w.page))
		return;
	int result = store_read_incidents(r->reader, &query, keep, &w, &diag);
	if (result == PAGE_STOP)
		result = 0;
	for (size_t i = 0; i < w.count && result == 0; i++) {
		if (page_full(&w.page)) {
			result = PAGE_STOP;
			break;
		}
		result = add_row(&w, &w.rows[i], &diag);
		if (result == 0)
			(void)snprintf(w.page.cursor, sizeof(w.page.cursor), "%llu", (unsigned long long)w.rows[i].id);
	}
	page_end(&w.page, result, &diag);
	free(w.rows);
}
