/* The names of a rollout's enumerations, and what ends. */
#include "gateway/rollout/rollout.h"

#include <stdlib.h>

#define X(s, n) n,
static const char *const states[ROLLOUT_STATE_COUNT] = {ROLLOUT_STATES(X)};
static const char *const phases[ROLLOUT_PHASE_COUNT] = {ROLLOUT_PHASES(X)};
static const char *const steps[ROLLOUT_STEP_COUNT] = {ROLLOUT_STEPS(X)};
static const char *const gates[ROLLOUT_GATE_COUNT] = {ROLLOUT_GATE_KINDS(X)};
static const char *const orders[ROLLOUT_ORDER_COUNT] = {ROLLOUT_ORDERS(X)};
#undef X

static const char *name(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : "unknown";
}

const char *rollout_state_name(enum rollout_state state)
{
	return name(states, ROLLOUT_STATE_COUNT, state);
}

const char *rollout_phase_name(enum rollout_phase phase)
{
	return name(phases, ROLLOUT_PHASE_COUNT, phase);
}

const char *rollout_step_name(enum rollout_step step)
{
	return name(steps, ROLLOUT_STEP_COUNT, step);
}

const char *rollout_gate_name(enum rollout_gate_kind kind)
{
	return name(gates, ROLLOUT_GATE_COUNT, kind);
}

const char *rollout_order_name(enum rollout_order order)
{
	return name(orders, ROLLOUT_ORDER_COUNT, order);
}

bool rollout_state_ends(enum rollout_state state)
{
	return state == ROLLOUT_HALTED || state == ROLLOUT_COMPLETED || state == ROLLOUT_ROLLED_BACK;
}

bool rollout_step_ends(enum rollout_step step)
{
	switch (step) {
	case ROLLOUT_STEP_WAITING:
	case ROLLOUT_STEP_ABSENT:
	case ROLLOUT_STEP_OFFERED:
	case ROLLOUT_STEP_INSTALLED:
	case ROLLOUT_STEP_REVERTING:
		return false;
	case ROLLOUT_STEP_CONFIRMED:
	case ROLLOUT_STEP_FAILED:
	case ROLLOUT_STEP_EXPIRED:
	case ROLLOUT_STEP_MISSED:
	case ROLLOUT_STEP_WITHDRAWN:
	case ROLLOUT_STEP_LEFT:
	case ROLLOUT_STEP_REVERTED:
	case ROLLOUT_STEP_STUCK:
	case ROLLOUT_STEP_COUNT:
		break;
	}
	return true;
}

void rollout_deinit(struct rollout *r)
{
	if (!r)
		return;
	free(r->devices);
	*r = (struct rollout){0};
}
