#include "agent/sim/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/file.h"

enum {
	HISTORY_TICK_MS = 1000,
	HISTORY_IDLE_TICK_MS = 10000,
	SPOOL_BYTES = 64 << 20,
};

static int open_driver(struct machine *machine, uint16_t routines, const char *dir, struct gf_time now,
                       struct recorder_meter *ret_meter, struct gf_diag *diag)
{
	char journal[4200];
	struct sim_config config = machine->spec->sim;
	struct driver_input input;

	snprintf(journal, sizeof(journal), "%s/hour-meter.journal", dir);
	config.journal_path = journal;
	config.routines = routines;
	config.mono_to_wall_ms = now.wall_ms - now.mono_ms;
	int r = sim_driver_new(&config, &machine->tick.driver, diag);
	if (r != 0)
		return r;
	if (machine->tick.driver->ops->read(machine->tick.driver, now.mono_ms, &input) == 0 && input.has_meter)
		*ret_meter =
		    (struct recorder_meter){.present = true, .motor_ms = input.meter_motor_ms, .cycles = input.meter_cycles};
	return 0;
}

struct machine_catalog machine_catalog_of(const struct fleet_config *config, enum gf_class class)
{
	return (struct machine_catalog){
	    .catalog = &config->catalogs[class],
	    .digest = config->digests[class],
	    .keys = config->keys,
	    .trial_ms = config->trial_ms,
	};
}

/* The control core is on the same thread: there is always room. */
static int use_catalog(void *ctx, const struct gf_catalog *catalog)
{
	const struct machine *machine = ctx;
	control_set_catalog(machine->tick.control, catalog);
	return 0;
}

static int set_limits(void *ctx, const struct control_limits *limits)
{
	const struct machine *machine = ctx;
	control_set_limits(machine->tick.control, limits);
	return 0;
}

static int stop_session(void *ctx, enum gf_outcome outcome)
{
	const struct machine *machine = ctx;
	control_stop(machine->tick.control, outcome);
	return 0;
}

static void describe(struct machine *machine, const struct machine_catalog *catalog, struct station_config *config)
{
	const struct scenario_machine *spec = machine->spec;
	gf_strcpy(config->id, sizeof(config->id), spec->id);
	gf_strcpy(config->model, sizeof(config->model), spec->model);
	gf_strcpy(config->serial, sizeof(config->serial), spec->serial);
	config->class = spec->sim.class;
	config->location = spec->location;
	config->rated_motor_h = spec->rated_motor_h;
	config->vibration_ms2 = spec->vibration_ms2;
	config->catalog = catalog->catalog;
	config->catalog_digest = &catalog->digest;
	if (catalog->keys != NULL)
		config->catalog_keys = *catalog->keys;
	config->catalog_trial_ms = catalog->trial_ms;
	config->control =
	    (struct station_control){.use = use_catalog, .limits = set_limits, .stop = stop_session, .ctx = machine};
	control_envelope_defaults(spec->sim.class, &config->envelope);
}

static int open_control(struct machine *machine, const struct station_config *config,
                        const struct control_resume *resume, struct gf_time now)
{
	const struct control_config control = {
	    .class = config->class,
	    .hand_held = control_hand_held(config->class, config->vibration_ms2),
	    .envelope = config->envelope,
	    .catalog = station_catalog(machine->station),
	};
	int r = control_new(&control, resume, now.mono_ms, &machine->tick.control);
	if (r == 0)
		control_set_limits(machine->tick.control, station_limits(machine->station));
	return r;
}

int machine_open(struct machine *machine, const struct scenario_machine *spec, const struct machine_catalog *catalog,
                 const char *dir, const struct gf_link_config *link, void (*wake)(void *ctx), void *wake_ctx,
                 struct gf_time now, struct gf_diag *diag)
{
	struct recorder_meter meter = {0};
	struct control_resume resume = {0};
	int r;

	*machine = (struct machine){.spec = spec};
	struct station_config config = {
	    .state_dir = dir,
	    .spool_bytes_max = SPOOL_BYTES,
	    .sync = link != NULL,
	    .link = link,
	    .wake = wake,
	    .wake_ctx = wake_ctx,
	};
	describe(machine, catalog, &config);
	if ((r = gf_dir_make(dir, diag)) != 0 || (r = station_new(&config, now, &machine->station, diag)) != 0 ||
	    (r = open_driver(machine, (uint16_t)station_catalog(machine->station)->routines_count, dir, now, &meter,
	                     diag)) != 0 ||
	    (r = station_open(machine->station, "sim", &meter, now, &resume, diag)) != 0) {
		gf_diag_prefix(diag, "%s", spec->id);
		return r;
	}
	r = open_control(machine, &config, &resume, now);
	if (r != 0)
		gf_diag_set(diag, "%s: the control core doesn't start: %s", spec->id, strerror(-r));
	return r;
}

static void record(struct machine *machine, const struct control_event *events, size_t count, struct gf_time now)
{
	for (size_t i = 0; i < count; i++)
		station_event(machine->station, &events[i], now);
}

void machine_tick(struct machine *machine, struct gf_time now)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	record(machine, events, tick_run(&machine->tick, now.mono_ms, events), now);
}

int64_t machine_next_tick_ms(const struct machine *machine, int64_t mono_ms)
{
	int64_t soon = mono_ms + HISTORY_TICK_MS, late = mono_ms + HISTORY_IDLE_TICK_MS;
	if (control_in_session(machine->tick.control) || control_faulted(machine->tick.control))
		return soon;
	int64_t use = sim_driver_next_use_ms(machine->tick.driver, mono_ms);
	return use > late ? late : use > soon ? use : soon;
}

void machine_shutdown(struct machine *machine, enum gf_outcome outcome, struct gf_time now)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	record(machine, events, tick_end(&machine->tick, now.mono_ms, outcome, events), now);
}

void machine_close(struct machine *machine)
{
	station_free(machine->station);
	control_free(machine->tick.control);
	if (machine->tick.driver != NULL)
		machine->tick.driver->ops->free(machine->tick.driver);
	*machine = (struct machine){0};
}
