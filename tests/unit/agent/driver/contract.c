#include "tests/unit/agent/driver/contract.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
	TICK_MS = 20,
	POLL_MS = 5,
	START_MS = 5000, /* within so long it must run, however slow the hardware wakes up */
	WATCH_MS = 300,  /* so long "stays off" is watched */
};

const struct driver_output contract_work = {
    .command = DRIVER_START,
    .area = GF_AREA_CALVES,
    .side = GF_SIDE_LEFT,
    .technique = GF_TECHNIQUE_KNEAD,
    .intensity_pct = 25,
    .frequency_hz = 1,
    .ramp_pct_s = 1,
    .step_left_ms = 60000,
};

static int write_output(struct contract_rig *rig, enum driver_command command)
{
	struct driver_output output = contract_work;
	output.command = command;
	return rig->driver->ops->write(rig->driver, rig->now_ms(rig), &output);
}

static int read_input(struct contract_rig *rig)
{
	struct driver_input input;
	return rig->driver->ops->read(rig->driver, rig->now_ms(rig), &input);
}

bool contract_tick(struct contract_rig *rig, enum driver_command command)
{
	const bool readable = read_input(rig) == 0;
	const bool written = write_output(rig, readable ? command : DRIVER_PAUSE) == 0;
	if (!written)
		rig->driver->ops->safe(rig->driver);
	return readable && written;
}

void contract_start(struct contract_rig *rig)
{
	const int64_t end_ms = rig->now_ms(rig) + START_MS;
	while (!rig->on(rig)) {
		if (rig->now_ms(rig) >= end_ms)
			fail_msg("%s: not on within %d ms", rig->driver->ops->name, START_MS);
		contract_tick(rig, DRIVER_START);
		rig->pass(rig, TICK_MS);
	}
}

static void assert_off_within(struct contract_rig *rig, int ms)
{
	const int64_t end_ms = rig->now_ms(rig) + ms;
	while (rig->on(rig)) {
		if (rig->now_ms(rig) >= end_ms)
			fail_msg("still on after %d ms", ms);
		rig->pass(rig, POLL_MS);
	}
}

static void assert_stays_off(struct contract_rig *rig)
{
	for (int ms = 0; ms < WATCH_MS; ms += POLL_MS) {
		assert_false(rig->on(rig));
		rig->pass(rig, POLL_MS);
	}
}

/* Ticks that ask for `command` and never see the hardware on. */
static void assert_off_while_asking(struct contract_rig *rig, enum driver_command command)
{
	for (int ms = 0; ms < WATCH_MS; ms += TICK_MS) {
		contract_tick(rig, command);
		rig->pass(rig, TICK_MS);
		assert_false(rig->on(rig));
	}
}

void contract_off_after_it_is_made(void **state)
{
	struct contract_rig *rig = *state;
	assert_stays_off(rig);
}

void contract_never_starts_by_itself(void **state)
{
	struct contract_rig *rig = *state;
	assert_off_while_asking(rig, DRIVER_IDLE);
	assert_off_while_asking(rig, DRIVER_PAUSE);
	assert_off_while_asking(rig, DRIVER_STOP);
}

void contract_runs_and_stops_as_told(void **state)
{
	static const enum driver_command off[] = {DRIVER_IDLE, DRIVER_PAUSE, DRIVER_STOP};
	struct contract_rig *rig = *state;

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		contract_start(rig);
		assert_int_equal(write_output(rig, off[i]), 0);
		assert_off_within(rig, rig->settle_ms);
		assert_off_while_asking(rig, off[i]);
	}
}

void contract_off_after_safe(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->driver->ops->safe(rig->driver);
	assert_off_within(rig, rig->settle_ms);
	assert_stays_off(rig);
}

void contract_off_after_free(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->driver->ops->free(rig->driver);
	rig->driver = NULL;
	assert_off_within(rig, rig->settle_ms);
	assert_stays_off(rig);
}

void contract_off_after_a_failure(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->cut(rig, true);
	while (contract_tick(rig, DRIVER_START))
		rig->pass(rig, TICK_MS);
	rig->driver->ops->safe(rig->driver);
	assert_off_within(rig, DRIVER_DEAD_MAN_MS);
	rig->cut(rig, false);
	assert_off_while_asking(rig, DRIVER_PAUSE);
}

void contract_an_old_reading_is_none(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->cut(rig, true);
	const int64_t cut_ms = rig->now_ms(rig);
	while (contract_tick(rig, DRIVER_START)) {
		if (rig->now_ms(rig) - cut_ms > DRIVER_STALE_MS + rig->settle_ms)
			fail_msg("a reading after %d ms without hardware", (int)(rig->now_ms(rig) - cut_ms));
		rig->pass(rig, POLL_MS);
	}
	for (int ms = 0; ms < WATCH_MS; ms += TICK_MS) {
		assert_int_not_equal(read_input(rig), 0);
		rig->pass(rig, TICK_MS);
	}
}

void contract_readings_come_back(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->cut(rig, true);
	while (contract_tick(rig, DRIVER_START))
		rig->pass(rig, TICK_MS);
	rig->cut(rig, false);
	const int64_t end_ms = rig->now_ms(rig) + rig->recover_ms;
	while (!contract_tick(rig, DRIVER_PAUSE)) {
		assert_true(rig->now_ms(rig) < end_ms);
		rig->pass(rig, TICK_MS);
	}
	contract_start(rig);
}

void contract_i5_off_when_nobody_writes(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->pass(rig, DRIVER_DEAD_MAN_MS);
	assert_stays_off(rig);
}

void contract_i5_reading_alone_keeps_nothing_on(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	for (int ms = 0; ms < DRIVER_DEAD_MAN_MS; ms += TICK_MS) {
		(void)read_input(rig);
		rig->pass(rig, TICK_MS);
	}
	assert_stays_off(rig);
}

void contract_i5_off_until_a_reading_has_failed(void **state)
{
	struct contract_rig *rig = *state;
	contract_start(rig);
	rig->pass(rig, DRIVER_DEAD_MAN_MS + TICK_MS);
	for (int ms = 0; ms < WATCH_MS; ms += TICK_MS) {
		(void)write_output(rig, DRIVER_START);
		rig->pass(rig, TICK_MS);
		assert_false(rig->on(rig));
	}
	assert_int_not_equal(read_input(rig), 0);
	contract_start(rig);
}
