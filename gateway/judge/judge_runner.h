/*
 * Lets the rules judge: takes whom to judge from the store, loads the facts, asks gateway/rules, writes the flags, all in one transaction a
 * subject (many subjects a commit). Knows no network. May be killed at any point: what isn't committed is judged again, with the same result.
 *
 * Threads: all functions belong to the main loop.
 */
#ifndef GW_JUDGE_JUDGE_RUNNER_H
#define GW_JUDGE_JUDGE_RUNNER_H

#include "gateway/rules_yaml.h"
#include "gateway/sites/sites.h"
#include "gateway/store/judging.h"
#include "proto/base/clock.h"

enum {
	JUDGE_BATCH_MAX = 256,       /* subjects in one commit */
	JUDGE_STEP_MS = 50,          /* a step ends then at the latest */
	JUDGE_FACTS_MAX = 20 * 1000, /* of one subject and kind; of what is more, the newest */
	JUDGE_WORK_MAX =
	    40 * 1000 * 1000, /* times that one fact is looked at, for all rules of a subject: about a tenth of a second */
};

struct judge_runner_config {
	struct store *store;
	const struct sites *sites;
	/* Rules and service plans; the runner keeps the pointer until judge_runner_rules. */
	const struct judgement_config *config;
	void (*wake)(void *ctx); /* any thread: desired states changed, there is something to publish */
	void *wake_ctx;
	size_t facts_max;  /* 0 = JUDGE_FACTS_MAX */
	uint64_t work_max; /* 0 = JUDGE_WORK_MAX */
};

struct judge_runner;
/* Before anything is taken in: from then on the store marks whom its rules look at. */
GF_MUST_CHECK int judge_runner_new(const struct judge_runner_config *config, struct gf_time now,
                                   struct judge_runner **ret_runner, struct gf_diag *diag);
void judge_runner_free(struct judge_runner *runner);

/* New rules, from now on: those that changed are judged anew, flags of those that are gone end. */
GF_MUST_CHECK int judge_runner_rules(struct judge_runner *runner, const struct judgement_config *config,
                                     struct gf_time now, struct gf_diag *diag);

/* Judges what has come, at most JUDGE_STEP_MS long, by a clock that is set. `hears`: the gateway hears its machines, so silence means something. Returns when to be
 * called again at the latest (mono ms). A store that refuses is logged and tried again. */
int64_t judge_runner_step(struct judge_runner *runner, bool hears, struct gf_time now);

struct judge_state {
	uint64_t judged;          /* subjects, since the start */
	uint64_t backlog;         /* that wait now, at most a thousand counted */
	uint64_t opened, cleared; /* flags, since the start */
	int64_t failing_since_ms; /* wall; 0 = the last step succeeded */
	struct gf_diag last_error;
};
void judge_runner_state(const struct judge_runner *runner, struct judge_state *ret_state);

#endif
