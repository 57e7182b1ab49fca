/* Thirty alerts for one cable: when machines of a site that vanish are one incident, who joins it, and when it is over. */
#include "gateway/health/incident.h"

#include "tests/unit/gateway/health/facts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int64_t since;

static struct incident_machine gone(int64_t minutes_ago)
{
	return (struct incident_machine){.gone_ms = NOON - minutes_ago * MINUTE};
}

static const struct incident_machine here;

static bool opens(struct incident_machine *machines, size_t count)
{
	since = 0;
	return incident_opens(machines, count, &calendar_always, NOON, &since);
}

static void machines_that_vanish_together_are_one_incident(void **state)
{
	struct incident_machine m[] = {gone(9000), gone(12), here, gone(8), gone(7), here};

	(void)state;
	assert_true(opens(m, COUNT(m)));
	assert_int_equal(since, NOON - 12 * MINUTE);
	assert_false(m[0].member || m[2].member || m[5].member);
	assert_true(m[1].member && m[3].member && m[4].member);
}

static void few_scattered_or_a_minority_are_each_their_own(void **state)
{
	struct incident_machine two[] = {gone(12), gone(12)};
	struct incident_machine scattered[] = {gone(120), gone(60), gone(12)};
	struct incident_machine minority[] = {gone(12), gone(12), gone(12), here, here, here, here};
	struct incident_machine half[] = {gone(12), gone(12), gone(12), here, here, here};
	struct incident_machine apart[] = {gone(17), gone(14), gone(11)};

	(void)state;
	assert_false(opens(two, COUNT(two)));
	assert_false(opens(scattered, COUNT(scattered)));
	assert_false(opens(minority, COUNT(minority)));
	assert_true(opens(half, COUNT(half)));
	assert_false(opens(apart, COUNT(apart)));
	assert_false(apart[0].member || apart[1].member || apart[2].member);
	apart[0] = gone(16);
	assert_true(opens(apart, COUNT(apart)));
	assert_false(opens(NULL, 0));
}

/* A later straggler hides no earlier crowd. */
static void the_largest_crowd_counts_not_the_last(void **state)
{
	struct incident_machine m[] = {gone(60), gone(59), gone(58), gone(57), gone(1), here};

	(void)state;
	assert_true(opens(m, COUNT(m)));
	assert_int_equal(since, NOON - 60 * MINUTE);
	assert_false(m[4].member);
}

static void who_follows_joins(void **state)
{
	struct incident_machine m[] = {gone(60), gone(59), gone(58), gone(54), gone(40), here};

	(void)state;
	m[0].member = m[1].member = m[2].member = true;
	assert_int_equal(incident_joins(m, COUNT(m), &calendar_always, NOON), 1);
	assert_true(m[3].member);
	assert_false(m[4].member || m[5].member);
	assert_int_equal(incident_joins(m, COUNT(m), &calendar_always, NOON), 0);
	struct incident_machine none[] = {here, gone(1)};
	assert_int_equal(incident_joins(none, COUNT(none), &calendar_always, NOON), 0);
}

static void i9_it_ends_when_most_are_back_or_it_lasted_too_long(void **state)
{
	struct incident_machine m[] = {gone(60), gone(59), gone(58), gone(57), here};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		m[i].member = true;
	assert_false(incident_ends(m, COUNT(m), NOON - HOUR, NOON));
	m[0] = (struct incident_machine){0, true};
	m[1] = (struct incident_machine){0, true};
	assert_false(incident_ends(m, COUNT(m), NOON - HOUR, NOON)); /* half: not most */
	m[2] = (struct incident_machine){0, true};
	assert_true(incident_ends(m, COUNT(m), NOON - HOUR, NOON));
	m[0] = m[1] = m[2] = m[3];
	assert_false(incident_ends(m, COUNT(m), NOON - INCIDENT_LASTS_MS + 1, NOON));
	assert_true(incident_ends(m, COUNT(m), NOON - INCIDENT_LASTS_MS, NOON));
	assert_true(incident_ends(NULL, 0, NOON, NOON));
	/* And it doesn't begin anew by the same. */
	struct incident_machine old[] = {gone(44640), gone(44640), gone(44640)}; /* 31 days */
	assert_false(opens(old, COUNT(old)));
}

/* Friday noon; open from 06:00 to 22:00. */
static void a_closed_site_has_none_until_it_should_be_open(void **state)
{
	struct calendar c = {.week = {{0}}};
	int64_t night = NOON + 11 * HOUR, morning = NOON + 18 * HOUR;
	struct incident_machine m[] = {{night, false}, {night + MINUTE, false}, {night + 3 * HOUR, false}};

	(void)state;
	assert_int_equal(calendar_open(&c, "mon-sun", "06:00-22:00", NULL), 0);
	assert_false(incident_opens(m, COUNT(m), &c, night + 4 * HOUR, &since));
	assert_false(incident_opens(m, COUNT(m), &c, morning + INCIDENT_OPENING_MS - 1, &since));
	assert_true(incident_opens(m, COUNT(m), &c, morning + INCIDENT_OPENING_MS, &since));
	assert_int_equal(since, morning);
	/* Vanished in open hours: none is opened at night. */
	struct incident_machine late[] = {{NOON, false}, {NOON, false}, {NOON, false}};
	assert_false(incident_opens(late, COUNT(late), &c, night, &since));
	assert_true(incident_opens(late, COUNT(late), &c, NOON + HOUR, &since));
	assert_int_equal(since, NOON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(machines_that_vanish_together_are_one_incident),
	    cmocka_unit_test(few_scattered_or_a_minority_are_each_their_own),
	    cmocka_unit_test(the_largest_crowd_counts_not_the_last),
	    cmocka_unit_test(who_follows_joins),
	    cmocka_unit_test(i9_it_ends_when_most_are_back_or_it_lasted_too_long),
	    cmocka_unit_test(a_closed_site_has_none_until_it_should_be_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
