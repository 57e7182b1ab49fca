#include "agent/sim/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sim/sim_yaml.h"
#include "proto/base/rand.h"
#include "proto/base/text.h"
#include "proto/link_config.h"

struct group_yaml {
	int class;
	unsigned count;
	char prefix[16], model[GF_NAME_MAX], zone[GF_NAME_MAX];
	float busy, ambient_c, wear_h, rated_motor_h, vibration_ms2, tokens, staffed;
	struct sim_fault_yaml *faults;
	unsigned faults_count;
};

struct site_yaml {
	char name[24];
	int utc_offset_min;
	char *opens, *closes;
	struct group_yaml *machines;
	unsigned machines_count;
};

struct scenario_yaml {
	uint64_t seed;
	struct site_yaml *sites;
	unsigned sites_count;
};

static const cyaml_schema_field_t group_fields[] = {
    CYAML_FIELD_ENUM("class", CYAML_FLAG_STRICT, struct group_yaml, class, sim_class_names, GF_CLASS_COUNT - 1),
    CYAML_FIELD_UINT("count", CYAML_FLAG_DEFAULT, struct group_yaml, count),
    CYAML_FIELD_STRING("prefix", CYAML_FLAG_DEFAULT, struct group_yaml, prefix, 1),
    CYAML_FIELD_STRING("model", CYAML_FLAG_DEFAULT, struct group_yaml, model, 1),
    CYAML_FIELD_STRING("zone", CYAML_FLAG_OPTIONAL, struct group_yaml, zone, 0),
    CYAML_FIELD_FLOAT("busy", CYAML_FLAG_DEFAULT, struct group_yaml, busy),
    CYAML_FIELD_FLOAT("ambient_c", CYAML_FLAG_OPTIONAL, struct group_yaml, ambient_c),
    CYAML_FIELD_FLOAT("wear_h", CYAML_FLAG_OPTIONAL, struct group_yaml, wear_h),
    CYAML_FIELD_FLOAT("rated_motor_h", CYAML_FLAG_OPTIONAL, struct group_yaml, rated_motor_h),
    CYAML_FIELD_FLOAT("tokens", CYAML_FLAG_OPTIONAL, struct group_yaml, tokens),
    CYAML_FIELD_FLOAT("staffed", CYAML_FLAG_OPTIONAL, struct group_yaml, staffed),
    CYAML_FIELD_FLOAT("vibration_ms2", CYAML_FLAG_OPTIONAL, struct group_yaml, vibration_ms2),
    CYAML_FIELD_SEQUENCE("faults", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct group_yaml, faults,
                         &sim_fault_schema, 0, SIM_FAULTS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t group_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct group_yaml, group_fields),
};

static const cyaml_schema_field_t site_fields[] = {
    CYAML_FIELD_STRING("name", CYAML_FLAG_DEFAULT, struct site_yaml, name, 1),
    CYAML_FIELD_INT("utc_offset_min", CYAML_FLAG_OPTIONAL, struct site_yaml, utc_offset_min),
    CYAML_FIELD_STRING_PTR("opens", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct site_yaml, opens, 1, 32),
    CYAML_FIELD_STRING_PTR("closes", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct site_yaml, closes, 1, 32),
    CYAML_FIELD_SEQUENCE("machines", CYAML_FLAG_POINTER, struct site_yaml, machines, &group_schema, 1, 64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t site_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct site_yaml, site_fields),
};

static const cyaml_schema_field_t scenario_fields[] = {
    CYAML_FIELD_UINT("seed", CYAML_FLAG_DEFAULT, struct scenario_yaml, seed),
    CYAML_FIELD_SEQUENCE("sites", CYAML_FLAG_POINTER, struct scenario_yaml, sites, &site_schema, 1, 256),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t scenario_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct scenario_yaml, scenario_fields),
};

/* What is being read: the document for positions, and the scenario as far as it is. */
struct reading {
	const struct gf_yaml *doc;
	struct gf_diag *diag;
	struct gf_prng seeds;
	uint64_t seed;
	struct scenario *scenario;
	size_t room;
};

static int check_group(const struct reading *r, const char *at, const struct group_yaml *group)
{
	const struct {
		const char *key;
		double value, low, high;
	} ranges[] = {
	    {"count", group->count, 1, SCENARIO_MACHINES_MAX},
	    {"busy", group->busy, 0, 1},
	    {"ambient_c", group->ambient_c, -20, 45},
	    {"wear_h", group->wear_h, 0, 100000},
	    {"rated_motor_h", group->rated_motor_h, 0, 1e6},
	    {"vibration_ms2", group->vibration_ms2, 0, 100},
	    {"tokens", group->tokens, 0, 1},
	    {"staffed", group->staffed, 0, 1},
	};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		char key[128];
		snprintf(key, sizeof(key), "%s.%s", at, ranges[i].key);
		int e = gf_yaml_range(r->doc, key, ranges[i].value, ranges[i].low, ranges[i].high, r->diag);
		if (e != 0)
			return e;
	}
	return 0;
}

static int grow(struct reading *r, size_t more, const char *at)
{
	size_t count = r->scenario->count + more;
	if (count > SCENARIO_MACHINES_MAX)
		return gf_yaml_fail(r->doc, at, r->diag, "more than %d machines in one scenario", SCENARIO_MACHINES_MAX);
	if (count <= r->room)
		return 0;
	void *machines = reallocarray(r->scenario->machines, count, sizeof(struct scenario_machine));
	if (machines == NULL)
		return -ENOMEM;
	r->scenario->machines = machines;
	r->room = count;
	return 0;
}

/* Machines of one kind at one site are numbered through, also over several groups. */
static unsigned next_number(const struct scenario *scenario, const char *prefix, const char *site)
{
	char start[GF_ID_MAX];
	unsigned number = 1;
	int len = snprintf(start, sizeof(start), "%s-%s-", prefix, site);
	for (size_t i = 0; i < scenario->count; i++)
		number += strncmp(scenario->machines[i].id, start, (size_t)len) == 0 ? 1 : 0;
	return number;
}

static int add_machine(struct reading *r, const char *at, const struct site_yaml *site, const struct group_yaml *group,
                       const struct sim_config *sim)
{
	struct scenario_machine machine = {
	    .sim = *sim, .rated_motor_h = group->rated_motor_h, .vibration_ms2 = group->vibration_ms2};
	unsigned number = next_number(r->scenario, group->prefix, site->name);

	snprintf(machine.id, sizeof(machine.id), "%s-%s-%02u", group->prefix, site->name, number);
	if (!gf_id_valid(machine.id, strlen(machine.id)))
		return gf_yaml_fail(r->doc, at, r->diag, "'%s' is no device id; expected [a-z0-9][a-z0-9-]{0,62}", machine.id);
	machine.sim.seed = gf_prng_next(&r->seeds);
	snprintf(machine.serial, sizeof(machine.serial), "S%08u", (unsigned)(machine.sim.seed % 100000000U));
	gf_strcpy(machine.model, sizeof(machine.model), group->model);
	gf_strcpy(machine.location.site, sizeof(machine.location.site), site->name);
	gf_strcpy(machine.location.zone, sizeof(machine.location.zone), group->zone);
	snprintf(machine.location.bay, sizeof(machine.location.bay), "%u", number);
	r->scenario->machines[r->scenario->count++] = machine;
	return 0;
}

static int add_group(struct reading *r, const char *site_at, unsigned index, const struct site_yaml *site,
                     struct sim_config sim)
{
	const struct group_yaml *group = &site->machines[index];
	char at[96], faults_at[128], ambient_at[128], tokens_at[128];
	int e;

	snprintf(at, sizeof(at), "%s.machines[%u]", site_at, index);
	snprintf(faults_at, sizeof(faults_at), "%s.faults", at);
	snprintf(ambient_at, sizeof(ambient_at), "%s.ambient_c", at);
	snprintf(tokens_at, sizeof(tokens_at), "%s.tokens", at);
	sim.class = (enum gf_class)group->class;
	sim.busy = group->busy;
	sim.wear_h = group->wear_h;
	sim.tokens = gf_yaml_has(r->doc, tokens_at) ? group->tokens : SIM_TOKENS_DEFAULT;
	sim.staffed = group->staffed;
	sim.ambient_c = gf_yaml_has(r->doc, ambient_at) ? group->ambient_c : 22.0F;
	if ((e = check_group(r, at, group)) != 0 ||
	    (e = sim_faults_take(r->doc, faults_at, group->faults, group->faults_count, &sim, r->diag)) != 0 ||
	    (e = grow(r, group->count, at)) != 0)
		return e;
	for (unsigned i = 0; i < group->count; i++) {
		e = add_machine(r, at, site, group, &sim);
		if (e != 0)
			return e;
	}
	return 0;
}

/* Two sites of one name would be one site to the gateway, with the opening hours of either. */
static int check_site_name(const struct reading *r, const struct site_yaml *sites, unsigned index)
{
	for (unsigned i = 0; i < index; i++) {
		char at[64];
		if (strcmp(sites[i].name, sites[index].name) != 0)
			continue;
		snprintf(at, sizeof(at), "sites[%u].name", index);
		return gf_yaml_fail(r->doc, at, r->diag, "site '%s' stands twice; put its machines into one list",
		                    sites[i].name);
	}
	return 0;
}

/* The regulars and the staff of a site go to all its machines. FNV-1a, and never 0. */
static uint64_t people_of(const struct reading *r, const char *site)
{
	uint64_t people = 0xcbf29ce484222325ULL ^ r->seed;
	for (; *site != '\0'; site++)
		people = (people ^ (unsigned char)*site) * 0x100000001b3ULL;
	return people | 1;
}

static int add_site(struct reading *r, unsigned index, const struct site_yaml *site)
{
	struct sim_config sim = {.opens_min = 6 * 60, .closes_min = 22 * 60, .utc_offset_min = site->utc_offset_min};
	sim.people = people_of(r, site->name);
	char at[64], opens[80], closes[80], offset[80];
	int e;

	snprintf(at, sizeof(at), "sites[%u]", index);
	snprintf(opens, sizeof(opens), "%s.opens", at);
	snprintf(closes, sizeof(closes), "%s.closes", at);
	snprintf(offset, sizeof(offset), "%s.utc_offset_min", at);
	if ((e = sim_minutes_take(r->doc, opens, site->opens, &sim.opens_min, r->diag)) != 0 ||
	    (e = sim_minutes_take(r->doc, closes, site->closes, &sim.closes_min, r->diag)) != 0 ||
	    (e = gf_yaml_range(r->doc, offset, site->utc_offset_min, -840, 840, r->diag)) != 0)
		return e;
	for (unsigned i = 0; i < site->machines_count; i++) {
		e = add_group(r, at, i, site, sim);
		if (e != 0)
			return e;
	}
	return 0;
}

int scenario_load(const char *path, struct scenario *ret_scenario, struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	struct scenario scenario = {0};
	int e = gf_yaml_load(path, &scenario_schema, &doc, &data, diag);
	if (e != 0)
		return e;

	const struct scenario_yaml *yaml = data;
	struct reading reading = {.doc = doc, .diag = diag, .seed = yaml->seed, .scenario = &scenario};
	gf_prng_seed(&reading.seeds, yaml->seed);
	for (unsigned i = 0; i < yaml->sites_count && e == 0; i++) {
		e = check_site_name(&reading, yaml->sites, i);
		if (e == 0)
			e = add_site(&reading, i, &yaml->sites[i]);
	}
	if (e == -ENOMEM)
		gf_diag_set(diag, "%s: out of memory", path);
	gf_yaml_free(doc);
	if (e != 0) {
		scenario_deinit(&scenario);
		return e;
	}
	*ret_scenario = scenario;
	return 0;
}

void scenario_deinit(struct scenario *scenario)
{
	free(scenario->machines);
	*scenario = (struct scenario){0};
}
