/*
 * Who was told of which event: one cursor for each receiver (MQTT, each webhook), so that a gateway that is killed goes on where its receivers
 * are. Part of the store's interface: the rules of store.h hold.
 *
 * The events are the outbox. They are pruned by number whoever still waits for them: what a receiver missed thereby is told to it as a sum.
 */
#ifndef GW_STORE_TELLING_H
#define GW_STORE_TELLING_H

#include "gateway/store/store.h"

/* Counters count events, ever. */
struct store_told {
	char receiver[GF_NAME_MAX];
	uint64_t cursor;      /* it has all up to this one */
	uint64_t told;        /* each in a message of its own */
	uint64_t summed;      /* as a part of a sum */
	uint64_t missed;      /* pruned before it could be told */
	uint64_t passed_over; /* it refused them, or did not take them for too long */
	int64_t passed_ms;    /* when it passed one over last; 0 = never */
};

/*
 * Reads where each of the receivers is; `rows` come with their names. A new one begins at the newest event; one that isn't among them is
 * forgotten, so that it begins anew when it comes back.
 */
GF_MUST_CHECK int store_tell_begin(struct store *store, struct store_told *rows, size_t count, struct gf_diag *diag);
/* Saves them in one transaction. A cursor never moves back. */
GF_MUST_CHECK int store_tell_save(struct store *store, const struct store_told *rows, size_t count,
                                  struct gf_diag *diag);
/* An event about a receiver itself: kind "webhook", its name as the code. */
GF_MUST_CHECK int store_tell_note(struct store *store, const char *receiver, const char *text, int64_t now_ms,
                                  struct gf_diag *diag);

/* The oldest event that is still there; 0 = there is none. */
GF_MUST_CHECK int store_read_event_oldest(struct store_reader *reader, uint64_t *ret_id, struct gf_diag *diag);

#endif
