/* What a rule says of a subject is matched with the flags that are stored, and written. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/judge/judge_impl.h"
#include "gateway/store/cases.h"

/* What is forgotten isn't judged anew: a flag made of it stays. */
static const int64_t people_kept_ms = STORE_TOKEN_DAYS * INT64_C(24) * 3600 * 1000;
static const int64_t due_at_the_latest_ms = INT64_C(24) * 3600 * 1000;

struct store_subject judge_subject_of(const struct work *w, const struct rule *rule)
{
	struct store_subject subject = w->j->subject->subject;

	subject.kind = rule->subject;
	return subject;
}

/* How far back facts are still there, for what was made of them. */
static int64_t kept_since_ms(const struct work *w)
{
	enum rule_subject subject = w->j->subject->subject.kind;

	return subject == RULE_SUBJECT_PERSON || subject == RULE_SUBJECT_STAFF ? w->j->now_ms - people_kept_ms : INT64_MIN;
}

int judge_is_forgotten(const struct work *w, const struct known *k, bool *ret_forgotten)
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

static void describe(const struct turn *t, const struct episode *e, struct store_flag *f)
{
	const struct rule *rule = &t->w->rules->items[t->rule];
	const struct store_unsettled *u = t->w->j->subject;
	const struct rule_condition *c = &rule->conditions[e->condition < rule->conditions_count ? e->condition : 0];

	*f = (struct store_flag){
	    .subject = judge_subject_of(t->w, rule), .muscle = t->muscle, .side = t->side, .episode = *e};
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
	f->severity = rule->severity[e->level];
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

const struct known *judge_stored_at(const struct turn *t, size_t i)
{
	return &t->w->known.items[t->places[i]];
}

static const struct known *stored_of(const struct turn *t, uint64_t id)
{
	for (size_t i = 0; i < t->known_count; i++)
		if (t->known[i].id == id)
			return judge_stored_at(t, i);
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
		r = judge_is_forgotten(t->w, stored, &forgotten);
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

void judge_look_again(struct judging *j, int64_t due_ms)
{
	j->due_ms = due_ms < j->due_ms ? due_ms : j->due_ms;
}

int judge_write(const struct turn *t, const struct judgement *judgement)
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
	judge_look_again(t->w->j, due_ms);
	return r;
}
