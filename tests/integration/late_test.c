/*
 * What comes late. A machine that was offline for a week tells everything afterwards: it lands on the days it happened, and nothing of
 * it is taken for the present. A machine without a clock is placed by its start and its uptime, and marked so.
 */
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "tests/integration/lab.h"

#define DAY_MS (24LL * 3600 * 1000)
#define HOUR_MS (3600LL * 1000)

enum {
	SOON_MS = 20000,
	DAYS = 7,
	SESSIONS = DAYS * (DAYS + 1) / 2, /* one on the first day, seven on the last */
	BEATS = 200,                      /* a day */
	NEAR_MS = 30000,                  /* what a slow test machine may take */
};

static int setup(void **state)
{
	it_lab_open(state, "late");
	return 0;
}

static json_t *show(struct it_lab *t)
{
	json_t *device = it_ask(t->w, "device", "show", IT_CHAIR);

	assert_non_null(device);
	return device;
}

static void expect_text(const json_t *object, const char *key, const char *text)
{
	const char *is = json_string_value(json_object_get(object, key));

	if (!is || strcmp(is, text) != 0)
		fail_msg("%s is '%s', not '%s'", key, is ? is : "null", text);
}

static int64_t integer(const json_t *object, const char *key)
{
	return (int64_t)json_number_value(json_object_get(object, key));
}

static int64_t time_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t ms = 0;

	assert_non_null(text);
	assert_int_equal(gf_time_parse(text, &ms), 0);
	return ms;
}

/* Within `tolerance_ms` before or after. */
static void expect_near(int64_t is_ms, int64_t should_ms, int64_t tolerance_ms)
{
	if (llabs(is_ms - should_ms) > tolerance_ms)
		fail_msg("%lld s away", (long long)(is_ms - should_ms) / 1000);
}

/* ---- a week in the spool ---- */

/* 0 o'clock UTC of a day of that week; day 1 is the first, 7 yesterday. */
static int64_t day_ms(int64_t today_ms, int day)
{
	return today_ms - (DAYS + 1 - day) * DAY_MS;
}

/* The week as the machine kept it: its sessions in the morning, then heartbeats of a motor that was nearly too hot. */
static size_t make_week(const struct it_machine *m, int64_t today_ms, struct gf_record *records)
{
	uint64_t seq = 0, no = 0;

	for (int day = 1; day <= DAYS; day++) {
		int64_t at_ms = day_ms(today_ms, day) + 10 * HOUR_MS;
		for (int i = 0; i < day; i++, at_ms += 600000) {
			records[seq] = it_session(m, seq + 1, ++no, at_ms);
			seq++;
		}
		for (int i = 0; i < BEATS; i++, at_ms += 180000) {
			records[seq] = it_heartbeat(m, seq + 1, at_ms, 69);
			records[seq].heartbeat.odometer = (struct gf_odometer){.motor_ms = no * IT_SESSION_MS, .sessions = no};
			seq++;
		}
	}
	return seq;
}

static void upload(struct it_machine *m, const struct gf_record *records, size_t from, size_t to)
{
	for (size_t i = from; i < to; i += GF_REPORT_RECORDS_MAX)
		it_machine_report(m, records + i, to - i < GF_REPORT_RECORDS_MAX ? to - i : GF_REPORT_RECORDS_MAX);
	IT_UNTIL(SOON_MS, it_machine_acked(m) == to);
}

/* What the birth said of now is what is shown, whatever old records were stored. */
static void expect_present(struct it_lab *t, int64_t sessions)
{
	json_t *device = show(t);

	expect_text(device, "presence", "online");
	expect_near(time_of(device, "last_seen"), it_wall_ms(), NEAR_MS);
	assert_int_equal(integer(json_object_get(device, "odometer"), "sessions"), SESSIONS);
	assert_int_equal(integer(json_object_get(device, "odometer"), "motor_ms"), SESSIONS * IT_SESSION_MS);
	assert_int_equal(integer(device, "sessions"), sessions);
	assert_int_equal(integer(device, "sessions_today"), 0);
	assert_true(json_is_true(json_object_get(device, "clock_synced")));
	assert_true(json_is_null(json_object_get(device, "motor_temp_c"))); /* a week old says nothing of now */
	assert_null(it_find(json_object_get(device, "reasons_list"), "code", "motor_hot"));
	json_decref(device);
	json_t *hot = it_ask(t->w, "devices", "--where", "motor_temp_c > 60");
	assert_int_equal(json_array_size(it_items(hot)), 0);
	json_decref(hot);
}

static void expect_days(struct it_lab *t, int64_t today_ms)
{
	json_t *usage = it_ask(t->w, "usage", "--by", "day", "--since", "10d");
	char day[GF_RFC3339_MAX];

	assert_int_equal(json_array_size(it_items(usage)), DAYS);
	for (int i = 1; i <= DAYS; i++) {
		gf_time_format(day_ms(today_ms, i), day);
		day[strlen("2026-11-20")] = '\0';
		const json_t *row = it_find(it_items(usage), "key", day);
		assert_non_null(row);
		assert_int_equal(integer(row, "sessions"), i);
		assert_int_equal(integer(row, "running_s"), i * IT_SESSION_MS / 1000);
	}
	json_decref(usage);
}

/* The newest session stored comes first, and each is where the machine's clock put it. */
static void expect_times(struct it_lab *t, int64_t today_ms)
{
	json_t *sessions = it_ask(t->w, "sessions", IT_CHAIR);
	const json_t *newest = json_array_get(it_items(sessions), 0);

	assert_int_equal(json_array_size(it_items(sessions)), SESSIONS);
	assert_int_equal(integer(newest, "session_no"), SESSIONS);
	expect_text(newest, "time_source", "device");
	expect_near(time_of(newest, "started"), day_ms(today_ms, DAYS) + 10 * HOUR_MS + (DAYS - 1) * 600000LL, 1000);
	json_decref(sessions);
}

static void a_week_lands_on_its_days_and_not_in_the_present(void **state)
{
	struct it_lab *t = *state;
	struct gf_record *week = calloc((size_t)DAYS * (BEATS + DAYS), sizeof *week);
	int64_t now_ms = it_wall_ms(), today_ms = now_ms - now_ms % DAY_MS;
	size_t count = make_week(t->m, today_ms, week);
	struct gf_status birth = it_birth(t->m);
	struct gf_record beat;

	birth.odometer = (struct gf_odometer){.motor_ms = SESSIONS * IT_SESSION_MS, .sessions = SESSIONS};
	birth.next_seq = count + 1;
	it_machine_birth(t->m, &birth);
	upload(t->m, week, 0, 1 + BEATS + 2); /* the first day and the second day's sessions */
	expect_present(t, 3);
	json_t *audit = it_ask(t->w, "audit"); /* behind, which is no problem */
	expect_text(json_array_get(json_object_get(audit, "findings"), 0), "kind", "behind");
	json_decref(audit);
	upload(t->m, week, 1 + BEATS + 2, count);
	expect_present(t, SESSIONS);
	free(week);
	expect_days(t, today_ms);
	expect_times(t, today_ms);
	assert_true(it_audit_settled(t->w));

	/* The first word of today is the present. */
	beat = it_heartbeat(t->m, count + 1, it_wall_ms(), 35);
	beat.heartbeat.odometer = birth.odometer;
	it_machine_report(t->m, &beat, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == count + 1);
	json_t *device = show(t);
	assert_int_equal(integer(device, "motor_temp_c"), 35);
	expect_text(device, "health", "ok");
	json_decref(device);
}

/* ---- an older disk ---- */

static void an_older_streams_heartbeat_touches_nothing(void **state)
{
	struct it_lab *t = *state;
	struct gf_stream_id old = t->m->stream;
	struct gf_record beat = it_heartbeat(t->m, 1, t->m->opened_ms - HOUR_MS, 66);

	it_machine_birth(t->m, NULL);
	it_machine_report(t->m, &beat, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == 1);
	memset(&t->m->stream, 7, sizeof t->m->stream); /* a new disk, and what it told of now */
	t->m->boot = 2;
	t->m->connection = 1;
	it_machine_birth(t->m, NULL);
	beat = it_heartbeat(t->m, 1, it_wall_ms(), 33);
	beat.heartbeat.odometer.cycles = 500;
	it_machine_report(t->m, &beat, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == 1);

	t->m->stream = old; /* somebody put the old one back for a moment */
	t->m->boot = 1;
	beat = it_heartbeat(t->m, 2, it_wall_ms(), 66);
	it_machine_report(t->m, &beat, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == 2);
	json_t *device = show(t);
	assert_int_equal(integer(device, "motor_temp_c"), 33);
	assert_int_equal(integer(device, "boot"), 2);
	assert_int_equal(integer(json_object_get(device, "odometer"), "cycles"), 500);
	json_decref(device);
}

/* ---- no clock ---- */

static const json_t *session(const json_t *answer, uint64_t no)
{
	const json_t *row;
	size_t i;

	json_array_foreach(it_items(answer), i, row)
	{
		if ((uint64_t)integer(row, "session_no") == no)
			return row;
	}
	fail_msg("session %llu is missing", (unsigned long long)no);
	return NULL;
}

static void a_machine_without_a_clock_is_placed_by_its_uptime(void **state)
{
	struct it_lab *t = *state;
	int64_t now_ms = it_wall_ms();
	struct gf_record records[2];

	t->m->clock_synced = false;
	t->m->boot = 1; /* of which no birth was ever heard */
	records[0] = it_session(t->m, 1, 1, now_ms - 3 * DAY_MS);
	t->m->boot = 2;
	t->m->booted_ms = now_ms - 5 * HOUR_MS;
	records[1] = it_session(t->m, 2, 2, now_ms - 2 * HOUR_MS);
	it_machine_birth(t->m, NULL);
	it_machine_report(t->m, records, 2);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == 2);

	json_t *answer = it_ask(t->w, "sessions", IT_CHAIR);
	expect_text(session(answer, 1), "time_source", "received");
	expect_near(time_of(session(answer, 1), "started"), it_wall_ms() - IT_SESSION_MS, NEAR_MS);
	expect_text(session(answer, 2), "time_source", "estimated");
	expect_near(time_of(session(answer, 2), "started"), now_ms - 2 * HOUR_MS, NEAR_MS);
	json_decref(answer);
	answer = it_ask(t->w, "sessions", "--where", "time_source=estimated");
	assert_int_equal(json_array_size(it_items(answer)), 1);
	json_decref(answer);
	json_t *device = show(t);
	assert_true(json_is_false(json_object_get(device, "clock_synced")));
	assert_non_null(it_find(json_object_get(device, "reasons_list"), "code", "clock_unsynced"));
	json_decref(device);
}

/* ---- presence ---- */

static void say_gone(struct it_machine *m, enum gf_presence presence, uint64_t boot, uint64_t connection)
{
	const struct gf_status status = {.presence = presence, .boot = boot, .connection = connection};

	it_machine_birth(m, &status);
}

/* The report is a marker: when it is acked, what was said before it was taken. */
static bool online_after(struct it_lab *t, uint64_t seq)
{
	struct gf_record beat = it_heartbeat(t->m, seq, it_wall_ms(), NAN);

	it_machine_report(t->m, &beat, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == seq);
	return it_online(t->w) == 1;
}

static void a_late_will_of_an_older_connection_changes_nothing(void **state)
{
	struct it_lab *t = *state;

	t->m->boot = 4;
	t->m->connection = 9;
	it_machine_birth(t->m, NULL);
	say_gone(t->m, GF_PRESENCE_LOST, 4, 8);
	assert_true(online_after(t, 1));
	say_gone(t->m, GF_PRESENCE_GOODBYE, 3, 99);
	assert_true(online_after(t, 2));
	say_gone(t->m, GF_PRESENCE_LOST, 4, 9);
	assert_false(online_after(t, 3)); /* a report that was still under way proves no life */
	t->m->connection = 10;
	it_machine_birth(t->m, NULL);
	assert_true(online_after(t, 4));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, it_lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_week_lands_on_its_days_and_not_in_the_present),
	    TEST(an_older_streams_heartbeat_touches_nothing),
	    TEST(a_machine_without_a_clock_is_placed_by_its_uptime),
	    TEST(a_late_will_of_an_older_connection_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
