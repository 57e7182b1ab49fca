/* Is the machine there, and does anybody use it: both by its site's opening hours. */
#include <inttypes.h>

#include "gateway/health/verdict.h"
#include "proto/base/clock.h"

static const int64_t hour_ms = INT64_C(60) * 60 * 1000;
static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

enum { IDLE_HISTORY_D = 14, IDLE_SESSIONS = 20 };
/* ln 1000: so many sessions expected and none seen is less likely than 1 : 1000 (Poisson). */
static const double idle_expected = 6.907755;

static const struct calendar *calendar_of(const struct health_facts *f)
{
	return f->calendar ? f->calendar : &calendar_always;
}

struct kind {
	enum health_severity severity;
	const char *why, *action;
};

static struct kind kind_of(enum health_presence presence)
{
	static const struct kind kinds[] = {
	    [HEALTH_ONLINE] = {HEALTH_OK, "", ""},
	    [HEALTH_NEVER_SEEN] = {HEALTH_ATTENTION, "it reports, but has not said what it is",
	                           "wait a minute; if it stays, restart the agent on the machine"},
	    [HEALTH_GOODBYE] =
	        {HEALTH_ATTENTION, "it said goodbye",
	         "nothing, if it was meant; else switch it on; if it is on: systemctl status 'gymfleet-agent@*'"},
	    [HEALTH_LOST] = {HEALTH_CRITICAL, "its connection broke",
	                     "check its power and its network; sessions are kept on the machine and come later"},
	    [HEALTH_SILENT] = {HEALTH_CRITICAL, "nothing is heard of it, though its connection was not closed",
	                       "check its network, then the agent: systemctl status 'gymfleet-agent@*'"},
	};

	return (unsigned)presence < sizeof(kinds) / sizeof(kinds[0]) ? kinds[presence] : (struct kind){HEALTH_OK, "", ""};
}

static void while_closed(struct verdict *v, struct health_reason *r)
{
	int64_t opens_ms = calendar_next_change_ms(calendar_of(v->facts), v->facts->now_ms);
	char at[GF_RFC3339_MAX], left[GF_DURATION_MAX];

	r->severity = HEALTH_OK;
	VERDICT_DO(r, "nothing to do");
	if (opens_ms == INT64_MAX)
		VERDICT_SAY(r, "offline%s; the site is closed", verdict_since(v, r->since_ms).text);
	else
		VERDICT_SAY(r, "offline%s; the site is closed until %s (in %s)", verdict_since(v, r->since_ms).text,
		            gf_time_format(opens_ms, at), gf_duration_format(opens_ms - v->facts->now_ms, left));
}

/* A closed site's machines may be switched off; who is missed is missed from the next opening on. */
void verdict_presence(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	const struct calendar *calendar = calendar_of(f);
	struct kind kind = kind_of(f->presence);
	int64_t since_ms = f->presence_since_ms;
	char opened[GF_RFC3339_MAX];
	struct health_reason *r;

	if (f->presence == HEALTH_ONLINE || *kind.why == '\0')
		return;
	r = verdict_add(v, HEALTH_CODE_OFFLINE, kind.severity, since_ms, kind.action);
	if (f->presence == HEALTH_NEVER_SEEN) {
		VERDICT_SAY(r, "offline%s: %s", verdict_since(v, since_ms).text, kind.why);
		return;
	}
	if (!calendar_is_open(calendar, f->now_ms)) {
		while_closed(v, r);
		return;
	}
	if (f->tag.since_ms > 0) {
		r->severity = HEALTH_OK;
		VERDICT_DO(r, "nothing to do: it is out of service");
	}
	if (since_ms > 0 && !calendar_is_open(calendar, since_ms)) {
		r->since_ms = calendar_next_change_ms(calendar, since_ms);
		VERDICT_SAY(r, "offline%s: %s; its site opened at %s", verdict_since(v, since_ms).text, kind.why,
		            gf_time_format(r->since_ms, opened));
	} else {
		VERDICT_SAY(r, "offline%s: %s", verdict_since(v, since_ms).text, kind.why);
	}
}

static bool may_be_used(const struct health_facts *f)
{
	return f->presence == HEALTH_ONLINE && !f->in_session && !f->locked && f->tag.since_ms == 0 &&
	       f->rest_until_ms <= f->now_ms;
}

/* It says of itself that it is well, and yet nobody comes: it may stand in the dark, unplugged from its head, or look broken. */
void verdict_idle(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	const struct health_pace *p = &f->pace;
	const struct calendar *calendar = calendar_of(f);
	double used_h, idle_h, per_h;
	struct health_reason *r;

	if (!may_be_used(f) || p->sessions < IDLE_SESSIONS || p->last_ms - p->from_ms < IDLE_HISTORY_D * day_ms ||
	    f->now_ms <= p->last_ms)
		return;
	for (size_t i = 0; i < v->count; i++)
		if (v->reasons[i].severity == HEALTH_CRITICAL)
			return; /* why nobody uses it is said */
	used_h = (double)calendar_open_ms(calendar, p->from_ms, p->last_ms) / (double)hour_ms;
	idle_h = (double)calendar_open_ms(calendar, p->last_ms, f->now_ms) / (double)hour_ms;
	per_h = used_h > 0 ? (double)p->sessions / used_h : 0;
	if (per_h * idle_h < idle_expected)
		return;
	r = verdict_add(v, HEALTH_CODE_IDLE, HEALTH_ATTENTION, p->last_ms,
	                "look at the machine: is it lit, free and whole, and does its panel answer?");
	VERDICT_SAY(
	    r,
	    "nobody has used it%s, in %.1f hours in which its site was open; usually it would have been %.0f sessions "
	    "(%.1f an hour)",
	    verdict_since(v, p->last_ms).text, idle_h, per_h * idle_h, per_h);
}
