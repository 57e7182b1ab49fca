/*
 * The next message for one receiver: reads on in the event log, keeps what the receiver wants, and asks flood.h whether an event goes by itself,
 * all that waits goes as a sum, or nothing yet. Where the log was pruned beyond its place, the first message says how many were missed.
 *
 * Its place runs ahead of the receiver's cursor, which moves when the receiver has the message. Belongs to one thread.
 */
#ifndef GW_TELL_OUTBOX_H
#define GW_TELL_OUTBOX_H

#include "gateway/store/telling.h"
#include "gateway/tell/flood.h"
#include "proto/base/clock.h"
#include "proto/topic.h"

enum { OUTBOX_PAGE = 16, OUTBOX_SUM_MAX = 10000 };

enum {
	OUTBOX_E_NONE = 1, /* nothing waits */
	OUTBOX_E_LATER,    /* the receiver has had enough until *ret_due_ms */
};

struct outbox {
	const struct store *store;
	struct store_reader *reader;
	const char *receiver;
	uint32_t kinds; /* bits (1 << enum store_event_kind); 0 = all */
	bool notify_only;
	struct flood flood;
	bool behind;

	uint64_t at; /* all up to this one was handed out */
	struct store_event page[OUTBOX_PAGE];
	size_t page_count, page_at;
	uint64_t page_end; /* all up to it was looked at */
	bool page_more;    /* the page was too small for what waits */
};

struct outbox_message {
	uint64_t from, to;
	uint64_t told, summed, missed; /* events in it, by how */
	char topic[GF_TOPIC_MAX];
	char *body; /* JSON; owned */
	size_t len;
};

/* 0, OUTBOX_E_..., -ENOMEM or the store's error. */
GF_MUST_CHECK int outbox_next(struct outbox *o, struct gf_time now, struct outbox_message *ret_message,
                              int64_t *ret_due_ms, struct gf_diag *diag);
/* Reads anew after this event. */
void outbox_rewind(struct outbox *o, uint64_t at);
/* The next message sums up all that waits. */
void outbox_behind(struct outbox *o);
void outbox_message_deinit(struct outbox_message *message);

#endif
