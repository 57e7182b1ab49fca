/* Webhooks of a real tell.h against real receivers, the first two. A test's setup is hook_setup, its teardown hook_teardown. */
#ifndef TESTS_TELL_HOOK_RIG_H
#define TESTS_TELL_HOOK_RIG_H

#include "gateway/tell/tell.h"
#include "tests/unit/gateway/store/fixture.h"
#include "tests/unit/gateway/tell/receiver.h"

#define SECRET "0123456789abcdef"

struct rig {
	struct fixture *f;
	struct receiver receivers[2];
	struct tell_webhook webhooks[2];
	const struct gf_clock *clock; /* the system's but for tests that own it */
	struct tell *tell;
	char pki[96], *cert, *key;
};

int hook_setup(void **state);
int hook_teardown(void **state);

/* Tells to the first `count` receivers that were started. */
void begin(struct rig *r, size_t count);
/* Events, each with the next id. */
void happens(struct rig *r, unsigned events);
struct gf_time now(void);
void sql(struct rig *r, const char *text);

/* 0 is MQTT's, which nobody takes; 1 the first webhook's. */
struct tell_state state_of(struct rig *r, size_t receiver);
/* Until its state is so; fails the test after half a minute. */
void until(struct rig *r, size_t receiver, bool (*is_so)(const struct tell_state *state, uint64_t number),
           uint64_t number);
bool is_done_with(const struct tell_state *state, uint64_t number);
void until_failing(struct rig *r, size_t receiver);
/* The receiver has it before the gateway knows that. */
void until_told(struct rig *r, size_t receiver, uint64_t told);
/* What it has is every event from 1 on, each sound, in order; the same one again is allowed. */
void has_all(struct rig *r, size_t receiver, uint64_t last);

#endif
