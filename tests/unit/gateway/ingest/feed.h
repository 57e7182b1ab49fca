/* What the tests of ingest share: feeding it messages and looking at its acks. */
#ifndef TEST_INGEST_FEED_H
#define TEST_INGEST_FEED_H

#include <sqlite3.h>

#include "gateway/ingest/ingest.h"
#include "tests/unit/gateway/store/fixture.h"

/* What was published. */
struct acks {
	struct fixture *fixture;
	size_t count;
	char device[GF_ID_MAX];
	struct gf_ack last;
	sqlite3 *lock; /* takes the database's lock at the first ack, when not NULL */
};

/* Its acks are counted, and each is checked when it leaves: what it speaks of must be committed (I2). */
struct ingest *make_ingest(struct fixture *f, struct acks *acks);

/* Returns the length. `buf` has room for GF_REPORT_MAX. */
size_t encode_report(unsigned char *buf, uint8_t stream, const struct gf_record *records, size_t count);

/* As ingest_message, received at NOON. */
int push(struct ingest *in, const char *topic, const void *data, size_t len);
/* A report of the machine's stream 1; fails the test when it isn't taken. */
void push_report(struct ingest *in, const char *device, const struct gf_record *records, size_t count);

#endif
