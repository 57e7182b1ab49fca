/* The simulated machine under the real control core, in virtual time. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control/control.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/crc32c.h"
#include "proto/base/rand.h"
#include "tests/unit/agent/control/rig.h"

#define MONDAY_MS 1767571200000LL /* 2026-01-05T00:00:00Z */

enum { WEEK_MS = 7 * 24 * 3600 * 1000, HOUR_MS = 3600 * 1000, START_MS = 1000 };

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sim-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/hours", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* On the meter at the start. */
#define WORN_MS (UINT64_C(300) * 3600 * 1000)

/* A machine with the little of a recorder that survives a crash: odometers and the last checkpoint. */
struct sim_rig {
	struct sim_config config;
	struct driver *driver;
	struct control *control;
	struct gf_odometer odometer;
	struct gf_session_ended checkpoint;
	bool in_session;
	uint64_t next_fault_no;
	int64_t now_ms;
	uint32_t busy_tick_ms, idle_tick_ms;
	struct driver_output output;
	/* What was seen. */
	uint64_t sessions, ran, motor_ms, occupied_ms, outcomes[GF_OUTCOME_COUNT], faults[GF_FAULT_COUNT], cleared;
	float hottest_c;
	uint32_t crc;
};

static struct sim_config config_of(enum gf_class class, uint64_t seed)
{
	return (struct sim_config){
	    .class = class,
	    .seed = seed,
	    .ambient_c = 22,
	    .wear_h = WORN_MS / 3600 / 1000,
	    .busy = 0.4F,
	    .opens_min = 6 * 60,
	    .closes_min = 23 * 60,
	    .utc_offset_min = 60,
	    .routines = RIG_ROUTINES,
	    .journal_path = path,
	    .mono_to_wall_ms = MONDAY_MS,
	};
}

static void count_end(struct sim_rig *rig, const struct gf_session_ended *ended)
{
	assert_int_equal(ended->start.session_no, rig->odometer.sessions + 1);
	assert_int_equal(ended->odometer.motor_ms, rig->odometer.motor_ms + ended->motor_ms);
	rig->odometer = ended->odometer;
	rig->sessions++;
	rig->ran += ended->motor_ms > 0 ? 1 : 0;
	rig->motor_ms += ended->motor_ms;
	rig->outcomes[ended->outcome]++;
	rig->in_session = false;
}

/* As the recorder does after a crash: what the meter counted since the checkpoint belongs to the session. */
static void recover(struct sim_rig *rig, uint64_t meter_motor_ms)
{
	if (!rig->in_session)
		return;
	struct gf_session_ended ended = rig->checkpoint;
	const uint64_t more = meter_motor_ms - ended.odometer.motor_ms;
	ended.motor_ms += more;
	ended.odometer.motor_ms += more;
	count_end(rig, &ended);
}

static void open_machine(struct sim_rig *rig)
{
	struct driver_input input;
	struct gf_diag diag = {0};
	struct control_config config = {.class = rig->config.class, .catalog = rig_catalog(rig->config.class)};

	control_envelope_defaults(config.class, &config.envelope);
	assert_int_equal(sim_driver_new(&rig->config, &rig->driver, &diag), 0);
	assert_int_equal(rig->driver->ops->read(rig->driver, rig->now_ms, &input), 0);
	assert_true(input.has_meter);
	assert_true(input.meter_motor_ms >= WORN_MS);
	recover(rig, input.meter_motor_ms - WORN_MS);
	const struct control_resume resume = {.odometer = rig->odometer, .next_fault_no = rig->next_fault_no};
	assert_int_equal(control_new(&config, &resume, rig->now_ms, &rig->control), 0);
}

static void take_event(struct sim_rig *rig, const struct control_event *event)
{
	rig->crc = gf_crc32c(rig->crc, &event->mono_ms, sizeof(event->mono_ms));
	rig->crc = gf_crc32c(rig->crc, &event->kind, sizeof(event->kind));
	switch (event->kind) {
	case CONTROL_EVENT_SESSION_STARTED:
		assert_false(rig->in_session);
		rig->in_session = true;
		break;
	case CONTROL_EVENT_SESSION_PROGRESS:
		rig->checkpoint = event->session_ended;
		break;
	case CONTROL_EVENT_SESSION_ENDED:
		rig->crc = gf_crc32c(rig->crc, &event->session_ended.motor_ms, sizeof(uint64_t));
		count_end(rig, &event->session_ended);
		break;
	case CONTROL_EVENT_FAULT_RAISED:
		rig->faults[event->fault_raised.code]++;
		rig->next_fault_no = event->fault_raised.fault_no + 1;
		break;
	case CONTROL_EVENT_FAULT_CLEARED:
		rig->cleared++;
		break;
	case CONTROL_EVENT_TELEMETRY:
		if (event->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max > rig->hottest_c)
			rig->hottest_c = event->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max;
		rig->crc = gf_crc32c(rig->crc, event->heartbeat.sensors, sizeof(event->heartbeat.sensors));
		break;
	case CONTROL_EVENT_LIMIT_HIT:
	case CONTROL_EVENT_CATALOG:
		break;
	}
}

static void tick(struct sim_rig *rig)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	struct driver_input input;
	struct driver *driver = rig->driver;

	const bool readable = driver->ops->read(driver, rig->now_ms, &input) == 0;
	const size_t n = control_step(rig->control, rig->now_ms, readable ? &input : NULL, &rig->output, events);
	assert_int_equal(driver->ops->write(driver, rig->now_ms, &rig->output), 0);
	for (size_t i = 0; i < n; i++)
		take_event(rig, &events[i]);
}

static void advance(struct sim_rig *rig)
{
	const bool moving = control_in_session(rig->control) || control_faulted(rig->control);
	const int64_t use = sim_driver_next_use_ms(rig->driver, rig->now_ms);
	int64_t step = moving ? rig->busy_tick_ms : rig->idle_tick_ms;
	if (!moving && use - rig->now_ms < step)
		step = use - rig->now_ms > rig->busy_tick_ms ? use - rig->now_ms : rig->busy_tick_ms;
	rig->occupied_ms += control_in_session(rig->control) ? (uint64_t)step : 0;
	rig->now_ms += step;
}

static void run_until(struct sim_rig *rig, int64_t until_ms)
{
	for (; rig->now_ms < until_ms; advance(rig))
		tick(rig);
}

/* Power gone in the middle of everything: nobody says goodbye. */
static void crash(struct sim_rig *rig)
{
	control_free(rig->control);
	rig->driver->ops->free(rig->driver);
}

static void shut_down(struct sim_rig *rig, enum gf_outcome outcome)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	const size_t n = control_shutdown(rig->control, rig->now_ms, outcome, &rig->output, events);
	assert_int_equal(rig->driver->ops->write(rig->driver, rig->now_ms, &rig->output), 0);
	for (size_t i = 0; i < n; i++)
		take_event(rig, &events[i]);
	crash(rig);
}

static struct sim_rig machine(struct sim_config config, uint32_t tick_ms)
{
	return (struct sim_rig){.config = config,
	                        .now_ms = START_MS,
	                        .busy_tick_ms = tick_ms,
	                        .idle_tick_ms = tick_ms < 1000 ? tick_ms : 10000,
	                        .next_fault_no = 1};
}

static struct sim_journal journal(void)
{
	struct sim_journal j = {0};
	assert_int_equal(sim_journal_read(path, &j), 0);
	return j;
}

static void a_week_on_every_class_adds_up_to_the_hour_meter(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		struct sim_rig rig = machine(config_of((enum gf_class) class, 11 + (uint64_t) class), 1000);
		unlink(path);
		open_machine(&rig);
		run_until(&rig, WEEK_MS);
		shut_down(&rig, GF_OUTCOME_INTERRUPTED);
		assert_int_equal(rig.motor_ms, journal().motor_ms);
		assert_int_equal(rig.odometer.motor_ms, journal().motor_ms);
		assert_int_equal(rig.sessions, journal().starts);
		assert_true(rig.sessions > 200);
		assert_true(rig.outcomes[GF_OUTCOME_COMPLETED] > rig.sessions * 7 / 10);
		assert_true(rig.outcomes[GF_OUTCOME_USER_STOPPED] > 0);
		assert_true(rig.hottest_c > 25 && rig.hottest_c < 60);
		/* Nothing breaks by itself. */
		for (int code = 0; code < GF_FAULT_COUNT; code++)
			assert_int_equal(rig.faults[code], 0);
	}
}

static void i1_sessions_add_up_to_the_hour_meter_over_crashes(void **state)
{
	(void)state;
	const uint64_t seed = 4711;
	struct gf_prng prng;
	struct sim_rig rig = machine(config_of(GF_CLASS_CHAIR, seed), 1000);

	rig.config.faults_count = 4;
	rig.config.faults[0] = (struct sim_fault){GF_FAULT_ESTOP, 300};
	rig.config.faults[1] = (struct sim_fault){GF_FAULT_COMMS_LOST, 600};
	rig.config.faults[2] = (struct sim_fault){GF_FAULT_OVERTEMP_MOTOR, 100};
	rig.config.faults[3] = (struct sim_fault){GF_FAULT_OVERCURRENT, 200};
	rig.config.busy = 0.8F;
	gf_prng_seed(&prng, seed);
	for (int64_t until = START_MS; until < WEEK_MS;) {
		open_machine(&rig);
		until += 10 * 60 * 1000 + (int64_t)gf_prng_below(&prng, 3 * HOUR_MS);
		run_until(&rig, until);
		if (gf_prng_below(&prng, 4) == 0)
			shut_down(&rig, GF_OUTCOME_SAFETY_STOPPED);
		else
			crash(&rig);
		rig.now_ms += 1000 + (int64_t)gf_prng_below(&prng, 60000);
	}
	open_machine(&rig);
	crash(&rig);
	print_message("seed %llu: %llu sessions, %llu interrupted\n", (unsigned long long)seed,
	              (unsigned long long)rig.sessions, (unsigned long long)rig.outcomes[GF_OUTCOME_INTERRUPTED]);
	assert_int_equal(rig.motor_ms, journal().motor_ms);
	/* Without power before the motor's first millisecond the hardware knows nothing of a session. */
	assert_int_equal(rig.ran, journal().starts);
	assert_true(rig.sessions - rig.ran <= rig.outcomes[GF_OUTCOME_INTERRUPTED]);
	assert_true(rig.outcomes[GF_OUTCOME_INTERRUPTED] > 10);
	assert_true(rig.outcomes[GF_OUTCOME_FAULT_STOPPED] > 10);
}

static void a_tick_of_20_ms_adds_up_too(void **state)
{
	(void)state;
	struct sim_rig rig = machine(config_of(GF_CLASS_PERCUSSION, 5), 20);
	rig.config.busy = 0.9F;
	rig.config.opens_min = rig.config.closes_min = 0;
	rig.config.faults_count = 1;
	rig.config.faults[0] = (struct sim_fault){GF_FAULT_COMMS_LOST, 2000};
	open_machine(&rig);
	run_until(&rig, 6 * HOUR_MS);
	shut_down(&rig, GF_OUTCOME_INTERRUPTED);
	assert_true(rig.sessions > 20);
	assert_int_equal(rig.motor_ms, journal().motor_ms);
	assert_int_equal(rig.sessions, journal().starts);
}

static uint32_t history(uint64_t seed, uint64_t *ret_motor_ms)
{
	struct sim_rig rig = machine(config_of(GF_CLASS_ROLLER, seed), 1000);
	unlink(path);
	rig.config.faults_count = 1;
	rig.config.faults[0] = (struct sim_fault){GF_FAULT_ESTOP, 50};
	open_machine(&rig);
	run_until(&rig, 3 * 24 * HOUR_MS);
	shut_down(&rig, GF_OUTCOME_INTERRUPTED);
	*ret_motor_ms = rig.motor_ms;
	return rig.crc;
}

static void the_same_seed_makes_the_same_history(void **state)
{
	(void)state;
	uint64_t one, two, other;
	const uint32_t crc = history(99, &one);
	assert_int_equal(history(99, &two), crc);
	assert_int_equal(one, two);
	assert_int_not_equal(history(100, &other), crc);
}

static void people_come_as_often_as_busy_says_and_only_when_it_is_open(void **state)
{
	(void)state;
	struct sim_rig rig = machine(config_of(GF_CLASS_CHAIR, 3), 1000);
	open_machine(&rig);
	/* Opens at 06:00 local, 05:00 UTC. */
	run_until(&rig, 5 * HOUR_MS);
	assert_int_equal(rig.sessions, 0);
	run_until(&rig, WEEK_MS);
	shut_down(&rig, GF_OUTCOME_INTERRUPTED);
	const double share = (double)rig.occupied_ms / (7.0 * 17 * HOUR_MS);
	print_message("busy 0.4: in use for %.2f of the opening time\n", share);
	assert_true(share > 0.25 && share < 0.5);
}

static void nobody_comes_where_nobody_is_meant_to(void **state)
{
	(void)state;
	struct sim_rig rig = machine(config_of(GF_CLASS_CHAIR, 3), 1000);
	rig.config.busy = 0;
	open_machine(&rig);
	run_until(&rig, 24 * HOUR_MS);
	assert_true(sim_driver_next_use_ms(rig.driver, rig.now_ms) == INT64_MAX);
	assert_int_equal(rig.sessions, 0);
	crash(&rig);
	assert_int_equal(journal().starts, 0);
}

/* Each fault that can be injected is noticed, and is over some time after it went. */
static void every_injected_fault_is_noticed_and_recovers(void **state)
{
	(void)state;
	static const enum gf_fault codes[] = {
	    GF_FAULT_OVERTEMP_MOTOR, GF_FAULT_OVERTEMP_SURFACE, GF_FAULT_OVERCURRENT, GF_FAULT_STALL,
	    GF_FAULT_ESTOP,          GF_FAULT_COVER_OPEN,       GF_FAULT_SENSOR_LOST, GF_FAULT_COMMS_LOST,
	    GF_FAULT_SUPPLY,         GF_FAULT_OVERPRESSURE,     GF_FAULT_LEAK,
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct sim_rig rig = machine(config_of(GF_CLASS_COMPRESSION, 21), 1000);
		unlink(path);
		rig.config.busy = 0.95F;
		rig.config.opens_min = rig.config.closes_min = 0;
		open_machine(&rig);
		/* A session long enough for the slowest of them. */
		do
			advance(&rig), tick(&rig);
		while (!rig.in_session || strcmp(rig.checkpoint.start.routine, "plain") != 0);
		run_until(&rig, rig.now_ms + 5000);
		sim_driver_inject(rig.driver, codes[i], 120000);
		run_until(&rig, rig.now_ms + 121000);
		if (rig.faults[codes[i]] == 0)
			fail_msg("%s was not noticed", gf_fault_name(codes[i]));
		assert_true(rig.outcomes[GF_OUTCOME_FAULT_STOPPED] > 0);
		run_until(&rig, rig.now_ms + HOUR_MS / 2);
		if (control_faulted(rig.control) || rig.cleared == 0)
			fail_msg("%s was not over after half an hour", gf_fault_name(codes[i]));
		shut_down(&rig, GF_OUTCOME_INTERRUPTED);
		assert_int_equal(rig.motor_ms, journal().motor_ms);
	}
}

static void the_motor_stops_by_itself_when_nobody_asks(void **state)
{
	(void)state;
	struct sim_config config = config_of(GF_CLASS_CHAIR, 1);
	struct driver *driver = NULL;
	struct driver_input input;
	const struct driver_output on = {.command = DRIVER_START, .intensity_pct = 40};

	config.busy = 0;
	assert_int_equal(sim_driver_new(&config, &driver, NULL), 0);
	assert_int_equal(driver->ops->read(driver, 0, &input), 0);
	assert_int_equal(input.meter_motor_ms, WORN_MS);
	assert_int_equal(driver->ops->write(driver, 20, &on), 0);
	assert_int_equal(driver->ops->read(driver, 60020, &input), -ETIMEDOUT);
	assert_int_equal(driver->ops->read(driver, 60040, &input), 0);
	assert_int_equal(input.meter_motor_ms, WORN_MS + DRIVER_DEAD_MAN_MS);
	assert_int_equal(driver->ops->read(driver, 61020, &input), 0);
	assert_int_equal(input.meter_motor_ms, WORN_MS + DRIVER_DEAD_MAN_MS);
	assert_true(isnan(input.sensors[GF_SENSOR_BATTERY_PCT]));
	driver->ops->free(driver);
	driver = NULL;
	/* The meter outlives the process. */
	assert_int_equal(sim_driver_new(&config, &driver, NULL), 0);
	assert_int_equal(driver->ops->read(driver, 5, &input), 0);
	assert_int_equal(input.meter_motor_ms, WORN_MS + DRIVER_DEAD_MAN_MS);
	driver->ops->free(driver);
}

static void write_file(const void *data, size_t len)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void refuses_a_broken_journal_and_a_wrong_config(void **state)
{
	(void)state;
	struct sim_config config = config_of(GF_CLASS_ROLLER, 1);
	struct driver *driver = NULL;
	struct gf_diag diag = {0};
	struct sim_journal j;

	assert_int_equal(sim_journal_read(path, &j), -ENOENT);
	write_file("not a journal, but as long as one......", 40);
	assert_int_equal(sim_journal_read(path, &j), -EINVAL);
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, path));
	write_file("short", 5);
	assert_int_equal(sim_journal_read(path, &j), -EINVAL);
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -EINVAL);
	unlink(path);

	config.faults_count = 1;
	config.faults[0] = (struct sim_fault){GF_FAULT_LEAK, 5};
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "leak"));
	config.faults[0] = (struct sim_fault){GF_FAULT_ESTOP, 0};
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -EINVAL);
	config.faults_count = 0;
	config.class = GF_CLASS_UNSPECIFIED;
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -EINVAL);
	config.class = GF_CLASS_ROLLER;
	config.journal_path = "/nonexistent/hours";
	assert_int_equal(sim_driver_new(&config, &driver, &diag), -ENOENT);
	assert_null(driver);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
	    TEST(a_week_on_every_class_adds_up_to_the_hour_meter),
	    TEST(i1_sessions_add_up_to_the_hour_meter_over_crashes),
	    TEST(a_tick_of_20_ms_adds_up_too),
	    TEST(the_same_seed_makes_the_same_history),
	    TEST(people_come_as_often_as_busy_says_and_only_when_it_is_open),
	    TEST(nobody_comes_where_nobody_is_meant_to),
	    TEST(every_injected_fault_is_noticed_and_recovers),
	    TEST(the_motor_stops_by_itself_when_nobody_asks),
	    TEST(refuses_a_broken_journal_and_a_wrong_config),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
