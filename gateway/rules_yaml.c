/*
 * cyaml reads keys, words and numbers (rules_yaml_schema.c); `take_…` resolves durations and what is left out; rule_check judges each rule as a
 * whole, and what it finds is said at the key's line.
 */
#include "gateway/rules_yaml_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/base/span.h"

enum { EXPIRES_D = 31, LONGEST_D = 1000 };

/* ---- a condition ---- */

int rules_yaml_failed(const struct rules_yaml_place *place, const char *key)
{
	char at[RULES_YAML_AT_MAX + GF_NAME_MAX];
	struct gf_diag said;

	if (place->diag == NULL)
		return -EINVAL;
	said = *place->diag;
	snprintf(at, sizeof(at), "%s%s", place->at, key);
	return gf_yaml_fail(place->doc, at, place->diag, "%.500s", said.text);
}

/* 0 = it isn't written. */
static unsigned line_of(const struct rules_yaml_place *p, const char *key)
{
	char at[RULES_YAML_AT_MAX + GF_NAME_MAX];

	snprintf(at, sizeof(at), "%s%s", p->at, key);
	return gf_yaml_has(p->doc, at) ? gf_yaml_line(p->doc, at) : 0;
}

static int take_duration(const struct rules_yaml_place *p, const char *key, const char *text, int64_t *ret_ms)
{
	if (text == NULL)
		return 0;
	if (gf_duration_parse(text, ret_ms) != 0)
		return RULES_YAML_FAIL(p, key, "%s is '%s'; expected a duration such as 10m, 24h or 7d", key, text);
	if (*ret_ms > LONGEST_D * GF_DAY_MS)
		return RULES_YAML_FAIL(p, key, "%s is '%s'; no rule looks or waits that long, 31d are most, of expires 366d",
		                       key, text);
	return 0;
}

static int take_window(const struct rules_yaml_place *p, const struct condition_yaml *y, struct rule_condition *c)
{
	if (!rule_metric_has_window(c->metric)) {
		c->window_ms = 0;
		return y->window == NULL ? 0
		                         : RULES_YAML_FAIL(p, "window", "%s is what it is now: leave the window out",
		                                           rule_metric_name(c->metric));
	}
	c->window_ms = -1;
	if (y->window == NULL)
		return 0;
	if (strcmp(y->window, "day") == 0) {
		c->window_ms = 0;
		return 0;
	}
	if (gf_duration_parse(y->window, &c->window_ms) != 0 || c->window_ms <= 0)
		return RULES_YAML_FAIL(p, "window", "window is '%s'; expected day, or a duration such as 24h or 7d", y->window);
	return 0;
}

static uint32_t bits_of(const int *values, unsigned count)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < count; i++)
		bits |= UINT32_C(1) << values[i];
	return bits;
}

static void take_filter(const struct rules_yaml_place *p, const struct condition_yaml *y, struct rule_filter *f)
{
	f->classes = bits_of(y->classes, y->classes_count);
	f->techniques = bits_of(y->techniques, y->techniques_count);
	f->outcomes = bits_of(y->outcomes, y->outcomes_count);
	f->codes = bits_of(y->codes, y->codes_count);
	f->severities = bits_of(y->severities, y->severities_count);
	f->actions = bits_of(y->actions, y->actions_count);
	f->depth_min = y->depth > 0 ? (enum fact_depth)(y->depth - 1) : FACT_DEPTH_NONE;
	f->part = y->part > 0 ? (enum fact_part)(y->part - 1) : FACT_PART_MOTOR;
	f->same_class = y->same_class;
	for (unsigned i = 0; i < y->routines_count; i++)
		gf_strcpy(f->routines[i], sizeof(f->routines[i]), y->routines[i]);
	f->routines_line = line_of(p, "routines");
	for (unsigned i = 0; i < y->limits_count; i++)
		gf_strcpy(f->limits[i], sizeof(f->limits[i]), y->limits[i]);
}

static void take_threshold(const double *yaml, bool *ret_has, double *ret_value)
{
	*ret_has = yaml != NULL;
	*ret_value = yaml != NULL ? *yaml : 0;
}

static int take_condition(const struct rules_yaml_place *p, const struct condition_yaml *y, struct rule_condition *c)
{
	const bool gap = y->metric == RULE_METRIC_GAP_H + 1;

	if (y->metric == 0)
		return RULES_YAML_FAIL(p, "metric", "the metric is missing: give metric, or conditions in all or any");
	c->metric = (enum rule_metric)(y->metric - 1);
	c->line = line_of(p, "metric");
	if (y->part > 0 && c->metric != RULE_METRIC_PART_LIFE_PCT)
		return RULES_YAML_FAIL(p, "part", "%s is of the whole machine, of no part of it: leave part out",
		                       rule_metric_name(c->metric));
	c->aggregate = y->aggregate > 0 ? (enum rule_aggregate)(y->aggregate - 1) : rule_metric_aggregate(c->metric);
	c->comparison = y->is > 0 ? (enum rule_comparison)(y->is - 1)
	                : gap     ? RULE_COMPARISON_BELOW
	                          : RULE_COMPARISON_AT_LEAST;
	take_filter(p, y, &c->filter);
	take_threshold(y->warn, &c->has_warn, &c->warn);
	take_threshold(y->act, &c->has_act, &c->act);
	take_threshold(y->clear, &c->has_clear, &c->clear);
	return take_window(p, y, c);
}

/* ---- a rule ---- */

static int take_list(const struct rules_yaml_place *p, const char *key, const struct entry_yaml *entries,
                     unsigned count, struct rule *rule)
{
	for (unsigned i = 0; i < count; i++) {
		struct rules_yaml_place entry = {.doc = p->doc, .diag = p->diag};
		int r;

		snprintf(entry.at, sizeof(entry.at), "%.60s%s[%u].", p->at, key, i);
		r = take_condition(&entry, &entries[i].c, &rule->conditions[i]);
		if (r != 0)
			return r;
	}
	rule->conditions_count = count;
	return 0;
}

/* Keys of a condition that stand beside a list of them. */
static const char *stray_key(const struct rules_yaml_place *p)
{
	for (size_t i = 0; rules_yaml_condition_fields[i].key != NULL; i++) {
		char at[RULES_YAML_AT_MAX + GF_NAME_MAX];

		snprintf(at, sizeof(at), "%s%s", p->at, rules_yaml_condition_fields[i].key);
		if (gf_yaml_has(p->doc, at))
			return rules_yaml_condition_fields[i].key;
	}
	return NULL;
}

static int take_conditions(const struct rules_yaml_place *p, const struct rule_yaml *y, struct rule *rule)
{
	const char *stray;

	if (y->all_count == 0 && y->any_count == 0) {
		rule->conditions_count = 1;
		return take_condition(p, &y->c, &rule->conditions[0]);
	}
	if (y->all_count > 0 && y->any_count > 0)
		return RULES_YAML_FAIL(p, "any", "either all or any, not both: make two rules");
	stray = stray_key(p);
	if (stray != NULL)
		return RULES_YAML_FAIL(p, stray, "%s belongs into each entry of %s", stray, y->all_count > 0 ? "all" : "any");
	rule->any = y->any_count > 0;
	return rule->any ? take_list(p, "any", y->any, y->any_count, rule)
	                 : take_list(p, "all", y->all, y->all_count, rule);
}

/* 0 is what isn't written: one that is means nothing. */
static int take_count(const struct rules_yaml_place *p, const char *key, unsigned count, unsigned *ret_count)
{
	if (count == 0 && line_of(p, key) != 0)
		return RULES_YAML_FAIL(p, key, "%s is 0; give 2 or more, or leave it out", key);
	*ret_count = count;
	return 0;
}

static int take_times(const struct rules_yaml_place *p, const struct rule_yaml *y, struct rule *rule)
{
	int64_t longest_ms;
	int r = take_duration(p, "for", y->for_, &rule->for_ms);

	if (r == 0)
		r = take_count(p, "days", y->days, &rule->days);
	if (r == 0)
		r = take_count(p, "times", y->times, &rule->times);
	if (r == 0)
		r = take_duration(p, "within", y->within, &rule->within_ms);
	if (r == 0)
		r = take_duration(p, "clear_after", y->clear_after, &rule->clear_after_ms);
	/* Where nothing is said: a month, and longer where the rule itself looks back further. */
	longest_ms = r == 0 ? rule_lookback_ms(rule) + GF_DAY_MS : 0;
	rule->expires_ms = longest_ms > EXPIRES_D * GF_DAY_MS ? longest_ms : EXPIRES_D * GF_DAY_MS;
	return r != 0 ? r : take_duration(p, "expires", y->expires, &rule->expires_ms);
}

static int said_or(int said, int otherwise)
{
	return said > 0 ? said - 1 : otherwise;
}

static bool gives(const struct rule *rule, enum rule_level level)
{
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (level == RULE_LEVEL_ACT ? rule->conditions[i].has_act : rule->conditions[i].has_warn)
			return true;
	return false;
}

static int take_actions(const struct rules_yaml_place *p, const struct rule_yaml *y, struct rule *rule)
{
	const bool device = rule->subject == RULE_SUBJECT_DEVICE;

	if (y->warn_is > 0 && !gives(rule, RULE_LEVEL_WARN))
		return RULES_YAML_FAIL(p, "warn_is", "rule %s: there is no warn: give one, or act_is instead", rule->id);
	if (y->act_is > 0 && !gives(rule, RULE_LEVEL_ACT))
		return RULES_YAML_FAIL(p, "act_is", "rule %s: there is no act: give one, or warn_is instead", rule->id);

	/* For rule_check 0 is one that isn't written. */
	if (y->cap_intensity_pct != NULL && *y->cap_intensity_pct == 0)
		return RULES_YAML_FAIL(p, "cap_intensity_pct",
		                       "rule %s: cap_intensity_pct is 0; allowed: above 0, below 100. So that nobody uses the "
		                       "machine take lock",
		                       rule->id);
	rule->notify = (enum rule_level)said_or(y->notify, RULE_LEVEL_WARN);
	rule->lock = (enum rule_level)said_or(y->lock, RULE_LEVEL_NONE);
	rule->cap = (enum rule_level)said_or(y->cap, RULE_LEVEL_NONE);
	rule->cap_intensity_pct = y->cap_intensity_pct != NULL ? *y->cap_intensity_pct : 0;
	rule->severity[RULE_LEVEL_WARN] =
	    (enum rule_severity)said_or(y->warn_is, device ? RULE_SEVERITY_ATTENTION : RULE_SEVERITY_OK);
	rule->severity[RULE_LEVEL_ACT] =
	    (enum rule_severity)said_or(y->act_is, device ? RULE_SEVERITY_CRITICAL : RULE_SEVERITY_OK);
	return 0;
}

static bool is_planned(const struct judgement_config *config, const struct rule_filter *f)
{
	for (size_t i = 0; i < config->plans_count; i++) {
		const struct wear_plan *plan = &config->plans[i];
		const struct wear_life *life = &plan->parts[f->part];

		if ((f->classes == 0 || (f->classes >> plan->class & 1) != 0) && (life->motor_h > 0 || life->sessions > 0))
			return true;
	}
	return false;
}

/* How long a part lives is known from the service plan; of the motor, from the machine. */
static int check_plans(const struct judgement_config *config, const struct rule *rule, char key[static GF_NAME_MAX],
                       struct gf_diag *diag)
{
	for (size_t i = 0; i < rule->conditions_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];
		char index[GF_NAME_MAX] = "";

		if (c->metric != RULE_METRIC_PART_LIFE_PCT || c->filter.part == FACT_PART_MOTOR ||
		    is_planned(config, &c->filter))
			continue;
		if (rule->conditions_count > 1)
			snprintf(index, sizeof(index), "%s[%zu].", rule->any ? "any" : "all", i);
		snprintf(key, GF_NAME_MAX, "%.20spart", index);
		if (c->filter.part == FACT_PART_SERVICE)
			gf_diag_set(diag,
			            "no plan under service has every for these machines, so the rule would never fire: add it "
			            "there");
		else
			gf_diag_set(
			    diag,
			    "no plan under service gives these machines a life of '%s', so the rule would never fire: add it there",
			    fact_part_name(c->filter.part));
		return -EINVAL;
	}
	return 0;
}

/* What rule_check says, at the place of its key. */
static int check(const struct rules_yaml_place *p, const struct rule_yaml *y, const struct judgement_config *config,
                 const struct rule *rule)
{
	char key[GF_NAME_MAX] = "", at[RULES_YAML_AT_MAX + GF_NAME_MAX];
	struct gf_diag found = {{0}};

	if (rule_check(rule, key, &found) == 0 && check_plans(config, rule, key, &found) == 0)
		return 0;
	snprintf(at, sizeof(at), "%s%s", p->at, key);
	if (!gf_yaml_has(p->doc, at) && (y->all_count == 1 || y->any_count == 1))
		snprintf(at, sizeof(at), "%.60s%s[0].%.47s", p->at, y->all_count == 1 ? "all" : "any", key);
	return gf_yaml_fail(p->doc, at, p->diag, "rule %s: %.500s", rule->id, found.text);
}

static int take_rule(const struct gf_yaml *doc, const struct rule_yaml *y, unsigned index,
                     const struct judgement_config *config, struct rule *rule, struct gf_diag *diag)
{
	struct rules_yaml_place p = {.doc = doc, .diag = diag};
	int r;

	snprintf(p.at, sizeof(p.at), "rules[%u]", index);
	rule->line = gf_yaml_line(doc, p.at);
	snprintf(p.at, sizeof(p.at), "rules[%u].", index);
	gf_strcpy(rule->id, sizeof(rule->id), y->id);
	gf_strcpy_utf8(rule->title, sizeof(rule->title), y->title);
	gf_strcpy_utf8(rule->advice, sizeof(rule->advice), y->advice);
	rule->subject = (enum rule_subject)(y->subject - 1);
	rule->hours = (enum rule_hours)said_or(y->hours, RULE_HOURS_ANY);
	rule->hours_line = line_of(&p, "hours");
	rule->days_line = line_of(&p, "days");
	r = take_conditions(&p, y, rule);
	if (r == 0)
		r = take_times(&p, y, rule);
	if (r == 0)
		r = take_actions(&p, y, rule);
	return r != 0 ? r : check(&p, y, config, rule);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

static int take_rules(const struct gf_yaml *doc, const struct file_yaml *y, struct judgement_config *config,
                      struct gf_diag *diag)
{
	struct rules *rules = calloc(1, sizeof(*rules) + y->rules_count * sizeof(rules->items[0]));

	if (rules == NULL)
		return -ENOMEM;
	config->rules = rules;
	for (unsigned i = 0; i < y->rules_count; i++) {
		const struct rule *twin = rules_find(rules, y->rules[i].id);
		int r = take_rule(doc, &y->rules[i], i, config, &rules->items[i], diag);
		char at[RULES_YAML_AT_MAX];

		snprintf(at, sizeof(at), "rules[%u].id", i);
		if (r == 0 && twin != NULL)
			r = gf_yaml_fail(doc, at, diag, "the rule '%s' is there twice; the first is in line %u", twin->id,
			                 twin->line);
		if (r != 0)
			return r;
		rules->count++;
	}
	if (rules->count > 0)
		qsort(rules->items, rules->count, sizeof(rules->items[0]), by_id);
	return 0;
}

/* ---- the file ---- */

/* Takes `doc` over. */
static int config_of(struct gf_yaml *doc, const struct file_yaml *yaml, const char *name,
                     struct judgement_config *ret_config, struct gf_diag *diag)
{
	static const struct file_yaml empty;
	struct judgement_config config = {0};
	int r;

	yaml = yaml != NULL ? yaml : &empty;
	r = rules_yaml_take_plans(doc, yaml->service, yaml->service_count, &config, diag);
	if (r == 0)
		r = take_rules(doc, yaml, &config, diag);
	if (r == -ENOMEM)
		gf_diag_set(diag, "%s: out of memory", name);
	gf_yaml_free(doc);
	if (r != 0) {
		judgement_config_deinit(&config);
		return r;
	}
	*ret_config = config;
	return 0;
}

int rules_yaml_load(const char *path, struct judgement_config *ret_config, struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	int r = gf_yaml_load(path, &rules_yaml_file_schema, &doc, &data, diag);

	return r == 0 ? config_of(doc, data, path, ret_config, diag) : r;
}

int rules_yaml_load_text(const char *name, const char *text, size_t len, struct judgement_config *ret_config,
                         struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	int r = gf_yaml_load_text(name, text, len, &rules_yaml_file_schema, &doc, &data, diag);

	return r == 0 ? config_of(doc, data, name, ret_config, diag) : r;
}

void judgement_config_deinit(struct judgement_config *config)
{
	free(config->rules);
	free(config->plans);
	*config = (struct judgement_config){0};
}
