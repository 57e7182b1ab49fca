/* What a step tells, and what goes with each event to be remembered. */
#include "agent/control/control_impl.h"

/*
 * Of a step. At rest: a session's end, a new catalog, each closed area opened by staff, the next session's start and first checkpoint, P1's skip and
 * warning, P6 or P7, a heartbeat. In a session there are fewer: D1, P8, the longest session, P1 twice, P6, checkpoint, heartbeat.
 */
enum {
	EVENTS_FOR_FAULTS = 8,
	EVENTS_AT_REST = 1 + 1 + MEMORY_CLOSED_MAX + 2 + 2 + 1 + 1,
};
_Static_assert(EVENTS_AT_REST + (int)EVENTS_FOR_FAULTS <= (int)CONTROL_EVENTS_PER_STEP_MAX, "a step's events fit");

struct control_event *control_emit(struct sink *sink, enum control_event_kind kind, int64_t mono_ms)
{
	struct control_event *event = &sink->events[sink->count++];
	*event = (struct control_event){.kind = kind, .mono_ms = mono_ms};
	return event;
}

void control_emit_limit(const struct control *c, int64_t mono_ms, const struct gf_limit_hit *hit, struct sink *sink)
{
	const bool in_session = c->player.state != PLAYER_IDLE;
	struct control_event *event = control_emit(sink, CONTROL_EVENT_LIMIT_HIT, mono_ms);
	event->started_mono_ms = in_session ? c->session.started_mono_ms : 0;
	event->limit_hit = *hit;
	event->limit_hit.session_no = in_session ? c->session.start.session_no : 0;
}

void control_emit_catalog(const struct control *c, int64_t mono_ms, struct sink *sink)
{
	control_emit(sink, CONTROL_EVENT_CATALOG, mono_ms)->catalog = c->config.catalog;
}

void control_emit_duty(const struct control *c, int64_t mono_ms, const char *action, struct sink *sink)
{
	const struct control_envelope *e = &c->envelope;
	const bool warns = !c->duty.resting;
	struct gf_limit_hit hit = guard_hit("D1", action, NULL, (float)(c->duty.used_ms / 1000.0),
	                                    (float)(warns ? e->duty_warn_ms : e->duty_max_ms) / 1000.0F);
	hit.lasts_ms = duty_rest_left_ms(&c->duty, e);
	control_emit_limit(c, mono_ms, &hit, sink);
}

void control_emit_progress(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct control_event *event = control_emit(sink, CONTROL_EVENT_SESSION_PROGRESS, mono_ms);
	event->started_mono_ms = c->session.started_mono_ms;
	session_report(&c->session, &c->player, c->guard.pain_presses, GF_OUTCOME_INTERRUPTED, meter_open(&c->meter),
	               &c->odometer, mono_ms, &event->session_ended);
	c->session.checkpoint_mono_ms = mono_ms;
}

void control_close_session(struct control *c, struct sink *sink)
{
	struct control_event *event = control_emit(sink, CONTROL_EVENT_SESSION_ENDED, c->session.ended_mono_ms);
	event->started_mono_ms = c->session.started_mono_ms;
	session_report(&c->session, &c->player, c->guard.pain_presses, c->player.outcome, meter_take(&c->meter),
	               &c->odometer, c->session.ended_mono_ms, &event->session_ended);
	c->odometer = event->session_ended.odometer;
	player_reset(&c->player);
}

void control_emit_faults(struct control *c, int64_t mono_ms, struct sink *sink)
{
	const uint64_t session_no = c->player.state == PLAYER_IDLE ? 0 : c->session.start.session_no;
	struct control_event event;
	for (int i = 0; i < EVENTS_FOR_FAULTS && faults_tell(&c->faults, mono_ms, session_no, &event); i++)
		sink->events[sink->count++] = event;
}

void control_emit_telemetry(struct control *c, int64_t mono_ms, struct sink *sink)
{
	if (mono_ms < c->telemetry_due_ms)
		return;
	struct control_event *event = control_emit(sink, CONTROL_EVENT_TELEMETRY, mono_ms);
	struct gf_heartbeat *beat = &event->heartbeat;
	const int64_t motor_ms = c->meter.total_ms - c->telemetry_motor_ms;

	telemetry_take(&c->telemetry, beat->sensors);
	beat->interval_ms = (uint32_t)(mono_ms - c->telemetry_last_ms);
	beat->motor_ms = motor_ms > 0 ? (uint32_t)motor_ms : 0;
	beat->in_session = c->player.state != PLAYER_IDLE;
	beat->derated = faults_derating(&c->faults);
	beat->odometer = c->odometer;
	beat->duty_ms = (uint32_t)c->duty.used_ms;
	beat->duty_max_ms = c->envelope.duty_max_ms;
	beat->rest_left_ms = duty_rest_left_ms(&c->duty, &c->envelope);
	c->telemetry_motor_ms = c->meter.total_ms;
	c->telemetry_last_ms = mono_ms;
	/* In step with the start; beats that a long step swallowed are not made up for. */
	c->telemetry_due_ms += ((mono_ms - c->telemetry_due_ms) / c->config.heartbeat_ms + 1) * c->config.heartbeat_ms;
}

void control_stamp_memory(const struct control *c, struct sink *sink)
{
	if (sink->count == 0)
		return;
	struct control_memory memory = {.resting = c->duty.resting, .duty_ms = (uint32_t)c->duty.used_ms};
	faults_remember(&c->faults, &memory);
	sitting_remember(&c->sitting, &memory);
	holder_remember(&c->holder, &memory);
	for (size_t i = 0; i < sink->count; i++)
		sink->events[i].memory = memory;
}

void control_recall(struct control *c, const struct control_memory *memory, uint32_t off_ms, uint64_t next_fault_no,
                    int64_t mono_ms)
{
	duty_recall(&c->duty, &c->envelope, memory);
	(void)duty_elapsed(&c->duty, &c->envelope, false, off_ms);
	faults_init(&c->faults, next_fault_no, memory, mono_ms);
	faults_away(&c->faults, off_ms);
	sitting_recall(&c->sitting, memory);
	sitting_away(&c->sitting, off_ms);
	if (c->config.hand_held)
		holder_recall(&c->holder, memory);
	holder_elapsed(&c->holder, false, off_ms);
}
