/*
 * gymfleet-agent: one machine.
 *
 *     control thread (20 ms): driver -> control core -> driver        agent/control_thread
 *            │ mailbox of events
 *     main loop (libuv): recorder -> spool -> uplink -> link          agent/station
 *
 * The two share nothing but the mailbox. A signal ends the session safely first, lets the gateway hear of it,
 * then says goodbye to the broker.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/check.h"
#include "agent/config.h"
#include "agent/control_thread.h"
#include "agent/driver_open.h"
#include "agent/own.h"
#include "agent/resident.h"
#include "agent/safe.h"
#include "agent/station.h"
#include "proto/base/daemon.h"
#include "proto/base/service.h"
#include "proto/catalog.h"

enum { HOUSEKEEPING_MS = 5000 };

_Static_assert(STATION_DRAIN_MS <= GF_DAEMON_GOODBYE_MS / 2, "the other half of an end is for the link to close");

struct agent {
	struct agent_config *config;
	const struct gf_clock *clock;
	struct driver *driver;
	struct control *control;
	struct control_thread *thread;
	struct station *station;
	int lock_fd; /* -1: the machine isn't ours yet */

	struct gf_daemon daemon;
	uv_timer_t housekeeping;
	uint64_t ticks_seen, lost_seen;
	struct gf_log_limit fault_log;
	bool storage_full; /* as the control thread was told */
	bool hangs;        /* the control thread; it still has control core, driver and catalog */
};

/* For who stands at the machine while no gateway can be asked. */
static void log_fault(struct agent *agent, const struct control_event *event)
{
	const struct gf_fault_raised *raised = &event->fault_raised;
	const struct gf_fault_cleared *cleared = &event->fault_cleared;

	if (event->kind == CONTROL_EVENT_FAULT_RAISED)
		gf_log_limited(&agent->fault_log, event->mono_ms, GF_LOG_WARNING, "agent", "fault %llu: %s (%s): %s",
		               (unsigned long long)raised->fault_no, gf_fault_name(raised->code),
		               gf_severity_name(raised->severity), raised->detail);
	else if (event->kind == CONTROL_EVENT_FAULT_CLEARED)
		gf_log_limited(&agent->fault_log, event->mono_ms, GF_LOG_NOTICE, "agent", "fault %llu: %s is over after %.1f s",
		               (unsigned long long)cleared->fault_no, gf_fault_name(cleared->code),
		               (double)cleared->lasted_ms / 1000);
}

static void take_events(struct agent *agent)
{
	struct control_event event;
	while (control_thread_next(agent->thread, &event)) {
		log_fault(agent, &event);
		station_event(agent->station, &event, gf_clock_now(agent->clock));
	}
}

/* ---- what the station wants of the control thread: what finds no room is told again ---- */

static int tell(const struct agent *agent, const struct control_command *command)
{
	return control_thread_tell(agent->thread, command) ? 0 : -EAGAIN;
}

static int use_catalog(void *ctx, const struct gf_catalog *catalog)
{
	return tell(ctx, &(struct control_command){.kind = CONTROL_COMMAND_CATALOG, .catalog = catalog});
}

static int set_limits(void *ctx, const struct control_limits *limits)
{
	return tell(ctx, &(struct control_command){.kind = CONTROL_COMMAND_LIMITS, .limits = *limits});
}

static int stop_session(void *ctx, enum gf_outcome outcome)
{
	return tell(ctx, &(struct control_command){.kind = CONTROL_COMMAND_STOP, .outcome = outcome});
}

/* A command that finds no room is told again with the next step. */
static void tell_storage(struct agent *agent)
{
	const struct control_command command = {.kind = CONTROL_COMMAND_STORAGE,
	                                        .storage_full = station_storage_full(agent->station)};
	if (command.storage_full != agent->storage_full && control_thread_tell(agent->thread, &command))
		agent->storage_full = command.storage_full;
}

static int64_t step(void *ctx)
{
	struct agent *agent = ctx;
	take_events(agent);
	int64_t due_ms = station_step(agent->station, gf_clock_now(agent->clock));
	tell_storage(agent);
	return due_ms;
}

static void on_housekeeping(uv_timer_t *timer)
{
	struct agent *agent = timer->data;
	uint64_t ticks = control_thread_ticks(agent->thread), lost = control_thread_lost(agent->thread);
	if (ticks != agent->ticks_seen)
		gf_service_watchdog();
	else
		gf_log(GF_LOG_ERROR, "agent", "the control thread stands still %s; the watchdog will restart the agent",
		       control_thread_doing(agent->thread));
	agent->ticks_seen = ticks;
	if (lost != agent->lost_seen) {
		gf_log(GF_LOG_WARNING, "agent",
		       "%llu checkpoints, heartbeats or other events found no room while the disk was slow",
		       (unsigned long long)(lost - agent->lost_seen));
		agent->lost_seen = lost;
	}
	gf_daemon_wake(&agent->daemon);
}

/* The session first, safely; then what is left to tell, and the goodbye. */
static void stop(void *ctx)
{
	struct agent *agent = ctx;
	agent->hangs = control_thread_join(agent->thread, GF_OUTCOME_SAFETY_STOPPED) != 0;
	if (agent->hangs)
		gf_log(
		    GF_LOG_ERROR, "agent",
		    "the control thread hangs %s: the hardware stops by itself; a running session is told after the next start",
		    control_thread_doing(agent->thread));
	take_events(agent);
	uv_timer_stop(&agent->housekeeping);
	station_stop(agent->station, gf_clock_now(agent->clock));
}

static bool stopped(const void *ctx)
{
	const struct agent *agent = ctx;
	return station_stopped(agent->station);
}

static int open_driver(struct agent *agent, struct recorder_meter *ret_meter, struct gf_diag *diag)
{
	int r = driver_open(agent->config, station_catalog(agent->station)->routines_count, gf_clock_now(agent->clock),
	                    &agent->driver, diag);
	if (r != 0)
		return r;
	struct driver_input input;
	const int64_t mono_ms = gf_clock_now(agent->clock).mono_ms;
	if (agent->driver->ops->read(agent->driver, mono_ms, &input) == 0 && input.has_meter)
		*ret_meter =
		    (struct recorder_meter){.present = true, .motor_ms = input.meter_motor_ms, .cycles = input.meter_cycles};
	return 0;
}

static int make_station(struct agent *agent, struct gf_diag *diag)
{
	const struct agent_config *c = agent->config;
	struct station_config config = {
	    .class = c->class,
	    .location = c->location,
	    .rated_motor_h = c->rated_motor_h,
	    .motor_hours_before = c->motor_hours_before,
	    .vibration_ms2 = c->vibration_ms2,
	    .envelope = c->envelope,
	    .subjects = c->has_subjects ? &c->subjects : NULL,
	    .catalog_file = c->catalog_file,
	    .catalog_keys = c->catalog_keys,
	    .catalog_trial_ms = c->catalog_trial_ms,
	    .control = {.use = use_catalog, .limits = set_limits, .stop = stop_session, .ctx = agent},
	    .state_dir = c->state_dir,
	    .spool_bytes_max = c->spool_bytes_max,
	    .sync = true,
	    .link = &c->link,
	    .wake = gf_daemon_wake,
	    .wake_ctx = &agent->daemon,
	};
	gf_strcpy(config.id, sizeof(config.id), c->id);
	gf_strcpy(config.model, sizeof(config.model), c->model);
	gf_strcpy(config.serial, sizeof(config.serial), c->serial);
	return station_new(&config, gf_clock_now(agent->clock), &agent->station, diag);
}

static int open_all(struct agent *agent, struct gf_diag *diag)
{
	struct recorder_meter meter = {0};
	struct control_resume resume = {0};
	int r;

	if ((r = own_machine(agent->config->state_dir, &agent->lock_fd, diag)) != 0 ||
	    (r = make_station(agent, diag)) != 0 || (r = open_driver(agent, &meter, diag)) != 0 ||
	    (r = station_open(agent->station, agent->driver->ops->name, &meter, gf_clock_now(agent->clock), &resume,
	                      diag)) != 0)
		return r;

	struct control_config control = {
	    .class = agent->config->class,
	    .hand_held = control_hand_held(agent->config->class, agent->config->vibration_ms2),
	    .envelope = agent->config->envelope,
	    .heat_c = agent->config->heat_c,
	    .tick_ms = CONTROL_TICK_MS,
	    .heartbeat_ms = agent->config->heartbeat_ms,
	    .catalog = station_catalog(agent->station),
	};
	r = control_new(&control, &resume, gf_clock_now(agent->clock).mono_ms, &agent->control);
	if (r != 0)
		gf_diag_set(diag, "the control core doesn't start: %s", strerror(-r));
	else
		control_set_limits(agent->control, station_limits(agent->station));
	return r;
}

static void close_all(struct agent *agent)
{
	control_thread_free(agent->thread);
	control_free(agent->control);
	if (agent->driver != NULL)
		agent->driver->ops->free(agent->driver);
	station_free(agent->station); /* whose catalog the control core had */
	agent_config_free(agent->config);
	if (agent->lock_fd >= 0)
		close(agent->lock_fd);
}

static int start(struct agent *agent, struct gf_diag *diag)
{
	int r = open_all(agent, diag);
	if (r != 0)
		return r;
	struct control_thread_config thread = {
	    .control = agent->control, .driver = agent->driver, .wake = gf_daemon_wake, .wake_ctx = &agent->daemon};
	r = control_thread_start(&thread, &agent->thread);
	if (r != 0) {
		gf_diag_set(diag, "the control thread doesn't start: %s", strerror(-r));
		return r;
	}
	if (resident_lock() != 0)
		gf_log(
		    GF_LOG_INFO, "agent",
		    "memory isn't locked (LimitMEMLOCK is too low for that): when it gets short, a slow disk may delay ticks");
	uv_timer_init(&agent->daemon.loop, &agent->housekeeping);
	agent->housekeeping.data = agent;
	uv_timer_start(&agent->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
	const struct gf_catalog *catalog = station_catalog(agent->station);
	gf_log(GF_LOG_NOTICE, "agent", "%s: a %s with catalog %s@%llu (%zu routines)", agent->config->id,
	       gf_class_name(agent->config->class), catalog->name, (unsigned long long)catalog->version,
	       catalog->routines_count);
	station_start(agent->station);
	return 0;
}

static int run(struct agent *agent)
{
	static const struct gf_daemon_ops ops = {.step = step, .stop = stop, .stopped = stopped};
	struct gf_diag diag = {{0}};
	gf_log_set_level(agent->config->log_level);
	agent->clock = gf_clock_system(agent->config->clock);
	int r = gf_daemon_init(&agent->daemon, "agent", agent->clock, &ops, agent);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, "agent", "no event loop: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = start(agent, &diag);
	if (r == 0)
		gf_daemon_run(&agent->daemon);
	else if (agent->station != NULL)
		station_stop(agent->station, gf_clock_now(agent->clock));
	if (r != 0)
		gf_log(GF_LOG_ERROR, "agent", "%s", diag.text[0] != '\0' ? diag.text : strerror(r < 0 ? -r : EIO));
	if (agent->hangs) {
		/* The thread may come back while all that it uses is taken down. */
		station_abandon(agent->station);
		_exit(EXIT_FAILURE);
	}
	close_all(agent);
	gf_daemon_deinit(&agent->daemon);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make_safe(const struct agent_config *config)
{
	struct gf_diag diag = {{0}};
	const int r = agent_make_safe(config, &diag);
	if (r == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "gymfleet-agent: %s\n", diag.text[0] != '\0' ? diag.text : strerror(-r));
	return EXIT_FAILURE;
}

enum { CHECK, SAFE };

int main(int argc, char **argv)
{
	struct agent agent = {.lock_fd = -1, .fault_log = {.interval_ms = 60000, .burst = 20}};
	struct gf_diag diag = {{0}};
	int status = EXIT_SUCCESS;
	struct gf_daemon_flag flags[] = {
	    [CHECK] = {.name = "check", .about = "say what is there and what is wrong, and end; nothing moves"},
	    [SAFE] = {.name = "safe", .about = "leave the hardware off, and end"},
	    {0},
	};
	const char *path =
	    gf_daemon_args(argc, argv, "gymfleet-agent", "what this machine is (see config/agent.yaml)", flags, &status);
	if (path == NULL)
		return status;
	/* One arena: a small machine pays for every further one with private memory. */
	mallopt(M_ARENA_MAX, 1);
	if (agent_config_load(path, &agent.config, &diag) != 0) {
		fprintf(stderr, "gymfleet-agent: %s\n", diag.text);
		return GF_EXIT_CONFIG;
	}
	if (flags[CHECK].given || flags[SAFE].given) {
		status = flags[CHECK].given ? agent_check(agent.config, stdout) : make_safe(agent.config);
		agent_config_free(agent.config);
		return status;
	}
	return run(&agent);
}
