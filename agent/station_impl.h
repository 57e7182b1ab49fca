/*
 * What the parts of the station share: station.c, which ties everything together, station_spool.c, what is done about its disk, and
 * station_down.c, what comes from the gateway: desired state, commands, catalogs. Private to agent/station*.c.
 */
#ifndef AGENT_STATION_IMPL_H
#define AGENT_STATION_IMPL_H

#include "agent/downlink.h"
#include "agent/station.h"
#include "agent/uplink.h"
#include "proto/base/log.h"
#include "proto/topic.h"

enum { STATION_REOPEN_MIN_MS = 1000 };

/* Cookies of publishes: the uplink's count from 1, below all of these; a reply's has the command's id, which is at most 2^53. */
#define STATION_COOKIE_STATUS (UINT64_C(1) << 63)
#define STATION_COOKIE_REPLY (UINT64_C(1) << 62)

/* station_stop moves it on. */
enum station_phase {
	STATION_RUNNING,  /* -> DRAINING */
	STATION_DRAINING, /* what is in the spool is on its way to the gateway -> LEAVING */
	STATION_LEAVING,  /* the goodbye is said, or nobody hears it: nothing more is sent */
};

struct station {
	struct station_config config; /* its pointers are the copies below */
	char driver[GF_NAME_MAX];
	char *state_dir, *spool_dir, *cert_file, *catalog_file;
	struct spool *spool; /* NULL between a failure and its reopening */
	struct recorder *recorder;
	struct uplink *uplink; /* NULL without spool or link */
	struct update *update;
	struct downlink *downlink;
	struct gf_link *link; /* NULL: offline for good */
	char topics[GF_TOPIC_LEAF_COUNT][GF_TOPIC_MAX];
	enum station_phase phase;
	bool online, disk_full;
	bool stepped; /* before, there is no control core to be told anything */
	bool in_session;
	struct gf_time now;           /* of the step or event under way, for what it calls back */
	struct gf_digest told_digest; /* as the last birth said */
	bool told_on_trial;
	uint64_t connection;
	int64_t drain_until_ms; /* while DRAINING */
	uint64_t dropped; /* messages that found no room, as far as the broker was asked to send again what it retains */
	int64_t renew_due_ms;
	int64_t birth_due_ms, flush_due_ms, reopen_due_ms, reopen_wait_ms;
	struct gf_log_limit down_log, ack_log, stray_log;
};

/* Says who is there. Needs the spool, whose stream it names; again when it was refused or the spool came back. */
void station_birth(struct station *s, struct gf_time now);

/* Update and downlink. 0 or a negative errno with diag. */
GF_MUST_CHECK int station_down_open(struct station *s, struct gf_time now, struct gf_diag *diag);
/* Once there is a recorder: what became of the catalog is told first of all. */
GF_MUST_CHECK int station_down_begin(struct station *s, struct gf_time now);
void station_down_close(struct station *s);
/* At the end, in the log: how much came down that was no good. Some of it was logged as it came, within a limit; this is all. */
void station_down_say_unusable(const struct station *s);
/* The connection came up or went. */
void station_down_link(struct station *s, bool up, struct gf_time now);
/* A message that is none of the uplink's. */
void station_down_message(struct station *s, const struct gf_link_event *event, struct gf_time now);
/* One event of the control core. True: a step is due. */
bool station_down_event(struct station *s, const struct control_event *event, struct gf_time now);
/* Moves what is due. Returns when to be called again at the latest. */
int64_t station_down_step(struct station *s, struct gf_time now);

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
