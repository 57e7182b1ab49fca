/* The gateway's clock is set while it judges. */
#include "tests/unit/gateway/judge/judge_rig.h"

static struct store_flag flags[JUDGE_FLAGS_MAX];

static void set_clock(struct judge_rig *g, int64_t to_ms)
{
	g->now.wall_ms = to_ms;
}

/* A site rests a minute between two judgements, not until the clock is again where it was. */
static void a_site_is_judged_after_the_clock_was_set_back(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_put_in_force(
	    g, "rules: [{id: used, title: t, subject: site, metric: sessions, window: 24h, warn: 2, advice: a}]");
	judge_session(g, 0, NOON + 2 * HOUR, &(struct judge_session){0});
	judge_now(g, 0, NOON + 2 * HOUR);
	judge_run(g, NOON + 2 * HOUR + 2 * MINUTE);
	assert_int_equal(judge_flags(g, "used", flags), 0);
	set_clock(g, NOON + HOUR);
	judge_session(g, 1, NOON + HOUR, &(struct judge_session){0});
	judge_now(g, 1, NOON + HOUR);
	/* The first is to come again. */
	judge_session(g, 1, NOON + HOUR + MINUTE, &(struct judge_session){0});
	judge_now(g, 1, NOON + HOUR + MINUTE);
	judge_run(g, NOON + HOUR + 3 * MINUTE);
	assert_int_equal(judge_flags(g, "used", flags), 1);
	assert_int_equal(flags[0].episode.opened_ms, NOON + HOUR + MINUTE);
	judge_rig_free(g);
}

/* What happened just before is to come again: it isn't taken back, and not flagged twice. */
static void what_is_flagged_stays_when_the_clock_was_set_back(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	uint64_t id;

	(void)state;
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	id = flags[0].id;
	set_clock(g, NOON + HOUR);
	judge_run(g, NOON + HOUR + 30 * MINUTE);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].id, id);
	assert_int_equal(flags[0].episode.ended_ms, 0);
	judge_run(g, NOON + 2 * DAY);
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].id, id);
	assert_int_equal(flags[0].episode.ended_ms, NOON + 2 * HOUR + DAY);
	assert_int_equal(judge_events(g, "withdrawn", id), 0);
	judge_rig_free(g);
}

static void nothing_ends_before_it_began(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	set_clock(g, NOON + HOUR);
	judge_put_in_force(g, "rules: []");
	assert_int_equal(judge_flags(g, "D3", flags), 1);
	assert_int_equal(flags[0].end, STORE_FLAG_RULE_GONE);
	assert_int_equal(flags[0].episode.ended_ms, NOON + 2 * HOUR);
	judge_rig_free(g);
}

static const char quiet[] = "rules: [{id: quiet, title: t, subject: device, metric: silent_min, warn: 15, advice: a}]";

/* All that was heard was heard at moments that are still to come. */
static void silence_counts_from_when_the_clock_was_set_back(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_put_in_force(g, quiet);
	judge_births(g);
	judge_run(g, NOON + MINUTE);
	set_clock(g, NOON - 6 * HOUR);
	judge_run(g, NOON - 6 * HOUR + 15 * MINUTE - 1000);
	assert_int_equal(judge_flags(g, "quiet", flags), 0);
	judge_run(g, NOON - 6 * HOUR + 15 * MINUTE);
	assert_int_equal(judge_flags(g, "quiet", flags), JUDGE_MACHINES);
	assert_int_equal(flags[0].episode.opened_ms, NOON - 6 * HOUR + 15 * MINUTE);
	judge_births(g);
	judge_run(g, NOON - 5 * HOUR);
	judge_births(g);
	judge_run(g, NOON - 5 * HOUR + MINUTE);
	for (size_t i = 0; i < judge_flags(g, "quiet", flags); i++)
		assert_int_not_equal(flags[i].episode.ended_ms, 0);
	judge_rig_free(g);
}

/* A box without a clock of its own learns the time when it has heard everybody for long: they weren't silent for days. */
static void silence_counts_from_when_the_clock_was_set_forward(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const int64_t then_ms = NOON + 9 * DAY;

	(void)state;
	judge_put_in_force(g, quiet);
	judge_births(g);
	judge_run(g, NOON + MINUTE);
	set_clock(g, then_ms);
	judge_run(g, then_ms + MINUTE);
	assert_int_equal(judge_flags(g, "quiet", flags), 0);
	judge_births(g);
	judge_run(g, then_ms + 16 * MINUTE - 1000);
	assert_int_equal(judge_flags(g, "quiet", flags), 0);
	judge_run(g, then_ms + 16 * MINUTE);
	assert_int_equal(judge_flags(g, "quiet", flags), JUDGE_MACHINES);
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_site_is_judged_after_the_clock_was_set_back),
	    cmocka_unit_test(what_is_flagged_stays_when_the_clock_was_set_back),
	    cmocka_unit_test(nothing_ends_before_it_began),
	    cmocka_unit_test(silence_counts_from_when_the_clock_was_set_back),
	    cmocka_unit_test(silence_counts_from_when_the_clock_was_set_forward),
	};

	return cmocka_run_group_tests_name("judge clock", tests, NULL, NULL);
}
