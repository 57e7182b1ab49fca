/* /v1/flags: overuse that the rules found, newest first; one of them; a named person has seen it. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/api/body.h"
#include "gateway/api/flag_row.h"
#include "gateway/api/page.h"
#include "gateway/api/resources.h"

struct walk {
	struct page page;
	struct fleet fleet; /* by key */
};

static int keep(void *ctx, const struct store_flag *flag)
{
	struct walk *w = ctx;

	if (page_full(&w->page))
		return PAGE_STOP;
	int result = page_add(&w->page, flag_row(flag, &w->fleet));
	if (result == 0)
		request_cursor_row_text(w->page.cursor, flag->episode.opened_ms, flag->id);
	return result;
}

static int read_fleet(struct request *r, struct fleet *ret_fleet, struct gf_diag *diag)
{
	int result = fleet_read(r->reader, ret_fleet, diag);

	fleet_by_key(ret_fleet);
	return result;
}

void resource_flags(struct request *r)
{
	struct store_flag_query query = {0};
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (!request_flag(r, "open", &query.open_only) || !request_flag(r, "withdrawn", &query.with_withdrawn) ||
	    !request_time(r, "since", &query.since_ms) || !request_cursor_row(r, &query.after_opened_ms, &query.after_id) ||
	    !request_device(r, &query.device) || !page_begin(r, flag_fields, flag_fields_count, &w.page))
		return;
	int result = read_fleet(r, &w.fleet, &diag);
	if (result == 0)
		result = store_read_flags(r->reader, &query, keep, &w, &diag);
	page_end(&w.page, result, &diag);
	fleet_deinit(&w.fleet);
}

/* ---- one of them ---- */

static void fail_missing(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -ENOENT)
		request_fail(r, 404, "not_found", "there is no flag %s; `gymfleet overuse --since 30d` lists them", r->ref);
	else
		request_fail_store(r, result, diag);
}

struct one {
	struct fleet fleet;
	json_t *row;
	char device[GF_ID_MAX]; /* that it is about; "" = none */
};

static int keep_one(void *ctx, const struct store_flag *flag)
{
	struct one *one = ctx;

	json_decref(one->row);
	one->row = flag_row(flag, &one->fleet);
	(void)gf_strcpy(one->device, sizeof(one->device), flag->device);
	return one->row != NULL ? 0 : -ENOMEM;
}

/* What became of it: also that the machine stays locked by something else, after this flag let it go. */
static int put_acked(struct request *r, struct one *one, const struct store_acked *acked, struct gf_diag *diag)
{
	struct store_desired now = {0};
	int result = acked->lifted ? store_read_desired_of(r->reader, one->device, &now, diag) : 0;

	if (result != 0 && result != -ENOENT)
		return result;
	json_put(&one->row, "acked_before", acked_before(acked));
	json_put(&one->row, "lifted", json_boolean(acked->lifted));
	json_put(&one->row, "still_locked", now.desired.locked ? json_text(now.desired.lock_reason) : json_null());
	return 0;
}

/* `acked` NULL: it is only asked for. */
static void show(struct request *r, uint64_t id, const struct store_acked *acked)
{
	struct store_flag_query query = {.id = id, .with_withdrawn = true};
	struct one one = {0};
	struct gf_diag diag = {{0}};
	int result = id != 0 ? read_fleet(r, &one.fleet, &diag) : -ENOENT;

	if (result == 0)
		result = store_read_flags(r->reader, &query, keep_one, &one, &diag);
	if (result == 0 && one.row == NULL)
		result = -ENOENT;
	if (result == 0 && acked != NULL)
		result = put_acked(r, &one, acked, &diag);
	if (result == 0) {
		request_answer(r, one.row);
	} else {
		json_decref(one.row);
		fail_missing(r, result, &diag);
	}
	fleet_deinit(&one.fleet);
}

void resource_one_flag(struct request *r)
{
	uint64_t id;

	if (request_number_of(r, "flag", &id))
		show(r, id, NULL);
}

void resource_flag_ack(struct request *r)
{
	static const struct body_key keys[] = {{"note", BODY_TEXT, STORE_NOTE_MAX, true}, {"release", BODY_FLAG, 0, false}};
	const struct api_ops *ops = api_ops_of(r->api);
	const json_t *values[2];
	struct store_acked acked;
	struct gf_diag diag = {{0}};
	uint64_t id;

	if (!request_number_of(r, "flag", &id))
		return;
	json_t *body = body_take(r, keys, 2, values);
	if (body == NULL)
		return;
	int result = ops->flag_ack(ops->ctx, id, body_text(values[0]), json_is_true(values[1]), &r->actor, &acked, &diag);
	if (result == 0)
		show(r, id, &acked);
	else
		fail_missing(r, result, &diag);
	json_decref(body);
}
