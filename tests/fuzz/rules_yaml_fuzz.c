/* Any bytes as rules.yaml: rules that can be, each of them fit to judge by, or refused with a sentence. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "gateway/rules/judge.h"
#include "gateway/rules_yaml.h"

static void check(int holds)
{
	if (!holds)
		abort();
}

/* A session and a fault now and then. */
static void judge(const struct rule *rule)
{
	enum { FACTS = 8 };
	struct gf_area_use use = {.area = GF_AREA_QUADS,
	                          .side = GF_SIDE_BOTH,
	                          .technique = GF_TECHNIQUE_DRUM,
	                          .ms = 400000,
	                          .max_intensity_pct = 50};
	struct fact facts[FACTS];
	struct judge_input input = {.rule = rule,
	                            .calendar = &calendar_always,
	                            .facts = facts,
	                            .facts_count = FACTS,
	                            .muscle = GF_MUSCLE_QUADS,
	                            .side = GF_SIDE_LEFT,
	                            .now_ms = INT64_C(1800000000000),
	                            .heard_ms = INT64_C(1799999000000)};
	struct judgement j;
	char text[RULE_TEXT_MAX];

	for (size_t i = 0; i < FACTS; i++) {
		facts[i] = (struct fact){.kind = i % 2 ? FACT_FAULT : FACT_SESSION,
		                         .at_ms = input.now_ms - (int64_t)(FACTS - i) * 3000000,
		                         .no = i,
		                         .calendar = &calendar_always,
		                         .class = GF_CLASS_CHAIR};
		if (facts[i].kind == FACT_FAULT)
			facts[i].fault.code = GF_FAULT_STALL;
		else {
			facts[i].session.areas = &use;
			facts[i].session.areas_count = 1;
			facts[i].session.life_pct[FACT_PART_MOTOR] = 99;
		}
	}
	check(rules_judge(&input, &j) == 0);
	for (size_t i = 0; i < j.count; i++) {
		check(j.episodes[i].opened_ms > 0 && (j.episodes[i].end != EPISODE_OPEN || j.due_ms < INT64_MAX));
		rules_say(rule, &j.episodes[i], input.muscle, input.side, text);
		check(text[0] != '\0');
	}
	judgement_deinit(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judgement_config config = {.rules = NULL};
	struct gf_diag diag = {{0}};

	if (rules_yaml_load_text("fuzz.yaml", (const char *)data, size, &config, &diag) != 0) {
		check(diag.text[0] != '\0' && config.rules == NULL && config.plans == NULL);
		return 0;
	}
	for (size_t i = 0; i < config.rules->count; i++) {
		const struct rule *rule = &config.rules->items[i];
		char key[GF_NAME_MAX];

		check(rule_check(rule, key, &diag) == 0);
		check(rule_lookback_ms(rule) >= 0 && rules_find(config.rules, rule->id) == rule);
		judge(rule);
	}
	judgement_config_deinit(&config);
	return 0;
}
