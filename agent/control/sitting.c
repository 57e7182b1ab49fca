#include "agent/control/sitting.h"

#include <string.h>

#include "agent/control/clamp.h"
#include "proto/muscle.h"

/* --- areas and techniques ---------------------------------------------------------------------------------------- */

_Static_assert(GF_MUSCLE_COUNT == (int)MEMORY_GROUPS, "each group has its place in the memory");
_Static_assert(SITTING_KINDS == (int)MEMORY_KINDS, "each kind has its place in the memory");

/* P1 names roll, knead, friction; pressing and stretching are put with them. */
static const enum sitting_kind kinds[GF_TECHNIQUE_COUNT] = {
    [GF_TECHNIQUE_PERCUSSION] = SITTING_IMPACT, [GF_TECHNIQUE_DRUM] = SITTING_IMPACT,
    [GF_TECHNIQUE_ROLL] = SITTING_RUB,          [GF_TECHNIQUE_KNEAD] = SITTING_RUB,
    [GF_TECHNIQUE_FRICTION] = SITTING_RUB,      [GF_TECHNIQUE_PRESS] = SITTING_RUB,
    [GF_TECHNIQUE_STRETCH] = SITTING_RUB,       [GF_TECHNIQUE_STROKE] = SITTING_SOFT,
    [GF_TECHNIQUE_COMPRESS] = SITTING_SOFT,     [GF_TECHNIQUE_WATER] = SITTING_SOFT,
};

/* P1; where it stops is gf_technique_area_max_s, the same for all techniques of a kind. */
static const uint16_t warn_s[SITTING_KINDS] = {
    [SITTING_IMPACT] = 120,
    [SITTING_RUB] = 150,
    [SITTING_SOFT] = 900,
};

static bool known(enum gf_area area, enum gf_side side, enum gf_technique technique)
{
	return area > GF_AREA_UNSPECIFIED && area < GF_AREA_COUNT && side > GF_SIDE_UNSPECIFIED && side < GF_SIDE_COUNT &&
	       technique > GF_TECHNIQUE_UNSPECIFIED && technique < GF_TECHNIQUE_COUNT;
}

static bool touches(enum gf_side side, int which)
{
	return side == GF_SIDE_BOTH || side == (which == 0 ? GF_SIDE_LEFT : GF_SIDE_RIGHT);
}

/* --- who it is --------------------------------------------------------------------------------------------------- */

/* Closed areas stay: they are everybody's. */
static void forget_person(struct sitting *s)
{
	struct memory_closed closed[MEMORY_CLOSED_MAX];
	memcpy(closed, s->closed, sizeof(closed));
	*s = (struct sitting){0};
	memcpy(s->closed, closed, sizeof(closed));
}

void sitting_begin(struct sitting *sitting, uint64_t token)
{
	const bool other = token != 0 && sitting->token != 0 && token != sitting->token;
	const bool stranger = token == 0 && sitting->vacated;
	if (!sitting->open || other || stranger)
		forget_person(sitting);
	sitting->open = true;
	sitting->vacated = false;
	sitting->idle_ms = sitting->away_ms = 0;
	if (token != 0)
		sitting->token = token;
}

static uint32_t less(uint32_t left_ms, uint32_t elapsed_ms)
{
	return left_ms > elapsed_ms ? left_ms - elapsed_ms : 0;
}

static void wear_off(struct sitting *s, uint32_t elapsed_ms)
{
	s->pain_left_ms = less(s->pain_left_ms, elapsed_ms);
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++)
		s->closed[i].left_ms = less(s->closed[i].left_ms, elapsed_ms);
}

static void count(struct sitting *s, const struct driver_output *output, uint32_t elapsed_ms)
{
	if (!output_on(output) || !known(output->area, output->side, output->technique))
		return;
	for (int i = 0; i < 2 * MEMORY_GROUPS; i++) {
		const enum gf_muscle group = (enum gf_muscle)(i / 2);
		if (gf_muscle_covers(gf_muscle_of(output->area), group) && touches(output->side, i % 2))
			s->area_ms[group][i % 2][kinds[output->technique]] += elapsed_ms;
	}
}

static void watch_seat(struct sitting *s, const struct driver_input *input, uint32_t elapsed_ms)
{
	if (input == NULL || !input->has_occupied)
		return;
	s->away_ms = input->occupied ? 0 : s->away_ms + elapsed_ms;
	s->vacated = s->vacated || s->away_ms >= SITTING_VACATED_MS;
}

void sitting_elapsed(struct sitting *sitting, const struct driver_output *output, bool in_session,
                     const struct driver_input *input, uint32_t elapsed_ms)
{
	wear_off(sitting, elapsed_ms);
	if (!sitting->open)
		return;
	if (in_session) {
		count(sitting, output, elapsed_ms);
		return;
	}
	sitting->idle_ms += elapsed_ms;
	watch_seat(sitting, input, elapsed_ms);
	/* A token says who it is even if they stand up. */
	if (sitting->idle_ms >= SITTING_IDLE_MAX_MS || (sitting->vacated && sitting->token == 0))
		forget_person(sitting);
}

void sitting_away(struct sitting *sitting, uint32_t elapsed_ms)
{
	wear_off(sitting, elapsed_ms);
	if (elapsed_ms >= SITTING_IDLE_MAX_MS || sitting->idle_ms >= SITTING_IDLE_MAX_MS - elapsed_ms)
		forget_person(sitting);
	else
		sitting->idle_ms += elapsed_ms;
}

/* --- P1 ---------------------------------------------------------------------------------------------------------- */

/* Of a whole leg the part that has had most counts. */
static uint32_t used_ms(const struct sitting *s, enum gf_muscle group, int side, enum sitting_kind kind)
{
	uint32_t most_ms = 0;
	for (int g = 0; g < MEMORY_GROUPS; g++) {
		if (gf_muscle_covers(group, (enum gf_muscle)g) && s->area_ms[g][side][kind] > most_ms)
			most_ms = s->area_ms[g][side][kind];
	}
	return most_ms;
}

/* The side that has had more counts for both. */
static int fuller(const struct sitting *s, enum gf_muscle group, enum gf_side side, enum sitting_kind kind)
{
	if (side != GF_SIDE_BOTH)
		return side == GF_SIDE_LEFT ? 0 : 1;
	return used_ms(s, group, 0, kind) >= used_ms(s, group, 1, kind) ? 0 : 1;
}

struct sitting_use sitting_use(const struct sitting *sitting, enum gf_area area, enum gf_side side,
                               enum gf_technique technique)
{
	if (!known(area, side, technique))
		return (struct sitting_use){0};
	const enum gf_muscle group = gf_muscle_of(area);
	const enum sitting_kind kind = kinds[technique];
	return (struct sitting_use){
	    .used_s = (float)used_ms(sitting, group, fuller(sitting, group, side, kind), kind) / 1000.0F,
	    .warn_s = warn_s[kind],
	    .stop_s = (float)gf_technique_area_max_s(technique),
	};
}

bool sitting_warns(struct sitting *sitting, enum gf_area area, enum gf_side side, enum gf_technique technique)
{
	if (!known(area, side, technique))
		return false;
	const struct sitting_use use = sitting_use(sitting, area, side, technique);
	bool *warned = &sitting->warned[gf_muscle_of(area)][fuller(sitting, gf_muscle_of(area), side, kinds[technique])]
	                               [kinds[technique]];
	if (*warned || use.used_s < use.warn_s)
		return false;
	*warned = true;
	return true;
}

/* --- P6 ---------------------------------------------------------------------------------------------------------- */

bool sitting_fresh(const struct sitting *sitting, enum gf_area area, enum gf_side side)
{
	if (!known(area, side, GF_TECHNIQUE_STROKE))
		return false;
	for (int which = 0; which < 2; which++) {
		uint32_t all_ms = 0;
		for (int kind = 0; kind < SITTING_KINDS; kind++)
			all_ms += sitting->area_ms[gf_muscle_of(area)][which][kind];
		if (touches(side, which) && all_ms < SITTING_FRESH_MS)
			return true;
	}
	return false;
}

/* --- P8 ---------------------------------------------------------------------------------------------------------- */

/* The place that this spot has already, or a free one, or the one that opens first. */
static struct memory_closed *place(struct sitting *s, enum gf_area area, enum gf_side side)
{
	struct memory_closed *best = &s->closed[0];
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++) {
		struct memory_closed *c = &s->closed[i];
		if (c->left_ms > 0 && c->area == area && c->side == side && c->token == s->token)
			return c;
		if (c->left_ms < best->left_ms)
			best = c;
	}
	return best;
}

void sitting_close(struct sitting *sitting, enum gf_area area, enum gf_side side)
{
	if (!known(area, side, GF_TECHNIQUE_STROKE))
		return;
	*place(sitting, area, side) =
	    (struct memory_closed){.area = area, .side = side, .token = sitting->token, .left_ms = SITTING_CLOSED_MS};
}

static bool overlap(enum gf_side a, enum gf_side b)
{
	return a == b || a == GF_SIDE_BOTH || b == GF_SIDE_BOTH;
}

uint32_t sitting_closed_ms(const struct sitting *sitting, enum gf_area area, enum gf_side side)
{
	uint32_t left_ms = 0;
	if (!known(area, side, GF_TECHNIQUE_STROKE))
		return 0;
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++) {
		const struct memory_closed *c = &sitting->closed[i];
		const bool whose = c->token == 0 || c->token == sitting->token;
		if (!whose || c->left_ms <= left_ms || !overlap(c->side, side))
			continue;
		if (gf_muscle_covers(gf_muscle_of(c->area), gf_muscle_of(area)) ||
		    gf_muscle_covers(gf_muscle_of(area), gf_muscle_of(c->area)))
			left_ms = c->left_ms;
	}
	return left_ms;
}

bool sitting_open(struct sitting *sitting, struct memory_closed *ret_opened)
{
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++) {
		if (sitting->closed[i].left_ms == 0)
			continue;
		*ret_opened = sitting->closed[i];
		sitting->closed[i] = (struct memory_closed){0};
		return true;
	}
	return false;
}

/* --- over a restart ---------------------------------------------------------------------------------------------- */

static uint16_t seconds_up(uint32_t ms)
{
	const uint32_t s = ms / 1000 + (ms % 1000 > 0 ? 1 : 0);
	return s < UINT16_MAX ? (uint16_t)s : UINT16_MAX;
}

void sitting_remember(const struct sitting *sitting, struct control_memory *memory)
{
	struct memory_sitting *m = &memory->sitting;
	*m = (struct memory_sitting){
	    .token = sitting->token,
	    .idle_ms = sitting->idle_ms,
	    .open = sitting->open,
	    .pain_presses = sitting->pain_presses,
	    .pain_left_ms = sitting->pain_left_ms,
	};
	for (int g = 0; g < MEMORY_GROUPS; g++) {
		for (int i = 0; i < 2 * MEMORY_KINDS; i++)
			m->area_s[g][i / MEMORY_KINDS][i % MEMORY_KINDS] =
			    seconds_up(sitting->area_ms[g][i / MEMORY_KINDS][i % MEMORY_KINDS]);
	}
	memcpy(memory->closed, sitting->closed, sizeof(memory->closed));
}

static uint32_t at_most(uint32_t ms, uint32_t max_ms)
{
	return ms < max_ms ? ms : max_ms;
}

void sitting_recall(struct sitting *sitting, const struct control_memory *memory)
{
	const struct memory_sitting *m = &memory->sitting;
	*sitting = (struct sitting){
	    .token = m->token,
	    .idle_ms = m->idle_ms,
	    .open = m->open,
	    .pain_presses = m->pain_presses,
	    .pain_left_ms = at_most(m->pain_left_ms, SITTING_PAIN_MS),
	};
	for (int g = 0; g < MEMORY_GROUPS; g++) {
		for (int i = 0; i < 2 * MEMORY_KINDS; i++)
			sitting->area_ms[g][i / MEMORY_KINDS][i % MEMORY_KINDS] =
			    m->area_s[g][i / MEMORY_KINDS][i % MEMORY_KINDS] * 1000U;
	}
	memcpy(sitting->closed, memory->closed, sizeof(sitting->closed));
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++)
		sitting->closed[i].left_ms = at_most(sitting->closed[i].left_ms, SITTING_CLOSED_MS);
}
