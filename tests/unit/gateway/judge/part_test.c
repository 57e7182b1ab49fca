/* Who tells more than can be judged is judged by the newest of it, by all rules, and it is said: with small limits, where nothing else is said. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/sqlite/writer.h"
#include "proto/base/rand.h"

enum { MOST = 20 };

static struct store_flag flags[JUDGE_FLAGS_MAX];

static const char some_rules[] = "rules:\n"
                                 "  - id: stalls\n"
                                 "    title: stalls too often\n"
                                 "    subject: device\n"
                                 "    metric: faults\n"
                                 "    codes: [stall]\n"
                                 "    window: 24h\n"
                                 "    warn: 1\n"
                                 "    advice: Look at it.\n"
                                 "  - id: used\n"
                                 "    title: used often\n"
                                 "    subject: device\n"
                                 "    metric: sessions\n"
                                 "    window: 24h\n"
                                 "    warn: 2\n"
                                 "    advice: Look at it.\n";

static struct judge_rig *rig(const char *rules)
{
	struct judge_rig *g = judge_rig_new(NOON);

	g->facts_max = MOST;
	judge_reborn(g);
	judge_put_in_force(g, rules);
	return g;
}

/* Machine 0 says so often that its cover is open, a second apart. */
static void flood(struct judge_rig *g, int64_t from_ms, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		judge_fault(g, 0, from_ms + i * 1000, GF_FAULT_COVER_OPEN);
	judge_now(g, 0, from_ms + count * 1000);
}

static struct store_flag one(struct judge_rig *g, const char *rule)
{
	assert_int_equal(judge_flags(g, rule, flags), 1);
	return flags[0];
}

static void a_flood_of_one_kind_silences_no_rule(void **state)
{
	struct judge_rig *g = rig(some_rules);
	const struct judge_session s = {.lasts_ms = MINUTE};
	struct store_flag f;

	(void)state;
	judge_session(g, 0, NOON + HOUR, &s);
	judge_now(g, 0, NOON + HOUR);
	flood(g, NOON + 2 * HOUR, 3 * MOST);
	judge_fault(g, 0, NOON + 3 * HOUR, GF_FAULT_STALL);
	judge_session(g, 0, NOON + 3 * HOUR + MINUTE, &s);
	judge_fault(g, 1, NOON + 3 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 3 * HOUR + MINUTE);
	judge_tell(g, 1);
	judge_run(g, g->now.wall_ms);
	/* By the kind that floods, and by another. */
	assert_int_equal(judge_flags(g, "stalls", flags), 2);
	assert_int_equal(flags[0].episode.opened_ms, NOON + 3 * HOUR);
	assert_int_equal(flags[1].episode.opened_ms, NOON + 3 * HOUR);
	assert_int_equal(one(g, "used").episode.opened_ms, NOON + 3 * HOUR + MINUTE);
	f = one(g, STORE_RULE_JUDGING);
	assert_string_equal(f.device, "machine-0");
	assert_int_equal(f.severity, RULE_SEVERITY_ATTENTION);
	assert_non_null(strstr(f.text, "stalls sees only what came after 20"));
	assert_null(strstr(f.text, "used"));
	assert_non_null(strstr(f.advice, "gymfleet sessions machine-0"));
	assert_int_equal(f.episode.behind_count, EPISODE_BEHIND_MAX);
	assert_int_equal(f.episode.behind[EPISODE_BEHIND_MAX - 1].kind, FACT_FAULT);
	assert_int_equal(judge_events(g, "opened", f.id), 1);
	judge_rig_free(g);
}

static void i9_it_ends_when_the_flood_is_over(void **state)
{
	struct judge_rig *g = rig(some_rules);
	struct store_flag f;

	(void)state;
	flood(g, NOON + HOUR, 2 * MOST);
	flood(g, NOON + 2 * HOUR, 2 * MOST);
	f = one(g, STORE_RULE_JUDGING);
	assert_in_range(f.due_ms, g->now.wall_ms, g->now.wall_ms + HOUR);
	assert_int_equal(f.end, STORE_FLAG_OPEN);
	judge_run(g, NOON + 2 * DAY);
	f = one(g, STORE_RULE_JUDGING);
	assert_int_equal(f.end, STORE_FLAG_CLEARED);
	assert_in_range(f.episode.ended_ms, NOON + DAY, NOON + DAY + 6 * HOUR);
	assert_int_equal(judge_events(g, "cleared", f.id), 1);
	/* Also when no rule looks at it any more. */
	flood(g, NOON + 2 * DAY, 2 * MOST);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 2);
	judge_put_in_force(g, "rules: []\n");
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 2);
	assert_int_equal(flags[1].end, STORE_FLAG_OPEN);
	judge_run(g, NOON + 2 * DAY + 3 * HOUR);
	judge_flags(g, STORE_RULE_JUDGING, flags);
	assert_int_equal(flags[1].end, STORE_FLAG_CLEARED);
	judge_rig_free(g);
}

/* What nobody can see any more doesn't show that there was nothing. */
static void what_was_flagged_before_stays(void **state)
{
	struct judge_rig *g = rig(some_rules);
	struct store_flag before, after;

	(void)state;
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	before = one(g, "stalls");
	flood(g, NOON + 2 * HOUR, 3 * MOST);
	/* Late, and before all that is seen. */
	judge_fault(g, 0, NOON + HOUR / 2, GF_FAULT_COVER_OPEN);
	judge_now(g, 0, NOON + 3 * HOUR);
	after = one(g, "stalls");
	assert_int_equal(after.id, before.id);
	assert_int_equal(after.episode.opened_ms, before.episode.opened_ms);
	assert_int_equal(after.episode.times, 1);
	assert_int_equal(judge_events(g, "withdrawn", before.id), 0);
	judge_rig_free(g);
}

static const char locking[] =
    "rules:\n"
    "  - {id: stalls, title: t, subject: device, metric: faults, codes: [stall], window: 24h,\n"
    "     warn: 1, act: 2, lock: act%s, advice: a}\n";

static bool locked(struct judge_rig *g)
{
	return get_device(g->f, "machine-0", g->now.wall_ms).desired.locked;
}

/* The two stalls are no longer seen, but nobody has looked at the machine. */
static struct judge_rig *locked_and_flooded(const char *clear)
{
	char text[sizeof(locking) + 32];
	struct judge_rig *g;

	snprintf(text, sizeof(text), locking, clear);
	g = rig(text);
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_true(locked(g));
	flood(g, NOON + 3 * HOUR, 3 * MOST);
	assert_true(locked(g));
	return g;
}

static void a_flood_unlocks_nothing(void **state)
{
	struct judge_rig *g = locked_and_flooded("");
	struct store_flag f;

	(void)state;
	judge_reborn(g);
	judge_run(g, NOON + 25 * HOUR + 59 * MINUTE);
	assert_true(locked(g));
	f = one(g, "stalls");
	assert_int_equal(f.end, STORE_FLAG_OPEN);
	assert_int_equal(f.episode.opened_ms, NOON + HOUR);
	/* What came unseen may have been a stall, too: a day after that it is over for sure. */
	judge_run(g, NOON + 27 * HOUR + 2 * MINUTE);
	assert_false(locked(g));
	f = one(g, "stalls");
	assert_int_equal(f.end, STORE_FLAG_CLEARED);
	assert_in_range(f.episode.ended_ms, NOON + 26 * HOUR, NOON + 27 * HOUR + MINUTE);
	judge_run(g, NOON + 30 * HOUR);
	assert_int_equal(judge_events(g, "cleared", one(g, "stalls").id), 1);
	judge_rig_free(g);
}

static void i9_a_flood_that_goes_on_holds_no_lock_for_ever(void **state)
{
	struct judge_rig *g = locked_and_flooded("");

	(void)state;
	for (int64_t hour = 4; hour < 26; hour += 2) {
		flood(g, NOON + hour * HOUR, MOST / 2);
		assert_true(locked(g));
	}
	judge_run(g, NOON + 28 * HOUR);
	assert_false(locked(g));
	flood(g, NOON + 29 * HOUR, 3 * MOST);
	assert_int_equal(one(g, "stalls").end, STORE_FLAG_CLEARED);
	assert_false(locked(g));
	judge_rig_free(g);
}

/* What is between clear and warn leaves no trace in a flag. */
static void by_a_threshold_of_its_own_it_clears_when_all_is_seen(void **state)
{
	struct judge_rig *g = locked_and_flooded(", clear: 0.5");

	(void)state;
	judge_run(g, NOON + 27 * HOUR);
	assert_true(locked(g));
	judge_run(g, NOON + 27 * HOUR + 2 * MINUTE);
	assert_false(locked(g));
	judge_rig_free(g);
}

/* Few are seen, which says nothing of how few there were. */
static void too_few_is_said_of_all_or_not_at_all(void **state)
{
	static const struct judge_session done = {.lasts_ms = MINUTE};
	struct judge_rig *g =
	    rig("rules:\n"
	        "  - {id: few, title: t, subject: device, metric: sessions, routines: [drumming_legs], window: 24h,\n"
	        "     is: below, warn: 4, advice: a}\n");

	(void)state;
	for (int64_t i = 0; i < 5; i++)
		judge_session(g, 0, NOON + HOUR + i * MINUTE, &done);
	for (int64_t i = 0; i < 2 * MOST; i++) {
		const struct judge_session s = {.lasts_ms = MINUTE, .routine = i % 8 == 7 ? "drumming_legs" : "other"};

		judge_session(g, 0, NOON + 2 * HOUR + i * MINUTE, &s);
	}
	judge_now(g, 0, NOON + 3 * HOUR);
	/* At the very first it was one alone. */
	assert_int_equal(judge_flags(g, "few", flags), 0);
	/* A day after what is seen begins. */
	judge_run(g, NOON + 26 * HOUR + 19 * MINUTE);
	assert_int_equal(judge_flags(g, "few", flags), 0);
	judge_run(g, NOON + 28 * HOUR);
	assert_in_range(one(g, "few").episode.opened_ms, NOON + 26 * HOUR, NOON + 27 * HOUR);
	judge_rig_free(g);
}

/* It is judged from its beginning, which is far back; of the hour that the rule looks at nothing is missing. */
static void late_for_a_flag_of_weeks_is_not_too_much(void **state)
{
	struct judge_rig *g =
	    rig("rules:\n"
	        "  - {id: stalls, title: t, subject: device, metric: faults, codes: [stall], window: 1h,\n"
	        "     warn: 1, lock: warn, advice: a}\n");
	const int64_t last_ms = NOON + 2 * MOST * 30 * MINUTE;

	(void)state;
	for (int64_t i = 1; i <= 2 * MOST; i++) {
		judge_fault(g, 0, NOON + i * 30 * MINUTE, GF_FAULT_STALL);
		judge_now(g, 0, NOON + i * 30 * MINUTE);
	}
	judge_fault(g, 0, last_ms - 10 * MINUTE, GF_FAULT_STALL);
	judge_now(g, 0, last_ms + MINUTE);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 0);
	assert_int_equal(one(g, "stalls").episode.opened_ms, NOON + 30 * MINUTE);
	assert_true(locked(g));
	judge_run(g, last_ms + 2 * HOUR);
	assert_int_equal(one(g, "stalls").episode.ended_ms, last_ms + HOUR);
	assert_false(locked(g));
	judge_rig_free(g);
}

static const char six_hours[] =
    "rules:\n"
    "  - {id: stalls, title: t, subject: device, metric: faults, codes: [stall], window: 6h,\n"
    "     warn: 1, act: 2, lock: act, advice: a}\n"
    "  - {id: often, title: t, subject: device, metric: faults, window: 1h, warn: 8,\n"
    "     clear: 4, clear_after: 30m, advice: a}\n";

/* In half an hour machine 0 floods, stalls, stalled two hours ago, or does nothing; the same for all rigs of a seed. */
static void happens(struct judge_rig *g, struct gf_prng *prng, int64_t at_ms)
{
	const uint64_t what = gf_prng_below(prng, 8), many = 8 + gf_prng_below(prng, 24);

	for (uint64_t i = 0; what < 3 && i < many && g->machines[0].count < JUDGE_RECORDS_MAX - MOST; i++)
		judge_fault(g, 0, at_ms - (int64_t)i * MINUTE / 2, GF_FAULT_COVER_OPEN);
	if (what == 3 || what == 4)
		judge_fault(g, 0, at_ms - (what == 4 ? 2 * HOUR : 0), GF_FAULT_STALL);
	judge_now(g, 0, at_ms);
}

/* None is open in the end, no two of a rule are of the same time, and a flood is told once. */
static void check_flags(struct judge_rig *g, const char *rule)
{
	const size_t count = judge_flags(g, rule, flags);

	for (size_t i = 0; i < count; i++) {
		assert_int_not_equal(flags[i].end, STORE_FLAG_OPEN);
		/* What comes late opens a rule's flag again. */
		if (strcmp(rule, STORE_RULE_JUDGING) == 0) {
			assert_int_equal(judge_events(g, "opened", flags[i].id), 1);
			assert_int_equal(judge_events(g, "cleared", flags[i].id), 1);
		}
		if (i > 0)
			assert_true(flags[i].episode.opened_ms >= flags[i - 1].episode.ended_ms);
	}
}

/* Killed at any time, it lets no lock go that who sees all still holds, and holds none for longer than a flood and a window. */
static void i9_floods_late_stalls_and_restarts(void **state)
{
	size_t told = 0, locks = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct judge_rig *all = judge_rig_new(NOON), *part = rig(six_hours);
		struct gf_prng one_way, other, kills;
		bool was = false;

		judge_put_in_force(all, six_hours);
		gf_prng_seed(&one_way, seed);
		gf_prng_seed(&other, seed);
		gf_prng_seed(&kills, seed + 100);
		for (int64_t step = 1; step <= 40; step++) {
			happens(all, &one_way, NOON + step * HOUR / 2);
			happens(part, &other, NOON + step * HOUR / 2);
			if (gf_prng_below(&kills, 4) == 0)
				judge_reborn(part);
			judge_run(part, part->now.wall_ms);
			if (was && locked(all))
				assert_true(locked(part));
			was = locked(part);
			locks += was;
		}
		judge_run(part, NOON + 33 * HOUR);
		told += judge_flags(part, STORE_RULE_JUDGING, flags);
		check_flags(part, STORE_RULE_JUDGING);
		check_flags(part, "stalls");
		check_flags(part, "often");
		assert_false(locked(part));
		judge_rig_free(all);
		judge_rig_free(part);
	}
	assert_true(told > 5 && locks > 10);
}

/* One moment holds more than is taken. */
static void a_flood_at_one_moment_is_seen(void **state)
{
	struct judge_rig *g = rig(some_rules);

	(void)state;
	for (int i = 0; i < 3 * MOST; i++)
		judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_in_range(one(g, "stalls").episode.opened_ms, NOON + HOUR, NOON + HOUR + 1);
	assert_int_equal(one(g, "stalls").episode.observed, MOST);
	judge_rig_free(g);
}

/* What a clock that was ahead has told keeps nobody from judging what is now; it is judged in its time. */
static void a_flood_from_tomorrow_hides_nothing(void **state)
{
	struct judge_rig *g = rig("rules: []\n");

	(void)state;
	flood(g, NOON + HOUR, 3 * MOST);
	assert_int_equal(db_exec(&g->f->store->db, "UPDATE faults SET raised_ms = raised_ms + 24 * 3600000", NULL), 0);
	judge_put_in_force(g, some_rules);
	judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_int_equal(one(g, "stalls").episode.opened_ms, NOON + 2 * HOUR);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 0);
	judge_run(g, NOON + 26 * HOUR);
	assert_in_range(one(g, STORE_RULE_JUDGING).episode.opened_ms, NOON + 25 * HOUR, NOON + 26 * HOUR);
	judge_rig_free(g);
}

/* The gateway's clock went back by less than a day: what is asked for begins in time to come, and a session lies before it that is to come, too. */
static void i10_a_flood_behind_a_clock_that_went_back_is_looked_through(void **state)
{
	struct judge_rig *g =
	    rig("rules:\n"
	        "  - {id: used, title: t, subject: device, metric: sessions, window: 1h, warn: 2, advice: a}\n");
	const struct judge_session s = {.lasts_ms = 1000};

	(void)state;
	for (int64_t i = 0; i < 2 * MOST; i++)
		judge_session(g, 0, NOON + HOUR + i * 2000, &s);
	judge_now(g, 0, NOON + 2 * HOUR);
	assert_int_equal(
	    db_exec(&g->f->store->db,
	            "UPDATE sessions SET started_ms = started_ms + 20 * 3600000, ended_ms = ended_ms + 20 *"
	            " 3600000 WHERE session_no > 1; UPDATE sessions SET started_ms = started_ms + 10 * 3600000,"
	            " ended_ms = ended_ms + 10 * 3600000 WHERE session_no = 1;"
	            "UPDATE judge SET settled_ms = settled_ms + 19 * 3600000, due_ms = 0 WHERE kind = 0",
	            NULL),
	    0);
	judge_reborn(g);
	judge_run(g, NOON + 3 * HOUR);
	judge_run(g, NOON + 22 * HOUR);
	/* The first is of before they were moved. */
	assert_int_equal(judge_flags(g, "used", flags), 2);
	assert_in_range(flags[1].episode.opened_ms, NOON + 21 * HOUR, NOON + 22 * HOUR);
	assert_int_equal(flags[1].end, STORE_FLAG_OPEN);
	judge_rig_free(g);
}

static void what_one_rule_cannot_look_through_leaves_the_others_be(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct store_flag f;

	(void)state;
	g->work_max = 400;
	judge_reborn(g);
	judge_put_in_force(
	    g, "rules:\n"
	       "  - {id: shaken, title: t, subject: staff, metric: vibration_points, window: 24h, warn: 100, advice: a}\n"
	       "  - {id: used, title: t, subject: staff, metric: sessions, window: 24h, warn: 60, advice: a}\n");
	for (int64_t i = 1; i <= 60; i++) {
		const struct judge_session s = {.staff = 7, .motor_ms = i == 60 ? HOUR : 0};

		judge_session(g, 2, NOON + i * 10 * MINUTE, &s);
	}
	judge_now(g, 2, NOON + 10 * HOUR);
	assert_int_equal(one(g, "shaken").episode.opened_ms, NOON + 10 * HOUR);
	assert_int_equal(one(g, "used").episode.opened_ms, NOON + 10 * HOUR);
	f = one(g, STORE_RULE_JUDGING);
	assert_non_null(strstr(f.text, "shaken sees only"));
	assert_null(strstr(f.text, "used"));
	judge_rig_free(g);
}

/* More sessions of one person than are looked at: no event says whose. */
static void i8_a_person_is_judged_by_the_newest(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session liar = {.token = 77}, honest = {.token = 78};
	struct store_flag f;

	(void)state;
	g->facts_max = MOST;
	judge_reborn(g);
	for (int64_t i = 0; i < 2 * MOST; i++)
		judge_session(g, 2, NOON + HOUR + i * MINUTE, &liar);
	for (int64_t i = 0; i < 5; i++)
		judge_session(g, 3, NOON + HOUR + i * MINUTE, &honest);
	judge_now(g, 2, NOON + 2 * HOUR);
	judge_tell(g, 3);
	judge_run(g, g->now.wall_ms);
	assert_int_equal(judge_flags(g, "P4", flags), 2);
	assert_int_equal(judge_flags(g, STORE_RULE_JUDGING, flags), 2);
	for (size_t i = 0; i < 2; i++) {
		f = flags[i];
		if (f.subject.kind != RULE_SUBJECT_PERSON)
			assert_string_equal(f.device, "machine-2");
		else
			assert_int_equal(f.subject.key, 77);
		assert_int_equal(f.severity,
		                 f.subject.kind == RULE_SUBJECT_DEVICE ? RULE_SEVERITY_ATTENTION : RULE_SEVERITY_OK);
		assert_int_equal(judge_events(g, "opened", f.id), 1);
	}
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flood_of_one_kind_silences_no_rule),
	    cmocka_unit_test(i9_it_ends_when_the_flood_is_over),
	    cmocka_unit_test(what_was_flagged_before_stays),
	    cmocka_unit_test(a_flood_unlocks_nothing),
	    cmocka_unit_test(i9_a_flood_that_goes_on_holds_no_lock_for_ever),
	    cmocka_unit_test(by_a_threshold_of_its_own_it_clears_when_all_is_seen),
	    cmocka_unit_test(too_few_is_said_of_all_or_not_at_all),
	    cmocka_unit_test(late_for_a_flag_of_weeks_is_not_too_much),
	    cmocka_unit_test(i9_floods_late_stalls_and_restarts),
	    cmocka_unit_test(a_flood_at_one_moment_is_seen),
	    cmocka_unit_test(a_flood_from_tomorrow_hides_nothing),
	    cmocka_unit_test(i10_a_flood_behind_a_clock_that_went_back_is_looked_through),
	    cmocka_unit_test(what_one_rule_cannot_look_through_leaves_the_others_be),
	    cmocka_unit_test(i8_a_person_is_judged_by_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
