/* What a session gave: time and intensity for each area, side and technique. Pure, no allocation. */
#ifndef AGENT_CONTROL_TALLY_H
#define AGENT_CONTROL_TALLY_H

#include "agent/driver/driver.h"

struct tally_entry {
	enum gf_area area;
	enum gf_side side;
	enum gf_technique technique;
	uint32_t ms;
	double pct_ms; /* intensity x time */
	float max_pct;
};

struct tally {
	size_t count;
	struct tally_entry entries[GF_SESSION_AREAS_MAX];
};

/* `elapsed_ms` of this output. When there is no entry left it counts in the last one, so that the sum of times stays true. */
void tally_add(struct tally *tally, const struct driver_output *output, uint32_t elapsed_ms);

/* Writes at most GF_SESSION_AREAS_MAX entries; returns how many. */
size_t tally_report(const struct tally *tally, struct gf_area_use ret_areas[static GF_SESSION_AREAS_MAX]);

#endif
