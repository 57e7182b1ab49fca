/* One tick over hardware and in time that the test holds in its hands. */
#include "agent/tick.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/agent/control/rig.h"

enum { TICKS_A_SECOND = 1000 / CONTROL_TICK_MS };

struct machine {
	struct driver driver;
	struct driver_input input;
	struct driver_output output;
	struct driver_bus bus;
	bool unreadable, unwritable;
	unsigned writes, safes;
	int64_t read_ms, written_ms; /* what the driver was told */
	struct tick tick;
	int64_t now_ms;
	size_t count; /* events of the last tick */
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
};

static int fake_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct machine *m = (struct machine *)(void *)driver;
	m->read_ms = mono_ms;
	if (m->unreadable)
		return -EIO;
	*ret_input = m->input;
	return 0;
}

static int fake_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	struct machine *m = (struct machine *)(void *)driver;
	m->written_ms = mono_ms;
	m->output = *output;
	m->writes++;
	return m->unwritable ? -EIO : 0;
}

static void fake_safe(struct driver *driver)
{
	struct machine *m = (struct machine *)(void *)driver;
	m->output = (struct driver_output){.command = DRIVER_STOP};
	m->safes++;
}

static void fake_bus(const struct driver *driver, struct driver_bus *ret_bus)
{
	const struct machine *m = (const struct machine *)(const void *)driver;
	*ret_bus = m->bus;
}

static const struct driver_ops wired = {
    .name = "fake", .read = fake_read, .write = fake_write, .safe = fake_safe, .bus = fake_bus};
static const struct driver_ops wireless = {.name = "fake", .read = fake_read, .write = fake_write, .safe = fake_safe};

static int setup(void **state)
{
	const struct control_resume resume = {0};
	struct machine *m = calloc(1, sizeof(*m));
	struct control_config config = {
	    .class = GF_CLASS_ROLLER, .heartbeat_ms = 1000, .catalog = rig_catalog(GF_CLASS_ROLLER)};
	m->driver.ops = &wired;
	m->now_ms = 100000;
	for (int s = 1; s < GF_SENSOR_COUNT; s++)
		m->input.sensors[s] = (float)__builtin_nan("");
	control_envelope_defaults(config.class, &config.envelope);
	assert_int_equal(control_new(&config, &resume, m->now_ms, &m->tick.control), 0);
	m->tick.driver = &m->driver;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;
	control_free(m->tick.control);
	free(m);
	return 0;
}

static void tick_after(struct machine *m, int64_t ms)
{
	m->now_ms += ms;
	m->count = tick_run(&m->tick, m->now_ms, m->events);
}

static bool runs(const struct machine *m)
{
	return m->output.command == DRIVER_START && m->output.intensity_pct > 0;
}

/* The first event of this kind in the last tick, or NULL. */
static const struct control_event *told(const struct machine *m, enum control_event_kind kind)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->events[i].kind == kind)
			return &m->events[i];
	}
	return NULL;
}

/* Ticks until a heartbeat is told. */
static const struct gf_heartbeat *next_heartbeat(struct machine *m)
{
	for (int i = 0; i < 2 * TICKS_A_SECOND; i++) {
		tick_after(m, CONTROL_TICK_MS);
		const struct control_event *event = told(m, CONTROL_EVENT_TELEMETRY);
		if (event != NULL)
			return &event->heartbeat;
	}
	fail_msg("no heartbeat");
	return NULL;
}

static void begin_session(struct machine *m)
{
	tick_after(m, CONTROL_TICK_MS);
	m->input.panel.routine = RIG_PLAIN;
	for (int i = 0; i < 2 * TICKS_A_SECOND && !runs(m); i++)
		tick_after(m, CONTROL_TICK_MS);
	m->input.panel.routine = 0;
	assert_true(runs(m));
}

static void what_is_read_decides_what_is_written_in_the_same_tick(void **state)
{
	struct machine *m = *state;
	begin_session(m);
	unsigned writes = m->writes;
	m->input.estop = true;
	tick_after(m, CONTROL_TICK_MS);
	assert_int_equal(m->writes, writes + 1);
	assert_false(runs(m));
	assert_int_equal(m->safes, 0);
}

/* A late tick is told that it is late: the driver and the core's time limits go by it. */
static void a_late_tick_keeps_its_time(void **state)
{
	struct machine *m = *state;
	begin_session(m);
	tick_after(m, 700);
	assert_int_equal(m->read_ms, m->now_ms);
	assert_int_equal(m->written_ms, m->now_ms);
	assert_true(runs(m));
	/* Too long a gap to have known what the machine did. */
	tick_after(m, 5000);
	assert_false(runs(m));
	tick_after(m, CONTROL_TICK_MS);
	const struct control_event *ended = told(m, CONTROL_EVENT_SESSION_ENDED);
	assert_non_null(ended);
	assert_int_equal(ended->session_ended.outcome, GF_OUTCOME_SAFETY_STOPPED);
}

static void i4_without_a_reading_the_output_is_off(void **state)
{
	struct machine *m = *state;
	begin_session(m);
	m->unreadable = true;
	tick_after(m, CONTROL_TICK_MS);
	assert_false(runs(m));
}

static void i4_a_failed_write_is_made_safe_and_counts_as_no_reading(void **state)
{
	struct machine *m = *state;
	begin_session(m);
	m->unwritable = true;
	tick_after(m, CONTROL_TICK_MS);
	assert_int_equal(m->safes, 1);
	assert_false(runs(m));
	/* It could be read all the time, and takes output again: but what it was told last may not have reached it. */
	m->unwritable = false;
	tick_after(m, CONTROL_TICK_MS);
	assert_int_equal(m->safes, 1);
	assert_int_equal(m->output.intensity_pct, 0);
	assert_int_not_equal(m->output.command, DRIVER_START);
	for (int i = 0; i < TICKS_A_SECOND && !runs(m); i++)
		tick_after(m, CONTROL_TICK_MS);
	assert_true(runs(m));
}

static void hardware_that_never_takes_output_is_a_fault(void **state)
{
	struct machine *m = *state;
	const struct control_event *raised = NULL;
	begin_session(m);
	m->unwritable = true;
	for (int i = 0; i < 10 * TICKS_A_SECOND && raised == NULL; i++) {
		tick_after(m, CONTROL_TICK_MS);
		raised = told(m, CONTROL_EVENT_FAULT_RAISED);
	}
	assert_non_null(raised);
	assert_int_equal(raised->fault_raised.code, GF_FAULT_COMMS_LOST);
}

static void heartbeats_carry_lateness_and_bus(void **state)
{
	struct machine *m = *state;
	next_heartbeat(m);
	m->bus = (struct driver_bus){.timeouts = 1, .crc_errors = 2, .exceptions = 3, .reconnects = 4};
	tick_stats_add(&m->tick.stats, 30000, true);
	const struct gf_heartbeat *beat = next_heartbeat(m);
	assert_int_equal(beat->tick_worst_us, 30000);
	assert_int_equal(beat->tick_overruns, 1);
	assert_int_equal(beat->bus_timeouts, 1);
	assert_int_equal(beat->bus_crc_errors, 2);
	assert_int_equal(beat->bus_exceptions, 3);
	assert_int_equal(beat->bus_reconnects, 4);
	/* Lateness is the interval's, the bus's counters are since the start. */
	beat = next_heartbeat(m);
	assert_int_equal(beat->tick_worst_us, 0);
	assert_int_equal(beat->tick_overruns, 0);
	assert_int_equal(beat->bus_timeouts, 1);
}

static void a_driver_without_a_bus_counts_nothing(void **state)
{
	struct machine *m = *state;
	m->driver.ops = &wireless;
	m->bus.timeouts = 7;
	assert_int_equal(next_heartbeat(m)->bus_timeouts, 0);
}

static void i5_an_end_is_off_and_safe(void **state)
{
	struct machine *m = *state;
	begin_session(m);
	m->unwritable = true; /* whatever the hardware says to it */
	m->count = tick_end(&m->tick, m->now_ms, GF_OUTCOME_STAFF_STOPPED, m->events);
	assert_int_equal(m->safes, 1);
	assert_false(runs(m));
	const struct control_event *ended = told(m, CONTROL_EVENT_SESSION_ENDED);
	assert_non_null(ended);
	assert_int_equal(ended->session_ended.outcome, GF_OUTCOME_STAFF_STOPPED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_read_decides_what_is_written_in_the_same_tick),
	    TEST(a_late_tick_keeps_its_time),
	    TEST(i4_without_a_reading_the_output_is_off),
	    TEST(i4_a_failed_write_is_made_safe_and_counts_as_no_reading),
	    TEST(hardware_that_never_takes_output_is_a_fault),
	    TEST(heartbeats_carry_lateness_and_bus),
	    TEST(a_driver_without_a_bus_counts_nothing),
	    TEST(i5_an_end_is_off_and_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
