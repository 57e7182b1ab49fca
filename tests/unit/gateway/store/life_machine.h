/*
 * A slow and obvious machine: it plays, tells, repeats, restarts, loses its spool, is wiped, and gets old images of its disk back.
 *
 * The model keeps to what can be told apart (life.c). Without a clock no two sessions have the same motor time, and no image is taken
 * in the middle of a session. An image is put back only where the machine can notice it: of its stream nothing was stored since, or
 * more than what it writes when it starts; and the store has heard of that stream. Only some histories lose sessions untold; their audit has findings then.
 */
#ifndef TESTS_STORE_LIFE_MACHINE_H
#define TESTS_STORE_LIFE_MACHINE_H

#include <inttypes.h>

#include "tests/unit/gateway/store/fixture.h"

enum { SPOOL = 128, IMAGES = 3, TOLD = 512, STREAMS = 256 };

/* A record as the machine has it on its disk. */
struct item {
	enum gf_record_kind kind;
	uint64_t boot, uptime_ms, wall_ms, token, motor_ms, duration_ms;
	uint64_t start_uptime_ms, start_wall_ms;
	struct gf_odometer odometer;
	enum gf_outcome outcome;
	bool clock, in_session;
	uint8_t routine;
};

struct disk {
	uint8_t stream;
	uint64_t next_seq, acked, boot, connection;
	int64_t booted_ms;
	struct gf_odometer odometer;
	struct item spool[SPOOL]; /* acked + 1 to next_seq - 1 */
	bool clock, running;
	struct item session;
};

struct machine {
	struct fixture *f;
	uint64_t seed, random;
	unsigned step;
	bool clocks; /* this history's machine always has one */
	bool lossy;  /* and may lose sessions untold */
	int64_t now_ms;
	uint8_t streams;
	uint64_t stored[STREAMS]; /* the highest seq acked of each stream */
	bool heard[STREAMS];
	struct disk disk, images[IMAGES];
	bool has_image[IMAGES];
	uint64_t tokens;
	uint64_t motor_ms[TOLD]; /* of the told session with that token; 0 = not told */
	bool lost;               /* a session was lost untold */
	const char *last;
};

#define FAIL(m, ...)                                                                      \
	do {                                                                                  \
		print_error("seed %" PRIu64 ", step %u (%s): ", (m)->seed, (m)->step, (m)->last); \
		fail_msg(__VA_ARGS__);                                                            \
	} while (0)

/* It is switched on for the first time. f, seed, random, clocks, lossy and now_ms are set before. */
void machine_begin(struct machine *m);
/* The next thing that happens to it. */
void machine_happen(struct machine *m);
/* All is told, the last session played and told by the machine as it is. */
void machine_rest(struct machine *m);

#endif
