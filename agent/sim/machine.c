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

static void describe(const struct scenario_machine *spec, const struct gf_catalog *catalog,
                     struct station_config *config)
{
	gf_strcpy(config->id, sizeof(config->id), spec->id);
	gf_strcpy(config->model, sizeof(config->model), spec->model);
	gf_strcpy(config->serial, sizeof(config->serial), spec->serial);
	gf_strcpy(config->driver, sizeof(config->driver), "sim");
	gf_strcpy(config->catalog, sizeof(config->catalog), catalog->name);
	config->class = spec->sim.class;
	config->location = spec->location;
	config->rated_motor_h = spec->rated_motor_h;
	config->catalog_version = catalog->version;
	control_envelope_defaults(spec->sim.class, &config->envelope);
}

int machine_open(struct machine *machine, const struct scenario_machine *spec, const struct gf_catalog *catalog,
                 const char *dir, const struct gf_link_config *link, void (*wake)(void *ctx), void *wake_ctx,
                 struct gf_time now, struct gf_diag *diag)
{
	struct recorder_meter meter = {0};
	struct control_resume resume = {0};
	char spool_dir[4200];
	int r;

	*machine = (struct machine){.spec = spec};
	snprintf(spool_dir, sizeof(spool_dir), "%s/spool", dir);
	struct station_config config = {
	    .spool_dir = spool_dir,
	    .spool_bytes_max = SPOOL_BYTES,
	    .spool_sync = link != NULL,
	    .link = link,
	    .wake = wake,
	    .wake_ctx = wake_ctx,
	};
	describe(spec, catalog, &config);
	if ((r = gf_dir_make(dir, diag)) != 0 ||
	    (r = open_driver(machine, (uint16_t)catalog->routines_count, dir, now, &meter, diag)) != 0 ||
	    (r = station_new(&config, &meter, now, &machine->station, &resume, diag)) != 0) {
		gf_diag_prefix(diag, "%s", spec->id);
		return r;
	}
	struct control_config control = {.class = spec->sim.class, .envelope = config.envelope, .catalog = catalog};
	r = control_new(&control, &resume, now.mono_ms, &machine->tick.control);
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
