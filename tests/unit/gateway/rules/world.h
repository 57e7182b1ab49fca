/*
 * Random rules, calendars and histories, small and on coarse times, so that equal moments, edges of windows and thresholds hit exactly are
 * frequent. What a seed makes is always the same.
 */
#ifndef TESTS_RULES_WORLD_H
#define TESTS_RULES_WORLD_H

#include "gateway/rules/judge.h"
#include "proto/base/rand.h"

enum { WORLD_FACTS_MAX = 48, WORLD_AREAS_MAX = 2, WORLD_CALENDARS = 3, WORLD_STAYS_MAX = 2 };

/* A zone that changes its clocks twice. */
struct world_zone {
	int32_t base_s, summer_s;
	int64_t spring_ms, autumn_ms;
};

struct world {
	struct gf_prng prng;
	struct world_zone zones[WORLD_CALENDARS];
	struct calendar calendars[WORLD_CALENDARS];
	struct rule rule;
	enum gf_muscle muscle;
	enum gf_side side;
	size_t facts_count;
	struct fact facts[WORLD_FACTS_MAX]; /* in order */
	struct gf_area_use areas[WORLD_FACTS_MAX][WORLD_AREAS_MAX];
	size_t stays_count; /* places where the machine was before */
	struct judge_stay stays[WORLD_STAYS_MAX];
	int64_t start_ms, now_ms;
};

void world_make(struct world *w, uint64_t seed);
/* The input for judging all of it; facts are the world's. */
struct judge_input world_input(const struct world *w);
/* Fails the test when two lists of episodes aren't the same in every respect. */
void world_expect(const struct world *w, uint64_t seed, const char *what, const struct episode *got, size_t got_count,
                  const struct episode *want, size_t want_count);

#endif
