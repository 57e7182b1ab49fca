/*
 * Who of the staff holds a hand-held machine to somebody: it shakes the hand that holds it (P9). Staff show their token and turn the key:
 * the token that is at the panel when the key is freshly turned is theirs, not that of whoever is massaged. It stays with the
 * machine over any number of sessions, until
 *
 *     - the key is turned again: then it is the token that is there, or nobody's when there is none;
 *     - HOLDER_IDLE_MS have passed without a session.
 *
 * A member's token that comes after it is the subject's; while the holder's own is still at the panel there is no subject. A key that is
 * turned during a session (to stop it) changes nothing: the token there may be the member's, and the hand is the same. Nor does it on a
 * machine that nobody holds: a member sits on a chair with their token in the reader when staff unlocks a discharge for them. What the
 * key unlocks, and for how long, is the panel's (panel_staff_here). Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_HOLDER_H
#define AGENT_CONTROL_HOLDER_H

#include "agent/control/memory.h"

enum { HOLDER_IDLE_MS = 15 * 60 * 1000 };

struct holder {
	uint64_t token;   /* 0 = nobody that is known */
	uint32_t idle_ms; /* without a session */
};

/* The key was turned while no session runs, and `token` is at the panel. */
void holder_turn(struct holder *holder, uint64_t token);
/* Time passes. */
void holder_elapsed(struct holder *holder, bool in_session, uint32_t elapsed_ms);
/* Of the token at the panel, what is the subject's. */
uint64_t holder_subject(const struct holder *holder, uint64_t token);

void holder_remember(const struct holder *holder, struct control_memory *memory);
void holder_recall(struct holder *holder, const struct control_memory *memory);

#endif
