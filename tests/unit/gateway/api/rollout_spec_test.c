#include "gateway/api/rollout_spec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef int (*read_fn)(const char *text, struct rollout_spec *spec, struct gf_diag *diag);

static void refused(read_fn read, const char *text, const char *expected)
{
	struct rollout_spec spec = {0}, untouched = {0};
	struct gf_diag diag = {{0}};
	int r = read(text, &spec, &diag);

	if (r != -EINVAL || strcmp(diag.text, expected) != 0)
		fail_msg("'%s': %d \"%s\", expected \"%s\"", text, r, diag.text, expected);
	assert_memory_equal(&spec, &untouched, sizeof(spec));
}

static void waves_are_machines_or_percentages(void **state)
{
	struct rollout_spec spec = {0};
	char text[ROLLOUT_SPEC_TEXT_MAX];

	(void)state;
	assert_int_equal(rollout_spec_waves(" 1, 10% ,100% ", &spec, NULL), 0);
	assert_int_equal(spec.waves_count, 3);
	assert_int_equal(spec.waves[0].value, 1);
	assert_false(spec.waves[0].percent);
	assert_int_equal(spec.waves[1].value, 10);
	assert_true(spec.waves[1].percent);
	rollout_spec_waves_text(&spec, text);
	assert_string_equal(text, "1,10%,100%");
	refused(rollout_spec_waves, "",
	        "waves: '', column 1: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "1,x",
	        "waves: '1,x', column 3: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "1,0%",
	        "waves: '1,0%', column 3: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "-1",
	        "waves: '-1', column 1: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "1,",
	        "waves: '1,', column 3: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "9999999",
	        "waves: '9999999', column 1: expected a number of machines (5) or a percentage of them (10%)");
	refused(rollout_spec_waves, "1,101%", "waves: '1,101%', column 3: expected at most 100%");
	refused(rollout_spec_waves, "1 10%",
	        "waves: '1 10%', column 3: expected a comma between two waves, such as 1,10%,100%");
	refused(rollout_spec_waves, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,100%", "waves: there may be at most 16");
}

static void a_window_is_two_times_of_day(void **state)
{
	struct rollout_spec spec = {0};
	char text[ROLLOUT_SPEC_TEXT_MAX];

	(void)state;
	rollout_spec_window_text(&spec, text);
	assert_string_equal(text, "");
	assert_int_equal(rollout_spec_window("22:00 - 6:05", &spec, NULL), 0);
	assert_true(spec.has_window);
	assert_int_equal(spec.window_from_min, 22 * 60);
	assert_int_equal(spec.window_to_min, 6 * 60 + 5);
	rollout_spec_window_text(&spec, text);
	assert_string_equal(text, "22:00-06:05");
#define TIME "expected a time of day from 00:00 to 23:59, such as 22:00-06:00"
	refused(rollout_spec_window, "", "window: '', column 1: " TIME);
	refused(rollout_spec_window, "24:00-06:00", "window: '24:00-06:00', column 1: " TIME);
	refused(rollout_spec_window, "22:00-06:60", "window: '22:00-06:60', column 7: " TIME);
	refused(rollout_spec_window, "22:0-06:00", "window: '22:0-06:00', column 1: " TIME);
	refused(rollout_spec_window, "22:00",
	        "window: '22:00', column 6: expected '-' between two times of day, such as 22:00-06:00");
	refused(rollout_spec_window, "22:00-06:00 CET",
	        "window: '22:00-06:00 CET', column 13: expected nothing more after the second time of day");
	refused(rollout_spec_window, "06:00-06:00",
	        "window: '06:00-06:00' begins when it ends; leave it out to update at any time");
}

static void a_gate_is_a_limit_alone_or_in_times(void **state)
{
	struct rollout_spec spec = {0};
	char text[ROLLOUT_SPEC_TEXT_MAX];

	(void)state;
	assert_int_equal(rollout_spec_gate("faults_per_100h <= 1.5x", &spec, NULL), 0);
	assert_int_equal(rollout_spec_gate("user_stops_per_100<=3", &spec, NULL), 0);
	assert_int_equal(spec.gates_count, 2);
	assert_true(spec.gates[0].relative);
	assert_false(spec.gates[1].relative);
	assert_true(spec.gates[0].limit > 1.49 && spec.gates[0].limit < 1.51);
	rollout_spec_gate_text(&spec.gates[0], text);
	assert_string_equal(text, "faults_per_100h<=1.5x");
	rollout_spec_gate_text(&spec.gates[1], text);
	assert_string_equal(text, "user_stops_per_100<=3");
	struct gf_diag diag = {{0}};
	assert_int_equal(rollout_spec_gate("user_stops_per_100<=4", &spec, &diag), -EINVAL);
	assert_string_equal(diag.text, "gates: user_stops_per_100 is there twice; one limit is enough");
	refused(rollout_spec_gate, "fault_per_100h<=1",
	        "gates: unknown gate 'fault_per_100h'; did you mean 'faults_per_100h'?");
	refused(rollout_spec_gate, "<=1",
	        "gates: '<=1', column 1: expected faults_per_100h or user_stops_per_100, such as faults_per_100h<=1.5x");
	refused(rollout_spec_gate, "faults_per_100h>1",
	        "gates: 'faults_per_100h>1', column 16: expected '<=', such as faults_per_100h<=1.5x");
#define NUMBER "expected a number up to 1000000, such as 1.5x (times) or 3"
	refused(rollout_spec_gate, "faults_per_100h<=", "gates: 'faults_per_100h<=', column 18: " NUMBER);
	refused(rollout_spec_gate, "faults_per_100h<=-1", "gates: 'faults_per_100h<=-1', column 18: " NUMBER);
	refused(rollout_spec_gate, "faults_per_100h<=nan", "gates: 'faults_per_100h<=nan', column 18: " NUMBER);
	refused(rollout_spec_gate, "faults_per_100h<=1.", "gates: 'faults_per_100h<=1.', column 18: " NUMBER);
	refused(rollout_spec_gate, "faults_per_100h<=1.00001", "gates: 'faults_per_100h<=1.00001', column 18: " NUMBER);
	refused(rollout_spec_gate, "faults_per_100h<=1000001", "gates: 'faults_per_100h<=1000001', column 18: " NUMBER);
	refused(
	    rollout_spec_gate, "faults_per_100h<=1.5y",
	    "gates: 'faults_per_100h<=1.5y', column 21: expected nothing more after the number but an 'x', which stands "
	    "for times");
}

static int read(const char *text, struct rollout_spec *ret_spec, struct gf_diag *diag)
{
	json_t *body = json_loads(text, 0, NULL);
	int r;

	assert_non_null(body);
	r = rollout_spec_read(body, ret_spec, diag);
	json_decref(body);
	return r;
}

static void what_is_not_said_has_a_default(void **state)
{
	struct rollout_spec spec = {0};
	char text[ROLLOUT_SPEC_TEXT_MAX];

	(void)state;
	assert_int_equal(read("{\"catalog\":\"percussion\",\"version\":8}", &spec, NULL), 0);
	assert_string_equal(spec.catalog, "percussion");
	assert_int_equal(spec.version, 8);
	assert_string_equal(spec.where, "");
	rollout_spec_waves_text(&spec, text);
	assert_string_equal(text, "1,10%,100%");
	assert_int_equal(spec.soak_ms, 30 * 60 * 1000);
	assert_int_equal(spec.deadline_ms, 24 * 3600 * 1000);
	assert_int_equal(spec.max_failures_ppm, 20000);
	assert_false(spec.has_window);
	assert_int_equal(spec.gates_count, 2);
	rollout_spec_gate_text(&spec.gates[0], text);
	assert_string_equal(text, "faults_per_100h<=1.5x");
	rollout_spec_gate_text(&spec.gates[1], text);
	assert_string_equal(text, "user_stops_per_100<=2x");
}

static void what_is_said_goes_before_the_defaults(void **state)
{
	struct rollout_spec spec = {0};

	(void)state;
	assert_int_equal(
	    read("{\"catalog\":\"p\",\"version\":999999999,\"where\":\"site=berlin\",\"waves\":\"100%\",\"soak_s\":"
	         "0.5,\"max_failures_pct\":12.5,\"deadline_s\":3600,\"window\":\"01:00-02:00\",\"gates\":[]}",
	         &spec, NULL),
	    0);
	assert_string_equal(spec.where, "site=berlin");
	assert_int_equal(spec.waves_count, 1);
	assert_int_equal(spec.soak_ms, 500);
	assert_int_equal(spec.deadline_ms, 3600 * 1000);
	assert_int_equal(spec.max_failures_ppm, 125000);
	assert_true(spec.has_window);
	assert_int_equal(spec.gates_count, 0);
	assert_int_equal(read("{\"catalog\":\"p\",\"version\":1,\"where\":null,\"window\":null}", &spec, NULL), 0);
	assert_false(spec.has_window);
	assert_string_equal(spec.where, "");
}

static void every_wrong_field_is_named(void **state)
{
	static const struct {
		const char *body, *expected;
	} cases[] = {
	    {"{}", "catalog: expected the name of a published catalog, such as \"percussion\""},
	    {"{\"catalog\":\"p\"}", "version: expected a whole number from 1 on, the version of a published catalog"},
	    {"{\"catalog\":3}", "catalog: expected the name"},
	    {"{\"catalog\":\"\"}", "catalog: expected the name"},
	    {"{\"catalog\":\"0123456789012345678901234567890123456789012345678\"}", "catalog: expected the name"},
	    {"{\"version\":0}", "version: expected a whole number"},
	    {"{\"version\":1.5}", "version: expected a whole number"},
	    {"{\"version\":1000000000}", "version: expected a whole number"},
	    {"{\"where\":7}", "where: expected an expression"},
	    {"{\"waves\":3}", "waves: expected a text such as"},
	    {"{\"soak_s\":\"30m\"}", "soak_s: expected a number of seconds, at most a year"},
	    {"{\"soak_s\":-1}", "soak_s: expected a number of seconds"},
	    {"{\"deadline_s\":1e12}", "deadline_s: expected a number of seconds"},
	    {"{\"max_failures_pct\":101}", "max_failures_pct: expected a number from 0 to 100"},
	    {"{\"window\":6}", "window: expected a text such as"},
	    {"{\"gates\":\"faults_per_100h<=1\"}", "gates: expected an array of texts"},
	    {"{\"gates\":[1]}", "gates: expected an array of texts"},
	    {"{\"gates\":[\"x\"]}", "gates: 'x', column 1: expected"},
	    {"{\"wave\":\"1\"}", "unknown key 'wave'; did you mean 'waves'?"},
	    {"{\"colour\":\"red\"}", "unknown key 'colour'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rollout_spec spec = {.version = 77};
		struct gf_diag diag = {{0}};
		int r = read(cases[i].body, &spec, &diag);
		if (r != -EINVAL || strncmp(diag.text, cases[i].expected, strlen(cases[i].expected)) != 0)
			fail_msg("%s: %d \"%s\", expected \"%s\"", cases[i].body, r, diag.text, cases[i].expected);
		assert_int_equal(spec.version, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(waves_are_machines_or_percentages),     cmocka_unit_test(a_window_is_two_times_of_day),
	    cmocka_unit_test(a_gate_is_a_limit_alone_or_in_times),   cmocka_unit_test(what_is_not_said_has_a_default),
	    cmocka_unit_test(what_is_said_goes_before_the_defaults), cmocka_unit_test(every_wrong_field_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
