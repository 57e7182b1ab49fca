/*
 * The mailbox between Paho's threads and the link's owner: a bounded ring of events. Private to proto/link*.c.
 *
 * Messages may take `messages_max` places and are refused beyond that; the other kinds have places of their own, so
 * that a flood of messages never swallows what became of a publish or of the connection.
 *
 * At the broker's CONNACK a place is reserved for UP; messages that come in while the subscriptions are still being
 * made queue up behind it. link_box_next gives nothing out until the place is filled: with UP, or with DOWN, which discards what
 * stands behind it. The owner therefore always sees UP before the first message of a connection.
 *
 * Not locked: the link's mutex guards it.
 */
#ifndef GF_LINK_BOX_H
#define GF_LINK_BOX_H

#include "proto/link.h"

/* Attempts end at most once each; an owner that leaves this many unread gets no new attempt (gf_link_step waits). */
enum { LINK_BOX_LIFECYCLE_MAX = 8 };

/* Publishes whose answer may wait here: of this connection and of the one before. */
enum { LINK_BOX_PUBLISHED_MAX = 2 * GF_LINK_WINDOW_MAX };

struct link_item {
	enum gf_link_event_kind kind;
	bool reserved; /* the place of an UP that isn't decided yet */
	bool retained;
	unsigned char slot; /* of a PUBLISHED */
	int code;
	uint64_t connection, cookie;
	char *text; /* the topic of a message, the reason of a DOWN */
	unsigned char *payload;
	size_t len;
};

struct link_box {
	struct link_item *items;
	size_t capacity, head, count;
	size_t messages, messages_max, lifecycle;
};

GF_MUST_CHECK int link_box_init(struct link_box *box, size_t messages_max);
void link_box_deinit(struct link_box *box);

/* Copies a message in; false when the messages' places are full or memory is short. */
bool link_box_message(struct link_box *box, uint64_t connection, const char *topic, size_t topic_len,
                      const void *payload, size_t len, bool retained);
/* The caller has at most LINK_BOX_PUBLISHED_MAX of them in the box at a time. */
void link_box_published(struct link_box *box, uint64_t connection, unsigned slot, uint64_t cookie, int code);

bool link_box_accepts_lifecycle(const struct link_box *box);
void link_box_reserve_up(struct link_box *box, uint64_t connection);
void link_box_up(struct link_box *box);
/* Takes the reserved place if there is one, else the end of the queue. */
void link_box_down(struct link_box *box, uint64_t connection, const char *reason);

/* The caller frees the item's memory. */
bool link_box_next(struct link_box *box, struct link_item *ret_item);

#endif
