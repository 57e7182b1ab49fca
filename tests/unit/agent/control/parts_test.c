/* The small parts of the control core by themselves: what the whole can't easily be brought to. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/meter.h"
#include "agent/control/player.h"
#include "agent/control/tally.h"
#include "agent/control/telemetry.h"

static struct driver_output on(enum gf_area area, float pct)
{
	return (struct driver_output){
	    .command = DRIVER_START,
	    .area = area,
	    .side = GF_SIDE_LEFT,
	    .technique = GF_TECHNIQUE_STROKE,
	    .intensity_pct = pct,
	};
}

static void the_clamp_begins_low_and_rises_slowly(void **state)
{
	(void)state;
	struct control_envelope envelope;
	struct clamp clamp = {0};
	control_envelope_defaults(GF_CLASS_CHAIR, &envelope);

	struct driver_output o = on(GF_AREA_QUADS, 80);
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_true(o.intensity_pct == 30);
	o = on(GF_AREA_QUADS, 80);
	clamp_apply(&clamp, &envelope, 1000, &o);
	assert_true(fabsf(o.intensity_pct - 31) < 0.001F);
	o = on(GF_AREA_GLUTES, 31);
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_true(o.intensity_pct == 30);
	/* The knee cap bears 15 %, whoever asks for more. */
	o = on(GF_AREA_PATELLA, 30);
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_true(o.intensity_pct == 15);
}

static void the_clamp_trusts_no_number(void **state)
{
	(void)state;
	struct control_envelope envelope;
	struct clamp clamp = {0};
	control_envelope_defaults(GF_CLASS_CHAIR, &envelope);

	struct driver_output o = on(GF_AREA_QUADS, NAN);
	o.frequency_hz = INFINITY;
	o.pressure_mmhg = NAN;
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_true(o.intensity_pct == 0 && o.frequency_hz == envelope.frequency_max_hz && o.pressure_mmhg == 0);
	o = on(GF_AREA_COUNT, 20);
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_int_equal(o.command, DRIVER_STOP);
	o = on(GF_AREA_QUADS, 20);
	envelope.intensity_max_pct = NAN;
	clamp_apply(&clamp, &envelope, 20, &o);
	assert_true(o.intensity_pct == 0);
}

static void the_tally_weighs_by_time_and_never_overflows(void **state)
{
	(void)state;
	struct tally tally = {0};
	struct gf_area_use areas[GF_SESSION_AREAS_MAX];
	uint64_t sum = 0;

	struct driver_output o = on(GF_AREA_QUADS, 20);
	tally_add(&tally, &o, 3000);
	o.intensity_pct = 40;
	tally_add(&tally, &o, 1000);
	assert_int_equal(tally_report(&tally, areas), 1);
	assert_int_equal(areas[0].ms, 4000);
	assert_true(areas[0].mean_intensity_pct == 25 && areas[0].max_intensity_pct == 40);
	for (int area = 1; area < GF_AREA_COUNT; area++) {
		for (int side = 1; side < GF_SIDE_COUNT; side++) {
			o.area = (enum gf_area)area;
			o.side = (enum gf_side)side;
			tally_add(&tally, &o, 10);
		}
	}
	const size_t n = tally_report(&tally, areas);
	assert_int_equal(n, GF_SESSION_AREAS_MAX);
	for (size_t i = 0; i < n; i++)
		sum += areas[i].ms;
	assert_int_equal(sum, 4000 + (uint64_t)(GF_AREA_COUNT - 1) * (GF_SIDE_COUNT - 1) * 10);
}

static void read_meter(struct meter *meter, uint64_t motor_ms)
{
	const struct driver_input input = {.has_meter = true, .meter_motor_ms = motor_ms};
	meter_reading(meter, &input);
}

static void the_meter_gives_every_millisecond_once(void **state)
{
	(void)state;
	struct meter meter = {0};
	const struct driver_output running = on(GF_AREA_QUADS, 20);

	read_meter(&meter, 5000);
	assert_int_equal(meter_open(&meter).motor_ms, 0);
	meter_elapsed(&meter, &running, 20);
	assert_int_equal(meter_open(&meter).motor_ms, 20);
	/* The reading corrects the ticks. */
	read_meter(&meter, 5017);
	assert_int_equal(meter_open(&meter).motor_ms, 17);
	meter_elapsed(&meter, &running, 20);
	assert_int_equal(meter_take(&meter).motor_ms, 37);
	/* Given out 3 ms too many: the next one gets as many less. */
	read_meter(&meter, 5034);
	assert_int_equal(meter_open(&meter).motor_ms, 0);
	read_meter(&meter, 5134);
	assert_int_equal(meter_take(&meter).motor_ms, 97);
	assert_int_equal(meter.total_ms, 134);
}

static void an_exchanged_meter_loses_nothing(void **state)
{
	(void)state;
	struct meter meter = {0};
	read_meter(&meter, 5000);
	read_meter(&meter, 5100);
	read_meter(&meter, 3);
	assert_int_equal(meter_open(&meter).motor_ms, 100);
	read_meter(&meter, 53);
	assert_int_equal(meter_take(&meter).motor_ms, 150);
}

/* Whole seconds that fall back by one and come again are not another meter each time. */
static void a_meter_that_flickers_gives_nothing_for_it(void **state)
{
	(void)state;
	struct meter meter = {0};
	const struct driver_output running = on(GF_AREA_QUADS, 20);
	read_meter(&meter, 100000);
	for (int i = 0; i < 500; i++) {
		meter_elapsed(&meter, &running, 20);
		read_meter(&meter, (uint64_t)(100000 + i / 50 * 1000 - i % 2 * 1000));
	}
	assert_in_range(meter_open(&meter).motor_ms, 9000, 10500);
	assert_in_range(meter.total_ms, 9000, 10500);
	read_meter(&meter, 110000);
	assert_int_equal(meter_take(&meter).motor_ms, 10000);
	assert_int_equal(meter.total_ms, 10000);
}

static void a_meter_that_leaps_gives_nothing_for_it(void **state)
{
	(void)state;
	struct meter meter = {0};
	read_meter(&meter, 5000);
	read_meter(&meter, 5100);
	read_meter(&meter, UINT64_MAX);
	read_meter(&meter, UINT64_C(5100) + UINT32_MAX);
	assert_int_equal(meter_open(&meter).motor_ms, 100);
	read_meter(&meter, 5150); /* it was one wrong reading */
	assert_int_equal(meter_open(&meter).motor_ms, 100);
	read_meter(&meter, 5180);
	assert_int_equal(meter_take(&meter).motor_ms, 130);
	assert_int_equal(meter.total_ms, 130);
}

static void telemetry_means_are_weighted_by_time(void **state)
{
	(void)state;
	struct telemetry telemetry = {0};
	struct driver_input input = {0};
	struct gf_stat stats[GF_SENSOR_COUNT];

	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		input.sensors[i] = NAN;
	input.sensors[GF_SENSOR_CURRENT_MA] = 100;
	telemetry_add(&telemetry, &input, 0);
	telemetry_take(&telemetry, stats);
	assert_true(stats[GF_SENSOR_CURRENT_MA].present && stats[GF_SENSOR_CURRENT_MA].mean == 100);
	assert_false(stats[GF_SENSOR_MOTOR_TEMP_C].present);
	telemetry_add(&telemetry, &input, 3000);
	input.sensors[GF_SENSOR_CURRENT_MA] = 500;
	telemetry_add(&telemetry, &input, 1000);
	telemetry_take(&telemetry, stats);
	assert_true(stats[GF_SENSOR_CURRENT_MA].mean == 200 && stats[GF_SENSOR_CURRENT_MA].last == 500);
}

static struct gf_step hold_steps[] = {
    {GF_AREA_CALVES, GF_SIDE_LEFT, GF_TECHNIQUE_ROLL, 10000, 20, 30, 10000, 0, 0, 0, 0, 25, 4000},
    {GF_AREA_QUADS, GF_SIDE_LEFT, GF_TECHNIQUE_ROLL, 500, 20, 20, 0, 0, 0, 0, 0, 25, 0},
    {GF_AREA_FEET, GF_SIDE_LEFT, GF_TECHNIQUE_ROLL, 500, 20, 20, 0, 0, 0, 0, 0, 25, 0},
};
static const struct gf_routine hold_routine = {.id = "hold", .steps_count = 3, .steps = hold_steps};

static void the_player_ramps_holds_and_skips_what_a_long_tick_covers(void **state)
{
	(void)state;
	struct player player = {0};
	struct driver_output o;

	assert_null(player_step(&player));
	player_output(&player, &o);
	assert_int_equal(o.command, DRIVER_IDLE);
	player_start(&player, &hold_routine);
	player_elapsed(&player, 5000);
	player_output(&player, &o);
	assert_true(o.intensity_pct == 25 && o.speed_mm_s == 25);
	player_elapsed(&player, 1500);
	player_output(&player, &o);
	assert_true(o.speed_mm_s == 0);
	player_elapsed(&player, 4100);
	assert_int_equal(player_step(&player)->area, GF_AREA_FEET);
	player_elapsed(&player, 400);
	assert_int_equal(player.state, PLAYER_ENDED);
	assert_int_equal(player.outcome, GF_OUTCOME_COMPLETED);
	player_stop(&player, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(player.outcome, GF_OUTCOME_COMPLETED);
	player_output(&player, &o);
	assert_int_equal(o.command, DRIVER_STOP);
}

static void the_player_runs_only_when_no_reason_to_pause_is_left(void **state)
{
	(void)state;
	struct player player = {0};
	player_pause(&player, PLAYER_PAUSE_USER);
	assert_int_equal(player.state, PLAYER_IDLE);
	player_start(&player, &hold_routine);
	player_pause(&player, PLAYER_PAUSE_USER);
	player_pause(&player, PLAYER_PAUSE_COMMS);
	player_resume(&player, PLAYER_PAUSE_COMMS);
	assert_int_equal(player.state, PLAYER_PAUSED);
	player_resume(&player, PLAYER_PAUSE_USER);
	assert_int_equal(player.state, PLAYER_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_clamp_begins_low_and_rises_slowly),
	    cmocka_unit_test(the_clamp_trusts_no_number),
	    cmocka_unit_test(the_tally_weighs_by_time_and_never_overflows),
	    cmocka_unit_test(the_meter_gives_every_millisecond_once),
	    cmocka_unit_test(an_exchanged_meter_loses_nothing),
	    cmocka_unit_test(a_meter_that_flickers_gives_nothing_for_it),
	    cmocka_unit_test(a_meter_that_leaps_gives_nothing_for_it),
	    cmocka_unit_test(telemetry_means_are_weighted_by_time),
	    cmocka_unit_test(the_player_ramps_holds_and_skips_what_a_long_tick_covers),
	    cmocka_unit_test(the_player_runs_only_when_no_reason_to_pause_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
