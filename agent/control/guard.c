#include "agent/control/guard.h"

#include "agent/control/clamp.h"

/* Ramps that were cut into repetitions carry rounding. */
#define RAMP_ROUNDING_PCT_S 0.02F

struct gf_limit_hit guard_hit(const char *rule, const char *action, const struct gf_step *step, float observed,
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

void guard_begin(struct guard *guard, bool staffed)
{
	*guard = (struct guard){.staffed = staffed};
}

void guard_elapsed(struct guard *guard, const struct player *player, const struct driver_output *output,
                   uint32_t elapsed_ms)
{
	guard->still_ms = output_on(output) && player_holds(player) ? guard->still_ms + elapsed_ms : 0;
}

void guard_moved(struct guard *guard, const struct player *player, const struct driver_output *output)
{
	const struct gf_step *step = player_step(player);
	if (!player_holds(player) || step->area != output->area || step->side != output->side)
		guard->still_ms = 0;
}

bool guard_pain(struct guard *guard, struct sitting *sitting, float intensity_pct, const struct gf_step *step,
                struct gf_limit_hit *ret_hit)
{
	const bool again = sitting->pain_presses++ > 0;
	guard->pain_presses++;
	sitting->pain_left_ms = SITTING_PAIN_MS;
	*ret_hit = guard_hit("P8", again ? "stop" : "clamp", step, intensity_pct, GUARD_PAIN_CAP_PCT);
	ret_hit->lasts_ms = !again ? SITTING_PAIN_MS : step != NULL ? SITTING_CLOSED_MS : 0;
	if (again && step != NULL)
		sitting_close(sitting, step->area, step->side);
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
		*ret_hit = guard_hit("P6", "clamp", step, first, envelope->start_max_pct);
	else if (ramp > envelope->ramp_max_pct_s + RAMP_ROUNDING_PCT_S)
		*ret_hit = guard_hit("P6", "clamp", step, ramp, envelope->ramp_max_pct_s);
	else
		return false;
	guard->steep_told = true;
	return true;
}

static bool pauses(const struct gf_step *step)
{
	return step->from_pct <= 0 && step->to_pct <= 0;
}

static bool impacts(enum gf_technique technique)
{
	return technique == GF_TECHNIQUE_PERCUSSION || technique == GF_TECHNIQUE_DRUM;
}

bool guard_skips(const struct guard *guard, const struct sitting *sitting, const struct gf_step *step,
                 struct gf_limit_hit *ret_hit)
{
	if (pauses(step))
		return false;
	const uint32_t closed_ms = sitting_closed_ms(sitting, step->area, step->side);
	const struct sitting_use use = sitting_use(sitting, step->area, step->side, step->technique);
	const uint32_t hold_max_ms = impacts(step->technique) ? GUARD_HOLD_IMPACT_MS : GUARD_HOLD_MAX_MS;

	if (closed_ms > 0) {
		*ret_hit = guard_hit("P8", "skip_step", step, 0, 0);
		ret_hit->lasts_ms = closed_ms;
	} else if (use.stop_s > 0 && use.used_s >= use.stop_s) {
		*ret_hit = guard_hit("P1", "skip_step", step, use.used_s, use.stop_s);
	} else if (guard->still_ms >= hold_max_ms) {
		*ret_hit = guard_hit("P3", "skip_step", step, (float)guard->still_ms / 1000.0F, (float)hold_max_ms / 1000.0F);
	} else {
		return false;
	}
	return true;
}

bool guard_refuses(const struct sitting *sitting, const struct gf_routine *routine, struct gf_limit_hit *ret_hit)
{
	const struct guard fresh = {0};
	struct gf_limit_hit first = {0}, hit;
	for (size_t i = 0; i < routine->steps_count; i++) {
		const struct gf_step *step = &routine->steps[i];
		if (pauses(step))
			continue;
		if (!guard_skips(&fresh, sitting, step, &hit))
			return false;
		if (first.rule[0] == '\0')
			first = hit;
	}
	if (first.rule[0] == '\0')
		return false;
	*ret_hit = first;
	gf_strcpy(ret_hit->action, sizeof(ret_hit->action), "refuse");
	return true;
}

bool guard_warns(struct sitting *sitting, const struct gf_step *step, struct gf_limit_hit *ret_hit)
{
	if (pauses(step) || !sitting_warns(sitting, step->area, step->side, step->technique))
		return false;
	const struct sitting_use use = sitting_use(sitting, step->area, step->side, step->technique);
	*ret_hit = guard_hit("P1", "warn", step, use.used_s, use.warn_s);
	return true;
}

static float at_most(float pct, float cap)
{
	return pct > cap ? cap : pct;
}

float guard_asked(const struct guard *guard, const struct player *player, float program_pct)
{
	if (!(program_pct > 0))
		return 0;
	float pct = program_pct + guard->offset_pct;
	if (pct < GUARD_INTENSITY_MIN_PCT)
		pct = at_most(program_pct, GUARD_INTENSITY_MIN_PCT);
	return player->routine->cap_pct > 0 ? at_most(pct, player->routine->cap_pct) : pct;
}

float guard_intensity(const struct guard *guard, const struct sitting *sitting, const struct player *player,
                      float asked_pct, float power)
{
	const struct gf_step *step = player_step(player);
	if (!(asked_pct > 0) || step == NULL)
		return 0;
	float pct = asked_pct * power;
	if (!guard->staffed)
		pct = at_most(pct, GUARD_UNDECLARED_CAP_PCT);
	if (sitting_fresh(sitting, step->area, step->side))
		pct = at_most(pct, GUARD_FRESH_CAP_PCT);
	if (sitting->pain_left_ms > 0)
		pct = at_most(pct, GUARD_PAIN_CAP_PCT);
	return pct;
}

bool guard_capped(struct guard *guard, const struct sitting *sitting, const struct gf_step *step, float asked_pct,
                  struct gf_limit_hit *ret_hit)
{
	const bool fresh = asked_pct > GUARD_FRESH_CAP_PCT && sitting_fresh(sitting, step->area, step->side);
	const bool undeclared = asked_pct > GUARD_UNDECLARED_CAP_PCT && !guard->staffed;
	if (fresh && !guard->fresh_told) {
		guard->fresh_told = true;
		*ret_hit = guard_hit("P6", "clamp", step, asked_pct, GUARD_FRESH_CAP_PCT);
		return true;
	}
	if (undeclared && !guard->undeclared_told) {
		guard->undeclared_told = true;
		*ret_hit = guard_hit("P7", "clamp", step, asked_pct, GUARD_UNDECLARED_CAP_PCT);
		return true;
	}
	return false;
}

bool guard_overdue(const struct control_envelope *envelope, const struct player *player, enum gf_outcome *ret_outcome,
                   struct gf_limit_hit *ret_hit)
{
	if (player->state == PLAYER_PAUSED &&
	    (player->pause_ms > GUARD_PAUSE_MAX_MS || player->paused_ms > GUARD_PAUSES_MAX_MS)) {
		*ret_outcome = GF_OUTCOME_USER_STOPPED;
		*ret_hit = (struct gf_limit_hit){0};
		return true;
	}
	if (player->state == PLAYER_RUNNING && envelope->session_max_ms > 0 &&
	    player->played_ms >= envelope->session_max_ms) {
		*ret_outcome = GF_OUTCOME_SAFETY_STOPPED;
		*ret_hit = guard_hit("D1", "stop", player_step(player), (float)player->played_ms / 1000.0F,
		                     (float)envelope->session_max_ms / 1000.0F);
		return true;
	}
	return false;
}
