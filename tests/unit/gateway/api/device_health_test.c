/* What the store, the plans and the sites say of a machine reaches its health. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/api/device_row.h"
#include "gateway/sites/sites.h"

#define NOON INT64_C(1795176000000) /* Friday 2026-11-20T12:00:00Z */
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct device_view view;
static struct device_health health;

static struct store_device chair(void)
{
	return (struct store_device){.id = "chair-1",
	                             .born = true,
	                             .online = true,
	                             .class = GF_CLASS_CHAIR,
	                             .model = "recliner-4",
	                             .clock_synced = true,
	                             .clock_since_ms = NOON,
	                             .last_record_ms = NOON,
	                             .rated_motor_h = 2000,
	                             .odometer = {.motor_ms = 100 * HOUR, .sessions = 1000}};
}

static int setup(void **state)
{
	(void)state;
	view = (struct device_view){.now_ms = NOON};
	return 0;
}

/* Its only reason. */
static const struct health_reason *judge(const struct store_device *d)
{
	device_judge(d, &view, &health);
	assert_int_equal(health.count, 1);
	return &health.reasons[0];
}

static void a_well_machine_has_its_wear_and_no_reason(void **state)
{
	struct store_device d = chair();

	(void)state;
	device_judge(&d, &view, &health);
	assert_int_equal(health.count, 0);
	assert_true(fabs(health.wear_pct - 5) < 1e-9);
	d.rated_motor_h = 0;
	device_judge(&d, &view, &health);
	assert_true(isnan(health.wear_pct));
}

static void the_plan_of_its_class_and_its_services_count(void **state)
{
	static struct wear_plan plan = {.class = GF_CLASS_CHAIR, .parts = {[FACT_PART_COVER] = {0, 1000}}};
	struct store_device d = chair();
	const struct health_reason *r;

	(void)state;
	view.plans = (struct wear_plans){&plan, 1};
	d.care.use.from_ms = NOON - 10 * DAY;
	d.care.use.last_ms = NOON - HOUR;
	d.care.use.sessions = 100;
	d.care.use.motor_ms = 10 * HOUR;
	d.running_session = 5;
	d.care.parts[FACT_PART_COVER] = (struct store_care_part){NOON - 90 * DAY, {.sessions = 100}};
	r = judge(&d);
	assert_int_equal(r->code, HEALTH_CODE_SERVICE_DUE);
	assert_int_equal(r->since_ms, NOON - 90 * DAY);
	assert_string_equal(r->text,
	                    "cover due: 900 of 1000 sessions are used (90 %); at 10 sessions a day due about 2026-11-30");
	assert_true(fabs(health.wear_pct - 90) < 1e-9);
	d.care.parts[FACT_PART_COVER].odometer.sessions = 1000;
	device_judge(&d, &view, &health);
	assert_int_equal(health.count, 0);
	/* An odometer that began anew: at least what it shows. */
	d.care.parts[FACT_PART_COVER].odometer.sessions = 5000;
	assert_string_equal(judge(&d)->text, "cover due: 1000 of 1000 sessions are used (100 %)");
}

static void open_flags_are_reasons_by_their_severity(void **state)
{
	static const enum health_severity expected[] = {HEALTH_OK, HEALTH_ATTENTION, HEALTH_CRITICAL};
	struct store_device d = chair();

	(void)state;
	d.care.flags_open = 1;
	d.care.flags[0] = (struct store_care_flag){.id = 12, .opened_ms = NOON - DAY, .title = "too much", .text = "82 %"};
	for (int s = 0; s < RULE_SEVERITY_COUNT; s++) {
		d.care.flags[0].severity = (enum rule_severity)s;
		assert_int_equal(judge(&d)->severity, expected[s]);
		assert_int_equal(health.reasons[0].code, HEALTH_CODE_OVERUSE);
	}
	assert_false(health.reasons[0].seen_to);
	d.care.flags[0].acked_ms = NOON;
	strcpy(d.care.flags[0].acked_by, "anna");
	assert_true(judge(&d)->seen_to);
	d.care.flags_open = 7;
	device_judge(&d, &view, &health);
	assert_int_equal(health.count, STORE_CARE_FLAGS_MAX);
	assert_non_null(strstr(health.reasons[STORE_CARE_FLAGS_MAX - 1].action, "3 more are open"));
}

static void a_flag_about_the_motors_life_is_said_by_the_service(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.odometer.motor_ms = 1700 * HOUR;
	d.care.flags_open = 1;
	d.care.flags[0] = (struct store_care_flag){
	    .id = 12, .severity = RULE_SEVERITY_ATTENTION, .title = "motor hours", .metric = "part_life_pct"};
	assert_int_equal(judge(&d)->code, HEALTH_CODE_SERVICE_DUE);
}

static void cases_count_faults_and_tell_of_damage(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.open_faults = 1;
	d.open[0] = (struct store_fault){
	    .code = GF_FAULT_ESTOP, .severity = GF_SEVERITY_STOP, .raised_ms = NOON, .observed = NAN, .limit = NAN};
	d.care.cases_count = 2;
	d.care.cases[0] = (struct store_care_case){
	    .id = 7, .reported = true, .severity = GF_SEVERITY_INFO, .first_ms = NOON, .detail = "a tear", .by = "anna"};
	d.care.cases[1] = (struct store_care_case){
	    .id = 8, .code = GF_FAULT_ESTOP, .times = 3, .first_ms = NOON - DAY, .acked_ms = NOON, .acked_by = "ben"};
	device_judge(&d, &view, &health);
	assert_int_equal(health.count, 2);
	assert_non_null(strstr(health.reasons[0].text, "3rd time since 2026-11-19T12:00:00Z (24 h); ben knows"));
	assert_int_equal(health.reasons[1].code, HEALTH_CODE_DAMAGE);
	assert_non_null(strstr(health.reasons[1].text, "reported by anna: a tear"));
}

static void the_sites_hours_count(void **state)
{
	struct calendar hours = {.week = {{0}}};
	struct zones *zones = NULL;
	struct sites *sites = NULL;
	struct store_device d = chair();

	(void)state;
	assert_int_equal(calendar_open(&hours, "sat-sun", "08:00-20:00", NULL), 0);
	assert_int_equal(zones_new(NULL, &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &calendar_always, &sites), 0);
	assert_int_equal(sites_add(sites, "berlin", &hours), 0);
	view.sites = sites;
	d.online = false;
	d.offline_reason = STORE_OFFLINE_LOST;
	d.presence_since_ms = NOON - HOUR;
	assert_int_equal(judge(&d)->severity, HEALTH_CRITICAL);
	strcpy(d.location.site, "berlin");
	assert_int_equal(judge(&d)->severity, HEALTH_OK);
	sites_free(sites);
}

static void a_tag_puts_it_out_of_service(void **state)
{
	struct store_device d = chair();
	json_t *row;
	char *tag;

	(void)state;
	d.care.tag = (struct store_tag){.since_ms = NOON - DAY,
	                                .reason = "the seat is torn",
	                                .owner = "ben",
	                                .by = "anna",
	                                .back_ms = NOON + DAY,
	                                .case_id = 7};
	d.desired.locked = true;
	assert_int_equal(judge(&d)->code, HEALTH_CODE_TAGGED);
	assert_true(health.reasons[0].seen_to);
	row = device_detail(&d, &health);
	assert_true(json_is_true(json_object_get(row, "out_of_service")));
	assert_true(json_is_true(json_object_get(row, "tagged")));
	tag = json_dumps(json_object_get(row, "tag"), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(tag,
	                    "{\"back\":\"2026-11-21T12:00:00Z\",\"by\":\"anna\",\"case\":7,\"owner\":\"ben\",\"reason\":"
	                    "\"the seat is torn\",\"since\":\"2026-11-19T12:00:00Z\"}");
	free(tag);
	json_decref(row);
	d.care.tag.back_ms = NOON;
	assert_false(judge(&d)->seen_to); /* it is late: somebody has to ask */
}

static void nobody_uses_it_any_more(void **state)
{
	struct store_device d = chair();

	(void)state;
	d.care.use.from_ms = NOON - 40 * DAY;
	d.care.use.last_ms = NOON - 12 * DAY;
	d.care.use.sessions = 28;
	assert_int_equal(judge(&d)->code, HEALTH_CODE_IDLE);
	d.running_session = 3;
	device_judge(&d, &view, &health);
	assert_int_equal(health.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_well_machine_has_its_wear_and_no_reason, setup),
	    cmocka_unit_test_setup(the_plan_of_its_class_and_its_services_count, setup),
	    cmocka_unit_test_setup(open_flags_are_reasons_by_their_severity, setup),
	    cmocka_unit_test_setup(a_flag_about_the_motors_life_is_said_by_the_service, setup),
	    cmocka_unit_test_setup(cases_count_faults_and_tell_of_damage, setup),
	    cmocka_unit_test_setup(the_sites_hours_count, setup),
	    cmocka_unit_test_setup(a_tag_puts_it_out_of_service, setup),
	    cmocka_unit_test_setup(nobody_uses_it_any_more, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
