/* Gates by their numbers, windows by the clock, and what a rollout may be asked for. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "tests/unit/gateway/rollout/sim.h"

static const struct rollout_gate by_faults = {ROLLOUT_GATE_FAULTS, 1.5, true};

static bool fails(const struct rollout_gate *gate, uint64_t faults, double hours, uint64_t old_faults, double old_hours,
                  char why[static GF_TEXT_MAX])
{
	struct rollout_outcome new = {
	    .faults = faults, .motor_hours = hours, .user_stops = faults, .sessions = (uint64_t)hours};
	struct rollout_outcome old = {
	    .faults = old_faults, .motor_hours = old_hours, .user_stops = old_faults, .sessions = (uint64_t)old_hours};

	return plan_gate_fails(gate, &new, &old, why);
}

static void a_gate_says_its_numbers(void **state)
{
	char why[GF_TEXT_MAX];

	(void)state;
	assert_true(fails(&by_faults, 4, 3.1, 2, 20, why));
	assert_string_equal(why, "4 faults in 3.1 h (129 per 100 h) against 2 in 20 h (10 per 100 h): above 1.5x");
	assert_false(fails(&by_faults, 1, 3.1, 2, 200, why));
	assert_non_null(strstr(why, "1 fault in 3.1 h"));
	assert_non_null(strstr(why, "too few to tell from chance"));
	assert_false(fails(&by_faults, 1, 10, 2, 20, why));
	assert_non_null(strstr(why, "within 1.5x"));
}

static void as_many_faults_everywhere_are_no_reason(void **state)
{
	char why[GF_TEXT_MAX];

	(void)state;
	assert_false(fails(&by_faults, 5, 10, 50, 100, why));
	assert_false(fails(&by_faults, 500, 1000, 500, 1000, why));
	assert_true(fails(&by_faults, 1500, 1000, 500, 1000, why));
	assert_true(fails(&by_faults, 15, 10, 50, 100, why));
}

static void without_use_there_is_nothing_to_judge(void **state)
{
	char why[GF_TEXT_MAX];

	(void)state;
	assert_false(fails(&by_faults, 0, 0, 5, 10, why));
	assert_non_null(strstr(why, "nothing to judge"));
	assert_false(fails(&by_faults, 5, 10, 0, 0, why));
	assert_non_null(strstr(why, "to compare with"));
	/* Faults without any running at all are judged. */
	assert_true(fails(&by_faults, 3, 0, 1, 100, why));
}

static void an_absolute_limit_needs_nobody_else(void **state)
{
	const struct rollout_gate gate = {ROLLOUT_GATE_USER_STOPS, 5, false};
	char why[GF_TEXT_MAX];

	(void)state;
	assert_true(fails(&gate, 8, 40, 0, 0, why));
	assert_string_equal(why, "8 of 40 sessions stopped by their users (20 per 100): above 5");
	assert_false(fails(&gate, 2, 40, 0, 0, why));
	assert_false(fails(&gate, 3, 40, 0, 0, why));
}

static void big_numbers_stay_numbers(void **state)
{
	char why[GF_TEXT_MAX];

	(void)state;
	assert_true(fails(&by_faults, 1000 * 1000, 1e6, 1000, 1e6, why));
	assert_false(fails(&by_faults, 1000 * 1000, 1e6, 1000 * 1000, 1e6, why));
	assert_true(fails(&by_faults, 2, 1e-9, 0, 1e9, why));
}

/* How often a gate of 1.5x halts machines that are as they were: at most as often as PLAN_CHANCE says. */
static void chance_alone_halts_seldom(void **state)
{
	double halts = 0;
	char why[GF_TEXT_MAX];

	(void)state;
	for (uint64_t a = 0; a < 60; a++)
		for (uint64_t b = 0; b < 120; b++) {
			/* 10 h at 1.5 times 0.5 faults an hour, against 40 h at 0.5. */
			double p = exp((double)a * log(7.5) - 7.5 - lgamma((double)a + 1) + (double)b * log(20.0) - 20.0 -
			               lgamma((double)b + 1));

			if (fails(&by_faults, a, 10, b, 40, why))
				halts += p;
		}
	assert_true(halts > 0.02);
	assert_true(halts < PLAN_CHANCE);
}

/* ---- in a rollout ---- */

static void run_with_faults(uint64_t new_faults, uint64_t old_faults, enum rollout_state expected)
{
	struct sim *s = sim_new(100);

	s->r.spec.waves[0].value = 10;
	s->r.spec.gates[s->r.spec.gates_count++] = by_faults;
	sim_run(s, 13 * MINUTE, MINUTE);
	s->r.updated = (struct rollout_outcome){.motor_hours = 10, .faults = new_faults};
	s->r.others = (struct rollout_outcome){.motor_hours = 90, .faults = old_faults};
	sim_run(s, 40 * MINUTE, MINUTE);
	assert_int_equal(s->r.state, expected);
	if (expected == ROLLOUT_HALTED) {
		assert_int_equal(sim_told(s), 10);
		assert_non_null(strstr(s->r.reason, "above 1.5x"));
	} else {
		assert_int_equal(s->r.wave, 3);
	}
	sim_free(s);
}

static void three_times_the_faults_in_the_canaries_halt(void **state)
{
	(void)state;
	run_with_faults(9, 27, ROLLOUT_HALTED);
}

static void the_same_faults_everywhere_go_on(void **state)
{
	(void)state;
	run_with_faults(3, 27, ROLLOUT_RUNNING);
	run_with_faults(30, 270, ROLLOUT_RUNNING);
}

static void one_halted_by_its_gate_may_be_resumed(void **state)
{
	struct sim *s = sim_new(20);

	(void)state;
	s->r.spec.gates[s->r.spec.gates_count++] = by_faults;
	sim_run(s, 13 * MINUTE, MINUTE);
	s->r.updated = (struct rollout_outcome){.motor_hours = 10, .faults = 30};
	s->r.others = (struct rollout_outcome){.motor_hours = 90, .faults = 1};
	sim_step(s);
	assert_int_equal(s->r.state, ROLLOUT_HALTED);
	assert_int_equal(sim_order(s, ROLLOUT_ORDER_RESUME), 0);
	assert_int_equal(s->r.phase, ROLLOUT_PHASE_SOAKING);
	assert_int_equal(s->due_ms, s->now_ms + s->r.spec.soak_ms);
	sim_run_to_end(s, 5 * HOUR);
	assert_int_equal(s->r.state, ROLLOUT_COMPLETED);
	sim_free(s);
}

/* ---- windows ---- */

#define AT(day_ms, hour, minute) ((day_ms) + (hour)*HOUR + (minute)*MINUTE)
static const int64_t march_29 = INT64_C(1774742400000); /* 2026-03-29T00:00Z: Berlin's clock goes from 02:00 to 03:00 */
static const int64_t october_25 = INT64_C(1792886400000); /* 2026-10-25T00:00Z: from 03:00 back to 02:00 */

static int32_t berlin(int64_t ms)
{
	return ms >= march_29 + HOUR && ms < october_25 + HOUR ? 7200 : 3600;
}

static bool open_at(const struct rollout_spec *spec, int64_t ms)
{
	return plan_window_open(spec, ms, berlin(ms));
}

static struct rollout_spec window(unsigned from_min, unsigned to_min)
{
	return (struct rollout_spec){
	    .has_window = true, .window_from_min = (uint16_t)from_min, .window_to_min = (uint16_t)to_min};
}

static void a_window_may_go_over_midnight(void **state)
{
	const struct rollout_spec night = window(22 * 60, 6 * 60), day = window(9 * 60, 17 * 60), none = {0};

	(void)state;
	assert_false(plan_window_open(&night, NOON, 0));
	assert_int_equal(plan_window_opens_ms(&night, NOON, 0), NOON + 10 * HOUR);
	assert_true(plan_window_open(&night, NOON + 10 * HOUR, 0));
	assert_true(plan_window_open(&night, NOON + 18 * HOUR - 1, 0));
	assert_false(plan_window_open(&night, NOON + 18 * HOUR, 0));
	assert_true(plan_window_open(&day, NOON, 0));
	assert_int_equal(plan_window_opens_ms(&day, NOON, 0), NOON);
	assert_false(plan_window_open(&day, NOON, 5 * 3600));
	assert_int_equal(plan_window_opens_ms(&day, NOON, 5 * 3600), NOON + 16 * HOUR);
	assert_false(plan_window_open(&day, NOON, -4 * 3600));
	assert_true(plan_window_open(&none, NOON, 0));
	/* Before 1970, and far away. */
	assert_int_equal(plan_window_opens_ms(&day, -1, 0), 9 * HOUR);
}

static void in_spring_a_window_is_where_the_clock_says(void **state)
{
	const struct rollout_spec night = window(22 * 60, 6 * 60), gone = window(2 * 60 + 15, 2 * 60 + 45);
	int64_t next_ms, now_ms = AT(march_29, 0, 0);
	int64_t minutes = 0;

	(void)state;
	for (int64_t ms = march_29 - 12 * HOUR; ms < march_29 + 12 * HOUR; ms += MINUTE)
		minutes += open_at(&night, ms);
	assert_int_equal(minutes, 7 * 60); /* an hour of it isn't there */
	assert_true(open_at(&night, AT(march_29, 3, 59)));
	assert_false(open_at(&night, AT(march_29, 4, 0)));
	/* One that lies within the hour that isn't there opens the day after. */
	for (int64_t ms = march_29; ms < march_29 + 23 * HOUR; ms += MINUTE)
		assert_false(open_at(&gone, ms));
	for (next_ms = now_ms; !open_at(&gone, now_ms); now_ms = next_ms) {
		next_ms = plan_window_opens_ms(&gone, now_ms, berlin(now_ms));
		assert_true(next_ms > now_ms);
		assert_true(next_ms < march_29 + 2 * DAY);
	}
	assert_int_equal(now_ms, AT(march_29 + DAY, 0, 15));
}

static void in_autumn_a_window_is_where_the_clock_says(void **state)
{
	const struct rollout_spec night = window(22 * 60, 6 * 60), twice = window(2 * 60 + 15, 2 * 60 + 45);
	int64_t minutes = 0;

	(void)state;
	for (int64_t ms = october_25 - 12 * HOUR; ms < october_25 + 12 * HOUR; ms += MINUTE)
		minutes += open_at(&night, ms);
	assert_int_equal(minutes, 9 * 60);
	assert_true(open_at(&night, AT(october_25, 4, 59)));
	assert_false(open_at(&night, AT(october_25, 5, 0)));
	minutes = 0;
	for (int64_t ms = october_25; ms < october_25 + 12 * HOUR; ms += MINUTE)
		minutes += open_at(&twice, ms);
	assert_int_equal(minutes, 60);
}

static void each_machine_is_told_in_its_own_window(void **state)
{
	struct sim *s = sim_new(10);

	(void)state;
	s->r.spec.waves_count = 1;
	s->r.spec.waves[0] = (struct rollout_wave_size){100, true};
	s->r.spec.has_window = true;
	s->r.spec.window_from_min = 22 * 60;
	s->r.spec.window_to_min = 6 * 60;
	s->machines[1].utc_offset_s = 11 * 3600;
	sim_step(s);
	assert_int_equal(sim_told(s), 1);
	assert_int_equal(sim_device(s, 0)->step, ROLLOUT_STEP_WAITING);
	assert_int_equal(sim_device(s, 0)->deadline_ms, NOON + 10 * HOUR);
	assert_string_equal(sim_device(s, 0)->detail, "waits for its window");
	s->machines[2].online = false;
	sim_run(s, 10 * HOUR, 10 * MINUTE);
	assert_int_equal(sim_told(s), 9);
	assert_int_equal(sim_device(s, 2)->step, ROLLOUT_STEP_ABSENT);
	/* Back while it is closed: not before it opens. */
	s->now_ms = NOON + 19 * HOUR;
	s->machines[2].online = true;
	sim_step(s);
	assert_int_equal(sim_device(s, 2)->step, ROLLOUT_STEP_ABSENT);
	assert_int_equal(s->due_ms, NOON + 34 * HOUR);
	s->now_ms = NOON + 34 * HOUR;
	sim_step(s);
	assert_int_equal(s->machines[2].offers, 1);
	sim_free(s);
}

/* ---- what may be asked for ---- */

static void expect_refused(struct rollout_spec spec, const char *why)
{
	struct gf_diag diag = {""};

	assert_int_equal(plan_check(&spec, &diag), -EINVAL);
	if (!strstr(diag.text, why))
		fail_msg("'%s' lacks '%s'", diag.text, why);
}

static void a_bad_spec_is_refused_with_a_sentence(void **state)
{
	struct sim *s = sim_new(1);
	const struct rollout_spec good = s->r.spec;
	struct rollout_spec bad = good;

	(void)state;
	bad.waves_count = 0;
	expect_refused(bad, "1 to 16 waves");
	bad = good;
	bad.waves[0].value = 0;
	expect_refused(bad, "wave 1: 0 machines");
	bad = good;
	bad.waves[1].value = 101;
	expect_refused(bad, "wave 2: 101%");
	bad = good;
	bad.waves[0] = (struct rollout_wave_size){20, true};
	expect_refused(bad, "wave 2: 10% is less");
	bad = good;
	bad.waves_count = 2;
	expect_refused(bad, "last wave must be 100%");
	bad = good;
	bad.soak_ms = -1;
	expect_refused(bad, "soak");
	bad = good;
	bad.deadline_ms = 0;
	expect_refused(bad, "deadline");
	bad = good;
	bad.max_failures_ppm = 1000001;
	expect_refused(bad, "100 %");
	bad = good;
	bad.has_window = true;
	expect_refused(bad, "window");
	bad = good;
	bad.gates_count = 1;
	bad.gates[0] = (struct rollout_gate){ROLLOUT_GATE_FAULTS, NAN, true};
	expect_refused(bad, "gate 1");
	bad = good;
	bad.catalog[0] = '\0';
	expect_refused(bad, "NAME@VERSION");
	sim_free(s);
}

static void every_name_is_known(void **state)
{
	(void)state;
	assert_string_equal(rollout_state_name(ROLLOUT_ROLLED_BACK), "rolled_back");
	assert_string_equal(rollout_state_name(ROLLOUT_STATE_COUNT), "unknown");
	assert_string_equal(rollout_step_name(ROLLOUT_STEP_STUCK), "stuck");
	assert_string_equal(rollout_phase_name(ROLLOUT_PHASE_SOAKING), "soaking");
	assert_string_equal(rollout_gate_name(ROLLOUT_GATE_USER_STOPS), "user_stops_per_100");
	assert_string_equal(rollout_order_name(ROLLOUT_ORDER_ROLLBACK), "rollback");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_gate_says_its_numbers),
	    cmocka_unit_test(as_many_faults_everywhere_are_no_reason),
	    cmocka_unit_test(without_use_there_is_nothing_to_judge),
	    cmocka_unit_test(an_absolute_limit_needs_nobody_else),
	    cmocka_unit_test(big_numbers_stay_numbers),
	    cmocka_unit_test(chance_alone_halts_seldom),
	    cmocka_unit_test(three_times_the_faults_in_the_canaries_halt),
	    cmocka_unit_test(the_same_faults_everywhere_go_on),
	    cmocka_unit_test(one_halted_by_its_gate_may_be_resumed),
	    cmocka_unit_test(a_window_may_go_over_midnight),
	    cmocka_unit_test(in_spring_a_window_is_where_the_clock_says),
	    cmocka_unit_test(in_autumn_a_window_is_where_the_clock_says),
	    cmocka_unit_test(each_machine_is_told_in_its_own_window),
	    cmocka_unit_test(a_bad_spec_is_refused_with_a_sentence),
	    cmocka_unit_test(every_name_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
