#include "gateway/tell/flood.h"

void flood_init(struct flood *f, unsigned count, int64_t per_ms, unsigned burst, int64_t mono_ms)
{
	f->token_ms = per_ms / (count > 0 ? count : 1);
	if (f->token_ms < 1)
		f->token_ms = 1;
	f->full_ms = f->token_ms * (burst > 0 ? burst : 1);
	f->level_ms = f->full_ms;
	f->at_ms = mono_ms;
}

static void refill(struct flood *f, int64_t mono_ms)
{
	if (mono_ms > f->at_ms)
		f->level_ms = mono_ms - f->at_ms < f->full_ms - f->level_ms ? f->level_ms + (mono_ms - f->at_ms) : f->full_ms;
	f->at_ms = mono_ms;
}

enum flood_say flood_judge(struct flood *f, bool several, int64_t mono_ms, int64_t *ret_ms)
{
	refill(f, mono_ms);
	if (f->level_ms < f->token_ms) {
		*ret_ms = mono_ms + f->token_ms - f->level_ms;
		return FLOOD_WAIT;
	}
	return several && f->level_ms < 2 * f->token_ms ? FLOOD_SUM : FLOOD_ONE;
}

void flood_take(struct flood *f)
{
	f->level_ms -= f->token_ms;
}

int64_t flood_backoff_ms(unsigned failures, uint64_t random)
{
	int64_t most_ms = FLOOD_BACKOFF_MIN_MS;

	for (unsigned i = 1; i < failures && most_ms < FLOOD_BACKOFF_MAX_MS; i++)
		most_ms *= 2;
	if (most_ms > FLOOD_BACKOFF_MAX_MS)
		most_ms = FLOOD_BACKOFF_MAX_MS;
	return (int64_t)(random % (uint64_t)(most_ms + 1));
}

enum flood_fate flood_http(long status)
{
	if (status >= 200 && status < 300)
		return FLOOD_TAKEN;
	if (status == 408 || status == 425 || status == 429)
		return FLOOD_AGAIN;
	return status >= 400 && status < 500 ? FLOOD_REFUSES : FLOOD_AGAIN;
}

enum flood_fate flood_mqtt(int code)
{
	/* Topic name invalid, packet too large, payload format invalid: it would be so again. */
	static const int refusals[] = {0x90, 0x95, 0x99};

	/* 16: nobody listens, who is not there misses it. */
	if (code == 0 || code == 16)
		return FLOOD_TAKEN;
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (code == refusals[i])
			return FLOOD_REFUSES;
	return FLOOD_AGAIN;
}
