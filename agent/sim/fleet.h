/*
 * The machines of a scenario inside one process: real control core, spool, codec and link; only the hardware is simulated.
 *
 *     history: virtual time, a machine after the other, offline: fills the spools          fleet_history
 *     live:    one loop, a 20 ms tick for all, a connection for each                       fleet_live
 */
#ifndef AGENT_FLEET_H
#define AGENT_FLEET_H

#include "agent/sim/scenario.h"
#include "proto/base/clock.h"
#include "proto/catalog.h"
#include "proto/link.h"

enum { FLEET_PATH_MAX = 4096 };

struct fleet_config {
	const struct scenario *scenario;
	const struct gf_catalog *catalogs; /* by class, [GF_CLASS_COUNT] */
	const struct gf_digest *digests;   /* theirs */
	const struct gf_keyset *keys;      /* whose signatures count over the air; NULL: nobody's */
	char **key_files;                  /* the same as files, for the agents; NULL after the last */
	uint32_t trial_ms;                 /* of a new catalog; 0: the default */
	const char *state_dir;             /* each machine has <state_dir>/<id>/ */
	const char *pki_dir;               /* live: certificates of the devices */
	const char *broker_host;
	uint16_t broker_port;
};

struct fleet_totals {
	uint64_t machines, sessions, motor_ms; /* by the machines' own hour meters */
};

/* Where a machine's spool and hour meter lie. */
void fleet_machine_dir(const struct fleet_config *config, const char *id, char dir[static FLEET_PATH_MAX]);

/*
 * Lets virtual time run from `from_wall_ms` to `to_wall_ms` on each machine. A machine that has a spool already is left as it
 * is. `progress` (may be NULL) is called after each machine. 0, or a negative errno with diag.
 */
GF_MUST_CHECK int fleet_history(const struct fleet_config *config, int64_t from_wall_ms, int64_t to_wall_ms,
                                void (*progress)(size_t done, size_t of), struct gf_diag *diag);

/* Plays the fleet until SIGINT or SIGTERM; prints a line of totals every `report_s` seconds (0: none). */
GF_MUST_CHECK int fleet_live(const struct fleet_config *config, unsigned report_s, struct gf_diag *diag);

/* Writes <state_dir>/<id>/agent.yaml for each machine, so that gymfleet-agent can take it over. */
GF_MUST_CHECK int fleet_write_agents(const struct fleet_config *config, const char *catalogs_dir, struct gf_diag *diag);

/* Sums up the hour meters. */
GF_MUST_CHECK int fleet_totals(const struct fleet_config *config, struct fleet_totals *ret_totals,
                               struct gf_diag *diag);

#endif
