/*
 * Who isn't judged in full is flagged, by a rule of the gateway's own: of whom more is told than can be judged, and who can't be judged at all. That is
 * said of how the gateway does, not of the facts: the flag opens when it is found.
 */
#include <math.h>
#include <stdio.h>

#include "gateway/judge/judge_impl.h"
#include "proto/base/clock.h"

enum { NAMED = 4 };

/* ---- what a rule sees ---- */

int64_t judge_begin_ms(const struct work *w, const struct rule *rule)
{
	int64_t begin_ms = INT64_MIN;

	for (int kind = 0; kind < FACT_KINDS; kind++)
		if ((rule_needs(rule) & 1U << kind) && w->j->runner->facts.begin_ms[kind] > begin_ms)
			begin_ms = w->j->runner->facts.begin_ms[kind];
	return begin_ms;
}

static void note(struct work *w, size_t rule, int64_t begin_ms)
{
	struct judge_part *p = &w->part;
	const size_t len = strlen(p->names);

	if (begin_ms > p->begin_ms)
		p->begin_ms = begin_ms;
	if (p->rules > 0 && p->last == rule)
		return;
	p->last = rule;
	if (p->rules++ < NAMED)
		snprintf(p->names + len, sizeof(p->names) - len, "%s%.*s", len > 0 ? ", " : "",
		         (int)sizeof(p->names) / NAMED - 3, w->rules->items[rule].id);
}

void judge_from(struct turn *t, int64_t begin_ms)
{
	const struct rule *rule = &t->w->rules->items[t->rule];
	const struct calendar *calendar = judge_calendar(t->w->j);
	size_t kept = 0;

	if (begin_ms <= rule_since_ms(rule, calendar, t->from_ms))
		return;
	/* What is late for a flag that has been open for weeks is not too much. */
	if (begin_ms > rule_since_ms(rule, calendar, t->w->j->subject->settled_ms))
		note(t->w, t->rule, begin_ms);
	t->seen_ms = begin_ms;
	t->from_ms = begin_ms > t->from_ms ? begin_ms : t->from_ms;
	for (size_t i = 0; i < t->known_count; i++) {
		const struct known *k = judge_stored_at(t, i);

		if (judge_open_at(k, t->from_ms) && k->episode.last_ms >= t->from_ms)
			t->from_ms = k->episode.last_ms + 1;
	}
	for (size_t i = 0; i < t->known_count; i++) {
		if (t->known[i].ended_ms != 0 && t->known[i].ended_ms < t->from_ms)
			continue;
		t->known[kept] = t->known[i];
		t->places[kept++] = t->places[i];
	}
	t->known_count = kept;
}

/* ---- the flag ---- */

static int take_open(void *ctx, const struct flag_known *known, const struct episode *episode, enum gf_muscle muscle,
                     enum gf_side side)
{
	struct store_flag *flag = ctx;

	(void)muscle;
	(void)side;
	flag->id = known->id;
	flag->episode = *episode;
	return 0;
}

/* The one that is open, or a new one. */
static int find(const struct judging *j, struct store_flag *ret_flag)
{
	const struct store_unsettled *u = j->subject;

	*ret_flag = (struct store_flag){.subject = u->subject,
	                                .rule = STORE_RULE_JUDGING,
	                                .metric = STORE_METRIC_JUDGING,
	                                .title = "not judged in full",
	                                .episode = {.opened_ms = j->now_ms, .level = RULE_LEVEL_WARN, .times = 1}};
	gf_strcpy(ret_flag->device, sizeof(ret_flag->device), u->device);
	gf_strcpy(ret_flag->site, sizeof(ret_flag->site), u->site);
	if (u->subject.kind == RULE_SUBJECT_DEVICE)
		ret_flag->severity = RULE_SEVERITY_ATTENTION;
	return store_flags_known(j->runner->config.store, STORE_RULE_JUDGING, &u->subject, INT64_MAX, take_open, ret_flag,
	                         j->diag);
}

static int save(struct judging *j, struct store_flag *flag)
{
	const bool ended = flag->end != STORE_FLAG_OPEN;
	uint64_t id;

	flag->episode.observed = flag->episode.limit = NAN;
	flag->due_ms = ended ? 0 : j->now_ms + JUDGE_PART_MS;
	if (!ended)
		judge_look_again(j, flag->due_ms);
	j->opened += flag->id == 0;
	j->cleared += ended;
	return store_flag_save(j->runner->config.store, flag, false, 0, true, j->now_ms, &id, j->diag);
}

/* The newest of what there is too much of. */
static void put_behind(const struct judge_facts *f, struct episode *e)
{
	size_t count = 0;

	for (size_t i = f->count; i-- > 0 && count < EPISODE_BEHIND_MAX;)
		if (f->begin_ms[f->items[i].kind] != INT64_MIN)
			e->behind[EPISODE_BEHIND_MAX - ++count] =
			    (struct fact_ref){f->items[i].kind, f->items[i].device, f->items[i].no};
	memmove(e->behind, e->behind + EPISODE_BEHIND_MAX - count, count * sizeof(e->behind[0]));
	e->behind_count = count;
}

static void say_part(const struct work *w, struct store_flag *flag)
{
	const struct judge_part *p = &w->part;
	const bool device = flag->subject.kind == RULE_SUBJECT_DEVICE;
	char more[32] = "", at[GF_RFC3339_MAX];

	if (p->rules > NAMED)
		snprintf(more, sizeof(more), " and %zu more", p->rules - NAMED);
	snprintf(flag->text, sizeof(flag->text), "%s%s %s only what came after %s: more is told than can be judged",
	         p->names, more, p->rules > 1 ? "see" : "sees", gf_time_format(p->begin_ms - 1, at));
	if (device)
		snprintf(flag->advice, sizeof(flag->advice),
		         "See what it tells so often (gymfleet sessions %s): its sensors, its clock or its agent are out of "
		         "order, or somebody lies by it.",
		         flag->device);
	else
		gf_strcpy(flag->advice, sizeof(flag->advice),
		          "See which machines tell so much: gymfleet overuse show, with this flag's number, names them.");
}

int judge_part_flag(struct work *w)
{
	struct judging *j = w->j;
	struct store_flag flag;
	int r = find(j, &flag);

	if (r || (flag.id == 0 && w->part.rules == 0))
		return r;
	if (w->part.rules > 0) {
		flag.episode.last_ms = j->now_ms;
		put_behind(&j->runner->facts, &flag.episode);
		say_part(w, &flag);
	} else if (j->now_ms - flag.episode.last_ms < JUDGE_PART_MS) {
		/* It may be too much again at once. */
		judge_look_again(j, flag.episode.last_ms + JUDGE_PART_MS);
		return 0;
	} else {
		flag.episode.end = EPISODE_CLEARED;
		flag.end = STORE_FLAG_CLEARED;
		flag.episode.ended_ms = j->now_ms;
		gf_strcpy(flag.text, sizeof(flag.text), "all that is told is judged again");
	}
	return save(j, &flag);
}

int judge_flag_failed(struct judging *j, const char *why)
{
	struct store_flag flag;
	int r = find(j, &flag);

	if (r)
		return r;
	flag.episode.last_ms = j->now_ms;
	gf_diag_set(j->diag, "not judged at all, tried again every hour: %s", why);
	gf_strcpy_utf8(flag.text, sizeof(flag.text), j->diag->text);
	gf_strcpy(
	    flag.advice, sizeof(flag.advice),
	    "Mend the cause (gymfleet doctor, the gateway's log); then all of it is judged, as if it had been at once.");
	return save(j, &flag);
}
