#include "tests/unit/gateway/rules/desk.h"

static int32_t berlin_s(const void *ctx, int64_t wall_ms)
{
	(void)ctx;
	return wall_ms < spring_ms ? 3600 : 7200;
}

struct desk *desk;

int desk_setup(void **state)
{
	struct gf_diag diag;

	(void)state;
	desk = calloc(1, sizeof(*desk));
	if (desk == NULL)
		return -1;
	if (calendar_open(&desk->calendar, "mon-fri", "06:00-22:00", &diag) != 0)
		return -1;
	desk->calendar.offset_s = berlin_s;
	return 0;
}

int desk_teardown(void **state)
{
	(void)state;
	judgement_deinit(&desk->judgement);
	free(desk);
	return 0;
}

struct rule_condition *begin_rule(enum rule_subject subject, enum rule_metric metric, int64_t window_ms)
{
	desk->rule = (struct rule){.id = "R", .subject = subject, .conditions_count = 1, .expires_ms = 62 * DAY_MS};
	desk->rule.conditions[0] =
	    (struct rule_condition){.metric = metric, .aggregate = rule_metric_aggregate(metric), .window_ms = window_ms};
	return &desk->rule.conditions[0];
}

void warn_act(struct rule_condition *c, enum rule_comparison comparison, double warn, double act)
{
	c->comparison = comparison;
	c->has_warn = !isnan(warn);
	c->has_act = !isnan(act);
	c->warn = warn;
	c->act = act;
}

struct fact *add(enum fact_kind kind, int64_t at_ms)
{
	struct fact *f = &desk->facts[desk->count];

	assert_true(desk->count == 0 || desk->facts[desk->count - 1].at_ms <= at_ms);
	*f = (struct fact){.kind = kind, .at_ms = at_ms, .device = 1, .no = desk->count, .calendar = &desk->calendar};
	f->class = GF_CLASS_PERCUSSION;
	desk->count++;
	return f;
}

struct fact *add_session(int64_t at_ms, uint32_t minutes)
{
	struct fact *f = add(FACT_SESSION, at_ms);

	f->session.started_ms = at_ms - minutes * MIN_MS;
	f->session.running_ms = minutes * (uint32_t)MIN_MS;
	f->session.motor_ms = f->session.running_ms;
	return f;
}

void add_area(int64_t at_ms, enum gf_area area, enum gf_side side, uint32_t seconds)
{
	struct fact *f = add_session(at_ms, 10);
	struct gf_area_use *use = &desk->areas[desk->count - 1];

	*use = (struct gf_area_use){area, side, GF_TECHNIQUE_PERCUSSION, seconds * 1000, 50, 50};
	f->session.areas = use;
	f->session.areas_count = 1;
}

const struct episode *judge(int64_t now_ms, size_t expected)
{
	char key[GF_NAME_MAX];
	struct gf_diag diag = {{0}};

	if (rule_check(&desk->rule, key, &diag) != 0)
		fail_msg("%s: %s", key, diag.text);
	desk->input.rule = &desk->rule;
	desk->input.calendar = &desk->calendar;
	desk->input.facts = desk->facts;
	desk->input.facts_count = desk->count;
	desk->input.now_ms = now_ms;
	judgement_deinit(&desk->judgement);
	assert_int_equal(rules_judge(&desk->input, &desk->judgement), 0);
	assert_int_equal(desk->judgement.count, expected);
	return expected > 0 ? &desk->judgement.episodes[expected - 1] : NULL;
}
