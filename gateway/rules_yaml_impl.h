/* What the parts of reading rules.yaml share: its form (rules_yaml_schema.c), rules (rules_yaml.c) and the service plan (rules_yaml_service.c). */
#ifndef GATEWAY_RULES_YAML_IMPL_H
#define GATEWAY_RULES_YAML_IMPL_H

#include "gateway/rules_yaml.h"
#include "proto/base/yaml.h"

enum { RULES_YAML_PLANS_MAX = 256, RULES_YAML_AT_MAX = 96 };

/* Where something is said of: the document, and a path in it that ends in '.'. */
struct rules_yaml_place {
	const struct gf_yaml *doc;
	struct gf_diag *diag;
	char at[RULES_YAML_AT_MAX];
};

/* A mistake at a key of that place: -EINVAL. */
#define RULES_YAML_FAIL(p, key, ...) (gf_diag_set((p)->diag, __VA_ARGS__), rules_yaml_failed(p, key))
/* Puts the place before what diag says. */
int rules_yaml_failed(const struct rules_yaml_place *place, const char *key);

struct life_yaml {
	int part;
	double *motor_h;
	unsigned *sessions;
};
struct plan_yaml {
	int class;
	char *model;
	double *warranty_h;
	struct life_yaml *every, *parts;
	unsigned parts_count;
};

/* What cyaml reads. Of an enumeration that begins with 0 its words are one more here, so that 0 says that nothing was written. */
struct condition_yaml {
	int metric, aggregate, depth, part, is;
	int *classes, *techniques, *outcomes, *codes, *severities, *actions;
	unsigned classes_count, techniques_count, outcomes_count, codes_count, severities_count, actions_count;
	char **routines, **limits;
	unsigned routines_count, limits_count;
	bool same_class;
	char *window;
	double *warn, *act, *clear;
};
struct entry_yaml {
	struct condition_yaml c;
};
struct rule_yaml {
	struct condition_yaml c;
	char *id, *title, *advice;
	int subject, hours, notify, lock, cap, warn_is, act_is;
	struct entry_yaml *all, *any;
	unsigned all_count, any_count, days, times;
	char *for_, *within, *clear_after, *expires;
	float *cap_intensity_pct;
};
struct file_yaml {
	struct rule_yaml *rules;
	unsigned rules_count;
	struct plan_yaml *service;
	unsigned service_count;
};

/* The file: a struct file_yaml. */
extern const cyaml_schema_value_t rules_yaml_file_schema;
/* Keys of a condition, which stand in a rule that has but one too; CYAML_FIELD_END at the end. */
extern const cyaml_schema_field_t rules_yaml_condition_fields[];
/* An entry of `service`: a struct plan_yaml. */
extern const cyaml_schema_value_t rules_yaml_plan_schema;
/* Fills config->plans. -EINVAL with diag, -ENOMEM. */
GF_MUST_CHECK int rules_yaml_take_plans(const struct gf_yaml *doc, const struct plan_yaml *yaml, unsigned count,
                                        struct judgement_config *config, struct gf_diag *diag);

#endif
