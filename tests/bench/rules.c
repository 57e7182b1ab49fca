/*
 * What judging one subject by one rule of config/rules.yaml costs, facts in memory: a new session of a busy machine or person.
 *
 *     bench_rules config/rules.yaml
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/rules/judge.h"
#include "gateway/rules_yaml.h"

enum { ROUNDS = 2000, PER_DAY = 24, DAYS = 40, FACTS = PER_DAY * DAYS };

static struct fact facts[FACTS];

/* A session each hour, day and night: far more than any machine has. */
static int64_t make_facts(void)
{
	static const struct gf_area_use use = {
	    .area = GF_AREA_QUADS, .side = GF_SIDE_BOTH, .technique = GF_TECHNIQUE_PERCUSSION, .ms = 15000};
	const int64_t start_ms = INT64_C(1772323200000), hour_ms = INT64_C(3600000);

	for (size_t i = 0; i < FACTS; i++) {
		struct fact *f = &facts[i];

		*f = (struct fact){.kind = FACT_SESSION, .no = i, .calendar = &calendar_always, .class = GF_CLASS_PERCUSSION};
		f->at_ms = start_ms + (int64_t)i * hour_ms;
		f->session.started_ms = f->at_ms - hour_ms / 3;
		f->session.running_ms = 1200000;
		f->session.motor_ms = 1200000;
		f->session.depth = FACT_DEPTH_MODERATE;
		f->session.areas = &use;
		f->session.areas_count = 1;
	}
	return facts[FACTS - 1].at_ms;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int measure(const struct rule *rule, int64_t now_ms)
{
	struct judge_input input = {.rule = rule,
	                            .calendar = &calendar_always,
	                            .muscle = GF_MUSCLE_QUADS,
	                            .side = GF_SIDE_LEFT,
	                            .from_ms = now_ms,
	                            .now_ms = now_ms,
	                            .heard_ms = now_ms};
	size_t first = 0;
	double begin;

	while (first < FACTS - 1 && facts[first].at_ms < now_ms - rule_lookback_ms(rule))
		first++;
	input.facts = &facts[first];
	input.facts_count = FACTS - first;
	begin = seconds();
	for (int i = 0; i < ROUNDS; i++) {
		struct judgement j;

		if (rules_judge(&input, &j) != 0)
			return 1;
		judgement_deinit(&j);
	}
	printf("%-14s %5zu facts %8.2f us\n", rule->id, input.facts_count, (seconds() - begin) * 1e6 / ROUNDS);
	return 0;
}

int main(int argc, char **argv)
{
	struct judgement_config config;
	struct gf_diag diag = {{0}};
	const int64_t now_ms = make_facts();
	int failed = 0;

	if (argc != 2 || rules_yaml_load(argv[1], &config, &diag) != 0) {
		fprintf(stderr, "usage: bench_rules FILE\n%s\n", diag.text);
		return 2;
	}
	printf("a rule %zu bytes, a fact %zu, an episode %zu; %zu rules\n", sizeof(struct rule), sizeof(struct fact),
	       sizeof(struct episode), config.rules->count);
	for (size_t i = 0; i < config.rules->count && !failed; i++)
		failed = measure(&config.rules->items[i], now_ms);
	judgement_config_deinit(&config);
	return failed;
}
