/* A gateway with one rollout, percussion@8, told by the API's own rows: what the commands ask of it, and what they print. */
#ifndef TEST_CLI_ROLLOUT_RIG_H
#define TEST_CLI_ROLLOUT_RIG_H

#include <stdatomic.h>

#include "gateway/store/rollouts.h"
#include "tests/unit/gateway/cli/canned.h"
#include "tests/unit/gateway/cli/words.h"

#define NOON INT64_C(2209032000000) /* 2040-01-01T12:00:00Z: never today, whose times are told without the day */
#define HOUR INT64_C(3600000)
#define SEEN_MAX 16

struct gateway {
	struct store_rollout stages[3]; /* one after another, at each look; the last stays */
	size_t stages_count;
	atomic_size_t looks;
	int silent; /* so many looks after the first are not answered: it restarts */
	json_t *devices;
	int status; /* of POSTs, where it isn't a success */
	const char *message;
	/* What was asked; read when the server has ended. */
	json_t *body;
	char seen[SEEN_MAX][600];
	size_t seen_count;
};

/* In its second wave of three. */
struct gateway *gateway(void);
void drop(struct gateway *g);
/* As a canned_fn; `ctx` is the struct gateway. */
json_t *answer(void *ctx, const struct canned_request *request, int *ret_status);
/* Runs the words against this gateway; it stays for what was asked. */
struct result ask(struct gateway *g, const char *words);
/* This exit code, and each of the texts on one of its two outputs. */
void says(const struct result *r, int code, const char *const *texts);
void check(struct gateway *g, const char *words, int code, const char *const *texts);

#define TEXTS(...)        \
	(const char *const[]) \
	{                     \
		__VA_ARGS__, NULL \
	}

#endif
