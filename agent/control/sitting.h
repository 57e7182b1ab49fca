/*
 * What one person gets, session after session: seconds on each muscle group, side and kind of technique (P1), pain (P8). A token tells
 * persons apart; without one it is the same person until the seat is vacated or ten minutes have passed. Pure.
 */
#ifndef AGENT_CONTROL_SITTING_H
#define AGENT_CONTROL_SITTING_H

#include "agent/control/memory.h"
#include "agent/driver/driver.h"
#include "proto/catalog.h"

enum {
	SITTING_IDLE_MAX_MS = 10 * 60 * 1000,
	SITTING_VACATED_MS = 2000,            /* a seat's contact opens when somebody only shifts */
	SITTING_PAIN_MS = 240 * 1000,         /* P8 */
	SITTING_CLOSED_MS = 24 * 3600 * 1000, /* P8 */
	SITTING_FRESH_MS = 30 * 1000,         /* P6 */
};

/* P1 shares its limits among techniques. */
enum sitting_kind { SITTING_IMPACT, SITTING_RUB, SITTING_SOFT, SITTING_KINDS };

struct sitting {
	bool open;
	bool vacated;     /* since its last session */
	uint32_t away_ms; /* nobody on it for so long */
	uint64_t token;
	uint32_t idle_ms; /* since its last session ended */
	uint32_t pain_presses, pain_left_ms;
	uint32_t area_ms[MEMORY_GROUPS][2][MEMORY_KINDS];
	bool warned[MEMORY_GROUPS][2][MEMORY_KINDS];
	struct memory_closed closed[MEMORY_CLOSED_MAX]; /* of everybody, not only of this person */
};

/* A session begins, by `token` (0 = none): the same person goes on, or another one's account is opened. */
void sitting_begin(struct sitting *sitting, uint64_t token);

/* Time passes: on the hardware was `output`; `running` while a session is active. `input` may be NULL. */
void sitting_elapsed(struct sitting *sitting, const struct driver_output *output, bool in_session,
                     const struct driver_input *input, uint32_t elapsed_ms);

/* Time passes while nobody looks: the machine was off. */
void sitting_away(struct sitting *sitting, uint32_t elapsed_ms);

/* What P1 says of a step on this spot: the number so far, s, and the limit it has reached, s; 0 = none. */
struct sitting_use {
	float used_s, warn_s, stop_s;
};
struct sitting_use sitting_use(const struct sitting *sitting, enum gf_area area, enum gf_side side,
                               enum gf_technique technique);

/* P1's warning is due for this spot, once. */
bool sitting_warns(struct sitting *sitting, enum gf_area area, enum gf_side side, enum gf_technique technique);

/* P6: this area has had less than its first half minute, on one of the sides at least. */
bool sitting_fresh(const struct sitting *sitting, enum gf_area area, enum gf_side side);

/* P8: closes a spot for 24 h, for this token, or for everybody when there is none. */
void sitting_close(struct sitting *sitting, enum gf_area area, enum gf_side side);
/* How long a spot is still closed to the person who sits; 0 = it is open. */
uint32_t sitting_closed_ms(const struct sitting *sitting, enum gf_area area, enum gf_side side);
/* Staff opens one of the closed areas, and is told which; false: none is left. */
bool sitting_open(struct sitting *sitting, struct memory_closed *ret_opened);

void sitting_remember(const struct sitting *sitting, struct control_memory *memory);
void sitting_recall(struct sitting *sitting, const struct control_memory *memory);

#endif
