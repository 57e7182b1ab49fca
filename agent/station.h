/*
 * The networked half of one machine: spool, recorder, uplink and link tied together on one loop. Used by gymfleet-agent (one
 * station on a libuv loop, fed by the control thread's mailbox) and by gymfleet-sim (many stations on one loop).
 */
#ifndef AGENT_STATION_H
#define AGENT_STATION_H

#include "agent/recorder.h"
#include "proto/link.h"

struct station_config {
	char id[GF_ID_MAX];
	enum gf_class class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX], driver[GF_NAME_MAX];
	struct gf_location location;
	float rated_motor_h;
	struct control_envelope envelope;
	char catalog[GF_NAME_MAX];
	uint64_t catalog_version;
	const char *spool_dir;
	uint64_t spool_bytes_max;
	bool spool_sync;
	const struct gf_link_config *link; /* NULL: stays offline (the simulator's history) */
	void (*wake)(void *ctx);           /* any thread: call station_step soon */
	void *wake_ctx;
};

/* How long an end waits for acks. With the time a link takes to close it is less than GF_DAEMON_GOODBYE_MS. */
enum { STATION_DRAIN_MS = 1500 };

struct station;

/* Opens spool and recorder (recovery happens here). `resume` is for control_new. diag on failure. */
GF_MUST_CHECK int station_new(const struct station_config *config, const struct recorder_meter *meter,
                              struct gf_time now, struct station **ret_station, struct control_resume *ret_resume,
                              struct gf_diag *diag);
/* Begins to connect. */
void station_start(struct station *station);
/* One event from the control core. */
void station_event(struct station *station, const struct control_event *event, struct gf_time now);
/* Moves link and uplink. Returns when to be called again at the latest (mono ms). */
int64_t station_step(struct station *station, struct gf_time now);
/*
 * Graceful, after the last event: what is in the spool gets STATION_DRAIN_MS to be acked, then goodbye, disconnect. At once when
 * all is acked, when there is no connection or when the spool has failed. Then step until station_stopped.
 */
void station_stop(struct station *station, struct gf_time now);
bool station_stopped(const struct station *station);
void station_free(struct station *station);

struct spool_stats station_spool(const struct station *station);
bool station_online(const struct station *station);
/* The spool has no room on its disk but its reserve. */
bool station_storage_full(const struct station *station);

#endif
