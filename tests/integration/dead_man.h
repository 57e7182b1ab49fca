/* The machines that dead_man_test.c strikes, and how each kind of hardware tells whether it is off (dead_man_kinds.c). */
#ifndef TESTS_INTEGRATION_DEAD_MAN_H
#define TESTS_INTEGRATION_DEAD_MAN_H

#include "tests/integration/harness.h"
#include "tests/slave/slave.h"
#include "tests/unit/agent/driver/fake_sysfs.h"

#define DEAD_CLASS "roller"

enum dead_way { DEAD_KILLED, DEAD_STOPPED, DEAD_HUNG, DEAD_WAYS };
enum dead_state { DEAD_STARTS, DEAD_RUNS, DEAD_IS_STRUCK, DEAD_IS_RELEASED, DEAD_IS_DONE };

struct dead_machine {
	const struct dead_kind *kind;
	struct it_world *w;
	unsigned number;
	char name[32];
	const char *config;
	struct it_proc *agent;
	enum dead_state state;
	enum dead_way way;
	unsigned moments;
	int tid;
	int64_t strike_ms, struck_ms, hold_ms, released_ms;
	int64_t now_ms, late_ms; /* this look, and the longest time between two since it was struck */
	int64_t worst_ms;        /* until it was off */
	/* What a kind of hardware notes. */
	int64_t off_ms, press_ms;
	uint64_t motor_ms, struck_motor_ms;
	bool pressed;
	struct fake_sysfs sysfs;
	struct slave slave;
};

/* All but `moments` and `machines` may fail the test. */
struct dead_kind {
	const char *name;
	unsigned machines, moments; /* so many of each machine */
	bool flickers;              /* `runs` is now and then false while it runs */
	void (*make)(struct dead_machine *m);
	void (*unmake)(struct dead_machine *m);
	void (*ask)(struct dead_machine *m);  /* for a session, again and again until it runs */
	bool (*runs)(struct dead_machine *m); /* the motor */
	/* After it was struck, and after the agent was let go or started anew: true when enough was seen. */
	bool (*held)(struct dead_machine *m);
	bool (*released)(struct dead_machine *m);
};

enum { DEAD_KINDS = 3 };
extern const struct dead_kind dead_kinds[DEAD_KINDS];

const char *dead_way_name(enum dead_way way);

#endif
