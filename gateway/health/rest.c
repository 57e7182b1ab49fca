/* What a machine keeps from running by its own rules. Nobody has to do anything; it is told so that nobody looks for a fault. */
#include "gateway/health/verdict.h"
#include "proto/base/clock.h"

enum { CLOSED_NAMED = 3 };

/* D1. Known from its records, so also while it is offline. */
void verdict_rest(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;
	char at[GF_RFC3339_MAX], left[GF_DURATION_MAX], ran[GF_DURATION_MAX];

	if (f->rest_until_ms <= f->now_ms)
		return;
	r = verdict_add(v, HEALTH_CODE_RESTING, HEALTH_ATTENTION, f->rest_since_ms, "");
	VERDICT_SAY(r, "resting%s: it ran %s without enough rest", verdict_since(v, f->rest_since_ms).text,
	            f->duty_max_ms ? gf_duration_format(f->duty_max_ms, ran) : "too long");
	VERDICT_DO(r, "nothing to do: it may run again at %s (in %s)", gf_time_format(f->rest_until_ms, at),
	           gf_duration_format(f->rest_until_ms - f->now_ms, left));
}

/* Somebody wanted it so; it is told so that nobody looks for a fault. */
void verdict_locked(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	/* The tag locks it, and says so. */
	if (!f->locked || f->tag.since_ms > 0)
		return;
	r = verdict_add(v, HEALTH_CODE_LOCKED, HEALTH_OK, f->locked_since_ms, "");
	VERDICT_DO(r, "nothing to do: gymfleet device unlock %s lets it run again", verdict_device(v));
	if (f->lock_reason != NULL && *f->lock_reason != '\0')
		VERDICT_SAY(r, "locked%s, no session starts: %s", verdict_since(v, f->locked_since_ms).text, f->lock_reason);
	else
		VERDICT_SAY(r, "locked%s, no session starts", verdict_since(v, f->locked_since_ms).text);
}

static void name_closed(struct health_reason *r, const struct health_closed *c, bool first)
{
	char at[GF_RFC3339_MAX];

	VERDICT_SAY(r, "%s%s %s%s%s%s until %s", r->text, first ? "" : ",", gf_area_name(c->area),
	            c->side != GF_SIDE_UNSPECIFIED ? " " : "", c->side != GF_SIDE_UNSPECIFIED ? gf_side_name(c->side) : "",
	            c->personal ? " (for one person)" : "", gf_time_format(c->until_ms, at));
}

/* P8: the machine itself is well. */
void verdict_closed(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;
	size_t named = 0, more = 0;

	if (!f->closed_count)
		return;
	r = verdict_add(v, HEALTH_CODE_AREA_CLOSED, HEALTH_OK, 0,
	                "nothing to do: it opens by itself; staff opens it before by holding the staff key for 3 s");
	VERDICT_SAY(r, "closed after pain:");
	for (size_t i = 0; i < f->closed_count && i < HEALTH_CLOSED_MAX; i++) {
		const struct health_closed *c = &f->closed[i];

		if (r->since_ms == 0 || c->since_ms < r->since_ms)
			r->since_ms = c->since_ms;
		if (named < CLOSED_NAMED)
			name_closed(r, c, named++ == 0);
		else
			more++;
	}
	if (more)
		VERDICT_SAY(r, "%s, and %u more", r->text, (unsigned)more);
}
