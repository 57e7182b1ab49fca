/* `rollout ...` over rollouts as the API's own rows show them: what is asked of the gateway, what is printed, and the exit code. */
#include <stdio.h>
#include <string.h>

#include "gateway/api/rollout_spec.h"
#include "tests/unit/gateway/cli/rollout_rig.h"

static void starting_says_what_follows(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	check(
	    g,
	    "rollout|start|percussion@8|--where|site=berlin|--waves|1,40%,100%|--soak|30m|--max-failures|2%|--deadline|24h|"
	    "--window|22:00-06:00|--gate|faults_per_100h<=1.5x|--gate|user_stops_per_100<=3",
	    CLI_OK,
	    TEXTS("rollout 12: percussion@8 for 10 machines (percussion)", "wave 1   up to 1, about 1 new",
	          "wave 2   up to 40% of them, about 3 new", "wave 3   up to 100% of them, about 6 new",
	          "Each wave is watched for 30 min before the next; a machine has 24 h to answer.",
	          "It halts by itself when more than 2 % of a wave fail, or unless faults_per_100h<=1.5x.",
	          "gymfleet rollout watch 12"));
	json_t *expected =
	    json_loads("{\"catalog\":\"percussion\",\"version\":8,\"where\":\"site=berlin\",\"waves\":\"1,40%,100%\","
	               "\"soak_s\":1800.0,\"max_failures_pct\":2.0,\"deadline_s\":86400.0,\"window\":"
	               "\"22:00-06:00\",\"gates\":[\"faults_per_100h<=1.5x\",\"user_stops_per_100<=3\"]}",
	               0, NULL);
	assert_non_null(expected);
	if (!json_equal(g->body, expected))
		fail_msg("%s", json_dumps(g->body, 0));
	json_decref(expected);
	drop(g);
}

static void a_window_is_waited_for(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	assert_int_equal(rollout_spec_window("22:00-06:00", &g->stages[0].rollout.spec, NULL), 0);
	check(g, "rollout|start|percussion@8", CLI_OK,
	      TEXTS("a machine has 24 h to answer, and is told only in 22:00-06:00.",
	            "the machines of wave 1 are told once it is 22:00-06:00 at their site"));
	g->stages[0].waves[2].steps[ROLLOUT_STEP_INSTALLED] = 0;
	g->stages[0].waves[2].steps[ROLLOUT_STEP_OFFERED] = 0;
	g->stages[0].waves[2].steps[ROLLOUT_STEP_WAITING] = 2;
	check(g, "rollout|show|12", CLI_OK, TEXTS("running: wave 2 of 3, told once it is 22:00-06:00 at the site"));
	drop(g);
}

/* A window that opened late: the wave's own time is over, that of the machines isn't. */
static void no_answer_is_promised_for_the_past(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->stages[0].rollout.wave_since_ms[1] = 1000;
	check(g, "rollout|show|12", CLI_OK, TEXTS("running: wave 2 of 3, waits for answers\n"));
	drop(g);
}

static void who_was_left_out_is_told_where_to_look(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->stages[0].rollout.state = ROLLOUT_COMPLETED;
	g->stages[0].steps[ROLLOUT_STEP_FAILED] = 0;
	g->stages[0].steps[ROLLOUT_STEP_LEFT] = 1;
	check(g, "rollout|show|12", CLI_OK, TEXTS("see why machines were left out: gymfleet rollout show 12 --step left"));
	drop(g);
}

static void only_what_was_said_is_asked(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	check(g, "rollout|start|percussion@8|--gate|none|-o|csv", CLI_OK, TEXTS("id,machines\r\n12,10"));
	json_t *expected = json_loads("{\"catalog\":\"percussion\",\"version\":8,\"gates\":[]}", 0, NULL);
	assert_true(json_equal(g->body, expected));
	json_decref(expected);
	drop(g);
}

static void wrong_words_are_refused_before_anything_is_asked(void **state)
{
	static const struct {
		const char *words, *err;
	} cases[] = {
	    {"rollout|start|percussion", "'percussion' is no catalog; write its name and version, such as percussion@8"},
	    {"rollout|start|percussion@", "is no catalog"},
	    {"rollout|start|@8", "is no catalog"},
	    {"rollout|start|percussion@8x", "is no catalog"},
	    {"rollout|start|p@8|--soak|30", "--soak is '30'; expected a span such as 90s, 30m, 24h or 7d"},
	    {"rollout|start|p@8|--deadline|soon", "--deadline is 'soon'"},
	    {"rollout|start|p@8|--max-failures|120%", "--max-failures is '120%'; expected 0% to 100%"},
	    {"rollout|start|p@8|--max-failures|2x", "--max-failures is '2x'"},
	    {"rollout|start|p@8|--gate|a|--gate|b|--gate|c|--gate|d|--gate|e|--gate|f|--gate|g|--gate|h|--gate|i",
	     "--gate may be given at most 8 times"},
	    {"rollout|start|p@8|--where| ", "--where is empty; leave it out to bring the catalog to every machine"},
	    {"rollout|show|x", "'x' is no rollout; write its number (12), or its catalog and version (percussion@8)"},
	    {"rollout|show|../devices", "is no rollout"},
	    {"rollout|show|a/b@3", "is no rollout"},
	    {"rollout|watch|@3", "is no rollout"},
	    {"rollout|watch|3|-o|csv", "one JSON object a line"},
	    {"rollout|pause|", "needs N|NAME@VERSION"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect("/nonexistent", cases[i].words, CLI_USAGE, "", cases[i].err);
}

static void the_gateways_refusal_is_the_commands(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->status = 409;
	g->message = "gun-1 is part of rollout 11 of gym@2, which is under way";
	check(g, "rollout|start|percussion@8", CLI_REFUSED, TEXTS("gun-1 is part of rollout 11"));
	g->status = 400;
	g->message = "waves: '5x', column 2: expected a comma";
	check(g, "rollout|start|percussion@8|--waves|5x", CLI_USAGE, TEXTS("waves: '5x', column 2"));
	drop(g);
}

static void showing_tells_state_why_and_what_now(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	gf_strcpy(g->stages[0].rollout.reason, sizeof(g->stages[0].rollout.reason), "waits for gun-2's session to end");
	check(g, "rollout|show|percussion@8", CLI_OK,
	      TEXTS("percussion@8  rollout 12  running: wave 2 of 3, answers until 2040-01-02 13:00",
	            "Why      waits for gun-2's session to end",
	            "10: 1 confirmed · 1 on trial · 1 in use · 6 waiting · 1 failed",
	            "look at what failed; to wait with the others: gymfleet rollout pause 12", "For      site=berlin",
	            "Rules    waves 1,40%,100% · watched 30 min · at most 2 % failures · 24 h to answer · "
	            "faults_per_100h<=1.5x",
	            "By       anna (uid 1000), 2040-01-01 12:00", "with it", "25.0", "still without", "gun-1",
	            "80 % is above its 60 %", "envelope", "2 machines would go back to percussion@7 (2)"));
	assert_string_equal(g->seen[0], "GET /v1/rollouts/percussion@8?");
	assert_non_null(strstr(g->seen[1], "/v1/rollouts/12/devices?step=failed"));
	drop(g);
}

static void a_catalog_without_a_way_back_says_so(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->stages[0].rollout.spec.targets[GF_CLASS_PERCUSSION].rollback_floor = 0;
	g->stages[0].rollout.state = ROLLOUT_HALTED;
	check(g, "rollout|show|12", CLI_OK,
	      TEXTS("not possible: the catalog lets no machine go back",
	            "or leave it so; its catalog lets no machine go back"));
	drop(g);
}

static void machines_of_a_step_are_listed_in_every_format(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	check(g, "rollout|show|12|--step|failed", CLI_OK, TEXTS("gun-1", "80 % is above its 60 %"));
	assert_non_null(strstr(g->seen[0], "step=failed"));
	check(g, "rollout|show|12|--step|failed|-o|csv", CLI_OK, TEXTS("gun-1,2,failed,envelope"));
	check(g, "rollout|show|12|-o|json", CLI_OK, TEXTS("\"not_chosen\": 6"));
	check(g, "rollout|list", CLI_OK, TEXTS("percussion", "running", "2040-01-01 12:00"));
	check(g, "rollout|list|-o|csv", CLI_OK, TEXTS("12,percussion,8,running,offering,2,3,10,1,1"));
	drop(g);
}

static void an_order_is_posted_and_answered_with_what_follows(void **state)
{
	static const char *const orders[] = {"pause", "resume", "halt", "rollback"};
	struct gateway *g = gateway();

	(void)state;
	g->stages[0].rollout.state = ROLLOUT_PAUSED;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		char words[64], path[64];
		snprintf(words, sizeof(words), "rollout|%s|12", orders[i]);
		snprintf(path, sizeof(path), "POST /v1/rollouts/12/%s?", orders[i]);
		check(g, words, CLI_OK,
		      TEXTS("rollout 12 of percussion@8 is paused since 2040-01-01 12:00 in wave 2 of 3, halted by itself at "
		            "2040-01-08 12:00",
		            "gymfleet rollout resume 12"));
		assert_string_equal(g->seen[i], path);
	}
	g->status = 409;
	g->message = "rollout 12 is completed; there is nothing to pause";
	check(g, "rollout|pause|12", CLI_REFUSED, TEXTS("there is nothing to pause"));
	drop(g);
}

static void the_status_has_a_line_for_it(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	check(g, "status", CLI_OK,
	      TEXTS("Rollout  percussion@8  wave 2 of 3  ████▌░░░░░░░░░░░░░  25 %  1 confirmed · 1 on trial · 1 in use · 6 "
	            "waiting · 1 "
	            "failed"));
	g->stages[0].rollout.state = ROLLOUT_HALTED;
	g->stages[0].steps[ROLLOUT_STEP_WAITING] = 0;
	g->stages[0].steps[ROLLOUT_STEP_WITHDRAWN] = 6; /* never told: not through */
	gf_strcpy(g->stages[0].rollout.reason, sizeof(g->stages[0].rollout.reason), "too many failed");
	check(
	    g, "status", CLI_OK,
	    TEXTS("percussion@8  halted  ████▌░░░░░░░░░░░░░  25 %", "         too many failed (gymfleet rollout show 12)"));
	drop(g);
}

/* I9: whatever state it is in, a person is told until when, or what to do. */
static void i9_every_state_says_what_is_next(void **state)
{
	static const struct {
		enum rollout_state state;
		enum rollout_phase phase;
		const char *line, *now;
	} cases[] = {
	    {ROLLOUT_RUNNING, ROLLOUT_PHASE_SOAKING, "wave 2 of 3, watched until 2040-01-01 13:30", "rollout pause 12"},
	    {ROLLOUT_PAUSED, ROLLOUT_PHASE_SOAKING, "halted by itself at 2040-01-08 12:00", "rollout resume 12"},
	    {ROLLOUT_HALTED, ROLLOUT_PHASE_SOAKING, "halted since 2040-01-01 12:00", "rollout rollback 12"},
	    {ROLLOUT_COMPLETED, ROLLOUT_PHASE_SOAKING, "completed since", "look at what failed"},
	    {ROLLOUT_ROLLING_BACK, ROLLOUT_PHASE_SOAKING, "rolling back since 2040-01-01 12:00, done by 2040-01-02 12:00",
	     "rollout watch 12"},
	    {ROLLOUT_ROLLED_BACK, ROLLOUT_PHASE_SOAKING, "rolled back since", "as a higher version"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gateway *g = gateway();
		g->stages[0].rollout.state = cases[i].state;
		g->stages[0].rollout.phase = cases[i].phase;
		check(g, "rollout|show|12", CLI_OK, TEXTS(cases[i].line, cases[i].now));
		drop(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starting_says_what_follows),
	    cmocka_unit_test(a_window_is_waited_for),
	    cmocka_unit_test(no_answer_is_promised_for_the_past),
	    cmocka_unit_test(who_was_left_out_is_told_where_to_look),
	    cmocka_unit_test(only_what_was_said_is_asked),
	    cmocka_unit_test(wrong_words_are_refused_before_anything_is_asked),
	    cmocka_unit_test(the_gateways_refusal_is_the_commands),
	    cmocka_unit_test(showing_tells_state_why_and_what_now),
	    cmocka_unit_test(a_catalog_without_a_way_back_says_so),
	    cmocka_unit_test(machines_of_a_step_are_listed_in_every_format),
	    cmocka_unit_test(an_order_is_posted_and_answered_with_what_follows),
	    cmocka_unit_test(the_status_has_a_line_for_it),
	    cmocka_unit_test(i9_every_state_says_what_is_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
