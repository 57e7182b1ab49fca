/*
 * I3, I4 and the rules of rest, latches and spots against millions of random ticks: any catalog, limit, reading, button and command. What
 * must hold is written here a second time, slow and obvious. GF_SEED=N plays other millions.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/control.h"
#include "agent/control/sitting.h"
#include "proto/base/rand.h"
#include "tests/unit/agent/control/may_tell.h"

enum { ERAS = 800, TICKS_PER_ERA = 5000, ROUTINES = 4, STEPS = 12, SHELVES = 3, GAP_MS = 2000 };

struct world {
	uint64_t seed;
	struct gf_prng prng;
	struct shelf {
		struct gf_step steps[ROUTINES][STEPS];
		struct gf_routine routines[ROUTINES];
		struct gf_catalog catalog;
	} shelves[SHELVES]; /* what one catalog consists of */
	/* Which one sessions are of, and which one waits; -1: none. What is neither of them is overwritten. */
	int playing, waiting;
	uint64_t version, switches, switches_late;
	struct control_config config;
	struct control *control;
	int64_t now_ms;
	uint32_t tick_ms, elapsed_ms;
	bool readable;
	struct driver_input input;
	struct driver_output before, output;
	int64_t over_since_ms; /* the current is above its limit in every reading since; -1: it isn't */
	unsigned over_ticks;
	bool in_session;
	uint64_t ticks_on, ended, session_no;
	struct control_limits limits;
	struct control_envelope envelope; /* with the limits */
	unsigned wild_ticks;              /* so long the sensors show anything */
	bool calm;                        /* this era's sensors are mostly fine */
	double duty_ms;
	bool resting;
	unsigned latched;                                  /* faults that only staff may clear */
	uint32_t spot_ms[GF_AREA_COUNT][2][SITTING_KINDS]; /* of this session */
	uint64_t rests, latches, skips;
};

static uint64_t below(struct world *w, uint64_t bound)
{
	return gf_prng_below(&w->prng, bound);
}

static bool one_in(struct world *w, uint64_t n)
{
	return below(w, n) == 0;
}

/* Mostly sensible, sometimes absurd. */
static float wild(struct world *w, float usual_max)
{
	static const float absurd[] = {-1, 1e30F, -1e30F, 0, 1e9F};
	if (one_in(w, 50))
		return NAN;
	if (one_in(w, 50))
		return INFINITY;
	if (one_in(w, 20))
		return absurd[below(w, sizeof(absurd) / sizeof(absurd[0]))];
	return (float)gf_prng_unit(&w->prng) * usual_max;
}

static void random_step(struct world *w, struct gf_step *step)
{
	*step = (struct gf_step){
	    .area = (enum gf_area)below(w, GF_AREA_COUNT + 2),
	    .side = (enum gf_side)below(w, GF_SIDE_COUNT + 1),
	    .technique = (enum gf_technique)below(w, GF_TECHNIQUE_COUNT + 1),
	    .duration_ms = (uint32_t)below(w, one_in(w, 10) ? 10 : 40000),
	    .from_pct = wild(w, 120),
	    .to_pct = wild(w, 120),
	    .ramp_ms = (uint32_t)below(w, 30000),
	    .from_hz = wild(w, 100),
	    .to_hz = wild(w, 100),
	    .pressure_from_mmhg = wild(w, 150),
	    .pressure_to_mmhg = wild(w, 150),
	    .speed_mm_s = wild(w, 50),
	    .hold_ms = (uint32_t)below(w, 50000),
	};
}

static void random_catalog(struct world *w, struct shelf *shelf)
{
	shelf->catalog = (struct gf_catalog){
	    .name = "wild",
	    .version = ++w->version,
	    .routines_count = one_in(w, 4) ? below(w, ROUTINES + 1) : ROUTINES,
	    .routines = shelf->routines,
	};
	for (size_t i = 0; i < ROUTINES; i++) {
		shelf->routines[i] = (struct gf_routine){
		    .id = "wild",
		    .classes = UINT32_MAX,
		    .staff_unlock = one_in(w, 4),
		    .cap_pct = one_in(w, 3) ? wild(w, 100) : 0,
		    .steps_count = below(w, STEPS + 1),
		    .steps = shelf->steps[i],
		};
		for (size_t s = 0; s < STEPS; s++)
			random_step(w, &shelf->steps[i][s]);
	}
}

static void random_envelope(struct world *w)
{
	struct control_envelope *e = &w->config.envelope;
	w->config.class = (enum gf_class)(1 + below(w, GF_CLASS_COUNT - 1));
	w->config.hand_held = control_hand_held(w->config.class, 0);
	control_envelope_defaults(w->config.class, e);
	e->intensity_max_pct = 20 + (float)below(w, 61);
	e->start_max_pct = 10 + (float)below(w, 21);
	e->session_max_ms = one_in(w, 2) ? (uint32_t)below(w, 100000) : e->session_max_ms;
	e->duty_warn_ms = (uint32_t)below(w, 60000);
	e->duty_max_ms = one_in(w, 5) ? 0 : e->duty_warn_ms + (uint32_t)below(w, 60000);
	e->rest_ms = (uint32_t)below(w, 30000);
	w->config.heat_c = wild(w, 60);
}

static void random_limits(struct world *w)
{
	w->limits = (struct control_limits){
	    .locked = one_in(w, 30),
	    .intensity_max_pct = one_in(w, 2) ? wild(w, 100) : 0,
	    .frequency_max_hz = one_in(w, 4) ? wild(w, 60) : 0,
	    .pressure_max_mmhg = one_in(w, 4) ? wild(w, 120) : 0,
	    .heat_max_c = one_in(w, 4) ? wild(w, 60) : 0,
	    .session_max_ms = one_in(w, 4) ? (uint32_t)below(w, 200000) : 0,
	};
	control_set_limits(w->control, &w->limits);
	w->envelope = control_envelope_tighten(&w->config.envelope, &w->limits);
}

static void wild_sensors(struct world *w)
{
	static const float usual[GF_SENSOR_COUNT] = {0, 62, 41.5F, 4500, 3000, 90, 30000, 100};
	for (int i = 0; i < GF_SENSOR_COUNT; i++) {
		if (one_in(w, 10))
			w->input.sensors[i] = one_in(w, 3) ? wild(w, usual[i] * 2) : usual[i] * (float)gf_prng_unit(&w->prng);
	}
}

static void fine_sensors(struct world *w)
{
	float *sensors = w->input.sensors;
	const float noise = (float)gf_prng_unit(&w->prng);
	sensors[GF_SENSOR_MOTOR_TEMP_C] = 35 + noise * (w->calm ? 5 : 40);
	sensors[GF_SENSOR_SURFACE_TEMP_C] = 30 + noise;
	sensors[GF_SENSOR_CURRENT_MA] = 600 + noise * 100;
	sensors[GF_SENSOR_SPEED_RPM] = 900 + noise * 100;
	sensors[GF_SENSOR_PRESSURE_MMHG] = w->output.pressure_mmhg + noise;
	sensors[GF_SENSOR_SUPPLY_MV] = 24000 + noise * 100;
	sensors[GF_SENSOR_BATTERY_PCT] = NAN;
}

static void random_sensors(struct world *w)
{
	if (one_in(w, w->calm ? 9000 : 300))
		w->wild_ticks = (unsigned)below(w, 100);
	if (w->wild_ticks == 0) {
		fine_sensors(w);
		return;
	}
	w->wild_ticks--;
	wild_sensors(w);
}

static void random_hardware(struct world *w)
{
	w->readable = !one_in(w, 2000);
	w->input.estop = one_in(w, 4000);
	w->input.cover_open = one_in(w, 4000);
	w->input.has_occupied = one_in(w, 2);
	w->input.occupied = !one_in(w, 100);
	w->input.fault = one_in(w, 8000) ? (enum gf_fault)below(w, GF_FAULT_COUNT) : GF_FAULT_UNSPECIFIED;
	for (int axis = 0; axis < DRIVER_AXIS_COUNT; axis++)
		w->input.axes[axis] = (struct driver_axis){.present = one_in(w, 2), .there = !one_in(w, 5)};
	w->input.has_meter = !one_in(w, 500);
	w->input.meter_motor_ms = one_in(w, 5000) ? gf_prng_next(&w->prng) >> 20 : w->input.meter_motor_ms;
}

static void random_reading(struct world *w)
{
	struct driver_panel *panel = &w->input.panel;

	random_hardware(w);
	random_sensors(w);
	panel->routine = one_in(w, 10) ? (uint16_t)below(w, ROUTINES + 2) : panel->routine;
	panel->stop = one_in(w, 4000);
	panel->pause = one_in(w, 600);
	panel->pain = one_in(w, 4000);
	panel->intensity_up = one_in(w, 20);
	panel->intensity_down = one_in(w, 25);
	panel->staff_key = one_in(w, 400) ? !panel->staff_key : panel->staff_key;
	panel->subject_token = one_in(w, 1000) ? below(w, 4) : panel->subject_token;
}

static void begin_era(struct world *w)
{
	static const uint32_t ticks[] = {20, 20, 20, 1000, 7, 300};
	const struct control_resume resume = {.next_fault_no = 1};

	random_catalog(w, &w->shelves[0]);
	random_envelope(w);
	w->config.catalog = &w->shelves[0].catalog;
	w->playing = 0;
	w->waiting = -1;
	w->in_session = false;
	w->tick_ms = ticks[below(w, sizeof(ticks) / sizeof(ticks[0]))];
	w->input = (struct driver_input){0};
	w->calm = !one_in(w, 4);
	w->wild_ticks = w->latched = 0;
	w->duty_ms = 0;
	w->resting = false;
	fine_sensors(w);
	w->before = w->output = (struct driver_output){0};
	w->over_since_ms = -1;
	w->session_no = 0;
	assert_int_equal(control_new(&w->config, &resume, w->now_ms, &w->control), 0);
	w->limits = (struct control_limits){0};
	w->envelope = w->config.envelope;
}

#define MUST(w, condition)                                                                                         \
	do {                                                                                                           \
		if (!(condition))                                                                                          \
			fail_msg("seed %llu: not so: %s (%.6f %%, before %.6f %%)", (unsigned long long)(w)->seed, #condition, \
			         (double)(w)->output.intensity_pct, (double)(w)->before.intensity_pct);                        \
	} while (0)

static void check_i3(struct world *w)
{
	const struct control_envelope *e = &w->envelope;
	const struct driver_output *o = &w->output;

	if (o->command != DRIVER_START) {
		MUST(w, o->intensity_pct == 0 && o->frequency_hz == 0 && o->pressure_mmhg == 0 && o->speed_mm_s == 0 &&
		            o->heat_c == 0);
		return;
	}
	MUST(w, o->intensity_pct >= 0 && o->intensity_pct <= e->intensity_max_pct);
	MUST(w, o->intensity_pct <= gf_technique_cap_pct(o->area, o->technique));
	MUST(w, o->frequency_hz >= 0 && o->frequency_hz <= e->frequency_max_hz);
	MUST(w, o->pressure_mmhg >= 0 && o->pressure_mmhg <= e->pressure_max_mmhg);
	MUST(w, o->speed_mm_s >= 0 && o->speed_mm_s <= 25);
	MUST(w, o->heat_c >= 0 && o->heat_c <= e->heat_max_c && !o->clear_fault);
	MUST(w, o->ramp_pct_s >= 0 && o->ramp_pct_s <= e->ramp_max_pct_s);
	MUST(w, w->envelope.intensity_max_pct <= w->config.envelope.intensity_max_pct);
	if (!output_on(&w->before) || !output_same_spot(&w->before, o))
		MUST(w, o->intensity_pct <= e->start_max_pct);
	else
		MUST(w,
		     o->intensity_pct <= w->before.intensity_pct + e->ramp_max_pct_s * (float)w->elapsed_ms / 1000.0F + 0.001F);
}

static void check_i4(struct world *w)
{
	const float current = w->input.sensors[GF_SENSOR_CURRENT_MA];

	if (!w->readable || w->input.estop || w->input.cover_open)
		MUST(w, !output_on(&w->output));
	if (!w->readable || !(current > w->config.envelope.current_max_ma) || !(current <= 200000)) {
		w->over_since_ms = -1;
		w->over_ticks = 0;
		return;
	}
	if (w->over_since_ms < 0)
		w->over_since_ms = w->now_ms;
	else if (w->now_ms - w->over_since_ms >= 300 && w->elapsed_ms <= 1000)
		w->over_ticks++;
	if (w->over_ticks >= 2)
		MUST(w, !output_on(&w->output));
}

/* D1: what ran fills the budget, what rested empties it; full, it must be emptied. */
static void check_duty(struct world *w, uint32_t real_ms)
{
	const struct control_envelope *e = &w->config.envelope;
	if (e->duty_max_ms == 0)
		return;
	if (output_on(&w->before))
		w->duty_ms += w->elapsed_ms;
	const uint32_t rested_ms = output_on(&w->before) ? real_ms - w->elapsed_ms : real_ms;
	if (w->duty_ms >= e->duty_max_ms) {
		w->rests += w->resting ? 0 : 1;
		w->resting = true;
		w->duty_ms = e->duty_max_ms;
	}
	if (rested_ms > 0)
		w->duty_ms -= e->rest_ms > 0 ? (double)rested_ms * e->duty_max_ms / e->rest_ms : w->duty_ms;
	if (w->duty_ms <= 0) {
		w->duty_ms = 0;
		w->resting = false;
	}
	MUST(w, !w->resting || w->duty_ms < 0.01 || !output_on(&w->output));
}

/* P1 within one session, area by area. */
static void check_spots(struct world *w)
{
	static const uint32_t stop_ms[SITTING_KINDS] = {180000, 240000, 1800000};
	const struct driver_output *o = &w->before;
	if (!output_on(o))
		return;
	const bool impact = o->technique == GF_TECHNIQUE_PERCUSSION || o->technique == GF_TECHNIQUE_DRUM;
	const bool soft = o->technique == GF_TECHNIQUE_WATER || o->technique == GF_TECHNIQUE_COMPRESS ||
	                  o->technique == GF_TECHNIQUE_STROKE;
	const enum sitting_kind kind = impact ? SITTING_IMPACT : soft ? SITTING_SOFT : SITTING_RUB;
	for (int side = 0; side < 2; side++) {
		if (o->side != (side == 0 ? GF_SIDE_RIGHT : GF_SIDE_LEFT))
			w->spot_ms[o->area][side][kind] += w->elapsed_ms;
		MUST(w, w->spot_ms[o->area][side][kind] <= stop_ms[kind] + GAP_MS);
	}
}

/* What latches is cleared by staff alone; until then nothing runs. */
static void check_latch(struct world *w, const struct control_event *event)
{
	if (event->kind == CONTROL_EVENT_FAULT_RAISED && event->fault_raised.severity == GF_SEVERITY_LATCH) {
		w->latched++;
		w->latches++;
	}
	if (event->kind == CONTROL_EVENT_FAULT_CLEARED && event->fault_cleared.by == GF_CLEARED_BY_STAFF) {
		MUST(w, w->latched > 0 && w->input.panel.staff_key);
		w->latched--;
	}
}

/* Who is told of the switch throws the old one away at once: whoever still looks into it finds rubbish. */
static void check_switch(struct world *w, const struct control_event *event)
{
	MUST(w, w->waiting >= 0 && !w->in_session && event->catalog == &w->shelves[w->waiting].catalog);
	struct shelf *old = &w->shelves[w->playing];
	old->catalog.routines = NULL;
	old->catalog.routines_count = SIZE_MAX;
	for (size_t i = 0; i < ROUTINES; i++)
		old->routines[i] = (struct gf_routine){.steps_count = SIZE_MAX};
	w->playing = w->waiting;
	w->waiting = -1;
	w->switches++;
}

/* A session is of the catalog that plays, and none begins while another one waits. */
static void check_session(struct world *w, const struct gf_session_started *started)
{
	MUST(w, started->session_no == w->session_no + 1 && !w->limits.locked);
	MUST(w, w->waiting < 0 && started->catalog_version == w->shelves[w->playing].catalog.version);
	w->in_session = true;
}

/* Sessions are numbered without holes and no event is outside the contract. */
static void check_events(struct world *w, const struct control_event *events, size_t count)
{
	MUST(w, count <= CONTROL_EVENTS_PER_STEP_MAX);
	for (size_t i = 0; i < count; i++) {
		MUST(w, memory_valid(&events[i].memory) && may_tell(&events[i]));
		check_latch(w, &events[i]);
		w->skips += events[i].kind == CONTROL_EVENT_LIMIT_HIT && events[i].limit_hit.action[0] == 's' ? 1 : 0;
		if (events[i].kind == CONTROL_EVENT_SESSION_STARTED) {
			check_session(w, &events[i].session_started);
			memset(w->spot_ms, 0, sizeof(w->spot_ms));
		}
		if (events[i].kind == CONTROL_EVENT_CATALOG)
			check_switch(w, &events[i]);
		if (events[i].kind != CONTROL_EVENT_SESSION_ENDED)
			continue;
		w->session_no++;
		w->ended++;
		w->in_session = false;
		w->switches_late += w->waiting >= 0 ? 1 : 0;
		MUST(w, events[i].session_ended.start.session_no == w->session_no);
		MUST(w, events[i].session_ended.outcome > 0 && events[i].session_ended.outcome < GF_OUTCOME_COUNT);
		MUST(w, events[i].session_ended.areas_count <= GF_SESSION_AREAS_MAX);
	}
	MUST(w, w->latched == 0 || !output_on(&w->output));
}

/* One that neither plays nor waits is made anew; it may take the place of the one that waits. */
static void random_switch(struct world *w)
{
	int free = 0;
	while (free == w->playing || free == w->waiting)
		free++;
	random_catalog(w, &w->shelves[free]);
	w->waiting = free;
	control_set_catalog(w->control, &w->shelves[free].catalog);
}

static void random_command(struct world *w)
{
	if (one_in(w, 2000))
		random_switch(w);
	if (one_in(w, 500))
		random_limits(w);
	if (one_in(w, 3000))
		control_stop(w->control, GF_OUTCOME_STAFF_STOPPED);
	if (one_in(w, 1000))
		control_set_storage(w->control, one_in(w, 2));
}

static void random_tick(struct world *w)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	const uint32_t elapsed_ms = one_in(w, 2000) ? (uint32_t)below(w, 10000) : w->tick_ms;

	w->now_ms += elapsed_ms;
	w->elapsed_ms = elapsed_ms > GAP_MS ? GAP_MS : elapsed_ms;
	if (output_on(&w->output))
		w->input.meter_motor_ms += elapsed_ms;
	random_command(w);
	random_reading(w);
	w->before = w->output;
	const size_t count = control_step(w->control, w->now_ms, w->readable ? &w->input : NULL, &w->output, events);
	w->ticks_on += output_on(&w->output) ? 1 : 0;
	check_i3(w);
	check_i4(w);
	check_duty(w, elapsed_ms);
	check_spots(w);
	check_events(w, events, count);
	MUST(w, w->waiting < 0 || control_in_session(w->control)); /* idle, it waits for nothing */
}

static void i3_and_i4_hold_for_millions_of_random_ticks(void **state)
{
	(void)state;
	static struct world w;
	const char *seed = getenv("GF_SEED");

	w.seed = seed != NULL ? strtoull(seed, NULL, 10) : 20260105;
	gf_prng_seed(&w.prng, w.seed);
	for (int era = 0; era < ERAS; era++) {
		begin_era(&w);
		for (int i = 0; i < TICKS_PER_ERA; i++)
			random_tick(&w);
		control_free(w.control);
	}
	print_message("seed %llu: %llu sessions, on in %llu of %d ticks; %llu rests, %llu latches, %llu stops and skips\n",
	              (unsigned long long)w.seed, (unsigned long long)w.ended, (unsigned long long)w.ticks_on,
	              ERAS * TICKS_PER_ERA, (unsigned long long)w.rests, (unsigned long long)w.latches,
	              (unsigned long long)w.skips);
	/* A test in which nothing runs proves nothing. */
	assert_true(w.ended > 5000 && w.ticks_on > 300000 && w.rests > 200 && w.latches > 50 && w.skips > 200);
	assert_true(w.switches > 1000 && w.switches_late > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(i3_and_i4_hold_for_millions_of_random_ticks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
