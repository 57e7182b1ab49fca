/* One virtual machine: simulated hardware, the control core, and the station behind it. */
#ifndef AGENT_MACHINE_H
#define AGENT_MACHINE_H

#include "agent/sim/fleet.h"
#include "agent/station.h"
#include "agent/tick.h"

struct machine {
	const struct scenario_machine *spec;
	struct tick tick; /* owns control core and driver */
	struct station *station;
};

/* What it plays at first. */
struct machine_catalog {
	const struct gf_catalog *catalog; /* outlives the machine */
	struct gf_digest digest;
	const struct gf_keyset *keys; /* whose signatures count over the air; NULL: nobody's */
	uint32_t trial_ms;            /* 0: the default */
};

/* For a machine of this class. */
struct machine_catalog machine_catalog_of(const struct fleet_config *config, enum gf_class class);

/*
 * Opens it in `dir`. `link` NULL: offline, and the spool isn't synced at each append. `wake` as in station_config.
 * 0, or an error with diag; machine_close in any case.
 */
GF_MUST_CHECK int machine_open(struct machine *machine, const struct scenario_machine *spec,
                               const struct machine_catalog *catalog, const char *dir,
                               const struct gf_link_config *link, void (*wake)(void *ctx), void *wake_ctx,
                               struct gf_time now, struct gf_diag *diag);

/* One control tick at `now`. */
void machine_tick(struct machine *machine, struct gf_time now);

/* When the next tick may be at the latest in virtual time: soon while something moves, later while nobody is there. */
int64_t machine_next_tick_ms(const struct machine *machine, int64_t mono_ms);

/* Output off; a running session ends as `outcome`. */
void machine_shutdown(struct machine *machine, enum gf_outcome outcome, struct gf_time now);
void machine_close(struct machine *machine);

#endif
