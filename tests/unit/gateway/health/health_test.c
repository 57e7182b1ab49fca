/* Every reason: when it is given, how grave it is, and that a technician can read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/gateway/health/facts.h"

static void a_well_machine_has_no_reasons(void **state)
{
	struct health_facts f = well();
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)state;
	assert_int_equal(health_judge(&f, reasons, &count), HEALTH_OK);
	assert_int_equal(count, 0);
}

static void offline_says_why_and_since_when(void **state)
{
	struct health_facts f = well();
	struct health_reason r;

	(void)state;
	f.presence = HEALTH_LOST;
	f.presence_since_ms = NOON - 2 * HOUR;
	r = only(&f);
	assert_int_equal(r.code, HEALTH_CODE_OFFLINE);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_int_equal(r.since_ms, NOON - 2 * HOUR);
	assert_string_equal(r.text, "offline since 2026-11-20T10:00:00Z (2.0 h): its connection broke");
	f.presence = HEALTH_GOODBYE;
	assert_int_equal(only(&f).severity, HEALTH_ATTENTION);
	f.presence = HEALTH_SILENT;
	assert_int_equal(only(&f).severity, HEALTH_CRITICAL);
	f.presence = HEALTH_NEVER_SEEN;
	assert_int_equal(only(&f).severity, HEALTH_ATTENTION);
}

static void temperature_near_the_limit_counts_only_while_it_is_new(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.motor_temp_c.last = 64.9f;
	assert_int_equal(count_reasons(&f), 0);
	f.motor_temp_c.last = 65.0f;
	assert_int_equal(only(&f).code, HEALTH_CODE_MOTOR_HOT);
	f.heartbeat_ms = NOON - HOUR;
	assert_int_equal(count_reasons(&f), 0);
	f.heartbeat_ms = NOON;
	f.motor_temp_stop_c = 0;
	assert_int_equal(count_reasons(&f), 0);
	f.surface_temp_c = (struct gf_stat){true, 39, 40, 41, 40};
	f.surface_temp_stop_c = 43;
	assert_int_equal(only(&f).code, HEALTH_CODE_SURFACE_HOT);
}

static void clock_is_judged_when_it_is_known(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.clock_synced = false;
	f.clock_since_ms = NOON - DAY;
	assert_int_equal(only(&f).code, HEALTH_CODE_CLOCK_UNSYNCED);
	f.clock_known = false;
	assert_int_equal(count_reasons(&f), 0);
}

static void backlog_by_number_or_by_age(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.spool_records = 500;
	f.last_record_ms = NOON - 6 * MINUTE;
	assert_int_equal(count_reasons(&f), 0);
	f.spool_records = 501;
	assert_int_equal(only(&f).code, HEALTH_CODE_SPOOL_BACKLOG);
	/* A fresh record is here: all before it are, too. */
	f.last_record_ms = NOON - 1 * MINUTE;
	assert_int_equal(count_reasons(&f), 0);
	f.spool_records = 3;
	f.last_record_ms = NOON - 2 * HOUR;
	assert_string_equal(only(&f).text, "the newest it has delivered is 2.0 h old, 3 records wait on the machine");
}

static void certificate_ends(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.cert_not_after_ms = NOON + 30 * DAY;
	assert_int_equal(count_reasons(&f), 0);
	f.cert_not_after_ms = NOON + 29 * DAY;
	assert_int_equal(only(&f).severity, HEALTH_ATTENTION);
	f.cert_not_after_ms = NOON + 6 * DAY;
	assert_int_equal(only(&f).severity, HEALTH_CRITICAL);
	f.cert_not_after_ms = NOON - DAY;
	assert_non_null(strstr(only(&f).text, "ended on 2026-11-19T12:00:00Z"));
	f.cert_not_after_ms = 0;
	assert_int_equal(count_reasons(&f), 0);
}

static void many_interruptions_are_told(void **state)
{
	struct health_facts f = well();

	(void)state;
	f.interrupted_24h = 2;
	assert_int_equal(count_reasons(&f), 0);
	f.interrupted_24h = 3;
	assert_int_equal(only(&f).code, HEALTH_CODE_INTERRUPTED);
}

static void all_at_once_fits_and_comes_worst_first(void **state)
{
	struct health_facts f = well();
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)state;
	f.faults_count = HEALTH_FAULTS_MAX;
	for (size_t i = 0; i < HEALTH_FAULTS_MAX; i++)
		f.faults[i] = (struct health_fault){.code = GF_FAULT_STALL,
		                                    .severity = i % 2 ? GF_SEVERITY_STOP : GF_SEVERITY_INFO,
		                                    .since_ms = NOON,
		                                    .observed = 1,
		                                    .limit = 2,
		                                    .detail = NULL};
	f.motor_temp_c.last = 80;
	f.surface_temp_c = (struct gf_stat){true, 50, 50, 50, 50};
	f.surface_temp_stop_c = 43;
	f.clock_synced = false;
	f.spool_records = 9999;
	f.last_record_ms = NOON - HOUR;
	f.cert_not_after_ms = NOON;
	f.interrupted_24h = 9;
	f.wear = &(struct wear){.count = 1, .parts = {{.part = FACT_PART_MOTOR, .life = {100, 0}, .used_pct = 120}}};
	f.flags_count = HEALTH_FLAGS_MAX;
	for (size_t i = 0; i < HEALTH_FLAGS_MAX; i++)
		f.flags[i] = (struct health_flag){.severity = HEALTH_ATTENTION, .title = "busy"};
	f.tag.since_ms = NOON;
	f.faults[1].reported = true;
	f.faults[0].severity = GF_SEVERITY_LATCH;
	f.rest_until_ms = NOON + HOUR;
	f.closed_count = 1;
	f.closed[0] = (struct health_closed){GF_AREA_NECK, GF_SIDE_BOTH, NOON, NOON + HOUR, false};
	f.locked = true;
	assert_int_equal(health_judge(&f, reasons, &count), HEALTH_CRITICAL);
	/* Who is in use is online and no one misses it; a tag stands for the lock. */
	assert_int_equal(count, HEALTH_REASONS_MAX - 3);
	for (size_t i = 1; i < count; i++)
		assert_true(reasons[i - 1].severity >= reasons[i].severity);
}

static void names_are_total(void **state)
{
	(void)state;
	assert_string_equal(health_severity_name(HEALTH_CRITICAL), "critical");
	assert_string_equal(health_severity_name((enum health_severity)9), "unknown");
	assert_string_equal(health_code_name(HEALTH_CODE_IDLE), "unusually_idle");
	assert_string_equal(health_code_name(HEALTH_CODE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_well_machine_has_no_reasons),
	    cmocka_unit_test(offline_says_why_and_since_when),
	    cmocka_unit_test(temperature_near_the_limit_counts_only_while_it_is_new),
	    cmocka_unit_test(clock_is_judged_when_it_is_known),
	    cmocka_unit_test(backlog_by_number_or_by_age),
	    cmocka_unit_test(certificate_ends),
	    cmocka_unit_test(many_interruptions_are_told),
	    cmocka_unit_test(all_at_once_fits_and_comes_worst_first),
	    cmocka_unit_test(names_are_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
