/*
 * One tick, in this order:
 *
 *     1. what the hardware did since the last tick is accounted (player, tally, meter, duty, sitting)
 *     2. the reading is judged (sensors, faults); what is wrong stops or pauses the session
 *     3. a new catalog when nobody is on it, buttons, and the limits of time
 *     4. the program's output, lowered by guard and temperatures, off if anything forbids it, clamped by the envelope
 *     5. events, each with what must be remembered
 *
 * Failure modes: no reading pauses at once and becomes a fault within 500 ms; a tick that comes more than 2 s late ends the
 * session, for nobody watched the machine meanwhile; more news than fit into one step wait for the next.
 */
#include "agent/control/control.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "agent/control/control_impl.h"

#define MONO_MAX_MS (INT64_MAX / 4)
enum {
	GAP_MAX_MS = 2000,
	CLOSE_WAIT_MS = 1000, /* for a reading after a session's end */
};

/* --- the account ------------------------------------------------------------------------------------------------- */

/* Time since the last step: what counts as watched, and what is beyond that. */
struct passed {
	uint32_t ms, unseen_ms;
};

/* A clock that went back or leapt by months: what is kept by its time goes with it, so that durations are of time that was counted. */
static void move_clock(struct control *c, int64_t by_ms)
{
	c->session.started_mono_ms += by_ms;
	c->session.ended_mono_ms += by_ms;
	c->session.checkpoint_mono_ms += by_ms;
	c->telemetry_due_ms += by_ms;
	c->telemetry_last_ms += by_ms;
	c->refusal_ms += by_ms;
	faults_clock_moved(&c->faults, by_ms);
}

/* Far from where sums of times overflow. */
static int64_t bounded(int64_t mono_ms)
{
	return mono_ms < 0 ? 0 : mono_ms > MONO_MAX_MS ? MONO_MAX_MS : mono_ms;
}

static struct passed pass(struct control *c, int64_t mono_ms)
{
	const int64_t since = c->stepped ? mono_ms - c->last_ms : 0;
	const uint32_t all_ms = since < 0 ? 0 : since > UINT32_MAX ? UINT32_MAX : (uint32_t)since;
	const uint32_t ms = all_ms > GAP_MAX_MS ? GAP_MAX_MS : all_ms;

	if (since != all_ms)
		move_clock(c, since - all_ms);
	c->stepped = true;
	c->last_ms = mono_ms;
	return (struct passed){.ms = ms, .unseen_ms = all_ms - ms};
}

static void account_duty(struct control *c, uint32_t elapsed_ms, int64_t mono_ms, struct sink *sink)
{
	switch (duty_elapsed(&c->duty, &c->envelope, output_on(&c->output), elapsed_ms)) {
	case DUTY_WARNS:
		control_emit_duty(c, mono_ms, "warn", sink);
		break;
	case DUTY_ENDS:
		control_emit_duty(c, mono_ms, "stop", sink);
		break;
	case DUTY_NOTHING:
		break;
	}
}

/* Nobody watched: whatever ran was stopped by the hardware's dead man. */
static void account_unseen(struct control *c, uint32_t unseen_ms)
{
	if (unseen_ms == 0)
		return;
	player_stop(&c->player, GF_OUTCOME_SAFETY_STOPPED);
	(void)duty_elapsed(&c->duty, &c->envelope, false, unseen_ms);
	faults_away(&c->faults, unseen_ms);
	sitting_away(&c->sitting, unseen_ms);
	holder_elapsed(&c->holder, false, unseen_ms);
}

/* What was on the hardware up to now; after a gap the session ends instead of moving on. */
static void account(struct control *c, struct passed passed, const struct driver_input *input, int64_t mono_ms,
                    struct sink *sink)
{
	const bool active = player_active(&c->player);

	meter_elapsed(&c->meter, &c->output, passed.ms);
	account_duty(c, passed.ms, mono_ms, sink);
	sitting_elapsed(&c->sitting, &c->output, active, input, passed.ms);
	holder_elapsed(&c->holder, active, passed.ms);
	if (active) {
		session_elapsed(&c->session, &c->output, passed.ms);
		guard_elapsed(&c->guard, &c->player, &c->output, passed.ms);
	}
	account_unseen(c, passed.unseen_ms);
	player_elapsed(&c->player, passed.ms);
	guard_moved(&c->guard, &c->player, &c->output);
}

static void take_reading(struct control *c, const struct driver_input *input, uint32_t elapsed_ms)
{
	meter_reading(&c->meter, input);
	telemetry_add(&c->telemetry, input, elapsed_ms);
	if (player_active(&c->player))
		session_peaks(&c->session, input);
}

static void close_if_ended(struct control *c, int64_t mono_ms, bool readable, struct sink *sink)
{
	if (c->player.state == PLAYER_ENDED && (readable || mono_ms - c->session.ended_mono_ms >= CLOSE_WAIT_MS))
		control_close_session(c, sink);
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

/* Before the buttons: it is for the session that ran when it was said, not for one that starts in this tick. */
static void take_stop(struct control *c)
{
	if (c->stop_as != GF_OUTCOME_UNSPECIFIED)
		player_stop(&c->player, c->stop_as);
	c->stop_as = GF_OUTCOME_UNSPECIFIED;
}

/* Before the buttons: the session that begins in this tick is of the new one. */
static void take_catalog(struct control *c, int64_t mono_ms, struct sink *sink)
{
	if (c->next_catalog == NULL || c->player.state != PLAYER_IDLE)
		return;
	c->config.catalog = c->next_catalog;
	c->next_catalog = NULL;
	control_emit_catalog(c, mono_ms, sink);
}

static void take_time_limits(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct gf_limit_hit hit;
	enum gf_outcome outcome;
	if (c->duty.resting)
		player_stop(&c->player, GF_OUTCOME_SAFETY_STOPPED);
	if (!guard_overdue(&c->envelope, &c->player, &outcome, &hit))
		return;
	if (hit.rule[0] != '\0')
		control_emit_limit(c, mono_ms, &hit, sink);
	player_stop(&c->player, outcome);
}

/* Steps that nobody may have now are left out; of several at once the first is told. */
static void take_spot_limits(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct gf_limit_hit hit, first = {0};
	while (c->player.state == PLAYER_RUNNING && guard_skips(&c->guard, &c->sitting, player_step(&c->player), &hit)) {
		if (first.rule[0] == '\0')
			first = hit;
		c->guard.still_ms = 0;
		player_skip(&c->player, GF_OUTCOME_SAFETY_STOPPED);
	}
	if (first.rule[0] != '\0')
		control_emit_limit(c, mono_ms, &first, sink);
	if (c->player.state == PLAYER_RUNNING && guard_warns(&c->sitting, player_step(&c->player), &hit))
		control_emit_limit(c, mono_ms, &hit, sink);
}

/* --- the output -------------------------------------------------------------------------------------------------- */

static void lower(struct control *c, const struct fault_view *view, int64_t mono_ms, struct driver_output *output,
                  struct sink *sink)
{
	const struct gf_step *step = player_step(&c->player);
	const float program_pct = output->intensity_pct, power = faults_power(view);
	const float asked_pct = guard_asked(&c->guard, &c->player, program_pct);
	struct gf_limit_hit hit;

	if (guard_steep(&c->guard, &c->envelope, step, &hit) || guard_capped(&c->guard, &c->sitting, step, asked_pct, &hit))
		control_emit_limit(c, mono_ms, &hit, sink);
	output->intensity_pct = guard_intensity(&c->guard, &c->sitting, &c->player, asked_pct, power);
	output->pressure_mmhg *= program_pct > 0 ? output->intensity_pct / program_pct : 0;
	output->heat_c = power < 1 ? 0 : c->config.heat_c;
}

static void make_output(struct control *c, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms,
                        struct driver_output *ret_output, struct sink *sink)
{
	struct driver_output output;

	player_output(&c->player, &output);
	if (c->player.state == PLAYER_RUNNING)
		lower(c, view, mono_ms, &output, sink);
	if (output.command == DRIVER_START && faults_off_now(&c->faults, view))
		output.command = DRIVER_PAUSE;
	output.clear_fault = c->clear_fault;
	clamp_apply(&c->clamp, &c->envelope, elapsed_ms, &output);
	c->clear_fault = c->clear_fault && !output.clear_fault;
	c->output = output;
	*ret_output = output;
}

static void emit_due(struct control *c, int64_t mono_ms, struct sink *sink)
{
	if (player_active(&c->player) && mono_ms - c->session.checkpoint_mono_ms >= c->config.checkpoint_ms)
		control_emit_progress(c, mono_ms, sink);
	control_emit_telemetry(c, mono_ms, sink);
}

/* --- the interface ----------------------------------------------------------------------------------------------- */

int control_new(const struct control_config *config, const struct control_resume *resume, int64_t mono_ms,
                struct control **ret_control)
{
	if (config->class <= GF_CLASS_UNSPECIFIED || config->class >= GF_CLASS_COUNT || !memory_valid(&resume->memory))
		return -EINVAL;
	struct control *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->config = *config;
	c->envelope = config->envelope;
	if (c->config.heartbeat_ms == 0)
		c->config.heartbeat_ms = CONTROL_HEARTBEAT_MS;
	if (c->config.checkpoint_ms == 0)
		c->config.checkpoint_ms = CONTROL_CHECKPOINT_MS;
	c->odometer = resume->odometer;
	c->telemetry_due_ms = c->telemetry_last_ms = bounded(mono_ms);
	control_recall(c, &resume->memory, resume->off_ms, resume->next_fault_no, bounded(mono_ms));
	*ret_control = c;
	return 0;
}

void control_set_storage(struct control *control, bool full)
{
	control->storage_full = full;
}

void control_set_limits(struct control *control, const struct control_limits *limits)
{
	control->limits = *limits;
	control->envelope = control_envelope_tighten(&control->config.envelope, limits);
}

void control_set_catalog(struct control *control, const struct gf_catalog *catalog)
{
	control->next_catalog = catalog;
}

void control_stop(struct control *control, enum gf_outcome outcome)
{
	control->stop_as = outcome;
}

void control_free(struct control *control)
{
	free(control);
}

/* A late tick is a fault where ticks are real. */
static uint32_t lateness(const struct control *c, struct passed passed)
{
	const uint64_t all_ms = (uint64_t)passed.ms + passed.unseen_ms;
	if (c->config.tick_ms == 0 || all_ms <= c->config.tick_ms)
		return 0;
	return (uint32_t)(all_ms - c->config.tick_ms);
}

size_t control_step(struct control *control, int64_t mono_ms, const struct driver_input *input,
                    struct driver_output *ret_output, struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct control *c = control;
	struct sink sink = {.events = events};
	struct driver_input believed;
	mono_ms = bounded(mono_ms);
	const struct driver_output before = c->output;
	const struct passed passed = pass(c, mono_ms);
	const bool was_active = player_active(&c->player);
	struct panel_presses pressed = {0};

	sensors_unseen(&c->sensors, input == NULL ? passed.ms + passed.unseen_ms : passed.unseen_ms);
	if (input != NULL) {
		sensors_judge(&c->sensors, &c->envelope, input, &before, passed.ms, &believed);
		pressed = panel_step(&c->panel, &input->panel, passed.ms);
		input = &believed;
	}
	const struct fault_view view = {
	    .envelope = &c->config.envelope, /* what the machine bears; what it is told to give is another matter */
	    .input = input,
	    .output = &before,
	    .storage_full = c->storage_full,
	    .sensors = &c->sensors,
	    .stuck = panel_stuck(&c->panel),
	    .late_ms = lateness(c, passed),
	};
	account(c, passed, input, mono_ms, &sink);
	if (input != NULL)
		take_reading(c, input, passed.ms);
	if (!was_active)
		close_if_ended(c, mono_ms, input != NULL, &sink);
	take_faults(c, &view, mono_ms, passed.ms);
	take_stop(c);
	take_catalog(c, mono_ms, &sink);
	if (input != NULL)
		control_take_presses(c, &view, &pressed, mono_ms, &sink);
	take_time_limits(c, mono_ms, &sink);
	take_spot_limits(c, mono_ms, &sink);
	make_output(c, &view, mono_ms, passed.ms, ret_output, &sink);
	if (was_active && c->player.state == PLAYER_ENDED)
		c->session.ended_mono_ms = mono_ms;
	control_emit_faults(c, mono_ms, &sink);
	emit_due(c, mono_ms, &sink);
	control_stamp_memory(c, &sink);
	return sink.count;
}

size_t control_shutdown(struct control *control, int64_t mono_ms, enum gf_outcome outcome,
                        struct driver_output *ret_output,
                        struct control_event events[static CONTROL_EVENTS_PER_STEP_MAX])
{
	struct control *c = control;
	struct sink sink = {.events = events};
	mono_ms = bounded(mono_ms);
	const struct passed passed = pass(c, mono_ms);
	const bool was_active = player_active(&c->player);

	account(c, passed, NULL, mono_ms, &sink);
	player_stop(&c->player, outcome);
	if (was_active)
		c->session.ended_mono_ms = mono_ms;
	if (c->player.state == PLAYER_ENDED)
		control_close_session(c, &sink);
	c->output = (struct driver_output){.command = DRIVER_STOP};
	clamp_apply(&c->clamp, &c->envelope, 0, &c->output);
	*ret_output = c->output;
	control_stamp_memory(c, &sink);
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
