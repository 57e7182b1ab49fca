/* Rules that go by what none of their machines tells of; and all kinds of doubts told in one go. */
#include "gateway/rule_doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/store/fixture.h"

struct told {
	size_t count;
	char sentences[4][512];
};

static void tell(void *ctx, const char *sentence)
{
	struct told *t = ctx;

	assert_true(t->count < 4);
	gf_strcpy(t->sentences[t->count++], sizeof(t->sentences[0]), sentence);
}

/* The rule's keys begin in line 3. It is asked of a copy, as where the rules may be exchanged meanwhile. */
static struct told doubts(struct fixture *f, const char *keys)
{
	struct judgement_config config = {0};
	struct rules *copy = NULL;
	struct told told = {0};
	struct rule_doubts asked = {.reader = f->reader, .file = "r.yaml", .tell = tell, .ctx = &told};
	struct gf_diag diag = {""};
	char text[512];

	snprintf(text, sizeof(text), "rules:\n  - {id: A, title: t, advice: a,\n%s}\n", keys);
	if (rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(rules_copy(config.rules, &copy), 0);
	judgement_config_deinit(&config);
	asked.rules = copy;
	if (rule_doubts(&asked, &diag) != 0)
		fail_msg("%s", diag.text);
	free(copy);
	return told;
}

/* A machine that tells its motor's temperature, and `sensor`. */
static void beat(struct fixture *f, const char *id, enum gf_class class, float vibration_ms2, enum gf_sensor sensor)
{
	struct gf_status st = birth(1, 1, 1);
	struct gf_record r = heartbeat(1, NOON, 40);

	st.class = class;
	st.vibration_ms2 = vibration_ms2;
	if (sensor != GF_SENSOR_UNSPECIFIED)
		r.heartbeat.sensors[sensor] = (struct gf_stat){true, 1, 2, 3, 2};
	send_status(f, id, st, false, NOON - HOUR);
	(void)send_report(f, id, 1, &r, 1, NOON);
}

#define PRESSURE "subject: device, window: 10m, warn: 90,\nmetric: pressure_mmhg, classes: "

static void what_none_of_its_machines_measures(void **state)
{
	struct fixture *f = *state;
	struct told told;

	/* Nobody is there yet. */
	assert_int_equal(doubts(f, PRESSURE "[roller]").count, 0);
	beat(f, "roller-1", GF_CLASS_ROLLER, 0, GF_SENSOR_UNSPECIFIED);
	beat(f, "roller-2", GF_CLASS_ROLLER, 0, GF_SENSOR_SURFACE_TEMP_C);
	told = doubts(f, PRESSURE "[roller, compression]");
	assert_int_equal(told.count, 1);
	assert_string_equal(told.sentences[0], "r.yaml:4: rule A goes by pressure_mmhg, and of its machines (2) none "
	                                       "measures it, so nothing counts; choose other classes, or leave it out");
	assert_int_equal(doubts(f, PRESSURE "[compression]").count, 0);
	assert_int_equal(doubts(f, "subject: device, window: 10m, warn: 90, metric: pressure_mmhg").count, 1);
	assert_int_equal(doubts(f, "subject: device, window: 10m, warn: 60, metric: motor_temp_c").count, 0);
	assert_int_equal(doubts(f, "subject: device, window: 10m, warn: 40, metric: surface_temp_c").count, 0);
	assert_int_equal(doubts(f, "subject: device, any: [{metric: motor_temp_c, window: 10m, warn: 60},\n"
	                           "{metric: battery_pct, is: below, window: 10m, warn: 20}]")
	                     .count,
	                 1);
	beat(f, "boots", GF_CLASS_COMPRESSION, 0, GF_SENSOR_PRESSURE_MMHG);
	assert_int_equal(doubts(f, PRESSURE "[roller, compression]").count, 0);
	assert_int_equal(doubts(f, PRESSURE "[roller]").count, 1);
	assert_int_equal(doubts(f, "subject: device, window: 10m, warn: 90, metric: pressure_mmhg").count, 0);
}

/* A machine that has only come tells nothing yet. */
static void one_without_a_heartbeat_is_waited_for(void **state)
{
	struct gf_status st = birth(1, 1, 1);

	st.class = GF_CLASS_ROLLER;
	send_status(*state, "roller-1", st, false, NOON);
	assert_int_equal(doubts(*state, PRESSURE "[roller]").count, 0);
}

static void vibration_of_classes_that_say_nothing_of_it(void **state)
{
	static const char roller[] =
	    "subject: staff, window: day, warn: 100,\nmetric: vibration_points, classes: [roller, percussion]";
	struct fixture *f = *state;
	struct told told;

	beat(f, "chair-1", GF_CLASS_CHAIR, 0, GF_SENSOR_UNSPECIFIED);
	assert_int_equal(doubts(f, roller).count, 0);
	beat(f, "roller-1", GF_CLASS_ROLLER, 0, GF_SENSOR_UNSPECIFIED);
	told = doubts(f, roller);
	assert_int_equal(told.count, 1);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A goes by vibration_points, and of the machines of its classes (1) none says how it "
	    "vibrates, so nothing counts; set vibration_ms2 in their agent.yaml, or choose other classes");
	/* Of all machines: those in the hand may come. */
	assert_int_equal(doubts(f, "subject: staff, window: day, warn: 100, metric: vibration_points").count, 0);
	beat(f, "gun-1", GF_CLASS_PERCUSSION, 7.5F, GF_SENSOR_UNSPECIFIED);
	assert_int_equal(doubts(f, roller).count, 0);
}

static void all_kinds_are_told(void **state)
{
	struct fixture *f = *state;
	struct gf_record played = session(2, 1, NOON + HOUR);
	struct told told;

	beat(f, "chair-1", GF_CLASS_CHAIR, 0, GF_SENSOR_UNSPECIFIED);
	(void)send_report(f, "chair-1", 1, &played, 1, NOON + HOUR);
	told = doubts(f, "subject: device, hours: closed,\n"
	                 "any: [{metric: sessions, routines: [druming_legs], window: 1d, warn: 3},\n"
	                 "{metric: battery_pct, is: below, window: 10m, warn: 20}]");
	assert_int_equal(told.count, 3);
	assert_int_equal(strncmp(told.sentences[0], "r.yaml:3: rule A counts what happens while ", 43), 0);
	assert_int_equal(strncmp(told.sentences[1], "r.yaml:4: rule A names the routine 'druming_legs'", 49), 0);
	assert_int_equal(strncmp(told.sentences[2], "r.yaml:5: rule A goes by battery_pct, ", 38), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_none_of_its_machines_measures),
	    TEST(one_without_a_heartbeat_is_waited_for),
	    TEST(vibration_of_classes_that_say_nothing_of_it),
	    TEST(all_kinds_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
