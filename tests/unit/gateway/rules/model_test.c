/*
 * The engine against the reference model on 10,000 random histories; and against itself: facts that arrive in any portions and any order, judged by
 * what is new and what was flagged, give what all of them at once give.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/gateway/rules/model.h"
#include "tests/unit/gateway/rules/world.h"

enum { HISTORIES = 10000, FLAGS_MAX = MODEL_EPISODES_MAX };

static uint64_t first_seed = 1;
static uint64_t histories = HISTORIES;

static struct judgement judged(const struct judge_input *input)
{
	struct judgement j;

	assert_int_equal(rules_judge(input, &j), 0);
	return j;
}

static void engine_and_model_agree(void **state)
{
	static struct world w;
	static struct episode want[MODEL_EPISODES_MAX];
	size_t episodes = 0, acted = 0, expired = 0;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + histories; seed++) {
		struct judge_input input;
		struct judgement got;
		size_t count;

		world_make(&w, seed);
		input = world_input(&w);
		got = judged(&input);
		count = model_judge(&input, want);
		world_expect(&w, seed, "engine and model differ", got.episodes, got.count, want, count);
		if (got.count > 0 && got.episodes[got.count - 1].end == EPISODE_OPEN)
			assert_true(got.due_ms < INT64_MAX);
		episodes += count;
		for (size_t i = 0; i < count; i++) {
			acted += want[i].level == RULE_LEVEL_ACT;
			expired += want[i].end == EPISODE_EXPIRED;
		}
		judgement_deinit(&got);
	}
	print_message("%" PRIu64 " histories, %zu episodes, %zu acted, %zu expired\n", histories, episodes, acted, expired);
	if (histories == HISTORIES)
		assert_true(episodes > HISTORIES / 4 && acted > HISTORIES / 20 && expired > HISTORIES / 500);
}

/* ---- portions ---- */

/* A gateway as small as can be: the facts that came, and the flags of one rule. */
struct gateway {
	struct world *w;
	bool came[WORLD_FACTS_MAX];
	struct episode flags[FLAGS_MAX];
	size_t flags_count;
};

/* What the store gives: from the lookback on, and before it the newest session, and the newest service of each part. */
static size_t load(const struct gateway *g, int64_t since_ms, struct fact *ret_facts)
{
	const struct fact *session = NULL, *services[FACT_PART_COUNT] = {NULL};
	size_t count = 0;

	for (size_t i = 0; i < g->w->facts_count; i++) {
		const struct fact *f = &g->w->facts[i];

		if (!g->came[i] || f->at_ms >= since_ms)
			continue;
		if (f->kind == FACT_SESSION)
			session = f;
		else if (f->kind == FACT_SERVICE)
			services[f->service.part] = f;
	}
	for (size_t i = 0; i < g->w->facts_count; i++) {
		const struct fact *f = &g->w->facts[i];

		if (g->came[i] &&
		    (f->at_ms >= since_ms || f == session || (f->kind == FACT_SERVICE && f == services[f->service.part])))
			ret_facts[count++] = *f;
	}
	return count;
}

static void judge_from(struct gateway *g, int64_t from_ms, int64_t now_ms, int64_t *ret_due_ms)
{
	static struct fact facts[WORLD_FACTS_MAX];
	struct judge_input input = world_input(g->w);
	const struct episode *open = NULL;
	struct judgement j;

	for (size_t i = 0; i < g->flags_count; i++)
		if (g->flags[i].opened_ms < from_ms && (g->flags[i].ended_ms == 0 || g->flags[i].ended_ms >= from_ms))
			open = &g->flags[i];
	input.from_ms = episode_from_ms(open, from_ms);
	input.open = input.from_ms == from_ms ? open : NULL;
	input.facts = facts;
	input.facts_count = load(g, input.from_ms - rule_lookback_ms(&g->w->rule), facts);
	input.now_ms = now_ms;
	j = judged(&input);
	while (g->flags_count > 0 && (g->flags[g->flags_count - 1].opened_ms >= input.from_ms ||
	                              (input.open != NULL && input.open == &g->flags[g->flags_count - 1])))
		g->flags_count--;
	assert_true(g->flags_count + j.count <= FLAGS_MAX);
	for (size_t i = 0; i < j.count; i++)
		g->flags[g->flags_count++] = j.episodes[i];
	*ret_due_ms = j.due_ms;
	judgement_deinit(&j);
}

static size_t arrive(struct gateway *g, size_t wanted, int64_t *from_ms)
{
	size_t came = 0;

	for (int tries = 0; tries < 8 * WORLD_FACTS_MAX && came < wanted; tries++) {
		size_t i = gf_prng_below(&g->w->prng, g->w->facts_count);

		if (g->came[i])
			continue;
		g->came[i] = true;
		came++;
		if (g->w->facts[i].at_ms < *from_ms)
			*from_ms = g->w->facts[i].at_ms;
	}
	return came;
}

static int64_t some_moment(struct world *w, int64_t after_ms, int64_t until_ms)
{
	int64_t at_ms = w->facts[gf_prng_below(&w->prng, w->facts_count)].at_ms;

	return at_ms > after_ms && at_ms < until_ms ? at_ms : until_ms;
}

static void any_portions_in_any_order_give_the_same(void **state)
{
	static struct world w;
	static struct gateway g;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + histories; seed++) {
		int64_t now_ms, due_ms = INT64_MAX, end_ms, settled_ms = 0;
		struct judge_input input;
		struct judgement want;
		size_t left;

		world_make(&w, seed);
		g = (struct gateway){.w = &w};
		end_ms = w.now_ms;
		left = w.facts_count;
		now_ms = w.start_ms + (int64_t)gf_prng_below(&w.prng, (uint64_t)(end_ms - w.start_ms) + 1);
		while (left > 0 || now_ms < end_ms) {
			int64_t from_ms = settled_ms;
			size_t came = arrive(&g, left > 0 && now_ms >= end_ms ? left : gf_prng_below(&w.prng, left + 1), &from_ms);

			left -= came;
			judge_from(&g, from_ms, now_ms, &due_ms);
			settled_ms = now_ms + (int64_t)gf_prng_below(&w.prng, 2);
			now_ms += (int64_t)gf_prng_below(&w.prng, (uint64_t)(end_ms - now_ms) + 1);
			/* Often just when something is, so that judging begins with what changes. */
			if (gf_prng_below(&w.prng, 2) == 0)
				now_ms = some_moment(&w, settled_ms, now_ms);
			if (gf_prng_below(&w.prng, 4) == 0 || (left == 0 && gf_prng_below(&w.prng, 2) == 0))
				now_ms = end_ms;
			else if (due_ms < now_ms)
				now_ms = due_ms;
		}
		judge_from(&g, settled_ms, end_ms, &due_ms);
		input = world_input(&w);
		want = judged(&input);
		world_expect(&w, seed, "portions and all at once differ", g.flags, g.flags_count, want.episodes, want.count);
		judgement_deinit(&want);
	}
}

/* Until due nothing is to be done, and then there is. */
static void i9_what_is_due_is_due_then_and_not_before(void **state)
{
	static struct world w;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + histories; seed++) {
		struct judge_input input;
		struct judgement now, before, then;
		bool changed;

		world_make(&w, seed);
		input = world_input(&w);
		now = judged(&input);
		if (now.due_ms < INT64_MAX) {
			assert_true(now.due_ms > input.now_ms);
			input.now_ms = now.due_ms - 1;
			before = judged(&input);
			world_expect(&w, seed, "something happened before it was due", before.episodes, before.count, now.episodes,
			             now.count);
			input.now_ms = now.due_ms;
			then = judged(&input);
			changed = then.count != now.count;
			for (size_t i = 0; i < now.count && !changed; i++)
				changed = then.episodes[i].ended_ms != now.episodes[i].ended_ms ||
				          then.episodes[i].acted_ms != now.episodes[i].acted_ms ||
				          then.episodes[i].times != now.episodes[i].times;
			for (size_t i = 0; i < w.facts_count && !changed; i++)
				changed = w.facts[i].at_ms == now.due_ms;
			if (!changed)
				fail_msg("seed %" PRIu64 ": nothing happened when it was due", seed);
			judgement_deinit(&before);
			judgement_deinit(&then);
		}
		judgement_deinit(&now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(engine_and_model_agree),
	    cmocka_unit_test(any_portions_in_any_order_give_the_same),
	    cmocka_unit_test(i9_what_is_due_is_due_then_and_not_before),
	};
	const char *seed = getenv("GF_SEED");

	/* One history alone, to look into. */
	if (seed != NULL) {
		first_seed = strtoull(seed, NULL, 10);
		histories = 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
