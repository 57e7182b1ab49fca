/*
 * Wear: how much of its life each part of a machine has behind it, when service is due, and when that will be at the pace of late. Pure.
 *
 * config/rules.yaml:
 *     service:
 *       - class: percussion          # of all its machines; with `model`, of those alone
 *         warranty_h: 1000           # motor hours
 *         every: {motor_h: 250, sessions: 3000}   # a service; either may be left out
 *         parts:
 *           - {part: head, motor_h: 500}
 *           - {part: cover, sessions: 4000}
 * The motor's life is what the machine says of itself (rated_motor_h).
 */
#ifndef GW_WEAR_WEAR_H
#define GW_WEAR_WEAR_H

#include "gateway/rules/fact.h"

struct wear_life {
	double motor_h;    /* 0 = not counted by hours */
	uint64_t sessions; /* 0 = not by sessions */
};

struct wear_plan {
	enum gf_class class;
	char model[GF_NAME_MAX];                 /* "" = every model of the class */
	double warranty_h;                       /* 0 = unknown */
	struct wear_life parts[FACT_PART_COUNT]; /* [SERVICE]: `every`; [MOTOR] stays 0 */
};

/* The plan for a machine: its model's, else its class's, else NULL. */
const struct wear_plan *wear_plan_for(const struct wear_plan *plans, size_t count, enum gf_class class,
                                      const char *model);

/* What a part has behind it since it was renewed (or since the machine's first hour, whoever counted then). */
struct wear_counter {
	double motor_h;
	uint64_t sessions;
	int64_t since_ms; /* renewed; 0 = never */
};

/* The pace of late. */
struct wear_pace {
	double motor_h_per_day, sessions_per_day;
};

struct wear_part {
	enum fact_part part;
	struct wear_counter counter;
	struct wear_life life;
	double used_pct; /* the worse of both */
	int64_t due_ms;  /* forecast: when it will be used up; now_ms when it is; 0 = not at this pace within ten years */
};

struct wear {
	size_t count;
	struct wear_part parts[FACT_PART_COUNT]; /* those with a life; the worst first */
	double warranty_h, warranty_left_h;      /* 0, 0 = unknown */
};

/* `rated_motor_h` 0 = unknown; `motor_h`: of its whole life; plan NULL = none. */
void wear_judge(const struct wear_plan *plan, double rated_motor_h, double motor_h,
                const struct wear_counter counters[FACT_PART_COUNT], const struct wear_pace *pace, int64_t now_ms,
                struct wear *ret_wear);
/* % of a part's life; NaN without one. */
double wear_used_pct(const struct wear_life *life, const struct wear_counter *counter);

#endif
