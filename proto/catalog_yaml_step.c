/* The second pass over a routine's YAML: one step's names and units are resolved, its sides and repetitions unrolled. */
#include <math.h>

#include "proto/catalog_yaml_impl.h"

enum {
	REPEAT_MAX = 60,
	FULL_SCALE_MMHG = 100,
};

static const char *side_name(int v)
{
	return gf_side_name((enum gf_side)v);
}
static const char *area_name(int v)
{
	return gf_area_name((enum gf_area)v);
}
static const char *technique_name(int v)
{
	return gf_technique_name((enum gf_technique)v);
}

static const struct vocabulary sides = {"side", GF_SIDE_COUNT, side_name};
static const struct vocabulary areas = {"area", GF_AREA_COUNT, area_name};
static const struct vocabulary techniques = {"technique", GF_TECHNIQUE_COUNT, technique_name};

/* --- numbers --- */

/* Seconds, as written, to ms; the limit keeps what is converted far from overflow, the real ones come later. */
static int to_ms(const struct compiler *c, size_t step, const char *at, float seconds, uint32_t *ret_ms)
{
	if (!(seconds >= 0 && seconds <= GF_ROUTINE_SECONDS_MAX))
		return compile_fail(c, step, at, "%s is %g; allowed: 0 to %d s", at, (double)seconds, GF_ROUTINE_SECONDS_MAX);
	*ret_ms = (uint32_t)lroundf(seconds * 1000);
	return 0;
}

struct range {
	float from, to;
};

/* A step, names and units resolved, not yet unrolled. */
struct plan {
	struct gf_step base; /* area, technique, speed, hold */
	uint32_t each_ms, off_ms, ramp_ms;
	unsigned repeat;
	struct range pct, hz, mmhg;
};

static int take_range(const struct compiler *c, size_t step, const char *unit, const struct range_yaml *yaml,
                      struct range *ret_range)
{
	if (yaml->constant != NULL && (yaml->from != NULL || yaml->to != NULL))
		return compile_fail(c, step, unit, "either %s, or from_%s and to_%s, not both", unit, unit, unit);
	if ((yaml->from == NULL) != (yaml->to == NULL))
		return compile_fail(c, step, unit, "from_%s and to_%s belong together; a constant is %s", unit, unit, unit);
	if (yaml->constant != NULL)
		*ret_range = (struct range){*yaml->constant, *yaml->constant};
	else if (yaml->from != NULL)
		*ret_range = (struct range){*yaml->from, *yaml->to};
	else
		*ret_range = (struct range){0, 0};
	return 0;
}

static bool is_given(const struct range_yaml *yaml)
{
	return yaml->constant != NULL || yaml->from != NULL;
}

static int plan_ranges(const struct compiler *c, size_t step, struct plan *plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	int r = take_range(c, step, "pct", &y->pct, &plan->pct);

	if (r == 0)
		r = take_range(c, step, "hz", &y->hz, &plan->hz);
	if (r == 0)
		r = take_range(c, step, "mmhg", &y->mmhg, &plan->mmhg);
	if (r != 0)
		return r;
	if (is_given(&y->pct))
		return 0;
	if (!is_given(&y->mmhg))
		return compile_fail(c, step, "pct", "the intensity is missing: pct, or from_pct and to_pct");
	plan->pct = (struct range){plan->mmhg.from * 100 / FULL_SCALE_MMHG, plan->mmhg.to * 100 / FULL_SCALE_MMHG};
	return 0;
}

static int plan_times(const struct compiler *c, size_t step, struct plan *plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	const struct {
		const char *at;
		float seconds;
		uint32_t *ms;
	} times[] = {
	    {"seconds", y->seconds, &plan->each_ms},
	    {"ramp_s", y->ramp_s, &plan->ramp_ms},
	    {"off_s", y->off_s, &plan->off_ms},
	    {"hold_s", y->hold_s, &plan->base.hold_ms},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int r = to_ms(c, step, times[i].at, times[i].seconds, times[i].ms);
		if (r != 0)
			return r;
	}
	plan->repeat = y->repeat == 0 ? 1 : y->repeat;
	if (plan->repeat > REPEAT_MAX)
		return compile_fail(c, step, "repeat", "repeat is %u; allowed: 1 to %d", plan->repeat, REPEAT_MAX);
	const uint64_t room_ms = plan->off_ms > 0 ? plan->each_ms : (uint64_t)plan->each_ms * plan->repeat;
	if (plan->ramp_ms > room_ms)
		return compile_fail(c, step, "ramp_s", "the ramp takes %g s, but the step only %g s", (double)y->ramp_s,
		                    (double)room_ms / 1000);
	return 0;
}

static int plan_step(const struct compiler *c, size_t step, struct plan *ret_plan)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	struct plan plan = {.base.speed_mm_s = y->speed_mm_s};
	int area = 0, technique = 0;
	int r = compile_name(c, &areas, step, "area", y->area, &area);

	if (r == 0)
		r = compile_name(c, &techniques, step, "technique", y->technique, &technique);
	if (r == 0)
		r = plan_times(c, step, &plan);
	if (r == 0)
		r = plan_ranges(c, step, &plan);
	if (r != 0)
		return r;
	plan.base.area = (enum gf_area)area;
	plan.base.technique = (enum gf_technique)technique;
	*ret_plan = plan;
	return 0;
}

/* --- unrolling --- */

static float ramp_at(struct range range, uint32_t ramp_ms, uint32_t at_ms)
{
	if (at_ms >= ramp_ms)
		return at_ms == 0 ? range.from : range.to;
	return range.from + (range.to - range.from) * (float)at_ms / (float)ramp_ms;
}

/* What one repetition that begins `at_ms` into the ramp is. */
static struct gf_step cut(const struct plan *plan, enum gf_side side, uint32_t at_ms)
{
	const uint32_t end_ms = at_ms + plan->each_ms;
	struct gf_step s = plan->base;

	s.side = side;
	s.duration_ms = plan->each_ms;
	s.from_pct = ramp_at(plan->pct, plan->ramp_ms, at_ms);
	s.to_pct = ramp_at(plan->pct, plan->ramp_ms, end_ms);
	s.from_hz = ramp_at(plan->hz, plan->ramp_ms, at_ms);
	s.to_hz = ramp_at(plan->hz, plan->ramp_ms, end_ms);
	s.pressure_from_mmhg = ramp_at(plan->mmhg, plan->ramp_ms, at_ms);
	s.pressure_to_mmhg = ramp_at(plan->mmhg, plan->ramp_ms, end_ms);
	if (plan->ramp_ms > at_ms)
		s.ramp_ms = plan->ramp_ms < end_ms ? plan->ramp_ms - at_ms : plan->each_ms;
	return s;
}

static int emit(struct compiler *c, size_t origin, const struct gf_step *step)
{
	if (c->out.steps_count == GF_ROUTINE_STEPS_MAX)
		return compile_fail(c, SIZE_MAX, "steps", "more than %d steps, sides and repetitions counted",
		                    GF_ROUTINE_STEPS_MAX);
	c->origin[c->out.steps_count] = origin;
	c->out.steps[c->out.steps_count++] = *step;
	return 0;
}

static int unroll(struct compiler *c, size_t origin, const struct plan *plan, enum gf_side side)
{
	const struct gf_step off = {
	    .area = plan->base.area, .side = side, .technique = plan->base.technique, .duration_ms = plan->off_ms};

	for (unsigned i = 0; i < plan->repeat; i++) {
		const struct gf_step on = cut(plan, side, plan->off_ms > 0 ? 0 : i * plan->each_ms);
		int r = emit(c, origin, &on);
		if (r == 0 && plan->off_ms > 0)
			r = emit(c, origin, &off);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The sides a step is done on: its own, else the routine's, else both at once. Two are left and right, in either order. */
struct side_list {
	size_t step; /* whose key it is; SIZE_MAX = the routine's */
	size_t count;
	enum gf_side list[2];
};

static int take_sides(const struct compiler *c, size_t step, struct side_list *ret_sides)
{
	const struct step_yaml *y = &c->yaml->steps[step];
	const bool own = y->sides_count > 0;
	char *const *names = own ? y->sides : c->yaml->sides;
	struct side_list out = {.step = own ? step : SIZE_MAX, .count = own ? y->sides_count : c->yaml->sides_count};

	for (size_t i = 0; i < out.count; i++) {
		int side = 0;
		int r = compile_name(c, &sides, out.step, "sides", names[i], &side);
		if (r != 0)
			return r;
		out.list[i] = (enum gf_side)side;
	}
	if (out.count == 2 && (out.list[0] == out.list[1] || out.list[0] == GF_SIDE_BOTH || out.list[1] == GF_SIDE_BOTH))
		return compile_fail(c, out.step, "sides", "two sides must be left and right; at the same time is [both]");
	if (out.count == 0)
		out = (struct side_list){.step = SIZE_MAX, .count = 1, .list = {GF_SIDE_BOTH}};
	*ret_sides = out;
	return 0;
}

int compile_step(struct compiler *c, size_t step)
{
	struct side_list on = {0};
	struct plan plan = {0};
	int r = plan_step(c, step, &plan);

	if (r == 0)
		r = take_sides(c, step, &on);
	for (size_t i = 0; r == 0 && i < on.count; i++)
		r = unroll(c, step, &plan, on.list[i]);
	return r;
}
