/*
 * What the tests of the runner share: the real store in virtual time, and machines that read what is desired of them and report, as they would by the
 * broker.
 */
#ifndef TEST_ROLLOUT_RUNNER_RIG_H
#define TEST_ROLLOUT_RUNNER_RIG_H

#include <stdatomic.h>

#include "gateway/rollout/runner.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

enum { MACHINES = 20, OLD = 7, NEW = 8 };

struct machine {
	char id[GF_ID_MAX];
	uint64_t seq, revision;
	unsigned plays, told, told_new;
	bool offline, refuses, silent;
};

struct rig {
	struct fixture *f;
	struct runner *runner;
	struct zones *zones;
	struct gf_time now;
	struct machine machines[MACHINES + 2];
	size_t count;
	atomic_uint wakes;
	int commits_until_death; /* below 0 = never */
};

extern const struct store_actor anna;
extern unsigned rig_looks; /* how often machines were selected; of tests without threads */

/* As after kill -9: what wasn't committed is gone. */
void reborn(struct rig *g);
void publish(struct rig *g, unsigned version, uint64_t floor);
void say_hello(struct rig *g, struct machine *m, const char *site);
struct machine *add_machine(struct rig *g);
int rig_setup(void **state);
int rig_teardown(void **state);
struct rollout_spec spec(void);
uint64_t start(struct rig *g, const struct rollout_spec *s);
/* Lets time pass, and nothing happen. */
void pass(struct rig *g, int64_t ms);
struct store_rollout get(struct rig *g, uint64_t id);
/* Steps the runner, then its machines, each 30 s. */
void run(struct rig *g, int64_t span_ms);
void run_to_end(struct rig *g, uint64_t id, int64_t most_ms);
struct rollout_device device_of(struct rig *g, uint64_t id, const struct machine *m);
struct gf_digest digest(unsigned version);
/* Each machine reads its desired state as the broker would have it, and answers once. */
void machines_act(struct rig *g);

#endif
