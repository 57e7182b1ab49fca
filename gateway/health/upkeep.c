/* What people and rules say of a machine: overuse, wear, out of service. */
#include <inttypes.h>
#include <string.h>

#include "gateway/health/verdict.h"
#include "proto/base/clock.h"
#include "proto/base/date.h"

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

/* D5. */
static const double service_soon_pct = 80, service_now_pct = 100;

static bool is_empty(const char *text)
{
	return text == NULL || *text == '\0';
}

/* ---- wear ---- */

/* A motor that is used up fails in use; all else can wait for its turn. */
static enum health_severity gravity(const struct wear_part *p)
{
	if (p->used_pct < service_soon_pct)
		return HEALTH_OK;
	return p->part == FACT_PART_MOTOR && p->used_pct >= service_now_pct ? HEALTH_CRITICAL : HEALTH_ATTENTION;
}

static const struct wear_part *worst(const struct health_facts *f)
{
	const struct wear_part *found = NULL;

	for (size_t i = 0; f->wear && i < f->wear->count; i++) /* they come worst first */
		if (found == NULL || gravity(&f->wear->parts[i]) > gravity(found))
			found = &f->wear->parts[i];
	return found;
}

static bool by_hours(const struct wear_part *p)
{
	double life = p->life.motor_h;

	return life > 0 && p->counter.motor_h * 100.0 / life >= p->used_pct;
}

/* "; at 4.1 h a day that is used up about 2026-12-14" */
static struct phrase forecast(const struct verdict *v, const struct wear_part *p)
{
	const struct wear_pace *pace = &v->facts->wear_pace;
	struct phrase s = {""};
	char date[GF_DATE_MAX];

	if (p->used_pct >= service_now_pct || p->due_ms == 0)
		return s;
	(void)gf_date_format((int32_t)(p->due_ms / day_ms), date);
	if (by_hours(p))
		VERDICT_SET(s.text, "; at %.1f h a day due about %s", pace->motor_h_per_day, date);
	else
		VERDICT_SET(s.text, "; at %.0f sessions a day due about %s", pace->sessions_per_day, date);
	return s;
}

void verdict_service(struct verdict *v)
{
	static const struct {
		const char *what, *soon, *now, *said; /* said: after the device's id */
	} words[FACT_PART_COUNT] = {
	    [FACT_PART_MOTOR] = {"motor", "order the motor or its brushes, plan the service",
	                         "replace the motor, or have it serviced, before it fails in use", " motor"},
	    [FACT_PART_HEAD] = {"head", "order a head, plan the change", "change the head", " head"},
	    [FACT_PART_ROLLER] = {"rollers", "order rollers, plan the change", "change the rollers", " roller"},
	    [FACT_PART_FILTER] = {"filter", "order a filter", "change the filter", " filter"},
	    [FACT_PART_COVER] = {"cover", "order a cover", "change the cover", " cover"},
	    [FACT_PART_SERVICE] = {"service", "plan the service", "have it serviced", ""},
	};
	const struct wear_part *p = worst(v->facts);
	bool now = p && p->used_pct >= service_now_pct;
	struct health_reason *r;

	if (p == NULL || gravity(p) == HEALTH_OK || (unsigned)p->part >= FACT_PART_COUNT)
		return;
	r = verdict_add(v, HEALTH_CODE_SERVICE_DUE, gravity(p), p->counter.since_ms, "");
	if (by_hours(p))
		VERDICT_SAY(r, "%s due: %.0f of %.0f h are used (%.0f %%)%s", words[p->part].what, p->counter.motor_h,
		            p->life.motor_h, p->used_pct, forecast(v, p).text);
	else
		VERDICT_SAY(r, "%s due: %" PRIu64 " of %" PRIu64 " sessions are used (%.0f %%)%s", words[p->part].what,
		            p->counter.sessions, p->life.sessions, p->used_pct, forecast(v, p).text);
	VERDICT_DO(r, "%s; when it is done: gymfleet device service %s%s", now ? words[p->part].now : words[p->part].soon,
	           verdict_device(v), words[p->part].said);
}

/* ---- overuse ---- */

/* What joins a sentence with the next: an advice may end with a full stop. */
static const char *joint(const char *sentence)
{
	size_t len = strlen(sentence);
	return len == 0 ? "" : sentence[len - 1] == '.' ? " " : "; ";
}

static void flag(struct verdict *v, const struct health_flag *f)
{
	const enum health_code code = f->of_judging ? HEALTH_CODE_NOT_JUDGED : HEALTH_CODE_OVERUSE;
	struct health_reason *r = verdict_add(v, code, f->severity, f->since_ms, is_empty(f->advice) ? "" : f->advice);

	VERDICT_SAY(r, "%s%s%s%s", f->title, verdict_since(v, f->since_ms).text, is_empty(f->text) ? "" : ": ",
	            is_empty(f->text) ? "" : f->text);
	if (f->acked_ms > 0) {
		r->seen_to = true;
		VERDICT_SAY(r, "%s; %s knows", r->text, is_empty(f->acked_by) ? "somebody" : f->acked_by);
		return;
	}
	VERDICT_DO(r, "%s%sgymfleet overuse ack %" PRIu64 " --note TEXT says that you know", r->action, joint(r->action),
	           f->id);
}

void verdict_flags(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	const struct wear_part *due = worst(f);
	bool said = due && due->used_pct >= service_soon_pct;
	size_t before = v->count;

	for (size_t i = 0; i < f->flags_count && i < HEALTH_FLAGS_MAX; i++)
		if (!f->flags[i].of_wear || !said)
			flag(v, &f->flags[i]);
	if (f->flags_more > 0 && v->count > before)
		VERDICT_DO(&v->reasons[v->count - 1], "%s; %zu more are open: gymfleet overuse",
		           v->reasons[v->count - 1].action, f->flags_more);
}

/* ---- out of service ---- */

void verdict_tag(struct verdict *v)
{
	const struct health_tag *t = &v->facts->tag;
	int64_t now_ms = v->facts->now_ms;
	char at[GF_RFC3339_MAX], span[GF_DURATION_MAX];
	struct health_reason *r;

	if (t->since_ms <= 0)
		return;
	r = verdict_add(v, HEALTH_CODE_TAGGED, HEALTH_ATTENTION, t->since_ms, "");
	VERDICT_SAY(r, "out of service%s: %s", verdict_since(v, t->since_ms).text,
	            is_empty(t->reason) ? "no reason given" : t->reason);
	if (!is_empty(t->owner))
		VERDICT_SAY(r, "%s; %s sees to it", r->text, t->owner);
	if (t->back_ms > now_ms)
		VERDICT_SAY(r, "%s; back about %s (in %s)", r->text, gf_time_format(t->back_ms, at),
		            gf_duration_format(t->back_ms - now_ms, span));
	else if (t->back_ms > 0)
		VERDICT_SAY(r, "%s; it should be back since %s (%s late)", r->text, gf_time_format(t->back_ms, at),
		            gf_duration_format(now_ms - t->back_ms, span));
	r->seen_to = t->back_ms == 0 || t->back_ms > now_ms;
	if (!r->seen_to)
		VERDICT_DO(r, "ask %s for it; when it is repaired: gymfleet device untag %s",
		           is_empty(t->owner) ? "who has it" : t->owner, verdict_device(v));
	else
		VERDICT_DO(r, "when it is repaired: gymfleet device untag %s", verdict_device(v));
}
