#include "gateway/api/wear_row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/resources.h"
#include "proto/base/span.h"

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const part_words[] = {FACT_PARTS(NAME) NULL};
#undef NAME

const struct where_field wear_fields[] = {
    {"device", WHERE_TEXT, NULL},         {"class", WHERE_TEXT, class_words},
    {"model", WHERE_TEXT, NULL},          {"site", WHERE_TEXT, NULL},
    {"part", WHERE_TEXT, part_words},     {"motor_h", WHERE_NUMBER, NULL},
    {"sessions", WHERE_NUMBER, NULL},     {"since", WHERE_TIME, NULL},
    {"life_motor_h", WHERE_NUMBER, NULL}, {"life_sessions", WHERE_NUMBER, NULL},
    {"used_pct", WHERE_NUMBER, NULL},     {"due", WHERE_TIME, NULL},
};
const size_t wear_fields_count = sizeof(wear_fields) / sizeof(wear_fields[0]);

/* ---- the plans ---- */

static int copy_plans(void *ctx, const struct judgement_config *config)
{
	struct wear_plans *plans = ctx;

	if (config->plans_count == 0)
		return 0;
	plans->items = calloc(config->plans_count, sizeof(*plans->items));
	if (plans->items == NULL)
		return -ENOMEM;
	memcpy(plans->items, config->plans, config->plans_count * sizeof(*plans->items));
	plans->count = config->plans_count;
	return 0;
}

int wear_plans_read(const struct api_ops *ops, struct wear_plans *ret_plans)
{
	*ret_plans = (struct wear_plans){0};
	return ops->rules_look == NULL ? 0 : ops->rules_look(ops->ctx, copy_plans, ret_plans);
}

void wear_plans_deinit(struct wear_plans *plans)
{
	free(plans->items);
	*plans = (struct wear_plans){0};
}

/* ---- counting ---- */

/* A machine whose odometer began anew has run at least what it shows. */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now >= then ? now - then : now;
}

static struct wear_pace pace_of(const struct store_use *use, int64_t now_ms)
{
	double days = (double)(now_ms - use->from_ms) / GF_DAY_MS;

	if (use->last_ms == 0 || !(days > 0))
		return (struct wear_pace){0};
	return (struct wear_pace){.motor_h_per_day = (double)use->motor_ms / GF_HOUR_MS / days,
	                          .sessions_per_day = (double)use->sessions / days};
}

void wear_of(const struct wear_plans *plans, const struct worn *m, int64_t now_ms, struct wear *ret_wear,
             struct wear_pace *ret_pace)
{
	struct wear_counter counters[FACT_PART_COUNT];
	const double before_h = (double)m->motor_before_ms / GF_HOUR_MS;

	*ret_pace = pace_of(m->use, now_ms);
	for (size_t p = 0; p < FACT_PART_COUNT; p++) {
		const struct gf_odometer *then = &m->parts[p].odometer;
		counters[p] =
		    (struct wear_counter){.motor_h = (double)since(m->odometer->motor_ms, then->motor_ms) / GF_HOUR_MS,
		                          .sessions = since(m->odometer->sessions, then->sessions),
		                          .since_ms = m->parts[p].at_ms};
		if (m->parts[p].at_ms == 0)
			counters[p].motor_h += before_h;
	}
	wear_judge(wear_plan_for(plans->items, plans->count, m->class, m->model), m->rated_motor_h,
	           before_h + (double)m->odometer->motor_ms / GF_HOUR_MS, counters, ret_pace, now_ms, ret_wear);
}

void wear_of_machine(const struct wear_plans *plans, const struct store_machine *m, const struct store_wear *counted,
                     int64_t now_ms, struct wear *ret_wear, struct wear_pace *ret_pace)
{
	const struct worn worn = {m->class,           m->model,       m->rated_motor_h, &m->odometer,
	                          m->motor_before_ms, counted->parts, &counted->use};

	wear_of(plans, &worn, now_ms, ret_wear, ret_pace);
}

/* ---- JSON ---- */

static void put_part(json_t **row, const struct wear_part *part)
{
	json_put(row, "part", json_string(fact_part_name(part->part)));
	json_put(row, "motor_h", json_measure(part->counter.motor_h));
	json_put(row, "sessions", json_count(part->counter.sessions));
	json_put(row, "since", json_time(part->counter.since_ms));
	json_put(row, "life_motor_h", part->life.motor_h > 0 ? json_measure(part->life.motor_h) : json_null());
	json_put(row, "life_sessions", part->life.sessions > 0 ? json_count(part->life.sessions) : json_null());
	json_put(row, "used_pct", json_measure(part->used_pct));
	json_put(row, "due", json_time(part->due_ms));
}

static void put_machine(json_t **row, const struct store_machine *m)
{
	json_put(row, "device", json_string(m->id));
	json_put(row, "class", json_text(m->class != GF_CLASS_UNSPECIFIED ? gf_class_name(m->class) : ""));
	json_put(row, "model", json_text(m->model));
	json_put(row, "site", json_text(m->site));
}

json_t *wear_row(const struct store_machine *machine, const struct wear_part *part)
{
	json_t *row = json_object();

	put_machine(&row, machine);
	put_part(&row, part);
	return row;
}

json_t *wear_detail(const struct store_machine *machine, const struct wear *wear, const struct wear_pace *p)
{
	json_t *row = json_object(), *pace = json_object(), *parts = json_array();

	json_put(&pace, "motor_h_per_day", json_measure(p->motor_h_per_day));
	json_put(&pace, "sessions_per_day", json_measure(p->sessions_per_day));
	for (size_t i = 0; i < wear->count; i++) {
		json_t *part = json_object();
		put_part(&part, &wear->parts[i]);
		json_push(&parts, part);
	}
	put_machine(&row, machine);
	json_put(&row, "motor_h",
	         json_measure((double)(machine->motor_before_ms + machine->odometer.motor_ms) / GF_HOUR_MS));
	json_put(&row, "warranty_h", wear->warranty_h > 0 ? json_measure(wear->warranty_h) : json_null());
	json_put(&row, "warranty_left_h", wear->warranty_h > 0 ? json_measure(wear->warranty_left_h) : json_null());
	json_put(&row, "pace", pace);
	json_put(&row, "parts", parts);
	return row;
}
