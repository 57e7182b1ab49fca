/*
 * D1: how long the machine may run without rest. Running fills a budget, rest wears it off in `rest_ms` from full to empty; when it
 * is full the machine rests until it is empty. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_DUTY_H
#define AGENT_CONTROL_DUTY_H

#include "agent/control/envelope.h"
#include "agent/control/memory.h"

struct duty {
	double used_ms;
	bool resting; /* full once, not yet empty */
	bool warned;  /* since it was last below the warning */
};

enum duty_news { DUTY_NOTHING, DUTY_WARNS, DUTY_ENDS };

/* As it was before a restart. */
void duty_recall(struct duty *duty, const struct control_envelope *envelope, const struct control_memory *memory);

/* The motor was on (`running`) or not for the last `elapsed_ms`. Says what that came to. */
enum duty_news duty_elapsed(struct duty *duty, const struct control_envelope *envelope, bool running,
                            uint32_t elapsed_ms);

/* How long it must still rest; 0: it may run. */
uint32_t duty_rest_left_ms(const struct duty *duty, const struct control_envelope *envelope);

#endif
