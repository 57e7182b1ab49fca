#include "gateway/hours_doubts.h"

#include "proto/base/clock.h"
#include "proto/base/span.h"

enum { WEEK_DAYS = 7, WEEK_MIN = WEEK_DAYS * CALENDAR_DAY_MIN, CLOCK_CHANGE_MIN = 60 };
#define WEEK_MS (WEEK_MIN * GF_MINUTE_MS)

#define MEND_HOURS "see to the opening hours (open in gateway.yaml)"

struct hours_check {
	const struct sites *sites;
	const char *file;
	hours_doubt_fn tell;
	void *ctx;
};

static bool any_site(const struct hours_check *k, sites_fn is, const void *ctx)
{
	return k->sites != NULL ? sites_any(k->sites, is, ctx) : is(&calendar_always, ctx);
}

static unsigned week_open_min(const struct calendar *c)
{
	unsigned minutes = 0;

	for (size_t day = 0; day < WEEK_DAYS; day++)
		for (size_t i = 0; i < c->week[day].count; i++)
			minutes += (unsigned)(c->week[day].spans[i].to_min - c->week[day].spans[i].from_min);
	return minutes;
}

/* ---- use while closed ---- */

static bool ever_closes(const struct calendar *c, const void *ctx)
{
	(void)ctx;
	return week_open_min(c) < WEEK_MIN;
}

static void doubt_closed(const struct hours_check *k, const struct rule *rule)
{
	struct gf_diag sentence;

	if (rule->hours != RULE_HOURS_CLOSED || any_site(k, ever_closes, NULL))
		return;
	gf_diag_set(
	    &sentence,
	    "%s:%u: rule %s counts what happens while a site is closed, and none ever closes, so it can't fire; leave "
	    "hours out, or " MEND_HOURS,
	    k->file, rule->hours_line, rule->id);
	k->tell(k->ctx, sentence.text);
}

/* ---- open days in a row ---- */

/* Are there so many open days in as long a time as a row may take? */
static bool has_days(const struct calendar *c, const void *ctx)
{
	const struct rule *rule = ctx;

	for (unsigned first = 0; first < WEEK_DAYS; first++) {
		unsigned open = 0;

		for (unsigned day = 0; day < rule_days_span(rule); day++)
			open += c->week[(first + day) % WEEK_DAYS].count > 0;
		if (open >= rule->days)
			return true;
	}
	return false;
}

static void doubt_days(const struct hours_check *k, const struct rule *rule)
{
	struct gf_diag sentence;

	if (rule->days == 0 || any_site(k, has_days, rule))
		return;
	gf_diag_set(
	    &sentence,
	    "%s:%u: rule %s needs %u open days, and no site has so many within %u, the most that is looked back, so it "
	    "can't fire; take fewer days, or " MEND_HOURS,
	    k->file, rule->days_line, rule->id, rule->days, rule_days_span(rule));
	k->tell(k->ctx, sentence.text);
}

/* ---- silence in opening time ---- */

struct wait {
	double minutes;
	int64_t expires_ms;
};

/* At most so much is open before it expires: whole weeks, and an hour where the clock is set back. */
static bool is_open_so_long(const struct calendar *c, const void *ctx)
{
	const struct wait *wait = ctx;
	const int64_t weeks = (wait->expires_ms + WEEK_MS - 1) / WEEK_MS;

	return wait->minutes <= (double)(weeks * week_open_min(c) + CLOCK_CHANGE_MIN);
}

static void doubt_silence(const struct hours_check *k, const struct rule *rule)
{
	const struct rule_condition *c = &rule->conditions[0];
	const struct wait warn = {c->has_warn ? c->warn : c->act, rule->expires_ms}, act = {c->act, rule->expires_ms};
	const struct wait *wait = NULL;
	char expires[GF_DURATION_MAX];
	struct gf_diag sentence;

	if (!rule_is_silence(rule) || rule->hours != RULE_HOURS_OPEN)
		return;
	if (!any_site(k, is_open_so_long, &warn))
		wait = &warn;
	else if (c->has_act && !any_site(k, is_open_so_long, &act))
		wait = &act;
	else
		return;
	gf_diag_set(
	    &sentence,
	    "%s:%u: rule %s waits for %g min of opening time, and no site has so much within expires (%s), so it can't "
	    "%s; make expires longer, or " MEND_HOURS,
	    k->file, rule->hours_line, rule->id, wait->minutes, gf_duration_format(rule->expires_ms, expires),
	    wait == &warn ? "fire" : "act");
	k->tell(k->ctx, sentence.text);
}

void hours_doubts(const struct rules *rules, const struct sites *sites, const char *file, hours_doubt_fn tell,
                  void *ctx)
{
	const struct hours_check k = {sites, file, tell, ctx};

	for (size_t i = 0; i < rules->count; i++) {
		doubt_closed(&k, &rules->items[i]);
		doubt_days(&k, &rules->items[i]);
		doubt_silence(&k, &rules->items[i]);
	}
}
