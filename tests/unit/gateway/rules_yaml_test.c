/* rules.yaml: what is read, and that each mistake is told at its line with what to do. */
#include "gateway/rules_yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SHIPPED GF_SOURCE_DIR "/config/rules.yaml"
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static struct judgement_config loaded(const char *text)
{
	struct judgement_config config;
	struct gf_diag diag = {{0}};

	if (rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag) != 0)
		fail_msg("%s", diag.text);
	return config;
}

static void expect_refused(const char *text, const char *sentence)
{
	struct judgement_config config = {.plans_count = 77};
	struct gf_diag diag = {{0}};

	assert_int_equal(rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag), -EINVAL);
	assert_string_equal(diag.text, sentence);
	assert_true(config.rules == NULL && config.plans_count == 77);
}

/* A rule whose other keys are those given; they begin in line 3, column 5. */
#define RULE(keys) "rules:\n  - {id: A, title: t, advice: a,\n    " keys "}\n"

static const struct rule *shipped(const struct judgement_config *config, const char *id)
{
	const struct rule *rule = rules_find(config->rules, id);

	if (rule == NULL)
		fail_msg("%s isn't shipped", id);
	return rule;
}

/* ---- what is shipped ---- */

static void every_rule_of_the_gateway_is_shipped(void **state)
{
	static const struct {
		const char *id;
		enum rule_subject subject;
		enum rule_metric metric;
		enum rule_comparison comparison;
		double warn, act; /* 0 = none */
		int64_t window_ms;
	} table[] = {
	    {"D5", RULE_SUBJECT_DEVICE, RULE_METRIC_PART_LIFE_PCT, RULE_COMPARISON_AT_LEAST, 80, 100, 0},
	    {"D6", RULE_SUBJECT_DEVICE, RULE_METRIC_USE_PCT, RULE_COMPARISON_ABOVE, 70, 0, 0},
	    {"P2", RULE_SUBJECT_AREA, RULE_METRIC_AREA_S, RULE_COMPARISON_AT_LEAST, 300, 480, 0},
	    {"P4", RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, RULE_COMPARISON_ABOVE, 2, 3, 0},
	    {"P4-gap", RULE_SUBJECT_PERSON, RULE_METRIC_GAP_H, RULE_COMPARISON_BELOW, 3, 0, 0},
	    {"P5-moderate", RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, RULE_COMPARISON_ABOVE, 5, 0, 7 * DAY_MS},
	    {"P5-deep", RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, RULE_COMPARISON_ABOVE, 1, 0, 7 * DAY_MS},
	    {"P5-discharge", RULE_SUBJECT_PERSON, RULE_METRIC_SESSIONS, RULE_COMPARISON_ABOVE, 0, 2, 30 * DAY_MS},
	    {"P9", RULE_SUBJECT_STAFF, RULE_METRIC_VIBRATION_POINTS, RULE_COMPARISON_AT_LEAST, 100, 400, 0},
	};
	struct judgement_config config;
	struct gf_diag diag = {{0}};

	(void)state;
	if (rules_yaml_load(SHIPPED, &config, &diag) != 0)
		fail_msg("%s", diag.text);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct rule *rule = shipped(&config, table[i].id);
		const struct rule_condition *c = &rule->conditions[0];

		assert_int_equal(rule->conditions_count, 1);
		assert_int_equal(rule->subject, table[i].subject);
		assert_int_equal(c->metric, table[i].metric);
		assert_int_equal(c->comparison, table[i].comparison);
		assert_true(c->has_warn == (table[i].warn > 0) && c->has_act == (table[i].act > 0));
		assert_true((!c->has_warn || c->warn == table[i].warn) && (!c->has_act || c->act == table[i].act));
		assert_true(c->window_ms == table[i].window_ms);
	}
	assert_int_equal(shipped(&config, "D6")->days, 5);
	assert_int_equal(shipped(&config, "P2")->conditions[0].filter.techniques,
	                 1U << GF_TECHNIQUE_PERCUSSION | 1U << GF_TECHNIQUE_DRUM);
	assert_true(shipped(&config, "P4-gap")->conditions[0].filter.same_class);
	assert_int_equal(shipped(&config, "P5-deep")->conditions[0].filter.depth_min, FACT_DEPTH_DEEP);
	assert_string_equal(shipped(&config, "P5-discharge")->conditions[0].filter.routines[0], "discharge_next_day");
	judgement_config_deinit(&config);
}

static void machines_own_rules_have_flags_and_all_classes_a_plan(void **state)
{
	static const char *const ids[] = {"D1", "D2", "D3", "D4", "D7", "P1", "P3", "P6", "P8", "silent"};
	struct judgement_config config;
	struct gf_diag diag;

	(void)state;
	assert_int_equal(rules_yaml_load(SHIPPED, &config, &diag), 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(shipped(&config, ids[i])->subject, RULE_SUBJECT_DEVICE);
	for (size_t i = 1; i < config.rules->count; i++)
		assert_true(strcmp(config.rules->items[i - 1].id, config.rules->items[i].id) < 0);
	for (size_t i = 0; i < config.rules->count; i++)
		assert_true(config.rules->items[i].line > 1 && config.rules->items[i].advice[0] != '\0');
	assert_int_equal(config.plans_count, GF_CLASS_COUNT - 1);
	for (size_t i = 0; i < config.plans_count; i++)
		assert_true((size_t)config.plans[i].class == i + 1 && config.plans[i].parts[FACT_PART_SERVICE].motor_h > 0);
	judgement_config_deinit(&config);
}

static char *read_shipped(void)
{
	FILE *file = fopen(SHIPPED, "re");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void a_rule_of_ones_own_goes_to_the_end_of_what_is_shipped(void **state)
{
	char *before = read_shipped(), *text = NULL;
	struct judgement_config config;

	(void)state;
	assert_true(asprintf(&text,
	                     "%s\n  - id: own\n    title: t\n    subject: device\n    metric: faults\n    window: 1h\n"
	                     "    warn: 2\n    advice: a\n",
	                     before) > 0);
	config = loaded(text);
	assert_int_equal(shipped(&config, "own")->conditions[0].warn, 2);
	assert_non_null(shipped(&config, "D5"));
	assert_int_equal(config.plans_count, GF_CLASS_COUNT - 1);
	judgement_config_deinit(&config);
	free(text);
	free(before);
}

/* ---- what is read ---- */

static void what_is_left_out_has_its_default(void **state)
{
	struct judgement_config config =
	    loaded(RULE("subject: device, metric: motor_temp_c, window: 5m, warn: 60, act: 70"));
	const struct rule *r = &config.rules->items[0];

	(void)state;
	assert_int_equal(r->line, 2);
	assert_int_equal(r->conditions[0].aggregate, RULE_AGGREGATE_MAX);
	assert_int_equal(r->conditions[0].comparison, RULE_COMPARISON_AT_LEAST);
	assert_true(r->expires_ms == 31 * DAY_MS && r->clear_after_ms == 0);
	assert_int_equal(r->notify, RULE_LEVEL_WARN);
	assert_int_equal(r->severity[RULE_LEVEL_WARN], RULE_SEVERITY_ATTENTION);
	assert_int_equal(r->severity[RULE_LEVEL_ACT], RULE_SEVERITY_CRITICAL);
	judgement_config_deinit(&config);
	/* A window that looks far back takes its time to expire. */
	config = loaded(RULE("subject: person, metric: sessions, window: 31d, clear_after: 2d, act: 3"));
	assert_true(config.rules->items[0].expires_ms == 34 * DAY_MS);
	assert_int_equal(config.rules->items[0].severity[RULE_LEVEL_ACT], RULE_SEVERITY_OK);
	judgement_config_deinit(&config);
}

static void all_that_can_be_said_is_read(void **state)
{
	struct judgement_config config = loaded(
	    "rules:\n"
	    "  - id: B\n    title: \303\251\n    advice: a\n    subject: device\n    hours: open\n    times: 3\n    "
	    "within: 12h\n"
	    "    clear_after: 1d\n    expires: 40d\n    notify: act\n    lock: act\n    cap: warn\n    cap_intensity_pct: "
	    "40.5\n"
	    "    warn_is: ok\n    act_is: critical\n"
	    "    any:\n"
	    "      - {metric: faults, window: 24h, codes: [leak, stall], severities: [stop], warn: 2, act: 4, clear: 1}\n"
	    "      - {metric: limit_hits, window: day, limits: [P1, P3], classes: [chair], is: above, warn: 2}\n"
	    "  - id: A\n    title: t\n    advice: a\n    subject: device\n    for: 30m\n"
	    "    all: [{metric: running_min, window: 6h, aggregate: mean, outcomes: [completed], depth: deep, routines: "
	    "[x], warn: 5}]\n"
	    "service:\n"
	    "  - {class: roller, model: R2, warranty_h: 5, every: {sessions: 9}, parts: [{part: head, motor_h: 1.5, "
	    "sessions: 2}]}\n"
	    "  - {class: roller, every: {motor_h: 8}}\n");
	const struct rule *a = &config.rules->items[0], *b = &config.rules->items[1];

	(void)state;
	assert_true(strcmp(a->id, "A") == 0 && strcmp(b->id, "B") == 0);
	assert_true(!a->any && a->conditions_count == 1 && a->for_ms == INT64_C(1800000));
	assert_int_equal(a->conditions[0].aggregate, RULE_AGGREGATE_MEAN);
	assert_int_equal(a->conditions[0].filter.outcomes, 1U << GF_OUTCOME_COMPLETED);
	assert_string_equal(a->conditions[0].filter.routines[0], "x");
	assert_true(b->any && b->conditions_count == 2 && b->times == 3 && b->within_ms == DAY_MS / 2);
	assert_int_equal(b->conditions[0].filter.codes, 1U << GF_FAULT_LEAK | 1U << GF_FAULT_STALL);
	assert_int_equal(b->conditions[0].filter.severities, 1U << GF_SEVERITY_STOP);
	assert_true(b->conditions[0].has_clear && b->conditions[0].clear == 1);
	assert_string_equal(b->conditions[1].filter.limits[1], "P3");
	assert_int_equal(b->conditions[1].filter.classes, 1U << GF_CLASS_CHAIR);
	assert_int_equal(b->conditions[1].comparison, RULE_COMPARISON_ABOVE);
	assert_true(b->hours == RULE_HOURS_OPEN && b->lock == RULE_LEVEL_ACT && b->cap == RULE_LEVEL_WARN);
	assert_true(b->cap_intensity_pct == 40.5F && b->notify == RULE_LEVEL_ACT && b->expires_ms == 40 * DAY_MS);
	assert_int_equal(config.plans_count, 2);
	assert_true(config.plans[0].model[0] == '\0' && config.plans[0].parts[FACT_PART_SERVICE].motor_h == 8);
	assert_true(config.plans[1].warranty_h == 5 && config.plans[1].parts[FACT_PART_SERVICE].sessions == 9);
	assert_true(config.plans[1].parts[FACT_PART_HEAD].motor_h == 1.5 &&
	            config.plans[1].parts[FACT_PART_HEAD].sessions == 2);
	judgement_config_deinit(&config);
}

static void nothing_is_a_file_too(void **state)
{
	struct judgement_config config = loaded("rules: []\n");

	(void)state;
	assert_true(config.rules != NULL && config.rules->count == 0 && config.plans_count == 0);
	judgement_config_deinit(&config);
}

/* ---- mistakes ---- */

static void words_that_nobody_knows_have_a_nearest(void **state)
{
	struct gf_diag diag;
	struct judgement_config config;
	const char *text = RULE("subject: device, metric: sesions, window: day, warn: 3");

	(void)state;
	assert_int_equal(rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "r.yaml:3:30: 'metric' is 'sesions'; did you mean 'sessions'?"));
	expect_refused(RULE("subject: device, metrik: sessions, window: day, warn: 3"),
	               "r.yaml:3:22: unknown key 'metrik' in 'rules'; did you mean 'metric'?");
	text = RULE("subject: person_area, metric: area_s, techniques: [drumm], window: day, warn: 3");
	assert_int_equal(rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "'drumm'; did you mean 'drum'?"));
}

static void what_rule_check_finds_is_told_at_its_key(void **state)
{
	(void)state;
	expect_refused(RULE("subject: device, metric: use_pct, window: day, warn: 120"),
	               "r.yaml:3:58: rule A: warn is 120 %, but use_pct never gets beyond 100: the rule would never fire");
	expect_refused(RULE("subject: device, metric: sessions, warn: 3"),
	               "r.yaml:2:5: rule A: the window is missing: give window: day, or a duration such as 24h or 7d");
	expect_refused(RULE("subject: device, all: [{metric: faults, window: 1d, warn: 3, act: 2}]"),
	               "r.yaml:3:71: rule A: act (2) must be above warn (3): with `is: at_least` it would come first");
	expect_refused(
	    RULE("subject: site, any: [{metric: faults, window: 1d, warn: 3}, {metric: use_pct, window: day, warn: 2}]"),
	    "r.yaml:3:74: rule A: use_pct isn't known of a site, so the rule would never fire; it is of: device");
	expect_refused(RULE("subject: device, metric: part_life_pct, window: 3d, warn: 3"),
	               "r.yaml:3:53: part_life_pct is what it is now: leave the window out");
}

static void conditions_stand_in_one_place(void **state)
{
	(void)state;
	expect_refused(RULE("subject: device"),
	               "r.yaml:2:5: the metric is missing: give metric, or conditions in all or any");
	expect_refused(RULE("subject: device, window: 3d, all: [{metric: faults, window: 1d, warn: 3}]"),
	               "r.yaml:3:30: window belongs into each entry of all");
	expect_refused(RULE("subject: device, all: [{metric: faults, warn: 3}], any: [{metric: faults, warn: 3}]"),
	               "r.yaml:3:61: either all or any, not both: make two rules");
	expect_refused(RULE("subject: device, metric: sessions, window: soon, warn: 3"),
	               "r.yaml:3:48: window is 'soon'; expected day, or a duration such as 24h or 7d");
	expect_refused(RULE("subject: device, metric: sessions, window: day, warn: 3, clear_after: 3"),
	               "r.yaml:3:75: clear_after is '3'; expected a duration such as 10m, 24h or 7d");
}

static void an_id_is_there_once(void **state)
{
	(void)state;
	expect_refused("rules:\n"
	               "  - {id: A, title: t, advice: a, subject: device, metric: faults, window: 1d, warn: 1}\n"
	               "  - {id: A, title: t, advice: a, subject: device, metric: faults, window: 1d, warn: 2}\n",
	               "r.yaml:3:10: the rule 'A' is there twice; the first is in line 2");
}

static void a_service_that_is_never_due(void **state)
{
	(void)state;
	expect_refused("service:\n  - {class: chair}\n",
	               "r.yaml:2:13: nothing is planned: give every, parts or warranty_h");
	expect_refused("service:\n  - {class: chair, every: {}}\n",
	               "r.yaml:2:27: neither motor_h nor sessions: it would never be due");
	expect_refused("service:\n  - {class: chair, every: {motor_h: -3}}\n",
	               "r.yaml:2:37: motor_h is -3; allowed: above 0, at most a million hours");
	expect_refused("service:\n  - {class: chair, parts: [{part: motor, motor_h: 3}]}\n",
	               "r.yaml:2:35: the motor's life is what the machine says of itself: rated_motor_h in agent.yaml");
	expect_refused("service:\n  - {class: chair, parts: [{part: head, motor_h: 3}, {part: head, sessions: 3}]}\n",
	               "r.yaml:2:61: head is there twice");
	expect_refused("service:\n  - {class: chair, warranty_h: 3}\n  - {class: chair, warranty_h: 4}\n",
	               "r.yaml:3:13: there is a plan for chair already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_rule_of_the_gateway_is_shipped),
	    cmocka_unit_test(machines_own_rules_have_flags_and_all_classes_a_plan),
	    cmocka_unit_test(a_rule_of_ones_own_goes_to_the_end_of_what_is_shipped),
	    cmocka_unit_test(what_is_left_out_has_its_default),
	    cmocka_unit_test(all_that_can_be_said_is_read),
	    cmocka_unit_test(nothing_is_a_file_too),
	    cmocka_unit_test(words_that_nobody_knows_have_a_nearest),
	    cmocka_unit_test(what_rule_check_finds_is_told_at_its_key),
	    cmocka_unit_test(conditions_stand_in_one_place),
	    cmocka_unit_test(an_id_is_there_once),
	    cmocka_unit_test(a_service_that_is_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
