/*
 * A bare MQTT client with a certificate, for tests: it says anything to the broker and keeps what it hears. It moves only in
 * it_client_turn and in the functions that wait.
 */
#ifndef TESTS_INTEGRATION_CLIENT_H
#define TESTS_INTEGRATION_CLIENT_H

#include "proto/link.h"
#include "tests/integration/harness.h"

struct it_message {
	char *topic;
	unsigned char *payload; /* a NUL stands behind it */
	size_t len;
	bool retained;
};

struct it_client_options {
	const char *host;      /* NULL: localhost */
	uint16_t port;         /* 0: the device listener, or the one for "gateway", for "integrators/NAME" */
	const char *client_id; /* NULL: the certificate's name */
	const char *ca_file;   /* NULL: the world's */
	const char *filters[GF_LINK_SUBS_MAX];
	unsigned mailbox_max; /* 0: 256 */
	unsigned window_max;  /* 0: GF_LINK_WINDOW_MAX */
	size_t packet_max;    /* 0: 1 MiB */
	bool (*will)(void *ctx, uint64_t connection, struct gf_link_will *ret_will);
};

struct it_client;

/* `id`: whose certificate; "gateway", "integrators/NAME" or a machine's (made when missing). Starts to connect. `options` may be NULL. */
struct it_client *it_client_open(struct it_world *w, const char *id, const struct it_client_options *options);
void it_client_close(struct it_client *c); /* gracefully; NULL is fine */

/* One step of the link; takes its events. */
void it_client_turn(struct it_client *c);
bool it_client_up(struct it_client *c);            /* after a turn */
const char *it_client_reason(struct it_client *c); /* after a turn: of the last DOWN, or "" */

/* Publishes with QoS 1 and waits for the answer: the MQTT 5 reason code, or -1. */
int it_client_publish(struct it_client *c, const char *topic, const void *payload, size_t len, bool retain);

/* After a turn: how many messages came with this topic (NULL: any), and the last of them (NULL: none). */
size_t it_client_heard(struct it_client *c, const char *topic);
const struct it_message *it_client_last(struct it_client *c, const char *topic);

/* The message with this index, in the order in which they came; NULL when there is none yet. No turn. */
const struct it_message *it_client_message(const struct it_client *c, size_t index);

/* After a turn: how many answers gf_link_watch has had, and the last one's code. */
size_t it_client_watches(struct it_client *c, int *ret_code);

struct gf_link *it_client_link(struct it_client *c);

#endif
