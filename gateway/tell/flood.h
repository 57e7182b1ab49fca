/*
 * How much a receiver is told, and when again: a token bucket, backoff with jitter, and what an answer means. Pure: time and chance are
 * arguments.
 *
 * The bucket holds as many messages as may go in a row. While it has more than one, each event goes by itself; the last one goes to all that
 * waits: one event, or the sum of many. So a flood costs a receiver no more than its rate, what is summed up is told within one token's time, and
 * nothing is summed up while there is no flood.
 */
#ifndef GW_TELL_FLOOD_H
#define GW_TELL_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum { FLOOD_BACKOFF_MIN_MS = 1000, FLOOD_BACKOFF_MAX_MS = 5 * 60 * 1000, FLOOD_REFUSALS_MAX = 3 };

struct flood {
	int64_t token_ms; /* a token comes in so long */
	int64_t full_ms;  /* the bucket is full so long after it was empty */
	int64_t level_ms; /* how full it is, as time */
	int64_t at_ms;    /* when that was so */
};

/* `count` messages in `per_ms`, and `burst` in a row; full at first. */
void flood_init(struct flood *f, unsigned count, int64_t per_ms, unsigned burst, int64_t mono_ms);

enum flood_say {
	FLOOD_WAIT, /* until *ret_ms */
	FLOOD_ONE,  /* the next event by itself */
	FLOOD_SUM,  /* all that waits as one message */
};
/* `several`: more than one event waits. */
enum flood_say flood_judge(struct flood *f, bool several, int64_t mono_ms, int64_t *ret_ms);
/* A message goes out. A repeated one doesn't count: backoff bounds it. */
void flood_take(struct flood *f);

/* How long to wait after so many failures in a row: 0 to MIN * 2^(failures-1), at most MAX, by `random` (any 64 bits). */
int64_t flood_backoff_ms(unsigned failures, uint64_t random);

enum flood_fate {
	FLOOD_TAKEN,
	FLOOD_AGAIN,  /* tried again, for as long as the receiver is given */
	FLOOD_REFUSES /* this event: passed over after FLOOD_REFUSALS_MAX tries */
};
/* Of an HTTP status; 0 = there was no answer. */
enum flood_fate flood_http(long status);
/* Of a PUBACK's reason code; negative = lost with the connection. */
enum flood_fate flood_mqtt(int code);

#endif
