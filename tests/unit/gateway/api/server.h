/*
 * A real API over a real store in a temporary folder, with a small fleet in it at NOON on 2026-11-20:
 * chair-berlin-01 online, three sessions, the fourth running, an open latched fault; gun-paris-01 left with a goodbye after
 * one session.
 */
#ifndef TEST_API_SERVER_H
#define TEST_API_SERVER_H

#include "tests/unit/gateway/store/fixture.h"

#include <jansson.h>

#include "gateway/errands.h"

struct server {
	struct fixture *store;
	struct api *api;
	struct errands errands;
	char socket[128];
	struct api_facts facts; /* what the daemon says of itself */
	struct tell_state tellings[1 + TELL_WEBHOOKS_MAX];
	size_t tellings_count;
	struct judgement_config rules; /* borrowed: no rules, no plans */
	const char *rules_mistake;     /* what reading them, or the webhooks, again would find; NULL = nothing */
	struct gf_clock clock;
	struct api_config config;
	struct api_ops ops;
};

int server_setup(void **state);
int server_teardown(void **state);

/* Sends `bytes` and reads until the server closes; freed by the caller. */
char *server_send(const struct server *s, const void *bytes, size_t len);

/* One request; returns the status and, unless NULL, the JSON. `body` may be NULL. */
int server_ask(const struct server *s, const char *method, const char *path, const char *body, json_t **ret_json);
/* The same with a body of any bytes. */
int server_ask_bytes(const struct server *s, const char *method, const char *path, const void *body, size_t body_len,
                     json_t **ret_json);
/* Fails the test when it isn't this status. */
json_t *ask(struct server *s, const char *method, const char *path, const char *body, int status);
/* The same for a GET with 200; how many rows a list has. */
json_t *get(struct server *s, const char *path);
size_t rows(struct server *s, const char *path);
/* As ask, for a refusal; its sentence has `expected` in it. */
void refuses(struct server *s, const char *method, const char *path, const char *body, int status,
             const char *expected);

/* A member of an answer; "(null)" and 0 where there is none. */
const char *text(const json_t *object, const char *key);
json_int_t whole(const json_t *object, const char *key);

#endif
