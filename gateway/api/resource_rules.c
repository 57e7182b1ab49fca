/* /v1/rules: the rules in force, and how many flags each has open; read the file again; check a file that isn't in force. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "gateway/rule_doubts.h"

enum { FILE_NAME_MAX = 200 }; /* in a mistake's sentence */

static const char *const subject_words[] = {
#define X(symbol, name) name,
    RULE_SUBJECTS(X) NULL
#undef X
};

static const struct where_field fields[] = {
    {"id", WHERE_TEXT, NULL},     {"title", WHERE_TEXT, NULL},        {"subject", WHERE_TEXT, subject_words},
    {"metric", WHERE_TEXT, NULL}, {"warn", WHERE_NUMBER, NULL},       {"act", WHERE_NUMBER, NULL},
    {"unit", WHERE_TEXT, NULL},   {"window_s", WHERE_NUMBER, NULL},   {"conditions", WHERE_NUMBER, NULL},
    {"advice", WHERE_TEXT, NULL}, {"open_flags", WHERE_NUMBER, NULL}, {"line", WHERE_NUMBER, NULL},
};

struct counts {
	char (*ids)[GF_NAME_MAX]; /* of open flags' rules */
	uint64_t *open;
	size_t count;
};

static int count_flag(void *ctx, const struct store_flag *flag)
{
	struct counts *c = ctx;

	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->ids[i], flag->rule) == 0) {
			c->open[i]++;
			return 0;
		}
	}
	if (c->count < RULES_MAX) {
		(void)gf_strcpy(c->ids[c->count], sizeof(c->ids[0]), flag->rule);
		c->open[c->count++] = 1;
	}
	return 0;
}

static uint64_t open_flags(const struct counts *c, const char *rule)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->ids[i], rule) == 0)
			return c->open[i];
	return 0;
}

/* A rule with several conditions is shown by its first. */
static json_t *rule_row(const struct rule *rule, const struct counts *c)
{
	const struct rule_condition *condition = &rule->conditions[0];
	json_t *row = json_object();

	json_put(&row, "id", json_string(rule->id));
	json_put(&row, "title", json_string(rule->title));
	json_put(&row, "subject", json_string(rule_subject_name(rule->subject)));
	json_put(&row, "metric", json_string(rule_metric_name(condition->metric)));
	json_put(&row, "warn", condition->has_warn ? json_measure(condition->warn) : json_null());
	json_put(&row, "act", condition->has_act ? json_measure(condition->act) : json_null());
	json_put(&row, "unit", json_text(rule_metric_unit(condition->metric)));
	json_put(&row, "window_s", condition->window_ms > 0 ? json_seconds((uint64_t)condition->window_ms) : json_null());
	json_put(&row, "conditions", json_count(rule->conditions_count));
	json_put(&row, "advice", json_text(rule->advice));
	json_put(&row, "open_flags", json_count(open_flags(c, rule->id)));
	json_put(&row, "line", json_count(rule->line));
	return row;
}

struct walk {
	struct page page;
	struct counts counts;
	const char *after;
};

static int list(void *ctx, const struct judgement_config *config)
{
	struct walk *w = ctx;
	int result = 0;

	for (size_t i = 0; i < config->rules->count && result == 0; i++) {
		const struct rule *rule = &config->rules->items[i];
		if (w->after != NULL && strcmp(rule->id, w->after) <= 0)
			continue;
		result = page_add(&w->page, rule_row(rule, &w->counts));
		if (result == 0)
			(void)gf_strcpy(w->page.cursor, sizeof(w->page.cursor), rule->id);
	}
	return result;
}

void resource_rules(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	const struct store_flag_query query = {.open_only = true};
	struct walk w = {.after = request_param(r, "after")};
	struct gf_diag diag = {{0}};

	if (!page_begin(r, fields, sizeof(fields) / sizeof(fields[0]), &w.page))
		return;
	w.counts.ids = calloc(RULES_MAX, sizeof(*w.counts.ids));
	w.counts.open = calloc(RULES_MAX, sizeof(*w.counts.open));
	int result = w.counts.ids != NULL && w.counts.open != NULL ? 0 : -ENOMEM;
	if (result == 0)
		result = store_read_flags(r->reader, &query, count_flag, &w.counts, &diag);
	if (result == 0)
		result = ops->rules_look(ops->ctx, list, &w);
	page_end(&w.page, result, &diag);
	free(w.counts.ids);
	free(w.counts.open);
}

/* The file is there and readable, or it isn't: what is wrong in it is the caller's to mend, not a failure of the gateway. */
static void fail_rules(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -EINVAL)
		request_fail(r, 422, "bad_rules", "%s", diag->text);
	else
		request_fail_store(r, result, diag);
}

static int copy_rules(void *ctx, const struct judgement_config *config)
{
	return rules_copy(config->rules, ctx);
}

static void push_warning(void *ctx, const char *sentence)
{
	json_push(ctx, json_string(sentence));
}

/* {"rules", "plans" unless it is negative, "warnings"}: what was read, and what may be wrong in it. */
static void answer_read(struct request *r, size_t count, json_int_t plans, const struct rules *rules, const char *file)
{
	json_t *answer = json_object(), *warnings = json_array();
	struct gf_diag diag = {{0}};
	const struct rule_doubts asked = {.rules = rules,
	                                  .sites = api_sites(r->api),
	                                  .reader = r->reader,
	                                  .file = file,
	                                  .tell = push_warning,
	                                  .ctx = &warnings};

	/* The rules are right all the same. */
	if (rule_doubts(&asked, &diag) != 0) {
		gf_diag_prefix(&diag, "the rules weren't compared with what is stored");
		push_warning(&warnings, diag.text);
	}
	json_put(&answer, "rules", json_count(count));
	if (plans >= 0)
		json_put(&answer, "plans", json_count((uint64_t)plans));
	json_put(&answer, "warnings", warnings);
	request_answer(r, answer);
}

void resource_rules_reload(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct rules *rules = NULL;
	struct gf_diag diag = {{0}};
	size_t count = 0;
	int result = ops->rules_reload(ops->ctx, &r->actor, &count, &diag);

	if (result == 0)
		result = ops->rules_look_ahead(ops->ctx, copy_rules, &rules);
	if (result == 0)
		answer_read(r, count, -1, rules, "rules.yaml");
	else
		fail_rules(r, result, &diag);
	free(rules);
}

void resource_rules_check(struct request *r)
{
	struct judgement_config config = {0};
	struct gf_diag diag = {{0}};

	if (r->body_len == 0) {
		request_fail(r, 422, "bad_rules", "the body is empty; send the rules.yaml to be checked");
		return;
	}
	if (!gf_utf8_valid(r->body, r->body_len)) {
		request_fail(r, 422, "bad_rules", "the body is not UTF-8 text; send the rules.yaml to be checked");
		return;
	}
	/* Mistakes are told with the name that the asker gave the file. */
	const char *name = request_param(r, "name");
	bool named = name != NULL && *name != '\0' && strlen(name) <= FILE_NAME_MAX;
	const char *file = named ? name : "rules.yaml";
	int result = rules_yaml_load_text(file, r->body, r->body_len, &config, &diag);
	if (result == 0)
		answer_read(r, config.rules->count, (json_int_t)config.plans_count, config.rules, file);
	else
		fail_rules(r, result, &diag);
	judgement_config_deinit(&config);
}
