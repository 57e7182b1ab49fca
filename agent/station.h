/*
 * The networked half of one machine: spool, recorder, uplink, downlink, the update of its catalog and the link, tied together on one
 * loop. Used by gymfleet-agent (one station on a libuv loop, fed by the control thread's mailbox) and by gymfleet-sim (many
 * stations on one loop).
 *
 * Its life: station_new finds the catalog to begin with; station_open what the machine remembers, for control_new; then steps and
 * events; station_stop; station_free.
 */
#ifndef AGENT_STATION_H
#define AGENT_STATION_H

#include "agent/catalog/update.h"
#include "agent/recorder.h"
#include "proto/link.h"

/* To the control core, from station_step alone. 0, or -EAGAIN: no room, tried again. */
struct station_control {
	/* control_set_catalog; the core's CONTROL_EVENT_CATALOG comes back by station_event. */
	int (*use)(void *ctx, const struct gf_catalog *catalog);
	int (*limits)(void *ctx, const struct control_limits *limits);
	int (*stop)(void *ctx, enum gf_outcome outcome);
	void *ctx;
};

struct station_config {
	char id[GF_ID_MAX];
	enum gf_class class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX];
	struct gf_location location;
	float rated_motor_h, motor_hours_before, vibration_ms2;
	struct control_envelope envelope;
	const struct gf_subject_key
	    *subjects; /* read until station_open returns; NULL: tokens pass as they are (recorder.h) */
	/* Where the first catalog is from, and whose signatures count: as in struct update_config. */
	const char *catalog_file;
	const struct gf_catalog *catalog;
	const struct gf_digest *catalog_digest;
	struct gf_keyset catalog_keys;
	uint32_t catalog_trial_ms; /* 0: the default */
	struct station_control control;
	const char *state_dir; /* must be there: <state_dir>/spool, /catalog, /limits */
	uint64_t spool_bytes_max;
	bool sync; /* false: nothing is fsynced before station_free */
	const struct gf_link_config
	    *link;               /* read until station_open returns; NULL: stays offline (the simulator's history) */
	void (*wake)(void *ctx); /* any thread: call station_step soon */
	void *wake_ctx;
};

/* How long an end waits for acks. With the time a link takes to close it is less than GF_DAEMON_GOODBYE_MS. */
enum { STATION_DRAIN_MS = 1500 };

struct station;

/* Opens the catalogs' shelf and finds the active one. diag on failure. */
GF_MUST_CHECK int station_new(const struct station_config *config, struct gf_time now, struct station **ret_station,
                              struct gf_diag *diag);
/* What the control core begins with; it is the station's, and stays until another one's CONTROL_EVENT_CATALOG is told to it. */
const struct gf_catalog *station_catalog(const struct station *station);
/* Limits and lock that were in force at the machine's end: for control_set_limits before the first tick. */
const struct control_limits *station_limits(const struct station *station);
/* Opens spool and recorder (recovery happens here), and makes the link. `driver` names the hardware's kind. `resume` is for control_new.
 * diag on failure. */
GF_MUST_CHECK int station_open(struct station *station, const char *driver, const struct recorder_meter *meter,
                               struct gf_time now, struct control_resume *ret_resume, struct gf_diag *diag);
/* Begins to connect. */
void station_start(struct station *station);
/* One event from the control core, in order. */
void station_event(struct station *station, const struct control_event *event, struct gf_time now);
/* Moves link and uplink. Returns when to be called again at the latest (mono ms). */
int64_t station_step(struct station *station, struct gf_time now);
/*
 * Graceful, after the last event: what is in the spool gets STATION_DRAIN_MS to be acked, then goodbye, disconnect. At once when
 * all is acked, when there is no connection or when the spool has failed. Then step until station_stopped. One that couldn't be opened is
 * stopped too: a start that fails with a reason is no crash of the catalog on trial.
 */
void station_stop(struct station *station, struct gf_time now);
bool station_stopped(const struct station *station);
void station_free(struct station *station);
/* Instead, when the control core may go on using its catalog after the end: that is left where it is. */
void station_abandon(struct station *station);

bool station_online(const struct station *station);
/* The spool has no room on its disk but its reserve. */
bool station_storage_full(const struct station *station);

#endif
