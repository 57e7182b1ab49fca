#include "agent/control/holder.h"

void holder_turn(struct holder *holder, uint64_t token)
{
	*holder = (struct holder){.token = token};
}

void holder_elapsed(struct holder *holder, bool in_session, uint32_t elapsed_ms)
{
	if (holder->token == 0)
		return;
	if (in_session)
		holder->idle_ms = 0;
	else if (elapsed_ms < HOLDER_IDLE_MS && holder->idle_ms < HOLDER_IDLE_MS - elapsed_ms)
		holder->idle_ms += elapsed_ms;
	else
		*holder = (struct holder){0};
}

uint64_t holder_subject(const struct holder *holder, uint64_t token)
{
	return token != holder->token ? token : 0;
}

void holder_remember(const struct holder *holder, struct control_memory *memory)
{
	memory->staff_token = holder->token;
	memory->staff_idle_ms = holder->idle_ms;
}

void holder_recall(struct holder *holder, const struct control_memory *memory)
{
	*holder = (struct holder){0};
	if (memory->staff_idle_ms < HOLDER_IDLE_MS)
		*holder = (struct holder){.token = memory->staff_token, .idle_ms = memory->staff_idle_ms};
}
