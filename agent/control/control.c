/*
 * One tick, in this order:
 *
 *     1. what the hardware did since the last tick is accounted (player, tally, meter)
 *     2. the reading is judged (faults); what is wrong stops or pauses the session
 *     3. buttons, and the limits of time
 *     4. the program's output, lowered by guard and temperatures, off if anything forbids it, clamped by the envelope
 *     5. events
 *
 * Failure modes: no reading pauses at once and becomes a fault after 500 ms; a tick that comes more than 2 s late ends the
 * session, for nobody watched the machine meanwhile; more news than fit into one step wait for the next.
 */
#include "agent/control/control.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "agent/control/clamp.h"
#include "agent/control/faults.h"
#include "agent/control/guard.h"
#include "agent/control/panel.h"
#include "agent/control/session.h"
#include "agent/control/telemetry.h"

enum {
	GAP_MAX_MS = 2000,
	CLOSE_WAIT_MS = 1000,  /* for a reading after a session's end */
	EVENTS_FOR_FAULTS = 8, /* of a step; the other half is for the session */
};

struct control {
	struct control_config config;
	struct player player;
	struct guard guard;
	struct clamp clamp;
	struct faults faults;
	struct panel panel;
	struct meter meter;
	struct session session;
	struct telemetry telemetry;
	struct gf_odometer odometer; /* as of the last ended session */
	struct driver_output output; /* on the hardware since last_ms */
	int64_t last_ms;
	bool stepped, storage_full;
	int64_t telemetry_due_ms, telemetry_last_ms, telemetry_motor_ms;
};

/* The events of one step. */
struct sink {
	struct control_event *events;
	size_t count;
};

static struct control_event *emit(struct sink *sink, enum control_event_kind kind, int64_t mono_ms)
{
	struct control_event *event = &sink->events[sink->count++];
	*event = (struct control_event){.kind = kind, .mono_ms = mono_ms};
	return event;
}

/* --- the class's envelope ---------------------------------------------------------------------------------------- */

#define ENVELOPE_COMMON                                                                           \
	.intensity_max_pct = 80, .start_max_pct = 30, .ramp_max_pct_s = 1, .motor_temp_derate_c = 60, \
	.motor_temp_stop_c = 70, .motor_temp_rearm_c = 50, .surface_temp_derate_c = 41, .surface_temp_stop_c = 43

static const struct control_envelope defaults[] = {
    [GF_CLASS_UNSPECIFIED] = {ENVELOPE_COMMON},
    /* Frequency: Cheatham 2021; 15 min a use: a maker's FAQ. */
    [GF_CLASS_PERCUSSION] = {ENVELOPE_COMMON, .frequency_max_hz = 53, .current_max_ma = 4000, .supply_min_mv = 20000,
                             .session_max_ms = 15 * 60 * 1000},
    [GF_CLASS_ROLLER] = {ENVELOPE_COMMON, .frequency_max_hz = 53, .current_max_ma = 3500, .supply_min_mv = 20000,
                         .session_max_ms = 30 * 60 * 1000},
    /* Pressure: 0 to 100 mmHg is typical, 30 min in the trials. */
    [GF_CLASS_COMPRESSION] = {ENVELOPE_COMMON, .frequency_max_hz = 10, .pressure_max_mmhg = 100, .current_max_ma = 2500,
                              .supply_min_mv = 20000, .session_max_ms = 30 * 60 * 1000},
    [GF_CLASS_CHAIR] = {ENVELOPE_COMMON, .frequency_max_hz = 10, .pressure_max_mmhg = 100, .current_max_ma = 6000,
                        .supply_min_mv = 20000, .session_max_ms = 30 * 60 * 1000},
    /* Water is at most 40 C and a session 15 min. */
    [GF_CLASS_WATER_BED] = {ENVELOPE_COMMON, .frequency_max_hz = 5, .current_max_ma = 5000, .supply_min_mv = 20000,
                            .session_max_ms = 15 * 60 * 1000},
};
_Static_assert(sizeof(defaults) / sizeof(defaults[0]) == GF_CLASS_COUNT, "each class has its envelope");

void control_envelope_defaults(enum gf_class class, struct control_envelope *ret_envelope)
{
	*ret_envelope = defaults[class > 0 && class < GF_CLASS_COUNT ? class : GF_CLASS_UNSPECIFIED];
	if (class == GF_CLASS_WATER_BED) {
		ret_envelope->surface_temp_derate_c = 38;
		ret_envelope->surface_temp_stop_c = 40;
	}
}

/* --- the account ------------------------------------------------------------------------------------------------- */

/* Time since the last step as far as it counts; *ret_gap when it was too long to trust. */
static uint32_t elapsed_since(struct control *c, int64_t mono_ms, bool *ret_gap)
{
	const int64_t elapsed = c->stepped ? mono_ms - c->last_ms : 0;

	c->stepped = true;
	c->last_ms = mono_ms;
	*ret_gap = elapsed > GAP_MAX_MS;
	if (elapsed < 0)
		return 0;
	return elapsed > GAP_MAX_MS ? GAP_MAX_MS : (uint32_t)elapsed;
}

/* What was on the hardware up to now; after a gap the session ends instead of moving on. */
static void account(struct control *c, uint32_t elapsed_ms, bool gap)
{
	meter_elapsed(&c->meter, &c->output, elapsed_ms);
	if (!player_active(&c->player))
		return;
	session_elapsed(&c->session, &c->output, elapsed_ms);
	guard_elapsed(&c->guard, elapsed_ms);
	if (gap)
		player_stop(&c->player, GF_OUTCOME_SAFETY_STOPPED);
	player_elapsed(&c->player, elapsed_ms);
}

/* Values that no such sensor can have are no values. */
static void take_sane(const struct driver_input *input, struct driver_input *ret_sane)
{
	static const struct {
		float min, max;
	} ranges[GF_SENSOR_COUNT] = {
	    [GF_SENSOR_MOTOR_TEMP_C] = {-60, 300},     [GF_SENSOR_SURFACE_TEMP_C] = {-60, 300},
	    [GF_SENSOR_CURRENT_MA] = {-1e6F, 1e6F},    [GF_SENSOR_SPEED_RPM] = {-1e5F, 1e5F},
	    [GF_SENSOR_PRESSURE_MMHG] = {-1e3F, 1e4F}, [GF_SENSOR_SUPPLY_MV] = {-1e6F, 1e6F},
	    [GF_SENSOR_BATTERY_PCT] = {0, 100},
	};
	*ret_sane = *input;
	for (int i = 0; i < GF_SENSOR_COUNT; i++) {
		const float value = input->sensors[i];
		if (!(value >= ranges[i].min && value <= ranges[i].max))
			ret_sane->sensors[i] = NAN;
	}
}

static void take_reading(struct control *c, const struct driver_input *input, uint32_t elapsed_ms)
{
	meter_reading(&c->meter, input);
	telemetry_add(&c->telemetry, input, elapsed_ms);
	if (player_active(&c->player))
		session_peaks(&c->session, input);
}

static uint64_t session_no(const struct control *c)
{
	return c->player.state == PLAYER_IDLE ? 0 : c->session.start.session_no;
}

/* --- a session's events ------------------------------------------------------------------------------------------ */

static void emit_progress(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct control_event *event = emit(sink, CONTROL_EVENT_SESSION_PROGRESS, mono_ms);
	event->started_mono_ms = c->session.started_mono_ms;
	session_report(&c->session, &c->player, c->guard.pain_presses, GF_OUTCOME_INTERRUPTED, meter_open(&c->meter),
	               &c->odometer, mono_ms, &event->session_ended);
	c->session.checkpoint_mono_ms = mono_ms;
}

/* ENDED -> IDLE. */
static void close_session(struct control *c, struct sink *sink)
{
	struct control_event *event = emit(sink, CONTROL_EVENT_SESSION_ENDED, c->session.ended_mono_ms);
	event->started_mono_ms = c->session.started_mono_ms;
	session_report(&c->session, &c->player, c->guard.pain_presses, c->player.outcome, meter_take(&c->meter),
	               &c->odometer, c->session.ended_mono_ms, &event->session_ended);
	c->odometer = event->session_ended.odometer;
	player_reset(&c->player);
}

static void close_if_ended(struct control *c, int64_t mono_ms, bool readable, struct sink *sink)
{
	if (c->player.state == PLAYER_ENDED && (readable || mono_ms - c->session.ended_mono_ms >= CLOSE_WAIT_MS))
		close_session(c, sink);
}

static void emit_limit(const struct control *c, int64_t mono_ms, const struct gf_limit_hit *hit, struct sink *sink)
{
	struct control_event *event = emit(sink, CONTROL_EVENT_LIMIT_HIT, mono_ms);
	event->started_mono_ms = c->session.started_mono_ms;
	event->limit_hit = *hit;
	event->limit_hit.session_no = c->session.start.session_no;
}

/* --- buttons ----------------------------------------------------------------------------------------------------- */

/* The routine that may start now by this request, or NULL. */
static const struct gf_routine *startable(const struct control *c, uint16_t request, bool staff)
{
	const struct gf_catalog *catalog = c->config.catalog;
	if (request == 0 || catalog == NULL || request > catalog->routines_count || c->player.state != PLAYER_IDLE)
		return NULL;
	const struct gf_routine *routine = &catalog->routines[request - 1];
	if (routine->steps_count == 0 || (routine->classes & (1U << c->config.class)) == 0)
		return NULL;
	return routine->staff_unlock && !staff ? NULL : routine;
}

static void start_session(struct control *c, const struct gf_routine *routine, uint64_t token, int64_t mono_ms,
                          struct sink *sink)
{
	session_begin(&c->session, c->odometer.sessions + 1, c->config.catalog, routine, token, mono_ms);
	guard_begin(&c->guard);
	player_start(&c->player, routine);
	struct control_event *event = emit(sink, CONTROL_EVENT_SESSION_STARTED, mono_ms);
	event->started_mono_ms = mono_ms;
	event->session_started = c->session.start;
	emit_progress(c, mono_ms, sink);
}

static void press_pain(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct gf_limit_hit hit;
	const bool stop = guard_pain(&c->guard, c->output.intensity_pct, player_step(&c->player), &hit);
	emit_limit(c, mono_ms, &hit, sink);
	if (stop)
		player_stop(&c->player, GF_OUTCOME_SAFETY_STOPPED);
}

static void press_pause(struct control *c)
{
	if ((c->player.pauses & PLAYER_PAUSE_USER) != 0)
		player_resume(&c->player, PLAYER_PAUSE_USER);
	else
		player_pause(&c->player, PLAYER_PAUSE_USER);
}

static void take_presses(struct control *c, const struct fault_view *view, int64_t mono_ms, struct sink *sink)
{
	const struct driver_panel *levels = &view->input->panel;
	const struct panel_presses pressed = panel_step(&c->panel, levels);

	if (player_active(&c->player)) {
		if (pressed.pain)
			press_pain(c, mono_ms, sink);
		if (pressed.stop)
			player_stop(&c->player, levels->staff_key ? GF_OUTCOME_STAFF_STOPPED : GF_OUTCOME_USER_STOPPED);
		if (pressed.pause)
			press_pause(c);
		guard_offset(&c->guard, pressed.intensity);
		return;
	}
	const struct gf_routine *routine = startable(c, pressed.routine, levels->staff_key);
	if (routine != NULL && !levels->stop && !faults_off_now(&c->faults, view))
		start_session(c, routine, levels->subject_token, mono_ms, sink);
}

/* --- what forbids output ----------------------------------------------------------------------------------------- */

static void take_faults(struct control *c, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms)
{
	faults_step(&c->faults, view, mono_ms, elapsed_ms);
	if (view->input == NULL)
		player_pause(&c->player, PLAYER_PAUSE_COMMS);
	else
		player_resume(&c->player, PLAYER_PAUSE_COMMS);
	if (faults_stopping(&c->faults))
		player_stop(&c->player, GF_OUTCOME_FAULT_STOPPED);
}

static void take_time_limits(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct gf_limit_hit hit;
	enum gf_outcome outcome;
	if (!guard_overdue(&c->config.envelope, &c->player, &outcome, &hit))
		return;
	if (hit.rule[0] != '\0')
		emit_limit(c, mono_ms, &hit, sink);
	player_stop(&c->player, outcome);
}

static void make_output(struct control *c, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms,
                        struct driver_output *ret_output, struct sink *sink)
{
	struct driver_output output;
	struct gf_limit_hit hit;

	player_output(&c->player, &output);
	if (c->player.state == PLAYER_RUNNING) {
		const float wanted_pct = output.intensity_pct;
		if (guard_steep(&c->guard, &c->config.envelope, player_step(&c->player), &hit))
			emit_limit(c, mono_ms, &hit, sink);
		output.intensity_pct = guard_intensity(&c->guard, c->player.routine, wanted_pct, faults_power(view));
		output.pressure_mmhg *= wanted_pct > 0 ? output.intensity_pct / wanted_pct : 0;
	}
	if (output.command == DRIVER_START && faults_off_now(&c->faults, view))
		output.command = DRIVER_PAUSE;
	clamp_apply(&c->clamp, &c->config.envelope, elapsed_ms, &output);
	c->output = output;
	*ret_output = output;
}

/* --- events of every step ---------------------------------------------------------------------------------------- */

static void tell_faults(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct control_event event;
	for (int i = 0; i < EVENTS_FOR_FAULTS && faults_tell(&c->faults, mono_ms, session_no(c), &event); i++)
		sink->events[sink->count++] = event;
}

static void emit_telemetry(struct control *c, int64_t mono_ms, struct sink *sink)
{
	if (mono_ms < c->telemetry_due_ms)
		return;
	struct control_event *event = emit(sink, CONTROL_EVENT_TELEMETRY, mono_ms);
	struct gf_heartbeat *beat = &event->heartbeat;
	const int64_t motor_ms = c->meter.total_ms - c->telemetry_motor_ms;

	telemetry_take(&c->telemetry, beat->sensors);
	beat->interval_ms = (uint32_t)(mono_ms - c->telemetry_last_ms);
	beat->motor_ms = motor_ms > 0 ? (uint32_t)motor_ms : 0;
	beat->in_session = c->player.state != PLAYER_IDLE;
	beat->derated = faults_derating(&c->faults);
	beat->odometer = c->odometer;
	c->telemetry_motor_ms = c->meter.total_ms;
	c->telemetry_last_ms = mono_ms;
	/* In step with the start; beats that a long step swallowed are not made up for. */
	c->telemetry_due_ms += ((mono_ms - c->telemetry_due_ms) / c->config.heartbeat_ms + 1) * c->config.heartbeat_ms;
}

static void emit_due(struct control *c, int64_t mono_ms, struct sink *sink)
{
	if (player_active(&c->player) && mono_ms - c->session.checkpoint_mono_ms >= c->config.checkpoint_ms)
		emit_progress(c, mono_ms, sink);
	emit_telemetry(c, mono_ms, sink);
}

/* --- the interface ----------------------------------------------------------------------------------------------- */

int control_new(const struct control_config *config, const struct control_resume *resume, int64_t mono_ms,
                struct control **ret_control)
{
	if (config->class <= GF_CLASS_UNSPECIFIED || config->class >= GF_CLASS_COUNT)
		return -EINVAL;
	struct control *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->config = *config;
	if (c->config.heartbeat_ms == 0)
		c->config.heartbeat_ms = CONTROL_HEARTBEAT_MS;
	if (c->config.checkpoint_ms == 0)
		c->config.checkpoint_ms = CONTROL_CHECKPOINT_MS;
	c->odometer = resume->odometer;
	c->telemetry_due_ms = c->telemetry_last_ms = mono_ms;
	faults_init(&c->faults, resume->next_fault_no);
	*ret_control = c;
	return 0;
}

void control_set_storage(struct control *control, bool full)
{
	control->storage_full = full;
}

void control_free(struct control *control)
{
	free(control);
}

size_t control_step(struct control *control, int64_t mono_ms, const struct driver_input *input,
                    struct driver_output *ret_output, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct control *c = control;
	struct sink sink = {.events = events};
	struct driver_input sane;
	bool gap;

	if (input != NULL)
		take_sane(input, &sane);
	const struct driver_output before = c->output;
	const struct fault_view view = {&c->config.envelope, input != NULL ? &sane : NULL, &before, c->storage_full};
	const uint32_t elapsed_ms = elapsed_since(c, mono_ms, &gap);
	const bool was_active = player_active(&c->player);

	account(c, elapsed_ms, gap);
	if (view.input != NULL)
		take_reading(c, view.input, elapsed_ms);
	if (!was_active)
		close_if_ended(c, mono_ms, view.input != NULL, &sink);
	take_faults(c, &view, mono_ms, elapsed_ms);
	if (view.input != NULL)
		take_presses(c, &view, mono_ms, &sink);
	take_time_limits(c, mono_ms, &sink);
	make_output(c, &view, mono_ms, elapsed_ms, ret_output, &sink);
	if (was_active && c->player.state == PLAYER_ENDED)
		c->session.ended_mono_ms = mono_ms;
	tell_faults(c, mono_ms, &sink);
	emit_due(c, mono_ms, &sink);
	return sink.count;
}

size_t control_shutdown(struct control *control, int64_t mono_ms, enum gf_outcome outcome,
                        struct driver_output *ret_output,
                        struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct control *c = control;
	struct sink sink = {.events = events};
	bool gap;
	const uint32_t elapsed_ms = elapsed_since(c, mono_ms, &gap);
	const bool was_active = player_active(&c->player);

	account(c, elapsed_ms, gap);
	player_stop(&c->player, outcome);
	if (was_active)
		c->session.ended_mono_ms = mono_ms;
	if (c->player.state == PLAYER_ENDED)
		close_session(c, &sink);
	c->output = (struct driver_output){.command = DRIVER_STOP};
	clamp_apply(&c->clamp, &c->config.envelope, 0, &c->output);
	*ret_output = c->output;
	return sink.count;
}

bool control_in_session(const struct control *control)
{
	return control->player.state != PLAYER_IDLE;
}

bool control_faulted(const struct control *control)
{
	return faults_stopping(&control->faults);
}
