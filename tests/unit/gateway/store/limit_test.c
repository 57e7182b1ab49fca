/* Rules that acted on a machine: told as events; the rest and the closed areas that follow; what is latched. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/sqlite/schema.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"
#define REST (15 * MINUTE)

static struct gf_record hit(uint64_t seq, int64_t at_ms, const char *rule, const char *action, int64_t lasts_ms)
{
	struct gf_record r = record(seq, GF_RECORD_LIMIT_HIT, at_ms);

	gf_strcpy(r.limit_hit.rule, GF_NAME_MAX, rule);
	gf_strcpy(r.limit_hit.action, GF_NAME_MAX, action);
	r.limit_hit.observed = r.limit_hit.limit = 1800;
	r.limit_hit.lasts_ms = (uint32_t)lasts_ms;
	return r;
}

static struct gf_record hurt(uint64_t seq, int64_t at_ms, const char *action, enum gf_area area, enum gf_side side)
{
	struct gf_record r = hit(seq, at_ms, "P8", action, DAY);

	r.limit_hit.area = area;
	r.limit_hit.side = side;
	return r;
}

static struct gf_record rests(uint64_t seq, int64_t at_ms, int64_t left_ms)
{
	struct gf_record r = heartbeat(seq, at_ms, 40);

	r.heartbeat.rest_left_ms = (uint32_t)left_ms;
	return r;
}

static void send_one(struct fixture *f, uint8_t stream, struct gf_record r)
{
	assert_int_equal(send_report(f, ID, stream, &r, 1, NOON + DAY).through_seq, r.seq);
}

static void expect_rest(struct fixture *f, int64_t since_ms, int64_t until_ms)
{
	struct store_device d = get_device(f, ID, NOON);

	assert_int_equal(d.rest_since_ms, since_ms);
	assert_int_equal(d.rest_until_ms, until_ms);
}

/* ---- events ---- */

static int take_event(void *ctx, const struct store_event *e)
{
	*(struct store_event *)ctx = *e;
	return 0;
}

static void expect_event(struct fixture *f, struct gf_record r, const char *text)
{
	struct store_event_query query = {.kinds = UINT32_C(1) << STORE_EVENT_LIMIT};
	struct store_event last = {0};

	send_one(f, 1, r);
	assert_int_equal(store_read_events(f->reader, &query, take_event, &last, NULL), 0);
	assert_string_equal(last.text, text);
	assert_string_equal(last.code, r.limit_hit.rule);
	assert_int_equal(last.ref, r.limit_hit.session_no);
	assert_string_equal(last.device, ID);
}

static void every_limit_hit_is_told_with_its_numbers(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = hit(1, NOON, "D1", "stop", REST);

	r.limit_hit.session_no = 12;
	expect_event(f, r, "limit D1 (run without rest): stop, 30 min of at most 30 min, rests for 15 min, session 12");
	r = hit(2, NOON, "P1", "skip_step", 0);
	r.limit_hit.area = GF_AREA_CALVES;
	r.limit_hit.side = GF_SIDE_LEFT;
	r.limit_hit.observed = r.limit_hit.limit = 180;
	expect_event(f, r, "limit P1 (time on an area): skip_step on calves left, 180 s of at most 180 s");
	r = hit(3, NOON, "P6", "clamp", 0);
	r.limit_hit.area = GF_AREA_QUADS;
	r.limit_hit.observed = 65;
	r.limit_hit.limit = 60;
	expect_event(f, r, "limit P6 (too much too early): clamp on quads, 65 % of at most 60 %");
	r = hit(4, NOON, "P6", "clamp", 0);
	r.limit_hit.observed = 2.5f;
	r.limit_hit.limit = 1;
	expect_event(f, r, "limit P6 (too much too early): clamp, 2.5 %/s of at most 1 %/s");
	r = hurt(5, NOON, "clamp", GF_AREA_CALVES, GF_SIDE_LEFT);
	r.limit_hit.observed = 45;
	r.limit_hit.limit = 30;
	r.limit_hit.lasts_ms = 240000;
	expect_event(f, r, "limit P8 (pain): clamp on calves left at 45 %, now at most 30 %, for 4 min");
	r.seq = 6;
	gf_strcpy(r.limit_hit.action, GF_NAME_MAX, "stop");
	r.limit_hit.lasts_ms = DAY;
	expect_event(f, r, "limit P8 (pain): stop on calves left at 45 %, closed for 24 h");
	r = hurt(7, NOON, "skip_step", GF_AREA_CALVES, GF_SIDE_LEFT);
	r.limit_hit.observed = r.limit_hit.limit = 0;
	expect_event(f, r, "limit P8 (pain): skip_step on calves left, closed for 24 h");
	r = hit(8, NOON, "X9", "warn", 1000);
	r.limit_hit.observed = NAN;
	expect_event(f, r, "limit X9: warn, for 1 s");
	r = hit(9, NOON, "D1", "stop", 0);
	r.limit_hit.observed = INFINITY;
	expect_event(f, r, "limit D1 (run without rest): stop, 106751991167 d of at most 30 min");
	r = hit(10, NOON, "D1", "warn", 0);
	r.limit_hit.observed = r.limit_hit.limit = 1200;
	expect_event(f, r, "limit D1 (run without rest): warn, 20 min, warns from 20 min");
}

/* ---- rest ---- */

static void a_rest_ends_when_it_was_to_end(void **state)
{
	struct fixture *f = *state;

	send_one(f, 1, hit(1, NOON, "D1", "warn", 0));
	expect_rest(f, 0, 0);
	send_one(f, 1, hit(2, NOON, "D1", "stop", REST));
	expect_rest(f, NOON, NOON + REST);
	/* Nearly the same end: the one that was told stays. */
	send_one(f, 1, rests(3, NOON + MINUTE, REST - MINUTE + 400));
	expect_rest(f, NOON, NOON + REST);
	send_one(f, 1, hit(4, NOON + 2 * MINUTE, "D1", "refuse", REST - 2 * MINUTE));
	expect_rest(f, NOON, NOON + REST);
	fixture_reopen(f);
	expect_rest(f, NOON, NOON + REST);
	send_one(f, 1, rests(5, NOON + REST, 0));
	expect_rest(f, 0, 0);
	send_one(f, 1, hit(6, NOON + HOUR, "D1", "stop", REST));
	expect_rest(f, NOON + HOUR, NOON + HOUR + REST);
}

/* Restarted without a clock, the machine rests for all of it again; only its heartbeats say so. */
static void heartbeats_correct_a_rest(void **state)
{
	struct fixture *f = *state;

	send_one(f, 1, hit(1, NOON, "D1", "stop", REST));
	send_one(f, 1, rests(2, NOON + 5 * MINUTE, REST));
	expect_rest(f, NOON, NOON + 5 * MINUTE + REST);
	send_one(f, 1, rests(3, NOON + 6 * MINUTE, MINUTE));
	expect_rest(f, NOON, NOON + 7 * MINUTE);
	/* The next one begins anew. */
	send_one(f, 1, rests(4, NOON + HOUR, MINUTE));
	expect_rest(f, NOON + HOUR, NOON + HOUR + MINUTE);
}

static void a_backlog_starts_no_rest_now(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {hit(1, NOON - 2 * DAY, "D1", "stop", REST), rests(2, NOON - 2 * DAY + HOUR, 0)};

	send_report(f, ID, 1, rs, 1, NOON);
	assert_true(get_device(f, ID, NOON).rest_until_ms < NOON);
	send_report(f, ID, 1, rs, 2, NOON);
	expect_rest(f, 0, 0);
	/* A later life has spoken: what comes of an earlier one is history. */
	send_one(f, 2, rests(1, NOON, REST));
	send_one(f, 1, rests(3, NOON - DAY, 0));
	send_one(f, 1, hit(4, NOON - HOUR, "D1", "stop", 3 * HOUR));
	expect_rest(f, NOON, NOON + REST);
}

/* Its birth is newer than what it had to say: it tells nothing of a rest. */
static void a_birth_hides_no_rest(void **state)
{
	struct fixture *f = *state;
	struct gf_status newer = birth(1, 2, 1);

	newer.uptime_ms = 8 * HOUR;
	send_status(f, ID, newer, false, NOON);
	send_one(f, 1, hit(1, NOON - MINUTE, "D1", "stop", REST));
	expect_rest(f, NOON - MINUTE, NOON - MINUTE + REST);
}

/* ---- closed areas ---- */

static void an_area_that_hurt_twice_is_closed_for_a_day(void **state)
{
	struct fixture *f = *state;
	struct store_device d;

	send_one(f, 1, hurt(1, NOON, "clamp", GF_AREA_CALVES, GF_SIDE_LEFT));
	assert_int_equal(get_device(f, ID, NOON).closed_count, 0);
	send_one(f, 1, hurt(2, NOON, "stop", GF_AREA_CALVES, GF_SIDE_LEFT));
	/* Skipped later: the same end, told again. */
	struct gf_record skipped = hurt(3, NOON + HOUR, "skip_step", GF_AREA_CALVES, GF_SIDE_LEFT);
	skipped.limit_hit.lasts_ms = (uint32_t)(DAY - HOUR);
	send_one(f, 1, skipped);
	send_one(f, 1, hurt(4, NOON + 2 * HOUR, "stop", GF_AREA_QUADS, GF_SIDE_BOTH));
	d = get_device(f, ID, NOON + 3 * HOUR);
	assert_int_equal(d.closed_count, 2);
	assert_int_equal(d.closed[0].area, GF_AREA_QUADS);
	assert_int_equal(d.closed[1].area, GF_AREA_CALVES);
	assert_int_equal(d.closed[1].side, GF_SIDE_LEFT);
	assert_int_equal(d.closed[1].since_ms, NOON);
	assert_int_equal(d.closed[1].until_ms, NOON + DAY);
	assert_false(d.closed[1].personal);
	assert_int_equal(get_device(f, ID, NOON + DAY).closed_count, 1);
	assert_int_equal(get_device(f, ID, NOON + DAY + 2 * HOUR).closed_count, 0);
	assert_int_equal(d.rest_until_ms, 0);
}

static void with_a_token_an_area_is_closed_to_that_person(void **state)
{
	struct fixture *f = *state;
	struct gf_record begins = started(1, 1, NOON), pain = hurt(2, NOON, "stop", GF_AREA_NECK, GF_SIDE_BOTH);

	begins.session_started.subject_token = 0xfeedfacefeedface;
	pain.limit_hit.session_no = 1;
	send_one(f, 1, begins);
	send_one(f, 1, pain);
	assert_int_equal(get_device(f, ID, NOON).closed_count, 1);
	assert_true(get_device(f, ID, NOON).closed[0].personal);
	/* Refused later, outside a session: still that person's. */
	send_one(f, 1, hurt(3, NOON + MINUTE, "refuse", GF_AREA_NECK, GF_SIDE_BOTH));
	assert_true(get_device(f, ID, NOON + MINUTE).closed[0].personal);
	/* And somebody without a token, whom nobody can tell from others. */
	send_one(f, 1, hurt(4, NOON + HOUR, "stop", GF_AREA_NECK, GF_SIDE_BOTH));
	assert_int_equal(get_device(f, ID, NOON + HOUR).closed_count, 1);
	assert_false(get_device(f, ID, NOON + HOUR).closed[0].personal);
}

static void pain_between_two_areas_closes_none(void **state)
{
	struct fixture *f = *state;

	send_one(f, 1, hurt(1, NOON, "stop", GF_AREA_UNSPECIFIED, GF_SIDE_UNSPECIFIED));
	assert_int_equal(get_device(f, ID, NOON).closed_count, 0);
}

static void what_staff_opened_is_open(void **state)
{
	struct fixture *f = *state;
	struct gf_record opened = hurt(3, NOON - 5 * MINUTE, "open", GF_AREA_CALVES, GF_SIDE_LEFT);

	opened.limit_hit.lasts_ms = 0;
	opened.limit_hit.observed = opened.limit_hit.limit = 0;
	send_one(f, 1, hurt(1, NOON - 20 * MINUTE, "stop", GF_AREA_CALVES, GF_SIDE_LEFT));
	send_one(f, 1, hurt(2, NOON - 10 * MINUTE, "stop", GF_AREA_NECK, GF_SIDE_BOTH));
	assert_int_equal(get_device(f, ID, NOON).closed_count, 2);
	expect_event(f, opened, "limit P8 (pain): open on calves left");
	assert_int_equal(get_device(f, ID, NOON).closed_count, 0);
	send_one(f, 1, hurt(4, NOON - MINUTE, "stop", GF_AREA_NECK, GF_SIDE_BOTH));
	assert_int_equal(get_device(f, ID, NOON).closed_count, 1);
}

static void the_staff_key_opens_all_areas(void **state)
{
	struct fixture *f = *state;
	struct gf_record cleared = record(4, GF_RECORD_FAULT_CLEARED, NOON + HOUR);

	send_one(f, 1, hurt(1, NOON, "stop", GF_AREA_CALVES, GF_SIDE_LEFT));
	send_one(f, 1, fault(2, 1, GF_FAULT_ESTOP, GF_SEVERITY_STOP, NOON));
	send_one(f, 1, fault(3, 2, GF_FAULT_STALL, GF_SEVERITY_LATCH, NOON));
	cleared.fault_cleared =
	    (struct gf_fault_cleared){.fault_no = 1, .code = GF_FAULT_ESTOP, .by = GF_CLEARED_BY_RECOVERED};
	send_one(f, 1, cleared);
	assert_int_equal(get_device(f, ID, NOON + HOUR).closed_count, 1);
	cleared.seq = 5;
	cleared.fault_cleared = (struct gf_fault_cleared){.fault_no = 2, .code = GF_FAULT_STALL, .by = GF_CLEARED_BY_STAFF};
	send_one(f, 1, cleared);
	assert_int_equal(get_device(f, ID, NOON + HOUR).closed_count, 0);
	send_one(f, 1, hurt(6, NOON + 2 * HOUR, "stop", GF_AREA_CALVES, GF_SIDE_LEFT));
	assert_int_equal(get_device(f, ID, NOON + 3 * HOUR).closed_count, 1);
}

static void i8_closed_areas_are_bounded(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i < GF_AREA_COUNT; i++)
		send_one(f, 1, hurt((uint64_t)i, NOON + i, "stop", (enum gf_area)i, GF_SIDE_LEFT));
	struct store_device d = get_device(f, ID, NOON + HOUR);
	assert_int_equal(d.closed_count, STORE_CLOSED_MAX);
	assert_int_equal(d.closed[0].area, GF_AREA_COUNT - 1);
}

/* ---- latched, and the heartbeat's numbers ---- */

static void what_is_latched_stays_open_over_restarts(void **state)
{
	struct fixture *f = *state;
	struct gf_record again = heartbeat(2, NOON + HOUR, 30),
	                 cleared = record(3, GF_RECORD_FAULT_CLEARED, NOON + 2 * HOUR);
	struct store_device d;

	send_one(f, 1, fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_LATCH, NOON));
	send_status(f, ID, birth(2, 1, 1), false, NOON + HOUR);
	again.boot = 2;
	send_one(f, 1, again);
	d = get_device(f, ID, NOON + HOUR);
	assert_int_equal(d.open_faults, 1);
	assert_int_equal(d.open[0].severity, GF_SEVERITY_LATCH);
	assert_int_equal(d.open[0].raised_ms, NOON);
	cleared.fault_cleared = (struct gf_fault_cleared){.fault_no = 1, .code = GF_FAULT_STALL, .by = GF_CLEARED_BY_STAFF};
	send_one(f, 1, cleared);
	assert_int_equal(get_device(f, ID, NOON + DAY).open_faults, 0);
}

static void the_newest_heartbeat_tells_duty_and_bus(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = rests(1, NOON, MINUTE);

	r.heartbeat.duty_ms = 720000;
	r.heartbeat.duty_max_ms = 1800000;
	r.heartbeat.bus_timeouts = 1;
	r.heartbeat.bus_crc_errors = 2;
	r.heartbeat.bus_exceptions = 3;
	r.heartbeat.bus_reconnects = UINT32_MAX;
	send_one(f, 1, r);
	const struct gf_heartbeat got = get_device(f, ID, NOON).heartbeat;
	assert_int_equal(got.duty_ms, 720000);
	assert_int_equal(got.duty_max_ms, 1800000);
	assert_int_equal(got.rest_left_ms, MINUTE);
	assert_int_equal(got.bus_timeouts, 1);
	assert_int_equal(got.bus_crc_errors, 2);
	assert_int_equal(got.bus_exceptions, 3);
	assert_int_equal(got.bus_reconnects, UINT32_MAX);
}

static void what_version_4_kept_is_still_there(void **state)
{
	struct fixture *f = *state;
	struct db old;
	struct store_device d;

	fixture_close(f);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(db_open(&old, f->path, DB_WRITER, 1, NULL), 0);
	assert_int_equal(schema_migrate(&old, 4, NULL), 0);
	assert_int_equal(
	    db_exec(
	        &old,
	        "INSERT INTO devices (id, first_seen_ms, last_seen_ms, heartbeat_ms, heartbeat_stream, heartbeat_seq)"
	        " VALUES ('chair-1', 1, 2, 1795176000000, 1, 7);"
	        "INSERT INTO heartbeats (device, at_ms, stream, seq, time_source, boot, uptime_ms, interval_ms, motor_ms,"
	        " in_session, derated, odo_motor_ms, odo_sessions, odo_cycles, spool_records, spool_bytes, spool_dropped,"
	        " link_connects, tick_p99_us, tick_worst_us, tick_overruns) VALUES (1, 1795176000000, 1, 7, 0, 1, 1,"
	        " 60000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 55, 0, 0);"
	        "INSERT INTO limit_hits (device, stream, seq, at_ms, rule, area, side, observed, limit_value, session_no,"
	        " action) VALUES (1, 1, 8, 1795176000000, 'P8', 10, 1, 1, 1, 0, 'stop')",
	        NULL),
	    0);
	db_close(&old);
	fixture_reopen(f);
	d = get_device(f, ID, NOON);
	assert_true(d.has_heartbeat);
	assert_int_equal(d.heartbeat.tick_p99_us, 55);
	assert_int_equal(d.heartbeat.duty_max_ms, 0);
	assert_int_equal(d.rest_until_ms, 0);
	assert_int_equal(d.closed_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_limit_hit_is_told_with_its_numbers),
	    TEST(a_rest_ends_when_it_was_to_end),
	    TEST(heartbeats_correct_a_rest),
	    TEST(a_backlog_starts_no_rest_now),
	    TEST(a_birth_hides_no_rest),
	    TEST(an_area_that_hurt_twice_is_closed_for_a_day),
	    TEST(with_a_token_an_area_is_closed_to_that_person),
	    TEST(pain_between_two_areas_closes_none),
	    TEST(what_staff_opened_is_open),
	    TEST(the_staff_key_opens_all_areas),
	    TEST(i8_closed_areas_are_bounded),
	    TEST(what_is_latched_stays_open_over_restarts),
	    TEST(the_newest_heartbeat_tells_duty_and_bus),
	    TEST(what_version_4_kept_is_still_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
