#include "agent/control/panel.h"

/* A key may stay in for months: what goes round would count as turned again. */
static uint32_t longer(uint32_t ms, uint32_t elapsed_ms)
{
	return ms < UINT32_MAX - elapsed_ms ? ms + elapsed_ms : UINT32_MAX;
}

/* True when this reading is a press. */
static bool contact_step(struct panel_contact *c, bool closed, bool first, uint32_t elapsed_ms)
{
	if (!closed) {
		c->gone_ms = c->down ? longer(c->gone_ms, elapsed_ms) : 0;
		if (c->down && c->gone_ms >= PANEL_RELEASE_MS)
			*c = (struct panel_contact){0};
		return false;
	}
	const bool press = !c->down && !first;
	c->held_ms = c->down ? longer(c->held_ms, elapsed_ms) : 0;
	c->left_in = first || (c->left_in && c->down);
	c->down = true;
	c->gone_ms = 0;
	return press;
}

/* A request stands until the session starts: one that is there in a single reading is noise. */
static uint16_t take_routine(struct panel *panel, uint16_t now, bool first)
{
	const bool steady = now == panel->routine;
	panel->routine = now;
	if (first || now == 0)
		panel->routine_taken = now;
	if (!steady || now == panel->routine_taken)
		return 0;
	panel->routine_taken = now;
	return now;
}

struct panel_presses panel_step(struct panel *panel, const struct driver_panel *now, uint32_t elapsed_ms)
{
	const bool levels[PANEL_BUTTONS] = {
	    [PANEL_STOP] = now->stop,       [PANEL_PAUSE] = now->pause,         [PANEL_PAIN] = now->pain,
	    [PANEL_UP] = now->intensity_up, [PANEL_DOWN] = now->intensity_down, [PANEL_STAFF] = now->staff_key,
	};
	const bool first = !panel->seen;
	const uint32_t staff_before_ms = panel->contacts[PANEL_STAFF].held_ms;
	bool pressed[PANEL_BUTTONS];

	panel->seen = true;
	for (int i = 0; i < PANEL_BUTTONS; i++)
		pressed[i] = contact_step(&panel->contacts[i], levels[i], first, elapsed_ms);
	const struct panel_contact *staff = &panel->contacts[PANEL_STAFF];
	return (struct panel_presses){
	    .routine = take_routine(panel, now->routine, first),
	    .stop = pressed[PANEL_STOP],
	    .pause = pressed[PANEL_PAUSE],
	    .pain = pressed[PANEL_PAIN],
	    .intensity = pressed[PANEL_UP] - pressed[PANEL_DOWN],
	    .staff_turned = pressed[PANEL_STAFF],
	    .staff_clear =
	        !staff->left_in && staff_before_ms < PANEL_STAFF_HOLD_MS && staff->held_ms >= PANEL_STAFF_HOLD_MS,
	};
}

bool panel_staff_here(const struct panel *panel)
{
	const struct panel_contact *staff = &panel->contacts[PANEL_STAFF];
	return staff->down && !staff->left_in && staff->held_ms < PANEL_STAFF_HERE_MS;
}

const char *panel_stuck(const struct panel *panel)
{
	static const char *const words[PANEL_STAFF] = {
	    [PANEL_STOP] = "stop", [PANEL_PAUSE] = "pause", [PANEL_PAIN] = "pain", [PANEL_UP] = "up", [PANEL_DOWN] = "down",
	};
	for (int i = 0; i < PANEL_STAFF; i++) {
		if (panel->contacts[i].held_ms >= PANEL_STUCK_MS)
			return words[i];
	}
	return NULL;
}
