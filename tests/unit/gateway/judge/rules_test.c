/* Each shipped rule through the real pipeline: it fires when it must, not one sample earlier, clears when it must, and once. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/cases.h"

/* Berlin's midnight after NOON is 23:00 UTC. */
#define MIDNIGHT (NOON + 11 * HOUR)
#define TOKEN UINT64_C(0xabcdef0123456789)

static struct store_flag flags[JUDGE_FLAGS_MAX];

/* No flag of the rule is there. */
static void none(struct judge_rig *g, const char *rule)
{
	size_t count = judge_flags(g, rule, flags);

	if (count != 0)
		fail_msg("%s is flagged: %s", rule, flags[0].text);
}

/* The one flag of the rule, told once. */
static struct store_flag one(struct judge_rig *g, const char *rule)
{
	assert_int_equal(judge_flags(g, rule, flags), 1);
	assert_int_equal(judge_events(g, "opened", flags[0].id), 1);
	return flags[0];
}

static void open_since(struct judge_rig *g, const char *rule, int64_t opened_ms, enum rule_level level)
{
	struct store_flag f = one(g, rule);

	assert_int_equal(f.episode.opened_ms, opened_ms);
	assert_int_equal(f.episode.ended_ms, 0);
	assert_int_equal(f.episode.level, level);
	assert_int_equal(f.late_ms, 0);
	assert_true(f.text[0] != '\0' && f.advice[0] != '\0');
	assert_int_equal(judge_events(g, "act", f.id), f.episode.acted_ms > f.episode.opened_ms);
}

/* Open one second before, cleared at that moment. */
static void clears_at(struct judge_rig *g, const char *rule, int64_t ended_ms)
{
	judge_run(g, ended_ms - 1000);
	assert_int_equal(one(g, rule).episode.ended_ms, 0);
	judge_run(g, ended_ms);
	assert_int_equal(one(g, rule).episode.ended_ms, ended_ms);
	assert_int_equal(one(g, rule).end, STORE_FLAG_CLEARED);
	judge_run(g, ended_ms + 2 * DAY);
	assert_int_equal(judge_events(g, "cleared", one(g, rule).id), 1);
}

/* ---- limits that acted, and faults ---- */

/* `other`: what the machine does too, and isn't counted; NULL: all is. */
static void limit_rule(const char *rule, const char *action, const char *other, size_t warn, size_t act,
                       int64_t window_ms)
{
	struct judge_rig *g = judge_rig_new(NOON);
	int64_t at_ms = NOON, opened_ms = NOON + (int64_t)warn * MINUTE;

	for (size_t i = 1; i < warn; i++) {
		judge_limit(g, 0, at_ms += MINUTE, rule, action);
		if (other)
			judge_limit(g, 0, at_ms, rule, other);
		judge_limit(g, 1, at_ms, "D9", action);
		judge_now(g, 0, at_ms);
		judge_tell(g, 1);
	}
	none(g, rule);
	judge_limit(g, 0, at_ms += MINUTE, rule, action);
	judge_now(g, 0, at_ms);
	open_since(g, rule, opened_ms, RULE_LEVEL_WARN);
	for (size_t i = warn; i < act; i++) {
		judge_limit(g, 0, at_ms += MINUTE, rule, action);
		judge_now(g, 0, at_ms);
		open_since(g, rule, opened_ms, i + 1 < act ? RULE_LEVEL_WARN : RULE_LEVEL_ACT);
	}
	/* When fewer than `warn` are left in the window. */
	clears_at(g, rule, window_ms ? at_ms - (int64_t)(warn - 1) * MINUTE + window_ms : MIDNIGHT);
	judge_rig_free(g);
}

static void limits_that_acted_are_counted(void **state)
{
	(void)state;
	limit_rule("D1", "stop", "refuse", 3, 0, 0);
	limit_rule("P1", "skip_step", "warn", 6, 0, DAY);
	limit_rule("P3", "skip_step", NULL, 6, 0, DAY);
	limit_rule("P6", "clamp", NULL, 12, 0, DAY);
	limit_rule("P8", "clamp", "skip_step", 3, 6, 7 * DAY);
}

static void fault_rule(const char *rule, enum gf_fault code, enum gf_fault other)
{
	struct judge_rig *g = judge_rig_new(NOON);

	judge_fault(g, 0, NOON, GF_FAULT_COVER_OPEN);
	judge_now(g, 0, NOON);
	none(g, rule);
	judge_fault(g, 0, NOON + HOUR, code);
	judge_now(g, 0, NOON + HOUR);
	open_since(g, rule, NOON + HOUR, RULE_LEVEL_WARN);
	judge_fault(g, 0, NOON + 2 * HOUR, other);
	judge_now(g, 0, NOON + 2 * HOUR);
	open_since(g, rule, NOON + HOUR, RULE_LEVEL_WARN);
	judge_fault(g, 0, NOON + 3 * HOUR, code);
	judge_now(g, 0, NOON + 3 * HOUR);
	open_since(g, rule, NOON + HOUR, RULE_LEVEL_ACT);
	assert_int_equal(one(g, rule).episode.acted_ms, NOON + 3 * HOUR);
	assert_int_equal(one(g, rule).severity, RULE_SEVERITY_CRITICAL);
	clears_at(g, rule, NOON + 3 * HOUR + DAY);
	judge_rig_free(g);
}

static void faults_are_counted(void **state)
{
	(void)state;
	fault_rule("D2", GF_FAULT_OVERTEMP_MOTOR, GF_FAULT_OVERTEMP_SURFACE);
	fault_rule("D3", GF_FAULT_STALL, GF_FAULT_OVERCURRENT);
	fault_rule("D4", GF_FAULT_ENDSTOP_TIMEOUT, GF_FAULT_ENDSTOP_TIMEOUT);
	fault_rule("D7", GF_FAULT_LEAK, GF_FAULT_OVERPRESSURE);
}

/* ---- wear, load, silence ---- */

static void d5_a_motor_near_its_end(void **state)
{
	static const struct store_actor anna = {"anna", "here"};
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session half = {.motor_ms = HOUR / 2};

	(void)state;
	/* Of 10 h: 7.5, 8, ... 10. */
	for (int64_t i = 1; i <= 20; i++) {
		judge_session(g, 0, NOON + i * HOUR, &half);
		judge_now(g, 0, NOON + i * HOUR);
		if (i < 16)
			none(g, "D5");
		else
			open_since(g, "D5", NOON + 16 * HOUR, i < 20 ? RULE_LEVEL_WARN : RULE_LEVEL_ACT);
	}
	assert_non_null(strstr(one(g, "D5").advice, " gymfleet device service machine-0 motor "));
	judge_run(g, NOON + 30 * HOUR);
	assert_int_equal(store_service_add(g->f->store, "machine-0", FACT_PART_HEAD, "", &anna, g->now.wall_ms, NULL), 0);
	judge_run(g, NOON + 31 * HOUR);
	open_since(g, "D5", NOON + 16 * HOUR, RULE_LEVEL_ACT);
	assert_int_equal(store_service_add(g->f->store, "machine-0", FACT_PART_MOTOR, "new", &anna, g->now.wall_ms, NULL),
	                 0);
	judge_run(g, NOON + 32 * HOUR);
	assert_int_equal(one(g, "D5").episode.ended_ms, NOON + 31 * HOUR);
	judge_session(g, 0, NOON + 33 * HOUR, &half);
	judge_now(g, 0, NOON + 33 * HOUR);
	assert_int_equal(one(g, "D5").episode.ended_ms, NOON + 31 * HOUR);
	judge_rig_free(g);
}

/* Its meter says 7.75 h when the gateway first hears of it: the first session makes it 8 of 10. */
static void d5_counts_what_ran_before_the_agent(void **state)
{
	static const struct store_actor anna = {"anna", "here"};
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session quarter = {.motor_ms = HOUR / 4};
	struct gf_status st = birth(2, 1, 1);

	(void)state;
	st.class = GF_CLASS_CHAIR;
	st.rated_motor_h = 10;
	st.hour_meter_ms = 31 * (uint64_t)HOUR / 4;
	send_status(g->f, "machine-0", st, false, NOON);
	judge_session(g, 0, NOON + HOUR, &quarter);
	judge_session(g, 1, NOON + HOUR, &quarter);
	judge_now(g, 0, NOON + HOUR);
	judge_tell(g, 1);
	judge_run(g, NOON + 2 * HOUR);
	open_since(g, "D5", NOON + HOUR, RULE_LEVEL_WARN);
	/* The new motor begins at 0. */
	assert_int_equal(store_service_add(g->f->store, "machine-0", FACT_PART_MOTOR, "new", &anna, g->now.wall_ms, NULL),
	                 0);
	judge_run(g, NOON + 3 * HOUR);
	assert_int_equal(one(g, "D5").episode.ended_ms, NOON + 2 * HOUR);
	judge_session(g, 0, NOON + 4 * HOUR, &quarter);
	judge_now(g, 0, NOON + 4 * HOUR);
	assert_int_equal(one(g, "D5").episode.ended_ms, NOON + 2 * HOUR);
	judge_rig_free(g);
}

static void d6_one_machine_carries_the_load(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON - DAY);
	const struct judge_session long_one = {.lasts_ms = 7 * HOUR}, second = {.lasts_ms = 1000};

	(void)state;
	/* 7 h of 10 are 70 %, which isn't above; one more second is. */
	for (int64_t day = 0; day < 5; day++) {
		judge_session(g, 0, NOON + day * DAY, &long_one);
		judge_now(g, 0, NOON + day * DAY);
		none(g, "D6");
		judge_session(g, 0, NOON + day * DAY + MINUTE, &second);
		judge_now(g, 0, NOON + day * DAY + MINUTE);
		if (day < 4)
			none(g, "D6");
	}
	open_since(g, "D6", NOON + 4 * DAY + MINUTE, RULE_LEVEL_WARN);
	clears_at(g, "D6", MIDNIGHT + 7 * DAY);
	judge_rig_free(g);
}

/* Berlin is open from 05:00 to 15:00 UTC. */
static void silence_counts_in_opening_hours(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_run(g, NOON + 15 * MINUTE - 1000);
	none(g, "silent");
	judge_run(g, NOON + 15 * MINUTE);
	assert_int_equal(judge_flags(g, "silent", flags), JUDGE_MACHINES);
	for (size_t i = 0; i < JUDGE_MACHINES; i++)
		assert_int_equal(flags[i].episode.opened_ms, NOON + 15 * MINUTE);
	judge_run(g, NOON + 2 * HOUR + 50 * MINUTE);
	judge_births(g);
	judge_run(g, NOON + 2 * HOUR + 50 * MINUTE);
	assert_int_equal(judge_flags(g, "silent", flags), JUDGE_MACHINES);
	for (size_t i = 0; i < JUDGE_MACHINES; i++)
		assert_int_equal(flags[i].episode.ended_ms, NOON + 2 * HOUR + 50 * MINUTE);
	/* 10 minutes are left of the day, 5 of the next. */
	judge_run(g, NOON + 17 * HOUR + 5 * MINUTE - 1000);
	assert_int_equal(judge_flags(g, "silent", flags), JUDGE_MACHINES);
	judge_run(g, NOON + 17 * HOUR + 5 * MINUTE);
	assert_int_equal(judge_flags(g, "silent", flags), 2 * JUDGE_MACHINES);
	assert_int_equal(flags[JUDGE_MACHINES].episode.opened_ms, NOON + 17 * HOUR + 5 * MINUTE);
	judge_rig_free(g);
}

static void silence_that_nobody_could_hear_proves_nothing(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	judge_run(g, NOON + 10 * MINUTE);
	g->deaf = true;
	judge_run(g, NOON + HOUR);
	none(g, "silent");
	g->deaf = false;
	judge_run(g, NOON + HOUR + 15 * MINUTE - 1000);
	none(g, "silent");
	judge_run(g, NOON + HOUR + 15 * MINUTE);
	assert_int_equal(judge_flags(g, "silent", flags), JUDGE_MACHINES);
	/* What is flagged stays so over a gateway that starts again. */
	judge_reborn(g);
	judge_run(g, NOON + HOUR + 20 * MINUTE);
	assert_int_equal(judge_flags(g, "silent", flags), JUDGE_MACHINES);
	for (size_t i = 0; i < JUDGE_MACHINES; i++)
		assert_int_equal(flags[i].episode.ended_ms, 0);
	judge_rig_free(g);
}

/* ---- people ---- */

static struct judge_session on(enum gf_area area, enum gf_side side, enum gf_technique technique, uint32_t seconds)
{
	return (struct judge_session){.token = TOKEN,
	                              .lasts_ms = seconds * INT64_C(1000),
	                              .areas_count = 1,
	                              .areas = {{area, side, technique, seconds * 1000, 30, 40}}};
}

static void p2_an_area_has_enough_for_today(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_session s = on(GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION, 299);

	(void)state;
	judge_session(g, 2, NOON + HOUR, &s);
	judge_now(g, 2, NOON + HOUR);
	none(g, "P2");
	/* Neither the other side, nor another technique, nor another person. */
	s = on(GF_AREA_QUADS, GF_SIDE_RIGHT, GF_TECHNIQUE_PERCUSSION, 60);
	judge_session(g, 2, NOON + 2 * HOUR, &s);
	s = on(GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_STROKE, 60);
	judge_session(g, 2, NOON + 3 * HOUR, &s);
	s = on(GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_DRUM, 299);
	s.token = 7;
	judge_session(g, 2, NOON + 4 * HOUR, &s);
	judge_now(g, 2, NOON + 4 * HOUR);
	none(g, "P2");
	/* On another machine, on a part of the quads: 300. */
	s = on(GF_AREA_VASTUS_LATERALIS, GF_SIDE_BOTH, GF_TECHNIQUE_DRUM, 1);
	judge_session(g, 0, NOON + 5 * HOUR, &s);
	judge_now(g, 0, NOON + 5 * HOUR);
	open_since(g, "P2", NOON + 5 * HOUR, RULE_LEVEL_WARN);
	assert_int_equal(one(g, "P2").muscle, GF_MUSCLE_QUADS);
	assert_int_equal(one(g, "P2").side, GF_SIDE_LEFT);
	s = on(GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_PERCUSSION, 180);
	judge_session(g, 2, NOON + 6 * HOUR, &s);
	judge_now(g, 2, NOON + 6 * HOUR);
	open_since(g, "P2", NOON + 5 * HOUR, RULE_LEVEL_ACT);
	clears_at(g, "P2", MIDNIGHT);
	judge_rig_free(g);
}

static void p4_too_many_sessions_a_day(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session s = {.token = TOKEN};

	(void)state;
	for (int64_t i = 1; i <= 4; i++) {
		judge_session(g, i % 2 ? 0 : 2, NOON + i * HOUR, &s);
		judge_now(g, i % 2 ? 0 : 2, NOON + i * HOUR);
		if (i < 3)
			none(g, "P4");
		else
			open_since(g, "P4", NOON + 3 * HOUR, i == 3 ? RULE_LEVEL_WARN : RULE_LEVEL_ACT);
	}
	clears_at(g, "P4", MIDNIGHT);
	judge_rig_free(g);
}

static void p4_the_same_kind_again_too_soon(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	const struct judge_session s = {.token = TOKEN, .lasts_ms = MINUTE};

	(void)state;
	judge_session(g, 0, NOON, &s);
	judge_now(g, 0, NOON);
	/* Another kind; then the same after exactly 3 h. */
	judge_session(g, 2, NOON + HOUR, &s);
	judge_now(g, 2, NOON + HOUR);
	judge_session(g, 1, NOON + 3 * HOUR + MINUTE, &s);
	judge_now(g, 1, NOON + 3 * HOUR + MINUTE);
	none(g, "P4-gap");
	judge_session(g, 0, NOON + 6 * HOUR + 2 * MINUTE - 1000, &s);
	judge_now(g, 0, NOON + 6 * HOUR + 2 * MINUTE - 1000);
	open_since(g, "P4-gap", NOON + 6 * HOUR + 2 * MINUTE - 1000, RULE_LEVEL_WARN);
	clears_at(g, "P4-gap", MIDNIGHT);
	judge_rig_free(g);
}

/* `last` is the one that is too many, at days[last]. */
static void often(const char *rule, float max_pct, const char *routine, const int64_t *days, size_t last,
                  int64_t window_ms, enum rule_level level)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_session s = on(GF_AREA_GLUTES, GF_SIDE_BOTH, GF_TECHNIQUE_ROLL, 60);

	s.routine = routine;
	for (size_t i = 0; i <= last; i++) {
		s.areas[0].max_intensity_pct = max_pct;
		judge_session(g, 0, NOON + days[i] * DAY, &s);
		/* One that doesn't count. */
		s.areas[0].max_intensity_pct = 40;
		s.routine = "light";
		judge_session(g, 0, NOON + days[i] * DAY + MINUTE, &s);
		s.routine = routine;
		judge_now(g, 0, NOON + days[i] * DAY + MINUTE);
		if (i < last)
			none(g, rule);
	}
	open_since(g, rule, NOON + days[last] * DAY, level);
	clears_at(g, rule, NOON + days[0] * DAY + window_ms);
	judge_rig_free(g);
}

static void p5_massaged_too_often(void **state)
{
	(void)state;
	often("P5-moderate", 41, NULL, (const int64_t[]){0, 1, 2, 3, 4, 6}, 5, 7 * DAY, RULE_LEVEL_WARN);
	often("P5-deep", 61, NULL, (const int64_t[]){0, 6}, 1, 7 * DAY, RULE_LEVEL_WARN);
	often("P5-discharge", 50, "discharge_next_day", (const int64_t[]){0, 15, 29}, 2, 30 * DAY, RULE_LEVEL_ACT);
}

/* a = 10 m/s2: 200 points an hour. */
static void p9_vibration_in_the_hands_of_staff(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);
	struct judge_session s = {.staff = 99, .motor_ms = 30 * MINUTE - 1000, .lasts_ms = 30 * MINUTE};

	(void)state;
	judge_session(g, 2, NOON + HOUR, &s);
	judge_now(g, 2, NOON + HOUR);
	none(g, "P9");
	s.motor_ms = 1000;
	judge_session(g, 3, NOON + 2 * HOUR, &s);
	judge_now(g, 3, NOON + 2 * HOUR);
	open_since(g, "P9", NOON + 2 * HOUR, RULE_LEVEL_WARN);
	s.motor_ms = 90 * MINUTE;
	s.lasts_ms = 90 * MINUTE;
	judge_session(g, 3, NOON + 4 * HOUR, &s);
	judge_now(g, 3, NOON + 4 * HOUR);
	open_since(g, "P9", NOON + 2 * HOUR, RULE_LEVEL_ACT);
	clears_at(g, "P9", MIDNIGHT);
	judge_rig_free(g);
}

/* Every shipped rule has its test above: a new one needs one too. */
static void no_rule_is_forgotten(void **state)
{
	static const char *const known[] = {"D1",          "D2",           "D3", "D4",     "D5", "D6",     "D7",
	                                    "P1",          "P2",           "P3", "P4",     "P6", "P4-gap", "P5-deep",
	                                    "P5-moderate", "P5-discharge", "P8", "silent", "P9"};
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	for (size_t i = 0; i < g->config.rules->count; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			found = found || strcmp(known[k], g->config.rules->items[i].id) == 0;
		if (!found)
			fail_msg("%s has no scenario", g->config.rules->items[i].id);
	}
	assert_int_equal(g->config.rules->count, sizeof(known) / sizeof(known[0]));
	judge_rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limits_that_acted_are_counted),
	    cmocka_unit_test(faults_are_counted),
	    cmocka_unit_test(d5_a_motor_near_its_end),
	    cmocka_unit_test(d5_counts_what_ran_before_the_agent),
	    cmocka_unit_test(d6_one_machine_carries_the_load),
	    cmocka_unit_test(silence_counts_in_opening_hours),
	    cmocka_unit_test(silence_that_nobody_could_hear_proves_nothing),
	    cmocka_unit_test(p2_an_area_has_enough_for_today),
	    cmocka_unit_test(p4_too_many_sessions_a_day),
	    cmocka_unit_test(p4_the_same_kind_again_too_soon),
	    cmocka_unit_test(p5_massaged_too_often),
	    cmocka_unit_test(p9_vibration_in_the_hands_of_staff),
	    cmocka_unit_test(no_rule_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
