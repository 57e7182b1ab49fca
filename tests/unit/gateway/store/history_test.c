/* What is told of the past: when things happened, what is newest, sessions, faults, usage, rollups, retention. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

static int last_session(void *ctx, const struct store_session *session)
{
	*(struct store_session *)ctx = *session;
	return 0;
}

/* The oldest session of the device. */
static struct store_session get_session(struct fixture *f)
{
	struct store_session s = {0};

	assert_int_equal(
	    store_read_sessions(f->reader, &(struct store_session_query){.device = ID}, last_session, &s, NULL), 0);
	return s;
}

/* ---- event time ---- */

static void a_synchronised_clock_is_believed(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, NOON - 3 * DAY);

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(get_session(f).started_ms, NOON - 3 * DAY - 100000);
	assert_int_equal(get_session(f).ended_ms, NOON - 3 * DAY);
	assert_int_equal(get_session(f).time_source, STORE_TIME_DEVICE);
}

static void without_a_clock_boot_and_uptime_place_it(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 1, 1);
	struct gf_record r = session(1, 1, 0);

	st.uptime_ms = 2 * HOUR;
	st.clock_synced = false;
	send_status(f, ID, st, false, NOON);
	r.clock_synced = r.session_ended.started_clock_synced = false;
	r.session_ended.started_uptime_ms = HOUR;
	send_report(f, ID, 1, &r, 1, NOON + HOUR);
	assert_int_equal(get_session(f).started_ms, NOON - HOUR);
	assert_int_equal(get_session(f).time_source, STORE_TIME_ESTIMATED);
}

static void with_neither_it_is_when_it_was_received(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, 0);

	r.clock_synced = r.session_ended.started_clock_synced = false;
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(get_session(f).ended_ms, NOON);
	assert_int_equal(get_session(f).time_source, STORE_TIME_RECEIVED);
}

static void a_clock_in_the_future_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, NOON + 400 * DAY);

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(get_session(f).ended_ms, NOON);
	assert_int_equal(get_session(f).time_source, STORE_TIME_RECEIVED);
}

/* ---- the present ---- */

static void a_backlog_does_not_touch_the_present(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(2, 1, 1);
	struct gf_record old = heartbeat(1, NOON - 7 * DAY, 66);
	struct store_device d;

	st.odometer = (struct gf_odometer){.motor_ms = 500 * MINUTE, .sessions = 500};
	st.next_seq = 3;
	gf_strcpy(st.catalog, sizeof(st.catalog), "chair");
	st.catalog_version = 8;
	send_status(f, ID, st, false, NOON);
	old.clock_synced = true;
	old.heartbeat.odometer = (struct gf_odometer){.motor_ms = 5 * MINUTE, .sessions = 5};
	send_report(f, ID, 1, &old, 1, NOON);
	d = get_device(f, ID, NOON);
	assert_int_equal(d.odometer.motor_ms, 500 * MINUTE);
	assert_int_equal(d.catalog_version, 8);
	assert_int_equal(d.last_record_ms, NOON - 7 * DAY);
	assert_int_equal(d.last_seen_ms, NOON);
	assert_int_equal(d.heartbeat_ms, NOON - 7 * DAY);
}

static int take_bucket(void *ctx, const struct store_bucket *bucket)
{
	struct store_bucket **next = ctx;

	*(*next)++ = *bucket;
	return 0;
}

static size_t get_series(struct fixture *f, unsigned span_s, struct store_bucket *buckets)
{
	struct store_bucket *next = buckets;

	assert_int_equal(store_read_series(f->reader, ID, span_s, 0, 0, take_bucket, &next, NULL), 0);
	return (size_t)(next - buckets);
}

static void late_heartbeats_fall_in_their_own_buckets(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {heartbeat(1, NOON - 2 * DAY, 30), heartbeat(2, NOON - 2 * DAY + MINUTE, 60),
	                         heartbeat(3, NOON, 50), record(4, GF_RECORD_HEARTBEAT, NOON + MINUTE)};
	struct store_bucket b[8];
	const struct gf_stat *t = &b[0].sensors[GF_SENSOR_MOTOR_TEMP_C];

	rs[1].heartbeat.interval_ms = 30000;
	rs[3].heartbeat.interval_ms = 60000;
	send_report(f, ID, 1, rs, 4, NOON + MINUTE);
	assert_int_equal(get_series(f, 300, b), 2);
	assert_int_equal(b[0].start_ms, NOON - 2 * DAY);
	assert_int_equal(b[0].covered_ms, 90000);
	/* 60 s at 30 and 30 s at 60. */
	assert_true(fabsf(t->mean - 40.0f) < 0.001f);
	assert_true(t->min == 29.0f && t->max == 61.0f);
	assert_int_equal(b[1].start_ms, NOON);
	assert_int_equal(b[1].covered_ms, 120000);
	assert_true(b[1].sensors[GF_SENSOR_MOTOR_TEMP_C].mean == 50.0f);
	assert_false(b[0].sensors[GF_SENSOR_CURRENT_MA].present);
	assert_int_equal(get_series(f, 3600, b), 2);
	assert_int_equal(get_series(f, 86400, b), 2);
	assert_int_equal(b[0].start_ms, NOON - 2 * DAY - 12 * HOUR);
}

static void raw_heartbeats_go_rollups_and_the_newest_stay(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {heartbeat(1, NOON - 30 * DAY, 30), heartbeat(2, NOON - 29 * DAY, 30),
	                         heartbeat(3, NOON - 28 * DAY, 33)};
	struct store_bucket b[8];
	bool more = true;

	send_report(f, ID, 1, rs, 3, NOON);
	for (int i = 0; more && i < 10; i++)
		assert_int_equal(store_maintain(f->store, NOON, 2, &more, NULL), 0);
	assert_false(more);
	assert_true(get_device(f, ID, NOON).has_heartbeat);
	assert_int_equal(get_device(f, ID, NOON).heartbeat_ms, NOON - 28 * DAY);
	assert_int_equal(get_series(f, 300, b), 3);
	more = true;
	for (int i = 0; more && i < 10; i++)
		assert_int_equal(store_maintain(f->store, NOON + 100 * DAY, 2, &more, NULL), 0);
	assert_int_equal(get_series(f, 300, b), 0);
	assert_int_equal(get_series(f, 3600, b), 3);
}

/* ---- sessions ---- */

static void a_running_session_is_shown_and_completed(void **state)
{
	struct fixture *f = *state;
	struct gf_record start = started(1, 1, NOON - 100000), end = session(2, 1, NOON);
	struct store_session s;

	send_report(f, ID, 1, &start, 1, NOON);
	s = get_session(f);
	assert_true(s.running);
	assert_int_equal(s.ended_ms, 0);
	assert_int_equal(get_device(f, ID, NOON).running_session, 1);
	send_report(f, ID, 1, &end, 1, NOON);
	s = get_session(f);
	assert_false(s.running);
	assert_int_equal(s.outcome, GF_OUTCOME_COMPLETED);
	assert_int_equal(s.areas_count, 2);
	assert_int_equal(s.areas[1].side, GF_SIDE_RIGHT);
	assert_int_equal(count_sessions(f, ID), 1);
}

static void i9_no_session_runs_for_ever(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {started(1, 1, NOON), started(2, 2, NOON + HOUR), session(3, 2, NOON + 2 * HOUR)};

	send_report(f, ID, 1, rs, 3, NOON + 2 * HOUR);
	assert_int_equal(count_sessions(f, ID), 1);
	assert_int_equal(get_session(f).session_no, 2);
	assert_int_equal(get_device(f, ID, NOON).running_session, 0);
}

struct page {
	size_t count, max;
	struct store_session last;
};

static int take_page(void *ctx, const struct store_session *session)
{
	struct page *page = ctx;

	page->last = *session;
	return ++page->count == page->max ? 1 : 0;
}

static void paging_visits_every_session_once(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[5];
	struct store_session_query query = {0};
	struct page page = {.max = 3};
	size_t total = 0;
	int64_t before = INT64_MAX;
	char device[GF_ID_MAX];

	for (uint64_t i = 0; i < 5; i++)
		rs[i] = session(i + 1, i + 1, NOON + (int64_t)i * HOUR);
	send_report(f, ID, 1, rs, 5, NOON + 5 * HOUR);
	send_report(f, "chair-2", 1, rs, 5, NOON + 5 * HOUR);
	do {
		page.count = 0;
		assert_true(store_read_sessions(f->reader, &query, take_page, &page, NULL) >= 0);
		total += page.count;
		assert_true(page.last.started_ms <= before);
		before = page.last.started_ms;
		gf_strcpy(device, sizeof(device), page.last.device);
		query.after_started_ms = page.last.started_ms;
		query.after_device = device;
		query.after_session_no = page.last.session_no;
	} while (page.count == page.max && total < 50);
	assert_int_equal(total, 10);
}

/* ---- usage ---- */

static int take_usage(void *ctx, const struct store_usage *usage)
{
	struct store_usage **next = ctx;

	*(*next)++ = *usage;
	return 0;
}

static size_t get_usage_at(struct fixture *f, enum store_usage_key by, int64_t utc_offset_ms, struct store_usage *rows)
{
	struct store_usage *next = rows;

	assert_int_equal(store_read_usage(f->reader, by, 0, 0, utc_offset_ms, take_usage, &next, NULL), 0);
	return (size_t)(next - rows);
}

static size_t get_usage(struct fixture *f, enum store_usage_key by, struct store_usage *rows)
{
	return get_usage_at(f, by, 0, rows);
}

static void usage_by_every_key(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON + HOUR), started(3, 3, NOON + 2 * HOUR)};
	struct store_usage u[8];

	rs[1].session_ended.outcome = GF_OUTCOME_USER_STOPPED;
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_report(f, ID, 1, rs, 3, NOON + 2 * HOUR);
	for (unsigned by = 0; by < STORE_USAGE_COUNT; by++) {
		size_t rows = get_usage(f, (enum store_usage_key)by, u);

		assert_int_equal(rows, by == STORE_USAGE_HOUR || by == STORE_USAGE_OUTCOME ? 2 : 1);
		if (by == STORE_USAGE_HOUR || by == STORE_USAGE_AREA || by == STORE_USAGE_OUTCOME)
			continue;
		assert_int_equal(u[0].sessions, 2);
		assert_int_equal(u[0].running_ms, 2 * 90000);
		assert_int_equal(u[0].motor_ms, 2 * MINUTE);
		assert_int_equal(u[0].completed, 1);
		assert_int_equal(u[0].stopped, 1);
		assert_int_equal(u[0].interrupted, 0);
	}
	get_usage(f, STORE_USAGE_AREA, u);
	assert_string_equal(u[0].key, "calves");
	assert_int_equal(u[0].sessions, 2);
	assert_int_equal(u[0].running_ms, 4 * 30000);
	get_usage(f, STORE_USAGE_HOUR, u);
	assert_string_equal(u[0].key, "11");
	get_usage(f, STORE_USAGE_DAY, u);
	assert_string_equal(u[0].key, "2026-11-20");
	get_usage(f, STORE_USAGE_WEEK, u);
	assert_string_equal(u[0].key, "2026-W47");
	get_usage(f, STORE_USAGE_OUTCOME, u);
	assert_string_equal(u[0].key, "completed");
	assert_int_equal(u[1].stopped, 1);
	assert_string_equal(u[1].key, "user_stopped");
	/* By the clock on the wall, in India, on Samoa and in Hawaii. */
	get_usage_at(f, STORE_USAGE_HOUR, 11 * HOUR / 2, u);
	assert_string_equal(u[0].key, "17");
	get_usage_at(f, STORE_USAGE_DAY, 13 * HOUR, u);
	assert_string_equal(u[0].key, "2026-11-21");
	get_usage_at(f, STORE_USAGE_HOUR, -10 * HOUR, u);
	assert_string_equal(u[0].key, "1");
	get_usage(f, STORE_USAGE_CLASS, u);
	assert_string_equal(u[0].key, "chair");
}

static void i10_a_pause_longer_than_its_session_spoils_no_sum(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON + HOUR)};
	struct store_usage u[8];

	rs[1].session_ended.paused_ms = UINT32_MAX;
	send_report(f, ID, 1, rs, 2, NOON + 2 * HOUR);
	assert_int_equal(get_usage(f, STORE_USAGE_DEVICE, u), 1);
	assert_int_equal(u[0].sessions, 2);
	assert_int_equal(u[0].running_ms, 90000);
}

/* ---- faults ---- */

static int take_fault(void *ctx, const struct store_fault *x)
{
	struct store_fault **next = ctx;

	*(*next)++ = *x;
	return 0;
}

static size_t get_faults(struct fixture *f, bool open_only, struct store_fault *rows)
{
	struct store_fault_query query = {.device = ID, .open_only = open_only};
	struct store_fault *next = rows;

	assert_int_equal(store_read_faults(f->reader, &query, take_fault, &next, NULL), 0);
	return (size_t)(next - rows);
}

static struct gf_record clear(uint64_t seq, uint64_t no, enum gf_fault code, int64_t at_ms)
{
	struct gf_record r = record(seq, GF_RECORD_FAULT_CLEARED, at_ms);

	r.fault_cleared =
	    (struct gf_fault_cleared){.fault_no = no, .code = code, .by = GF_CLEARED_BY_STAFF, .lasted_ms = 5000};
	return r;
}

static void faults_open_and_clear(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_INFO, NOON),
	                         fault(2, 2, GF_FAULT_ESTOP, GF_SEVERITY_LATCH, NOON + MINUTE),
	                         clear(3, 1, GF_FAULT_STALL, NOON + 2 * MINUTE)};
	struct store_fault got[8];
	struct store_device d;

	send_report(f, ID, 1, rs, 2, NOON);
	d = get_device(f, ID, NOON);
	assert_int_equal(d.open_faults, 2);
	assert_int_equal(d.open[0].code, GF_FAULT_ESTOP);
	send_report(f, ID, 1, rs, 3, NOON);
	assert_int_equal(get_device(f, ID, NOON).open_faults, 1);
	assert_int_equal(get_faults(f, false, got), 2);
	assert_int_equal(got[0].fault_no, 2);
	assert_int_equal(got[1].cleared_ms, NOON + 2 * MINUTE);
	assert_int_equal(got[1].cleared_by, GF_CLEARED_BY_STAFF);
	assert_int_equal(get_faults(f, true, got), 1);
}

static void a_clear_whose_raise_was_lost_tells_the_whole_fault(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = clear(1, 7, GF_FAULT_LEAK, NOON);
	struct store_fault got[8];

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(get_faults(f, false, got), 1);
	assert_int_equal(got[0].raised_ms, NOON - 5000);
	assert_int_equal(got[0].cleared_ms, NOON);
	assert_int_equal(get_device(f, ID, NOON).open_faults, 0);
}

static void i9_a_wiped_machine_leaves_no_fault_open_for_ever(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON);
	struct gf_record b = fault(1, 1, GF_FAULT_ESTOP, GF_SEVERITY_STOP, NOON + HOUR);
	struct store_device d;

	send_report(f, ID, 1, &a, 1, NOON);
	send_report(f, ID, 2, &b, 1, NOON + HOUR);
	d = get_device(f, ID, NOON);
	assert_int_equal(d.open_faults, 1);
	assert_int_equal(d.open[0].code, GF_FAULT_ESTOP);
}

/* ---- quarantine ---- */

static void i8_quarantine_is_bounded_and_counted(void **state)
{
	struct fixture *f = *state;
	int bytes[16] = {0};
	struct store_stats stats;

	assert_int_equal(store_begin(f->store, NULL), 0);
	for (int i = 0; i < STORE_QUARANTINE_KEPT + 50; i++) {
		bytes[15] = i;
		assert_int_equal(store_quarantine(f->store, ID, "report", "garbage", bytes, sizeof(bytes), NOON + i, NULL), 0);
	}
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.quarantined, STORE_QUARANTINE_KEPT + 50);
	assert_int_equal(stats.quarantine_kept, STORE_QUARANTINE_KEPT);
	/* One event a minute and device, not one for each. */
	assert_int_equal(stats.events_last, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_synchronised_clock_is_believed),
	    TEST(without_a_clock_boot_and_uptime_place_it),
	    TEST(with_neither_it_is_when_it_was_received),
	    TEST(a_clock_in_the_future_is_not_believed),
	    TEST(a_backlog_does_not_touch_the_present),
	    TEST(late_heartbeats_fall_in_their_own_buckets),
	    TEST(raw_heartbeats_go_rollups_and_the_newest_stay),
	    TEST(a_running_session_is_shown_and_completed),
	    TEST(i9_no_session_runs_for_ever),
	    TEST(paging_visits_every_session_once),
	    TEST(usage_by_every_key),
	    TEST(i10_a_pause_longer_than_its_session_spoils_no_sum),
	    TEST(faults_open_and_clear),
	    TEST(a_clear_whose_raise_was_lost_tells_the_whole_fault),
	    TEST(i9_a_wiped_machine_leaves_no_fault_open_for_ever),
	    TEST(i8_quarantine_is_bounded_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
