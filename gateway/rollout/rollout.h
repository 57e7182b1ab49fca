/*
 * A rollout: which catalog is brought to which machines, in which waves, under which conditions; and where each machine stands.
 * Plain data, shared by the plan (pure), the store and the API.
 *
 * States of a rollout and of a machine's step name what may follow. Each that isn't an end has a deadline (I9): plan.h says which.
 */
#ifndef GW_ROLLOUT_ROLLOUT_H
#define GW_ROLLOUT_ROLLOUT_H

#include "proto/model.h"

enum {
	ROLLOUT_WAVES_MAX = 16,
	ROLLOUT_GATES_MAX = 4,
	ROLLOUT_WHERE_MAX = 2048,
	ROLLOUT_DEVICES_MAX = 100 * 1000,
	ROLLOUT_PAUSE_MAX_MS = 7 * 24 * 3600 * 1000, /* then a paused one is halted */
};

#define ROLLOUT_STATES(X)                                                                         \
	X(RUNNING, "running")           /* -> PAUSED, HALTED, COMPLETED, ROLLING_BACK */              \
	X(PAUSED, "paused")             /* nobody new is offered -> RUNNING, HALTED, ROLLING_BACK */  \
	X(HALTED, "halted")             /* an end; -> RUNNING (resume), ROLLING_BACK, by a person */  \
	X(COMPLETED, "completed")       /* an end; who comes late is still served; -> ROLLING_BACK */ \
	X(ROLLING_BACK, "rolling_back") /* -> ROLLED_BACK */                                          \
	X(ROLLED_BACK, "rolled_back")   /* an end */

#define ROLLOUT_PHASES(X)                                                      \
	X(OFFERING, "offering") /* its machines are told, and answer -> SOAKING */ \
	X(SOAKING, "soaking")   /* all have answered; outcomes are watched */

/* A machine's place in a rollout. */
#define ROLLOUT_STEPS(X)                                                                                         \
	X(WAITING, "waiting")     /* wave 0: not chosen yet; else: its site's window is closed */                    \
	X(ABSENT, "absent")       /* its turn came while it was offline: the offer waits -> OFFERED, MISSED */       \
	X(OFFERED, "offered")     /* told -> INSTALLED, CONFIRMED, FAILED, EXPIRED, WITHDRAWN */                     \
	X(INSTALLED, "installed") /* active, on trial -> CONFIRMED, FAILED, EXPIRED */                               \
	X(CONFIRMED, "confirmed") /* an end */                                                                       \
	X(FAILED, "failed")       /* an end: refused, or rolled back by itself; the code says why */                 \
	X(EXPIRED, "expired")     /* an end: told while online, and no answer by its deadline */                     \
	X(MISSED, "missed")       /* an end: offline until its deadline; -> OFFERED should it come back after all */ \
	X(WITHDRAWN, "withdrawn") /* an end: the rollout ended before it took it; -> WAITING when resumed */         \
	X(LEFT, "left")           /* an end: no longer there, has a newer one, or is another rollout's */            \
	X(REVERTING, "reverting") /* told to go back -> REVERTED, STUCK */                                           \
	X(REVERTED, "reverted")   /* an end */                                                                       \
	X(STUCK, "stuck")         /* an end: can't go back, or did not by its deadline; the code says why */

#define ROLLOUT_GATE_KINDS(X)                                                          \
	X(FAULTS, "faults_per_100h")        /* faults that stopped, per 100 motor hours */ \
	X(USER_STOPS, "user_stops_per_100") /* sessions that the user stopped, of 100 */

enum rollout_state {
#define X(s, n) ROLLOUT_##s,
	ROLLOUT_STATES(X)
#undef X
	    ROLLOUT_STATE_COUNT,
};
enum rollout_phase {
#define X(s, n) ROLLOUT_PHASE_##s,
	ROLLOUT_PHASES(X)
#undef X
	    ROLLOUT_PHASE_COUNT,
};
enum rollout_step {
#define X(s, n) ROLLOUT_STEP_##s,
	ROLLOUT_STEPS(X)
#undef X
	    ROLLOUT_STEP_COUNT,
};
enum rollout_gate_kind {
#define X(s, n) ROLLOUT_GATE_##s,
	ROLLOUT_GATE_KINDS(X)
#undef X
	    ROLLOUT_GATE_COUNT,
};
/* Never NULL ("unknown" out of range). */
const char *rollout_state_name(enum rollout_state state);
const char *rollout_phase_name(enum rollout_phase phase);
const char *rollout_step_name(enum rollout_step step);
const char *rollout_gate_name(enum rollout_gate_kind kind);
/* Nothing follows by itself. */
bool rollout_state_ends(enum rollout_state state);
bool rollout_step_ends(enum rollout_step step);

/* "10%" or "25": of the machines selected, together with the waves before it. */
struct rollout_wave_size {
	uint32_t value;
	bool percent;
};

/* "faults_per_100h<=1.5x": at most so many times the rate of the machines still waiting; without x: at most so many. */
struct rollout_gate {
	enum rollout_gate_kind kind;
	double limit;
	bool relative;
};

/* The catalog for machines of one class. */
struct rollout_target {
	bool there; /* false: machines of this class are no part of the rollout */
	struct gf_digest digest;
	uint32_t size;           /* bytes */
	uint64_t rollback_floor; /* how far back this catalog lets a machine go; 0 = not at all */
};

/* What a person asked for; never changed afterwards. A catalog is for one class, so a release for a mixed fleet is several of one name
 * and version: "gym@2" for chairs, "gym@2" for rollers, ... */
struct rollout_spec {
	char catalog[GF_NAME_MAX];
	uint64_t version;
	struct rollout_target targets[GF_CLASS_COUNT]; /* by class; at least one is there */
	char where[ROLLOUT_WHERE_MAX];                 /* an expression of gateway/api/where.h; "" = all */
	size_t waves_count;
	struct rollout_wave_size waves[ROLLOUT_WAVES_MAX]; /* rising; the last is 100 % */
	int64_t soak_ms;
	int64_t deadline_ms;       /* of each machine's step, and of a wave that finds nobody online */
	uint32_t max_failures_ppm; /* of a wave's machines: 2 % = 20000 */
	bool has_window;
	uint16_t window_from_min,
	    window_to_min; /* minutes of the day in the site's time zone; over midnight when from > to */
	size_t gates_count;
	struct rollout_gate gates[ROLLOUT_GATES_MAX];
};

/* What the machines of a group did while they were watched. */
struct rollout_outcome {
	double motor_hours;
	uint64_t faults, sessions, user_stops, machines;
};

/* What is known of a machine; refreshed before each step of the plan. */
struct rollout_facts {
	bool there;  /* false: retired, or no longer selected */
	bool online; /* by presence */
	bool in_use;
	bool taken; /* by another rollout that is under way */
	/* Its active catalog; digest zeros = unknown. */
	char catalog[GF_NAME_MAX];
	uint64_t version;
	struct gf_digest digest;
	bool on_trial;
	/* Its newest answer to this step: to its revision or a later one, about the catalog that the step desires; UNSPECIFIED = none. */
	enum gf_desired_step answer;
	enum gf_refusal refusal;
	char detail[GF_TEXT_MAX];
	int64_t answered_ms;
	char site[GF_NAME_MAX];
	int32_t utc_offset_s; /* of its site, now */
};

struct rollout_device {
	int64_t key; /* the store's */
	char id[GF_ID_MAX];
	enum gf_class class; /* its target is spec.targets[class] */
	uint32_t wave;       /* from 1; 0 = not chosen yet, or never had to be: it had the catalog, or left before */
	enum rollout_step step;
	int64_t since_ms, deadline_ms; /* of the step; deadline 0 = it ends with the rollout's own */
	uint64_t revision;             /* of the desired state that told it; 0 = not told */
	int64_t told_ms, installed_ms; /* 0 = not yet */
	struct gf_digest previous;     /* what it had when it was told: where to go back to */
	char previous_catalog[GF_NAME_MAX];
	uint64_t previous_version;
	enum gf_refusal refusal;
	char detail[GF_TEXT_MAX]; /* a sentence: why it failed, or what it waits for */
	struct rollout_facts facts;
	/* The plan's own, while a step of it runs. */
	bool changed, wished;
	int wish;
};

struct rollout {
	uint64_t id;
	struct rollout_spec spec;
	enum rollout_state state;
	enum rollout_phase phase; /* while RUNNING or PAUSED */
	uint32_t wave;            /* from 1 */
	int64_t created_ms, state_since_ms, phase_since_ms;
	int64_t forgiven_ms; /* when it was resumed after a halt: what failed until then is not held against it again */
	int64_t wave_since_ms[ROLLOUT_WAVES_MAX], wave_done_ms[ROLLOUT_WAVES_MAX]; /* [0] is wave 1; 0 = not yet */
	char reason[GF_TEXT_MAX * 2]; /* a sentence: why it is in its state, or what it waits for */
	char created_by[GF_NAME_MAX];
	/* Since it was started, or resumed after a halt: its machines since they took it; and those still on the old version since the first took it. */
	struct rollout_outcome updated, others;
	size_t devices_count;
	struct rollout_device *devices; /* by key; owned */
};

/* Frees what it holds and zeroes it; NULL is fine. */
void rollout_deinit(struct rollout *rollout);

/* What a person may order. */
#define ROLLOUT_ORDERS(X) X(PAUSE, "pause") X(RESUME, "resume") X(HALT, "halt") X(ROLLBACK, "rollback")
enum rollout_order {
#define X(s, n) ROLLOUT_ORDER_##s,
	ROLLOUT_ORDERS(X)
#undef X
	    ROLLOUT_ORDER_COUNT,
};
const char *rollout_order_name(enum rollout_order order);

#endif
