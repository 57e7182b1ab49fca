#include "agent/control/player.h"

static void to_running(struct player *p)
{
	p->state = PLAYER_RUNNING;
	p->pause_ms = 0;
}

static void to_ended(struct player *p, enum gf_outcome outcome)
{
	p->state = PLAYER_ENDED;
	p->outcome = outcome;
}

void player_start(struct player *player, const struct gf_routine *routine)
{
	if (player->state != PLAYER_IDLE)
		return;
	*player = (struct player){.routine = routine};
	to_running(player);
	if (routine->steps_count == 0)
		to_ended(player, GF_OUTCOME_COMPLETED);
}

static void play(struct player *p, uint32_t elapsed_ms)
{
	p->played_ms += elapsed_ms;
	p->step_ms += elapsed_ms;
	while (p->step_ms >= p->routine->steps[p->step].duration_ms) {
		if (p->step + 1 == p->routine->steps_count) {
			to_ended(p, GF_OUTCOME_COMPLETED);
			return;
		}
		p->step_ms -= p->routine->steps[p->step].duration_ms;
		p->step++;
	}
}

void player_elapsed(struct player *player, uint32_t elapsed_ms)
{
	switch (player->state) {
	case PLAYER_RUNNING:
		play(player, elapsed_ms);
		break;
	case PLAYER_PAUSED:
		player->paused_ms += elapsed_ms;
		player->pause_ms += elapsed_ms;
		break;
	case PLAYER_IDLE:
	case PLAYER_ENDED:
		break;
	}
}

void player_pause(struct player *player, enum player_pause why)
{
	if (!player_active(player))
		return;
	player->pauses |= why;
	player->state = PLAYER_PAUSED;
}

void player_resume(struct player *player, enum player_pause why)
{
	if (player->state != PLAYER_PAUSED)
		return;
	player->pauses &= ~(unsigned)why;
	if (player->pauses == 0)
		to_running(player);
}

void player_stop(struct player *player, enum gf_outcome outcome)
{
	if (player_active(player))
		to_ended(player, outcome);
}

void player_skip(struct player *player, enum gf_outcome outcome)
{
	if (!player_active(player))
		return;
	if (player->step + 1 == player->routine->steps_count) {
		to_ended(player, outcome);
		return;
	}
	player->step++;
	player->step_ms = 0;
}

void player_reset(struct player *player)
{
	if (player->state == PLAYER_ENDED)
		*player = (struct player){.state = PLAYER_IDLE};
}

const struct gf_step *player_step(const struct player *player)
{
	return player_active(player) ? &player->routine->steps[player->step] : NULL;
}

static float ramped(float from, float to, const struct gf_step *step, uint32_t at_ms)
{
	if (at_ms >= step->ramp_ms)
		return to;
	return from + (to - from) * (float)at_ms / (float)step->ramp_ms;
}

bool player_holds(const struct player *player)
{
	const struct gf_step *step = player_step(player);
	return step != NULL && step->hold_ms > 0 && player->step_ms + (uint64_t)step->hold_ms >= step->duration_ms;
}

static struct driver_output program(const struct gf_step *step, uint32_t at_ms, bool held)
{
	return (struct driver_output){
	    .command = DRIVER_START,
	    .area = step->area,
	    .side = step->side,
	    .technique = step->technique,
	    .intensity_pct = ramped(step->from_pct, step->to_pct, step, at_ms),
	    .frequency_hz = ramped(step->from_hz, step->to_hz, step, at_ms),
	    .pressure_mmhg = ramped(step->pressure_from_mmhg, step->pressure_to_mmhg, step, at_ms),
	    .speed_mm_s = held ? 0 : step->speed_mm_s,
	    .step_left_ms = step->duration_ms > at_ms ? step->duration_ms - at_ms : 0,
	};
}

void player_output(const struct player *player, struct driver_output *ret_output)
{
	static const enum driver_command at_rest[] = {
	    [PLAYER_IDLE] = DRIVER_IDLE,
	    [PLAYER_PAUSED] = DRIVER_PAUSE,
	    [PLAYER_ENDED] = DRIVER_STOP,
	};
	if (player->state == PLAYER_RUNNING)
		*ret_output = program(player_step(player), player->step_ms, player_holds(player));
	else
		*ret_output = (struct driver_output){.command = at_rest[player->state]};
}
