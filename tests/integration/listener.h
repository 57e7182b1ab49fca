/*
 * Who is told of events: a subscriber at the broker and a webhook, both real, that keep what they heard. Events come at least once and in order: what
 * comes again is taken once, and a test fails at once when one comes before another that it should follow.
 *
 *     it_listener_start(&l, w, it_gateway_config(w), "[flag, fault]");
 *     ... start the gateway ...
 *     IT_UNTIL(5000, it_listener_hears(&l) == 3);
 */
#ifndef TESTS_INTEGRATION_LISTENER_H
#define TESTS_INTEGRATION_LISTENER_H

#include "proto/topic.h"
#include "tests/integration/client.h"
#include "tests/unit/gateway/tell/receiver.h"

enum { IT_TOLD_MAX = 512 };

struct it_told {
	uint64_t id;
	char kind[32], code[32], topic[GF_TOPIC_MAX], text[256];
};

struct it_listener {
	struct receiver receiver;
	struct it_client *subscriber;
	size_t heard; /* of the subscriber's messages, taken in */
	struct it_told told[IT_TOLD_MAX];
	size_t count;
};

/* Starts both, and adds the webhook for these kinds to the gateway's configuration. The broker runs, the gateway doesn't yet. */
void it_listener_start(struct it_listener *l, struct it_world *w, const char *config, const char *kinds);
void it_listener_stop(struct it_listener *l); /* not started is fine */

/* Takes in what the subscriber has heard since: how many events by now, each counted once. */
size_t it_listener_hears(struct it_listener *l);
/* The newest of this kind; NULL: none. */
const struct it_told *it_listener_last(const struct it_listener *l, const char *kind);
/* Waits until the webhook has the event too; fails the test unless it was told each once or more, in order and signed. How many different ones. */
size_t it_listener_hooked(struct it_listener *l, uint64_t id);

#endif
