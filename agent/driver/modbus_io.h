/*
 * The thread that talks to the controller. Each cycle (20 ms on TCP, as fast as the wire goes on a serial line):
 *
 *     1. off, if it is due: no START, an emergency stop or a cover in the last answer, a control thread that has fallen silent
 *     2. ask; an emergency stop or a cover in the answer: off at once
 *     3. hand the reading over
 *     4. tell the output, when it changed or the heartbeat is due; else, on a serial line, ask for the panel
 *
 * Failure modes: an answer that fails leads to mb_bus_step, three in a row to a new connection with a new greeting; no reading is
 * handed over meanwhile, and none from before a cut is kept, so that the control core sees them fail. After a new connection, and after a control thread that
 * hung, nothing runs until an order comes that was given after a failed reading. A controller that runs on when it was told to stop is
 * left at once, and its greeting is refused until it stands still.
 */
#ifndef AGENT_DRIVER_MODBUS_IO_H
#define AGENT_DRIVER_MODBUS_IO_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/driver/modbus_greet.h"
#include "agent/driver/newest.h"

enum {
	MB_ALIVE_MS = 200, /* an order so old still beats the heart */
	MB_HUNG_MS = 300,  /* an order so old is no order */
};

/* I/O thread -> control thread. */
struct mb_reading {
	int64_t at_ms; /* when it was asked for; 0 = none yet */
	struct driver_input input;
};

/* Control thread -> I/O thread. */
struct mb_order {
	int64_t at_ms;   /* 0 = none yet */
	unsigned failed; /* how many readings had failed by then */
	unsigned clears; /* how often the controller's faults were to be cleared by then */
	struct driver_output output;
};

struct mb_io {
	struct mb_bus *bus;
	struct mb_expected expected;
	struct mb_machine machine;
	struct newest readings, orders;
	atomic_bool must_fail; /* the next reading must, whatever is there */
	atomic_int refused;    /* negative errno: the controller doesn't take the output */
	atomic_bool stopping;
	int wake_fd; /* eventfd: something that can't wait */
	pthread_t thread;
	bool started;
	/* The thread's own. */
	bool blocked; /* nothing runs until an order has another `failed` than this: */
	unsigned blocked_failed;
	unsigned clears;
	uint16_t heartbeat, inputs[MB_INPUTS_COUNT], told[MB_OUTPUTS];
	int64_t told_ms, all_read_ms, panel_read_ms, refused_ms;
	int64_t obeyed_ms; /* until then it ran only when it was told to */
	unsigned failures;
	int64_t backoff_ms;
};

/* ms that also count while the machine is suspended. */
int64_t mb_now_ms(void);

/*
 * On an io with its bus, which has been greeted, and wake_fd -1; all else that isn't the caller's is 0. 0 or a negative errno; mb_io_stop
 * is due in any case.
 */
GF_MUST_CHECK int mb_io_start(struct mb_io *io, const struct mb_greeting *greeting);
/* Any thread. Makes the next cycle come at once. */
void mb_io_wake(struct mb_io *io);
/* Stops the thread, tells the controller to stop if it can be told within a moment, and frees the bus. */
void mb_io_stop(struct mb_io *io);

#endif
