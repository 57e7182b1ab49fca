/* What people want of the machine, and what it lets them have. */
#include "agent/control/control_impl.h"

/* The routine of this request, if this machine plays it at all. */
static const struct gf_routine *requested(const struct control *c, uint16_t request)
{
	const struct gf_catalog *catalog = c->config.catalog;
	if (request == 0 || catalog == NULL || request > catalog->routines_count)
		return NULL;
	const struct gf_routine *routine = &catalog->routines[request - 1];
	return routine->steps_count > 0 && (routine->classes & (1U << c->config.class)) != 0 ? routine : NULL;
}

static bool forbidden(const struct control *c, const struct fault_view *view, const struct gf_routine *routine)
{
	const struct driver_panel *levels = &view->input->panel;
	return (routine->staff_unlock && !panel_staff_here(&c->panel)) || levels->stop || c->limits.locked ||
	       faults_off_now(&c->faults, view);
}

static void start_session(struct control *c, const struct gf_routine *routine, uint64_t subject_token, int64_t mono_ms,
                          struct sink *sink)
{
	session_begin(&c->session, c->odometer.sessions + 1, c->config.catalog, routine, subject_token, c->holder.token,
	              mono_ms);
	sitting_begin(&c->sitting, subject_token);
	guard_begin(&c->guard, panel_staff_here(&c->panel));
	player_start(&c->player, routine);
	c->refusal_told = false;
	struct control_event *event = control_emit(sink, CONTROL_EVENT_SESSION_STARTED, mono_ms);
	event->started_mono_ms = mono_ms;
	event->session_started = c->session.start;
	control_emit_progress(c, mono_ms, sink);
}

enum { REFUSAL_TOLD_MS = 10 * 60 * 1000 };

/* Told, but not at each press of somebody who doesn't give up. */
static bool worth_telling(struct control *c, int64_t mono_ms)
{
	if (c->refusal_told && mono_ms - c->refusal_ms < REFUSAL_TOLD_MS)
		return false;
	c->refusal_told = true;
	c->refusal_ms = mono_ms;
	return true;
}

static void refuse(struct control *c, const struct gf_limit_hit *hit, int64_t mono_ms, struct sink *sink)
{
	if (!worth_telling(c, mono_ms))
		return;
	if (c->duty.resting)
		control_emit_duty(c, mono_ms, "refuse", sink);
	else
		control_emit_limit(c, mono_ms, hit, sink);
}

static void take_request(struct control *c, const struct fault_view *view, uint16_t request, int64_t mono_ms,
                         struct sink *sink)
{
	const struct gf_routine *routine = requested(c, request);
	if (routine == NULL || c->player.state != PLAYER_IDLE || forbidden(c, view, routine))
		return;
	struct sitting person = c->sitting;
	struct gf_limit_hit hit = {0};
	const uint64_t subject_token = holder_subject(&c->holder, view->input->panel.subject_token);
	sitting_begin(&person, subject_token);
	if (c->duty.resting || guard_refuses(&person, routine, &hit))
		refuse(c, &hit, mono_ms, sink);
	else
		start_session(c, routine, subject_token, mono_ms, sink);
}

static void press_pain(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct gf_limit_hit hit;
	const bool stop = guard_pain(&c->guard, &c->sitting, c->output.intensity_pct, player_step(&c->player), &hit);
	control_emit_limit(c, mono_ms, &hit, sink);
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

/* Not while somebody is being massaged: what is latched or closed stays so for them. */
static void staff_clears(struct control *c, int64_t mono_ms, struct sink *sink)
{
	struct memory_closed opened;
	(void)faults_staff(&c->faults);
	while (sitting_open(&c->sitting, &opened)) {
		struct gf_limit_hit hit = guard_hit("P8", "open", NULL, 0, 0);
		hit.area = opened.area;
		hit.side = opened.side;
		control_emit_limit(c, mono_ms, &hit, sink);
	}
	c->clear_fault = true;
}

void control_take_presses(struct control *c, const struct fault_view *view, const struct panel_presses *pressed,
                          int64_t mono_ms, struct sink *sink)
{
	if (!player_active(&c->player)) {
		if (pressed->staff_turned && c->config.hand_held)
			holder_turn(&c->holder, view->input->panel.subject_token);
		if (pressed->staff_clear)
			staff_clears(c, mono_ms, sink);
		take_request(c, view, pressed->routine, mono_ms, sink);
		return;
	}
	if (pressed->pain)
		press_pain(c, mono_ms, sink);
	if (pressed->stop)
		player_stop(&c->player, view->input->panel.staff_key ? GF_OUTCOME_STAFF_STOPPED : GF_OUTCOME_USER_STOPPED);
	if (pressed->pause)
		press_pause(c);
	guard_offset(&c->guard, pressed->intensity);
}
