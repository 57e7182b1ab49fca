/* The shipped routines on the simulated machines, a worn one of each class in a warm room: each plays to its end, within every limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control/control.h"
#include "agent/sim/sim_driver.h"
#include "proto/catalog_yaml.h"

enum { TICK_MS = 200, ROUNDS = 3, REST_MS = 16 * 60 * 1000 };

struct played {
	char dir[64], path[96];
	struct gf_catalog catalog;
	struct driver *driver;
	struct control *control;
	int64_t now_ms;
	struct gf_session_ended ended;
};

static void take(struct played *p, const struct control_event *event)
{
	switch (event->kind) {
	case CONTROL_EVENT_SESSION_ENDED:
		p->ended = event->session_ended;
		break;
	case CONTROL_EVENT_FAULT_RAISED:
		fail_msg("%s: %s (%g)", gf_fault_name(event->fault_raised.code), event->fault_raised.detail,
		         (double)event->fault_raised.observed);
		break;
	case CONTROL_EVENT_LIMIT_HIT:
		/* A long routine may reach where a rule warns; nothing of it is clamped, skipped or stopped. */
		if (strcmp(event->limit_hit.action, "warn") != 0)
			fail_msg("%s: %g, limit %g", event->limit_hit.rule, (double)event->limit_hit.observed,
			         (double)event->limit_hit.limit);
		break;
	case CONTROL_EVENT_SESSION_STARTED:
	case CONTROL_EVENT_SESSION_PROGRESS:
	case CONTROL_EVENT_FAULT_CLEARED:
	case CONTROL_EVENT_TELEMETRY:
	case CONTROL_EVENT_CATALOG:
		break;
	}
}

static void tick(struct played *p, uint16_t routine)
{
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	struct driver_input input;
	struct driver_output output;

	p->now_ms += TICK_MS;
	assert_int_equal(p->driver->ops->read(p->driver, p->now_ms, &input), 0);
	input.panel.routine = routine;
	input.panel.staff_key = routine != 0;
	const size_t n = control_step(p->control, p->now_ms, &input, &output, events);
	assert_int_equal(p->driver->ops->write(p->driver, p->now_ms, &output), 0);
	for (size_t i = 0; i < n; i++)
		take(p, &events[i]);
}

static void play(struct played *p, const struct gf_routine *routine, uint16_t number)
{
	p->ended = (struct gf_session_ended){0};
	for (int i = 0; i < REST_MS / TICK_MS; i++)
		tick(p, 0);
	tick(p, number);
	tick(p, number); /* what is there in one reading is noise */
	if (!control_in_session(p->control))
		fail_msg("%s doesn't start", routine->id);
	while (control_in_session(p->control))
		tick(p, 0);
	if (p->ended.outcome != GF_OUTCOME_COMPLETED)
		fail_msg("%s ended as %s", routine->id, gf_outcome_name(p->ended.outcome));
	assert_string_equal(p->ended.start.routine, routine->id);
	assert_int_equal(p->ended.duration_ms, gf_routine_duration_ms(routine));
}

static int setup(void **state)
{
	struct played *p = calloc(1, sizeof(*p));
	strcpy(p->dir, "/tmp/sim-shipped-XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/hours", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct played *p = *state;
	control_free(p->control);
	if (p->driver != NULL)
		p->driver->ops->free(p->driver);
	gf_catalog_deinit(&p->catalog);
	unlink(p->path);
	const int r = rmdir(p->dir);
	free(p);
	return r;
}

static void open_machine(struct played *p, enum gf_class class)
{
	struct gf_diag diag = {0};
	const struct sim_config sim = {
	    .class = class, .seed = 1, .ambient_c = 26, .wear_h = 2000, .journal_path = p->path, .routines = 1};
	const struct control_resume resume = {0};
	struct control_config config = {.class = class, .catalog = &p->catalog};

	if (gf_catalog_yaml_folder(GF_SOURCE_DIR "/config/routines", class, gf_class_name(class), 1, &p->catalog, &diag) !=
	    0)
		fail_msg("%s", diag.text);
	control_envelope_defaults(class, &config.envelope);
	assert_int_equal(sim_driver_new(&sim, &p->driver, &diag), 0);
	assert_int_equal(control_new(&config, &resume, 0, &p->control), 0);
}

static void play_all(struct played *p, enum gf_class class)
{
	open_machine(p, class);
	assert_true(p->catalog.routines_count > 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < p->catalog.routines_count; i++)
			play(p, &p->catalog.routines[i], (uint16_t)(i + 1));
	}
}

static void every_routine_of_a_percussion_plays_to_its_end(void **state)
{
	play_all(*state, GF_CLASS_PERCUSSION);
}

static void every_routine_of_a_roller_plays_to_its_end(void **state)
{
	play_all(*state, GF_CLASS_ROLLER);
}

static void every_routine_of_a_compression_plays_to_its_end(void **state)
{
	play_all(*state, GF_CLASS_COMPRESSION);
}

static void every_routine_of_a_chair_plays_to_its_end(void **state)
{
	play_all(*state, GF_CLASS_CHAIR);
}

static void every_routine_of_a_water_bed_plays_to_its_end(void **state)
{
	play_all(*state, GF_CLASS_WATER_BED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(every_routine_of_a_percussion_plays_to_its_end),  TEST(every_routine_of_a_roller_plays_to_its_end),
	    TEST(every_routine_of_a_compression_plays_to_its_end), TEST(every_routine_of_a_chair_plays_to_its_end),
	    TEST(every_routine_of_a_water_bed_plays_to_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
