#include "agent/control/duty.h"

#include <math.h>

/* A warning is news again when a tenth of the way to it has worn off: who runs and pauses at its edge is told once. */
#define WARN_AGAIN_SHARE 0.9

static void rest(struct duty *duty, const struct control_envelope *envelope, uint32_t elapsed_ms)
{
	const double per_ms = envelope->rest_ms > 0 ? (double)envelope->duty_max_ms / envelope->rest_ms : INFINITY;
	const double worn_off = elapsed_ms > 0 ? per_ms * elapsed_ms : 0;
	duty->used_ms = duty->used_ms > worn_off ? duty->used_ms - worn_off : 0;
	if (duty->used_ms <= 0)
		duty->resting = false;
	if (duty->used_ms < envelope->duty_warn_ms * WARN_AGAIN_SHARE)
		duty->warned = false;
}

static enum duty_news run(struct duty *duty, const struct control_envelope *envelope, uint32_t elapsed_ms)
{
	duty->used_ms += elapsed_ms;
	if (duty->used_ms >= envelope->duty_max_ms) {
		duty->used_ms = envelope->duty_max_ms;
		const bool already = duty->resting;
		duty->resting = true;
		return already ? DUTY_NOTHING : DUTY_ENDS;
	}
	if (duty->warned || envelope->duty_warn_ms == 0 || duty->used_ms < envelope->duty_warn_ms)
		return DUTY_NOTHING;
	duty->warned = true;
	return DUTY_WARNS;
}

void duty_recall(struct duty *duty, const struct control_envelope *envelope, const struct control_memory *memory)
{
	/* The limit may have been a higher one. */
	const uint32_t used_ms = memory->duty_ms < envelope->duty_max_ms ? memory->duty_ms : envelope->duty_max_ms;
	*duty = (struct duty){.used_ms = used_ms, .resting = memory->resting};
}

enum duty_news duty_elapsed(struct duty *duty, const struct control_envelope *envelope, bool running,
                            uint32_t elapsed_ms)
{
	if (envelope->duty_max_ms == 0) {
		*duty = (struct duty){0};
		return DUTY_NOTHING;
	}
	if (running)
		return run(duty, envelope, elapsed_ms);
	rest(duty, envelope, elapsed_ms);
	return DUTY_NOTHING;
}

uint32_t duty_rest_left_ms(const struct duty *duty, const struct control_envelope *envelope)
{
	if (!duty->resting || envelope->duty_max_ms == 0)
		return 0;
	return (uint32_t)ceil(duty->used_ms * envelope->rest_ms / envelope->duty_max_ms);
}
