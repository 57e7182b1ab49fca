/*
 * A control thread over hardware that a test holds in its hands, for control_thread's tests. Nothing here measures time: a test waits
 * until the hardware has been written to so often, or until it was written what it should.
 */
#ifndef TESTS_AGENT_HARDWARE_H
#define TESTS_AGENT_HARDWARE_H

#include <pthread.h>

#include "agent/control_thread.h"

enum { HARDWARE_DEADLINE_S = 20 };

/* Shared with the thread; `lock` guards all of it but the last two. */
struct hardware {
	struct driver driver;
	pthread_mutex_t lock;
	pthread_cond_t ticked;
	struct driver_input input;
	bool unreadable, unwritable;
	bool held, is_held;          /* read doesn't return while `held`; it is in there */
	int64_t late_ms;             /* the next read lasts so long, once */
	int64_t read_ms, longest_ms; /* the last read's time as it was told, and the longest from one to the next */
	struct driver_output output; /* the last one written */
	uint64_t reads, writes, starts, safes, wakes;
	struct control *control;
	struct control_thread *thread;
};

/* For cmocka: `*state` is the hardware. */
int hardware_setup(void **state);
int hardware_teardown(void **state);

/* `every_ms` between heartbeats and between checkpoints; 0: the defaults. */
void hardware_start(struct hardware *h, uint32_t every_ms);
/* Until the motor runs. */
void hardware_begin_session(struct hardware *h);

/* Under `lock`. */
bool hardware_runs(const struct hardware *h);
bool hardware_stands(const struct hardware *h);
bool hardware_is_safe(const struct hardware *h); /* has been made so */

/* Returns false when it didn't come true before the deadline; looked at after each tick. */
bool hardware_waited_for(struct hardware *h, bool (*condition)(const struct hardware *h));
bool hardware_waited_for_ticks(struct hardware *h, uint64_t more);

void hardware_set(struct hardware *h, bool *what, bool value);
void hardware_ask_for(struct hardware *h, uint16_t routine);
/* Returns when the thread is in a read that doesn't return. */
void hardware_hold(struct hardware *h);
void hardware_let_go(struct hardware *h);

/* Takes all events out: how many of `kind` there were. *ret_last: the last one of them. */
size_t hardware_drain(struct hardware *h, enum control_event_kind kind, struct control_event *ret_last);

#endif
