/*
 * An event as JSON, and its topic: the one place for all who are told (MQTT, webhooks, /v1/events). The schema is in proto/PROTOCOL.md.
 */
#ifndef GW_TELL_FEED_H
#define GW_TELL_FEED_H

#include <jansson.h>

#include "gateway/store/store.h"
#include "proto/topic.h"

/* NULL = no memory. */
json_t *feed_event(const struct store_event *event);

/* Events from..to that aren't told one by one. `count` of each kind; `missed` of them are not in the log any more, and of unknown kind. */
struct feed_sum {
	uint64_t from, to;
	uint64_t count[STORE_EVENT_COUNT];
	uint64_t missed;
	int64_t now_ms;
};
uint64_t feed_sum_events(const struct feed_sum *sum); /* without those missed */
json_t *feed_sum(const struct feed_sum *sum);

/* events/{kind}/{id}: the machine's id; else the number of the flag, rollout, incident ...; else "gateway". */
const char *feed_topic(char buf[static GF_TOPIC_MAX], const struct store_event *event);
const char *feed_sum_topic(char buf[static GF_TOPIC_MAX]);

#endif
