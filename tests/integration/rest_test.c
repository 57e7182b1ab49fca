/*
 * What a machine keeps from running by its own rules, seen by the operator: a rest until its time, what is latched until staff has
 * cleared it, and each rule that acted as an event.
 */
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "tests/integration/lab.h"

enum { SOON_MS = 20000, MINUTE_MS = 60000, REST_MS = 15 * MINUTE_MS, DAY_MS = 24 * 60 * MINUTE_MS, SHORT_MS = 4000 };

static int setup(void **state)
{
	struct it_lab *t = it_lab_open(state, "rest");

	it_machine_birth(t->m, NULL);
	return 0;
}

/* ---- what the machine says ---- */

/* A record of any kind, made from a heartbeat's stamp. */
static struct gf_record next(struct it_lab *t, enum gf_record_kind kind, int64_t at_ms)
{
	struct gf_record record = it_heartbeat(t->m, ++t->seq, at_ms, NAN);

	if (kind == GF_RECORD_HEARTBEAT)
		return record;
	return (struct gf_record){.seq = record.seq,
	                          .boot = record.boot,
	                          .uptime_ms = record.uptime_ms,
	                          .wall_ms = record.wall_ms,
	                          .clock_synced = record.clock_synced,
	                          .kind = kind};
}

static void tell(struct it_lab *t, const struct gf_record *record)
{
	it_machine_report(t->m, record, 1);
	IT_UNTIL(SOON_MS, it_machine_acked(t->m) == record->seq);
}

static void tell_limit(struct it_lab *t, int64_t at_ms, struct gf_limit_hit hit)
{
	struct gf_record record = next(t, GF_RECORD_LIMIT_HIT, at_ms);

	record.limit_hit = hit;
	tell(t, &record);
}

static void tell_rest(struct it_lab *t, int64_t at_ms, uint32_t left_ms)
{
	struct gf_record record = next(t, GF_RECORD_HEARTBEAT, at_ms);

	record.heartbeat.duty_ms = 12 * MINUTE_MS;
	record.heartbeat.duty_max_ms = 30 * MINUTE_MS;
	record.heartbeat.rest_left_ms = left_ms;
	record.heartbeat.bus_timeouts = 3;
	tell(t, &record);
}

/* ---- what the operator sees ---- */

static bool selected(struct it_lab *t, const char *where)
{
	json_t *devices = it_ask(t->w, "devices", "--where", where);

	assert_non_null(devices);
	bool found = it_find(it_items(devices), "id", IT_CHAIR) != NULL;
	json_decref(devices);
	return found;
}

/* The text of the command's table has all of `words`, which '|' separates. */
static void expect_words(struct it_lab *t, const char *const *argv, const char *words)
{
	struct it_output output = it_run_args(t->w, argv);
	char *copy = strdup(words), *save = NULL;

	assert_int_equal(output.status, 0);
	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save))
		if (!strstr(output.out, word))
			fail_msg("%s doesn't say '%s':\n%s", argv[3], word, output.out);
	free(copy);
	it_output_free(&output);
}
#define SEES(t, words, ...)                                                                                            \
	expect_words(                                                                                                      \
	    t,                                                                                                             \
	    (const char *const[]){it_program("gymfleet"), "--socket", it_path((t)->w, "gateway.sock"), __VA_ARGS__, NULL}, \
	    words)

static void expect_reason(struct it_lab *t, const char *code, const char *severity)
{
	json_t *health = it_ask(t->w, "health", IT_CHAIR);
	const json_t *one = json_array_get(it_items(health), 0);
	const json_t *reason = it_find(json_object_get(one, "reasons"), "code", code);

	if (!reason || strcmp(json_string_value(json_object_get(reason, "severity")), severity) != 0)
		fail_msg("no reason %s (%s)", code, severity);
	json_decref(health);
}

/* ---- the tests ---- */

static void a_rest_is_shown_until_its_time(void **state)
{
	struct it_lab *t = *state;
	int64_t now_ms = it_wall_ms(), until_ms;

	tell_limit(
	    t, now_ms - MINUTE_MS,
	    (struct gf_limit_hit){.rule = "D1", .observed = 1800, .limit = 1800, .action = "stop", .lasts_ms = REST_MS});
	assert_true(selected(t, "resting=yes and rest_until > +12m and health=attention"));
	expect_reason(t, "resting", "attention");
	SEES(t, IT_CHAIR "|without enough rest|nothing to do: it may run again at", "status");
	SEES(t, "limit|D1 (run without rest): stop, 30 min of at most 30 min, rests for 15 min", "events", "--kind",
	     "limit");

	/* Its heartbeats know better. */
	now_ms = it_wall_ms();
	tell_rest(t, now_ms, SHORT_MS);
	until_ms = now_ms + SHORT_MS;
	SEES(t, "12 of 30 min|3 timeouts, 0 damaged answers|rests until", "device", "show", IT_CHAIR);
	bool seen = selected(t, "resting");
	assert_true(seen || it_wall_ms() >= until_ms);
	IT_UNTIL(SOON_MS, selected(t, "resting=no and rest_until=null and health=ok"));
	assert_true(it_wall_ms() >= until_ms);
}

static void what_is_latched_is_shown_until_staff_clears_it(void **state)
{
	struct it_lab *t = *state;
	struct gf_record raised = next(t, GF_RECORD_FAULT_RAISED, it_wall_ms());

	raised.fault_raised = (struct gf_fault_raised){
	    .fault_no = 7,
	    .code = GF_FAULT_STALL,
	    .severity = GF_SEVERITY_LATCH,
	    .observed = 3,
	    .limit = 3,
	    .detail = "three over-currents or stalls in 24 h: out of service until staff clears it",
	};
	tell(t, &raised);
	assert_true(selected(t, "out_of_service=yes and health=critical"));
	SEES(t, "critical|out of service: three over-currents or stalls in 24 h, latched since|hold the staff key",
	     "health", IT_CHAIR);
	SEES(t, "stall|latch", "faults", "--open");

	/* Switched off and on: a birth of another boot, and heartbeats. */
	t->m->boot = 2;
	t->m->booted_ms = it_wall_ms() - MINUTE_MS;
	struct gf_status birth = it_birth(t->m);
	birth.next_seq = t->seq + 1;
	it_machine_birth(t->m, &birth);
	tell_rest(t, it_wall_ms(), 0);
	assert_true(selected(t, "out_of_service and not resting"));

	struct gf_record cleared = next(t, GF_RECORD_FAULT_CLEARED, it_wall_ms());
	cleared.fault_cleared =
	    (struct gf_fault_cleared){.fault_no = 7, .code = GF_FAULT_STALL, .by = GF_CLEARED_BY_STAFF, .lasted_ms = 5000};
	tell(t, &cleared);
	assert_true(selected(t, "out_of_service=no and health=ok and open_faults=0"));
	SEES(t, "stall|latch|staff", "faults");
}

static void a_closed_area_is_said_and_nobody_is_called(void **state)
{
	struct it_lab *t = *state;

	tell_limit(t, it_wall_ms(),
	           (struct gf_limit_hit){.rule = "P8",
	                                 .area = GF_AREA_CALVES,
	                                 .side = GF_SIDE_LEFT,
	                                 .observed = 45,
	                                 .limit = 30,
	                                 .action = "stop",
	                                 .lasts_ms = DAY_MS});
	expect_reason(t, "area_closed", "ok");
	assert_true(selected(t, "health=ok and reasons=1 and not resting"));
	SEES(t, "ok|closed after pain: calves left until", "health", IT_CHAIR);
	SEES(t, "P8 (pain): stop on calves left at 45 %, closed for 24 h", "events");
	json_t *status = it_ask(t->w, "status");
	assert_int_equal(json_array_size(json_object_get(status, "needs_you")), 0);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_rest_is_shown_until_its_time, setup, it_lab_teardown),
	    cmocka_unit_test_setup_teardown(what_is_latched_is_shown_until_staff_clears_it, setup, it_lab_teardown),
	    cmocka_unit_test_setup_teardown(a_closed_area_is_said_and_nobody_is_called, setup, it_lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
