/* What is told: the most that one step can say, and an account of random hours in which nothing is missing, doubled or out of order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"
#include "proto/base/rand.h"
#include "proto/codec.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20, HOUR_MS = 3600 * 1000 };

static struct rig rig;

/* --- the most at once -------------------------------------------------------------------------------------------- */

/* A person who has nearly had all of P1 on the left and its warning on the right; eight areas are closed. */
static void open_nearly_full(uint32_t heartbeat_ms)
{
	struct control_resume resume = {.next_fault_no = 1};
	struct control_config config = {.class = GF_CLASS_CHAIR, .tick_ms = TICK_MS, .heartbeat_ms = heartbeat_ms};
	config.catalog = rig_catalog(config.class);
	control_envelope_defaults(config.class, &config.envelope);
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++)
		resume.memory.closed[i] = (struct memory_closed){GF_AREA_NECK, GF_SIDE_LEFT, .left_ms = HOUR_MS};
	resume.memory.sitting.open = true;
	for (int g = 0; g < MEMORY_GROUPS; g++) {
		resume.memory.sitting.area_s[g][0][1] = 236;
		resume.memory.sitting.area_s[g][1][1] = 146;
	}
	rig.tick_ms = TICK_MS;
	rig_open_with(&rig, &config, &resume);
	rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 50;
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 59);
	rig_reach(&rig, GF_SENSOR_SURFACE_TEMP_C, 40);
	rig_run(&rig, 3000);
	rig_start(&rig, RIG_SHORT);
}

/* A session is closed, staff opens what is closed, five faults rise, a heartbeat is due and the next session starts. */
static void everything_at_once_fits_into_one_step(void **state)
{
	(void)state;
	open_nearly_full(HOUR_MS);
	const int64_t started_ms = rig.now_ms;
	while (rig.output.command == DRIVER_START)
		rig_tick(&rig);
	const int64_t next_ms = rig.now_ms + TICK_MS - started_ms;
	const int64_t beat_ms = rig.now_ms + TICK_MS - 100000;
	rig_close(&rig);

	open_nearly_full((uint32_t)beat_ms);
	for (const int64_t due_ms = rig.now_ms + next_ms; rig.now_ms + TICK_MS < due_ms; rig_tick(&rig)) {
		const int64_t left_ms = due_ms - rig.now_ms - TICK_MS;
		rig.input.panel.staff_key = left_ms <= PANEL_STAFF_HOLD_MS;
		rig.input.panel.routine = left_ms <= TICK_MS ? RIG_STEEP : 0;
		rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = left_ms <= 1000 ? 61 : 59;
		rig.input.sensors[GF_SENSOR_SURFACE_TEMP_C] = left_ms <= 1000 ? 41.5F : 40;
		rig.input.sensors[GF_SENSOR_BATTERY_PCT] = 5;
		control_set_storage(rig.control, left_ms <= 1000);
	}
	rig_forget(&rig);
	rig.now_ms += 200; /* and it is late */
	rig_tick(&rig);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_ENDED), 1);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_STARTED), 1);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_PROGRESS), 1);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_TELEMETRY), 1);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_LIMIT_HIT), MEMORY_CLOSED_MAX + 3);
	assert_true(rig_hit(&rig, "P1", "skip_step") && rig_hit(&rig, "P1", "warn") && rig_hit(&rig, "P6", "clamp"));
	assert_in_range(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 4, 8);
	assert_true(rig.count <= CONTROL_EVENTS_PER_STEP_MAX);
	rig_close(&rig);
}

/* --- random hours ------------------------------------------------------------------------------------------------ */

enum { ERAS = 40, ERA_S = 1800, OPEN_MAX = 64 };

/* What the records say, and nothing else. */
struct account {
	uint64_t seed;
	struct gf_prng prng;
	uint64_t last_no, open_no; /* of sessions; open_no 0: none is open */
	unsigned pains, stops;     /* of the open session: P8's hits, hits that may end it */
	uint64_t last_fault_no;
	struct gf_fault_raised open[OPEN_MAX];
	size_t open_count;
	unsigned stopping; /* faults that stop are open */
	bool resting;
	size_t closed;
	struct control_memory memory; /* of the last record */
	uint64_t restarts;
	uint64_t sessions, safety, held, hits, faults, opened;
};

#define MUST(a, condition)                                                                \
	do {                                                                                  \
		if (!(condition))                                                                 \
			fail_msg("seed %llu: not so: %s", (unsigned long long)(a)->seed, #condition); \
	} while (0)

static bool one_in(struct account *a, uint64_t n)
{
	return gf_prng_below(&a->prng, n) == 0;
}

static void take_ended(struct account *a, const struct gf_session_ended *ended)
{
	MUST(a, a->open_no != 0 && ended->start.session_no == a->open_no);
	MUST(a, ended->pain_presses == a->pains);
	MUST(a, ended->duration_ms <= 2 * ERA_S * 1000 && ended->paused_ms <= ended->duration_ms);
	/* Nobody treats themselves. */
	MUST(a, ended->start.staff_token == 0 || ended->start.staff_token != ended->start.subject_token);
	a->held += ended->start.staff_token != 0 ? 1 : 0;
	/* Nothing is stopped for safety without a rule that says so, nor by a fault without a fault. */
	MUST(a, ended->outcome != GF_OUTCOME_SAFETY_STOPPED || a->stops > 0);
	a->safety += ended->outcome == GF_OUTCOME_SAFETY_STOPPED ? 1 : 0;
	a->sessions++;
	a->open_no = 0;
}

static void take_hit(struct account *a, const struct gf_limit_hit *hit)
{
	const bool stops = strcmp(hit->action, "stop") == 0 || strcmp(hit->action, "skip_step") == 0;
	MUST(a, hit->session_no == a->open_no);
	MUST(a, isfinite(hit->observed) && isfinite(hit->limit) && hit->rule[0] != '\0');
	a->stops += stops ? 1 : 0;
	a->pains += strcmp(hit->rule, "P8") == 0 && (strcmp(hit->action, "stop") == 0 || strcmp(hit->action, "clamp") == 0);
	a->opened += strcmp(hit->action, "open") == 0 ? 1 : 0;
	a->hits++;
}

static void take_raised(struct account *a, const struct gf_fault_raised *raised)
{
	MUST(a, raised->fault_no == a->last_fault_no + 1 && a->open_count < OPEN_MAX);
	MUST(a, raised->code > 0 && raised->code < GF_FAULT_COUNT && raised->detail[0] != '\0');
	a->last_fault_no++;
	a->open[a->open_count++] = *raised;
	a->stopping += raised->severity >= GF_SEVERITY_STOP ? 1 : 0;
	a->faults++;
}

static void take_cleared(struct account *a, const struct gf_fault_cleared *cleared)
{
	size_t i = 0;
	while (i < a->open_count && a->open[i].fault_no != cleared->fault_no)
		i++;
	MUST(a, i < a->open_count && a->open[i].code == cleared->code);
	a->stopping -= a->open[i].severity >= GF_SEVERITY_STOP ? 1 : 0;
	a->open[i] = a->open[--a->open_count];
}

/* Whatever control tells can be sent, and is taken. */
static void assert_travels(struct account *a, const struct control_event *event)
{
	static const enum gf_record_kind kinds[] = {
	    [CONTROL_EVENT_SESSION_STARTED] = GF_RECORD_SESSION_STARTED,
	    [CONTROL_EVENT_SESSION_PROGRESS] = GF_RECORD_SESSION_ENDED,
	    [CONTROL_EVENT_SESSION_ENDED] = GF_RECORD_SESSION_ENDED,
	    [CONTROL_EVENT_FAULT_RAISED] = GF_RECORD_FAULT_RAISED,
	    [CONTROL_EVENT_FAULT_CLEARED] = GF_RECORD_FAULT_CLEARED,
	    [CONTROL_EVENT_LIMIT_HIT] = GF_RECORD_LIMIT_HIT,
	    [CONTROL_EVENT_TELEMETRY] = GF_RECORD_HEARTBEAT,
	};
	static struct gf_record record, got;
	unsigned char buf[GF_RECORD_MAX];
	size_t len;
	record = (struct gf_record){.seq = 1, .boot = 1, .kind = kinds[event->kind]};
	/* The union's members share their place in both. */
	memcpy(&record.heartbeat, &event->heartbeat, sizeof(*event) - offsetof(struct control_event, heartbeat));
	MUST(a, gf_record_encode(&record, buf, sizeof(buf), &len) == 0);
	MUST(a, gf_record_decode(buf, len, &got, NULL) == 0 && got.kind == record.kind);
}

static size_t closed_in(const struct control_memory *memory)
{
	size_t n = 0;
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++)
		n += memory->closed[i].left_ms > 0 ? 1 : 0;
	return n;
}

static void take_step(struct account *a, const struct control_event *events, size_t count)
{
	unsigned rests = 0, closes = 0;
	for (size_t i = 0; i < count; i++) {
		const struct control_event *e = &events[i];
		assert_travels(a, e);
		switch (e->kind) {
		case CONTROL_EVENT_SESSION_STARTED:
			MUST(a, !e->memory.resting && e->memory.latched_count == 0);
			MUST(a, a->open_no == 0 && e->session_started.session_no == a->last_no + 1 && a->stopping == 0);
			a->open_no = ++a->last_no;
			a->pains = a->stops = 0;
			break;
		case CONTROL_EVENT_SESSION_PROGRESS:
			MUST(a, e->session_ended.start.session_no == a->open_no);
			break;
		case CONTROL_EVENT_CATALOG:
			MUST(a, false); /* nobody gave one */
			break;
		case CONTROL_EVENT_SESSION_ENDED:
			take_ended(a, &e->session_ended);
			break;
		case CONTROL_EVENT_LIMIT_HIT:
			take_hit(a, &e->limit_hit);
			rests += strcmp(e->limit_hit.rule, "D1") == 0 && e->limit_hit.lasts_ms > 0 &&
			         strcmp(e->limit_hit.action, "stop") == 0;
			closes += strcmp(e->limit_hit.rule, "P8") == 0 && strcmp(e->limit_hit.action, "stop") == 0;
			break;
		case CONTROL_EVENT_FAULT_RAISED:
			take_raised(a, &e->fault_raised);
			break;
		case CONTROL_EVENT_FAULT_CLEARED:
			take_cleared(a, &e->fault_cleared);
			break;
		case CONTROL_EVENT_TELEMETRY:
			break;
		}
	}
	if (count == 0)
		return;
	/* A rest that begins and an area that closes are told in the step in which they do. */
	const struct control_memory *memory = &events[count - 1].memory;
	MUST(a, !memory->resting || a->resting || rests == 1);
	MUST(a, closed_in(memory) <= a->closed + closes);
	a->resting = memory->resting;
	a->memory = *memory;
	a->closed = closed_in(memory);
}

/* Somebody plays with every button, and the hardware isn't what it was. */
static void random_moment(struct account *a)
{
	static const float absurd[] = {NAN, INFINITY, -INFINITY, 1e30F, -19, 199999};
	struct driver_panel *panel = &rig.input.panel;
	float *sensors = rig.input.sensors;
	panel->routine = one_in(a, 40) ? (uint16_t)gf_prng_below(&a->prng, RIG_ROUTINES + 1) : panel->routine;
	panel->stop = one_in(a, 1500);
	panel->pause = one_in(a, 800);
	panel->pain = one_in(a, 3000);
	panel->intensity_up = one_in(a, 100);
	panel->staff_key = one_in(a, 300) ? !panel->staff_key : panel->staff_key;
	panel->subject_token = one_in(a, 2000) ? gf_prng_below(&a->prng, 3) : panel->subject_token;
	rig.input.occupied = one_in(a, 500) ? !rig.input.occupied : rig.input.occupied;
	rig.input.estop = one_in(a, 8000) || (rig.input.estop && !one_in(a, 20));
	rig.readable = rig.readable ? !one_in(a, 4000) : one_in(a, 20);
	rig.input.fault = one_in(a, 20000) ? (enum gf_fault)gf_prng_below(&a->prng, GF_FAULT_COUNT)
	                  : one_in(a, 50)  ? GF_FAULT_UNSPECIFIED
	                                   : rig.input.fault;
	sensors[GF_SENSOR_CURRENT_MA] = one_in(a, 10000) ? 9000 : one_in(a, 50) ? 800 : sensors[GF_SENSOR_CURRENT_MA];
	sensors[GF_SENSOR_MOTOR_TEMP_C] += ((float)gf_prng_unit(&a->prng) - 0.505F) * 2;
	if (one_in(a, 20000))
		sensors[1 + gf_prng_below(&a->prng, GF_SENSOR_COUNT - 1)] = absurd[gf_prng_below(&a->prng, 6)];
	if (one_in(a, 100))
		sensors[GF_SENSOR_SUPPLY_MV] = 24000, sensors[GF_SENSOR_SURFACE_TEMP_C] = 25;
	if (!(sensors[GF_SENSOR_MOTOR_TEMP_C] >= 25 && sensors[GF_SENSOR_MOTOR_TEMP_C] < 80))
		sensors[GF_SENSOR_MOTOR_TEMP_C] = 30;
	if (one_in(a, 3000))
		control_stop(rig.control, GF_OUTCOME_STAFF_STOPPED);
}

/* The power goes and comes back at once: what is told goes on from the last record. */
static void power_cycle(struct account *a)
{
	struct control_resume resume = {.odometer = {.sessions = a->last_no}, .next_fault_no = a->last_fault_no + 1};
	size_t kept = 0;
	resume.memory = a->memory;
	a->open_no = 0;
	a->stopping = 0;
	for (size_t i = 0; i < a->open_count; i++) {
		if (a->open[i].severity == GF_SEVERITY_LATCH)
			a->open[kept++] = a->open[i];
	}
	a->open_count = kept;
	a->stopping = (unsigned)kept;
	a->restarts++;
	control_free(rig.control);
	assert_int_equal(control_new(&rig.config, &resume, rig.now_ms, &rig.control), 0);
	rig.output = (struct driver_output){0};
}

static void begin_era(struct account *a)
{
	const enum gf_class class = (enum gf_class)(1 + gf_prng_below(&a->prng, GF_CLASS_COUNT - 1));
	struct control_config config = {
	    .class = class, .hand_held = control_hand_held(class, 0), .catalog = rig_catalog(class)};
	const struct control_resume resume = {.next_fault_no = 1};
	control_envelope_defaults(class, &config.envelope);
	config.envelope.duty_warn_ms = 100 * 1000;
	config.envelope.duty_max_ms = 200 * 1000;
	config.envelope.rest_ms = 100 * 1000;
	rig.tick_ms = TICK_MS * (1 + (uint32_t)gf_prng_below(&a->prng, 5));
	rig.input.panel = (struct driver_panel){0};
	a->last_no = a->open_no = a->last_fault_no = 0;
	a->stopping = 0;
	a->open_count = a->closed = 0;
	a->resting = false;
	rig_open_with(&rig, &config, &resume);
	rig.input.has_occupied = rig.input.occupied = true;
	a->memory = rig.events[rig.count - 1].memory;
	rig_forget(&rig);
}

static void every_action_is_told_once_and_in_order(void **state)
{
	(void)state;
	static struct account a;
	const char *seed = getenv("GF_SEED");
	a.seed = seed != NULL ? strtoull(seed, NULL, 10) : 20261121;
	gf_prng_seed(&a.prng, a.seed);
	for (int era = 0; era < ERAS; era++) {
		begin_era(&a);
		for (const int64_t end_ms = rig.now_ms + ERA_S * 1000; rig.now_ms < end_ms;) {
			random_moment(&a);
			if (one_in(&a, 4000))
				power_cycle(&a);
			rig_tick(&rig);
			take_step(&a, rig.events, rig.count);
			rig_forget(&rig);
		}
		rig_close(&rig);
	}
	print_message("seed %llu: %llu sessions, %llu stopped for safety, %llu hits, %llu areas opened, %llu faults\n",
	              (unsigned long long)a.seed, (unsigned long long)a.sessions, (unsigned long long)a.safety,
	              (unsigned long long)a.hits, (unsigned long long)a.opened, (unsigned long long)a.faults);
	assert_true(a.sessions > 300 && a.safety > 30 && a.held > 10 && a.hits > 300 && a.opened > 5 && a.faults > 300 &&
	            a.restarts > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_at_once_fits_into_one_step),
	    cmocka_unit_test(every_action_is_told_once_and_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
