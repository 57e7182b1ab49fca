/*
 * What keeps badges off the disk and the network. Records get tokens, which only grow old and are never looked up again. What the control
 * core remembers of people it compares with the badge at the panel, after a restart too: a token, which changes and has no
 * way back, is no good for that, so it is sealed. The key lies on the same disk: a hash would hide nothing more, since who has the key
 * can try all badges.
 */
#include <errno.h>

#include "agent/recorder_impl.h"

void recorder_hide(const struct recorder *r, uint64_t wall_ms, bool synced, struct gf_session_started *start)
{
	if (!r->has_subjects)
		return;
	/* Without a clock nobody knows which token it is by now. */
	start->subject_token = synced ? gf_subject_token(&r->subjects, start->subject_token, wall_ms) : 0;
	start->staff_token = synced ? gf_subject_token(&r->subjects, start->staff_token, wall_ms) : 0;
}

enum { TOKENS = MEMORY_CLOSED_MAX + 2 };

/* Wherever one is in the memory. */
static void find_tokens(struct control_memory *memory, uint64_t *ret_tokens[static TOKENS])
{
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++)
		ret_tokens[i] = &memory->closed[i].token;
	ret_tokens[MEMORY_CLOSED_MAX] = &memory->sitting.token;
	ret_tokens[MEMORY_CLOSED_MAX + 1] = &memory->staff_token;
}

int recorder_seal(const struct recorder *r, struct recorder_state *state)
{
	uint64_t *tokens[TOKENS];
	int error = 0;
	if (!r->has_subjects)
		return 0;
	find_tokens(&state->memory, tokens);
	for (int i = 0; i < TOKENS && error == 0; i++) {
		state->sealed = state->sealed || *tokens[i] != 0;
		error = gf_subject_seal(&r->subjects, state->boot, state->memory_wall_ms, tokens[i]);
	}
	state->sealed_by = gf_subject_key_id(&r->subjects);
	return error;
}

int recorder_unseal(const struct recorder *r, struct recorder_state *state)
{
	uint64_t *tokens[TOKENS];
	int error = 0;
	if (!state->sealed)
		return 0;
	const bool ours = r->has_subjects && gf_subject_key_id(&r->subjects) == state->sealed_by;
	find_tokens(&state->memory, tokens);
	for (int i = 0; i < TOKENS && error == 0; i++) {
		if (ours)
			error = gf_subject_unseal(&r->subjects, state->boot, state->memory_wall_ms, tokens[i]);
		else
			*tokens[i] = 0; /* an area that is closed to somebody unknown is closed to everybody */
	}
	state->sealed = false;
	return error;
}
