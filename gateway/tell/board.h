/*
 * Where each receiver is, for all who want to know: the main loop and the webhooks' thread write, the API's threads read, the webhooks' thread
 * saves it to the store. Receiver 0 is MQTT, webhook n is receiver n + 1.
 */
#ifndef GW_TELL_BOARD_H
#define GW_TELL_BOARD_H

#include <pthread.h>

#include "gateway/tell/outbox.h"
#include "gateway/tell/tell.h"

enum { BOARD_MAX = 1 + TELL_WEBHOOKS_MAX };

struct board {
	pthread_mutex_t lock;
	struct tell_state states[BOARD_MAX];
	size_t count;
	bool changed;    /* since board_unsaved */
	uint32_t urgent; /* bits (1 << receiver) that don't wait for their next try */
};

void board_init(struct board *board, const struct store_told *rows, size_t count);
void board_deinit(struct board *board);
/* Other receivers, while nobody tells webhooks. Who was there stays as it is, all others are as their row says. */
void board_change(struct board *board, const struct store_told *rows, size_t count);

/* It has the message. True when it failed before. */
bool board_took(struct board *board, size_t receiver, const struct outbox_message *message);
/* Nothing of what came up to this event is for it. */
void board_skip(struct board *board, size_t receiver, uint64_t to);
/* It will not get the message. */
void board_passed(struct board *board, size_t receiver, const struct outbox_message *message, int64_t wall_ms);
/* It did not take what it got, and gets it again at next_ms. True for the first time in a row. */
bool board_failed(struct board *board, size_t receiver, const char *reason, int64_t wall_ms, int64_t next_ms);

/* This one is to try now what it would try later. False: there is none of this name. */
bool board_urge(struct board *board, const char *name);
/* Has somebody wanted that since the last call? */
bool board_urged(struct board *board, size_t receiver);
/* Of any receiver; asking changes nothing. */
bool board_urges(struct board *board);

/* What is to be saved; false when nothing has changed since the last call. */
bool board_unsaved(struct board *board, struct store_told rows[static BOARD_MAX], size_t *ret_count);
/* Saving failed: it has changed still. */
void board_not_saved(struct board *board);
size_t board_read(struct board *board, struct tell_state *ret_states, size_t max);

#endif
