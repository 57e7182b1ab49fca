/* /v1/faults: faults as cases, those raised last first; a named person has seen one, or clears it; damage is reported. */
#include <errno.h>

#include "gateway/api/body.h"
#include "gateway/api/case_row.h"
#include "gateway/api/flag_row.h"
#include "gateway/api/page.h"
#include "gateway/api/resources.h"

struct walk {
	struct page page;
	int64_t until_ms; /* 0 = no end */
};

static int keep(void *ctx, const struct store_case *c)
{
	struct walk *w = ctx;

	if (page_full(&w->page))
		return PAGE_STOP;
	bool later = w->until_ms != 0 && c->last_ms >= w->until_ms;
	int result = later ? 0 : page_add(&w->page, case_row(c, w->page.request->now_ms));
	if (result == 0)
		request_cursor_row_text(w->page.cursor, c->last_ms, c->id);
	return result;
}

void resource_faults(struct request *r)
{
	struct store_case_query query = {0};
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (request_flag(r, "open", &query.open_only) && request_time(r, "since", &query.since_ms) &&
	    request_time(r, "until", &w.until_ms) && request_cursor_row(r, &query.after_last_ms, &query.after_id) &&
	    request_device(r, &query.device) && page_begin(r, case_fields, case_fields_count, &w.page))
		page_end(&w.page, store_read_cases(r->reader, &query, keep, &w, &diag), &diag);
}

/* ---- one of them ---- */

static void fail_missing(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -ENOENT)
		request_fail(r, 404, "not_found", "there is no fault %s; `gymfleet faults` lists them", r->ref);
	else
		request_fail_store(r, result, diag);
}

struct one {
	json_t *row;
	int64_t now_ms;
};

static int keep_one(void *ctx, const struct store_case *c)
{
	struct one *one = ctx;

	json_decref(one->row);
	one->row = case_row(c, one->now_ms);
	return one->row != NULL ? 0 : -ENOMEM;
}

/* `acked` NULL: nobody acknowledged it with this. */
static void show(struct request *r, uint64_t id, const struct store_acked *acked)
{
	struct store_case_query query = {.id = id};
	struct one one = {.now_ms = r->now_ms};
	struct gf_diag diag = {{0}};
	int result = id != 0 ? store_read_cases(r->reader, &query, keep_one, &one, &diag) : -ENOENT;

	if (acked != NULL && one.row != NULL)
		json_put(&one.row, "acked_before", acked_before(acked));
	if (result == 0 && one.row != NULL) {
		request_answer(r, one.row);
	} else {
		json_decref(one.row);
		fail_missing(r, result != 0 ? result : -ENOENT, &diag);
	}
}

void resource_fault(struct request *r)
{
	uint64_t id;

	if (request_number_of(r, "fault", &id))
		show(r, id, NULL);
}

static void change(struct request *r, bool clears)
{
	const struct api_ops *ops = api_ops_of(r->api);

	static const struct body_key keys[] = {{"note", BODY_TEXT, STORE_NOTE_MAX, true}};
	const json_t *values[1];
	struct store_acked acked;
	struct gf_diag diag = {{0}};
	uint64_t id;

	if (!request_number_of(r, "fault", &id))
		return;
	json_t *body = body_take(r, keys, 1, values);
	if (body == NULL)
		return;
	const char *note = body_text(values[0]);
	int result = clears ? ops->case_clear(ops->ctx, id, note, &r->actor, &diag)
	                    : ops->case_ack(ops->ctx, id, note, &r->actor, &acked, &diag);
	if (result == 0)
		show(r, id, clears ? NULL : &acked);
	else
		fail_missing(r, result, &diag);
	json_decref(body);
}

void resource_fault_ack(struct request *r)
{
	change(r, false);
}

void resource_fault_clear(struct request *r)
{
	change(r, true);
}
