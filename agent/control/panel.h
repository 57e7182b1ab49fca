/*
 * The buttons: turns levels into presses. Contacts bounce: a button counts again only after it has been let go for a while. What is
 * held for too long is stuck, or somebody leans on it. Pure; time comes as what has elapsed.
 */
#ifndef AGENT_CONTROL_PANEL_H
#define AGENT_CONTROL_PANEL_H

#include "agent/driver/driver.h"

enum {
	PANEL_RELEASE_MS = 100,
	PANEL_STUCK_MS = 30 * 1000,
	PANEL_STAFF_HOLD_MS = 3000,
	PANEL_STAFF_HERE_MS = 120 * 1000, /* so long after the key was turned somebody of the staff is there */
};

enum panel_button { PANEL_STOP, PANEL_PAUSE, PANEL_PAIN, PANEL_UP, PANEL_DOWN, PANEL_STAFF, PANEL_BUTTONS };

struct panel_contact {
	bool down;    /* bounces are smoothed out */
	bool left_in; /* since the first reading: nobody pressed it now */
	uint32_t held_ms, gone_ms;
};

struct panel {
	bool seen;
	struct panel_contact contacts[PANEL_BUTTONS];
	uint16_t routine, routine_taken; /* at the last reading; the last one that was told */
};

/* What was pressed since the last reading. */
struct panel_presses {
	uint16_t routine; /* newly requested, in two readings: index + 1; 0 = none */
	bool stop, pause, pain;
	int intensity;     /* +1 up, -1 down */
	bool staff_turned; /* the staff key, freshly: whose token is there holds the machine (holder.h) */
	bool staff_clear;  /* the staff key has been held for PANEL_STAFF_HOLD_MS; once */
};

/* What is held down at the first reading is no press: a machine neither starts nor clears anything by itself after a restart. */
struct panel_presses panel_step(struct panel *panel, const struct driver_panel *now, uint32_t elapsed_ms);

/* The staff key was turned a short while ago; one that is left in, or was in from the beginning, is nobody's. */
bool panel_staff_here(const struct panel *panel);

/* The first of the buttons that is stuck (the staff key may stay in), as a word for a sentence; NULL: none. */
const char *panel_stuck(const struct panel *panel);

#endif
