/* The buttons: turns levels into presses. Pure. */
#ifndef AGENT_CONTROL_PANEL_H
#define AGENT_CONTROL_PANEL_H

#include "agent/driver/driver.h"

struct panel {
	bool seen;
	struct driver_panel last;
};

/* What was pressed since the last reading. */
struct panel_presses {
	uint16_t routine; /* newly requested: index + 1; 0 = none */
	bool stop, pause, pain;
	int intensity; /* +1 up, -1 down */
};

/* What is held down at the first reading is no press: a machine never starts by itself after a restart. */
struct panel_presses panel_step(struct panel *panel, const struct driver_panel *now);

#endif
