/*
 * A rollout in virtual time: machines that take, refuse, keep silent, go offline and come back, and a plan whose every step is checked against what must
 * always hold (sim_step). Stored is what a real gateway would have stored: the rollout and what is desired, together.
 */
#ifndef TEST_ROLLOUT_SIM_H
#define TEST_ROLLOUT_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/rollout/plan.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* 2026-11-20T12:00:00Z */
#define NOON INT64_C(1795176000000)

enum { SIM_MAX = 1200, OLD = 7, NEW = 8, NEWER = 9 };

enum sim_verdict { SIM_TAKES, SIM_REFUSES, SIM_ROLLS_BACK, SIM_SILENT, SIM_NEVER_CONFIRMS };

struct machine {
	bool online, in_use, selected, taken, joined;
	enum sim_verdict verdict;
	int64_t fetch_ms, trial_ms;
	int32_t utc_offset_s;
	/* What is desired of it, and since when it knows. */
	uint64_t revision;
	unsigned desired; /* a version; 0 = none */
	int64_t heard_ms; /* 0 = not yet */
	unsigned plays;
	bool on_trial;
	int64_t trial_since_ms;
	/* What the gateway knows of it. */
	struct rollout_facts told;
	uint64_t answer_revision;
	unsigned answer_about;
	/* Counted by sim_step. */
	unsigned offers, withdrawals, reverts;
};

struct sim {
	struct rollout r;
	struct machine machines[SIM_MAX];
	size_t count;
	int64_t now_ms, due_ms;
	uint64_t revision;
	size_t changed[SIM_MAX];
	struct plan_wish wishes[SIM_MAX];
	struct plan_changes last;
	unsigned steps;
};

struct gf_digest sim_digest(unsigned version);
/* `count` machines that are online and take what they are told in a minute; waves 1, 10 %, 100 %, soak 30 min, deadline 24 h, 2 %. */
struct sim *sim_new(size_t count);
void sim_free(struct sim *s);
/* One more machine is selected. */
struct machine *sim_join(struct sim *s);
/* The device of machine i. */
struct rollout_device *sim_device(struct sim *s, size_t i);
struct rollout_device *sim_device_of(struct sim *s, const struct machine *m);
/* The first one of a wave that has somebody. */
struct machine *sim_machine_of_wave(struct sim *s, uint32_t wave);

/* Machines act on what they know; facts are taken; the plan steps; all that must hold is checked; what it wishes is stored. */
void sim_step(struct sim *s);
/* The same, but the gateway dies before it is stored. */
void sim_step_lost(struct sim *s);
/* Steps each `each_ms` until the time has passed. */
void sim_run(struct sim *s, int64_t span_ms, int64_t each_ms);
/* Steps until the rollout is at an end; fails after `most_ms`. */
void sim_run_to_end(struct sim *s, int64_t most_ms);
/* 0 or -EINVAL; with its step. */
int sim_order(struct sim *s, enum rollout_order order);

size_t sim_count(const struct sim *s, enum rollout_step step);
size_t sim_in_wave(const struct sim *s, uint32_t wave);
/* That were ever told. */
size_t sim_told(const struct sim *s);

#endif
