/* Windows: minutes of a site's day. The offset from UTC is a fact of the moment, so a clock change needs no care here: the next look has the new one. */
#include "gateway/rollout/plan.h"
#include "proto/base/span.h"

enum { DAY_MIN = 24 * 60 };

/* Milliseconds since the site's midnight. */
static int64_t local_ms(int64_t now_ms, int32_t utc_offset_s)
{
	const int64_t day_ms = (int64_t)DAY_MIN * GF_MINUTE_MS;
	int64_t ms = (now_ms + (int64_t)utc_offset_s * 1000) % day_ms;

	return ms < 0 ? ms + day_ms : ms;
}

bool plan_window_open(const struct rollout_spec *spec, int64_t now_ms, int32_t utc_offset_s)
{
	int64_t minute = local_ms(now_ms, utc_offset_s) / GF_MINUTE_MS;

	if (!spec->has_window)
		return true;
	if (spec->window_from_min <= spec->window_to_min)
		return minute >= spec->window_from_min && minute < spec->window_to_min;
	return minute >= spec->window_from_min || minute < spec->window_to_min;
}

int64_t plan_window_opens_ms(const struct rollout_spec *spec, int64_t now_ms, int32_t utc_offset_s)
{
	int64_t wait_ms;

	if (plan_window_open(spec, now_ms, utc_offset_s))
		return now_ms;
	wait_ms = (int64_t)spec->window_from_min * GF_MINUTE_MS - local_ms(now_ms, utc_offset_s);
	return now_ms + (wait_ms > 0 ? wait_ms : wait_ms + (int64_t)DAY_MIN * GF_MINUTE_MS);
}
