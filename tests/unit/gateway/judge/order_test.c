/*
 * The same histories, with machines that move, told in other ways: days late, shuffled across machines, twice, over restarts of the gateway, and over the changes of the clock in
 * Berlin. All end in the flags of the machines that told everything at once.
 */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEDS = 140, SPAN_D = 9, LATE_D = 4, PEOPLE = 3, HISTORIES = 3 };

/* ---- a history ---- */

static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Whose it is, and what it was. */
static void write_session(struct judge_rig *g, size_t m, int64_t at_ms)
{
	static const enum gf_area areas[] = {GF_AREA_QUADS, GF_AREA_VASTUS_MEDIALIS, GF_AREA_CALVES, GF_AREA_LEGS};
	struct judge_session s = {
	    .token = next_random(PEOPLE + 1),
	    .staff = m >= 2 ? next_random(3) : 0,
	    .routine = next_random(4) == 0 ? "discharge_next_day" : NULL,
	    .lasts_ms = (int64_t)(1 + next_random(200)) * MINUTE,
	    .motor_ms = (int64_t)(1 + next_random(20)) * MINUTE,
	    .areas_count = 1 + next_random(3),
	};

	for (size_t i = 0; i < s.areas_count; i++)
		s.areas[i] = (struct gf_area_use){areas[next_random(4)],
		                                  (enum gf_side)(1 + next_random(3)),
		                                  next_random(3) ? GF_TECHNIQUE_PERCUSSION : GF_TECHNIQUE_ROLL,
		                                  (uint32_t)(1 + next_random(300)) * 1000,
		                                  30,
		                                  (float)(20 + next_random(60))};
	judge_session(g, m, at_ms, &s);
}

static void write_something(struct judge_rig *g, int64_t at_ms)
{
	static const enum gf_fault codes[] = {GF_FAULT_STALL, GF_FAULT_OVERCURRENT, GF_FAULT_LEAK, GF_FAULT_OVERTEMP_MOTOR};
	static const char *const limits[] = {"D1", "P3", "P8", "P1"}, *const actions[] = {"stop", "clamp", "skip_step"};
	size_t m = next_random(JUDGE_MACHINES);

	switch (next_random(6)) {
	case 0:
		judge_fault(g, m, at_ms, codes[next_random(4)]);
		break;
	case 1:
		judge_limit(g, m, at_ms, limits[next_random(4)], actions[next_random(3)]);
		break;
	default:
		write_session(g, m, at_ms);
	}
}

/* The machines write all of it down, and tell nothing. Whole minutes, so that moments meet. */
static void write_history(struct judge_rig *g, int64_t start_ms, uint64_t seed)
{
	int64_t times[DEEDS];

	random_state = seed;
	for (size_t i = 0; i < DEEDS; i++)
		times[i] = start_ms + (int64_t)next_random((uint64_t)SPAN_D * 24 * 60) * MINUTE;
	qsort(times, DEEDS, sizeof(times[0]), by_time);
	for (size_t i = 0; i < DEEDS; i++)
		write_something(g, times[i]);
}

/* ---- ways to tell it ---- */

struct way {
	const char *name;
	bool late, twice, restarts;
};

static int64_t at_of(const struct judge_rig *g, size_t m, size_t n)
{
	return (int64_t)g->machines[m].records[n].wall_ms;
}

/* The machine that is to tell next, and when: at once, or days late; its records in their order. */
static bool next_telling(const struct judge_rig *g, const size_t until[static JUDGE_MACHINES],
                         const int64_t delay_ms[static JUDGE_MACHINES], size_t *ret_m, int64_t *ret_ms)
{
	bool found = false;

	for (size_t m = 0; m < JUDGE_MACHINES; m++) {
		int64_t at_ms;

		if (until[m] >= g->machines[m].count)
			continue;
		at_ms = at_of(g, m, until[m]) + delay_ms[m];
		if (found && at_ms >= *ret_ms)
			continue;
		found = true;
		*ret_m = m;
		*ret_ms = at_ms;
	}
	return found;
}

/* Three machines are carried to and fro; who says it late says since when. */
static const struct {
	size_t m;
	int64_t after_ms;
	const char *site;
} moves[] = {{0, 2 * DAY + 7 * HOUR, "lisbon"},
             {2, 3 * DAY + 90 * MINUTE, "lisbon"},
             {1, 5 * DAY, "lisbon"},
             {0, 6 * DAY + 13 * HOUR, "berlin"}};

enum { MOVES = sizeof(moves) / sizeof(moves[0]) };

/* Those of the moves that have been by now. */
static void tell_moves(struct judge_rig *g, int64_t start_ms, int64_t delay_ms, size_t *told)
{
	const struct store_actor anna = {.who = "anna"};

	for (; *told < MOVES && start_ms + moves[*told].after_ms + delay_ms <= g->now.wall_ms; (*told)++) {
		const struct store_device_change change = {.site = moves[*told].site,
		                                           .site_since_ms = start_ms + moves[*told].after_ms};

		assert_int_equal(
		    store_device_set(g->f->store, g->machines[moves[*told].m].id, &change, &anna, g->now.wall_ms, NULL), 0);
	}
}

static void tell_history(struct judge_rig *g, int64_t start_ms, const struct way *way)
{
	const int64_t moved_late_ms = way->late ? 31 * HOUR : 0;
	size_t until[JUDGE_MACHINES] = {0}, m = 0, moved = 0;
	int64_t delay_ms[JUDGE_MACHINES] = {0}, at_ms = 0;

	while (next_telling(g, until, delay_ms, &m, &at_ms)) {
		if (at_ms + 1000 > g->now.wall_ms)
			judge_run(g, at_ms + 1000);
		tell_moves(g, start_ms, moved_late_ms, &moved);
		until[m]++;
		judge_tell_some(g, m, until[m]);
		if (way->twice && next_random(2))
			judge_tell_again(g, m);
		/* Not all of what came is judged when the gateway ends. */
		if (way->restarts && next_random(8) == 0)
			judge_reborn(g);
		if (way->late && next_random(5) == 0)
			delay_ms[m] = (int64_t)next_random((uint64_t)LATE_D * 24 * 60) * MINUTE;
	}
	judge_run(g, start_ms + (SPAN_D + LATE_D) * DAY);
	tell_moves(g, start_ms, moved_late_ms, &moved);
	assert_int_equal(moved, MOVES);
}

static char *told(int64_t start_ms, uint64_t seed, const struct way *way)
{
	struct judge_rig *g = judge_rig_new(start_ms);
	char *text;

	write_history(g, start_ms, seed);
	tell_history(g, start_ms, way);
	judge_run(g, start_ms + (SPAN_D + LATE_D + 10) * DAY);
	text = judge_fingerprint(g);
	judge_rig_free(g);
	return text;
}

/* The first line in which they differ, of each. */
static void differ(const char *text, const char *expected, const char *way, uint64_t history)
{
	while (*text != '\0' && *text == *expected) {
		const char *end = strchr(text, '\n'), *other = strchr(expected, '\n');

		if (end - text != other - expected || strncmp(text, expected, (size_t)(end - text)) != 0)
			break;
		text = end + 1;
		expected = other + 1;
	}
	fail_msg("history %d, %s:\n%.*s\ninstead of\n%.*s", (int)history, way, (int)strcspn(text, "\n"), text,
	         (int)strcspn(expected, "\n"), expected);
}

static void all_ways_end_the_same(int64_t start_ms)
{
	static const struct way at_once = {.name = "at once"};
	static const struct way ways[] = {
	    {.name = "late", .late = true},
	    {.name = "twice", .twice = true},
	    {.name = "restarts", .restarts = true},
	    {"all of it", true, true, true},
	};

	for (uint64_t history = 1; history <= HISTORIES; history++) {
		uint64_t seed = history * UINT64_C(0x9e3779b97f4a7c15);
		char *expected = told(start_ms, seed, &at_once);

		assert_true(strlen(expected) > 0);
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			char *text = told(start_ms, seed, &ways[i]);

			if (strcmp(text, expected) != 0)
				differ(text, expected, ways[i].name, history);
			free(text);
		}
		free(expected);
	}
}

static void any_order_gives_the_same_flags(void **state)
{
	(void)state;
	all_ways_end_the_same(NOON);
}

/* 2026-10-25, 03:00 is 02:00 again. */
static void the_same_when_the_clock_goes_back(void **state)
{
	(void)state;
	all_ways_end_the_same(INT64_C(1792584000000));
}

/* 2027-03-28, 02:00 is 03:00. */
static void the_same_when_the_clock_goes_forward(void **state)
{
	(void)state;
	all_ways_end_the_same(INT64_C(1805889600000));
}

/* A day of 25 hours: the flag lasts until the midnight on the wall, which is an hour later. */
static void a_day_ends_at_the_midnight_on_the_wall(void **state)
{
	const struct {
		int64_t start_ms, midnight_ms;
	} days[] = {
	    {INT64_C(1792879200000) /* 2026-10-25 00:00 +02:00 */, INT64_C(1792879200000) + 25 * HOUR},
	    {INT64_C(1806188400000) /* 2027-03-28 00:00 +01:00 */, INT64_C(1806188400000) + 23 * HOUR},
	};
	struct store_flag *flags = calloc(JUDGE_FLAGS_MAX, sizeof(*flags));

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct judge_rig *g = judge_rig_new(days[i].start_ms - DAY);
		const struct judge_session s = {.token = 5};

		/* The first of the day, two later: three. One of the evening before doesn't count. */
		judge_session(g, 0, days[i].start_ms - 1000, &s);
		judge_session(g, 0, days[i].start_ms, &s);
		judge_session(g, 0, days[i].start_ms + 90 * MINUTE, &s);
		judge_now(g, 0, days[i].start_ms + 90 * MINUTE);
		assert_int_equal(judge_flags(g, "P4", flags), 0);
		judge_session(g, 0, days[i].midnight_ms - 1000, &s);
		judge_run(g, days[i].midnight_ms - 1000);
		judge_tell(g, 0);
		judge_run(g, days[i].midnight_ms - 1);
		assert_int_equal(judge_flags(g, "P4", flags), 1);
		assert_int_equal(flags[0].episode.ended_ms, 0);
		judge_run(g, days[i].midnight_ms);
		assert_int_equal(judge_flags(g, "P4", flags), 1);
		assert_int_equal(flags[0].episode.ended_ms, days[i].midnight_ms);
		judge_rig_free(g);
	}
	free(flags);
}

/* A flag that late data makes says that it is late, and holds nothing when it was over. */
static void late_data_flags_the_past_and_says_so(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct store_flag *flags = calloc(JUDGE_FLAGS_MAX, sizeof(*flags));
	const struct judge_session s = {.token = 5};

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		judge_session(g, 0, NOON + i * HOUR, &s);
	judge_run(g, NOON + 3 * DAY);
	judge_tell(g, 0);
	judge_run(g, NOON + 3 * DAY);
	assert_int_equal(judge_flags(g, "P4", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, NOON + 2 * HOUR);
	assert_int_equal(flags[0].episode.ended_ms, NOON + 11 * HOUR);
	assert_int_equal(flags[0].found_ms, NOON + 3 * DAY);
	assert_int_equal(flags[0].late_ms, 3 * DAY - 2 * HOUR);
	assert_int_equal(judge_events(g, "opened", flags[0].id), 1);
	assert_int_equal(judge_events(g, "cleared", flags[0].id), 1);
	free(flags);
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_order_gives_the_same_flags),
	    cmocka_unit_test(the_same_when_the_clock_goes_back),
	    cmocka_unit_test(the_same_when_the_clock_goes_forward),
	    cmocka_unit_test(a_day_ends_at_the_midnight_on_the_wall),
	    cmocka_unit_test(late_data_flags_the_past_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
