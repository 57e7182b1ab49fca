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
 * - The database refuses a value (a constraint, at the latest at the commit): it would refuse it for ever, and with it
 *   all that came in the same transaction. So the batch is tried again in ever smaller transactions until the message
 *   stands alone. Of a report, the records that are refused alone are rejected as above, the others committed. A status,
 *   and a report of which not even the acked seq can be stored, is quarantined whole and not acked: an ack that no commit
 *   covers would be a lie after a restart (I2). What even quarantine refuses is counted as unkept and not acked.
 * - The commit fails otherwise (disk full, lock): what isn't committed isn't acked; it is kept and tried again at the next
 *   ingest_commit; what comes meanwhile is refused once the batch is full. The agents send it again.
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
 * Takes one message; topics other than a device's status, report and reply are counted and ignored. The bytes are copied.
 * Returns 0, INGEST_E_FULL, -ENOMEM.
 */
GF_MUST_CHECK int ingest_message(struct ingest *ingest, const char *topic, size_t topic_len, const void *payload,
                                 size_t len, bool retained, int64_t recv_ms);

/* How many messages wait for ingest_commit. */
size_t ingest_pending(const struct ingest *ingest);

/*
 * Commits what is pending and publishes the acks. Returns 0 (also when nothing was pending), or the store's error. After a
 * 0 fewer are pending, mostly none; when the database refused many, the rest waits for the next call.
 */
GF_MUST_CHECK int ingest_commit(struct ingest *ingest, int64_t now_ms, struct gf_diag *diag);

/* For doctor. */
struct ingest_state {
	uint64_t messages, reports, statuses, replies; /* taken */
	uint64_t ignored;                              /* topics that are not a device's to write */
	uint64_t refused;                              /* for a full batch */
	uint64_t undecodable;                          /* quarantined whole */
	uint64_t rejected;                             /* records quarantined out of readable reports */
	uint64_t unkept;                               /* refused by the database, and by its quarantine too */
	struct gf_diag last_unkept;
	uint64_t commits, acks;
	uint64_t failed_commits;    /* ever */
	uint64_t failures_in_a_row; /* 0 = the last one succeeded */
	int64_t last_commit_ms, failing_since_ms;
	struct gf_diag last_error;
};
void ingest_state_get(const struct ingest *ingest, struct ingest_state *ret_state);

#endif
