/*
 * What the API has done by the daemon: each of its api_ops leads to the store, the runner of rollouts, the rulebook or the tellers, at the time of the
 * daemon's clock. What is wanted of machines is in the store before the main loop, which tells them, is woken.
 *
 * The owner fills the fields below before the API begins, and ends the API first. All but errands_tell runs on the API's threads.
 */
#ifndef GATEWAY_ERRANDS_H
#define GATEWAY_ERRANDS_H

#include <pthread.h>

#include "gateway/api/api.h"
#include "gateway/rollout/runner.h"
#include "gateway/rulebook.h"

struct errands {
	const struct gf_clock *clock;
	int64_t started_ms; /* of the monotonic clock */
	struct store *store;
	struct runner *runner;
	struct rulebook *rules;
	const char *rules_path, *config_path; /* as the audit names them */
	const struct sites *sites;            /* in force since the start */
	struct tell *tell;
	void (*wake)(void *ctx); /* any thread */
	void *wake_ctx;

	pthread_mutex_t lock; /* of the facts; PTHREAD_MUTEX_INITIALIZER */
	struct api_facts facts;
};

/* The main loop's: how it goes, for whoever asks next. */
void errands_tell(struct errands *errands, const struct api_facts *facts);
/* Any thread. Reads gateway.yaml again, for its webhooks alone; opening hours that changed are logged, for they wait for the next start.
 * -EINVAL with file, line and mistake, -ENOMEM: then all is as it was. */
GF_MUST_CHECK int errands_read_webhooks(struct errands *errands, size_t *ret_webhooks, struct gf_diag *diag);
/* `errands` is their ctx. */
struct api_ops errands_ops(struct errands *errands);

#endif
