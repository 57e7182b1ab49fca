/* The downlink over a store of its own and a broker of plain memory, with the clock in hand. */
#ifndef TESTS_GATEWAY_DOWNLINK_RIG_H
#define TESTS_GATEWAY_DOWNLINK_RIG_H

#include "gateway/downlink.h"
#include "proto/topic.h"
#include "tests/unit/gateway/store/wish_rig.h"

enum { RETAINED_MAX = 512, FLIGHT_MAX = 64, ORDER_MAX = 4096 };

struct retained {
	char topic[GF_TOPIC_MAX];
	unsigned char *data;
	size_t len;
};

/* Keeps what is retained, answers when the test says so. */
struct fake {
	struct retained kept[RETAINED_MAX];
	size_t kept_count;
	uint64_t flight[FLIGHT_MAX];
	int codes[FLIGHT_MAX];
	size_t flight_count, window;
	char order[ORDER_MAX][GF_TOPIC_MAX]; /* what was published, in its order */
	size_t published;
	const char *refuse; /* topics with this in them */
	int fail;           /* what publish returns */
	uint32_t expiry_s;  /* of the last one */
	unsigned char last[GF_CATALOG_PART_MAX];
	size_t last_len;
};

struct down {
	struct fixture *f;
	struct fake fake;
	struct downlink *downlink;
	struct gf_time now;
};

/* For cmocka: no machines, no catalogs, a broker that takes all. */
int down_setup(void **state);
int down_teardown(void **state);
/* A downlink over the store as it is, with its connection up; nothing is in flight. Whoever had one before frees it first. */
void down_start(struct down *r);

/* The broker answers what is in flight, oldest first. */
void down_answer(struct down *r);
/* Steps and answers until nothing is under way. */
void down_settle(struct down *r);
void down_pass(struct down *r, int64_t ms);
struct downlink_state down_state(struct down *r);

/* Machines chair-0, chair-1...; `digest` 0: nothing is wanted of them. */
void down_machines(struct down *r, unsigned count, uint8_t digest);
void down_catalog(struct down *r, uint8_t digest, size_t len);

/* Both keep their text until the next call. */
const char *down_desired_topic(const char *id);
const char *down_part_topic(uint8_t n, int part);
/* What the broker retains there, or NULL. */
struct retained *down_find(struct fake *fake, const char *topic);
/* It loses all that it retains. */
void down_wipe(struct fake *fake);
/* The revision that the broker has for a machine; 0: none. */
uint64_t down_at_broker(struct down *r, const char *id);
struct store_retained down_at_store(struct down *r, uint8_t digest);

#endif
