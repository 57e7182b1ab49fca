/*
 * Who is connected to the API, so that nobody keeps the others out: a user has at most half of the connections, and each connection has
 * a time for what it is to do next, however slowly it goes on with it.
 *
 *     connected ──> a request's head within PEERS_HEAD_S ──> its body within PEERS_BODY_S ──> the gateway works, or waits: no limit
 *         ^                                                                                        │
 *         └─────────────────────────── the answer is taken within PEERS_ANSWER_S <─────────────────┘
 *
 * Whoever is too slow is shut down; libmicrohttpd finds that and closes. Thread-safe, with a lock of its own under which nothing else is called.
 */
#ifndef GATEWAY_API_PEERS_H
#define GATEWAY_API_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEERS_OF_USER_MAX = 32, PEERS_HEAD_S = 10, PEERS_BODY_S = 30, PEERS_ANSWER_S = 30 };

struct peer {
	int fd; /* borrowed */
	uid_t user;
	int64_t until_ms; /* monotonic; 0 = no limit */
	struct peer *next;
};

struct peers {
	pthread_mutex_t lock;
	struct peer *first;
};

void peers_init(struct peers *peers);
/* All have been removed. */
void peers_deinit(struct peers *peers);

/* NULL when its user has too many, or without memory: it is told (HTTP 503) and shut down then. */
struct peer *peers_add(struct peers *peers, int fd, uid_t user, int64_t now_ms);
/* Before its descriptor is closed; NULL is fine. */
void peers_remove(struct peers *peers, struct peer *peer);

/* From now on it has so long; 0 = no limit. NULL is fine. */
void peers_allow(struct peers *peers, struct peer *peer, int64_t now_ms, unsigned seconds);
/* Shuts down those whose time is over. True when others have a limit. */
bool peers_sweep(struct peers *peers, int64_t now_ms);

#endif
