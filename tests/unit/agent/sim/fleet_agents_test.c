/* What gymfleet-sim writes for gymfleet-agent is read back as it was meant, whatever stands in the scenario. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/config.h"
#include "agent/sim/fleet.h"
#include "proto/base/file.h"
#include "proto/catalog_key.h"
#include "tests/unit/proto/certs.h"

static const char scenario_text[] =
    "seed: 3\nsites:\n  - name: x\n    opens: \"00:00\"\n    closes: \"24:00\"\n    utc_offset_min: -90\n    "
    "machines:\n"
    "      - class: roller\n        count: 1\n        prefix: r\n"
    "        model: \"a: b # \\\"c\\\" \\\\ d e\"\n        zone: \"'{*\xc3\xa4\"\n"
    "        busy: 0.123456789\n        ambient_c: 0\n        wear_h: 12345.678\n        rated_motor_h: 999999.5\n     "
    "   vibration_ms2: 99.125\n        tokens: 0.7654321\n        staffed: 0.25\n"
    "        faults: [{code: estop, per_100_motor_h: 0.1}, {code: stall, per_100_motor_h: 3}]\n";

struct stage {
	char dir[64], before[256];
	struct scenario scenario;
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct stage s;
	char path[128];

	s = (struct stage){.dir = "/tmp/gymfleet-agents-XXXXXX"};
	*state = &s;
	if (mkdtemp(s.dir) == NULL || getcwd(s.before, sizeof(s.before)) == NULL || chdir(s.dir) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/pki/devices", s.dir);
	if (gf_dir_make(path, NULL) != 0 || gf_dir_make("catalogs", NULL) != 0 || certs_make("pki", "ca", "ca") != 0 ||
	    certs_make(path, "r-x-01", "r-x-01") != 0)
		return -1;
	if (gf_file_replace("s.yaml", scenario_text, strlen(scenario_text), 0600, NULL) != 0)
		return -1;
	return scenario_load("s.yaml", &s.scenario, &s.diag);
}

static int teardown(void **state)
{
	struct stage *s = *state;
	char command[128];
	scenario_deinit(&s->scenario);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	return chdir(s->before) == 0 ? system(command) : -1;
}

static void an_agent_takes_over_exactly_the_simulated_machine(void **state)
{
	struct stage *s = *state;
	const struct scenario_machine *spec = &s->scenario.machines[0];
	/* Relative folders are those of the caller, not of the file that is written. */
	const struct fleet_config fleet = {
	    .scenario = &s->scenario, .state_dir = "machines", .pki_dir = "pki", .broker_host = "::1", .broker_port = 8883};
	struct agent_config *c = NULL;
	char want[128];

	if (fleet_write_agents(&fleet, "catalogs", &s->diag) != 0 ||
	    agent_config_load("machines/r-x-01/agent.yaml", &c, &s->diag) != 0)
		fail_msg("%s", s->diag.text);
	assert_string_equal(c->id, "r-x-01");
	assert_int_equal(c->class, GF_CLASS_ROLLER);
	assert_string_equal(c->model, "a: b # \"c\" \\ d e");
	assert_string_equal(c->location.zone, "'{*\xc3\xa4");
	assert_string_equal(c->location.bay, "1");
	assert_string_equal(c->serial, spec->serial);
	snprintf(want, sizeof(want), "%s/machines/r-x-01", s->dir);
	assert_string_equal(c->state_dir, want);
	snprintf(want, sizeof(want), "%s/catalogs/roller.catalog", s->dir);
	assert_string_equal(c->catalog_file, want);
	assert_string_equal(c->link.host, "::1");
	assert_true(c->rated_motor_h == spec->rated_motor_h);
	assert_true(c->vibration_ms2 == spec->vibration_ms2);
	assert_int_equal(c->sim.seed, spec->sim.seed);
	assert_true(c->sim.busy == spec->sim.busy);
	assert_true(c->sim.tokens == 0.7654321F && c->sim.tokens == spec->sim.tokens);
	assert_true(c->sim.staffed == 0.25F && c->sim.staffed == spec->sim.staffed);
	assert_true(c->sim.people == spec->sim.people);
	assert_true(c->sim.ambient_c == 0.0F);
	assert_true(c->sim.wear_h == spec->sim.wear_h);
	assert_int_equal(c->sim.opens_min, 0);
	assert_int_equal(c->sim.closes_min, 1440);
	assert_int_equal(c->sim.utc_offset_min, -90);
	assert_int_equal(c->sim.faults_count, 2);
	assert_true(c->sim.faults[0].per_100_motor_h == 0.1F);
	assert_int_equal(c->sim.faults[1].code, GF_FAULT_STALL);
	agent_config_free(c);
}

static void an_agent_gets_the_keys_and_the_trial(void **state)
{
	struct stage *s = *state;
	struct gf_keyset keys = {.threshold = 2, .count = 2};
	char *files[] = {(char[]){"anna.pub"}, (char[]){"keys/ben.pub"}, NULL};
	struct fleet_config fleet = {.scenario = &s->scenario,
	                             .state_dir = "machines",
	                             .pki_dir = "pki",
	                             .broker_host = "a",
	                             .broker_port = 1,
	                             .keys = &keys,
	                             .key_files = files,
	                             .trial_ms = 2000};
	struct agent_config *c = NULL;

	assert_int_equal(gf_dir_make("keys", NULL), 0);
	if (gf_key_make("anna", keys.keys[0], &s->diag) != 0 || gf_key_make("keys/ben", keys.keys[1], &s->diag) != 0 ||
	    fleet_write_agents(&fleet, "catalogs", &s->diag) != 0 ||
	    agent_config_load("machines/r-x-01/agent.yaml", &c, &s->diag) != 0)
		fail_msg("%s", s->diag.text);
	assert_memory_equal(&c->catalog_keys, &keys, sizeof(keys));
	assert_int_equal(c->catalog_trial_ms, 10000); /* the least that agent.yaml takes */
	agent_config_free(c);
	files[1] = (char[]){"keys/nobody.pub"};
	assert_int_equal(fleet_write_agents(&fleet, "catalogs", &s->diag), -ENOENT);
}

static void a_missing_folder_is_named(void **state)
{
	struct stage *s = *state;
	const struct fleet_config fleet = {
	    .scenario = &s->scenario, .state_dir = "machines", .pki_dir = "pki", .broker_host = "a", .broker_port = 1};

	assert_int_equal(fleet_write_agents(&fleet, "nowhere", &s->diag), -ENOENT);
	assert_string_equal(s->diag.text, "nowhere: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_agent_takes_over_exactly_the_simulated_machine, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_agent_gets_the_keys_and_the_trial, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_missing_folder_is_named, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
