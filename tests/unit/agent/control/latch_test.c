/* D3: the third stop of one kind within a day latches; only staff at the machine clears it, and no restart does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"
#include "tests/unit/agent/control/rig.h"

enum { HOUR_MS = 3600 * 1000, TICK_MS = 100 };

static struct rig rig;

/* The motor is stopped by over-current, and is fine again. */
static void overload(void)
{
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 5000);
	assert_true(output_on(&rig.output));
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 9000;
	rig_run(&rig, 1000);
	assert_false(output_on(&rig.output));
	rig.input.sensors[GF_SENSOR_CURRENT_MA] = 800;
	rig_run(&rig, 15000);
}

static void stall(void)
{
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 5000);
	rig.input.sensors[GF_SENSOR_SPEED_RPM] = 0;
	rig_run(&rig, 3000);
	assert_false(output_on(&rig.output));
	rig.input.sensors[GF_SENSOR_SPEED_RPM] = 1500;
	rig_run(&rig, 15000);
}

static void hold_staff_key(int64_t ms)
{
	rig.input.panel.staff_key = true;
	rig_run(&rig, ms);
	rig.input.panel.staff_key = false;
	rig_run(&rig, 1000);
}

static bool plays(void)
{
	rig_start(&rig, RIG_SHORT);
	const bool in_session = control_in_session(rig.control);
	rig_run(&rig, 8000);
	return in_session;
}

static void restart(void)
{
	const struct control_resume resume = {.next_fault_no = 50, .memory = rig.events[rig.count - 1].memory};
	const struct control_config config = rig.config;
	rig_close(&rig);
	rig_open_with(&rig, &config, &resume);
}

static const struct gf_fault_cleared *cleared_by_staff(void)
{
	const size_t n = rig_count(&rig, CONTROL_EVENT_FAULT_CLEARED);
	for (size_t i = 0; i < n; i++) {
		const struct gf_fault_cleared *c = &rig_event(&rig, CONTROL_EVENT_FAULT_CLEARED, i)->fault_cleared;
		if (c->by == GF_CLEARED_BY_STAFF)
			return c;
	}
	return NULL;
}

static void the_third_strike_latches_until_staff_clears_it(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	overload();
	stall();
	assert_true(plays());
	assert_null(rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH));
	overload();
	const struct gf_fault_raised *latched = rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH);
	assert_non_null(latched);
	assert_true(latched->observed == 3 && latched->limit == 3);
	assert_false(plays());
	rig_run(&rig, HOUR_MS);
	assert_false(plays());
	hold_staff_key(PANEL_STAFF_HOLD_MS - 500);
	assert_false(plays());
	hold_staff_key(PANEL_STAFF_HOLD_MS + 500);
	assert_non_null(cleared_by_staff());
	assert_int_equal(cleared_by_staff()->fault_no, latched->fault_no);
	assert_true(plays());
	/* And it begins anew. */
	overload();
	overload();
	assert_true(plays());
	rig_close(&rig);
}

static void strikes_are_forgotten_after_a_day(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	rig.config.heartbeat_ms = 0;
	overload();
	overload();
	rig.tick_ms = 2000;
	rig_forget(&rig);
	for (int h = 0; h < 25; h++) {
		rig_run(&rig, HOUR_MS);
		rig_forget(&rig);
	}
	rig.tick_ms = TICK_MS;
	overload();
	assert_null(rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH));
	assert_true(plays());
	rig_close(&rig);
}

static void what_is_latched_stays_so_over_restarts(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	overload();
	restart();
	overload();
	restart();
	overload();
	const struct gf_fault_raised *latched = rig_fault(&rig, GF_FAULT_STALL, GF_SEVERITY_LATCH);
	assert_non_null(latched);
	const uint64_t fault_no = latched->fault_no;
	for (int i = 0; i < 3; i++) {
		restart();
		rig_run(&rig, 2000);
		assert_true(control_faulted(rig.control));
		assert_false(plays());
		/* It isn't raised again: it is the same fault. */
		assert_int_equal(rig_count(&rig, CONTROL_EVENT_FAULT_RAISED), 0);
	}
	hold_staff_key(PANEL_STAFF_HOLD_MS + 500);
	assert_int_equal(cleared_by_staff()->fault_no, fault_no);
	assert_true(plays());
	restart();
	assert_true(plays());
	rig_close(&rig);
}

static void a_latch_is_not_cleared_while_its_cause_is_there(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	for (int i = 0; i < 3; i++) {
		rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 72);
		rig_run(&rig, 1000);
		if (i < 2)
			rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 40);
		rig_run(&rig, 3000);
	}
	assert_non_null(rig_fault(&rig, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_LATCH));
	hold_staff_key(PANEL_STAFF_HOLD_MS + 500);
	assert_null(cleared_by_staff());
	rig_reach(&rig, GF_SENSOR_MOTOR_TEMP_C, 40);
	rig_run(&rig, 3000);
	assert_false(plays());
	hold_staff_key(PANEL_STAFF_HOLD_MS + 500);
	assert_non_null(cleared_by_staff());
	assert_true(plays());
	rig_close(&rig);
}

static void pressing_the_emergency_stop_is_no_strike(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	for (int i = 0; i < 6; i++) {
		rig_start(&rig, RIG_PLAIN);
		rig.input.estop = true;
		rig_run(&rig, 2000);
		rig.input.estop = false;
		rig_run(&rig, 60 * 1000);
	}
	assert_true(plays());
	rig_close(&rig);
}

static void the_controller_is_told_when_staff_clears(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, TICK_MS);
	int told = 0;
	rig.input.panel.staff_key = true;
	for (int i = 0; i < 100; i++) {
		rig_tick(&rig);
		told += rig.output.clear_fault ? 1 : 0;
		assert_false(rig.output.clear_fault && rig.output.command == DRIVER_START);
	}
	assert_int_equal(told, 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_third_strike_latches_until_staff_clears_it),
	    cmocka_unit_test(strikes_are_forgotten_after_a_day),
	    cmocka_unit_test(what_is_latched_stays_so_over_restarts),
	    cmocka_unit_test(a_latch_is_not_cleared_while_its_cause_is_there),
	    cmocka_unit_test(pressing_the_emergency_stop_is_no_strike),
	    cmocka_unit_test(the_controller_is_told_when_staff_clears),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
