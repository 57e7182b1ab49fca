/* Thirty alerts for one cable: machines of a site that vanish together are one incident. */
#include "gateway/api/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795176000000) /* 2026-11-20T12:00:00Z */
#define MINUTE INT64_C(60000)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct need offline(const char *device, size_t site, enum health_severity severity, int64_t since_ms)
{
	struct need n = {.site = site, .reason = {.code = HEALTH_CODE_OFFLINE, .severity = severity, .since_ms = since_ms}};

	(void)gf_strcpy(n.device, sizeof(n.device), device);
	return n;
}

static struct need lost(const char *device, size_t site, int64_t minutes_ago)
{
	return offline(device, site, HEALTH_CRITICAL, NOW - minutes_ago * MINUTE);
}

static void machines_that_vanish_together_are_one_need(void **state)
{
	const struct site sites[] = {{"berlin", 4}, {"hamburg", 4}};
	struct need needs[] = {
	    lost("old", 0, 9000), lost("a", 0, 12), lost("h", 1, 12),
	    lost("b", 0, 11),     lost("c", 0, 9),  offline("d", 0, HEALTH_ATTENTION, NOW - 10 * MINUTE),
	};

	(void)state;
	assert_int_equal(incident_gather(needs, COUNT(needs), sites, COUNT(sites), NOW), 4);
	assert_string_equal(needs[0].device, "old");
	assert_string_equal(needs[1].device, "");
	assert_int_equal(needs[1].site, 0);
	assert_int_equal(needs[1].reason.severity, HEALTH_CRITICAL);
	assert_int_equal(needs[1].reason.since_ms, NOW - 12 * MINUTE);
	assert_string_equal(needs[1].reason.text, "3 of 4 machines of this site are offline since 2026-11-20T11:48:00Z "
	                                          "(12 min): they vanished together");
	assert_string_equal(needs[2].device, "h");
	assert_string_equal(needs[3].device, "d");
}

static void few_or_scattered_ones_stay_each_their_own(void **state)
{
	const struct site sites[] = {{"berlin", 4}, {"hamburg", 7}};
	struct need two[] = {lost("a", 0, 12), lost("b", 0, 12)};
	struct need scattered[] = {lost("a", 0, 120), lost("b", 0, 60), lost("c", 0, 12)};
	struct need minority[] = {lost("a", 1, 12), lost("b", 1, 12), lost("c", 1, 12)};
	struct need nowhere[] = {lost("a", 2, 12), lost("b", 2, 12), lost("c", 2, 12)};
	struct need broken[] = {lost("a", 0, 12), lost("b", 0, 12), lost("c", 0, 12)};

	(void)state;
	assert_int_equal(incident_gather(two, COUNT(two), sites, COUNT(sites), NOW), 2);
	assert_int_equal(incident_gather(scattered, COUNT(scattered), sites, COUNT(sites), NOW), 3);
	assert_int_equal(incident_gather(minority, COUNT(minority), sites, COUNT(sites), NOW), 3);
	assert_int_equal(incident_gather(nowhere, COUNT(nowhere), sites, COUNT(sites), NOW), 3);
	broken[1].reason.code = HEALTH_CODE_FAULT_OPEN;
	assert_int_equal(incident_gather(broken, COUNT(broken), sites, COUNT(sites), NOW), 3);
	assert_int_equal(incident_gather(NULL, 0, sites, COUNT(sites), NOW), 0);
}

static void every_site_has_its_own_incident(void **state)
{
	const struct site sites[] = {{"berlin", 3}, {"hamburg", 3}};
	struct need needs[6];

	(void)state;
	for (size_t i = 0; i < COUNT(needs); i++)
		needs[i] = lost("x", i % 2, 3);
	assert_int_equal(incident_gather(needs, COUNT(needs), sites, COUNT(sites), NOW), 2);
	assert_int_equal(needs[0].site + needs[1].site, 1);
	assert_string_equal(needs[0].device, "");
	assert_string_equal(needs[1].device, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(machines_that_vanish_together_are_one_need),
	    cmocka_unit_test(few_or_scattered_ones_stay_each_their_own),
	    cmocka_unit_test(every_site_has_its_own_incident),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
