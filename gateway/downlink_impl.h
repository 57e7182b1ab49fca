/* What the parts of the downlink share. Private to gateway/downlink*.c. */
#ifndef GATEWAY_DOWNLINK_IMPL_H
#define GATEWAY_DOWNLINK_IMPL_H

#include "gateway/downlink.h"
#include "proto/base/log.h"

enum { PAGE_MAX = 32, MARKS_MAX = 128, COMMANDS_MAX = 16 };

/* What is in flight at the broker. */
enum slot_kind { SLOT_FREE, SLOT_PART, SLOT_DESIRED, SLOT_COMMAND };
struct slot {
	enum slot_kind kind;
	uint64_t cookie;
	uint64_t serial;                /* PART: of the transfer */
	struct store_published desired; /* DESIRED */
	uint64_t command;               /* COMMAND */
};

/* A catalog of which the broker should have, or may have, something. */
struct entry {
	struct store_retained at;
	bool whole; /* all of it was taken on this connection */
	bool tried; /* in this pass */
};

/* One catalog on its way to the broker, or off it. One at a time. */
struct transfer {
	bool active, withdraw, failed;
	uint64_t serial;
	struct gf_digest digest;
	unsigned char *data; /* owned; NULL for a withdrawal */
	size_t len;
	size_t topics, sent, acked; /* a catalog with parts has the topics 0..parts-1, else just its own */
};

enum phase {
	PHASE_IDLE,     /* -> CATALOGS */
	PHASE_CATALOGS, /* -> DESIRED */
	PHASE_DESIRED,  /* -> WITHDRAW */
	PHASE_WITHDRAW, /* -> IDLE */
};

struct downlink {
	struct store *store;
	struct store_reader *reader;
	struct downlink_ops ops;
	struct gf_time now; /* of the step under way */
	bool up;
	bool anew;       /* nothing counts as published: to be said to the store */
	bool due;        /* another pass is needed */
	uint64_t wishes; /* of the store, when it was last looked at */
	enum phase phase;
	bool failed; /* something in this pass */
	int64_t retry_at_ms, retry_ms;

	struct entry *entries; /* owned */
	size_t entries_count;
	struct transfer transfer;
	uint64_t serial;

	int64_t after_key;
	bool last_page;
	struct store_desired page[PAGE_MAX];
	size_t page_count, page_at;
	struct store_published marks[MARKS_MAX];
	size_t marks_count;

	bool commands_due;
	int64_t commands_retry_at_ms;
	struct store_command commands[COMMANDS_MAX];
	size_t commands_count;

	struct slot slots[DOWNLINK_WINDOW_MAX];
	uint64_t cookie;
	struct downlink_state state;
	struct gf_log_limit log;
};

/* ---- downlink.c ---- */

/* Publishes as what `slot` says. 0; -EAGAIN when nothing more can leave now; or another negative errno, which is counted. */
int downlink_send(struct downlink *d, const struct slot *slot, const char *topic, const void *payload, size_t len,
                  bool retain, uint32_t expiry_s);
bool downlink_in_flight(const struct downlink *d, enum slot_kind kind);
/* Something went wrong: counts it, and has the pass tried again. */
void downlink_fail(struct downlink *d, const char *what, const struct gf_diag *diag);
/* The store failed: ends the pass. */
void downlink_abort(struct downlink *d, const char *what, const struct gf_diag *diag);

/* ---- downlink_catalog.c ---- */

/* Reads anew which catalogs the broker should have or may have; keeps what is known of this connection. */
GF_MUST_CHECK int catalogs_load(struct downlink *d, struct gf_diag *diag);
/* Nothing is known to be there: a new connection. */
void catalogs_forget(struct downlink *d);
void transfer_end(struct downlink *d);
void transfer_acked(struct downlink *d, uint64_t serial, bool good);

enum carry {
	CARRY_MOVED, /* something was done: go on */
	CARRY_WAITS, /* for the window, or for acks */
	CARRY_DONE,  /* nothing is left to do */
};
/* One step of bringing, or withdrawing, all that is due. */
enum carry catalogs_carry(struct downlink *d, bool withdraw);

/* ---- downlink_desired.c ---- */

void desired_begin(struct downlink *d);
enum carry desired_carry(struct downlink *d);
void desired_acked(struct downlink *d, const struct store_published *published);
/* As much as the window allows; they go before all else. */
void commands_carry(struct downlink *d);
void command_acked(struct downlink *d, uint64_t id, bool good);

#endif
