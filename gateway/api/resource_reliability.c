/* /v1/reliability: how often and for how long machines fail, by machine or class. */
#include <errno.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "gateway/store/cases.h"
#include "proto/base/span.h"

static int keep(void *ctx, const struct store_reliability *row)
{
	json_t **items = ctx, *item = json_object();
	double motor_h = (double)row->motor_ms / GF_HOUR_MS, cases = (double)row->cases;

	json_put(&item, "key", json_string(row->key));
	json_put(&item, "machines", json_count(row->machines));
	json_put(&item, "cases", json_count(row->cases));
	json_put(&item, "occurrences", json_count(row->occurrences));
	json_put(&item, "motor_h", json_measure(motor_h));
	json_put(&item, "mtbf_motor_h", row->cases > 0 ? json_measure(motor_h / cases) : json_null());
	json_put(&item, "down_s", json_seconds(row->down_ms));
	json_put(&item, "repair_mean_s",
	         row->cases > 0 ? json_measure((double)row->down_ms / 1000.0 / cases) : json_null());
	json_push(items, item);
	return *items != NULL ? 0 : -ENOMEM;
}

void resource_reliability(struct request *r)
{
	const char *by = request_param(r, "by");
	bool by_class = by != NULL && strcmp(by, "class") == 0;
	int64_t since_ms = 0, until_ms = r->now_ms;
	struct gf_diag diag = {{0}};

	if (by != NULL && !by_class && strcmp(by, "device") != 0) {
		request_fail(r, 400, "bad_parameter", "by is '%s'; it may be device or class", by);
		return;
	}
	if (!request_time(r, "since", &since_ms) || !request_time(r, "until", &until_ms))
		return;
	json_t *items = json_array();
	int result = store_read_reliability(r->reader, by_class, since_ms, until_ms, keep, &items, &diag);
	if (result == 0) {
		request_answer_list(r, items, NULL);
	} else {
		json_decref(items);
		request_fail_store(r, result, &diag);
	}
}
