/* What agent.yaml's section `sim:` and a scenario have in common: fault rates and times of day. */
#ifndef AGENT_SIM_YAML_H
#define AGENT_SIM_YAML_H

#include "agent/sim/sim_driver.h"
#include "proto/base/yaml.h"

struct sim_fault_yaml {
	int code;
	float per_100_motor_h;
};

/* The names of the classes, for CYAML_FIELD_ENUM. */
extern const cyaml_strval_t sim_class_names[GF_CLASS_COUNT - 1];
/* An entry of `faults:`. */
extern const cyaml_schema_value_t sim_fault_schema;

/* Copies the fault rates of the list at `at` ("sim.faults"). 0, or -EINVAL with file, line and column. */
GF_MUST_CHECK int sim_faults_take(const struct gf_yaml *doc, const char *at, const struct sim_fault_yaml *faults,
                                  size_t count, struct sim_config *sim, struct gf_diag *diag);

/* "06:30" to minutes of the day; NULL leaves *minutes as it is. 0, or -EINVAL with file, line and column. */
GF_MUST_CHECK int sim_minutes_take(const struct gf_yaml *doc, const char *at, const char *text, uint32_t *minutes,
                                   struct gf_diag *diag);

#endif
