#include "tests/unit/agent/control/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"
#include "tests/unit/agent/control/may_tell.h"

struct rig_style {
	enum gf_technique technique;
	float hz, mmhg, speed;
};

static const struct rig_style styles[GF_CLASS_COUNT] = {
    [GF_CLASS_PERCUSSION] = {GF_TECHNIQUE_PERCUSSION, 25, 0, 0}, [GF_CLASS_ROLLER] = {GF_TECHNIQUE_ROLL, 0, 0, 25},
    [GF_CLASS_COMPRESSION] = {GF_TECHNIQUE_COMPRESS, 0, 30, 0},  [GF_CLASS_CHAIR] = {GF_TECHNIQUE_KNEAD, 1, 0, 0},
    [GF_CLASS_WATER_BED] = {GF_TECHNIQUE_WATER, 1.5F, 0, 0},
};

static struct gf_step step(const struct rig_style *style, enum gf_side side, uint32_t seconds, float from, float to,
                           uint32_t ramp_s)
{
	return (struct gf_step){
	    .area = GF_AREA_CALVES,
	    .side = side,
	    .technique = style->technique,
	    .duration_ms = seconds * 1000,
	    .from_pct = from,
	    .to_pct = to,
	    .ramp_ms = ramp_s * 1000,
	    .from_hz = from > 0 ? style->hz : 0,
	    .to_hz = from > 0 ? style->hz : 0,
	    .pressure_from_mmhg = style->mmhg > 0 ? from : 0,
	    .pressure_to_mmhg = style->mmhg > 0 ? to : 0,
	    .speed_mm_s = style->speed,
	};
}

static void routine(struct gf_routine *r, const char *id, struct gf_step *steps, size_t count)
{
	*r = (struct gf_routine){.classes = 0x3e, .steps_count = count, .steps = steps};
	gf_strcpy(r->id, sizeof(r->id), id);
	gf_strcpy(r->title, sizeof(r->title), id);
}

const struct gf_catalog *rig_catalog(enum gf_class class)
{
	static struct gf_step plain[5], steep[2], brief[1];
	static struct gf_routine routines[RIG_ROUTINES];
	static struct gf_catalog catalog;
	const struct rig_style *style = &styles[class];

	plain[0] = step(style, GF_SIDE_LEFT, 30, 25, 40, 15);
	plain[1] = step(style, GF_SIDE_LEFT, 15, 0, 0, 0);
	plain[2] = step(style, GF_SIDE_LEFT, 45, 25, 45, 20);
	plain[3] = step(style, GF_SIDE_RIGHT, 30, 25, 40, 15);
	plain[4] = step(style, GF_SIDE_RIGHT, 45, 40, 40, 0);
	steep[0] = step(style, GF_SIDE_LEFT, 60, 70, 70, 0);
	steep[1] = step(style, GF_SIDE_RIGHT, 60, 20, 75, 5);
	brief[0] = step(style, GF_SIDE_BOTH, 5, 20, 20, 0);
	routine(&routines[RIG_PLAIN - 1], "plain", plain, 5);
	routine(&routines[RIG_STAFF - 1], "staff", plain, 5);
	routine(&routines[RIG_STEEP - 1], "steep", steep, 2);
	routine(&routines[RIG_SHORT - 1], "short", brief, 1);
	routines[RIG_STAFF - 1].staff_unlock = true;
	catalog = (struct gf_catalog){
	    .name = "test", .class = class, .version = 7, .routines_count = RIG_ROUTINES, .routines = routines};
	return &catalog;
}

void rig_open_with(struct rig *rig, const struct control_config *config, const struct control_resume *resume)
{
	rig->config = *config;
	rig->input = (struct driver_input){.has_meter = true, .meter_motor_ms = 5000, .meter_cycles = 10};
	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		rig->input.sensors[i] = NAN;
	rig->input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 30;
	rig->input.sensors[GF_SENSOR_SURFACE_TEMP_C] = 25;
	rig->input.sensors[GF_SENSOR_CURRENT_MA] = 800;
	rig->input.sensors[GF_SENSOR_SPEED_RPM] = 1500;
	rig->input.sensors[GF_SENSOR_SUPPLY_MV] = 24000;
	rig->has_pressure = config->class == GF_CLASS_COMPRESSION;
	if (rig->has_pressure)
		rig->input.sensors[GF_SENSOR_PRESSURE_MMHG] = 0;
	rig->readable = true;
	rig->flicker = rig->steady = false;
	rig->now_ms = 100000;
	rig->count = 0;
	rig->output = (struct driver_output){0};
	assert_int_equal(control_new(config, resume, rig->now_ms, &rig->control), 0);
	rig_tick(rig);
}

void rig_open(struct rig *rig, enum gf_class class, uint32_t tick_ms)
{
	const struct control_resume resume = {.odometer = {.motor_ms = 90000, .sessions = 4, .cycles = 3},
	                                      .next_fault_no = 9};
	struct control_config config = {.class = class, .catalog = rig_catalog(class)};

	control_envelope_defaults(class, &config.envelope);
	rig->tick_ms = tick_ms;
	rig_open_with(rig, &config, &resume);
}

void rig_close(struct rig *rig)
{
	control_free(rig->control);
	rig->control = NULL;
}

/* The hardware between two ticks; no current stands still while a motor works. */
static void elapse(struct rig *rig)
{
	float *current_ma = &rig->input.sensors[GF_SENSOR_CURRENT_MA];
	rig->flicker = !rig->flicker;
	if (!rig->steady)
		*current_ma += rig->flicker ? RIG_FLICKER_MA : -RIG_FLICKER_MA;
	if (rig->has_pressure)
		rig->input.sensors[GF_SENSOR_PRESSURE_MMHG] = rig->output.pressure_mmhg + (rig->flicker ? 0.5F : 0);
	if (output_on(&rig->output))
		rig->input.meter_motor_ms += rig->tick_ms;
	rig->now_ms += rig->tick_ms;
}

void rig_tick(struct rig *rig)
{
	const size_t before = rig->count;
	elapse(rig);
	assert_true(rig->count + CONTROL_EVENTS_PER_STEP_MAX < RIG_EVENTS_MAX);
	rig->count += control_step(rig->control, rig->now_ms, rig->readable ? &rig->input : NULL, &rig->output,
	                           &rig->events[rig->count]);
	for (size_t i = before; i < rig->count; i++)
		assert_true(may_tell(&rig->events[i]));
}

void rig_run(struct rig *rig, int64_t ms)
{
	for (const int64_t until = rig->now_ms + ms; rig->now_ms < until;)
		rig_tick(rig);
}

void rig_press(struct rig *rig, bool *button)
{
	*button = true;
	rig_tick(rig);
	*button = false;
	rig_run(rig, PANEL_RELEASE_MS + rig->tick_ms);
}

void rig_reach(struct rig *rig, enum gf_sensor sensor, float value)
{
	float *now = &rig->input.sensors[sensor];
	while (*now < value || *now > value) {
		const float away = value - *now;
		*now += away > RIG_REACH ? RIG_REACH : away < -RIG_REACH ? -RIG_REACH : away;
		rig_tick(rig);
	}
}

void rig_start(struct rig *rig, uint16_t routine_no)
{
	rig->input.panel.routine = routine_no;
	rig_tick(rig);
	rig_tick(rig);
	rig->input.panel.routine = 0;
}

const struct control_event *rig_event(const struct rig *rig, enum control_event_kind kind, size_t n)
{
	for (size_t i = 0; i < rig->count; i++) {
		if (rig->events[i].kind == kind && n-- == 0)
			return &rig->events[i];
	}
	return NULL;
}

size_t rig_count(const struct rig *rig, enum control_event_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < rig->count; i++)
		n += rig->events[i].kind == kind ? 1 : 0;
	return n;
}

const struct gf_session_ended *rig_ended(const struct rig *rig)
{
	const size_t n = rig_count(rig, CONTROL_EVENT_SESSION_ENDED);
	assert_true(n > 0);
	return &rig_event(rig, CONTROL_EVENT_SESSION_ENDED, n - 1)->session_ended;
}

const struct gf_fault_raised *rig_fault(const struct rig *rig, enum gf_fault code, enum gf_severity severity)
{
	for (size_t i = 0; i < rig->count; i++) {
		const struct control_event *e = &rig->events[i];
		if (e->kind == CONTROL_EVENT_FAULT_RAISED && e->fault_raised.code == code &&
		    e->fault_raised.severity == severity)
			return &e->fault_raised;
	}
	return NULL;
}

const struct gf_limit_hit *rig_hit(const struct rig *rig, const char *rule, const char *action)
{
	for (size_t i = 0; i < rig->count; i++) {
		const struct control_event *e = &rig->events[i];
		if (e->kind == CONTROL_EVENT_LIMIT_HIT && strcmp(e->limit_hit.rule, rule) == 0 &&
		    strcmp(e->limit_hit.action, action) == 0)
			return &e->limit_hit;
	}
	return NULL;
}

void rig_forget(struct rig *rig)
{
	rig->count = 0;
}

bool rig_cleared(const struct rig *rig, enum gf_fault code)
{
	for (size_t i = 0; i < rig->count; i++) {
		const struct control_event *e = &rig->events[i];
		if (e->kind == CONTROL_EVENT_FAULT_CLEARED && e->fault_cleared.code == code)
			return true;
	}
	return false;
}
