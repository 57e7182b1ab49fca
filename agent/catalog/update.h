/*
 * Brings the desired catalog onto the machine, and keeps it or goes back. A state machine: time, what is on the shelf, what the network brought and
 * what the control core did are arguments; what it wants done goes out through `struct update_ops`. It never touches the network or
 * the control thread itself.
 *
 *     IDLE ──another catalog is desired──> FETCHING ──all there, judged good, on the shelf──> WAITING ──nobody on it──> SWITCHING
 *       ^  <──refused, too late, no longer desired──┴───────────────────────────────────────────┘                        │
 *       │                                                                              the control core plays it <───────┘
 *       └──confirmed after a healthy time, or rolled back── TRIAL <──────────────────────────────────┘
 *
 * Verify before parse; on the shelf before it is active; active on the disk before the control core gets it. So a power cut at any point
 * leaves the old catalog active, or the new one on trial. A trial counts the agent's starts that no graceful end preceded: the one
 * after the third crash begins with the old catalog. Each phase has a deadline.
 *
 * What arrives is only noted; update_step acts on it. So call it soon after each of them; no op is called from anywhere else.
 *
 * A trial is ended before another catalog is begun with: going back must lead to one that has proved itself. A trial always ends.
 * The exception is the catalog to which the trial would go back: when the active one's rollback floor allows it, that is switched to at once.
 */
#ifndef AGENT_CATALOG_UPDATE_H
#define AGENT_CATALOG_UPDATE_H

#include "agent/catalog/judge.h"
#include "agent/catalog/shelf.h"
#include "proto/base/clock.h"

enum {
	UPDATE_FETCH_MS = 10 * 60 * 1000, /* for all parts, while connected; within what the desired state allows */
	UPDATE_SWITCH_MS = 10 * 1000,     /* the control core takes it within a tick once it is idle */
	UPDATE_TRIAL_MS = 10 * 60 * 1000, /* up, not crashed: the default */
	UPDATE_TRIAL_FAULTS = 2,          /* sessions that ended in a fault while on trial: rolled back */
	UPDATE_TRIAL_CRASHES = 3,
	UPDATE_JUDGE_CRASHES = 3,
	UPDATE_ONLINE_MS = 60 * 1000, /* a network that was there for less isn't why something is too late */
	UPDATE_TRIAL_SAVE_MS = 30 * 1000,
	UPDATE_KEEP_MS = 60 * 1000,  /* how often the time that is left is saved; a start costs as much of it */
	UPDATE_RETRY_MS = 30 * 1000, /* until a disk that refused is tried again */
	UPDATE_AGAIN_MS = 30 * 1000, /* connected without a further part, until the broker is asked again */
	UPDATE_CLOCK_SLACK_MS = 60 * 1000,
	UPDATE_CLOCK_BACK_MS = 60 * 60 * 1000, /* until a synchronised clock behind the latest sure time is believed */
	UPDATE_REVISION_STEP = 1 << 24,        /* no revision is further above the highest seen */
	UPDATE_ASK_MS = 1000,                  /* until the network or the control core is asked again */
};

enum update_phase {
	UPDATE_IDLE,     /* -> FETCHING; WAITING (it is on the shelf already) */
	UPDATE_FETCHING, /* -> WAITING, IDLE */
	UPDATE_WAITING, /* for the session's end -> SWITCHING; FETCHING, IDLE, TRIAL (another one is desired, or too late) */
	UPDATE_SWITCHING, /* -> TRIAL, IDLE */
	UPDATE_TRIAL,     /* -> IDLE; WAITING, SWITCHING (back to the one before) */
};

struct update_ops {
	/* Subscribe to this catalog's topics, and no longer to them. Called anew after each connect, and when parts don't come: the
	 * broker then sends all again. Anything but 0: tried again. */
	int (*fetch)(void *ctx, const struct gf_digest *digest);
	void (*fetch_end)(void *ctx, const struct gf_digest *digest);
	/* Hands a catalog to the control core, which takes it when no session runs; update_switched says that it did, also when it plays it
	 * already. Another one handed over before that takes its place. It stays the update's. 0; -EAGAIN: no room, tried again. */
	int (*use)(void *ctx, const struct gf_catalog *catalog);
	/* To be told to the gateway, exactly once. */
	void (*applied)(void *ctx, const struct gf_desired_applied *applied);
	void (*changed)(void *ctx, const struct gf_catalog_changed *changed);
	void *ctx;
};

struct update_config {
	struct catalog_judge judge; /* this machine: class, envelope, keys from agent.yaml, agent's version */
	const char *state_dir;      /* the shelf is <state_dir>/catalog */
	const char *catalog_file;   /* installed by hand; NULL = none */
	/* In place of catalog_file, for the simulator's many machines: borrowed, already checked; outlives the update. NULL = none. */
	const struct gf_catalog *catalog;
	const struct gf_digest *catalog_digest; /* of `catalog` */
	uint32_t trial_ms;                      /* 0 = UPDATE_TRIAL_MS */
	bool sync;                              /* false: nothing is fsynced (the simulator's history) */
};

struct update;

/*
 * Opens the shelf, finds out which catalog is active (and rolls back what has crashed three times), counts this start if it is on
 * trial, and loads it. *ret_active stays the update's until update_switched or update_free. What happened is told through `ops` with
 * the first update_step. 0; -ENOENT (no catalog anywhere), -EINVAL, or another negative errno, with diag.
 */
GF_MUST_CHECK int update_open(const struct update_config *config, const struct update_ops *ops, struct gf_time now,
                              struct update **ret_update, const struct gf_catalog **ret_active, struct gf_diag *diag);
void update_free(struct update *update);
/* What was odd at the opening, for the log: a state that was set aside, a file that isn't taken and why. "" for nothing. */
const char *update_notice(const struct update *update);

/* Desired state arrived (a Desired message decoded). A revision below the highest seen changes nothing, nor does the same one with
 * another catalog, nor one that is too far above it (UPDATE_REVISION_STEP): returns false. True: limits and lock hold; the revision is
 * on the disk by then, if the disk takes it. */
bool update_desired(struct update *update, const struct gf_desired *desired, struct gf_time now);
/* A message on a catalog's topic arrived; what isn't of the one being fetched is ignored and counted. */
void update_part(struct update *update, const struct gf_digest *digest, int part, const void *data, size_t len,
                 struct gf_time now);
/* The connection came up or went. */
void update_link(struct update *update, bool up, struct gf_time now);
/* A session began, or ended as `outcome`. */
void update_session_started(struct update *update);
void update_session_ended(struct update *update, enum gf_outcome outcome, struct gf_time now);
/* The control core plays `catalog` now, which may be an earlier one than was handed over last; what is no longer needed is freed. */
void update_switched(struct update *update, const struct gf_catalog *catalog, struct gf_time now);

/* Moves what is due. Returns when to be called again at the latest (mono ms); INT64_MAX: only when something happens. */
int64_t update_step(struct update *update, struct gf_time now);
/* The agent ends gracefully: not a crash. */
void update_stop(struct update *update);

enum update_phase update_phase(const struct update *update);
const struct gf_catalog *update_active(const struct update *update);
struct gf_digest update_active_digest(const struct update *update);
bool update_on_trial(const struct update *update);
uint64_t update_revision(const struct update *update); /* the highest desired revision seen */

struct update_stats {
	uint64_t stale_desired, stray_parts, bad_parts;
};
struct update_stats update_stats(const struct update *update);

#endif
