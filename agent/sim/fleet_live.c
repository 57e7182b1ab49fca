/*
 * The fleet in real time: many machines on one loop. Every 20 ms each control core ticks; a station steps when its link woke it or
 * it is due. They are switched on one after another (pace.h).
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sim/fleet.h"
#include "agent/sim/machine.h"
#include "agent/sim/pace.h"
#include "proto/base/daemon.h"
#include "proto/base/log.h"

struct slot {
	struct fleet *fleet;
	struct machine machine;
	atomic_bool woken;
	int64_t due_ms;
	char *cert_file, *key_file;
};

struct fleet {
	const struct fleet_config *config;
	const struct gf_clock *clock;
	struct slot *slots;
	char *ca_file;
	struct gf_daemon daemon;
	uv_timer_t report;
	bool stopping;
	struct pace pace;
	int64_t tick_due_ms;
};

static void wake_slot(void *ctx)
{
	struct slot *slot = ctx;
	atomic_store(&slot->woken, true);
	gf_daemon_wake(&slot->fleet->daemon);
}

/* The machines' ticks, if it is time for one. */
static void tick(struct fleet *fleet, struct gf_time now)
{
	int64_t late_ms = now.mono_ms - fleet->tick_due_ms;
	if (fleet->stopping || late_ms < 0)
		return;
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		struct machine *machine = &fleet->slots[i].machine;
		tick_stats_add(&machine->tick.stats, late_ms * 1000, late_ms > CONTROL_TICK_MS);
		machine_tick(machine, now);
	}
	/* Who fell behind goes on from the present. */
	int64_t next_ms = fleet->tick_due_ms + CONTROL_TICK_MS;
	fleet->tick_due_ms = next_ms > now.mono_ms ? next_ms : now.mono_ms + CONTROL_TICK_MS;
}

static bool is_online(const void *ctx, size_t machine)
{
	const struct fleet *fleet = ctx;
	return station_online(fleet->slots[machine].machine.station);
}

static void switch_on(struct fleet *fleet, struct gf_time now)
{
	size_t i;
	while (!fleet->stopping && pace_next(&fleet->pace, now.mono_ms, is_online, fleet, &i)) {
		station_start(fleet->slots[i].machine.station);
		fleet->slots[i].due_ms = now.mono_ms;
	}
}

static int64_t step(void *ctx)
{
	struct fleet *fleet = ctx;
	struct gf_time now = gf_clock_now(fleet->clock);
	int64_t due_ms = INT64_MAX;

	tick(fleet, now);
	switch_on(fleet, now);
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		struct slot *slot = &fleet->slots[i];
		if (atomic_exchange(&slot->woken, false) || now.mono_ms >= slot->due_ms)
			slot->due_ms = station_step(slot->machine.station, now);
		due_ms = slot->due_ms < due_ms ? slot->due_ms : due_ms;
	}
	return due_ms < fleet->tick_due_ms || fleet->stopping ? due_ms : fleet->tick_due_ms;
}

static void stop(void *ctx)
{
	struct fleet *fleet = ctx;
	struct gf_time now = gf_clock_now(fleet->clock);
	fleet->stopping = true;
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		machine_shutdown(&fleet->slots[i].machine, GF_OUTCOME_SAFETY_STOPPED, now);
		station_stop(fleet->slots[i].machine.station, now);
		fleet->slots[i].due_ms = now.mono_ms;
	}
}

/* All have said goodbye. */
static bool stopped(const void *ctx)
{
	const struct fleet *fleet = ctx;
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		if (!station_stopped(fleet->slots[i].machine.station))
			return false;
	}
	return true;
}

static void on_report(uv_timer_t *timer)
{
	struct fleet *fleet = timer->data;
	struct fleet_totals totals;
	size_t online = 0;
	for (size_t i = 0; i < fleet->config->scenario->count; i++)
		online += station_online(fleet->slots[i].machine.station) ? 1 : 0;
	if (fleet_totals(fleet->config, &totals, NULL) == 0)
		gf_log(GF_LOG_INFO, "sim", "%zu of %llu machines online, %llu sessions, %.1f motor hours", online,
		       (unsigned long long)totals.machines, (unsigned long long)totals.sessions,
		       (double)totals.motor_ms / 3.6e6);
}

static int open_slot(struct fleet *fleet, struct slot *slot, const struct scenario_machine *spec, struct gf_diag *diag)
{
	const struct fleet_config *config = fleet->config;
	char dir[FLEET_PATH_MAX], id[GF_ID_MAX];

	slot->fleet = fleet;
	gf_strcpy(id, sizeof(id), spec->id);
	fleet_machine_dir(config, spec->id, dir);
	if (asprintf(&slot->cert_file, "%s/devices/%s.pem", config->pki_dir, id) < 0 ||
	    asprintf(&slot->key_file, "%s/devices/%s.key", config->pki_dir, id) < 0)
		return -ENOMEM;
	struct gf_link_config link = {
	    .host = (char *)(uintptr_t)config->broker_host,
	    .port = config->broker_port,
	    .client_id = id,
	    .ca_file = fleet->ca_file,
	    .cert_file = slot->cert_file,
	    .key_file = slot->key_file,
	    .keepalive_s = 15,
	    .mailbox_max = 64,
	    .window_max = GF_LINK_WINDOW_MAX,
	    .packet_max = GF_REPORT_MAX,
	};
	const struct machine_catalog catalog = machine_catalog_of(config, spec->sim.class);
	return machine_open(&slot->machine, spec, &catalog, dir, &link, wake_slot, slot, gf_clock_now(fleet->clock), diag);
}

static int open_fleet(struct fleet *fleet, unsigned report_s, struct gf_diag *diag)
{
	const struct scenario *scenario = fleet->config->scenario;
	fleet->slots = calloc(scenario->count, sizeof(*fleet->slots));
	if (fleet->slots == NULL || asprintf(&fleet->ca_file, "%s/ca.pem", fleet->config->pki_dir) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < scenario->count; i++) {
		int r = open_slot(fleet, &fleet->slots[i], &scenario->machines[i], diag);
		if (r != 0)
			return r;
	}
	fleet->pace.count = scenario->count;
	fleet->tick_due_ms = gf_clock_now(fleet->clock).mono_ms;
	uv_timer_init(&fleet->daemon.loop, &fleet->report);
	fleet->report.data = fleet;
	if (report_s > 0)
		uv_timer_start(&fleet->report, on_report, report_s * 1000ULL, report_s * 1000ULL);
	return 0;
}

int fleet_live(const struct fleet_config *config, unsigned report_s, struct gf_diag *diag)
{
	static const struct gf_daemon_ops ops = {.step = step, .stop = stop, .stopped = stopped};
	struct fleet fleet = {.config = config, .clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM)};
	int r = gf_daemon_init(&fleet.daemon, "sim", fleet.clock, &ops, &fleet);
	if (r != 0)
		return r;
	r = open_fleet(&fleet, report_s, diag);
	if (r == 0)
		gf_daemon_run(&fleet.daemon);
	for (size_t i = 0; fleet.slots != NULL && i < config->scenario->count; i++) {
		machine_close(&fleet.slots[i].machine);
		free(fleet.slots[i].cert_file);
		free(fleet.slots[i].key_file);
	}
	gf_daemon_deinit(&fleet.daemon);
	free(fleet.slots);
	free(fleet.ca_file);
	return r;
}
