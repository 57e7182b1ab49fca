#include "agent/sim/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "agent/sim/machine.h"
#include "proto/base/file.h"
#include "proto/base/log.h"

enum { PATH_MAX_BYTES = 4096, GOODBYE_MS = 3000 };

static void machine_dir(const struct fleet_config *config, const struct scenario_machine *spec,
                        char dir[static PATH_MAX_BYTES])
{
	snprintf(dir, PATH_MAX_BYTES, "%s/%s", config->state_dir, spec->id);
}

static bool has_spool(const char *dir)
{
	char spool[PATH_MAX_BYTES + 8];
	struct stat st;
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	return stat(spool, &st) == 0;
}

/* ---- history ---- */

/* Virtual time on one machine: its monotonic clock starts at an hour, as if it had just been switched on. */
static int machine_history(const struct fleet_config *config, const struct scenario_machine *spec, int64_t from_wall_ms,
                           int64_t to_wall_ms, struct gf_diag *diag)
{
	enum { SWITCHED_ON_MS = 3600 * 1000 };
	char dir[PATH_MAX_BYTES];
	struct machine machine;
	struct gf_time now = {.mono_ms = SWITCHED_ON_MS, .wall_ms = from_wall_ms, .synced = true};

	machine_dir(config, spec, dir);
	if (has_spool(dir))
		return 0;
	int r = machine_open(&machine, spec, &config->catalogs[spec->sim.class], dir, NULL, NULL, NULL, now, diag);
	while (r == 0 && now.wall_ms < to_wall_ms) {
		machine_tick(&machine, now);
		int64_t next_ms = machine_next_tick_ms(&machine, now.mono_ms);
		now.wall_ms += next_ms - now.mono_ms;
		now.mono_ms = next_ms;
	}
	if (r == 0)
		machine_shutdown(&machine, GF_OUTCOME_STAFF_STOPPED, now);
	machine_close(&machine);
	return r;
}

int fleet_history(const struct fleet_config *config, int64_t from_wall_ms, int64_t to_wall_ms,
                  void (*progress)(size_t done, size_t of), struct gf_diag *diag)
{
	for (size_t i = 0; i < config->scenario->count; i++) {
		int r = machine_history(config, &config->scenario->machines[i], from_wall_ms, to_wall_ms, diag);
		if (r != 0)
			return r;
		if (progress != NULL)
			progress(i + 1, config->scenario->count);
	}
	return 0;
}

int fleet_totals(const struct fleet_config *config, struct fleet_totals *ret_totals, struct gf_diag *diag)
{
	struct fleet_totals totals = {.machines = config->scenario->count};
	for (size_t i = 0; i < config->scenario->count; i++) {
		char dir[PATH_MAX_BYTES], path[PATH_MAX_BYTES + 32];
		struct sim_journal journal;
		machine_dir(config, &config->scenario->machines[i], dir);
		snprintf(path, sizeof(path), "%s/hour-meter.journal", dir);
		int r = sim_journal_read(path, &journal);
		if (r != 0) {
			gf_diag_set(diag, "%s: %s", path, strerror(-r));
			return r;
		}
		totals.sessions += journal.starts;
		totals.motor_ms += journal.motor_ms;
	}
	*ret_totals = totals;
	return 0;
}

/* ---- agents ---- */

/* "key: text" with the text in quotes: a model is whatever somebody wrote into the scenario. */
static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s: \"", key);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputs("\"\n", out);
}

/* "key: folder/file", both absolute: what is relative there is relative to agent.yaml. */
static void put_path(FILE *out, const char *key, const char *folder, const char *file)
{
	char path[2 * PATH_MAX_BYTES];
	snprintf(path, sizeof(path), "%s%s%s", folder, *file != '\0' ? "/" : "", file);
	put_text(out, key, path);
}

static void put_sim(FILE *out, const struct sim_config *sim)
{
	fprintf(out,
	        "driver: sim\nsim:\n  seed: %llu\n  ambient_c: %.9g\n  wear_h: %.9g\n  busy: %.9g\n"
	        "  opens: \"%02u:%02u\"\n  closes: \"%02u:%02u\"\n  utc_offset_min: %d\n",
	        (unsigned long long)sim->seed, (double)sim->ambient_c, (double)sim->wear_h, (double)sim->busy,
	        sim->opens_min / 60, sim->opens_min % 60, sim->closes_min / 60, sim->closes_min % 60, sim->utc_offset_min);
	for (size_t i = 0; i < sim->faults_count; i++)
		fprintf(out, "%s    - {code: %s, per_100_motor_h: %.9g}\n", i == 0 ? "  faults:\n" : "",
		        gf_fault_name(sim->faults[i].code), (double)sim->faults[i].per_100_motor_h);
}

/* The folders of the whole fleet, absolute. */
struct folders {
	char catalogs[PATH_MAX_BYTES], pki[PATH_MAX_BYTES];
};

static void put_agent(FILE *out, const struct fleet_config *config, const struct folders *folders, const char *dir,
                      const struct scenario_machine *spec)
{
	char file[GF_ID_MAX + 32];
	fprintf(out, "class: %s\n", gf_class_name(spec->sim.class));
	put_text(out, "model", spec->model);
	put_text(out, "serial", spec->serial);
	fputs("location:\n", out);
	put_text(out, "  site", spec->location.site);
	put_text(out, "  zone", spec->location.zone);
	put_text(out, "  bay", spec->location.bay);
	put_path(out, "state_dir", dir, "");
	snprintf(file, sizeof(file), "%s.catalog", gf_class_name(spec->sim.class));
	put_path(out, "catalog", folders->catalogs, file);
	fprintf(out, "clock: system\nrated_motor_h: %.9g\nbroker:\n", (double)spec->rated_motor_h);
	put_text(out, "  host", config->broker_host);
	fprintf(out, "  port: %u\n", config->broker_port);
	put_path(out, "  ca_file", folders->pki, "ca.pem");
	snprintf(file, sizeof(file), "devices/%s.pem", spec->id);
	put_path(out, "  cert_file", folders->pki, file);
	snprintf(file, sizeof(file), "devices/%s.key", spec->id);
	put_path(out, "  key_file", folders->pki, file);
	put_sim(out, &spec->sim);
}

static int absolute(const char *path, char out[static PATH_MAX_BYTES], struct gf_diag *diag)
{
	if (realpath(path, out) != NULL)
		return 0;
	int error = errno;
	gf_diag_set(diag, "%s: %s", path, strerror(error));
	return -error;
}

static int write_agent(const struct fleet_config *config, const struct folders *folders,
                       const struct scenario_machine *spec, struct gf_diag *diag)
{
	char made[PATH_MAX_BYTES], dir[PATH_MAX_BYTES], path[PATH_MAX_BYTES + 16], *yaml = NULL;
	size_t len = 0;

	machine_dir(config, spec, made);
	int r = gf_dir_make(made, diag);
	if (r == 0)
		r = absolute(made, dir, diag);
	if (r != 0)
		return r;
	snprintf(path, sizeof(path), "%s/agent.yaml", dir);
	FILE *out = open_memstream(&yaml, &len);
	if (out == NULL)
		return -ENOMEM;
	put_agent(out, config, folders, dir, spec);
	r = fclose(out) == 0 ? gf_file_replace(path, yaml, len, 0640, diag) : -ENOMEM;
	free(yaml);
	return r;
}

int fleet_write_agents(const struct fleet_config *config, const char *catalogs_dir, struct gf_diag *diag)
{
	struct folders folders;
	int r = absolute(catalogs_dir, folders.catalogs, diag);
	if (r == 0)
		r = absolute(config->pki_dir, folders.pki, diag);
	for (size_t i = 0; i < config->scenario->count && r == 0; i++)
		r = write_agent(config, &folders, &config->scenario->machines[i], diag);
	if (r == -ENOMEM)
		gf_diag_set(diag, "out of memory");
	return r;
}

/* ---- live ---- */

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
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t tick, report;
	uv_signal_t interrupt, terminate;
	bool stopping;
	int64_t stop_deadline_ms;
};

static void close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void wake_slot(void *ctx)
{
	struct slot *slot = ctx;
	atomic_store(&slot->woken, true);
	uv_async_send(&slot->fleet->wake);
}

/* Moves the stations that have something to do; true when all of them have said goodbye. */
static bool step_stations(struct fleet *fleet, struct gf_time now)
{
	bool stopped = true;
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		struct slot *slot = &fleet->slots[i];
		if (atomic_exchange(&slot->woken, false) || now.mono_ms >= slot->due_ms)
			slot->due_ms = station_step(slot->machine.station, now);
		stopped = stopped && fleet->stopping && station_stopped(slot->machine.station);
	}
	return stopped;
}

static void on_tick(uv_timer_t *timer)
{
	struct fleet *fleet = timer->data;
	struct gf_time now = gf_clock_now(fleet->clock);
	for (size_t i = 0; i < fleet->config->scenario->count && !fleet->stopping; i++)
		machine_tick(&fleet->slots[i].machine, now);
	bool stopped = step_stations(fleet, now);
	if (fleet->stopping && (stopped || now.mono_ms >= fleet->stop_deadline_ms))
		uv_walk(&fleet->loop, close_handle, NULL);
}

static void on_wake(uv_async_t *async)
{
	struct fleet *fleet = async->data;
	step_stations(fleet, gf_clock_now(fleet->clock));
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

static void on_signal(uv_signal_t *handle, int signum)
{
	struct fleet *fleet = handle->data;
	(void)signum;
	if (fleet->stopping)
		return;
	struct gf_time now = gf_clock_now(fleet->clock);
	fleet->stopping = true;
	fleet->stop_deadline_ms = now.mono_ms + GOODBYE_MS;
	for (size_t i = 0; i < fleet->config->scenario->count; i++) {
		machine_shutdown(&fleet->slots[i].machine, GF_OUTCOME_SAFETY_STOPPED, now);
		station_stop(fleet->slots[i].machine.station, now);
		fleet->slots[i].due_ms = now.mono_ms;
	}
}

static int open_slot(struct fleet *fleet, struct slot *slot, const struct scenario_machine *spec, struct gf_diag *diag)
{
	const struct fleet_config *config = fleet->config;
	char dir[PATH_MAX_BYTES], id[GF_ID_MAX];

	slot->fleet = fleet;
	gf_strcpy(id, sizeof(id), spec->id);
	machine_dir(config, spec, dir);
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
	int r = machine_open(&slot->machine, spec, &config->catalogs[spec->sim.class], dir, &link, wake_slot, slot,
	                     gf_clock_now(fleet->clock), diag);
	if (r == 0)
		station_start(slot->machine.station);
	return r;
}

static int open_fleet(struct fleet *fleet, unsigned report_s, struct gf_diag *diag)
{
	const struct scenario *scenario = fleet->config->scenario;
	fleet->slots = calloc(scenario->count, sizeof(*fleet->slots));
	if (fleet->slots == NULL || asprintf(&fleet->ca_file, "%s/ca.pem", fleet->config->pki_dir) < 0)
		return -ENOMEM;
	fleet->wake.data = fleet->tick.data = fleet->report.data = fleet;
	fleet->interrupt.data = fleet->terminate.data = fleet;
	uv_async_init(&fleet->loop, &fleet->wake, on_wake);
	uv_timer_init(&fleet->loop, &fleet->tick);
	uv_timer_init(&fleet->loop, &fleet->report);
	uv_signal_init(&fleet->loop, &fleet->interrupt);
	uv_signal_init(&fleet->loop, &fleet->terminate);
	for (size_t i = 0; i < scenario->count; i++) {
		int r = open_slot(fleet, &fleet->slots[i], &scenario->machines[i], diag);
		if (r != 0)
			return r;
	}
	uv_timer_start(&fleet->tick, on_tick, 0, CONTROL_TICK_MS);
	if (report_s > 0)
		uv_timer_start(&fleet->report, on_report, report_s * 1000ULL, report_s * 1000ULL);
	uv_signal_start(&fleet->interrupt, on_signal, SIGINT);
	uv_signal_start(&fleet->terminate, on_signal, SIGTERM);
	return 0;
}

int fleet_live(const struct fleet_config *config, unsigned report_s, struct gf_diag *diag)
{
	struct fleet fleet = {.config = config, .clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM)};
	int r = uv_loop_init(&fleet.loop);
	if (r != 0)
		return r;
	r = open_fleet(&fleet, report_s, diag);
	if (r != 0)
		uv_walk(&fleet.loop, close_handle, NULL);
	uv_run(&fleet.loop, UV_RUN_DEFAULT);
	uv_loop_close(&fleet.loop);
	for (size_t i = 0; fleet.slots != NULL && i < config->scenario->count; i++) {
		machine_close(&fleet.slots[i].machine);
		free(fleet.slots[i].cert_file);
		free(fleet.slots[i].key_file);
	}
	free(fleet.slots);
	free(fleet.ca_file);
	return r;
}
