#include "agent/control/tally.h"

static struct tally_entry *entry_of(struct tally *tally, const struct driver_output *output)
{
	for (size_t i = 0; i < tally->count; i++) {
		struct tally_entry *e = &tally->entries[i];
		if (e->area == output->area && e->side == output->side && e->technique == output->technique)
			return e;
	}
	if (tally->count == GF_SESSION_AREAS_MAX)
		return &tally->entries[GF_SESSION_AREAS_MAX - 1];
	struct tally_entry *e = &tally->entries[tally->count++];
	*e = (struct tally_entry){.area = output->area, .side = output->side, .technique = output->technique};
	return e;
}

void tally_add(struct tally *tally, const struct driver_output *output, uint32_t elapsed_ms)
{
	struct tally_entry *e = entry_of(tally, output);
	e->ms += elapsed_ms;
	e->pct_ms += (double)output->intensity_pct * elapsed_ms;
	if (output->intensity_pct > e->max_pct)
		e->max_pct = output->intensity_pct;
}

size_t tally_report(const struct tally *tally, struct gf_area_use ret_areas[static GF_SESSION_AREAS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_entry *e = &tally->entries[i];
		if (e->ms == 0)
			continue;
		ret_areas[n++] = (struct gf_area_use){
		    .area = e->area,
		    .side = e->side,
		    .technique = e->technique,
		    .ms = e->ms,
		    .mean_intensity_pct = (float)(e->pct_ms / e->ms),
		    .max_intensity_pct = e->max_pct,
		};
	}
	return n;
}
