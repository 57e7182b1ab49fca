/* Wear: plans, what is used up, and when service is due. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/wear/wear.h"

#define DAY INT64_C(86400000)
static const int64_t now = INT64_C(1795000000000);

static const struct wear_plan percussion = {
    .class = GF_CLASS_PERCUSSION,
    .warranty_h = 1000,
    .parts = {[FACT_PART_HEAD] = {500, 0}, [FACT_PART_COVER] = {0, 4000}, [FACT_PART_SERVICE] = {250, 3000}},
};

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static void a_models_plan_goes_before_its_classs(void **state)
{
	struct wear_plan plans[4] = {{.class = GF_CLASS_CHAIR},
	                             {.class = GF_CLASS_PERCUSSION},
	                             {.class = GF_CLASS_PERCUSSION},
	                             {.class = GF_CLASS_ROLLER}};

	(void)state;
	snprintf(plans[2].model, sizeof(plans[2].model), "hammer 2");
	snprintf(plans[3].model, sizeof(plans[3].model), "hammer 2");
	assert_ptr_equal(wear_plan_for(plans, 4, GF_CLASS_PERCUSSION, "hammer 2"), &plans[2]);
	assert_ptr_equal(wear_plan_for(plans, 4, GF_CLASS_PERCUSSION, "hammer"), &plans[1]);
	assert_ptr_equal(wear_plan_for(plans, 4, GF_CLASS_PERCUSSION, ""), &plans[1]);
	assert_ptr_equal(wear_plan_for(plans, 4, GF_CLASS_PERCUSSION, NULL), &plans[1]);
	assert_null(wear_plan_for(plans, 4, GF_CLASS_ROLLER, "roller"));
	assert_null(wear_plan_for(plans, 4, GF_CLASS_WATER_BED, "hammer 2"));
	assert_null(wear_plan_for(NULL, 0, GF_CLASS_CHAIR, ""));
}

static void the_worse_of_hours_and_sessions_counts(void **state)
{
	struct wear_counter counter = {.motor_h = 100, .sessions = 900};

	(void)state;
	assert_true(near(wear_used_pct(&(struct wear_life){250, 3000}, &counter), 40));
	assert_true(near(wear_used_pct(&(struct wear_life){1000, 1000}, &counter), 90));
	assert_true(near(wear_used_pct(&(struct wear_life){0, 1000}, &counter), 90));
	assert_true(near(wear_used_pct(&(struct wear_life){80, 0}, &counter), 125));
	assert_true(isnan(wear_used_pct(&(struct wear_life){0, 0}, &counter)));
}

static void each_part_is_forecast_and_the_worst_is_first(void **state)
{
	struct wear_counter counters[FACT_PART_COUNT] = {[FACT_PART_MOTOR] = {1600, 20000, 0},
	                                                 [FACT_PART_HEAD] = {480, 6000, now - DAY},
	                                                 [FACT_PART_COVER] = {480, 1000, 0},
	                                                 [FACT_PART_SERVICE] = {100, 2400, 0}};
	struct wear_pace pace = {4, 60};
	struct wear w;

	(void)state;
	wear_judge(&percussion, 2000, 1600, counters, &pace, now, &w);
	assert_int_equal(w.count, 4);
	assert_int_equal(w.parts[0].part, FACT_PART_HEAD);
	assert_true(near(w.parts[0].used_pct, 96));
	assert_true(w.parts[0].due_ms == now + 5 * DAY);
	assert_true(w.parts[0].counter.since_ms == now - DAY);
	assert_int_equal(w.parts[1].part, FACT_PART_MOTOR);
	assert_true(w.parts[1].due_ms == now + 100 * DAY);
	/* 600 sessions at 60 a day come before 150 h at 4. */
	assert_int_equal(w.parts[2].part, FACT_PART_SERVICE);
	assert_true(near(w.parts[2].used_pct, 80));
	assert_true(w.parts[2].due_ms == now + 10 * DAY);
	assert_int_equal(w.parts[3].part, FACT_PART_COVER);
	assert_true(w.parts[3].due_ms == now + 50 * DAY);
	assert_true(w.warranty_h == 1000);
	assert_true(w.warranty_left_h == 0);
}

static void what_is_used_up_is_due_now_and_what_stands_still_never(void **state)
{
	struct wear_counter counters[FACT_PART_COUNT] = {[FACT_PART_MOTOR] = {2000, 0, 0}, [FACT_PART_HEAD] = {499, 0, 0}};
	struct wear_pace still = {0, 0}, slow = {499.0 / 3660, 0}, odd = {NAN, NAN};
	struct wear w;

	(void)state;
	wear_judge(&percussion, 2000, 400, counters, &still, now, &w);
	assert_true(w.parts[0].due_ms == now);
	assert_int_equal(w.parts[1].part, FACT_PART_HEAD);
	assert_true(w.parts[1].due_ms == 0);
	assert_true(w.warranty_left_h == 600);
	counters[FACT_PART_HEAD].motor_h = 1;
	wear_judge(&percussion, 0, 400, counters, &slow, now, &w);
	assert_int_equal(w.parts[0].part, FACT_PART_HEAD);
	assert_true(w.parts[0].due_ms == 0); /* in 3,660 days */
	wear_judge(&percussion, 0, 400, counters, &odd, now, &w);
	assert_true(w.parts[0].due_ms == 0);
}

static void without_a_plan_only_the_motor_wears(void **state)
{
	struct wear_counter counters[FACT_PART_COUNT] = {[FACT_PART_MOTOR] = {1000, 0, 0}, [FACT_PART_HEAD] = {499, 9, 0}};
	struct wear_pace pace = {1, 1};
	struct wear w;

	(void)state;
	wear_judge(NULL, 10000, 1000, counters, &pace, now, &w);
	assert_int_equal(w.count, 1);
	assert_int_equal(w.parts[0].part, FACT_PART_MOTOR);
	assert_true(w.warranty_h == 0);
	wear_judge(NULL, 0, 1000, counters, &pace, now, &w);
	assert_int_equal(w.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_models_plan_goes_before_its_classs),
	    cmocka_unit_test(the_worse_of_hours_and_sessions_counts),
	    cmocka_unit_test(each_part_is_forecast_and_the_worst_is_first),
	    cmocka_unit_test(what_is_used_up_is_due_now_and_what_stands_still_never),
	    cmocka_unit_test(without_a_plan_only_the_motor_wears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
