#include "agent/control/guard.h"

/* Ramps that were cut into repetitions carry rounding. */
#define RAMP_ROUNDING_PCT_S 0.02F

static struct gf_limit_hit hit(const char *rule, const char *action, const struct gf_step *step, float observed,
                               float limit)
{
	struct gf_limit_hit h = {.observed = observed, .limit = limit};
	gf_strcpy(h.rule, sizeof(h.rule), rule);
	gf_strcpy(h.action, sizeof(h.action), action);
	if (step != NULL) {
		h.area = step->area;
		h.side = step->side;
	}
	return h;
}

void guard_begin(struct guard *guard)
{
	*guard = (struct guard){0};
}

void guard_elapsed(struct guard *guard, uint32_t elapsed_ms)
{
	guard->pain_left_ms = guard->pain_left_ms > elapsed_ms ? guard->pain_left_ms - elapsed_ms : 0;
}

bool guard_pain(struct guard *guard, float intensity_pct, const struct gf_step *step, struct gf_limit_hit *ret_hit)
{
	const bool again = guard->pain_presses++ > 0;
	guard->pain_left_ms = GUARD_PAIN_MS;
	*ret_hit = hit("P8", again ? "stop" : "clamp", step, intensity_pct, GUARD_PAIN_CAP_PCT);
	return again;
}

void guard_offset(struct guard *guard, int presses)
{
	const float offset = guard->offset_pct + (float)(presses * GUARD_OFFSET_STEP_PCT);
	if (offset >= -GUARD_OFFSET_MAX_PCT && offset <= GUARD_OFFSET_MAX_PCT)
		guard->offset_pct = offset;
}

static bool continues(const struct gf_step *before, const struct gf_step *step)
{
	return before != NULL && before->area == step->area && before->side == step->side &&
	       before->technique == step->technique && before->to_pct > 0;
}

/* The steepest rise at the step's beginning or in its ramp, in %/s. A rise that takes no time is given one second. */
static float steepest(const struct gf_step *before, const struct gf_step *step)
{
	const float rise = step->to_pct - step->from_pct;
	const float ramp = step->ramp_ms > 0 ? rise * 1000.0F / (float)step->ramp_ms : 0;
	const float jump = continues(before, step) ? step->from_pct - before->to_pct : 0;
	return ramp > jump ? ramp : jump;
}

bool guard_steep(struct guard *guard, const struct control_envelope *envelope, const struct gf_step *step,
                 struct gf_limit_hit *ret_hit)
{
	const struct gf_step *before = guard->step;
	if (step == before || guard->steep_told)
		return false;
	guard->step = step;
	const float first = step->ramp_ms > 0 ? step->from_pct : step->to_pct;
	const float ramp = steepest(before, step);
	if (!continues(before, step) && first > envelope->start_max_pct)
		*ret_hit = hit("P6", "clamp", step, first, envelope->start_max_pct);
	else if (ramp > envelope->ramp_max_pct_s + RAMP_ROUNDING_PCT_S)
		*ret_hit = hit("P6", "clamp", step, ramp, envelope->ramp_max_pct_s);
	else
		return false;
	guard->steep_told = true;
	return true;
}

float guard_intensity(const struct guard *guard, const struct gf_routine *routine, float program_pct, float power)
{
	if (!(program_pct > 0))
		return 0;
	float pct = program_pct + guard->offset_pct;
	if (pct < GUARD_INTENSITY_MIN_PCT)
		pct = program_pct < GUARD_INTENSITY_MIN_PCT ? program_pct : GUARD_INTENSITY_MIN_PCT;
	if (routine->cap_pct > 0 && pct > routine->cap_pct)
		pct = routine->cap_pct;
	pct *= power;
	if (guard->pain_left_ms > 0 && pct > GUARD_PAIN_CAP_PCT)
		pct = GUARD_PAIN_CAP_PCT;
	return pct;
}

bool guard_overdue(const struct control_envelope *envelope, const struct player *player, enum gf_outcome *ret_outcome,
                   struct gf_limit_hit *ret_hit)
{
	if (player->state == PLAYER_PAUSED && player->pause_ms > GUARD_PAUSE_MAX_MS) {
		*ret_outcome = GF_OUTCOME_USER_STOPPED;
		*ret_hit = (struct gf_limit_hit){0};
		return true;
	}
	if (player->state == PLAYER_RUNNING && envelope->session_max_ms > 0 &&
	    player->played_ms >= envelope->session_max_ms) {
		*ret_outcome = GF_OUTCOME_SAFETY_STOPPED;
		*ret_hit = hit("D1", "stop", player_step(player), (float)player->played_ms / 1000.0F,
		               (float)envelope->session_max_ms / 1000.0F);
		return true;
	}
	return false;
}
