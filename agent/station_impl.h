/*
 * What the parts of the station share: station.c, which ties everything together, and station_spool.c, what is done about its disk.
 * Private to agent/station*.c.
 */
#ifndef AGENT_STATION_IMPL_H
#define AGENT_STATION_IMPL_H

#include "agent/station.h"
#include "agent/uplink.h"
#include "proto/base/log.h"
#include "proto/topic.h"

enum { STATION_REOPEN_MIN_MS = 1000 };

/* station_stop moves it on. */
enum station_phase {
	STATION_RUNNING,  /* -> DRAINING */
	STATION_DRAINING, /* what is in the spool is on its way to the gateway -> LEAVING */
	STATION_LEAVING,  /* the goodbye is said, or nobody hears it: nothing more is sent */
};

struct station {
	struct station_config config; /* its pointers are the copies below */
	char *spool_dir, *cert_file;
	struct spool *spool; /* NULL between a failure and its reopening */
	struct recorder *recorder;
	struct uplink *uplink; /* NULL without spool or link */
	struct gf_link *link;  /* NULL: offline for good */
	char status_topic[GF_TOPIC_MAX], report_topic[GF_TOPIC_MAX], ack_topic[GF_TOPIC_MAX];
	enum station_phase phase;
	bool online, disk_full;
	uint64_t connection;
	int64_t drain_until_ms; /* while DRAINING */
	int64_t birth_due_ms, flush_due_ms, reopen_due_ms, reopen_wait_ms;
	struct gf_log_limit down_log, ack_log;
};

/* Says who is there. Needs the spool, whose stream it names; again when it was refused or the spool came back. */
void station_birth(struct station *s, struct gf_time now);

/* Opens the spool and says what was found wrong with it. Fails like spool_open. */
GF_MUST_CHECK int station_spool_open(struct station *s, struct gf_diag *diag);
/* The uplink of an open spool; none without a link. 0 or -ENOMEM. */
GF_MUST_CHECK int station_uplink_make(struct station *s);
/* Both; the recorder then keeps what it can in memory. */
void station_spool_close(struct station *s);

/* What the disk said: a spool that failed is closed, and opened anew when its time has come. */
void station_spool_check(struct station *s, int error, struct gf_time now);
/* Its time has come. */
void station_spool_reopen(struct station *s, struct gf_time now);
/* The gateway has more of the stream than the spool. */
void station_spool_restart(struct station *s, struct gf_time now);
/* Once a second: what waits is written, and a spool that failed under the uplink's hands is found. */
void station_spool_flush(struct station *s, struct gf_time now);

#endif
