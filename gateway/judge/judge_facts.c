/* Loads the facts of a subject, each kind only as far back as the rules that need it look. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/judge/judge_impl.h"

static const double ms_per_hour = 3600.0 * 1000;

void judge_facts_deinit(struct judge_facts *facts)
{
	free(facts->items);
	free(facts->more);
	free(facts->areas);
}

void judge_facts_done(struct judge_facts *facts)
{
	if (facts->room <= JUDGE_ROOM_KEPT && facts->areas_room <= JUDGE_ROOM_KEPT)
		return;
	judge_facts_deinit(facts);
	*facts = (struct judge_facts){.count = 0};
}

static bool about(const struct rule *rule, enum rule_subject subject)
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

		if (!about(rule, subject))
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

static int make_room(struct judge_facts *f, size_t most)
{
	size_t room = f->room;
	struct fact *items;
	struct judge_odometer *more;

	if (f->count >= most)
		return -E2BIG;
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

	if (count > most || f->areas_count > most - count)
		return -E2BIG;
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

static int keep(void *ctx, const struct store_fact *fact)
{
	struct judging *j = ctx;
	struct judge_facts *f = &j->runner->facts;
	struct judge_odometer *more;
	const bool site = j->subject->subject.kind == RULE_SUBJECT_SITE;
	int r = make_room(f, site ? JUDGE_SITE_FACTS_MAX : JUDGE_FACTS_MAX);

	if (r)
		return r;
	more = &f->more[f->count];
	*more = (struct judge_odometer){
	    .odometer = fact->odometer, .rated_motor_h = fact->rated_motor_h, .motor_before_ms = fact->motor_before_ms};
	gf_strcpy(more->model, sizeof(more->model), fact->model);
	if (fact->fact.kind == FACT_SESSION && fact->fact.session.areas_count > 0)
		r = keep_areas(f, site ? JUDGE_SITE_USES_MAX : JUDGE_USES_MAX, &fact->fact, &more->areas_at);
	if (r)
		return r;
	f->items[f->count] = fact->fact;
	f->items[f->count].calendar = sites_calendar(j->runner->config.sites, fact->site);
	f->count++;
	return 0;
}

/* ---- what parts have behind them ---- */

/* How far the machine was at the newest renewal of the part up to this fact; NULL: never. Services stand last. */
static const struct gf_odometer *renewed(const struct judge_facts *f, const struct fact *fact, enum fact_part part)
{
	for (size_t i = f->count; i-- > 0 && f->items[i].kind == FACT_SERVICE;)
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

static int compare(const void *a, const void *b)
{
	return fact_compare(a, b);
}

int judge_facts_load(struct judging *j, const int64_t since_ms[static FACT_KINDS])
{
	const struct judge_runner_config *config = &j->runner->config;
	const struct rules *rules = config->config->rules;
	const enum rule_subject subject = j->subject->subject.kind;
	struct judge_facts *f = &j->runner->facts;
	unsigned needs = judge_needs(rules, subject);
	int r = 0;

	f->count = f->areas_count = 0;
	for (enum fact_kind kind = 0; kind < FACT_KINDS && !r; kind++) {
		if (needs & 1U << kind)
			r = store_judge_facts(config->store, &j->subject->subject, 1U << kind | (needs & STORE_NEEDS_AREAS),
			                      since_ms[kind], INT64_MAX, keep, j, j->diag);
	}
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
