/* /v1/subjects/{token}/erase: forgets what the store has of a person. What is answered and logged never has the token. */
#include <inttypes.h>
#include <stdlib.h>

#include "gateway/api/body.h"
#include "gateway/api/resources.h"

void resource_subject_erase(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct store_erased erased = {0};
	struct gf_diag diag = {{0}};
	uint64_t token = strtoull(r->ref, NULL, 16);
	json_t *body = body_take(r, NULL, 0, NULL);

	if (body == NULL)
		return;
	json_decref(body);
	if (token == 0) {
		request_fail(r, 400, "bad_id", "a token of zeros is nobody's");
		return;
	}
	int result = ops->subject_erase(ops->ctx, token, &r->actor, &erased, &diag);
	if (result != 0)
		request_fail_store(r, result, &diag);
	else
		request_answer(r, json_pack("{s:I, s:I, s:I, s:I}", "sessions", (json_int_t)erased.sessions, "flags",
		                            (json_int_t)erased.flags, "events", (json_int_t)erased.events, "quarantined",
		                            (json_int_t)erased.quarantined));
}
