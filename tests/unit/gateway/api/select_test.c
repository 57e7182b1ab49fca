/* Choosing a rollout's machines by an expression, and what a row tells of a wish. */
#include "gateway/api/select.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/api/device_row.h"

#define NOON INT64_C(1795176000000)

static struct store_device chair(void)
{
	return (struct store_device){
	    .id = "chair-berlin-01",
	    .class = GF_CLASS_CHAIR,
	    .born = true,
	    .online = true,
	    .location = {.site = "berlin"},
	    .clock_synced = true,
	    .clock_since_ms = NOON,
	    .last_record_ms = NOON,
	    .odometer = {.motor_ms = UINT64_C(1600) * 3600 * 1000},
	    .catalog = "gym",
	    .catalog_version = 7,
	    .catalog_digest = {{0x3b, 0x1f, 0x9c, 0x0a}},
	    .desired = {.revision = 4,
	                .has_catalog = true,
	                .catalog = {.name = "gym", .version = 8, .digest = {{1}}},
	                .locked = true,
	                .lock_reason = "torn cover"},
	    .answer = {.revision = 4, .step = GF_DESIRED_STEP_REFUSED, .refusal = GF_REFUSAL_EXPIRED, .digest = {{1}}},
	};
}

static bool chosen_by(const struct select_view *view, const char *where, const struct store_device *device)
{
	struct gf_diag diag = {{0}};
	void *selector = NULL;

	if (select_ops.compile(view, where, NOON, &selector, &diag) != 0)
		fail_msg("%s: %s", where, diag.text);
	bool first = select_ops.match(selector, device, NOON);
	/* A selector is used for thousands of machines: nothing of one stays for the next. */
	for (int i = 0; i < 300; i++)
		assert_int_equal(select_ops.match(selector, device, NOON), first);
	select_ops.free(selector);
	return first;
}

static bool chosen(const char *where, const struct store_device *device)
{
	return chosen_by(NULL, where, device);
}

static void an_expression_chooses_by_any_field_of_the_row(void **state)
{
	struct store_device device = chair();

	(void)state;
	assert_true(chosen("", &device));
	assert_true(chosen("site=berlin and (health!=ok or motor_hours>1500)", &device));
	assert_true(chosen("id ~ 'chair-*' and class=chair", &device));
	assert_false(chosen("site=paris", &device));
	assert_false(chosen("motor_hours<1500", &device));
	assert_true(chosen("health=ok and reasons=1", &device));
	device.online = false;
	device.offline_reason = STORE_OFFLINE_LOST;
	assert_true(chosen("health=critical and offline_reason=lost", &device));
}

static void an_expression_chooses_by_what_is_desired(void **state)
{
	struct store_device device = chair();

	(void)state;
	assert_true(chosen("catalog_digest=3b1f9c0a and not on_trial", &device));
	assert_true(
	    chosen("desired_catalog=gym and desired_version=8 and update=refused and update_code=expired", &device));
	assert_true(chosen("locked and lock_reason='torn cover'", &device));
	device.answer.digest.bytes[0] = 2; /* a word on an older wish */
	assert_true(chosen("update=null and update_code=null", &device));
	device.desired = (struct gf_desired){0};
	assert_true(chosen("desired_catalog=null and desired_version=null and not locked and lock_reason=null", &device));
	device.catalog_digest = (struct gf_digest){{0}};
	assert_true(chosen("catalog_digest=null", &device));
}

static void a_wrong_expression_is_refused_with_its_place(void **state)
{
	struct gf_diag diag = {{0}};
	void *selector = NULL;

	(void)state;
	assert_int_equal(select_ops.compile(NULL, "sitte=berlin", NOON, &selector, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "did you mean 'site'?"));
	assert_null(selector);
	select_ops.free(NULL);
}

static int plan_of_chairs(void *ctx, api_rules_fn look, void *look_ctx)
{
	static struct wear_plan plan = {.class = GF_CLASS_CHAIR, .parts = {[FACT_PART_COVER] = {.motor_h = 4000}}};
	const struct judgement_config config = {.plans = &plan, .plans_count = 1};

	(void)ctx;
	return look(look_ctx, &config);
}

static void an_expression_sees_the_service_plans_and_opening_hours_that_rows_show(void **state)
{
	const struct api_ops ops = {.rules_look = plan_of_chairs};
	struct calendar mondays = {.week = {{0}}};
	struct zones *zones = NULL;
	struct sites *sites = NULL;
	struct gf_diag diag = {{0}};
	struct store_device device = chair();

	(void)state;
	assert_int_equal(calendar_open(&mondays, "mon", "06:00-07:00", &diag), 0);
	assert_int_equal(zones_new("UTC", &zones, &diag), 0);
	assert_int_equal(sites_new(zones, &mondays, &sites), 0);
	const struct select_view view = {.sites = sites, .ops = &ops};
	assert_true(chosen_by(&view, "wear_pct=40", &device)); /* 1600 of 4000 h */
	device.online = false;
	device.offline_reason = STORE_OFFLINE_LOST;
	device.presence_since_ms = device.last_seen_ms = NOON - 3600000;
	assert_true(chosen_by(&view, "health=ok", &device)); /* on Friday, when nobody misses it */
	assert_true(chosen("wear_pct=null and health=critical", &device));
	sites_free(sites);
}

static void as_many_comparisons_as_fit_are_answered(void **state)
{
	struct store_device device = chair();
	char where[WHERE_LENGTH_MAX] = "id=x";

	(void)state;
	for (int i = 1; i < WHERE_TERMS_MAX; i++)
		strcat(where, i + 1 < WHERE_TERMS_MAX ? " or id=x" : " or site=berlin");
	assert_true(chosen(where, &device));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_expression_chooses_by_any_field_of_the_row),
	    cmocka_unit_test(an_expression_chooses_by_what_is_desired),
	    cmocka_unit_test(a_wrong_expression_is_refused_with_its_place),
	    cmocka_unit_test(an_expression_sees_the_service_plans_and_opening_hours_that_rows_show),
	    cmocka_unit_test(as_many_comparisons_as_fit_are_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
