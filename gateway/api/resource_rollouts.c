/* /v1/rollouts: start one, look at them, order one to pause, resume, halt or roll back. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "gateway/api/rollout_json.h"
#include "gateway/api/rollout_spec.h"
#include "proto/base/text.h"

/* ---- the list ---- */

static int keep(void *ctx, const struct store_rollout *rollout)
{
	struct page *page = ctx;

	if (page_full(page))
		return PAGE_STOP;
	int result = page_add(page, rollout_json_row(rollout));
	if (result == 0)
		(void)snprintf(page->cursor, sizeof(page->cursor), "%" PRIu64, rollout->rollout.id);
	return result;
}

void resource_rollouts(struct request *r)
{
	struct page page;
	struct gf_diag diag = {{0}};
	uint64_t before = 0;

	if (request_number(r, "after", 1, INT64_MAX, &before) && page_begin(r, rollout_fields, rollout_fields_count, &page))
		page_end(&page, store_read_rollouts(r->reader, before, keep, &page, &diag), &diag);
}

/* ---- one of them ---- */

struct search {
	char catalog[GF_NAME_MAX];
	uint64_t version, id;
};

static int look(void *ctx, const struct store_rollout *rollout)
{
	struct search *s = ctx;

	if (rollout->rollout.spec.version != s->version || strcmp(rollout->rollout.spec.catalog, s->catalog) != 0)
		return 0;
	s->id = rollout->rollout.id;
	return PAGE_STOP;
}

/* The number that stands in the path, or that of the newest rollout of NAME@VERSION. */
static bool find(struct request *r, uint64_t *ret_id)
{
	const char *at = strchr(r->ref, '@');
	struct search search = {.version = strtoull(at != NULL ? at + 1 : r->ref, NULL, 10)};
	struct gf_diag diag = {{0}};

	if (at == NULL) {
		*ret_id = search.version;
		return true;
	}
	(void)snprintf(search.catalog, sizeof(search.catalog), "%.*s", (int)(at - r->ref), r->ref);
	int result = store_read_rollouts(r->reader, 0, look, &search, &diag);
	if (result != 0 && result != PAGE_STOP)
		request_fail_store(r, result, &diag);
	else if (search.id == 0)
		request_fail(r, 404, "not_found", "there is no rollout of %s; `gymfleet rollout list` lists them", r->ref);
	*ret_id = search.id;
	return r->status == 0;
}

static void fail_missing(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -ENOENT)
		request_fail(r, 404, "not_found", "there is no rollout %s; `gymfleet rollout list` lists them", r->ref);
	else
		request_fail_store(r, result, diag);
}

/* Why nothing moves, where the rollout itself doesn't know: who hears nobody judges nobody. */
static void say_held(const struct request *r, struct rollout *rollout)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct api_facts facts = {0};

	ops->facts(ops->ctx, &facts);
	if (facts.rollouts_held && !rollout_state_ends(rollout->state))
		(void)gf_strcpy(rollout->reason, sizeof(rollout->reason),
		                facts.broker_connected
		                    ? "stands still: the gateway was away, and machines first tell what happened meanwhile"
		                    : "stands still: the gateway hears no machine; see 'gymfleet doctor'");
}

static void show(struct request *r, uint64_t id)
{
	struct store_rollout *rollout = calloc(1, sizeof(*rollout));
	struct gf_diag diag = {{0}};
	int result = rollout != NULL ? store_read_rollout(r->reader, id, rollout, &diag) : -ENOMEM;

	if (result != 0)
		fail_missing(r, result, &diag);
	else {
		say_held(r, &rollout->rollout);
		request_answer(r, rollout_json_detail(rollout));
	}
	free(rollout);
}

void resource_rollout(struct request *r)
{
	uint64_t id;

	if (find(r, &id))
		show(r, id);
}

/* ---- its machines ---- */

/* "failed,expired" into bits. */
static bool take_steps(struct request *r, uint32_t *ret_steps)
{
	static const char *const names[] = {
#define X(s, n) n,
	    ROLLOUT_STEPS(X)
#undef X
	};
	const char *text = request_param(r, "step");
	uint32_t steps = 0;

	while (text != NULL && *text != '\0') {
		char word[32];
		size_t len = strcspn(text, ","), i = 0;
		(void)snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1), text);
		while (i < ROLLOUT_STEP_COUNT && strcmp(names[i], word) != 0)
			i++;
		if (i == ROLLOUT_STEP_COUNT) {
			const char *near = gf_nearest(word, names, ROLLOUT_STEP_COUNT);
			request_fail(
			    r, 400, "bad_parameter", "step is '%s'; %s%s%s", word, near != NULL ? "did you mean '" : "it may be ",
			    near != NULL
			        ? near
			        : "waiting, absent, offered, "
			          "installed, confirmed, failed, expired, missed, withdrawn, left, reverting, reverted or stuck",
			    near != NULL ? "'?" : "");
			return false;
		}
		steps |= UINT32_C(1) << i;
		text += len + (text[len] == ',');
	}
	*ret_steps = steps;
	return true;
}

/* "2:chair-berlin-01": the last machine of the page before. */
static bool take_cursor(struct request *r, uint32_t *ret_wave, const char **ret_device)
{
	const char *text = request_param(r, "after");
	char *end = NULL;

	if (text == NULL)
		return true;
	unsigned long wave = strtoul(text, &end, 10);
	if (end == text || *end != ':' || wave > ROLLOUT_WAVES_MAX || !gf_id_valid(end + 1, strlen(end + 1))) {
		request_fail(r, 400, "bad_parameter", "after is not a 'next' of an earlier answer");
		return false;
	}
	*ret_wave = (uint32_t)wave;
	*ret_device = end + 1;
	return true;
}

static int keep_device(void *ctx, const struct rollout_device *device)
{
	struct page *page = ctx;

	if (page_full(page))
		return PAGE_STOP;
	int result = page_add(page, rollout_json_device(device));
	if (result == 0)
		(void)snprintf(page->cursor, sizeof(page->cursor), "%" PRIu32 ":%s", device->wave, device->id);
	return result;
}

static bool exists(struct request *r, uint64_t id)
{
	struct store_rollout *rollout = calloc(1, sizeof(*rollout));
	struct gf_diag diag = {{0}};
	int result = rollout != NULL ? store_read_rollout(r->reader, id, rollout, &diag) : -ENOMEM;

	free(rollout);
	if (result != 0)
		fail_missing(r, result, &diag);
	return result == 0;
}

void resource_rollout_devices(struct request *r)
{
	struct page page;
	struct gf_diag diag = {{0}};
	const char *after = "";
	uint32_t steps = 0, wave = 0;
	uint64_t id;

	if (find(r, &id) && take_steps(r, &steps) && take_cursor(r, &wave, &after) && exists(r, id) &&
	    page_begin(r, rollout_device_fields, rollout_device_fields_count, &page))
		page_end(&page, store_read_rollout_devices(r->reader, id, wave, after, steps, keep_device, &page, &diag),
		         &diag);
}

/* ---- what a person wants of it ---- */

void resource_rollout_start(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct rollout_spec *spec = calloc(1, sizeof(*spec));
	json_t *body = request_body(r);
	struct gf_diag diag = {{0}};
	uint64_t id = 0;
	size_t machines = 0;
	int result = spec != NULL ? 0 : -ENOMEM;

	if (result == 0 && body != NULL)
		result = rollout_spec_read(body, spec, &diag);
	if (result == 0 && body != NULL)
		result = ops->rollout_start(ops->ctx, spec, &r->actor, &id, &machines, &diag);
	if (result != 0)
		request_fail_store(r, result, &diag);
	else if (body != NULL)
		request_answer_as(r, 201, json_pack("{s:I, s:I}", "id", (json_int_t)id, "machines", (json_int_t)machines));
	json_decref(body);
	free(spec);
}

static void order(struct request *r, enum rollout_order what)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};
	uint64_t id;

	if (!find(r, &id))
		return;
	int result = ops->rollout_order(ops->ctx, id, what, &r->actor, &diag);
	if (result == -EINVAL)
		request_fail(r, 409, "not_allowed", "%s", diag.text); /* not in this state: the request itself is right */
	else if (result != 0)
		fail_missing(r, result, &diag);
	else
		show(r, id);
}

void resource_rollout_pause(struct request *r)
{
	order(r, ROLLOUT_ORDER_PAUSE);
}

void resource_rollout_resume(struct request *r)
{
	order(r, ROLLOUT_ORDER_RESUME);
}

void resource_rollout_halt(struct request *r)
{
	order(r, ROLLOUT_ORDER_HALT);
}

void resource_rollout_rollback(struct request *r)
{
	order(r, ROLLOUT_ORDER_ROLLBACK);
}
