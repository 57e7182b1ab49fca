#include "agent/control/clamp.h"

/* S3: a roller moves about one inch a second. */
#define SPEED_MAX_MM_S 25.0F
#define RAMP_MAX_PCT_S 100.0F

/* NaN and what is negative are 0; a limit that is NaN lets nothing through. */
static float limited(float value, float max)
{
	if (!(value > 0) || !(max > 0))
		return 0;
	return value < max ? value : max;
}

static float ceiling(const struct clamp *clamp, const struct control_envelope *envelope, uint32_t elapsed_ms,
                     const struct driver_output *output)
{
	if (!output_on(&clamp->last) || !output_same_spot(&clamp->last, output))
		return envelope->start_max_pct;
	return clamp->last.intensity_pct + limited(envelope->ramp_max_pct_s, RAMP_MAX_PCT_S) * (float)elapsed_ms / 1000.0F;
}

static bool spot_known(const struct driver_output *output)
{
	return output->area > GF_AREA_UNSPECIFIED && output->area < GF_AREA_COUNT && output->side > GF_SIDE_UNSPECIFIED &&
	       output->side < GF_SIDE_COUNT && output->technique > GF_TECHNIQUE_UNSPECIFIED &&
	       output->technique < GF_TECHNIQUE_COUNT;
}

void clamp_apply(struct clamp *clamp, const struct control_envelope *envelope, uint32_t elapsed_ms,
                 struct driver_output *output)
{
	if (output->command != DRIVER_START || !spot_known(output)) {
		const enum driver_command command = output->command == DRIVER_START ? DRIVER_STOP : output->command;
		*output = (struct driver_output){.command = command, .clear_fault = output->clear_fault};
		clamp->last = *output;
		return;
	}

	const float wanted_pct = output->intensity_pct;
	float pct = limited(wanted_pct, envelope->intensity_max_pct);
	pct = limited(pct, ceiling(clamp, envelope, elapsed_ms, output));
	pct = limited(pct, gf_technique_cap_pct(output->area, output->technique));
	output->intensity_pct = pct;
	output->frequency_hz = limited(output->frequency_hz, envelope->frequency_max_hz);
	/* What is clamped presses less too. */
	const float share = pct > 0 ? pct / wanted_pct : 0;
	output->pressure_mmhg = limited(output->pressure_mmhg * share, envelope->pressure_max_mmhg);
	output->speed_mm_s = limited(output->speed_mm_s, SPEED_MAX_MM_S);
	output->heat_c = limited(output->heat_c, envelope->heat_max_c);
	output->ramp_pct_s = limited(envelope->ramp_max_pct_s, RAMP_MAX_PCT_S);
	output->clear_fault = false; /* never while it runs */
	clamp->last = *output;
}
