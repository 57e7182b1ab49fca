/* /v1/heartbeats: as the machines sent them, oldest first, flat: what an export or a plot needs. */
#include <stdio.h>

#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "gateway/store/cases.h"
#include "proto/base/span.h"

/* A row has as many values as a page of other lists has rows: more of them in one answer would be a hundred megabytes. */
enum { ROWS_MAX = 2000 };

static const char *const source_words[] = {
#define X(symbol, name) name,
    STORE_TIME_SOURCES(X) NULL
#undef X
};

/* Four values of each sensor, in the order of their list. */
#define SENSOR_FIELDS(symbol, name)                                                                           \
	{name "_min", WHERE_NUMBER, NULL}, {name "_mean", WHERE_NUMBER, NULL}, {name "_max", WHERE_NUMBER, NULL}, \
	    {name "_last", WHERE_NUMBER, NULL},

static const struct where_field fields[] = {{"device", WHERE_TEXT, NULL},
                                            {"time", WHERE_TIME, NULL},
                                            {"time_source", WHERE_TEXT, source_words},
                                            {"interval_s", WHERE_NUMBER, NULL},
                                            {"motor_s", WHERE_NUMBER, NULL},
                                            {"in_session", WHERE_BOOL, NULL},
                                            {"derated", WHERE_BOOL, NULL},
                                            {"odometer_motor_h", WHERE_NUMBER, NULL},
                                            {"sessions", WHERE_NUMBER, NULL},
                                            GF_SENSORS(SENSOR_FIELDS)};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]), FIRST_SENSOR = FIELDS - 4 * (GF_SENSOR_COUNT - 1) };

/* The fields after the first few are four a sensor. */
static void put_sensors(json_t **row, const struct gf_heartbeat *h)
{
	for (size_t s = GF_SENSOR_UNSPECIFIED + 1; s < GF_SENSOR_COUNT; s++) {
		const struct gf_stat *stat = &h->sensors[s];
		const float values[] = {stat->min, stat->mean, stat->max, stat->last};
		for (size_t i = 0; i < 4; i++)
			json_put(row, fields[FIRST_SENSOR + 4 * (s - 1) + i].name,
			         stat->present ? json_measure((double)values[i]) : json_null());
	}
}

static json_t *beat_row(const struct store_beat *beat)
{
	const struct gf_heartbeat *h = &beat->heartbeat;
	json_t *row = json_object();

	json_put(&row, "device", json_string(beat->device));
	json_put(&row, "time", json_time(beat->at_ms));
	json_put(&row, "time_source", json_string(store_time_source_name(beat->time_source)));
	json_put(&row, "interval_s", json_seconds(h->interval_ms));
	json_put(&row, "motor_s", json_seconds(h->motor_ms));
	json_put(&row, "in_session", json_boolean(h->in_session));
	json_put(&row, "derated", json_boolean(h->derated));
	json_put(&row, "odometer_motor_h", json_measure((double)h->odometer.motor_ms / GF_HOUR_MS));
	json_put(&row, "sessions", json_count(h->odometer.sessions));
	put_sensors(&row, h);
	return row;
}

static int keep(void *ctx, const struct store_beat *beat)
{
	struct page *page = ctx;

	if (page_full(page))
		return PAGE_STOP;
	int result = page_add(page, beat_row(beat));
	if (result == 0)
		request_cursor_text(page->cursor, beat->at_ms, beat->seq, beat->device);
	return result;
}

void resource_heartbeats(struct request *r)
{
	struct store_beat_query query = {0};
	struct page page;
	struct gf_diag diag = {{0}};

	if (!request_time(r, "since", &query.since_ms) || !request_time(r, "until", &query.until_ms) ||
	    !request_cursor(r, &query.after_ms, &query.after_seq, &query.after_device) ||
	    !request_device(r, &query.device) || !page_begin(r, fields, FIELDS, &page))
		return;
	page.limit = page.limit < ROWS_MAX ? page.limit : ROWS_MAX;
	page_end(&page, store_read_beats(r->reader, &query, keep, &page, &diag), &diag);
}
