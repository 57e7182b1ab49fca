#include <errno.h>
#include <stdio.h>

#include "agent/config_section.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL

const cyaml_schema_field_t config_sim_fields[] = {
    CYAML_FIELD_UINT("seed", CYAML_FLAG_DEFAULT, struct config_sim_yaml, seed),
    CYAML_FIELD_FLOAT("ambient_c", OPTIONAL, struct config_sim_yaml, ambient_c),
    CYAML_FIELD_FLOAT("wear_h", OPTIONAL, struct config_sim_yaml, wear_h),
    CYAML_FIELD_FLOAT("busy", OPTIONAL, struct config_sim_yaml, busy),
    CYAML_FIELD_FLOAT("tokens", OPTIONAL, struct config_sim_yaml, tokens),
    CYAML_FIELD_FLOAT("staffed", OPTIONAL, struct config_sim_yaml, staffed),
    CYAML_FIELD_UINT("people", OPTIONAL, struct config_sim_yaml, people),
    CYAML_FIELD_STRING_PTR("opens", OPTIONAL | CYAML_FLAG_POINTER, struct config_sim_yaml, opens, 1, 32),
    CYAML_FIELD_STRING_PTR("closes", OPTIONAL | CYAML_FLAG_POINTER, struct config_sim_yaml, closes, 1, 32),
    CYAML_FIELD_INT("utc_offset_min", OPTIONAL, struct config_sim_yaml, utc_offset_min),
    CYAML_FIELD_SEQUENCE("faults", OPTIONAL | CYAML_FLAG_POINTER, struct config_sim_yaml, faults, &sim_fault_schema, 0,
                         SIM_FAULTS_MAX),
    CYAML_FIELD_END,
};

int config_sim_take(const struct config_check *c, const struct config_sim_yaml *from, struct agent_config *config)
{
	struct sim_config *sim = &config->sim;
	char *journal = NULL;
	int r = 0;

	if (from == NULL)
		return gf_yaml_fail(c->doc, "driver", c->diag, "driver: sim needs a section 'sim:' with at least a seed");
	*sim = (struct sim_config){
	    .class = config->class,
	    .seed = from->seed,
	    .ambient_c = gf_yaml_has(c->doc, "sim.ambient_c") ? from->ambient_c : 22.0F,
	    .wear_h = from->wear_h,
	    .busy = from->busy,
	    .tokens = gf_yaml_has(c->doc, "sim.tokens") ? from->tokens : SIM_TOKENS_DEFAULT,
	    .staffed = from->staffed,
	    .people = from->people,
	    .opens_min = 6 * 60,
	    .closes_min = 22 * 60,
	    .utc_offset_min = from->utc_offset_min,
	};
	if ((r = config_in_range(c, "sim.busy", from->busy, 0, 1)) != 0 ||
	    (r = config_in_range(c, "sim.tokens", sim->tokens, 0, 1)) != 0 ||
	    (r = config_in_range(c, "sim.staffed", from->staffed, 0, 1)) != 0 ||
	    (r = config_in_range(c, "sim.ambient_c", sim->ambient_c, -20, 45)) != 0 ||
	    (r = config_in_range(c, "sim.wear_h", from->wear_h, 0, 100000)) != 0 ||
	    (r = config_in_range(c, "sim.utc_offset_min", from->utc_offset_min, -840, 840)) != 0 ||
	    (r = sim_minutes_take(c->doc, "sim.opens", from->opens, &sim->opens_min, c->diag)) != 0 ||
	    (r = sim_minutes_take(c->doc, "sim.closes", from->closes, &sim->closes_min, c->diag)) != 0 ||
	    (r = sim_faults_take(c->doc, "sim.faults", from->faults, from->faults_count, sim, c->diag)) != 0)
		return r;
	if (asprintf(&journal, "%s/hour-meter.journal", config->state_dir) < 0)
		return -ENOMEM;
	sim->journal_path = journal;
	return 0;
}
