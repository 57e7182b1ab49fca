/* The service plan of rules.yaml. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/rules_yaml_impl.h"

#define WORD_PART(s, n) {n, FACT_PART_##s + 1},
#define WORD_CLASS(s, n) {n, GF_CLASS_##s},
static const cyaml_strval_t parts[] = {FACT_PARTS(WORD_PART)};
static const cyaml_strval_t classes[] = {GF_CLASSES(WORD_CLASS)};

#define LIFE_FIELDS                                                                                          \
	CYAML_FIELD_FLOAT_PTR("motor_h", (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER), struct life_yaml, motor_h), \
	    CYAML_FIELD_UINT_PTR("sessions", (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER), struct life_yaml, sessions)
static const cyaml_schema_field_t every_fields[] = {LIFE_FIELDS, CYAML_FIELD_END};
static const cyaml_schema_field_t part_fields[] = {
    CYAML_FIELD_ENUM("part", CYAML_FLAG_STRICT, struct life_yaml, part, parts, CYAML_ARRAY_LEN(parts)),
    LIFE_FIELDS,
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t part_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct life_yaml, part_fields),
};
static const cyaml_schema_field_t plan_fields[] = {
    CYAML_FIELD_ENUM("class", CYAML_FLAG_STRICT, struct plan_yaml, class, classes, CYAML_ARRAY_LEN(classes)),
    CYAML_FIELD_STRING_PTR("model", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct plan_yaml, model, 1,
                           GF_NAME_MAX - 1),
    CYAML_FIELD_FLOAT_PTR("warranty_h", (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER), struct plan_yaml, warranty_h),
    CYAML_FIELD_MAPPING_PTR("every", (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER), struct plan_yaml, every, every_fields),
    CYAML_FIELD_SEQUENCE("parts", (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER), struct plan_yaml, parts, &part_schema, 0,
                         FACT_PART_COUNT),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t rules_yaml_plan_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_yaml, plan_fields),
};

static int take_hours(const struct rules_yaml_place *p, const char *key, const double *yaml, double *ret_h)
{
	if (yaml == NULL)
		return 0;
	if (!(*yaml > 0 && *yaml <= 1e6))
		return RULES_YAML_FAIL(p, key, "%s is %g; allowed: above 0, at most a million hours", key, *yaml);
	*ret_h = *yaml;
	return 0;
}

static int take_life(const struct rules_yaml_place *p, const struct life_yaml *y, struct wear_life *life)
{
	int r = take_hours(p, "motor_h", y->motor_h, &life->motor_h);

	if (r != 0)
		return r;
	if (y->sessions != NULL && *y->sessions == 0)
		return RULES_YAML_FAIL(p, "sessions", "sessions is 0; leave it out when sessions don't count");
	life->sessions = y->sessions != NULL ? *y->sessions : 0;
	if (y->motor_h == NULL && y->sessions == NULL)
		return RULES_YAML_FAIL(p, "", "neither motor_h nor sessions: it would never be due");
	return 0;
}

static int take_part(const struct rules_yaml_place *p, unsigned index, const struct life_yaml *y,
                     struct wear_plan *plan)
{
	const enum fact_part part = (enum fact_part)(y->part - 1);
	struct wear_life *life = &plan->parts[part];
	struct rules_yaml_place here = {.doc = p->doc, .diag = p->diag};

	snprintf(here.at, sizeof(here.at), "%.60sparts[%u].", p->at, index);
	if (part == FACT_PART_MOTOR)
		return RULES_YAML_FAIL(&here, "part",
		                       "the motor's life is what the machine says of itself: rated_motor_h in agent.yaml");
	if (part == FACT_PART_SERVICE)
		return RULES_YAML_FAIL(&here, "part", "the service of the whole machine is `every`");
	if (life->motor_h > 0 || life->sessions > 0)
		return RULES_YAML_FAIL(&here, "part", "%s is there twice", fact_part_name(part));
	return take_life(&here, y, life);
}

static int take_plan(const struct gf_yaml *doc, const struct plan_yaml *y, unsigned index, struct wear_plan *plan,
                     struct gf_diag *diag)
{
	struct rules_yaml_place p = {.doc = doc, .diag = diag}, every = {.doc = doc, .diag = diag};
	int r;

	snprintf(p.at, sizeof(p.at), "service[%u].", index);
	snprintf(every.at, sizeof(every.at), "service[%u].every.", index);
	plan->class = (enum gf_class)y->class;
	gf_strcpy(plan->model, sizeof(plan->model), y->model != NULL ? y->model : "");
	if (y->warranty_h == NULL && y->every == NULL && y->parts_count == 0)
		return RULES_YAML_FAIL(&p, "class", "nothing is planned: give every, parts or warranty_h");
	r = take_hours(&p, "warranty_h", y->warranty_h, &plan->warranty_h);
	if (r == 0 && y->every != NULL)
		r = take_life(&every, y->every, &plan->parts[FACT_PART_SERVICE]);
	for (unsigned i = 0; r == 0 && i < y->parts_count; i++)
		r = take_part(&p, i, &y->parts[i], plan);
	return r;
}

static int by_class(const void *a, const void *b)
{
	const struct wear_plan *one = a, *other = b;

	return one->class != other->class ? (one->class < other->class ? -1 : 1) : strcmp(one->model, other->model);
}

int rules_yaml_take_plans(const struct gf_yaml *doc, const struct plan_yaml *yaml, unsigned count,
                          struct judgement_config *config, struct gf_diag *diag)
{
	if (count == 0)
		return 0;
	config->plans = calloc(count, sizeof(*config->plans));
	if (config->plans == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct wear_plan *plan = &config->plans[i];
		int r = take_plan(doc, &yaml[i], i, plan, diag);
		char at[RULES_YAML_AT_MAX];

		snprintf(at, sizeof(at), "service[%u].class", i);
		for (unsigned before = 0; r == 0 && before < i; before++)
			if (by_class(&config->plans[before], plan) == 0)
				r = gf_yaml_fail(doc, at, diag, "there is a plan for %s%s%s already", gf_class_name(plan->class),
				                 plan->model[0] != '\0' ? " of model " : "", plan->model);
		if (r != 0)
			return r;
		config->plans_count++;
	}
	qsort(config->plans, config->plans_count, sizeof(*config->plans), by_class);
	return 0;
}
