/*
 * A machine made by hand: a device's own connection on which a test says anything, good or bad, and reads the acks and what is
 * desired of it. Its sessions last a minute each and follow one another by number, so that what was stored of them makes a clean audit.
 *
 *     struct it_machine *m = it_machine_open(w, "chair-1");
 *     it_machine_birth(m, NULL);
 *     struct gf_record record = it_session(m, 1, 1, it_wall_ms());
 *     it_machine_report(m, &record, 1);
 *     IT_UNTIL(5000, it_machine_acked(m) == 1);
 */
#ifndef TESTS_INTEGRATION_MACHINE_H
#define TESTS_INTEGRATION_MACHINE_H

#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/integration/client.h"

enum { IT_SESSION_MS = 60000 };

struct it_machine {
	struct it_client *client;
	char id[GF_ID_MAX];
	struct gf_stream_id stream;
	uint64_t boot, connection;
	int64_t booted_ms; /* wall time of the start; 8 days ago unless the test says otherwise */
	bool clock_synced; /* of its records; true unless the test says otherwise */
	int64_t opened_ms; /* wall time of it_machine_open */
};

int64_t it_wall_ms(void);

/* Connects as `id`, says nothing yet. A stream of its own. */
struct it_machine *it_machine_open(struct it_world *w, const char *id);
/* Only begins to connect: for many at once. Wait for it_client_up of each. */
struct it_machine *it_machine_begin(struct it_world *w, const char *id);
void it_machine_close(struct it_machine *m); /* without a goodbye; NULL is fine */

/* The birth it sends: a chair in site "lab". */
struct gf_status it_birth(const struct it_machine *m);
/* Publishes it; NULL: it_birth(m). */
void it_machine_birth(struct it_machine *m, const struct gf_status *birth);

/* Records by seq. A heartbeat's only sensor is the motor's temperature, NAN for none. */
struct gf_record it_session(const struct it_machine *m, uint64_t seq, uint64_t no, int64_t started_ms);
struct gf_record it_started(const struct it_machine *m, uint64_t seq, uint64_t no, int64_t started_ms);
struct gf_record it_heartbeat(const struct it_machine *m, uint64_t seq, int64_t wall_ms, float motor_temp_c);

/* Its answer to a desired state, and that another catalog became active because of it. */
struct gf_record it_answer(const struct it_machine *m, uint64_t seq, const struct gf_desired *desired,
                           enum gf_desired_step step);
struct gf_record it_changed(const struct it_machine *m, uint64_t seq, const struct gf_desired_catalog *catalog,
                            uint64_t previous_version);

/* The bytes of a report whose first seq is that of the first record; returns their number. */
size_t it_report_encode(const struct it_machine *m, const struct gf_record *records, size_t count,
                        unsigned char buf[GF_REPORT_MAX]);
/* Publishes it; the broker must take it. */
void it_machine_report(struct it_machine *m, const struct gf_record *records, size_t count);
/* Publishes any bytes on a topic of its branch; returns the broker's answer. */
int it_machine_say(struct it_machine *m, enum gf_topic_leaf leaf, const void *data, size_t len);

size_t it_machine_acks(struct it_machine *m);       /* how many came */
struct gf_ack it_machine_ack(struct it_machine *m); /* the last one; zeroes when none came */
/* What the last ack of its present stream says; UINT64_MAX when none came. */
uint64_t it_machine_acked(struct it_machine *m);

/* The last desired state that it heard; revision 0 when none came. */
struct gf_desired it_machine_desired(struct it_machine *m);

#endif
