/* /v1/webhooks: who is told what happens, how far each is, and why one doesn't take it. MQTT is the first of them. */
#include <errno.h>

#include "gateway/api/resources.h"
#include "gateway/tell/tell.h"
#include "proto/base/text.h"

static json_t *receiver_row(const struct tell_state *s, uint64_t newest)
{
	json_t *row = json_object();

	json_put(&row, "name", json_string(s->told.receiver));
	json_put(&row, "ok", json_boolean(s->failing_since_ms == 0));
	json_put(&row, "cursor", json_count(s->told.cursor));
	/* Also those that are of no kind that it wants. */
	json_put(&row, "behind", json_count(newest > s->told.cursor ? newest - s->told.cursor : 0));
	json_put(&row, "told", json_count(s->told.told));
	json_put(&row, "summed", json_count(s->told.summed));
	json_put(&row, "missed", json_count(s->told.missed));
	json_put(&row, "passed_over", json_count(s->told.passed_over));
	json_put(&row, "passed_over_last", json_time(s->told.passed_ms));
	json_put(&row, "failures", json_count(s->failures));
	json_put(&row, "failing_since", json_time(s->failing_since_ms));
	json_put(&row, "next_try", json_time(s->next_ms));
	json_put(&row, "error", json_text(s->error));
	return row;
}

void resource_webhooks(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct tell_state states[1 + TELL_WEBHOOKS_MAX];
	uint64_t newest = store_last_event(api_store(r->api));
	size_t count = ops->tell_states(ops->ctx, states, sizeof(states) / sizeof(states[0]));
	json_t *items = json_array();

	for (size_t i = 0; i < count; i++)
		json_push(&items, receiver_row(&states[i], newest));
	request_answer_list(r, items, NULL);
}

void resource_webhooks_reload(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};
	size_t webhooks = 0;
	int result = ops->webhooks_reload(ops->ctx, &r->actor, &webhooks, &diag);

	if (result == 0)
		request_answer(r, json_pack("{s:I}", "webhooks", (json_int_t)webhooks));
	else if (result == -EINVAL)
		request_fail(r, 422, "bad_config", "%s", diag.text);
	else
		request_fail_store(r, result, &diag);
}

static void nobody(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct tell_state states[1 + TELL_WEBHOOKS_MAX];
	const char *names[sizeof(states) / sizeof(states[0])];
	size_t count = ops->tell_states(ops->ctx, states, sizeof(states) / sizeof(states[0]));

	for (size_t i = 0; i < count; i++)
		names[i] = states[i].told.receiver;
	const char *near = gf_nearest(r->id, names, count);
	request_fail(r, 404, "not_found", "nobody called '%s' is told; %s%s%sgymfleet webhooks lists who is", r->id,
	             near != NULL ? "did you mean '" : "", near != NULL ? near : "", near != NULL ? "'? " : "");
}

void resource_webhook_retry(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};
	int result = ops->webhook_retry(ops->ctx, r->id, &r->actor, &diag);

	if (result == 0)
		request_answer(r, json_pack("{s:s}", "name", r->id));
	else if (result == -ENOENT)
		nobody(r);
	else
		request_fail_store(r, result, &diag);
}
