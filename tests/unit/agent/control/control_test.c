#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/clamp.h"
#include "agent/control/guard.h"
#include "agent/control/panel.h"
#include "tests/unit/agent/control/rig.h"

static struct rig rig;

static void assert_outcome(enum gf_outcome outcome)
{
	assert_string_equal(gf_outcome_name(rig_ended(&rig)->outcome), gf_outcome_name(outcome));
	assert_false(control_in_session(rig.control));
	assert_int_equal(rig.output.command, DRIVER_IDLE);
}

static void plays_a_whole_session(enum gf_class class, uint32_t tick_ms)
{
	rig_open(&rig, class, tick_ms);
	rig_start(&rig, RIG_PLAIN);
	assert_true(control_in_session(rig.control));
	assert_int_equal(rig.output.command, DRIVER_START);
	rig_run(&rig, RIG_PLAIN_S * 1000 + 2 * tick_ms);
	assert_outcome(GF_OUTCOME_COMPLETED);

	const struct gf_session_ended *e = rig_ended(&rig);
	assert_int_equal(e->start.session_no, 5);
	assert_string_equal(e->start.routine, "plain");
	assert_string_equal(e->start.catalog, "test");
	assert_int_equal(e->start.catalog_version, 7);
	assert_int_equal(e->start.planned_s, RIG_PLAIN_S);
	assert_int_equal(e->duration_ms, RIG_PLAIN_S * 1000);
	assert_int_equal(e->paused_ms, 0);
	assert_int_equal(e->motor_ms, RIG_PLAIN_MOTOR_S * 1000);
	assert_int_equal(e->odometer.sessions, 5);
	assert_int_equal(e->odometer.motor_ms, 90000 + e->motor_ms);
	assert_int_equal(e->areas_count, 2);
	assert_int_equal(e->areas[0].side, GF_SIDE_LEFT);
	assert_int_equal(e->areas[0].ms + e->areas[1].ms, e->motor_ms);
	assert_true(e->areas[0].max_intensity_pct <= 45.01F && e->areas[0].mean_intensity_pct > 30);
	assert_true(e->peak_current_ma >= 800 && isnan(e->peak_pressure_mmhg) == !rig.has_pressure);
	assert_null(rig_event(&rig, CONTROL_EVENT_LIMIT_HIT, 0));
	rig_close(&rig);
}

static void every_class_plays_a_whole_session(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		plays_a_whole_session((enum gf_class) class, 20);
		plays_a_whole_session((enum gf_class) class, 1000);
	}
}

static void says_when_it_started_and_checkpoints(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig.input.panel.subject_token = 77;
	rig_start(&rig, RIG_PLAIN);
	const int64_t started = rig.now_ms;
	const struct control_event *start = rig_event(&rig, CONTROL_EVENT_SESSION_STARTED, 0);
	assert_int_equal(start->mono_ms, started);
	assert_int_equal(start->session_started.session_no, 5);
	assert_int_equal(start->session_started.subject_token, 77);
	rig_run(&rig, 20000);
	/* At once after the start, then every 5 s. */
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_SESSION_PROGRESS), 5);
	const struct control_event *progress = rig_event(&rig, CONTROL_EVENT_SESSION_PROGRESS, 3);
	assert_int_equal(progress->started_mono_ms, started);
	assert_int_equal(progress->started_mono_ms, rig_event(&rig, CONTROL_EVENT_SESSION_STARTED, 0)->mono_ms);
	assert_int_equal(progress->session_ended.outcome, GF_OUTCOME_INTERRUPTED);
	assert_int_equal(progress->session_ended.motor_ms, 15000);
	assert_int_equal(progress->session_ended.odometer.motor_ms, 105000);
	rig_close(&rig);
}

static void heartbeats_come_at_once_and_then_regularly(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_TELEMETRY), 1);
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 35;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 30000);
	rig.input.sensors[GF_SENSOR_MOTOR_TEMP_C] = 20;
	rig_run(&rig, 30000);
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_TELEMETRY), 2);
	const struct gf_heartbeat *beat = &rig_event(&rig, CONTROL_EVENT_TELEMETRY, 1)->heartbeat;
	const struct gf_stat *temp = &beat->sensors[GF_SENSOR_MOTOR_TEMP_C];
	assert_int_equal(beat->interval_ms, 59980);
	assert_int_equal(beat->motor_ms, 59980 - 15000 - 40);
	assert_true(beat->in_session && !beat->derated);
	assert_int_equal(beat->odometer.sessions, 4);
	assert_true(temp->present && temp->min == 20 && temp->max == 35 && temp->last == 20);
	assert_true(temp->mean > 27.4F && temp->mean < 27.6F);
	assert_false(beat->sensors[GF_SENSOR_PRESSURE_MMHG].present);
	rig_close(&rig);
}

static void the_stop_button_tells_who_stopped(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 10000);
	rig_press(&rig, &rig.input.panel.stop);
	assert_outcome(GF_OUTCOME_USER_STOPPED);

	rig_start(&rig, RIG_PLAIN);
	rig.input.panel.staff_key = true;
	rig_press(&rig, &rig.input.panel.stop);
	assert_outcome(GF_OUTCOME_STAFF_STOPPED);
	assert_int_equal(rig_ended(&rig)->start.session_no, 6);
	rig_close(&rig);
}

static void a_pause_loses_no_time(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_PERCUSSION, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 10000);
	for (int i = 0; i < 7; i++) {
		rig_press(&rig, &rig.input.panel.pause);
		assert_int_equal(rig.output.command, DRIVER_PAUSE);
		rig_run(&rig, 980);
		rig_press(&rig, &rig.input.panel.pause);
		assert_int_equal(rig.output.command, DRIVER_START);
		rig_run(&rig, 340);
	}
	rig_run(&rig, RIG_PLAIN_S * 1000);
	assert_outcome(GF_OUTCOME_COMPLETED);
	const struct gf_session_ended *e = rig_ended(&rig);
	assert_int_equal(e->paused_ms, 7 * (980 + 20 + PANEL_RELEASE_MS + 20));
	assert_int_equal(e->duration_ms, RIG_PLAIN_S * 1000 + e->paused_ms);
	assert_int_equal(e->motor_ms, RIG_PLAIN_MOTOR_S * 1000);
	assert_int_equal(e->areas[0].ms + e->areas[1].ms, e->motor_ms);
	rig_close(&rig);
}

static void a_forgotten_pause_ends_the_session(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 1000);
	rig_start(&rig, RIG_PLAIN);
	rig_press(&rig, &rig.input.panel.pause);
	rig_run(&rig, 299000);
	assert_true(control_in_session(rig.control));
	rig_run(&rig, 3000);
	assert_outcome(GF_OUTCOME_USER_STOPPED);
	rig_close(&rig);
}

static void pauses_together_end_the_session_too(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 1000);
	rig_start(&rig, RIG_PLAIN);
	for (int i = 0; i < 4 && control_in_session(rig.control); i++) {
		rig_press(&rig, &rig.input.panel.pause);
		rig_run(&rig, 290000);
		rig_press(&rig, &rig.input.panel.pause);
	}
	assert_outcome(GF_OUTCOME_USER_STOPPED);
	assert_true(rig_ended(&rig)->paused_ms >= GUARD_PAUSES_MAX_MS);
	rig_close(&rig);
}

static void pain_caps_and_a_second_press_stops(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 25000);
	assert_true(rig.output.intensity_pct > 39);
	rig_press(&rig, &rig.input.panel.pain);
	assert_true(rig.output.intensity_pct <= GUARD_PAIN_CAP_PCT);
	const struct gf_limit_hit *hit = &rig_event(&rig, CONTROL_EVENT_LIMIT_HIT, 0)->limit_hit;
	assert_string_equal(hit->rule, "P8");
	assert_string_equal(hit->action, "clamp");
	assert_int_equal(hit->area, GF_AREA_CALVES);
	assert_int_equal(hit->session_no, 5);
	rig_run(&rig, 60000);
	assert_true(rig.output.intensity_pct <= GUARD_PAIN_CAP_PCT);
	rig_press(&rig, &rig.input.panel.pain);
	assert_outcome(GF_OUTCOME_SAFETY_STOPPED);
	assert_int_equal(rig_ended(&rig)->pain_presses, 2);
	assert_string_equal(rig_event(&rig, CONTROL_EVENT_LIMIT_HIT, 1)->limit_hit.action, "stop");
	rig_close(&rig);
}

static void intensity_buttons_are_bounded_and_ramped(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 16000);
	const float before = rig.output.intensity_pct;
	for (int i = 0; i < 10; i++)
		rig_press(&rig, &rig.input.panel.intensity_up);
	assert_true(rig.output.intensity_pct <= before + 1.5F);
	rig_run(&rig, 4000);
	assert_true(rig.output.intensity_pct > before + 4.9F && rig.output.intensity_pct < before + 6);
	for (int i = 0; i < 40; i++)
		rig_press(&rig, &rig.input.panel.intensity_down);
	assert_true(rig.output.intensity_pct >= 40 - GUARD_OFFSET_MAX_PCT && rig.output.intensity_pct < before);
	rig_close(&rig);
}

static void a_steep_routine_is_clamped_and_recorded_once(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_STEEP);
	assert_true(rig.output.intensity_pct <= 30);
	rig_run(&rig, 10000);
	assert_true(rig.output.intensity_pct < 40.1F && rig.output.intensity_pct > 39.5F);
	rig_run(&rig, 112000);
	assert_outcome(GF_OUTCOME_COMPLETED);
	/* Too strong a start, too much for a first half minute, and nobody declared to be fit for it. */
	assert_int_equal(rig_count(&rig, CONTROL_EVENT_LIMIT_HIT), 3);
	static const struct {
		const char *rule;
		float limit;
	} hits[] = {{"P6", 30}, {"P6", GUARD_FRESH_CAP_PCT}, {"P7", GUARD_UNDECLARED_CAP_PCT}};
	for (size_t i = 0; i < 3; i++) {
		const struct gf_limit_hit *hit = &rig_event(&rig, CONTROL_EVENT_LIMIT_HIT, i)->limit_hit;
		assert_string_equal(hit->rule, hits[i].rule);
		assert_true(hit->observed == 70 && hit->limit == hits[i].limit);
	}
	rig_close(&rig);
}

static void staff_routines_need_the_key(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_STAFF);
	assert_false(control_in_session(rig.control));
	rig_tick(&rig);
	rig.input.panel.staff_key = true;
	rig_start(&rig, RIG_STAFF);
	assert_true(control_in_session(rig.control));
	rig_close(&rig);
}

static void refuses_what_it_cannot_play(void **state)
{
	(void)state;
	struct control_config config = {.class = GF_CLASS_CHAIR};
	const struct control_resume resume = {0};

	control_envelope_defaults(GF_CLASS_CHAIR, &config.envelope);
	rig.tick_ms = 20;
	rig_open_with(&rig, &config, &resume);
	rig_start(&rig, RIG_PLAIN);
	assert_false(control_in_session(rig.control));
	rig_close(&rig);

	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_ROUTINES + 1);
	assert_false(control_in_session(rig.control));
	rig_close(&rig);

	struct control *control = NULL;
	config.class = GF_CLASS_COUNT;
	assert_true(control_new(&config, &resume, 0, &control) < 0);
	assert_null(control);
	control_free(NULL);
}

static void a_held_request_never_starts_by_itself(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig.input.estop = true;
	rig_run(&rig, 100);
	rig.input.panel.routine = RIG_PLAIN;
	rig_run(&rig, 100);
	rig.input.estop = false;
	rig_run(&rig, 5000);
	assert_false(control_in_session(rig.control));
	rig_close(&rig);
}

static void the_machine_s_longest_session_is_kept(void **state)
{
	(void)state;
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	const struct control_resume resume = {0};

	control_envelope_defaults(GF_CLASS_CHAIR, &config.envelope);
	config.envelope.session_max_ms = 60000;
	rig.tick_ms = 20;
	rig_open_with(&rig, &config, &resume);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 60040);
	assert_outcome(GF_OUTCOME_SAFETY_STOPPED);
	assert_string_equal(rig_event(&rig, CONTROL_EVENT_LIMIT_HIT, 0)->limit_hit.rule, "D1");
	rig_close(&rig);
}

static void a_gap_in_time_ends_the_session(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 10000);
	rig.tick_ms = 2500;
	rig_tick(&rig);
	assert_int_equal(rig.output.command, DRIVER_STOP);
	rig.tick_ms = 20;
	rig_tick(&rig);
	assert_outcome(GF_OUTCOME_SAFETY_STOPPED);
	/* The meter ran through the gap, and the session has all of it. */
	assert_int_equal(rig_ended(&rig)->motor_ms, 12500);
	rig_close(&rig);
}

static void shutdown_ends_a_session_with_its_last_milliseconds(void **state)
{
	(void)state;
	struct driver_output output;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 10000);
	rig.count +=
	    control_shutdown(rig.control, rig.now_ms + 13, GF_OUTCOME_INTERRUPTED, &output, &rig.events[rig.count]);
	assert_int_equal(output.command, DRIVER_STOP);
	assert_true(output.intensity_pct == 0);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_INTERRUPTED);
	assert_int_equal(rig_ended(&rig)->motor_ms, 10013);
	assert_int_equal(control_shutdown(rig.control, rig.now_ms + 20, GF_OUTCOME_INTERRUPTED, &output, rig.events), 0);
	rig_close(&rig);
}

static void without_a_meter_the_ticks_count(void **state)
{
	(void)state;
	rig_open(&rig, GF_CLASS_CHAIR, 20);
	rig_close(&rig);
	const struct control_resume resume = {0};
	struct control_config config = {.class = GF_CLASS_CHAIR, .catalog = rig_catalog(GF_CLASS_CHAIR)};
	control_envelope_defaults(GF_CLASS_CHAIR, &config.envelope);
	rig_open_with(&rig, &config, &resume);
	rig.input.has_meter = false;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, RIG_PLAIN_S * 1000 + 40);
	assert_outcome(GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_ended(&rig)->motor_ms, RIG_PLAIN_MOTOR_S * 1000);
	assert_int_equal(rig_ended(&rig)->odometer.cycles, RIG_PLAIN_MOTOR_S);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_class_plays_a_whole_session),
	    cmocka_unit_test(says_when_it_started_and_checkpoints),
	    cmocka_unit_test(heartbeats_come_at_once_and_then_regularly),
	    cmocka_unit_test(the_stop_button_tells_who_stopped),
	    cmocka_unit_test(a_pause_loses_no_time),
	    cmocka_unit_test(a_forgotten_pause_ends_the_session),
	    cmocka_unit_test(pauses_together_end_the_session_too),
	    cmocka_unit_test(pain_caps_and_a_second_press_stops),
	    cmocka_unit_test(intensity_buttons_are_bounded_and_ramped),
	    cmocka_unit_test(a_steep_routine_is_clamped_and_recorded_once),
	    cmocka_unit_test(staff_routines_need_the_key),
	    cmocka_unit_test(refuses_what_it_cannot_play),
	    cmocka_unit_test(a_held_request_never_starts_by_itself),
	    cmocka_unit_test(the_machine_s_longest_session_is_kept),
	    cmocka_unit_test(a_gap_in_time_ends_the_session),
	    cmocka_unit_test(shutdown_ends_a_session_with_its_last_milliseconds),
	    cmocka_unit_test(without_a_meter_the_ticks_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
