/*
 * Is there a way around a rest or a latch by the mains switch? The whole control core with its recorder on a disk that loses what was
 * not synced; the power goes at any byte, and the machine has no clock to tell how long it was off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"
#include "tests/unit/agent/control/rig.h"
#include "tests/unit/agent/recorder_rig.h"

enum {
	TICK_MS = 100,
	DUTY_MS = 200 * 1000,
	REST_MS = 600 * 1000,
	LIFE_MS = 120 * 1000,           /* at most, between two power cuts */
	UNWRITTEN_MS = 5 * 1000 + 1000, /* a checkpoint may be that old */
};

struct test {
	struct rig rig;
	struct machine machine;
	struct control_config config;
	struct gf_prng prng;
	double used_ms; /* the budget by an observer who never loses power, but lets each cut hide what no checkpoint had */
	uint64_t metered_ms;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	machine_init(&t->machine);
	t->machine.meter.present = false;
	t->machine.synced = false;
	t->config = (struct control_config){.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	control_envelope_defaults(GF_CLASS_CHAIR, &t->config.envelope);
	t->config.envelope.duty_warn_ms = 0;
	t->config.envelope.duty_max_ms = DUTY_MS;
	t->config.envelope.rest_ms = REST_MS;
	t->rig.tick_ms = TICK_MS;
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	rig_close(&t->rig);
	machine_deinit(&t->machine);
	free(t);
	return 0;
}

/* What has been told reaches the disk. False: the power is gone. */
static bool record(struct test *t, size_t from)
{
	const struct recorder_link_facts facts = {0};
	for (size_t i = from; i < t->rig.count; i++) {
		if (recorder_event(t->machine.recorder, &t->rig.events[i], machine_now(&t->machine), &facts) != 0)
			return false;
	}
	return !t->machine.t.dead;
}

static bool power_on(struct test *t)
{
	trap_revive(&t->machine.t);
	if (!machine_start(&t->machine))
		return false;
	/* The rig's time begins where it always does; the recorder's goes on. */
	rig_open_with(&t->rig, &t->config, &t->machine.resume);
	t->rig.input.has_occupied = true; /* and nobody is: a new person each time */
	t->metered_ms = t->rig.input.meter_motor_ms;
	return record(t, 0);
}

static void power_off(struct test *t)
{
	rig_close(&t->rig);
	machine_stop(&t->machine);
	trap_power_cut(&t->machine.t, &t->prng);
	t->used_ms -= t->used_ms < UNWRITTEN_MS ? t->used_ms : UNWRITTEN_MS;
}

static bool tick(struct test *t)
{
	rig_forget(&t->rig);
	rig_tick(&t->rig);
	t->machine.mono_ms += TICK_MS;
	const uint64_t ran_ms = t->rig.input.meter_motor_ms - t->metered_ms;
	t->metered_ms = t->rig.input.meter_motor_ms;
	t->used_ms += ran_ms > 0 ? (double)ran_ms : -(double)TICK_MS * DUTY_MS / REST_MS;
	t->used_ms = t->used_ms > 0 ? t->used_ms : 0;
	return record(t, 0);
}

/* Somebody wants it to run all the time. */
static void use(struct test *t, int64_t ms)
{
	for (int64_t left = ms; left > 0; left -= TICK_MS) {
		t->rig.input.panel.routine = control_in_session(t->rig.control) ? 0 : RIG_PLAIN;
		if (!tick(t))
			return;
	}
}

static void no_power_cut_is_a_way_around_a_rest(void **state)
{
	struct test *t = *state;
	uint64_t ran_ms = 0;
	gf_prng_seed(&t->prng, 7);
	for (unsigned i = 0; i < 60; i++) {
		t->machine.t.life = INT64_MAX;
		assert_true(power_on(t));
		/* Now and then while it writes; else at any tick. */
		t->machine.t.spent = 0;
		t->machine.t.life = gf_prng_below(&t->prng, 2) == 0 ? (int64_t)gf_prng_below(&t->prng, 20000) : INT64_MAX;
		const uint64_t before_ms = t->rig.input.meter_motor_ms;
		use(t, TICK_MS + gf_prng_below(&t->prng, LIFE_MS));
		ran_ms += t->rig.input.meter_motor_ms - before_ms;
		assert_true(t->used_ms <= DUTY_MS + TICK_MS);
		power_off(t);
	}
	assert_true(ran_ms > DUTY_MS);
	t->machine.t.life = INT64_MAX;
	assert_true(power_on(t));
}

/* ---- a latch ---- */

static void run(struct test *t, int64_t ms)
{
	for (; ms > 0; ms -= TICK_MS)
		assert_true(tick(t));
}

static void overload(struct test *t)
{
	t->rig.input.panel.routine = RIG_PLAIN;
	run(t, 5000);
	t->rig.input.panel.routine = 0;
	t->rig.input.sensors[GF_SENSOR_CURRENT_MA] = 9000;
	run(t, 1000);
	t->rig.input.sensors[GF_SENSOR_CURRENT_MA] = 800;
	run(t, 15000);
}

static bool plays(struct test *t)
{
	t->rig.input.panel.routine = RIG_SHORT;
	run(t, 500);
	t->rig.input.panel.routine = 0;
	const bool in_session = control_in_session(t->rig.control);
	run(t, 8000);
	return in_session;
}

static void cycle(struct test *t)
{
	power_off(t);
	assert_true(power_on(t));
}

static void no_power_cut_is_a_way_around_strikes_and_latch(void **state)
{
	struct test *t = *state;
	unsigned raised = 0, by_staff = 0, by_restart = 0;
	gf_prng_seed(&t->prng, 8);
	assert_true(power_on(t));
	for (int i = 0; i < 3; i++) {
		assert_true(plays(t));
		overload(t);
		cycle(t);
	}
	for (int i = 0; i < 3; i++) {
		assert_true(control_faulted(t->rig.control));
		assert_false(plays(t));
		cycle(t);
	}
	t->rig.input.panel.staff_key = true;
	run(t, PANEL_STAFF_HOLD_MS + 500);
	t->rig.input.panel.staff_key = false;
	run(t, 1000);
	assert_true(plays(t));
	cycle(t);
	assert_true(plays(t));
	for (uint64_t seq = 1; seq < spool_next_seq(t->machine.spool); seq++) {
		const struct gf_record r = machine_record(t->machine.spool, seq);
		const bool latch = r.kind == GF_RECORD_FAULT_RAISED && r.fault_raised.severity == GF_SEVERITY_LATCH;
		raised += latch ? 1 : 0;
		if (r.kind == GF_RECORD_FAULT_CLEARED && r.fault_cleared.code == GF_FAULT_STALL) {
			by_staff += r.fault_cleared.by == GF_CLEARED_BY_STAFF ? 1 : 0;
			by_restart += r.fault_cleared.by == GF_CLEARED_BY_RESTART ? 1 : 0;
		}
	}
	assert_int_equal(raised, 1);
	assert_int_equal(by_staff, 1);
	assert_int_equal(by_restart, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_power_cut_is_a_way_around_a_rest, setup, teardown),
	    cmocka_unit_test_setup_teardown(no_power_cut_is_a_way_around_strikes_and_latch, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
