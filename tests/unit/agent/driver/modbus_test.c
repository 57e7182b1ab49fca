/* The modbus driver in its ticks, with a controller at the other end of a real wire: what goes over it, and when it stops. */
#include <errno.h>
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/driver/modbus_io.h"
#include "tests/unit/agent/driver/modbus_rig.h"

enum {
	SOON_MS = 5000, /* only how long a failing test takes */
	LATE_MS = 60000,
	LONG_MS = 1000,
	BUSY_TRIES = 20, /* a busy test machine may hold a test up for so long that the driver takes it for hung */
};

static struct modbus_rig rig;
static struct driver_input input;

static void near(float is, float want)
{
	assert_true(fabsf(is - want) < 0.01F);
}

/* --- in ---------------------------------------------------------------------------------------------------------- */

static void readings_are_what_the_controller_shows(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	slave_tell(&rig.slave, "sensor motor_temp_c 41.2");
	slave_tell(&rig.slave, "sensor surface_temp_c -3.5");
	slave_tell(&rig.slave, "sensor supply_mv 23987");
	slave_tell(&rig.slave, "sensor battery_pct 77");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, fabsf(input.sensors[GF_SENSOR_BATTERY_PCT] - 77) < 0.01F);
	near(input.sensors[GF_SENSOR_MOTOR_TEMP_C], 41.2F);
	near(input.sensors[GF_SENSOR_SURFACE_TEMP_C], -3.5F);
	near(input.sensors[GF_SENSOR_SUPPLY_MV], 23987);
	assert_true(input.has_meter && input.has_occupied);
	assert_true(input.axes[DRIVER_AXIS_CARRIAGE].present && !input.axes[DRIVER_AXIS_RECLINE].present);
	slave_tell(&rig.slave, "sensor motor_temp_c none");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, isnan(input.sensors[GF_SENSOR_MOTOR_TEMP_C]));
}

static void what_is_pressed_is_seen(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	slave_tell(&rig.slave, "press pain 60000");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, input.panel.pain);
	slave_tell(&rig.slave, "routine 3 60000");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, input.panel.routine == 3);
	slave_tell(&rig.slave, "inject cover_open 60000");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, input.cover_open);
}

static void a_fault_is_told_and_cleared_by_its_key(void **state)
{
	struct driver_output clear = {.command = DRIVER_IDLE, .clear_fault = true};
	(void)state;
	modbus_rig_open(&rig);
	slave_tell(&rig.slave, "fault endstop_timeout");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, input.fault == GF_FAULT_ENDSTOP_TIMEOUT);
	/* One tick is enough, however the I/O thread's cycles fall. */
	assert_int_equal(rig.driver->ops->write(rig.driver, 0, &clear), 0);
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, input.fault == GF_FAULT_UNSPECIFIED);
}

/* --- out --------------------------------------------------------------------------------------------------------- */

static void orders_reach_the_registers(void **state)
{
	struct driver_output work = contract_work;
	(void)state;
	rig.config.machine.carriage_areas = 1U << GF_AREA_CALVES;
	rig.config.machine.carriage_mm[GF_AREA_CALVES] = 100;
	modbus_rig_open(&rig);
	work.heat_c = 36;
	MODBUS_RIG_UNTIL(&rig, &work, SOON_MS, slave_on(&rig.slave));
	assert_int_equal(slave_reg(&rig.slave, MB_COMMAND), MB_START);
	assert_int_equal(slave_reg(&rig.slave, MB_MASK), MB_MASK_LEFT | MB_MASK_HEATER);
	assert_int_equal(slave_reg(&rig.slave, MB_AREA), GF_AREA_CALVES);
	assert_int_equal(slave_reg(&rig.slave, MB_TECHNIQUE), GF_TECHNIQUE_KNEAD);
	assert_int_equal(slave_reg(&rig.slave, MB_INTENSITY), 250);
	assert_int_equal(slave_reg(&rig.slave, MB_HEAT), 360);
	assert_int_equal(slave_reg(&rig.slave, MB_STEP_LEFT), 60);
	assert_int_equal(slave_reg(&rig.slave, MB_CARRIAGE_TO), 100);
	work.intensity_pct = 20.5F;
	MODBUS_RIG_UNTIL(&rig, &work, SOON_MS, slave_reg(&rig.slave, MB_INTENSITY) == 205);
	work.intensity_pct = 22;
	MODBUS_RIG_UNTIL(&rig, &work, SOON_MS, slave_reg(&rig.slave, MB_INTENSITY) == 220);
	MODBUS_RIG_UNTIL(&rig, &work, SOON_MS, input.axes[DRIVER_AXIS_CARRIAGE].there);
}

/* False: a reading failed, as it does for a control thread that was away. Then the carriage is not under way any more. */
static bool watch_the_carriage(void)
{
	const int64_t end_ms = mb_now_ms() + SOON_MS;
	bool under_way = false;

	for (int watched = 0; watched < 20; watched += under_way ? 1 : 0) {
		if (modbus_rig_tick(&rig, &contract_work, &input) != 0)
			return false;
		const bool there = input.axes[DRIVER_AXIS_CARRIAGE].there;
		under_way = under_way || (slave_reg(&rig.slave, MB_CARRIAGE_TO) == 100 && !there);
		assert_false(under_way && there);
		assert_true(under_way || mb_now_ms() < end_ms);
		modbus_rig_pass(20);
	}
	return true;
}

static void a_carriage_that_is_stuck_is_not_there(void **state)
{
	(void)state;
	rig.config.machine.carriage_areas = 1U << GF_AREA_CALVES;
	rig.config.machine.carriage_mm[GF_AREA_CALVES] = 100;
	slave_tell(&rig.slave, "carriage stuck");
	modbus_rig_open(&rig);
	for (int tries = 0; !watch_the_carriage(); tries++) {
		assert_true(tries < BUSY_TRIES);
		rig.driver->ops->free(rig.driver);
		modbus_rig_open(&rig);
	}
}

static void the_heart_beats_while_orders_come(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	for (int i = 0; i < 3; i++) {
		const int before = slave_reg(&rig.slave, MB_HEARTBEAT);
		MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS, slave_reg(&rig.slave, MB_HEARTBEAT) != before);
	}
}

static void an_output_that_is_refused_is_told(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "refuse 16");
	MODBUS_RIG_UNTIL(&rig, &contract_work, SOON_MS,
	                 rig.driver->ops->write(rig.driver, 0, &contract_work) == -EREMOTEIO);
	/* Long enough for the core to call it a fault. */
	const int64_t end_ms = mb_now_ms() + 600;
	while (mb_now_ms() < end_ms) {
		assert_int_equal(rig.driver->ops->write(rig.driver, 0, &(struct driver_output){.command = DRIVER_STOP}),
		                 -EREMOTEIO);
		modbus_rig_pass(20);
	}
	assert_false(slave_on(&rig.slave));
	assert_true(modbus_rig_bus(&rig).exceptions > 0);
	slave_tell(&rig.slave, "refuse off");
	MODBUS_RIG_UNTIL(&rig, NULL, SOON_MS, rig.driver->ops->write(rig.driver, 0, &contract_work) == 0);
}

/* --- off --------------------------------------------------------------------------------------------------------- */

static void a_controller_that_runs_on_is_not_talked_to_as_if_all_were_well(void **state)
{
	static const struct driver_output stop = {.command = DRIVER_STOP};
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "runaway on");
	/* On a busy test machine readings may be late before; that passes, and the driver begins to count anew. */
	int failed = 0;
	MODBUS_RIG_UNTIL(&rig, &stop, LATE_MS, (failed = modbus_rig_tick(&rig, &stop, &input) != 0 ? failed + 1 : 0) == 20);
	assert_false(slave_on(&rig.slave));
	const int64_t end_ms = mb_now_ms() + LONG_MS;
	while (mb_now_ms() < end_ms) {
		assert_int_not_equal(modbus_rig_tick(&rig, &contract_work, &input), 0);
		assert_false(slave_on(&rig.slave));
		modbus_rig_pass(20);
	}
	slave_tell(&rig.slave, "runaway off");
	MODBUS_RIG_UNTIL(&rig, &stop, SOON_MS, modbus_rig_tick(&rig, &stop, &input) == 0);
}

static void assert_off_within(int ms)
{
	const int64_t end_ms = mb_now_ms() + ms;
	while (slave_on(&rig.slave)) {
		assert_true(mb_now_ms() < end_ms);
		modbus_rig_pass(2);
	}
}

/* The control core may be slow to say so: the I/O thread doesn't wait for it. */
static void i4_an_emergency_stop_is_answered_by_the_io_thread(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "inject estop 60000");
	const int64_t end_ms = mb_now_ms() + SOON_MS;
	while (slave_reg(&rig.slave, MB_COMMAND) != MB_STOP) {
		assert_true(mb_now_ms() < end_ms);
		(void)rig.driver->ops->write(rig.driver, 0, &contract_work);
		modbus_rig_pass(5);
	}
}

/* How long it takes to stop by itself after the last order to run, which mustn't come so late that it is held. */
static int64_t off_after_last_order(void)
{
	int64_t before_ms, last_ms = mb_now_ms();
	const int64_t end_ms = last_ms + LATE_MS;
	bool ordered;
	do {
		assert_true(mb_now_ms() < end_ms);
		modbus_rig_pass(20);
		before_ms = last_ms;
		last_ms = mb_now_ms();
		ordered = modbus_rig_tick(&rig, &contract_work, &input) == 0 && mb_now_ms() - before_ms < MB_HUNG_MS;
	} while (!ordered || !slave_on(&rig.slave));
	assert_off_within(SOON_MS);
	return mb_now_ms() - last_ms;
}

static void i5_a_hung_control_thread_is_stopped_before_the_controller_does(void **state)
{
	(void)state;
	modbus_rig_open(&rig);
	/* The controller itself would wait for 800 ms. */
	int64_t took_ms = INT64_MAX; /* on a busy test machine everybody may be late for once */
	for (int i = 0; i < BUSY_TRIES && took_ms > MB_HUNG_MS + 300; i++)
		took_ms = off_after_last_order();
	assert_true(took_ms <= MB_HUNG_MS + 300);
	const int beat = slave_reg(&rig.slave, MB_HEARTBEAT);
	modbus_rig_pass(300);
	assert_int_equal(slave_reg(&rig.slave, MB_HEARTBEAT), beat);
}

static void i5_on_lease_a_cut_wire_stops_within_a_second(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "deadman none"); /* and stops after 2 s only */
	modbus_rig_open(&rig);
	modbus_rig_until_on(&rig);
	assert_int_equal(slave_reg(&rig.slave, MB_STEP_LEFT), 1);
	/* It goes on for longer than that as long as it is renewed. */
	for (int i = 0; i < 75; i++) {
		(void)modbus_rig_tick(&rig, &contract_work, &input);
		modbus_rig_pass(20);
	}
	modbus_rig_until_on(&rig);
	slave_tell(&rig.slave, "deaf on");
	assert_off_within(DRIVER_DEAD_MAN_MS + 50);
}

/* --- the process itself ------------------------------------------------------------------------------------------ */

static void run_for_ever(void)
{
	modbus_rig_open(&rig);
	for (;;) {
		(void)modbus_rig_tick(&rig, &contract_work, &input);
		modbus_rig_pass(20);
	}
}

static pid_t start_process(void)
{
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_for_ever();
	const int64_t end_ms = mb_now_ms() + 20000;
	while (!slave_on(&rig.slave)) {
		assert_true(mb_now_ms() < end_ms);
		modbus_rig_pass(10);
	}
	return pid;
}

static void off_within_a_second_of(int signal)
{
	const pid_t pid = start_process();
	kill(pid, signal);
	assert_off_within(DRIVER_DEAD_MAN_MS);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	modbus_rig_pass(200);
	assert_false(slave_on(&rig.slave));
}

static void i5_a_killed_agent_leaves_the_machine_off(void **state)
{
	(void)state;
	off_within_a_second_of(SIGKILL);
}

static void i5_a_stopped_agent_leaves_the_machine_off(void **state)
{
	(void)state;
	off_within_a_second_of(SIGSTOP);
}

#define BOTH(name) MODBUS_RIG_TCP(name, &rig), MODBUS_RIG_RTU(name, &rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(readings_are_what_the_controller_shows),
	    BOTH(what_is_pressed_is_seen),
	    BOTH(a_fault_is_told_and_cleared_by_its_key),
	    BOTH(orders_reach_the_registers),
	    BOTH(a_carriage_that_is_stuck_is_not_there),
	    BOTH(the_heart_beats_while_orders_come),
	    BOTH(an_output_that_is_refused_is_told),
	    BOTH(a_controller_that_runs_on_is_not_talked_to_as_if_all_were_well),
	    BOTH(i4_an_emergency_stop_is_answered_by_the_io_thread),
	    BOTH(i5_a_hung_control_thread_is_stopped_before_the_controller_does),
	    BOTH(i5_on_lease_a_cut_wire_stops_within_a_second),
	    BOTH(i5_a_killed_agent_leaves_the_machine_off),
	    BOTH(i5_a_stopped_agent_leaves_the_machine_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
