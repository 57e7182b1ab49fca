/*
 * One subject: the flags that reach into the time from which it is open again are looked up for each of its rules, the facts are loaded once for
 * all of them, and what each rule says of them is matched with its flags and written.
 *
 * A flag that was open when something late came, and has changed since, is judged from its own beginning: what is stored of it is of later.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/judge/judge_impl.h"
#include "gateway/store/incidents.h"

/* Silence that is flagged is looked at so often: a machine that is heard after less than STORE_SILENCE_MS isn't marked. */
static const int64_t flagged_look_ms = INT64_C(15) * 60 * 1000;
/* What was heard just now may be of a moment later than the step. */
static const int64_t clock_slack_ms = INT64_C(10) * 1000;

enum { KNOWN_FIRST = 16 };

static bool about(const struct work *w, size_t rule)
{
	return judge_about(&w->rules->items[rule], w->j->subject->subject.kind);
}

/* ---- the flags that are known ---- */

static int keep(void *ctx, const struct flag_known *flag, const struct episode *episode, enum gf_muscle muscle,
                enum gf_side side)
{
	struct known_list *k = ctx;

	if (k->count == k->room) {
		size_t room = k->room ? k->room * 2 : KNOWN_FIRST;
		struct known *items = realloc(k->items, room * sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		k->items = items;
		k->room = room;
	}
	k->items[k->count++] =
	    (struct known){.rule = k->rule, .muscle = muscle, .side = side, .flag = *flag, .episode = *episode};
	return 0;
}

static int find_known(struct work *w, size_t rule, int64_t since_ms)
{
	const struct store_subject subject = judge_subject_of(w, &w->rules->items[rule]);

	w->known.rule = rule;
	return store_flags_known(w->j->runner->config.store, w->rules->items[rule].id, &subject, since_ms, keep, &w->known,
	                         w->j->diag);
}

bool judge_open_at(const struct known *k, int64_t moment_ms)
{
	return k->flag.opened_ms < moment_ms && (k->flag.ended_ms == 0 || k->flag.ended_ms >= moment_ms);
}

/* The flags of a rule that matter, and from when it is judged: what is late reaches back to the beginning of the flags it falls into, of which
 * one may end where the one before begins. */
static int reach_back(struct work *w, size_t rule, int64_t from_ms)
{
	const size_t first = w->known.count;
	int64_t before_ms;
	int r;

	do {
		before_ms = from_ms;
		w->known.count = first;
		r = find_known(w, rule, from_ms);
		for (size_t i = first; i < w->known.count && !r; i++) {
			const struct known *k = &w->known.items[i];
			int64_t back_ms = judge_open_at(k, before_ms) ? episode_from_ms(&k->episode, before_ms) : from_ms;
			bool forgotten = false;

			if (back_ms < from_ms)
				r = judge_is_forgotten(w, k, &forgotten);
			if (back_ms < from_ms && !forgotten)
				from_ms = back_ms;
		}
	} while (!r && from_ms < before_ms);
	w->from_ms[rule] = from_ms;
	return r;
}

/* ---- silence ---- */

/* When the machine was heard last. Silence before the gateway heard anybody proves nothing, but for what is flagged already. */
static int64_t heard_ms(const struct judging *j, bool flagged)
{
	int64_t last_ms = j->subject->last_seen_ms, from_ms = j->runner->heard_from_ms;

	if (flagged)
		return last_ms;
	if (from_ms == 0)
		return j->now_ms;
	/* To come: that was before the clock was set back. */
	return last_ms > from_ms && last_ms < j->now_ms + clock_slack_ms ? last_ms : from_ms;
}

/* All follows from when it was heard last: what ended by then stays as it is. One that vanished with others is told as that, once. A machine
 * that the rule isn't about, or isn't any more, counts as heard. */
static int judge_silence(const struct turn *all)
{
	struct judging *j = all->w->j;
	struct turn t = *all;
	struct judgement judgement = {0};
	struct judge_input in = {.rule = &t.w->rules->items[t.rule],
	                         .calendar = sites_calendar(j->runner->config.sites, j->subject->site),
	                         .now_ms = j->now_ms};
	const bool taken = rule_takes(in.rule->conditions[0].filter.classes, j->subject->class);
	bool flagged = t.known_count > 0 && t.known[t.known_count - 1].ended_ms == 0;
	bool missed = false;
	if (!taken && !flagged)
		return 0;
	int r = flagged ? 0 : store_in_incident(j->runner->config.store, j->subject->subject.key, &missed, j->diag);

	if (r)
		return r;
	if (flagged)
		judge_look_again(j, j->now_ms + flagged_look_ms);
	/* I9: it ends in its time. */
	if (flagged && taken && j->runner->heard_from_ms == 0 && j->now_ms < j->subject->last_seen_ms + in.rule->expires_ms)
		return 0;
	in.heard_ms = in.from_ms = missed || !taken ? j->now_ms : heard_ms(j, flagged);
	in.open = flagged ? &judge_stored_at(&t, t.known_count - 1)->episode : NULL;
	while (t.known_count > 0 && t.known[0].ended_ms != 0 && t.known[0].opened_ms < in.heard_ms) {
		t.known++;
		t.places++;
		t.known_count--;
	}
	r = rules_judge(&in, &judgement);
	if (r)
		return r;
	r = judge_write(&t, &judgement);
	judgement_deinit(&judgement);
	return r;
}

/* ---- a turn ---- */

/* Each rule has its share, so that what one of them can't look through keeps no other from being judged. */
static uint64_t share_of(const struct work *w, const struct rule *rule)
{
	return rule->subject == RULE_SUBJECT_AREA ? w->share / JUDGE_AREAS_MAX : w->share;
}

/* By the facts from `skip` on. */
static int judge_some(const struct turn *t, size_t skip, uint64_t *work, struct judgement *ret_judgement)
{
	const struct judge_runner *runner = t->w->j->runner;
	struct judge_input in = {
	    .rule = &t->w->rules->items[t->rule],
	    .calendar = sites_calendar(runner->config.sites, t->w->j->subject->site),
	    .before = runner->facts.stays,
	    .before_count = runner->facts.stays_count,
	    .facts = runner->facts.items + skip,
	    .facts_count = runner->facts.count - skip,
	    .muscle = t->muscle,
	    .side = t->side,
	    .from_ms = t->from_ms,
	    .seen_ms = t->seen_ms,
	    .judged = t->w->j->subject->settled_ms >= t->seen_ms,
	    .now_ms = t->w->j->now_ms,
	    .work = work,
	};

	for (size_t i = 0; i < t->known_count; i++)
		if (judge_open_at(judge_stored_at(t, i), in.from_ms))
			in.open = &judge_stored_at(t, i)->episode;
	return rules_judge(&in, ret_judgement);
}

/* What it can't look through it looks at from later on: each time a quarter of the facts, which is a sixteenth of the work. */
static int judge_turn(struct turn *t)
{
	const struct judge_facts *f = &t->w->j->runner->facts;
	const struct rule *rule = &t->w->rules->items[t->rule];
	struct judgement judgement = {0};
	uint64_t share = share_of(t->w, rule), work, *left = &t->w->j->work;
	size_t skip = 0;
	int r;

	if (rule_is_silence(rule))
		return judge_silence(t);
	judge_from(t, judge_begin_ms(t->w, rule));
	do {
		work = share;
		r = judge_some(t, skip, &work, &judgement);
		*left -= *left > share - work ? share - work : *left;
		if (r == -E2BIG) {
			skip = f->count - (f->count - skip) / 4;
			judge_from(t, f->items[skip - 1].at_ms + 1);
			share /= 2;
		}
	} while (r == -E2BIG);
	if (r)
		return r;
	r = judge_write(t, &judgement);
	judgement_deinit(&judgement);
	return r;
}

/* With the rule's flags of this area alone. */
static int take_turn(struct work *w, size_t rule, enum gf_muscle muscle, enum gf_side side)
{
	struct turn t = {.w = w, .rule = rule, .muscle = muscle, .side = side, .from_ms = w->from_ms[rule]};
	size_t room = w->known.count ? w->known.count : 1;
	int r = -ENOMEM;

	t.known = calloc(room, sizeof(*t.known));
	t.places = calloc(room, sizeof(*t.places));
	if (t.known != NULL && t.places != NULL) {
		for (size_t i = 0; i < w->known.count; i++) {
			const struct known *k = &w->known.items[i];

			if (k->rule != rule || k->muscle != muscle || k->side != side)
				continue;
			t.known[t.known_count] = k->flag;
			t.places[t.known_count++] = i;
		}
		r = judge_turn(&t);
	}
	free(t.known);
	free(t.places);
	return r;
}

/* ---- areas ---- */

static void add_area(bool there[static GF_MUSCLE_COUNT], const struct gf_area_use *use)
{
	if (use->area == GF_AREA_UNSPECIFIED || (unsigned)use->area >= GF_AREA_COUNT)
		return;
	for (enum gf_muscle m = 0; m < GF_MUSCLE_COUNT; m++)
		there[m] = there[m] || gf_muscle_covers(gf_muscle_of(use->area), m);
}

/* The muscle groups that something was done to, or that are flagged; what is done to the legs is done to their parts. */
static void find_areas(const struct work *w, size_t rule, bool there[static GF_MUSCLE_COUNT])
{
	const struct judge_facts *f = &w->j->runner->facts;

	for (size_t i = 0; i < f->count; i++)
		for (size_t n = 0; f->items[i].kind == FACT_SESSION && n < f->items[i].session.areas_count; n++)
			add_area(there, &f->items[i].session.areas[n]);
	for (size_t i = 0; i < w->known.count; i++)
		if (w->known.items[i].rule == rule && (unsigned)w->known.items[i].muscle < GF_MUSCLE_COUNT)
			there[w->known.items[i].muscle] = true;
	there[GF_MUSCLE_LEGS] = false;
}

static int judge_areas(struct work *w, size_t rule)
{
	bool there[GF_MUSCLE_COUNT] = {false};
	int r = 0;

	find_areas(w, rule, there);
	for (enum gf_muscle m = 0; m < GF_MUSCLE_COUNT && !r; m++) {
		if (there[m])
			r = take_turn(w, rule, m, GF_SIDE_LEFT);
		if (there[m] && !r)
			r = take_turn(w, rule, m, GF_SIDE_RIGHT);
	}
	return r;
}

/* ---- all of it ---- */

/* From when on facts of each kind are needed, for all rules about the subject. */
static void find_since(const struct work *w, int64_t ret_since_ms[static FACT_KINDS])
{
	const struct calendar *calendar = judge_calendar(w->j);

	for (int kind = 0; kind < FACT_KINDS; kind++)
		ret_since_ms[kind] = INT64_MAX;
	for (size_t i = 0; i < w->rules->count; i++) {
		const struct rule *rule = &w->rules->items[i];
		int64_t since_ms = rule_since_ms(rule, calendar, w->from_ms[i] > 0 ? w->from_ms[i] : 0);

		for (int kind = 0; about(w, i) && kind < FACT_KINDS; kind++)
			if ((rule_needs(rule) & 1U << kind) && since_ms < ret_since_ms[kind])
				ret_since_ms[kind] = since_ms;
	}
}

static int judge_rules(struct work *w)
{
	int64_t since_ms[FACT_KINDS], first_ms = w->j->now_ms;
	size_t left = 1; /* and one, for those that need more than their share */
	int r = 0;

	for (size_t i = 0; i < w->rules->count && !r; i++) {
		if (!about(w, i))
			continue;
		left++;
		r = rule_is_silence(&w->rules->items[i]) ? find_known(w, i, w->j->subject->last_seen_ms)
		                                         : reach_back(w, i, w->j->subject->settled_ms);
		if (!rule_is_silence(&w->rules->items[i]) && w->from_ms[i] < first_ms)
			first_ms = w->from_ms[i];
	}
	if (!r)
		r = judge_stays_load(w->j, first_ms);
	find_since(w, since_ms);
	if (!r)
		r = judge_facts_load(w->j, since_ms);
	for (size_t i = 0; i < w->rules->count && !r; i++) {
		if (!about(w, i))
			continue;
		w->share = w->j->work / left;
		left -= left > 1;
		r = w->rules->items[i].subject == RULE_SUBJECT_AREA ? judge_areas(w, i)
		                                                    : take_turn(w, i, GF_MUSCLE_GLUTES, GF_SIDE_UNSPECIFIED);
	}
	return r ? r : judge_part_flag(w);
}

int judge_subject(struct judging *j)
{
	struct work w = {.j = j, .rules = j->runner->config.config->rules};
	int r;

	j->due_ms = INT64_MAX;
	j->work = j->runner->config.work_max;
	w.from_ms = calloc(w.rules->count ? w.rules->count : 1, sizeof(*w.from_ms));
	if (w.from_ms == NULL)
		return -ENOMEM;
	r = judge_rules(&w);
	free(w.from_ms);
	free(w.known.items);
	return r ? r : store_judge_done(j->runner->config.store, &j->subject->subject, j->now_ms, j->due_ms, j->diag);
}
