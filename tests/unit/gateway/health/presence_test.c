/* Who is missed, and when: a closed site's machines may be off, and nobody using a machine is no fault until it is no chance any more. */
#include "tests/unit/gateway/health/facts.h"

/* Friday, 2026-11-20; open from 06:00 to 22:00, on Sunday not at all. */
static const struct calendar *hours(void)
{
	static struct calendar c;

	memset(&c, 0, sizeof(c));
	assert_int_equal(calendar_open(&c, "mon-sat", "06:00-22:00", NULL), 0);
	return &c;
}

static struct health_facts lost_at(int64_t since_ms, int64_t now_ms)
{
	struct health_facts f = well();

	f.calendar = hours();
	f.presence = HEALTH_LOST;
	f.presence_since_ms = since_ms;
	f.now_ms = now_ms;
	return f;
}

static void offline_while_the_site_is_closed_is_well(void **state)
{
	struct health_facts f = lost_at(NOON + 10 * HOUR + 10 * MINUTE, NOON + 12 * HOUR);
	struct health_reason r = only(&f);

	(void)state;
	assert_int_equal(r.code, HEALTH_CODE_OFFLINE);
	assert_int_equal(r.severity, HEALTH_OK);
	assert_string_equal(
	    r.text, "offline since 2026-11-20T22:10:00Z (1.8 h); the site is closed until 2026-11-21T06:00:00Z (in 6.0 h)");
	/* Lost in open hours: nobody can use it now either. */
	f = lost_at(NOON + 9 * HOUR, NOON + 12 * HOUR);
	assert_int_equal(only(&f).severity, HEALTH_OK);
	f.calendar = &(struct calendar){.week = {{0}}};
	assert_string_equal(only(&f).text, "offline since 2026-11-20T21:00:00Z (3.0 h); the site is closed");
}

static void it_counts_from_the_opening_on(void **state)
{
	struct health_facts f = lost_at(NOON + 10 * HOUR + 10 * MINUTE, NOON + 18 * HOUR - 1);
	struct health_reason r;

	(void)state;
	assert_int_equal(only(&f).severity, HEALTH_OK);
	f.now_ms = NOON + 18 * HOUR;
	r = only(&f);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_int_equal(r.since_ms, NOON + 18 * HOUR);
	assert_string_equal(r.text, "offline since 2026-11-20T22:10:00Z (7.8 h): its connection broke; its site opened at "
	                            "2026-11-21T06:00:00Z");
	/* Not from each opening anew. */
	f.now_ms = NOON + 3 * DAY;
	assert_int_equal(only(&f).since_ms, NOON + 18 * HOUR);
	f = lost_at(NOON - HOUR, NOON);
	r = only(&f);
	assert_int_equal(r.since_ms, NOON - HOUR);
	assert_string_equal(r.text, "offline since 2026-11-20T11:00:00Z (60 min): its connection broke");
}

static void who_never_said_what_it_is_is_told_at_night_too(void **state)
{
	struct health_facts f = lost_at(0, NOON + 12 * HOUR);

	(void)state;
	f.presence = HEALTH_NEVER_SEEN;
	assert_int_equal(only(&f).severity, HEALTH_ATTENTION);
	f.presence = HEALTH_ONLINE;
	f.last_record_ms = f.now_ms;
	assert_int_equal(count_reasons(&f), 0);
}

/* 100 sessions in 28 days, of which 24 are open, with 16 hours each: one in 3.84 hours. Expected 6.9078 in 26.53 hours. */
static struct health_facts unused_for(int64_t ms)
{
	struct health_facts f = well();

	f.calendar = hours();
	f.pace = (struct health_pace){.from_ms = NOON - 28 * DAY, .last_ms = NOON, .sessions = 100};
	f.now_ms = NOON + ms;
	f.last_seen_ms = f.heartbeat_ms = f.last_record_ms = f.now_ms;
	return f;
}

static void nobody_for_longer_than_chance_makes_it_is_told(void **state)
{
	/* 10 h on Friday, 16 on Saturday, the rest on Monday from 06:00 on. */
	int64_t at = 2 * DAY + 18 * HOUR + 31 * MINUTE;
	struct health_facts f = unused_for(at);
	struct health_reason r;

	(void)state;
	assert_int_equal(count_reasons(&f), 0);
	f = unused_for(at + MINUTE);
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_IDLE);
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_int_equal(r.since_ms, NOON);
	assert_string_equal(r.text,
	                    "nobody has used it since 2026-11-20T12:00:00Z (3 d), in 26.5 hours in which its site was "
	                    "open; usually it would have been 7 sessions (0.3 an hour)");
	/* It doesn't get used to it. */
	f = unused_for(100 * DAY);
	assert_int_equal(only(&f).code, HEALTH_CODE_IDLE);
}

static void what_keeps_it_from_use_explains_it(void **state)
{
	struct health_facts f = unused_for(9 * DAY);

	(void)state;
	assert_int_equal(only(&f).code, HEALTH_CODE_IDLE);
	f.in_session = true;
	assert_int_equal(count_reasons(&f), 0);
	f = unused_for(9 * DAY);
	f.locked = true;
	assert_int_equal(only(&f).code, HEALTH_CODE_LOCKED);
	f = unused_for(9 * DAY);
	f.tag.since_ms = NOON;
	assert_int_equal(only(&f).code, HEALTH_CODE_TAGGED);
	f = unused_for(9 * DAY);
	f.rest_until_ms = f.now_ms + 1;
	assert_int_equal(only(&f).code, HEALTH_CODE_RESTING);
	f = unused_for(9 * DAY);
	f.presence = HEALTH_GOODBYE;
	assert_int_equal(only(&f).code, HEALTH_CODE_OFFLINE);
	f = unused_for(9 * DAY);
	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.code = GF_FAULT_ESTOP, .severity = GF_SEVERITY_STOP};
	assert_int_equal(only(&f).code, HEALTH_CODE_FAULT_OPEN);
}

static void too_little_history_says_nothing(void **state)
{
	struct health_facts f = unused_for(20 * DAY);

	(void)state;
	f.pace.sessions = 20;
	assert_int_equal(only(&f).code, HEALTH_CODE_IDLE);
	f.pace.sessions = 19;
	f.now_ms = NOON + 90 * DAY;
	f.last_seen_ms = f.heartbeat_ms = f.last_record_ms = f.now_ms;
	assert_int_equal(count_reasons(&f), 0);
	f = unused_for(20 * DAY);
	f.pace.from_ms = NOON - 14 * DAY;
	assert_int_equal(only(&f).code, HEALTH_CODE_IDLE);
	f.pace.from_ms++;
	assert_int_equal(count_reasons(&f), 0);
	f = unused_for(20 * DAY);
	f.calendar = &(struct calendar){.week = {{0}}};
	assert_int_equal(count_reasons(&f), 0);
	f.pace = (struct health_pace){0};
	assert_int_equal(count_reasons(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(offline_while_the_site_is_closed_is_well),
	    cmocka_unit_test(it_counts_from_the_opening_on),
	    cmocka_unit_test(who_never_said_what_it_is_is_told_at_night_too),
	    cmocka_unit_test(nobody_for_longer_than_chance_makes_it_is_told),
	    cmocka_unit_test(what_keeps_it_from_use_explains_it),
	    cmocka_unit_test(too_little_history_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
