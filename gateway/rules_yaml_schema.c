/* The form of rules.yaml: its keys and words, as cyaml reads them. The words of every list come from the same X-macros as their names. */
#include "gateway/rules_yaml_impl.h"

/* ---- words: an enumeration that begins with 0 is one more here, so that 0 says that nothing was written ---- */

#define WORD_SUBJECT(s, n) {n, RULE_SUBJECT_##s + 1},
#define WORD_METRIC(s, n, u) {n, RULE_METRIC_##s + 1},
#define WORD_AGGREGATE(s, n) {n, RULE_AGGREGATE_##s + 1},
#define WORD_COMPARISON(s, n) {n, RULE_COMPARISON_##s + 1},
#define WORD_LEVEL(s, n) {n, RULE_LEVEL_##s + 1},
#define WORD_HOURS(s, n) {n, RULE_HOURS_##s + 1},
#define WORD_RULE_SEVERITY(s, n) {n, RULE_SEVERITY_##s + 1},
#define WORD_DEPTH(s, n) {n, FACT_DEPTH_##s + 1},
#define WORD_PART(s, n) {n, FACT_PART_##s + 1},
#define WORD_CLASS(s, n) {n, GF_CLASS_##s},
#define WORD_TECHNIQUE(s, n) {n, GF_TECHNIQUE_##s},
#define WORD_OUTCOME(s, n) {n, GF_OUTCOME_##s},
#define WORD_FAULT(s, n) {n, GF_FAULT_##s},
#define WORD_SEVERITY(s, n) {n, GF_SEVERITY_##s},
#define WORD_ACTION(s, n) {n, RULE_ACTION_##s},
#define WORDS(name, LIST, WORD) static const cyaml_strval_t name[] = {LIST(WORD)}
WORDS(subjects, RULE_SUBJECTS, WORD_SUBJECT);
WORDS(metrics, RULE_METRICS, WORD_METRIC);
WORDS(aggregates, RULE_AGGREGATES, WORD_AGGREGATE);
WORDS(comparisons, RULE_COMPARISONS, WORD_COMPARISON);
WORDS(levels, RULE_LEVELS, WORD_LEVEL);
WORDS(hours, RULE_HOURS, WORD_HOURS);
WORDS(rule_severities, RULE_SEVERITIES, WORD_RULE_SEVERITY);
WORDS(depths, FACT_DEPTHS, WORD_DEPTH);
WORDS(parts, FACT_PARTS, WORD_PART);
WORDS(classes, GF_CLASSES, WORD_CLASS);
WORDS(techniques, GF_TECHNIQUES, WORD_TECHNIQUE);
WORDS(outcomes, GF_OUTCOMES, WORD_OUTCOME);
WORDS(codes, GF_FAULTS, WORD_FAULT);
WORDS(severities, GF_SEVERITIES, WORD_SEVERITY);
WORDS(actions, RULE_ACTIONS, WORD_ACTION);

/* ---- the schema ---- */

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define OPTIONAL_POINTER (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define STRICT_OPTIONAL (CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL)

#define WORD_SCHEMA(words)                                                      \
	{                                                                           \
		CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, int, words, CYAML_ARRAY_LEN(words)) \
	}
static const cyaml_schema_value_t class_schema = WORD_SCHEMA(classes);
static const cyaml_schema_value_t technique_schema = WORD_SCHEMA(techniques);
static const cyaml_schema_value_t outcome_schema = WORD_SCHEMA(outcomes);
static const cyaml_schema_value_t code_schema = WORD_SCHEMA(codes);
static const cyaml_schema_value_t severity_schema = WORD_SCHEMA(severities);
static const cyaml_schema_value_t action_schema = WORD_SCHEMA(actions);
static const cyaml_schema_value_t name_schema = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, GF_NAME_MAX - 1)};

#define WORD_FIELD(key, type, member, words) \
	CYAML_FIELD_ENUM(key, STRICT_OPTIONAL, type, member, words, CYAML_ARRAY_LEN(words))
#define TEXT_FIELD(key, flags, type, member, max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), type, member, 1, max)
#define LIST_FIELD(key, type, member, entry, max) \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL_POINTER, type, member, &(entry), 1, max)

/* Keys of a condition, which stand in a rule that has but one too. */
#define CONDITION_FIELDS(type)                                                                             \
	WORD_FIELD("metric", type, c.metric, metrics), WORD_FIELD("aggregate", type, c.aggregate, aggregates), \
	    WORD_FIELD("depth", type, c.depth, depths), WORD_FIELD("part", type, c.part, parts),               \
	    WORD_FIELD("is", type, c.is, comparisons),                                                         \
	    LIST_FIELD("classes", type, c.classes, class_schema, GF_CLASS_COUNT - 1),                          \
	    LIST_FIELD("techniques", type, c.techniques, technique_schema, GF_TECHNIQUE_COUNT - 1),            \
	    LIST_FIELD("outcomes", type, c.outcomes, outcome_schema, GF_OUTCOME_COUNT - 1),                    \
	    LIST_FIELD("codes", type, c.codes, code_schema, GF_FAULT_COUNT - 1),                               \
	    LIST_FIELD("severities", type, c.severities, severity_schema, GF_SEVERITY_COUNT - 1),              \
	    LIST_FIELD("actions", type, c.actions, action_schema, RULE_ACTION_COUNT),                          \
	    LIST_FIELD("routines", type, c.routines, name_schema, RULE_LIST_MAX),                              \
	    LIST_FIELD("limits", type, c.limits, name_schema, RULE_LIST_MAX),                                  \
	    CYAML_FIELD_BOOL("same_class", OPTIONAL, type, c.same_class),                                      \
	    TEXT_FIELD("window", OPTIONAL, type, c.window, 32),                                                \
	    CYAML_FIELD_FLOAT_PTR("warn", OPTIONAL_POINTER, type, c.warn),                                     \
	    CYAML_FIELD_FLOAT_PTR("act", OPTIONAL_POINTER, type, c.act),                                       \
	    CYAML_FIELD_FLOAT_PTR("clear", OPTIONAL_POINTER, type, c.clear)

const cyaml_schema_field_t rules_yaml_condition_fields[] = {CONDITION_FIELDS(struct entry_yaml), CYAML_FIELD_END};
static const cyaml_schema_value_t entry_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct entry_yaml, rules_yaml_condition_fields),
};

static const cyaml_schema_field_t rule_fields[] = {
    TEXT_FIELD("id", 0, struct rule_yaml, id, GF_NAME_MAX - 1),
    TEXT_FIELD("title", 0, struct rule_yaml, title, GF_NAME_MAX * 2 - 1),
    CYAML_FIELD_ENUM("subject", CYAML_FLAG_STRICT, struct rule_yaml, subject, subjects, CYAML_ARRAY_LEN(subjects)),
    CONDITION_FIELDS(struct rule_yaml),
    LIST_FIELD("all", struct rule_yaml, all, entry_schema, RULE_CONDITIONS_MAX),
    LIST_FIELD("any", struct rule_yaml, any, entry_schema, RULE_CONDITIONS_MAX),
    WORD_FIELD("hours", struct rule_yaml, hours, hours),
    TEXT_FIELD("for", OPTIONAL, struct rule_yaml, for_, 32),
    CYAML_FIELD_UINT("days", OPTIONAL, struct rule_yaml, days),
    CYAML_FIELD_UINT("times", OPTIONAL, struct rule_yaml, times),
    TEXT_FIELD("within", OPTIONAL, struct rule_yaml, within, 32),
    TEXT_FIELD("clear_after", OPTIONAL, struct rule_yaml, clear_after, 32),
    TEXT_FIELD("expires", OPTIONAL, struct rule_yaml, expires, 32),
    WORD_FIELD("warn_is", struct rule_yaml, warn_is, rule_severities),
    WORD_FIELD("act_is", struct rule_yaml, act_is, rule_severities),
    WORD_FIELD("notify", struct rule_yaml, notify, levels),
    WORD_FIELD("lock", struct rule_yaml, lock, levels),
    WORD_FIELD("cap", struct rule_yaml, cap, levels),
    CYAML_FIELD_FLOAT_PTR("cap_intensity_pct", OPTIONAL_POINTER, struct rule_yaml, cap_intensity_pct),
    TEXT_FIELD("advice", 0, struct rule_yaml, advice, RULE_TEXT_MAX - 1),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t rule_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_yaml, rule_fields),
};

static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_SEQUENCE("rules", OPTIONAL_POINTER, struct file_yaml, rules, &rule_schema, 0, RULES_MAX),
    CYAML_FIELD_SEQUENCE("service", OPTIONAL_POINTER, struct file_yaml, service, &rules_yaml_plan_schema, 0,
                         RULES_YAML_PLANS_MAX),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t rules_yaml_file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_yaml, file_fields),
};
