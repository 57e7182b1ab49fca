/* Machines are switched on as others come online, and nobody who can't connect holds them up for long. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/sim/pace.h"

enum { MACHINES = 100 };

struct hall {
	bool online[MACHINES];
};

static bool is_online(const void *ctx, size_t machine)
{
	const struct hall *hall = ctx;
	assert_true(machine < MACHINES);
	return hall->online[machine];
}

/* Switches on who may be; returns how many that were. They must come in their order. */
static size_t switch_on(struct pace *pace, const struct hall *hall, int64_t mono_ms)
{
	size_t machine, first = pace->started, count = 0;
	for (; pace_next(pace, mono_ms, is_online, hall, &machine); count++)
		assert_int_equal(machine, first + count);
	assert_int_equal(pace->started, first + count);
	return count;
}

static void switches_few_on_at_once(void **state)
{
	(void)state;
	const struct hall hall = {0};
	struct pace few = {.count = 3}, many = {.count = MACHINES};
	assert_int_equal(switch_on(&few, &hall, 0), 3);
	assert_int_equal(switch_on(&many, &hall, 0), PACE_COMING_MAX);
	assert_int_equal(switch_on(&many, &hall, PACE_COMING_MS - 1), 0);
}

static void switches_another_on_for_each_that_came(void **state)
{
	(void)state;
	struct hall hall = {0};
	struct pace pace = {.count = MACHINES};
	switch_on(&pace, &hall, 0);
	hall.online[7] = hall.online[30] = true;
	assert_int_equal(switch_on(&pace, &hall, 1), 2);
	assert_int_equal(switch_on(&pace, &hall, 2), 0);
	hall.online[PACE_COMING_MAX + 1] = true;
	assert_int_equal(switch_on(&pace, &hall, 3), 1);
}

static void waits_no_longer_for_who_came_once(void **state)
{
	(void)state;
	struct hall hall = {.online = {true}};
	struct pace pace = {.count = MACHINES};
	switch_on(&pace, &hall, 0);
	assert_int_equal(pace.started, PACE_COMING_MAX + 1);
	hall.online[0] = false;
	assert_int_equal(switch_on(&pace, &hall, 1), 0);
	hall.online[1] = true;
	assert_int_equal(switch_on(&pace, &hall, 1), 1);
}

static void is_not_held_up_by_machines_that_cannot_connect(void **state)
{
	(void)state;
	const struct hall hall = {0};
	struct pace pace = {.count = MACHINES};
	switch_on(&pace, &hall, 5);
	assert_int_equal(switch_on(&pace, &hall, 5 + PACE_COMING_MS), PACE_COMING_MAX);
	assert_int_equal(switch_on(&pace, &hall, 5 + 2 * PACE_COMING_MS), MACHINES - 2 * PACE_COMING_MAX);
	assert_int_equal(switch_on(&pace, &hall, 5 + 3 * PACE_COMING_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(switches_few_on_at_once),
	    cmocka_unit_test(switches_another_on_for_each_that_came),
	    cmocka_unit_test(waits_no_longer_for_who_came_once),
	    cmocka_unit_test(is_not_held_up_by_machines_that_cannot_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
