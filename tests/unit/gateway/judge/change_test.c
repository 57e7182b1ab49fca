/* Rules whose meaning changes under their id while flags are open, and people who release what they hold. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"

static struct store_flag flags[JUDGE_FLAGS_MAX];

#define RULE(subject, measured)   \
	"rules:\n"                    \
	"  - id: r\n"                 \
	"    title: too much of it\n" \
	"    subject: " subject "\n" measured "    advice: Look at it.\n"
#define STALLS             \
	"    metric: faults\n" \
	"    codes: [stall]\n" \
	"    window: 7d\n"     \
	"    warn: 1\n"

static bool locked(struct judge_rig *g)
{
	return get_device(g->f, "machine-0", g->now.wall_ms).desired.locked;
}

static void one_that_is_about_another_subject_now_holds_nothing(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_put_in_force(g, RULE("device", STALLS "    lock: warn\n"));
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_true(locked(g));
	judge_put_in_force(g, RULE("site", STALLS));
	assert_false(locked(g));
	judge_run(g, NOON + 9 * DAY);
	for (size_t i = 0, n = judge_flags(g, "r", flags); i < n; i++)
		assert_int_not_equal(flags[i].episode.ended_ms, 0);
	judge_rig_free(g);
}

static void one_that_measures_something_else_is_another(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session s = {.lasts_ms = MINUTE};

	(void)state;
	judge_put_in_force(g, RULE("device", "    any:\n"
	                                     "      - {metric: limit_hits, window: 1h, warn: 50}\n"
	                                     "      - {metric: faults, codes: [stall], window: 7d, warn: 1}\n"));
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_int_equal(judge_flags(g, "r", flags), 1);
	assert_int_equal(flags[0].episode.condition, 1);
	for (int64_t i = 0; i < 24; i++) {
		judge_session(g, 0, NOON + 2 * DAY + i * 20 * MINUTE, &s);
		judge_now(g, 0, NOON + 2 * DAY + i * 20 * MINUTE);
	}
	judge_put_in_force(g, RULE("device", "    metric: sessions\n    window: 1h\n    warn: 1\n    clear_after: 1h\n"));
	judge_run(g, NOON + 3 * DAY);
	assert_int_equal(judge_flags(g, "r", flags), 2);
	assert_int_equal(flags[0].end, STORE_FLAG_RULE_GONE);
	assert_non_null(strstr(flags[0].text, "fault"));
	assert_int_equal(flags[1].end, STORE_FLAG_CLEARED);
	assert_non_null(strstr(flags[1].text, "sessions within"));
	judge_rig_free(g);
}

/* What is released at `warn` is lifted; that it gets worse is another thing. */
static void what_nobody_held_yet_is_not_released(void **state)
{
	static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};
	static const bool unlocked = false;

	(void)state;
	for (int by_unlock = 0; by_unlock < 2; by_unlock++) {
		struct judge_rig *g = judge_rig_new(NOON);

		judge_put_in_force(
		    g, RULE("device", STALLS "    act: 2\n    cap: warn\n    cap_intensity_pct: 40\n    lock: act\n"));
		judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
		judge_now(g, 0, NOON + HOUR);
		assert_int_equal(judge_flags(g, "r", flags), 1);
		assert_true(flags[0].holds);
		if (by_unlock)
			assert_int_equal(
			    store_desired_set(g->f->store, "machine-0", NULL, &unlocked, NULL, &anna, g->now.wall_ms, NULL), 0);
		else
			assert_int_equal(store_flag_ack(g->f->store, flags[0].id, "seen", true, &anna, g->now.wall_ms, NULL, NULL),
			                 0);
		judge_fault(g, 0, NOON + 2 * HOUR, GF_FAULT_STALL);
		judge_now(g, 0, NOON + 2 * HOUR);
		assert_true(locked(g));
		assert_int_equal(
		    store_desired_set(g->f->store, "machine-0", NULL, &unlocked, NULL, &anna, g->now.wall_ms, NULL), 0);
		judge_fault(g, 0, NOON + 3 * HOUR, GF_FAULT_STALL);
		judge_now(g, 0, NOON + 3 * HOUR);
		assert_false(locked(g));
		judge_rig_free(g);
	}
}

/* ---- silence of some ---- */

static size_t open_ones(struct judge_rig *g, const char *first)
{
	size_t open = 0;

	for (size_t i = 0, n = judge_flags(g, "r", flags); i < n; i++) {
		if (flags[i].episode.ended_ms != 0)
			continue;
		open++;
		assert_true(strcmp(flags[i].device, first) >= 0);
	}
	return open;
}

static void silence_of_a_class_is_that_class_alone(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct gf_status st = birth(2, 1, 1);

	(void)state;
	judge_put_in_force(g, RULE("device", "    metric: silent_min\n    classes: [chair]\n    warn: 15\n"));
	judge_run(g, NOON + 16 * MINUTE);
	assert_int_equal(open_ones(g, "machine-0"), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(flags[i].episode.opened_ms, NOON + 15 * MINUTE);
	/* The chairs count as heard, the others have been silent for long. */
	judge_put_in_force(g, RULE("device", "    metric: silent_min\n    classes: [percussion]\n    warn: 15\n"));
	judge_run(g, NOON + 17 * MINUTE);
	assert_int_equal(open_ones(g, "machine-2"), 2);
	assert_int_equal(judge_flags(g, "r", flags), 4);
	/* One comes back as another machine, and is silent again. */
	st.class = GF_CLASS_CHAIR;
	send_status(g->f, "machine-3", st, false, g->now.wall_ms);
	judge_run(g, NOON + 2 * HOUR);
	assert_int_equal(open_ones(g, "machine-2"), 1);
	assert_int_equal(judge_flags(g, "r", flags), 4);
	judge_rig_free(g);
}

/* Nobody hears anything: what isn't asked for any more ends all the same. */
static void silence_that_is_not_asked_for_ends_while_nobody_hears(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_put_in_force(g, RULE("device", "    metric: silent_min\n    warn: 15\n"));
	judge_run(g, NOON + 16 * MINUTE);
	assert_int_equal(open_ones(g, "machine-0"), 4);
	g->deaf = true;
	judge_run(g, NOON + 20 * MINUTE);
	judge_put_in_force(g, RULE("device", "    metric: silent_min\n    classes: [percussion]\n    warn: 15\n"));
	judge_run(g, NOON + 21 * MINUTE);
	assert_int_equal(open_ones(g, "machine-2"), 2);
	judge_rig_free(g);
}

static void i9_silence_ends_when_it_expires_also_while_nobody_hears(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_put_in_force(g, RULE("device", "    metric: silent_min\n    warn: 15\n    expires: 2d\n"));
	judge_run(g, NOON + HOUR);
	assert_int_equal(judge_flags(g, "r", flags), JUDGE_MACHINES);
	g->deaf = true;
	judge_run(g, NOON + 2 * DAY - HOUR);
	assert_int_equal(judge_flags(g, "r", flags), JUDGE_MACHINES);
	assert_int_equal(flags[0].episode.ended_ms, 0);
	judge_run(g, NOON + 2 * DAY + HOUR);
	assert_int_equal(judge_flags(g, "r", flags), JUDGE_MACHINES);
	assert_int_equal(flags[0].end, STORE_FLAG_EXPIRED);
	assert_int_equal(flags[0].episode.ended_ms, NOON + 2 * DAY);
	judge_rig_free(g);
}

/* ---- hours that change ---- */

#define BY_HOURS                       \
	"rules:\n"                         \
	"  - id: closed\n"                 \
	"    title: used while closed\n"   \
	"    subject: device\n"            \
	"    metric: sessions\n"           \
	"    hours: closed\n"              \
	"    window: 3d\n"                 \
	"    warn: 2\n"                    \
	"    advice: Ask who was there.\n" \
	"  - id: load\n"                   \
	"    title: in use all day\n"      \
	"    subject: device\n"            \
	"    metric: use_pct\n"            \
	"    window: day\n"                \
	"    warn: 40\n"                   \
	"    advice: Swap it.\n"           \
	"  - id: often\n"                  \
	"    title: used often\n"          \
	"    subject: device\n"            \
	"    metric: sessions\n"           \
	"    window: 3d\n"                 \
	"    warn: 9\n"                    \
	"    advice: Look at it.\n"

/* Two hours of use from 18:00 on, two days long: after the site has closed, or in a short day of it. */
static void use_it(struct judge_rig *g)
{
	const struct judge_session s = {.lasts_ms = HOUR / 2};

	for (int64_t i = 0; i < 8; i++) {
		judge_session(g, 0, NOON + i / 4 * DAY + 6 * HOUR + i % 4 * HOUR / 2, &s);
		judge_now(g, 0, NOON + i / 4 * DAY + 6 * HOUR + i % 4 * HOUR / 2);
	}
	judge_run(g, NOON + 2 * DAY);
}

/* What is flagged by the hours it has in the end, whichever it had before. */
static char *flagged_by(const char *before_zone, const char *before, const char *zone, const char *open)
{
	struct judge_rig *g = judge_rig_new(NOON - DAY);
	char *found;

	judge_put_in_force(g, BY_HOURS);
	judge_reborn_open(g, before_zone, before);
	judge_run(g, NOON);
	use_it(g);
	judge_reborn_open(g, zone, open);
	judge_run(g, NOON + 2 * DAY + MINUTE);
	found = judge_fingerprint(g);
	judge_rig_free(g);
	return found;
}

static void hours_that_change_judge_as_if_they_had_always_been_so(void **state)
{
	static const char *const calendars[][2] = {
	    {"Europe/Berlin", "06:00-16:00"}, {"Europe/Berlin", "18:00-21:00"}, {"America/New_York", "06:00-16:00"}};
	char *always[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		always[i] = flagged_by(calendars[i][0], calendars[i][1], calendars[i][0], calendars[i][1]);
	assert_string_not_equal(always[0], always[1]);
	assert_string_not_equal(always[0], always[2]);
	for (size_t i = 0; i < 9; i++) {
		char *found = flagged_by(calendars[i / 3][0], calendars[i / 3][1], calendars[i % 3][0], calendars[i % 3][1]);

		assert_string_equal(found, always[i % 3]);
		free(found);
	}
	for (size_t i = 0; i < 3; i++)
		free(always[i]);
}

static const char by_days[] =
    "rules:\n"
    "  - {id: twice, title: t, subject: person, metric: sessions, window: day, warn: 3, act: 6, advice: a}\n"
    "  - {id: late, title: t, subject: person, metric: running_min, hours: closed, window: 6h, warn: 40, advice: a}\n"
    "  - {id: legs, title: t, subject: person_area, metric: area_s, window: day, warn: 100, advice: a}\n"
    "  - {id: hands, title: t, subject: staff, metric: vibration_points, window: day, warn: 100, advice: a}\n"
    "  - {id: load, title: t, subject: device, metric: use_pct, window: day, warn: 20, act: 50, lock: act, advice: a}\n"
    "  - {id: busy, title: t, subject: device, metric: sessions, hours: open, window: 2h, warn: 2, for: 1h, advice: "
    "a}\n"
    "  - {id: site, title: t, subject: site, metric: sessions, hours: closed, window: day, warn: 5, advice: a}\n";

/* Most of a day of many people; every two hours somebody changes the hours, or the zone, or nothing, if at all. */
static char *flagged_after(uint64_t seed, bool often, const char *zone, const char *open)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Kolkata"};
	static const char *const hours[] = {"06:00-16:00", "00:00-24:00", "22:00-03:00", "18:00-21:00"};
	struct judge_rig *g = judge_rig_new(NOON);
	struct gf_prng use, change;
	char *found;

	gf_prng_seed(&use, seed);
	gf_prng_seed(&change, seed + 1000);
	judge_put_in_force(g, by_days);
	judge_reborn_open(g, zone, open);
	for (int64_t step = 1; step <= 9; step++) {
		const int64_t at_ms = NOON + step * 2 * HOUR;
		const size_t z = gf_prng_below(&change, 3), h = gf_prng_below(&change, 4);

		for (int i = 0; i < 4; i++) {
			const size_t m = gf_prng_below(&use, 4);
			struct judge_session s = {.token = 1 + gf_prng_below(&use, 3), .staff = 1 + gf_prng_below(&use, 2)};

			s.lasts_ms = (int64_t)(1 + gf_prng_below(&use, 6)) * 5 * MINUTE;
			s.motor_ms = s.lasts_ms;
			s.areas_count = 1;
			s.areas[0] = (struct gf_area_use){GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION, 40000, 30, 30};
			judge_session(g, m, at_ms - (int64_t)gf_prng_below(&use, 50) * MINUTE, &s);
			judge_now(g, m, at_ms);
		}
		if (often)
			judge_reborn_open(g, zones[z], hours[h]);
	}
	judge_reborn_open(g, zone, open);
	judge_run(g, NOON + 20 * HOUR);
	found = judge_fingerprint(g);
	judge_rig_free(g);
	return found;
}

static void hours_that_go_back_and_forth_leave_no_trace(void **state)
{
	static const char *const calendars[][2] = {
	    {"Europe/Berlin", "06:00-16:00"}, {"Asia/Kolkata", "22:00-03:00"}, {"America/New_York", "18:00-21:00"}};
	size_t lines = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		const char *const *c = calendars[seed % 3];
		char *want = flagged_after(seed, false, c[0], c[1]), *found = flagged_after(seed, true, c[0], c[1]);

		for (const char *p = want; *p != '\0'; p++)
			lines += *p == '\n';
		assert_string_equal(found, want);
		free(found);
		free(want);
	}
	assert_true(lines > 30);
}

/* A rule that no hours have a say in isn't judged anew by them. */
static void the_same_hours_and_rules_without_any_judge_nobody(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_state after;

	(void)state;
	judge_reborn_open(g, "Europe/Berlin", "06:00-16:00");
	judge_run(g, g->now.wall_ms);
	judge_runner_state(g->runner, &after);
	assert_int_equal(after.judged, 0);
	judge_put_in_force(g, RULE("device", STALLS));
	judge_reborn_open(g, "Europe/Berlin", "07:00-16:00");
	judge_run(g, g->now.wall_ms);
	judge_runner_state(g->runner, &after);
	assert_int_equal(after.judged, 0);
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_that_is_about_another_subject_now_holds_nothing),
	    cmocka_unit_test(one_that_measures_something_else_is_another),
	    cmocka_unit_test(what_nobody_held_yet_is_not_released),
	    cmocka_unit_test(silence_of_a_class_is_that_class_alone),
	    cmocka_unit_test(silence_that_is_not_asked_for_ends_while_nobody_hears),
	    cmocka_unit_test(i9_silence_ends_when_it_expires_also_while_nobody_hears),
	    cmocka_unit_test(hours_that_change_judge_as_if_they_had_always_been_so),
	    cmocka_unit_test(hours_that_go_back_and_forth_leave_no_trace),
	    cmocka_unit_test(the_same_hours_and_rules_without_any_judge_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
