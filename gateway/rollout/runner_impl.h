/*
 * What the parts of the runner share: runner.c, which steps what is open, runner_look.c, whom a rollout selects, and runner_order.c, what
 * people ask for. Private to gateway/rollout/runner*.c.
 */
#ifndef GW_ROLLOUT_RUNNER_IMPL_H
#define GW_ROLLOUT_RUNNER_IMPL_H

#include <pthread.h>

#include "gateway/rollout/runner.h"

/* Whom a rollout selects, as of the last look. A machine that it doesn't hold is no longer there; one that the rollout doesn't hold joins. */
struct look {
	uint64_t rollout;
	int64_t again_ms, stepped_ms; /* mono: when to look again, when its rollout was stepped last */
	bool fresh;                   /* nobody has joined by it yet */
	bool busy;                    /* something may happen within seconds */
	bool everybody;               /* the expression means nothing any more: who is in it stays in it */
	char (*ids)[GF_ID_MAX];       /* by id */
	size_t count, room;
};

struct runner {
	struct runner_config config;
	pthread_mutex_t lock; /* of all below */
	struct store_reader *reader;
	struct look *looks;
	size_t looks_count;
	int64_t due_ms;
	bool failing;
	bool held;                          /* nothing moves by itself */
	int64_t heard_ms, hearing_since_ms; /* wall: when the gateway could hear last, and since when it can; 0 = not yet */
	int64_t held_until_ms;              /* mono */
	int64_t offset_ms;                  /* of the wall clock from the monotonic one; 0 = not looked at yet */
};

/* ---- runner_look.c; with the lock, but for runner_select ---- */

/* Reads every machine: seldom, and outside of a batch. -EINVAL with diag for an expression that means nothing. The caller frees ids. */
GF_MUST_CHECK int runner_select(const struct runner *r, struct store_reader *reader, const struct rollout_spec *spec,
                                struct gf_time now, struct look *ret_look, struct gf_diag *diag);
/* NULL when there is none. */
struct look *runner_find_look(const struct runner *r, uint64_t id);
/* Takes the look over, also when it fails. 0 or -ENOMEM: the next step looks again. */
int runner_keep_look(struct runner *r, uint64_t id, struct look look, struct look **ret_look);
/* Those of rollouts that aren't open any more. */
void runner_drop_looks(struct runner *r, const uint64_t *open, size_t count);
/* Selects anew. */
GF_MUST_CHECK int runner_look_again(struct runner *r, uint64_t id, struct gf_time now, struct look **ret_look,
                                    struct gf_diag *diag);

/* ---- runner.c; with the lock ---- */

/* One batch: loads, carries `order` out (ROLLOUT_ORDER_COUNT = none), steps, saves. */
GF_MUST_CHECK int runner_step_one(struct runner *r, struct look *look, uint64_t id, const struct store_actor *actor,
                                  enum rollout_order order, int64_t now_ms, struct gf_diag *diag);
/* A clock that was set makes no soak shorter and no deadline come. */
GF_MUST_CHECK int runner_follow_clock(struct runner *r, struct gf_time now, struct gf_diag *diag);

#endif
