/* How worn each part is, what service does to that, and the rules that are in force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

#define CHAIR "/v1/devices/chair-berlin-01"

/* A chair has run 3 sessions and 3 minutes. */
static struct wear_plan plans[] = {
    {.class = GF_CLASS_CHAIR,
     .warranty_h = 1000,
     .parts = {[FACT_PART_ROLLER] = {.motor_h = 0.1}, [FACT_PART_SERVICE] = {.motor_h = 100, .sessions = 4}}},
    {.class = GF_CLASS_PERCUSSION, .parts = {[FACT_PART_HEAD] = {.sessions = 2}}},
};

static int plans_setup(void **state)
{
	int result = server_setup(state);
	struct server *s = *state;

	s->rules.plans = plans;
	s->rules.plans_count = sizeof(plans) / sizeof(plans[0]);
	return result;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const json_t *part_of(const json_t *wear, const char *name)
{
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(wear, "parts"), i, part)
	{
		if (strcmp(text(part, "part"), name) == 0)
			return part;
	}
	fail_msg("there is no part '%s'", name);
	return NULL;
}

static void a_machine_says_how_worn_each_part_is(void **state)
{
	json_t *wear = ask(*state, "GET", CHAIR "/wear", NULL, 200);
	const json_t *roller = part_of(wear, "roller"), *service = part_of(wear, "service");

	assert_string_equal(text(wear, "device"), "chair-berlin-01");
	assert_string_equal(text(wear, "class"), "chair");
	assert_true(number(wear, "motor_h") > 0.049 && number(wear, "motor_h") < 0.051);
	assert_int_equal((int)number(wear, "warranty_h"), 1000);
	assert_true(number(wear, "warranty_left_h") > 999.9);
	assert_true(number(json_object_get(wear, "pace"), "sessions_per_day") > 0.1);
	assert_int_equal((int)number(roller, "used_pct"), 50);
	assert_true(json_is_null(json_object_get(roller, "since")));
	assert_true(json_is_null(json_object_get(roller, "life_sessions")));
	assert_true(json_is_string(json_object_get(roller, "due")));
	assert_int_equal(whole(service, "sessions"), 3);
	assert_int_equal(whole(service, "life_sessions"), 4);
	assert_int_equal((int)number(service, "used_pct"), 75);
	assert_int_equal(json_array_size(json_object_get(wear, "services")), 0);
	json_decref(wear);
	refuses(*state, "GET", "/v1/devices/nobody/wear", NULL, 404, "there is no machine 'nobody'");
}

static void a_renewed_part_counts_anew_and_that_is_logged(void **state)
{
	json_t *wear = ask(*state, "POST", CHAIR "/service", "{\"part\":\"roller\",\"note\":\"set of two\"}", 200),
	       *done = json_array_get(json_object_get(wear, "services"), 0);

	assert_int_equal((int)number(part_of(wear, "roller"), "used_pct"), 0);
	assert_string_equal(text(part_of(wear, "roller"), "since"), "2026-11-20T13:00:00Z");
	assert_int_equal((int)number(part_of(wear, "service"), "used_pct"), 75);
	assert_string_equal(text(done, "part"), "roller");
	assert_string_equal(text(done, "at"), "2026-11-20T13:00:00Z");
	assert_string_equal(text(done, "note"), "set of two");
	assert_non_null(strstr(text(done, "by"), "uid "));
	json_decref(wear);
	json_t *log = ask(*state, "GET", "/v1/audit/log", NULL, 200);
	char *all = json_dumps(log, 0);
	assert_non_null(strstr(all, "set of two"));
	free(all);
	json_decref(log);
	refuses(*state, "POST", CHAIR "/service", NULL, 400, "part is missing");
	refuses(*state, "POST", CHAIR "/service", "{\"part\":\"rollers\"}", 400, "did you mean 'roller'?");
	refuses(*state, "POST", CHAIR "/service", "{\"part\":\"x\"}", 400, "motor, head, roller, filter, cover or service");
	refuses(*state, "POST", CHAIR "/service", "{\"part\":\"head\",\"part\":\"head\"}", 400, "the body is no JSON");
	refuses(*state, "POST", "/v1/devices/nobody/service", "{\"part\":\"head\"}", 404, "there is no machine");
}

static void the_fleets_wear_is_a_row_for_each_part(void **state)
{
	static const char *const expected[] = {"chair-berlin-01 motor", "chair-berlin-01 roller", "chair-berlin-01 service",
	                                       "gun-paris-01 motor", "gun-paris-01 head"};
	enum { ROWS = sizeof(expected) / sizeof(expected[0]) };
	char path[128] = "/v1/wear?limit=1", row_text[128];

	/* By machine and part, each page one of them. */
	for (size_t i = 0; i < ROWS; i++) {
		json_t *list = ask(*state, "GET", path, NULL, 200), *row = json_array_get(json_object_get(list, "items"), 0);
		snprintf(row_text, sizeof(row_text), "%s %s", text(row, "device"), text(row, "part"));
		assert_string_equal(row_text, expected[i]);
		snprintf(path, sizeof(path), "/v1/wear?limit=1&after=%s", text(list, "next"));
		assert_int_equal(json_is_null(json_object_get(list, "next")), i + 1 == ROWS);
		json_decref(list);
	}
	json_t *list = ask(*state, "GET", "/v1/wear?where=part%3Dservice%20and%20used_pct%3E70", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	json_decref(list);
	refuses(*state, "GET", "/v1/wear?after=x", NULL, 400, "after is not a 'next'");
	refuses(*state, "GET", "/v1/wear?after=chair-berlin-01:wheel", NULL, 400, "after is not a 'next'");
	refuses(*state, "GET", "/v1/wear?after=%3Ahead", NULL, 400, "after is not a 'next'");
}

/* 100 hours before the gateway heard of it. */
static void hours_before_the_agent_count_until_a_part_is_renewed(void **state)
{
	struct server *s = *state;
	struct gf_status st = birth(2, 1, 1);
	json_t *wear, *device;

	st.odometer = (struct gf_odometer){.motor_ms = 3 * MINUTE, .sessions = 3};
	st.hour_meter_ms = 100 * HOUR + 3 * MINUTE;
	send_status(s->store, "chair-berlin-01", st, false, NOON);
	wear = ask(s, "GET", CHAIR "/wear", NULL, 200);
	assert_true(number(wear, "motor_h") > 100.049 && number(wear, "motor_h") < 100.051);
	assert_true(number(wear, "warranty_left_h") > 899.9 && number(wear, "warranty_left_h") < 899.96);
	assert_true(number(part_of(wear, "motor"), "motor_h") > 100.04);
	assert_true(number(part_of(wear, "motor"), "used_pct") > 5);
	assert_int_equal((int)number(part_of(wear, "service"), "used_pct"), 100);
	json_decref(wear);
	device = ask(s, "GET", CHAIR, NULL, 200);
	assert_true(number(device, "motor_hours") > 100.04);
	assert_int_equal(whole(json_object_get(device, "odometer"), "motor_ms"), 3 * MINUTE);
	json_decref(device);

	wear = ask(s, "POST", CHAIR "/service", "{\"part\":\"motor\"}", 200);
	assert_int_equal((int)(number(part_of(wear, "motor"), "motor_h") * 1000), 0);
	assert_int_equal((int)number(part_of(wear, "service"), "used_pct"), 100);
	assert_true(number(wear, "motor_h") > 100.04);
	json_decref(wear);
}

/* ---- rules ---- */

static const char good_rules[] = "rules:\n"
                                 "  - id: P2\n"
                                 "    title: too much on one spot\n"
                                 "    subject: person_area\n"
                                 "    metric: area_s\n"
                                 "    aggregate: sum\n"
                                 "    window: day\n"
                                 "    warn: 300\n"
                                 "    act: 480\n"
                                 "    advice: let it rest until tomorrow\n";

static void the_rules_in_force_are_listed_with_what_they_found(void **state)
{
	struct server *s = *state;
	struct judgement_config config = {0};
	struct gf_diag diag = {""};

	if (rules_yaml_load_text("rules.yaml", good_rules, strlen(good_rules), &config, &diag) != 0)
		fail_msg("%s", diag.text);
	s->rules = config;
	json_t *list = ask(s, "GET", "/v1/rules", NULL, 200), *row = json_array_get(json_object_get(list, "items"), 0);
	assert_string_equal(text(row, "id"), "P2");
	assert_string_equal(text(row, "subject"), "person_area");
	assert_string_equal(text(row, "metric"), "area_s");
	assert_string_equal(text(row, "unit"), "s");
	assert_int_equal((int)number(row, "warn"), 300);
	assert_int_equal((int)number(row, "act"), 480);
	assert_true(json_is_null(json_object_get(row, "window_s")));
	assert_int_equal(whole(row, "open_flags"), 0);
	assert_int_equal(whole(row, "line"), 2);
	json_decref(list);
	judgement_config_deinit(&config);
}

static void a_file_of_rules_is_checked_without_being_in_force(void **state)
{
	json_t *answer = ask(*state, "POST", "/v1/rules/check", good_rules, 200);

	assert_int_equal(whole(answer, "rules"), 1);
	assert_int_equal(whole(answer, "plans"), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 0);
	json_decref(answer);
	refuses(*state, "POST", "/v1/rules/check", "rules:\n  - id: P2\n    metrik: area_s\n", 422,
	        "rules.yaml:3:5: unknown key");
	refuses(*state, "POST", "/v1/rules/check?name=my/own.yaml", "rules:\n  - id: P2\n    metrik: area_s\n", 422,
	        "my/own.yaml:3:5: unknown key");
	refuses(*state, "POST", "/v1/rules/check", "", 422, "the body is empty");
	refuses(*state, "POST", "/v1/rules/check", "rules: \xff\xfe", 422, "not UTF-8");
	assert_int_equal(server_ask(*state, "POST", "/v1/rules/check", "{}[", NULL), 422);
	char *large = malloc(API_RULES_MAX + 2);
	memset(large, '#', API_RULES_MAX + 1);
	large[API_RULES_MAX + 1] = '\0';
	refuses(*state, "POST", "/v1/rules/check", large, 413, "at most 1048576 bytes");
	free(large);
}

/* The fleet has played drumming_legs. */
static const char slip[] = "rules:\n"
                           "  - {id: A, title: t, subject: device, metric: sessions, window: 1d, warn: 3, advice: a,\n"
                           "     routines: [druming_legs]}\n";
#define SLIP "3: rule A names the routine 'druming_legs', which no published catalog has and which was never played; "

static void a_routine_that_nobody_knows_is_a_warning(void **state)
{
	struct server *s = *state;
	struct judgement_config config = {0};
	json_t *answer = ask(s, "POST", "/v1/rules/check?name=my.yaml", slip, 200), *check = NULL;
	size_t i;

	assert_int_equal(whole(answer, "rules"), 1);
	assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "warnings"), 0)),
	                    "my.yaml:" SLIP "did you mean 'drumming_legs'?");
	json_decref(answer);
	assert_int_equal(rules_yaml_load_text("rules.yaml", slip, strlen(slip), &config, NULL), 0);
	s->rules = config;
	answer = ask(s, "POST", "/v1/rules/reload", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 1);
	json_decref(answer);
	answer = ask(s, "GET", "/v1/doctor", NULL, 200);
	json_array_foreach(json_object_get(answer, "checks"), i,
	                   check) if (strcmp(text(check, "name"), "rules") == 0) break;
	assert_string_equal(text(check, "text"), "rules.yaml:" SLIP "did you mean 'drumming_legs'?");
	assert_string_equal(text(check, "severity"), "attention");
	json_decref(answer);
	judgement_config_deinit(&config);
}

/* The sites are open around the clock: gateway.yaml may say something else one day. */
static const char night[] = "rules:\n"
                            "  - {id: N, title: t, subject: site, metric: sessions, window: 1d, warn: 3, advice: a,\n"
                            "     hours: closed}\n";
#define NIGHT "3: rule N counts what happens while a site is closed, and none ever closes, so it can't fire; "

static void hours_that_no_site_has_are_a_warning(void **state)
{
	struct server *s = *state;
	struct judgement_config config = {0};
	json_t *answer = ask(s, "POST", "/v1/rules/check?name=my.yaml", night, 200), *check = NULL;
	size_t i;

	assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "warnings"), 0)),
	                    "my.yaml:" NIGHT "leave hours out, or see to the opening hours (open in gateway.yaml)");
	json_decref(answer);
	assert_int_equal(rules_yaml_load_text("rules.yaml", night, strlen(night), &config, NULL), 0);
	s->rules = config;
	answer = ask(s, "POST", "/v1/rules/reload", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 1);
	json_decref(answer);
	answer = ask(s, "GET", "/v1/doctor", NULL, 200);
	json_array_foreach(json_object_get(answer, "checks"), i,
	                   check) if (strcmp(text(check, "name"), "rules") == 0) break;
	assert_non_null(strstr(text(check, "text"), "rules.yaml:" NIGHT));
	assert_string_equal(text(check, "severity"), "attention");
	json_decref(answer);
	judgement_config_deinit(&config);
}

static void rules_are_read_again_unless_there_is_a_mistake_in_them(void **state)
{
	struct server *s = *state;
	json_t *answer = ask(s, "POST", "/v1/rules/reload", NULL, 200);

	assert_int_equal(whole(answer, "rules"), 0);
	json_decref(answer);
	s->rules_mistake = "/etc/gymfleet/rules.yaml:7:3: unknown key 'warm'; did you mean 'warn'?";
	refuses(s, "POST", "/v1/rules/reload", NULL, 422, "rules.yaml:7:3: unknown key 'warm'");
	refuses(s, "GET", "/v1/rules/reload", NULL, 405, "POST is");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, plans_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_says_how_worn_each_part_is),
	    TEST(a_renewed_part_counts_anew_and_that_is_logged),
	    TEST(the_fleets_wear_is_a_row_for_each_part),
	    TEST(hours_before_the_agent_count_until_a_part_is_renewed),
	    TEST(the_rules_in_force_are_listed_with_what_they_found),
	    TEST(a_file_of_rules_is_checked_without_being_in_force),
	    TEST(a_routine_that_nobody_knows_is_a_warning),
	    TEST(hours_that_no_site_has_are_a_warning),
	    TEST(rules_are_read_again_unless_there_is_a_mistake_in_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
