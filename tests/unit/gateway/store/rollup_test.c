/* The rollups of a batch: more buckets than there is room for, batches that are taken back, sensors that are not there. */
#include <stdio.h>

#include "tests/unit/gateway/store/fixture.h"

enum { DEVICES = 24, BEATS = 60, EVERY_MIN = 10 };

struct sum {
	size_t buckets;
	uint64_t covered_ms;
	double temp_min, temp_max;
	bool has_pressure;
};

static int add(void *ctx, const struct store_bucket *b)
{
	struct sum *sum = ctx;
	const struct gf_stat *temp = &b->sensors[GF_SENSOR_MOTOR_TEMP_C];

	assert_true(temp->present);
	sum->temp_min = sum->buckets == 0 || (double)temp->min < sum->temp_min ? (double)temp->min : sum->temp_min;
	sum->temp_max = sum->buckets == 0 || (double)temp->max > sum->temp_max ? (double)temp->max : sum->temp_max;
	sum->has_pressure |= b->sensors[GF_SENSOR_PRESSURE_MMHG].present;
	sum->covered_ms += b->covered_ms;
	sum->buckets++;
	return 0;
}

static struct sum series(struct fixture *f, const char *id, unsigned span_s)
{
	struct sum sum = {0};
	assert_int_equal(store_read_series(f->reader, id, span_s, 0, NOON + DAY, add, &sum, NULL), 0);
	return sum;
}

static void apply(struct fixture *f, const char *id, struct gf_record *records, size_t count)
{
	struct gf_report report = {
	    .stream = stream_id(1), .first_seq = records[0].seq, .records = records, .records_count = count};
	struct gf_ack ack;
	assert_int_equal(store_apply_report(f->store, id, &report, NULL, NOON, &ack, NULL), 0);
	assert_int_equal(ack.through_seq, records[count - 1].seq);
}

/* Up to noon: each ten minutes later and a degree warmer. */
static void fill(struct gf_record *records, uint64_t first_seq)
{
	for (uint64_t i = 0; i < BEATS; i++)
		records[i] = heartbeat(first_seq + i, NOON - (int64_t)((BEATS - i) * EVERY_MIN) * MINUTE, (float)(20 + i));
}

static void i8_a_batch_of_more_buckets_than_room_loses_none(void **state)
{
	struct fixture *f = *state;
	struct gf_record records[BEATS];
	char id[32];

	assert_int_equal(store_begin(f->store, NULL), 0);
	for (int d = 0; d < DEVICES; d++) {
		snprintf(id, sizeof(id), "chair-%d", d);
		fill(records, 1);
		apply(f, id, records, BEATS);
		fill(records, 1 + BEATS); /* the same minutes again: the buckets are merged */
		apply(f, id, records, BEATS);
	}
	assert_int_equal(store_commit(f->store, NULL), 0);
	for (int d = 0; d < DEVICES; d++) {
		snprintf(id, sizeof(id), "chair-%d", d);
		struct sum five = series(f, id, 300), hours = series(f, id, 3600), days = series(f, id, 86400);
		assert_int_equal(five.buckets, BEATS);
		assert_int_equal(hours.buckets, BEATS * EVERY_MIN / 60);
		assert_int_equal(days.buckets, 1);
		assert_int_equal(five.covered_ms, 2 * BEATS * MINUTE);
		assert_int_equal(hours.covered_ms, five.covered_ms);
		assert_int_equal(days.covered_ms, five.covered_ms);
		assert_true(days.temp_min <= 20 && days.temp_max >= 20 + BEATS - 1);
		assert_false(days.has_pressure);
	}
}

static void a_batch_that_is_taken_back_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_record records[BEATS];

	fill(records, 1);
	assert_int_equal(store_begin(f->store, NULL), 0);
	apply(f, "chair-1", records, BEATS);
	store_rollback(f->store);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(series(f, "chair-1", 86400).buckets, 0);

	send_report(f, "chair-1", 1, records, BEATS, NOON);
	assert_int_equal(series(f, "chair-1", 86400).covered_ms, BEATS * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i8_a_batch_of_more_buckets_than_room_loses_none, fixture_setup,
	                                    fixture_teardown),
	    cmocka_unit_test_setup_teardown(a_batch_that_is_taken_back_leaves_nothing, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
