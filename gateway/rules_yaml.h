/*
 * config/rules.yaml: the rules, and the service plan of the machines (wear.h). All mistakes name file, line and column, and what to do: an
 * unknown key, metric or word (with the nearest known one), a rule that can never fire (rule_check), an id that is there twice.
 */
#ifndef GATEWAY_RULES_YAML_H
#define GATEWAY_RULES_YAML_H

#include "gateway/rules/rule.h"
#include "gateway/wear/wear.h"

struct judgement_config {
	struct rules *rules;     /* never NULL */
	struct wear_plan *plans; /* by class, model */
	size_t plans_count;
};

/* 0, -EINVAL with diag, or what reading the file returned. */
GF_MUST_CHECK int rules_yaml_load(const char *path, struct judgement_config *ret_config, struct gf_diag *diag);
GF_MUST_CHECK int rules_yaml_load_text(const char *name, const char *text, size_t len,
                                       struct judgement_config *ret_config, struct gf_diag *diag);
void judgement_config_deinit(struct judgement_config *config);

#endif
