/* Machines that move: what they did is judged by the site where they did it, whenever that is told. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdlib.h>
#include <string.h>

static struct store_flag flags[JUDGE_FLAGS_MAX];

static const char stalls_of_a_site[] = "rules:\n"
                                       "  - id: stalls\n"
                                       "    title: stalls\n"
                                       "    subject: site\n"
                                       "    metric: faults\n"
                                       "    codes: [stall]\n"
                                       "    window: 7d\n"
                                       "    warn: 2\n"
                                       "    advice: Look at them.\n";

static void put_in_force(struct judge_rig *g, const char *text)
{
	struct judgement_config before = g->config;
	struct gf_diag diag = {""};

	if (rules_yaml_load_text("rules.yaml", text, strlen(text), &g->config, &diag))
		fail_msg("%s", diag.text);
	judge_reborn(g);
	judgement_config_deinit(&before);
	judge_run(g, g->now.wall_ms);
}

static void move(struct judge_rig *g, size_t m, const char *site, int64_t since_ms)
{
	const struct store_device_change change = {.site = site, .site_since_ms = since_ms};
	const struct store_actor anna = {.who = "anna"};

	assert_int_equal(store_device_set(g->f->store, g->machines[m].id, &change, &anna, g->now.wall_ms, NULL), 0);
	judge_run(g, g->now.wall_ms + 2 * MINUTE);
}

static void a_site_is_judged_by_what_happened_there(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	put_in_force(g, stalls_of_a_site);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_fault(g, 1, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 1, NOON + 2 * HOUR);
	judge_run(g, NOON + 3 * HOUR);
	move(g, 0, "hamburg", 0);
	assert_int_equal(judge_flags(g, NULL, flags), 0);
	/* It tells in Hamburg of what it did in Berlin: the second there was the other machine's. */
	judge_run(g, NOON + 5 * HOUR);
	judge_tell(g, 0);
	judge_run(g, NOON + 5 * HOUR + 2 * MINUTE);
	assert_int_equal(judge_flags(g, NULL, flags), 1);
	assert_string_equal(flags[0].site, "berlin");
	assert_int_equal(flags[0].episode.opened_ms, NOON + 2 * HOUR);
	assert_int_equal(flags[0].late_ms, 3 * HOUR);
	/* Its next one is Hamburg's first. */
	judge_fault(g, 0, NOON + 6 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 6 * HOUR);
	judge_run(g, NOON + 6 * HOUR + 2 * MINUTE);
	assert_int_equal(judge_flags(g, NULL, flags), 1);
	assert_int_equal(flags[0].episode.times, 1);
	/* The other one was in Hamburg, too, when it stalled: it is Hamburg that had two. */
	move(g, 1, "hamburg", NOON + HOUR + 30 * MINUTE);
	assert_int_equal(judge_flags(g, NULL, flags), 1);
	assert_string_equal(flags[0].site, "hamburg");
	assert_int_equal(flags[0].episode.opened_ms, NOON + 6 * HOUR);
	judge_rig_free(g);
}

/* Three sessions a day are too many for one person; the day is the one of the site. In Lisbon it ends an hour later. */
static void a_persons_day_is_that_of_the_site_where_the_machine_was(void **state)
{
	/* 2026-11-21 00:00 in Berlin. */
	const int64_t midnight_ms = NOON + 11 * HOUR;
	const struct judge_session s = {.token = 5};
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	for (int64_t i = 0; i < 4; i++)
		judge_session(g, 0, midnight_ms + (i - 1) * 20 * MINUTE, &s);
	judge_run(g, midnight_ms + 2 * HOUR);
	judge_tell(g, 0);
	judge_run(g, midnight_ms + 2 * HOUR);
	/* One before midnight, three after. */
	assert_int_equal(judge_flags(g, "P4", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, midnight_ms + 40 * MINUTE);
	/* It was in Lisbon: all four were before midnight. */
	move(g, 0, "lisbon", NOON + HOUR);
	assert_int_equal(judge_flags(g, "P4", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, midnight_ms + 20 * MINUTE);
	assert_int_equal(flags[0].episode.ended_ms, midnight_ms + HOUR);
	judge_rig_free(g);
}

static const char used_two_days[] = "rules:\n"
                                    "  - id: days\n"
                                    "    title: used\n"
                                    "    subject: device\n"
                                    "    metric: sessions\n"
                                    "    window: day\n"
                                    "    warn: 1\n"
                                    "    days: 2\n"
                                    "    advice: Look at it.\n";

/* Saturday and Sunday in Berlin; told in Lisbon, which is closed on Sundays. */
static void days_in_a_row_are_those_of_the_site_where_it_was(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session s = {.token = 0};

	(void)state;
	put_in_force(g, used_two_days);
	judge_session(g, 0, NOON + DAY, &s);
	judge_session(g, 0, NOON + 2 * DAY, &s);
	judge_run(g, NOON + 4 * DAY);
	move(g, 0, "lisbon", 0);
	judge_tell(g, 0);
	judge_run(g, NOON + 4 * DAY + 5 * MINUTE);
	assert_int_equal(judge_flags(g, "days", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, NOON + 2 * DAY);
	assert_string_equal(flags[0].site, "berlin");
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_site_is_judged_by_what_happened_there),
	    cmocka_unit_test(days_in_a_row_are_those_of_the_site_where_it_was),
	    cmocka_unit_test(a_persons_day_is_that_of_the_site_where_the_machine_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
