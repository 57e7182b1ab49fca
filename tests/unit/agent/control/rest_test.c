/* D1 under the whole control core: warn, stop, rest, and no way around the rest by a restart. */
#include "agent/control/duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 1000, WARN_MS = 120 * 1000, MAX_MS = 240 * 1000, REST_MS = 600 * 1000 };

static struct rig rig;

static struct control_config short_duty(void)
{
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	control_envelope_defaults(config.class, &config.envelope);
	config.envelope.duty_warn_ms = WARN_MS;
	config.envelope.duty_max_ms = MAX_MS;
	config.envelope.rest_ms = REST_MS;
	return config;
}

static void open_with(const struct control_resume *resume)
{
	const struct control_config config = short_duty();
	rig.tick_ms = TICK_MS;
	rig_open_with(&rig, &config, resume);
}

/* Uses the machine until it has to rest. */
static void wear_out(void)
{
	open_with(&(struct control_resume){.next_fault_no = 1});
	rig.input.has_occupied = true;
	for (int i = 0; i < 10 && rig_hit(&rig, "D1", "stop") == NULL; i++) {
		rig_start(&rig, RIG_PLAIN);
		rig_run(&rig, RIG_PLAIN_S * 1000);
	}
	assert_non_null(rig_hit(&rig, "D1", "stop"));
}

static uint32_t rest_left_ms(void)
{
	const size_t beats = rig_count(&rig, CONTROL_EVENT_TELEMETRY);
	return rig_event(&rig, CONTROL_EVENT_TELEMETRY, beats - 1)->heartbeat.rest_left_ms;
}

static const struct control_memory *last_memory(void)
{
	return &rig.events[rig.count - 1].memory;
}

/* The agent ends here, and another one goes on `off_ms` later. */
static void restart(uint32_t off_ms)
{
	const struct control_resume resume = {.next_fault_no = 1, .memory = *last_memory(), .off_ms = off_ms};
	rig_close(&rig);
	open_with(&resume);
}

static bool plays(void)
{
	rig_start(&rig, RIG_SHORT);
	return control_in_session(rig.control);
}

static void it_warns_then_stops_then_rests(void **state)
{
	(void)state;
	wear_out();
	const struct gf_limit_hit *warned = rig_hit(&rig, "D1", "warn"), *stopped = rig_hit(&rig, "D1", "stop");
	assert_non_null(warned);
	assert_true(warned->limit == WARN_MS / 1000.0F && warned->observed >= warned->limit);
	assert_true(stopped->limit == MAX_MS / 1000.0F && stopped->observed >= stopped->limit);
	assert_int_equal(stopped->lasts_ms, REST_MS);
	assert_true(stopped->session_no > 0);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_SAFETY_STOPPED);
	assert_false(plays());
	const struct gf_limit_hit *refused = rig_hit(&rig, "D1", "refuse");
	assert_non_null(refused);
	assert_true(refused->lasts_ms > 0 && refused->lasts_ms < REST_MS);
	/* Who goes on pressing isn't written down each time. */
	rig_forget(&rig);
	for (int i = 0; i < 20; i++) {
		rig_run(&rig, 5000);
		assert_false(plays());
	}
	assert_null(rig_hit(&rig, "D1", "refuse"));
	rig_run(&rig, REST_MS);
	assert_true(plays());
	rig_close(&rig);
}

static void a_pause_between_two_sessions_counts_as_rest(void **state)
{
	(void)state;
	open_with(&(struct control_resume){.next_fault_no = 1});
	rig.input.has_occupied = true;
	for (int i = 0; i < 6; i++) {
		rig_start(&rig, RIG_PLAIN);
		rig_run(&rig, RIG_PLAIN_S * 1000 + REST_MS * 2 / 3);
		assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_COMPLETED);
	}
	assert_null(rig_hit(&rig, "D1", "stop"));
	rig_close(&rig);
}

static void a_restart_in_a_rest_continues_it(void **state)
{
	(void)state;
	wear_out();
	rig_run(&rig, 120 * 1000);
	const uint32_t before_ms = rest_left_ms();
	assert_true(before_ms > 0 && before_ms < REST_MS);
	restart(0);
	/* The first heartbeat says so at once. */
	assert_true(rest_left_ms() > before_ms - 60 * 1000 && rest_left_ms() <= before_ms);
	assert_false(plays());
	for (int i = 0; i < 5; i++) {
		restart(0);
		assert_false(plays());
	}
	rig_run(&rig, before_ms);
	assert_true(plays());
	rig_close(&rig);
}

static void time_switched_off_is_rest_as_far_as_it_is_known(void **state)
{
	(void)state;
	wear_out();
	restart(REST_MS / 2);
	assert_true(rest_left_ms() <= REST_MS / 2 + 1000);
	assert_false(plays());
	restart(REST_MS / 2 + 1000);
	assert_int_equal(rest_left_ms(), 0);
	assert_true(plays());
	rig_close(&rig);
}

static void what_was_run_before_a_restart_counts_after_it(void **state)
{
	(void)state;
	open_with(&(struct control_resume){.next_fault_no = 1});
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, RIG_PLAIN_S * 1000 + 2000);
	const uint32_t duty_ms = last_memory()->duty_ms;
	assert_true(duty_ms > 100 * 1000);
	restart(0);
	assert_true(rig_event(&rig, CONTROL_EVENT_TELEMETRY, 0)->heartbeat.duty_ms >= duty_ms - 1000);
	rig_close(&rig);
}

static void a_machine_without_the_limit_never_rests(void **state)
{
	(void)state;
	struct duty duty = {0};
	struct control_envelope envelope = {.duty_max_ms = 0};
	for (int i = 0; i < 100; i++)
		assert_int_equal(duty_elapsed(&duty, &envelope, true, 60000), DUTY_NOTHING);
	assert_int_equal(duty_rest_left_ms(&duty, &envelope), 0);
}

static void a_rest_of_no_time_is_over_at_once(void **state)
{
	(void)state;
	struct duty duty = {0};
	const struct control_envelope envelope = {.duty_max_ms = 1000, .rest_ms = 0};
	assert_int_equal(duty_elapsed(&duty, &envelope, true, 5000), DUTY_ENDS);
	assert_int_equal(duty_elapsed(&duty, &envelope, true, 5000), DUTY_NOTHING);
	(void)duty_elapsed(&duty, &envelope, false, 0);
	assert_true(duty.resting);
	(void)duty_elapsed(&duty, &envelope, false, 1);
	assert_false(duty.resting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_warns_then_stops_then_rests),
	    cmocka_unit_test(a_pause_between_two_sessions_counts_as_rest),
	    cmocka_unit_test(a_restart_in_a_rest_continues_it),
	    cmocka_unit_test(time_switched_off_is_rest_as_far_as_it_is_known),
	    cmocka_unit_test(what_was_run_before_a_restart_counts_after_it),
	    cmocka_unit_test(a_machine_without_the_limit_never_rests),
	    cmocka_unit_test(a_rest_of_no_time_is_over_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
