#include "gateway/api/peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Said without reading what was asked. */
static const char too_many[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    "{\"error\":{\"code\":\"too_many\",\"message\":\"your user has as many connections to the gateway as it may; end "
    "programs "
    "that keep some open (ss -xp shows whose they are), and try again\"}}";

void peers_init(struct peers *peers)
{
	*peers = (struct peers){.first = NULL};
	(void)pthread_mutex_init(&peers->lock, NULL);
}

void peers_deinit(struct peers *peers)
{
	(void)pthread_mutex_destroy(&peers->lock);
}

static size_t count_of(const struct peers *peers, uid_t user)
{
	size_t count = 0;

	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		count += p->user == user;
	return count;
}

struct peer *peers_add(struct peers *peers, int fd, uid_t user, int64_t now_ms)
{
	struct peer *peer = malloc(sizeof(*peer));

	(void)pthread_mutex_lock(&peers->lock);
	if (peer != NULL && count_of(peers, user) < PEERS_OF_USER_MAX) {
		*peer = (struct peer){
		    .fd = fd, .user = user, .until_ms = now_ms + PEERS_HEAD_S * INT64_C(1000), .next = peers->first};
		peers->first = peer;
	} else {
		free(peer);
		peer = NULL;
	}
	(void)pthread_mutex_unlock(&peers->lock);
	if (peer == NULL) {
		(void)send(fd, too_many, strlen(too_many), MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_RDWR);
	}
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	struct peer **at = &peers->first;

	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&peers->lock);
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	(void)pthread_mutex_unlock(&peers->lock);
	free(peer);
}

void peers_allow(struct peers *peers, struct peer *peer, int64_t now_ms, unsigned seconds)
{
	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&peers->lock);
	peer->until_ms = seconds > 0 ? now_ms + seconds * INT64_C(1000) : 0;
	(void)pthread_mutex_unlock(&peers->lock);
}

bool peers_sweep(struct peers *peers, int64_t now_ms)
{
	bool others = false;

	(void)pthread_mutex_lock(&peers->lock);
	for (struct peer *p = peers->first; p != NULL; p = p->next) {
		if (p->until_ms != 0 && now_ms >= p->until_ms) {
			(void)shutdown(p->fd, SHUT_RDWR);
			p->until_ms = 0;
		}
		others = others || p->until_ms != 0;
	}
	(void)pthread_mutex_unlock(&peers->lock);
	return others;
}
