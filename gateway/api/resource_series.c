/* /v1/devices/{id}/series: a machine's sensors over time, from the rollups, oldest first: whether a motor gets hotter week by week. */
#include "gateway/api/resources.h"
#include "proto/base/span.h"

/* Up to so long a range is told in steps of so many seconds: those of the rollups, a few hundred in an answer. */
static const struct {
	int64_t range_ms;
	unsigned span_s;
} spans[] = {{GF_DAY_MS + GF_DAY_MS / 12, 300}, {15 * GF_DAY_MS, 3600}, {INT64_MAX, 86400}};

static void put_sensor(json_t **row, const char *keys[static 3], const struct gf_stat *stat)
{
	const float values[] = {stat->min, stat->mean, stat->max};

	for (size_t i = 0; i < 3; i++)
		json_put(row, keys[i], stat->present ? json_measure((double)values[i]) : json_null());
}

static int keep(void *ctx, const struct store_bucket *bucket)
{
#define KEYS(symbol, name) {name "_min", name "_mean", name "_max"},
	static const char *keys[][3] = {GF_SENSORS(KEYS)};
#undef KEYS
	_Static_assert(sizeof(keys) / sizeof(keys[0]) == GF_SENSOR_COUNT - 1, "every sensor has its keys");
	json_t **items = ctx, *row = json_object();

	json_put(&row, "start", json_time(bucket->start_ms));
	json_put(&row, "covered_s", json_seconds(bucket->covered_ms));
	json_put(&row, "motor_s", json_seconds(bucket->motor_ms));
	for (size_t s = GF_SENSOR_UNSPECIFIED + 1; s < GF_SENSOR_COUNT; s++)
		put_sensor(&row, keys[s - 1], &bucket->sensors[s]);
	json_push(items, row);
	return *items == NULL ? 1 : 0;
}

void resource_device_series(struct request *r)
{
	int64_t since_ms = r->now_ms - GF_DAY_MS, until_ms = r->now_ms;
	json_t *items, *answer;
	struct gf_diag diag = {{0}};
	size_t span = 0;

	if (!request_time(r, "since", &since_ms) || !request_time(r, "until", &until_ms) || !request_path_device(r))
		return;
	while (until_ms - since_ms > spans[span].range_ms)
		span++;
	/* The step in which the range begins counts as a whole. */
	since_ms -= since_ms % (spans[span].span_s * INT64_C(1000));
	items = json_array();
	int result = store_read_series(r->reader, r->id, spans[span].span_s, since_ms, until_ms, keep, &items, &diag);
	if (result < 0) {
		json_decref(items);
		request_fail_store(r, result, &diag);
		return;
	}
	answer = json_object();
	json_put(&answer, "span_s", json_count(spans[span].span_s));
	json_put(&answer, "since", json_time(since_ms));
	json_put(&answer, "until", json_time(until_ms));
	json_put(&answer, "items", items);
	request_answer(r, answer);
}
