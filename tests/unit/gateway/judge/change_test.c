/* Rules whose meaning changes under their id while flags are open, and people who release what they hold. */
#include "tests/unit/gateway/judge/judge_rig.h"

#include <stdlib.h>
#include <string.h>

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

static struct judgement_config parse(const char *text)
{
	struct judgement_config config;
	struct gf_diag diag = {""};

	if (rules_yaml_load_text("rules.yaml", text, strlen(text), &config, &diag))
		fail_msg("%s", diag.text);
	return config;
}

static void put_in_force(struct judge_rig *g, const char *text)
{
	struct judgement_config before = g->config, *fresh = malloc(sizeof(*fresh));

	*fresh = parse(text);
	assert_int_equal(judge_runner_rules(g->runner, fresh, g->now, NULL), 0);
	g->config = *fresh;
	assert_int_equal(judge_runner_rules(g->runner, &g->config, g->now, NULL), 0);
	free(fresh);
	judgement_config_deinit(&before);
	judge_run(g, g->now.wall_ms);
}

static bool locked(struct judge_rig *g)
{
	return get_device(g->f, "machine-0", g->now.wall_ms).desired.locked;
}

static void one_that_is_about_another_subject_now_holds_nothing(void **state)
{
	struct judge_rig *g = judge_rig_new(NOON);

	(void)state;
	put_in_force(g, RULE("device", STALLS "    lock: warn\n"));
	judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
	judge_now(g, 0, NOON + HOUR);
	assert_true(locked(g));
	put_in_force(g, RULE("site", STALLS));
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
	put_in_force(g, RULE("device", "    any:\n"
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
	put_in_force(g, RULE("device", "    metric: sessions\n    window: 1h\n    warn: 1\n    clear_after: 1h\n"));
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

		put_in_force(g, RULE("device", STALLS "    act: 2\n    cap: warn\n    cap_intensity_pct: 40\n    lock: act\n"));
		judge_fault(g, 0, NOON + HOUR, GF_FAULT_STALL);
		judge_now(g, 0, NOON + HOUR);
		assert_int_equal(judge_flags(g, "r", flags), 1);
		assert_true(flags[0].holds);
		if (by_unlock)
			assert_int_equal(
			    store_desired_set(g->f->store, "machine-0", NULL, &unlocked, NULL, &anna, g->now.wall_ms, NULL), 0);
		else
			assert_int_equal(store_flag_ack(g->f->store, flags[0].id, "seen", true, &anna, g->now.wall_ms, NULL), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_that_is_about_another_subject_now_holds_nothing),
	    cmocka_unit_test(one_that_measures_something_else_is_another),
	    cmocka_unit_test(what_nobody_held_yet_is_not_released),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
