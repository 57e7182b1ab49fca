/* A receiver of webhooks for tests: a real HTTP server on loopback that remembers what it took, and misbehaves as it is told. */
#ifndef TESTS_TELL_RECEIVER_H
#define TESTS_TELL_RECEIVER_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAKEN_MAX = 4096 };

struct taken {
	uint64_t id, from, to, count, missed;
	char kind[32];
	bool sound; /* signature, headers, and fresh */
};

struct MHD_Daemon;
struct receiver {
	const char *secret;
	const char *cert, *key; /* PEM; NULL = http */
	struct MHD_Daemon *http;
	uint16_t port;
	char url[64];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned fails; /* so many answers more are fail_status */
	unsigned fail_status;
	const char *location;          /* of a redirect, or NULL */
	uint64_t refuses;              /* the event with this id, always */
	struct taken taken[TAKEN_MAX]; /* answered 200 */
	size_t taken_count;
	size_t newest; /* the highest id among them */
	size_t asked;  /* all requests */
};

/* On a free port, or, when it has had one, on that again. Fails the test when it can't. */
void receiver_start(struct receiver *r);
void receiver_stop(struct receiver *r); /* not running is fine */
/* Waits until it has taken this event, or a later one; fails the test after some seconds. */
void receiver_wait(struct receiver *r, uint64_t id);
/* Waits for so many requests of any fate. */
void receiver_wait_asked(struct receiver *r, size_t asked);

#endif
