/*
 * Loads the facts of a subject, each kind only as far back as the rules that need it look, newest first: of what is more than can be judged the newest part
 * is taken, so that a machine that floods the gateway by one kind is still judged, by that and by all others.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/judge/judge_impl.h"

static const double ms_per_hour = 3600.0 * 1000;
/* Further back than any rule looks for days in a row. */
static const int64_t days_reach_ms = (RULE_WINDOW_MAX_D + 7) * INT64_C(24) * 3600 * 1000;

enum { SPAN_FIRST_MS = 10 * 60 * 1000, SPAN_FACTS = 8000, SPAN_TIMES = 16 };

/* Of one kind no more are taken; too many are still to come. */
enum { JUDGE_E_FULL = 1, JUDGE_E_AHEAD };

void judge_facts_deinit(struct judge_facts *facts)
{
	free(facts->items);
	free(facts->more);
	free(facts->areas);
	free(facts->stays);
}

void judge_facts_done(struct judge_facts *facts)
{
	if (facts->room <= JUDGE_ROOM_KEPT && facts->areas_room <= JUDGE_ROOM_KEPT)
		return;
	judge_facts_deinit(facts);
	*facts = (struct judge_facts){.count = 0};
}

bool judge_about(const struct rule *rule, enum rule_subject subject)
{
	bool person = subject == RULE_SUBJECT_PERSON && rule->subject == RULE_SUBJECT_AREA;

	return rule->subject == subject || person;
}

/* Whether it looks at what was done where, or how deep. */
static bool needs_areas(const struct rule *rule)
{
	for (size_t i = 0; i < rule->conditions_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];

		if (c->metric == RULE_METRIC_AREA_S || c->filter.techniques != 0 || c->filter.depth_min != FACT_DEPTH_NONE)
			return true;
	}
	return false;
}

unsigned judge_needs(const struct rules *rules, enum rule_subject subject)
{
	unsigned needs = 0;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (!judge_about(rule, subject))
			continue;
		needs |= rule_needs(rule);
		if (needs_areas(rule))
			needs |= STORE_NEEDS_AREAS;
		if (rule_is_silence(rule))
			needs |= STORE_NEEDS_HEARD;
	}
	return needs;
}

/* ---- keeping them ---- */

/* NULL without memory; else what it was moved to. */
static void *grown(void *items, size_t *room, size_t wanted, size_t size)
{
	size_t more = *room ? *room : 64;

	while (more < wanted)
		more *= 2;
	items = realloc(items, more * size);
	if (items != NULL)
		*room = more;
	return items;
}

static int make_room(struct judge_facts *f)
{
	size_t room = f->room;
	struct fact *items;
	struct judge_odometer *more;

	if (f->count < f->room)
		return 0;
	more = grown(f->more, &room, f->count + 1, sizeof(*f->more));
	if (more == NULL)
		return -ENOMEM;
	f->more = more;
	items = realloc(f->items, room * sizeof(*f->items));
	if (items == NULL)
		return -ENOMEM;
	f->items = items;
	f->room = room;
	return 0;
}

static int keep_areas(struct judge_facts *f, size_t most, const struct fact *fact, size_t *ret_at)
{
	size_t count = fact->session.areas_count;

	if (f->areas_count > most)
		return JUDGE_E_FULL;
	if (f->areas_count + count > f->areas_room) {
		struct gf_area_use *areas = grown(f->areas, &f->areas_room, f->areas_count + count, sizeof(*areas));

		if (areas == NULL)
			return -ENOMEM;
		f->areas = areas;
	}
	memcpy(f->areas + f->areas_count, fact->session.areas, count * sizeof(*f->areas));
	*ret_at = f->areas_count;
	f->areas_count += count;
	return 0;
}

/* Of one kind. */
static size_t most_of(const struct judging *j)
{
	const size_t most = j->runner->config.facts_max;

	return j->subject->subject.kind == RULE_SUBJECT_SITE ? most * JUDGE_SITE_TIMES : most;
}

/* Its machine's clock is ahead: it is judged when its time comes. */
static int wait_for(struct judging *j, int64_t at_ms)
{
	judge_look_again(j, at_ms);
	return ++j->runner->facts.ahead > most_of(j) ? JUDGE_E_AHEAD : 0;
}

static int keep(void *ctx, const struct store_fact *fact)
{
	struct judging *j = ctx;
	struct judge_facts *f = &j->runner->facts;
	const size_t most = most_of(j);
	struct judge_odometer *more;
	int r;

	if (fact->fact.at_ms > j->now_ms)
		return wait_for(j, fact->fact.at_ms);
	if (f->count - f->first >= most)
		return JUDGE_E_FULL;
	r = make_room(f);
	if (r)
		return r;
	more = &f->more[f->count];
	*more = (struct judge_odometer){
	    .odometer = fact->odometer, .rated_motor_h = fact->rated_motor_h, .motor_before_ms = fact->motor_before_ms};
	gf_strcpy(more->model, sizeof(more->model), fact->model);
	if (fact->fact.kind == FACT_SESSION && fact->fact.session.areas_count > 0)
		r = keep_areas(f, most * JUDGE_USES_TIMES, &fact->fact, &more->areas_at);
	if (r)
		return r;
	f->items[f->count] = fact->fact;
	f->items[f->count].calendar = sites_calendar(j->runner->config.sites, fact->site);
	f->count++;
	return 0;
}

/* ---- what parts have behind them ---- */

/* How far the machine was at the newest renewal of the part up to this fact; NULL: never. Services stand last, the newest of them first. */
static const struct gf_odometer *renewed(const struct judge_facts *f, const struct fact *fact, enum fact_part part)
{
	for (size_t i = f->first; i < f->count; i++)
		if (f->items[i].service.part == part && f->items[i].device == fact->device &&
		    fact_compare(&f->items[i], fact) <= 0)
			return &f->more[i].odometer;
	return NULL;
}

/* A part that was never renewed has the motor's first hour behind it, too. */
static struct wear_counter count_part(const struct judge_odometer *now, const struct gf_odometer *then)
{
	const uint64_t motor_ms = now->odometer.motor_ms, sessions = now->odometer.sessions;
	const uint64_t from_ms = then != NULL ? then->motor_ms : 0, from = then != NULL ? then->sessions : 0;
	const uint64_t before_ms = then != NULL ? 0 : now->motor_before_ms;

	return (struct wear_counter){.motor_h =
	                                 (double)(before_ms + (motor_ms > from_ms ? motor_ms - from_ms : 0)) / ms_per_hour,
	                             .sessions = sessions > from ? sessions - from : 0};
}

static void take_life(const struct judging *j, size_t at)
{
	const struct judgement_config *config = j->runner->config.config;
	const struct judge_facts *f = &j->runner->facts;
	struct fact *fact = &f->items[at];
	const struct judge_odometer *now = &f->more[at];
	const struct wear_plan *plan = wear_plan_for(config->plans, config->plans_count, fact->class, now->model);

	for (enum fact_part part = 0; part < FACT_PART_COUNT; part++) {
		const struct wear_counter counter = count_part(now, renewed(f, fact, part));
		struct wear_life life = {.motor_h = 0};

		if (part == FACT_PART_MOTOR)
			life.motor_h = now->rated_motor_h;
		else if (plan != NULL)
			life = plan->parts[part];
		fact->session.life_pct[part] = (float)wear_used_pct(&life, &counter);
	}
}

/* ---- loading ---- */

/* Sites that have the same days and hours are one for the rules. */
static int keep_stay(void *ctx, const char *site, int64_t until_ms)
{
	const struct judging *j = ctx;
	struct judge_facts *f = &j->runner->facts;
	const struct calendar *calendar = sites_calendar(j->runner->config.sites, site);

	if (f->stays_count > 0 && f->stays[f->stays_count - 1].calendar == calendar) {
		f->stays[f->stays_count - 1].until_ms = until_ms;
		return 0;
	}
	if (f->stays_count == f->stays_room) {
		struct judge_stay *stays = grown(f->stays, &f->stays_room, f->stays_count + 1, sizeof(*stays));

		if (stays == NULL)
			return -ENOMEM;
		f->stays = stays;
	}
	f->stays[f->stays_count++] = (struct judge_stay){until_ms, calendar};
	return 0;
}

int judge_stays_load(struct judging *j, int64_t from_ms)
{
	const struct store_unsettled *u = j->subject;
	struct judge_facts *f = &j->runner->facts;
	const int64_t since_ms = from_ms > 0 ? from_ms - days_reach_ms : 0;
	int r = 0;

	f->stays_count = 0;
	if (u->subject.kind == RULE_SUBJECT_DEVICE)
		r = store_judge_left(j->runner->config.store, u->subject.key, since_ms, keep_stay, j, j->diag);
	if (!r && f->stays_count > 0 &&
	    f->stays[f->stays_count - 1].calendar == sites_calendar(j->runner->config.sites, u->site))
		f->stays_count--;
	return r;
}

const struct calendar *judge_calendar(const struct judging *j)
{
	return j->runner->facts.stays_count > 0 ? NULL : sites_calendar(j->runner->config.sites, j->subject->site);
}

static int compare(const void *a, const void *b)
{
	return fact_compare(a, b);
}

static int ask(struct judging *j, unsigned needs, int64_t since_ms, int64_t until_ms)
{
	return store_judge_facts(j->runner->config.store, &j->subject->subject, needs, since_ms, until_ms, keep, j,
	                         j->diag);
}

/* A site's facts are sorted by the store, all that are asked for: so no more are asked for at a time than a few thousand, if what is just behind is as
 * dense. */
static int ask_in_spans(struct judging *j, unsigned needs, int64_t since_ms, int64_t until_ms)
{
	const struct judge_facts *f = &j->runner->facts;
	int64_t span_ms = SPAN_FIRST_MS;
	int r = 0;

	while (!r && until_ms > since_ms) {
		const int64_t from_ms = until_ms - since_ms > span_ms ? until_ms - span_ms : since_ms;
		const size_t before = f->count;

		r = ask(j, needs, from_ms, until_ms);
		until_ms = from_ms;
		if (f->count - before < SPAN_FACTS / SPAN_TIMES && span_ms < INT64_MAX / SPAN_TIMES)
			span_ms *= SPAN_TIMES;
		else if (f->count - before > SPAN_FACTS)
			span_ms = span_ms / SPAN_TIMES + 1;
	}
	return r;
}

/* What is ahead, then the rest. */
static int ask_of_site(struct judging *j, unsigned needs, int64_t since_ms)
{
	const int64_t now_ms = j->now_ms;
	int r = ask(j, needs, since_ms > now_ms ? since_ms : now_ms + 1, INT64_MAX);

	if (r == JUDGE_E_AHEAD) {
		judge_look_again(j, now_ms + JUDGE_PART_MS);
		r = 0;
	}
	return r ? r : ask_in_spans(j, needs, since_ms, now_ms + 1);
}

static int ask_of_other(struct judging *j, unsigned needs, int64_t since_ms)
{
	int r = ask(j, needs, since_ms, INT64_MAX);

	if (r != JUDGE_E_AHEAD)
		return r;
	judge_look_again(j, j->now_ms + JUDGE_PART_MS);
	/* Up to now there is one at most: a machine's newest session before the time asked for, when that is to come itself. */
	j->runner->facts.ahead = 0;
	return ask(j, needs, since_ms, j->now_ms + 1);
}

static int load_kind(struct judging *j, enum fact_kind kind, unsigned needs, int64_t since_ms)
{
	const unsigned wanted = 1U << kind | (needs & STORE_NEEDS_AREAS);
	struct judge_facts *f = &j->runner->facts;
	int r;

	f->first = f->count;
	f->begin_ms[kind] = INT64_MIN;
	f->ahead = 0;
	if (!(needs & 1U << kind))
		return 0;
	r = j->subject->subject.kind == RULE_SUBJECT_SITE ? ask_of_site(j, wanted, since_ms)
	                                                  : ask_of_other(j, wanted, since_ms);
	/* Of the last moment some may be missing. */
	if (r == JUDGE_E_FULL)
		f->begin_ms[kind] = f->items[f->count - 1].at_ms + 1;
	return r == JUDGE_E_FULL ? 0 : r;
}

int judge_facts_load(struct judging *j, const int64_t since_ms[static FACT_KINDS])
{
	struct judge_facts *f = &j->runner->facts;
	const unsigned needs = judge_needs(j->runner->config.config->rules, j->subject->subject.kind);
	int r = 0;

	f->count = f->areas_count = 0;
	for (enum fact_kind kind = 0; kind < FACT_KINDS && !r; kind++)
		r = load_kind(j, kind, needs, since_ms[kind]);
	if (r)
		return r;
	for (size_t i = 0; i < f->count && f->more != NULL; i++) {
		if (f->items[i].kind != FACT_SESSION)
			continue;
		f->items[i].session.areas = f->areas != NULL ? f->areas + f->more[i].areas_at : NULL;
		if (needs & 1U << FACT_SERVICE)
			take_life(j, i);
		else
			for (enum fact_part part = 0; part < FACT_PART_COUNT; part++)
				f->items[i].session.life_pct[part] = NAN;
	}
	if (f->count > 1)
		qsort(f->items, f->count, sizeof(*f->items), compare);
	return 0;
}
