/* /v1/wear: what each part of each machine has behind it and when it is due; /v1/devices/{id}/wear: one machine with its services. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/api/fleet.h"
#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "gateway/api/unknown.h"
#include "gateway/api/wear_row.h"

/* ---- the fleet ---- */

struct walk {
	struct page page;
	struct fleet fleet; /* by id */
	struct wear_plans plans;
	char after[GF_ID_MAX]; /* the cursor: this machine's part was the last; "" = from the start */
	enum fact_part after_part;
};

/* "chair-berlin-01:head" */
static bool take_cursor(struct request *r, struct walk *w)
{
	const char *text = request_param(r, "after"), *colon = text != NULL ? strchr(text, ':') : NULL;

	if (text == NULL)
		return true;
	if (colon == NULL || !gf_id_valid(text, (size_t)(colon - text)) ||
	    fact_part_parse(colon + 1, &w->after_part) != 0) {
		request_fail(r, 400, "bad_parameter", "after is not a 'next' of an earlier answer");
		return false;
	}
	memcpy(w->after, text, (size_t)(colon - text));
	w->after[colon - text] = '\0';
	return true;
}

static const struct wear_part *part_of(const struct wear *wear, enum fact_part part)
{
	for (size_t i = 0; i < wear->count; i++)
		if (wear->parts[i].part == part)
			return &wear->parts[i];
	return NULL;
}

/* By part, not by how worn each is: that changes between two pages. */
static int add_parts(struct walk *w, const struct store_machine *m, const struct wear *wear, unsigned first)
{
	for (unsigned p = first; p < FACT_PART_COUNT; p++) {
		const struct wear_part *part = part_of(wear, (enum fact_part)p);
		if (part == NULL)
			continue;
		if (page_full(&w->page))
			return PAGE_STOP;
		int result = page_add(&w->page, wear_row(m, part));
		if (result != 0)
			return result;
		(void)snprintf(w->page.cursor, sizeof(w->page.cursor), "%s:%s", m->id, fact_part_name(part->part));
	}
	return 0;
}

static int walk_fleet(struct walk *w, struct gf_diag *diag)
{
	struct request *r = w->page.request;
	int result = 0;

	for (size_t i = 0; i < w->fleet.count && result == 0; i++) {
		const struct store_machine *m = &w->fleet.machines[i];
		int order = strcmp(m->id, w->after);
		struct store_wear counted;
		struct wear wear;
		struct wear_pace pace;
		if (order < 0)
			continue;
		result = store_read_wear(r->reader, m->id, &counted, diag);
		if (result != 0)
			break;
		wear_of_machine(&w->plans, m, &counted, r->now_ms, &wear, &pace);
		result = add_parts(w, m, &wear, order == 0 ? w->after_part + 1U : 0);
	}
	return result;
}

void resource_wear(struct request *r)
{
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (!take_cursor(r, &w) || !page_begin(r, wear_fields, wear_fields_count, &w.page))
		return;
	int result = wear_plans_read(api_ops_of(r->api), &w.plans);
	if (result == 0)
		result = fleet_read(r->reader, &w.fleet, &diag);
	if (result == 0)
		result = walk_fleet(&w, &diag);
	page_end(&w.page, result, &diag);
	fleet_deinit(&w.fleet);
	wear_plans_deinit(&w.plans);
}

/* ---- one machine ---- */

static int keep_service(void *ctx, const struct store_service *s)
{
	json_t **list = ctx, *row = json_object();

	json_put(&row, "part", json_string(fact_part_name(s->part)));
	json_put(&row, "at", json_time(s->at_ms));
	json_put(&row, "by", json_text(s->by));
	json_put(&row, "note", json_text(s->note));
	json_push(list, row);
	return *list != NULL ? 0 : -ENOMEM;
}

static const struct store_machine *find(const struct fleet *fleet, const char *id)
{
	for (size_t i = 0; i < fleet->count; i++)
		if (strcmp(fleet->machines[i].id, id) == 0)
			return &fleet->machines[i];
	return NULL;
}

static int detail(struct request *r, const struct store_machine *m, const struct wear_plans *plans, json_t **ret_row,
                  struct gf_diag *diag)
{
	struct store_wear counted;
	struct wear wear;
	struct wear_pace pace;
	json_t *services = json_array();
	int result = store_read_wear(r->reader, m->id, &counted, diag);

	if (result == 0)
		result = store_read_services(r->reader, m->id, keep_service, &services, diag);
	if (result != 0) {
		json_decref(services);
		return result;
	}
	wear_of_machine(plans, m, &counted, r->now_ms, &wear, &pace);
	*ret_row = wear_detail(m, &wear, &pace);
	json_put(ret_row, "services", services);
	return 0;
}

void resource_device_wear(struct request *r)
{
	struct fleet fleet = {0};
	struct wear_plans plans = {0};
	struct gf_diag diag = {{0}};
	json_t *row = NULL;
	int result = wear_plans_read(api_ops_of(r->api), &plans);

	if (result == 0)
		result = fleet_read(r->reader, &fleet, &diag);
	const struct store_machine *m = result == 0 ? find(&fleet, r->id) : NULL;
	if (m != NULL)
		result = detail(r, m, &plans, &row, &diag);
	if (result != 0)
		request_fail_store(r, result, &diag);
	else if (m == NULL)
		unknown_machine(r, r->id);
	else
		request_answer(r, row);
	fleet_deinit(&fleet);
	wear_plans_deinit(&plans);
}
