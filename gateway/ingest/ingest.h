/*
 * From messages to the store: decodes what devices publish, collects a batch, and commits it in one transaction. Acks
 * leave through the `publish` callback only after that commit (I2). Knows no network: the daemon's shell feeds it.
 *
 * Happy path: ingest_message for everything that has arrived, then ingest_commit, which publishes one ack for each
 * report.
 *
 * Failure modes:
 * - A message that isn't understood: its bytes are quarantined, it is counted, never acked (it can't be told what to
 *   ack).
 * - Records of a report that aren't understood: quarantined, the report is acked with their number as rejected.
 * - The commit fails (disk full, lock): nothing is acked, the batch is kept and tried again at the next ingest_commit;
 *   what comes meanwhile is refused once the batch is full. The agents send it again.
 * - The process dies: nothing unacked was promised.
 */
#ifndef GW_INGEST_H
#define GW_INGEST_H

#include "gateway/store/store.h"
#include "proto/model.h"

enum {
	INGEST_BATCH_MAX = 256, /* messages in one commit */
};

enum {
	INGEST_E_FULL = 1, /* the batch is full: commit first; the message was not taken */
};

struct ingest;

/* Sends an encoded ack to a device's ack topic. Best effort: a lost ack is repeated when the report is. */
typedef void (*ingest_publish_fn)(void *ctx, const char *device, const void *ack, size_t len);

/* The store must outlive the ingest. Returns 0 or -ENOMEM. */
GF_MUST_CHECK int ingest_new(struct store *store, ingest_publish_fn publish, void *ctx, struct ingest **ret_ingest);
void ingest_free(struct ingest *ingest); /* NULL is fine; what isn't committed is forgotten */

/*
 * Takes one message; topics other than a device's status and report are counted and ignored. The bytes are copied.
 * Returns 0, INGEST_E_FULL, -ENOMEM.
 */
GF_MUST_CHECK int ingest_message(struct ingest *ingest, const char *topic, size_t topic_len, const void *payload,
                                 size_t len, bool retained, int64_t recv_ms);

/* How many messages wait for ingest_commit. */
size_t ingest_pending(const struct ingest *ingest);

/* Commits what is pending and publishes the acks. Returns 0 (also when nothing was pending), or the store's error. */
GF_MUST_CHECK int ingest_commit(struct ingest *ingest, int64_t now_ms, struct gf_diag *diag);

/* For doctor. */
struct ingest_state {
	uint64_t messages, reports, statuses; /* taken */
	uint64_t ignored;                     /* topics that are not a device's to write */
	uint64_t refused;                     /* for a full batch */
	uint64_t undecodable;                 /* quarantined whole */
	uint64_t rejected;                    /* records quarantined out of readable reports */
	uint64_t commits, acks;
	uint64_t failed_commits;    /* ever */
	uint64_t failures_in_a_row; /* 0 = the last one succeeded */
	int64_t last_commit_ms, failing_since_ms;
	struct gf_diag last_error;
};
void ingest_state_get(const struct ingest *ingest, struct ingest_state *ret_state);

#endif
