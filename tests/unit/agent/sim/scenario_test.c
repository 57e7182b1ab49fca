#include "agent/sim/scenario.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "tests/unit/proto/alloc_fail.h"
#include "tests/unit/proto/shipped.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	static struct shipped s;
	*state = &s;
	return shipped_init(&s, "scenario.yaml", NULL);
}

static int teardown(void **state)
{
	return shipped_deinit(*state);
}

static struct scenario loaded(struct shipped *s)
{
	struct scenario scenario = {0};
	s->diag.text[0] = '\0';
	if (scenario_load(s->path, &scenario, &s->diag) != 0)
		fail_msg("%s", s->diag.text);
	return scenario;
}

static void write_text(const struct shipped *s, const char *text)
{
	assert_int_equal(gf_file_replace(s->path, text, strlen(text), 0600, NULL), 0);
}

static void assert_refused(struct shipped *s, const char *sentence)
{
	struct scenario scenario = {.count = 77};
	assert_int_equal(scenario_load(s->path, &scenario, &s->diag), -EINVAL);
	assert_int_equal(scenario.count, 77);
	shipped_expect(s, sentence);
}

static const struct scenario_machine *machine(const struct scenario *scenario, const char *id)
{
	for (size_t i = 0; i < scenario->count; i++) {
		if (strcmp(scenario->machines[i].id, id) == 0)
			return &scenario->machines[i];
	}
	fail_msg("no machine %s", id);
	return NULL;
}

/* --- what is shipped --- */

static void the_shipped_fleet_is_two_sites_of_twelve_machines_and_all_classes(void **state)
{
	struct scenario scenario = loaded(*state);
	unsigned classes = 0, sites = 1;

	assert_int_equal(scenario.count, 12);
	for (size_t i = 0; i < scenario.count; i++) {
		classes |= 1U << scenario.machines[i].sim.class;
		if (i > 0 && strcmp(scenario.machines[i].location.site, scenario.machines[i - 1].location.site) != 0)
			sites++;
	}
	assert_int_equal(classes, (1U << GF_CLASS_COUNT) - 2);
	assert_int_equal(sites, 2);
	scenario_deinit(&scenario);
	assert_null(scenario.machines);
	scenario_deinit(&scenario);
}

static void a_machine_has_what_its_site_and_group_say(void **state)
{
	struct scenario scenario = loaded(*state);
	const struct scenario_machine *chair = machine(&scenario, "chair-berlin-03"),
	                              *bed = machine(&scenario, "bed-hamburg-01");

	assert_int_equal(chair->sim.class, GF_CLASS_CHAIR);
	assert_string_equal(chair->model, "relax-900");
	assert_string_equal(chair->location.site, "berlin");
	assert_string_equal(chair->location.zone, "lounge");
	assert_string_equal(chair->location.bay, "3");
	assert_true(chair->rated_motor_h == 2000.0F);
	assert_true(chair->vibration_ms2 == 0);
	assert_true(chair->sim.tokens == 0.2F && chair->sim.staffed == 0);
	assert_true(machine(&scenario, "gun-berlin-02")->sim.tokens == 0.5F);
	assert_true(machine(&scenario, "gun-berlin-02")->sim.staffed == 0.1F);
	assert_true(chair->sim.people != 0);
	assert_true(machine(&scenario, "gun-berlin-01")->sim.people == chair->sim.people);
	assert_true(machine(&scenario, "gun-hamburg-01")->sim.people != chair->sim.people);
	assert_true(machine(&scenario, "gun-berlin-01")->vibration_ms2 == 7.5F);
	assert_true(chair->sim.busy == 0.45F);
	assert_true(chair->sim.wear_h == 310.0F);
	assert_true(chair->sim.ambient_c == 22.0F);
	assert_int_equal(chair->sim.opens_min, 6 * 60);
	assert_int_equal(chair->sim.closes_min, 23 * 60);
	assert_int_equal(chair->sim.utc_offset_min, 60);
	assert_int_equal(chair->sim.faults_count, 2);
	assert_int_equal(chair->sim.faults[1].code, GF_FAULT_ESTOP);
	assert_true(chair->sim.faults[1].per_100_motor_h == 3.0F);
	assert_int_equal(bed->sim.class, GF_CLASS_WATER_BED);
	assert_int_equal(bed->sim.opens_min, 0);
	assert_int_equal(bed->sim.closes_min, 0);
	assert_int_equal(bed->sim.faults_count, 0);
	scenario_deinit(&scenario);
}

static void the_same_seed_makes_the_same_fleet_of_different_machines(void **state)
{
	struct shipped *s = *state;
	struct scenario one = loaded(s), two = loaded(s), other;

	shipped_change(s, "seed: 2026", "seed: 2027");
	other = loaded(s);
	for (size_t i = 0; i < one.count; i++) {
		assert_string_equal(one.machines[i].id, two.machines[i].id);
		assert_string_equal(one.machines[i].serial, two.machines[i].serial);
		assert_true(one.machines[i].sim.seed == two.machines[i].sim.seed);
		assert_true(one.machines[i].sim.seed != other.machines[i].sim.seed);
		assert_string_equal(one.machines[i].id, other.machines[i].id);
		for (size_t k = 0; k < i; k++) {
			assert_true(one.machines[i].sim.seed != one.machines[k].sim.seed);
			assert_string_not_equal(one.machines[i].id, one.machines[k].id);
		}
	}
	scenario_deinit(&one);
	scenario_deinit(&two);
	scenario_deinit(&other);
}

/* --- numbering --- */

static void machines_of_a_kind_are_numbered_through_over_groups(void **state)
{
	struct shipped *s = *state;

	write_text(s, "seed: 1\nsites:\n  - name: x\n    machines:\n"
	              "      - {class: chair, count: 2, prefix: c, model: old, busy: 0}\n"
	              "      - {class: roller, count: 1, prefix: r, model: m, busy: 1}\n"
	              "      - {class: chair, count: 100, prefix: c, model: new, busy: 0, ambient_c: 0}\n");
	struct scenario scenario = loaded(s);
	assert_int_equal(scenario.count, 103);
	assert_string_equal(machine(&scenario, "c-x-02")->model, "old");
	assert_string_equal(machine(&scenario, "c-x-03")->model, "new");
	assert_string_equal(machine(&scenario, "c-x-102")->location.bay, "102");
	assert_string_equal(machine(&scenario, "r-x-01")->model, "m");
	/* 0 was written, so it isn't the default of 22; the opening hours are those of most gyms. */
	assert_true(machine(&scenario, "c-x-03")->sim.ambient_c == 0.0F);
	assert_int_equal(machine(&scenario, "c-x-03")->sim.opens_min, 6 * 60);
	assert_int_equal(machine(&scenario, "c-x-03")->sim.closes_min, 22 * 60);
	scenario_deinit(&scenario);
}

/* "a-b" at "c" and "a" at "b-c" begin alike. */
static void ids_are_unique_though_names_run_together(void **state)
{
	struct shipped *s = *state;

	write_text(s, "seed: 1\nsites:\n  - name: c\n    machines:\n"
	              "      - {class: chair, count: 3, prefix: a-b, model: m, busy: 0}\n"
	              "  - name: b-c\n    machines:\n"
	              "      - {class: chair, count: 3, prefix: a, model: m, busy: 0}\n");
	struct scenario scenario = loaded(s);
	assert_int_equal(scenario.count, 6);
	for (size_t i = 0; i < scenario.count; i++) {
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(scenario.machines[i].id, scenario.machines[k].id);
	}
	scenario_deinit(&scenario);
}

static void i8_a_scenario_is_of_bounded_size(void **state)
{
	static const char format[] = "seed: 1\nsites:\n  - name: x\n    machines:\n"
	                             "      - {class: chair, count: 9999, prefix: c, model: m, busy: 0}\n"
	                             "      - {class: roller, count: %d, prefix: r, model: m, busy: 0}\n";
	struct shipped *s = *state;
	char text[512];

	snprintf(text, sizeof(text), format, 1);
	write_text(s, text);
	struct scenario scenario = loaded(s);
	assert_int_equal(scenario.count, SCENARIO_MACHINES_MAX);
	scenario_deinit(&scenario);
	snprintf(text, sizeof(text), format, 2);
	write_text(s, text);
	s->line = 6;
	s->column = 9;
	assert_refused(s, "more than 10000 machines in one scenario");
}

/* --- mistakes --- */

static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *from, *to, *said;
	} mistakes[] = {
	    {"seed: 2026", "seed: ^-1", "'seed' is '-1'; expected a whole number from 0 to 18446744073709551615"},
	    {"seed: 2026\n", "^", "missing key 'seed'"},
	    {"seed: 2026", "^sead: 2026", "unknown key 'sead'; did you mean 'seed'?"},
	    {"name: berlin", "name: ^Berlin", NULL},
	    {"name: hamburg", "name: ^berlin", "site 'berlin' stands twice; put its machines into one list"},
	    {"name: berlin", "name: ^berlin-and-its-many-suburbs", "'name' has 27 bytes; expected 1 to 23"},
	    {"opens: \"06:00\"", "opens: ^6", "sites[0].opens is '6'; expected a time of day such as \"06:30\""},
	    {"closes: \"23:00\"", "closes: ^\"25:00\"",
	     "sites[0].closes is '25:00'; expected a time of day such as \"06:30\""},
	    {"utc_offset_min: 60", "utc_offset_min: ^900", "sites[0].utc_offset_min is 900; expected -840 to 840"},
	    {"- class: chair", "- class: ^couch",
	     "'class' is 'couch'; expected one of: percussion, roller, compression, chair, water_bed"},
	    {"count: 3", "count: ^0", "sites[0].machines[0].count is 0; expected 1 to 10000"},
	    {"count: 3", "count: ^three", "'count' is 'three'; expected a whole number from 0 to 4294967295"},
	    {"busy: 0.45", "busy: ^45", "sites[0].machines[0].busy is 45; expected 0 to 1"},
	    {"busy: 0.45", "busy: ^45 %", "'busy' is '45 %'; expected a number"},
	    {"wear_h: 310", "wear_h: ^-1", "sites[0].machines[0].wear_h is -1; expected 0 to 100000"},
	    {"wear_h: 310", "ambient_c: ^60", "sites[0].machines[0].ambient_c is 60; expected -20 to 45"},
	    {"tokens: 0.5", "tokens: ^50", "sites[0].machines[1].tokens is 50; expected 0 to 1"},
	    {"staffed: 0.1", "staffed: ^20", "sites[0].machines[1].staffed is 20; expected 0 to 1"},
	    {"vibration_ms2: 7.5", "vibration_ms2: ^7500", "sites[0].machines[1].vibration_ms2 is 7500; expected 0 to 100"},
	    {"rated_motor_h: 2000", "rated_motor_h: ^1e9",
	     "sites[0].machines[0].rated_motor_h is 1000000000; expected 0 to 1000000"},
	    {"{code: estop, per_100_motor_h: 3}", "{code: estop, per_100_motor_h: ^-3}",
	     "sites[0].machines[0].faults[1].per_100_motor_h is -3; expected 0 to 1000"},
	    {"{code: estop, per_100_motor_h: 3}", "^{code: estop}", "missing key 'per_100_motor_h' in 'faults'"},
	};
	struct shipped *s = *state;

	for (size_t i = 0; i < COUNT(mistakes); i++) {
		shipped_change(s, mistakes[i].from, mistakes[i].to);
		/* A name that makes no id is seen where the machines are named. */
		if (mistakes[i].said == NULL)
			shipped_place(s, "^class: chair\n        count: 3");
		if (mistakes[i].to[0] == '^' && mistakes[i].to[1] == '\0')
			shipped_place(s, "^sites:");
		assert_refused(s, mistakes[i].said != NULL
		                      ? mistakes[i].said
		                      : "'chair-Berlin-01' is no device id; expected [a-z0-9][a-z0-9-]{0,62}");
	}
}

static void a_site_without_machines_is_refused(void **state)
{
	struct shipped *s = *state;

	write_text(s, "seed: 1\nsites: []\n");
	s->line = 2;
	s->column = 8;
	assert_refused(s, "'sites' has 0 entries; expected 1 to 256");
	write_text(s, "seed: 1\nsites: [{name: x, machines: []}]\n");
	s->column = 29;
	assert_refused(s, "'machines' has 0 entries; expected 1 to 64");
}

static void a_missing_file_is_named(void **state)
{
	struct shipped *s = *state;
	struct scenario scenario = {.count = 77};

	assert_int_equal(scenario_load("/nowhere/scenario.yaml", &scenario, &s->diag), -ENOENT);
	assert_string_equal(s->diag.text, "/nowhere/scenario.yaml: can't open: No such file or directory");
	assert_int_equal(scenario.count, 77);
}

/* At each allocation in turn: a sentence, nothing half-made, nothing lost. */
static void memory_that_runs_out_is_said(void **state)
{
	struct shipped *s = *state;
	int failures = 0;
	for (;; failures++) {
		struct scenario scenario = {.count = 77};
		s->diag.text[0] = '\0';
		alloc_fail_after(failures);
		int r = scenario_load(s->path, &scenario, &s->diag);
		alloc_fail_after(-1);
		if (r == 0) {
			scenario_deinit(&scenario);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(strstr(s->diag.text, "out of memory") != NULL || strstr(s->diag.text, "Cannot allocate") != NULL);
		assert_int_equal(scenario.count, 77);
	}
	assert_true(failures >= 5);
}

#define SHIPPED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHIPPED_TEST(the_shipped_fleet_is_two_sites_of_twelve_machines_and_all_classes),
	    SHIPPED_TEST(a_machine_has_what_its_site_and_group_say),
	    SHIPPED_TEST(the_same_seed_makes_the_same_fleet_of_different_machines),
	    SHIPPED_TEST(machines_of_a_kind_are_numbered_through_over_groups),
	    SHIPPED_TEST(ids_are_unique_though_names_run_together),
	    SHIPPED_TEST(i8_a_scenario_is_of_bounded_size),
	    SHIPPED_TEST(mistakes_are_explained),
	    SHIPPED_TEST(a_site_without_machines_is_refused),
	    SHIPPED_TEST(a_missing_file_is_named),
	    SHIPPED_TEST(memory_that_runs_out_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
