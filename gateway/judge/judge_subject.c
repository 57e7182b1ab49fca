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

/* What is forgotten isn't judged anew: a flag made of it stays. */
static const int64_t people_kept_ms = INT64_C(31) * 24 * 3600 * 1000;
static const int64_t due_at_the_latest_ms = INT64_C(24) * 3600 * 1000;
/* Silence that is flagged is looked at so often: a machine that is heard after less than STORE_SILENCE_MS isn't marked. */
static const int64_t flagged_look_ms = INT64_C(15) * 60 * 1000;

enum { KNOWN_FIRST = 16 };

/* A flag of one of the rules, as it is stored. */
struct known {
	size_t rule;
	enum gf_muscle muscle;
	enum gf_side side;
	struct flag_known flag;
	struct episode episode;
};

struct known_list {
	struct known *items; /* by rule; of a rule by area, then in order */
	size_t count, room;
	/* While reading. */
	size_t rule;
};

struct work {
	struct judging *j;
	const struct rules *rules;
	struct known_list known;
	int64_t *from_ms; /* by rule: from when it is judged; of its areas the first */
};

static bool about(const struct work *w, size_t rule)
{
	enum rule_subject subject = w->j->subject->subject.kind;
	enum rule_subject of = w->rules->items[rule].subject;

	return of == subject || (subject == RULE_SUBJECT_PERSON && of == RULE_SUBJECT_AREA);
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

static struct store_subject subject_of(const struct work *w, const struct rule *rule)
{
	struct store_subject subject = w->j->subject->subject;

	subject.kind = rule->subject;
	return subject;
}

static int find_known(struct work *w, size_t rule, int64_t since_ms)
{
	const struct store_subject subject = subject_of(w, &w->rules->items[rule]);

	w->known.rule = rule;
	return store_flags_known(w->j->runner->config.store, w->rules->items[rule].id, &subject, since_ms, keep, &w->known,
	                         w->j->diag);
}

/* Was it open just before the moment? */
static bool open_at(const struct known *k, int64_t moment_ms)
{
	return k->flag.opened_ms < moment_ms && (k->flag.ended_ms == 0 || k->flag.ended_ms >= moment_ms);
}

/* How far back facts are still there, for what was made of them. */
static int64_t kept_since_ms(const struct work *w)
{
	enum rule_subject subject = w->j->subject->subject.kind;

	return subject == RULE_SUBJECT_PERSON || subject == RULE_SUBJECT_STAFF ? w->j->now_ms - people_kept_ms : INT64_MIN;
}

/* Whether a part of what the flag was made of may be gone: of many facts it keeps only the newest. */
static int is_forgotten(const struct work *w, const struct known *k, bool *ret_forgotten)
{
	bool whole = true;
	int r = 0;

	if (k->flag.opened_ms - rule_lookback_ms(&w->rules->items[k->rule]) < kept_since_ms(w)) {
		whole = k->episode.behind_count < EPISODE_BEHIND_MAX;
		if (whole)
			r = store_flag_whole(w->j->runner->config.store, k->flag.id, &whole, w->j->diag);
	}
	*ret_forgotten = !whole;
	return r;
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
			int64_t back_ms = open_at(k, before_ms) ? episode_from_ms(&k->episode, before_ms) : from_ms;
			bool forgotten = false;

			if (back_ms < from_ms)
				r = is_forgotten(w, k, &forgotten);
			if (back_ms < from_ms && !forgotten)
				from_ms = back_ms;
		}
	} while (!r && from_ms < before_ms);
	w->from_ms[rule] = from_ms;
	return r;
}

/* ---- one rule ---- */

/* One rule of one subject or area. */
struct turn {
	struct work *w;
	size_t rule;
	enum gf_muscle muscle;
	enum gf_side side;
	struct flag_known *known;
	size_t *places; /* of the same flags in work->known */
	size_t known_count;
};

static void take_severity(const struct rule *rule, struct store_flag *f)
{
	f->severity = rule->severity[f->episode.level];
}

static void describe(const struct turn *t, const struct episode *e, struct store_flag *f)
{
	const struct rule *rule = &t->w->rules->items[t->rule];
	const struct store_unsettled *u = t->w->j->subject;
	const struct rule_condition *c = &rule->conditions[e->condition < rule->conditions_count ? e->condition : 0];

	*f = (struct store_flag){.subject = subject_of(t->w, rule), .muscle = t->muscle, .side = t->side, .episode = *e};
	f->end = e->end == EPISODE_CLEARED   ? STORE_FLAG_CLEARED
	         : e->end == EPISODE_EXPIRED ? STORE_FLAG_EXPIRED
	                                     : STORE_FLAG_OPEN;
	gf_strcpy(f->rule, sizeof(f->rule), rule->id);
	gf_strcpy(f->device, sizeof(f->device), u->device);
	gf_strcpy(f->site, sizeof(f->site), u->site);
	gf_strcpy(f->title, sizeof(f->title), rule->title);
	rules_advise(rule, u->device, f->advice);
	gf_strcpy(f->metric, sizeof(f->metric), rule_metric_name(c->metric));
	f->window_ms = c->window_ms;
	rules_say(rule, e, t->muscle, t->side, f->text);
	take_severity(rule, f);
}

static bool from_level(enum rule_level level, enum rule_level from)
{
	return from != RULE_LEVEL_NONE && level >= from;
}

static bool same_episode(const struct episode *a, const struct episode *b)
{
	if (a->opened_ms != b->opened_ms || a->acted_ms != b->acted_ms || a->last_ms != b->last_ms ||
	    a->ended_ms != b->ended_ms || a->end != b->end || a->level != b->level || a->times != b->times ||
	    a->observed != b->observed || a->limit != b->limit || a->condition != b->condition ||
	    a->behind_count != b->behind_count)
		return false;
	for (size_t i = 0; i < a->behind_count; i++)
		if (a->behind[i].kind != b->behind[i].kind || a->behind[i].device != b->behind[i].device ||
		    a->behind[i].no != b->behind[i].no)
			return false;
	return true;
}

static int save(const struct turn *t, const struct flag_match *m, const struct known *stored, int64_t due_ms)
{
	const struct rule *rule = &t->w->rules->items[t->rule];
	struct judging *j = t->w->j;
	struct store_flag flag;
	uint64_t id;

	/* What ended and is the same is done with. */
	if (stored != NULL && m->episode->ended_ms != 0 && same_episode(&stored->episode, m->episode))
		return 0;
	describe(t, m->episode, &flag);
	flag.id = m->id;
	flag.due_ms = m->episode->ended_ms == 0 ? due_ms : 0;
	j->opened += m->change == FLAG_NEW;
	j->cleared += m->episode->ended_ms != 0 && (stored == NULL || stored->flag.ended_ms == 0);
	return store_flag_save(j->runner->config.store, &flag, from_level(flag.episode.level, rule->lock),
	                       from_level(flag.episode.level, rule->cap) ? rule->cap_intensity_pct : 0,
	                       from_level(flag.episode.level, rule->notify), j->now_ms, &id, j->diag);
}

/* The i-th of the turn's flags, as it is stored. */
static const struct known *stored_at(const struct turn *t, size_t i)
{
	return &t->w->known.items[t->places[i]];
}

static const struct known *stored_of(const struct turn *t, uint64_t id)
{
	for (size_t i = 0; i < t->known_count; i++)
		if (t->known[i].id == id)
			return stored_at(t, i);
	return NULL;
}

static int write_matches(const struct turn *t, const struct flag_match *matches, size_t count, int64_t due_ms)
{
	struct judging *j = t->w->j;
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const struct flag_match *m = &matches[i];
		const struct known *stored = stored_of(t, m->id);
		bool forgotten = false;

		if (m->change != FLAG_WITHDRAWN) {
			r = save(t, m, stored, due_ms);
			continue;
		}
		r = is_forgotten(t->w, stored, &forgotten);
		if (!r && !forgotten)
			r = store_flag_withdraw(j->runner->config.store, m->id, j->now_ms, j->diag);
	}
	return r;
}

/* Each open flag is looked at again, whatever its rule says (I9). */
static int64_t finite(const struct turn *t, const struct judgement *judgement)
{
	bool open = judgement->count > 0 && judgement->episodes[judgement->count - 1].ended_ms == 0;

	return open && judgement->due_ms == INT64_MAX ? t->w->j->now_ms + due_at_the_latest_ms : judgement->due_ms;
}

static void look_again(struct judging *j, int64_t due_ms)
{
	j->due_ms = due_ms < j->due_ms ? due_ms : j->due_ms;
}

static int write(const struct turn *t, const struct judgement *judgement)
{
	size_t room = t->known_count + judgement->count;
	struct flag_match *matches = calloc(room ? room : 1, sizeof(*matches));
	int64_t due_ms = finite(t, judgement);
	size_t count;
	int r;

	if (matches == NULL)
		return -ENOMEM;
	count = flags_match(t->known, t->known_count, judgement->episodes, judgement->count, matches);
	r = write_matches(t, matches, count, due_ms);
	free(matches);
	look_again(t->w->j, due_ms);
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
	return last_ms > from_ms ? last_ms : from_ms;
}

/* All follows from when it was heard last: what ended by then stays as it is. One that vanished with others is told as that, once. */
static int judge_silence(const struct turn *all, struct judge_input *in)
{
	struct judging *j = all->w->j;
	struct turn t = *all;
	struct judgement judgement = {0};
	bool flagged = t.known_count > 0 && t.known[t.known_count - 1].ended_ms == 0;
	bool missed = false;
	int r = flagged ? 0 : store_in_incident(j->runner->config.store, j->subject->subject.key, &missed, j->diag);

	if (r)
		return r;
	if (flagged)
		look_again(j, j->now_ms + flagged_look_ms);
	if (flagged && j->runner->heard_from_ms == 0)
		return 0;
	in->heard_ms = in->from_ms = missed ? j->now_ms : heard_ms(j, flagged);
	in->open = flagged ? &stored_at(&t, t.known_count - 1)->episode : NULL;
	while (t.known_count > 0 && t.known[0].ended_ms != 0 && t.known[0].opened_ms < in->heard_ms) {
		t.known++;
		t.places++;
		t.known_count--;
	}
	r = rules_judge(in, &judgement);
	if (r)
		return r;
	r = write(&t, &judgement);
	judgement_deinit(&judgement);
	return r;
}

/* ---- a turn ---- */

static int judge_turn(const struct turn *t)
{
	const struct judge_runner *runner = t->w->j->runner;
	const struct rule *rule = &t->w->rules->items[t->rule];
	struct judgement judgement = {0};
	struct judge_input in = {
	    .rule = rule,
	    .calendar = sites_calendar(runner->config.sites, t->w->j->subject->site),
	    .facts = runner->facts.items,
	    .facts_count = runner->facts.count,
	    .muscle = t->muscle,
	    .side = t->side,
	    .from_ms = t->w->from_ms[t->rule],
	    .now_ms = t->w->j->now_ms,
	    .work = &t->w->j->work,
	};
	int r;

	if (rule_is_silence(rule))
		return judge_silence(t, &in);
	for (size_t i = 0; i < t->known_count; i++)
		if (open_at(stored_at(t, i), in.from_ms))
			in.open = &stored_at(t, i)->episode;
	r = rules_judge(&in, &judgement);
	if (r)
		return r;
	r = write(t, &judgement);
	judgement_deinit(&judgement);
	return r;
}

/* With the rule's flags of this area alone. */
static int take_turn(struct work *w, size_t rule, enum gf_muscle muscle, enum gf_side side)
{
	struct turn t = {.w = w, .rule = rule, .muscle = muscle, .side = side};
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
	const struct calendar *calendar = sites_calendar(w->j->runner->config.sites, w->j->subject->site);

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
	int64_t since_ms[FACT_KINDS];
	int r = 0;

	for (size_t i = 0; i < w->rules->count && !r; i++) {
		if (!about(w, i))
			continue;
		r = rule_is_silence(&w->rules->items[i]) ? find_known(w, i, w->j->subject->last_seen_ms)
		                                         : reach_back(w, i, w->j->subject->settled_ms);
	}
	find_since(w, since_ms);
	if (!r)
		r = judge_facts_load(w->j, since_ms);
	for (size_t i = 0; i < w->rules->count && !r; i++) {
		if (!about(w, i))
			continue;
		r = w->rules->items[i].subject == RULE_SUBJECT_AREA ? judge_areas(w, i)
		                                                    : take_turn(w, i, GF_MUSCLE_GLUTES, GF_SIDE_UNSPECIFIED);
	}
	return r;
}

int judge_subject(struct judging *j)
{
	struct work w = {.j = j, .rules = j->runner->config.config->rules};
	int r;

	j->due_ms = INT64_MAX;
	j->work = JUDGE_WORK_MAX;
	w.from_ms = calloc(w.rules->count ? w.rules->count : 1, sizeof(*w.from_ms));
	if (w.from_ms == NULL)
		return -ENOMEM;
	r = judge_rules(&w);
	free(w.from_ms);
	free(w.known.items);
	return r ? r : store_judge_done(j->runner->config.store, &j->subject->subject, j->now_ms, j->due_ms, j->diag);
}
