/*
 * The walk over the moments. It begins before from_ms, as far back as the automaton needs; from from_ms on the automaton's word is carried out;
 * after now_ms it goes on without facts until the automaton would say something: that moment is when to judge again.
 *
 * One allocation for the entries of all conditions, one for the episodes.
 */
#include "gateway/rules/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/rules/automaton.h"
#include "gateway/rules/metric.h"
#include "gateway/rules/silence.h"

enum {
	EPISODES_FIRST = 4,
	LONGEST_DAY_MS = 25 * 3600 * 1000,
	AHEAD_MAX = 256, /* moments looked at beyond now; what lies farther is looked for when that one comes */
};

struct walk {
	const struct judge_input *in;
	const struct rule *rule;
	struct metric metrics[RULE_CONDITIONS_MAX];
	struct automaton automaton;
	struct episode *episodes;
	size_t count, room;
	struct episode *open; /* the last of them, or NULL */
	int64_t moment_ms;    /* that is looked at */
	/* By condition: from when on its window holds no fact that is missing; until when one may keep what was open. */
	int64_t whole_ms[RULE_CONDITIONS_MAX], kept_ms[RULE_CONDITIONS_MAX];
};

int64_t episode_from_ms(const struct episode *flagged, int64_t from_ms)
{
	return flagged != NULL && flagged->last_ms >= from_ms ? flagged->opened_ms : from_ms;
}

void judgement_deinit(struct judgement *judgement)
{
	free(judgement->episodes);
	*judgement = (struct judgement){0};
}

/* ---- facts that are missing ---- */

/* When what happened before the moment has left the window. */
static int64_t gone_ms(const struct walk *w, const struct rule_condition *c, int64_t moment_ms)
{
	if (!rule_metric_has_window(c->metric))
		return moment_ms + w->rule->expires_ms;
	/* The first gap that is seen lacks its beginning. */
	if (c->window_ms > 0 || c->metric == RULE_METRIC_GAP_H)
		return moment_ms + rule_window_ms(c);
	/* The days of people, and of a machine that moved, are those of the sites they were at. */
	if (w->in->calendar == NULL || w->in->before_count > 0 ||
	    (w->rule->subject != RULE_SUBJECT_DEVICE && w->rule->subject != RULE_SUBJECT_SITE))
		return moment_ms + LONGEST_DAY_MS;
	return calendar_day_start_ms(w->in->calendar, calendar_day(w->in->calendar, moment_ms - 1) + 1);
}

/* Does what holds by a part of the facts hold by all of them? */
static bool shown_by_some(const struct rule_condition *c)
{
	if (c->aggregate == RULE_AGGREGATE_LAST)
		return true;
	return rule_upwards(c->comparison) ? c->aggregate == RULE_AGGREGATE_SUM || c->aggregate == RULE_AGGREGATE_MAX
	                                   : c->aggregate == RULE_AGGREGATE_MIN;
}

/* The moment after the newest missing fact that may keep `open`: what lies between clear and warn, and what can't be told, leaves no trace in it. */
static int64_t last_kept_ms(const struct walk *w, const struct episode *open)
{
	const int64_t expires_ms = open->last_ms + w->rule->expires_ms;

	for (size_t i = 0; i < w->rule->conditions_count; i++) {
		const struct rule_condition *c = &w->rule->conditions[i];

		if (c->has_clear || c->metric == RULE_METRIC_GAP_H || !shown_by_some(c))
			return w->in->seen_ms < expires_ms ? w->in->seen_ms : expires_ms;
	}
	return open->last_ms + 1;
}

static void find_missing(struct walk *w, const struct episode *open)
{
	for (size_t i = 0; i < w->rule->conditions_count && w->in->seen_ms > 0; i++) {
		const struct rule_condition *c = &w->rule->conditions[i];

		w->whole_ms[i] = gone_ms(w, c, w->in->seen_ms);
		if (w->in->open == NULL)
			continue;
		w->kept_ms[i] = gone_ms(w, c, last_kept_ms(w, open));
		if (w->in->open->ended_ms != 0 && w->in->open->ended_ms < w->kept_ms[i])
			w->kept_ms[i] = w->in->open->ended_ms;
	}
}

/* ---- what the conditions say ---- */

/* One condition by a threshold of its own for each of the three questions. */
static bool holds(const struct walk *w, size_t i, enum rule_level level)
{
	const struct metric *m = &w->metrics[i];
	double threshold;

	if (w->moment_ms < w->whole_ms[i] && !shown_by_some(m->condition))
		return false;
	return !isnan(m->value) && rule_threshold(w->rule, m->condition, level, &threshold) &&
	       rule_beyond(m->condition->comparison, m->value, threshold);
}

static bool keeps(const struct walk *w, size_t i)
{
	const struct metric *m = &w->metrics[i];
	const bool goes_on = w->in->open != NULL && w->open != NULL && w->count == 1;

	if (goes_on && w->moment_ms < w->kept_ms[i] && (m->condition->aggregate != RULE_AGGREGATE_LAST || isnan(m->value)))
		return true;
	if (!m->condition->has_clear)
		return holds(w, i, RULE_LEVEL_WARN);
	return !isnan(m->value) && rule_beyond(m->condition->comparison, m->value, m->condition->clear);
}

static struct automaton_view view(const struct walk *w, int64_t moment_ms)
{
	const bool all = !w->rule->any;
	struct automaton_view v = {.held = {false, all, all}, .keeps = all};

	for (size_t i = 0; i < w->rule->conditions_count; i++) {
		bool warn = holds(w, i, RULE_LEVEL_WARN), act = holds(w, i, RULE_LEVEL_ACT), keep = keeps(w, i);

		v.held[RULE_LEVEL_WARN] = all ? v.held[RULE_LEVEL_WARN] && warn : v.held[RULE_LEVEL_WARN] || warn;
		v.held[RULE_LEVEL_ACT] = all ? v.held[RULE_LEVEL_ACT] && act : v.held[RULE_LEVEL_ACT] || act;
		v.keeps = all ? v.keeps && keep : v.keeps || keep;
		v.stale = v.stale || metric_is_stale(&w->metrics[i], moment_ms);
	}
	return v;
}

/* ---- an episode ---- */

static bool entered(const struct walk *w)
{
	for (size_t i = 0; i < w->rule->conditions_count; i++)
		if (w->metrics[i].entered < w->metrics[i].next)
			return true;
	return false;
}

static bool is_behind(const struct episode *e, const struct fact *fact)
{
	for (size_t i = 0; i < e->behind_count; i++)
		if (e->behind[i].kind == fact->kind && e->behind[i].device == fact->device && e->behind[i].no == fact->no)
			return true;
	return false;
}

static void put_behind(struct episode *e, const struct fact *fact)
{
	if (is_behind(e, fact))
		return;
	if (e->behind_count == EPISODE_BEHIND_MAX) {
		memmove(&e->behind[0], &e->behind[1], (EPISODE_BEHIND_MAX - 1) * sizeof(e->behind[0]));
		e->behind_count--;
	}
	e->behind[e->behind_count++] = (struct fact_ref){fact->kind, fact->device, fact->no};
}

/* The newest facts that count at the moment, of all conditions, in their order. */
static void put_window_behind(const struct walk *w, struct episode *e, int64_t moment_ms)
{
	const struct fact *newest[EPISODE_BEHIND_MAX];
	size_t next[RULE_CONDITIONS_MAX], count = 0;

	for (size_t i = 0; i < w->rule->conditions_count; i++)
		next[i] = w->metrics[i].next;
	while (count < EPISODE_BEHIND_MAX) {
		const struct metric_entry *best = NULL;
		size_t from = 0;

		for (size_t i = 0; i < w->rule->conditions_count; i++) {
			const struct metric *m = &w->metrics[i];

			while (next[i] > m->head && m->entries[next[i] - 1].end_ms <= moment_ms)
				next[i]--;
			if (next[i] > m->head && (best == NULL || fact_compare(m->entries[next[i] - 1].fact, best->fact) > 0)) {
				best = &m->entries[next[i] - 1];
				from = i;
			}
		}
		if (best == NULL)
			break;
		/* What is the last alone says all there is. */
		next[from] =
		    w->metrics[from].condition->aggregate == RULE_AGGREGATE_LAST ? w->metrics[from].head : next[from] - 1;
		if (count == 0 || newest[count - 1] != best->fact)
			newest[count++] = best->fact;
	}
	while (count > 0)
		put_behind(e, newest[--count]);
}

/* Which condition an episode of this level tells about. */
static size_t telling(const struct walk *w, enum rule_level level)
{
	for (size_t i = 0; i < w->rule->conditions_count; i++)
		if (holds(w, i, level) && (level != RULE_LEVEL_ACT || w->rule->conditions[i].has_act))
			return i;
	return 0;
}

static void reach(struct walk *w, struct episode *e, enum rule_level level)
{
	size_t condition = telling(w, level);

	if (e->level == RULE_LEVEL_NONE || condition != e->condition) {
		e->condition = condition;
		e->observed = w->metrics[condition].value;
	}
	e->level = level;
	if (!rule_threshold(w->rule, &w->rule->conditions[condition], level, &e->limit))
		e->limit = NAN; /* can't be: it holds by it */
}

/* The moment belongs to the episode: it held, by something that came or rose just then. */
static void touch(struct walk *w, struct episode *e, int64_t moment_ms)
{
	const struct metric *m = &w->metrics[e->condition];

	e->last_ms = moment_ms;
	if (isnan(m->value) || !rule_beyond(m->condition->comparison, m->value, e->observed) || m->value == e->observed)
		return;
	e->observed = m->value;
	for (size_t i = m->entered; i < m->next; i++)
		put_behind(e, m->entries[i].fact);
}

static int add_episode(struct walk *w, const struct episode *episode)
{
	if (w->count == w->room) {
		size_t room = w->room == 0 ? EPISODES_FIRST : w->room * 2;
		struct episode *more = reallocarray(w->episodes, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		w->episodes = more;
		w->room = room;
	}
	w->episodes[w->count++] = *episode;
	w->open = &w->episodes[w->count - 1];
	return 0;
}

/* ---- the walk ---- */

/* What may still come of it while no fact comes? Where values only fall, nothing rises. */
static bool may_still_open(const struct walk *w)
{
	if (w->automaton.levels[RULE_LEVEL_WARN].held)
		return true;
	for (size_t i = 0; i < w->rule->conditions_count; i++)
		if (!metric_only_falls(&w->rule->conditions[i]))
			return true;
	return false;
}

static void sooner(int64_t *next_ms, int64_t moment_ms, int64_t candidate_ms)
{
	if (candidate_ms > moment_ms && candidate_ms < *next_ms)
		*next_ms = candidate_ms;
}

static int64_t next_moment(const struct walk *w, int64_t moment_ms)
{
	int64_t next_ms = automaton_next_ms(&w->automaton, w->open != NULL, moment_ms);

	for (size_t i = 0; i < w->rule->conditions_count; i++) {
		if (metric_next_ms(&w->metrics[i]) < next_ms)
			next_ms = metric_next_ms(&w->metrics[i]);
		sooner(&next_ms, moment_ms, w->whole_ms[i]);
		sooner(&next_ms, moment_ms, w->kept_ms[i]);
	}
	return moment_ms < w->in->from_ms && next_ms > w->in->from_ms ? w->in->from_ms : next_ms;
}

static int begin_episode(struct walk *w, int64_t moment_ms)
{
	struct episode fresh = {.opened_ms = moment_ms, .last_ms = moment_ms, .times = 1};

	reach(w, &fresh, RULE_LEVEL_WARN);
	put_window_behind(w, &fresh, moment_ms);
	return add_episode(w, &fresh);
}

static void change_episode(struct walk *w, struct episode *e, enum automaton_word word, int64_t moment_ms)
{
	if (word == AUTOMATON_ACTS) {
		e->acted_ms = moment_ms;
		reach(w, e, RULE_LEVEL_ACT);
		touch(w, e, moment_ms);
		return;
	}
	e->end = word == AUTOMATON_CLEARS ? EPISODE_CLEARED : EPISODE_EXPIRED;
	e->ended_ms = moment_ms;
	w->open = NULL;
}

/* What isn't summed up from moment to moment is looked through at each: of a machine that tells a hundred thousand sessions a day that is too much. */
static int spend(struct walk *w)
{
	uint64_t visits = 0;

	for (size_t i = 0; i < w->rule->conditions_count; i++) {
		visits += w->metrics[i].visits;
		w->metrics[i].visits = 0;
	}
	if (w->in->work == NULL)
		return 0;
	if (visits > *w->in->work)
		return -E2BIG;
	*w->in->work -= visits;
	return 0;
}

/* Sees the moment, and carries out what follows from it. *ret_due: it lies ahead, and something will follow. */
static int look(struct walk *w, int64_t moment_ms, bool first, bool *ret_due)
{
	struct automaton_view now;
	enum automaton_word word;
	bool rises;
	int spent;

	w->moment_ms = moment_ms;
	for (size_t i = 0; i < w->rule->conditions_count; i++)
		metric_move(&w->metrics[i], moment_ms);
	spent = spend(w);
	if (spent != 0)
		return spent;
	now = view(w, moment_ms);
	rises = automaton_see(&w->automaton, &now, moment_ms, first);
	if (moment_ms < w->in->from_ms)
		return 0;
	if (w->open != NULL && now.held[RULE_LEVEL_WARN] && (rises || entered(w))) {
		if (moment_ms > w->in->now_ms) {
			*ret_due = true;
			return 0;
		}
		touch(w, w->open, moment_ms);
		w->open->times += rises;
	}
	while ((word = automaton_asks(&w->automaton, w->open, moment_ms)) != AUTOMATON_NOTHING) {
		int r;

		*ret_due = moment_ms > w->in->now_ms;
		if (*ret_due)
			return 0;
		if (w->open == NULL) {
			r = begin_episode(w, moment_ms);
			if (r != 0)
				return r;
			continue;
		}
		change_episode(w, w->open, word, moment_ms);
		if (w->open == NULL)
			return 0;
	}
	return 0;
}

static int go(struct walk *w, int64_t begin_ms, int64_t *ret_due_ms)
{
	int64_t moment_ms = begin_ms;
	unsigned ahead = 0;
	bool due = false;
	int r = look(w, moment_ms, true, &due);

	while (r == 0 && !due && ahead < AHEAD_MAX) {
		int64_t next_ms = next_moment(w, moment_ms);

		if (next_ms == INT64_MAX || (next_ms > w->in->now_ms && w->open == NULL && !may_still_open(w))) {
			*ret_due_ms = INT64_MAX;
			return 0;
		}
		moment_ms = next_ms;
		ahead += moment_ms > w->in->now_ms;
		r = look(w, moment_ms, false, &due);
	}
	*ret_due_ms = moment_ms;
	return r;
}

/* ---- all of it ---- */

static size_t facts_until_now(const struct judge_input *in)
{
	size_t low = 0, high = in->facts_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (in->facts[middle].at_ms <= in->now_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void begin(struct walk *w, struct metric_entry *room, size_t facts_count, int64_t begin_ms)
{
	for (size_t i = 0; i < w->rule->conditions_count; i++) {
		struct metric_entries_input input = {w->in, &w->rule->conditions[i], begin_ms};
		size_t count = metric_entries(&input, room);

		metric_begin(&w->metrics[i], &w->rule->conditions[i], room, count);
		room += facts_count;
	}
	automaton_begin(&w->automaton, w->in);
}

int rules_judge(const struct judge_input *input, struct judgement *ret_judgement)
{
	const size_t known = facts_until_now(input), conditions = input->rule->conditions_count;
	struct judge_input in = *input;
	struct walk w = {.in = &in, .rule = in.rule};
	struct metric_entry *room;
	struct episode open = {0};
	int64_t begin_ms, due_ms = INT64_MAX;
	int r = 0;

	if (rule_is_silence(in.rule))
		return silence_judge(input, ret_judgement);
	in.from_ms = in.from_ms > 0 ? in.from_ms : 0;
	room = reallocarray(NULL, known * conditions + 1, sizeof(*room));
	if (room == NULL)
		return -ENOMEM;
	if (in.open != NULL) {
		open = *in.open;
		open.end = EPISODE_OPEN;
		open.ended_ms = 0;
		/* Of what this rule never measured nothing is known to compare with. */
		if (open.condition >= conditions)
			open.condition = 0;
		/* What nobody has seen may have kept it. */
		if (in.open->ended_ms == 0 && !in.judged && open.last_ms < in.seen_ms - 1)
			open.last_ms = in.seen_ms - 1;
		r = add_episode(&w, &open);
	}
	find_missing(&w, &open);
	begin_ms = rule_begin_ms(in.rule, automaton_calendar(&in), in.open != NULL, in.from_ms);
	begin(&w, room, known, begin_ms);
	if (r == 0)
		r = go(&w, begin_ms, &due_ms);
	free(room);
	if (r != 0) {
		free(w.episodes);
		return r;
	}
	if (known < in.facts_count && in.facts[known].at_ms < due_ms)
		due_ms = in.facts[known].at_ms;
	*ret_judgement = (struct judgement){w.episodes, w.count, due_ms};
	return 0;
}
