/* Of random histories the older part is missing: nothing is flagged that isn't so, nothing clears before its time, and what is seen whole is as it would be. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/gateway/rules/model.h"
#include "tests/unit/gateway/rules/world.h"

enum { HISTORIES = 10000 };

static struct world w;
static struct episode want[MODEL_EPISODES_MAX];
static size_t want_count;

struct cut {
	uint64_t seed;
	struct judge_input all, input;
	struct judgement before, got;
};

/* For a machine that never moved a day is over at the same time for all facts. */
static void stay_at_one_site(void)
{
	const bool stays = w.rule.subject == RULE_SUBJECT_DEVICE || w.rule.subject == RULE_SUBJECT_SITE;

	for (size_t i = 0; i < w.facts_count && stays && w.stays_count == 0; i++)
		w.facts[i].calendar = &w.calendars[0];
}

/* Judged while all was there; then from somewhere in the middle on with what is left. */
static void make_cut(struct cut *c)
{
	size_t skip = w.facts_count / 2;

	c->all = c->input = world_input(&w);
	c->input.seen_ms = c->input.from_ms = w.facts[skip].at_ms;
	while (skip > 0 && w.facts[skip - 1].at_ms >= c->input.seen_ms)
		skip--;
	c->input.facts += skip;
	c->input.facts_count -= skip;
	c->input.judged = c->seed % 2 == 0;
	c->all.now_ms = c->input.seen_ms - 1;
	assert_int_equal(rules_judge(&c->all, &c->before), 0);
	c->all.now_ms = w.now_ms;
	if (c->before.count > 0 && c->before.episodes[c->before.count - 1].ended_ms == 0)
		c->input.open = &c->before.episodes[c->before.count - 1];
	assert_int_equal(rules_judge(&c->input, &c->got), 0);
}

static void differs(const struct cut *c, const char *what)
{
	fail_msg("seed %" PRIu64 ": %s", c->seed, what);
}

static bool open_at(const struct episode *e, int64_t moment_ms)
{
	return e->opened_ms <= moment_ms && (e->ended_ms == 0 || e->ended_ms > moment_ms);
}

static const struct episode *wanted_at(int64_t moment_ms)
{
	for (size_t i = 0; i < want_count; i++)
		if (open_at(&want[i], moment_ms))
			return &want[i];
	return NULL;
}

/* What rose before can't be told from what has only come into sight. */
static void check_new(const struct cut *c)
{
	for (size_t i = c->input.open != NULL; i < c->got.count && w.rule.times == 0; i++)
		if (wanted_at(c->got.episodes[i].opened_ms) == NULL)
			differs(c, "flagged, but it isn't so");
}

static void check_open(const struct cut *c)
{
	const struct episode *e, *whole;

	if (c->input.open == NULL)
		return;
	e = c->got.episodes;
	if (e == NULL) {
		differs(c, "forgotten");
		return;
	}
	whole = wanted_at(c->input.seen_ms);
	if (whole == NULL || whole->opened_ms != c->input.open->opened_ms || e->ended_ms == 0)
		return;
	if (whole->ended_ms == 0 || whole->ended_ms > e->ended_ms)
		differs(c, "cleared before its time");
}

/* From when on nothing that is missing has a say, both are alike, once nothing is open. */
static bool check_later(const struct cut *c)
{
	int64_t from_ms = c->input.seen_ms + rule_lookback_ms(&w.rule) + 1;
	size_t i = 0, k = 0;

	/* What a part has behind it is known until it is out of date. */
	if ((rule_needs(&w.rule) & 1U << FACT_SERVICE) != 0)
		from_ms += w.rule.expires_ms;
	while (i < want_count && want[i].opened_ms < from_ms)
		i++;
	while (k < c->got.count && c->got.episodes[k].opened_ms < from_ms)
		k++;
	if ((i > 0 && open_at(&want[i - 1], from_ms)) || (k > 0 && open_at(&c->got.episodes[k - 1], from_ms)))
		return false;
	world_expect(&w, c->seed, "what is seen whole differs", c->got.episodes + k, c->got.count - k, want + i,
	             want_count - i);
	return want_count > i;
}

static void what_is_missing_changes_nothing_that_is_seen(void **state)
{
	size_t opened = 0, carried = 0, later = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		struct cut c = {.seed = seed};

		world_make(&w, seed);
		stay_at_one_site();
		if (w.facts[w.facts_count / 2].at_ms > w.now_ms)
			continue;
		make_cut(&c);
		want_count = model_judge(&c.all, want);
		check_new(&c);
		check_open(&c);
		later += check_later(&c);
		opened += c.got.count > (c.input.open != NULL ? 1U : 0U);
		carried += c.input.open != NULL;
		/* I9 */
		if (c.got.count > 0 && c.got.episodes[c.got.count - 1].ended_ms == 0)
			assert_true(c.got.due_ms < INT64_MAX);
		judgement_deinit(&c.before);
		judgement_deinit(&c.got);
	}
	print_message("%zu histories with new episodes, %zu carried, %zu later\n", opened, carried, later);
	assert_true(opened > HISTORIES / 20 && carried > HISTORIES / 40 && later > HISTORIES / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_missing_changes_nothing_that_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
