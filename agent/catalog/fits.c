/* Does a catalog stay within the envelope of this machine? */
#include "agent/catalog/judge.h"

/* Ramps that were cut into repetitions carry rounding. */
#define ROUNDING 1.001F

/* A step's place, for the sentence. */
struct place {
	const struct gf_routine *routine;
	size_t step;
};

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static int within(const struct place *place, float asked, float allowed, const char *unit, struct gf_diag *diag)
{
	if (asked <= allowed * ROUNDING)
		return 0;
	const struct gf_step *step = &place->routine->steps[place->step];
	gf_diag_set(diag, "routine %s, step %zu (%s, %s) asks for %g %s, this machine allows %g %s", place->routine->id,
	            place->step + 1, gf_area_name(step->area), gf_technique_name(step->technique), (double)asked, unit,
	            (double)allowed, unit);
	return GF_REFUSAL_ENVELOPE;
}

static int step_fits(const struct control_envelope *envelope, const struct place *place, struct gf_diag *diag)
{
	const struct gf_step *step = &place->routine->steps[place->step];
	int r = within(place, larger(step->from_pct, step->to_pct), envelope->intensity_max_pct, "%", diag);
	if (r == 0)
		r = within(place, larger(step->from_hz, step->to_hz), envelope->frequency_max_hz, "Hz", diag);
	if (r == 0)
		r = within(place, larger(step->pressure_from_mmhg, step->pressure_to_mmhg), envelope->pressure_max_mmhg, "mmHg",
		           diag);
	return r;
}

static int routine_fits(const struct control_envelope *envelope, const struct gf_routine *routine, struct gf_diag *diag)
{
	const uint32_t lasts_ms = gf_routine_duration_ms(routine), most_ms = envelope->session_max_ms;
	if (most_ms > 0 && lasts_ms > most_ms) {
		gf_diag_set(diag, "routine %s lasts %g s, a session on this machine at most %g s", routine->id,
		            (double)lasts_ms / 1e3, (double)most_ms / 1e3);
		return GF_REFUSAL_ENVELOPE;
	}
	for (size_t i = 0; i < routine->steps_count; i++) {
		const int r = step_fits(envelope, &(struct place){routine, i}, diag);
		if (r != 0)
			return r;
	}
	return 0;
}

int catalog_fits(const struct catalog_judge *judge, const struct gf_catalog *catalog, struct gf_diag *diag)
{
	for (size_t i = 0; i < catalog->routines_count; i++) {
		const struct gf_routine *routine = &catalog->routines[i];
		/* Others can't be started here. */
		if ((routine->classes & 1U << judge->class) == 0)
			continue;
		const int r = routine_fits(&judge->envelope, routine, diag);
		if (r != 0)
			return r;
	}
	return 0;
}
