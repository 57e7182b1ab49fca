/* Registers to readings, orders to registers. */
#include "agent/driver/modbus_regs.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"

static const struct mb_machine machine = {.occupancy = true};
static const struct mb_machine with_carriage = {.carriage_areas = 1U << GF_AREA_CALVES,
                                                .carriage_mm = {[GF_AREA_CALVES] = 1450}};

static uint16_t registers[MB_INPUTS_COUNT];

static void put(int address, uint16_t value)
{
	registers[address - MB_INPUTS] = value;
}

static struct driver_input taken(const struct mb_machine *of, uint16_t target_mm)
{
	struct driver_input input;
	mb_input_take(of, registers, target_mm, &input);
	return input;
}

static int clear(void **state)
{
	(void)state;
	memset(registers, 0, sizeof(registers));
	return 0;
}

static void near(float is, float want)
{
	assert_true(fabsf(is - want) < 0.001F);
}

/* --- in ---------------------------------------------------------------------------------------------------------- */

static void numbers_have_their_units(void **state)
{
	(void)state;
	put(MB_SPEED, 1800);
	put(MB_CURRENT, 3400);
	put(MB_MOTOR_TEMP, 456);
	put(MB_SURFACE_TEMP, (uint16_t)-55);
	put(MB_GAUGE, 61);
	put(MB_SUPPLY, 24100);
	put(MB_BATTERY, 99);
	put(MB_MOTOR_SECONDS, 1);
	put(MB_MOTOR_SECONDS + 1, 2);
	put(MB_CYCLES, 0);
	put(MB_CYCLES + 1, 0xFFFF);
	const struct driver_input input = taken(&machine, MB_NONE);
	near(input.sensors[GF_SENSOR_SPEED_RPM], 1800);
	near(input.sensors[GF_SENSOR_CURRENT_MA], 3400);
	near(input.sensors[GF_SENSOR_MOTOR_TEMP_C], 45.6F);
	near(input.sensors[GF_SENSOR_SURFACE_TEMP_C], -5.5F);
	near(input.sensors[GF_SENSOR_PRESSURE_MMHG], 61);
	near(input.sensors[GF_SENSOR_SUPPLY_MV], 24100);
	near(input.sensors[GF_SENSOR_BATTERY_PCT], 99);
	assert_true(input.has_meter);
	assert_int_equal(input.meter_motor_ms, 65538000);
	assert_int_equal(input.meter_cycles, 65535);
}

static void what_no_sensor_says_is_no_number(void **state)
{
	static const int unsigned_ones[] = {MB_SPEED, MB_CURRENT, MB_GAUGE, MB_SUPPLY, MB_BATTERY};
	(void)state;
	for (size_t i = 0; i < sizeof(unsigned_ones) / sizeof(unsigned_ones[0]); i++)
		put(unsigned_ones[i], 0xFFFF);
	put(MB_MOTOR_TEMP, 0x8000);
	put(MB_SURFACE_TEMP, 0x8001);
	put(MB_MOTOR_SECONDS, 0xFFFF);
	put(MB_MOTOR_SECONDS + 1, 0xFFFF);
	const struct driver_input input = taken(&machine, MB_NONE);
	for (int i = 0; i < GF_SENSOR_COUNT; i++) {
		if (i != GF_SENSOR_SURFACE_TEMP_C)
			assert_true(isnan(input.sensors[i]));
	}
	near(input.sensors[GF_SENSOR_SURFACE_TEMP_C], -3276.7F);
	assert_false(input.has_meter);
}

static void each_status_bit_is_itself(void **state)
{
	(void)state;
	put(MB_STATUS, MB_STATUS_ESTOP);
	assert_true(taken(&machine, MB_NONE).estop && !taken(&machine, MB_NONE).cover_open);
	put(MB_STATUS, MB_STATUS_COVER);
	assert_true(taken(&machine, MB_NONE).cover_open && !taken(&machine, MB_NONE).estop);
	put(MB_STATUS, MB_STATUS_OCCUPIED);
	assert_true(taken(&machine, MB_NONE).occupied);
	assert_false(taken(&with_carriage, MB_NONE).occupied || taken(&with_carriage, MB_NONE).has_occupied);
	put(MB_STATUS, MB_STATUS_DERATED);
	assert_true(taken(&machine, MB_NONE).derated && !taken(&machine, MB_NONE).occupied);
	put(MB_STATUS, MB_STATUS_READY | MB_STATUS_RUNNING | MB_STATUS_PAUSED | MB_STATUS_HOMED);
	const struct driver_input input = taken(&machine, MB_NONE);
	assert_false(input.estop || input.cover_open || input.occupied || input.derated);
	assert_int_equal(input.fault, GF_FAULT_UNSPECIFIED);
}

/* A controller that stands still is never taken for a healthy one. */
static void an_unknown_fault_is_a_fault(void **state)
{
	(void)state;
	put(MB_FAULT, GF_FAULT_OVERPRESSURE);
	assert_int_equal(taken(&machine, MB_NONE).fault, GF_FAULT_OVERPRESSURE);
	put(MB_FAULT, GF_FAULT_COUNT);
	assert_int_equal(taken(&machine, MB_NONE).fault, GF_FAULT_WATCHDOG);
	put(MB_FAULT, 0xFFFF);
	assert_int_equal(taken(&machine, MB_NONE).fault, GF_FAULT_WATCHDOG);
	put(MB_FAULT, 0);
	put(MB_STATUS, MB_STATUS_FAULT);
	assert_int_equal(taken(&machine, MB_NONE).fault, GF_FAULT_WATCHDOG);
}

static void each_button_is_itself(void **state)
{
	(void)state;
	for (int bit = 0; bit < 6; bit++) {
		put(MB_PANEL, (uint16_t)(1U << bit));
		const struct driver_panel panel = taken(&machine, MB_NONE).panel;
		const bool pressed[] = {panel.stop,         panel.pause,          panel.pain,
		                        panel.intensity_up, panel.intensity_down, panel.staff_key};
		for (int i = 0; i < 6; i++)
			assert_int_equal(pressed[i], i == bit);
	}
	put(MB_ROUTINE, 7);
	for (int i = 0; i < 4; i++)
		put(MB_TOKEN + i, (uint16_t)(0x1111 * (i + 1)));
	assert_int_equal(taken(&machine, MB_NONE).panel.routine, 7);
	assert_int_equal(taken(&machine, MB_NONE).panel.subject_token, 0x1111222233334444ULL);
}

static void a_carriage_is_there_within_a_centimetre(void **state)
{
	static const struct {
		uint16_t status, mm, target;
		bool there;
	} cases[] = {
	    {MB_STATUS_HOMED, 1450, 1450, true},
	    {MB_STATUS_HOMED, 1440, 1450, true},
	    {MB_STATUS_HOMED, 1460, 1450, true},
	    {MB_STATUS_HOMED, 1439, 1450, false},
	    {MB_STATUS_HOMED, 1461, 1450, false},
	    {0, 1450, 1450, false},
	    {MB_STATUS_HOMED, 3, MB_NONE, true},
	    {MB_STATUS_HOMED, MB_NONE, 1450, false},
	    {0, 3, MB_NONE, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(MB_STATUS, cases[i].status);
		put(MB_CARRIAGE, cases[i].mm);
		const struct driver_axis axis = taken(&with_carriage, cases[i].target).axes[DRIVER_AXIS_CARRIAGE];
		assert_true(axis.present);
		assert_int_equal(axis.there, cases[i].there);
	}
	put(MB_CARRIAGE, MB_NONE);
	assert_false(taken(&machine, MB_NONE).axes[DRIVER_AXIS_CARRIAGE].present);
	assert_false(taken(&machine, MB_NONE).axes[DRIVER_AXIS_RECLINE].present);
}

static void i10_any_registers_are_some_reading(void **state)
{
	struct gf_prng prng;
	(void)state;
	gf_prng_seed(&prng, 7);
	for (int round = 0; round < 100000; round++) {
		for (int i = 0; i < MB_INPUTS_COUNT; i++)
			registers[i] = (uint16_t)gf_prng_below(&prng, 0x10000);
		const struct driver_input input = taken(round % 2 == 0 ? &machine : &with_carriage, registers[7]);
		assert_true(input.fault >= 0 && input.fault < GF_FAULT_COUNT);
		assert_true(isnan(input.sensors[0]));
		for (int i = 1; i < GF_SENSOR_COUNT; i++)
			assert_true(isnan(input.sensors[i]) || fabsf(input.sensors[i]) <= 65534);
	}
}

static void an_identity_is_read_and_can_be_shown(void **state)
{
	const uint16_t from[MB_IDENTITY_COUNT] = {1, GF_CLASS_CHAIR, 'G' << 8 | 'F', '-' << 8 | 0x1B, 'A' << 8, 'x' << 8};
	const uint16_t full[MB_IDENTITY_COUNT] = {9, 0xFFFF, 0x4142, 0x4344, 0x4546, 0x4748};
	struct mb_identity identity;
	(void)state;
	mb_identity_take(from, &identity);
	assert_int_equal(identity.version, 1);
	assert_int_equal(identity.class, GF_CLASS_CHAIR);
	assert_string_equal(identity.serial, "GF-?A");
	mb_identity_take(full, &identity);
	assert_string_equal(identity.serial, "ABCDEFGH");
}

/* --- out --------------------------------------------------------------------------------------------------------- */

static const struct driver_output work = {
    .command = DRIVER_START,
    .area = GF_AREA_CALVES,
    .side = GF_SIDE_RIGHT,
    .technique = GF_TECHNIQUE_KNEAD,
    .intensity_pct = 25.19F,
    .frequency_hz = 1,
    .pressure_mmhg = 30.9F,
    .heat_c = 36.5F,
    .ramp_pct_s = 1,
    .step_left_ms = 59001,
};

static void an_order_has_its_units_and_is_never_more(void **state)
{
	uint16_t out[MB_OUTPUTS];
	(void)state;
	mb_output_put(&with_carriage, &work, out);
	const uint16_t want[MB_OUTPUTS] = {
	    MB_START, 0,   MB_MASK_RIGHT | MB_MASK_HEATER, GF_AREA_CALVES, GF_TECHNIQUE_KNEAD, 251, 10, 10, 60, 30,
	    365,      1450};
	assert_memory_equal(out, want, sizeof(want));
	struct driver_output both = work;
	both.side = GF_SIDE_BOTH;
	both.area = GF_AREA_FEET;
	both.heat_c = 0;
	mb_output_put(&with_carriage, &both, out);
	assert_int_equal(out[MB_MASK], MB_MASK_LEFT | MB_MASK_RIGHT);
	assert_int_equal(out[MB_CARRIAGE_TO], MB_NONE);
}

static void i3_nothing_goes_with_another_command(void **state)
{
	(void)state;
	for (int command = -1; command < 6; command++) {
		struct driver_output output = work;
		uint16_t out[MB_OUTPUTS];
		output.command = (enum driver_command)command;
		if (command == DRIVER_START)
			continue;
		mb_output_put(&with_carriage, &output, out);
		const bool known = command >= 0 && command <= DRIVER_STOP;
		assert_int_equal(out[MB_COMMAND], known ? command : MB_STOP);
		for (int i = 1; i < MB_OUTPUTS; i++)
			assert_int_equal(out[i], i == MB_CARRIAGE_TO ? MB_NONE : 0);
	}
}

static void i3_a_number_that_is_none_is_nothing(void **state)
{
	static const float odd[] = {NAN, -1, -INFINITY, -0.0F};
	uint16_t out[MB_OUTPUTS];
	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct driver_output output = work;
		output.intensity_pct = output.frequency_hz = output.pressure_mmhg = output.heat_c = output.ramp_pct_s = odd[i];
		mb_output_put(&machine, &output, out);
		assert_int_equal(out[MB_INTENSITY] + out[MB_FREQUENCY] + out[MB_PRESSURE] + out[MB_HEAT] + out[MB_RAMP], 0);
		assert_int_equal(out[MB_MASK], MB_MASK_RIGHT);
	}
	struct driver_output large = work;
	large.frequency_hz = INFINITY;
	large.step_left_ms = UINT32_MAX;
	mb_output_put(&machine, &large, out);
	assert_int_equal(out[MB_FREQUENCY], MB_NONE - 1);
	assert_int_equal(out[MB_STEP_LEFT], MB_NONE - 1);
}

static void i5_on_lease_there_is_never_more_than_a_second(void **state)
{
	const struct mb_machine leased = {.lease = true};
	struct driver_output output = work;
	uint16_t out[MB_OUTPUTS];
	(void)state;
	mb_output_put(&leased, &output, out);
	assert_int_equal(out[MB_STEP_LEFT], 1);
	output.step_left_ms = 1;
	mb_output_put(&leased, &output, out);
	assert_int_equal(out[MB_STEP_LEFT], 1);
	output.step_left_ms = 0;
	mb_output_put(&leased, &output, out);
	assert_int_equal(out[MB_STEP_LEFT], 0);
}

static void less_is_urgent_and_more_is_not(void **state)
{
	uint16_t before[MB_OUTPUTS], now[MB_OUTPUTS];
	(void)state;
	mb_output_put(&with_carriage, &work, before);
	for (int i = 0; i < MB_OUTPUTS; i++) {
		const bool amount = i == MB_INTENSITY || i == MB_FREQUENCY || i == MB_PRESSURE || i == MB_HEAT;
		const bool slow = i == MB_HEARTBEAT || i == MB_RAMP || i == MB_STEP_LEFT;
		memcpy(now, before, sizeof(now));
		now[i]++;
		assert_int_equal(mb_output_urgent(before, now), !amount && !slow);
		now[i] = (uint16_t)(before[i] - 1);
		assert_int_equal(mb_output_urgent(before, now), !slow);
	}
	memcpy(now, before, sizeof(now));
	now[MB_STEP_LEFT] = 0;
	assert_true(mb_output_urgent(before, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(numbers_have_their_units, clear),
	    cmocka_unit_test_setup(what_no_sensor_says_is_no_number, clear),
	    cmocka_unit_test_setup(each_status_bit_is_itself, clear),
	    cmocka_unit_test_setup(an_unknown_fault_is_a_fault, clear),
	    cmocka_unit_test_setup(each_button_is_itself, clear),
	    cmocka_unit_test_setup(a_carriage_is_there_within_a_centimetre, clear),
	    cmocka_unit_test_setup(i10_any_registers_are_some_reading, clear),
	    cmocka_unit_test(an_identity_is_read_and_can_be_shown),
	    cmocka_unit_test(an_order_has_its_units_and_is_never_more),
	    cmocka_unit_test(i3_nothing_goes_with_another_command),
	    cmocka_unit_test(i3_a_number_that_is_none_is_nothing),
	    cmocka_unit_test(i5_on_lease_there_is_never_more_than_a_second),
	    cmocka_unit_test(less_is_urgent_and_more_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
