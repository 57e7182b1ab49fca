/* A station on its own clock, over a link and a disk that do what the test says, with a gateway that takes what is published. */
#ifndef TESTS_AGENT_STATION_RIG_H
#define TESTS_AGENT_STATION_RIG_H

#include "agent/station.h"
#include "tests/unit/agent/fake_link.h"
#include "tests/unit/agent/spool/trap.h"

#define BRANCH "gymfleet/v1/devices/gun-berlin-01/"

/* The disk is the system's, until it fails. */
extern int rig_disk_error; /* what writing says; 0: it works */
extern int rig_sync_error;
extern uint64_t rig_failed_syncs, rig_syncs_after_failure;

enum { RIG_TRIAL_MS = 30000, RIG_METER_MS = 77000 };

struct world {
	struct trap t; /* only its folder */
	struct station *station;
	struct control_resume resume;
	struct gf_catalog catalog; /* installed by hand: gun@4 */
	struct gf_routine routine;
	struct gf_digest digest;
	struct gf_keyset keys;                 /* before rig_restart: whose signatures count */
	const struct gf_subject_key *subjects; /* before rig_restart; NULL: tokens pass as they are */
	/* The control core. */
	int control_error; /* what it answers; 0: it has room */
	const struct gf_catalog *handed, *playing;
	struct control_limits limits;
	unsigned limits_set, stops;
	enum gf_outcome stopped_as;
	struct gf_time now;
	uint64_t wakes, sessions, committed; /* committed: what the gateway has */
};

/* For cmocka: a station that has begun to connect. */
int rig_setup(void **state);
int rig_teardown(void **state);

int rig_open(struct world *w, bool online, struct gf_diag *diag);
/* The agent's process ends as in a kill, and starts anew. */
void rig_restart(struct world *w);
int64_t rig_step(struct world *w);
/* A step after `ms`. */
void rig_pass(struct world *w, int64_t ms);

/* What the control core says. A session begins and ends. */
void rig_tell(struct world *w, struct control_event event);
/* It takes the catalog that it was handed. */
void rig_takes_catalog(struct world *w);
void rig_beat(struct world *w);
void rig_session(struct world *w);

/* What is in the spool, with all that was dropped on the way to it. */
struct spool_stats rig_spool(const struct world *w);
struct gf_status rig_status(const struct fake_published *p);
/* The gateway takes what was published, counts sessions that are new to it, and acks. Returns how many. */
uint64_t rig_gateway(struct world *w);

#endif
