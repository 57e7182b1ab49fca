#include "agent/sim/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/sim/machine.h"
#include "proto/base/file.h"
#include "proto/base/log.h"

void fleet_machine_dir(const struct fleet_config *config, const char *id, char dir[static FLEET_PATH_MAX])
{
	snprintf(dir, FLEET_PATH_MAX, "%s/%s", config->state_dir, id);
}

static bool has_spool(const char *dir)
{
	char spool[FLEET_PATH_MAX + 8];
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
	char dir[FLEET_PATH_MAX];
	struct machine machine;
	struct gf_time now = {.mono_ms = SWITCHED_ON_MS, .wall_ms = from_wall_ms, .synced = true};

	fleet_machine_dir(config, spec->id, dir);
	if (has_spool(dir))
		return 0;
	const struct machine_catalog catalog = machine_catalog_of(config, spec->sim.class);
	int r = machine_open(&machine, spec, &catalog, dir, NULL, NULL, NULL, now, diag);
	while (r == 0 && now.wall_ms < to_wall_ms) {
		machine_tick(&machine, now);
		int64_t next_ms = machine_next_tick_ms(&machine, now.mono_ms);
		now.wall_ms += next_ms - now.mono_ms;
		now.mono_ms = next_ms;
	}
	if (r == 0)
		machine_shutdown(&machine, GF_OUTCOME_STAFF_STOPPED, now);
	if (r == 0)
		station_stop(machine.station, now);
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
		char dir[FLEET_PATH_MAX], path[FLEET_PATH_MAX + 32];
		struct sim_journal journal;
		fleet_machine_dir(config, config->scenario->machines[i].id, dir);
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

enum { TRIAL_MIN_S = 10 }; /* as agent.yaml has it */

/* The text in quotes: a model is whatever somebody wrote into the scenario. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputs("\"\n", out);
}

static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s: ", key);
	put_quoted(out, text);
}

static void put_item(FILE *out, const char *text)
{
	fputs("    - ", out);
	put_quoted(out, text);
}

/* "key: folder/file", both absolute: what is relative there is relative to agent.yaml. */
static void put_path(FILE *out, const char *key, const char *folder, const char *file)
{
	char path[2 * FLEET_PATH_MAX];
	snprintf(path, sizeof(path), "%s%s%s", folder, *file != '\0' ? "/" : "", file);
	put_text(out, key, path);
}

static void put_sim(FILE *out, const struct sim_config *sim)
{
	fprintf(out,
	        "driver: sim\nsim:\n  seed: %llu\n  ambient_c: %.9g\n  wear_h: %.9g\n  busy: %.9g\n"
	        "  tokens: %.9g\n  staffed: %.9g\n  people: %llu\n"
	        "  opens: \"%02u:%02u\"\n  closes: \"%02u:%02u\"\n  utc_offset_min: %d\n",
	        (unsigned long long)sim->seed, (double)sim->ambient_c, (double)sim->wear_h, (double)sim->busy,
	        (double)sim->tokens, (double)sim->staffed, (unsigned long long)sim->people, sim->opens_min / 60,
	        sim->opens_min % 60, sim->closes_min / 60, sim->closes_min % 60, sim->utc_offset_min);
	for (size_t i = 0; i < sim->faults_count; i++)
		fprintf(out, "%s    - {code: %s, per_100_motor_h: %.9g}\n", i == 0 ? "  faults:\n" : "",
		        gf_fault_name(sim->faults[i].code), (double)sim->faults[i].per_100_motor_h);
}

/* The folders of the whole fleet, absolute. */
struct folders {
	char catalogs[FLEET_PATH_MAX], pki[FLEET_PATH_MAX], keys[GF_KEYS_MAX][FLEET_PATH_MAX];
};

static void put_keys(FILE *out, const struct fleet_config *config, const struct folders *folders)
{
	if (config->trial_ms > 0)
		fprintf(out, "catalog_trial_s: %u\n",
		        config->trial_ms < TRIAL_MIN_S * 1000 ? TRIAL_MIN_S : config->trial_ms / 1000);
	if (config->keys == NULL)
		return;
	fprintf(out, "catalog_keys:\n  threshold: %u\n  files:\n", config->keys->threshold);
	for (size_t i = 0; i < config->keys->count; i++)
		put_item(out, folders->keys[i]);
}

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
	put_keys(out, config, folders);
	fprintf(out, "clock: system\nrated_motor_h: %.9g\nvibration_ms2: %.9g\nbroker:\n", (double)spec->rated_motor_h,
	        (double)spec->vibration_ms2);
	put_text(out, "  host", config->broker_host);
	fprintf(out, "  port: %u\n", config->broker_port);
	put_path(out, "  ca_file", folders->pki, "ca.pem");
	snprintf(file, sizeof(file), "devices/%s.pem", spec->id);
	put_path(out, "  cert_file", folders->pki, file);
	snprintf(file, sizeof(file), "devices/%s.key", spec->id);
	put_path(out, "  key_file", folders->pki, file);
	put_sim(out, &spec->sim);
}

static int absolute(const char *path, char out[static FLEET_PATH_MAX], struct gf_diag *diag)
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
	char made[FLEET_PATH_MAX], dir[FLEET_PATH_MAX], path[FLEET_PATH_MAX + 16], *yaml = NULL;
	size_t len = 0;

	fleet_machine_dir(config, spec->id, made);
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
	struct folders folders = {0};
	int r = absolute(catalogs_dir, folders.catalogs, diag);
	if (r == 0)
		r = absolute(config->pki_dir, folders.pki, diag);
	for (size_t i = 0; config->keys != NULL && i < config->keys->count && r == 0; i++)
		r = absolute(config->key_files[i], folders.keys[i], diag);
	for (size_t i = 0; i < config->scenario->count && r == 0; i++)
		r = write_agent(config, &folders, &config->scenario->machines[i], diag);
	if (r == -ENOMEM)
		gf_diag_set(diag, "out of memory");
	return r;
}
