/*
 * Rules in the real gateway: a machine's use opens a flag, which locks it; a gateway that is killed goes on with it; SIGHUP reads the rules again, and a file
 * with mistakes changes nothing.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/model.h"
#include "tests/integration/fleet.h"

enum { SOON_MS = 60000 };
#define CHAIR "chair-1"

static const char often[] = "rules:\n"
                            "  - id: often\n"
                            "    title: used at all\n"
                            "    subject: device\n"
                            "    metric: sessions\n"
                            "    window: day\n"
                            "    warn: %d\n"
                            "    lock: warn\n"
                            "    advice: This is a test.\n";

static int setup(void **state)
{
	struct it_world *w = it_open("judge");

	*state = w;
	it_broker_start(w);
	it_write(it_path(w, "rules.yaml"), often, 2);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* Is there a flag of the rule that is in this state? */
static bool flagged(struct it_world *w, const char *rule, const char *state)
{
	json_t *answer = it_ask(w, "overuse", "--since", "1d");
	const json_t *flag = it_find(it_items(answer), "rule", rule);
	const char *is = json_string_value(json_object_get(flag, "state"));
	bool yes = is != NULL && strcmp(is, state) == 0;

	json_decref(answer);
	return yes;
}

static bool locked(struct it_world *w)
{
	json_t *answer = it_ask(w, "device", "show", CHAIR);
	char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	bool yes = text != NULL && strstr(text, "(often)") != NULL;

	free(text);
	json_decref(answer);
	return yes;
}

static void use_opens_a_flag_that_outlives_a_kill_and_goes_with_its_rule(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway = it_gateway_start(w);

	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	it_catalog(w, "chair", 1);
	it_agent_start(w, &(struct it_agent){.id = CHAIR, .class = "chair", .busy = 1, .seed = 1});
	IT_UNTIL(SOON_MS, flagged(w, "often", "open"));
	IT_UNTIL(SOON_MS, locked(w));
	it_signal(gateway, SIGKILL);
	gateway = it_spawn(w, "gateway-2", it_program("gymfleet-gateway"), "--config", it_gateway_config(w));
	IT_UNTIL(SOON_MS, flagged(w, "often", "open"));
	assert_true(locked(w));
	assert_true(it_doctor_says(w, "rules", "ok", "1 are in force"));

	it_write(it_path(w, "rules.yaml"), "rules:\n  - {id: often, metric: sesions}\n");
	it_signal(gateway, SIGHUP);
	IT_UNTIL(SOON_MS, it_log_has(gateway, "the rules stay as they were"));
	assert_true(flagged(w, "often", "open"));

	it_write(it_path(w, "rules.yaml"), "rules: []\n");
	it_signal(gateway, SIGHUP);
	IT_UNTIL(SOON_MS, flagged(w, "often", "rule_gone"));
	IT_UNTIL(SOON_MS, !locked(w));
}

/* A routine that was played, without its last letter. */
static bool take_slip(struct it_world *w, char slip[static GF_NAME_MAX])
{
	json_t *answer = it_ask(w, "sessions", "--limit", "1");
	const char *routine = json_string_value(json_object_get(json_array_get(it_items(answer), 0), "routine"));

	if (routine != NULL)
		snprintf(slip, GF_NAME_MAX, "%.*s", (int)strlen(routine) - 1, routine);
	json_decref(answer);
	return routine != NULL;
}

static void a_routine_that_nobody_knows_is_told_when_rules_come_into_force(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway = it_gateway_start(w);
	char slip[GF_NAME_MAX] = "", told[128];

	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	it_catalog(w, "chair", 1);
	it_agent_start(w, &(struct it_agent){.id = CHAIR, .class = "chair", .busy = 1, .seed = 1});
	IT_UNTIL(SOON_MS, take_slip(w, slip));
	it_write(it_path(w, "rules.yaml"),
	         "rules:\n  - {id: slip, title: t, advice: a, subject: device, metric: sessions, window: 1d, warn: 900,\n"
	         "     routines: [%s]}\n",
	         slip);
	it_signal(gateway, SIGHUP);
	snprintf(told, sizeof(told), "rules.yaml:3: rule slip names the routine '%s'", slip);
	IT_UNTIL(SOON_MS, it_log_has(gateway, told));
	assert_true(it_doctor_says(w, "rules", "attention", told));
}

/* How far the motor's life is used, in %; *ret_due: there is a forecast. */
static double motor_used_pct(struct it_world *w, bool *ret_due)
{
	json_t *answer = it_ask(w, "wear", CHAIR);
	const json_t *motor = it_find(json_object_get(answer, "parts"), "part", "motor");
	const double used_pct = json_number_value(json_object_get(motor, "used_pct"));

	*ret_due = json_is_string(json_object_get(motor, "due"));
	json_decref(answer);
	return used_pct;
}

/* It ran for years before it got an agent. */
static void hours_before_the_agent_wear_the_motor(void **state)
{
	struct it_world *w = *state;
	double used_pct;
	bool due;

	it_write(it_path(w, "rules.yaml"), "rules:\n  - {id: D5, title: motor near its end, subject: device, metric: "
	                                   "part_life_pct, part: motor, warn: 80, act: 100, advice: Order one.}\n");
	it_gateway_start(w);
	IT_UNTIL(SOON_MS, it_gateway_listens(w));
	it_catalog(w, "chair", 1);
	it_agent_start(w, &(struct it_agent){.id = CHAIR, .class = "chair", .busy = 1, .seed = 1, .worn_h = 1650});
	IT_UNTIL(SOON_MS, flagged(w, "D5", "open"));
	IT_UNTIL(SOON_MS, ((void)motor_used_pct(w, &due), due));
	used_pct = motor_used_pct(w, &due);
	assert_true(used_pct >= 82.5 && used_pct < 83);

	json_decref(it_ask(w, "device", "service", CHAIR, "motor", "--note", "a new one"));
	IT_UNTIL(SOON_MS, flagged(w, "D5", "cleared"));
	assert_true(motor_used_pct(w, &due) < 1);
	assert_false(flagged(w, "D5", "open"));
}

/* What a rule on closed hours is worth depends on gateway.yaml, which is read when the gateway starts. */
static void opening_hours_that_changed_hold_from_the_next_start_on(void **state)
{
	static const char later[] = "they hold from the next start on";
	struct it_world *w = *state;
	const char *config = it_path(w, "gateway.yaml");
	struct it_proc *gateway;
	FILE *file;

	it_write(it_path(w, "rules.yaml"),
	         "rules:\n  - {id: night, title: t, advice: a, subject: device, metric: sessions, "
	         "window: 1d, warn: 3,\n     hours: closed}\n");
	gateway = it_gateway_start(w);
	IT_UNTIL(SOON_MS, it_log_has(gateway, "rules.yaml:3: rule night counts what happens while a site is closed"));
	it_signal(gateway, SIGHUP);
	IT_UNTIL(SOON_MS, it_log_has(gateway, "1 rules are in force"));
	assert_false(it_log_has(gateway, later));
	file = fopen(config, "ae");
	assert_non_null(file);
	assert_true(fputs("open: [{days: mon-sun, hours: \"06:00-22:00\"}]\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	it_signal(gateway, SIGHUP);
	IT_UNTIL(SOON_MS, it_log_has(gateway, later));
	assert_true(it_doctor_says(w, "rules", "attention", "none ever closes"));
	it_signal(gateway, SIGTERM);
	assert_int_equal(it_wait(gateway, SOON_MS), 0);
	it_spawn(w, "gateway-2", it_program("gymfleet-gateway"), "--config", config);
	IT_UNTIL(SOON_MS, it_doctor_says(w, "rules", "ok", "1 are in force"));
}

/* Its flags would end, and the machines that they hold would be free. */
static void a_gateway_whose_rules_got_lost_does_not_start(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway;

	gateway = it_gateway_start(w);
	it_signal(gateway, SIGKILL);
	assert_int_equal(unlink(it_path(w, "rules.yaml")), 0);
	gateway = it_spawn(w, "gateway", it_program("gymfleet-gateway"), "--config", it_gateway_config(w));
	assert_int_equal(it_wait(gateway, SOON_MS), 1);
	assert_true(it_log_has(gateway, "put it back"));
	it_write(it_path(w, "rules.yaml"), "rules: []\n");
	gateway = it_gateway_start(w);
	assert_true(it_doctor_says(w, "rules", "ok", "nothing is flagged"));
}

static void a_gateway_with_bad_rules_does_not_start(void **state)
{
	struct it_world *w = *state;
	struct it_proc *gateway;

	it_write(it_path(w, "rules.yaml"), often, -1);
	gateway = it_spawn(w, "gateway", it_program("gymfleet-gateway"), "--config", it_gateway_config(w));
	assert_int_not_equal(it_wait(gateway, SOON_MS), 0);
	assert_true(it_log_has(gateway, "rules.yaml:7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(use_opens_a_flag_that_outlives_a_kill_and_goes_with_its_rule, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_routine_that_nobody_knows_is_told_when_rules_come_into_force, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(hours_before_the_agent_wear_the_motor, setup, teardown),
	    cmocka_unit_test_setup_teardown(opening_hours_that_changed_hold_from_the_next_start_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_gateway_with_bad_rules_does_not_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_gateway_whose_rules_got_lost_does_not_start, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
