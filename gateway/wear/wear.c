#include "gateway/wear/wear.h"

#include "proto/base/span.h"

#include <math.h>
#include <string.h>

enum { FORECAST_DAYS = 3652 };

const struct wear_plan *wear_plan_for(const struct wear_plan *plans, size_t count, enum gf_class class,
                                      const char *model)
{
	const struct wear_plan *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (plans[i].class != class)
			continue;
		if (plans[i].model[0] == '\0')
			found = found ? found : &plans[i];
		else if (model != NULL && strcmp(plans[i].model, model) == 0)
			return &plans[i];
	}
	return found;
}

double wear_used_pct(const struct wear_life *life, const struct wear_counter *counter)
{
	double by_hours = life->motor_h > 0 ? counter->motor_h * 100.0 / life->motor_h : NAN;
	double by_sessions = life->sessions > 0 ? (double)counter->sessions * 100.0 / (double)life->sessions : NAN;

	return fmax(by_hours, by_sessions); /* of a number and NaN it is the number */
}

/* Days until so much more is used up at a pace; infinite when it stands still. */
static double days_left(double life, double used, double per_day)
{
	if (!(life > 0) || !(per_day > 0))
		return INFINITY;
	return life > used ? (life - used) / per_day : 0.0;
}

static int64_t due_ms(const struct wear_part *part, const struct wear_pace *pace, int64_t now_ms)
{
	double days = fmin(days_left(part->life.motor_h, part->counter.motor_h, pace->motor_h_per_day),
	                   days_left((double)part->life.sessions, (double)part->counter.sessions, pace->sessions_per_day));

	if (part->used_pct >= 100.0)
		return now_ms;
	return days <= FORECAST_DAYS ? now_ms + (int64_t)(days * GF_DAY_MS) : 0;
}

static bool is_worse(const struct wear_part *a, const struct wear_part *b)
{
	return a->used_pct > b->used_pct;
}

static void add(struct wear *wear, const struct wear_part *part)
{
	size_t at = wear->count++;

	for (; at > 0 && is_worse(part, &wear->parts[at - 1]); at--)
		wear->parts[at] = wear->parts[at - 1];
	wear->parts[at] = *part;
}

void wear_judge(const struct wear_plan *plan, double rated_motor_h, double motor_h,
                const struct wear_counter counters[FACT_PART_COUNT], const struct wear_pace *pace, int64_t now_ms,
                struct wear *ret_wear)
{
	struct wear wear = {0};

	for (int p = 0; p < FACT_PART_COUNT; p++) {
		struct wear_part part = {.part = (enum fact_part)p, .counter = counters[p]};

		if (p == FACT_PART_MOTOR)
			part.life.motor_h = rated_motor_h;
		else if (plan != NULL)
			part.life = plan->parts[p];
		part.used_pct = wear_used_pct(&part.life, &part.counter);
		if (isnan(part.used_pct))
			continue;
		part.due_ms = due_ms(&part, pace, now_ms);
		add(&wear, &part);
	}
	if (plan != NULL && plan->warranty_h > 0) {
		wear.warranty_h = plan->warranty_h;
		wear.warranty_left_h = fmax(0.0, plan->warranty_h - motor_h);
	}
	*ret_wear = wear;
}
