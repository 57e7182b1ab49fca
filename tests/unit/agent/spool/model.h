/*
 * What a spool must hold after a run, whatever cut it short. The records are made so that each tells its own seq: FaultRaised
 * by its number, Heartbeat by its interval; the state tells the seq that comes next.
 */
#ifndef TESTS_SPOOL_MODEL_H
#define TESTS_SPOOL_MODEL_H

#include "tests/unit/agent/spool/trap.h"

struct model {
	uint64_t written, attempted;             /* last seq that was promised; that may be there */
	uint64_t state_written, state_attempted; /* the same of the state */
	uint64_t acked;
	int last_error;
};

struct spool *model_open(struct trap *t, uint64_t bytes_max);

/* For tests whose state is a struct trap. */
int model_setup(void **state);
int model_teardown(void **state);

/* The record at `seq`, or the Lost record that covers it; fails the test when there is none. */
struct gf_record model_read(struct spool *spool, uint64_t seq);

struct gf_record model_fault(uint64_t seq);
struct gf_record model_beat(uint64_t seq);

/* Appends `faults` faults (with a state), or one heartbeat when 0. Returns what spool_append did. */
int model_append(struct model *m, struct spool *spool, size_t faults);
int model_ack(struct model *m, struct spool *spool, uint64_t through);
/* `steps` appends and acks of all sorts; ends at the first error but a full disk. */
void model_run(struct model *m, struct spool *spool, size_t steps);

/* Asserts that the spool holds what the model says, each record once, none changed. */
void model_check(const struct model *m, struct spool *spool);

#endif
