/*
 * The table of faults: each line says what is wrong, for how long it must be, and when it is over. It is the whole policy; faults.c
 * only counts time. Pure.
 */
#ifndef AGENT_CONTROL_FAULT_RULES_H
#define AGENT_CONTROL_FAULT_RULES_H

#include "agent/control/faults.h"

/* A condition: is it there, and the number and limit that say so (NaN where none belongs to it). */
struct verdict {
	bool there;
	float observed, limit;
};

enum { NO_STRIKE = MEMORY_STRIKES_COUNT };

enum fault_sight {
	AT_ONCE = 1, /* the output goes off with the first sight of it */
	LINGERS = 2, /* what comes back within a second counts on from where it was */
};

struct fault_rule {
	enum gf_fault code;
	enum gf_severity severity;
	uint8_t strikes; /* enum memory_strikes: of a stop, what it counts for; of a latch, what it is raised by */
	uint8_t sight;   /* enum fault_sight bits */
	uint32_t hold_ms, gone_ms;
	struct verdict (*there)(const struct fault_view *view);
	struct verdict (*gone)(const struct fault_view *view); /* NULL: faults.c knows */
	const char *detail;                                    /* NULL: it differs from time to time, see faults.c */
};

/* Those with a sentence or a code of their own, or that are remembered. */
enum { SENSOR_RULE = 4, BUTTON_RULE, HARDWARE_RULE, MOTOR_HOT_RULE = 8, SURFACE_HOT_RULE = 10 };

enum { FAULT_RULES = 26 };
extern const struct fault_rule fault_rules[FAULT_RULES];

#endif
