/* A machine's row: what it keeps from running, how its insides are, and what of an old heartbeat is no longer told. */
#include "gateway/api/device_row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOON INT64_C(1795176000000)
#define MINUTE INT64_C(60000)

static struct store_device chair(void)
{
	return (struct store_device){
	    .id = "chair-1",
	    .born = true,
	    .online = true,
	    .clock_synced = true,
	    .clock_since_ms = NOON,
	    .last_record_ms = NOON,
	    .has_heartbeat = true,
	    .heartbeat_ms = NOON - MINUTE,
	    .heartbeat = {.interval_ms = 60000,
	                  .duty_ms = 12 * 60000,
	                  .duty_max_ms = 30 * 60000,
	                  .tick_p99_us = 90,
	                  .tick_worst_us = 400,
	                  .tick_overruns = 1,
	                  .bus_timeouts = 4,
	                  .bus_crc_errors = 3,
	                  .bus_exceptions = 2,
	                  .bus_reconnects = 1},
	};
}

static json_t *row_of(const struct store_device *d,
                      json_t *(*make)(const struct store_device *, const struct device_health *))
{
	struct device_health health;

	device_judge(d, &(struct device_view){.now_ms = NOON}, &health);
	json_t *row = make(d, &health);
	assert_non_null(row);
	return row;
}

static void expect(const json_t *object, const char *key, const char *json)
{
	char *got = json_dumps(json_object_get(object, key), JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(got);
	assert_string_equal(got, json);
	free(got);
}

static void duty_is_told_while_it_is_new_and_there_is_a_limit(void **state)
{
	struct store_device d = chair();
	json_t *row = row_of(&d, device_row);

	(void)state;
	expect(row, "duty_s", "720.0");
	expect(row, "duty_max_s", "1800.0");
	json_decref(row);
	d.heartbeat_ms = NOON - 60 * MINUTE;
	row = row_of(&d, device_row);
	expect(row, "duty_s", "null");
	json_decref(row);
	d = chair();
	d.heartbeat.duty_max_ms = 0;
	row = row_of(&d, device_row);
	expect(row, "duty_s", "null");
	expect(row, "duty_max_s", "null");
	json_decref(row);
}

static void a_rest_is_told_until_its_time(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.rest_since_ms = NOON - MINUTE;
	d.rest_until_ms = NOON + 10 * MINUTE;
	json_t *row = row_of(&d, device_row);
	expect(row, "resting", "true");
	expect(row, "rest_until", "\"2026-11-20T12:10:00Z\"");
	expect(row, "health", "\"attention\"");
	expect(row, "out_of_service", "false");
	json_decref(row);
	d.rest_until_ms = NOON;
	row = row_of(&d, device_row);
	expect(row, "resting", "false");
	expect(row, "rest_until", "null");
	expect(row, "health", "\"ok\"");
	json_decref(row);
}

static void a_latch_puts_out_of_service_with_the_machines_words(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.open_faults = 1;
	d.open[0] = (struct store_fault){.code = GF_FAULT_STALL,
	                                 .severity = GF_SEVERITY_LATCH,
	                                 .raised_ms = NOON,
	                                 .observed = NAN,
	                                 .limit = NAN,
	                                 .detail = "three stalls"};
	json_t *row = row_of(&d, device_detail);
	expect(row, "out_of_service", "true");
	expect(row, "health", "\"critical\"");
	const json_t *reason = json_array_get(json_object_get(row, "reasons_list"), 0);
	expect(reason, "code", "\"out_of_service\"");
	assert_non_null(strstr(json_string_value(json_object_get(reason, "text")), "three stalls"));
	json_decref(row);
	d.open[0].severity = GF_SEVERITY_STOP;
	row = row_of(&d, device_row);
	expect(row, "out_of_service", "false");
	json_decref(row);
}

static void the_detail_has_closed_areas_tick_and_bus(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.closed_count = 1;
	d.closed[0] = (struct store_closed){GF_AREA_CALVES, GF_SIDE_LEFT, NOON - MINUTE, NOON + 1439 * MINUTE, true};
	json_t *row = row_of(&d, device_detail);
	expect(row, "closed_areas",
	       "[{\"area\":\"calves\",\"for_one_person\":true,\"side\":\"left\",\"since\":\"2026-11-20T11:59:00Z\","
	       "\"until\":\"2026-11-21T11:59:00Z\"}]");
	expect(row, "tick", "{\"overruns\":1,\"p99_us\":90,\"worst_us\":400}");
	expect(row, "bus", "{\"crc_errors\":3,\"exceptions\":2,\"reconnects\":1,\"timeouts\":4}");
	expect(row, "health", "\"ok\""); /* worth knowing, no more */
	expect(row, "reasons", "1");
	json_decref(row);
	d.has_heartbeat = false;
	row = row_of(&d, device_detail);
	expect(row, "tick", "null");
	expect(row, "bus", "null");
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(duty_is_told_while_it_is_new_and_there_is_a_limit),
	    cmocka_unit_test(a_rest_is_told_until_its_time),
	    cmocka_unit_test(a_latch_puts_out_of_service_with_the_machines_words),
	    cmocka_unit_test(the_detail_has_closed_areas_tick_and_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
