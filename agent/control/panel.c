#include "agent/control/panel.h"

struct panel_presses panel_step(struct panel *panel, const struct driver_panel *now)
{
	const struct driver_panel before = panel->seen ? panel->last : *now;

	panel->seen = true;
	panel->last = *now;
	return (struct panel_presses){
	    .routine = now->routine != before.routine ? now->routine : 0,
	    .stop = now->stop && !before.stop,
	    .pause = now->pause && !before.pause,
	    .pain = now->pain && !before.pain,
	    .intensity = (now->intensity_up && !before.intensity_up) - (now->intensity_down && !before.intensity_down),
	};
}
